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


#ifndef MLOG_COMMAND_H
#define MLOG_COMMAND_H 1

/* The command engine
 * ==================
 *
 * Executes the commands "multilog/..." for every front end: ovs-appctl,
 * command line tools, the network.  A command is a vector of words, as in
 *
 *     { "multilog/query", "tcp && tp_dst == 80", "--last=10s", "--count" }
 *
 * and its reply is a text in one of the formats of mlog-output.h, or an error
 * message.  Documentation/ref/commands.rst is the user's reference.
 *
 * Words may be hostile.  A command has a budget of time (--timeout) and its
 * reply is bounded (MLOG_REPLY_MAX).
 *
 * Thread-safety
 * =============
 *
 * All functions may be called from any thread.  mlog_command_run() may take
 * as long as the command's budget and waits for the digest, so it is not for
 * a datapath thread or a daemon's main loop. */

#include <stdbool.h>
#include <stddef.h>

#include "mlog-output.h"
#include "openvswitch/dynamic-string.h"

struct mlog_call;
struct mlog_query;
struct multilog;

#define MLOG_COMMAND_MAX_WORDS 64
#define MLOG_COMMAND_MAX_BYTES 65536    /* Of all words together. */
#define MLOG_REPLY_MAX (64u << 20)      /* Bytes of rows in a reply. */

struct mlog_command {
    const char *name;           /* "multilog/query". */
    const char *usage;          /* Arguments and main options. */
    const char *doc;            /* One line. */
    unsigned int min_args;      /* Not counting options. */
    unsigned int max_args;
    uint64_t options;           /* Internal. */
    void (*run)(struct mlog_call *);
};

/* Returns command 'i', counting from 0, or NULL past the last one. */
const struct mlog_command *mlog_command_get(size_t i);
bool mlog_command_exists(const char *name);

/* True if the command argv[0] may take long: one with a budget. */
bool mlog_command_is_long(int argc, const char *argv[]);

struct mlog_reply {
    enum mlog_format format;    /* In: unless a --format option says; out:
                                 * what 'body' is in. */
    bool error;                 /* Out: 'body' is an error message. */
    struct ds body;
};

void mlog_reply_init(struct mlog_reply *);
void mlog_reply_destroy(struct mlog_reply *);

/* Executes the command argv[0] with the words that follow.  'reply' must be
 * initialised. */
void mlog_command_run(struct multilog *, int argc, const char *argv[],
                      struct mlog_reply *reply);

/* The same as 'query', on which its cost is counted and with which it ends.
 * NULL for none. */
void mlog_command_run_query(struct multilog *, struct mlog_query *query,
                            int argc, const char *argv[],
                            struct mlog_reply *reply);

/* Executes nothing: the reply is the error 'message'. */
void mlog_command_refuse(int argc, const char *argv[],
                         struct mlog_reply *reply, const char *message);

#endif /* mlog-command.h */
