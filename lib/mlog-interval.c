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
#include "mlog-interval.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

static int
compare_ranges(const void *a_, const void *b_)
{
    const struct mlog_range *a = a_;
    const struct mlog_range *b = b_;

    return mlog_value_compare(&a->min, &b->min);
}

static bool
is_max(const struct mlog_value *v)
{
    return v->hi == UINT64_MAX && v->lo == UINT64_MAX;
}

/* The number before 'v'.  There must be one. */
static struct mlog_value
predecessor(const struct mlog_value *v)
{
    return (struct mlog_value) { v->hi - !v->lo, v->lo - 1 };
}

size_t
mlog_ranges_normalize(struct mlog_range *ranges, size_t n)
{
    size_t n_out = 0;

    qsort(ranges, n, sizeof *ranges, compare_ranges);
    for (size_t i = 0; i < n; i++) {
        struct mlog_range *last = n_out ? &ranges[n_out - 1] : NULL;

        if (last && !is_max(&last->max)) {
            struct mlog_value next = mlog_value_successor(&last->max);

            if (mlog_value_compare(&ranges[i].min, &next) > 0) {
                last = NULL;
            }
        }
        if (!last) {
            ranges[n_out++] = ranges[i];
        } else if (mlog_value_compare(&ranges[i].max, &last->max) > 0) {
            last->max = ranges[i].max;
        }
    }
    return n_out;
}

static struct mlog_intervals *
allocate(size_t n)
{
    struct mlog_intervals *set;

    set = xmalloc(sizeof *set + n * sizeof set->ranges[0]);
    set->n = 0;
    return set;
}

static void
append(struct mlog_intervals *set, const struct mlog_value *min,
       const struct mlog_value *max)
{
    set->ranges[set->n++] = (struct mlog_range) { *min, *max };
}

struct mlog_intervals *
mlog_intervals_create(const struct mlog_range *ranges, size_t n)
{
    struct mlog_intervals *set = allocate(n);

    if (n) {
        memcpy(set->ranges, ranges, n * sizeof *ranges);
        set->n = mlog_ranges_normalize(set->ranges, n);
    }
    return set;
}

struct mlog_intervals *
mlog_intervals_single(const struct mlog_value *min,
                      const struct mlog_value *max)
{
    struct mlog_intervals *set = allocate(1);

    append(set, min, max);
    return set;
}

struct mlog_intervals *
mlog_intervals_clone(const struct mlog_intervals *set)
{
    return set ? xmemdup(set, sizeof *set + set->n * sizeof set->ranges[0])
               : NULL;
}

struct mlog_intervals *
mlog_intervals_complement(const struct mlog_intervals *a,
                          const struct mlog_value *ones)
{
    struct mlog_intervals *set = allocate(a->n + 1);
    struct mlog_value next = { 0, 0 };

    for (size_t i = 0; i < a->n; i++) {
        const struct mlog_range *range = &a->ranges[i];

        if (mlog_value_compare(&next, &range->min) < 0) {
            struct mlog_value last = predecessor(&range->min);

            append(set, &next, &last);
        }
        if (mlog_value_compare(&range->max, ones) >= 0) {
            return set;
        }
        next = mlog_value_successor(&range->max);
    }
    append(set, &next, ones);
    return set;
}

struct mlog_intervals *
mlog_intervals_intersect(const struct mlog_intervals *a,
                         const struct mlog_intervals *b)
{
    struct mlog_intervals *set = allocate(a->n + b->n);
    size_t i = 0, j = 0;

    while (i < a->n && j < b->n) {
        const struct mlog_range *ra = &a->ranges[i];
        const struct mlog_range *rb = &b->ranges[j];
        const struct mlog_value *min, *max;
        bool a_ends = mlog_value_compare(&ra->max, &rb->max) < 0;

        min = (mlog_value_compare(&ra->min, &rb->min) > 0
               ? &ra->min : &rb->min);
        max = a_ends ? &ra->max : &rb->max;
        if (mlog_value_compare(min, max) <= 0) {
            append(set, min, max);
        }
        if (a_ends) {
            i++;
        } else {
            j++;
        }
    }
    return set;
}

struct mlog_intervals *
mlog_intervals_union(const struct mlog_intervals *a,
                     const struct mlog_intervals *b)
{
    struct mlog_intervals *set = allocate(a->n + b->n);

    memcpy(set->ranges, a->ranges, a->n * sizeof a->ranges[0]);
    memcpy(set->ranges + a->n, b->ranges, b->n * sizeof b->ranges[0]);
    set->n = mlog_ranges_normalize(set->ranges, a->n + b->n);
    return set;
}

bool
mlog_intervals_equal(const struct mlog_intervals *a,
                     const struct mlog_intervals *b)
{
    return (a == b
            || (a && b && a->n == b->n
                && !memcmp(a->ranges, b->ranges,
                           a->n * sizeof a->ranges[0])));
}
