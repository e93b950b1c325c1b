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
#include <errno.h>

#include "mlog-jobs.h"
#include "mlog-ports.h"
#include "mlog-registry.h"
#include "multilog.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

/* As the digest's lock is held, queries wait for a cut: so a test decides when
 * they go on. */

static struct multilog *ml;
static struct mlog_ring *ring;
static struct mlog_jobs *jobs;
static atomic_count n_wakes;

static void
wake(void *aux OVS_UNUSED)
{
    atomic_count_inc(&n_wakes);
}

static void
render(enum mlog_format format, struct mlog_reply *reply)
{
    ds_put_format(&reply->body, "rendered %d", format);
}

static void
setup(void)
{
    static const struct mlog_jobs_callbacks callbacks = {
        .wake = wake, .render = render
    };
    unsigned int dp = mlog_ports_datapath("ovs-netdev");

    mlog_ports_add(dp, 1, "p1");
    ml = multilog_create(NULL, MULTILOG_DEFAULT_BUDGET, 1 << 16);
    ring = mlog_capture_create_ring(&ml->capture, "test", dp, 0);
    jobs = mlog_jobs_create(ml, &callbacks);
    mlog_registry_set_workers(ml->registry, 1);
}

static void
teardown(void)
{
    struct mlog_reply reply;
    void *aux;

    mlog_jobs_stop(jobs);
    while (mlog_jobs_get_reply(jobs, &aux, &reply)) {
        mlog_reply_destroy(&reply);
    }
    mlog_jobs_destroy(jobs);
    mlog_capture_retire_ring(ring);
    multilog_destroy(ml);
}

TestSuite(jobs, .init = setup, .fini = teardown, .timeout = 60);

static void
submit_format(uintptr_t aux, uint64_t client, enum mlog_format format,
              const char *a, const char *b)
{
    const char *argv[] = { a, b };
    const struct mlog_job_request request = {
        .client = client,
        .client_name = "some\tone",
        .format = format,
        .argc = b ? 2 : 1,
        .argv = argv,
        .aux = (void *) aux,
    };

    mlog_jobs_submit(jobs, &request);
}

static void
submit(uintptr_t aux, uint64_t client, const char *a, const char *b)
{
    submit_format(aux, client, MLOG_FORMAT_TABLE, a, b);
}

/* Waits for the next reply and returns whose it is; its body is 'body', for
 * the caller to free, if that isn't NULL. */
static uintptr_t
next_reply(char **body, bool *error)
{
    struct mlog_reply reply;
    void *aux;

    for (int i = 0; !mlog_jobs_get_reply(jobs, &aux, &reply); i++) {
        cr_assert_lt(i, 30000, "no reply");
        xnanosleep(1000000);
    }
    if (body) {
        *body = xstrdup(ds_cstr(&reply.body));
    }
    if (error) {
        *error = reply.error;
    }
    mlog_reply_destroy(&reply);
    return (uintptr_t) aux;
}

static bool
has_reply(void)
{
    struct mlog_reply reply;
    void *aux;
    bool has = mlog_jobs_get_reply(jobs, &aux, &reply);

    if (has) {
        mlog_reply_destroy(&reply);
    }
    return has;
}

static void
wait_until_running(size_t n)
{
    size_t n_running;

    do {
        struct mlog_query_info *infos;
        size_t n_infos;

        xnanosleep(1000000);
        infos = mlog_registry_list(ml->registry, &n_infos);
        n_running = 0;
        for (size_t i = 0; i < n_infos; i++) {
            n_running += infos[i].running;
        }
        free(infos);
    } while (n_running != n);
}

Test(jobs, reply_is_rendered_and_goes_to_who_asked)
{
    char *body;
    bool error;

    submit_format(7, 1, MLOG_FORMAT_JSON, "multilog/query", "--count");
    cr_expect_eq(next_reply(&body, &error), 7);
    cr_expect_not(error);
    cr_expect_not_null(strstr(body, "\"count\":0"));
    cr_expect_not_null(strstr(body, "rendered"));
    cr_expect_gt(atomic_count_get(&n_wakes), 0);

    /* The format of the command precedes. */
    submit_format(8, 1, MLOG_FORMAT_JSON, "multilog/set", "--format=csv");
    next_reply(&body, NULL);
    cr_expect_eq(strncmp(body, "key,value", 9), 0);

    /* Errors are in the format of the request, and not rendered. */
    submit_format(9, 1, MLOG_FORMAT_JSON, "multilog/query", "nope");
    next_reply(&body, &error);
    cr_expect(error);
    cr_expect_eq(strncmp(body, "{\"error\":", 9), 0);
    cr_expect_null(strstr(body, "rendered"));
}

/* What is listed, while one query is executed and one waits. */
Test(jobs, queries_are_listed)
{
    struct mlog_query_info *infos;
    char *body;
    size_t n;

    mlog_digest_lock(ml->digest);
    submit(1, 1, "multilog/query", "tcp && tp_dst == 80");
    submit(2, 1, "multilog/flows", NULL);
    wait_until_running(1);

    infos = mlog_registry_list(ml->registry, &n);
    cr_assert_eq(n, 2);
    cr_expect_lt(infos[0].id, infos[1].id);
    cr_expect(infos[0].running);
    cr_expect_not(infos[1].running);
    cr_expect_not(infos[0].cancelled);
    cr_expect_str_eq(infos[0].client, "some?one");
    cr_expect_str_eq(infos[0].command,
                     "multilog/query 'tcp && tp_dst == 80'");
    free(infos);

    submit(3, 1, "multilog/query-list", NULL);
    cr_expect_eq(next_reply(&body, NULL), 3);
    cr_expect_not_null(strstr(body, "1 running, 1 waiting"));

    mlog_digest_unlock(ml->digest);
    cr_expect_eq(next_reply(NULL, NULL), 1);
    cr_expect_eq(next_reply(NULL, NULL), 2);
    mlog_registry_list(ml->registry, &n);
    cr_expect_eq(n, 0);
}

Test(jobs, long_texts_are_shortened)
{
    struct mlog_query_info *infos;
    char *text = xmalloc(1001);
    size_t n;

    memset(text, 'x', 1000);
    text[1000] = '\0';
    mlog_query_add(ml->registry, text, text);
    infos = mlog_registry_list(ml->registry, &n);
    cr_assert_eq(n, 1);
    cr_expect_eq(strlen(infos[0].command), MLOG_QUERY_TEXT_MAX - 1);
    cr_expect_str_eq(infos[0].client + MLOG_QUERY_TEXT_MAX - 5, "x...");
}

Test(jobs, short_commands_do_not_wait_for_queries)
{
    mlog_digest_lock(ml->digest);
    for (uintptr_t i = 1; i <= 100; i++) {
        submit(i, 1, "multilog/query", NULL);
    }
    wait_until_running(1);
    submit(200, 1, "multilog/fields", NULL);
    cr_expect_eq(next_reply(NULL, NULL), 200);
    submit(201, 1, "multilog/archive", "show");
    cr_expect_eq(next_reply(NULL, NULL), 201);
    mlog_digest_unlock(ml->digest);
}

/* A client with 200 queries delays another's by one at most. */
Test(jobs, clients_take_turns)
{
    mlog_digest_lock(ml->digest);
    for (uintptr_t i = 1; i <= 200; i++) {
        submit(i, 1, "multilog/query", NULL);
    }
    wait_until_running(1);
    for (uintptr_t i = 1; i <= 3; i++) {
        submit(1000 + i, 2, "multilog/query", NULL);
        submit(2000 + i, 3, "multilog/query", NULL);
    }
    mlog_digest_unlock(ml->digest);

    cr_expect_eq(next_reply(NULL, NULL), 1);
    for (int turn = 0; turn < 3; turn++) {
        bool seen[3] = { false, false, false };

        for (int i = 0; i < 3; i++) {
            seen[next_reply(NULL, NULL) / 1000] = true;
        }
        cr_expect(seen[0] && seen[1] && seen[2]);
    }
    for (int i = 0; i < 196; i++) {
        cr_expect_lt(next_reply(NULL, NULL), 1000);
    }
}

/* With several workers, who has fewer queries executed is next. */
Test(jobs, workers_are_shared_out)
{
    mlog_registry_set_workers(ml->registry, 4);
    submit(999, 9, "multilog/fields", NULL);
    cr_assert_eq(next_reply(NULL, NULL), 999);

    mlog_digest_lock(ml->digest);
    for (uintptr_t i = 1; i <= 3; i++) {
        submit(i, 1, "multilog/query", NULL);
    }
    wait_until_running(3);
    for (uintptr_t i = 4; i <= 20; i++) {
        submit(i, 1, "multilog/query", NULL);
    }
    wait_until_running(4);
    submit(100, 2, "multilog/query", NULL);
    mlog_digest_unlock(ml->digest);
    for (int i = 0; next_reply(NULL, NULL) != 100; i++) {
        cr_assert_lt(i, 16);
    }
}

Test(jobs, too_many_of_one_client_are_refused)
{
    char *body;
    bool error;

    mlog_digest_lock(ml->digest);
    submit(1, 1, "multilog/query", NULL);
    wait_until_running(1);
    for (uintptr_t i = 0; i < MLOG_JOBS_MAX_PER_CLIENT; i++) {
        submit(2 + i, 1, "multilog/query", NULL);
    }
    cr_expect_not(has_reply());
    submit(1000, 1, "multilog/query", "--format=json");
    cr_expect_eq(next_reply(&body, &error), 1000);
    cr_expect(error);
    cr_expect_not_null(strstr(body, "256 commands of this client are waiting"));
    cr_expect_eq(body[0], '{');

    /* Others, and other commands, are not. */
    submit(1001, 2, "multilog/query", NULL);
    submit(1002, 1, "multilog/fields", NULL);
    cr_expect_eq(next_reply(NULL, &error), 1002);
    cr_expect_not(error);
    mlog_digest_unlock(ml->digest);
}

Test(jobs, too_many_of_all_are_refused)
{
    uintptr_t aux = 2;
    char *body;

    mlog_digest_lock(ml->digest);
    submit(1, 1, "multilog/query", NULL);
    wait_until_running(1);
    while (aux < 2 + MLOG_JOBS_MAX) {
        submit(aux, 10 + aux / 100, "multilog/query", NULL);
        aux++;
    }
    cr_expect_not(has_reply());
    submit(aux, 5, "multilog/query", NULL);
    cr_expect_eq(next_reply(&body, NULL), aux);
    cr_expect_not_null(strstr(body, "1024 multilog commands are waiting"));
    mlog_digest_unlock(ml->digest);
}

/* Cancelled queries are answered although the worker is stuck. */
Test(jobs, cancelled_queries_are_answered_at_once)
{
    struct mlog_query_info *infos;
    char *body, *id;
    bool error;
    size_t n;

    mlog_digest_lock(ml->digest);
    submit(1, 1, "multilog/query", NULL);
    wait_until_running(1);
    submit_format(2, 1, MLOG_FORMAT_JSON, "multilog/query", NULL);
    submit(3, 1, "multilog/query", NULL);

    infos = mlog_registry_list(ml->registry, &n);
    cr_assert_eq(n, 3);
    id = xasprintf("%"PRIu64, infos[1].id);
    submit(10, 2, "multilog/query-cancel", id);
    free(infos);

    /* The one who cancels and the one who is cancelled. */
    uintptr_t a = next_reply(&body, &error);
    if (a == 10) {
        a = next_reply(&body, &error);
    } else {
        cr_expect_eq(next_reply(NULL, NULL), 10);
    }
    cr_expect_eq(a, 2);
    cr_expect(error);
    cr_expect_eq(body[0], '{');
    cr_expect_not_null(strstr(body, "cancelled by multilog/query-cancel"));

    submit(11, 2, "multilog/query-cancel", id);
    cr_expect_eq(next_reply(&body, &error), 11);
    cr_expect(error);
    cr_expect_not_null(strstr(body, "there is no query"));

    submit(12, 2, "multilog/query-cancel", "all");
    bool seen[13] = { false };
    for (int i = 0; i < 3; i++) {
        seen[next_reply(NULL, NULL)] = true;
    }
    cr_expect(seen[1] && seen[3] && seen[12]);

    infos = mlog_registry_list(ml->registry, &n);
    cr_assert_eq(n, 1);
    cr_expect(infos[0].cancelled);
    mlog_digest_unlock(ml->digest);

    /* The worker goes on, and what it brought is thrown away. */
    submit(20, 2, "multilog/query", "--count");
    cr_expect_eq(next_reply(NULL, &error), 20);
    cr_expect_not(error);
    cr_expect_not(has_reply());
}

/* Nobody gets the reply of an abandoned query, and it ends. */
Test(jobs, abandoned_queries_end)
{
    bool error;

    mlog_digest_lock(ml->digest);
    submit(1, 1, "multilog/query", NULL);
    wait_until_running(1);
    submit(2, 1, "multilog/query", NULL);
    mlog_jobs_abandon(jobs, (void *) 1);
    mlog_jobs_abandon(jobs, (void *) 2);
    mlog_digest_unlock(ml->digest);
    submit(3, 1, "multilog/query", NULL);
    cr_expect_eq(next_reply(NULL, &error), 3);
    cr_expect_not(error);
    cr_expect_not(has_reply());
}

Test(jobs, abandoned_replies_are_forgotten)
{
    unsigned int n = atomic_count_get(&n_wakes);

    submit(1, 1, "multilog/fields", NULL);
    while (atomic_count_get(&n_wakes) == n) {
        xnanosleep(1000000);
    }
    mlog_jobs_abandon(jobs, (void *) 1);
    cr_expect_not(has_reply());
}

/* At the end each has a reply. */
Test(jobs, stop_answers_all)
{
    uintptr_t seen = 0;
    char *body;

    submit(1, 1, "multilog/query", NULL);
    for (uintptr_t i = 2; i <= 50; i++) {
        submit(i, i % 3, i % 2 ? "multilog/query" : "multilog/fields", NULL);
    }
    mlog_jobs_stop(jobs);
    for (int i = 0; i < 50; i++) {
        bool error;

        seen += next_reply(&body, &error);
        cr_expect(!error || strstr(body, "shutting down"), "%s", body);
    }
    cr_expect_eq(seen, 50 * 51 / 2);
    cr_expect_not(has_reply());
}

/* Limits. */

static char *
command(const char *a, const char *b, const char *c, bool *error)
{
    const char *argv[] = { a, b, c };
    struct mlog_reply reply;

    mlog_reply_init(&reply);
    mlog_command_run(ml, c ? 3 : b ? 2 : 1, argv, &reply);
    *error = reply.error;
    return ds_steal_cstr(&reply.body);
}

static void
expect_ok(const char *a, const char *b, const char *c)
{
    bool error;
    char *body = command(a, b, c, &error);

    cr_expect_not(error, "%s", body);
}

static void
expect_error(const char *a, const char *b, const char *c, const char *message)
{
    bool error;
    char *body = command(a, b, c, &error);

    cr_expect(error);
    cr_expect_not_null(strstr(body, message), "%s", body);
}

static void
send_packets(unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        uint8_t p[60] = {
            [5] = 2, [11] = 1, [12] = 8, [14] = 0x45, [17] = 46, [22] = 64,
            [23] = 6, [26] = 10, [28] = i >> 8, [29] = i, [30] = 11,
            [37] = 80, [46] = 0x50, [47] = 2
        };
        struct mlog_capture_packet packet = { p, sizeof p, 1, 34 };

        mlog_capture_batch(ring, &packet, 1, 1, 0);
    }
    mlog_digest_lock(ml->digest);
    mlog_digest_unlock(ml->digest);
}

Test(jobs, limits_of_queries)
{
    static const char query[] = "multilog/query";

    send_packets(30000);
    expect_ok(query, "--count", "--max-rows=30000");
    expect_error(query, "--count", "--max-rows=20000", "--max-rows");
    expect_error(query, "--limit=30000", "--max-rows=1", "--max-rows");
    expect_ok(query, "--group-by=nw_src", "--max-memory=100M");
    expect_error(query, "--group-by=nw_src", "--max-memory=100k",
                 "takes more memory");
    expect_error(query, "--limit=30000", "--max-memory=100k",
                 "takes more memory");
    expect_ok(query, "--limit=100", "--max-memory=100k");
    expect_error(query, "--count", "--max-rows=0", "above 0 (column 1)");
    expect_error(query, "--count", "--max-rows=-1", "--max-rows: needs");
    expect_error(query, "--count", "--max-memory=much", "--max-memory: 'much'");
    expect_error(query, "--count", "--timeout=1us", "--timeout: must be at");
}

Test(jobs, settings_of_limits)
{
    static const char set[] = "multilog/set";
    static const char query[] = "multilog/query";
    bool error;

    send_packets(3000);
    cr_expect_not_null(strstr(command(set, "query-timeout", NULL, &error),
                              "30s/10m"));
    expect_ok(set, "query-timeout", "5s");
    cr_expect_not_null(strstr(command(set, "query-timeout", NULL, &error),
                              "5s/10m"));
    expect_ok(set, "query-timeout", "1s/2s");
    expect_ok(query, "--count", "--timeout=2s");
    expect_error(query, "--count", "--timeout=3s",
                 "--timeout: may be at most 2s");
    expect_error(set, "query-timeout", "3s", "above the maximum, 2s");
    expect_error(set, "query-timeout", "none", "query-timeout:");
    expect_error(set, "query-timeout", "1s/", "query-timeout:");

    expect_ok(set, "query-max-rows", "1000/2000");
    expect_error(query, "--count", NULL, "--max-rows");
    expect_error(query, "--count", "--max-rows=2001", "at most 2000");
    expect_error(set, "query-max-rows", "none", "above the maximum, 2000");
    expect_ok(set, "query-max-rows", "none/none");
    expect_ok(query, "--count", NULL);

    expect_ok(set, "query-max-memory", "64M/64M");
    expect_error(query, "--count", "--max-memory=65M", "at most 64M");
    expect_ok(set, "query-max-memory", "64M/none");
    expect_ok(query, "--count", "--max-memory=2G");

    expect_error(set, "query-workers", "0", "from 1 to 16");
    expect_error(set, "query-workers", "17", "from 1 to 16");
    expect_ok(set, "query-workers", "16");
}

/* What a query has cost so far can be seen. */
Test(jobs, usage_is_counted)
{
    struct mlog_query *query = mlog_query_add(ml->registry, "c", "q");
    const char *argv[] = { "multilog/query", "--group-by=nw_src" };
    struct mlog_query_info *infos;
    struct mlog_reply reply;
    size_t n;

    send_packets(3000);
    mlog_reply_init(&reply);
    mlog_command_run_query(ml, query, 2, argv, &reply);
    cr_expect_not(reply.error);
    infos = mlog_registry_list(ml->registry, &n);
    cr_assert_eq(n, 1);
    cr_expect_eq(infos[0].n_rows, 3000);
    cr_expect_gt(infos[0].memory, 3000 * 32);
    mlog_query_remove(query);
}
