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

#ifndef MLOG_RECORD_H
#define MLOG_RECORD_H 1

/* What the MultiLog keeps of one packet
 * =====================================
 *
 * A record is split into the part that all packets of a flow share, the flow
 * key, and the part that is the packet's own, the row.
 *
 *   struct mlog_flow_key    64 bytes, once per flow, in the flow table
 *   struct mlog_row         32 bytes, once per packet, in the header log
 *
 * Both are plain values without pointers and without padding, so that they
 * may be compared with memcmp(), copied, and mapped from a file.  Numbers are
 * in host byte order unless their type is ovs_be*.
 *
 * A field that a packet lacks is zero here, and a bit of
 * 'struct mlog_flow_key' says that it is lacking: see MLOG_HAS_*. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "openvswitch/compiler.h"
#include "openvswitch/types.h"

/* Which parts of the packet were there, whole enough to be read.  Meant for
 * 'has' of struct mlog_flow_key. */
#define MLOG_HAS_ETH   (1u << 0)    /* Ethernet header. */
#define MLOG_HAS_IP    (1u << 1)    /* IPv4 or IPv6 header; see 'dl_type'. */
#define MLOG_HAS_ARP   (1u << 2)    /* ARP or RARP for IPv4 over Ethernet. */
#define MLOG_HAS_PROTO (1u << 3)    /* 'nw_proto' names the upper layer. */
#define MLOG_HAS_PORTS (1u << 4)    /* TCP, UDP or SCTP ports. */
#define MLOG_HAS_ICMP  (1u << 5)    /* ICMP or ICMPv6 type and code. */
#define MLOG_HAS_TCP   (1u << 6)    /* TCP header through its window. */

/* Values of 'nw_frag', as FLOW_NW_FRAG_* of OVS: bit 0, the packet is a
 * fragment; bit 1, it is not the first. */
#define MLOG_FRAG_ANY   1
#define MLOG_FRAG_LATER 2

/* A VLAN tag is present if this bit (the CFI bit, as OVS uses it) is set. */
#define MLOG_VLAN_PRESENT 0x1000

/* A port identifier that stands for no port. */
#define MLOG_PORT_NONE UINT16_MAX

/* The exact key of a flow.
 *
 *   offset  0  src        IPv6 source; IPv4 or ARP source in src[3], rest 0
 *   offset 16  dst        likewise, destination
 *   offset 32  dl_src, dl_dst
 *   offset 44  dl_type    after VLAN tags; OFP_DL_TYPE_NOT_ETH_TYPE for 802.3
 *   offset 46  vlan_tci   outer, inner; MLOG_VLAN_PRESENT set if present
 *   offset 50  tp_src, tp_dst     ports, or ICMP type and code
 *   offset 54  in_port    identifier in struct mlog_ports, or MLOG_PORT_NONE
 *   offset 56  nw_proto   or the low 8 bits of the ARP opcode
 *   offset 57  nw_frag    MLOG_FRAG_*
 *   offset 58  has        MLOG_HAS_*
 *   offset 59  reserved   zero */
struct mlog_flow_key {
    ovs_be32 src[4];
    ovs_be32 dst[4];
    struct eth_addr dl_src;
    struct eth_addr dl_dst;
    uint16_t dl_type;
    uint16_t vlan_tci[2];
    uint16_t tp_src;
    uint16_t tp_dst;
    uint16_t in_port;
    uint8_t nw_proto;
    uint8_t nw_frag;
    uint8_t has;
    uint8_t reserved[5];
};
BUILD_ASSERT_DECL(sizeof(struct mlog_flow_key) == 64);

/* One packet, in 32 bytes.
 *
 *   offset  0  time_port  bits 63..16: nanoseconds after the segment's base
 *                         bits 15..0:  egress port identifier
 *   offset  8  flow       index in the flow table
 *   offset 12  tcp_seq, tcp_ack
 *   offset 20  len_ttl    bits 31..8: length in bytes; bits 7..0: TTL
 *   offset 24  tcp_window, ip_id
 *   offset 28  tcp_flags  12 bits, as in the TCP header
 *   offset 30  nw_tos     all 8 bits of the IPv4 TOS or IPv6 traffic class
 *   offset 31  reason     enum dp_drop_reason; 0 = forwarded */
struct mlog_row {
    uint64_t time_port;
    uint32_t flow;
    uint32_t tcp_seq;
    uint32_t tcp_ack;
    uint32_t len_ttl;
    uint16_t tcp_window;
    uint16_t ip_id;
    uint16_t tcp_flags;
    uint8_t nw_tos;
    uint8_t reason;
};
BUILD_ASSERT_DECL(sizeof(struct mlog_row) == 32);

#define MLOG_ROW_TIME_BITS 48
#define MLOG_ROW_LEN_MAX ((1u << 24) - 1)

static inline uint64_t
mlog_row_pack_time_port(uint64_t ns_after_base, uint16_t out_port)
{
    return ns_after_base << 16 | out_port;
}

/* Returns the nanoseconds from the base of 'row''s segment. */
static inline uint64_t
mlog_row_time(const struct mlog_row *row)
{
    return row->time_port >> 16;
}

static inline uint16_t
mlog_row_out_port(const struct mlog_row *row)
{
    return row->time_port;
}

static inline uint32_t
mlog_row_pkt_len(const struct mlog_row *row)
{
    return row->len_ttl >> 8;
}

static inline uint8_t
mlog_row_ttl(const struct mlog_row *row)
{
    return row->len_ttl;
}

/* One record as a reader sees it: what fields and expressions are evaluated
 * on.  'row' and 'time' are unset where only the flow is known. */
struct mlog_record {
    const struct mlog_flow_key *key;
    const struct mlog_row *row;
    uint64_t flow_id;           /* Or 0: see mlog-flow-id.h. */
    uint64_t time;              /* Nanoseconds since the epoch, UTC. */
};

#endif /* mlog-record.h */
