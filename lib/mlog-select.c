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

#include "mlog-select.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "mlog-simd.h"
#include "util.h"

/* Compilers don't make "which lanes" into a bitmap by themselves, so what does
 * is written twice.  A lane sums up 128 values less than 2^24, so it stays
 * below 2^31. */

/* Portable. */

static void
test_generic(const struct mlog_test *test, const uint32_t *values,
             uint32_t n_groups, uint32_t *bits)
{
    const struct mlog_test t = *test;

    for (; n_groups--; values += MLOG_GROUP) {
        uint32_t word = 0;

        for (uint32_t l = 0; l < MLOG_GROUP; l++) {
            word |= (uint32_t) mlog_test_value(&t, values[l]) << l;
        }
        *bits++ |= word;
    }
}

static void
bytes_generic(const uint8_t *bytes, uint8_t mask, uint8_t value,
              uint32_t n_groups, uint32_t *bits)
{
    for (; n_groups--; bytes += MLOG_GROUP) {
        uint32_t word = 0;

        for (uint32_t l = 0; l < MLOG_GROUP; l++) {
            word |= (uint32_t) ((bytes[l] & mask) == value) << l;
        }
        *bits++ = word;
    }
}

static uint64_t
sum_generic(const uint32_t *values, const uint32_t *bits, uint32_t n_groups)
{
    uint64_t sum = 0;

    for (; n_groups--; values += MLOG_GROUP) {
        uint32_t word = *bits++;

        for (uint32_t l = 0; l < MLOG_GROUP; l++) {
            sum += values[l] & -(word >> l & 1);
        }
    }
    return sum;
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))

/* One bit for each of eight lanes of 32 bits. */
AVX2 static inline uint32_t
lanes(__m256i m)
{
    return _mm256_movemask_ps(_mm256_castsi256_ps(m));
}

AVX2 static void
test_avx2(const struct mlog_test *test, const uint32_t *values,
          uint32_t n_groups, uint32_t *bits)
{
    const __m256i mask = _mm256_set1_epi32(test->mask);
    const __m256i min = _mm256_set1_epi32(test->min);
    const __m256i span = _mm256_set1_epi32(test->max - test->min);

    for (; n_groups--; values += MLOG_GROUP) {
        uint32_t word = 0;

        for (uint32_t l = 0; l < MLOG_GROUP; l += 8) {
            __m256i v = _mm256_loadu_si256((const __m256i *) &values[l]);

            v = _mm256_sub_epi32(_mm256_and_si256(v, mask), min);
            v = _mm256_cmpeq_epi32(_mm256_min_epu32(v, span), v);
            word |= lanes(v) << l;
        }
        *bits++ |= word;
    }
}

AVX2 static void
bytes_avx2(const uint8_t *bytes, uint8_t mask, uint8_t value,
           uint32_t n_groups, uint32_t *bits)
{
    const __m256i masks = _mm256_set1_epi8(mask);
    const __m256i wanted = _mm256_set1_epi8(value);

    for (; n_groups--; bytes += MLOG_GROUP) {
        __m256i v = _mm256_loadu_si256((const __m256i *) bytes);

        v = _mm256_cmpeq_epi8(_mm256_and_si256(v, masks), wanted);
        *bits++ = _mm256_movemask_epi8(v);
    }
}

AVX2 static uint64_t
sum_avx2(const uint32_t *values, const uint32_t *bits, uint32_t n_groups)
{
    const __m256i lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i sum = _mm256_setzero_si256();
    uint32_t sums[8];
    uint64_t total = 0;

    for (; n_groups--; values += MLOG_GROUP) {
        uint32_t word = *bits++;

        for (uint32_t l = 0; l < MLOG_GROUP; l += 8) {
            __m256i v = _mm256_loadu_si256((const __m256i *) &values[l]);
            __m256i w = _mm256_set1_epi32(word >> l);

            w = _mm256_cmpeq_epi32(_mm256_and_si256(w, lane), lane);
            sum = _mm256_add_epi32(sum, _mm256_and_si256(v, w));
        }
    }
    _mm256_storeu_si256((__m256i *) sums, sum);
    for (int i = 0; i < 8; i++) {
        total += sums[i];
    }
    return total;
}
#endif /* __x86_64__ */

void
mlog_select_test(const struct mlog_test *test, const uint32_t *values,
                 uint32_t n_groups, uint32_t *bits)
{
#if defined(__x86_64__)
    if (mlog_simd() >= MLOG_SIMD_AVX2) {
        test_avx2(test, values, n_groups, bits);
        return;
    }
#endif
    test_generic(test, values, n_groups, bits);
}

void
mlog_select_bytes(const uint8_t *bytes, uint8_t mask, uint8_t value,
                  uint32_t n_groups, uint32_t *bits)
{
#if defined(__x86_64__)
    if (mlog_simd() >= MLOG_SIMD_AVX2) {
        bytes_avx2(bytes, mask, value, n_groups, bits);
        return;
    }
#endif
    bytes_generic(bytes, mask, value, n_groups, bits);
}

uint64_t
mlog_select_sum(const uint32_t *values, const uint32_t *bits,
                uint32_t n_groups)
{
#if defined(__x86_64__)
    if (mlog_simd() >= MLOG_SIMD_AVX2) {
        return sum_avx2(values, bits, n_groups);
    }
#endif
    return sum_generic(values, bits, n_groups);
}

uint32_t
mlog_select_count(const uint32_t *bits, uint32_t n_groups)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < n_groups; i++) {
        n += count_1bits(bits[i]);
    }
    return n;
}

uint32_t
mlog_select_list(const uint32_t *bits, uint32_t n_groups, uint32_t base,
                 uint32_t *numbers)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < n_groups; i++, base += MLOG_GROUP) {
        for (uint32_t word = bits[i]; word; word = zero_rightmost_1bit(word)) {
            numbers[n++] = base + raw_ctz(word);
        }
    }
    return n;
}

void
mlog_select_range(uint32_t start, uint32_t end, uint32_t n_groups,
                  uint32_t *bits)
{
    for (uint32_t i = 0; i < n_groups; i++) {
        uint32_t first = i * MLOG_GROUP;
        uint32_t low = MIN(MAX(start, first) - first, MLOG_GROUP);
        uint32_t high = MIN(MAX(end, first) - first, MLOG_GROUP);

        bits[i] = (low < high
                   ? UINT32_MAX >> (MLOG_GROUP - (high - low)) << low : 0);
    }
}
