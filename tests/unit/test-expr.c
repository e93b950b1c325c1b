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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mlog-expr.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "records.h"

static struct mlog_expr *
parse(const char *text)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_expr *expr = mlog_expr_parse(text, &error);

    cr_assert(expr, "%s: %s (column %d)", text, error.message, error.column);
    cr_assert_null(error.message);
    return expr;
}

static char *
format(const struct mlog_expr *expr)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, "");
    mlog_expr_format(expr, &s);
    return ds_steal_cstr(&s);
}

static bool
eval_text(const char *text, const struct mlog_record *record)
{
    struct mlog_expr *expr = parse(text);
    bool result = mlog_expr_eval(expr, record);

    mlog_expr_unref(expr);
    return result;
}

static enum mlog_tri
eval_flow_text(const char *text, const struct mlog_record *record)
{
    struct mlog_expr *expr = parse(text);
    enum mlog_tri result = mlog_expr_eval_flow(expr, record);

    mlog_expr_unref(expr);
    return result;
}

/* Canonical text. */

struct text_case {
    const char *text, *canonical;       /* NULL: the same. */
};

static const struct text_case text_cases[] = {
    { "", NULL },
    { " \t\r\n ", "" },
    { "tcp", NULL },
    { "(((tcp)))", "tcp" },
    { "!tcp", NULL },
    { "not tcp", "!tcp" },
    { "! ! !tcp", "!tcp" },
    { "!!tcp", "tcp" },
    { "!(!tcp)", "tcp" },
    { "tcp and udp or icmp", "tcp && udp || icmp" },
    { "tcp && (udp || icmp)", NULL },
    { "tcp && (udp && icmp)", "tcp && udp && icmp" },
    { "(tcp || udp) || icmp", "tcp || udp || icmp" },
    { "!(tcp || udp)", NULL },
    { "!tp_dst == 80", "!(tp_dst == 80)" },
    { "!(tp_dst == 80)", NULL },
    { "tp_dst", NULL },
    { "eth_src", "dl_src" },
    { "tp_dst=80", "tp_dst == 80" },
    { "tp_dst==80", "tp_dst == 80" },
    { "tp_dst!=80&&tp_src<=0x50||tcp", "tp_dst != 80 && tp_src <= 80 || tcp" },
    { "tp_dst == {80}", "tp_dst == 80" },
    { "tp_dst=={443,80 , 1000-2000}", "tp_dst == {443, 80, 1000-2000}" },
    { "tp_dst == 1000-2000", NULL },
    { "tp_dst == 0x3e8/0xfff8", NULL },
    { "nw_src == 10.0.0.1/24", "nw_src == 10.0.0.0/24" },
    { "nw_src == 10.0.0.1-10.0.0.9", NULL },
    { "ipv6_src == {::1, 2001:db8::/32}", NULL },
    { "l3_src == {10.0.0.0/8, 2001:db8::/32}", NULL },
    { "dl_dst == 01:00:00:00:00:00/01:00:00:00:00:00", NULL },
    { "dl_type == arp || nw_proto == tcp",
      "dl_type == 0x0806 || nw_proto == 6" },
    { "nw_frag == {later, not_later}", NULL },
    { "tcp_flags == +syn-ack", NULL },
    { "tcp_flags=0x2/0x12", "tcp_flags == +syn-ack" },
    { "tcp_flags == syn|ack || tcp", NULL },
    { "tcp_flags == 0x12", "tcp_flags == syn|ack" },
    { "tcp_flags == {fin, +rst}", NULL },
    { "time >= 1769860800.5", "time >= \"2026-01-31T12:00:00.500000000Z\"" },
    { "time < \"2026-01-31T12:00:00+01:00\"",
      "time < \"2026-01-31T11:00:00.000000000Z\"" },
    { "in_port == 1", NULL },
    { "in_port == p1", "in_port == \"p1\"" },
    { "in_port == \"1\"", NULL },
    { "in_port == {1, p1, 3-5, local}", "in_port == {1, \"p1\", 3-5, 65534}" },
    { "in_port == \"a \\\"b\\\\ \xc3\xa9,)\"", NULL },
    { "in_port_name == 1", "in_port_name == \"1\"" },
    { "in_port < 5", NULL },
    { "in_port != out_port", NULL },
    { "drop_reason == {datapath_drop_meter, 99}",
      "drop_reason == {meter, 99}" },
    { "nw_src == nw_dst && tp_src > tp_dst", NULL },
    { "l3_src == nw_dst", NULL },
    { "drop || forwarded", NULL },
    { "flow_id == 1", "flow_id == 0x0000000000000001" },
    { "dl_vlan == 0xffff", "!vlan" },
    { "dl_vlan != 65535", "vlan" },

    /* OVS match syntax. */
    { "tcp,nw_dst=10.0.0.0/24,tp_dst=80,tcp_flags=+syn-ack,dl_vlan=5,"
      "in_port=1",
      "tcp4 && nw_dst == 10.0.0.0/24 && tp_dst == 80 && "
      "tcp_flags == +syn-ack && vlan_vid == 5 && in_port == 1" },
    { "ip , udp", "ip && udp4" },
    { "sctp,in_port=\"a,b\"", "sctp4 && in_port == \"a,b\"" },
    { "tcp6,ipv6_dst=2001:db8::/32", "tcp6 && ipv6_dst == 2001:db8::/32" },
    { "nw_src=10.0.0.1,ip", "nw_src == 10.0.0.1 && ip" },
    { "arp,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_proto=1",
      "arp && arp_spa == 10.0.0.1 && arp_tpa == 10.0.0.2 && arp_op == 1" },
    { "nw_dst=10.0.0.2,dl_type=0x806",
      "arp_tpa == 10.0.0.2 && dl_type == 0x0806" },
    { "icmp,tp_src=8,tp_dst=0", "icmp && icmp_type == 8 && icmp_code == 0" },
    { "icmp6,tp_src=135", "icmp6 && icmpv6_type == 135" },
    { "dl_vlan=0xffff,ip", "!vlan && ip" },
    { "vlan_vid=0,ip", "vlan_tci == 0x0/0x1fff && ip" },
    { "vlan_vid=0x1005,ip", "vlan_tci == 0x1005/0x1fff && ip" },
    { "vlan_vid=0x1000/0x1000,ip", "vlan_tci == 0x1000/0x1000 && ip" },
    { "vlan_vid=5,ip", "vlan_vid == 5 && ip" },
    { "vlan_tci=0x1005/0x1fff,ip", "vlan_tci == 0x1005/0x1fff && ip" },
    { "vlan_tci=0,dl_vlan_pcp=3", "vlan_tci == 0x0000 && vlan_pcp == 3" },
    { "nw_tos=184,nw_ecn=1", "nw_tos == 184 && nw_ecn == 1" },
    { "ip,nw_frag=not_later", "ip && nw_frag == not_later" },
    { "tcp,tp_dst=*", "tcp4 && tp_dst" },
    { "tp_dst=0x03e8/0xfff8,udp", "tp_dst == 0x3e8/0xfff8 && udp4" },
    { "arp,arp_spa=10.0.0.1,arp_op=2",
      "arp && arp_spa == 10.0.0.1 && arp_op == 2" },
    { "dl_src=00:53:00:00:00:01,vlan", "dl_src == 00:53:00:00:00:01 && vlan" },
};

/* The canonical text is as documented, and is its own canonical text. */
Test(expr, canonical_text)
{
    for (size_t i = 0; i < ARRAY_SIZE(text_cases); i++) {
        const struct text_case *c = &text_cases[i];
        const char *canonical = c->canonical ? c->canonical : c->text;
        struct mlog_expr *expr;
        char *text, *again;

        expr = parse(c->text);
        text = format(expr);
        cr_expect_str_eq(text, canonical, "%s", c->text);
        cr_expect_eq(mlog_expr_is_everything(expr), !text[0]);
        mlog_expr_unref(expr);

        expr = parse(text);
        again = format(expr);
        cr_expect_str_eq(again, text);
        mlog_expr_unref(expr);
        free(again);
        free(text);
    }
}

/* Errors. */

struct error_case {
    const char *text;
    int column;
    const char *message;        /* Part of it. */
};

static const struct error_case error_cases[] = {
    { "nw_scr == 10.0.0.1", 1, "unknown field 'nw_scr'; did you mean "
                               "'nw_src'?" },
    { "tcp && NW_SRC == 1.2.3.4", 8, "did you mean 'nw_src'?" },
    { "tpc", 1, "did you mean 'tcp'?" },
    { "host 10.0.0.1", 1, "multilog/fields lists the fields" },
    { "tp_dst == 70000", 11, "'70000' is out of range for tp_dst (0 to "
                             "65535)" },
    { "tp_dst == 99999999999999999999", 11, "out of range" },
    { "tp_dst == -1", 11, "expected a number from 0 to 65535" },
    { "tp_dst == 10.0.0.1", 11, "expected a number" },
    { "tp_dst == http", 11, "expected a number" },
    { "tp_dst == 80/24", 11, "only addresses have prefixes" },
    { "tp_dst == 080", 11, "leading zero" },
    { "nw_ttl == 1/0x1", 11, "takes no mask or prefix" },
    { "nw_src == 80", 11, "not an IPv4 address" },
    { "nw_src == 2001:db8::1", 11, "is an IPv6 address; see ipv6_src" },
    { "nw_src == 10.0.0.0/33", 11, "prefix length from 0 to 32" },
    { "ipv6_src == 10.0.0.1", 13, "is an IPv4 address; see nw_src" },
    { "tp_dst ==", 10, "expected a value, found the end" },
    { "tp_dst == && tcp", 11, "expected a value, found '&&'" },
    { "tp_dst == (80)", 11, "expected a value, found '('" },
    { "tp_dst =! 80", 9, "expected a value, found '!'" },
    { "tp_dst <> 80", 9, "expected a value, found '>'" },
    { "tp_dst 80", 8, "expected ==, !=" },
    { "tp_dst {80}", 8, "expected ==, !=" },
    { "80 == tp_dst", 1, "expected a field name" },
    { "\"tp_dst\" == 80", 1, "expected a field or predicate" },
    { "== 80", 1, "expected a field or predicate, found '=='" },
    { "tcp &&", 7, "found the end" },
    { "&& tcp", 1, "found '&&'" },
    { "tcp && || udp", 8, "found '||'" },
    { "!", 2, "found the end" },
    { "()", 2, "found ')'" },
    { "(tcp", 1, "missing ')' for this '('" },
    { "(tcp udp)", 6, "expected &&, || or ')'" },
    { "tcp)", 4, "')' without '('" },
    { "tcp udp", 5, "expected && or || or the end, found 'udp'" },
    { "tp_dst == 80 443", 14, "found '443'" },
    { "tp_dst > 1 < 5", 12, "found '<'" },
    { "tcp == 6", 5, "'tcp' stands alone" },
    { "tcp & udp", 5, "write && or 'and'" },
    { "tcp | udp", 5, "write || or 'or'" },
    { "tcp|udp", 4, "write || or 'or'" },
    { "tcp_flags == syn | ack", 18, "without spaces" },
    { "tcp_flags == sync", 14, "+syn-ack" },
    { "tcp_flags == +syn+syn", 14, "twice" },
    { "tcp_flags > 2", 13, "has no order" },
    { "tp_dst == {}", 11, "the set is empty" },
    { "tp_dst == {80,}", 15, "expected a value, found '}'" },
    { "tp_dst == {80 443}", 15, "expected ',' or '}'" },
    { "tp_dst == {80", 14, "expected ',' or '}', found the end" },
    { "tp_dst == {{80}}", 12, "expected a value, found '{'" },
    { "tp_dst == {80, 10.0.0.1}", 16, "expected a number" },
    { "tp_dst < {80}", 10, "a set goes with == or !=" },
    { "tp_dst == 443-80", 11, "empty range" },
    { "tp_dst == 80-", 11, "expected a number" },
    { "tp_dst == 80-90-100", 11, "expected a number" },
    { "tp_dst < 80-90", 10, "needs a single value" },
    { "nw_src < 10.0.0.0/8", 10, "needs a single value" },
    { "nw_src == 10.0.0.0/8-11.0.0.0", 11, "range with a mask or prefix" },
    { "in_port < p1", 11, "needs a single value" },
    { "in_port == 70000", 12, "out of range for a port number" },
    { "in_port == 10.0.0.1", 12, "write a name in double quotes" },
    { "in_port == \"\"", 12, "not empty" },
    { "in_port_name < a", 16, "no order" },
    { "in_port < out_port", 11, "no order" },
    { "drop_reason == metre", 16, "did you mean 'meter'?" },
    { "drop_reason > 1", 15, "no order" },
    { "tp_src == nw_src", 11, "can't be compared" },
    { "nw_src == ipv6_src", 11, "can't be compared" },
    { "time > yesterday", 8, "not a time" },
    { "time > 2026-01-31T12:00:00", 8, "no time zone" },
    { "vlan_vid == 5000", 13, "!vlan" },
    { "nw_tos == 3", 11, "ECN" },
    { "dl_src == 0:53:0:0:0:1", 11, "not an Ethernet address" },
    { "in_port == \"abc", 12, "missing closing" },
    { "in_port == \"abc\\", 12, "missing closing" },
    { "in_port == \"a\\nb\"", 14, "unknown escape" },
    { "in_port == \"\\\xc3\xa9\"", 13, "unknown escape" },
    { "in_port == 'abc'", 12, "quote with \"" },
    { "tcp ; udp", 5, "unexpected character ';'" },
    { "tcp && \x01udp", 8, "control character 0x01" },
    { "tcp \x7f", 5, "control character 0x7f" },
    { "in_port == \"a\x1b\"", 14, "control character 0x1b" },
    { "tcp \xc3\xa9", 5, "not ASCII" },
    { "in_port == \"\xc3\xa9\xc3\"", 15, "byte 0xc3 is not valid UTF-8" },
    { "in_port == \"\xed\xa0\x80\"", 13, "not valid UTF-8" },
    { "\xff", 1, "byte 0xff is not valid UTF-8" },

    /* OVS match syntax. */
    { "tcp,", 5, "expected a protocol or FIELD=VALUE, found the end" },
    { ",tcp", 1, "expected a protocol" },
    { "tcp,,udp", 5, "expected a protocol" },
    { "tcp,nw_scr=1.2.3.4", 5, "did you mean 'nw_src'?" },
    { "tcp,tp_dst", 11, "expected '='" },
    { "tcp,tp_dst=", 12, "expected a value" },
    { "tcp,tp_dst==80", 11, "only operator is '='" },
    { "tp_dst == 80, 443", 8, "only operator is '='" },
    { "tcp,tp_dst!=80", 11, "only operator is '='" },
    { "tcp,tp_dst={80,443}", 12, "no sets" },
    { "tcp,(udp)", 5, "there is no '('" },
    { "tcp,!vlan", 5, "there is no '!'" },
    { "tcp,tp_dst=80 && udp", 15, "can't be mixed" },
    { "tcp,tp_dst=80 udp", 15, "expected ',' or the end" },
    { "tcp,tp_dst=70000", 12, "out of range" },
    { "tcp,tp_dst=80,tp_dst=81", 15, "given twice" },
    { "tcp,udp", 5, "'udp' contradicts 'tcp'" },
    { "ip,tcp6", 4, "'tcp6' contradicts 'ip'" },
    { "tcp6,nw_src=10.0.0.1", 6, "nw_src is a field of IPv4, but 'tcp6'" },
    { "ip,ipv6_src=::1", 4, "ipv6_src is a field of IPv6, but 'ip'" },
    { "udp,tcp_dst=80", 5, "tcp_dst is a field of TCP, but 'udp'" },
    { "tcp_dst=80,udp", 1, "tcp_dst is a field of TCP" },
    { "udp,tcp_flags=+syn", 5, "tcp_flags is a field of TCP" },
    { "arp,tp_dst=80", 5, "tp_dst is a field of TCP, UDP, SCTP" },
    { "tcp,arp_spa=1.2.3.4", 5, "arp_spa is a field of ARP" },
    { "mpls,nw_src=1.2.3.4", 6, "nw_src is a field of IPv4" },
    { "nw_proto=17,tcp_dst=1", 13, "tcp_dst is a field of TCP" },
    { "priority=5,tcp", 1, "leave it out" },
    { "vlan_vid=0x2000,tcp", 10, "0x1005 or 5 for VLAN 5" },
    { "dl_vlan=4096,tcp", 9, "out of range" },
};

/* Every error has its column and its message, and nothing else comes of it. */
Test(expr, errors)
{
    for (size_t i = 0; i < ARRAY_SIZE(error_cases); i++) {
        const struct error_case *c = &error_cases[i];
        struct mlog_error error = MLOG_ERROR_INITIALIZER;
        struct mlog_expr *expr = mlog_expr_parse(c->text, &error);

        cr_assert_null(expr, "%s", c->text);
        cr_expect_eq(error.column, c->column, "%s: column %d: %s", c->text,
                     error.column, error.message);
        cr_expect(strstr(error.message, c->message), "%s: %s", c->text,
                  error.message);
        for (const char *p = error.message; *p; p++) {
            cr_expect(*p >= 0x20 && *p < 0x7f, "%s", error.message);
        }
        cr_expect_neq(error.message[strlen(error.message) - 1], '.');
        mlog_error_clear(&error);
        cr_assert_null(error.message);
    }
}

/* If 'line' is PREFIX``TEXT``, takes TEXT out of it. */
static char *
get_literal(char *line, const char *prefix)
{
    size_t n = strlen(prefix);
    char *end;

    if (strncmp(line, prefix, n) || strncmp(line + n, "``", 2)) {
        return NULL;
    }
    end = strrchr(line, '`');
    end[-1] = '\0';
    return line + n + 2;
}

/* The reference page's table of errors tells the truth.  "make check" says
 * where the page is. */
Test(expr, errors_of_the_reference_page)
{
    const char *srcdir = getenv("srcdir");
    char *name = xasprintf("%s/Documentation/ref/expressions.rst",
                           srcdir ? srcdir : ".");
    FILE *stream = fopen(name, "r");
    char text[256], line[1024];
    size_t n = 0;

    if (!stream && !srcdir) {
        cr_skip_test("%s: not found, set srcdir", name);
    }
    cr_assert(stream, "%s", name);
    text[0] = '\0';
    while (fgets(line, sizeof line, stream)) {
        struct mlog_error error = MLOG_ERROR_INITIALIZER;
        const char *literal = get_literal(line, "   * - ");

        if (literal) {
            ovs_strlcpy(text, literal, sizeof text);
            continue;
        }
        literal = get_literal(line, "     - ");
        if (literal && text[0]) {
            cr_expect_null(mlog_expr_parse(text, &error), "%s", text);
            cr_expect_str_eq(error.message, literal, "%s", text);
            mlog_error_clear(&error);
            n++;
        }
        text[0] = '\0';
    }
    cr_assert_gt(n, 40, "%zu", n);
    fclose(stream);
    free(name);
}

Test(expr, errors_as_text_and_json)
{
    static const char text[] = "tcp && nw_scr == 10.0.0.1";
    struct mlog_error error = MLOG_ERROR_INITIALIZER;

    cr_assert_null(mlog_expr_parse(text, &error));
    char *s = mlog_error_to_string(&error, text);
    cr_expect_str_eq(s, "unknown field 'nw_scr'; did you mean 'nw_src'? "
                     "(column 8)\n"
                     "  tcp && nw_scr == 10.0.0.1\n"
                     "         ^");
    free(s);
    s = mlog_error_to_string(&error, NULL);
    cr_expect_str_eq(s, "unknown field 'nw_scr'; did you mean 'nw_src'? "
                     "(column 8)");
    free(s);

    /* A text that is too short for the column is not read. */
    s = mlog_error_to_string(&error, "tcp");
    cr_expect_null(strchr(s, '\n'));
    free(s);

    struct json *json = mlog_error_to_json(&error);
    s = json_to_string(json, JSSF_SORT);
    cr_expect_str_eq(s, "{\"column\":8,\"error\":\"unknown field 'nw_scr'; "
                     "did you mean 'nw_src'?\"}");
    free(s);
    json_destroy(json);

    /* Only part of a long text is shown, without what could do harm. */
    static const char long_text[] =
        "tcp || tcp || tcp || tcp || tcp || tcp || tcp || in_port == "
        "\"\xc3\xa9\" || nope || tcp || tcp || tcp || tcp || tcp || tcp";
    cr_assert_null(mlog_expr_parse(long_text, &error));
    s = mlog_error_to_string(&error, long_text);
    cr_expect_str_eq(strchr(s, '\n'),
                     "\n  ...|| tcp || tcp || in_port == \"?\" || nope || "
                     "tcp || tcp || tcp || tcp || ..."
                     "\n                                        ^");
    free(s);

    /* No column. */
    mlog_error_set(&error, 0, "no %s", "luck");
    s = mlog_error_to_string(&error, "x");
    cr_expect_str_eq(s, "no luck");
    free(s);
    json = mlog_error_to_json(&error);
    s = json_to_string(json, JSSF_SORT);
    cr_expect_str_eq(s, "{\"error\":\"no luck\"}");
    free(s);
    json_destroy(json);
    mlog_error_clear(&error);
}

/* Meaning. */

struct truth_case {
    const char *text;

    /* Names of the samples for which it is true, with a space after each. */
    const char *samples;
};

#define ALL_SAMPLES "tcp tcp6 udp udp6 sctp later icmp icmp6 arp llc " \
                    "dropped metered "

static const struct truth_case truth_cases[] = {
    { "", ALL_SAMPLES },

    /* Predicates. */
    { "eth", "tcp tcp6 udp udp6 sctp later icmp icmp6 arp llc metered " },
    { "ip", "tcp udp sctp later icmp metered " },
    { "ipv6", "tcp6 udp6 icmp6 " },
    { "arp", "arp " },
    { "rarp || mpls || mplsm", "" },
    { "icmp", "icmp " },
    { "icmp6", "icmp6 " },
    { "tcp", "tcp tcp6 metered " },
    { "tcp4", "tcp metered " },
    { "tcp6", "tcp6 " },
    { "udp", "udp udp6 later " },
    { "udp4", "udp later " },
    { "udp6", "udp6 " },
    { "sctp", "sctp " },
    { "sctp4", "sctp " },
    { "sctp6", "" },
    { "vlan", "tcp6 udp6 " },
    { "drop", "dropped metered " },
    { "forwarded", "tcp tcp6 udp udp6 sctp later icmp icmp6 arp llc " },

    /* A bare field: the packet has it. */
    { "tp_dst", "tcp tcp6 udp udp6 sctp metered " },
    { "nw_src", "tcp udp sctp later icmp metered " },
    { "out_port", "tcp tcp6 udp udp6 sctp later icmp icmp6 arp llc " },
    { "in_port", "tcp tcp6 udp udp6 sctp later icmp icmp6 arp dropped "
                 "metered " },
    { "drop_reason", "dropped metered " },
    { "!vlan_vid", "tcp udp sctp later icmp icmp6 arp llc dropped metered " },

    /* Comparisons. */
    { "tp_dst == 80", "tcp metered " },
    { "tp_dst != 80", "tcp6 udp udp6 sctp " },
    { "!(tp_dst == 80)", "tcp6 udp udp6 sctp later icmp icmp6 arp llc "
                         "dropped " },
    { "!(tp_dst != 80)", "tcp later icmp icmp6 arp llc dropped metered " },
    { "tp_dst < 80", "udp " },
    { "tp_dst <= 80", "tcp udp metered " },
    { "tp_dst > 50000", "udp6 " },
    { "tp_dst >= 50000", "tcp6 udp6 " },
    { "tp_dst == {53, 80}", "tcp udp metered " },
    { "tp_dst != {53, 80}", "tcp6 udp6 sctp " },
    { "tp_dst == 53-80", "tcp udp metered " },
    { "tp_dst == {0-52, 54-79, 81-65535}", "tcp6 udp6 sctp " },
    { "tp_dst == 0x1/0x1", "udp udp6 sctp " },
    { "tp_dst == {0x1/0x1, 80}", "tcp udp udp6 sctp metered " },
    { "tcp_dst == 53 || udp_dst == 80", "" },
    { "tcp_dst == 80", "tcp metered " },
    { "udp_dst == 53", "udp " },
    { "sctp_dst == 3869", "sctp " },
    { "nw_src == 192.0.2.1", "tcp sctp later icmp metered " },
    { "nw_src == 192.0.2.0/24", "tcp sctp later icmp metered " },
    { "nw_src != 192.0.2.0/24", "udp " },
    { "nw_src == 0.0.0.0/0", "tcp udp sctp later icmp metered " },
    { "nw_src == 192.0.0.1/255.0.0.255", "tcp sctp later icmp metered " },
    { "nw_src < 198.0.0.0", "tcp sctp later icmp metered " },
    { "nw_src == 192.0.2.2-198.51.100.2", "udp " },
    { "ipv6_dst == 2001:db8:ffff::/48", "tcp6 udp6 icmp6 " },
    { "ipv6_dst == 2001:db8:fffe::/48", "" },
    { "ipv6_dst > 2001:db8::ffff", "tcp6 udp6 icmp6 " },
    { "l3_src == {192.0.2.0/24, 2001:db8::/32}",
      "tcp tcp6 udp6 sctp later icmp icmp6 metered " },
    { "arp_spa == 192.0.2.1 && arp_op == request", "arp " },
    { "dl_type == 0x800 && nw_proto == 17", "udp later " },
    { "dl_type == 0x5ff", "llc " },
    { "nw_proto == 1", "icmp " },
    { "nw_frag == yes", "later icmp " },
    { "nw_frag == first", "icmp " },
    { "nw_frag == later", "later " },
    { "nw_frag == no",
      "tcp tcp6 udp udp6 sctp icmp6 metered " },
    { "nw_frag == not_later",
      "tcp tcp6 udp udp6 sctp icmp icmp6 metered " },
    { "nw_frag != no", "later icmp " },
    { "tcp_flags == +syn-ack", "tcp " },
    { "tcp_flags == +syn", "tcp tcp6 " },
    { "tcp_flags == syn", "tcp " },
    { "tcp_flags == syn|ack", "tcp6 " },
    { "tcp_flags != syn|ack", "tcp metered " },
    { "tcp_flags == none", "" },
    { "tcp_flags == {ack, +syn-ack}", "tcp metered " },
    { "nw_tos == 184 && ip_dscp == 46 && nw_ecn == 1", "tcp " },
    { "vlan_vid == 5", "tcp6 " },
    { "vlan_vid != 5", "udp6 " },
    { "dl_vlan == 0xffff",
      "tcp udp sctp later icmp icmp6 arp llc dropped metered " },
    { "vlan_tci == 0",
      "tcp udp sctp later icmp icmp6 arp llc metered " },
    { "inner_vlan_vid == 4095", "udp6 " },
    { "icmp_type == 8 || icmpv6_type == 135", "icmp icmp6 " },
    { "pkt_len >= 100", "udp udp6 sctp later " },
    { "drop_reason == meter", "metered " },
    { "drop_reason != meter", "dropped " },
    { "drop_reason == {datapath_drop_meter, 11}", "dropped metered " },
    { "time == \"" SAMPLE_TIME_TEXT "\"", ALL_SAMPLES },
    { "time > \"" SAMPLE_TIME_TEXT "\"", "" },
    { "flow_id == 0x00ff00000000abcd", ALL_SAMPLES },

    /* Ports: by number, by name. */
    { "in_port == 10", "tcp udp6 sctp later icmp icmp6 arp dropped "
                       "metered " },
    { "in_port == p0", "tcp udp6 sctp later icmp icmp6 arp dropped "
                       "metered " },
    { "in_port == {p1, \"p 2\"}", "tcp6 udp " },
    { "in_port == {11, \"p 2\"}", "tcp6 udp " },
    { "in_port > 10", "tcp6 " },
    { "in_port == 11-20", "tcp6 " },
    { "in_port != 10", "tcp6 " },       /* "p 2" has no number. */
    { "in_port != p0", "tcp6 udp " },
    { "in_port_name == p1", "tcp6 " },
    { "in_port_name == 10", "" },
    { "in_port == \"10\"", "" },
    { "out_port == 10", "tcp6 " },
    { "out_port != 10", "tcp udp udp6 sctp later icmp icmp6 arp llc " },
    { "in_port == out_port", "" },
    { "in_port != out_port", "tcp tcp6 udp udp6 sctp later icmp icmp6 "
                             "arp " },

    /* Fields with fields. */
    { "tp_src == tp_dst", "udp " },
    { "tp_src > tp_dst", "tcp metered " },
    { "tp_src != tp_dst", "tcp tcp6 udp6 sctp metered " },
    { "nw_src < nw_dst", "tcp sctp later icmp metered " },
    { "l3_src == nw_src", "tcp udp sctp later icmp metered " },
    { "ipv6_dst == l3_dst", "tcp6 udp6 icmp6 " },
    { "l3_src == l3_dst", "" },
    { "dl_src != dl_dst",
      "tcp tcp6 udp udp6 sctp later icmp icmp6 arp llc metered " },

    /* Precedence. */
    { "arp || tcp && tp_dst == 80", "tcp arp metered " },
    { "(arp || tcp) && tp_dst == 80", "tcp metered " },
    { "!arp && !ip", "tcp6 udp6 icmp6 llc dropped " },
    { "!(arp || ip)", "tcp6 udp6 icmp6 llc dropped " },
    { "!tp_dst == 80 && ip", "udp sctp later icmp " },

    /* OVS match syntax: "tcp" is IPv4 there. */
    { "tcp,tp_dst=80", "tcp metered " },
    { "tcp,tp_src=443", "" },
    { "tcp6,tp_src=443", "tcp6 " },
    { "udp,nw_src=198.51.100.0/24,tp_dst=53", "udp " },
    { "arp,nw_src=192.0.2.1,nw_proto=1", "arp " },
    { "icmp,tp_src=8,tp_dst=0", "icmp " },
    { "icmp6,tp_src=135,tp_dst=0", "icmp6 " },
    { "dl_vlan=5,ipv6", "tcp6 " },
    { "vlan_vid=0x1005,ipv6", "tcp6 " },
    { "vlan_vid=0,ipv6", "icmp6 " },
    { "vlan_vid=0x1000/0x1000,ipv6", "tcp6 udp6 " },
    { "vlan_tci=0x1005/0x1fff,ipv6", "tcp6 " },
    { "dl_vlan=0xffff,ipv6", "icmp6 " },
    { "dl_vlan_pcp=3,ipv6", "tcp6 " },
    { "tp_dst=*,ip", "tcp udp sctp metered " },
    { "in_port=10,dl_type=0x0806", "arp " },
    { "tcp,tcp_flags=+syn-ack", "tcp " },
    { "ip,nw_frag=yes", "later icmp " },
};

Test(expr, truth)
{
    setup_ports();
    for (size_t i = 0; i < ARRAY_SIZE(truth_cases); i++) {
        const struct truth_case *c = &truth_cases[i];
        struct mlog_expr *expr = parse(c->text);
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_cstr(&s, "");
        for (size_t j = 0; j < ARRAY_SIZE(samples); j++) {
            struct mlog_record record = sample_record(&samples[j]);

            if (mlog_expr_eval(expr, &record)) {
                ds_put_format(&s, "%s ", samples[j].name);
            }
        }
        cr_expect_str_eq(ds_cstr(&s), c->samples, "%s", c->text);
        ds_destroy(&s);
        mlog_expr_unref(expr);
    }
}

/* A comparison with a field that the packet lacks is false, whatever the
 * operator, and so is the bare name. */
Test(expr, absent_fields)
{
    static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=" };
    const struct mlog_field *field;

    setup_ports();
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct mlog_record record = sample_record(&samples[i]);

        MLOG_FIELD_FOR_EACH (field) {
            bool ordered = (mlog_field_is_ordered(field)
                            && field->type != MLOG_FT_PORT);
            struct mlog_value value;

            if (mlog_field_get(field, &record, &value)) {
                cr_assert(eval_text(field->name, &record));
                continue;
            }
            cr_assert(!eval_text(field->name, &record));
            for (size_t j = 0; j < (ordered ? 6 : 2); j++) {
                char *text = xasprintf("%s %s %s", field->name, ops[j],
                                       field->name);

                cr_expect(!eval_text(text, &record), "%s of %s", text,
                          samples[i].name);
                free(text);
            }
        }
        cr_assert(!eval_text("ip && nw_src == 1.1.1.1", &record));
    }
}

/* Structure: random expressions against the truth of their terms. */

static const char *const random_terms[] = {
    "tcp", "udp6", "ip", "vlan", "drop", "forwarded", "arp", "tp_dst",
    "out_port", "tp_dst == 80", "tp_dst != 80", "tp_src == tp_dst",
    "nw_src == 192.0.2.0/31", "nw_src != 192.0.2.1", "l3_dst == l3_src",
    "tcp_flags == +syn-ack", "tcp_flags != {+fin, +rst}", "pkt_len > 9000000",
    "nw_ttl < 64", "tcp_seq == tcp_ack", "in_port == {10, \"p 2\"}",
    "in_port != p0", "drop_reason == {meter, 11, 12}", "time > 5",
    "ip_dscp == 0-31", "in_port == out_port", "vlan_tci == 0",
};

/* Appends a random expression to 's' and returns its value; the value from
 * the flow alone goes to '*flow'. */
static bool
random_expr(int depth, struct ds *s, const struct mlog_record *record,
            enum mlog_tri *flow)
{
    int n = random_range(3) + 1;

    if (!depth || random_range(4) == 0) {
        const char *term = random_terms[random_range(
            ARRAY_SIZE(random_terms))];

        ds_put_cstr(s, term);
        *flow = eval_flow_text(term, record);
        return eval_text(term, record);
    }

    if (random_range(3) == 0) {
        ds_put_cstr(s, random_range(2) ? "!(" : "not (");
        bool value = random_expr(depth - 1, s, record, flow);

        ds_put_char(s, ')');
        *flow = (*flow == MLOG_MAYBE ? MLOG_MAYBE
                 : *flow == MLOG_TRUE ? MLOG_FALSE : MLOG_TRUE);
        return !value;
    }

    bool and = random_range(2);
    bool value = and;
    bool any_maybe = false;
    bool decided = false;

    for (int i = 0; i < n; i++) {
        enum mlog_tri f;

        ds_put_cstr(s, i ? (and ? " && (" : " or (") : "(");
        bool v = random_expr(depth - 1, s, record, &f);
        ds_put_char(s, ')');
        value = and ? value && v : value || v;
        any_maybe |= f == MLOG_MAYBE;
        decided |= f == (and ? MLOG_FALSE : MLOG_TRUE);
    }
    *flow = (decided ? (and ? MLOG_FALSE : MLOG_TRUE)
             : any_maybe ? MLOG_MAYBE
             : and ? MLOG_TRUE : MLOG_FALSE);
    return value;
}

/* The value is that of the operators applied to the terms, for the whole
 * record and (in three-valued logic) for the flow alone; the latter doesn't
 * contradict the former; the canonical text has the same values. */
Test(expr, structure)
{
    setup_ports();
    random_set_seed(5);
    for (int i = 0; i < 6000; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        struct mlog_record record;
        struct sample sample;
        enum mlog_tri flow;

        random_sample(&sample);
        record = sample_record(&sample);
        bool value = random_expr(random_range(5), &s, &record, &flow);
        struct mlog_expr *expr = parse(ds_cstr(&s));
        char *text = format(expr);

        cr_assert_eq(mlog_expr_eval(expr, &record), value, "%s", ds_cstr(&s));
        cr_assert_eq(mlog_expr_eval_flow(expr, &record), flow, "%s",
                     ds_cstr(&s));
        cr_assert(flow == MLOG_MAYBE || (flow == MLOG_TRUE) == value);
        cr_assert(flow != MLOG_MAYBE || !mlog_expr_is_flow_only(expr));
        cr_assert_eq(eval_text(text, &record), value, "%s", text);
        free(text);
        mlog_expr_unref(expr);
        ds_destroy(&s);
    }
}

/* What a flow says of the rows that it may have. */
Test(expr, flows)
{
    static const struct {
        const char *text, *sample;
        enum mlog_tri result;
    } cases[] = {
        { "", "tcp", MLOG_TRUE },
        { "tcp", "tcp", MLOG_TRUE },
        { "udp", "tcp", MLOG_FALSE },
        { "tcp_flags == +syn-ack", "tcp", MLOG_MAYBE },
        { "tcp_flags == +syn-ack", "udp", MLOG_FALSE },
        { "tcp_flags", "tcp", MLOG_MAYBE },
        { "nw_ttl > 5", "arp", MLOG_FALSE },
        { "!(nw_ttl > 5)", "arp", MLOG_TRUE },
        { "drop", "tcp", MLOG_MAYBE },
        { "drop && udp", "tcp", MLOG_FALSE },
        { "drop || tcp", "tcp", MLOG_TRUE },
        { "!(drop && tcp)", "tcp", MLOG_MAYBE },
        { "time > 5", "tcp", MLOG_MAYBE },
        { "nw_ttl == ip_dscp", "arp", MLOG_FALSE },
        { "nw_ttl == ip_dscp", "tcp", MLOG_MAYBE },
        { "out_port == in_port", "llc", MLOG_FALSE },
        { "out_port == in_port", "tcp", MLOG_MAYBE },
    };

    setup_ports();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mlog_record record
            = sample_record(find_sample(cases[i].sample));

        cr_expect_eq(eval_flow_text(cases[i].text, &record), cases[i].result,
                     "%s of %s", cases[i].text, cases[i].sample);

        /* The row isn't looked at. */
        record.row = NULL;
        record.time = 0;
        cr_expect_eq(eval_flow_text(cases[i].text, &record), cases[i].result,
                     "%s of %s", cases[i].text, cases[i].sample);
    }

    struct mlog_expr *expr = parse("tcp && nw_src == 10.0.0.0/8 || in_port");
    cr_expect(mlog_expr_is_flow_only(expr));
    mlog_expr_unref(expr);
    expr = parse("tcp && tp_src == tp_dst && !out_port");
    cr_expect(!mlog_expr_is_flow_only(expr));
    mlog_expr_unref(expr);
}

/* Sets: sorted ranges and masks against a walk through the members. */
Test(expr, sets)
{
    random_set_seed(6);
    for (int i = 0; i < 2000; i++) {
        struct mlog_flow_key key = {
            .dl_type = ETH_TYPE_IP, .nw_proto = 6,
            .has = HAS_L4 | MLOG_HAS_PORTS,
        };
        struct mlog_record record = { .key = &key };
        struct ds s = DS_EMPTY_INITIALIZER;
        struct { uint16_t lo, hi, mask; } members[20];
        int n = random_range(ARRAY_SIZE(members)) + 1;

        ds_put_cstr(&s, "tp_dst == {");
        for (int j = 0; j < n; j++) {
            uint16_t a = random_range(256);
            uint16_t b = random_range(256);

            ds_put_cstr(&s, j ? "," : "");
            members[j].lo = MIN(a, b);
            members[j].hi = MAX(a, b);
            members[j].mask = UINT16_MAX;
            switch (random_range(3)) {
            case 0:
                members[j].hi = members[j].lo;
                ds_put_format(&s, "%d", members[j].lo);
                break;
            case 1:
                members[j].hi = MIN(members[j].hi, members[j].lo + 9);
                ds_put_format(&s, "%d-%d", members[j].lo, members[j].hi);
                break;
            case 2:
                members[j].mask = 0xfe00 | random_range(512);
                members[j].lo &= members[j].mask;
                members[j].hi = members[j].lo;
                ds_put_format(&s, "0x%x/0x%x", a, members[j].mask);
                members[j].lo = members[j].hi = a & members[j].mask;
                break;
            }
        }
        ds_put_char(&s, '}');

        struct mlog_expr *expr = parse(ds_cstr(&s));
        for (int port = 0; port < 520; port++) {
            bool in = false;

            for (int j = 0; j < n; j++) {
                int masked = port & members[j].mask;

                in |= masked >= members[j].lo && masked <= members[j].hi;
            }
            key.tp_dst = port;
            cr_assert_eq(mlog_expr_eval(expr, &record), in, "%s: %d",
                         ds_cstr(&s), port);
        }
        mlog_expr_unref(expr);
        ds_destroy(&s);
    }
}

/* The ends of the largest fields. */
Test(expr, extremes)
{
    struct mlog_flow_key key = { .dl_type = ETH_TYPE_IPV6, .has = HAS_L4 };
    struct mlog_record record = { .key = &key, .flow_id = UINT64_MAX };

    memset(key.src, 0xff, sizeof key.src);
    cr_expect(eval_text("flow_id == 0xffffffffffffffff", &record));
    cr_expect(eval_text("flow_id != 0", &record));
    cr_expect(eval_text("ipv6_src == ::/0 && ipv6_dst == ::/0", &record));
    cr_expect(eval_text("ipv6_src == 8000::/1", &record));
    cr_expect(!eval_text("ipv6_dst == 8000::/1", &record));
    cr_expect(eval_text("ipv6_src == {::1, fffe::-ffff:ffff:ffff:ffff:ffff:"
                        "ffff:ffff:ffff, ::/1}", &record));
    cr_expect(eval_text("ipv6_src >= ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                        &record));
    cr_expect(eval_text("ipv6_src == ::ffff/::ffff", &record));
}

/* Limits: each is an error at the right place, and what is just within is
 * accepted; so is then its canonical text. */

static char *
repeat(const char *first, const char *s, size_t n, const char *last)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&ds, first);
    for (size_t i = 0; i < n; i++) {
        ds_put_cstr(&ds, s);
    }
    ds_put_cstr(&ds, last);
    return ds_steal_cstr(&ds);
}

static void
check_limit(char *text, int column, const char *message)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_expr *expr = mlog_expr_parse(text, &error);

    if (!message) {
        cr_expect(expr, "%.100s: %s", text, error.message);
    } else {
        cr_expect_null(expr);
        cr_expect_eq(error.column, column, "column %d", error.column);
        cr_expect(error.message && strstr(error.message, message), "%s",
                  error.message);
    }
    mlog_error_clear(&error);
    mlog_expr_unref(expr);
    free(text);
}

Test(expr, limits)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    char *parens = repeat("", ")", 64, "");

    /* Bytes. */
    check_limit(repeat("tcp", " ", 4093, ""), 0, NULL);
    check_limit(repeat("tcp", " ", 4094, ""), 4097, "longer than 4096");

    /* Depth. */
    ds_put_format(&s, "tcp%s", parens);
    check_limit(repeat("", "(", 64, ds_cstr(&s)), 0, NULL);
    check_limit(repeat("", "(", 65, "tcp"), 65, "64 levels");
    check_limit(repeat("", "!(", 65, "tcp"), 130, "64 levels");
    check_limit(repeat("", "!", 4093, "tcp"), 0, NULL);
    check_limit(repeat("", "(", 64, "!tp_dst == 80"), 65, "64 levels");

    /* Terms. */
    check_limit(repeat("ip", "||ip", 1023, ""), 0, NULL);
    check_limit(repeat("ip", ",ip", 1023, ""), 0, NULL);
    check_limit(repeat("ip", ",ip", 1024, ""), 3073, "1024 terms");

    /* Members. */
    check_limit(repeat("tp_dst=={1", ",1", 1023, "}"), 0, NULL);
    check_limit(repeat("tp_dst=={1", ",1", 1024, "}"), 2058, "1024 values");

    /* The deepest canonical text that can be had. */
    ds_clear(&s);
    for (int i = 0; i < 63; i++) {
        ds_put_cstr(&s, i % 2 ? "(tcp&&" : "!(udp||");
    }
    ds_put_cstr(&s, "!tp_dst==80&&ip||arp");
    ds_put_buffer(&s, parens, 63);
    struct mlog_expr *expr = parse(ds_cstr(&s));
    check_limit(format(expr), 0, NULL);
    mlog_expr_unref(expr);
    ds_destroy(&s);
    free(parens);
}

/* Hostile texts cost an error, and time only for what may be read at all. */

static double
cpu_seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Parses 'size' bytes of copies of 'piece', then as many as are allowed. */
static void
check_hostile(const char *piece, size_t size)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    char *text = xmalloc(size + 1);
    size_t len = strlen(piece);

    for (size_t i = 0; i < size; i += len) {
        memcpy(text + i, piece, MIN(len, size - i));
    }
    text[size] = '\0';

    cr_assert_null(mlog_expr_parse(text, &error), "%s", piece);
    cr_assert_leq(error.column, MLOG_EXPR_MAX_TEXT + 1);
    cr_assert_lt(strlen(error.message), 300);
    char *s = mlog_error_to_string(&error, text);
    cr_assert_lt(strlen(s), 600);
    free(s);

    text[MLOG_EXPR_MAX_TEXT] = '\0';
    mlog_expr_unref(mlog_expr_parse(text, &error));
    mlog_error_clear(&error);
    free(text);
}

Test(expr, hostile)
{
    static const char *const pieces[] = {
        "(", ")", "!", "{", "}", ",", "\"", "||", "&&", "tcp", "a", "1", "=",
        "== ", "\\", "\xff", "\xc3\xa9", "tp_dst==", "nw_src=", "::", "\x01",
        "tp_dst=={", "1,", "in_port==\"", "time>", "!(tcp||", "tcp,",
    };
    double start = cpu_seconds();

    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        check_hostile(pieces[i], 200000);
    }
    check_hostile("(", 10 << 20);
    check_hostile("1", 10 << 20);

    /* Much more than it takes even with sanitizers; anything quadratic in
     * the sizes above would take hours. */
    cr_expect_lt(cpu_seconds() - start, 10);
}

/* Random texts of likely pieces: what is accepted, is accepted again in its
 * canonical form, which is a fixed point. */
Test(expr, random_texts)
{
    static const char *const pieces[] = {
        "tcp", "udp", "ip", "vlan", "drop", "tp_dst", "nw_src", "in_port",
        "tcp_flags", "time", "l3_src", "dl_vlan", "==", "!=", "<", "=", "&&",
        "||", "!", "not", "and", "or", "(", ")", "{", "}", ",", "80",
        "10.0.0.0/8", "+syn-ack", "syn|ack", "\"p0\"", "p0", "0xffff", "*",
        "1-9", "::1", "-", "/", " ", "5", "0x1005/0x1fff", "vlan_vid",
    };
    size_t n_accepted = 0;

    random_set_seed(7);
    for (int i = 0; i < 60000; i++) {
        struct mlog_error error = MLOG_ERROR_INITIALIZER;
        struct ds s = DS_EMPTY_INITIALIZER;
        struct mlog_expr *expr;
        int n = random_range(9);

        ds_put_cstr(&s, "");
        for (int j = 0; j < n; j++) {
            ds_put_cstr(&s, pieces[random_range(ARRAY_SIZE(pieces))]);
            ds_put_cstr(&s, random_range(2) ? " " : "");
        }
        expr = mlog_expr_parse(ds_cstr(&s), &error);
        cr_assert_eq(!expr, error.message != NULL);
        if (expr) {
            char *text = format(expr);
            struct mlog_expr *expr2 = parse(text);
            char *text2 = format(expr2);

            cr_assert_str_eq(text, text2);
            free(text);
            free(text2);
            mlog_expr_unref(expr2);
            n_accepted++;
        } else {
            cr_assert(error.column >= 1 && error.column <= s.length + 1,
                      "%s: %d", ds_cstr(&s), error.column);
        }
        mlog_expr_unref(expr);
        mlog_error_clear(&error);
        ds_destroy(&s);
    }
    cr_assert_gt(n_accepted, 500, "%zu", n_accepted);
}

/* Outside the bounds, the expression is false. */
Test(expr, time_range)
{
    static const struct {
        const char *text;
        uint64_t min, max;
    } cases[] = {
        { "", 0, UINT64_MAX },
        { "tcp", 0, UINT64_MAX },
        { "time > 5", 5000000001, UINT64_MAX },
        { "time >= 5", 5000000000, UINT64_MAX },
        { "time < 5", 0, 4999999999 },
        { "time <= 5", 0, 5000000000 },
        { "time == 5", 5000000000, 5000000000 },
        { "time != 5", 0, UINT64_MAX },
        { "!(time != 5)", 5000000000, 5000000000 },
        { "!(time < 5)", 5000000000, UINT64_MAX },
        { "!(time >= 5)", 0, 4999999999 },
        { "time == {7, 5, 6}", 5000000000, 7000000000 },
        { "time >= 5 && tcp && time <= 6", 5000000000, 6000000000 },
        { "time >= 5 || tcp", 0, UINT64_MAX },
        { "time == 5 || time == 9", 5000000000, 9000000000 },
        { "!(time < 5 || time > 9)", 5000000000, 9000000000 },
        { "time < 0", UINT64_MAX, 0 },
        { "tp_dst > 5", 0, UINT64_MAX },
        { "tcp,time=5", 5000000000, 5000000000 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mlog_expr *expr = parse(cases[i].text);
        uint64_t min, max;

        mlog_expr_time_range(expr, &min, &max);
        cr_expect_eq(min, cases[i].min, "%s", cases[i].text);
        cr_expect_eq(max, cases[i].max, "%s", cases[i].text);
        mlog_expr_unref(expr);
    }
}

Test(expr, references)
{
    struct mlog_expr *expr = parse("tcp");
    struct mlog_record record = sample_record(find_sample("tcp"));

    cr_assert_eq(mlog_expr_ref(expr), expr);
    mlog_expr_unref(expr);
    cr_assert(mlog_expr_eval(expr, &record));
    mlog_expr_unref(expr);
    mlog_expr_unref(NULL);
}

Test(expr, predicates)
{
    for (size_t i = 0; i < mlog_predicate_count(); i++) {
        const struct mlog_predicate *p = mlog_predicate_get(i);

        cr_assert_eq(mlog_predicate_from_name(p->name), p);
        cr_assert_null(mlog_field_from_name(p->name));
        cr_assert_gt(strlen(p->doc), 10);
        mlog_expr_unref(parse(p->name));
    }
    cr_assert_null(mlog_predicate_from_name("nope"));
}
