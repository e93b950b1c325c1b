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


#ifndef MLOG_CLI_H
#define MLOG_CLI_H 1

/* The command line tool ovs-multilog
 * ==================================
 *
 * The tool's verbs are the switch's commands, and some that are made of
 * several of them.  It asks in JSON and writes the answers itself.  Whatever
 * it doesn't know, words and options, goes to the switch as it is.
 *
 * Documentation/ref/ovs-multilog.rst is the user's reference.
 *
 * Thread-safety: none; a process has one. */

#include <stdbool.h>
#include <stddef.h>

#include "mlog-cli-answer.h"
#include "mlog-cli-render.h"
#include "openvswitch/compiler.h"

struct mlog_cli_client;

/* Exit status. */
enum mlog_cli_status {
    MLOG_CLI_OK = 0,
    MLOG_CLI_ERROR = 1,         /* It could not be done. */
    MLOG_CLI_USAGE = 2,         /* The words make no sense. */
    MLOG_CLI_INCOMPLETE = 3,    /* Something is missing in the answer; of
                                 * doctor: something wants attention. */
    MLOG_CLI_BROKEN = 4,        /* Of doctor: something does not work. */
    MLOG_CLI_INTERRUPTED = 130, /* By SIGINT. */
};

struct mlog_cli {
    const char *target;         /* As given, or NULL. */
    struct mlog_cli_client *client;     /* NULL before the first command. */
    enum mlog_cli_format format;
    bool format_given;
    struct mlog_cli_style style;
    bool help;                  /* --help after the verb. */
    bool ranged;                /* The user gave a range of time. */
};

/* Sets what depends on the terminal and the environment. */
void mlog_cli_init(struct mlog_cli *);
void mlog_cli_destroy(struct mlog_cli *);

/* "auto", "always" or "never". */
bool mlog_cli_set_color(struct mlog_cli *, const char *when);

/* Runs verb words[0] with the words that follow, and returns the exit
 * status. */
int mlog_cli_run(struct mlog_cli *, struct svec *words);

/* Prints what --help prints. */
void mlog_cli_print_help(void);

#endif /* mlog-cli.h */
