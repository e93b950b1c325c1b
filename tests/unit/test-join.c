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

#include "../log-append.h"
#include "mlog-command.h"
#include "mlog-ports.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "util.h"

#define T0 UINT64_C(1700000000000000000)
#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define SYN TCP_SYN
#define ACK TCP_ACK
#define FIN TCP_FIN

static struct multilog *ml;

/* A TCP packet from 10.0.0.'src' port 'tp_src' to 10.0.0.'dst' port 'tp_dst',
 * 'us' after T0. */
static void
tcp(uint8_t src, uint16_t tp_src, uint8_t dst, uint16_t tp_dst,
    uint16_t flags, uint32_t len, uint64_t us)
{
    struct mlog_flow_key key = {
        .src[3] = htonl(0x0a000000 + src), .dst[3] = htonl(0x0a000000 + dst),
        .tp_src = tp_src, .tp_dst = tp_dst, .nw_proto = IPPROTO_TCP,
        .dl_type = ETH_TYPE_IP, .in_port = MLOG_PORT_NONE,
        .has = (MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO | MLOG_HAS_PORTS
                | MLOG_HAS_TCP),
    };
    struct mlog_row row = { .len_ttl = len << 8 | src, .tcp_flags = flags };

    log_append(ml, &key, &row, MLOG_PORT_NONE, T0 + us * US);
}

static void
arp(uint8_t spa, uint8_t tpa, uint64_t us)
{
    struct mlog_flow_key key = {
        .src[3] = htonl(0x0a000000 + spa), .dst[3] = htonl(0x0a000000 + tpa),
        .dl_type = ETH_TYPE_ARP, .nw_proto = 1, .in_port = MLOG_PORT_NONE,
        .has = MLOG_HAS_ETH | MLOG_HAS_ARP,
    };
    struct mlog_row row = { .len_ttl = 42 << 8 };

    log_append(ml, &key, &row, MLOG_PORT_NONE, T0 + us * US);
}

static void
begin(void)
{
    ml = multilog_create(NULL, MULTILOG_DEFAULT_BUDGET, 1024);
    log_append_begin(ml);
}

static char *
run_words(const char *words[], bool error, enum mlog_format format)
{
    struct mlog_reply reply;
    char *body;
    int n = 0;

    while (words[n]) {
        n++;
    }
    mlog_reply_init(&reply);
    reply.format = format;
    mlog_command_run(ml, n, words, &reply);
    body = xstrdup(ds_cstr(&reply.body));
    cr_assert_eq(reply.error, error, "%s", body);
    mlog_reply_destroy(&reply);
    return body;
}

/* The rows of the reply as CSV, without columns' names and notes. */
static char *
csv(const char *words[])
{
    char *body = run_words(words, false, MLOG_FORMAT_CSV);
    char *rows = strchr(body, '\n') + 1;
    char *note = !strncmp(rows, "# ", 2) ? rows : strstr(rows, "\n# ");

    if (note) {
        note[note != rows] = '\0';
    }
    return rows;
}

static struct json *
json(const char *words[])
{
    struct json *json = json_from_string(run_words(words, false,
                                                   MLOG_FORMAT_JSON));

    cr_assert_eq(json->type, JSON_OBJECT);
    return json;
}

static const struct json *
member(const struct json *object, const char *name)
{
    const struct json *value = shash_find_data(json_object(object), name);

    cr_assert_not_null(value, "'%s' is missing in %s", name,
                       json_to_string(object, 0));
    return value;
}

static int64_t
number(const struct json *object, const char *name)
{
    return json_integer(member(object, name));
}

static double
real(const struct json *object, const char *name)
{
    const struct json *value = member(object, name);

    return (value->type == JSON_INTEGER ? json_integer(value)
            : json_real(value));
}

static void
check_error(const char *words[], const char *message)
{
    char *body = run_words(words, true, MLOG_FORMAT_TABLE);

    cr_expect_eq(strncmp(body, message, strlen(message)), 0, "%s", body);
}

#define WORDS(...) ((const char *[]) { __VA_ARGS__, NULL })
#define JOIN(L, R, ...) WORDS("multilog/join", L, R, __VA_ARGS__)
#define SYNS "tcp_flags == +syn-ack"
#define FINS "tcp_flags == +fin"

/* SYNs to .1, .2 and .3; FINs to .2, .3 and .4. */
static void
syns_and_fins(void)
{
    begin();
    for (uint8_t dst = 1; dst <= 3; dst++) {
        for (int i = 0; i < dst * 2; i++) {
            tcp(9, 1000 + i, dst, 80, SYN, 60, dst);
        }
    }
    for (uint8_t dst = 2; dst <= 4; dst++) {
        tcp(9, 1000, dst, 80, FIN | ACK, 50 + dst, 100);
    }
    arp(1, 2, 200);
    log_append_end(ml);
}

Test(join, kinds)
{
    syns_and_fins();
    cr_expect_str_eq(csv(JOIN(SYNS, FINS, "--on=nw_dst")),
                     "10.0.0.3,6,360,1,53,5,6\n10.0.0.2,4,240,1,52,3,4\n");
    cr_expect_str_eq(csv(JOIN(SYNS, FINS, "--on=nw_dst", "--kind=left")),
                     "10.0.0.3,6,360,1,53,5,6\n10.0.0.2,4,240,1,52,3,4\n"
                     "10.0.0.1,2,120,0,0,2,\n");
    cr_expect_str_eq(csv(JOIN(SYNS, FINS, "--on=nw_dst", "--kind=outer")),
                     "10.0.0.3,6,360,1,53,5,6\n10.0.0.2,4,240,1,52,3,4\n"
                     "10.0.0.1,2,120,0,0,2,\n10.0.0.4,0,0,1,54,-1,0\n");
    cr_expect_str_eq(csv(JOIN(SYNS, FINS, "--on=nw_dst", "--kind=anti")),
                     "10.0.0.1,2,120,0,0,2,\n");
}

Test(join, records_without_a_key_take_no_part)
{
    struct json *answer;

    syns_and_fins();
    answer = json(JOIN("", "", "--on=nw_src", "--kind=outer"));
    cr_expect_eq(number(member(answer, "left"), "count"), 16);
    cr_expect_eq(number(member(answer, "left"), "groups"), 1);
    cr_expect_eq(number(answer, "n_groups"), 1);
}

Test(join, keys_of_different_names)
{
    syns_and_fins();
    cr_expect_str_eq(csv(JOIN("arp", "tcp", "--on=arp_tpa=nw_dst")),
                     "10.0.0.2,1,42,5,292,-4,0.2\n");
    cr_expect_str_eq(csv(JOIN("arp", "tcp", "--on=arp_spa=l3_dst")),
                     "10.0.0.1,1,42,2,120,-1,0.5\n");
}

Test(join, having_by_compute)
{
    syns_and_fins();
    cr_expect_str_eq(csv(JOIN(SYNS, FINS, "--on=nw_dst", "--kind=left",
                              "--having=r.count < 0.2 * l.count",
                              "--by=0 - l.count")),
                     "10.0.0.1,2,120,0,0,2,\n10.0.0.3,6,360,1,53,5,6\n");
    cr_expect_str_eq(csv(JOIN(SYNS, FINS, "--on=nw_dst", "--kind=outer",
                              "--aggregate=r.max(pkt_len),l.sum(pkt_len)",
                              "--compute=x=l.bytes / r.count,r.avg(nw_ttl)",
                              "--by=r.max(pkt_len)")),
                     "10.0.0.4,0,0,1,54,-1,0,54,0,0,9\n"
                     "10.0.0.3,6,360,1,53,5,6,53,360,360,9\n"
                     "10.0.0.2,4,240,1,52,3,4,52,240,240,9\n"
                     "10.0.0.1,2,120,0,0,2,,,120,,\n");
}

/* SYNs and FINs of different buckets have nothing to do with each other. */
Test(join, buckets)
{
    syns_and_fins();
    cr_expect_str_eq(csv(JOIN(SYNS, FINS, "--on=nw_dst", "--bucket=50us")),
                     "");
    cr_expect_str_eq(csv(JOIN(SYNS, FINS, "--on=nw_dst", "--bucket=3us",
                              "--kind=outer", "--top=4")),
                     "2023-11-14T22:13:20.000001000Z,10.0.0.3,6,360,0,0,6,\n"
                     "2023-11-14T22:13:20.000001000Z,10.0.0.2,4,240,0,0,4,\n"
                     "2023-11-14T22:13:20.000001000Z,10.0.0.1,2,120,0,0,2,\n"
                     "2023-11-14T22:13:20.000100000Z,10.0.0.2,0,0,1,52,-1,0"
                     "\n");
    cr_expect_str_eq(csv(JOIN(SYNS, FINS, "--on=nw_dst", "--bucket=1s")),
                     "2023-11-14T22:13:20.000000000Z,10.0.0.3,6,360,1,53,5,6\n"
                     "2023-11-14T22:13:20.000000000Z,10.0.0.2,4,240,1,52,3,4\n"
                     );
}

Test(join, top_says_what_it_leaves_out)
{
    struct json *answer;

    syns_and_fins();
    answer = json(JOIN(SYNS, FINS, "--on=nw_dst", "--kind=outer", "--top=1"));
    cr_expect_eq(json_array(member(answer, "groups"))->n, 1);
    cr_expect_eq(number(answer, "n_groups"), 4);
    cr_expect(json_boolean(member(answer, "truncated")));
    cr_expect_eq(number(answer, "count"), 15);
}

/* Three SYNs, of which the last one gets no answer in time, and answers; one
 * is to another port. */
static void
handshakes(void)
{
    begin();
    tcp(1, 1000, 2, 80, SYN, 60, 0);
    tcp(1, 1001, 2, 80, SYN, 60, 10);
    tcp(2, 80, 1, 1000, SYN | ACK, 60, 100);
    tcp(2, 80, 1, 7777, SYN | ACK, 60, 110);
    tcp(2, 80, 1, 1001, SYN | ACK, 60, 310);
    tcp(2, 80, 1, 1001, SYN | ACK, 60, 400);
    tcp(1, 1002, 2, 80, SYN, 60, 1000);
    tcp(2, 80, 1, 1002, SYN | ACK, 60, 2001);
    log_append_end(ml);
}
#define SYN_ACKS "tcp_flags == +syn+ack"

Test(pairs, each_left_record_with_the_nearest_right_one)
{
    const struct json *latency;
    struct json *answer;

    handshakes();
    cr_expect_str_eq(
        csv(JOIN(SYNS, SYN_ACKS, "--on=reverse", "--within=1ms",
                 "--fields=l.tp_src,r.tp_dst")),
        "2023-11-14T22:13:20.000010000Z,2023-11-14T22:13:20.000310000Z,300,"
        "10.0.0.1,10.0.0.2,6,1001,80,1001,1001\n"
        "2023-11-14T22:13:20.000000000Z,2023-11-14T22:13:20.000100000Z,100,"
        "10.0.0.1,10.0.0.2,6,1000,80,1000,1000\n");
    answer = json(JOIN(SYNS, SYN_ACKS, "--on=reverse", "--within=1ms"));
    cr_expect_eq(number(answer, "n_pairs"), 2);
    cr_expect_eq(number(answer, "n_left"), 3);
    cr_expect_eq(number(answer, "n_right"), 5);
    cr_expect_eq(number(answer, "n_unpaired"), 1);
    cr_expect_eq(number(answer, "n_waiting"), 0);
    latency = member(answer, "latency_us");
    cr_expect_eq(real(latency, "min"), 100);
    cr_expect_eq(real(latency, "avg"), 200);
    cr_expect_eq(real(latency, "p50"), 100);
    cr_expect_eq(real(latency, "p99"), 300);
    cr_expect_eq(real(latency, "max"), 300);

    /* The limit itself is within. */
    answer = json(JOIN(SYNS, SYN_ACKS, "--on=reverse", "--within=1001us"));
    cr_expect_eq(number(answer, "n_pairs"), 3);
}

Test(pairs, the_newest)
{
    handshakes();
    cr_expect_str_eq(
        csv(JOIN(SYNS, SYN_ACKS, "--on=tp_src=tp_dst", "--within=1s",
                 "--by=time", "--top=1")),
        "2023-11-14T22:13:20.001000000Z,2023-11-14T22:13:20.002001000Z,1001,"
        "1002\n");
}

/* A left record may be the last one that was asked for. */
Test(pairs, the_right_side_goes_on_for_within)
{
    struct json *answer;

    handshakes();
    answer = json(JOIN(SYNS, SYN_ACKS, "--on=reverse", "--within=1ms",
                       "--until=2023-11-14T22:13:20.000010Z"));
    cr_expect_eq(number(answer, "n_left"), 2);
    cr_expect_eq(number(answer, "n_pairs"), 2);
}

/* Whatever matches both sides is paired with the next one. */
Test(pairs, a_record_is_not_its_own_partner)
{
    struct json *answer;

    begin();
    for (int i = 0; i < 5; i++) {
        tcp(1, 1, 2, 2, ACK, 60, i * 10);
    }
    log_append_end(ml);
    answer = json(JOIN("tcp", "tcp", "--on=flow", "--within=1s"));
    cr_expect_eq(number(answer, "n_pairs"), 4);
    cr_expect_eq(number(answer, "n_unpaired"), 1);
    cr_expect_eq(real(member(answer, "latency_us"), "max"), 10);
}

/* One answer for all that have waited for it. */
Test(pairs, several_left_records_share_a_partner)
{
    struct json *answer;

    begin();
    for (int i = 0; i < 1000; i++) {
        tcp(1, 1, 2, 2, SYN, 60, i);
    }
    tcp(2, 2, 1, 1, SYN | ACK, 60, 1000);
    log_append_end(ml);
    answer = json(JOIN(SYNS, SYN_ACKS, "--on=reverse", "--within=500us"));
    cr_expect_eq(number(answer, "n_pairs"), 500);
    cr_expect_eq(number(answer, "n_unpaired"), 500);
    cr_expect_eq(real(member(answer, "latency_us"), "p50"), 250);
}

Test(pairs, records_that_wait_are_bounded)
{
    begin();
    for (uint64_t i = 0; i < 1800000; i++) {
        tcp(i, i >> 8, 2, 80, SYN, 60, i);
    }
    log_append_end(ml);
    check_error(JOIN(SYNS, SYN_ACKS, "--on=reverse", "--within=1h"),
                "too many pairs: more than 16777216, or more left records "
                "without a partner at once than fit into 256 MiB");
    check_error(JOIN("", "", "--on=tcp_seq,time"), "too many groups on the "
                "left side: more than 1000000");
}

/* Expressions that are too long to be looked up as one. */
Test(pairs, long_expressions)
{
    struct ds expr = DS_EMPTY_INITIALIZER;
    struct json *answer;

    handshakes();
    ds_put_cstr(&expr, SYNS " && tp_dst == {80");
    for (int i = 100; i < 700; i++) {
        ds_put_format(&expr, ",%d", i * 3);
    }
    ds_put_char(&expr, '}');
    answer = json(JOIN(ds_cstr(&expr), SYN_ACKS, "--on=reverse",
                       "--within=1ms"));
    cr_expect_eq(number(answer, "n_pairs"), 2);
    cr_expect_eq(number(answer, "count"), 8);
}

Test(join, errors)
{
    begin();
    log_append_end(ml);
    check_error(JOIN("tcp", "udp", "--top=3"), "--on is missing");
    check_error(JOIN("tcp &&", "udp", "--on=nw_src"), "expected a field");
    check_error(JOIN("tcp", "udp", "--on=nw_scr"), "unknown field 'nw_scr'; "
                "did you mean 'nw_src'? (column 1)");
    check_error(JOIN("tcp", "udp", "--on=nw_src="),
                "the name of a field is missing (column 8)");
    check_error(JOIN("tcp", "udp", "--on=nw_src=tp_dst"), "nw_src (IPv4 "
                "address) can't be joined with tp_dst (number) (column 1)");
    check_error(JOIN("tcp", "udp", "--on=tp_src,tp_dst=tp_src"),
                "field 'tp_src' is there twice on one side (column 8)");
    check_error(JOIN("tcp", "udp", "--on=flow,reverse"),
                "field 'l3_src' is there twice on one side");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--kind=full"),
                "--kind: needs inner, left, outer or anti (column 1)");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--aggregate=sum(pkt_len)"),
                "there is no such column");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--aggregate=l.sum(nw_src)"),
                "sum(nw_src) is not possible, as nw_src is not a quantity "
                "(column 7)");
    check_error(JOIN("tcp", "udp", "--on=nw_src",
                     "--aggregate=l.count(tp_src),l.count(tp_src)"),
                "the same aggregate is there twice (column 17)");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--having=l.count"),
                "a condition is needed here");
    check_error(JOIN("tcp", "udp", "--on=nw_src",
                     "--having=1 < l.min(nw_src)"),
                "l.min(nw_src) is not a number (column 5)");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--compute=1,ratio=2"),
                "there is a column of that name already (column 3)");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--compute=a=1,b=l.cuont"),
                "unknown function 'cuont'; did you mean 'count'? (column 9)");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--by=r.bytes <"),
                "expected a number or a name, found the end (column 10)");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--fields=l.time"),
                "--fields is for pairs of records, see --within");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--within=5"),
                "--within: '5' is not a duration");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--within=5s",
                     "--having=1 < 2"),
                "--having is for groups, and cannot be combined");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--within=5s",
                     "--fields=time"),
                "--fields: needs l. or r. before the name of a field");
    check_error(JOIN("tcp", "udp", "--on=nw_src", "--within=5s",
                     "--by=bytes"),
                "--by: needs \"latency\" or \"time\" (column 1)");
    check_error(WORDS("multilog/join", "tcp", "--on=nw_src"),
                "missing argument; usage: multilog/join");
}

/* Whatever words a client sends, there is an answer. */
Test(join, hostile_words)
{
    static const char *const words[] = {
        "", ",", "=", "l.", "l.count", "flow,flow", "((((", "nw_src=,", "%n",
        "\xff", "a=b=c", ",,,", "l.sum(pkt_len", "1/0", "l.count/", "()",
        "r.count < 1 &&", "reverse", "1e400", "999999999999999999999k < 1",
        "\n", "x=", "=1", "- - -", "nw_src", "r.p", "l.l.l", "tcp,",
    };
    static const char *const options[] = {
        "--on", "--kind", "--aggregate", "--compute", "--having", "--by",
        "--top", "--within", "--fields",
    };

    begin();
    tcp(1, 1, 2, 2, SYN, 60, 0);
    log_append_end(ml);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(words); j++) {
            const char *argv[] = {
                "multilog/join", "tcp", "ip", "--on=nw_src", options[i],
                words[j],
            };
            struct mlog_reply reply;

            if (!i) {
                argv[3] = "--top=3";
            }
            mlog_reply_init(&reply);
            reply.format = MLOG_FORMAT_JSON;
            mlog_command_run(ml, ARRAY_SIZE(argv), argv, &reply);
            cr_assert_eq(json_from_string(ds_cstr(&reply.body))->type,
                         JSON_OBJECT, "%s %s: %s", options[i], words[j],
                         ds_cstr(&reply.body));
            mlog_reply_destroy(&reply);
        }
    }
}
