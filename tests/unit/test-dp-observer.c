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


/* Which lists of actions hand a packet on, for lib/dp-observer-private.h of
 * the patched Open vSwitch: the reason "no output" depends on it. */

#include <config.h>

#include <criterion/criterion.h>

#include "dp-observer-private.h"
#include "odp-netlink.h"
#include "openvswitch/ofpbuf.h"

/* A list of actions, and where the two branches of its last
 * check_pkt_len action begin. */
struct list {
    struct ofpbuf actions;
    size_t greater, less_equal;
};

static void
setup(struct list *list)
{
    ofpbuf_init(&list->actions, 0);
    list->greater = list->less_equal = 0;
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
    cr_expect(list_hands_on(OVS_ACTION_ATTR_USERSPACE, OVS_ACTION_ATTR_CT));
    cr_expect(list_hands_on(OVS_ACTION_ATTR_TUNNEL_POP, 0));
    cr_expect(list_hands_on(OVS_ACTION_ATTR_CLONE, OVS_ACTION_ATTR_CT));
    cr_expect(list_hands_on(OVS_ACTION_ATTR_SAMPLE, OVS_ACTION_ATTR_CT));
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
