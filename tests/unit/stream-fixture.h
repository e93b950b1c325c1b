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

#ifndef TESTS_UNIT_STREAM_FIXTURE_H
#define TESTS_UNIT_STREAM_FIXTURE_H 1

/* A stream that is fed as the digest feeds it, at simulated times. */

#include <criterion/criterion.h>

#include "mlog-expr.h"
#include "mlog-flow-table.h"
#include "mlog-stream.h"
#include "packets.h"
#include "records.h"
#include "util.h"

#define T0 UINT64_C(1700000000000000000)
#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

static struct mlog_stream *stream;
static uint64_t now;            /* Simulated time, ns. */

static uint64_t
clock_now(void)
{
    return now;
}

/* Records that are left to lanes, as the digest leaves them if it has several
 * threads: for the time being at most 'defer_max'. */
#define DEFER_MAX 256
static size_t defer_max, n_deferred;
static struct deferred {
    struct mlog_flow_key key;
    struct mlog_row row;
    struct mlog_record record;
    const struct mlog_flow_key *place;
    uint32_t class;
    bool classified;
} deferred[DEFER_MAX];
static unsigned int n_lanes = 1;

static inline void
set_lanes(unsigned int n)
{
    n_lanes = n;
    mlog_stream_set_lanes(stream, n);
}

/* The last lane is the first to have them. */
static void
run_deferred(void)
{
    for (unsigned int i = n_lanes; i-- > 0; ) {
        struct mlog_stream_lane *lane = mlog_stream_get_lane(stream, i);

        for (size_t j = 0; j < n_deferred; j++) {
            struct deferred *d = &deferred[j];

            if (d->classified) {
                mlog_stream_lane_forget_flow(lane, d->place);
            }
            d->record.key = &d->key;
            d->record.row = &d->row;
            mlog_stream_lane_record(lane, d->class, d->place, &d->record);
        }
    }
    n_deferred = 0;
}

static void
tick_at(uint64_t time)
{
    run_deferred();
    now = time;
    mlog_stream_tick(stream, now);
}

static void
setup_stream(void)
{
    random_set_seed(1);
    stream = mlog_stream_create();
    mlog_stream_alerts(stream)->clock = clock_now;
    tick_at(T0);
}

static void
teardown_stream(void)
{
    mlog_stream_destroy(stream);
}

/* One tick at each millisecond from the present one, 'ms' times. */
static inline void
run_ms(unsigned int ms)
{
    while (ms--) {
        tick_at(now + MS);
    }
}

/* Flows, as the digest's flow table has them.  With few of them, their places
 * are often used again for other flows. */
#define MAX_FEED_FLOWS 65536
static struct mlog_flow feed_flows[MAX_FEED_FLOWS];
static size_t n_feed_flows = 1024;

static inline void
defer(const struct mlog_flow *flow, const struct mlog_record *record,
      bool classified)
{
    deferred[n_deferred++] = (struct deferred) {
        .key = *record->key, .row = *record->row, .record = *record,
        .place = &flow->key, .class = flow->class, .classified = classified,
    };
    if (n_deferred >= defer_max) {
        run_deferred();
    }
}

/* As the digest does it. */
static inline void
feed(const struct mlog_record *record)
{
    struct mlog_flow *flow = &feed_flows[mlog_flow_key_hash(record->key)
                                         % n_feed_flows];
    struct mlog_record of_flow = { .key = &flow->key,
                                   .flow_id = record->flow_id };
    uint32_t generation = (mlog_stream_generation(stream)
                           + mlog_ports_generation());
    struct mlog_record copy = *record;
    bool classified = false;

    if (memcmp(&flow->key, record->key, sizeof flow->key)
        || flow->class_generation != generation) {
        flow->key = *record->key;
        classified = true;
        flow->class = (defer_max ? mlog_stream_find_class(stream, &of_flow)
                       : mlog_stream_classify(stream, &of_flow));
        flow->class_generation = generation;
    }
    copy.key = &flow->key;
    if (flow->class && defer_max) {
        defer(flow, record, classified);
    } else if (flow->class) {
        mlog_stream_record(stream, flow->class, &copy);
    }
}

/* A UDP packet from 10.0.0.'host', port 'port', of 'len' bytes. */
static inline void
feed_udp(uint32_t host, uint16_t port, uint32_t len, uint64_t time)
{
    struct mlog_flow_key key = {
        .src = { 0, 0, 0, htonl(0x0a000000 + host) }, .dst = V4_DST,
        .dl_type = ETH_TYPE_IP, .nw_proto = 17, .tp_src = port, .tp_dst = 53,
        .in_port = P0, .has = HAS_L4 | MLOG_HAS_PORTS,
    };
    struct mlog_row row = { ROW(len, 64, P1),
                            .flow = host * 7 + port };
    struct mlog_record record = { .key = &key, .row = &row, .time = time };

    feed(&record);
}

/* Splits 'text' at ';' and adds what 'add' adds.  Returns NULL, or the error
 * for the caller to free. */
static inline char *
try_add(bool (*add)(struct mlog_stream *, const char *const [], size_t,
                    struct mlog_error *, const char **), const char *text)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    char *copy = xstrdup(text), *rest = copy;
    const char *argv[16], *where = NULL;
    size_t argc = 0;

    while (rest) {
        argv[argc++] = strsep(&rest, ";");
    }

    bool ok = add(stream, argv, argc, &error, &where);
    char *message = ok ? NULL : xasprintf("%d: %s", error.column,
                                          error.message);
    cr_assert(ok == !error.message);
    cr_assert(ok || !error.column || where, "%s", message);
    mlog_error_clear(&error);
    free(copy);
    return message;
}

static inline void
must_add(bool (*add)(struct mlog_stream *, const char *const [], size_t,
                     struct mlog_error *, const char **), const char *text)
{
    char *message = try_add(add, text);

    cr_assert(!message, "%s: %s", text, message);
}

#define add_filter(TEXT) must_add(mlog_stream_add_filter, TEXT)
#define add_aggregate(TEXT) must_add(mlog_stream_add_aggregate, TEXT)
#define add_trigger(TEXT) must_add(mlog_stream_add_trigger, TEXT)

/* Returns NULL or the error. */
static inline char *
try_del(bool (*del)(struct mlog_stream *, const char *, struct mlog_error *),
        const char *name)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    bool ok = del(stream, name, &error);
    char *message = error.message ? xstrdup(error.message) : NULL;

    cr_assert(ok == !message);
    mlog_error_clear(&error);
    return message;
}

static inline void
must_del(bool (*del)(struct mlog_stream *, const char *, struct mlog_error *),
         const char *name)
{
    char *message = try_del(del, name);

    cr_assert(!message, "%s: %s", name, message);
}

/* Asserts that MESSAGE contains TEXT, and frees it. */
#define expect_error(MESSAGE, TEXT)                                     \
    do {                                                                \
        char *message__ = (MESSAGE);                                    \
        cr_expect(message__ && strstr(message__, TEXT), "\"%s\" is not in " \
                  "\"%s\"", TEXT, message__ ? message__ : "(success)"); \
        free(message__);                                                \
    } while (0)

/* The sorted values of an aggregate. */
static inline struct mlog_aggregate_view
show(const char *name)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_aggregate_view view;

    cr_assert(mlog_stream_show_aggregate(stream, name, &view, &error));
    mlog_aggregate_view_sort(&view);
    return view;
}

/* The value of an ungrouped aggregate; absent: -1. */
static inline double
value_of(const char *name)
{
    struct mlog_aggregate_view view = show(name);

    cr_assert_eq(view.n_groups, 1);
    double value = (view.groups[0].value.present
                    ? view.groups[0].value.real : -1);
    mlog_aggregate_view_destroy(&view);
    return value;
}

#endif /* tests/unit/stream-fixture.h */
