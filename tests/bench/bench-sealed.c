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

/* Measures sealed segments: how many bytes a row takes, and how long it takes
 * to build an image and to read it, on synthetic rows of several patterns.
 *
 * All that is to be compared takes turns, and medians are shown, because a
 * shared machine is now faster and now slower. */

#include <config.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mlog-sealed.h"
#include "mlog-simd.h"
#include "util.h"

#define MAX_ROUNDS 1001

/* Pseudo-random numbers, the same in each run. */
static uint64_t
next_random(void)
{
    static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

/* Patterns.  Each makes 'n' rows and returns the number of flows.
 * ========= */

/* 10 Mpps, in batches of 32 rows of one time and one port. */
static void
set_batch(struct mlog_row *row, uint32_t i)
{
    static uint64_t time;
    static uint16_t port;

    if (i % 32 == 0) {
        time = i ? time + 3000 + next_random() % 400 : 0;
        port = next_random() % 4;
    }
    row->time_port = mlog_row_pack_time_port(time, port);
}

/* A segment of 'flow', of a bulk transfer or the acknowledgment of one, as the
 * number of the flow is even or odd. */
static void
set_tcp(struct mlog_row *row, uint32_t flow)
{
    static uint32_t seq[1 << 18], ack[1 << 18];
    static uint16_t ip_id[1 << 18];
    bool is_data = !(flow & 1);
    uint32_t len = !is_data ? 66 : next_random() % 8 ? 1514
                   : 66 + next_random() % 1448;

    if (!seq[flow]) {
        seq[flow] = next_random();
        ack[flow] = next_random();
        ip_id[flow] = next_random();
    }
    row->flow = flow;
    row->tcp_seq = seq[flow];
    row->tcp_ack = ack[flow];
    seq[flow] += len - 66;
    ack[flow] += is_data ? 0 : 2896;
    row->len_ttl = len << 8 | (flow % 3 ? 64 : 57);
    row->tcp_window = is_data ? 502 : 2000 + next_random() % 4000;
    row->ip_id = ip_id[flow]++;
    row->tcp_flags = is_data && len < 1514 ? 0x18 : 0x10;
}

/* Numbers flows anew, in the order in which they appear. */
static uint32_t
number_flows(struct mlog_row *rows, uint32_t n)
{
    static uint32_t number[1 << 18];
    uint32_t n_flows = 0;

    memset(number, 0, sizeof number);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t flow = rows[i].flow;

        if (!number[flow]) {
            number[flow] = ++n_flows;
        }
        rows[i].flow = number[flow] - 1;
    }
    return n_flows;
}

static uint32_t
make_tcp(struct mlog_row *rows, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        set_batch(&rows[i], i);
        set_tcp(&rows[i], next_random() % 10000);
    }
    return number_flows(rows, n);
}

/* A flood of SYNs, each of other addresses. */
static uint32_t
make_one_packet_flows(struct mlog_row *rows, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        set_batch(&rows[i], i);
        rows[i].flow = i;
        rows[i].tcp_seq = next_random();
        rows[i].len_ttl = 64 << 8 | 64;
        rows[i].tcp_window = 64240;
        rows[i].ip_id = next_random();
        rows[i].tcp_flags = 2;
    }
    return n;
}

static uint32_t
make_one_flow(struct mlog_row *rows, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        set_batch(&rows[i], i);
        set_tcp(&rows[i], 0);
    }
    return 1;
}

/* Everything that a packet may say is random, and each has its own time. */
static uint32_t
make_random(struct mlog_row *rows, uint32_t n)
{
    uint64_t time = 0;

    for (uint32_t i = 0; i < n; i++) {
        time += next_random() % 200;
        rows[i] = (struct mlog_row) {
            .time_port = mlog_row_pack_time_port(time, next_random()),
            .flow = next_random() % 10000,
            .tcp_seq = next_random(),
            .tcp_ack = next_random(),
            .len_ttl = (next_random() & 0xffff) << 8
                       | (next_random() & 0xff),
            .tcp_window = next_random(),
            .ip_id = next_random(),
            .tcp_flags = next_random() & 0xfff,
            .nw_tos = next_random(),
            .reason = next_random(),
        };
    }
    return number_flows(rows, n);
}

static const struct pattern {
    const char *name;
    uint32_t (*make)(struct mlog_row *, uint32_t n);
} patterns[] = {
    { "tcp_10k_flows", make_tcp },
    { "one_packet_flows", make_one_packet_flows },
    { "one_flow", make_one_flow },
    { "random", make_random },
};

/* Measuring.
 * ========== */

enum what { BUILD, OPEN, OPEN_CHECKSUM, ROWS, COLUMN, TIMES, POSTINGS,
            SELECT, N_WHAT };
static const char *const what_names[N_WHAT] = {
    "build", "open", "open_checksum", "decode_rows", "decode_column",
    "decode_times", "postings", "select"
};

struct subject {
    struct mlog_row *rows;
    uint32_t n_rows;
    uint32_t n_flows;
    struct mlog_sealed_builder *builder;
    struct mlog_sealed sealed;
    size_t size;

    /* Where it is read to: a part at a time, as queries do. */
    struct mlog_row out_rows[MLOG_SEALED_BLOCK_ROWS];
    uint32_t numbers[MLOG_SEALED_ROWS_MAX];
    uint64_t times[MLOG_SEALED_BLOCK_ROWS];
};

static double
cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static void
build(struct subject *s)
{
    char *error;

    s->size = mlog_sealed_build(s->builder, s->rows, s->n_rows, s->n_flows,
                                UINT64_C(1769860800000000000));
    if (!mlog_sealed_open(&s->sealed, mlog_sealed_builder_image(s->builder),
                          s->size, false, &error)) {
        ovs_fatal(0, "%s", error);
    }
}

/* Returns the sum of the numbers of rows that it looked at. */
static uint32_t
read_postings(struct subject *s, bool select)
{
    uint32_t n_all = 0;

    for (uint32_t f = 0; f < s->n_flows; f++) {
        uint32_t n = mlog_sealed_n_postings(&s->sealed, f);

        n_all += mlog_sealed_postings(&s->sealed, f, 0, n, s->numbers);
        for (uint32_t i = 0; select && i < n; i += MLOG_SEALED_BLOCK_ROWS) {
            mlog_sealed_select(&s->sealed, s->numbers + i,
                               MIN(n - i, MLOG_SEALED_BLOCK_ROWS),
                               s->out_rows);
        }
    }
    return n_all;
}

static void
run(struct subject *s, enum what what)
{
    struct mlog_sealed *sealed = &s->sealed;
    char *error;

    switch (what) {
    case BUILD:
        build(s);
        return;
    case OPEN:
    case OPEN_CHECKSUM:
        if (!mlog_sealed_open(sealed, sealed->image, s->size,
                              what == OPEN_CHECKSUM, &error)) {
            ovs_fatal(0, "%s", error);
        }
        return;
    case POSTINGS:
    case SELECT:
        if (read_postings(s, what == SELECT) != s->n_rows) {
            ovs_fatal(0, "postings are missing");
        }
        return;
    case ROWS:
    case COLUMN:
    case TIMES:
    case N_WHAT:
        break;
    }
    for (uint32_t i = 0; i < s->n_rows; i += MLOG_SEALED_BLOCK_ROWS) {
        uint32_t n = MIN(s->n_rows - i, MLOG_SEALED_BLOCK_ROWS);

        if (what == ROWS) {
            mlog_sealed_rows(sealed, i, n, s->out_rows);
            if (memcmp(&s->out_rows[n - 1], &s->rows[i + n - 1],
                       sizeof *s->rows)) {
                ovs_fatal(0, "rows differ");
            }
        } else if (what == TIMES) {
            mlog_sealed_times(sealed, i, n, s->times);
        } else {
            mlog_sealed_column(sealed, MLOG_COLUMN_PKT_LEN, i, n, s->numbers);
        }
    }
}

static int
compare_doubles(const void *a_, const void *b_)
{
    const double *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static double
median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare_doubles);
    return values[n / 2];
}

static const char *const simd_names[] = { "none", "avx2" };

static void
bench(const struct pattern *pattern, enum mlog_simd level, uint32_t n_rows,
      size_t rounds, bool json)
{
    static double ns[N_WHAT][MAX_ROUNDS];
    struct subject *s = xmalloc_cacheline(sizeof *s);

    s->n_rows = n_rows;
    s->rows = xzalloc(n_rows * sizeof *s->rows);
    s->n_flows = pattern->make(s->rows, n_rows);
    s->builder = mlog_sealed_builder_create();
    mlog_simd_limit(level);
    build(s);
    for (size_t i = 0; i < rounds; i++) {
        for (enum what what = 0; what < N_WHAT; what++) {
            double start = cpu_ns();

            run(s, what);
            ns[what][i] = (cpu_ns() - start) / n_rows;
        }
    }

    double bytes = (double) s->size / n_rows;
    if (json) {
        printf("{\"pattern\": \"%s\", \"simd\": \"%s\", \"rows\": %"PRIu32", "
               "\"flows\": %"PRIu32", \"rounds\": %"PRIuSIZE", "
               "\"bytes_per_row_median\": %.2f", pattern->name,
               simd_names[level], n_rows, s->n_flows, rounds, bytes);
    } else {
        printf("%-17s %-7s %7"PRIu32" %6.2f", pattern->name,
               simd_names[level], s->n_flows, bytes);
    }
    for (enum what what = 0; what < N_WHAT; what++) {
        printf(json ? ", \"%s_ns_per_row_median\": %.3f" : "%.0s %8.2f",
               what_names[what], median(ns[what], rounds));
    }
    puts(json ? "}" : "");
    fflush(stdout);

    mlog_sealed_builder_destroy(s->builder);
    free(s->rows);
    free_cacheline(s);
}

static void
usage(void)
{
    printf("%s: measure sealed segments\n"
           "usage: %s [OPTION]...\n"
           "  --rows=N     rows per segment [%"PRIu32"]\n"
           "  --rounds=N   how often to measure each figure [51]\n"
           "  --all-simd   as well without some vector instructions\n"
           "  --json       an object per line\n",
           program_name, program_name, MLOG_SEALED_ROWS_MAX);
    exit(EXIT_SUCCESS);
}

static uint32_t
parse_number(const char *s, uint32_t max)
{
    unsigned long n = strtoul(s, NULL, 10);

    if (!n || n > max) {
        ovs_fatal(0, "\"%s\" is not a number from 1 to %"PRIu32, s, max);
    }
    return n;
}

int
main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "rows", required_argument, NULL, 'r' },
        { "rounds", required_argument, NULL, 'n' },
        { "all-simd", no_argument, NULL, 'a' },
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    uint32_t n_rows = MLOG_SEALED_ROWS_MAX;
    uint32_t rounds = 51;
    bool json = false, all_simd = false;
    int c;

    set_program_name(argv[0]);
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (c) {
        case 'r': n_rows = parse_number(optarg, n_rows); break;
        case 'n': rounds = parse_number(optarg, MAX_ROUNDS); break;
        case 'a': all_simd = true; break;
        case 'j': json = true; break;
        case 'h': usage(); break;
        default: exit(EXIT_FAILURE);
        }
    }

    enum mlog_simd best = mlog_simd();
    if (!json) {
        printf("%"PRIu32" rows; ns per row, medians of %"PRIu32"; \"column\" "
               "is pkt_len\n%-17s %-7s %7s %6s %8s %8s %8s %8s %8s %8s %8s "
               "%8s\n", n_rows, rounds, "pattern", "simd", "flows", "bytes",
               "build", "open", "+chksum", "rows", "column", "times",
               "postings", "select");
    }
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        for (int level = all_simd ? 0 : best; level <= (int) best; level++) {
            bench(&patterns[i], level, n_rows, rounds, json);
        }
    }
    return 0;
}
