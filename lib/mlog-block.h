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

#ifndef MLOG_BLOCK_H
#define MLOG_BLOCK_H 1

/* Blocks of rows, to be looked at by column
 * =========================================
 *
 * A block is up to MLOG_BLOCK_ROWS rows of one segment: those of one block of
 * a sealed one, or any others, in order, as they are.  Columns are decoded
 * when they are asked for, once.
 *
 * A block also has what is known of each row's flow: a byte per flow, by its
 * local number, becomes a byte per row.
 *
 * Thread-safety: a block belongs to one thread. */

#include <stdbool.h>
#include <stdint.h>

#include "mlog-columns.h"
#include "mlog-sealed.h"
#include "mlog-select.h"

#define MLOG_BLOCK_ROWS MLOG_SEALED_BLOCK_ROWS
#define MLOG_BLOCK_GROUPS (MLOG_BLOCK_ROWS / MLOG_GROUP)

struct mlog_block {
    const struct mlog_sealed *sealed;   /* NULL: 'rows'. */
    const struct mlog_row *rows;
    uint32_t index;             /* Of the block in 'sealed'. */
    uint32_t n;                 /* Rows, and... */
    uint32_t n_groups;          /* ...groups of them. */
    uint64_t base_time;
    const uint8_t *flow_bytes;  /* By local number. */

    uint32_t have;              /* Bit i: 'columns[i]' is decoded. */
    bool have_bytes;
    uint64_t n_decoded;         /* Values, ever. */
    uint32_t columns[MLOG_N_COLUMNS][MLOG_BLOCK_ROWS];
    uint8_t bytes[MLOG_BLOCK_ROWS];
};

/* Makes '*block', which must be zero the first time, block 'index' of
 * 'sealed', or 'n' rows. */
void mlog_block_set_sealed(struct mlog_block *block,
                           const struct mlog_sealed *, uint32_t index,
                           const uint8_t *flow_bytes);
void mlog_block_set_rows(struct mlog_block *block, const struct mlog_row *,
                         uint32_t n, uint64_t base_time,
                         const uint8_t *flow_bytes);

/* The values of a column, other than time.  What follows the last row in its
 * group is unspecified. */
const uint32_t *mlog_block_column(struct mlog_block *, enum mlog_row_column);

/* Bounds of a column.  Returns false if they aren't known. */
bool mlog_block_zone(const struct mlog_block *, enum mlog_row_column,
                     uint64_t *min, uint64_t *max);

/* Sets '*start' and '*end' to the rows with times of 'min' through 'max', ns
 * since the epoch. */
void mlog_block_times(const struct mlog_block *, uint64_t min, uint64_t max,
                      uint32_t *start, uint32_t *end);

/* The byte of each row's flow. */
const uint8_t *mlog_block_bytes(struct mlog_block *);

#endif /* mlog-block.h */
