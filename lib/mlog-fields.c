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

#include <ctype.h>
#include <string.h>

#include "byte-order.h"
#include "mlog-flow-id.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

#define G_PACKET "The packet"
#define G_ETH    "Ethernet and VLAN"
#define G_IP     "IPv4 and IPv6"
#define G_ARP    "ARP"
#define G_L4     "TCP, UDP and SCTP"
#define G_ICMP   "ICMP"

#define FLOW MLOG_SCOPE_FLOW
#define ROW  MLOG_SCOPE_ROW

/* ID, NAME, aliases, group, type, bits, maskable, scope, prerequisite, doc. */
#define ALIASES(...) { __VA_ARGS__ }
#define FIELD(ID, NAME, ALS, GROUP, TYPE, BITS, MASKABLE, SCOPE, PREREQ, DOC) \
    [MLOG_F_##ID] = { MLOG_F_##ID, NAME, ALS, GROUP, MLOG_FT_##TYPE, BITS,    \
                      MASKABLE, SCOPE, PREREQ, DOC }

static const struct mlog_field fields[MLOG_N_FIELDS] = {
    FIELD(TIME, "time", ALIASES(NULL), G_PACKET, TIME, 64, false, ROW,
          "all",
          "When the packet left the switch or was dropped, in nanoseconds, "
          "printed in UTC."),
    FIELD(IN_PORT, "in_port", ALIASES(NULL), G_PACKET, PORT, 16, false, FLOW,
          "packets that came in by a port",
          "The port that the packet came in by.  Compared with a number, it "
          "is the OpenFlow port number (``LOCAL`` is 65534); compared with "
          "anything else, the name of the port."),
    FIELD(IN_PORT_NAME, "in_port_name", ALIASES(NULL), G_PACKET, PORT_NAME,
          16, false, FLOW,
          "packets that came in by a port",
          "The name of the port that the packet came in by."),
    FIELD(OUT_PORT, "out_port", ALIASES(NULL), G_PACKET, PORT, 16, false, ROW,
          "forwarded packets",
          "The port that the packet left by, as ``in_port``."),
    FIELD(OUT_PORT_NAME, "out_port_name", ALIASES(NULL), G_PACKET, PORT_NAME,
          16, false, ROW,
          "forwarded packets",
          "The name of the port that the packet left by."),
    FIELD(PKT_LEN, "pkt_len", ALIASES(NULL), G_PACKET, DECIMAL, 24, false,
          ROW, "all",
          "The length of the frame in bytes, without the frame check "
          "sequence."),
    FIELD(DROP_REASON, "drop_reason", ALIASES(NULL), G_PACKET, REASON, 8,
          false, ROW, "dropped packets",
          "Why the datapath dropped the packet: a name from the table of "
          "drop reasons, or a number."),
    FIELD(FLOW_ID, "flow_id", ALIASES(NULL), G_PACKET, FLOW_ID, 64, false,
          FLOW, "all",
          "Identifies the flow: the same for all packets whose addresses, "
          "protocol, ports, VLANs and ingress port are the same."),

    FIELD(DL_SRC, "dl_src", ALIASES("eth_src"), G_ETH, MAC, 48, true, FLOW,
          "Ethernet", "Ethernet source address."),
    FIELD(DL_DST, "dl_dst", ALIASES("eth_dst"), G_ETH, MAC, 48, true, FLOW,
          "Ethernet", "Ethernet destination address."),
    FIELD(DL_TYPE, "dl_type", ALIASES("eth_type"), G_ETH, ETH_TYPE, 16, false,
          FLOW, "Ethernet",
          "The Ethertype that follows the VLAN tags; 0x05ff for a frame "
          "without one.  Some may be given by name, such as ``arp``."),
    FIELD(VLAN_TCI, "vlan_tci", ALIASES(NULL), G_ETH, HEX, 16, true, FLOW,
          "Ethernet",
          "The outer VLAN tag's PCP and VID with bit 0x1000 set, or 0 for a "
          "packet without a tag."),
    FIELD(VLAN_VID, "vlan_vid", ALIASES("dl_vlan"), G_ETH, DECIMAL, 12, true,
          FLOW, "packets with a VLAN tag",
          "VLAN identifier of the outer tag, 0 to 4095, without OpenFlow's "
          "bit 0x1000."),
    FIELD(VLAN_PCP, "vlan_pcp", ALIASES("dl_vlan_pcp"), G_ETH, DECIMAL, 3,
          false, FLOW, "packets with a VLAN tag",
          "Priority of the outer VLAN tag, 0 to 7."),
    FIELD(INNER_VLAN_VID, "inner_vlan_vid", ALIASES(NULL), G_ETH, DECIMAL, 12,
          true, FLOW, "packets with two VLAN tags",
          "VLAN identifier of the second tag."),
    FIELD(INNER_VLAN_PCP, "inner_vlan_pcp", ALIASES(NULL), G_ETH, DECIMAL, 3,
          false, FLOW, "packets with two VLAN tags",
          "Priority of the second VLAN tag."),

    FIELD(NW_SRC, "nw_src", ALIASES("ip_src"), G_IP, IPV4, 32, true, FLOW,
          "IPv4", "IPv4 source address."),
    FIELD(NW_DST, "nw_dst", ALIASES("ip_dst"), G_IP, IPV4, 32, true, FLOW,
          "IPv4", "IPv4 destination address."),
    FIELD(IPV6_SRC, "ipv6_src", ALIASES(NULL), G_IP, IPV6, 128, true, FLOW,
          "IPv6", "IPv6 source address."),
    FIELD(IPV6_DST, "ipv6_dst", ALIASES(NULL), G_IP, IPV6, 128, true, FLOW,
          "IPv6", "IPv6 destination address."),
    FIELD(L3_SRC, "l3_src", ALIASES(NULL), G_IP, L3, 128, true, FLOW,
          "IPv4, IPv6",
          "The source address, IPv4 or IPv6, whichever the packet has."),
    FIELD(L3_DST, "l3_dst", ALIASES(NULL), G_IP, L3, 128, true, FLOW,
          "IPv4, IPv6",
          "The destination address, IPv4 or IPv6, whichever the packet has."),
    FIELD(NW_PROTO, "nw_proto", ALIASES("ip_proto"), G_IP, IP_PROTO, 8, false,
          FLOW, "IPv4, IPv6",
          "Protocol above IP, after IPv6 extension headers.  Some may be "
          "given by name, such as ``udp``."),
    FIELD(NW_TOS, "nw_tos", ALIASES(NULL), G_IP, TOS, 8, false, ROW,
          "IPv4, IPv6",
          "The TOS or traffic class byte with its two ECN bits cleared: four "
          "times ``ip_dscp``."),
    FIELD(IP_DSCP, "ip_dscp", ALIASES(NULL), G_IP, DECIMAL, 6, false, ROW,
          "IPv4, IPv6", "DSCP, 0 to 63."),
    FIELD(NW_ECN, "nw_ecn", ALIASES("ip_ecn"), G_IP, DECIMAL, 2, false, ROW,
          "IPv4, IPv6", "ECN bits, 0 to 3."),
    FIELD(NW_TTL, "nw_ttl", ALIASES(NULL), G_IP, DECIMAL, 8, false, ROW,
          "IPv4, IPv6", "IPv4 time to live or IPv6 hop limit."),
    FIELD(NW_FRAG, "nw_frag", ALIASES("ip_frag"), G_IP, FRAG, 2, true, FLOW,
          "IPv4, IPv6",
          "What kind of fragment: ``no``, ``yes`` (any), ``first``, "
          "``later``, or ``not_later`` (``no`` or ``first``)."),
    FIELD(IP_ID, "ip_id", ALIASES(NULL), G_IP, DECIMAL, 16, false, ROW,
          "IPv4", "IPv4 identification."),

    FIELD(ARP_OP, "arp_op", ALIASES(NULL), G_ARP, ARP_OP, 8, false, FLOW,
          "ARP, RARP",
          "ARP opcode: 1 or ``request``, 2 or ``reply``, and for RARP 3 and "
          "4; opcodes above 255 read 0."),
    FIELD(ARP_SPA, "arp_spa", ALIASES(NULL), G_ARP, IPV4, 32, true, FLOW,
          "ARP, RARP", "IPv4 address of the ARP sender."),
    FIELD(ARP_TPA, "arp_tpa", ALIASES(NULL), G_ARP, IPV4, 32, true, FLOW,
          "ARP, RARP", "IPv4 address of the ARP target."),

    FIELD(TP_SRC, "tp_src", ALIASES(NULL), G_L4, DECIMAL, 16, true, FLOW,
          "TCP, UDP, SCTP",
          "Source port of TCP, UDP or SCTP, whichever.  Later fragments have "
          "no ports."),
    FIELD(TP_DST, "tp_dst", ALIASES(NULL), G_L4, DECIMAL, 16, true, FLOW,
          "TCP, UDP, SCTP",
          "Destination port of TCP, UDP or SCTP, whichever."),
    FIELD(TCP_SRC, "tcp_src", ALIASES(NULL), G_L4, DECIMAL, 16, true, FLOW,
          "TCP", "TCP source port."),
    FIELD(TCP_DST, "tcp_dst", ALIASES(NULL), G_L4, DECIMAL, 16, true, FLOW,
          "TCP", "TCP destination port."),
    FIELD(UDP_SRC, "udp_src", ALIASES(NULL), G_L4, DECIMAL, 16, true, FLOW,
          "UDP", "UDP source port."),
    FIELD(UDP_DST, "udp_dst", ALIASES(NULL), G_L4, DECIMAL, 16, true, FLOW,
          "UDP", "UDP destination port."),
    FIELD(SCTP_SRC, "sctp_src", ALIASES(NULL), G_L4, DECIMAL, 16, true, FLOW,
          "SCTP", "SCTP source port."),
    FIELD(SCTP_DST, "sctp_dst", ALIASES(NULL), G_L4, DECIMAL, 16, true, FLOW,
          "SCTP", "SCTP destination port."),
    FIELD(TCP_FLAGS, "tcp_flags", ALIASES(NULL), G_L4, FLAGS, 12, true, ROW,
          "TCP",
          "TCP flags.  ``+syn-ack``: SYN set and ACK clear, whatever the "
          "others; ``syn|ack``: exactly these; ``0x2/0x12``: value and mask."),
    FIELD(TCP_SEQ, "tcp_seq", ALIASES(NULL), G_L4, DECIMAL, 32, false, ROW,
          "TCP", "TCP sequence number."),
    FIELD(TCP_ACK, "tcp_ack", ALIASES(NULL), G_L4, DECIMAL, 32, false, ROW,
          "TCP", "TCP acknowledgment number."),
    FIELD(TCP_WINDOW, "tcp_window", ALIASES(NULL), G_L4, DECIMAL, 16, false,
          ROW, "TCP", "TCP window as in the header, not scaled."),

    FIELD(ICMP_TYPE, "icmp_type", ALIASES(NULL), G_ICMP, DECIMAL, 8, false,
          FLOW, "ICMP over IPv4", "ICMP type, such as 8 for an echo request."),
    FIELD(ICMP_CODE, "icmp_code", ALIASES(NULL), G_ICMP, DECIMAL, 8, false,
          FLOW, "ICMP over IPv4", "ICMP code, which details the type."),
    FIELD(ICMPV6_TYPE, "icmpv6_type", ALIASES("icmp6_type"), G_ICMP, DECIMAL,
          8, false, FLOW, "ICMPv6 over IPv6",
          "ICMPv6 type, such as 135 for a neighbor solicitation."),
    FIELD(ICMPV6_CODE, "icmpv6_code", ALIASES("icmp6_code"), G_ICMP, DECIMAL,
          8, false, FLOW, "ICMPv6 over IPv6",
          "ICMPv6 code, which details the type."),
};

/* The table. */

const struct mlog_field *
mlog_field_get_by_id(enum mlog_field_id id)
{
    ovs_assert(id < MLOG_N_FIELDS);
    return &fields[id];
}

const struct mlog_field *
mlog_field_from_name(const char *name)
{
    for (size_t i = 0; i < MLOG_N_FIELDS; i++) {
        const struct mlog_field *field = &fields[i];

        if (!strcmp(name, field->name)) {
            return field;
        }
        for (size_t j = 0; field->aliases[j]; j++) {
            if (!strcmp(name, field->aliases[j])) {
                return field;
            }
        }
    }
    return NULL;
}

const char *
mlog_field_suggest(const char *name)
{
    const char *names[MLOG_N_FIELDS * (1 + MLOG_FIELD_MAX_ALIASES)];
    size_t n = 0;

    for (size_t i = 0; i < MLOG_N_FIELDS; i++) {
        names[n++] = fields[i].name;
    }
    for (size_t i = 0; i < MLOG_N_FIELDS; i++) {
        for (size_t j = 0; fields[i].aliases[j]; j++) {
            names[n++] = fields[i].aliases[j];
        }
    }
    return mlog_nearest_name(name, names, n);
}

char *
mlog_field_unknown_error(const char *name)
{
    const char *suggestion = mlog_field_suggest(name);
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, "unknown field ");
    mlog_put_quoted(&s, name);
    if (suggestion) {
        ds_put_format(&s, "; did you mean '%s'?", suggestion);
    } else {
        ds_put_cstr(&s, "; multilog/fields lists the fields");
    }
    return ds_steal_cstr(&s);
}

bool
mlog_field_is_quantity(const struct mlog_field *field)
{
    return field->type == MLOG_FT_DECIMAL;
}

bool
mlog_field_is_ordered(const struct mlog_field *field)
{
    switch (field->type) {
    case MLOG_FT_FLAGS:
    case MLOG_FT_FRAG:
    case MLOG_FT_PORT_NAME:
    case MLOG_FT_REASON:
    case MLOG_FT_FLOW_ID:
        return false;

    case MLOG_FT_DECIMAL:
    case MLOG_FT_HEX:
    case MLOG_FT_ETH_TYPE:
    case MLOG_FT_IP_PROTO:
    case MLOG_FT_ARP_OP:
    case MLOG_FT_TOS:
    case MLOG_FT_MAC:
    case MLOG_FT_IPV4:
    case MLOG_FT_IPV6:
    case MLOG_FT_L3:
    case MLOG_FT_TIME:
    case MLOG_FT_PORT:
        return true;
    }
    OVS_NOT_REACHED();
}

const char *
mlog_field_type_to_string(enum mlog_field_type type)
{
    switch (type) {
    case MLOG_FT_DECIMAL: return "number";
    case MLOG_FT_HEX: return "hexadecimal number";
    case MLOG_FT_ETH_TYPE: return "Ethertype";
    case MLOG_FT_IP_PROTO: return "IP protocol";
    case MLOG_FT_ARP_OP: return "ARP opcode";
    case MLOG_FT_TOS: return "TOS byte";
    case MLOG_FT_FLAGS: return "TCP flags";
    case MLOG_FT_FRAG: return "fragment type";
    case MLOG_FT_MAC: return "Ethernet address";
    case MLOG_FT_IPV4: return "IPv4 address";
    case MLOG_FT_IPV6: return "IPv6 address";
    case MLOG_FT_L3: return "IPv4 or IPv6 address";
    case MLOG_FT_TIME: return "time";
    case MLOG_FT_PORT: return "port";
    case MLOG_FT_PORT_NAME: return "port name";
    case MLOG_FT_REASON: return "drop reason";
    case MLOG_FT_FLOW_ID: return "flow id";
    }
    OVS_NOT_REACHED();
}

struct mlog_value
mlog_field_ones(const struct mlog_field *field)
{
    unsigned int n = field->n_bits;

    return (struct mlog_value) {
        .hi = n == 128 ? UINT64_MAX : 0,
        .lo = n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1,
    };
}

/* Values of records. */

#define IPV4  .has = MLOG_HAS_IP, .dl_type = ETH_TYPE_IP
#define IPV6  .has = MLOG_HAS_IP, .dl_type = ETH_TYPE_IPV6
#define ICMP4 .has = MLOG_HAS_IP | MLOG_HAS_ICMP, .dl_type = ETH_TYPE_IP
#define ICMP6 .has = MLOG_HAS_IP | MLOG_HAS_ICMP, .dl_type = ETH_TYPE_IPV6
#define L4(PROTO) .has = MLOG_HAS_PORTS, .nw_proto = IPPROTO_##PROTO

/* Fields that all packets have are not here. */
static const struct mlog_flow_needs field_needs[MLOG_N_FIELDS] = {
    [MLOG_F_IN_PORT] = { .in_port = true },
    [MLOG_F_IN_PORT_NAME] = { .in_port = true },
    [MLOG_F_DL_SRC] = { .has = MLOG_HAS_ETH },
    [MLOG_F_DL_DST] = { .has = MLOG_HAS_ETH },
    [MLOG_F_DL_TYPE] = { .has = MLOG_HAS_ETH },
    [MLOG_F_VLAN_TCI] = { .has = MLOG_HAS_ETH },
    [MLOG_F_VLAN_VID] = { .tags = 1 << 0 },
    [MLOG_F_VLAN_PCP] = { .tags = 1 << 0 },
    [MLOG_F_INNER_VLAN_VID] = { .tags = 1 << 1 },
    [MLOG_F_INNER_VLAN_PCP] = { .tags = 1 << 1 },
    [MLOG_F_NW_SRC] = { IPV4 },
    [MLOG_F_NW_DST] = { IPV4 },
    [MLOG_F_IPV6_SRC] = { IPV6 },
    [MLOG_F_IPV6_DST] = { IPV6 },
    [MLOG_F_L3_SRC] = { .has = MLOG_HAS_IP },
    [MLOG_F_L3_DST] = { .has = MLOG_HAS_IP },
    [MLOG_F_NW_PROTO] = { .has = MLOG_HAS_IP | MLOG_HAS_PROTO },
    [MLOG_F_NW_TOS] = { .has = MLOG_HAS_IP },
    [MLOG_F_IP_DSCP] = { .has = MLOG_HAS_IP },
    [MLOG_F_NW_ECN] = { .has = MLOG_HAS_IP },
    [MLOG_F_NW_TTL] = { .has = MLOG_HAS_IP },
    [MLOG_F_NW_FRAG] = { .has = MLOG_HAS_IP },
    [MLOG_F_IP_ID] = { IPV4 },
    [MLOG_F_ARP_OP] = { .has = MLOG_HAS_ARP },
    [MLOG_F_ARP_SPA] = { .has = MLOG_HAS_ARP },
    [MLOG_F_ARP_TPA] = { .has = MLOG_HAS_ARP },
    [MLOG_F_TP_SRC] = { .has = MLOG_HAS_PORTS },
    [MLOG_F_TP_DST] = { .has = MLOG_HAS_PORTS },
    [MLOG_F_TCP_SRC] = { L4(TCP) },
    [MLOG_F_TCP_DST] = { L4(TCP) },
    [MLOG_F_UDP_SRC] = { L4(UDP) },
    [MLOG_F_UDP_DST] = { L4(UDP) },
    [MLOG_F_SCTP_SRC] = { L4(SCTP) },
    [MLOG_F_SCTP_DST] = { L4(SCTP) },
    [MLOG_F_TCP_FLAGS] = { .has = MLOG_HAS_TCP },
    [MLOG_F_TCP_SEQ] = { .has = MLOG_HAS_TCP },
    [MLOG_F_TCP_ACK] = { .has = MLOG_HAS_TCP },
    [MLOG_F_TCP_WINDOW] = { .has = MLOG_HAS_TCP },
    [MLOG_F_ICMP_TYPE] = { ICMP4 },
    [MLOG_F_ICMP_CODE] = { ICMP4 },
    [MLOG_F_ICMPV6_TYPE] = { ICMP6 },
    [MLOG_F_ICMPV6_CODE] = { ICMP6 },
};

const struct mlog_flow_needs *
mlog_field_needs(const struct mlog_field *field)
{
    return &field_needs[field->id];
}

bool
mlog_field_in_flow(const struct mlog_field *field,
                   const struct mlog_flow_key *key)
{
    return mlog_flow_meets(key, mlog_field_needs(field));
}

bool
mlog_field_get_row(enum mlog_field_id id, const struct mlog_record *record,
                   uint64_t *value)
{
    const struct mlog_row *row = record->row;

    switch ((int) id) {
    case MLOG_F_TIME:
        *value = record->time;
        return true;

    case MLOG_F_OUT_PORT:
    case MLOG_F_OUT_PORT_NAME:
        if (row->reason || mlog_row_out_port(row) == MLOG_PORT_NONE) {
            return false;
        }
        *value = mlog_row_out_port(row);
        return true;

    case MLOG_F_DROP_REASON:
        *value = row->reason;
        return row->reason != 0;

    case MLOG_F_PKT_LEN:
        *value = mlog_row_pkt_len(row);
        return true;

    case MLOG_F_NW_TOS:
        *value = row->nw_tos & IP_DSCP_MASK;
        return true;

    case MLOG_F_IP_DSCP:
        *value = row->nw_tos >> 2;
        return true;

    case MLOG_F_NW_ECN:
        *value = row->nw_tos & IP_ECN_MASK;
        return true;

    case MLOG_F_NW_TTL:
        *value = mlog_row_ttl(row);
        return true;

    case MLOG_F_IP_ID:
        *value = row->ip_id;
        return true;

    case MLOG_F_TCP_FLAGS:
        *value = row->tcp_flags & 0xfff;
        return true;

    case MLOG_F_TCP_SEQ:
        *value = row->tcp_seq;
        return true;

    case MLOG_F_TCP_ACK:
        *value = row->tcp_ack;
        return true;

    case MLOG_F_TCP_WINDOW:
        *value = row->tcp_window;
        return true;
    }
    OVS_NOT_REACHED();
}

static void
get_ipv6(const ovs_be32 addr[4], struct mlog_value *value)
{
    value->hi = (uint64_t) ntohl(addr[0]) << 32 | ntohl(addr[1]);
    value->lo = (uint64_t) ntohl(addr[2]) << 32 | ntohl(addr[3]);
}

static void
get_l3(const struct mlog_flow_key *key, const ovs_be32 addr[4],
       struct mlog_value *value)
{
    if (key->dl_type == ETH_TYPE_IP) {
        value->lo = UINT64_C(0xffff) << 32 | ntohl(addr[3]);
    } else {
        get_ipv6(addr, value);
    }
}

/* The value of a field of MLOG_SCOPE_FLOW that the packet has. */
static void
get_flow_field(enum mlog_field_id id, const struct mlog_record *record,
               struct mlog_value *value)
{
    const struct mlog_flow_key *key = record->key;

    switch ((int) id) {
    case MLOG_F_IN_PORT:
    case MLOG_F_IN_PORT_NAME:
        value->lo = key->in_port;
        return;

    case MLOG_F_FLOW_ID:
        value->lo = mlog_record_flow_id(record);
        return;

    case MLOG_F_DL_SRC:
        value->lo = eth_addr_to_uint64(key->dl_src);
        return;

    case MLOG_F_DL_DST:
        value->lo = eth_addr_to_uint64(key->dl_dst);
        return;

    case MLOG_F_DL_TYPE:
        value->lo = key->dl_type;
        return;

    case MLOG_F_VLAN_TCI:
        value->lo = (key->vlan_tci[0] & MLOG_VLAN_PRESENT
                     ? key->vlan_tci[0] : 0);
        return;

    case MLOG_F_VLAN_VID:
        value->lo = key->vlan_tci[0] & VLAN_VID_MASK;
        return;

    case MLOG_F_VLAN_PCP:
        value->lo = key->vlan_tci[0] >> VLAN_PCP_SHIFT;
        return;

    case MLOG_F_INNER_VLAN_VID:
        value->lo = key->vlan_tci[1] & VLAN_VID_MASK;
        return;

    case MLOG_F_INNER_VLAN_PCP:
        value->lo = key->vlan_tci[1] >> VLAN_PCP_SHIFT;
        return;

    case MLOG_F_NW_SRC:
    case MLOG_F_ARP_SPA:
        value->lo = ntohl(key->src[3]);
        return;

    case MLOG_F_NW_DST:
    case MLOG_F_ARP_TPA:
        value->lo = ntohl(key->dst[3]);
        return;

    case MLOG_F_IPV6_SRC:
        get_ipv6(key->src, value);
        return;

    case MLOG_F_IPV6_DST:
        get_ipv6(key->dst, value);
        return;

    case MLOG_F_L3_SRC:
        get_l3(key, key->src, value);
        return;

    case MLOG_F_L3_DST:
        get_l3(key, key->dst, value);
        return;

    case MLOG_F_NW_PROTO:
    case MLOG_F_ARP_OP:
        value->lo = key->nw_proto;
        return;

    case MLOG_F_NW_FRAG:
        value->lo = key->nw_frag & (MLOG_FRAG_ANY | MLOG_FRAG_LATER);
        return;

    case MLOG_F_TP_SRC:
    case MLOG_F_TCP_SRC:
    case MLOG_F_UDP_SRC:
    case MLOG_F_SCTP_SRC:
        value->lo = key->tp_src;
        return;

    case MLOG_F_TP_DST:
    case MLOG_F_TCP_DST:
    case MLOG_F_UDP_DST:
    case MLOG_F_SCTP_DST:
        value->lo = key->tp_dst;
        return;

    case MLOG_F_ICMP_TYPE:
    case MLOG_F_ICMPV6_TYPE:
        value->lo = key->tp_src & 0xff;
        return;

    case MLOG_F_ICMP_CODE:
    case MLOG_F_ICMPV6_CODE:
        value->lo = key->tp_dst & 0xff;
        return;
    }
    OVS_NOT_REACHED();
}

bool
mlog_field_get(const struct mlog_field *field,
               const struct mlog_record *record, struct mlog_value *value)
{
    value->hi = value->lo = 0;
    if (!mlog_field_in_flow(field, record->key)) {
        return false;
    }
    if (field->scope == MLOG_SCOPE_ROW) {
        return mlog_field_get_row(field->id, record, &value->lo);
    }
    get_flow_field(field->id, record, value);
    return true;
}

/* Suggestions. */

#define MAX_NAME 32

/* Number of insertions, deletions, replacements and exchanges of neighbours
 * that make 'b' from 'a' (no part being edited twice), ignoring case. */
static unsigned int
edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned int d[MAX_NAME + 1][MAX_NAME + 1];

    for (size_t i = 0; i <= a_len; i++) {
        d[i][0] = i;
    }
    for (size_t j = 0; j <= b_len; j++) {
        d[0][j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        for (size_t j = 1; j <= b_len; j++) {
            int ca = tolower((unsigned char) a[i - 1]);
            int cb = tolower((unsigned char) b[j - 1]);
            unsigned int best = d[i - 1][j - 1] + (ca != cb);

            best = MIN(best, MIN(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1
                && ca == tolower((unsigned char) b[j - 2])
                && cb == tolower((unsigned char) a[i - 2])) {
                best = MIN(best, d[i - 2][j - 2] + 1);
            }
            d[i][j] = best;
        }
    }
    return d[a_len][b_len];
}

const char *
mlog_nearest_name(const char *name, const char *const names[], size_t n)
{
    size_t len = strnlen(name, MAX_NAME + 1);
    unsigned int best = len <= 4 ? 1 : len <= 8 ? 2 : 3;
    const char *nearest = NULL;

    if (len < 2 || len > MAX_NAME) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        size_t n_len = strlen(names[i]);

        if (n_len <= MAX_NAME) {
            unsigned int d = edit_distance(name, len, names[i], n_len);

            if (d < best || (d == best && !nearest)) {
                best = d;
                nearest = names[i];
            }
        }
    }
    return nearest;
}

void
mlog_put_quoted(struct ds *s, const char *text)
{
    size_t len = strnlen(text, MLOG_QUOTED_MAX + 1);

    ds_put_char(s, '\'');
    for (size_t i = 0; i < MIN(len, MLOG_QUOTED_MAX); i++) {
        unsigned char c = text[i];

        ds_put_char(s, c >= 0x20 && c < 0x7f ? c : '?');
    }
    ds_put_cstr(s, len > MLOG_QUOTED_MAX ? "...'" : "'");
}
