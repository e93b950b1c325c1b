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

#include "stream-fixture.h"

#include "mlog-preset.h"

/* The catalogue of presets, and what they add to a stream. */

static struct mlog_presets *presets;

static void
setup(void)
{
    setup_ports();
    setup_stream();
    presets = mlog_presets_create();
}

static void
teardown(void)
{
    mlog_presets_destroy(presets);
    teardown_stream();
}

TestSuite(preset, .init = setup, .fini = teardown);

#define MAX_WORDS 10

/* Splits 'text' at ';'. */
static size_t
split(char *text, const char *argv[MAX_WORDS])
{
    size_t argc = 0;

    while (text) {
        cr_assert_lt(argc, MAX_WORDS);
        argv[argc++] = strsep(&text, ";");
    }
    return argc;
}

/* Returns NULL or the error, with its word and column. */
static char *
try_preset(const char *text)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *argv[MAX_WORDS], *where = NULL;
    char *copy = xstrdup(text), *message = NULL;
    size_t argc = split(copy, argv);

    if (!mlog_presets_add(presets, stream, argv, argc, &error, &where)) {
        cr_assert_not_null(error.message);
        cr_assert(!error.column || where);
        message = xasprintf("%s:%d: %s", where ? where : "", error.column,
                            error.message);
    } else {
        cr_assert_null(error.message);
    }
    mlog_error_clear(&error);
    free(copy);
    return message;
}

static void
add_preset(const char *text)
{
    char *message = try_preset(text);

    cr_assert_null(message, "%s: %s", text, message);
}

/* Returns NULL or the error. */
static char *
del_preset(const char *prefix)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    bool ok = mlog_presets_del(presets, stream, prefix, &error);
    char *message = error.message ? xstrdup(error.message) : NULL;

    cr_assert_eq(ok, !message);
    mlog_error_clear(&error);
    return message;
}

/* "filters/aggregates/triggers". */
static void
expect_numbers(size_t filters, size_t aggregates, size_t triggers)
{
    struct mlog_stream_stats stats;

    mlog_stream_get_stats(stream, &stats);
    cr_assert_eq(stats.n_filters, filters);
    cr_assert_eq(stats.n_aggregates, aggregates);
    cr_assert_eq(stats.n_triggers, triggers);
}

static void
count_members(const struct mlog_preset *preset, size_t n[3])
{
    for (size_t i = 0; i < mlog_preset_n_members(preset); i++) {
        n[preset->members[i].kind]++;
    }
}

/* The words of member 'i' with ';' between them. */
static char *
member_text(const char *text, size_t i)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *argv[MAX_WORDS], *where = NULL;
    struct ds s = DS_EMPTY_INITIALIZER;
    char *copy = xstrdup(text);
    size_t argc = split(copy, argv);
    struct mlog_preset_instance *instance
        = mlog_preset_instantiate(argv, argc, &error, &where);

    cr_assert_not_null(instance, "%s", error.message);
    cr_assert_lt(i, instance->n_members);
    for (size_t j = 0; j < instance->members[i].argc; j++) {
        ds_put_format(&s, "%s%s", j ? ";" : "", instance->members[i].argv[j]);
    }
    mlog_preset_instance_destroy(instance);
    free(copy);
    return ds_steal_cstr(&s);
}

static void
expect_member(const char *text, size_t i, const char *expected)
{
    char *member = member_text(text, i);

    cr_expect_str_eq(member, expected);
    free(member);
}

/* Each can be added, under another name and with an expression, and goes
 * without leaving anything. */
Test(preset, catalogue)
{
    const struct mlog_preset *preset;
    size_t total[3] = { 0, 0, 0 }, n;

    for (n = 0; (preset = mlog_preset_get(n)) != NULL; n++) {
        size_t one[3] = { 0, 0, 0 };
        char *s;

        cr_assert_eq(mlog_preset_find(preset->name), preset);
        add_preset(preset->name);
        count_members(preset, one);
        cr_assert(one[0] && one[1] && one[2], "%s", preset->name);

        s = xasprintf("%s;as=X;match=nw_src=10.0.0.1", preset->name);
        cr_assert(!strcmp(preset->params[mlog_preset_n_params(preset)
                                         - 1].name, "match"));
        add_preset(s);
        free(s);
        cr_assert_null(del_preset("X"));
        for (int i = 0; i < 3; i++) {
            total[i] += one[i];
        }
        expect_numbers(total[0], total[1], total[2]);
    }
    cr_assert_geq(n, 15);
    cr_assert_null(mlog_preset_get(n + 1000));
    for (size_t i = n; i-- > 0; ) {
        cr_assert_null(del_preset(mlog_preset_get(i)->name));
    }
    expect_numbers(0, 0, 0);
    cr_assert_null(mlog_presets_get(presets, 0));
}

Test(preset, parameters)
{
    expect_member("port-scan", 0,
                  "port-scan;tcp && tcp_flags == +syn-ack");
    expect_member("port-scan", 1,
                  "port-scan;port-scan;distinct(tp_dst);window=10s"
                  ";group-by=l3_src");
    expect_member("port-scan", 2, "port-scan;port-scan > 100;clear=50");
    expect_member("port-scan;threshold=5k", 2,
                  "port-scan;port-scan > 5k;clear=2500");
    expect_member("port-scan;threshold=5;clear=4;as=p", 2,
                  "p;p > 5;clear=4");
    expect_member("port-scan;clear=0;window=250ms;as=x", 1,
                  "x;x;distinct(tp_dst);window=250ms;group-by=l3_src");
    expect_member("port-scan;match=nw_dst=10.0.0.0/8,tp_dst=80 ", 0,
                  "port-scan;tcp && tcp_flags == +syn-ack && "
                  "(nw_dst == 10.0.0.0/8 && tp_dst == 80)");
    expect_member("port-scan;match=udp || tp_src == 53", 0,
                  "port-scan;tcp && tcp_flags == +syn-ack && "
                  "(udp || tp_src == 53)");
    expect_member("ddos;match=", 0, "ddos;(ip || ipv6)");
    expect_member("syn-flood;as=web", 2,
                  "web.sources;web;distinct(l3_src);window=1s"
                  ";group-by=l3_dst");
}

Test(preset, instances_know_what_was_given)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    add_preset("ddos;window=5s;as=a;threshold=10");
    add_preset("ddos");
    mlog_preset_instance_format_params(mlog_presets_get(presets, 0), &s);
    cr_assert_str_eq(ds_cstr(&s), "threshold=10 window=5s");
    ds_clear(&s);
    mlog_preset_instance_format_params(mlog_presets_get(presets, 1), &s);
    cr_assert_str_eq(ds_cstr(&s), "");
    ds_destroy(&s);
    cr_assert_str_eq(mlog_presets_owner(presets, MLOG_KIND_FILTER, "a"),
                     "a");
    cr_assert_str_eq(mlog_presets_owner(presets, MLOG_KIND_TRIGGER, "ddos"),
                     "ddos");
    cr_assert_null(mlog_presets_owner(presets, MLOG_KIND_FILTER, "b"));
}

Test(preset, errors)
{
    expect_error(try_preset("port-scam"),
                 "port-scam:1: there is no preset 'port-scam'; did you mean "
                 "'port-scan'?");
    expect_error(try_preset("xyzzy"), "multilog/preset-list lists them");
    expect_error(try_preset("port-scan;threshhold=5"),
                 "threshhold=5:1: 'threshhold' is not a parameter of "
                 "port-scan; did you mean threshold=...?");
    expect_error(try_preset("port-scan;xyzzy=5"),
                 "there are as threshold clear window match");
    expect_error(try_preset("port-scan;threshold"),
                 "threshold:1: expected as=PREFIX or PARAMETER=VALUE");
    expect_error(try_preset("port-scan;threshold=many"),
                 "threshold=many:11: threshold: 'many' is not a number");
    expect_error(try_preset("port-scan;threshold="), "is not a number");
    expect_error(try_preset("port-scan;window=10"),
                 "window=10:8: window: '10' is not a duration");
    expect_error(try_preset("port-scan;match=nw_scr == 1"),
                 "match=nw_scr == 1:7: unknown field 'nw_scr'");
    expect_error(try_preset("port-scan;match=(tcp"), "match=(tcp:");
    expect_error(try_preset("port-scan;match=tcp) || (udp"), ":");
    expect_error(try_preset("port-scan;window=1s;window=2s"),
                 "window=2s:1: 'window' is given twice");
    expect_error(try_preset("port-scan;as=a;as=b"),
                 "as=b:1: 'as' is given twice");
    expect_error(try_preset("port-scan;as=1st"), "a name consists of");
    expect_error(try_preset("port-scan;as="), "a name consists of");
    expect_error(try_preset("port-scan;clear=1000"),
                 "trigger 'port-scan' of the preset: clear: must be at most "
                 "the threshold 100");
    expect_error(try_preset("port-scan;window=2h"), "must be from 1ms to 1h");
    expect_error(del_preset("port-scan"),
                 "no preset 'port-scan' is installed");
    expect_numbers(0, 0, 0);
    cr_assert_null(mlog_presets_get(presets, 0));

    add_preset("port-scan");
    expect_error(try_preset("port-scan"), "there is a preset 'port-scan' "
                 "already; delete it first, or choose another prefix");
    expect_error(del_preset("port-scam"), "did you mean 'port-scan'?");
}

/* All or nothing: whatever is in the way, nothing is left. */
Test(preset, installing_is_atomic)
{
    add_filter("x.closed;udp");
    expect_error(try_preset("incomplete-connections;as=x"),
                 "filter 'x.closed' of the preset: there is a filter");
    expect_numbers(1, 0, 0);
    must_del(mlog_stream_del_filter, "x.closed");

    add_filter("f;udp");
    add_aggregate("x.closed;f;count");
    expect_error(try_preset("incomplete-connections;as=x"),
                 "aggregate 'x.closed' of the preset: there is an");
    expect_numbers(1, 1, 0);

    add_trigger("x;x.closed > 1");
    must_del(mlog_stream_del_trigger, "x");
    must_del(mlog_stream_del_aggregate, "x.closed");
    add_aggregate("mine;f;count");
    add_trigger("x;mine > 1");
    expect_error(try_preset("incomplete-connections;as=x"),
                 "trigger 'x' of the preset: there is a trigger");
    expect_numbers(1, 1, 1);
    cr_assert_null(mlog_presets_get(presets, 0));
}

/* Nor is a part deleted while something else needs it. */
Test(preset, deleting_is_atomic)
{
    add_preset("ddos");
    add_aggregate("mine;ddos;count");
    expect_error(del_preset("ddos"), "aggregate 'mine', which doesn't belong "
                 "to the preset, uses its filter 'ddos'");
    expect_numbers(1, 2, 1);
    must_del(mlog_stream_del_aggregate, "mine");

    add_trigger("mine;ddos > 5");
    expect_error(del_preset("ddos"), "trigger 'mine', which doesn't belong "
                 "to the preset, uses its aggregate 'ddos'");
    expect_numbers(1, 1, 2);
    must_del(mlog_stream_del_trigger, "mine");
    cr_assert_null(del_preset("ddos"));
    expect_numbers(0, 0, 0);
}

/* An attack of one host is told from others' traffic. */
Test(preset, superspreader_and_ddos)
{
    struct mlog_aggregate_view view;

    add_preset("ddos;window=1s;threshold=100");
    add_preset("superspreader;window=1s");
    for (int i = 0; i < 300; i++) {
        feed_udp(i, 1, 100, now);
        if (i % 10 == 9) {
            run_ms(1);
        }
    }
    view = show("ddos");
    cr_assert_eq(view.n_groups, 1);
    cr_assert_eq(view.groups[0].value.integer, 300);
    mlog_aggregate_view_destroy(&view);
    view = show("superspreader");
    cr_assert_eq(view.n_groups, 300);
    cr_assert_eq(view.groups[0].value.integer, 1);
    mlog_aggregate_view_destroy(&view);

    struct mlog_trigger_info *info;
    cr_assert_eq(mlog_stream_get_triggers(stream, &info), 2);
    cr_assert_eq(info[0].n_raises, 1);
    cr_assert_eq(info[1].n_raises, 0);
    free(info);
    run_ms(1100);
    mlog_stream_get_triggers(stream, &info);
    cr_assert_eq(info[0].n_clears, 1);
    free(info);
}
