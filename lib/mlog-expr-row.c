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
#include "mlog-expr-row.h"

#include <stdlib.h>

#include "mlog-expr-private.h"
#include "util.h"

/* If a conjunction may be true of a flow, then those of its operands that
 * don't need the row are true of it.  So the rest are the operands that do;
 * here these must be terms, perhaps negated. */

#define MAX_LITERALS 4

struct literal {
    const struct mlog_term *term;
    bool negate;

    /* If there is 'field', then the term is true if the value under 'mask' is
     * within 'min' and 'max'; with 'outside', if it isn't. */
    const struct mlog_field *field;
    uint64_t mask, min, max;
    bool outside;
};

struct mlog_expr_row {
    size_t n;
    struct literal literals[MAX_LITERALS];
};

static bool
is_port(const struct mlog_field *field)
{
    return (field->type == MLOG_FT_PORT
            || field->type == MLOG_FT_PORT_NAME);
}

/* 'term' is of MLOG_TERM_ORDER. */
static void
literal_init_order(struct literal *literal, const struct mlog_term *term)
{
    uint64_t x = term->constants[0].a.lo;

    literal->field = term->field;
    literal->max = UINT64_MAX;
    if (term->op == MLOG_OP_GE || term->op == MLOG_OP_LT) {
        literal->min = x;
    } else {
        literal->max = x;
    }
    literal->outside = term->op == MLOG_OP_LT || term->op == MLOG_OP_GT;
}

static void
literal_init(struct literal *literal, const struct mlog_term *term,
             bool negate)
{
    *literal = (struct literal) {
        .term = term, .negate = negate, .mask = UINT64_MAX,
        .outside = term->op == MLOG_OP_NE,
    };
    if (term->type == MLOG_TERM_ORDER && !is_port(term->field)) {
        literal_init_order(literal, term);
        return;
    } else if (term->type != MLOG_TERM_SET || is_port(term->field)) {
        return;
    }
    if (term->n_ranges == 1 && !term->n_masks) {
        literal->field = term->field;
        literal->min = term->ranges[0].min.lo;
        literal->max = term->ranges[0].max.lo;
    } else if (!term->n_ranges && term->n_masks == 1) {
        literal->field = term->field;
        literal->mask = term->masks[0].mask.lo;
        literal->min = literal->max = term->masks[0].value.lo;
    }
}

static bool
add_node(struct mlog_expr_row *row, const struct mlog_node *node, bool negate)
{
    if (!mlog_node_needs_row(node)) {
        return true;
    }
    switch (node->type) {
    case MLOG_NODE_TERM:
        if (row->n >= MAX_LITERALS) {
            return false;
        }
        literal_init(&row->literals[row->n++], node->term, negate);
        return true;

    case MLOG_NODE_NOT:
        return add_node(row, node->children[0], !negate);

    case MLOG_NODE_AND:
    case MLOG_NODE_OR:
        if ((node->type == MLOG_NODE_AND) == negate) {
            return false;
        }
        for (size_t i = 0; i < node->n; i++) {
            if (!add_node(row, node->children[i], negate)) {
                return false;
            }
        }
        return true;
    }
    OVS_NOT_REACHED();
}

struct mlog_expr_row *
mlog_expr_row_create(const struct mlog_expr *expr)
{
    struct mlog_expr_row *row = xzalloc(sizeof *row);

    if (!expr->root || !add_node(row, expr->root, false)) {
        free(row);
        return NULL;
    }
    return row;
}

void
mlog_expr_row_destroy(struct mlog_expr_row *row)
{
    free(row);
}

/* mlog_field_get_row(), the common cases first. */
static inline bool
get_value(enum mlog_field_id id, const struct mlog_record *record,
          uint64_t *value)
{
    if (id == MLOG_F_TCP_FLAGS) {
        *value = record->row->tcp_flags & 0xfff;
    } else if (id == MLOG_F_PKT_LEN) {
        *value = mlog_row_pkt_len(record->row);
    } else {
        return mlog_field_get_row(id, record, value);
    }
    return true;
}

static inline bool
literal_holds(const struct literal *literal, const struct mlog_record *record)
{
    uint64_t value;
    bool is_true;

    if (!literal->field) {
        is_true = mlog_term_eval(literal->term, record) == MLOG_TRUE;
    } else if (!get_value(literal->field->id, record, &value)) {
        is_true = false;
    } else {
        value &= literal->mask;
        is_true = (value >= literal->min
                   && value <= literal->max) != literal->outside;
    }
    return is_true != literal->negate;
}

bool
mlog_expr_row_eval(const struct mlog_expr_row *row,
                   const struct mlog_record *record)
{
    for (size_t i = 0; i < row->n; i++) {
        if (!literal_holds(&row->literals[i], record)) {
            return false;
        }
    }
    return true;
}
