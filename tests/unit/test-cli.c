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

#include "mlog-cli-answer.h"
#include "mlog-cli-doctor.h"
#include "mlog-cli-record.h"
#include "mlog-cli-render.h"
#include "mlog-cli-rules.h"
#include "mlog-cli-screen.h"
#include "mlog-cli-table.h"
#include "mlog-cli-text.h"
#include "mlog-fields.h"
#include "mlog-ports.h"
#include "openvswitch/json.h"
#include "records.h"
#include "util.h"

static const struct mlog_cli_style plain = { .names = true, .utc = true };

/* Text. */

#define CHECK_TEXT(EXPECTED, CALL)                  \
    do {                                            \
        struct ds s = DS_EMPTY_INITIALIZER;         \
        CALL;                                       \
        cr_expect_str_eq(ds_cstr(&s), EXPECTED);    \
        ds_destroy(&s);                             \
    } while (0)

Test(cli_text, hostile_text_is_harmless)
{
    CHECK_TEXT("eth0", mlog_cli_put_clean(&s, "eth0"));
    CHECK_TEXT("\\x1b[31m\\x0a\\x07", mlog_cli_put_clean(&s, "\033[31m\n\a"));
    CHECK_TEXT("\\x7f", mlog_cli_put_clean(&s, "\x7f"));
    CHECK_TEXT("b\u00fcro", mlog_cli_put_clean(&s, "b\u00fcro"));
    /* C1 controls, direction overrides, separators, tags. */
    CHECK_TEXT("\\u009b2J", mlog_cli_put_clean(&s, "\xc2\x9b" "2J"));
    CHECK_TEXT("a\\u202eb", mlog_cli_put_clean(&s, "a\u202e" "b"));
    CHECK_TEXT("\\u2028", mlog_cli_put_clean(&s, "\u2028"));
    CHECK_TEXT("\\U000e0041", mlog_cli_put_clean(&s, "\U000e0041"));
    /* Not UTF-8: cut off, overlong, surrogates, beyond the last one. */
    CHECK_TEXT("\\xff", mlog_cli_put_clean(&s, "\xff"));
    CHECK_TEXT("\\xc3", mlog_cli_put_clean(&s, "\xc3"));
    CHECK_TEXT("\\xe2\\x82", mlog_cli_put_clean(&s, "\xe2\x82"));
    CHECK_TEXT("\\xc0\\xaf", mlog_cli_put_clean(&s, "\xc0\xaf"));
    CHECK_TEXT("\\xed\\xa0\\x80", mlog_cli_put_clean(&s, "\xed\xa0\x80"));
    CHECK_TEXT("\\xf4\\x90\\x80\\x80",
               mlog_cli_put_clean(&s, "\xf4\x90\x80\x80"));
}

Test(cli_text, every_byte_is_shown_or_escaped)
{
    for (int a = 1; a < 256; a++) {
        for (int b = 1; b < 256; b++) {
            char text[3] = { a, b, 0 };
            struct ds s = DS_EMPTY_INITIALIZER;

            mlog_cli_put_clean(&s, text);
            for (size_t i = 0; i < s.length; i++) {
                unsigned char c = s.string[i];

                cr_assert(c >= 0x20 && c != 0x7f);
            }
            cr_assert(!strstr(ds_cstr(&s), "\xc2\x80"));
            cr_assert(mlog_cli_columns(ds_cstr(&s)) >= 1 || a >= 0xc2);
            ds_destroy(&s);
        }
    }
}

Test(cli_text, clean_json_is_the_same_json)
{
    const char *text = "{\"n\":\"a\xc2\x9b" "b\u202e\U000e0041\x7f\"}";
    struct json *before = json_from_string(text);
    struct json *after;
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_cli_put_clean_json(&s, text);
    cr_expect_null(strstr(ds_cstr(&s), "\xc2\x9b"));
    cr_expect_null(strchr(ds_cstr(&s), '\x7f'));
    after = json_from_string(ds_cstr(&s));
    cr_expect(json_equal(before, after), "%s", ds_cstr(&s));
}

Test(cli_text, width_and_clipping)
{
    cr_expect_eq(mlog_cli_columns("abc"), 3);
    cr_expect_eq(mlog_cli_columns("\u00fc"), 1);
    cr_expect_eq(mlog_cli_columns("\u4e2d\u6587"), 4);
    cr_expect_eq(mlog_cli_columns("e\u0301"), 1);
    CHECK_TEXT("abc", cr_expect_eq(mlog_cli_put_clipped(&s, "abc", 3), 3));
    CHECK_TEXT("ab~", cr_expect_eq(mlog_cli_put_clipped(&s, "abcd", 3), 3));
    CHECK_TEXT("\u4e2d~", cr_expect_eq(mlog_cli_put_clipped(
        &s, "\u4e2d\u6587", 3), 3));
    CHECK_TEXT("~", cr_expect_eq(mlog_cli_put_clipped(
        &s, "\u4e2d\u6587", 2), 1));
    CHECK_TEXT("", cr_expect_eq(mlog_cli_put_clipped(&s, "abc", 0), 0));
}

Test(cli_text, numbers)
{
    CHECK_TEXT("0", mlog_cli_put_count(&s, 0));
    CHECK_TEXT("99999", mlog_cli_put_count(&s, 99999));
    CHECK_TEXT("100.0K", mlog_cli_put_count(&s, 100000));
    CHECK_TEXT("999.9K", mlog_cli_put_count(&s, 999949));
    CHECK_TEXT("1.000M", mlog_cli_put_count(&s, 999999));
    CHECK_TEXT("12.35M", mlog_cli_put_count(&s, 12345678));
    CHECK_TEXT("18.45E", mlog_cli_put_count(&s, 18446744073709551615.0));
    CHECK_TEXT("0.500", mlog_cli_put_count(&s, 0.5));
    CHECK_TEXT("999 B", mlog_cli_put_bytes(&s, 999));
    CHECK_TEXT("1.0 KiB", mlog_cli_put_bytes(&s, 1024));
    CHECK_TEXT("1.0 GiB", mlog_cli_put_bytes(&s, 1 << 30));
    CHECK_TEXT("512 MiB", mlog_cli_put_bytes(&s, 512 << 20));
}

Test(cli_text, durations)
{
    CHECK_TEXT("0 ns", mlog_cli_put_duration(&s, 0));
    CHECK_TEXT("999 ns", mlog_cli_put_duration(&s, 999));
    CHECK_TEXT("1.5 us", mlog_cli_put_duration(&s, 1500));
    CHECK_TEXT("1 ms", mlog_cli_put_duration(&s, 999999));
    CHECK_TEXT("1 s", mlog_cli_put_duration(&s, 999999999));
    CHECK_TEXT("1 min 40 s", mlog_cli_put_duration(&s, 100e9));
    CHECK_TEXT("2 h", mlog_cli_put_duration(&s, 7200e9));
    CHECK_TEXT("3 d 4 h", mlog_cli_put_duration(&s, (3 * 86400 + 14400)
                                                    * 1e9));
    CHECK_TEXT("-1.5 us", mlog_cli_put_duration(&s, -1500));
}

Test(cli_text, times_have_a_zone)
{
    struct mlog_cli_style local = { .utc = false };
    uint64_t ns;

    setenv("TZ", "IST-05:30", 1);
    tzset();
    cr_assert(mlog_cli_parse_time(SAMPLE_TIME_TEXT, &ns));
    cr_expect_eq(ns, SAMPLE_TIME);
    CHECK_TEXT("2026-01-31T12:00:00.123456Z",
               mlog_cli_put_time(&s, &plain, ns, false));
    CHECK_TEXT("2026-01-31T17:30:00.123456+05:30",
               mlog_cli_put_time(&s, &local, ns, false));
    CHECK_TEXT("12:00:00.123456", mlog_cli_put_time(&s, &plain, ns, true));
    setenv("TZ", "NST03:30", 1);
    tzset();
    CHECK_TEXT("2026-01-31T08:30:00.123456-03:30",
               mlog_cli_put_time(&s, &local, ns, false));
    cr_expect_not(mlog_cli_parse_time("2026-01-31T12:00:00Z", &ns));
    cr_expect_not(mlog_cli_parse_time("", &ns));
    cr_expect_not(mlog_cli_parse_time("2026-13-31T12:00:00.000000000Z", &ns));
}

/* Answers. */

static struct mlog_cli_answer *
parse(const char *text)
{
    struct mlog_cli_answer *answer;
    char *message = mlog_cli_answer_parse(text, &answer);

    cr_assert_null(message, "%s", message);
    return answer;
}

static void
check_svec(const struct svec *svec, const char *expected)
{
    char *text = svec_join(svec, " ", "");

    cr_expect_str_eq(text, expected);
    free(text);
}

Test(cli_answer, keeps_the_order_of_members)
{
    struct mlog_cli_answer *answer = parse(
        "{ \"zoo\" : [ {\"b\":1,\"a\":{\"x\":[{\"no\":1}]}},\n"
        " {\"c\":\"]}\\\"\",\"a\":2}, {\"b\":3,\"d\":4,\"c\":5} ],"
        "\"count\":3,\"apple\":{\"inner\":1},\"more\":[{\"m\":1}]}");

    check_svec(&answer->members, "zoo count apple more");
    cr_expect_str_eq(answer->table, "zoo");
    cr_expect_eq(mlog_cli_answer_n_rows(answer), 3);
    /* "c" comes first in its row, "d" after "b". */
    check_svec(&answer->columns, "c b d a");
    mlog_cli_answer_destroy(answer);
}

Test(cli_answer, refuses_what_is_no_object)
{
    static const char *const texts[] = {
        "", "[]", "1", "{", "{\"a\"}", "\"x\"", "{\"a\":1}x", "\xff",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct mlog_cli_answer *answer;
        char *message = mlog_cli_answer_parse(texts[i], &answer);

        cr_expect_not_null(message, "%s", texts[i]);
        cr_expect_null(answer);
        free(message);
    }
}

Test(cli_answer, says_what_is_missing)
{
    static const struct {
        const char *text;
        bool incomplete, incomplete_range;
        size_t n_notes;
    } cases[] = {
        { "{\"gaps\":0,\"expired\":false}", false, false, 0 },
        { "{\"gaps\":3,\"expired\":false}", true, true, 1 },
        { "{\"gaps\":0,\"expired\":true}", false, true, 1 },
        { "{\"outage\":true}", true, true, 1 },
        { "{\"stale\":true}", true, true, 1 },
        { "{\"truncated\":true}", false, false, 1 },
        { "{\"undecided\":5}", false, false, 1 },
        { "{\"partial\":true}", true, true, 1 },
        { "{\"partial\":true,\"segments_expired\":2,"
          "\"segments_unreadable\":1}", true, true, 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mlog_cli_answer *answer = parse(cases[i].text);
        struct svec notes = SVEC_EMPTY_INITIALIZER;

        cr_expect_eq(mlog_cli_answer_is_incomplete(answer, false),
                     cases[i].incomplete, "%s", cases[i].text);
        cr_expect_eq(mlog_cli_answer_is_incomplete(answer, true),
                     cases[i].incomplete_range, "%s", cases[i].text);
        mlog_cli_answer_notes(answer, &notes);
        cr_expect_eq(notes.n, cases[i].n_notes, "%s", cases[i].text);
        svec_destroy(&notes);
        mlog_cli_answer_destroy(answer);
    }
}

/* Tables. */

static char *
render(const char *text, enum mlog_cli_format format,
       const struct mlog_cli_style *style, bool condense)
{
    struct mlog_cli_answer *answer = parse(text);
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_cli_render(answer, format, style, condense, &s);
    mlog_cli_answer_destroy(answer);
    return ds_steal_cstr(&s);
}

static const char groups[] =
    "{\"groups\":[{\"nw_src\":\"10.0.0.1\",\"tp_dst\":80,\"count\":123456,"
    "\"bytes\":2048},{\"nw_src\":\"10.0.0.200\",\"count\":7,\"bytes\":700}],"
    "\"count\":123463,\"gaps\":0,\"truncated\":false,"
    "\"cut\":\"2026-01-31T12:00:00.000000000Z\"}";

Test(cli_render, table)
{
    cr_expect_str_eq(
        render(groups, MLOG_CLI_TABLE, &plain, false),
        "nw_src      tp_dst   count    bytes\n"
        "10.0.0.1    http    123.5K  2.0 KiB\n"
        "10.0.0.200  -            7    700 B\n"
        "count 123.5K, cut 2026-01-31T12:00:00.000000Z\n");
}

Test(cli_render, numbers_instead_of_names)
{
    struct mlog_cli_style numbers = { .utc = true };

    cr_expect_str_eq(
        render("{\"groups\":[{\"tp_dst\":80,\"nw_proto\":6,\"dl_type\":2048}]"
               "}", MLOG_CLI_TABLE, &numbers, false),
        "tp_dst  nw_proto  dl_type\n"
        "    80         6   0x0800\n");
}

Test(cli_render, data_is_exact)
{
    cr_expect_str_eq(
        render(groups, MLOG_CLI_JSONL, &plain, false),
        "{\"nw_src\":\"10.0.0.1\",\"tp_dst\":80,\"count\":123456,"
        "\"bytes\":2048}\n"
        "{\"nw_src\":\"10.0.0.200\",\"count\":7,\"bytes\":700}\n");
    cr_expect_str_eq(
        render(groups, MLOG_CLI_CSV, &plain, false),
        "nw_src,tp_dst,count,bytes\n"
        "10.0.0.1,80,123456,2048\n"
        "10.0.0.200,,7,700\n");
    cr_expect_str_eq(
        render("{\"rows\":[{\"a\":\"x,\\\"y\",\"b\":\"\",\"c\":\"#\"}]}",
               MLOG_CLI_CSV, &plain, false),
        "a,b,c\n\"x,\"\"y\",\"\",\"#\"\n");
    cr_expect_str_eq(render("{\"count\":1}", MLOG_CLI_JSONL, &plain, false),
                     "{\"count\":1}\n");
    cr_expect_str_eq(render("{\"count\":1}\n", MLOG_CLI_JSON, &plain, false),
                     "{\"count\":1}\n");
}

Test(cli_render, no_control_sequence_gets_through)
{
    static const char text[] =
        "{\"rows\":[{\"in_port_name\":\"\\u001b[2Jp\",\"a\\u001b\":\"\\u009b\""
        "}],\"note\\u001b\":\"\\u001b\",\"o\":{\"\\u001b\":\"\\u001b\\n\"}}";

    for (int format = MLOG_CLI_TABLE; format <= MLOG_CLI_JSONL; format++) {
        char *s = render(text, format, &plain, false);

        cr_expect_null(strchr(s, '\033'), "%d", format);
        cr_expect_null(strstr(s, "\xc2\x9b"), "%d", format);
        free(s);
    }
}

static const char records[] =
    "{\"rows\":["
    "{\"time\":\"2026-01-31T12:00:00.000001000Z\",\"in_port\":1,"
    "\"in_port_name\":\"p1\",\"out_port\":2,\"out_port_name\":\"p2\","
    "\"pkt_len\":54,\"flow_id\":\"0x1\",\"dl_src\":\"00:53:00:00:00:01\","
    "\"dl_type\":2048,\"nw_src\":\"10.0.0.1\",\"nw_dst\":\"10.0.0.2\","
    "\"nw_proto\":6,\"tp_src\":40000,\"tp_dst\":80,\"tcp_flags\":\"syn\"},"
    "{\"time\":\"2026-01-31T12:00:00.000002000Z\",\"in_port\":1,"
    "\"in_port_name\":\"p1\",\"pkt_len\":70,\"drop_reason\":\"meter\","
    "\"dl_src\":\"00:53:00:00:00:01\",\"dl_type\":34525,"
    "\"ipv6_src\":\"fe80::1\",\"ipv6_dst\":\"fe80::2\",\"nw_proto\":58,"
    "\"icmpv6_type\":135,\"icmpv6_code\":0}],\"shown\":2}";

Test(cli_render, records_for_people)
{
    cr_expect_str_eq(
        render(records, MLOG_CLI_TABLE, &plain, true),
        "time                         in_port  out_port  len  dropped  "
        "proto  src             dst            info\n"
        "2026-01-31T12:00:00.000001Z  p1       p2         54  -        "
        "tcp    10.0.0.1:40000  10.0.0.2:http  syn\n"
        "2026-01-31T12:00:00.000002Z  p1       -          70  meter    "
        "icmp6  fe80::1         fe80::2        type 135\n"
        "shown 2\n");
}

Test(cli_render, tables_fit_the_terminal)
{
    for (int width = 60; width < 140; width++) {
        struct mlog_cli_style style = { .names = true, .utc = true,
                                        .width = width };
        char *s = render(records, MLOG_CLI_TABLE, &style, true);
        char *rest = s, *line;

        while ((line = strsep(&rest, "\n"))) {
            cr_expect_leq(mlog_cli_columns(line), MAX(width, 75), "%d: %s",
                          width, line);
        }
        free(s);
    }
}

Test(cli_render, colors_only_if_wanted)
{
    struct mlog_cli_style color = { .color = true };
    char *with = render(groups, MLOG_CLI_TABLE, &color, false);
    char *without = render(groups, MLOG_CLI_TABLE, &plain, false);

    cr_expect_not_null(strchr(with, '\033'));
    cr_expect_null(strchr(without, '\033'));
}

Test(cli_table, grows_and_repeats_its_heading)
{
    struct mlog_cli_table *table = mlog_cli_table_create(&plain);
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_cli_table_add_column(table, "a");
    mlog_cli_table_add_column(table, "b");
    mlog_cli_table_add_row(table);
    mlog_cli_table_set_text(table, 0, "x", MLOG_CLI_PLAIN);
    mlog_cli_table_flush(table, &s);
    mlog_cli_table_add_row(table);
    mlog_cli_table_set_text(table, 0, "longer", MLOG_CLI_PLAIN);
    mlog_cli_table_flush(table, &s);
    mlog_cli_table_add_row(table);
    mlog_cli_table_set_text(table, 0, "y", MLOG_CLI_PLAIN);
    mlog_cli_table_set_number(table, 1, "5");
    mlog_cli_table_flush(table, &s);
    cr_expect_str_eq(ds_cstr(&s), "a\nx\nlonger\na       b\ny       5\n");
    mlog_cli_table_destroy(table);
}

/* Records. */

static struct json *
record_to_json(const struct mlog_record *record)
{
    struct json *json = json_object_create();
    const struct mlog_field *field;

    MLOG_FIELD_FOR_EACH (field) {
        struct mlog_value value;

        if (strstr("," MLOG_CLI_RECORD_FIELDS ",", field->name)
            && mlog_field_get(field, record, &value)) {
            json_object_put(json, field->name,
                            mlog_field_to_json(field, &value));
        }
    }
    return json;
}

static void
check_port(uint16_t a, uint16_t b)
{
    const char *name_a = mlog_ports_name(a), *name_b = mlog_ports_name(b);

    cr_expect_eq(!name_a, !name_b);
    if (name_a && name_b) {
        cr_expect_str_eq(name_a, name_b);
    }
}

/* What cannot be known from the fields: bits without the header that they
 * belong to, and the port of a dropped packet. */
static void
normalize(struct mlog_flow_key *key, struct mlog_row *row)
{
    if (!(key->has & MLOG_HAS_TCP)) {
        row->tcp_flags = row->tcp_window = 0;
        row->tcp_seq = row->tcp_ack = 0;
    }
    if (!(key->has & MLOG_HAS_IP)) {
        row->nw_tos = 0;
        row->len_ttl &= ~0xffu;
    }
    if (key->dl_type != ETH_TYPE_IP) {
        row->ip_id = 0;
    }
    if (row->reason) {
        row->time_port |= MLOG_PORT_NONE;
    }
    row->flow = 0;
}

Test(cli_record, is_what_the_switch_recorded)
{
    setup_ports();
    for (int i = 0; i < 5000; i++) {
        struct sample sample;
        struct mlog_record record;
        struct mlog_flow_key key;
        struct mlog_row row;
        uint64_t flow_id, time;
        struct json *json;

        if (i < ARRAY_SIZE(samples)) {
            sample = samples[i];
        } else {
            random_sample(&sample);
            sample.row.reason %= 20;
        }
        record = sample_record(&sample);
        json = record_to_json(&record);
        cr_assert(mlog_cli_record_from_json(json, &key, &row, &flow_id,
                                            &time), "%s", sample.name);
        cr_expect_eq(flow_id, SAMPLE_FLOW_ID);
        cr_expect_eq(time, SAMPLE_TIME);
        normalize(&sample.key, &sample.row);
        normalize(&key, &row);
        check_port(key.in_port, sample.key.in_port);
        check_port(mlog_row_out_port(&row), mlog_row_out_port(&sample.row));
        key.in_port = sample.key.in_port;
        row.time_port = sample.row.time_port;
        cr_expect_arr_eq(&key, &sample.key, sizeof key, "%s", sample.name);
        cr_expect_arr_eq(&row, &sample.row, sizeof row, "%s", sample.name);
        json_destroy(json);
    }
}

Test(cli_record, refuses_nonsense)
{
    static const char *const texts[] = {
        "{\"pkt_len\":-1}", "{\"pkt_len\":{}}", "{\"drop_reason\":\"?\"}",
        "{\"dl_src\":\"x\"}", "{\"dl_src\":1.5}",
        "{\"nw_src\":\"10.0.0.0/8\"}", "{\"nw_src\":\"fe80::1\"}",
        "{\"tp_src\":65536}", "{\"tcp_flags\":\"+syn\"}",
        "{\"nw_src\":\"1.2.3.4\",\"nw_frag\":\"x\"}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct json *json = json_from_string(texts[i]);
        struct mlog_flow_key key;
        struct mlog_row row;
        uint64_t flow_id, time;

        cr_expect_not(mlog_cli_record_from_json(json, &key, &row, &flow_id,
                                                &time), "%s", texts[i]);
        json_destroy(json);
    }
}

/* Rules. */

Test(cli_rules, text_and_back)
{
    static const char text[] =
        "filter web 'tcp && tp_dst == 80'\n"
        "filter quote 'in_port_name == \"it'\\''s\"'\n"
        "aggregate hits web 'sum(pkt_len)' window=1s group-by=nw_src\n"
        "trigger busy 'hits > 100' for=5s clear=50\n";
    struct mlog_cli_rules rules;
    struct ds s = DS_EMPTY_INITIALIZER;

    cr_assert_null(mlog_cli_rules_parse(text, &rules));
    cr_expect_eq(rules.n, 4);
    cr_expect_str_eq(rules.rules[1].words.names[2],
                     "in_port_name == \"it's\"");
    cr_expect_eq(rules.rules[3].line, 4);
    for (size_t i = 0; i < rules.n; i++) {
        mlog_cli_rule_format(&rules.rules[i], &s);
    }
    cr_expect_str_eq(ds_cstr(&s), text);
    mlog_cli_rules_destroy(&rules);
}

Test(cli_rules, comments_and_blanks)
{
    struct mlog_cli_rules rules;

    cr_assert_null(mlog_cli_rules_parse(
        "# one\n\n  \t\r\n filter  a\ttcp\\ \\&\\&\\ udp # two\nfilter b \"\"",
        &rules));
    cr_expect_eq(rules.n, 2);
    cr_expect_str_eq(rules.rules[0].words.names[2], "tcp && udp");
    cr_expect_str_eq(rules.rules[1].words.names[2], "");
    mlog_cli_rules_destroy(&rules);
}

Test(cli_rules, errors_name_the_line)
{
    static const struct { const char *text, *error; } cases[] = {
        { "filter a tcp\nfilter b 'tcp\n", "line 2: a closing ' is missing" },
        { "\nfiltre a tcp", "line 2: a rule begins with filter, aggregate, "
          "trigger or preset, not with \"filtre\"" },
        { "filter a", "line 1: words are missing: filter NAME EXPR" },
        { "filter a tcp && udp", "line 1: too many words; quote an expression "
          "that has spaces" },
        { "preset p as=a\npreset q as=a", "line 2: preset a is there twice" },
        { "filter a tcp\nfilter a udp", "line 2: filter a is there twice" },
        { "\033[2J x", "line 1: a rule begins with filter, aggregate, "
          "trigger or preset, not with \"\\x1b[2J\"" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mlog_cli_rules rules;
        char *message = mlog_cli_rules_parse(cases[i].text, &rules);

        cr_assert_not_null(message);
        cr_expect_str_eq(message, cases[i].error);
        cr_expect_eq(rules.n, 0);
        free(message);
    }
}

static bool
same_rule(const char *a, const char *b)
{
    struct mlog_cli_rules rules_a, rules_b;
    bool same;

    cr_assert_null(mlog_cli_rules_parse(a, &rules_a));
    cr_assert_null(mlog_cli_rules_parse(b, &rules_b));
    same = mlog_cli_rule_equal(&rules_a.rules[0], &rules_b.rules[0]);
    mlog_cli_rules_destroy(&rules_a);
    mlog_cli_rules_destroy(&rules_b);
    return same;
}

Test(cli_rules, the_same_in_other_words)
{
    cr_expect(same_rule("aggregate a f count window=1s",
                        "aggregate a f count"));
    cr_expect(same_rule("trigger t 'a > 1' for=5s clear=1 period=1ms",
                        "trigger t 'a > 1' clear=1 for=5s"));
    cr_expect_not(same_rule("aggregate a f count window=2s",
                            "aggregate a f count"));
    cr_expect(same_rule("trigger t 'a > 1k' for=5s",
                        "trigger t a>1000 for=5000ms"));
    cr_expect_not(same_rule("trigger t 'a > 1'", "trigger t 'a >= 1'"));
    cr_expect_not(same_rule("trigger t 'a > 1'", "trigger t 'b > 1'"));
    cr_expect(same_rule("preset p n=5 as=p", "preset p n=5"));
    cr_expect_not(same_rule("preset p as=x", "preset p"));
    cr_expect_not(same_rule("filter a tcp", "filter a udp"));
    cr_expect_not(same_rule("trigger t 'a > 1'", "trigger t 'a > 2'"));
}

/* The doctor. */

static enum mlog_cli_verdict
verdict(const char *show, const char *what, const char *settings)
{
    struct json *root = json_from_string(show);
    struct json *rows = json_from_string(settings);
    struct mlog_cli_examination x;
    enum mlog_cli_verdict worst = MLOG_CLI_WELL;
    bool found = false;

    cr_assert_eq(root->type, JSON_OBJECT, "%s", show);
    mlog_cli_examine(&(struct mlog_cli_patient) {
        .show = root, .settings = rows, .tool_version = "1.0",
        .proc = "/nonexistent",
    }, &x);
    for (size_t i = 0; i < x.n; i++) {
        if (!strcmp(x.findings[i].what, what)) {
            worst = MAX(worst, x.findings[i].verdict);
            found = true;
            /* What is wrong comes with what to do. */
            if (x.findings[i].verdict > MLOG_CLI_NOTE) {
                cr_expect_not_null(x.findings[i].advice, "%s", what);
            }
        }
    }
    cr_expect(found, "%s", what);
    mlog_cli_examination_destroy(&x);
    json_destroy(root);
    json_destroy(rows);
    return worst;
}

Test(cli_doctor, verdicts)
{
    static const struct {
        const char *show, *what, *settings;
        enum mlog_cli_verdict verdict;
    } cases[] = {
        { "{\"capturing\":true}", "capture", "[]", MLOG_CLI_WELL },
        { "{\"capturing\":false}", "capture", "[]", MLOG_CLI_FAULT },
        { "{\"capturing\":true}", "capture",
          "[{\"key\":\"digest\",\"value\":\"off\"}]", MLOG_CLI_FAULT },
        { "{\"version\":\"1.0\"}", "version", "[]", MLOG_CLI_WELL },
        { "{\"version\":\"0.9\"}", "version", "[]", MLOG_CLI_ATTENTION },
        { "{\"clock\":\"tsc\"}", "clock", "[]", MLOG_CLI_WELL },
        { "{\"clock\":\"monotonic\"}", "clock", "[]", MLOG_CLI_ATTENTION },
        { "{}", "losses", "[]", MLOG_CLI_WELL },
        { "{\"losses\":{\"ring_full\":5}}", "losses", "[]",
          MLOG_CLI_ATTENTION },
        { "{\"losses\":{},\"records\":{\"lost\":5}}", "losses", "[]",
          MLOG_CLI_ATTENTION },
        { "{\"rings\":[{\"huge_pages\":true},{\"huge_pages\":false}]}",
          "huge pages", "[]", MLOG_CLI_ATTENTION },
        { "{\"rings\":[{\"huge_pages\":true}]}", "huge pages", "[]",
          MLOG_CLI_WELL },
        { "{\"rings\":[{\"slots\":10,\"used_slots\":9}]}", "rings", "[]",
          MLOG_CLI_ATTENTION },
        { "{\"digest\":{\"cpu_percent\":95}}", "digest", "[]",
          MLOG_CLI_ATTENTION },
        { "{\"digest\":{\"cpu_percent\":5,\"passes\":20000,"
          "\"late_ticks\":5000}}", "digest", "[]", MLOG_CLI_ATTENTION },
        { "{\"records\":{\"expired\":5,\"held\":1000,"
          "\"oldest\":\"2026-01-31T12:00:00.000000000Z\","
          "\"newest\":\"2026-01-31T12:00:01.000000000Z\"}}", "memory", "[]",
          MLOG_CLI_ATTENTION },
        { "{\"store\":{\"problem\":\"no space\"}}", "store", "[]",
          MLOG_CLI_FAULT },
        { "{}", "store", "[]", MLOG_CLI_NOTE },
        { "{}", "archive", "[]", MLOG_CLI_NOTE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_expect_eq(verdict(cases[i].show, cases[i].what,
                             cases[i].settings), cases[i].verdict, "%s: %s",
                     cases[i].what, cases[i].show);
    }
}

Test(cli_doctor, processors_in_common)
{
    size_t n;

    cr_expect_eq(mlog_cli_common_cpus("0-3", "2,3,5", &n), 2);
    cr_expect_eq(n, 4);
    cr_expect_eq(mlog_cli_common_cpus("1", "1", &n), 1);
    cr_expect_eq(mlog_cli_common_cpus("", "1", &n), 0);
    cr_expect_eq(n, 0);
    cr_expect_eq(mlog_cli_common_cpus("0-99999999999", "x,1", &n), 0);
}

/* Keys. */

Test(cli_screen, lines_are_edited_by_character)
{
    struct mlog_cli_edit edit = { .n = 0 };

    for (const char *p = "t\u00fcx"; *p; p++) {
        cr_expect(mlog_cli_edit_key(&edit, (unsigned char) *p));
    }
    cr_expect_str_eq(edit.text, "t\u00fcx");
    cr_expect(mlog_cli_edit_key(&edit, MLOG_KEY_BACKSPACE));
    cr_expect(mlog_cli_edit_key(&edit, MLOG_KEY_BACKSPACE));
    cr_expect_str_eq(edit.text, "t");
    cr_expect_not(mlog_cli_edit_key(&edit, MLOG_KEY_UP));
    cr_expect(mlog_cli_edit_key(&edit, MLOG_KEY_BACKSPACE));
    cr_expect_not(mlog_cli_edit_key(&edit, MLOG_KEY_BACKSPACE));
    for (int i = 0; i < 5000; i++) {
        mlog_cli_edit_key(&edit, 'a');
    }
    cr_expect_eq(strlen(edit.text), sizeof edit.text - 1);
}
