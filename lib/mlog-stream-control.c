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
#include "mlog-stream-private.h"

#include <stdlib.h>
#include <string.h>

#include "mlog-classifier.h"
#include "mlog-expr.h"
#include "mlog-expr-row.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Adding, deleting and listing filters, aggregates and triggers. */

/* Arrays of pointers. */

void
mlog_ptrs_push(struct mlog_ptrs *ptrs, void *p)
{
    if (ptrs->n >= ptrs->allocated) {
        ptrs->data = x2nrealloc(ptrs->data, &ptrs->allocated,
                                sizeof *ptrs->data);
    }
    ptrs->data[ptrs->n++] = p;
}

/* Returns the index that 'p' had. */
static size_t
ptrs_remove(struct mlog_ptrs *ptrs, const void *p)
{
    size_t i = 0;

    while (ptrs->data[i] != p) {
        i++;
    }
    ptrs->n--;
    memmove(&ptrs->data[i], &ptrs->data[i + 1],
            (ptrs->n - i) * sizeof *ptrs->data);
    return i;
}

/* Names.  'kind' is "filter", "aggregate" or "trigger"; what has names of
 * that kind is described by a struct kind. */

struct kind {
    const char *article;
    const char *name;
    size_t max;
    struct mlog_ptrs *(*all)(struct mlog_stream *);
    const char *(*get_name)(const void *);
};

static struct mlog_ptrs *
all_filters(struct mlog_stream *stream)
{
    return &stream->filters;
}

static const char *
filter_name(const void *filter)
{
    return ((const struct mlog_filter *) filter)->name;
}

static struct mlog_ptrs *
all_aggregates(struct mlog_stream *stream)
{
    return &stream->aggregates;
}

static const char *
aggregate_name(const void *agg)
{
    return ((const struct mlog_aggregate *) agg)->def->name;
}

static struct mlog_ptrs *
all_triggers(struct mlog_stream *stream)
{
    return &stream->triggers;
}

static const char *
trigger_name(const void *trigger)
{
    return ((const struct mlog_trigger *) trigger)->def->name;
}

static const struct kind filter_kind = {
    "a", "filter", MLOG_MAX_FILTERS, all_filters, filter_name
};
static const struct kind aggregate_kind = {
    "an", "aggregate", MLOG_MAX_AGGREGATES, all_aggregates, aggregate_name
};
static const struct kind trigger_kind = {
    "a", "trigger", MLOG_MAX_TRIGGERS, all_triggers, trigger_name
};

static void *
find(struct mlog_stream *stream, const struct kind *kind, const char *name)
{
    const struct mlog_ptrs *all = kind->all(stream);

    for (size_t i = 0; i < all->n; i++) {
        if (!strcmp(kind->get_name(all->data[i]), name)) {
            return all->data[i];
        }
    }
    return NULL;
}

/* Sets 'error' to say that there is no 'name'. */
static void
set_unknown(struct mlog_stream *stream, const struct kind *kind,
            const char *name, int column, struct mlog_error *error)
{
    const struct mlog_ptrs *all = kind->all(stream);
    const char **names = xmalloc(all->n * sizeof *names);
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < all->n; i++) {
        names[i] = kind->get_name(all->data[i]);
    }

    const char *nearest = mlog_nearest_name(name, names, all->n);
    ds_put_format(&s, "there is no %s ", kind->name);
    mlog_put_quoted(&s, name);
    if (nearest) {
        ds_put_format(&s, "; did you mean '%s'?", nearest);
    } else if (!all->n) {
        ds_put_format(&s, "; add one with multilog/%s-add", kind->name);
    } else {
        ds_put_format(&s, "; multilog/%s-list lists them", kind->name);
    }
    mlog_error_set(error, column, "%s", ds_cstr(&s));
    ds_destroy(&s);
    free(names);
}

static void *
find_or_error(struct mlog_stream *stream, const struct kind *kind,
              const char *name, int column, struct mlog_error *error)
{
    void *p = find(stream, kind, name);

    if (!p) {
        set_unknown(stream, kind, name, column, error);
    }
    return p;
}

/* Whether something new may be called 'name'. */
static bool
check_name(struct mlog_stream *stream, const struct kind *kind,
           const char *name, struct mlog_error *error)
{
    static const char letters[]
        = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char others[] = "0123456789.-";
    const char *p = name;

    while (*p && (strchr(letters, *p) || (p > name && strchr(others, *p)))) {
        p++;
    }
    if (*p || p == name) {
        mlog_error_set(error, p - name + 1, "%s: a name consists of letters, "
                       "digits, '_', '.' and '-', and begins with a letter or "
                       "'_'", kind->name);
    } else if (p - name > MLOG_MAX_NAME) {
        mlog_error_set(error, MLOG_MAX_NAME + 1, "a name has at most %d "
                       "characters", MLOG_MAX_NAME);
    } else if (find(stream, kind, name)) {
        mlog_error_set(error, 1, "there is %s %s '%s' already; delete it "
                       "first", kind->article, kind->name, name);
    } else if (kind->all(stream)->n >= kind->max) {
        mlog_error_set(error, 0, "there are %"PRIuSIZE" %ss, which is the "
                       "limit", kind->max, kind->name);
    } else {
        return true;
    }
    return false;
}

static bool
check_argc(size_t argc, size_t min, const char *usage,
           struct mlog_error *error)
{
    if (argc < min) {
        mlog_error_set(error, 0, "expected %s", usage);
        return false;
    }
    return true;
}

#define MAX_USERS_NAMED 8

/* Sets 'error' to say that what is to be deleted has users.  'user' is their
 * kind. */
static void
set_in_use(const struct kind *user, const void *const users[], size_t n,
           struct mlog_error *error)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s%s", user->name, n > 1 ? "s" : "");
    for (size_t i = 0; i < MIN(n, MAX_USERS_NAMED); i++) {
        ds_put_format(&s, "%s '%s'", i ? "," : "", user->get_name(users[i]));
    }
    if (n > MAX_USERS_NAMED) {
        ds_put_format(&s, " and %"PRIuSIZE" more", n - MAX_USERS_NAMED);
    }
    mlog_error_set(error, 0, "%s %s it; delete %s first", ds_cstr(&s),
                   n > 1 ? "use" : "uses", n > 1 ? "those" : "that");
    ds_destroy(&s);
}

/* Filters. */

bool
mlog_stream_add_filter(struct mlog_stream *stream, const char *const argv[],
                       size_t argc, struct mlog_error *error,
                       const char **where)
{
    *where = NULL;
    if (!check_argc(argc, 2, "NAME EXPRESSION", error)) {
        return false;
    }
    *where = argv[0];
    if (!check_name(stream, &filter_kind, argv[0], error)) {
        return false;
    }
    *where = argv[1];

    struct mlog_expr *expr = mlog_expr_parse(argv[1], error);
    if (!expr) {
        return false;
    }

    struct mlog_filter *filter = xzalloc(sizeof *filter);
    struct ds text = DS_EMPTY_INITIALIZER;
    mlog_expr_format(expr, &text);
    filter->name = xstrdup(argv[0]);
    filter->expr = expr;
    filter->row_test = mlog_expr_row_create(expr);
    filter->text = ds_steal_cstr(&text);
    filter->added = stream->now;
    mlog_stream_begin_change__(stream);
    mlog_ptrs_push(&stream->filters, filter);
    mlog_classifier_add(stream->classifier, expr);
    mlog_stream_filters_changed__(stream);
    return true;
}

bool
mlog_stream_del_filter(struct mlog_stream *stream, const char *name,
                       struct mlog_error *error)
{
    struct mlog_filter *filter = find_or_error(stream, &filter_kind, name, 1,
                                               error);
    if (!filter) {
        return false;
    } else if (filter->aggregates.n) {
        set_in_use(&aggregate_kind,
                   (const void *const *) filter->aggregates.data,
                   filter->aggregates.n, error);
        return false;
    }
    mlog_stream_begin_change__(stream);
    mlog_classifier_remove(stream->classifier,
                           ptrs_remove(&stream->filters, filter));
    mlog_stream_filters_changed__(stream);
    mlog_filter_free__(filter);
    return true;
}

size_t
mlog_stream_get_filters(struct mlog_stream *stream,
                        struct mlog_filter_info **infop)
{
    size_t n = stream->filters.n;
    struct mlog_filter_info *info = xmalloc(n * sizeof *info);

    mlog_stream_flush__(stream);
    for (size_t i = 0; i < n; i++) {
        const struct mlog_filter *filter = stream->filters.data[i];

        info[i] = (struct mlog_filter_info) {
            .name = filter->name,
            .text = filter->text,
            .n_packets = filter->n_packets,
            .n_bytes = filter->n_bytes,
            .added = filter->added,
            .n_users = filter->aggregates.n,
        };
    }
    *infop = info;
    return n;
}

/* Aggregates. */

static bool
has_keys_of(const struct mlog_aggregate_def *a,
            const struct mlog_aggregate_def *b)
{
    return (a->n_keys == b->n_keys
            && !memcmp(a->keys, b->keys, a->n_keys * sizeof a->keys[0]));
}

/* Returns a number that stands for the group-by fields of 'def', the same for
 * all aggregates that have the same, or MLOG_KEYSET_NONE. */
static uint32_t
get_keyset(const struct mlog_stream *stream,
           const struct mlog_aggregate_def *def)
{
    uint64_t used = 0;

    for (size_t i = 0; i < stream->aggregates.n; i++) {
        const struct mlog_aggregate *agg = stream->aggregates.data[i];

        if (agg->keyset != MLOG_KEYSET_NONE) {
            if (has_keys_of(agg->def, def)) {
                return agg->keyset;
            }
            used |= UINT64_C(1) << agg->keyset;
        }
    }
    return used == UINT64_MAX ? MLOG_KEYSET_NONE : raw_ctz(~used);
}

bool
mlog_stream_add_aggregate(struct mlog_stream *stream,
                          const char *const argv[], size_t argc,
                          struct mlog_error *error, const char **where)
{
    *where = NULL;
    if (!check_argc(argc, 3, "NAME FILTER FUNC[(FIELD)] [window=...] "
                    "[group-by=...]", error)) {
        return false;
    }
    *where = argv[0];
    if (!check_name(stream, &aggregate_kind, argv[0], error)) {
        return false;
    }
    *where = argv[1];

    struct mlog_filter *filter = find_or_error(stream, &filter_kind, argv[1],
                                               1, error);
    if (!filter) {
        return false;
    }

    struct mlog_aggregate_def *def = mlog_aggregate_def_parse(
        argv[0], filter->name, filter->text, argv[2], argv + 3, argc - 3,
        error, where);
    if (!def) {
        return false;
    }

    struct mlog_aggregate *agg = mlog_aggregate_create(def, &stream->budget,
                                                       stream->now);
    agg->keyset = get_keyset(stream, def);
    mlog_stream_begin_change__(stream);
    mlog_ptrs_push(&stream->aggregates, agg);
    mlog_ptrs_push(&filter->aggregates, agg);
    mlog_stream_end_change__(stream);
    return true;
}

/* The triggers of an aggregate, to be freed. */
static const void **
triggers_of(const struct mlog_stream *stream, const struct mlog_aggregate *agg)
{
    const void **triggers = xmalloc(agg->n_triggers * sizeof *triggers);
    size_t n = 0;

    for (size_t i = 0; i < stream->triggers.n; i++) {
        const struct mlog_trigger *trigger = stream->triggers.data[i];

        if (trigger->aggregate == agg) {
            triggers[n++] = trigger;
        }
    }
    return triggers;
}

bool
mlog_stream_del_aggregate(struct mlog_stream *stream, const char *name,
                          struct mlog_error *error)
{
    struct mlog_aggregate *agg = find_or_error(stream, &aggregate_kind, name,
                                               1, error);
    if (!agg) {
        return false;
    } else if (agg->n_triggers) {
        const void **triggers = triggers_of(stream, agg);

        set_in_use(&trigger_kind, triggers, agg->n_triggers, error);
        free(triggers);
        return false;
    }

    struct mlog_filter *filter = find(stream, &filter_kind, agg->def->filter);
    mlog_stream_begin_change__(stream);
    ptrs_remove(&stream->aggregates, agg);
    ptrs_remove(&filter->aggregates, agg);
    mlog_stream_end_change__(stream);
    mlog_aggregate_destroy(agg);
    return true;
}

size_t
mlog_stream_get_aggregates(struct mlog_stream *stream,
                           struct mlog_aggregate_info **infop)
{
    size_t n = stream->aggregates.n;
    struct mlog_aggregate_info *info = xmalloc(n * sizeof *info);

    for (size_t i = 0; i < n; i++) {
        const struct mlog_aggregate *agg = stream->aggregates.data[i];

        info[i] = (struct mlog_aggregate_info) {
            .def = agg->def,
            .added = agg->created,
            .n_groups = mlog_aggregate_n_groups(agg),
            .overflow = agg->other_in_use,
            .n_overflow = agg->n_overflow,
            .n_users = agg->n_triggers,
            .memory = agg->groups.memory,
        };
    }
    *infop = info;
    return n;
}

/* Aggregates' values. */

static void
view_add(struct mlog_aggregate_view *view, const struct mlog_aggregate *agg,
         struct mlog_group *group)
{
    struct mlog_result value = mlog_aggregate_value(agg, group);

    if (group->live || group == agg->single) {
        struct mlog_group_info *info = &view->groups[view->n_groups++];

        mlog_aggregate_get_key(agg, group, &info->key);
        info->value = value;
        info->newest = group->newest;
        info->items = NULL;
        info->n_items = 0;
        if (agg->def->func == MLOG_FUNC_TOPK) {
            info->items = xmalloc(MLOG_MAX_TOPK * sizeof *info->items);
            info->n_items = mlog_aggregate_topk(agg, group, info->items);
        }
    }
}

/* Greatest value first, absent ones last. */
static int
compare_groups(const void *a_, const void *b_)
{
    const struct mlog_group_info *a = a_;
    const struct mlog_group_info *b = b_;

    if (a->value.present != b->value.present) {
        return a->value.present ? -1 : 1;
    } else if (a->value.real != b->value.real) {
        return a->value.real > b->value.real ? -1 : 1;
    }
    for (size_t i = 0; i < MLOG_MAX_GROUP_KEYS; i++) {
        int c = mlog_value_compare(&a->key.values[i], &b->key.values[i]);

        if (c) {
            return c;
        }
    }
    return 0;
}

bool
mlog_stream_show_aggregate(struct mlog_stream *stream, const char *name,
                           struct mlog_aggregate_view *view,
                           struct mlog_error *error)
{
    const struct mlog_aggregate *agg = find_or_error(stream, &aggregate_kind,
                                                     name, 1, error);
    struct mlog_group *group;

    memset(view, 0, sizeof *view);
    if (!agg) {
        return false;
    }
    view->def = mlog_aggregate_def_ref(agg->def);
    view->since = mlog_aggregate_since(agg);
    view->until = stream->now;
    view->n_overflow = agg->n_overflow;
    view->groups = xmalloc((agg->groups.n + 1)
                           * sizeof *view->groups);
    view_add(view, agg, agg->single ? agg->single : agg->other);
    MLOG_GROUP_TABLE_FOR_EACH (group, &agg->groups) {
        view_add(view, agg, group);
    }
    return true;
}

void
mlog_aggregate_view_sort(struct mlog_aggregate_view *view)
{
    qsort(view->groups, view->n_groups, sizeof *view->groups, compare_groups);
}

void
mlog_aggregate_view_destroy(struct mlog_aggregate_view *view)
{
    for (size_t i = 0; i < view->n_groups; i++) {
        free(view->groups[i].items);
    }
    mlog_aggregate_def_unref(view->def);
    free(view->groups);
    memset(view, 0, sizeof *view);
}

/* Triggers. */

bool
mlog_stream_add_trigger(struct mlog_stream *stream, const char *const argv[],
                        size_t argc, struct mlog_error *error,
                        const char **where)
{
    *where = NULL;
    if (!check_argc(argc, 2, "NAME 'AGGREGATE OP VALUE' [period=...] "
                    "[for=...] [clear=...]", error)) {
        return false;
    }
    *where = argv[0];
    if (!check_name(stream, &trigger_kind, argv[0], error)) {
        return false;
    }

    struct mlog_trigger_def *def = mlog_trigger_def_parse(
        argv[0], argv[1], argv + 2, argc - 2, error, where);
    if (!def) {
        return false;
    }

    int column = strstr(argv[1], def->aggregate) - argv[1] + 1;
    struct mlog_aggregate *agg = find_or_error(stream, &aggregate_kind,
                                               def->aggregate, column, error);
    if (!agg) {
        *where = argv[1];
        mlog_trigger_def_unref(def);
        return false;
    } else if (agg->def->func == MLOG_FUNC_TOPK) {
        *where = argv[1];
        mlog_error_set(error, column, "aggregate '%s' is a topk(), which has "
                       "no value that could be compared; use one that is "
                       "grouped by the field", agg->def->name);
        mlog_trigger_def_unref(def);
        return false;
    }
    mlog_ptrs_push(&stream->triggers,
                   mlog_trigger_create(agg, def, stream->now));
    return true;
}

bool
mlog_stream_del_trigger(struct mlog_stream *stream, const char *name,
                        struct mlog_error *error)
{
    struct mlog_trigger *trigger = find_or_error(stream, &trigger_kind, name,
                                                 1, error);
    if (!trigger) {
        return false;
    }
    ptrs_remove(&stream->triggers, trigger);
    mlog_trigger_destroy(&stream->engine, trigger, stream->now);
    return true;
}

size_t
mlog_stream_get_triggers(struct mlog_stream *stream,
                         struct mlog_trigger_info **infop)
{
    size_t n = stream->triggers.n;
    struct mlog_trigger_info *info = xmalloc(n * sizeof *info);

    for (size_t i = 0; i < n; i++) {
        const struct mlog_trigger *trigger = stream->triggers.data[i];

        info[i] = (struct mlog_trigger_info) {
            .def = trigger->def,
            .added = trigger->added,
            .n_pending = trigger->n_pending,
            .n_raised = trigger->n_raised,
            .n_raises = trigger->n_raises,
            .n_clears = trigger->n_clears,
            .n_suppressed = trigger->n_suppressed,
        };
    }
    *infop = info;
    return n;
}

/* The rest. */

struct mlog_alert_log *
mlog_stream_alerts(struct mlog_stream *stream)
{
    return &stream->alerts;
}

void
mlog_stream_get_stats(const struct mlog_stream *stream,
                      struct mlog_stream_stats *stats)
{
    *stats = (struct mlog_stream_stats) {
        .n_filters = stream->filters.n,
        .n_aggregates = stream->aggregates.n,
        .n_triggers = stream->triggers.n,
        .n_classes = stream->n_classes - 1,
        .n_incidents = hmap_count(&stream->engine.incidents),
        .last_seq = stream->alerts.next_seq - 1,
        .memory = (mlog_group_budget_used(&stream->budget)
                   + stream->class_memory
                   + mlog_classifier_memory(stream->classifier)),
    };
    for (unsigned int i = 0; i < stream->n_lanes; i++) {
        stats->memory += (stream->lanes[i]->accs.memory
                          + stream->lanes[i]->class_memory);
    }
    for (size_t i = 0; i < stream->aggregates.n; i++) {
        stats->n_groups += mlog_aggregate_n_groups(stream->aggregates.data[i]);
    }
}

const char *
mlog_kind_to_string(enum mlog_kind kind)
{
    switch (kind) {
    case MLOG_KIND_FILTER: return "filter";
    case MLOG_KIND_AGGREGATE: return "aggregate";
    case MLOG_KIND_TRIGGER: return "trigger";
    case MLOG_N_KINDS: break;
    }
    OVS_NOT_REACHED();
}
