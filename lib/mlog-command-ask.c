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

#include "mlog-command-query.h"

#include "mlog-state.h"
#include "multilog.h"
#include "openvswitch/json.h"
#include "timeval.h"
#include "util.h"

/* The expression and the filter. */

/* Parses 'text', the expression, as written by the user or, if 'word' is NULL,
 * put together here. */
static struct mlog_expr *
parse_expr(struct mlog_call *call, const char *text, const char *word)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct mlog_expr *expr = mlog_expr_parse(text, &error);

    if (!expr && word) {
        mlog_call_take_error(call, word, &error);
    } else if (!expr) {
        mlog_error_clear(&error);
        mlog_call_error(call, NULL, NULL, "the filter and the expression are "
                        "too long together");
    }
    return expr;
}

/* Returns the expression of filter 'name', for the caller to free; or sets the
 * error and returns NULL. */
static char *
get_filter(struct mlog_call *call, const char *name)
{
    struct mlog_filter_info *filters;
    const char **names;
    char *text = NULL;
    size_t n;

    mlog_digest_lock(call->ml->digest);
    n = mlog_stream_get_filters(call->ml->stream, &filters);
    names = xmalloc((n + 1) * sizeof *names);
    for (size_t i = 0; i < n; i++) {
        names[i] = filters[i].name;
        if (!strcmp(filters[i].name, name)) {
            text = xstrdup(filters[i].text);
        }
    }
    if (!text) {
        const char *nearest = mlog_nearest_name(name, names, n);
        struct ds message = DS_EMPTY_INITIALIZER;

        ds_put_cstr(&message, "there is no filter ");
        mlog_put_quoted(&message, name);
        if (nearest) {
            ds_put_format(&message, "; did you mean '%s'?", nearest);
        }
        mlog_call_take_message(call, name, name, ds_steal_cstr(&message));
    }
    mlog_digest_unlock(call->ml->digest);
    free(names);
    free(filters);
    return text;
}

/* Makes the expression that is true where both are. */
static void
add_filter(struct mlog_ask *ask, const char *filter)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    if (!*filter) {
        return;
    }
    ds_put_format(&text, "(%s)", filter);
    if (!mlog_expr_is_everything(ask->expr)) {
        ds_put_cstr(&text, " && (");
        mlog_expr_format(ask->expr, &text);
        ds_put_char(&text, ')');
    }
    mlog_expr_unref(ask->expr);
    ask->expr = parse_expr(ask->call, ds_cstr(&text), NULL);
    ds_destroy(&text);
}

/* Gets the expression, and the filter of --filter, or "filter=NAME" in place
 * of an expression. */
static bool
get_expr(struct mlog_ask *ask)
{
    static const char prefix[] = "filter=";
    struct mlog_call *call = ask->call;
    const char *text = call->n_args ? call->args[0] : "";
    const char *name = call->options[MLOG_OPT_FILTER];
    char *filter = NULL;

    if (!strncmp(text, prefix, strlen(prefix)) && !name) {
        name = text + strlen(prefix);
        text = "";
    }
    ask->expr = parse_expr(call, text, text);
    if (ask->expr && name) {
        filter = get_filter(call, name);
        if (filter) {
            mlog_cursor_digest(&ask->digest, filter);
            add_filter(ask, filter);
        }
        free(filter);
    }
    if (!mlog_call_failed(call)) {
        ask->expr = mlog_call_add_pcap_filter(call, ask->expr);
    }
    return !mlog_call_failed(call);
}

/* Cursors. */

/* True for options that may differ from page to page. */
static bool
is_free(enum mlog_option option)
{
    switch ((int) option) {
    case MLOG_OPT_FORMAT:
    case MLOG_OPT_TIMEOUT:
    case MLOG_OPT_MAX_ROWS:
    case MLOG_OPT_MAX_MEMORY:
    case MLOG_OPT_LIMIT:
    case MLOG_OPT_TOP:
    case MLOG_OPT_OLDEST:       /* Part of the kind. */
    case MLOG_OPT_EXPLAIN:
    case MLOG_OPT_CURSOR:
    case MLOG_OPT_SINCE_CURSOR:
        return true;
    default:
        return false;
    }
}

/* Completes the digest of the query: what is asked, and of which log. */
static void
digest_query(struct mlog_ask *ask)
{
    const struct mlog_call *call = ask->call;

    mlog_cursor_digest(&ask->digest, mlog_state_life(call->ml->state));
    mlog_cursor_digest(&ask->digest, call->command->name);
    mlog_cursor_digest(&ask->digest, call->n_args ? call->args[0] : "");
    for (size_t i = 0; i < MLOG_N_OPTIONS; i++) {
        if (call->options[i] && !is_free(i)) {
            char *text = xasprintf("%"PRIuSIZE"=%s", i, call->options[i]);

            mlog_cursor_digest(&ask->digest, text);
            free(text);
        }
    }
}

static bool
is_since(enum mlog_cursor_kind kind)
{
    return kind == MLOG_CURSOR_SINCE_PLACE || kind == MLOG_CURSOR_SINCE_TIME;
}

static bool
parse_cursor(struct mlog_ask *ask, const char *option, const char *word)
{
    struct mlog_call *call = ask->call;
    struct mlog_cursor *cursor = &ask->cursor;

    if (!mlog_cursor_parse(word, cursor)) {
        return mlog_call_error(call, word, word, "%s: this is not a cursor, "
                               "or not all of one; give the \"next\" of an "
                               "answer", option);
    } else if (cursor->digest != ask->digest
               || (ask->follows ? !is_since(cursor->kind)
                   : cursor->kind != ask->kind)) {
        return mlog_call_error(call, word, NULL, "%s: this cursor is of "
                               "another query, or of another switch or "
                               "another life of it; give the expression and "
                               "the options that the answer was for",
                               option);
    }
    ask->has_cursor = true;
    return true;
}

static bool
get_cursor(struct mlog_ask *ask)
{
    const char *page = ask->call->options[MLOG_OPT_CURSOR];
    const char *since = ask->call->options[MLOG_OPT_SINCE_CURSOR];

    digest_query(ask);
    ask->follows = since != NULL;
    if (since && (!strcmp(since, "now") || !strcmp(since, "oldest"))) {
        return true;
    }
    return (since ? parse_cursor(ask, "--since-cursor", since)
            : !page || !strcmp(page, "first")
            || parse_cursor(ask, "--cursor", page));
}

/* Narrows the range to what the cursor says. */
static void
apply_cursor(struct mlog_ask *ask)
{
    const struct mlog_cursor *cursor = &ask->cursor;
    const char *since = ask->call->options[MLOG_OPT_SINCE_CURSOR];

    if (since && !strcmp(since, "now")) {
        ask->range.since = ask->snapshot.cut + 1;
    } else if (ask->has_cursor && cursor->kind == MLOG_CURSOR_SINCE_TIME) {
        ask->range.since = MAX(ask->range.since, cursor->time + 1);
    } else if (ask->has_cursor && !ask->follows) {
        ask->cut = cursor->cut;
        ask->range.until = MIN(ask->range.until, cursor->cut);
    }
}

/* The query. */

static bool
get_explain(struct mlog_ask *ask)
{
    const char *word = ask->call->options[MLOG_OPT_EXPLAIN];

    ask->explains = word != NULL;
    ask->plans_only = word && !strcmp(word, "plan");
    return (!word || !*word || ask->plans_only
            || mlog_call_error(ask->call, word, word, "--explain: needs "
                               "nothing or \"plan\""));
}

/* Everything that the user may have got wrong is known before the digest is
 * troubled for a cut, save for times, which may be relative to it. */
bool
mlog_ask_start(struct mlog_ask *ask)
{
    struct mlog_call *call = ask->call;
    uint64_t now;

    ask->started = time_usec();
    if (mlog_call_failed(call)
        || !get_explain(ask)
        || !get_expr(ask)
        || !mlog_call_get_budget(call, &ask->budget)
        || !get_cursor(ask)) {
        return false;
    }
    ask->stale = multilog_snapshot_take(call->ml, &ask->snapshot) != 0;
    ask->cut_at = ask->done_at = time_usec();
    ask->cut = ask->snapshot.cut;
    now = ask->has_cursor ? ask->cursor.cut : ask->cut;
    if (now > ask->snapshot.cut) {
        return mlog_call_error(call, NULL, NULL, "the cursor is of a later "
                               "time than now; the clock was set back, so "
                               "begin again without it");
    } else if (!mlog_call_get_range(call, now, &ask->range)) {
        return false;
    }
    ask->range.expr = ask->expr;
    ask->until = ask->range.until;
    apply_cursor(ask);
    if (ask->plans_only) {
        mlog_ask_explain(ask, NULL);
        return false;
    }
    return true;
}

void
mlog_ask_done(struct mlog_ask *ask)
{
    ask->done_at = time_usec();
}

void
mlog_ask_finish(struct mlog_ask *ask)
{
    if (ask->snapshot.log) {
        multilog_snapshot_release(&ask->snapshot);
    }
    mlog_expr_unref(ask->expr);
}

void
mlog_ask_put_next(struct mlog_ask *ask, struct mlog_cursor *cursor)
{
    struct mlog_document *doc = &ask->call->doc;
    struct ds word = DS_EMPTY_INITIALIZER;

    cursor->digest = ask->digest;
    if (ask->has_cursor) {
        cursor->cut = ask->cursor.cut;
        cursor->n_expired = ask->cursor.n_expired;
    } else {
        cursor->cut = ask->snapshot.cut;
        cursor->n_expired = ask->snapshot.n_expired;
    }
    mlog_cursor_format(cursor, &word);
    mlog_document_put_string(doc, "next", ds_cstr(&word));
    if (doc->format != MLOG_FORMAT_TABLE || ask->follows
        || mlog_call_has(ask->call, MLOG_OPT_CURSOR)) {
        mlog_document_note(doc, "go on with --%s=%s",
                           ask->follows ? "since-cursor" : "cursor",
                           ds_cstr(&word));
    }
    ds_destroy(&word);
}

void
mlog_ask_put_meanwhile(struct mlog_ask *ask, uint64_t first)
{
    uint64_t now = ask->snapshot.n_expired;
    uint64_t n = now - MIN(now, ask->cursor.n_expired);
    struct mlog_document *doc = &ask->call->doc;

    if (ask->has_cursor && n && ask->snapshot.expired_until >= first) {
        mlog_document_put_u64(doc, "expired_meanwhile", n);
        mlog_document_note(doc, "%"PRIu64" records, of all, have expired "
                           "since the first page; some may be missing here",
                           n);
    }
}

/* Answers. */

void
mlog_ask_put_coverage(const struct mlog_ask *ask,
                      const struct mlog_query_totals *totals)
{
    struct mlog_document *doc = &ask->call->doc;

    mlog_document_put_u64(doc, "count", totals->count);
    mlog_document_put_u64(doc, "bytes", totals->bytes);
    mlog_document_put_u64(doc, "gaps", totals->gaps);
    mlog_document_put_bool(doc, "expired", totals->expired);
    if (totals->outage) {
        mlog_document_put_bool(doc, "outage", true);
    }
    if (totals->n_revoked || totals->n_unreadable) {
        mlog_document_put_bool(doc, "partial", true);
        mlog_document_put_u64(doc, "segments_expired", totals->n_revoked);
        mlog_document_put_u64(doc, "segments_unreadable",
                              totals->n_unreadable);
    }
    if (ask->range.since) {
        mlog_document_put_time(doc, "since", ask->range.since);
    }
    if (ask->until != UINT64_MAX) {
        mlog_document_put_time(doc, "until", ask->until);
    }
    mlog_document_put_time(doc, "cut", ask->cut);
    mlog_call_put_undecided(ask->call);
    if (ask->stale) {
        mlog_document_put_bool(doc, "stale", true);
        mlog_document_note(doc, "a datapath thread did not answer for a "
                           "second; its latest records are missing");
    }
    if (totals->gaps) {
        mlog_document_note(doc, "up to %"PRIu64" records of this range were "
                           "lost; see multilog/show", totals->gaps);
    }
    if (totals->n_revoked) {
        mlog_document_note(doc, "partial: %"PRIuSIZE" segments expired while "
                           "the query ran; ask again, for less",
                           totals->n_revoked);
    }
    if (totals->n_unreadable) {
        mlog_document_note(doc, "partial: %"PRIuSIZE" archived segments could "
                           "not be read; see multilog/archive verify",
                           totals->n_unreadable);
    }
    if (totals->outage) {
        mlog_document_note(doc, "nothing was recorded for a part of this "
                           "time, as ovs-vswitchd was not running");
    }
    if (totals->expired) {
        struct ds time = DS_EMPTY_INITIALIZER;

        mlog_time_format(ask->snapshot.expired_until, &time);
        mlog_document_note(doc, "records up to %s have expired, to stay "
                           "within the memory budget", ds_cstr(&time));
        ds_destroy(&time);
    }
    mlog_ask_explain(ask, totals);
}

void
mlog_ask_put_summary(const struct mlog_ask *ask, const char *what,
                     size_t n_shown, size_t n,
                     const struct mlog_query_totals *totals)
{
    struct mlog_document *doc = &ask->call->doc;
    struct ds cut = DS_EMPTY_INITIALIZER;

    mlog_time_format(ask->cut, &cut);
    if (what) {
        mlog_document_summary(doc, "%"PRIuSIZE" of %"PRIuSIZE" %s shown, "
                              "%"PRIu64" records, %"PRIu64" bytes, at %s",
                              n_shown, n, what, totals->count, totals->bytes,
                              ds_cstr(&cut));
    } else {
        mlog_document_summary(doc, "%"PRIuSIZE" of %"PRIu64" records shown, "
                              "%"PRIu64" bytes, at %s", n_shown,
                              totals->count, totals->bytes, ds_cstr(&cut));
    }
    ds_destroy(&cut);
}
