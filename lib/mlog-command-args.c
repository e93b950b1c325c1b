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
#include <errno.h>

#include "mlog-pcap-filter.h"
#include "mlog-time.h"
#include "multilog.h"
#include "util.h"

/* Names of the options that are parsed here, for messages. */
static const char *
option_name(enum mlog_option option)
{
    switch (option) {
    case MLOG_OPT_SINCE: return "--since";
    case MLOG_OPT_UNTIL: return "--until";
    case MLOG_OPT_LAST: return "--last";
    case MLOG_OPT_FIELDS: return "--fields";
    case MLOG_OPT_LIMIT: return "--limit";
    case MLOG_OPT_GROUP_BY: return "--group-by";
    case MLOG_OPT_AGGREGATE: return "--aggregate";
    case MLOG_OPT_TOP: return "--top";
    case MLOG_OPT_TIMEOUT: return "--timeout";
    case MLOG_OPT_SINCE_SEQ: return "--since-seq";
    case MLOG_OPT_BUCKET: return "--bucket";
    case MLOG_OPT_DISTINCT: return "--distinct";
    case MLOG_OPT_ORDER_BY: return "--order-by";
    case MLOG_OPT_WITHIN: return "--within";
    case MLOG_OPT_MAX_ROWS: return "--max-rows";
    case MLOG_OPT_MAX_MEMORY: return "--max-memory";
    case MLOG_OPT_FORMAT:
    case MLOG_OPT_HELP:
    case MLOG_OPT_COUNT:
    case MLOG_OPT_OLDEST:
    case MLOG_OPT_BY:
    case MLOG_OPT_HAVING:
    case MLOG_OPT_EXPLAIN:
    case MLOG_OPT_FILTER:
    case MLOG_OPT_CURSOR:
    case MLOG_OPT_SINCE_CURSOR:
    case MLOG_OPT_UNANSWERED:
    case MLOG_OPT_WHOLE:
    case MLOG_OPT_ON:
    case MLOG_OPT_KIND:
    case MLOG_OPT_COMPUTE:
    case MLOG_OPT_PCAP_FILTER:
    case MLOG_OPT_PERSIST:
    case MLOG_N_OPTIONS:
        break;
    }
    OVS_NOT_REACHED();
}

/* Takes over 'message', about the value of 'option', if it isn't NULL. */
static bool
check_message(struct mlog_call *call, enum mlog_option option, char *message)
{
    if (message) {
        const char *value = call->options[option];

        mlog_call_error(call, value, value, "%s: %s", option_name(option),
                        message);
        free(message);
    }
    return !mlog_call_failed(call);
}

/* Numbers. */

bool
mlog_call_parse_u64(struct mlog_call *call, const char *word,
                    const char *what, uint64_t min, uint64_t max,
                    uint64_t *value)
{
    size_t length = strspn(word, "0123456789");
    unsigned long long int number;

    if (length && length < 20 && !word[length]) {
        number = strtoull(word, NULL, 10);
        if (number >= min && number <= max) {
            *value = number;
            return true;
        }
    }
    return mlog_call_error(call, word, word + (word[length] ? length : 0),
                           "%s: needs a whole number from %"PRIu64" to %"
                           PRIu64, what, min, max);
}

bool
mlog_call_get_u64(struct mlog_call *call, enum mlog_option option,
                  uint64_t min, uint64_t max, uint64_t *value)
{
    return (!mlog_call_has(call, option)
            || mlog_call_parse_u64(call, call->options[option],
                                   option_name(option), min, max, value));
}

/* Returns what a suffix k, M, G or T, with or without "B" or "iB", multiplies
 * by, or 0 if 'suffix' isn't one. */
static double
size_unit(const char *suffix)
{
    static const char units[] = "kmgt";
    const char *unit = (*suffix
                        ? strchr(units, tolower((unsigned char) *suffix))
                        : NULL);
    double factor = 1;

    if (unit) {
        for (size_t i = 0; i <= unit - units; i++) {
            factor *= 1024;
        }
        suffix++;
    }
    return (!*suffix || !strcasecmp(suffix, "B")
            || (unit && !strcasecmp(suffix, "iB")) ? factor : 0);
}

char *
mlog_parse_size(const char *text, uint64_t *bytes)
{
    size_t length = strspn(text, "0123456789.");
    char *end;
    double size;

    if (isdigit((unsigned char) text[0])) {
        size = strtod(text, &end) * size_unit(text + length);
        if (end == text + length && size > 0 && size < 0x1p63) {
            *bytes = size;
            return NULL;
        }
    }

    struct ds message = DS_EMPTY_INITIALIZER;
    mlog_put_quoted(&message, text);
    ds_put_cstr(&message, " is not a size in bytes such as 512M or 1.5G");
    return ds_steal_cstr(&message);
}

void
mlog_put_size(struct ds *ds, uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    double number = bytes;
    size_t i = 0;

    while (number >= 1024 && i + 1 < ARRAY_SIZE(units)) {
        number /= 1024;
        i++;
    }
    ds_put_format(ds, i && number < 100 ? "%.1f %s" : "%.0f %s", number,
                  units[i]);
}

/* Times. */

bool
mlog_call_get_duration(struct mlog_call *call, enum mlog_option option,
                       uint64_t *ns)
{
    return (!mlog_call_has(call, option)
            || check_message(call, option,
                             mlog_duration_parse(call->options[option], ns)));
}

/* "5m" and "5m ago" are taken as "-5m". */
static bool
get_time(struct mlog_call *call, enum mlog_option option, uint64_t now,
         uint64_t *ns)
{
    const char *text = call->options[option];
    size_t length;
    uint64_t ago;
    char *error;

    if (!text) {
        return true;
    }
    length = strlen(text);
    if (length > 4 && !strcmp(text + length - 4, " ago")) {
        length -= 4;
    }
    if (length && isalpha((unsigned char) text[length - 1])) {
        char *duration = xmemdup0(text, length);

        error = mlog_duration_parse(duration, &ago);
        free(duration);
        if (!error) {
            *ns = now - MIN(ago, now);
            return true;
        }
        free(error);
    }
    return check_message(call, option,
                         mlog_time_parse_relative(text, now, ns));
}

bool
mlog_call_get_range(struct mlog_call *call, uint64_t cut,
                    struct mlog_range *range)
{
    uint64_t last = 0;

    range->since = 0;
    range->until = UINT64_MAX;
    if (!mlog_call_get_duration(call, MLOG_OPT_LAST, &last)
        || !get_time(call, MLOG_OPT_SINCE, cut, &range->since)
        || !get_time(call, MLOG_OPT_UNTIL, cut, &range->until)) {
        return false;
    }
    if (mlog_call_has(call, MLOG_OPT_LAST)) {
        if (mlog_call_has(call, MLOG_OPT_SINCE)
            || mlog_call_has(call, MLOG_OPT_UNTIL)) {
            const char *value = call->options[MLOG_OPT_LAST];

            return mlog_call_error(call, value, NULL, "--last cannot be "
                                   "combined with --since or --until");
        }
        range->since = cut - MIN(last, cut);
    }
    if (range->since > range->until) {
        const char *value = call->options[MLOG_OPT_UNTIL];

        return mlog_call_error(call, value, value,
                               "--until: is before --since");
    }
    return true;
}

/* Expressions. */

struct mlog_expr *
mlog_call_add_pcap_filter(struct mlog_call *call, struct mlog_expr *expr)
{
    const char *text = call->options[MLOG_OPT_PCAP_FILTER];
    struct mlog_error error = MLOG_ERROR_INITIALIZER;

    if (text && !call->pcap_filter) {
        call->pcap_filter = mlog_pcap_filter_compile(text, &error);
        if (!call->pcap_filter) {
            mlog_call_take_error(call, text, &error);
        }
    }
    return (call->pcap_filter
            ? mlog_pcap_filter_and(expr, call->pcap_filter) : expr);
}

void
mlog_call_put_undecided(struct mlog_call *call)
{
    uint64_t n = (call->pcap_filter
                  ? mlog_pcap_filter_n_undecided(call->pcap_filter) : 0);

    if (n) {
        mlog_document_put_u64(&call->doc, "undecided", n);
        mlog_document_note(&call->doc, "%"PRIu64" records are not counted as "
                           "matches, as --pcap-filter depends on what is not "
                           "recorded of them", n);
    }
}

/* Fields. */

const struct mlog_field *
mlog_call_parse_field(struct mlog_call *call, const char *word,
                      const char *start, size_t length)
{
    char *name = xmemdup0(start, length);
    const struct mlog_field *field = mlog_field_from_name(name);

    if (!length) {
        mlog_call_error(call, word, start, "the name of a field is missing");
    } else if (!field) {
        mlog_call_take_message(call, word, start,
                               mlog_field_unknown_error(name));
    }
    free(name);
    return field;
}

static bool
add_field(struct mlog_call *call, const char *word, const char *start,
          size_t length, size_t max, const struct mlog_field *fields[],
          size_t *n)
{
    const struct mlog_field *field = mlog_call_parse_field(call, word, start,
                                                           length);

    if (!field) {
        return false;
    }
    for (size_t i = 0; i < *n; i++) {
        if (fields[i] == field) {
            return mlog_call_error(call, word, start,
                                   "field '%s' is there twice", field->name);
        }
    }
    if (*n >= max) {
        return mlog_call_error(call, word, start, "too many fields; at most "
                               "%"PRIuSIZE" are possible here", max);
    }
    fields[(*n)++] = field;
    return true;
}

bool
mlog_call_parse_fields(struct mlog_call *call, const char *word,
                       const char *list, size_t max,
                       const struct mlog_field *fields[], size_t *n)
{
    const char *p = list;

    *n = 0;
    for (;;) {
        size_t length = strcspn(p, ",");

        if (!add_field(call, word, p, length, max, fields, n)) {
            return false;
        }
        if (!p[length]) {
            return true;
        }
        p += length + 1;
    }
}

bool
mlog_call_get_fields(struct mlog_call *call, enum mlog_option option,
                     size_t max, const struct mlog_field *fields[], size_t *n)
{
    const char *word = call->options[option];

    return !word || mlog_call_parse_fields(call, word, word, max, fields, n);
}
