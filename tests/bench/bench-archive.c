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


/* How many bytes a record takes in the archive, and how fast that is.
 *
 *     bench-archive [--json] [--level LEVELS] [--rows N] [--runs N] FILE...
 *
 * takes all packets of capture files (classic pcap, Ethernet), one file after
 * the other, as one stream of records, cuts it into segments of N rows, and
 * encodes and decodes each.  For comparison it gives zstd the rows and keys as
 * they lie in memory ("memory"), and their bytes column by column
 * ("columns").
 *
 * Captures count microseconds, and don't know ports of a switch.  So that they
 * don't compress better than what a switch records, each time gets random
 * nanoseconds, and the MAC addresses are spread over eight ports. */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include "mlog-archive-file.h"
#include "mlog-flow-table.h"
#include "mlog-headers.h"
#include "openvswitch/hmap.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

/* The records of all files. */
struct record {
    struct mlog_flow_key key;
    struct mlog_row row;
    uint64_t time;
};

static struct record *records;
static size_t n_records, allocated_records;

/* Reading captures. */

static uint32_t
get_u32(const uint8_t *p, bool swap)
{
    uint32_t x;

    memcpy(&x, p, sizeof x);
    return swap ? __builtin_bswap32(x) : x;
}

static uint16_t
port_of(struct eth_addr mac)
{
    return hash_mac(mac, 0, 0) % 8;
}

static void
add_record(const uint8_t *data, size_t n, uint32_t pkt_len, uint64_t time)
{
    uint64_t last = n_records ? records[n_records - 1].time : 0;
    struct record *r;

    if (n_records >= allocated_records) {
        records = x2nrealloc(records, &allocated_records, sizeof *records);
    }
    r = &records[n_records++];
    mlog_headers_parse(data, n, pkt_len, &r->key, &r->row);
    r->key.in_port = port_of(r->key.dl_src);
    r->time = MAX(time, last);
    r->row.time_port = port_of(r->key.dl_dst);
}

/* A packet's time is that of the last one of the file before, plus how much
 * later it is than the first one of its own file, but no day-long pauses. */
static void
read_packets(const uint8_t *data, size_t size)
{
    uint32_t magic = get_u32(data, false);
    bool swap = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
    uint32_t unit = get_u32(data, swap) == 0xa1b23c4d ? 1 : 1000;
    uint64_t time = n_records ? records[n_records - 1].time : 0;
    uint64_t last = 0;

    for (size_t ofs = 24; ofs + 16 <= size;) {
        const uint8_t *p = data + ofs;
        uint64_t stamp = get_u32(p, swap) * UINT64_C(1000000000)
                         + get_u32(p + 4, swap) * unit;
        uint32_t captured = get_u32(p + 8, swap);

        ofs += 16;
        if (captured > size - ofs) {
            break;
        }
        if (last && stamp > last) {
            time += MIN(stamp - last, UINT64_C(1000000000));
        }
        last = stamp;
        add_record(data + ofs, captured, get_u32(p + 12, swap),
                   time + random_range(unit));
        ofs += captured;
    }
}

static void
read_capture(const char *name)
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
    uint32_t magic = size >= 24 ? get_u32(data, false) : 0;
    bool swap = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
    if (size >= 24 && (swap || magic == 0xa1b2c3d4 || magic == 0xa1b23c4d)
        && (get_u32(data + 20, swap) & 0xffff) == 1) {
        read_packets(data, size);
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

static void
make_segment(const struct record *r, size_t n,
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
        uint32_t hash = mlog_flow_key_hash(&r[i].key);
        struct flow_node *node;
        bool found = false;

        HMAP_FOR_EACH_WITH_HASH (node, node, hash, &map) {
            if (!memcmp(&keys[node->index], &r[i].key, sizeof r[i].key)) {
                found = true;
                break;
            }
        }
        if (!found) {
            node = &nodes[segment->n_flows];
            node->index = segment->n_flows++;
            keys[node->index] = r[i].key;
            hmap_insert(&map, &node->node, hash);
        }
        rows[i] = r[i].row;
        rows[i].flow = node->index;
        rows[i].time_port = mlog_row_pack_time_port(
            r[i].time - r[0].time, mlog_row_out_port(&r[i].row));
    }
    hmap_destroy(&map);
    free(nodes);
}

static void
free_segment(struct mlog_archive_segment *segment)
{
    free(CONST_CAST(struct mlog_row *, segment->rows));
    free(CONST_CAST(struct mlog_flow_key *, segment->keys));
}

/* Measuring. */

struct result {
    uint64_t bytes;
    uint64_t key_bytes;         /* Of which keys. */
    double encode, decode;      /* Seconds, of processor time. */
};

static double
cpu_time(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void
decode(const struct mlog_archive_segment *segment, struct ofpbuf *file,
       bool verbose, struct result *result)
{
    struct mlog_archive_coder *coder = mlog_archive_coder_create(0);
    struct mlog_row *rows = xcalloc(segment->n_rows, sizeof *rows);
    struct mlog_flow_key *keys = xcalloc(segment->n_flows, sizeof *keys);
    const uint8_t *data = file->data;
    struct mlog_archive_info *info;
    double start = cpu_time();
    char *error;

    error = mlog_archive_info_parse(
        data, file->size, data + file->size - MLOG_ARCHIVE_TRAILER_SIZE,
        file->size, &info);
    error = error ? error : mlog_archive_decode_keys(coder, info, data, keys);
    error = error ? error : mlog_archive_decode_rows(coder, info, data, keys,
                                                     rows);
    if (error) {
        ovs_fatal(0, "%s", error);
    }
    result->decode += cpu_time() - start;
    if (memcmp(rows, segment->rows, segment->n_rows * sizeof *rows)
        || memcmp(keys, segment->keys, segment->n_flows * sizeof *keys)) {
        ovs_fatal(0, "decoding gave something else than was encoded");
    }
    for (size_t i = 0; i < MLOG_N_ARCHIVE_SECTIONS; i++) {
        if (i < 20) {
            result->key_bytes += info->sections[i].size;
        }
        if (verbose) {
            fprintf(stderr, "section %2"PRIuSIZE" %8u of %8u, %6.3f\n", i,
                    info->sections[i].size, info->sections[i].raw_size,
                    (double) info->sections[i].size / segment->n_rows);
        }
    }
    mlog_archive_info_destroy(info);
    mlog_archive_coder_destroy(coder);
    free(rows);
    free(keys);
}

static void
measure_format(const struct mlog_archive_segment *segment, int level,
               bool verbose, struct result *result)
{
    struct mlog_archive_coder *coder = mlog_archive_coder_create(level);
    double start = cpu_time();
    struct ofpbuf file;

    ofpbuf_init(&file, 0);
    if (mlog_archive_encode(coder, segment, &file)) {
        ovs_fatal(0, "encoding failed");
    }
    result->encode += cpu_time() - start;
    result->bytes += file.size;
    decode(segment, &file, verbose, result);
    ofpbuf_uninit(&file);
    mlog_archive_coder_destroy(coder);
}

/* Copies byte k of each of the 'n' elements of 'size' bytes to plane k. */
static void
split(const uint8_t *from, size_t size, size_t n, uint8_t *to)
{
    for (size_t k = 0; k < size; k++) {
        for (size_t i = 0; i < n; i++) {
            *to++ = from[i * size + k];
        }
    }
}

static size_t
compress(const void *data, size_t element, size_t n, bool planes, int level,
         struct result *result)
{
    size_t size = element * n;
    size_t bound = ZSTD_compressBound(size);
    uint8_t *raw = xmalloc(size), *out = xmalloc(bound);
    double start = cpu_time();

    if (planes) {
        split(data, element, n, raw);
    } else {
        memcpy(raw, data, size);
    }
    bound = ZSTD_compress(out, bound, raw, size, level);
    result->encode += cpu_time() - start;
    start = cpu_time();
    ZSTD_decompress(raw, size, out, bound);
    result->decode += cpu_time() - start;
    result->bytes += bound;
    free(raw);
    free(out);
    return bound;
}

static void
measure_plain(const struct mlog_archive_segment *segment, bool planes,
              int level, struct result *result)
{
    compress(segment->rows, sizeof *segment->rows, segment->n_rows, planes,
             level, result);
    result->key_bytes += compress(segment->keys, sizeof *segment->keys,
                                  segment->n_flows, planes, level, result);
}

enum method { FORMAT, COLUMNS, MEMORY };
static const char *const method_names[] = { "format", "columns", "memory" };

static struct result
measure(enum method method, int level, size_t n_rows, bool verbose,
        uint64_t *n_flows)
{
    struct result result = { .bytes = 0 };

    *n_flows = 0;
    for (size_t i = 0; i < n_records; i += n_rows) {
        struct mlog_archive_segment segment;

        make_segment(&records[i], MIN(n_rows, n_records - i), &segment);
        *n_flows += segment.n_flows;
        if (method == FORMAT) {
            measure_format(&segment, level, verbose, &result);
        } else {
            measure_plain(&segment, method == COLUMNS, level, &result);
        }
        free_segment(&segment);
    }
    return result;
}

static int
compare_doubles(const void *a_, const void *b_)
{
    const double *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static double
median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare_doubles);
    return values[n / 2];
}

static void
run(enum method method, int level, size_t n_rows, size_t runs, bool json,
    bool verbose)
{
    double *encode = xcalloc(runs, sizeof *encode);
    double *decode_ = xcalloc(runs, sizeof *decode_);
    struct result result = { .bytes = 0 };
    uint64_t n_flows = 0;

    for (size_t i = 0; i < runs; i++) {
        result = measure(method, level, n_rows, verbose && !i, &n_flows);
        encode[i] = result.encode;
        decode_[i] = result.decode;
    }
    printf(json ? "{\"method\":\"%s\",\"level\":%d,\"records\":%"PRIuSIZE","
           "\"flows\":%"PRIu64",\"bytes_per_record\":%.2f,"
           "\"row_bytes_per_record\":%.2f,\"key_bytes_per_flow\":%.2f,"
           "\"encode_records_per_second_median\":%.0f,"
           "\"decode_records_per_second_median\":%.0f}\n"
           : "%-8s %5d %9"PRIuSIZE" %8"PRIu64" %7.2f %7.2f %7.2f "
           "%11.0f %11.0f\n",
           method_names[method], level, n_records, n_flows,
           (double) result.bytes / n_records,
           (double) (result.bytes - result.key_bytes) / n_records,
           (double) result.key_bytes / n_flows,
           n_records / median(encode, runs),
           n_records / median(decode_, runs));
    free(encode);
    free(decode_);
}

static void
usage(void)
{
    printf("usage: %s [--json] [--levels L,L...] [--rows N] [--runs N] "
           "[--verbose] FILE...\n", program_name);
    exit(0);
}

int
main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "levels", required_argument, NULL, 'l' },
        { "rows", required_argument, NULL, 'r' },
        { "runs", required_argument, NULL, 'n' },
        { "verbose", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    char *levels = xstrdup("1,3,6");
    size_t n_rows = MLOG_SEGMENT_ROWS, runs = 3;
    bool json = false, verbose = false;
    int c;

    set_program_name(argv[0]);
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'j': json = true; break;
        case 'l': levels = optarg; break;
        case 'r': n_rows = atoi(optarg); break;
        case 'n': runs = atoi(optarg); break;
        case 'v': verbose = true; break;
        case 'h': usage(); break;
        default: exit(2);
        }
    }
    random_set_seed(1);
    for (int i = optind; i < argc; i++) {
        read_capture(argv[i]);
    }
    if (!n_records || !n_rows || !runs) {
        ovs_fatal(0, "no packets, rows or runs (see --help)");
    }
    if (!json) {
        printf("method   level   records    flows B/record row/rec key/flow "
               "encode/s    decode/s\n");
    }
    for (char *level = strtok(levels, ","); level; level = strtok(NULL, ",")) {
        for (enum method m = FORMAT; m <= MEMORY; m++) {
            run(m, atoi(level), n_rows, runs, json, verbose && m == FORMAT);
        }
    }
    return 0;
}
