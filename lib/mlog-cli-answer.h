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


#ifndef MLOG_CLI_ANSWER_H
#define MLOG_CLI_ANSWER_H 1

/* Answers of the switch, as a client sees them
 * ============================================
 *
 * An answer is an object of JSON: members, and at most one table, which is an
 * array of objects.  Readers of JSON forget in which order members came; here
 * it is kept, as columns are to be shown in the order in which the switch
 * sends them.
 *
 * Thread-safety: an answer belongs to one thread at a time. */

#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/compiler.h"
#include "svec.h"

struct ds;
struct json;

struct mlog_cli_answer {
    char *text;                 /* As it came. */
    struct json *root;
    struct svec members;        /* In order. */

    /* The table, if there is one. */
    const char *table;          /* Name of its member, or NULL. */
    const struct json *rows;
    struct svec columns;        /* In order; no cell is elsewhere. */
};

/* Parses 'text'.  Returns NULL and stores the answer, or returns a message to
 * free. */
char *mlog_cli_answer_parse(const char *text, struct mlog_cli_answer **)
    OVS_WARN_UNUSED_RESULT;
void mlog_cli_answer_destroy(struct mlog_cli_answer *);

size_t mlog_cli_answer_n_rows(const struct mlog_cli_answer *);

/* Row 'i', an object. */
const struct json *mlog_cli_answer_row(const struct mlog_cli_answer *,
                                       size_t i);

/* A member of the answer, or of any object; NULL or the default if it isn't
 * there or of another type. */
const struct json *mlog_json_get(const struct json *object, const char *name);
const char *mlog_json_string(const struct json *object, const char *name);
double mlog_json_number(const struct json *object, const char *name,
                        double absent);
bool mlog_json_true(const struct json *object, const char *name);

/* A time in ns, or 0. */
uint64_t mlog_json_time(const struct json *object, const char *name);

/* True if something that was asked for is missing: records were lost, or
 * could not be read, the switch was not running, a thread did not answer.
 * If 'ranged', an expired record is missing, too. */
bool mlog_cli_answer_is_incomplete(const struct mlog_cli_answer *,
                                   bool ranged);

/* Appends a sentence to 'notes' for each thing that is missing. */
void mlog_cli_answer_notes(const struct mlog_cli_answer *,
                           struct svec *notes);

#endif /* mlog-cli-answer.h */
