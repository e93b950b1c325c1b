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

/* Fuzzes the packet parser: any bytes, any claimed length.
 *
 * With libFuzzer:  clang -fsanitize=fuzzer,address,undefined ...
 * Stand-alone:     fuzz-headers [FILE...], or without arguments random
 *                  packets for a second or two. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mlog-headers.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mlog_flow_key key;
    struct mlog_row row;

    /* A block of its own, for the address sanitizer. */
    uint8_t *copy = xmemdup(data, size);
    mlog_headers_parse(copy, size, size, &key, &row);
    mlog_headers_parse(copy, size, UINT32_MAX, &key, &row);
    mlog_headers_parse(copy, size, size / 2, &key, &row);
    free(copy);

    /* What is said to be there implies what it is part of. */
    ovs_assert(!(key.has & MLOG_HAS_TCP) || key.has & MLOG_HAS_PORTS);
    ovs_assert(!(key.has & MLOG_HAS_PORTS) || key.has & MLOG_HAS_PROTO);
    ovs_assert(!(key.has & MLOG_HAS_ICMP) || key.has & MLOG_HAS_PROTO);
    ovs_assert(!(key.has & MLOG_HAS_PROTO) || key.has & MLOG_HAS_IP);
    ovs_assert(!key.has || key.has & MLOG_HAS_ETH);
    return 0;
}

#ifndef MLOG_LIBFUZZER
static void
fuzz_file(const char *name)
{
    static uint8_t data[1 << 16];
    FILE *file = fopen(name, "rb");

    if (!file) {
        ovs_fatal(errno, "%s", name);
    }
    LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, file));
    fclose(file);
}

/* Random bytes rarely look like headers, so the values that matter are put in
 * often. */
static void
fuzz_random(int n)
{
    static const uint8_t types[][2] = {
        { 8, 0 }, { 0x86, 0xdd }, { 0x81, 0 }, { 0x88, 0xa8 }, { 8, 6 },
        { 0, 40 }, { 0x91, 0 }
    };
    static const uint8_t bytes[] = {
        0x45, 0x46, 0x4f, 0x60, 0, 1, 6, 17, 43, 44, 51, 58, 60, 132, 255
    };
    uint8_t data[160];

    while (n--) {
        size_t size = rand() % (sizeof data + 1);

        for (size_t i = 0; i < sizeof data; i++) {
            data[i] = rand() % 2 ? rand() : bytes[rand() % sizeof bytes];
        }
        for (int i = 12; i < 24 && rand() % 3; i += 4) {
            memcpy(&data[i], types[rand() % ARRAY_SIZE(types)], 2);
        }
        LLVMFuzzerTestOneInput(data, size);
    }
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    for (int i = 1; i < argc; i++) {
        fuzz_file(argv[i]);
    }
    if (argc < 2) {
        fuzz_random(300000);
    }
    return 0;
}
#endif
