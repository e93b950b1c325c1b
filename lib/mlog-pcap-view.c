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

#include "mlog-pcap-private.h"

#include <netinet/in.h>

#include "packets.h"
#include "util.h"

/* Marks, for 'n' bytes from 'ofs' on, those bits of 'mask' as known, and as
 * another one for each row if 'of_row' and there is no row. */
static void
mark(struct mlog_view *view, size_t ofs, size_t n, uint8_t mask, bool free)
{
    for (size_t i = ofs; i < ofs + n && i < MLOG_VIEW_MAX; i++) {
        view->unk[i] &= ~mask;
        if (free) {
            view->free[i] |= mask;
        }
    }
}

static void
known(struct mlog_view *view, size_t ofs, size_t n)
{
    mark(view, ofs, n, 0xff, false);
}

static size_t
mark_ethernet(struct mlog_view *view, const struct mlog_flow_key *key)
{
    size_t ofs = 12;

    known(view, 0, ofs);
    for (size_t i = 0; i < ARRAY_SIZE(key->vlan_tci); i++) {
        if (key->vlan_tci[i] & MLOG_VLAN_PRESENT) {
            known(view, ofs, 4);
            view->unk[ofs + 2] |= 0x10;         /* DEI or CFI. */
            ofs += 4;
        }
    }
    view->type = ofs;
    view->is_802_3 = key->dl_type == OFP_DL_TYPE_NOT_ETH_TYPE;
    if (view->is_802_3) {
        view->value[ofs] = view->value[ofs + 1] = 0;
        mark(view, ofs, 1, 0xf8, false);        /* At most 1500. */
    } else {
        known(view, ofs, 2);
    }
    return ofs + 2;
}

static void
mark_arp(struct mlog_view *view, const struct mlog_flow_key *key, size_t ofs)
{
    known(view, ofs, 6);
    if (key->nw_proto) {
        known(view, ofs + 6, 2);
    }
    known(view, ofs + 14, 4);
    known(view, ofs + 24, 4);
}

static void
mark_ipv4(struct mlog_view *view, const struct mlog_flow_key *key, size_t ofs,
          bool free)
{
    mark(view, ofs, 1, 0xf0, false);            /* Version. */
    mark(view, ofs + 1, 1, 0xff, free);         /* TOS. */
    mark(view, ofs + 4, 2, 0xff, free);         /* Identification. */
    if (!(key->nw_frag & MLOG_FRAG_LATER)) {
        mark(view, ofs + 6, 1, 0x3f, false);
        known(view, ofs + 7, 1);
    }
    mark(view, ofs + 8, 1, 0xff, free);         /* TTL. */
    known(view, ofs + 9, 1);
    known(view, ofs + 12, 8);
    view->is_ipv4 = true;
    view->l4 = ofs + IP_HEADER_LEN;
}

static void
mark_ipv6(struct mlog_view *view, const struct mlog_flow_key *key, size_t ofs,
          bool free)
{
    bool is_frag = key->nw_frag & MLOG_FRAG_ANY;
    bool has_proto = (key->has & MLOG_HAS_PROTO
                      && !(key->nw_frag & MLOG_FRAG_LATER));

    mark(view, ofs, 1, 0xf0, false);
    mark(view, ofs, 1, 0x0f, free);             /* Traffic class. */
    mark(view, ofs + 1, 1, 0xf0, free);
    if (has_proto || is_frag) {
        known(view, ofs + 6, 1);
    }
    mark(view, ofs + 7, 1, 0xff, free);         /* Hop limit. */
    known(view, ofs + 8, 32);
    ofs += IPV6_HEADER_LEN;
    if (is_frag) {
        if (has_proto) {
            known(view, ofs, 1);
        }
        if (!(key->nw_frag & MLOG_FRAG_LATER)) {
            known(view, ofs + 2, 1);
            mark(view, ofs + 3, 1, 0xf9, false);
        }
        ofs += 8;
    }
    view->l4 = ofs;
}

static void
mark_transport(struct mlog_view *view, const struct mlog_flow_key *key,
               bool free)
{
    size_t ofs = view->l4;

    if (key->has & MLOG_HAS_PORTS) {
        known(view, ofs, 4);
    } else if (key->has & MLOG_HAS_ICMP) {
        known(view, ofs, 2);
    }
    if (key->has & MLOG_HAS_TCP) {
        mark(view, ofs + 4, 8, 0xff, free);
        mark(view, ofs + 12, 1, 0x0f, free);    /* Not where data begin. */
        mark(view, ofs + 13, 3, 0xff, free);
    }
}

void
mlog_view_init(struct mlog_view *view, const struct mlog_record *record,
               bool hide_tags)
{
    static const struct mlog_row no_row = {
        .len_ttl = MLOG_ROW_LEN_MAX << 8
    };
    const struct mlog_row *row = record->row ? record->row : &no_row;
    struct mlog_flow_key key = *record->key;
    bool free = !record->row;
    size_t n_tags = 0;

    memset(view->unk, 0xff, sizeof view->unk);
    memset(view->free, 0, sizeof view->free);
    view->is_802_3 = view->is_ipv4 = false;
    view->type = view->l3 = view->l4 = MLOG_VIEW_MAX;
    view->is_later = (key.nw_frag & MLOG_FRAG_LATER) != 0;
    if (hide_tags) {
        n_tags = (!!(key.vlan_tci[0] & MLOG_VLAN_PRESENT)
                  + !!(key.vlan_tci[1] & MLOG_VLAN_PRESENT));
        key.vlan_tci[0] = key.vlan_tci[1] = 0;
    }
    view->pkt_len = mlog_row_pkt_len(row);
    view->pkt_len_known = !free;
    view->size = free ? UINT32_MAX : view->pkt_len - 4 * n_tags;

    if (!(key.has & MLOG_HAS_ETH)) {
        return;
    }
    mlog_rebuild_headers(&key, row, 0, view->value);
    view->l3 = mark_ethernet(view, &key);
    if (key.has & MLOG_HAS_ARP) {
        mark_arp(view, &key, view->l3);
    } else if (key.has & MLOG_HAS_IP) {
        if (key.dl_type == ETH_TYPE_IPV6) {
            mark_ipv6(view, &key, view->l3, free);
        } else {
            mark_ipv4(view, &key, view->l3, free);
        }
        mark_transport(view, &key, free);
    }
}

void
mlog_view_free_values(struct mlog_view *view, const struct mlog_flow_key *key)
{
    static const struct {
        bool ipv6;
        uint8_t ofs, n;         /* In the IP header. */
    } structure[] = {
        { false, 0, 1 }, { false, 6, 2 }, { false, 9, 1 },
        { true, 0, 1 }, { true, 6, 1 }, { true, 40, 4 },
    };
    bool ipv6 = key->dl_type == ETH_TYPE_IPV6;
    bool is_ip = (key->has & MLOG_HAS_IP) != 0;

    for (size_t i = 0; i < MLOG_VIEW_MAX; i++) {
        bool fixed = i >= view->type && i < view->l3;

        for (size_t j = 12; j < view->type; j += 4) {
            fixed |= i == j || i == j + 1;      /* Tags' types. */
        }
        for (size_t j = 0; is_ip && j < ARRAY_SIZE(structure); j++) {
            size_t ofs = view->l3 + structure[j].ofs;

            fixed |= (structure[j].ipv6 == ipv6 && i >= ofs
                      && i < ofs + structure[j].n
                      && (structure[j].ofs < 40 || i < view->l4));
        }
        if (key->has & MLOG_HAS_ARP && i >= view->l3 && i < view->l3 + 6) {
            fixed = true;
        }
        if (!fixed) {
            view->free[i] |= ~view->unk[i];
        }
    }
    /* Part of the traffic class is in the version's byte. */
    if (is_ip && ipv6) {
        view->free[view->l3] |= 0x0f;
    }
    view->pkt_len_known = false;
    view->size = UINT32_MAX;
}

void
mlog_view_describe(const struct mlog_view *view,
                   const struct mlog_flow_key *key, uint32_t ofs,
                   struct ds *s)
{
    static const struct {
        uint8_t proto;
        const char *name;
        unsigned int length;
    } protos[] = {
        { IPPROTO_TCP, "TCP", 20 }, { IPPROTO_UDP, "UDP", 8 },
        { IPPROTO_SCTP, "SCTP", 12 }, { IPPROTO_ICMP, "ICMP", 8 },
        { IPPROTO_ICMPV6, "ICMPv6", 8 },
    };
    const char *l3 = (key->has & MLOG_HAS_ARP ? "ARP packet"
                      : !(key->has & MLOG_HAS_IP) ? NULL
                      : view->is_ipv4 ? "IPv4 header" : "IPv6 header");

    if (ofs < view->l3) {
        ds_put_format(s, "byte %"PRIu32" of the Ethernet header", ofs);
        return;
    } else if (l3 && ofs < view->l4) {
        ds_put_format(s, "byte %"PRIu32" of the %s", ofs - view->l3, l3);
        return;
    } else if (!l3) {
        ds_put_format(s, "what comes after the Ethernet header, with type "
                      "0x%04"PRIx16, key->dl_type);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
        if (protos[i].proto == key->nw_proto) {
            if (ofs - view->l4 < protos[i].length) {
                ds_put_format(s, "byte %"PRIu32" of the %s header",
                              ofs - view->l4, protos[i].name);
            } else {
                ds_put_format(s, "what comes after the %s header",
                              protos[i].name);
            }
            return;
        }
    }
    ds_put_format(s, "what comes after the IP header, with protocol %"PRIu8,
                  key->nw_proto);
}
