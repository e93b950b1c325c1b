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


#ifndef TESTS_CAPTURE_RECORDS_H
#define TESTS_CAPTURE_RECORDS_H 1

/* Packets of capture files (classic pcap, Ethernet) as segments of records.
 *
 * Captures count microseconds, and don't know ports of a switch.  So that they
 * don't compress better than what a switch records, times and ports can be
 * made up: each time gets random nanoseconds and continues where the file
 * before ended, and the MAC addresses are spread over eight ports.
 * Otherwise times are the files' own, as far as they ascend, and ports are 0
 * and 1. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mlog-archive-file.h"
#include "mlog-flow-table.h"
#include "mlog-headers.h"
#include "openvswitch/hmap.h"
#include "packets.h"
#include "random.h"
#include "util.h"

struct record {
    struct mlog_flow_key key;
    struct mlog_row row;        /* 'time_port' is the egress port only. */
    uint64_t time;              /* ns. */
};

/* The records of all files. */
struct records {
    struct record *a;
    size_t n, allocated;
    bool made_up;
};

static inline uint32_t
get_u32(const uint8_t *p, bool swap)
{
    uint32_t x;

    memcpy(&x, p, sizeof x);
    return swap ? __builtin_bswap32(x) : x;
}

static inline uint16_t
made_up_port(struct eth_addr mac)
{
    return hash_mac(mac, 0, 0) % 8;
}

static inline void
add_record(struct records *records, const uint8_t *data, size_t n,
           uint32_t pkt_len, uint64_t time)
{
    uint64_t last = records->n ? records->a[records->n - 1].time : 0;
    bool made_up = records->made_up;
    struct record *r;

    if (records->n >= records->allocated) {
        records->a = x2nrealloc(records->a, &records->allocated,
                                sizeof *records->a);
    }
    r = &records->a[records->n++];
    mlog_headers_parse(data, n, pkt_len, &r->key, &r->row);
    r->key.in_port = made_up ? made_up_port(r->key.dl_src) : 0;
    r->row.time_port = made_up ? made_up_port(r->key.dl_dst) : 1;
    r->time = MAX(time, last);
}

/* A made-up time is that of the last packet of the file before, plus how much
 * later the packet is than the first one of its own file, but no day-long
 * pauses. */
static inline void
read_packets(struct records *records, const uint8_t *data, size_t size,
             bool swap)
{
    uint32_t unit = get_u32(data, swap) == 0xa1b23c4d ? 1 : 1000;
    uint64_t time = records->n ? records->a[records->n - 1].time : 0;
    uint64_t last = 0;

    for (size_t ofs = 24; ofs + 16 <= size;) {
        const uint8_t *p = data + ofs;
        uint64_t stamp = get_u32(p, swap) * UINT64_C(1000000000)
                         + (uint64_t) get_u32(p + 4, swap) * unit;
        uint32_t captured = get_u32(p + 8, swap);

        ofs += 16;
        if (captured > size - ofs) {
            break;
        }
        if (last && stamp > last) {
            time += MIN(stamp - last, UINT64_C(1000000000));
        }
        last = stamp;
        add_record(records, data + ofs, captured, get_u32(p + 12, swap),
                   records->made_up ? time + random_range(unit) : stamp);
        ofs += captured;
    }
}

static inline uint8_t *
read_whole_file(const char *name, size_t *n)
{
    FILE *file = fopen(name, "rb");
    uint8_t *data;
    long size;

    if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0) {
        ovs_fatal(errno, "%s", name);
    }
    rewind(file);
    data = xmalloc(size + 24);
    if (fread(data, 1, size, file) != size) {
        ovs_fatal(errno, "%s", name);
    }
    fclose(file);
    *n = size;
    return data;
}

/* Adds the packets of the file 'name', as far as it is whole. */
static inline void
read_capture(struct records *records, const char *name)
{
    size_t size;
    uint8_t *data = read_whole_file(name, &size);
    uint32_t magic = size >= 24 ? get_u32(data, false) : 0;
    bool swap = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;

    if ((swap || magic == 0xa1b2c3d4 || magic == 0xa1b23c4d)
        && (get_u32(data + 20, swap) & 0xffff) == 1) {
        read_packets(records, data, size, swap);
    } else {
        fprintf(stderr, "%s: skipped, is no capture of Ethernet\n", name);
    }
    free(data);
}

/* Segments. */

struct flow_node {
    struct hmap_node node;
    uint32_t index;
};

static inline uint32_t
local_flow(struct hmap *map, struct flow_node *nodes,
           struct mlog_flow_key *keys, uint32_t *n,
           const struct mlog_flow_key *key)
{
    uint32_t hash = mlog_flow_key_hash(key);
    struct flow_node *node;

    HMAP_FOR_EACH_WITH_HASH (node, node, hash, map) {
        if (!memcmp(&keys[node->index], key, sizeof *key)) {
            return node->index;
        }
    }
    node = &nodes[*n];
    node->index = *n;
    keys[*n] = *key;
    hmap_insert(map, &node->node, hash);
    return (*n)++;
}

/* The caller frees 'segment' with free_capture_segment(). */
static inline void
make_capture_segment(const struct record *r, size_t n,
                     struct mlog_archive_segment *segment)
{
    struct flow_node *nodes = xcalloc(n, sizeof *nodes);
    struct mlog_flow_key *keys = xcalloc(n, sizeof *keys);
    struct mlog_row *rows = xcalloc(n, sizeof *rows);
    struct hmap map = HMAP_INITIALIZER(&map);

    *segment = (struct mlog_archive_segment) {
        .seq = 1, .base_time = r[0].time, .rows = rows, .n_rows = n,
        .keys = keys,
    };
    for (size_t i = 0; i < n; i++) {
        rows[i] = r[i].row;
        rows[i].flow = local_flow(&map, nodes, keys, &segment->n_flows,
                                  &r[i].key);
        rows[i].time_port = mlog_row_pack_time_port(
            r[i].time - r[0].time, mlog_row_out_port(&r[i].row));
    }
    hmap_destroy(&map);
    free(nodes);
}

static inline void
free_capture_segment(struct mlog_archive_segment *segment)
{
    free(CONST_CAST(struct mlog_row *, segment->rows));
    free(CONST_CAST(struct mlog_flow_key *, segment->keys));
}

#endif /* tests/capture-records.h */
