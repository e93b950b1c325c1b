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

#ifndef MLOG_DROP_H
#define MLOG_DROP_H 1

/* Why a datapath dropped a packet
 * ===============================
 *
 * The numbers are those of the datapath observer's 'enum dp_drop_reason'.
 * The names are those of the coverage counters of ovs-vswitchd, without the
 * "datapath_drop_" that most of them start with.
 *
 * Thread-safety: all of this is constant. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mlog_drop {
    MLOG_DROP_NONE = 0,         /* The packet was forwarded. */
    MLOG_DROP_METER,
    MLOG_DROP_UPCALL_ERROR,
    MLOG_DROP_LOCK_ERROR,
    MLOG_DROP_USERSPACE_ACTION_ERROR,
    MLOG_DROP_TUNNEL_PUSH_ERROR,
    MLOG_DROP_TUNNEL_POP_ERROR,
    MLOG_DROP_RECIRC_ERROR,
    MLOG_DROP_INVALID_PORT,
    MLOG_DROP_INVALID_BOND,
    MLOG_DROP_INVALID_TNL_PORT,
    MLOG_DROP_RX_INVALID_PACKET,
    MLOG_DROP_HW_MISS_RECOVER,
    MLOG_DROP_SAMPLE_ERROR,
    MLOG_DROP_NSH_DECAP_ERROR,
    MLOG_DROP_NO_OUTPUT,        /* The actions ended without an output. */
    MLOG_DROP_ACTION = 32,      /* Plus an 'enum xlate_error' of OVS. */
};

/* One past the highest number with a name. */
#define MLOG_N_DROPS (MLOG_DROP_ACTION + 12)

/* Returns the name of 'reason', or NULL if it has none (then print the
 * number).  MLOG_DROP_NONE has none. */
const char *mlog_drop_name(uint32_t reason);

/* Returns the name of the coverage counter for 'reason', or NULL if
 * ovs-vswitchd has none for it. */
const char *mlog_drop_counter(uint32_t reason);

/* Returns one sentence on 'reason', or NULL if it has no name. */
const char *mlog_drop_doc(uint32_t reason);

/* Finds the reason called 'name', which may be the name of its counter too.
 * Returns true and stores it in '*reason' if there is one. */
bool mlog_drop_from_name(const char *name, uint32_t *reason);

/* Returns the name that 'name' may have been meant to be, or NULL. */
const char *mlog_drop_suggest(const char *name);

#endif /* mlog-drop.h */
