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

#include "command-fixture.h"

TestSuite(command, .init = setup, .fini = teardown);

Test(command, count)
{
    struct json *json;

    send_packets(50);
    json = run_json("multilog/query 'tcp && nw_src == 10.0.0.1' --count");
    cr_expect_eq(number(json, "count"), 10);
    cr_expect_eq(number(json, "bytes"), 600);
    cr_expect_eq(number(json, "gaps"), 0);
    cr_expect_not(json_boolean(member(json, "expired")));
    cr_expect_not(has(json, "rows"));
    cr_expect_str_eq(run_csv("multilog/query drop --count"),
                     "count,bytes\n5,300\n");
    cr_expect_str_eq(run("multilog/query drop --count"),
                     "count  bytes\n-----  -----\n    5    300\n");
    json = run_json("multilog/query --until 1970-01-01T00:00:01Z --count");
    cr_expect_eq(number(json, "count"), 0);
    cr_expect_str_eq(string(json, "until"), "1970-01-01T00:00:01.000000000Z");
}

/* Whatever was captured before a command is in its answer. */
Test(command, a_query_is_at_a_cut)
{
    for (int i = 1; i <= 500; i++) {
        struct json *json;

        send_packet(i);
        json = run_json("multilog/query --count");
        cr_assert_eq(number(json, "count"), i);
        json_destroy(json);
    }
}

Test(command, rows)
{
    const struct json *row;
    struct json *json;

    send_packets(50);
    json = run_json("multilog/query 'nw_src == 10.0.0.4' --limit 3");
    cr_expect_eq(n_elements(json, "rows"), 3);
    cr_expect_eq(number(json, "shown"), 3);
    cr_expect_eq(number(json, "count"), 10);
    cr_expect(json_boolean(member(json, "truncated")));
    row = element(json, "rows", 2);
    cr_expect_eq(number(row, "in_port"), 1);
    cr_expect_str_eq(string(row, "out_port_name"), "p2");
    cr_expect_str_eq(string(row, "nw_src"), "10.0.0.4");
    cr_expect_eq(number(row, "tp_dst"), 80);
    cr_expect_str_eq(string(row, "tcp_flags"), "ack");
    cr_expect_not(has(row, "ipv6_src"));
    cr_expect_not(has(row, "drop_reason"));
    cr_expect_lt(strcmp(string(element(json, "rows", 0), "time"),
                        string(row, "time")), 0, "oldest first");

    json = run_json("multilog/query drop --fields=drop_reason,nw_src --oldest "
                    "--limit=1");
    cr_expect_eq(shash_count(json_object(element(json, "rows", 0))), 2);
    cr_expect_str_eq(without_cursor(
                         run_csv("multilog/query 'tcp_flags == +syn' "
                                 "--fields=nw_src,out_port_name --limit=2")),
                     "nw_src,out_port_name\n10.0.0.0,p2\n10.0.0.3,p2\n"
                     "# 15 older records are not shown; see --limit\n");
}

Test(command, groups)
{
    struct json *json;

    send_packets(50);
    json = run_json("multilog/query --group-by=nw_src,drop_reason --top=2 "
                    "--aggregate='avg(tcp_window),max(tp_dst),count'");
    cr_expect_eq(n_elements(json, "groups"), 2);
    cr_expect_eq(number(json, "n_groups"), 6);
    cr_expect(json_boolean(member(json, "truncated")));
    cr_expect_eq(number(member(json, "other"), "count"), 30);
    cr_expect_eq(number(member(json, "other"), "bytes"), 1800);
    cr_expect_eq(number(json, "count"), 50);
    const struct json *group = element(json, "groups", 0);
    cr_expect_str_eq(string(group, "nw_src"), "10.0.0.1");
    cr_expect_eq(number(group, "count"), 10);
    cr_expect_eq(number(group, "avg(tcp_window)"), 100);
    cr_expect_eq(number(group, "max(tp_dst)"), 80);
    cr_expect_not(has(group, "drop_reason"));

    cr_expect_str_eq(without_cursor(
                         run_csv("multilog/query 'tcp_flags == +syn' "
                                 "--group-by nw_src --by 'min(time)' "
                                 "--aggregate 'min(time)' --top 1"))
                     + strlen("nw_src,count,bytes,min(time)\n"
                              "10.0.0.2,3,180,2026-11-23T08:07:15.123456789Z"),
                     "\n# 4 more groups with 14 records, 840 bytes are not "
                     "shown; see --top\n");
}

Test(command, aggregates_without_groups)
{
    struct json *json;

    json = run_json("multilog/query --aggregate='max(pkt_len),sum(pkt_len)'");
    cr_expect_not(has(json, "max(pkt_len)"));
    cr_expect_eq(number(json, "sum(pkt_len)"), 0);
    cr_expect_eq(number(json, "count"), 0);

    send_packets(50);
    json = run_json("multilog/query --aggregate='max(pkt_len),sum(pkt_len),"
                    "count(vlan_vid),min(nw_src)'");
    cr_expect_eq(number(json, "max(pkt_len)"), 60);
    cr_expect_eq(number(json, "sum(pkt_len)"), 3000);
    cr_expect_eq(number(json, "count(vlan_vid)"), 0);
    cr_expect_str_eq(string(json, "min(nw_src)"), "10.0.0.0");
    cr_expect_str_eq(run_csv("multilog/query --aggregate='sum(pkt_len)'"),
                     "count,bytes,sum(pkt_len)\n50,3000,3000\n");
}

Test(command, flows)
{
    struct json *json;

    send_packets(52);
    json = run_json("multilog/flows --top 2 --by packets");
    cr_expect_eq(n_elements(json, "flows"), 2);
    cr_expect_eq(number(json, "n_flows"), 5);
    cr_expect_eq(number(member(json, "other"), "packets"), 30);
    const struct json *flow = element(json, "flows", 0);
    cr_expect_eq(number(flow, "packets"), 11);
    cr_expect_eq(number(flow, "bytes"), 660);
    cr_expect_str_eq(string(flow, "in_port_name"), "p1");
    cr_expect_eq(number(flow, "nw_proto"), 6);
    cr_expect_eq(number(flow, "tp_src"), 1024);
    cr_expect_lt(strcmp(string(flow, "first"), string(flow, "last")), 0);

    /* The flow id is an expression for it. */
    char *query = xasprintf("multilog/query 'flow_id == %s' --count",
                            string(flow, "flow_id"));
    cr_expect_eq(number(run_json(query), "count"), 11);
    free(query);
}

Test(command, times)
{
    send_packets(10);
    cr_expect_eq(number(run_json("multilog/query --count --last 1m"),
                        "count"), 10);
    cr_expect_eq(number(run_json("multilog/query --count --since 1m"),
                        "count"), 10);
    cr_expect_eq(number(run_json("multilog/query --count --since '1m ago' "
                                 "--until now"), "count"), 10);
    cr_expect_eq(number(run_json("multilog/query --count --until -1m"),
                        "count"), 0);
    cr_expect_eq(number(run_json("multilog/query --count --since now"),
                        "count"), 0);
    cr_expect_eq(number(run_json("multilog/query --count --since 100.5"),
                        "count"), 10);
}

/* What the digest throws away counts as lost, and every answer that covers
 * that time says so, in every format. */
Test(command, gaps)
{
    send_packets(5);
    mlog_digest_set_discard(ml->digest, true);
    send_packets(7);
    mlog_digest_set_discard(ml->digest, false);
    send_packets(5);

    struct json *json = run_json("multilog/query --count");
    cr_expect_eq(number(json, "count"), 10);
    cr_expect_eq(number(json, "gaps"), 7);
    cr_expect_eq(number(run_json("multilog/flows"), "gaps"), 7);
    cr_expect_eq(number(run_json("multilog/query --group-by=nw_src"), "gaps"),
                 7);
    cr_expect_eq(number(run_json("multilog/query --until -1h --count"),
                        "gaps"), 0);
    cr_expect_str_eq(run_csv("multilog/query --count"),
                     "count,bytes\n10,600\n# up to 7 records of this range "
                     "were lost; see multilog/show\n");
    cr_expect_not_null(strstr(run("multilog/query --fields=nw_src"),
                              "\nnote: up to 7 records of this range"));
}

Test(command, expiry)
{
    struct json *json;
    unsigned int n = 0;

    /* Room for little more than the two segments that are always there. */
    mlog_header_log_set_budget(ml->log, 24 << 20);
    do {
        send_packets(100000);
        n += 100000;
        json = run_json("multilog/query --count");
    } while (!json_boolean(member(json, "expired")) && n < 10000000);
    cr_expect_lt(number(json, "count"), n);
    cr_expect_gt(number(json, "count"), 0);
    cr_expect_not_null(strstr(run_csv("multilog/query --count"),
                              "\n# records up to 2"));
    cr_expect_not(json_boolean(member(run_json("multilog/query --count "
                                               "--last 1ms"), "expired")));
}

Test(command, a_long_reply_is_cut)
{
    struct json *json;
    char *body;

    send_packets(200000);
    body = run__("multilog/query --limit 1000000 --fields all",
                 MLOG_FORMAT_JSON, false);
    cr_expect_gt(strlen(body), MLOG_REPLY_MAX - 10000);
    cr_expect_lt(strlen(body), MLOG_REPLY_MAX + 10000);
    json = parse_object("query", body);
    cr_expect(json_boolean(member(json, "truncated")));
    cr_expect_eq(number(json, "count"), 200000);
    cr_expect_eq(number(json, "shown"), n_elements(json, "rows"));
    cr_expect_lt(number(json, "shown"), 200000);
}

Test(command, streams)
{
    struct json *json;

    run("multilog/filter-add syn 'tcp_flags == +syn-ack'");
    run("multilog/aggregate-add syns syn count window=1h group-by=nw_src");
    run("multilog/aggregate-add total syn 'sum(pkt_len)' window=1h");
    run("multilog/trigger-add scan 'syns > 2'");
    send_packets(50);

    json = run_json("multilog/filter-list");
    const struct json *filter = element(json, "filters", 0);
    cr_expect_str_eq(string(filter, "name"), "syn");
    cr_expect_eq(number(filter, "packets"), 17);
    cr_expect_eq(number(filter, "bytes"), 17 * 60);
    cr_expect_eq(number(filter, "aggregates"), 2);

    json = run_json("multilog/aggregate-list");
    cr_expect_eq(number(json, "count"), 2);
    cr_expect_str_eq(string(element(json, "aggregates", 0), "window"), "1h");
    cr_expect_eq(number(element(json, "aggregates", 0), "groups"), 5);

    json = run_json("multilog/aggregate-show syns --top 1");
    cr_expect_eq(n_elements(json, "groups"), 1);
    cr_expect_eq(number(json, "n_groups"), 5);
    cr_expect_eq(number(element(json, "groups", 0), "value"), 4);
    json = run_json("multilog/aggregate-show total");
    cr_expect_eq(number(element(json, "groups", 0), "value"), 17 * 60);

    json = run_json("multilog/trigger-list");
    cr_expect_str_eq(string(element(json, "triggers", 0), "condition"),
                     "syns > 2");
    cr_expect_eq(number(element(json, "triggers", 0), "raised"), 5);

    run("multilog/trigger-del scan");
    run("multilog/aggregate-del syns");
    run("multilog/aggregate-del total");
    run("multilog/filter-del syn");
    cr_expect_eq(number(run_json("multilog/filter-list"), "count"), 0);
    cr_expect_str_eq(run("multilog/filter-list"), "0 filters\n");
}

/* A reader with a cursor sees each alert once, whatever its limit. */
Test(command, alerts_by_cursor)
{
    int64_t next = 0, total;

    run("multilog/filter-add syn 'tcp_flags == +syn-ack'");
    run("multilog/aggregate-add syns syn count window=1h group-by=nw_src");
    run("multilog/trigger-add scan 'syns > 2'");
    send_packets(50);
    run("multilog/trigger-del scan");
    total = number(run_json("multilog/alerts"), "shown");
    cr_assert_eq(total, 10);        /* Raised and cleared. */

    for (int64_t seen = 0; seen < total;) {
        char *line = xasprintf("multilog/alerts --limit 3 --since-seq %"PRId64,
                               next);
        struct json *json = run_json(line);

        cr_assert_gt(n_elements(json, "alerts"), 0);
        for (size_t i = 0; i < n_elements(json, "alerts"); i++) {
            cr_assert_eq(number(element(json, "alerts", i), "seq"), ++seen);
        }
        next = number(json, "next_seq");
        cr_expect_eq(next, seen);
        free(line);
    }

    struct json *json = run_json("multilog/alerts --limit 1");
    const struct json *alert = element(json, "alerts", 0);
    cr_expect_eq(number(alert, "seq"), total);
    cr_expect_str_eq(string(alert, "state"), "cleared");
    cr_expect_eq(number(run_json("multilog/alerts --last 0"), "shown"), 0);
    cr_expect_eq(number(run_json("multilog/alerts --last 1m"), "shown"),
                 total);
}

/* The evidence of an alert is a query that finds its records. */
Test(command, evidence)
{
    run("multilog/filter-add syn 'tcp_flags == +syn-ack'");
    run("multilog/aggregate-add syns syn count window=1h group-by=nw_src");
    run("multilog/trigger-add scan 'syns >= 4'");
    send_packets(50);

    struct json *json = run_json("multilog/alerts");
    cr_assert_eq(n_elements(json, "alerts"), 2);
    const struct json *alert = element(json, "alerts", 0);
    char *query = xasprintf("multilog/query '%s' --since %s --until %s "
                            "--count", string(alert, "evidence"),
                            string(alert, "since"), string(alert, "until"));
    cr_expect_eq(number(run_json(query), "count"), number(alert, "value"));
    cr_expect_str_eq(string(member(alert, "key"), "nw_src"),
                     string(alert, "group") + strlen("nw_src="));
}

Test(command, show_and_set)
{
    struct json *json;

    send_packets(50);
    json = run_json("multilog/show");
    cr_expect_eq(number(member(json, "records"), "held"), 50);
    cr_expect_eq(number(member(json, "records"), "captured"), 50);
    cr_expect_eq(number(member(json, "records"), "lost"), 0);
    cr_expect_str_eq(string(element(json, "rings", 0), "name"), "test");
    cr_expect_eq(strncmp(run_csv("multilog/show"), "name,value\n", 11), 0);
    cr_expect_not_null(strstr(run("multilog/show"), "50 held"));

    run("multilog/set memory-budget 1.5G");
    cr_expect_eq(number(member(run_json("multilog/show"), "memory"), "budget"),
                 UINT64_C(3) << 29);
    cr_expect_eq(n_elements(run_json("multilog/set"), "settings"), 15);
    run("multilog/set digest off");
    cr_expect_str_eq(string(element(run_json("multilog/set digest"),
                                    "settings", 0), "value"), "off");
    run("multilog/set digest on");
    run("multilog/set digest-threads 3");
    cr_expect_str_eq(string(element(run_json("multilog/set digest-threads"),
                                    "settings", 0), "key"), "digest-threads");
    cr_expect_eq(n_elements(member(run_json("multilog/show"), "digest"),
                            "threads"), 3);
    cr_expect_not_null(strstr(run("multilog/show"), "3 threads: "));
    run("multilog/set digest-threads 1");
    run("multilog/set digest-cpus 0x1");
    cr_expect_str_eq(string(element(run_json("multilog/set digest-cpus"),
                                    "settings", 0), "value"), "0");
    run("multilog/set digest-cpus none");
    cr_expect_str_eq(string(element(run_json("multilog/set digest-cpus"),
                                    "settings", 0), "value"), "none");
    free(run__("multilog/set capture on", MLOG_FORMAT_TABLE, true));
}

static void check_error(const char *line, const char *expect);

/* What a database configured is its own. */
Test(command, owned_by_a_database)
{
    const char *const argv[] = { "row", "tcp" };

    mlog_config_begin(ml->config);
    mlog_config_want(ml->config, MLOG_KIND_FILTER, argv, 2);
    mlog_config_end(ml->config);
    mlog_digest_lock(ml->digest);
    cr_assert(mlog_config_run(ml->config));
    mlog_digest_unlock(ml->digest);
    mlog_config_own_setting(ml->config, "digest", true);

    run("multilog/filter-add mine udp");
    const struct json *list = run_json("multilog/filter-list");
    cr_expect_str_eq(string(element(list, "filters", 0), "owner"), "ovsdb");
    cr_expect_str_eq(string(element(list, "filters", 1), "owner"), "local");
    check_error("multilog/filter-del row", "filter 'row' is configured in the "
                "database; delete its row there (column 1)");
    check_error("multilog/set digest off", "digest is set in the database; "
                "change it there");
    cr_expect_str_eq(string(element(run_json("multilog/set digest"),
                                    "settings", 0), "value"), "on");
    run("multilog/aggregate-add a row count");

    /* Nothing is left of what can't be made permanent. */
    check_error("multilog/filter-add f udp --persist",
                "--persist: there is no database here");
    check_error("multilog/filter-add mine udp --persist",
                "--persist: there is no database here");
    check_error("multilog/filter-add mine tcp --persist", "there is a filter "
                "'mine' already; delete it first (column 1)");
    cr_expect_eq(n_elements(run_json("multilog/filter-list"), "filters"), 2);
    check_error("multilog/set ovsdb auto",
                "ovsdb: there is no database client here");
    cr_expect_str_eq(string(run_json("multilog/ovsdb"), "state"), "none");
}

Test(command, fields)
{
    struct json *json = run_json("multilog/fields");

    cr_expect_gt(n_elements(json, "fields"), MLOG_N_FIELDS);
    json = run_json("multilog/fields ip_src");
    cr_expect_str_eq(string(element(json, "fields", 0), "name"), "nw_src");
    json = run_json("multilog/fields tcp");
    cr_expect_str_eq(string(element(json, "fields", 0), "type"), "predicate");
}

Test(command, help)
{
    const struct mlog_command *command;

    for (size_t i = 0; (command = mlog_command_get(i)); i++) {
        char *line = xasprintf("%s --help", command->name);
        char *text = run(line);

        cr_expect(mlog_command_exists(command->name));
        cr_expect_not_null(strstr(text, command->usage));
        cr_expect_not_null(strstr(text, "--format=FORMAT"));
        cr_expect_str_eq(string(run_json(line), "help"), text);
        free(text);
        free(line);
    }
    cr_expect_not(mlog_command_exists("multilog/nothing"));
}

/* Each cell of each line of a reply in CSV belongs to a column. */
static size_t
count_cells(const char **p)
{
    size_t n = 1;
    bool quoted = false;

    for (; **p && (quoted || **p != '\n'); ++*p) {
        quoted ^= **p == '"';
        n += !quoted && **p == ',';
    }
    *p += **p == '\n';
    return n;
}

Test(command, every_reply_is_well_formed)
{
    static const char *const lines[] = {
        "multilog/show", "multilog/fields", "multilog/query",
        "multilog/query --fields all", "multilog/query --count",
        "multilog/query --group-by=nw_src,vlan_vid", "multilog/flows",
        "multilog/filter-list", "multilog/aggregate-list",
        "multilog/aggregate-show a", "multilog/aggregate-show b",
        "multilog/trigger-list", "multilog/alerts", "multilog/set",
    };

    run("multilog/filter-add f 'tcp && (tp_dst == {80, 443} || udp)'");
    run("multilog/aggregate-add a f count group-by=nw_src,tp_dst");
    run("multilog/aggregate-add b f 'avg(pkt_len)' window=10s");
    run("multilog/trigger-add t 'a > 3' period=10ms for=1ms clear=2");
    send_packets(100);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        char *csv = run_csv(lines[i]);
        const char *p = csv;
        size_t n_columns = count_cells(&p);

        json_destroy(run_json(lines[i]));
        while (*p) {
            if (*p == '#') {
                p += strcspn(p, "\n") + 1;
            } else {
                cr_assert_eq(count_cells(&p), n_columns, "%s", csv);
            }
        }
        free(csv);
    }
}

/* Errors. */

/* The configuration, without counters and times. */
static char *
configuration(void)
{
    static const char *const lines[] = {
        "multilog/filter-list", "multilog/aggregate-list",
        "multilog/trigger-list",
    };
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        char *csv = run_csv(lines[i]);
        char *save = NULL;

        for (char *line = strtok_r(csv, "\n", &save); line;
             line = strtok_r(NULL, "\n", &save)) {
            ds_put_format(&s, "%.*s\n", (int) strcspn(line, ","), line);
        }
        free(csv);
    }
    ds_put_and_free_cstr(&s, run("multilog/set"));
    return ds_steal_cstr(&s);
}

static FILE *
open_reference(void)
{
    const char *srcdir = getenv("srcdir");
    char *path = xasprintf("%s/Documentation/ref/commands.rst",
                           srcdir ? srcdir : ".");
    FILE *file = fopen(path, "r");

    free(path);
    if (!file) {
        char *slash;

        path = xstrdup(__FILE__);
        slash = strrchr(path, '/');
        cr_assert_not_null(slash);
        *slash = '\0';
        char *other = xasprintf("%s/../../Documentation/ref/commands.rst",
                                path);
        file = fopen(other, "r");
        free(other);
        free(path);
    }
    cr_assert_not_null(file, "cannot find Documentation/ref/commands.rst");
    return file;
}

static void
check_error(const char *line, const char *expect)
{
    char *body = run__(line, MLOG_FORMAT_TABLE, true);
    size_t length = strcspn(body, "\n");
    size_t n = strlen(expect);
    bool cut = n > 3 && !strcmp(expect + n - 3, "...");

    body[length] = '\0';
    n -= cut ? 3 : 0;
    cr_expect(!strncmp(body, expect, n) && (cut || length == n),
              "%s:\n is       '%s'\n expected '%s'", line, body, expect);

    struct json *json = parse_object(line, run__(line, MLOG_FORMAT_JSON,
                                                 true));
    const struct json *error = member(json, "error");
    char *column = strstr(body, " (column ");
    if (column) {
        cr_expect_eq(atoi(column + 9), number(error, "column"));
        *column = '\0';
    }
    cr_expect_str_eq(string(error, "message"), body);
    json_destroy(json);
    free(body);
}

/* Every wrong input that the reference page lists gets the error that it
 * lists, and changes nothing. */
Test(command, errors_of_the_reference_page)
{
    static const char prompt[] = "    $ ovs-appctl ";
    struct ds line = DS_EMPTY_INITIALIZER;
    char *command = NULL, *before;
    FILE *file = open_reference();
    bool errors = false;
    int n = 0;

    run("multilog/filter-add web 'tcp && tp_dst == 80'");
    run("multilog/aggregate-add hits web count group-by=nw_src");
    run("multilog/trigger-add busy 'hits > 100'");
    before = configuration();
    while (!ds_get_line(&line, file)) {
        const char *s = ds_cstr(&line);

        errors |= !strcmp(s, "The wrong inputs::");
        if (!errors) {
            continue;
        } else if (!strncmp(s, prompt, sizeof prompt - 1)) {
            command = xstrdup(s + sizeof prompt - 1);
        } else if (command) {
            check_error(command, s + 4);
            free(command);
            command = NULL;
            n++;
        }
    }
    cr_expect_gt(n, 60, "only %d errors found", n);
    cr_expect_str_eq(configuration(), before);
    fclose(file);
}

Test(command, errors_in_the_form_asked_for)
{
    char *body;

    /* Also if the format comes after what is wrong. */
    body = run__("multilog/query --nonsense -f json", MLOG_FORMAT_TABLE,
                 true);
    cr_expect_eq(body[0], '{');
    body = run__("multilog/query 'tcp &&' --format=table", MLOG_FORMAT_JSON,
                 true);
    cr_expect_neq(body[0], '{');
    body = run__("multilog/nothing --format json", MLOG_FORMAT_TABLE, true);
    cr_expect_eq(body[0], '{');
    cr_expect_str_eq(run("multilog/query --count -- ''"),
                     run("multilog/query --count"));
}

Test(command, too_long)
{
    char *expr = xmalloc(MLOG_COMMAND_MAX_BYTES + 100);
    struct ds words = DS_EMPTY_INITIALIZER;
    char *line;

    memset(expr, 'a', MLOG_COMMAND_MAX_BYTES + 99);
    expr[MLOG_COMMAND_MAX_BYTES + 99] = '\0';
    line = xasprintf("multilog/query %s", expr);
    cr_expect_not_null(strstr(run__(line, MLOG_FORMAT_TABLE, true),
                              "command too long"));
    expr[MLOG_COMMAND_MAX_BYTES - 100] = '\0';
    line = xasprintf("multilog/query %s", expr);
    cr_expect_lt(strlen(run__(line, MLOG_FORMAT_TABLE, true)), 1000);

    ds_put_cstr(&words, "multilog/query");
    for (int i = 0; i < 1000; i++) {
        ds_put_cstr(&words, " x");
    }
    cr_expect_not_null(strstr(run__(ds_cstr(&words), MLOG_FORMAT_TABLE, true),
                              "command too long"));
}

Test(command, cancelled)
{
    send_packets(10);
    atomic_store_relaxed(&ml->cancel, true);
    cr_expect_not_null(strstr(run__("multilog/query", MLOG_FORMAT_TABLE, true),
                              "cancelled"));
    cr_expect_not_null(strstr(run__("multilog/flows", MLOG_FORMAT_TABLE, true),
                              "cancelled"));
    atomic_store_relaxed(&ml->cancel, false);
    free(run("multilog/query"));
}

/* Words made of pieces that mean something and of noise: no crash, a reply
 * always, and in JSON always an object. */
static void
random_word(struct ds *word)
{
    static const char *const pieces[] = {
        "--since", "--until", "--last", "--fields", "--group-by",
        "--aggregate", "--top", "--by", "--limit", "--count", "--format",
        "--oldest", "=", ",", "(", ")", "tcp", "nw_src", "pkt_len", "sum",
        "max", "time", "1", "10s", "now", "-", "--", "&&", "==", "all",
        "json", "18446744073709551616", "\xff", "\033[", "\"", "'", "%s%n",
    };

    for (int n = random_range(5); n >= 0; n--) {
        if (random_range(8)) {
            ds_put_cstr(word, pieces[random_range(ARRAY_SIZE(pieces))]);
        } else {
            ds_put_char(word, 1 + random_range(255));
        }
    }
}

Test(command, hostile_words)
{
    send_packets(20);
    for (int round = 0; round < 20000; round++) {
        const char *argv[12];
        struct ds words[12];
        int argc = 1 + random_range(ARRAY_SIZE(argv) - 1);
        struct mlog_reply reply;

        argv[0] = mlog_command_get(random_range(5))->name;
        for (int i = 1; i < argc; i++) {
            ds_init(&words[i]);
            random_word(&words[i]);
            argv[i] = ds_cstr(&words[i]);
        }
        mlog_reply_init(&reply);
        reply.format = MLOG_FORMAT_JSON;
        mlog_command_run(ml, argc, argv, &reply);
        cr_assert_gt(reply.body.length, 0);
        if (reply.body.string[0] == '{') {
            json_destroy(parse_object("?", xstrdup(ds_cstr(&reply.body))));
        }
        mlog_reply_destroy(&reply);
        for (int i = 1; i < argc; i++) {
            ds_destroy(&words[i]);
        }
    }
}

static void *
client_main(void *aux)
{
    static const char *const lines[] = {
        "multilog/query tcp --group-by=nw_src", "multilog/flows",
        "multilog/show", "multilog/query --count", "multilog/filter-list",
    };
    uintptr_t id = (uintptr_t) aux;

    for (int i = 0; i < 300; i++) {
        struct json *json = run_json(lines[(i + id) % ARRAY_SIZE(lines)]);
        char *line = xasprintf("multilog/filter-add f%"PRIuPTR" tcp", id);

        json_destroy(json);
        free(run(line));
        free(line);
        line = xasprintf("multilog/filter-del f%"PRIuPTR, id);
        free(run(line));
        free(line);
    }
    return NULL;
}

Test(command, many_at_once)
{
    pthread_t clients[4];

    send_packets(1000);
    for (uintptr_t i = 0; i < ARRAY_SIZE(clients); i++) {
        clients[i] = ovs_thread_create("client", client_main, (void *) i);
    }
    for (int i = 0; i < 20; i++) {
        send_packets(1000);
    }
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
        xpthread_join(clients[i], NULL);
    }
    cr_expect_eq(number(run_json("multilog/query --count"), "count"), 21000);
    cr_expect_eq(number(run_json("multilog/filter-list"), "count"), 0);
}
