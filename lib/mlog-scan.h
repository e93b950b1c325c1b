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


#ifndef MLOG_SCAN_H
#define MLOG_SCAN_H 1

/* Scanning a snapshot
 * ===================
 *
 * Hands out the rows of a snapshot, and of the archive, that lie in a range of
 * time and match an expression, oldest first, in batches.  Everything that a
 * query computes is computed on these batches.
 *
 * Usage:
 *
 *     struct mlog_scan *scan = mlog_scan_create(&snapshot, &range, &budget);
 *     struct mlog_batch batch;
 *
 *     while (mlog_scan_next(scan, &batch)) {
 *         for (uint32_t i = 0; i < batch.n; i++) {
 *             const struct mlog_row *row = mlog_batch_row(&batch, i);
 *             ...
 *         }
 *     }
 *     error = mlog_scan_error(scan);
 *     mlog_scan_destroy(scan);
 *
 * A scan finds its rows through an index where that saves work: the flow table
 * and each segment's postings for fields of the flow, zone maps for those of
 * the row, bisection for time.
 *
 * Thread-safety
 * =============
 *
 * A scan belongs to one thread.  Any number of scans may run over one
 * snapshot. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-budget.h"
#include "mlog-columns.h"
#include "mlog-fields.h"
#include "mlog-header-log.h"
#include "mlog-place.h"
#include "mlog-record.h"

struct mlog_expr;

/* What is asked for: records of times within [since, until], ns, both
 * included, that match 'expr' (NULL for all). */
struct mlog_range {
    const struct mlog_expr *expr;
    uint64_t since;
    uint64_t until;
};

/* Some rows of one segment.  The n that match are those of 'rows' with the
 * indexes in 'selection', or, if that is NULL, 'first', 'first' + 1... */
struct mlog_batch {
    const struct mlog_row *rows;
    const uint32_t *selection;
    uint32_t first;
    uint32_t n;
    const struct mlog_segment *segment;
    const struct mlog_flow_table *flows;
    uint64_t serial;            /* Another one for each segment. */

    /* Where the rows are within the segment: rows[i] is row places[i] or, if
     * that is NULL, 'start' + i. */
    const uint32_t *places;
    uint32_t start;
    const struct mlog_archive_info *archived;   /* Or NULL. */
};

static inline const struct mlog_row *
mlog_batch_row(const struct mlog_batch *batch, uint32_t i)
{
    return &batch->rows[batch->selection ? batch->selection[i]
                        : batch->first + i];
}

/* Number of row 'i' of 'batch' within its segment. */
static inline uint32_t
mlog_batch_number(const struct mlog_batch *batch, uint32_t i)
{
    uint32_t row = batch->selection ? batch->selection[i] : batch->first + i;

    return batch->places ? batch->places[row] : batch->start + row;
}

/* The place of row 'i' of 'batch', of a scan of 'snapshot'. */
static inline struct mlog_place
mlog_batch_place(const struct mlog_snapshot *snapshot,
                 const struct mlog_batch *batch, uint32_t i)
{
    return mlog_place_of_segment(snapshot, batch->archived,
                                 (batch->segment->first_row
                                  + mlog_batch_number(batch, i)));
}

/* Sets 'record' to row 'i' of 'batch'. */
static inline void
mlog_batch_record(const struct mlog_batch *batch, uint32_t i,
                  struct mlog_record *record)
{
    const struct mlog_row *row = mlog_batch_row(batch, i);

    *record = (struct mlog_record) {
        .key = mlog_segment_key(batch->flows, batch->segment, row->flow),
        .row = row,
        .time = batch->segment->base_time + mlog_row_time(row),
    };
}

/* Fetches the key of the flow of the row that is MLOG_BATCH_AHEAD after the
 * i-th of 'batch', if there is one. */
#define MLOG_BATCH_AHEAD 12
void mlog_batch_prefetch(const struct mlog_batch *, uint32_t i);

struct mlog_scan *mlog_scan_create(const struct mlog_snapshot *,
                                   const struct mlog_range *,
                                   const struct mlog_budget *);
void mlog_scan_destroy(struct mlog_scan *);

/* Says that of the rows of batches only those columns are wanted that are bits
 * of 'columns', 1 << MLOG_COLUMN_..., besides flow and time; the others may
 * be zero.  Without that, all are. */
void mlog_scan_set_columns(struct mlog_scan *, uint32_t columns);

/* The columns that it takes to get a field of a record. */
uint32_t mlog_scan_field_columns(enum mlog_field_id);

/* Narrows the scan to the rows from 'from' on and before 'before', either of
 * which may be NULL.  Before the first mlog_scan_next(). */
void mlog_scan_set_places(struct mlog_scan *, const struct mlog_place *from,
                          const struct mlog_place *before);

/* Gets the next batch, valid until the next call, which has at least one row.
 * Returns false at the end or after an error.  Whoever gets a batch should go
 * on within milliseconds: its segment can't be recycled until then. */
bool mlog_scan_next(struct mlog_scan *, struct mlog_batch *);

/* Consumes the whole scan and counts the rows and adds up their lengths. */
void mlog_scan_count(struct mlog_scan *, uint64_t *n_rows, uint64_t *n_bytes);

/* The same, and then goes back to where the newest 'limit' of these rows
 * begin, or somewhat before, so that mlog_scan_next() gets them: the cheapest
 * way to count all and see a few. */
void mlog_scan_count_newest(struct mlog_scan *, size_t limit,
                            uint64_t *n_rows, uint64_t *n_bytes);

/* Says how many bytes whoever gets the batches holds for the result.  If that
 * is more than the budget allows, the scan ends. */
void mlog_scan_set_memory(struct mlog_scan *, uint64_t bytes);

/* 0, or if the scan ended early, why: ENOMEM, or see mlog_budget_check(). */
int mlog_scan_error(const struct mlog_scan *);

/* How many segments could not be read (any more) because they had expired and
 * been pinned for longer than MLOG_PIN_BOUND_NS: what the scan has found is
 * without (the rest of) them. */
size_t mlog_scan_n_expired(const struct mlog_scan *);

/* True if zone maps help to find values of a field. */
bool mlog_scan_has_zones(enum mlog_field_id);

/* How many archived segments could not be read, because the file was damaged
 * or could not be read. */
size_t mlog_scan_n_unreadable(const struct mlog_scan *);

/* How the scan went, for people. */
struct mlog_scan_stats {
    size_t n_segments;          /* With rows in the range... */
    size_t n_skipped;           /* ...whose flows and zones have no match... */
    size_t n_by_postings;       /* ...of whose rows only some were read... */
    size_t n_loaded;            /* ...that were loaded from the archive. */
    uint64_t n_rows;            /* Rows looked at... */
    uint64_t n_rows_decoded;    /* ...and, of sealed ones, all of a row. */
    uint64_t n_matched;         /* Rows found. */
    uint64_t n_blocks;          /* Of up to 1,024 rows... */
    uint64_t n_blocks_skipped;  /* ...whose zones have no match. */
    uint64_t n_values;          /* Single values of columns decoded. */
    uint64_t us;                /* Since the scan was created. */
};
void mlog_scan_get_stats(const struct mlog_scan *, struct mlog_scan_stats *);

#endif /* mlog-scan.h */
