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

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* A recursive descent parser.
 *
 *     expr       = and { "||" and }
 *     and        = unary { "&&" unary }
 *     unary      = { "!" } primary
 *     primary    = "(" expr ")" | predicate | field [ op operand ]
 *     operand    = field | constant | "{" constant { "," constant } "}"
 *
 * The canonical text puts a negated comparison in parentheses, so "!" before
 * a comparison counts as a level of nesting: what is accepted, is accepted
 * again in canonical form. */

struct parser {
    struct mlog_lexer lexer;
    int depth;
    size_t n_terms;
};

static struct mlog_node *parse_or(struct parser *);

/* Sets the error "expected WHAT, found TOKEN". */
static struct mlog_node *
expected(struct parser *p, const char *what)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "expected %s, found ", what);
    mlog_lexer_put_token(&p->lexer, &s);
    mlog_lexer_error_nocopy(&p->lexer, p->lexer.start, ds_steal_cstr(&s));
    return NULL;
}

static bool
deeper(struct parser *p, size_t start)
{
    if (p->depth >= MLOG_EXPR_MAX_DEPTH) {
        return mlog_lexer_error_at(&p->lexer, start, "more than %d levels of "
                                   "parentheses", MLOG_EXPR_MAX_DEPTH);
    }
    p->depth++;
    return true;
}

static bool
count_term(struct parser *p)
{
    return (p->n_terms++ < MLOG_EXPR_MAX_TERMS
            || mlog_lexer_error(&p->lexer, "more than %d terms",
                                MLOG_EXPR_MAX_TERMS));
}

/* Names. */

char *
mlog_name_error(const char *name)
{
    size_t n_predicates = mlog_predicate_count();
    const char **names = xmalloc((n_predicates + 1) * sizeof *names);
    const char *suggestion;
    size_t n = 0;

    names[n++] = mlog_field_suggest(name);
    n -= !names[0];
    for (size_t i = 0; i < n_predicates; i++) {
        names[n++] = mlog_predicate_get(i)->name;
    }
    suggestion = mlog_nearest_name(name, names, n);
    free(names);

    if (!suggestion) {
        return mlog_field_unknown_error(name);
    }

    struct ds s = DS_EMPTY_INITIALIZER;
    ds_put_cstr(&s, "unknown field ");
    mlog_put_quoted(&s, name);
    ds_put_format(&s, "; did you mean '%s'?", suggestion);
    return ds_steal_cstr(&s);
}

static struct mlog_node *
unknown_name(struct parser *p)
{
    const char *name = p->lexer.s;
    const char *bar = strchr(name, '|');

    if (strchr("0123456789+-:[.", name[0])) {
        return expected(p, "a field name (a comparison starts with the field, "
                        "as in tp_dst == 80)");
    } else if (bar) {
        mlog_lexer_error_at(&p->lexer, p->lexer.start + (bar - name),
                            "'|' is not an operator; write || or 'or'");
    } else {
        mlog_lexer_error_nocopy(&p->lexer, p->lexer.start,
                                mlog_name_error(name));
    }
    return NULL;
}

/* Comparisons. */

struct constants {
    struct mlog_constant *array;
    size_t n, allocated;
};

static void
constants_destroy(struct constants *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        mlog_constant_destroy(&cs->array[i]);
    }
    free(cs->array);
}

/* Parses one constant and appends it to 'cs'. */
static bool
parse_constant(struct parser *p, const struct mlog_field *field,
               struct constants *cs)
{
    struct mlog_lexer *lexer = &p->lexer;
    bool quoted = lexer->token == MLOG_TOKEN_STRING;
    char *error;

    if (!quoted && lexer->token != MLOG_TOKEN_WORD) {
        expected(p, "a value");
        return false;
    }
    if (cs->n >= MLOG_EXPR_MAX_SET) {
        return mlog_lexer_error(lexer, "more than %d values in a set",
                                MLOG_EXPR_MAX_SET);
    }
    if (cs->n >= cs->allocated) {
        cs->array = x2nrealloc(cs->array, &cs->allocated, sizeof *cs->array);
    }
    error = mlog_constant_parse(field, lexer->s, quoted, &cs->array[cs->n]);
    if (error) {
        return mlog_lexer_error_nocopy(lexer, lexer->start, error);
    }
    cs->n++;
    return mlog_lexer_next(lexer);
}

static bool
parse_set_members(struct parser *p, const struct mlog_field *field,
                  struct constants *cs)
{
    struct mlog_lexer *lexer = &p->lexer;
    size_t start = lexer->start;

    do {
        if (!mlog_lexer_next(lexer)) {
            return false;
        }
        if (lexer->token == MLOG_TOKEN_RBRACE && !cs->n) {
            return mlog_lexer_error_at(lexer, start, "the set is empty; "
                                       "write values, as in {80, 443}");
        }
        if (!parse_constant(p, field, cs)) {
            return false;
        }
    } while (lexer->token == MLOG_TOKEN_COMMA);

    if (lexer->token != MLOG_TOKEN_RBRACE) {
        expected(p, "',' or '}'");
        return false;
    }
    return mlog_lexer_next(lexer);
}

static struct mlog_node *
parse_set(struct parser *p, const struct mlog_field *field, enum mlog_op op)
{
    struct constants cs = { NULL, 0, 0 };

    if (op != MLOG_OP_EQ && op != MLOG_OP_NE) {
        mlog_lexer_error(&p->lexer, "'%s' needs a single value; a set goes "
                         "with == or !=", mlog_op_to_string(op));
        return NULL;
    }
    if (!parse_set_members(p, field, &cs)) {
        constants_destroy(&cs);
        return NULL;
    }
    return mlog_node_term(mlog_term_set(field, op, cs.array, cs.n));
}

/* Returns an error message if values of 'field' can't be compared by 'op',
 * one of '<' and its like, with 'c'. */
static char *
check_order(const struct mlog_field *field, enum mlog_op op,
            const struct mlog_constant *c)
{
    if (!mlog_field_is_ordered(field)) {
        return xasprintf("%s has no order; use == or !=", field->name);
    } else if (!mlog_constant_is_exact(c, field)) {
        return xasprintf("'%s' needs a single value; a prefix, mask, range "
                         "or name goes with == or !=", mlog_op_to_string(op));
    } else {
        return NULL;
    }
}

static struct mlog_node *
parse_single(struct parser *p, const struct mlog_field *field,
             enum mlog_op op)
{
    struct mlog_lexer *lexer = &p->lexer;
    struct constants cs = { NULL, 0, 0 };
    size_t start = lexer->start;

    if (parse_constant(p, field, &cs)) {
        if (op == MLOG_OP_EQ || op == MLOG_OP_NE) {
            return mlog_node_term(mlog_term_set(field, op, cs.array, cs.n));
        }

        char *error = check_order(field, op, cs.array);
        if (!error) {
            return mlog_node_term(mlog_term_order(field, op, cs.array));
        }
        mlog_lexer_error_nocopy(lexer, start, error);
    }
    constants_destroy(&cs);
    return NULL;
}

static struct mlog_node *
parse_field_pair(struct parser *p, const struct mlog_field *field,
                 enum mlog_op op, const struct mlog_field *field2)
{
    char *error = mlog_fields_check(field, op, field2);

    if (error) {
        mlog_lexer_error_nocopy(&p->lexer, p->lexer.start, error);
        return NULL;
    }
    return (mlog_lexer_next(&p->lexer)
            ? mlog_node_term(mlog_term_fields(field, op, field2))
            : NULL);
}

/* Parses what follows "FIELD OP", 'name' being how FIELD was written. */
static struct mlog_node *
parse_operand(struct parser *p, const struct mlog_field *field,
              const char *name, enum mlog_op op)
{
    struct mlog_lexer *lexer = &p->lexer;

    if (lexer->token == MLOG_TOKEN_LBRACE) {
        return parse_set(p, field, op);
    }
    if (lexer->token == MLOG_TOKEN_WORD) {
        const struct mlog_field *field2 = mlog_field_from_name(lexer->s);
        struct mlog_node *node;

        if (field2) {
            return parse_field_pair(p, field, op, field2);
        }

        node = (op == MLOG_OP_EQ || op == MLOG_OP_NE
                ? mlog_match_no_vlan(name, lexer->s) : NULL);
        if (node) {
            node = op == MLOG_OP_EQ ? node : mlog_node_not(node);
            if (!mlog_lexer_next(lexer)) {
                mlog_node_destroy(node);
                node = NULL;
            }
            return node;
        }
    }
    return parse_single(p, field, op);
}

static struct mlog_node *
parse_predicate(struct parser *p, const struct mlog_predicate *predicate)
{
    struct mlog_lexer *lexer = &p->lexer;

    if (!mlog_lexer_next(lexer)) {
        return NULL;
    }
    if (lexer->token == MLOG_TOKEN_OP) {
        mlog_lexer_error(lexer, "'%s' stands alone and can't be compared; "
                         "compare a field, such as nw_proto or dl_type",
                         predicate->name);
        return NULL;
    }
    return mlog_node_term(mlog_term_predicate(predicate));
}

/* The longest name of a field is much shorter. */
#define MAX_FIELD_NAME 32

static struct mlog_node *
parse_field(struct parser *p, const struct mlog_field *field)
{
    struct mlog_lexer *lexer = &p->lexer;
    char name[MAX_FIELD_NAME];
    enum mlog_op op;

    ovs_strlcpy(name, lexer->s, sizeof name);
    if (!mlog_lexer_next(lexer)) {
        return NULL;
    }
    if (lexer->token == MLOG_TOKEN_OP) {
        op = lexer->op;
        return (mlog_lexer_next(lexer)
                ? parse_operand(p, field, name, op)
                : NULL);
    }
    if (lexer->token == MLOG_TOKEN_WORD || lexer->token == MLOG_TOKEN_STRING
        || lexer->token == MLOG_TOKEN_LBRACE) {
        return expected(p, "==, !=, <, <=, >, >=, && or ||");
    }
    return mlog_node_term(mlog_term_present(field));
}

/* The levels. */

static struct mlog_node *
parse_parens(struct parser *p)
{
    struct mlog_lexer *lexer = &p->lexer;
    size_t start = lexer->start;
    struct mlog_node *node;

    if (!deeper(p, start) || !mlog_lexer_next(lexer)) {
        return NULL;
    }
    node = parse_or(p);
    if (!node) {
        return NULL;
    }
    p->depth--;

    if (lexer->token == MLOG_TOKEN_END) {
        mlog_lexer_error_at(lexer, start, "missing ')' for this '('");
    } else if (lexer->token != MLOG_TOKEN_RPAREN) {
        expected(p, "&&, || or ')'");
    } else if (mlog_lexer_next(lexer)) {
        return node;
    }
    mlog_node_destroy(node);
    return NULL;
}

static struct mlog_node *
parse_primary(struct parser *p)
{
    struct mlog_lexer *lexer = &p->lexer;
    const struct mlog_predicate *predicate;
    const struct mlog_field *field;

    if (lexer->token == MLOG_TOKEN_LPAREN) {
        return parse_parens(p);
    } else if (lexer->token != MLOG_TOKEN_WORD) {
        return expected(p, "a field or predicate");
    } else if (!count_term(p)) {
        return NULL;
    }

    predicate = mlog_predicate_from_name(lexer->s);
    if (predicate) {
        return parse_predicate(p, predicate);
    }
    field = mlog_field_from_name(lexer->s);
    return field ? parse_field(p, field) : unknown_name(p);
}

static struct mlog_node *
parse_unary(struct parser *p)
{
    size_t start = p->lexer.start;
    bool negated = false;       /* Was there any '!'? */
    bool negate = false;        /* An odd number of them? */
    struct mlog_node *node;

    while (p->lexer.token == MLOG_TOKEN_NOT) {
        negated = true;
        negate = !negate;
        if (!mlog_lexer_next(&p->lexer)) {
            return NULL;
        }
    }
    if (negated && p->lexer.token != MLOG_TOKEN_LPAREN) {
        if (!deeper(p, start)) {
            return NULL;
        }
        node = parse_primary(p);
        p->depth--;
    } else {
        node = parse_primary(p);
    }
    return node && negate ? mlog_node_not(node) : node;
}

/* Parses 'type' of what 'parse_child' parses, with 'token' between. */
static struct mlog_node *
parse_list(struct parser *p, enum mlog_node_type type, enum mlog_token token,
           struct mlog_node *(*parse_child)(struct parser *))
{
    struct mlog_node *node = NULL;

    for (;;) {
        struct mlog_node *child = parse_child(p);

        if (!child) {
            break;
        }
        node = mlog_node_join(type, node, child);
        if (p->lexer.token != token) {
            return node;
        }
        if (!mlog_lexer_next(&p->lexer)) {
            break;
        }
    }
    mlog_node_destroy(node);
    return NULL;
}

static struct mlog_node *
parse_and(struct parser *p)
{
    return parse_list(p, MLOG_NODE_AND, MLOG_TOKEN_AND, parse_unary);
}

static struct mlog_node *
parse_or(struct parser *p)
{
    return parse_list(p, MLOG_NODE_OR, MLOG_TOKEN_OR, parse_and);
}

static struct mlog_node *
parse_whole(struct parser *p)
{
    struct mlog_node *node = parse_or(p);

    if (!node) {
        return NULL;
    }
    if (p->lexer.token == MLOG_TOKEN_END) {
        return node;
    } else if (p->lexer.token == MLOG_TOKEN_RPAREN) {
        mlog_lexer_error(&p->lexer, "')' without '('");
    } else {
        expected(p, "&& or || or the end");
    }
    mlog_node_destroy(node);
    return NULL;
}

struct mlog_expr *
mlog_expr_parse(const char *text, struct mlog_error *error)
{
    struct parser *p = xmalloc(sizeof *p);
    struct mlog_node *root = NULL;
    struct mlog_expr *expr = NULL;

    p->depth = 0;
    p->n_terms = 0;
    mlog_error_clear(error);
    if (!mlog_lexer_init(&p->lexer, text, error)) {
        goto exit;
    }
    if (p->lexer.token != MLOG_TOKEN_END) {
        root = mlog_match_is(text) ? mlog_match_parse(&p->lexer)
                                   : parse_whole(p);
        if (!root) {
            goto exit;
        }
    }

    expr = xzalloc(sizeof *expr);
    ovs_refcount_init(&expr->refcnt);
    expr->root = root;
    mlog_expr_compile(expr);
exit:
    free(p);
    return expr;
}
