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

/* lib/dp-observer-private.h of the patched Open vSwitch: what its hooks call,
 * and which lists of actions hand a packet on, on which the reason "no output"
 * depends. */

#include <config.h>

#include <criterion/criterion.h>

#include "dp-observer-private.h"
#include "odp-netlink.h"
#include "openvswitch/ofpbuf.h"

/* A list of actions, and where the two branches of its last check_pkt_len
 * action begin, and the list in its last clone or sample action. */
struct list {
    struct ofpbuf actions;
    size_t greater, less_equal, nested;
};

static void
setup(struct list *list)
{
    ofpbuf_init(&list->actions, 0);
    list->greater = list->less_equal = list->nested = 0;
}

static void
put(struct list *list, enum ovs_action_attr type)
{
    if (type == OVS_ACTION_ATTR_CT) {
        size_t ct = nl_msg_start_nested(&list->actions, type);

        nl_msg_put_flag(&list->actions, OVS_CT_ATTR_COMMIT);
        nl_msg_end_nested(&list->actions, ct);
    } else {
        nl_msg_put_u32(&list->actions, type, 1);
    }
}

static void
put_userspace(struct list *list, enum user_action_cookie_type type)
{
    struct user_action_cookie cookie = { .type = type };

    odp_put_userspace_action(0, &cookie, sizeof cookie, ODPP_NONE, false,
                             &list->actions, NULL);
}

/* Adds a clone or sample action with an action of the given type, or a copy
 * for sFlow if it is OVS_ACTION_ATTR_USERSPACE, in its list. */
static void
put_copy(struct list *list, enum ovs_action_attr copy,
         enum ovs_action_attr type)
{
    size_t start = nl_msg_start_nested(&list->actions, copy);
    size_t sample = 0;

    if (copy == OVS_ACTION_ATTR_SAMPLE) {
        nl_msg_put_u32(&list->actions, OVS_SAMPLE_ATTR_PROBABILITY, 1);
        sample = nl_msg_start_nested(&list->actions, OVS_SAMPLE_ATTR_ACTIONS);
    }
    list->nested = list->actions.size;
    if (type == OVS_ACTION_ATTR_USERSPACE) {
        put_userspace(list, USER_ACTION_COOKIE_SFLOW);
    } else {
        put(list, type);
    }
    if (copy == OVS_ACTION_ATTR_SAMPLE) {
        nl_msg_end_nested(&list->actions, sample);
    }
    nl_msg_end_nested(&list->actions, start);
}

static size_t
put_branch(struct list *list, enum ovs_check_pkt_len_attr branch,
           enum ovs_action_attr type)
{
    size_t start = nl_msg_start_nested(&list->actions, branch);

    if (type) {
        put(list, type);
    }
    nl_msg_end_nested(&list->actions, start);
    return start + NLA_HDRLEN;
}

/* Adds a check_pkt_len action, each of whose branches has an action of the
 * given type or is empty. */
static void
put_check_pkt_len(struct list *list, enum ovs_action_attr greater,
                  enum ovs_action_attr less_equal)
{
    size_t start = nl_msg_start_nested(&list->actions,
                                       OVS_ACTION_ATTR_CHECK_PKT_LEN);

    nl_msg_put_u16(&list->actions, OVS_CHECK_PKT_LEN_ATTR_PKT_LEN, 100);
    list->greater = put_branch(list,
                               OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER,
                               greater);
    list->less_equal = put_branch(
        list, OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL, less_equal);
    nl_msg_end_nested(&list->actions, start);
}

/* Whether 'list' hands a packet on whose actions came to the end of the list
 * that begins at offset 'start', as odp_execute_actions() asks. */
static bool
hands_on(const struct list *list, size_t start)
{
    /* The data of an empty list is a null pointer. */
    uintptr_t data = (uintptr_t) list->actions.data;

    return dp_actions_hand_on(list->actions.data, list->actions.size,
                              (const void *) (data + start - 1));
}

static bool
list_hands_on(enum ovs_action_attr first, enum ovs_action_attr second)
{
    struct list list;
    bool result;

    setup(&list);
    put(&list, first);
    if (second) {
        put(&list, second);
    }
    result = hands_on(&list, 0);
    ofpbuf_uninit(&list.actions);
    return result;
}

Test(dp_observer, flat)
{
    struct list empty;

    setup(&empty);
    cr_expect(!hands_on(&empty, 0));
    ofpbuf_uninit(&empty.actions);

    cr_expect(!list_hands_on(OVS_ACTION_ATTR_CT, 0));
    cr_expect(!list_hands_on(OVS_ACTION_ATTR_METER, OVS_ACTION_ATTR_CT));
    cr_expect(!list_hands_on(OVS_ACTION_ATTR_TUNNEL_PUSH, 0));

    cr_expect(list_hands_on(OVS_ACTION_ATTR_OUTPUT, 0));
    cr_expect(list_hands_on(OVS_ACTION_ATTR_CT, OVS_ACTION_ATTR_RECIRC));
    cr_expect(list_hands_on(OVS_ACTION_ATTR_LB_OUTPUT, OVS_ACTION_ATTR_CT));
    cr_expect(list_hands_on(OVS_ACTION_ATTR_TUNNEL_POP, 0));
}

/* Whether "userspace,ct" hands on. */
static bool
userspace_hands_on(enum user_action_cookie_type type)
{
    struct list list;
    bool result;

    setup(&list);
    put_userspace(&list, type);
    put(&list, OVS_ACTION_ATTR_CT);
    result = hands_on(&list, 0);
    ofpbuf_uninit(&list.actions);
    return result;
}

/* A controller decides what becomes of a packet, a collector doesn't. */
Test(dp_observer, userspace)
{
    struct list list;

    cr_expect(userspace_hands_on(USER_ACTION_COOKIE_CONTROLLER));
    cr_expect(userspace_hands_on(USER_ACTION_COOKIE_SLOW_PATH));
    cr_expect(!userspace_hands_on(USER_ACTION_COOKIE_SFLOW));
    cr_expect(!userspace_hands_on(USER_ACTION_COOKIE_FLOW_SAMPLE));
    cr_expect(!userspace_hands_on(USER_ACTION_COOKIE_IPFIX));

    setup(&list);
    odp_put_userspace_action(0, "abc", 3, ODPP_NONE, false, &list.actions,
                             NULL);
    cr_expect(hands_on(&list, 0));
    ofpbuf_uninit(&list.actions);

    setup(&list);
    odp_put_userspace_action(0, NULL, 0, ODPP_NONE, false, &list.actions,
                             NULL);
    cr_expect(hands_on(&list, 0));
    ofpbuf_uninit(&list.actions);
}

/* The packet itself goes to the list in a clone or sample action if that is
 * the last, else a copy does, whose end is not the packet's. */
static void
check_copies(enum ovs_action_attr copy)
{
    struct list list;

    setup(&list);
    put_copy(&list, copy, OVS_ACTION_ATTR_CT);
    cr_expect(!hands_on(&list, list.nested));
    put(&list, OVS_ACTION_ATTR_CT);
    cr_expect(hands_on(&list, list.nested));
    cr_expect(!hands_on(&list, 0));
    ofpbuf_uninit(&list.actions);

    setup(&list);
    put_copy(&list, copy, OVS_ACTION_ATTR_OUTPUT);
    put(&list, OVS_ACTION_ATTR_CT);
    cr_expect(hands_on(&list, 0));
    ofpbuf_uninit(&list.actions);

    setup(&list);
    put(&list, OVS_ACTION_ATTR_OUTPUT);
    put_copy(&list, copy, OVS_ACTION_ATTR_CT);
    cr_expect(hands_on(&list, list.nested));
    ofpbuf_uninit(&list.actions);

    setup(&list);
    put_copy(&list, copy, OVS_ACTION_ATTR_USERSPACE);
    put(&list, OVS_ACTION_ATTR_CT);
    cr_expect(!hands_on(&list, 0));
    ofpbuf_uninit(&list.actions);
}

Test(dp_observer, copies)
{
    check_copies(OVS_ACTION_ATTR_CLONE);
    check_copies(OVS_ACTION_ATTR_SAMPLE);
}

/* Only the branch that the packet took counts. */
Test(dp_observer, branches)
{
    struct list list;

    setup(&list);
    put(&list, OVS_ACTION_ATTR_METER);
    put_check_pkt_len(&list, 0, OVS_ACTION_ATTR_OUTPUT);
    cr_expect(!hands_on(&list, list.greater));
    cr_expect(hands_on(&list, list.less_equal));
    ofpbuf_uninit(&list.actions);

    setup(&list);
    put_check_pkt_len(&list, OVS_ACTION_ATTR_OUTPUT, OVS_ACTION_ATTR_CT);
    cr_expect(hands_on(&list, list.greater));
    cr_expect(!hands_on(&list, list.less_equal));
    ofpbuf_uninit(&list.actions);
}

/* dp_execute_cb() passes the last action instead of the beginning. */
Test(dp_observer, last_action)
{
    struct list list;

    setup(&list);
    put_check_pkt_len(&list, OVS_ACTION_ATTR_OUTPUT, OVS_ACTION_ATTR_CT);
    cr_expect(!hands_on(&list, list.less_equal + 1));
    cr_expect(hands_on(&list, list.greater + 1));
    ofpbuf_uninit(&list.actions);
}

/* What comes before or after the branches counts as well. */
Test(dp_observer, around_branches)
{
    struct list list;

    setup(&list);
    put(&list, OVS_ACTION_ATTR_OUTPUT);
    put_check_pkt_len(&list, 0, 0);
    cr_expect(hands_on(&list, list.greater));
    cr_expect(hands_on(&list, list.less_equal));
    ofpbuf_uninit(&list.actions);

    setup(&list);
    put_check_pkt_len(&list, 0, 0);
    put(&list, OVS_ACTION_ATTR_CT);
    cr_expect(hands_on(&list, list.greater));
    ofpbuf_uninit(&list.actions);
}

/* What an observer was told last. */
static struct {
    int n_calls;
    void *thread;
    const struct dp_packet_batch *batch;
    size_t n;
    uint32_t reason;
} told;

static void
drop(void *thread, const struct dp_packet_batch *batch, uint32_t reason)
{
    told.n_calls++;
    told.thread = thread;
    told.batch = batch;
    told.n = dp_packet_batch_size(batch);
    told.reason = reason;
}

static void
drop_unseen(void *thread, size_t n, uint32_t reason)
{
    told.n_calls++;
    told.thread = thread;
    told.n = n;
    told.reason = reason;
}

/* The hook for a failed recovery of what the network card did, which needs the
 * card, calls dp_observe_drop_unseen() as the others do that are tested with a
 * switch. */
Test(dp_observer, drops)
{
    static const struct dp_observer off, on = {
        .drop = drop,
        .drop_unseen = drop_unseen,
    };
    struct dp_packet *packet = dp_packet_new(0);
    struct dp_packet_batch batch;
    int thread;

    dp_packet_batch_init(&batch);

    /* No observer, or one that has no interest. */
    dp_observe_drop_packet(&thread, packet, DP_DROP_METER);
    dp_observe_drop_unseen(&thread, 1, DP_DROP_HW_MISS_RECOVER);
    dp_observer_set(&off);
    dp_observe_drop_packet(&thread, packet, DP_DROP_METER);
    dp_observe_drop_unseen(&thread, 1, DP_DROP_HW_MISS_RECOVER);
    cr_expect(told.n_calls == 0);

    dp_observer_set(&on);
    dp_observe_drop_unseen(&thread, 1, DP_DROP_HW_MISS_RECOVER);
    cr_expect(told.n_calls == 1 && told.thread == &thread && told.n == 1
              && told.reason == DP_DROP_HW_MISS_RECOVER);
    dp_observe_drop(&thread, &batch, DP_DROP_METER);
    cr_expect(told.n_calls == 1);
    dp_packet_batch_add(&batch, packet);
    dp_packet_batch_add(&batch, packet);
    dp_observe_drop(NULL, &batch, DP_DROP_METER);
    cr_expect(told.n_calls == 2 && told.thread == NULL && told.n == 2
              && told.batch == &batch && told.reason == DP_DROP_METER);
    dp_packet_delete(packet);
}
