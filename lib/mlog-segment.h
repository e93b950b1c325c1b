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


#ifndef MLOG_SEGMENT_H
#define MLOG_SEGMENT_H 1

/* Segments as the header log owns them, and as files.  Private to
 * mlog-header-log.c, mlog-segment.c and mlog-snapshot.c.
 *
 *   file "seg-N.raw"     an open or full segment
 *
 *     struct raw_header           one page
 *     rows[MLOG_SEGMENT_ROWS]     struct mlog_row
 *     flows[MLOG_SEGMENT_ROWS]    uint32_t, indexes in the flow table
 *
 *   file "seg-N.sealed"  a sealed segment, complete: it gets that name last
 *
 *     struct sealed_header        64 bytes
 *     image                       see mlog-sealed.h
 *     flows[n_flows]              uint32_t
 *
 * Thread-safety: none; see the callers. */

#include "mlog-header-log.h"
#include "openvswitch/thread.h"

/* A segment in the log. */
struct mlog_log_segment {
    struct mlog_segment public;
    struct mlog_sealed sealed;          /* 'public.sealed' points here. */
    struct mlog_store *store;
    struct mlog_mapping mapping;
    struct mlog_log_segment *next;      /* Newer one. */
    unsigned int n_pins;
    uint64_t expired_at;                /* CLOCK_MONOTONIC, ns. */
    bool expired;
    bool revoked;                       /* Or on the way there. */
    bool archived;

    /* The sealed form of this one, which has taken over its references to
     * flows and is pinned by it. */
    struct mlog_log_segment *successor;
};

uint32_t mlog_segment_n_rows__(const struct mlog_segment *);
uint32_t mlog_segment_n_flows__(const struct mlog_segment *);

/* Time of the last of the first 'n' rows, 'n' > 0. */
uint64_t mlog_segment_last_time__(const struct mlog_segment *, uint32_t n);

/* Makes an empty segment, in the memory of 'spare' if that is not NULL.
 * Returns NULL if there is no memory. */
struct mlog_log_segment *mlog_segment_create__(struct mlog_store *,
                                               struct mlog_log_segment *spare,
                                               uint32_t seq,
                                               uint64_t base_time,
                                               uint64_t first_row);

/* Stores that segment has got all its rows. */
void mlog_segment_finish__(struct mlog_log_segment *);

/* Makes the sealed form of 'full'.  Returns NULL if there is no memory. */
struct mlog_log_segment *
mlog_segment_seal__(const struct mlog_log_segment *full,
                    struct mlog_sealed_builder *);

/* Loads the file of segment 'seq', which must be sealed, or 'n_rows' rows and
 * 'n_flows' flows of it if it is the open one ('open').  Returns NULL if it
 * isn't there or is damaged. */
struct mlog_log_segment *mlog_segment_load__(struct mlog_store *,
                                             uint32_t seq, bool open,
                                             uint32_t n_rows,
                                             uint32_t n_flows);

/* Frees a segment and, with 'remove', its file. */
void mlog_segment_destroy__(struct mlog_log_segment *, bool remove);

/* Keeps the memory of a raw segment for mlog_segment_create__(). */
void mlog_segment_make_spare__(struct mlog_log_segment *);

/* Removes the files of segments that 'commit' doesn't know. */
void mlog_segment_tidy__(struct mlog_store *, const struct mlog_commit *);

/* The log. */
struct mlog_header_log {
    struct mlog_flow_table *flows;
    struct mlog_store *store;

    /* Digest thread. */
    struct mlog_log_segment *open;
    uint32_t n_rows;            /* Appended to 'open', published or not. */
    uint32_t n_flows;
    uint32_t next_seq;          /* Of the segment after 'open'... */
    uint64_t next_row;          /* ...if there is none, its 'first_row'. */

    /* Sealing thread. */
    struct mlog_sealed_builder *builder;

    struct ovs_mutex mutex;
    struct mlog_log_segment *oldest OVS_GUARDED;
    struct mlog_log_segment *newest OVS_GUARDED;    /* 'open', if there is. */
    struct mlog_log_segment *zombies OVS_GUARDED;   /* Wait for their pins. */
    struct mlog_log_segment *spare OVS_GUARDED;     /* Its pages need no
                                                     * zeroing; or NULL. */
    uint32_t committed_open OVS_GUARDED;        /* Of the latest commit. */
    uint32_t committed_oldest OVS_GUARDED;
    struct ovs_list snapshots OVS_GUARDED;
    uint64_t pin_bound OVS_GUARDED;
    bool archiving OVS_GUARDED;
    struct mlog_gap gaps[MLOG_MAX_GAPS] OVS_GUARDED;
    size_t n_gaps OVS_GUARDED;
    struct mlog_header_log_stats stats OVS_GUARDED;
};

#endif /* mlog-segment.h */
