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


#ifndef MLOG_CLI_RENDER_H
#define MLOG_CLI_RENDER_H 1

/* Answers, written for people or for programs
 * ===========================================
 *
 *   table   For people: counts and bytes with units, local times, names of
 *           ports, protocols and services; then what the answer says besides,
 *           and notes on what is missing.
 *
 *   json    The switch's answer as it came, in one line.
 *
 *   jsonl   Each row an object in a line of its own, nothing else.  An answer
 *           without a table is one line.
 *
 *   csv     A line of names and a line per row, as in RFC 4180, but with a
 *           line feed alone at the end of a line.
 *
 * Columns that the program doesn't know are shown as they come, so a newer
 * switch needs no newer client.
 *
 * Thread-safety: that of the answer. */

#include <stdbool.h>

#include "mlog-cli-answer.h"
#include "mlog-cli-text.h"

struct mlog_cli_table;

enum mlog_cli_format {
    MLOG_CLI_TABLE,
    MLOG_CLI_JSON,
    MLOG_CLI_JSONL,
    MLOG_CLI_CSV,
};

#define MLOG_CLI_FORMATS "table, json, jsonl and csv"

bool mlog_cli_format_from_string(const char *, enum mlog_cli_format *);

/* Appends the whole answer.  If 'condense', the fields of records become the
 * few columns that people look at; for tables only. */
void mlog_cli_render(const struct mlog_cli_answer *, enum mlog_cli_format,
                     const struct mlog_cli_style *, bool condense,
                     struct ds *);

/* Parts of it.
 *
 * A view says which columns are shown and how.  It serves several answers
 * that have the same columns, or less. */
struct mlog_cli_view;

struct mlog_cli_view *mlog_cli_view_create(const struct svec *columns,
                                           const struct mlog_cli_style *,
                                           bool condense);
void mlog_cli_view_destroy(struct mlog_cli_view *);

/* Adds the view's columns to a table, or a row with them. */
void mlog_cli_view_add_columns(struct mlog_cli_view *,
                               struct mlog_cli_table *);
void mlog_cli_view_add_row(const struct mlog_cli_view *,
                           const struct json *row, struct mlog_cli_table *);

/* One row, or the names, with a new-line. */
void mlog_cli_put_row_json(const struct json *row, const struct svec *columns,
                           struct ds *);
void mlog_cli_put_row_csv(const struct json *row, const struct svec *columns,
                          struct ds *);
void mlog_cli_put_names_csv(const struct svec *columns, struct ds *);

/* "name  value" for each member, nested ones indented. */
void mlog_cli_put_object(const struct json *, const struct svec *order,
                         const struct mlog_cli_style *, struct ds *);

#endif /* mlog-cli-render.h */
