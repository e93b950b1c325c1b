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

#include <criterion/criterion.h>

#include "dp-packet.h"
#include "mlog-headers.h"
#include "util.h"

/* A packet as hexadecimal digits, spaces ignored, and what is to be found. */
struct expectation {
    const char *name;
    const char *hex;
    uint8_t has;
    uint16_t dl_type;
    uint16_t vlan[2];
    uint8_t nw_proto;
    uint8_t nw_frag;
    uint16_t tp_src, tp_dst;
    uint16_t tcp_flags;
    uint8_t ttl, tos;
    uint16_t ip_id;
};

#define MACS "0053 0000 0002 0053 0000 0001 "
#define IP4(LEN, FRAG, PROTO) \
    "4512 " LEN " 1234 " FRAG " 40" PROTO " 0000 c000 0201 c633 6402 "
#define ADDR6_A "2001 0db8 0000 0000 0000 0000 0000 0001 "
#define ADDR6_B "2001 0db8 0000 0000 0000 0000 0000 0002 "
#define TCP "01bb d431 0000 0001 0000 0002 5012 7210 0000 0000 "
#define HAS_TCP4 (MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO \
                  | MLOG_HAS_PORTS | MLOG_HAS_TCP)

static const struct expectation expectations[] = {
    { .name = "TCP over IPv4",
      .hex = MACS "0800" IP4("0028", "4000", "06") TCP,
      .has = HAS_TCP4, .dl_type = 0x800, .nw_proto = 6,
      .tp_src = 443, .tp_dst = 54321, .tcp_flags = 0x012,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "a total length of zero is that of a segment to be cut up",
      .hex = MACS "0800" IP4("0000", "4000", "06") TCP,
      .has = HAS_TCP4, .dl_type = 0x800, .nw_proto = 6,
      .tp_src = 443, .tp_dst = 54321, .tcp_flags = 0x012,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "Ethernet padding isn't a transport header",
      .hex = MACS "0800" IP4("0014", "4000", "06") TCP,
      .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO,
      .dl_type = 0x800, .nw_proto = 6,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "the first fragment has ports",
      .hex = MACS "0800" IP4("0028", "2000", "06") TCP,
      .has = HAS_TCP4, .dl_type = 0x800, .nw_proto = 6, .nw_frag = 1,
      .tp_src = 443, .tp_dst = 54321, .tcp_flags = 0x012,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "a later fragment has no ports",
      .hex = MACS "0800" IP4("0028", "2001", "06") TCP,
      .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO,
      .dl_type = 0x800, .nw_proto = 6, .nw_frag = 3,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "a header length below 5 is no IPv4 header",
      .hex = MACS "0800 4412 0028 1234 4000 4006 0000 c000 0201 c633 6402",
      .has = MLOG_HAS_ETH, .dl_type = 0x800 },
    { .name = "IPv4 options are skipped",
      .hex = MACS "0800 4612 0020 1234 4000 4011 0000 c000 0201 c633 6402"
             "0101 0101 0035 1000 0008 0000",
      .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO | MLOG_HAS_PORTS,
      .dl_type = 0x800, .nw_proto = 17, .tp_src = 53, .tp_dst = 4096,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "a TCP header that is cut off after the ports",
      .hex = MACS "0800" IP4("0028", "4000", "06") "01bb d431",
      .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO | MLOG_HAS_PORTS,
      .dl_type = 0x800, .nw_proto = 6, .tp_src = 443, .tp_dst = 54321,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "VLAN tag",
      .hex = MACS "8100 6005 0800" IP4("0028", "4000", "06") TCP,
      .has = HAS_TCP4, .dl_type = 0x800, .vlan = { 0x7005 }, .nw_proto = 6,
      .tp_src = 443, .tp_dst = 54321, .tcp_flags = 0x012,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "two VLAN tags, and a third that is skipped",
      .hex = MACS "88a8 0064 8100 00c8 9100 0001 0800"
             IP4("0028", "4000", "06") TCP,
      .has = HAS_TCP4, .dl_type = 0x800, .vlan = { 0x1064, 0x10c8 },
      .nw_proto = 6, .tp_src = 443, .tp_dst = 54321, .tcp_flags = 0x012,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "a VLAN tag that is cut off",
      .hex = MACS "8100 60",
      .has = MLOG_HAS_ETH, .dl_type = 0x8100 },
    { .name = "802.3 with LLC",
      .hex = MACS "0026 4242 0300 0000 0000",
      .has = MLOG_HAS_ETH, .dl_type = 0x5ff },
    { .name = "802.3 with SNAP",
      .hex = MACS "0030 aaaa 0300 0000 0800" IP4("0028", "4000", "06") TCP,
      .has = HAS_TCP4, .dl_type = 0x800, .nw_proto = 6,
      .tp_src = 443, .tp_dst = 54321, .tcp_flags = 0x012,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "UDP over IPv6",
      .hex = MACS "86dd 6b80 0000 0008 11ff " ADDR6_A ADDR6_B
             "0222 0223 0008 0000",
      .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO | MLOG_HAS_PORTS,
      .dl_type = 0x86dd, .nw_proto = 17, .tp_src = 546, .tp_dst = 547,
      .ttl = 0xff, .tos = 0xb8 },
    { .name = "IPv6 extension headers, then ICMPv6",
      .hex = MACS "86dd 6000 0000 0018 00ff " ADDR6_A ADDR6_B
             "3c00 0502 0000 0100 3a00 0000 0000 0000 8700 0000 0000 0000",
      .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO | MLOG_HAS_ICMP,
      .dl_type = 0x86dd, .nw_proto = 58, .tp_src = 135, .ttl = 0xff },
    { .name = "IPv6 later fragment",
      .hex = MACS "86dd 6000 0000 0010 2c40 " ADDR6_A ADDR6_B
             "1100 0009 0000 0001 0222 0223 0008 0000",
      .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO,
      .dl_type = 0x86dd, .nw_proto = 44, .nw_frag = 3, .ttl = 0x40 },
    { .name = "IPv6 first fragment",
      .hex = MACS "86dd 6000 0000 0010 2c40 " ADDR6_A ADDR6_B
             "1100 0001 0000 0001 0222 0223 0008 0000",
      .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO | MLOG_HAS_PORTS,
      .dl_type = 0x86dd, .nw_proto = 17, .nw_frag = 1, .ttl = 0x40,
      .tp_src = 546, .tp_dst = 547 },
    { .name = "an extension header that claims more than there is",
      .hex = MACS "86dd 6000 0000 0008 0040 " ADDR6_A ADDR6_B
             "11ff 0000 0000 0000",
      .has = MLOG_HAS_ETH | MLOG_HAS_IP, .dl_type = 0x86dd, .ttl = 0x40 },
    { .name = "ICMP",
      .hex = MACS "0800" IP4("001c", "0000", "01") "0304 0000 0000 0000",
      .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO | MLOG_HAS_ICMP,
      .dl_type = 0x800, .nw_proto = 1, .tp_src = 3, .tp_dst = 4,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "ICMPv6 in IPv4 has neither",
      .hex = MACS "0800" IP4("001c", "0000", "3a") "0304 0000 0000 0000",
      .has = MLOG_HAS_ETH | MLOG_HAS_IP | MLOG_HAS_PROTO,
      .dl_type = 0x800, .nw_proto = 58,
      .ttl = 0x40, .tos = 0x12, .ip_id = 0x1234 },
    { .name = "ARP",
      .hex = MACS "0806 0001 0800 0604 0002 0053 0000 0001 c000 0201"
             "0053 0000 0002 c633 6402",
      .has = MLOG_HAS_ETH | MLOG_HAS_ARP, .dl_type = 0x806, .nw_proto = 2 },
    { .name = "no Ethernet header", .hex = "0053 0000 0002 0053 0000 0001 08" },
    { .name = "nothing", .hex = "" },
};

static size_t
unhex(const char *hex, uint8_t *bytes)
{
    size_t n = 0;

    while (*hex) {
        if (*hex == ' ') {
            hex++;
        } else {
            bool ok;

            bytes[n++] = hexits_value(hex, 2, &ok);
            cr_assert(ok);
            hex += 2;
        }
    }
    return n;
}

Test(headers, fields_of_known_packets)
{
    for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
        const struct expectation *e = &expectations[i];
        struct mlog_flow_key key;
        struct mlog_row row;
        uint8_t bytes[256];
        size_t n = unhex(e->hex, bytes);

        mlog_headers_parse(bytes, n, n, &key, &row);
        cr_expect_eq(key.has, e->has, "%s: has %#x", e->name, key.has);
        cr_expect_eq(key.dl_type, e->dl_type, "%s: dl_type", e->name);
        cr_expect_arr_eq(key.vlan_tci, e->vlan, sizeof e->vlan, "%s: vlan",
                         e->name);
        cr_expect_eq(key.nw_proto, e->nw_proto, "%s: nw_proto", e->name);
        cr_expect_eq(key.nw_frag, e->nw_frag, "%s: nw_frag", e->name);
        cr_expect_eq(key.tp_src, e->tp_src, "%s: tp_src", e->name);
        cr_expect_eq(key.tp_dst, e->tp_dst, "%s: tp_dst", e->name);
        cr_expect_eq(row.tcp_flags, e->tcp_flags, "%s: flags", e->name);
        cr_expect_eq(mlog_row_ttl(&row), e->ttl, "%s: ttl", e->name);
        cr_expect_eq(row.nw_tos, e->tos, "%s: tos", e->name);
        cr_expect_eq(row.ip_id, e->ip_id, "%s: ip_id", e->name);
        cr_expect_eq(mlog_row_pkt_len(&row), n, "%s: pkt_len", e->name);
        if (e->has & MLOG_HAS_ARP
            || (e->has & MLOG_HAS_IP && e->dl_type == 0x800)) {
            cr_expect_eq(ntohl(key.src[3]), 0xc0000201, "%s: src", e->name);
            cr_expect_eq(ntohl(key.dst[3]), 0xc6336402, "%s: dst", e->name);
        } else if (e->has & MLOG_HAS_IP) {
            cr_expect_eq(ntohl(key.src[0]), 0x20010db8, "%s: src", e->name);
            cr_expect_eq(ntohl(key.dst[3]), 2, "%s: dst", e->name);
        }
    }
}

/* Bytes that weren't captured are never read, whatever the rest says: each
 * prefix of each packet is put at the end of a heap block, where the address
 * sanitizer sees a read too many. */
Test(headers, no_read_past_the_captured_bytes)
{
    for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
        uint8_t bytes[256];
        size_t n = unhex(expectations[i].hex, bytes);

        for (size_t m = 0; m <= n; m++) {
            uint8_t *prefix = xmemdup(bytes, m);
            struct mlog_flow_key key;
            struct mlog_row row;

            mlog_headers_parse(prefix, m, n, &key, &row);
            cr_expect_eq(mlog_row_pkt_len(&row), n);
            free(prefix);
        }
    }
}

/* Where OVS finds a field, this parser finds the same; except that OVS doesn't
 * mind the version in an IP header. */
Test(headers, agrees_with_flow_extract)
{
    uint32_t seed = 1;

    for (int i = 0; i < 200000; i++) {
        const struct expectation *e = &expectations[i % 16];
        uint8_t bytes[256];
        size_t n = unhex(e->hex, bytes);
        struct mlog_flow_key key;
        struct mlog_row row;
        struct dp_packet packet;
        struct flow flow;

        /* One byte after the addresses is changed at random. */
        seed = seed * 1664525 + 1013904223;
        if (n > 12) {
            bytes[12 + (seed >> 8) % (n - 12)] = seed >> 24;
        }
        mlog_headers_parse(bytes, n, n, &key, &row);
        dp_packet_use_const(&packet, bytes, n);
        flow_extract(&packet, &flow);
        if (is_ip_any(&flow) && packet.l3_ofs < n
            && (bytes[packet.l3_ofs] >> 4)
               != (flow.dl_type == htons(ETH_TYPE_IP) ? 4 : 6)) {
            cr_assert_not(key.has & MLOG_HAS_IP);
            continue;
        }

        if (flow.dl_type == htons(ETH_TYPE_IP) && flow.nw_ttl) {
            cr_assert_eq(key.dl_type, ETH_TYPE_IP);
            cr_assert_eq(key.src[3], flow.nw_src);
            cr_assert_eq(key.dst[3], flow.nw_dst);
        }
        if (flow.dl_type == htons(ETH_TYPE_IPV6) && flow.nw_proto) {
            cr_assert_arr_eq(key.src, &flow.ipv6_src, sizeof key.src);
            cr_assert_eq(key.nw_proto, flow.nw_proto);
        }
        if (flow.nw_proto && is_ip_any(&flow) && key.has & MLOG_HAS_PROTO) {
            cr_assert_eq(key.nw_proto, flow.nw_proto);
            cr_assert_eq(row.nw_tos, flow.nw_tos);
            cr_assert_eq(mlog_row_ttl(&row), flow.nw_ttl);
        }
        if (flow.tp_src && (flow.nw_proto == 6 || flow.nw_proto == 17)) {
            cr_assert(key.has & MLOG_HAS_PORTS, "%s", e->name);
            cr_assert_eq(key.tp_src, ntohs(flow.tp_src));
            cr_assert_eq(key.tp_dst, ntohs(flow.tp_dst));
        }
        if (flow.tcp_flags) {
            cr_assert_eq(row.tcp_flags, ntohs(flow.tcp_flags));
        }
    }
}
