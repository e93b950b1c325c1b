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

/* The whole path without a switch: from packets to answers of commands. */

#include <config.h>

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdarg.h>
#include <unistd.h>

#include "mlog-command.h"
#include "mlog-ports.h"
#include "multilog.h"
#include "openvswitch/json.h"
#include "ovs-rcu.h"
#include "svec.h"
#include "util.h"

static struct multilog *ml;
static struct mlog_ring *ring;

static void
setup(void)
{
    ml = multilog_create(NULL, MULTILOG_DEFAULT_BUDGET, 1u << 16);
    ring = mlog_capture_create_ring(&ml->capture, "test",
                                    mlog_ports_datapath("test"), 0);
    mlog_ports_add(ring->datapath, 1, "p1");
    mlog_ports_add(ring->datapath, 2, "p2");
    mlog_ports_set_ofp(ring->datapath, "p1", "br0", 11);
    mlog_ports_set_ofp(ring->datapath, "p2", "br0", 12);
}

/* A TCP packet of 60 bytes from 10.0.0.'host'. */
static void
send_tcp(uint8_t host, uint16_t port, uint8_t flags, uint8_t reason)
{
    uint8_t p[60] = {
        0, 0x53, 0, 0, 0, 2, 0, 0x53, 0, 0, 0, 1, 8, 0,
        0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, host, 10, 0, 0, 99,
        0x10, 0, port >> 8, port, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags
    };
    struct mlog_capture_packet packet = { p, sizeof p, 1, 34 };

    mlog_capture_batch(ring, &packet, 1, reason ? UINT16_MAX : 2, reason);
}

/* Runs a command with JSON as format and returns what it answers. */
static struct json * __attribute__((sentinel))
run(const char *name, ...)
{
    struct svec words = SVEC_EMPTY_INITIALIZER;
    struct mlog_reply reply;
    const char *word;
    va_list args;

    svec_add(&words, name);
    va_start(args, name);
    while ((word = va_arg(args, const char *))) {
        svec_add(&words, word);
    }
    va_end(args);
    svec_add(&words, "--format=json");
    svec_terminate(&words);
    mlog_reply_init(&reply);
    mlog_command_run(ml, words.n, (const char **) words.names, &reply);

    struct json *json = json_from_string(ds_cstr(&reply.body));
    cr_assert(json && json->type == JSON_OBJECT, "%s: %s", name,
              ds_cstr(&reply.body));
    cr_assert_eq(reply.error,
                 shash_find(json_object(json), "error") != NULL,
                 "%s: %s", name, ds_cstr(&reply.body));
    mlog_reply_destroy(&reply);
    svec_destroy(&words);
    return json;
}

static long long int
get_int(const struct json *json, const char *member)
{
    const struct json *value = shash_find_data(json_object(json), member);

    cr_assert(value && value->type == JSON_INTEGER, "%s", member);
    return json_integer(value);
}

static const struct json *
get_array(const struct json *json, const char *member)
{
    const struct json *value = shash_find_data(json_object(json), member);

    cr_assert(value && value->type == JSON_ARRAY, "%s", member);
    return value;
}

static long long int
count(const char *expr)
{
    return get_int(run("multilog/query", expr, "--count", NULL), "count");
}

/* What was captured before a query was asked is in its answer: no waiting, no
 * retries. */
Test(multilog, a_query_sees_what_was_captured_before_it, .init = setup)
{
    for (int i = 1; i <= 300; i++) {
        send_tcp(i % 3, 80, 0x02, 0);
        cr_assert_eq(count("tcp"), i);
    }
    cr_expect_eq(count("nw_src == 10.0.0.1"), 100);
    cr_expect_eq(count("nw_src == 10.0.0.0/31"), 200);
    cr_expect_eq(count("in_port == 11 && out_port == \"p2\""), 300);
    cr_expect_eq(count("in_port == 12"), 0);
    cr_expect_eq(count("tcp_flags == +syn-ack"), 300);
    cr_expect_eq(count("drop"), 0);
}

/* Cuts ask for passes between ticks. */
Test(multilog, cuts_do_not_put_off_the_next_tick, .init = setup)
{
    struct mlog_header_log_stats stats;

    for (size_t i = 0; i < 800; i++) {
        struct mlog_snapshot snapshot;

        mlog_digest_cut(ml->digest, &snapshot);
        mlog_snapshot_release(&snapshot);
    }
    send_tcp(1, 80, 0x02, 0);
    for (size_t ms = 0; ms < 300; ms++) {
        usleep(1000);
        mlog_header_log_get_stats(ml->log, &stats);
        if (stats.n_rows) {
            return;
        }
    }
    cr_assert(false, "not digested after 300 ms");
}

Test(multilog, drops_are_records_with_a_reason_and_no_out_port, .init = setup)
{
    send_tcp(1, 80, 0x02, 0);
    send_tcp(1, 80, 0x02, 1);
    mlog_capture_unseen(ring, 3, 6);
    cr_expect_eq(count(""), 5);
    cr_expect_eq(count("drop"), 4);
    cr_expect_eq(count("drop_reason == meter"), 1);
    cr_expect_eq(count("drop_reason == tunnel_pop_error"), 3);
    cr_expect_eq(count("drop && out_port"), 0);
    cr_expect_eq(count("tcp"), 2);
}

/* A port's number may be given to another; records keep the name they had. */
Test(multilog, a_record_keeps_its_port, .init = setup)
{
    send_tcp(1, 80, 0x02, 0);
    mlog_digest_drain(ml->digest);
    mlog_ports_del(ring->datapath, 1);
    mlog_ports_add(ring->datapath, 1, "other");
    send_tcp(1, 80, 0x02, 0);
    send_tcp(1, 80, 0x02, 0);
    cr_expect_eq(count("in_port == p1"), 1);
    cr_expect_eq(count("in_port == other"), 2);
}

/* A filter on a port's number holds for flows that were first seen before the
 * number was known, or when it was another. */
Test(multilog, filters_follow_port_numbers, .init = setup)
{
    run("multilog/filter-add", "f", "in_port == 21", NULL);
    send_tcp(1, 80, 0x02, 0);
    mlog_digest_drain(ml->digest);
    mlog_ports_set_ofp(ring->datapath, "p1", "br0", 21);
    send_tcp(1, 80, 0x02, 0);

    const struct json *filters
        = get_array(run("multilog/filter-list", NULL), "filters");
    cr_expect_eq(get_int(json_array(filters)->elems[0], "packets"), 1);
}

/* Records that were lost are in the answers of queries that cover them. */
Test(multilog, losses_show_as_gaps, .init = setup)
{
    mlog_digest_set_discard(ml->digest, true);
    send_tcp(1, 80, 0x02, 0);
    mlog_digest_drain(ml->digest);
    mlog_digest_set_discard(ml->digest, false);
    send_tcp(1, 80, 0x02, 0);

    struct json *answer = run("multilog/query", "--count", NULL);
    cr_expect_eq(get_int(answer, "count"), 1);
    cr_expect_eq(get_int(answer, "gaps"), 1);
}

/* A filter, an aggregate and a trigger see the records after they were added;
 * one incident is one raise and one clear. */
Test(multilog, an_incident_raises_and_clears_once, .init = setup,
     .timeout = 60)
{
    run("multilog/filter-add", "syn", "tcp_flags == +syn-ack", NULL);
    run("multilog/aggregate-add", "syns", "syn", "count", "window=100ms",
        "group-by=nw_src", NULL);
    run("multilog/trigger-add", "scan", "syns > 50", NULL);
    for (int i = 0; i < 200; i++) {
        send_tcp(7, i, 0x02, 0);
        send_tcp(8, i, 0x10, 0);
    }
    send_tcp(9, 1, 0x02, 0);

    const struct json *alerts;
    for (int i = 0; i < 1000; i++) {
        alerts = get_array(run("multilog/alerts", NULL), "alerts");
        if (json_array(alerts)->n >= 2) {
            break;
        }
        usleep(10000);
    }
    usleep(50000);
    alerts = get_array(run("multilog/alerts", NULL), "alerts");
    cr_expect_eq(json_array(alerts)->n, 2, "%s", json_to_string(alerts, 0));
    cr_expect_eq(count("tcp_flags == +syn-ack && nw_src == 10.0.0.7"), 200);
}

/* Commands change nothing if they fail. */
/* Whether this process has a thread whose name begins with 'name'. */
static bool
has_thread(const char *name)
{
    DIR *dir = opendir("/proc/self/task");
    struct dirent *entry;
    bool found = false;

    cr_assert(dir);
    while ((entry = readdir(dir))) {
        char path[300], comm[32] = "";
        FILE *file;

        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        file = fopen(path, "r");
        if (file) {
            ignore(fgets(comm, sizeof comm, file));
            fclose(file);
        }
        found |= !strncmp(comm, name, strlen(name));
    }
    closedir(dir);
    return found;
}

/* The system cuts off names, or refuses them, after 15 bytes.  Threads name
 * themselves, when they get to run. */
Test(multilog, its_threads_have_names, .init = setup)
{
    static const char *const names[] = {
        "mlog_digest", "mlog_helper", "mlog_archiver",
    };

    multilog_set_digest_threads(ml, MLOG_LANES_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        for (int ms = 0; !has_thread(names[i]); ms++) {
            cr_assert(ms < 10000, "%s", names[i]);
            usleep(1000);
        }
    }
}

Test(multilog, bad_commands_change_nothing, .init = setup)
{
    run("multilog/filter-add", "web", "tp_dst == 80", NULL);
    run("multilog/filter-add", "web", "tp_dst == 81", NULL);
    run("multilog/filter-add", "bad", "tp_dst == ", NULL);
    run("multilog/filter-add", "1bad", "tp_dst == 80", NULL);
    run("multilog/aggregate-add", "a", "nosuch", "count", NULL);
    run("multilog/aggregate-add", "a", "web", "sum", NULL);
    run("multilog/aggregate-add", "a", "web", "sum(nosuch)", NULL);
    run("multilog/trigger-add", "t", "nosuch > 1", NULL);
    run("multilog/filter-del", "nosuch", NULL);
    run("multilog/set", "memory-budget", "1", NULL);
    run("multilog/set", "nosuch", "1", NULL);

    const struct json *filters
        = get_array(run("multilog/filter-list", NULL), "filters");
    cr_expect_eq(json_array(filters)->n, 1);
    cr_expect_eq(json_array(get_array(run("multilog/aggregate-list", NULL),
                                      "aggregates"))->n, 0);
    cr_expect_eq(json_array(get_array(run("multilog/trigger-list", NULL),
                                      "triggers"))->n, 0);
}
