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

#include "mlog-flow-id.h"

#include "jhash.h"
#include "mlog-ports.h"
#include "util.h"

uint64_t
mlog_flow_id(const struct mlog_flow_key *key)
{
    struct {
        ovs_be32 src[4];
        ovs_be32 dst[4];
        ovs_be16 dl_type;
        ovs_be16 vlan_vid[2];
        ovs_be16 tp_src;
        ovs_be16 tp_dst;
        uint8_t nw_proto;
        uint8_t reserved;
        uint32_t in_port;
    } id = {
        .dl_type = htons(key->dl_type),
        .vlan_vid = { htons(key->vlan_tci[0] & 0x1fff),
                      htons(key->vlan_tci[1] & 0x1fff) },
        .tp_src = htons(key->tp_src),
        .tp_dst = htons(key->tp_dst),
        .nw_proto = key->nw_proto,
    };
    const char *in_port = mlog_ports_name(key->in_port);

    BUILD_ASSERT(sizeof id == 48);
    memcpy(id.src, key->src, sizeof id.src);
    memcpy(id.dst, key->dst, sizeof id.dst);
    id.in_port = in_port ? jhash_bytes(in_port, strlen(in_port), 0) : 0;
    uint64_t hash = ((uint64_t) jhash_bytes(&id, sizeof id, 1) << 32
                     | jhash_bytes(&id, sizeof id, 2));

    return hash ? hash : 1;
}
