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

#include "mlog-budget.h"

#include <errno.h>
#include <limits.h>

#include "timeval.h"
#include "util.h"

void
mlog_usage_init(struct mlog_usage *usage)
{
    atomic_init(&usage->n_rows, 0);
    atomic_init(&usage->memory, 0);
}

static uint64_t
get(const atomic_uint64_t *counter)
{
    uint64_t value;

    atomic_read_relaxed(CONST_CAST(atomic_uint64_t *, counter), &value);
    return value;
}

int
mlog_budget_check(const struct mlog_budget *budget)
{
    bool cancel = false;

    if (budget->cancel) {
        atomic_read_relaxed(CONST_CAST(atomic_bool *, budget->cancel),
                            &cancel);
    }
    return (cancel ? ECANCELED
            : budget->deadline != LLONG_MAX && time_msec() > budget->deadline
            ? ETIMEDOUT
            : budget->max_rows && budget->usage
              && get(&budget->usage->n_rows) > budget->max_rows
            ? EDQUOT : 0);
}

bool
mlog_budget_take(const struct mlog_budget *budget, uint64_t bytes)
{
    uint64_t before;

    if (!budget->usage) {
        return true;
    }
    atomic_add_relaxed(&budget->usage->memory, bytes, &before);
    return !budget->max_memory || before + bytes <= budget->max_memory;
}
