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

#include "mlog-sealed-private.h"

#include "mlog-checksum.h"
#include "util.h"

/* Building images
 * ===============
 *
 * One pass over the rows, a block at a time, so that a block's rows and
 * columns stay in the cache of the core: the rows are turned into columns; of
 * each column it is measured what the encodings would take; the best one is
 * written.  On the way the rows of each flow are counted.  The sums of the
 * counts are the offsets of the postings, and a second pass, over the flows of
 * the rows only, puts each row's number where its flow's offset points.
 *
 * Time is linear in the number of rows and flows: nothing is sorted, and the
 * search for a dictionary gives up at 16 values.
 *
 * Payloads are written in the order in which they are made, so all that
 * belongs to a block of rows lies together. */

enum { ROOM = MLOG_PACK_ROOM(MLOG_SEALED_BLOCK_ROWS) };

/* The columns of one block. */
struct block_columns {
    uint64_t time[ROOM];
    uint32_t numbers[MLOG_N_COLUMNS][ROUND_UP(ROOM, 16)];
};

struct mlog_sealed_builder {
    struct block_columns block;
    uint32_t low[ROOM];         /* Of time. */
    uint32_t high[ROOM];
    uint32_t codes[ROOM];       /* In a dictionary. */

    /* Of the segment: the flow of each row; the end of the postings of each
     * flow (see make_postings()); the postings. */
    uint32_t flows[MLOG_PACK_ROOM(MLOG_SEALED_ROWS_MAX)];
    uint32_t offsets[MLOG_PACK_ROOM(MLOG_SEALED_ROWS_MAX + 1)];
    uint32_t postings[MLOG_PACK_ROOM(MLOG_SEALED_ROWS_MAX)];

    uint8_t *image;             /* Of mlog_sealed_max_size() at most. */
    size_t end;                 /* Bytes of 'image' in use. */
    struct mlog_sealed_block *blocks[MLOG_SEALED_N_ARRAYS];
};

struct mlog_sealed_builder *
mlog_sealed_builder_create(void)
{
    struct mlog_sealed_builder *b = xmalloc_cacheline(sizeof *b);

    b->image = xmalloc_cacheline(mlog_sealed_max_size(MLOG_SEALED_ROWS_MAX,
                                                      MLOG_SEALED_ROWS_MAX));
    return b;
}

void
mlog_sealed_builder_destroy(struct mlog_sealed_builder *b)
{
    if (b) {
        free_cacheline(b->image);
        free_cacheline(b);
    }
}

const void *
mlog_sealed_builder_image(const struct mlog_sealed_builder *b)
{
    return b->image;
}

/* The size of the header and of all blocks, up to the first payload. */
static size_t
directory_size(uint32_t n_rows, uint32_t n_flows)
{
    size_t n_blocks = 0;

    for (int a = 0; a < MLOG_SEALED_N_ARRAYS; a++) {
        n_blocks += sealed_n_blocks(sealed_array_n(a, n_rows, n_flows));
    }
    return ROUND_UP(sizeof(struct sealed_header)
                    + n_blocks * sizeof(struct mlog_sealed_block),
                    SEALED_ALIGN);
}

size_t
mlog_sealed_max_size(uint32_t n_rows, uint32_t n_flows)
{
    size_t size = directory_size(n_rows, n_flows);

    /* Any other encoding is only used if it is smaller than this. */
    for (int a = 0; a < MLOG_SEALED_N_ARRAYS; a++) {
        uint32_t n = sealed_array_n(a, n_rows, n_flows);
        struct mlog_sealed_block block = {
            .encoding = SEALED_PACKED,
            .width = mlog_bit_width(sealed_array_limit(a, n_rows, n_flows)),
        };

        for (uint32_t i = 0; i < sealed_n_blocks(n); i++) {
            size += sealed_payload_size(&block, sealed_block_n(n, i));
        }
    }
    return size;
}

/* Payloads.
 * ========= */

/* Which values of a block differ from the next one. */
struct changes {
    uint32_t bits[MLOG_SEALED_BLOCK_ROWS / 32];
};

/* Returns memory for a payload of 'block', of 'n' values. */
static void *
add_payload(struct mlog_sealed_builder *b, struct mlog_sealed_block *block,
            uint32_t n)
{
    size_t size = sealed_payload_size(block, n);
    size_t aligned = ROUND_UP(size, SEALED_ALIGN);
    uint8_t *payload = b->image + b->end;

    if (!size) {
        return NULL;
    }
    block->payload = b->end;
    memset(payload + size, 0, aligned - size);
    b->end += aligned;
    return payload;
}

/* Stores in 'start' the numbers of the values that differ from the one before,
 * after 0; bit i of 'changes' says that value i + 1 does. */
static void
find_runs(const struct changes *changes, uint16_t start[])
{
    start[0] = 0;
    for (uint32_t i = 0, k = 1; i < ARRAY_SIZE(changes->bits); i++) {
        for (uint32_t map = changes->bits[i]; map; map = zero_rightmost_1bit(
                 map)) {
            start[k++] = i * 32 + raw_ctz(map) + 1;
        }
    }
}

/* Writes 'block', which is runs of values that are 'base' + 'low', and if they
 * are wider than 32 bits 'high'. */
static void
add_runs(struct mlog_sealed_builder *b, struct mlog_sealed_block *block,
         const struct changes *changes, uint32_t base, const uint32_t *low,
         const uint32_t *high, uint32_t n)
{
    const uint32_t size = sealed_run_size(block->width);
    uint8_t *payload = add_payload(b, block, n);
    uint16_t start[MLOG_SEALED_BLOCK_ROWS];

    find_runs(changes, start);
    for (uint32_t k = 0; k < block->extra; k++, payload += size) {
        uint64_t value = low[start[k]] - base;

        if (size == 2) {
            *(uint16_t *) payload = value;
        } else if (size == 4) {
            *(uint32_t *) payload = value;
        } else {
            *(uint64_t *) payload = value | (uint64_t) high[start[k]] << 32;
        }
    }
    memcpy(payload, start, block->extra * sizeof *start);
}

/* Turns 'block', which is packed, into runs if that is smaller by half: short
 * runs are slow to read, since where each of them ends can't be foreseen. */
static bool
try_runs(struct mlog_sealed_block *block, uint32_t n, uint32_t n_runs)
{
    struct mlog_sealed_block runs = *block;

    runs.encoding = SEALED_RUNS;
    runs.extra = n_runs;
    if (sealed_payload_size(&runs, n) > sealed_payload_size(block, n) / 2) {
        return false;
    }
    *block = runs;
    return true;
}

/* Columns.
 * ======== */

/* Stores block 'block' of 'n' 32-bit 'values', of which a dictionary may be
 * made if 'may_repeat', and which may be larger than 2^31 only then. */
static void
add_numbers(struct mlog_sealed_builder *b, struct mlog_sealed_block *block,
            const uint32_t *values, uint32_t n, bool may_repeat)
{
    struct mlog_pack_measure m;
    uint32_t dictionary[MLOG_DICTIONARY_MAX];
    uint32_t n_codes;

    mlog_pack_measure(values, n, &m);
    *block = (struct mlog_sealed_block) {
        .min = m.min, .max = m.max,
        .encoding = SEALED_PACKED, .width = mlog_bit_width(m.max - m.min),
    };

    if (!may_repeat) {
        int32_t min, max;

        mlog_pack_measure_ramp(values, n, &min, &max);
        if (mlog_bit_width(max - min) < block->width) {
            block->encoding = SEALED_RAMP;
            block->width = mlog_bit_width(max - min);
            block->extra = m.min - min;
        }
        mlog_pack(values, n, block->width, m.min - block->extra,
                  block->encoding == SEALED_RAMP, add_payload(b, block, n));
        return;
    }

    if (try_runs(block, n, m.n_changes + 1)) {
        struct changes changes = { { 0 } };

        mlog_pack_changes(values, n, changes.bits);
        add_runs(b, block, &changes, m.min, values, NULL, n);
        return;
    }

    /* A dictionary takes 64 bytes more than its codes. */
    if (block->width > 1
        && (n_codes = mlog_pack_dictionary(values, n, dictionary, b->codes))) {
        struct mlog_sealed_block coded = *block;

        coded.encoding = SEALED_DICTIONARY;
        coded.width = mlog_bit_width(n_codes - 1);
        if (sealed_payload_size(&coded, n) < sealed_payload_size(block, n)) {
            *block = coded;
            uint8_t *payload = add_payload(b, block, n);

            memset(payload, 0, SEALED_DICTIONARY_BYTES);
            memcpy(payload, dictionary, n_codes * sizeof *dictionary);
            mlog_pack(b->codes, n, block->width, 0, 0,
                      (uint32_t *) (payload + SEALED_DICTIONARY_BYTES));
            return;
        }
    }
    mlog_pack(values, n, block->width, m.min, 0, add_payload(b, block, n));
}

/* Stores block 'block' of 'n' times.  Returns false if they don't ascend. */
static bool
add_times(struct mlog_sealed_builder *b, struct mlog_sealed_block *block,
          uint64_t *time, uint32_t n)
{
    struct changes changes = { { 0 } };
    uint32_t n_changes = 0;

    if (!mlog_pack_split(time, n, b->low, b->high)) {
        return false;
    }
    *block = (struct mlog_sealed_block) {
        .min = time[0], .max = time[n - 1], .encoding = SEALED_PACKED,
        .width = mlog_bit_width(time[n - 1] - time[0]),
    };

    mlog_pack_changes(b->low, n, changes.bits);
    if (block->width > 32) {
        mlog_pack_changes(b->high, n, changes.bits);
    }
    for (uint32_t i = 0; i < ARRAY_SIZE(changes.bits); i++) {
        n_changes += count_1bits(changes.bits[i]);
    }
    if (try_runs(block, n, n_changes + 1)) {
        add_runs(b, block, &changes, 0, b->low, b->high, n);
        return true;
    }

    uint32_t *payload = add_payload(b, block, n);
    mlog_pack(b->low, n, MIN(block->width, 32), 0, 0, payload);
    if (block->width > 32) {
        payload += mlog_packed_bytes(n, 32) / sizeof *payload;
        mlog_pack(b->high, n, block->width - 32, 0, 0, payload);
    }
    return true;
}

/* Adds a block of each column, from the 'n' rows from row 'first' on. */
static bool
add_rows(struct mlog_sealed_builder *b, const struct mlog_row *rows,
         uint32_t first, uint32_t n, uint32_t n_flows)
{
    const uint32_t i = first / MLOG_SEALED_BLOCK_ROWS;
    struct mlog_columns columns = { .time = b->block.time };
    uint32_t *flows = &b->flows[first];
    struct mlog_pack_measure m;

    for (int c = MLOG_COLUMN_TIME + 1; c < MLOG_N_COLUMNS; c++) {
        columns.numbers[c] = b->block.numbers[c];
    }
    columns.numbers[MLOG_COLUMN_FLOW] = flows;
    mlog_columns_from_rows(&columns, rows + first, n);
    for (int c = MLOG_COLUMN_TIME + 1; c < MLOG_N_COLUMNS; c++) {
        mlog_pack_pad(columns.numbers[c], n);
    }

    mlog_pack_measure(flows, n, &m);
    if (m.max >= n_flows) {
        return false;
    }
    if (!add_times(b, &b->blocks[MLOG_COLUMN_TIME][i], columns.time, n)) {
        return false;
    }
    for (int c = MLOG_COLUMN_TIME + 1; c < MLOG_N_COLUMNS; c++) {
        add_numbers(b, &b->blocks[c][i], columns.numbers[c], n,
                    c != MLOG_COLUMN_FLOW);
    }
    for (uint32_t j = 0; j < n; j++) {
        b->offsets[flows[j] + 1]++;
    }
    return true;
}

/* Postings.
 * ========= */

static void
add_array(struct mlog_sealed_builder *b, int a, uint32_t *values, uint32_t n)
{
    mlog_pack_pad(values, n);
    for (uint32_t i = 0; i < sealed_n_blocks(n); i++) {
        add_numbers(b, &b->blocks[a][i], values + i * MLOG_SEALED_BLOCK_ROWS,
                    sealed_block_n(n, i), false);
    }
}

/* offsets[f + 1] is the number of rows of flow f. */
static void
make_postings(struct mlog_sealed_builder *b, uint32_t n_rows,
              uint32_t n_flows)
{
    for (uint32_t f = 0; f < n_flows; f++) {
        b->offsets[f + 1] += b->offsets[f];
    }
    add_array(b, SEALED_OFFSETS, b->offsets, n_flows + 1);

    /* From here on offsets[f] is where the next row of flow f goes. */
    for (uint32_t i = 0; i < n_rows; i++) {
        b->postings[b->offsets[b->flows[i]]++] = i;
    }
    add_array(b, SEALED_POSTINGS, b->postings, n_rows);
}

/* Images.
 * ======= */

/* Fills in arrays[a] from its blocks. */
static void
finish_array(struct mlog_sealed_builder *b, struct mlog_sealed_array *array,
             int a, uint32_t n)
{
    const struct mlog_sealed_block *blocks = b->blocks[a];

    *array = (struct mlog_sealed_array) {
        .min = blocks[0].min, .max = blocks[0].max,
        .blocks = (const uint8_t *) blocks - b->image,
        .n = n,
    };
    for (uint32_t i = 1; i < sealed_n_blocks(n); i++) {
        array->min = MIN(array->min, blocks[i].min);
        array->max = MAX(array->max, blocks[i].max);
    }
}

static void
finish_image(struct mlog_sealed_builder *b, uint32_t n_rows,
             uint32_t n_flows, uint64_t base_time)
{
    struct sealed_header *header = (struct sealed_header *) b->image;

    *header = (struct sealed_header) {
        .magic = MLOG_SEALED_MAGIC,
        .version = MLOG_SEALED_VERSION,
        .size = b->end,
        .base_time = base_time,
        .n_rows = n_rows,
        .n_flows = n_flows,
        .block_rows = MLOG_SEALED_BLOCK_ROWS,
        .n_arrays = MLOG_SEALED_N_ARRAYS,
    };
    for (int a = 0; a < MLOG_SEALED_N_ARRAYS; a++) {
        finish_array(b, &header->arrays[a], a,
                     sealed_array_n(a, n_rows, n_flows));
    }
    header->checksum = mlog_checksum(b->image + SEALED_CHECKSUM_START,
                                     b->end - SEALED_CHECKSUM_START);
}

static void
start_image(struct mlog_sealed_builder *b, uint32_t n_rows, uint32_t n_flows)
{
    struct mlog_sealed_block *blocks
        = (struct mlog_sealed_block *) (b->image
                                        + sizeof(struct sealed_header));

    b->end = directory_size(n_rows, n_flows);
    for (int a = 0; a < MLOG_SEALED_N_ARRAYS; a++) {
        b->blocks[a] = blocks;
        blocks += sealed_n_blocks(sealed_array_n(a, n_rows, n_flows));
    }
    memset(blocks, 0, b->image + b->end - (uint8_t *) blocks);
    memset(b->offsets, 0, (n_flows + 1) * sizeof *b->offsets);
}

size_t
mlog_sealed_build(struct mlog_sealed_builder *b, const struct mlog_row *rows,
                  uint32_t n_rows, uint32_t n_flows, uint64_t base_time)
{
    ovs_assert(n_rows && n_rows <= MLOG_SEALED_ROWS_MAX);
    if (!n_flows || n_flows > n_rows || base_time > SEALED_BASE_TIME_MAX) {
        return 0;
    }

    start_image(b, n_rows, n_flows);
    for (uint32_t i = 0; i < n_rows; i += MLOG_SEALED_BLOCK_ROWS) {
        uint32_t n = MIN(n_rows - i, MLOG_SEALED_BLOCK_ROWS);

        if ((i && mlog_row_time(&rows[i]) < mlog_row_time(&rows[i - 1]))
            || !add_rows(b, rows, i, n, n_flows)) {
            return 0;
        }
    }
    make_postings(b, n_rows, n_flows);
    finish_image(b, n_rows, n_flows, base_time);
    return b->end;
}
