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

#include "mlog-archive.h"
#include "mlog-archiver.h"
#include "util.h"

/* Pages
 * =====
 *
 * A page of the oldest rows is a scan from a place on that ends early.  For
 * the newest rows before a place, the segments are scanned one by one, the
 * newest first: so a page costs what it takes to find its rows, not what it
 * takes to go through all of them. */

static int
oldest_page(const struct mlog_snapshot *snapshot,
            const struct mlog_range *range, const struct mlog_budget *budget,
            const struct mlog_place *from, struct row_ring *ring,
            struct mlog_query_totals *totals)
{
    struct mlog_scan *scan = mlog_scan_create(snapshot, range, budget);
    struct mlog_batch batch;

    mlog_scan_set_places(scan, from, NULL);
    while (ring->n < ring->limit && mlog_scan_next(scan, &batch)) {
        mlog_row_ring_add__(ring, &batch, true);
        mlog_scan_set_memory(scan, ring->allocated * sizeof *ring->rows);
    }
    return mlog_query_end_scan__(scan, totals);
}

/* Where the segments begin that 'range' may have rows of, oldest first.  The
 * caller frees them. */
static struct mlog_place *
list_segments(const struct mlog_snapshot *snapshot,
              const struct mlog_range *range, size_t *np)
{
    const struct mlog_archive_list *list = snapshot->archive;
    size_t n_files = list ? list->n : 0;
    struct mlog_place *places = xmalloc((n_files + snapshot->n_segments + 1)
                                        * sizeof *places);
    size_t n = 0;

    for (size_t i = 0; i < n_files; i++) {
        const struct mlog_archive_info *info
            = mlog_archive_file_info(list->files[i]);

        if (info->n_rows && info->max_time >= range->since
            && info->min_time <= range->until
            && !mlog_archiver_is_held(info, snapshot->archive_life,
                                      snapshot->oldest_row)) {
            places[n++] = mlog_place_of_segment(snapshot, info,
                                                info->first_row);
        }
    }
    for (size_t i = 0; i < snapshot->n_segments; i++) {
        if (mlog_snapshot_enter(snapshot, i)) {
            places[n++] = mlog_place_of_segment(
                snapshot, NULL, snapshot->segments[i].segment->first_row);
            mlog_snapshot_leave(snapshot, i);
        }
    }
    *np = n;
    return places;
}

static void
add_stats(struct mlog_scan_stats *sum, const struct mlog_scan_stats *stats)
{
    sum->n_segments += stats->n_segments;
    sum->n_skipped += stats->n_skipped;
    sum->n_by_postings += stats->n_by_postings;
    sum->n_loaded += stats->n_loaded;
    sum->n_rows += stats->n_rows;
    sum->n_rows_decoded += stats->n_rows_decoded;
    sum->n_matched += stats->n_matched;
    sum->n_blocks += stats->n_blocks;
    sum->n_blocks_skipped += stats->n_blocks_skipped;
    sum->n_values += stats->n_values;
    sum->us += stats->us;
}

/* Puts the newest rows from 'from' on and before 'before' into 'ring', as
 * many as it takes. */
static int
scan_part(const struct mlog_snapshot *snapshot,
          const struct mlog_range *range, const struct mlog_budget *budget,
          const struct mlog_place *from, const struct mlog_place *before,
          struct row_ring *ring, struct mlog_query_totals *totals)
{
    struct mlog_scan *scan = mlog_scan_create(snapshot, range, budget);
    struct mlog_query_totals part;
    struct mlog_batch batch;
    int error;

    mlog_scan_set_places(scan, from, before);
    while (mlog_scan_next(scan, &batch)) {
        mlog_row_ring_add__(ring, &batch, false);
        mlog_scan_set_memory(scan, ring->allocated * sizeof *ring->rows);
    }
    error = mlog_query_end_scan__(scan, &part);
    totals->n_revoked += part.n_revoked;
    totals->n_unreadable += part.n_unreadable;
    add_stats(&totals->scan, &part.scan);
    return error;
}

/* Puts 'rows', 'n' of them, which are older, before those of 'all'. */
static void
prepend(struct mlog_query_rows *all, struct mlog_query_row *rows, size_t n)
{
    if (n) {
        rows = xrealloc(rows, (n + all->n) * sizeof *rows);
        if (all->n) {
            memcpy(rows + n, all->rows, all->n * sizeof *rows);
        }
        free(all->rows);
        all->rows = rows;
        all->n += n;
    } else {
        free(rows);
    }
}

static int
newest_page(const struct mlog_snapshot *snapshot,
            const struct mlog_range *range, const struct mlog_budget *budget,
            const struct mlog_place *before, size_t limit,
            struct mlog_query_rows *rows)
{
    size_t n;
    struct mlog_place *places = list_segments(snapshot, range, &n);
    int error = 0;

    while (!error && n-- > 0 && rows->n < limit) {
        struct row_ring ring = {
            .snapshot = snapshot, .limit = limit - rows->n
        };

        if (before && mlog_place_compare(&places[n], before) >= 0) {
            continue;
        }
        error = scan_part(snapshot, range, budget, &places[n], before, &ring,
                          &rows->totals);
        prepend(rows, mlog_row_ring_unroll__(&ring), ring.n);
        before = &places[n];
    }
    free(places);
    return error;
}

/* Takes away the row that was only asked for to see whether there is one. */
static void
drop_extra(struct mlog_query_rows *rows, size_t limit, bool oldest)
{
    rows->more = rows->n > limit;
    if (rows->more) {
        rows->n--;
        if (!oldest) {
            memmove(rows->rows, rows->rows + 1, rows->n * sizeof *rows->rows);
        }
    }
}

int
mlog_query_page(const struct mlog_snapshot *snapshot,
                const struct mlog_range *range,
                const struct mlog_budget *budget, size_t limit, bool oldest,
                const struct mlog_place *from,
                const struct mlog_place *before,
                struct mlog_query_rows *rows)
{
    int error;

    memset(rows, 0, sizeof *rows);
    mlog_query_get_missing(snapshot, range, &rows->totals);
    if (oldest) {
        struct row_ring ring = { .snapshot = snapshot, .limit = limit + 1 };

        error = oldest_page(snapshot, range, budget, from, &ring,
                            &rows->totals);
        rows->n = ring.n;
        rows->rows = mlog_row_ring_unroll__(&ring);
    } else {
        error = newest_page(snapshot, range, budget, before, limit + 1, rows);
    }
    if (error) {
        mlog_query_rows_destroy(rows);
        return error;
    }

    drop_extra(rows, limit, oldest);
    rows->totals.count = rows->n;
    for (size_t i = 0; i < rows->n; i++) {
        rows->totals.bytes += mlog_row_pkt_len(&rows->rows[i].row);
    }
    return 0;
}
