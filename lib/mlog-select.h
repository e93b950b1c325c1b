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

#ifndef MLOG_SELECT_H
#define MLOG_SELECT_H 1

/* Selecting by columns
 * ====================
 *
 * Of some rows, which ones match is a bitmap: bit i % 32 of word i / 32 is
 * row i.  These functions make bitmaps of columns, and sums and lists of
 * bitmaps, a group of 32 rows at a time.
 *
 * They work on whole groups: arrays of 'n_groups' groups have room for so many
 * times 32 values, and what is beyond the last row doesn't matter as long as
 * the caller clears its bits.
 *
 * Thread-safety: any thread. */

#include <stdbool.h>
#include <stdint.h>

#define MLOG_GROUP 32

/* True of a value v if (v & mask) is within min...max. */
struct mlog_test {
    uint32_t mask;
    uint32_t min, max;          /* min <= max. */
};

static inline bool
mlog_test_value(const struct mlog_test *test, uint32_t value)
{
    return (value & test->mask) - test->min <= test->max - test->min;
}

/* Adds to 'bits' the values for which 'test' is true. */
void mlog_select_test(const struct mlog_test *test, const uint32_t *values,
                      uint32_t n_groups, uint32_t *bits);

/* Sets 'bits' to the bytes that under 'mask' are 'value'. */
void mlog_select_bytes(const uint8_t *bytes, uint8_t mask, uint8_t value,
                       uint32_t n_groups, uint32_t *bits);

/* Returns how many bits are set. */
uint32_t mlog_select_count(const uint32_t *bits, uint32_t n_groups);

/* Returns the sum of the values, each less than 2^24, whose bits are set, in
 * 32 groups at most. */
uint64_t mlog_select_sum(const uint32_t *values, const uint32_t *bits,
                         uint32_t n_groups);

/* Stores 'base' plus the number of each bit that is set, ascending, in
 * 'numbers', and returns how many they are. */
uint32_t mlog_select_list(const uint32_t *bits, uint32_t n_groups,
                          uint32_t base, uint32_t *numbers);

/* Sets bits 'start' ... 'end' - 1 and clears the others. */
void mlog_select_range(uint32_t start, uint32_t end, uint32_t n_groups,
                       uint32_t *bits);

static inline bool
mlog_select_is_empty(const uint32_t *bits, uint32_t n_groups)
{
    uint32_t any = 0;

    for (uint32_t i = 0; i < n_groups; i++) {
        any |= bits[i];
    }
    return !any;
}

#endif /* mlog-select.h */
