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

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Nodes. */

static struct mlog_node *
node_new(enum mlog_node_type type)
{
    struct mlog_node *node = xzalloc(sizeof *node);

    node->type = type;
    return node;
}

static void
node_add(struct mlog_node *parent, struct mlog_node *child)
{
    if (parent->n >= parent->allocated) {
        parent->children = x2nrealloc(parent->children, &parent->allocated,
                                      sizeof *parent->children);
    }
    parent->children[parent->n++] = child;
}

struct mlog_node *
mlog_node_term(struct mlog_term *term)
{
    struct mlog_node *node = node_new(MLOG_NODE_TERM);

    node->term = term;
    return node;
}

/* Frees 'node' but not its children. */
static void
node_free(struct mlog_node *node)
{
    free(node->children);
    free(node);
}

struct mlog_node *
mlog_node_not(struct mlog_node *child)
{
    struct mlog_node *node;

    if (child->type == MLOG_NODE_NOT) {
        node = child->children[0];
        node_free(child);
        return node;
    }
    node = node_new(MLOG_NODE_NOT);
    node_add(node, child);
    return node;
}

/* Appends 'child', or its children if it is of the same type, to 'parent'. */
static void
node_absorb(struct mlog_node *parent, struct mlog_node *child)
{
    if (child->type != parent->type) {
        node_add(parent, child);
        return;
    }
    for (size_t i = 0; i < child->n; i++) {
        node_add(parent, child->children[i]);
    }
    node_free(child);
}

struct mlog_node *
mlog_node_join(enum mlog_node_type type, struct mlog_node *a,
               struct mlog_node *b)
{
    struct mlog_node *node;

    if (!a) {
        return b;
    } else if (a->type == type) {
        node = a;
    } else {
        node = node_new(type);
        node_add(node, a);
    }
    node_absorb(node, b);
    return node;
}

void
mlog_node_destroy(struct mlog_node *node)
{
    if (node) {
        for (size_t i = 0; i < node->n; i++) {
            mlog_node_destroy(node->children[i]);
        }
        mlog_term_destroy(node->term);
        node_free(node);
    }
}

/* Text. */

static void
put_constants(const struct mlog_term *term, struct ds *s)
{
    bool braces = term->n_constants > 1;

    ds_put_cstr(s, braces ? "{" : "");
    for (size_t i = 0; i < term->n_constants; i++) {
        ds_put_cstr(s, i ? ", " : "");
        mlog_constant_format(&term->constants[i], term->field, s);
    }
    ds_put_cstr(s, braces ? "}" : "");
}

static void
put_term(const struct mlog_term *term, struct ds *s)
{
    switch (term->type) {
    case MLOG_TERM_PREDICATE:
        ds_put_cstr(s, term->predicate->name);
        return;

    case MLOG_TERM_CUSTOM:
        ds_put_cstr(s, term->custom->name);
        return;

    case MLOG_TERM_PRESENT:
        ds_put_cstr(s, term->field->name);
        return;

    case MLOG_TERM_SET:
    case MLOG_TERM_ORDER:
        ds_put_format(s, "%s %s ", term->field->name,
                      mlog_op_to_string(term->op));
        put_constants(term, s);
        return;

    case MLOG_TERM_FIELDS:
        ds_put_format(s, "%s %s %s", term->field->name,
                      mlog_op_to_string(term->op), term->field2->name);
        return;
    }
    OVS_NOT_REACHED();
}

static bool
is_bare(const struct mlog_node *node)
{
    return (node->type == MLOG_NODE_TERM
            && (node->term->type == MLOG_TERM_PREDICATE
                || node->term->type == MLOG_TERM_PRESENT));
}

static void put_node(const struct mlog_node *, struct ds *);

static void
put_child(const struct mlog_node *node, bool parens, struct ds *s)
{
    ds_put_cstr(s, parens ? "(" : "");
    put_node(node, s);
    ds_put_cstr(s, parens ? ")" : "");
}

static void
put_node(const struct mlog_node *node, struct ds *s)
{
    switch (node->type) {
    case MLOG_NODE_TERM:
        put_term(node->term, s);
        return;

    case MLOG_NODE_NOT:
        ds_put_char(s, '!');
        put_child(node->children[0], !is_bare(node->children[0]), s);
        return;

    case MLOG_NODE_AND:
    case MLOG_NODE_OR:
        for (size_t i = 0; i < node->n; i++) {
            const struct mlog_node *child = node->children[i];

            if (i) {
                ds_put_cstr(s, node->type == MLOG_NODE_AND ? " && " : " || ");
            }
            put_child(child, child->type == MLOG_NODE_OR, s);
        }
        return;
    }
    OVS_NOT_REACHED();
}

void
mlog_expr_format(const struct mlog_expr *expr, struct ds *s)
{
    if (expr->root) {
        put_node(expr->root, s);
    }
}

/* Terms. */

struct term_visitor {
    mlog_term_func *cb;
    void *aux;
};

static void
visit_term(const struct mlog_node *node, bool negated,
           const struct term_visitor *visitor)
{
    const struct mlog_term *term = node->term;
    enum mlog_field_scope scope = (term->field ? term->field->scope
                                   : term->predicate
                                   ? term->predicate->scope
                                   : MLOG_SCOPE_ROW);
    struct ds text = DS_EMPTY_INITIALIZER;

    if (term->field2 && term->field2->scope == MLOG_SCOPE_ROW) {
        scope = MLOG_SCOPE_ROW;
    }
    put_node(node, &text);
    visitor->cb(ds_cstr(&text), term->field, scope,
                !negated && !term->field2, visitor->aux);
    ds_destroy(&text);
}

/* Recursion is no deeper than MLOG_EXPR_MAX_DEPTH. */
static void
visit_terms(const struct mlog_node *node, bool negated,
            const struct term_visitor *visitor)
{
    if (node->type == MLOG_NODE_TERM) {
        visit_term(node, negated, visitor);
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        visit_terms(node->children[i],
                    negated ^ (node->type == MLOG_NODE_NOT), visitor);
    }
}

void
mlog_expr_for_each_term(const struct mlog_expr *expr, mlog_term_func *cb,
                        void *aux)
{
    const struct term_visitor visitor = { cb, aux };

    if (expr->root) {
        visit_terms(expr->root, false, &visitor);
    }
}

/* The object. */

struct mlog_expr *
mlog_expr_ref(const struct mlog_expr *expr_)
{
    struct mlog_expr *expr = CONST_CAST(struct mlog_expr *, expr_);

    ovs_refcount_ref(&expr->refcnt);
    return expr;
}

void
mlog_expr_unref(struct mlog_expr *expr)
{
    if (expr && ovs_refcount_unref(&expr->refcnt) == 1) {
        mlog_node_destroy(expr->root);
        free(expr->insns);
        free(expr);
    }
}

struct mlog_expr *
mlog_expr_and_custom(struct mlog_expr *expr,
                     const struct mlog_expr_custom *custom, void *aux)
{
    struct mlog_node *node = mlog_node_term(mlog_term_custom(custom, aux));

    ovs_assert(ovs_refcount_read(&expr->refcnt) == 1);
    expr->root = mlog_node_join(MLOG_NODE_AND, expr->root, node);
    free(expr->insns);
    mlog_expr_compile(expr);
    return expr;
}

bool
mlog_expr_is_everything(const struct mlog_expr *expr)
{
    return !expr->root;
}

bool
mlog_expr_is_flow_only(const struct mlog_expr *expr)
{
    return expr->flow_only;
}
