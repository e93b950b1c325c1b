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

#include "mlog-config.h"
#include "svec.h"

/* What a database wants is brought in force with the fewest changes. */

static struct mlog_config *config;

static void
setup(void)
{
    setup_stream();
    config = mlog_config_create(stream);
}

static void
teardown(void)
{
    mlog_config_destroy(config);
    teardown_stream();
}

TestSuite(config, .init = setup, .fini = teardown);

/* Wants 'text': words divided by ';', each thing begun by f, a or t and
 * divided by '|'. */
static void
want_one(char *text)
{
    static const char kinds[] = "fat";
    const char *argv[16];
    size_t argc = 0;
    char *rest = text + 2;

    while (rest) {
        argv[argc++] = strsep(&rest, ";");
    }
    mlog_config_want(config, strchr(kinds, text[0]) - kinds, argv, argc);
}

/* Returns the number of slices of work that it took. */
static unsigned int
want(const char *text)
{
    char *copy = xstrdup(text), *rest = copy;
    unsigned int n = 1;

    mlog_config_begin(config);
    while (rest && *rest) {
        want_one(strsep(&rest, "|"));
    }
    mlog_config_end(config);
    while (!mlog_config_run(config)) {
        tick_at(now + MS);
        n++;
    }
    tick_at(now + MS);
    free(copy);
    return n;
}

static const char *
error_of(enum mlog_kind kind, const char *name)
{
    const char *error;
    enum mlog_config_state state = mlog_config_get(config, kind, name,
                                                   &error);

    cr_assert_eq(state == MLOG_CONFIG_ACTIVE, !error);
    return error ? error : "";
}

#define expect_errors(KIND, NAME, TEXT)                             \
    cr_expect(strstr(error_of(MLOG_KIND_##KIND, NAME), TEXT),       \
              "%s", error_of(MLOG_KIND_##KIND, NAME))
#define expect_active(KIND, NAME)                                   \
    cr_expect_str_empty(error_of(MLOG_KIND_##KIND, NAME))

/* Packets that filter 'name' has matched; -1: there is none. */
static int
matched(const char *name)
{
    struct mlog_filter_info *info;
    size_t n = mlog_stream_get_filters(stream, &info);
    int result = -1;

    for (size_t i = 0; i < n; i++) {
        if (!strcmp(info[i].name, name)) {
            result = info[i].n_packets;
        }
    }
    free(info);
    return result;
}

/* Packets that each filter may match. */
static void
feed_some(unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        feed_udp(1, 1, 100, now + 1);
    }
    tick_at(now + MS);
}

static void
count_all(size_t *filters, size_t *aggregates, size_t *triggers)
{
    struct mlog_stream_stats stats;

    mlog_stream_get_stats(stream, &stats);
    *filters = stats.n_filters;
    *aggregates = stats.n_aggregates;
    *triggers = stats.n_triggers;
}

static void
expect_counts(size_t filters, size_t aggregates, size_t triggers)
{
    size_t f, a, t;

    count_all(&f, &a, &t);
    cr_expect(f == filters && a == aggregates && t == triggers,
              "%"PRIuSIZE" %"PRIuSIZE" %"PRIuSIZE, f, a, t);
}

Test(config, adds_and_deletes)
{
    want("t:t;a > 1|a:a;f;count|f:f;udp|f:g;tcp");
    expect_counts(2, 1, 1);
    expect_active(TRIGGER, "t");
    want("f:g;tcp");
    expect_counts(1, 0, 0);
    want("");
    expect_counts(0, 0, 0);
}

Test(config, leaves_what_is_the_same)
{
    want("f:f;udp|f:g;udp|a:a;f;count");
    feed_some(3);
    want("f:g;udp|f:h;udp|a:a;f;count|f:f;udp|a:b;f;count");
    feed_some(2);
    cr_expect_eq(matched("f"), 5);
    cr_expect_eq(matched("g"), 5);
    cr_expect_eq(matched("h"), 2);
    cr_expect_eq(value_of("a"), 5);
}

Test(config, changes_what_is_based_on_a_change)
{
    want("f:f;udp|f:g;udp|a:a;f;count|a:b;g;count|t:t;a > 100|t:u;b > 100");
    feed_some(3);
    want("f:f;ip|f:g;udp|a:a;f;count|a:b;g;count|t:t;a > 100|t:u;b > 100");
    feed_some(2);
    expect_counts(2, 2, 2);
    cr_expect_eq(matched("f"), 2);
    cr_expect_eq(value_of("a"), 2);
    cr_expect_eq(matched("g"), 5);
    cr_expect_eq(value_of("b"), 5);
}

Test(config, errors_change_nothing_else)
{
    want("f:f;udp &&|f:g;udp|a:a;f;count|a:b;g;summe|t:t;a > 1|t:u;b > 1"
         "|t:v;c > 1|a:d;g;count;window=x|f:1;udp|t:w;d => 5");
    expect_counts(1, 0, 0);
    expect_errors(FILTER, "f", "expression: ");
    expect_errors(FILTER, "f", "(column ");
    expect_errors(AGGREGATE, "a", "filter 'f' is not in force");
    expect_errors(AGGREGATE, "b", "func: unknown function 'summe'");
    expect_errors(AGGREGATE, "d", "window: 'x' is not a duration");
    expect_errors(TRIGGER, "t", "aggregate 'a' is not in force");
    expect_errors(TRIGGER, "v", "there is no aggregate 'c'");
    expect_errors(TRIGGER, "w", "threshold: expected one of");
    expect_errors(FILTER, "1", "name: filter: a name consists of");
    expect_active(FILTER, "g");
    cr_expect_eq(mlog_config_n_wrong(config), 9);

    want("f:f;udp|f:g;udp|a:a;f;count|t:t;a > 1");
    expect_counts(2, 1, 1);
    cr_expect_eq(mlog_config_n_wrong(config), 0);
}

Test(config, keeps_what_was_right_before)
{
    const char *error;

    want("f:f;udp|a:a;f;count");
    feed_some(3);
    want("f:f;udp &&|a:a;f;count");
    expect_errors(FILTER, "f", "expression: ");
    expect_active(AGGREGATE, "a");
    feed_some(2);
    want("f:f;udp|a:a;f;summe");
    expect_active(FILTER, "f");
    expect_errors(AGGREGATE, "a", "func: ");
    cr_expect_eq(matched("f"), 5);
    cr_expect_eq(value_of("a"), 5);

    mlog_config_begin(config);
    mlog_config_want_wrong(config, MLOG_KIND_FILTER, "f", "no!");
    mlog_config_want_same(config, MLOG_KIND_AGGREGATE);
    mlog_config_end(config);
    cr_assert(mlog_config_run(config));
    cr_expect_eq(mlog_config_get(config, MLOG_KIND_FILTER, "f", &error),
                 MLOG_CONFIG_WRONG);
    cr_expect_str_eq(error, "no!");
    cr_expect_eq(matched("f"), 5);
    cr_expect_eq(value_of("a"), 5);
}

Test(config, owns_what_it_added)
{
    add_filter("mine;udp");
    want("f:f;udp|f:mine;tcp");
    cr_expect(mlog_config_owns(config, MLOG_KIND_FILTER, "f"));
    cr_expect(!mlog_config_owns(config, MLOG_KIND_FILTER, "mine"));
    cr_expect(!mlog_config_owns(config, MLOG_KIND_AGGREGATE, "f"));
    expect_errors(FILTER, "mine", "name: there is a local filter 'mine'");
    must_del(mlog_stream_del_filter, "mine");
    want("f:f;udp|f:mine;tcp");
    cr_expect(mlog_config_owns(config, MLOG_KIND_FILTER, "mine"));
    want("");
    cr_expect(!mlog_config_owns(config, MLOG_KIND_FILTER, "mine"));
    cr_expect_eq(matched("mine"), -1);
}

Test(config, takes_over_what_is_the_same)
{
    add_filter("f;udp&&tp_dst==53");
    add_aggregate("a;f;sum(pkt_len);group-by=tp_dst,nw_src;window=1s");
    add_trigger("t;a>10;period=1ms");
    feed_some(3);
    want("f:f;udp && tp_dst == 53"
         "|a:a;f;sum(pkt_len);window=1000ms;group-by=nw_src,tp_dst"
         "|t:t;a > 10");
    expect_active(FILTER, "f");
    expect_active(AGGREGATE, "a");
    expect_active(TRIGGER, "t");
    cr_expect(mlog_config_owns(config, MLOG_KIND_TRIGGER, "t"));
    cr_expect_eq(matched("f"), 3);
    want("f:f;udp && tp_dst == 53");
    expect_counts(1, 0, 0);
    cr_expect_eq(matched("f"), 3);
}

Test(config, does_not_take_over_what_differs)
{
    add_filter("f;udp");
    add_aggregate("a;f;count");
    add_trigger("t;a > 10");
    want("f:f;tcp|a:a;f;count;group-by=nw_src|t:t;a > 10;for=1s");
    expect_errors(FILTER, "f", "local filter");
    expect_errors(AGGREGATE, "a", "filter 'f' is not in force");
    want("f:f;udp|a:a;f;count;group-by=nw_src|t:t;a > 10;for=1s");
    expect_active(FILTER, "f");
    expect_errors(AGGREGATE, "a", "local aggregate");
    expect_errors(TRIGGER, "t", "aggregate 'a' is not in force");
    want("f:f;udp|a:a;f;count|t:t;a > 10;for=1s");
    expect_active(AGGREGATE, "a");
    expect_errors(TRIGGER, "t", "local trigger");
    want("f:f;udp|a:a;f;count|t:t;a > 10");
    expect_active(TRIGGER, "t");
}

Test(config, local_things_keep_what_they_are_based_on)
{
    want("f:f;udp|a:a;f;count|a:b;f;count");
    add_trigger("mine;a > 100");
    feed_some(3);

    /* 'b' isn't begun anew in vain. */
    want("f:f;tcp|a:a;f;count|a:b;f;count");
    expect_errors(FILTER, "f", "local trigger 'mine' uses it");
    want("f:f;udp|a:a;f;rate|a:b;f;count");
    expect_errors(AGGREGATE, "a", "func: local trigger 'mine' uses it");
    cr_expect_eq(value_of("b"), 3);

    /* What is no longer wanted stays, as local. */
    want("");
    expect_counts(1, 1, 1);
    cr_expect(!mlog_config_owns(config, MLOG_KIND_FILTER, "f"));
    cr_expect_eq(matched("f"), 3);
    must_del(mlog_stream_del_trigger, "mine");
    must_del(mlog_stream_del_aggregate, "a");
    must_del(mlog_stream_del_filter, "f");
}

Test(config, releases_everything)
{
    want("f:f;udp|a:a;f;count");
    mlog_config_own_setting(config, "capture", true);
    cr_expect(mlog_config_owns_setting(config, "capture"));
    cr_expect(!mlog_config_owns_setting(config, "memory-budget"));
    mlog_config_release(config);
    cr_expect(!mlog_config_owns(config, MLOG_KIND_FILTER, "f"));
    feed_some(3);
    cr_expect_eq(matched("f"), 3);
    want("f:f;udp|a:a;f;count");
    cr_expect_eq(matched("f"), 3);
    cr_expect(mlog_config_owns(config, MLOG_KIND_AGGREGATE, "a"));
}

static void
put_words(enum mlog_kind kind, const struct svec *words, void *s)
{
    ds_put_format(s, "%s", mlog_kind_to_string(kind));
    for (size_t i = 0; i < words->n; i++) {
        ds_put_format(s, ";%s", words->names[i]);
    }
    ds_put_char(s, '|');
}

Test(config, visits_what_is_in_force)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    add_filter("mine;tcp");
    want("t:t;a > 1;for=1s|a:a;f;count|f:g;udp|f:f;ip|f:h;nonsense");
    mlog_config_visit(config, put_words, &s);
    cr_expect_str_eq(ds_cstr(&s), "filter;f;ip|filter;g;udp|"
                     "aggregate;a;f;count|trigger;t;a > 1;for=1s|");
    ds_destroy(&s);
}

Test(config, names_are_wanted_once)
{
    const char *const argv[] = { "f", "udp" };

    mlog_config_begin(config);
    cr_expect(mlog_config_want(config, MLOG_KIND_FILTER, argv, 2));
    cr_expect(!mlog_config_want(config, MLOG_KIND_FILTER, argv, 2));
    mlog_config_end(config);
    cr_assert(mlog_config_run(config));
    expect_active(FILTER, "f");
}

/* As much as the stream takes and more, in slices. */
Test(config, everything_full)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (int i = 0; i < MLOG_MAX_FILTERS + 2; i++) {
        ds_put_format(&s, "%sf:f%d;tp_dst == %d", i ? "|" : "", i, i);
    }
    for (int i = 0; i < MLOG_MAX_AGGREGATES; i++) {
        ds_put_format(&s, "|a:a%d;f%d;count", i, i);
    }
    for (int i = 0; i < MLOG_MAX_TRIGGERS; i++) {
        ds_put_format(&s, "|t:t%d;a%d > 1000000", i, i % MLOG_MAX_AGGREGATES);
    }
    cr_expect_gt(want(ds_cstr(&s)), 5);

    size_t f, a, t;
    count_all(&f, &a, &t);
    cr_expect_eq(f, MLOG_MAX_FILTERS);
    cr_expect_eq(mlog_config_n_wrong(config),
                 2 + MLOG_MAX_AGGREGATES - a + MLOG_MAX_TRIGGERS - t);
    cr_expect_geq(a, MLOG_MAX_AGGREGATES - 2);
    want("");
    expect_counts(0, 0, 0);
    ds_destroy(&s);
}
