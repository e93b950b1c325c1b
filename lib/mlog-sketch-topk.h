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


#ifndef MLOG_SKETCH_TOPK_H
#define MLOG_SKETCH_TOPK_H 1

/* The most frequent values
 * ========================
 *
 * Space-saving (Metwally, Agrawal, El Abbadi, 2005): keeps 'capacity' values,
 * each with a count and with how much the count may be too high.  Of 'total'
 * occurrences in all:
 *
 *   - count - error <= true number <= count, for each value that is kept;
 *   - error <= mlog_topk_bound() <= total / capacity;
 *   - what is not kept occurs at most mlog_topk_bound() times.
 *
 * So every value that makes up more than 1 / capacity of the whole is there.
 * As long as there are no more than 'capacity' distinct values, all counts are
 * exact.  Merging adds up the bounds of both, and so keeps to the same part of
 * the whole.
 *
 * Adding takes constant time for one occurrence, and at most time in
 * proportion to 'capacity' for many.  Memory is some 80 bytes per value that
 * is kept. */

#include "mlog-sketch.h"

#define MLOG_TOPK_MAX_CAPACITY 65536

struct mlog_topk_item {
    struct mlog_value value;
    uint64_t count;
    uint64_t error;             /* 'count' may be too high by this. */
};

struct mlog_topk {
    uint32_t capacity;
    uint32_t n;                 /* Values kept. */
    uint32_t allocated;
    uint32_t mask;              /* Of 'heads'. */
    uint32_t lowest;            /* Bucket with the lowest count. */
    uint32_t free_bucket;
    uint64_t total;             /* Occurrences; stops at UINT64_MAX. */
    struct mlog_topk_counter *counters;
    struct mlog_topk_bucket *buckets;
    uint32_t *heads;            /* Counters by hash. */
};

/* 'capacity' is from 1 to MLOG_TOPK_MAX_CAPACITY. */
void mlog_topk_init(struct mlog_topk *, uint32_t capacity);
void mlog_topk_destroy(struct mlog_topk *);
void mlog_topk_clear(struct mlog_topk *);

/* Adds 'n' occurrences. */
void mlog_topk_add(struct mlog_topk *, const struct mlog_value *, uint64_t n);

/* The capacities may differ; that of 'dst' remains. */
void mlog_topk_merge(struct mlog_topk *dst, const struct mlog_topk *src);

/* Stores the 'k' values with the greatest counts, or as many as there are, in
 * 'items', greatest first, and returns their number. */
size_t mlog_topk_get(const struct mlog_topk *, size_t k,
                     struct mlog_topk_item items[]);

uint64_t mlog_topk_bound(const struct mlog_topk *);

/* Bytes, without the structure itself. */
size_t mlog_topk_memory(const struct mlog_topk *);

/* Deserialising initialises the sketch; if that fails, it returns false and
 * sets '*errorp' to a message that the caller frees, and the sketch is an
 * empty one.  A capacity of more than 'max_capacity' is an error. */
void mlog_topk_serialise(const struct mlog_topk *, struct ofpbuf *);
bool mlog_topk_deserialise(struct mlog_topk *, const void *data, size_t size,
                           uint32_t max_capacity, char **errorp);

#endif /* mlog-sketch-topk.h */
