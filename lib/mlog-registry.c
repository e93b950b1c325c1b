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

#include "mlog-registry.h"

#include <string.h>

#include "openvswitch/list.h"
#include "openvswitch/thread.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

struct mlog_query {
    struct ovs_list node;       /* In the registry's list. */
    struct mlog_registry *registry;
    uint64_t id;
    char client[MLOG_QUERY_TEXT_MAX];
    char command[MLOG_QUERY_TEXT_MAX];
    long long int added;        /* ms. */
    long long int started;      /* ms; 0: it waits.  Under the mutex. */
    atomic_bool cancel;
    atomic_int why;             /* enum mlog_cancel; set before 'cancel'. */
    struct mlog_usage usage;
};

struct mlog_registry {
    struct ovs_mutex mutex;
    struct ovs_list queries OVS_GUARDED;        /* Oldest first. */
    size_t n_queries OVS_GUARDED;
    uint64_t last_id OVS_GUARDED;
    struct mlog_limit_range limits[MLOG_N_LIMITS] OVS_GUARDED;
    unsigned int n_workers OVS_GUARDED;
    struct callback {
        void (*cb)(void *aux);  /* NULL: none. */
        void *aux;
    } callbacks[MLOG_REGISTRY_MAX_CALLBACKS] OVS_GUARDED;
};

static const struct mlog_limit_range default_limits[MLOG_N_LIMITS] = {
    [MLOG_LIMIT_TIMEOUT] = { UINT64_C(30000000000), UINT64_C(600000000000) },
    [MLOG_LIMIT_ROWS] = { 0, 0 },
    [MLOG_LIMIT_MEMORY] = { UINT64_C(512) << 20, UINT64_C(1) << 30 },
};

struct mlog_registry *
mlog_registry_create(void)
{
    struct mlog_registry *registry = xzalloc(sizeof *registry);

    ovs_mutex_init(&registry->mutex);
    ovs_mutex_lock(&registry->mutex);
    ovs_list_init(&registry->queries);
    memcpy(registry->limits, default_limits, sizeof registry->limits);
    registry->n_workers = MLOG_DEFAULT_WORKERS;
    ovs_mutex_unlock(&registry->mutex);
    return registry;
}

void
mlog_registry_destroy(struct mlog_registry *registry)
{
    if (registry) {
        ovs_mutex_destroy(&registry->mutex);
        free(registry);
    }
}

/* Returns the callback with 'aux', or with NULL a free place; NULL if there is
 * none. */
static struct callback *
find_callback(struct mlog_registry *registry, const void *aux)
    OVS_REQUIRES(registry->mutex)
{
    for (size_t i = 0; i < MLOG_REGISTRY_MAX_CALLBACKS; i++) {
        if (registry->callbacks[i].aux == aux) {
            return &registry->callbacks[i];
        }
    }
    return NULL;
}

static void
call_callbacks(const struct mlog_registry *registry)
    OVS_REQUIRES(registry->mutex)
{
    for (size_t i = 0; i < MLOG_REGISTRY_MAX_CALLBACKS; i++) {
        if (registry->callbacks[i].cb) {
            registry->callbacks[i].cb(registry->callbacks[i].aux);
        }
    }
}

void
mlog_registry_add_callback(struct mlog_registry *registry,
                           void (*cb)(void *aux), void *aux)
{
    ovs_mutex_lock(&registry->mutex);
    *find_callback(registry, NULL) = (struct callback) { cb, aux };
    ovs_mutex_unlock(&registry->mutex);
}

void
mlog_registry_remove_callback(struct mlog_registry *registry, const void *aux)
{
    struct callback *callback;

    ovs_mutex_lock(&registry->mutex);
    callback = find_callback(registry, aux);
    if (callback) {
        *callback = (struct callback) { NULL, NULL };
    }
    ovs_mutex_unlock(&registry->mutex);
}

/* Limits. */

struct mlog_limit_range
mlog_registry_get_limit(const struct mlog_registry *registry,
                        enum mlog_limit limit)
{
    struct mlog_limit_range range;

    ovs_mutex_lock(&registry->mutex);
    range = registry->limits[limit];
    ovs_mutex_unlock(&registry->mutex);
    return range;
}

void
mlog_registry_set_limit(struct mlog_registry *registry,
                        enum mlog_limit limit, struct mlog_limit_range range)
{
    ovs_mutex_lock(&registry->mutex);
    registry->limits[limit] = range;
    ovs_mutex_unlock(&registry->mutex);
}

unsigned int
mlog_registry_get_workers(const struct mlog_registry *registry)
{
    unsigned int n;

    ovs_mutex_lock(&registry->mutex);
    n = registry->n_workers;
    ovs_mutex_unlock(&registry->mutex);
    return n;
}

void
mlog_registry_set_workers(struct mlog_registry *registry, unsigned int n)
{
    ovs_assert(n >= 1 && n <= MLOG_MAX_WORKERS);
    ovs_mutex_lock(&registry->mutex);
    registry->n_workers = n;
    ovs_mutex_unlock(&registry->mutex);
}

/* Queries. */

/* Copies 'text', with '?' for what isn't printable ASCII and "..." for what
 * has no room. */
static void
copy_text(char copy[MLOG_QUERY_TEXT_MAX], const char *text)
{
    size_t n;

    for (n = 0; n < MLOG_QUERY_TEXT_MAX - 1 && text[n]; n++) {
        copy[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
    }
    copy[n] = '\0';
    if (text[n]) {
        memcpy(&copy[n - 3], "...", 3);
    }
}

struct mlog_query *
mlog_query_add(struct mlog_registry *registry, const char *client,
               const char *command)
{
    struct mlog_query *query = xzalloc(sizeof *query);

    query->registry = registry;
    copy_text(query->client, client);
    copy_text(query->command, command);
    query->added = time_msec();
    atomic_init(&query->cancel, false);
    atomic_init(&query->why, MLOG_CANCEL_NONE);
    mlog_usage_init(&query->usage);

    ovs_mutex_lock(&registry->mutex);
    query->id = ++registry->last_id;
    ovs_list_push_back(&registry->queries, &query->node);
    registry->n_queries++;
    ovs_mutex_unlock(&registry->mutex);
    return query;
}

void
mlog_query_remove(struct mlog_query *query)
{
    if (query) {
        ovs_mutex_lock(&query->registry->mutex);
        ovs_list_remove(&query->node);
        query->registry->n_queries--;
        ovs_mutex_unlock(&query->registry->mutex);
        free(query);
    }
}

void
mlog_query_set_running(struct mlog_query *query)
{
    ovs_mutex_lock(&query->registry->mutex);
    query->started = time_msec();
    ovs_mutex_unlock(&query->registry->mutex);
}

/* The first reason counts.  Returns false if there was one. */
static bool
cancel(struct mlog_query *query, enum mlog_cancel why)
{
    int none = MLOG_CANCEL_NONE;

    if (!atomic_compare_exchange_strong(&query->why, &none, why)) {
        return false;
    }
    atomic_store_relaxed(&query->cancel, true);
    return true;
}

void
mlog_query_cancel(struct mlog_query *query, enum mlog_cancel why)
{
    cancel(query, why);
}

enum mlog_cancel
mlog_query_cancelled(const struct mlog_query *query)
{
    int why;

    atomic_read_relaxed(CONST_CAST(atomic_int *, &query->why), &why);
    return why;
}

void
mlog_query_use_budget(struct mlog_query *query, struct mlog_budget *budget)
{
    budget->cancel = &query->cancel;
    budget->usage = &query->usage;
}

/* All queries. */

static void
get_info(const struct mlog_query *query, long long int now,
         struct mlog_query_info *info)
{
    info->id = query->id;
    info->running = query->started != 0;
    info->cancelled = mlog_query_cancelled(query) != MLOG_CANCEL_NONE;
    ovs_strlcpy(info->client, query->client, sizeof info->client);
    ovs_strlcpy(info->command, query->command, sizeof info->command);
    info->elapsed = now - query->added;
    info->ran = query->started ? now - query->started : 0;
    atomic_read_relaxed(CONST_CAST(atomic_uint64_t *, &query->usage.n_rows),
                        &info->n_rows);
    atomic_read_relaxed(CONST_CAST(atomic_uint64_t *, &query->usage.memory),
                        &info->memory);
}

struct mlog_query_info *
mlog_registry_list(const struct mlog_registry *registry, size_t *n)
{
    long long int now = time_msec();
    struct mlog_query_info *infos;
    const struct mlog_query *query;

    *n = 0;
    ovs_mutex_lock(&registry->mutex);
    infos = xmalloc((registry->n_queries + 1) * sizeof *infos);
    LIST_FOR_EACH (query, node, &registry->queries) {
        get_info(query, now, &infos[(*n)++]);
    }
    ovs_mutex_unlock(&registry->mutex);
    return infos;
}

size_t
mlog_registry_cancel(struct mlog_registry *registry, uint64_t id)
{
    struct mlog_query *query;
    size_t n = 0;

    ovs_mutex_lock(&registry->mutex);
    LIST_FOR_EACH (query, node, &registry->queries) {
        if (!id || query->id == id) {
            n += cancel(query, MLOG_CANCEL_REQUEST);
        }
    }
    if (n) {
        call_callbacks(registry);
    }
    ovs_mutex_unlock(&registry->mutex);
    return n;
}
