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

#include "multilogctl.h"

#include "db-ctl-base.h"
#include "mlog-aggregate.h"
#include "mlog-command-call.h"
#include "mlog-expr.h"
#include "mlog-fields.h"
#include "mlog-time.h"
#include "mlog-trigger.h"
#include "multilogctl-private.h"
#include "openvswitch/json.h"
#include "ovsdb-idl.h"
#include "smap.h"
#include "svec.h"
#include "table.h"
#include "util.h"
#include "vswitchd-ext/multilog-idl.h"

struct sset multilogctl_touched = SSET_INITIALIZER(&multilogctl_touched);
bool multilogctl_wait;

/* Rows. */

static void
touch(const char *table, const char *name)
{
    char *text = xasprintf("%s %s", table, name);

    sset_add(&multilogctl_touched, text);
    free(text);
}

/* Finds row 'name' of one of the tables that have names. */
#define FIND_BY_NAME(TABLE, TYPE)                                           \
static const struct mlogrec_##TYPE *                                        \
find_##TYPE(struct ctl_context *ctx, const char *name)                      \
{                                                                           \
    const struct mlogrec_##TYPE *row;                                       \
                                                                            \
    MLOGREC_##TABLE##_FOR_EACH (row, ctx->idl) {                            \
        if (!strcmp(row->name, name)) {                                     \
            return row;                                                     \
        }                                                                   \
    }                                                                       \
    return NULL;                                                            \
}
FIND_BY_NAME(FILTER, filter)
FIND_BY_NAME(AGGREGATE, aggregate)
FIND_BY_NAME(TRIGGER, trigger)
FIND_BY_NAME(PRESET, preset)

/* There is no row called as the command's argument says. */
static void
not_found(struct ctl_context *ctx, const char *what)
{
    if (!multilogctl_has_option(ctx, "--if-exists")) {
        ctl_error(ctx, "no %s is called \"%s\"", what, ctx->argv[1]);
    }
}

/* Says that 'error' is in 'word' of the command, and frees it. */
static void
take_error(struct ctl_context *ctx, const char *word,
           struct mlog_error *error)
{
    char *text = mlog_error_to_string(error, word);

    ctl_error(ctx, "%s", text);
    free(text);
    mlog_error_clear(error);
}

/* Returns true if a row called 'name' may be added: there is none, or
 * --may-exist says that the one there is may be changed. */
static bool
may_add(struct ctl_context *ctx, bool exists, const char *what)
{
    if (exists && !multilogctl_has_option(ctx, "--may-exist")) {
        ctl_error(ctx, "there is %s \"%s\"; with --may-exist it is changed",
                  what, ctx->argv[1]);
        return false;
    }
    return true;
}

/* Filters. */

static void
pre_filter(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &mlogrec_filter_col_name);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_filter_col_expression);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_filter_col_status);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_filter_col_error);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_filter_col_statistics);
}

static void
cmd_filter_add(struct ctl_context *ctx)
{
    const struct mlogrec_filter *row = find_filter(ctx, ctx->argv[1]);
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_expr *expr;

    if (!may_add(ctx, row, "filter")) {
        return;
    }
    expr = mlog_expr_parse(ctx->argv[2], &error);
    if (!expr) {
        take_error(ctx, ctx->argv[2], &error);
        return;
    }
    mlog_expr_unref(expr);
    if (!row) {
        struct mlogrec_filter *new = mlogrec_filter_insert(ctx->txn);

        mlogrec_filter_set_name(new, ctx->argv[1]);
        row = new;
    }
    mlogrec_filter_set_expression(row, ctx->argv[2]);
    touch("filter", ctx->argv[1]);
}

static void
cmd_filter_del(struct ctl_context *ctx)
{
    const struct mlogrec_filter *row = find_filter(ctx, ctx->argv[1]);
    const struct mlogrec_aggregate *user;

    MLOGREC_AGGREGATE_FOR_EACH (user, ctx->idl) {
        if (row && user->filter == row) {
            ctl_error(ctx, "aggregate \"%s\" is based on filter \"%s\"; "
                      "delete it first", user->name, row->name);
            return;
        }
    }
    if (row) {
        mlogrec_filter_delete(row);
    } else {
        not_found(ctx, "filter");
    }
}

/* Tables for people. */

static void
add_column(struct ctl_context *ctx, const char *heading)
{
    if (!ctx->table) {
        ctx->table = xmalloc(sizeof *ctx->table);
        table_init(ctx->table);
    }
    table_add_column(ctx->table, "%s", heading);
}

static void
add_columns(struct ctl_context *ctx, const char *const headings[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add_column(ctx, headings[i]);
    }
}

static void
add_text(struct ctl_context *ctx, const char *text)
{
    struct cell *cell = table_add_cell(ctx->table);

    cell->text = xstrdup(text ? text : "");
}

static void OVS_PRINTF_FORMAT(2, 3)
add_format(struct ctl_context *ctx, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    table_add_cell(ctx->table)->text = text;
}

static void
add_ms(struct ctl_context *ctx, const int64_t *ms, int64_t by_default)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    mlog_duration_format((ms ? *ms : by_default) * MLOG_NS_PER_MS, &text);
    add_text(ctx, ds_cstr(&text));
    ds_destroy(&text);
}

/* "active", or "error: ..." */
static void
add_status(struct ctl_context *ctx, const char *status, const char *error)
{
    if (error) {
        add_format(ctx, "%s: %s", status ? status : "error", error);
    } else {
        add_text(ctx, status ? status : "unknown");
    }
}

/* Rows of a table by name: an array of 'n', for the caller to free, of
 * pointers to the column 'name' of each. */
#define SORT_BY_NAME(TABLE, TYPE)                                           \
static const struct mlogrec_##TYPE **                                       \
sort_##TYPE##s(struct ctl_context *ctx, size_t *n)                          \
{                                                                           \
    const struct mlogrec_##TYPE **rows = NULL, *row;                        \
    struct shash names = SHASH_INITIALIZER(&names);                         \
    const struct shash_node **nodes;                                        \
                                                                            \
    MLOGREC_##TABLE##_FOR_EACH (row, ctx->idl) {                            \
        shash_add(&names, row->name, row);                                  \
    }                                                                       \
    nodes = shash_sort(&names);                                             \
    *n = shash_count(&names);                                               \
    rows = xmalloc((*n + 1) * sizeof *rows);                                \
    for (size_t i = 0; i < *n; i++) {                                       \
        rows[i] = nodes[i]->data;                                           \
    }                                                                       \
    free(nodes);                                                            \
    shash_destroy(&names);                                                  \
    return rows;                                                            \
}
SORT_BY_NAME(FILTER, filter)
SORT_BY_NAME(AGGREGATE, aggregate)
SORT_BY_NAME(TRIGGER, trigger)
SORT_BY_NAME(PRESET, preset)

/* Counters. */

static int64_t
get_statistic(const int64_t values[], char *const keys[], size_t n,
              const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(keys[i], key)) {
            return values[i];
        }
    }
    return 0;
}

#define STATISTIC(ROW, KEY)                                                 \
    get_statistic((ROW)->value_statistics, (ROW)->key_statistics,           \
                  (ROW)->n_statistics, KEY)

static void
cmd_filter_list(struct ctl_context *ctx)
{
    static const char *const headings[] = {
        "name", "expression", "packets", "bytes", "status"
    };
    size_t n;
    const struct mlogrec_filter **rows = sort_filters(ctx, &n);

    add_columns(ctx, headings, ARRAY_SIZE(headings));
    for (size_t i = 0; i < n; i++) {
        table_add_row(ctx->table);
        add_text(ctx, rows[i]->name);
        add_text(ctx, rows[i]->expression);
        add_format(ctx, "%"PRId64, STATISTIC(rows[i], "packets"));
        add_format(ctx, "%"PRId64, STATISTIC(rows[i], "bytes"));
        add_status(ctx, rows[i]->status, rows[i]->error);
    }
    free(rows);
}

/* Aggregates. */

static void
pre_aggregate(struct ctl_context *ctx)
{
    pre_filter(ctx);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_aggregate_col_name);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_aggregate_col_filter);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_aggregate_col_func);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_aggregate_col_window);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_aggregate_col_group_by);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_aggregate_col_options);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_aggregate_col_status);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_aggregate_col_error);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_aggregate_col_statistics);
}

/* Returns the definition that the command's words are, or sets the error. */
static struct mlog_aggregate_def *
parse_aggregate(struct ctl_context *ctx)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where = NULL;
    struct mlog_aggregate_def *def;

    def = mlog_aggregate_def_parse(
        ctx->argv[1], ctx->argv[2], "", ctx->argv[3],
        (const char *const *) &ctx->argv[4], ctx->argc - 4, &error, &where);
    if (!def) {
        take_error(ctx, where, &error);
    }
    return def;
}

/* Returns 'ns' in milliseconds, or sets the error. */
static int64_t
to_ms(struct ctl_context *ctx, const char *name, uint64_t ns)
{
    if (ns % MLOG_NS_PER_MS) {
        ctl_error(ctx, "%s: the database knows whole milliseconds only", name);
    }
    return ns / MLOG_NS_PER_MS;
}

static void
cmd_aggregate_add(struct ctl_context *ctx)
{
    const struct mlogrec_aggregate *row = find_aggregate(ctx, ctx->argv[1]);
    const struct mlogrec_filter *filter = find_filter(ctx, ctx->argv[2]);
    const char *keys[MLOG_MAX_GROUP_KEYS];
    struct mlog_aggregate_def *def;
    int64_t window;

    if (!may_add(ctx, row, "aggregate")) {
        return;
    }
    if (!filter) {
        ctl_error(ctx, "no filter is called \"%s\"", ctx->argv[2]);
        return;
    }
    def = parse_aggregate(ctx);
    if (!def) {
        return;
    }
    window = to_ms(ctx, "window", def->window);
    if (!ctx->error) {
        if (!row) {
            struct mlogrec_aggregate *new = mlogrec_aggregate_insert(ctx->txn);

            mlogrec_aggregate_set_name(new, ctx->argv[1]);
            row = new;
        }
        for (size_t i = 0; i < def->n_keys; i++) {
            keys[i] = def->keys[i]->name;
        }
        mlogrec_aggregate_set_filter(row, filter);
        mlogrec_aggregate_set_func(row, ctx->argv[3]);
        mlogrec_aggregate_set_window(row, &window, 1);
        mlogrec_aggregate_set_group_by(row, keys, def->n_keys);
        touch("aggregate", ctx->argv[1]);
    }
    mlog_aggregate_def_unref(def);
}

static void
cmd_aggregate_del(struct ctl_context *ctx)
{
    const struct mlogrec_aggregate *row = find_aggregate(ctx, ctx->argv[1]);
    const struct mlogrec_trigger *user;

    MLOGREC_TRIGGER_FOR_EACH (user, ctx->idl) {
        if (row && user->aggregate == row) {
            ctl_error(ctx, "trigger \"%s\" is based on aggregate \"%s\"; "
                      "delete it first", user->name, row->name);
            return;
        }
    }
    if (row) {
        mlogrec_aggregate_delete(row);
    } else {
        not_found(ctx, "aggregate");
    }
}

static void
cmd_aggregate_list(struct ctl_context *ctx)
{
    static const char *const headings[] = {
        "name", "filter", "function", "window", "group-by", "groups", "status"
    };
    size_t n;
    const struct mlogrec_aggregate **rows = sort_aggregates(ctx, &n);

    add_columns(ctx, headings, ARRAY_SIZE(headings));
    for (size_t i = 0; i < n; i++) {
        const struct mlogrec_aggregate *row = rows[i];
        struct svec keys = SVEC_EMPTY_INITIALIZER;

        for (size_t j = 0; j < row->n_group_by; j++) {
            svec_add(&keys, row->group_by[j]);
        }
        char *text = svec_join(&keys, ",", "");

        table_add_row(ctx->table);
        add_text(ctx, row->name);
        add_text(ctx, row->filter ? row->filter->name : NULL);
        add_text(ctx, row->func);
        add_ms(ctx, row->n_window ? row->window : NULL, 1000);
        add_text(ctx, text);
        add_format(ctx, "%"PRId64, STATISTIC(row, "groups"));
        add_status(ctx, row->status, row->error);
        svec_destroy(&keys);
        free(text);
    }
    free(rows);
}

/* Triggers. */

static void
pre_trigger(struct ctl_context *ctx)
{
    pre_aggregate(ctx);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_trigger_col_name);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_trigger_col_aggregate);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_trigger_col_op);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_trigger_col_threshold);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_trigger_col_clear);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_trigger_col_period);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_trigger_col_hold);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_trigger_col_status);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_trigger_col_error);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_trigger_col_statistics);
}

static struct mlog_trigger_def *
parse_trigger(struct ctl_context *ctx)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where = NULL;
    struct mlog_trigger_def *def;

    def = mlog_trigger_def_parse(ctx->argv[1], ctx->argv[2],
                                 (const char *const *) &ctx->argv[3],
                                 ctx->argc - 3, &error, &where);
    if (!def) {
        take_error(ctx, where, &error);
    }
    return def;
}

static void
set_trigger(struct ctl_context *ctx, const struct mlogrec_trigger *row,
            const struct mlogrec_aggregate *aggregate,
            const struct mlog_trigger_def *def)
{
    int64_t period = to_ms(ctx, "period", def->period);
    int64_t hold = to_ms(ctx, "for", def->hold);

    if (ctx->error) {
        return;
    }
    if (!row) {
        struct mlogrec_trigger *new = mlogrec_trigger_insert(ctx->txn);

        mlogrec_trigger_set_name(new, ctx->argv[1]);
        row = new;
    }
    mlogrec_trigger_set_aggregate(row, aggregate);
    mlogrec_trigger_set_op(row, mlog_trigger_op_to_string(def->op));
    mlogrec_trigger_set_threshold(row, def->threshold);
    mlogrec_trigger_set_clear(row, &def->clear, def->has_clear);
    mlogrec_trigger_set_period(row, &period, 1);
    mlogrec_trigger_set_hold(row, &hold, 1);
    touch("trigger", ctx->argv[1]);
}

static void
cmd_trigger_add(struct ctl_context *ctx)
{
    const struct mlogrec_trigger *row = find_trigger(ctx, ctx->argv[1]);
    const struct mlogrec_aggregate *aggregate;
    struct mlog_trigger_def *def;

    if (!may_add(ctx, row, "trigger")) {
        return;
    }
    def = parse_trigger(ctx);
    if (!def) {
        return;
    }
    aggregate = find_aggregate(ctx, def->aggregate);
    if (aggregate) {
        set_trigger(ctx, row, aggregate, def);
    } else {
        ctl_error(ctx, "no aggregate is called \"%s\"", def->aggregate);
    }
    mlog_trigger_def_unref(def);
}

static void
cmd_trigger_del(struct ctl_context *ctx)
{
    const struct mlogrec_trigger *row = find_trigger(ctx, ctx->argv[1]);

    if (row) {
        mlogrec_trigger_delete(row);
    } else {
        not_found(ctx, "trigger");
    }
}

static void
cmd_trigger_list(struct ctl_context *ctx)
{
    static const char *const headings[] = {
        "name", "condition", "clear", "period", "for", "raised", "raises",
        "status"
    };
    size_t n;
    const struct mlogrec_trigger **rows = sort_triggers(ctx, &n);

    add_columns(ctx, headings, ARRAY_SIZE(headings));
    for (size_t i = 0; i < n; i++) {
        const struct mlogrec_trigger *row = rows[i];

        table_add_row(ctx->table);
        add_text(ctx, row->name);
        add_format(ctx, "%s %s %.15g",
                   row->aggregate ? row->aggregate->name : "?", row->op,
                   row->threshold);
        if (row->n_clear) {
            add_format(ctx, "%.15g", row->clear[0]);
        } else {
            add_text(ctx, "");
        }
        add_ms(ctx, row->n_period ? row->period : NULL, 1);
        add_ms(ctx, row->n_hold ? row->hold : NULL, 0);
        add_format(ctx, "%"PRId64, STATISTIC(row, "raised"));
        add_format(ctx, "%"PRId64, STATISTIC(row, "raises"));
        add_status(ctx, row->status, row->error);
    }
    free(rows);
}

/* Presets. */

static void
pre_preset(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &mlogrec_preset_col_name);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_preset_col_kind);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_preset_col_parameters);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_preset_col_objects);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_preset_col_status);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_preset_col_error);
}

static void
cmd_preset_add(struct ctl_context *ctx)
{
    const struct mlogrec_preset *row = find_preset(ctx, ctx->argv[1]);
    struct smap parameters;

    if (!may_add(ctx, row, "preset") || !multilogctl_parse_pairs(ctx, 3, &parameters)) {
        return;
    }
    if (!row) {
        struct mlogrec_preset *new = mlogrec_preset_insert(ctx->txn);

        mlogrec_preset_set_name(new, ctx->argv[1]);
        row = new;
    }
    mlogrec_preset_set_kind(row, ctx->argv[2]);
    mlogrec_preset_set_parameters(row, &parameters);
    touch("preset", ctx->argv[1]);
    smap_destroy(&parameters);
}

static void
cmd_preset_del(struct ctl_context *ctx)
{
    const struct mlogrec_preset *row = find_preset(ctx, ctx->argv[1]);

    if (row) {
        mlogrec_preset_delete(row);
    } else {
        not_found(ctx, "preset");
    }
}

static void
cmd_preset_list(struct ctl_context *ctx)
{
    static const char *const headings[] = {
        "name", "kind", "parameters", "objects", "status"
    };
    size_t n;
    const struct mlogrec_preset **rows = sort_presets(ctx, &n);

    add_columns(ctx, headings, ARRAY_SIZE(headings));
    for (size_t i = 0; i < n; i++) {
        const struct mlogrec_preset *row = rows[i];
        const struct smap_node **nodes = smap_sort(&row->parameters);
        struct ds text = DS_EMPTY_INITIALIZER;

        for (size_t j = 0; j < smap_count(&row->parameters); j++) {
            ds_put_format(&text, "%s%s=%s", j ? " " : "", nodes[j]->key,
                          nodes[j]->value);
        }
        table_add_row(ctx->table);
        add_text(ctx, row->name);
        add_text(ctx, row->kind);
        add_text(ctx, ds_cstr(&text));
        add_format(ctx, "%"PRIuSIZE, row->n_objects);
        add_status(ctx, row->status, row->error);
        ds_destroy(&text);
        free(nodes);
    }
    free(rows);
}

/* Alerts. */

static void
pre_alerts(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &mlogrec_alert_col_seq);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_alert_col_state);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_alert_col_time);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_alert_col_trigger_name);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_alert_col_group);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_alert_col_value);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_alert_col_evidence);
}

static int
compare_alerts(const void *a_, const void *b_)
{
    const struct mlogrec_alert *const *a = a_, *const *b = b_;

    return (*a)->seq < (*b)->seq ? -1 : (*a)->seq > (*b)->seq;
}

static void
add_alert(struct ctl_context *ctx, const struct mlogrec_alert *alert)
{
    const struct smap_node **nodes = smap_sort(&alert->group);
    struct ds group = DS_EMPTY_INITIALIZER;
    struct mlog_value time = { .lo = alert->time };
    struct ds text = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < smap_count(&alert->group); i++) {
        ds_put_format(&group, "%s%s=%s", i ? "," : "", nodes[i]->key,
                      nodes[i]->value);
    }
    mlog_field_format(mlog_field_get_by_id(MLOG_F_TIME), &time, &text);

    table_add_row(ctx->table);
    add_format(ctx, "%"PRId64, alert->seq);
    add_text(ctx, ds_cstr(&text));
    add_text(ctx, alert->state);
    add_text(ctx, alert->trigger_name);
    add_text(ctx, ds_cstr(&group));
    if (alert->n_value) {
        add_format(ctx, "%.15g", alert->value[0]);
    } else {
        add_text(ctx, "");
    }
    add_text(ctx, alert->evidence);
    ds_destroy(&group);
    ds_destroy(&text);
    free(nodes);
}

static void
cmd_alerts(struct ctl_context *ctx)
{
    static const char *const headings[] = {
        "seq", "time", "state", "trigger", "group", "value", "evidence"
    };
    const char *limit_text = shash_find_data(&ctx->options, "--limit");
    const struct mlogrec_alert **rows = NULL, *row;
    size_t n = 0, allocated = 0;
    unsigned int limit = 100;

    if (limit_text && (!str_to_uint(limit_text, 10, &limit) || !limit)) {
        ctl_error(ctx, "--limit: \"%s\" is not a number of alerts",
                  limit_text);
        return;
    }
    MLOGREC_ALERT_FOR_EACH (row, ctx->idl) {
        if (n >= allocated) {
            rows = x2nrealloc(rows, &allocated, sizeof *rows);
        }
        rows[n++] = row;
    }
    if (n) {
        qsort(rows, n, sizeof *rows, compare_alerts);
    }
    add_columns(ctx, headings, ARRAY_SIZE(headings));
    for (size_t i = n > limit ? n - limit : 0; i < n; i++) {
        add_alert(ctx, rows[i]);
    }
    free(rows);
}

/* Overview. */

static void
pre_show(struct ctl_context *ctx)
{
    multilogctl_pre_root(ctx);
    pre_trigger(ctx);
    pre_preset(ctx);
    multilogctl_pre_connection(ctx);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_multilog_col_error);
}

static void
show_status(struct ctl_context *ctx, const char *status, const char *error)
{
    ds_put_format(&ctx->output, " (%s%s%s)\n", status ? status : "unknown",
                  error ? ": " : "", error ? error : "");
}

static void
show_settings(struct ctl_context *ctx, const struct mlogrec_multilog *root)
{
    ds_put_format(&ctx->output, "cfg: %"PRId64", in force: %"PRId64"\n",
                  root->cfg, root->cur_cfg);
    if (root->n_capture) {
        ds_put_format(&ctx->output, "capture: %s\n",
                      root->capture[0] ? "on" : "off");
    }
    if (root->n_memory_budget) {
        ds_put_cstr(&ctx->output, "memory budget: ");
        mlog_put_size(&ctx->output, root->memory_budget[0]);
        ds_put_char(&ctx->output, '\n');
    }
    if (root->n_digest_threads) {
        ds_put_format(&ctx->output, "digest threads: %"PRId64"\n",
                      root->digest_threads[0]);
    }
    if (root->archive) {
        ds_put_format(&ctx->output, "archive: %s\n",
                      root->archive->directory);
    }
    if (root->error) {
        ds_put_format(&ctx->output, "error: %s\n", root->error);
    }
    multilogctl_get_connection(ctx);
}

static void
show_triggers(struct ctl_context *ctx)
{
    size_t n;
    const struct mlogrec_trigger **rows = sort_triggers(ctx, &n);

    for (size_t i = 0; i < n; i++) {
        const struct mlogrec_trigger *row = rows[i];

        ds_put_format(&ctx->output, "trigger %s: %s %s %.15g", row->name,
                      row->aggregate ? row->aggregate->name : "?", row->op,
                      row->threshold);
        show_status(ctx, row->status, row->error);
    }
    free(rows);
}

static void
cmd_show(struct ctl_context *ctx)
{
    const struct mlogrec_multilog *root = mlogrec_multilog_first(ctx->idl);
    const struct mlogrec_aggregate **aggregates;
    const struct mlogrec_filter **filters;
    const struct mlogrec_preset **presets;
    size_t n;

    if (root) {
        show_settings(ctx, root);
    }
    filters = sort_filters(ctx, &n);
    for (size_t i = 0; i < n; i++) {
        ds_put_format(&ctx->output, "filter %s: %s", filters[i]->name,
                      filters[i]->expression);
        show_status(ctx, filters[i]->status, filters[i]->error);
    }
    free(filters);
    aggregates = sort_aggregates(ctx, &n);
    for (size_t i = 0; i < n; i++) {
        const struct mlogrec_aggregate *row = aggregates[i];

        ds_put_format(&ctx->output, "aggregate %s: %s of %s", row->name,
                      row->func, row->filter ? row->filter->name : "?");
        show_status(ctx, row->status, row->error);
    }
    free(aggregates);
    show_triggers(ctx);
    presets = sort_presets(ctx, &n);
    for (size_t i = 0; i < n; i++) {
        ds_put_format(&ctx->output, "preset %s: %s", presets[i]->name,
                      presets[i]->kind);
        show_status(ctx, presets[i]->status, presets[i]->error);
    }
    free(presets);
}

/* Errors. */

void
multilogctl_pre_errors(struct ovsdb_idl *idl)
{
    ovsdb_idl_add_column(idl, &mlogrec_multilog_col_error);
    ovsdb_idl_add_column(idl, &mlogrec_filter_col_name);
    ovsdb_idl_add_column(idl, &mlogrec_filter_col_error);
    ovsdb_idl_add_column(idl, &mlogrec_aggregate_col_name);
    ovsdb_idl_add_column(idl, &mlogrec_aggregate_col_error);
    ovsdb_idl_add_column(idl, &mlogrec_trigger_col_name);
    ovsdb_idl_add_column(idl, &mlogrec_trigger_col_error);
    ovsdb_idl_add_column(idl, &mlogrec_preset_col_name);
    ovsdb_idl_add_column(idl, &mlogrec_preset_col_error);
}

/* What was wrong before: texts "TABLE NAME ERROR". */
static struct sset old_errors = SSET_INITIALIZER(&old_errors);

/* Is given each row that has a name, and its error or NULL. */
typedef bool error_func(const char *table, const char *name,
                        const char *error);

static bool
remember(const char *table, const char *name, const char *error)
{
    if (error) {
        sset_add_and_free(&old_errors,
                          xasprintf("%s %s %s", table, name, error));
    }
    return true;
}

/* Commands that work on any table don't say which rows they change, so that
 * what was not wrong before counts, too. */
static bool
report(const char *table, const char *name, const char *error)
{
    char *text = xasprintf("%s %s", table, name);
    char *old = xasprintf("%s %s %s", table, name, error ? error : "");
    bool bad = error && (sset_contains(&multilogctl_touched, text)
                         || !sset_contains(&old_errors, old));

    if (bad) {
        ovs_error(0, "%s \"%s\" is not in force: %s", table, name, error);
    }
    free(text);
    free(old);
    return !bad;
}

/* Returns true if 'func' does for all rows. */
static bool
for_each_error(const struct ovsdb_idl *idl, error_func *func)
{
    const struct mlogrec_aggregate *aggregate;
    const struct mlogrec_trigger *trigger;
    const struct mlogrec_filter *filter;
    const struct mlogrec_preset *preset;
    bool ok = true;

    MLOGREC_FILTER_FOR_EACH (filter, idl) {
        ok &= func("filter", filter->name, filter->error);
    }
    MLOGREC_AGGREGATE_FOR_EACH (aggregate, idl) {
        ok &= func("aggregate", aggregate->name, aggregate->error);
    }
    MLOGREC_TRIGGER_FOR_EACH (trigger, idl) {
        ok &= func("trigger", trigger->name, trigger->error);
    }
    MLOGREC_PRESET_FOR_EACH (preset, idl) {
        ok &= func("preset", preset->name, preset->error);
    }
    return ok;
}

void
multilogctl_remember_errors(const struct ovsdb_idl *idl)
{
    sset_clear(&old_errors);
    for_each_error(idl, remember);
}

bool
multilogctl_report_errors(const struct ovsdb_idl *idl)
{
    const struct mlogrec_multilog *root = mlogrec_multilog_first(idl);
    bool ok = for_each_error(idl, report);

    if (root && root->error) {
        ovs_error(0, "a setting is not in force: %s", root->error);
        ok = false;
    }
    return ok;
}

/* Everything. */

static const struct ctl_table_class tables[MLOGREC_N_TABLES] = {
    [MLOGREC_TABLE_FILTER].row_ids[0]
    = {&mlogrec_filter_col_name, NULL, NULL},
    [MLOGREC_TABLE_AGGREGATE].row_ids[0]
    = {&mlogrec_aggregate_col_name, NULL, NULL},
    [MLOGREC_TABLE_TRIGGER].row_ids[0]
    = {&mlogrec_trigger_col_name, NULL, NULL},
    [MLOGREC_TABLE_PRESET].row_ids[0]
    = {&mlogrec_preset_col_name, NULL, NULL},
    [MLOGREC_TABLE_ALERT].row_ids[0]
    = {&mlogrec_alert_col_seq, NULL, NULL},
    [MLOGREC_TABLE_RING].row_ids[0]
    = {&mlogrec_ring_col_name, NULL, NULL},
    [MLOGREC_TABLE_SEGMENT_CLASS].row_ids[0]
    = {&mlogrec_segment_class_col_name, NULL, NULL},
    [MLOGREC_TABLE_CONNECTION].row_ids[0]
    = {&mlogrec_connection_col_target, NULL, NULL},
    [MLOGREC_TABLE_RBAC_ROLE].row_ids[0]
    = {&mlogrec_rbac_role_col_name, NULL, NULL},
    [MLOGREC_TABLE_RBAC_PERMISSION].row_ids[0]
    = {&mlogrec_rbac_permission_col_table, NULL, NULL},
};

static const struct ctl_command_syntax commands[] = {
    {"show", 0, 0, "", pre_show, cmd_show, NULL, "", RO},

    {"filter-add", 2, 2, "NAME EXPRESSION", pre_filter, cmd_filter_add, NULL,
     "--may-exist", RW},
    {"filter-del", 1, 1, "NAME", pre_aggregate, cmd_filter_del, NULL,
     "--if-exists", RW},
    {"filter-list", 0, 0, "", pre_filter, cmd_filter_list, NULL, "", RO},

    {"aggregate-add", 3, 5,
     "NAME FILTER FUNCTION [window=DURATION] [group-by=FIELD,...]",
     pre_aggregate, cmd_aggregate_add, NULL, "--may-exist", RW},
    {"aggregate-del", 1, 1, "NAME", pre_trigger, cmd_aggregate_del, NULL,
     "--if-exists", RW},
    {"aggregate-list", 0, 0, "", pre_aggregate, cmd_aggregate_list, NULL, "",
     RO},

    {"trigger-add", 2, 5,
     "NAME CONDITION [period=DURATION] [for=DURATION] [clear=VALUE]",
     pre_trigger, cmd_trigger_add, NULL, "--may-exist", RW},
    {"trigger-del", 1, 1, "NAME", pre_trigger, cmd_trigger_del, NULL,
     "--if-exists", RW},
    {"trigger-list", 0, 0, "", pre_trigger, cmd_trigger_list, NULL, "", RO},

    {"preset-add", 2, INT_MAX, "NAME KIND [PARAMETER=VALUE]...", pre_preset,
     cmd_preset_add, NULL, "--may-exist", RW},
    {"preset-del", 1, 1, "NAME", pre_preset, cmd_preset_del, NULL,
     "--if-exists", RW},
    {"preset-list", 0, 0, "", pre_preset, cmd_preset_list, NULL, "", RO},

    {"alerts", 0, 0, "", pre_alerts, cmd_alerts, NULL, "--limit=", RO},

    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO},
};

void
multilogctl_register_commands(void (*exit_func)(int status))
{
    ctl_init(&mlogrec_idl_class, mlogrec_table_classes, tables, NULL,
             exit_func);
    ctl_register_commands(commands);
    ctl_register_commands(multilogctl_settings_commands);
}
