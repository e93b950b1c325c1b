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
#include "mlog-fields.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <time.h>

#include "byte-order.h"
#include "mlog-drop.h"
#include "mlog-field-names.h"
#include "mlog-ports.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "util.h"

/* Values as text.  What mlog_field_format_masked() prints,
 * mlog_field_parse_value() reads back as the same value and mask. */

static const struct mlog_name eth_types[] = {
    { "ip", ETH_TYPE_IP, 0 },
    { "ipv4", ETH_TYPE_IP, 0 },
    { "arp", ETH_TYPE_ARP, 0 },
    { "rarp", ETH_TYPE_RARP, 0 },
    { "ipv6", ETH_TYPE_IPV6, 0 },
    { "mpls", ETH_TYPE_MPLS, 0 },
    { "mplsm", ETH_TYPE_MPLS_MCAST, 0 },
    { "lldp", 0x88cc, 0 },
    { NULL, 0, 0 },
};

static const struct mlog_name ip_protos[] = {
    { "icmp", 1, 0 },
    { "igmp", 2, 0 },
    { "ipip", 4, 0 },
    { "tcp", 6, 0 },
    { "udp", 17, 0 },
    { "gre", 47, 0 },
    { "esp", 50, 0 },
    { "ah", 51, 0 },
    { "icmp6", 58, 0 },
    { "ospf", 89, 0 },
    { "vrrp", 112, 0 },
    { "sctp", 132, 0 },
    { NULL, 0, 0 },
};

static const struct mlog_name arp_ops[] = {
    { "request", 1, 0 },
    { "reply", 2, 0 },
    { NULL, 0, 0 },
};

static const struct mlog_name frags[] = {
    { "no", 0, 3 },
    { "yes", 1, 1 },
    { "first", 1, 3 },
    { "later", 2, 2 },
    { "not_later", 0, 2 },
    { NULL, 0, 0 },
};

const char *const mlog_tcp_flag_names[MLOG_N_TCP_FLAGS] = {
    "fin", "syn", "rst", "psh", "ack", "urg",
    "ece", "cwr", "ns", "[200]", "[400]", "[800]",
};

const struct mlog_name *
mlog_field_names(enum mlog_field_type type)
{
    return (type == MLOG_FT_ETH_TYPE ? eth_types
            : type == MLOG_FT_IP_PROTO ? ip_protos
            : type == MLOG_FT_ARP_OP ? arp_ops
            : type == MLOG_FT_FRAG ? frags
            : NULL);
}

static void
put_ipv4(uint32_t addr, struct ds *s)
{
    ds_put_format(s, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 0xff,
                  addr >> 8 & 0xff, addr & 0xff);
}

static void
put_ipv6(const struct mlog_value *value, struct ds *s)
{
    ovs_be64 be[2] = { htonll(value->hi), htonll(value->lo) };
    char buf[INET6_ADDRSTRLEN];

    ds_put_cstr(s, inet_ntop(AF_INET6, be, buf, sizeof buf));
}

static bool
is_v4_mapped(const struct mlog_value *value)
{
    return !value->hi && value->lo >> 32 == 0xffff;
}

static void
put_l3(const struct mlog_value *value, struct ds *s)
{
    if (is_v4_mapped(value)) {
        put_ipv4(value->lo, s);
    } else {
        put_ipv6(value, s);
    }
}

static void
put_mac(uint64_t mac, struct ds *s)
{
    for (int shift = 40; shift >= 0; shift -= 8) {
        ds_put_format(s, "%02x%s", (unsigned int) (mac >> shift & 0xff),
                      shift ? ":" : "");
    }
}

static void
put_flags(uint64_t flags, struct ds *s)
{
    const char *delim = "";

    if (!flags) {
        ds_put_cstr(s, "none");
    }
    for (size_t i = 0; i < MLOG_N_TCP_FLAGS; i++) {
        if (flags & (UINT64_C(1) << i)) {
            ds_put_format(s, "%s%s", delim, mlog_tcp_flag_names[i]);
            delim = "|";
        }
    }
}

static void
put_frag(uint64_t frag, struct ds *s)
{
    ds_put_cstr(s, frag & MLOG_FRAG_LATER ? "later"
                : frag & MLOG_FRAG_ANY ? "first"
                : "no");
}

static void
put_reason(uint64_t reason, struct ds *s)
{
    const char *name = mlog_drop_name(reason);

    if (name) {
        ds_put_cstr(s, name);
    } else {
        ds_put_format(s, "%"PRIu64, reason);
    }
}

/* A port's name is what somebody gave to a network device: don't trust it. */
static void
put_port(uint16_t id, struct ds *s)
{
    const char *name = mlog_ports_name(id);

    if (!name) {
        ds_put_cstr(s, "none");
        return;
    }
    for (; *name; name++) {
        unsigned char c = *name;

        ds_put_char(s, c < 0x20 || c == 0x7f ? '?' : c);
    }
}

void
mlog_time_format(uint64_t ns, struct ds *s)
{
    time_t when = ns / 1000000000;
    struct tm tm;

    gmtime_r(&when, &tm);
    ds_put_format(s, "%04d-%02d-%02dT%02d:%02d:%02d.%09"PRIu64"Z",
                  tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                  tm.tm_min, tm.tm_sec, ns % 1000000000);
}

void
mlog_field_format(const struct mlog_field *field,
                  const struct mlog_value *value, struct ds *s)
{
    switch (field->type) {
    case MLOG_FT_DECIMAL:
    case MLOG_FT_IP_PROTO:
    case MLOG_FT_ARP_OP:
    case MLOG_FT_TOS:
        ds_put_format(s, "%"PRIu64, value->lo);
        return;

    case MLOG_FT_HEX:
    case MLOG_FT_ETH_TYPE:
        ds_put_format(s, "0x%04"PRIx64, value->lo);
        return;

    case MLOG_FT_FLAGS:
        put_flags(value->lo, s);
        return;

    case MLOG_FT_FRAG:
        put_frag(value->lo, s);
        return;

    case MLOG_FT_MAC:
        put_mac(value->lo, s);
        return;

    case MLOG_FT_IPV4:
        put_ipv4(value->lo, s);
        return;

    case MLOG_FT_IPV6:
        put_ipv6(value, s);
        return;

    case MLOG_FT_L3:
        put_l3(value, s);
        return;

    case MLOG_FT_TIME:
        mlog_time_format(value->lo, s);
        return;

    case MLOG_FT_PORT:
    case MLOG_FT_PORT_NAME:
        put_port(value->lo, s);
        return;

    case MLOG_FT_REASON:
        put_reason(value->lo, s);
        return;

    case MLOG_FT_FLOW_ID:
        ds_put_format(s, "0x%016"PRIx64, value->lo);
        return;
    }
    OVS_NOT_REACHED();
}

/* If 'mask' is a prefix of 'n_bits' bits, returns its length, otherwise -1. */
static int
prefix_len(const struct mlog_value *mask, unsigned int n_bits)
{
    int zeros = (mask->lo ? raw_ctz(mask->lo)
                 : n_bits <= 64 ? n_bits
                 : mask->hi ? 64 + raw_ctz(mask->hi)
                 : n_bits);
    int ones = count_1bits(mask->hi) + count_1bits(mask->lo);

    return zeros + ones == n_bits ? ones : -1;
}

static void
put_address_mask(const struct mlog_field *field, unsigned int n_bits,
                 const struct mlog_value *mask, struct ds *s)
{
    int len = prefix_len(mask, n_bits);

    ds_put_char(s, '/');
    if (len >= 0) {
        ds_put_format(s, "%d", len);
    } else if (n_bits == 32) {
        put_ipv4(mask->lo, s);
    } else {
        put_ipv6(mask, s);
    }
}

static bool
put_frag_masked(uint64_t value, uint64_t mask, struct ds *s)
{
    for (const struct mlog_name *n = frags; n->name; n++) {
        if (n->value == value && n->mask == mask) {
            ds_put_cstr(s, n->name);
            return true;
        }
    }
    return false;
}

static void
put_flags_masked(uint64_t flags, uint64_t mask, struct ds *s)
{
    for (size_t i = 0; i < MLOG_N_TCP_FLAGS; i++) {
        uint64_t bit = UINT64_C(1) << i;

        if (mask & bit) {
            ds_put_format(s, "%c%s", flags & bit ? '+' : '-',
                          mlog_tcp_flag_names[i]);
        }
    }
}

void
mlog_field_format_masked(const struct mlog_field *field,
                         const struct mlog_value *value,
                         const struct mlog_value *mask, struct ds *s)
{
    struct mlog_value ones = mlog_field_ones(field);
    bool exact = mlog_value_equal(mask, &ones);

    if (field->type == MLOG_FT_FRAG) {
        if (put_frag_masked(value->lo, mask->lo, s)) {
            return;
        }
    } else if (exact) {
        mlog_field_format(field, value, s);
        return;
    } else if (field->type == MLOG_FT_FLAGS && mask->lo) {
        put_flags_masked(value->lo, mask->lo, s);
        return;
    } else if (field->type == MLOG_FT_L3 && is_v4_mapped(value)
               && mask->hi == UINT64_MAX && mask->lo >> 32 == UINT32_MAX) {
        struct mlog_value v4_mask = { 0, mask->lo & UINT32_MAX };

        put_ipv4(value->lo, s);
        put_address_mask(field, 32, &v4_mask, s);
        return;
    } else if (field->type == MLOG_FT_IPV4 || field->type == MLOG_FT_IPV6
               || field->type == MLOG_FT_L3) {
        if (field->type == MLOG_FT_IPV4) {
            put_ipv4(value->lo, s);
        } else {
            put_ipv6(value, s);
        }
        put_address_mask(field, field->n_bits, mask, s);
        return;
    } else if (field->type == MLOG_FT_MAC) {
        put_mac(value->lo, s);
        ds_put_char(s, '/');
        put_mac(mask->lo, s);
        return;
    }
    ds_put_format(s, "0x%"PRIx64"/0x%"PRIx64, value->lo, mask->lo);
}

struct json *
mlog_field_to_json(const struct mlog_field *field,
                   const struct mlog_value *value)
{
    switch (field->type) {
    case MLOG_FT_DECIMAL:
    case MLOG_FT_HEX:
    case MLOG_FT_ETH_TYPE:
    case MLOG_FT_IP_PROTO:
    case MLOG_FT_ARP_OP:
    case MLOG_FT_TOS:
        return json_integer_create(value->lo);

    case MLOG_FT_PORT: {
        uint32_t ofp = mlog_ports_ofp(value->lo);

        return (ofp != MLOG_OFP_PORT_NONE ? json_integer_create(ofp)
                : json_null_create());
    }

    case MLOG_FT_FLAGS:
    case MLOG_FT_FRAG:
    case MLOG_FT_MAC:
    case MLOG_FT_IPV4:
    case MLOG_FT_IPV6:
    case MLOG_FT_L3:
    case MLOG_FT_TIME:
    case MLOG_FT_PORT_NAME:
    case MLOG_FT_REASON:
    case MLOG_FT_FLOW_ID: {
        struct ds s = DS_EMPTY_INITIALIZER;

        mlog_field_format(field, value, &s);
        return json_string_create_nocopy(ds_steal_cstr(&s));
    }
    }
    OVS_NOT_REACHED();
}
