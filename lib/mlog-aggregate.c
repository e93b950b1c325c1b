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
#include "mlog-aggregate-private.h"
#include "ovs-thread.h"
#include "random.h"

/* How it works
 * ============
 *
 * A group has 'n_slots' = 'n_panes' + 1 slots; pane p uses slot p % n_slots.
 * 'live' says which slots have records; the others' contents are undefined.
 * The number of the newest pane, 'head', is in 'open', so that a record
 * changes a single cache line; it moves to its slot when another pane begins.
 * 'total' is the total of the live slots (for averages, of their sums, and 'n'
 * that of their numbers), so that values are read in constant time, except min
 * and max, which look at every live slot.
 *
 * What expires
 * ------------
 *
 * When the newest pane moves from A to B, panes A - n_slots + 1 ... B -
 * n_slots leave the window; their slots are those of A + 1 ... B.  A group
 * takes account of that when it gets a record or is looked at
 * (group_advance()).  Besides, a tick visits the groups in the 'buckets' of
 * the slots of A + 1 ... B.  Which bucket a group is in depends on what
 * triggers want to know:
 *
 *   MLOG_WATCH_ALL     that of its oldest live pane when it was linked: the
 *                      group is visited whenever a pane of it leaves, which
 *                      changes its value.
 *
 *   otherwise          that of its newest live pane when it was linked: the
 *                      group is visited about once per window, to see whether
 *                      it is empty.
 *
 * A visit moves the group to another bucket, or to 'empty'.  So a tick's cost
 * depends neither on the number of groups nor on how long there was no tick.
 * Visits that are many are spread over some ticks, through 'due'.
 *
 * Groups of sketches have the address of one instead of panes; it keeps panes
 * of its own, whose numbers are the same.
 *
 * The single group of an ungrouped aggregate, and "other", are always there
 * and not in the table of groups. */

/* Groups that a tick visits: at least these, and this part of all. */
#define MIN_VISITS 512
#define VISITS_DIVISOR 4

static enum mlog_pane_kind
pane_kind(const struct mlog_aggregate_def *def)
{
    switch (def->func) {
    case MLOG_FUNC_COUNT: return MLOG_PANE_COUNT;
    case MLOG_FUNC_SUM: return MLOG_PANE_SUM;
    case MLOG_FUNC_MIN: return MLOG_PANE_MIN;
    case MLOG_FUNC_MAX: return MLOG_PANE_MAX;
    case MLOG_FUNC_AVG: return MLOG_PANE_AVG;
    case MLOG_FUNC_RATE: return def->field ? MLOG_PANE_SUM : MLOG_PANE_COUNT;
    case MLOG_FUNC_DISTINCT: return MLOG_PANE_DISTINCT;
    case MLOG_FUNC_PERCENTILE: return MLOG_PANE_QUANTILE;
    case MLOG_FUNC_TOPK: return MLOG_PANE_TOPK;
    }
    OVS_NOT_REACHED();
}

static inline uint64_t *
group_panes(const struct mlog_aggregate *agg, struct mlog_group *group)
{
    return &group->data[agg->panes_at];
}

/* For MLOG_PANE_AVG: the sums. */
static inline uint64_t *
group_sums(const struct mlog_aggregate *agg, struct mlog_group *group)
{
    return group_panes(agg, group) + agg->n_slots;
}

/* Groups. */

/* Makes 'group' a new one, linked into 'empty'. */
static void
group_init(struct mlog_aggregate *agg, struct mlog_group *group,
           uint64_t time)
{
    ovs_list_init(&group->incidents);
    ovs_list_push_back(&agg->empty, &group->bucket);
    group->live = 0;
    group->head = agg->pane;
    group->created = time;
    group->seen = group->newest = 0;
    group->n = 0;
    group->total = 0;
    group->logged = 0;
    group->is_other = false;
    group->present = 0;
}

/* A group that is always there. */
static struct mlog_group *
create_permanent_group(struct mlog_aggregate *agg, uint64_t time)
{
    struct mlog_group *group = mlog_group_alloc_single(&agg->groups);

    group_init(agg, group, time);
    if (agg->sketched) {
        mlog_aggregate_sketch_init__(agg, group, true);
    }
    return group;
}

static void
group_free(struct mlog_aggregate *agg, struct mlog_group *group)
{
    if (agg->sketched) {
        mlog_aggregate_sketch_free__(agg, group);
    }
    ovs_list_remove(&group->bucket);
    group->logged = 0;
    mlog_group_table_remove(&agg->groups, group);
}

/* Life cycle. */

/* So that nobody outside can craft groups that collide.  The same for all,
 * see struct mlog_group_lookup. */
static uint32_t
get_hash_basis(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static uint32_t basis;

    if (ovsthread_once_start(&once)) {
        basis = random_uint32();
        ovsthread_once_done(&once);
    }
    return basis;
}

static void
init_lists(struct mlog_aggregate *agg)
{
    ovs_list_init(&agg->due);
    ovs_list_init(&agg->empty);
    ovs_list_init(&agg->trigger_sets);
    for (size_t i = 0; i < agg->n_slots; i++) {
        ovs_list_init(&agg->buckets[i]);
    }
}

struct mlog_aggregate *
mlog_aggregate_create(struct mlog_aggregate_def *def,
                      struct mlog_group_budget *budget, uint64_t now)
{
    struct mlog_aggregate *agg = xzalloc_cacheline(sizeof *agg);
    size_t n_numbers;

    agg->def = def;
    agg->hash_basis = get_hash_basis();
    agg->kind = pane_kind(def);
    agg->adds_up = (agg->kind == MLOG_PANE_COUNT
                    || agg->kind == MLOG_PANE_SUM);
    agg->sketched = agg->kind >= MLOG_PANE_DISTINCT;
    agg->watch_from = UINT64_MAX;
    agg->n_slots = def->n_panes + 1;
    agg->created = agg->tick = now;
    agg->log_first = agg->log_tick = 1;
    init_lists(agg);

    n_numbers = (agg->sketched ? 1
                 : agg->n_slots * (agg->kind == MLOG_PANE_AVG ? 2 : 1));
    agg->panes_at = def->n_keys * sizeof(struct mlog_value) / sizeof(uint64_t);
    mlog_group_table_init(&agg->groups, def->n_keys, n_numbers, budget);

    mlog_aggregate_pane_end(agg, now);
    agg->expired_pane = agg->pane;
    if (def->n_keys) {
        agg->other = create_permanent_group(agg, now);
        agg->other->is_other = true;
    } else {
        agg->single = create_permanent_group(agg, now);
    }
    return agg;
}

static void
free_sketches(struct mlog_aggregate *agg)
{
    struct mlog_group *group;

    mlog_aggregate_sketch_free__(agg, agg->single ? agg->single : agg->other);
    MLOG_GROUP_TABLE_FOR_EACH (group, &agg->groups) {
        mlog_aggregate_sketch_free__(agg, group);
    }
}

void
mlog_aggregate_destroy(struct mlog_aggregate *agg)
{
    if (agg) {
        ovs_assert(ovs_list_is_empty(&agg->trigger_sets));
        if (agg->sketched) {
            free_sketches(agg);
        }
        mlog_group_free_single(&agg->groups, agg->single);
        mlog_group_free_single(&agg->groups, agg->other);
        mlog_group_table_destroy(&agg->groups);
        free(agg->log);
        mlog_aggregate_def_unref(agg->def);
        free_cacheline(agg);
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

/* Takes the records of 'slot', which is not the newest pane's, out of the
 * totals. */
static void
group_retire(const struct mlog_aggregate *agg, struct mlog_group *group,
             unsigned int slot)
{
    group->live &= ~(UINT64_C(1) << slot);
    switch (agg->kind) {
    case MLOG_PANE_COUNT:
    case MLOG_PANE_SUM:
        group->total -= group_panes(agg, group)[slot];
        break;

    case MLOG_PANE_AVG:
        group->n -= group_panes(agg, group)[slot];
        group->total -= group_sums(agg, group)[slot];
        break;

    case MLOG_PANE_MIN:
    case MLOG_PANE_MAX:
    case MLOG_PANE_DISTINCT:
    case MLOG_PANE_QUANTILE:
    case MLOG_PANE_TOPK:
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
        group->total = 0;
        if (agg->sketched) {
            mlog_aggregate_sketch_advance__(agg, group);
        }
        return;
    }

    unsigned int slot = agg->slot;
    while (n--) {
        if (group->live & UINT64_C(1) << slot) {
            group_retire(agg, group, slot);
        }
        slot = slot ? slot - 1 : agg->n_slots - 1;
    }

    /* Now it is the slot of what was the newest pane. */
    if (agg->sketched) {
        mlog_aggregate_sketch_advance__(agg, group);
    } else {
        group_panes(agg, group)[slot] = group->open;
    }
}

void
mlog_aggregate_refresh(const struct mlog_aggregate *agg,
                       struct mlog_group *group)
{
    if (group->head != agg->pane) {
        group_advance(agg, group);
    }
}

/* The live panes that 'group' would have if it were up to date. */
static uint64_t
group_live(const struct mlog_aggregate *agg, const struct mlog_group *group)
{
    uint64_t n = agg->pane - group->head;

    if (n >= agg->n_slots) {
        return 0;
    }

    /* The slots of 'n' panes, down from the newest one's; from 0 on from the
     * last. */
    uint64_t n_low = MIN(n, agg->slot + 1), n_high = n - n_low;
    uint64_t gone = (((UINT64_C(1) << n_low) - 1) << (agg->slot + 1 - n_low)
                     | ((UINT64_C(1) << n_high) - 1)
                       << (agg->n_slots - n_high));

    return group->live & ~gone;
}

/* The bucket for a group with the panes 'live', of which there are some.
 * Going from old to new, panes have the slots after the aggregate's, then
 * those up to it. */
static struct ovs_list *
get_bucket(struct mlog_aggregate *agg, uint64_t live)
{
    uint64_t newer = live & ((UINT64_C(2) << agg->slot) - 1);
    uint64_t older = live & ~((UINT64_C(2) << agg->slot) - 1);
    unsigned int slot = (agg->watch == MLOG_WATCH_ALL
                         ? raw_ctz(older ? older : newer)
                         : 63 - raw_clz64(newer ? newer : older));

    return &agg->buckets[slot];
}

/* The log of changes. */

static void
log_group(struct mlog_aggregate *agg, struct mlog_group *group)
{
    if (group->logged >= agg->log_tick) {
        return;
    }
    if (agg->n_log >= agg->allocated_log) {
        agg->log = x2nrealloc(agg->log, &agg->allocated_log, sizeof *agg->log);
    }
    group->logged = mlog_aggregate_log_end(agg);
    agg->log[agg->n_log++] = group;
}

void
mlog_aggregate_trim_log(struct mlog_aggregate *agg, uint64_t position)
{
    if (position >= mlog_aggregate_log_end(agg)
        || agg->n_log > 4 * (agg->groups.n + MIN_VISITS)) {
        agg->log_first = mlog_aggregate_log_end(agg);
        agg->n_log = 0;
    }
}

void
mlog_aggregate_watch(struct mlog_aggregate *agg, enum mlog_watch what,
                     uint64_t from)
{
    bool rebucket = (what == MLOG_WATCH_ALL) != (agg->watch
                                                  == MLOG_WATCH_ALL);

    agg->watch = what;
    agg->watch_from = (what == MLOG_WATCH_NONE ? UINT64_MAX
                       : what == MLOG_WATCH_RISE ? from : 0);
    for (size_t i = 0; rebucket && i < agg->n_slots; i++) {
        ovs_list_push_back_all(&agg->due, &agg->buckets[i]);
    }
}

/* Ticks. */

/* A group that is merely still there isn't brought up to date: that would
 * touch more memory. */
static void
visit_group(struct mlog_aggregate *agg, struct mlog_group *group)
{
    uint64_t live = group_live(agg, group);

    if (!live) {
        mlog_aggregate_refresh(agg, group);
    }
    ovs_list_push_back(live ? get_bucket(agg, live) : &agg->empty,
                       &group->bucket);
    if (agg->watch == MLOG_WATCH_ALL) {
        log_group(agg, group);
    }
}

/* The group in 'due' after 'node', and the one after that, will be needed
 * next. */
static inline __attribute__((always_inline)) void
prefetch_due(const struct mlog_aggregate *agg, const struct ovs_list *node)
{
    if (node != &agg->due) {
        OVS_PREFETCH_WRITE(CONTAINER_OF(node, struct mlog_group, bucket));
        OVS_PREFETCH_WRITE(node->next);
    }
}

void
mlog_aggregate_expire(struct mlog_aggregate *agg, uint64_t now)
{
    agg->now = now;
    mlog_aggregate_pane_end(agg, now);

    uint64_t n = MIN(agg->pane - agg->expired_pane, agg->n_slots);
    agg->expired_pane = agg->pane;
    for (unsigned int slot = agg->slot; n--; ) {
        ovs_list_push_back_all(&agg->due, &agg->buckets[slot]);
        slot = slot ? slot - 1 : agg->n_slots - 1;
    }

    /* Visits may put groups back into the same buckets. */
    size_t max = MAX(MIN_VISITS, agg->groups.n / VISITS_DIVISOR);
    while (max-- && !ovs_list_is_empty(&agg->due)) {
        struct ovs_list *node = ovs_list_pop_front(&agg->due);

        prefetch_due(agg, agg->due.next);
        visit_group(agg, CONTAINER_OF(node, struct mlog_group, bucket));
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
            group_free(agg, group);
        }
    }
    if (!agg->groups.n) {
        mlog_aggregate_trim_log(agg, mlog_aggregate_log_end(agg));
        mlog_group_table_shrink(&agg->groups);
    }
}

void
mlog_aggregate_finish(struct mlog_aggregate *agg)
{
    if (!agg->single) {
        free_empty_groups(agg);
    }
    agg->overflowed = false;
    agg->tick = agg->now;
    agg->log_tick = mlog_aggregate_log_end(agg);
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
    uint32_t hash = hash_add(agg->hash_basis, present);

    for (size_t i = 0; i < agg->def->n_keys; i++) {
        hash = hash_add64(hash, values[i].lo);
        if (values[i].hi) {
            hash = hash_add64(hash, values[i].hi);
        }
    }
    return hash_finish(hash, agg->def->n_keys);
}

void
mlog_aggregate_init_lookup(const struct mlog_aggregate *agg,
                           const struct mlog_record *record,
                           struct mlog_group_lookup *lookup)
{
    lookup->present = get_values(agg, record, lookup->values);
    lookup->hash = hash_values(agg, lookup->present, lookup->values);
}

static struct mlog_group *
get_other(struct mlog_aggregate *agg, uint64_t time, uint64_t n)
{
    agg->n_overflow += n;
    if (!agg->other_in_use) {
        agg->other_in_use = true;
        agg->overflowed = true;
        agg->other->created = time;
    }
    return agg->other;
}

/* Records come in order of time, but not sums of records: an older one may
 * come after the one that the group was created for. */
struct mlog_group *
mlog_aggregate_get_group(struct mlog_aggregate *agg,
                         const struct mlog_group_lookup *lookup,
                         uint64_t time, uint64_t n)
{
    struct mlog_group *group = mlog_group_table_find(
        &agg->groups, lookup->hash, lookup->present, lookup->values);

    if (OVS_LIKELY(group)) {
        group->created = MIN(group->created, time);
        return group;
    }
    group = (agg->groups.n < MLOG_MAX_GROUPS
             ? mlog_group_table_insert(&agg->groups, lookup->hash) : NULL);
    if (!group) {
        return get_other(agg, time, n);
    }
    group_init(agg, group, time);
    if (agg->sketched && !mlog_aggregate_sketch_init__(agg, group, false)) {
        group_free(agg, group);
        return get_other(agg, time, n);
    }
    group->present = lookup->present;
    memcpy(mlog_group_values(group), lookup->values,
           agg->def->n_keys * sizeof lookup->values[0]);
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

/* Adding records. */

static inline uint64_t
add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* Logs the group if its total or maximum has reached 'watch_from'.  If it had
 * before, and had records in this tick, then it is logged. */
static inline void
watch(struct mlog_aggregate *agg, struct mlog_group *group, bool was_logged,
      unsigned __int128 total)
{
    if (agg->watch != MLOG_WATCH_NONE && total >= agg->watch_from
        && !was_logged) {
        log_group(agg, group);
    }
}

/* Makes the aggregate's pane one of 'group' that has records.  Returns true if
 * it had none. */
static inline bool
group_open_pane(struct mlog_aggregate *agg, struct mlog_group *group)
{
    uint64_t bit = UINT64_C(1) << agg->slot;

    mlog_aggregate_refresh(agg, group);
    if (group->live & bit) {
        return false;
    }
    if (!group->live) {
        ovs_list_remove(&group->bucket);
        ovs_list_push_back(&agg->buckets[agg->slot], &group->bucket);
    }
    group->live |= bit;
    return true;
}

/* Adds 'n' records whose values add up to 'sum' and have minimum 'min' and
 * maximum 'max' to the open pane. */
static inline void
group_add(struct mlog_aggregate *agg, struct mlog_group *group,
          uint64_t n, uint64_t sum, uint64_t min, uint64_t max)
{
    bool fresh = group_open_pane(agg, group);
    uint64_t old = fresh ? 0 : group->open;
    bool was_logged = (group->seen >= agg->tick
                       && group->total >= agg->watch_from);

    switch (agg->kind) {
    case MLOG_PANE_COUNT:
        group->open = old + n;
        group->total += n;
        watch(agg, group, was_logged, group->total);
        break;

    case MLOG_PANE_SUM:
        group->open = add_saturating(old, sum);
        group->total += group->open - old;
        watch(agg, group, was_logged, group->total);
        break;

    case MLOG_PANE_AVG: {
        uint64_t *pane_sum = &group_sums(agg, group)[agg->slot];
        uint64_t old_sum = fresh ? 0 : *pane_sum;

        group->open = old + n;
        group->n += n;
        *pane_sum = add_saturating(old_sum, sum);
        group->total += *pane_sum - old_sum;
        watch(agg, group, false, 0);
        break;
    }

    case MLOG_PANE_MIN:
        group->open = fresh ? min : MIN(old, min);
        watch(agg, group, false, 0);
        break;

    case MLOG_PANE_MAX:
        group->open = MAX(old, max);
        watch(agg, group, false, max);
        break;

    case MLOG_PANE_DISTINCT:
    case MLOG_PANE_QUANTILE:
    case MLOG_PANE_TOPK:
        OVS_NOT_REACHED();
    }
}

static inline void
group_stamp(const struct mlog_aggregate *agg, struct mlog_group *group,
            uint64_t first, uint64_t last)
{
    if (group->seen < agg->tick || first < group->seen) {
        group->seen = first;
    }
    group->newest = MAX(group->newest, last);
}

bool
mlog_aggregate_takes_sums(const struct mlog_aggregate *agg)
{
    return !agg->sketched && (!agg->def->field
                              || agg->def->field->id == MLOG_F_PKT_LEN);
}

bool
mlog_aggregate_takes_flows(const struct mlog_aggregate *agg)
{
    return (agg->sketched && agg->def->field->scope == MLOG_SCOPE_FLOW
            && (agg->single || mlog_aggregate_is_grouped_by_flow(agg)));
}

/* A number that is estimated doesn't always rise when a value comes, nor by 1;
 * it is logged at its first record in a tick with which it is enough. */
void
mlog_aggregate_add_value(struct mlog_aggregate *agg, struct mlog_group *group,
                         const struct mlog_value *value, uint64_t n,
                         uint64_t first, uint64_t last)
{
    mlog_aggregate_pane_end(agg, last);
    group_open_pane(agg, group);

    bool was_logged = (agg->kind == MLOG_PANE_DISTINCT
                       && group->seen >= agg->tick
                       && group->total >= agg->watch_from);
    mlog_aggregate_sketch_add__(agg, group, value, n);
    watch(agg, group, was_logged, group->total);
    group_stamp(agg, group, first, last);
}

void
mlog_aggregate_add_sums__(struct mlog_aggregate *agg, struct mlog_group *group,
                          const struct mlog_sums *sums)
{
    mlog_aggregate_pane_end(agg, sums->last);
    group_add(agg, group, sums->n, sums->bytes, sums->min_len, sums->max_len);
    group_stamp(agg, group, sums->first, sums->last);
}

static struct mlog_group *
get_group_of_record(struct mlog_aggregate *agg,
                    const struct mlog_record *record, mlog_group_ref *ref)
{
    struct mlog_group_lookup lookup;
    struct mlog_group *group = ref ? mlog_group_ref_get(*ref) : NULL;

    if (!group) {
        mlog_aggregate_init_lookup(agg, record, &lookup);
        group = mlog_aggregate_get_group(agg, &lookup, record->time, 1);
        if (ref) {
            *ref = group->is_other ? 0 : mlog_group_ref_create(group);
        }
    }
    return group;
}

void
mlog_aggregate_add(struct mlog_aggregate *agg,
                   const struct mlog_record *record, mlog_group_ref *ref)
{
    const struct mlog_field *field = agg->def->field;
    struct mlog_value value = { 0, 0 };

    if (field && !mlog_field_get(field, record, &value)) {
        return;
    }
    mlog_aggregate_pane_end(agg, record->time);

    struct mlog_group *group = (agg->single ? agg->single
                                : get_group_of_record(agg, record, ref));
    if (agg->sketched) {
        mlog_aggregate_add_value(agg, group, &value, 1, record->time,
                                 record->time);
        return;
    }
    group_add(agg, group, 1, value.lo, value.lo, value.lo);
    group_stamp(agg, group, record->time, record->time);
}

/* Values. */

static uint64_t
extremum(const struct mlog_aggregate *agg, struct mlog_group *group)
{
    const uint64_t *panes = group_panes(agg, group);
    uint64_t closed = group->live & ~(UINT64_C(1) << agg->slot);
    bool min = agg->kind == MLOG_PANE_MIN;
    uint64_t best = (closed != group->live ? group->open
                     : min ? UINT64_MAX : 0);

    for (; closed; closed = zero_rightmost_1bit(closed)) {
        uint64_t pane = panes[raw_ctz(closed)];

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
                     struct mlog_group *group)
{
    double seconds = agg->def->window / 1e9;

    mlog_aggregate_refresh(agg, group);
    switch (agg->def->func) {
    case MLOG_FUNC_COUNT:
    case MLOG_FUNC_SUM:
        return integer_result(MIN(group->total, UINT64_MAX));

    case MLOG_FUNC_RATE:
        return real_result(group->total / seconds);

    case MLOG_FUNC_AVG:
        if (group->n) {
            return real_result((double) group->total / group->n);
        }
        break;

    case MLOG_FUNC_MIN:
    case MLOG_FUNC_MAX:
        if (group->live) {
            return integer_result(extremum(agg, group));
        }
        break;

    case MLOG_FUNC_DISTINCT:
    case MLOG_FUNC_PERCENTILE:
    case MLOG_FUNC_TOPK:
        return mlog_aggregate_sketch_value__(agg, group);
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
    memcpy(key->values, mlog_group_values(group),
           agg->def->n_keys * sizeof key->values[0]);
}

size_t
mlog_aggregate_n_groups(const struct mlog_aggregate *agg)
{
    return agg->groups.n + (agg->single || agg->other_in_use);
}
