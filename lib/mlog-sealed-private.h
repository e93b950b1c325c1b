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

#ifndef MLOG_SEALED_PRIVATE_H
#define MLOG_SEALED_PRIVATE_H 1

/* The layout of the image of a sealed segment: see mlog-sealed.h. */

#include <stdint.h>

#include "mlog-bitpack.h"
#include "mlog-sealed.h"
#include "openvswitch/compiler.h"

/* Arrays, after those of the columns. */
enum {
    SEALED_OFFSETS = MLOG_N_COLUMNS,
    SEALED_POSTINGS,
};
BUILD_ASSERT_DECL(SEALED_POSTINGS + 1 == MLOG_SEALED_N_ARRAYS);

enum sealed_encoding {
    SEALED_PACKED,
    SEALED_RAMP,
    SEALED_DICTIONARY,
    SEALED_RUNS,
};

#define SEALED_ALIGN 64

/* So that the time of no row overflows. */
#define SEALED_BASE_TIME_MAX (UINT64_MAX >> 1)

#define SEALED_DICTIONARY_WIDTH 4
BUILD_ASSERT_DECL(1 << SEALED_DICTIONARY_WIDTH == MLOG_DICTIONARY_MAX);
#define SEALED_DICTIONARY_BYTES (MLOG_DICTIONARY_MAX * sizeof(uint32_t))

struct mlog_sealed_array {
    uint64_t min, max;
    uint32_t blocks;
    uint32_t n;
};
BUILD_ASSERT_DECL(sizeof(struct mlog_sealed_array) == 24);

struct mlog_sealed_block {
    uint64_t min, max;
    uint32_t payload;
    uint8_t encoding;
    uint8_t width;
    uint16_t extra;
};
BUILD_ASSERT_DECL(sizeof(struct mlog_sealed_block) == 24);

struct sealed_header {
    uint64_t magic;
    uint32_t version;
    uint32_t checksum;
    uint64_t size;
    uint64_t base_time;
    uint32_t n_rows;
    uint32_t n_flows;
    uint32_t block_rows;
    uint32_t n_arrays;
    struct mlog_sealed_array arrays[MLOG_SEALED_N_ARRAYS];
};
BUILD_ASSERT_DECL(sizeof(struct sealed_header) == 384);
BUILD_ASSERT_DECL(offsetof(struct sealed_header, size) == 16);

/* What the checksum covers begins here. */
#define SEALED_CHECKSUM_START offsetof(struct sealed_header, size)

/* The number of values in array 'a' of a segment. */
static inline uint32_t
sealed_array_n(int a, uint32_t n_rows, uint32_t n_flows)
{
    return a == SEALED_OFFSETS ? n_flows + 1 : n_rows;
}

static inline uint32_t
sealed_n_blocks(uint32_t n_values)
{
    return DIV_ROUND_UP(n_values, MLOG_SEALED_BLOCK_ROWS);
}

/* The number of values in block 'block' of an array of 'n_values'. */
static inline uint32_t
sealed_block_n(uint32_t n_values, uint32_t block)
{
    return MIN(n_values - block * MLOG_SEALED_BLOCK_ROWS,
               MLOG_SEALED_BLOCK_ROWS);
}

/* The largest value that array 'a' may have. */
static inline uint64_t
sealed_array_limit(int a, uint32_t n_rows, uint32_t n_flows)
{
    return (a == SEALED_OFFSETS ? n_rows
            : a == SEALED_POSTINGS ? n_rows - 1
            : a == MLOG_COLUMN_FLOW ? n_flows - 1
            : (UINT64_C(1) << mlog_column_defs[a].n_bits) - 1);
}

/* The size of a value in an array of runs. */
static inline uint32_t
sealed_run_size(uint32_t width)
{
    return width <= 16 ? 2 : width <= 32 ? 4 : 8;
}

/* The size of the payload of a block of 'n' values. */
static inline size_t
sealed_payload_size(const struct mlog_sealed_block *b, uint32_t n)
{
    switch ((enum sealed_encoding) b->encoding) {
    case SEALED_DICTIONARY:
        return SEALED_DICTIONARY_BYTES + mlog_packed_bytes(n, b->width);
    case SEALED_RUNS:
        return b->extra * (sealed_run_size(b->width) + sizeof(uint16_t));
    case SEALED_PACKED:
    case SEALED_RAMP:
        break;
    }
    return (mlog_packed_bytes(n, MIN(b->width, 32))
            + mlog_packed_bytes(n, b->width > 32 ? b->width - 32 : 0));
}

#endif /* mlog-sealed-private.h */
