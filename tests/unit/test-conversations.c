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

#include "../log-append.h"
#include "mlog-expr.h"
#include "mlog-ports.h"
#include "mlog-query-conversations.h"
#include "mlog-query-copies.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

#define T0 UINT64_C(1700000000000000000)
#define MS UINT64_C(1000000)
#define A 0x0a000001
#define B 0x0a000002
#define SYN TCP_SYN
#define ACK TCP_ACK
#define FIN TCP_FIN
#define RST TCP_RST

static struct multilog *ml;
static struct mlog_snapshot snapshot;
static struct mlog_conversations *result;
static const struct mlog_conversation *c;       /* The greatest one. */

static struct mlog_flow_key
ip_key(uint8_t proto, uint32_t src, uint16_t tp_src, uint32_t dst,
       uint16_t tp_dst)
{
    struct mlog_flow_key key = {
        .src[3] = htonl(src), .dst[3] = htonl(dst), .tp_src = tp_src,
        .tp_dst = tp_dst, .nw_proto = proto, .dl_type = ETH_TYPE_IP,
        .in_port = src & 7,
        .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO,
    };

    key.dl_src.ea[5] = src;
    key.dl_dst.ea[5] = dst;
    key.has |= (proto == IPPROTO_TCP ? MLOG_HAS_PORTS | MLOG_HAS_TCP
                : proto == IPPROTO_UDP ? MLOG_HAS_PORTS
                : proto == IPPROTO_ICMP ? MLOG_HAS_ICMP : 0);
    return key;
}

/* A record of a packet of 'len' bytes that is told from others by 'id'. */
static void
add(const struct mlog_flow_key *key, uint32_t len, uint16_t flags,
    uint16_t id, uint16_t out_port, uint64_t time)
{
    struct mlog_row row = {
        .len_ttl = len << 8 | 64, .tcp_flags = flags, .ip_id = id,
        .reason = out_port == MLOG_PORT_NONE,
    };

    log_append(ml, key, &row, out_port, time);
}

/* TCP from A port 1000 to B port 80, or the other way round. */
static void
tcp(bool answer, uint16_t flags, uint64_t time)
{
    struct mlog_flow_key key = (answer
                                ? ip_key(IPPROTO_TCP, B, 80, A, 1000)
                                : ip_key(IPPROTO_TCP, A, 1000, B, 80));

    add(&key, answer ? 100 : 60, flags, time / MS, answer ? 1 : 2, time);
}

static void
begin(void)
{
    ml = multilog_create(NULL, MULTILOG_DEFAULT_BUDGET, 1024);
    log_append_begin(ml);
}

static void
query(const char *text, bool whole)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_expr *expr = mlog_expr_parse(text, &error);
    struct mlog_range range = { .expr = expr, .until = UINT64_MAX };
    struct mlog_budget budget = { .deadline = LLONG_MAX };
    const struct mlog_conversation **top;
    size_t n;

    cr_assert_not_null(expr, "%s", error.message);
    mlog_conversations_destroy(result);
    cr_assert_eq(mlog_query_conversations(&snapshot, &range, &budget, whole,
                                          &result), 0);
    top = mlog_conversations_top(result, MLOG_CONVERSATIONS_BY_BYTES, false,
                                 1, &n);
    c = n ? top[0] : NULL;
    free(top);
    mlog_expr_unref(expr);
}

static void
end(const char *text)
{
    log_append_end(ml);
    multilog_snapshot_take(ml, &snapshot);
    query(text, false);
}

Test(conversations, both_directions_are_one)
{
    begin();
    tcp(false, SYN, T0 + 5 * MS);
    tcp(true, SYN | ACK, T0 + 6 * MS);
    tcp(false, ACK, T0 + 9 * MS);
    end("");
    cr_assert_eq(mlog_conversations_count(result), 1);
    cr_expect_eq(ntohl(c->key.src[3]), A);
    cr_expect_eq(c->key.tp_dst, 80);
    cr_expect_eq(c->ab.packets, 2);
    cr_expect_eq(c->ab.bytes, 120);
    cr_expect_eq(c->ba.packets, 1);
    cr_expect_eq(c->ba.bytes, 100);
    cr_expect_eq(c->first, T0 + 5 * MS);
    cr_expect_eq(c->last, T0 + 9 * MS);
    cr_expect_eq(c->ab.tcp_flags, SYN | ACK);
    cr_expect_not(c->began_b);
    cr_expect_eq(c->answer, MLOG_ANSWERED);
    cr_expect_eq(mlog_conversations_totals(result)->count, 3);
}

/* A is who was seen first, but who sent the SYN has begun. */
Test(conversations, who_answers_a_syn_has_not_begun)
{
    begin();
    tcp(true, SYN | ACK, T0);
    tcp(false, ACK, T0 + MS);
    end("");
    cr_expect_eq(ntohl(c->key.src[3]), B);
    cr_expect(c->began_b);
    cr_expect_str_eq(mlog_conversation_state(c), "established");
}

Test(conversations, state_follows_from_flags)
{
    static const struct {
        const char *state;
        struct { bool answer; uint16_t flags; } packets[5];
    } cases[] = {
        { "syn-sent", { { 0, SYN } } },
        { "syn-received", { { 0, SYN }, { 1, SYN | ACK } } },
        { "established", { { 0, SYN }, { 1, SYN | ACK }, { 0, ACK } } },
        { "midstream", { { 0, ACK }, { 1, ACK } } },
        { "closing", { { 0, SYN }, { 1, SYN | ACK }, { 0, FIN | ACK } } },
        { "closed", { { 0, SYN }, { 1, SYN | ACK }, { 0, FIN | ACK },
                      { 1, FIN | ACK } } },
        { "refused", { { 0, SYN }, { 1, RST | ACK } } },
        { "reset", { { 0, SYN }, { 1, SYN | ACK }, { 0, ACK }, { 1, RST } } },
        { "reset", { { 0, SYN }, { 0, RST } } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        log_append_last = 0;
        begin();
        for (size_t j = 0; j < 5 && cases[i].packets[j].flags; j++) {
            tcp(cases[i].packets[j].answer, cases[i].packets[j].flags,
                T0 + j * MS);
        }
        end("");
        cr_expect_str_eq(mlog_conversation_state(c), cases[i].state);
        multilog_snapshot_release(&snapshot);
        multilog_destroy(ml);
    }
}

/* All four are different, though addresses and ports agree. */
Test(conversations, vlans_and_protocols_are_told_apart)
{
    struct mlog_flow_key key = ip_key(IPPROTO_TCP, A, 1, B, 2);

    begin();
    add(&key, 60, ACK, 0, 1, T0);
    key.vlan_tci[0] = MLOG_VLAN_PRESENT | 5;
    add(&key, 60, ACK, 0, 1, T0);
    key.vlan_tci[1] = MLOG_VLAN_PRESENT | 5;
    add(&key, 60, ACK, 0, 1, T0);
    key = ip_key(IPPROTO_UDP, A, 1, B, 2);
    add(&key, 60, 0, 0, 1, T0);

    /* But neither priority nor MAC addresses nor the port of entry matter. */
    key = ip_key(IPPROTO_TCP, B, 2, A, 1);
    key.vlan_tci[0] = MLOG_VLAN_PRESENT | 7 << 13 | 5;
    key.in_port = 99;
    key.dl_src.ea[0] = 99;
    add(&key, 99, ACK, 0, 1, T0);
    end("");
    cr_assert_eq(mlog_conversations_count(result), 4);
    cr_expect_eq(c->ba.packets, 1);
    cr_expect_eq(c->key.vlan_tci[0], MLOG_VLAN_PRESENT | 5);
}

Test(conversations, icmp_and_arp_are_answered)
{
    struct mlog_flow_key key = ip_key(IPPROTO_ICMP, A, 8, B, 0);

    begin();
    add(&key, 98, 0, 1, 1, T0);
    key = ip_key(IPPROTO_ICMP, B, 0, A, 0);
    add(&key, 98, 0, 2, 2, T0 + MS);
    end("");
    cr_assert_eq(mlog_conversations_count(result), 1);
    cr_expect_eq(c->answer, MLOG_ANSWERED);
    cr_expect_null(mlog_conversation_state(c));
}

Test(conversations, arp_reply_answers_request)
{
    begin();
    for (int i = 1; i <= 2; i++) {
        struct mlog_flow_key key = {
            .src[3] = htonl(i == 1 ? A : B), .dst[3] = htonl(i == 1 ? B : A),
            .dl_type = ETH_TYPE_ARP, .nw_proto = i,
            .has = MLOG_HAS_ETH | MLOG_HAS_ARP,
        };

        add(&key, 42, 0, 0, 1, T0 + i);
    }
    end("arp");
    cr_assert_eq(mlog_conversations_count(result), 1);
    cr_expect_eq(c->answer, MLOG_ANSWERED);
}

Test(conversations, unanswered_is_said_only_if_it_is_known)
{
    begin();
    tcp(false, SYN, T0);
    tcp(false, SYN, T0 + 1000 * MS);
    end("");
    cr_expect_eq(c->answer, MLOG_UNANSWERED);
    query("tcp", false);
    cr_expect_eq(c->answer, MLOG_UNANSWERED);
    query("ip && (nw_src == 10.0.0.1 || nw_dst == 10.0.0.1)", false);
    cr_expect_eq(c->answer, MLOG_UNANSWERED);

    /* Answers would not match, or not all of them. */
    query("nw_src == 10.0.0.1", false);
    cr_expect_eq(c->answer, MLOG_ANSWER_UNKNOWN);
    query("tcp_flags == +syn-ack", false);
    cr_expect_eq(c->answer, MLOG_ANSWER_UNKNOWN);
    query("tcp_flags == +syn-ack", true);
    cr_expect_eq(c->answer, MLOG_UNANSWERED);
    cr_expect_eq(mlog_conversations_count_by_answer(result, MLOG_UNANSWERED),
                 1);
}

Test(conversations, whole_counts_what_does_not_match)
{
    struct mlog_flow_key other = ip_key(IPPROTO_UDP, A, 1, B, 2);

    begin();
    tcp(false, SYN, T0);
    tcp(true, SYN | ACK, T0 + MS);
    tcp(true, ACK, T0 + 2 * MS);
    add(&other, 1000, 0, 0, 1, T0 + 3 * MS);
    end("tcp_flags == +syn-ack");
    cr_expect_eq(mlog_conversations_totals(result)->count, 1);
    query("tcp_flags == +syn-ack", true);
    cr_assert_eq(mlog_conversations_count(result), 1);
    cr_expect_eq(mlog_conversations_totals(result)->count, 3);
    cr_expect_eq(c->ba.packets, 2);
    cr_expect_eq(c->answer, MLOG_ANSWERED);
}

Test(conversations, same_endpoints_have_no_answer_to_wait_for)
{
    struct mlog_flow_key key = ip_key(IPPROTO_UDP, A, 1, A, 1);

    begin();
    add(&key, 60, 0, 0, 1, T0);
    end("");
    cr_expect_eq(c->answer, MLOG_ANSWER_SELF);
}

/* Three packets to three ports each, as a burst has it: all to the first port,
 * then all to the second...  One is dropped besides. */
Test(conversations, a_packet_of_several_ports_counts_once)
{
    struct mlog_flow_key key = ip_key(IPPROTO_UDP, A, 1, B, 2);

    begin();
    for (uint16_t port = 1; port <= 3; port++) {
        for (uint16_t id = 10; id <= 12; id++) {
            add(&key, 60, 0, id, port, T0 + port * 1000);
        }
    }
    add(&key, 60, 0, 11, MLOG_PORT_NONE, T0 + 5000);
    end("");
    cr_expect_eq(c->ab.packets, 3);
    cr_expect_eq(c->ab.bytes, 180);
    cr_expect_eq(c->dropped, 1);
    cr_expect_eq(mlog_conversations_totals(result)->count, 10);
}

/* The same, but the packets can't be told from each other. */
Test(conversations, equal_packets_of_several_ports_count_once_each)
{
    struct mlog_flow_key key = ip_key(IPPROTO_UDP, A, 1, B, 2);

    begin();
    for (int burst = 0; burst < 3; burst++) {
        for (uint16_t port = 1; port <= 8; port++) {
            for (int i = 0; i < 32; i++) {
                add(&key, 60, 0, 0, port, T0 + burst * MS + port * 1000);
            }
        }
    }
    end("");
    cr_expect_eq(c->ab.packets, 96);
}

/* The same packet again, much later or by the same port, is another one, and
 * so is one that comes in again by another port. */
Test(conversations, repeated_packets_count)
{
    struct mlog_flow_key key = ip_key(IPPROTO_TCP, A, 1, B, 2);

    begin();
    add(&key, 60, SYN, 0, 1, T0);
    add(&key, 60, SYN, 0, 1, T0 + 1);
    key.in_port = 7;
    add(&key, 60, SYN, 0, 2, T0 + 2);
    add(&key, 60, SYN, 0, 3, T0 + 30 * MS);
    end("");
    cr_expect_eq(c->ab.packets, 4);
}

/* A flow that moves to another port goes on being counted. */
Test(copies, a_port_that_comes_later_takes_over)
{
    struct mlog_copies *copies = mlog_copies_create();
    unsigned int n = 0;

    for (unsigned int i = 0; i < 1000; i++) {
        n += !mlog_copies_add(copies, 1, i < 500 ? 1 : 2, T0 + i * MS);
    }

    /* Equal packets within the last two periods may be taken for copies. */
    cr_expect_leq(n, 1000);
    cr_expect_geq(n, 1000 - 22);
    mlog_copies_destroy(copies);
}

Test(copies, too_many_different_packets_are_not_lost)
{
    struct mlog_copies *copies = mlog_copies_create();
    unsigned int n = 0;

    for (uint64_t i = 0; i < 200000; i++) {
        n += !mlog_copies_add(copies, (i + 1) * UINT64_C(0x9e3779b97f4a7c15),
                              1, T0 + i);
    }
    cr_expect_eq(n, 200000);
    mlog_copies_destroy(copies);
}

Test(conversations, a_query_ends_at_its_deadline)
{
    struct mlog_range range = { .until = UINT64_MAX };
    struct mlog_budget budget = { .deadline = time_msec() - 1 };

    begin();
    tcp(false, SYN, T0);
    end("");
    mlog_conversations_destroy(result);
    cr_expect_eq(mlog_query_conversations(&snapshot, &range, &budget, false,
                                          &result), ETIMEDOUT);
    cr_expect_null(result);
}
