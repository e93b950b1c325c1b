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


#ifndef DP_OBSERVER_H
#define DP_OBSERVER_H 1

/* An observer of the userspace datapath
 * =====================================
 *
 * An observer is told of every packet that the userspace datapath sends, just
 * before it is sent, and of every packet that it drops.
 *
 * Thread-safety
 * =============
 *
 * 'thread' is what 'thread_create' returned for the datapath thread that
 * makes the call, or NULL outside of a datapath thread.  Calls with the same
 * nonnull 'thread' exclude each other, but they need not come from the same
 * operating system thread: the packets of ports without a thread of their own
 * are processed by whichever thread holds the datapath's lock.
 *
 * The callbacks must not block or call into the datapath.  They must not keep
 * a batch or change its packets. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct dp_packet_batch;

/* Why the datapath dropped a packet.  The numbers are stable. */
enum dp_drop_reason {
    DP_DROP_NONE,               /* Not dropped. */

    /* Same as the coverage counters datapath_drop_*. */
    DP_DROP_METER,
    DP_DROP_UPCALL_ERROR,
    DP_DROP_LOCK_ERROR,
    DP_DROP_USERSPACE_ACTION_ERROR,
    DP_DROP_TUNNEL_PUSH_ERROR,
    DP_DROP_TUNNEL_POP_ERROR,
    DP_DROP_RECIRC_ERROR,
    DP_DROP_INVALID_PORT,
    DP_DROP_INVALID_BOND,
    DP_DROP_INVALID_TNL_PORT,
    DP_DROP_RX_INVALID_PACKET,
    DP_DROP_HW_MISS_RECOVER,
    DP_DROP_SAMPLE_ERROR,
    DP_DROP_NSH_DECAP_ERROR,

    /* The actions ended and none of them had handed the packet on.  Open
     * vSwitch has no counter for it. */
    DP_DROP_NO_OUTPUT,

    /* The drop action, as the coverage counters drop_action_*: its enum
     * xlate_error is added to this. */
    DP_DROP_ACTION = 32,
};

struct dp_observer {
    /* A datapath thread starts.  There is one with a 'core_id' of
     * NON_PMD_CORE_ID in each datapath. */
    void *(*thread_create)(const char *dp_name, unsigned core_id);

    /* A datapath thread has ended, and 'thread' will not be used again.  Not
     * called for a thread that ends while there is no observer. */
    void (*thread_destroy)(void *thread);

    /* A port was added, before packets are received from it, or removed, after
     * the last packet was.  Removal may be told of a port whose addition
     * failed, then after its addition was told. */
    void (*port)(const char *dp_name, odp_port_t, const char *name,
                 bool added);

    /* Packets are about to be sent to 'out_port'.  Each of them, as it will
     * leave, was received from the physical port in 'in_ports', or has the
     * in_port of its metadata there if it was made by Open vSwitch.
     *
     * NULL if there is no interest. */
    void (*output)(void *thread, const struct dp_packet_batch *,
                   const odp_port_t in_ports[], odp_port_t out_port);

    /* Packets are dropped for 'reason'.  Their metadata (in_port) and offsets
     * are valid.  They are those that the counter counts, so if a list of
     * actions goes on after the one that failed, they may still be sent.
     *
     * NULL if there is no interest. */
    void (*drop)(void *thread, const struct dp_packet_batch *,
                 uint32_t reason);

    /* The same for 'n' packets that are gone already.
     *
     * NULL if there is no interest. */
    void (*drop_unseen)(void *thread, size_t n, uint32_t reason);
};

/* Replaces the observer; NULL for none.  The previous one may be in use until
 * a grace period of RCU has passed.  The first one has to be set before the
 * first datapath exists, or there will be threads with a NULL 'thread'. */
void dp_observer_set(const struct dp_observer *);

#endif /* dp-observer.h */
