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

/* How long a cut takes: see README.rst in this directory.
 *
 * Threads write to rings, as datapath threads do, each at a fixed rate, while
 * this thread takes cuts at random times and notes how long mlog_digest_cut()
 * took.  All cases of one number of segments use the same
 * multilog, and take turns. */

#include <config.h>

#include <getopt.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "bench-util.h"
#include "mlog-ports.h"
#include "ovs-thread.h"

#define MAX_WRITERS 8
#define MAX_CASES 32
#define N_FLOWS 10000
#define RING_SLOTS (1u << 18)
#define BUDGET ((size_t) 1 << 30)
#define SEGMENT_ROWS 256        /* Of those that are there from the start. */

static struct {
    unsigned int writers[MAX_CASES];
    size_t n_writers;
    unsigned int rates[MAX_CASES];      /* Records per second and writer. */
    size_t n_rates;
    unsigned int segments[MAX_CASES];
    size_t n_segments;
    unsigned int cuts;          /* Of a case. */
    unsigned int slices;        /* They are distributed over so many. */
    unsigned int gap_us;        /* Between cuts: half of this to 3 halves. */
    bool json;
} options = {
    .writers = { 0, 1, 2 },
    .n_writers = 3,
    .rates = { 100000, 1000000, 5000000 },
    .n_rates = 3,
    .segments = { 1, 1000 },
    .n_segments = 2,
    .cuts = 2000,
    .slices = 10,
    .gap_us = 2000,
};

/* A cut during which a thread that takes part in it was ready to run and had
 * to wait this long for a processor doesn't count. */
#define WAIT_MAX_NS 50000

static double ticks_per_ns;
static struct frame *frames;
static char schedstat[2][64];   /* Files: of this thread, of the digest. */

/* Writers.  Each has a ring.  Threads write as datapath threads do: without
 * pause, on processors of their own, which nobody takes from them.  So there
 * is one thread for each processor but the first, and each serves its share of
 * the writers. */

struct writer {
    struct mlog_ring *ring;
    atomic_uint32_t rate;       /* Records per second; 0: pause. */
    uint32_t last_rate;
    uint64_t start, n;          /* Ticks, records since then. */
};

static struct writer writers[MAX_WRITERS];
static size_t n_writers;
static size_t n_threads;
static atomic_bool exit_threads;

/* Writes a batch if one is due.  Returns false if the writer pauses. */
static bool
writer_run(struct writer *w)
{
    uint64_t now = mlog_clock_now();
    uint32_t rate;

    atomic_read_relaxed(&w->rate, &rate);
    if (rate != w->last_rate) {
        w->last_rate = rate;
        w->start = now;
        w->n = 0;
    }
    if (rate && (now - w->start) / ticks_per_ns * rate / 1e9 >= w->n) {
        fill(w->ring, frames, N_FLOWS, BATCH);
        w->n += BATCH;
    }
    return rate != 0;
}

static void *
thread_main(void *index_)
{
    struct sched_param param = { .sched_priority = 2 };
    size_t index = (uintptr_t) index_;
    bool exiting = false;
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1 - index, &cpus);
    pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
    sched_setscheduler(0, SCHED_RR, &param);
    while (!exiting) {
        bool busy = false;

        for (size_t i = index; i < n_writers; i += n_threads) {
            busy |= writer_run(&writers[i]);
        }
        if (!busy) {
            usleep(1000);
        }
        atomic_read_relaxed(&exit_threads, &exiting);
    }
    return NULL;
}

static void
start_threads(struct multilog *ml, pthread_t threads[])
{
    n_threads = MIN(n_writers, MAX(2, sysconf(_SC_NPROCESSORS_ONLN)) - 1);
    atomic_store_relaxed(&exit_threads, false);
    for (size_t i = 0; i < n_writers; i++) {
        writers[i] = (struct writer) {
            .ring = mlog_capture_create_ring(
                &ml->capture, "bench", mlog_ports_datapath("bench"), i)
        };
        if (!writers[i].ring) {
            fail("no memory for a ring");
        }
    }
    for (size_t i = 0; i < n_threads; i++) {
        threads[i] = ovs_thread_create("writer", thread_main,
                                       (void *) (uintptr_t) i);
    }
}

static void
end_threads(pthread_t threads[])
{
    atomic_store_relaxed(&exit_threads, true);
    for (size_t i = 0; i < n_threads; i++) {
        xpthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < n_writers; i++) {
        mlog_capture_retire_ring(writers[i].ring);
    }
}

/* Cases. */

struct bench_case {
    unsigned int writers, rate;
    double *us;                 /* Of each cut. */
    size_t n;
    size_t n_disturbed;
    size_t n_timeouts;
    double n_segments;          /* Sums over the cuts. */
    uint64_t n_records, n_passes;
    double digest_ns;           /* CPU time. */
    uint64_t n_lost;
};

static void
wait_us(double us)
{
    struct timespec ts = { .tv_nsec = us * 1000 };

    nanosleep(&ts, NULL);
}

/* How long the digest and this thread have waited for a processor, ever, in
 * nanoseconds. */
static uint64_t
waited(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < ARRAY_SIZE(schedstat); i++) {
        FILE *file = fopen(schedstat[i], "r");
        uint64_t ran, wait;

        if (file) {
            if (fscanf(file, "%"SCNu64" %"SCNu64, &ran, &wait) == 2) {
                sum += wait;
            }
            fclose(file);
        }
    }
    return sum;
}

static void
take_cut(struct bench_case *c, struct multilog *ml)
{
    struct mlog_snapshot snapshot;

    wait_us(options.gap_us * (0.5 + (next_random() >> 20) % 1000 / 1000.0));

    uint64_t wait = waited();
    uint64_t start = mlog_clock_now();
    int error = mlog_digest_cut(ml->digest, &snapshot);
    double us = (mlog_clock_now() - start) / ticks_per_ns / 1000;

    if (waited() - wait < WAIT_MAX_NS) {
        c->us[c->n++] = us;
    } else {
        c->n_disturbed++;
    }
    c->n_timeouts += error != 0;
    c->n_segments += snapshot.n_segments;
    mlog_snapshot_release(&snapshot);
}

static void
run_slice(struct bench_case *c, struct multilog *ml)
{
    struct mlog_digest_stats before, after;
    uint64_t captured, lost_before, lost_after;

    for (size_t i = 0; i < c->writers; i++) {
        atomic_store_relaxed(&writers[i].rate, c->rate);
    }
    wait_us(20000);
    mlog_capture_get_totals(&ml->capture, &captured, &lost_before);
    mlog_digest_get_stats(ml->digest, &before);
    for (size_t i = 0; i < MAX(1, options.cuts / options.slices); i++) {
        take_cut(c, ml);
    }
    mlog_digest_get_stats(ml->digest, &after);
    mlog_capture_get_totals(&ml->capture, &captured, &lost_after);
    for (size_t i = 0; i < c->writers; i++) {
        atomic_store_relaxed(&writers[i].rate, 0);
    }
    mlog_digest_drain(ml->digest);
    c->n_records += after.n_records - before.n_records;
    c->n_passes += after.n_passes - before.n_passes;
    c->digest_ns += after.cpu_ns - before.cpu_ns;
    c->n_lost += lost_after - lost_before;
}

static void
print_heading(void)
{
    if (!options.json) {
        printf("writers  rate/s segments   cuts     p50     p90     p99  "
               "p99.9     max us  rec/pass  pass us lost timeouts disturbed\n");
    }
}

static void
print_case(const struct bench_case *c)
{
    double n_passes = MAX(1, c->n_passes);

    sort_doubles(c->us, c->n);
    printf(options.json
           ? "{\"bench\": \"cut\", \"writers\": %u, \"rate\": %u, "
             "\"segments\": %.0f, \"cuts\": %"PRIuSIZE", \"p50_us\": %.1f, "
             "\"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, "
             "\"max_us\": %.1f, \"records_per_pass\": %.0f, "
             "\"pass_cpu_us_mean\": %.1f, \"lost\": %"PRIu64", "
             "\"timeouts\": %"PRIuSIZE", \"disturbed\": %"PRIuSIZE"}\n"
           : "%7u %7u %8.0f %6"PRIuSIZE" %7.1f %7.1f %7.1f %7.1f %10.1f "
             "%9.0f %8.1f %4"PRIu64" %8"PRIuSIZE" %9"PRIuSIZE"\n",
           c->writers, c->rate, c->n_segments / (c->n + c->n_disturbed), c->n,
           percentile(c->us, c->n, 50), percentile(c->us, c->n, 90),
           percentile(c->us, c->n, 99), percentile(c->us, c->n, 99.9),
           percentile(c->us, c->n, 100), c->n_records / n_passes,
           c->digest_ns / 1000 / n_passes, c->n_lost, c->n_timeouts,
           c->n_disturbed);
    fflush(stdout);
}

/* Makes 'n' segments, which needs few records. */
static void
make_segments(struct multilog *ml, unsigned int n)
{
    struct mlog_ring *ring = mlog_capture_create_ring(
        &ml->capture, "fill", mlog_ports_datapath("bench"), 0);
    struct mlog_header_log_stats stats;

    if (!ring) {
        fail("no memory for a ring");
    }
    for (unsigned int i = 1; i < n; i++) {
        fill(ring, frames, N_FLOWS, SEGMENT_ROWS);
        mlog_digest_lock(ml->digest);
        mlog_header_log_close_segment(ml->log);
        mlog_digest_unlock(ml->digest);
        do {
            mlog_header_log_get_stats(ml->log, &stats);
        } while (stats.n_segments - stats.n_sealed > 8 && !usleep(1000));
    }
    fill(ring, frames, N_FLOWS, SEGMENT_ROWS);
    mlog_capture_retire_ring(ring);
    mlog_digest_drain(ml->digest);
}

/* The digest and this thread as on a machine that has processors for them, if
 * that is allowed. */
static void
get_priority(void)
{
    struct sched_param param = { .sched_priority = 1 };
    struct sched_param own = { .sched_priority = 3 };
    pid_t digest = newest_thread("mlog_digest");

    snprintf(schedstat[0], sizeof schedstat[0], "/proc/thread-self/schedstat");
    snprintf(schedstat[1], sizeof schedstat[1],
             "/proc/self/task/%d/schedstat", (int) digest);
    sched_setscheduler(digest, SCHED_RR, &param);
    sched_setscheduler(0, SCHED_RR, &own);
}

static size_t
make_cases(struct bench_case cases[])
{
    size_t n = 0;

    for (size_t i = 0; i < options.n_writers; i++) {
        for (size_t j = 0; j < (options.writers[i] ? options.n_rates : 1);
             j++) {
            if (n >= MAX_CASES) {
                fail("at most %d cases", MAX_CASES);
            }
            cases[n++] = (struct bench_case) {
                .writers = options.writers[i],
                .rate = options.writers[i] ? options.rates[j] : 0,
                .us = xcalloc(options.cuts + options.slices,
                              sizeof *cases->us),
            };
        }
    }
    return n;
}

static void
run_cases(unsigned int n_segments)
{
    struct multilog *ml = multilog_create(NULL, BUDGET, RING_SLOTS);
    pthread_t threads[MAX_WRITERS];
    struct bench_case cases[MAX_CASES];
    size_t n_cases = make_cases(cases);

    make_segments(ml, n_segments);
    start_threads(ml, threads);
    get_priority();
    for (size_t slice = 0; slice < options.slices; slice++) {
        for (size_t i = 0; i < n_cases; i++) {
            run_slice(&cases[i], ml);
        }
    }
    end_threads(threads);
    sched_setscheduler(0, SCHED_OTHER, &(struct sched_param) { 0 });
    for (size_t i = 0; i < n_cases; i++) {
        print_case(&cases[i]);
        free(cases[i].us);
    }
    multilog_destroy(ml);
}

/* Command line. */

OVS_NO_RETURN static void
usage(void)
{
    printf("%s: how long a cut takes\n"
           "usage: %s [OPTION]...\n"
           "  --writers=N[,N]...   numbers of writing threads [0,1,2]\n"
           "  --rates=N[,N]...     records per second of each of them\n"
           "                       [100000,1000000,5000000]\n"
           "  --segments=N[,N]...  segments held [1,1000]\n"
           "  --cuts=N             cuts per case [%u]\n"
           "  --slices=N           in so many slices [%u]\n"
           "  --gap=US             mean time between cuts [%u]\n"
           "  --quick              few cuts, to see that it works\n"
           "  --json               one JSON object per row\n"
           "  -h, --help           this text\n",
           program_name, program_name, options.cuts, options.slices,
           options.gap_us);
    exit(0);
}

static void
be_quick(void)
{
    options.cuts = 100;
    options.slices = 2;
    options.n_rates = 2;
    options.n_segments = 1;
}

static void
parse_options(int argc, char *argv[])
{
    enum { OPT_WRITERS = 256, OPT_RATES, OPT_SEGMENTS, OPT_CUTS, OPT_SLICES,
           OPT_GAP, OPT_QUICK, OPT_JSON };
    static const struct option long_options[] = {
        { "writers", required_argument, NULL, OPT_WRITERS },
        { "rates", required_argument, NULL, OPT_RATES },
        { "segments", required_argument, NULL, OPT_SEGMENTS },
        { "cuts", required_argument, NULL, OPT_CUTS },
        { "slices", required_argument, NULL, OPT_SLICES },
        { "gap", required_argument, NULL, OPT_GAP },
        { "quick", no_argument, NULL, OPT_QUICK },
        { "json", no_argument, NULL, OPT_JSON },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (c) {
        case OPT_WRITERS:
            options.n_writers = parse_numbers("writers", optarg, 0,
                                              MAX_WRITERS, options.writers,
                                              MAX_CASES);
            break;
        case OPT_RATES:
            options.n_rates = parse_numbers("rates", optarg, 1000, 100000000,
                                            options.rates, MAX_CASES);
            break;
        case OPT_SEGMENTS:
            options.n_segments = parse_numbers("segments", optarg, 1, 100000,
                                               options.segments, MAX_CASES);
            break;
        case OPT_CUTS:
            options.cuts = parse_number("cuts", optarg, 1, 10000000);
            break;
        case OPT_SLICES:
            options.slices = parse_number("slices", optarg, 1, 100000);
            break;
        case OPT_GAP:
            options.gap_us = parse_number("gap", optarg, 0, 600000);
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
    frames = make_frames(N_FLOWS);
    for (size_t i = 0; i < options.n_writers; i++) {
        n_writers = MAX(n_writers, options.writers[i]);
    }

    print_heading();
    for (size_t i = 0; i < options.n_segments; i++) {
        run_cases(options.segments[i]);
    }
    free(frames);
    return 0;
}
