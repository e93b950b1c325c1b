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
#include "mlog-cli-table.h"

#include "util.h"

#define GAP 2                   /* Spaces between columns. */
#define MIN_COLUMN 6            /* What clipping leaves. */

enum cell_kind { CELL_ABSENT, CELL_TEXT, CELL_NUMBER, CELL_TIME };

struct cell {
    enum cell_kind kind;
    enum mlog_cli_color color;
    char *text;                 /* Owned; of a time, the whole. */
    uint64_t time;
};

struct column {
    char *name;
    bool keep;
    bool seen;                  /* Any cell has been there. */
    bool any_text;              /* Aligned left. */
    bool is_time;
    size_t width;               /* Of what has been written. */
    size_t shown;               /* Where it is clipped now. */
};

struct mlog_cli_table {
    struct mlog_cli_style style;
    struct column *columns;
    size_t n_columns, allocated_columns;
    struct cell *cells;         /* By row, 'n_columns' each. */
    size_t n_rows, allocated_rows;
    bool brief;                 /* Times without date. */
    size_t n_heading;           /* Columns of the latest heading. */
    bool any_heading;
};

struct mlog_cli_table *
mlog_cli_table_create(const struct mlog_cli_style *style)
{
    struct mlog_cli_table *t = xzalloc(sizeof *t);

    t->style = *style;
    return t;
}

static void
clear_rows(struct mlog_cli_table *t)
{
    for (size_t i = 0; i < t->n_rows * t->n_columns; i++) {
        free(t->cells[i].text);
    }
    t->n_rows = 0;
}

void
mlog_cli_table_destroy(struct mlog_cli_table *t)
{
    if (t) {
        clear_rows(t);
        for (size_t i = 0; i < t->n_columns; i++) {
            free(t->columns[i].name);
        }
        free(t->columns);
        free(t->cells);
        free(t);
    }
}

size_t
mlog_cli_table_add_column(struct mlog_cli_table *t, const char *name)
{
    struct ds clean = DS_EMPTY_INITIALIZER;

    ovs_assert(!t->n_rows);
    if (t->n_columns >= t->allocated_columns) {
        t->columns = x2nrealloc(t->columns, &t->allocated_columns,
                                sizeof *t->columns);
    }
    mlog_cli_put_clean(&clean, name);
    t->columns[t->n_columns] = (struct column) {
        .name = ds_steal_cstr(&clean),
    };
    return t->n_columns++;
}

size_t
mlog_cli_table_n_columns(const struct mlog_cli_table *t)
{
    return t->n_columns;
}

void
mlog_cli_table_keep(struct mlog_cli_table *t, size_t column)
{
    t->columns[column].keep = true;
}

void
mlog_cli_table_add_row(struct mlog_cli_table *t)
{
    if (t->n_rows >= t->allocated_rows) {
        t->allocated_rows = MAX(16, t->allocated_rows * 2);
        t->cells = xrealloc(t->cells, (t->allocated_rows * t->n_columns
                                       * sizeof *t->cells));
    }
    memset(&t->cells[t->n_rows * t->n_columns], 0,
           t->n_columns * sizeof *t->cells);
    t->n_rows++;
}

static struct cell *
set_cell(struct mlog_cli_table *t, size_t column, enum cell_kind kind)
{
    struct cell *cell = &t->cells[(t->n_rows - 1) * t->n_columns + column];

    free(cell->text);
    *cell = (struct cell) { .kind = kind };
    t->columns[column].seen = true;
    t->columns[column].any_text |= kind != CELL_NUMBER;
    t->columns[column].is_time |= kind == CELL_TIME;
    return cell;
}

void
mlog_cli_table_set_text(struct mlog_cli_table *t, size_t column,
                        const char *text, enum mlog_cli_color color)
{
    struct cell *cell = set_cell(t, column, CELL_TEXT);
    struct ds clean = DS_EMPTY_INITIALIZER;

    mlog_cli_put_clean(&clean, text);
    cell->text = ds_steal_cstr(&clean);
    cell->color = color;
}

void
mlog_cli_table_set_number(struct mlog_cli_table *t, size_t column,
                          const char *text)
{
    set_cell(t, column, CELL_NUMBER)->text = xstrdup(text);
}

void
mlog_cli_table_set_time(struct mlog_cli_table *t, size_t column, uint64_t ns)
{
    struct cell *cell = set_cell(t, column, CELL_TIME);
    struct ds text = DS_EMPTY_INITIALIZER;

    mlog_cli_put_time(&text, &t->style, ns, false);
    cell->text = ds_steal_cstr(&text);
    cell->time = ns;
}

size_t
mlog_cli_table_n_rows(const struct mlog_cli_table *t)
{
    return t->n_rows;
}

/* Layout. */

static bool
is_shown(const struct column *column)
{
    return column->seen || column->keep;
}

static void
make_times_brief(struct mlog_cli_table *t)
{
    for (size_t i = 0; i < t->n_rows * t->n_columns; i++) {
        struct cell *cell = &t->cells[i];

        if (cell->kind == CELL_TIME) {
            struct ds text = DS_EMPTY_INITIALIZER;

            mlog_cli_put_time(&text, &t->style, cell->time, true);
            free(cell->text);
            cell->text = ds_steal_cstr(&text);
        }
    }
}

/* Widens columns to what the rows need. */
static void
measure(struct mlog_cli_table *t)
{
    for (size_t c = 0; c < t->n_columns; c++) {
        struct column *column = &t->columns[c];

        column->width = MAX(column->width, mlog_cli_columns(column->name));
        for (size_t r = 0; r < t->n_rows; r++) {
            const struct cell *cell = &t->cells[r * t->n_columns + c];

            if (cell->text) {
                column->width = MAX(column->width,
                                    mlog_cli_columns(cell->text));
            }
        }
        column->shown = column->width;
    }
}

static size_t
total_width(const struct mlog_cli_table *t)
{
    size_t total = 0;

    for (size_t c = 0; c < t->n_columns; c++) {
        if (is_shown(&t->columns[c])) {
            total += t->columns[c].shown + (total ? GAP : 0);
        }
    }
    return total;
}

/* Takes one column after the other from the widest text. */
static void
clip(struct mlog_cli_table *t)
{
    for (size_t total = total_width(t); total > t->style.width; total--) {
        struct column *widest = NULL;

        for (size_t c = 0; c < t->n_columns; c++) {
            struct column *column = &t->columns[c];

            if (is_shown(column) && column->any_text && !column->is_time
                && !column->keep && column->shown > MIN_COLUMN
                && (!widest || column->shown > widest->shown)) {
                widest = column;
            }
        }
        if (!widest) {
            return;
        }
        widest->shown--;
    }
}

static void
lay_out(struct mlog_cli_table *t)
{
    if (t->brief) {
        make_times_brief(t);
    }
    measure(t);
    if (t->style.width && !t->brief && total_width(t) > t->style.width) {
        bool any_time = false;

        for (size_t c = 0; c < t->n_columns; c++) {
            if (t->columns[c].is_time) {
                t->columns[c].width = 0;
                any_time = true;
            }
        }
        if (any_time) {
            t->brief = true;
            make_times_brief(t);
            measure(t);
        }
    }
    if (t->style.width) {
        clip(t);
    }
}

/* Writing. */

static void
put_cell(const struct mlog_cli_table *t, const struct column *column,
         const char *text, enum mlog_cli_color color, bool last,
         struct ds *s)
{
    size_t width = MIN(mlog_cli_columns(text), column->shown);
    size_t padding = column->shown - width;

    if (!column->any_text && column->seen) {
        ds_put_char_multiple(s, ' ', padding);
        padding = 0;
    }
    if (color) {
        mlog_cli_put_color(s, &t->style, color);
    }
    mlog_cli_put_clipped(s, text, column->shown);
    if (color) {
        mlog_cli_put_color(s, &t->style, MLOG_CLI_PLAIN);
    }
    if (!last) {
        ds_put_char_multiple(s, ' ', padding + GAP);
    }
}

/* Returns the number of the last column that is shown, plus 1. */
static size_t
find_end(const struct mlog_cli_table *t)
{
    size_t end = t->n_columns;

    while (end && !is_shown(&t->columns[end - 1])) {
        end--;
    }
    return end;
}

static void
put_heading(struct mlog_cli_table *t, struct ds *s)
{
    size_t end = find_end(t);

    for (size_t c = 0; c < end; c++) {
        if (is_shown(&t->columns[c])) {
            put_cell(t, &t->columns[c], t->columns[c].name, MLOG_CLI_BOLD,
                     c + 1 == end, s);
        }
    }
    ds_put_char(s, '\n');
}

static void
put_row(const struct mlog_cli_table *t, const struct cell *cells,
        struct ds *s)
{
    size_t end = find_end(t);

    for (size_t c = 0; c < end; c++) {
        if (is_shown(&t->columns[c])) {
            put_cell(t, &t->columns[c], cells[c].text ? cells[c].text : "-",
                     cells[c].text ? cells[c].color : MLOG_CLI_DIM,
                     c + 1 == end, s);
        }
    }
    ds_put_char(s, '\n');
}

void
mlog_cli_table_flush(struct mlog_cli_table *t, struct ds *s)
{
    size_t n_shown = 0;

    lay_out(t);
    for (size_t c = 0; c < t->n_columns; c++) {
        n_shown += is_shown(&t->columns[c]);
    }
    if (n_shown && (!t->any_heading || n_shown != t->n_heading)) {
        put_heading(t, s);
        t->any_heading = true;
        t->n_heading = n_shown;
    }
    for (size_t r = 0; r < t->n_rows; r++) {
        put_row(t, &t->cells[r * t->n_columns], s);
    }
    clear_rows(t);
}
