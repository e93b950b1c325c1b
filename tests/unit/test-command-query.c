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

TestSuite(command_query, .init = setup, .fini = teardown);

static double
real(const struct json *object, const char *name)
{
    return json_real(member(object, name));
}

static const struct json *
at(const struct json *array, size_t i)
{
    cr_assert_lt(i, json_array(array)->n);
    return json_array(array)->elems[i];
}

/* In 50 packets, each of 5 sources has 10, and 17 are SYNs. */
Test(command_query, functions)
{
    struct json *json;
    const struct json *top;
    char *text;

    send_packets(50);
    json = run_json("multilog/query --aggregate 'stddev(pkt_len),rate,"
                    "distinct(nw_src),p50(pkt_len),percentile(nw_ttl,99.9),"
                    "topk(tcp_flags,1),p0(pkt_len)' "
                    "--until 2100-01-01T00:00:00Z "
                    "--since 1970-01-01T00:00:00Z");
    cr_expect_eq(number(json, "count"), 50);
    cr_expect_eq(real(json, "stddev(pkt_len)"), 0);
    cr_expect_eq(number(json, "distinct(nw_src)"), 5);
    cr_expect_eq(number(json, "p50(pkt_len)"), 60);
    cr_expect_eq(number(json, "p0(pkt_len)"), 60);
    cr_expect_eq(number(json, "p99.9(nw_ttl)"), 64);
    cr_expect_gt(real(json, "rate"), 0);
    cr_expect_float_eq(real(json, "rate") * real(json, "seconds"), 50, 1e-6);
    top = member(json, "topk(tcp_flags,1)");
    cr_expect_eq(json_array(top)->n, 1);
    cr_expect_eq(number(at(top, 0), "count"), 33);
    cr_expect_not(has(json, "estimated"));

    text = run("multilog/query 'nw_src == 10.0.0.1' --aggregate "
               "'topk(nw_src)'");
    cr_expect(strstr(text, "10.0.0.1 (10)"), "%s", text);
    text = run_csv("multilog/query udp --aggregate 'topk(nw_src),p9(pkt_len),"
                   "distinct(nw_src),stddev(pkt_len),rate'");
    cr_expect(strstr(text, "\n0,0,[],,0,,"), "%s", text);
}

Test(command_query, buckets)
{
    struct json *json;
    uint64_t count = 0;

    send_packets(50);
    json = run_json("multilog/query --bucket 1h --last 3h --group-by nw_src "
                    "--aggregate rate");
    cr_expect_geq(n_elements(json, "buckets"), 5);
    cr_expect(has(element(json, "buckets", 0), "bucket"));
    cr_expect(has(element(json, "buckets", 0), "nw_src"));
    cr_expect_eq(number(json, "bucket_ns"), INT64_C(3600000000000));
    cr_expect_eq(real(json, "seconds"), 3600);

    json = run_json("multilog/query --bucket 1m --last 10m");
    cr_expect_eq(n_elements(json, "buckets"), 11);
    cr_expect_eq(number(json, "n_buckets"), 11);
    for (size_t i = 0; i < 11; i++) {
        count += number(element(json, "buckets", i), "count");
    }
    cr_expect_eq(count, 50);
    json = run_json("multilog/query --bucket 1m --last 10m --by count "
                    "--having 'count > 0' --top 1");
    cr_expect_leq(number(json, "n_buckets"), 2);
    cr_expect_eq(n_elements(json, "buckets"), 1);
    cr_expect_gt(number(element(json, "buckets", 0), "count"), 0);
}

/* Every tenth packet is dropped: those of source 0. */
Test(command_query, distinct_and_order)
{
    struct json *json;
    char *text;

    send_packets(50);
    json = run_json("multilog/query --distinct nw_src,drop_reason");
    cr_expect_eq(n_elements(json, "distinct"), 6);
    cr_expect_eq(number(json, "n_distinct"), 6);
    cr_expect_eq(number(json, "count"), 50);
    cr_expect_not(json_boolean(member(json, "truncated")));
    cr_expect_not(has(element(json, "distinct", 0), "count"));
    text = run_csv("multilog/query --distinct nw_src --order-by=-nw_src "
                   "--limit 2");
    cr_expect(!strncmp(text, "nw_src\n10.0.0.4\n10.0.0.3\n#", 26), "%s", text);
    cr_expect_str_eq(run_csv("multilog/query --group-by nw_src --by=-count "
                             "--having 'count >= 10 && bytes < 601' --top 5 "
                             "'!drop'"),
                     "nw_src,count,bytes\n10.0.0.1,10,600\n10.0.0.2,10,600\n"
                     "10.0.0.3,10,600\n10.0.0.4,10,600\n");
    cr_expect_str_eq(run_csv("multilog/query --group-by nw_src "
                             "--order-by bytes,-nw_src '!drop'"),
                     "nw_src,count,bytes\n10.0.0.0,5,300\n10.0.0.4,10,600\n"
                     "10.0.0.3,10,600\n10.0.0.2,10,600\n10.0.0.1,10,600\n");
}

/* Pages. */

/* Appends the values of nw_src and tcp_ack of the rows to 'ds'. */
static void
put_rows(const struct json *json, struct ds *ds)
{
    for (size_t i = 0; i < n_elements(json, "rows"); i++) {
        const struct json *row = element(json, "rows", i);

        ds_put_format(ds, "%s %s\n", string(row, "time"),
                      string(row, "nw_src"));
    }
}

static struct json *
next_page(const char *command, const struct json *page)
{
    char *line = xasprintf("%s --cursor=%s", command, string(page, "next"));
    struct json *json = run_json(line);

    free(line);
    return json;
}

/* Pages of the oldest rows, while packets come, are the answer of the first
 * page's cut. */
Test(command_query, pages_are_stable_at_their_cut)
{
    static const char command[] = "multilog/query 'nw_src != 10.0.0.2' "
                                  "--fields time,nw_src --oldest --limit 7";
    struct ds all = DS_EMPTY_INITIALIZER, pages = DS_EMPTY_INITIALIZER;
    struct json *json;
    char *cut;
    int n = 1;

    send_packets(50);
    json = run_json("multilog/query 'nw_src != 10.0.0.2' --limit 1000");
    put_rows(json, &all);
    json = run_json(command);
    cut = xstrdup(string(json, "cut"));
    put_rows(json, &pages);
    while (has(json, "next")) {
        cr_assert(json_boolean(member(json, "truncated")));
        send_packets(3);
        json = next_page(command, json);
        cr_expect_eq(number(json, "count"), 40);
        cr_expect_eq(number(json, "skipped"), 7 * n++);
        cr_expect_str_eq(string(json, "cut"), cut);
        cr_expect_not(has(json, "missing"));
        put_rows(json, &pages);
    }
    cr_expect_eq(n, 6);
    cr_expect_str_eq(ds_cstr(&pages), ds_cstr(&all));
}

Test(command_query, pages_of_other_kinds)
{
    static const char *const commands[] = {
        "multilog/query --limit 11 --fields nw_src,time",
        "multilog/query --order-by=-nw_src --limit 11",
        "multilog/query --group-by nw_src,drop_reason --top 2",
        "multilog/query --distinct nw_src,drop_reason --limit 2",
        "multilog/query --bucket 1m --last 10m --top 4",
        "multilog/flows --top 2",
    };
    static const char *const names[] = {
        "rows", "rows", "groups", "distinct", "buckets", "flows"
    };
    static const size_t totals[] = { 50, 50, 6, 6, 11, 5 };

    send_packets(50);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        struct json *json = run_json(commands[i]);
        size_t n = n_elements(json, names[i]);
        size_t n_pages = 1;

        while (has(json, "next")) {
            json = next_page(commands[i], json);
            cr_assert_gt(n_elements(json, names[i]), 0);
            n += n_elements(json, names[i]);
            n_pages++;
        }
        cr_expect_not(json_boolean(member(json, "truncated")));
        cr_expect_eq(n, totals[i], "%s: %"PRIuSIZE, commands[i], n);
        cr_expect_gt(n_pages, 1);
    }
}

/* Each record is seen once, whatever the limit. */
Test(command_query, follow)
{
    struct json *json = run_json("multilog/query --since-cursor now");
    unsigned int n_sent = 0, n_seen = 0;

    for (int round = 0; round < 40; round++) {
        unsigned int n = random_range(20);
        char *line;

        send_packets(n);
        n_sent += n;
        line = xasprintf("multilog/query --limit %u --since-cursor=%s",
                         1 + random_range(15), string(json, "next"));
        json = run_json(line);
        n_seen += n_elements(json, "rows");
        cr_assert_leq(n_seen, n_sent);
        if (!json_boolean(member(json, "truncated"))) {
            cr_assert_eq(n_seen, n_sent);
        }
    }
    while (json_boolean(member(json, "truncated"))) {
        json = run_json(xasprintf("multilog/query --since-cursor %s",
                                  string(json, "next")));
        n_seen += n_elements(json, "rows");
    }
    cr_expect_eq(n_seen, n_sent);
    json = run_json("multilog/query --since-cursor=oldest --limit 100000");
    cr_expect_eq(n_elements(json, "rows"), n_sent);
}

static void
expect_error(const char *line, const char *message)
{
    char *body = run__(line, MLOG_FORMAT_TABLE, true);

    cr_expect(strstr(body, message), "%s: %s", line, body);
    free(body);
}

/* Pages tell of what expires between them: how many of all, and at the end how
 * many of those that the first page had counted. */
Test(command_query, expiry_between_pages)
{
    static const char command[] = "multilog/query 'nw_src == 10.0.0.1' "
                                  "--limit 15000 --fields nw_src";
    struct json *page;
    int64_t n_shown, n_pages = 1, count;
    bool told = false;

    mlog_header_log_set_budget(ml->log, 24 << 20);
    send_packets(300000);
    page = run_json(command);
    count = number(page, "count");
    cr_assert_eq(count, 60000);
    n_shown = n_elements(page, "rows");
    for (int i = 0; i < 40; i++) {
        struct json *json;
        bool expired;

        send_packets(250000);
        json = run_json("multilog/query --count");
        expired = json_boolean(member(json, "expired"));
        json_destroy(json);
        if (expired) {
            break;
        }
    }
    while (has(page, "next")) {
        page = next_page(command, page);
        cr_expect_eq(number(page, "count"), count);
        n_shown += n_elements(page, "rows");
        told |= has(page, "expired_meanwhile");
        n_pages++;
    }
    cr_expect(told);
    cr_expect_lt(n_shown, count);
    cr_expect_eq(n_shown + number(page, "missing"), count);
}

/* An order takes memory, which has a limit. */
Test(command_query, orders_within_the_budget)
{
    send_packets(20000);
    expect_error("multilog/query --order-by pkt_len --limit 20000 "
                 "--max-memory 100k", "memory");
    json_destroy(run_json("multilog/query --order-by pkt_len --limit 100 "
                          "--max-memory 100k"));
}

Test(command_query, wrong_cursors)
{
    struct json *json;
    const char *next;

    send_packets(50);
    json = run_json("multilog/query tcp --limit 7");
    next = string(json, "next");
    expect_error(xasprintf("multilog/query udp --cursor=%s", next),
                 "of another query");
    expect_error(xasprintf("multilog/query tcp --oldest --cursor=%s", next),
                 "of another query");
    expect_error(xasprintf("multilog/query tcp --last 5s --cursor=%s", next),
                 "of another query");
    expect_error(xasprintf("multilog/flows tcp --cursor=%s", next),
                 "of another query");
    expect_error(xasprintf("multilog/query tcp --since-cursor=%s", next),
                 "of another query");
    expect_error(xasprintf("multilog/query tcp --cursor=%sA", next),
                 "not a cursor");
    expect_error("multilog/query tcp --cursor=", "not a cursor");
    json = run_json(xasprintf("multilog/query tcp --limit 3 --cursor %s "
                              "--timeout 5s --max-rows 1000000 "
                              "--max-memory 1M --format json", next));
    cr_expect_eq(n_elements(json, "rows"), 3);
    cr_expect_eq(number(json, "skipped"), 7);
}

/* Filters and plans. */

Test(command_query, filter_by_name)
{
    struct json *json;

    send_packets(50);
    run("multilog/filter-add syns 'tcp_flags == +syn || udp'");
    json = run_json("multilog/query --filter syns --count");
    cr_expect_eq(number(json, "count"), 17);
    json = run_json("multilog/query filter=syns --count");
    cr_expect_eq(number(json, "count"), 17);
    json = run_json("multilog/query 'nw_src == 10.0.0.0 || nw_src == 10.0.0.1'"
                    " --filter syns --count");
    cr_expect_eq(number(json, "count"), 7);
    json = run_json("multilog/query ip,nw_src=10.0.0.0 --filter syns "
                    "--count");
    cr_expect_eq(number(json, "count"), 4);
    json = run_json("multilog/flows --filter=syns");
    cr_expect_eq(number(json, "count"), 17);

    /* A cursor is of the filter as it was. */
    json = run_json("multilog/query --filter syns --limit 5");
    run("multilog/filter-del syns");
    run("multilog/filter-add syns tcp");
    expect_error(xasprintf("multilog/query --filter syns --cursor=%s",
                           string(json, "next")), "of another query");
}

Test(command_query, explain)
{
    const struct json *explain, *plan, *terms;
    struct json *json;
    char *text;

    send_packets(50);
    json = run_json("multilog/query 'nw_src == 10.0.0.1 && pkt_len > 50 && "
                    "!drop && time > 1970-01-02T00:00:00Z' --count "
                    "--explain");
    cr_expect_eq(number(json, "count"), 10);
    explain = member(json, "explain");
    plan = member(explain, "plan");
    terms = member(plan, "terms");
    cr_assert_eq(json_array(terms)->n, 4);
    cr_expect_str_eq(string(at(terms, 0), "by"), "flow table and postings");
    cr_expect_str_eq(string(at(terms, 1), "by"), "zone maps, then rows");
    cr_expect_str_eq(string(at(terms, 2), "by"), "rows");
    cr_expect_str_eq(string(at(terms, 3), "by"), "bisection");
    cr_expect_eq(number(plan, "records"), 50);
    cr_expect_eq(number(member(explain, "segments"), "considered"), 1);
    cr_expect_eq(number(member(explain, "rows"), "examined"), 50);
    cr_expect_geq(number(member(explain, "time_us"), "query"), 0);

    json = run_json("multilog/query tcp --group-by nw_src --explain=plan");
    cr_expect(has(json, "explain"));
    cr_expect_not(has(json, "groups"));
    cr_expect_not(has(member(json, "explain"), "rows"));
    text = run("multilog/flows tcp --explain");
    cr_expect(strstr(text, "plan: tcp: by flow table and postings\n"), "%s",
              text);
    cr_expect(strstr(text, "took: 1 segments"), "%s", text);
    text = run_csv("multilog/query tcp --count --explain");
    cr_expect(strstr(text, "# plan: tcp: by "), "%s", text);
    expect_error("multilog/query --explain=plans", "needs nothing or");
    expect_error("multilog/query --explain plan", "plan");
}
