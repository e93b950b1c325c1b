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

#ifndef MLOG_DIGEST_PRIVATE_H
#define MLOG_DIGEST_PRIVATE_H 1

/* Private to
 *
 *   mlog-digest.c          passes and cuts
 *   mlog-digest-records.c  what is done with records, on one thread or more */

#include <sched.h>

#include "mlog-capture.h"
#include "mlog-clock.h"
#include "mlog-digest.h"
#include "mlog-state.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"

struct mlog_digest {
    struct mlog_state *state;
    struct mlog_capture *capture;
    struct mlog_flow_table *flows;
    struct mlog_header_log *log;
    struct mlog_stream *stream;

    pthread_t thread;
    int wake_fd;                /* eventfd: 'exit' is set. */
    atomic_bool exit;
    atomic_bool discard;
    atomic_bool quiet;

    /* Guarded by 'pass_mutex': whoever makes the pass. */
    struct mlog_clock clock;
    uint64_t cut;               /* Ticks: the latest pass's. */
    uint64_t time;              /* The latest record's or cut's time, ns. */
    uint64_t next_adjust;       /* ns. */
    struct mlog_ring **rings;
    size_t n_rings;
    struct group *groups;       /* One, or GROUP_SLOTS with 'lanes'. */
    struct group *group;        /* That is being filled. */
    struct mlog_lanes *lanes;   /* NULL: one thread does all. */
    cpu_set_t default_cpus;     /* Where threads run... */
    cpu_set_t cpus;             /* ...unless bound to these. */

    /* Held during a pass. */
    struct ovs_mutex pass_mutex;
    atomic_count n_waiting;     /* Threads that want 'pass_mutex'. */

    struct ovs_mutex mutex;
    struct mlog_digest_stats stats OVS_GUARDED;
    uint64_t former_cpu_ns OVS_GUARDED;     /* Of threads that are gone. */
};

/* The pass's thread. */

/* Converts to nanoseconds, never going back. */
uint64_t mlog_digest_advance_time__(struct mlog_digest *, uint64_t ticks);

void mlog_digest_add_loss__(struct mlog_digest *, enum mlog_loss,
                            uint64_t from, uint64_t to, uint64_t count);

/* Takes a batch that mlog_ring_peek() has returned out of 'ring'.  Its records
 * are digested when mlog_digest_end_groups__() has returned, but for the
 * stream, which is when mlog_digest_tick__() has. */
void mlog_digest_batch__(struct mlog_digest *, struct mlog_ring *,
                         const struct mlog_batch_slot *);
void mlog_digest_end_groups__(struct mlog_digest *);

/* A tick of the stream at 'time', ns. */
void mlog_digest_tick__(struct mlog_digest *, uint64_t time);

/* Sets up what 'n' threads need, and frees it; between passes. */
void mlog_digest_start_lanes__(struct mlog_digest *, unsigned int n);
void mlog_digest_stop_lanes__(struct mlog_digest *);

#endif /* mlog-digest-private.h */
