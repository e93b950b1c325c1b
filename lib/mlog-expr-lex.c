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
#include "mlog-expr-private.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "unicode.h"
#include "util.h"

/* Words are both names and unquoted constants, which look alike ("ns", "a1",
 * "10.0.0.0/24", "+syn-ack", "fe80::1"), so the lexer doesn't tell them
 * apart.  A '|' is part of a word if it is between two of its characters, as
 * in "syn|ack". */

static bool
is_word_char(char c)
{
    return c && (isalnum((unsigned char) c) || strchr("_.:/+-[]@%*#~", c));
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Errors. */

static bool
lexer_error_valist(const struct mlog_lexer *lexer, size_t start,
                   const char *format, va_list args)
{
    char *message = xvasprintf(format, args);

    return mlog_lexer_error_nocopy(lexer, start, message);
}

bool
mlog_lexer_error(const struct mlog_lexer *lexer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    lexer_error_valist(lexer, lexer->start, format, args);
    va_end(args);
    return false;
}

bool
mlog_lexer_error_at(const struct mlog_lexer *lexer, size_t start,
                    const char *format, ...)
{
    va_list args;

    va_start(args, format);
    lexer_error_valist(lexer, start, format, args);
    va_end(args);
    return false;
}

bool
mlog_lexer_error_nocopy(const struct mlog_lexer *lexer, size_t start,
                        char *message)
{
    mlog_error_set(lexer->error, start + 1, "%s", message);
    free(message);
    return false;
}

void
mlog_lexer_put_token(const struct mlog_lexer *lexer, struct ds *s)
{
    if (lexer->token == MLOG_TOKEN_END) {
        ds_put_cstr(s, "the end");
    } else if (lexer->token == MLOG_TOKEN_WORD
               || lexer->token == MLOG_TOKEN_STRING) {
        mlog_put_quoted(s, lexer->s);
    } else {
        ds_put_format(s, "'%.*s'", (int) (lexer->pos - lexer->start),
                      lexer->text + lexer->start);
    }
}

/* The text as a whole. */

/* Returns the offset of the first byte of 'text' that does not start a
 * well-formed UTF-8 character, or SIZE_MAX if there is none. */
static size_t
find_bad_utf8(const char *text)
{
    size_t i = 0;

    while (text[i]) {
        unsigned char c = text[i];
        size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        char buf[5];

        ovs_strlcpy(buf, text + i, n + 1);
        char *error = utf8_validate(buf, NULL);
        if (error) {
            free(error);
            return i;
        }
        i += n;
    }
    return SIZE_MAX;
}

static bool
check_text(struct mlog_lexer *lexer)
{
    const char *text = lexer->text;
    size_t len = strnlen(text, MLOG_EXPR_MAX_TEXT + 1);
    bool ascii = true;

    if (len > MLOG_EXPR_MAX_TEXT) {
        return mlog_lexer_error_at(lexer, MLOG_EXPR_MAX_TEXT,
                                   "the expression is longer than %d bytes",
                                   MLOG_EXPR_MAX_TEXT);
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = text[i];

        if ((c < 0x20 && !is_space(c)) || c == 0x7f) {
            return mlog_lexer_error_at(lexer, i, "control character 0x%02x",
                                       c);
        }
        ascii &= c < 0x80;
    }

    size_t bad = ascii ? SIZE_MAX : find_bad_utf8(text);
    return (bad == SIZE_MAX
            || mlog_lexer_error_at(lexer, bad,
                                   "byte 0x%02x is not valid UTF-8 here",
                                   (unsigned char) text[bad]));
}

bool
mlog_lexer_init(struct mlog_lexer *lexer, const char *text,
                struct mlog_error *error)
{
    lexer->text = text;
    lexer->pos = lexer->start = 0;
    lexer->error = error;
    lexer->token = MLOG_TOKEN_END;
    lexer->s[0] = '\0';
    return check_text(lexer) && mlog_lexer_next(lexer);
}

/* Tokens. */

static void
lex_word(struct mlog_lexer *lexer)
{
    const char *text = lexer->text;
    size_t pos = lexer->pos;

    while (is_word_char(text[pos])
           || (text[pos] == '|' && pos > lexer->start
               && is_word_char(text[pos + 1]))) {
        pos++;
    }
    memcpy(lexer->s, text + lexer->start, pos - lexer->start);
    lexer->s[pos - lexer->start] = '\0';
    lexer->pos = pos;
    lexer->token = (!strcmp(lexer->s, "and") ? MLOG_TOKEN_AND
                    : !strcmp(lexer->s, "or") ? MLOG_TOKEN_OR
                    : !strcmp(lexer->s, "not") ? MLOG_TOKEN_NOT
                    : MLOG_TOKEN_WORD);
}

static bool
lex_string(struct mlog_lexer *lexer)
{
    const char *p = lexer->text + lexer->pos + 1;
    size_t n = 0;

    for (; *p != '"'; p++) {
        if (*p == '\\') {
            p++;
            if (*p && *p != '"' && *p != '\\') {
                return mlog_lexer_error_at(lexer, p - 1 - lexer->text,
                                           "unknown escape: only \\\" and "
                                           "\\\\ are known");
            }
        }
        if (!*p) {
            return mlog_lexer_error(lexer, "missing closing '\"'");
        }
        lexer->s[n++] = *p;
    }
    lexer->s[n] = '\0';
    lexer->pos = p + 1 - lexer->text;
    lexer->token = MLOG_TOKEN_STRING;
    return true;
}

struct symbol {
    const char *text;
    enum mlog_token token;
    enum mlog_op op;
};

/* A symbol that starts with another one comes before it. */
static const struct symbol symbols[] = {
    { "(", MLOG_TOKEN_LPAREN, 0 },
    { ")", MLOG_TOKEN_RPAREN, 0 },
    { "{", MLOG_TOKEN_LBRACE, 0 },
    { "}", MLOG_TOKEN_RBRACE, 0 },
    { ",", MLOG_TOKEN_COMMA, 0 },
    { "&&", MLOG_TOKEN_AND, 0 },
    { "||", MLOG_TOKEN_OR, 0 },
    { "!=", MLOG_TOKEN_OP, MLOG_OP_NE },
    { "!", MLOG_TOKEN_NOT, 0 },
    { "==", MLOG_TOKEN_OP, MLOG_OP_EQ },
    { "=", MLOG_TOKEN_OP, MLOG_OP_EQ },
    { "<=", MLOG_TOKEN_OP, MLOG_OP_LE },
    { "<", MLOG_TOKEN_OP, MLOG_OP_LT },
    { ">=", MLOG_TOKEN_OP, MLOG_OP_GE },
    { ">", MLOG_TOKEN_OP, MLOG_OP_GT },
};

static bool
lex_symbol(struct mlog_lexer *lexer)
{
    const char *p = lexer->text + lexer->pos;

    for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
        const struct symbol *symbol = &symbols[i];
        size_t n = strlen(symbol->text);

        if (!strncmp(p, symbol->text, n)) {
            lexer->pos += n;
            lexer->token = symbol->token;
            lexer->op = symbol->op;
            return true;
        }
    }

    switch (*p) {
    case '&':
        return mlog_lexer_error(lexer, "'&' is not an operator; write && or "
                                "'and'");
    case '|':
        return mlog_lexer_error(lexer, "'|' is not an operator; write || or "
                                "'or', and flags without spaces, as syn|ack");
    case '\'':
        return mlog_lexer_error(lexer, "quote with \", not with '");
    }
    return ((unsigned char) *p >= 0x80
            ? mlog_lexer_error(lexer, "a character that is not ASCII can "
                               "only stand in double quotes")
            : mlog_lexer_error(lexer, "unexpected character '%c'", *p));
}

bool
mlog_lexer_next(struct mlog_lexer *lexer)
{
    while (is_space(lexer->text[lexer->pos])) {
        lexer->pos++;
    }
    lexer->start = lexer->pos;

    char c = lexer->text[lexer->pos];
    if (!c) {
        lexer->token = MLOG_TOKEN_END;
        return true;
    } else if (c == '"') {
        return lex_string(lexer);
    } else if (is_word_char(c)) {
        lex_word(lexer);
        return true;
    } else {
        return lex_symbol(lexer);
    }
}
