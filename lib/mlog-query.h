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


#ifndef MLOG_QUERY_H
#define MLOG_QUERY_H 1

/* Queries
 * =======
 *
 * What can be asked of a snapshot: how many records match, which they are,
 * and counts and aggregates of them by groups.  This is about values; the
 * command engine (mlog-command.h) turns text into queries and results into
 * text.
 *
 * Every function here returns 0 or one of
 *
 *   ETIMEDOUT   the budget's deadline passed
 *   ECANCELED   the budget's 'cancel' became true
 *   EDQUOT      more rows than the budget allows to look at
 *   ENOMEM      more memory than the budget allows
 *   E2BIG       more than MLOG_QUERY_MAX_GROUPS groups, or more than fit into
 *               MLOG_QUERY_MAX_MEMORY
 *   EDOM        more than MLOG_QUERY_MAX_BUCKETS buckets
 *
 * and then has no result.
 *
 * Thread-safety
 * =============
 *
 * Any number of threads may query one snapshot.  A result belongs to one
 * thread, and does not depend on the snapshot. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-fields.h"
#include "mlog-scan.h"

#define MLOG_QUERY_MAX_FIELDS 8
#define MLOG_QUERY_MAX_AGGREGATES 16
#define MLOG_QUERY_MAX_GROUPS 1000000
#define MLOG_QUERY_MAX_MEMORY (UINT64_C(256) << 20)     /* Bytes. */

/* What matched in all, and what is missing of the range. */
struct mlog_query_totals {
    uint64_t count;
    uint64_t bytes;
    uint64_t gaps;              /* Records lost within the range. */
    bool expired;               /* Older records of the range expired. */
    bool outage;                /* Nothing was recorded for a part of it. */
    struct mlog_scan_stats scan;        /* What it took. */
    size_t n_unreadable;        /* Archived segments: likewise missing. */
    size_t n_revoked;           /* Segments that expired before they could be
                                 * read: their records are missing. */
};

/* Sets 'gaps', 'expired' and 'outage' of 'totals'. */
void mlog_query_get_missing(const struct mlog_snapshot *,
                            const struct mlog_range *,
                            struct mlog_query_totals *totals);

int mlog_query_count(const struct mlog_snapshot *, const struct mlog_range *,
                     const struct mlog_budget *, struct mlog_query_totals *);

/* Rows. */

struct mlog_query_row {
    struct mlog_row row;
    struct mlog_flow_key key;
    uint64_t time;              /* ns. */
    struct mlog_place place;
};

struct mlog_query_rows {
    struct mlog_query_totals totals;
    struct mlog_query_row *rows;        /* Oldest first. */
    size_t n;
    bool more;                  /* There are more that match. */
};

static inline struct mlog_record
mlog_query_record(const struct mlog_query_row *row)
{
    return (struct mlog_record) {
        .key = &row->key, .row = &row->row, .time = row->time
    };
}

/* Finds the newest 'limit' rows of 'range', or the oldest; counts all. */
int mlog_query_rows(const struct mlog_snapshot *, const struct mlog_range *,
                    const struct mlog_budget *, size_t limit, bool oldest,
                    struct mlog_query_rows *);
void mlog_query_rows_destroy(struct mlog_query_rows *);

/* A page: the oldest 'limit' rows of 'range' from place 'from' on (NULL: from
 * the first), or, unless 'oldest', the newest before 'before' (NULL: up to the
 * last).  Looks at no more rows than that takes; the count and bytes of the
 * totals are those of the page. */
int mlog_query_page(const struct mlog_snapshot *, const struct mlog_range *,
                    const struct mlog_budget *, size_t limit, bool oldest,
                    const struct mlog_place *from,
                    const struct mlog_place *before,
                    struct mlog_query_rows *);

/* Finds the rows that are first in the order of the keys, without the first
 * 'skip' of them; counts all.  Rows that lack a key come last, and equal ones
 * in the order of their places.  'skip' + 'limit' must not exceed
 * MLOG_QUERY_MAX_SORTED. */
#define MLOG_QUERY_MAX_SORTED 1000000

struct mlog_rows_key {
    const struct mlog_field *field;
    bool descending;
};

int mlog_query_sorted(const struct mlog_snapshot *, const struct mlog_range *,
                      const struct mlog_budget *,
                      const struct mlog_rows_key keys[], size_t n_keys,
                      size_t skip, size_t limit, struct mlog_query_rows *);

/* Groups. */

enum mlog_query_func {
    MLOG_QF_COUNT,              /* Of records, or of those with the field. */
    MLOG_QF_SUM,
    MLOG_QF_MIN,
    MLOG_QF_MAX,
    MLOG_QF_AVG,
    MLOG_QF_RATE,               /* MLOG_QF_COUNT or _SUM per second. */
    MLOG_QF_STDDEV,             /* Of the whole, not of a sample. */
    MLOG_QF_DISTINCT,
    MLOG_QF_PERCENTILE,
    MLOG_QF_TOPK,
};

#define MLOG_QUERY_PPM UINT32_C(1000000)
#define MLOG_QUERY_MAX_TOPK 1000

struct mlog_query_aggregate {
    enum mlog_query_func func;
    const struct mlog_field *field;     /* NULL: MLOG_QF_COUNT, _RATE. */
    uint32_t param;             /* MLOG_QF_PERCENTILE: millionths of the
                                 * records; MLOG_QF_TOPK: how many values. */
};

/* Groups are by the values of 'fields' (none: one group of all records), a
 * packet that lacks a field being in a group that lacks it.  Or, with
 * 'by_flow', by flow: ingress port (by its name), VLAN ids, Ethernet type,
 * addresses, protocol and ports, but neither MAC addresses, priorities nor
 * fragment bits.
 *
 * With 'bucket', a number of ns, groups are of the records of one bucket,
 * that is, of time from i * 'bucket' up to (i + 1) * 'bucket' - 1.  Without
 * 'fields' there is a group then for each bucket from the one of the range's
 * 'since' through that of its 'until' or, if that is later, of the cut.  If
 * the range has no 'since', the first one is that of the first record, and if
 * it has no 'until' either, the last one that of the last record. */
struct mlog_group_spec {
    const struct mlog_field *fields[MLOG_QUERY_MAX_FIELDS];
    size_t n_fields;
    bool by_flow;
    struct mlog_query_aggregate aggregates[MLOG_QUERY_MAX_AGGREGATES];
    size_t n_aggregates;
    uint64_t bucket;
    size_t max_exact;           /* For tests: MLOG_TALLY_MAX_VALUES. */
};

/* How many buckets there are without 'fields'; more give EDOM. */
#define MLOG_QUERY_MAX_BUCKETS 100000

struct mlog_query_group {
    uint64_t count;
    uint64_t bytes;
    uint64_t first;             /* Time of the oldest record, ns. */
    uint64_t last;              /* Of the newest. */
};

struct mlog_groups;

int mlog_query_groups(const struct mlog_snapshot *, const struct mlog_range *,
                      const struct mlog_budget *,
                      const struct mlog_group_spec *, struct mlog_groups **);
void mlog_groups_destroy(struct mlog_groups *);

size_t mlog_groups_count(const struct mlog_groups *);
const struct mlog_query_totals *mlog_groups_totals(const struct mlog_groups *);

/* Group 'id', from 0 to mlog_groups_count() less one. */
const struct mlog_query_group *mlog_groups_get(const struct mlog_groups *,
                                         uint32_t id);

/* When the bucket of group 'id' begins, ns. */
uint64_t mlog_groups_bucket(const struct mlog_groups *, uint32_t id);

/* Value of field 'i' of the spec; false if the group lacks it. */
bool mlog_groups_field(const struct mlog_groups *, uint32_t id, size_t i,
                       struct mlog_value *);

/* With 'by_flow': a record of the flow's key, no row. */
void mlog_groups_flow(const struct mlog_groups *, uint32_t id,
                      struct mlog_flow_key *, struct mlog_record *);

/* Value of aggregate 'i', whose function gives a number or a value of the
 * field.  For MLOG_QF_AVG and MLOG_QF_STDDEV the value is the sum.  '*n' is
 * the number of records with the field.  False if there is none (for other
 * functions than MLOG_QF_COUNT, _SUM, _RATE and _DISTINCT). */
bool mlog_groups_aggregate(const struct mlog_groups *, uint32_t id, size_t i,
                           struct mlog_value *, uint64_t *n);

/* The same as a number, for MLOG_QF_AVG, MLOG_QF_RATE and MLOG_QF_STDDEV. */
bool mlog_groups_real(const struct mlog_groups *, uint32_t id, size_t i,
                      double *);

/* The seconds that MLOG_QF_RATE divides by: those of a bucket or, without
 * buckets, from the range's 'since', or the first record, to its 'until' or
 * the cut. */
double mlog_groups_seconds(const struct mlog_groups *);

/* One of the most frequent values.  If it is estimated, 'count' is at most
 * 'error' too much. */
struct mlog_query_item {
    struct mlog_value value;
    uint64_t count;
    uint64_t error;
};

/* Fills in the values of aggregate 'i', which is MLOG_QF_TOPK, most frequent
 * ones first, equal ones in their order; returns how many there are, at most
 * the aggregate's 'param'. */
size_t mlog_groups_top_values(const struct mlog_groups *, uint32_t id,
                              size_t i, struct mlog_query_item items[]);

/* The relative error of aggregate 'i', 0 if it is exact: for MLOG_QF_DISTINCT
 * the standard error, for MLOG_QF_PERCENTILE a bound.  For MLOG_QF_TOPK the
 * part of the group's records that a value that is missing has at most. */
double mlog_groups_error(const struct mlog_groups *, uint32_t id, size_t i);

/* Order.
 *
 * What groups can be ordered and compared by: the index of an aggregate, but
 * for MLOG_QF_TOPK, or one of these. */
#define MLOG_GROUPS_BY_COUNT (-1)
#define MLOG_GROUPS_BY_BYTES (-2)
#define MLOG_GROUPS_BY_BUCKET (-3)
#define MLOG_GROUPS_BY_FIELD(I) (-16 - (int) (I))

struct mlog_groups_key {
    int by;
    bool ascending;
};

enum mlog_query_op {
    MLOG_QO_LT,
    MLOG_QO_LE,
    MLOG_QO_EQ,
    MLOG_QO_NE,
    MLOG_QO_GE,
    MLOG_QO_GT,
};

/* A condition on groups.  Those without the value don't meet it. */
struct mlog_having {
    int by;                     /* A number. */
    enum mlog_query_op op;
    double number;
};

#define MLOG_QUERY_MAX_HAVING 8

/* Returns, for the caller to free, the '*n' groups that meet all conditions,
 * ordered by the keys, those without a value last; equal ones in ascending
 * order of their buckets and fields. */
uint32_t *mlog_groups_order(const struct mlog_groups *,
                            const struct mlog_groups_key keys[],
                            size_t n_keys, const struct mlog_having having[],
                            size_t n_having, size_t *n);

/* Returns, for the caller to free, the 'n' groups that are first in
 * descending order of 'by'.  'n' must not exceed mlog_groups_count(). */
uint32_t *mlog_groups_top(const struct mlog_groups *, int by, size_t n);

/* Compares values of a field in the order in which users expect them: ports by
 * their numbers or names, all others as mlog_value_compare(). */
int mlog_query_compare(const struct mlog_field *, const struct mlog_value *,
                       const struct mlog_value *);

#endif /* mlog-query.h */
