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
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mlog-drop.h"
#include "mlog-fields.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "records.h"

/* The text of the sample's field, or "-" if it lacks. */
static char *
get_text(const struct sample *sample, const struct mlog_field *field)
{
    struct mlog_record record = sample_record(sample);
    struct ds s = DS_EMPTY_INITIALIZER;
    struct mlog_value value;

    if (mlog_field_get(field, &record, &value)) {
        mlog_field_format(field, &value, &s);
    } else {
        ds_put_cstr(&s, "-");
        cr_assert(value.hi == 0 && value.lo == 0);
    }
    return ds_steal_cstr(&s);
}

/* The table names every field once, and says everything about it. */
Test(fields, table_is_sound)
{
    struct shash names = SHASH_INITIALIZER(&names);
    const struct mlog_field *field;
    size_t n = 0;

    MLOG_FIELD_FOR_EACH (field) {
        cr_assert_eq(field->id, n++);
        cr_assert(shash_add_once(&names, field->name, field), "%s twice",
                  field->name);
        for (size_t i = 0; field->aliases[i]; i++) {
            cr_assert(shash_add_once(&names, field->aliases[i], field),
                      "%s twice", field->aliases[i]);
            cr_assert_eq(mlog_field_from_name(field->aliases[i]), field);
        }
        cr_assert_eq(mlog_field_from_name(field->name), field);
        cr_assert_eq(mlog_field_get_by_id(field->id), field);
        cr_assert(field->n_bits >= 1 && field->n_bits <= 128);
        cr_assert(strlen(field->doc) > 10, "%s has no doc", field->name);
        cr_assert(field->prereq[0] && field->group[0]);
        cr_assert(mlog_field_type_to_string(field->type));
        cr_assert(!mlog_field_is_quantity(field)
                  || mlog_field_is_ordered(field));
    }
    cr_assert_eq(n, MLOG_N_FIELDS);
    cr_assert_null(mlog_field_from_name(""));
    cr_assert_null(mlog_field_from_name("nw_sr"));
    cr_assert_null(mlog_field_from_name("NW_SRC"));
    shash_destroy(&names);
}

/* Every field, in every kind of packet; "-" where the packet lacks it. */
struct field_case {
    const char *field;

    /* In the order of 'samples': tcp, tcp6, udp, udp6, sctp, later, icmp,
     * icmp6, arp, llc, dropped, metered. */
    const char *texts[ARRAY_SIZE(samples)];
};

#define ALL(X) { X, X, X, X, X, X, X, X, X, X, X, X }
#define SRC4 "192.0.2.1"
#define DST4 "198.51.100.2"
#define SRC6 "2001:db8::1"
#define DST6 "2001:db8:ffff::2"
#define MAC1 "00:53:00:00:00:01"
#define MAC2 "00:53:00:00:00:02"

static const struct field_case field_cases[] = {
    { "time", ALL(SAMPLE_TIME_TEXT) },
    { "flow_id", ALL("0x00ff00000000abcd") },
    { "in_port", { "p0", "p1", "p 2", "p0", "p0", "p0", "p0", "p0", "p0",
                   "-", "p0", "p0" } },
    { "in_port_name", { "p0", "p1", "p 2", "p0", "p0", "p0", "p0", "p0",
                        "p0", "-", "p0", "p0" } },
    { "out_port", { "p1", "p0", "p1", "p1", "p1", "p1", "p1", "p1", "p1",
                    "p1", "-", "-" } },
    { "out_port_name", { "p1", "p0", "p1", "p1", "p1", "p1", "p1", "p1",
                         "p1", "p1", "-", "-" } },
    { "pkt_len", { "74", "90", "1500", "100", "100", "100", "98", "86", "42",
                   "60", "10", "74" } },
    { "drop_reason", { "-", "-", "-", "-", "-", "-", "-", "-", "-", "-",
                       "rx_invalid_packet", "meter" } },
    { "dl_src", { MAC1, MAC1, MAC1, MAC1, MAC1, MAC1, MAC1, MAC1, MAC1, MAC1,
                  "-", MAC1 } },
    { "dl_dst", { MAC2, MAC2, MAC2, MAC2, MAC2, MAC2, MAC2, MAC2,
                  "ff:ff:ff:ff:ff:ff", MAC2, "-", MAC2 } },
    { "dl_type", { "0x0800", "0x86dd", "0x0800", "0x86dd", "0x0800",
                   "0x0800", "0x0800", "0x86dd", "0x0806", "0x05ff", "-",
                   "0x0800" } },
    { "vlan_tci", { "0x0000", "0x7005", "0x0000", "0x1007", "0x0000",
                    "0x0000", "0x0000", "0x0000", "0x0000", "0x0000", "-",
                    "0x0000" } },
    { "vlan_vid", { "-", "5", "-", "7", "-", "-", "-", "-", "-", "-", "-",
                    "-" } },
    { "vlan_pcp", { "-", "3", "-", "0", "-", "-", "-", "-", "-", "-", "-",
                    "-" } },
    { "inner_vlan_vid", { "-", "-", "-", "4095", "-", "-", "-", "-", "-",
                          "-", "-", "-" } },
    { "inner_vlan_pcp", { "-", "-", "-", "7", "-", "-", "-", "-", "-", "-",
                          "-", "-" } },
    { "nw_src", { SRC4, "-", DST4, "-", SRC4, SRC4, SRC4, "-", "-", "-", "-",
                  SRC4 } },
    { "nw_dst", { DST4, "-", SRC4, "-", DST4, DST4, DST4, "-", "-", "-", "-",
                  DST4 } },
    { "ipv6_src", { "-", SRC6, "-", SRC6, "-", "-", "-", SRC6, "-", "-", "-",
                    "-" } },
    { "ipv6_dst", { "-", DST6, "-", DST6, "-", "-", "-", DST6, "-", "-", "-",
                    "-" } },
    { "l3_src", { SRC4, SRC6, DST4, SRC6, SRC4, SRC4, SRC4, SRC6, "-", "-",
                  "-", SRC4 } },
    { "l3_dst", { DST4, DST6, SRC4, DST6, DST4, DST4, DST4, DST6, "-", "-",
                  "-", DST4 } },
    { "nw_proto", { "6", "6", "17", "17", "132", "17", "1", "58", "-", "-",
                    "-", "6" } },
    { "nw_tos", { "184", "0", "0", "0", "0", "0", "0", "0", "-", "-", "-",
                  "0" } },
    { "ip_dscp", { "46", "0", "0", "0", "0", "0", "0", "0", "-", "-", "-",
                   "0" } },
    { "nw_ecn", { "1", "0", "0", "0", "0", "0", "0", "0", "-", "-", "-",
                  "0" } },
    { "nw_ttl", { "64", "63", "255", "1", "64", "64", "64", "255", "-", "-",
                  "-", "64" } },
    { "nw_frag", { "no", "no", "no", "no", "no", "later", "first", "no", "-",
                   "-", "-", "no" } },
    { "ip_id", { "4660", "-", "1", "-", "0", "99", "0", "-", "-", "-", "-",
                 "0" } },
    { "arp_op", { "-", "-", "-", "-", "-", "-", "-", "-", "1", "-", "-",
                  "-" } },
    { "arp_spa", { "-", "-", "-", "-", "-", "-", "-", "-", SRC4, "-", "-",
                   "-" } },
    { "arp_tpa", { "-", "-", "-", "-", "-", "-", "-", "-", DST4, "-", "-",
                   "-" } },
    { "tp_src", { "40000", "443", "53", "1", "3868", "-", "-", "-", "-", "-",
                  "-", "40000" } },
    { "tp_dst", { "80", "50000", "53", "65535", "3869", "-", "-", "-", "-",
                  "-", "-", "80" } },
    { "tcp_src", { "40000", "443", "-", "-", "-", "-", "-", "-", "-", "-",
                   "-", "40000" } },
    { "tcp_dst", { "80", "50000", "-", "-", "-", "-", "-", "-", "-", "-",
                   "-", "80" } },
    { "udp_src", { "-", "-", "53", "1", "-", "-", "-", "-", "-", "-", "-",
                   "-" } },
    { "udp_dst", { "-", "-", "53", "65535", "-", "-", "-", "-", "-", "-",
                   "-", "-" } },
    { "sctp_src", { "-", "-", "-", "-", "3868", "-", "-", "-", "-", "-", "-",
                    "-" } },
    { "sctp_dst", { "-", "-", "-", "-", "3869", "-", "-", "-", "-", "-", "-",
                    "-" } },
    { "tcp_flags", { "syn", "syn|ack", "-", "-", "-", "-", "-", "-", "-",
                     "-", "-", "ack" } },
    { "tcp_seq", { "4000000000", "0", "-", "-", "-", "-", "-", "-", "-", "-",
                   "-", "0" } },
    { "tcp_ack", { "7", "0", "-", "-", "-", "-", "-", "-", "-", "-", "-",
                   "0" } },
    { "tcp_window", { "65535", "0", "-", "-", "-", "-", "-", "-", "-", "-",
                      "-", "0" } },
    { "icmp_type", { "-", "-", "-", "-", "-", "-", "8", "-", "-", "-", "-",
                     "-" } },
    { "icmp_code", { "-", "-", "-", "-", "-", "-", "0", "-", "-", "-", "-",
                     "-" } },
    { "icmpv6_type", { "-", "-", "-", "-", "-", "-", "-", "135", "-", "-",
                       "-", "-" } },
    { "icmpv6_code", { "-", "-", "-", "-", "-", "-", "-", "0", "-", "-", "-",
                       "-" } },
};
BUILD_ASSERT_DECL(ARRAY_SIZE(field_cases) == MLOG_N_FIELDS);

Test(fields, values_and_absence)
{
    setup_ports();
    for (size_t i = 0; i < ARRAY_SIZE(field_cases); i++) {
        const struct field_case *c = &field_cases[i];
        const struct mlog_field *field = mlog_field_from_name(c->field);

        cr_assert(field, "%s", c->field);
        for (size_t j = 0; j < ARRAY_SIZE(samples); j++) {
            char *text = get_text(&samples[j], field);

            cr_expect_str_eq(text, c->texts[j], "%s of %s", c->field,
                             samples[j].name);
            if (strcmp(text, "-")) {
                cr_expect(mlog_field_in_flow(field, &samples[j].key));
            } else if (field->scope == MLOG_SCOPE_FLOW) {
                cr_expect(!mlog_field_in_flow(field, &samples[j].key));
            }
            free(text);
        }
    }
}

/* Fields of the flow need nothing else than the flow. */
Test(fields, flow_fields_need_no_row)
{
    const struct mlog_field *field;

    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        struct mlog_record full = sample_record(&samples[i]);
        struct mlog_record flow = { .key = full.key,
                                    .flow_id = full.flow_id };

        MLOG_FIELD_FOR_EACH (field) {
            struct mlog_value a, b;

            if (field->scope == MLOG_SCOPE_FLOW) {
                bool has = mlog_field_get(field, &full, &a);

                cr_assert_eq(has, mlog_field_get(field, &flow, &b));
                cr_assert(mlog_value_equal(&a, &b));
            }
        }
    }
}

/* A value is less than 2 to the power of 'n_bits', whatever the record. */
Test(fields, values_are_in_range)
{
    setup_ports();
    random_set_seed(1);
    for (int i = 0; i < 20000; i++) {
        const struct mlog_field *field;
        struct mlog_record record;
        struct sample sample;

        random_sample(&sample);
        record = sample_record(&sample);
        MLOG_FIELD_FOR_EACH (field) {
            struct mlog_value ones = mlog_field_ones(field);
            struct mlog_value value;

            mlog_field_get(field, &record, &value);
            cr_assert(!(value.hi & ~ones.hi) && !(value.lo & ~ones.lo),
                      "%s", field->name);
        }
    }
}

/* JSON: numbers as integers, a port as its OpenFlow number, all else as the
 * text. */
Test(fields, json)
{
    static const struct {
        const char *sample, *field, *json;
    } cases[] = {
        { "tcp", "time", "\"" SAMPLE_TIME_TEXT "\"" },
        { "tcp", "in_port", "10" },
        { "udp", "in_port", "null" },
        { "udp", "in_port_name", "\"p 2\"" },
        { "tcp", "out_port", "11" },
        { "tcp", "pkt_len", "74" },
        { "metered", "drop_reason", "\"meter\"" },
        { "tcp", "flow_id", "\"0x00ff00000000abcd\"" },
        { "tcp", "dl_src", "\"" MAC1 "\"" },
        { "tcp", "dl_type", "2048" },
        { "tcp6", "vlan_tci", "28677" },
        { "tcp6", "vlan_vid", "5" },
        { "tcp", "nw_src", "\"" SRC4 "\"" },
        { "tcp6", "ipv6_src", "\"" SRC6 "\"" },
        { "tcp6", "l3_src", "\"" SRC6 "\"" },
        { "tcp", "l3_src", "\"" SRC4 "\"" },
        { "tcp", "nw_proto", "6" },
        { "tcp", "nw_tos", "184" },
        { "later", "nw_frag", "\"later\"" },
        { "arp", "arp_op", "1" },
        { "tcp", "tcp_seq", "4000000000" },
        { "tcp6", "tcp_flags", "\"syn|ack\"" },
    };

    setup_ports();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct mlog_field *field = mlog_field_from_name(cases[i].field);
        struct mlog_record record
            = sample_record(find_sample(cases[i].sample));
        struct mlog_value value;

        cr_assert(mlog_field_get(field, &record, &value));
        struct json *json = mlog_field_to_json(field, &value);
        char *text = json_to_string(json, 0);

        cr_expect_str_eq(text, cases[i].json, "%s", cases[i].field);
        free(text);
        json_destroy(json);
    }
}

/* What is printed under a mask is read back as the same value and mask. */
Test(fields, format_and_parse_round_trip)
{
    random_set_seed(2);
    for (int i = 0; i < 50000; i++) {
        const struct mlog_field *field
            = mlog_field_get_by_id(random_range(MLOG_N_FIELDS));
        struct mlog_value ones = mlog_field_ones(field);
        struct mlog_value value = { random_uint64(), random_uint64() };
        struct mlog_value mask = ones;
        struct mlog_value value2, mask2;
        struct ds s = DS_EMPTY_INITIALIZER;

        if (field->type == MLOG_FT_PORT || field->type == MLOG_FT_PORT_NAME) {
            continue;
        }
        if (field->maskable && random_range(2)) {
            mask.hi &= random_range(2) ? UINT64_MAX : random_uint64();
            mask.lo &= (random_range(2) ? UINT64_MAX << random_range(64)
                        : random_uint64());
        }
        if (field->type == MLOG_FT_L3 && random_range(2)) {
            value = (struct mlog_value) {
                0, UINT64_C(0xffff) << 32 | random_uint32()
            };
            mask.hi = UINT64_MAX;
            mask.lo |= (uint64_t) UINT32_MAX << 32;
        } else if (field->type == MLOG_FT_TIME) {
            value.lo %= UINT64_C(18415000000) * 1000000000;
        } else if (field->type == MLOG_FT_TOS) {
            value.lo &= IP_DSCP_MASK;
        }
        value.hi &= mask.hi;
        value.lo &= mask.lo;

        mlog_field_format_masked(field, &value, &mask, &s);
        char *error = mlog_field_parse_value(field, ds_cstr(&s), &value2,
                                             &mask2);
        cr_assert_null(error, "%s: %s: %s", field->name, ds_cstr(&s), error);
        cr_assert(mlog_value_equal(&value, &value2)
                  && mlog_value_equal(&mask, &mask2), "%s: %s", field->name,
                  ds_cstr(&s));
        ds_destroy(&s);
    }
}

struct parse_case {
    const char *field, *text;
    const char *result;         /* Or, after '!', part of the error. */
};

static const struct parse_case parse_cases[] = {
    { "tp_dst", "80", "80" },
    { "tp_dst", "0x50", "80" },
    { "tp_dst", "0X50", "80" },
    { "tp_dst", "0", "0" },
    { "tp_dst", "65535", "65535" },
    { "tp_dst", "65536", "!out of range for tp_dst (0 to 65535)" },
    { "tp_dst", "18446744073709551616", "!out of range" },
    { "tp_dst", "184467440737095516160000000000000000000000000", "!out of" },
    { "tp_dst", "0x", "!expected a number" },
    { "tp_dst", "", "!expected a number" },
    { "tp_dst", "-1", "!expected a number" },
    { "tp_dst", "1.5", "!expected a number" },
    { "tp_dst", "08", "!leading zero" },
    { "tp_dst", "80/0xfff0", "0x50/0xfff0" },
    { "tp_dst", "80/16", "!written in hexadecimal" },
    { "tp_dst", "80/0x1ffff", "!out of range" },
    { "tp_dst", "80/0xffff", "80" },
    { "nw_ttl", "64/0xff", "!takes no mask" },
    { "ip_dscp", "64", "!(0 to 63)" },
    { "nw_tos", "184", "184" },
    { "nw_tos", "185", "!ECN bits zero" },
    { "vlan_vid", "4096", "!!vlan" },
    { "nw_src", "10.1.2.3", "10.1.2.3" },
    { "nw_src", "10.1.2.3/24", "10.1.2.0/24" },
    { "nw_src", "10.1.2.3/255.255.255.0", "10.1.2.0/24" },
    { "nw_src", "10.1.2.3/255.0.255.0", "10.0.2.0/255.0.255.0" },
    { "nw_src", "10.1.2.3/0", "0.0.0.0/0" },
    { "nw_src", "10.1.2.3/32", "10.1.2.3" },
    { "nw_src", "10.1.2.3/33", "!prefix length from 0 to 32" },
    { "nw_src", "10.1.2.3/", "!not a prefix length" },
    { "nw_src", "10.1.2.3/24/24", "!not a prefix length" },
    { "nw_src", "10.1.2.3/08", "!not a prefix length" },
    { "nw_src", "10.1.2", "!not an IPv4 address" },
    { "nw_src", "10.1.2.3.4", "!not an IPv4 address" },
    { "nw_src", "256.1.2.3", "!not an IPv4 address" },
    { "nw_src", "80", "!not an IPv4 address" },
    { "nw_src", "::1", "!is an IPv6 address; see ipv6_src" },
    { "ipv6_src", "2001:DB8::0:1", "2001:db8::1" },
    { "ipv6_src", "2001:db8::1/32", "2001:db8::/32" },
    { "ipv6_src", "2001:db8::1/ffff::", "2001::/16" },
    { "ipv6_src", "2001:db8::1/::ffff", "::1/::ffff" },
    { "ipv6_src", "::/0", "::/0" },
    { "ipv6_src", "2001:db8::1/129", "!prefix length from 0 to 128" },
    { "ipv6_src", "fe80::1%eth0", "!not an IPv6 address" },
    { "ipv6_src", "1.2.3.4", "!is an IPv4 address; see nw_src" },
    { "l3_src", "1.2.3.4", "1.2.3.4" },
    { "l3_src", "1.2.3.4/8", "1.0.0.0/8" },
    { "l3_src", "::ffff:1.2.3.4", "1.2.3.4" },
    { "l3_src", "2001:db8::/32", "2001:db8::/32" },
    { "l3_src", "x", "!not an IPv" },
    { "dl_src", "00:53:00:aB:Cd:Ef", "00:53:00:ab:cd:ef" },
    { "dl_src", "00:53:00:00:00:01/ff:ff:ff:00:00:00",
      "00:53:00:00:00:00/ff:ff:ff:00:00:00" },
    { "dl_src", "00:53:00:00:00", "!not an Ethernet address" },
    { "dl_src", "00:53:00:00:00:01:02", "!not an Ethernet address" },
    { "dl_src", "00-53-00-00-00-01", "!not an Ethernet address" },
    { "dl_src", "00:53:00:00:00:01/24", "!not a mask of an Ethernet" },
    { "dl_type", "arp", "0x0806" },
    { "dl_type", "2048", "0x0800" },
    { "dl_type", "foo", "!rarp" },
    { "nw_proto", "sctp", "132" },
    { "nw_proto", "256", "!out of range" },
    { "arp_op", "reply", "2" },
    { "nw_frag", "no", "no" },
    { "nw_frag", "yes", "yes" },
    { "nw_frag", "first", "first" },
    { "nw_frag", "later", "later" },
    { "nw_frag", "not_later", "not_later" },
    { "nw_frag", "1/0x1", "yes" },
    { "nw_frag", "some", "!no, yes, first, later, not_later" },
    { "tcp_flags", "syn", "syn" },
    { "tcp_flags", "SYN|ack", "syn|ack" },
    { "tcp_flags", "+syn-ack", "+syn-ack" },
    { "tcp_flags", "-ack+syn", "+syn-ack" },
    { "tcp_flags", "+[200]", "+[200]" },
    { "tcp_flags", "0x2/0x12", "+syn-ack" },
    { "tcp_flags", "2", "syn" },
    { "tcp_flags", "none", "none" },
    { "tcp_flags", "0", "none" },
    { "tcp_flags", "0xfff", "fin|syn|rst|psh|ack|urg|ece|cwr|ns|[200]|[400]"
                            "|[800]" },
    { "tcp_flags", "0x1000", "!out of range" },
    { "tcp_flags", "+syn+syn", "!twice" },
    { "tcp_flags", "+", "!not TCP flags" },
    { "tcp_flags", "+sync", "!not TCP flags" },
    { "tcp_flags", "syn|", "!not TCP flags" },
    { "tcp_flags", "syn|syn", "!not TCP flags" },
    { "tcp_flags", "syn+ack", "!not TCP flags" },
    { "tcp_flags", "syn/ack", "!not TCP flags" },
    { "tcp_flags", "+syn/0x2", "!not TCP flags" },
    { "drop_reason", "meter", "meter" },
    { "drop_reason", "datapath_drop_meter", "meter" },
    { "drop_reason", "drop_action_of_pipeline", "drop_action_of_pipeline" },
    { "drop_reason", "1", "meter" },
    { "drop_reason", "200", "200" },
    { "drop_reason", "256", "!not a drop reason" },
    { "drop_reason", "metre", "!did you mean 'meter'?" },
    { "drop_reason", "zzzzzzzzz", "!such as meter" },
    { "flow_id", "0xabc", "0x0000000000000abc" },
    { "flow_id", "x", "!not a flow id" },
    { "in_port", "10", "p0" },
    { "in_port", "p1", "p1" },
    { "in_port", "9", "!not a port" },
    { "in_port_name", "p 2", "p 2" },
    { "in_port_name", "10", "!not a port" },
    { "time", "1769860800.123456789", SAMPLE_TIME_TEXT },
    { "time", SAMPLE_TIME_TEXT, SAMPLE_TIME_TEXT },
};

Test(fields, parse)
{
    setup_ports();
    for (size_t i = 0; i < ARRAY_SIZE(parse_cases); i++) {
        const struct parse_case *c = &parse_cases[i];
        const struct mlog_field *field = mlog_field_from_name(c->field);
        struct mlog_value value, mask;
        char *error = mlog_field_parse_value(field, c->text, &value, &mask);

        if (c->result[0] == '!') {
            cr_expect(error && strstr(error, c->result + 1),
                      "%s %s: %s", c->field, c->text, error);
            free(error);
        } else {
            struct ds s = DS_EMPTY_INITIALIZER;

            cr_assert_null(error, "%s %s: %s", c->field, c->text, error);
            if (field->type == MLOG_FT_PORT
                || field->type == MLOG_FT_PORT_NAME) {
                mlog_field_format(field, &value, &s);
            } else {
                mlog_field_format_masked(field, &value, &mask, &s);
            }
            cr_expect_str_eq(ds_cstr(&s), c->result, "%s %s", c->field,
                             c->text);
            ds_destroy(&s);
        }
    }
}

/* Nothing that is given as a value does harm. */
Test(fields, parse_hostile)
{
    static const char alphabet[] = "0123456789abcdefx.:/+-|[]synack\x01\xff";
    char *huge = xmalloc(1 << 20);
    const struct mlog_field *field;
    struct mlog_value value, mask;

    memset(huge, '1', (1 << 20) - 1);
    huge[(1 << 20) - 1] = '\0';
    random_set_seed(3);
    MLOG_FIELD_FOR_EACH (field) {
        char *error = mlog_field_parse_value(field, huge, &value, &mask);

        cr_assert(error && strlen(error) < 400, "%s", field->name);
        free(error);
        for (int i = 0; i < 3000; i++) {
            size_t n = random_range(20);
            char text[21];

            for (size_t j = 0; j < n; j++) {
                text[j] = alphabet[random_range(sizeof alphabet - 1)];
            }
            text[n] = '\0';
            free(mlog_field_parse_value(field, text, &value, &mask));
        }
    }
    free(huge);
}

Test(fields, time)
{
    static const struct {
        const char *text;
        const char *result;     /* Or, after '!', part of the error. */
    } cases[] = {
        { "0", "1970-01-01T00:00:00.000000000Z" },
        { "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000000Z" },
        { "2024-02-29T23:59:59.999999999Z", "2024-02-29T23:59:59.999999999Z" },
        { "2026-01-31 12:00:00z", "2026-01-31T12:00:00.000000000Z" },
        { "2026-01-31t12:00:00+05:30", "2026-01-31T06:30:00.000000000Z" },
        { "2026-01-31T12:00:00-01:00", "2026-01-31T13:00:00.000000000Z" },
        { "2026-01-31T12:00:00.1234567899Z",
          "2026-01-31T12:00:00.123456789Z" },
        { "1769860800.5", "2026-01-31T12:00:00.500000000Z" },
        { "2553-12-31T23:59:59Z", "2553-12-31T23:59:59.000000000Z" },
        { "2026-01-31T12:00:00", "!no time zone" },
        { "2026-01-31", "!not a time" },
        { "2025-02-29T00:00:00Z", "!not a time" },
        { "2100-02-29T00:00:00Z", "!not a time" },
        { "2026-13-01T00:00:00Z", "!not a time" },
        { "2026-01-31T24:00:00Z", "!not a time" },
        { "2026-01-31T12:60:00Z", "!not a time" },
        { "2026-01-31T12:00:60Z", "!not a time" },
        { "2026-01-31T12:00:00.Z", "!not a time" },
        { "2026-01-31T12:00:00Zx", "!not a time" },
        { "2026-01-31T12:00:00+1", "!not a time" },
        { "1969-12-31T23:59:59Z", "!not a time" },
        { "1970-01-01T00:00:00+01:00", "!before 1970" },
        { "99999999999999999999", "!too large" },
        { "1.", "!not a time" },
        { "-1", "!not a time" },
        { "", "!not a time" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t ns;
        char *error = mlog_time_parse(cases[i].text, &ns);

        if (cases[i].result[0] == '!') {
            cr_expect(error && strstr(error, cases[i].result + 1), "%s: %s",
                      cases[i].text, error);
            free(error);
        } else {
            struct ds s = DS_EMPTY_INITIALIZER;

            cr_assert_null(error, "%s: %s", cases[i].text, error);
            mlog_time_format(ns, &s);
            cr_expect_str_eq(ds_cstr(&s), cases[i].result);
            ds_destroy(&s);
        }
    }
}

/* Against the C library's calendar. */
Test(fields, time_agrees_with_timegm)
{
    random_set_seed(4);
    for (int i = 0; i < 20000; i++) {
        time_t when = random_uint64() % UINT64_C(18400000000);
        char text[64];
        struct tm tm;
        uint64_t ns;

        gmtime_r(&when, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
        cr_assert_null(mlog_time_parse(text, &ns), "%s", text);
        cr_assert_eq(ns, when * UINT64_C(1000000000), "%s", text);
    }
}

Test(fields, suggestions)
{
    static const struct {
        const char *name, *suggestion;
    } cases[] = {
        { "nw_scr", "nw_src" },
        { "ip_sr", "ip_src" },
        { "tpdst", "tp_dst" },
        { "TP_DST", "tp_dst" },
        { "tcp_flag", "tcp_flags" },
        { "pktlen", "pkt_len" },
        { "drop_raeson", "drop_reason" },
        { "", NULL },
        { "x", NULL },
        { "zzzzzzzz", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *suggestion = mlog_field_suggest(cases[i].name);

        cr_expect(nullable_string_is_equal(suggestion, cases[i].suggestion),
                  "%s: %s", cases[i].name, suggestion);
    }

    char *error = mlog_field_unknown_error("nw_scr");
    cr_expect_str_eq(error, "unknown field 'nw_scr'; did you mean 'nw_src'?");
    free(error);
}

/* A name on the wire or from a command is shown, but can't do anything to a
 * terminal. */
Test(fields, quoting)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_put_quoted(&s, "a\x1b[2J\n");
    cr_expect_str_eq(ds_cstr(&s), "'a?[2J?'");
    ds_clear(&s);
    mlog_put_quoted(&s, "0123456789012345678901234567890123456789x");
    cr_expect_str_eq(ds_cstr(&s),
                     "'0123456789012345678901234567890123456789...'");
    ds_destroy(&s);
}

Test(fields, drop_reasons)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < MLOG_N_DROPS; i++) {
        const char *name = mlog_drop_name(i);
        const char *counter = mlog_drop_counter(i);
        uint32_t reason;

        if (!name) {
            cr_assert(i == 0 || (i > MLOG_DROP_NO_OUTPUT
                                 && i < MLOG_DROP_ACTION));
            cr_assert(!counter && !mlog_drop_doc(i));
            continue;
        }
        n++;
        cr_assert(mlog_drop_from_name(name, &reason) && reason == i);
        cr_assert(mlog_drop_doc(i));
        cr_assert_eq(!counter, i == MLOG_DROP_NO_OUTPUT);
        if (counter) {
            cr_assert(mlog_drop_from_name(counter, &reason) && reason == i);
        }
    }
    cr_assert_eq(n, 15 + 12);
    cr_assert_str_eq(mlog_drop_name(MLOG_DROP_METER), "meter");
    cr_assert_str_eq(mlog_drop_counter(MLOG_DROP_METER),
                     "datapath_drop_meter");
    cr_assert_str_eq(mlog_drop_name(MLOG_DROP_ACTION),
                     "drop_action_of_pipeline");
    cr_assert_null(mlog_drop_name(MLOG_N_DROPS));
    cr_assert_null(mlog_drop_name(UINT32_MAX));
    cr_assert(!mlog_drop_from_name("", &n));
    cr_assert(!mlog_drop_from_name("datapath_drop_", &n));
}
