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

#ifndef MLOG_BITPACK_H
#define MLOG_BITPACK_H 1

/* Arrays of numbers of a few bits
 * ===============================
 *
 * An array of 32-bit values, each of which is kept in 'width' bits:
 *
 *     value[i] = base + slope * i + packed[i]       modulo 2^32
 *     width 0..32, slope 0 or 1
 *
 * with as few bits as the values' distance from base + slope * i allows
 * ("frame of reference").  Width 0 takes no memory at all.
 *
 * The packed numbers lie in 32 lanes, so that a vector instruction treats many
 * of them alike.  Number i is in lane i % 32, and is number i / 32 there.  A
 * lane is a string of bits, lowest first, cut into 32-bit words; the words of
 * all lanes take turns:
 *
 *     word 0        1               31       32       33
 *     +--------+--------+-- ... +--------+--------+-- ...
 *     | lane 0 | lane 1 |       | lane 31| lane 0 | lane 1
 *     | bits   |        |       |        | bits   |
 *     | 0..31  |        |       |        | 32..63 |
 *     +--------+--------+-- ... +--------+--------+-- ...
 *
 *     e.g. width 10: word 0 holds number 0 in bits 0..9, number 32 in bits
 *     10..19, number 64 in bits 20..29, and the low 2 bits of number 96.
 *
 * So any number can be got at without the others, and 32 in a row, a group,
 * are got at once.  Numbers and words are of the host's byte order.
 *
 * All functions may be called from any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util.h"

#define MLOG_LANES 32

/* As above.  Values that would be larger than 'max' are read as 'max': so
 * whoever uses them as an index needs no other check if the words come from
 * somebody not trusted. */
struct mlog_packed {
    const uint32_t *words;
    uint32_t width;
    uint32_t base;
    uint32_t slope;
    uint32_t max;
};

/* The number of bytes of 'n' numbers, a multiple of 128. */
static inline size_t
mlog_packed_bytes(uint32_t n, uint32_t width)
{
    size_t bits = DIV_ROUND_UP(n, MLOG_LANES) * width;

    return DIV_ROUND_UP(bits, 32) * MLOG_LANES * sizeof(uint32_t);
}

/* Returns value 'i'. */
static inline uint32_t
mlog_packed_get(const struct mlog_packed *p, uint32_t i)
{
    uint32_t value = p->base + p->slope * i;

    if (p->width) {
        uint32_t bit = i / MLOG_LANES * p->width;
        const uint32_t *word = (p->words + bit / 32 * MLOG_LANES
                                + i % MLOG_LANES);
        uint64_t bits = *word;

        if (bit % 32 + p->width > 32) {
            bits |= (uint64_t) word[MLOG_LANES] << 32;
        }
        value += bits >> bit % 32 & UINT32_MAX >> (32 - p->width);
    }
    return MIN(value, p->max);
}

/* Stores values 'start' and the 'n' - 1 after it into 'values'. */
void mlog_unpack(const struct mlog_packed *, uint32_t start, uint32_t n,
                 uint32_t *values);

/* To make them.  These functions work on whole groups: 'values' has room for
 * one value more than the next multiple of 32 after 'n', and what follows
 * value n - 1 has been made equal to it by mlog_pack_pad(). */
#define MLOG_PACK_ROOM(N) (ROUND_UP(N, MLOG_LANES) + 1)

void mlog_pack_pad(uint32_t *values, uint32_t n);

/* What is worth knowing about some values, to choose how to keep them. */
struct mlog_pack_measure {
    uint32_t min, max;
    uint32_t n_changes;         /* How many differ from the one before. */
};

/* 'values' may continue after 'n', if that is a multiple of 32, as values of
 * another block: it takes no notice. */
void mlog_pack_measure(const uint32_t *values, uint32_t n,
                       struct mlog_pack_measure *);

/* Finds the least and the greatest value[i] - i, which is meaningful if all
 * values are less than 2^31.  The least may come out lower by up to 31 if 'n'
 * isn't a multiple of 32. */
void mlog_pack_measure_ramp(const uint32_t *values, uint32_t n, int32_t *min,
                            int32_t *max);

/* Sets bit i % 32 of changes[i / 32] for each value i that differs from the
 * next one, and leaves the other bits as they are. */
void mlog_pack_changes(const uint32_t *values, uint32_t n, uint32_t *changes);

/* Takes values[0] from each of the 'values', which are less than 2^63, and
 * stores the lower and the higher 32 bits of the differences.  All three
 * arrays are padded.  Returns false if the values don't ascend. */
bool mlog_pack_split(uint64_t *values, uint32_t n, uint32_t *low,
                     uint32_t *high);

/* Stores mlog_packed_bytes() bytes to 'words', aligned to 4 bytes. */
void mlog_pack(const uint32_t *values, uint32_t n, uint32_t width,
               uint32_t base, uint32_t slope, uint32_t *words);

/* Numbers the distinct ones among 'values', in order of appearance.  Returns
 * how many they are, stores them in 'dictionary' and in 'codes' the number of
 * each value; or returns 0 if there are more than 16. */
#define MLOG_DICTIONARY_MAX 16
uint32_t mlog_pack_dictionary(const uint32_t *values, uint32_t n,
                              uint32_t dictionary[MLOG_DICTIONARY_MAX],
                              uint32_t *codes);

/* The number of bits that 'value' needs. */
static inline uint32_t
mlog_bit_width(uint64_t value)
{
    return value ? 64 - __builtin_clzll(value) : 0;
}

#endif /* mlog-bitpack.h */
