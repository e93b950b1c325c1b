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


#ifndef MLOG_CLI_PRIVATE_H
#define MLOG_CLI_PRIVATE_H 1

/* Shared by mlog-cli*.c. */

#include "mlog-cli-answer.h"
#include "mlog-cli-text.h"
#include "mlog-cli.h"

struct json;

/* Appends 'value', of a column or member 'name', for people. */
void mlog_cli_put_value(const char *name, const struct json *value,
                        const struct mlog_cli_style *, struct ds *);

/* Messages go to standard error, with the program's name. */
void mlog_cli_error(const struct mlog_cli *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* Takes over 'message', says it and returns 'status'. */
int mlog_cli_fail(const struct mlog_cli *, int status, char *message);

/* Connects, if that has not been done.  Returns a status. */
int mlog_cli_connect(struct mlog_cli *);

/* Asks the switch in JSON.  words[0] is the command, such as
 * "multilog/query".  Returns a status; if MLOG_CLI_OK, stores the answer.
 * What is wrong is said, or, with mlog_cli_try(), stored in '*message' for
 * the caller to free. */
int mlog_cli_ask(struct mlog_cli *, const struct svec *words,
                 struct mlog_cli_answer **);
int mlog_cli_try(struct mlog_cli *, const struct svec *words,
                 struct mlog_cli_answer **, char **message);

/* The same for a command with at most one more word, or NULL. */
int mlog_cli_ask_command(struct mlog_cli *, const char *command,
                         const char *word, struct mlog_cli_answer **);
int mlog_cli_try_command(struct mlog_cli *, const char *command,
                         const char *word, struct mlog_cli_answer **,
                         char **message);

/* Names of the switch's commands "multilog/...", without that.  Returns a
 * status. */
int mlog_cli_get_commands(struct mlog_cli *, struct svec *names);

/* Returns 'text', for the caller to free, with this tool's verbs in place of
 * the switch's commands. */
char *mlog_cli_translate(const char *text);

/* Writes an answer to standard output, and notes of formats that have no room
 * for them to standard error.  Returns a status. */
int mlog_cli_print(struct mlog_cli *, const struct mlog_cli_answer *,
                   bool condense);

/* Writes and empties 's'.  Returns false if nobody reads any more. */
bool mlog_cli_write(struct ds *s);

/* Until the next call, what would be written to standard output and standard
 * error is appended to 's', unless that is NULL. */
void mlog_cli_capture(struct ds *s);

/* Words.  The first two take option 'name' out of 'words' and return true if
 * it was there; a missing value is NULL.  They look no farther than "--". */
bool mlog_cli_take_flag(struct svec *words, const char *name);
bool mlog_cli_take_value(struct svec *words, const char *name, char **value);
bool mlog_cli_has_option(const struct svec *words, const char *name);
void mlog_cli_remove_word(struct svec *words, size_t i);
void mlog_cli_insert_word(struct svec *words, size_t i, const char *word);

/* Parses seconds, such as "0.5", into milliseconds. */
bool mlog_cli_parse_interval(const char *text, long long int *ms);

/* Verbs of their own; 'words' are without the verb. */
int mlog_cli_show(struct mlog_cli *, struct svec *words);
int mlog_cli_follow(struct mlog_cli *, struct svec *words);
int mlog_cli_follow_alerts(struct mlog_cli *, struct svec *words);
int mlog_cli_top(struct mlog_cli *, struct svec *words);
int mlog_cli_watch(struct mlog_cli *, struct svec *words);
int mlog_cli_export(struct mlog_cli *, struct svec *words);
int mlog_cli_doctor(struct mlog_cli *, struct svec *words);
int mlog_cli_rules(struct mlog_cli *, struct svec *words);
int mlog_cli_completion(struct mlog_cli *, struct svec *words);

/* The verbs. */
struct mlog_cli_verb {
    const char *name;
    const char *command;        /* Of the switch, without "multilog/". */
    int (*run)(struct mlog_cli *, struct svec *words);  /* Instead. */
    bool condense;              /* Its records or flows, for people. */
    const char *usage;
    const char *summary;        /* One line. */
    const char *help;           /* Lines. */
};

/* Verb 'i', or NULL past the last. */
const struct mlog_cli_verb *mlog_cli_verb_get(size_t i);
const struct mlog_cli_verb *mlog_cli_verb_find(const char *name);
void mlog_cli_verb_help(struct mlog_cli *, const struct mlog_cli_verb *,
                        const char *sub);

/* True for filter, aggregate, trigger and preset. */
bool mlog_cli_is_noun(const char *name);

#endif /* mlog-cli-private.h */
