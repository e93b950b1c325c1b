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

#ifndef MLOG_DIGEST_H
#define MLOG_DIGEST_H 1

/* The digest
 * ==========
 *
 * A thread that turns capture slots into flows, header-log rows, filter
 * counters and aggregates, and evaluates triggers once per tick.
 *
 * It works in passes.  A pass fixes a cut T, takes from every capture ring
 * exactly the records with time <= T, in order of time, and publishes them
 * all at once.  So the header log is ordered by time, and what a reader sees
 * (rows, flows, filters, aggregates, alerts) belongs to one T.
 *
 * The thread makes a pass per tick.  Who wants a cut between ticks makes a
 * pass, too, in its own thread; passes exclude each other.
 *
 * With several threads, whoever makes the pass parses records, looks flows up
 * and appends rows, in order; the other threads work on filters and
 * aggregates, a part of which each *lane* (mlog-lanes.h) has.  All of that is
 * done before triggers are evaluated and the cut is published, so that the
 * guarantees are the same.
 *
 * Guarantees, cited by tests:
 *
 *   G8  When a pass publishes its cut T, every record of every ring with time
 *       <= T has been digested or counted as lost, whenever rings came and
 *       went.
 *   G12 Between mlog_digest_lock() and mlog_digest_unlock(), filters,
 *       aggregates and alerts are those of exactly the records with time up to
 *       the cut, as is a snapshot that is taken meanwhile.
 *
 * Thread-safety
 * =============
 *
 * All functions but create and destroy may be called from any thread except
 * the digest's own.  mlog_digest_cut() and mlog_digest_lock() may block for
 * about a pass (milliseconds), so they are not for datapath threads and not
 * for a daemon's main loop. */

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "mlog-lanes.h"

struct mlog_capture;
struct mlog_state;
struct mlog_flow_table;
struct mlog_header_log;
struct mlog_snapshot;
struct mlog_stream;

/* What a digest works on.  If 'state' has a commit of an earlier process, the
 * others have been recovered from it, and records that were in rings then are
 * digested first. */
struct mlog_digest_parts {
    struct mlog_state *state;
    struct mlog_capture *capture;
    struct mlog_flow_table *flows;
    struct mlog_header_log *log;
    struct mlog_stream *stream;
};

struct mlog_digest *mlog_digest_create(const struct mlog_digest_parts *);
void mlog_digest_destroy(struct mlog_digest *);

/* Takes a snapshot of the header log at a cut that is no earlier than this
 * call: everything that a datapath thread published before the call is in it.
 * Returns 0, or ETIMEDOUT if a datapath thread stayed within one batch for a
 * second (it was stopped by a debugger, say); the snapshot is then one of the
 * latest pass.  Either way the caller must release it. */
int mlog_digest_cut(struct mlog_digest *, struct mlog_snapshot *);

/* Waits until everything that was published before the call is digested, or
 * a second has passed. */
void mlog_digest_drain(struct mlog_digest *);

/* Waits for a cut as mlog_digest_cut() and keeps the digest from starting
 * another pass until mlog_digest_unlock().  What belongs to the digest (the
 * stream) may be read and changed in between.  Returns the cut's time, ns. */
uint64_t mlog_digest_lock(struct mlog_digest *);
void mlog_digest_unlock(struct mlog_digest *);

/* With 'quiet' there is no writer: capture is off and whoever wrote has
 * quiesced.  Passes then don't disturb datapath threads. */
void mlog_digest_set_quiet(struct mlog_digest *, bool quiet);

/* With 'discard', records are taken from the rings and thrown away, and count
 * as lost: to find out what capture costs alone. */
void mlog_digest_set_discard(struct mlog_digest *, bool discard);
bool mlog_digest_is_discarding(const struct mlog_digest *);

struct mlog_digest_stats {
    uint64_t n_records;
    uint64_t n_passes;
    uint64_t cpu_ns;            /* Processor time, of all threads. */
    uint64_t longest_pass_ns;
    uint64_t n_late_ticks;      /* Passes that began over a tick late. */

    /* Threads as they are since the last mlog_digest_set_threads(): how long
     * ago it was, and their processor time since then.  The first makes the
     * passes; when others do it, that counts as its. */
    unsigned int n_threads;
    uint64_t threads_ns;
    uint64_t thread_cpu_ns[MLOG_LANES_MAX];
};
void mlog_digest_get_stats(struct mlog_digest *, struct mlog_digest_stats *);

/* Divides the work among 'n' threads, up to MLOG_LANES_MAX, from the next
 * pass on; at first there is one. */
void mlog_digest_set_threads(struct mlog_digest *, unsigned int n);

/* Lets the digest's threads run on 'cpus' only; NULL: as at first.  Who makes
 * a pass for a cut of its own runs where it runs.  Returns 0, or EINVAL, after
 * which nothing has changed, if none of 'cpus' can be used. */
int mlog_digest_set_cpus(struct mlog_digest *, const cpu_set_t *cpus);

/* Where the digest's threads run if nothing was set. */
void mlog_digest_get_usable_cpus(const struct mlog_digest *, cpu_set_t *);

#endif /* mlog-digest.h */
