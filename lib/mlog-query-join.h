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


#ifndef MLOG_QUERY_JOIN_H
#define MLOG_QUERY_JOIN_H 1

/* Joins
 * =====
 *
 * Two sub-queries of one snapshot, left and right, each grouped by key fields;
 * groups whose keys agree are joined.  Records that lack a key field take no
 * part.
 *
 * Errors are those of mlog-query.h.
 *
 * Thread-safety
 * =============
 *
 * Any number of threads may query one snapshot.  A result belongs to one
 * thread, and does not depend on the snapshot. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-query.h"

enum mlog_side { MLOG_LEFT, MLOG_RIGHT };

/* Keys: 'left[i]' is compared with 'right[i]'. */
struct mlog_join_keys {
    const struct mlog_field *left[MLOG_QUERY_MAX_FIELDS];
    const struct mlog_field *right[MLOG_QUERY_MAX_FIELDS];
    size_t n;
};

/* Returns NULL if values of the two fields can be keys of each other, or an
 * error message to be freed. */
char *mlog_join_check_fields(const struct mlog_field *left,
                             const struct mlog_field *right)
    OVS_WARN_UNUSED_RESULT;

/* Changes a value of 'field' such that equal keys are equal bit by bit, if
 * it is compared with 'other'. */
void mlog_join_normalise(const struct mlog_field *field,
                         const struct mlog_field *other,
                         struct mlog_value *);

/* The field that a normalised key is a value of. */
const struct mlog_field *mlog_join_key_field(const struct mlog_field *left,
                                             const struct mlog_field *right);

/* What becomes of groups without a partner. */
enum mlog_join_kind {
    MLOG_JOIN_INNER,            /* They are left out. */
    MLOG_JOIN_LEFT,             /* Those of the left side are there, too. */
    MLOG_JOIN_OUTER,            /* Those of both sides are. */
    MLOG_JOIN_ANTI,             /* Only those of the left side are there. */
};

struct mlog_join_spec {
    enum mlog_join_kind kind;
    struct mlog_join_keys keys;
    uint64_t bucket;            /* ns: groups of the same bucket, too; or 0. */
    const struct mlog_expr *exprs[2];   /* By side. */
    struct mlog_query_aggregate aggregates[2][MLOG_QUERY_MAX_AGGREGATES];
    size_t n_aggregates[2];
};

/* Groups that have been joined. */
#define MLOG_JOIN_NONE UINT32_MAX
struct mlog_join_row {
    uint32_t groups[2];         /* By side, for mlog_groups_*(), or NONE. */
};

struct mlog_join {
    struct mlog_join_spec spec;
    struct mlog_groups *groups[2];
    size_t n_groups[2];         /* That have all key fields. */
    struct mlog_join_row *rows;
    size_t n_rows;
};

/* The range's expression is ignored.  If 'error' is that of one side, '*side'
 * says which. */
int mlog_query_join(const struct mlog_snapshot *, const struct mlog_range *,
                    const struct mlog_budget *, const struct mlog_join_spec *,
                    struct mlog_join **, enum mlog_side *side);
void mlog_join_destroy(struct mlog_join *);

/* Key 'i' of a row, normalised. */
struct mlog_value mlog_join_key(const struct mlog_join *,
                                const struct mlog_join_row *, size_t i);

/* When the bucket of a row begins, ns. */
uint64_t mlog_join_bucket(const struct mlog_join *,
                          const struct mlog_join_row *);

#endif /* mlog-query-join.h */
