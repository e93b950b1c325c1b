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

#include <criterion/criterion.h>

#include "crc32c.h"
#include "mlog-bitpack.h"
#include "mlog-checksum.h"
#include "mlog-columns.h"
#include "mlog-simd.h"
#include "random.h"
#include "util.h"

enum { N_MAX = 1500 };

/* Calls 'test' at each level of vector instructions. */
static void
at_each_level(void (*test)(void))
{
    enum mlog_simd best = mlog_simd();

    for (int level = MLOG_SIMD_NONE; level <= (int) best; level++) {
        mlog_simd_limit(level);
        cr_assert_eq(mlog_simd(), level);
        test();
    }
}

/* Stores 'n' values that need 'width' bits above base + slope * i. */
static void
random_values(uint32_t *values, uint32_t n, uint32_t width, uint32_t base,
              uint32_t slope)
{
    for (uint32_t i = 0; i < n; i++) {
        values[i] = base + slope * i;
        if (width) {
            values[i] += random_uint32() >> (32 - width);
        }
    }
    mlog_pack_pad(values, n);
}

static void
check_width(uint32_t n, uint32_t width, uint32_t base, uint32_t slope)
{
    static uint32_t values[MLOG_PACK_ROOM(N_MAX)], out[N_MAX + 1];
    uint32_t words[MLOG_PACK_ROOM(N_MAX)];
    struct mlog_packed p = {
        .words = words, .width = width, .base = base, .slope = slope,
        .max = UINT32_MAX
    };

    random_values(values, n, width, base, slope);
    memset(words, 0xcc, sizeof words);
    mlog_pack(values, n, width, base, slope, words);
    size_t bytes = mlog_packed_bytes(n, width);
    cr_assert_leq(bytes, ROUND_UP(n, 32) * 4);
    for (size_t i = bytes; i < sizeof words; i++) {
        cr_assert_eq(((uint8_t *) words)[i], 0xcc, "written beyond the end");
    }

    for (uint32_t i = 0; i < n; i++) {
        cr_assert_eq(mlog_packed_get(&p, i), values[i]);
    }
    for (int i = 0; i < 20; i++) {
        uint32_t start = i ? random_range(n) : 0;
        uint32_t m = i ? random_range(n - start + 1) : n;

        out[m] = 0xdeadbeef;
        mlog_unpack(&p, start, m, out);
        cr_assert(!memcmp(out, values + start, m * sizeof *out),
                  "width %u, %u values from %u of %u", width, m, start, n);
        cr_assert_eq(out[m], 0xdeadbeef, "written beyond the end");
    }
}

static void
check_all_widths(void)
{
    static const uint32_t sizes[] = { 1, 31, 32, 33, 64, 1000, 1024, N_MAX };

    for (uint32_t width = 0; width <= 32; width++) {
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
            check_width(sizes[i], width, 0, 0);
            check_width(sizes[i], width, random_uint32(), i & 1);
        }
    }
}

Test(bitpack, what_is_unpacked_is_what_was_packed)
{
    at_each_level(check_all_widths);
}

static void
check_max(void)
{
    uint32_t values[MLOG_PACK_ROOM(100)], words[128], out[100];
    struct mlog_packed p = {
        .words = words, .width = 7, .base = 1000, .max = 1050
    };

    random_values(values, 100, 7, 1000, 0);
    mlog_pack(values, 100, 7, 1000, 0, words);
    mlog_unpack(&p, 0, 100, out);
    for (uint32_t i = 0; i < 100; i++) {
        cr_assert_eq(out[i], MIN(values[i], 1050));
        cr_assert_eq(out[i], mlog_packed_get(&p, i));
    }
}

Test(bitpack, values_are_cut_to_the_maximum)
{
    at_each_level(check_max);
}

static void
check_measure(void)
{
    for (int round = 0; round < 200; round++) {
        static uint32_t values[MLOG_PACK_ROOM(N_MAX)];
        uint32_t n = 1 + random_range(N_MAX);
        struct mlog_pack_measure m, expected = { UINT32_MAX, 0, 0 };
        uint32_t changes[ROUND_UP(N_MAX, 32) / 32] = { 0 };
        int32_t ramp_min, ramp_max, min = INT32_MAX, max = INT32_MIN;

        random_values(values, n, 1 + random_range(31), 0, 0);
        for (uint32_t i = 1; i < n; i++) {
            if (random_range(2)) {
                values[i] = values[i - 1];
            }
        }
        mlog_pack_pad(values, n);
        for (uint32_t i = 0; i < n; i++) {
            expected.min = MIN(expected.min, values[i]);
            expected.max = MAX(expected.max, values[i]);
            expected.n_changes += i && values[i] != values[i - 1];
            min = MIN(min, (int32_t) (values[i] - i));
            max = MAX(max, (int32_t) (values[i] - i));
        }

        if (n % 32 == 0) {
            values[n]++;                /* The next block, so to speak. */
        }
        mlog_pack_measure(values, n, &m);
        cr_assert(m.min == expected.min && m.max == expected.max
                  && m.n_changes == expected.n_changes);

        mlog_pack_measure_ramp(values, n, &ramp_min, &ramp_max);
        cr_assert(ramp_max == max && ramp_min <= min && ramp_min > min - 32);
        cr_assert(n % 32 || ramp_min == min);

        mlog_pack_pad(values, n);
        mlog_pack_changes(values, n, changes);
        for (uint32_t i = 0; i < n; i++) {
            cr_assert_eq(!!(changes[i / 32] & 1u << i % 32),
                         values[i] != values[MIN(i + 1, n - 1)]);
        }
    }
}

Test(bitpack, measures_are_exact)
{
    at_each_level(check_measure);
}

static void
check_dictionary(void)
{
    for (uint32_t n_distinct = 1; n_distinct <= 20; n_distinct++) {
        static uint32_t values[MLOG_PACK_ROOM(N_MAX)];
        static uint32_t codes[MLOG_PACK_ROOM(N_MAX)];
        uint32_t dictionary[MLOG_DICTIONARY_MAX];

        /* One of them appears only at the end. */
        for (uint32_t i = 0; i < N_MAX; i++) {
            values[i] = random_range(MAX(n_distinct - 1, 1)) * 0x10000001u;
        }
        for (uint32_t i = 0; i < n_distinct - 1; i++) {
            values[i] = i * 0x10000001u;
        }
        values[N_MAX - 1] = n_distinct == 1 ? 0 : UINT32_MAX;
        mlog_pack_pad(values, N_MAX);

        uint32_t n = mlog_pack_dictionary(values, N_MAX, dictionary, codes);
        cr_assert_eq(n, n_distinct <= MLOG_DICTIONARY_MAX ? n_distinct : 0);
        for (uint32_t i = 0; n && i < N_MAX; i++) {
            cr_assert_lt(codes[i], n);
            cr_assert_eq(dictionary[codes[i]], values[i]);
        }
    }
}

Test(bitpack, dictionaries_of_up_to_16_values)
{
    at_each_level(check_dictionary);
}

static void
check_split(void)
{
    for (int round = 0; round < 100; round++) {
        static uint64_t values[MLOG_PACK_ROOM(N_MAX)];
        static uint32_t low[MLOG_PACK_ROOM(N_MAX)];
        static uint32_t high[MLOG_PACK_ROOM(N_MAX)];
        uint32_t n = 2 + random_range(N_MAX - 1);

        values[0] = random_uint64() >> 17;
        for (uint32_t i = 1; i < n; i++) {
            values[i] = values[i - 1] + (random_uint64() >> (20 + round % 40));
        }
        cr_assert(mlog_pack_split(values, n, low, high));
        for (uint32_t i = 0; i < MLOG_PACK_ROOM(n); i++) {
            uint64_t expected = values[MIN(i, n - 1)] - values[0];
            cr_assert_eq((uint64_t) high[i] << 32 | low[i], expected);
        }

        uint32_t i = 1 + random_range(n - 1);
        values[i] = values[i - 1] - 1;
        cr_assert_not(mlog_pack_split(values, n, low, high));
    }
}

Test(bitpack, split_finds_values_that_descend)
{
    at_each_level(check_split);
}

/* Checksums.
 * ========== */

/* As the header says, with Open vSwitch's CRC-32C. */
static uint32_t
reference_checksum(const uint64_t *words, size_t n)
{
    uint32_t crcs[4];
    uint64_t lane[100];

    for (size_t j = 0; j < 4; j++) {
        size_t m = 0;

        for (size_t i = j; i < n; i += 4) {
            lane[m++] = words[i];
        }
        crcs[j] = (OVS_FORCE uint32_t) crc32c((uint8_t *) lane, m * 8);
    }
    return (OVS_FORCE uint32_t) crc32c((uint8_t *) crcs, sizeof crcs);
}

static void
check_checksum(void)
{
    uint64_t words[101];

    for (size_t n = 0; n < 100; n++) {
        random_bytes(words, sizeof words);
        uint32_t sum = mlog_checksum(words, n * 8);
        cr_assert_eq(sum, reference_checksum(words, n));

        /* Alignment doesn't matter. */
        memmove((char *) words + 3, words, n * 8);
        cr_assert_eq(sum, mlog_checksum((char *) words + 3, n * 8));
    }
}

Test(checksum, is_four_crc32c)
{
    at_each_level(check_checksum);
}

/* Columns.
 * ======== */

Test(columns, each_bit_of_a_row_is_in_one_column)
{
    for (size_t bit = 0; bit < sizeof(struct mlog_row) * 8; bit++) {
        struct mlog_row row = { 0 };
        int n = 0;

        ((uint8_t *) &row)[bit / 8] |= 1 << bit % 8;
        for (int c = 0; c < MLOG_N_COLUMNS; c++) {
            uint64_t value = mlog_row_column(&row, c);

            cr_assert(!(value & (value - 1)));
            cr_assert_leq(mlog_bit_width(value), mlog_column_defs[c].n_bits);
            n += value != 0;
        }
        cr_assert_eq(n, 1, "bit %"PRIuSIZE" is in %d columns", bit, n);
    }
}

static void
check_columns(void)
{
    enum { N = 77 };
    static uint64_t time[N];
    static uint32_t numbers[MLOG_N_COLUMNS][N];
    struct mlog_columns columns = { .time = time };
    struct mlog_row rows[N], out[N + 1];

    for (int c = 0; c < MLOG_N_COLUMNS; c++) {
        columns.numbers[c] = numbers[c];
    }
    for (uint32_t n = 0; n <= N; n++) {
        random_bytes(rows, sizeof rows);
        mlog_columns_from_rows(&columns, rows, n);
        for (uint32_t i = 0; i < n; i++) {
            cr_assert_eq(time[i], mlog_row_time(&rows[i]));
            for (int c = MLOG_COLUMN_TIME + 1; c < MLOG_N_COLUMNS; c++) {
                cr_assert_eq(numbers[c][i], mlog_row_column(&rows[i], c));
            }
        }
        memset(out, 0xcc, sizeof out);
        mlog_columns_to_rows(&columns, out, n);
        cr_assert(!memcmp(out, rows, n * sizeof *rows));
        for (size_t i = 0; i < sizeof *out; i++) {
            cr_assert_eq(((uint8_t *) &out[n])[i], 0xcc);
        }
    }
}

Test(columns, rows_come_back_bit_for_bit)
{
    at_each_level(check_columns);
}
