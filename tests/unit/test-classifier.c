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

#include "mlog-classifier.h"
#include "mlog-expr.h"
#include "mlog-interval.h"
#include "openvswitch/dynamic-string.h"
#include "records.h"

static struct mlog_expr *exprs[MLOG_CLASSIFIER_MAX];
static size_t n_exprs;
static struct mlog_classifier *classifier;

static void
setup(void)
{
    random_set_seed(1);
    setup_ports();
}

static void
add(const char *text)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;

    exprs[n_exprs] = mlog_expr_parse(text, &error);
    cr_assert(exprs[n_exprs], "%s: %s", text, error.message);
    n_exprs++;
}

static void
build(void)
{
    classifier = mlog_classifier_create();
    for (size_t i = 0; i < n_exprs; i++) {
        mlog_classifier_add(classifier, exprs[i]);
    }
}

static void
clear(void)
{
    mlog_classifier_destroy(classifier);
    classifier = NULL;
    while (n_exprs) {
        mlog_expr_unref(exprs[--n_exprs]);
    }
}

static const char *
text_of(size_t i)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_expr_format(exprs[i], &s);
    return ds_steal_cstr(&s);
}

/* Compares with asking each expression.  Returns how many match. */
static size_t
check_flow(const struct mlog_record *flow)
{
    uint16_t indexes[MLOG_CLASSIFIER_ROOM];
    size_t n, n_true = mlog_classifier_run(classifier, flow, indexes, &n);
    enum mlog_tri found[MLOG_CLASSIFIER_MAX] = { MLOG_FALSE };

    for (size_t i = 0; i < n; i++) {
        cr_assert_lt(indexes[i], n_exprs);
        cr_assert_eq(found[indexes[i]], MLOG_FALSE, "%s found twice",
                     text_of(indexes[i]));
        found[indexes[i]] = i < n_true ? MLOG_TRUE : MLOG_MAYBE;
    }
    for (size_t i = 0; i < n_exprs; i++) {
        enum mlog_tri tri = mlog_expr_eval_flow(exprs[i], flow);

        cr_assert_eq(tri, found[i], "%s: %d, found %d", text_of(i), tri,
                     found[i]);
    }
    return n;
}

/* Flows. */

/* A flow that no packet need have. */
static void
random_flow(struct sample *sample, struct mlog_record *flow)
{
    struct mlog_flow_key *key = &sample->key;

    random_sample(sample);
    switch (random_range(12)) {
    case 0: key->has = random_uint32(); break;
    case 1: key->nw_proto = random_range(20); break;
    case 2: key->dl_type = random_range(2) ? ETH_TYPE_IPV6 : ETH_TYPE_IP;
        break;
    case 3: key->nw_frag = random_range(256); break;
    case 4: key->vlan_tci[random_range(2)] = random_uint32(); break;
    case 5: key->tp_src = random_range(300); break;
    case 6: key->src[random_range(4)] ^= htonl(1u << random_range(32)); break;
    case 7: key->dl_dst.ea[random_range(6)] ^= 1 << random_range(8); break;
    case 8: key->dst[random_range(4)] = random_range(2) ? OVS_BE32_MAX : 0;
        break;
    }
    *flow = sample_record(sample);
    flow->row = NULL;
    flow->time = 0;
    if (random_range(4) == 0) {
        flow->flow_id = random_range(2) ? UINT64_MAX : 1;
    }
}

/* Expressions. */

static const char *
random_op(bool order)
{
    static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=" };

    return ops[random_range(order ? 6 : 2)];
}

static void
put_number(struct ds *s, const char *field, unsigned int max)
{
    static const unsigned int some[] = { 0, 1, 5, 7, 53, 80, 443, 1023 };
    unsigned int a = some[random_range(ARRAY_SIZE(some))] % (max + 1);
    unsigned int b = a + random_range(3 * max / 4) % (max - a + 1);

    switch (random_range(4)) {
    case 0:
        ds_put_format(s, "%s %s %u", field, random_op(true), a);
        break;
    case 1:
        ds_put_format(s, "%s %s %u-%u", field, random_op(false), a, b);
        break;
    case 2:
        ds_put_format(s, "%s %s {%u, %u, %u-%u}", field, random_op(false),
                      b, max, a, b);
        break;
    case 3:
        ds_put_cstr(s, field);
        break;
    }
}

static void
put_text(struct ds *s, const char *field, const char *const values[],
         size_t n)
{
    const char *a = values[random_range(n)], *b = values[random_range(n)];

    if (random_range(2)) {
        ds_put_format(s, "%s %s %s", field, random_op(false), a);
    } else {
        ds_put_format(s, "%s %s {%s, %s}", field, random_op(false), a, b);
    }
}

static void
put_term(struct ds *s)
{
    static const struct { const char *name; unsigned int max; } numbers[] = {
        { "tp_src", 65535 }, { "tp_dst", 65535 }, { "tcp_src", 65535 },
        { "udp_dst", 65535 }, { "sctp_src", 65535 }, { "icmp_type", 255 },
        { "icmp_code", 255 }, { "icmpv6_type", 255 }, { "vlan_vid", 4095 },
        { "vlan_pcp", 7 }, { "inner_vlan_vid", 4095 }, { "nw_proto", 255 },
        { "inner_vlan_pcp", 7 }, { "in_port", 20 }, { "arp_op", 255 },
        { "pkt_len", 1500 }, { "nw_ttl", 255 }, { "ip_dscp", 63 },
        { "tcp_window", 65535 }, { "out_port", 20 },
    };
    static const char *const others[] = {
        "tcp", "udp", "icmp", "ip", "ipv6", "arp", "eth", "vlan", "tcp4",
        "udp6", "drop", "forwarded", "tp_src == tp_dst", "nw_src < nw_dst",
        "in_port == out_port", "tcp_flags == +syn-ack", "tcp_flags == syn",
        "tcp_seq == tcp_ack", "l3_src == l3_dst", "l3_src != nw_dst",
        "tp_dst == 0x0/0x1", "tp_src != 0x1/0x3", "vlan_vid == 0x1/0x5",
        "vlan_tci == 0x1000/0x1000", "vlan_tci != 0", "vlan_tci == 0x7005",
        "nw_frag == no", "nw_frag == later", "nw_frag != not_later",
        "nw_frag == {first, no}", "dl_type == arp", "dl_type != ip",
        "dl_type > 0x0800", "flow_id == 0x00ff00000000abcd",
        "flow_id != {0x0, 0xffffffffffffffff}",
        "dl_dst == 01:00:00:00:00:00/01:00:00:00:00:00",
        "dl_src == 00:53:00:00:00:01", "dl_dst > 00:53:00:00:00:02",
        "dl_src != {00:53:00:00:00:01, 00:53:00:00:00:00/ff:ff:00:00:00:00}",
        "in_port == \"p0\"", "in_port != \"p 2\"", "in_port == {10, \"p1\"}",
        "in_port", "in_port_name == \"p1\"", "in_port_name", "in_port > 10",
        "out_port", "time > 0", "drop_reason",
    };
    static const char *const v4[] = {
        "192.0.2.1", "192.0.2.0/30", "198.51.100.2", "198.51.100.0/24",
        "0.0.0.0/0", "192.0.0.1/255.0.0.255", "255.255.255.255",
        "128.0.0.0/1",
    };
    static const char *const v6[] = {
        "2001:db8::1", "2001:db8::/64", "2001:db8:ffff::2", "::/0",
        "2001:db8::1/ffff:ffff::f", "ffff::/16", "::",
    };
    static const char *const l3[] = {
        "192.0.2.1", "2001:db8::/64", "198.51.100.0/24", "::/0",
        "0.0.0.0/0", "::ffff:192.0.2.1",
    };
    static const char *const fields[] = { "src", "dst" };
    const char *end = fields[random_range(2)];
    char field[16];
    size_t i;

    switch (random_range(6)) {
    case 0:
    case 1:
        i = random_range(ARRAY_SIZE(numbers));
        put_number(s, numbers[i].name, numbers[i].max);
        break;
    case 2:
        snprintf(field, sizeof field, "%s_%s", random_range(8) ? "nw" : "ip",
                 end);
        put_text(s, random_range(8) ? field : "arp_spa", v4, ARRAY_SIZE(v4));
        break;
    case 3:
        snprintf(field, sizeof field, "ipv6_%s", end);
        put_text(s, field, v6, ARRAY_SIZE(v6));
        break;
    case 4:
        snprintf(field, sizeof field, "l3_%s", end);
        put_text(s, field, l3, ARRAY_SIZE(l3));
        break;
    case 5:
        ds_put_cstr(s, others[random_range(ARRAY_SIZE(others))]);
        break;
    }
}

static void
put_expr(struct ds *s, int depth)
{
    if (depth <= 0 || random_range(4) == 0) {
        bool not = random_range(4) == 0;

        ds_put_cstr(s, not ? "!(" : "");
        put_term(s);
        ds_put_cstr(s, not ? ")" : "");
        return;
    }

    const char *op = random_range(2) ? " && " : " || ";
    size_t n = 2 + random_range(random_range(8) ? 2 : 20);
    ds_put_cstr(s, random_range(4) ? "(" : "!(");
    for (size_t i = 0; i < n; i++) {
        ds_put_cstr(s, i ? op : "");
        put_expr(s, n > 4 ? 0 : depth - 1);
    }
    ds_put_char(s, ')');
}

static void
add_random(int depth)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    do {
        ds_clear(&s);
        put_expr(&s, depth);
    } while (s.length > MLOG_EXPR_MAX_TEXT);
    add(ds_cstr(&s));
    ds_destroy(&s);
}

/* Tests. */

Test(classifier, agrees_with_each_expression, .init = setup)
{
    static const size_t counts[] = { 1, 3, 40, 64, 65, 300, 1024 };
    size_t n_matches = 0;

    for (int round = 0; round < 70; round++) {
        size_t n = counts[round % ARRAY_SIZE(counts)];

        while (n_exprs < n) {
            add_random(random_range(4));
        }
        build();
        for (int i = 0; i < 1500; i++) {
            struct sample sample;
            struct mlog_record flow;

            random_flow(&sample, &flow);
            n_matches += check_flow(&flow);
        }
        clear();
    }
    cr_assert_gt(n_matches, 1000000);
}

Test(classifier, each_term_agrees, .init = setup)
{
    for (int round = 0; round < 3000; round++) {
        add_random(0);
        build();
        for (int i = 0; i < 100; i++) {
            struct sample sample;
            struct mlog_record flow;

            random_flow(&sample, &flow);
            check_flow(&flow);
        }
        clear();
    }
}

Test(classifier, knows_nothing_of_no_expressions, .init = setup)
{
    struct mlog_record flow = sample_record(&samples[0]);

    build();
    cr_assert_eq(check_flow(&flow), 0);
    clear();
    add("");
    build();
    cr_assert_eq(check_flow(&flow), 1);
    clear();
}

Test(classifier, follows_ports_that_become_known, .init = setup)
{
    unsigned int dp = mlog_ports_datapath("system");
    struct sample sample = samples[0];
    struct mlog_record flow = sample_record(&sample);

    add("in_port == 12");
    add("in_port != 12");
    add("in_port == \"p 2\" && tcp");
    add("!(in_port == 12) || udp");
    add("in_port == 12 && in_port_name == \"p 2\" && in_port != 10 "
        "&& in_port != 11 && in_port != 14 && in_port > 3");
    build();
    sample.key.in_port = P2;
    cr_assert_eq(check_flow(&flow), 2);
    mlog_ports_set_ofp(dp, "p 2", "br0", 12);
    cr_assert_eq(check_flow(&flow), 3);

    sample.key.in_port = MLOG_PORT_NONE;
    cr_assert_eq(check_flow(&flow), 1);
    for (int i = 4; i < 100; i++) {
        char *name = xasprintf("x%d", i);

        mlog_ports_add(dp, i, name);
        mlog_ports_set_ofp(dp, name, "br0", i + 20);
        sample.key.in_port = mlog_ports_lookup(dp, i);
        cr_assert_eq(check_flow(&flow), 2);
        free(name);
    }
    clear();
}

/* Sets that would need more room than they are worth are evaluated. */
Test(classifier, bounds_its_memory, .init = setup)
{
    for (int i = 0; i < MLOG_CLASSIFIER_MAX; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_cstr(&s, "nw_src == {192.0.2.1");
        for (int j = 0; j < 200; j++) {
            ds_put_format(&s, ", 10.%d.%d.%d", i % 256, j,
                          random_range(256));
        }
        ds_put_format(&s, "} || (nw_dst == 198.51.100.%d && !tcp)", i % 4);
        add(ds_cstr(&s));
        ds_destroy(&s);
    }
    build();
    cr_assert_lt(mlog_classifier_memory(classifier), 16 << 20);
    for (int i = 0; i < 100; i++) {
        struct sample sample;
        struct mlog_record flow;

        random_flow(&sample, &flow);
        check_flow(&flow);
        sample.key.src[3] = htonl(0x0a000000 + random_range(1 << 24));
        check_flow(&flow);
    }
    clear();
}

/* Sets. */

static struct mlog_intervals *
random_set(bool members[256])
{
    struct mlog_range ranges[8];
    size_t n = random_range(8);

    memset(members, 0, 256);
    for (size_t i = 0; i < n; i++) {
        unsigned int a = random_range(256), b = a + random_range(256 - a);

        ranges[i] = (struct mlog_range) { { 0, a }, { 0, b } };
        memset(&members[a], true, b - a + 1);
    }
    return mlog_intervals_create(ranges, n);
}

/* Also that they neither overlap nor touch. */
static void
expect_set(struct mlog_intervals *set, const bool members[256])
{
    size_t n = 0;

    for (unsigned int x = 0; x < 256; x++) {
        bool begins = members[x] && (!x || !members[x - 1]);
        bool ends = members[x] && (x == 255 || !members[x + 1]);

        cr_assert(!begins || (n < set->n && set->ranges[n].min.lo == x));
        cr_assert(!ends || set->ranges[n].max.lo == x);
        n += ends;
    }
    cr_assert_eq(n, set->n);
    free(set);
}

Test(intervals, are_what_sets_are)
{
    struct mlog_value ones = { 0, 255 };

    random_set_seed(1);
    for (int round = 0; round < 20000; round++) {
        bool a[256], b[256], c[256];
        struct mlog_intervals *sa = random_set(a), *sb = random_set(b);

        for (int x = 0; x < 256; x++) {
            c[x] = a[x] && b[x];
        }
        expect_set(mlog_intervals_intersect(sa, sb), c);
        for (int x = 0; x < 256; x++) {
            c[x] = a[x] || b[x];
        }
        expect_set(mlog_intervals_union(sa, sb), c);
        for (int x = 0; x < 256; x++) {
            c[x] = !a[x];
        }
        expect_set(mlog_intervals_complement(sa, &ones), c);
        expect_set(mlog_intervals_clone(sa), a);
        cr_assert_eq(mlog_intervals_equal(sa, sb), !memcmp(a, b, sizeof a));
        free(sa);
        free(sb);
    }
}
