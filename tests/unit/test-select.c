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

#include "mlog-select.h"
#include "mlog-simd.h"
#include "random.h"
#include "util.h"

/* Bitmaps of columns, at each level of vector instructions, are those of a
 * loop over the values. */

#define GROUPS 32
#define N (GROUPS * MLOG_GROUP)

static uint32_t values[N];
static uint8_t bytes[N];
static uint32_t bits[GROUPS];

static bool
bit(uint32_t i)
{
    return bits[i / MLOG_GROUP] >> i % MLOG_GROUP & 1;
}

static void
for_each_level(void (*check)(void))
{
    enum mlog_simd best = mlog_simd();

    random_set_seed(1);
    for (enum mlog_simd level = MLOG_SIMD_NONE; level <= best; level++) {
        mlog_simd_limit(level);
        for (int i = 0; i < 300; i++) {
            check();
        }
    }
}

static void
check_test(void)
{
    static const uint32_t edges[] = {
        0, 1, 0x7fffffff, 0x80000000, 0x80000001, UINT32_MAX - 1, UINT32_MAX
    };
    uint32_t a = edges[random_range(ARRAY_SIZE(edges))];
    uint32_t b = random_range(2) ? edges[random_range(ARRAY_SIZE(edges))]
                 : random_uint32();
    struct mlog_test test = {
        random_range(2) ? UINT32_MAX : random_uint32(), MIN(a, b), MAX(a, b)
    };
    uint32_t n_groups = random_range(GROUPS + 1);

    for (uint32_t i = 0; i < N; i++) {
        values[i] = (random_range(2) ? random_uint32()
                     : edges[random_range(ARRAY_SIZE(edges))]
                       + random_range(3) - 1);
    }
    memset(bits, 0, sizeof bits);
    bits[0] = 1;
    mlog_select_test(&test, values, n_groups, bits);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t v = values[i] & test.mask;
        bool expected = (i < n_groups * MLOG_GROUP && v >= test.min
                         && v <= test.max);

        cr_assert_eq(bit(i), expected || !i, "%"PRIu32, i);
    }
}

Test(select, values)
{
    for_each_level(check_test);
}

static void
check_bytes(void)
{
    uint8_t mask = random_range(256);
    uint8_t value = random_range(256) & mask;

    for (uint32_t i = 0; i < N; i++) {
        bytes[i] = random_range(3) ? random_range(256) : value;
    }
    mlog_select_bytes(bytes, mask, value, GROUPS, bits);
    for (uint32_t i = 0; i < N; i++) {
        cr_assert_eq(bit(i), (bytes[i] & mask) == value, "%"PRIu32, i);
    }
}

Test(select, bytes)
{
    for_each_level(check_bytes);
}

/* The greatest values that may be. */
static void
check_sum(void)
{
    bool most = !random_range(3);
    uint64_t sum = 0;

    for (uint32_t i = 0; i < N; i++) {
        values[i] = most ? (1u << 24) - 1 : random_range(1 << 24);
    }
    for (uint32_t i = 0; i < GROUPS; i++) {
        bits[i] = most ? UINT32_MAX : random_uint32();
    }
    for (uint32_t i = 0; i < N; i++) {
        sum += bit(i) ? values[i] : 0;
    }
    cr_assert_eq(mlog_select_sum(values, bits, GROUPS), sum);
}

Test(select, sum)
{
    for_each_level(check_sum);
}

Test(select, ranges_and_lists)
{
    uint32_t numbers[N];

    for (int k = 0; k < 2000; k++) {
        uint32_t start = random_range(N + 1), end = random_range(N + 1);
        uint32_t n = end > start ? end - start : 0;

        mlog_select_range(start, end, GROUPS, bits);
        cr_assert_eq(mlog_select_count(bits, GROUPS), n);
        cr_assert_eq(mlog_select_is_empty(bits, GROUPS), !n);
        cr_assert_eq(mlog_select_list(bits, GROUPS, 7, numbers), n);
        for (uint32_t i = 0; i < n; i++) {
            cr_assert_eq(numbers[i], 7 + start + i);
        }
    }
}
