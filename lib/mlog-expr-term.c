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

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* OpenFlow 1.0's number for the port that is named like its bridge. */
#define OFPP_LOCAL_NUMBER 0xfffe
#define OFPP_MAX_NUMBER   0xffff

const char *
mlog_op_to_string(enum mlog_op op)
{
    switch (op) {
    case MLOG_OP_EQ: return "==";
    case MLOG_OP_NE: return "!=";
    case MLOG_OP_LT: return "<";
    case MLOG_OP_LE: return "<=";
    case MLOG_OP_GT: return ">";
    case MLOG_OP_GE: return ">=";
    }
    OVS_NOT_REACHED();
}

/* Constants. */

static char *
error_about(const char *text, const char *what)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_put_quoted(&s, text);
    ds_put_format(&s, " %s", what);
    return ds_steal_cstr(&s);
}

static bool
has_ranges(const struct mlog_field *field)
{
    switch (field->type) {
    case MLOG_FT_DECIMAL:
    case MLOG_FT_HEX:
    case MLOG_FT_ETH_TYPE:
    case MLOG_FT_IP_PROTO:
    case MLOG_FT_ARP_OP:
    case MLOG_FT_TOS:
    case MLOG_FT_IPV4:
    case MLOG_FT_IPV6:
    case MLOG_FT_L3:
    case MLOG_FT_PORT:
        return true;

    case MLOG_FT_FLAGS:
    case MLOG_FT_FRAG:
    case MLOG_FT_MAC:
    case MLOG_FT_TIME:
    case MLOG_FT_PORT_NAME:
    case MLOG_FT_REASON:
    case MLOG_FT_FLOW_ID:
        return false;
    }
    OVS_NOT_REACHED();
}

/* A stand-in for the OpenFlow numbers of ports. */
static const struct mlog_field *
number_field(const struct mlog_field *field)
{
    static const struct mlog_field ofp_number = {
        .name = "a port number", .type = MLOG_FT_DECIMAL, .n_bits = 16,
        .id = MLOG_N_FIELDS,
    };

    return field->type == MLOG_FT_PORT ? &ofp_number : field;
}

static void
string_constant(const char *text, struct mlog_constant *c)
{
    c->type = MLOG_CONSTANT_STRING;
    c->string = xstrdup(text);
}

/* Parses 'text' as MIN-MAX, 'dash' being the offset of the dash. */
static char *
parse_range(const struct mlog_field *field, const char *text, size_t dash,
            struct mlog_constant *c)
{
    struct mlog_value mask;
    char *min = xmemdup0(text, dash);
    char *error = NULL;

    if (strchr(text, '/')) {
        error = error_about(text, "is a range with a mask or prefix: write "
                            "either");
    }
    if (!error) {
        error = mlog_field_parse_value(field, min, &c->a, &mask);
    }
    if (!error) {
        error = mlog_field_parse_value(field, text + dash + 1, &c->b, &mask);
    }
    if (!error && mlog_value_compare(&c->a, &c->b) > 0) {
        error = error_about(text, "is an empty range: the smaller value "
                            "comes first");
    }
    c->type = MLOG_CONSTANT_RANGE;
    free(min);
    return error;
}

/* Ports are numbers if they look like it, else names. */
static char *
parse_port(const struct mlog_field *field, const char *text, bool quoted,
           struct mlog_constant *c)
{
    bool is_name = (quoted || field->type == MLOG_FT_PORT_NAME
                    || isalpha((unsigned char) text[0]) || text[0] == '_');

    if (!quoted && field->type == MLOG_FT_PORT
        && !strcasecmp(text, "LOCAL")) {
        c->a.lo = OFPP_LOCAL_NUMBER;
        c->b.lo = OFPP_MAX_NUMBER;
        return NULL;
    } else if (is_name) {
        if (!text[0]) {
            return xstrdup("the name of a port is not empty");
        }
        string_constant(text, c);
        return NULL;
    } else if (strchr(text, '/') || !isdigit((unsigned char) text[0])
               || text[strspn(text, "0123456789xXabcdefABCDEF")]) {
        return error_about(text, "is not the number of a port; write a name "
                           "in double quotes");
    } else {
        return mlog_field_parse_value(number_field(field), text,
                                      &c->a, &c->b);
    }
}

char *
mlog_constant_parse(const struct mlog_field *field, const char *text,
                    bool quoted, struct mlog_constant *c)
{
    const char *dash = text[0] ? strchr(text + 1, '-') : NULL;

    memset(c, 0, sizeof *c);
    if (dash && !quoted && has_ranges(field)
        && (field->type != MLOG_FT_PORT
            || isdigit((unsigned char) text[0]))) {
        return parse_range(number_field(field), text, dash - text, c);
    } else if (field->type == MLOG_FT_PORT
               || field->type == MLOG_FT_PORT_NAME) {
        return parse_port(field, text, quoted, c);
    } else {
        return mlog_field_parse_value(field, text, &c->a, &c->b);
    }
}

void
mlog_constant_destroy(struct mlog_constant *c)
{
    free(c->string);
    c->string = NULL;
}

static void
put_string(const char *text, struct ds *s)
{
    ds_put_char(s, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            ds_put_char(s, '\\');
        }
        ds_put_char(s, *text);
    }
    ds_put_char(s, '"');
}

void
mlog_constant_format(const struct mlog_constant *c,
                     const struct mlog_field *field_, struct ds *s)
{
    const struct mlog_field *field = number_field(field_);

    switch (c->type) {
    case MLOG_CONSTANT_STRING:
        put_string(c->string, s);
        return;

    case MLOG_CONSTANT_RANGE:
        mlog_field_format(field, &c->a, s);
        ds_put_char(s, '-');
        mlog_field_format(field, &c->b, s);
        return;

    case MLOG_CONSTANT_VALUE:
        if (field->type == MLOG_FT_TIME) {
            ds_put_char(s, '"');
            mlog_field_format(field, &c->a, s);
            ds_put_char(s, '"');
        } else {
            mlog_field_format_masked(field, &c->a, &c->b, s);
        }
        return;
    }
    OVS_NOT_REACHED();
}

bool
mlog_constant_is_exact(const struct mlog_constant *c,
                       const struct mlog_field *field)
{
    struct mlog_value ones = mlog_field_ones(number_field(field));

    return (c->type == MLOG_CONSTANT_VALUE
            && mlog_value_equal(&c->b, &ones));
}

/* Sets. */

/* If the values that match 'c' are one range, stores it in '*range' and
 * returns true: if the mask's zeros, within the field's bits, are all at its
 * low end. */
static bool
constant_to_range(const struct mlog_constant *c,
                  const struct mlog_value *ones, struct mlog_range *range)
{
    struct mlog_value low, next;

    range->min = c->a;
    range->max = c->b;
    if (c->type == MLOG_CONSTANT_RANGE) {
        return true;
    }

    low.hi = ones->hi & ~c->b.hi;
    low.lo = ones->lo & ~c->b.lo;
    next = mlog_value_successor(&low);
    if (low.hi & next.hi || low.lo & next.lo) {
        return false;
    }
    range->max.hi = c->a.hi | low.hi;
    range->max.lo = c->a.lo | low.lo;
    return true;
}

static int
compare_strings(const void *a_, const void *b_)
{
    const char *const *a = a_;
    const char *const *b = b_;

    return strcmp(*a, *b);
}

struct mlog_term *
mlog_term_set(const struct mlog_field *field, enum mlog_op op,
              struct mlog_constant *constants, size_t n)
{
    struct mlog_value ones = mlog_field_ones(number_field(field));
    struct mlog_term *term = xzalloc(sizeof *term);

    term->type = MLOG_TERM_SET;
    term->op = op;
    term->field = field;
    term->constants = constants;
    term->n_constants = n;
    term->ranges = xcalloc(n, sizeof *term->ranges);
    term->masks = xcalloc(n, sizeof *term->masks);
    term->strings = xcalloc(n, sizeof *term->strings);
    for (size_t i = 0; i < n; i++) {
        const struct mlog_constant *c = &constants[i];

        if (c->type == MLOG_CONSTANT_STRING) {
            term->strings[term->n_strings++] = c->string;
        } else if (constant_to_range(c, &ones,
                                     &term->ranges[term->n_ranges])) {
            term->n_ranges++;
        } else {
            struct mlog_masked *m = &term->masks[term->n_masks++];

            m->value = c->a;
            m->mask = c->b;
        }
    }
    term->n_ranges = mlog_ranges_normalize(term->ranges, term->n_ranges);
    qsort(term->strings, term->n_strings, sizeof *term->strings,
          compare_strings);
    return term;
}

/* The other terms. */

struct mlog_term *
mlog_term_order(const struct mlog_field *field, enum mlog_op op,
                struct mlog_constant *constant)
{
    struct mlog_term *term = xzalloc(sizeof *term);

    term->type = MLOG_TERM_ORDER;
    term->op = op;
    term->field = field;
    term->constants = constant;
    term->n_constants = 1;
    return term;
}

struct mlog_term *
mlog_term_fields(const struct mlog_field *field, enum mlog_op op,
                 const struct mlog_field *field2)
{
    struct mlog_term *term = xzalloc(sizeof *term);

    term->type = MLOG_TERM_FIELDS;
    term->op = op;
    term->field = field;
    term->field2 = field2;
    return term;
}

struct mlog_term *
mlog_term_present(const struct mlog_field *field)
{
    struct mlog_term *term = xzalloc(sizeof *term);

    term->type = MLOG_TERM_PRESENT;
    term->field = field;
    return term;
}

struct mlog_term *
mlog_term_predicate(const struct mlog_predicate *predicate)
{
    struct mlog_term *term = xzalloc(sizeof *term);

    term->type = MLOG_TERM_PREDICATE;
    term->predicate = predicate;
    return term;
}

struct mlog_term *
mlog_term_custom(const struct mlog_expr_custom *custom, void *aux)
{
    struct mlog_term *term = xzalloc(sizeof *term);

    term->type = MLOG_TERM_CUSTOM;
    term->custom = custom;
    term->aux = aux;
    return term;
}

void
mlog_term_destroy(struct mlog_term *term)
{
    if (term) {
        if (term->custom) {
            term->custom->unref(term->aux);
        }
        for (size_t i = 0; i < term->n_constants; i++) {
            mlog_constant_destroy(&term->constants[i]);
        }
        free(term->constants);
        free(term->ranges);
        free(term->masks);
        free(term->strings);
        free(term);
    }
}

/* Two fields. */

/* Fields of the same class may be compared. */
enum field_class {
    CLASS_NUMBER,
    CLASS_FLAGS,
    CLASS_FRAG,
    CLASS_MAC,
    CLASS_ADDRESS,
    CLASS_TIME,
    CLASS_PORT,
    CLASS_REASON,
    CLASS_FLOW_ID,
};

static enum field_class
field_class(const struct mlog_field *field)
{
    switch (field->type) {
    case MLOG_FT_DECIMAL:
    case MLOG_FT_HEX:
    case MLOG_FT_ETH_TYPE:
    case MLOG_FT_IP_PROTO:
    case MLOG_FT_ARP_OP:
    case MLOG_FT_TOS: return CLASS_NUMBER;
    case MLOG_FT_FLAGS: return CLASS_FLAGS;
    case MLOG_FT_FRAG: return CLASS_FRAG;
    case MLOG_FT_MAC: return CLASS_MAC;
    case MLOG_FT_IPV4:
    case MLOG_FT_IPV6:
    case MLOG_FT_L3: return CLASS_ADDRESS;
    case MLOG_FT_TIME: return CLASS_TIME;
    case MLOG_FT_PORT:
    case MLOG_FT_PORT_NAME: return CLASS_PORT;
    case MLOG_FT_REASON: return CLASS_REASON;
    case MLOG_FT_FLOW_ID: return CLASS_FLOW_ID;
    }
    OVS_NOT_REACHED();
}

char *
mlog_fields_check(const struct mlog_field *a, enum mlog_op op,
                  const struct mlog_field *b)
{
    bool one_is_l3 = a->type == MLOG_FT_L3 || b->type == MLOG_FT_L3;

    if (field_class(a) != field_class(b)
        || (field_class(a) == CLASS_ADDRESS && a->type != b->type
            && !one_is_l3)) {
        return xasprintf("%s (%s) can't be compared with %s (%s)",
                         a->name, mlog_field_type_to_string(a->type),
                         b->name, mlog_field_type_to_string(b->type));
    }
    if (op != MLOG_OP_EQ && op != MLOG_OP_NE
        && (!mlog_field_is_ordered(a) || field_class(a) == CLASS_PORT)) {
        return xasprintf("%s and %s have no order; use == or !=",
                         a->name, b->name);
    }
    return NULL;
}
