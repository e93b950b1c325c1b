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
#include "mlog-cli-private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "mlog-cli-client.h"
#include "openvswitch/json.h"
#include "util.h"

/* The terminal. */

static int
terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;

    if (!isatty(STDOUT_FILENO)) {
        return 0;
    } else if (columns && atoi(columns) > 0) {
        return atoi(columns);
    }
    return (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col
            ? size.ws_col : 80);
}

static bool
terminal_has_color(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return (isatty(STDOUT_FILENO) && !(no_color && *no_color)
            && term && strcmp(term, "dumb"));
}

void
mlog_cli_init(struct mlog_cli *cli)
{
    *cli = (struct mlog_cli) {
        .style = {
            .color = terminal_has_color(),
            .names = true,
            .width = terminal_width(),
        },
    };
}

void
mlog_cli_destroy(struct mlog_cli *cli)
{
    mlog_cli_client_close(cli->client);
}

bool
mlog_cli_set_color(struct mlog_cli *cli, const char *when)
{
    if (!strcmp(when, "auto")) {
        cli->style.color = terminal_has_color();
    } else if (!strcmp(when, "always") || !strcmp(when, "never")) {
        cli->style.color = when[0] == 'a';
    } else {
        return false;
    }
    return true;
}

static struct ds *capture;

void
mlog_cli_capture(struct ds *s)
{
    capture = s;
}

bool
mlog_cli_write(struct ds *s)
{
    bool ok;

    if (capture) {
        ds_put_buffer(capture, ds_cstr(s), s->length);
        ds_clear(s);
        return true;
    }
    ok = (fwrite(ds_cstr(s), 1, s->length, stdout) == s->length
          && !fflush(stdout));

    ds_clear(s);
    return ok;
}

/* Errors. */

void
mlog_cli_error(const struct mlog_cli *cli OVS_UNUSED, const char *format, ...)
{
    va_list args;
    char *message;

    va_start(args, format);
    message = xvasprintf(format, args);
    va_end(args);
    if (capture) {
        ds_put_format(capture, "%s\n", message);
    } else {
        fflush(stdout);
        fprintf(stderr, "%s: %s\n", program_name, message);
    }
    free(message);
}

int
mlog_cli_fail(const struct mlog_cli *cli, int status, char *message)
{
    if (cli->format == MLOG_CLI_JSON || cli->format == MLOG_CLI_JSONL) {
        struct json *error = json_object_create();
        struct json *root = json_object_create();
        char *text;

        json_object_put_string(error, "message", message);
        json_object_put(root, "error", error);
        text = json_to_string(root, JSSF_SORT);
        fprintf(stderr, "%s\n", text);
        free(text);
        json_destroy(root);
    } else {
        mlog_cli_error(cli, "%s", message);
    }
    free(message);
    return status;
}

static bool
is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || c == '-';
}

/* Appends what 'command', which has 'n' bytes, is called here. */
static void
put_verb(struct ds *s, const char *command, size_t n)
{
    char *name = xmemdup0(command, n);
    char *dash = strchr(name, '-');

    ds_put_format(s, "%s ", program_name);
    if (!strcmp(name, "query-list")) {
        ds_put_cstr(s, "queries");
    } else if (!strcmp(name, "query-cancel")) {
        ds_put_cstr(s, "queries cancel");
    } else {
        if (dash) {
            *dash = '\0';
            if (mlog_cli_is_noun(name)) {
                *dash = ' ';
            } else {
                *dash = '-';
            }
        }
        ds_put_cstr(s, name);
    }
    free(name);
}

char *
mlog_cli_translate(const char *text)
{
    static const char prefix[] = "multilog/";
    static const char appctl[] = "ovs-appctl ";
    struct ds s = DS_EMPTY_INITIALIZER;

    while (*text) {
        const char *start = text;
        size_t n = 0;

        if (!strncmp(start, appctl, strlen(appctl))) {
            start += strlen(appctl);
        }
        if (!strncmp(start, prefix, strlen(prefix))) {
            start += strlen(prefix);
            while (is_name_char(start[n])) {
                n++;
            }
        }
        if (n) {
            put_verb(&s, start, n);
            text = start + n;
        } else {
            ds_put_char(&s, *text++);
        }
    }
    return ds_steal_cstr(&s);
}

/* Appends the word that is wrong with a caret below the place. */
static void
put_place(struct ds *s, const struct json *error)
{
    const char *argument = mlog_json_string(error, "argument");
    int column = mlog_json_number(error, "column", 0);

    if (argument && column > 0 && column <= strlen(argument) + 1) {
        char *before = xmemdup0(argument, column - 1);
        struct ds clean = DS_EMPTY_INITIALIZER;

        mlog_cli_put_clean(&clean, before);
        ds_put_cstr(s, "\n  ");
        mlog_cli_put_clean(s, argument);
        ds_put_cstr(s, "\n  ");
        ds_put_char_multiple(s, ' ', mlog_cli_columns(ds_cstr(&clean)));
        ds_put_char(s, '^');
        ds_destroy(&clean);
        free(before);
    }
}

/* Makes a message for people of the switch's error.  The words are to blame
 * if it names one of them. */
static int
explain_error(const char *text, char **message)
{
    struct json *root = json_from_string(text);
    const struct json *error = mlog_json_get(root, "error");
    const char *what = mlog_json_string(error, "message");
    int status = MLOG_CLI_ERROR;
    struct ds s = DS_EMPTY_INITIALIZER;

    if (what) {
        char *translated = mlog_cli_translate(what);

        mlog_cli_put_clean(&s, translated);
        free(translated);
        put_place(&s, error);
        if (mlog_json_get(error, "argument") || strstr(what, "usage: ")) {
            status = MLOG_CLI_USAGE;
        }
    } else {
        char *translated = mlog_cli_translate(text);

        mlog_cli_put_clean(&s, translated);
        free(translated);
        while (ds_chomp(&s, '\n')) {
            continue;
        }
    }
    json_destroy(root);
    *message = ds_steal_cstr(&s);
    return status;
}

/* Asking. */

int
mlog_cli_connect(struct mlog_cli *cli)
{
    if (!cli->client) {
        char *error = mlog_cli_client_open(cli->target, &cli->client);

        if (error) {
            return mlog_cli_fail(cli, MLOG_CLI_ERROR, error);
        }
    }
    return MLOG_CLI_OK;
}

static bool
is_unknown_command(const char *error)
{
    return strstr(error, "is not a valid command") != NULL;
}

/* Returns a status and, unless that is MLOG_CLI_OK, sets '*error' and
 * '*message'.  The error is as the switch sent it, or NULL. */
static int
ask(struct mlog_cli *cli, const struct svec *words,
    struct mlog_cli_answer **answer, char **error, char **message)
{
    struct svec request;
    char *result;
    int retval, status = MLOG_CLI_OK;

    svec_clone(&request, words);
    mlog_cli_insert_word(&request, 1, "--format=json");
    retval = mlog_cli_client_ask(cli->client, &request, &result, error);
    svec_destroy(&request);
    if (retval == EINTR) {
        status = MLOG_CLI_INTERRUPTED;
        *message = xstrdup("interrupted");
    } else if (retval) {
        status = MLOG_CLI_ERROR;
        *message = xasprintf("%s: %s", mlog_cli_client_socket(cli->client),
                             retval == ECONNRESET
                             ? "the switch closed the connection"
                             : ovs_strerror(retval));
    } else if (*error && is_unknown_command(*error)) {
        char *verb = mlog_cli_translate(words->names[0]);

        status = MLOG_CLI_ERROR;
        *message = xasprintf("the switch at %s does not know \"%s\": it is "
                             "an older one, or one without MultiLog",
                             mlog_cli_client_socket(cli->client), verb);
        free(verb);
        free(*error);
        *error = NULL;
    } else if (*error) {
        status = explain_error(*error, message);
    } else {
        *message = mlog_cli_answer_parse(result, answer);
        status = *message ? MLOG_CLI_ERROR : MLOG_CLI_OK;
    }
    free(result);
    return status;
}

int
mlog_cli_try(struct mlog_cli *cli, const struct svec *words,
             struct mlog_cli_answer **answer, char **message)
{
    char *error = NULL;
    int status;

    *message = NULL;
    *answer = NULL;
    status = mlog_cli_connect(cli);
    if (status) {
        *message = xstrdup("the switch cannot be reached");
        return status;
    }
    status = ask(cli, words, answer, &error, message);
    free(error);
    return status;
}

int
mlog_cli_ask(struct mlog_cli *cli, const struct svec *words,
             struct mlog_cli_answer **answer)
{
    bool json = (cli->format == MLOG_CLI_JSON
                 || cli->format == MLOG_CLI_JSONL);
    char *error = NULL, *message = NULL;
    int status;

    *answer = NULL;
    status = mlog_cli_connect(cli);
    if (status) {
        return status;
    }
    status = ask(cli, words, answer, &error, &message);
    if (!status) {
        return status;
    } else if (error && json && error[0] == '{') {
        struct ds s = DS_EMPTY_INITIALIZER;

        mlog_cli_put_clean_json(&s, error);
        ds_chomp(&s, '\n');
        fprintf(stderr, "%s\n", ds_cstr(&s));
        ds_destroy(&s);
        free(message);
    } else {
        mlog_cli_fail(cli, status, message);
    }
    free(error);
    return status;
}

static void
make_words(struct svec *words, const char *command, const char *word)
{
    svec_init(words);
    svec_add(words, command);
    if (word) {
        svec_add(words, word);
    }
}

int
mlog_cli_ask_command(struct mlog_cli *cli, const char *command,
                     const char *word, struct mlog_cli_answer **answer)
{
    struct svec words;
    int status;

    make_words(&words, command, word);
    status = mlog_cli_ask(cli, &words, answer);
    svec_destroy(&words);
    return status;
}

int
mlog_cli_try_command(struct mlog_cli *cli, const char *command,
                     const char *word, struct mlog_cli_answer **answer,
                     char **message)
{
    struct svec words;
    int status;

    make_words(&words, command, word);
    status = mlog_cli_try(cli, &words, answer, message);
    svec_destroy(&words);
    return status;
}

int
mlog_cli_get_commands(struct mlog_cli *cli, struct svec *names)
{
    struct svec words = SVEC_EMPTY_INITIALIZER;
    char *result, *error;
    int status = mlog_cli_connect(cli);
    int retval;

    svec_init(names);
    if (status) {
        return status;
    }
    svec_add(&words, "list-commands");
    retval = mlog_cli_client_ask(cli->client, &words, &result, &error);
    svec_destroy(&words);
    if (retval || error) {
        free(error);
        return mlog_cli_fail(cli, MLOG_CLI_ERROR,
                             xasprintf("%s: %s",
                                       mlog_cli_client_socket(cli->client),
                                       ovs_strerror(retval)));
    }
    char *p = result;
    while ((p = strstr(p, "  multilog/"))) {
        size_t n = 0;

        p += strlen("  multilog/");
        while (is_name_char(p[n])) {
            n++;
        }
        svec_add_nocopy(names, xmemdup0(p, n));
    }
    free(result);
    return MLOG_CLI_OK;
}

/* Output. */

int
mlog_cli_print(struct mlog_cli *cli, const struct mlog_cli_answer *answer,
               bool condense)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    bool written;

    mlog_cli_render(answer, cli->format, &cli->style, condense, &s);
    written = mlog_cli_write(&s);
    ds_destroy(&s);
    if (!written && errno != EPIPE) {
        return mlog_cli_fail(cli, MLOG_CLI_ERROR,
                             xasprintf("standard output: %s",
                                       ovs_strerror(errno)));
    }
    if (cli->format == MLOG_CLI_CSV || cli->format == MLOG_CLI_JSONL) {
        struct svec notes = SVEC_EMPTY_INITIALIZER;

        mlog_cli_answer_notes(answer, &notes);
        for (size_t i = 0; i < notes.n; i++) {
            fprintf(stderr, "%s: note: %s\n", program_name, notes.names[i]);
        }
        svec_destroy(&notes);
    }
    return (mlog_cli_answer_is_incomplete(answer, cli->ranged)
            ? MLOG_CLI_INCOMPLETE : MLOG_CLI_OK);
}

/* Words. */

void
mlog_cli_remove_word(struct svec *words, size_t i)
{
    free(words->names[i]);
    memmove(&words->names[i], &words->names[i + 1],
            (words->n - i - 1) * sizeof *words->names);
    words->n--;
}

void
mlog_cli_insert_word(struct svec *words, size_t i, const char *word)
{
    svec_add(words, word);
    for (size_t j = words->n - 1; j > i; j--) {
        char *swap = words->names[j];

        words->names[j] = words->names[j - 1];
        words->names[j - 1] = swap;
    }
}

/* Returns the index of option 'name', with or without a value, or SIZE_MAX. */
static size_t
find_option(const struct svec *words, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < words->n && strcmp(words->names[i], "--"); i++) {
        const char *word = words->names[i];

        if (!strncmp(word, name, n) && (!word[n] || word[n] == '=')) {
            return i;
        }
    }
    return SIZE_MAX;
}

bool
mlog_cli_has_option(const struct svec *words, const char *name)
{
    return find_option(words, name) != SIZE_MAX;
}

bool
mlog_cli_take_flag(struct svec *words, const char *name)
{
    size_t i = find_option(words, name);

    if (i == SIZE_MAX || words->names[i][strlen(name)]) {
        return false;
    }
    mlog_cli_remove_word(words, i);
    return true;
}

bool
mlog_cli_take_value(struct svec *words, const char *name, char **value)
{
    size_t i = find_option(words, name);

    if (i == SIZE_MAX) {
        return false;
    }
    if (words->names[i][strlen(name)]) {
        *value = xstrdup(words->names[i] + strlen(name) + 1);
    } else if (i + 1 < words->n) {
        *value = xstrdup(words->names[i + 1]);
        mlog_cli_remove_word(words, i + 1);
    } else {
        *value = NULL;
    }
    mlog_cli_remove_word(words, i);
    return true;
}
