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

#include "mlog-query-private.h"

#include <math.h>

#include "mlog-time.h"
#include "util.h"

/* What is in the groups. */

size_t
mlog_groups_count(const struct mlog_groups *groups)
{
    return groups->n_groups;
}

const struct mlog_query_totals *
mlog_groups_totals(const struct mlog_groups *groups)
{
    return &groups->totals;
}

const struct mlog_query_group *
mlog_groups_get(const struct mlog_groups *groups, uint32_t id)
{
    return &groups->groups[id];
}

uint64_t
mlog_groups_bucket(const struct mlog_groups *groups, uint32_t id)
{
    return (mlog_intern_key(&groups->row_keys, id)[1 + groups->n_row_fields]
            * groups->spec.bucket);
}

bool
mlog_groups_field(const struct mlog_groups *groups, uint32_t id, size_t i,
                  struct mlog_value *value)
{
    uint64_t flow_number = id;
    size_t j = groups->place[i].i;
    const uint64_t *key = NULL;

    *value = (struct mlog_value) { 0, 0 };
    if (groups->has_row_key) {
        key = mlog_intern_key(&groups->row_keys, id);
        flow_number = key[0] & UINT32_MAX;
    }
    if (groups->place[i].row) {
        if (!(key[0] & UINT64_C(1) << (32 + j))) {
            return false;
        }
        value->lo = key[1 + j];
        return true;
    }

    key = mlog_intern_key(&groups->flow_keys, flow_number);
    if (!(key[0] & UINT64_C(1) << j)) {
        return false;
    }
    value->hi = key[1 + 2 * j];
    value->lo = key[2 + 2 * j];
    return true;
}

void
mlog_groups_flow(const struct mlog_groups *groups, uint32_t id,
                 struct mlog_flow_key *key, struct mlog_record *record)
{
    const uint64_t *words = mlog_intern_key(&groups->flow_keys, id);

    ovs_assert(groups->spec.by_flow);
    memcpy(key, &words[1], sizeof *key);
    *record = (struct mlog_record) { .key = key, .flow_id = words[0] };
}

/* Aggregates. */

/* An aggregate of the time, which struct mlog_query_group has. */
static bool
get_time_aggregate(const struct mlog_query_group *group,
                   enum mlog_query_func func, struct mlog_value *value,
                   uint64_t *n)
{
    *n = group->count;
    switch (func) {
    case MLOG_QF_COUNT:
        value->lo = group->count;
        return true;
    case MLOG_QF_MIN:
        value->lo = group->first;
        break;
    case MLOG_QF_MAX:
        value->lo = group->last;
        break;
    case MLOG_QF_SUM:
    case MLOG_QF_AVG:
    case MLOG_QF_RATE:
    case MLOG_QF_STDDEV:
    case MLOG_QF_DISTINCT:
    case MLOG_QF_PERCENTILE:
    case MLOG_QF_TOPK:
        OVS_NOT_REACHED();      /* The time is no quantity. */
    }
    return group->count > 0;
}

/* The tally of aggregate 'i', or NULL if no record has the field. */
static struct mlog_tally *
get_tally(const struct mlog_groups *groups, uint32_t id, size_t i)
{
    return groups->tallies[id * groups->n_tallies + groups->tally_of[i]];
}

static bool
get_tally_aggregate(const struct mlog_groups *groups, uint32_t id, size_t i,
                    struct mlog_value *value, double *error)
{
    const struct mlog_query_aggregate *aggregate = &groups->spec.aggregates[i];
    struct mlog_tally *tally = get_tally(groups, id, i);

    *error = 0;
    if (aggregate->func == MLOG_QF_DISTINCT) {
        value->lo = tally ? mlog_tally_distinct(tally, error) : 0;
        return true;
    }
    return tally && mlog_tally_percentile(tally, aggregate->param,
                                          &value->lo, error);
}

static const struct accumulator *
get_accumulator(const struct mlog_groups *groups, uint32_t id, size_t i)
{
    return &groups->accumulators[id * groups->spec.n_aggregates + i];
}

bool
mlog_groups_aggregate(const struct mlog_groups *groups, uint32_t id, size_t i,
                      struct mlog_value *value, uint64_t *n)
{
    const struct mlog_query_aggregate *aggregate = &groups->spec.aggregates[i];
    const struct accumulator *a = get_accumulator(groups, id, i);
    double error;

    *value = (struct mlog_value) { 0, 0 };
    if (!aggregate->field) {
        *n = value->lo = groups->groups[id].count;
        return true;
    } else if (mlog_query_func_tallies(aggregate->func)) {
        *n = 0;
        return get_tally_aggregate(groups, id, i, value, &error);
    } else if (aggregate->field->id == MLOG_F_TIME) {
        return get_time_aggregate(&groups->groups[id], aggregate->func, value,
                                  n);
    }

    *n = a->n;
    if (aggregate->func == MLOG_QF_COUNT) {
        value->lo = a->n;
        return true;
    }
    *value = a->value;
    if (aggregate->func == MLOG_QF_STDDEV) {
        value->hi = 0;
    }
    return (a->n > 0 || aggregate->func == MLOG_QF_SUM
            || aggregate->func == MLOG_QF_RATE);
}

/* The square of the standard deviation, n * sum(x^2) - sum(x)^2 over n^2, is
 * computed without rounding up to the division: it fits into 128 bits as long
 * as the sum fits into 64, which it does up to 2**32 records. */
static bool
get_stddev(const struct accumulator *a, double *real)
{
    typedef unsigned __int128 wide;
    wide squares = (wide) a->squares_high << 64 | a->value.hi;
    wide sum = a->value.lo;

    if (!a->n) {
        return false;
    }
    *real = sqrt((double) (a->n * squares - sum * sum)) / a->n;
    return true;
}

double
mlog_groups_seconds(const struct mlog_groups *groups)
{
    uint64_t ns = (groups->spec.bucket ? groups->spec.bucket
                   : groups->until > groups->since
                   ? groups->until - groups->since
                   : 0);

    return (double) ns / MLOG_NS_PER_S;
}

bool
mlog_groups_real(const struct mlog_groups *groups, uint32_t id, size_t i,
                 double *real)
{
    enum mlog_query_func func = groups->spec.aggregates[i].func;
    struct mlog_value value;
    uint64_t n;

    if (func == MLOG_QF_STDDEV) {
        return get_stddev(get_accumulator(groups, id, i), real);
    } else if (!mlog_groups_aggregate(groups, id, i, &value, &n)) {
        return false;
    }

    double divisor = (func == MLOG_QF_AVG ? n : mlog_groups_seconds(groups));
    *real = divisor ? value.lo / divisor : 0;
    return divisor > 0;
}

size_t
mlog_groups_top_values(const struct mlog_groups *groups, uint32_t id,
                       size_t i, struct mlog_query_item items[])
{
    struct mlog_tally_item top[MLOG_QUERY_MAX_TOPK];
    struct mlog_tally *tally = get_tally(groups, id, i);
    double error;
    size_t n;

    if (!tally) {
        return 0;
    }
    n = mlog_tally_top(tally, groups->spec.aggregates[i].param, top, &error);
    for (size_t j = 0; j < n; j++) {
        items[j] = (struct mlog_query_item) {
            top[j].value, top[j].count, top[j].error
        };
    }
    return n;
}

double
mlog_groups_error(const struct mlog_groups *groups, uint32_t id, size_t i)
{
    struct mlog_tally_item top[MLOG_QUERY_MAX_TOPK];
    enum mlog_query_func func = groups->spec.aggregates[i].func;
    struct mlog_tally *tally;
    struct mlog_value value;
    double error = 0;

    if (!mlog_query_func_tallies(func)) {
        return 0;
    }
    tally = get_tally(groups, id, i);
    if (tally && func == MLOG_QF_TOPK) {
        mlog_tally_top(tally, groups->spec.aggregates[i].param, top, &error);
    } else if (tally) {
        get_tally_aggregate(groups, id, i, &value, &error);
    }
    return error;
}
