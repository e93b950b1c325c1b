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

#include "mlog-formula.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* A formula is compiled into operations on a stack.  The stack can't be deeper
 * than there are operations. */
enum op {
    OP_NUMBER, OP_NAME,
    OP_NEGATE, OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE,
    OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE,
    OP_NOT, OP_AND, OP_OR,
};

struct operation {
    enum op op;
    long double number;         /* OP_NUMBER. */
    size_t index;               /* OP_NAME. */
};

struct mlog_formula {
    size_t n;
    struct operation ops[MLOG_FORMULA_MAX_OPS];
};

/* Parsing. */

struct parser {
    const char *text;
    const char *p;
    size_t depth;
    mlog_formula_resolve *resolve;
    void *aux;
    struct mlog_error *error;
    struct mlog_formula *formula;
};

/* A function of the grammar returns false after an error. */
typedef enum mlog_formula_type type;
static bool parse_or(struct parser *, type *);

OVS_PRINTF_FORMAT(3, 4)
static bool
fail(struct parser *parser, const char *at, const char *format, ...)
{
    va_list args;
    char *message;

    va_start(args, format);
    message = xvasprintf(format, args);
    va_end(args);
    mlog_error_set(parser->error, at - parser->text + 1, "%s", message);
    free(message);
    return false;
}

static bool
emit(struct parser *parser, const struct operation *operation)
{
    struct mlog_formula *formula = parser->formula;

    if (formula->n >= MLOG_FORMULA_MAX_OPS) {
        return fail(parser, parser->p, "the formula is too long");
    }
    formula->ops[formula->n++] = *operation;
    return true;
}

static bool
emit_op(struct parser *parser, enum op op)
{
    return emit(parser, &(struct operation) { .op = op });
}

static void
skip_space(struct parser *parser)
{
    while (isspace((unsigned char) *parser->p)) {
        parser->p++;
    }
}

static bool
is_word(char c)
{
    return isalnum((unsigned char) c) || c == '_';
}

/* Goes on after 'token' if it is next. */
static bool
take(struct parser *parser, const char *token)
{
    size_t n = strlen(token);

    skip_space(parser);
    if (strncmp(parser->p, token, n)
        || (is_word(token[n - 1]) && is_word(parser->p[n]))) {
        return false;
    }
    parser->p += n;
    return true;
}

static bool
check_type(struct parser *parser, const char *at, type found, type wanted)
{
    return (found == wanted
            || fail(parser, at, "%s", wanted == MLOG_FORMULA_NUMBER
                    ? "a number is needed here, not a condition"
                    : "a condition is needed here, such as l.count > 10"));
}

static bool
parse_number(struct parser *parser)
{
    struct operation operation = { .op = OP_NUMBER };
    const char *start = parser->p;
    size_t length = strspn(start, "0123456789.");
    char *number = xmemdup0(start, length);
    char *end;

    operation.number = strtold(number, &end);
    bool ok = !*end && isdigit((unsigned char) start[length - 1]);
    free(number);
    parser->p += length;
    operation.number *= (*parser->p == 'k' ? 1e3L
                         : *parser->p == 'M' ? 1e6L
                         : *parser->p == 'G' ? 1e9L : 1);
    parser->p += *parser->p && strchr("kMG", *parser->p);
    if (!ok || is_word(*parser->p)) {
        return fail(parser, start, "this is not a number");
    }
    return emit(parser, &operation);
}

static bool
parse_name(struct parser *parser)
{
    struct operation operation = { .op = OP_NAME };
    const char *start = parser->p;
    const char *end = start;
    char *message;

    while (is_word(*end) || *end == '.') {
        end++;
    }
    if (*end == '(') {
        const char *close = strchr(end, ')');

        if (!close) {
            return fail(parser, end, "missing ')' for this '('");
        }
        end = close + 1;
    }
    message = parser->resolve(parser->aux, start, end - start,
                              &operation.index);
    if (message) {
        fail(parser, start, "%s", message);
        free(message);
        return false;
    }
    parser->p = end;
    return emit(parser, &operation);
}

static bool
parse_parentheses(struct parser *parser, const char *start, type *t)
{
    if (parser->depth >= MLOG_FORMULA_MAX_DEPTH) {
        return fail(parser, start, "more than %d levels of parentheses",
                    MLOG_FORMULA_MAX_DEPTH);
    }
    parser->depth++;
    if (!parse_or(parser, t)) {
        return false;
    }
    parser->depth--;
    return take(parser, ")") || fail(parser, start,
                                       "missing ')' for this '('");
}

static bool
parse_primary(struct parser *parser, type *t)
{
    const char *start;

    skip_space(parser);
    start = parser->p;
    *t = MLOG_FORMULA_NUMBER;
    if (take(parser, "(")) {
        return parse_parentheses(parser, start, t);
    } else if (isdigit((unsigned char) *start)) {
        return parse_number(parser);
    } else if (isalpha((unsigned char) *start) || *start == '_') {
        return parse_name(parser);
    } else if (!*start) {
        return fail(parser, start, "expected a number or a name, found the "
                    "end");
    }
    return fail(parser, start, "expected a number or a name");
}

static bool
parse_unary(struct parser *parser, type *t)
{
    bool negate = false;
    const char *start;

    skip_space(parser);
    start = parser->p;
    while (take(parser, "-")) {
        negate = !negate;
    }
    if (!parse_primary(parser, t)) {
        return false;
    }
    return (!negate || (check_type(parser, start, *t, MLOG_FORMULA_NUMBER)
                        && emit_op(parser, OP_NEGATE)));
}

/* A level of the grammar: 'next' { operator 'next' }, operands and result of
 * type 'of'. */
struct operator {
    const char *token;
    enum op op;
};

static bool
parse_level(struct parser *parser, type *t, type of,
            bool (*next)(struct parser *, type *),
            const struct operator operators[])
{
    const char *start;

    skip_space(parser);
    start = parser->p;
    if (!next(parser, t)) {
        return false;
    }
    for (;;) {
        const struct operator *o = operators;

        while (o->token && !take(parser, o->token)) {
            o++;
        }
        if (!o->token) {
            return true;
        }
        if (!check_type(parser, start, *t, of)) {
            return false;
        }
        skip_space(parser);
        start = parser->p;
        if (!next(parser, t) || !check_type(parser, start, *t, of)
            || !emit_op(parser, o->op)) {
            return false;
        }
    }
}

static bool
parse_product(struct parser *parser, type *t)
{
    static const struct operator operators[] = {
        { "*", OP_MULTIPLY }, { "/", OP_DIVIDE }, { NULL, 0 }
    };

    return parse_level(parser, t, MLOG_FORMULA_NUMBER, parse_unary,
                       operators);
}

static bool
parse_sum(struct parser *parser, type *t)
{
    static const struct operator operators[] = {
        { "+", OP_ADD }, { "-", OP_SUBTRACT }, { NULL, 0 }
    };

    return parse_level(parser, t, MLOG_FORMULA_NUMBER, parse_product,
                       operators);
}

static bool
parse_compare(struct parser *parser, type *t)
{
    static const struct operator operators[] = {
        { "==", OP_EQ }, { "!=", OP_NE }, { "<=", OP_LE }, { ">=", OP_GE },
        { "=", OP_EQ }, { "<", OP_LT }, { ">", OP_GT },
    };
    const char *start;

    skip_space(parser);
    start = parser->p;
    if (!parse_sum(parser, t)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        if (take(parser, operators[i].token)) {
            const char *second = parser->p;
            type first = *t;
            type u;

            *t = MLOG_FORMULA_CONDITION;
            return (check_type(parser, start, first, MLOG_FORMULA_NUMBER)
                    && parse_sum(parser, &u)
                    && check_type(parser, second, u, MLOG_FORMULA_NUMBER)
                    && emit_op(parser, operators[i].op));
        }
    }
    return true;
}

static bool
parse_not(struct parser *parser, type *t)
{
    bool not = false;
    const char *start;

    skip_space(parser);
    start = parser->p;
    while ((strncmp(parser->p, "!=", 2) && take(parser, "!"))
           || take(parser, "not")) {
        not = !not;
    }
    if (!parse_compare(parser, t)) {
        return false;
    }
    return (!not
            || (check_type(parser, start, *t, MLOG_FORMULA_CONDITION)
                && emit_op(parser, OP_NOT)));
}

static bool
parse_and(struct parser *parser, type *t)
{
    static const struct operator operators[] = {
        { "&&", OP_AND }, { "and", OP_AND }, { NULL, 0 }
    };

    return parse_level(parser, t, MLOG_FORMULA_CONDITION, parse_not,
                       operators);
}

static bool
parse_or(struct parser *parser, type *t)
{
    static const struct operator operators[] = {
        { "||", OP_OR }, { "or", OP_OR }, { NULL, 0 }
    };

    return parse_level(parser, t, MLOG_FORMULA_CONDITION, parse_and,
                       operators);
}

struct mlog_formula *
mlog_formula_parse(const char *text, enum mlog_formula_type wanted,
                   mlog_formula_resolve *resolve, void *aux,
                   struct mlog_error *error)
{
    struct parser parser = {
        .text = text, .p = text, .resolve = resolve, .aux = aux,
        .error = error, .formula = xzalloc(sizeof *parser.formula),
    };
    type t;

    if (strlen(text) > MLOG_FORMULA_MAX_TEXT) {
        fail(&parser, text, "the formula is longer than %d bytes",
             MLOG_FORMULA_MAX_TEXT);
    } else if (parse_or(&parser, &t)) {
        skip_space(&parser);
        if (*parser.p) {
            fail(&parser, parser.p, "this can't follow what is before it");
        } else if (check_type(&parser, text, t, wanted)) {
            return parser.formula;
        }
    }
    free(parser.formula);
    return NULL;
}

void
mlog_formula_destroy(struct mlog_formula *formula)
{
    free(formula);
}

/* Evaluation. */

struct operand {
    long double value;
    bool absent;
};

static bool
compare(enum op op, long double a, long double b)
{
    switch ((int) op) {
    case OP_EQ: return a == b;
    case OP_NE: return a != b;
    case OP_LT: return a < b;
    case OP_LE: return a <= b;
    case OP_GT: return a > b;
    case OP_GE: return a >= b;
    }
    OVS_NOT_REACHED();
}

static struct operand
apply(enum op op, const struct operand *a, const struct operand *b)
{
    struct operand result = { .absent = a->absent || b->absent };

    switch (op) {
    case OP_ADD: result.value = a->value + b->value; break;
    case OP_SUBTRACT: result.value = a->value - b->value; break;
    case OP_MULTIPLY: result.value = a->value * b->value; break;
    case OP_DIVIDE:
        result.absent |= b->value == 0;
        result.value = result.absent ? 0 : a->value / b->value;
        break;
    case OP_EQ: case OP_NE: case OP_LT: case OP_LE: case OP_GT: case OP_GE:
        result.value = !result.absent && compare(op, a->value, b->value);
        result.absent = false;
        break;
    case OP_AND: result.value = a->value && b->value; break;
    case OP_OR: result.value = a->value || b->value; break;
    case OP_NUMBER: case OP_NAME: case OP_NEGATE: case OP_NOT:
        OVS_NOT_REACHED();
    }
    return result;
}

bool
mlog_formula_eval(const struct mlog_formula *formula, mlog_formula_get *get,
                  const void *aux, long double *value)
{
    struct operand stack[MLOG_FORMULA_MAX_OPS];
    size_t n = 0;

    stack[0] = (struct operand) { .absent = true };
    for (size_t i = 0; i < formula->n; i++) {
        const struct operation *o = &formula->ops[i];

        switch (o->op) {
        case OP_NUMBER:
            stack[n++] = (struct operand) { .value = o->number };
            break;
        case OP_NAME:
            stack[n].value = 0;
            stack[n].absent = !get(aux, o->index, &stack[n].value);
            n++;
            break;
        case OP_NEGATE:
            stack[n - 1].value = -stack[n - 1].value;
            break;
        case OP_NOT:
            stack[n - 1].value = !stack[n - 1].value;
            break;
        case OP_ADD: case OP_SUBTRACT: case OP_MULTIPLY: case OP_DIVIDE:
        case OP_EQ: case OP_NE: case OP_LT: case OP_LE: case OP_GT:
        case OP_GE: case OP_AND: case OP_OR:
            n--;
            stack[n - 1] = apply(o->op, &stack[n - 1], &stack[n]);
            break;
        }
    }
    *value = stack[0].value;
    return !stack[0].absent;
}
