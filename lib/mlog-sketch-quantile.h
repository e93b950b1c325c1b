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


#ifndef MLOG_SKETCH_QUANTILE_H
#define MLOG_SKETCH_QUANTILE_H 1

/* Percentiles
 * ===========
 *
 * Of 64-bit numbers.  A percentile is the smallest value that the given part
 * of all values doesn't exceed (nearest rank).  Up to MLOG_QUANTILE_FEW values
 * it is exact.  Beyond that, values are counted in buckets: one for each
 * number below 128, and 64 of equal width for each power of 2 from there on.
 * So the answer differs from the true percentile by less than 1/128 of that
 * (0.8 %), whatever the values are.
 *
 * Memory is at most 30 KiB, typically 1 to 4 KiB: 512 bytes for each power of
 * 2 between the least and the greatest value.
 *
 * A sketch doesn't depend on the order of values; merging gives the very
 * sketch of all values together. */

#include "mlog-sketch.h"
#include "util.h"

#define MLOG_QUANTILE_FEW 64

/* Relative error, once it isn't exact; values below 128 always are. */
#define MLOG_QUANTILE_ERROR (1 / 128.)
#define MLOG_QUANTILE_EXACT_BELOW 128

/* Parts of the whole are given in millionths. */
#define MLOG_QUANTILE_WHOLE 1000000

/* Buckets, also for others that count values.
 *
 * A bucket's number is octave * 64 + index.  Octave 0 has the numbers below
 * 64, octave i > 0 those from 2**(i + 5) below 2**(i + 6). */

#define MLOG_QUANTILE_OCTAVES 59
#define MLOG_QUANTILE_PER_OCTAVE 64
#define MLOG_QUANTILE_BUCKETS (MLOG_QUANTILE_OCTAVES        \
                               * MLOG_QUANTILE_PER_OCTAVE)

static inline unsigned int
mlog_quantile_bucket(uint64_t value)
{
    if (value < 64) {
        return value;
    }

    unsigned int shift = 57 - raw_clz64(value);
    return shift * 64 + (value >> shift);
}

/* The number that stands for those of a bucket. */
uint64_t mlog_quantile_bucket_value(unsigned int bucket);

/* The rank, from 1 to 'n', of a percentile of 'n' > 0 values. */
uint64_t mlog_quantile_rank(uint64_t n, uint32_t millionths);

struct mlog_quantile {
    uint64_t n;                 /* Values; stops at UINT64_MAX. */
    uint64_t min, max;          /* If there are any. */
    uint32_t n_few;             /* Values, while they are few. */
    uint32_t allocated_few;
    uint8_t first_octave;       /* Of the buckets that there is room for. */
    uint8_t n_octaves;          /* 0: few values. */
    uint64_t *data;             /* Values, or numbers of values by bucket. */
};

void mlog_quantile_init(struct mlog_quantile *);
void mlog_quantile_destroy(struct mlog_quantile *);
void mlog_quantile_clear(struct mlog_quantile *);

/* Adds 'value' 'n' times. */
void mlog_quantile_add(struct mlog_quantile *, uint64_t value, uint64_t n);

void mlog_quantile_merge(struct mlog_quantile *dst,
                         const struct mlog_quantile *src);

/* The value that 'millionths' of the values don't exceed: 500000 for the
 * median.  Returns false if there are no values. */
bool mlog_quantile_get(const struct mlog_quantile *, uint32_t millionths,
                       uint64_t *value);

/* True if all that mlog_quantile_get() says is exact. */
static inline bool
mlog_quantile_is_exact(const struct mlog_quantile *q)
{
    return !q->n_octaves;
}

/* Bytes, without the structure itself. */
size_t mlog_quantile_memory(const struct mlog_quantile *);

/* Deserialising initialises the sketch; if that fails, it returns false and
 * sets '*errorp' to a message that the caller frees, and the sketch is an
 * empty one. */
void mlog_quantile_serialise(const struct mlog_quantile *, struct ofpbuf *);
bool mlog_quantile_deserialise(struct mlog_quantile *, const void *data,
                               size_t size, char **errorp);

#endif /* mlog-sketch-quantile.h */
