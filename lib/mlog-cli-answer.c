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
#include "mlog-cli-answer.h"

#include <inttypes.h>

#include "mlog-cli-text.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

#define MAX_DEPTH 1000          /* More than OVS's parser takes. */

/* The order of members.
 *
 * The text has been parsed already, so it is known to be well formed. */

struct order {
    struct mlog_cli_answer *answer;
    char stack[MAX_DEPTH];      /* '{' and '[' that are open. */
    size_t depth;
    bool in_table;
    size_t column;              /* Where the row's next column would be. */
};

static bool
is_table(const struct json *value)
{
    if (!value || value->type != JSON_ARRAY) {
        return false;
    }
    for (size_t i = 0; i < value->array.n; i++) {
        if (value->array.elems[i]->type != JSON_OBJECT) {
            return false;
        }
    }
    return true;
}

static void
add_member(struct order *o, const char *name)
{
    struct mlog_cli_answer *answer = o->answer;

    svec_add(&answer->members, name);
    o->in_table = false;
    if (!answer->rows && is_table(mlog_json_get(answer->root, name))) {
        struct shash_node *node = shash_find(json_object(answer->root), name);

        answer->table = node->name;
        answer->rows = node->data;
        o->in_table = true;
    }
}

/* A row's member follows the one before it, so a column that is new comes
 * after that. */
static void
add_cell(struct order *o, const char *name)
{
    struct svec *columns = &o->answer->columns;

    if (o->column < columns->n && !strcmp(columns->names[o->column], name)) {
        o->column++;
        return;
    }
    for (size_t i = 0; i < columns->n; i++) {
        if (!strcmp(columns->names[i], name)) {
            o->column = i + 1;
            return;
        }
    }
    svec_add(columns, name);
    for (size_t i = columns->n - 1; i > o->column; i--) {
        char *swap = columns->names[i];

        columns->names[i] = columns->names[i - 1];
        columns->names[i - 1] = swap;
    }
    o->column++;
}

/* Most rows have the columns in the order known, some of them absent, and most
 * names have no escapes.  Returns true if so. */
static bool
skip_to_cell(struct order *o, const char *start, size_t n)
{
    const struct svec *columns = &o->answer->columns;

    for (size_t i = o->column; i < columns->n; i++) {
        if (!strncmp(columns->names[i], start, n) && !columns->names[i][n]) {
            o->column = i + 1;
            return true;
        }
    }
    return false;
}

static void
see_string(struct order *o, const char *start, const char *end)
{
    const char *next = end + 1 + strspn(end + 1, " \t\r\n");
    char *name;

    if (*next != ':' || o->stack[o->depth - 1] != '{'
        || (o->depth != 1 && !(o->depth == 3 && o->in_table))
        || (o->depth == 3 && skip_to_cell(o, start, end - start))
        || !json_string_unescape(start, end - start, &name)) {
        return;
    }
    if (o->depth == 1) {
        add_member(o, name);
    } else {
        add_cell(o, name);
    }
    free(name);
}

static void
find_order(struct mlog_cli_answer *answer)
{
    struct order *o = xzalloc(sizeof *o);

    o->answer = answer;
    for (const char *p = answer->text; *p; p++) {
        if (*p == '"') {
            const char *start = ++p;

            while (*p && *p != '"') {
                p += *p == '\\' && p[1] ? 2 : 1;
            }
            if (!*p || !o->depth) {
                break;
            }
            see_string(o, start, p);
        } else if ((*p == '{' || *p == '[') && o->depth < MAX_DEPTH) {
            o->stack[o->depth++] = *p;
            o->column = 0;
        } else if ((*p == '}' || *p == ']') && o->depth) {
            o->depth--;
        }
    }
    free(o);
}

char *
mlog_cli_answer_parse(const char *text, struct mlog_cli_answer **answerp)
{
    struct json *root = json_from_string(text);
    struct mlog_cli_answer *answer;

    *answerp = NULL;
    if (root->type != JSON_OBJECT) {
        char *message = xasprintf("the switch's answer makes no sense: %s",
                                  root->type == JSON_STRING ? root->string
                                  : "not an object");

        json_destroy(root);
        return message;
    }
    answer = xzalloc(sizeof *answer);
    answer->text = xstrdup(text);
    answer->root = root;
    svec_init(&answer->members);
    svec_init(&answer->columns);
    find_order(answer);
    *answerp = answer;
    return NULL;
}

void
mlog_cli_answer_destroy(struct mlog_cli_answer *answer)
{
    if (answer) {
        svec_destroy(&answer->members);
        svec_destroy(&answer->columns);
        json_destroy(answer->root);
        free(answer->text);
        free(answer);
    }
}

size_t
mlog_cli_answer_n_rows(const struct mlog_cli_answer *answer)
{
    return answer->rows ? answer->rows->array.n : 0;
}

const struct json *
mlog_cli_answer_row(const struct mlog_cli_answer *answer, size_t i)
{
    return answer->rows->array.elems[i];
}

/* Members. */

const struct json *
mlog_json_get(const struct json *object, const char *name)
{
    return (object && object->type == JSON_OBJECT
            ? shash_find_data(object->object, name) : NULL);
}

const char *
mlog_json_string(const struct json *object, const char *name)
{
    const struct json *value = mlog_json_get(object, name);

    return value && value->type == JSON_STRING ? value->string : NULL;
}

double
mlog_json_number(const struct json *object, const char *name, double absent)
{
    const struct json *value = mlog_json_get(object, name);

    return (!value ? absent
            : value->type == JSON_INTEGER ? value->integer
            : value->type == JSON_REAL ? value->real
            : absent);
}

bool
mlog_json_true(const struct json *object, const char *name)
{
    const struct json *value = mlog_json_get(object, name);

    return value && value->type == JSON_TRUE;
}

uint64_t
mlog_json_time(const struct json *object, const char *name)
{
    const char *text = mlog_json_string(object, name);
    uint64_t ns;

    return text && mlog_cli_parse_time(text, &ns) ? ns : 0;
}

/* What is missing. */

bool
mlog_cli_answer_is_incomplete(const struct mlog_cli_answer *answer,
                              bool ranged)
{
    const struct json *root = answer->root;

    return (mlog_json_number(root, "gaps", 0) > 0
            || mlog_json_true(root, "outage")
            || mlog_json_true(root, "partial")
            || mlog_json_true(root, "stale")
            || (ranged && mlog_json_true(root, "expired")));
}

static void
add_note(struct svec *notes, const struct json *root, const char *member,
         const char *note)
{
    if (mlog_json_true(root, member)) {
        svec_add(notes, note);
    }
}

void
mlog_cli_answer_notes(const struct mlog_cli_answer *answer,
                      struct svec *notes)
{
    const struct json *root = answer->root;
    double gaps = mlog_json_number(root, "gaps", 0);
    double segments = mlog_json_number(root, "segments_expired", 0);
    double unreadable = mlog_json_number(root, "segments_unreadable", 0);

    if (gaps > 0) {
        svec_add_nocopy(notes, xasprintf(
            "up to %.0f records of this time were lost; see \"ovs-multilog "
            "doctor\"", gaps));
    }
    add_note(notes, root, "expired", "records of this time have expired, to "
             "stay within the memory budget");
    add_note(notes, root, "outage", "nothing was recorded for a part of this "
             "time, as the switch was not running");
    add_note(notes, root, "stale", "a datapath thread did not answer for a "
             "second; its latest records are missing");
    if (segments > 0) {
        svec_add_nocopy(notes, xasprintf(
            "%.0f segments expired while the query ran; ask again, for less",
            segments));
    }
    if (unreadable > 0) {
        svec_add_nocopy(notes, xasprintf(
            "%.0f archived segments could not be read; see \"ovs-multilog "
            "archive verify\"", unreadable));
    }
    if (mlog_json_number(root, "undecided", 0) > 0) {
        svec_add_nocopy(notes, xasprintf(
            "of %.0f records, the filter depends on what is not recorded",
            mlog_json_number(root, "undecided", 0)));
    }
    if (mlog_json_true(root, "partial") && segments <= 0 && unreadable <= 0) {
        svec_add(notes, "a part of this answer is missing");
    }
    add_note(notes, root, "truncated", "there is more than is shown; see "
             "--limit and --top");
}
