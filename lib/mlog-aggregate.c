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
#include "mlog-aggregate.h"

#include "hash.h"
#include "random.h"

/* How it works
 * ============
 *
 * A group has 'n_slots' = 'n_panes' + 1 slots; pane p uses slot p % n_slots.
 * 'live' says which slots have records; others' contents are undefined.
 * 'n' and 'sum' are the totals of the live slots, so that values are read in
 * constant time, except min and max, which look at every live slot.
 *
 * What expires
 * ------------
 *
 * When the newest pane moves from A to B, panes A - n_slots + 1 ... B -
 * n_slots leave the window; their slots are those of A + 1 ... B.  Each group
 * takes account of that by itself when it gets a record (group_advance()).
 * Groups that get none are found through 'buckets': a group is linked into
 * the bucket of the slot that its oldest live pane has, or had when the group
 * was linked, so when that pane leaves, the group is in one of the buckets of
 * slots A + 1 ... B.  A group's visit moves it to a later bucket.  Hence each
 * pane of a group with records costs one visit, whatever the number of groups
 * and however long there was no tick.
 *
 * What changed
 * ------------
 *
 * 'changed' is ordered by 'changed_seq'.  Whoever evaluates groups walks it
 * from its end back to those that it has seen.
 *
 * Memory
 * ------
 *
 * Groups are carved from slabs, and 'serial' outlives a group, so that a
 * struct mlog_group_ref can tell that its group is gone.  Slabs are freed
 * together when no group is left, unless there is only one.  The single group
 * of an ungrouped aggregate, and "other", are always there and stand alone. */

#define SLAB_GROUPS 32

struct slab {
    struct ovs_list node;
    struct mlog_group *groups;  /* SLAB_GROUPS of them. */
};

static bool
has_counts(const struct mlog_aggregate *agg)
{
    return (agg->def->func == MLOG_FUNC_COUNT
            || agg->def->func == MLOG_FUNC_AVG
            || (agg->def->func == MLOG_FUNC_RATE && !agg->def->field));
}

/* Number of arrays of panes that a group has. */
static size_t
n_arrays(const struct mlog_aggregate *agg)
{
    return agg->def->func == MLOG_FUNC_AVG ? 2 : 1;
}

static struct mlog_value *
group_values(const struct mlog_group *group)
{
    return CONST_CAST(struct mlog_value *,
                      (const struct mlog_value *) group->data);
}

/* Counts, sums or extrema; for avg, counts. */
static uint64_t *
group_panes(const struct mlog_aggregate *agg, struct mlog_group *group)
{
    return group->data + 2 * agg->def->n_keys;
}

/* For avg: sums. */
static uint64_t *
group_more_panes(const struct mlog_aggregate *agg, struct mlog_group *group)
{
    return group_panes(agg, group) + agg->n_slots;
}

/* Groups' memory. */

static void
account(struct mlog_aggregate *agg, ssize_t size)
{
    agg->memory += size;
    agg->budget->used += size;
}

static bool
grow(struct mlog_aggregate *agg)
{
    size_t size = SLAB_GROUPS * agg->group_size;

    if (agg->budget->used + size > agg->budget->max) {
        return false;
    }

    struct slab *slab = xmalloc(sizeof *slab);
    slab->groups = xmalloc(size);
    ovs_list_push_back(&agg->slabs, &slab->node);
    for (size_t i = 0; i < SLAB_GROUPS; i++) {
        struct mlog_group *group = ALIGNED_CAST(
            struct mlog_group *,
            (char *) slab->groups + i * agg->group_size);

        group->serial = 0;
        group->node.next = agg->free ? &agg->free->node : NULL;
        agg->free = group;
    }
    account(agg, size);
    return true;
}

static void
free_slabs(struct mlog_aggregate *agg)
{
    struct slab *slab;

    LIST_FOR_EACH_POP (slab, node, &agg->slabs) {
        account(agg, -(ssize_t) (SLAB_GROUPS * agg->group_size));
        free(slab->groups);
        free(slab);
    }
    agg->free = NULL;
    agg->slab_epoch++;
}

/* Makes 'group' a new one, linked into 'changed' and 'empty'. */
static void
group_init(struct mlog_aggregate *agg, struct mlog_group *group,
           uint64_t time)
{
    ovs_list_init(&group->incidents);
    ovs_list_push_back(&agg->empty, &group->bucket);
    ovs_list_push_back(&agg->changed, &group->changed);
    group->changed_seq = agg->seq;
    group->live = 0;
    group->head = agg->pane;
    group->created = time;
    group->seen = group->newest = 0;
    group->n = 0;
    group->sum = 0;
    group->is_other = false;
    group->present = 0;
}

/* Returns NULL if there is no memory. */
static struct mlog_group *
group_create(struct mlog_aggregate *agg, uint64_t time)
{
    if (!agg->free && !grow(agg)) {
        return NULL;
    }

    struct mlog_group *group = agg->free;
    agg->free = (group->node.next
                 ? CONTAINER_OF(group->node.next, struct mlog_group, node)
                 : NULL);
    group_init(agg, group, time);
    return group;
}

/* A group that is always there. */
static struct mlog_group *
group_create_permanent(struct mlog_aggregate *agg, uint64_t time)
{
    struct mlog_group *group = xzalloc(agg->group_size);

    account(agg, agg->group_size);
    group_init(agg, group, time);
    return group;
}

static void
group_free(struct mlog_aggregate *agg, struct mlog_group *group)
{
    ovs_list_remove(&group->bucket);
    ovs_list_remove(&group->changed);
    group->serial++;
    group->node.next = agg->free ? &agg->free->node : NULL;
    agg->free = group;
}

/* Life cycle. */

struct mlog_aggregate *
mlog_aggregate_create(struct mlog_aggregate_def *def,
                      struct mlog_group_budget *budget, uint64_t now)
{
    struct mlog_aggregate *agg = xzalloc(sizeof *agg);

    agg->def = def;
    agg->n_slots = def->n_panes + 1;
    agg->created = now;
    agg->basis = random_uint32();
    agg->seq = 1;
    agg->budget = budget;
    hmap_init(&agg->groups);
    ovs_list_init(&agg->changed);
    ovs_list_init(&agg->empty);
    ovs_list_init(&agg->slabs);
    ovs_list_init(&agg->trigger_sets);
    for (size_t i = 0; i < agg->n_slots; i++) {
        ovs_list_init(&agg->buckets[i]);
    }
    agg->group_size = ROUND_UP(
        offsetof(struct mlog_group, data)
        + def->n_keys * sizeof(struct mlog_value)
        + n_arrays(agg) * agg->n_slots * sizeof(uint64_t), 16);

    mlog_aggregate_pane_end(agg, now);
    agg->expired_pane = agg->pane;
    if (def->n_keys) {
        agg->other = group_create_permanent(agg, now);
        agg->other->is_other = true;
    } else {
        agg->single = group_create_permanent(agg, now);
    }
    return agg;
}

void
mlog_aggregate_destroy(struct mlog_aggregate *agg)
{
    if (agg) {
        ovs_assert(ovs_list_is_empty(&agg->trigger_sets));
        free_slabs(agg);
        account(agg, -(ssize_t) agg->memory);
        free(agg->single);
        free(agg->other);
        hmap_destroy(&agg->groups);
        mlog_aggregate_def_unref(agg->def);
        free(agg);
    }
}

/* Time. */

uint64_t
mlog_aggregate_pane_end(struct mlog_aggregate *agg, uint64_t time)
{
    if (OVS_UNLIKELY(time >= agg->pane_end)) {
        uint64_t width = agg->def->width;

        agg->pane = time / width;
        agg->slot = agg->pane % agg->n_slots;
        if (__builtin_mul_overflow(agg->pane + 1, width, &agg->pane_end)) {
            agg->pane_end = UINT64_MAX;
        }
    }
    return agg->pane_end;
}

uint64_t
mlog_aggregate_since(const struct mlog_aggregate *agg)
{
    return (agg->pane - MIN(agg->pane, agg->def->n_panes)) * agg->def->width;
}

/* Takes the records of 'slot' out of the totals. */
static void
group_retire(const struct mlog_aggregate *agg, struct mlog_group *group,
             unsigned int slot)
{
    uint64_t pane = group_panes(agg, group)[slot];

    group->live &= ~(UINT64_C(1) << slot);
    switch (agg->def->func) {
    case MLOG_FUNC_AVG:
        group->n -= pane;
        group->sum -= group_more_panes(agg, group)[slot];
        break;

    case MLOG_FUNC_COUNT:
    case MLOG_FUNC_SUM:
    case MLOG_FUNC_RATE:
        if (has_counts(agg)) {
            group->n -= pane;
        } else {
            group->sum -= pane;
        }
        break;

    case MLOG_FUNC_MIN:
    case MLOG_FUNC_MAX:
        break;
    }
}

/* Moves 'group' to the aggregate's pane. */
static void
group_advance(const struct mlog_aggregate *agg, struct mlog_group *group)
{
    uint64_t n = agg->pane - group->head;

    group->head = agg->pane;
    if (n >= agg->n_slots) {
        group->live = 0;
        group->n = 0;
        group->sum = 0;
        return;
    }
    for (unsigned int slot = agg->slot; n--; ) {
        if (group->live & UINT64_C(1) << slot) {
            group_retire(agg, group, slot);
        }
        slot = slot ? slot - 1 : agg->n_slots - 1;
    }
}

/* The slot of the oldest live pane of 'group', which is up to date and has
 * one.  Slots' age order starts behind the aggregate's slot. */
static unsigned int
oldest_slot(const struct mlog_aggregate *agg, const struct mlog_group *group)
{
    uint64_t newer = group->live & ((UINT64_C(2) << agg->slot) - 1);
    uint64_t older = group->live & ~((UINT64_C(2) << agg->slot) - 1);

    return raw_ctz(older ? older : newer);
}

/* Changes. */

static void
group_touch(struct mlog_aggregate *agg, struct mlog_group *group)
{
    if (group->changed_seq != agg->seq) {
        group->changed_seq = agg->seq;
        group->seen = 0;
        ovs_list_remove(&group->changed);
        ovs_list_push_back(&agg->changed, &group->changed);
    }
}

static void
group_visit(struct mlog_aggregate *agg, struct mlog_group *group)
{
    group_advance(agg, group);
    group_touch(agg, group);
    ovs_list_push_back(group->live
                       ? &agg->buckets[oldest_slot(agg, group)] : &agg->empty,
                       &group->bucket);
}

void
mlog_aggregate_expire(struct mlog_aggregate *agg, uint64_t now)
{
    mlog_aggregate_pane_end(agg, now);

    uint64_t n = MIN(agg->pane - agg->expired_pane, agg->n_slots);
    if (!n) {
        return;
    }
    agg->expired_pane = agg->pane;

    /* Visits may put groups back into the same buckets. */
    struct ovs_list due = OVS_LIST_INITIALIZER(&due);
    struct mlog_group *group;

    for (unsigned int slot = agg->slot; n--; ) {
        ovs_list_push_back_all(&due, &agg->buckets[slot]);
        slot = slot ? slot - 1 : agg->n_slots - 1;
    }
    LIST_FOR_EACH_POP (group, bucket, &due) {
        group_visit(agg, group);
    }
}

/* Frees what is empty, or for "other" ends its incident. */
static void
free_empty_groups(struct mlog_aggregate *agg)
{
    struct mlog_group *group;

    LIST_FOR_EACH_SAFE (group, bucket, &agg->empty) {
        if (!ovs_list_is_empty(&group->incidents)) {
            continue;
        } else if (group->is_other) {
            agg->other_in_use = false;
        } else {
            hmap_remove(&agg->groups, &group->node);
            group_free(agg, group);
        }
    }
    if (hmap_is_empty(&agg->groups) && !ovs_list_is_short(&agg->slabs)) {
        free_slabs(agg);
        hmap_shrink(&agg->groups);
    }
}

void
mlog_aggregate_finish(struct mlog_aggregate *agg)
{
    if (!agg->single) {
        free_empty_groups(agg);
    }
    agg->overflowed = false;
    agg->seq++;
}

/* Finding a record's group. */

static uint8_t
get_values(const struct mlog_aggregate *agg, const struct mlog_record *record,
           struct mlog_value values[])
{
    uint8_t present = 0;

    for (size_t i = 0; i < agg->def->n_keys; i++) {
        if (mlog_field_get(agg->def->keys[i], record, &values[i])) {
            present |= 1u << i;
        }
    }
    return present;
}

static uint32_t
hash_values(const struct mlog_aggregate *agg, uint8_t present,
            const struct mlog_value values[])
{
    uint32_t hash = hash_add(agg->basis, present);

    for (size_t i = 0; i < agg->def->n_keys; i++) {
        hash = hash_add64(hash, values[i].lo);
        if (values[i].hi) {
            hash = hash_add64(hash, values[i].hi);
        }
    }
    return hash_finish(hash, agg->def->n_keys);
}

static struct mlog_group *
find_group(const struct mlog_aggregate *agg, uint32_t hash, uint8_t present,
           const struct mlog_value values[])
{
    size_t size = agg->def->n_keys * sizeof *values;
    struct mlog_group *group;

    HMAP_FOR_EACH_WITH_HASH (group, node, hash, &agg->groups) {
        if (group->present == present
            && !memcmp(group_values(group), values, size)) {
            return group;
        }
    }
    return NULL;
}

static struct mlog_group *
get_other(struct mlog_aggregate *agg, uint64_t time)
{
    agg->n_overflow++;
    if (!agg->other_in_use) {
        agg->other_in_use = true;
        agg->overflowed = true;
        agg->other->created = time;
    }
    return agg->other;
}

static struct mlog_group *
get_group(struct mlog_aggregate *agg, const struct mlog_record *record)
{
    struct mlog_value values[MLOG_MAX_GROUP_KEYS];
    uint8_t present = get_values(agg, record, values);
    uint32_t hash = hash_values(agg, present, values);
    struct mlog_group *group = find_group(agg, hash, present, values);

    if (OVS_LIKELY(group)) {
        return group;
    }
    group = (hmap_count(&agg->groups) < MLOG_MAX_GROUPS
             ? group_create(agg, record->time) : NULL);
    if (!group) {
        return get_other(agg, record->time);
    }
    group->present = present;
    memcpy(group_values(group), values, agg->def->n_keys * sizeof *values);
    hmap_insert(&agg->groups, &group->node, hash);
    return group;
}

bool
mlog_aggregate_is_grouped_by_flow(const struct mlog_aggregate *agg)
{
    for (size_t i = 0; i < agg->def->n_keys; i++) {
        if (agg->def->keys[i]->scope != MLOG_SCOPE_FLOW) {
            return false;
        }
    }
    return agg->def->n_keys > 0;
}

static struct mlog_group *
get_group_by_ref(struct mlog_aggregate *agg, const struct mlog_record *record,
                 struct mlog_group_ref *ref)
{
    if (ref->group && ref->group->serial == ref->serial) {
        return ref->group;
    }

    struct mlog_group *group = get_group(agg, record);
    if (!group->is_other) {
        ref->group = group;
        ref->serial = group->serial;
    }
    return group;
}

/* Adding records. */

static inline uint64_t
add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* Adds 'n' records whose values add up to 'sum' and have extremum 'value' of
 * the function's kind to the open pane. */
static inline void
group_add(struct mlog_aggregate *agg, struct mlog_group *group,
          uint64_t n, uint64_t sum, uint64_t value)
{
    uint64_t bit = UINT64_C(1) << agg->slot;
    uint64_t *pane = &group_panes(agg, group)[agg->slot];

    if (OVS_UNLIKELY(group->head != agg->pane)) {
        group_advance(agg, group);
    }

    bool fresh = !(group->live & bit);
    if (OVS_UNLIKELY(fresh)) {
        if (!group->live) {
            ovs_list_remove(&group->bucket);
            ovs_list_push_back(&agg->buckets[agg->slot], &group->bucket);
        }
        group->live |= bit;
    }

    uint64_t old = fresh ? 0 : *pane;
    switch (agg->def->func) {
    case MLOG_FUNC_AVG: {
        uint64_t *more = &group_more_panes(agg, group)[agg->slot];
        uint64_t old_sum = fresh ? 0 : *more;

        *pane = old + n;
        group->n += n;
        *more = add_saturating(old_sum, sum);
        group->sum += *more - old_sum;
        break;
    }

    case MLOG_FUNC_COUNT:
    case MLOG_FUNC_SUM:
    case MLOG_FUNC_RATE:
        if (has_counts(agg)) {
            *pane = old + n;
            group->n += n;
        } else {
            *pane = add_saturating(old, sum);
            group->sum += *pane - old;
        }
        break;

    case MLOG_FUNC_MIN:
        *pane = fresh ? value : MIN(old, value);
        break;

    case MLOG_FUNC_MAX:
        *pane = MAX(old, value);
        break;
    }
}

static inline void
group_stamp(struct mlog_aggregate *agg, struct mlog_group *group,
            uint64_t first, uint64_t last)
{
    group_touch(agg, group);
    if (!group->seen || first < group->seen) {
        group->seen = first;
    }
    group->newest = MAX(group->newest, last);
}

void
mlog_aggregate_add(struct mlog_aggregate *agg,
                   const struct mlog_record *record,
                   struct mlog_group_ref *ref)
{
    const struct mlog_field *field = agg->def->field;
    struct mlog_value value = { 0, 0 };

    if (field) {
        if (field->id == MLOG_F_PKT_LEN) {
            value.lo = mlog_row_pkt_len(record->row);
        } else if (!mlog_field_get(field, record, &value)) {
            return;
        }
    }
    mlog_aggregate_pane_end(agg, record->time);

    struct mlog_group *group = (agg->single ? agg->single
                                : ref ? get_group_by_ref(agg, record, ref)
                                : get_group(agg, record));
    group_add(agg, group, 1, value.lo, value.lo);
    group_stamp(agg, group, record->time, record->time);
}

bool
mlog_aggregate_takes_batches(const struct mlog_aggregate *agg)
{
    return agg->single && (!agg->def->field
                           || agg->def->field->id == MLOG_F_PKT_LEN);
}

void
mlog_aggregate_add_batch(struct mlog_aggregate *agg,
                         const struct mlog_batch_sums *batch)
{
    mlog_aggregate_pane_end(agg, batch->last);
    group_add(agg, agg->single, batch->n, batch->bytes,
              (agg->def->func == MLOG_FUNC_MIN ? batch->min_len
               : batch->max_len));
    group_stamp(agg, agg->single, batch->first, batch->last);
}

/* Values. */

static uint64_t
extremum(const struct mlog_aggregate *agg, const struct mlog_group *group)
{
    const uint64_t *panes = group_panes(agg, CONST_CAST(struct mlog_group *,
                                                        group));
    bool min = agg->def->func == MLOG_FUNC_MIN;
    uint64_t best = min ? UINT64_MAX : 0;

    for (uint64_t live = group->live; live; live = zero_rightmost_1bit(live)) {
        uint64_t pane = panes[raw_ctz(live)];

        best = min ? MIN(best, pane) : MAX(best, pane);
    }
    return best;
}

static struct mlog_result
integer_result(uint64_t integer)
{
    return (struct mlog_result) {
        .present = true,
        .is_integer = true,
        .integer = integer,
        .real = integer,
    };
}

static struct mlog_result
real_result(double real)
{
    return (struct mlog_result) { .present = true, .real = real };
}

struct mlog_result
mlog_aggregate_value(const struct mlog_aggregate *agg,
                     const struct mlog_group *group)
{
    double seconds = agg->def->window / 1e9;

    switch (agg->def->func) {
    case MLOG_FUNC_COUNT:
        return integer_result(group->n);

    case MLOG_FUNC_SUM:
        return integer_result(MIN(group->sum, UINT64_MAX));

    case MLOG_FUNC_RATE:
        return real_result((agg->def->field ? group->sum : group->n)
                           / seconds);

    case MLOG_FUNC_AVG:
        if (group->n) {
            return real_result((double) group->sum / group->n);
        }
        break;

    case MLOG_FUNC_MIN:
    case MLOG_FUNC_MAX:
        if (group->live) {
            return integer_result(extremum(agg, group));
        }
        break;
    }
    return (struct mlog_result) { .present = false };
}

void
mlog_aggregate_get_key(const struct mlog_aggregate *agg,
                       const struct mlog_group *group,
                       struct mlog_group_key *key)
{
    memset(key, 0, sizeof *key);
    key->present = group->present;
    key->other = group->is_other;
    memcpy(key->values, group_values(group),
           agg->def->n_keys * sizeof key->values[0]);
}

size_t
mlog_aggregate_n_groups(const struct mlog_aggregate *agg)
{
    return hmap_count(&agg->groups) + (agg->single || agg->other_in_use);
}
