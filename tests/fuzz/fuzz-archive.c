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


/* Fuzzes the reader of archived segments.
 *
 * An input is a list of changes to a good file, as otherwise nothing would get
 * past the checksums, which are made right again:
 *
 *     each 5 bytes: 32 bits of position, the byte to put there
 *
 * or, if it begins with "MLOG", a file by itself.
 *
 * With libFuzzer:  clang -fsanitize=fuzzer,address,undefined ...
 * Stand-alone:     fuzz-archive [FILE...], or without arguments random changes
 *                  for a second or two. */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/archive-fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ofpbuf *
good_file(void)
{
    static struct ofpbuf file;

    if (!file.size) {
        random_set_seed(1);
        struct mlog_archive_segment segment = random_segment(500, 60);

        file = encode_segment(&segment);
        free_segment(&segment);
    }
    return &file;
}

/* Whatever a file is, reading it ends with an error or with rows of flows that
 * there are. */
static void
try_file(const uint8_t *data, size_t size)
{
    struct decoded d;
    char *error = decode_file(data, size, &d);

    if (!error) {
        for (uint32_t i = 0; i < d.info->n_rows; i++) {
            ovs_assert(d.rows[i].flow < d.info->n_flows);
        }
    }
    decoded_destroy(&d);
    free(error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy;

    if (size >= 4 && !memcmp(data, "MLOG", 4)) {
        copy = xmemdup(data, size);
        fix_checksums(copy, size);
    } else {
        const uint8_t *end = data + size / 5 * 5;
        const struct ofpbuf *file = good_file();

        copy = xmemdup(file->data, file->size);
        for (; data < end; data += 5) {
            copy[read32(data) % file->size] = data[4];
        }
        size = file->size;
        fix_checksums(copy, size);
    }
    try_file(copy, size);
    free(copy);
    return 0;
}

#ifndef MLOG_LIBFUZZER
static void
fuzz_file(const char *name)
{
    static uint8_t data[1 << 20];
    FILE *file = fopen(name, "rb");

    if (!file) {
        ovs_fatal(errno, "%s", name);
    }
    LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, file));
    fclose(file);
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    for (int i = 1; i < argc; i++) {
        fuzz_file(argv[i]);
    }
    for (int i = 0; argc == 1 && i < 20000; i++) {
        uint8_t data[20];
        size_t n = 5 * (1 + rand() % 4);

        for (size_t j = 0; j < n; j++) {
            data[j] = rand();
        }
        LLVMFuzzerTestOneInput(data, n);
    }
    return 0;
}
#endif
