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

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "mlog-sketch-distinct.h"
#include "mlog-sketch-quantile.h"
#include "mlog-sketch-topk.h"
#include "openvswitch/ofpbuf.h"
#include "random.h"
#include "util.h"

static struct mlog_value
value_of(uint64_t lo)
{
    return (struct mlog_value) { .lo = lo };
}

static void
init_seed(void)
{
    random_set_seed(20260101);
}
TestSuite(sketch, .init = init_seed);

/* Hashing: what another implementation of SipHash-1-3 gives. */
Test(sketch, hash_is_siphash)
{
    static const struct mlog_sketch_seed seed = { { 0, 0 } };
    static const struct { uint64_t lo, hi, hash; } cases[] = {
        { 0, 0, UINT64_C(0x76be999e3e25b2a0) },
        { 1, 2, UINT64_C(0xfb058313e6201d48) },
        { UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210),
          UINT64_C(0x26a9fe81d3b46069) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct mlog_value v = { .lo = cases[i].lo, .hi = cases[i].hi };

        cr_assert_eq(mlog_sketch_hash(&seed, &v), cases[i].hash);
    }
}

Test(sketch, seeds_differ)
{
    struct mlog_sketch_seed a, b;
    struct mlog_value v = value_of(1);

    mlog_sketch_seed_random(&a);
    mlog_sketch_seed_random(&b);
    cr_assert_neq(mlog_sketch_hash(&a, &v), mlog_sketch_hash(&b, &v));
    cr_assert_neq(mlog_sketch_seed_tag(&a), mlog_sketch_seed_tag(&b));
    cr_assert_eq(mlog_sketch_local_seed(), mlog_sketch_local_seed());
}

/* Distinct values. */

static const struct mlog_sketch_seed fixed_seed = { { 1, 2 } };

static void
add_range(struct mlog_distinct *d, uint64_t from, uint64_t to, uint64_t step)
{
    for (uint64_t i = from; i < to; i++) {
        struct mlog_value v = value_of(i * step);

        mlog_distinct_add(d, &v);
    }
}

Test(sketch, distinct_is_exact_while_few)
{
    for (unsigned int p = MLOG_DISTINCT_MIN_PRECISION;
         p <= MLOG_DISTINCT_MAX_PRECISION; p++) {
        uint32_t limit = mlog_distinct_limit(p);
        struct mlog_distinct d;

        mlog_distinct_init(&d, p, &fixed_seed);
        cr_assert_eq(mlog_distinct_count(&d), 0);
        cr_assert_eq(mlog_distinct_memory(&d), 0);
        add_range(&d, 0, limit, 1);
        add_range(&d, 0, limit, 1);
        cr_assert_eq(mlog_distinct_count(&d), limit);
        cr_assert_eq(mlog_distinct_error(&d), 0);
        cr_assert_leq(mlog_distinct_memory(&d), 1u << p);
        add_range(&d, limit, limit + 1, 1);
        cr_assert_gt(mlog_distinct_error(&d), 0);
        cr_assert_eq(mlog_distinct_memory(&d), 1u << p);
        mlog_distinct_clear(&d);
        cr_assert_eq(mlog_distinct_count(&d), 0);
        mlog_distinct_destroy(&d);
    }
}

/* Errors relative to the stated one, over many seeds: their root mean square
 * is about 1, and their mean about 0. */
static void
check_distinct_errors(unsigned int precision, uint64_t n)
{
    enum { N_RUNS = 100 };
    double sum = 0, squares = 0;

    for (uint64_t run = 0; run < N_RUNS; run++) {
        struct mlog_sketch_seed seed = { { run, n } };
        struct mlog_distinct d;

        mlog_distinct_init(&d, precision, &seed);
        add_range(&d, 0, n, 1);
        double error = ((double) mlog_distinct_count(&d) - n) / n;
        error /= mlog_distinct_error(&d);
        cr_assert_lt(fabs(error), 5, "%"PRIu64" of %"PRIu64,
                     mlog_distinct_count(&d), n);
        sum += error;
        squares += error * error;
        mlog_distinct_destroy(&d);
    }

    double rms = sqrt(squares / N_RUNS);
    cr_assert_lt(rms, 1.3, "%g for %"PRIu64" at %u", rms, n, precision);
    cr_assert_lt(fabs(sum / N_RUNS), 0.4, "bias %g for %"PRIu64" at %u",
                 sum / N_RUNS, n, precision);
}

Test(sketch, distinct_keeps_its_standard_error)
{
    check_distinct_errors(8, 100);
    check_distinct_errors(8, 700);
    check_distinct_errors(10, 1000);
    check_distinct_errors(10, 3000);
    check_distinct_errors(12, 10000);
    check_distinct_errors(12, 30000);
}

/* Values that a bad hash would put into few registers. */
Test(sketch, distinct_does_not_depend_on_what_values_are)
{
    static const uint64_t steps[] = {
        1, 64, 1 << 16, UINT64_C(1) << 40, UINT64_C(0x0101010101),
    };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct mlog_distinct d;

        mlog_distinct_init(&d, 14, &fixed_seed);
        add_range(&d, 0, 200000, steps[i]);
        double error = fabs(mlog_distinct_count(&d) / 200000. - 1);
        cr_assert_lt(error, 4 * mlog_distinct_error(&d));
        mlog_distinct_destroy(&d);
    }
}

static void
assert_same_distinct(const struct mlog_distinct *a,
                     const struct mlog_distinct *b)
{
    struct ofpbuf x, y;

    ofpbuf_init(&x, 0);
    ofpbuf_init(&y, 0);
    mlog_distinct_serialise(a, &x);
    mlog_distinct_serialise(b, &y);
    cr_assert_eq(x.size, y.size);
    cr_assert(!memcmp(x.data, y.data, x.size));
    ofpbuf_uninit(&x);
    ofpbuf_uninit(&y);
}

static void
check_distinct_merge(uint64_t n_a, uint64_t overlap, uint64_t n_b)
{
    struct mlog_distinct a, b, all;

    mlog_distinct_init(&a, 10, &fixed_seed);
    mlog_distinct_init(&b, 10, &fixed_seed);
    mlog_distinct_init(&all, 10, &fixed_seed);
    add_range(&a, 0, n_a, 7);
    add_range(&b, n_a - overlap, n_a - overlap + n_b, 7);
    add_range(&all, n_a, n_a - overlap + n_b, 7);
    add_range(&all, 0, n_a, 7);
    cr_assert(mlog_distinct_merge(&a, &b));
    assert_same_distinct(&a, &all);
    cr_assert_eq(mlog_distinct_count(&a), mlog_distinct_count(&all));
    mlog_distinct_destroy(&a);
    mlog_distinct_destroy(&b);
    mlog_distinct_destroy(&all);
}

Test(sketch, distinct_merge_is_union)
{
    check_distinct_merge(0, 0, 0);
    check_distinct_merge(5, 5, 10);
    check_distinct_merge(90, 10, 10);
    check_distinct_merge(90, 10, 90);
    check_distinct_merge(10, 5, 5000);
    check_distinct_merge(5000, 5, 10);
    check_distinct_merge(5000, 2000, 4000);
}

Test(sketch, distinct_merge_refuses_other_seeds_and_precisions)
{
    struct mlog_sketch_seed other = { { 3, 4 } };
    struct mlog_distinct a, b, c;

    mlog_distinct_init(&a, 10, &fixed_seed);
    mlog_distinct_init(&b, 10, &other);
    mlog_distinct_init(&c, 11, &fixed_seed);
    cr_assert(!mlog_distinct_merge(&a, &b));
    cr_assert(!mlog_distinct_merge(&a, &c));
}

Test(sketch, distinct_survives_serialisation)
{
    static const uint64_t numbers[] = { 0, 1, 96, 97, 100000 };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct mlog_distinct a, b;
        struct ofpbuf bytes;
        char *error;

        ofpbuf_init(&bytes, 0);
        mlog_distinct_init(&a, 10, &fixed_seed);
        add_range(&a, 0, numbers[i], 1);
        mlog_distinct_serialise(&a, &bytes);
        cr_assert(mlog_distinct_deserialise(&b, bytes.data, bytes.size,
                                            &fixed_seed, &error));
        assert_same_distinct(&a, &b);
        add_range(&a, 50, 200, 1);
        add_range(&b, 50, 200, 1);
        assert_same_distinct(&a, &b);

        struct mlog_sketch_seed other = { { 3, 4 } };
        mlog_distinct_destroy(&b);
        cr_assert(!mlog_distinct_deserialise(&b, bytes.data, bytes.size,
                                             &other, &error));
        cr_assert_str_eq(error, "sketch was made with another seed");
        free(error);
        for (size_t size = 0; size < bytes.size; size++) {
            cr_assert(!mlog_distinct_deserialise(&b, bytes.data, size,
                                                 &fixed_seed, &error));
            cr_assert_eq(mlog_distinct_count(&b), 0);
            free(error);
        }
        mlog_distinct_destroy(&a);
        ofpbuf_uninit(&bytes);
    }
}

/* Registers that no values give. */
Test(sketch, distinct_takes_any_registers)
{
    struct mlog_distinct a, b;
    struct ofpbuf bytes;
    char *error;

    ofpbuf_init(&bytes, 0);
    mlog_distinct_init(&a, 8, &fixed_seed);
    add_range(&a, 0, 1000, 1);
    mlog_distinct_serialise(&a, &bytes);
    memset((uint8_t *) bytes.data + 16, 57, 256);
    cr_assert(mlog_distinct_deserialise(&b, bytes.data, bytes.size,
                                        &fixed_seed, &error));
    cr_assert_eq(mlog_distinct_count(&b), UINT64_MAX);
    mlog_distinct_destroy(&b);
    memset((uint8_t *) bytes.data + 16, 0, 256);
    cr_assert(mlog_distinct_deserialise(&b, bytes.data, bytes.size,
                                        &fixed_seed, &error));
    cr_assert_eq(mlog_distinct_count(&b), 0);
    mlog_distinct_destroy(&b);
    ((uint8_t *) bytes.data)[20] = 58;
    cr_assert(!mlog_distinct_deserialise(&b, bytes.data, bytes.size,
                                         &fixed_seed, &error));
    cr_assert_str_eq(error, "register 4 is too large");
    free(error);
    mlog_distinct_destroy(&a);
    ofpbuf_uninit(&bytes);
}

/* Percentiles. */

Test(sketch, buckets_are_in_order_and_narrow)
{
    unsigned int last = 0;

    for (int bit = 0; bit < 64; bit++) {
        for (int i = 0; i < 1000; i++) {
            uint64_t v = UINT64_C(1) << bit
                         | (random_uint64() & ((UINT64_C(1) << bit) - 1));
            unsigned int bucket = mlog_quantile_bucket(v);
            uint64_t middle = mlog_quantile_bucket_value(bucket);
            uint64_t off = MAX(v, middle) - MIN(v, middle);

            cr_assert_lt(bucket, MLOG_QUANTILE_BUCKETS);
            cr_assert_geq(bucket, last);
            cr_assert_eq(mlog_quantile_bucket(middle), bucket);
            cr_assert(v < 128 ? !off : off <= v / 128);
        }
        last = mlog_quantile_bucket((UINT64_C(2) << bit) - 1);
    }
    cr_assert_eq(mlog_quantile_bucket(UINT64_MAX), MLOG_QUANTILE_BUCKETS - 1);
    for (unsigned int i = 0; i < MLOG_QUANTILE_BUCKETS; i++) {
        cr_assert_eq(mlog_quantile_bucket(mlog_quantile_bucket_value(i)), i);
    }
}

static int
compare_u64(const void *a_, const void *b_)
{
    uint64_t a = *(const uint64_t *) a_, b = *(const uint64_t *) b_;

    return a < b ? -1 : a > b;
}

static const uint32_t parts[] = {
    0, 1, 1000, 100000, 250000, 500000, 900000, 990000, 999000, 999999,
    1000000,
};

/* Sorts 'values'. */
static void
check_quantiles(uint64_t values[], size_t n)
{
    struct mlog_quantile q;
    uint64_t v;

    mlog_quantile_init(&q);
    cr_assert(!mlog_quantile_get(&q, 500000, &v));
    for (size_t i = 0; i < n; i++) {
        mlog_quantile_add(&q, values[i], 1);
    }
    qsort(values, n, sizeof *values, compare_u64);
    cr_assert_eq(mlog_quantile_is_exact(&q), n <= MLOG_QUANTILE_FEW);
    cr_assert_leq(mlog_quantile_memory(&q), 30 << 10);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        size_t rank = ceil((double) n * parts[i] / 1e6);
        uint64_t right = values[MAX(rank, 1) - 1];

        cr_assert(mlog_quantile_get(&q, parts[i], &v));
        uint64_t off = MAX(v, right) - MIN(v, right);
        if (n <= MLOG_QUANTILE_FEW || right < 128 || rank <= 1 || rank == n) {
            cr_assert_eq(v, right);
        }
        cr_assert_leq(off, right / 128, "%"PRIu64" instead of %"PRIu64, v,
                      right);
    }
    mlog_quantile_destroy(&q);
}

Test(sketch, quantiles_are_within_their_error)
{
    static uint64_t values[20000];

    for (int kind = 0; kind < 6; kind++) {
        for (size_t n = 1; n <= ARRAY_SIZE(values); n = n * 3 + 1) {
            for (size_t i = 0; i < n; i++) {
                uint64_t r = random_uint64();

                values[i] = (kind == 0 ? r % 1500
                             : kind == 1 ? r
                             : kind == 2 ? r >> (r & 63)
                             : kind == 3 ? (r & 1 ? 0 : UINT64_MAX)
                             : kind == 4 ? i * 37
                             : 10000 - 10000 / (r % 1000 + 1));
            }
            check_quantiles(values, n);
        }
    }
}

static void
assert_same_quantile(const struct mlog_quantile *a,
                     const struct mlog_quantile *b)
{
    struct ofpbuf x, y;

    ofpbuf_init(&x, 0);
    ofpbuf_init(&y, 0);
    mlog_quantile_serialise(a, &x);
    mlog_quantile_serialise(b, &y);
    cr_assert_eq(x.size, y.size);
    cr_assert(!memcmp(x.data, y.data, x.size));
    cr_assert_eq(a->n, b->n);
    ofpbuf_uninit(&x);
    ofpbuf_uninit(&y);
}

Test(sketch, quantile_merge_is_union)
{
    for (int run = 0; run < 300; run++) {
        struct mlog_quantile a, b, all;

        mlog_quantile_init(&a);
        mlog_quantile_init(&b);
        mlog_quantile_init(&all);
        for (uint32_t i = random_range(run + 1); i > 0; i--) {
            uint64_t v = random_uint64() >> random_range(64);
            uint64_t n = 1 + random_range(3);
            struct mlog_quantile *q = random_range(2) ? &a : &b;

            mlog_quantile_add(q, v, n);
            mlog_quantile_add(&all, v, n);
        }
        mlog_quantile_merge(&a, &b);
        assert_same_quantile(&a, &all);
        mlog_quantile_destroy(&a);
        mlog_quantile_destroy(&b);
        mlog_quantile_destroy(&all);
    }
}

Test(sketch, quantile_counts_without_overflow)
{
    struct mlog_quantile q;
    uint64_t v;

    mlog_quantile_init(&q);
    mlog_quantile_add(&q, 5, UINT64_MAX - 1);
    mlog_quantile_add(&q, 7000, UINT64_MAX - 1);
    mlog_quantile_add(&q, 9, 0);
    cr_assert(mlog_quantile_get(&q, 500000, &v));
    cr_assert_eq(v, 5);
    cr_assert(mlog_quantile_get(&q, 1000000, &v));
    cr_assert_eq(v, 7000);
    mlog_quantile_destroy(&q);
}

Test(sketch, quantile_survives_serialisation)
{
    static const uint32_t numbers[] = { 0, 1, 64, 65, 5000 };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct mlog_quantile a, b;
        struct ofpbuf bytes;
        char *error;

        ofpbuf_init(&bytes, 0);
        mlog_quantile_init(&a);
        for (uint32_t j = 0; j < numbers[i]; j++) {
            mlog_quantile_add(&a, random_range(100000), 1);
        }
        mlog_quantile_serialise(&a, &bytes);
        cr_assert(mlog_quantile_deserialise(&b, bytes.data, bytes.size,
                                            &error));
        assert_same_quantile(&a, &b);
        mlog_quantile_add(&a, 1 << 30, 100);
        mlog_quantile_add(&b, 1 << 30, 100);
        assert_same_quantile(&a, &b);
        mlog_quantile_destroy(&b);
        for (size_t size = 0; size < bytes.size; size++) {
            cr_assert(!mlog_quantile_deserialise(&b, bytes.data, size,
                                                 &error));
            cr_assert_eq(b.n, 0);
            free(error);
        }
        mlog_quantile_destroy(&a);
        ofpbuf_uninit(&bytes);
    }
}

/* The most frequent values. */

/* Checks the bounds against true numbers of the values below 'n'. */
static void
check_topk(const struct mlog_topk *t, const uint64_t truth[], size_t n)
{
    struct mlog_topk_item *items = xmalloc(t->n * sizeof *items + 1);
    bool *kept = xcalloc(n, sizeof *kept);
    size_t n_items = mlog_topk_get(t, SIZE_MAX, items);
    uint64_t bound = mlog_topk_bound(t), total = 0;

    cr_assert_eq(n_items, t->n);
    for (size_t i = 0; i < n; i++) {
        total += truth[i];
    }
    cr_assert_eq(t->total, total);
    cr_assert_leq(bound, total / t->capacity);
    for (size_t i = 0; i < n_items; i++) {
        uint64_t right = truth[items[i].value.lo];

        cr_assert_leq(right, items[i].count);
        cr_assert_leq(items[i].count - items[i].error, right);
        cr_assert_leq(items[i].error, bound);
        cr_assert(!i || items[i - 1].count >= items[i].count);
        cr_assert(!kept[items[i].value.lo]);
        kept[items[i].value.lo] = true;
    }
    for (size_t i = 0; i < n; i++) {
        cr_assert(kept[i] || truth[i] <= bound);
    }
    free(kept);
    free(items);
}

enum { N_VALUES = 2000 };

static uint64_t
draw(int kind, uint64_t i)
{
    uint64_t r = random_uint32();

    switch (kind) {
    case 0: return r % N_VALUES;                        /* All alike. */
    case 1: return N_VALUES / (1 + r % N_VALUES) - 1;   /* Skewed. */
    case 2: return i % N_VALUES;                        /* One by one. */
    case 3: return i < 10000 ? i % 7 : r % N_VALUES;    /* Then others. */
    default: return r % 30;                             /* Few. */
    }
}

static void
fill_topk(struct mlog_topk *t, uint64_t truth[], int kind, uint64_t n,
          uint64_t max_weight)
{
    for (uint64_t i = 0; i < n; i++) {
        struct mlog_value v = value_of(draw(kind, i));
        uint64_t weight = 1 + random_uint32() % max_weight;

        mlog_topk_add(t, &v, weight);
        truth[v.lo] += weight;
    }
}

Test(sketch, topk_keeps_its_bounds)
{
    static const uint32_t capacities[] = { 1, 2, 10, 64, 300, 5000 };

    for (int kind = 0; kind < 5; kind++) {
        for (size_t i = 0; i < ARRAY_SIZE(capacities); i++) {
            uint64_t truth[N_VALUES] = { 0 };
            struct mlog_topk t;

            mlog_topk_init(&t, capacities[i]);
            cr_assert_eq(mlog_topk_memory(&t), 0);
            fill_topk(&t, truth, kind, 20000, 1);
            check_topk(&t, truth, N_VALUES);
            fill_topk(&t, truth, kind, 5000, 1000);
            check_topk(&t, truth, N_VALUES);
            cr_assert_leq(mlog_topk_memory(&t),
                          100 * MIN(capacities[i], N_VALUES * 2) + 100);
            mlog_topk_destroy(&t);
        }
    }
}

Test(sketch, topk_is_exact_while_few)
{
    uint64_t truth[N_VALUES] = { 0 };
    struct mlog_topk_item items[3];
    struct mlog_topk t;

    mlog_topk_init(&t, 30);
    fill_topk(&t, truth, 4, 20000, 3);
    cr_assert_eq(mlog_topk_get(&t, 3, items), 3);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(items[i].error, 0);
        cr_assert_eq(items[i].count, truth[items[i].value.lo]);
    }
    mlog_topk_destroy(&t);
}

Test(sketch, topk_merge_keeps_the_bounds)
{
    static const uint32_t capacities[] = { 1, 5, 64, 3000 };

    for (int run = 0; run < 80; run++) {
        uint64_t truth[N_VALUES] = { 0 };
        uint32_t capacity = capacities[run / 5 % 4];
        struct mlog_topk all;

        mlog_topk_init(&all, capacity);
        for (int i = 0; i < 6; i++) {
            struct mlog_topk part;

            mlog_topk_init(&part, capacity);
            fill_topk(&part, truth, (run + i) % 5,
                      random_range(run < 40 ? 100 : 3000), 1 + 10 * (i == 3));
            mlog_topk_merge(&all, &part);
            check_topk(&all, truth, N_VALUES);
            mlog_topk_destroy(&part);
        }
        fill_topk(&all, truth, 0, 1000, 1);
        check_topk(&all, truth, N_VALUES);
        mlog_topk_destroy(&all);
    }
}

Test(sketch, topk_survives_serialisation)
{
    static const uint32_t numbers[] = { 0, 1, 5, 1000 };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        uint64_t truth[N_VALUES] = { 0 };
        struct mlog_topk a, b;
        struct ofpbuf x, y;
        char *error;

        ofpbuf_init(&x, 0);
        ofpbuf_init(&y, 0);
        mlog_topk_init(&a, 20);
        fill_topk(&a, truth, 1, numbers[i], 1);
        mlog_topk_serialise(&a, &x);
        cr_assert(mlog_topk_deserialise(&b, x.data, x.size, 20, &error));
        mlog_topk_serialise(&b, &y);
        cr_assert_eq(x.size, y.size);
        cr_assert(!memcmp(x.data, y.data, x.size));
        check_topk(&b, truth, N_VALUES);
        fill_topk(&b, truth, 0, 1000, 1);
        check_topk(&b, truth, N_VALUES);
        mlog_topk_destroy(&b);
        cr_assert(!mlog_topk_deserialise(&b, x.data, x.size, 19, &error));
        free(error);
        for (size_t size = 0; size < x.size; size++) {
            cr_assert(!mlog_topk_deserialise(&b, x.data, size, 20, &error));
            cr_assert_eq(b.n, 0);
            free(error);
        }
        mlog_topk_destroy(&a);
        ofpbuf_uninit(&x);
        ofpbuf_uninit(&y);
    }
}
