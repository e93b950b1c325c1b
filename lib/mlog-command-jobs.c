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

#include <errno.h>

#include "mlog-time.h"
#include "multilog.h"
#include "timeval.h"
#include "util.h"

/* What queries may cost, and the queries there are. */

/* Limits. */

static const char *const limit_settings[MLOG_N_LIMITS] = {
    [MLOG_LIMIT_TIMEOUT] = "query-timeout",
    [MLOG_LIMIT_ROWS] = "query-max-rows",
    [MLOG_LIMIT_MEMORY] = "query-max-memory",
};

static void
put_limit(struct ds *text, enum mlog_limit limit, uint64_t value)
{
    if (!value) {
        ds_put_cstr(text, "none");
    } else if (limit == MLOG_LIMIT_TIMEOUT) {
        mlog_duration_format(value, text);
    } else if (limit == MLOG_LIMIT_MEMORY && !(value % (1u << 20))) {
        ds_put_format(text, "%"PRIu64"M", value >> 20);
    } else {
        ds_put_format(text, "%"PRIu64, value);
    }
}

void
mlog_command_put_limit(struct mlog_call *call, enum mlog_limit limit,
                       struct mlog_table *table)
{
    struct mlog_limit_range range
        = mlog_registry_get_limit(call->ml->registry, limit);
    struct ds text = DS_EMPTY_INITIALIZER;

    put_limit(&text, limit, range.normal);
    ds_put_char(&text, '/');
    put_limit(&text, limit, range.max);
    mlog_table_put_string(table, ds_cstr(&text));
    ds_destroy(&text);
}

/* Parses 'text' into a limit other than "none".  'word' is what 'text' is a
 * part of, 'what' whose value it is. */
static bool
parse_limit(struct mlog_call *call, enum mlog_limit limit, const char *what,
            const char *word, const char *at, const char *text,
            uint64_t *value)
{
    char *message = NULL;

    switch (limit) {
    case MLOG_LIMIT_TIMEOUT:
        message = mlog_duration_parse(text, value);
        if (!message && *value < MLOG_NS_PER_MS) {
            message = xstrdup("must be at least 1ms");
        }
        break;
    case MLOG_LIMIT_ROWS:
        if (text[strspn(text, "0123456789")] || !*text
            || !str_to_ullong(text, 10, (unsigned long long *) value)
            || !*value) {
            message = xstrdup("needs a whole number above 0");
        }
        break;
    case MLOG_LIMIT_MEMORY:
        message = mlog_parse_size(text, value);
        break;
    case MLOG_N_LIMITS:
        OVS_NOT_REACHED();
    }
    if (message) {
        mlog_call_error(call, word, at, "%s: %s", what, message);
        free(message);
        return false;
    }
    return true;
}

static bool
exceeds(uint64_t value, uint64_t max)
{
    return max && (!value || value > max);
}

bool
mlog_command_set_limit(struct mlog_call *call, enum mlog_limit limit,
                       const char *value)
{
    struct mlog_registry *registry = call->ml->registry;
    struct mlog_limit_range range = mlog_registry_get_limit(registry, limit);
    const char *slash = strchr(value, '/');
    const char *parts[] = { value, slash ? slash + 1 : NULL };
    uint64_t *values[] = { &range.normal, &range.max };

    for (int i = 0; i < 2 && parts[i]; i++) {
        size_t length = i || !slash ? strlen(parts[i]) : slash - value;
        char *part = xmemdup0(parts[i], length);
        bool ok = true;

        *values[i] = 0;
        if (strcmp(part, "none") || limit == MLOG_LIMIT_TIMEOUT) {
            ok = parse_limit(call, limit, limit_settings[limit], value,
                             parts[i], part, values[i]);
        }
        free(part);
        if (!ok) {
            return false;
        }
    }
    if (exceeds(range.normal, range.max)) {
        struct ds text = DS_EMPTY_INITIALIZER;

        put_limit(&text, limit, range.max);
        mlog_call_error(call, value, value, "%s: the default is above the "
                        "maximum, %s; give both, as DEFAULT/MAXIMUM",
                        limit_settings[limit], ds_cstr(&text));
        ds_destroy(&text);
        return false;
    }
    mlog_registry_set_limit(registry, limit, range);
    return true;
}

/* Budgets. */

static bool
get_limit(struct mlog_call *call, enum mlog_option option,
          enum mlog_limit limit, const char *name, uint64_t *value)
{
    struct mlog_limit_range range
        = mlog_registry_get_limit(call->ml->registry, limit);
    const char *word = call->options[option];

    *value = range.normal;
    if (word && !parse_limit(call, limit, name, word, word, word, value)) {
        return false;
    }
    if (exceeds(*value, range.max)) {
        struct ds text = DS_EMPTY_INITIALIZER;

        put_limit(&text, limit, range.max);
        mlog_call_error(call, word, word, "%s: may be at most %s here; see "
                        "multilog/set %s", name, ds_cstr(&text),
                        limit_settings[limit]);
        ds_destroy(&text);
        return false;
    }
    return true;
}

bool
mlog_call_get_budget(struct mlog_call *call, struct mlog_budget *budget)
{
    uint64_t timeout;

    memset(budget, 0, sizeof *budget);
    if (!get_limit(call, MLOG_OPT_TIMEOUT, MLOG_LIMIT_TIMEOUT, "--timeout",
                   &timeout)
        || !get_limit(call, MLOG_OPT_MAX_ROWS, MLOG_LIMIT_ROWS, "--max-rows",
                      &budget->max_rows)
        || !get_limit(call, MLOG_OPT_MAX_MEMORY, MLOG_LIMIT_MEMORY,
                      "--max-memory", &budget->max_memory)) {
        return false;
    }
    budget->deadline = time_msec() + timeout / MLOG_NS_PER_MS;
    budget->cancel = &call->ml->cancel;
    if (call->query) {
        mlog_query_use_budget(call->query, budget);
    } else {
        mlog_usage_init(&call->usage);
        budget->usage = &call->usage;
    }
    return true;
}

static bool
cancelled_error(struct mlog_call *call)
{
    return mlog_call_error(call, NULL, NULL, "the query was cancelled%s",
                           !call->query
                           || (mlog_query_cancelled(call->query)
                               == MLOG_CANCEL_EXIT)
                           ? ", as the switch is shutting down"
                           : " by multilog/query-cancel");
}

bool
mlog_call_query_error(struct mlog_call *call, int error)
{
    switch (error) {
    case 0:
        return true;
    case ETIMEDOUT:
        return mlog_call_error(call, NULL, NULL, "the query timed out; narrow "
                               "it with --last, --since or an expression, or "
                               "give it more time with --timeout");
    case EDQUOT:
        return mlog_call_error(call, NULL, NULL, "the query has looked at as "
                               "many records as it may; narrow it with "
                               "--last, --since or an expression, or allow "
                               "more with --max-rows");
    case ENOMEM:
        return mlog_call_error(call, NULL, NULL, "the result of the query "
                               "takes more memory than it may; narrow it with "
                               "--last, --since, --limit or an expression, "
                               "or allow more with --max-memory");
    case ECANCELED:
        return cancelled_error(call);
    case E2BIG:
        return mlog_call_error(call, NULL, NULL, "too many groups: more than "
                               "%d, or than fit into %"PRIu64" MiB; narrow "
                               "the query with --last, --since or an "
                               "expression, or group by fewer fields",
                               MLOG_QUERY_MAX_GROUPS,
                               MLOG_QUERY_MAX_MEMORY >> 20);
    case EDOM:
        return mlog_call_error(call, call->options[MLOG_OPT_BUCKET],
                               call->options[MLOG_OPT_BUCKET],
                               "--bucket: there would be more than %d "
                               "buckets; choose a wider one, or narrow the "
                               "query with --last or --since",
                               MLOG_QUERY_MAX_BUCKETS);
    default:
        return mlog_call_error(call, NULL, NULL, "%s", ovs_strerror(error));
    }
}

/* multilog/query-list. */

static void
put_query(struct mlog_table *table, const struct mlog_query_info *info)
{
    mlog_table_put_u64(table, info->id);
    mlog_table_put_string(table, info->client);
    mlog_table_put_string(table, info->cancelled ? "cancelled"
                          : info->running ? "running" : "waiting");
    mlog_table_put_u64(table, info->elapsed);
    mlog_table_put_u64(table, info->ran);
    mlog_table_put_u64(table, info->n_rows);
    mlog_table_put_u64(table, info->memory);
    mlog_table_put_string(table, info->command);
}

void
mlog_command_query_list(struct mlog_call *call)
{
    struct mlog_table *table = mlog_document_table(&call->doc, "queries");
    struct mlog_query_info *infos;
    size_t n, n_running = 0;

    infos = mlog_registry_list(call->ml->registry, &n);
    mlog_table_add_column(table, "id", true);
    mlog_table_add_column(table, "client", false);
    mlog_table_add_column(table, "state", false);
    mlog_table_add_column(table, "elapsed_ms", true);
    mlog_table_add_column(table, "ran_ms", true);
    mlog_table_add_column(table, "rows", true);
    mlog_table_add_column(table, "memory", true);
    mlog_table_add_column(table, "command", false);
    for (size_t i = 0; i < n; i++) {
        put_query(table, &infos[i]);
        n_running += infos[i].running;
    }
    free(infos);
    mlog_document_put_u64(&call->doc, "running", n_running);
    mlog_document_put_u64(&call->doc, "waiting", n - n_running);
    mlog_document_summary(&call->doc, "%"PRIuSIZE" running, %"PRIuSIZE
                          " waiting", n_running, n - n_running);
}

/* multilog/query-cancel. */

void
mlog_command_query_cancel(struct mlog_call *call)
{
    const char *word = call->args[0];
    uint64_t id = 0;
    size_t n;

    if (strcmp(word, "all")
        && !mlog_call_parse_u64(call, word, "query-cancel", 1, UINT64_MAX,
                                &id)) {
        return;
    }
    n = mlog_registry_cancel(call->ml->registry, id);
    if (!n && id) {
        mlog_call_error(call, word, word, "there is no query %"PRIu64" (any "
                        "more); see multilog/query-list", id);
        return;
    }
    mlog_document_put_u64(&call->doc, "cancelled", n);
    mlog_document_summary(&call->doc, "%"PRIuSIZE" cancelled", n);
}
