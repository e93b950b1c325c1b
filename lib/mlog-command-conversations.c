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

#include <errno.h>

#include "mlog-query-conversations.h"
#include "mlog-record-table.h"
#include "util.h"

#define DEFAULT_TOP 20

/* Columns before and after the endpoints. */
static const enum mlog_field_id shared_fields[] = {
    MLOG_F_VLAN_VID, MLOG_F_INNER_VLAN_VID, MLOG_F_DL_TYPE, MLOG_F_NW_PROTO,
};

/* An endpoint is in the first of these that the packets have. */
struct endpoint_fields {
    enum mlog_field_id address[3];
    enum mlog_field_id port;
};
static const struct endpoint_fields a_fields = {
    { MLOG_F_L3_SRC, MLOG_F_ARP_SPA, MLOG_F_DL_SRC }, MLOG_F_TP_SRC
};
static const struct endpoint_fields b_fields = {
    { MLOG_F_L3_DST, MLOG_F_ARP_TPA, MLOG_F_DL_DST }, MLOG_F_TP_DST
};

static void
add_columns(struct mlog_table *table,
            const struct mlog_field *const shared[], size_t n)
{
    static const struct { const char *name; bool right; } columns[] = {
        { "a", false }, { "a_port", true }, { "b", false },
        { "b_port", true }, { "packets_ab", true }, { "bytes_ab", true },
        { "packets_ba", true }, { "bytes_ba", true }, { "dropped", true },
        { "began", false }, { "state", false }, { "unanswered", false },
        { "flags_ab", false }, { "flags_ba", false },
        { "duration", true }, { "first", false }, { "last", false },
    };

    mlog_record_add_columns(table, shared, n);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        mlog_table_add_column(table, columns[i].name, columns[i].right);
    }
    mlog_table_hide_empty(table);
}

static void
put_field(struct mlog_table *table, const struct mlog_record *record,
          enum mlog_field_id id)
{
    const struct mlog_field *field = mlog_field_get_by_id(id);

    mlog_record_put(table, record, &field, 1);
}

static void
put_endpoint(struct mlog_table *table, const struct mlog_record *record,
             const struct endpoint_fields *fields)
{
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(fields->address)
           && !mlog_field_in_flow(mlog_field_get_by_id(fields->address[i]),
                                  record->key)) {
        i++;
    }
    put_field(table, record, fields->address[i]);
    put_field(table, record, fields->port);
}

static void
put_flags(struct mlog_table *table, const struct mlog_conversation *c,
          const struct mlog_conversation_way *way)
{
    struct mlog_value value = { .lo = way->tcp_flags & 0xfff };

    if (c->tcp && way->packets) {
        mlog_table_put_field(table, mlog_field_get_by_id(MLOG_F_TCP_FLAGS),
                             &value);
    } else {
        mlog_table_put_absent(table);
    }
}

static void
put_answer(struct mlog_table *table, enum mlog_answer answer)
{
    if (answer == MLOG_UNANSWERED || answer == MLOG_ANSWERED) {
        mlog_table_put_bool(table, answer == MLOG_UNANSWERED);
    } else {
        mlog_table_put_absent(table);
    }
}

static void
put_conversation(struct mlog_table *table, const struct mlog_conversation *c,
                 const struct mlog_field *const shared[], size_t n)
{
    const struct mlog_record record = { .key = &c->key };

    mlog_record_put(table, &record, shared, n);
    put_endpoint(table, &record, &a_fields);
    put_endpoint(table, &record, &b_fields);
    mlog_table_put_u64(table, c->ab.packets);
    mlog_table_put_u64(table, c->ab.bytes);
    mlog_table_put_u64(table, c->ba.packets);
    mlog_table_put_u64(table, c->ba.bytes);
    mlog_table_put_u64(table, c->dropped);
    mlog_table_put_string(table, c->began_b ? "b" : "a");
    mlog_table_put_string(table, mlog_conversation_state(c));
    put_answer(table, c->answer);
    put_flags(table, c, &c->ab);
    put_flags(table, c, &c->ba);
    mlog_table_put_real(table, (c->last - c->first) / 1e9);
    mlog_table_put_time(table, c->first);
    mlog_table_put_time(table, c->last);
}

/* What the conversations shown leave of the rest; 'n' of 'n_all' were
 * shown. */
static void
put_end(const struct mlog_ask *ask, const struct mlog_conversations *result,
        size_t n, size_t n_all)
{
    const struct mlog_query_totals *totals = mlog_conversations_totals(result);
    size_t n_unknown = mlog_conversations_count_by_answer(
        result, MLOG_ANSWER_UNKNOWN);
    struct mlog_document *doc = &ask->call->doc;

    mlog_document_put_u64(doc, "n_conversations",
                          mlog_conversations_count(result));
    mlog_document_put_u64(doc, "n_unanswered",
                          mlog_conversations_count_by_answer(
                              result, MLOG_UNANSWERED));
    mlog_document_put_bool(doc, "truncated", n < n_all);
    mlog_ask_put_summary(ask, "conversations", n, n_all, totals);
    if (n < n_all) {
        mlog_document_note(doc, "%"PRIuSIZE" more conversations are not "
                           "shown; see --top", n_all - n);
    }
    if (n_unknown) {
        mlog_document_note(doc, "%"PRIuSIZE" conversations have no answer "
                           "that the expression lets by; whether they have "
                           "any, --whole tells", n_unknown);
    }
    mlog_ask_put_coverage(ask, totals);
}

static void
show(struct mlog_ask *ask, const struct mlog_conversations *result,
     enum mlog_conversations_by by, size_t top)
{
    struct mlog_call *call = ask->call;
    bool unanswered = mlog_call_has(call, MLOG_OPT_UNANSWERED);
    struct mlog_table *table = mlog_document_table(&call->doc,
                                                   "conversations");
    const struct mlog_field *shared[ARRAY_SIZE(shared_fields)];
    size_t n_shared = mlog_record_use_fields(
        shared_fields, ARRAY_SIZE(shared_fields), shared);
    size_t n_all = (unanswered
                    ? mlog_conversations_count_by_answer(result,
                                                         MLOG_UNANSWERED)
                    : mlog_conversations_count(result));
    size_t n, i;
    const struct mlog_conversation **c = mlog_conversations_top(
        result, by, unanswered, top, &n);

    add_columns(table, shared, n_shared);
    for (i = 0; i < n && !mlog_table_is_full(table, MLOG_REPLY_MAX); i++) {
        put_conversation(table, c[i], shared, n_shared);
    }
    free(c);
    put_end(ask, result, i, n_all);
}

static bool
get_by(struct mlog_call *call, enum mlog_conversations_by *by)
{
    static const char *const names[] = {
        [MLOG_CONVERSATIONS_BY_BYTES] = "bytes",
        [MLOG_CONVERSATIONS_BY_PACKETS] = "packets",
        [MLOG_CONVERSATIONS_BY_DURATION] = "duration",
    };
    const char *key = call->options[MLOG_OPT_BY];

    *by = MLOG_CONVERSATIONS_BY_BYTES;
    for (size_t i = 0; key && i < ARRAY_SIZE(names); i++) {
        if (!strcmp(key, names[i])) {
            *by = i;
            return true;
        }
    }
    return !key || mlog_call_error(call, key, key, "--by: needs \"bytes\", "
                                   "\"packets\" or \"duration\"");
}

static bool
check_error(struct mlog_call *call, int error)
{
    if (error == E2BIG) {
        return mlog_call_error(call, NULL, NULL, "too many conversations: "
                               "more than %d, or than fit into %"PRIu64" "
                               "MiB; narrow the query with --last, --since "
                               "or an expression", MLOG_QUERY_MAX_GROUPS,
                               MLOG_QUERY_MAX_MEMORY >> 20);
    }
    return mlog_call_query_error(call, error);
}

static void
run(struct mlog_ask *ask)
{
    struct mlog_call *call = ask->call;
    bool whole = mlog_call_has(call, MLOG_OPT_WHOLE);
    struct mlog_conversations *result;
    enum mlog_conversations_by by;
    uint64_t top = DEFAULT_TOP;

    if (mlog_call_get_u64(call, MLOG_OPT_TOP, 1, MLOG_ASK_MAX_SHOWN, &top)
        && get_by(call, &by)
        && mlog_ask_start(ask)
        && check_error(call, mlog_query_conversations(
                           &ask->snapshot, &ask->range, &ask->budget, whole,
                           &result))) {
        show(ask, result, by, top);
        mlog_conversations_destroy(result);
    }
}

void
mlog_command_conversations(struct mlog_call *call)
{
    struct mlog_ask ask = { .call = call };

    run(&ask);
    mlog_ask_finish(&ask);
}
