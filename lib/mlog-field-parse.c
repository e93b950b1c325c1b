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
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "byte-order.h"
#include "mlog-drop.h"
#include "mlog-field-names.h"
#include "mlog-ports.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

#define V4_MAPPED (UINT64_C(0xffff) << 32)

/* Values from text.
 *
 * All the parsers below return NULL or an error message.  'text' may be
 * anything. */

/* Returns "'TEXT' WHAT". */
static char *
bad_text(const char *text, const char *what)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_put_quoted(&s, text);
    ds_put_format(&s, " %s", what);
    return ds_steal_cstr(&s);
}

enum number {
    NUMBER_OK,
    NUMBER_NONE,                /* Not a number at all. */
    NUMBER_OCTAL,               /* A leading zero. */
    NUMBER_HUGE,                /* Doesn't fit in 64 bits. */
};

/* Parses decimal, or hexadecimal after "0x". */
static enum number
scan_number(const char *text, uint64_t *value)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *p = hex ? text + 2 : text;
    unsigned int base = hex ? 16 : 10;
    bool huge = false;

    if (!*p) {
        return NUMBER_NONE;
    }
    *value = 0;
    for (const char *q = p; *q; q++) {
        int digit = hexit_value(*q);

        if (digit < 0 || digit >= base) {
            return NUMBER_NONE;
        }
        huge |= *value > (UINT64_MAX - digit) / base;
        *value = *value * base + digit;
    }
    return (huge ? NUMBER_HUGE
            : !hex && p[0] == '0' && p[1] ? NUMBER_OCTAL
            : NUMBER_OK);
}

static char *
out_of_range(const struct mlog_field *field, const char *text)
{
    uint64_t max = mlog_field_ones(field).lo;
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_put_quoted(&s, text);
    ds_put_format(&s, " is out of range for %s (0 to %"PRIu64")",
                  field->name, max);
    if (field->id == MLOG_F_VLAN_VID) {
        ds_put_cstr(&s, "; OpenFlow's bit 0x1000 is left "
                    "out, and !vlan is for packets without a tag");
    }
    return ds_steal_cstr(&s);
}

static void
put_name_list(const struct mlog_name *names, struct ds *s)
{
    for (; names->name; names++) {
        ds_put_format(s, "%s%s", names->name, names[1].name ? ", " : "");
    }
}

static char *
not_a_number(const struct mlog_field *field, const char *text)
{
    const struct mlog_name *names = mlog_field_names(field->type);
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_put_quoted(&s, text);
    ds_put_format(&s, " is not a value of %s: ", field->name);
    if (field->type != MLOG_FT_FRAG) {
        ds_put_format(&s, "expected a number from 0 to %"PRIu64,
                      mlog_field_ones(field).lo);
        ds_put_cstr(&s, names ? ", or one of " : "");
    } else {
        ds_put_cstr(&s, "expected one of ");
    }
    if (names) {
        put_name_list(names, &s);
    }
    return ds_steal_cstr(&s);
}

static char *
parse_number(const struct mlog_field *field, const char *text,
             uint64_t *value)
{
    switch (scan_number(text, value)) {
    case NUMBER_OK:
        break;
    case NUMBER_NONE:
        return not_a_number(field, text);
    case NUMBER_OCTAL:
        return bad_text(text, "has a leading zero: write decimal without, or "
                        "hexadecimal with 0x");
    case NUMBER_HUGE:
        return out_of_range(field, text);
    }
    if (*value > mlog_field_ones(field).lo) {
        return out_of_range(field, text);
    }
    if (field->type == MLOG_FT_TOS && *value & IP_ECN_MASK) {
        return bad_text(text, "can't be: nw_tos has its two ECN bits zero; "
                        "see ip_dscp and nw_ecn");
    }
    return NULL;
}

/* Masks of numbers are in hexadecimal, so that "80/24" is an error and not
 * something surprising. */
static char *
parse_number_mask(const struct mlog_field *field, const char *text,
                  uint64_t *mask)
{
    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X')) {
        return xasprintf("a mask of %s is written in hexadecimal, such as "
                         "0x03e8/0xfff8; only addresses have prefixes",
                         field->name);
    }
    return parse_number(field, text, mask);
}

static bool
find_name(const struct mlog_name *names, const char *text,
          uint64_t *value, uint64_t *mask)
{
    for (const struct mlog_name *n = names; n && n->name; n++) {
        if (!strcmp(text, n->name)) {
            *value = n->value;
            if (n->mask) {
                *mask = n->mask;
            }
            return true;
        }
    }
    return false;
}

/* Flags. */

static char *
bad_flag(const char *text)
{
    return bad_text(text, "is not TCP flags: expected such as +syn-ack "
                    "(SYN set, ACK clear), syn|ack (exactly these), none, or "
                    "0x2/0x12, of fin, syn, rst, psh, ack, urg, ece, cwr, "
                    "ns, [200], [400], [800]");
}

/* Finds the flag that '*p' starts with, and advances '*p' past it. */
static bool
scan_flag(const char **p, uint64_t *bit)
{
    for (size_t i = 0; i < MLOG_N_TCP_FLAGS; i++) {
        size_t n = strlen(mlog_tcp_flag_names[i]);

        if (!strncasecmp(*p, mlog_tcp_flag_names[i], n)
            && !isalnum((unsigned char) (*p)[n])) {
            *p += n;
            *bit = UINT64_C(1) << i;
            return true;
        }
    }
    return false;
}

/* "+syn-ack". */
static char *
parse_flags_masked(const char *text, uint64_t *flags, uint64_t *mask)
{
    const char *p = text;

    *flags = *mask = 0;
    while (*p) {
        bool set = *p == '+';
        uint64_t bit;

        if (*p != '+' && *p != '-') {
            return bad_flag(text);
        }
        p++;
        if (!scan_flag(&p, &bit)) {
            return bad_flag(text);
        }
        if (*mask & bit) {
            return bad_text(text, "names a flag twice");
        }
        *mask |= bit;
        *flags |= set ? bit : 0;
    }
    return NULL;
}

/* "syn|ack". */
static char *
parse_flags_exact(const char *text, uint64_t *flags)
{
    const char *p = text;

    *flags = 0;
    for (;;) {
        uint64_t bit;

        if (!scan_flag(&p, &bit) || *flags & bit) {
            return bad_flag(text);
        }
        *flags |= bit;
        if (!*p) {
            return NULL;
        }
        if (*p++ != '|') {
            return bad_flag(text);
        }
    }
}

static char *
parse_flags(const char *text, uint64_t *flags, uint64_t *mask)
{
    if (*text == '+' || *text == '-') {
        return parse_flags_masked(text, flags, mask);
    }
    if (!strcmp(text, "none")) {
        *flags = 0;
        return NULL;
    }
    return parse_flags_exact(text, flags);
}

/* Addresses. */

static bool
scan_ipv4(const char *text, struct mlog_value *value)
{
    ovs_be32 addr;

    if (inet_pton(AF_INET, text, &addr) != 1) {
        return false;
    }
    value->hi = 0;
    value->lo = ntohl(addr);
    return true;
}

static bool
scan_ipv6(const char *text, struct mlog_value *value)
{
    ovs_be64 addr[2];

    if (inet_pton(AF_INET6, text, addr) != 1) {
        return false;
    }
    value->hi = ntohll(addr[0]);
    value->lo = ntohll(addr[1]);
    return true;
}

static bool
scan_mac(const char *text, struct mlog_value *value)
{
    value->hi = value->lo = 0;
    for (int i = 0; i < 6; i++) {
        int high = hexit_value(text[0]);
        int low = high < 0 ? -1 : hexit_value(text[1]);

        if (high < 0 || low < 0) {
            return false;
        }
        value->lo = value->lo << 8 | high << 4 | low;
        text += 2;
        if (*text++ != (i < 5 ? ':' : '\0')) {
            return false;
        }
    }
    return true;
}

static struct mlog_value
make_prefix(unsigned int len, unsigned int n_bits)
{
    unsigned int low = MIN(n_bits, 64);
    unsigned int hi_len = n_bits > 64 ? MIN(len, 64) : 0;
    unsigned int lo_len = n_bits > 64 ? len - hi_len : len;
    uint64_t low_ones = low == 64 ? UINT64_MAX : (UINT64_C(1) << low) - 1;

    return (struct mlog_value) {
        .hi = hi_len ? UINT64_MAX << (64 - hi_len) : 0,
        .lo = lo_len ? UINT64_MAX << (low - lo_len) & low_ones : 0,
    };
}

/* Parses the mask of an address of 'n_bits' bits: a prefix length or, if
 * 'scan' takes it, an address. */
static char *
parse_address_mask(const char *text, unsigned int n_bits,
                   bool (*scan)(const char *, struct mlog_value *),
                   struct mlog_value *mask)
{
    uint64_t len;

    if (scan(text, mask)) {
        return NULL;
    }
    if (text[0] != '0' || !text[1]) {
        enum number result = scan_number(text, &len);

        if (result == NUMBER_OK && len <= n_bits) {
            *mask = make_prefix(len, n_bits);
            return NULL;
        } else if (result == NUMBER_OK || result == NUMBER_HUGE) {
            char *what = xasprintf("is not a prefix length from 0 to %u",
                                   n_bits);
            char *error = bad_text(text, what);

            free(what);
            return error;
        }
    }
    return bad_text(text, "is not a prefix length or a mask");
}

static char *
bad_address(const struct mlog_field *field, const char *text)
{
    struct mlog_value dummy;
    const char *what;

    switch ((int) field->type) {
    case MLOG_FT_IPV4:
        what = (scan_ipv6(text, &dummy)
                ? "is an IPv6 address; see ipv6_src, ipv6_dst, l3_src and "
                  "l3_dst"
                : "is not an IPv4 address such as 192.0.2.1 or 192.0.2.0/24");
        break;
    case MLOG_FT_IPV6:
        what = (scan_ipv4(text, &dummy)
                ? "is an IPv4 address; see nw_src, nw_dst, l3_src and l3_dst"
                : "is not an IPv6 address such as 2001:db8::1 or "
                  "2001:db8::/32");
        break;
    case MLOG_FT_L3:
        what = "is not an IPv4 or IPv6 address";
        break;
    case MLOG_FT_MAC:
        what = "is not an Ethernet address such as 00:53:00:00:00:01";
        break;
    default:
        OVS_NOT_REACHED();
    }
    return bad_text(text, what);
}

static char *
parse_ipv4(const struct mlog_field *field, const char *text,
           const char *mask_text, struct mlog_value *value,
           struct mlog_value *mask)
{
    if (!scan_ipv4(text, value)) {
        return bad_address(field, text);
    }
    *mask = make_prefix(32, 32);
    return (mask_text ? parse_address_mask(mask_text, 32, scan_ipv4, mask)
            : NULL);
}

static char *
parse_ipv6(const struct mlog_field *field, const char *text,
           const char *mask_text, struct mlog_value *value,
           struct mlog_value *mask)
{
    if (!scan_ipv6(text, value)) {
        return bad_address(field, text);
    }
    *mask = make_prefix(128, 128);
    return (mask_text ? parse_address_mask(mask_text, 128, scan_ipv6, mask)
            : NULL);
}

static char *
parse_l3(const struct mlog_field *field, const char *text,
         const char *mask_text, struct mlog_value *value,
         struct mlog_value *mask)
{
    char *error;

    if (!scan_ipv4(text, value)) {
        return parse_ipv6(field, text, mask_text, value, mask);
    }
    error = parse_ipv4(field, text, mask_text, value, mask);
    if (!error) {
        value->lo |= V4_MAPPED;
        mask->hi = UINT64_MAX;
        mask->lo |= (uint64_t) UINT32_MAX << 32;
    }
    return error;
}

static char *
parse_mac(const struct mlog_field *field, const char *text,
          const char *mask_text, struct mlog_value *value,
          struct mlog_value *mask)
{
    if (!scan_mac(text, value)) {
        return bad_address(field, text);
    }
    if (mask_text && !scan_mac(mask_text, mask)) {
        return bad_text(mask_text, "is not a mask of an Ethernet address, "
                        "such as 01:00:00:00:00:00");
    }
    return NULL;
}

/* The rest. */

static char *
parse_reason(const char *text, uint64_t *value)
{
    uint32_t reason;

    if (mlog_drop_from_name(text, &reason)) {
        *value = reason;
        return NULL;
    }
    if (scan_number(text, value) == NUMBER_OK && *value <= UINT8_MAX) {
        return NULL;
    }

    const char *suggestion = mlog_drop_suggest(text);
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_put_quoted(&s, text);
    ds_put_cstr(&s, " is not a drop reason");
    if (suggestion) {
        ds_put_format(&s, "; did you mean '%s'?", suggestion);
    } else {
        ds_put_format(&s, " such as %s, %s or %s",
                      mlog_drop_name(MLOG_DROP_METER),
                      mlog_drop_name(MLOG_DROP_RX_INVALID_PACKET),
                      mlog_drop_name(MLOG_DROP_ACTION));
    }
    return ds_steal_cstr(&s);
}

static char *
parse_port(const struct mlog_field *field, const char *text, uint64_t *value)
{
    size_t n = mlog_ports_count();
    uint64_t number;
    bool is_number = (field->type == MLOG_FT_PORT
                      && scan_number(text, &number) == NUMBER_OK);
    bool found = false;

    for (size_t i = 0; i < n; i++) {
        if (is_number
            ? number == mlog_ports_ofp(i) && number != MLOG_OFP_PORT_NONE
            : !strcmp(mlog_ports_name(i), text)) {
            *value = i;
            found = true;
            if (mlog_ports_is_alive(i)) {
                break;
            }
        }
    }
    return found ? NULL : bad_text(text, "is not a port");
}

static char *
parse_flow_id(const char *text, uint64_t *value)
{
    return (scan_number(text, value) == NUMBER_OK ? NULL
            : bad_text(text, "is not a flow id such as "
                       "0x0123456789abcdef"));
}

static char *
parse_split(const struct mlog_field *field, const char *text,
            const char *mask_text, struct mlog_value *value,
            struct mlog_value *mask)
{
    switch (field->type) {
    case MLOG_FT_IPV4:
        return parse_ipv4(field, text, mask_text, value, mask);
    case MLOG_FT_IPV6:
        return parse_ipv6(field, text, mask_text, value, mask);
    case MLOG_FT_L3:
        return parse_l3(field, text, mask_text, value, mask);
    case MLOG_FT_MAC:
        return parse_mac(field, text, mask_text, value, mask);
    case MLOG_FT_TIME:
        return mlog_time_parse(text, &value->lo);
    case MLOG_FT_REASON:
        return parse_reason(text, &value->lo);
    case MLOG_FT_PORT:
    case MLOG_FT_PORT_NAME:
        return parse_port(field, text, &value->lo);
    case MLOG_FT_FLOW_ID:
        return parse_flow_id(text, &value->lo);
    case MLOG_FT_FLAGS:
        if (!isdigit((unsigned char) text[0])) {
            return (mask_text
                    ? bad_flag(text)
                    : parse_flags(text, &value->lo, &mask->lo));
        }
        break;
    case MLOG_FT_DECIMAL:
    case MLOG_FT_HEX:
    case MLOG_FT_ETH_TYPE:
    case MLOG_FT_IP_PROTO:
    case MLOG_FT_ARP_OP:
    case MLOG_FT_TOS:
    case MLOG_FT_FRAG:
        if (!mask_text
            && find_name(mlog_field_names(field->type), text, &value->lo,
                         &mask->lo)) {
            return NULL;
        }
        break;
    }

    char *error = parse_number(field, text, &value->lo);
    return (error || !mask_text ? error
            : parse_number_mask(field, mask_text, &mask->lo));
}

/* Longest text of a value, but for the names of ports. */
#define MAX_VALUE_TEXT 128

char *
mlog_field_parse_value(const struct mlog_field *field, const char *text,
                       struct mlog_value *value, struct mlog_value *mask)
{
    bool is_name = (field->type == MLOG_FT_PORT
                    || field->type == MLOG_FT_PORT_NAME);
    const char *slash = is_name ? NULL : strchr(text, '/');
    char buf[MAX_VALUE_TEXT + 1];

    *value = (struct mlog_value) { 0, 0 };
    *mask = mlog_field_ones(field);
    if (is_name) {
        return parse_split(field, text, NULL, value, mask);
    }
    if (strnlen(text, sizeof buf) >= sizeof buf) {
        return bad_text(text, "is too long for a value");
    }
    if (slash && !field->maskable) {
        return xasprintf("%s takes no mask or prefix", field->name);
    }

    ovs_strlcpy(buf, text, sizeof buf);
    if (slash) {
        buf[slash - text] = '\0';
    }
    char *error = parse_split(field, buf,
                              slash ? buf + (slash - text) + 1 : NULL,
                              value, mask);
    value->hi &= mask->hi;
    value->lo &= mask->lo;
    return error;
}
