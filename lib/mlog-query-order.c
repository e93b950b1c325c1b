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
#include <string.h>

#include "mlog-ports.h"
#include "util.h"

/* Values. */

static int
compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int
compare_port_names(uint16_t a, uint16_t b)
{
    const char *name_a = mlog_ports_name(a);
    const char *name_b = mlog_ports_name(b);

    return strcmp(name_a ? name_a : "", name_b ? name_b : "");
}

int
mlog_query_compare(const struct mlog_field *field, const struct mlog_value *a,
                   const struct mlog_value *b)
{
    int cmp = 0;

    if (field->type == MLOG_FT_PORT_NAME) {
        cmp = compare_port_names(a->lo, b->lo);
    } else if (field->type == MLOG_FT_PORT) {
        cmp = compare_numbers(mlog_ports_ofp(a->lo), mlog_ports_ofp(b->lo));
    }
    return cmp ? cmp : mlog_value_compare(a, b);
}

/* Order of groups. */

/* A group with its value for the first key. */
struct ranked {
    struct mlog_value rank;
    bool has_rank;
    uint32_t id;
};

struct order {
    const struct mlog_groups *groups;
    const struct mlog_groups_key *keys;
    size_t n_keys;
};

/* Returns the double 'd', not negative, as a number of the same order. */
static uint64_t
double_rank(double d)
{
    uint64_t rank;

    BUILD_ASSERT(sizeof rank == sizeof d);
    memcpy(&rank, &d, sizeof rank);
    return rank;
}

static bool
is_real(const struct mlog_groups *groups, int by)
{
    enum mlog_query_func func;

    if (by < 0) {
        return false;
    }
    func = groups->spec.aggregates[by].func;
    return (func == MLOG_QF_AVG || func == MLOG_QF_RATE
            || func == MLOG_QF_STDDEV);
}

/* Sets '*rank' to the value of group 'id' for 'by'; false if it has none. */
static bool
get_rank(const struct mlog_groups *groups, uint32_t id, int by,
         struct mlog_value *rank)
{
    const struct mlog_query_group *group = &groups->groups[id];
    uint64_t n;

    *rank = (struct mlog_value) { 0, 0 };
    if (by == MLOG_GROUPS_BY_COUNT) {
        rank->lo = group->count;
    } else if (by == MLOG_GROUPS_BY_BYTES) {
        rank->lo = group->bytes;
    } else if (by == MLOG_GROUPS_BY_BUCKET) {
        rank->lo = mlog_groups_bucket(groups, id);
    } else if (by <= MLOG_GROUPS_BY_FIELD(0)) {
        return mlog_groups_field(groups, id, MLOG_GROUPS_BY_FIELD(0) - by,
                                 rank);
    } else if (is_real(groups, by)) {
        double real = 0;
        bool has_rank = mlog_groups_real(groups, id, by, &real);

        rank->lo = double_rank(real);
        return has_rank;
    } else {
        return mlog_groups_aggregate(groups, id, by, rank, &n);
    }
    return true;
}

static int
compare_rank(const struct mlog_groups *groups,
             const struct mlog_groups_key *key,
             bool has_a, const struct mlog_value *a,
             bool has_b, const struct mlog_value *b)
{
    int cmp;

    if (has_a != has_b) {
        return has_b - has_a;
    } else if (!has_a) {
        return 0;
    }
    if (key->by <= MLOG_GROUPS_BY_FIELD(0)) {
        size_t i = MLOG_GROUPS_BY_FIELD(0) - key->by;

        cmp = mlog_query_compare(groups->spec.fields[i], a, b);
    } else {
        cmp = mlog_value_compare(a, b);
    }
    return key->ascending ? cmp : -cmp;
}

static int
compare_by(const struct mlog_groups *groups,
           const struct mlog_groups_key *key, uint32_t a, uint32_t b)
{
    struct mlog_value va, vb;
    bool has_a = get_rank(groups, a, key->by, &va);
    bool has_b = get_rank(groups, b, key->by, &vb);

    return compare_rank(groups, key, has_a, &va, has_b, &vb);
}

static int
compare_fields(const struct mlog_groups *groups, uint32_t a, uint32_t b)
{
    if (groups->spec.by_flow) {
        const struct mlog_intern *keys = &groups->flow_keys;

        return memcmp(mlog_intern_key(keys, a) + 1,
                      mlog_intern_key(keys, b) + 1,
                      sizeof(struct mlog_flow_key));
    }
    for (size_t i = 0; i < groups->spec.n_fields; i++) {
        const struct mlog_groups_key key = { MLOG_GROUPS_BY_FIELD(i), true };
        int cmp = compare_by(groups, &key, a, b);

        if (cmp) {
            return cmp;
        }
    }
    return 0;
}

static int
compare_ranked(const void *a_, const void *b_, void *order_)
{
    const struct ranked *a = a_;
    const struct ranked *b = b_;
    const struct order *order = order_;
    const struct mlog_groups *groups = order->groups;
    int cmp = (!order->n_keys ? 0
               : compare_rank(groups, &order->keys[0], a->has_rank, &a->rank,
                              b->has_rank, &b->rank));

    for (size_t i = 1; !cmp && i < order->n_keys; i++) {
        cmp = compare_by(groups, &order->keys[i], a->id, b->id);
    }
    if (!cmp && groups->spec.bucket) {
        cmp = compare_numbers(mlog_groups_bucket(groups, a->id),
                              mlog_groups_bucket(groups, b->id));
    }
    if (!cmp) {
        cmp = compare_fields(groups, a->id, b->id);
    }
    return cmp ? cmp : compare_numbers(a->id, b->id);
}

/* Conditions. */

static bool
get_number(const struct mlog_groups *groups, uint32_t id, int by,
           double *number)
{
    struct mlog_value value;

    if (is_real(groups, by)) {
        return mlog_groups_real(groups, id, by, number);
    } else if (!get_rank(groups, id, by, &value)) {
        return false;
    }
    *number = value.lo;
    return true;
}

static bool
meets(const struct mlog_groups *groups, uint32_t id,
      const struct mlog_having *having)
{
    double number;

    if (!get_number(groups, id, having->by, &number)) {
        return false;
    }
    switch (having->op) {
    case MLOG_QO_LT: return number < having->number;
    case MLOG_QO_LE: return number <= having->number;
    case MLOG_QO_EQ: return number == having->number;
    case MLOG_QO_NE: return number != having->number;
    case MLOG_QO_GE: return number >= having->number;
    case MLOG_QO_GT: return number > having->number;
    }
    OVS_NOT_REACHED();
}

static bool
meets_all(const struct mlog_groups *groups, uint32_t id,
          const struct mlog_having having[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!meets(groups, id, &having[i])) {
            return false;
        }
    }
    return true;
}

uint32_t *
mlog_groups_order(const struct mlog_groups *groups,
                  const struct mlog_groups_key keys[], size_t n_keys,
                  const struct mlog_having having[], size_t n_having,
                  size_t *np)
{
    struct ranked *ranked = xmalloc((groups->n_groups + 1) * sizeof *ranked);
    uint32_t *ids = xmalloc((groups->n_groups + 1) * sizeof *ids);
    struct order order = { groups, keys, n_keys };
    size_t n = 0;

    for (uint32_t id = 0; id < groups->n_groups; id++) {
        if (meets_all(groups, id, having, n_having)) {
            struct ranked *r = &ranked[n++];

            *r = (struct ranked) { .id = id };
            r->has_rank = n_keys && get_rank(groups, id, keys[0].by,
                                             &r->rank);
        }
    }
    qsort_r(ranked, n, sizeof *ranked, compare_ranked, &order);
    for (size_t i = 0; i < n; i++) {
        ids[i] = ranked[i].id;
    }
    free(ranked);
    *np = n;
    return ids;
}

uint32_t *
mlog_groups_top(const struct mlog_groups *groups, int by,
                size_t n OVS_UNUSED)
{
    const struct mlog_groups_key key = { by, false };
    size_t n_all;

    return mlog_groups_order(groups, &key, 1, NULL, 0, &n_all);
}
