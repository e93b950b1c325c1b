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

#include "mlog-cursor.h"
#include "query-fixture.h"

/* Pages and orders of rows, compared with the one big answer. */

/* The rows that match, all of them, oldest first. */
static struct mlog_query_rows
all_rows(const struct mlog_range *range)
{
    struct mlog_query_rows rows;

    cr_assert_eq(mlog_query_rows(&snapshot, range, &no_limit, n_recs + 1,
                                 true, &rows), 0);
    cr_assert_not(rows.more);
    return rows;
}

static void
expect_row(const struct mlog_query_row *a, const struct mlog_query_row *b)
{
    cr_assert_eq(a->time, b->time);
    cr_assert_eq(a->place.row, b->place.row);
    cr_assert_eq(mlog_place_compare(&a->place, &b->place), 0);
    cr_assert_arr_eq(&a->key, &b->key, sizeof a->key);
    cr_assert_eq(a->row.tcp_seq, b->row.tcp_seq);
}

/* Takes another snapshot, of a log that goes on and is sealed meanwhile. */
static void
go_on(void)
{
    struct mlog_flow_key key = tcp_key(rnd(50), rnd(50));
    uint64_t time = recs[n_recs - 1].time;
    static uint64_t later;

    mlog_snapshot_release(&snapshot);
    for (int i = rnd(300); i > 0; i--) {
        append(&(struct rec) { .key = key, .time = time + ++later });
    }
    if (!rnd(5)) {
        mlog_header_log_close_segment(log_);
    }
    mlog_header_log_publish(log_, time + later);
    if (!rnd(3)) {
        seal();
    }
    mlog_snapshot_take(log_, &snapshot);
}

static void
check_pages(size_t e, size_t limit, bool oldest)
{
    struct mlog_range range = { .expr = parse(exprs[e].text) };
    struct mlog_query_rows all, page;
    struct mlog_place place;
    size_t n = 0;
    bool more = true, any = false;

    choose_range(&range);
    range.until = MIN(range.until, recs[n_recs - 1].time);
    all = all_rows(&range);
    cr_assert_eq(mlog_query_rows(&snapshot, &range, &no_limit, limit, oldest,
                                 &page), 0);
    cr_assert_eq(page.n, MIN(limit, all.n));
    cr_assert_eq(page.more, limit < all.n);
    for (size_t i = 0; i < page.n; i++) {
        expect_row(&page.rows[i], &all.rows[oldest ? i : all.n - page.n + i]);
    }
    mlog_query_rows_destroy(&page);
    while (more) {
        struct mlog_place from = place;

        from.row++;
        cr_assert_eq(mlog_query_page(&snapshot, &range, &no_limit, limit,
                                     oldest, any ? &from : NULL,
                                     any ? &place : NULL, &page), 0);
        cr_assert_eq(page.n, MIN(limit, all.n - n));
        cr_assert_eq(page.totals.count, page.n);
        for (size_t i = 0; i < page.n; i++) {
            expect_row(&page.rows[i],
                       &all.rows[oldest ? n + i : all.n - n - page.n + i]);
        }
        n += page.n;
        more = page.more;
        cr_assert_eq(more, n < all.n);
        if (page.n) {
            place = page.rows[oldest ? page.n - 1 : 0].place;
            any = true;
        }
        mlog_query_rows_destroy(&page);
        go_on();
    }
    mlog_query_rows_destroy(&all);
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
}

/* Together, pages are the big answer, whatever is recorded and sealed between
 * them. */
Test(query_pages, are_the_whole_together)
{
    static const size_t limits[] = { 700, 5000, 100000 };

    generate(30000, 300, 16);
    for (size_t e = 0; e < ARRAY_SIZE(exprs); e++) {
        for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
            check_pages(e, limits[i], false);
            check_pages(e, limits[i], true);
        }
    }
}

/* Many records of one time, in several segments, make no difference. */
Test(query_pages, of_one_time)
{
    struct mlog_range range = everything;
    struct mlog_query_rows all, page;
    struct mlog_flow_key keys[3] = { tcp_key(1, 1), tcp_key(2, 2),
                                     tcp_key(3, 3) };

    begin_small();
    for (size_t i = 0; i < 900; i++) {
        add_rec(&keys[rnd(3)], T0);
        if (i % 250 == 249) {
            mlog_header_log_close_segment(log_);
        }
    }
    mlog_header_log_publish(log_, T0);
    seal();
    mlog_snapshot_take(log_, &snapshot);
    all = all_rows(&range);
    cr_assert_eq(all.n, 900);
    for (size_t i = 0; i < all.n; i += 7) {
        cr_assert_eq(mlog_query_page(&snapshot, &range, &no_limit, 7, true,
                                     &all.rows[i].place, NULL, &page), 0);
        cr_assert_eq(page.n, MIN(7, 900 - i));
        expect_row(&page.rows[0], &all.rows[i]);
        mlog_query_rows_destroy(&page);
        cr_assert_eq(mlog_query_page(&snapshot, &range, &no_limit, 7, false,
                                     NULL, &all.rows[i].place, &page), 0);
        cr_assert_eq(page.n, MIN(7, i));
        if (page.n) {
            expect_row(&page.rows[page.n - 1], &all.rows[i - 1]);
        }
        mlog_query_rows_destroy(&page);
    }
    mlog_query_rows_destroy(&all);
}

/* What expires between two pages is missing, and nothing else. */
Test(query_pages, after_expiry)
{
    struct mlog_range range = everything;
    struct mlog_query_rows all, page;
    struct mlog_flow_key key = tcp_key(1, 1);
    struct rec rec = { .key = key };
    size_t n = 3 * MLOG_SEGMENT_ROWS + 1000, gone;

    create(6 * MLOG_SEGMENT_ROWS * sizeof(struct mlog_row));
    for (size_t i = 0; i < n; i++) {
        rec.time = T0 + i;
        rec.row.tcp_seq = i;
        append(&rec);
    }
    n_recs = n;
    mlog_header_log_publish(log_, rec.time);
    mlog_snapshot_take(log_, &snapshot);
    range.until = rec.time;
    all = all_rows(&range);
    mlog_snapshot_release(&snapshot);
    for (size_t i = 0; i < 2 * MLOG_SEGMENT_ROWS; i++) {
        rec.time++;
        append(&rec);
    }
    mlog_header_log_publish(log_, rec.time);
    mlog_snapshot_take(log_, &snapshot);
    gone = snapshot.oldest_row - all.rows[0].place.row;
    cr_assert_gt(gone, 1000);
    cr_assert_lt(gone, all.n - 2000);

    cr_assert_eq(mlog_query_page(&snapshot, &range, &no_limit, n, true,
                                 &all.rows[1000].place, NULL, &page), 0);
    cr_assert_eq(page.n, all.n - gone);
    expect_row(&page.rows[0], &all.rows[gone]);
    cr_expect(page.totals.expired);
    mlog_query_rows_destroy(&page);
    cr_assert_eq(mlog_query_page(&snapshot, &range, &no_limit, n, false, NULL,
                                 &all.rows[all.n - 1000].place, &page), 0);
    cr_assert_eq(page.n, all.n - gone - 1000);
    expect_row(&page.rows[0], &all.rows[gone]);
    mlog_query_rows_destroy(&page);
    mlog_query_rows_destroy(&all);
}

/* A page costs what it takes to find its rows. */
Test(query_pages, look_at_few_rows)
{
    struct mlog_range range = everything;
    struct mlog_query_rows all, page;

    generate(100000, 50, 16);
    all = all_rows(&range);
    cr_assert_eq(mlog_query_page(&snapshot, &range, &no_limit, 10, true,
                                 &all.rows[50000].place, NULL, &page), 0);
    cr_expect_leq(page.totals.scan.n_rows, 20000);
    mlog_query_rows_destroy(&page);
    cr_assert_eq(mlog_query_page(&snapshot, &range, &no_limit, 10, false,
                                 NULL, &all.rows[99990].place, &page), 0);
    cr_expect_eq(page.n, 10);
    cr_expect_leq(page.totals.scan.n_segments, 2);
    mlog_query_rows_destroy(&page);
}

/* Rows in an order. */

static struct mlog_rows_key sort_keys[3];
static size_t n_sort_keys;

static int
compare_sorted(const void *a_, const void *b_)
{
    const struct mlog_query_row *a = *(struct mlog_query_row *const *) a_;
    const struct mlog_query_row *b = *(struct mlog_query_row *const *) b_;
    struct mlog_record ra = mlog_query_record(a), rb = mlog_query_record(b);

    for (size_t i = 0; i < n_sort_keys; i++) {
        struct mlog_value va, vb;
        bool has_a = mlog_field_get(sort_keys[i].field, &ra, &va);
        bool has_b = mlog_field_get(sort_keys[i].field, &rb, &vb);
        int cmp = 0;

        if (has_a != has_b) {
            return has_a ? -1 : 1;
        } else if (has_a) {
            /* Ports of the fixture have names and numbers in their order. */
            cmp = mlog_value_compare(&va, &vb);
        }
        if (cmp) {
            return sort_keys[i].descending ? -cmp : cmp;
        }
    }
    return a->place.row < b->place.row ? -1 : a->place.row > b->place.row;
}

static void
check_sorted(size_t e, size_t skip, size_t limit)
{
    struct mlog_range range = { .expr = parse(exprs[e].text) };
    struct mlog_query_rows all, rows;
    const struct mlog_query_row **sorted;

    choose_range(&range);
    all = all_rows(&range);
    sorted = xcalloc(all.n + 1, sizeof *sorted);
    for (size_t i = 0; i < all.n; i++) {
        sorted[i] = &all.rows[i];
    }
    qsort(sorted, all.n, sizeof *sorted, compare_sorted);
    cr_assert_eq(mlog_query_sorted(&snapshot, &range, &no_limit, sort_keys,
                                   n_sort_keys, skip, limit, &rows), 0);
    cr_assert_eq(rows.totals.count, all.n);
    cr_assert_eq(rows.totals.bytes, all.totals.bytes);
    cr_assert_eq(rows.n, all.n <= skip ? 0 : MIN(limit, all.n - skip));
    cr_assert_eq(rows.more, all.n > skip + limit);
    for (size_t i = 0; i < rows.n; i++) {
        expect_row(&rows.rows[i], sorted[skip + i]);
    }
    free(sorted);
    mlog_query_rows_destroy(&all);
    mlog_query_rows_destroy(&rows);
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, range.expr));
}

Test(query_pages, rows_in_an_order)
{
    static const struct {
        const char *fields[3];
        bool descending[3];
    } orders[] = {
        { { "pkt_len" }, { true } },
        { { "nw_src", "tp_src", "pkt_len" }, { false, true, false } },
        { { "tcp_window", "nw_proto" }, { true, false } },
        { { "in_port_name", "out_port" }, { true, true } },
        { { "time" }, { true } },
    };

    generate(20000, 200, 12);
    for (size_t o = 0; o < ARRAY_SIZE(orders); o++) {
        n_sort_keys = 0;
        for (size_t i = 0; i < 3 && orders[o].fields[i]; i++) {
            sort_keys[n_sort_keys++] = (struct mlog_rows_key) {
                field(orders[o].fields[i]), orders[o].descending[i]
            };
        }
        for (size_t e = 0; e < ARRAY_SIZE(exprs); e++) {
            check_sorted(e, 0, 1);
            check_sorted(e, 0, 100);
            check_sorted(e, 100, 33);
            check_sorted(e, 0, 50000);
        }
    }
}

/* Cursors. */

Test(query_pages, cursors_come_back)
{
    for (int i = 0; i < 1000; i++) {
        struct mlog_cursor a = {
            .kind = 1 + rnd(5),
            .digest = (uint64_t) rnd(UINT32_MAX) << 32 | rnd(UINT32_MAX),
            .cut = (uint64_t) rnd(UINT32_MAX) << 32,
            .time = rnd(UINT32_MAX),
            .place = { rnd(UINT32_MAX), UINT64_MAX, rnd(1000) },
            .done = rnd(1000), .count = UINT64_MAX, .bytes = rnd(1000),
            .n_expired = rnd(1000),
        };
        struct mlog_cursor b;
        struct ds word = DS_EMPTY_INITIALIZER;

        mlog_cursor_format(&a, &word);
        cr_assert(mlog_cursor_parse(ds_cstr(&word), &b));
        cr_assert_eq(a.kind, b.kind);
        cr_assert_eq(a.digest, b.digest);
        cr_assert_eq(a.cut, b.cut);
        cr_assert_eq(a.time, b.time);
        cr_assert_eq(mlog_place_compare(&a.place, &b.place), 0);
        cr_assert_eq(a.place.seq, b.place.seq);
        cr_assert_eq(a.done, b.done);
        cr_assert_eq(a.count, b.count);
        cr_assert_eq(a.bytes, b.bytes);
        cr_assert_eq(a.n_expired, b.n_expired);

        /* Any change is noticed; nothing else is one. */
        word.string[rnd(word.length)] ^= 1 << rnd(7);
        cr_assert_not(mlog_cursor_parse(ds_cstr(&word), &b));
        ds_truncate(&word, rnd(word.length));
        cr_assert_not(mlog_cursor_parse(ds_cstr(&word), &b));
        ds_put_char_multiple(&word, 'A', rnd(10000));
        cr_assert_not(mlog_cursor_parse(ds_cstr(&word), &b));
        ds_destroy(&word);
    }
}

/* Places of other lives come before those of this one. */
Test(query_pages, places_of_archives)
{
    const struct mlog_place old = { 1, 5, 1000 };
    const struct mlog_place older = { 2, 4, 99999 };
    const struct mlog_place memory = { 3, MLOG_PLACE_MEMORY, 10 };
    const struct mlog_place archived = { 3, 6, 5 };
    uint32_t start = 0, end = 100;

    cr_expect_lt(mlog_place_compare(&older, &old), 0);
    cr_expect_lt(mlog_place_compare(&old, &memory), 0);
    cr_expect_lt(mlog_place_compare(&old, &archived), 0);
    cr_expect_lt(mlog_place_compare(&archived, &memory), 0);

    mlog_place_clip(&archived, &memory, NULL, &start, &end);
    cr_expect(start == 5 && end == 100);
    mlog_place_clip(&archived, &old, NULL, &start, &end);
    cr_expect(start == 5 && end == 100);
    mlog_place_clip(&archived, NULL, &memory, &start, &end);
    cr_expect(start == 5 && end == 5);
    start = 0;
    end = 100;
    mlog_place_clip(&older, NULL, &memory, &start, &end);
    cr_expect(start == 0 && end == 100);
    mlog_place_clip(&older, &old, NULL, &start, &end);
    cr_expect(start == end);
}
