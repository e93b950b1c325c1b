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

#include <criterion/criterion.h>

#include "mlog-flow-id.h"
#include "mlog-flow-table.h"
#include "mlog-header-log.h"
#include "random.h"
#include "util.h"

static struct mlog_flow_table *flows;
static struct mlog_header_log *log_;

static void
setup(size_t budget)
{
    struct mlog_store *store = mlog_store_open(NULL);

    flows = mlog_flow_table_create(store);
    log_ = mlog_header_log_create(flows, store, budget);
}

/* As the digest ends a pass. */
static void
commit(void)
{
    struct mlog_commit *c = xzalloc(sizeof *c);

    mlog_header_log_fill_commit(log_, c);
    mlog_header_log_committed(log_, c);
    free(c);
}

static struct mlog_flow_key
make_key(uint32_t number)
{
    struct mlog_flow_key key = { .dl_type = 0x800, .has = MLOG_HAS_IP };

    key.src[3] = htonl(number);
    return key;
}

static uint32_t
append(uint32_t flow_number, uint64_t time, uint32_t seq)
{
    struct mlog_flow_key key = make_key(flow_number);
    uint32_t hash = mlog_flow_key_hash(&key);
    uint64_t ns;
    uint32_t index, local;

    if (!mlog_flow_table_find(flows, &key, hash, &index)) {
        mlog_flow_table_insert(flows, &key, hash, time, &index);
    }
    struct mlog_row *row = mlog_header_log_append(log_, time, index, &ns,
                                                  &local);
    *row = (struct mlog_row) {
        .time_port = mlog_row_pack_time_port(ns, 7),
        .flow = local,
        .tcp_seq = seq,
    };
    return index;
}

/* The rows of a snapshot must carry consecutive numbers in 'tcp_seq', and the
 * keys that they were appended with.  Returns the number of rows. */
static uint64_t
check(const struct mlog_snapshot *snapshot, uint32_t n_flows)
{
    uint64_t n = 0;
    uint32_t next = 0;
    uint64_t last_time = 0;

    for (size_t i = 0; i < snapshot->n_segments; i++) {
        const struct mlog_snapshot_segment *s = &snapshot->segments[i];

        cr_assert(mlog_snapshot_enter(snapshot, i));
        for (uint32_t j = 0; j < s->n_rows; j++) {
            struct mlog_record record;
            struct mlog_row row;

            mlog_snapshot_record(snapshot, i, j, &row, &record);
            cr_assert(!n || row.tcp_seq == next);
            next = row.tcp_seq + 1;
            cr_assert_eq(ntohl(record.key->src[3]), row.tcp_seq % n_flows);
            cr_assert_eq(mlog_row_out_port(&row), 7);
            cr_assert_geq(record.time, last_time);
            last_time = record.time;
            n++;
        }
        mlog_snapshot_leave(snapshot, i);
    }
    return n;
}

Test(header_log, a_snapshot_does_not_change)
{
    enum { FLOWS = 100 };
    struct mlog_snapshot snapshot;

    setup(SIZE_MAX);
    for (uint32_t i = 0; i < 1000; i++) {
        append(i % FLOWS, 1000 + i, i);
    }
    mlog_header_log_publish(log_, 2000);
    mlog_snapshot_take(log_, &snapshot);
    for (uint32_t i = 1000; i < MLOG_SEGMENT_ROWS * 2; i++) {
        append(i % FLOWS, 2000 + i, i);
    }
    mlog_header_log_publish(log_, UINT64_MAX / 2);
    cr_expect_eq(check(&snapshot, FLOWS), 1000);
    mlog_snapshot_release(&snapshot);

    mlog_snapshot_take(log_, &snapshot);
    cr_expect_eq(check(&snapshot, FLOWS), MLOG_SEGMENT_ROWS * 2);
    mlog_snapshot_release(&snapshot);
}

/* A pass may fill a segment before it publishes its cut. */
Test(header_log, rows_after_the_cut_are_invisible)
{
    struct mlog_snapshot snapshot;

    setup(SIZE_MAX);
    append(0, 1000, 0);
    mlog_header_log_publish(log_, 1500);
    for (uint32_t i = 1; i < MLOG_SEGMENT_ROWS + 10; i++) {
        append(i % 3, 2000, i);
    }
    mlog_snapshot_take(log_, &snapshot);
    cr_expect_eq(check(&snapshot, 3), 1);
    mlog_snapshot_release(&snapshot);
}

/* What expires is counted, with the time up to which it reached; what is
 * pinned stays readable, flows included; flows without rows go. */
Test(header_log, expiry_counts_rows_and_spares_pinned_segments)
{
    enum { FLOWS = 1000, SEGMENTS = 8 };
    struct mlog_header_log_stats stats;
    struct mlog_snapshot snapshot;
    uint32_t n = 0;

    setup(4 * MLOG_SEGMENT_ROWS * 36);
    for (; n < MLOG_SEGMENT_ROWS; n++) {
        append(n % FLOWS, 1000 + n, n);
    }
    mlog_header_log_publish(log_, 1000 + n);
    mlog_snapshot_take(log_, &snapshot);

    for (; n < SEGMENTS * MLOG_SEGMENT_ROWS; n++) {
        append(FLOWS + n % FLOWS, 1000 + n, n);
        if (!(n % 10000)) {
            mlog_header_log_publish(log_, 1000 + n);
            commit();
        }
    }
    mlog_header_log_publish(log_, 1000 + n);
    commit();

    mlog_header_log_get_stats(log_, &stats);
    cr_expect_gt(stats.n_expired, 0);
    cr_expect_eq(stats.n_rows + stats.n_expired, n);
    cr_expect_eq(stats.n_expired % MLOG_SEGMENT_ROWS, 0);
    cr_expect_eq(stats.expired_until, 1000 + stats.n_expired - 1);
    cr_expect_eq(stats.oldest, 1000 + stats.n_expired);
    cr_expect_leq(stats.memory, stats.budget);

    cr_expect_eq(check(&snapshot, FLOWS), MLOG_SEGMENT_ROWS);
    cr_expect_eq(mlog_flow_table_count(flows), 2 * FLOWS);
    mlog_snapshot_release(&snapshot);
    commit();
    cr_expect_eq(mlog_flow_table_count(flows), FLOWS,
                 "flows of released segments are gone");
}

/* After a crash, a segment that isn't committed to its end is shortened. */
Test(header_log, a_full_segment_is_sealed_after_the_commit)
{
    struct mlog_snapshot snapshot;
    uint32_t n;

    setup(SIZE_MAX);
    for (n = 0; n < MLOG_SEGMENT_ROWS + 10; n++) {
        append(n % 3, 1000 + n, n);
    }
    mlog_header_log_publish(log_, 1000 + n);
    cr_expect_not(mlog_header_log_seal(log_));
    commit();
    cr_expect(mlog_header_log_seal(log_));
    cr_expect_not(mlog_header_log_seal(log_), "the open one isn't full");
    mlog_snapshot_take(log_, &snapshot);
    cr_expect(snapshot.segments[0].segment->sealed);
    cr_expect_eq(check(&snapshot, 3), n);
    mlog_snapshot_release(&snapshot);
}

/* Appends 'n' full segments and a row, each segment with a flow of its own. */
static void
fill_segments(uint32_t n)
{
    for (uint32_t i = 0; i <= n * MLOG_SEGMENT_ROWS; i++) {
        append(i / MLOG_SEGMENT_ROWS, 1000 + i, i);
    }
    mlog_header_log_publish(log_, 1000 + n * MLOG_SEGMENT_ROWS);
}

/* Somebody may set the budget while a commit is made. */
Test(header_log, what_expires_stays_until_the_commit)
{
    struct mlog_commit *c = xzalloc(sizeof *c);

    setup(SIZE_MAX);
    fill_segments(4);
    mlog_header_log_fill_commit(log_, c);
    mlog_header_log_set_budget(log_, 0);
    mlog_header_log_committed(log_, c);
    cr_expect_eq(mlog_flow_table_count(flows), 5, "the commit has them");
    commit();
    cr_expect_eq(mlog_flow_table_count(flows), 2);
    free(c);
}

Test(header_log, a_reader_gets_a_whole_segment_or_none)
{
    struct mlog_header_log_stats stats;
    struct mlog_snapshot snapshot, other;

    setup(SIZE_MAX);
    mlog_header_log_set_pin_bound(log_, 0);
    fill_segments(4);
    mlog_snapshot_take(log_, &snapshot);
    mlog_snapshot_take(log_, &other);
    cr_assert(mlog_snapshot_enter(&snapshot, 0));
    cr_assert(mlog_snapshot_enter(&snapshot, 3));
    mlog_snapshot_leave(&snapshot, 3);

    mlog_header_log_set_budget(log_, 0);
    commit();
    commit();
    cr_expect_eq(mlog_flow_table_count(flows), 3, "one is being read");
    for (uint32_t i = 0; i < MLOG_SEGMENT_ROWS; i++) {
        struct mlog_record record;
        struct mlog_row row;

        mlog_snapshot_record(&snapshot, 0, i, &row, &record);
        cr_assert_eq(row.tcp_seq, i);
        cr_assert_eq(record.key->src[3], htonl(0));
    }
    cr_expect_not(mlog_snapshot_enter(&snapshot, 0), "not once more");
    cr_expect_not(mlog_snapshot_enter(&snapshot, 1));
    cr_expect_not(mlog_snapshot_enter(&other, 0));
    mlog_snapshot_leave(&snapshot, 0);
    commit();
    cr_expect_eq(mlog_flow_table_count(flows), 2);
    cr_expect(mlog_snapshot_enter(&snapshot, 3), "it hasn't expired");
    mlog_snapshot_leave(&snapshot, 3);
    mlog_header_log_get_stats(log_, &stats);
    cr_expect_eq(stats.n_revoked, 3);
    mlog_snapshot_release(&snapshot);
    mlog_snapshot_release(&other);
}

Test(header_log, time_ranges_match_a_scan)
{
    struct mlog_snapshot snapshot;

    setup(SIZE_MAX);
    for (uint32_t i = 0; i < 5000; i++) {
        append(0, 1000 + i / 7 * 5, i);
    }
    mlog_header_log_publish(log_, 1u << 30);
    mlog_snapshot_take(log_, &snapshot);
    const struct mlog_snapshot_segment *s = &snapshot.segments[0];
    for (int i = 0; i < 2000; i++) {
        uint64_t since = 900 + random_range(4000);
        uint64_t until = i % 10 ? since + random_range(200) : UINT64_MAX;
        uint32_t start, end, n = 0;

        mlog_snapshot_range(&snapshot, 0, since, until, &start, &end);
        for (uint32_t j = 0; j < s->n_rows; j++) {
            uint64_t time = s->segment->base_time
                            + mlog_row_time(&s->segment->rows[j]);
            bool inside = time >= since && time <= until;

            cr_assert_eq(inside, j >= start && j < end);
            n += inside;
        }
        cr_assert_eq(end - start, n);
    }
    mlog_snapshot_release(&snapshot);
}

Test(header_log, gaps_keep_their_count_however_many)
{
    struct mlog_snapshot snapshot;
    uint64_t total = 0;

    setup(SIZE_MAX);
    for (uint64_t i = 0; i < 2000; i++) {
        struct mlog_gap gap = {
            .from = i * 10000000, .to = i * 10000000 + 100, .count = i + 1
        };

        mlog_header_log_add_gap(log_, &gap);
        total += i + 1;
    }
    mlog_snapshot_take(log_, &snapshot);
    cr_expect_lt(snapshot.n_gaps, 1000);
    cr_expect_eq(mlog_snapshot_gaps(&snapshot, 0, UINT64_MAX), total);
    cr_expect_eq(mlog_snapshot_gaps(&snapshot, UINT64_C(19990000000),
                                    UINT64_MAX), 2000);
    mlog_snapshot_release(&snapshot);
}

/* The flow table against a model: an array that says which keys are there. */
Test(flow_table, find_insert_and_unref_match_a_model)
{
    enum { KEYS = 30000 };
    static struct { bool there; uint32_t index; } model[KEYS];
    size_t n = 0;

    flows = mlog_flow_table_create(mlog_store_open(NULL));
    for (int i = 0; i < 1000000; i++) {
        uint32_t number = random_range(KEYS);
        struct mlog_flow_key key = make_key(number);
        uint32_t index, hash = mlog_flow_key_hash(&key);
        struct mlog_flow *flow = mlog_flow_table_find(flows, &key, hash,
                                                      &index);

        cr_assert_eq(flow != NULL, model[number].there);
        if (flow) {
            cr_assert_eq(index, model[number].index);
            cr_assert_eq(mlog_flow_table_get(flows, index), flow);
            mlog_flow_table_unref(flows, index);
            model[number].there = false;
            n--;
        } else {
            flow = mlog_flow_table_insert(flows, &key, hash, i, &index);
            flow->refs = 1;
            model[number].there = true;
            model[number].index = index;
            n++;
        }
        cr_assert_eq(mlog_flow_table_count(flows), n);
    }
    cr_expect_leq(mlog_flow_table_limit(flows), KEYS, "indexes are reused");
}

/* MAC addresses and fragment bits don't make another flow_id; addresses,
 * ports, protocol and VLAN do. */
Test(flow_table, flow_id_depends_on_the_right_fields)
{
    struct mlog_flow_key key = make_key(1), other;
    uint64_t id = mlog_flow_id(&key);

    other = key;
    other.dl_src.ea[5] = 1;
    other.nw_frag = 3;
    other.has = 0;
    cr_expect_eq(mlog_flow_id(&other), id);

    other = key, other.tp_src = 1;
    cr_expect_neq(mlog_flow_id(&other), id);
    other = key, other.nw_proto = 1;
    cr_expect_neq(mlog_flow_id(&other), id);
    other = key, other.vlan_tci[0] = 0x1001;
    cr_expect_neq(mlog_flow_id(&other), id);
    other = key, other.dst[0] = htonl(1);
    cr_expect_neq(mlog_flow_id(&other), id);
}
