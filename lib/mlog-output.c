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


#include <config.h>

#include "mlog-output.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "openvswitch/json.h"
#include "util.h"

/* The cells lie one after the other in 'text'; cell i ends at 'ends[i]'.
 * They are in their final form, but for the padding of the table format, so a
 * cell of length 0 can only be an absent one: an empty text is "" in JSON and
 * CSV, and for people as well. */
struct mlog_table {
    enum mlog_format format;
    bool hide_empty;

    struct mlog_table_column *columns;
    size_t n_columns, allocated_columns;

    struct ds text;
    size_t key_bytes;           /* JSON only: keys and commas of cells. */
    uint32_t *ends;
    size_t n_cells, allocated_cells;
};

struct mlog_table_column {
    char *name;
    char *key;                  /* JSON only: the quoted name and a colon. */
    bool right;
    bool empty;
    size_t width;               /* Table format only. */
};

static const char *const format_names[] = {
    [MLOG_FORMAT_TABLE] = "table",
    [MLOG_FORMAT_JSON] = "json",
    [MLOG_FORMAT_CSV] = "csv",
};

const char *
mlog_format_to_string(enum mlog_format format)
{
    return format_names[format];
}

bool
mlog_format_from_string(const char *s, enum mlog_format *format)
{
    for (size_t i = 0; i < ARRAY_SIZE(format_names); i++) {
        if (!strcmp(s, format_names[i])) {
            *format = i;
            return true;
        }
    }
    return false;
}

/* Text. */

/* Returns the length of the UTF-8 sequence at 's', or 0 if it is none. */
static size_t
utf8_length(const char *s_)
{
    const unsigned char *s = (const unsigned char *) s_;
    static const struct {
        unsigned char lead_min, lead_max, next_min, next_max, length;
    } forms[] = {
        { 0x01, 0x7f, 0, 0, 1 },
        { 0xc2, 0xdf, 0x80, 0xbf, 2 },
        { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 },
        { 0xed, 0xed, 0x80, 0x9f, 3 },
        { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 },
        { 0xf1, 0xf3, 0x80, 0xbf, 4 },
        { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        if (s[0] < forms[i].lead_min || s[0] > forms[i].lead_max) {
            continue;
        }
        if (forms[i].length > 1
            && (s[1] < forms[i].next_min || s[1] > forms[i].next_max)) {
            return 0;
        }
        for (size_t j = 2; j < forms[i].length; j++) {
            if ((s[j] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return forms[i].length;
    }
    return 0;
}

void
mlog_json_put_string(struct ds *ds, const char *s)
{
    ds_put_char(ds, '"');
    while (*s) {
        size_t n = utf8_length(s);

        if (!n) {
            ds_put_cstr(ds, "\\ufffd");
            s++;
        } else if (n > 1) {
            ds_put_buffer(ds, s, n);
            s += n;
        } else {
            unsigned char c = *s++;

            if (c == '"' || c == '\\') {
                ds_put_char(ds, '\\');
                ds_put_char(ds, c);
            } else if (c < 0x20 || c == 0x7f) {
                ds_put_format(ds, "\\u%04x", c);
            } else {
                ds_put_char(ds, c);
            }
        }
    }
    ds_put_char(ds, '"');
}

/* Appends 's' so that a terminal shows it and does nothing else. */
static void
put_plain(struct ds *ds, const char *s)
{
    if (!*s) {
        ds_put_cstr(ds, "\"\"");
    }
    while (*s) {
        size_t n = utf8_length(s);
        unsigned char c = *s;

        /* Two-byte sequences below U+00A0 are control characters too. */
        bool c1 = n == 2 && c == 0xc2 && (unsigned char) s[1] < 0xa0;

        if (!n || (n == 1 && (c < 0x20 || c == 0x7f))) {
            ds_put_format(ds, "\\x%02x", c);
            s++;
        } else if (c1) {
            ds_put_format(ds, "\\x%02x", (unsigned char) s[1]);
            s += n;
        } else {
            ds_put_buffer(ds, s, n);
            s += n;
        }
    }
}

static void
put_csv(struct ds *ds, const char *s)
{
    if (*s && *s != '#' && !strpbrk(s, ",\"\r\n")) {
        ds_put_cstr(ds, s);
        return;
    }

    ds_put_char(ds, '"');
    for (; *s; s++) {
        if (*s == '"') {
            ds_put_char(ds, '"');
        }
        ds_put_char(ds, *s);
    }
    ds_put_char(ds, '"');
}

static void
put_text(struct ds *ds, enum mlog_format format, const char *s)
{
    switch (format) {
    case MLOG_FORMAT_JSON:
        mlog_json_put_string(ds, s);
        break;
    case MLOG_FORMAT_CSV:
        put_csv(ds, s);
        break;
    case MLOG_FORMAT_TABLE:
        put_plain(ds, s);
        break;
    }
}

/* Number of characters of the 'n' bytes of UTF-8 at 's'. */
static size_t
display_width(const char *s, size_t n)
{
    size_t width = 0;

    for (size_t i = 0; i < n; i++) {
        width += (s[i] & 0xc0) != 0x80;
    }
    return width;
}

/* Tables. */

struct mlog_table *
mlog_table_create(enum mlog_format format)
{
    struct mlog_table *table = xzalloc(sizeof *table);

    table->format = format;
    ds_init(&table->text);
    return table;
}

void
mlog_table_destroy(struct mlog_table *table)
{
    if (table) {
        for (size_t i = 0; i < table->n_columns; i++) {
            free(table->columns[i].name);
            free(table->columns[i].key);
        }
        free(table->columns);
        ds_destroy(&table->text);
        free(table->ends);
        free(table);
    }
}

void
mlog_table_add_column(struct mlog_table *table, const char *name, bool right)
{
    ovs_assert(!table->n_cells);
    if (table->n_columns >= table->allocated_columns) {
        table->columns = x2nrealloc(table->columns, &table->allocated_columns,
                                    sizeof *table->columns);
    }

    struct mlog_table_column *column = &table->columns[table->n_columns++];
    struct ds ds = DS_EMPTY_INITIALIZER;

    put_text(&ds, table->format, name);
    column->name = xstrdup(name);
    column->width = MAX(1, display_width(ds.string, ds.length));
    if (table->format == MLOG_FORMAT_JSON) {
        ds_put_char(&ds, ':');
    }
    column->key = ds_steal_cstr(&ds);
    column->right = right;
    column->empty = true;
}

/* Ends the cell whose text was appended to 'table->text'. */
static void
finish_cell(struct mlog_table *table)
{
    size_t start = table->n_cells ? table->ends[table->n_cells - 1] : 0;
    size_t length = table->text.length - start;
    struct mlog_table_column *column;

    column = &table->columns[table->n_cells % table->n_columns];
    if (length) {
        column->empty = false;
        table->key_bytes += strlen(column->key) + 1;
        if (table->format == MLOG_FORMAT_TABLE) {
            size_t width = display_width(table->text.string + start, length);
            column->width = MAX(column->width, width);
        }
    }

    if (table->n_cells >= table->allocated_cells) {
        table->ends = x2nrealloc(table->ends, &table->allocated_cells,
                                 sizeof *table->ends);
    }
    ovs_assert(table->text.length <= UINT32_MAX);
    table->ends[table->n_cells++] = table->text.length;
}

void
mlog_table_put_absent(struct mlog_table *table)
{
    finish_cell(table);
}

void
mlog_table_put_u64(struct mlog_table *table, uint64_t number)
{
    ds_put_format(&table->text, "%"PRIu64, number);
    finish_cell(table);
}

void
mlog_table_put_real(struct mlog_table *table, double real)
{
    if (isfinite(real)) {
        ds_put_format(&table->text, "%.*g", DBL_DIG, real);
    }
    finish_cell(table);
}

void
mlog_table_put_bool(struct mlog_table *table, bool b)
{
    ds_put_cstr(&table->text, b ? "true" : "false");
    finish_cell(table);
}

void
mlog_table_put_string(struct mlog_table *table, const char *s)
{
    if (s) {
        put_text(&table->text, table->format, s);
    }
    finish_cell(table);
}

void
mlog_table_put_time(struct mlog_table *table, uint64_t ns)
{
    if (ns) {
        bool json = table->format == MLOG_FORMAT_JSON;

        ds_put_cstr(&table->text, json ? "\"" : "");
        mlog_time_format(ns, &table->text);
        ds_put_cstr(&table->text, json ? "\"" : "");
    }
    finish_cell(table);
}

void
mlog_table_put_json(struct mlog_table *table, const struct json *json)
{
    if (table->format == MLOG_FORMAT_JSON) {
        json_to_ds(json, JSSF_SORT, &table->text);
    } else if (json->type == JSON_STRING) {
        put_text(&table->text, table->format, json_string(json));
    } else if (json->type != JSON_NULL) {
        char *s = json_to_string(json, JSSF_SORT);
        put_text(&table->text, table->format, s);
        free(s);
    }
    finish_cell(table);
}

void
mlog_table_put_field(struct mlog_table *table, const struct mlog_field *field,
                     const struct mlog_value *value)
{
    if (table->format != MLOG_FORMAT_TABLE) {
        struct json *json = mlog_field_to_json(field, value);

        mlog_table_put_json(table, json);
        json_destroy(json);
    } else {
        struct ds ds = DS_EMPTY_INITIALIZER;
        mlog_field_format(field, value, &ds);
        mlog_table_put_string(table, ds_cstr(&ds));
        ds_destroy(&ds);
    }
}

size_t
mlog_table_n_rows(const struct mlog_table *table)
{
    return table->n_columns ? table->n_cells / table->n_columns : 0;
}

size_t
mlog_table_size(const struct mlog_table *table)
{
    size_t n_rows = mlog_table_n_rows(table);
    size_t width = 0;

    switch (table->format) {
    case MLOG_FORMAT_JSON:
        return table->text.length + table->key_bytes + 2 * n_rows;
    case MLOG_FORMAT_CSV:
        return table->text.length + table->n_cells;
    case MLOG_FORMAT_TABLE:
        for (size_t i = 0; i < table->n_columns; i++) {
            width += table->columns[i].width + 2;
        }
        return n_rows * width;
    }
    OVS_NOT_REACHED();
}

bool
mlog_table_is_full(const struct mlog_table *table, size_t max)
{
    return (mlog_table_size(table) > max
            || table->n_cells * sizeof *table->ends > max);
}

void
mlog_table_hide_empty(struct mlog_table *table)
{
    table->hide_empty = true;
}

static bool
is_hidden(const struct mlog_table *table, size_t column)
{
    return (table->hide_empty && table->columns[column].empty
            && table->format == MLOG_FORMAT_TABLE);
}

static void
get_cell(const struct mlog_table *table, size_t row, size_t column,
         const char **text, size_t *length)
{
    size_t i = row * table->n_columns + column;
    size_t start = i ? table->ends[i - 1] : 0;

    *text = table->text.string + start;
    *length = table->ends[i] - start;
}

static void
render_json_row(const struct mlog_table *table, size_t row, struct ds *out)
{
    const char *separator = "";

    ds_put_char(out, '{');
    for (size_t i = 0; i < table->n_columns; i++) {
        const char *text;
        size_t length;

        get_cell(table, row, i, &text, &length);
        if (length) {
            ds_put_cstr(out, separator);
            ds_put_cstr(out, table->columns[i].key);
            ds_put_buffer(out, text, length);
            separator = ",";
        }
    }
    ds_put_char(out, '}');
}

static void
render_csv_row(const struct mlog_table *table, size_t row, struct ds *out)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const char *text;
        size_t length;

        get_cell(table, row, i, &text, &length);
        if (i) {
            ds_put_char(out, ',');
        }
        if (length) {
            ds_put_buffer(out, text, length);
        }
    }
    ds_put_char(out, '\n');
}

/* Appends 'text', aligned in 'column', after the '*pending' spaces that the
 * previous cell left, which are not written at the end of a line. */
static void
put_aligned(const struct mlog_table_column *column, const char *text,
            size_t length, size_t *pending, struct ds *out)
{
    size_t padding = column->width - display_width(text, length);

    ds_put_char_multiple(out, ' ', *pending + (column->right ? padding : 0));
    ds_put_buffer(out, text, length);
    *pending = 2 + (column->right ? 0 : padding);
}

static void
render_plain_row(const struct mlog_table *table, size_t row, struct ds *out)
{
    size_t pending = 0;

    for (size_t i = 0; i < table->n_columns; i++) {
        const char *text;
        size_t length;

        if (!is_hidden(table, i)) {
            get_cell(table, row, i, &text, &length);
            put_aligned(&table->columns[i], length ? text : "-",
                        length ? length : 1, &pending, out);
        }
    }
    ds_put_char(out, '\n');
}

static void
render_plain_heading(const struct mlog_table *table, struct ds *out)
{
    size_t pending = 0;

    for (size_t i = 0; i < table->n_columns; i++) {
        if (!is_hidden(table, i)) {
            put_aligned(&table->columns[i], table->columns[i].key,
                        strlen(table->columns[i].key), &pending, out);
        }
    }
    ds_put_char(out, '\n');
    pending = 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        if (!is_hidden(table, i)) {
            ds_put_char_multiple(out, ' ', pending);
            ds_put_char_multiple(out, '-', table->columns[i].width);
            pending = 2;
        }
    }
    ds_put_char(out, '\n');
}

static void
render_heading(const struct mlog_table *table, struct ds *out)
{
    switch (table->format) {
    case MLOG_FORMAT_JSON:
        ds_put_char(out, '[');
        break;
    case MLOG_FORMAT_CSV:
        for (size_t i = 0; i < table->n_columns; i++) {
            ds_put_format(out, "%s%s", i ? "," : "", table->columns[i].key);
        }
        ds_put_char(out, '\n');
        break;
    case MLOG_FORMAT_TABLE:
        render_plain_heading(table, out);
        break;
    }
}

void
mlog_table_render(const struct mlog_table *table, bool reverse,
                  struct ds *out)
{
    size_t n = mlog_table_n_rows(table);

    ds_reserve(out, out->length + mlog_table_size(table));
    render_heading(table, out);
    for (size_t i = 0; i < n; i++) {
        size_t row = reverse ? n - 1 - i : i;

        switch (table->format) {
        case MLOG_FORMAT_JSON:
            ds_put_cstr(out, i ? "," : "");
            render_json_row(table, row, out);
            break;
        case MLOG_FORMAT_CSV:
            render_csv_row(table, row, out);
            break;
        case MLOG_FORMAT_TABLE:
            render_plain_row(table, row, out);
            break;
        }
    }
    if (table->format == MLOG_FORMAT_JSON) {
        ds_put_char(out, ']');
    }
}

/* Documents. */

void
mlog_document_init(struct mlog_document *doc, enum mlog_format format)
{
    memset(doc, 0, sizeof *doc);
    doc->format = format;
    ds_init(&doc->members);
    ds_init(&doc->text);
    ds_init(&doc->summary);
    ds_init(&doc->notes);
}

void
mlog_document_destroy(struct mlog_document *doc)
{
    mlog_table_destroy(doc->table);
    ds_destroy(&doc->members);
    ds_destroy(&doc->text);
    ds_destroy(&doc->summary);
    ds_destroy(&doc->notes);
}

struct mlog_table *
mlog_document_table(struct mlog_document *doc, const char *name)
{
    ovs_assert(!doc->table);
    doc->table = mlog_table_create(doc->format);
    doc->table_name = name;
    return doc->table;
}

static struct ds *
start_member(struct mlog_document *doc, const char *name)
{
    ds_put_cstr(&doc->members, doc->members.length ? "," : "");
    mlog_json_put_string(&doc->members, name);
    ds_put_char(&doc->members, ':');
    return &doc->members;
}

void
mlog_document_put_u64(struct mlog_document *doc, const char *name,
                      uint64_t number)
{
    ds_put_format(start_member(doc, name), "%"PRIu64, number);
}

void
mlog_document_put_bool(struct mlog_document *doc, const char *name, bool b)
{
    ds_put_cstr(start_member(doc, name), b ? "true" : "false");
}

void
mlog_document_put_string(struct mlog_document *doc, const char *name,
                         const char *s)
{
    mlog_json_put_string(start_member(doc, name), s);
}

void
mlog_document_put_time(struct mlog_document *doc, const char *name,
                       uint64_t ns)
{
    struct ds *ds = start_member(doc, name);

    ds_put_char(ds, '"');
    mlog_time_format(ns, ds);
    ds_put_char(ds, '"');
}

void
mlog_document_put_json(struct mlog_document *doc, const char *name,
                       struct json *json)
{
    json_to_ds(json, JSSF_SORT, start_member(doc, name));
    json_destroy(json);
}

void
mlog_document_summary(struct mlog_document *doc, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ds_put_format_valist(&doc->summary, format, args);
    va_end(args);
    ds_put_char(&doc->summary, '\n');
}

void
mlog_document_note(struct mlog_document *doc, const char *format, ...)
{
    va_list args;

    ds_put_cstr(&doc->notes, doc->format == MLOG_FORMAT_CSV ? "# " : "note: ");
    va_start(args, format);
    ds_put_format_valist(&doc->notes, format, args);
    va_end(args);
    ds_put_char(&doc->notes, '\n');
}

static void
render_json(const struct mlog_document *doc, struct ds *out)
{
    ds_put_char(out, '{');
    if (doc->table) {
        mlog_json_put_string(out, doc->table_name);
        ds_put_char(out, ':');
        mlog_table_render(doc->table, doc->reverse, out);
        ds_put_cstr(out, doc->members.length ? "," : "");
    }
    ds_put_buffer(out, doc->members.string, doc->members.length);
    ds_put_cstr(out, "}\n");
}

static void
render_plain(const struct mlog_document *doc, struct ds *out)
{
    if (doc->text.length) {
        ds_put_buffer(out, doc->text.string, doc->text.length);
    } else if (doc->table && mlog_table_n_rows(doc->table)) {
        mlog_table_render(doc->table, doc->reverse, out);
    }
    ds_put_buffer(out, doc->summary.string, doc->summary.length);
    ds_put_buffer(out, doc->notes.string, doc->notes.length);
}

void
mlog_document_render(const struct mlog_document *doc, struct ds *out)
{
    switch (doc->format) {
    case MLOG_FORMAT_JSON:
        render_json(doc, out);
        break;
    case MLOG_FORMAT_CSV:
        if (doc->table) {
            mlog_table_render(doc->table, doc->reverse, out);
        }
        ds_put_buffer(out, doc->notes.string, doc->notes.length);
        break;
    case MLOG_FORMAT_TABLE:
        render_plain(doc, out);
        break;
    }
}
