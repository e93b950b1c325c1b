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


#include <config.h>

#include "mlog-query-join.h"

#include "bitmap.h"
#include "hash.h"
#include "random.h"
#include "util.h"

/* Keys. */

static bool
is_address(const struct mlog_field *field)
{
    return (field->type == MLOG_FT_IPV4 || field->type == MLOG_FT_IPV6
            || field->type == MLOG_FT_L3);
}

char *
mlog_join_check_fields(const struct mlog_field *left,
                       const struct mlog_field *right)
{
    if (left->type == right->type
        || (is_address(left) && is_address(right)
            && (left->type == MLOG_FT_L3 || right->type == MLOG_FT_L3))) {
        return NULL;
    }
    return xasprintf("%s (%s) can't be joined with %s (%s)",
                     left->name, mlog_field_type_to_string(left->type),
                     right->name, mlog_field_type_to_string(right->type));
}

void
mlog_join_normalise(const struct mlog_field *field,
                    const struct mlog_field *other, struct mlog_value *value)
{
    if (field->type == MLOG_FT_IPV4 && other->type == MLOG_FT_L3) {
        value->lo |= UINT64_C(0xffff) << 32;
    }
}

const struct mlog_field *
mlog_join_key_field(const struct mlog_field *left,
                    const struct mlog_field *right)
{
    return right->type == MLOG_FT_L3 ? right : left;
}

/* The bucket comes after the fields. */
struct key {
    struct mlog_value values[MLOG_QUERY_MAX_FIELDS + 1];
};

static size_t
key_size(const struct mlog_join *join)
{
    return (join->spec.keys.n + 1) * sizeof(struct mlog_value);
}

/* Sets 'key' to the normalised key of group 'id' of a side.  Returns false if
 * the group lacks a field. */
static bool
get_key(const struct mlog_join *join, enum mlog_side side, uint32_t id,
        struct key *key)
{
    const struct mlog_join_keys *keys = &join->spec.keys;
    const struct mlog_field *const *own = side ? keys->right : keys->left;
    const struct mlog_field *const *other = side ? keys->left : keys->right;

    for (size_t i = 0; i < keys->n; i++) {
        if (!mlog_groups_field(join->groups[side], id, i, &key->values[i])) {
            return false;
        }
        mlog_join_normalise(own[i], other[i], &key->values[i]);
    }
    key->values[keys->n] = (struct mlog_value) {
        .lo = (join->spec.bucket ? mlog_groups_bucket(join->groups[side], id)
               : 0)
    };
    return true;
}

struct mlog_value
mlog_join_key(const struct mlog_join *join, const struct mlog_join_row *row,
              size_t i)
{
    enum mlog_side side = (row->groups[MLOG_LEFT] == MLOG_JOIN_NONE
                           ? MLOG_RIGHT : MLOG_LEFT);
    struct key key;

    get_key(join, side, row->groups[side], &key);
    return key.values[i];
}

uint64_t
mlog_join_bucket(const struct mlog_join *join,
                 const struct mlog_join_row *row)
{
    return mlog_join_key(join, row, join->spec.keys.n).lo;
}

/* A hash table of the right side's groups, each slot the number of a group
 * plus one.  Its seed is the query's own, so that traffic can't be made to
 * collide. */
struct table {
    uint32_t *slots;
    size_t mask;
    uint32_t seed;
    unsigned long int *joined;  /* Bitmap: groups with a partner. */
};

static uint32_t
hash_key(const struct mlog_join *join, const struct table *table,
         const struct key *key)
{
    return hash_bytes(key, key_size(join), table->seed);
}

static void
table_init(const struct mlog_join *join, struct table *table)
{
    size_t n = mlog_groups_count(join->groups[MLOG_RIGHT]);

    table->seed = random_uint32();
    for (table->mask = 63; table->mask < 2 * n; ) {
        table->mask = table->mask * 2 + 1;
    }
    table->slots = xcalloc(table->mask + 1, sizeof *table->slots);
    table->joined = bitmap_allocate(n + 1);
    for (uint32_t id = 0; id < n; id++) {
        struct key key;

        if (get_key(join, MLOG_RIGHT, id, &key)) {
            size_t i = hash_key(join, table, &key) & table->mask;

            while (table->slots[i]) {
                i = (i + 1) & table->mask;
            }
            table->slots[i] = id + 1;
        }
    }
}

static void
table_destroy(struct table *table)
{
    free(table->slots);
    bitmap_free(table->joined);
}

/* Returns the right side's group with 'key', or MLOG_JOIN_NONE. */
static uint32_t
table_find(const struct mlog_join *join, const struct table *table,
           const struct key *key)
{
    size_t i = hash_key(join, table, key) & table->mask;

    for (; table->slots[i]; i = (i + 1) & table->mask) {
        struct key other;

        get_key(join, MLOG_RIGHT, table->slots[i] - 1, &other);
        if (!memcmp(key, &other, key_size(join))) {
            return table->slots[i] - 1;
        }
    }
    return MLOG_JOIN_NONE;
}

/* Joining. */

static void
add_row(struct mlog_join *join, uint32_t left, uint32_t right)
{
    join->rows[join->n_rows++] = (struct mlog_join_row) { { left, right } };
}

static void
join_left(struct mlog_join *join, struct table *table)
{
    enum mlog_join_kind kind = join->spec.kind;
    size_t n = mlog_groups_count(join->groups[MLOG_LEFT]);

    for (uint32_t id = 0; id < n; id++) {
        uint32_t partner;
        struct key key;

        if (!get_key(join, MLOG_LEFT, id, &key)) {
            continue;
        }
        join->n_groups[MLOG_LEFT]++;
        partner = table_find(join, table, &key);
        if (partner != MLOG_JOIN_NONE) {
            bitmap_set1(table->joined, partner);
        }
        if (partner == MLOG_JOIN_NONE ? kind != MLOG_JOIN_INNER
                                      : kind != MLOG_JOIN_ANTI) {
            add_row(join, id, partner);
        }
    }
}

static void
join_right(struct mlog_join *join, const struct table *table)
{
    size_t n = mlog_groups_count(join->groups[MLOG_RIGHT]);

    for (uint32_t id = 0; id < n; id++) {
        struct key key;

        if (get_key(join, MLOG_RIGHT, id, &key)) {
            join->n_groups[MLOG_RIGHT]++;
            if (join->spec.kind == MLOG_JOIN_OUTER
                && !bitmap_is_set(table->joined, id)) {
                add_row(join, MLOG_JOIN_NONE, id);
            }
        }
    }
}

static int
query_side(struct mlog_join *join, enum mlog_side side,
           const struct mlog_snapshot *snapshot,
           const struct mlog_range *range, const struct mlog_budget *budget)
{
    const struct mlog_join_keys *keys = &join->spec.keys;
    const struct mlog_field *const *fields = side ? keys->right : keys->left;
    struct mlog_range own = *range;
    struct mlog_group_spec spec = {
        .n_fields = keys->n,
        .bucket = join->spec.bucket,
        .n_aggregates = join->spec.n_aggregates[side],
    };

    own.expr = join->spec.exprs[side];
    memcpy(spec.fields, fields, keys->n * sizeof *fields);
    memcpy(spec.aggregates, join->spec.aggregates[side],
           sizeof spec.aggregates);
    return mlog_query_groups(snapshot, &own, budget, &spec,
                             &join->groups[side]);
}

int
mlog_query_join(const struct mlog_snapshot *snapshot,
                const struct mlog_range *range,
                const struct mlog_budget *budget,
                const struct mlog_join_spec *spec, struct mlog_join **joinp,
                enum mlog_side *side)
{
    struct mlog_join *join = xzalloc(sizeof *join);
    struct table table;
    int error = 0;

    *joinp = NULL;
    join->spec = *spec;
    for (int i = MLOG_LEFT; i <= MLOG_RIGHT && !error; i++) {
        *side = i;
        error = query_side(join, i, snapshot, range, budget);
    }
    if (error) {
        mlog_join_destroy(join);
        return error;
    }
    join->rows = xmalloc((mlog_groups_count(join->groups[MLOG_LEFT])
                          + mlog_groups_count(join->groups[MLOG_RIGHT]) + 1)
                         * sizeof *join->rows);
    table_init(join, &table);
    join_left(join, &table);
    join_right(join, &table);
    table_destroy(&table);
    *joinp = join;
    return 0;
}

void
mlog_join_destroy(struct mlog_join *join)
{
    if (join) {
        mlog_groups_destroy(join->groups[MLOG_LEFT]);
        mlog_groups_destroy(join->groups[MLOG_RIGHT]);
        free(join->rows);
        free(join);
    }
}
