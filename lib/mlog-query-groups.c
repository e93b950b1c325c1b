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

#include "mlog-query.h"

#include <errno.h>

#include "jhash.h"
#include "mlog-flow-id.h"
#include "mlog-flow-table.h"
#include "mlog-ports.h"
#include "openvswitch/shash.h"
#include "random.h"
#include "util.h"

/* Grouping
 * ========
 *
 * A group's key has a part that depends on the flow alone and a part that
 * depends on the row.  The flow's part is computed once per distinct flow: it
 * is interned, that is, given a small number, which is remembered by the
 * flow's index.  If no field needs the row, which is the common case, that
 * number is the group, and a row costs one look-up and a few additions.
 * Otherwise the number and the row's values make another key, which is
 * interned for each row.
 *
 * Keys are hashed with a seed of the query's own, so that traffic can't be
 * made to collide. */

/* Interning of keys of a fixed number of 64-bit words. */
struct intern {
    size_t n_words;
    uint64_t *keys;             /* 'n' times 'n_words'. */
    size_t n, allocated;
    uint32_t *slots;            /* Number + 1; 0 = empty. */
    size_t mask;                /* Number of slots less one. */
    uint32_t seed;
};

static void
intern_init(struct intern *intern, size_t n_words)
{
    *intern = (struct intern) {
        .n_words = n_words,
        .slots = xcalloc(64, sizeof *intern->slots),
        .mask = 63,
        .seed = random_uint32(),
    };
}

static void
intern_destroy(struct intern *intern)
{
    free(intern->keys);
    free(intern->slots);
}

static const uint64_t *
intern_key(const struct intern *intern, uint32_t id)
{
    return intern->keys + id * intern->n_words;
}

static uint32_t
intern_hash(const struct intern *intern, const uint64_t *key)
{
    return jhash_words((const uint32_t *) key, intern->n_words * 2,
                       intern->seed);
}

static void
intern_grow(struct intern *intern)
{
    free(intern->slots);
    intern->mask = intern->mask * 2 + 1;
    intern->slots = xcalloc(intern->mask + 1, sizeof *intern->slots);
    for (size_t id = 0; id < intern->n; id++) {
        size_t i = intern_hash(intern, intern_key(intern, id)) & intern->mask;

        while (intern->slots[i]) {
            i = (i + 1) & intern->mask;
        }
        intern->slots[i] = id + 1;
    }
}

static uint32_t
intern_get(struct intern *intern, const uint64_t *key)
{
    size_t size = intern->n_words * sizeof *key;
    size_t i = intern_hash(intern, key) & intern->mask;

    for (; intern->slots[i]; i = (i + 1) & intern->mask) {
        uint32_t id = intern->slots[i] - 1;

        if (!memcmp(intern_key(intern, id), key, size)) {
            return id;
        }
    }

    if (intern->n >= intern->allocated) {
        intern->keys = x2nrealloc(intern->keys, &intern->allocated, size);
    }
    memcpy(intern->keys + intern->n * intern->n_words, key, size);
    intern->slots[i] = intern->n + 1;
    if (++intern->n > intern->mask / 2) {
        intern_grow(intern);
    }
    return intern->n - 1;
}

/* Keys.
 *
 * Fields of MLOG_SCOPE_FLOW make the flow key: a word of presence bits and
 * two words per value.  The row key is a word with the flow key's number and,
 * above it, presence bits, and one word per value, as no field of
 * MLOG_SCOPE_ROW is wider.  With 'by_flow', the flow key is the flow id and
 * the masked struct mlog_flow_key. */
#define FLOW_KEY_WORDS (1 + 2 * MLOG_QUERY_MAX_FIELDS)
#define ROW_KEY_WORDS (1 + MLOG_QUERY_MAX_FIELDS)
#define BY_FLOW_WORDS (1 + sizeof(struct mlog_flow_key) / 8)
BUILD_ASSERT_DECL(BY_FLOW_WORDS <= FLOW_KEY_WORDS);

struct accumulator {
    uint64_t n;                 /* Records with the field. */
    struct mlog_value value;
};

struct mlog_groups {
    struct mlog_group_spec spec;
    struct mlog_query_totals totals;

    struct { bool row; size_t i; } place[MLOG_QUERY_MAX_FIELDS];
    size_t n_flow_fields, n_row_fields;

    uint32_t *flow_numbers;     /* Number + 1 of the flow key, by flow. */
    uint32_t *local_numbers;    /* Same, by local number, for one segment... */
    uint64_t local_serial;      /* ...this, if not from the flow table. */
    struct intern flow_keys;
    struct intern row_keys;     /* If 'n_row_fields'. */
    uint16_t *ports;            /* See unify_ports(). */
    size_t n_ports;             /* 0 if not needed. */

    struct mlog_query_group *groups;
    struct accumulator *accumulators;   /* 'n_aggregates' per group. */
    size_t n_groups, allocated_groups;
    size_t max_groups;
};

/* A port that was removed and added again has several identifiers.  Maps each
 * identifier to the newest that looks the same to a user: the same name, or
 * for numbers the same OpenFlow number of the same bridge. */
static uint16_t *
unify_ports(bool by_name, size_t n)
{
    uint16_t *ports = xmalloc((n + 1) * sizeof *ports);
    struct shash seen = SHASH_INITIALIZER(&seen);

    for (size_t id = n; id-- > 0;) {
        const char *name = mlog_ports_name(id);
        const char *bridge = mlog_ports_bridge(id);
        uint32_t ofp = mlog_ports_ofp(id);
        char *key = (by_name || !bridge || ofp == MLOG_OFP_PORT_NONE
                     ? xasprintf("name %s", name ? name : "")
                     : xasprintf("number %"PRIu32" %s", ofp, bridge));
        struct shash_node *node = shash_find(&seen, key);

        if (!node) {
            node = shash_add(&seen, key, (void *) (uintptr_t) id);
        }
        ports[id] = (uintptr_t) node->data;
        free(key);
    }
    shash_destroy(&seen);
    return ports;
}

static bool
is_port(const struct mlog_field *field)
{
    return (field->type == MLOG_FT_PORT || field->type == MLOG_FT_PORT_NAME);
}

/* Port fields need unify_ports() by number only if all of them are
 * numbers: a name tells more. */
static void
init_ports(struct mlog_groups *groups)
{
    bool any = groups->spec.by_flow;
    bool names = groups->spec.by_flow;

    for (size_t i = 0; i < groups->spec.n_fields; i++) {
        any |= is_port(groups->spec.fields[i]);
        names |= groups->spec.fields[i]->type == MLOG_FT_PORT_NAME;
    }
    groups->n_ports = any ? MIN(mlog_ports_count(), MLOG_PORT_NONE) : 0;
    groups->ports = unify_ports(names, groups->n_ports);
}

static bool
get_value(const struct mlog_groups *groups, const struct mlog_field *field,
          const struct mlog_record *record, struct mlog_value *value)
{
    if (!mlog_field_get(field, record, value)) {
        return false;
    }
    if (is_port(field) && value->lo < groups->n_ports) {
        value->lo = groups->ports[value->lo];
    }
    return true;
}

/* What of 'key' makes a flow, into 'masked'. */
static void
mask_flow(const struct mlog_groups *groups, const struct mlog_flow_key *key,
          struct mlog_flow_key *masked)
{
    *masked = *key;
    memset(&masked->dl_src, 0, sizeof masked->dl_src);
    memset(&masked->dl_dst, 0, sizeof masked->dl_dst);
    masked->vlan_tci[0] &= 0x1fff;
    masked->vlan_tci[1] &= 0x1fff;
    masked->nw_frag = 0;
    if (key->in_port < groups->n_ports) {
        masked->in_port = groups->ports[key->in_port];
    }
    masked->has &= ~MLOG_HAS_TCP;
}

static void
make_flow_key(const struct mlog_groups *groups,
              const struct mlog_record *record, uint64_t key[])
{
    const struct mlog_group_spec *spec = &groups->spec;

    memset(key, 0, groups->flow_keys.n_words * sizeof *key);
    if (spec->by_flow) {
        struct mlog_flow_key masked;

        mask_flow(groups, record->key, &masked);
        key[0] = mlog_record_flow_id(record);
        memcpy(&key[1], &masked, sizeof masked);
        return;
    }

    for (size_t i = 0; i < spec->n_fields; i++) {
        size_t j = groups->place[i].i;
        struct mlog_value value;

        if (!groups->place[i].row
            && get_value(groups, spec->fields[i], record, &value)) {
            key[0] |= UINT64_C(1) << j;
            key[1 + 2 * j] = value.hi;
            key[2 + 2 * j] = value.lo;
        }
    }
}

static void
make_row_key(const struct mlog_groups *groups,
             const struct mlog_record *record, uint32_t flow_number,
             uint64_t key[])
{
    const struct mlog_group_spec *spec = &groups->spec;

    memset(key, 0, groups->row_keys.n_words * sizeof *key);
    key[0] = flow_number;
    for (size_t i = 0; i < spec->n_fields; i++) {
        size_t j = groups->place[i].i;
        struct mlog_value value;

        if (groups->place[i].row
            && get_value(groups, spec->fields[i], record, &value)) {
            key[0] |= UINT64_C(1) << (32 + j);
            key[1 + j] = value.lo;
        }
    }
}

/* Returns how many groups fit into MLOG_QUERY_MAX_MEMORY, or
 * MLOG_QUERY_MAX_GROUPS if that is less. */
static size_t
max_groups(const struct mlog_groups *groups)
{
    size_t words = (groups->flow_keys.n_words
                    + (groups->n_row_fields ? groups->row_keys.n_words : 0));
    size_t size = (sizeof *groups->groups + words * sizeof(uint64_t)
                   + (groups->spec.n_aggregates
                      * sizeof *groups->accumulators));

    return MIN(MLOG_QUERY_MAX_GROUPS, MLOG_QUERY_MAX_MEMORY / size);
}

static struct mlog_groups *
groups_create(const struct mlog_snapshot *snapshot,
              const struct mlog_group_spec *spec)
{
    struct mlog_groups *groups = xzalloc(sizeof *groups);

    groups->spec = *spec;
    for (size_t i = 0; i < spec->n_fields; i++) {
        bool row = spec->fields[i]->scope == MLOG_SCOPE_ROW;

        ovs_assert(!row || spec->fields[i]->n_bits <= 64);
        groups->place[i].row = row;
        groups->place[i].i = (row ? groups->n_row_fields++
                              : groups->n_flow_fields++);
    }
    intern_init(&groups->flow_keys, (spec->by_flow ? BY_FLOW_WORDS
                                     : 1 + 2 * groups->n_flow_fields));
    intern_init(&groups->row_keys, 1 + groups->n_row_fields);
    groups->flow_numbers = xcalloc(mlog_flow_table_limit(snapshot->flows) + 1,
                                   sizeof *groups->flow_numbers);
    init_ports(groups);
    groups->max_groups = max_groups(groups);
    return groups;
}

void
mlog_groups_destroy(struct mlog_groups *groups)
{
    if (groups) {
        intern_destroy(&groups->flow_keys);
        intern_destroy(&groups->row_keys);
        free(groups->flow_numbers);
        free(groups->local_numbers);
        free(groups->ports);
        free(groups->groups);
        free(groups->accumulators);
        free(groups);
    }
}

/* Adds groups until there are 'n', one for each interned key. */
static void
add_groups(struct mlog_groups *groups, size_t n)
{
    if (n > groups->allocated_groups) {
        groups->groups = x2nrealloc(groups->groups, &groups->allocated_groups,
                                    sizeof *groups->groups);
        groups->accumulators = xrealloc(
            groups->accumulators,
            (groups->allocated_groups * groups->spec.n_aggregates
             * sizeof *groups->accumulators) + 1);
    }
    for (; groups->n_groups < n; groups->n_groups++) {
        size_t n_aggregates = groups->spec.n_aggregates;

        memset(&groups->groups[groups->n_groups], 0, sizeof *groups->groups);
        memset(groups->accumulators + groups->n_groups * n_aggregates, 0,
               n_aggregates * sizeof *groups->accumulators);
    }
}

/* Returns the number of the flow key of the flow with number 'local' in the
 * segment of 'batch'.  It is remembered by that number for the segment, and
 * by the flow's index in the flow table for all of them. */
static uint32_t
get_flow_number(struct mlog_groups *groups, const struct mlog_batch *batch,
                uint32_t local)
{
    const uint32_t *flows = batch->segment->flows;
    uint32_t *number = (flows ? &groups->flow_numbers[flows[local]]
                        : &groups->local_numbers[local]);

    if (OVS_UNLIKELY(!*number)) {
        struct mlog_record record = {
            .key = mlog_segment_key(batch->flows, batch->segment, local),
        };
        uint64_t key[FLOW_KEY_WORDS];

        make_flow_key(groups, &record, key);
        *number = intern_get(&groups->flow_keys, key) + 1;
    }
    return *number - 1;
}

/* Returns the group of 'row' of 'batch', of 'time', which may be a new one. */
static uint32_t
find_group(struct mlog_groups *groups, const struct mlog_batch *batch,
           const struct mlog_row *row, uint64_t time)
{
    uint32_t id = get_flow_number(groups, batch, row->flow);

    if (groups->n_row_fields) {
        struct mlog_record record = {
            .key = mlog_segment_key(batch->flows, batch->segment, row->flow),
            .row = row,
            .time = time,
        };
        uint64_t key[ROW_KEY_WORDS];

        make_row_key(groups, &record, id, key);
        id = intern_get(&groups->row_keys, key);
    }
    if (OVS_UNLIKELY(id >= groups->n_groups)) {
        add_groups(groups, id + 1);
    }
    return id;
}

/* Forgets what is known by local numbers, if 'batch' is of another segment. */
static void
enter_batch(struct mlog_groups *groups, const struct mlog_batch *batch)
{
    if (!batch->segment->flows && batch->serial != groups->local_serial) {
        uint32_t n;

        atomic_read_relaxed(&CONST_CAST(struct mlog_segment *,
                                        batch->segment)->n_flows, &n);
        free(groups->local_numbers);
        groups->local_numbers = xcalloc(n, sizeof *groups->local_numbers);
        groups->local_serial = batch->serial;
    }
}

static void
accumulate(const struct mlog_query_aggregate *aggregate,
           struct accumulator *a, const struct mlog_record *record)
{
    struct mlog_value value;

    /* What struct mlog_query_group has already. */
    if (!aggregate->field || aggregate->field->id == MLOG_F_TIME
        || !mlog_field_get(aggregate->field, record, &value)) {
        return;
    }

    switch (aggregate->func) {
    case MLOG_QF_COUNT:
        break;
    case MLOG_QF_SUM:
    case MLOG_QF_AVG:
        a->value.lo += value.lo;
        break;
    case MLOG_QF_MIN:
        if (!a->n || mlog_value_compare(&value, &a->value) < 0) {
            a->value = value;
        }
        break;
    case MLOG_QF_MAX:
        if (!a->n || mlog_value_compare(&value, &a->value) > 0) {
            a->value = value;
        }
        break;
    }
    a->n++;
}

static void
accumulate_all(struct mlog_groups *groups, uint32_t id,
               const struct mlog_record *record)
{
    size_t n = groups->spec.n_aggregates;

    for (size_t i = 0; i < n; i++) {
        accumulate(&groups->spec.aggregates[i],
                   &groups->accumulators[id * n + i], record);
    }
}

/* Returns 0 or E2BIG. */
static int
add_batch(struct mlog_groups *groups, const struct mlog_batch *batch)
{
    bool needs_flow = groups->n_row_fields || groups->spec.n_aggregates;

    enter_batch(groups, batch);
    for (uint32_t i = 0; i < batch->n; i++) {
        if (needs_flow) {
            mlog_batch_prefetch(batch, i);
        }

        const struct mlog_row *row = mlog_batch_row(batch, i);
        uint64_t time = batch->segment->base_time + mlog_row_time(row);
        uint32_t id = find_group(groups, batch, row, time);
        struct mlog_query_group *group = &groups->groups[id];
        uint32_t len = mlog_row_pkt_len(row);

        if (!group->count++) {
            group->first = time;
        }
        group->bytes += len;
        group->last = time;
        groups->totals.bytes += len;
        if (groups->spec.n_aggregates) {
            struct mlog_record record;

            mlog_batch_record(batch, i, &record);
            accumulate_all(groups, id, &record);
        }
        if (OVS_UNLIKELY(groups->n_groups > groups->max_groups)) {
            return E2BIG;
        }
    }
    groups->totals.count += batch->n;
    return 0;
}

int
mlog_query_groups(const struct mlog_snapshot *snapshot,
                  const struct mlog_range *range,
                  const struct mlog_budget *budget,
                  const struct mlog_group_spec *spec,
                  struct mlog_groups **groupsp)
{
    struct mlog_scan *scan = mlog_scan_create(snapshot, range, budget);
    struct mlog_groups *groups = groups_create(snapshot, spec);
    struct mlog_batch batch;
    int error = 0;

    mlog_query_get_missing(snapshot, range, &groups->totals);
    if (!spec->n_fields && !spec->by_flow) {
        add_groups(groups, 1);          /* Also if nothing matches. */
    }
    while (!error && mlog_scan_next(scan, &batch)) {
        error = add_batch(groups, &batch);
    }
    error = error ? error : mlog_scan_error(scan);
    groups->totals.n_revoked = mlog_scan_n_expired(scan);
    groups->totals.n_unreadable = mlog_scan_n_unreadable(scan);
    if (error) {
        mlog_groups_destroy(groups);
        groups = NULL;
    }
    mlog_scan_destroy(scan);
    *groupsp = groups;
    return error;
}

/* Results. */

size_t
mlog_groups_count(const struct mlog_groups *groups)
{
    return groups->n_groups;
}

const struct mlog_query_totals *
mlog_groups_totals(const struct mlog_groups *groups)
{
    return &groups->totals;
}

const struct mlog_query_group *
mlog_groups_get(const struct mlog_groups *groups, uint32_t id)
{
    return &groups->groups[id];
}

bool
mlog_groups_field(const struct mlog_groups *groups, uint32_t id, size_t i,
                  struct mlog_value *value)
{
    uint64_t flow_number = id;
    size_t j = groups->place[i].i;
    const uint64_t *key = NULL;

    *value = (struct mlog_value) { 0, 0 };
    if (groups->n_row_fields) {
        key = intern_key(&groups->row_keys, id);
        flow_number = key[0] & UINT32_MAX;
    }
    if (groups->place[i].row) {
        if (!(key[0] & UINT64_C(1) << (32 + j))) {
            return false;
        }
        value->lo = key[1 + j];
        return true;
    }

    key = intern_key(&groups->flow_keys, flow_number);
    if (!(key[0] & UINT64_C(1) << j)) {
        return false;
    }
    value->hi = key[1 + 2 * j];
    value->lo = key[2 + 2 * j];
    return true;
}

void
mlog_groups_flow(const struct mlog_groups *groups, uint32_t id,
                 struct mlog_flow_key *key, struct mlog_record *record)
{
    const uint64_t *words = intern_key(&groups->flow_keys, id);

    ovs_assert(groups->spec.by_flow);
    memcpy(key, &words[1], sizeof *key);
    *record = (struct mlog_record) { .key = key, .flow_id = words[0] };
}

/* An aggregate of the time, which struct mlog_query_group has. */
static bool
get_time_aggregate(const struct mlog_query_group *group,
                   enum mlog_query_func func, struct mlog_value *value,
                   uint64_t *n)
{
    *n = group->count;
    switch (func) {
    case MLOG_QF_COUNT:
        value->lo = group->count;
        return true;
    case MLOG_QF_MIN:
        value->lo = group->first;
        break;
    case MLOG_QF_MAX:
        value->lo = group->last;
        break;
    case MLOG_QF_SUM:
    case MLOG_QF_AVG:
        OVS_NOT_REACHED();      /* The time is no quantity. */
    }
    return group->count > 0;
}

bool
mlog_groups_aggregate(const struct mlog_groups *groups, uint32_t id, size_t i,
                      struct mlog_value *value, uint64_t *n)
{
    const struct mlog_query_aggregate *aggregate = &groups->spec.aggregates[i];
    const struct mlog_query_group *group = &groups->groups[id];
    const struct accumulator *a
        = &groups->accumulators[id * groups->spec.n_aggregates + i];

    *value = (struct mlog_value) { 0, 0 };
    if (!aggregate->field) {
        *n = value->lo = group->count;
        return true;
    } else if (aggregate->field->id == MLOG_F_TIME) {
        return get_time_aggregate(group, aggregate->func, value, n);
    }

    *n = a->n;
    if (aggregate->func == MLOG_QF_COUNT) {
        value->lo = a->n;
        return true;
    }
    *value = a->value;
    return a->n > 0 || aggregate->func == MLOG_QF_SUM;
}

/* Order. */

struct ranked {
    struct mlog_value rank;     /* The greatest first... */
    bool has_rank;              /* ...and those without last. */
    uint32_t id;
    const struct mlog_groups *groups;
};

/* Returns the double 'd', not negative, as a number of the same order. */
static uint64_t
double_rank(double d)
{
    uint64_t rank;

    BUILD_ASSERT(sizeof rank == sizeof d);
    memcpy(&rank, &d, sizeof rank);
    return rank;
}

static struct ranked
rank_group(const struct mlog_groups *groups, uint32_t id, int by)
{
    const struct mlog_query_group *group = &groups->groups[id];
    struct ranked ranked = { .has_rank = true, .id = id, .groups = groups };
    uint64_t n;

    if (by == MLOG_GROUPS_BY_COUNT) {
        ranked.rank.lo = group->count;
    } else if (by == MLOG_GROUPS_BY_BYTES) {
        ranked.rank.lo = group->bytes;
    } else {
        ranked.has_rank = mlog_groups_aggregate(groups, id, by, &ranked.rank,
                                                &n);
        if (ranked.has_rank
            && groups->spec.aggregates[by].func == MLOG_QF_AVG) {
            ranked.rank.lo = double_rank((double) ranked.rank.lo / n);
        }
    }
    return ranked;
}

static int
compare_fields(const struct mlog_groups *groups, uint32_t a, uint32_t b)
{
    if (groups->spec.by_flow) {
        const struct intern *keys = &groups->flow_keys;

        return memcmp(intern_key(keys, a) + 1, intern_key(keys, b) + 1,
                      sizeof(struct mlog_flow_key));
    }
    for (size_t i = 0; i < groups->spec.n_fields; i++) {
        struct mlog_value va, vb;
        bool has_a = mlog_groups_field(groups, a, i, &va);
        bool has_b = mlog_groups_field(groups, b, i, &vb);
        int cmp = (has_a != has_b ? has_b - has_a
                   : mlog_value_compare(&va, &vb));

        if (cmp) {
            return cmp;
        }
    }
    return 0;
}

static int
compare_ranked(const void *a_, const void *b_)
{
    const struct ranked *a = a_;
    const struct ranked *b = b_;
    int cmp;

    if (a->has_rank != b->has_rank) {
        return b->has_rank - a->has_rank;
    }
    cmp = mlog_value_compare(&b->rank, &a->rank);
    if (!cmp) {
        cmp = compare_fields(a->groups, a->id, b->id);
    }
    return cmp ? cmp : a->id < b->id ? -1 : a->id > b->id;
}

uint32_t *
mlog_groups_top(const struct mlog_groups *groups, int by, size_t n)
{
    struct ranked *ranked = xmalloc((groups->n_groups + 1) * sizeof *ranked);
    uint32_t *ids = xmalloc((n + 1) * sizeof *ids);

    for (uint32_t id = 0; id < groups->n_groups; id++) {
        ranked[id] = rank_group(groups, id, by);
    }
    qsort(ranked, groups->n_groups, sizeof *ranked, compare_ranked);
    for (size_t i = 0; i < n; i++) {
        ids[i] = ranked[i].id;
    }
    free(ranked);
    return ids;
}
