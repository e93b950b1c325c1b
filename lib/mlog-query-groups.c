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

#include "mlog-flow-id.h"
#include "mlog-flow-table.h"
#include "mlog-ports.h"
#include "mlog-query-private.h"
#include "openvswitch/shash.h"
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
    const struct mlog_group_spec *spec = &groups->spec;
    bool any = spec->by_flow;
    bool names = spec->by_flow;

    for (size_t i = 0; i < spec->n_fields; i++) {
        any |= is_port(spec->fields[i]);
        names |= spec->fields[i]->type == MLOG_FT_PORT_NAME;
    }
    for (size_t i = 0; i < groups->n_tallies; i++) {
        any |= is_port(groups->tally_specs[i].field);
        names |= groups->tally_specs[i].field->type == MLOG_FT_PORT_NAME;
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
    if (spec->bucket) {
        key[1 + groups->n_row_fields] = groups->bucket;
    }
}

/* Returns the bytes that a group takes, without its tallies. */
static size_t
group_size(const struct mlog_groups *groups)
{
    size_t words = (groups->flow_keys.n_words
                    + (groups->has_row_key ? groups->row_keys.n_words : 0));

    return (sizeof *groups->groups + words * sizeof(uint64_t)
            + groups->spec.n_aggregates * sizeof *groups->accumulators
            + groups->n_tallies * sizeof *groups->tallies);
}

/* Sets up the tallies, one for each field that has any use of one. */
static void
init_tallies(struct mlog_groups *groups)
{
    static const int uses[] = {
        [MLOG_QF_DISTINCT] = MLOG_TALLY_DISTINCT,
        [MLOG_QF_PERCENTILE] = MLOG_TALLY_PERCENTILE,
        [MLOG_QF_TOPK] = MLOG_TALLY_TOP,
    };
    const struct mlog_group_spec *spec = &groups->spec;

    mlog_tally_pool_init(&groups->pool, MLOG_QUERY_MAX_MEMORY / 2);
    if (spec->max_exact) {
        groups->pool.max_values = spec->max_exact;
    }
    for (size_t i = 0; i < spec->n_aggregates; i++) {
        const struct mlog_query_aggregate *aggregate = &spec->aggregates[i];
        size_t j;

        if (!mlog_query_func_tallies(aggregate->func)) {
            continue;
        }
        for (j = 0; j < groups->n_tallies; j++) {
            if (groups->tally_specs[j].field == aggregate->field) {
                break;
            }
        }
        groups->n_tallies = MAX(groups->n_tallies, j + 1);
        groups->tally_of[i] = j;
        groups->tally_specs[j].field = aggregate->field;
        groups->tally_specs[j].uses |= uses[aggregate->func];
        if (aggregate->func == MLOG_QF_TOPK) {
            groups->tally_specs[j].max_top
                = MAX(groups->tally_specs[j].max_top, aggregate->param);
        }
    }
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
    groups->has_row_key = groups->n_row_fields || spec->bucket;
    if (spec->bucket && !groups->n_row_fields) {
        groups->cache = xcalloc(GROUP_CACHE_SIZE, sizeof *groups->cache);
    }
    mlog_intern_init(&groups->flow_keys,
                     (spec->by_flow ? BY_FLOW_WORDS
                      : 1 + 2 * groups->n_flow_fields));
    mlog_intern_init(&groups->row_keys,
                     1 + groups->n_row_fields + (spec->bucket != 0));
    groups->flow_numbers = xcalloc(mlog_flow_table_limit(snapshot->flows) + 1,
                                   sizeof *groups->flow_numbers);
    init_tallies(groups);
    init_ports(groups);
    groups->max_groups = MIN(MLOG_QUERY_MAX_GROUPS,
                             MLOG_QUERY_MAX_MEMORY / group_size(groups));
    return groups;
}

void
mlog_groups_destroy(struct mlog_groups *groups)
{
    if (groups) {
        for (size_t i = 0; i < groups->n_groups * groups->n_tallies; i++) {
            mlog_tally_destroy(groups->tallies[i]);
        }
        mlog_intern_destroy(&groups->flow_keys);
        mlog_intern_destroy(&groups->row_keys);
        free(groups->flow_numbers);
        free(groups->local_numbers);
        free(groups->ports);
        free(groups->cache);
        free(groups->groups);
        free(groups->accumulators);
        free(groups->tallies);
        free(groups);
    }
}

/* Makes room for 'n' groups. */
static void
reserve_groups(struct mlog_groups *groups, size_t n)
{
    if (n > groups->allocated_groups) {
        groups->groups = x2nrealloc(groups->groups, &groups->allocated_groups,
                                    sizeof *groups->groups);
        groups->accumulators = xrealloc(
            groups->accumulators,
            (groups->allocated_groups * groups->spec.n_aggregates
             * sizeof *groups->accumulators) + 1);
        groups->tallies = xrealloc(
            groups->tallies, (groups->allocated_groups * groups->n_tallies
                              * sizeof *groups->tallies) + 1);
    }
}

/* Adds groups until there are 'n', one for each interned key. */
static void
add_groups(struct mlog_groups *groups, size_t n)
{
    size_t n_aggregates = groups->spec.n_aggregates;
    size_t n_tallies = groups->n_tallies;

    for (; groups->n_groups < n; groups->n_groups++) {
        size_t i = groups->n_groups;

        reserve_groups(groups, i + 1);
        memset(&groups->groups[i], 0, sizeof *groups->groups);
        memset(groups->accumulators + i * n_aggregates, 0,
               n_aggregates * sizeof *groups->accumulators);
        memset(groups->tallies + i * n_tallies, 0,
               n_tallies * sizeof *groups->tallies);
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
        *number = mlog_intern_get(&groups->flow_keys, key) + 1;
    }
    return *number - 1;
}

/* Returns the group with the key of number 'id' among the row keys, of 'row'
 * if they have any field, and 'flow_number'. */
static uint32_t
find_row_key(struct mlog_groups *groups, const struct mlog_record *record,
             uint32_t flow_number)
{
    uint64_t key[ROW_KEY_WORDS];

    make_row_key(groups, record, flow_number, key);
    return mlog_intern_get(&groups->row_keys, key);
}

/* Makes the bucket of 'time' the current one. */
static inline void
set_bucket(struct mlog_groups *groups, uint64_t time)
{
    if (OVS_UNLIKELY(time < groups->bucket_start
                     || time >= groups->bucket_end)) {
        uint64_t width = groups->spec.bucket;

        groups->bucket = time / width;
        groups->bucket_start = groups->bucket * width;
        groups->bucket_end = groups->bucket_start + width;
        if (groups->bucket_end < width) {
            groups->bucket_end = UINT64_MAX;
        }
    }
}

/* Returns the group of the flow key in the current bucket. */
static uint32_t
find_in_bucket(struct mlog_groups *groups, uint32_t flow_number)
{
    struct group_cache_entry *entry
        = &groups->cache[flow_number % GROUP_CACHE_SIZE];

    if (entry->flow_number != flow_number + 1
        || entry->bucket != groups->bucket) {
        *entry = (struct group_cache_entry) {
            .bucket = groups->bucket,
            .flow_number = flow_number + 1,
            .id = find_row_key(groups, NULL, flow_number),
        };
    }
    return entry->id;
}

/* Returns the group of 'row' of 'batch', of 'time', which may be a new one. */
static uint32_t
find_group(struct mlog_groups *groups, const struct mlog_batch *batch,
           const struct mlog_row *row, uint64_t time)
{
    uint32_t id = get_flow_number(groups, batch, row->flow);

    if (groups->has_row_key) {
        if (groups->spec.bucket) {
            set_bucket(groups, time);
        }
        if (groups->cache) {
            id = find_in_bucket(groups, id);
        } else {
            struct mlog_record record = {
                .key = mlog_segment_key(batch->flows, batch->segment,
                                        row->flow),
                .row = row,
                .time = time,
            };

            id = find_row_key(groups, &record, id);
        }
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

/* Quantities have at most 32 bits. */
static void
add_square(struct accumulator *a, uint64_t value)
{
    a->squares_high += __builtin_add_overflow(a->value.hi, value * value,
                                              &a->value.hi);
}

static void
accumulate(const struct mlog_query_aggregate *aggregate,
           struct accumulator *a, const struct mlog_record *record)
{
    struct mlog_value value;

    /* What struct mlog_query_group has already, and tallies. */
    if (!aggregate->field || aggregate->field->id == MLOG_F_TIME
        || mlog_query_func_tallies(aggregate->func)
        || !mlog_field_get(aggregate->field, record, &value)) {
        return;
    }

    switch (aggregate->func) {
    case MLOG_QF_COUNT:
        break;
    case MLOG_QF_SUM:
    case MLOG_QF_AVG:
    case MLOG_QF_RATE:
        a->value.lo += value.lo;
        break;
    case MLOG_QF_STDDEV:
        a->value.lo += value.lo;
        add_square(a, value.lo);
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
    case MLOG_QF_DISTINCT:
    case MLOG_QF_PERCENTILE:
    case MLOG_QF_TOPK:
        OVS_NOT_REACHED();
    }
    a->n++;
}

static void
accumulate_tally(struct mlog_groups *groups, uint32_t id, size_t i,
                 const struct mlog_record *record)
{
    const struct tally_spec *spec = &groups->tally_specs[i];
    struct mlog_tally **tally = &groups->tallies[id * groups->n_tallies + i];
    struct mlog_value value;

    if (get_value(groups, spec->field, record, &value)) {
        if (OVS_UNLIKELY(!*tally)) {
            *tally = mlog_tally_create(&groups->pool, spec->uses,
                                       spec->max_top);
        }
        mlog_tally_add(*tally, &value);
    }
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
    for (size_t i = 0; i < groups->n_tallies; i++) {
        accumulate_tally(groups, id, i, record);
    }
}

static void
add_row(struct mlog_groups *groups, const struct mlog_batch *batch,
        uint32_t i)
{
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
}

static uint64_t
memory_of(const struct mlog_groups *groups)
{
    return groups->pool.memory + groups->n_groups * group_size(groups);
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
        add_row(groups, batch, i);
        if (OVS_UNLIKELY(groups->n_groups > groups->max_groups)) {
            return E2BIG;
        }
    }
    groups->totals.count += batch->n;
    return memory_of(groups) > MLOG_QUERY_MAX_MEMORY ? E2BIG : 0;
}

/* The first and the last of the groups, by their records' times, ns.  False if
 * there are no records. */
static bool
get_first_and_last(const struct mlog_groups *groups, uint64_t *first,
                   uint64_t *last)
{
    *first = UINT64_MAX;
    *last = 0;
    for (size_t i = 0; i < groups->n_groups; i++) {
        if (groups->groups[i].count) {
            *first = MIN(*first, groups->groups[i].first);
            *last = MAX(*last, groups->groups[i].last);
        }
    }
    return *first <= *last;
}

/* Without fields, sees to it that there is a group for each bucket.  Returns 0
 * or EDOM. */
static int
fill_buckets(struct mlog_groups *groups, uint64_t since, uint64_t until,
             bool to_last)
{
    uint64_t width = groups->spec.bucket;
    uint64_t first, last;

    if (get_first_and_last(groups, &first, &last)) {
        since = since ? since : first;
        until = to_last ? last : until;
    } else if (!since || to_last) {
        return 0;
    }
    if (since > until) {
        return 0;
    }
    if (until / width - since / width >= MLOG_QUERY_MAX_BUCKETS) {
        return EDOM;
    }
    for (uint64_t i = since / width; i <= until / width; i++) {
        const struct mlog_record none = { .time = 0 };

        groups->bucket = i;
        find_row_key(groups, &none, 0);
    }
    add_groups(groups, groups->row_keys.n);
    return 0;
}

/* Tells early that there will be too many buckets. */
static int
check_buckets(const struct mlog_group_spec *spec, uint64_t since,
              uint64_t until, bool to_last)
{
    return (spec->bucket && !spec->n_fields && since && !to_last
            && since <= until
            && (until / spec->bucket - since / spec->bucket
                >= MLOG_QUERY_MAX_BUCKETS)
            ? EDOM : 0);
}

/* Adds what doesn't come from records. */
static int
complete(struct mlog_groups *groups, uint64_t since, uint64_t until,
         bool to_last)
{
    uint64_t last;

    groups->since = since;
    groups->until = until;
    if (!since && !get_first_and_last(groups, &groups->since, &last)) {
        groups->since = until;
    }
    return (groups->spec.bucket && !groups->spec.n_fields
            ? fill_buckets(groups, since, until, to_last) : 0);
}

/* Makes the one group that there is without fields and buckets, or its flow
 * key. */
static void
make_first(struct mlog_groups *groups)
{
    if (!groups->spec.n_fields && !groups->spec.by_flow) {
        const uint64_t key = 0;

        mlog_intern_get(&groups->flow_keys, &key);
        if (!groups->spec.bucket) {
            add_groups(groups, 1);          /* Also if nothing matches. */
        }
    }
}

/* The columns of rows that grouping looks at. */
static uint32_t
needed_columns(const struct mlog_group_spec *spec)
{
    uint32_t columns = 1u << MLOG_COLUMN_PKT_LEN;

    for (size_t i = 0; i < spec->n_fields; i++) {
        columns |= mlog_scan_field_columns(spec->fields[i]->id);
    }
    for (size_t i = 0; i < spec->n_aggregates; i++) {
        const struct mlog_field *field = spec->aggregates[i].field;

        columns |= field ? mlog_scan_field_columns(field->id) : 0;
    }
    return columns;
}

int
mlog_query_groups(const struct mlog_snapshot *snapshot,
                  const struct mlog_range *range,
                  const struct mlog_budget *budget,
                  const struct mlog_group_spec *spec,
                  struct mlog_groups **groupsp)
{
    struct mlog_groups *groups;
    struct mlog_scan *scan;
    struct mlog_batch batch;
    uint64_t since, until;
    bool to_last;
    int error;

    *groupsp = NULL;
    mlog_query_effective_range(snapshot, range, &since, &until);
    to_last = !since && until == snapshot->cut;
    error = check_buckets(spec, since, until, to_last);
    if (error) {
        return error;
    }

    groups = groups_create(snapshot, spec);
    scan = mlog_scan_create(snapshot, range, budget);
    mlog_scan_set_columns(scan, needed_columns(spec));
    mlog_query_get_missing(snapshot, range, &groups->totals);
    make_first(groups);
    while (!error && mlog_scan_next(scan, &batch)) {
        error = add_batch(groups, &batch);
        mlog_scan_set_memory(scan, memory_of(groups));
    }

    int scan_error = mlog_query_end_scan__(scan, &groups->totals);
    error = error ? error : scan_error;
    error = error ? error : complete(groups, since, until, to_last);
    if (error) {
        mlog_groups_destroy(groups);
        groups = NULL;
    }
    *groupsp = groups;
    return error;
}
