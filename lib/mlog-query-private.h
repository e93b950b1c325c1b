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

#ifndef MLOG_QUERY_PRIVATE_H
#define MLOG_QUERY_PRIVATE_H 1

/* Private to mlog-query*.c. */

#include "mlog-query-intern.h"
#include "mlog-query-tally.h"
#include "mlog-query.h"

/* Ends a scan: sets what of 'totals' it has found out, destroys it, and
 * returns its error. */
int mlog_query_end_scan__(struct mlog_scan *, struct mlog_query_totals *);

/* Sets '*row' to row 'i' of 'batch', but for its place's 'life' and 'seq'. */
void mlog_query_copy_row__(const struct mlog_batch *, uint32_t i,
                           struct mlog_query_row *row);

/* The newest, or the oldest, 'limit' rows of those that are added.  Their
 * memory grows as far as there are rows.  They are copied, with their flows'
 * keys, for the segment that they are in may be gone when they are shown. */
struct row_ring {
    const struct mlog_snapshot *snapshot;
    struct mlog_query_row *rows;
    size_t n, allocated;        /* Until 'limit' is reached. */
    size_t next;                /* From then on: the oldest, to be replaced. */
    size_t limit;
};

/* Adds those rows of 'batch' that will be wanted if no others come. */
void mlog_row_ring_add__(struct row_ring *, const struct mlog_batch *,
                         bool oldest);

/* Returns the ring's content in order, for the caller to free. */
struct mlog_query_row *mlog_row_ring_unroll__(struct row_ring *);

/* Keys.
 *
 * Fields of MLOG_SCOPE_FLOW make the flow key: a word of presence bits and
 * two words per value.  The row key is a word with the flow key's number and,
 * above it, presence bits, one word per value, as no field of MLOG_SCOPE_ROW
 * is wider, and one with the number of the bucket.  With 'by_flow', the flow
 * key is the flow id and the masked struct mlog_flow_key. */
#define FLOW_KEY_WORDS (1 + 2 * MLOG_QUERY_MAX_FIELDS)
#define ROW_KEY_WORDS (2 + MLOG_QUERY_MAX_FIELDS)
#define BY_FLOW_WORDS (1 + sizeof(struct mlog_flow_key) / 8)
BUILD_ASSERT_DECL(BY_FLOW_WORDS <= FLOW_KEY_WORDS);

/* For stddev, 'value.lo' is the sum, and 'value.hi' the lower half of the sum
 * of squares, for which 64 bits may be too few: two squares of a 32-bit
 * field. */
struct accumulator {
    uint64_t n;                 /* Records with the field. */
    struct mlog_value value;
    uint64_t squares_high;
};

/* A field of which a tally is kept in each group. */
struct tally_spec {
    const struct mlog_field *field;
    int uses;                   /* enum mlog_tally_use. */
    uint32_t max_top;
};

/* Groups that were looked up lately, by flow key and bucket. */
#define GROUP_CACHE_SIZE 256
struct group_cache_entry {
    uint64_t bucket;
    uint32_t flow_number;       /* Plus 1; 0 = empty. */
    uint32_t id;
};

struct mlog_groups {
    struct mlog_group_spec spec;
    struct mlog_query_totals totals;
    uint64_t since, until;      /* What rates refer to, ns. */

    struct { bool row; size_t i; } place[MLOG_QUERY_MAX_FIELDS];
    size_t n_flow_fields, n_row_fields;
    bool has_row_key;           /* 'n_row_fields' or buckets. */

    uint32_t *flow_numbers;     /* Number + 1 of the flow key, by flow. */
    uint32_t *local_numbers;    /* Same, by local number, for one segment... */
    uint64_t local_serial;      /* ...this, if not from the flow table. */
    struct mlog_intern flow_keys;
    struct mlog_intern row_keys;        /* If 'has_row_key'. */
    uint16_t *ports;            /* See unify_ports(). */
    size_t n_ports;             /* 0 if not needed. */

    uint64_t bucket;            /* The number of the last record's... */
    uint64_t bucket_start, bucket_end;  /* ...and its limits, ns. */
    struct group_cache_entry *cache;    /* If grouped by flow and bucket. */

    struct mlog_query_group *groups;
    struct accumulator *accumulators;   /* 'n_aggregates' per group. */
    size_t n_groups, allocated_groups;
    size_t max_groups;

    struct tally_spec tally_specs[MLOG_QUERY_MAX_AGGREGATES];
    size_t n_tallies;
    uint8_t tally_of[MLOG_QUERY_MAX_AGGREGATES];        /* By aggregate. */
    struct mlog_tally **tallies;        /* 'n_tallies' per group, or NULL. */
    struct mlog_tally_pool pool;
};

/* True for functions that need a tally. */
static inline bool
mlog_query_func_tallies(enum mlog_query_func func)
{
    return (func == MLOG_QF_DISTINCT || func == MLOG_QF_PERCENTILE
            || func == MLOG_QF_TOPK);
}

/* The part of 'range' that its expression and 'snapshot' leave. */
void mlog_query_effective_range(const struct mlog_snapshot *,
                                const struct mlog_range *,
                                uint64_t *since, uint64_t *until);

#endif /* mlog-query-private.h */
