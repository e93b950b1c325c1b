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


/* Makes an archive out of capture files:
 *
 *     capture-archive DIR ROWS FILE...
 *
 * with ROWS rows per segment.  Packets come in by port p0 (10 of br0) and
 * leave by p1 (11 of br0), but each tenth is dropped by a meter. */

#include <config.h>

#include "capture-records.h"
#include "mlog-archive.h"
#include "mlog-ports.h"

static const struct mlog_archive_port ports[] = {
    { 0, 10, 1, "p0", "br0", "ovs-netdev" },
    { 1, 11, 2, "p1", "br0", "ovs-netdev" },
};

static void
append(struct mlog_archive *archive, const struct records *records,
       size_t start, size_t n)
{
    struct mlog_gap gap = {
        .from = records->a[start].time, .to = records->a[start].time,
        .count = 2,
    };
    struct mlog_archive_segment segment;
    int error;

    make_capture_segment(&records->a[start], n, &segment);
    segment.seq = mlog_archive_next_seq(archive);
    segment.first_row = start;
    segment.ports = ports;
    segment.n_ports = ARRAY_SIZE(ports);
    segment.gaps = &gap;
    segment.n_gaps = 1;
    segment.host = "host.example";
    segment.boot = "2f3c";
    error = mlog_archive_append(archive, &segment);
    if (error) {
        ovs_fatal(error, "cannot append");
    }
    free_capture_segment(&segment);
}

int
main(int argc, char *argv[])
{
    struct mlog_archive_options options = { .ops = NULL };
    struct records records = { .a = NULL };
    struct mlog_archive *archive;
    size_t n_rows;
    char *error;

    set_program_name(argv[0]);
    if (argc < 4) {
        ovs_fatal(0, "usage: %s DIR ROWS FILE...", program_name);
    }
    n_rows = atoi(argv[2]);
    for (int i = 3; i < argc; i++) {
        read_capture(&records, argv[i]);
    }
    for (size_t i = 9; i < records.n; i += 10) {
        records.a[i].row.time_port = MLOG_PORT_NONE;
        records.a[i].row.reason = 1;
    }
    error = mlog_archive_open(argv[1], &options, &archive);
    if (error) {
        ovs_fatal(0, "%s", error);
    }
    for (size_t i = 0; i < records.n;) {
        size_t n = 1;

        /* A segment spans no more than a row can tell. */
        while (n < n_rows && i + n < records.n
               && records.a[i + n].time - records.a[i].time
                  < UINT64_C(1) << MLOG_ROW_TIME_BITS) {
            n++;
        }
        append(archive, &records, i, n);
        i += n;
    }
    mlog_archive_close(archive);
    free(records.a);
    return 0;
}
