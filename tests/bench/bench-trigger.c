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

/* How long it takes from a packet to the alert: see README.rst in this
 * directory.
 *
 * All triggers watch one aggregate, a count over 10 ms.  A batch of packets
 * raises all of them in one tick; when the window has run empty, they clear,
 * and so on. */

#include <config.h>

#include <getopt.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "bench-util.h"
#include "mlog-alert.h"
#include "mlog-expr.h"
#include "mlog-ports.h"

#define N_FLOWS 100
#define RING_SLOTS (1u << 16)
#define MAX_CASES 16

static struct {
    unsigned int triggers[MAX_CASES];
    size_t n_triggers;
    unsigned int incidents;     /* Of a case. */
    bool json;
} options = {
    .triggers = { 1, 64, 1000, 4096 },
    .n_triggers = 4,
    .incidents = 500,
};

/* Latencies of alerts, for the digest thread. */
struct latencies {
    double *us;
    size_t n, max;
};

static void
note_alert(const struct mlog_alert *alert, void *latencies_)
{
    struct latencies *latencies = latencies_;

    if (alert->kind == MLOG_ALERT_RAISED && alert->seen
        && latencies->n < latencies->max) {
        latencies->us[latencies->n++] = (alert->logged - alert->seen) / 1e3;
    }
}

static void
check(bool ok, const struct mlog_error *error)
{
    if (!ok) {
        fail("%s", error->message);
    }
}

static void
install(struct mlog_stream *stream, unsigned int n_triggers)
{
    static const char *filter[] = { "f", "ip" };
    static const char *aggregate[] = { "a", "f", "count", "window=10ms" };
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where;

    check(mlog_stream_add_filter(stream, filter, 2, &error, &where), &error);
    check(mlog_stream_add_aggregate(stream, aggregate, 4, &error, &where),
          &error);
    for (unsigned int i = 0; i < n_triggers; i++) {
        char name[16];
        const char *trigger[] = { name, "a > 0" };

        snprintf(name, sizeof name, "t%u", i);
        check(mlog_stream_add_trigger(stream, trigger, 2, &error, &where),
              &error);
    }
}

static void
print_case(unsigned int n_triggers, struct latencies *latencies,
           const struct multilog_status *status)
{
    size_t n = latencies->n;

    sort_doubles(latencies->us, n);
    printf(options.json
           ? "{\"bench\": \"trigger\", \"triggers\": %u, \"incidents\": %u, "
             "\"alerts\": %"PRIuSIZE", \"p50_us\": %.0f, \"p99_us\": %.0f, "
             "\"max_us\": %.0f, \"longest_pass_us\": %.0f, "
             "\"n_late_ticks\": %"PRIu64"}\n"
           : "%8u %9u %8"PRIuSIZE" %8.0f %8.0f %8.0f %10.0f %5"PRIu64"\n",
           n_triggers, options.incidents, n,
           percentile(latencies->us, n, 50), percentile(latencies->us, n, 99),
           percentile(latencies->us, n, 100),
           status->digest.longest_pass_ns / 1e3,
           status->digest.n_late_ticks);
    fflush(stdout);
}

static void
run_case(unsigned int n_triggers)
{
    struct multilog *ml = multilog_create(NULL, MULTILOG_DEFAULT_BUDGET,
                                          RING_SLOTS);
    struct mlog_ring *ring = mlog_capture_create_ring(
        &ml->capture, "bench", mlog_ports_datapath("bench"), 0);
    struct latencies latencies = {
        .max = (size_t) n_triggers * options.incidents
    };
    struct sched_param param = { .sched_priority = 1 };
    struct frame *frames = make_frames(N_FLOWS);
    struct mlog_alert_log *alerts = mlog_stream_alerts(ml->stream);

    if (!ring) {
        fail("no memory for a ring");
    }
    latencies.us = xcalloc(latencies.max, sizeof *latencies.us);
    sched_setscheduler(newest_thread("mlog_digest"), SCHED_RR, &param);
    mlog_digest_lock(ml->digest);
    install(ml->stream, n_triggers);
    alerts->hook = note_alert;
    alerts->hook_aux = &latencies;
    mlog_digest_unlock(ml->digest);
    for (unsigned int i = 0; i < options.incidents; i++) {
        fill(ring, frames, N_FLOWS, BATCH);
        usleep(25000 + next_random() % 3000);
    }

    struct multilog_status status;
    mlog_digest_lock(ml->digest);
    multilog_get_status(ml, &status);
    print_case(n_triggers, &latencies, &status);
    multilog_status_destroy(&status);
    alerts->hook = NULL;
    mlog_digest_unlock(ml->digest);
    mlog_capture_retire_ring(ring);
    multilog_destroy(ml);
    free(latencies.us);
    free(frames);
}

/* Command line. */

OVS_NO_RETURN static void
usage(void)
{
    printf("%s: how long it takes from a packet to the alert\n"
           "usage: %s [OPTION]...\n"
           "  --triggers=N[,N]...  triggers raised at once [1,64,1000,4096]\n"
           "  --incidents=N        how often [%u]\n"
           "  --quick              few incidents, to see that it works\n"
           "  --json               one JSON object per row\n"
           "  -h, --help           this text\n",
           program_name, program_name, options.incidents);
    exit(0);
}

static void
parse_options(int argc, char *argv[])
{
    enum { OPT_TRIGGERS = 256, OPT_INCIDENTS, OPT_QUICK, OPT_JSON };
    static const struct option long_options[] = {
        { "triggers", required_argument, NULL, OPT_TRIGGERS },
        { "incidents", required_argument, NULL, OPT_INCIDENTS },
        { "quick", no_argument, NULL, OPT_QUICK },
        { "json", no_argument, NULL, OPT_JSON },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        switch (c) {
        case OPT_TRIGGERS:
            options.n_triggers = parse_numbers("triggers", optarg, 1, 4096,
                                               options.triggers, MAX_CASES);
            break;
        case OPT_INCIDENTS:
            options.incidents = parse_number("incidents", optarg, 1, 100000);
            break;
        case OPT_QUICK: options.incidents = 10; break;
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
    mlog_ports_add(mlog_ports_datapath("bench"), 1, "p1");
    mlog_ports_add(mlog_ports_datapath("bench"), 2, "p2");
    if (!options.json) {
        printf("triggers incidents   alerts   p50 us   p99 us   max us "
               "longest p. late\n");
    }
    for (size_t i = 0; i < options.n_triggers; i++) {
        run_case(options.triggers[i]);
    }
    return 0;
}
