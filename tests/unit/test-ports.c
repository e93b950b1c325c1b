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
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mlog-ports.h"
#include "ovs-thread.h"
#include "util.h"

/* An identifier is never given to another port, and records of a port that
 * is gone still tell its name. */
Test(ports, identifiers_are_not_reused)
{
    unsigned int dp = mlog_ports_datapath("netdev@ovs-netdev");

    mlog_ports_add(dp, 3, "a");
    uint16_t a = mlog_ports_lookup(dp, 3);
    cr_assert_str_eq(mlog_ports_name(a), "a");
    cr_assert(mlog_ports_is_alive(a));

    /* Packets that were captured before still have to find it. */
    mlog_ports_del(dp, 3);
    cr_assert_eq(mlog_ports_lookup(dp, 3), a);
    cr_assert(!mlog_ports_is_alive(a));
    cr_assert_str_eq(mlog_ports_name(a), "a");

    mlog_ports_add(dp, 3, "b");
    uint16_t b = mlog_ports_lookup(dp, 3);
    cr_assert_neq(a, b);
    cr_assert_str_eq(mlog_ports_name(a), "a");
    cr_assert_str_eq(mlog_ports_name(b), "b");
    cr_assert_eq(mlog_ports_odp(b), 3);
    cr_assert_eq(mlog_ports_count(), 2);
}

/* A port that comes and goes doesn't use identifiers up. */
Test(ports, the_same_port_gets_its_identifier_back)
{
    unsigned int dp = mlog_ports_datapath("dp");

    mlog_ports_add(dp, 1, "a");
    uint16_t id = mlog_ports_lookup(dp, 1);
    for (int i = 0; i < 1000; i++) {
        mlog_ports_del(dp, 1);
        mlog_ports_add(dp, 1, "a");
        cr_assert_eq(mlog_ports_lookup(dp, 1), id);
    }
    mlog_ports_add(dp, 1, "a");
    cr_assert(mlog_ports_is_alive(id));
    cr_assert_eq(mlog_ports_count(), 1);
}

/* A new port under a number that is taken takes it over. */
Test(ports, replacement_without_deletion)
{
    unsigned int dp = mlog_ports_datapath("dp");

    mlog_ports_add(dp, 1, "a");
    uint16_t a = mlog_ports_lookup(dp, 1);
    mlog_ports_add(dp, 1, "b");
    cr_assert(!mlog_ports_is_alive(a));
    cr_assert_str_eq(mlog_ports_name(mlog_ports_lookup(dp, 1)), "b");
}

Test(ports, datapaths_are_apart)
{
    unsigned int dp1 = mlog_ports_datapath("one");
    unsigned int dp2 = mlog_ports_datapath("two");

    cr_assert_neq(dp1, dp2);
    cr_assert_eq(mlog_ports_datapath("one"), dp1);
    mlog_ports_add(dp1, 1, "a");
    cr_assert_eq(mlog_ports_lookup(dp2, 1), MLOG_PORT_NONE);
    mlog_ports_add(dp2, 1, "a");
    cr_assert_neq(mlog_ports_lookup(dp1, 1), mlog_ports_lookup(dp2, 1));

    for (int i = 2; i < MLOG_MAX_DATAPATHS; i++) {
        char name[16];

        snprintf(name, sizeof name, "dp%d", i);
        cr_assert_eq(mlog_ports_datapath(name), i);
    }
    cr_assert_eq(mlog_ports_datapath("too many"), MLOG_MAX_DATAPATHS);
    mlog_ports_add(MLOG_MAX_DATAPATHS, 1, "a");
    mlog_ports_del(MLOG_MAX_DATAPATHS, 1);
    mlog_ports_set_ofp(MLOG_MAX_DATAPATHS, "a", "br", 1);
    cr_assert_eq(mlog_ports_lookup(MLOG_MAX_DATAPATHS, 1), MLOG_PORT_NONE);
    cr_assert_eq(mlog_ports_count(), 2);
}

/* OpenFlow numbers may be told before or after the port is there. */
Test(ports, openflow_numbers)
{
    unsigned int dp = mlog_ports_datapath("dp");

    mlog_ports_set_ofp(dp, "early", "br0", 5);
    mlog_ports_add(dp, 1, "early");
    uint16_t early = mlog_ports_lookup(dp, 1);
    cr_assert_eq(mlog_ports_ofp(early), 5);
    cr_assert_str_eq(mlog_ports_bridge(early), "br0");

    mlog_ports_add(dp, 2, "late");
    uint16_t late = mlog_ports_lookup(dp, 2);
    cr_assert_eq(mlog_ports_ofp(late), MLOG_OFP_PORT_NONE);
    cr_assert_null(mlog_ports_bridge(late));
    mlog_ports_set_ofp(dp, "late", "br1", 6);
    cr_assert_eq(mlog_ports_ofp(late), 6);
    cr_assert_str_eq(mlog_ports_bridge(late), "br1");
    mlog_ports_set_ofp(dp, "late", "br2", 7);
    cr_assert_eq(mlog_ports_ofp(late), 7);
    cr_assert_str_eq(mlog_ports_bridge(late), "br2");

    /* Back under another datapath port number: a new identifier. */
    mlog_ports_del(dp, 2);
    mlog_ports_add(dp, 9, "late");
    cr_assert_neq(mlog_ports_lookup(dp, 9), late);
    cr_assert_eq(mlog_ports_ofp(mlog_ports_lookup(dp, 9)), 7);
}

Test(ports, unknown_identifiers)
{
    static const uint16_t ids[] = { 0, 1, 1000, MLOG_PORT_NONE - 1,
                                    MLOG_PORT_NONE };

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        cr_assert_null(mlog_ports_name(ids[i]));
        cr_assert_null(mlog_ports_bridge(ids[i]));
        cr_assert_eq(mlog_ports_ofp(ids[i]), MLOG_OFP_PORT_NONE);
        cr_assert_eq(mlog_ports_odp(ids[i]), MLOG_OFP_PORT_NONE);
        cr_assert(!mlog_ports_is_alive(ids[i]));
    }
    mlog_ports_del(0, 1);
    cr_assert_eq(mlog_ports_lookup(0, 1), MLOG_PORT_NONE);
}

/* Numbers that no datapath gives do no harm. */
Test(ports, datapath_port_numbers)
{
    unsigned int dp = mlog_ports_datapath("dp");

    mlog_ports_add(dp, 0, "first");
    mlog_ports_add(dp, 65535, "last");
    mlog_ports_add(dp, 65536, "beyond");
    mlog_ports_add(dp, UINT32_MAX, "none");
    cr_assert_eq(mlog_ports_count(), 2);
    cr_assert_str_eq(mlog_ports_name(mlog_ports_lookup(dp, 0)), "first");
    cr_assert_str_eq(mlog_ports_name(mlog_ports_lookup(dp, 65535)), "last");
    cr_assert_eq(mlog_ports_lookup(dp, 1), MLOG_PORT_NONE);
    cr_assert_eq(mlog_ports_lookup(dp, 65536), MLOG_PORT_NONE);
    cr_assert_eq(mlog_ports_lookup(dp, UINT32_MAX), MLOG_PORT_NONE);
    mlog_ports_del(dp, 65536);
}

/* Readers never see a port that is half made. */

#define N_PORTS 3000

static void *
reader(void *dp_)
{
    unsigned int *dp = dp_;
    size_t n;

    do {
        n = mlog_ports_count();
        for (uint32_t i = 0; i < N_PORTS; i += 7) {
            uint16_t id = mlog_ports_lookup(*dp, i);

            if (id != MLOG_PORT_NONE) {
                cr_assert(mlog_ports_name(id));
                cr_assert_eq(mlog_ports_odp(id), i);
            }
        }
        for (size_t i = 0; i < n; i++) {
            cr_assert(mlog_ports_name(i));
        }
    } while (n < N_PORTS);
    return NULL;
}

Test(ports, readers_and_a_writer)
{
    unsigned int dp = mlog_ports_datapath("dp");
    pthread_t threads[2];

    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        threads[i] = ovs_thread_create("reader", reader, &dp);
    }
    for (uint32_t i = 0; i < N_PORTS; i++) {
        char name[32];

        snprintf(name, sizeof name, "port%"PRIu32, i);
        mlog_ports_add(dp, i, name);
        if (i % 3 == 0) {
            mlog_ports_del(dp, i);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        xpthread_join(threads[i], NULL);
    }
}
