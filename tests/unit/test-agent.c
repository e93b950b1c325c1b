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


/* Hosts and aggregator, over a socket, without TLS. */

#include <config.h>

#include <criterion/criterion.h>
#include <signal.h>
#include <unistd.h>

#include "jsonrpc.h"
#include "mlog-agent.h"
#include "mlog-wire.h"
#include "mlogd-hosts.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "stream.h"
#include "timeval.h"
#include "util.h"

static struct mlogd_hosts *hosts;
static char *target;
static char *listen_on;
static size_t n_up, n_down, n_done;
static enum mlogd_outcome outcome;
static char *answer;

static void
on_up(struct mlogd_host *host OVS_UNUSED, void *aux OVS_UNUSED)
{
    n_up++;
}

static void
on_down(struct mlogd_host *host OVS_UNUSED, const char *why OVS_UNUSED,
        void *aux OVS_UNUSED)
{
    n_down++;
}

static void
on_notify(struct mlogd_host *host OVS_UNUSED, const char *method OVS_UNUSED,
          const struct json *params OVS_UNUSED, void *aux OVS_UNUSED)
{
}

static void
on_done(struct mlogd_host *host OVS_UNUSED, enum mlogd_outcome outcome_,
        const struct json *json, void *aux OVS_UNUSED)
{
    n_done++;
    outcome = outcome_;
    free(answer);
    answer = json ? json_to_string(json, JSSF_SORT) : NULL;
}

static void
setup(void)
{
    static const struct mlogd_hosts_ops ops = {
        .up = on_up, .down = on_down, .notify = on_notify
    };

    signal(SIGPIPE, SIG_IGN);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_ERR);
    hosts = mlogd_hosts_create("central", &ops);
    target = xasprintf("unix:/tmp/test-agent.%ld", (long) getpid());
    listen_on = xasprintf("p%s", target);
    cr_assert_eq(mlogd_hosts_listen(hosts, listen_on), 0);
}

static void
teardown(void)
{
    mlogd_hosts_destroy(hosts);
    unlink(target + 5);
    free(target);
    free(listen_on);
    free(answer);
}

/* Runs the aggregator until 'condition' holds, 10 s at most. */
#define RUN_UNTIL(CONDITION)                                \
    do {                                                    \
        long long int deadline = time_msec() + 10000;       \
        while (!(CONDITION)) {                              \
            cr_assert_lt(time_msec(), deadline, #CONDITION);\
            mlogd_hosts_run(hosts);                         \
            mlogd_hosts_wait(hosts);                        \
            poll_timer_wait(10);                            \
            poll_block();                                   \
        }                                                   \
    } while (0)

/* Executors. */

static struct mlog_agent_call *volatile held;
static bool was_cancelled;

static void
execute_echo(struct mlog_agent_call *call, void *aux OVS_UNUSED)
{
    ds_put_format(&call->body, "{\"words\": %"PRIuSIZE", "
                  "\"last\": \"%s\", \"client\": \"%s\"}", call->argv.n,
                  call->argv.names[call->argv.n - 1], call->client);
    mlog_agent_call_done(call);
}

static void
execute_error(struct mlog_agent_call *call, void *aux OVS_UNUSED)
{
    call->error = true;
    ds_put_cstr(&call->body, "{\"error\": \"no such field\"}");
    mlog_agent_call_done(call);
}

static void
execute_hold(struct mlog_agent_call *call, void *aux OVS_UNUSED)
{
    held = call;
}

static void
cancelled(struct mlog_agent_call *call, void *aux OVS_UNUSED)
{
    was_cancelled = true;
    call->error = true;
    ds_put_cstr(&call->body, "{\"error\": \"cancelled\"}");
    mlog_agent_call_done(call);
}

static void
execute_huge(struct mlog_agent_call *call, void *aux OVS_UNUSED)
{
    ds_put_char(&call->body, '"');
    ds_put_char_multiple(&call->body, 'x', MLOG_WIRE_MAX_ANSWER + 1);
    ds_put_char(&call->body, '"');
    mlog_agent_call_done(call);
}

static struct mlog_agent *
start(const char *host,
      void (*execute)(struct mlog_agent_call *, void *aux))
{
    struct mlog_agent_options options = {
        .life = "00000000-0000-0000-0000-000000000001",
        .execute = execute,
        .cancel = cancelled,
    };
    struct mlog_agent *agent = mlog_agent_create(&options);

    mlog_agent_set(agent, host, target);
    return agent;
}

static struct mlogd_host *
wait_for(const char *host)
{
    RUN_UNTIL(mlogd_hosts_find(hosts, host));
    return mlogd_hosts_find(hosts, host);
}

static void
ask(struct mlogd_host *host, const char *command, const char *word)
{
    const char *argv[] = { command, word };

    n_done = 0;
    mlogd_host_execute(host, 2, argv, 5000, on_done, NULL);
    RUN_UNTIL(n_done);
}

TestSuite(agent, .init = setup, .fini = teardown);

Test(agent, registers_and_says_who_it_is)
{
    struct mlog_agent *agent = start("hv1", execute_echo);
    struct mlogd_host *host = wait_for("hv1");
    struct mlog_agent_status *status;
    size_t n;

    cr_assert_str_eq(host->life, "00000000-0000-0000-0000-000000000001");
    cr_assert_str_eq(host->version, MLOG_VERSION);
    cr_assert_eq(n_up, 1);

    ask(host, "multilog/query", "tcp");         /* So it has the reply. */
    n = mlog_agent_get_status(agent, &status);
    cr_assert_eq(n, 1);
    cr_assert_eq(status[0].state, MLOG_AGENT_REGISTERED);
    cr_assert_str_eq(status[0].aggregator, "central");
    cr_assert_eq(status[0].n_calls, 1);
    mlog_agent_status_free(status, n);

    mlog_agent_destroy(agent);
    RUN_UNTIL(n_down);
    cr_assert_null(mlogd_hosts_find(hosts, "hv1"));
}

Test(agent, executes_for_the_aggregator)
{
    struct mlog_agent *agent = start("hv1", execute_echo);

    ask(wait_for("hv1"), "multilog/query", "tcp");
    cr_assert_eq(outcome, MLOGD_OK);
    cr_assert_str_eq(answer, "{\"client\":\"central\",\"last\":\"tcp\","
                     "\"words\":2}");
    mlog_agent_destroy(agent);
}

Test(agent, passes_errors_on)
{
    struct mlog_agent *agent = start("hv1", execute_error);

    ask(wait_for("hv1"), "multilog/query", "tpc");
    cr_assert_eq(outcome, MLOGD_ERROR);
    cr_assert_str_eq(answer, "{\"error\":\"no such field\"}");
    mlog_agent_destroy(agent);
}

Test(agent, refuses_commands_that_change_something)
{
    static const char *const commands[] = {
        "multilog/set", "multilog/filter-add", "multilog/trigger-del",
        "multilog/archive", "exit", "vlog/set", "",
    };
    struct mlog_agent *agent = start("hv1", execute_echo);
    struct mlogd_host *host = wait_for("hv1");

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        ask(host, commands[i], "x");
        cr_assert_eq(outcome, MLOGD_ERROR, "%s", commands[i]);
        cr_assert_str_eq(answer, "\"not a command that an aggregator may "
                         "use\"");
    }
    mlog_agent_destroy(agent);
}

Test(agent, too_long_an_answer_is_an_error)
{
    struct mlog_agent *agent = start("hv1", execute_huge);

    ask(wait_for("hv1"), "multilog/query", "x");
    cr_assert_eq(outcome, MLOGD_ERROR);
    cr_assert(strstr(answer, "too long"));
    mlog_agent_destroy(agent);
}

Test(agent, a_call_that_takes_too_long_is_cancelled)
{
    static const char *argv[] = { "multilog/query" };
    struct mlog_agent *agent = start("hv1", execute_hold);
    struct mlogd_host *host = wait_for("hv1");

    mlogd_host_execute(host, 1, argv, 200, on_done, NULL);
    RUN_UNTIL(n_done);
    cr_assert_eq(outcome, MLOGD_TIMEOUT);
    ask(host, "exit", "x");     /* "cancel" has arrived before this. */
    mlog_agent_destroy(agent);
    cr_assert(was_cancelled);
}

Test(agent, cancelling_ends_a_call)
{
    static const char *argv[] = { "multilog/query" };
    struct mlog_agent *agent = start("hv1", execute_hold);
    struct mlogd_host *host = wait_for("hv1");

    mlogd_host_cancel(host, mlogd_host_execute(host, 1, argv, 60000, on_done,
                                               NULL));
    RUN_UNTIL(n_done);
    cr_assert_eq(outcome, MLOGD_ERROR);
    cr_assert_str_eq(answer, "{\"error\":\"cancelled\"}");
    mlog_agent_destroy(agent);
}

Test(agent, a_host_that_goes_ends_its_calls)
{
    static const char *argv[] = { "multilog/query" };
    struct mlog_agent *agent = start("hv1", execute_hold);

    mlogd_host_execute(wait_for("hv1"), 1, argv, 60000, on_done, NULL);
    while (!held) {
        mlogd_hosts_run(hosts);
    }
    mlog_agent_destroy(agent);
    RUN_UNTIL(n_done);
    cr_assert_eq(outcome, MLOGD_DISCONNECTED);
}

Test(agent, of_two_hosts_with_one_name_the_second_is_refused)
{
    struct mlog_agent *first = start("hv1", execute_echo), *second;
    struct mlogd_host *host = wait_for("hv1");
    struct mlog_agent_status *status = NULL;
    size_t n = 0;

    second = start("hv1", execute_error);
    RUN_UNTIL((mlog_agent_status_free(status, n),
               n = mlog_agent_get_status(second, &status),
               n && status[0].state == MLOG_AGENT_REFUSED));
    cr_assert(strstr(status[0].error, "a host \"hv1\" is connected"));
    mlog_agent_status_free(status, n);
    cr_assert_eq(mlogd_hosts_find(hosts, "hv1"), host);
    ask(host, "multilog/query", "x");
    cr_assert_eq(outcome, MLOGD_OK);
    mlog_agent_destroy(second);
    mlog_agent_destroy(first);
}

Test(agent, comes_back_when_the_aggregator_does)
{
    static const struct mlogd_hosts_ops ops = {
        .up = on_up, .down = on_down, .notify = on_notify
    };
    struct mlog_agent *agent = start("hv1", execute_echo);

    wait_for("hv1");
    mlogd_hosts_destroy(hosts);
    cr_assert_eq(n_down, 1);
    hosts = mlogd_hosts_create("central", &ops);
    cr_assert_eq(mlogd_hosts_listen(hosts, listen_on), 0);
    ask(wait_for("hv1"), "multilog/query", "x");
    cr_assert_eq(outcome, MLOGD_OK);
    mlog_agent_destroy(agent);
}

/* What isn't an agent. */

static struct jsonrpc *
connect_raw(void)
{
    struct stream *stream;

    cr_assert_eq(stream_open_block(jsonrpc_stream_open(target, &stream,
                                                       DSCP_DEFAULT),
                                   -1, &stream), 0);
    return jsonrpc_open(stream);
}

/* Sends 'text' as the parameters of "register"; returns the answer's error, or
 * NULL. */
static char *
try_register(const char *text)
{
    struct jsonrpc *rpc = connect_raw();
    struct jsonrpc_msg *msg;
    char *error = NULL;

    jsonrpc_send(rpc, jsonrpc_create_request("register",
                                             json_from_string(text), NULL));
    for (;;) {
        jsonrpc_run(rpc);
        mlogd_hosts_run(hosts);
        if (!jsonrpc_recv(rpc, &msg)) {
            break;
        }
        poll_timer_wait(1);
        poll_block();
    }
    if (msg->type == JSONRPC_ERROR) {
        error = xstrdup(json_string(msg->error));
    }
    jsonrpc_msg_destroy(msg);
    jsonrpc_close(rpc);
    return error;
}

Test(agent, bad_registrations_are_refused)
{
    static const struct {
        const char *params;
        const char *error;
    } cases[] = {
        { "[]", "needs an object" },
        { "[1]", "needs an object" },
        { "[{}]", "version 1 of the protocol" },
        { "[{\"protocol\": \"1\"}]", "version 1 of the protocol" },
        { "[{\"protocol\": 2}]", "version 1 of the protocol" },
        { "[{\"protocol\": 1}]", "needs \"host\"" },
        { "[{\"protocol\": 1, \"host\": 7, \"life\": \"\", "
          "\"version\": \"\"}]", "needs \"host\"" },
        { "[{\"protocol\": 1, \"host\": \"\", \"life\": \"\", "
          "\"version\": \"\"}]", "1 to 64 characters" },
        { "[{\"protocol\": 1, \"host\": \"a/b\", \"life\": \"\", "
          "\"version\": \"\"}]", "consists of letters" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *error = try_register(cases[i].params);

        cr_assert_not_null(error, "%s", cases[i].params);
        cr_assert(strstr(error, cases[i].error), "%s", error);
        free(error);
    }
    cr_assert_eq(mlogd_hosts_count(hosts), 0);
}

Test(agent, one_that_sends_without_end_is_disconnected)
{
    char *block = xmalloc(65536);
    struct stream *stream;
    bool begun = false;
    int retval;

    memset(block, 'x', 65536);
    block[0] = '"';
    cr_assert_eq(stream_open_block(jsonrpc_stream_open(target, &stream,
                                                       DSCP_DEFAULT),
                                   -1, &stream), 0);
    do {
        retval = stream_send(stream, block, 65536);
        if (retval > 0 && !begun) {
            block[0] = 'x';
            begun = true;
        }
        mlogd_hosts_run(hosts);
    } while (retval > 0 || retval == -EAGAIN);
    cr_assert(retval == -EPIPE || retval == -ECONNRESET, "%d", retval);
    stream_close(stream);
    free(block);
}

Test(agent, names_and_targets_are_checked)
{
    static const char *const bad[] = {
        "tcp", "ssl", "pssl:1", "http:x", "tcp:1.2.3.4:1,x",
    };
    char *error;

    cr_assert_null(mlog_wire_check_targets(""));
    cr_assert_null(mlog_wire_check_targets("tcp:1.2.3.4:1, ssl:[::1]:2 "
                                            "unix:/x"));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        error = mlog_wire_check_targets(bad[i]);
        cr_assert_not_null(error, "%s", bad[i]);
        free(error);
    }
    cr_assert_null(mlog_wire_check_name("compute-1.example_2"));
    error = mlog_wire_check_name("x y");
    cr_assert_not_null(error);
    free(error);
}
