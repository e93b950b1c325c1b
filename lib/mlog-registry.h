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

#ifndef MLOG_REGISTRY_H
#define MLOG_REGISTRY_H 1

/* The queries there are
 * =====================
 *
 * Whoever executes queries for others registers each of them here as soon as
 * it is submitted, so that it can be listed and cancelled, and asks what a
 * query may cost.
 *
 * A query is cancelled by setting a flag that it looks at (mlog-budget.h);
 * what watches over it is told by a callback, so that the client needn't wait
 * until the query has noticed.
 *
 * Thread-safety
 * =============
 *
 * All functions may be called from any thread.  A struct mlog_query belongs to
 * the one who added it, who must be the only one to call mlog_query_*(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-budget.h"

struct mlog_registry;

/* Why a query was cancelled. */
enum mlog_cancel {
    MLOG_CANCEL_NONE,
    MLOG_CANCEL_REQUEST,        /* multilog/query-cancel. */
    MLOG_CANCEL_GONE,           /* Its client has closed the connection. */
    MLOG_CANCEL_EXIT,           /* The process ends. */
};

struct mlog_registry *mlog_registry_create(void);
void mlog_registry_destroy(struct mlog_registry *);

/* Has 'cb' called, in the thread that cancels, whenever a query was cancelled;
 * at most MLOG_REGISTRY_MAX_CALLBACKS, told apart by 'aux'.  When it has been
 * removed, it isn't running any more. */
#define MLOG_REGISTRY_MAX_CALLBACKS 2
void mlog_registry_add_callback(struct mlog_registry *,
                                void (*cb)(void *aux), void *aux);
void mlog_registry_remove_callback(struct mlog_registry *, const void *aux);

/* Limits of queries: what they have by default, and what they may have at
 * most. */
enum mlog_limit {
    MLOG_LIMIT_TIMEOUT,         /* ns; never 0. */
    MLOG_LIMIT_ROWS,            /* 0: no limit. */
    MLOG_LIMIT_MEMORY,          /* Bytes; 0: no limit. */
    MLOG_N_LIMITS
};

struct mlog_limit_range {
    uint64_t normal;
    uint64_t max;
};

#define MLOG_MAX_WORKERS 16
#define MLOG_DEFAULT_WORKERS 4

struct mlog_limit_range mlog_registry_get_limit(const struct mlog_registry *,
                                                enum mlog_limit);
void mlog_registry_set_limit(struct mlog_registry *, enum mlog_limit,
                             struct mlog_limit_range);

/* How many queries are executed at a time, 1 to MLOG_MAX_WORKERS. */
unsigned int mlog_registry_get_workers(const struct mlog_registry *);
void mlog_registry_set_workers(struct mlog_registry *, unsigned int);

/* One query. */
struct mlog_query;

/* Adds a query that waits.  'client' and 'command' are texts for people, which
 * may be hostile: long ones are shortened. */
struct mlog_query *mlog_query_add(struct mlog_registry *, const char *client,
                                  const char *command);
void mlog_query_remove(struct mlog_query *);

void mlog_query_set_running(struct mlog_query *);
void mlog_query_cancel(struct mlog_query *, enum mlog_cancel);
enum mlog_cancel mlog_query_cancelled(const struct mlog_query *);

/* Lets 'budget' count on the query, and end with it. */
void mlog_query_use_budget(struct mlog_query *, struct mlog_budget *budget);

/* What is known of a query. */
#define MLOG_QUERY_TEXT_MAX 256
struct mlog_query_info {
    uint64_t id;
    bool running;
    bool cancelled;
    char client[MLOG_QUERY_TEXT_MAX];
    char command[MLOG_QUERY_TEXT_MAX];
    long long int elapsed;      /* ms since it was added. */
    long long int ran;          /* ms since it runs. */
    uint64_t n_rows;            /* Rows looked at so far. */
    uint64_t memory;            /* Bytes. */
};

/* Returns an array, for the caller to free, oldest first. */
struct mlog_query_info *mlog_registry_list(const struct mlog_registry *,
                                           size_t *n);

/* Cancels the query with number 'id', or all if that is 0.  Returns how many
 * there were. */
size_t mlog_registry_cancel(struct mlog_registry *, uint64_t id);

#endif /* mlog-registry.h */
