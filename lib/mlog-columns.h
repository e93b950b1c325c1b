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

#ifndef MLOG_COLUMNS_H
#define MLOG_COLUMNS_H 1

/* Rows as columns
 * ===============
 *
 * A column is what one part of struct mlog_row says, for many rows: an array
 * of numbers.  All columns together are the rows, bit for bit. */

#include <stdint.h>

#include "mlog-record.h"

enum mlog_row_column {
    MLOG_COLUMN_TIME,           /* The only one of more than 32 bits. */
    MLOG_COLUMN_OUT_PORT,
    MLOG_COLUMN_FLOW,
    MLOG_COLUMN_PKT_LEN,
    MLOG_COLUMN_TTL,
    MLOG_COLUMN_TCP_SEQ,
    MLOG_COLUMN_TCP_ACK,
    MLOG_COLUMN_TCP_WINDOW,
    MLOG_COLUMN_IP_ID,
    MLOG_COLUMN_TCP_FLAGS,
    MLOG_COLUMN_NW_TOS,
    MLOG_COLUMN_REASON,
    MLOG_N_COLUMNS
};

/* As a set of bits, 1 << column. */
#define MLOG_ALL_COLUMNS ((1u << MLOG_N_COLUMNS) - 1)

/* How a column is taken from a row: load 'size' bytes from 'offset', as a
 * number, and take 'n_bits' of them from bit 'shift' on. */
struct mlog_column_def {
    const char *name;           /* As that of the field. */
    uint8_t offset;
    uint8_t size;
    uint8_t shift;
    uint8_t n_bits;
};
extern const struct mlog_column_def mlog_column_defs[MLOG_N_COLUMNS];

/* Arrays to hold columns.  numbers[MLOG_COLUMN_TIME] is not used. */
struct mlog_columns {
    uint64_t *time;
    uint32_t *numbers[MLOG_N_COLUMNS];
};

/* Any thread.  All arrays of 'columns' have room for 'n' numbers. */
uint64_t mlog_row_column(const struct mlog_row *, enum mlog_row_column);
void mlog_columns_from_rows(const struct mlog_columns *columns,
                            const struct mlog_row *rows, uint32_t n);
void mlog_columns_to_rows(const struct mlog_columns *columns,
                          struct mlog_row *rows, uint32_t n);

#endif /* mlog-columns.h */
