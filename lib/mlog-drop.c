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
#include "mlog-drop.h"

#include <string.h>

#include "mlog-fields.h"

#define COUNTER_PREFIX "datapath_drop_"

struct drop_info {
    const char *counter;        /* Coverage counter; name if there is none. */
    const char *doc;
};

/* Numbers without an entry have a null name. */
static const struct drop_info drops[MLOG_N_DROPS] = {
    [MLOG_DROP_METER] = {
        COUNTER_PREFIX "meter",
        "A meter's rate was exceeded." },
    [MLOG_DROP_UPCALL_ERROR] = {
        COUNTER_PREFIX "upcall_error",
        "The upcall for a packet that no datapath flow matched failed." },
    [MLOG_DROP_LOCK_ERROR] = {
        COUNTER_PREFIX "lock_error",
        "Upcalls were disabled while flows were being changed." },
    [MLOG_DROP_USERSPACE_ACTION_ERROR] = {
        COUNTER_PREFIX "userspace_action_error",
        "Sending the packet to userspace failed." },
    [MLOG_DROP_TUNNEL_PUSH_ERROR] = {
        COUNTER_PREFIX "tunnel_push_error",
        "A tunnel header could not be added." },
    [MLOG_DROP_TUNNEL_POP_ERROR] = {
        COUNTER_PREFIX "tunnel_pop_error",
        "A tunnel header could not be removed." },
    [MLOG_DROP_RECIRC_ERROR] = {
        COUNTER_PREFIX "recirc_error",
        "The packet was recirculated too often." },
    [MLOG_DROP_INVALID_PORT] = {
        COUNTER_PREFIX "invalid_port",
        "The output port does not exist." },
    [MLOG_DROP_INVALID_BOND] = {
        COUNTER_PREFIX "invalid_bond",
        "The output bond does not exist." },
    [MLOG_DROP_INVALID_TNL_PORT] = {
        COUNTER_PREFIX "invalid_tnl_port",
        "The tunnel port does not exist." },
    [MLOG_DROP_RX_INVALID_PACKET] = {
        COUNTER_PREFIX "rx_invalid_packet",
        "The received frame is too short for an Ethernet header." },
    [MLOG_DROP_HW_MISS_RECOVER] = {
        COUNTER_PREFIX "hw_miss_recover",
        "The packet's state could not be restored after a miss in the "
        "network card's flow table." },
    [MLOG_DROP_SAMPLE_ERROR] = {
        COUNTER_PREFIX "sample_error",
        "A sampling action failed." },
    [MLOG_DROP_NSH_DECAP_ERROR] = {
        COUNTER_PREFIX "nsh_decap_error",
        "An NSH header could not be removed." },
    [MLOG_DROP_NO_OUTPUT] = {
        "no_output",
        "The actions ended without an output." },
    [MLOG_DROP_ACTION + 0] = {
        "drop_action_of_pipeline",
        "The OpenFlow pipeline says to drop the packet." },
    [MLOG_DROP_ACTION + 1] = {
        "drop_action_bridge_not_found",
        "The bridge does not exist." },
    [MLOG_DROP_ACTION + 2] = {
        "drop_action_recursion_too_deep",
        "The OpenFlow actions nest too deeply." },
    [MLOG_DROP_ACTION + 3] = {
        "drop_action_too_many_resubmit",
        "The OpenFlow actions resubmit too often." },
    [MLOG_DROP_ACTION + 4] = {
        "drop_action_stack_too_deep",
        "The OpenFlow actions push too much on the stack." },
    [MLOG_DROP_ACTION + 5] = {
        "drop_action_no_recirculation_context",
        "The recirculated packet's context is unknown." },
    [MLOG_DROP_ACTION + 6] = {
        "drop_action_recirculation_conflict",
        "The recirculated packet belongs to another bridge." },
    [MLOG_DROP_ACTION + 7] = {
        "drop_action_too_many_mpls_labels",
        "The OpenFlow actions push too many MPLS labels." },
    [MLOG_DROP_ACTION + 8] = {
        "drop_action_invalid_tunnel_metadata",
        "The packet's tunnel metadata is invalid." },
    [MLOG_DROP_ACTION + 9] = {
        "drop_action_unsupported_packet_type",
        "The output port does not take this type of packet." },
    [MLOG_DROP_ACTION + 10] = {
        "drop_action_congestion",
        "Congestion was experienced and the inner header does not allow "
        "ECN." },
    [MLOG_DROP_ACTION + 11] = {
        "drop_action_forwarding_disabled",
        "Forwarding is disabled on the port." },
};

static const struct drop_info *
find_drop(uint32_t reason)
{
    return (reason < MLOG_N_DROPS && drops[reason].counter
            ? &drops[reason] : NULL);
}

static const char *
drop_name(const struct drop_info *drop)
{
    size_t n = strlen(COUNTER_PREFIX);

    return (!strncmp(drop->counter, COUNTER_PREFIX, n) ? drop->counter + n
            : drop->counter);
}

const char *
mlog_drop_name(uint32_t reason)
{
    const struct drop_info *drop = find_drop(reason);

    return drop ? drop_name(drop) : NULL;
}

const char *
mlog_drop_counter(uint32_t reason)
{
    const struct drop_info *drop = find_drop(reason);

    return drop && reason != MLOG_DROP_NO_OUTPUT ? drop->counter : NULL;
}

const char *
mlog_drop_doc(uint32_t reason)
{
    const struct drop_info *drop = find_drop(reason);

    return drop ? drop->doc : NULL;
}

bool
mlog_drop_from_name(const char *name, uint32_t *reason)
{
    for (uint32_t i = 0; i < MLOG_N_DROPS; i++) {
        const struct drop_info *drop = find_drop(i);

        if (drop
            && (!strcmp(name, drop_name(drop))
                || !strcmp(name, drop->counter))) {
            *reason = i;
            return true;
        }
    }
    return false;
}

const char *
mlog_drop_suggest(const char *name)
{
    const char *names[MLOG_N_DROPS];
    size_t n = 0;

    for (uint32_t i = 0; i < MLOG_N_DROPS; i++) {
        if (find_drop(i)) {
            names[n++] = mlog_drop_name(i);
        }
    }
    return mlog_nearest_name(name, names, n);
}
