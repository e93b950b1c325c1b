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

#include "mlog-block.h"

#include "util.h"

static void
start_block(struct mlog_block *block, uint32_t n, uint64_t base_time,
            const uint8_t *flow_bytes)
{
    ovs_assert(n <= MLOG_BLOCK_ROWS);
    block->n = n;
    block->n_groups = DIV_ROUND_UP(n, MLOG_GROUP);
    block->base_time = base_time;
    block->flow_bytes = flow_bytes;
    block->have = 0;
    block->have_bytes = false;
}

void
mlog_block_set_sealed(struct mlog_block *block,
                      const struct mlog_sealed *sealed, uint32_t index,
                      const uint8_t *flow_bytes)
{
    uint32_t start = index * MLOG_BLOCK_ROWS;

    block->sealed = sealed;
    block->rows = NULL;
    block->index = index;
    start_block(block, MIN(sealed->n_rows - start, MLOG_BLOCK_ROWS),
                sealed->base_time, flow_bytes);
}

void
mlog_block_set_rows(struct mlog_block *block, const struct mlog_row *rows,
                    uint32_t n, uint64_t base_time, const uint8_t *flow_bytes)
{
    block->sealed = NULL;
    block->rows = rows;
    start_block(block, n, base_time, flow_bytes);
}

/* Takes one column out of rows. */
static void
get_column(const struct mlog_row *rows, uint32_t n,
           const struct mlog_column_def *def, uint32_t *values)
{
    const uint8_t *p = (const uint8_t *) rows + def->offset;
    const uint32_t mask = UINT32_MAX >> (32 - def->n_bits);
    const uint32_t shift = def->shift;

    /* Of eight bytes, the columns but for time are in the lower four. */
    if (def->size >= 4) {
        for (uint32_t i = 0; i < n; i++, p += sizeof *rows) {
            values[i] = *(const uint32_t *) p >> shift & mask;
        }
    } else if (def->size == 2) {
        for (uint32_t i = 0; i < n; i++, p += sizeof *rows) {
            values[i] = *(const uint16_t *) p;
        }
    } else {
        for (uint32_t i = 0; i < n; i++, p += sizeof *rows) {
            values[i] = *p;
        }
    }
}

const uint32_t *
mlog_block_column(struct mlog_block *block, enum mlog_row_column column)
{
    uint32_t *values = block->columns[column];

    if (!(block->have & 1u << column)) {
        block->have |= 1u << column;
        block->n_decoded += block->n;
        if (block->sealed) {
            mlog_sealed_column(block->sealed, column,
                               block->index * MLOG_BLOCK_ROWS, block->n,
                               values);
        } else {
            ovs_assert(column != MLOG_COLUMN_TIME);
            get_column(block->rows, block->n, &mlog_column_defs[column],
                       values);
        }
    }
    return values;
}

bool
mlog_block_zone(const struct mlog_block *block, enum mlog_row_column column,
                uint64_t *min, uint64_t *max)
{
    if (!block->sealed) {
        return false;
    }
    mlog_sealed_zone(block->sealed, column, block->index, min, max);
    return true;
}

static uint32_t
first_row(const struct mlog_block *block, uint64_t time)
{
    uint32_t low = 0, high = block->n;

    if (block->sealed) {
        uint32_t row = mlog_sealed_lower_bound(block->sealed, time);
        uint32_t start = block->index * MLOG_BLOCK_ROWS;

        return row > start ? MIN(row - start, block->n) : 0;
    }
    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (block->base_time + mlog_row_time(&block->rows[middle]) < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void
mlog_block_times(const struct mlog_block *block, uint64_t min, uint64_t max,
                 uint32_t *start, uint32_t *end)
{
    *start = first_row(block, min);
    *end = max < UINT64_MAX ? first_row(block, max + 1) : block->n;
    *end = MAX(*start, *end);
}

const uint8_t *
mlog_block_bytes(struct mlog_block *block)
{
    if (!block->have_bytes) {
        const uint32_t *flows = mlog_block_column(block, MLOG_COLUMN_FLOW);
        const uint8_t *flow_bytes = block->flow_bytes;

        for (uint32_t i = 0; i < block->n; i++) {
            block->bytes[i] = flow_bytes[flows[i]];
        }
        block->have_bytes = true;
    }
    return block->bytes;
}
