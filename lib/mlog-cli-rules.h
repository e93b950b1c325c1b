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


#ifndef MLOG_CLI_RULES_H
#define MLOG_CLI_RULES_H 1

/* Rules as text
 * =============
 *
 * Filters, aggregates, triggers and installed presets as lines of a file, in
 * the words with which they would be added:
 *
 *     # Anything after # is a comment.
 *     filter web 'tcp && tp_dst == 80'
 *     aggregate hits web count window=1s group-by=nw_src
 *     trigger busy 'hits > 100' for=5s clear=50
 *     preset port-scan as=scan threshold=50
 *
 * Quotes are those of a shell: nothing is special in '...', and \ stands for
 * the next character elsewhere.
 *
 * Thread-safety: a list belongs to one thread at a time. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/compiler.h"
#include "svec.h"

struct ds;

struct mlog_cli_rule {
    struct svec words;          /* "filter", its name, and the rest. */
    size_t line;                /* Of the file, from 1. */
};

struct mlog_cli_rules {
    struct mlog_cli_rule *rules;
    size_t n, allocated;
};

#define MLOG_CLI_RULES_INITIALIZER { NULL, 0, 0 }

void mlog_cli_rules_destroy(struct mlog_cli_rules *);

/* Adds a rule, of which it takes over the words. */
void mlog_cli_rules_add(struct mlog_cli_rules *, struct svec *words,
                        size_t line);

/* The rule's name; a preset's is the one after "as=", or its own. */
const char *mlog_cli_rule_name(const struct mlog_cli_rule *);

/* Returns the rule with that kind and name, or NULL. */
struct mlog_cli_rule *mlog_cli_rules_find(const struct mlog_cli_rules *,
                                          const char *kind, const char *name);

/* True if both say the same, in whichever order their options are. */
bool mlog_cli_rule_equal(const struct mlog_cli_rule *,
                         const struct mlog_cli_rule *);

/* Splits a line into words.  Returns a message to free, or NULL. */
char *mlog_cli_split_line(const char *line, struct svec *words)
    OVS_WARN_UNUSED_RESULT;

/* Parses a file's text.  Returns a message to free, which names the line, or
 * NULL. */
char *mlog_cli_rules_parse(const char *text, struct mlog_cli_rules *)
    OVS_WARN_UNUSED_RESULT;

/* Appends the rule as a line that mlog_cli_split_line() reads back. */
void mlog_cli_rule_format(const struct mlog_cli_rule *, struct ds *);

#endif /* mlog-cli-rules.h */
