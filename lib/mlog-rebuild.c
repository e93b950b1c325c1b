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
#include "mlog-rebuild.h"

#include <netinet/in.h>

#include "csum.h"
#include "packets.h"
#include "util.h"

enum {
    TIMESTAMP_LEN = 12,         /* Of the TCP option, with its NOPs. */
    MIN_FRAME = 60,             /* Without frame check sequence. */
};

/* What is written so far. */
struct out {
    uint8_t *buf;
    size_t n;
    size_t pkt_len;             /* Of the whole packet, without padding. */
};

static void
put_bytes(struct out *o, const void *data, size_t n)
{
    memcpy(o->buf + o->n, data, n);
    o->n += n;
}

static void
put8(struct out *o, uint8_t x)
{
    o->buf[o->n++] = x;
}

static void
put16(struct out *o, uint16_t x)
{
    put8(o, x >> 8);
    put8(o, x);
}

static void
put32(struct out *o, uint32_t x)
{
    put16(o, x >> 16);
    put16(o, x);
}

/* The bytes of the packet from here on. */
static size_t
rest(const struct out *o)
{
    return o->pkt_len > o->n ? o->pkt_len - o->n : 0;
}

/* Length fields have 16 bits, but packets that are still to be cut up may be
 * longer. */
static void
put_length(struct out *o, size_t length)
{
    put16(o, MIN(length, UINT16_MAX));
}

static void
put_tag(struct out *o, uint16_t tpid, uint16_t tci)
{
    put16(o, tpid);
    put16(o, tci & ~MLOG_VLAN_PRESENT);
}

static void
put_ethernet(struct out *o, const struct mlog_flow_key *key)
{
    bool outer = key->vlan_tci[0] & MLOG_VLAN_PRESENT;
    bool inner = key->vlan_tci[1] & MLOG_VLAN_PRESENT;

    put_bytes(o, &key->dl_dst, ETH_ADDR_LEN);
    put_bytes(o, &key->dl_src, ETH_ADDR_LEN);
    if (outer) {
        put_tag(o, inner ? ETH_TYPE_VLAN_8021AD : ETH_TYPE_VLAN_8021Q,
                key->vlan_tci[0]);
    }
    if (inner) {
        put_tag(o, ETH_TYPE_VLAN_8021Q, key->vlan_tci[1]);
    }
    if (key->dl_type == OFP_DL_TYPE_NOT_ETH_TYPE) {
        size_t length = rest(o) > 2 ? rest(o) - 2 : 0;

        put16(o, MIN(length, ETH_TYPE_MIN - 1));
    } else {
        put16(o, key->dl_type);
    }
}

static void
put_arp(struct out *o, const struct mlog_flow_key *key)
{
    static const struct eth_addr unknown;
    bool is_request = key->nw_proto == ARP_OP_REQUEST;

    put16(o, 1);
    put16(o, ETH_TYPE_IP);
    put8(o, ETH_ADDR_LEN);
    put8(o, 4);
    put16(o, key->nw_proto);
    put_bytes(o, &key->dl_src, ETH_ADDR_LEN);
    put_bytes(o, &key->src[3], 4);
    put_bytes(o, is_request ? &unknown : &key->dl_dst, ETH_ADDR_LEN);
    put_bytes(o, &key->dst[3], 4);
}

static void
put_ipv4(struct out *o, const struct mlog_flow_key *key,
         const struct mlog_row *row)
{
    size_t start = o->n;
    uint16_t frag = (key->nw_frag & MLOG_FRAG_LATER ? 1
                     : key->nw_frag & MLOG_FRAG_ANY ? IP_MORE_FRAGMENTS
                     : 0);
    size_t tot_len = rest(o);
    ovs_be16 checksum;

    put8(o, 0x45);
    put8(o, row->nw_tos);
    put16(o, tot_len <= UINT16_MAX ? tot_len : 0);  /* 0: ask the frame. */
    put16(o, row->ip_id);
    put16(o, frag);
    put8(o, mlog_row_ttl(row));
    put8(o, key->nw_proto);
    put16(o, 0);
    put_bytes(o, &key->src[3], 4);
    put_bytes(o, &key->dst[3], 4);
    checksum = csum(o->buf + start, IP_HEADER_LEN);
    memcpy(o->buf + start + 10, &checksum, sizeof checksum);
}

/* The protocol of a later fragment isn't recorded. */
static uint8_t
ipv6_proto(const struct mlog_flow_key *key)
{
    return (!(key->has & MLOG_HAS_PROTO) || key->nw_frag & MLOG_FRAG_LATER
            ? IPPROTO_NONE : key->nw_proto);
}

static void
put_ipv6(struct out *o, const struct mlog_flow_key *key,
         const struct mlog_row *row)
{
    bool is_frag = key->nw_frag & MLOG_FRAG_ANY;

    size_t length = rest(o);

    put32(o, 6u << 28 | row->nw_tos << 20);
    put_length(o, length > IPV6_HEADER_LEN ? length - IPV6_HEADER_LEN : 0);
    put8(o, is_frag ? IPPROTO_FRAGMENT : ipv6_proto(key));
    put8(o, mlog_row_ttl(row));
    put_bytes(o, key->src, sizeof key->src);
    put_bytes(o, key->dst, sizeof key->dst);
    if (is_frag) {
        put8(o, ipv6_proto(key));
        put8(o, 0);
        put16(o, key->nw_frag & MLOG_FRAG_LATER ? 1 << 3 : 1);
        put32(o, row->ip_id);
    }
}

static size_t
options_of(const struct out *o, const struct mlog_row *row,
           size_t tcp_options)
{
    size_t room = rest(o) > TCP_HEADER_LEN ? rest(o) - TCP_HEADER_LEN : 0;

    return (row->tcp_flags & TCP_SYN ? MIN(room, 40) & ~3
            : tcp_options <= MIN(room, 40) ? tcp_options & ~3
            : 0);
}

static void
put_tcp(struct out *o, const struct mlog_flow_key *key,
        const struct mlog_row *row, size_t tcp_options)
{
    size_t n = options_of(o, row, tcp_options);

    put16(o, key->tp_src);
    put16(o, key->tp_dst);
    put32(o, row->tcp_seq);
    put32(o, row->tcp_ack);
    put16(o, (TCP_HEADER_LEN + n) / 4 << 12 | (row->tcp_flags & 0xfff));
    put16(o, row->tcp_window);
    put32(o, 0);
    memset(o->buf + o->n, 1, n);
    o->n += n;
}

static void
put_transport(struct out *o, const struct mlog_flow_key *key,
              const struct mlog_row *row, size_t tcp_options)
{
    size_t length = rest(o);

    if (key->has & MLOG_HAS_TCP) {
        put_tcp(o, key, row, tcp_options);
    } else if (key->has & MLOG_HAS_PORTS) {
        put16(o, key->tp_src);
        put16(o, key->tp_dst);
        if (key->nw_proto == IPPROTO_UDP) {
            put_length(o, length);
            put16(o, 0);
        } else if (key->nw_proto == IPPROTO_SCTP) {
            put32(o, 0);
            put32(o, 0);
        }
    } else if (key->has & MLOG_HAS_ICMP) {
        put8(o, key->tp_src);
        put8(o, key->tp_dst);
        put16(o, 0);
        put32(o, 0);            /* Parsers want a whole header. */
    }
}

/* Returns how much of the packet, whose IPv4 header begins at 'o->n', fills a
 * frame up to its least length.  The record doesn't tell, but a segment of so
 * few bytes is pushed if it has data. */
static size_t
padding_of(const struct out *o, const struct mlog_flow_key *key,
           const struct mlog_row *row)
{
    size_t headers = o->n + IP_HEADER_LEN + TCP_HEADER_LEN;

    if (!(key->has & MLOG_HAS_TCP) || key->dl_type != ETH_TYPE_IP
        || o->pkt_len > MIN_FRAME || o->pkt_len <= headers
        || row->tcp_flags & TCP_PSH) {
        return 0;
    }
    return (o->pkt_len - headers) & (row->tcp_flags & TCP_SYN ? 3 : SIZE_MAX);
}

size_t
mlog_rebuild_headers(const struct mlog_flow_key *key,
                     const struct mlog_row *row, size_t tcp_options,
                     uint8_t buf[MLOG_REBUILT_MAX])
{
    struct out o = { buf, 0, mlog_row_pkt_len(row) };

    if (key->has & MLOG_HAS_ETH) {
        put_ethernet(&o, key);
        o.pkt_len -= padding_of(&o, key, row);
    }
    if (key->has & MLOG_HAS_ARP) {
        put_arp(&o, key);
    } else if (key->has & MLOG_HAS_IP) {
        if (key->dl_type == ETH_TYPE_IPV6) {
            put_ipv6(&o, key, row);
        } else {
            put_ipv4(&o, key, row);
        }
        put_transport(&o, key, row, tcp_options);
    }
    ovs_assert(o.n <= MLOG_REBUILT_MAX);
    return MIN(o.n, mlog_row_pkt_len(row));
}

uint8_t *
mlog_rebuild_tcp_options(const struct mlog_row *rows, size_t n_rows,
                         const struct mlog_flow_key *keys, size_t n_flows)
{
    uint32_t *shortest = xmalloc(n_flows * sizeof *shortest);
    uint8_t *options = xcalloc(n_flows, sizeof *options);

    memset(shortest, 0xff, n_flows * sizeof *shortest);
    for (size_t i = 0; i < n_rows; i++) {
        const struct mlog_row *row = &rows[i];

        if (!(row->tcp_flags & (TCP_SYN | TCP_RST))) {
            shortest[row->flow] = MIN(shortest[row->flow],
                                      mlog_row_pkt_len(row));
        }
    }
    for (size_t i = 0; i < n_flows; i++) {
        const struct mlog_row row = { .len_ttl = MLOG_ROW_LEN_MAX << 8 };
        uint8_t buf[MLOG_REBUILT_MAX];

        if (keys[i].has & MLOG_HAS_TCP
            && shortest[i] == (mlog_rebuild_headers(&keys[i], &row, 0, buf)
                               + TIMESTAMP_LEN)) {
            options[i] = TIMESTAMP_LEN;
        }
    }
    free(shortest);
    return options;
}
