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

#ifndef COMMAND_FIXTURE_H
#define COMMAND_FIXTURE_H 1

/* For tests of commands: a MultiLog with packets, and what commands answer. */

#include <criterion/criterion.h>
#include <ctype.h>

#include "mlog-command.h"
#include "mlog-header-log.h"
#include "mlog-ports.h"
#include "multilog.h"
#include "openvswitch/json.h"
#include "ovs-thread.h"
#include "random.h"
#include "openvswitch/shash.h"
#include "svec.h"
#include "util.h"

static struct multilog *ml;
static struct mlog_ring *ring;

static inline void
setup(void)
{
    unsigned int dp = mlog_ports_datapath("ovs-netdev");

    mlog_ports_add(dp, 1, "p1");
    mlog_ports_add(dp, 2, "p2");
    mlog_ports_set_ofp(dp, "p1", "br0", 1);
    mlog_ports_set_ofp(dp, "p2", "br0", 2);
    ml = multilog_create(NULL, MULTILOG_DEFAULT_BUDGET, 1 << 16);
    ring = mlog_capture_create_ring(&ml->capture, "test", dp, 0);
}

static inline void
teardown(void)
{
    mlog_capture_retire_ring(ring);
    multilog_destroy(ml);
}

static inline void
wait_for_digest(void)
{
    mlog_digest_lock(ml->digest);
    mlog_digest_unlock(ml->digest);
}

/* Sends TCP packet number 'i': from 10.0.0.(i % 5) to 11.0.0.1, port 80;
 * every third is a SYN, and every tenth is dropped. */
static inline void
send_packet(unsigned int i)
{
    uint8_t p[60] = {
        [5] = 2, [11] = 1, [12] = 8, [14] = 0x45, [17] = 46, [22] = 64,
        [23] = 6, [26] = 10, [29] = i % 5, [30] = 11, [33] = 1, [34] = 4,
        [37] = 80, [46] = 0x50, [47] = i % 3 ? 0x10 : 0x02, [49] = 100,
    };
    struct mlog_capture_packet packet = { p, sizeof p, 1, 34 };

    mlog_capture_batch(ring, &packet, 1, 2, i % 10 ? 0 : 1);
}

static inline void
send_packets(unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        send_packet(i);
        if (i % 16384 == 16383) {
            wait_for_digest();
        }
    }
    wait_for_digest();
}

/* Splits 'line' into words as a shell does, with single quotes alone. */
static inline void
split(const char *line, struct svec *words)
{
    struct ds word = DS_EMPTY_INITIALIZER;
    bool quoted = false, any = false;

    svec_init(words);
    for (;; line++) {
        if (*line == '\'') {
            quoted = !quoted;
            any = true;
        } else if (*line && (quoted || !isspace((unsigned char) *line))) {
            ds_put_char(&word, *line);
            any = true;
        } else {
            if (any) {
                svec_add(words, ds_cstr(&word));
            }
            ds_clear(&word);
            any = false;
            if (!*line) {
                break;
            }
        }
    }
    svec_terminate(words);
    ds_destroy(&word);
}

/* Runs the command line and returns the reply, for the caller to free; it
 * must be an error if and only if 'error'. */
static inline char *
run__(const char *line, enum mlog_format format, bool error)
{
    struct mlog_reply reply;
    struct svec words;
    char *body;

    split(line, &words);
    mlog_reply_init(&reply);
    reply.format = format;
    mlog_command_run(ml, words.n, (const char **) words.names, &reply);
    body = xstrdup(ds_cstr(&reply.body));
    cr_assert_eq(reply.error, error, "%s: %s", line, body);
    mlog_reply_destroy(&reply);
    svec_destroy(&words);
    return body;
}

static inline char *
run(const char *line)
{
    return run__(line, MLOG_FORMAT_TABLE, false);
}

static inline char *
run_csv(const char *line)
{
    return run__(line, MLOG_FORMAT_CSV, false);
}

/* Takes the note with the cursor, which is the last one, off a CSV answer. */
static inline char *
without_cursor(char *body)
{
    char *note = strstr(body, "# go on with --cursor=");

    cr_assert_not_null(note, "%s", body);
    *note = '\0';
    return body;
}

static inline struct json *
parse_object(const char *line, char *body)
{
    struct json *json = json_from_string(body);

    cr_assert_eq(json->type, JSON_OBJECT, "%s: %s", line, body);
    free(body);
    return json;
}

static inline struct json *
run_json(const char *line)
{
    return parse_object(line, run__(line, MLOG_FORMAT_JSON, false));
}

static inline const struct json *
member(const struct json *object, const char *name)
{
    const struct json *json = shash_find_data(json_object(object), name);

    cr_assert_not_null(json, "'%s' is missing in %s", name,
                       json_to_string(object, 0));
    return json;
}

static inline int64_t
number(const struct json *object, const char *name)
{
    return json_integer(member(object, name));
}

static inline const char *
string(const struct json *object, const char *name)
{
    return json_string(member(object, name));
}

static inline const struct json *
element(const struct json *object, const char *name, size_t i)
{
    const struct json_array *array = json_array(member(object, name));

    cr_assert_lt(i, array->n);
    return array->elems[i];
}

static inline size_t
n_elements(const struct json *object, const char *name)
{
    return json_array(member(object, name))->n;
}

static inline bool
has(const struct json *object, const char *name)
{
    return shash_find(json_object(object), name) != NULL;
}

#endif /* command-fixture.h */
