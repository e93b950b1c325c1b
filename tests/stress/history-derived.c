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

/* What has to agree with the rows of the same cut: counters of filters,
 * aggregates, flows, alerts. */

#include <config.h>

#include "mlog-expr.h"
#include "stress-history.h"
#include "util.h"

static const char *const filters[N_FILTERS][2] = {
    [ALL] = { "all", "tcp" },
    [FIRST] = { "first", "nw_src == 10.0.0.0" },
    [SYN] = { "syn", "tcp_flags == +syn" },
    [LARGE] = { "large", "tcp && pkt_len >= 150" },
    [NONE] = { "none", "udp" },
};

/* Windows of an hour hold everything, in the first hour.  What depends on that
 * isn't checked later. */
static const char *const aggregates[][5] = {
    { "syns", "syn", "count", "window=1h" },
    { "bytes", "all", "sum(pkt_len)", "window=1h" },
    { "by-source", "all", "count", "window=1h", "group-by=nw_src" },
    { "by-flags", "all", "sum(pkt_len)", "window=1h", "group-by=tcp_flags" },
    { "recent", "all", "count", "window=1ms" },
};

void
totals_add(struct totals *t, const struct content *c)
{
    uint32_t len = content_len(c);
    bool syn = content_flags(c) == 0x002;
    bool match[N_FILTERS] = {
        [ALL] = true, [FIRST] = !c->writer, [SYN] = syn, [LARGE] = len >= 150,
    };

    t->rows++;
    for (size_t i = 0; i < N_FILTERS; i++) {
        t->packets[i] += match[i];
        t->bytes[i] += match[i] ? len : 0;
    }
    t->by_source[c->writer]++;
    t->by_flags[!syn] += len;
}

struct totals before;
uint64_t before_time;

/* The trigger.  Belongs to whoever has the digest locked. */
static struct {
    bool armed;
    double threshold;
    uint64_t since;             /* Armed at this cut, ns. */
    uint64_t last_seq;
    uint64_t n_alerts;
} trigger;

static void
must(bool ok, struct mlog_error *error)
{
    if (!ok) {
        fail("%s", error->message);
    }
}

void
install_stream(void)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where;

    mlog_digest_lock(ml->digest);
    for (size_t i = 0; i < N_FILTERS; i++) {
        must(mlog_stream_add_filter(ml->stream, filters[i], 2, &error, &where),
             &error);
    }
    for (size_t i = 0; i < ARRAY_SIZE(aggregates); i++) {
        must(mlog_stream_add_aggregate(ml->stream, aggregates[i],
                                       aggregates[i][4] ? 5 : 4, &error,
                                       &where), &error);
    }
    mlog_digest_unlock(ml->digest);
}

void
expect(const char *what, const char *name, uint64_t found, uint64_t expected)
{
    if (found != expected) {
        fail("%s %s: %"PRIu64", but rows of the same cut: %"PRIu64, what, name,
             found, expected);
    }
}

static void
check_filters(const struct totals *now)
{
    struct mlog_filter_info *info;
    size_t n_filters = mlog_stream_get_filters(ml->stream, &info);

    expect("number of", "filters", n_filters, N_FILTERS);
    for (size_t i = 0; i < N_FILTERS; i++) {
        expect("packets of filter", info[i].name, info[i].n_packets,
               before.packets[i] + now->packets[i]);
        expect("bytes of filter", info[i].name, info[i].n_bytes,
               before.bytes[i] + now->bytes[i]);
    }
    free(info);
}

static struct mlog_aggregate_view
show(const char *name)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_aggregate_view view;

    must(mlog_stream_show_aggregate(ml->stream, name, &view, &error), &error);
    return view;
}

/* The value of an aggregate that isn't grouped. */
static uint64_t
show_value(const char *name, uint64_t *since)
{
    struct mlog_aggregate_view view = show(name);
    uint64_t value = view.groups[0].value.integer;

    *since = view.since;
    mlog_aggregate_view_destroy(&view);
    return value;
}

/* Whether windows of an hour still hold everything. */
static bool
is_first_hour(void)
{
    uint64_t since;

    show_value("syns", &since);
    return since <= ml->started;
}

static uint64_t
count_since(const struct mlog_snapshot *snapshot, uint64_t since)
{
    struct cursor cursor = cursor_at_end(snapshot);
    uint64_t n_rows = 0;
    struct row row;

    while (cursor_previous(&cursor, &row) && row.time >= since) {
        n_rows++;
    }
    return n_rows;
}

static void
check_groups(const char *name, const uint64_t expected[], size_t n_expected,
             size_t (*find)(uint64_t value))
{
    struct mlog_aggregate_view view = show(name);
    uint64_t found[HISTORY_MAX_THREADS] = { 0 };

    for (size_t i = 0; i < view.n_groups; i++) {
        size_t j = find(view.groups[i].key.values[0].lo);

        if (j >= n_expected || found[j]) {
            fail("aggregate %s has a group too many", name);
        }
        found[j] = view.groups[i].value.integer;
    }
    for (size_t i = 0; i < n_expected; i++) {
        expect("aggregate", name, found[i], expected[i]);
    }
    mlog_aggregate_view_destroy(&view);
}

static size_t
find_source(uint64_t address)
{
    return address - 0x0a000000;
}

static size_t
find_flags(uint64_t flags)
{
    return flags != 0x002;
}

static void
check_aggregates(const struct mlog_snapshot *snapshot,
                 const struct totals *now)
{
    uint64_t by_source[HISTORY_MAX_THREADS], by_flags[2], since, value;

    value = show_value("recent", &since);
    expect("aggregate", "recent", value, count_since(snapshot, since));
    if (!is_first_hour()) {
        return;
    }
    expect("aggregate", "syns", show_value("syns", &since),
           before.packets[SYN] + now->packets[SYN]);
    expect("aggregate", "bytes", show_value("bytes", &since),
           before.bytes[ALL] + now->bytes[ALL]);
    for (size_t i = 0; i < HISTORY_MAX_THREADS; i++) {
        by_source[i] = before.by_source[i] + now->by_source[i];
    }
    check_groups("by-source", by_source, options.writers, find_source);
    for (size_t i = 0; i < 2; i++) {
        by_flags[i] = before.by_flags[i] + now->by_flags[i];
    }
    check_groups("by-flags", by_flags, 2, find_flags);
}

static void
check_flows(const struct reading *r)
{
    for (unsigned int i = 0; i < options.writers * 2; i++) {
        const struct flow *flow = &r->flows[i / 2][i % 2];
        struct mlog_flow_stats stats;

        if (flow->packets) {
            mlog_flow_stats(mlog_flow_table_get(ml->flows, flow->index),
                            &stats);
            expect("flow's", "packets", stats.packets, flow->packets);
            expect("flow's", "bytes", stats.bytes, flow->bytes);
            expect("flow's", "first time", stats.first, flow->first);
            expect("flow's", "last time", stats.last, flow->last);
        }
    }
}

/* SYNs of up to 'time', which is not before 'before_time'. */
static uint64_t
count_syns(const struct mlog_snapshot *snapshot, uint64_t time)
{
    struct cursor cursor = cursor_at(snapshot, before.rows);
    uint64_t n_syns = before.packets[SYN];
    struct row row;

    while (cursor_next(&cursor, &row) && row.time <= time) {
        n_syns += row.flags == 0x002;
    }
    return n_syns;
}

static void
arm_trigger(uint64_t n_syns, uint64_t now, struct rng *rng)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where;
    char *condition;

    trigger.threshold = n_syns + 1 + rng_next(rng, 200);
    trigger.since = now;
    trigger.armed = true;
    condition = xasprintf("syns >= %.0f", trigger.threshold);
    must(mlog_stream_add_trigger(ml->stream, (const char *[]) {
        "many-syns", condition, "period=1ms" }, 3, &error, &where), &error);
    free(condition);
}

static void
disarm_trigger(void)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;

    must(mlog_stream_del_trigger(ml->stream, "many-syns", &error), &error);
    trigger.armed = false;
    trigger.last_seq++;         /* The alert that it is deleted. */
}

static void
check_alert(const struct mlog_snapshot *snapshot,
            const struct mlog_alert *alert)
{
    if (alert->seq != trigger.last_seq + 1 || alert->kind != MLOG_ALERT_RAISED
        || !trigger.armed || alert->time <= trigger.since
        || alert->time > snapshot->cut) {
        fail("alert %"PRIu64" of time %"PRIu64" is not the one that was due",
             alert->seq, alert->time);
    }
    expect("alert's", "value", alert->value.integer,
           count_syns(snapshot, alert->time));
    if (alert->value.real < trigger.threshold) {
        fail("alert below its threshold");
    }
    trigger.last_seq = alert->seq;
    trigger.n_alerts++;
}

/* Whether what there was at 'time' must have raised the alert by now. */
static bool
alert_is_due(const struct mlog_snapshot *snapshot, uint64_t time)
{
    return (time > trigger.since && time >= before_time
            && count_syns(snapshot, time) >= trigger.threshold);
}

/* The trigger is evaluated every millisecond, give or take half of one. */
static void
check_trigger(const struct mlog_snapshot *snapshot, const struct totals *now,
              struct rng *rng)
{
    uint64_t n_syns = before.packets[SYN] + now->packets[SYN], n_discarded;
    struct mlog_alert *alerts;
    size_t n_alerts = mlog_alert_log_read(mlog_stream_alerts(ml->stream),
                                          trigger.last_seq, 8, &alerts,
                                          &n_discarded);

    for (size_t i = 0; i < n_alerts; i++) {
        check_alert(snapshot, &alerts[i]);
    }
    mlog_alerts_destroy(alerts, n_alerts);
    if (n_alerts) {
        disarm_trigger();
    } else if (!trigger.armed) {
        arm_trigger(n_syns, snapshot->cut, rng);
    } else if (alert_is_due(snapshot, snapshot->cut - 1500000)) {
        fail("no alert, though there were %.0f SYNs 1.5 ms ago",
             trigger.threshold);
    }
}

void
check_derived(const struct mlog_snapshot *snapshot, const struct reading *r,
              struct rng *rng)
{
    struct mlog_header_log_stats stats;

    mlog_header_log_get_stats(ml->log, &stats);
    expect("rows", "appended", stats.n_appended,
           before.rows + r->totals.rows);
    check_filters(&r->totals);
    check_aggregates(snapshot, &r->totals);
    check_flows(r);
    if (is_first_hour()) {
        check_trigger(snapshot, &r->totals, rng);
    }
}

uint64_t
count_alerts(void)
{
    return trigger.n_alerts;
}
