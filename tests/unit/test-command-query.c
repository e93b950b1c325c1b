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
                    "topk(tcp_flags,1),p0(pkt_len)' --until 2100-01-01T00:00:00Z"
                    " --since 1970-01-01T00:00:00Z");
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
