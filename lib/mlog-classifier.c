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
#include "mlog-classifier.h"

#include <stdlib.h>
#include <string.h>

#include "mlog-expr.h"
#include "mlog-expr-box.h"
#include "mlog-ports.h"
#include "util.h"

/* How it works
 * ============
 *
 * Each box of each expression is a bit.  For each dimension that any box
 * restricts, the bounds of all boxes' intervals divide the numbers into
 * elementary intervals, and each of these has a row of bits: the boxes that
 * don't exclude it.  A flow lies in the boxes that are left when its rows in
 * all dimensions are and'ed:
 *
 *     src    10.1.0.0/16    10.2.0.0/16    else        bits: f0 f1 f2
 *     row        011            101         001
 *     dst    10.1.0.0/16    else
 *     row        111         110
 *
 *     10.1.0.5 -> 10.9.9.9:  011 & 110 = 010: the box of f1
 *
 * So the work is a search per dimension and some words to be and'ed,
 * whatever expressions there are, and hardly a branch depends on the flow,
 * which would often be mispredicted.
 *
 * Boxes that restrict the same dimensions, to similar numbers, have bits side
 * by side.  So most words of a row are 0, and a row has a summary that says
 * which ones aren't: the words where all rows' summaries have a bit are few.
 *
 * What kind of packet it is (what headers there are, Ethertype, protocol) is
 * much the same for all flows, so that the rows of these dimensions, and'ed,
 * are kept in a small cache.  Ingress ports have a row for each port
 * identifier, made when the port is first seen; all are dropped when
 * mlog_ports_generation() says so.
 *
 * The alternatives were a tuple space (a hash table per combination of masks,
 * as OVS's classifier), whose cost grows with the number of combinations and
 * which needs ranges of ports to be taken apart, and a cache of recent flows'
 * answers, which is no use when all fields are random, as in a flood. */

#define WORD_BITS 64
#define MAX_WORDS 32            /* Of a row. */
#define MAX_BITS (MAX_WORDS * WORD_BITS)
#define MAX_BOUNDS 8192         /* Of a dimension. */
#define N_KINDS 64              /* Of the cache; a power of 2. */

#define ALWAYS_INLINE __attribute__((always_inline))

/* One box. */
struct bit {
    const struct mlog_box *box;
    enum mlog_verdict verdict;
    uint32_t dims;              /* Bit i: it restricts dimension i. */
    uint16_t expr;
    bool alone;                 /* It is its expression's only box. */
};

/* Words 1 to 'n_words', after the summary: bit i is word i + 1 isn't 0. */
#define ROW_WORDS(T) ((T)->n_words + 1)

struct table {
    enum mlog_dim dim;
    size_t n;                   /* Elementary intervals. */
    uint64_t *starts;           /* They begin here... */
    struct mlog_value *long_starts;     /* ...or here, in 128 bits. */
    uint64_t *rows;
};

struct tables {
    size_t n_bits;
    size_t n_words;             /* Of bits. */
    struct bit *bits;
    uint16_t *exprs;            /* Each bit's expression. */
    uint64_t *all;              /* A row with each box's bit. */

    /* Words of bits: boxes that say all that their expression says. */
    uint64_t sure_true[MAX_WORDS];
    uint64_t sure_maybe[MAX_WORDS];

    size_t n_kind;              /* Tables of the packet's kind come first. */
    size_t n;
    struct table tables[MLOG_N_DIMS];
    uint64_t kind_keys[N_KINDS];        /* 0: none. */
    uint64_t *kind_rows;

    /* Ingress ports: port_rows[row_of[id] - 1], if that is not 0. */
    bool has_ports;
    uint32_t ports_generation;
    uint16_t *row_of;
    uint64_t *port_rows;
    size_t n_port_rows, allocated_port_rows;

    size_t memory;
};

struct mlog_classifier {
    size_t n;
    const struct mlog_expr *exprs[MLOG_CLASSIFIER_MAX];
    struct mlog_boxes *boxes[MLOG_CLASSIFIER_MAX];
    size_t max_boxes;           /* Of an expression. */
    struct tables *tables;      /* NULL: to be made. */
};

static void *
allocate(struct tables *t, size_t size)
{
    void *p = xmalloc_cacheline(MAX(size, 1));

    memset(p, 0, size);
    t->memory += size;
    return p;
}

static uint64_t *
allocate_rows(struct tables *t, size_t n)
{
    return allocate(t, n * ROW_WORDS(t) * sizeof(uint64_t));
}

static void
set_bit(uint64_t *words, size_t i)
{
    words[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
}

static uint64_t *
row_at(const struct tables *t, uint64_t *rows, size_t i)
{
    return &rows[i * ROW_WORDS(t)];
}

static void
summarize(const struct tables *t, uint64_t *row)
{
    row[0] = 0;
    for (size_t i = 0; i < t->n_words; i++) {
        row[0] |= (uint64_t) (row[i + 1] != 0) << i;
    }
}

/* Making the tables. */

/* The numbers that box 'i' is restricted to in 'dim', or NULL. */
static const struct mlog_intervals *
get_set(const struct tables *t, size_t i, enum mlog_dim dim)
{
    return t->bits[i].box->sets[dim];
}

static bool
is_restricted(const struct tables *t, enum mlog_dim dim)
{
    for (size_t i = 0; i < t->n_bits; i++) {
        if (get_set(t, i, dim)) {
            return true;
        }
    }
    return false;
}

/* Returns the end of the run of boxes from 'i' on that are restricted to the
 * same numbers in 'dim'. */
static size_t
end_of_run(const struct tables *t, size_t i, enum mlog_dim dim)
{
    const struct mlog_intervals *set = get_set(t, i, dim);

    do {
        i++;
    } while (i < t->n_bits && mlog_intervals_equal(get_set(t, i, dim), set));
    return i;
}

static int
compare_values(const void *a, const void *b)
{
    return mlog_value_compare(a, b);
}

/* Stores the numbers where an elementary interval begins into '*starts' and
 * returns how many there are.  Sets with more than 'max' intervals are left
 * out. */
static size_t
get_starts(const struct tables *t, enum mlog_dim dim, size_t max,
           struct mlog_value **starts)
{
    struct mlog_value ones = mlog_dim_ones(dim);
    struct mlog_value *s;
    size_t n = 1, n_out = 0;

    for (size_t i = 0; i < t->n_bits; i = end_of_run(t, i, dim)) {
        const struct mlog_intervals *set = get_set(t, i, dim);

        n += set && set->n <= max ? set->n * 2 : 0;
    }
    *starts = s = xcalloc(n, sizeof *s);
    n = 1;
    for (size_t i = 0; i < t->n_bits; i = end_of_run(t, i, dim)) {
        const struct mlog_intervals *set = get_set(t, i, dim);

        for (size_t j = 0; set && set->n <= max && j < set->n; j++) {
            const struct mlog_range *range = &set->ranges[j];

            s[n++] = range->min;
            if (mlog_value_compare(&range->max, &ones) < 0) {
                s[n++] = mlog_value_successor(&range->max);
            }
        }
    }
    qsort(s, n, sizeof *s, compare_values);
    for (size_t i = 0; i < n; i++) {
        if (!n_out || mlog_value_compare(&s[n_out - 1], &s[i])) {
            s[n_out++] = s[i];
        }
    }
    return n_out;
}

/* Returns the last of 'n' numbers, the first of which is 0, that is not after
 * 'x'.  No branch depends on 'x'. */
static inline size_t
search(const uint64_t *starts, size_t n, uint64_t x)
{
    const uint64_t *base = starts;

    while (n > 1) {
        size_t half = n / 2;

        base += (base[half] <= x) * half;
        n -= half;
    }
    return base - starts;
}

static size_t
search_long(const struct mlog_value *starts, size_t n,
            const struct mlog_value *x)
{
    const struct mlog_value *base = starts;

    while (n > 1) {
        size_t half = n / 2;

        base = mlog_value_compare(&base[half], x) <= 0 ? base + half : base;
        n -= half;
    }
    return base - starts;
}

/* Sets bits 'first' through 'end' - 1 in the rows of the elementary intervals
 * in 'set'. */
static void
set_bits(const struct tables *t, struct table *table,
         const struct mlog_value *starts, size_t first, size_t end,
         const struct mlog_intervals *set)
{
    for (size_t j = 0; j < set->n; j++) {
        const struct mlog_range *range = &set->ranges[j];
        size_t k = search_long(starts, table->n, &range->min);

        for (; k < table->n
             && mlog_value_compare(&starts[k], &range->max) <= 0; k++) {
            for (size_t i = first; i < end; i++) {
                set_bit(row_at(t, table->rows, k) + 1, i);
            }
        }
    }
}

static void
make_rows(struct tables *t, struct table *table,
          const struct mlog_value *starts, size_t max)
{
    table->rows = allocate_rows(t, table->n);

    uint64_t *first = table->rows;
    for (size_t i = 0; i < t->n_bits; i++) {
        const struct mlog_intervals *set = get_set(t, i, table->dim);

        if (!set || set->n > max) {
            set_bit(first + 1, i);
        }
    }
    for (size_t i = 1; i < table->n; i++) {
        memcpy(row_at(t, table->rows, i), first,
               ROW_WORDS(t) * sizeof *first);
    }
    for (size_t i = 0, end; i < t->n_bits; i = end) {
        const struct mlog_intervals *set = get_set(t, i, table->dim);

        end = end_of_run(t, i, table->dim);
        if (set && set->n <= max) {
            set_bits(t, table, starts, i, end, set);
        }
        for (size_t j = i; set && set->n > max && j < end; j++) {
            t->bits[j].verdict = MLOG_VERDICT_ASK;
        }
    }
    for (size_t i = 0; i < table->n; i++) {
        summarize(t, row_at(t, table->rows, i));
    }
}

static void
add_table(struct tables *t, enum mlog_dim dim)
{
    struct table *table = &t->tables[t->n++];
    struct mlog_value *starts;
    size_t max = SIZE_MAX;

    table->dim = dim;
    table->n = get_starts(t, dim, max, &starts);
    while (table->n > MAX_BOUNDS) {
        max = MIN(max, 1024) / 2;
        free(starts);
        table->n = get_starts(t, dim, max, &starts);
    }
    make_rows(t, table, starts, max);
    if (mlog_dim_ones(dim).hi) {
        table->long_starts = starts;
        t->memory += table->n * sizeof *starts;
        return;
    }
    table->starts = allocate(t, table->n * sizeof *table->starts);
    for (size_t i = 0; i < table->n; i++) {
        table->starts[i] = starts[i].lo;
    }
    free(starts);
}

static bool
is_kind(enum mlog_dim dim)
{
    return (dim == MLOG_DIM_HAS || dim == MLOG_DIM_DL_TYPE
            || dim == MLOG_DIM_NW_PROTO || dim == MLOG_DIM_NW_FRAG);
}

static void
add_tables(struct tables *t, bool kind)
{
    for (enum mlog_dim dim = 0; dim < MLOG_N_DIMS; dim++) {
        if (is_kind(dim) == kind && is_restricted(t, dim)) {
            add_table(t, dim);
        }
    }
}

static size_t
count_bits(const struct mlog_classifier *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++) {
        n += c->boxes[i]->n;
    }
    return n;
}

/* Makes the boxes few enough. */
static void
limit_boxes(struct mlog_classifier *c)
{
    while (count_bits(c) > MAX_BITS) {
        c->max_boxes /= 2;
        for (size_t i = 0; i < c->n; i++) {
            if (c->boxes[i]->n > c->max_boxes) {
                mlog_boxes_destroy(c->boxes[i]);
                c->boxes[i] = mlog_expr_boxes(c->exprs[i], c->max_boxes);
            }
        }
    }
}

/* Puts boxes that restrict the same dimensions to similar numbers side by
 * side. */
static int
compare_bits(const void *a_, const void *b_)
{
    const struct bit *a = a_;
    const struct bit *b = b_;

    if (a->dims != b->dims) {
        return a->dims < b->dims ? -1 : 1;
    }
    for (enum mlog_dim dim = 0; dim < MLOG_N_DIMS; dim++) {
        const struct mlog_intervals *sa = a->box->sets[dim];
        const struct mlog_intervals *sb = b->box->sets[dim];
        int cmp = (sa && sa->n && sb->n
                   ? mlog_value_compare(&sa->ranges[0].min,
                                        &sb->ranges[0].min) : 0);

        if (cmp) {
            return cmp;
        }
    }
    return a->expr < b->expr ? -1 : a->expr > b->expr;
}

static void
init_bit(struct bit *bit, size_t expr, const struct mlog_boxes *boxes,
         size_t i)
{
    *bit = (struct bit) {
        .box = boxes->boxes[i],
        .verdict = boxes->boxes[i]->verdict,
        .expr = expr,
        .alone = boxes->n == 1,
    };
    for (enum mlog_dim dim = 0; dim < MLOG_N_DIMS; dim++) {
        bit->dims |= (uint32_t) (bit->box->sets[dim] != NULL) << dim;
    }
}

static void
make_bits(struct tables *t, const struct mlog_classifier *c)
{
    size_t n = 0;

    t->n_bits = count_bits(c);
    t->n_words = DIV_ROUND_UP(t->n_bits, WORD_BITS);
    t->bits = allocate(t, t->n_bits * sizeof *t->bits);
    t->exprs = allocate(t, t->n_words * WORD_BITS * sizeof *t->exprs);
    for (size_t i = 0; i < c->n; i++) {
        for (size_t j = 0; j < c->boxes[i]->n; j++) {
            init_bit(&t->bits[n++], i, c->boxes[i], j);
        }
    }
    qsort(t->bits, n, sizeof *t->bits, compare_bits);
    t->all = allocate_rows(t, 1);
    for (size_t i = 0; i < n; i++) {
        t->exprs[i] = t->bits[i].expr;
        t->has_ports = t->has_ports || t->bits[i].box->n_ports;
        set_bit(t->all + 1, i);
    }
    summarize(t, t->all);
}

static void
make_verdicts(struct tables *t)
{
    for (size_t i = 0; i < t->n_bits; i++) {
        const struct bit *bit = &t->bits[i];

        if (bit->alone && bit->verdict == MLOG_VERDICT_TRUE) {
            set_bit(t->sure_true, i);
        } else if (bit->alone && bit->verdict == MLOG_VERDICT_MAYBE) {
            set_bit(t->sure_maybe, i);
        }
    }
}

static struct tables *
tables_create(const struct mlog_classifier *c)
{
    struct tables *t = xzalloc(sizeof *t);

    make_bits(t, c);
    add_tables(t, true);
    t->n_kind = t->n;
    add_tables(t, false);
    make_verdicts(t);
    t->kind_rows = allocate_rows(t, N_KINDS);
    if (t->has_ports) {
        t->row_of = allocate(t, (UINT16_MAX + 1) * sizeof *t->row_of);
        t->ports_generation = mlog_ports_generation();
    }
    return t;
}

static void
tables_destroy(struct tables *t)
{
    if (t) {
        for (size_t i = 0; i < t->n; i++) {
            free_cacheline(t->tables[i].starts);
            free(t->tables[i].long_starts);
            free_cacheline(t->tables[i].rows);
        }
        free_cacheline(t->bits);
        free_cacheline(t->exprs);
        free_cacheline(t->all);
        free_cacheline(t->kind_rows);
        free_cacheline(t->row_of);
        free_cacheline(t->port_rows);
        free(t);
    }
}

/* The classifier. */

struct mlog_classifier *
mlog_classifier_create(void)
{
    struct mlog_classifier *c = xzalloc(sizeof *c);

    c->max_boxes = MLOG_MAX_BOXES;
    return c;
}

void
mlog_classifier_destroy(struct mlog_classifier *c)
{
    if (c) {
        tables_destroy(c->tables);
        for (size_t i = 0; i < c->n; i++) {
            mlog_boxes_destroy(c->boxes[i]);
        }
        free(c);
    }
}

static void
drop_tables(struct mlog_classifier *c)
{
    tables_destroy(c->tables);
    c->tables = NULL;
}

void
mlog_classifier_add(struct mlog_classifier *c, const struct mlog_expr *expr)
{
    ovs_assert(c->n < MLOG_CLASSIFIER_MAX);
    c->exprs[c->n] = expr;
    c->boxes[c->n++] = mlog_expr_boxes(expr, c->max_boxes);
    drop_tables(c);
}

void
mlog_classifier_remove(struct mlog_classifier *c, size_t index)
{
    ovs_assert(index < c->n);
    mlog_boxes_destroy(c->boxes[index]);
    c->n--;
    memmove(&c->exprs[index], &c->exprs[index + 1],
            (c->n - index) * sizeof *c->exprs);
    memmove(&c->boxes[index], &c->boxes[index + 1],
            (c->n - index) * sizeof *c->boxes);
    drop_tables(c);
}

size_t
mlog_classifier_memory(const struct mlog_classifier *c)
{
    const struct tables *t = c->tables;

    return sizeof *c + (t ? sizeof *t + t->memory : 0);
}

/* Running. */

static inline ALWAYS_INLINE const uint64_t *
get_row(const struct tables *t, const struct table *table,
        const struct mlog_record *flow)
{
    size_t i;

    if (OVS_UNLIKELY(table->long_starts != NULL)) {
        const ovs_be32 *addr = (table->dim == MLOG_DIM_SRC6
                                ? flow->key->src : flow->key->dst);
        struct mlog_value x = {
            (uint64_t) ntohl(addr[0]) << 32 | ntohl(addr[1]),
            (uint64_t) ntohl(addr[2]) << 32 | ntohl(addr[3]),
        };

        i = search_long(table->long_starts, table->n, &x);
    } else {
        i = search(table->starts, table->n, mlog_dim_get(table->dim, flow));
    }
    return row_at(t, table->rows, i);
}

/* Makes a row for the kind of 'flow', in 'row'. */
static void
make_kind_row(const struct tables *t, const struct mlog_record *flow,
              uint64_t *row)
{
    memcpy(row, t->all, ROW_WORDS(t) * sizeof *row);
    for (size_t i = 0; i < t->n_kind; i++) {
        const uint64_t *other = get_row(t, &t->tables[i], flow);

        for (size_t j = 0; j < t->n_words; j++) {
            row[j + 1] &= other[j + 1];
        }
    }
    summarize(t, row);
}

static inline const uint64_t *
get_kind_row(struct tables *t, const struct mlog_record *flow)
{
    const struct mlog_flow_key *flow_key = flow->key;
    uint64_t key = (UINT64_C(1) << 63
                    | (uint64_t) flow_key->dl_type << 24
                    | (uint64_t) flow_key->nw_frag << 16
                    | (uint64_t) flow_key->nw_proto << 8
                    | flow_key->has);
    size_t i = key * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (N_KINDS - 1);
    uint64_t *row = row_at(t, t->kind_rows, i);

    if (OVS_UNLIKELY(t->kind_keys[i] != key)) {
        t->kind_keys[i] = key;
        make_kind_row(t, flow, row);
    }
    return row;
}

/* Makes a row for ingress port 'id' and returns it. */
static const uint64_t *
add_port_row(struct tables *t, uint16_t id)
{
    size_t size = ROW_WORDS(t) * sizeof *t->port_rows;

    if (t->n_port_rows >= t->allocated_port_rows) {
        size_t n = MAX(8, t->allocated_port_rows * 2);
        uint64_t *rows = allocate(t, n * size);

        if (t->n_port_rows) {
            memcpy(rows, t->port_rows, t->n_port_rows * size);
        }
        t->memory -= t->allocated_port_rows * size;
        free_cacheline(t->port_rows);
        t->port_rows = rows;
        t->allocated_port_rows = n;
    }

    uint64_t *row = row_at(t, t->port_rows, t->n_port_rows++);
    memcpy(row, t->all, size);
    for (size_t i = 0; i < t->n_bits; i++) {
        const struct mlog_box *box = t->bits[i].box;

        for (size_t j = 0; j < box->n_ports; j++) {
            if (!mlog_port_literal_eval(&box->ports[j], id)) {
                row[i / WORD_BITS + 1] &= ~(UINT64_C(1) << i % WORD_BITS);
                break;
            }
        }
    }
    summarize(t, row);
    t->row_of[id] = t->n_port_rows;
    return row;
}

static const uint64_t *
get_port_row(struct tables *t, uint16_t id)
{
    uint32_t generation = mlog_ports_generation();

    if (OVS_UNLIKELY(generation != t->ports_generation
                     || t->n_port_rows >= UINT16_MAX)) {
        memset(t->row_of, 0, (UINT16_MAX + 1) * sizeof *t->row_of);
        t->n_port_rows = 0;
        t->ports_generation = generation;
    }
    return (t->row_of[id]
            ? row_at(t, t->port_rows, t->row_of[id] - 1)
            : add_port_row(t, id));
}

/* False if the boxes that 'dim' restricts are excluded by other dimensions
 * anyway, see enum mlog_dim. */
static inline bool
dim_matters(enum mlog_dim dim, const struct mlog_flow_key *key)
{
    switch (dim) {
    case MLOG_DIM_SRC6:
    case MLOG_DIM_DST6:
        return key->dl_type != ETH_TYPE_IP;

    case MLOG_DIM_ICMP_TYPE:
    case MLOG_DIM_ICMP_CODE:
        return key->has & MLOG_HAS_ICMP;

    default:
        return true;
    }
}

/* Stores the rows whose common bits are the boxes of 'flow' into 'rows' and
 * returns their number. */
static inline size_t
get_rows(struct tables *t, const struct mlog_record *flow,
         const uint64_t *rows[])
{
    size_t n = 0;

    rows[n++] = get_kind_row(t, flow);
    for (size_t i = t->n_kind; i < t->n; i++) {
        if (dim_matters(t->tables[i].dim, flow->key)) {
            rows[n++] = get_row(t, &t->tables[i], flow);
        }
    }
    if (t->has_ports) {
        rows[n++] = get_port_row(t, flow->key->in_port);
    }
    return n;
}

/* What is found.  'maybe' is for what goes after the indexes of expressions
 * that are true; a few more may be written, but don't count. */
struct found {
    uint16_t *indexes;
    size_t n;
    uint16_t maybe[MLOG_CLASSIFIER_ROOM];
    size_t n_maybe;

    /* Bits: boxes that don't say all that their expressions say. */
    bool any_unsure;
    uint64_t unsure[MAX_WORDS];
};

/* Stores the expressions of the bits of word 'i', which are 'word', into
 * 'indexes' and returns their number.  It takes some at a time, without a
 * branch, so that what it does is often the same. */
static inline size_t
emit(const struct tables *t, size_t i, uint64_t word, uint16_t *indexes)
{
    const uint16_t *exprs = &t->exprs[i * WORD_BITS];
    size_t n = 0;

    do {
        for (int j = 0; j < 2; j++) {
            indexes[n] = exprs[raw_ctz(word | UINT64_C(1) << 63)];
            n += word != 0;
            word &= word - 1;
        }
    } while (word);
    return n;
}

static inline void
find_word(const struct tables *t, const uint64_t *const rows[], size_t n_rows,
          size_t i, struct found *found)
{
    uint64_t word = rows[0][i + 1];

    for (size_t j = 1; j < n_rows; j++) {
        word &= rows[j][i + 1];
    }
    found->n += emit(t, i, word & t->sure_true[i], &found->indexes[found->n]);
    found->n_maybe += emit(t, i, word & t->sure_maybe[i],
                           &found->maybe[found->n_maybe]);

    uint64_t unsure = word & ~(t->sure_true[i] | t->sure_maybe[i]);
    if (unsure) {
        if (!found->any_unsure) {
            found->any_unsure = true;
            memset(found->unsure, 0, t->n_words * sizeof found->unsure[0]);
        }
        found->unsure[i] = unsure;
    }
}

/* Adds the expressions that have other boxes, too, or are to be asked. */
static void
find_unsure(const struct mlog_classifier *c, const struct mlog_record *flow,
            struct found *found)
{
    uint64_t verdicts[MLOG_VERDICT_MAYBE + 1][MAX_WORDS];
    const struct tables *t = c->tables;
    size_t n_words = DIV_ROUND_UP(c->n, WORD_BITS);

    memset(verdicts, 0, sizeof verdicts);
    for (size_t i = 0; i < t->n_words; i++) {
        for (uint64_t word = found->unsure[i]; word; word &= word - 1) {
            const struct bit *bit = &t->bits[i * WORD_BITS + raw_ctz(word)];

            set_bit(verdicts[bit->verdict], bit->expr);
        }
    }
    for (size_t i = 0; i < n_words; i++) {
        uint64_t is_true = verdicts[MLOG_VERDICT_TRUE][i];
        uint64_t to_ask = verdicts[MLOG_VERDICT_ASK][i] & ~is_true;
        uint64_t maybe = verdicts[MLOG_VERDICT_MAYBE][i] & ~is_true & ~to_ask;

        for (; is_true; is_true &= is_true - 1) {
            found->indexes[found->n++] = i * WORD_BITS + raw_ctz(is_true);
        }
        for (; maybe; maybe &= maybe - 1) {
            found->maybe[found->n_maybe++] = i * WORD_BITS + raw_ctz(maybe);
        }
        for (; to_ask; to_ask &= to_ask - 1) {
            size_t expr = i * WORD_BITS + raw_ctz(to_ask);
            enum mlog_tri tri = mlog_expr_eval_flow(c->exprs[expr], flow);

            if (tri == MLOG_TRUE) {
                found->indexes[found->n++] = expr;
            } else if (tri == MLOG_MAYBE) {
                found->maybe[found->n_maybe++] = expr;
            }
        }
    }
}

size_t
mlog_classifier_run(struct mlog_classifier *c, const struct mlog_record *flow,
                    uint16_t indexes[], size_t *n)
{
    const uint64_t *rows[MLOG_N_DIMS + 2];
    struct found found;

    if (OVS_UNLIKELY(!c->tables)) {
        limit_boxes(c);
        c->tables = tables_create(c);
    }
    found.indexes = indexes;
    found.n = found.n_maybe = 0;
    found.any_unsure = false;

    size_t n_rows = get_rows(c->tables, flow, rows);
    uint64_t summary = rows[0][0];
    for (size_t i = 1; i < n_rows; i++) {
        summary &= rows[i][0];
    }
    for (; summary; summary &= summary - 1) {
        find_word(c->tables, rows, n_rows, raw_ctz(summary), &found);
    }
    if (OVS_UNLIKELY(found.any_unsure)) {
        find_unsure(c, flow, &found);
    }

    memcpy(&indexes[found.n], found.maybe,
           found.n_maybe * sizeof found.maybe[0]);
    *n = found.n + found.n_maybe;
    return found.n;
}
