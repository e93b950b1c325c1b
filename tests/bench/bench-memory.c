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
#include "bench-log.h"
#include "openvswitch/ofpbuf.h"

static struct {
    unsigned int records;
    int level;
    const char *captures;
    bool json;
} options = {
    .records = 4000000,
};

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
        struct mlog_archive_segment segment = log_get_segment(&snapshot, i);
        struct ofpbuf file;

        if (segment.n_rows) {
            ofpbuf_init(&file, 0);
            if (mlog_archive_encode(coder, &segment, &file)) {
                fail("encoding failed");
            }
            size += file.size;
            ofpbuf_uninit(&file);
        }
        log_free_segment(&segment);
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
