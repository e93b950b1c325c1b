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

#include "mlog-scan-private.h"

#include "mlog-archive.h"
#include "mlog-expr.h"
#include "openvswitch/util.h"
#include "util.h"

/* How rows are looked at
 * ======================
 *
 * A block's rows become a bitmap, which is narrowed down: by the program on
 * columns (mlog-block-expr.c), which decodes no more columns than it needs and
 * none if the zones decide; then by the verdicts of the rows' flows, or the
 * other way round if a flow may decide alone.  Only rows that are left are
 * decoded as rows, and of these only the columns that the user of the scan
 * wants.  Counting decodes no rows at all. */

/* If fewer rows than that are left of a block, a value is decoded for each of
 * them instead of for all. */
#define FEW_ROWS 16

/* Rows are decoded one by one if so many times as many would be decoded
 * otherwise. */
#define SPARSE 16

void
mlog_batch_prefetch(const struct mlog_batch *batch, uint32_t i)
{
    if (i + MLOG_BATCH_AHEAD < batch->n) {
        const struct mlog_row *row = mlog_batch_row(batch,
                                                    i + MLOG_BATCH_AHEAD);

        OVS_PREFETCH(mlog_segment_key(batch->flows, batch->segment,
                                      row->flow));
    }
}

/* Returns how many rows the next batch has, at most up to the end of a sealed
 * segment's block. */
static uint32_t
next_rows(const struct mlog_scan *scan)
{
    uint32_t max = (scan->by_postings ? BATCH_ROWS
                    : scan->segment->sealed
                    ? BATCH_ROWS - scan->pos % BATCH_ROWS
                    : scan->mode == SEGMENT_ALL ? BATCH_LARGE : BATCH_ROWS);

    return MIN(scan->end - scan->pos, max);
}

/* Selecting. */

static enum mlog_flow_verdict
verdict_of(struct mlog_scan *scan, uint32_t flow)
{
    uint8_t byte = scan->local[flow];

    return mlog_flow_verdict(byte ? byte : mlog_scan_settle__(scan, flow));
}

/* The flow of row 'i' of the block. */
static uint32_t
flow_of(struct mlog_block *block, uint32_t i)
{
    uint32_t flow;

    if (!block->sealed) {
        return block->rows[i].flow;
    } else if (block->have & 1u << MLOG_COLUMN_FLOW) {
        return block->columns[MLOG_COLUMN_FLOW][i];
    }
    mlog_sealed_column(block->sealed, MLOG_COLUMN_FLOW,
                       block->index * MLOG_BLOCK_ROWS + i, 1, &flow);
    return flow;
}

/* Settles the flows of the rows in 'bits'. */
static void
settle_rows(struct mlog_scan *scan, const uint32_t *bits)
{
    const uint32_t *flows = mlog_block_column(&scan->block, MLOG_COLUMN_FLOW);
    uint32_t n = mlog_select_list(bits, scan->block.n_groups, 0,
                                  scan->numbers);

    for (uint32_t i = 0; i < n; i++) {
        verdict_of(scan, flows[scan->numbers[i]]);
    }
}

/* Keeps in 'bits', which are few, the rows whose flows are MAYBE. */
static void
keep_few(struct mlog_scan *scan, uint32_t *bits)
{
    uint32_t n = mlog_select_list(bits, scan->block.n_groups, 0,
                                  scan->numbers);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = scan->numbers[i];

        if (verdict_of(scan, flow_of(&scan->block, row)) != MLOG_FLOW_MAYBE) {
            bits[row / MLOG_GROUP] &= ~(1u << row % MLOG_GROUP);
        }
    }
}

/* Keeps in 'bits' the rows whose flows have 'verdict'. */
static void
keep_verdict(struct mlog_scan *scan, enum mlog_flow_verdict verdict,
             uint32_t *bits)
{
    uint32_t hits[MLOG_BLOCK_GROUPS];

    mlog_select_bytes(mlog_block_bytes(&scan->block), MLOG_FLOW_VERDICT_MASK,
                      verdict, scan->block.n_groups, hits);
    for (uint32_t i = 0; i < scan->block.n_groups; i++) {
        bits[i] &= hits[i];
    }
}

/* The program first, then the flows.  Only if no flow decides alone. */
static void
select_by_rows(struct mlog_scan *scan, uint32_t *bits)
{
    struct mlog_block *block = &scan->block;

    mlog_block_expr_eval(scan->program, block, bits);
    if (scan->all_maybe || mlog_block_expr_is_row_only(scan->program)
        || mlog_select_is_empty(bits, block->n_groups)) {
        return;
    }
    if (mlog_select_count(bits, block->n_groups) <= FEW_ROWS) {
        keep_few(scan, bits);
        return;
    }
    if (!scan->settled) {
        settle_rows(scan, bits);
    }
    keep_verdict(scan, MLOG_FLOW_MAYBE, bits);
}

static void
select_by_flows(struct mlog_scan *scan, uint32_t *bits)
{
    uint32_t n_groups = scan->block.n_groups;
    uint32_t sure[MLOG_BLOCK_GROUPS];

    if (!scan->settled) {
        settle_rows(scan, bits);
    }
    memcpy(sure, bits, n_groups * sizeof *sure);
    keep_verdict(scan, MLOG_FLOW_TRUE, sure);
    if (scan->mode == SEGMENT_MIXED) {
        keep_verdict(scan, MLOG_FLOW_MAYBE, bits);
        if (!mlog_select_is_empty(bits, n_groups)) {
            mlog_block_expr_eval(scan->program, &scan->block, bits);
        }
        for (uint32_t i = 0; i < n_groups; i++) {
            sure[i] |= bits[i];
        }
    }
    memcpy(bits, sure, n_groups * sizeof *bits);
}

/* Makes 'bits' the rows of the block, from 'start' to before 'end', that
 * match, and perhaps some that don't if the program isn't exact.  Returns
 * their number. */
static uint32_t
select_rows(struct mlog_scan *scan, uint32_t start, uint32_t end,
            uint32_t *bits)
{
    const struct mlog_block_expr *program = scan->program;
    struct mlog_block *block = &scan->block;
    uint64_t before = block->n_decoded;

    mlog_select_range(start, end, block->n_groups, bits);
    if (scan->mode != SEGMENT_ALL) {
        if (mlog_block_expr_is_row_only(program)
            || (scan->mode == SEGMENT_MIXED
                && mlog_block_expr_needs_rows(program)
                && (scan->settled || !mlog_block_expr_has_parts(program)))) {
            select_by_rows(scan, bits);
        } else {
            select_by_flows(scan, bits);
        }
    }

    uint32_t n = mlog_select_count(bits, block->n_groups);
    scan->stats.n_blocks++;
    if (!n && block->n_decoded == before) {
        scan->stats.n_blocks_skipped++;
    } else {
        scan->stats.n_rows += end - start;
    }
    return n;
}

/* True if what is selected has to be looked at once more. */
static bool
needs_refining(const struct mlog_scan *scan)
{
    return (scan->mode == SEGMENT_MIXED
            && !mlog_block_expr_is_exact(scan->program));
}

/* Batches. */

/* Keeps of the rows of 'batch', whose selection is the scan's, those that
 * match, and returns their number. */
static uint32_t
refine_selection(struct mlog_scan *scan, const struct mlog_batch *batch)
{
    uint32_t n_left = 0;

    for (uint32_t i = 0; i < batch->n; i++) {
        struct mlog_record record;

        mlog_batch_prefetch(batch, i);
        mlog_batch_record(batch, i, &record);
        scan->selection[n_left] = scan->selection[i];
        n_left += mlog_expr_eval(scan->range.expr, &record);
    }
    return n_left;
}

/* The columns to decode for a batch. */
static uint32_t
wanted_columns(const struct mlog_scan *scan)
{
    return needs_refining(scan) ? MLOG_ALL_COLUMNS : scan->columns;
}

uint32_t
mlog_scan_columns__(const struct mlog_scan *scan)
{
    uint32_t columns = wanted_columns(scan);

    if (scan->mode == SEGMENT_MIXED) {
        columns |= mlog_block_expr_columns(scan->program);
    }
    return (columns | 1u << MLOG_COLUMN_FLOW | 1u << MLOG_COLUMN_TIME);
}

/* Selects rows among the 'n' at 'rows', and completes 'batch'. */
static void
fill_from_rows(struct mlog_scan *scan, const struct mlog_row *rows, uint32_t n,
               struct mlog_batch *batch)
{
    uint32_t bits[MLOG_BLOCK_GROUPS];

    batch->rows = rows;
    batch->selection = scan->selection;
    mlog_block_set_rows(&scan->block, rows, n, scan->segment->base_time,
                        scan->local);
    select_rows(scan, 0, n, bits);
    batch->n = mlog_select_list(bits, scan->block.n_groups, 0,
                                scan->selection);
}

/* Selects rows of the sealed segment, from 'pos' on, 'n' at most. */
static void
fill_from_sealed(struct mlog_scan *scan, uint32_t n, struct mlog_batch *batch)
{
    const struct mlog_sealed *sealed = scan->segment->sealed;
    uint32_t index = scan->pos / BATCH_ROWS;
    uint32_t start = scan->pos % BATCH_ROWS;
    uint32_t first = index * BATCH_ROWS;
    uint32_t bits[MLOG_BLOCK_GROUPS];

    mlog_block_set_sealed(&scan->block, sealed, index, scan->local);
    batch->rows = scan->rows;
    batch->n = select_rows(scan, start, start + n, bits);
    if (!batch->n) {
        return;
    }
    mlog_select_list(bits, scan->block.n_groups, 0, scan->selection);
    scan->stats.n_rows_decoded += batch->n;
    if (batch->n <= n / SPARSE) {
        for (uint32_t i = 0; i < batch->n; i++) {
            scan->numbers[i] = first + scan->selection[i];
            scan->selection[i] = i;
        }
        mlog_sealed_select_of(sealed, wanted_columns(scan), scan->numbers,
                              batch->n, scan->rows);
        batch->places = scan->numbers;
    } else {
        mlog_sealed_rows_of(sealed, wanted_columns(scan), scan->pos, n,
                            scan->rows);
        for (uint32_t i = 0; start && i < batch->n; i++) {
            scan->selection[i] -= start;
        }
    }
    batch->selection = scan->selection;
}

/* All of the next 'n' rows. */
static void
fill_with_all(struct mlog_scan *scan, uint32_t n, struct mlog_batch *batch)
{
    const struct mlog_sealed *sealed = scan->segment->sealed;

    batch->n = n;
    scan->stats.n_rows += n;
    if (sealed) {
        mlog_sealed_rows_of(sealed, scan->columns, scan->pos, n, scan->rows);
        batch->rows = scan->rows;
        scan->stats.n_rows_decoded += n;
    } else {
        batch->rows = &scan->segment->rows[scan->pos];
    }
}

static void
fill_from_postings(struct mlog_scan *scan, uint32_t n,
                   struct mlog_batch *batch)
{
    mlog_sealed_select_of(scan->segment->sealed, mlog_scan_columns__(scan),
                          &scan->postings[scan->pos], n, scan->rows);
    scan->stats.n_rows_decoded += n;
    batch->places = &scan->postings[scan->pos];
    if (scan->mode == SEGMENT_BY_FLOW) {
        /* Postings are of flows that match, and of no others. */
        batch->rows = scan->rows;
        batch->n = n;
        scan->stats.n_rows += n;
    } else {
        fill_from_rows(scan, scan->rows, n, batch);
    }
}

/* Fills in 'batch' from the current segment.  It may end up empty. */
static void
fill_batch(struct mlog_scan *scan, struct mlog_batch *batch)
{
    uint32_t n = next_rows(scan);

    *batch = (struct mlog_batch) {
        .segment = scan->segment,
        .flows = scan->snapshot->flows,
        .serial = scan->serial,
        .start = scan->pos,
        .archived = scan->data ? scan->data->info : NULL,
    };
    if (scan->by_postings) {
        fill_from_postings(scan, n, batch);
    } else if (scan->mode == SEGMENT_ALL) {
        fill_with_all(scan, n, batch);
    } else if (scan->segment->sealed) {
        fill_from_sealed(scan, n, batch);
    } else {
        fill_from_rows(scan, &scan->segment->rows[scan->pos], n, batch);
    }
    scan->pos += n;
    if (batch->n && needs_refining(scan)) {
        batch->n = refine_selection(scan, batch);
    }
}

bool
mlog_scan_next(struct mlog_scan *scan, struct mlog_batch *batch)
{
    while (mlog_scan_prepare__(scan)) {
        fill_batch(scan, batch);
        if (batch->n) {
            scan->stats.n_matched += batch->n;
            return true;
        }
    }
    return false;
}

/* Counting. */

/* Adds up the lengths of the 'n' rows in 'bits'. */
static uint64_t
sum_lengths(struct mlog_scan *scan, const uint32_t *bits, uint32_t n)
{
    struct mlog_block *block = &scan->block;
    uint64_t sum = 0;

    if (n > FEW_ROWS || !block->sealed) {
        return mlog_select_sum(mlog_block_column(block, MLOG_COLUMN_PKT_LEN),
                               bits, block->n_groups);
    }
    mlog_select_list(bits, block->n_groups, block->index * MLOG_BLOCK_ROWS,
                     scan->numbers);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t length;

        mlog_sealed_column(block->sealed, MLOG_COLUMN_PKT_LEN,
                           scan->numbers[i], 1, &length);
        sum += length;
    }
    return sum;
}

/* Counts the next rows without decoding them. */
static void
count_block(struct mlog_scan *scan, uint64_t *n_rows, uint64_t *n_bytes)
{
    const struct mlog_segment *segment = scan->segment;
    uint32_t n = MIN(next_rows(scan), BATCH_ROWS);
    uint32_t bits[MLOG_BLOCK_GROUPS];
    uint32_t start = 0;

    if (segment->sealed) {
        start = scan->pos % BATCH_ROWS;
        mlog_block_set_sealed(&scan->block, segment->sealed,
                              scan->pos / BATCH_ROWS, scan->local);
    } else {
        mlog_block_set_rows(&scan->block, &segment->rows[scan->pos], n,
                            segment->base_time, scan->local);
    }
    scan->pos += n;
    n = select_rows(scan, start, start + n, bits);
    if (n) {
        *n_rows += n;
        *n_bytes += sum_lengths(scan, bits, n);
    }
}

/* Counts the next rows, which postings lead to and which all match. */
static void
count_postings(struct mlog_scan *scan, uint64_t *n_rows, uint64_t *n_bytes)
{
    const struct mlog_sealed *sealed = scan->segment->sealed;
    uint32_t n = next_rows(scan);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t length;

        mlog_sealed_column(sealed, MLOG_COLUMN_PKT_LEN,
                           scan->postings[scan->pos + i], 1, &length);
        *n_bytes += length;
    }
    *n_rows += n;
    scan->pos += n;
    scan->stats.n_rows += n;
    scan->block.n_decoded += n;
}

/* Counts the next rows by way of a batch. */
static void
count_batch(struct mlog_scan *scan, uint64_t *n_rows, uint64_t *n_bytes)
{
    struct mlog_batch batch;

    fill_batch(scan, &batch);
    *n_rows += batch.n;
    for (uint32_t i = 0; i < batch.n; i++) {
        *n_bytes += mlog_row_pkt_len(mlog_batch_row(&batch, i));
    }
}

/* Where the newest rows are: places, oldest first, from each of which on there
 * are so many until the next. */
struct newest {
    struct { struct mlog_scan_mark mark; uint64_t n; } *places;
    size_t first, n, allocated;
    uint64_t n_rows;            /* From 'first' on. */
    uint64_t limit;
};

/* Adds 'n' rows from 'mark' on, and forgets what isn't needed any more. */
static void
newest_add(struct newest *newest, const struct mlog_scan_mark *mark,
           uint64_t n)
{
    if (newest->n == newest->allocated && newest->first > newest->n / 2) {
        newest->n -= newest->first;
        memmove(newest->places, newest->places + newest->first,
                newest->n * sizeof *newest->places);
        newest->first = 0;
    }
    if (newest->n == newest->allocated) {
        newest->places = x2nrealloc(newest->places, &newest->allocated,
                                    sizeof *newest->places);
    }
    newest->places[newest->n].mark = *mark;
    newest->places[newest->n++].n = n;
    newest->n_rows += n;
    while (newest->n_rows - newest->places[newest->first].n >= newest->limit) {
        newest->n_rows -= newest->places[newest->first++].n;
    }
}

/* Counts what is left, and notes in 'newest', if that is not NULL. */
static void
count_all(struct mlog_scan *scan, struct newest *newest, uint64_t *n_rows,
          uint64_t *n_bytes)
{
    uint32_t columns = scan->columns;

    *n_rows = *n_bytes = 0;
    scan->columns = 1u << MLOG_COLUMN_PKT_LEN;
    while (mlog_scan_prepare__(scan)) {
        struct mlog_scan_mark mark = mlog_scan_mark__(scan);
        uint64_t before = *n_rows;

        if (scan->by_postings && scan->mode == SEGMENT_BY_FLOW) {
            count_postings(scan, n_rows, n_bytes);
        } else if (scan->by_postings || needs_refining(scan)) {
            count_batch(scan, n_rows, n_bytes);
        } else {
            count_block(scan, n_rows, n_bytes);
        }
        if (newest && *n_rows > before) {
            newest_add(newest, &mark, *n_rows - before);
        }
    }
    scan->columns = columns;
    scan->stats.n_matched += *n_rows;
}

void
mlog_scan_count(struct mlog_scan *scan, uint64_t *n_rows, uint64_t *n_bytes)
{
    count_all(scan, NULL, n_rows, n_bytes);
}

void
mlog_scan_count_newest(struct mlog_scan *scan, size_t limit, uint64_t *n_rows,
                       uint64_t *n_bytes)
{
    struct newest newest = { .limit = MAX(limit, 1) };

    count_all(scan, &newest, n_rows, n_bytes);
    if (newest.n) {
        mlog_scan_rewind__(scan, &newest.places[newest.first].mark);
        scan->stats.n_matched -= newest.n_rows;
    }
    free(newest.places);
}
