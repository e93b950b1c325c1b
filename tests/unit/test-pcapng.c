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

#include "csum.h"
#include "mlog-headers.h"
#include "mlog-pcapng.h"
#include "mlog-rebuild.h"
#include "openvswitch/ofpbuf.h"
#include "records.h"

/* Leaves of 'sample' what a parser would have found in its packet. */
static void
make_possible(struct sample *sample)
{
    struct mlog_flow_key *key = &sample->key;
    struct mlog_row *row = &sample->row;
    bool ip = key->has & MLOG_HAS_IP;

    row->len_ttl = (200 + random_range(1300)) << 8
                   | (ip ? mlog_row_ttl(row) : 0);
    row->ip_id = ip && key->dl_type == ETH_TYPE_IP ? row->ip_id : 0;
    row->nw_tos = ip ? row->nw_tos : 0;
    if (!(key->has & MLOG_HAS_TCP)) {
        row->tcp_seq = row->tcp_ack = 0;
        row->tcp_window = row->tcp_flags = 0;
    }
    row->time_port = 0;
    row->reason = 0;
    key->in_port = MLOG_PORT_NONE;
}

static void
check_rebuilt(const struct sample *sample, size_t tcp_options)
{
    const struct mlog_row *row = &sample->row;
    uint8_t buf[MLOG_REBUILT_MAX];
    struct mlog_flow_key key;
    struct mlog_row parsed;
    size_t n = mlog_rebuild_headers(&sample->key, row, tcp_options, buf);

    cr_assert_leq(n, mlog_row_pkt_len(row));
    mlog_headers_parse(buf, n, mlog_row_pkt_len(row), &key, &parsed);
    cr_assert(!memcmp(&key, &sample->key, sizeof key), "%s: key",
              sample->name);
    cr_assert(!memcmp(&parsed, row, sizeof parsed), "%s: row", sample->name);
}

Test(rebuild, the_parser_finds_what_was_recorded)
{
    for (int i = 0; i < 100000; i++) {
        struct sample sample;

        random_sample(&sample);
        make_possible(&sample);
        check_rebuilt(&sample, i % 2 ? 12 : 0);
    }
}

Test(rebuild, headers_are_no_longer_than_the_packet)
{
    for (int i = 0; i < 100000; i++) {
        uint8_t buf[MLOG_REBUILT_MAX];
        struct mlog_flow_key key;
        struct mlog_row row;

        random_bytes(&key, sizeof key);
        random_bytes(&row, sizeof row);
        row.len_ttl = i % 2 ? random_range(200) << 8 : random_uint32();
        cr_assert_leq(mlog_rebuild_headers(&key, &row, random_range(256), buf),
                      mlog_row_pkt_len(&row));
    }
}

Test(rebuild, lengths_and_checksum_of_ipv4_are_right)
{
    struct sample sample = *find_sample("tcp");
    uint8_t buf[MLOG_REBUILT_MAX];

    cr_assert_eq(mlog_rebuild_headers(&sample.key, &sample.row, 0, buf), 74,
                 "a SYN is options to its end");
    cr_expect_eq(buf[16] << 8 | buf[17], 60);
    cr_expect_eq(csum(buf + 14, 20), 0);
    cr_expect_eq(buf[46] >> 4, 10);

    sample = *find_sample("udp6");
    mlog_rebuild_headers(&sample.key, &sample.row, 0, buf);
    cr_expect_eq(buf[12] << 8 | buf[13], ETH_TYPE_VLAN_8021AD);
    cr_expect_eq(buf[16] << 8 | buf[17], ETH_TYPE_VLAN_8021Q);
    cr_expect_eq(buf[26] << 8 | buf[27], 100 - 22 - 40, "payload length");
    cr_expect_eq(buf[66] << 8 | buf[67], 100 - 22 - 40, "UDP length");
}

/* Short frames are padded, which must not look like data. */
Test(rebuild, padding_is_no_payload)
{
    struct sample sample = *find_sample("tcp");
    uint8_t buf[MLOG_REBUILT_MAX];

    sample.row.len_ttl = 60 << 8 | 64;
    mlog_rebuild_headers(&sample.key, &sample.row, 0, buf);
    cr_expect_eq(buf[17], 44, "a SYN with an MSS");
    sample.row.tcp_flags = 0x010;
    mlog_rebuild_headers(&sample.key, &sample.row, 0, buf);
    cr_expect_eq(buf[17], 40, "an acknowledgment");
    sample.row.tcp_flags = 0x018;
    mlog_rebuild_headers(&sample.key, &sample.row, 0, buf);
    cr_expect_eq(buf[17], 46, "six bytes of data");
    sample.row.len_ttl = 61 << 8 | 64;
    sample.row.tcp_flags = 0x010;
    mlog_rebuild_headers(&sample.key, &sample.row, 0, buf);
    cr_expect_eq(buf[17], 47, "no padding");
}

Test(rebuild, time_stamps_are_recognised_by_the_shortest_packet)
{
    const struct mlog_flow_key *tcp = &find_sample("tcp")->key;
    struct mlog_flow_key keys[] = { *tcp, *tcp, find_sample("udp")->key,
                                    *tcp };
    struct mlog_row rows[] = {
        { ROW(74, 64, 0), .flow = 0, .tcp_flags = 2 },
        { ROW(66, 64, 0), .flow = 0, .tcp_flags = 16 },
        { ROW(1514, 64, 0), .flow = 0, .tcp_flags = 16 },
        { ROW(54, 64, 0), .flow = 0, .tcp_flags = 20 },
        { ROW(54, 64, 0), .flow = 1, .tcp_flags = 16 },
        { ROW(66, 64, 0), .flow = 1, .tcp_flags = 16 },
        { ROW(54, 64, 0), .flow = 2 },
    };
    uint8_t *options = mlog_rebuild_tcp_options(rows, ARRAY_SIZE(rows), keys,
                                                ARRAY_SIZE(keys));

    cr_expect_eq(options[0], 12);
    cr_expect_eq(options[1], 0);
    cr_expect_eq(options[2], 0);
    cr_expect_eq(options[3], 0);
    free(options);
}

/* pcapng. */

static uint32_t
get32(const struct ofpbuf *b, size_t ofs)
{
    uint32_t x;

    cr_assert_leq(ofs + 4, b->size);
    memcpy(&x, (uint8_t *) b->data + ofs, sizeof x);
    return x;
}

/* Counts the blocks of each type; all lengths have to agree. */
static void
check_blocks(const struct ofpbuf *b, size_t *n_interfaces, size_t *n_packets)
{
    size_t ofs = 0;

    *n_interfaces = *n_packets = 0;
    while (ofs < b->size) {
        uint32_t type = get32(b, ofs);
        uint32_t length = get32(b, ofs + 4);

        cr_assert_eq(length % 4, 0);
        cr_assert_geq(length, 12);
        cr_assert_eq(get32(b, ofs + length - 4), length);
        cr_assert_eq(type == 0x0a0d0d0a, ofs == 0);
        if (type == 1) {
            ++*n_interfaces;
        } else if (type == 6) {
            ++*n_packets;
            cr_assert_lt(get32(b, ofs + 8), *n_interfaces);
            cr_assert_leq(get32(b, ofs + 20), length - 32);
            cr_assert_leq(get32(b, ofs + 20), get32(b, ofs + 24));
        }
        ofs += length;
    }
}

Test(pcapng, blocks_are_well_formed_whatever_the_record)
{
    struct mlog_pcapng *w = mlog_pcapng_create();
    size_t n_interfaces, n_packets;
    struct ofpbuf out;
    char name[5000];
    unsigned int dp;

    setup_ports();
    dp = mlog_ports_datapath("system");
    memset(name, 0xff, sizeof name - 1);
    name[sizeof name - 1] = '\0';
    mlog_ports_add(dp, 4, name);
    mlog_ports_set_ofp(dp, name, name, 3);

    ofpbuf_init(&out, 0);
    mlog_pcapng_put_start(w, "test", "host.example", &out);
    check_blocks(&out, &n_interfaces, &n_packets);
    cr_expect_eq(n_interfaces, 0);
    for (int i = 0; i < 2000; i++) {
        struct sample sample;
        struct mlog_record record;

        random_sample(&sample);
        if (i % 2) {
            random_bytes(&sample.key, sizeof sample.key);
            random_bytes(&sample.row, sizeof sample.row);
            sample.key.in_port = random_range(6);
        }
        record = sample_record(&sample);
        mlog_pcapng_put_record(w, &record, 12, &out);
    }
    check_blocks(&out, &n_interfaces, &n_packets);
    cr_expect_eq(n_packets, 2000);
    cr_expect_eq(n_interfaces, 5, "four ports and none");
    mlog_pcapng_destroy(w);
    ofpbuf_uninit(&out);
}
