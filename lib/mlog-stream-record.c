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
#include "mlog-stream-private.h"

#include <string.h>

#include "mlog-classifier.h"
#include "mlog-expr.h"
#include "mlog-expr-row.h"
#include "mlog-flow-table.h"
#include "util.h"

/* Records
 * =======
 *
 * On its way to filters and aggregates a record meets up to three sums, each
 * of which stands for many records once it is handed on:
 *
 *     record --> accumulator --> filter --> aggregates without groups
 *                     |
 *                     +--------> groups, sketches of flows' values
 *
 * An accumulator is its class's if no aggregate of the class's filters has
 * groups or needs to know the flow, so that all flows of the class are the
 * same.  Else it is the flow's, and has refs to the flow's groups.  So what a
 * record costs is one cache line, however many filters it matches; what those
 * cost is paid once per tick and class or flow.  Accumulators are handed over
 * in the order of their first record, with some looking ahead to have groups
 * in the cache by then.
 *
 * All sums are handed over at each tick, and when a record reaches the end of
 * a pane of any aggregate that takes sums, so that sums lie within one pane
 * of each.
 *
 * What can't wait for the tick is done for each record: filters that depend on
 * the row, and aggregates of other fields than the length, but for sketches
 * of fields that are the same for all of a flow.
 *
 * Most of what a record of many flows needs isn't in the cache.  So a record
 * that needs an accumulator of a flow waits until some more have come, which
 * is when its accumulator, refs and groups have arrived.
 *
 * Accumulators of flows
 * =====================
 *
 * They are a cache, because flows come and go without notice.  A flow is known
 * by the place of its key, and is another one only after it has been
 * classified again, which makes lanes forget what they had there.  Refs are
 * valid under one 'plan_generation'.  If flows displace each other, there
 * are too few accumulators, and their number grows, up to a limit. */

#define MIN_ACCS 1024
#define MAX_ACC_MEMORY (64u << 20)      /* Of all lanes... */
#define MIN_ACC_MEMORY (16u << 20)      /* ...but each may have this. */
#define MAX_STRIDE 16

/* What does the part that the lane has of a match need? */
static void
plan_match(const struct mlog_stream_lane *lane, struct mlog_match *match)
{
    match->n_batched_refs = match->n_definite_refs = match->n_refs = 0;
    match->has_others = match->has_by_flow = false;
    for (size_t i = 0; i < match->n; i++) {
        const struct mlog_part *part = lane->parts[match->filters[i]];

        match->n_refs += part->n_refs;
        match->has_by_flow = match->has_by_flow || part->by_flow.n;
        if (i < match->n_definite) {
            match->n_batched_refs += part->n_grouped + part->by_flow.n;
            match->n_definite_refs += part->n_refs;
            match->has_others = match->has_others || part->n_others;
        }
    }
    match->per_record = match->has_others || match->n > match->n_definite;
}

/* Sums. */

static inline void
sums_init(struct mlog_sums *sums, uint32_t len, uint64_t time)
{
    *sums = (struct mlog_sums) {
        .n = 1, .bytes = len, .first = time, .last = time,
        .min_len = len, .max_len = len,
    };
}

/* The extremes seldom change: what they cost is comparing. */
static inline void
sums_add(struct mlog_sums *a, const struct mlog_sums *b)
{
    a->n += b->n;
    a->bytes += b->bytes;
    a->last = MAX(a->last, b->last);
    if (OVS_UNLIKELY(b->first < a->first)) {
        a->first = b->first;
    }
    if (OVS_UNLIKELY(b->min_len < a->min_len)) {
        a->min_len = b->min_len;
    }
    if (OVS_UNLIKELY(b->max_len > a->max_len)) {
        a->max_len = b->max_len;
    }
}

static inline void
part_add(struct mlog_stream_lane *lane, struct mlog_part *part,
           const struct mlog_sums *sums)
{
    if (OVS_LIKELY(part->sums.n)) {
        sums_add(&part->sums, sums);
    } else {
        part->sums = *sums;
        part->next_dirty = lane->dirty_parts;
        lane->dirty_parts = part;
    }
}

static void
flush_parts(struct mlog_stream_lane *lane)
{
    while (lane->dirty_parts) {
        struct mlog_part *part = lane->dirty_parts;

        lane->dirty_parts = part->next_dirty;
        if (part->counts) {
            part->filter->n_packets += part->sums.n;
            part->filter->n_bytes += part->sums.bytes;
        }
        for (size_t i = 0; i < part->batched.n; i++) {
            struct mlog_aggregate *agg = part->batched.data[i];

            mlog_aggregate_add_sums(agg, agg->single, &part->sums);
        }
        part->sums.n = 0;
    }
}

/* Accumulators. */

/* The lookups of one flow's groups, made once for all aggregates that have the
 * same group-by fields. */
struct lookups {
    const struct mlog_acc_flow *flow;
    uint64_t valid;                     /* Bitmap. */
    struct mlog_group_lookup lookups[MLOG_MAX_KEYSETS + 1];
};

static struct mlog_group *
look_group_up(struct mlog_aggregate *agg, const struct mlog_sums *sums,
              struct lookups *lookups)
{
    struct mlog_group_lookup *lookup = &lookups->lookups[agg->keyset];

    if (agg->keyset == MLOG_KEYSET_NONE
        || !(lookups->valid & UINT64_C(1) << agg->keyset)) {
        struct mlog_record record = {
            .key = &lookups->flow->key, .flow_id = lookups->flow->flow_id,
        };

        mlog_aggregate_init_lookup(agg, &record, lookup);
        if (agg->keyset != MLOG_KEYSET_NONE) {
            lookups->valid |= UINT64_C(1) << agg->keyset;
        }
    }
    return mlog_aggregate_get_group(agg, lookup, sums->first, sums->n);
}

/* Returns a group and makes 'ref', unless NULL, refer to it. */
static inline struct mlog_group *
get_group(struct mlog_aggregate *agg, const struct mlog_sums *sums,
          struct lookups *lookups, mlog_group_ref *ref)
{
    struct mlog_group *group = ref ? mlog_group_ref_get(*ref) : NULL;

    if (OVS_UNLIKELY(!group)) {
        group = look_group_up(agg, sums, lookups);
        if (ref) {
            *ref = group->is_other ? 0 : mlog_group_ref_create(group);
        }
    }
    return group;
}

/* Adds to the sketches of 'part' that take values of flows.  '*r' is the
 * index of their first ref; ungrouped ones don't use theirs. */
static void
add_to_by_flow(const struct mlog_part *part, const struct mlog_sums *sums,
               struct lookups *lookups, mlog_group_ref *refs, size_t n_refs,
               size_t *r)
{
    struct mlog_record record = {
        .key = &lookups->flow->key, .flow_id = lookups->flow->flow_id,
    };

    for (size_t i = 0; i < part->by_flow.n; i++, (*r)++) {
        struct mlog_aggregate *agg = part->by_flow.data[i];
        struct mlog_value value;

        if (mlog_field_get(agg->def->field, &record, &value)) {
            struct mlog_group *group
                = agg->single ? agg->single
                  : get_group(agg, sums, lookups,
                              *r < n_refs ? &refs[*r] : NULL);

            mlog_aggregate_add_value(agg, group, &value, sums->n, sums->first,
                                     sums->last);
        }
    }
}

/* Hands the sums of a flow over.  'refs' are 'n_refs'. */
static void
flush_sums(struct mlog_stream_lane *lane, const struct mlog_match *match,
           const struct mlog_acc_flow *flow, const struct mlog_sums *sums,
           mlog_group_ref *refs, size_t n_refs)
{
    struct lookups lookups;
    size_t r = 0;

    lookups.flow = flow;
    lookups.valid = 0;
    for (size_t i = 0; i < match->n_definite; i++) {
        struct mlog_part *part = lane->parts[match->filters[i]];

        part_add(lane, part, sums);
        for (size_t j = 0; j < part->n_grouped; j++, r++) {
            struct mlog_aggregate *agg = part->grouped[j];

            mlog_aggregate_add_sums(
                agg, get_group(agg, sums, &lookups,
                               r < n_refs ? &refs[r] : NULL), sums);
        }
        if (OVS_UNLIKELY(match->has_by_flow)) {
            add_to_by_flow(part, sums, &lookups, refs, n_refs, &r);
        }
    }
}

static void
flush_acc(struct mlog_stream_lane *lane, size_t i)
{
    struct mlog_accs *accs = &lane->accs;
    struct mlog_acc *acc = &accs->accs[i];

    flush_sums(lane, acc->match, &accs->flows[i], &acc->sums,
               &accs->refs[i * accs->stride], accs->stride);
    acc->sums.n = 0;
}

/* GCC takes a function that does nothing but prefetch for one that does
 * nothing, and leaves calls of it out, unless it is expanded early. */
#define ALWAYS_INLINE __attribute__((always_inline))

/* Most groups that are active get their next record within so many flushes
 * after a pane has begun. */
#define FRESH_FLUSHES 2

/* How many accumulators ahead... */
#define AHEAD_ACC 24            /* ...the accumulator itself is fetched, */
#define AHEAD_REFS 12           /* ...its match and refs, */
#define AHEAD_GROUPS 8          /* ...its groups, */
#define AHEAD_PANES 3           /* ...what these need if a pane has begun. */

static inline ALWAYS_INLINE void
prefetch_refs(const struct mlog_accs *accs, uint32_t i)
{
    OVS_PREFETCH(accs->accs[i].match);
    OVS_PREFETCH(&accs->refs[i * accs->stride]);
}

/* The groups of refs 'from' through 'end' - 1. */
static inline ALWAYS_INLINE void
prefetch_groups(const struct mlog_accs *accs, uint32_t i, size_t from,
                size_t end)
{
    const mlog_group_ref *refs = &accs->refs[i * accs->stride];

    for (size_t j = from; j < MIN(end, accs->stride); j++) {
        OVS_PREFETCH_WRITE(mlog_group_ref_peek(refs[j]));
    }
}

/* What changes in groups of filters 'from' through 'end' - 1, whose first ref
 * is 'r', if a pane has begun. */
static inline ALWAYS_INLINE void
prefetch_panes(const struct mlog_stream_lane *lane, uint32_t acc, size_t from,
               size_t end, size_t r)
{
    const struct mlog_accs *accs = &lane->accs;
    const struct mlog_match *match = accs->accs[acc].match;
    const mlog_group_ref *refs = &accs->refs[acc * accs->stride];

    for (size_t i = from; i < end; i++) {
        const struct mlog_part *part = lane->parts[match->filters[i]];

        for (size_t j = 0; j < part->n_grouped && r < accs->stride;
             j++, r++) {
            mlog_aggregate_prefetch_pane(part->grouped[j],
                                         mlog_group_ref_peek(refs[r]));
        }
        if (from >= match->n_definite) {
            r += part->n_refs - part->n_grouped;
        } else if (match->has_by_flow) {
            r += part->by_flow.n;
        }
    }
}

static void
flush_accs(struct mlog_stream_lane *lane)
{
    struct mlog_accs *accs = &lane->accs;
    const uint32_t *dirty = accs->dirty;
    size_t n = accs->n_dirty;

    bool fresh_panes = lane->fresh_panes > 0;

    lane->fresh_panes -= fresh_panes;
    for (size_t i = 0; i < n + AHEAD_ACC; i++) {
        if (i < n) {
            OVS_PREFETCH_WRITE(&accs->accs[dirty[i]]);
        }
        if (i >= AHEAD_ACC - AHEAD_REFS
            && i - (AHEAD_ACC - AHEAD_REFS) < n) {
            prefetch_refs(accs, dirty[i - (AHEAD_ACC - AHEAD_REFS)]);
        }
        if (i >= AHEAD_ACC - AHEAD_GROUPS
            && i - (AHEAD_ACC - AHEAD_GROUPS) < n) {
            uint32_t j = dirty[i - (AHEAD_ACC - AHEAD_GROUPS)];

            prefetch_groups(accs, j, 0, accs->accs[j].match->n_batched_refs);
        }
        if (fresh_panes && i >= AHEAD_ACC - AHEAD_PANES
            && i - (AHEAD_ACC - AHEAD_PANES) < n) {
            uint32_t j = dirty[i - (AHEAD_ACC - AHEAD_PANES)];

            prefetch_panes(lane, j, 0, accs->accs[j].match->n_definite, 0);
        }
        if (i >= AHEAD_ACC) {
            flush_acc(lane, dirty[i - AHEAD_ACC]);
        }
    }
    accs->n_dirty = 0;
}

static void
flush_classes(struct mlog_stream_lane *lane)
{
    for (size_t i = 0; i < lane->n_dirty_classes; i++) {
        struct mlog_lane_class *class
            = lane->classes[lane->dirty_classes[i]];

        flush_sums(lane, &class->match, NULL, &class->acc.sums, NULL, 0);
        class->acc.sums.n = 0;
    }
    lane->n_dirty_classes = 0;
}

static void run_waiting(struct mlog_stream_lane *, size_t max);

void
mlog_stream_lane_flush__(struct mlog_stream_lane *lane)
{
    run_waiting(lane, 0);
    flush_accs(lane);
    flush_classes(lane);
    flush_parts(lane);
}

/* A record of 'time' is the first past 'next_boundary'. */
static void
cross_boundary(struct mlog_stream_lane *lane, uint64_t time)
{
    uint64_t next = UINT64_MAX;

    mlog_stream_lane_flush__(lane);
    lane->fresh_panes = FRESH_FLUSHES;
    for (size_t i = 0; i < lane->aggregates.n; i++) {
        struct mlog_aggregate *agg = lane->aggregates.data[i];

        if (mlog_aggregate_takes_sums(agg)
            || mlog_aggregate_takes_flows(agg)) {
            next = MIN(next, mlog_aggregate_pane_end(agg, time));
        }
    }
    lane->next_boundary = next;
}

/* The cache of accumulators of flows. */

static size_t
acc_size(size_t stride)
{
    return (sizeof(struct mlog_acc) + sizeof(struct mlog_acc_flow)
            + stride * sizeof(mlog_group_ref)
            + sizeof(struct mlog_match) + sizeof(uint32_t));
}

void
mlog_stream_lane_free_accs__(struct mlog_stream_lane *lane)
{
    struct mlog_accs *accs = &lane->accs;

    free_cacheline(accs->accs);
    free_cacheline(accs->refs);
    free_cacheline(accs->flows);
    free_cacheline(accs->matches);
    free(accs->dirty);
    memset(accs, 0, sizeof *accs);
}

static inline size_t
acc_index(const struct mlog_accs *accs, const struct mlog_flow_key *key)
{
    return ((uintptr_t) key / sizeof(struct mlog_flow)) & (accs->n - 1);
}

static struct mlog_waiting *
get_waiting(const struct mlog_stream_lane *lane, size_t i)
{
    return &lane->waiting[i % MLOG_MAX_WAITING];
}

static void
resize_accs(struct mlog_stream_lane *lane, size_t n, size_t stride)
{
    struct mlog_accs *accs = &lane->accs;

    mlog_stream_lane_free_accs__(lane);
    accs->n = n;
    accs->stride = stride;
    accs->accs = xzalloc_cacheline(n * sizeof *accs->accs);
    accs->refs = xzalloc_cacheline(n * stride * sizeof *accs->refs);
    accs->flows = xmalloc_cacheline(n * sizeof *accs->flows);
    accs->matches = xmalloc_cacheline(n * sizeof *accs->matches);
    accs->dirty = xmalloc(n * sizeof *accs->dirty);
    accs->memory = n * acc_size(stride);
    for (size_t i = lane->waiting_tail; i < lane->waiting_head; i++) {
        struct mlog_waiting *w = get_waiting(lane, i);

        w->acc = acc_index(accs, w->address);
    }
}

static size_t
max_acc_memory(const struct mlog_stream_lane *lane)
{
    return MAX(MAX_ACC_MEMORY / lane->stream->n_lanes, MIN_ACC_MEMORY);
}

void
mlog_stream_lane_fit_accs__(struct mlog_stream_lane *lane)
{
    struct mlog_accs *accs = &lane->accs;

    if (accs->n_misses > accs->n_records / 8
        && accs->n * 2 * acc_size(accs->stride) <= max_acc_memory(lane)) {
        resize_accs(lane, accs->n * 2, accs->stride);
    }
    accs->n_records = accs->n_misses = 0;
}

/* Makes room for 'n_refs' of a flow, as far as possible. */
static void
fit_stride(struct mlog_stream_lane *lane, size_t n_refs)
{
    struct mlog_accs *accs = &lane->accs;
    size_t stride = MIN(ROUND_UP(n_refs, 8), MAX_STRIDE);

    if (!accs->n || stride > accs->stride) {
        size_t n = MAX(accs->n, MIN_ACCS);

        flush_accs(lane);
        while (n * acc_size(stride) > max_acc_memory(lane)) {
            n /= 2;
        }
        resize_accs(lane, n, stride);
    }
}

/* True if a record of the flow is waiting; now and then if none is. */
static bool
is_waiting(const struct mlog_stream_lane *lane,
           const struct mlog_flow_key *key)
{
    uint32_t low = (uintptr_t) key;
    bool found = false;

    for (size_t i = 0; i < MLOG_MAX_WAITING; i++) {
        found |= lane->waiting_flows[i] == low;
    }
    return found;
}

void
mlog_stream_lane_forget_flow(struct mlog_stream_lane *lane,
                             const struct mlog_flow_key *key)
{
    if (lane->accs.n) {
        if (is_waiting(lane, key)) {
            run_waiting(lane, 0);
        }

        /* Its sums, if any, are handed over later all the same. */
        struct mlog_acc *acc
            = &lane->accs.accs[acc_index(&lane->accs, key)];
        if (acc->flow == key) {
            acc->flow = NULL;
        }
    }
    lane->latest = key;
}

/* Leaves those filters that the lane has a part of. */
void
mlog_stream_lane_choose__(const struct mlog_stream_lane *lane,
                          const uint16_t filters[], size_t n_definite,
                          size_t n, uint16_t chosen[],
                          struct mlog_match *match)
{
    size_t n_chosen = 0;

    match->n_definite = 0;
    for (size_t i = 0; i < n; i++) {
        if (lane->parts[filters[i]]) {
            match->n_definite += i < n_definite;
            chosen[n_chosen++] = filters[i];
        }
    }
    match->n = n_chosen;
    match->filters = chosen;
}

/* Finds the filters of a flow without class.  'filters' is room for
 * MLOG_CLASSIFIER_ROOM. */
static void
find_match(struct mlog_stream_lane *lane, const struct mlog_record *record,
           uint16_t filters[], struct mlog_match *match)
{
    size_t n_definite, n;

    n_definite = mlog_classifier_run(lane->stream->classifier, record,
                                     filters, &n);
    mlog_stream_lane_choose__(lane, filters, n_definite, n, filters, match);
    plan_match(lane, match);
}

/* The same, to be kept.  Returns false if they are too many for that. */
static bool
find_own_match(struct mlog_stream_lane *lane, const struct mlog_record *record,
               struct mlog_match *match)
{
    uint16_t filters[MLOG_CLASSIFIER_ROOM];

    find_match(lane, record, filters, match);
    if (match->n > MLOG_MATCH_OWN) {
        return false;
    }
    memcpy(match->own, filters, match->n * sizeof *filters);
    match->filters = match->own;
    return true;
}

/* Makes the accumulator for a flow, displacing another one's.  Returns NULL if
 * the flow can't have one.  '*listed' says whether it is among the dirty ones
 * already. */
static struct mlog_acc *
bind_flow(struct mlog_stream_lane *lane, const struct mlog_waiting *w,
          const struct mlog_record *record, bool *listed)
{
    struct mlog_accs *accs = &lane->accs;
    uint32_t class = w->class;
    struct mlog_match own, *match = &own;

    if (class != MLOG_CLASS_NONE) {
        match = &lane->classes[class]->match;
    } else if (!find_own_match(lane, record, &own)) {
        return NULL;
    }
    fit_stride(lane, match->n_refs);

    size_t i = acc_index(accs, w->address);
    struct mlog_acc *acc = &accs->accs[i];
    if (acc->flow && acc->flow != w->address
        && acc->generation == lane->plan_generation && !w->fresh) {
        accs->n_misses++;
    }
    *listed = acc->sums.n > 0;
    if (*listed) {
        flush_acc(lane, i);
    }
    if (class == MLOG_CLASS_NONE) {
        match = &accs->matches[i];
        *match = own;
        match->filters = match->own;
    }
    acc->flow = w->address;
    acc->match = match;
    acc->class = class;
    acc->generation = lane->plan_generation;
    acc->per_record = match->per_record;
    accs->flows[i] = w->flow;
    memset(&accs->refs[i * accs->stride], 0,
           accs->stride * sizeof accs->refs[0]);
    return acc;
}

/* Returns the flow's accumulator, or NULL if it can't have one. */
static inline struct mlog_acc *
get_acc(struct mlog_stream_lane *lane, const struct mlog_waiting *w,
        const struct mlog_record *record, bool *listed)
{
    struct mlog_accs *accs = &lane->accs;
    struct mlog_acc *acc = &accs->accs[w->acc];

    if (OVS_LIKELY(acc->flow == w->address && acc->class == w->class
                   && acc->generation == lane->plan_generation)) {
        *listed = acc->sums.n > 0;
        return acc;
    }
    return bind_flow(lane, w, record, listed);
}

/* Records. */

static inline void
acc_add(struct mlog_acc *acc, uint32_t len, uint64_t time)
{
    struct mlog_sums *sums = &acc->sums;

    if (!sums->n) {
        sums_init(sums, len, time);
        return;
    }
    sums->n++;
    sums->bytes += len;
    sums->last = time;
    sums->min_len = MIN(sums->min_len, len);
    sums->max_len = MAX(sums->max_len, len);
}

/* Adds a record to those aggregates of 'filter' that need each.  '*r' is the
 * index of their first ref. */
static void
add_to_others(const struct mlog_part *part,
              const struct mlog_record *record, mlog_group_ref *refs,
              size_t n_refs, size_t *r)
{
    for (size_t i = 0; i < part->n_others; i++) {
        struct mlog_aggregate *agg = part->others.data[i];
        bool by_flow = mlog_aggregate_is_grouped_by_flow(agg);

        mlog_aggregate_add(agg, record, (by_flow && *r < n_refs
                                         ? &refs[*r] : NULL));
        *r += by_flow;
    }
}

static bool
matches_row(const struct mlog_part *part, const struct mlog_record *record)
{
    return (part->row_test ? mlog_expr_row_eval(part->row_test, record)
            : mlog_expr_eval(part->expr, record));
}

/* Does what has to be done for each record. */
static void
add_each(struct mlog_stream_lane *lane, const struct mlog_match *match,
         const struct mlog_acc_flow *flow, const struct mlog_record *record,
         mlog_group_ref *refs, size_t n_refs)
{
    struct lookups lookups;
    struct mlog_sums sums;
    size_t r = match->n_batched_refs;

    lookups.flow = flow;
    lookups.valid = 0;
    sums_init(&sums, mlog_row_pkt_len(record->row), record->time);
    if (match->has_others) {
        for (size_t i = 0; i < match->n_definite; i++) {
            add_to_others(lane->parts[match->filters[i]], record,
                          refs, n_refs, &r);
        }
    }
    for (size_t i = match->n_definite; i < match->n; i++) {
        struct mlog_part *part = lane->parts[match->filters[i]];

        if (!matches_row(part, record)) {
            r += part->n_refs;
            continue;
        }
        part_add(lane, part, &sums);
        for (size_t j = 0; j < part->n_grouped; j++, r++) {
            struct mlog_aggregate *agg = part->grouped[j];

            mlog_aggregate_add_sums(
                agg, get_group(agg, &sums, &lookups,
                               r < n_refs ? &refs[r] : NULL), &sums);
        }
        if (match->has_by_flow) {
            add_to_by_flow(part, &sums, &lookups, refs, n_refs, &r);
        }
        add_to_others(part, record, refs, n_refs, &r);
    }
}

/* A record of a flow that has neither a class nor an accumulator. */
static void
record_alone(struct mlog_stream_lane *lane, const struct mlog_acc_flow *flow,
             const struct mlog_record *record)
{
    uint16_t filters[MLOG_CLASSIFIER_ROOM];
    struct mlog_match match;
    struct mlog_sums sums;

    find_match(lane, record, filters, &match);
    sums_init(&sums, mlog_row_pkt_len(record->row), record->time);
    flush_sums(lane, &match, flow, &sums, NULL, 0);
    add_each(lane, &match, flow, record, NULL, 0);
}

static void
record_by_flow(struct mlog_stream_lane *lane, const struct mlog_waiting *w)
{
    struct mlog_record record = {
        .key = &w->flow.key, .row = &w->row, .flow_id = w->flow.flow_id,
        .time = w->time,
    };
    struct mlog_accs *accs = &lane->accs;
    bool listed;
    struct mlog_acc *acc = get_acc(lane, w, &record, &listed);

    if (OVS_UNLIKELY(!acc)) {
        record_alone(lane, &w->flow, &record);
        return;
    }

    size_t i = acc - accs->accs;
    accs->n_records++;
    if (!listed) {
        accs->dirty[accs->n_dirty++] = i;
    }
    acc_add(acc, mlog_row_pkt_len(&w->row), w->time);
    if (acc->per_record) {
        add_each(lane, acc->match, &w->flow, &record,
                 &accs->refs[i * accs->stride], accs->stride);
    }
}

/* Waiting records. */

#define WAIT_REFS 10            /* After so many others, refs are fetched, */
#define WAIT_GROUPS 16          /* groups are fetched, */
#define WAIT_PANES 22           /* what these need if a pane has begun, */
#define WAIT_RUN 26             /* and the record has its turn. */
BUILD_ASSERT_DECL(WAIT_RUN < MLOG_MAX_WAITING);

static void
run_waiting(struct mlog_stream_lane *lane, size_t max)
{
    while (lane->waiting_head - lane->waiting_tail > max) {
        record_by_flow(lane, get_waiting(lane, lane->waiting_tail++));
    }
}

/* What is probably the accumulator of the record that came 'ago' records ago,
 * if it needs more than that; or NULL. */
static inline const struct mlog_acc *
get_waiting_acc(const struct mlog_stream_lane *lane, size_t ago)
{
    const struct mlog_waiting *w = get_waiting(lane,
                                               lane->waiting_head - ago);
    const struct mlog_acc *acc = &lane->accs.accs[w->acc];

    return (acc->per_record && acc->generation == lane->plan_generation
            ? acc : NULL);
}

/* Fetches what the records that came some time ago need. */
static inline ALWAYS_INLINE void
prefetch_waiting(const struct mlog_stream_lane *lane)
{
    size_t n = lane->waiting_head - lane->waiting_tail;

    if (n > WAIT_REFS) {
        const struct mlog_acc *acc = get_waiting_acc(lane, WAIT_REFS);

        if (acc) {
            prefetch_refs(&lane->accs, acc - lane->accs.accs);
        }
    }
    if (n > WAIT_GROUPS) {
        const struct mlog_acc *acc = get_waiting_acc(lane, WAIT_GROUPS);

        if (acc) {
            prefetch_groups(&lane->accs, acc - lane->accs.accs,
                            acc->match->n_batched_refs, acc->match->n_refs);
        }
    }
    if (lane->fresh_panes && n > WAIT_PANES) {
        const struct mlog_acc *acc = get_waiting_acc(lane, WAIT_PANES);

        if (acc) {
            prefetch_panes(lane, acc - lane->accs.accs,
                           acc->match->n_definite, acc->match->n,
                           acc->match->n_definite_refs);
        }
    }
}

static void
let_wait(struct mlog_stream_lane *lane, uint32_t class,
         const struct mlog_flow_key *place, const struct mlog_record *record)
{
    struct mlog_waiting *w = get_waiting(lane, lane->waiting_head);

    w->flow.key = *record->key;
    w->flow.flow_id = record->flow_id;
    w->row = *record->row;
    w->address = place;
    w->time = record->time;
    w->class = class;
    w->acc = acc_index(&lane->accs, place);
    w->fresh = place == lane->latest;
    OVS_PREFETCH_WRITE(&lane->accs.accs[w->acc]);
    lane->waiting_flows[lane->waiting_head % MLOG_MAX_WAITING]
        = (uintptr_t) place;
    lane->waiting_head++;
    prefetch_waiting(lane);
    run_waiting(lane, WAIT_RUN);
}

/* The part of a class that the lane has. */
static struct mlog_lane_class *
create_lane_class(struct mlog_stream_lane *lane,
                  const struct mlog_class *class)
{
    bool many = class->n > MLOG_MATCH_OWN;
    size_t size = (sizeof(struct mlog_lane_class)
                   + (many ? class->n * sizeof class->filters[0] : 0));
    struct mlog_lane_class *own = xzalloc_cacheline(size);

    mlog_stream_lane_choose__(lane, class->filters, class->n_definite,
                              class->n, many ? own->filters : own->match.own,
                              &own->match);
    own->acc.class = class->id;
    own->acc.match = &own->match;
    lane->class_memory += size;
    return own;
}

static enum mlog_class_kind
plan_class(struct mlog_stream_lane *lane, uint32_t class)
{
    if (!lane->classes[class]) {
        lane->classes[class] = create_lane_class(
            lane, lane->stream->classes[class]);
    }

    struct mlog_match *match = &lane->classes[class]->match;
    plan_match(lane, match);
    lane->class_kinds[class] = (!match->n ? MLOG_CLASS_OTHERS
                                : !match->n_refs ? MLOG_CLASS_SHARED
                                : match->per_record ? MLOG_CLASS_WAITS
                                : MLOG_CLASS_BY_FLOW);
    return lane->class_kinds[class];
}

/* Adds a record to its flow's accumulator, if there is one. */
static inline bool
add_to_acc(struct mlog_stream_lane *lane, uint32_t class,
           const struct mlog_flow_key *place, const struct mlog_record *record)
{
    struct mlog_accs *accs = &lane->accs;
    size_t i = acc_index(accs, place);
    struct mlog_acc *acc = &accs->accs[i];

    if (acc->flow != place || acc->class != class
        || acc->generation != lane->plan_generation) {
        return false;
    }
    accs->n_records++;
    if (!acc->sums.n) {
        accs->dirty[accs->n_dirty++] = i;
    }
    acc_add(acc, mlog_row_pkt_len(record->row), record->time);
    return true;
}

static void
add_to_class(struct mlog_stream_lane *lane, struct mlog_lane_class *class,
             const struct mlog_record *record)
{
    if (!class->acc.sums.n) {
        lane->dirty_classes[lane->n_dirty_classes++] = class->acc.class;
    }
    acc_add(&class->acc, mlog_row_pkt_len(record->row), record->time);
    if (class->match.per_record) {
        add_each(lane, &class->match, NULL, record, NULL, 0);
    }
}

void
mlog_stream_lane_record(struct mlog_stream_lane *lane, uint32_t class,
                        const struct mlog_flow_key *place,
                        const struct mlog_record *record)
{
    enum mlog_class_kind kind = (OVS_UNLIKELY(class == MLOG_CLASS_NONE)
                                 ? MLOG_CLASS_WAITS
                                 : lane->class_kinds[class]);

    if (OVS_UNLIKELY(record->time >= lane->next_boundary)) {
        cross_boundary(lane, record->time);
    }
    if (OVS_UNLIKELY(kind == MLOG_CLASS_NEW)) {
        kind = plan_class(lane, class);
    }
    if (kind == MLOG_CLASS_SHARED) {
        add_to_class(lane, lane->classes[class], record);
        return;
    } else if (OVS_UNLIKELY(kind == MLOG_CLASS_OTHERS)) {
        return;
    }
    if (OVS_UNLIKELY(!lane->accs.n)) {
        fit_stride(lane, 1);
    }
    if (kind != MLOG_CLASS_BY_FLOW
        || !add_to_acc(lane, class, place, record)) {
        let_wait(lane, class, place, record);
    }
}
