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

#ifndef MLOG_FIELDS_H
#define MLOG_FIELDS_H 1

/* The fields of a record
 * ======================
 *
 * One table names everything that can be asked of a record.  Parsing,
 * printing, JSON, expressions, grouping and the reference page are derived
 * from it.  Names and meanings are those of ovs-fields(7) as far as OVS has
 * the field.
 *
 * A field's value is always a 128-bit number, 'struct mlog_value', in host
 * order and right-aligned: an IPv4 address is the low 32 bits, an Ethernet
 * address the low 48.  Two types need a word:
 *
 *   - MLOG_FT_L3 holds an IPv6 address, or an IPv4 address as the IPv6
 *     address ::ffff:a.b.c.d.
 *
 *   - MLOG_FT_PORT and MLOG_FT_PORT_NAME hold an identifier of mlog-ports.h.
 *
 * Values of one field may be compared and hashed by their bits.
 *
 * Thread-safety
 * =============
 *
 * The table is constant.  All the functions may be called from any thread at
 * any time, and only those that return text, JSON or an error allocate. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-record.h"

struct ds;
struct json;

enum mlog_field_id {
    /* The packet as a whole. */
    MLOG_F_TIME,
    MLOG_F_IN_PORT,
    MLOG_F_IN_PORT_NAME,
    MLOG_F_OUT_PORT,
    MLOG_F_OUT_PORT_NAME,
    MLOG_F_PKT_LEN,
    MLOG_F_DROP_REASON,
    MLOG_F_FLOW_ID,

    /* Ethernet and VLAN. */
    MLOG_F_DL_SRC,
    MLOG_F_DL_DST,
    MLOG_F_DL_TYPE,
    MLOG_F_VLAN_TCI,
    MLOG_F_VLAN_VID,
    MLOG_F_VLAN_PCP,
    MLOG_F_INNER_VLAN_VID,
    MLOG_F_INNER_VLAN_PCP,

    /* IPv4 and IPv6. */
    MLOG_F_NW_SRC,
    MLOG_F_NW_DST,
    MLOG_F_IPV6_SRC,
    MLOG_F_IPV6_DST,
    MLOG_F_L3_SRC,
    MLOG_F_L3_DST,
    MLOG_F_NW_PROTO,
    MLOG_F_NW_TOS,
    MLOG_F_IP_DSCP,
    MLOG_F_NW_ECN,
    MLOG_F_NW_TTL,
    MLOG_F_NW_FRAG,
    MLOG_F_IP_ID,

    /* ARP. */
    MLOG_F_ARP_OP,
    MLOG_F_ARP_SPA,
    MLOG_F_ARP_TPA,

    /* TCP, UDP and SCTP. */
    MLOG_F_TP_SRC,
    MLOG_F_TP_DST,
    MLOG_F_TCP_SRC,
    MLOG_F_TCP_DST,
    MLOG_F_UDP_SRC,
    MLOG_F_UDP_DST,
    MLOG_F_SCTP_SRC,
    MLOG_F_SCTP_DST,
    MLOG_F_TCP_FLAGS,
    MLOG_F_TCP_SEQ,
    MLOG_F_TCP_ACK,
    MLOG_F_TCP_WINDOW,

    /* ICMP. */
    MLOG_F_ICMP_TYPE,
    MLOG_F_ICMP_CODE,
    MLOG_F_ICMPV6_TYPE,
    MLOG_F_ICMPV6_CODE,

    MLOG_N_FIELDS
};

/* What a value means and how it is written. */
enum mlog_field_type {
    MLOG_FT_DECIMAL,            /* 1500 */
    MLOG_FT_HEX,                /* 0x1005 */
    MLOG_FT_ETH_TYPE,           /* 0x0800, also by name: ip, arp, ipv6 ... */
    MLOG_FT_IP_PROTO,           /* 6, also by name: tcp, udp, icmp ... */
    MLOG_FT_ARP_OP,             /* 1, also by name: request, reply */
    MLOG_FT_TOS,                /* 184: DSCP << 2, the ECN bits zero */
    MLOG_FT_FLAGS,              /* syn|ack */
    MLOG_FT_FRAG,               /* no, first, later */
    MLOG_FT_MAC,                /* 00:53:00:00:00:01 */
    MLOG_FT_IPV4,               /* 192.0.2.1 */
    MLOG_FT_IPV6,               /* 2001:db8::1 */
    MLOG_FT_L3,                 /* either of the two */
    MLOG_FT_TIME,               /* 2026-01-31T12:00:00.123456789Z */
    MLOG_FT_PORT,               /* 1, or the name of a port */
    MLOG_FT_PORT_NAME,          /* the name of a port */
    MLOG_FT_REASON,             /* meter, rx_invalid_packet ... */
    MLOG_FT_FLOW_ID,            /* 0x0123456789abcdef */
};

/* What is needed to know a field's value. */
enum mlog_field_scope {
    MLOG_SCOPE_FLOW,            /* The same for all packets of a flow. */
    MLOG_SCOPE_ROW,             /* The packet's own. */
};

#define MLOG_FIELD_MAX_ALIASES 2

struct mlog_field {
    enum mlog_field_id id;
    const char *name;
    const char *aliases[MLOG_FIELD_MAX_ALIASES + 1];    /* NULL-terminated. */
    const char *group;          /* Heading, e.g. "IPv4 and IPv6". */
    enum mlog_field_type type;
    unsigned int n_bits;        /* Values are less than 1 << 'n_bits'. */
    bool maskable;              /* May be compared as VALUE/MASK. */
    enum mlog_field_scope scope;
    const char *prereq;         /* Which packets have it, in words. */
    const char *doc;            /* One or two sentences, RST. */
};

struct mlog_value {
    uint64_t hi;
    uint64_t lo;
};

static inline int
mlog_value_compare(const struct mlog_value *a, const struct mlog_value *b)
{
    return (a->hi != b->hi ? (a->hi < b->hi ? -1 : 1)
            : a->lo != b->lo ? (a->lo < b->lo ? -1 : 1)
            : 0);
}

static inline bool
mlog_value_equal(const struct mlog_value *a, const struct mlog_value *b)
{
    return a->hi == b->hi && a->lo == b->lo;
}

/* Finding fields. */

/* The fields in the order in which they should be listed, 'i' less than
 * MLOG_N_FIELDS.  'i' is also the field's 'id'. */
const struct mlog_field *mlog_field_get_by_id(enum mlog_field_id i);

#define MLOG_FIELD_FOR_EACH(FIELD)                                          \
    for (int MLOG_I__ = 0;                                                  \
         MLOG_I__ < MLOG_N_FIELDS                                           \
         && ((FIELD) = mlog_field_get_by_id(MLOG_I__), true);               \
         MLOG_I__++)

/* Returns the field with the given name or alias, or NULL. */
const struct mlog_field *mlog_field_from_name(const char *name);

/* Returns the field name or alias that 'name' may have been meant to be, or
 * NULL if none is close. */
const char *mlog_field_suggest(const char *name);

/* Returns the error message for a field 'name' that does not exist, for the
 * caller to free: "unknown field 'nw_scr'; did you mean 'nw_src'?". */
char *mlog_field_unknown_error(const char *name);

/* True if adding up and averaging the field's values means something. */
bool mlog_field_is_quantity(const struct mlog_field *);

/* True if '<' and its like, min and max mean something for the field. */
bool mlog_field_is_ordered(const struct mlog_field *);

const char *mlog_field_type_to_string(enum mlog_field_type);

/* What a flow must have for its packets to have a field. */
struct mlog_flow_needs {
    uint8_t has;                /* All these bits: MLOG_HAS_*. */
    uint8_t tags;               /* Bit i: VLAN tag i. */
    uint8_t nw_proto;           /* 0 = any. */
    bool in_port;               /* A port that it came in by. */
    uint16_t dl_type;           /* 0 = any. */
};

static inline bool
mlog_flow_meets(const struct mlog_flow_key *key,
                const struct mlog_flow_needs *needs)
{
    return ((key->has & needs->has) == needs->has
            && (!needs->dl_type || key->dl_type == needs->dl_type)
            && (!needs->nw_proto || key->nw_proto == needs->nw_proto)
            && (!(needs->tags & 1) || key->vlan_tci[0] & MLOG_VLAN_PRESENT)
            && (!(needs->tags & 2) || key->vlan_tci[1] & MLOG_VLAN_PRESENT)
            && (!needs->in_port || key->in_port != MLOG_PORT_NONE));
}

const struct mlog_flow_needs *mlog_field_needs(const struct mlog_field *);

/* Values. */

/* Stores the field's value in 'value' and returns true, or returns false,
 * 'value' zero, if the packet lacks the field.  'record' must have a row if
 * the field's scope is MLOG_SCOPE_ROW. */
bool mlog_field_get(const struct mlog_field *, const struct mlog_record *,
                    struct mlog_value *value);

/* The same for a field of MLOG_SCOPE_ROW, if mlog_field_in_flow(). */
bool mlog_field_get_row(enum mlog_field_id, const struct mlog_record *,
                        uint64_t *value);

/* Returns true if the packets of the flow may have the field, false if none
 * has.  For fields of MLOG_SCOPE_FLOW this is mlog_field_get()'s answer. */
bool mlog_field_in_flow(const struct mlog_field *,
                        const struct mlog_flow_key *);

/* Appends 'value' as text for people: addresses, "syn|ack", UTC times with
 * nanoseconds, names of ports.  Every character is printable. */
void mlog_field_format(const struct mlog_field *, const struct mlog_value *,
                       struct ds *);

/* Appends 'value' under 'mask' as text that mlog_field_parse_value() reads
 * back: just the value if 'mask' is mlog_field_ones(), else a prefix,
 * VALUE/MASK, or what else suits the field, such as "+syn-ack".  Not for
 * ports. */
void mlog_field_format_masked(const struct mlog_field *,
                              const struct mlog_value *value,
                              const struct mlog_value *mask, struct ds *);

/* Returns 'value' as JSON: an integer where the value is a number (for
 * MLOG_FT_PORT the OpenFlow port number, or null if the port has none), else
 * the string that mlog_field_format() prints.  The caller frees it. */
struct json *mlog_field_to_json(const struct mlog_field *,
                                const struct mlog_value *);

/* Parses 'text', a value or, if the field is maskable, VALUE/MASK or a
 * prefix, into 'value' and 'mask' (all-ones in the field's bits for an exact
 * value; bits of 'value' outside 'mask' are cleared).
 *
 * For MLOG_FT_PORT and MLOG_FT_PORT_NAME this finds the port that has the
 * number or name now.
 *
 * Returns NULL if successful, otherwise an error message that the caller must
 * free. */
char *mlog_field_parse_value(const struct mlog_field *, const char *text,
                             struct mlog_value *value,
                             struct mlog_value *mask)
    OVS_WARN_UNUSED_RESULT;

/* All-ones in the bits that the field's values may have. */
struct mlog_value mlog_field_ones(const struct mlog_field *);

/* Parses "2026-01-31T12:00:00.5Z", "...+01:00" or seconds since the epoch,
 * "1769860800.5", into nanoseconds since the epoch.  Returns NULL if
 * successful, otherwise an error message that the caller must free. */
char *mlog_time_parse(const char *text, uint64_t *ns)
    OVS_WARN_UNUSED_RESULT;

/* Appends 'ns', nanoseconds since the epoch, as RFC 3339 in UTC with nine
 * decimals. */
void mlog_time_format(uint64_t ns, struct ds *);

/* Returns the entry of 'names' that 'name' may have been meant to be, or NULL
 * if none is close. */
const char *mlog_nearest_name(const char *name, const char *const names[],
                              size_t n);

/* Appends 'text' in single quotes, shortened if it is longer than
 * MLOG_QUOTED_MAX bytes, with '?' for what is not printable ASCII. */
#define MLOG_QUOTED_MAX 40
void mlog_put_quoted(struct ds *, const char *text);

#endif /* mlog-fields.h */
