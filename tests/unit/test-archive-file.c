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
#include <errno.h>

#include "archive-fixture.h"
#include "mlog-ports.h"
#include "random.h"
#include "util.h"

static void
check_round_trip(const struct mlog_archive_segment *segment)
{
    struct ofpbuf file = encode_segment(segment);
    struct decoded d;
    char *error;

    cr_assert(file.size);
    error = decode_file(file.data, file.size, &d);
    cr_assert_null(error, "%s", error);
    cr_assert_eq(d.info->seq, segment->seq);
    cr_assert_eq(d.info->first_row, segment->first_row);
    cr_assert_eq(d.info->base_time, segment->base_time);
    cr_assert_eq(d.info->n_rows, segment->n_rows);
    cr_assert_eq(d.info->n_flows, segment->n_flows);
    cr_assert(!memcmp(d.rows, segment->rows,
                      segment->n_rows * sizeof *d.rows));
    cr_assert(!memcmp(d.keys, segment->keys,
                      segment->n_flows * sizeof *d.keys));
    decoded_destroy(&d);
    ofpbuf_uninit(&file);
}

Test(archive_file, segments_of_any_size_come_back_bit_for_bit)
{
    static const uint32_t sizes[][2] = {
        { 0, 0 }, { 0, 3 }, { 1, 1 }, { 2, 1 }, { 2, 5 }, { 17, 17 },
        { 1000, 3 }, { 1000, 300 }, { 5000, 5000 }, { 300000, 20000 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct mlog_archive_segment segment
            = random_segment(sizes[i][0], sizes[i][1]);

        check_round_trip(&segment);
        free_segment(&segment);
    }
}

/* Values that nothing predicts and no parser produces. */
Test(archive_file, rows_and_keys_of_random_bits_come_back)
{
    enum { ROWS = 3000, FLOWS = 500 };
    struct mlog_archive_segment segment = random_segment(ROWS, FLOWS);
    struct mlog_row *rows = CONST_CAST(struct mlog_row *, segment.rows);

    random_bytes(CONST_CAST(struct mlog_flow_key *, segment.keys),
                 FLOWS * sizeof *segment.keys);
    for (int i = 0; i < ROWS; i++) {
        uint64_t time = mlog_row_time(&rows[i]);

        random_bytes(&rows[i], sizeof rows[i]);
        rows[i].flow = random_range(FLOWS);
        rows[i].time_port = mlog_row_pack_time_port(time, random_uint32());
    }
    check_round_trip(&segment);
}

Test(archive_file, extreme_values_come_back)
{
    struct mlog_flow_key keys[2];
    struct mlog_row rows[3];
    struct mlog_archive_segment segment;

    memset(keys, 0xff, sizeof keys);
    memset(&keys[1], 0, sizeof keys[1]);
    memset(rows, 0xff, sizeof rows);
    rows[0].flow = 1;
    rows[1].flow = 0;
    memset(&rows[2], 0xff, sizeof rows[2]);
    rows[2].flow = 1;
    rows[0].time_port = 0;
    segment = make_segment(rows, 3, keys, 2);
    segment.seq = segment.first_row = UINT64_MAX;
    segment.base_time = UINT64_MAX - ((UINT64_C(1) << 48) - 1);
    check_round_trip(&segment);
}

Test(archive_file, index_tells_what_is_in_the_file)
{
    struct mlog_archive_segment segment = random_segment(500, 40);
    struct ofpbuf file = encode_segment(&segment);
    const struct mlog_archive_info *info;
    struct decoded d;

    cr_assert_null(decode_file(file.data, file.size, &d));
    info = d.info;
    cr_expect_eq(info->min_time,
                 BASE_TIME + mlog_row_time(&segment.rows[0]));
    cr_expect_eq(info->max_time,
                 BASE_TIME + mlog_row_time(&segment.rows[499]));
    cr_expect_str_eq(info->host, "host.example");
    cr_expect_str_eq(info->boot, "2f3c");
    cr_expect_eq(info->n_gaps, ARRAY_SIZE(archive_gaps));
    cr_expect(!memcmp(info->gaps, archive_gaps, sizeof archive_gaps));
    cr_assert_eq(info->n_ports, ARRAY_SIZE(archive_ports));
    for (size_t i = 0; i < info->n_ports; i++) {
        cr_expect_eq(info->ports[i].id, archive_ports[i].id);
        cr_expect_eq(info->ports[i].ofp, archive_ports[i].ofp);
        cr_expect_eq(info->ports[i].odp, archive_ports[i].odp);
        cr_expect_str_eq(info->ports[i].name, archive_ports[i].name);
        cr_expect_str_eq(info->ports[i].datapath, archive_ports[i].datapath);
    }
    cr_expect_str_eq(info->ports[0].bridge, "br0");
    cr_expect_null(info->ports[2].bridge);
}

static void
expect_in_zone(const struct mlog_archive_info *info,
               enum mlog_archive_zone_id id, uint32_t value)
{
    const struct mlog_archive_zone *zone = &info->zones[id];

    cr_expect(value >= zone->min && value <= zone->max,
              "zone %d: %u is outside of %u...%u", id, value, zone->min,
              zone->max);
}

Test(archive_file, zones_contain_every_value)
{
    struct mlog_archive_segment segment = random_segment(500, 40);
    struct ofpbuf file = encode_segment(&segment);
    struct decoded d;

    cr_assert_null(decode_file(file.data, file.size, &d));
    for (uint32_t i = 0; i < segment.n_rows; i++) {
        const struct mlog_row *row = &segment.rows[i];
        const struct mlog_flow_key *key = &segment.keys[row->flow];

        expect_in_zone(d.info, MLOG_ZONE_PKT_LEN, mlog_row_pkt_len(row));
        expect_in_zone(d.info, MLOG_ZONE_TCP_FLAGS, row->tcp_flags);
        expect_in_zone(d.info, MLOG_ZONE_TTL, mlog_row_ttl(row));
        expect_in_zone(d.info, MLOG_ZONE_TOS, row->nw_tos);
        expect_in_zone(d.info, MLOG_ZONE_IP_ID, row->ip_id);
        expect_in_zone(d.info, MLOG_ZONE_TCP_WINDOW, row->tcp_window);
        expect_in_zone(d.info, MLOG_ZONE_REASON, row->reason);
        expect_in_zone(d.info, MLOG_ZONE_OUT_PORT, mlog_row_out_port(row));
        expect_in_zone(d.info, MLOG_ZONE_TCP_SEQ, row->tcp_seq);
        expect_in_zone(d.info, MLOG_ZONE_TCP_ACK, row->tcp_ack);
        expect_in_zone(d.info, MLOG_ZONE_NW_SRC, ntohl(key->src[3]));
        expect_in_zone(d.info, MLOG_ZONE_NW_DST, ntohl(key->dst[3]));
        expect_in_zone(d.info, MLOG_ZONE_DL_TYPE, key->dl_type);
        expect_in_zone(d.info, MLOG_ZONE_VLAN_TCI, key->vlan_tci[0]);
        expect_in_zone(d.info, MLOG_ZONE_TP_SRC, key->tp_src);
        expect_in_zone(d.info, MLOG_ZONE_TP_DST, key->tp_dst);
        expect_in_zone(d.info, MLOG_ZONE_IN_PORT, key->in_port);
        expect_in_zone(d.info, MLOG_ZONE_NW_PROTO, key->nw_proto);
    }
    cr_expect_eq(d.info->zones[MLOG_ZONE_REASON].max < 50, true,
                 "zones are no wider than they need be");
}

Test(archive_file, what_cannot_be_archived_is_refused)
{
    struct mlog_archive_segment good = random_segment(10, 3), bad;
    struct mlog_row *rows = CONST_CAST(struct mlog_row *, good.rows);
    struct mlog_archive_coder *coder = mlog_archive_coder_create(1);
    struct mlog_archive_port ports[2] = { archive_ports[0],
                                          archive_ports[0] };
    char name[MLOG_ARCHIVE_MAX_NAME + 2];
    struct ofpbuf file;

    ofpbuf_init(&file, 0);
    bad = good;
    bad.n_rows = MLOG_ARCHIVE_MAX_ROWS + 1;
    cr_expect_eq(mlog_archive_encode(coder, &bad, &file), E2BIG);
    bad = good;
    bad.n_flows = MLOG_ARCHIVE_MAX_FLOWS + 1;
    cr_expect_eq(mlog_archive_encode(coder, &bad, &file), E2BIG);
    bad = good;
    bad.n_gaps = MLOG_ARCHIVE_MAX_GAPS + 1;
    cr_expect_eq(mlog_archive_encode(coder, &bad, &file), E2BIG);
    bad = good;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    bad.host = name;
    cr_expect_eq(mlog_archive_encode(coder, &bad, &file), E2BIG);
    bad = good;
    bad.ports = ports;
    bad.n_ports = 2;
    cr_expect_eq(mlog_archive_encode(coder, &bad, &file), EINVAL);
    ports[1].id = 9;
    ports[1].name = name;
    cr_expect_eq(mlog_archive_encode(coder, &bad, &file), E2BIG);
    bad = good;
    bad.base_time = UINT64_MAX - 10;
    rows[9].time_port = mlog_row_pack_time_port(UINT64_C(1) << 40, 0);
    cr_expect_eq(mlog_archive_encode(coder, &bad, &file), EINVAL);
    rows[9].flow = 3;
    cr_expect_eq(mlog_archive_encode(coder, &good, &file), EINVAL);
    rows[9].flow = 2;
    rows[9].time_port = 0;
    rows[8].time_port = mlog_row_pack_time_port(1, 0);
    cr_expect_eq(mlog_archive_encode(coder, &good, &file), EINVAL);
    cr_expect_eq(file.size, 0);
}

/* Hostile files. */

static void
expect_error(const uint8_t *data, size_t n, const char *what, size_t i)
{
    uint8_t *copy = xmemdup(data, n);   /* For the address sanitizer. */
    struct decoded d;
    char *error = decode_file(copy, n, &d);

    cr_assert_not_null(error, "%s %"PRIuSIZE" was not noticed", what, i);
    cr_assert(error[0] && !strchr(error, '\n'));
    free(error);
    free(copy);
}

Test(archive_file, truncation_anywhere_is_noticed)
{
    struct mlog_archive_segment segment = random_segment(300, 20);
    struct ofpbuf file = encode_segment(&segment);

    for (size_t n = 0; n < file.size; n++) {
        expect_error(file.data, n, "truncation at", n);
    }
}

Test(archive_file, every_flipped_bit_is_noticed)
{
    struct mlog_archive_segment segment = random_segment(300, 20);
    struct ofpbuf file = encode_segment(&segment);
    uint8_t *data = file.data;

    for (size_t i = 0; i < file.size * 8; i++) {
        data[i / 8] ^= 1 << i % 8;
        expect_error(data, file.size, "flipped bit", i);
        data[i / 8] ^= 1 << i % 8;
    }
}

Test(archive_file, missing_and_extra_bytes_are_noticed)
{
    struct mlog_archive_segment segment = random_segment(300, 20);
    struct ofpbuf file = encode_segment(&segment);

    for (size_t i = 0; i <= file.size; i += 7) {
        struct ofpbuf *copy = ofpbuf_clone(&file);

        ofpbuf_insert(copy, i, "\0", 1);
        expect_error(copy->data, copy->size, "insertion at", i);
        ofpbuf_delete(copy);
    }
    for (size_t i = 0; i < file.size; i += 7) {
        uint8_t *data = xmemdup(file.data, file.size);

        memmove(data + i, data + i + 1, file.size - i - 1);
        expect_error(data, file.size - 1, "deletion at", i);
        free(data);
    }
}

/* Whoever can write a file can make its checksums right.  Whatever else is in
 * there then, the answer is an error or as many rows as it says, each of one
 * of its flows. */
Test(archive_file, nonsense_with_right_checksums_does_no_harm)
{
    struct mlog_archive_segment segment = random_segment(300, 20);
    struct ofpbuf file = encode_segment(&segment);
    size_t n_errors = 0;

    for (int i = 0; i < 30000; i++) {
        uint8_t *copy = xmemdup(file.data, file.size);
        struct decoded d;
        char *error;

        for (int n = 1 + random_range(3); n; n--) {
            static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
            size_t ofs = random_range(i % 2 ? file.size : AT_INDEX + 500);

            copy[ofs] = (random_range(2) ? random_uint32()
                         : values[random_range(sizeof values)]);
        }
        fix_checksums(copy, file.size);
        error = decode_file(copy, file.size, &d);
        n_errors += error != NULL;
        if (!error) {
            for (uint32_t j = 0; j < d.info->n_rows; j++) {
                cr_assert_lt(d.rows[j].flow, d.info->n_flows);
            }
        }
        decoded_destroy(&d);
        free(error);
        free(copy);
    }
    cr_expect_gt(n_errors, 10000);
}

static void
expect_tampered_error(const struct ofpbuf *file, size_t ofs, uint32_t value,
                      const char *expected)
{
    uint8_t *copy = xmemdup(file->data, file->size);
    struct decoded d;
    char *error;

    write32(copy + ofs, value);
    fix_checksums(copy, file->size);
    error = decode_file(copy, file->size, &d);
    cr_assert_not_null(error);
    cr_expect(strstr(error, expected), "%s", error);
    free(error);
    free(copy);
}

Test(archive_file, sizes_beyond_the_limits_are_refused)
{
    struct mlog_archive_segment segment = random_segment(300, 20);
    struct ofpbuf file = encode_segment(&segment);

    expect_tampered_error(&file, AT_N_ROWS, UINT32_MAX, "exceeds");
    expect_tampered_error(&file, AT_N_FLOWS, MLOG_ARCHIVE_MAX_FLOWS + 1,
                          "exceeds");
    expect_tampered_error(&file, AT_INDEX_SIZE, UINT32_MAX, "exceeds");
    expect_tampered_error(&file, AT_FILE_SIZE, 100, "bytes instead of 100");
    for (int i = 0; i < MLOG_N_ARCHIVE_SECTIONS; i++) {
        size_t section = AT_INDEX + 12 * i;

        /* Would decompress to 4 GB, if one believed it. */
        expect_tampered_error(&file, section + 4, UINT32_MAX, "wrong size");
        expect_tampered_error(&file, section, UINT32_MAX, "wrong size");
    }
}

Test(archive_file, newer_versions_are_told_from_damage)
{
    struct mlog_archive_segment segment = random_segment(10, 2);
    struct ofpbuf file = encode_segment(&segment);
    uint8_t *data = file.data;

    cr_expect_not(mlog_archive_is_newer(data));
    data[AT_VERSION]++;
    cr_expect_not(mlog_archive_is_newer(data), "the checksum is wrong");
    fix_checksums(data, file.size);
    cr_expect(mlog_archive_is_newer(data));
    expect_tampered_error(&file, AT_VERSION, MLOG_ARCHIVE_VERSION + 1,
                          "version 2 of the format is not known");
    expect_tampered_error(&file, AT_VERSION, 0,
                          "version 0 of the format is not known");
}

/* Size. */

/* A download: acknowledgments of every other packet, a clock with noise. */
static struct mlog_archive_segment
make_download(uint32_t n)
{
    struct mlog_flow_key *keys = xcalloc(2, sizeof *keys);
    struct mlog_row *rows = xcalloc(n, sizeof *rows);
    uint32_t seq = random_uint32(), ack = random_uint32();
    uint64_t time = 0;

    keys[0] = find_sample("tcp")->key;
    keys[1] = keys[0];
    memcpy(keys[1].src, keys[0].dst, sizeof keys[0].dst);
    memcpy(keys[1].dst, keys[0].src, sizeof keys[0].src);
    keys[1].tp_src = keys[0].tp_dst;
    keys[1].tp_dst = keys[0].tp_src;
    for (uint32_t i = 0; i < n; i++) {
        bool is_ack = i % 3 == 2;

        time += 1000 + random_range(1000);
        rows[i] = (struct mlog_row) {
            .time_port = mlog_row_pack_time_port(time, is_ack),
            .flow = is_ack,
            .len_ttl = (is_ack ? 66 : 1514) << 8 | 64,
            .tcp_seq = is_ack ? ack : seq,
            .tcp_ack = is_ack ? seq : ack,
            .tcp_window = 501, .ip_id = i, .tcp_flags = 0x010,
        };
        seq += is_ack ? 0 : 1448;
    }
    return make_segment(rows, n, keys, 2);
}

Test(archive_file, predictable_rows_take_little_more_than_their_time)
{
    struct mlog_archive_segment segment = make_download(100000);
    struct ofpbuf file = encode_segment(&segment);

    check_round_trip(&segment);
    cr_expect_lt((double) file.size / segment.n_rows, 2.0, "%g bytes/record",
                 (double) file.size / segment.n_rows);
}
