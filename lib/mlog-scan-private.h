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

#ifndef MLOG_SCAN_PRIVATE_H
#define MLOG_SCAN_PRIVATE_H 1

/* Private to mlog-scan*.c.
 *
 *   mlog-scan.c        from segment to segment: which rows to look at
 *   mlog-scan-rows.c   looks at them, a block at a time */

#include "mlog-block-expr.h"
#include "mlog-scan.h"

/* Rows per batch, and, where rows need neither be selected nor decoded, of a
 * larger one. */
#define BATCH_ROWS MLOG_BLOCK_ROWS
#define BATCH_LARGE 16384

enum segment_mode {
    SEGMENT_ALL,                /* Every row matches. */
    SEGMENT_NONE,
    SEGMENT_BY_FLOW,            /* The flow's verdict decides. */
    SEGMENT_MIXED,              /* The program is needed. */
};

/* A position in a scan. */
struct mlog_scan_mark {
    size_t next_file, next_segment;     /* As in struct mlog_scan. */
    uint32_t pos;
};

struct mlog_scan {
    const struct mlog_snapshot *snapshot;
    struct mlog_range range;
    struct mlog_place from, before;     /* If... */
    bool has_from, has_before;          /* ...these. */
    struct mlog_budget budget;
    uint32_t columns;           /* That batches have; a bit each. */
    int error;
    size_t n_expired, n_unreadable;
    struct mlog_scan_mark mark; /* That the scan was rewound to. */
    size_t n_expired_before;    /* ...that. */
    size_t n_unreadable_before;
    struct mlog_scan_stats stats;
    uint64_t n_counted;         /* Rows that the budget knows of... */
    uint64_t memory;            /* ...and bytes... */
    bool no_memory;             /* ...which are too many. */
    long long int started;      /* us. */

    struct mlog_block_expr *program;    /* NULL without an expression. */
    size_t n_ports;             /* When it was made. */
    uint32_t ports_generation;
    uint8_t *verdicts;          /* As mlog_block_expr_flow(), by flow index. */

    /* The archive comes first. */
    size_t next_file;           /* Index in the snapshot's list. */
    struct mlog_archive_data *data;     /* Of the current segment, or NULL. */
    struct mlog_segment loaded;         /* The current segment, then. */
    struct mlog_archive_port_map *ports;

    /* The current segment. */
    size_t next_segment;        /* Its index plus 1... */
    bool entered;               /* ...if this. */
    uint64_t serial;            /* Grows from segment to segment. */
    const struct mlog_segment *segment;
    enum segment_mode mode;
    bool settled;               /* All of 'local' is known... */
    bool all_maybe;             /* ...as MLOG_FLOW_MAYBE. */
    uint32_t pos, end;          /* Rows that are still to be seen. */
    uint8_t *local;             /* As 'verdicts', by local number. */
    size_t allocated_local;
    bool by_postings;           /* Then 'pos' and 'end' count these: */
    uint32_t *postings;         /* Room for MLOG_SEGMENT_ROWS. */

    struct mlog_row rows[BATCH_ROWS];   /* Decoded. */
    uint32_t numbers[BATCH_ROWS];
    uint32_t selection[BATCH_ROWS];
    struct mlog_block block;
};

/* Makes sure that there are rows to be looked at.  Returns false at the end
 * or after an error. */
bool mlog_scan_prepare__(struct mlog_scan *);

/* The position before the next row, and back to it. */
struct mlog_scan_mark mlog_scan_mark__(const struct mlog_scan *);
void mlog_scan_rewind__(struct mlog_scan *, const struct mlog_scan_mark *);

/* The columns that the scan looks at or hands out. */
uint32_t mlog_scan_columns__(const struct mlog_scan *);

/* Settles the verdict of a flow of the current segment. */
uint8_t mlog_scan_settle__(struct mlog_scan *, uint32_t local);

#endif /* mlog-scan-private.h */
