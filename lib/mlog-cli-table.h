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


#ifndef MLOG_CLI_TABLE_H
#define MLOG_CLI_TABLE_H 1

/* Aligned columns on a terminal
 * =============================
 *
 * A table that fits the terminal: if it is too wide, times lose their date,
 * and then the widest columns are clipped.  Cells are clean text.
 *
 * A table may be written in parts, as more rows come: widths only grow, and
 * the heading comes again when the columns change.
 *
 * Thread-safety: a table belongs to one thread at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-cli-text.h"

struct mlog_cli_table;

struct mlog_cli_table *mlog_cli_table_create(const struct mlog_cli_style *);
void mlog_cli_table_destroy(struct mlog_cli_table *);

/* Columns come before the first row.  Returns the column's number. */
size_t mlog_cli_table_add_column(struct mlog_cli_table *, const char *name);
size_t mlog_cli_table_n_columns(const struct mlog_cli_table *);

/* Never clip this column, nor leave it out if it is empty. */
void mlog_cli_table_keep(struct mlog_cli_table *, size_t column);

/* Begins a row; cells that aren't set are absent.  Text that isn't clean is
 * made so.  A column of which all cells are numbers is aligned right. */
void mlog_cli_table_add_row(struct mlog_cli_table *);
void mlog_cli_table_set_text(struct mlog_cli_table *, size_t column,
                             const char *text, enum mlog_cli_color);
void mlog_cli_table_set_number(struct mlog_cli_table *, size_t column,
                               const char *text);
void mlog_cli_table_set_time(struct mlog_cli_table *, size_t column,
                             uint64_t ns);

size_t mlog_cli_table_n_rows(const struct mlog_cli_table *);

/* Appends the rows that weren't written yet, without columns that have been
 * empty so far, and forgets them. */
void mlog_cli_table_flush(struct mlog_cli_table *, struct ds *);

#endif /* mlog-cli-table.h */
