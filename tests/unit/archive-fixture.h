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


#ifndef TESTS_UNIT_ARCHIVE_FIXTURE_H
#define TESTS_UNIT_ARCHIVE_FIXTURE_H 1

/* Segments to be archived, and files that were tampered with. */

#include "mlog-archive-file.h"
#include "openvswitch/ofpbuf.h"
#include "records.h"

#define BASE_TIME UINT64_C(1769860800000000000)

static const struct mlog_archive_port archive_ports[] = {
    { 0, 10, 1, "p0", "br0", "ovs-netdev" },
    { 1, 11, 2, "p1", "br0", "ovs-netdev" },
    { 2, UINT32_MAX, 3, "p 2", NULL, "ovs-netdev" },
};

static const struct mlog_gap archive_gaps[] = {
    { BASE_TIME + 5, BASE_TIME + 10, 3, MLOG_LOSS_MEMORY, 0 },
    { BASE_TIME + 20, BASE_TIME + 20, UINT64_C(1) << 40, MLOG_LOSS_RING, 0 },
};

static inline struct mlog_archive_segment
make_segment(const struct mlog_row *rows, uint32_t n_rows,
             const struct mlog_flow_key *keys, uint32_t n_flows)
{
    return (struct mlog_archive_segment) {
        .seq = 7, .first_row = 1000, .base_time = BASE_TIME,
        .rows = rows, .n_rows = n_rows, .keys = keys, .n_flows = n_flows,
        .ports = archive_ports, .n_ports = ARRAY_SIZE(archive_ports),
        .gaps = archive_gaps, .n_gaps = ARRAY_SIZE(archive_gaps),
        .host = "host.example", .boot = "2f3c",
    };
}

/* A segment of samples of all kinds, in batches of equal times.  The caller
 * frees it with free_segment(). */
static inline struct mlog_archive_segment
random_segment(uint32_t n_rows, uint32_t n_flows)
{
    struct mlog_flow_key *keys = xcalloc(n_flows, sizeof *keys);
    struct mlog_row *rows = xcalloc(n_rows, sizeof *rows);
    uint64_t time = 0;

    for (uint32_t i = 0; i < n_flows; i++) {
        struct sample sample;

        random_sample(&sample);
        keys[i] = sample.key;
        if (i && random_range(2)) {
            const struct mlog_flow_key *other = &keys[random_range(i)];

            keys[i] = *other;
            memcpy(keys[i].src, other->dst, sizeof other->dst);
            memcpy(keys[i].dst, other->src, sizeof other->src);
            keys[i].tp_src = other->tp_dst;
            keys[i].tp_dst = other->tp_src;
        }
    }
    for (uint32_t i = 0; i < n_rows; i++) {
        struct sample sample;

        random_sample(&sample);
        rows[i] = sample.row;
        rows[i].flow = random_range(n_flows);
        time += random_range(4) ? 0 : random_range(1 << random_range(30));
        rows[i].time_port = mlog_row_pack_time_port(
            time, mlog_row_out_port(&sample.row));
    }
    return make_segment(rows, n_rows, keys, n_flows);
}

static inline void
free_segment(struct mlog_archive_segment *segment)
{
    free(CONST_CAST(struct mlog_row *, segment->rows));
    free(CONST_CAST(struct mlog_flow_key *, segment->keys));
}

static inline struct ofpbuf
encode_segment(const struct mlog_archive_segment *segment)
{
    struct mlog_archive_coder *coder;
    struct ofpbuf file;

    ofpbuf_init(&file, 0);
    coder = mlog_archive_coder_create(MLOG_ARCHIVE_LEVEL);
    if (mlog_archive_encode(coder, segment, &file)) {
        ofpbuf_clear(&file);
    }
    mlog_archive_coder_destroy(coder);
    return file;
}

/* A decoded file. */
struct decoded {
    struct mlog_archive_info *info;
    struct mlog_flow_key *keys;
    struct mlog_row *rows;
};

static inline void
decoded_destroy(struct decoded *d)
{
    mlog_archive_info_destroy(d->info);
    free(d->keys);
    free(d->rows);
    *d = (struct decoded) { NULL, NULL, NULL };
}

/* Decodes the 'n' bytes of a file.  Returns NULL, or an error message and
 * leaves nothing in '*d'. */
static inline char *
decode_file(const uint8_t *data, size_t n, struct decoded *d)
{
    struct mlog_archive_coder *coder = mlog_archive_coder_create(0);
    const uint8_t *trailer;
    char *error;

    *d = (struct decoded) { NULL, NULL, NULL };
    trailer = data + n - MIN(n, MLOG_ARCHIVE_TRAILER_SIZE);
    error = mlog_archive_info_parse(data, n, trailer, n, &d->info);
    if (!error) {
        d->keys = xcalloc(d->info->n_flows, sizeof *d->keys);
        d->rows = xcalloc(d->info->n_rows, sizeof *d->rows);
        error = mlog_archive_decode_keys(coder, d->info, data, d->keys);
        error = error ? error
                : mlog_archive_decode_rows(coder, d->info, data, d->keys,
                                           d->rows);
    }
    if (error) {
        decoded_destroy(d);
    }
    mlog_archive_coder_destroy(coder);
    return error;
}

/* Tampering.  Offsets are those of Documentation/ref/archive-format.rst. */

enum {
    AT_VERSION = 8, AT_INDEX_SIZE = 12, AT_FILE_SIZE = 16, AT_N_ROWS = 64,
    AT_N_FLOWS = 68, AT_INDEX_CRC = 88, AT_HEADER_CRC = 92, AT_INDEX = 96,
};

static inline uint32_t
read32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t) p[3] << 24;
}

static inline void
write32(uint8_t *p, uint32_t x)
{
    p[0] = x;
    p[1] = x >> 8;
    p[2] = x >> 16;
    p[3] = x >> 24;
}

/* Makes all the checksums right, as far as 'n' bytes have them. */
static inline void
fix_checksums(uint8_t *data, size_t n)
{
    uint32_t index_size;
    size_t ofs;

    if (n < AT_INDEX + MLOG_N_ARCHIVE_SECTIONS * 12
            + MLOG_ARCHIVE_TRAILER_SIZE) {
        return;
    }
    index_size = read32(data + AT_INDEX_SIZE);
    ofs = AT_INDEX + index_size;
    for (size_t i = 0; i < MLOG_N_ARCHIVE_SECTIONS; i++) {
        uint8_t *section = data + AT_INDEX + 12 * i;
        uint32_t size = read32(section);

        if (ofs > n || size > n - ofs) {
            break;
        }
        write32(section + 8, mlog_archive_crc(data + ofs, size));
        ofs += size;
    }
    if (index_size <= n - AT_INDEX) {
        write32(data + AT_INDEX_CRC,
                mlog_archive_crc(data + AT_INDEX, index_size));
    }
    write32(data + AT_HEADER_CRC, mlog_archive_crc(data, AT_HEADER_CRC));

    uint8_t *trailer = data + n - MLOG_ARCHIVE_TRAILER_SIZE;
    write32(trailer + 16, read32(data + AT_HEADER_CRC));
    write32(trailer + 28, mlog_archive_crc(trailer, 28));
}

#endif /* tests/unit/archive-fixture.h */
