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


/* Answers commands about captures:
 *
 *     run-queries [--rows=N] [--records=FILE] CAPTURE... < COMMANDS
 *
 * The packets become records with their own times (as far as they ascend: a
 * packet is no older than the one before).  Each line of COMMANDS is a command
 * as a JSON array of words, as in
 *
 *     ["multilog/query", "tcp", "--count"]
 *
 * and each line of the output the reply, in JSON.  There are ports p1 to p8,
 * with numbers 1 to 8 of bridge br0.
 *
 * Without --records, packets come in by p1 and leave by p2.  With it, each
 * line of FILE makes a record: the number of a packet, counted from 0; ports IN
 * and OUT, 1 to 8, or 0 for none; a drop reason, or 0; and how many nanoseconds
 * later than the packet's time the record is.  Lines are in order of time.
 *
 * Segments are ended after N rows, as long as N is less than what they hold,
 * and all but the last are sealed. */

#include <config.h>

#include <getopt.h>

#include "capture-records.h"
#include "log-append.h"
#include "mlog-command.h"
#include "mlog-header-log.h"
#include "mlog-ports.h"
#include "multilog.h"
#include "openvswitch/json.h"
#include "ovs-thread.h"

#define BUDGET (UINT64_C(4) << 30)
#define N_PORTS 8

static struct multilog *ml;
static uint16_t port_ids[N_PORTS + 1];
static size_t n_appended;
static size_t rows_per_segment = MLOG_SEGMENT_ROWS;

static void
add_ports(void)
{
    unsigned int dp = mlog_ports_datapath("ovs-netdev");

    port_ids[0] = MLOG_PORT_NONE;
    for (uint32_t i = 1; i <= N_PORTS; i++) {
        char *name = xasprintf("p%"PRIu32, i);

        mlog_ports_add(dp, i, name);
        mlog_ports_set_ofp(dp, name, "br0", i);
        port_ids[i] = mlog_ports_lookup(dp, i);
        free(name);
    }
}

static void
append(const struct record *r, uint16_t in_port, uint16_t out_port,
       uint8_t reason, uint64_t delay)
{
    struct mlog_flow_key key = r->key;
    struct mlog_row row = r->row;

    key.in_port = in_port;
    row.reason = reason;
    log_append(ml, &key, &row, out_port, r->time + delay);
    if (++n_appended % rows_per_segment == 0) {
        mlog_header_log_close_segment(ml->log);
    }
}

static void
append_listed(const struct records *records, const char *name)
{
    FILE *file = fopen(name, "r");
    unsigned int i, in_port, out_port, reason;
    unsigned long long int delay;

    if (!file) {
        ovs_fatal(errno, "%s", name);
    }
    while (fscanf(file, "%u %u %u %u %llu", &i, &in_port, &out_port, &reason,
                  &delay) == 5) {
        if (i >= records->n || in_port > N_PORTS || out_port > N_PORTS) {
            ovs_fatal(0, "%s: no such packet or port", name);
        }
        append(&records->a[i], port_ids[in_port], port_ids[out_port], reason,
               delay);
    }
    if (!feof(file)) {
        ovs_fatal(0, "%s: not understood", name);
    }
    fclose(file);
}

static void
append_all(const struct records *records, const char *list)
{
    log_append_begin(ml);
    if (list) {
        append_listed(records, list);
    } else {
        for (size_t i = 0; i < records->n; i++) {
            append(&records->a[i], port_ids[1], port_ids[2], 0, 0);
        }
    }
    log_append_end(ml);
}

/* Until all segments but the open one are. */
static void
wait_for_sealing(void)
{
    struct mlog_header_log_stats stats;

    do {
        mlog_digest_drain(ml->digest);
        mlog_header_log_get_stats(ml->log, &stats);
    } while (stats.n_sealed + 1 < stats.n_segments);
}

static void
answer(const char *line)
{
    struct json *command = json_from_string(line);
    const char *argv[MLOG_COMMAND_MAX_WORDS + 1];
    struct mlog_reply reply;
    size_t argc;

    if (command->type != JSON_ARRAY || !json_array(command)->n) {
        ovs_fatal(0, "not a command: %s", line);
    }
    argc = MIN(json_array(command)->n, ARRAY_SIZE(argv));
    for (size_t i = 0; i < argc; i++) {
        argv[i] = json_string(json_array(command)->elems[i]);
    }
    mlog_reply_init(&reply);
    reply.format = MLOG_FORMAT_JSON;
    mlog_command_run(ml, argc, argv, &reply);
    fputs(ds_cstr(&reply.body), stdout);
    fflush(stdout);
    mlog_reply_destroy(&reply);
    json_destroy(command);
}

static void
answer_all(void)
{
    struct ds line = DS_EMPTY_INITIALIZER;

    while (!ds_get_line(&line, stdin)) {
        answer(ds_cstr(&line));
    }
    ds_destroy(&line);
}

static const char *
parse_options(int argc, char *argv[])
{
    static const struct option options[] = {
        { "rows", required_argument, NULL, 'r' },
        { "records", required_argument, NULL, 'l' },
        { NULL, 0, NULL, 0 },
    };
    const char *list = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'r' && atoi(optarg) > 0) {
            rows_per_segment = atoi(optarg);
        } else if (c == 'l') {
            list = optarg;
        } else {
            ovs_fatal(0, "usage: %s [--rows=N] [--records=FILE] CAPTURE...",
                      program_name);
        }
    }
    return list;
}

int
main(int argc, char *argv[])
{
    struct records records = { .a = NULL };
    const char *list;

    set_program_name(argv[0]);
    list = parse_options(argc, argv);
    for (int i = optind; i < argc; i++) {
        read_capture(&records, argv[i]);
    }
    add_ports();
    ml = multilog_create(NULL, BUDGET, 1024);
    append_all(&records, list);
    free(records.a);
    wait_for_sealing();
    answer_all();
    multilog_destroy(ml);
    return 0;
}
