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

/* Zones.
 *
 * A zone is the least and the greatest value that some rows have of a field.
 * The question is only whether a record with values within the zones can make
 * the expression true; "perhaps" is always an answer.  Terms on fields without
 * a zone, and negated ones that no single value rules out, are answered that
 * way. */

struct zones {
    mlog_zone_func *get;
    const void *aux;
};

static bool
masked_may_match(const struct mlog_masked *m, uint64_t max)
{
    /* A value that has these bits is no less. */
    return m->value.lo <= max;
}

static bool
set_may_match(const struct mlog_term *term, uint64_t min, uint64_t max)
{
    for (size_t i = 0; i < term->n_ranges; i++) {
        if (term->ranges[i].min.lo <= max && term->ranges[i].max.lo >= min) {
            return true;
        }
    }
    for (size_t i = 0; i < term->n_masks; i++) {
        if (masked_may_match(&term->masks[i], max)) {
            return true;
        }
    }
    return term->n_strings > 0;
}

/* Whether a value outside the set may be among min...max: not if they are all
 * in one range of it. */
static bool
complement_may_match(const struct mlog_term *term, uint64_t min, uint64_t max)
{
    for (size_t i = 0; i < term->n_ranges; i++) {
        if (term->ranges[i].min.lo <= min && term->ranges[i].max.lo >= max) {
            return false;
        }
    }
    return true;
}

static bool
order_may_match(enum mlog_op op, uint64_t c, uint64_t min, uint64_t max)
{
    switch (op) {
    case MLOG_OP_LT:
        return min < c;
    case MLOG_OP_LE:
        return min <= c;
    case MLOG_OP_GT:
        return max > c;
    case MLOG_OP_GE:
        return max >= c;
    case MLOG_OP_EQ:
    case MLOG_OP_NE:
        break;
    }
    return true;
}

/* A negated term is also true for a record that lacks the field. */
static bool
term_may_match(const struct mlog_term *term, bool negate,
               const struct zones *zones)
{
    uint64_t min, max;

    if (negate || !term->field
        || (term->type != MLOG_TERM_SET && term->type != MLOG_TERM_ORDER)
        || !zones->get(zones->aux, term->field->id, &min, &max)) {
        return true;
    } else if (term->type == MLOG_TERM_ORDER) {
        return order_may_match(term->op, term->constants[0].a.lo, min, max);
    }
    return (term->op == MLOG_OP_EQ ? set_may_match(term, min, max)
            : complement_may_match(term, min, max));
}

/* Recursion is no deeper than MLOG_EXPR_MAX_DEPTH. */
static bool
node_may_match(const struct mlog_node *node, bool negate,
               const struct zones *zones)
{
    if (node->type == MLOG_NODE_TERM) {
        return term_may_match(node->term, negate, zones);
    } else if (node->type == MLOG_NODE_NOT) {
        return node_may_match(node->children[0], !negate, zones);
    }

    bool is_and = (node->type == MLOG_NODE_AND) != negate;
    for (size_t i = 0; i < node->n; i++) {
        if (node_may_match(node->children[i], negate, zones) != is_and) {
            return !is_and;
        }
    }
    return is_and;
}

bool
mlog_expr_may_match(const struct mlog_expr *expr, mlog_zone_func *get,
                    const void *aux)
{
    const struct zones zones = { get, aux };

    return !expr->root || node_may_match(expr->root, false, &zones);
}
