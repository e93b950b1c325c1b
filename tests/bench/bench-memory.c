/* Copyright (c) 2026 The MultiLog for Open vSwitch authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at:
 *
 *     http://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */

/* How much memory a record takes: see README.rst in this directory.
 *
 * Makes records, appends them to a header log as the digest does, seals all
 * segments, and sees what that takes; then encodes each segment for the
 * archive. */

#include <config.h>

#include <ftw.h>
#include <getopt.h>

#include "../capture-records.h"
#include "bench-util.h"
#include "openvswitch/ofpbuf.h"

#define BUDGET ((size_t) 64 << 30)
#define BATCH_NS 3200           /* Between batches: 10 million per second. */

static struct {
    unsigned int records;
    int level;
    const char *captures;
    bool json;
} options = {
    .records = 4000000,
};

/* A log, and what is appended to it. */

struct log {
    struct mlog_store *store;
    struct mlog_state *state;
    struct mlog_flow_table *flows;
    struct mlog_header_log *log;
    uint64_t n;
};

/* Seals what is full, which has to be committed. */
static void
log_seal(struct log *log, uint64_t time)
{
    struct mlog_commit *commit = mlog_state_begin(log->state);

    mlog_header_log_publish(log->log, time);
    memset(commit, 0, sizeof *commit);
    commit->time = time;
    mlog_header_log_fill_commit(log->log, commit);
    mlog_state_commit(log->state);
    mlog_header_log_committed(log->log, commit);
    while (mlog_header_log_seal(log->log)) {
        continue;
    }
}

static void
log_init(struct log *log)
{
    log->store = mlog_store_open(NULL);
    log->state = mlog_state_open(log->store);
    log->flows = mlog_flow_table_create(log->store);
    log->log = mlog_header_log_create(log->flows, log->store, BUDGET);
    log->n = 0;
}

static void
log_destroy(struct log *log)
{
    mlog_header_log_destroy(log->log);
    mlog_flow_table_destroy(log->flows);
    mlog_state_close(log->state);
    mlog_store_close(log->store);
}

static void
log_append(struct log *log, const struct mlog_flow_key *key,
           const struct mlog_row *parsed, uint16_t out_port, uint64_t time)
{
    uint32_t hash = mlog_flow_key_hash(key);
    uint32_t index, local;
    uint64_t ns_after_base;
    struct mlog_flow *flow;
    struct mlog_row *row;

    flow = mlog_flow_table_find(log->flows, key, hash, &index);
    if (!flow) {
        flow = mlog_flow_table_insert(log->flows, key, hash, time, &index);
    }
    row = flow ? mlog_header_log_append(log->log, time, index,
                                        &ns_after_base, &local) : NULL;
    if (!row) {
        fail("no memory");
    }
    *row = *parsed;
    row->time_port = mlog_row_pack_time_port(ns_after_base, out_port);
    row->flow = local;
    mlog_flow_count(flow, mlog_row_pkt_len(row), time);
    if (!(++log->n % 65536)) {
        log_seal(log, time);
    }
}

static void
log_finish(struct log *log, uint64_t time)
{
    mlog_header_log_close_segment(log->log);
    log_seal(log, time);
}

/* Traffic: TCP in both directions of some flows in random order, segments of
 * full size and acknowledgments; or SYNs, each of a flow of its own. */

struct connection {
    uint8_t addresses[8], ports[4];
    uint32_t seq[2];            /* Of each direction... */
    uint16_t ip_id[2];
    uint16_t window[2];
};

static void
make_connection(struct connection *c)
{
    uint64_t a = next_random(), b = next_random() >> 4;

    memset(c, 0, sizeof *c);
    c->addresses[0] = c->addresses[4] = 10;
    memcpy(c->addresses + 1, &a, 3);
    memcpy(c->addresses + 5, (uint8_t *) &a + 3, 3);
    memcpy(c->ports, &b, 2);
    c->ports[2] = 443 >> 8;
    c->ports[3] = 443 & 0xff;
    for (int i = 0; i < 2; i++) {
        c->seq[i] = next_random();
        c->ip_id[i] = next_random();
        c->window[i] = 500 + next_random() % 64;
    }
}

static void
put_be32(uint8_t *p, uint32_t x)
{
    ovs_be32 be = htonl(x);

    memcpy(p, &be, sizeof be);
}

static void
put_be16(uint8_t *p, uint16_t x)
{
    p[0] = x >> 8;
    p[1] = x;
}

/* One packet of a connection: data, mostly, one way, acknowledgments the other
 * way; or a SYN. */
static void
log_packet(struct log *log, struct connection *c, bool syn, uint64_t time)
{
    int dir = !syn && next_random() >> 9 & 1;
    uint32_t len = syn || dir ? 0 : next_random() % 8 ? 1448
                   : (next_random() >> 7) % 1448;
    uint8_t p[66] = { 0, 0x53, 0, 0, 0, 2 - dir, 0, 0x53, 0, 0, 0, 1 + dir,
                      8, 0, 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6 };
    struct mlog_flow_key key;
    struct mlog_row row;

    put_be16(p + 16, 52 + len);
    put_be16(p + 18, c->ip_id[dir]++);
    memcpy(p + 26, c->addresses + 4 * dir, 4);
    memcpy(p + 30, c->addresses + 4 * !dir, 4);
    memcpy(p + 34, c->ports + 2 * dir, 2);
    memcpy(p + 36, c->ports + 2 * !dir, 2);
    put_be32(p + 38, c->seq[dir]);
    put_be32(p + 42, syn ? 0 : c->seq[!dir]);
    p[46] = 0x80;
    p[47] = syn ? 0x02 : len && !(next_random() >> 5 & 7) ? 0x18 : 0x10;
    put_be16(p + 48, c->window[dir]);
    c->seq[dir] += len;
    c->window[dir] += !(next_random() >> 3 & 15);
    mlog_headers_parse(p, sizeof p, sizeof p + len, &key, &row);
    key.in_port = 1 + dir;
    row.reason = 0;
    log_append(log, &key, &row, 2 - dir, time);
}

/* Batches have one time. */
static uint64_t
batch_time(uint64_t i)
{
    return UINT64_C(1700000000000000000) + i / BATCH * BATCH_NS;
}

static void
log_flows(struct log *log, size_t n_flows)
{
    struct connection *connections = xcalloc(n_flows, sizeof *connections);

    for (size_t i = 0; i < n_flows; i++) {
        make_connection(&connections[i]);
    }
    for (unsigned int i = 0; i < options.records; i++) {
        log_packet(log, &connections[(next_random() >> 16) % n_flows], false,
                   batch_time(i));
    }
    free(connections);
    log_finish(log, batch_time(options.records));
}

static void
log_flood(struct log *log)
{
    for (unsigned int i = 0; i < options.records; i++) {
        struct connection c;

        make_connection(&c);
        log_packet(log, &c, true, batch_time(i));
    }
    log_finish(log, batch_time(options.records));
}

/* Captures. */

static struct records captured = { .made_up = true };

static int
read_one(const char *name, const struct stat *stat OVS_UNUSED, int type,
         struct FTW *ftw OVS_UNUSED)
{
    size_t n = strlen(name);

    if (type == FTW_F && n > 5 && !strcmp(name + n - 5, ".pcap")) {
        read_capture(&captured, name);
    }
    return 0;
}

/* Once, one file after the other. */
static void
log_captures(struct log *log)
{
    uint64_t time = 0, last = 0;

    if (nftw(options.captures, read_one, 16, FTW_PHYS) || !captured.n) {
        fail("%s: no captures (*.pcap)", options.captures);
    }
    for (size_t i = 0; i < captured.n; i++) {
        const struct record *r = &captured.a[i];

        time += r->time - last;
        last = r->time;
        log_append(log, &r->key, &r->row, mlog_row_out_port(&r->row),
                   UINT64_C(1700000000000000000) + time);
    }
    log_finish(log, UINT64_C(1700000000000000000) + time);
}

/* Measuring. */

static size_t
archived_size(struct log *log)
{
    struct mlog_archive_coder *coder
        = mlog_archive_coder_create(options.level);
    struct mlog_snapshot snapshot;
    size_t size = 0;

    mlog_snapshot_take(log->log, &snapshot);
    for (size_t i = 0; i < snapshot.n_segments; i++) {
        const struct mlog_segment *s = snapshot.segments[i].segment;
        uint32_t n = snapshot.segments[i].n_rows;
        uint32_t n_flows = snapshot.segments[i].n_flows;
        struct mlog_row *rows = xmalloc(MAX(1, n) * sizeof *rows);
        struct mlog_flow_key *keys = xmalloc(MAX(1, n_flows) * sizeof *keys);
        struct mlog_archive_segment segment = {
            .seq = s->seq, .first_row = s->first_row,
            .base_time = s->base_time, .rows = rows, .n_rows = n,
            .keys = keys, .n_flows = n_flows,
        };
        struct ofpbuf file;

        if (n) {
            mlog_segment_rows(s, 0, n, rows);
            for (uint32_t j = 0; j < n_flows; j++) {
                keys[j] = *mlog_segment_key(log->flows, s, j);
            }
            ofpbuf_init(&file, 0);
            if (mlog_archive_encode(coder, &segment, &file)) {
                fail("encoding failed");
            }
            size += file.size;
            ofpbuf_uninit(&file);
        }
        free(rows);
        free(keys);
    }
    mlog_snapshot_release(&snapshot);
    mlog_archive_coder_destroy(coder);
    return size;
}

static void
print_heading(void)
{
    if (!options.json) {
        printf("bytes per record:                         held\n"
               "pattern                records     flows   all  flows "
               "segments sealed archived\n");
    }
}

static void
print_row(const char *pattern, struct log *log)
{
    struct mlog_header_log_stats stats;

    mlog_header_log_get_stats(log->log, &stats);
    if (stats.n_rows != log->n || stats.n_sealed_rows != log->n) {
        fail("%s: %"PRIu64" records, %"PRIu64" held, %"PRIuSIZE" sealed",
             pattern, log->n, stats.n_rows, stats.n_sealed_rows);
    }

    double n = log->n;
    double flows = mlog_flow_table_memory(log->flows) / n;
    double segments = stats.memory / n;

    printf(options.json
           ? "{\"bench\": \"memory\", \"pattern\": \"%s\", "
             "\"records\": %.0f, \"flows\": %"PRIuSIZE", "
             "\"bytes_per_record_held\": %.2f, "
             "\"bytes_per_record_flow_table\": %.2f, "
             "\"bytes_per_record_segments\": %.2f, "
             "\"bytes_per_record_sealed\": %.2f, "
             "\"bytes_per_record_archived\": %.2f}\n"
           : "%-18s %11.0f %9"PRIuSIZE" %5.1f %6.1f %8.1f %6.1f %8.1f\n",
           pattern, n, mlog_flow_table_count(log->flows), flows + segments,
           flows, segments, stats.sealed_memory / n, archived_size(log) / n);
    fflush(stdout);
}

static void
run(const char *pattern, void (*make)(struct log *), size_t n_flows)
{
    struct log log;

    log_init(&log);
    if (make) {
        make(&log);
    } else {
        log_flows(&log, n_flows);
    }
    print_row(pattern, &log);
    log_destroy(&log);
}

/* Command line. */

OVS_NO_RETURN static void
usage(void)
{
    printf("%s: how much memory a record takes, held and archived\n"
           "usage: %s [OPTION]...\n"
           "  --records=N      records of each pattern [%u]\n"
           "  --captures=DIR   the packets of all captures (*.pcap) below\n"
           "                   DIR, too\n"
           "  --level=N        of compression, for the archive\n"
           "  --quick          few records, to see that it works\n"
           "  --json           one JSON object per row\n"
           "  -h, --help       this text\n",
           program_name, program_name, options.records);
    exit(0);
}

static void
parse_options(int argc, char *argv[])
{
    enum { OPT_RECORDS = 256, OPT_CAPTURES, OPT_LEVEL, OPT_QUICK, OPT_JSON };
    static const struct option long_options[] = {
        { "records", required_argument, NULL, OPT_RECORDS },
        { "captures", required_argument, NULL, OPT_CAPTURES },
        { "level", required_argument, NULL, OPT_LEVEL },
        { "quick", no_argument, NULL, OPT_QUICK },
        { "json", no_argument, NULL, OPT_JSON },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (c) {
        case OPT_RECORDS:
            options.records = parse_number("records", optarg, 1, 1000000000);
            break;
        case OPT_CAPTURES: options.captures = optarg; break;
        case OPT_LEVEL:
            options.level = parse_number("level", optarg, 1, 19);
            break;
        case OPT_QUICK: options.records = 300000; break;
        case OPT_JSON: options.json = true; break;
        case 'h': usage();
        default: exit(1);
        }
    }
    if (optind < argc) {
        fail("unexpected argument '%s' (see --help)", argv[optind]);
    }
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    parse_options(argc, argv);
    mlog_clock_init();
    random_set_seed(1);

    print_heading();
    run("1_flow", NULL, 1);
    run("10k_flows", NULL, 10000);
    run("100k_flows", NULL, 100000);
    run("1M_flows", NULL, 1000000);
    run("one_packet_flows", log_flood, 0);
    if (options.captures) {
        run("captures", log_captures, 0);
    }
    return 0;
}
