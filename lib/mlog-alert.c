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
#include "mlog-alert.h"

#include <inttypes.h>

#include "mlog-clock.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* The alert with 'seq' n is in ring[n % MLOG_MAX_ALERTS] until the one with n
 * + MLOG_MAX_ALERTS replaces it.  The ring is allocated once: appending never
 * allocates. */

struct mlog_trigger_def *
mlog_trigger_def_ref(const struct mlog_trigger_def *def_)
{
    struct mlog_trigger_def *def = CONST_CAST(struct mlog_trigger_def *, def_);

    ovs_refcount_ref(&def->refcount);
    return def;
}

void
mlog_trigger_def_unref(struct mlog_trigger_def *def)
{
    if (def && ovs_refcount_unref(&def->refcount) == 1) {
        free(def->name);
        free(def->aggregate);
        free(def);
    }
}

const char *
mlog_trigger_op_to_string(enum mlog_trigger_op op)
{
    switch (op) {
    case MLOG_TRIGGER_GT: return ">";
    case MLOG_TRIGGER_GE: return ">=";
    case MLOG_TRIGGER_LT: return "<";
    case MLOG_TRIGGER_LE: return "<=";
    case MLOG_TRIGGER_EQ: return "==";
    case MLOG_TRIGGER_NE: return "!=";
    }
    OVS_NOT_REACHED();
}

void
mlog_trigger_def_format(const struct mlog_trigger_def *def, struct ds *s)
{
    ds_put_format(s, "%s %s ", def->aggregate,
                  mlog_trigger_op_to_string(def->op));
    mlog_number_format(def->threshold, s);
}

void
mlog_number_format(double number, struct ds *s)
{
    if (number >= 0 && number < 9e18 && number == (uint64_t) number) {
        ds_put_format(s, "%"PRIu64, (uint64_t) number);
    } else {
        ds_put_format(s, "%.10g", number);
    }
}

const char *
mlog_alert_kind_to_string(enum mlog_alert_kind kind)
{
    switch (kind) {
    case MLOG_ALERT_RAISED: return "raised";
    case MLOG_ALERT_CLEARED: return "cleared";
    case MLOG_ALERT_OVERFLOW: return "overflow";
    }
    OVS_NOT_REACHED();
}

const char *
mlog_alert_reason_to_string(enum mlog_alert_reason reason)
{
    switch (reason) {
    case MLOG_REASON_CONDITION: return "condition";
    case MLOG_REASON_IDLE: return "idle";
    case MLOG_REASON_DELETED: return "deleted";
    case MLOG_REASON_GROUPS: return "groups";
    case MLOG_REASON_INCIDENTS: return "incidents";
    }
    OVS_NOT_REACHED();
}

void
mlog_alert_evidence(const struct mlog_alert *alert, struct ds *s)
{
    mlog_group_key_evidence(alert->aggregate, &alert->key, s);
}

/* The log. */

static void
alert_clone(struct mlog_alert *dst, const struct mlog_alert *src)
{
    *dst = *src;
    if (dst->trigger) {
        mlog_trigger_def_ref(dst->trigger);
    }
    mlog_aggregate_def_ref(dst->aggregate);
}

static void
alert_uninit(struct mlog_alert *alert)
{
    mlog_trigger_def_unref(alert->trigger);
    mlog_aggregate_def_unref(alert->aggregate);
}

void
mlog_alert_log_init(struct mlog_alert_log *log)
{
    *log = (struct mlog_alert_log) {
        .ring = xcalloc(MLOG_MAX_ALERTS, sizeof *log->ring),
        .next_seq = 1,
        .clock = mlog_clock_system,
    };
}

void
mlog_alert_log_destroy(struct mlog_alert_log *log)
{
    mlog_alerts_destroy(log->ring, MIN(log->next_seq, MLOG_MAX_ALERTS));
    log->ring = NULL;
}

static struct mlog_alert *
slot(const struct mlog_alert_log *log, uint64_t seq)
{
    return &log->ring[seq % MLOG_MAX_ALERTS];
}

static void
count_latency(struct mlog_alert_log *log, const struct mlog_alert *alert)
{
    if (alert->kind == MLOG_ALERT_RAISED && alert->seen
        && alert->logged >= alert->seen) {
        uint64_t latency = alert->logged - alert->seen;

        log->n_latency++;
        log->total_latency += latency;
        log->max_latency = MAX(log->max_latency, latency);
    }
}

uint64_t
mlog_alert_log_append(struct mlog_alert_log *log,
                      const struct mlog_alert *alert)
{
    uint64_t seq = log->next_seq++;
    struct mlog_alert *copy = slot(log, seq);

    if (copy->seq) {
        alert_uninit(copy);
    }
    alert_clone(copy, alert);
    copy->seq = seq;
    copy->logged = log->clock();
    if (!copy->raised_seq) {
        copy->raised_seq = seq;
    }
    count_latency(log, copy);
    if (log->hook) {
        log->hook(copy, log->hook_aux);
    }
    return seq;
}

size_t
mlog_alert_log_read(const struct mlog_alert_log *log, uint64_t after,
                    size_t max, struct mlog_alert **alerts,
                    uint64_t *n_discarded)
{
    uint64_t oldest = (log->next_seq > MLOG_MAX_ALERTS
                       ? log->next_seq - MLOG_MAX_ALERTS : 1);
    uint64_t first = after < UINT64_MAX ? after + 1 : UINT64_MAX;

    *n_discarded = first < oldest ? oldest - first : 0;
    first = MAX(first, oldest);

    size_t n = first < log->next_seq ? MIN(log->next_seq - first, max) : 0;
    *alerts = xmalloc(n * sizeof **alerts);
    for (size_t i = 0; i < n; i++) {
        alert_clone(&(*alerts)[i], slot(log, first + i));
    }
    return n;
}

void
mlog_alerts_destroy(struct mlog_alert *alerts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        alert_uninit(&alerts[i]);
    }
    free(alerts);
}
