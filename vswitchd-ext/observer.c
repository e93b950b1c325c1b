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

#include "observer.h"

#include <sched.h>

#include "dp-observer.h"
#include "dp-packet.h"
#include "dpif-netdev.h"
#include "dpif.h"
#include "mlog-capture.h"
#include "mlog-drop.h"
#include "mlog-ports.h"
#include "multilog.h"
#include "netdev.h"
#include "openvswitch/thread.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"

VLOG_DEFINE_THIS_MODULE(multilog_observer);

BUILD_ASSERT_DECL((int) MLOG_DROP_METER == (int) DP_DROP_METER);
BUILD_ASSERT_DECL((int) MLOG_DROP_RX_INVALID_PACKET
                  == (int) DP_DROP_RX_INVALID_PACKET);
BUILD_ASSERT_DECL((int) MLOG_DROP_NO_OUTPUT == (int) DP_DROP_NO_OUTPUT);
BUILD_ASSERT_DECL((int) MLOG_DROP_ACTION == (int) DP_DROP_ACTION);

static struct multilog *multilog;
static atomic_count ports_seq;

/* How many datapath threads poll on each core.  They come and go in several
 * threads. */
static atomic_count pmds[CPU_SETSIZE];
static atomic_count cores_seq;

/* The ring for packets that are dropped outside of datapath threads, by
 * actions that ovs-vswitchd executes itself.  Any thread may do that; it is
 * rare, so the ring is made when the first one does. */
static struct ovs_mutex elsewhere_mutex = OVS_MUTEX_INITIALIZER;
static struct mlog_ring *elsewhere OVS_GUARDED_BY(elsewhere_mutex);

static void
count_pmd(unsigned int core_id, bool added)
{
    if (core_id < ARRAY_SIZE(pmds)) {
        if (added) {
            atomic_count_inc(&pmds[core_id]);
        } else {
            atomic_count_dec(&pmds[core_id]);
        }
        atomic_count_inc(&cores_seq);
    }
}

static void *
thread_create(const char *dp_name, unsigned int core_id)
{
    unsigned int dp = mlog_ports_datapath(dp_name);
    char name[32];

    if (dp >= MLOG_MAX_DATAPATHS) {
        VLOG_ERR("%s: there are already %d datapaths; the packets of this "
                 "one will not be recorded", dp_name, MLOG_MAX_DATAPATHS);
        return NULL;
    }
    if (core_id == NON_PMD_CORE_ID) {
        snprintf(name, sizeof name, "main");
    } else {
        snprintf(name, sizeof name, "pmd-c%02u", core_id);
    }

    struct mlog_ring *ring = mlog_capture_create_ring(&multilog->capture,
                                                      name, dp, core_id);
    multilog_update_budget(multilog);
    if (ring) {
        count_pmd(core_id, true);
    }
    return ring;
}

static void
thread_destroy(void *ring_)
{
    struct mlog_ring *ring = ring_;

    count_pmd(ring->core_id, false);
    mlog_capture_retire_ring(ring);
}

/* Records of a port that had the number of a new one are digested first, so
 * that they don't take the new one's name. */
static void
port_changed(const char *dp_name, odp_port_t port_no, const char *name,
             bool added)
{
    unsigned int dp = mlog_ports_datapath(dp_name);

    if (dp < MLOG_MAX_DATAPATHS) {
        if (added) {
            if (mlog_ports_lookup(dp, odp_to_u32(port_no))
                != MLOG_PORT_NONE) {
                mlog_digest_drain(multilog->digest);
            }
            mlog_ports_add(dp, odp_to_u32(port_no), name);
        } else {
            mlog_ports_del(dp, odp_to_u32(port_no));
        }
        atomic_count_inc(&ports_seq);
    }
}

/* Datapath port numbers fit: dpif-netdev chooses them below 65535, and
 * ODPP_NONE becomes UINT16_MAX. */
static inline uint16_t
port_number(odp_port_t port)
{
    return MIN(odp_to_u32(port), UINT16_MAX);
}

static inline struct mlog_capture_packet
describe(const struct dp_packet *packet, odp_port_t in_port)
{
    return (struct mlog_capture_packet) {
        .data = dp_packet_data(packet),
        .size = dp_packet_size(packet),
        .in_port = port_number(in_port),
        .l4_ofs = packet->l4_ofs,
    };
}

/* The hot path. */
static void
output(void *ring, const struct dp_packet_batch *batch,
       const odp_port_t in_ports[], odp_port_t out_port)
{
    struct mlog_capture_packet packets[NETDEV_MAX_BURST];
    struct dp_packet *packet;
    size_t n = 0;

    if (OVS_UNLIKELY(!ring)) {
        return;
    }
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        packets[n++] = describe(packet, in_ports[i]);
        if (OVS_UNLIKELY(n == ARRAY_SIZE(packets))) {
            mlog_capture_batch(ring, packets, n, port_number(out_port), 0);
            n = 0;
        }
    }
    if (OVS_LIKELY(n)) {
        mlog_capture_batch(ring, packets, n, port_number(out_port), 0);
    }
}

/* A packet that has no Ethernet header, as some from a tunnel, gets one of
 * zeros and its type, since the log takes all packets for Ethernet. */
static void
drop_without_ethernet(struct mlog_ring *ring, const struct dp_packet *packet,
                      uint32_t reason)
{
    uint8_t bytes[MLOG_PACKET_BYTES_MAX] = { 0 };
    struct mlog_capture_packet p = describe(packet,
                                            packet->md.in_port.odp_port);
    ovs_be16 type = pt_ns_type_be(packet->packet_type);

    memcpy(&bytes[ETH_HEADER_LEN - sizeof type], &type, sizeof type);
    memcpy(&bytes[ETH_HEADER_LEN], p.data,
           MIN(p.size, sizeof bytes - ETH_HEADER_LEN));
    p.data = bytes;
    p.size += ETH_HEADER_LEN;
    if (p.l4_ofs != MLOG_NO_OFFSET) {
        p.l4_ofs += ETH_HEADER_LEN;
    }
    mlog_capture_batch(ring, &p, 1, UINT16_MAX, reason);
}

static void
drop_on_ring(struct mlog_ring *ring, const struct dp_packet_batch *batch,
             uint32_t reason)
{
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        if (OVS_LIKELY(packet->packet_type == htonl(PT_ETH))) {
            const struct mlog_capture_packet p
                = describe(packet, packet->md.in_port.odp_port);

            mlog_capture_batch(ring, &p, 1, UINT16_MAX, reason);
        } else {
            drop_without_ethernet(ring, packet, reason);
        }
    }
}

static void
drop(void *ring, const struct dp_packet_batch *batch, uint32_t reason)
{
    if (OVS_LIKELY(ring)) {
        drop_on_ring(ring, batch, reason);
        return;
    }

    ovs_mutex_lock(&elsewhere_mutex);
    if (!elsewhere) {
        elsewhere = mlog_capture_create_ring(&multilog->capture, "elsewhere",
                                             0, NON_PMD_CORE_ID);
    }
    if (elsewhere) {
        drop_on_ring(elsewhere, batch, reason);
    }
    ovs_mutex_unlock(&elsewhere_mutex);
}

static void
drop_unseen(void *ring, size_t n, uint32_t reason)
{
    if (ring) {
        mlog_capture_unseen(ring, n, reason);
    }
}

#define OBSERVER_BASE                           \
    .thread_create = thread_create,             \
    .thread_destroy = thread_destroy,           \
    .port = port_changed

static const struct dp_observer observer_off = { OBSERVER_BASE };

static const struct dp_observer observer_on = {
    OBSERVER_BASE,
    .output = output,
    .drop = drop,
    .drop_unseen = drop_unseen,
};

void
observer_init(struct multilog *ml)
{
    multilog = ml;
    atomic_count_init(&ports_seq, 0);
    dp_observer_set(&observer_off);
}

void
observer_set_capture(bool on)
{
    dp_observer_set(on ? &observer_on : &observer_off);
    if (!on) {
        /* The caller is a worker, which is quiescent otherwise. */
        ovsrcu_synchronize();
        ovsrcu_quiesce_start();
    }
}

void
observer_exit(void)
{
    /* Datapaths that ended a moment ago destroy their threads when a grace
     * period has passed, maybe after the rings are gone: not with us. */
    dp_observer_set(NULL);
    ovsrcu_synchronize();
    ovs_mutex_lock(&elsewhere_mutex);
    mlog_capture_retire_ring(elsewhere);
    elsewhere = NULL;
    ovs_mutex_unlock(&elsewhere_mutex);
}

bool
observer_is_pmd_core(unsigned int core_id)
{
    return core_id < ARRAY_SIZE(pmds) && atomic_count_get(&pmds[core_id]);
}

unsigned int
observer_cores_seq(void)
{
    return atomic_count_get(&cores_seq);
}

unsigned int
observer_ports_seq(void)
{
    return atomic_count_get(&ports_seq);
}
