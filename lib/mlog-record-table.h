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


#ifndef MLOG_RECORD_TABLE_H
#define MLOG_RECORD_TABLE_H 1

/* Records as rows of a table: which fields, which columns, which cells.
 *
 * Thread-safety: that of mlog-output.h. */

#include <stdbool.h>
#include <stddef.h>

#include "mlog-fields.h"
#include "mlog-output.h"

/* Each sets 'fields', which has room for MLOG_N_FIELDS, and returns the number
 * of fields.
 *
 * The default is what is shown if the user doesn't say: to people the names of
 * ports, and addresses of both families in one column; to programs everything
 * under its own name. */
size_t mlog_record_default_fields(enum mlog_format,
                                  const struct mlog_field *fields[]);
size_t mlog_record_all_fields(const struct mlog_field *fields[]);
size_t mlog_record_use_fields(const enum mlog_field_id ids[], size_t n,
                              const struct mlog_field *fields[]);

/* Adds a column for each of the fields, or a cell of a row. */
void mlog_record_add_columns(struct mlog_table *,
                             const struct mlog_field *const fields[],
                             size_t n);
void mlog_record_put(struct mlog_table *, const struct mlog_record *,
                     const struct mlog_field *const fields[], size_t n);

#endif /* mlog-record-table.h */
