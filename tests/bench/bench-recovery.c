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

/* How long recovery takes: see README.rst in this directory.
 *
 * A child fills a store and is killed; another one recovers.  In between
 * nothing is synchronized: the files are memory that outlives the process. */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench-util.h"
#include "mlog-ports.h"
#include "openvswitch/vlog.h"

#define N_FLOWS 10000
#define RING_SLOTS (1u << 18)
#define RING_RECORDS 100000     /* Left in the ring. */
#define RECORD_MEMORY 40        /* Bytes per record, with room to spare. */
#define MAX_CASES 16

static struct {
    unsigned int records[MAX_CASES];
    size_t n_records;
    unsigned int runs;
    const char *dir;
    bool json;
} options = {
    .records = { 1000000, 10000000 },
    .n_records = 2,
    .runs = 3,
    .dir = "/dev/shm",
};

/* What a child finds out, shared with the parent. */
struct result {
    atomic_bool filled;
    uint64_t n_records, n_segments, n_sealed, from_rings, n_lost;
    double open_ms, ready_ms;
};

static struct result *result;

static size_t
budget_for(unsigned int n_records)
{
    return ((size_t) 256 << 20) + (size_t) n_records * RECORD_MEMORY;
}

static double
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static bool
all_sealed(struct multilog *ml)
{
    struct mlog_header_log_stats stats;

    mlog_header_log_get_stats(ml->log, &stats);
    return stats.n_sealed + 1 >= stats.n_segments;
}

/* Holds 'n' records, of which the last RING_RECORDS are still in a ring, and
 * waits to be killed. */
OVS_NO_RETURN static void
fill_store(const char *dir, unsigned int n)
{
    struct multilog *ml = multilog_create(dir, budget_for(n), RING_SLOTS);
    struct frame *frames = make_frames(N_FLOWS);
    struct mlog_ring *ring = mlog_capture_create_ring(
        &ml->capture, "bench", mlog_ports_datapath("bench"), 0);
    unsigned int in_ring = MIN(RING_RECORDS, n);

    if (!ring || !mlog_store_dir(ml->store)) {
        fail("%s: no memory", dir);
    }
    for (unsigned int done = 0; done < n - in_ring;) {
        unsigned int n_fill = MIN(65536, n - in_ring - done);

        fill(ring, frames, N_FLOWS, n_fill);
        mlog_digest_drain(ml->digest);
        done += n_fill;
    }
    while (!all_sealed(ml)) {
        usleep(1000);
    }
    mlog_digest_lock(ml->digest);
    fill(ring, frames, N_FLOWS, in_ring);
    atomic_store(&result->filled, true);
    for (;;) {
        pause();
    }
}

static void
recover_store(const char *dir, unsigned int n)
{
    double start = now_ms();
    struct multilog *ml = multilog_create(dir, budget_for(n), RING_SLOTS);

    result->open_ms = now_ms() - start;
    mlog_digest_drain(ml->digest);
    result->ready_ms = now_ms() - start;

    struct multilog_status status;
    multilog_get_status(ml, &status);
    result->n_records = status.log.n_rows;
    result->n_segments = status.log.n_segments;
    result->n_sealed = status.log.n_sealed;
    result->from_rings = status.recovery.from_rings;
    result->n_lost = status.n_lost;
    multilog_status_destroy(&status);
}

/* Waits for the child 'pid' to end, which it has to do well, or, with
 * 'killed', by a signal. */
static void
wait_for_child(pid_t pid, bool killed)
{
    int status;

    if (waitpid(pid, &status, 0) != pid
        || (killed ? !WIFSIGNALED(status)
            : !WIFEXITED(status) || WEXITSTATUS(status))) {
        fail("a child failed");
    }
}

static void
run_once(const char *dir, unsigned int n)
{
    bool filled = false;
    pid_t pid;

    memset(result, 0, sizeof *result);
    pid = fork();
    if (!pid) {
        fill_store(dir, n);
    }
    while (!filled) {
        usleep(1000);
        atomic_read(&result->filled, &filled);
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            fail("a child failed");
        }
    }
    kill(pid, SIGKILL);
    wait_for_child(pid, true);

    pid = fork();
    if (!pid) {
        recover_store(dir, n);
        _exit(0);
    }
    wait_for_child(pid, false);
    if (result->n_records != n || result->n_lost) {
        fail("%u records offered, %"PRIu64" held, %"PRIu64" lost", n,
             result->n_records, result->n_lost);
    }
}

static void
remove_dir(const char *dir)
{
    char *command = xasprintf("rm -rf -- '%s'", dir);

    ignore(system(command));
    free(command);
}

static void
run_case(unsigned int n)
{
    double *open_ms = xcalloc(options.runs, sizeof *open_ms);
    double *ready_ms = xcalloc(options.runs, sizeof *ready_ms);

    for (unsigned int i = 0; i < options.runs; i++) {
        char *dir = xasprintf("%s/bench-recovery.XXXXXX", options.dir);

        if (!mkdtemp(dir)) {
            fail("%s: %s", dir, ovs_strerror(errno));
        }
        run_once(dir, n);
        remove_dir(dir);
        free(dir);
        open_ms[i] = result->open_ms;
        ready_ms[i] = result->ready_ms;
    }
    sort_doubles(open_ms, options.runs);
    sort_doubles(ready_ms, options.runs);
    printf(options.json
           ? "{\"bench\": \"recovery\", \"records\": %"PRIu64", "
             "\"segments\": %"PRIu64", \"sealed\": %"PRIu64", "
             "\"rings_records\": %"PRIu64", \"open_ms_median\": %.2f, "
             "\"open_ms_max\": %.2f, \"ready_ms_median\": %.2f, "
             "\"ready_ms_max\": %.2f, \"runs\": %u}\n"
           : "%10"PRIu64" %8"PRIu64" %6"PRIu64" %8"PRIu64" %8.2f %8.2f "
             "%8.2f %8.2f %4u\n",
           result->n_records, result->n_segments, result->n_sealed,
           result->from_rings, percentile(open_ms, options.runs, 50),
           percentile(open_ms, options.runs, 100),
           percentile(ready_ms, options.runs, 50),
           percentile(ready_ms, options.runs, 100), options.runs);
    fflush(stdout);
    free(open_ms);
    free(ready_ms);
}

/* Command line. */

OVS_NO_RETURN static void
usage(void)
{
    printf("%s: how long recovery takes\n"
           "usage: %s [OPTION]...\n"
           "  --records=N[,N]...  records held [1000000,10000000]\n"
           "  --runs=N            times of each [%u]\n"
           "  --dir=DIR           where the store's directory is made [%s]\n"
           "  --quick             few records, to see that it works\n"
           "  --json              one JSON object per row\n"
           "  -h, --help          this text\n",
           program_name, program_name, options.runs, options.dir);
    exit(0);
}

static void
parse_options(int argc, char *argv[])
{
    enum { OPT_RECORDS = 256, OPT_RUNS, OPT_DIR, OPT_QUICK, OPT_JSON };
    static const struct option long_options[] = {
        { "records", required_argument, NULL, OPT_RECORDS },
        { "runs", required_argument, NULL, OPT_RUNS },
        { "dir", required_argument, NULL, OPT_DIR },
        { "quick", no_argument, NULL, OPT_QUICK },
        { "json", no_argument, NULL, OPT_JSON },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (c) {
        case OPT_RECORDS:
            options.n_records = parse_numbers("records", optarg, 1, 100000000,
                                              options.records, MAX_CASES);
            break;
        case OPT_RUNS:
            options.runs = parse_number("runs", optarg, 1, 1000);
            break;
        case OPT_DIR: options.dir = optarg; break;
        case OPT_QUICK:
            options.records[0] = 600000;
            options.n_records = 1;
            options.runs = 1;
            break;
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
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_WARN);
    result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (result == MAP_FAILED) {
        fail("no memory");
    }
    if (!options.json) {
        printf("   records segments sealed in rings  open ms    (max) "
               "ready ms    (max) runs\n");
        fflush(stdout);
    }
    for (size_t i = 0; i < options.n_records; i++) {
        run_case(options.records[i]);
    }
    return 0;
}
