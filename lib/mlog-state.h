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


#ifndef MLOG_STATE_H
#define MLOG_STATE_H 1

/* What is committed
 * =================
 *
 * The digest takes records out of capture rings and appends them to the header
 * log.  For each record to be in exactly one of the two after a crash at any
 * instant, both advance together: at the end of each pass a *commit* says up
 * to where rings are consumed and up to where the log is filled.  What is
 * appended beyond the latest commit is as if it had never been; what is taken
 * from a ring beyond it is taken again.
 *
 *   file "state":
 *
 *     struct mlog_state_header
 *     set                number of the latest settings
 *     settings[2]        settings N are settings[N % 2]
 *     committed          number of the latest commit
 *     commits[2]         commit N is commits[N % 2]
 *
 * A commit is written into the slot that isn't the latest one's.  The store
 * (release) of its number to 'committed' is what makes it the latest.
 *
 * Guarantee, cited by tests:
 *
 *   G9  After the process has ended at any instant, the next one finds every
 *       record that a datapath thread had published (and that is not counted
 *       as expired or lost) exactly once, and no other.
 *
 * Thread-safety
 * =============
 *
 * One thread at a time, the digest, writes commits. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-clock.h"
#include "mlog-store.h"

#define MLOG_MAX_RINGS 512
#define MLOG_MAX_GAPS 256

/* Why a record that was captured is not held. */
enum mlog_loss {
    MLOG_LOSS_RING,             /* The capture ring was full. */
    MLOG_LOSS_MEMORY,           /* No memory for its flow or its row. */
    MLOG_LOSS_DISCARD,          /* Thrown away: "multilog/set digest off". */
    MLOG_LOSS_ARCHIVE,          /* It expired before it could be archived. */
    MLOG_LOSS_RECOVERY,         /* A file was damaged or gone at the start. */
    MLOG_LOSS_OUTAGE,           /* Nothing was recorded: not running. */
    MLOG_N_LOSSES
};

/* "ring_full" and so on. */
const char *mlog_loss_to_string(enum mlog_loss);

/* Records that are missing: 'count' of them, all of times in [from, to], ns.
 * For MLOG_LOSS_OUTAGE there is no count: it is 0. */
struct mlog_gap {
    uint64_t from;
    uint64_t to;
    uint64_t count;
    uint32_t reason;            /* enum mlog_loss. */
    uint32_t reserved;
};

/* Up to where one ring is consumed. */
struct mlog_ring_commit {
    uint32_t slot;              /* In the file "rings". */
    uint32_t id;                /* Of the ring that had the slot. */
    uint64_t head;
    uint64_t n_lost;            /* Losses that are accounted for. */
};

struct mlog_commit {
    uint64_t time;              /* The cut, ns. */

    /* The header log. */
    uint64_t first_row;         /* Of the open segment, or the next one. */
    uint32_t open_seq;          /* Its number... */
    uint32_t n_rows;            /* ...and rows; 0: it isn't there yet. */
    uint32_t n_flows;           /* In it. */
    uint32_t oldest_seq;        /* Oldest segment; older ones expired. */
    uint64_t n_expired;         /* Rows, ever. */
    uint64_t n_archived;        /* Rows that only the archive holds. */
    uint64_t expired_until;     /* ns. */
    uint64_t n_lost[MLOG_N_LOSSES];     /* Records, ever. */
    uint32_t n_gaps;
    uint32_t n_rings;
    struct mlog_gap gaps[MLOG_MAX_GAPS];

    struct mlog_ring_commit rings[MLOG_MAX_RINGS];
    struct mlog_clock clock;
};

/* What "multilog/set" has changed.  Survives as well. */
#define MLOG_MAX_PATH 512
#define MLOG_CPU_WORDS 16
#define MLOG_MAX_HOST 72
struct mlog_settings {
    uint64_t budget;            /* Bytes; 0: default. */
    char archive_dir[MLOG_MAX_PATH];    /* Empty: none. */
    uint64_t archive_max_bytes; /* 0: no limit. */
    uint64_t archive_max_age;   /* ns; 0: no limit. */
    uint64_t digest_threads;    /* 0: default. */
    uint64_t digest_cpus[MLOG_CPU_WORDS];   /* A cpu_set_t; 0: any. */
    char ovsdb[MLOG_MAX_PATH];  /* mlog-database.h; empty: default. */
    char host[MLOG_MAX_HOST];   /* Name of this host; empty: default. */
    char aggregators[MLOG_MAX_PATH];    /* To connect to; empty: none. */
};

struct mlog_state;

/* Opens the state in 'store'.  If there is one from before that can be used,
 * mlog_state_last() is its latest commit, else NULL, and then all files of
 * 'store' that were there are out of the way. */
struct mlog_state *mlog_state_open(struct mlog_store *);
void mlog_state_close(struct mlog_state *);

/* Forgets what was recovered, as if there had been nothing. */
void mlog_state_reset(struct mlog_state *, const char *why);

/* Returns the identifier of what is recorded here since the state was made: a
 * UUID as text. */
const char *mlog_state_life(const struct mlog_state *);

/* Settings, for any thread.  mlog_state_begin_settings() returns a copy to be
 * changed, which mlog_state_end_settings() makes the present ones; other
 * threads that want to change some wait meanwhile. */
struct mlog_settings mlog_state_get_settings(struct mlog_state *);
struct mlog_settings *mlog_state_begin_settings(struct mlog_state *);
void mlog_state_end_settings(struct mlog_state *);

const struct mlog_commit *mlog_state_last(const struct mlog_state *);
struct mlog_store *mlog_state_store(const struct mlog_state *);

/* Returns the commit to be filled in, whose content is undefined. */
struct mlog_commit *mlog_state_begin(struct mlog_state *);
void mlog_state_commit(struct mlog_state *);

#endif /* mlog-state.h */
