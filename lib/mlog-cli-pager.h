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


#ifndef MLOG_CLI_PAGER_H
#define MLOG_CLI_PAGER_H 1

/* All records of a query, page by page
 * ====================================
 *
 * An answer is bounded, and records keep coming.  A pager asks for one range
 * of time after the other, each of which begins where the one before ended,
 * and as long as makes a page of records.  Since an answer has exactly the
 * records up to its cut, each record comes exactly once, and in order, however
 * many there are and whatever is recorded meanwhile.
 *
 * Thread-safety: that of struct mlog_cli. */

#include <stdbool.h>
#include <stdint.h>

#include "svec.h"

struct mlog_cli;
struct mlog_cli_answer;

struct mlog_cli_pager {
    struct mlog_cli *cli;
    struct svec words;          /* A query, without range and limit. */
    bool time_added;            /* Field "time" is there for the pager only. */
    uint64_t next;              /* Where the next page begins, in ns. */
    uint64_t end;               /* Where the last one ends, or UINT64_MAX. */

    /* What the query matched when the pager was made. */
    uint64_t count;

    /* Private. */
    uint64_t window;            /* ns, or 0: up to the end. */
    uint64_t page;              /* Records. */
};

/* Takes the range of time out of 'words', which are those of a query without
 * the command, and asks how many records match.  'from_now' says that a query
 * without a range begins now, and 'endless' that it doesn't end with the
 * cut.  'page' is how many records a page has at most.  Returns a status; what
 * is wrong is said. */
int mlog_cli_pager_init(struct mlog_cli_pager *, struct mlog_cli *,
                        struct svec *words, bool from_now, bool endless,
                        uint64_t page);
void mlog_cli_pager_destroy(struct mlog_cli_pager *);

struct mlog_cli_page {
    struct mlog_cli_answer *answer;
    uint64_t n;                 /* The page has the first 'n' rows of it. */
    uint64_t from, to;          /* Its range of time. */
    bool last;                  /* Nothing is left, up to the cut. */
};

/* Gets the next page.  Returns a status and, if it isn't MLOG_CLI_OK, a
 * message to free; the page remains the next one then. */
int mlog_cli_pager_next(struct mlog_cli_pager *, struct mlog_cli_page *,
                        char **message);
void mlog_cli_page_destroy(struct mlog_cli_page *);

#endif /* mlog-cli-pager.h */
