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
#include "mlog-expr-box.h"

#include <stdlib.h>
#include <string.h>

#include "mlog-expr-private.h"
#include "util.h"

/* How boxes are made
 * ==================
 *
 * 'not' is moved down to the terms, as in mlog-expr-eval.c.  A term is a box
 * or two: what the packet must have for the field to be there, and the set of
 * values.  The negation of a term is what is outside of these boxes, a box per
 * dimension.  'or' puts lists of boxes together, 'and' intersects each box of
 * one list with each of the other.
 *
 * Verdicts follow Kleene's logic, in which 'and' is the worst of FALSE < MAYBE
 * < TRUE and 'or' the best of them; a flow's verdict is the best of the boxes
 * that it lies in.  A term on a row field is MAYBE where the packet has the
 * field, FALSE elsewhere.
 *
 * Where a set of values would have too many intervals, or there would be too
 * many boxes, a larger box stands for them and its verdict is ASK. */

#define MAX_INTERVALS 1024      /* Of a set. */

/* A list of boxes being made. */
struct list {
    struct mlog_box *boxes[MLOG_MAX_BOXES];
    size_t n;
};

static struct mlog_value
number(uint64_t x)
{
    return (struct mlog_value) { .lo = x };
}

struct mlog_value
mlog_dim_ones(enum mlog_dim dim)
{
    switch (dim) {
    case MLOG_DIM_HAS:
    case MLOG_DIM_NW_PROTO:
    case MLOG_DIM_NW_FRAG:
    case MLOG_DIM_ICMP_TYPE:
    case MLOG_DIM_ICMP_CODE:
        return number(UINT8_MAX);

    case MLOG_DIM_DL_TYPE:
    case MLOG_DIM_VLAN0:
    case MLOG_DIM_VLAN1:
    case MLOG_DIM_TP_SRC:
    case MLOG_DIM_TP_DST:
        return number(UINT16_MAX);

    case MLOG_DIM_SRC4:
    case MLOG_DIM_DST4:
        return number(UINT32_MAX);

    case MLOG_DIM_DL_SRC:
    case MLOG_DIM_DL_DST:
        return number((UINT64_C(1) << 48) - 1);

    case MLOG_DIM_FLOW_ID:
        return number(UINT64_MAX);

    case MLOG_DIM_SRC6:
    case MLOG_DIM_DST6:
        return (struct mlog_value) { UINT64_MAX, UINT64_MAX };

    case MLOG_N_DIMS:
        break;
    }
    OVS_NOT_REACHED();
}

/* Boxes. */

static struct mlog_box *
box_create(enum mlog_verdict verdict)
{
    struct mlog_box *box = xzalloc(sizeof *box);

    box->verdict = verdict;
    return box;
}

static void
box_destroy(struct mlog_box *box)
{
    for (size_t i = 0; i < MLOG_N_DIMS; i++) {
        free(box->sets[i]);
    }
    free(box);
}

static struct mlog_box *
box_clone(const struct mlog_box *box)
{
    struct mlog_box *clone = xmemdup(box, sizeof *box);

    for (size_t i = 0; i < MLOG_N_DIMS; i++) {
        clone->sets[i] = mlog_intervals_clone(box->sets[i]);
    }
    return clone;
}

/* Restricts 'box' to 'set', which it takes over.  NULL is any number. */
static void
box_restrict(struct mlog_box *box, enum mlog_dim dim,
             struct mlog_intervals *set)
{
    struct mlog_intervals *old = box->sets[dim];

    if (old && set) {
        box->sets[dim] = mlog_intervals_intersect(old, set);
        free(old);
        free(set);
    } else if (set) {
        box->sets[dim] = set;
    }
    if (box->sets[dim] && box->sets[dim]->n > MAX_INTERVALS) {
        free(box->sets[dim]);
        box->sets[dim] = NULL;
        box->verdict = MLOG_VERDICT_ASK;
    }
}

static void
box_restrict_number(struct mlog_box *box, enum mlog_dim dim, uint64_t x)
{
    struct mlog_value value = number(x);

    box_restrict(box, dim, mlog_intervals_single(&value, &value));
}

static void
box_restrict_port(struct mlog_box *box, const struct mlog_port_literal *port)
{
    if (box->n_ports < MLOG_BOX_MAX_PORTS) {
        box->ports[box->n_ports++] = *port;
    } else {
        box->verdict = MLOG_VERDICT_ASK;
    }
}

/* Restricts 'dim' to numbers that have the bits 'mask'. */
static void
box_restrict_bits(struct mlog_box *box, enum mlog_dim dim, unsigned int mask)
{
    size_t n = 0, max = mlog_dim_ones(dim).lo;
    struct mlog_range ranges[256];

    for (size_t x = 0; x <= max; x++) {
        if ((x & mask) == mask) {
            size_t min = x;

            while (x < max && ((x + 1) & mask) == mask) {
                x++;
            }
            ranges[n++] = (struct mlog_range) { number(min), number(x) };
        }
    }
    box_restrict(box, dim, mlog_intervals_create(ranges, n));
}

static void
box_restrict_needs(struct mlog_box *box, const struct mlog_flow_needs *needs)
{
    if (needs->has) {
        box_restrict_bits(box, MLOG_DIM_HAS, needs->has);
    }
    if (needs->tags & 1 << 0) {
        box_restrict_bits(box, MLOG_DIM_VLAN0, MLOG_VLAN_PRESENT);
    }
    if (needs->tags & 1 << 1) {
        box_restrict_bits(box, MLOG_DIM_VLAN1, MLOG_VLAN_PRESENT);
    }
    if (needs->nw_proto) {
        box_restrict_number(box, MLOG_DIM_NW_PROTO, needs->nw_proto);
    }
    if (needs->dl_type) {
        box_restrict_number(box, MLOG_DIM_DL_TYPE, needs->dl_type);
    }
    if (needs->in_port) {
        box->verdict = MLOG_VERDICT_ASK;
    }
}

static enum mlog_verdict
verdict_and(enum mlog_verdict a, enum mlog_verdict b)
{
    return (a == MLOG_VERDICT_ASK || b == MLOG_VERDICT_ASK ? MLOG_VERDICT_ASK
            : MAX(a, b));
}

/* Returns what 'a' and 'b' have in common, or NULL if that is nothing. */
static struct mlog_box *
box_intersect(const struct mlog_box *a, const struct mlog_box *b)
{
    struct mlog_box *box = box_clone(a);

    box->verdict = verdict_and(a->verdict, b->verdict);
    for (size_t i = 0; i < MLOG_N_DIMS; i++) {
        box_restrict(box, i, mlog_intervals_clone(b->sets[i]));
        if (box->sets[i] && !box->sets[i]->n) {
            box_destroy(box);
            return NULL;
        }
    }
    for (size_t i = 0; i < b->n_ports; i++) {
        box_restrict_port(box, &b->ports[i]);
    }
    return box;
}

static bool
same_ports(const struct mlog_box *a, const struct mlog_box *b)
{
    if (a->n_ports != b->n_ports) {
        return false;
    }
    for (size_t i = 0; i < a->n_ports; i++) {
        if (a->ports[i].term != b->ports[i].term
            || a->ports[i].negate != b->ports[i].negate) {
            return false;
        }
    }
    return true;
}

/* Makes dimension 'dim' of 'box' cover that of 'other', too. */
static void
box_extend(struct mlog_box *box, enum mlog_dim dim,
           const struct mlog_box *other)
{
    struct mlog_intervals *old = box->sets[dim];

    box->sets[dim] = (old && other->sets[dim]
                      ? mlog_intervals_union(old, other->sets[dim]) : NULL);
    free(old);
}

/* If 'box' and 'other' together are a box, makes 'box' that and returns
 * true. */
static bool
box_merge(struct mlog_box *box, const struct mlog_box *other)
{
    int differs = -1;

    if (box->verdict != other->verdict || !same_ports(box, other)) {
        return false;
    }
    for (int i = 0; i < MLOG_N_DIMS; i++) {
        if (!mlog_intervals_equal(box->sets[i], other->sets[i])) {
            if (differs >= 0) {
                return false;
            }
            differs = i;
        }
    }
    if (differs >= 0) {
        if (box->sets[differs] && other->sets[differs]
            && (box->sets[differs]->n + other->sets[differs]->n
                > MAX_INTERVALS)) {
            return false;
        }
        box_extend(box, differs, other);
    }
    return true;
}

/* Lists. */

static void
list_clear(struct list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        box_destroy(list->boxes[i]);
    }
    list->n = 0;
}

/* Makes 'list' a single box. */
static void
list_collapse(struct list *list)
{
    struct mlog_box *hull = list->boxes[0];

    hull->verdict = MLOG_VERDICT_ASK;
    while (list->n > 1) {
        struct mlog_box *box = list->boxes[--list->n];

        for (size_t i = 0; i < MLOG_N_DIMS; i++) {
            box_extend(hull, i, box);
            box_restrict(hull, i, NULL);
        }
        if (!same_ports(hull, box)) {
            hull->n_ports = 0;
        }
        box_destroy(box);
    }
}

/* Takes over 'box'. */
static void
list_add(struct list *list, struct mlog_box *box)
{
    for (size_t i = 0; i < list->n; i++) {
        if (box_merge(list->boxes[i], box)) {
            box_destroy(box);
            return;
        }
    }
    if (list->n >= MLOG_MAX_BOXES) {
        list_collapse(list);
    }
    list->boxes[list->n++] = box;
}

static void
list_add_everything(struct list *list, enum mlog_verdict verdict)
{
    list_add(list, box_create(verdict));
}

/* Moves the boxes of 'b' to 'a'. */
static void
list_or(struct list *a, struct list *b)
{
    for (size_t i = 0; i < b->n; i++) {
        list_add(a, b->boxes[i]);
    }
    b->n = 0;
}

/* Makes 'a' what 'a' and 'b' have in common, and clears 'b'. */
static void
list_and(struct list *a, struct list *b)
{
    struct list both = { .n = 0 };

    for (size_t i = 0; i < a->n; i++) {
        for (size_t j = 0; j < b->n; j++) {
            struct mlog_box *box = box_intersect(a->boxes[i], b->boxes[j]);

            if (box) {
                list_add(&both, box);
            }
        }
    }
    list_clear(a);
    list_clear(b);
    *a = both;
}

/* Adds what is outside of 'box' to 'list'. */
static void
list_add_complement(struct list *list, const struct mlog_box *box)
{
    for (size_t i = 0; i < MLOG_N_DIMS; i++) {
        if (box->sets[i]) {
            struct mlog_value ones = mlog_dim_ones(i);
            struct mlog_box *outside = box_create(MLOG_VERDICT_TRUE);

            box_restrict(outside, i,
                         mlog_intervals_complement(box->sets[i], &ones));
            list_add(list, outside);
        }
    }
    for (size_t i = 0; i < box->n_ports; i++) {
        struct mlog_port_literal port = box->ports[i];
        struct mlog_box *outside = box_create(MLOG_VERDICT_TRUE);

        port.negate = !port.negate;
        box_restrict_port(outside, &port);
        list_add(list, outside);
    }
}

/* Negates a term.  Where it is not known, its negation isn't either. */
static void
list_negate(struct list *list)
{
    struct list outside = { .n = 0 };

    list_add_everything(&outside, MLOG_VERDICT_TRUE);
    for (size_t i = 0; i < list->n; i++) {
        struct list parts = { .n = 0 };

        if (list->boxes[i]->verdict == MLOG_VERDICT_ASK) {
            list_clear(list);
            list_clear(&outside);
            list_add_everything(list, MLOG_VERDICT_ASK);
            return;
        }
        list_add_complement(&parts, list->boxes[i]);
        list_and(&outside, &parts);
    }
    for (size_t i = list->n; i-- > 0; ) {
        if (list->boxes[i]->verdict == MLOG_VERDICT_MAYBE) {
            list_add(&outside, list->boxes[i]);
        } else {
            box_destroy(list->boxes[i]);
        }
    }
    *list = outside;
}

/* Terms. */

/* The dimension of a field that is a part of the flow key, and whether its
 * values are that part's numbers as they are. */
static enum mlog_dim
field_dim(const struct mlog_field *field, bool *as_is)
{
    *as_is = true;
    switch ((int) field->id) {
    case MLOG_F_FLOW_ID: return MLOG_DIM_FLOW_ID;
    case MLOG_F_DL_SRC: return MLOG_DIM_DL_SRC;
    case MLOG_F_DL_DST: return MLOG_DIM_DL_DST;
    case MLOG_F_DL_TYPE: return MLOG_DIM_DL_TYPE;
    case MLOG_F_NW_SRC:
    case MLOG_F_ARP_SPA: return MLOG_DIM_SRC4;
    case MLOG_F_NW_DST:
    case MLOG_F_ARP_TPA: return MLOG_DIM_DST4;
    case MLOG_F_IPV6_SRC: return MLOG_DIM_SRC6;
    case MLOG_F_IPV6_DST: return MLOG_DIM_DST6;
    case MLOG_F_NW_PROTO:
    case MLOG_F_ARP_OP: return MLOG_DIM_NW_PROTO;
    case MLOG_F_TP_SRC:
    case MLOG_F_TCP_SRC:
    case MLOG_F_UDP_SRC:
    case MLOG_F_SCTP_SRC: return MLOG_DIM_TP_SRC;
    case MLOG_F_TP_DST:
    case MLOG_F_TCP_DST:
    case MLOG_F_UDP_DST:
    case MLOG_F_SCTP_DST: return MLOG_DIM_TP_DST;
    case MLOG_F_ICMP_TYPE:
    case MLOG_F_ICMPV6_TYPE: return MLOG_DIM_ICMP_TYPE;
    case MLOG_F_ICMP_CODE:
    case MLOG_F_ICMPV6_CODE: return MLOG_DIM_ICMP_CODE;
    }
    *as_is = false;
    switch ((int) field->id) {
    case MLOG_F_VLAN_TCI:
    case MLOG_F_VLAN_VID:
    case MLOG_F_VLAN_PCP: return MLOG_DIM_VLAN0;
    case MLOG_F_INNER_VLAN_VID:
    case MLOG_F_INNER_VLAN_PCP: return MLOG_DIM_VLAN1;
    case MLOG_F_NW_FRAG: return MLOG_DIM_NW_FRAG;
    }
    return MLOG_N_DIMS;
}

static void
set_dim(struct mlog_flow_key *key, enum mlog_dim dim, uint64_t x)
{
    switch ((int) dim) {
    case MLOG_DIM_NW_FRAG: key->nw_frag = x; return;
    case MLOG_DIM_VLAN0: key->vlan_tci[0] = x; return;
    case MLOG_DIM_VLAN1: key->vlan_tci[1] = x; return;
    case MLOG_DIM_TP_SRC: key->tp_src = x; return;
    case MLOG_DIM_TP_DST: key->tp_dst = x; return;
    }
    OVS_NOT_REACHED();
}

/* Returns the numbers in 'dim' for which 'term' is true if the packet has its
 * field, by trying all; NULL if they are in too many intervals. */
static struct mlog_intervals *
try_numbers(const struct mlog_term *term, enum mlog_dim dim)
{
    const struct mlog_flow_needs *needs = mlog_field_needs(term->field);
    struct mlog_flow_key key = {
        .has = UINT8_MAX, .dl_type = needs->dl_type,
        .nw_proto = needs->nw_proto,
    };
    struct mlog_record flow = { .key = &key };
    struct mlog_range ranges[MAX_INTERVALS];
    size_t n = 0;
    bool was = false;

    for (uint64_t x = 0; x <= mlog_dim_ones(dim).lo; x++) {
        set_dim(&key, dim, x);

        bool is = mlog_term_eval(term, &flow) == MLOG_TRUE;
        if (is && was) {
            ranges[n - 1].max = number(x);
        } else if (is) {
            if (n >= MAX_INTERVALS) {
                return NULL;
            }
            ranges[n++] = (struct mlog_range) { number(x), number(x) };
        }
        was = is;
    }
    return mlog_intervals_create(ranges, n);
}

static struct mlog_intervals *
order_values(const struct mlog_term *term, const struct mlog_value *ones)
{
    const struct mlog_value *c = &term->constants[0].a;
    struct mlog_value zero = number(0);
    struct mlog_intervals *set, *not;

    switch (term->op) {
    case MLOG_OP_LE:
        return mlog_intervals_single(&zero, c);
    case MLOG_OP_GE:
        return mlog_intervals_single(c, ones);
    case MLOG_OP_LT:
        not = mlog_intervals_single(c, ones);
        break;
    case MLOG_OP_GT:
        not = mlog_intervals_single(&zero, c);
        break;
    case MLOG_OP_EQ:
    case MLOG_OP_NE:
    default:
        OVS_NOT_REACHED();
    }
    set = mlog_intervals_complement(not, ones);
    free(not);
    return set;
}

/* Returns the values of its field for which 'term' is true, or NULL if they
 * aren't just some intervals. */
static struct mlog_intervals *
term_values(const struct mlog_term *term)
{
    struct mlog_value ones = mlog_field_ones(term->field);

    if (term->type == MLOG_TERM_ORDER) {
        return order_values(term, &ones);
    } else if (term->n_masks) {
        return NULL;
    }

    struct mlog_intervals *set = mlog_intervals_create(term->ranges,
                                                       term->n_ranges);
    if (term->op == MLOG_OP_NE) {
        struct mlog_intervals *not = set;

        set = mlog_intervals_complement(not, &ones);
        free(not);
    }
    return set;
}

/* Adds the box where the packet has the field of 'term' and its value is in
 * 'set' of 'dim', which is taken over.  If 'set' is NULL, asks. */
static void
list_add_values(struct list *list, const struct mlog_term *term,
                enum mlog_dim dim, struct mlog_intervals *set)
{
    struct mlog_box *box = box_create(set ? MLOG_VERDICT_TRUE
                                      : MLOG_VERDICT_ASK);

    box_restrict_needs(box, mlog_field_needs(term->field));
    if (set) {
        box_restrict(box, dim, set);
    }
    list_add(list, box);
}

/* An IPv4 address is ::ffff:a.b.c.d for the term. */
static void
list_add_l3(struct list *list, const struct mlog_term *term)
{
    bool src = term->field->id == MLOG_F_L3_SRC;
    struct mlog_intervals *values = term_values(term);

    if (!values) {
        list_add_values(list, term, MLOG_N_DIMS, NULL);
        return;
    }

    struct mlog_value first = { 0, UINT64_C(0xffff) << 32 };
    struct mlog_value last = { 0, first.lo | UINT32_MAX };
    struct mlog_intervals *mapped = mlog_intervals_single(&first, &last);
    struct mlog_intervals *v4 = mlog_intervals_intersect(values, mapped);

    for (size_t i = 0; i < v4->n; i++) {
        v4->ranges[i].min.lo -= first.lo;
        v4->ranges[i].max.lo -= first.lo;
    }
    free(mapped);
    list_add_values(list, term, src ? MLOG_DIM_SRC4 : MLOG_DIM_DST4, v4);
    box_restrict_number(list->boxes[list->n - 1], MLOG_DIM_DL_TYPE,
                        ETH_TYPE_IP);

    struct mlog_value ip = number(ETH_TYPE_IP), ones = number(UINT16_MAX);
    struct mlog_intervals *is_v4 = mlog_intervals_single(&ip, &ip);
    struct list v6 = { .n = 0 };

    list_add_values(&v6, term, src ? MLOG_DIM_SRC6 : MLOG_DIM_DST6, values);
    box_restrict(v6.boxes[0], MLOG_DIM_DL_TYPE,
                 mlog_intervals_complement(is_v4, &ones));
    free(is_v4);
    list_or(list, &v6);
}

static void
list_add_comparison(struct list *list, const struct mlog_term *term)
{
    const struct mlog_field *field = term->field;
    bool as_is;
    enum mlog_dim dim = field_dim(field, &as_is);

    if (field->id == MLOG_F_L3_SRC || field->id == MLOG_F_L3_DST) {
        list_add_l3(list, term);
    } else if (as_is && !term->n_masks) {
        list_add_values(list, term, dim, term_values(term));
    } else if (!as_is || dim == MLOG_DIM_TP_SRC || dim == MLOG_DIM_TP_DST) {
        list_add_values(list, term, dim, try_numbers(term, dim));
    } else {
        list_add_values(list, term, dim, NULL);
    }
}

static void
list_add_predicate(struct list *list, const struct mlog_predicate *predicate)
{
    struct mlog_flow_needs needs;
    struct mlog_box *box;

    if (predicate->scope == MLOG_SCOPE_ROW) {
        list_add_everything(list, MLOG_VERDICT_MAYBE);
        return;
    }
    mlog_predicate_needs(predicate, &needs);
    box = box_create(MLOG_VERDICT_TRUE);
    box_restrict_needs(box, &needs);
    list_add(list, box);
}

static bool
is_port(const struct mlog_field *field)
{
    return (field->type == MLOG_FT_PORT
            || field->type == MLOG_FT_PORT_NAME);
}

static void
list_add_term(struct list *list, const struct mlog_term *term)
{
    if (term->type == MLOG_TERM_CUSTOM) {
        list_add(list, box_create(MLOG_VERDICT_MAYBE));
        return;
    } else if (term->type == MLOG_TERM_PREDICATE) {
        list_add_predicate(list, term->predicate);
        return;
    }

    bool of_row = (term->field->scope == MLOG_SCOPE_ROW
                   || (term->field2
                       && term->field2->scope == MLOG_SCOPE_ROW));
    if (!of_row && !term->field2 && is_port(term->field)) {
        struct mlog_port_literal port = { .term = term };
        struct mlog_box *box = box_create(MLOG_VERDICT_TRUE);

        box_restrict_port(box, &port);
        list_add(list, box);
    } else if (of_row || term->field2 || term->type == MLOG_TERM_PRESENT) {
        struct mlog_box *box = box_create(of_row ? MLOG_VERDICT_MAYBE
                                          : term->field2 ? MLOG_VERDICT_ASK
                                          : MLOG_VERDICT_TRUE);

        box_restrict_needs(box, mlog_field_needs(term->field));
        if (term->field2) {
            box_restrict_needs(box, mlog_field_needs(term->field2));
        }
        list_add(list, box);
    } else {
        list_add_comparison(list, term);
    }
}

/* Nodes. */

static void
list_add_node(struct list *list, const struct mlog_node *node, bool negate)
{
    struct list part = { .n = 0 };

    switch (node->type) {
    case MLOG_NODE_TERM:
        list_add_term(&part, node->term);
        if (negate) {
            list_negate(&part);
        }
        break;

    case MLOG_NODE_NOT:
        list_add_node(&part, node->children[0], !negate);
        break;

    case MLOG_NODE_AND:
    case MLOG_NODE_OR:
        if ((node->type == MLOG_NODE_AND) == negate) {
            for (size_t i = 0; i < node->n; i++) {
                list_add_node(&part, node->children[i], negate);
            }
            break;
        }
        list_add_everything(&part, MLOG_VERDICT_TRUE);
        for (size_t i = 0; i < node->n && part.n; i++) {
            struct list child = { .n = 0 };

            list_add_node(&child, node->children[i], negate);
            list_and(&part, &child);
        }
        break;
    }
    list_or(list, &part);
}

/* Public functions. */

bool
mlog_port_literal_eval(const struct mlog_port_literal *literal, uint16_t id)
{
    struct mlog_flow_key key = { .in_port = id };
    struct mlog_record flow = { .key = &key };

    return (mlog_term_eval(literal->term, &flow) == MLOG_TRUE)
           != literal->negate;
}

static int
compare_boxes(const void *a_, const void *b_)
{
    const struct mlog_box *const *a = a_;
    const struct mlog_box *const *b = b_;

    return (*a)->verdict < (*b)->verdict ? -1 : (*a)->verdict > (*b)->verdict;
}

struct mlog_boxes *
mlog_expr_boxes(const struct mlog_expr *expr, size_t max)
{
    struct mlog_boxes *boxes = xzalloc(sizeof *boxes);
    struct list list = { .n = 0 };

    if (expr->root) {
        list_add_node(&list, expr->root, false);
    } else {
        list_add_everything(&list, MLOG_VERDICT_TRUE);
    }
    if (list.n > max) {
        list_collapse(&list);
    }
    boxes->n = list.n;
    memcpy(boxes->boxes, list.boxes, list.n * sizeof list.boxes[0]);
    qsort(boxes->boxes, boxes->n, sizeof boxes->boxes[0], compare_boxes);
    return boxes;
}

void
mlog_boxes_destroy(struct mlog_boxes *boxes)
{
    if (boxes) {
        for (size_t i = 0; i < boxes->n; i++) {
            box_destroy(boxes->boxes[i]);
        }
        free(boxes);
    }
}
