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

/* What the digest costs per record: see README.rst in this directory.
 *
 * A case is a number of flows and a load of filters, aggregates and triggers;
 * each has a multilog of its own, with its own digest thread.  While the
 * digest is locked, this thread fills the ring as a datapath thread would,
 * with what comes in a tick; then the digest works it off.  A slice is some
 * such rounds, and its cost is the digest thread's processor time.  The cases
 * of one number of flows take turns, slice by slice. */

#include <config.h>

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench-util.h"
#include "mlog-expr.h"
#include "mlog-ports.h"
#include "multilog.h"
#include "packets.h"
#include "util.h"

#define MAX_LOADS 16
#define MAX_FLOW_COUNTS 16
#define RING_SLOTS (1u << 19)

/* What is installed. */
struct load {
    unsigned int filters, aggregates, triggers;
    unsigned int matches;       /* Filters that a record matches, about. */
};

struct slice {
    double cycles;              /* Per record, of all threads. */
    double busiest;             /* Per record, of the busiest thread. */
    bool disturbed;
};

struct bench_case {
    struct load load;
    struct multilog *ml;
    struct mlog_ring *ring;
    pid_t tid;                  /* Of the digest thread; 0 = not known. */
    struct slice *slices;
    size_t n_slices;
    uint64_t n_records;         /* In slices. */
    uint64_t n_matches;
    uint64_t n_passes;
    uint64_t n_late_ticks;
    uint64_t n_lost;
    double seconds;             /* Of the digest's processor, in slices. */
};

static struct {
    unsigned int slices;
    unsigned int lead;          /* Rounds before each slice... */
    unsigned int rounds;        /* ...and in it. */
    unsigned int records;       /* Per round. */
    unsigned int flow_counts[MAX_FLOW_COUNTS];
    size_t n_flow_counts;
    bool flood;                 /* Each packet is a flow of its own. */
    bool no_groups;             /* Aggregates have no groups. */
    const char *function;       /* Of all aggregates; NULL: of each its own. */
    struct load loads[MAX_LOADS];
    size_t n_loads;
    unsigned int rate;          /* Records per second; 0 = in alternation. */
    unsigned int threads;       /* Of the digest. */
    bool json;
} options = {
    .slices = 60,
    .lead = 15,
    .rounds = 10,
    .records = 10000,
    .flow_counts = { 1, 100, 1000, 10000, 100000, 1000000 },
    .n_flow_counts = 6,
    .loads = {
        { 0, 0, 0, 0 },
        { 64, 64, 1000, 1 },
        { 64, 64, 1000, 8 },
        { 64, 64, 4096, 8 },
        { 1000, 64, 4096, 8 },
    },
    .n_loads = 5,
    .threads = 1,
};

static double ticks_per_ns;
static struct frame *frames;
static size_t n_frames;         /* 0: each packet is a flow of its own. */

/* Loads.
 *
 * Filter i looks at what i % 8 says and at one of as many parts of the
 * traffic as make a record match 'matches' of them all. */

static void
format_prefix(char *s, size_t size, const char *field, unsigned int net,
              unsigned int part, unsigned int bits)
{
    snprintf(s, size, "%s == 10.%u.%u.%u/%u", field, net,
             part << (16 - bits) >> 8 & 0xff, part << (16 - bits) & 0xff,
             16 + bits);
}

static void
format_filter(char *s, size_t size, const struct load *load, unsigned int i)
{
    unsigned int bits = MIN(14, log_2_ceil(MAX(1, load->filters
                                                  / load->matches)));
    unsigned int part = i / 8 % (1u << bits);
    unsigned int low = part << (16 - bits);
    unsigned int high = low + (1u << (16 - bits)) - 1;
    char src[64], dst[64];

    format_prefix(src, sizeof src, "nw_src", 1, part, bits);
    format_prefix(dst, sizeof dst, "nw_dst", 2, part, bits);
    switch (i % 8) {
    case 0: snprintf(s, size, "%s", dst); break;
    case 1: snprintf(s, size, "%s", src); break;
    case 2: snprintf(s, size, "tp_dst == %u-%u", low, high); break;
    case 3: snprintf(s, size, "ip && tp_src == %u-%u", low, high); break;
    case 4: snprintf(s, size, "(tcp || udp) && %s", src); break;
    case 5:
        snprintf(s, size, "tp_dst == {%u, %u-%u} && nw_dst == 10.2.0.0/16",
                 low, low + 1, high);
        break;
    case 6: snprintf(s, size, "tcp && %s && tcp_flags == +ack", dst); break;
    case 7: snprintf(s, size, "%s && pkt_len >= 60", src); break;
    }
}

static void
check(bool ok, const struct mlog_error *error, const char *what)
{
    if (!ok) {
        fail("%s: %s", what, error->message);
    }
}

static void
add_filters(struct mlog_stream *stream, const struct load *load)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where;

    for (unsigned int i = 0; i < load->filters; i++) {
        char name[16], text[256];
        const char *argv[] = { name, text };

        snprintf(name, sizeof name, "f%u", i);
        format_filter(text, sizeof text, load, i);
        check(mlog_stream_add_filter(stream, argv, 2, &error, &where),
              &error, text);
    }
}

/* Half of them by group, unless 'no_groups'. */
static void
add_aggregates(struct mlog_stream *stream, const struct load *load)
{
    static const char *const kinds[][3] = {
        { "count", "window=1s", NULL },
        { "sum(pkt_len)", "window=1s", "group-by=nw_src" },
        { "rate(pkt_len)", "window=10s", NULL },
        { "count", "window=100ms", "group-by=nw_dst" },
    };
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where;

    for (unsigned int i = 0; i < load->aggregates; i++) {
        unsigned int k = (i + i / 8) % ARRAY_SIZE(kinds);
        const char *const *kind = kinds[options.no_groups ? k & ~1u : k];
        char name[16], filter[16];
        const char *argv[] = {
            name, filter, options.function ? options.function : kind[0],
            kind[1], kind[2]
        };

        snprintf(name, sizeof name, "a%u", i);
        snprintf(filter, sizeof filter, "f%u", i % load->filters);
        check(mlog_stream_add_aggregate(stream, argv, kind[2] ? 5 : 4, &error,
                                        &where), &error, name);
    }
}

/* Most are far from being raised, as most are in practice. */
static void
add_triggers(struct mlog_stream *stream, const struct load *load)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where;

    for (unsigned int i = 0; i < load->triggers; i++) {
        char name[16], condition[64];
        const char *argv[] = { name, condition };
        unsigned int aggregate = i % load->aggregates;
        unsigned int level = i / load->aggregates;

        snprintf(name, sizeof name, "t%u", i);
        snprintf(condition, sizeof condition, "a%u > %u", aggregate,
                 1000000 * (level + 1));
        check(mlog_stream_add_trigger(stream, argv, 2, &error, &where),
              &error, condition);
    }
}

/* Cases. */

/* How often thread 'tid' has lost its processor to another one. */
static unsigned long
preemptions(pid_t tid)
{
    unsigned long n = 0;
    char path[64], line[128];
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%d/status", (int) tid);
    file = fopen(path, "r");
    if (file) {
        while (fgets(line, sizeof line, file)) {
            if (sscanf(line, "nonvoluntary_ctxt_switches: %lu", &n) == 1) {
                break;
            }
        }
        fclose(file);
    }
    return n;
}

/* Enough for rows of some times as many records as there are flows, so that
 * flows stay, and not more, so that the log is soon as full as it gets. */
static size_t
case_budget(size_t n_flows)
{
    return (options.flood ? (size_t) 384 << 20
            : MULTILOG_MIN_BUDGET + n_flows * 448);
}

static void
case_init(struct bench_case *c, const struct load *load, size_t n_flows)
{
    struct sched_param param = { .sched_priority = 1 };

    memset(c, 0, sizeof *c);
    c->load = *load;
    c->slices = xcalloc(options.slices, sizeof *c->slices);
    c->ml = multilog_create(NULL, case_budget(n_flows), RING_SLOTS);
    c->ring = mlog_capture_create_ring(
        &c->ml->capture, "bench", mlog_ports_datapath("bench"), 0);
    if (!c->ring) {
        fail("no memory for a ring");
    }
    c->tid = newest_thread("mlog_digest");

    /* So that other work disturbs it less.  It doesn't matter if that is not
     * allowed.  This thread makes passes, too, when it locks the digest. */
    sched_setscheduler(c->tid, SCHED_FIFO, &param);
    sched_setscheduler(0, SCHED_FIFO, &param);
    mlog_digest_set_threads(c->ml->digest, options.threads);

    mlog_digest_lock(c->ml->digest);
    add_filters(c->ml->stream, load);
    add_aggregates(c->ml->stream, load);
    add_triggers(c->ml->stream, load);
    mlog_digest_unlock(c->ml->digest);
}

static void
case_destroy(struct bench_case *c)
{
    mlog_capture_retire_ring(c->ring);
    multilog_destroy(c->ml);
    free(c->slices);
}

/* Until the log is full, or long enough. */
static void
warm_up(struct bench_case *c, size_t n_flows)
{
    uint64_t max = MAX(2000000, 20 * n_flows);
    struct mlog_header_log_stats stats;
    uint64_t n = 0;

    do {
        mlog_digest_lock(c->ml->digest);
        fill(c->ring, frames, n_frames, 65536);
        mlog_digest_unlock(c->ml->digest);
        mlog_digest_drain(c->ml->digest);
        mlog_header_log_get_stats(c->ml->log, &stats);
        n += 65536;
    } while (!stats.n_expired && n < max);
}

static uint64_t
count_matches(struct bench_case *c)
{
    struct mlog_filter_info *info;
    size_t n = mlog_stream_get_filters(c->ml->stream, &info);
    uint64_t n_matches = 0;

    for (size_t i = 0; i < n; i++) {
        n_matches += info[i].n_packets;
    }
    free(info);
    return n_matches;
}

/* In alternation: what comes in a tick, then its digestion, and so on. */
static void
run_rounds(struct bench_case *c, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        fill(c->ring, frames, n_frames, options.records);
        mlog_digest_unlock(c->ml->digest);
        mlog_digest_lock(c->ml->digest);
    }
}

/* Side by side, at a fixed rate.  If this thread loses its processor, what
 * would have come in the meantime isn't made up for, beyond a tick's worth: it
 * would be a burst of the benchmark's own. */
static void
run_paced(struct bench_case *c, unsigned int n_rounds)
{
    uint64_t n = (uint64_t) n_rounds * options.records;
    double step = BATCH * 1e9 / options.rate * ticks_per_ns;
    double due = mlog_clock_now();

    mlog_digest_unlock(c->ml->digest);
    for (uint64_t done = 0; done < n; done += BATCH) {
        double now;

        while ((now = mlog_clock_now()) < due) {
            continue;
        }
        due = MAX(due + step, now - MLOG_TICK_NS * ticks_per_ns);
        fill(c->ring, frames, n_frames, BATCH);
    }
    mlog_digest_lock(c->ml->digest);
}

static void
run(struct bench_case *c, unsigned int n_rounds)
{
    if (options.rate) {
        run_paced(c, n_rounds);
    } else {
        run_rounds(c, n_rounds);
    }
}

static double
busiest_ns(const struct mlog_digest_stats *before,
           const struct mlog_digest_stats *after)
{
    double ns = 0;

    for (unsigned int i = 0; i < after->n_threads; i++) {
        ns = MAX(ns, after->thread_cpu_ns[i] - before->thread_cpu_ns[i]);
    }
    return ns;
}

/* What has expired since the last slice of this case, and what other cases
 * have displaced from caches, is made up for before the slice begins. */
static void
run_slice(struct bench_case *c)
{
    struct mlog_digest_stats before, after;
    struct slice *slice = &c->slices[c->n_slices++];

    mlog_digest_lock(c->ml->digest);
    run(c, options.lead);
    unsigned long n_preempted = preemptions(c->tid) + preemptions(gettid());
    uint64_t n_matches = count_matches(c);
    mlog_digest_get_stats(c->ml->digest, &before);
    run(c, options.rounds);
    mlog_digest_get_stats(c->ml->digest, &after);
    slice->disturbed = (preemptions(c->tid) + preemptions(gettid())
                        != n_preempted);
    c->n_matches += count_matches(c) - n_matches;
    mlog_digest_unlock(c->ml->digest);

    uint64_t n = after.n_records - before.n_records;
    if (!options.rate && n != options.rounds * options.records) {
        fail("%u records offered, %"PRIu64" digested",
             options.rounds * options.records, n);
    }
    slice->cycles = ((after.cpu_ns - before.cpu_ns) * ticks_per_ns
                     / MAX(1, n));
    slice->busiest = busiest_ns(&before, &after) * ticks_per_ns / MAX(1, n);
    c->n_records += n;
    c->n_passes += after.n_passes - before.n_passes;
    c->n_late_ticks += after.n_late_ticks - before.n_late_ticks;
    c->seconds += (after.cpu_ns - before.cpu_ns) / 1e9;
}

/* Results. */

/* Slices in which the digest was preempted don't count, unless most were.
 * Stores what 'member', an offset in struct slice, is in the others. */
static size_t
good_slices(const struct bench_case *c, size_t member, double *values)
{
    size_t n = 0, n_good = 0;

    for (size_t i = 0; i < c->n_slices; i++) {
        n_good += !c->slices[i].disturbed;
    }

    bool all = n_good < c->n_slices / 4;
    for (size_t i = 0; i < c->n_slices; i++) {
        if (all || !c->slices[i].disturbed) {
            values[n++] = *(const double *) ((const char *) &c->slices[i]
                                             + member);
        }
    }
    sort_doubles(values, n);
    return n;
}

static void
print_heading(void)
{
    if (!options.json) {
        printf("  flows filters aggreg. triggers matches  Mrec/s "
               "cycles   (p10   p90) slices  rec/tick late lost\n");
    }
}

static void
print_case(const struct bench_case *c, size_t n_flows)
{
    double *cycles = xmalloc(options.slices * sizeof *cycles);
    size_t n = good_slices(c, offsetof(struct slice, busiest), cycles);
    double busiest = percentile(cycles, n, 50);

    good_slices(c, offsetof(struct slice, cycles), cycles);
    double median = percentile(cycles, n, 50);
    double matches = (double) c->n_matches / MAX(1, c->n_records);
    double per_tick = (double) c->n_records / MAX(1, c->n_passes);

    if (options.json) {
        printf("{\"bench\": \"digest\", \"flows\": %"PRIuSIZE", "
               "\"flood\": %s, \"groups\": %s, \"filters\": %u, "
               "\"aggregates\": %u, \"triggers\": %u, \"digest_threads\": %u, "
               "\"matches_per_record\": %.2f, "
               "\"records_per_second_median\": %.0f, "
               "\"cycles_per_record_median\": %.1f, "
               "\"busiest_cycles_per_record_median\": %.1f, "
               "\"cycles_per_record_p10\": %.1f, "
               "\"cycles_per_record_p90\": %.1f, "
               "\"records_per_tick\": %.0f, \"slices\": %"PRIuSIZE", "
               "\"discarded\": %"PRIuSIZE", \"rate\": %u, "
               "\"n_late_ticks\": %"PRIu64", \"lost\": %"PRIu64"}\n",
               n_flows, options.flood ? "true" : "false",
               options.no_groups ? "false" : "true", c->load.filters,
               c->load.aggregates, c->load.triggers, options.threads, matches,
               ticks_per_ns * 1e9 / busiest, median, busiest,
               percentile(cycles, n, 10), percentile(cycles, n, 90),
               per_tick, n, c->n_slices - n, options.rate, c->n_late_ticks,
               c->n_lost);
    } else {
        char flows[32];

        snprintf(flows, sizeof flows, "%"PRIuSIZE, n_flows);
        printf("%7s %7u %7u %8u %7.2f %7.2f %6.1f (%5.1f %5.1f) %6"PRIuSIZE
               " %9.0f %4"PRIu64" %4"PRIu64"\n",
               options.flood ? "flood" : flows, c->load.filters,
               c->load.aggregates, c->load.triggers, matches,
               ticks_per_ns * 1e3 / busiest, median,
               percentile(cycles, n, 10), percentile(cycles, n, 90), n,
               per_tick, c->n_late_ticks, c->n_lost);
    }
    fflush(stdout);
    free(cycles);
}

/* All loads, side by side. */
static void
run_cases(size_t n_flows)
{
    struct bench_case *cases = xcalloc(options.n_loads, sizeof *cases);

    free(frames);
    n_frames = options.flood ? 0 : n_flows;
    frames = make_frames(n_frames);
    for (size_t i = 0; i < options.n_loads; i++) {
        case_init(&cases[i], &options.loads[i], n_flows);
        warm_up(&cases[i], n_flows);
    }
    for (unsigned int slice = 0; slice < options.slices; slice++) {
        for (size_t i = 0; i < options.n_loads; i++) {
            run_slice(&cases[i]);
        }
    }
    for (size_t i = 0; i < options.n_loads; i++) {
        uint64_t n_captured;

        mlog_capture_get_totals(&cases[i].ml->capture, &n_captured,
                                &cases[i].n_lost);
        print_case(&cases[i], n_flows);
    }
    for (size_t i = 0; i < options.n_loads; i++) {
        case_destroy(&cases[i]);
    }
    free(cases);
}

/* Command line. */

OVS_NO_RETURN static void
usage(void)
{
    printf("%s: what the digest costs per record\n"
           "usage: %s [OPTION]...\n"
           "  --flows=N[,N]...    numbers of flows [1 to 1,000,000]\n"
           "  --flood             each packet is a flow of its own, instead\n"
           "  --no-groups         aggregates have no groups, instead of half\n"
           "                      of them\n"
           "  --function=FUNC     what all aggregates compute, instead of\n"
           "                      counts, sums and rates\n"
           "  --load=F/A/T/M      F filters, A aggregates, T triggers; a\n"
           "                      record matches about M (1 to 8) filters;\n"
           "                      may be repeated\n"
           "  --rate=N            feed N records per second while the digest\n"
           "                      runs, instead of in alternation\n"
           "  --slices=N          slices per case [%u]\n"
           "  --lead=N            rounds before each slice [%u]\n"
           "  --rounds=N          rounds per slice [%u]\n"
           "  --records=N         records per round [%u]: what comes in a "
           "tick\n"
           "  --digest-threads=N  threads of the digest [1]; rates are by\n"
           "                      the busiest of them, cycles of all\n"
           "  --quick             few flows and slices, to see that it works\n"
           "  --json              one JSON object per row\n"
           "  -h, --help          this text\n",
           program_name, program_name, options.slices, options.lead,
           options.rounds, options.records);
    exit(0);
}

static void
parse_load(const char *s, bool first)
{
    struct load load;
    char end;

    if (sscanf(s, "%u/%u/%u/%u%c", &load.filters, &load.aggregates,
               &load.triggers, &load.matches, &end) != 4
        || (load.aggregates && !load.filters)
        || (load.triggers && !load.aggregates)
        || load.matches > 8 || (load.filters && !load.matches)) {
        fail("--load: '%s' is not FILTERS/AGGREGATES/TRIGGERS/MATCHES", s);
    }
    if (first) {
        options.n_loads = 0;
    } else if (options.n_loads >= MAX_LOADS) {
        fail("--load: at most %d", MAX_LOADS);
    }
    options.loads[options.n_loads++] = load;
}

static void
be_quick(void)
{
    options.slices = 3;
    options.lead = options.rounds = 2;
    options.flow_counts[0] = 1000;
    options.n_flow_counts = 1;
    options.n_loads = 3;
}

static void
parse_options(int argc, char *argv[])
{
    enum { OPT_FLOWS = 256, OPT_FLOOD, OPT_NO_GROUPS, OPT_FUNCTION, OPT_LOAD, OPT_RATE,
           OPT_SLICES, OPT_LEAD, OPT_ROUNDS, OPT_RECORDS, OPT_THREADS,
           OPT_QUICK, OPT_JSON };
    static const struct option long_options[] = {
        { "flows", required_argument, NULL, OPT_FLOWS },
        { "flood", no_argument, NULL, OPT_FLOOD },
        { "no-groups", no_argument, NULL, OPT_NO_GROUPS },
        { "function", required_argument, NULL, OPT_FUNCTION },
        { "load", required_argument, NULL, OPT_LOAD },
        { "rate", required_argument, NULL, OPT_RATE },
        { "slices", required_argument, NULL, OPT_SLICES },
        { "lead", required_argument, NULL, OPT_LEAD },
        { "rounds", required_argument, NULL, OPT_ROUNDS },
        { "records", required_argument, NULL, OPT_RECORDS },
        { "digest-threads", required_argument, NULL, OPT_THREADS },
        { "quick", no_argument, NULL, OPT_QUICK },
        { "json", no_argument, NULL, OPT_JSON },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    bool default_loads = true;
    int c;

    while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (c) {
        case OPT_FLOWS:
            options.n_flow_counts = parse_numbers(
                "flows", optarg, 1, 20000000, options.flow_counts,
                MAX_FLOW_COUNTS);
            break;
        case OPT_FLOOD: options.flood = true; break;
        case OPT_NO_GROUPS: options.no_groups = true; break;
        case OPT_FUNCTION: options.function = optarg; break;
        case OPT_LOAD:
            parse_load(optarg, default_loads);
            default_loads = false;
            break;
        case OPT_RATE:
            options.rate = parse_number("rate", optarg, 1000, 100000000);
            break;
        case OPT_SLICES:
            options.slices = parse_number("slices", optarg, 1, 100000);
            break;
        case OPT_LEAD:
            options.lead = parse_number("lead", optarg, 0, 100000);
            break;
        case OPT_ROUNDS:
            options.rounds = parse_number("rounds", optarg, 1, 100000);
            break;
        case OPT_RECORDS:
            options.records = parse_number("records", optarg, 1, 500000);
            break;
        case OPT_THREADS:
            options.threads = parse_number("digest-threads", optarg, 1,
                                           MLOG_LANES_MAX);
            break;
        case OPT_QUICK: be_quick(); break;
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
    ticks_per_ns = get_ticks_per_ns();
    mlog_ports_add(mlog_ports_datapath("bench"), 1, "p1");
    mlog_ports_add(mlog_ports_datapath("bench"), 2, "p2");

    print_heading();
    if (options.flood) {
        run_cases(1);
        return 0;
    }
    for (size_t i = 0; i < options.n_flow_counts; i++) {
        run_cases(options.flow_counts[i]);
    }
    return 0;
}
