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

#include "mlog-query-conversations.h"

#include <errno.h>

#include "hash.h"
#include "mlog-expr.h"
#include "mlog-flow-table.h"
#include "mlog-query-copies.h"
#include "openvswitch/hmap.h"
#include "packets.h"
#include "random.h"
#include "util.h"

/* The conversation and the direction of a row depend on its flow alone, so
 * they are found once per flow and remembered, by the flow's index in the flow
 * table or, for archived segments, by its number in the segment.
 *
 * What is remembered is the conversation's address; conversations have even
 * ones, so bit 0 has room for the direction. */
typedef uintptr_t conversation_ref;
#define REF_NONE 1              /* Looked up: there is no such conversation. */

struct conversation {
    struct hmap_node node;      /* By 'key'. */
    struct mlog_flow_key key;   /* The lesser endpoint is its source. */
    struct mlog_conversation_way ways[2];       /* From it, and to it. */
    bool first_way;             /* Of the first record. */
    size_t serial;              /* Order of the first records. */
    struct mlog_conversation public;
};

struct mlog_conversations {
    struct mlog_query_totals totals;
    struct hmap map;            /* Of struct conversation. */
    uint32_t seed;
    size_t n_by_answer[MLOG_ANSWER_SELF + 1];
};

/* What is needed only while the query runs. */
struct run {
    struct mlog_conversations *result;
    const struct mlog_expr *expr;
    struct mlog_copies *copies;
    uint64_t hash_seed;
    bool count;                 /* Rows are to be counted... */
    bool insert;                /* ...and conversations to be added. */
    size_t n_begun;             /* Conversations with counted records. */
    conversation_ref *by_index;
    conversation_ref *by_local;
    uint64_t local_serial;
};

/* Keys. */

static int
compare_endpoints(const struct mlog_flow_key *key)
{
    int cmp;

    if (!(key->has & (MLOG_HAS_IP | MLOG_HAS_ARP))) {
        return memcmp(&key->dl_src, &key->dl_dst, sizeof key->dl_src);
    }
    cmp = memcmp(key->src, key->dst, sizeof key->src);
    return cmp ? cmp : (int) key->tp_src - key->tp_dst;
}

static void
swap_endpoints(struct mlog_flow_key *key)
{
    const struct mlog_flow_key old = *key;

    memcpy(key->src, old.dst, sizeof key->src);
    memcpy(key->dst, old.src, sizeof key->dst);
    key->dl_src = old.dl_dst;
    key->dl_dst = old.dl_src;
    key->tp_src = old.tp_dst;
    key->tp_dst = old.tp_src;
}

/* Sets 'key' to what the conversation of flow 'flow' has in common.  Returns
 * true if the endpoints were swapped for that. */
static bool
make_key(const struct mlog_flow_key *flow, struct mlog_flow_key *key)
{
    *key = *flow;
    key->vlan_tci[0] &= 0x1fff;
    key->vlan_tci[1] &= 0x1fff;
    key->in_port = MLOG_PORT_NONE;
    key->nw_frag = 0;
    key->has &= ~(MLOG_HAS_TCP | MLOG_HAS_ICMP);
    if (flow->has & (MLOG_HAS_IP | MLOG_HAS_ARP)) {
        memset(&key->dl_src, 0, sizeof key->dl_src);
        memset(&key->dl_dst, 0, sizeof key->dl_dst);
    }
    if (!(flow->has & MLOG_HAS_PORTS)) {
        key->tp_src = key->tp_dst = 0;
    }
    if (flow->has & MLOG_HAS_ARP) {
        key->nw_proto = 0;
    }
    if (compare_endpoints(key) <= 0) {
        return false;
    }
    swap_endpoints(key);
    return true;
}

/* Finding conversations. */

static struct conversation *
find_conversation(const struct mlog_conversations *result,
                  const struct mlog_flow_key *key, uint32_t hash)
{
    struct conversation *c;

    HMAP_FOR_EACH_WITH_HASH (c, node, hash, &result->map) {
        if (!memcmp(&c->key, key, sizeof *key)) {
            return c;
        }
    }
    return NULL;
}

static conversation_ref
look_up(struct run *run, const struct mlog_flow_key *flow)
{
    struct mlog_conversations *result = run->result;
    struct mlog_flow_key key;
    bool way = make_key(flow, &key);
    uint32_t hash = hash_bytes(&key, sizeof key, result->seed);
    struct conversation *c = find_conversation(result, &key, hash);

    if (!c) {
        if (!run->insert) {
            return REF_NONE;
        }
        c = xzalloc(sizeof *c);
        c->key = key;
        hmap_insert(&result->map, &c->node, hash);
    }
    return (uintptr_t) c | way;
}

static conversation_ref
get_ref(struct run *run, const struct mlog_batch *batch, uint32_t local)
{
    const uint32_t *flows = batch->segment->flows;
    conversation_ref *ref = (flows ? &run->by_index[flows[local]]
                             : &run->by_local[local]);

    if (OVS_UNLIKELY(!*ref)) {
        *ref = look_up(run, mlog_segment_key(batch->flows, batch->segment,
                                             local));
    }
    return *ref;
}

/* Forgets what is known by local numbers, if 'batch' is of another segment. */
static void
enter_batch(struct run *run, const struct mlog_batch *batch)
{
    if (!batch->segment->flows && batch->serial != run->local_serial) {
        uint32_t n;

        atomic_read_relaxed(&CONST_CAST(struct mlog_segment *,
                                        batch->segment)->n_flows, &n);
        free(run->by_local);
        run->by_local = xcalloc(n, sizeof *run->by_local);
        run->local_serial = batch->serial;
    }
}

/* Counting. */

static uint64_t
mix(uint64_t hash, uint64_t x)
{
    hash = (hash ^ x) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* A hash of what copies of a packet have in common.  On its way to different
 * ports a packet may be given other MAC addresses and another TTL. */
static uint64_t
hash_packet(const struct run *run, conversation_ref ref, uint16_t in_port,
            const struct mlog_row *row)
{
    uint64_t hash = mix(run->hash_seed, ref);

    hash = mix(hash, (uint64_t) row->tcp_seq << 32 | row->tcp_ack);
    hash = mix(hash, ((uint64_t) mlog_row_pkt_len(row) << 32
                      | (uint32_t) row->tcp_flags << 16 | in_port));
    return mix(hash, ((uint64_t) row->tcp_window << 32
                      | (uint32_t) row->ip_id << 16 | row->nw_tos));
}

/* A drop is a place to go to as well: what was sent before a copy of it was
 * dropped is one packet. */
static uint16_t
destination(const struct mlog_row *row)
{
    return row->reason ? MLOG_PORT_NONE : mlog_row_out_port(row);
}

static void
add_tcp_flags(struct mlog_conversation_way *way, const struct mlog_row *row)
{
    way->tcp_flags |= row->tcp_flags;
    if (row->tcp_flags & TCP_SYN) {
        if (row->tcp_flags & TCP_ACK) {
            way->syn_ack = true;
        } else {
            way->syn = true;
        }
    }
}

static void
add_row(struct run *run, const struct mlog_batch *batch,
        const struct mlog_row *row)
{
    conversation_ref ref = get_ref(run, batch, row->flow);

    if (ref == REF_NONE || !run->count) {
        return;
    }

    struct conversation *c = (struct conversation *) (ref & ~(uintptr_t) 1);
    struct mlog_conversation_way *way = &c->ways[ref & 1];
    const struct mlog_flow_key *flow = mlog_segment_key(batch->flows,
                                                        batch->segment,
                                                        row->flow);
    uint64_t time = batch->segment->base_time + mlog_row_time(row);
    uint64_t hash = hash_packet(run, ref, flow->in_port, row);

    run->result->totals.count++;
    run->result->totals.bytes += mlog_row_pkt_len(row);
    if (!c->public.first) {
        c->public.first = time;
        c->serial = run->n_begun++;
        c->first_way = ref & 1;
    }
    c->public.last = time;
    c->public.dropped += row->reason != 0;
    if (flow->has & MLOG_HAS_TCP) {
        c->public.tcp = true;
        add_tcp_flags(way, row);
    }
    if (!mlog_copies_add(run->copies, hash, destination(row), time)) {
        way->packets++;
        way->bytes += mlog_row_pkt_len(row);
    }
}

/* Returns 0 or E2BIG. */
static int
add_batch(struct run *run, const struct mlog_batch *batch)
{
    enum { MAX = MIN(MLOG_QUERY_MAX_GROUPS,
                     MLOG_QUERY_MAX_MEMORY / sizeof(struct conversation)) };

    enter_batch(run, batch);
    for (uint32_t i = 0; i < batch->n; i++) {
        mlog_batch_prefetch(batch, i);
        add_row(run, batch, mlog_batch_row(batch, i));
        if (OVS_UNLIKELY(hmap_count(&run->result->map) > MAX)) {
            return E2BIG;
        }
    }
    return 0;
}

static int
scan(struct run *run, const struct mlog_snapshot *snapshot,
     const struct mlog_range *range, const struct mlog_budget *budget)
{
    size_t n_flows = mlog_flow_table_limit(snapshot->flows) + 1;
    struct mlog_scan *s = mlog_scan_create(snapshot, range, budget);
    struct mlog_batch batch;
    int error = 0;

    run->by_index = xcalloc(n_flows, sizeof *run->by_index);
    while (!error && mlog_scan_next(s, &batch)) {
        error = add_batch(run, &batch);
        mlog_scan_set_memory(s, (hmap_count(&run->result->map)
                                 * sizeof(struct conversation)));
    }
    run->result->totals.n_revoked += mlog_scan_n_expired(s);
    run->result->totals.n_unreadable += mlog_scan_n_unreadable(s);
    error = error ? error : mlog_scan_error(s);
    mlog_scan_destroy(s);
    free(run->by_index);
    free(run->by_local);
    run->by_index = run->by_local = NULL;
    run->local_serial = 0;
    return error;
}

/* First all conversations that match are found, then everything of theirs is
 * counted. */
static int
scan_whole(struct run *run, const struct mlog_snapshot *snapshot,
           const struct mlog_range *range, const struct mlog_budget *budget)
{
    struct mlog_range all = { .since = range->since, .until = range->until };
    int error;

    if (range->expr) {
        uint64_t min, max;

        mlog_expr_time_range(range->expr, &min, &max);
        all.since = MAX(all.since, min);
        all.until = MIN(all.until, max);
    }
    run->count = false;
    error = scan(run, snapshot, range, budget);
    if (!error) {
        run->count = true;
        run->insert = false;
        run->expr = NULL;
        error = scan(run, snapshot, &all, budget);
    }
    return error;
}

/* Finishing. */

/* Whether the expression lets all packets by that answer those of 'c'. */
static bool
lets_answers_by(const struct mlog_expr *expr, const struct conversation *c)
{
    struct mlog_flow_key key = c->public.key;
    const struct mlog_record answer = { .key = &key };

    if (!expr) {
        return true;
    }
    swap_endpoints(&key);
    if (c->public.tcp) {
        key.has |= MLOG_HAS_TCP;
    }
    return mlog_expr_eval_flow(expr, &answer) == MLOG_TRUE;
}

static enum mlog_answer
get_answer(const struct run *run, const struct conversation *c)
{
    return (!compare_endpoints(&c->key) ? MLOG_ANSWER_SELF
            : c->public.ba.packets ? MLOG_ANSWERED
            : lets_answers_by(run->expr, c) ? MLOG_UNANSWERED
            : MLOG_ANSWER_UNKNOWN);
}

static void
finish(struct run *run)
{
    struct conversation *c, *next;

    HMAP_FOR_EACH_SAFE (c, next, node, &run->result->map) {
        struct mlog_conversation *public = &c->public;

        if (!public->first) {
            /* Its records have expired since it was found. */
            hmap_remove(&run->result->map, &c->node);
            free(c);
            continue;
        }
        public->key = c->key;
        if (c->first_way) {
            swap_endpoints(&public->key);
        }
        public->ab = c->ways[c->first_way];
        public->ba = c->ways[!c->first_way];
        public->began_b = (!public->ab.syn
                           && (public->ab.syn_ack || public->ba.syn));
        public->answer = get_answer(run, c);
        run->result->n_by_answer[public->answer]++;
    }
}

int
mlog_query_conversations(const struct mlog_snapshot *snapshot,
                         const struct mlog_range *range,
                         const struct mlog_budget *budget, bool whole,
                         struct mlog_conversations **resultp)
{
    struct mlog_conversations *result = xzalloc(sizeof *result);
    struct run run = {
        .result = result,
        .expr = range->expr,
        .copies = mlog_copies_create(),
        .hash_seed = (uint64_t) random_uint32() << 32 | random_uint32(),
        .count = true,
        .insert = true,
    };
    int error;

    hmap_init(&result->map);
    result->seed = random_uint32();
    mlog_query_get_missing(snapshot, range, &result->totals);
    error = (whole ? scan_whole : scan)(&run, snapshot, range, budget);
    mlog_copies_destroy(run.copies);
    if (error) {
        mlog_conversations_destroy(result);
        result = NULL;
    } else {
        finish(&run);
    }
    *resultp = result;
    return error;
}

void
mlog_conversations_destroy(struct mlog_conversations *result)
{
    if (result) {
        struct conversation *c;

        HMAP_FOR_EACH_POP (c, node, &result->map) {
            free(c);
        }
        hmap_destroy(&result->map);
        free(result);
    }
}

/* Results. */

const struct mlog_query_totals *
mlog_conversations_totals(const struct mlog_conversations *result)
{
    return &result->totals;
}

size_t
mlog_conversations_count(const struct mlog_conversations *result)
{
    return hmap_count(&result->map);
}

size_t
mlog_conversations_count_by_answer(const struct mlog_conversations *result,
                                   enum mlog_answer answer)
{
    return result->n_by_answer[answer];
}

const char *
mlog_conversation_state(const struct mlog_conversation *c)
{
    const struct mlog_conversation_way *client = c->began_b ? &c->ba : &c->ab;
    const struct mlog_conversation_way *server = c->began_b ? &c->ab : &c->ba;
    uint16_t flags = client->tcp_flags | server->tcp_flags;

    if (!c->tcp) {
        return NULL;
    } else if (flags & TCP_RST) {
        return (client->syn && !server->syn_ack && server->tcp_flags & TCP_RST
                ? "refused" : "reset");
    } else if (client->tcp_flags & server->tcp_flags & TCP_FIN) {
        return "closed";
    } else if (flags & TCP_FIN) {
        return "closing";
    } else if (!(flags & TCP_SYN)) {
        return "midstream";
    } else if (client->syn && !server->packets) {
        return "syn-sent";
    } else if (server->syn_ack && !(client->tcp_flags & TCP_ACK)) {
        return "syn-received";
    }
    return "established";
}

struct ranked {
    uint64_t rank;              /* The greatest first. */
    const struct conversation *c;
};

static int
compare_ranked(const void *a_, const void *b_)
{
    const struct ranked *a = a_;
    const struct ranked *b = b_;

    return (a->rank != b->rank ? (a->rank > b->rank ? -1 : 1)
            : a->c->public.first != b->c->public.first
              ? (a->c->public.first < b->c->public.first ? -1 : 1)
            : a->c->serial < b->c->serial ? -1 : 1);
}

static uint64_t
get_rank(const struct mlog_conversation *c, enum mlog_conversations_by by)
{
    switch (by) {
    case MLOG_CONVERSATIONS_BY_BYTES: return c->ab.bytes + c->ba.bytes;
    case MLOG_CONVERSATIONS_BY_PACKETS: return c->ab.packets + c->ba.packets;
    case MLOG_CONVERSATIONS_BY_DURATION: return c->last - c->first;
    }
    OVS_NOT_REACHED();
}

const struct mlog_conversation **
mlog_conversations_top(const struct mlog_conversations *result,
                       enum mlog_conversations_by by, bool unanswered,
                       size_t n, size_t *n_out)
{
    size_t n_all = hmap_count(&result->map);
    struct ranked *ranked = xmalloc((n_all + 1) * sizeof *ranked);
    const struct mlog_conversation **top;
    const struct conversation *c;
    size_t n_ranked = 0;

    HMAP_FOR_EACH (c, node, &result->map) {
        if (!unanswered || c->public.answer == MLOG_UNANSWERED) {
            ranked[n_ranked++] = (struct ranked) {
                .rank = get_rank(&c->public, by), .c = c
            };
        }
    }
    qsort(ranked, n_ranked, sizeof *ranked, compare_ranked);
    *n_out = MIN(n, n_ranked);
    top = xmalloc((*n_out + 1) * sizeof *top);
    for (size_t i = 0; i < *n_out; i++) {
        top[i] = &ranked[i].c->public;
    }
    free(ranked);
    return top;
}
