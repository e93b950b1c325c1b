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
#include "mlog-query-private.h"
#include "openvswitch/util.h"
#include "util.h"

/* 'range' within the times for which its expression can be true. */
static void
narrow_range(const struct mlog_range *range, uint64_t *since, uint64_t *until)
{
    *since = range->since;
    *until = range->until;
    if (range->expr) {
        uint64_t min, max;

        mlog_expr_time_range(range->expr, &min, &max);
        *since = MAX(*since, min);
        *until = MIN(*until, max);
    }
}

void
mlog_query_effective_range(const struct mlog_snapshot *snapshot,
                           const struct mlog_range *range,
                           uint64_t *since, uint64_t *until)
{
    narrow_range(range, since, until);
    *until = MIN(*until, snapshot->cut);
}

void
mlog_query_get_missing(const struct mlog_snapshot *snapshot,
                       const struct mlog_range *range,
                       struct mlog_query_totals *totals)
{
    uint64_t since, until;

    narrow_range(range, &since, &until);
    totals->gaps = since <= until ? mlog_snapshot_gaps(snapshot, since, until)
                                  : 0;
    totals->outage = (since <= until
                      && mlog_snapshot_has_outage(snapshot, since, until));
    totals->expired = (since <= until && snapshot->n_expired
                       && since <= snapshot->expired_until);
}

int
mlog_query_end_scan__(struct mlog_scan *scan, struct mlog_query_totals *totals)
{
    int error = mlog_scan_error(scan);

    totals->n_revoked = mlog_scan_n_expired(scan);
    totals->n_unreadable = mlog_scan_n_unreadable(scan);
    mlog_scan_get_stats(scan, &totals->scan);
    mlog_scan_destroy(scan);
    return error;
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
    return mlog_query_end_scan__(scan, totals);
}

/* Rows. */

static struct mlog_query_row *
row_ring_put(struct row_ring *ring)
{
    if (ring->n < ring->limit) {
        if (ring->n >= ring->allocated) {
            ring->rows = x2nrealloc(ring->rows, &ring->allocated,
                                    sizeof *ring->rows);
        }
        return &ring->rows[ring->n++];
    }

    struct mlog_query_row *row = &ring->rows[ring->next];
    ring->next = ring->next + 1 < ring->limit ? ring->next + 1 : 0;
    return row;
}

void
mlog_query_copy_row__(const struct mlog_batch *batch, uint32_t i,
                      struct mlog_query_row *row)
{
    struct mlog_record record;

    mlog_batch_record(batch, i, &record);
    row->row = *record.row;
    row->key = *record.key;
    row->time = record.time;
    row->place.row = batch->segment->first_row + mlog_batch_number(batch, i);
}

void
mlog_row_ring_add__(struct row_ring *ring, const struct mlog_batch *batch,
                    bool oldest)
{
    struct mlog_place place = mlog_batch_place(ring->snapshot, batch, 0);
    uint32_t start = (oldest || batch->n <= ring->limit
                      ? 0 : batch->n - ring->limit);
    uint32_t end = (oldest ? MIN(batch->n, ring->limit - ring->n)
                    : ring->limit ? batch->n : 0);

    for (uint32_t i = start; i < end; i++) {
        struct mlog_query_row *row = row_ring_put(ring);

        mlog_batch_prefetch(batch, i);
        row->place = place;
        mlog_query_copy_row__(batch, i, row);
    }
}

struct mlog_query_row *
mlog_row_ring_unroll__(struct row_ring *ring)
{
    if (!ring->next) {
        return ring->rows;
    }

    struct mlog_query_row *rows = xmalloc(ring->n * sizeof *rows);
    size_t tail = ring->n - ring->next;

    memcpy(rows, ring->rows + ring->next, tail * sizeof *rows);
    memcpy(rows + tail, ring->rows, ring->next * sizeof *rows);
    free(ring->rows);
    return rows;
}

/* Only the rows that are wanted are decoded; the others are counted. */
static void
scan_rows(struct mlog_scan *scan, struct row_ring *ring, bool oldest,
          struct mlog_query_totals *totals)
{
    struct mlog_batch batch;
    uint64_t count, bytes;

    if (!oldest) {
        mlog_scan_count_newest(scan, ring->limit, &totals->count,
                               &totals->bytes);
        while (mlog_scan_next(scan, &batch)) {
            mlog_row_ring_add__(ring, &batch, false);
            mlog_scan_set_memory(scan, ring->allocated * sizeof *ring->rows);
        }
        return;
    }
    while (ring->n < ring->limit && mlog_scan_next(scan, &batch)) {
        mlog_row_ring_add__(ring, &batch, true);
        mlog_scan_set_memory(scan, ring->allocated * sizeof *ring->rows);
        totals->count += batch.n;
        for (uint32_t i = 0; i < batch.n; i++) {
            totals->bytes += mlog_row_pkt_len(mlog_batch_row(&batch, i));
        }
    }
    mlog_scan_count(scan, &count, &bytes);
    totals->count += count;
    totals->bytes += bytes;
}

int
mlog_query_rows(const struct mlog_snapshot *snapshot,
                const struct mlog_range *range,
                const struct mlog_budget *budget, size_t limit, bool oldest,
                struct mlog_query_rows *rows)
{
    struct mlog_scan *scan = mlog_scan_create(snapshot, range, budget);
    struct row_ring ring = { .snapshot = snapshot, .limit = limit };

    memset(rows, 0, sizeof *rows);
    mlog_query_get_missing(snapshot, range, &rows->totals);
    scan_rows(scan, &ring, oldest, &rows->totals);
    rows->n = ring.n;
    rows->rows = mlog_row_ring_unroll__(&ring);
    rows->more = rows->totals.count > rows->n;

    int error = mlog_query_end_scan__(scan, &rows->totals);
    if (error) {
        mlog_query_rows_destroy(rows);
    }
    return error;
}

void
mlog_query_rows_destroy(struct mlog_query_rows *rows)
{
    free(rows->rows);
    rows->rows = NULL;
    rows->n = 0;
}
