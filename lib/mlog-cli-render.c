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
#include "mlog-cli-render.h"

#include "mlog-cli-private.h"
#include "mlog-cli-table.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"

bool
mlog_cli_format_from_string(const char *name, enum mlog_cli_format *format)
{
    static const char *const names[] = {
        [MLOG_CLI_TABLE] = "table",
        [MLOG_CLI_JSON] = "json",
        [MLOG_CLI_JSONL] = "jsonl",
        [MLOG_CLI_CSV] = "csv",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(name, names[i])) {
            *format = i;
            return true;
        }
    }
    return false;
}

/* JSON lines. */

static void
put_json(const struct json *value, struct ds *s)
{
    char *text = json_to_string(value, JSSF_SORT);

    mlog_cli_put_clean_json(s, text);
    free(text);
}

static void
put_json_string(const char *text, struct ds *s)
{
    struct json *string = json_string_create(text);

    put_json(string, s);
    json_destroy(string);
}

void
mlog_cli_put_row_json(const struct json *row, const struct svec *columns,
                      struct ds *s)
{
    const char *separator = "{";

    for (size_t i = 0; i < columns->n; i++) {
        const struct json *value = mlog_json_get(row, columns->names[i]);

        if (value) {
            ds_put_cstr(s, separator);
            put_json_string(columns->names[i], s);
            ds_put_char(s, ':');
            put_json(value, s);
            separator = ",";
        }
    }
    ds_put_cstr(s, *separator == '{' ? "{}\n" : "}\n");
}

/* CSV. */

static void
put_csv(const char *text, struct ds *s)
{
    if (*text && !strpbrk(text, ",\"\n\r") && *text != '#') {
        ds_put_cstr(s, text);
        return;
    }
    ds_put_char(s, '"');
    for (; *text; text++) {
        if (*text == '"') {
            ds_put_char(s, '"');
        }
        ds_put_char(s, *text);
    }
    ds_put_char(s, '"');
}

void
mlog_cli_put_names_csv(const struct svec *columns, struct ds *s)
{
    for (size_t i = 0; i < columns->n; i++) {
        ds_put_cstr(s, i ? "," : "");
        put_csv(columns->names[i], s);
    }
    ds_put_char(s, '\n');
}

void
mlog_cli_put_row_csv(const struct json *row, const struct svec *columns,
                     struct ds *s)
{
    for (size_t i = 0; i < columns->n; i++) {
        const struct json *value = mlog_json_get(row, columns->names[i]);

        ds_put_cstr(s, i ? "," : "");
        if (!value || value->type == JSON_NULL) {
            continue;
        } else if (value->type == JSON_STRING) {
            put_csv(value->string, s);
        } else {
            char *text = json_to_string(value, JSSF_SORT);

            put_csv(text, s);
            free(text);
        }
    }
    ds_put_char(s, '\n');
}

/* Objects, as names and values. */

/* Returns the members of 'object' in order: that of 'order', or the
 * alphabet's. */
static void
get_names(const struct json *object, const struct svec *order,
          struct svec *names)
{
    if (order) {
        svec_clone(names, order);
    } else {
        const struct shash_node **nodes = shash_sort(object->object);

        svec_init(names);
        for (size_t i = 0; i < shash_count(object->object); i++) {
            svec_add(names, nodes[i]->name);
        }
        free(nodes);
    }
}

static void
put_pair(const char *name, size_t width, const struct json *value,
         size_t indent, const struct mlog_cli_style *style, struct ds *s)
{
    struct ds clean = DS_EMPTY_INITIALIZER;

    mlog_cli_put_clean(&clean, name);
    ds_put_char_multiple(s, ' ', indent);
    mlog_cli_put_color(s, style, MLOG_CLI_BOLD);
    ds_put_cstr(s, ds_cstr(&clean));
    mlog_cli_put_color(s, style, MLOG_CLI_PLAIN);
    if (value) {
        size_t columns = mlog_cli_columns(ds_cstr(&clean));

        ds_put_char_multiple(s, ' ', MAX(width, columns) - columns + 2);
        mlog_cli_put_value(name, value, style, s);
    }
    ds_put_char(s, '\n');
    ds_destroy(&clean);
}

static void
put_lines(const char *text, size_t indent, struct ds *s)
{
    char *copy = xstrdup(text);
    char *rest = copy;
    char *line;

    while ((line = strsep(&rest, "\n"))) {
        if (*line || rest) {
            ds_put_char_multiple(s, ' ', indent);
            mlog_cli_put_clean(s, line);
            ds_put_char(s, '\n');
        }
    }
    free(copy);
}

static void
put_object(const struct json *object, const struct svec *order,
           const struct mlog_cli_style *style, size_t indent, struct ds *s)
{
    struct svec names;
    size_t width = 0;

    get_names(object, order, &names);
    for (size_t i = 0; i < names.n; i++) {
        width = MAX(width, MIN(24, mlog_cli_columns(names.names[i])));
    }
    for (size_t i = 0; i < names.n; i++) {
        const struct json *value = mlog_json_get(object, names.names[i]);

        if (!value) {
            continue;
        } else if (value->type == JSON_OBJECT) {
            put_pair(names.names[i], width, NULL, indent, style, s);
            put_object(value, NULL, style, indent + 2, s);
        } else if (value->type == JSON_STRING
                   && strchr(value->string, '\n')) {
            put_pair(names.names[i], width, NULL, indent, style, s);
            put_lines(value->string, indent + 2, s);
        } else {
            put_pair(names.names[i], width, value, indent, style, s);
        }
    }
    svec_destroy(&names);
}

void
mlog_cli_put_object(const struct json *object, const struct svec *order,
                    const struct mlog_cli_style *style, struct ds *s)
{
    put_object(object, order, style, 0, s);
}

/* Answers for people. */

static void
put_table(const struct mlog_cli_answer *answer,
          const struct mlog_cli_style *style, bool condense, struct ds *s)
{
    struct mlog_cli_view *view = mlog_cli_view_create(&answer->columns,
                                                      style, condense);
    struct mlog_cli_table *table = mlog_cli_table_create(style);

    mlog_cli_view_add_columns(view, table);
    for (size_t i = 0; i < mlog_cli_answer_n_rows(answer); i++) {
        mlog_cli_view_add_row(view, mlog_cli_answer_row(answer, i), table);
    }
    if (mlog_cli_table_n_rows(table)) {
        mlog_cli_table_flush(table, s);
    }
    mlog_cli_table_destroy(table);
    mlog_cli_view_destroy(view);
}

/* What has its own sentence in the notes, or is of no interest to people. */
static bool
is_noted(const char *name)
{
    static const char *const names[] = {
        "gaps", "expired", "outage", "partial", "stale", "truncated",
        "segments_expired", "segments_unreadable", "next_seq", "next",
        "undecided",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool
is_simple(const struct json *value)
{
    return (value->type != JSON_OBJECT && value->type != JSON_ARRAY
            && !(value->type == JSON_STRING && strchr(value->string, '\n')));
}

/* "count 5, bytes 300 B, cut 2026-01-31T13:00:00.000000+01:00": members that
 * are one word each, in one line. */
static void
put_line(const struct json *object, const struct svec *order,
         const struct mlog_cli_style *style, struct ds *s)
{
    const char *separator = "";
    struct svec names;

    get_names(object, order, &names);
    for (size_t i = 0; i < names.n; i++) {
        const struct json *value = mlog_json_get(object, names.names[i]);

        if (is_simple(value) && !is_noted(names.names[i])
            && value->type != JSON_FALSE) {
            ds_put_cstr(s, separator);
            mlog_cli_put_clean(s, names.names[i]);
            ds_put_char(s, ' ');
            mlog_cli_put_value(names.names[i], value, style, s);
            separator = ", ";
        }
    }
    svec_destroy(&names);
}

/* The members besides the table. */
static void
put_summary(const struct mlog_cli_answer *answer,
            const struct mlog_cli_style *style, struct ds *s)
{
    size_t before;

    mlog_cli_put_color(s, style, MLOG_CLI_DIM);
    before = s->length;
    put_line(answer->root, &answer->members, style, s);
    if (s->length > before) {
        mlog_cli_put_color(s, style, MLOG_CLI_PLAIN);
        ds_put_char(s, '\n');
    } else {
        mlog_cli_put_color(s, style, MLOG_CLI_PLAIN);
    }
}

static bool
is_flat(const struct json *value)
{
    const struct shash_node *node;

    if (value->type != JSON_OBJECT) {
        return false;
    }
    SHASH_FOR_EACH (node, value->object) {
        if (!is_simple(node->data)) {
            return false;
        }
    }
    return true;
}

static void
put_other_members(const struct mlog_cli_answer *answer,
                  const struct mlog_cli_style *style, struct ds *s)
{
    for (size_t i = 0; i < answer->members.n; i++) {
        const char *name = answer->members.names[i];
        const struct json *value = mlog_json_get(answer->root, name);

        if (is_flat(value)) {
            mlog_cli_put_clean(s, name);
            ds_put_cstr(s, ": ");
            put_line(value, NULL, style, s);
            ds_put_char(s, '\n');
        } else if (!is_simple(value)
                   && (!answer->table || strcmp(name, answer->table))) {
            struct json *object = json_object_create();

            json_object_put(object, name, json_clone(value));
            mlog_cli_put_object(object, NULL, style, s);
            json_destroy(object);
        }
    }
}

static void
put_notes(const struct mlog_cli_answer *answer,
          const struct mlog_cli_style *style, struct ds *s)
{
    struct svec notes = SVEC_EMPTY_INITIALIZER;

    mlog_cli_answer_notes(answer, &notes);
    for (size_t i = 0; i < notes.n; i++) {
        mlog_cli_put_color(s, style, MLOG_CLI_YELLOW);
        ds_put_format(s, "note: %s", notes.names[i]);
        mlog_cli_put_color(s, style, MLOG_CLI_PLAIN);
        ds_put_char(s, '\n');
    }
    svec_destroy(&notes);
}

/* Members without a table, but for those that the notes tell of. */
static void
put_members(const struct mlog_cli_answer *answer,
            const struct mlog_cli_style *style, struct ds *s)
{
    struct svec order = SVEC_EMPTY_INITIALIZER;

    for (size_t i = 0; i < answer->members.n; i++) {
        if (!is_noted(answer->members.names[i])) {
            svec_add(&order, answer->members.names[i]);
        }
    }
    mlog_cli_put_object(answer->root, &order, style, s);
    svec_destroy(&order);
}

static void
put_for_people(const struct mlog_cli_answer *answer,
               const struct mlog_cli_style *style, bool condense,
               struct ds *s)
{
    const char *help = mlog_json_string(answer->root, "help");

    if (help && answer->members.n == 1) {
        put_lines(help, 0, s);
    } else if (!answer->table) {
        put_members(answer, style, s);
    } else {
        put_table(answer, style, condense, s);
        put_other_members(answer, style, s);
        put_summary(answer, style, s);
    }
    put_notes(answer, style, s);
}

void
mlog_cli_render(const struct mlog_cli_answer *answer,
                enum mlog_cli_format format,
                const struct mlog_cli_style *style, bool condense,
                struct ds *s)
{
    size_t n = mlog_cli_answer_n_rows(answer);

    if (format == MLOG_CLI_TABLE) {
        put_for_people(answer, style, condense, s);
    } else if (format == MLOG_CLI_JSON) {
        mlog_cli_put_clean_json(s, answer->text);
        ds_chomp(s, '\n');
        ds_put_char(s, '\n');
    } else if (format == MLOG_CLI_JSONL) {
        if (!answer->table) {
            mlog_cli_put_row_json(answer->root, &answer->members, s);
        }
        for (size_t i = 0; i < n; i++) {
            mlog_cli_put_row_json(mlog_cli_answer_row(answer, i),
                                  &answer->columns, s);
        }
    } else if (answer->table) {
        mlog_cli_put_names_csv(&answer->columns, s);
        for (size_t i = 0; i < n; i++) {
            mlog_cli_put_row_csv(mlog_cli_answer_row(answer, i),
                                 &answer->columns, s);
        }
    } else {
        mlog_cli_put_names_csv(&answer->members, s);
        mlog_cli_put_row_csv(answer->root, &answer->members, s);
    }
}
