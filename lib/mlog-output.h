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


#ifndef MLOG_OUTPUT_H
#define MLOG_OUTPUT_H 1

/* Tables and documents, for people and for programs
 * =================================================
 *
 * A command's answer is a document: named members, at most one table, and
 * notes.  It is written in one of three formats:
 *
 *   table   The table with aligned columns, then the summary and the notes.
 *           An absent cell is "-"; control characters are escaped.
 *
 *   json    One object in one line: the table as an array of objects under
 *           its name, then the members.  Absent cells are omitted.  Counters
 *           are written in full, also beyond 2**63.
 *
 *   csv     A line of column names and one line per row, quoted as RFC 4180
 *           says, ended by a line feed alone.  An absent cell is empty, an
 *           empty text is "".  Notes follow as lines that begin with "# "; a
 *           cell that begins so is quoted.
 *
 * A table keeps its cells as text, ready for its format, in one block of
 * memory, and knows how long it will be, so that an answer can be bounded.
 *
 * Thread-safety
 * =============
 *
 * None: a table or document belongs to one thread at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-fields.h"
#include "openvswitch/compiler.h"
#include "openvswitch/dynamic-string.h"

struct json;

enum mlog_format {
    MLOG_FORMAT_TABLE,
    MLOG_FORMAT_JSON,
    MLOG_FORMAT_CSV,
};

const char *mlog_format_to_string(enum mlog_format);
bool mlog_format_from_string(const char *, enum mlog_format *);

/* Appends 's' as a JSON string, quotes included.  Bytes that are not UTF-8
 * become U+FFFD. */
void mlog_json_put_string(struct ds *, const char *s);

/* Tables. */

struct mlog_table;

struct mlog_table *mlog_table_create(enum mlog_format);
void mlog_table_destroy(struct mlog_table *);

/* Columns are added before the first row.  'name' is the heading and the JSON
 * member.  Numbers are aligned to the right. */
void mlog_table_add_column(struct mlog_table *, const char *name, bool right);

/* Each row is one mlog_table_put_*() per column, in order. */
void mlog_table_put_absent(struct mlog_table *);
void mlog_table_put_u64(struct mlog_table *, uint64_t);
void mlog_table_put_real(struct mlog_table *, double);
void mlog_table_put_bool(struct mlog_table *, bool);
void mlog_table_put_string(struct mlog_table *, const char *);  /* Or NULL. */
void mlog_table_put_time(struct mlog_table *, uint64_t ns);     /* 0: none. */
void mlog_table_put_json(struct mlog_table *, const struct json *);

/* For people as mlog_field_format(), else as mlog_field_to_json(). */
void mlog_table_put_field(struct mlog_table *, const struct mlog_field *,
                          const struct mlog_value *);

size_t mlog_table_n_rows(const struct mlog_table *);

/* How long mlog_table_render() would be by now, in bytes (for UTF-8 beyond
 * ASCII, at most). */
size_t mlog_table_size(const struct mlog_table *);

/* True if that is more than 'max', or if the table takes several times as
 * much memory because most of its cells are absent. */
bool mlog_table_is_full(const struct mlog_table *, size_t max);

/* In table format, leave out columns that are absent in every row. */
void mlog_table_hide_empty(struct mlog_table *);

/* Appends the table, rows in reverse order if 'reverse'. */
void mlog_table_render(const struct mlog_table *, bool reverse, struct ds *);

/* Documents. */

struct mlog_document {
    enum mlog_format format;
    struct mlog_table *table;   /* Owned; NULL if none. */
    const char *table_name;     /* JSON member; lives as long as this. */
    bool reverse;               /* Last row of 'table' first. */
    struct ds members;          /* JSON text. */
    struct ds text;             /* Table format: instead of 'table'. */
    struct ds summary;          /* Table format only. */
    struct ds notes;            /* Table and CSV formats, one per line. */
};

void mlog_document_init(struct mlog_document *, enum mlog_format);
void mlog_document_destroy(struct mlog_document *);

/* Creates the table and returns it. */
struct mlog_table *mlog_document_table(struct mlog_document *,
                                       const char *name);

/* Members, in the order in which they are added. */
void mlog_document_put_u64(struct mlog_document *, const char *name,
                           uint64_t);
void mlog_document_put_bool(struct mlog_document *, const char *name, bool);
void mlog_document_put_string(struct mlog_document *, const char *name,
                              const char *);
void mlog_document_put_time(struct mlog_document *, const char *name,
                            uint64_t ns);
void mlog_document_put_json(struct mlog_document *, const char *name,
                            struct json *);     /* Takes ownership. */

/* One line for people, without new-line. */
void mlog_document_summary(struct mlog_document *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* Something that a reader of a table must know and a program reads from the
 * members: records are missing, rows were cut. */
void mlog_document_note(struct mlog_document *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

void mlog_document_render(const struct mlog_document *, struct ds *);

#endif /* mlog-output.h */
