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

#include "mlog-query.h"

#include "mlog-expr.h"
#include "openvswitch/util.h"
#include "util.h"

void
mlog_query_get_missing(const struct mlog_snapshot *snapshot,
                       const struct mlog_range *range,
                       struct mlog_query_totals *totals)
{
    uint64_t since = range->since;
    uint64_t until = range->until;

    if (range->expr) {
        uint64_t min, max;

        mlog_expr_time_range(range->expr, &min, &max);
        since = MAX(since, min);
        until = MIN(until, max);
    }
    totals->gaps = since <= until ? mlog_snapshot_gaps(snapshot, since, until)
                                  : 0;
    totals->expired = (since <= until && snapshot->n_expired
                       && since <= snapshot->expired_until);
}

int
mlog_query_count(const struct mlog_snapshot *snapshot,
                 const struct mlog_range *range,
                 const struct mlog_budget *budget,
                 struct mlog_query_totals *totals)
{
    struct mlog_scan *scan = mlog_scan_create(snapshot, range, budget);

    mlog_query_get_missing(snapshot, range, totals);
    mlog_scan_count(scan, &totals->count, &totals->bytes);

    int error = mlog_scan_error(scan);
    mlog_scan_destroy(scan);
    return error;
}

/* Rows.
 *
 * The newest 'limit' are kept in a ring, which has gone round 'count' /
 * 'limit' times in the end.  It grows as far as there are rows. */

struct row_ring {
    struct mlog_row_ref *refs;
    size_t n, allocated;        /* Until 'limit' is reached. */
    size_t next;                /* From then on: the oldest, to be replaced. */
    size_t limit;
    bool oldest;
};

static void
row_ring_add(struct row_ring *ring, struct mlog_row_ref ref)
{
    if (ring->n < ring->limit) {
        if (ring->n >= ring->allocated) {
            ring->refs = x2nrealloc(ring->refs, &ring->allocated,
                                    sizeof *ring->refs);
        }
        ring->refs[ring->n++] = ref;
    } else if (!ring->oldest && ring->limit) {
        ring->refs[ring->next] = ref;
        ring->next = ring->next + 1 < ring->limit ? ring->next + 1 : 0;
    }
}

/* Returns the ring's content in order, for the caller to free. */
static struct mlog_row_ref *
row_ring_unroll(struct row_ring *ring)
{
    struct mlog_row_ref *refs = xmalloc(MAX(ring->n, 1) * sizeof *refs);
    size_t tail = ring->n - ring->next;

    if (ring->n) {
        memcpy(refs, ring->refs + ring->next, tail * sizeof *refs);
        memcpy(refs + tail, ring->refs, ring->next * sizeof *refs);
    }
    free(ring->refs);
    return refs;
}

int
mlog_query_rows(const struct mlog_snapshot *snapshot,
                const struct mlog_range *range,
                const struct mlog_budget *budget, size_t limit, bool oldest,
                struct mlog_query_rows *rows)
{
    struct mlog_scan *scan = mlog_scan_create(snapshot, range, budget);
    struct row_ring ring = { .limit = limit, .oldest = oldest };
    struct mlog_batch batch;

    memset(rows, 0, sizeof *rows);
    mlog_query_get_missing(snapshot, range, &rows->totals);
    while (mlog_scan_next(scan, &batch)) {
        rows->totals.count += batch.n;
        for (uint32_t i = 0; i < batch.n; i++) {
            row_ring_add(&ring, (struct mlog_row_ref) {
                .segment = batch.segment,
                .row = mlog_batch_index(&batch, i),
            });
            rows->totals.bytes += mlog_row_pkt_len(mlog_batch_row(&batch, i));
        }
    }

    int error = mlog_scan_error(scan);
    rows->n = ring.n;
    rows->refs = row_ring_unroll(&ring);
    if (error) {
        mlog_query_rows_destroy(rows);
    }
    mlog_scan_destroy(scan);
    return error;
}

void
mlog_query_rows_destroy(struct mlog_query_rows *rows)
{
    free(rows->refs);
    rows->refs = NULL;
    rows->n = 0;
}
