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


#ifndef DP_OBSERVER_PRIVATE_H
#define DP_OBSERVER_PRIVATE_H 1

/* How the datapath calls its observer.  For lib/dpif-netdev.c, which defines
 * 'dp_observer', and lib/odp-execute.c. */

#include "dp-observer.h"
#include "dp-packet.h"
#include "netlink.h"
#include "odp-execute.h"
#include "odp-util.h"
#include "openvswitch/compiler.h"
#include "ovs-rcu.h"

typedef OVSRCU_TYPE(const struct dp_observer *) dp_observer_ptr;
extern dp_observer_ptr dp_observer;

static inline const struct dp_observer *
dp_observer_get(void)
{
    return ovsrcu_get(const struct dp_observer *, &dp_observer);
}

static inline void *
dp_observe_thread_create(const char *dp_name, unsigned core_id)
{
    const struct dp_observer *obs = dp_observer_get();

    return obs ? obs->thread_create(dp_name, core_id) : NULL;
}

static inline void
dp_observe_thread_destroy(void *thread)
{
    const struct dp_observer *obs = dp_observer_get();

    if (obs && thread) {
        obs->thread_destroy(thread);
    }
}

static inline void
dp_observe_port(const char *dp_name, odp_port_t port_no, const char *name,
                bool added)
{
    const struct dp_observer *obs = dp_observer_get();

    if (obs) {
        obs->port(dp_name, port_no, name, added);
    }
}

static inline void
dp_observe_drop(void *thread, const struct dp_packet_batch *batch,
                uint32_t reason)
{
    const struct dp_observer *obs = dp_observer_get();

    if (OVS_UNLIKELY(obs && obs->drop && !dp_packet_batch_is_empty(batch))) {
        obs->drop(thread, batch, reason);
    }
}

static inline void
dp_observe_drop_packet(void *thread, struct dp_packet *packet,
                       uint32_t reason)
{
    struct dp_packet_batch batch;

    dp_packet_batch_init_packet(&batch, packet);
    dp_observe_drop(thread, &batch, reason);
}

static inline void
dp_observe_drop_unseen(void *thread, size_t n, uint32_t reason)
{
    const struct dp_observer *obs = dp_observer_get();

    if (OVS_UNLIKELY(obs && obs->drop_unseen)) {
        obs->drop_unseen(thread, n, reason);
    }
}

/* An action of odp_execute_actions() drops 'batch', or the actions end without
 * having handed it on, perhaps: see dp_actions_hand_on() for 'end'.  'dp' and
 * the callback are those of odp_execute_actions(). */
void dp_observe_action_drop(void *dp, odp_execute_cb,
                            const struct dp_packet_batch *, uint32_t reason);
void dp_observe_action_end(void *dp, odp_execute_cb,
                           const struct dp_packet_batch *, const void *end);

static inline void
dp_observe_action_drop_packet(void *dp, odp_execute_cb cb,
                              struct dp_packet *packet, uint32_t reason)
{
    struct dp_packet_batch batch;

    dp_packet_batch_init_packet(&batch, packet);
    dp_observe_action_drop(dp, cb, &batch, reason);
}

/* Returns true if 'action', OVS_ACTION_ATTR_USERSPACE, only gives a copy to
 * sFlow or IPFIX, who don't decide on the packet's fate. */
static inline bool
dp_action_is_sampling(const struct nlattr *action)
{
    const struct nlattr *userdata
        = nl_attr_find_nested(action, OVS_USERSPACE_ATTR_USERDATA);

    if (userdata
        && nl_attr_get_size(userdata) == sizeof(struct user_action_cookie)) {
        struct user_action_cookie cookie;

        memcpy(&cookie, nl_attr_get(userdata), sizeof cookie);
        return (cookie.type == USER_ACTION_COOKIE_SFLOW
                || cookie.type == USER_ACTION_COOKIE_FLOW_SAMPLE
                || cookie.type == USER_ACTION_COOKIE_IPFIX);
    }
    return false;
}

static inline bool
dp_actions_hand_on(const struct nlattr *actions, size_t actions_len,
                   const void *end);

/* The same as dp_actions_hand_on(), for an action that contains lists of
 * actions.  The attribute of that type has the list; if there are several,
 * only the one that this packet took matters. */
static inline bool
dp_nested_actions_hand_on(const struct nlattr *action, bool last,
                          const void *end)
{
    bool ends_here = (end > (const void *) action
                      && end < (const void *) nl_attr_next(action));
    const struct nlattr *a;
    size_t left;

    if (ends_here && !last) {
        /* Only a copy ended; the packet goes on. */
        return true;
    }
    switch (nl_attr_type(action)) {
    case OVS_ACTION_ATTR_CLONE:
        return dp_actions_hand_on(nl_attr_get(action),
                                  nl_attr_get_size(action), end);

    case OVS_ACTION_ATTR_SAMPLE:
        a = nl_attr_find_nested(action, OVS_SAMPLE_ATTR_ACTIONS);
        return dp_actions_hand_on(nl_attr_get(a), nl_attr_get_size(a), end);

    default:                    /* OVS_ACTION_ATTR_CHECK_PKT_LEN. */
        NL_NESTED_FOR_EACH_UNSAFE (a, left, action) {
            if (end > (const void *) a
                && end < (const void *) nl_attr_next(a)) {
                return dp_actions_hand_on(nl_attr_get(a), nl_attr_get_size(a),
                                          end);
            }
        }
        return true;
    }
}

/* Returns true if 'actions', the whole list of a flow, hand a packet on for
 * which they ended at 'end', to whoever then decides on its fate: a port,
 * another flow, a process.  'end' points to the last action, or to a byte
 * in the attribute that contains the list of actions that was executed to its
 * end, or before 'actions' if that list is 'actions'.
 *
 * This errs on the side of "handed on" if the packet was not the one that
 * ended, or where that depends on what happened to a copy: to one that took a
 * branch of a check_pkt_len action, and to one that was sampled for something
 * else than sFlow or IPFIX. */
static inline bool
dp_actions_hand_on(const struct nlattr *actions, size_t actions_len,
                   const void *end)
{
    const struct nlattr *a;
    size_t left;

    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, actions_len) {
        switch (nl_attr_type(a)) {
        case OVS_ACTION_ATTR_OUTPUT:
        case OVS_ACTION_ATTR_LB_OUTPUT:
        case OVS_ACTION_ATTR_TUNNEL_POP:
        case OVS_ACTION_ATTR_RECIRC:
            return true;

        case OVS_ACTION_ATTR_USERSPACE:
            if (!dp_action_is_sampling(a)) {
                return true;
            }
            break;

        case OVS_ACTION_ATTR_CLONE:
        case OVS_ACTION_ATTR_SAMPLE:
        case OVS_ACTION_ATTR_CHECK_PKT_LEN:
            if (dp_nested_actions_hand_on(a, left <= NLA_ALIGN(a->nla_len),
                                          end)) {
                return true;
            }
            break;
        }
    }
    return false;
}

#endif /* dp-observer-private.h */
