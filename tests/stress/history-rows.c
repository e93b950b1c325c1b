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

/* What stress-history writes and reads. */

#include <config.h>

#include "bitmap.h"
#include "mlog-scan.h"
#include "stress-history.h"
#include "util.h"

uint32_t
content_len(const struct content *c)
{
    return (c->wide ? 300
            : 54 + (c->batch * 7 + c->index * 13 + c->writer) % 200);
}

uint16_t
content_flags(const struct content *c)
{
    return c->index % 3 ? 0x010 : 0x002;
}

static uint16_t
content_check(const struct content *c)
{
    return ((c->batch * 31 + c->index) * 31 + c->n) * 31 + c->writer;
}

static void
put16(uint8_t *p, uint16_t x)
{
    ovs_be16 be = htons(x);

    memcpy(p, &be, sizeof be);
}

static void
put32(uint8_t *p, uint32_t x)
{
    ovs_be32 be = htonl(x);

    memcpy(p, &be, sizeof be);
}

/* Ethernet, IPv4, TCP.  A wide packet has IPv4 options. */
void
make_packet(uint8_t p[PACKET_MAX], const struct content *c)
{
    uint8_t *tcp = p + (c->wide ? 38 : 34);

    memset(p, 0, PACKET_MAX);
    p[12] = 8;
    p[14] = c->wide ? 0x46 : 0x45;
    p[15] = c->wide ? 4 : 0;
    put16(p + 16, content_len(c) - 14);
    p[22] = 64 + c->writer;
    p[23] = 6;
    put32(p + 26, 0x0a000000 + c->writer);
    put32(p + 30, c->batch / options.batches);
    put16(tcp, 1000 + c->index % 2);
    put16(tcp + 2, 80);
    put32(tcp + 4, c->batch);
    put32(tcp + 8, c->index << 16 | c->n);
    tcp[12] = 0x50;
    tcp[13] = content_flags(c);
    put16(tcp + 14, content_check(c));
}

static bool
key_fits(const struct mlog_flow_key *key, const struct row *row)
{
    return (key->src[3] == htonl(0x0a000000 + row->content.writer)
            && key->dst[3] == htonl(row->round)
            && key->tp_src == 1000 + row->content.index % 2
            && key->tp_dst == 80 && key->dl_type == 0x0800
            && key->nw_proto == 6);
}

/* The only function that knows how rows are stored. */
static void
read_row(const struct mlog_snapshot *snapshot, size_t segment, uint32_t i,
         struct row *row)
{
    struct mlog_record record;
    struct mlog_row storage;

    mlog_snapshot_record(snapshot, segment, i, &storage, &record);
    row->content = (struct content) {
        .writer = mlog_row_ttl(record.row) - 64,
        .batch = record.row->tcp_seq,
        .index = record.row->tcp_ack >> 16,
        .n = record.row->tcp_ack & 0xffff,
        .wide = record.row->nw_tos == 4,
    };
    row->round = row->content.batch / options.batches;
    row->flow = snapshot->segments[segment].segment->flows[storage.flow];
    row->len = mlog_row_pkt_len(record.row);
    row->flags = record.row->tcp_flags;
    row->time = record.time;
    row->whole = (row->content.writer < options.writers
                  && row->content.index < row->content.n
                  && row->len == content_len(&row->content)
                  && row->flags == content_flags(&row->content)
                  && record.row->tcp_window == content_check(&row->content)
                  && key_fits(record.key, row));
}

/* The only function that knows how a segment's list of flows is stored.
 * Returns the number of flows. */
static uint32_t
read_flows(const struct mlog_snapshot *snapshot, size_t segment,
           const uint32_t **flows)
{
    *flows = snapshot->segments[segment].segment->flows;
    return snapshot->segments[segment].n_flows;
}

struct cursor
cursor_at(const struct mlog_snapshot *snapshot, uint64_t position)
{
    struct cursor cursor = { .snapshot = snapshot };
    uint64_t first = snapshot->n_expired;

    while (cursor.segment < snapshot->n_segments
           && first + snapshot->segments[cursor.segment].n_rows <= position) {
        first += snapshot->segments[cursor.segment++].n_rows;
    }
    cursor.row = position > first ? position - first : 0;
    return cursor;
}

/* Reads the row at 'cursor'.  Returns false if it may not. */
static bool
cursor_read(struct cursor *cursor, struct row *row)
{
    cursor->refused = !mlog_snapshot_enter(cursor->snapshot, cursor->segment);
    if (!cursor->refused) {
        read_row(cursor->snapshot, cursor->segment, cursor->row, row);
        mlog_snapshot_leave(cursor->snapshot, cursor->segment);
    }
    return !cursor->refused;
}

bool
cursor_next(struct cursor *cursor, struct row *row)
{
    while (cursor->segment < cursor->snapshot->n_segments) {
        if (cursor->row < cursor->snapshot->segments[cursor->segment].n_rows) {
            bool ok = cursor_read(cursor, row);

            cursor->row++;
            return ok;
        }
        cursor->segment++;
        cursor->row = 0;
    }
    return false;
}

struct cursor
cursor_at_end(const struct mlog_snapshot *snapshot)
{
    return (struct cursor) {
        .snapshot = snapshot, .segment = snapshot->n_segments
    };
}

bool
cursor_previous(struct cursor *cursor, struct row *row)
{
    while (!cursor->row) {
        if (!cursor->segment) {
            return false;
        }
        cursor->segment--;
        cursor->row = cursor->snapshot->segments[cursor->segment].n_rows;
    }
    cursor->row--;
    return cursor_read(cursor, row);
}

void
check_row(const struct row *row, const struct row *previous)
{
    const struct content *a = &previous->content, *b = &row->content;

    if (!row->whole) {
        fail("torn: batch %"PRIu32" of writer %"PRIu32", record %"PRIu32
             " of %"PRIu32, b->batch, b->writer, b->index, b->n);
    }
    if (row->time < previous->time) {
        fail("order: time %"PRIu64" after %"PRIu64, row->time, previous->time);
    }
    if (b->index ? (b->writer != a->writer || b->batch != a->batch
                    || b->index != a->index + 1
                    || row->time != previous->time)
        : a->index + 1 != a->n) {
        fail("whole batches: record %"PRIu32" of %"PRIu32" of batch %"PRIu32
             " of writer %"PRIu32" after %"PRIu32" of %"PRIu32" of %"PRIu32
             " of %"PRIu32, b->index, b->n, b->batch, b->writer, a->index,
             a->n, a->batch, a->writer);
    }
}

const struct row no_row = { .content = { .n = 1 } };

void
check_last_row(const struct row *row)
{
    const struct content *c = &row->content;

    if (c->index + 1 != c->n) {
        fail("whole batches: %"PRIu32" of %"PRIu32" records of batch %"PRIu32
             " of writer %"PRIu32, c->index + 1, c->n, c->batch, c->writer);
    }
}

/* The list of flows of a segment has each flow of its rows, once, and no
 * other, unless the cut is before its end ('open'). */
static void
check_segment_flows(const struct mlog_snapshot *snapshot, size_t segment,
                    bool open)
{
    size_t limit = mlog_flow_table_limit(ml->flows);
    unsigned long *listed = bitmap_allocate(limit);
    unsigned long *used = bitmap_allocate(limit);
    const uint32_t *flows;
    uint32_t n_flows = read_flows(snapshot, segment, &flows);

    for (uint32_t i = 0; i < n_flows; i++) {
        if (flows[i] >= limit || bitmap_is_set(listed, flows[i])) {
            fail("segment %"PRIuSIZE" lists flow %"PRIu32" twice", segment,
                 flows[i]);
        }
        bitmap_set1(listed, flows[i]);
    }
    for (uint32_t i = 0; i < snapshot->segments[segment].n_rows; i++) {
        struct row row;

        read_row(snapshot, segment, i, &row);
        if (row.flow >= limit || !bitmap_is_set(listed, row.flow)) {
            fail("segment %"PRIuSIZE" doesn't list flow %"PRIu32, segment,
                 row.flow);
        }
        bitmap_set1(used, row.flow);
    }
    if (!open && !bitmap_equal(listed, used, limit)) {
        fail("segment %"PRIuSIZE" lists a flow that it has no row of",
             segment);
    }
    bitmap_free(listed);
    bitmap_free(used);
}

/* Checks segment 'i', which is entered.  '*previous' is the row before its
 * first, or 'no_row', and becomes its last. */
static void
check_segment(const struct mlog_snapshot *snapshot, size_t i,
              uint32_t taken_in, bool open, struct row *previous)
{
    for (uint32_t j = 0; j < snapshot->segments[i].n_rows; j++) {
        struct row row;

        read_row(snapshot, i, j, &row);
        if (row.round > taken_in) {
            fail("recycled: a snapshot taken in history %"PRIu32" has a row "
                 "of history %"PRIu32, taken_in, row.round);
        }
        if (previous->time) {
            check_row(&row, previous);
        }
        *previous = row;
    }
    check_segment_flows(snapshot, i, open);
}

size_t
check_snapshot(const struct mlog_snapshot *snapshot, uint32_t taken_in,
               struct rng *rng, uint32_t linger)
{
    struct row previous = no_row;
    size_t newest = snapshot->n_segments;
    size_t n_refused = 0, n_entered = 0;

    while (newest > 0 && !snapshot->segments[newest - 1].n_rows) {
        newest--;
    }
    for (size_t i = 0; i < snapshot->n_segments; i++) {
        if (!mlog_snapshot_enter(snapshot, i)) {
            n_refused++;
            previous = no_row;
            continue;
        }

        /* The oldest may expire in the meantime, the newest be sealed. */
        bool likely = !n_entered++ || i + 2 == snapshot->n_segments;
        if (linger && likely && one_in(rng, 2)) {
            nap(linger);
        }
        check_segment(snapshot, i, taken_in, i + 1 >= newest, &previous);
        mlog_snapshot_leave(snapshot, i);
    }
    check_last_row(&previous);
    return n_refused;
}
