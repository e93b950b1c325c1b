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
#include "mlog-expr-private.h"

#include <string.h>

#include "packets.h"
#include "util.h"

enum predicate_kind {
    KIND_ETH,                   /* An Ethernet header. */
    KIND_ETH_TYPE,              /* 'dl_type'. */
    KIND_IP_PROTO,              /* 'dl_type' (0 = IPv4 or IPv6), 'nw_proto'. */
    KIND_VLAN,
    KIND_DROP,
    KIND_FORWARDED,
};

/* 'public' is first, so that a pointer to it is one to the whole. */
struct predicate {
    struct mlog_predicate public;
    enum predicate_kind kind;
    uint16_t dl_type;
    uint8_t nw_proto;
    const char *match_name;     /* What OVS match syntax calls it, or NULL. */
};

#define FLOW MLOG_SCOPE_FLOW
#define ROW  MLOG_SCOPE_ROW

static const struct predicate predicates[] = {
    { { "eth", FLOW, "An Ethernet frame." },
      KIND_ETH, 0, 0, "eth" },
    { { "vlan", FLOW, "The packet has a VLAN tag." },
      KIND_VLAN, 0, 0, "vlan" },
    { { "ip", FLOW, "IPv4: the Ethertype is 0x0800." },
      KIND_ETH_TYPE, ETH_TYPE_IP, 0, "ip" },
    { { "ipv6", FLOW, "IPv6: the Ethertype is 0x86dd." },
      KIND_ETH_TYPE, ETH_TYPE_IPV6, 0, "ipv6" },
    { { "arp", FLOW, "ARP: the Ethertype is 0x0806." },
      KIND_ETH_TYPE, ETH_TYPE_ARP, 0, "arp" },
    { { "rarp", FLOW, "RARP: the Ethertype is 0x8035." },
      KIND_ETH_TYPE, ETH_TYPE_RARP, 0, "rarp" },
    { { "mpls", FLOW, "MPLS: the Ethertype is 0x8847." },
      KIND_ETH_TYPE, ETH_TYPE_MPLS, 0, "mpls" },
    { { "mplsm", FLOW, "MPLS multicast: the Ethertype is 0x8848." },
      KIND_ETH_TYPE, ETH_TYPE_MPLS_MCAST, 0, "mplsm" },
    { { "icmp", FLOW, "ICMP over IPv4." },
      KIND_IP_PROTO, ETH_TYPE_IP, IPPROTO_ICMP, "icmp" },
    { { "icmp6", FLOW, "ICMPv6 over IPv6." },
      KIND_IP_PROTO, ETH_TYPE_IPV6, IPPROTO_ICMPV6, "icmp6" },
    { { "tcp", FLOW, "TCP over IPv4 or IPv6." },
      KIND_IP_PROTO, 0, IPPROTO_TCP, NULL },
    { { "tcp4", FLOW, "TCP over IPv4: what OVS matches call ``tcp``." },
      KIND_IP_PROTO, ETH_TYPE_IP, IPPROTO_TCP, "tcp" },
    { { "tcp6", FLOW, "TCP over IPv6." },
      KIND_IP_PROTO, ETH_TYPE_IPV6, IPPROTO_TCP, "tcp6" },
    { { "udp", FLOW, "UDP over IPv4 or IPv6." },
      KIND_IP_PROTO, 0, IPPROTO_UDP, NULL },
    { { "udp4", FLOW, "UDP over IPv4: what OVS matches call ``udp``." },
      KIND_IP_PROTO, ETH_TYPE_IP, IPPROTO_UDP, "udp" },
    { { "udp6", FLOW, "UDP over IPv6." },
      KIND_IP_PROTO, ETH_TYPE_IPV6, IPPROTO_UDP, "udp6" },
    { { "sctp", FLOW, "SCTP over IPv4 or IPv6." },
      KIND_IP_PROTO, 0, IPPROTO_SCTP, NULL },
    { { "sctp4", FLOW, "SCTP over IPv4: what OVS matches call ``sctp``." },
      KIND_IP_PROTO, ETH_TYPE_IP, IPPROTO_SCTP, "sctp" },
    { { "sctp6", FLOW, "SCTP over IPv6." },
      KIND_IP_PROTO, ETH_TYPE_IPV6, IPPROTO_SCTP, "sctp6" },
    { { "drop", ROW, "The datapath dropped the packet." },
      KIND_DROP, 0, 0, "drop" },
    { { "forwarded", ROW, "The packet was sent to a port." },
      KIND_FORWARDED, 0, 0, "forwarded" },
};

static const struct predicate *
predicate_cast(const struct mlog_predicate *p)
{
    return CONTAINER_OF(p, struct predicate, public);
}

size_t
mlog_predicate_count(void)
{
    return ARRAY_SIZE(predicates);
}

const struct mlog_predicate *
mlog_predicate_get(size_t i)
{
    ovs_assert(i < ARRAY_SIZE(predicates));
    return &predicates[i].public;
}

const struct mlog_predicate *
mlog_predicate_from_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(predicates); i++) {
        if (!strcmp(predicates[i].public.name, name)) {
            return &predicates[i].public;
        }
    }
    return NULL;
}

const struct mlog_predicate *
mlog_predicate_from_match(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(predicates); i++) {
        const char *match_name = predicates[i].match_name;

        if (match_name && !strcmp(match_name, name)) {
            return &predicates[i].public;
        }
    }
    return NULL;
}

const char *
mlog_predicate_match_name(const struct mlog_predicate *p)
{
    return predicate_cast(p)->match_name;
}

void
mlog_predicate_implies(const struct mlog_predicate *p,
                       uint16_t *dl_type, uint8_t *nw_proto)
{
    *dl_type = predicate_cast(p)->dl_type;
    *nw_proto = predicate_cast(p)->nw_proto;
}

/* For predicates on flows. */
void
mlog_predicate_needs(const struct mlog_predicate *p_,
                     struct mlog_flow_needs *needs)
{
    const struct predicate *p = predicate_cast(p_);

    *needs = (struct mlog_flow_needs) {
        .has = (p->kind == KIND_IP_PROTO ? MLOG_HAS_IP | MLOG_HAS_PROTO
                : p->kind == KIND_VLAN ? 0
                : MLOG_HAS_ETH),
        .tags = p->kind == KIND_VLAN ? 1 << 0 : 0,
        .nw_proto = p->nw_proto,
        .dl_type = p->dl_type,
    };
}

enum mlog_tri
mlog_predicate_eval(const struct mlog_predicate *p_,
                    const struct mlog_record *record)
{
    const struct predicate *p = predicate_cast(p_);
    struct mlog_flow_needs needs;

    switch (p->kind) {
    case KIND_ETH:
    case KIND_ETH_TYPE:
    case KIND_IP_PROTO:
    case KIND_VLAN:
        mlog_predicate_needs(p_, &needs);
        return mlog_flow_meets(record->key, &needs) ? MLOG_TRUE : MLOG_FALSE;

    case KIND_DROP:
        return (!record->row ? MLOG_MAYBE
                : record->row->reason ? MLOG_TRUE : MLOG_FALSE);

    case KIND_FORWARDED:
        return (!record->row ? MLOG_MAYBE
                : record->row->reason ? MLOG_FALSE : MLOG_TRUE);
    }
    OVS_NOT_REACHED();
}
