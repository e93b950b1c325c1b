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

#include "ovsdb-private.h"

#include "mlog-aggregate.h"
#include "mlog-alert.h"
#include "multilog.h"
#include "openvswitch/shash.h"
#include "ovsdb-idl.h"
#include "smap.h"
#include "util.h"
#include "vswitchd-ext/multilog-idl.h"

/* Everything here is written at most every few seconds, and the IDL sends only
 * what has changed. */

void
ovsdb_status_register(struct ovsdb_idl *idl)
{
    static const struct ovsdb_idl_column *const columns[] = {
        &mlogrec_multilog_col_status,
        &mlogrec_archive_col_status,
        &mlogrec_filter_col_statistics,
        &mlogrec_aggregate_col_statistics,
        &mlogrec_trigger_col_statistics,
        &mlogrec_ring_col_name,
        &mlogrec_ring_col_huge_pages,
        &mlogrec_ring_col_statistics,
        &mlogrec_segment_class_col_name,
        &mlogrec_segment_class_col_segments,
        &mlogrec_segment_class_col_records,
        &mlogrec_segment_class_col_bytes,
        &mlogrec_gap_col_begin,
        &mlogrec_gap_col_end,
        &mlogrec_gap_col_reason,
        &mlogrec_gap_col_records,
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
        ovsdb_idl_omit_alert(idl, columns[i]);
    }
}

#define PUT_STATISTICS(IDL, TABLE, ROW, KEYS, ...)                      \
    do {                                                                \
        const int64_t values_[] = { __VA_ARGS__ };                      \
                                                                        \
        BUILD_ASSERT(ARRAY_SIZE(values_) == ARRAY_SIZE(KEYS));          \
        PUT(IDL, TABLE, ROW, statistics, KEYS, values_,                 \
            ARRAY_SIZE(KEYS));                                          \
    } while (0)

/* What belongs to filters, aggregates and triggers.
 *
 * It is copied while the digest waits, and written afterwards. */

struct filter_counts {
    int64_t packets, bytes;
};

struct aggregate_counts {
    int64_t groups, memory, overflow;
};

struct trigger_counts {
    int64_t pending, raised, raises, clears, suppressed;
};

struct counts {
    struct shash filters;
    struct shash aggregates;
    struct shash triggers;
};

struct ovsdb_status {
    struct multilog_status general;
    uint64_t n_alerts_lost;
    struct counts counts;
};

static void
get_counts(struct multilog *ml, struct counts *counts)
{
    struct mlog_aggregate_info *aggregates;
    struct mlog_trigger_info *triggers;
    struct mlog_filter_info *filters;
    size_t n;

    mlog_digest_lock(ml->digest);
    n = mlog_stream_get_filters(ml->stream, &filters);
    for (size_t i = 0; i < n; i++) {
        struct filter_counts c = { filters[i].n_packets, filters[i].n_bytes };

        shash_add(&counts->filters, filters[i].name,
                  xmemdup(&c, sizeof c));
    }
    n = mlog_stream_get_aggregates(ml->stream, &aggregates);
    for (size_t i = 0; i < n; i++) {
        const struct mlog_aggregate_info *a = &aggregates[i];
        struct aggregate_counts c = { a->n_groups, a->memory, a->n_overflow };

        shash_add(&counts->aggregates, a->def->name, xmemdup(&c, sizeof c));
    }
    n = mlog_stream_get_triggers(ml->stream, &triggers);
    for (size_t i = 0; i < n; i++) {
        const struct mlog_trigger_info *t = &triggers[i];
        struct trigger_counts c = { t->n_pending, t->n_raised, t->n_raises,
                                    t->n_clears, t->n_suppressed };

        shash_add(&counts->triggers, t->def->name, xmemdup(&c, sizeof c));
    }
    mlog_digest_unlock(ml->digest);
    free(filters);
    free(aggregates);
    free(triggers);
}

/* Whether a row has 'values' for 'keys' already. */
static bool
is_same(const char *keys[], const int64_t values[], size_t n,
        char *row_keys[], const int64_t row_values[], size_t row_n)
{
    if (n != row_n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (values[i] != row_values[i] || strcmp(keys[i], row_keys[i])) {
            return false;
        }
    }
    return true;
}

/* Writes a row's statistics if they have changed, and counts that. */
#define PUT_CHANGED(IDL, TABLE, ROW, KEYS, N, ...)                      \
    do {                                                                \
        const int64_t changed_[] = { __VA_ARGS__ };                     \
                                                                        \
        if (!is_same(KEYS, changed_, ARRAY_SIZE(changed_),              \
                     (ROW)->key_statistics, (ROW)->value_statistics,    \
                     (ROW)->n_statistics)) {                            \
            PUT_STATISTICS(IDL, TABLE, ROW, KEYS, __VA_ARGS__);         \
            (*(N))++;                                                   \
        }                                                               \
    } while (0)

static void
put_filters(struct ovsdb_idl *idl, const struct counts *counts, size_t *n)
{
    static const char *keys[] = { "bytes", "packets" };
    const struct mlogrec_filter *row;

    MLOGREC_FILTER_FOR_EACH (row, idl) {
        const struct filter_counts *c = shash_find_data(&counts->filters,
                                                        row->name);

        if (*n >= OVSDB_MAX_ROWS) {
            break;
        } else if (c) {
            PUT_CHANGED(idl, filter, row, keys, n, c->bytes, c->packets);
        }
    }
}

static void
put_aggregates(struct ovsdb_idl *idl, const struct counts *counts, size_t *n)
{
    static const char *keys[] = { "groups", "memory", "overflow_records" };
    const struct mlogrec_aggregate *row;

    MLOGREC_AGGREGATE_FOR_EACH (row, idl) {
        const struct aggregate_counts *c = shash_find_data(
            &counts->aggregates, row->name);

        if (*n >= OVSDB_MAX_ROWS) {
            break;
        } else if (c) {
            PUT_CHANGED(idl, aggregate, row, keys, n, c->groups, c->memory,
                        c->overflow);
        }
    }
}

static void
put_triggers(struct ovsdb_idl *idl, const struct counts *counts, size_t *n)
{
    static const char *keys[] = { "clears", "pending", "raised", "raises",
                                  "suppressed" };
    const struct mlogrec_trigger *row;

    MLOGREC_TRIGGER_FOR_EACH (row, idl) {
        const struct trigger_counts *c = shash_find_data(&counts->triggers,
                                                         row->name);

        if (*n >= OVSDB_MAX_ROWS) {
            break;
        } else if (c) {
            PUT_CHANGED(idl, trigger, row, keys, n, c->clears, c->pending,
                        c->raised, c->raises, c->suppressed);
        }
    }
}

/* The root row and the archive's. */

static void
put_archive(struct ovsdb_idl *idl, const struct mlogrec_archive *row,
            const struct mlog_archiver_status *archiver)
{
    struct smap status = SMAP_INITIALIZER(&status);

    smap_add_format(&status, "segments", "%"PRIu64, archiver->stats.files);
    smap_add_format(&status, "bytes", "%"PRIu64, archiver->stats.bytes);
    if (archiver->error) {
        smap_add(&status, "problem", ovs_strerror(archiver->error));
    }
    PUT(idl, archive, row, status, &status);
    smap_destroy(&status);
}

static void
put_root(struct ovsdb_idl *idl, const struct multilog_status *s,
         uint64_t n_alerts_lost)
{
    const struct mlogrec_multilog *row = ovsdb_config_root(idl);
    struct smap status = SMAP_INITIALIZER(&status);

    if (!row) {
        return;
    }
    smap_add(&status, "version", MLOG_VERSION);
    smap_add(&status, "capture", s->capturing ? "true" : "false");
    smap_add_format(&status, "started", "%"PRIu64, s->started);
    smap_add_format(&status, "memory-budget", "%"PRIu64, s->budget);
    smap_add_format(&status, "memory-used", "%"PRIu64,
                    s->ring_memory + s->flow_memory + s->log.memory);
    smap_add_format(&status, "records", "%"PRIu64, s->log.n_rows);
    smap_add_format(&status, "records-lost", "%"PRIu64, s->n_lost);
    smap_add_format(&status, "flows", "%"PRIuSIZE, s->n_flows);
    smap_add_format(&status, "alerts-lost", "%"PRIu64, n_alerts_lost);
    PUT(idl, multilog, row, status, &status);
    smap_destroy(&status);
    if (row->archive) {
        put_archive(idl, row->archive, &s->archiver);
    }
}

/* Rings. */

static void
put_ring(struct ovsdb_idl *idl, const struct mlogrec_ring *row,
         const struct mlog_ring_stats *ring)
{
    static const char *keys[] = { "captured", "lost", "slots" };

    PUT(idl, ring, row, huge_pages, ring->huge);
    PUT_STATISTICS(idl, ring, row, keys, ring->n_captured, ring->n_lost,
                   ring->n_slots);
}

/* A thread whose ring is full of old records may have a second ring by the
 * same name for a while; that has no row. */
static void
put_rings(struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn,
          const struct multilog_status *s)
{
    struct shash wanted = SHASH_INITIALIZER(&wanted);
    const struct mlogrec_ring *row;
    struct shash_node *node;

    for (size_t i = 0; i < s->n_rings; i++) {
        shash_replace(&wanted, s->rings[i].name, &s->rings[i]);
    }
    MLOGREC_RING_FOR_EACH_SAFE (row, idl) {
        const struct mlog_ring_stats *ring = shash_find_and_delete(
            &wanted, row->name);

        if (ring) {
            put_ring(idl, row, ring);
        } else {
            mlogrec_ring_delete(row);
        }
    }
    SHASH_FOR_EACH (node, &wanted) {
        row = mlogrec_ring_insert(txn);
        mlogrec_ring_set_name(row, node->name);
        put_ring(idl, row, node->data);
    }
    shash_destroy(&wanted);
}

/* Classes of segments. */

static const struct mlogrec_segment_class *
get_class(struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn, const char *name)
{
    const struct mlogrec_segment_class *row;

    MLOGREC_SEGMENT_CLASS_FOR_EACH (row, idl) {
        if (!strcmp(row->name, name)) {
            return row;
        }
    }
    row = mlogrec_segment_class_insert(txn);
    mlogrec_segment_class_set_name(row, name);
    return row;
}

static void
put_class(struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn, const char *name,
          uint64_t segments, uint64_t records, uint64_t bytes)
{
    const struct mlogrec_segment_class *row = get_class(idl, txn, name);

    PUT(idl, segment_class, row, segments, segments);
    PUT(idl, segment_class, row, records, records);
    PUT(idl, segment_class, row, bytes, bytes);
}

/* Segments that are full but not yet sealed count as open. */
static void
put_classes(struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn,
            const struct multilog_status *s)
{
    put_class(idl, txn, "open", s->log.n_segments - s->log.n_sealed,
              s->log.n_rows - MIN(s->log.n_sealed_rows, s->log.n_rows),
              s->log.memory - MIN(s->log.sealed_memory, s->log.memory));
    put_class(idl, txn, "sealed", s->log.n_sealed, s->log.n_sealed_rows,
              s->log.sealed_memory);
    put_class(idl, txn, "archived", s->archiver.stats.files,
              s->archiver.stats.records, s->archiver.stats.bytes);
}

/* Gaps, which grow while they are the newest. */

static const struct mlogrec_gap *
get_gap(struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn,
        const struct mlog_gap *gap)
{
    const char *reason = mlog_loss_to_string(gap->reason);
    const struct mlogrec_gap *row;

    MLOGREC_GAP_FOR_EACH (row, idl) {
        if (row->begin == (int64_t) gap->from
            && !strcmp(row->reason, reason)) {
            return row;
        }
    }
    row = mlogrec_gap_insert(txn);
    mlogrec_gap_set_begin(row, gap->from);
    mlogrec_gap_set_reason(row, reason);
    return row;
}

static bool
has_gap(const struct multilog_status *s, const struct mlogrec_gap *row)
{
    for (size_t i = 0; i < s->n_gaps; i++) {
        if (row->begin == (int64_t) s->gaps[i].from
            && !strcmp(row->reason, mlog_loss_to_string(s->gaps[i].reason))) {
            return true;
        }
    }
    return false;
}

static void
put_gaps(struct ovsdb_idl *idl, struct ovsdb_idl_txn *txn,
         const struct multilog_status *s)
{
    const struct mlogrec_gap *row;

    MLOGREC_GAP_FOR_EACH_SAFE (row, idl) {
        if (!has_gap(s, row)) {
            mlogrec_gap_delete(row);
        }
    }
    for (size_t i = 0; i < s->n_gaps; i++) {
        row = get_gap(idl, txn, &s->gaps[i]);
        PUT(idl, gap, row, end, s->gaps[i].to);
        PUT(idl, gap, row, records, s->gaps[i].count);
    }
}

struct ovsdb_status *
ovsdb_status_create(struct multilog *ml, uint64_t n_alerts_lost)
{
    struct ovsdb_status *status = xzalloc(sizeof *status);

    status->n_alerts_lost = n_alerts_lost;
    shash_init(&status->counts.filters);
    shash_init(&status->counts.aggregates);
    shash_init(&status->counts.triggers);
    multilog_get_status(ml, &status->general);
    get_counts(ml, &status->counts);
    return status;
}

void
ovsdb_status_destroy(struct ovsdb_status *status)
{
    if (status) {
        multilog_status_destroy(&status->general);
        shash_destroy_free_data(&status->counts.filters);
        shash_destroy_free_data(&status->counts.aggregates);
        shash_destroy_free_data(&status->counts.triggers);
        free(status);
    }
}

bool
ovsdb_status_put(const struct ovsdb_status *status, struct ovsdb_idl *idl,
                 struct ovsdb_idl_txn *txn)
{
    size_t n = 0;

    put_root(idl, &status->general, status->n_alerts_lost);
    if (mlogrec_server_has_ring_table(idl)) {
        put_rings(idl, txn, &status->general);
    }
    if (mlogrec_server_has_segment_class_table(idl)) {
        put_classes(idl, txn, &status->general);
    }
    if (mlogrec_server_has_gap_table(idl)) {
        put_gaps(idl, txn, &status->general);
    }
    put_filters(idl, &status->counts, &n);
    put_aggregates(idl, &status->counts, &n);
    put_triggers(idl, &status->counts, &n);
    return n < OVSDB_MAX_ROWS;
}
