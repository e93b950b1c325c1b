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
#include "mlog-expr.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* Bytes of text shown before and after the column. */
#define CONTEXT 36

void
mlog_error_set(struct mlog_error *error, int column, const char *format, ...)
{
    va_list args;

    mlog_error_clear(error);
    error->column = column;
    va_start(args, format);
    error->message = xvasprintf(format, args);
    va_end(args);
}

void
mlog_error_clear(struct mlog_error *error)
{
    free(error->message);
    error->message = NULL;
    error->column = 0;
}

static bool
is_utf8_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Appends the part of 'text' around the byte 'pos', and a caret below it.
 * Whatever can't be printed safely is shown as '?'; a character of several
 * bytes counts as one. */
static void
put_context(const char *text, size_t pos, struct ds *s)
{
    size_t start = pos > CONTEXT ? pos - CONTEXT : 0;
    size_t len = strnlen(text, pos + CONTEXT);
    size_t caret = start ? 3 : 0;

    ds_put_format(s, "\n  %s", start ? "..." : "");
    for (size_t i = start; i < len; i++) {
        unsigned char c = text[i];

        if (is_utf8_continuation(c)) {
            continue;
        }
        ds_put_char(s, c == '\t' || c == '\n' || c == '\r' ? ' '
                    : c < 0x20 || c >= 0x7f ? '?'
                    : c);
        caret += i < pos;
    }
    if (len == pos + CONTEXT && text[len]) {
        ds_put_cstr(s, "...");
    }
    ds_put_cstr(s, "\n  ");
    ds_put_char_multiple(s, ' ', caret);
    ds_put_char(s, '^');
}

char *
mlog_error_to_string(const struct mlog_error *error, const char *text)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, error->message ? error->message : "no error");
    if (error->column) {
        size_t pos = error->column - 1;

        ds_put_format(&s, " (column %d)", error->column);
        if (text && strnlen(text, pos) == pos) {
            put_context(text, pos, &s);
        }
    }
    return ds_steal_cstr(&s);
}

struct json *
mlog_error_to_json(const struct mlog_error *error)
{
    struct json *json = json_object_create();

    json_object_put_string(json, "error",
                           error->message ? error->message : "no error");
    if (error->column) {
        json_object_put(json, "column", json_integer_create(error->column));
    }
    return json;
}
