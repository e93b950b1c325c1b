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

#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Lanes: what belongs to which
 * ============================
 *
 * Aggregates are dealt out anew whenever one comes or goes, or the number of
 * lanes changes, so that all lanes have about the same to do.  What an
 * aggregate costs is not known; what counts is how often it is touched: once
 * per filter and tick without groups, per flow and tick with groups of flows,
 * per record otherwise.  Those with the same group-by fields stay together,
 * since a lane determines the values of these fields once for all.
 *
 * A filter's records are counted in the lane of its first aggregate. */

/* Estimated work. */
enum {
    COST_SINGLE = 1,
    COST_BY_FLOW = 8,
    COST_PER_RECORD = 16,
};

static unsigned int
estimate_cost(const struct mlog_aggregate *agg)
{
    return (mlog_aggregate_takes_flows(agg) ? 2 * COST_BY_FLOW
            : !mlog_aggregate_takes_sums(agg) ? COST_PER_RECORD
            : agg->single ? COST_SINGLE
            : mlog_aggregate_is_grouped_by_flow(agg) ? COST_BY_FLOW
            : COST_PER_RECORD);
}

/* By fields, then in order of creation, which is in 'lane' for the moment. */
static int
compare_keysets(const void *a_, const void *b_)
{
    const struct mlog_aggregate *const *a = a_;
    const struct mlog_aggregate *const *b = b_;

    return ((*a)->keyset != (*b)->keyset
            ? ((*a)->keyset < (*b)->keyset ? -1 : 1)
            : (*a)->lane < (*b)->lane ? -1 : 1);
}

/* Decides which lane each aggregate belongs to. */
static void
deal_aggregates(struct mlog_stream *stream)
{
    size_t n = stream->aggregates.n;
    struct mlog_aggregate **sorted = xmemdup(stream->aggregates.data,
                                             n * sizeof *sorted);
    uint64_t total = 0, before = 0;

    for (size_t i = 0; i < n; i++) {
        sorted[i]->lane = i;
    }
    qsort(sorted, n, sizeof *sorted, compare_keysets);
    for (size_t i = 0; i < n; i++) {
        total += estimate_cost(sorted[i]);
    }
    for (size_t i = 0; i < n; i++) {
        unsigned int cost = estimate_cost(sorted[i]);

        /* Where its middle is. */
        sorted[i]->lane = ((2 * before + cost) * stream->n_lanes
                           / (2 * total));
        before += cost;
    }
    free(sorted);

    for (size_t i = 0; i < n; i++) {
        struct mlog_aggregate *agg = stream->aggregates.data[i];

        mlog_ptrs_push(&stream->lanes[agg->lane]->aggregates, agg);
    }
}

/* Parts of filters. */

static struct mlog_part *
get_part(struct mlog_stream_lane *lane, struct mlog_filter *filter, size_t i)
{
    struct mlog_part *part = lane->parts[i];

    if (!part) {
        part = lane->parts[i] = xzalloc_cacheline(sizeof *part);
        part->filter = filter;
        part->row_test = filter->row_test;
        part->expr = filter->expr;
    }
    return part;
}

static void
free_part(struct mlog_part *part)
{
    if (part) {
        free(part->batched.data);
        free(part->by_group.data);
        free(part->by_flow.data);
        free(part->others.data);
        free_cacheline(part);
    }
}

static void
add_to_part(struct mlog_part *part, struct mlog_aggregate *agg)
{
    bool takes_flows = mlog_aggregate_takes_flows(agg);
    bool by_flow = mlog_aggregate_is_grouped_by_flow(agg) || takes_flows;

    mlog_ptrs_push(takes_flows ? &part->by_flow
                   : !mlog_aggregate_takes_sums(agg) ? &part->others
                   : agg->single ? &part->batched
                   : by_flow ? &part->by_group
                   : &part->others, agg);
    part->n_refs += by_flow;
    part->grouped = (struct mlog_aggregate **) part->by_group.data;
    part->n_grouped = part->by_group.n;
    part->n_others = part->others.n;
}

/* Filter 'i'. */
static void
deal_filter(struct mlog_stream *stream, size_t i)
{
    struct mlog_filter *filter = stream->filters.data[i];
    unsigned int counts_in = i % stream->n_lanes;

    for (size_t j = 0; j < filter->aggregates.n; j++) {
        struct mlog_aggregate *agg = filter->aggregates.data[j];

        add_to_part(get_part(stream->lanes[agg->lane], filter, i), agg);
        if (!j) {
            counts_in = agg->lane;
        }
    }
    get_part(stream->lanes[counts_in], filter, i)->counts = true;
}

static void
clear_lane(struct mlog_stream_lane *lane)
{
    for (size_t i = 0; i < lane->n_parts; i++) {
        free_part(lane->parts[i]);
    }
    free(lane->parts);
    lane->parts = NULL;
    lane->n_parts = 0;
    lane->aggregates.n = 0;
}

void
mlog_stream_begin_change__(struct mlog_stream *stream)
{
    mlog_stream_flush__(stream);
    for (unsigned int i = 0; i < stream->n_lanes; i++) {
        clear_lane(stream->lanes[i]);
    }
}

void
mlog_stream_end_change__(struct mlog_stream *stream)
{
    size_t n = stream->filters.n;

    for (unsigned int i = 0; i < stream->n_lanes; i++) {
        struct mlog_stream_lane *lane = stream->lanes[i];

        lane->parts = xcalloc(n, sizeof *lane->parts);
        lane->n_parts = n;
        mlog_stream_lane_forget__(lane);
    }
    deal_aggregates(stream);
    for (size_t i = 0; i < n; i++) {
        deal_filter(stream, i);
    }
}

void
mlog_stream_lane_forget__(struct mlog_stream_lane *lane)
{
    lane->plan_generation = (lane->plan_generation + 1) & INT32_MAX;
    lane->plan_generation += !lane->plan_generation;
    lane->next_boundary = 0;
    memset(lane->class_kinds, MLOG_CLASS_NEW, lane->stream->n_classes);
}

/* Classes. */

static void
free_classes(struct mlog_stream_lane *lane)
{
    for (size_t i = 1; i < lane->stream->n_classes; i++) {
        free_cacheline(lane->classes[i]);
        lane->classes[i] = NULL;
    }
    memset(lane->class_kinds, MLOG_CLASS_NEW, lane->stream->n_classes);
    lane->class_memory = 0;
}

void
mlog_stream_free_lane_classes__(struct mlog_stream *stream)
{
    for (unsigned int i = 0; i < stream->n_lanes; i++) {
        free_classes(stream->lanes[i]);
    }
}

/* Life cycle. */

static struct mlog_stream_lane *
create_lane(struct mlog_stream *stream)
{
    struct mlog_stream_lane *lane = xzalloc_cacheline(sizeof *lane);

    lane->stream = stream;
    lane->plan_generation = 1;
    lane->classes = xcalloc(MLOG_MAX_CLASSES, sizeof *lane->classes);
    lane->class_kinds = xcalloc(MLOG_MAX_CLASSES, sizeof *lane->class_kinds);
    lane->dirty_classes = xcalloc(MLOG_MAX_CLASSES,
                                  sizeof *lane->dirty_classes);
    lane->waiting = xmalloc_cacheline(MLOG_MAX_WAITING
                                      * sizeof *lane->waiting);
    return lane;
}

static void
destroy_lane(struct mlog_stream_lane *lane)
{
    clear_lane(lane);
    free_classes(lane);
    mlog_stream_lane_free_accs__(lane);
    free(lane->aggregates.data);
    free(lane->classes);
    free(lane->class_kinds);
    free(lane->dirty_classes);
    free_cacheline(lane->waiting);
    free_cacheline(lane);
}

void
mlog_stream_free_lanes__(struct mlog_stream *stream)
{
    while (stream->n_lanes) {
        destroy_lane(stream->lanes[--stream->n_lanes]);
    }
}

void
mlog_stream_set_lanes(struct mlog_stream *stream, unsigned int n)
{
    ovs_assert(n && n <= MLOG_MAX_LANES);
    mlog_stream_begin_change__(stream);
    mlog_stream_free_lanes__(stream);
    while (stream->n_lanes < n) {
        stream->lanes[stream->n_lanes++] = create_lane(stream);
    }
    mlog_stream_end_change__(stream);
}

struct mlog_stream_lane *
mlog_stream_get_lane(const struct mlog_stream *stream, unsigned int i)
{
    return stream->lanes[i];
}
