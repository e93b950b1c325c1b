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


#include <config.h>

#include <criterion/criterion.h>
#include <unistd.h>

#include "mlog-archive.h"
#include "mlog-expr.h"
#include "mlog-flow-table.h"
#include "mlog-header-log.h"
#include "mlog-ports.h"
#include "mlog-scan.h"
#include "mlog-simd.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* G5, G7: whatever the expression, and however records are held, a scan finds
 * those for which mlog_expr_eval() is true, in their order. */

#define T0 UINT64_C(1700000000000000000)
#define N_RECS 12000

struct rec {
    struct mlog_flow_key key;
    struct mlog_row row;        /* 'flow' is zero. */
    uint64_t time;
};

enum state { SEALED, OPEN, ARCHIVE };

static struct rec recs[N_RECS];
static struct mlog_flow_table *flows;
static struct mlog_header_log *log_;
static struct mlog_snapshot snapshot;
static char dir[] = "/tmp/test-scan-XXXXXX";
static struct mlog_archive_list *archived;
static const struct mlog_budget no_limit = { .deadline = LLONG_MAX };
static uint64_t state = 88172645463325252ULL;

static uint32_t
rnd(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 16) % n;
}

/* Records. */

static struct mlog_flow_key
random_key(void)
{
    static const uint8_t protos[] = { 6, 6, 17, 1 };
    struct mlog_flow_key key = {
        .dl_type = rnd(4) ? ETH_TYPE_IP : rnd(2) ? ETH_TYPE_IPV6
                   : ETH_TYPE_ARP,
        .in_port = rnd(4),
        .has = MLOG_HAS_ETH,
    };

    key.src[3] = htonl(0x0a000000 + rnd(8));
    key.dst[3] = htonl(0x0a000100 + rnd(8));
    if (key.dl_type == ETH_TYPE_ARP) {
        key.has |= MLOG_HAS_ARP;
        return key;
    }
    key.has |= MLOG_HAS_IP | MLOG_HAS_PROTO;
    key.nw_proto = protos[rnd(ARRAY_SIZE(protos))];
    if (key.nw_proto == 1) {
        key.has |= MLOG_HAS_ICMP;
    } else {
        key.has |= (MLOG_HAS_PORTS
                    | (key.nw_proto == 6 && rnd(9) ? MLOG_HAS_TCP : 0));
        key.tp_src = 1000 + rnd(4);
        key.tp_dst = rnd(2) ? 80 : 1001;
    }
    return key;
}

/* What packets lack is zero.  Some columns are constant for a while, or have
 * few values, or many. */
static struct mlog_row
random_row(const struct mlog_flow_key *key, size_t i)
{
    bool ip = key->has & MLOG_HAS_IP, tcp = key->has & MLOG_HAS_TCP;
    bool calm = i / 2000 % 2;
    uint8_t reason = rnd(calm ? 500 : 8) ? 0 : 1 + rnd(3);

    return (struct mlog_row) {
        .time_port = reason || !rnd(50) ? MLOG_PORT_NONE : rnd(4),
        .len_ttl = (calm ? 1514 : 60 + rnd(1455)) << 8
                   | (ip ? (calm ? 64 : rnd(256)) : 0),
        .tcp_flags = tcp ? (rnd(6) ? 0x10 : rnd(0x1000)) : 0,
        .tcp_window = tcp ? (calm ? i / 100 : rnd(65536)) : 0,
        .tcp_seq = tcp ? (rnd(2) ? i * 1448 : rnd(UINT32_MAX)) : 0,
        .tcp_ack = tcp && rnd(3) ? rnd(UINT32_MAX) : 0,
        .ip_id = key->dl_type == ETH_TYPE_IP ? i : 0,
        .nw_tos = ip && !rnd(4) ? rnd(256) : 0,
        .reason = reason,
    };
}

static void
append(const struct rec *rec)
{
    uint32_t hash = mlog_flow_key_hash(&rec->key);
    uint32_t index, local;
    uint64_t ns;

    if (!mlog_flow_table_find(flows, &rec->key, hash, &index)) {
        mlog_flow_table_insert(flows, &rec->key, hash, rec->time, &index);
    }
    struct mlog_row *row = mlog_header_log_append(log_, rec->time, index,
                                                  &ns, &local);
    *row = rec->row;
    row->flow = local;
    row->time_port = mlog_row_pack_time_port(ns,
                                             mlog_row_out_port(&rec->row));
}

static void
add_ports(void)
{
    for (uint32_t i = 0; i < 4; i++) {
        char *name = xasprintf("p%"PRIu32, i);

        mlog_ports_add(mlog_ports_datapath("dp"), i, name);
        if (i < 3) {
            mlog_ports_set_ofp(mlog_ports_datapath("dp"), name, "br0", i + 1);
        }
        free(name);
    }
}

static void
make_records(size_t n_flows)
{
    struct mlog_flow_key *keys = xcalloc(n_flows, sizeof *keys);
    uint64_t time = T0;

    for (size_t i = 0; i < n_flows; i++) {
        keys[i] = random_key();
    }
    for (size_t i = 0; i < N_RECS; i++) {
        time += rnd(3) ? 0 : rnd(3000);
        recs[i].time = time;
        recs[i].key = keys[rnd(n_flows)];
        recs[i].row = random_row(&recs[i].key, i);
    }
    free(keys);
}

static void
seal(void)
{
    struct mlog_commit *commit = xzalloc(sizeof *commit);

    mlog_header_log_fill_commit(log_, commit);
    mlog_header_log_committed(log_, commit);
    while (mlog_header_log_seal(log_)) {
        continue;
    }
    free(commit);
}

/* Moves what 'snapshot' has to an archive. */
static void
archive_all(void)
{
    static const struct mlog_archive_port ports[] = {
        { 0, 1, 0, "p0", "br0", "dp" },
        { 1, 2, 1, "p1", "br0", "dp" },
        { 2, 3, 2, "p2", "br0", "dp" },
        { 3, MLOG_OFP_PORT_NONE, 3, "p3", NULL, "dp" },
    };
    struct mlog_archive_options options = { .level = 1 };
    struct mlog_archive *archive;

    cr_assert(mkdtemp(dir));
    cr_assert_null(mlog_archive_open(dir, &options, &archive));
    for (size_t i = 0; i < snapshot.n_segments; i++) {
        const struct mlog_segment *s = snapshot.segments[i].segment;
        uint32_t n_flows = snapshot.segments[i].n_flows;
        struct mlog_row *rows = xcalloc(N_RECS, sizeof *rows);
        struct mlog_flow_key *keys = xcalloc(n_flows + 1, sizeof *keys);
        struct mlog_archive_segment segment = {
            .seq = s->seq, .first_row = s->first_row,
            .base_time = s->base_time, .rows = rows,
            .n_rows = snapshot.segments[i].n_rows,
            .keys = keys, .n_flows = n_flows, .boot = "now",
            .ports = ports, .n_ports = ARRAY_SIZE(ports),
        };

        mlog_segment_rows(s, 0, segment.n_rows, rows);
        for (uint32_t j = 0; j < n_flows; j++) {
            keys[j] = *mlog_segment_key(flows, s, j);
        }
        cr_assert_eq(mlog_archive_append(archive, &segment), 0);
        free(rows);
        free(keys);
    }
    archived = mlog_archive_get_list(archive);
    mlog_archive_close(archive);
    snapshot.n_segments = 0;
    snapshot.oldest_row = UINT64_MAX;
    snapshot.archive = archived;
    snapshot.archive_life = "now";
}

static void
hold(enum state how, size_t n_flows)
{
    struct mlog_store *store = mlog_store_open(NULL);

    make_records(n_flows);
    flows = mlog_flow_table_create(store);
    log_ = mlog_header_log_create(flows, store, SIZE_MAX);
    add_ports();
    for (size_t i = 0; i < N_RECS; i++) {
        append(&recs[i]);
        if (i % 5000 == 2999) {
            mlog_header_log_close_segment(log_);
        }
    }
    mlog_header_log_publish(log_, recs[N_RECS - 1].time);
    if (how == SEALED) {
        seal();
    }
    mlog_snapshot_take(log_, &snapshot);
    if (how == ARCHIVE) {
        archive_all();
    }
}

/* Removes the archive's files. */
static void
finish(void)
{
    for (size_t i = 0; archived && i < archived->n; i++) {
        char *path = xasprintf("%s/%s", dir,
                               mlog_archive_file_name(archived->files[i]));

        unlink(path);
        free(path);
    }
    rmdir(dir);
}

/* Expressions. */

static void
put_term(struct ds *s)
{
    static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=" };
    static const char *const fixed[] = {
        "tcp", "udp", "ip", "arp", "drop", "forwarded", "drop_reason",
        "out_port", "tcp_flags", "nw_ttl", "pkt_len", "tp_dst == 80",
        "nw_src == 10.0.0.0/30", "nw_dst == 10.0.1.1", "nw_src == 10.0.0.3",
        "nw_dst == 10.0.1.2-10.0.1.5", "tp_src == 1001", "nw_proto == 17",
        "tcp_dst == 0x40/0xc0", "udp_src == 1000-1001", "tp_src < tp_dst",
        "tcp_seq < tcp_ack", "out_port == in_port", "tcp_flags == +syn",
        "tcp_flags == +syn-ack", "tcp_flags == -ack", "tcp_flags != ack",
        "tcp_flags == {+fin, +rst, +urg-psh}", "drop_reason == {1, 3}",
        "drop_reason != 2", "drop_reason == 1",
        "out_port == 1", "out_port != 2", "out_port == 3",
        "out_port_name == \"p3\"", "out_port_name != {\"p0\", \"p2\"}",
        "out_port < 3", "nw_tos == 0", "ip_dscp > 10", "nw_ecn == {1, 3}",
        "ip_dscp != 0", "nw_ecn < 2",
        "pkt_len == {60, 70, 80, 90, 100, 110, 120, 130, 140, 150, 160, 170, "
        "180, 1514}", "ip_id == 0", "tcp_window != {0, 7-5000}",
    };
    static const struct { const char *name; uint32_t max; } fields[] = {
        { "pkt_len", 1600 }, { "pkt_len", 1514 }, { "nw_ttl", 255 },
        { "tcp_window", 65535 }, { "ip_id", 65535 }, { "ip_id", N_RECS },
        { "tcp_seq", UINT32_MAX }, { "tcp_ack", UINT32_MAX },
    };
    size_t i = rnd(ARRAY_SIZE(fields));
    uint32_t x = rnd(8) ? rnd(fields[i].max) : rnd(2) ? fields[i].max : 0;

    switch (rnd(8)) {
    case 0:
        ds_put_cstr(s, "time ");
        ds_put_format(s, "%s %.9f", ops[2 + rnd(4)],
                      (recs[rnd(N_RECS)].time - T0) / 1e9 + T0 / 1000000000);
        break;
    case 1:
    case 2:
        ds_put_format(s, "%s %s %"PRIu32, fields[i].name, ops[rnd(6)], x);
        break;
    case 3:
        ds_put_format(s, "%s %s {%"PRIu32"-%"PRIu32", 64}", fields[i].name,
                      ops[rnd(2)], x,
                      x + rnd(MIN(300, fields[i].max - x) + 1));
        break;
    default:
        ds_put_cstr(s, fixed[rnd(ARRAY_SIZE(fixed))]);
    }
}

static void
put_expr(struct ds *s, int depth)
{
    if (!depth || !rnd(3)) {
        ds_put_cstr(s, rnd(4) ? "" : "!");
        ds_put_cstr(s, "(");
        put_term(s);
        ds_put_cstr(s, ")");
        return;
    }

    const char *op = rnd(2) ? " && " : " || ";
    ds_put_cstr(s, rnd(4) ? "(" : "!(");
    for (size_t n = 1 + rnd(3); n; n--) {
        put_expr(s, depth - 1);
        ds_put_cstr(s, n > 1 ? op : ")");
    }
}

static struct mlog_expr *
parse(const char *text)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_expr *expr = mlog_expr_parse(text, &error);

    cr_assert_not_null(expr, "%s: %s", text, error.message);
    return expr;
}

/* Comparing. */

static bool
matches(const struct rec *r, const struct mlog_range *range)
{
    struct mlog_record record = {
        .key = &r->key, .row = &r->row, .time = r->time
    };

    return (r->time >= range->since && r->time <= range->until
            && mlog_expr_eval(range->expr, &record));
}

static void
check_count(const struct mlog_range *range, const char *text, uint64_t count,
            uint64_t bytes)
{
    struct mlog_scan *scan = mlog_scan_create(&snapshot, range, &no_limit);
    struct mlog_scan_stats stats;
    uint64_t n_rows, n_bytes;

    mlog_scan_count(scan, &n_rows, &n_bytes);
    mlog_scan_get_stats(scan, &stats);
    cr_assert_eq(n_rows, count, "%s: %"PRIu64" for %"PRIu64, text, n_rows,
                 count);
    cr_assert_eq(n_bytes, bytes, "%s", text);
    cr_assert_eq(stats.n_matched, count, "%s", text);
    cr_assert_leq(stats.n_blocks_skipped, stats.n_blocks);
    mlog_scan_destroy(scan);
}

/* 'columns' of the rows found, of what is found from record 'i' on. */
static size_t
check_batch(const struct mlog_batch *batch, const struct mlog_range *range,
            const char *text, uint32_t columns, size_t i)
{
    for (uint32_t j = 0; j < batch->n; j++) {
        struct mlog_record record;

        while (i < N_RECS && !matches(&recs[i], range)) {
            i++;
        }
        cr_assert_lt(i, N_RECS, "%s: too many", text);
        mlog_batch_record(batch, j, &record);
        cr_assert_eq(record.time, recs[i].time, "%s", text);
        cr_assert_arr_eq(record.key, &recs[i].key, sizeof recs[i].key, "%s",
                         text);
        for (int c = MLOG_COLUMN_TIME + 1; c < MLOG_N_COLUMNS; c++) {
            if (columns & 1u << c && c != MLOG_COLUMN_FLOW) {
                cr_assert_eq(mlog_row_column(record.row, c),
                             mlog_row_column(&recs[i].row, c), "%s: %d", text,
                             c);
            }
        }
        i++;
    }
    return i;
}

static void
check_rows(const struct mlog_range *range, const char *text,
           uint32_t columns)
{
    struct mlog_scan *scan = mlog_scan_create(&snapshot, range, &no_limit);
    struct mlog_batch batch;
    size_t i = 0;

    mlog_scan_set_columns(scan, columns);
    while (mlog_scan_next(scan, &batch)) {
        i = check_batch(&batch, range, text, columns, i);
    }
    for (; i < N_RECS; i++) {
        cr_assert_not(matches(&recs[i], range), "%s: too few", text);
    }
    mlog_scan_destroy(scan);
}

static void
check(const char *text)
{
    struct mlog_range range = { parse(text), 0, UINT64_MAX };
    uint64_t count = 0, bytes = 0;

    if (rnd(2)) {
        range.since = recs[rnd(N_RECS)].time + rnd(2);
        range.until = range.since + rnd(rnd(2) ? 1000000 : 100000);
    }
    for (size_t i = 0; i < N_RECS; i++) {
        if (matches(&recs[i], &range)) {
            count++;
            bytes += mlog_row_pkt_len(&recs[i].row);
        }
    }
    check_count(&range, text, count, bytes);
    check_rows(&range, text,
               rnd(2) ? MLOG_ALL_COLUMNS : rnd(MLOG_ALL_COLUMNS));
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
}

static void
check_many(enum state how, size_t n_flows, int n)
{
    enum mlog_simd best = mlog_simd();

    state += 1 + how + 4 * n_flows;
    hold(how, n_flows);
    for (int i = 0; i < n; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        put_expr(&s, 3);
        mlog_simd_limit(i % 2 ? best : MLOG_SIMD_NONE);
        check(ds_cstr(&s));
        ds_destroy(&s);
    }
    finish();
}

Test(scan, sealed_few_flows)
{
    check_many(SEALED, 40, 1500);
}

/* As many flows as rows: they are settled as rows come by, or postings lead to
 * rows. */
Test(scan, sealed_many_flows)
{
    check_many(SEALED, 20000, 1500);
}

Test(scan, open_few_flows)
{
    check_many(OPEN, 40, 1000);
}

Test(scan, open_many_flows)
{
    check_many(OPEN, 20000, 1000);
}

Test(scan, archived)
{
    check_many(ARCHIVE, 400, 100);
}

/* What no flow has to do with is found without a look at flows, and blocks are
 * left out by their zones. */
Test(scan, skips_by_zones)
{
    struct mlog_range range = { NULL, 0, UINT64_MAX };
    struct mlog_scan_stats stats;
    struct mlog_scan *scan;
    uint64_t n_rows, n_bytes;

    hold(SEALED, 400);
    range.expr = parse("ip_id == 4711");
    scan = mlog_scan_create(&snapshot, &range, &no_limit);
    mlog_scan_count(scan, &n_rows, &n_bytes);
    mlog_scan_get_stats(scan, &stats);

    /* Of the segments, which begin with rows 0, 3,000 and 8,000, the first one
     * has no such row, and neither has the first block of the second.  The
     * third isn't sealed. */
    cr_assert_leq(n_rows, 1);
    cr_assert_eq(stats.n_segments, 3);
    cr_assert_eq(stats.n_skipped, 1);
    cr_assert_eq(stats.n_blocks, 5 + 4);
    cr_assert_eq(stats.n_blocks_skipped, 1);
    cr_assert_leq(stats.n_values, N_RECS);
    mlog_scan_destroy(scan);
}

/* What is counted, and the newest of it. */
Test(scan, newest)
{
    static const char *const texts[] = {
        "", "pkt_len > 1000", "ip_id == 4711", "tcp && tcp_flags == +syn",
        "tcp_seq < tcp_ack", "nw_src == 10.0.0.1", "pkt_len > 10000",
    };
    static const size_t limits[] = { 0, 1, 2, 100, 3000, N_RECS, 2 * N_RECS };

    hold(SEALED, 400);
    for (size_t i = 0; i < ARRAY_SIZE(texts) * ARRAY_SIZE(limits); i++) {
        const char *text = texts[i / ARRAY_SIZE(limits)];
        size_t limit = limits[i % ARRAY_SIZE(limits)];
        struct mlog_range range = { parse(text), 0, UINT64_MAX };
        struct mlog_scan *scan = mlog_scan_create(&snapshot, &range,
                                                  &no_limit);
        uint64_t count, bytes, n = 0;
        struct mlog_batch batch;
        size_t all = 0;

        mlog_scan_count_newest(scan, limit, &count, &bytes);
        for (size_t j = 0; j < N_RECS; j++) {
            all += matches(&recs[j], &range);
        }
        cr_assert_eq(count, all, "%s", text);

        /* The last ones, at least 'limit'. */
        struct rec *found = xcalloc(N_RECS + 1, sizeof *found);
        for (n = 0; mlog_scan_next(scan, &batch); n += batch.n) {
            for (uint32_t j = 0; j < batch.n; j++) {
                found[n + j].time = batch.segment->base_time
                    + mlog_row_time(mlog_batch_row(&batch, j));
            }
        }
        cr_assert_geq(n, MIN(limit, count), "%s", text);
        cr_assert_leq(n, count);
        cr_assert_leq(n, limit + MLOG_SEALED_BLOCK_ROWS);
        for (size_t j = N_RECS; n;) {
            if (matches(&recs[--j], &range)) {
                cr_assert_eq(found[--n].time, recs[j].time, "%s", text);
            }
        }
        free(found);
        mlog_scan_destroy(scan);
        mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
    }
}
