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

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "mlog-cli-client.h"
#include "mlog-cli-screen.h"
#include "mlog-cli-table.h"
#include "openvswitch/json.h"
#include "timeval.h"
#include "util.h"

/* The verbs "top" and "watch". */

#define DEFAULT_ROWS 20         /* In batch mode. */
#define MIN_INTERVAL 100        /* ms */
#define MAX_INTERVAL 600000

/* What both have. */
struct loop {
    struct mlog_cli *cli;
    bool batch;
    long long int interval;     /* ms */
    uint64_t left;              /* Screens. */
    bool paused;
    bool help;
};

enum edit_what { EDIT_NOTHING, EDIT_FILTER, EDIT_GROUP_BY };

struct top {
    struct loop loop;
    struct svec options;        /* Others, for the switch. */
    char *filter;
    char *group_by;             /* NULL: flows. */
    bool by_packets;
    size_t rows;                /* In batch mode. */

    enum edit_what editing;
    struct mlog_cli_edit edit;
    char *before;               /* What Escape brings back. */
    char *error;                /* What is wrong with it, or NULL. */

    char *screen;               /* The latest table. */
    char *totals;
    struct ds view;             /* What was drawn, for batch mode, too. */
};

/* Options that both have.  '-n' and so on come before a verb, so only the
 * leading ones are theirs if 'leading'. */
static int
take_loop_options(struct loop *loop, struct svec *words,
                  long long int interval)
{
    char *value;
    bool ok = true;

    loop->interval = interval;
    loop->left = UINT64_MAX;
    loop->batch = (mlog_cli_take_flag(words, "-b")
                   || mlog_cli_take_flag(words, "--batch"));
    if (mlog_cli_take_value(words, "-n", &value)
        || mlog_cli_take_value(words, "--iterations", &value)) {
        long long int n;

        ok = value && str_to_llong(value, 10, &n) && n > 0;
        if (ok) {
            loop->left = n;
        }
        free(value);
        if (!ok) {
            return mlog_cli_fail(loop->cli, MLOG_CLI_USAGE, xstrdup(
                "--iterations: needs a whole number from 1 on"));
        }
    }
    if (mlog_cli_take_value(words, "--interval", &value)) {
        ok = mlog_cli_parse_interval(value, &loop->interval)
             && loop->interval >= MIN_INTERVAL
             && loop->interval <= MAX_INTERVAL;
        free(value);
        if (!ok) {
            return mlog_cli_fail(loop->cli, MLOG_CLI_USAGE, xstrdup(
                "--interval: needs seconds, from 0.1 to 600"));
        }
    }
    return MLOG_CLI_OK;
}

/* Keys that both have.  Returns false if the program shall end. */
static bool
handle_loop_key(struct loop *loop, int key)
{
    switch (key) {
    case 'q':
    case MLOG_KEY_GONE:
        return false;
    case ' ':
        loop->paused = !loop->paused;
        break;
    case '+':
        loop->interval = MIN(MAX_INTERVAL, loop->interval * 2);
        break;
    case '-':
        loop->interval = MAX(MIN_INTERVAL, loop->interval / 2);
        break;
    case 'h':
    case '?':
        loop->help = !loop->help;
        break;
    }
    return true;
}

static void
put_clock(struct ds *s, const struct mlog_cli_style *style)
{
    struct timespec now;
    struct ds time = DS_EMPTY_INITIALIZER;

    clock_gettime(CLOCK_REALTIME, &now);
    mlog_cli_put_time(&time, style,
                      now.tv_sec * UINT64_C(1000000000) + now.tv_nsec, true);
    ds_put_buffer(s, ds_cstr(&time), 8);
    ds_destroy(&time);
}

/* Top: asking. */

static void
set_text(char **text, char *value)
{
    free(*text);
    *text = value;
}

static void
put_rate(struct mlog_cli_table *table, size_t column, double amount,
         double seconds)
{
    double rate = amount / seconds;
    struct ds s = DS_EMPTY_INITIALIZER;

    if (rate > 0 && rate < 10) {
        ds_put_format(&s, "%.1f", rate);
    } else {
        mlog_cli_put_count(&s, (int64_t) rate);
    }
    mlog_cli_table_set_number(table, column, ds_cstr(&s));
    ds_destroy(&s);
}

/* Removes columns whose meaning is that of the rates, or that aren't worth
 * their room. */
static void
choose_columns(const struct mlog_cli_answer *answer, struct svec *columns)
{
    static const char *const hidden[] = {
        "packets", "count", "bytes", "first", "last", "dl_src", "dl_dst",
    };

    svec_init(columns);
    for (size_t i = 0; i < answer->columns.n; i++) {
        bool hide = false;

        for (size_t j = 0; j < ARRAY_SIZE(hidden); j++) {
            hide |= !strcmp(answer->columns.names[i], hidden[j]);
        }
        if (!hide) {
            svec_add(columns, answer->columns.names[i]);
        }
    }
}

static char *
render_top(const struct top *top, const struct mlog_cli_answer *answer,
           double seconds)
{
    const struct mlog_cli_style *style = &top->loop.cli->style;
    struct svec columns;
    struct mlog_cli_view *view;
    struct mlog_cli_table *table = mlog_cli_table_create(style);
    size_t pps, bps;
    struct ds s = DS_EMPTY_INITIALIZER;

    choose_columns(answer, &columns);
    view = mlog_cli_view_create(&columns, style, !top->group_by);
    pps = mlog_cli_table_add_column(table, "packets/s");
    bps = mlog_cli_table_add_column(table, "bits/s");
    mlog_cli_table_keep(table, pps);
    mlog_cli_table_keep(table, bps);
    mlog_cli_view_add_columns(view, table);
    for (size_t i = 0; i < mlog_cli_answer_n_rows(answer); i++) {
        const struct json *row = mlog_cli_answer_row(answer, i);
        double packets = mlog_json_number(
            row, top->group_by ? "count" : "packets", 0);

        mlog_cli_view_add_row(view, row, table);
        put_rate(table, pps, packets, seconds);
        put_rate(table, bps, mlog_json_number(row, "bytes", 0) * 8, seconds);
    }
    mlog_cli_table_flush(table, &s);
    mlog_cli_table_destroy(table);
    mlog_cli_view_destroy(view);
    svec_destroy(&columns);
    return ds_steal_cstr(&s);
}

static char *
render_totals(const struct top *top, const struct mlog_cli_answer *answer,
              double seconds)
{
    const struct json *root = answer->root;
    struct svec notes = SVEC_EMPTY_INITIALIZER;
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_cli_put_count(&s, (int64_t) (mlog_json_number(root, "count", 0)
                                      / seconds));
    ds_put_cstr(&s, " packets/s, ");
    mlog_cli_put_count(&s, (int64_t) (mlog_json_number(root, "bytes", 0) * 8
                                      / seconds));
    ds_put_cstr(&s, " bits/s, ");
    mlog_cli_put_count(&s, mlog_json_number(root, top->group_by ? "n_groups"
                                            : "n_flows", 0));
    ds_put_cstr(&s, top->group_by ? " groups" : " flows");
    if (mlog_json_number(root, "gaps", 0) > 0) {
        ds_put_format(&s, ", up to %.0f records lost",
                      mlog_json_number(root, "gaps", 0));
    }
    svec_destroy(&notes);
    return ds_steal_cstr(&s);
}

static size_t
n_rows(const struct top *top)
{
    size_t rows = top->rows, columns;

    if (!top->loop.batch) {
        mlog_cli_screen_size(&rows, &columns);
        rows = rows > 6 ? rows - 4 : 2;
    }
    return rows;
}

static void
make_request(const struct top *top, struct svec *words)
{
    svec_clone(words, &top->options);
    mlog_cli_insert_word(words, 0, top->group_by ? "multilog/query"
                         : "multilog/flows");
    svec_add_nocopy(words, xasprintf("--last=%lldms", top->loop.interval));
    svec_add_nocopy(words, xasprintf("--top=%"PRIuSIZE, n_rows(top)));
    svec_add(words, !top->by_packets ? "--by=bytes"
             : top->group_by ? "--by=count" : "--by=packets");
    if (top->group_by) {
        svec_add_nocopy(words, xasprintf("--group-by=%s", top->group_by));
    }
    svec_add(words, "--");
    svec_add(words, top->filter);
}

/* Asks and renders.  An error is shown on the screen; in batch mode, and at
 * the start, it ends the program. */
static int
refresh(struct top *top)
{
    double seconds = top->loop.interval / 1000.0;
    struct mlog_cli_answer *answer;
    struct svec words;
    char *message;
    int status;

    make_request(top, &words);
    status = mlog_cli_try(top->loop.cli, &words, &answer, &message);
    svec_destroy(&words);
    set_text(&top->error, message);
    if (!status) {
        set_text(&top->screen, render_top(top, answer, seconds));
        set_text(&top->totals, render_totals(top, answer, seconds));
        mlog_cli_answer_destroy(answer);
    } else if (!mlog_cli_client_is_connected(top->loop.cli->client)
               && !mlog_cli_interrupted()) {
        /* Another process may have taken its place. */
        struct mlog_cli_client *client;
        char *error = mlog_cli_client_open(top->loop.cli->target, &client);

        free(error);
        if (client) {
            mlog_cli_client_close(top->loop.cli->client);
            top->loop.cli->client = client;
        }
    }
    return status;
}

/* Top: drawing. */

static void
put_help(struct ds *s)
{
    ds_put_cstr(s, "\n\
  b  sort by bytes          f  edit the filter, as it is typed\n\
  p  sort by packets        g  edit the fields to group by; empty: flows\n\
  +  longer interval        n  names or numbers of ports and services\n\
  -  shorter interval       u  UTC or local time\n\
  space  pause              q  quit\n");
}

/* The first line of a message, the place below it. */
static void
put_error(const struct top *top, struct ds *s)
{
    struct ds clean = DS_EMPTY_INITIALIZER;
    size_t n;

    mlog_cli_put_clean(&clean, "");
    n = strcspn(top->error, "\n");
    ds_put_buffer(&clean, top->error, n);
    mlog_cli_put_color(s, &top->loop.cli->style, MLOG_CLI_RED);
    if (top->loop.cli->style.width) {
        mlog_cli_put_clipped(s, ds_cstr(&clean), top->loop.cli->style.width);
    } else {
        ds_put_cstr(s, ds_cstr(&clean));
    }
    mlog_cli_put_color(s, &top->loop.cli->style, MLOG_CLI_PLAIN);
    ds_put_char(s, '\n');
    ds_destroy(&clean);
}

static void
put_status_line(const struct top *top, struct ds *s)
{
    if (top->editing) {
        ds_put_cstr(s, (top->editing == EDIT_FILTER ? "filter: "
                        : "group by: "));
        mlog_cli_put_clean(s, top->edit.text);
        mlog_cli_put_color(s, &top->loop.cli->style, MLOG_CLI_REVERSE);
        ds_put_char(s, ' ');
        mlog_cli_put_color(s, &top->loop.cli->style, MLOG_CLI_PLAIN);
        ds_put_cstr(s, "  (Enter keeps it, Esc does not)\n");
    } else {
        ds_put_cstr(s, "filter: ");
        mlog_cli_put_clean(s, top->filter[0] ? top->filter : "none");
        if (top->group_by) {
            ds_put_cstr(s, "  group by: ");
            mlog_cli_put_clean(s, top->group_by);
        }
        ds_put_char(s, '\n');
    }
}

static void
render_screen(struct top *top, struct ds *s)
{
    ds_clear(s);
    mlog_cli_put_color(s, &top->loop.cli->style, MLOG_CLI_BOLD);
    ds_put_format(s, "%s top ", program_name);
    put_clock(s, &top->loop.cli->style);
    mlog_cli_put_color(s, &top->loop.cli->style, MLOG_CLI_PLAIN);
    ds_put_format(s, "  %s", top->totals ? top->totals : "");
    ds_put_format(s, "  every %g s, by %s%s", top->loop.interval / 1000.0,
                  top->by_packets ? "packets" : "bytes",
                  top->loop.paused ? ", PAUSED" : "");
    ds_put_cstr(s, top->loop.batch ? "\n" : ", h: help\n");
    put_status_line(top, s);
    if (top->error) {
        put_error(top, s);
    } else {
        ds_put_char(s, '\n');
    }
    if (top->loop.help) {
        put_help(s);
    } else if (top->screen) {
        ds_put_cstr(s, top->screen);
    }
}

/* Top: keys. */

static void
start_edit(struct top *top, enum edit_what what)
{
    const char *text = (what == EDIT_FILTER ? top->filter
                        : top->group_by ? top->group_by : "");

    top->editing = what;
    set_text(&top->before, xstrdup(text));
    ovs_strlcpy(top->edit.text, text, sizeof top->edit.text);
    top->edit.n = strlen(top->edit.text);
}

static void
apply_edit(struct top *top, const char *text)
{
    if (top->editing == EDIT_FILTER) {
        set_text(&top->filter, xstrdup(text));
    } else {
        set_text(&top->group_by, *text ? xstrdup(text) : NULL);
    }
}

/* What is typed takes effect at once if it makes sense.  Returns true if the
 * table has to be made anew. */
static bool
handle_edit_key(struct top *top, int key)
{
    if (key == MLOG_KEY_ESCAPE || key == MLOG_KEY_ENTER) {
        if (key == MLOG_KEY_ESCAPE || top->error) {
            apply_edit(top, top->before);
        }
        top->editing = EDIT_NOTHING;
        return true;
    }
    if (mlog_cli_edit_key(&top->edit, key)) {
        apply_edit(top, top->edit.text);
        return true;
    }
    return false;
}

/* Returns false if the program shall end.  Sets '*again' if the table has to
 * be made anew. */
static bool
handle_key(struct top *top, int key, bool *again)
{
    *again = false;
    if (top->editing && key != MLOG_KEY_GONE) {
        *again = handle_edit_key(top, key);
        return true;
    }
    switch (key) {
    case 'b':
    case 'p':
        top->by_packets = key == 'p';
        *again = true;
        return true;
    case 'f':
    case '/':
        start_edit(top, EDIT_FILTER);
        return true;
    case 'g':
        start_edit(top, EDIT_GROUP_BY);
        return true;
    case 'n':
        top->loop.cli->style.names = !top->loop.cli->style.names;
        *again = true;
        return true;
    case 'u':
        top->loop.cli->style.utc = !top->loop.cli->style.utc;
        return true;
    }
    return handle_loop_key(&top->loop, key);
}

static int
top_on_screen(struct top *top)
{
    long long int next = 0;
    bool again = false;
    int key = 0;

    do {
        size_t rows, columns;

        mlog_cli_screen_size(&rows, &columns);
        top->loop.cli->style.width = columns;
        if (again || (!top->loop.paused && time_msec() >= next)) {
            bool counts = !again;

            refresh(top);
            next = time_msec() + top->loop.interval;
            if (counts && !--top->loop.left) {
                return MLOG_CLI_OK;
            }
        }
        render_screen(top, &top->view);
        mlog_cli_screen_draw(ds_cstr(&top->view));
        key = mlog_cli_screen_key(top->loop.paused ? 1000
                                  : MAX(0, next - time_msec()));
    } while (!mlog_cli_interrupted() && handle_key(top, key, &again));
    return MLOG_CLI_OK;
}

static int
top_in_batch(struct top *top)
{
    while (!mlog_cli_interrupted()) {
        int status = refresh(top);
        bool gone = false;

        if (status == MLOG_CLI_INTERRUPTED) {
            break;
        } else if (status) {
            char *message = top->error;

            top->error = NULL;
            return mlog_cli_fail(top->loop.cli, status, message);
        }
        render_screen(top, &top->view);
        ds_put_char(&top->view, '\n');
        if (!mlog_cli_write(&top->view) || !--top->loop.left) {
            break;
        }
        mlog_cli_sleep(top->loop.interval, -1, &gone);
        if (gone) {
            break;
        }
    }
    return MLOG_CLI_OK;
}

static int
take_top_options(struct top *top, struct svec *words)
{
    char *value;
    bool ok = true;
    int status = take_loop_options(&top->loop, words, 1000);

    if (status) {
        return status;
    }
    if (mlog_cli_take_value(words, "--by", &value)) {
        ok = value && (!strcmp(value, "bytes") || !strcmp(value, "packets"));
        top->by_packets = ok && value[0] == 'p';
        free(value);
        if (!ok) {
            return mlog_cli_fail(top->loop.cli, MLOG_CLI_USAGE, xstrdup(
                "--by: needs \"bytes\" or \"packets\""));
        }
    }
    if (mlog_cli_take_value(words, "--rows", &value)) {
        int n;

        ok = value && str_to_int(value, 10, &n) && n > 0 && n <= 10000;
        top->rows = ok ? n : 0;
        free(value);
        if (!ok) {
            return mlog_cli_fail(top->loop.cli, MLOG_CLI_USAGE, xstrdup(
                "--rows: needs a whole number from 1 to 10000"));
        }
    }
    if (mlog_cli_take_value(words, "--group-by", &value)) {
        top->group_by = value;
    }
    return MLOG_CLI_OK;
}

/* What is left are options of the switch, and at most one expression, which
 * is the first or the last word. */
static void
take_filter(struct top *top, struct svec *words)
{
    if (words->n && words->names[0][0] != '-') {
        top->filter = xstrdup(words->names[0]);
        mlog_cli_remove_word(words, 0);
    } else if (words->n > 1 && !strcmp(words->names[words->n - 2], "--")) {
        top->filter = xstrdup(words->names[words->n - 1]);
        mlog_cli_remove_word(words, words->n - 1);
        mlog_cli_remove_word(words, words->n - 1);
    } else if (words->n == 1 || !words->n) {
        top->filter = xstrdup("");
    } else if (words->names[words->n - 1][0] != '-') {
        top->filter = xstrdup(words->names[words->n - 1]);
        mlog_cli_remove_word(words, words->n - 1);
    } else {
        top->filter = xstrdup("");
    }
    svec_clone(&top->options, words);
}

int
mlog_cli_top(struct mlog_cli *cli, struct svec *words)
{
    struct top top = { .loop.cli = cli, .rows = DEFAULT_ROWS,
                       .view = DS_EMPTY_INITIALIZER };
    int status = take_top_options(&top, words);

    if (status) {
        return status;
    }
    take_filter(&top, words);
    status = mlog_cli_connect(cli);
    if (!status && top.loop.batch) {
        status = top_in_batch(&top);
    } else if (!status) {
        /* What is wrong at the start is said on the ordinary screen. */
        status = refresh(&top);
        if (status) {
            char *message = top.error;

            top.error = NULL;
            status = mlog_cli_fail(cli, status, message);
        } else if (!mlog_cli_screen_open()) {
            status = mlog_cli_fail(cli, MLOG_CLI_USAGE, xstrdup(
                "top needs a terminal; without one, use -b"));
        } else {
            status = top_on_screen(&top);
            mlog_cli_screen_close();
        }
    }
    free(top.filter);
    free(top.group_by);
    free(top.before);
    free(top.error);
    free(top.screen);
    free(top.totals);
    ds_destroy(&top.view);
    svec_destroy(&top.options);
    return status;
}

/* Watch. */

/* Runs the verb and returns what it writes. */
static char *
run_verb(struct mlog_cli *cli, const struct svec *words, int *status)
{
    struct svec copy;
    struct ds s = DS_EMPTY_INITIALIZER;

    svec_clone(&copy, words);
    mlog_cli_capture(&s);
    *status = mlog_cli_run(cli, &copy);
    mlog_cli_capture(NULL);
    svec_destroy(&copy);
    if (*status == MLOG_CLI_ERROR && cli->client
        && !mlog_cli_client_is_connected(cli->client)) {
        mlog_cli_client_close(cli->client);
        cli->client = NULL;
    }
    return ds_steal_cstr(&s);
}

static void
put_watch_heading(const struct loop *loop, const struct svec *words,
                  struct ds *s)
{
    mlog_cli_put_color(s, &loop->cli->style, MLOG_CLI_BOLD);
    ds_put_format(s, "every %g s:", loop->interval / 1000.0);
    for (size_t i = 0; i < words->n; i++) {
        ds_put_char(s, ' ');
        mlog_cli_put_clean(s, words->names[i]);
    }
    ds_put_cstr(s, "  ");
    put_clock(s, &loop->cli->style);
    ds_put_cstr(s, loop->paused ? "  PAUSED" : "");
    mlog_cli_put_color(s, &loop->cli->style, MLOG_CLI_PLAIN);
    ds_put_cstr(s, "\n\n");
}

static int
watch_on_screen(struct loop *loop, const struct svec *words)
{
    long long int next = 0;
    char *text = xstrdup("");
    int status = 0;
    int key;

    do {
        struct ds s = DS_EMPTY_INITIALIZER;
        size_t rows, columns;

        mlog_cli_screen_size(&rows, &columns);
        loop->cli->style.width = columns;
        if (!loop->paused && time_msec() >= next) {
            free(text);
            text = run_verb(loop->cli, words, &status);
            next = time_msec() + loop->interval;
            if (!--loop->left) {
                break;
            }
        }
        put_watch_heading(loop, words, &s);
        ds_put_cstr(&s, text);
        mlog_cli_screen_draw(ds_cstr(&s));
        ds_destroy(&s);
        key = mlog_cli_screen_key(loop->paused ? 1000
                                  : MAX(0, next - time_msec()));
    } while (!mlog_cli_interrupted() && handle_loop_key(loop, key));
    free(text);
    return MLOG_CLI_OK;
}

static int
watch_in_batch(struct loop *loop, const struct svec *words)
{
    int status = MLOG_CLI_OK;
    bool gone = false;

    while (!mlog_cli_interrupted() && !gone) {
        struct ds s = DS_EMPTY_INITIALIZER;
        char *text = run_verb(loop->cli, words, &status);

        put_watch_heading(loop, words, &s);
        ds_put_format(&s, "%s\n", text);
        free(text);
        gone = !mlog_cli_write(&s);
        ds_destroy(&s);
        if (status == MLOG_CLI_USAGE || !--loop->left) {
            break;
        }
        if (!gone) {
            mlog_cli_sleep(loop->interval, -1, &gone);
        }
    }
    return status;
}

int
mlog_cli_watch(struct mlog_cli *cli, struct svec *words)
{
    static const char *const endless[] = { "top", "watch", "follow",
                                           "export" };
    struct loop loop = { .cli = cli };
    struct svec own = SVEC_EMPTY_INITIALIZER;
    char *text;
    int status;

    /* Options before the verb are those of watch. */
    while (words->n && words->names[0][0] == '-') {
        bool has_value = (!strcmp(words->names[0], "-n")
                          || !strcmp(words->names[0], "--iterations")
                          || !strcmp(words->names[0], "--interval"));

        svec_add(&own, words->names[0]);
        mlog_cli_remove_word(words, 0);
        if (has_value && words->n) {
            svec_add(&own, words->names[0]);
            mlog_cli_remove_word(words, 0);
        }
    }
    status = take_loop_options(&loop, &own, 2000);
    if (status) {
        svec_destroy(&own);
        return status;
    } else if (own.n) {
        text = xasprintf("%s: watch has no such option", own.names[0]);
        svec_destroy(&own);
        return mlog_cli_fail(cli, MLOG_CLI_USAGE, text);
    }
    svec_destroy(&own);
    for (size_t i = 0; i < ARRAY_SIZE(endless); i++) {
        if (words->n && !strcmp(words->names[0], endless[i])) {
            return mlog_cli_fail(cli, MLOG_CLI_USAGE, xasprintf(
                "%s cannot be watched", endless[i]));
        }
    }
    if (!words->n) {
        return mlog_cli_fail(cli, MLOG_CLI_USAGE,
                             xstrdup("watch what?  See watch --help"));
    } else if (loop.batch) {
        return watch_in_batch(&loop, words);
    }
    text = run_verb(cli, words, &status);
    if (status == MLOG_CLI_USAGE || status == MLOG_CLI_ERROR) {
        fputs(text, stderr);
        free(text);
        return status;
    }
    free(text);
    if (!mlog_cli_screen_open()) {
        return mlog_cli_fail(cli, MLOG_CLI_USAGE, xstrdup(
            "watch needs a terminal; without one, use -b"));
    }
    status = watch_on_screen(&loop, words);
    mlog_cli_screen_close();
    return status;
}
