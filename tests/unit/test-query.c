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

#include "query-fixture.h"

static void
check_counts(int rounds)
{
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(exprs); i++) {
            struct mlog_range range = { .expr = parse(exprs[i].text) };
            struct mlog_query_totals totals;
            uint64_t count = 0, bytes = 0;

            choose_range(&range);
            cr_assert_eq(mlog_query_count(&snapshot, &range, &no_limit,
                                          &totals), 0);
            for (size_t j = 0; j < n_recs; j++) {
                if (rec_matches(&recs[j], &range, i)) {
                    count++;
                    bytes += mlog_row_pkt_len(&recs[j].row);
                }
            }
            cr_assert_eq(totals.count, count, "'%s': %"PRIu64" != %"PRIu64,
                         exprs[i].text, totals.count, count);
            cr_assert_eq(totals.bytes, bytes);
            cr_assert_eq(totals.gaps, 0);
            cr_assert_not(totals.expired);
            mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
        }
    }
}

Test(query, counts_of_few_flows)
{
    generate(MLOG_SEGMENT_ROWS * 2 + 12345, 200, 16);
    check_counts(6);
}

/* Mostly, ranges have fewer rows than their segments have flows. */
Test(query, counts_of_many_flows)
{
    generate(150000, 60000, 4000);
    check_counts(12);
}

static void
check_rows(size_t e, size_t limit, bool oldest)
{
    struct mlog_range range = { .expr = parse(exprs[e].text) };
    size_t *expect = xmalloc(n_recs * sizeof *expect);
    struct mlog_query_rows rows;
    size_t n = 0;

    choose_range(&range);
    for (size_t i = 0; i < n_recs; i++) {
        if (rec_matches(&recs[i], &range, e)) {
            expect[n++] = i;
        }
    }
    cr_assert_eq(mlog_query_rows(&snapshot, &range, &no_limit, limit, oldest,
                                 &rows), 0);
    cr_assert_eq(rows.totals.count, n);
    cr_assert_eq(rows.n, MIN(n, limit));
    for (size_t i = 0; i < rows.n; i++) {
        size_t index = expect[oldest ? i : n - rows.n + i];
        struct mlog_record record = mlog_query_record(&rows.rows[i]);

        cr_assert_eq(record.time, recs[index].time);
        cr_assert_arr_eq(record.key, &recs[index].key, sizeof *record.key);
        cr_assert_eq(record.row->tcp_seq, recs[index].row.tcp_seq);
    }
    mlog_query_rows_destroy(&rows);
    free(expect);
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
}

Test(query, rows_newest_and_oldest)
{
    static const size_t limits[] = { 1, 2, 100, 1000000 };

    generate(MLOG_SEGMENT_ROWS + 5000, 100, 16);
    for (size_t e = 0; e < ARRAY_SIZE(exprs); e++) {
        for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
            check_rows(e, limits[i], false);
            check_rows(e, limits[i], true);
        }
    }
}

Test(query, budget)
{
    struct mlog_group_spec spec = { .by_flow = true };
    struct mlog_query_totals totals;
    struct mlog_query_rows rows;
    struct mlog_groups *groups;
    atomic_bool cancel = ATOMIC_VAR_INIT(true);
    struct mlog_budget late = { .deadline = time_msec() - 1 };
    struct mlog_budget cancelled = {
        .deadline = LLONG_MAX, .cancel = &cancel
    };

    generate(5000, 10, 4);
    cr_expect_eq(mlog_query_count(&snapshot, &everything, &late, &totals),
                 ETIMEDOUT);
    cr_expect_eq(mlog_query_rows(&snapshot, &everything, &late, 10, false,
                                 &rows), ETIMEDOUT);
    cr_expect_null(rows.rows);
    cr_expect_eq(mlog_query_groups(&snapshot, &everything, &late, &spec,
                                   &groups), ETIMEDOUT);
    cr_expect_eq(mlog_query_count(&snapshot, &everything, &cancelled,
                                  &totals), ECANCELED);
    atomic_store_relaxed(&cancel, false);
    cr_expect_eq(mlog_query_count(&snapshot, &everything, &cancelled,
                                  &totals), 0);
    cr_expect_eq(totals.count, 5000);
}

static struct mlog_query_totals
count_range(uint64_t since, uint64_t until, const char *text)
{
    struct mlog_range range = { parse(text), since, until };
    struct mlog_query_totals totals;

    cr_assert_eq(mlog_query_count(&snapshot, &range, &no_limit, &totals), 0);
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
    return totals;
}

/* An answer tells of records that are missing within its range, and only of
 * those; the expression may narrow the range as well. */
Test(query, gaps_in_the_range)
{
    struct mlog_flow_key key = tcp_key(1, 1);

    begin_small();
    for (size_t i = 0; i < 100; i++) {
        add_rec(&key, T0 + i * 100000000);
    }
    mlog_header_log_add_gap(log_, &(struct mlog_gap) {
        .from = T0 + 1000000000, .to = T0 + 1100000000, .count = 7 });
    mlog_header_log_add_gap(log_, &(struct mlog_gap) {
        .from = T0 + 5000000000, .to = T0 + 5100000000, .count = 11 });
    mlog_header_log_publish(log_, T0 + 10000000000);
    mlog_snapshot_take(log_, &snapshot);

    cr_expect_eq(count_range(0, UINT64_MAX, "").gaps, 18);
    cr_expect_eq(count_range(T0 + 2000000000, UINT64_MAX, "").gaps, 11);
    cr_expect_eq(count_range(0, T0 + 2000000000, "").gaps, 7);
    cr_expect_eq(count_range(0, T0 + 999999999, "").gaps, 0);
    cr_expect_eq(count_range(0, UINT64_MAX, "time >= 1700000002").gaps, 11);
    cr_expect_eq(count_range(0, UINT64_MAX, "time >= 1700000002").count, 80);
    cr_expect_eq(count_range(0, UINT64_MAX,
                             "time > 1700000002 && time < 1700000001").count,
                 0);
}

Test(query, expired_rows)
{
    struct mlog_flow_key key = tcp_key(1, 1);
    struct rec rec = { .key = key };
    size_t n = 10 * MLOG_SEGMENT_ROWS;

    create(4 * MLOG_SEGMENT_ROWS * sizeof(struct mlog_row));
    for (size_t i = 0; i < n; i++) {
        rec.time = T0 + i;
        append(&rec);
    }
    mlog_header_log_publish(log_, rec.time);
    mlog_snapshot_take(log_, &snapshot);
    cr_assert_gt(snapshot.n_expired, 0);

    struct mlog_query_totals totals = count_range(0, UINT64_MAX, "");
    cr_expect(totals.expired);
    cr_expect_eq(totals.count + snapshot.n_expired, n);
    totals = count_range(snapshot.expired_until, UINT64_MAX, "");
    cr_expect(totals.expired);
    totals = count_range(snapshot.expired_until + 1, UINT64_MAX, "");
    cr_expect_not(totals.expired);
    cr_expect_eq(totals.count + snapshot.n_expired, n);
}

Test(query, nothing_there)
{
    struct mlog_group_spec spec = { .by_flow = true };
    struct mlog_query_rows rows;
    struct mlog_groups *groups;

    create(SIZE_MAX);
    mlog_snapshot_take(log_, &snapshot);
    cr_expect_eq(count_range(0, UINT64_MAX, "tcp").count, 0);
    cr_expect_eq(mlog_query_rows(&snapshot, &everything, &no_limit, 10, false,
                                 &rows), 0);
    cr_expect_eq(rows.n, 0);
    mlog_query_rows_destroy(&rows);
    groups = query_groups(&spec);
    cr_expect_eq(mlog_groups_count(groups), 0);
    free(mlog_groups_top(groups, MLOG_GROUPS_BY_BYTES, 0));
    mlog_groups_destroy(groups);
}
