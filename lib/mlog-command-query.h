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
#include "mlog-cursor.h"
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
    uint64_t cut;               /* Of the answer: that of its first page. */
    uint64_t until;             /* As asked for; UINT64_MAX without. */

    /* --cursor and --since-cursor. */
    enum mlog_cursor_kind kind; /* What a cursor has to be; 0: none. */
    bool has_cursor;
    bool follows;               /* --since-cursor. */
    struct mlog_cursor cursor;
    uint64_t digest;            /* Of the query. */

    /* --explain. */
    bool explains;
    bool plans_only;
    const char *output;         /* What the query computes, for people. */
    long long int started, cut_at, done_at;     /* us, monotonic. */
};

/* Parses the expression, the filter and the cursor, and takes a snapshot, or
 * sets the error and returns false.  Returns false too if the plan is all that
 * is wanted, which is in the document then. */
bool mlog_ask_start(struct mlog_ask *);
void mlog_ask_finish(struct mlog_ask *);

/* The time between the snapshot and this is that of the query. */
void mlog_ask_done(struct mlog_ask *);

/* Adds a cursor to the answer, to go on with; people see it only if they use
 * cursors.  'cursor' is complete but for
 * what is the same on all pages. */
void mlog_ask_put_next(struct mlog_ask *, struct mlog_cursor *cursor);

/* Says on a later page what has happened since the first one: 'first' is the
 * time of the oldest record that matters, ns. */
void mlog_ask_put_meanwhile(struct mlog_ask *, uint64_t first);

/* Adds what --explain asks for, if it was given: what was planned, and with
 * 'totals' what it took.  In mlog-command-explain.c. */
void mlog_ask_explain(const struct mlog_ask *,
                      const struct mlog_query_totals *totals);

/* Says what was covered, and what is missing, and explains. */
void mlog_ask_put_coverage(const struct mlog_ask *,
                           const struct mlog_query_totals *);

/* The line for people: 'n_shown' of 'n' of 'what', or, if that is NULL, of the
 * records. */
void mlog_ask_put_summary(const struct mlog_ask *, const char *what,
                          size_t n_shown, size_t n,
                          const struct mlog_query_totals *);

/* Gets --bucket. */
bool mlog_ask_get_bucket(struct mlog_call *, uint64_t *ns);

/* A cell with the time at which a bucket begins. */
void mlog_ask_put_bucket(struct mlog_table *, uint64_t ns);

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
