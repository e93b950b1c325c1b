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

#include "mlog-query-private.h"

#include <stdlib.h>

#include "util.h"

/* Rows in an order
 * ================
 *
 * The first rows of those seen so far are kept in a heap, whose root is the
 * last of them.  Most rows of a large answer don't even come before that,
 * which takes one comparison, in which the root's values are known. */

struct key_value {
    bool present;
    struct mlog_value value;
};

struct sorter {
    const struct mlog_rows_key *keys;
    size_t n_keys;
    size_t limit;
    struct mlog_query_row *heap;
    size_t n, allocated;
    struct key_value root[MLOG_QUERY_MAX_FIELDS];       /* If full. */
};

static void
get_values(const struct sorter *s, const struct mlog_record *record,
           struct key_value values[])
{
    for (size_t i = 0; i < s->n_keys; i++) {
        values[i].present = mlog_field_get(s->keys[i].field, record,
                                           &values[i].value);
    }
}

static int
compare_values(const struct sorter *s, const struct key_value a[],
               const struct key_value b[])
{
    for (size_t i = 0; i < s->n_keys; i++) {
        int cmp = 0;

        if (a[i].present != b[i].present) {
            return b[i].present - a[i].present;
        } else if (a[i].present) {
            cmp = mlog_query_compare(s->keys[i].field, &a[i].value,
                                     &b[i].value);
        }
        if (cmp) {
            return s->keys[i].descending ? -cmp : cmp;
        }
    }
    return 0;
}

static int
compare_rows(const void *a_, const void *b_, void *s_)
{
    const struct mlog_query_row *a = a_;
    const struct mlog_query_row *b = b_;
    const struct sorter *s = s_;
    struct mlog_record ra = mlog_query_record(a);
    struct mlog_record rb = mlog_query_record(b);
    struct key_value va[MLOG_QUERY_MAX_FIELDS], vb[MLOG_QUERY_MAX_FIELDS];
    int cmp;

    get_values(s, &ra, va);
    get_values(s, &rb, vb);
    cmp = compare_values(s, va, vb);
    return cmp ? cmp : mlog_place_compare(&a->place, &b->place);
}

/* Restores the heap below 'i', where a row may be that is too early. */
static void
sift_down(struct sorter *s, size_t i)
{
    for (;;) {
        size_t last = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
            if (child < s->n
                && compare_rows(&s->heap[child], &s->heap[last], s) > 0) {
                last = child;
            }
        }
        if (last == i) {
            return;
        }

        struct mlog_query_row tmp = s->heap[i];
        s->heap[i] = s->heap[last];
        s->heap[last] = tmp;
        i = last;
    }
}

static void
note_root(struct sorter *s)
{
    struct mlog_record root = mlog_query_record(&s->heap[0]);

    get_values(s, &root, s->root);
}

static void
make_heap(struct sorter *s)
{
    for (size_t i = s->n / 2; i-- > 0;) {
        sift_down(s, i);
    }
    note_root(s);
}

/* Adds row 'i' of 'batch', whose place is of the segment of 'place', if it is
 * among the first ones. */
static void
add_row(struct sorter *s, const struct mlog_batch *batch, uint32_t i,
        const struct mlog_place *place)
{
    struct key_value values[MLOG_QUERY_MAX_FIELDS];
    struct mlog_record record;

    if (s->n < s->limit) {
        if (s->n >= s->allocated) {
            s->heap = x2nrealloc(s->heap, &s->allocated, sizeof *s->heap);
        }
        s->heap[s->n].place = *place;
        mlog_query_copy_row__(batch, i, &s->heap[s->n++]);
        if (s->n == s->limit) {
            make_heap(s);
        }
        return;
    }

    mlog_batch_record(batch, i, &record);
    get_values(s, &record, values);
    if (compare_values(s, values, s->root) < 0) {
        s->heap[0].place = *place;
        mlog_query_copy_row__(batch, i, &s->heap[0]);
        sift_down(s, 0);
        note_root(s);
    }
}

int
mlog_query_sorted(const struct mlog_snapshot *snapshot,
                  const struct mlog_range *range,
                  const struct mlog_budget *budget,
                  const struct mlog_rows_key keys[], size_t n_keys,
                  size_t skip, size_t limit, struct mlog_query_rows *rows)
{
    struct mlog_scan *scan = mlog_scan_create(snapshot, range, budget);
    struct sorter s = {
        .keys = keys, .n_keys = n_keys, .limit = skip + limit
    };
    struct mlog_batch batch;
    int error;

    ovs_assert(s.limit <= MLOG_QUERY_MAX_SORTED && s.limit
               && n_keys <= MLOG_QUERY_MAX_FIELDS);
    memset(rows, 0, sizeof *rows);
    mlog_query_get_missing(snapshot, range, &rows->totals);
    while (mlog_scan_next(scan, &batch)) {
        struct mlog_place place = mlog_batch_place(snapshot, &batch, 0);

        rows->totals.count += batch.n;
        for (uint32_t i = 0; i < batch.n; i++) {
            mlog_batch_prefetch(&batch, i);
            rows->totals.bytes += mlog_row_pkt_len(mlog_batch_row(&batch, i));
            add_row(&s, &batch, i, &place);
        }
        mlog_scan_set_memory(scan, s.allocated * sizeof *s.heap);
    }
    error = mlog_query_end_scan__(scan, &rows->totals);
    if (error) {
        free(s.heap);
        return error;
    }

    skip = MIN(skip, s.n);
    if (s.n) {
        qsort_r(s.heap, s.n, sizeof *s.heap, compare_rows, &s);
        memmove(s.heap, s.heap + skip, (s.n - skip) * sizeof *s.heap);
    }
    rows->rows = s.heap;
    rows->n = s.n - skip;
    rows->more = rows->totals.count > s.n;
    return 0;
}
