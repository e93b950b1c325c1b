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

#include "mlog-alert.h"
#include "mlog-fields.h"
#include "multilog.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/list.h"
#include "ovs-thread.h"
#include "ovsdb-idl.h"
#include "smap.h"
#include "util.h"
#include "vswitchd-ext/multilog-idl.h"

/* The digest's hook appends each alert to a queue, and wakes the thread that
 * writes them.  If the queue is full, as the database is away or can't keep
 * up, the oldest alert goes: their numbers tell how many are missing.
 *
 * Alert N of this process has number 'base' + N in the database.  'base' is
 * such that numbers go on from those that are there. */

#define MAX_QUEUE 16384
#define MAX_BATCH 500

struct entry {
    struct ovs_list node;
    struct mlog_alert alert;
};

struct ovsdb_alerts {
    struct multilog *ml;
    void (*wake)(void);

    struct ovs_mutex mutex;
    struct ovs_list queue OVS_GUARDED;  /* Oldest first. */
    size_t n_queue OVS_GUARDED;
    bool active OVS_GUARDED;
    uint64_t last_seq OVS_GUARDED;      /* Of what was queued, ever. */
    uint64_t n_lost OVS_GUARDED;
    uint64_t n_written OVS_GUARDED;

    struct ovs_list batch;      /* In the present transaction. */
    size_t n_batch;
    bool has_base;
    int64_t base;
    uint64_t sent_seq;          /* Of what was in a transaction. */
    uint64_t done_seq;          /* Of what is written. */
};

/* Of the present IDL, to which it belongs. */
static struct ovsdb_idl_index *triggers_by_name;

static void
entry_destroy(struct entry *entry)
{
    mlog_trigger_def_unref(entry->alert.trigger);
    mlog_aggregate_def_unref(entry->alert.aggregate);
    free(entry);
}

static void
destroy_list(struct ovs_list *list)
{
    struct entry *entry;

    LIST_FOR_EACH_POP (entry, node, list) {
        entry_destroy(entry);
    }
}

static struct entry *
entry_create(const struct mlog_alert *alert)
{
    struct entry *entry = xmalloc(sizeof *entry);

    entry->alert = *alert;
    if (alert->trigger) {
        mlog_trigger_def_ref(alert->trigger);
    }
    mlog_aggregate_def_ref(alert->aggregate);
    return entry;
}

static void
enqueue(struct ovsdb_alerts *alerts, const struct mlog_alert *alert)
    OVS_REQUIRES(alerts->mutex)
{
    if (alerts->n_queue >= MAX_QUEUE) {
        entry_destroy(CONTAINER_OF(ovs_list_pop_front(&alerts->queue),
                                   struct entry, node));
        alerts->n_queue--;
        alerts->n_lost++;
    }
    ovs_list_push_back(&alerts->queue, &entry_create(alert)->node);
    alerts->n_queue++;
    alerts->last_seq = alert->seq;
}

/* On the digest thread. */
static void
alert_hook(const struct mlog_alert *alert, void *alerts_)
{
    struct ovsdb_alerts *alerts = alerts_;
    bool wake = false;

    ovs_mutex_lock(&alerts->mutex);
    if (alerts->active) {
        wake = !alerts->n_queue;
        enqueue(alerts, alert);
    }
    ovs_mutex_unlock(&alerts->mutex);
    if (wake) {
        alerts->wake();
    }
}

static void
set_hook(struct ovsdb_alerts *alerts, bool set)
{
    struct mlog_alert_log *log = mlog_stream_alerts(alerts->ml->stream);

    mlog_digest_lock(alerts->ml->digest);
    log->hook = set ? alert_hook : NULL;
    log->hook_aux = alerts;
    mlog_digest_unlock(alerts->ml->digest);
}

struct ovsdb_alerts *
ovsdb_alerts_create(struct multilog *ml, void (*wake)(void))
{
    struct ovsdb_alerts *alerts = xzalloc(sizeof *alerts);

    alerts->ml = ml;
    alerts->wake = wake;
    ovs_mutex_init(&alerts->mutex);
    ovs_list_init(&alerts->queue);
    ovs_list_init(&alerts->batch);
    set_hook(alerts, true);
    return alerts;
}

void
ovsdb_alerts_destroy(struct ovsdb_alerts *alerts)
{
    if (alerts) {
        set_hook(alerts, false);
        destroy_list(&alerts->queue);
        destroy_list(&alerts->batch);
        ovs_mutex_destroy(&alerts->mutex);
        free(alerts);
    }
}

void
ovsdb_alerts_start(struct ovsdb_alerts *alerts)
{
    struct mlog_alert *old;
    uint64_t n_discarded;
    size_t n;

    mlog_digest_lock(alerts->ml->digest);
    ovs_mutex_lock(&alerts->mutex);
    n = mlog_alert_log_read(mlog_stream_alerts(alerts->ml->stream),
                            alerts->last_seq, MLOG_MAX_ALERTS, &old,
                            &n_discarded);
    for (size_t i = 0; i < n; i++) {
        enqueue(alerts, &old[i]);
    }
    alerts->n_lost += n_discarded;
    alerts->active = true;
    ovs_mutex_unlock(&alerts->mutex);
    mlog_digest_unlock(alerts->ml->digest);
    mlog_alerts_destroy(old, n);
}

void
ovsdb_alerts_stop(struct ovsdb_alerts *alerts)
{
    ovs_mutex_lock(&alerts->mutex);
    alerts->active = false;
    destroy_list(&alerts->queue);
    alerts->n_queue = 0;
    ovs_mutex_unlock(&alerts->mutex);
    alerts->has_base = false;
}

void
ovsdb_alerts_register(struct ovsdb_idl *idl)
{
    ovsdb_idl_add_column(idl, &mlogrec_alert_col_seq);
    ovsdb_idl_omit_alert(idl, &mlogrec_alert_col_seq);
    triggers_by_name = ovsdb_idl_index_create1(idl,
                                               &mlogrec_trigger_col_name);
}

void
ovsdb_alerts_begin(struct ovsdb_alerts *alerts, struct ovsdb_idl *idl)
{
    const struct mlogrec_alert *row;
    int64_t max = 0;

    MLOGREC_ALERT_FOR_EACH (row, idl) {
        max = MAX(max, row->seq);
    }

    /* Numbers up to 'sent_seq' may be there though no reply said so; higher
     * ones are of another process. */
    if (!alerts->has_base || max > alerts->base + (int64_t) alerts->sent_seq) {
        alerts->base = max - (int64_t) alerts->done_seq;
        alerts->has_base = true;
    }
}

/* Rows. */

static void
put_group(struct ovsdb_idl *idl, const struct mlogrec_alert *row,
          const struct mlog_alert *alert)
{
    const struct mlog_aggregate_def *def = alert->aggregate;
    struct smap group = SMAP_INITIALIZER(&group);

    if (alert->key.other) {
        smap_add(&group, "other", "true");
    }
    for (size_t i = 0; i < def->n_keys && !alert->key.other; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        if (alert->key.present & 1u << i) {
            mlog_field_format(def->keys[i], &alert->key.values[i], &s);
        } else {
            ds_put_char(&s, '-');
        }
        smap_replace(&group, def->keys[i]->name, ds_cstr(&s));
        ds_destroy(&s);
    }
    PUT(idl, alert, row, group, &group);
    smap_destroy(&group);
}

/* Appends 'text' so that a shell takes it for one word. */
static void
put_quoted(struct ds *s, const char *text)
{
    ds_put_char(s, '\'');
    for (; *text; text++) {
        if (*text == '\'') {
            ds_put_cstr(s, "'\\''");
        } else {
            ds_put_char(s, *text);
        }
    }
    ds_put_char(s, '\'');
}

static void
put_evidence(struct ovsdb_idl *idl, const struct mlogrec_alert *row,
             const struct mlog_alert *alert)
{
    struct ds expression = DS_EMPTY_INITIALIZER;
    struct ds query = DS_EMPTY_INITIALIZER;

    mlog_alert_evidence(alert, &expression);
    ds_put_cstr(&query, "multilog/query ");
    put_quoted(&query, ds_cstr(&expression));
    ds_put_cstr(&query, " --since=");
    mlog_time_format(alert->since, &query);
    ds_put_cstr(&query, " --until=");
    mlog_time_format(alert->until, &query);
    PUT(idl, alert, row, since, alert->since);
    PUT(idl, alert, row, until, alert->until);
    PUT(idl, alert, row, evidence, ds_cstr(&expression));
    PUT(idl, alert, row, query, ds_cstr(&query));
    ds_destroy(&expression);
    ds_destroy(&query);
}

static void
put_trigger(struct ovsdb_idl *idl, const struct mlogrec_alert *row,
            const struct mlog_trigger_def *def)
{
    struct mlogrec_trigger *index_row = mlogrec_trigger_index_init_row(
        triggers_by_name);
    const struct mlogrec_trigger *trigger;
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_trigger_def_format(def, &s);
    PUT(idl, alert, row, condition_text, ds_cstr(&s));
    PUT(idl, alert, row, trigger_name, def->name);
    ds_destroy(&s);
    mlogrec_trigger_index_set_name(index_row, def->name);
    trigger = mlogrec_trigger_index_find(triggers_by_name, index_row);
    if (trigger) {
        PUT(idl, alert, row, trigger, trigger);
    }
    mlogrec_trigger_index_destroy_row(index_row);
}

static void
insert_row(const struct ovsdb_alerts *alerts, struct ovsdb_idl *idl,
           struct ovsdb_idl_txn *txn, const struct mlog_alert *alert)
{
    const struct mlogrec_alert *row = mlogrec_alert_insert(txn);

    PUT(idl, alert, row, seq, alerts->base + alert->seq);
    PUT(idl, alert, row, raised_seq, alerts->base + alert->raised_seq);
    PUT(idl, alert, row, state, mlog_alert_kind_to_string(alert->kind));
    PUT(idl, alert, row, reason, mlog_alert_reason_to_string(alert->reason));
    PUT(idl, alert, row, time, alert->time);
    PUT(idl, alert, row, logged, alert->logged);
    PUT(idl, alert, row, aggregate, alert->aggregate->name);
    if (alert->value.present) {
        PUT(idl, alert, row, value, &alert->value.real, 1);
    }
    if (alert->trigger) {
        put_trigger(idl, row, alert->trigger);
    }
    put_group(idl, row, alert);
    put_evidence(idl, row, alert);
}

static int
compare_rows(const void *a_, const void *b_)
{
    const struct mlogrec_alert *const *a = a_;
    const struct mlogrec_alert *const *b = b_;

    return (*a)->seq < (*b)->seq ? -1 : (*a)->seq > (*b)->seq;
}

/* Returns the rows there are, oldest first, for the caller to free. */
static const struct mlogrec_alert **
get_rows(struct ovsdb_idl *idl, size_t *n)
{
    const struct mlogrec_alert **rows = NULL;
    const struct mlogrec_alert *row;
    size_t allocated = 0;

    *n = 0;
    MLOGREC_ALERT_FOR_EACH (row, idl) {
        if (*n >= allocated) {
            rows = x2nrealloc(rows, &allocated, sizeof *rows);
        }
        rows[(*n)++] = row;
    }
    if (*n) {
        qsort(rows, *n, sizeof *rows, compare_rows);
    }
    return rows;
}

/* Moves the oldest alerts, at most 'max', to 'batch'. */
static void
fill_batch(struct ovsdb_alerts *alerts, size_t max)
{
    ovs_mutex_lock(&alerts->mutex);
    while (alerts->n_queue && alerts->n_batch < max) {
        ovs_list_push_back(&alerts->batch,
                           ovs_list_pop_front(&alerts->queue));
        alerts->n_queue--;
        alerts->n_batch++;
    }
    ovs_mutex_unlock(&alerts->mutex);
}

void
ovsdb_alerts_put(struct ovsdb_alerts *alerts, struct ovsdb_idl *idl,
                 struct ovsdb_idl_txn *txn, size_t max_rows)
{
    const struct mlogrec_alert **rows;
    struct entry *entry;
    size_t n_rows, n_new = 0;

    fill_batch(alerts, MIN(max_rows, MAX_BATCH));
    rows = get_rows(idl, &n_rows);
    int64_t newest = n_rows ? rows[n_rows - 1]->seq : 0;

    LIST_FOR_EACH (entry, node, &alerts->batch) {
        /* Those that are there were written when the connection ended before
         * the reply came. */
        if (alerts->base + (int64_t) entry->alert.seq > newest) {
            insert_row(alerts, idl, txn, &entry->alert);
            n_new++;
        }
        alerts->sent_seq = MAX(alerts->sent_seq, entry->alert.seq);
    }
    for (size_t i = 0; i < n_rows && n_rows - i + n_new > max_rows; i++) {
        mlogrec_alert_delete(rows[i]);
    }
    free(rows);
}

void
ovsdb_alerts_done(struct ovsdb_alerts *alerts, bool ok)
{
    ovs_mutex_lock(&alerts->mutex);
    if (!ovs_list_is_empty(&alerts->batch)) {
        if (ok) {
            struct entry *last = CONTAINER_OF(ovs_list_back(&alerts->batch),
                                              struct entry, node);

            alerts->done_seq = last->alert.seq;
            alerts->n_written += alerts->n_batch;
            destroy_list(&alerts->batch);
        } else {
            /* To the front of the queue, which may be empty. */
            ovs_list_splice(alerts->queue.next, alerts->batch.next,
                            &alerts->batch);
            alerts->n_queue += alerts->n_batch;
        }
        alerts->n_batch = 0;
    }
    ovs_mutex_unlock(&alerts->mutex);
}

void
ovsdb_alerts_get_stats(struct ovsdb_alerts *alerts,
                       struct ovsdb_alerts_stats *stats)
{
    ovs_mutex_lock(&alerts->mutex);
    stats->n_waiting = alerts->n_queue;
    stats->n_written = alerts->n_written;
    stats->n_lost = alerts->n_lost;
    ovs_mutex_unlock(&alerts->mutex);
}
