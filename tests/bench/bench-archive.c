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
 *     bench-archive [--json] [--levels L,L...] [--rows N] [--runs N] FILE...
 *     bench-archive [--json] [--levels L,L...] [--rows N] [--runs N] --flood N
 *
 * takes all packets of capture files, one file after the other, as one stream
 * of records (see tests/capture-records.h), cuts it into segments of N rows,
 * and encodes and decodes each.  For comparison it gives zstd the rows and
 * keys as they lie in memory ("memory"), and their bytes column by column
 * ("columns").
 *
 * With --flood, it takes N SYNs of as many flows instead: random source
 * addresses and ports, random sequence numbers, 256 destinations.
 *
 * Rates are medians of the runs, in processor time of one thread. */

#include <config.h>

#include <getopt.h>
#include <inttypes.h>
#include <time.h>
#include <zstd.h>

#include "../capture-records.h"
#include "openvswitch/ofpbuf.h"

static struct records records = { .made_up = true };

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
    for (size_t i = 0; i < records.n; i += n_rows) {
        struct mlog_archive_segment segment;

        make_capture_segment(&records.a[i], MIN(n_rows, records.n - i),
                             &segment);
        *n_flows += segment.n_flows;
        if (method == FORMAT) {
            measure_format(&segment, level, verbose, &result);
        } else {
            measure_plain(&segment, method == COLUMNS, level, &result);
        }
        free_capture_segment(&segment);
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
           method_names[method], level, records.n, n_flows,
           (double) result.bytes / records.n,
           (double) (result.bytes - result.key_bytes) / records.n,
           (double) result.key_bytes / n_flows,
           records.n / median(encode, runs),
           records.n / median(decode_, runs));
    free(encode);
    free(decode_);
}

static void
make_flood(size_t n)
{
    uint64_t time = 0;

    for (size_t i = 0; i < n; i++) {
        uint8_t packet[60] = {
            0, 0x53, 0, 0, 0, 1, 0, 0x53, 0, 0, 0, 2, 8, 0,
            0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0,
        };
        uint32_t src = random_uint32();
        uint32_t dst = 0x0a000000 | random_range(256);
        uint32_t ports = htonl(random_uint32() << 16 | 80);
        uint32_t seq = random_uint32();

        memcpy(packet + 26, &src, 4);
        dst = htonl(dst);
        memcpy(packet + 30, &dst, 4);
        memcpy(packet + 34, &ports, 4);
        memcpy(packet + 38, &seq, 4);
        packet[46] = 0x50;
        packet[47] = TCP_SYN;
        time += i % 32 ? 0 : 3000 + random_range(1000);
        add_record(&records, packet, sizeof packet, sizeof packet, time);
    }
}

static void
usage(void)
{
    printf("usage: %s [--json] [--levels L,L...] [--rows N] [--runs N] "
           "[--verbose] FILE...|--flood N\n", program_name);
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
        { "flood", required_argument, NULL, 'f' },
        { "verbose", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    char *levels = xstrdup("1,3,6");
    size_t n_rows = MLOG_SEGMENT_ROWS, runs = 3, flood = 0;
    bool json = false, verbose = false;
    int c;

    set_program_name(argv[0]);
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'j': json = true; break;
        case 'l': levels = optarg; break;
        case 'r': n_rows = atoi(optarg); break;
        case 'n': runs = atoi(optarg); break;
        case 'f': flood = atoi(optarg); break;
        case 'v': verbose = true; break;
        case 'h': usage(); break;
        default: exit(2);
        }
    }
    random_set_seed(1);
    for (int i = optind; i < argc; i++) {
        read_capture(&records, argv[i]);
    }
    make_flood(flood);
    if (!records.n || !n_rows || !runs) {
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
