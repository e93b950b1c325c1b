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
#include "mlog-aggregate.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mlog-alert.h"
#include "mlog-expr.h"
#include "mlog-options.h"
#include "mlog-ports.h"
#include "mlog-time.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Definitions of aggregates: parsing, text, and the expressions that select a
 * group's records. */

#define BLANKS " \t\r\n"

static const char *const func_names[] = {
    [MLOG_FUNC_COUNT] = "count",
    [MLOG_FUNC_SUM] = "sum",
    [MLOG_FUNC_MIN] = "min",
    [MLOG_FUNC_MAX] = "max",
    [MLOG_FUNC_AVG] = "avg",
    [MLOG_FUNC_RATE] = "rate",
    [MLOG_FUNC_DISTINCT] = "distinct",
    [MLOG_FUNC_PERCENTILE] = "p99",     /* For one. */
    [MLOG_FUNC_TOPK] = "topk",
};

/* What is being parsed. */
struct parser {
    struct mlog_aggregate_def *def;
    struct mlog_error *error;
    const char **where;
};

struct mlog_aggregate_def *
mlog_aggregate_def_ref(const struct mlog_aggregate_def *def_)
{
    struct mlog_aggregate_def *def = CONST_CAST(struct mlog_aggregate_def *,
                                                def_);

    ovs_refcount_ref(&def->refcount);
    return def;
}

void
mlog_aggregate_def_unref(struct mlog_aggregate_def *def)
{
    if (def && ovs_refcount_unref(&def->refcount) == 1) {
        free(def->name);
        free(def->filter);
        free(def->filter_text);
        free(def);
    }
}

void
mlog_aggregate_def_format_func(const struct mlog_aggregate_def *def,
                               struct ds *s)
{
    if (def->func == MLOG_FUNC_PERCENTILE) {
        ds_put_char(s, 'p');
        mlog_number_format(def->millionths / 1e4, s);
    } else {
        ds_put_cstr(s, func_names[def->func]);
    }
    if (def->func == MLOG_FUNC_TOPK) {
        ds_put_format(s, "(%s,%"PRIu32")", def->field->name, def->k);
    } else if (def->field) {
        ds_put_format(s, "(%s)", def->field->name);
    }
}

/* The function. */

static const struct mlog_field *
parse_field(struct parser *p, const char *word, const char *start,
            size_t length)
{
    char *name = xmemdup0(start, length);
    const struct mlog_field *field = mlog_field_from_name(name);

    if (!field) {
        char *message = mlog_field_unknown_error(name);

        *p->where = word;
        mlog_error_set(p->error, start - word + 1, "%s", message);
        free(message);
    }
    free(name);
    return field;
}

static void
not_a_quantity(struct parser *p, const char *func, const char *at)
{
    const struct mlog_field *field;
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s needs a field that is a quantity, which '%s' is "
                  "not: one of",
                  (p->def->func == MLOG_FUNC_PERCENTILE ? "a percentile"
                   : func_names[p->def->func]), p->def->field->name);
    MLOG_FIELD_FOR_EACH (field) {
        if (mlog_field_is_quantity(field)) {
            ds_put_format(&s, " %s", field->name);
        }
    }
    *p->where = func;
    mlog_error_set(p->error, at - func + 1, "%s", ds_cstr(&s));
    ds_destroy(&s);
}

static bool
check_func(struct parser *p, const char *func, const char *at)
{
    enum mlog_func f = p->def->func;

    if (!p->def->field) {
        if (f == MLOG_FUNC_COUNT || f == MLOG_FUNC_RATE) {
            return true;
        }
        *p->where = func;
        mlog_error_set(p->error, at - func + 1, "%s needs a field, such as "
                       "%s(pkt_len)", func_names[f], func_names[f]);
        return false;
    }
    if (f != MLOG_FUNC_COUNT && f != MLOG_FUNC_DISTINCT && f != MLOG_FUNC_TOPK
        && !mlog_field_is_quantity(p->def->field)) {
        not_a_quantity(p, func, at);
        return false;
    }
    return true;
}

/* "p99.9". */
static bool
parse_percentile(struct parser *p, const char *func, const char *start,
                 size_t length)
{
    char *name = xmemdup0(start, length);
    double percent = strtod(name + 1, NULL);
    size_t digits = strspn(name + 1, "0123456789.");
    const char *point = strchr(name, '.');
    bool ok = (!name[1 + digits] && percent <= 100
               && (!point || (strspn(point + 1, "0123456789")
                              == strlen(point + 1)
                              && strlen(point + 1) <= 4)));

    if (ok) {
        p->def->func = MLOG_FUNC_PERCENTILE;
        p->def->millionths = percent * 1e4 + 0.5;
    } else {
        struct ds s = DS_EMPTY_INITIALIZER;

        mlog_put_quoted(&s, name);
        *p->where = func;
        mlog_error_set(p->error, start - func + 1, "%s is not a percentile: "
                       "p0 to p100, with at most four decimals, such as "
                       "p99.9", ds_cstr(&s));
        ds_destroy(&s);
    }
    free(name);
    return ok;
}

static bool
parse_func_name(struct parser *p, const char *func, const char *start,
                size_t length)
{
    if (start[0] == 'p' && isdigit((unsigned char) start[1])) {
        return parse_percentile(p, func, start, length);
    }

    char *name = xmemdup0(start, length);
    bool found = false;

    for (size_t i = 0; i < ARRAY_SIZE(func_names); i++) {
        if (!strcmp(func_names[i], name)) {
            p->def->func = i;
            found = true;
        }
    }
    if (!found) {
        const char *nearest = mlog_nearest_name(name, func_names,
                                                ARRAY_SIZE(func_names));
        struct ds s = DS_EMPTY_INITIALIZER;

        mlog_put_quoted(&s, name);
        *p->where = func;
        if (nearest) {
            ds_put_format(&s, "; did you mean %s?", nearest);
        } else {
            ds_put_cstr(&s, "; functions are count, sum, min, max, avg, rate, "
                        "distinct, topk, and percentiles such as p99");
        }
        mlog_error_set(p->error, start - func + 1, "unknown function %s",
                       ds_cstr(&s));
        ds_destroy(&s);
    }
    free(name);
    return found;
}

/* ",K".  Returns where it ends, or NULL. */
static const char *
parse_k(struct parser *p, const char *func, const char *at)
{
    const char *number = at + 1 + strspn(at + 1, BLANKS);
    size_t length = strspn(number, "0123456789");
    unsigned int k = 0;

    if (p->def->func == MLOG_FUNC_TOPK && length && length <= 3) {
        k = atoi(number);
    }
    if (!k || k > MLOG_MAX_TOPK) {
        *p->where = func;
        mlog_error_set(p->error, number - func + 1,
                       (p->def->func == MLOG_FUNC_TOPK
                        ? "expected a number from 1 to %d"
                        : "only topk() takes more than a field: a number "
                          "from 1 to %d"),
                       MLOG_MAX_TOPK);
        return NULL;
    }
    p->def->k = k;
    return number + length + strspn(number + length, BLANKS);
}

/* FUNC, FUNC(FIELD), or FUNC(FIELD,K). */
static bool
parse_func(struct parser *p, const char *func)
{
    const char *name = func + strspn(func, BLANKS);
    size_t name_len = strcspn(name, "(" BLANKS);
    const char *at = name + name_len + strspn(name + name_len, BLANKS);

    if (!parse_func_name(p, func, name, name_len)) {
        return false;
    }
    if (*at == '(') {
        const char *field = at + 1 + strspn(at + 1, BLANKS);
        size_t field_len = strcspn(field, "(,)" BLANKS);

        at = field + field_len + strspn(field + field_len, BLANKS);
        if (*at == ',' && field_len) {
            at = parse_k(p, func, at);
            if (!at) {
                return false;
            }
        }
        if (*at != ')') {
            *p->where = func;
            mlog_error_set(p->error, at - func + 1, "expected ')'");
            return false;
        }
        if (field_len) {
            p->def->field = parse_field(p, func, field, field_len);
            if (!p->def->field) {
                return false;
            }
        }
        at++;
        at += strspn(at, BLANKS);
        if (!*at) {
            return check_func(p, func, field);
        }
    }
    if (*at) {
        *p->where = func;
        mlog_error_set(p->error, at - func + 1, "nothing can follow the "
                       "function");
        return false;
    }
    return check_func(p, func, name);
}

/* Options. */

static bool
parse_window(struct parser *p, const char *text)
{
    char *message = mlog_duration_parse(text, &p->def->window);

    if (!message && (p->def->window < MLOG_MIN_WINDOW_NS
                     || p->def->window > MLOG_MAX_WINDOW_NS)) {
        message = xstrdup("must be from 1ms to 1h");
    } else if (!message && p->def->window % MLOG_NS_PER_MS) {
        message = xstrdup("must be a whole number of milliseconds");
    }
    if (message) {
        mlog_options_error("window", text, message, p->error, p->where);
        return false;
    }
    return true;
}

static bool
add_key(struct parser *p, const char *list, const char *start, size_t length)
{
    struct mlog_aggregate_def *def = p->def;
    const char *word = list - strlen("group-by=");

    if (def->n_keys >= MLOG_MAX_GROUP_KEYS) {
        *p->where = word;
        mlog_error_set(p->error, start - word + 1, "at most %d group-by "
                       "fields", MLOG_MAX_GROUP_KEYS);
        return false;
    }

    const struct mlog_field *field = parse_field(p, word, start, length);
    if (!field) {
        return false;
    }
    for (size_t i = 0; i < def->n_keys; i++) {
        if (def->keys[i] == field) {
            *p->where = word;
            mlog_error_set(p->error, start - word + 1, "'%s' is given twice",
                           field->name);
            return false;
        }
    }
    def->keys[def->n_keys++] = field;
    return true;
}

static bool
parse_keys(struct parser *p, const char *list)
{
    for (const char *start = list; ; ) {
        start += strspn(start, BLANKS);

        size_t length = strcspn(start, "," BLANKS);
        if (!add_key(p, list, start, length)) {
            return false;
        }
        start += length;
        start += strspn(start, BLANKS);
        if (!*start) {
            return true;
        } else if (*start != ',') {
            *p->where = list - strlen("group-by=");
            mlog_error_set(p->error, start - *p->where + 1,
                           "expected ',' between fields");
            return false;
        }
        start++;
    }
}

/* About the longest that " && FIELD == VALUE" gets, without FIELD. */
#define MAX_EQUALITY 80

/* Groups' evidence must parse. */
static bool
check_evidence(struct parser *p, const char *group_by)
{
    const struct mlog_aggregate_def *def = p->def;
    struct mlog_group_key key = { .present = 0 };
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_group_key_evidence(def, &key, &s);

    size_t max = s.length + def->n_keys * MAX_EQUALITY;
    struct mlog_expr *expr = mlog_expr_parse(ds_cstr(&s), &error);
    bool ok = expr && max <= MLOG_EXPR_MAX_TEXT;
    if (!ok) {
        *p->where = group_by - strlen("group-by=");
        mlog_error_set(p->error, 0, "the expression of filter '%s' is too "
                       "long or too complex for groups", def->filter);
    }
    mlog_expr_unref(expr);
    mlog_error_clear(&error);
    ds_destroy(&s);
    return ok;
}

static bool
parse_options(struct parser *p, const char *const options[], size_t n_options)
{
    static const char *const names[] = { "window", "group-by" };
    const char *values[ARRAY_SIZE(names)];

    return (mlog_options_split(options, n_options, names, ARRAY_SIZE(names),
                               values, p->error, p->where)
            && (!values[0] || parse_window(p, values[0]))
            && (!values[1] || (parse_keys(p, values[1])
                               && check_evidence(p, values[1]))));
}

struct mlog_aggregate_def *
mlog_aggregate_def_parse(const char *name, const char *filter,
                         const char *filter_text, const char *func,
                         const char *const options[], size_t n_options,
                         struct mlog_error *error, const char **where)
{
    struct mlog_aggregate_def *def = xzalloc(sizeof *def);
    struct parser p = { .def = def, .error = error, .where = where };

    ovs_refcount_init(&def->refcount);
    def->name = xstrdup(name);
    def->filter = xstrdup(filter);
    def->filter_text = xstrdup(filter_text);
    def->window = MLOG_DEFAULT_WINDOW_NS;
    def->k = MLOG_DEFAULT_TOPK;
    if (!parse_func(&p, func) || !parse_options(&p, options, n_options)) {
        mlog_aggregate_def_unref(def);
        return NULL;
    }

    /* A window is whole milliseconds, and a millisecond can be divided by
     * MLOG_MAX_PANES, so panes make up the window exactly. */
    BUILD_ASSERT_DECL(1000000 % MLOG_MAX_PANES == 0);
    def->n_panes = MIN(def->window / MLOG_NS_PER_MS, MLOG_MAX_PANES);
    def->width = def->window / def->n_panes;
    return def;
}

/* Groups. */

void
mlog_group_key_format(const struct mlog_aggregate_def *def,
                      const struct mlog_group_key *key, struct ds *s)
{
    if (key->other) {
        ds_put_cstr(s, "other");
        return;
    }
    for (size_t i = 0; i < def->n_keys; i++) {
        ds_put_format(s, "%s%s=", i ? "," : "", def->keys[i]->name);
        if (key->present & 1u << i) {
            mlog_field_format(def->keys[i], &key->values[i], s);
        } else {
            ds_put_char(s, '-');
        }
    }
}

static void
put_string(const char *string, struct ds *s)
{
    ds_put_char(s, '"');
    for (; *string; string++) {
        if (*string == '"' || *string == '\\') {
            ds_put_char(s, '\\');
        }
        ds_put_char(s, *string);
    }
    ds_put_char(s, '"');
}

/* Appends 'value' as a constant of an expression. */
static void
put_constant(const struct mlog_field *field, const struct mlog_value *value,
             struct ds *s)
{
    bool is_port = (field->type == MLOG_FT_PORT
                    || field->type == MLOG_FT_PORT_NAME);
    const char *name = is_port ? mlog_ports_name(value->lo) : NULL;

    if (name) {
        put_string(name, s);
    } else if (is_port || field->type == MLOG_FT_TIME) {
        ds_put_char(s, '"');
        mlog_field_format(field, value, s);
        ds_put_char(s, '"');
    } else {
        mlog_field_format(field, value, s);
    }
}

void
mlog_group_key_evidence(const struct mlog_aggregate_def *def,
                        const struct mlog_group_key *key, struct ds *s)
{
    bool alone = key->other || !def->n_keys;

    if (def->filter_text[0]) {
        ds_put_format(s, alone ? "%s" : "(%s)", def->filter_text);
    }
    for (size_t i = 0; !alone && i < def->n_keys; i++) {
        ds_put_cstr(s, i || def->filter_text[0] ? " && " : "");
        if (key->present & 1u << i) {
            ds_put_format(s, "%s == ", def->keys[i]->name);
            put_constant(def->keys[i], &key->values[i], s);
        } else {
            ds_put_format(s, "!%s", def->keys[i]->name);
        }
    }
}
