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


#ifndef MLOG_COMMAND_CALL_H
#define MLOG_COMMAND_CALL_H 1

/* What the commands of mlog-command*.c share: the call that is being
 * executed, and parsing of its words.
 *
 * A handler reads the arguments and options and fills in the document, or
 * sets the error and returns. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlog-command.h"
#include "mlog-expr.h"
#include "mlog-header-log.h"
#include "mlog-output.h"
#include "mlog-query.h"
#include "mlog-registry.h"

enum mlog_option {
    MLOG_OPT_FORMAT,
    MLOG_OPT_HELP,
    MLOG_OPT_SINCE,
    MLOG_OPT_UNTIL,
    MLOG_OPT_LAST,
    MLOG_OPT_COUNT,
    MLOG_OPT_FIELDS,
    MLOG_OPT_LIMIT,
    MLOG_OPT_OLDEST,
    MLOG_OPT_GROUP_BY,
    MLOG_OPT_AGGREGATE,
    MLOG_OPT_TOP,
    MLOG_OPT_BY,
    MLOG_OPT_TIMEOUT,
    MLOG_OPT_SINCE_SEQ,
    MLOG_OPT_BUCKET,
    MLOG_OPT_DISTINCT,
    MLOG_OPT_ORDER_BY,
    MLOG_OPT_HAVING,
    MLOG_OPT_EXPLAIN,
    MLOG_OPT_FILTER,
    MLOG_OPT_CURSOR,
    MLOG_OPT_SINCE_CURSOR,
    MLOG_OPT_UNANSWERED,
    MLOG_OPT_WHOLE,
    MLOG_OPT_ON,
    MLOG_OPT_KIND,
    MLOG_OPT_COMPUTE,
    MLOG_OPT_WITHIN,
    MLOG_OPT_MAX_ROWS,
    MLOG_OPT_MAX_MEMORY,
    MLOG_OPT_PCAP_FILTER,
    MLOG_OPT_PERSIST,
    MLOG_N_OPTIONS
};

#define MLOG_OPT(NAME) (UINT64_C(1) << MLOG_OPT_##NAME)
#define MLOG_OPTS_RANGE (MLOG_OPT(SINCE) | MLOG_OPT(UNTIL) | MLOG_OPT(LAST) \
                         | MLOG_OPT(TIMEOUT) | MLOG_OPT(MAX_ROWS)           \
                         | MLOG_OPT(MAX_MEMORY) | MLOG_OPT(PCAP_FILTER))

struct mlog_call {
    struct multilog *ml;
    struct mlog_query *query;   /* As which it is registered, or NULL. */
    const struct mlog_command *command;
    enum mlog_format format;
    const char *args[MLOG_COMMAND_MAX_WORDS];
    size_t n_args;
    const char *options[MLOG_N_OPTIONS];    /* Value, "" for a flag, NULL. */
    struct mlog_document doc;
    struct mlog_usage usage;    /* Without a query. */
    struct mlog_pcap_filter *pcap_filter;       /* Of --pcap-filter. */

    struct mlog_error error;
    const char *error_word;     /* What the error's column refers to. */
};

static inline bool
mlog_call_has(const struct mlog_call *call, enum mlog_option option)
{
    return call->options[option] != NULL;
}

static inline bool
mlog_call_failed(const struct mlog_call *call)
{
    return call->error.message != NULL;
}

/* Sets the error, unless there is one, and returns false.  'at', if not NULL,
 * points to the wrong place within 'word'; both may be NULL. */
bool mlog_call_error(struct mlog_call *, const char *word, const char *at,
                     const char *format, ...) OVS_PRINTF_FORMAT(4, 5);

/* The same with the error of another module: takes over 'error' or frees
 * 'message'. */
bool mlog_call_take_error(struct mlog_call *, const char *word,
                          struct mlog_error *error);
bool mlog_call_take_message(struct mlog_call *, const char *word,
                            const char *at, char *message);

/* Parsing of options' values.  Each returns true and leaves the default in
 * its output if the option is not given, or is successful, or sets the error
 * and returns false. */
bool mlog_call_get_u64(struct mlog_call *, enum mlog_option,
                       uint64_t min, uint64_t max, uint64_t *);
bool mlog_call_get_duration(struct mlog_call *, enum mlog_option,
                            uint64_t *ns);
bool mlog_call_get_fields(struct mlog_call *, enum mlog_option, size_t max,
                          const struct mlog_field *fields[], size_t *n);

/* Leaves out "count" without a field, which is always shown. */
bool mlog_call_get_aggregates(struct mlog_call *, enum mlog_option,
                              struct mlog_query_aggregate[], size_t *n);

/* Parses what groups can be ordered by: 'length' bytes at 'start', a part of
 * 'word', the value of the option 'what'.  Sets '*by' (mlog-query.h). */
bool mlog_call_parse_key(struct mlog_call *, const char *what,
                         const char *word, const char *start, size_t length,
                         const struct mlog_group_spec *, int *by);

/* Gets --having, at most MLOG_QUERY_MAX_HAVING conditions. */
bool mlog_call_get_having(struct mlog_call *, const struct mlog_group_spec *,
                          struct mlog_having[], size_t *n);

/* Parses one, such as "sum(pkt_len)", [start, start + length) of 'word'. */
bool mlog_call_parse_aggregate(struct mlog_call *, const char *word,
                               const char *start, size_t length,
                               struct mlog_query_aggregate *);

/* Parses 'list', the rest of 'word', into at most 'max' fields. */
bool mlog_call_parse_fields(struct mlog_call *, const char *word,
                            const char *list, size_t max,
                            const struct mlog_field *fields[], size_t *n);

/* Parses [start, start + length), a part of 'word'. */
const struct mlog_field *mlog_call_parse_field(struct mlog_call *,
                                               const char *word,
                                               const char *start,
                                               size_t length);
bool mlog_call_parse_u64(struct mlog_call *, const char *word,
                         const char *what, uint64_t min, uint64_t max,
                         uint64_t *);

/* "512M", "1.5G", "65536" into bytes.  Returns a message to free, or NULL. */
char *mlog_parse_size(const char *text, uint64_t *bytes)
    OVS_WARN_UNUSED_RESULT;

/* Appends "1.5 GiB" and the like. */
void mlog_put_size(struct ds *, uint64_t bytes);

/* "sum(pkt_len)". */
void mlog_query_aggregate_format(const struct mlog_query_aggregate *,
                                 struct ds *);

/* Gets --since, --until and --last, relative to 'cut'; sets all of 'range'
 * but its expression. */
bool mlog_call_get_range(struct mlog_call *, uint64_t cut,
                         struct mlog_range *range);

/* Returns an expression that is true where 'expr', which it takes over, and
 * --pcap-filter are.  Sets the error if that is wrong. */
struct mlog_expr *mlog_call_add_pcap_filter(struct mlog_call *,
                                            struct mlog_expr *expr);

/* Says in the document for how many records --pcap-filter could not decide, if
 * there are any. */
void mlog_call_put_undecided(struct mlog_call *);

/* Gets the budget: --timeout, --max-rows, --max-memory and cancellation. */
bool mlog_call_get_budget(struct mlog_call *, struct mlog_budget *);

/* How queries find values of a field: "zone maps", "none", ... */
const char *mlog_field_index(const struct mlog_field *);

/* Sets the error for 'error', an errno value of mlog-query.h. */
bool mlog_call_query_error(struct mlog_call *, int error);

struct mlog_digest_stats;

/* The digest's threads: settings, and a part of multilog/show. */
bool mlog_set_digest_threads(struct mlog_call *, const char *value);
void mlog_put_digest_threads(struct mlog_call *, struct mlog_table *);
bool mlog_set_digest_cpus(struct mlog_call *, const char *value);
void mlog_put_digest_cpus(struct mlog_call *, struct mlog_table *);
struct json *mlog_digest_threads_to_json(const struct mlog_digest_stats *);
void mlog_digest_threads_format(const struct mlog_digest_stats *, struct ds *);
/* The settings "aggregators" and "host". */
bool mlog_call_set_aggregators(struct mlog_call *, const char *value);
void mlog_call_put_aggregators(struct mlog_call *, struct mlog_table *);
bool mlog_call_set_host(struct mlog_call *, const char *value);
void mlog_call_put_host(struct mlog_call *, struct mlog_table *);

/* The setting "ovsdb". */
bool mlog_call_set_ovsdb(struct mlog_call *, const char *value);
void mlog_call_put_ovsdb(struct mlog_call *, struct mlog_table *);

/* Tells the database, if there is one, that the stream has changed. */
void mlog_call_local_changed(struct mlog_call *);

/* The handlers. */
void mlog_command_show(struct mlog_call *);
void mlog_command_fields(struct mlog_call *);
void mlog_command_set(struct mlog_call *);
void mlog_command_query(struct mlog_call *);
void mlog_command_flows(struct mlog_call *);
void mlog_command_conversations(struct mlog_call *);
void mlog_command_join(struct mlog_call *);

void mlog_command_filter_add(struct mlog_call *);
void mlog_command_filter_del(struct mlog_call *);
void mlog_command_filter_list(struct mlog_call *);
void mlog_command_aggregate_add(struct mlog_call *);
void mlog_command_aggregate_del(struct mlog_call *);
void mlog_command_aggregate_list(struct mlog_call *);
void mlog_command_aggregate_show(struct mlog_call *);
void mlog_command_trigger_add(struct mlog_call *);
void mlog_command_trigger_del(struct mlog_call *);
void mlog_command_trigger_list(struct mlog_call *);
void mlog_command_alerts(struct mlog_call *);
void mlog_command_preset_add(struct mlog_call *);
void mlog_command_preset_del(struct mlog_call *);
void mlog_command_preset_list(struct mlog_call *);
void mlog_command_preset_show(struct mlog_call *);
void mlog_command_archive(struct mlog_call *);
void mlog_command_index_list(struct mlog_call *);
void mlog_command_query_list(struct mlog_call *);
void mlog_command_query_cancel(struct mlog_call *);

/* Settings of queries: what they are, and to 'value'. */
void mlog_command_put_limit(struct mlog_call *, enum mlog_limit,
                            struct mlog_table *);
bool mlog_command_set_limit(struct mlog_call *, enum mlog_limit,
                            const char *value);
void mlog_command_ovsdb(struct mlog_call *);
void mlog_command_aggregators(struct mlog_call *);

#endif /* mlog-command-call.h */
