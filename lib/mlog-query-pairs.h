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


#ifndef MLOG_QUERY_PAIRS_H
#define MLOG_QUERY_PAIRS_H 1

/* Pairs of records
 * ================
 *
 * Each record of a left sub-query with the nearest record of a right one that
 * follows it, has an equal key and is no more than 'within' later: requests
 * and responses, say.  Several left records may have the same partner, and a
 * record is never its own.  Records that lack a key field take no part.
 *
 * Errors are those of mlog-query.h, and
 *
 *   E2BIG   more than MLOG_PAIRS_MAX pairs, or more left records waiting for a
 *           partner at once than fit into MLOG_QUERY_MAX_MEMORY
 *
 * Thread-safety
 * =============
 *
 * Any number of threads may query one snapshot.  A result belongs to one
 * thread, and does not depend on the snapshot. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-query-join.h"
#include "mlog-query.h"

#define MLOG_PAIRS_MAX (UINT32_C(1) << 24)

struct mlog_pairs_spec {
    const struct mlog_expr *exprs[2];   /* By side. */
    struct mlog_join_keys keys;
    uint64_t within;            /* ns. */
    size_t top;                 /* How many pairs to keep: the slowest, of
                                 * equal ones the oldest... */
    bool newest;                /* ...or those with the newest left ones. */
};

struct mlog_pair {
    struct mlog_query_row rows[2];      /* By side. */
    uint64_t latency;           /* ns. */
    uint64_t serial;            /* Order of the left records. */
};

struct mlog_pairs {
    struct mlog_query_totals totals;    /* Of both sides together. */
    uint64_t n_left;            /* Left records with a key. */
    uint64_t n_right;
    uint64_t n_unpaired;        /* Left ones without a partner... */
    uint64_t n_waiting;         /* ...and those that may yet get one: 'within'
                                 * has not passed at the cut. */
    uint64_t *latencies;        /* Of all pairs, in ascending order, ns. */
    size_t n;
    double average;             /* ns. */
    struct mlog_pair *pairs;    /* The slowest or newest first. */
    size_t n_kept;
};

/* The left side is of the times of 'range', whose expression is ignored; the
 * right one goes on for 'within' more. */
int mlog_query_pairs(const struct mlog_snapshot *, const struct mlog_range *,
                     const struct mlog_budget *,
                     const struct mlog_pairs_spec *, struct mlog_pairs **);
void mlog_pairs_destroy(struct mlog_pairs *);

/* The least latency that at least 'percent' (up to 100) percent of the pairs
 * don't exceed.  There must be pairs. */
uint64_t mlog_pairs_percentile(const struct mlog_pairs *,
                               unsigned int percent);

#endif /* mlog-query-pairs.h */
