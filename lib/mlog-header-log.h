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

#ifndef MLOG_HEADER_LOG_H
#define MLOG_HEADER_LOG_H 1

/* The header log
 * ==============
 *
 * One row per record, oldest first, in order of time across all datapath
 * threads.  The log is a list of segments of at most MLOG_SEGMENT_ROWS rows:
 *
 *   open      the newest, to which the digest appends; rows as they are
 *   full      doesn't change any more, waits to be sealed; rows as they are
 *   sealed    compressed columns, zone maps and postings: mlog-sealed.h
 *
 * A row names its flow by a *local* number, the position of the flow in the
 * segment's list of its distinct flows; the list has their indexes in the flow
 * table.  When the log outgrows its budget, the oldest segment expires; its
 * rows are counted, with their time range.
 *
 * Readers
 * =======
 *
 * A reader takes a snapshot: it pins the segments that exist and fixes how
 * many rows of each it sees (for full and sealed segments all).  What the
 * snapshot covers neither moves nor changes nor goes away until it is
 * released, and the flows that its rows name stay in the flow table.
 *
 * There is a bound to this: an expired segment that has been pinned for
 * longer than MLOG_PIN_BOUND_NS is taken away from its readers.  So whoever
 * looks at a segment brackets that with mlog_snapshot_enter(), which may say
 * that the segment has expired, and mlog_snapshot_leave().
 *
 * Survival
 * ========
 *
 * Segments are files of a store (mlog-store.h).  What is in them up to the
 * latest commit (mlog-state.h) is there again after
 * mlog_header_log_recover().
 *
 * Guarantees, cited by tests:
 *
 *   G5  A snapshot at cut T has exactly the rows with time <= T that have not
 *       expired, in order of time.
 *   G6  What a snapshot covers doesn't change, and the flows of its rows stay,
 *       while a reader has entered the segment.
 *   G7  Sealing changes neither rows nor their order nor their flows.
 *   G11 The list of flows of a segment in a snapshot has the flow of each of
 *       the snapshot's rows in it.
 *
 * Thread-safety
 * =============
 *
 * One digest thread appends, commits and reclaims.  One thread seals.  Any
 * thread may take and release snapshots and read statistics at the same time:
 * taking one is a short critical section, reading it needs no lock. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-record.h"
#include "mlog-sealed.h"
#include "mlog-state.h"
#include "openvswitch/list.h"
#include "ovs-atomic.h"

struct mlog_archive_list;
struct mlog_flow_table;
struct mlog_store;

#define MLOG_SEGMENT_ROWS (UINT32_C(1) << 18)
#define MLOG_PIN_BOUND_NS UINT64_C(10000000000)

struct mlog_segment {
    uint64_t base_time;         /* Rows' times count from here, ns. */
    uint64_t first_row;         /* Rows in all the segments before. */
    uint32_t seq;               /* Sequence number, from 1. */
    atomic_uint32_t n_rows;     /* Release: digest thread; acquire: readers. */
    atomic_uint32_t n_flows;    /* Stored before 'n_rows'. */
    struct mlog_row *rows;      /* NULL if sealed. */
    const struct mlog_sealed *sealed;   /* NULL if not sealed. */
    uint32_t *flows;            /* Indexes in the flow table; NULL if... */
    const struct mlog_flow_key *keys;   /* ...loaded from the archive. */
};

struct mlog_snapshot_segment {
    const struct mlog_segment *segment;
    uint32_t n_rows;
    uint32_t n_flows;
    atomic_uint32_t n_readers;  /* That have entered. */
    atomic_bool revoked;        /* 'segment' must not be looked at. */
};

struct mlog_snapshot {
    struct mlog_header_log *log;
    const struct mlog_flow_table *flows;
    uint64_t cut;                   /* Every record up to this time, ns. */
    struct mlog_snapshot_segment *segments;     /* Oldest first. */
    size_t n_segments;
    struct mlog_gap *gaps;          /* Oldest first. */
    size_t n_gaps;
    uint64_t n_expired;             /* Rows that expired, ever... */
    uint64_t expired_until;         /* ...the newest of them, ns. */
    uint64_t oldest_row;            /* Rows before the oldest segment. */
    struct ovs_list node;           /* In the log. */

    /* What was archived, and is older than the oldest segment; see
     * multilog_snapshot_take(). */
    struct mlog_archive_list *archive;  /* Or NULL. */
    const char *archive_life;
};

/* Keeps flows in 'flows' and segments in 'store'. */
struct mlog_header_log *mlog_header_log_create(struct mlog_flow_table *flows,
                                               struct mlog_store *store,
                                               size_t budget);
void mlog_header_log_destroy(struct mlog_header_log *);

/* Takes up what an earlier process had committed, before anything else is
 * done with the log or the flow table.  Segments that are damaged or missing
 * are left out, and their rows counted as lost.  Returns the number of rows
 * that are there. */
uint64_t mlog_header_log_recover(struct mlog_header_log *,
                                 const struct mlog_commit *);

/* Digest thread only.
 *
 * mlog_header_log_append() appends a row for a packet of 'time' (no earlier
 * than the last one's) and the flow with 'index', and returns it for the
 * caller to fill in, all but 'time_port', whose time part it takes from
 * '*ns_after_base', and 'flow'; NULL if there is no memory.
 *
 * What was appended becomes visible to new snapshots with
 * mlog_header_log_publish(), which also states that everything up to 'time'
 * is there.
 *
 * mlog_header_log_fill_commit() says in a commit what it covers.  After the
 * commit mlog_header_log_committed() frees what expired before it and is no
 * longer pinned. */
struct mlog_row *mlog_header_log_append(struct mlog_header_log *,
                                        uint64_t time, uint32_t flow_index,
                                        uint64_t *ns_after_base,
                                        uint32_t *local);
void mlog_header_log_publish(struct mlog_header_log *, uint64_t time);

/* Lets the open segment, if there is one, be full with the rows that it
 * has. */
void mlog_header_log_close_segment(struct mlog_header_log *);
void mlog_header_log_add_gap(struct mlog_header_log *,
                             const struct mlog_gap *);
void mlog_header_log_fill_commit(struct mlog_header_log *,
                                 struct mlog_commit *);
void mlog_header_log_committed(struct mlog_header_log *,
                               const struct mlog_commit *);

/* Sealing thread only: seals the oldest full segment.  Returns false if there
 * is none. */
bool mlog_header_log_seal(struct mlog_header_log *);

/* Archiving thread only.
 *
 * With 'archiving', a segment that expires without having been archived is
 * lost, for that reason.  mlog_header_log_next_to_archive() returns the oldest
 * sealed segment that isn't archived, pinned, or NULL.  It has to be given
 * back with mlog_header_log_archived(), which returns false if it has expired
 * meanwhile; 'archived' says whether it is in the archive now.
 *
 * mlog_header_log_is_expired() says whether it has expired yet.
 *
 * mlog_header_log_mark_archived() is for a segment that an earlier process has
 * archived: 'archived' tells by the segment's 'first_row'.
 *
 * mlog_header_log_dropped() says that 'n' records that only the archive had
 * were dropped there, up to 'until', ns. */
void mlog_header_log_set_archiving(struct mlog_header_log *, bool archiving);
const struct mlog_segment *mlog_header_log_next_to_archive(
    struct mlog_header_log *);
bool mlog_header_log_is_expired(struct mlog_header_log *,
                                const struct mlog_segment *);
bool mlog_header_log_archived(struct mlog_header_log *,
                              const struct mlog_segment *, bool archived);
void mlog_header_log_mark_archived(struct mlog_header_log *,
                                   bool (*archived)(uint64_t first_row,
                                                    void *aux),
                                   void *aux);
void mlog_header_log_dropped(struct mlog_header_log *, uint64_t n,
                             uint64_t until);

/* Rows in all segments before the oldest one that is held; UINT64_MAX if none
 * is. */
uint64_t mlog_header_log_oldest_row(const struct mlog_header_log *);

/* Any thread. */
const struct mlog_flow_table *mlog_header_log_flows(
    const struct mlog_header_log *);
void mlog_header_log_set_budget(struct mlog_header_log *, size_t bytes);

/* For tests: instead of MLOG_PIN_BOUND_NS. */
void mlog_header_log_set_pin_bound(struct mlog_header_log *, uint64_t ns);

struct mlog_header_log_stats {
    uint64_t n_rows;            /* Held now. */
    uint64_t n_appended;        /* Ever. */
    uint64_t n_expired;
    uint64_t n_archived;        /* Expired here, but archived. */
    uint64_t expired_until;     /* ns; 0 if none did. */
    uint64_t n_lost[MLOG_N_LOSSES];     /* Ever. */
    uint64_t oldest, newest;    /* Times of rows held, ns; 0 if none. */
    uint64_t published;         /* Everything up to here is visible, ns. */
    size_t n_segments;
    size_t n_sealed;
    size_t n_sealed_rows;
    size_t sealed_memory;       /* Bytes, of sealed segments. */
    size_t n_pinned;            /* Segments expired, but still pinned. */
    uint64_t n_revoked;         /* Segments taken from readers, ever. */
    size_t budget;
    size_t memory;              /* Segments, in bytes. */
};
void mlog_header_log_get_stats(const struct mlog_header_log *,
                               struct mlog_header_log_stats *);

/* Copies the gaps that the log remembers, at most MLOG_MAX_GAPS. */
size_t mlog_header_log_get_gaps(const struct mlog_header_log *,
                                struct mlog_gap gaps[MLOG_MAX_GAPS]);

/* Snapshots.  A struct mlog_snapshot stays where it is until it is released:
 * the log has it in a list. */

void mlog_snapshot_take(struct mlog_header_log *, struct mlog_snapshot *);
void mlog_snapshot_release(struct mlog_snapshot *);

/* Sums the gaps of 'snapshot' that touch [since, until]. */
uint64_t mlog_snapshot_gaps(const struct mlog_snapshot *, uint64_t since,
                            uint64_t until);

/* Returns true if nothing was recorded for a part of [since, until] because
 * the process was not running. */
bool mlog_snapshot_has_outage(const struct mlog_snapshot *, uint64_t since,
                              uint64_t until);

/* Whatever is done with segment 'i' must be between mlog_snapshot_enter(),
 * if that returns true, and mlog_snapshot_leave(), and should not take longer
 * than a few milliseconds.  Several threads may enter at once. */
bool mlog_snapshot_enter(const struct mlog_snapshot *, size_t i);
void mlog_snapshot_leave(const struct mlog_snapshot *, size_t i);

/* Sets '*start' and '*end' to the range of rows of segment 'i' whose time is
 * within [since, until].  O(log n). */
void mlog_snapshot_range(const struct mlog_snapshot *, size_t i,
                         uint64_t since, uint64_t until,
                         uint32_t *start, uint32_t *end);

/* The same for the first 'n_rows' rows of a segment. */
void mlog_segment_range(const struct mlog_segment *, uint32_t n_rows,
                        uint64_t since, uint64_t until,
                        uint32_t *start, uint32_t *end);

/* Returns the key of the flow with number 'local' in 'segment'. */
const struct mlog_flow_key *mlog_segment_key(const struct mlog_flow_table *,
                                             const struct mlog_segment *,
                                             uint32_t local);

/* Copies rows 'start' through 'start' + 'n' - 1 of 'segment'. */
void mlog_segment_rows(const struct mlog_segment *, uint32_t start, uint32_t n,
                       struct mlog_row rows[]);

/* Sets 'record' to row 'row' of segment 'i', which is copied to '*storage'. */
void mlog_snapshot_record(const struct mlog_snapshot *, size_t i,
                          uint32_t row, struct mlog_row *storage,
                          struct mlog_record *record);

#endif /* mlog-header-log.h */
