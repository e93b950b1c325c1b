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

#include "mlog-block-expr.h"

#include <stdlib.h>

#include "mlog-bitpack.h"
#include "mlog-expr-private.h"
#include "mlog-ports.h"
#include "util.h"

/* How an expression becomes a program
 * ===================================
 *
 * A tree of 'and' and 'or', 'not' being moved down to the leaves:
 *
 *   test     a column's value is in one of a few ranges
 *   time     the row's time is in one of a few ranges
 *   flow     a bit of the flow's byte
 *   unknown  what none of these can express: taken for true, so what is left
 *            at the end has to be looked at row by row
 *
 * Since 'and' and 'or' are monotone, taking leaves for true leaves too many
 * rows, never too few.
 *
 * What is given
 * =============
 *
 * Rows whose flow decides are none of the program's business, so it may assume
 * that the flow leaves the whole expression open: it is neither TRUE nor FALSE
 * by the flow.  If an 'and' isn't FALSE by the flow, none of its operands is,
 * and those that depend on the flow alone are true: they drop out.  Of a
 * comparison that isn't FALSE the flow has the field.  Likewise for 'or' and
 * TRUE.  So of "tcp && nw_dst == 10.0.0.1 && tcp_flags == +syn" nothing
 * remains but the flags.
 *
 * A field that a packet lacks is zero in the row (mlog-record.h), so whether
 * the flow has the field matters only for comparisons that are true of 0. */

enum { NOT_FALSE = 1, NOT_TRUE = 2 };

enum node_type { N_AND, N_OR, N_TEST, N_TIME, N_FLOW, N_UNKNOWN };

/* More ranges than that are left to mlog_expr_eval(), which bisects. */
#define MAX_TESTS 12

struct node {
    enum node_type type;
    bool negate;                        /* Leaves. */
    struct node **children;             /* N_AND, N_OR. */
    size_t n, allocated;
    enum mlog_row_column column;        /* N_TEST. */
    struct mlog_test *tests;            /* N_TEST: 'n' of them. */
    const struct mlog_term *term;       /* N_TIME. */
    uint8_t bit;                        /* N_FLOW: in the flow's byte. */
};

/* A flow leaf: whether 'node' is true of the flow, or whether it has 'field'.
 */
struct flow_part {
    const struct mlog_node *node;
    const struct mlog_field *field;
};

/* What the keys of flows must have for the expression not to be FALSE: most
 * flows are told by this, with a few instructions. */
#define KEY_WORDS (sizeof(struct mlog_flow_key) / sizeof(uint64_t))
struct key_filter {
    struct mlog_flow_key mask, value;
    uint64_t masks[KEY_WORDS], values[KEY_WORDS];       /* The same. */
};

#define FIRST_FLOW_BIT 2
#define MAX_FLOW_PARTS (8 - FIRST_FLOW_BIT)

struct mlog_block_expr {
    const struct mlog_expr *expr;
    struct key_filter filter;
    struct node *root;
    struct flow_part parts[MAX_FLOW_PARTS];
    size_t n_parts;
    bool row_only;
    bool needs_rows;
    bool exact;
    uint32_t columns;
};

/* Nodes. */

static struct node *
node_create(enum node_type type, bool negate)
{
    struct node *node = xzalloc(sizeof *node);

    node->type = type;
    node->negate = negate;
    return node;
}

static void
node_destroy(struct node *node)
{
    if (node) {
        for (size_t i = 0; node->children && i < node->n; i++) {
            node_destroy(node->children[i]);
        }
        free(node->children);
        free(node->tests);
        free(node);
    }
}

static void
node_add(struct node *node, struct node *child)
{
    if (node->n >= node->allocated) {
        node->children = x2nrealloc(node->children, &node->allocated,
                                    sizeof *node->children);
    }
    node->children[node->n++] = child;
}

/* 'and' of nothing is true, 'or' of nothing false. */
static struct node *
node_constant(bool value)
{
    return node_create(value ? N_AND : N_OR, false);
}

/* What takes longer comes later, so that it may not be needed. */
static int
node_cost(const struct node *node)
{
    switch (node->type) {
    case N_TIME: return 0;
    case N_TEST: return node->n;
    case N_AND:
    case N_OR: return MAX_TESTS + 1;
    case N_FLOW: return MAX_TESTS + 2;
    case N_UNKNOWN: return MAX_TESTS + 3;
    }
    OVS_NOT_REACHED();
}

static void
sort_children(struct node *node)
{
    for (size_t i = 1; i < node->n; i++) {
        struct node *child = node->children[i];
        size_t j = i;

        for (; j && node_cost(node->children[j - 1]) > node_cost(child); j--) {
            node->children[j] = node->children[j - 1];
        }
        node->children[j] = child;
    }
}

/* Leaves. */

/* The literal "'term' is true", or if 'negate' not; the pieces of it negate
 * their own way. */
struct literal {
    struct mlog_block_expr *program;
    const struct mlog_term *term;
    bool negate;
    int given;
};

static struct node *
make_unknown(struct mlog_block_expr *program)
{
    program->exact = false;
    return node_create(N_UNKNOWN, false);
}

/* 'node' or, without that, "the flow has 'field'". */
static struct node *
make_flow(struct mlog_block_expr *program, const struct mlog_node *node,
          const struct mlog_field *field, bool negate)
{
    size_t i;

    for (i = 0; i < program->n_parts; i++) {
        if (program->parts[i].node == node
            && program->parts[i].field == field) {
            break;
        }
    }
    if (i == program->n_parts) {
        if (i == MAX_FLOW_PARTS) {
            return make_unknown(program);
        }
        program->parts[program->n_parts++] = (struct flow_part) {
            node, field
        };
    }

    struct node *leaf = node_create(N_FLOW, negate);
    leaf->bit = 1 << (FIRST_FLOW_BIT + i);
    return leaf;
}

static struct node *
make_test(struct mlog_block_expr *program, enum mlog_row_column column,
          const struct mlog_test *tests, size_t n, bool negate)
{
    if (!n) {
        return node_constant(negate);
    }

    struct node *leaf = node_create(N_TEST, negate);
    leaf->column = column;
    leaf->tests = xmemdup(tests, n * sizeof *tests);
    leaf->n = n;
    program->columns |= 1u << column;
    return leaf;
}

/* A test for one value. */
static struct node *
make_equal(struct mlog_block_expr *program, enum mlog_row_column column,
           uint32_t value, bool negate)
{
    const struct mlog_test test = { UINT32_MAX, value, value };

    return make_test(program, column, &test, 1, negate);
}

static bool
all_flows_have(const struct mlog_field *field)
{
    const struct mlog_flow_needs *needs = mlog_field_needs(field);

    return (!needs->has && !needs->tags && !needs->nw_proto && !needs->in_port
            && !needs->dl_type);
}

/* "The flow has the field, and" 'leaf', of which 'literal' is made. */
static struct node *
with_field(const struct literal *l, struct node *leaf)
{
    if (all_flows_have(l->term->field)
        || l->given & (l->negate ? NOT_TRUE : NOT_FALSE)) {
        return leaf;
    }

    struct node *both = node_create(l->negate ? N_OR : N_AND, false);
    node_add(both, leaf);
    node_add(both, make_flow(l->program, NULL, l->term->field, l->negate));
    return both;
}

/* Ports: which identifiers make the term true is found out by trying. */
static struct node *
make_port(const struct literal *l)
{
    struct mlog_test tests[MAX_TESTS];
    struct mlog_flow_key key = { .has = 0 };
    uint32_t n_ports = MIN(mlog_ports_count(), MLOG_PORT_NONE);
    size_t n = 0;

    for (uint32_t id = 0; id < n_ports; id++) {
        struct mlog_row row = { .time_port = mlog_row_pack_time_port(0, id) };
        struct mlog_record record = { .key = &key, .row = &row };

        if (mlog_term_eval(l->term, &record) != MLOG_TRUE) {
            continue;
        }
        if (n && tests[n - 1].max == id - 1) {
            tests[n - 1].max = id;
        } else if (n == MAX_TESTS) {
            return make_unknown(l->program);
        } else {
            tests[n++] = (struct mlog_test) { UINT32_MAX, id, id };
        }
    }

    struct node *both = node_create(l->negate ? N_OR : N_AND, false);
    node_add(both, make_test(l->program, MLOG_COLUMN_OUT_PORT, tests, n,
                             l->negate));
    node_add(both, make_equal(l->program, MLOG_COLUMN_REASON, 0, l->negate));
    return both;
}

/* How the value of a field follows from a column: it is (column & mask) >>
 * shift. */
struct field_column {
    enum mlog_row_column column;
    uint32_t mask;
    unsigned int shift;
};

static bool
field_column(enum mlog_field_id id, struct field_column *fc)
{
#define CASE(FIELD, COLUMN, MASK, SHIFT)                                    \
    case MLOG_F_##FIELD:                                                    \
        *fc = (struct field_column) { MLOG_COLUMN_##COLUMN, MASK, SHIFT };  \
        return true
    switch ((int) id) {
    CASE(PKT_LEN, PKT_LEN, UINT32_MAX, 0);
    CASE(NW_TTL, TTL, UINT32_MAX, 0);
    CASE(NW_TOS, NW_TOS, 0xfc, 0);
    CASE(IP_DSCP, NW_TOS, 0xfc, 2);
    CASE(NW_ECN, NW_TOS, 0x3, 0);
    CASE(IP_ID, IP_ID, UINT32_MAX, 0);
    CASE(TCP_FLAGS, TCP_FLAGS, 0xfff, 0);
    CASE(TCP_SEQ, TCP_SEQ, UINT32_MAX, 0);
    CASE(TCP_ACK, TCP_ACK, UINT32_MAX, 0);
    CASE(TCP_WINDOW, TCP_WINDOW, UINT32_MAX, 0);
    CASE(DROP_REASON, REASON, UINT32_MAX, 0);
    }
#undef CASE
    return false;
}

/* Adds values 'min'...'max' of the field.  Returns false if there is no
 * room. */
static bool
add_range(const struct field_column *fc, uint64_t min, uint64_t max,
          struct mlog_test tests[MAX_TESTS], size_t *n)
{
    const uint32_t limit = fc->mask >> fc->shift;

    if (min > max || min > limit) {
        return true;
    } else if (*n == MAX_TESTS) {
        return false;
    }
    tests[(*n)++] = (struct mlog_test) {
        fc->mask, min << fc->shift, MIN(max, limit) << fc->shift
    };
    return true;
}

/* Of MLOG_TERM_ORDER. */
static bool
add_order(const struct mlog_term *term, const struct field_column *fc,
          struct mlog_test tests[MAX_TESTS], size_t *n)
{
    const uint64_t x = term->constants[0].a.lo;

    switch (term->op) {
    case MLOG_OP_LT:
        return !x || add_range(fc, 0, x - 1, tests, n);
    case MLOG_OP_LE:
        return add_range(fc, 0, x, tests, n);
    case MLOG_OP_GT:
        return x == UINT64_MAX || add_range(fc, x + 1, UINT64_MAX, tests, n);
    case MLOG_OP_GE:
        return add_range(fc, x, UINT64_MAX, tests, n);
    case MLOG_OP_EQ:
    case MLOG_OP_NE:
        break;
    }
    OVS_NOT_REACHED();
}

static bool
add_set(const struct mlog_term *term, const struct field_column *fc,
        struct mlog_test tests[MAX_TESTS], size_t *n)
{
    for (size_t i = 0; i < term->n_ranges; i++) {
        if (!add_range(fc, term->ranges[i].min.lo, term->ranges[i].max.lo,
                       tests, n)) {
            return false;
        }
    }
    for (size_t i = 0; i < term->n_masks; i++) {
        uint32_t mask = term->masks[i].mask.lo << fc->shift & fc->mask;
        uint32_t value = term->masks[i].value.lo << fc->shift;

        if (*n == MAX_TESTS) {
            return false;
        }
        tests[(*n)++] = (struct mlog_test) { mask, value, value };
    }
    return true;
}

static bool
any_test(const struct mlog_test *tests, size_t n, uint32_t value)
{
    for (size_t i = 0; i < n; i++) {
        if (mlog_test_value(&tests[i], value)) {
            return true;
        }
    }
    return false;
}

/* MLOG_TERM_SET or MLOG_TERM_ORDER of a field that is a column's. */
static struct node *
make_compare(const struct literal *l, const struct field_column *fc)
{
    const struct mlog_term *term = l->term;
    bool is_reason = term->field->id == MLOG_F_DROP_REASON;
    bool outside = term->type == MLOG_TERM_SET && term->op == MLOG_OP_NE;
    struct mlog_test tests[MAX_TESTS + 1];
    size_t n = 0;

    if (!(term->type == MLOG_TERM_SET ? add_set(term, fc, tests, &n)
          : add_order(term, fc, tests, &n))) {
        return make_unknown(l->program);
    }

    /* A reason of 0 is none, of which no comparison is true. */
    if (is_reason && outside) {
        tests[n++] = (struct mlog_test) { UINT32_MAX, 0, 0 };
    } else if (is_reason && any_test(tests, n, 0)) {
        return make_unknown(l->program);
    }

    bool zero = any_test(tests, n, 0) != outside;
    struct node *leaf = make_test(l->program, fc->column, tests, n,
                                  l->negate != outside);
    return zero ? with_field(l, leaf) : leaf;
}

/* "The packet has the field". */
static struct node *
make_present(const struct literal *l)
{
    struct node *both;

    switch ((int) l->term->field->id) {
    case MLOG_F_DROP_REASON:
        return make_equal(l->program, MLOG_COLUMN_REASON, 0, !l->negate);
    case MLOG_F_OUT_PORT:
    case MLOG_F_OUT_PORT_NAME:
        both = node_create(l->negate ? N_OR : N_AND, false);
        node_add(both, make_equal(l->program, MLOG_COLUMN_REASON, 0,
                                  l->negate));
        node_add(both, make_equal(l->program, MLOG_COLUMN_OUT_PORT,
                                  MLOG_PORT_NONE, !l->negate));
        return both;
    }
    return with_field(l, node_constant(!l->negate));
}

/* A literal that needs the row. */
static struct node *
make_literal(const struct literal *l)
{
    const struct mlog_term *term = l->term;
    struct field_column fc;

    if (term->type == MLOG_TERM_PREDICATE) {
        bool drop = !strcmp(term->predicate->name, "drop");

        ovs_assert(drop || !strcmp(term->predicate->name, "forwarded"));
        return make_equal(l->program, MLOG_COLUMN_REASON, 0,
                          drop != l->negate);
    } else if (term->type == MLOG_TERM_FIELDS
               || term->type == MLOG_TERM_CUSTOM) {
        return make_unknown(l->program);
    } else if (term->type == MLOG_TERM_PRESENT) {
        return make_present(l);
    } else if (term->field->id == MLOG_F_TIME) {
        struct node *leaf = node_create(N_TIME, l->negate);

        leaf->term = term;
        return leaf;
    } else if (term->field->id == MLOG_F_OUT_PORT
               || term->field->id == MLOG_F_OUT_PORT_NAME) {
        return make_port(l);
    } else if (field_column(term->field->id, &fc)) {
        return make_compare(l, &fc);
    }
    return make_unknown(l->program);
}

/* Compilation.  Recursion is no deeper than MLOG_EXPR_MAX_DEPTH. */

static struct node *compile(struct mlog_block_expr *,
                            const struct mlog_node *, bool negate, int given);

/* Returns what is given of the operands of an 'and' (or of an 'or' if not
 * 'is_and') of which 'given' is. */
static int
given_of_operands(const struct mlog_node *node, bool is_and, int given)
{
    int inherited = is_and ? NOT_FALSE : NOT_TRUE;
    size_t n_rows = 0;

    for (size_t i = 0; i < node->n; i++) {
        n_rows += mlog_node_needs_row(node->children[i]);
    }

    /* If the others have dropped out, the last one is the whole. */
    return n_rows == 1 && given & inherited ? given : given & inherited;
}

static struct node *
compile_operands(struct mlog_block_expr *program, const struct mlog_node *node,
                 bool negate, int given)
{
    bool is_and = (node->type == MLOG_NODE_AND) != negate;
    int given_operands = given_of_operands(node, is_and, given);
    struct node *result = node_create(is_and ? N_AND : N_OR, false);

    for (size_t i = 0; i < node->n; i++) {
        if (mlog_node_needs_row(node->children[i])
            || !(given & (is_and ? NOT_FALSE : NOT_TRUE))) {
            node_add(result, compile(program, node->children[i], negate,
                                     given_operands));
        }
    }
    sort_children(result);
    return result;
}

static struct node *
compile(struct mlog_block_expr *program, const struct mlog_node *node,
        bool negate, int given)
{
    if (!mlog_node_needs_row(node)) {
        return make_flow(program, node, NULL, negate);
    }
    switch (node->type) {
    case MLOG_NODE_TERM:
        return make_literal(&(struct literal) {
            program, node->term, negate, given
        });
    case MLOG_NODE_NOT:
        return compile(program, node->children[0], !negate, given);
    case MLOG_NODE_AND:
    case MLOG_NODE_OR:
        return compile_operands(program, node, negate, given);
    }
    OVS_NOT_REACHED();
}

/* True if 'node', negated or not, may be true by the flow alone. */
static bool
flow_may_decide(const struct mlog_node *node, bool negate)
{
    if (!mlog_node_needs_row(node)) {
        return true;
    } else if (node->type == MLOG_NODE_TERM) {
        /* By lacking the field. */
        return (node->term->type == MLOG_TERM_CUSTOM
                || (negate && node->term->field));
    } else if (node->type == MLOG_NODE_NOT) {
        return flow_may_decide(node->children[0], !negate);
    }

    bool is_and = (node->type == MLOG_NODE_AND) != negate;
    for (size_t i = 0; i < node->n; i++) {
        if (flow_may_decide(node->children[i], negate) != is_and) {
            return !is_and;
        }
    }
    return is_and;
}

static void
recompile(struct mlog_block_expr *program, int given)
{
    node_destroy(program->root);
    program->n_parts = 0;
    program->exact = true;
    program->columns = 0;
    program->root = (program->expr->root
                     ? compile(program, program->expr->root, false, given)
                     : node_constant(true));
}

/* Key filters. */

/* Returns true if the term is true only of values that under '*mask' are
 * '*value'. */
static bool
term_mask(const struct mlog_term *term, uint32_t *mask, uint32_t *value)
{
    if (term->type != MLOG_TERM_SET || term->op != MLOG_OP_EQ
        || term->n_strings || term->n_ranges + term->n_masks != 1) {
        return false;
    } else if (term->n_masks) {
        *mask = term->masks[0].mask.lo;
        *value = term->masks[0].value.lo;
        return true;
    }

    /* A prefix or a single value, or else the prefix that they share. */
    uint32_t min = term->ranges[0].min.lo, max = term->ranges[0].max.lo;
    unsigned int n_low = mlog_bit_width(min ^ max);

    *mask = n_low < 32 ? UINT32_MAX << n_low : 0;
    *value = min & *mask;
    return true;
}

static void
filter_add_term(struct key_filter *f, const struct mlog_term *term)
{
    uint32_t mask, value;

    if (!term->field || !term_mask(term, &mask, &value)) {
        return;
    }
    switch ((int) term->field->id) {
    case MLOG_F_NW_SRC:
        f->mask.src[3] |= htonl(mask);
        f->value.src[3] |= htonl(value);
        break;
    case MLOG_F_NW_DST:
        f->mask.dst[3] |= htonl(mask);
        f->value.dst[3] |= htonl(value);
        break;
    case MLOG_F_NW_PROTO:
        f->mask.nw_proto |= mask;
        f->value.nw_proto |= value;
        break;
    case MLOG_F_TP_SRC:
    case MLOG_F_TCP_SRC:
    case MLOG_F_UDP_SRC:
        f->mask.tp_src |= mask;
        f->value.tp_src |= value;
        break;
    case MLOG_F_TP_DST:
    case MLOG_F_TCP_DST:
    case MLOG_F_UDP_DST:
        f->mask.tp_dst |= mask;
        f->value.tp_dst |= value;
        break;
    }
}

/* Of the operands of the outermost 'and'.  If two of them say different things
 * of one bit, the value has a bit more than one of them, but then no flow
 * makes the expression true anyway. */
static void
filter_init(struct key_filter *f, const struct mlog_node *root)
{
    if (root && root->type == MLOG_NODE_TERM) {
        filter_add_term(f, root->term);
    } else if (root && root->type == MLOG_NODE_AND) {
        for (size_t i = 0; i < root->n; i++) {
            if (root->children[i]->type == MLOG_NODE_TERM) {
                filter_add_term(f, root->children[i]->term);
            }
        }
    }
    memcpy(f->masks, &f->mask, sizeof f->masks);
    memcpy(f->values, &f->value, sizeof f->values);
}

static bool
filter_rejects(const struct key_filter *f, const struct mlog_flow_key *key)
{
    uint64_t words[KEY_WORDS];
    uint64_t difference = 0;

    memcpy(words, key, sizeof words);
    for (size_t i = 0; i < KEY_WORDS; i++) {
        difference |= (words[i] & f->masks[i]) ^ f->values[i];
    }
    return difference != 0;
}

struct mlog_block_expr *
mlog_block_expr_create(const struct mlog_expr *expr)
{
    struct mlog_block_expr *program = xzalloc(sizeof *program);

    program->expr = expr;
    filter_init(&program->filter, expr->root);
    recompile(program, 0);
    program->row_only = !program->n_parts && program->exact;
    program->needs_rows = expr->root && !flow_may_decide(expr->root, false);
    if (!program->row_only) {
        recompile(program, NOT_FALSE | NOT_TRUE);
    }
    return program;
}

void
mlog_block_expr_destroy(struct mlog_block_expr *program)
{
    if (program) {
        node_destroy(program->root);
        free(program);
    }
}

bool
mlog_block_expr_is_row_only(const struct mlog_block_expr *program)
{
    return program->row_only;
}

bool
mlog_block_expr_has_parts(const struct mlog_block_expr *program)
{
    return program->n_parts > 0;
}

bool
mlog_block_expr_needs_rows(const struct mlog_block_expr *program)
{
    return program->needs_rows;
}

bool
mlog_block_expr_is_exact(const struct mlog_block_expr *program)
{
    return program->exact;
}

uint32_t
mlog_block_expr_columns(const struct mlog_block_expr *program)
{
    return program->columns;
}

/* Flows. */

static bool
flow_node_holds(const struct mlog_node *node, const struct mlog_record *record)
{
    if (node->type == MLOG_NODE_TERM) {
        return mlog_term_eval(node->term, record) == MLOG_TRUE;
    } else if (node->type == MLOG_NODE_NOT) {
        return !flow_node_holds(node->children[0], record);
    }
    for (size_t i = 0; i < node->n; i++) {
        bool holds = flow_node_holds(node->children[i], record);

        if (holds != (node->type == MLOG_NODE_AND)) {
            return holds;
        }
    }
    return node->type == MLOG_NODE_AND;
}

uint8_t
mlog_block_expr_flow(const struct mlog_block_expr *program,
                     const struct mlog_flow_key *key)
{
    const struct mlog_record record = { .key = key };
    uint8_t byte = 0;

    if (filter_rejects(&program->filter, key)) {
        return MLOG_FLOW_FALSE;
    }
    switch (mlog_expr_eval_flow(program->expr, &record)) {
    case MLOG_FALSE:
        return MLOG_FLOW_FALSE;
    case MLOG_TRUE:
        return MLOG_FLOW_TRUE;
    case MLOG_MAYBE:
        break;
    }
    for (size_t i = 0; i < program->n_parts; i++) {
        const struct flow_part *part = &program->parts[i];

        if (part->node ? flow_node_holds(part->node, &record)
            : mlog_field_in_flow(part->field, key)) {
            byte |= 1 << (FIRST_FLOW_BIT + i);
        }
    }
    return byte | MLOG_FLOW_MAYBE;
}

/* Evaluation: each function clears the bits of rows for which the node is not
 * true. */

static void
clear_all(uint32_t *bits, uint32_t n_groups)
{
    memset(bits, 0, n_groups * sizeof *bits);
}

static void
keep(uint32_t *bits, const uint32_t *hits, bool negate, uint32_t n_groups)
{
    const uint32_t flip = negate ? UINT32_MAX : 0;

    for (uint32_t i = 0; i < n_groups; i++) {
        bits[i] &= hits[i] ^ flip;
    }
}

/* What the least and the greatest value of a block say. */
static enum mlog_tri
zone_says(const struct node *node, uint64_t min, uint64_t max)
{
    enum mlog_tri answer = MLOG_FALSE;

    for (size_t i = 0; i < node->n; i++) {
        const struct mlog_test *t = &node->tests[i];

        if (min == max) {
            if (mlog_test_value(t, min)) {
                return MLOG_TRUE;
            }
        } else if (t->mask == UINT32_MAX && min >= t->min && max <= t->max) {
            return MLOG_TRUE;
        } else if (max >= t->min
                   && (t->mask != UINT32_MAX || min <= t->max)) {
            answer = MLOG_MAYBE;
        }
    }
    return answer;
}

static void
eval_test(const struct node *node, struct mlog_block *block, uint32_t *bits)
{
    uint32_t hits[MLOG_BLOCK_GROUPS] = { 0 };
    enum mlog_tri answer = MLOG_MAYBE;
    uint64_t min, max;

    if (mlog_block_zone(block, node->column, &min, &max)) {
        answer = zone_says(node, min, max);
    }
    if (answer == MLOG_MAYBE) {
        const uint32_t *values = mlog_block_column(block, node->column);

        for (size_t i = 0; i < node->n; i++) {
            mlog_select_test(&node->tests[i], values, block->n_groups, hits);
        }
        keep(bits, hits, node->negate, block->n_groups);
    } else if ((answer == MLOG_TRUE) == node->negate) {
        clear_all(bits, block->n_groups);
    }
}

/* Adds the rows of times 'min' through 'max'. */
static void
add_times(const struct mlog_block *block, uint64_t min, uint64_t max,
          uint32_t *hits)
{
    uint32_t range[MLOG_BLOCK_GROUPS];
    uint32_t start, end;

    mlog_block_times(block, min, max, &start, &end);
    mlog_select_range(start, end, block->n_groups, range);
    for (uint32_t i = 0; i < block->n_groups; i++) {
        hits[i] |= range[i];
    }
}

static void
eval_time(const struct node *node, struct mlog_block *block, uint32_t *bits)
{
    const struct mlog_term *term = node->term;
    uint32_t hits[MLOG_BLOCK_GROUPS] = { 0 };
    bool outside = false;

    if (term->type == MLOG_TERM_SET) {
        outside = term->op == MLOG_OP_NE;
        for (size_t i = 0; i < term->n_ranges; i++) {
            add_times(block, term->ranges[i].min.lo, term->ranges[i].max.lo,
                      hits);
        }
    } else {
        /* "<" is not ">=". */
        uint64_t x = term->constants[0].a.lo;

        outside = term->op == MLOG_OP_LT || term->op == MLOG_OP_GT;
        if (term->op == MLOG_OP_GE || term->op == MLOG_OP_LT) {
            add_times(block, x, UINT64_MAX, hits);
        } else {
            add_times(block, 0, x, hits);
        }
    }
    keep(bits, hits, node->negate != outside, block->n_groups);
}

static void
eval_flow(const struct node *node, struct mlog_block *block, uint32_t *bits)
{
    uint32_t hits[MLOG_BLOCK_GROUPS];

    mlog_select_bytes(mlog_block_bytes(block), node->bit, node->bit,
                      block->n_groups, hits);
    keep(bits, hits, node->negate, block->n_groups);
}

static void eval_node(const struct node *, struct mlog_block *,
                      uint32_t *bits);

static void
eval_or(const struct node *node, struct mlog_block *block, uint32_t *bits)
{
    uint32_t found[MLOG_BLOCK_GROUPS] = { 0 };
    uint32_t hits[MLOG_BLOCK_GROUPS];

    /* 'bits' is what is still to be decided on. */
    for (size_t i = 0; i < node->n; i++) {
        memcpy(hits, bits, block->n_groups * sizeof *hits);
        eval_node(node->children[i], block, hits);
        for (uint32_t g = 0; g < block->n_groups; g++) {
            found[g] |= hits[g];
            bits[g] &= ~hits[g];
        }
        if (mlog_select_is_empty(bits, block->n_groups)) {
            break;
        }
    }
    memcpy(bits, found, block->n_groups * sizeof *bits);
}

static void
eval_node(const struct node *node, struct mlog_block *block, uint32_t *bits)
{
    switch (node->type) {
    case N_AND:
        for (size_t i = 0; i < node->n; i++) {
            eval_node(node->children[i], block, bits);
            if (mlog_select_is_empty(bits, block->n_groups)) {
                return;
            }
        }
        return;
    case N_OR:
        eval_or(node, block, bits);
        return;
    case N_TEST:
        eval_test(node, block, bits);
        return;
    case N_TIME:
        eval_time(node, block, bits);
        return;
    case N_FLOW:
        eval_flow(node, block, bits);
        return;
    case N_UNKNOWN:
        return;
    }
    OVS_NOT_REACHED();
}

void
mlog_block_expr_eval(const struct mlog_block_expr *program,
                     struct mlog_block *block,
                     uint32_t bits[MLOG_BLOCK_GROUPS])
{
    eval_node(program->root, block, bits);
}
