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

#ifndef BENCH_UTIL_H
#define BENCH_UTIL_H 1

/* What the benchmarks of lib/ share: packets, and what becomes of figures. */

#include <dirent.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mlog-clock.h"
#include "multilog.h"
#include "util.h"

#define FRAME_LEN 64
#define BATCH 32

OVS_NO_RETURN OVS_PRINTF_FORMAT(1, 2) static inline void
fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "%s: ", program_name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(1);
}

static inline uint64_t
next_random(void)
{
    static __thread uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static inline double
get_ticks_per_ns(void)
{
    struct mlog_clock clock;

    mlog_clock_init();
    mlog_clock_calibrate(&clock, NULL);
    return 4294967296.0 / clock.rate;
}

/* Packets: Ethernet, IPv4, TCP (three of four) or UDP, from 10.1.0.0/16 to
 * 10.2.0.0/16, any ports. */

struct frame {
    uint8_t bytes[FRAME_LEN];
};

static inline void
make_frame(struct frame *frame)
{
    static const uint8_t header[] = {
        0x00, 0x53, 0, 0, 0, 2, 0x00, 0x53, 0, 0, 0, 1, 0x08, 0x00,
        0x45, 0, 0, FRAME_LEN - 14, 0, 0, 0, 0, 64, 6, 0, 0,
        10, 1, 0, 0, 10, 2, 0, 0,
    };
    uint64_t a = next_random(), b = next_random() >> 8;
    uint8_t *p = frame->bytes;

    memset(frame, 0, sizeof *frame);
    memcpy(p, header, sizeof header);
    p[23] = b & 3 ? 6 : 17;
    memcpy(p + 28, (uint8_t *) &a, 2);
    memcpy(p + 32, (uint8_t *) &a + 2, 2);
    memcpy(p + 34, (uint8_t *) &a + 4, 4);
    p[46] = 0x50;
    p[47] = b & 0x3c ? 0x10 : 0x02;
    p[48] = 1;
}

/* Returns, for the caller to free, one packet for each of 'n' flows. */
static inline struct frame *
make_frames(size_t n)
{
    struct frame *frames = xmalloc(n * sizeof *frames);

    for (size_t i = 0; i < n; i++) {
        make_frame(&frames[i]);
    }
    return frames;
}

/* Captures 'n' packets, in batches: of the flows of the 'n_frames' frames, at
 * random, or, if there are none, each of a flow of its own. */
static inline void
fill(struct mlog_ring *ring, const struct frame *frames, size_t n_frames,
     unsigned int n)
{
    struct mlog_capture_packet packets[BATCH];
    struct frame fresh[BATCH];

    for (unsigned int i = 0; i < n; i += BATCH) {
        unsigned int n_batch = MIN(BATCH, n - i);

        for (unsigned int j = 0; j < n_batch; j++) {
            const struct frame *frame = &fresh[j];

            if (!n_frames) {
                make_frame(&fresh[j]);
            } else {
                frame = &frames[(next_random() >> 16) % n_frames];
            }
            packets[j] = (struct mlog_capture_packet) {
                .data = frame, .size = FRAME_LEN, .in_port = 1, .l4_ofs = 34,
            };
        }
        mlog_capture_batch(ring, packets, n_batch, 2, 0);
    }
}

/* Returns the thread called 'name' that was created last, or 0. */
static inline pid_t
newest_thread(const char *name)
{
    struct dirent *entry;
    pid_t newest = 0;
    DIR *dir;

    dir = opendir("/proc/self/task");
    while (dir && (entry = readdir(dir))) {
        char path[300], comm[32] = "";
        FILE *file;

        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        file = fopen(path, "r");
        if (file) {
            if (fgets(comm, sizeof comm, file)
                && !strncmp(comm, name, strlen(name))) {
                newest = MAX(newest, atoi(entry->d_name));
            }
            fclose(file);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return newest;
}

/* Results. */

static inline int
compare_doubles(const void *a_, const void *b_)
{
    const double *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static inline void
sort_doubles(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare_doubles);
}

static inline double
percentile(const double *sorted, size_t n, double p)
{
    return n ? sorted[(size_t) lrint(p / 100 * (n - 1))] : NAN;
}

/* Options. */

static inline unsigned int
parse_number(const char *option, const char *s, unsigned int min,
             unsigned int max)
{
    unsigned int n;

    if (!str_to_uint(s, 10, &n) || n < min || n > max) {
        fail("--%s: '%s' is not a number from %u to %u", option, s, min, max);
    }
    return n;
}

/* Parses numbers separated by commas, and returns how many they are. */
static inline size_t
parse_numbers(const char *option, char *s, unsigned int min, unsigned int max,
              unsigned int numbers[], size_t n_max)
{
    char *save = NULL;
    size_t n = 0;

    for (char *p = strtok_r(s, ",", &save); p;
         p = strtok_r(NULL, ",", &save)) {
        if (n >= n_max) {
            fail("--%s: at most %"PRIuSIZE" numbers", option, n_max);
        }
        numbers[n++] = parse_number(option, p, min, max);
    }
    return n;
}

#endif /* tests/bench/bench-util.h */
