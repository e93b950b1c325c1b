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

#include "mlog-headers.h"
#include "mlog-pcap-filter.h"
#include "openvswitch/dynamic-string.h"
#include "records.h"
#include "timeval.h"
#include "util.h"

/* Verdicts on whole captures are compared with libpcap's by
 * tests/compare-pcap-filter. */

static const struct sample *
sample(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        if (!strcmp(samples[i].name, name)) {
            return &samples[i];
        }
    }
    cr_assert_fail("%s", name);
    return NULL;
}

static struct mlog_pcap_filter *
compile(const char *text)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_pcap_filter *filter = mlog_pcap_filter_compile(text, &error);

    cr_assert_not_null(filter, "%s: %s", text, error.message);
    return filter;
}

static enum mlog_tri
eval(const char *text, const char *name, bool row)
{
    const struct sample *s = sample(name);
    const struct mlog_record record = {
        .key = &s->key, .row = row ? &s->row : NULL
    };
    struct mlog_pcap_filter *filter = compile(text);
    enum mlog_tri result = mlog_pcap_filter_eval(filter, &record);

    mlog_pcap_filter_unref(filter);
    return result;
}

static void
expect_error(const char *text, int column, const char *message)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;

    cr_assert_null(mlog_pcap_filter_compile(text, &error), "%s", text);
    cr_expect_not_null(strstr(error.message, message), "%s: %s", text,
                       error.message);
    cr_expect_eq(error.column, column, "%s: column %d: %s", text,
                 error.column, error.message);
    mlog_error_clear(&error);
}

Test(pcap_filter, fields_of_the_flow_need_no_row)
{
    static const char *const yes[] = {
        "tcp", "ip", "tcp port 80", "dst port 80", "host 192.0.2.1",
        "tcp port 80 and src net 192.0.2.0/24", "not udp", "ip proto 6",
        "ether src 00:53:00:00:00:01", "ip[12] = 192", "tcp[2:2] = 80",
    };
    static const char *const no[] = {
        "udp", "ip6", "tcp port 81", "arp", "host 192.0.2.9", "vlan",
        "tcp port 81 and len > 1", "ip[6:2] & 0x3fff != 0",
    };

    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        cr_expect_eq(eval(yes[i], "tcp", false), MLOG_TRUE, "%s", yes[i]);
        cr_expect_eq(eval(yes[i], "tcp", true), MLOG_TRUE, "%s", yes[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
        cr_expect_eq(eval(no[i], "tcp", false), MLOG_FALSE, "%s", no[i]);
        cr_expect_eq(eval(no[i], "tcp", true), MLOG_FALSE, "%s", no[i]);
    }
}

Test(pcap_filter, fields_of_the_row)
{
    static const struct {
        const char *text;
        enum mlog_tri result;
    } cases[] = {
        { "tcp[tcpflags] & tcp-syn != 0", MLOG_TRUE },
        { "tcp[13] = 2", MLOG_TRUE },
        { "tcp[tcpflags] & tcp-ack != 0", MLOG_FALSE },
        { "tcp[4:4] = 4000000000", MLOG_TRUE },
        { "tcp[14:2] = 65535", MLOG_TRUE },
        { "ip[8] = 64", MLOG_TRUE },
        { "ip[8] < 64", MLOG_FALSE },
        { "ip[4:2] = 4660", MLOG_TRUE },
        { "ip[1] >> 2 = 46", MLOG_TRUE },
        { "len = 74", MLOG_TRUE },
        { "greater 75", MLOG_FALSE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_expect_eq(eval(cases[i].text, "tcp", false), MLOG_MAYBE, "%s",
                     cases[i].text);
        cr_expect_eq(eval(cases[i].text, "tcp", true), cases[i].result, "%s",
                     cases[i].text);
    }
}

/* Without the word "vlan", tags make no difference. */
Test(pcap_filter, tags)
{
    cr_expect_eq(eval("tcp port 443", "tcp6", true), MLOG_TRUE);
    cr_expect_eq(eval("vlan", "tcp6", true), MLOG_TRUE);
    cr_expect_eq(eval("vlan 5", "tcp6", true), MLOG_TRUE);
    cr_expect_eq(eval("vlan 5 and tcp port 443", "tcp6", true), MLOG_TRUE);
    cr_expect_eq(eval("vlan 6", "tcp6", true), MLOG_FALSE);
    cr_expect_eq(eval("vlan and vlan", "tcp6", true), MLOG_FALSE);
    cr_expect_eq(eval("not vlan", "tcp", true), MLOG_TRUE);
    cr_expect_eq(eval("udp", "udp6", true), MLOG_TRUE);
    cr_expect_eq(eval("vlan 7 and vlan 4095", "udp6", true), MLOG_TRUE);
    cr_expect_eq(eval("vlan 4095", "udp6", true), MLOG_FALSE);
}

Test(pcap_filter, fragments)
{
    cr_expect_eq(eval("udp", "later", true), MLOG_TRUE);
    cr_expect_eq(eval("udp port 53", "later", true), MLOG_FALSE);
    cr_expect_eq(eval("ip[6:2] & 0x1fff != 0", "later", true), MLOG_TRUE);
    cr_expect_eq(eval("icmp[icmptype] = icmp-echo", "icmp", true), MLOG_TRUE);
    cr_expect_eq(eval("ip[6] & 0x20 != 0", "icmp", true), MLOG_TRUE);
}

/* What a record doesn't have can't be asked for. */
Test(pcap_filter, what_is_not_recorded_is_refused)
{
    static const struct {
        const char *text;
        int column;
        const char *message;
    } cases[] = {
        { "tcp[20:4] = 0x47455420", 4, "what comes after the TCP header" },
        { "tcp[12] & 0xf0 = 0x50", 4, "byte 12 of the TCP header" },
        { "tcp[16:2] = 0", 4, "byte 16 of the TCP header" },
        { "udp[8] = 1", 4, "what comes after the UDP header" },
        { "udp[4:2] > 100", 4, "byte 4 of the UDP header" },
        { "icmp[4:2] = 1", 5, "byte 4 of the ICMP header" },
        { "ip[2:2] > 576", 3, "byte 2 of the IPv4 header" },
        { "ip[0] & 0xf != 5", 3, "byte 0 of the IPv4 header" },
        { "ip[6] & 0x40 != 0", 3, "byte 6 of the IPv4 header" },
        { "ip[10:2] = 0", 3, "byte 10 of the IPv4 header" },
        { "ip[20:2] = 1", 3, "which is not recorded" },
        { "ether[40] = 1", 6, "which is not recorded" },
        { "ip6[4:2] > 100", 4, "byte 4 of the IPv6 header" },
        { "ip6[40] = 1", 4, "which is not recorded" },
        { "arp[8:4] = 1", 4, "byte 8 of the ARP packet" },
        { "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - "
          "((tcp[12]&0xf0)>>2)) != 0)", 0, "IPv4 header" },
        { "stp", 0, "which is not recorded" },
        { "mpls 100", 0, "with type 0x8847" },
        { "vlan and ether[14] & 0x10 != 0", 15, "byte 14 of the Ethernet" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        expect_error(cases[i].text, cases[i].column, cases[i].message);
    }
}

Test(pcap_filter, names_are_not_looked_up)
{
    expect_error("host foo.example", 6, "'foo.example' is neither a keyword");
    expect_error("host foo", 6, "not looked up");
    expect_error("tcp port http", 10, "'http' is neither");
    expect_error("net loopback", 5, "'loopback' is neither");
    expect_error("ip proto foo", 10, "'foo' is neither");
    expect_error("ip proto \\foo", 10, "'\\foo' is neither");
    expect_error("ether proto \\tcp", 13, "'\\tcp' is neither");
    expect_error("host \\foo.example", 6, "neither");
    expect_error("portrange ftp-ssh", 11, "neither");
    expect_error("foo", 1, "neither");
    expect_error("10.0.0.1.example", 1, "neither");
    expect_error("host 0x1g", 6, "neither");
    expect_error("host 1-2", 6, "neither");
    expect_error("host ::1::2", 6, "neither");
    expect_error("gateway 10.0.0.1", 1, "'gateway' is not possible");
    expect_error("ip protochain 6", 4, "'protochain' is not possible");
    expect_error("hsot 10.0.0.1", 1, "did you mean 'host'?");
    expect_error("host \xc3\xb6o", 6, "no meaning here");
    expect_error("tcp; udp", 4, "';' has no meaning here");
    expect_error("tcp\x01", 4, "no meaning here");
}

/* libpcap's messages, with the place. */
Test(pcap_filter, mistakes_have_a_place)
{
    expect_error("tcp port", 9, "libpcap: ");
    expect_error("tcp udp", 5, "libpcap: ");
    expect_error("tcp and and udp", 9, "libpcap: ");
    expect_error("host 10.0.0.1 prot 80", 15, "neither");
    expect_error("host 10.0.0.1 port 80", 15, "libpcap: ");
    expect_error("port 70000", 6, "libpcap: ");
    expect_error("tcp and (port 80", 17, "libpcap: ");
    expect_error("net 10.0.0.1/8", 14, "libpcap: ");
    expect_error("arp port 80", 5, "libpcap: ");
    expect_error("ip broadcast", 4, "libpcap: ");
}

Test(pcap_filter, limits)
{
    char *text = xmalloc(MLOG_PCAP_MAX_TEXT + 2);
    struct ds words = DS_EMPTY_INITIALIZER;
    long long int start = time_msec();
    struct mlog_error error = MLOG_ERROR_INITIALIZER;

    memset(text, ' ', MLOG_PCAP_MAX_TEXT + 1);
    text[MLOG_PCAP_MAX_TEXT + 1] = '\0';
    expect_error(text, 0, "longer than 4096 bytes");

    memset(text, '(', 65);
    text[65] = '\0';
    expect_error(text, 65, "more than 64 levels");

    ds_put_cstr(&words, "tcp");
    for (int i = 0; i < 300; i++) {
        ds_put_cstr(&words, " or tcp");
    }
    expect_error(ds_cstr(&words), 3 + 7 * 255 + 5, "more than 512 words");

    /* Long, but allowed. */
    ds_clear(&words);
    ds_put_cstr(&words, "host 10.0.0.0");
    for (int i = 1; i < 130; i++) {
        ds_put_format(&words, " or host 10.0.%d.%d", i % 7, i);
    }
    mlog_pcap_filter_unref(compile(ds_cstr(&words)));
    ds_clear(&words);
    /* Perhaps more than libpcap does. */
    ds_put_cstr(&words, "ip[8] = 1");
    for (int i = 1; i < 100; i++) {
        ds_put_format(&words, " and ip[%d] + ip[8] != ip[1] * %d",
                      12 + i % 8, i);
    }
    mlog_pcap_filter_unref(mlog_pcap_filter_compile(ds_cstr(&words), &error));
    mlog_error_clear(&error);
    cr_expect_lt(time_msec() - start, 10000);
}

Test(pcap_filter, everything_and_expressions)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_pcap_filter *filter = compile("tcp port 80");
    const struct sample *tcp = sample("tcp"), *udp = sample("udp");
    struct mlog_record record = { .key = &tcp->key, .row = &tcp->row };
    struct mlog_expr *expr;

    cr_expect_eq(eval("", "tcp", false), MLOG_TRUE);
    cr_expect_eq(eval("  ", "arp", false), MLOG_TRUE);

    expr = mlog_pcap_filter_and(mlog_expr_parse("pkt_len > 10", &error),
                                filter);
    cr_expect_not(mlog_expr_is_everything(expr));
    cr_expect_not(mlog_expr_is_flow_only(expr));
    cr_expect(mlog_expr_eval(expr, &record));
    cr_expect_eq(mlog_expr_eval_flow(expr, &record), MLOG_MAYBE);
    record.key = &udp->key;
    record.row = &udp->row;
    cr_expect_not(mlog_expr_eval(expr, &record));
    cr_expect_eq(mlog_expr_eval_flow(expr, &record), MLOG_FALSE);
    mlog_expr_unref(expr);

    expr = mlog_pcap_filter_and(mlog_expr_parse("", &error), filter);
    record.key = &tcp->key;
    cr_expect_eq(mlog_expr_eval_flow(expr, &record), MLOG_TRUE);
    mlog_expr_unref(expr);
    mlog_pcap_filter_unref(filter);
    mlog_pcap_filter_unref(NULL);
}

/* A packet that ends in the midst of a header. */
Test(pcap_filter, undecided_records_are_counted)
{
    struct mlog_pcap_filter *filter = compile("tcp[tcpflags] & tcp-syn != 0");
    static const uint8_t packet[60] = {
        [12] = 8, [14] = 0x45, [17] = 30, [23] = 6, [35] = 1, [37] = 80
    };
    struct mlog_flow_key key;
    struct mlog_row row;
    const struct mlog_record record = { .key = &key, .row = &row };

    mlog_headers_parse(packet, sizeof packet, sizeof packet, &key, &row);
    cr_assert_not(key.has & MLOG_HAS_TCP);
    cr_assert(key.has & MLOG_HAS_PORTS);
    cr_expect_eq(mlog_pcap_filter_eval(filter, &record), MLOG_FALSE);
    cr_expect_eq(mlog_pcap_filter_n_undecided(filter), 1);
    mlog_pcap_filter_unref(filter);
}

/* Words and noise: no crash, and verdicts on a flow agree with those on its
 * packets. */
Test(pcap_filter, random_texts)
{
    static const char *const words[] = {
        "tcp", "udp", "ip", "ip6", "arp", "vlan", "port", "host", "net", "src",
        "dst", "and", "or", "not", "80", "10.0.0.1", "10.0.0.0/8", "::1", "(",
        ")", "[", "]", "=", "!=", "<", "&", "+", "-", "*", "len", "ip[8]",
        "tcp[13]", "tcp[0:2]", "ether", "proto", "\\tcp", "icmp[0]", "6",
        "portrange", "1-2", "mask", "255.0.0.0", "mpls", "geneve", "stp",
        "1:2:3:4:5:6", ":", "4294967295", "ether[12:2]", "ip6[6]", "less",
        "broadcast", "multicast", "5", ">>", "|", "x",
    };
    struct ds text = DS_EMPTY_INITIALIZER;
    size_t n_ok = 0;

    random_set_seed(7);
    for (int i = 0; i < 3000; i++) {
        struct mlog_error error = MLOG_ERROR_INITIALIZER;
        struct mlog_pcap_filter *filter;

        ds_clear(&text);
        for (int n = random_range(7); n >= 0; n--) {
            ds_put_format(&text, "%s ", words[random_range(
                              ARRAY_SIZE(words))]);
        }
        filter = mlog_pcap_filter_compile(ds_cstr(&text), &error);
        cr_assert_neq(!filter, !error.message);
        mlog_error_clear(&error);
        for (size_t j = 0; filter && j < ARRAY_SIZE(samples); j++) {
            struct mlog_record record = { .key = &samples[j].key };
            enum mlog_tri flow = mlog_pcap_filter_eval(filter, &record);

            record.row = &samples[j].row;
            cr_expect(flow == MLOG_MAYBE
                      || mlog_pcap_filter_eval(filter, &record) == flow, "%s",
                      ds_cstr(&text));
        }
        n_ok += filter != NULL;
        mlog_pcap_filter_unref(filter);
    }
    cr_expect_gt(n_ok, 50);
    ds_destroy(&text);
}
