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
#include "mlog-config.h"

#include <string.h>

#include "mlog-aggregate.h"
#include "mlog-clock.h"
#include "mlog-expr.h"
#include "mlog-stream.h"
#include "mlog-trigger.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "ovs-thread.h"
#include "smap.h"
#include "sset.h"
#include "svec.h"
#include "util.h"

/* The work has three steps:
 *
 *   PLAN     Decide what has to be dropped: what is not wanted any more or
 *            wanted otherwise, and what is based on that.  Nothing is if
 *            something local needs it.
 *   DROP     Delete it from the stream: triggers, aggregates, filters.
 *   ADD      Add what is wanted and isn't there: filters, aggregates,
 *            triggers.
 *
 * All that can be checked without the stream is checked before, so that
 * something that becomes wrong stays what it was. */

#define SLICE_NS UINT64_C(1000000)

enum step { STEP_PLAN, STEP_DROP, STEP_ADD, STEP_DONE };

struct item {
    enum mlog_kind kind;
    char *name;
    char *parent;               /* What 'wanted' is based on, or NULL. */
    struct svec wanted;         /* Words; empty: not wanted. */
    char *wrong;                /* Why there are no words. */
    struct svec applied;        /* What the stream has; empty: nothing. */
    char *applied_parent;
    bool seen;                  /* Wanted, right or wrong. */
    bool drop;
    enum mlog_config_state state;
    char *error;
};

struct mlog_config {
    struct mlog_stream *stream;
    struct shash items[MLOG_N_KINDS];

    /* Names; under mlog_digest_lock(). */
    struct sset owned[MLOG_N_KINDS];

    struct ovs_mutex mutex;
    struct sset settings OVS_GUARDED;

    enum step step;
    struct item **todo;         /* Of the present step, in order. */
    size_t n_todo, next_todo;
};

struct mlog_config *
mlog_config_create(struct mlog_stream *stream)
{
    struct mlog_config *config = xzalloc(sizeof *config);

    config->stream = stream;
    config->step = STEP_DONE;
    ovs_mutex_init(&config->mutex);
    sset_init(&config->settings);
    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        shash_init(&config->items[i]);
        sset_init(&config->owned[i]);
    }
    return config;
}

static void
item_destroy(struct item *item)
{
    svec_destroy(&item->wanted);
    svec_destroy(&item->applied);
    free(item->applied_parent);
    free(item->parent);
    free(item->wrong);
    free(item->error);
    free(item->name);
    free(item);
}

void
mlog_config_release(struct mlog_config *config)
{
    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        struct shash_node *node;

        SHASH_FOR_EACH (node, &config->items[i]) {
            item_destroy(node->data);
        }
        shash_clear(&config->items[i]);
        sset_clear(&config->owned[i]);
    }
    config->n_todo = config->next_todo = 0;
    config->step = STEP_DONE;
}

void
mlog_config_destroy(struct mlog_config *config)
{
    if (!config) {
        return;
    }
    mlog_config_release(config);
    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        shash_destroy(&config->items[i]);
        sset_destroy(&config->owned[i]);
    }
    free(config->todo);
    sset_destroy(&config->settings);
    ovs_mutex_destroy(&config->mutex);
    free(config);
}

bool
mlog_config_owns(const struct mlog_config *config, enum mlog_kind kind,
                 const char *name)
{
    return sset_contains(&config->owned[kind], name);
}

void
mlog_config_own_setting(struct mlog_config *config, const char *key, bool own)
{
    ovs_mutex_lock(&config->mutex);
    if (own) {
        sset_add(&config->settings, key);
    } else {
        sset_find_and_delete(&config->settings, key);
    }
    ovs_mutex_unlock(&config->mutex);
}

bool
mlog_config_owns_setting(struct mlog_config *config, const char *key)
{
    bool owns;

    ovs_mutex_lock(&config->mutex);
    owns = sset_contains(&config->settings, key);
    ovs_mutex_unlock(&config->mutex);
    return owns;
}

/* What is wanted. */

static void
set_error(struct item *item, enum mlog_config_state state, char *error)
{
    free(item->error);
    item->error = error;
    item->state = state;
}

static struct item *
find_item(const struct mlog_config *config, enum mlog_kind kind,
          const char *name)
{
    return shash_find_data(&config->items[kind], name);
}

static struct item *
get_item(struct mlog_config *config, enum mlog_kind kind, const char *name)
{
    struct item *item = find_item(config, kind, name);

    if (!item) {
        item = xzalloc(sizeof *item);
        item->kind = kind;
        item->name = xstrdup(name);
        shash_add_once(&config->items[kind], name, item);
    }
    return item;
}

void
mlog_config_begin(struct mlog_config *config)
{
    ovs_assert(config->step == STEP_DONE);
    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        struct shash_node *node;

        SHASH_FOR_EACH (node, &config->items[i]) {
            struct item *item = node->data;

            item->seen = item->drop = false;
            svec_clear(&item->wanted);
            free(item->wrong);
            item->wrong = NULL;
        }
    }
}

/* What a thing with these words is based on, to be freed: the filter of an
 * aggregate, the aggregate of a trigger. */
static char *
get_parent(enum mlog_kind kind, const char *const argv[], size_t argc)
{
    if (kind == MLOG_KIND_FILTER || argc < 2) {
        return NULL;
    }
    return xmemdup0(argv[1], kind == MLOG_KIND_AGGREGATE ? strlen(argv[1])
                    : strcspn(argv[1], " "));
}

bool
mlog_config_want(struct mlog_config *config, enum mlog_kind kind,
                 const char *const argv[], size_t argc)
{
    struct item *item = get_item(config, kind, argv[0]);

    if (item->seen) {
        return false;
    }
    item->seen = true;
    for (size_t i = 0; i < argc; i++) {
        svec_add(&item->wanted, argv[i]);
    }
    free(item->parent);
    item->parent = get_parent(kind, argv, argc);
    return true;
}

bool
mlog_config_is_wanted(const struct mlog_config *config, enum mlog_kind kind,
                      const char *name)
{
    const struct item *item = find_item(config, kind, name);

    return item && item->seen;
}

void
mlog_config_want_wrong(struct mlog_config *config, enum mlog_kind kind,
                       const char *name, const char *error)
{
    struct item *item = get_item(config, kind, name);

    item->seen = true;
    item->wrong = xstrdup(error);
}

static void
keep_applied(struct item *item)
{
    svec_clear(&item->wanted);
    for (size_t i = 0; i < item->applied.n; i++) {
        svec_add(&item->wanted, item->applied.names[i]);
    }
    free(item->parent);
    item->parent = nullable_xstrdup(item->applied_parent);
}

void
mlog_config_want_same(struct mlog_config *config, enum mlog_kind kind)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &config->items[kind]) {
        struct item *item = node->data;

        if (item->applied.n) {
            item->seen = true;
            keep_applied(item);
        }
    }
}

/* Errors: the column of the database that word 'i' of 'argv' is from. */
static const char *
column_name(enum mlog_kind kind, const char *const argv[], size_t i)
{
    static const char *const columns[MLOG_N_KINDS][3] = {
        [MLOG_KIND_FILTER] = { "name", "expression", "options" },
        [MLOG_KIND_AGGREGATE] = { "name", "filter", "func" },
        [MLOG_KIND_TRIGGER] = { "name", "threshold", "options" },
    };
    static const struct {
        const char *option;
        const char *column;
    } options[] = {
        { "window=", "window" }, { "group-by=", "group_by" },
        { "period=", "period" }, { "for=", "hold" }, { "clear=", "clear" },
    };

    if (i < 2 || (i == 2 && kind == MLOG_KIND_AGGREGATE)) {
        return columns[kind][i];
    }
    for (size_t j = 0; j < ARRAY_SIZE(options); j++) {
        if (!strncmp(argv[i], options[j].option,
                     strlen(options[j].option))) {
            return options[j].column;
        }
    }
    return "options";
}

/* Returns what to tell of 'error', which is cleared, about the word 'where' of
 * 'argv'. */
static char *
error_to_string(enum mlog_kind kind, const char *const argv[], size_t argc,
                struct mlog_error *error, const char *where)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    const char *column = NULL;

    for (size_t i = 0; i < argc; i++) {
        if (where == argv[i]) {
            column = column_name(kind, argv, i);
            break;
        }
    }
    if (column && (strncmp(error->message, column, strlen(column))
                   || error->message[strlen(column)] != ':')) {
        ds_put_format(&s, "%s: ", column);
    }
    ds_put_cstr(&s, error->message);
    if (error->column && column
        && (!strcmp(column, "expression") || !strcmp(column, "func"))) {
        ds_put_format(&s, " (column %d)", error->column);
    }
    mlog_error_clear(error);
    return ds_steal_cstr(&s);
}

/* Definitions. */

/* Returns the canonical text of an expression, or NULL and sets 'error'. */
static char *
canonical(const char *text, struct mlog_error *error)
{
    struct mlog_expr *expr = mlog_expr_parse(text, error);
    struct ds s = DS_EMPTY_INITIALIZER;

    if (!expr) {
        return NULL;
    }
    mlog_expr_format(expr, &s);
    mlog_expr_unref(expr);
    return ds_steal_cstr(&s);
}

static struct mlog_aggregate_def *
parse_aggregate(const char *const argv[], size_t argc, const char *filter_text,
                struct mlog_error *error, const char **where)
{
    return mlog_aggregate_def_parse(argv[0], argv[1], filter_text, argv[2],
                                    argv + 3, argc - 3, error, where);
}

static struct mlog_trigger_def *
parse_trigger(const char *const argv[], size_t argc,
              struct mlog_error *error, const char **where)
{
    return mlog_trigger_def_parse(argv[0], argv[1], argv + 2, argc - 2,
                                  error, where);
}

/* Returns NULL if what 'item' is to be makes sense, as far as that can be told
 * without the stream, else an error to be freed. */
static char *
check_item(const struct mlog_config *config, const struct item *item)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *const *argv = (const char *const *) item->wanted.names;
    const char *where = argv[1];
    size_t argc = item->wanted.n;
    bool ok;

    if (item->kind == MLOG_KIND_FILTER) {
        char *text = canonical(argv[1], &error);

        ok = text != NULL;
        free(text);
    } else if (item->kind == MLOG_KIND_AGGREGATE) {
        const struct item *filter = find_item(config, MLOG_KIND_FILTER,
                                              argv[1]);
        char *text = (filter && filter->wanted.n
                      ? canonical(filter->wanted.names[1], &error) : NULL);
        mlog_error_clear(&error);
        struct mlog_aggregate_def *def = parse_aggregate(
            argv, argc, text ? text : "", &error, &where);

        ok = def != NULL;
        mlog_aggregate_def_unref(def);
        free(text);
    } else {
        struct mlog_trigger_def *def = parse_trigger(argv, argc, &error,
                                                     &where);

        ok = def != NULL;
        mlog_trigger_def_unref(def);
    }
    return ok ? NULL : error_to_string(item->kind, argv, argc, &error, where);
}

/* Whether the group-by fields are the same, in whatever order. */
static bool
same_keys(const struct mlog_aggregate_def *a,
          const struct mlog_aggregate_def *b)
{
    for (size_t i = 0; i < a->n_keys; i++) {
        size_t j = 0;

        while (j < b->n_keys && b->keys[j] != a->keys[i]) {
            j++;
        }
        if (j >= b->n_keys) {
            return false;
        }
    }
    return a->n_keys == b->n_keys;
}

static bool
same_aggregate(const struct mlog_aggregate_def *a,
               const struct mlog_aggregate_def *b)
{
    struct ds a_func = DS_EMPTY_INITIALIZER;
    struct ds b_func = DS_EMPTY_INITIALIZER;
    bool same;

    mlog_aggregate_def_format_func(a, &a_func);
    mlog_aggregate_def_format_func(b, &b_func);
    same = (!strcmp(a->filter, b->filter) && a->window == b->window
            && same_keys(a, b)
            && !strcmp(ds_cstr(&a_func), ds_cstr(&b_func)));
    ds_destroy(&a_func);
    ds_destroy(&b_func);
    return same;
}

static bool
same_trigger(const struct mlog_trigger_def *a,
             const struct mlog_trigger_def *b)
{
    return (!strcmp(a->aggregate, b->aggregate) && a->op == b->op
            && a->threshold == b->threshold && a->period == b->period
            && a->hold == b->hold && a->has_clear == b->has_clear
            && (!a->has_clear || a->clear == b->clear));
}

static bool
is_same_filter(struct mlog_stream *stream, const char *const argv[])
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_filter_info *info;
    size_t n = mlog_stream_get_filters(stream, &info);
    char *text = canonical(argv[1], &error);
    bool same = false;

    for (size_t i = 0; i < n && text; i++) {
        same |= (!strcmp(info[i].name, argv[0])
                 && !strcmp(info[i].text, text));
    }
    mlog_error_clear(&error);
    free(info);
    free(text);
    return same;
}

static bool
is_same_aggregate(struct mlog_stream *stream, const char *const argv[],
                  size_t argc)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_aggregate_info *info;
    size_t n = mlog_stream_get_aggregates(stream, &info);
    const char *where;
    bool same = false;

    for (size_t i = 0; i < n; i++) {
        if (!strcmp(info[i].def->name, argv[0])) {
            struct mlog_aggregate_def *def = parse_aggregate(
                argv, argc, info[i].def->filter_text, &error, &where);

            same = def && same_aggregate(def, info[i].def);
            mlog_aggregate_def_unref(def);
        }
    }
    mlog_error_clear(&error);
    free(info);
    return same;
}

static bool
is_same_trigger(struct mlog_stream *stream, const char *const argv[],
                size_t argc)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where;
    struct mlog_trigger_def *def = parse_trigger(argv, argc, &error, &where);
    struct mlog_trigger_info *info;
    size_t n = mlog_stream_get_triggers(stream, &info);
    bool same = false;

    for (size_t i = 0; i < n && def; i++) {
        same |= (!strcmp(info[i].def->name, argv[0])
                 && same_trigger(def, info[i].def));
    }
    mlog_error_clear(&error);
    mlog_trigger_def_unref(def);
    free(info);
    return same;
}

bool
mlog_config_is_same(struct mlog_config *config, enum mlog_kind kind,
                    const char *const argv[], size_t argc)
{
    switch (kind) {
    case MLOG_KIND_FILTER:
        return argc >= 2 && is_same_filter(config->stream, argv);
    case MLOG_KIND_AGGREGATE:
        return argc >= 3 && is_same_aggregate(config->stream, argv, argc);
    case MLOG_KIND_TRIGGER:
        return argc >= 2 && is_same_trigger(config->stream, argv, argc);
    case MLOG_N_KINDS:
        break;
    }
    OVS_NOT_REACHED();
}

/* Checks that need no stream.  What is wrong stays what it is. */
void
mlog_config_end(struct mlog_config *config)
{
    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        struct shash_node *node;

        SHASH_FOR_EACH (node, &config->items[i]) {
            struct item *item = node->data;
            char *error = NULL;

            if (!item->seen) {
                continue;
            } else if (item->wrong) {
                error = xstrdup(item->wrong);
            } else if (!svec_equal(&item->wanted, &item->applied)) {
                error = check_item(config, item);
            }
            set_error(item, error ? MLOG_CONFIG_WRONG : MLOG_CONFIG_ACTIVE,
                      error);
            if (error) {
                keep_applied(item);
            }
        }
    }
    config->step = STEP_PLAN;
}

/* What local things are based on: maps each name to that of one of them. */
struct pins {
    struct smap filters;        /* -> "aggregate 'x'". */
    struct smap aggregates;     /* -> "trigger 'x'". */
};

static void
pin(struct smap *pins, const char *name, const char *kind, const char *user)
{
    if (!smap_get(pins, name)) {
        smap_add_format(pins, name, "local %s '%s'", kind, user);
    }
}

static void
get_pins(struct mlog_config *config, struct pins *pins)
{
    struct mlog_aggregate_info *aggregates;
    struct mlog_trigger_info *triggers;
    size_t n = mlog_stream_get_triggers(config->stream, &triggers);

    smap_init(&pins->filters);
    smap_init(&pins->aggregates);
    for (size_t i = 0; i < n; i++) {
        if (!mlog_config_owns(config, MLOG_KIND_TRIGGER,
                              triggers[i].def->name)) {
            pin(&pins->aggregates, triggers[i].def->aggregate, "trigger",
                triggers[i].def->name);
        }
    }

    n = mlog_stream_get_aggregates(config->stream, &aggregates);
    for (size_t i = 0; i < n; i++) {
        const struct mlog_aggregate_def *def = aggregates[i].def;
        const char *trigger = smap_get(&pins->aggregates, def->name);

        if (!mlog_config_owns(config, MLOG_KIND_AGGREGATE, def->name)) {
            pin(&pins->filters, def->filter, "aggregate", def->name);
        } else if (trigger && !smap_get(&pins->filters, def->filter)) {
            smap_add(&pins->filters, def->filter, trigger);
        }
    }
    free(triggers);
    free(aggregates);
}

static const char *
get_pin(const struct pins *pins, const struct item *item)
{
    return (item->kind == MLOG_KIND_FILTER
            ? smap_get(&pins->filters, item->name)
            : item->kind == MLOG_KIND_AGGREGATE
            ? smap_get(&pins->aggregates, item->name)
            : NULL);
}

/* PLAN. */

/* 'item' can't go, because of 'user'. */
static void
keep_pinned(struct mlog_config *config, struct item *item, const char *user)
{
    if (item->seen) {
        set_error(item, MLOG_CONFIG_WRONG,
                  xasprintf("%s: %s uses it, so it can't change; delete that "
                            "first", item->kind == MLOG_KIND_FILTER
                            ? "expression" : "func", user));
        keep_applied(item);
    } else {
        sset_find_and_delete(&config->owned[item->kind], item->name);
        svec_clear(&item->applied);
    }
}

static void
plan_item(struct mlog_config *config, struct item *item,
          const struct pins *pins)
{
    const struct item *parent = NULL;

    if (!item->applied.n) {
        return;
    }
    if (item->kind != MLOG_KIND_FILTER) {
        parent = find_item(config, item->kind - 1, item->applied_parent);
    }
    if ((parent && parent->drop)
        || !svec_equal(&item->wanted, &item->applied)) {
        const char *user = get_pin(pins, item);

        if (user) {
            keep_pinned(config, item, user);
        } else {
            item->drop = true;
        }
    }
}

static void
add_todo(struct mlog_config *config, struct item *item)
{
    config->todo[config->n_todo++] = item;
}

/* Puts into 'todo' what is to be dropped, if 'drop', or to be added, in
 * order. */
static void
make_todo(struct mlog_config *config, bool drop)
{
    size_t n = 0;

    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        n += shash_count(&config->items[i]);
    }
    config->todo = xrealloc(config->todo, (n + 1) * sizeof *config->todo);
    config->n_todo = config->next_todo = 0;
    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        size_t kind = drop ? MLOG_N_KINDS - 1 - i : i;
        const struct shash_node **nodes = shash_sort(&config->items[kind]);
        size_t n_items = shash_count(&config->items[kind]);

        for (size_t j = 0; j < n_items; j++) {
            struct item *item = nodes[j]->data;

            if (drop ? item->drop : item->wanted.n && !item->applied.n) {
                add_todo(config, item);
            }
        }
        free(nodes);
    }
}

static void
plan(struct mlog_config *config)
{
    struct pins pins;

    get_pins(config, &pins);
    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        struct shash_node *node;

        SHASH_FOR_EACH (node, &config->items[i]) {
            plan_item(config, node->data, &pins);
        }
    }
    smap_destroy(&pins.filters);
    smap_destroy(&pins.aggregates);
    make_todo(config, true);
}

/* DROP. */

static void
drop_item(struct mlog_config *config, struct item *item)
{
    static bool (*const del[MLOG_N_KINDS])(struct mlog_stream *, const char *,
                                           struct mlog_error *) = {
        [MLOG_KIND_FILTER] = mlog_stream_del_filter,
        [MLOG_KIND_AGGREGATE] = mlog_stream_del_aggregate,
        [MLOG_KIND_TRIGGER] = mlog_stream_del_trigger,
    };
    struct mlog_error error = MLOG_ERROR_INITIALIZER;

    if (del[item->kind](config->stream, item->name, &error)) {
        sset_find_and_delete(&config->owned[item->kind], item->name);
        svec_clear(&item->applied);
    } else {
        /* A command made something that needs it since the plan. */
        keep_pinned(config, item, error.message);
        mlog_error_clear(&error);
    }
}

/* ADD. */

static void
set_applied(struct mlog_config *config, struct item *item)
{
    svec_destroy(&item->applied);
    svec_clone(&item->applied, &item->wanted);
    free(item->applied_parent);
    item->applied_parent = nullable_xstrdup(item->parent);
    sset_add(&config->owned[item->kind], item->name);
}

/* Returns true if what 'item' is based on is there. */
static bool
check_parent(struct mlog_config *config, struct item *item)
{
    const struct item *parent = NULL;

    if (item->kind != MLOG_KIND_FILTER && item->parent) {
        parent = find_item(config, item->kind - 1, item->parent);
    }
    if (!parent || parent->applied.n) {
        return true;
    }
    set_error(item, MLOG_CONFIG_WAITING,
              xasprintf("%s: %s '%s' is not in force",
                        mlog_kind_to_string(parent->kind),
                        mlog_kind_to_string(parent->kind), parent->name));
    return false;
}

/* Whether the stream has 'name'. */
static bool
exists(const struct mlog_config *config, enum mlog_kind kind,
       const char *name)
{
    struct mlog_aggregate_info *aggregates = NULL;
    struct mlog_trigger_info *triggers = NULL;
    struct mlog_filter_info *filters = NULL;
    bool found = false;
    size_t n;

    n = (kind == MLOG_KIND_FILTER
         ? mlog_stream_get_filters(config->stream, &filters)
         : kind == MLOG_KIND_AGGREGATE
         ? mlog_stream_get_aggregates(config->stream, &aggregates)
         : mlog_stream_get_triggers(config->stream, &triggers));
    for (size_t i = 0; i < n && !found; i++) {
        found = !strcmp(name, (filters ? filters[i].name
                               : aggregates ? aggregates[i].def->name
                               : triggers[i].def->name));
    }
    free(aggregates);
    free(triggers);
    free(filters);
    return found;
}

/* The stream didn't take 'item'. */
static void
add_failed(struct mlog_config *config, struct item *item,
           struct mlog_error *error, const char *where)
{
    const char *const *argv = (const char *const *) item->wanted.names;
    const char *kind = mlog_kind_to_string(item->kind);

    if (!exists(config, item->kind, item->name)) {
        set_error(item, MLOG_CONFIG_WRONG,
                  error_to_string(item->kind, argv, item->wanted.n, error,
                                  where));
        return;
    }
    mlog_error_clear(error);
    if (mlog_config_is_same(config, item->kind, argv, item->wanted.n)) {
        set_applied(config, item);
    } else {
        set_error(item, MLOG_CONFIG_WRONG,
                  xasprintf("name: there is a local %s '%s', added by "
                            "multilog/%s-add; delete it with "
                            "multilog/%s-del", kind, item->name, kind, kind));
    }
}

static void
add_item(struct mlog_config *config, struct item *item)
{
    static bool (*const add[MLOG_N_KINDS])(struct mlog_stream *,
                                           const char *const[], size_t,
                                           struct mlog_error *,
                                           const char **) = {
        [MLOG_KIND_FILTER] = mlog_stream_add_filter,
        [MLOG_KIND_AGGREGATE] = mlog_stream_add_aggregate,
        [MLOG_KIND_TRIGGER] = mlog_stream_add_trigger,
    };
    const char *const *argv = (const char *const *) item->wanted.names;
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where = NULL;

    if (!check_parent(config, item)) {
        return;
    } else if (add[item->kind](config->stream, argv, item->wanted.n, &error,
                               &where)) {
        set_applied(config, item);
    } else {
        add_failed(config, item, &error, where);
    }
}

/* Forgets what is neither wanted nor there. */
static void
forget(struct mlog_config *config)
{
    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        struct shash_node *node;

        SHASH_FOR_EACH_SAFE (node, &config->items[i]) {
            struct item *item = node->data;

            if (!item->seen && !item->applied.n) {
                shash_delete(&config->items[i], node);
                item_destroy(item);
            }
        }
    }
}

bool
mlog_config_run(struct mlog_config *config)
{
    uint64_t end = mlog_clock_system() + SLICE_NS;

    if (config->step == STEP_PLAN) {
        plan(config);
        config->step = STEP_DROP;
    }
    while (config->step != STEP_DONE && mlog_clock_system() < end) {
        bool more = config->next_todo < config->n_todo;
        struct item *item = more ? config->todo[config->next_todo++] : NULL;

        if (config->step == STEP_DROP && more) {
            drop_item(config, item);
        } else if (config->step == STEP_DROP) {
            make_todo(config, false);
            config->step = STEP_ADD;
        } else if (more) {
            add_item(config, item);
        } else {
            forget(config);
            config->step = STEP_DONE;
        }
    }
    return config->step == STEP_DONE;
}

/* Results. */

enum mlog_config_state
mlog_config_get(const struct mlog_config *config, enum mlog_kind kind,
                const char *name, const char **error)
{
    const struct item *item = find_item(config, kind, name);

    *error = item ? item->error : NULL;
    return item ? item->state : MLOG_CONFIG_WAITING;
}

void
mlog_config_visit(const struct mlog_config *config,
                  void (*visit)(enum mlog_kind, const struct svec *words,
                                void *aux), void *aux)
{
    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        const struct shash_node **nodes = shash_sort(&config->items[i]);
        size_t n = shash_count(&config->items[i]);

        for (size_t j = 0; j < n; j++) {
            const struct item *item = nodes[j]->data;

            if (item->applied.n) {
                visit(item->kind, &item->applied, aux);
            }
        }
        free(nodes);
    }
}

size_t
mlog_config_n_wrong(const struct mlog_config *config)
{
    size_t n = 0;

    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        struct shash_node *node;

        SHASH_FOR_EACH (node, &config->items[i]) {
            const struct item *item = node->data;

            n += item->seen && item->state != MLOG_CONFIG_ACTIVE;
        }
    }
    return n;
}
