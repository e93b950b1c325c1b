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
#include "mlog-expr-private.h"

#include <stdlib.h>
#include <string.h>

#include "mlog-ports.h"
#include "util.h"

/* An expression is compiled into a list of instructions, one for each term,
 * with two jumps each: where to go if the term is true and if it is false.
 * 'and', 'or' and 'not' leave nothing but jumps, all of them forward, so that
 * evaluation is a loop that executes each instruction at most once.
 *
 * Unknown terms
 * =============
 *
 * Of a flow, terms on row fields are not known.  De Morgan's laws move 'not'
 * down to the terms, where it becomes 'negate'; what is above is monotone: if
 * a literal (a term, perhaps negated) goes from false to true, then the whole
 * does not go from true to false.  So if the whole is true with all unknown
 * literals false, then it is true whatever they are, and if it is false with
 * all of them true, then it is false whatever they are.  These two runs give
 * the answer that three-valued logic (Kleene's) would give. */

/* Values. */

/* Gets the field, or says that it lacks (MLOG_FALSE) or that it is not known
 * (MLOG_MAYBE). */
static enum mlog_tri
get_field(const struct mlog_field *field, const struct mlog_record *record,
          struct mlog_value *value)
{
    if (field->scope == MLOG_SCOPE_ROW && !record->row) {
        return (mlog_field_in_flow(field, record->key)
                ? MLOG_MAYBE : MLOG_FALSE);
    }
    return mlog_field_get(field, record, value) ? MLOG_TRUE : MLOG_FALSE;
}

/* Replaces a port identifier by its OpenFlow number. */
static bool
to_ofp_number(struct mlog_value *value)
{
    uint32_t ofp = mlog_ports_ofp(value->lo);

    value->lo = ofp;
    return ofp != MLOG_OFP_PORT_NONE;
}

/* Terms. */

static bool
in_ranges(const struct mlog_term *term, const struct mlog_value *value)
{
    size_t low = 0;
    size_t high = term->n_ranges;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct mlog_range *range = &term->ranges[mid];

        if (mlog_value_compare(value, &range->min) < 0) {
            high = mid;
        } else if (mlog_value_compare(value, &range->max) > 0) {
            low = mid + 1;
        } else {
            return true;
        }
    }
    return false;
}

static bool
in_masks(const struct mlog_term *term, const struct mlog_value *value)
{
    for (size_t i = 0; i < term->n_masks; i++) {
        const struct mlog_masked *m = &term->masks[i];

        if ((value->hi & m->mask.hi) == m->value.hi
            && (value->lo & m->mask.lo) == m->value.lo) {
            return true;
        }
    }
    return false;
}

static bool
in_strings(const struct mlog_term *term, const char *name)
{
    size_t low = 0;
    size_t high = term->n_strings;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int cmp = strcmp(name, term->strings[mid]);

        if (!cmp) {
            return true;
        } else if (cmp < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return false;
}

/* A port has a name, an OpenFlow number, or both.  If it lacks what all the
 * constants are, then the packet lacks the field. */
static bool
eval_port_set(const struct mlog_term *term, uint16_t id)
{
    const char *name = mlog_ports_name(id);
    struct mlog_value number = { 0, id };
    bool has_number = to_ofp_number(&number);
    bool comparable = ((name && term->n_strings)
                       || (has_number && (term->n_ranges || term->n_masks)));
    bool in = ((name && in_strings(term, name))
               || (has_number && (in_ranges(term, &number)
                                  || in_masks(term, &number))));

    return comparable && in == (term->op == MLOG_OP_EQ);
}

static bool
eval_set(const struct mlog_term *term, const struct mlog_value *value)
{
    enum mlog_field_type type = term->field->type;

    if (type == MLOG_FT_PORT || type == MLOG_FT_PORT_NAME) {
        return eval_port_set(term, value->lo);
    }
    return (in_ranges(term, value) || in_masks(term, value))
           == (term->op == MLOG_OP_EQ);
}

static bool
eval_op(enum mlog_op op, const struct mlog_value *a,
        const struct mlog_value *b)
{
    int cmp = mlog_value_compare(a, b);

    switch (op) {
    case MLOG_OP_EQ: return cmp == 0;
    case MLOG_OP_NE: return cmp != 0;
    case MLOG_OP_LT: return cmp < 0;
    case MLOG_OP_LE: return cmp <= 0;
    case MLOG_OP_GT: return cmp > 0;
    case MLOG_OP_GE: return cmp >= 0;
    }
    OVS_NOT_REACHED();
}

static bool
eval_order(const struct mlog_term *term, struct mlog_value *value)
{
    return ((term->field->type != MLOG_FT_PORT || to_ofp_number(value))
            && eval_op(term->op, value, &term->constants[0].a));
}

/* Makes an IPv4 address comparable with a value of MLOG_FT_L3. */
static void
to_l3(const struct mlog_field *field, struct mlog_value *value)
{
    if (field->type == MLOG_FT_IPV4) {
        value->lo |= UINT64_C(0xffff) << 32;
    }
}

static enum mlog_tri
eval_fields(const struct mlog_term *term, const struct mlog_record *record)
{
    struct mlog_value a, b;
    enum mlog_tri has_a = get_field(term->field, record, &a);
    enum mlog_tri has_b = get_field(term->field2, record, &b);

    if (has_a == MLOG_FALSE || has_b == MLOG_FALSE) {
        return MLOG_FALSE;
    } else if (has_a == MLOG_MAYBE || has_b == MLOG_MAYBE) {
        return MLOG_MAYBE;
    }
    to_l3(term->field, &a);
    to_l3(term->field2, &b);
    return eval_op(term->op, &a, &b) ? MLOG_TRUE : MLOG_FALSE;
}

enum mlog_tri
mlog_term_eval(const struct mlog_term *term,
               const struct mlog_record *record)
{
    struct mlog_value value;
    enum mlog_tri has;

    if (term->type == MLOG_TERM_PREDICATE) {
        return mlog_predicate_eval(term->predicate, record);
    } else if (term->type == MLOG_TERM_FIELDS) {
        return eval_fields(term, record);
    } else if (term->type == MLOG_TERM_CUSTOM) {
        return term->custom->eval(term->aux, record);
    }

    has = get_field(term->field, record, &value);
    if (has != MLOG_TRUE || term->type == MLOG_TERM_PRESENT) {
        return has;
    }
    return ((term->type == MLOG_TERM_SET
             ? eval_set(term, &value)
             : eval_order(term, &value)) ? MLOG_TRUE : MLOG_FALSE);
}

/* Programs. */

/* Runs the program, every literal that is not known being 'unknown'.  Sets
 * '*maybe' to true if there was one. */
static bool
run(const struct mlog_expr *expr, const struct mlog_record *record,
    bool unknown, bool *maybe)
{
    uint16_t pc = expr->n_insns ? 0 : MLOG_ACCEPT;

    while (pc < MLOG_REJECT) {
        const struct mlog_insn *insn = &expr->insns[pc];
        enum mlog_tri result = mlog_term_eval(insn->term, record);
        bool literal;

        if (result == MLOG_MAYBE) {
            *maybe = true;
            literal = unknown;
        } else {
            literal = (result == MLOG_TRUE) != insn->negate;
        }
        pc = literal ? insn->jt : insn->jf;
    }
    return pc == MLOG_ACCEPT;
}

bool
mlog_expr_eval(const struct mlog_expr *expr, const struct mlog_record *record)
{
    bool maybe = false;

    ovs_assert(record->row || expr->flow_only);
    return run(expr, record, false, &maybe);
}

enum mlog_tri
mlog_expr_eval_flow(const struct mlog_expr *expr,
                    const struct mlog_record *record)
{
    struct mlog_record flow = *record;
    bool maybe = false;

    flow.row = NULL;
    flow.time = 0;
    if (run(expr, &flow, false, &maybe)) {
        return MLOG_TRUE;
    }
    return maybe && run(expr, &flow, true, &maybe) ? MLOG_MAYBE : MLOG_FALSE;
}

/* Compilation.
 *
 * Instructions are made from the last to the first, so that the places where
 * jumps go are always known. */

/* Puts code for 'node' before instruction '*pc', ending at 'jt' or 'jf'.
 * Makes '*pc' the first instruction of it. */
static void
compile_node(const struct mlog_node *node, bool negate, uint16_t jt,
             uint16_t jf, struct mlog_insn *insns, uint16_t *pc)
{
    switch (node->type) {
    case MLOG_NODE_TERM:
        insns[--*pc] = (struct mlog_insn) {
            .term = node->term, .negate = negate, .jt = jt, .jf = jf
        };
        return;

    case MLOG_NODE_NOT:
        compile_node(node->children[0], !negate, jt, jf, insns, pc);
        return;

    case MLOG_NODE_AND:
    case MLOG_NODE_OR: {
        bool is_and = (node->type == MLOG_NODE_AND) != negate;

        for (size_t i = node->n; i-- > 0; ) {
            bool last = i == node->n - 1;

            compile_node(node->children[i], negate,
                         last || !is_and ? jt : *pc,
                         last || is_and ? jf : *pc, insns, pc);
        }
        return;
    }
    }
    OVS_NOT_REACHED();
}

size_t
mlog_node_count_terms(const struct mlog_node *node)
{
    size_t n = node->type == MLOG_NODE_TERM;

    for (size_t i = 0; i < node->n; i++) {
        n += mlog_node_count_terms(node->children[i]);
    }
    return n;
}

static bool
term_needs_row(const struct mlog_term *term)
{
    return (term->type == MLOG_TERM_CUSTOM
            ? true
            : term->type == MLOG_TERM_PREDICATE
            ? term->predicate->scope == MLOG_SCOPE_ROW
            : term->field->scope == MLOG_SCOPE_ROW
              || (term->field2 && term->field2->scope == MLOG_SCOPE_ROW));
}

bool
mlog_node_needs_row(const struct mlog_node *node)
{
    if (node->type == MLOG_NODE_TERM) {
        return term_needs_row(node->term);
    }
    for (size_t i = 0; i < node->n; i++) {
        if (mlog_node_needs_row(node->children[i])) {
            return true;
        }
    }
    return false;
}

void
mlog_expr_compile(struct mlog_expr *expr)
{
    expr->flow_only = true;
    if (!expr->root) {
        return;
    }

    expr->n_insns = mlog_node_count_terms(expr->root);
    ovs_assert(expr->n_insns < MLOG_REJECT);
    expr->insns = xcalloc(expr->n_insns, sizeof *expr->insns);

    uint16_t pc = expr->n_insns;
    compile_node(expr->root, false, MLOG_ACCEPT, MLOG_REJECT, expr->insns,
                 &pc);
    ovs_assert(pc == 0);

    for (size_t i = 0; i < expr->n_insns; i++) {
        expr->flow_only &= !term_needs_row(expr->insns[i].term);
    }
}

/* Bounds on the time. */

struct time_range {
    uint64_t min, max;
};

static const struct time_range always = { 0, UINT64_MAX };
static const struct time_range never = { UINT64_MAX, 0 };

static struct time_range
order_time_range(enum mlog_op op, uint64_t t)
{
    switch (op) {
    case MLOG_OP_LT:
        return t ? (struct time_range) { 0, t - 1 } : never;
    case MLOG_OP_LE:
        return (struct time_range) { 0, t };
    case MLOG_OP_GT:
        return (t < UINT64_MAX
                ? (struct time_range) { t + 1, UINT64_MAX } : never);
    case MLOG_OP_GE:
        return (struct time_range) { t, UINT64_MAX };
    case MLOG_OP_EQ:
    case MLOG_OP_NE:
        break;
    }
    OVS_NOT_REACHED();
}

static enum mlog_op
negate_order(enum mlog_op op)
{
    return (op == MLOG_OP_LT ? MLOG_OP_GE
            : op == MLOG_OP_LE ? MLOG_OP_GT
            : op == MLOG_OP_GT ? MLOG_OP_LE
            : MLOG_OP_LT);
}

/* Every record has a time, so "not <" is ">=". */
static struct time_range
term_time_range(const struct mlog_term *term, bool negate)
{
    if (!term->field || term->field->id != MLOG_F_TIME) {
        return always;
    } else if (term->type == MLOG_TERM_ORDER) {
        return order_time_range(negate ? negate_order(term->op) : term->op,
                                term->constants[0].a.lo);
    } else if (term->type == MLOG_TERM_SET
               && (term->op == MLOG_OP_EQ) != negate) {
        return (struct time_range) {
            term->ranges[0].min.lo, term->ranges[term->n_ranges - 1].max.lo
        };
    } else {
        return always;
    }
}

static struct time_range
node_time_range(const struct mlog_node *node, bool negate)
{
    if (node->type == MLOG_NODE_TERM) {
        return term_time_range(node->term, negate);
    } else if (node->type == MLOG_NODE_NOT) {
        return node_time_range(node->children[0], !negate);
    }

    bool is_and = (node->type == MLOG_NODE_AND) != negate;
    struct time_range range = is_and ? always : never;

    for (size_t i = 0; i < node->n; i++) {
        struct time_range r = node_time_range(node->children[i], negate);

        range.min = is_and ? MAX(range.min, r.min) : MIN(range.min, r.min);
        range.max = is_and ? MIN(range.max, r.max) : MAX(range.max, r.max);
    }
    return range;
}

void
mlog_expr_time_range(const struct mlog_expr *expr,
                     uint64_t *min, uint64_t *max)
{
    struct time_range range = (expr->root
                               ? node_time_range(expr->root, false) : always);

    *min = range.min;
    *max = range.max;
}
