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


#ifndef MLOG_SKETCH_DISTINCT_H
#define MLOG_SKETCH_DISTINCT_H 1

/* How many distinct values
 * ========================
 *
 * Counts exactly up to mlog_distinct_limit() values (but for two of them
 * having the same 64-bit hash: one chance in 10**12 or less), then estimates,
 * as HyperLogLog does, with 2**precision registers.  The standard error of the
 * estimate is 1.04 / sqrt(2**precision), so that two of three are off by less,
 * 19 of 20 by less than twice as much:
 *
 *     precision   registers   exact up to   standard error
 *        10         1,024           96           3.3 %
 *        12         4,096          384           1.6 %
 *        14        16,384        1,536           0.8 %
 *        16        65,536        6,144           0.4 %
 *
 * Memory is at most one byte per register, and less as long as it is exact:
 * 16 bytes per value, some 128 at first; none when empty.
 *
 * A sketch doesn't depend on the order of values, nor on how often each
 * occurs; merging gives the very sketch of the union. */

#include "mlog-sketch.h"

#define MLOG_DISTINCT_MIN_PRECISION 8
#define MLOG_DISTINCT_MAX_PRECISION 16
#define MLOG_DISTINCT_PRECISION 14      /* To be taken if nothing speaks
                                         * against it. */

struct mlog_distinct {
    uint8_t precision;
    bool estimates;             /* Registers, no longer a set of hashes. */
    uint32_t seed_tag;
    uint32_t n;                 /* Hashes in the set. */
    uint32_t n_slots;           /* Of the set; 0 or a power of 2. */
    struct mlog_sketch_seed seed;
    union {
        uint64_t *slots;        /* Hashes; 0 is a free one. */
        uint8_t *registers;
    };
};

/* The seed is copied. */
void mlog_distinct_init(struct mlog_distinct *, unsigned int precision,
                        const struct mlog_sketch_seed *);
void mlog_distinct_destroy(struct mlog_distinct *);
void mlog_distinct_clear(struct mlog_distinct *);

uint32_t mlog_distinct_limit(unsigned int precision);

/* 'hash' is what mlog_sketch_hash() returns for the sketch's seed. */
void mlog_distinct_add_hash(struct mlog_distinct *, uint64_t hash);

static inline void
mlog_distinct_add(struct mlog_distinct *d, const struct mlog_value *value)
{
    mlog_distinct_add_hash(d, mlog_sketch_hash(&d->seed, value));
}

/* Adds what 'src' has to 'dst'.  Returns false, changing nothing, if they have
 * not the same precision and seed. */
bool mlog_distinct_merge(struct mlog_distinct *dst,
                         const struct mlog_distinct *src);

/* Takes time in proportion to the number of registers, unless exact. */
uint64_t mlog_distinct_count(const struct mlog_distinct *);

/* The relative standard error of the count; 0 if it is exact. */
double mlog_distinct_error(const struct mlog_distinct *);

/* Bytes, without the structure itself. */
size_t mlog_distinct_memory(const struct mlog_distinct *);

/* Appends the sketch, but not the seed: that of the reader must be the same.
 * Deserialising initialises the sketch; if that fails, it returns false and
 * sets '*errorp' to a message that the caller frees, and the sketch is an
 * empty one. */
void mlog_distinct_serialise(const struct mlog_distinct *, struct ofpbuf *);
bool mlog_distinct_deserialise(struct mlog_distinct *, const void *data,
                               size_t size, const struct mlog_sketch_seed *,
                               char **errorp);

#endif /* mlog-sketch-distinct.h */
