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

#include "mlog-headers.h"

#include <netinet/in.h>

#include "openvswitch/util.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* Ethernet types of tags that OVS doesn't know but the wire does. */
#define ETH_TYPE_QINQ_OLD 0x9100

/* The part of the packet that isn't parsed yet.  Bytes at and after 'end'
 * either were not captured or belong to nothing (Ethernet padding). */
struct cursor {
    const uint8_t *p;
    const uint8_t *end;
};

static inline size_t
left(const struct cursor *c)
{
    return c->end - c->p;
}

/* Returns the next 'n' bytes and skips them, or NULL if there are fewer. */
static inline const uint8_t *
pull(struct cursor *c, size_t n)
{
    if (OVS_UNLIKELY(left(c) < n)) {
        return NULL;
    }
    c->p += n;
    return c->p - n;
}

/* Lets the packet end 'n' bytes from here, if it doesn't end before. */
static inline void
limit(struct cursor *c, size_t n)
{
    if (left(c) > n) {
        c->end = c->p + n;
    }
}

static inline uint16_t
get16(const uint8_t *p)
{
    return ntohs(get_unaligned_be16((const ovs_be16 *) p));
}

static inline uint32_t
get32(const uint8_t *p)
{
    return ntohl(get_unaligned_be32((const ovs_be32 *) p));
}

static inline bool
is_vlan(uint16_t type)
{
    return (type == ETH_TYPE_VLAN_8021Q || type == ETH_TYPE_VLAN_8021AD
            || type == ETH_TYPE_QINQ_OLD);
}

/* Returns the Ethernet type of an 802.3 frame whose length field was just
 * skipped: the SNAP header's, or FLOW_DL_TYPE_NONE's value without one. */
static uint16_t
parse_llc(struct cursor *c)
{
    static const uint8_t snap[] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };

    if (left(c) >= 8 && !memcmp(c->p, snap, sizeof snap)) {
        uint16_t type = get16(c->p + 6);

        if (type >= ETH_TYPE_MIN) {
            c->p += 8;
            return type;
        }
    }
    return OFP_DL_TYPE_NOT_ETH_TYPE;
}

static bool
parse_ethernet(struct cursor *c, struct mlog_flow_key *key)
{
    const uint8_t *eth = pull(c, ETH_HEADER_LEN);

    if (!eth) {
        return false;
    }
    key->has |= MLOG_HAS_ETH;
    memcpy(&key->dl_dst, eth, ETH_ADDR_LEN);
    memcpy(&key->dl_src, eth + ETH_ADDR_LEN, ETH_ADDR_LEN);

    uint16_t type = get16(eth + 2 * ETH_ADDR_LEN);
    for (int i = 0; is_vlan(type); i++) {
        const uint8_t *tag = pull(c, VLAN_HEADER_LEN);

        if (!tag) {
            break;
        }
        if (i < ARRAY_SIZE(key->vlan_tci)) {
            key->vlan_tci[i] = get16(tag) | MLOG_VLAN_PRESENT;
        }
        type = get16(tag + 2);
    }
    key->dl_type = type >= ETH_TYPE_MIN ? type : parse_llc(c);
    return true;
}

static void
parse_arp(struct cursor *c, struct mlog_flow_key *key)
{
    static const uint8_t eth_ip[] = { 0, 1, 8, 0, 6, 4 };
    const uint8_t *arp = pull(c, ARP_ETH_HEADER_LEN);

    if (arp && !memcmp(arp, eth_ip, sizeof eth_ip)) {
        uint16_t op = get16(arp + 6);

        key->has |= MLOG_HAS_ARP;
        key->nw_proto = op <= 0xff ? op : 0;
        memcpy(&key->src[3], arp + 14, 4);
        memcpy(&key->dst[3], arp + 24, 4);
    }
}

/* Returns true if the transport header follows. */
static bool
parse_ipv4(struct cursor *c, struct mlog_flow_key *key, struct mlog_row *row)
{
    const uint8_t *ip = c->p;
    size_t ihl;

    if (left(c) < IP_HEADER_LEN || ip[0] >> 4 != 4
        || (ihl = (ip[0] & 0xf) * 4) < IP_HEADER_LEN) {
        return false;
    }

    /* A total length of zero is that of a segment still to be cut up. */
    uint16_t tot_len = get16(ip + 2);
    if (tot_len) {
        if (tot_len < ihl) {
            return false;
        }
        limit(c, tot_len);
    }

    uint16_t frag = get16(ip + 6);
    if (frag & (IP_MORE_FRAGMENTS | IP_FRAG_OFF_MASK)) {
        key->nw_frag = MLOG_FRAG_ANY;
        if (frag & IP_FRAG_OFF_MASK) {
            key->nw_frag |= MLOG_FRAG_LATER;
        }
    }
    key->has |= MLOG_HAS_IP | MLOG_HAS_PROTO;
    key->nw_proto = ip[9];
    memcpy(&key->src[3], ip + 12, 4);
    memcpy(&key->dst[3], ip + 16, 4);
    row->nw_tos = ip[1];
    row->ip_id = get16(ip + 4);
    row->len_ttl |= ip[8];
    return pull(c, ihl) && !(key->nw_frag & MLOG_FRAG_LATER);
}

/* Skips extension headers, the first of which is of type 'next'.  Returns
 * true if the transport header follows.  As in OVS, the protocol of a later
 * fragment is the fragment header's. */
static bool
parse_ipv6_extensions(struct cursor *c, uint8_t next,
                      struct mlog_flow_key *key)
{
    for (;;) {
        const uint8_t *ext = c->p;
        size_t len;

        switch (next) {
        case IPPROTO_HOPOPTS:
        case IPPROTO_ROUTING:
        case IPPROTO_DSTOPTS:
            len = left(c) >= 2 ? (ext[1] + 1) * 8 : SIZE_MAX;
            break;
        case IPPROTO_AH:
            len = left(c) >= 2 ? (ext[1] + 2) * 4 : SIZE_MAX;
            break;
        case IPPROTO_FRAGMENT:
            len = 8;
            break;
        default:
            key->has |= MLOG_HAS_PROTO;
            key->nw_proto = next;
            return true;
        }
        if (!pull(c, len)) {
            return false;
        }
        if (next == IPPROTO_FRAGMENT && get16(ext + 2) & 0xfff9) {
            key->nw_frag = MLOG_FRAG_ANY;
            if (get16(ext + 2) & 0xfff8) {
                key->nw_frag |= MLOG_FRAG_LATER;
                key->has |= MLOG_HAS_PROTO;
                key->nw_proto = IPPROTO_FRAGMENT;
                return false;
            }
        }
        next = ext[0];
    }
}

static bool
parse_ipv6(struct cursor *c, struct mlog_flow_key *key, struct mlog_row *row)
{
    const uint8_t *ip = c->p;

    if (left(c) < IPV6_HEADER_LEN || ip[0] >> 4 != 6) {
        return false;
    }
    c->p += IPV6_HEADER_LEN;

    /* Zero is that of a jumbogram, or of a segment still to be cut up. */
    uint16_t payload_len = get16(ip + 4);
    if (payload_len) {
        limit(c, payload_len);
    }

    key->has |= MLOG_HAS_IP;
    memcpy(key->src, ip + 8, sizeof key->src);
    memcpy(key->dst, ip + 24, sizeof key->dst);
    row->nw_tos = get16(ip) >> 4;
    row->len_ttl |= ip[7];
    return parse_ipv6_extensions(c, ip[6], key);
}

static void
parse_transport(struct cursor *c, struct mlog_flow_key *key,
                struct mlog_row *row)
{
    const uint8_t *l4 = c->p;
    size_t n = left(c);

    switch (key->nw_proto) {
    case IPPROTO_TCP:
        if (n >= 16) {
            key->has |= MLOG_HAS_TCP;
            row->tcp_seq = get32(l4 + 4);
            row->tcp_ack = get32(l4 + 8);
            row->tcp_flags = get16(l4 + 12) & 0xfff;
            row->tcp_window = get16(l4 + 14);
        }
        /* Fall through. */
    case IPPROTO_UDP:
    case IPPROTO_SCTP:
        if (n >= 4) {
            key->has |= MLOG_HAS_PORTS;
            key->tp_src = get16(l4);
            key->tp_dst = get16(l4 + 2);
        }
        break;

    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        if (n >= 2 && ((key->nw_proto == IPPROTO_ICMP)
                       == (key->dl_type == ETH_TYPE_IP))) {
            key->has |= MLOG_HAS_ICMP;
            key->tp_src = l4[0];
            key->tp_dst = l4[1];
        }
        break;
    }
}

void
mlog_headers_parse(const uint8_t *data, size_t n, uint32_t pkt_len,
                   struct mlog_flow_key *key, struct mlog_row *row)
{
    struct cursor c = { data, data + MIN(n, pkt_len) };

    memset(key, 0, sizeof *key);
    memset(row, 0, sizeof *row);
    key->in_port = MLOG_PORT_NONE;
    row->len_ttl = MIN(pkt_len, MLOG_ROW_LEN_MAX) << 8;

    if (!parse_ethernet(&c, key)) {
        return;
    }
    switch (key->dl_type) {
    case ETH_TYPE_IP:
        if (parse_ipv4(&c, key, row)) {
            parse_transport(&c, key, row);
        }
        break;
    case ETH_TYPE_IPV6:
        if (parse_ipv6(&c, key, row)) {
            parse_transport(&c, key, row);
        }
        break;
    case ETH_TYPE_ARP:
    case ETH_TYPE_RARP:
        parse_arp(&c, key);
        break;
    }
}
