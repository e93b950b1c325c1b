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
#include "mlog-cli-record.h"

#include "mlog-cli-answer.h"
#include "mlog-fields.h"
#include "mlog-ports.h"
#include "openvswitch/json.h"
#include "ovs-thread.h"
#include "packets.h"
#include "util.h"

/* Ports. */

/* Names are numbered as they come; there is no datapath here that could have
 * numbers of its own. */
static uint16_t
port_by_name(const char *name)
{
    static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
    static struct shash ports OVS_GUARDED_BY(mutex)
        = SHASH_INITIALIZER(&ports);
    static uint32_t n OVS_GUARDED_BY(mutex);
    const void *found;
    uint16_t id;

    ovs_mutex_lock(&mutex);
    found = shash_find_data(&ports, name);
    if (found) {
        id = (uintptr_t) found - 1;
    } else {
        unsigned int dp = mlog_ports_datapath("ovs-multilog");

        mlog_ports_add(dp, n, name);
        id = mlog_ports_lookup(dp, n++);
        shash_add(&ports, name, (void *) ((uintptr_t) id + 1));
    }
    ovs_mutex_unlock(&mutex);
    return id;
}

static uint16_t
get_port(const struct json *json, const char *field)
{
    const char *name = mlog_json_string(json, field);

    return name ? port_by_name(name) : MLOG_PORT_NONE;
}

/* Values. */

/* Stores field 'id' in '*value' and returns true if the packet has it.  Clears
 * '*ok' if it makes no sense. */
static bool
get(const struct json *json, enum mlog_field_id id, struct mlog_value *value,
    bool *ok)
{
    const struct mlog_field *field = mlog_field_get_by_id(id);
    const struct json *member = mlog_json_get(json, field->name);
    struct mlog_value mask, ones = mlog_field_ones(field);

    *value = (struct mlog_value) { 0, 0 };
    if (!member || member->type == JSON_NULL) {
        return false;
    } else if (member->type == JSON_INTEGER) {
        value->lo = member->integer;
        *ok &= member->integer >= 0 && (field->n_bits >= 64
                                        || !(value->lo >> field->n_bits));
        return true;
    } else if (member->type != JSON_STRING) {
        *ok = false;
        return false;
    }

    char *error = mlog_field_parse_value(field, member->string, value, &mask);
    *ok &= !error && mlog_value_equal(&mask, &ones);
    free(error);
    return true;
}

static uint64_t
get_number(const struct json *json, enum mlog_field_id id, bool *ok)
{
    struct mlog_value value;

    get(json, id, &value, ok);
    return value.lo;
}

static uint16_t
get_vlan(const struct json *json, enum mlog_field_id vid,
         enum mlog_field_id pcp, bool *ok)
{
    struct mlog_value value;

    if (!get(json, vid, &value, ok)) {
        return 0;
    }
    return value.lo | get_number(json, pcp, ok) << 13 | MLOG_VLAN_PRESENT;
}

static uint8_t
get_frag(const struct json *json, bool *ok)
{
    const char *frag = mlog_json_string(json, "nw_frag");

    if (!frag || !strcmp(frag, "no")) {
        return 0;
    } else if (!strcmp(frag, "first")) {
        return MLOG_FRAG_ANY;
    }
    *ok &= !strcmp(frag, "later");
    return MLOG_FRAG_ANY | MLOG_FRAG_LATER;
}

/* The parts of a packet. */

static void
get_ethernet(const struct json *json, struct mlog_flow_key *key, bool *ok)
{
    struct mlog_value value;

    if (get(json, MLOG_F_DL_SRC, &value, ok)) {
        key->has |= MLOG_HAS_ETH;
        eth_addr_from_uint64(value.lo, &key->dl_src);
        eth_addr_from_uint64(get_number(json, MLOG_F_DL_DST, ok),
                             &key->dl_dst);
        key->dl_type = get_number(json, MLOG_F_DL_TYPE, ok);
        key->vlan_tci[0] = get_vlan(json, MLOG_F_VLAN_VID, MLOG_F_VLAN_PCP,
                                    ok);
        key->vlan_tci[1] = get_vlan(json, MLOG_F_INNER_VLAN_VID,
                                    MLOG_F_INNER_VLAN_PCP, ok);
    }
}

static void
put_address(const struct mlog_value *value, ovs_be32 address[4])
{
    address[0] = htonl(value->hi >> 32);
    address[1] = htonl(value->hi);
    address[2] = htonl(value->lo >> 32);
    address[3] = htonl(value->lo);
}

static void
get_network(const struct json *json, struct mlog_flow_key *key,
            struct mlog_row *row, bool *ok)
{
    struct mlog_value src, dst, value;

    if (get(json, MLOG_F_NW_SRC, &src, ok)) {
        get(json, MLOG_F_NW_DST, &dst, ok);
    } else if (get(json, MLOG_F_IPV6_SRC, &src, ok)) {
        get(json, MLOG_F_IPV6_DST, &dst, ok);
    } else if (get(json, MLOG_F_ARP_OP, &value, ok)) {
        key->has |= MLOG_HAS_ARP;
        key->nw_proto = value.lo;
        get(json, MLOG_F_ARP_SPA, &src, ok);
        get(json, MLOG_F_ARP_TPA, &dst, ok);
        put_address(&src, key->src);
        put_address(&dst, key->dst);
        return;
    } else {
        return;
    }
    key->has |= MLOG_HAS_IP;
    put_address(&src, key->src);
    put_address(&dst, key->dst);
    if (get(json, MLOG_F_NW_PROTO, &value, ok)) {
        key->has |= MLOG_HAS_PROTO;
        key->nw_proto = value.lo;
    }
    key->nw_frag = get_frag(json, ok);
    row->nw_tos = (get_number(json, MLOG_F_IP_DSCP, ok) << 2
                   | get_number(json, MLOG_F_NW_ECN, ok));
    row->ip_id = get_number(json, MLOG_F_IP_ID, ok);
    row->len_ttl |= get_number(json, MLOG_F_NW_TTL, ok);
}

static void
get_transport(const struct json *json, struct mlog_flow_key *key,
              struct mlog_row *row, bool *ok)
{
    struct mlog_value value;

    if (get(json, MLOG_F_TP_SRC, &value, ok)) {
        key->has |= MLOG_HAS_PORTS;
        key->tp_src = value.lo;
        key->tp_dst = get_number(json, MLOG_F_TP_DST, ok);
    } else if (get(json, MLOG_F_ICMP_TYPE, &value, ok)) {
        key->has |= MLOG_HAS_ICMP;
        key->tp_src = value.lo;
        key->tp_dst = get_number(json, MLOG_F_ICMP_CODE, ok);
    } else if (get(json, MLOG_F_ICMPV6_TYPE, &value, ok)) {
        key->has |= MLOG_HAS_ICMP;
        key->tp_src = value.lo;
        key->tp_dst = get_number(json, MLOG_F_ICMPV6_CODE, ok);
    }
    if (get(json, MLOG_F_TCP_FLAGS, &value, ok)) {
        key->has |= MLOG_HAS_TCP;
        row->tcp_flags = value.lo;
        row->tcp_seq = get_number(json, MLOG_F_TCP_SEQ, ok);
        row->tcp_ack = get_number(json, MLOG_F_TCP_ACK, ok);
        row->tcp_window = get_number(json, MLOG_F_TCP_WINDOW, ok);
    }
}

bool
mlog_cli_record_from_json(const struct json *json, struct mlog_flow_key *key,
                          struct mlog_row *row, uint64_t *flow_id,
                          uint64_t *time)
{
    uint64_t length;
    bool ok = true;

    memset(key, 0, sizeof *key);
    memset(row, 0, sizeof *row);
    length = get_number(json, MLOG_F_PKT_LEN, &ok);
    row->len_ttl = MIN(length, MLOG_ROW_LEN_MAX) << 8;
    row->reason = get_number(json, MLOG_F_DROP_REASON, &ok);
    key->in_port = get_port(json, "in_port_name");
    row->time_port = mlog_row_pack_time_port(
        0, get_port(json, "out_port_name"));
    get_ethernet(json, key, &ok);
    get_network(json, key, row, &ok);
    get_transport(json, key, row, &ok);
    *flow_id = get_number(json, MLOG_F_FLOW_ID, &ok);
    *time = mlog_json_time(json, "time");
    return ok;
}
