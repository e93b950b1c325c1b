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


#ifndef TESTS_UNIT_RECORDS_H
#define TESTS_UNIT_RECORDS_H 1

/* Records to test with: one of each kind that matters, and random ones. */

#include <arpa/inet.h>

#include "mlog-ports.h"
#include "mlog-record.h"
#include "packets.h"
#include "random.h"
#include "util.h"

struct sample {
    const char *name;
    struct mlog_flow_key key;
    struct mlog_row row;
};

#define SAMPLE_TIME UINT64_C(1769860800123456789)
#define SAMPLE_TIME_TEXT "2026-01-31T12:00:00.123456789Z"
#define SAMPLE_FLOW_ID UINT64_C(0x00ff00000000abcd)

#define ETH_SRC ETH_ADDR_C(00,53,00,00,00,01)
#define ETH_DST ETH_ADDR_C(00,53,00,00,00,02)

#define V4(A, B, C, D) \
    CONSTANT_HTONL((uint32_t) (A) << 24 | (B) << 16 | (C) << 8 | (D))
#define V4_SRC { 0, 0, 0, V4(192, 0, 2, 1) }
#define V4_DST { 0, 0, 0, V4(198, 51, 100, 2) }
#define V6_SRC { CONSTANT_HTONL(0x20010db8), 0, 0, CONSTANT_HTONL(1) }
#define V6_DST { CONSTANT_HTONL(0x20010db8), CONSTANT_HTONL(0xffff0000), 0, \
                 CONSTANT_HTONL(2) }

#define HAS_L4 (MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO)

/* Port 0 is "p0", OpenFlow port 10; port 1 is "p1", OpenFlow port 11; port 2
 * is "p 2", whose OpenFlow number is not known. */
enum { P0, P1, P2 };

static inline void
setup_ports(void)
{
    unsigned int dp = mlog_ports_datapath("system");

    mlog_ports_set_ofp(dp, "p0", "br0", 10);
    mlog_ports_add(dp, 1, "p0");
    mlog_ports_add(dp, 2, "p1");
    mlog_ports_set_ofp(dp, "p1", "br0", 11);
    mlog_ports_add(dp, 3, "p 2");
}

#define ROW(LEN, TTL, OUT) \
    .time_port = OUT, .len_ttl = (LEN) << 8 | (TTL)

static const struct sample samples[] = {
    { "tcp",                    /* A SYN, DSCP 46, ECN 1. */
      { .src = V4_SRC, .dst = V4_DST, .dl_src = ETH_SRC, .dl_dst = ETH_DST,
        .dl_type = ETH_TYPE_IP, .tp_src = 40000, .tp_dst = 80, .in_port = P0,
        .nw_proto = 6, .has = HAS_L4 | MLOG_HAS_PORTS | MLOG_HAS_TCP },
      { ROW(74, 64, P1), .tcp_seq = 4000000000, .tcp_ack = 7,
        .tcp_window = 65535, .ip_id = 4660, .tcp_flags = 0x002,
        .nw_tos = 46 << 2 | 1 } },
    { "tcp6",                   /* In VLAN 5, priority 3. */
      { .src = V6_SRC, .dst = V6_DST, .dl_src = ETH_SRC, .dl_dst = ETH_DST,
        .dl_type = ETH_TYPE_IPV6, .vlan_tci = { 0x7005, 0 },
        .tp_src = 443, .tp_dst = 50000, .in_port = P1,
        .nw_proto = 6, .has = HAS_L4 | MLOG_HAS_PORTS | MLOG_HAS_TCP },
      { ROW(90, 63, P0), .tcp_flags = 0x012 } },
    { "udp",
      { .src = V4_DST, .dst = V4_SRC, .dl_src = ETH_SRC, .dl_dst = ETH_DST,
        .dl_type = ETH_TYPE_IP, .tp_src = 53, .tp_dst = 53, .in_port = P2,
        .nw_proto = 17, .has = HAS_L4 | MLOG_HAS_PORTS },
      { ROW(1500, 255, P1), .ip_id = 1 } },
    { "udp6",                   /* In two VLANs: 7 outside, 4095 inside. */
      { .src = V6_SRC, .dst = V6_DST, .dl_src = ETH_SRC, .dl_dst = ETH_DST,
        .dl_type = ETH_TYPE_IPV6, .vlan_tci = { 0x1007, 0xffff },
        .tp_src = 1, .tp_dst = 65535, .in_port = P0,
        .nw_proto = 17, .has = HAS_L4 | MLOG_HAS_PORTS },
      { ROW(100, 1, P1) } },
    { "sctp",
      { .src = V4_SRC, .dst = V4_DST, .dl_src = ETH_SRC, .dl_dst = ETH_DST,
        .dl_type = ETH_TYPE_IP, .tp_src = 3868, .tp_dst = 3869,
        .in_port = P0, .nw_proto = 132, .has = HAS_L4 | MLOG_HAS_PORTS },
      { ROW(100, 64, P1) } },
    { "later",                  /* A later fragment of UDP. */
      { .src = V4_SRC, .dst = V4_DST, .dl_src = ETH_SRC, .dl_dst = ETH_DST,
        .dl_type = ETH_TYPE_IP, .in_port = P0, .nw_proto = 17,
        .nw_frag = MLOG_FRAG_ANY | MLOG_FRAG_LATER, .has = HAS_L4 },
      { ROW(100, 64, P1), .ip_id = 99 } },
    { "icmp",                   /* Echo request, a first fragment. */
      { .src = V4_SRC, .dst = V4_DST, .dl_src = ETH_SRC, .dl_dst = ETH_DST,
        .dl_type = ETH_TYPE_IP, .tp_src = 8, .tp_dst = 0, .in_port = P0,
        .nw_proto = 1, .nw_frag = MLOG_FRAG_ANY,
        .has = HAS_L4 | MLOG_HAS_ICMP },
      { ROW(98, 64, P1) } },
    { "icmp6",                  /* Neighbour solicitation. */
      { .src = V6_SRC, .dst = V6_DST, .dl_src = ETH_SRC, .dl_dst = ETH_DST,
        .dl_type = ETH_TYPE_IPV6, .tp_src = 135, .tp_dst = 0, .in_port = P0,
        .nw_proto = 58, .has = HAS_L4 | MLOG_HAS_ICMP },
      { ROW(86, 255, P1) } },
    { "arp",                    /* A request. */
      { .src = V4_SRC, .dst = V4_DST, .dl_src = ETH_SRC,
        .dl_dst = ETH_ADDR_C(ff,ff,ff,ff,ff,ff), .dl_type = ETH_TYPE_ARP,
        .in_port = P0, .nw_proto = 1, .has = MLOG_HAS_ETH | MLOG_HAS_ARP },
      { ROW(42, 0, P1) } },
    { "llc",                    /* 802.3, from a controller. */
      { .dl_src = ETH_SRC, .dl_dst = ETH_DST, .dl_type = 0x05ff,
        .in_port = MLOG_PORT_NONE, .has = MLOG_HAS_ETH },
      { ROW(60, 0, P1) } },
    { "dropped",                /* Too short, hence without any header. */
      { .in_port = P0 },
      { ROW(10, 0, MLOG_PORT_NONE), .reason = 11 } },
    { "metered",                /* A drop for which there is a port. */
      { .src = V4_SRC, .dst = V4_DST, .dl_src = ETH_SRC, .dl_dst = ETH_DST,
        .dl_type = ETH_TYPE_IP, .tp_src = 40000, .tp_dst = 80, .in_port = P0,
        .nw_proto = 6, .has = HAS_L4 | MLOG_HAS_PORTS | MLOG_HAS_TCP },
      { ROW(74, 64, P1), .tcp_flags = 0x010, .reason = 1 } },
};

static inline struct mlog_record
sample_record(const struct sample *sample)
{
    return (struct mlog_record) {
        .key = &sample->key, .row = &sample->row,
        .flow_id = SAMPLE_FLOW_ID, .time = SAMPLE_TIME,
    };
}

static inline const struct sample *
find_sample(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        if (!strcmp(samples[i].name, name)) {
            return &samples[i];
        }
    }
    OVS_NOT_REACHED();
}

/* Makes 'sample' a random variation of one of 'samples', such that small
 * sets of constants have a chance to match. */
static inline void
random_sample(struct sample *sample)
{
    *sample = samples[random_range(ARRAY_SIZE(samples))];

    struct mlog_flow_key *key = &sample->key;
    struct mlog_row *row = &sample->row;
    ovs_be32 flip = htonl(random_range(4));

    if (key->has & (MLOG_HAS_IP | MLOG_HAS_ARP)) {
        key->src[3] ^= flip;
        key->dst[3] ^= flip;
    }
    if (key->has & MLOG_HAS_PORTS) {
        key->tp_src = random_range(2) ? 80 : random_uint32();
        key->tp_dst = random_range(2) ? key->tp_src : random_range(1024);
    }
    if (random_range(4) == 0) {
        key->in_port = random_range(4) ? random_range(4) : MLOG_PORT_NONE;
        row->reason = random_range(50);
    }
    row->tcp_flags = random_uint32() & 0xfff;
    row->len_ttl = random_uint32();
    row->nw_tos = random_uint32();
    row->tcp_seq = random_uint32();
    row->tcp_ack = random_range(2) ? row->tcp_seq : random_uint32();
}

#endif /* tests/unit/records.h */
