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
#ifndef MLOG_INTERVAL_H
#define MLOG_INTERVAL_H 1

/* Sets of numbers, as intervals
 * =============================
 *
 * A set is a list of intervals, sorted, that neither overlap nor touch.  Sets
 * are immutable values on the heap; free() frees one.  They all lie within 0
 * through 'ones', all-ones in as many bits as the numbers have.
 *
 * Thread-safety
 * =============
 *
 * Functions may be called from any thread. */

#include <stdbool.h>
#include <stddef.h>

#include "mlog-fields.h"

/* Both ends included. */
struct mlog_range {
    struct mlog_value min, max;
};

/* Sorts 'ranges' and joins those that overlap or touch.  Returns the number
 * left. */
size_t mlog_ranges_normalize(struct mlog_range *ranges, size_t n);

struct mlog_intervals {
    size_t n;
    struct mlog_range ranges[];
};

/* The set of the numbers that are in any of 'ranges'. */
struct mlog_intervals *mlog_intervals_create(const struct mlog_range *ranges,
                                             size_t n);
struct mlog_intervals *mlog_intervals_single(const struct mlog_value *min,
                                             const struct mlog_value *max);
struct mlog_intervals *mlog_intervals_clone(const struct mlog_intervals *);
struct mlog_intervals *mlog_intervals_complement(
    const struct mlog_intervals *, const struct mlog_value *ones);
struct mlog_intervals *mlog_intervals_intersect(
    const struct mlog_intervals *, const struct mlog_intervals *);
struct mlog_intervals *mlog_intervals_union(const struct mlog_intervals *,
                                            const struct mlog_intervals *);
bool mlog_intervals_equal(const struct mlog_intervals *,
                          const struct mlog_intervals *);

/* The number after 'v'.  There must be one. */
static inline struct mlog_value
mlog_value_successor(const struct mlog_value *v)
{
    return (struct mlog_value) { v->hi + (v->lo == UINT64_MAX), v->lo + 1 };
}

#endif /* mlog-interval.h */
