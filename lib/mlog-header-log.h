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
 * threads.  The log is a list of segments of MLOG_SEGMENT_ROWS rows: the
 * newest is open, the others are sealed and don't change any more.  When the
 * log outgrows its budget, the oldest segment expires; its rows are counted,
 * with their time range.
 *
 *   segment:  rows[0 .. n_rows)     struct mlog_row, time ascending
 *             flows[0 .. n_flows)   indexes of the distinct flows of 'rows'
 *
 * Readers
 * =======
 *
 * A reader takes a snapshot: it pins the segments that exist and fixes how
 * many rows of each it sees (for sealed segments all).  What the snapshot
 * covers neither moves nor changes nor goes away until it is released, and
 * the flows that its rows name stay in the flow table.  Expired segments that
 * are pinned keep their memory until then.
 *
 * Thread-safety
 * =============
 *
 * One digest thread appends.  Any thread may take and release snapshots and
 * read statistics at the same time: taking one is a short critical section,
 * reading it needs no lock. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-record.h"
#include "ovs-atomic.h"

struct mlog_flow_table;
struct ds;

#define MLOG_SEGMENT_ROWS (UINT32_C(1) << 18)

struct mlog_segment {
    uint64_t base_time;         /* Rows' times count from here, ns. */
    uint64_t first_row;         /* Rows in all the segments before. */
    uint32_t seq;               /* Sequence number, from 1. */
    atomic_uint32_t n_rows;     /* Release: digest thread; acquire: readers. */
    atomic_uint32_t n_flows;    /* Stored before 'n_rows'. */
    struct mlog_row *rows;
    uint32_t *flows;

    /* Owned by the log. */
    struct mlog_segment *next;  /* Newer one. */
    unsigned int n_pins;
};

/* Records that the datapath threads could not hand over, because their ring
 * was full: 'count' of them, all of times in [from, to], ns. */
struct mlog_gap {
    uint64_t from;
    uint64_t to;
    uint64_t count;
};

struct mlog_snapshot_segment {
    const struct mlog_segment *segment;
    uint32_t n_rows;
    uint32_t n_flows;
};

struct mlog_snapshot {
    const struct mlog_header_log *log;
    const struct mlog_flow_table *flows;
    uint64_t cut;                   /* Every record up to this time, ns. */
    struct mlog_snapshot_segment *segments;     /* Oldest first. */
    size_t n_segments;
    struct mlog_gap *gaps;          /* Oldest first. */
    size_t n_gaps;
    uint64_t n_expired;             /* Rows that expired, ever... */
    uint64_t expired_until;         /* ...the newest of them, ns. */
};

struct mlog_header_log *mlog_header_log_create(struct mlog_flow_table *,
                                               size_t budget);
void mlog_header_log_destroy(struct mlog_header_log *);

/* Digest thread only.
 *
 * mlog_header_log_append() returns the place for one more row, for a packet
 * of 'time' (no earlier than the last one's) and the flow with 'index'; the
 * caller fills it in, all but 'time_port', whose time part it takes from
 * '*ns_after_base'.  What was appended becomes visible to new snapshots with
 * mlog_header_log_publish(), which also states that everything up to 'time'
 * is there. */
struct mlog_row *mlog_header_log_append(struct mlog_header_log *,
                                        uint64_t time, uint32_t flow_index,
                                        uint64_t *ns_after_base);
void mlog_header_log_publish(struct mlog_header_log *, uint64_t time);
void mlog_header_log_add_gap(struct mlog_header_log *,
                             const struct mlog_gap *);

/* Frees what expired and is no longer pinned. */
void mlog_header_log_reclaim(struct mlog_header_log *);

/* Any thread. */
void mlog_header_log_set_budget(struct mlog_header_log *, size_t bytes);
void mlog_snapshot_take(struct mlog_header_log *, struct mlog_snapshot *);
void mlog_snapshot_release(struct mlog_snapshot *);

/* Sums the gaps of 'snapshot' that touch [since, until]. */
uint64_t mlog_snapshot_gaps(const struct mlog_snapshot *, uint64_t since,
                            uint64_t until);

/* Sets '*start' and '*end' to the range of rows of segment 'i' whose time is
 * within [since, until].  O(log n). */
void mlog_snapshot_range(const struct mlog_snapshot *, size_t i,
                         uint64_t since, uint64_t until,
                         uint32_t *start, uint32_t *end);

struct mlog_header_log_stats {
    uint64_t n_rows;            /* Held now. */
    uint64_t n_appended;        /* Ever. */
    uint64_t n_expired;
    uint64_t expired_until;     /* ns; 0 if none did. */
    uint64_t n_lost;            /* In gaps, ever. */
    uint64_t oldest, newest;    /* Times of rows held, ns; 0 if none. */
    uint64_t published;         /* Everything up to here is visible, ns. */
    size_t n_segments;
    size_t budget;
    size_t memory;              /* Segments, in bytes. */
};
void mlog_header_log_get_stats(const struct mlog_header_log *,
                               struct mlog_header_log_stats *);

#endif /* mlog-header-log.h */
