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
#include "mlog-trigger.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "mlog-expr.h"
#include "mlog-options.h"
#include "mlog-time.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Parsing of triggers. */

#define BLANKS " \t\r\n"
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
                   "0123456789_.-"
#define MAX_NUMBER 1e18

char *
mlog_number_parse(const char *text, double *number)
{
    size_t length = strspn(text, "0123456789.");
    struct ds s = DS_EMPTY_INITIALIZER;
    char *tail;

    if (isdigit((unsigned char) *text)) {
        *number = strtod(text, &tail);
        switch (text[length]) {
        case 'k': *number *= 1e3; break;
        case 'M': *number *= 1e6; break;
        case 'G': *number *= 1e9; break;
        }
        if (tail == text + length
            && !tail[*tail && strchr("kMG", *tail) ? 1 : 0]) {
            return *number <= MAX_NUMBER ? NULL : xstrdup("is too large");
        }
    }

    mlog_put_quoted(&s, text);
    ds_put_cstr(&s, " is not a number such as 100, 0.5, 10k, 2.5M or 1G");
    return ds_steal_cstr(&s);
}

static bool
parse_op(const char **p, enum mlog_trigger_op *op)
{
    /* Longer ones first. */
    static const enum mlog_trigger_op ops[] = {
        MLOG_TRIGGER_GE, MLOG_TRIGGER_LE, MLOG_TRIGGER_EQ, MLOG_TRIGGER_NE,
        MLOG_TRIGGER_GT, MLOG_TRIGGER_LT,
    };

    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        const char *name = mlog_trigger_op_to_string(ops[i]);

        if (!strncmp(*p, name, strlen(name))) {
            *op = ops[i];
            *p += strlen(name);
            return true;
        }
    }
    return false;
}

/* AGGREGATE OP VALUE. */
static bool
parse_condition(struct mlog_trigger_def *def, const char *condition,
                struct mlog_error *error)
{
    const char *p = condition + strspn(condition, BLANKS);
    size_t name_len = strspn(p, NAME_CHARS);

    def->aggregate = xmemdup0(p, name_len);
    if (!name_len) {
        mlog_error_set(error, p - condition + 1, "expected AGGREGATE OP "
                       "VALUE, such as 'syns > 100'");
        return false;
    }

    p += name_len;
    p += strspn(p, BLANKS);
    if (!parse_op(&p, &def->op)) {
        mlog_error_set(error, p - condition + 1, "expected one of > >= < <= "
                       "== != after the aggregate");
        return false;
    }

    p += strspn(p, BLANKS);
    char *value = xmemdup0(p, strcspn(p, BLANKS));
    const char *rest = p + strlen(value);
    char *message = (*value ? mlog_number_parse(value, &def->threshold)
                     : xstrdup("expected a number after the operator"));
    free(value);
    if (message) {
        mlog_error_set(error, p - condition + 1, "%s", message);
        free(message);
        return false;
    }
    rest += strspn(rest, BLANKS);
    if (*rest) {
        mlog_error_set(error, rest - condition + 1, "nothing can follow the "
                       "value");
        return false;
    }
    return true;
}

/* Returns NULL, or what is wrong with the clear threshold, to be freed. */
static char *
check_clear(const struct mlog_trigger_def *def)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    const char *must;

    switch (def->op) {
    case MLOG_TRIGGER_GT:
        must = def->clear <= def->threshold ? NULL : "at most";
        break;
    case MLOG_TRIGGER_GE:
        must = def->clear < def->threshold ? NULL : "less than";
        break;
    case MLOG_TRIGGER_LT:
        must = def->clear >= def->threshold ? NULL : "at least";
        break;
    case MLOG_TRIGGER_LE:
        must = def->clear > def->threshold ? NULL : "more than";
        break;
    case MLOG_TRIGGER_EQ:
    case MLOG_TRIGGER_NE:
        return xasprintf("can't be used with %s: such a trigger clears when "
                         "its condition no longer holds",
                         mlog_trigger_op_to_string(def->op));
    default:
        OVS_NOT_REACHED();
    }
    if (!must) {
        return NULL;
    }
    ds_put_format(&s, "must be %s the threshold ", must);
    mlog_number_format(def->threshold, &s);
    return ds_steal_cstr(&s);
}

/* Returns NULL or an error message to free. */
static char *
parse_duration(const char *text, uint64_t min, uint64_t max, uint64_t *ns)
{
    char *message = mlog_duration_parse(text, ns);

    if (!message && (*ns < min || *ns > max)) {
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_cstr(&s, "must be from ");
        mlog_duration_format(min, &s);
        ds_put_cstr(&s, " to ");
        mlog_duration_format(max, &s);
        message = ds_steal_cstr(&s);
    }
    return message;
}

static char *
parse_option(struct mlog_trigger_def *def, size_t i, const char *value)
{
    char *message;

    switch (i) {
    case 0:
        return parse_duration(value, MLOG_MIN_PERIOD_NS, MLOG_MAX_PERIOD_NS,
                              &def->period);
    case 1:
        return parse_duration(value, 0, MLOG_MAX_HOLD_NS, &def->hold);
    case 2:
        def->has_clear = true;
        message = mlog_number_parse(value, &def->clear);
        return message ? message : check_clear(def);
    }
    OVS_NOT_REACHED();
}

static bool
parse_options(struct mlog_trigger_def *def, const char *const options[],
              size_t n_options, struct mlog_error *error, const char **where)
{
    static const char *const names[] = { "period", "for", "clear" };
    const char *values[ARRAY_SIZE(names)];

    if (!mlog_options_split(options, n_options, names, ARRAY_SIZE(names),
                            values, error, where)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char *message = values[i] ? parse_option(def, i, values[i]) : NULL;

        if (message) {
            mlog_options_error(names[i], values[i], message, error, where);
            return false;
        }
    }
    return true;
}

struct mlog_trigger_def *
mlog_trigger_def_parse(const char *name, const char *condition,
                       const char *const options[], size_t n_options,
                       struct mlog_error *error, const char **where)
{
    struct mlog_trigger_def *def = xzalloc(sizeof *def);

    ovs_refcount_init(&def->refcount);
    def->name = xstrdup(name);
    def->period = MLOG_MIN_PERIOD_NS;
    *where = condition;
    if (!parse_condition(def, condition, error)
        || !parse_options(def, options, n_options, error, where)) {
        mlog_trigger_def_unref(def);
        return NULL;
    }
    return def;
}
