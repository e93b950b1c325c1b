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
#include "packets.h"
#include "util.h"

/* OVS match syntax, as in ovs-ofctl(8) and ovs-fields(7): terms separated by
 * commas, all of which must hold.
 *
 *     match = term { "," term }
 *     term  = predicate | field "=" ( value | "*" )
 *
 * Where a name means something else there, the match is translated into an
 * expression on our fields:
 *
 *     tcp, udp, sctp             IPv4 only
 *     nw_src, nw_dst, nw_proto   of ARP and RARP: arp_spa, arp_tpa, arp_op
 *     tp_src, tp_dst             of ICMP and ICMPv6: type and code
 *     dl_vlan=0xffff, vlan_vid=0     no VLAN tag
 *     vlan_vid=0x1005, vlan_vid=0x1000/0x1000      12 + 1 bits
 *
 * The whole text is scanned first for what protocol it is about, which terms
 * may say in any order. */

struct match {
    struct mlog_lexer *lexer;

    /* What the terms say of the protocol; 0 = nothing yet.  The predicate or
     * field that said so, for error messages. */
    uint16_t dl_type;
    uint8_t nw_proto;
    const char *dl_type_by;
    const char *nw_proto_by;

    uint64_t seen;              /* Bitmap of fields. */
    size_t n_terms;
};
BUILD_ASSERT_DECL(MLOG_N_FIELDS <= 64);

bool
mlog_match_is(const char *text)
{
    bool quoted = false;
    int depth = 0;

    for (const char *p = text; *p; p++) {
        if (quoted) {
            if (*p == '\\' && p[1]) {
                p++;
            } else if (*p == '"') {
                quoted = false;
            }
        } else if (*p == '"') {
            quoted = true;
        } else if (*p == '(' || *p == '{') {
            depth++;
        } else if (*p == ')' || *p == '}') {
            depth--;
        } else if (*p == ',' && depth <= 0) {
            return true;
        }
    }
    return false;
}

/* Protocols. */

static bool
add_protocol(struct match *m, size_t start, const char *by,
             uint16_t dl_type, uint8_t nw_proto)
{
    const char *other = NULL;

    if (dl_type && m->dl_type && dl_type != m->dl_type) {
        other = m->dl_type_by;
    } else if (nw_proto && m->nw_proto && nw_proto != m->nw_proto) {
        other = m->nw_proto_by;
    }
    if (other) {
        return mlog_lexer_error_at(m->lexer, start, "'%s' contradicts '%s': "
                                   "no packet is both", by, other);
    }
    if (dl_type) {
        m->dl_type = dl_type;
        m->dl_type_by = by;
    }
    if (nw_proto) {
        m->nw_proto = nw_proto;
        m->nw_proto_by = by;
    }
    return true;
}

static bool
is_arp(const struct match *m)
{
    return m->dl_type == ETH_TYPE_ARP || m->dl_type == ETH_TYPE_RARP;
}

/* Terms: reading. */

struct term {
    const struct mlog_predicate *predicate;     /* Or a field: */
    const struct mlog_field *field;
    char name[32];              /* As it was written. */
    size_t start;

    bool quoted;
    size_t value_start;
    const char *value;          /* In the lexer, current token. */
};

static bool
expected(struct match *m, const char *what)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "expected %s, found ", what);
    mlog_lexer_put_token(m->lexer, &s);
    return mlog_lexer_error_nocopy(m->lexer, m->lexer->start,
                                   ds_steal_cstr(&s));
}

static bool
unknown_name(struct match *m, const char *name)
{
    static const char *const not_of_packets[] = {
        "priority", "cookie", "table", "actions", "action", "idle_timeout",
        "hard_timeout", "duration", "n_packets", "n_bytes",
    };

    for (size_t i = 0; i < ARRAY_SIZE(not_of_packets); i++) {
        if (!strcmp(name, not_of_packets[i])) {
            return mlog_lexer_error(m->lexer, "'%s' is about OpenFlow flows, "
                                    "not about packets; leave it out", name);
        }
    }
    return mlog_lexer_error_nocopy(m->lexer, m->lexer->start,
                                   mlog_name_error(name));
}

/* Reads "NAME" or "NAME=VALUE", the value being left as the current token. */
static bool
read_term(struct match *m, struct term *t)
{
    struct mlog_lexer *lexer = m->lexer;

    memset(t, 0, sizeof *t);
    t->start = lexer->start;
    if (lexer->token == MLOG_TOKEN_LPAREN || lexer->token == MLOG_TOKEN_NOT) {
        return mlog_lexer_error(lexer, "in OVS match syntax (terms separated "
                                "by commas) there is no '%.*s'; write && "
                                "instead of the commas",
                                (int) (lexer->pos - lexer->start),
                                lexer->text + lexer->start);
    } else if (lexer->token != MLOG_TOKEN_WORD) {
        return expected(m, "a protocol or FIELD=VALUE");
    }
    t->predicate = mlog_predicate_from_match(lexer->s);
    t->field = t->predicate ? NULL : mlog_field_from_name(lexer->s);
    if (!t->predicate && !t->field) {
        return unknown_name(m, lexer->s);
    }
    ovs_strlcpy(t->name, lexer->s, sizeof t->name);
    if (!mlog_lexer_next(lexer)) {
        return false;
    }
    if (t->predicate) {
        return true;
    }

    if (lexer->token != MLOG_TOKEN_OP) {
        return expected(m, "'='");
    }
    if (lexer->pos - lexer->start != 1 || lexer->op != MLOG_OP_EQ) {
        return mlog_lexer_error(lexer, "in OVS match syntax (terms separated "
                                "by commas) the only operator is '='; write "
                                "&& instead of the commas to use '%.*s'",
                                (int) (lexer->pos - lexer->start),
                                lexer->text + lexer->start);
    }
    if (!mlog_lexer_next(lexer)) {
        return false;
    }
    t->quoted = lexer->token == MLOG_TOKEN_STRING;
    t->value_start = lexer->start;
    t->value = lexer->s;
    if (lexer->token == MLOG_TOKEN_LBRACE) {
        return mlog_lexer_error(lexer, "in OVS match syntax (terms separated "
                                "by commas) there are no sets; write && "
                                "instead of the commas");
    }
    return (t->quoted || lexer->token == MLOG_TOKEN_WORD
            || expected(m, "a value"));
}

/* Reads what is between terms.  Sets '*end' at the end of the text. */
static bool
read_delimiter(struct match *m, bool *end)
{
    struct mlog_lexer *lexer = m->lexer;

    *end = lexer->token == MLOG_TOKEN_END;
    if (*end) {
        return true;
    }
    if (lexer->token == MLOG_TOKEN_AND || lexer->token == MLOG_TOKEN_OR) {
        return mlog_lexer_error(lexer, "'%.*s' can't be mixed with OVS match "
                                "syntax (terms separated by commas); write "
                                "&& instead of the commas",
                                (int) (lexer->pos - lexer->start),
                                lexer->text + lexer->start);
    }
    return (lexer->token == MLOG_TOKEN_COMMA
            ? mlog_lexer_next(lexer)
            : expected(m, "',' or the end"));
}

/* First pass: protocols. */

/* If 't' says what the protocol is, takes note of it. */
static bool
note_protocol(struct match *m, const struct term *t)
{
    uint16_t dl_type = 0;
    uint8_t nw_proto = 0;
    const char *by = (t->field ? t->field->name
                      : mlog_predicate_match_name(t->predicate));

    if (t->predicate) {
        mlog_predicate_implies(t->predicate, &dl_type, &nw_proto);
    } else if (!t->quoted && (t->field->id == MLOG_F_DL_TYPE
                              || t->field->id == MLOG_F_NW_PROTO)) {
        struct mlog_constant c;
        char *error = mlog_constant_parse(t->field, t->value, false, &c);

        /* The second pass reports errors. */
        if (!error && mlog_constant_is_exact(&c, t->field)) {
            if (t->field->id == MLOG_F_DL_TYPE) {
                dl_type = c.a.lo;
            } else {
                nw_proto = c.a.lo;
            }
        }
        free(error);
    }
    return add_protocol(m, t->start, by, dl_type, nw_proto);
}

static bool
scan_protocols(struct match *m)
{
    struct term t;
    bool end;

    do {
        if (!read_term(m, &t)
            || !note_protocol(m, &t)
            || (t.field && !mlog_lexer_next(m->lexer))
            || !read_delimiter(m, &end)) {
            return false;
        }
    } while (!end);
    return true;
}

/* Second pass: terms. */

/* What the field is called among ours, given the protocol. */
static const struct mlog_field *
translate_field(const struct match *m, const struct mlog_field *field)
{
    bool icmp = m->dl_type == ETH_TYPE_IP && m->nw_proto == IPPROTO_ICMP;
    bool icmp6 = m->dl_type == ETH_TYPE_IPV6 && m->nw_proto == IPPROTO_ICMPV6;
    enum mlog_field_id id = field->id;

    if (is_arp(m)) {
        id = (id == MLOG_F_NW_SRC ? MLOG_F_ARP_SPA
              : id == MLOG_F_NW_DST ? MLOG_F_ARP_TPA
              : id == MLOG_F_NW_PROTO ? MLOG_F_ARP_OP
              : id);
    } else if (icmp) {
        id = (id == MLOG_F_TP_SRC ? MLOG_F_ICMP_TYPE
              : id == MLOG_F_TP_DST ? MLOG_F_ICMP_CODE
              : id);
    } else if (icmp6) {
        id = (id == MLOG_F_TP_SRC ? MLOG_F_ICMPV6_TYPE
              : id == MLOG_F_TP_DST ? MLOG_F_ICMPV6_CODE
              : id);
    }
    return mlog_field_get_by_id(id);
}

/* True if some packet of the match's protocol may have the field. */
static bool
field_fits(const struct match *m, const struct mlog_field *field)
{
    uint8_t nw_proto = m->nw_proto;
    struct mlog_flow_key key = {
        .dl_type = m->dl_type,
        .vlan_tci = { MLOG_VLAN_PRESENT, MLOG_VLAN_PRESENT },
        .nw_proto = nw_proto,
        .has = MLOG_HAS_ETH,
    };

    if (!m->dl_type) {
        /* Either will do. */
        struct match ip = *m, ip6 = *m;

        ip.dl_type = ETH_TYPE_IP;
        ip6.dl_type = ETH_TYPE_IPV6;
        return (field_fits(&ip, field) || field_fits(&ip6, field)
                || (!nw_proto && field->id >= MLOG_F_ARP_OP
                    && field->id <= MLOG_F_ARP_TPA));
    }
    if (is_arp(m)) {
        key.has |= MLOG_HAS_ARP;
    } else if (m->dl_type == ETH_TYPE_IP || m->dl_type == ETH_TYPE_IPV6) {
        key.has |= MLOG_HAS_IP | MLOG_HAS_PROTO;
        if (!nw_proto) {
            /* Any protocol: that of the field if it is of one. */
            key.has |= MLOG_HAS_PORTS | MLOG_HAS_TCP | MLOG_HAS_ICMP;
            key.nw_proto = (field->id == MLOG_F_TCP_SRC
                            || field->id == MLOG_F_TCP_DST ? IPPROTO_TCP
                            : field->id == MLOG_F_UDP_SRC
                              || field->id == MLOG_F_UDP_DST ? IPPROTO_UDP
                            : IPPROTO_SCTP);
        } else if (nw_proto == IPPROTO_TCP) {
            key.has |= MLOG_HAS_PORTS | MLOG_HAS_TCP;
        } else if (nw_proto == IPPROTO_UDP || nw_proto == IPPROTO_SCTP) {
            key.has |= MLOG_HAS_PORTS;
        } else if (nw_proto == (m->dl_type == ETH_TYPE_IP ? IPPROTO_ICMP
                                : IPPROTO_ICMPV6)) {
            key.has |= MLOG_HAS_ICMP;
        }
    }
    key.in_port = 0;
    return mlog_field_in_flow(field, &key);
}

static struct mlog_node *
one_constant(const struct mlog_field *field, const struct mlog_constant *c)
{
    return mlog_node_term(mlog_term_set(field, MLOG_OP_EQ,
                                        xmemdup(c, sizeof *c), 1));
}

struct mlog_node *
mlog_match_no_vlan(const char *name, const char *value)
{
    if (!strcmp(name, "dl_vlan")
        && (!strcasecmp(value, "0xffff") || !strcmp(value, "65535"))) {
        const struct mlog_predicate *vlan = mlog_predicate_from_name("vlan");

        return mlog_node_not(mlog_node_term(mlog_term_predicate(vlan)));
    }
    return NULL;
}

/* OpenFlow's vlan_vid has 12 + 1 bits: the low 13 bits of vlan_tci.  A value
 * from 1 to 4095 without a mask can't match any packet there; it is taken as
 * the VLAN identifier that it was certainly meant to be. */
static struct mlog_node *
parse_vlan_vid(const char *value, char **error)
{
    const struct mlog_field *tci = mlog_field_get_by_id(MLOG_F_VLAN_TCI);
    const struct mlog_field *vid = mlog_field_get_by_id(MLOG_F_VLAN_VID);
    const uint16_t bits = MLOG_VLAN_PRESENT | VLAN_VID_MASK;
    struct mlog_constant c;

    *error = mlog_constant_parse(tci, value, false, &c);
    if (*error) {
        return NULL;
    }
    if (c.type != MLOG_CONSTANT_VALUE || c.a.lo & ~(uint64_t) bits) {
        *error = xasprintf("vlan_vid in a match is a number from 0 to 0x1fff "
                           "with or without a mask: 0 for no tag, 0x1005 or "
                           "5 for VLAN 5");
        return NULL;
    }
    if (!strchr(value, '/') && c.a.lo && c.a.lo <= VLAN_VID_MASK) {
        c.b = mlog_field_ones(vid);
        return one_constant(vid, &c);
    }
    c.b.lo &= bits;
    return one_constant(tci, &c);
}

static struct mlog_node *
parse_value(const struct match *m, const struct term *t, char **error)
{
    const struct mlog_field *field = translate_field(m, t->field);
    struct mlog_node *node;
    struct mlog_constant c;

    *error = NULL;
    if (!t->quoted && (!strcmp(t->value, "*") || !strcmp(t->value, "ANY"))) {
        return mlog_node_term(mlog_term_present(field));
    }
    node = t->quoted ? NULL : mlog_match_no_vlan(t->name, t->value);
    if (node) {
        return node;
    }
    if (!strcmp(t->name, "vlan_vid")) {
        return parse_vlan_vid(t->value, error);
    }
    *error = mlog_constant_parse(field, t->value, t->quoted, &c);
    if (*error) {
        mlog_constant_destroy(&c);
        return NULL;
    }
    return one_constant(field, &c);
}

static struct mlog_node *
field_error(const struct match *m, const struct term *t)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s is a field of %s, but", t->name, t->field->prereq);
    if (m->dl_type_by) {
        ds_put_format(&s, " '%s'", m->dl_type_by);
    }
    if (m->nw_proto_by && m->nw_proto_by != m->dl_type_by) {
        ds_put_format(&s, "%s '%s'", m->dl_type_by ? " and" : "",
                      m->nw_proto_by);
    }
    ds_put_cstr(&s, " says otherwise");
    mlog_lexer_error_nocopy(m->lexer, t->start, ds_steal_cstr(&s));
    return NULL;
}

static struct mlog_node *
make_node(struct match *m, const struct term *t)
{
    struct mlog_node *node;
    char *error;

    if (m->n_terms++ >= MLOG_EXPR_MAX_TERMS) {
        mlog_lexer_error_at(m->lexer, t->start, "more than %d terms",
                            MLOG_EXPR_MAX_TERMS);
        return NULL;
    }
    if (t->predicate) {
        return mlog_node_term(mlog_term_predicate(t->predicate));
    }
    if (m->seen & (UINT64_C(1) << t->field->id)) {
        mlog_lexer_error_at(m->lexer, t->start, "%s is given twice", t->name);
        return NULL;
    }
    m->seen |= UINT64_C(1) << t->field->id;
    if (!field_fits(m, translate_field(m, t->field))) {
        return field_error(m, t);
    }

    node = parse_value(m, t, &error);
    if (!node) {
        mlog_lexer_error_nocopy(m->lexer, t->value_start, error);
    }
    return node;
}

struct mlog_node *
mlog_match_parse(struct mlog_lexer *lexer)
{
    struct match m = { .lexer = lexer };
    struct mlog_node *root = NULL;
    struct term t;
    bool end;

    if (!scan_protocols(&m)) {
        return NULL;
    }
    if (!mlog_lexer_init(lexer, lexer->text, lexer->error)) {
        return NULL;
    }
    do {
        struct mlog_node *node = read_term(&m, &t) ? make_node(&m, &t) : NULL;

        if (!node) {
            goto error;
        }
        root = mlog_node_join(MLOG_NODE_AND, root, node);
        if ((t.field && !mlog_lexer_next(lexer))
            || !read_delimiter(&m, &end)) {
            goto error;
        }
    } while (!end);
    return root;

error:
    mlog_node_destroy(root);
    return NULL;
}
