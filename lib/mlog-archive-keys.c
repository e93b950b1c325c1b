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

#include "hash.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "random.h"
#include "util.h"

/* Flow keys as columns.
 *
 * Two thirds of a key are addresses, and each occurs in many flows.  So they
 * are kept once, and keys have positions in that list, as recent ones or as
 * the next new one mostly.  The flow in the other direction tends to be there
 * already: then all that is left to say of a key is which flow that was. */

/* The different values of some members of keys, numbered from 0 in the order
 * in which they come.  'slots' is a hash table with linear probing, at most
 * half full, of positions in 'values' plus 1.  It is hashed with a random
 * number, so that nobody can craft packets that make it slow. */

struct value {
    uint32_t words[4];          /* Filled up with zeros. */
};

struct dictionary {
    struct value *values;
    size_t n;
    uint32_t *slots;
    uint32_t mask;
    uint32_t basis;
};

static void
dictionary_init(struct dictionary *d, size_t max)
{
    size_t n_slots = ROUND_UP_POW2(2 * max + 1);

    d->values = xcalloc(max, sizeof *d->values);
    d->n = 0;
    d->slots = xcalloc(n_slots, sizeof *d->slots);
    d->mask = n_slots - 1;
    d->basis = random_uint32();
}

static void
dictionary_destroy(struct dictionary *d)
{
    free(d->values);
    free(d->slots);
}

/* Returns the slot where 'value' is, or would be. */
static uint32_t *
dictionary_find(const struct dictionary *d, const struct value *value)
{
    uint32_t i = hash_words(value->words, ARRAY_SIZE(value->words), d->basis);

    while (d->slots[i & d->mask]
           && memcmp(&d->values[d->slots[i & d->mask] - 1], value,
                     sizeof *value)) {
        i++;
    }
    return &d->slots[i & d->mask];
}

/* Returns the position of 'value', which is 'd->n' - 1 if it is new. */
static uint32_t
dictionary_put(struct dictionary *d, const struct value *value)
{
    uint32_t *slot = dictionary_find(d, value);

    if (!*slot) {
        d->values[d->n++] = *value;
        *slot = d->n;
    }
    return *slot - 1;
}

static uint32_t
put_address(struct dictionary *d, const ovs_be32 address[4])
{
    struct value value;

    for (int i = 0; i < 4; i++) {
        value.words[i] = ntohl(address[i]);
    }
    return dictionary_put(d, &value);
}

static uint32_t
put_mac(struct dictionary *d, struct eth_addr mac)
{
    uint64_t number = eth_addr_to_uint64(mac);
    struct value value = { .words = { number, number >> 32 } };

    return dictionary_put(d, &value);
}

/* Plain members. */

struct key_column {
    enum mlog_archive_section_id id;
    unsigned int n_bits;
    uint64_t (*get)(const struct mlog_flow_key *);
    void (*set)(struct mlog_flow_key *, uint64_t);
};

#define MEMBER(NAME, MEMBER)                                            \
    static uint64_t                                                     \
    get_##NAME(const struct mlog_flow_key *key)                         \
    {                                                                   \
        return key->MEMBER;                                             \
    }                                                                   \
                                                                        \
    static void                                                         \
    set_##NAME(struct mlog_flow_key *key, uint64_t value)               \
    {                                                                   \
        key->MEMBER = value;                                            \
    }
MEMBER(dl_type, dl_type)
MEMBER(vlan_tci, vlan_tci[0])
MEMBER(inner_vlan_tci, vlan_tci[1])
MEMBER(nw_proto, nw_proto)
MEMBER(nw_frag, nw_frag)
MEMBER(has, has)

static uint64_t
get_reserved(const struct mlog_flow_key *key)
{
    uint64_t value = 0;

    for (int i = 0; i < sizeof key->reserved; i++) {
        value = value << 8 | key->reserved[i];
    }
    return value;
}

static void
set_reserved(struct mlog_flow_key *key, uint64_t value)
{
    for (int i = 0; i < sizeof key->reserved; i++) {
        key->reserved[i] = value >> 8 * (sizeof key->reserved - 1 - i);
    }
}

#define COLUMN(ID, BITS, NAME) \
    { MLOG_AS_##ID, BITS, get_##NAME, set_##NAME }
static const struct key_column columns[] = {
    COLUMN(DL_TYPE, 16, dl_type),
    COLUMN(VLAN_TCI, 16, vlan_tci),
    COLUMN(INNER_VLAN_TCI, 16, inner_vlan_tci),
    COLUMN(NW_PROTO, 8, nw_proto),
    COLUMN(NW_FRAG, 8, nw_frag),
    COLUMN(HAS, 8, has),
    COLUMN(RESERVED, 40, reserved),
};

/* Returns what to expect of flow 'i': as in the reverse flow if there is an
 * earlier one, else as in the flow before. */
static uint64_t
expected_member(const struct key_column *column,
                const struct mlog_flow_key *keys, size_t i, uint32_t reverse)
{
    return (reverse < i ? column->get(&keys[reverse])
            : i ? column->get(&keys[i - 1])
            : 0);
}

/* Likewise for ports. */
static void
expected_ports(const struct mlog_flow_key *keys, size_t i, uint32_t reverse,
               uint16_t *tp_src, uint16_t *tp_dst)
{
    if (reverse < i) {
        *tp_src = keys[reverse].tp_dst;
        *tp_dst = keys[reverse].tp_src;
    } else if (i) {
        *tp_src = keys[i - 1].tp_src;
        *tp_dst = keys[i - 1].tp_dst;
    } else {
        *tp_src = *tp_dst = 0;
    }
}

/* The flow in the other direction. */

static void
make_direction(const struct mlog_flow_key *key, uint32_t src, uint32_t dst,
               bool reverse, struct value *value)
{
    uint32_t ports = ((key->has & MLOG_HAS_PORTS) == 0 ? 0
                      : reverse ? (uint32_t) key->tp_dst << 16 | key->tp_src
                      : (uint32_t) key->tp_src << 16 | key->tp_dst);

    *value = (struct value) { .words = {
        reverse ? dst : src,
        reverse ? src : dst,
        ports,
        (uint32_t) key->dl_type << 16 | key->nw_proto << 8 | key->has,
    } };
}

/* Links flow 'i' with the earlier flow 'j'; a flow that has been linked
 * already, but not with an earlier one, keeps its first link. */
static void
link_flows(uint32_t *reverse, uint32_t i, uint32_t j)
{
    reverse[i] = j;
    if (reverse[j] == UINT32_MAX) {
        reverse[j] = i;
    }
}

/* Of the flows with one direction, the latest is taken. */
static void
find_reverse(const struct mlog_flow_key *keys, size_t n, const uint32_t *src,
             const uint32_t *dst, uint32_t *reverse, uint64_t *values)
{
    uint32_t *latest = xcalloc(n, sizeof *latest);
    struct dictionary directions;

    memset(reverse, 0xff, n * sizeof *reverse);
    dictionary_init(&directions, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct mlog_flow_key *key = &keys[i];
        struct value value;
        uint32_t slot;

        make_direction(key, src[i], dst[i], true, &value);
        slot = *dictionary_find(&directions, &value);
        values[i] = slot ? i - latest[slot - 1] : 0;
        if (slot) {
            link_flows(reverse, i, latest[slot - 1]);
        }

        make_direction(key, src[i], dst[i], false, &value);
        latest[dictionary_put(&directions, &value)] = i;
    }
    free(latest);
    dictionary_destroy(&directions);
}

/* Encoding.  'a' and 'b' have room for twice as many numbers as there are
 * flows. */

struct encoder {
    struct mlog_archive_coder *coder;
    const struct mlog_flow_key *keys;
    size_t n;
    struct ofpbuf *file;
    struct mlog_archive_info *info;
    uint32_t *reverse;
    uint32_t *src, *dst;        /* Positions of each flow's addresses. */
    uint32_t *dl_src, *dl_dst;  /* Positions of its MACs. */
    uint64_t *a, *b;
};

static void
put(struct encoder *e, enum mlog_archive_section_id id,
    const uint64_t *values, size_t n)
{
    mlog_archive_put_column(e->coder, values, n, e->file,
                            &e->info->sections[id]);
}

/* Fills in 'src' and 'dst', and writes the words of each address as the
 * difference to that of the address before. */
static void
encode_dictionary_of_addresses(struct encoder *e)
{
    struct dictionary addresses;

    dictionary_init(&addresses, 2 * e->n);
    for (size_t i = 0; i < e->n; i++) {
        e->src[i] = put_address(&addresses, e->keys[i].src);
        e->dst[i] = put_address(&addresses, e->keys[i].dst);
    }
    e->info->n_addresses = addresses.n;
    for (int word = 0; word < 4; word++) {
        uint32_t last = 0;

        for (size_t i = 0; i < addresses.n; i++) {
            uint32_t value = addresses.values[i].words[word];

            e->a[i] = mlog_zigzag(value - last, 32);
            last = value;
        }
        put(e, MLOG_AS_ADDRESS_0 + word, e->a, addresses.n);
    }
    dictionary_destroy(&addresses);
}

static void
encode_dictionary_of_macs(struct encoder *e)
{
    struct dictionary macs;
    uint64_t last = 0;

    dictionary_init(&macs, 2 * e->n);
    for (size_t i = 0; i < e->n; i++) {
        e->dl_src[i] = put_mac(&macs, e->keys[i].dl_src);
        e->dl_dst[i] = put_mac(&macs, e->keys[i].dl_dst);
    }
    e->info->n_macs = macs.n;
    for (size_t i = 0; i < macs.n; i++) {
        const uint32_t *words = macs.values[i].words;
        uint64_t value = (uint64_t) words[1] << 32 | words[0];

        e->a[i] = mlog_zigzag(value - last, 48);
        last = value;
    }
    put(e, MLOG_AS_MAC, e->a, macs.n);
    dictionary_destroy(&macs);
}

static void
encode_addresses(struct encoder *e)
{
    struct mlog_recency r;

    mlog_recency_init(&r);
    for (size_t i = 0; i < e->n; i++) {
        if (e->reverse[i] < i) {
            e->a[i] = e->b[i] = 0;
        } else {
            e->a[i] = 1 + mlog_recency_encode(&r, e->src[i]);
            e->b[i] = 1 + mlog_recency_encode(&r, e->dst[i]);
        }
    }
    put(e, MLOG_AS_SRC, e->a, e->n);
    put(e, MLOG_AS_DST, e->b, e->n);
}

/* Returns the code of 'value', given that '*predicted' is where what is
 * expected is kept. */
static uint64_t
encode_expected(uint32_t *expected, struct mlog_recency *r, uint32_t value)
{
    bool right = *expected == value;

    *expected = value;
    return right ? 0 : 1 + mlog_recency_encode(r, value);
}

static void
encode_macs(struct encoder *e)
{
    size_t size = e->info->n_addresses * sizeof(uint32_t);
    uint32_t *mac_of = xmalloc(size);
    struct mlog_recency r;

    mlog_recency_init(&r);
    memset(mac_of, 0xff, size);
    for (size_t i = 0; i < e->n; i++) {
        e->a[i] = encode_expected(&mac_of[e->src[i]], &r, e->dl_src[i]);
        e->b[i] = encode_expected(&mac_of[e->dst[i]], &r, e->dl_dst[i]);
    }
    put(e, MLOG_AS_DL_SRC, e->a, e->n);
    put(e, MLOG_AS_DL_DST, e->b, e->n);
    free(mac_of);
}

static void
encode_in_ports(struct encoder *e)
{
    size_t size = e->info->n_macs * sizeof(uint32_t);
    uint32_t *port_of = xmalloc(size);
    struct mlog_recency r;

    mlog_recency_init(&r);
    memset(port_of, 0xff, size);
    for (size_t i = 0; i < e->n; i++) {
        uint16_t port = e->keys[i].in_port;

        e->a[i] = encode_expected(&port_of[e->dl_src[i]], &r, port);
        mlog_zone_add(&e->info->zones[MLOG_ZONE_IN_PORT], port);
    }
    put(e, MLOG_AS_IN_PORT, e->a, e->n);
    free(port_of);
}

static void
encode_ports(struct encoder *e)
{
    for (size_t i = 0; i < e->n; i++) {
        const struct mlog_flow_key *key = &e->keys[i];
        uint16_t tp_src, tp_dst;

        expected_ports(e->keys, i, e->reverse[i], &tp_src, &tp_dst);
        e->a[i] = mlog_zigzag(key->tp_src - tp_src, 16);
        e->b[i] = mlog_zigzag(key->tp_dst - tp_dst, 16);
    }
    put(e, MLOG_AS_TP_SRC, e->a, e->n);
    put(e, MLOG_AS_TP_DST, e->b, e->n);
}

static void
encode_members(struct encoder *e)
{
    for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
        const struct key_column *column = &columns[c];

        for (size_t i = 0; i < e->n; i++) {
            uint64_t expected = expected_member(column, e->keys, i,
                                                e->reverse[i]);

            e->a[i] = mlog_zigzag(column->get(&e->keys[i]) - expected,
                                  column->n_bits);
        }
        put(e, column->id, e->a, e->n);
    }
}

static void
find_zones(const struct mlog_flow_key *keys, size_t n,
           struct mlog_archive_zone *zones)
{
    for (size_t i = 0; i < n; i++) {
        const struct mlog_flow_key *key = &keys[i];

        mlog_zone_add(&zones[MLOG_ZONE_NW_SRC], ntohl(key->src[3]));
        mlog_zone_add(&zones[MLOG_ZONE_NW_DST], ntohl(key->dst[3]));
        mlog_zone_add(&zones[MLOG_ZONE_DL_TYPE], key->dl_type);
        mlog_zone_add(&zones[MLOG_ZONE_VLAN_TCI], key->vlan_tci[0]);
        mlog_zone_add(&zones[MLOG_ZONE_TP_SRC], key->tp_src);
        mlog_zone_add(&zones[MLOG_ZONE_TP_DST], key->tp_dst);
        mlog_zone_add(&zones[MLOG_ZONE_NW_PROTO], key->nw_proto);
    }
}

void
mlog_archive_put_keys(struct mlog_archive_coder *coder,
                      const struct mlog_archive_segment *segment,
                      struct ofpbuf *file, struct mlog_archive_info *info,
                      uint32_t *reverse)
{
    size_t n = segment->n_flows;
    uint32_t *positions = xcalloc(4 * n, sizeof *positions);
    uint64_t *values = xcalloc(4 * n, sizeof *values);
    struct encoder e = {
        coder, segment->keys, n, file, info, reverse,
        .src = positions, .dst = positions + n,
        .dl_src = positions + 2 * n, .dl_dst = positions + 3 * n,
        .a = values, .b = values + 2 * n,
    };

    encode_dictionary_of_addresses(&e);
    encode_dictionary_of_macs(&e);
    find_reverse(e.keys, n, e.src, e.dst, reverse, e.a);
    put(&e, MLOG_AS_REVERSE, e.a, n);
    encode_addresses(&e);
    encode_macs(&e);
    encode_in_ports(&e);
    encode_ports(&e);
    encode_members(&e);
    find_zones(e.keys, n, info->zones);
    free(positions);
    free(values);
}

/* Decoding. */

struct decoder {
    struct mlog_archive_coder *coder;
    const struct mlog_archive_info *info;
    const uint8_t *data;
    struct mlog_flow_key *keys;
    size_t n;
    uint32_t *reverse;
    uint32_t *src, *dst, *dl_src, *dl_dst;
    uint64_t *a, *b;
};

static char *
get(struct decoder *d, enum mlog_archive_section_id id, uint64_t *values,
    size_t n)
{
    return mlog_archive_get_section(d->coder, d->info, d->data, id, values,
                                    n);
}

/* Decodes two sections of a value per flow. */
static char *
get_pair(struct decoder *d, enum mlog_archive_section_id a,
         enum mlog_archive_section_id b)
{
    char *error = get(d, a, d->a, d->n);

    return error ? error : get(d, b, d->b, d->n);
}

static bool
decode_address(const struct decoder *d, size_t i, struct mlog_recency *r,
               uint64_t code, const uint32_t *of_reverse, uint32_t *position)
{
    if (code) {
        return mlog_recency_decode(r, code - 1, d->info->n_addresses,
                                   position);
    } else if (d->reverse[i] < i) {
        *position = of_reverse[d->reverse[i]];
        return true;
    }
    return false;
}

/* Fills in 'src' and 'dst'. */
static char *
decode_address_positions(struct decoder *d)
{
    char *error = get_pair(d, MLOG_AS_SRC, MLOG_AS_DST);
    struct mlog_recency r;

    mlog_recency_init(&r);
    for (size_t i = 0; !error && i < d->n; i++) {
        if (!decode_address(d, i, &r, d->a[i], d->dst, &d->src[i])) {
            error = mlog_archive_bad_value(MLOG_AS_SRC, i);
        } else if (!decode_address(d, i, &r, d->b[i], d->src, &d->dst[i])) {
            error = mlog_archive_bad_value(MLOG_AS_DST, i);
        }
    }
    return error;
}

static char *
decode_addresses(struct decoder *d)
{
    size_t n = d->info->n_addresses;
    char *error = NULL;

    for (int word = 0; word < 4 && !error; word++) {
        uint32_t last = 0;

        error = get(d, MLOG_AS_ADDRESS_0 + word, d->a, n);
        for (size_t i = 0; !error && i < n; i++) {
            last += mlog_unzigzag(d->a[i]);
            d->a[i] = last;
        }
        for (size_t i = 0; !error && i < d->n; i++) {
            d->keys[i].src[word] = htonl(d->a[d->src[i]]);
            d->keys[i].dst[word] = htonl(d->a[d->dst[i]]);
        }
    }
    return error;
}

/* The inverse of encode_expected(). */
static bool
decode_expected(uint32_t *expected, struct mlog_recency *r, uint64_t code,
                uint32_t limit, uint32_t *value)
{
    if (code && !mlog_recency_decode(r, code - 1, limit, expected)) {
        return false;
    }
    *value = *expected;
    return *value < limit;
}

/* Fills in 'dl_src' and 'dl_dst'. */
static char *
decode_mac_positions(struct decoder *d)
{
    size_t size = d->info->n_addresses * sizeof(uint32_t);
    uint32_t *mac_of = xmalloc(size);
    uint32_t limit = d->info->n_macs;
    char *error = get_pair(d, MLOG_AS_DL_SRC, MLOG_AS_DL_DST);
    struct mlog_recency r;

    mlog_recency_init(&r);
    memset(mac_of, 0xff, size);
    for (size_t i = 0; !error && i < d->n; i++) {
        if (!decode_expected(&mac_of[d->src[i]], &r, d->a[i], limit,
                             &d->dl_src[i])) {
            error = mlog_archive_bad_value(MLOG_AS_DL_SRC, i);
        } else if (!decode_expected(&mac_of[d->dst[i]], &r, d->b[i], limit,
                                    &d->dl_dst[i])) {
            error = mlog_archive_bad_value(MLOG_AS_DL_DST, i);
        }
    }
    free(mac_of);
    return error;
}

static char *
decode_macs(struct decoder *d)
{
    size_t n = d->info->n_macs;
    char *error = get(d, MLOG_AS_MAC, d->a, n);
    uint64_t last = 0;

    for (size_t i = 0; !error && i < n; i++) {
        last = (last + mlog_unzigzag(d->a[i])) & UINT64_C(0xffffffffffff);
        d->a[i] = last;
    }
    for (size_t i = 0; !error && i < d->n; i++) {
        eth_addr_from_uint64(d->a[d->dl_src[i]], &d->keys[i].dl_src);
        eth_addr_from_uint64(d->a[d->dl_dst[i]], &d->keys[i].dl_dst);
    }
    return error;
}

static char *
decode_in_ports(struct decoder *d)
{
    size_t size = d->info->n_macs * sizeof(uint32_t);
    uint32_t *port_of = xmalloc(size);
    char *error = get(d, MLOG_AS_IN_PORT, d->a, d->n);
    struct mlog_recency r;

    mlog_recency_init(&r);
    memset(port_of, 0xff, size);
    for (size_t i = 0; !error && i < d->n; i++) {
        uint32_t port;

        if (decode_expected(&port_of[d->dl_src[i]], &r, d->a[i],
                            UINT16_MAX + 1, &port)) {
            d->keys[i].in_port = port;
        } else {
            error = mlog_archive_bad_value(MLOG_AS_IN_PORT, i);
        }
    }
    free(port_of);
    return error;
}

static char *
decode_ports(struct decoder *d)
{
    char *error = get_pair(d, MLOG_AS_TP_SRC, MLOG_AS_TP_DST);

    for (size_t i = 0; !error && i < d->n; i++) {
        uint16_t tp_src, tp_dst;

        expected_ports(d->keys, i, d->reverse[i], &tp_src, &tp_dst);
        d->keys[i].tp_src = tp_src + mlog_unzigzag(d->a[i]);
        d->keys[i].tp_dst = tp_dst + mlog_unzigzag(d->b[i]);
    }
    return error;
}

static char *
decode_members(struct decoder *d)
{
    char *error = NULL;

    for (size_t c = 0; c < ARRAY_SIZE(columns) && !error; c++) {
        const struct key_column *column = &columns[c];
        uint64_t mask = (UINT64_C(1) << column->n_bits) - 1;

        error = get(d, column->id, d->a, d->n);
        for (size_t i = 0; !error && i < d->n; i++) {
            uint64_t expected = expected_member(column, d->keys, i,
                                                d->reverse[i]);

            column->set(&d->keys[i],
                        (expected + mlog_unzigzag(d->a[i])) & mask);
        }
    }
    return error;
}

char *
mlog_archive_get_reverse(struct mlog_archive_coder *coder,
                         const struct mlog_archive_info *info,
                         const uint8_t *data, uint32_t *reverse)
{
    size_t n = info->n_flows;
    uint64_t *values = xcalloc(n, sizeof *values);
    char *error = mlog_archive_get_section(coder, info, data, MLOG_AS_REVERSE,
                                           values, n);

    memset(reverse, 0xff, n * sizeof *reverse);
    for (size_t i = 0; !error && i < n; i++) {
        if (values[i] > i) {
            error = mlog_archive_bad_value(MLOG_AS_REVERSE, i);
        } else if (values[i]) {
            link_flows(reverse, i, i - values[i]);
        }
    }
    free(values);
    return error;
}

static char *
decode_keys(struct decoder *d)
{
    char *error = mlog_archive_get_reverse(d->coder, d->info, d->data,
                                           d->reverse);

    error = error ? error : decode_address_positions(d);
    error = error ? error : decode_addresses(d);
    error = error ? error : decode_mac_positions(d);
    error = error ? error : decode_macs(d);
    error = error ? error : decode_in_ports(d);
    error = error ? error : decode_ports(d);
    return error ? error : decode_members(d);
}

char *
mlog_archive_decode_keys(struct mlog_archive_coder *coder,
                         const struct mlog_archive_info *info,
                         const uint8_t *data, struct mlog_flow_key *keys)
{
    size_t n = info->n_flows;
    uint32_t *positions = xcalloc(5 * n, sizeof *positions);
    uint64_t *values = xcalloc(4 * n, sizeof *values);
    struct decoder d = {
        coder, info, data, keys, n, positions + 4 * n,
        .src = positions, .dst = positions + n,
        .dl_src = positions + 2 * n, .dl_dst = positions + 3 * n,
        .a = values, .b = values + 2 * n,
    };
    char *error = decode_keys(&d);

    free(positions);
    free(values);
    return error;
}
