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

#include "ovsdb-private.h"

#include "mlog-aggregate.h"
#include "mlog-alert.h"
#include "mlog-command.h"
#include "mlog-expr.h"
#include "mlog-time.h"
#include "mlog-trigger.h"
#include "multilog.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "ovsdb-idl.h"
#include "smap.h"
#include "svec.h"
#include "util.h"
#include "vswitchd-ext/multilog-idl.h"

/* Between rows and the words of commands: what a row says is what a command
 * with these words would say, so that both are checked by the same code and
 * have the same errors. */

/* Columns that the controller writes are read; those that the host writes are
 * only compared with what is to be written, and their changes wake nobody. */
void
ovsdb_config_register(struct ovsdb_idl *idl)
{
    static const struct ovsdb_idl_column *const read[] = {
        &mlogrec_multilog_col_cfg,
        &mlogrec_multilog_col_capture,
        &mlogrec_multilog_col_memory_budget,
        &mlogrec_multilog_col_digest_threads,
        &mlogrec_multilog_col_digest_cpus,
        &mlogrec_multilog_col_archive,
        &mlogrec_multilog_col_other_config,
        &mlogrec_archive_col_directory,
        &mlogrec_archive_col_max_bytes,
        &mlogrec_archive_col_max_age,
        &mlogrec_filter_col_name,
        &mlogrec_filter_col_expression,
        &mlogrec_aggregate_col_name,
        &mlogrec_aggregate_col_filter,
        &mlogrec_aggregate_col_func,
        &mlogrec_aggregate_col_window,
        &mlogrec_aggregate_col_group_by,
        &mlogrec_aggregate_col_options,
        &mlogrec_trigger_col_name,
        &mlogrec_trigger_col_aggregate,
        &mlogrec_trigger_col_op,
        &mlogrec_trigger_col_threshold,
        &mlogrec_trigger_col_clear,
        &mlogrec_trigger_col_period,
        &mlogrec_trigger_col_hold,
        &mlogrec_trigger_col_options,
        &mlogrec_preset_col_name,
        &mlogrec_preset_col_kind,
        &mlogrec_preset_col_parameters,
    };
    static const struct ovsdb_idl_column *const written[] = {
        &mlogrec_multilog_col_cur_cfg,
        &mlogrec_multilog_col_cur_cut,
        &mlogrec_multilog_col_error,
        &mlogrec_filter_col_status,
        &mlogrec_filter_col_error,
        &mlogrec_aggregate_col_status,
        &mlogrec_aggregate_col_error,
        &mlogrec_trigger_col_status,
        &mlogrec_trigger_col_error,
        &mlogrec_preset_col_status,
        &mlogrec_preset_col_error,
        &mlogrec_preset_col_objects,
    };

    for (size_t i = 0; i < ARRAY_SIZE(read); i++) {
        ovsdb_idl_add_column(idl, read[i]);
        ovsdb_idl_track_add_column(idl, read[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
        ovsdb_idl_add_column(idl, written[i]);
        ovsdb_idl_omit_alert(idl, written[i]);
    }
}

/* Rows that are deleted count because they are tracked. */
unsigned int
ovsdb_config_seqno(const struct ovsdb_idl *idl)
{
    static const struct ovsdb_idl_table_class *const tables[] = {
        &mlogrec_table_multilog,
        &mlogrec_table_archive,
        &mlogrec_table_filter,
        &mlogrec_table_aggregate,
        &mlogrec_table_trigger,
        &mlogrec_table_preset,
    };
    unsigned int seqno = 0;

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        seqno = MAX(seqno, ovsdb_idl_table_get_seqno(idl, tables[i]));
    }
    return seqno;
}

const struct mlogrec_multilog *
ovsdb_config_root(const struct ovsdb_idl *idl)
{
    return mlogrec_multilog_first(idl);
}

/* Rows to words. */

/* Appends each of 'options' as a word.  Returns false if 'reserved' names one
 * of them, as words for columns do. */
static bool
add_options(struct svec *words, const struct smap *options,
            const char *const reserved[], size_t n_reserved, char **error)
{
    const struct smap_node **nodes = smap_sort(options);
    size_t n = smap_count(options);

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n_reserved; j++) {
            if (!strcmp(nodes[i]->key, reserved[j]) && !*error) {
                *error = xasprintf("options: '%s' has a column of its own",
                                   reserved[j]);
            }
        }
        svec_add_nocopy(words, xasprintf("%s=%s", nodes[i]->key,
                                         nodes[i]->value));
    }
    free(nodes);
    return !*error;
}

static void
add_duration(struct svec *words, const char *option, const int64_t *ms,
             size_t n)
{
    if (n) {
        svec_add_nocopy(words, xasprintf("%s=%"PRId64"ms", option, *ms));
    }
}

static void
want_words(struct mlog_config *config, enum mlog_kind kind,
           struct svec *words, char *error)
{
    if (error) {
        mlog_config_want_wrong(config, kind, words->names[0], error);
    } else {
        mlog_config_want(config, kind, (const char *const *) words->names,
                         words->n);
    }
    svec_destroy(words);
    free(error);
}

static void
want_filter(struct mlog_config *config, const struct mlogrec_filter *row)
{
    struct svec words = SVEC_EMPTY_INITIALIZER;

    svec_add(&words, row->name);
    svec_add(&words, row->expression);
    want_words(config, MLOG_KIND_FILTER, &words, NULL);
}

static void
add_group_by(struct svec *words, char *const fields[], size_t n)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        ds_put_format(&s, "%s%s", i ? "," : "group-by=", fields[i]);
    }
    if (n) {
        svec_add(words, ds_cstr(&s));
    }
    ds_destroy(&s);
}

static void
want_aggregate(struct mlog_config *config, const struct mlogrec_aggregate *row)
{
    static const char *const reserved[] = { "window", "group-by" };
    struct svec words = SVEC_EMPTY_INITIALIZER;
    char *error = NULL;

    svec_add(&words, row->name);
    svec_add(&words, row->filter ? row->filter->name : "");
    svec_add(&words, row->func);
    add_duration(&words, "window", row->window, row->n_window);
    add_group_by(&words, row->group_by, row->n_group_by);
    add_options(&words, &row->options, reserved, ARRAY_SIZE(reserved),
                &error);
    want_words(config, MLOG_KIND_AGGREGATE, &words, error);
}

/* In full: triggers don't understand exponents. */
static void
put_number(struct ds *s, double number)
{
    if (number >= 0 && number < 1e18 && number != (uint64_t) number) {
        ds_put_format(s, "%.17f", number);
    } else {
        mlog_number_format(number, s);
    }
}

static void
want_trigger(struct mlog_config *config, const struct mlogrec_trigger *row)
{
    static const char *const reserved[] = { "period", "for", "clear" };
    struct svec words = SVEC_EMPTY_INITIALIZER;
    struct ds s = DS_EMPTY_INITIALIZER;
    char *error = NULL;

    svec_add(&words, row->name);
    ds_put_format(&s, "%s %s ", row->aggregate ? row->aggregate->name : "",
                  row->op);
    put_number(&s, row->threshold);
    svec_add_nocopy(&words, ds_steal_cstr(&s));
    add_duration(&words, "period", row->period, row->n_period);
    add_duration(&words, "for", row->hold, row->n_hold);
    if (row->n_clear) {
        ds_put_cstr(&s, "clear=");
        put_number(&s, *row->clear);
        svec_add_nocopy(&words, ds_steal_cstr(&s));
    }
    add_options(&words, &row->options, reserved, ARRAY_SIZE(reserved),
                &error);
    want_words(config, MLOG_KIND_TRIGGER, &words, error);
}

/* A server whose schema has no table for something can't say that it isn't
 * wanted. */
void
ovsdb_config_want(struct ovsdb_idl *idl, struct multilog *ml)
{
    const struct mlogrec_aggregate *aggregate;
    const struct mlogrec_trigger *trigger;
    const struct mlogrec_filter *filter;

    mlog_config_begin(ml->config);
    MLOGREC_FILTER_FOR_EACH (filter, idl) {
        want_filter(ml->config, filter);
    }
    MLOGREC_AGGREGATE_FOR_EACH (aggregate, idl) {
        want_aggregate(ml->config, aggregate);
    }
    MLOGREC_TRIGGER_FOR_EACH (trigger, idl) {
        want_trigger(ml->config, trigger);
    }
    ovsdb_preset_want(idl, ml);
    if (!mlogrec_server_has_filter_table(idl)) {
        mlog_config_want_same(ml->config, MLOG_KIND_FILTER);
    }
    if (!mlogrec_server_has_aggregate_table(idl)) {
        mlog_config_want_same(ml->config, MLOG_KIND_AGGREGATE);
    }
    if (!mlogrec_server_has_trigger_table(idl)) {
        mlog_config_want_same(ml->config, MLOG_KIND_TRIGGER);
    }
    mlog_config_end(ml->config);
}

/* Settings.
 *
 * They are set with the command "multilog/set", as far as they differ from
 * what was set before. */

struct setting {
    const char *key;            /* Of multilog/set. */
    const char *column;
    char *set;                  /* What was set; NULL: nothing. */
};

static struct setting settings[] = {
    { "capture", "capture", NULL },
    { "memory-budget", "memory_budget", NULL },
    { "digest-threads", "digest_threads", NULL },
    { "digest-cpus", "digest_cpus", NULL },
    { "archive-dir", "archive", NULL },
    { "archive-max-bytes", "archive", NULL },
    { "archive-max-age", "archive", NULL },
};

/* Returns what the row says of settings[i], to be freed; NULL: nothing. */
static char *
get_setting(const struct mlogrec_multilog *row, size_t i)
{
    const struct mlogrec_archive *archive = row->archive;

    switch (i) {
    case 0:
        return row->n_capture ? xstrdup(*row->capture ? "on" : "off") : NULL;
    case 1:
        return (row->n_memory_budget
                ? xasprintf("%"PRId64, *row->memory_budget) : NULL);
    case 2:
        return (row->n_digest_threads
                ? xasprintf("%"PRId64, *row->digest_threads) : NULL);
    case 3:
        return nullable_xstrdup(row->digest_cpus);
    case 4:
        return archive ? xstrdup(archive->directory) : NULL;
    case 5:
        return (!archive ? NULL
                : archive->n_max_bytes
                ? xasprintf("%"PRId64, *archive->max_bytes)
                : xstrdup("none"));
    case 6:
        return (!archive ? NULL
                : archive->n_max_age
                ? xasprintf("%"PRId64"s", *archive->max_age)
                : xstrdup("none"));
    }
    OVS_NOT_REACHED();
}

/* Returns the message of a command's error, to be freed. */
static char *
get_message(const char *reply)
{
    struct json *json = json_from_string(reply);
    char *message = NULL;

    if (json->type == JSON_OBJECT) {
        const struct json *error = shash_find_data(json_object(json), "error");
        const struct json *text = (error && error->type == JSON_OBJECT
                                   ? shash_find_data(json_object(error),
                                                     "message") : NULL);

        if (text && text->type == JSON_STRING) {
            message = xstrdup(json_string(text));
        }
    }
    json_destroy(json);
    return message ? message : xstrdup(reply);
}

/* Executes "multilog/set KEY VALUE".  Returns NULL or an error message to be
 * freed. */
static char *
run_set(struct multilog *ml, const char *key, const char *value)
{
    const char *argv[] = { "multilog/set", "--", key, value };
    struct mlog_reply reply;
    char *message = NULL;

    mlog_reply_init(&reply);
    reply.format = MLOG_FORMAT_JSON;
    mlog_config_own_setting(ml->config, key, false);
    mlog_command_run(ml, ARRAY_SIZE(argv), argv, &reply);
    if (reply.error) {
        message = get_message(ds_cstr(&reply.body));
    }
    mlog_reply_destroy(&reply);
    return message;
}

/* True if settings[i] has this value anyway, so that setting it again would
 * only disturb. */
static bool
is_set(struct multilog *ml, size_t i, const char *value)
{
    if (!strcmp(settings[i].key, "capture")) {
        bool on;

        atomic_read_relaxed(&ml->capturing, &on);
        return on == !strcmp(value, "on");
    } else if (!strcmp(settings[i].key, "archive-dir")) {
        struct mlog_settings kept = mlog_state_get_settings(ml->state);

        return !strcmp(kept.archive_dir, value);
    }
    return false;
}

static void
set_setting(struct multilog *ml, size_t i, char *value, struct ds *errors)
{
    struct setting *setting = &settings[i];
    char *message = NULL;

    if (!nullable_string_is_equal(value, setting->set)) {
        if (value && !is_set(ml, i, value)) {
            message = run_set(ml, setting->key, value);
        } else if (!value && !strncmp(setting->key, "archive-", 8)) {
            message = run_set(ml, setting->key, "none");
        }
    }
    if (message) {
        ds_put_format(errors, "%s%s: %s", errors->length ? "; " : "",
                      setting->column, message);
        free(message);
        free(value);
    } else {
        free(setting->set);
        setting->set = value;
    }
    mlog_config_own_setting(ml->config, setting->key, value != NULL);
}

char *
ovsdb_config_set(struct ovsdb_idl *idl, struct multilog *ml)
{
    const struct mlogrec_multilog *row = ovsdb_config_root(idl);
    struct ds errors = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < ARRAY_SIZE(settings) && row; i++) {
        set_setting(ml, i, get_setting(row, i), &errors);
    }
    return errors.length ? ds_steal_cstr(&errors) : NULL;
}

void
ovsdb_config_release(struct multilog *ml)
{
    ovsdb_preset_release();
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        free(settings[i].set);
        settings[i].set = NULL;
        mlog_config_own_setting(ml->config, settings[i].key, false);
    }
}

/* Results. */

static const char *
get_result(const struct multilog *ml, enum mlog_kind kind, const char *name,
           const char **error)
{
    switch (mlog_config_get(ml->config, kind, name, error)) {
    case MLOG_CONFIG_ACTIVE: return "active";
    case MLOG_CONFIG_WRONG: return "error";
    case MLOG_CONFIG_WAITING: return "waiting";
    }
    OVS_NOT_REACHED();
}

#define PUT_RESULT(IDL, TABLE, ROW, STATUS, ERROR, N)                   \
    do {                                                                \
        if (!nullable_string_is_equal((ROW)->status, STATUS)            \
            || !nullable_string_is_equal((ROW)->error, ERROR)) {        \
            PUT(IDL, TABLE, ROW, status, STATUS);                       \
            PUT(IDL, TABLE, ROW, error, ERROR);                         \
            (*(N))++;                                                   \
        }                                                               \
    } while (0)

static void
put_filter_results(struct ovsdb_idl *idl, const struct multilog *ml,
                   size_t *n)
{
    const struct mlogrec_filter *row;
    const char *status, *error;

    MLOGREC_FILTER_FOR_EACH (row, idl) {
        if (*n >= OVSDB_MAX_ROWS) {
            break;
        }
        status = get_result(ml, MLOG_KIND_FILTER, row->name, &error);
        PUT_RESULT(idl, filter, row, status, error, n);
    }
}

static void
put_aggregate_results(struct ovsdb_idl *idl, const struct multilog *ml,
                      size_t *n)
{
    const struct mlogrec_aggregate *row;
    const char *status, *error;

    MLOGREC_AGGREGATE_FOR_EACH (row, idl) {
        if (*n >= OVSDB_MAX_ROWS) {
            break;
        }
        status = get_result(ml, MLOG_KIND_AGGREGATE, row->name, &error);
        PUT_RESULT(idl, aggregate, row, status, error, n);
    }
}

static void
put_trigger_results(struct ovsdb_idl *idl, const struct multilog *ml,
                    size_t *n)
{
    const struct mlogrec_trigger *row;
    const char *status, *error;

    MLOGREC_TRIGGER_FOR_EACH (row, idl) {
        if (*n >= OVSDB_MAX_ROWS) {
            break;
        }
        status = get_result(ml, MLOG_KIND_TRIGGER, row->name, &error);
        PUT_RESULT(idl, trigger, row, status, error, n);
    }
}

bool
ovsdb_config_put_results(struct ovsdb_idl *idl, struct multilog *ml)
{
    size_t n = 0;

    put_filter_results(idl, ml, &n);
    put_aggregate_results(idl, ml, &n);
    put_trigger_results(idl, ml, &n);
    ovsdb_preset_put_results(idl, ml, &n);
    return n < OVSDB_MAX_ROWS;
}

/* New rows. */

/* Divides words of the form KEY=VALUE into those of columns, whose values it
 * returns in 'values', and the others. */
static void
split_options(const char *const argv[], size_t argc,
              const char *const names[], size_t n_names,
              const char *values[], struct smap *options)
{
    for (size_t i = 0; i < argc; i++) {
        size_t length = strcspn(argv[i], "=");
        bool found = false;

        for (size_t j = 0; j < n_names; j++) {
            if (length == strlen(names[j]) && argv[i][length]
                && !memcmp(argv[i], names[j], length)) {
                values[j] = argv[i] + length + 1;
                found = true;
            }
        }
        if (!found && argv[i][length]) {
            smap_add_nocopy(options, xmemdup0(argv[i], length),
                            xstrdup(argv[i] + length + 1));
        }
    }
}

/* Returns NULL or an error message to be freed. */
static char *
parse_ms(const char *option, const char *text, int64_t *ms)
{
    uint64_t ns;
    char *message = mlog_duration_parse(text, &ns);

    if (!message && ns % MLOG_NS_PER_MS) {
        message = xasprintf("%s: the database has whole milliseconds only",
                            option);
    }
    *ms = ns / MLOG_NS_PER_MS;
    return message;
}

static const struct mlogrec_filter *
find_filter(struct ovsdb_idl *idl, const char *name)
{
    const struct mlogrec_filter *row;

    MLOGREC_FILTER_FOR_EACH (row, idl) {
        if (!strcmp(row->name, name)) {
            return row;
        }
    }
    return NULL;
}

static const struct mlogrec_aggregate *
find_aggregate(struct ovsdb_idl *idl, const char *name)
{
    const struct mlogrec_aggregate *row;

    MLOGREC_AGGREGATE_FOR_EACH (row, idl) {
        if (!strcmp(row->name, name)) {
            return row;
        }
    }
    return NULL;
}

static char *
insert_filter(struct ovsdb_idl_txn *txn, const char *const argv[])
{
    const struct mlogrec_filter *row = mlogrec_filter_insert(txn);

    mlogrec_filter_set_name(row, argv[0]);
    mlogrec_filter_set_expression(row, argv[1]);
    return NULL;
}

static void
set_group_by(const struct mlogrec_aggregate *row, const char *list)
{
    struct svec fields = SVEC_EMPTY_INITIALIZER;

    while (*list) {
        size_t length = strcspn(list, ", \t");

        if (length) {
            svec_add_nocopy(&fields, xmemdup0(list, length));
        }
        list += length;
        list += strspn(list, ", \t");
    }
    svec_sort_unique(&fields);
    mlogrec_aggregate_set_group_by(row, (const char **) fields.names,
                                   fields.n);
    svec_destroy(&fields);
}

static char *
insert_aggregate(struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn,
                 const char *const argv[], size_t argc)
{
    static const char *const names[] = { "window", "group-by" };
    const struct mlogrec_filter *filter = find_filter(idl, argv[1]);
    struct smap options = SMAP_INITIALIZER(&options);
    const char *values[ARRAY_SIZE(names)] = { NULL };
    const struct mlogrec_aggregate *row;
    char *message = NULL;
    int64_t ms = 0;

    if (!filter) {
        return xasprintf("filter '%s' is not in the database; make it "
                         "permanent first", argv[1]);
    }
    split_options(argv + 3, argc - 3, names, ARRAY_SIZE(names), values,
                  &options);
    if (values[0]) {
        message = parse_ms("window", values[0], &ms);
    }
    if (!message) {
        row = mlogrec_aggregate_insert(txn);
        mlogrec_aggregate_set_name(row, argv[0]);
        mlogrec_aggregate_set_filter(row, filter);
        mlogrec_aggregate_set_func(row, argv[2]);
        mlogrec_aggregate_set_window(row, &ms, values[0] != NULL);
        mlogrec_aggregate_set_options(row, &options);
        if (values[1]) {
            set_group_by(row, values[1]);
        }
    }
    smap_destroy(&options);
    return message;
}

static char *
insert_trigger_row(struct ovsdb_idl_txn *txn,
                   const struct mlogrec_aggregate *aggregate,
                   const struct mlog_trigger_def *def,
                   const char *const values[], const struct smap *options)
{
    int64_t period = 0, hold = 0;
    char *message = values[0] ? parse_ms("period", values[0], &period) : NULL;

    if (!message && values[1]) {
        message = parse_ms("for", values[1], &hold);
    }
    if (!message) {
        const struct mlogrec_trigger *row = mlogrec_trigger_insert(txn);

        mlogrec_trigger_set_name(row, def->name);
        mlogrec_trigger_set_aggregate(row, aggregate);
        mlogrec_trigger_set_op(row, mlog_trigger_op_to_string(def->op));
        mlogrec_trigger_set_threshold(row, def->threshold);
        mlogrec_trigger_set_period(row, &period, values[0] != NULL);
        mlogrec_trigger_set_hold(row, &hold, values[1] != NULL);
        mlogrec_trigger_set_clear(row, &def->clear, def->has_clear);
        mlogrec_trigger_set_options(row, options);
    }
    return message;
}

static char *
insert_trigger(struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn,
               const char *const argv[], size_t argc)
{
    static const char *const names[] = { "period", "for", "clear" };
    const char *values[ARRAY_SIZE(names)] = { NULL };
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct smap options = SMAP_INITIALIZER(&options);
    const struct mlogrec_aggregate *aggregate;
    const char *where;
    struct mlog_trigger_def *def = mlog_trigger_def_parse(
        argv[0], argv[1], argv + 2, argc - 2, &error, &where);
    char *message;

    if (!def) {
        message = xstrdup(error.message);
        mlog_error_clear(&error);
        return message;
    }
    split_options(argv + 2, argc - 2, names, ARRAY_SIZE(names), values,
                  &options);
    aggregate = find_aggregate(idl, def->aggregate);
    message = (aggregate
               ? insert_trigger_row(txn, aggregate, def, values, &options)
               : xasprintf("aggregate '%s' is not in the database; make it "
                           "permanent first", def->aggregate));
    smap_destroy(&options);
    mlog_trigger_def_unref(def);
    return message;
}

char *
ovsdb_config_insert(struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn,
                    enum mlog_kind kind, const char *const argv[],
                    size_t argc)
{
    switch (kind) {
    case MLOG_KIND_FILTER:
        return insert_filter(txn, argv);
    case MLOG_KIND_AGGREGATE:
        return insert_aggregate(idl, txn, argv, argc);
    case MLOG_KIND_TRIGGER:
        return insert_trigger(idl, txn, argv, argc);
    case MLOG_N_KINDS:
        break;
    }
    OVS_NOT_REACHED();
}
