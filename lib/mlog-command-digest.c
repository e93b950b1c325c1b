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

#include <string.h>

#include "mlog-cpus.h"
#include "mlog-expr.h"
#include "multilog.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* The digest's threads, for multilog/set and multilog/show. */

/* "digest-threads". */

bool
mlog_set_digest_threads(struct mlog_call *call, const char *value)
{
    uint64_t n;

    if (!mlog_call_parse_u64(call, value, "digest-threads", 1,
                             MLOG_LANES_MAX, &n)) {
        return false;
    }
    multilog_set_digest_threads(call->ml, n);
    return true;
}

void
mlog_put_digest_threads(struct mlog_call *call, struct mlog_table *table)
{
    struct mlog_digest_stats stats;

    mlog_digest_get_stats(call->ml->digest, &stats);
    mlog_table_put_u64(table, stats.n_threads);
}

/* "digest-cpus". */

static bool
no_usable_cpu(struct mlog_call *call, const char *value)
{
    struct ds text = DS_EMPTY_INITIALIZER;
    cpu_set_t usable;

    mlog_digest_get_usable_cpus(call->ml->digest, &usable);
    ds_put_cstr(&text, "digest-cpus: this process may run on none of these; "
                "it may on ");
    mlog_cpus_format(&usable, &text);
    return mlog_call_take_message(call, value, value, ds_steal_cstr(&text));
}

bool
mlog_set_digest_cpus(struct mlog_call *call, const char *value)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    bool none = !strcmp(value, "none");
    cpu_set_t cpus;

    if (!none && !mlog_cpus_parse(value, &cpus, &error)) {
        return mlog_call_take_error(call, value, &error);
    }
    return (!multilog_set_digest_cpus(call->ml, none ? NULL : &cpus)
            || no_usable_cpu(call, value));
}

static void
format_cpus(struct multilog *ml, struct ds *text)
{
    cpu_set_t cpus;

    if (multilog_get_digest_cpus(ml, &cpus)) {
        mlog_cpus_format(&cpus, text);
    } else {
        ds_put_cstr(text, "none");
    }
}

void
mlog_put_digest_cpus(struct mlog_call *call, struct mlog_table *table)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    format_cpus(call->ml, &text);
    mlog_table_put_string(table, ds_cstr(&text));
    ds_destroy(&text);
}

/* multilog/show. */

static double
load_percent(const struct mlog_digest_stats *stats, unsigned int i)
{
    return (stats->threads_ns
            ? 100.0 * stats->thread_cpu_ns[i] / stats->threads_ns : 0);
}

struct json *
mlog_digest_threads_to_json(const struct mlog_digest_stats *stats)
{
    struct json *threads = json_array_create_empty();

    for (unsigned int i = 0; i < stats->n_threads; i++) {
        struct json *thread = json_object_create();

        json_object_put(thread, "cpu_ns",
                        json_integer_create(stats->thread_cpu_ns[i]));
        json_object_put(thread, "cpu_percent",
                        json_real_create(load_percent(stats, i)));
        json_array_add(threads, thread);
    }
    return threads;
}

void
mlog_digest_threads_format(const struct mlog_digest_stats *stats,
                           struct ds *text)
{
    ds_put_format(text, "%u threads:", stats->n_threads);
    for (unsigned int i = 0; i < stats->n_threads; i++) {
        ds_put_format(text, "%s %.1f%%", i ? "," : "",
                      load_percent(stats, i));
    }
}
