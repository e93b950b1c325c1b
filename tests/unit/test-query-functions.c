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

#include <math.h>

#include "query-fixture.h"

/* Functions over history, with and without groups and buckets, compared with
 * loops over the records. */

#define BUCKET UINT64_C(7000000)

static const uint32_t percentiles[] = { 0, 10000, 500000, 990000, 999000,
                                        1000000 };

enum {
    A_RATE, A_RATE_LEN, A_STDDEV, A_DISTINCT_SRC, A_DISTINCT_LEN, A_TOP_SRC,
    A_TOP_LEN, A_PERCENTILE
};

static void
use_functions(struct mlog_group_spec *spec)
{
    const struct mlog_query_aggregate aggregates[] = {
        [A_RATE] = { MLOG_QF_RATE, NULL, 0 },
        [A_RATE_LEN] = { MLOG_QF_RATE, field("pkt_len"), 0 },
        [A_STDDEV] = { MLOG_QF_STDDEV, field("tcp_window"), 0 },
        [A_DISTINCT_SRC] = { MLOG_QF_DISTINCT, field("nw_src"), 0 },
        [A_DISTINCT_LEN] = { MLOG_QF_DISTINCT, field("pkt_len"), 0 },
        [A_TOP_SRC] = { MLOG_QF_TOPK, field("nw_src"), 5 },
        [A_TOP_LEN] = { MLOG_QF_TOPK, field("pkt_len"), 20 },
    };

    memcpy(spec->aggregates, aggregates, sizeof aggregates);
    spec->n_aggregates = ARRAY_SIZE(aggregates);
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
        spec->aggregates[spec->n_aggregates++]
            = (struct mlog_query_aggregate) {
                MLOG_QF_PERCENTILE, field("pkt_len"), percentiles[i]
            };
    }
}

/* The records of one group, gathered by hand. */
struct expected {
    uint64_t bucket;
    uint8_t proto;
    uint64_t count, bytes;
    uint32_t *lens;             /* 'count'. */
    uint64_t *srcs;
    size_t n_srcs;
    size_t n_windows;
    double sum, sum2;
};

static void
gather(const struct rec *rec, struct expected *e)
{
    uint32_t len = mlog_row_pkt_len(&rec->row);

    e->lens = xrealloc(e->lens, (e->count + 1) * sizeof *e->lens);
    e->lens[e->count++] = len;
    e->bytes += len;
    if (is_ip(rec)) {
        e->srcs = xrealloc(e->srcs, (e->n_srcs + 1) * sizeof *e->srcs);
        e->srcs[e->n_srcs++] = ntohl(rec->key.src[3]);
    }
    if (rec->key.has & MLOG_HAS_TCP) {
        e->n_windows++;
        e->sum += rec->row.tcp_window;
        e->sum2 += (double) rec->row.tcp_window * rec->row.tcp_window;
    }
}

static int
compare_u32(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;
    return *a < *b ? -1 : *a > *b;
}

static int
compare_u64(const void *a_, const void *b_)
{
    const uint64_t *a = a_, *b = b_;
    return *a < *b ? -1 : *a > *b;
}

struct item {
    uint64_t value, count;
};

static int
compare_items(const void *a_, const void *b_)
{
    const struct item *a = a_, *b = b_;
    return (a->count != b->count ? (a->count > b->count ? -1 : 1)
            : a->value < b->value ? -1 : a->value > b->value);
}

/* The values of sorted 'values', most frequent ones first. */
static size_t
rank_values(const uint64_t *values, size_t n, struct item **itemsp)
{
    struct item *items = xcalloc(n + 1, sizeof *items);
    size_t n_items = 0;

    for (size_t i = 0; i < n; i++) {
        if (!i || values[i] != values[i - 1]) {
            items[n_items++].value = values[i];
        }
        items[n_items - 1].count++;
    }
    qsort(items, n_items, sizeof *items, compare_items);
    *itemsp = items;
    return n_items;
}

static void
check_top(const struct mlog_groups *groups, uint32_t id, size_t distinct,
          size_t top, size_t k, const uint64_t *values, size_t n)
{
    struct mlog_query_item found[100];
    struct mlog_value value;
    struct item *items;
    size_t n_items = rank_values(values, n, &items);
    uint64_t dummy;

    cr_assert(mlog_groups_aggregate(groups, id, distinct, &value, &dummy));
    cr_assert_eq(value.lo, n_items);
    cr_assert_eq(mlog_groups_top_values(groups, id, top, found),
                 MIN(k, n_items));
    for (size_t i = 0; i < MIN(k, n_items); i++) {
        cr_assert_eq(found[i].value.lo, items[i].value);
        cr_assert_eq(found[i].count, items[i].count);
        cr_assert_eq(found[i].error, 0);
    }
    cr_assert_eq(mlog_groups_error(groups, id, distinct), 0);
    cr_assert_eq(mlog_groups_error(groups, id, top), 0);
    free(items);
}

static void
check_percentiles(const struct mlog_groups *groups, uint32_t id,
                  const struct expected *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
        struct mlog_value value;
        uint64_t rank, n;
        bool has = mlog_groups_aggregate(groups, id, A_PERCENTILE + i, &value,
                                         &n);

        cr_assert_eq(has, e->count > 0);
        if (has) {
            rank = ceil((double) e->count * percentiles[i] / 1e6 - 1e-9);
            cr_assert_eq(value.lo, e->lens[MAX(rank, 1) - 1]);
        }
    }
}

static void
check_reals(const struct mlog_groups *groups, uint32_t id,
            const struct expected *e, double seconds)
{
    double real;

    cr_assert_eq(mlog_groups_real(groups, id, A_RATE, &real), seconds > 0);
    if (seconds) {
        cr_assert_float_eq(real, e->count / seconds, 1e-6 * (1 + real));
        cr_assert(mlog_groups_real(groups, id, A_RATE_LEN, &real));
        cr_assert_float_eq(real, e->bytes / seconds, 1e-6 * (1 + real));
    }
    if (mlog_groups_real(groups, id, A_STDDEV, &real)) {
        double mean = e->sum / e->n_windows;
        double variance = e->sum2 / e->n_windows - mean * mean;

        cr_assert_float_eq(real, sqrt(MAX(variance, 0)), 1e-3);
    } else {
        cr_assert_eq(e->n_windows, 0);
    }
}

static void
check_group(const struct mlog_groups *groups, uint32_t id, struct expected *e,
            double seconds)
{
    const struct mlog_query_group *group = mlog_groups_get(groups, id);
    uint64_t *lens = xcalloc(e->count + 1, sizeof *lens);

    if (e->count) {
        qsort(e->lens, e->count, sizeof *e->lens, compare_u32);
    }
    if (e->n_srcs) {
        qsort(e->srcs, e->n_srcs, sizeof *e->srcs, compare_u64);
    }
    for (size_t i = 0; i < e->count; i++) {
        lens[i] = e->lens[i];
    }
    cr_assert_eq(group->count, e->count);
    cr_assert_eq(group->bytes, e->bytes);
    check_reals(groups, id, e, seconds);
    check_percentiles(groups, id, e);
    check_top(groups, id, A_DISTINCT_SRC, A_TOP_SRC, 5, e->srcs, e->n_srcs);
    check_top(groups, id, A_DISTINCT_LEN, A_TOP_LEN, 20, lens, e->count);
    free(lens);
}

static struct expected *
find_expected(struct expected *all, size_t *n, uint64_t bucket, uint8_t proto)
{
    for (size_t i = *n; i-- > 0;) {
        if (all[i].bucket == bucket && all[i].proto == proto) {
            return &all[i];
        }
    }
    all[*n] = (struct expected) { .bucket = bucket, .proto = proto };
    return &all[(*n)++];
}

static uint8_t
proto_of(const struct rec *rec)
{
    return rec->key.dl_type == 0x806 ? 0 : rec->key.nw_proto;
}

/* Checks all groups of expression 'e' within 'range'. */
static void
check(size_t e, const struct mlog_range *range_, uint64_t bucket,
      bool by_proto)
{
    struct mlog_range range = *range_;
    struct mlog_group_spec spec = { .bucket = bucket };
    struct expected *all = xcalloc(20000, sizeof *all);
    struct mlog_groups *groups;
    size_t n = 0;

    range.expr = parse(exprs[e].text);
    if (by_proto) {
        spec.fields[spec.n_fields++] = field("nw_proto");
    }
    use_functions(&spec);
    for (size_t i = 0; i < n_recs; i++) {
        if (rec_matches(&recs[i], &range, e)) {
            gather(&recs[i],
                   find_expected(all, &n, bucket ? recs[i].time / bucket : 0,
                                 by_proto ? proto_of(&recs[i]) : 0));
        }
    }
    cr_assert_eq(mlog_query_groups(&snapshot, &range, &no_limit, &spec,
                                   &groups), 0);

    double seconds = mlog_groups_seconds(groups);
    for (uint32_t id = 0; id < mlog_groups_count(groups); id++) {
        struct mlog_value value = { 0, 0 };
        struct expected *x;
        size_t n_before = n;

        if (by_proto) {
            mlog_groups_field(groups, id, 0, &value);
        }
        x = find_expected(all, &n,
                          bucket ? mlog_groups_bucket(groups, id) / bucket : 0,
                          value.lo);
        cr_assert(n == n_before || !by_proto, "a group was invented");
        check_group(groups, id, x, seconds);
    }
    cr_assert_eq(n, mlog_groups_count(groups));
    for (size_t i = 0; i < n; i++) {
        free(all[i].lens);
        free(all[i].srcs);
    }
    free(all);
    mlog_groups_destroy(groups);
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
}

Test(query_functions, equal_a_loop_over_the_records)
{
    generate(40000, 200, 12);
    for (size_t e = 0; e < ARRAY_SIZE(exprs); e++) {
        struct mlog_range range;

        choose_range(&range);
        check(e, &range, 0, false);
        check(e, &range, 0, true);
        check(e, &range, BUCKET, false);
        check(e, &range, BUCKET, true);
    }
}

/* The rate is over the range that was asked for, as far as the cut. */
/* Squares of 32-bit values, and sums of those, exceed 64 bits. */
Test(query_functions, stddev_of_large_values)
{
    struct mlog_group_spec spec = {
        .aggregates = { { MLOG_QF_STDDEV, field("tcp_seq"), 0 } },
        .n_aggregates = 1,
    };
    struct mlog_range range = { NULL, 0, UINT64_MAX };
    struct mlog_groups *groups;
    long double mean = 0, variance = 0;
    size_t n = 0;
    double real;

    generate(40000, 200, 12);
    for (size_t i = 0; i < n_recs; i++) {
        if (recs[i].key.has & MLOG_HAS_TCP) {
            mean += recs[i].row.tcp_seq;
            n++;
        }
    }
    mean /= n;
    for (size_t i = 0; i < n_recs; i++) {
        if (recs[i].key.has & MLOG_HAS_TCP) {
            long double difference = recs[i].row.tcp_seq - mean;

            variance += difference * difference / n;
        }
    }
    cr_assert_eq(mlog_query_groups(&snapshot, &range, &no_limit, &spec,
                                   &groups), 0);
    cr_assert(mlog_groups_real(groups, 0, 0, &real));
    cr_expect_float_eq(real, sqrt(variance), real * 1e-12);
    mlog_groups_destroy(groups);
}

Test(query_functions, rate_refers_to_the_range)
{
    struct mlog_group_spec spec = { .n_fields = 0 };
    struct mlog_flow_key key = tcp_key(1, 1);
    struct mlog_groups *groups;
    double real;

    begin_small();
    for (size_t i = 0; i < 100; i++) {
        add_rec(&key, T0 + i * 10000000);
    }
    mlog_header_log_publish(log_, T0 + 2000000000);
    mlog_snapshot_take(log_, &snapshot);
    use_functions(&spec);

    static const struct {
        uint64_t since, until;
        double rate;
    } cases[] = {
        { T0, T0 + 1000000000, 100 },
        { T0, UINT64_MAX, 50 },
        { 0, UINT64_MAX, 50 },
        { 0, T0 + 500000000, 102 },
        { T0 - 2000000000, UINT64_MAX, 25 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mlog_range range = { NULL, cases[i].since, cases[i].until };

        cr_assert_eq(mlog_query_groups(&snapshot, &range, &no_limit, &spec,
                                       &groups), 0);
        cr_assert(mlog_groups_real(groups, 0, A_RATE, &real));
        cr_expect_float_eq(real, cases[i].rate, 1e-9, "case %"PRIuSIZE, i);
        mlog_groups_destroy(groups);
    }

    /* No records, no time. */
    struct mlog_range none = { parse("udp"), 0, UINT64_MAX };
    cr_assert_eq(mlog_query_groups(&snapshot, &none, &no_limit, &spec,
                                   &groups), 0);
    cr_expect_not(mlog_groups_real(groups, 0, A_RATE, &real));
    mlog_groups_destroy(groups);
}

static size_t
count_buckets(uint64_t since, uint64_t until, const char *text,
              uint64_t width, uint64_t *first)
{
    struct mlog_group_spec spec = { .bucket = width };
    struct mlog_range range = { parse(text), since, until };
    struct mlog_groups *groups;
    uint32_t *ids;
    size_t n;

    cr_assert_eq(mlog_query_groups(&snapshot, &range, &no_limit, &spec,
                                   &groups), 0);
    ids = mlog_groups_order(groups, NULL, 0, NULL, 0, &n);
    cr_assert_eq(n, mlog_groups_count(groups));
    for (size_t i = 0; i < n; i++) {
        uint64_t start = mlog_groups_bucket(groups, ids[i]);

        cr_assert_eq(start % width, 0);
        *first = i ? *first : start;
        cr_assert_eq(start, *first + i * width, "a bucket is missing");
    }
    free(ids);
    mlog_groups_destroy(groups);
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
    return n;
}

/* Buckets are aligned to the epoch, without gaps within the range. */
Test(query_functions, empty_buckets_are_there)
{
    struct mlog_flow_key key = tcp_key(1, 1);
    uint64_t first;

    begin_small();
    add_rec(&key, T0 + 15000000);
    add_rec(&key, T0 + 15000001);
    add_rec(&key, T0 + 95000000);
    mlog_header_log_publish(log_, T0 + 200000000);
    mlog_snapshot_take(log_, &snapshot);

    cr_expect_eq(count_buckets(0, UINT64_MAX, "", 10000000, &first), 9);
    cr_expect_eq(first, T0 + 10000000);
    cr_expect_eq(count_buckets(T0, UINT64_MAX, "", 10000000, &first), 21);
    cr_expect_eq(first, T0);
    cr_expect_eq(count_buckets(T0 + 1, T0 + 49999999, "", 10000000, &first),
                 5);
    cr_expect_eq(count_buckets(T0, T0 + 49999999, "udp", 10000000, &first),
                 5);
    cr_expect_eq(count_buckets(0, T0 + 99999999, "", 10000000, &first), 9);
    cr_expect_eq(count_buckets(0, UINT64_MAX, "udp", 10000000, &first), 0);
    cr_expect_eq(count_buckets(0, UINT64_MAX, "time < 1700000000.05",
                               10000000, &first), 4);
}

Test(query_functions, too_many_buckets)
{
    struct mlog_group_spec spec = { .bucket = 1000 };
    struct mlog_flow_key key = tcp_key(1, 1);
    struct mlog_groups *groups;
    struct mlog_range range = { NULL, T0, T0 + 1000 * 99999 };
    struct mlog_budget late = { .deadline = time_msec() - 1 };

    begin_small();
    add_rec(&key, T0);
    add_rec(&key, T0 + 1000 * 100000);
    mlog_header_log_publish(log_, T0 + 1000 * 100000);
    mlog_snapshot_take(log_, &snapshot);
    cr_expect_eq(mlog_query_groups(&snapshot, &range, &no_limit, &spec,
                                   &groups), 0);
    cr_expect_eq(mlog_groups_count(groups), MLOG_QUERY_MAX_BUCKETS);
    mlog_groups_destroy(groups);

    /* That is known before anything is read, or found out. */
    range.until += 1000;
    cr_expect_eq(mlog_query_groups(&snapshot, &range, &late, &spec, &groups),
                 EDOM);
    cr_expect_null(groups);
    cr_expect_eq(mlog_query_groups(&snapshot, &everything, &no_limit, &spec,
                                   &groups), EDOM);
    cr_expect_null(groups);

    /* A bucket may be as long as anybody likes. */
    spec.bucket = UINT64_MAX;
    cr_expect_eq(mlog_query_groups(&snapshot, &everything, &no_limit, &spec,
                                   &groups), 0);
    cr_expect_eq(mlog_groups_count(groups), 1);
    cr_expect_eq(mlog_groups_bucket(groups, 0), 0);
    mlog_groups_destroy(groups);
}

/* Beyond so many values, answers are estimates that keep to their bounds. */
Test(query_functions, estimates_keep_to_their_bounds)
{
    struct mlog_group_spec spec = { .max_exact = 100 };
    struct mlog_groups *groups;
    struct mlog_query_item items[20];
    struct mlog_value value;
    uint64_t *lens, n, rank;
    size_t n_distinct = 0;
    double error;

    generate(60000, 5000, 300);
    lens = xcalloc(n_recs, sizeof *lens);
    for (size_t i = 0; i < n_recs; i++) {
        lens[i] = mlog_row_pkt_len(&recs[i].row);
    }
    qsort(lens, n_recs, sizeof *lens, compare_u64);
    for (size_t i = 0; i < n_recs; i++) {
        n_distinct += !i || lens[i] != lens[i - 1];
    }
    use_functions(&spec);
    cr_assert_eq(mlog_query_groups(&snapshot, &everything, &no_limit, &spec,
                                   &groups), 0);

    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
        cr_assert(mlog_groups_aggregate(groups, 0, A_PERCENTILE + i, &value,
                                        &n));
        error = mlog_groups_error(groups, 0, A_PERCENTILE + i);
        cr_assert_gt(error, 0);
        cr_assert_lt(error, 0.01);
        rank = ceil((double) n_recs * percentiles[i] / 1e6 - 1e-9);
        rank = MAX(rank, 1);
        cr_assert_float_eq((double) value.lo, lens[rank - 1],
                           lens[rank - 1] * error,
                           "%"PRIu32": %"PRIu64" != %"PRIu64, percentiles[i],
                           value.lo, lens[rank - 1]);
    }

    cr_assert(mlog_groups_aggregate(groups, 0, A_DISTINCT_LEN, &value, &n));
    error = mlog_groups_error(groups, 0, A_DISTINCT_LEN);
    cr_assert_float_eq((double) value.lo, n_distinct, n_distinct * 5 * 0.0082);
    cr_assert_leq(error, 0.0082);

    cr_assert_eq(mlog_groups_top_values(groups, 0, A_TOP_LEN, items), 20);
    for (size_t i = 0; i < 20; i++) {
        uint64_t count = 0;

        for (size_t j = 0; j < n_recs; j++) {
            count += lens[j] == items[i].value.lo;
        }
        cr_assert_leq(count, items[i].count);
        cr_assert_geq(count, items[i].count - items[i].error);
    }
    mlog_groups_destroy(groups);
    free(lens);
}

/* Groups that meet conditions, in an order of several keys. */
Test(query_functions, having_and_order)
{
    struct mlog_group_spec spec = {
        .fields = { field("nw_proto"), field("nw_src") }, .n_fields = 2,
        .bucket = 20000000,
    };
    const struct mlog_having having[] = {
        { MLOG_GROUPS_BY_COUNT, MLOG_QO_GT, 2 }, { 2, MLOG_QO_LE, 20000 },
    };
    const struct mlog_groups_key keys[] = {
        { MLOG_GROUPS_BY_FIELD(0), false }, { MLOG_GROUPS_BY_COUNT, true },
        { MLOG_GROUPS_BY_BYTES, false },
    };
    struct mlog_groups *groups;
    uint32_t *ids;
    size_t n, n_expected = 0;
    uint64_t dummy;

    generate(30000, 100, 12);
    spec.aggregates[2] = (struct mlog_query_aggregate) {
        MLOG_QF_SUM, field("tcp_window"), 0
    };
    spec.aggregates[0].func = spec.aggregates[1].func = MLOG_QF_COUNT;
    spec.n_aggregates = 3;
    cr_assert_eq(mlog_query_groups(&snapshot, &everything, &no_limit, &spec,
                                   &groups), 0);
    ids = mlog_groups_order(groups, keys, 3, having, 2, &n);
    for (uint32_t id = 0; id < mlog_groups_count(groups); id++) {
        struct mlog_value window;

        mlog_groups_aggregate(groups, id, 2, &window, &dummy);
        n_expected += (mlog_groups_get(groups, id)->count > 2
                       && window.lo <= 20000);
    }
    cr_assert_eq(n, n_expected);
    cr_assert_gt(n, 10);
    cr_assert_lt(n, mlog_groups_count(groups));
    for (size_t i = 1; i < n; i++) {
        const struct mlog_query_group *a = mlog_groups_get(groups, ids[i - 1]);
        const struct mlog_query_group *b = mlog_groups_get(groups, ids[i]);
        struct mlog_value pa, pb;
        bool has_a = mlog_groups_field(groups, ids[i - 1], 0, &pa);
        bool has_b = mlog_groups_field(groups, ids[i], 0, &pb);

        cr_assert(has_a || !has_b, "absent values come last");
        if (has_a && has_b && pa.lo == pb.lo) {
            cr_assert(a->count < b->count
                      || (a->count == b->count && a->bytes >= b->bytes));
        } else if (has_b) {
            cr_assert_gt(pa.lo, pb.lo);
        }
    }
    free(ids);
    mlog_groups_destroy(groups);
}
