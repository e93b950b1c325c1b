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

/* Reading images
 * ==============
 *
 * mlog_sealed_open() checks each header and block, but not the payloads, which
 * would take as long as decoding everything.  That is enough for all reads to
 * stay within the image, because where to read follows from the blocks and
 * from the number of the value alone, with two exceptions that are checked on
 * the way: numbers in a dictionary have no more bits than it has places, and
 * the beginnings of runs are cut to the range that is being read.
 *
 * Each value is cut to the maximum of its block, which open() has found to be
 * one that the column may have.  Where the image is what was built, that
 * changes nothing. */

/* Opening.
 * ======== */

static bool
check_header(const struct sealed_header *h, size_t size, char **error)
{
    if (size < sizeof *h) {
        *error = xasprintf("%"PRIuSIZE" bytes are less than a header", size);
    } else if ((uintptr_t) h % 8) {
        *error = xstrdup("not at a multiple of 8 bytes");
    } else if (h->magic != MLOG_SEALED_MAGIC) {
        *error = xstrdup("not a sealed segment");
    } else if (h->version != MLOG_SEALED_VERSION) {
        *error = xasprintf("version %"PRIu32" is not known", h->version);
    } else if (h->size > size || h->size < sizeof *h
               || h->size % SEALED_ALIGN) {
        *error = xasprintf("size is given as %"PRIu64" of %"PRIuSIZE" bytes",
                           h->size, size);
    } else if (!h->n_rows || h->n_rows > MLOG_SEALED_ROWS_MAX
               || !h->n_flows || h->n_flows > h->n_rows
               || h->base_time > SEALED_BASE_TIME_MAX
               || h->block_rows != MLOG_SEALED_BLOCK_ROWS
               || h->n_arrays != MLOG_SEALED_N_ARRAYS) {
        *error = xstrdup("header is invalid");
    } else {
        return true;
    }
    return false;
}

/* Checks that the encoding of 'block', of 'n' values of array 'a', is one that
 * the functions below can read. */
static bool
check_encoding(const struct mlog_sealed_block *block, int a, uint32_t n)
{
    const bool is_time = a == MLOG_COLUMN_TIME;

    switch ((enum sealed_encoding) block->encoding) {
    case SEALED_PACKED:
        return !block->extra && block->width <= (is_time ? 48 : 32);
    case SEALED_RAMP:
        return !is_time && block->width <= 32;
    case SEALED_DICTIONARY:
        return (!is_time && !block->extra && block->width > 0
                && block->width <= SEALED_DICTIONARY_WIDTH);
    case SEALED_RUNS:
        return (block->extra > 0 && block->extra <= n
                && block->width <= (is_time ? 48 : 32));
    }
    return false;
}

/* Checks that the values of 'block' are within those of 'array', as far as
 * that can be seen, and that its payload is within the image. */
static bool
check_block(const struct mlog_sealed_block *block,
            const struct mlog_sealed_array *array, int a, uint32_t n,
            size_t size)
{
    if (block->min > block->max
        || block->min < array->min || block->max > array->max
        || !check_encoding(block, a, n)
        || block->payload % SEALED_ALIGN || block->payload > size) {
        return false;
    }
    return sealed_payload_size(block, n) <= size - block->payload;
}

static bool
check_array(const struct mlog_sealed *s, int a, char **error)
{
    const struct mlog_sealed_array *array = &s->arrays[a];
    const struct mlog_sealed_block *blocks;
    uint32_t n_blocks = sealed_n_blocks(array->n);

    if (array->n != sealed_array_n(a, s->n_rows, s->n_flows)
        || array->min > array->max
        || array->max > sealed_array_limit(a, s->n_rows, s->n_flows)
        || array->blocks % 8 || array->blocks > s->size
        || n_blocks > (s->size - array->blocks) / sizeof *blocks) {
        *error = xasprintf("array %d is invalid", a);
        return false;
    }

    blocks = (const struct mlog_sealed_block *) (s->image + array->blocks);
    for (uint32_t i = 0; i < n_blocks; i++) {
        if (!check_block(&blocks[i], array, a, sealed_block_n(array->n, i),
                         s->size)) {
            *error = xasprintf("block %"PRIu32" of array %d is invalid",
                               i, a);
            return false;
        }
    }
    return true;
}

bool
mlog_sealed_open(struct mlog_sealed *s, const void *image, size_t size,
                 bool checksum, char **error)
{
    const struct sealed_header *h = image;

    *error = NULL;
    if (!check_header(h, size, error)) {
        return false;
    }
    *s = (struct mlog_sealed) {
        .image = image, .size = h->size, .base_time = h->base_time,
        .n_rows = h->n_rows, .n_flows = h->n_flows, .arrays = h->arrays,
    };
    if (checksum
        && h->checksum != mlog_checksum(s->image + SEALED_CHECKSUM_START,
                                        s->size - SEALED_CHECKSUM_START)) {
        *error = xstrdup("checksum is wrong");
        return false;
    }
    for (int a = 0; a < MLOG_SEALED_N_ARRAYS; a++) {
        if (!check_array(s, a, error)) {
            return false;
        }
        s->blocks[a] = (const struct mlog_sealed_block *)
                       (s->image + s->arrays[a].blocks);
    }
    return true;
}

/* Values of a block.
 * ================== */

static const uint8_t *
payload(const struct mlog_sealed *s, const struct mlog_sealed_block *block)
{
    return s->image + block->payload;
}

/* The numbers of 'block', or of time the lower 32 bits. */
static struct mlog_packed
packed_numbers(const struct mlog_sealed *s,
               const struct mlog_sealed_block *block)
{
    return (struct mlog_packed) {
        .words = (const uint32_t *) payload(s, block),
        .width = block->width,
        .base = block->min - block->extra,
        .slope = block->encoding == SEALED_RAMP,
        .max = block->max,
    };
}

static struct mlog_packed
packed_codes(const struct mlog_sealed *s,
             const struct mlog_sealed_block *block)
{
    return (struct mlog_packed) {
        .words = (const uint32_t *) (payload(s, block)
                                     + SEALED_DICTIONARY_BYTES),
        .width = block->width,
        .max = UINT32_MAX,
    };
}

/* Both parts of the offsets from the minimum of 'block', which is of 'n'
 * times. */
static void
packed_times(const struct mlog_sealed *s,
             const struct mlog_sealed_block *block, uint32_t n,
             struct mlog_packed *low, struct mlog_packed *high)
{
    *low = (struct mlog_packed) {
        .words = (const uint32_t *) payload(s, block),
        .width = MIN(block->width, 32),
        .max = UINT32_MAX,
    };
    *high = (struct mlog_packed) {
        .words = low->words + mlog_packed_bytes(n, low->width) / 4,
        .width = block->width - low->width,
        .max = UINT32_MAX,
    };
}

static uint64_t
run_value(const struct mlog_sealed *s, const struct mlog_sealed_block *block,
          uint32_t k)
{
    const uint8_t *p = payload(s, block);
    uint32_t size = sealed_run_size(block->width);
    uint64_t value = (size == 2 ? ((const uint16_t *) p)[k]
                      : size == 4 ? ((const uint32_t *) p)[k]
                      : ((const uint64_t *) p)[k]);

    /* The first comparison is against an overflow. */
    return (value > block->max - block->min ? block->max
            : block->min + value);
}

static const uint16_t *
run_starts(const struct mlog_sealed *s, const struct mlog_sealed_block *block)
{
    return (const uint16_t *) (payload(s, block)
                               + block->extra * sealed_run_size(block->width));
}

/* Returns the run that value 'i' of 'block' is in. */
static uint32_t
find_run(const struct mlog_sealed *s, const struct mlog_sealed_block *block,
         uint32_t i)
{
    const uint16_t *start = run_starts(s, block);
    uint32_t low = 0, high = block->extra;

    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;

        if (start[middle] <= i) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Returns where run 'k' ends, for a reader of the values from 'i' on, before
 * 'end'. */
static uint32_t
run_end(const struct mlog_sealed *s, const struct mlog_sealed_block *block,
        uint32_t k, uint32_t i, uint32_t end)
{
    if (k + 1 >= block->extra) {
        return end;
    }
    return MAX(i, MIN(run_starts(s, block)[k + 1], end));
}

/* Value 'i' of 'block', which is not of times. */
static uint32_t
get_number(const struct mlog_sealed *s, const struct mlog_sealed_block *block,
           uint32_t i)
{
    struct mlog_packed packed;
    uint32_t value;

    switch ((enum sealed_encoding) block->encoding) {
    case SEALED_DICTIONARY:
        packed = packed_codes(s, block);
        value = ((const uint32_t *) payload(s, block))[
            mlog_packed_get(&packed, i)];
        return MIN(value, block->max);
    case SEALED_RUNS:
        return run_value(s, block, find_run(s, block, i));
    case SEALED_PACKED:
    case SEALED_RAMP:
        break;
    }
    packed = packed_numbers(s, block);
    return mlog_packed_get(&packed, i);
}

/* Values 'start' ... 'start' + 'n' - 1. */
static void
get_numbers(const struct mlog_sealed *s,
            const struct mlog_sealed_block *block,
            uint32_t start, uint32_t n, uint32_t *values)
{
    struct mlog_packed packed;

    switch ((enum sealed_encoding) block->encoding) {
    case SEALED_DICTIONARY: {
        uint32_t dictionary[MLOG_DICTIONARY_MAX];

        memcpy(dictionary, payload(s, block), sizeof dictionary);
        for (int i = 0; i < MLOG_DICTIONARY_MAX; i++) {
            dictionary[i] = MIN(dictionary[i], block->max);
        }
        packed = packed_codes(s, block);
        mlog_unpack(&packed, start, n, values);
        for (uint32_t i = 0; i < n; i++) {
            values[i] = dictionary[values[i]];
        }
        break;
    }
    case SEALED_RUNS:
        for (uint32_t k = find_run(s, block, start), i = start;
             i < start + n; k++) {
            uint32_t end = run_end(s, block, k, i, start + n);
            uint32_t value = run_value(s, block, k);

            while (i < end) {
                values[i++ - start] = value;
            }
        }
        break;
    case SEALED_PACKED:
    case SEALED_RAMP:
        packed = packed_numbers(s, block);
        mlog_unpack(&packed, start, n, values);
        break;
    }
}

/* Time 'i' of 'block' of 'block_n'. */
static uint64_t
get_time(const struct mlog_sealed *s, const struct mlog_sealed_block *block,
         uint32_t block_n, uint32_t i)
{
    struct mlog_packed low, high;
    uint64_t time;

    if (block->encoding == SEALED_RUNS) {
        return run_value(s, block, find_run(s, block, i));
    }
    packed_times(s, block, block_n, &low, &high);
    time = block->min + (mlog_packed_get(&low, i)
                         | (uint64_t) mlog_packed_get(&high, i) << 32);
    return MIN(time, block->max);
}

enum { CHUNK = 256 };

static void
get_times(const struct mlog_sealed *s, const struct mlog_sealed_block *block,
          uint32_t block_n, uint32_t start, uint32_t n, uint64_t *times)
{
    struct mlog_packed low, high;

    if (block->encoding == SEALED_RUNS) {
        for (uint32_t k = find_run(s, block, start), i = start;
             i < start + n; k++) {
            uint32_t end = run_end(s, block, k, i, start + n);
            uint64_t value = run_value(s, block, k);

            while (i < end) {
                times[i++ - start] = value;
            }
        }
        return;
    }

    packed_times(s, block, block_n, &low, &high);
    for (uint32_t m; n; n -= m, start += m, times += m) {
        uint32_t bits[CHUNK];

        m = MIN(n, CHUNK);
        mlog_unpack(&low, start, m, bits);
        for (uint32_t i = 0; i < m; i++) {
            times[i] = block->min + bits[i];
        }
        if (high.width) {
            mlog_unpack(&high, start, m, bits);
            for (uint32_t i = 0; i < m; i++) {
                times[i] += (uint64_t) bits[i] << 32;
            }
        }
        for (uint32_t i = 0; i < m; i++) {
            times[i] = MIN(times[i], block->max);
        }
    }
}

/* Arrays.
 * ======= */

/* What a range of values has in the block that it begins in. */
struct part {
    const struct mlog_sealed_block *block;
    uint32_t block_n;           /* Values in the block. */
    uint32_t start;             /* The first one of them... */
    uint32_t n;                 /* ...and how many. */
};

static struct part
next_part(const struct mlog_sealed *s, int a, uint32_t start, uint32_t n)
{
    uint32_t i = start / MLOG_SEALED_BLOCK_ROWS;
    struct part part = {
        .block = &s->blocks[a][i],
        .block_n = sealed_block_n(s->arrays[a].n, i),
        .start = start % MLOG_SEALED_BLOCK_ROWS,
    };

    part.n = MIN(n, part.block_n - part.start);
    return part;
}

static void
array_get_numbers(const struct mlog_sealed *s, int a, uint32_t start,
                  uint32_t n, uint32_t *values)
{
    while (n) {
        struct part part = next_part(s, a, start, n);

        get_numbers(s, part.block, part.start, part.n, values);
        values += part.n;
        start += part.n;
        n -= part.n;
    }
}

static uint32_t
array_get_number(const struct mlog_sealed *s, int a, uint32_t i)
{
    return get_number(s, &s->blocks[a][i / MLOG_SEALED_BLOCK_ROWS],
                      i % MLOG_SEALED_BLOCK_ROWS);
}

static void
check_range(uint32_t start, uint32_t n, uint32_t limit)
{
    ovs_assert(start <= limit && n <= limit - start);
}

void
mlog_sealed_column(const struct mlog_sealed *s, enum mlog_row_column column,
                   uint32_t start, uint32_t n, uint32_t *values)
{
    ovs_assert(column > MLOG_COLUMN_TIME && column < MLOG_N_COLUMNS);
    check_range(start, n, s->n_rows);
    array_get_numbers(s, column, start, n, values);
}

void
mlog_sealed_times(const struct mlog_sealed *s, uint32_t start, uint32_t n,
                  uint64_t *times)
{
    check_range(start, n, s->n_rows);
    while (n) {
        struct part part = next_part(s, MLOG_COLUMN_TIME, start, n);

        get_times(s, part.block, part.block_n, part.start, part.n, times);
        times += part.n;
        start += part.n;
        n -= part.n;
    }
}

static uint64_t
time_of(const struct mlog_sealed *s, uint32_t row)
{
    struct part part = next_part(s, MLOG_COLUMN_TIME, row, 1);

    return get_time(s, part.block, part.block_n, part.start);
}

uint32_t
mlog_sealed_lower_bound(const struct mlog_sealed *s, uint64_t time)
{
    const struct mlog_sealed_block *blocks = s->blocks[MLOG_COLUMN_TIME];
    uint32_t low = 0, high = mlog_sealed_n_blocks(s);

    if (time <= s->base_time) {
        return 0;
    }
    time -= s->base_time;

    /* The first block that ends at 'time' or later... */
    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (blocks[middle].max < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }

    /* ...and the row in it. */
    low = MIN(low * MLOG_SEALED_BLOCK_ROWS, s->n_rows);
    high = MIN(low + MLOG_SEALED_BLOCK_ROWS, s->n_rows);
    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (time_of(s, middle) < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void
mlog_sealed_zone(const struct mlog_sealed *s, enum mlog_row_column column,
                 uint32_t block, uint64_t *min, uint64_t *max)
{
    ovs_assert(column < MLOG_N_COLUMNS);
    if (block == MLOG_SEALED_ALL) {
        *min = s->arrays[column].min;
        *max = s->arrays[column].max;
    } else {
        ovs_assert(block < mlog_sealed_n_blocks(s));
        *min = s->blocks[column][block].min;
        *max = s->blocks[column][block].max;
    }
}

/* Rows.
 * ===== */

/* Decodes up to CHUNK rows, those columns that are bits of 'which', then makes
 * rows of them. */
static void
get_chunk(const struct mlog_sealed *s, uint32_t which, uint32_t start,
          uint32_t n, struct mlog_row *rows)
{
    static const uint32_t zeros[CHUNK];
    uint64_t times[CHUNK];
    uint32_t numbers[MLOG_N_COLUMNS][CHUNK];
    struct mlog_columns columns = { .time = times };

    if (which & 1u << MLOG_COLUMN_TIME) {
        mlog_sealed_times(s, start, n, times);
    } else {
        memset(times, 0, n * sizeof *times);
    }
    for (int c = MLOG_COLUMN_TIME + 1; c < MLOG_N_COLUMNS; c++) {
        if (which & 1u << c) {
            array_get_numbers(s, c, start, n, numbers[c]);
            columns.numbers[c] = numbers[c];
        } else {
            columns.numbers[c] = CONST_CAST(uint32_t *, zeros);
        }
    }
    mlog_columns_to_rows(&columns, rows, n);
}

static void
get_row(const struct mlog_sealed *s, uint32_t which, uint32_t i,
        struct mlog_row *row)
{
    uint64_t time = which & 1u << MLOG_COLUMN_TIME ? time_of(s, i) : 0;
    uint32_t numbers[MLOG_N_COLUMNS];
    struct mlog_columns columns = { .time = &time };

    for (int c = MLOG_COLUMN_TIME + 1; c < MLOG_N_COLUMNS; c++) {
        numbers[c] = which & 1u << c ? array_get_number(s, c, i) : 0;
        columns.numbers[c] = &numbers[c];
    }
    mlog_columns_to_rows(&columns, row, 1);
}

void
mlog_sealed_rows(const struct mlog_sealed *s, uint32_t start, uint32_t n,
                 struct mlog_row *rows)
{
    mlog_sealed_rows_of(s, MLOG_ALL_COLUMNS, start, n, rows);
}

void
mlog_sealed_rows_of(const struct mlog_sealed *s, uint32_t which,
                    uint32_t start, uint32_t n, struct mlog_row *rows)
{
    check_range(start, n, s->n_rows);
    while (n) {
        /* Chunks end where groups of lanes do. */
        uint32_t m = MIN(n, CHUNK - start % CHUNK);

        get_chunk(s, which, start, m, rows);
        rows += m;
        start += m;
        n -= m;
    }
}

void
mlog_sealed_select(const struct mlog_sealed *s, const uint32_t *numbers,
                   uint32_t n, struct mlog_row *rows)
{
    mlog_sealed_select_of(s, MLOG_ALL_COLUMNS, numbers, n, rows);
}

void
mlog_sealed_select_of(const struct mlog_sealed *s, uint32_t which,
                      const uint32_t *numbers, uint32_t n,
                      struct mlog_row *rows)
{
    /* If more rows than that are of one group, decoding the group is faster
     * than decoding each of them. */
    enum { FEW = 3 };

    for (uint32_t i = 0, end; i < n; i = end) {
        const uint32_t group = ROUND_DOWN(numbers[i], MLOG_LANES);
        struct mlog_row buffer[MLOG_LANES];

        check_range(numbers[i], 1, s->n_rows);
        for (end = i + 1; end < n; end++) {
            if (numbers[end] - group >= MLOG_LANES
                || numbers[end] >= s->n_rows) {
                break;
            }
        }
        if (end - i > FEW) {
            get_chunk(s, which, group, MIN(MLOG_LANES, s->n_rows - group),
                      buffer);
        }
        for (uint32_t j = i; j < end; j++) {
            if (end - i > FEW) {
                rows[j] = buffer[numbers[j] - group];
            } else {
                get_row(s, which, numbers[j], &rows[j]);
            }
        }
    }
}

/* Postings.
 * ========= */

/* Sets '*start' and returns the number of postings of 'flow'. */
static uint32_t
find_postings(const struct mlog_sealed *s, uint32_t flow, uint32_t *start)
{
    ovs_assert(flow < s->n_flows);
    *start = array_get_number(s, SEALED_OFFSETS, flow);

    /* Both are at most n_rows, but nobody has checked their order. */
    uint32_t end = array_get_number(s, SEALED_OFFSETS, flow + 1);
    return end > *start ? end - *start : 0;
}

uint32_t
mlog_sealed_n_postings(const struct mlog_sealed *s, uint32_t flow)
{
    uint32_t start;

    return find_postings(s, flow, &start);
}

uint32_t
mlog_sealed_postings(const struct mlog_sealed *s, uint32_t flow,
                     uint32_t first, uint32_t n, uint32_t *rows)
{
    uint32_t start;
    uint32_t n_postings = find_postings(s, flow, &start);

    ovs_assert(first <= n_postings);
    n = MIN(n, n_postings - first);
    array_get_numbers(s, SEALED_POSTINGS, start + first, n, rows);
    return n;
}

uint32_t
mlog_sealed_postings_before(const struct mlog_sealed *s, uint32_t flow,
                            uint32_t row)
{
    uint32_t start;
    uint32_t low = 0;
    uint32_t high = find_postings(s, flow, &start);

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (array_get_number(s, SEALED_POSTINGS, start + middle) < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
