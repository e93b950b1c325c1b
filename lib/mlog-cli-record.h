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


#ifndef MLOG_CLI_RECORD_H
#define MLOG_CLI_RECORD_H 1

/* Records from JSON
 * =================
 *
 * The inverse of what a query does: makes a record of a row of its answer, so
 * that headers can be rebuilt of it.  A row that has the fields
 * MLOG_CLI_RECORD_FIELDS gives the record that it was made of, but for the
 * identifiers of ports: these are this process's own, one for each name.
 *
 * Thread-safety: all functions may be called from any thread at any time. */

#include <stdbool.h>

#include "mlog-record.h"

struct json;

#define MLOG_CLI_RECORD_FIELDS                                              \
    "time,in_port,in_port_name,out_port,out_port_name,pkt_len,drop_reason," \
    "flow_id,dl_src,dl_dst,dl_type,vlan_vid,vlan_pcp,inner_vlan_vid,"       \
    "inner_vlan_pcp,nw_src,nw_dst,ipv6_src,ipv6_dst,nw_proto,ip_dscp,"      \
    "nw_ecn,nw_ttl,nw_frag,ip_id,arp_op,arp_spa,arp_tpa,tp_src,tp_dst,"     \
    "tcp_flags,tcp_seq,tcp_ack,tcp_window,icmp_type,icmp_code,icmpv6_type," \
    "icmpv6_code"

/* Sets 'key', 'row' (but for 'flow' and the time in it), '*flow_id' and
 * '*time' from 'json', and returns true.  Returns false if a field has a value
 * that cannot be. */
bool mlog_cli_record_from_json(const struct json *json,
                               struct mlog_flow_key *key,
                               struct mlog_row *row, uint64_t *flow_id,
                               uint64_t *time);

#endif /* mlog-cli-record.h */
