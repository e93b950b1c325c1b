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

/* How long queries take: see README.rst in this directory.
 *
 * Makes records of TCP connections, 10 million per second of their time, holds
 * them sealed, as they are, or in an archive, and queries them. */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#include "bench-log.h"
#include "mlog-archive.h"
#include "mlog-expr.h"
#include "mlog-query.h"
#include "openvswitch/dynamic-string.h"
#include "ovs-thread.h"

#define MAX_CLIENTS 64
#define MAX_RUNS 2000
#define START UINT64_C(1700000000000000000)
#define SECOND UINT64_C(1000000000)

enum state { SEALED, OPEN, ARCHIVE, N_STATES };
static const char *const state_names[N_STATES] = {
    "sealed", "open", "archive"
};

static struct {
    unsigned int records;
    unsigned int flows[8];
    size_t n_flows;
    unsigned int clients[8];
    size_t n_clients;
    bool states[N_STATES];
    const char *only;
    unsigned int ms;
    bool json;
} options = {
    .records = 10000000,
    .flows = { 1000, 10000, 1000000 }, .n_flows = 3,
    .clients = { 1, 8 }, .n_clients = 2,
    .states = { true, true, true },
    .ms = 1000,
};

/* What is queried. */

static struct log held;
static struct connection *connections;
static size_t n_connections;
static struct mlog_archive_list *archived;

static uint64_t
time_of(uint64_t i)
{
    return START + i / BATCH * BATCH_NS;
}

/* One packet of some 1,000 is a SYN. */
static void
make_records(enum state state)
{
    log_init(&held);
    held.unsealed = state == OPEN;
    for (unsigned int i = 0; i < options.records; i++) {
        bool syn = !(next_random() >> 12 & 1023);

        log_packet(&held,
                   &connections[(next_random() >> 16) % n_connections],
                   syn, time_of(i));
    }
    log_finish(&held, time_of(options.records));
}

static char *
archive_records(void)
{
    char *dir = xasprintf("%s/bench-query-XXXXXX",
                          getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    struct mlog_archive_options archive_options = { .level = 0 };
    struct mlog_snapshot snapshot;
    struct mlog_archive *archive;
    char *error;

    if (!mkdtemp(dir)) {
        fail("%s: %s", dir, ovs_strerror(errno));
    }
    error = mlog_archive_open(dir, &archive_options, &archive);
    if (error) {
        fail("%s", error);
    }
    mlog_snapshot_take(held.log, &snapshot);
    for (size_t i = 0; i < snapshot.n_segments; i++) {
        struct mlog_archive_segment s = log_get_segment(&snapshot, i);

        if (s.n_rows && mlog_archive_append(archive, &s)) {
            fail("a segment could not be archived");
        }
        log_free_segment(&s);
    }
    mlog_snapshot_release(&snapshot);
    archived = mlog_archive_get_list(archive);
    mlog_archive_close(archive);
    return dir;
}

static void
remove_archive(char *dir)
{
    for (size_t i = 0; i < archived->n; i++) {
        char *path = xasprintf("%s/%s", dir,
                               mlog_archive_file_name(archived->files[i]));

        unlink(path);
        free(path);
    }
    mlog_archive_list_unref(archived);
    archived = NULL;
    rmdir(dir);
    free(dir);
}

/* Queries. */

enum what { COUNT, ROWS, GROUPS };
#define ONE_FLOW "FLOW"         /* Of a connection at random. */
#define ONE_NET "NET"

static const struct query {
    const char *name;
    enum what what;
    const char *expr;
    uint64_t window;            /* ns; 0: everything. */
    const char *group_by;       /* "flow", or a field. */
} queries[] = {
    { "count flow 1s", COUNT, ONE_FLOW, SECOND, NULL },
    { "count net 1s", COUNT, ONE_NET, SECOND, NULL },
    { "rows flow 1s", ROWS, ONE_FLOW, SECOND, NULL },
    { "rows net 1s", ROWS, ONE_NET, SECOND, NULL },
    { "count flow", COUNT, ONE_FLOW, 0, NULL },
    { "rows newest", ROWS, "", 0, NULL },
    { "rows syn", ROWS, "tcp_flags == +syn", 0, NULL },
    { "count all", COUNT, "", 0, NULL },
    { "count tcp", COUNT, "tp_dst == 443", 0, NULL },
    { "count len", COUNT, "pkt_len > 1000", 0, NULL },
    { "count len 10ms", COUNT, "pkt_len > 1000", SECOND / 100, NULL },
    { "count syn", COUNT, "tcp_flags == +syn", 0, NULL },
    { "count noack", COUNT, "tcp_flags == -ack", 0, NULL },
    { "count ipid", COUNT, "ip_id == 4711", 0, NULL },
    { "count and", COUNT, "pkt_len > 1000 && tcp_flags == +psh", 0, NULL },
    { "count mixed", COUNT, "tp_dst == 443 && (pkt_len < 600 || "
      "tcp_window == {500-510, 530}) && !drop", 0, NULL },
    { "count or", COUNT, "tp_src == 443 || pkt_len > 1500", 0, NULL },
    { "group proto", GROUPS, "", 0, "nw_proto" },
    { "group len", GROUPS, "", 0, "pkt_len" },
    { "group dst len", GROUPS, "pkt_len > 1000", 0, "tp_dst" },
    { "top flows 1s", GROUPS, "", SECOND, "flow" },
};

static uint16_t
get_be16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static struct mlog_expr *
make_expr(const struct query *q)
{
    const struct connection *c
        = &connections[(next_random() >> 16) % n_connections];
    const uint8_t *a = c->addresses;
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct ds s = DS_EMPTY_INITIALIZER;
    struct mlog_expr *expr;

    if (!strcmp(q->expr, ONE_FLOW)) {
        ds_put_format(&s, "tcp && nw_src == %d.%d.%d.%d && "
                      "nw_dst == %d.%d.%d.%d && tp_src == %d && tp_dst == %d",
                      a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7],
                      get_be16(c->ports), get_be16(c->ports + 2));
    } else if (!strcmp(q->expr, ONE_NET)) {
        ds_put_format(&s, "nw_dst == %d.%d.%d.0/24", a[4], a[5], a[6]);
    } else {
        ds_put_cstr(&s, q->expr);
    }
    expr = mlog_expr_parse(ds_cstr(&s), &error);
    if (!expr) {
        fail("%s: %s", ds_cstr(&s), error.message);
    }
    ds_destroy(&s);
    return expr;
}

static void
query_groups(const struct query *q, const struct mlog_snapshot *snapshot,
             const struct mlog_range *range, const struct mlog_budget *budget,
             struct mlog_query_totals *totals)
{
    struct mlog_group_spec spec = { .n_fields = 0 };
    struct mlog_groups *groups;
    size_t n;

    if (!strcmp(q->group_by, "flow")) {
        spec.by_flow = true;
    } else {
        spec.fields[spec.n_fields++] = mlog_field_from_name(q->group_by);
    }
    int error = mlog_query_groups(snapshot, range, budget, &spec, &groups);
    if (error == E2BIG) {
        memset(totals, 0, sizeof *totals);
        return;
    } else if (error) {
        fail("%s: %s", q->name, ovs_strerror(error));
    }
    n = MIN(10, mlog_groups_count(groups));
    free(mlog_groups_top(groups, MLOG_GROUPS_BY_BYTES, n));
    *totals = *mlog_groups_totals(groups);
    mlog_groups_destroy(groups);
}

/* Returns the number of records that match. */
static uint64_t
run_query(const struct query *q)
{
    const struct mlog_budget budget = { .deadline = LLONG_MAX };
    uint64_t now = time_of(options.records);
    struct mlog_range range = {
        .expr = make_expr(q),
        .since = q->window ? now - MIN(now - START, q->window) : 0,
        .until = UINT64_MAX,
    };
    struct mlog_query_totals totals;
    struct mlog_query_rows rows;
    struct mlog_snapshot snapshot;

    mlog_snapshot_take(held.log, &snapshot);
    snapshot.archive = archived;
    snapshot.archive_life = "";
    switch (q->what) {
    case COUNT:
        mlog_query_count(&snapshot, &range, &budget, &totals);
        break;
    case ROWS:
        mlog_query_rows(&snapshot, &range, &budget, 100, false, &rows);
        totals = rows.totals;
        mlog_query_rows_destroy(&rows);
        break;
    case GROUPS:
        query_groups(q, &snapshot, &range, &budget, &totals);
        break;
    }
    snapshot.archive = NULL;
    mlog_snapshot_release(&snapshot);
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
    return totals.count;
}

/* Measuring. */

struct client {
    pthread_t thread;
    const struct query *query;
    double us[MAX_RUNS];
    double cpu_us[MAX_RUNS];    /* Of the thread. */
    size_t n;
    uint64_t matched;
    double elapsed;             /* us. */
};

static double
now_us(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static void *
client_main(void *client_)
{
    struct client *client = client_;
    double start = now_us(CLOCK_MONOTONIC), end = start;

    do {
        double before = end;
        double cpu_before = now_us(CLOCK_THREAD_CPUTIME_ID);

        client->matched += run_query(client->query);
        client->cpu_us[client->n] = (now_us(CLOCK_THREAD_CPUTIME_ID)
                                     - cpu_before);
        end = now_us(CLOCK_MONOTONIC);
        client->us[client->n++] = end - before;
    } while (client->n < MAX_RUNS
             && (client->n < 3 || end - start < options.ms * 1e3));
    client->elapsed = end - start;
    return NULL;
}

static void
print_result(const struct query *q, enum state state, unsigned int n_clients,
             const struct client *clients)
{
    double *us = xmalloc(n_clients * MAX_RUNS * sizeof *us);
    double *cpu = xmalloc(n_clients * MAX_RUNS * sizeof *cpu);
    double rate = 0, matched = 0;
    double in_range = (q->window ? MIN(q->window / 100, options.records)
                       : options.records);
    size_t n = 0;

    for (unsigned int i = 0; i < n_clients; i++) {
        const struct client *c = &clients[i];

        memcpy(&us[n], c->us, c->n * sizeof *us);
        memcpy(&cpu[n], c->cpu_us, c->n * sizeof *cpu);
        n += c->n;
        rate += c->n / (c->elapsed / 1e6);
        matched += c->matched;
    }
    sort_doubles(us, n);
    sort_doubles(cpu, n);
    printf(options.json
           ? "{\"bench\": \"query\", \"state\": \"%s\", \"query\": \"%s\", "
             "\"records\": %u, \"flows\": %"PRIuSIZE", \"clients\": %u, "
             "\"in_range\": %.0f, \"matched_mean\": %.0f, "
             "\"runs\": %"PRIuSIZE", \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
             "\"cpu_p50_ms\": %.3f, \"rows_per_s\": %.0f}\n"
           : "%-8s%-15s %10u %8"PRIuSIZE" %3u %10.0f %10.0f %5"PRIuSIZE" "
             "%9.3f %9.3f %9.3f %8.1f\n",
           state_names[state], q->name, options.records, 2 * n_connections,
           n_clients, in_range, matched / n, n, percentile(us, n, 50) / 1e3,
           percentile(us, n, 99) / 1e3, percentile(cpu, n, 50) / 1e3,
           options.json ? rate * in_range : rate * in_range / 1e6);
    fflush(stdout);
    free(us);
    free(cpu);
}

static void
measure(const struct query *q, enum state state, unsigned int n_clients)
{
    struct client *clients = xcalloc(n_clients, sizeof *clients);

    for (unsigned int i = 0; i < n_clients; i++) {
        clients[i].query = q;
    }
    for (unsigned int i = 1; i < n_clients; i++) {
        clients[i].thread = ovs_thread_create("client", client_main,
                                              &clients[i]);
    }
    client_main(&clients[0]);
    for (unsigned int i = 1; i < n_clients; i++) {
        xpthread_join(clients[i].thread, NULL);
    }
    print_result(q, state, n_clients, clients);
    free(clients);
}

static void
run(enum state state)
{
    char *dir = NULL;

    make_records(state);
    if (state == ARCHIVE) {
        dir = archive_records();
        log_destroy(&held);
        log_init(&held);
    }
    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        if (options.only && !strstr(queries[i].name, options.only)) {
            continue;
        }
        for (size_t j = 0; j < options.n_clients; j++) {
            measure(&queries[i], state, options.clients[j]);
        }
    }
    if (dir) {
        remove_archive(dir);
    }
    log_destroy(&held);
}

/* Command line. */

OVS_NO_RETURN static void
usage(void)
{
    printf("%s: how long queries take\n"
           "usage: %s [OPTION]...\n"
           "  --records=N      records held [%u]\n"
           "  --flows=N,...    of so many flows [1000,10000,1000000]\n"
           "  --states=S,...   held sealed, open, in an archive [all]\n"
           "  --clients=N,...  so many threads query without pause [1,8]\n"
           "  --only=TEXT      only queries whose name has TEXT\n"
           "  --ms=N           for so many milliseconds each [%u]\n"
           "  --quick          few records, to see that it works\n"
           "  --json           one JSON object per row\n"
           "  -h, --help       this text\n",
           program_name, program_name, options.records, options.ms);
    exit(0);
}

static void
parse_states(char *s)
{
    char *save = NULL;

    memset(options.states, 0, sizeof options.states);
    for (char *p = strtok_r(s, ",", &save); p;
         p = strtok_r(NULL, ",", &save)) {
        enum state state = 0;

        while (state < N_STATES && strcmp(p, state_names[state])) {
            state++;
        }
        if (state == N_STATES) {
            fail("--states: '%s' is none of sealed, open, archive", p);
        }
        options.states[state] = true;
    }
}

static void
make_quick(void)
{
    options.records = 600000;
    options.n_flows = options.n_clients = 1;
    options.flows[0] = 10000;
    options.clients[0] = 2;
    options.ms = 1;
}

static void
parse_options(int argc, char *argv[])
{
    enum { OPT_RECORDS = 256, OPT_FLOWS, OPT_STATES, OPT_CLIENTS, OPT_ONLY,
           OPT_MS, OPT_QUICK, OPT_JSON };
    static const struct option long_options[] = {
        { "records", required_argument, NULL, OPT_RECORDS },
        { "flows", required_argument, NULL, OPT_FLOWS },
        { "states", required_argument, NULL, OPT_STATES },
        { "clients", required_argument, NULL, OPT_CLIENTS },
        { "only", required_argument, NULL, OPT_ONLY },
        { "ms", required_argument, NULL, OPT_MS },
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
        case OPT_FLOWS:
            options.n_flows = parse_numbers("flows", optarg, 2, 100000000,
                                            options.flows,
                                            ARRAY_SIZE(options.flows));
            break;
        case OPT_STATES: parse_states(optarg); break;
        case OPT_CLIENTS:
            options.n_clients = parse_numbers("clients", optarg, 1,
                                              MAX_CLIENTS, options.clients,
                                              ARRAY_SIZE(options.clients));
            break;
        case OPT_ONLY: options.only = optarg; break;
        case OPT_MS: options.ms = parse_number("ms", optarg, 1, 1000000);
            break;
        case OPT_QUICK: make_quick(); break;
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

    if (!options.json) {
        printf("state   query              records    flows  cl   in range    "
               "matched  runs    p50 ms    p99 ms  cpu p50   Mrows/s\n");
    }
    for (size_t i = 0; i < options.n_flows; i++) {
        n_connections = MAX(1, options.flows[i] / 2);
        connections = xcalloc(n_connections, sizeof *connections);
        for (size_t j = 0; j < n_connections; j++) {
            make_connection(&connections[j]);
        }
        for (enum state state = 0; state < N_STATES; state++) {
            if (options.states[state]) {
                run(state);
            }
        }
        free(connections);
    }
    return 0;
}
