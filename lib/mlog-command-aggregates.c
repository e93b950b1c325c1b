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

#include <ctype.h>

#include "util.h"

/* Aggregates as people write them: FUNC, FUNC(FIELD), FUNC(FIELD,PARAMETER).
 * pN(FIELD) is percentile(FIELD,N). */

static const char *const func_names[] = {
    [MLOG_QF_COUNT] = "count",
    [MLOG_QF_SUM] = "sum",
    [MLOG_QF_MIN] = "min",
    [MLOG_QF_MAX] = "max",
    [MLOG_QF_AVG] = "avg",
    [MLOG_QF_RATE] = "rate",
    [MLOG_QF_STDDEV] = "stddev",
    [MLOG_QF_DISTINCT] = "distinct",
    [MLOG_QF_PERCENTILE] = "percentile",
    [MLOG_QF_TOPK] = "topk",
};

#define DEFAULT_TOPK 10

/* Decimals of a percentile. */
#define PERCENT_DECIMALS 4
#define PERCENT (MLOG_QUERY_PPM / 100)

/* What is being parsed: a part of 'word'. */
struct parser {
    struct mlog_call *call;
    const char *word;
};

static void
put_percent(uint32_t ppm, struct ds *ds)
{
    uint32_t rest = ppm % PERCENT;

    ds_put_format(ds, "%"PRIu32, ppm / PERCENT);
    if (rest) {
        ds_put_format(ds, ".%04"PRIu32, rest);
        while (ds_last(ds) == '0') {
            ds_truncate(ds, ds->length - 1);
        }
    }
}

void
mlog_query_aggregate_format(const struct mlog_query_aggregate *aggregate,
                            struct ds *ds)
{
    const struct mlog_field *field = aggregate->field;

    if (aggregate->func == MLOG_QF_PERCENTILE) {
        ds_put_char(ds, 'p');
        put_percent(aggregate->param, ds);
    } else {
        ds_put_cstr(ds, func_names[aggregate->func]);
    }
    if (aggregate->func == MLOG_QF_TOPK) {
        ds_put_format(ds, "(%s,%"PRIu32")", field->name, aggregate->param);
    } else if (field) {
        ds_put_format(ds, "(%s)", field->name);
    }
}

/* Parses 'length' bytes at 'start' as a number of percent. */
static bool
parse_percent(struct parser *p, const char *start, size_t length,
              uint32_t *ppm)
{
    const char *end = start + length;
    uint32_t number = 0, unit = PERCENT;
    const char *s = start;

    for (; s < end && isdigit((unsigned char) *s) && number <= 100; s++) {
        number = number * 10 + (*s - '0');
    }
    *ppm = MIN(number, 101) * PERCENT;
    if (s > start && s + 1 < end && *s == '.') {
        for (s++; s < end && isdigit((unsigned char) *s) && unit > 1; s++) {
            unit /= 10;
            *ppm += unit * (*s - '0');
        }
    }
    return ((s == end && length && *ppm <= MLOG_QUERY_PPM)
            || mlog_call_error(p->call, p->word, start, "a percentile is a "
                               "number from 0 to 100 with at most %d "
                               "decimals, as in p99.9(pkt_len)",
                               PERCENT_DECIMALS));
}

static bool
unknown_func(struct parser *p, const char *start, size_t length)
{
    char *name = xmemdup0(start, length);
    const char *nearest = mlog_nearest_name(name, func_names,
                                            ARRAY_SIZE(func_names));
    struct ds message = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&message, "unknown function ");
    mlog_put_quoted(&message, name);
    if (nearest) {
        ds_put_format(&message, "; did you mean '%s'?", nearest);
    } else {
        ds_put_cstr(&message, "; the functions are count, sum, min, max, "
                    "avg, rate, stddev, distinct, p50, p99 and so on, and "
                    "topk");
    }
    free(name);
    return mlog_call_take_message(p->call, p->word, start,
                                  ds_steal_cstr(&message));
}

/* Parses the function's name, which may have the percentile in it. */
static bool
parse_func(struct parser *p, const char *start, size_t length,
           struct mlog_query_aggregate *aggregate)
{
    for (size_t i = 0; i < ARRAY_SIZE(func_names); i++) {
        if (strlen(func_names[i]) == length
            && !memcmp(func_names[i], start, length)) {
            aggregate->func = i;
            return true;
        }
    }
    if (length > 1 && *start == 'p' && isdigit((unsigned char) start[1])) {
        aggregate->func = MLOG_QF_PERCENTILE;
        return parse_percent(p, start + 1, length - 1, &aggregate->param);
    }
    return unknown_func(p, start, length);
}

static bool
parse_topk(struct parser *p, const char *start, size_t length,
           uint32_t *param)
{
    char *text = xmemdup0(start, length);
    char *end;
    unsigned long int n = strtoul(text, &end, 10);
    bool ok = (isdigit((unsigned char) *text) && !*end && length < 10
               && n && n <= MLOG_QUERY_MAX_TOPK);

    *param = n;
    free(text);
    return (ok || mlog_call_error(p->call, p->word, start, "topk: needs a "
                                  "whole number of values from 1 to %d",
                                  MLOG_QUERY_MAX_TOPK));
}

/* Parses what is in the parentheses: 'length' bytes at 'start'.  Percentiles
 * have a parameter if 'wants_percent'. */
static bool
parse_arguments(struct parser *p, const char *start, size_t length,
                bool wants_percent, struct mlog_query_aggregate *aggregate)
{
    const char *comma = memchr(start, ',', length);
    size_t name_length = comma ? comma - start : length;
    const char *param = comma ? comma + 1 : start + length;
    size_t param_length = start + length - param;

    aggregate->field = mlog_call_parse_field(p->call, p->word, start,
                                             name_length);
    if (!aggregate->field) {
        return false;
    } else if (aggregate->func == MLOG_QF_TOPK) {
        aggregate->param = DEFAULT_TOPK;
        return !comma || parse_topk(p, param, param_length,
                                    &aggregate->param);
    } else if (wants_percent) {
        return parse_percent(p, param, param_length, &aggregate->param);
    }
    return !comma || mlog_call_error(p->call, p->word, comma, "%s takes a "
                                     "field and nothing else",
                                     func_names[aggregate->func]);
}

/* Says whether the function takes the field, found at 'at'. */
static bool
check_aggregate(struct parser *p, const char *at,
                const struct mlog_query_aggregate *aggregate)
{
    const struct mlog_field *field = aggregate->field;
    const char *name = func_names[aggregate->func];

    switch (aggregate->func) {
    case MLOG_QF_COUNT:
        return true;
    case MLOG_QF_RATE:
        if (!field) {
            return true;
        }
        /* Fall through. */
    case MLOG_QF_SUM:
    case MLOG_QF_AVG:
    case MLOG_QF_STDDEV:
    case MLOG_QF_PERCENTILE:
        if (field && !mlog_field_is_quantity(field)) {
            return mlog_call_error(p->call, p->word, at, "%s(%s) is not "
                                   "possible, as %s is not a quantity", name,
                                   field->name, field->name);
        }
        break;
    case MLOG_QF_MIN:
    case MLOG_QF_MAX:
        if (field && !mlog_field_is_ordered(field)) {
            return mlog_call_error(p->call, p->word, at, "%s(%s) is not "
                                   "possible, as values of %s have no order",
                                   name, field->name, field->name);
        }
        break;
    case MLOG_QF_DISTINCT:
    case MLOG_QF_TOPK:
        break;
    }
    return (field || mlog_call_error(p->call, p->word, at, "%s needs a field, "
                                     "as in %s(pkt_len%s)", name, name,
                                     (aggregate->func == MLOG_QF_PERCENTILE
                                      ? ",99" : "")));
}

/* Parses 'length' bytes at 'start'. */
static bool
parse_aggregate(struct parser *p, const char *start, size_t length,
                struct mlog_query_aggregate *aggregate)
{
    const char *end = start + length;
    const char *paren = memchr(start, '(', length);
    size_t name_length = (paren ? paren : end) - start;
    const char *field = paren ? paren + 1 : start;
    bool wants_percent;

    *aggregate = (struct mlog_query_aggregate) { .field = NULL };
    if (!parse_func(p, start, name_length, aggregate)) {
        return false;
    }
    wants_percent = (aggregate->func == MLOG_QF_PERCENTILE
                     && !isdigit((unsigned char) start[1]));
    if (paren) {
        if (end[-1] != ')') {
            return mlog_call_error(p->call, p->word, end, "')' is missing");
        }
        if (!parse_arguments(p, field, end - 1 - field, wants_percent,
                             aggregate)) {
            return false;
        }
    }
    return check_aggregate(p, field, aggregate);
}

bool
mlog_call_parse_aggregate(struct mlog_call *call, const char *word,
                          const char *start, size_t length,
                          struct mlog_query_aggregate *aggregate)
{
    struct parser parser = { call, word };

    return parse_aggregate(&parser, start, length, aggregate);
}

/* Length of the first of a list of aggregates, which may have commas between
 * parentheses. */
static size_t
aggregate_length(const char *list)
{
    const char *p = list + strcspn(list, ",(");

    if (*p == '(') {
        p += strcspn(p, ")");
        p += strcspn(p, ",");
    }
    return p - list;
}

static bool
is_same(const struct mlog_query_aggregate *a,
        const struct mlog_query_aggregate *b)
{
    return (a->func == b->func && a->field == b->field
            && a->param == b->param);
}

bool
mlog_call_get_aggregates(struct mlog_call *call, enum mlog_option option,
                         struct mlog_query_aggregate aggregates[], size_t *n)
{
    struct parser parser = { call, call->options[option] };
    const char *p = parser.word;

    while (p) {
        struct mlog_query_aggregate *aggregate = &aggregates[*n];
        size_t length = aggregate_length(p);

        if (*n >= MLOG_QUERY_MAX_AGGREGATES) {
            return mlog_call_error(call, parser.word, p, "too many "
                                   "aggregates; at most %d are possible here",
                                   MLOG_QUERY_MAX_AGGREGATES);
        }
        if (!parse_aggregate(&parser, p, length, aggregate)) {
            return false;
        }
        for (size_t i = 0; i < *n; i++) {
            if (is_same(&aggregates[i], aggregate)) {
                return mlog_call_error(call, parser.word, p, "the same "
                                       "aggregate is there twice");
            }
        }
        *n += aggregate->func != MLOG_QF_COUNT || aggregate->field;
        p = p[length] ? p + length + 1 : NULL;
    }
    return true;
}

/* Keys: what groups are ordered by and compared with. */

static void
put_keys(const struct mlog_group_spec *spec, struct ds *message)
{
    ds_put_format(message, "count, bytes%s", spec->bucket ? ", bucket" : "");
    for (size_t i = 0; i < spec->n_fields; i++) {
        ds_put_format(message, ", %s", spec->fields[i]->name);
    }
    for (size_t i = 0; i < spec->n_aggregates; i++) {
        if (spec->aggregates[i].func != MLOG_QF_TOPK) {
            ds_put_cstr(message, ", ");
            mlog_query_aggregate_format(&spec->aggregates[i], message);
        }
    }
}

static bool
find_key(const struct mlog_group_spec *spec, const char *key, int *by)
{
    if (!strcmp(key, "count")) {
        *by = MLOG_GROUPS_BY_COUNT;
        return true;
    } else if (!strcmp(key, "bytes")) {
        *by = MLOG_GROUPS_BY_BYTES;
        return true;
    } else if (spec->bucket && !strcmp(key, "bucket")) {
        *by = MLOG_GROUPS_BY_BUCKET;
        return true;
    }
    for (size_t i = 0; i < spec->n_fields; i++) {
        if (mlog_field_from_name(key) == spec->fields[i]) {
            *by = MLOG_GROUPS_BY_FIELD(i);
            return true;
        }
    }
    for (size_t i = 0; i < spec->n_aggregates; i++) {
        struct ds name = DS_EMPTY_INITIALIZER;
        bool found;

        mlog_query_aggregate_format(&spec->aggregates[i], &name);
        found = (!strcmp(ds_cstr(&name), key)
                 && spec->aggregates[i].func != MLOG_QF_TOPK);
        ds_destroy(&name);
        if (found) {
            *by = i;
            return true;
        }
    }
    return false;
}

bool
mlog_call_parse_key(struct mlog_call *call, const char *what,
                    const char *word, const char *start, size_t length,
                    const struct mlog_group_spec *spec, int *by)
{
    char *key = xmemdup0(start, length);
    bool found = find_key(spec, key, by);

    if (!found) {
        struct ds message = DS_EMPTY_INITIALIZER;

        ds_put_format(&message, "%s: ", what);
        mlog_put_quoted(&message, key);
        ds_put_cstr(&message, " is not shown; what is: ");
        put_keys(spec, &message);
        mlog_call_take_message(call, word, start, ds_steal_cstr(&message));
    }
    free(key);
    return found;
}

/* Conditions. */

static const struct {
    const char *name;
    enum mlog_query_op op;
} ops[] = {                     /* Longer ones first. */
    { "<=", MLOG_QO_LE }, { ">=", MLOG_QO_GE }, { "==", MLOG_QO_EQ },
    { "!=", MLOG_QO_NE }, { "<", MLOG_QO_LT }, { ">", MLOG_QO_GT },
    { "=", MLOG_QO_EQ },
};

#define BLANKS " \t\r\n"

static const char *
skip_blanks(const char *p)
{
    return p + strspn(p, BLANKS);
}

/* Parses an operator at '*p' and moves past it. */
static bool
parse_op(struct mlog_call *call, const char *word, const char **p,
         enum mlog_query_op *op)
{
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        size_t length = strlen(ops[i].name);

        if (!strncmp(*p, ops[i].name, length)) {
            *op = ops[i].op;
            *p += length;
            return true;
        }
    }
    return mlog_call_error(call, word, *p, "--having: expected one of > >= < "
                           "<= == != here");
}

/* Parses a number such as 10k at '*p' and moves past it. */
static bool
parse_number(struct mlog_call *call, const char *word, const char **p,
             double *number)
{
    size_t length = strspn(*p, "0123456789.");
    char *text = xmemdup0(*p, length);
    char *tail;
    bool ok;

    *number = strtod(text, &tail);
    ok = isdigit((unsigned char) *text) && !*tail;
    free(text);
    if (ok) {
        *p += length;
        switch (**p) {
        case 'k': *number *= 1e3; ++*p; break;
        case 'M': *number *= 1e6; ++*p; break;
        case 'G': *number *= 1e9; ++*p; break;
        }
    }
    return ok || mlog_call_error(call, word, *p, "--having: expected a number "
                                 "such as 100, 0.5, 10k, 2.5M or 1G here");
}

static bool
parse_condition(struct mlog_call *call, const char *word, const char **p,
                const struct mlog_group_spec *spec,
                struct mlog_having *having)
{
    const char *start = skip_blanks(*p);
    const char *end = start + strcspn(start, "<>=!&");

    *p = end;
    while (end > start && strchr(BLANKS, end[-1])) {
        end--;
    }
    if (!mlog_call_parse_key(call, "--having", word, start, end - start, spec,
                             &having->by)) {
        return false;
    }
    if (having->by == MLOG_GROUPS_BY_BUCKET
        || having->by <= MLOG_GROUPS_BY_FIELD(0)) {
        return mlog_call_error(call, word, start, "--having compares counts "
                               "and functions; conditions on fields and times "
                               "belong into the expression");
    }
    if (!parse_op(call, word, p, &having->op)) {
        return false;
    }
    *p = skip_blanks(*p);
    return parse_number(call, word, p, &having->number);
}

bool
mlog_call_get_having(struct mlog_call *call,
                     const struct mlog_group_spec *spec,
                     struct mlog_having having[], size_t *n)
{
    const char *word = call->options[MLOG_OPT_HAVING];
    const char *p = word;

    while (p) {
        if (*n >= MLOG_QUERY_MAX_HAVING) {
            return mlog_call_error(call, word, p, "--having: too many "
                                   "conditions; at most %d are possible",
                                   MLOG_QUERY_MAX_HAVING);
        }
        if (!parse_condition(call, word, &p, spec, &having[*n])) {
            return false;
        }
        ++*n;
        p = skip_blanks(p);
        if (!*p) {
            return true;
        } else if (strncmp(p, "&&", 2)) {
            return mlog_call_error(call, word, p, "--having: expected '&&' or "
                                   "the end here");
        }
        p += 2;
    }
    return true;
}
