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

#include "mlog-command-call.h"

#include "mlog-config.h"
#include "mlog-database.h"
#include "mlog-preset.h"
#include "mlog-stream.h"
#include "mlog-time.h"
#include "mlog-trigger.h"
#include "multilog.h"
#include "openvswitch/json.h"
#include "util.h"

#define DEFAULT_ALERTS 100
#define DEFAULT_TOP 100
#define MAX_SHOWN 1000000

/* Adding and deleting. */

typedef bool add_func(struct mlog_stream *, const char *const argv[],
                      size_t argc, struct mlog_error *, const char **where);
typedef bool del_func(struct mlog_stream *, const char *name,
                      struct mlog_error *);

/* Ends a command that has changed something. */
static void
finish_change(struct mlog_call *call, bool ok, const char *what,
              const char *done, uint64_t cut, struct mlog_error *error,
              const char *where)
{
    if (ok) {
        mlog_document_put_string(&call->doc, done, call->args[0]);
        mlog_document_put_time(&call->doc, "cut", cut);
        mlog_document_summary(&call->doc, "%s %s %s", what, call->args[0],
                              done);
    } else {
        mlog_call_take_error(call, where, error);
    }
}

/* Whether the thing 'call' is about is the database's; the digest waits. */
static bool
is_owned(const struct mlog_call *call, enum mlog_kind kind)
{
    return mlog_config_owns(call->ml->config, kind, call->args[0]);
}

/* With --persist, what has been added is written to the database, too, or
 * deleted again if that is not possible.  What is there already, the same,
 * may be made permanent. */
static bool
persist(struct mlog_call *call, enum mlog_kind kind, bool added,
        del_func *del)
{
    const struct mlog_database *database = call->ml->database;
    struct mlog_error ignored = MLOG_ERROR_INITIALIZER;
    char *message = (database
                     ? database->persist(kind, call->args, call->n_args)
                     : xstrdup("there is no database here"));

    if (!message) {
        return true;
    }
    if (added) {
        mlog_digest_lock(call->ml->digest);
        if (!is_owned(call, kind)) {
            del(call->ml->stream, call->args[0], &ignored);
        }
        mlog_digest_unlock(call->ml->digest);
        mlog_error_clear(&ignored);
    }
    mlog_call_error(call, NULL, NULL, "--persist: %s", message);
    free(message);
    return false;
}

/* What belongs to a preset is not deleted without the rest. */
static bool
check_preset(const struct mlog_call *call, enum mlog_kind kind,
             struct mlog_error *error)
{
    const char *owner = mlog_presets_owner(call->ml->presets, kind,
                                           call->args[0]);

    if (owner) {
        mlog_error_set(error, 1, "%s '%s' belongs to preset '%s'; delete "
                       "that, with multilog/preset-del %s",
                       mlog_kind_to_string(kind), call->args[0], owner,
                       owner);
    }
    return !owner;
}

static void
run_add(struct mlog_call *call, enum mlog_kind kind, add_func *add,
        del_func *del)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    bool want_persist = mlog_call_has(call, MLOG_OPT_PERSIST);
    const char *where = NULL;
    uint64_t cut = mlog_digest_lock(call->ml->digest);
    bool ok = add(call->ml->stream, call->args, call->n_args, &error, &where);
    bool same = (!ok && want_persist && !is_owned(call, kind)
                 && mlog_config_is_same(call->ml->config, kind, call->args,
                                        call->n_args));

    mlog_digest_unlock(call->ml->digest);
    if (want_persist && (ok || same)) {
        mlog_error_clear(&error);
        if (!persist(call, kind, ok, del)) {
            return;
        }
        ok = true;
    }
    mlog_call_local_changed(call);
    finish_change(call, ok, mlog_kind_to_string(kind), "added", cut, &error,
                  where);
}

static void
run_del(struct mlog_call *call, enum mlog_kind kind, del_func *del)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    uint64_t cut = mlog_digest_lock(call->ml->digest);
    bool ok = false;

    if (is_owned(call, kind)) {
        mlog_error_set(&error, 1, "%s '%s' is configured in the database; "
                       "delete its row there", mlog_kind_to_string(kind),
                       call->args[0]);
    } else {
        ok = (check_preset(call, kind, &error)
              && del(call->ml->stream, call->args[0], &error));
    }
    mlog_digest_unlock(call->ml->digest);
    mlog_call_local_changed(call);
    finish_change(call, ok, mlog_kind_to_string(kind), "deleted", cut, &error,
                  call->args[0]);
}

void
mlog_command_filter_add(struct mlog_call *call)
{
    run_add(call, MLOG_KIND_FILTER, mlog_stream_add_filter,
            mlog_stream_del_filter);
}

void
mlog_command_filter_del(struct mlog_call *call)
{
    run_del(call, MLOG_KIND_FILTER, mlog_stream_del_filter);
}

void
mlog_command_aggregate_add(struct mlog_call *call)
{
    run_add(call, MLOG_KIND_AGGREGATE, mlog_stream_add_aggregate,
            mlog_stream_del_aggregate);
}

void
mlog_command_aggregate_del(struct mlog_call *call)
{
    run_del(call, MLOG_KIND_AGGREGATE, mlog_stream_del_aggregate);
}

void
mlog_command_trigger_add(struct mlog_call *call)
{
    run_add(call, MLOG_KIND_TRIGGER, mlog_stream_add_trigger,
            mlog_stream_del_trigger);
}

void
mlog_command_trigger_del(struct mlog_call *call)
{
    run_del(call, MLOG_KIND_TRIGGER, mlog_stream_del_trigger);
}

/* Lists.
 *
 * What the stream has is valid until the digest goes on, so a table is filled
 * in while that waits, and rendered afterwards. */

struct column {
    const char *name;
    bool right;
};

static struct mlog_table *
create_table(struct mlog_call *call, const char *name,
             const struct column columns[], size_t n)
{
    struct mlog_table *table = mlog_document_table(&call->doc, name);

    for (size_t i = 0; i < n; i++) {
        mlog_table_add_column(table, columns[i].name, columns[i].right);
    }
    return table;
}

static void
put_duration(struct mlog_table *table, uint64_t ns)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_duration_format(ns, &s);
    mlog_table_put_string(table, ds_cstr(&s));
    ds_destroy(&s);
}

/* The prefix of the preset that it belongs to. */
static void
put_preset(const struct mlog_call *call, struct mlog_table *table,
           enum mlog_kind kind, const char *name)
{
    mlog_table_put_string(table, mlog_presets_owner(call->ml->presets, kind,
                                                    name));
}

/* Who has added it. */
static void
put_owner(const struct mlog_call *call, struct mlog_table *table,
          enum mlog_kind kind, const char *name)
{
    mlog_table_put_string(table, (mlog_config_owns(call->ml->config, kind,
                                                   name)
                                  ? "ovsdb" : "local"));
}

static void
finish_list(struct mlog_call *call, const char *what, size_t n, uint64_t cut)
{
    mlog_document_put_u64(&call->doc, "count", n);
    mlog_document_put_time(&call->doc, "cut", cut);
    mlog_document_summary(&call->doc, "%"PRIuSIZE" %s%s", n, what,
                          n == 1 ? "" : "s");
}

void
mlog_command_filter_list(struct mlog_call *call)
{
    static const struct column columns[] = {
        { "name", false }, { "expression", false }, { "packets", true },
        { "bytes", true }, { "aggregates", true }, { "added", false },
        { "owner", false },
        { "preset", false },
    };
    struct mlog_table *table = create_table(call, "filters", columns,
                                            ARRAY_SIZE(columns));
    uint64_t cut = mlog_digest_lock(call->ml->digest);
    struct mlog_filter_info *filters;
    size_t n = mlog_stream_get_filters(call->ml->stream, &filters);

    for (size_t i = 0; i < n; i++) {
        const struct mlog_filter_info *f = &filters[i];

        mlog_table_put_string(table, f->name);
        mlog_table_put_string(table, f->text);
        mlog_table_put_u64(table, f->n_packets);
        mlog_table_put_u64(table, f->n_bytes);
        mlog_table_put_u64(table, f->n_users);
        mlog_table_put_time(table, f->added);
        put_owner(call, table, MLOG_KIND_FILTER, f->name);
        put_preset(call, table, MLOG_KIND_FILTER, f->name);
    }
    mlog_digest_unlock(call->ml->digest);
    free(filters);
    mlog_table_hide_empty(table);
    finish_list(call, "filter", n, cut);
}

static void
put_function(struct mlog_table *table, const struct mlog_aggregate_def *def)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_aggregate_def_format_func(def, &s);
    mlog_table_put_string(table, ds_cstr(&s));
    ds_destroy(&s);
}

static void
put_keys(struct mlog_table *table, const struct mlog_aggregate_def *def)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < def->n_keys; i++) {
        ds_put_format(&s, "%s%s", i ? "," : "", def->keys[i]->name);
    }
    mlog_table_put_string(table, s.length ? ds_cstr(&s) : NULL);
    ds_destroy(&s);
}

void
mlog_command_aggregate_list(struct mlog_call *call)
{
    static const struct column columns[] = {
        { "name", false }, { "filter", false }, { "function", false },
        { "window", true }, { "group_by", false }, { "groups", true },
        { "overflow_records", true }, { "triggers", true },
        { "memory", true }, { "added", false }, { "owner", false },
        { "preset", false },
    };
    struct mlog_table *table = create_table(call, "aggregates", columns,
                                            ARRAY_SIZE(columns));
    uint64_t cut = mlog_digest_lock(call->ml->digest);
    struct mlog_aggregate_info *aggregates;
    size_t n = mlog_stream_get_aggregates(call->ml->stream, &aggregates);

    for (size_t i = 0; i < n; i++) {
        const struct mlog_aggregate_info *a = &aggregates[i];

        mlog_table_put_string(table, a->def->name);
        mlog_table_put_string(table, a->def->filter);
        put_function(table, a->def);
        put_duration(table, a->def->window);
        put_keys(table, a->def);
        mlog_table_put_u64(table, a->n_groups);
        mlog_table_put_u64(table, a->n_overflow);
        mlog_table_put_u64(table, a->n_users);
        mlog_table_put_u64(table, a->memory);
        mlog_table_put_time(table, a->added);
        put_owner(call, table, MLOG_KIND_AGGREGATE, a->def->name);
        put_preset(call, table, MLOG_KIND_AGGREGATE, a->def->name);
    }
    mlog_digest_unlock(call->ml->digest);
    free(aggregates);
    mlog_table_hide_empty(table);
    finish_list(call, "aggregate", n, cut);
}

static void
put_condition(struct mlog_table *table, const struct mlog_trigger_def *def)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (def) {
        mlog_trigger_def_format(def, &s);
    }
    mlog_table_put_string(table, def ? ds_cstr(&s) : NULL);
    ds_destroy(&s);
}

static void
put_trigger(struct mlog_table *table, const struct mlog_trigger_info *t)
{
    mlog_table_put_string(table, t->def->name);
    put_condition(table, t->def);
    put_duration(table, t->def->period);
    if (t->def->hold) {
        put_duration(table, t->def->hold);
    } else {
        mlog_table_put_absent(table);
    }
    if (t->def->has_clear) {
        mlog_table_put_real(table, t->def->clear);
    } else {
        mlog_table_put_absent(table);
    }
    mlog_table_put_u64(table, t->n_pending);
    mlog_table_put_u64(table, t->n_raised);
    mlog_table_put_u64(table, t->n_raises);
    mlog_table_put_u64(table, t->n_clears);
    mlog_table_put_u64(table, t->n_suppressed);
    mlog_table_put_time(table, t->added);
}

void
mlog_command_trigger_list(struct mlog_call *call)
{
    static const struct column columns[] = {
        { "name", false }, { "condition", false }, { "period", true },
        { "for", true }, { "clear", true }, { "pending", true },
        { "raised", true }, { "raises", true }, { "clears", true },
        { "suppressed", true }, { "added", false }, { "owner", false },
        { "preset", false },
    };
    struct mlog_table *table = create_table(call, "triggers", columns,
                                            ARRAY_SIZE(columns));
    uint64_t cut = mlog_digest_lock(call->ml->digest);
    struct mlog_trigger_info *triggers;
    size_t n = mlog_stream_get_triggers(call->ml->stream, &triggers);

    for (size_t i = 0; i < n; i++) {
        put_trigger(table, &triggers[i]);
        put_owner(call, table, MLOG_KIND_TRIGGER, triggers[i].def->name);
        put_preset(call, table, MLOG_KIND_TRIGGER, triggers[i].def->name);
    }
    mlog_digest_unlock(call->ml->digest);
    free(triggers);
    mlog_table_hide_empty(table);
    finish_list(call, "trigger", n, cut);
}

/* The values of an aggregate. */

static void
put_result(struct mlog_table *table, const struct mlog_result *value)
{
    if (!value->present) {
        mlog_table_put_absent(table);
    } else if (value->is_integer) {
        mlog_table_put_u64(table, value->integer);
    } else {
        mlog_table_put_real(table, value->real);
    }
}

static void
put_group_key(const struct mlog_aggregate_def *def,
              const struct mlog_group_info *group, struct mlog_table *table)
{
    for (size_t i = 0; i < def->n_keys; i++) {
        if (!group->key.other && group->key.present & 1u << i) {
            mlog_table_put_field(table, def->keys[i], &group->key.values[i]);
        } else {
            mlog_table_put_absent(table);
        }
    }
}

static void
put_group_rest(const struct mlog_group_info *group, struct mlog_table *table)
{
    mlog_table_put_time(table, group->newest);
    if (group->key.other) {
        mlog_table_put_bool(table, true);
    } else {
        mlog_table_put_absent(table);
    }
}

static void
put_group(const struct mlog_aggregate_def *def,
          const struct mlog_group_info *group, struct mlog_table *table)
{
    put_group_key(def, group, table);
    put_result(table, &group->value);
    if (group->value.error) {
        mlog_table_put_real(table, group->value.error);
    } else {
        mlog_table_put_absent(table);
    }
    put_group_rest(group, table);
}

/* A row for each of the most frequent values. */
static void
put_topk(const struct mlog_aggregate_def *def,
         const struct mlog_group_info *group, struct mlog_table *table)
{
    for (size_t i = 0; i < group->n_items; i++) {
        const struct mlog_topk_item *item = &group->items[i];

        put_group_key(def, group, table);
        mlog_table_put_field(table, def->field, &item->value);
        mlog_table_put_u64(table, item->count);
        mlog_table_put_u64(table, item->error);
        put_group_rest(group, table);
    }
}

/* Returns the number of groups that are shown. */
static size_t
put_groups(struct mlog_call *call, const struct mlog_aggregate_view *view,
           size_t top)
{
    const struct mlog_aggregate_def *def = view->def;
    struct mlog_table *table = mlog_document_table(&call->doc, "groups");
    size_t n = MIN(top, view->n_groups);

    for (size_t i = 0; i < def->n_keys; i++) {
        mlog_table_add_column(table, def->keys[i]->name, false);
    }
    if (def->func == MLOG_FUNC_TOPK) {
        mlog_table_add_column(table, def->field->name, false);
        mlog_table_add_column(table, "value", true);
        mlog_table_add_column(table, "excess", true);
    } else {
        mlog_table_add_column(table, "value", true);
        mlog_table_add_column(table, "error", true);
    }
    mlog_table_add_column(table, "newest", false);
    mlog_table_add_column(table, "other", false);
    mlog_table_hide_empty(table);
    for (size_t i = 0; i < n; i++) {
        if (def->func == MLOG_FUNC_TOPK) {
            put_topk(def, &view->groups[i], table);
        } else {
            put_group(def, &view->groups[i], table);
        }
    }
    return n;
}

static void
put_accuracy(struct mlog_document *doc, const struct mlog_aggregate_def *def)
{
    char *accuracy = mlog_aggregate_def_accuracy(def);

    if (accuracy) {
        mlog_document_put_string(doc, "accuracy", accuracy);
        mlog_document_note(doc, "accuracy: %s", accuracy);
        free(accuracy);
    }
}

static void
put_view_members(struct mlog_call *call,
                 const struct mlog_aggregate_view *view, size_t n_shown)
{
    struct mlog_document *doc = &call->doc;
    const struct mlog_aggregate_def *def = view->def;
    struct ds function = DS_EMPTY_INITIALIZER;
    struct ds window = DS_EMPTY_INITIALIZER;

    mlog_aggregate_def_format_func(def, &function);
    mlog_duration_format(def->window, &window);
    mlog_document_put_string(doc, "aggregate", def->name);
    mlog_document_put_string(doc, "filter", def->filter);
    mlog_document_put_string(doc, "function", ds_cstr(&function));
    mlog_document_put_string(doc, "window", ds_cstr(&window));
    mlog_document_put_u64(doc, "n_groups", view->n_groups);
    mlog_document_put_bool(doc, "truncated", n_shown < view->n_groups);
    mlog_document_put_u64(doc, "overflow_records", view->n_overflow);
    mlog_document_put_time(doc, "since", view->since);
    mlog_document_put_time(doc, "until", view->until);
    mlog_document_summary(doc, "%"PRIuSIZE" of %"PRIuSIZE" groups shown; %s "
                          "of %s within %s", n_shown, view->n_groups,
                          ds_cstr(&function), def->filter, ds_cstr(&window));
    if (view->n_overflow) {
        mlog_document_note(doc, "%"PRIu64" records found no room for a group "
                           "of their own and are in \"other\"%s",
                           view->n_overflow,
                           (def->func < MLOG_FUNC_DISTINCT ? ""
                            : ", or found no memory and are left out"));
    }
    put_accuracy(doc, def);
    ds_destroy(&function);
    ds_destroy(&window);
}

void
mlog_command_aggregate_show(struct mlog_call *call)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_aggregate_view view;
    uint64_t top = DEFAULT_TOP;
    bool ok;

    if (!mlog_call_get_u64(call, MLOG_OPT_TOP, 1, MAX_SHOWN, &top)) {
        return;
    }
    mlog_digest_lock(call->ml->digest);
    ok = mlog_stream_show_aggregate(call->ml->stream, call->args[0], &view,
                                    &error);
    mlog_digest_unlock(call->ml->digest);
    if (!ok) {
        mlog_call_take_error(call, call->args[0], &error);
        return;
    }
    mlog_aggregate_view_sort(&view);
    put_view_members(call, &view, put_groups(call, &view, top));
    mlog_aggregate_view_destroy(&view);
}

/* Alerts. */

static void
put_alert_group(struct mlog_table *table, const struct mlog_alert *alert)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_group_key_format(alert->aggregate, &alert->key, &s);
    mlog_table_put_string(table, s.length ? ds_cstr(&s) : NULL);
    ds_destroy(&s);
}

/* The group as an object: {"nw_src": "10.0.0.1"}. */
static void
put_alert_key(struct mlog_table *table, const struct mlog_alert *alert)
{
    const struct mlog_aggregate_def *def = alert->aggregate;
    struct json *key = json_object_create();

    for (size_t i = 0; i < def->n_keys; i++) {
        if (!alert->key.other && alert->key.present & 1u << i) {
            json_object_put(key, def->keys[i]->name,
                            mlog_field_to_json(def->keys[i],
                                               &alert->key.values[i]));
        }
    }
    mlog_table_put_json(table, key);
    json_destroy(key);
}

static void
put_alert_evidence(struct mlog_table *table, const struct mlog_alert *alert)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_alert_evidence(alert, &s);
    mlog_table_put_string(table, ds_cstr(&s));
    ds_destroy(&s);
}

static const struct column alert_columns[] = {
    { "seq", true }, { "time", false }, { "state", false },
    { "trigger", false }, { "condition", false }, { "group", false },
    { "value", true }, { "reason", false }, { "raised_seq", true },
    { "latency_us", true },
};

/* What programs get besides. */
static const struct column alert_data_columns[] = {
    { "aggregate", false }, { "logged", false }, { "seen", false },
    { "newest", false }, { "since", false }, { "until", false },
    { "evidence", false },
};

static void
put_alert(struct mlog_table *table, const struct mlog_alert *alert)
{
    const struct mlog_trigger_def *trigger = alert->trigger;

    mlog_table_put_u64(table, alert->seq);
    mlog_table_put_time(table, alert->time);
    mlog_table_put_string(table, mlog_alert_kind_to_string(alert->kind));
    mlog_table_put_string(table, trigger ? trigger->name : NULL);
    put_condition(table, trigger);
    put_alert_group(table, alert);
    put_result(table, &alert->value);
    mlog_table_put_string(table, mlog_alert_reason_to_string(alert->reason));
    mlog_table_put_u64(table, alert->raised_seq);
    if (alert->kind == MLOG_ALERT_RAISED && alert->seen
        && alert->logged >= alert->seen) {
        mlog_table_put_u64(table, (alert->logged - alert->seen) / 1000);
    } else {
        mlog_table_put_absent(table);
    }
}

static void
put_alert_data(struct mlog_table *table, const struct mlog_alert *alert)
{
    mlog_table_put_string(table, alert->aggregate->name);
    mlog_table_put_time(table, alert->logged);
    mlog_table_put_time(table, alert->seen);
    mlog_table_put_time(table, alert->newest);
    mlog_table_put_time(table, alert->since);
    mlog_table_put_time(table, alert->until);
    put_alert_evidence(table, alert);
}

static void
put_alerts(struct mlog_call *call, const struct mlog_alert *alerts, size_t n)
{
    struct mlog_table *table = create_table(call, "alerts", alert_columns,
                                            ARRAY_SIZE(alert_columns));
    bool data = call->format != MLOG_FORMAT_TABLE;
    bool json = call->format == MLOG_FORMAT_JSON;

    for (size_t i = 0; data && i < ARRAY_SIZE(alert_data_columns); i++) {
        mlog_table_add_column(table, alert_data_columns[i].name,
                              alert_data_columns[i].right);
    }
    if (json) {
        mlog_table_add_column(table, "key", false);
    }
    mlog_table_hide_empty(table);
    for (size_t i = 0; i < n; i++) {
        put_alert(table, &alerts[i]);
        if (data) {
            put_alert_data(table, &alerts[i]);
        }
        if (json) {
            put_alert_key(table, &alerts[i]);
        }
    }
}

/* Chooses from 'n' alerts, oldest first, those to show: with a cursor the
 * oldest 'limit', so that a reader who goes on from there misses none, else
 * the newest.  Sets '*first', and returns their number. */
static size_t
choose_alerts(const struct mlog_alert *alerts, size_t n, uint64_t since,
              size_t limit, bool cursor, size_t *first, size_t *n_matching)
{
    size_t start = 0;

    while (start < n && alerts[start].time < since) {
        start++;
    }
    *n_matching = n - start;
    *first = cursor || n - start <= limit ? start : n - limit;
    return MIN(limit, n - start);
}

static void
show_alerts(struct mlog_call *call, const struct mlog_alert *alerts, size_t n,
            size_t n_matching, uint64_t n_discarded, uint64_t last_seq,
            uint64_t cut)
{
    struct mlog_document *doc = &call->doc;
    bool more = mlog_call_has(call, MLOG_OPT_SINCE_SEQ) && n < n_matching;
    uint64_t next_seq = more ? alerts[n - 1].seq : last_seq;

    put_alerts(call, alerts, n);
    mlog_document_put_u64(doc, "shown", n);
    mlog_document_put_bool(doc, "truncated", n < n_matching);
    mlog_document_put_u64(doc, "discarded", n_discarded);
    mlog_document_put_u64(doc, "next_seq", next_seq);
    mlog_document_put_time(doc, "cut", cut);
    mlog_document_summary(doc, "%"PRIuSIZE" of %"PRIuSIZE" alerts shown; go "
                          "on with --since-seq=%"PRIu64, n, n_matching,
                          next_seq);
    if (n_discarded) {
        mlog_document_note(doc, "%"PRIu64" older alerts are no longer kept",
                           n_discarded);
    }
}

void
mlog_command_alerts(struct mlog_call *call)
{
    uint64_t since_seq = 0, last = 0, limit = DEFAULT_ALERTS;
    struct mlog_stream_stats stats;
    struct mlog_alert *alerts;
    uint64_t n_discarded, cut, since;
    size_t n, n_shown, n_matching, first;

    if (!mlog_call_get_u64(call, MLOG_OPT_SINCE_SEQ, 0, INT64_MAX, &since_seq)
        || !mlog_call_get_u64(call, MLOG_OPT_LIMIT, 1, MAX_SHOWN, &limit)
        || !mlog_call_get_duration(call, MLOG_OPT_LAST, &last)) {
        return;
    }

    cut = mlog_digest_lock(call->ml->digest);
    n = mlog_alert_log_read(mlog_stream_alerts(call->ml->stream), since_seq,
                            MLOG_MAX_ALERTS, &alerts, &n_discarded);
    mlog_stream_get_stats(call->ml->stream, &stats);
    mlog_digest_unlock(call->ml->digest);

    since = mlog_call_has(call, MLOG_OPT_LAST) ? cut - MIN(last, cut) : 0;
    n_shown = choose_alerts(alerts, n, since, limit,
                            mlog_call_has(call, MLOG_OPT_SINCE_SEQ), &first,
                            &n_matching);
    show_alerts(call, n_shown ? &alerts[first] : NULL, n_shown, n_matching,
                n_discarded, stats.last_seq, cut);
    mlog_alerts_destroy(alerts, n);
}
