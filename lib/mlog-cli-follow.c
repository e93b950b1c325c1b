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
#include <inttypes.h>
#include <stdio.h>

#include "mlog-cli-client.h"
#include "mlog-cli-pager.h"
#include "mlog-cli-table.h"
#include "openvswitch/json.h"
#include "util.h"

/* The verb "follow", and alerts --follow. */

#define PAGE 4096
#define DEFAULT_INTERVAL 500    /* ms */
#define RECONNECT_MS 500

/* Rows that keep coming. */
struct stream {
    struct mlog_cli *cli;
    bool condense;
    const char *hidden;         /* A column that isn't shown, or NULL. */
    struct svec columns;        /* Of the latest rows. */
    struct mlog_cli_view *view; /* For people. */
    struct mlog_cli_table *table;
    bool any_heading;
    bool gone;                  /* Nobody reads any more. */
};

static void
stream_init(struct stream *stream, struct mlog_cli *cli, bool condense,
            const char *hidden)
{
    *stream = (struct stream) {
        .cli = cli, .condense = condense, .hidden = hidden,
        .columns = SVEC_EMPTY_INITIALIZER,
    };
}

static void
stream_destroy(struct stream *stream)
{
    svec_destroy(&stream->columns);
    mlog_cli_view_destroy(stream->view);
    mlog_cli_table_destroy(stream->table);
}

/* Columns come as rows have them.  A column stays once it has been there. */
static void
learn_columns(struct stream *stream, const struct mlog_cli_answer *answer)
{
    bool changed = !stream->view;

    for (size_t i = 0; i < answer->columns.n; i++) {
        const char *name = answer->columns.names[i];

        if ((!stream->hidden || strcmp(name, stream->hidden))
            && !svec_contains_unsorted(&stream->columns, name)) {
            svec_add(&stream->columns, name);
            changed = true;
        }
    }
    if (changed) {
        mlog_cli_view_destroy(stream->view);
        mlog_cli_table_destroy(stream->table);
        stream->view = mlog_cli_view_create(&stream->columns,
                                            &stream->cli->style,
                                            stream->condense);
        stream->table = mlog_cli_table_create(&stream->cli->style);
        mlog_cli_view_add_columns(stream->view, stream->table);
        stream->any_heading = false;
    }
}

static void
put_rows(struct stream *stream, const struct mlog_cli_answer *answer,
         uint64_t n, struct ds *s)
{
    enum mlog_cli_format format = stream->cli->format;

    if (format == MLOG_CLI_CSV && !stream->any_heading) {
        mlog_cli_put_names_csv(&stream->columns, s);
        stream->any_heading = true;
    }
    for (uint64_t i = 0; i < n; i++) {
        const struct json *row = mlog_cli_answer_row(answer, i);

        if (format == MLOG_CLI_TABLE) {
            mlog_cli_view_add_row(stream->view, row, stream->table);
        } else if (format == MLOG_CLI_CSV) {
            mlog_cli_put_row_csv(row, &stream->columns, s);
        } else {
            mlog_cli_put_row_json(row, &stream->columns, s);
        }
    }
    if (format == MLOG_CLI_TABLE) {
        mlog_cli_table_flush(stream->table, s);
    }
}

static void
stream_write(struct stream *stream, const struct mlog_cli_answer *answer,
             uint64_t n)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (n) {
        learn_columns(stream, answer);
        put_rows(stream, answer, n, &s);
        stream->gone |= !mlog_cli_write(&s);
        ds_destroy(&s);
    }
}

/* Something that isn't a row: among the rows for people, else beside them. */
static void
stream_note(struct stream *stream, const char *note)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (stream->cli->format != MLOG_CLI_TABLE) {
        mlog_cli_error(stream->cli, "note: %s", note);
        return;
    }
    mlog_cli_put_color(&s, &stream->cli->style, MLOG_CLI_YELLOW);
    ds_put_format(&s, "-- %s --", note);
    mlog_cli_put_color(&s, &stream->cli->style, MLOG_CLI_PLAIN);
    ds_put_char(&s, '\n');
    stream->gone |= !mlog_cli_write(&s);
    ds_destroy(&s);
}

/* Says which records of the page are missing.  Returns true if any is. */
static bool
note_gaps(struct stream *stream, const struct mlog_cli_page *page)
{
    const struct json *root = page->answer->root;
    double gaps = mlog_json_number(root, "gaps", 0);
    struct ds s = DS_EMPTY_INITIALIZER;

    if (gaps > 0) {
        ds_put_format(&s, "up to %.0f records were lost", gaps);
    } else if (mlog_json_true(root, "outage")) {
        ds_put_cstr(&s, "the switch was not running");
    } else if (mlog_json_true(root, "expired") && page->from) {
        ds_put_cstr(&s, "records expired before they could be shown");
    } else if (mlog_json_true(root, "partial")) {
        ds_put_cstr(&s, "a part could not be read");
    } else if (mlog_json_true(root, "stale")) {
        ds_put_cstr(&s, "a datapath thread did not answer");
    } else {
        return false;
    }
    ds_put_cstr(&s, " between ");
    mlog_cli_put_time(&s, &stream->cli->style, page->from, false);
    ds_put_cstr(&s, " and ");
    mlog_cli_put_time(&s, &stream->cli->style, page->to, false);
    stream_note(stream, ds_cstr(&s));
    ds_destroy(&s);
    return true;
}

/* "0.5", in seconds.  Returns false if 'text' isn't that. */
bool
mlog_cli_parse_interval(const char *text, long long int *ms)
{
    char *end;
    double seconds = text ? strtod(text, &end) : 0;

    if (!text || end == text || (strcmp(end, "") && strcmp(end, "s"))
        || !(seconds >= 0.01 && seconds <= 86400)) {
        return false;
    }
    *ms = seconds * 1000;
    return true;
}

static int
take_interval(struct mlog_cli *cli, struct svec *words, long long int *ms)
{
    char *value;
    bool ok = true;

    *ms = DEFAULT_INTERVAL;
    if (mlog_cli_take_value(words, "--interval", &value)) {
        ok = mlog_cli_parse_interval(value, ms);
        free(value);
    }
    return ok ? MLOG_CLI_OK : mlog_cli_fail(cli, MLOG_CLI_USAGE, xstrdup(
        "--interval: needs seconds, from 0.01 to 86400"));
}

static int
take_limit(struct mlog_cli *cli, struct svec *words, uint64_t *limit)
{
    char *value;
    bool ok = true;

    *limit = UINT64_MAX;
    if (mlog_cli_take_value(words, "--limit", &value)) {
        long long int n;

        ok = value && str_to_llong(value, 10, &n) && n > 0;
        if (ok) {
            *limit = n;
        }
        free(value);
    }
    return ok ? MLOG_CLI_OK : mlog_cli_fail(cli, MLOG_CLI_USAGE, xstrdup(
        "--limit: needs a whole number from 1 on"));
}

/* Waits until a switch answers again; what was recorded meanwhile isn't
 * missed.  Returns false if the user doesn't want to wait any more. */
static bool
reconnect(struct stream *stream, char *message)
{
    struct mlog_cli *cli = stream->cli;

    mlog_cli_error(cli, "%s; waiting for it to come back", message);
    free(message);
    for (;;) {
        char *error;

        mlog_cli_client_close(cli->client);
        cli->client = NULL;
        mlog_cli_sleep(RECONNECT_MS, -1, &stream->gone);
        if (mlog_cli_interrupted() || stream->gone) {
            return false;
        }
        error = mlog_cli_client_open(cli->target, &cli->client);
        if (!error) {
            mlog_cli_error(cli, "it is back");
            return true;
        }
        free(error);
    }
}

/* A status says that the switch can't be asked, not that it answered with an
 * error. */
static bool
is_disconnected(const struct mlog_cli *cli)
{
    return !cli->client || !mlog_cli_client_is_connected(cli->client);
}

static int
follow_pages(struct mlog_cli_pager *pager, struct stream *stream,
             long long int interval, uint64_t limit)
{
    bool missing = false;

    while (!mlog_cli_interrupted() && !stream->gone && limit) {
        struct mlog_cli_page page;
        char *message;
        int status = mlog_cli_pager_next(pager, &page, &message);

        if (status == MLOG_CLI_INTERRUPTED) {
            free(message);
            break;
        } else if (status && is_disconnected(stream->cli)) {
            if (!reconnect(stream, message)) {
                break;
            }
            continue;
        } else if (status) {
            return mlog_cli_fail(stream->cli, status, message);
        }
        if (page.answer) {
            missing |= note_gaps(stream, &page);
            page.n = MIN(page.n, limit);
            stream_write(stream, page.answer, page.n);
            limit -= page.n;
        }
        mlog_cli_page_destroy(&page);
        if (page.last && page.to >= pager->end) {
            break;
        } else if (page.last && limit) {
            mlog_cli_sleep(interval, -1, &stream->gone);
        }
    }
    return missing ? MLOG_CLI_INCOMPLETE : MLOG_CLI_OK;
}

static int
check_format(struct mlog_cli *cli)
{
    /* There is no end at which an array could be closed. */
    if (cli->format == MLOG_CLI_JSON) {
        cli->format = MLOG_CLI_JSONL;
    }
    return MLOG_CLI_OK;
}

int
mlog_cli_follow(struct mlog_cli *cli, struct svec *words)
{
    bool fields = mlog_cli_has_option(words, "--fields");
    struct mlog_cli_pager pager;
    struct stream stream;
    long long int interval;
    uint64_t limit;
    int status = check_format(cli);

    status = status ? status : take_interval(cli, words, &interval);
    status = status ? status : take_limit(cli, words, &limit);
    if (status) {
        return status;
    }
    status = mlog_cli_pager_init(&pager, cli, words, true, true, PAGE);
    if (!status) {
        stream_init(&stream, cli, !fields, pager.time_added ? "time" : NULL);
        status = follow_pages(&pager, &stream, interval, limit);
        stream_destroy(&stream);
    }
    mlog_cli_pager_destroy(&pager);
    return status;
}

/* Alerts. */

static int
follow_alerts(struct mlog_cli *cli, struct svec *words, uint64_t seq,
              struct stream *stream, long long int interval)
{
    while (!mlog_cli_interrupted() && !stream->gone) {
        char *option = xasprintf("--since-seq=%"PRIu64, seq);
        struct mlog_cli_answer *answer;
        struct svec request;
        char *message;
        uint64_t next;
        int status;

        svec_clone(&request, words);
        mlog_cli_insert_word(&request, 1, option);
        free(option);
        status = mlog_cli_try(cli, &request, &answer, &message);
        svec_destroy(&request);
        if (status == MLOG_CLI_INTERRUPTED) {
            free(message);
            return MLOG_CLI_OK;
        } else if (status && is_disconnected(cli)) {
            /* Alerts are numbered anew by a new process. */
            if (!reconnect(stream, message)) {
                return MLOG_CLI_OK;
            }
            seq = 0;
            continue;
        } else if (status) {
            return mlog_cli_fail(cli, status, message);
        }
        next = mlog_json_number(answer->root, "next_seq", seq);
        if (mlog_cli_answer_n_rows(answer)) {
            double first = mlog_json_number(mlog_cli_answer_row(answer, 0),
                                            "seq", seq + 1);
            if (first > seq + 1) {
                char *note = xasprintf("%.0f alerts were discarded before "
                                       "they could be shown",
                                       first - seq - 1);
                stream_note(stream, note);
                free(note);
            }
        }
        stream_write(stream, answer, mlog_cli_answer_n_rows(answer));
        mlog_cli_answer_destroy(answer);
        if (next == seq) {
            mlog_cli_sleep(interval, -1, &stream->gone);
        }
        seq = next;
    }
    return MLOG_CLI_OK;
}

int
mlog_cli_follow_alerts(struct mlog_cli *cli, struct svec *words)
{
    struct mlog_cli_answer *answer;
    struct stream stream;
    long long int interval;
    uint64_t seq;
    char *value;
    int status = check_format(cli);

    status = status ? status : take_interval(cli, words, &interval);
    if (status) {
        return status;
    }
    mlog_cli_insert_word(words, 0, "multilog/alerts");
    stream_init(&stream, cli, true, NULL);
    if (mlog_cli_take_value(words, "--since-seq", &value)) {
        seq = value ? strtoull(value, NULL, 10) : 0;
        free(value);
    } else {
        /* Those that there are, first. */
        status = mlog_cli_ask(cli, words, &answer);
        if (status) {
            return status;
        }
        stream_write(&stream, answer, mlog_cli_answer_n_rows(answer));
        seq = mlog_json_number(answer->root, "next_seq", 0);
        mlog_cli_answer_destroy(answer);
        if (mlog_cli_take_value(words, "--last", &value)) {
            free(value);
        }
    }
    status = follow_alerts(cli, words, seq, &stream, interval);
    stream_destroy(&stream);
    return status;
}
