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

#ifndef MLOG_COMMAND_QUERY_H
#define MLOG_COMMAND_QUERY_H 1

/* Private to the commands that ask for records: what multilog/query,
 * multilog/flows and others have in common.
 *
 * A handler parses its options, calls mlog_ask_start(), runs the query, fills
 * in the document, and in any case calls mlog_ask_finish(). */

#include "mlog-command-call.h"
#include "mlog-header-log.h"
#include "mlog-query.h"

#define MLOG_ASK_DEFAULT_TOP 100
#define MLOG_ASK_MAX_SHOWN 1000000

/* What all queries have. */
struct mlog_ask {
    struct mlog_call *call;
    struct mlog_expr *expr;
    struct mlog_range range;
    struct mlog_budget budget;
    struct mlog_snapshot snapshot;
    bool stale;                 /* The cut is older than the query. */
};

/* Parses the expression and takes a snapshot, or sets the error and returns
 * false. */
bool mlog_ask_start(struct mlog_ask *);
void mlog_ask_finish(struct mlog_ask *);

/* Says what was covered, and what is missing. */
void mlog_ask_put_coverage(const struct mlog_ask *,
                           const struct mlog_query_totals *);

/* The line for people: 'n_shown' of 'n' of 'what', or, if that is NULL, of the
 * records. */
void mlog_ask_put_summary(const struct mlog_ask *, const char *what,
                          size_t n_shown, size_t n,
                          const struct mlog_query_totals *);

/* A cell with the value of aggregate 'i' of group 'id'. */
void mlog_ask_put_aggregate(struct mlog_table *, enum mlog_format,
                            const struct mlog_groups *, uint32_t id, size_t i,
                            const struct mlog_query_aggregate *);

/* The form of multilog/join with --within, in mlog-command-pairs.c; the left
 * expression is what mlog_ask_start() parses. */
struct mlog_join_keys;
void mlog_ask_pairs(struct mlog_ask *, const struct mlog_expr *right,
                    const struct mlog_join_keys *);

/* The queries for groups, mlog-command-groups.c: --group-by, --bucket,
 * --distinct; counts without groups; and flows. */
void mlog_ask_groups(struct mlog_ask *);
void mlog_ask_totals(struct mlog_ask *);
void mlog_ask_flows(struct mlog_ask *);

#endif /* mlog-command-query.h */
