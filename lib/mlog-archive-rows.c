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
#include "mlog-archive-columns.h"

#include "mlog-columns.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* Rows as columns.
 *
 * A row resembles the row of the same flow before: TTL, TOS and ports don't
 * change, identifications and windows little.  So a column has the difference
 * to that.  A flow's first row is compared with the latest first row of the
 * same protocol.
 *
 * In TCP, sequence numbers follow from the lengths of the packets before, and
 * acknowledgments from the sequence numbers of the other direction: see
 * struct tcp_flow.  Encoder and decoder make the same guesses, as both know
 * the rows before, and of the present one the columns before. */

/* Members that are compared with the row of the flow before. */

struct row_column {
    enum mlog_row_column column;
    enum mlog_archive_section_id id;
    enum mlog_archive_zone_id zone;
    unsigned int n_bits;        /* Less than 32. */
    uint32_t (*get)(const struct mlog_row *);
    void (*set)(struct mlog_row *, uint32_t);
};

#define MEMBER(NAME)                                                    \
    static uint32_t                                                     \
    get_##NAME(const struct mlog_row *row)                              \
    {                                                                   \
        return row->NAME;                                               \
    }                                                                   \
                                                                        \
    static void                                                         \
    set_##NAME(struct mlog_row *row, uint32_t value)                    \
    {                                                                   \
        row->NAME = value;                                              \
    }
MEMBER(tcp_flags)
MEMBER(nw_tos)
MEMBER(ip_id)
MEMBER(tcp_window)
MEMBER(reason)

static uint32_t
get_pkt_len(const struct mlog_row *row)
{
    return mlog_row_pkt_len(row);
}

static void
set_pkt_len(struct mlog_row *row, uint32_t value)
{
    row->len_ttl = value << 8 | mlog_row_ttl(row);
}

static uint32_t
get_ttl(const struct mlog_row *row)
{
    return mlog_row_ttl(row);
}

static void
set_ttl(struct mlog_row *row, uint32_t value)
{
    row->len_ttl = mlog_row_pkt_len(row) << 8 | value;
}

static uint32_t
get_out_port(const struct mlog_row *row)
{
    return mlog_row_out_port(row);
}

static void
set_out_port(struct mlog_row *row, uint32_t value)
{
    row->time_port = mlog_row_pack_time_port(mlog_row_time(row), value);
}

#define COLUMN(ID, BITS, NAME, COLUMN) \
    { MLOG_COLUMN_##COLUMN, MLOG_AS_##ID, MLOG_ZONE_##ID, BITS, get_##NAME, \
      set_##NAME }
static const struct row_column columns[] = {
    COLUMN(PKT_LEN, 24, pkt_len, PKT_LEN),
    COLUMN(TCP_FLAGS, 16, tcp_flags, TCP_FLAGS),
    COLUMN(TTL, 8, ttl, TTL),
    COLUMN(TOS, 8, nw_tos, NW_TOS),
    COLUMN(IP_ID, 16, ip_id, IP_ID),
    COLUMN(TCP_WINDOW, 16, tcp_window, TCP_WINDOW),
    COLUMN(REASON, 8, reason, REASON),
    COLUMN(OUT_PORT, 16, out_port, OUT_PORT),
};

/* Per flow, the last value, or UINT32_MAX before the first. */
struct last {
    uint32_t *of_flow;
    uint32_t first[256];        /* Of the latest flow of each protocol. */
};

static void
last_init(struct last *last, size_t n_flows)
{
    last->of_flow = xmalloc(n_flows * sizeof *last->of_flow);
    memset(last->of_flow, 0xff, n_flows * sizeof *last->of_flow);
    memset(last->first, 0, sizeof last->first);
}

static void
last_destroy(struct last *last)
{
    free(last->of_flow);
}

static uint32_t
last_get(const struct last *last, const struct mlog_flow_key *key,
         uint32_t flow)
{
    uint32_t value = last->of_flow[flow];

    return value != UINT32_MAX ? value : last->first[key->nw_proto];
}

static void
last_set(struct last *last, const struct mlog_flow_key *key, uint32_t flow,
         uint32_t value)
{
    if (last->of_flow[flow] == UINT32_MAX) {
        last->first[key->nw_proto] = value;
    }
    last->of_flow[flow] = value;
}

/* Which flow: see MLOG_AS_FLOW.  Packets of a dialogue alternate, so the flow
 * that followed this one last time is tried first. */

struct flow_order {
    uint32_t *next;             /* What followed each flow last time. */
    uint32_t previous;          /* UINT32_MAX at the beginning. */
    uint32_t first;             /* What to expect then, if anything. */
    struct mlog_recency recency;
};

static void
flow_order_init(struct flow_order *o, size_t n_flows)
{
    o->next = xmalloc(n_flows * sizeof *o->next);
    memset(o->next, 0xff, n_flows * sizeof *o->next);
    o->previous = o->first = UINT32_MAX;
    mlog_recency_init(&o->recency);
}

static void
flow_order_destroy(struct flow_order *o)
{
    free(o->next);
}

static uint32_t *
flow_order_expected(struct flow_order *o)
{
    return o->previous == UINT32_MAX ? &o->first : &o->next[o->previous];
}

static uint64_t
flow_order_encode(struct flow_order *o, uint32_t flow)
{
    uint32_t *expected = flow_order_expected(o);
    uint64_t code = mlog_recency_encode(&o->recency, flow);
    bool right = *expected == flow;

    *expected = o->previous = flow;
    return right ? 0 : 1 + code;
}

static bool
flow_order_decode(struct flow_order *o, uint64_t code, uint32_t n_flows,
                  uint32_t *flow)
{
    uint32_t *expected = flow_order_expected(o);

    if (code) {
        if (!mlog_recency_decode(&o->recency, code - 1, n_flows, flow)) {
            return false;
        }
    } else if (*expected >= n_flows) {
        return false;
    } else {
        *flow = *expected;
        mlog_recency_encode(&o->recency, *flow);
    }
    *expected = o->previous = *flow;
    return true;
}

/* TCP.
 *
 * A packet's payload is what its length exceeds that of the headers, which a
 * row doesn't tell; but what a sequence number was, after the one before, says
 * how long the headers must have been.  Options rarely change within a flow,
 * and flows of one network tend to have the same. */

struct tcp_flow {
    uint32_t next_seq;          /* Expected. */
    uint32_t seq;               /* Of the last packet... */
    uint32_t ack;
    uint32_t pkt_len;
    uint16_t headers;           /* Length of all headers; 0: no packet yet. */
    bool syn_or_fin;            /* ...which counts as one byte. */
};

struct tcp {
    struct tcp_flow *flows;
    const uint32_t *reverse;
    const struct mlog_flow_key *keys;
    uint16_t options;           /* Latest length of options. */
};

enum { MIN_FRAME = 60, MAX_OPTIONS = 40 };

static void
tcp_init(struct tcp *tcp, const struct mlog_flow_key *keys, size_t n_flows,
         const uint32_t *reverse)
{
    *tcp = (struct tcp) {
        .flows = xcalloc(n_flows, sizeof *tcp->flows),
        .reverse = reverse,
        .keys = keys,
    };
}

static void
tcp_destroy(struct tcp *tcp)
{
    free(tcp->flows);
}

static uint16_t
headers_without_options(const struct mlog_flow_key *key)
{
    return (ETH_HEADER_LEN
            + (key->vlan_tci[0] ? VLAN_HEADER_LEN : 0)
            + (key->vlan_tci[1] ? VLAN_HEADER_LEN : 0)
            + (key->dl_type == ETH_TYPE_IPV6 ? IPV6_HEADER_LEN : IP_HEADER_LEN)
            + TCP_HEADER_LEN);
}

/* The other direction's flow, if it has had a packet. */
static const struct tcp_flow *
tcp_reverse(const struct tcp *tcp, uint32_t flow)
{
    uint32_t reverse = tcp->reverse[flow];
    const struct tcp_flow *other;

    other = reverse != UINT32_MAX ? &tcp->flows[reverse] : NULL;
    return other && other->headers ? other : NULL;
}

static bool
has_tcp(const struct tcp *tcp, uint32_t flow)
{
    return tcp->keys[flow].has & MLOG_HAS_TCP;
}

static uint32_t
tcp_expected_seq(const struct tcp *tcp, uint32_t flow)
{
    const struct tcp_flow *f = &tcp->flows[flow];
    const struct tcp_flow *other = tcp_reverse(tcp, flow);

    return (f->headers ? f->next_seq
            : other && has_tcp(tcp, flow) ? other->ack
            : 0);
}

static uint32_t
tcp_expected_ack(const struct tcp *tcp, const struct mlog_row *row)
{
    const struct tcp_flow *other = tcp_reverse(tcp, row->flow);

    return (!has_tcp(tcp, row->flow) || !(row->tcp_flags & TCP_ACK) ? 0
            : other ? other->next_seq
            : tcp->flows[row->flow].ack);
}

/* Learns from the packet before 'row' how long the headers of the flow are. */
static void
tcp_learn(struct tcp *tcp, struct tcp_flow *f, const struct mlog_row *row)
{
    uint16_t least = headers_without_options(&tcp->keys[row->flow]);
    uint32_t payload = row->tcp_seq - f->seq - f->syn_or_fin;
    uint32_t headers = f->pkt_len - payload;

    if (row->tcp_seq != f->next_seq && payload < f->pkt_len
        && f->pkt_len > MIN_FRAME
        && headers >= least && headers <= least + MAX_OPTIONS) {
        f->headers = headers;
        tcp->options = headers - least;
    }
}

/* Takes note of 'row', which is complete. */
static void
tcp_update(struct tcp *tcp, const struct mlog_row *row)
{
    struct tcp_flow *f = &tcp->flows[row->flow];
    uint32_t pkt_len = mlog_row_pkt_len(row);

    if (!has_tcp(tcp, row->flow)) {
        return;
    }
    if (f->headers) {
        tcp_learn(tcp, f, row);
    } else {
        f->headers = headers_without_options(&tcp->keys[row->flow])
                     + tcp->options;
    }
    f->seq = row->tcp_seq;
    f->ack = row->tcp_ack;
    f->pkt_len = pkt_len;
    f->syn_or_fin = (row->tcp_flags & (TCP_SYN | TCP_FIN)) != 0;
    f->next_seq = f->seq + f->syn_or_fin;
    if (pkt_len > f->headers && pkt_len > MIN_FRAME
        && !(row->tcp_flags & TCP_SYN)) {
        f->next_seq += pkt_len - f->headers;
    }
}

/* Encoding. */

struct encoder {
    struct mlog_archive_coder *coder;
    const struct mlog_archive_segment *segment;
    const struct mlog_row *rows;
    const struct mlog_flow_key *keys;
    size_t n;
    struct ofpbuf *file;
    struct mlog_archive_info *info;
    uint64_t *a, *b;
};

static void
put(struct encoder *e, enum mlog_archive_section_id id,
    const uint64_t *values)
{
    mlog_archive_put_column(e->coder, values, e->n, e->file,
                            &e->info->sections[id]);
}

static void
encode_flows(struct encoder *e)
{
    struct flow_order order;

    flow_order_init(&order, e->segment->n_flows);
    for (size_t i = 0; i < e->n; i++) {
        e->a[i] = flow_order_encode(&order, e->rows[i].flow);
    }
    flow_order_destroy(&order);
    put(e, MLOG_AS_FLOW, e->a);
}

static void
encode_times(struct encoder *e)
{
    uint64_t last = 0;

    for (size_t i = 0; i < e->n; i++) {
        uint64_t time = mlog_row_time(&e->rows[i]);

        e->a[i] = time - last;
        last = time;
    }
    put(e, MLOG_AS_TIME, e->a);
}

static void
encode_member(struct encoder *e, const struct row_column *column)
{
    struct mlog_archive_zone *zone = &e->info->zones[column->zone];
    struct last last;

    last_init(&last, e->segment->n_flows);
    for (size_t i = 0; i < e->n; i++) {
        const struct mlog_row *row = &e->rows[i];
        const struct mlog_flow_key *key = &e->keys[row->flow];
        uint32_t value = column->get(row);

        e->a[i] = mlog_zigzag(value - last_get(&last, key, row->flow),
                              column->n_bits);
        last_set(&last, key, row->flow, value);
        mlog_zone_add(zone, value);
    }
    last_destroy(&last);
    put(e, column->id, e->a);
}

static void
encode_tcp(struct encoder *e, const uint32_t *reverse)
{
    struct tcp tcp;

    tcp_init(&tcp, e->keys, e->segment->n_flows, reverse);
    for (size_t i = 0; i < e->n; i++) {
        const struct mlog_row *row = &e->rows[i];

        e->a[i] = mlog_zigzag(row->tcp_seq - tcp_expected_seq(&tcp, row->flow),
                              32);
        e->b[i] = mlog_zigzag(row->tcp_ack - tcp_expected_ack(&tcp, row), 32);
        tcp_update(&tcp, row);
        mlog_zone_add(&e->info->zones[MLOG_ZONE_TCP_SEQ], row->tcp_seq);
        mlog_zone_add(&e->info->zones[MLOG_ZONE_TCP_ACK], row->tcp_ack);
    }
    tcp_destroy(&tcp);
    put(e, MLOG_AS_TCP_SEQ, e->a);
    put(e, MLOG_AS_TCP_ACK, e->b);
}

void
mlog_archive_put_rows(struct mlog_archive_coder *coder,
                      const struct mlog_archive_segment *segment,
                      const uint32_t *reverse, struct ofpbuf *file,
                      struct mlog_archive_info *info)
{
    size_t n = segment->n_rows;
    uint64_t *values = xcalloc(2 * n, sizeof *values);
    struct encoder e = {
        coder, segment, segment->rows, segment->keys, n, file, info,
        .a = values, .b = values + n,
    };

    encode_flows(&e);
    encode_times(&e);
    for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
        encode_member(&e, &columns[c]);
    }
    encode_tcp(&e, reverse);
    free(values);
}

/* Decoding. */

struct decoder {
    struct mlog_archive_coder *coder;
    const struct mlog_archive_info *info;
    const uint8_t *data;
    const struct mlog_flow_key *keys;
    struct mlog_row *rows;
    size_t n;
    uint64_t *a, *b;
};

static char *
get(struct decoder *d, enum mlog_archive_section_id id, uint64_t *values)
{
    return mlog_archive_get_section(d->coder, d->info, d->data, id, values,
                                    d->n);
}

static char *
decode_flows(struct decoder *d)
{
    char *error = get(d, MLOG_AS_FLOW, d->a);
    struct flow_order order;

    flow_order_init(&order, d->info->n_flows);
    for (size_t i = 0; !error && i < d->n; i++) {
        if (!flow_order_decode(&order, d->a[i], d->info->n_flows,
                               &d->rows[i].flow)) {
            error = mlog_archive_bad_value(MLOG_AS_FLOW, i);
        }
    }
    flow_order_destroy(&order);
    return error;
}

static char *
decode_times(struct decoder *d)
{
    const uint64_t max = (UINT64_C(1) << MLOG_ROW_TIME_BITS) - 1;
    const struct mlog_archive_info *info = d->info;
    char *error = get(d, MLOG_AS_TIME, d->a);
    uint64_t time = 0;

    for (size_t i = 0; !error && i < d->n; i++) {
        if (d->a[i] > max - time) {
            return mlog_archive_bad_value(MLOG_AS_TIME, i);
        }
        time += d->a[i];
        d->rows[i].time_port = mlog_row_pack_time_port(time, 0);
    }
    if (!error && d->n && (info->base_time + d->a[0] != info->min_time
                           || info->base_time + time != info->max_time)) {
        error = xstrdup("the rows' times are not those of the header");
    }
    return error;
}

static char *
decode_member(struct decoder *d, const struct row_column *column)
{
    uint32_t mask = (UINT32_C(1) << column->n_bits) - 1;
    char *error = get(d, column->id, d->a);
    struct last last;

    last_init(&last, d->info->n_flows);
    for (size_t i = 0; !error && i < d->n; i++) {
        struct mlog_row *row = &d->rows[i];
        const struct mlog_flow_key *key = &d->keys[row->flow];
        uint32_t value = last_get(&last, key, row->flow);

        value = (value + mlog_unzigzag(d->a[i])) & mask;
        last_set(&last, key, row->flow, value);
        column->set(row, value);
    }
    last_destroy(&last);
    return error;
}

static char *
decode_tcp(struct decoder *d, const uint32_t *reverse)
{
    char *error = get(d, MLOG_AS_TCP_SEQ, d->a);
    struct tcp tcp;

    error = error ? error : get(d, MLOG_AS_TCP_ACK, d->b);
    tcp_init(&tcp, d->keys, d->info->n_flows, reverse);
    for (size_t i = 0; !error && i < d->n; i++) {
        struct mlog_row *row = &d->rows[i];

        row->tcp_seq = tcp_expected_seq(&tcp, row->flow)
                       + mlog_unzigzag(d->a[i]);
        row->tcp_ack = tcp_expected_ack(&tcp, row) + mlog_unzigzag(d->b[i]);
        tcp_update(&tcp, row);
    }
    tcp_destroy(&tcp);
    return error;
}

/* Sequence numbers depend on flags and lengths. */
#define TCP_COLUMNS (1u << MLOG_COLUMN_TCP_SEQ | 1u << MLOG_COLUMN_TCP_ACK)
#define NEEDED_BY_TCP (1u << MLOG_COLUMN_PKT_LEN | 1u << MLOG_COLUMN_TCP_FLAGS)

static char *
decode_rows(struct decoder *d, uint32_t which, const uint32_t *reverse)
{
    char *error = decode_flows(d);

    which |= which & TCP_COLUMNS ? NEEDED_BY_TCP : 0;
    error = error ? error : decode_times(d);
    for (size_t c = 0; c < ARRAY_SIZE(columns) && !error; c++) {
        error = (which & 1u << columns[c].column
                 ? decode_member(d, &columns[c])
                 : mlog_archive_check_section(d->info, d->data,
                                              columns[c].id));
    }
    if (!error && which & TCP_COLUMNS) {
        return decode_tcp(d, reverse);
    }
    error = error ? error : mlog_archive_check_section(d->info, d->data,
                                                       MLOG_AS_TCP_SEQ);
    return error ? error : mlog_archive_check_section(d->info, d->data,
                                                      MLOG_AS_TCP_ACK);
}

char *
mlog_archive_decode_rows(struct mlog_archive_coder *coder,
                         const struct mlog_archive_info *info,
                         const uint8_t *data,
                         const struct mlog_flow_key *keys,
                         struct mlog_row *rows)
{
    return mlog_archive_decode_rows_of(coder, info, data, MLOG_ALL_COLUMNS,
                                       keys, rows);
}

char *
mlog_archive_decode_rows_of(struct mlog_archive_coder *coder,
                            const struct mlog_archive_info *info,
                            const uint8_t *data, uint32_t which,
                            const struct mlog_flow_key *keys,
                            struct mlog_row *rows)
{
    size_t n = info->n_rows;
    uint32_t *reverse = xcalloc(info->n_flows, sizeof *reverse);
    uint64_t *values = xcalloc(2 * n, sizeof *values);
    struct decoder d = {
        coder, info, data, keys, rows, n, .a = values, .b = values + n,
    };
    char *error = mlog_archive_get_reverse(coder, info, data, reverse);

    if (!error) {
        memset(rows, 0, n * sizeof *rows);
        error = decode_rows(&d, which, reverse);
    }
    free(reverse);
    free(values);
    return error;
}
