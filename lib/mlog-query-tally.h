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

#ifndef MLOG_QUERY_TALLY_H
#define MLOG_QUERY_TALLY_H 1

/* Tallies
 * =======
 *
 * How often each value of a field occurs: what distinct, percentile and topk
 * are computed from.
 *
 * A tally is exact as long as it has at most 'max_values' different values and
 * there is memory.  Then it is replaced by sketches (mlog-sketch.h)
 * for what is wanted of it, and its answers are estimates whose error is
 * bounded.
 *
 * Thread-safety: none. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-fields.h"

/* Different values up to which a tally is exact. */
#define MLOG_TALLY_MAX_VALUES 65536

/* What a tally is for; or'ed. */
enum mlog_tally_use {
    MLOG_TALLY_DISTINCT = 1 << 0,
    MLOG_TALLY_PERCENTILE = 1 << 1,     /* Of values below 2**64. */
    MLOG_TALLY_TOP = 1 << 2,
};

/* What the tallies of one query share. */
struct mlog_tally_pool {
    size_t memory;              /* Bytes that they take. */
    size_t max_exact;           /* Beyond this many, they don't grow. */
    size_t max_values;          /* MLOG_TALLY_MAX_VALUES, but for tests. */
    uint32_t seed;
};

void mlog_tally_pool_init(struct mlog_tally_pool *, size_t max_exact);

struct mlog_tally;

struct mlog_tally *mlog_tally_create(struct mlog_tally_pool *, int uses,
                                     uint32_t max_top);
void mlog_tally_destroy(struct mlog_tally *);

/* Counts 'value' once more. */
void mlog_tally_add(struct mlog_tally *, const struct mlog_value *value);

/* Results.  Nothing may be added after the first one.  '*error' is 0 for an
 * exact result. */

/* The number of different values; '*error' is relative: the standard error of
 * the estimate. */
uint64_t mlog_tally_distinct(struct mlog_tally *, double *error);

/* The least value that 'ppm' millionths of all values, rounded up, don't
 * exceed; '*error' is relative.  False if there are no values. */
bool mlog_tally_percentile(struct mlog_tally *, uint32_t ppm,
                           uint64_t *value, double *error);

/* Fills in the 'n' most frequent values, those that occur most first, equal
 * ones in order of the values, and returns how many there are.  If '*error' is
 * not 0, an item's 'count' exceeds the true one by at most its 'error', and no
 * value that is missing makes up more than '*error' of all. */
struct mlog_tally_item {
    struct mlog_value value;
    uint64_t count;
    uint64_t error;
};
size_t mlog_tally_top(struct mlog_tally *, size_t n,
                      struct mlog_tally_item items[], double *error);

#endif /* mlog-query-tally.h */
