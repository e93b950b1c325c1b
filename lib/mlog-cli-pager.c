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
#include "mlog-cli-pager.h"

#include <inttypes.h>

#include "mlog-cli-private.h"
#include "mlog-fields.h"
#include "mlog-time.h"
#include "openvswitch/json.h"
#include "util.h"

#define MAX_PAGE 1000000        /* What a query shows at most. */
#define MAX_WINDOW (UINT64_C(1) << 62)

/* Adds field "time" to --fields, which the pager needs. */
static bool
add_time_field(struct svec *words)
{
    char *fields;
    bool added = false;

    if (!mlog_cli_take_value(words, "--fields", &fields)) {
        return false;
    }
    if (fields) {
        char *list = xasprintf(",%s,", fields);
        char *option;

        added = strcmp(fields, "all") && !strstr(list, ",time,");
        option = xasprintf("--fields=%s%s", added ? "time," : "", fields);
        mlog_cli_insert_word(words, 0, option);
        free(option);
        free(list);
    } else {
        svec_add(words, "--fields");    /* The switch complains of it. */
    }
    free(fields);
    return added;
}

static void
move_option(struct svec *words, const char *name, struct svec *to)
{
    char *value;

    if (mlog_cli_take_value(words, name, &value)) {
        svec_add_nocopy(to, (value ? xasprintf("%s=%s", name, value)
                             : xstrdup(name)));
        free(value);
    }
}

/* Asks for the number of records and the range's ends.  --fields isn't for
 * counting, so it is left out; a first query of one record checks it. */
static int
count(struct mlog_cli_pager *pager, const struct svec *range, bool endless)
{
    struct mlog_cli_answer *answer;
    struct svec words;
    char *fields;
    int status;

    svec_clone(&words, &pager->words);
    for (size_t i = 0; i < range->n; i++) {
        mlog_cli_insert_word(&words, 1, range->names[i]);
    }
    mlog_cli_insert_word(&words, 1, "--count");
    if (mlog_cli_take_value(&words, "--fields", &fields)) {
        free(fields);
    }
    status = mlog_cli_ask(pager->cli, &words, &answer);
    svec_destroy(&words);
    if (status) {
        return status;
    }
    pager->count = mlog_json_number(answer->root, "count", 0);
    pager->next = mlog_json_time(answer->root, "since");
    pager->end = mlog_json_time(answer->root, "until");
    if (!pager->end) {
        pager->end = (endless ? UINT64_MAX
                      : mlog_json_time(answer->root, "cut"));
    }
    mlog_cli_answer_destroy(answer);
    return MLOG_CLI_OK;
}

int
mlog_cli_pager_init(struct mlog_cli_pager *pager, struct mlog_cli *cli,
                    struct svec *words, bool from_now, bool endless,
                    uint64_t page)
{
    struct svec range = SVEC_EMPTY_INITIALIZER;
    int status;

    *pager = (struct mlog_cli_pager) { .cli = cli, .page = page };
    move_option(words, "--since", &range);
    move_option(words, "--until", &range);
    move_option(words, "--last", &range);
    if (from_now && !range.n) {
        svec_add(&range, "--since=now");
    }
    svec_clone(&pager->words, words);
    pager->time_added = add_time_field(&pager->words);
    mlog_cli_insert_word(&pager->words, 0, "multilog/query");
    status = count(pager, &range, endless);
    svec_destroy(&range);
    return status;
}

void
mlog_cli_pager_destroy(struct mlog_cli_pager *pager)
{
    svec_destroy(&pager->words);
}

static void
add_time_option(struct svec *words, const char *name, uint64_t ns)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s=", name);
    mlog_time_format(ns, &s);
    mlog_cli_insert_word(words, 1, ds_cstr(&s));
    ds_destroy(&s);
}

static int
ask(struct mlog_cli_pager *pager, uint64_t until,
    struct mlog_cli_answer **answer, char **message)
{
    struct svec words;
    char *limit = xasprintf("--limit=%"PRIu64, pager->page);
    int status;

    svec_clone(&words, &pager->words);
    if (until != UINT64_MAX) {
        add_time_option(&words, "--until", until);
    }
    if (pager->next) {
        add_time_option(&words, "--since", pager->next);
    }
    mlog_cli_insert_word(&words, 1, limit);
    mlog_cli_insert_word(&words, 1, "--oldest");
    status = mlog_cli_try(pager->cli, &words, answer, message);
    svec_destroy(&words);
    free(limit);
    return status;
}

static uint64_t
row_time(const struct mlog_cli_answer *answer, uint64_t i)
{
    return mlog_json_time(mlog_cli_answer_row(answer, i), "time");
}

/* The page was full.  Records of its latest time may be missing, so all of
 * these are left for the next page.  Returns false if it has no other. */
static bool
take_full_page(struct mlog_cli_pager *pager, struct mlog_cli_page *page)
{
    uint64_t n = mlog_cli_answer_n_rows(page->answer);
    uint64_t last = n ? row_time(page->answer, n - 1) : 0;
    uint64_t first;

    while (n && row_time(page->answer, n - 1) == last) {
        n--;
    }
    if (!n) {
        return false;
    }
    first = MAX(pager->next, row_time(page->answer, 0));
    pager->window = MAX(last - first, 1);
    pager->next = last;
    page->n = n;
    page->to = last - 1;
    page->last = false;
    return true;
}

static void
take_whole_page(struct mlog_cli_pager *pager, struct mlog_cli_page *page,
                uint64_t until)
{
    uint64_t cut = mlog_json_time(page->answer->root, "cut");

    page->n = mlog_cli_answer_n_rows(page->answer);
    page->to = MIN(until, cut);
    page->last = page->to >= pager->end || page->to >= cut;
    pager->next = MAX(pager->next, page->to + 1);
    if (page->n < pager->page / 2) {
        pager->window = (pager->window < MAX_WINDOW / 4
                         ? pager->window * (page->n < pager->page / 16 ? 4 : 2)
                         : 0);
    }
}

int
mlog_cli_pager_next(struct mlog_cli_pager *pager, struct mlog_cli_page *page,
                    char **message)
{
    for (;;) {
        uint64_t until = (pager->window
                          && pager->window < pager->end - pager->next
                          ? pager->next + pager->window : pager->end);
        int status;

        *page = (struct mlog_cli_page) { .from = pager->next };
        if (pager->next > pager->end) {
            page->last = true;
            page->to = pager->end;
            return MLOG_CLI_OK;
        }
        status = ask(pager, until, &page->answer, message);
        if (status) {
            return status;
        } else if (!mlog_json_true(page->answer->root, "truncated")) {
            take_whole_page(pager, page, until);
            return MLOG_CLI_OK;
        } else if (take_full_page(pager, page)) {
            return MLOG_CLI_OK;
        }
        mlog_cli_page_destroy(page);
        if (pager->page >= MAX_PAGE) {
            *message = xasprintf("more than %d records have the same time",
                                 MAX_PAGE);
            return MLOG_CLI_ERROR;
        }
        pager->page = MIN(MAX_PAGE, pager->page * 4);
    }
}

void
mlog_cli_page_destroy(struct mlog_cli_page *page)
{
    mlog_cli_answer_destroy(page->answer);
    page->answer = NULL;
}
