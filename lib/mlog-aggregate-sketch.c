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
#include "mlog-aggregate-private.h"

#include "mlog-sketch-quantile.h"
#include "mlog-window.h"
#include "util.h"

/* Counters per pane for topk: so many for each value that is asked for, but
 * not fewer than some. */
#define TOPK_FACTOR 4
#define MIN_TOPK_CAPACITY 64

static uint32_t
topk_capacity(const struct mlog_aggregate_def *def)
{
    return MAX(def->k * TOPK_FACTOR, MIN_TOPK_CAPACITY);
}

char *
mlog_aggregate_def_accuracy(const struct mlog_aggregate_def *def)
{
    switch (def->func) {
    case MLOG_FUNC_DISTINCT:
        return xasprintf("exact up to %d values; beyond that, the standard "
                         "error is about 1.5 %%", MLOG_WINDOW_DISTINCT_MAX);
    case MLOG_FUNC_PERCENTILE:
        return xasprintf("exact below %d; beyond that, off by less than "
                         "0.8 %%", MLOG_QUANTILE_EXACT_BELOW);
    case MLOG_FUNC_TOPK:
        return xasprintf("values are too high by at most 1/%"PRIu32" of the "
                         "group's records, and by the excess that is shown",
                         topk_capacity(def));
    case MLOG_FUNC_COUNT:
    case MLOG_FUNC_SUM:
    case MLOG_FUNC_MIN:
    case MLOG_FUNC_MAX:
    case MLOG_FUNC_AVG:
    case MLOG_FUNC_RATE:
        return NULL;
    }
    OVS_NOT_REACHED();
}

static void *
get_sketch(const struct mlog_aggregate *agg, const struct mlog_group *group)
{
    return (void *) (uintptr_t) group->data[agg->panes_at];
}

static struct mlog_group_table *
get_table(const struct mlog_aggregate *agg)
{
    return CONST_CAST(struct mlog_group_table *, &agg->groups);
}

/* Life cycle. */

static void *
create_sketch(struct mlog_aggregate *agg, bool force)
{
    switch (agg->kind) {
    case MLOG_PANE_DISTINCT:
        return mlog_window_distinct_create(&agg->groups, agg->n_slots,
                                           agg->pane, force);
    case MLOG_PANE_QUANTILE:
        return mlog_window_quantile_create(&agg->groups, agg->n_slots,
                                           agg->pane, force);
    case MLOG_PANE_TOPK:
        return mlog_window_topk_create(&agg->groups, agg->n_slots, agg->pane,
                                       topk_capacity(agg->def), force);
    default:
        OVS_NOT_REACHED();
    }
}

bool
mlog_aggregate_sketch_init__(struct mlog_aggregate *agg,
                             struct mlog_group *group, bool force)
{
    void *sketch = create_sketch(agg, force);

    group->data[agg->panes_at] = (uintptr_t) sketch;
    return sketch != NULL;
}

void
mlog_aggregate_sketch_free__(struct mlog_aggregate *agg,
                             struct mlog_group *group)
{
    void *sketch = get_sketch(agg, group);

    switch (agg->kind) {
    case MLOG_PANE_DISTINCT:
        mlog_window_distinct_destroy(sketch, &agg->groups);
        break;
    case MLOG_PANE_QUANTILE:
        mlog_window_quantile_destroy(sketch, &agg->groups);
        break;
    case MLOG_PANE_TOPK:
        mlog_window_topk_destroy(sketch, &agg->groups);
        break;
    default:
        OVS_NOT_REACHED();
    }
}

/* Records. */

void
mlog_aggregate_sketch_advance__(const struct mlog_aggregate *agg,
                                struct mlog_group *group)
{
    struct mlog_group_table *table = get_table(agg);
    void *sketch = get_sketch(agg, group);

    switch (agg->kind) {
    case MLOG_PANE_DISTINCT:
        mlog_window_distinct_advance(sketch, table, agg->pane);
        group->total = mlog_window_distinct_count(sketch);
        break;
    case MLOG_PANE_QUANTILE:
        mlog_window_quantile_advance(sketch, table, agg->pane);
        break;
    case MLOG_PANE_TOPK:
        mlog_window_topk_advance(sketch, table, agg->pane);
        break;
    default:
        OVS_NOT_REACHED();
    }
}

void
mlog_aggregate_sketch_add__(struct mlog_aggregate *agg,
                            struct mlog_group *group,
                            const struct mlog_value *value, uint64_t n)
{
    void *sketch = get_sketch(agg, group);
    bool ok = true;

    switch (agg->kind) {
    case MLOG_PANE_DISTINCT:
        mlog_window_distinct_add(
            sketch, &agg->groups,
            mlog_sketch_hash(mlog_sketch_local_seed(), value));
        group->total = mlog_window_distinct_count(sketch);
        break;
    case MLOG_PANE_QUANTILE:
        ok = mlog_window_quantile_add(sketch, &agg->groups, value->lo, n);
        break;
    case MLOG_PANE_TOPK:
        ok = mlog_window_topk_add(sketch, &agg->groups, value, n);
        break;
    default:
        OVS_NOT_REACHED();
    }
    agg->n_overflow += ok ? 0 : n;
}

/* Values. */

static struct mlog_result
integer_result(uint64_t integer, double error)
{
    return (struct mlog_result) {
        .present = true,
        .is_integer = true,
        .integer = integer,
        .real = integer,
        .error = error,
    };
}

static struct mlog_result
topk_result(const struct mlog_window_topk *sketch)
{
    struct mlog_topk topk;

    mlog_window_topk_get(sketch, &topk);
    uint64_t total = topk.total;
    mlog_topk_destroy(&topk);
    return integer_result(total, 0);
}

struct mlog_result
mlog_aggregate_sketch_value__(const struct mlog_aggregate *agg,
                              const struct mlog_group *group)
{
    const void *sketch = get_sketch(agg, group);
    uint64_t value;

    switch (agg->kind) {
    case MLOG_PANE_DISTINCT:
        return integer_result(mlog_window_distinct_count(sketch),
                              mlog_window_distinct_error(sketch));
    case MLOG_PANE_QUANTILE:
        if (mlog_window_quantile_get(sketch, agg->def->millionths, &value)) {
            return integer_result(value, (value < MLOG_QUANTILE_EXACT_BELOW
                                          ? 0 : MLOG_QUANTILE_ERROR));
        }
        break;
    case MLOG_PANE_TOPK:
        return topk_result(sketch);
    default:
        OVS_NOT_REACHED();
    }
    return (struct mlog_result) { .present = false };
}

size_t
mlog_aggregate_topk(const struct mlog_aggregate *agg,
                    struct mlog_group *group,
                    struct mlog_topk_item items[MLOG_MAX_TOPK])
{
    struct mlog_topk topk;

    ovs_assert(agg->kind == MLOG_PANE_TOPK);
    mlog_aggregate_refresh(agg, group);
    mlog_window_topk_get(get_sketch(agg, group), &topk);
    size_t n = mlog_topk_get(&topk, agg->def->k, items);
    mlog_topk_destroy(&topk);
    return n;
}
