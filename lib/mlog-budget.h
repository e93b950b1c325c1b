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

#ifndef MLOG_BUDGET_H
#define MLOG_BUDGET_H 1

/* What a query may cost, and what it has cost
 * ============================================
 *
 * A budget limits the time, the rows looked at, and the memory of a query.  A
 * query may consist of several scans, and a scan of several threads: they
 * share one budget, whose 'usage' adds up what all of them cost.  Whoever does
 * the work asks mlog_budget_check() every some thousand rows, and ends if it
 * says so.
 *
 * Zero is no limit, so that a budget can be written as
 *
 *     struct mlog_budget budget = { .deadline = LLONG_MAX };
 *
 * Thread-safety: any number of threads may use one budget. */

#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/compiler.h"
#include "ovs-atomic.h"

/* Written by those who do the work, read by anybody. */
struct mlog_usage {
    atomic_uint64_t n_rows;     /* Rows looked at. */
    atomic_uint64_t memory;     /* Bytes held for the result. */
};

/* 'deadline' is compared with time_msec(); LLONG_MAX for none.  When '*cancel'
 * becomes true (it may be NULL), the query ends. */
struct mlog_budget {
    long long int deadline;
    const atomic_bool *cancel;
    uint64_t max_rows;
    uint64_t max_memory;        /* Bytes. */
    struct mlog_usage *usage;   /* NULL: neither rows nor memory limited. */
};

void mlog_usage_init(struct mlog_usage *);

/* Returns 0, or why to end: ECANCELED, ETIMEDOUT, or EDQUOT for too many
 * rows. */
int mlog_budget_check(const struct mlog_budget *);

/* Counts 'n' more rows. */
static inline void
mlog_budget_count_rows(const struct mlog_budget *budget, uint64_t n)
{
    if (budget->usage) {
        uint64_t orig;

        atomic_add_relaxed(&budget->usage->n_rows, n, &orig);
    }
}

/* Counts 'bytes' more of memory, as long as the query exists.  Returns false
 * if that is too much. */
bool mlog_budget_take(const struct mlog_budget *, uint64_t bytes)
    OVS_WARN_UNUSED_RESULT;

#endif /* mlog-budget.h */
