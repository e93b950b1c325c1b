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

#include "history.h"

#include <inttypes.h>
#include <stdlib.h>

#include "bitmap.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Why history_is_linearizable() is exact
 * ======================================
 *
 * Whatever the order of operations is, the sets of its cuts grow along it.  So
 * if two sets are such that neither includes the other, there is no order.
 * Otherwise the different sets are S1 < S2 < ... and the order has to be
 *
 *     appends of S1, cuts that got S1, appends of S2 less S1, cuts that...
 *
 * and in the end the appends that no cut has, group after group: a cut of Si
 * comes after all the appends in Si and before all the others.  Within a
 * group the specification allows any order, and real time is a partial order,
 * so there is one that agrees with it.  What is left to check is that nothing
 * returned before the invocation of an operation of an earlier group. */

enum { APPEND, CUT };

/* An operation, as far as order is concerned. */
struct op {
    int kind;
    unsigned int number;
    uint64_t invoked, returned;
};

static size_t
n_bits(const struct history *h)
{
    return (size_t) h->n_writers * h->max_appends;
}

static size_t
max_cuts(const struct history *h)
{
    return (size_t) h->n_readers * h->max_cuts;
}

void
history_init(struct history *h, unsigned int n_writers,
             unsigned int n_readers, unsigned int max_appends,
             unsigned int max_cuts_)
{
    memset(h, 0, sizeof *h);
    h->n_writers = n_writers;
    h->n_readers = n_readers;
    h->max_appends = max_appends;
    h->max_cuts = max_cuts_;
    h->appends = xcalloc(n_bits(h), sizeof *h->appends);
    h->cuts = xcalloc(max_cuts(h), sizeof *h->cuts);
    for (size_t i = 0; i < max_cuts(h); i++) {
        h->cuts[i].set = bitmap_allocate(n_bits(h));
    }
}

void
history_destroy(struct history *h)
{
    for (size_t i = 0; i < max_cuts(h); i++) {
        bitmap_free(h->cuts[i].set);
    }
    free(h->cuts);
    free(h->appends);
}

void
history_clear(struct history *h)
{
    memset(h->n_appends, 0, sizeof h->n_appends);
    memset(h->n_cuts, 0, sizeof h->n_cuts);
}

struct history_append *
history_add_append(struct history *h, unsigned int writer)
{
    unsigned int i = h->n_appends[writer]++;
    struct history_append *a = &h->appends[writer * h->max_appends + i];

    ovs_assert(i < h->max_appends);
    memset(a, 0, sizeof *a);
    atomic_init(&a->time, 0);
    return a;
}

struct history_cut *
history_add_cut(struct history *h, unsigned int reader)
{
    unsigned int i = h->n_cuts[reader]++;
    struct history_cut *c = &h->cuts[reader * h->max_cuts + i];
    unsigned long *set = c->set;

    ovs_assert(i < h->max_cuts);
    memset(set, 0, bitmap_n_bytes(n_bits(h)));
    memset(c, 0, sizeof *c);
    c->set = set;
    return c;
}

bool
history_cut_add(struct history *h, struct history_cut *cut,
                unsigned int number, uint64_t time)
{
    uint64_t before = 0;

    if (number >= n_bits(h) || bitmap_is_set(cut->set, number)) {
        return false;
    }
    bitmap_set1(cut->set, number);
    cut->size++;
    return (atomic_compare_exchange_strong(&h->appends[number].time, &before,
                                           time)
            || before == time);
}

static uint64_t
append_time(const struct history_append *append)
{
    uint64_t time;

    atomic_read_relaxed(&CONST_CAST(struct history_append *, append)->time,
                        &time);
    return time;
}

/* Names: "w1.2" is append 2 of writer 1, "r0.1" cut 1 of reader 0. */
static void
format_name(const struct history *h, int kind, unsigned int number,
            struct ds *s)
{
    unsigned int max = kind == APPEND ? h->max_appends : h->max_cuts;

    ds_put_format(s, "%s%u.%u", kind == APPEND ? "w" : "r", number / max,
                  number % max);
}

static bool
append_exists(const struct history *h, unsigned int number)
{
    return number % h->max_appends < h->n_appends[number / h->max_appends];
}

static bool
cut_exists(const struct history *h, unsigned int number)
{
    return number % h->max_cuts < h->n_cuts[number / h->max_cuts];
}

/* "CUT has APPEND, " or "CUT lacks APPEND, ", then 'why'. */
static bool
complain(const struct history *h, const struct history_cut *cut,
         const char *verb, unsigned int append, const char *why, struct ds *s)
{
    format_name(h, CUT, cut - h->cuts, s);
    ds_put_format(s, " %s ", verb);
    format_name(h, APPEND, append, s);
    ds_put_format(s, ", %s", why);
    return false;
}

/* Real time, group by group. */
struct order {
    const struct history *history;
    struct op latest;           /* Invoked last, of earlier groups... */
    struct op group_latest;     /* ...and of this one. */
};

static void
next_group(struct order *order)
{
    if (order->group_latest.invoked > order->latest.invoked) {
        order->latest = order->group_latest;
    }
}

/* Puts 'op' into the present group. */
static bool
place(struct order *order, const struct op *op, struct ds *why)
{
    if (op->returned < order->latest.invoked) {
        format_name(order->history, op->kind, op->number, why);
        ds_put_cstr(why, " must come after ");
        format_name(order->history, order->latest.kind, order->latest.number,
                    why);
        ds_put_cstr(why, ", but had returned before that was invoked");
        return false;
    }
    if (op->invoked > order->group_latest.invoked) {
        order->group_latest = *op;
    }
    return true;
}

/* Puts the appends that are not in 'before' (NULL: the empty set), but in
 * 'set' (NULL: all) into a group. */
static bool
place_appends(struct order *order, const unsigned long *before,
              const unsigned long *set, struct ds *why)
{
    const struct history *h = order->history;

    next_group(order);
    for (unsigned int i = 0; i < n_bits(h); i++) {
        const struct history_append *a = &h->appends[i];

        if (append_exists(h, i) && !a->lost
            && !(before && bitmap_is_set(before, i))
            && (!set || bitmap_is_set(set, i))) {
            struct op op = { APPEND, i, a->invoked, a->returned };

            if (!place(order, &op, why)) {
                return false;
            }
        }
    }
    return true;
}

/* A cut that isn't fresh may have happened before it was invoked, but not
 * before one that had returned by then: see check_stale_cuts(). */
static bool
place_cut(struct order *order, const struct history_cut *c, struct ds *why)
{
    struct op op = {
        CUT, c - order->history->cuts, c->fresh ? c->invoked : 0, c->returned
    };

    return place(order, &op, why);
}

/* Returns the lowest bit that is in 'a' but not in 'b', or 'n'. */
static size_t
first_missing(const unsigned long *a, const unsigned long *b, size_t n)
{
    for (size_t i = 0; i < bitmap_n_longs(n); i++) {
        if (a[i] & ~b[i]) {
            return i * BITMAP_ULONG_BITS + raw_ctz(a[i] & ~b[i]);
        }
    }
    return n;
}

static int
compare_sizes(const void *a_, const void *b_)
{
    const struct history_cut *const *a = a_, *const *b = b_;

    return ((*a)->size > (*b)->size) - ((*a)->size < (*b)->size);
}

/* Returns the cuts, smallest set first, for the caller to free. */
static const struct history_cut **
sort_cuts(const struct history *h, size_t *n)
{
    const struct history_cut **cuts = xmalloc((max_cuts(h) + 1)
                                              * sizeof *cuts);

    *n = 0;
    for (unsigned int i = 0; i < max_cuts(h); i++) {
        if (cut_exists(h, i)) {
            cuts[(*n)++] = &h->cuts[i];
        }
    }
    qsort(cuts, *n, sizeof *cuts, compare_sizes);
    return cuts;
}

/* Each set holds what exists, and the set before it. */
static bool
check_chain(const struct history *h, const struct history_cut **cuts, size_t n,
            struct ds *why)
{
    for (size_t i = 0; i < n; i++) {
        const struct history_cut *c = cuts[i];

        for (unsigned int j = 0; j < n_bits(h); j++) {
            if (bitmap_is_set(c->set, j)
                && (!append_exists(h, j) || h->appends[j].lost)) {
                return complain(h, c, "has", j, "which was not appended", why);
            }
        }
        size_t j = i ? first_missing(cuts[i - 1]->set, c->set, n_bits(h))
                     : n_bits(h);
        if (j < n_bits(h)) {
            complain(h, c, "lacks", j, "which ", why);
            format_name(h, CUT, cuts[i - 1] - h->cuts, why);
            ds_put_cstr(why, " has, which has fewer");
            return false;
        }
    }
    return true;
}

static bool
check_real_time(const struct history *h, const struct history_cut **cuts,
                size_t n, struct ds *why)
{
    struct order order = { .history = h };

    for (size_t i = 0; i < n; i++) {
        if (!i || cuts[i]->size > cuts[i - 1]->size) {
            if (!place_appends(&order, i ? cuts[i - 1]->set : NULL,
                               cuts[i]->set, why)) {
                return false;
            }
            next_group(&order);
        }
        if (!place_cut(&order, cuts[i], why)) {
            return false;
        }
    }
    return place_appends(&order, n ? cuts[n - 1]->set : NULL, NULL, why);
}

/* What was published never goes back. */
static bool
check_stale_cuts(const struct history *h, const struct history_cut **cuts,
                 size_t n, struct ds *why)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; !cuts[i]->fresh && j < n; j++) {
            if (cuts[j]->returned < cuts[i]->invoked
                && cuts[j]->size > cuts[i]->size) {
                format_name(h, CUT, cuts[i] - h->cuts, why);
                ds_put_cstr(why, " has less than ");
                format_name(h, CUT, cuts[j] - h->cuts, why);
                ds_put_cstr(why, ", which had returned before");
                return false;
            }
        }
    }
    return true;
}

bool
history_is_linearizable(const struct history *h, struct ds *why)
{
    size_t n;
    const struct history_cut **cuts = sort_cuts(h, &n);
    bool ok = (check_chain(h, cuts, n, why)
               && check_real_time(h, cuts, n, why)
               && check_stale_cuts(h, cuts, n, why));

    free(cuts);
    return ok;
}

/* A cut that has append 'number' has what its writer had seen. */
static bool
check_cause(const struct history *h, const struct history_cut *c,
            unsigned int number, struct ds *why)
{
    const uint32_t *seen = h->appends[number].seen;

    for (unsigned int w = 0; w < h->n_writers; w++) {
        for (uint32_t i = 0; i < seen[w]; i++) {
            unsigned int cause = w * h->max_appends + i;

            if (!h->appends[cause].lost && !bitmap_is_set(c->set, cause)) {
                complain(h, c, "lacks", cause, "which had returned before ",
                         why);
                format_name(h, APPEND, number, why);
                ds_put_cstr(why, " was invoked");
                return false;
            }
        }
    }
    return true;
}

static bool
check_cut(const struct history *h, const struct history_cut *c, struct ds *why)
{
    uint64_t must = 0, may = 0;

    for (unsigned int i = 0; i < n_bits(h); i++) {
        const struct history_append *a = &h->appends[i];
        bool has = bitmap_is_set(c->set, i);
        uint64_t time = append_time(a);

        if (!append_exists(h, i)) {
            continue;
        } else if (a->lost) {
            must += c->fresh && a->returned < c->invoked ? a->n_records : 0;
            may += a->invoked < c->returned ? a->n_records : 0;
        } else if (has && time > c->time) {
            return complain(h, c, "has", i, "which is of a later time", why);
        } else if (!has && time && time <= c->time) {
            return complain(h, c, "lacks", i, "which is not of a later time",
                            why);
        } else if (has && !check_cause(h, c, i, why)) {
            return false;
        }
    }
    if (c->n_lost < must || c->n_lost > may) {
        format_name(h, CUT, c - h->cuts, why);
        ds_put_format(why, " counts %"PRIu64" records as lost, not %"PRIu64
                      " to %"PRIu64, c->n_lost, must, may);
        return false;
    }
    return true;
}

/* The count of losses doesn't go back. */
static bool
check_losses(const struct history *h, struct ds *why)
{
    for (unsigned int i = 0; i < max_cuts(h); i++) {
        for (unsigned int j = 0; cut_exists(h, i) && j < max_cuts(h); j++) {
            const struct history_cut *a = &h->cuts[i], *b = &h->cuts[j];

            if (cut_exists(h, j) && a->returned < b->invoked
                && a->n_lost > b->n_lost) {
                format_name(h, CUT, j, why);
                ds_put_cstr(why, " counts fewer losses than ");
                format_name(h, CUT, i, why);
                ds_put_cstr(why, ", which had returned before");
                return false;
            }
        }
    }
    return true;
}

bool
history_check(const struct history *h, struct ds *why)
{
    if (!history_is_linearizable(h, why) || !check_losses(h, why)) {
        return false;
    }
    for (unsigned int i = 0; i < max_cuts(h); i++) {
        if (cut_exists(h, i) && !check_cut(h, &h->cuts[i], why)) {
            return false;
        }
    }
    return true;
}

/* Formatting. */

static int
compare_invocations(const void *a_, const void *b_)
{
    const struct op *a = a_, *b = b_;

    return (a->invoked > b->invoked) - (a->invoked < b->invoked);
}

/* Returns all operations in order of invocation, for the caller to free. */
static struct op *
sort_ops(const struct history *h, size_t *n)
{
    struct op *ops = xmalloc((n_bits(h) + max_cuts(h) + 1) * sizeof *ops);

    *n = 0;
    for (unsigned int i = 0; i < n_bits(h); i++) {
        if (append_exists(h, i)) {
            ops[(*n)++] = (struct op) {
                APPEND, i, h->appends[i].invoked, h->appends[i].returned
            };
        }
    }
    for (unsigned int i = 0; i < max_cuts(h); i++) {
        if (cut_exists(h, i)) {
            ops[(*n)++] = (struct op) {
                CUT, i, h->cuts[i].invoked, h->cuts[i].returned
            };
        }
    }
    qsort(ops, *n, sizeof *ops, compare_invocations);
    return ops;
}

/* "n=5 seen=2,0,1". */
static void
format_append(const struct history *h, const struct history_append *a,
              struct ds *s)
{
    uint64_t time = append_time(a);

    ds_put_format(s, " append n=%"PRIu32" seen=", a->n_records);
    for (unsigned int w = 0; w < h->n_writers; w++) {
        ds_put_format(s, "%s%"PRIu32, w ? "," : "", a->seen[w]);
    }
    if (a->lost) {
        ds_put_cstr(s, " lost");
    } else if (time) {
        ds_put_format(s, " time=%"PRIu64, time);
    }
}

/* "T=... lost=0: w0.0 w1.0 w1.1". */
static void
format_cut(const struct history *h, const struct history_cut *c, struct ds *s)
{
    ds_put_format(s, " %s T=%"PRIu64" lost=%"PRIu64":",
                  c->fresh ? "cut" : "stale cut", c->time, c->n_lost);
    for (unsigned int i = 0; i < n_bits(h); i++) {
        if (bitmap_is_set(c->set, i)) {
            ds_put_char(s, ' ');
            format_name(h, APPEND, i, s);
        }
    }
}

void
history_format(const struct history *h, size_t max, struct ds *s)
{
    size_t n;
    struct op *ops = sort_ops(h, &n);
    uint64_t start = n ? ops[0].invoked : 0;

    for (size_t i = 0; i < MIN(n, max); i++) {
        ds_put_format(s, "  [%7"PRIu64" %7"PRIu64"] ",
                      ops[i].invoked - start, ops[i].returned - start);
        format_name(h, ops[i].kind, ops[i].number, s);
        if (ops[i].kind == APPEND) {
            format_append(h, &h->appends[ops[i].number], s);
        } else {
            format_cut(h, &h->cuts[ops[i].number], s);
        }
        ds_put_char(s, '\n');
    }
    if (n > max) {
        ds_put_format(s, "  ... and %"PRIuSIZE" more\n", n - max);
    }
    free(ops);
}

/* The self-test. */

/* Whether the operations not in 'done' can follow in some order. */
static bool
search(const struct history *h, const struct op *ops, size_t n,
       unsigned int done, unsigned long appended)
{
    uint64_t first_return = UINT64_MAX;

    if (done == (1u << n) - 1) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (!(done & 1u << i)) {
            first_return = MIN(first_return, ops[i].returned);
        }
    }
    for (size_t i = 0; i < n; i++) {
        bool possible = (!(done & 1u << i) && ops[i].invoked <= first_return
                         && (ops[i].kind == APPEND
                             || *h->cuts[ops[i].number].set == appended));

        if (possible
            && search(h, ops, n, done | 1u << i, ops[i].kind == APPEND
                      ? appended | 1ul << ops[i].number : appended)) {
            return true;
        }
    }
    return false;
}

static uint32_t
next_random(uint32_t *state, uint32_t range)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % range;
}

/* Operations of a thread follow one another; cuts get something that tends to
 * be about right. */
static void
random_history(struct history *h, uint32_t *rng)
{
    history_clear(h);
    for (unsigned int w = 0; w < h->n_writers; w++) {
        uint64_t now = 1;

        for (unsigned int n = next_random(rng, h->max_appends + 1); n--; ) {
            struct history_append *a = history_add_append(h, w);

            now = a->invoked = now + next_random(rng, 6);
            now = a->returned = now + next_random(rng, 6);
            a->n_records = 1;
        }
    }
    for (unsigned int r = 0; r < h->n_readers; r++) {
        uint64_t now = 1;

        for (unsigned int n = next_random(rng, h->max_cuts + 1); n--; ) {
            struct history_cut *c = history_add_cut(h, r);

            now = c->invoked = now + next_random(rng, 6);
            now = c->returned = now + next_random(rng, 8);
            c->fresh = true;
            for (unsigned int i = 0; i < n_bits(h); i++) {
                uint64_t t = c->invoked + next_random(rng, 12);

                if (append_exists(h, i) && h->appends[i].returned <= t + 2) {
                    history_cut_add(h, c, i, 1);
                }
            }
        }
    }
}

bool
history_self_test(unsigned int n, uint32_t seed, struct ds *why)
{
    uint32_t rng = seed | 1;
    unsigned int n_right = 0;
    struct history h;
    bool ok = true;

    history_init(&h, 2, 2, 2, 2);
    for (unsigned int i = 0; ok && i < n; i++) {
        struct ds reason = DS_EMPTY_INITIALIZER;
        size_t n_ops;

        random_history(&h, &rng);
        struct op *ops = sort_ops(&h, &n_ops);
        bool expected = search(&h, ops, n_ops, 0, 0);
        bool found = history_is_linearizable(&h, &reason);
        if (found != expected) {
            ds_put_format(why, "the checker's verdict on this is %s%s\n",
                          found ? "right" : "wrong: ", ds_cstr(&reason));
            history_format(&h, SIZE_MAX, why);
            ok = false;
        }
        n_right += found;
        free(ops);
        ds_destroy(&reason);
    }
    if (ok && (n_right < n / 10 || n_right > n - n / 10)) {
        ds_put_format(why, "%u of %u random histories are right: that doesn't "
                      "test the checker\n", n_right, n);
        ok = false;
    }
    history_destroy(&h);
    return ok;
}
