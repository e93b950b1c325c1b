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
#include "mlog-sketch-quantile.h"

#include <stdlib.h>
#include <string.h>

#include "mlog-sketch-private.h"
#include "openvswitch/ofpbuf.h"

/* Buckets are those of a floating-point number's exponent and upper bits of
 * the mantissa, so that no logarithm is needed, and every machine agrees about
 * them.  A bucket of width w begins at 64 * w or more, and its middle stands
 * for it, hence the error.
 *
 * There is room for all buckets of the octaves between the first and the last
 * that have values. */

#define PER_OCTAVE MLOG_QUANTILE_PER_OCTAVE
#define MIN_FEW 4

uint64_t
mlog_quantile_bucket_value(unsigned int bucket)
{
    unsigned int octave = bucket / PER_OCTAVE;
    uint64_t index = bucket % PER_OCTAVE;

    if (!octave) {
        return index;
    }

    unsigned int shift = octave - 1;
    uint64_t width = UINT64_C(1) << shift;
    return ((PER_OCTAVE + index) << shift) + (width - 1) / 2;
}

uint64_t
mlog_quantile_rank(uint64_t n, uint32_t millionths)
{
    unsigned __int128 product = (unsigned __int128) n * millionths;
    uint64_t rank = DIV_ROUND_UP(product, MLOG_QUANTILE_WHOLE);

    return MIN(MAX(rank, 1), n);
}

static uint64_t
add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* Life cycle. */

void
mlog_quantile_init(struct mlog_quantile *q)
{
    memset(q, 0, sizeof *q);
}

void
mlog_quantile_destroy(struct mlog_quantile *q)
{
    if (q) {
        free(q->data);
    }
}

void
mlog_quantile_clear(struct mlog_quantile *q)
{
    mlog_quantile_destroy(q);
    mlog_quantile_init(q);
}

/* Adding. */

/* Makes room for the octaves from 'first' through 'last'. */
static void
fit_octaves(struct mlog_quantile *q, unsigned int first, unsigned int last)
{
    unsigned int old_first = q->first_octave, old_n = q->n_octaves;

    if (old_n) {
        first = MIN(first, old_first);
        last = MAX(last, old_first + old_n - 1);
    }

    unsigned int n = last - first + 1;
    if (n == old_n) {
        return;
    }

    uint64_t *counts = xcalloc(n * PER_OCTAVE, sizeof *counts);
    if (old_n) {
        memcpy(counts + (old_first - first) * PER_OCTAVE, q->data,
               old_n * PER_OCTAVE * sizeof *counts);
    }
    free(q->data);
    q->data = counts;
    q->first_octave = first;
    q->n_octaves = n;
}

static void
count_value(struct mlog_quantile *q, uint64_t value, uint64_t n)
{
    unsigned int bucket = mlog_quantile_bucket(value);
    unsigned int octave = bucket / PER_OCTAVE;

    if (octave < q->first_octave || octave - q->first_octave >= q->n_octaves) {
        fit_octaves(q, octave, octave);
    }

    uint64_t *count = &q->data[bucket - q->first_octave * PER_OCTAVE];
    *count = add_saturating(*count, n);
}

static void
switch_to_buckets(struct mlog_quantile *q)
{
    uint64_t *few = q->data;

    q->data = NULL;
    if (q->n) {
        fit_octaves(q, mlog_quantile_bucket(q->min) / PER_OCTAVE,
                    mlog_quantile_bucket(q->max) / PER_OCTAVE);
    }
    for (uint32_t i = 0; i < q->n_few; i++) {
        count_value(q, few[i], 1);
    }
    free(few);
    q->n_few = q->allocated_few = 0;
}

static void
add_few(struct mlog_quantile *q, uint64_t value, uint64_t n)
{
    if (q->n_few + n > q->allocated_few) {
        uint32_t max = MAX(MIN_FEW, q->allocated_few * 2);

        q->allocated_few = MIN(MLOG_QUANTILE_FEW, MAX(max, q->n_few + n));
        q->data = xrealloc(q->data, q->allocated_few * sizeof *q->data);
    }
    while (n--) {
        q->data[q->n_few++] = value;
    }
}

void
mlog_quantile_add(struct mlog_quantile *q, uint64_t value, uint64_t n)
{
    if (!n) {
        return;
    }
    if (!q->n_octaves && n > MLOG_QUANTILE_FEW - q->n_few) {
        switch_to_buckets(q);
        count_value(q, value, n);
    } else if (!q->n_octaves) {
        add_few(q, value, n);
    } else {
        count_value(q, value, n);
    }
    q->min = q->n ? MIN(q->min, value) : value;
    q->max = MAX(q->max, value);
    q->n = add_saturating(q->n, n);
}

static void
merge_buckets(struct mlog_quantile *dst, const struct mlog_quantile *src)
{
    if (!dst->n_octaves) {
        switch_to_buckets(dst);
    }
    fit_octaves(dst, src->first_octave,
                src->first_octave + src->n_octaves - 1);

    uint64_t *counts = dst->data + ((src->first_octave - dst->first_octave)
                                    * PER_OCTAVE);
    for (size_t i = 0; i < src->n_octaves * PER_OCTAVE; i++) {
        counts[i] = add_saturating(counts[i], src->data[i]);
    }
    dst->min = dst->n ? MIN(dst->min, src->min) : src->min;
    dst->max = MAX(dst->max, src->max);
    dst->n = add_saturating(dst->n, src->n);
}

void
mlog_quantile_merge(struct mlog_quantile *dst, const struct mlog_quantile *src)
{
    if (src->n_octaves) {
        merge_buckets(dst, src);
        return;
    }
    for (uint32_t i = 0; i < src->n_few; i++) {
        mlog_quantile_add(dst, src->data[i], 1);
    }
}

/* Answers. */

static int
compare_values(const void *a_, const void *b_)
{
    uint64_t a = *(const uint64_t *) a_, b = *(const uint64_t *) b_;

    return a < b ? -1 : a > b;
}

static uint64_t
get_few(const struct mlog_quantile *q, uint64_t rank)
{
    uint64_t values[MLOG_QUANTILE_FEW];

    memcpy(values, q->data, q->n_few * sizeof *values);
    qsort(values, q->n_few, sizeof *values, compare_values);
    return values[rank - 1];
}

static uint64_t
get_bucket(const struct mlog_quantile *q, uint64_t rank)
{
    size_t n = q->n_octaves * PER_OCTAVE;
    size_t i = 0;

    while (i < n - 1 && rank > q->data[i]) {
        rank -= q->data[i++];
    }
    return mlog_quantile_bucket_value(q->first_octave * PER_OCTAVE + i);
}

bool
mlog_quantile_get(const struct mlog_quantile *q, uint32_t millionths,
                  uint64_t *value)
{
    if (!q->n) {
        return false;
    }

    uint64_t rank = mlog_quantile_rank(q->n, millionths);
    uint64_t v = (rank == 1 ? q->min
                  : rank == q->n ? q->max
                  : q->n_octaves ? get_bucket(q, rank)
                  : get_few(q, rank));
    *value = MIN(MAX(v, q->min), q->max);
    return true;
}

size_t
mlog_quantile_memory(const struct mlog_quantile *q)
{
    return (sizeof *q->data * (q->n_octaves ? q->n_octaves * PER_OCTAVE
                               : q->allocated_few));
}

/* Bytes.
 *
 *     0  header; its own: 1 if there are buckets, 0, 0
 *     8  u32  number of pairs
 *    12  pairs, in ascending order: u64 value, or u32 number of a bucket;
 *        u64 how many
 *     .  with buckets: u64 least value, u64 greatest value */

static void
put_few(const struct mlog_quantile *q, struct ofpbuf *b)
{
    uint64_t values[MLOG_QUANTILE_FEW];
    uint32_t n = 0;

    if (q->n_few) {
        memcpy(values, q->data, q->n_few * sizeof *values);
        qsort(values, q->n_few, sizeof *values, compare_values);
    }
    for (uint32_t i = 0; i < q->n_few; i++) {
        n += !i || values[i] != values[i - 1];
    }
    mlog_sketch_put_u32(b, n);
    for (uint32_t i = 0, j; i < q->n_few; i = j) {
        for (j = i; j < q->n_few && values[j] == values[i]; j++) {
            continue;
        }
        mlog_sketch_put_u64(b, values[i]);
        mlog_sketch_put_u64(b, j - i);
    }
}

static void
put_buckets(const struct mlog_quantile *q, struct ofpbuf *b)
{
    size_t n_buckets = q->n_octaves * PER_OCTAVE;
    uint32_t n = 0;

    for (size_t i = 0; i < n_buckets; i++) {
        n += q->data[i] > 0;
    }
    mlog_sketch_put_u32(b, n);
    for (size_t i = 0; i < n_buckets; i++) {
        if (q->data[i]) {
            mlog_sketch_put_u32(b, q->first_octave * PER_OCTAVE + i);
            mlog_sketch_put_u64(b, q->data[i]);
        }
    }
    mlog_sketch_put_u64(b, q->min);
    mlog_sketch_put_u64(b, q->max);
}

void
mlog_quantile_serialise(const struct mlog_quantile *q, struct ofpbuf *b)
{
    const uint8_t own[3] = { q->n_octaves > 0, 0, 0 };

    mlog_sketch_put_header(b, MLOG_SKETCH_QUANTILE, own);
    if (q->n_octaves) {
        put_buckets(q, b);
    } else {
        put_few(q, b);
    }
}

static void
read_few(struct mlog_quantile *q, struct mlog_sketch_reader *r)
{
    uint32_t n = mlog_sketch_get_u32(r);
    uint64_t last = 0;

    for (uint32_t i = 0; i < n && !r->error; i++) {
        uint64_t value = mlog_sketch_get_u64(r);
        uint64_t count = mlog_sketch_get_u64(r);

        if (i && value <= last) {
            mlog_sketch_fail(r, "value %"PRIu32" is not in order", i);
        } else if (!count || count > MLOG_QUANTILE_FEW - q->n_few) {
            mlog_sketch_fail(r, "number of value %"PRIu32" is invalid", i);
        } else if (!r->error) {
            mlog_quantile_add(q, value, count);
        }
        last = value;
    }
}

/* Reads the pairs once to see which octaves they need, and then again. */
static void
read_buckets(struct mlog_quantile *q, struct mlog_sketch_reader *r)
{
    uint32_t n = mlog_sketch_get_u32(r);
    unsigned int first = 0, last = 0;
    size_t start = r->at;

    for (uint32_t i = 0; i < n && !r->error; i++) {
        uint32_t bucket = mlog_sketch_get_u32(r);

        if ((i && bucket <= last) || bucket >= MLOG_QUANTILE_BUCKETS) {
            mlog_sketch_fail(r, "bucket %"PRIu32" is not in order", i);
        } else if (!mlog_sketch_get_u64(r)) {
            mlog_sketch_fail(r, "bucket %"PRIu32" is empty", i);
        }
        first = i ? first : bucket;
        last = bucket;
    }
    q->min = mlog_sketch_get_u64(r);
    q->max = mlog_sketch_get_u64(r);
    if (!n || q->min > q->max || mlog_quantile_bucket(q->min) != first
        || mlog_quantile_bucket(q->max) != last) {
        mlog_sketch_fail(r, "extremes don't fit the buckets");
    }
    if (r->error) {
        return;
    }

    size_t end = r->at;
    r->at = start;
    fit_octaves(q, first / PER_OCTAVE, last / PER_OCTAVE);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t bucket = mlog_sketch_get_u32(r);
        uint64_t count = mlog_sketch_get_u64(r);

        q->data[bucket - q->first_octave * PER_OCTAVE] = count;
        q->n = add_saturating(q->n, count);
    }
    r->at = end;
}

bool
mlog_quantile_deserialise(struct mlog_quantile *q, const void *data,
                          size_t size, char **errorp)
{
    struct mlog_sketch_reader r;
    uint8_t own[3];

    mlog_quantile_init(q);
    mlog_sketch_reader_init(&r, data, size, MLOG_SKETCH_QUANTILE, own);
    if (own[0] > 1 || own[1] || own[2]) {
        mlog_sketch_fail(&r, "parameters of the sketch are invalid");
    }
    if (own[0]) {
        read_buckets(q, &r);
    } else {
        read_few(q, &r);
    }
    *errorp = mlog_sketch_reader_finish(&r);
    if (*errorp) {
        mlog_quantile_clear(q);
    }
    return !*errorp;
}
