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

#include "mlog-digest-private.h"

#include <stdlib.h>

#include "mlog-flow-table.h"
#include "mlog-header-log.h"
#include "mlog-headers.h"
#include "mlog-lanes.h"
#include "mlog-ports.h"
#include "mlog-stream.h"
#include "util.h"

/* Records
 * =======
 *
 *   ring --> parse --> look flow up --> append row --> stream
 *
 * On one thread, all of it is done group by group.  With several, groups are
 * items of mlog-lanes.h: helpers parse, and work on the stream, and only what
 * is in the middle remains for the thread that makes the pass, which is what
 * has to be in order over all rings. */

/* Records are looked up in groups of about this many, so that what one of them
 * waits for is fetched while others are worked on. */
#define GROUP_RECORDS 128
#define GROUP_MAX (GROUP_RECORDS + MLOG_BATCH_MAX)

/* With several threads, so many groups are there at most; of these, so many to
 * be parsed and appended. */
#define GROUP_SLOTS 32
#define GROUPS_AHEAD 16

/* What lanes have to do for a group. */
enum step {
    STEP_NONE,
    STEP_RECORDS,
    STEP_TICK,                  /* There are no records. */
    STEP_FINISH,                /* Likewise. */
};

/* A batch that is taken out of a ring.  Its slots remain until the commit. */
struct batch {
    const struct mlog_ring *ring;
    uint64_t position;                  /* Of its first packet. */
    uint64_t time;                      /* ns. */
    uint16_t n_packets;
    uint16_t out_port;                  /* Datapath port number. */
    uint8_t reason;
};

/* The records of some batches, from being taken out of a ring to being
 * appended. */
struct group {
    size_t n;
    struct mlog_flow_key keys[GROUP_MAX];
    struct mlog_row rows[GROUP_MAX];
    uint32_t hashes[GROUP_MAX];
    uint64_t times[GROUP_MAX];          /* ns. */
    uint16_t out_ports[GROUP_MAX];

    /* For lanes. */
    size_t n_batches;
    struct batch batches[GROUP_RECORDS];
    enum step step;
    size_t n_streamed;                  /* Records that have a class. */
    const struct mlog_flow_key *places[GROUP_MAX];
    uint32_t classes[GROUP_MAX];        /* 0: none. */
    bool classified[GROUP_MAX];         /* Just now. */
};

uint64_t
mlog_digest_advance_time__(struct mlog_digest *digest, uint64_t ticks)
{
    digest->time = MAX(digest->time, mlog_clock_to_ns(&digest->clock, ticks));
    return digest->time;
}

void
mlog_digest_add_loss__(struct mlog_digest *digest, enum mlog_loss reason,
                       uint64_t from, uint64_t to, uint64_t count)
{
    struct mlog_gap gap = {
        .from = from, .to = to, .count = count, .reason = reason
    };

    mlog_header_log_add_gap(digest->log, &gap);
}

static struct batch
take_batch(struct mlog_digest *digest, const struct mlog_ring *ring,
           const struct mlog_batch_slot *slot)
{
    return (struct batch) {
        .ring = ring,
        .position = ring->next + 1,
        .time = mlog_digest_advance_time__(digest, slot->time),
        .n_packets = slot->n_packets,
        .out_port = slot->out_port,
        .reason = slot->reason,
    };
}

/* Parses the packets of 'batch' into 'group', from record 'i' on.  Returns the
 * index after the last one.  Fetches what their flows need from 'flows',
 * unless NULL. */
static inline size_t
parse_batch(struct group *group, size_t i, const struct batch *batch,
            const struct mlog_flow_table *flows)
{
    const struct mlog_ring *ring = batch->ring;
    uint16_t out_port = (batch->out_port == UINT16_MAX ? MLOG_PORT_NONE
                         : mlog_ports_lookup(ring->datapath,
                                             batch->out_port));
    uint8_t buffer[MLOG_PACKET_BYTES_MAX];
    uint16_t last_in_port = UINT16_MAX;
    uint16_t in_port_id = MLOG_PORT_NONE;
    uint64_t position = batch->position;

    for (size_t end = i + batch->n_packets; i < end; i++) {
        struct mlog_flow_key *key = &group->keys[i];
        struct mlog_row *row = &group->rows[i];
        const struct mlog_packet_slot *packet;
        const uint8_t *bytes;
        size_t n;

        packet = mlog_ring_packet_at(ring, &position, buffer, &bytes, &n);
        mlog_headers_parse(bytes, n, packet->size, key, row);
        if (packet->in_port != last_in_port) {
            last_in_port = packet->in_port;
            in_port_id = mlog_ports_lookup(ring->datapath, last_in_port);
        }
        key->in_port = in_port_id;
        row->reason = batch->reason;
        group->times[i] = batch->time;
        group->out_ports[i] = out_port;
        group->hashes[i] = mlog_flow_key_hash(key);
        if (flows) {
            mlog_flow_table_prefetch(flows, group->hashes[i]);
        }
    }
    return i;
}

static uint32_t
get_generation(const struct mlog_digest *digest)
{
    return (mlog_stream_generation(digest->stream)
            + mlog_ports_generation());
}

/* Feeds the filters. */
static void
stream_record(struct mlog_digest *digest, struct mlog_flow *flow,
              const struct mlog_row *row, uint64_t time)
{
    struct mlog_record record = {
        .key = &flow->key,
        .row = row,
        .time = time,
    };
    uint32_t generation = get_generation(digest);

    if (OVS_UNLIKELY(flow->class_generation != generation)) {
        struct mlog_record of_flow = { .key = &flow->key };

        flow->class = mlog_stream_classify(digest->stream, &of_flow);
        flow->class_generation = generation;
    }
    if (flow->class) {
        mlog_stream_record(digest->stream, flow->class, &record);
    }
}

/* Leaves record 'i' to lanes. */
static void
leave_record(struct mlog_digest *digest, struct group *group,
             struct mlog_flow *flow, size_t i)
{
    uint32_t generation = get_generation(digest);

    group->classified[i] = flow->class_generation != generation;
    if (OVS_UNLIKELY(group->classified[i])) {
        struct mlog_record of_flow = { .key = &flow->key };

        flow->class = mlog_stream_find_class(digest->stream, &of_flow);
        flow->class_generation = generation;
    }
    group->places[i] = &flow->key;
    group->classes[i] = flow->class;
    group->n_streamed += flow->class != 0;
}

/* Appends record 'i' of the group.  Returns false if there is no memory. */
static bool
append(struct mlog_digest *digest, struct group *group, size_t i)
{
    const struct mlog_flow_key *key = &group->keys[i];
    struct mlog_row *parsed = &group->rows[i];
    uint32_t hash = group->hashes[i];
    uint64_t time = group->times[i];
    uint64_t ns_after_base;
    struct mlog_flow *flow;
    uint32_t index, local;

    flow = mlog_flow_table_find(digest->flows, key, hash, &index);
    if (OVS_UNLIKELY(!flow)) {
        flow = mlog_flow_table_insert(digest->flows, key, hash, time, &index);
        if (!flow) {
            return false;
        }
    }

    struct mlog_row *row = mlog_header_log_append(digest->log, time, index,
                                                  &ns_after_base, &local);
    if (OVS_UNLIKELY(!row)) {
        mlog_flow_table_release_unused(digest->flows, flow, index);
        return false;
    }

    parsed->time_port = mlog_row_pack_time_port(ns_after_base,
                                                group->out_ports[i]);
    parsed->flow = local;
    *row = *parsed;
    mlog_flow_count(flow, mlog_row_pkt_len(row), time);

    /* The stream knows the flow by its index in the flow table. */
    parsed->flow = index;
    if (digest->lanes) {
        leave_record(digest, group, flow, i);
    } else {
        stream_record(digest, flow, parsed, time);
    }
    return true;
}

/* Lanes. */

static void
run_records(struct mlog_stream_lane *lane, const struct group *group)
{
    for (size_t i = 0; i < group->n; i++) {
        struct mlog_record record = {
            .key = &group->keys[i],
            .row = &group->rows[i],
            .time = group->times[i],
        };

        if (!group->classes[i]) {
            continue;
        }
        if (group->classified[i]) {
            mlog_stream_lane_forget_flow(lane, group->places[i]);
        }
        mlog_stream_lane_record(lane, group->classes[i], group->places[i],
                                &record);
    }
}

/* For struct mlog_lanes_class. */
static void
prepare_group(void *digest_, unsigned int slot)
{
    struct mlog_digest *digest = digest_;
    struct group *group = &digest->groups[slot];
    size_t n = 0;

    for (size_t i = 0; i < group->n_batches; i++) {
        n = parse_batch(group, n, &group->batches[i], NULL);
    }
}

/* Likewise. */
static void
run_lane(void *digest_, unsigned int i, unsigned int slot)
{
    struct mlog_digest *digest = digest_;
    struct mlog_stream_lane *lane = mlog_stream_get_lane(digest->stream, i);

    switch (digest->groups[slot].step) {
    case STEP_NONE:
        break;
    case STEP_RECORDS:
        run_records(lane, &digest->groups[slot]);
        break;
    case STEP_TICK:
        mlog_stream_lane_tick(lane);
        break;
    case STEP_FINISH:
        mlog_stream_lane_finish(lane);
        break;
    }
}

static const struct mlog_lanes_class lanes_class = {
    prepare_group, run_lane
};

/* Goes on to an empty group. */
static void
next_group(struct mlog_digest *digest)
{
    if (digest->lanes) {
        digest->group = &digest->groups[mlog_lanes_next(digest->lanes)];
    }
    digest->group->n = 0;
    digest->group->n_batches = 0;
    digest->group->step = STEP_RECORDS;
}

/* Makes the group, in which there is nothing, a step for lanes. */
static void
push_step(struct mlog_digest *digest, enum step step)
{
    digest->group->step = step;
    mlog_lanes_offer(digest->lanes, true);
    mlog_lanes_prepared(digest->lanes);
    mlog_lanes_push(digest->lanes);
    next_group(digest);
}

/* By now the buckets of the group's flows have been asked for; what they lead
 * to is prefetched a few records ahead. */
static void
append_group(struct mlog_digest *digest, struct group *group)
{
    enum { AHEAD = 16 };

    for (size_t i = 0; i < MIN(AHEAD, group->n); i++) {
        mlog_flow_table_prefetch_flow(digest->flows, group->hashes[i]);
    }
    for (size_t i = 0; i < group->n; i++) {
        if (i + AHEAD < group->n) {
            mlog_flow_table_prefetch_flow(digest->flows,
                                          group->hashes[i + AHEAD]);
        }
        if (OVS_UNLIKELY(!append(digest, group, i))) {
            group->classes[i] = 0;
            mlog_digest_add_loss__(digest, MLOG_LOSS_MEMORY,
                                   group->times[i], group->times[i], 1);
        }
    }
}

/* Appends the oldest group that was offered, and leaves it to lanes. */
static void
finish_oldest(struct mlog_digest *digest)
{
    struct group *group = &digest->groups[mlog_lanes_prepared(digest->lanes)];

    for (size_t i = 0; i < group->n; i++) {
        mlog_flow_table_prefetch(digest->flows, group->hashes[i]);
    }
    group->n_streamed = 0;
    append_group(digest, group);
    if (!group->n_streamed) {
        group->step = STEP_NONE;
    }
    mlog_lanes_push(digest->lanes);
}

/* Deals with a group that is filled. */
static void
end_group(struct mlog_digest *digest)
{
    if (digest->lanes) {
        mlog_lanes_offer(digest->lanes, false);
        if (mlog_lanes_n_offered(digest->lanes) > GROUPS_AHEAD) {
            finish_oldest(digest);
        }
    } else {
        append_group(digest, digest->group);
    }
    next_group(digest);
}

void
mlog_digest_batch__(struct mlog_digest *digest, struct mlog_ring *ring,
                    const struct mlog_batch_slot *slot)
{
    struct batch batch = take_batch(digest, ring, slot);
    struct group *group = digest->group;

    if (digest->lanes) {
        group->batches[group->n_batches++] = batch;
        group->n += batch.n_packets;
    } else {
        group->n = parse_batch(group, group->n, &batch, digest->flows);
    }
    mlog_ring_consume(ring);
    if (group->n >= GROUP_RECORDS || group->n_batches >= GROUP_RECORDS) {
        end_group(digest);
    }
}

void
mlog_digest_end_groups__(struct mlog_digest *digest)
{
    if (digest->group->n) {
        end_group(digest);
    }
    while (digest->lanes && mlog_lanes_n_offered(digest->lanes)) {
        finish_oldest(digest);
    }
}

/* The stream. */

/* A tick of the stream, all of whose records are pushed.  The joins make
 * everything that lanes have done this thread's: what triggers see, and what
 * others see that lock the digest. */
void
mlog_digest_tick__(struct mlog_digest *digest, uint64_t time)
{
    if (!digest->lanes) {
        mlog_stream_tick(digest->stream, time);
        return;
    }
    mlog_stream_begin_tick(digest->stream, time);
    push_step(digest, STEP_TICK);
    mlog_lanes_join(digest->lanes);
    mlog_stream_evaluate(digest->stream);
    push_step(digest, STEP_FINISH);
    mlog_lanes_join(digest->lanes);
    mlog_stream_end_tick(digest->stream);
    mlog_lanes_rest(digest->lanes);
}

/* Life cycle. */

void
mlog_digest_start_lanes__(struct mlog_digest *digest, unsigned int n)
{
    digest->lanes = (n < 2 ? NULL
                     : mlog_lanes_create(n, GROUP_SLOTS, &lanes_class,
                                         digest));
    digest->groups = xmalloc((n < 2 ? 1 : GROUP_SLOTS)
                             * sizeof *digest->groups);
    digest->group = digest->groups;
    next_group(digest);
    mlog_stream_set_lanes(digest->stream, n);
}

void
mlog_digest_stop_lanes__(struct mlog_digest *digest)
{
    mlog_lanes_destroy(digest->lanes);
    free(digest->groups);
}
