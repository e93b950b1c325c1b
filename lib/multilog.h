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

#ifndef MULTILOG_H
#define MULTILOG_H 1

/* The Atomic MultiLog of one process: everything put together.
 *
 *   capture rings -> digest -> flow table, header log, stream -> queries
 *
 * Thread-safety
 * =============
 *
 * multilog_create() and multilog_destroy() are for one thread.  The other
 * functions may be called from any thread; those of struct mlog_digest may
 * block for about a millisecond. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-agent.h"
#include "mlog-archiver.h"
#include "mlog-capture.h"
#include "mlog-config.h"
#include "mlog-digest.h"
#include "mlog-flow-table.h"
#include "mlog-header-log.h"
#include "mlog-preset.h"
#include "mlog-registry.h"
#include "mlog-state.h"
#include "mlog-store.h"
#include "mlog-stream.h"

#define MULTILOG_DEFAULT_BUDGET (UINT64_C(1) << 30)
#define MULTILOG_MIN_BUDGET (UINT64_C(20) << 20)
#define MULTILOG_DEFAULT_RING_SLOTS (1u << 18)

/* What was found of an earlier process. */
struct multilog_recovery {
    bool recovered;
    uint64_t n_records;         /* Held, those still in rings included. */
    uint64_t from_rings;        /* Of these, in rings. */
    uint64_t n_lost;            /* Damaged or missing. */
    size_t n_damaged_rings;     /* Whose records nobody can count. */
    uint64_t outage_from;       /* ns: nothing was recorded from here... */
    uint64_t outage_to;         /* ...to here. */
    uint64_t took;              /* ns. */
};

struct multilog {
    struct mlog_store *store;
    struct mlog_state *state;
    struct multilog_recovery recovery;
    struct mlog_capture capture;
    struct mlog_flow_table *flows;
    struct mlog_header_log *log;
    struct mlog_stream *stream;
    struct mlog_presets *presets;       /* Under mlog_digest_lock(). */
    struct mlog_digest *digest;
    struct mlog_archiver *archiver;
    struct mlog_registry *registry;     /* Of queries. */

    /* What a database wants, and the database; NULL: there can be none. */
    struct mlog_config *config;
    const struct mlog_database *database;

    /* Connections to aggregators; NULL: there can be none. */
    struct mlog_agent *agent;

    /* What runs while commands wait; set to abandon them. */
    atomic_bool cancel;

    /* Starts and stops capture; NULL where there is no datapath. */
    void (*set_capture)(bool on);
    atomic_bool capturing;
    uint64_t started;           /* ns. */
    atomic_uint64_t budget;     /* Bytes, rings included. */
    uint64_t base_captured;     /* By earlier processes. */
};

/* Everything is kept in directory 'dir' (mlog-store.h) and goes on from what
 * an earlier process has left there; NULL: it ends with this process.
 * 'budget', in bytes, is for when none was set by multilog_set_budget() in the
 * life of the store; 'ring_slots' is in slots of 64 bytes per ring. */
struct multilog *multilog_create(const char *dir, size_t budget,
                                 size_t ring_slots);
void multilog_destroy(struct multilog *);

/* Turns capture on or off.  Returns false if there is no datapath. */
bool multilog_set_capture(struct multilog *, bool on);

/* Sets the byte budget for rings, header log and flow table.  Returns false
 * if it is below MULTILOG_MIN_BUDGET plus the rings' memory; then nothing
 * changes. */
bool multilog_set_budget(struct multilog *, uint64_t bytes);

/* Adapts the header log's share of the budget to the rings there are. */
void multilog_update_budget(struct multilog *);

/* How many threads digest, from 1 to MLOG_LANES_MAX, and on which processors;
 * NULL: any.  multilog_set_digest_cpus() returns 0, or EINVAL if none of them
 * can be used; then nothing changes.  multilog_get_digest_cpus() returns false
 * if none were set. */
void multilog_set_digest_threads(struct multilog *, unsigned int n);
int multilog_set_digest_cpus(struct multilog *, const cpu_set_t *);
bool multilog_get_digest_cpus(struct multilog *, cpu_set_t *);

/* The name of this host, for the caller to free: the setting or, if there is
 * none, that of the system. */
char *multilog_get_host(struct multilog *);

/* Lets the agent, if there is one, connect as the settings say. */
void multilog_apply_aggregators(struct multilog *);

/* A snapshot at a cut that is no earlier than this call, what is archived
 * included; see mlog_digest_cut(), also for the result. */
int multilog_snapshot_take(struct multilog *, struct mlog_snapshot *);
void multilog_snapshot_release(struct mlog_snapshot *);

struct multilog_status {
    bool capturing;
    bool tsc;                   /* Times are from the TSC. */
    uint64_t started;           /* ns. */
    uint64_t now;               /* ns. */
    uint64_t budget;            /* Bytes. */
    uint64_t ring_memory;       /* Bytes. */
    uint64_t flow_memory;       /* Bytes. */
    size_t n_flows;
    uint64_t n_captured;        /* Records captured, ever, lost or not. */
    uint64_t n_pending;         /* In rings, not yet digested. */
    uint64_t n_lost;            /* For whatever reason, ever. */
    const char *dir;            /* Or NULL: volatile... */
    const char *problem;        /* ...and why, if it isn't meant to be. */
    struct multilog_recovery recovery;
    struct mlog_gap gaps[MLOG_MAX_GAPS];        /* Oldest first. */
    size_t n_gaps;
    struct mlog_ring_stats *rings;      /* Owned by the caller. */
    size_t n_rings;
    struct mlog_header_log_stats log;
    struct mlog_digest_stats digest;
    struct mlog_archiver_status archiver;
};

/* The caller must free the status with multilog_status_destroy(). */
void multilog_get_status(struct multilog *, struct multilog_status *);
void multilog_status_destroy(struct multilog_status *);

#endif /* multilog.h */
