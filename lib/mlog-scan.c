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

#include "mlog-scan.h"

#include <errno.h>

#include "mlog-expr.h"
#include "mlog-flow-table.h"
#include "openvswitch/util.h"
#include "timeval.h"
#include "util.h"

/* How a scan saves work
 * =====================
 *
 * The expression is evaluated once per distinct flow and its verdict (no,
 * yes, depends on the row) kept in an array by the flow's index, so that most
 * rows cost a look at one byte.  Indexes are stable while the snapshot is
 * held: a flow's index is reused only when no segment names it.
 *
 * On entering a segment there is a choice.  If the range has more rows than
 * the segment has distinct flows, the verdicts of all its flows are settled
 * first.  Then the segment may turn out to have no match at all and be
 * skipped, or to match as a whole, or to need no look at rows but for the
 * verdict.  Otherwise (a few rows out of a segment of many flows) verdicts
 * are settled as rows come by.
 *
 * Selecting is branch-free: every row's index is written at the end of the
 * selection, whose length grows by the verdict.  Rows that need more than the
 * verdict of their flow are sorted out in a second pass over the selection,
 * which is still in the first-level cache. */

enum verdict {
    V_UNSET = 0,                /* Not evaluated yet; memory comes as this. */
    V_MAYBE = 1,
    V_TRUE = 2,
    V_FALSE = 3,
};

/* Rows per batch, with a selection and without one. */
#define BATCH_SELECTED 1024
#define BATCH_ALL 16384

enum segment_mode {
    SEGMENT_ALL,                /* Every row matches. */
    SEGMENT_NONE,
    SEGMENT_BY_FLOW,            /* The flow's verdict decides. */
    SEGMENT_MIXED,              /* Verdicts may be missing, or V_MAYBE. */
};

struct mlog_scan {
    const struct mlog_snapshot *snapshot;
    struct mlog_range range;
    struct mlog_budget budget;
    int error;

    uint8_t *verdicts;          /* enum verdict, by flow index. */

    size_t next_segment;
    enum segment_mode mode;     /* Of the current segment, next_segment - 1. */
    uint32_t pos, end;          /* Rows of it that are still to be seen. */

    uint32_t selection[BATCH_SELECTED];
};

/* Narrows 'range' to the times for which its expression can be true. */
static void
narrow_range(struct mlog_range *range)
{
    uint64_t min, max;

    mlog_expr_time_range(range->expr, &min, &max);
    range->since = MAX(range->since, min);
    range->until = MIN(range->until, max);
}

struct mlog_scan *
mlog_scan_create(const struct mlog_snapshot *snapshot,
                 const struct mlog_range *range,
                 const struct mlog_budget *budget)
{
    struct mlog_scan *scan = xmalloc(sizeof *scan);

    *scan = (struct mlog_scan) {
        .snapshot = snapshot,
        .range = *range,
        .budget = *budget,
    };
    if (range->expr && mlog_expr_is_everything(range->expr)) {
        scan->range.expr = NULL;
    }
    if (scan->range.expr) {
        narrow_range(&scan->range);

        /* A large calloc() is of untouched zero pages: what is not looked at
         * costs nothing. */
        scan->verdicts = xcalloc(mlog_flow_table_limit(snapshot->flows) + 1,
                                 sizeof *scan->verdicts);
    }
    return scan;
}

void
mlog_scan_destroy(struct mlog_scan *scan)
{
    if (scan) {
        free(scan->verdicts);
        free(scan);
    }
}

int
mlog_scan_error(const struct mlog_scan *scan)
{
    return scan->error;
}

static bool
may_go_on(struct mlog_scan *scan)
{
    bool cancel = false;

    if (scan->budget.cancel) {
        atomic_read_relaxed(CONST_CAST(atomic_bool *, scan->budget.cancel),
                            &cancel);
    }
    if (cancel) {
        scan->error = ECANCELED;
    } else if (scan->budget.deadline != LLONG_MAX
               && time_msec() > scan->budget.deadline) {
        scan->error = ETIMEDOUT;
    }
    return !scan->error;
}

static enum verdict
settle_flow(struct mlog_scan *scan, uint32_t index)
{
    const struct mlog_flow *flow = mlog_flow_table_get(scan->snapshot->flows,
                                                       index);
    struct mlog_record record = {
        .key = &flow->key,
        .flow_id = flow->flow_id,
    };
    enum verdict verdict = V_MAYBE;

    switch (mlog_expr_eval_flow(scan->range.expr, &record)) {
    case MLOG_FALSE:
        verdict = V_FALSE;
        break;
    case MLOG_TRUE:
        verdict = V_TRUE;
        break;
    case MLOG_MAYBE:
        break;
    }
    scan->verdicts[index] = verdict;
    return verdict;
}

/* Settles all the flows of the 's'. */
static enum segment_mode
settle_segment(struct mlog_scan *scan, const struct mlog_snapshot_segment *s)
{
    uint32_t n[4] = { 0, 0, 0, 0 };

    for (uint32_t i = 0; i < s->n_flows; i++) {
        uint32_t index = s->segment->flows[i];
        enum verdict verdict = scan->verdicts[index];

        n[verdict ? verdict : settle_flow(scan, index)]++;
    }
    return (n[V_FALSE] == s->n_flows ? SEGMENT_NONE
            : n[V_TRUE] == s->n_flows ? SEGMENT_ALL
            : n[V_MAYBE] ? SEGMENT_MIXED
            : SEGMENT_BY_FLOW);
}

/* Moves to the next segment with rows to look at.  Returns false if there is
 * none. */
static bool
enter_segment(struct mlog_scan *scan)
{
    const struct mlog_snapshot *snapshot = scan->snapshot;

    while (scan->next_segment < snapshot->n_segments) {
        size_t i = scan->next_segment++;
        const struct mlog_snapshot_segment *s = &snapshot->segments[i];

        mlog_snapshot_range(snapshot, i, scan->range.since,
                            scan->range.until, &scan->pos, &scan->end);
        if (scan->pos >= scan->end) {
            continue;
        }
        if (!may_go_on(scan)) {
            break;
        }
        scan->mode = (!scan->range.expr ? SEGMENT_ALL
                      : scan->end - scan->pos > s->n_flows
                      ? settle_segment(scan, s)
                      : SEGMENT_MIXED);
        if (scan->mode != SEGMENT_NONE) {
            return true;
        }
    }
    scan->pos = scan->end = 0;
    return false;
}

/* Puts the rows from 'start' up to 'end' whose flow's verdict is not V_FALSE
 * into 'selection' and returns their number. */
static uint32_t
select_by_flow(const struct mlog_row *rows, const uint8_t *verdicts,
               uint32_t start, uint32_t end, uint32_t *selection)
{
    uint32_t n = 0;

    for (uint32_t i = start; i < end; i++) {
        selection[n] = i;
        n += verdicts[rows[i].flow] != V_FALSE;
    }
    return n;
}

static bool
row_matches(struct mlog_scan *scan, uint32_t row)
{
    size_t segment = scan->next_segment - 1;
    uint32_t flow = scan->snapshot->segments[segment].segment->rows[row].flow;
    enum verdict verdict = scan->verdicts[flow];

    if (verdict == V_UNSET) {
        verdict = settle_flow(scan, flow);
    }
    if (verdict == V_MAYBE) {
        struct mlog_record record;

        mlog_snapshot_record(scan->snapshot, segment, row, &record);
        return mlog_expr_eval(scan->range.expr, &record);
    }
    return verdict == V_TRUE;
}

void
mlog_batch_prefetch(const struct mlog_batch *batch, uint32_t i,
                    const struct mlog_flow_table *flows)
{
    if (i + MLOG_BATCH_AHEAD < batch->n) {
        const struct mlog_row *row = mlog_batch_row(batch,
                                                    i + MLOG_BATCH_AHEAD);
        const struct mlog_flow *flow = mlog_flow_table_get(flows, row->flow);

        OVS_PREFETCH(&flow->key);
        OVS_PREFETCH(&flow->flow_id);
    }
}

/* Keeps of the rows of 'batch', whose selection is the scan's, those that
 * match, and returns their number. */
static uint32_t
refine_selection(struct mlog_scan *scan, const struct mlog_batch *batch)
{
    uint32_t n_left = 0;

    for (uint32_t i = 0; i < batch->n; i++) {
        uint32_t row = scan->selection[i];

        mlog_batch_prefetch(batch, i, scan->snapshot->flows);
        scan->selection[n_left] = row;
        n_left += row_matches(scan, row);
    }
    return n_left;
}

/* Fills in 'batch' from the current segment.  It may end up empty. */
static void
fill_batch(struct mlog_scan *scan, struct mlog_batch *batch)
{
    const struct mlog_segment *segment
        = scan->snapshot->segments[scan->next_segment - 1].segment;
    bool all = scan->mode == SEGMENT_ALL;
    uint32_t n = MIN(scan->end - scan->pos,
                     all ? BATCH_ALL : BATCH_SELECTED);

    *batch = (struct mlog_batch) {
        .rows = segment->rows,
        .base_time = segment->base_time,
        .segment = scan->next_segment - 1,
        .first = scan->pos,
        .n = n,
    };
    scan->pos += n;
    if (!all) {
        batch->selection = scan->selection;
        batch->n = select_by_flow(segment->rows, scan->verdicts, batch->first,
                                  scan->pos, scan->selection);
        if (scan->mode == SEGMENT_MIXED) {
            batch->n = refine_selection(scan, batch);
        }
    }
}

bool
mlog_scan_next(struct mlog_scan *scan, struct mlog_batch *batch)
{
    while (may_go_on(scan)
           && (scan->pos < scan->end || enter_segment(scan))) {
        fill_batch(scan, batch);
        if (batch->n) {
            return true;
        }
    }
    return false;
}

/* Counts without a selection the rows from 'start' up to 'end' whose flow's
 * verdict is V_TRUE, or all of them if 'verdicts' is NULL. */
static void
count_rows(const struct mlog_row *rows, const uint8_t *verdicts,
           uint32_t start, uint32_t end, uint64_t *n_rows, uint64_t *n_bytes)
{
    uint64_t n = 0, bytes = 0;

    if (!verdicts) {
        for (uint32_t i = start; i < end; i++) {
            bytes += mlog_row_pkt_len(&rows[i]);
        }
        n = end - start;
    } else {
        for (uint32_t i = start; i < end; i++) {
            bool match = verdicts[rows[i].flow] == V_TRUE;

            n += match;
            bytes += match ? mlog_row_pkt_len(&rows[i]) : 0;
        }
    }
    *n_rows += n;
    *n_bytes += bytes;
}

void
mlog_scan_count(struct mlog_scan *scan, uint64_t *n_rows, uint64_t *n_bytes)
{
    *n_rows = *n_bytes = 0;
    while (may_go_on(scan)
           && (scan->pos < scan->end || enter_segment(scan))) {
        struct mlog_batch batch;

        if (scan->mode != SEGMENT_MIXED) {
            const struct mlog_segment *segment
                = scan->snapshot->segments[scan->next_segment - 1].segment;
            uint32_t n = MIN(scan->end - scan->pos, BATCH_ALL);

            count_rows(segment->rows,
                       scan->mode == SEGMENT_ALL ? NULL : scan->verdicts,
                       scan->pos, scan->pos + n, n_rows, n_bytes);
            scan->pos += n;
        } else {
            fill_batch(scan, &batch);
            *n_rows += batch.n;
            for (uint32_t i = 0; i < batch.n; i++) {
                *n_bytes += mlog_row_pkt_len(mlog_batch_row(&batch, i));
            }
        }
    }
}

void
mlog_snapshot_record(const struct mlog_snapshot *snapshot, size_t i,
                     uint32_t row_index, struct mlog_record *record)
{
    const struct mlog_segment *segment = snapshot->segments[i].segment;
    const struct mlog_row *row = &segment->rows[row_index];
    const struct mlog_flow *flow = mlog_flow_table_get(snapshot->flows,
                                                       row->flow);

    *record = (struct mlog_record) {
        .key = &flow->key,
        .row = row,
        .flow_id = flow->flow_id,
        .time = segment->base_time + mlog_row_time(row),
    };
}
