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

#include "mlog-command.h"

#include "mlog-command-call.h"
#include "mlog-pcap-filter.h"
#include "openvswitch/json.h"
#include "util.h"

static const struct {
    const char *name;
    const char *metavar;        /* NULL for a flag; with '?' first, the value
                                 * may be left out, and isn't the next word. */
    const char *doc;
} options[MLOG_N_OPTIONS] = {
    [MLOG_OPT_FORMAT] = { "format", "FORMAT",
                          "format of the reply: table, json or csv (or -f)" },
    [MLOG_OPT_HELP] = { "help", NULL, "show this text" },
    [MLOG_OPT_SINCE] = { "since", "TIME", "only what is as new as TIME" },
    [MLOG_OPT_UNTIL] = { "until", "TIME", "only what is as old as TIME" },
    [MLOG_OPT_LAST] = { "last", "DURATION",
                        "only the last DURATION: 10s, 500ms, 5m, 1h" },
    [MLOG_OPT_COUNT] = { "count", NULL, "count records and bytes" },
    [MLOG_OPT_FIELDS] = { "fields", "FIELD,...",
                          "what to show of each record, or \"all\"" },
    [MLOG_OPT_LIMIT] = { "limit", "N",
                         "show at most N records (default: 100)" },
    [MLOG_OPT_OLDEST] = { "oldest", NULL,
                          "show the oldest records, not the newest" },
    [MLOG_OPT_GROUP_BY] = { "group-by", "FIELD,...",
                            "count records and bytes per group" },
    [MLOG_OPT_AGGREGATE] = { "aggregate", "FUNC(FIELD),...",
                             "compute count, sum, min, max, avg, rate, "
                             "stddev, distinct, p99, topk" },
    [MLOG_OPT_TOP] = { "top", "N", "show the N greatest only" },
    [MLOG_OPT_BY] = { "by", "KEY", "what makes one greater than another" },
    [MLOG_OPT_TIMEOUT] = { "timeout", "DURATION",
                           "give up after DURATION (default: 30s)" },
    [MLOG_OPT_MAX_ROWS] = { "max-rows", "N",
                            "give up after looking at N records" },
    [MLOG_OPT_MAX_MEMORY] = { "max-memory", "SIZE",
                              "give up if the result takes more memory: "
                              "100M" },
    [MLOG_OPT_PCAP_FILTER] = { "pcap-filter", "FILTER",
                               "only what matches FILTER, as of "
                               "pcap-filter(7)" },
    [MLOG_OPT_SINCE_SEQ] = { "since-seq", "N",
                             "only alerts with numbers above N" },
    [MLOG_OPT_BUCKET] = { "bucket", "DURATION",
                          "a group for each DURATION: 10ms, 1s" },
    [MLOG_OPT_DISTINCT] = { "distinct", "FIELD,...",
                            "the different combinations of values" },
    [MLOG_OPT_ORDER_BY] = { "order-by", "[-]KEY,...",
                            "what to order by; -KEY for descending order" },
    [MLOG_OPT_HAVING] = { "having", "CONDITION",
                          "only groups that meet this, as in 'count > 100'" },
    [MLOG_OPT_EXPLAIN] = { "explain", "?plan",
                           "add how the query was executed; with =plan only "
                           "say how it would be" },
    [MLOG_OPT_FILTER] = { "filter", "NAME",
                          "only what the filter NAME lets through" },
    [MLOG_OPT_CURSOR] = { "cursor", "first|TOKEN",
                          "the next page of an answer: its \"next\"" },
    [MLOG_OPT_SINCE_CURSOR] = { "since-cursor", "now|oldest|TOKEN",
                                "what came since an answer: its \"next\"" },
    [MLOG_OPT_UNANSWERED] = { "unanswered", NULL,
                              "only what has had no answer" },
    [MLOG_OPT_WHOLE] = { "whole", NULL, "count all records of what has a "
                         "record that matches" },
    [MLOG_OPT_ON] = { "on", "KEY,...", "FIELD, or LEFT-FIELD=RIGHT-FIELD; "
                      "\"flow\", or \"reverse\" for answers" },
    [MLOG_OPT_KIND] = { "kind", "KIND",
                        "inner (default), left, outer or anti" },
    [MLOG_OPT_COMPUTE] = { "compute", "[NAME=]FORMULA,...",
                           "more columns: 'l.bytes / r.count'" },
    [MLOG_OPT_WITHIN] = { "within", "DURATION",
                          "pair records, at most so far apart" },
    [MLOG_OPT_PERSIST] = { "persist", NULL,
                           "write it to the database as well" },
};

#define OPTS_ALL (MLOG_OPT(FORMAT) | MLOG_OPT(HELP))
#define OPTS_GROUPS (MLOG_OPT(TOP) | MLOG_OPT(BY))

static const struct mlog_command commands[] = {
    { "multilog/show", "", "state, rings, records held, gaps, memory, cost",
      0, 0, OPTS_ALL, mlog_command_show },
    { "multilog/fields", "[NAME]", "the fields and names of expressions",
      0, 1, OPTS_ALL, mlog_command_fields },
    { "multilog/query",
      "[EXPR] [--pcap-filter FILTER] [--since TIME] [--until TIME] "
      "[--last DURATION] "
      "[--fields FIELD,...] [--limit N] [--oldest] [--order-by [-]FIELD,...] "
      "[--count] [--distinct FIELD,...] [--bucket DURATION] "
      "[--group-by FIELD,... [--top N] [--by KEY] [--having 'KEY OP N']] "
      "[--aggregate FUNC(FIELD),...] [--filter NAME] [--explain[=plan]] "
      "[--cursor first|TOKEN] [--since-cursor now|oldest|TOKEN]",
      "records, or counts of them",
      0, 1,
      (OPTS_ALL | MLOG_OPTS_RANGE | OPTS_GROUPS | MLOG_OPT(COUNT)
       | MLOG_OPT(FIELDS) | MLOG_OPT(LIMIT) | MLOG_OPT(OLDEST)
       | MLOG_OPT(GROUP_BY) | MLOG_OPT(AGGREGATE) | MLOG_OPT(BUCKET)
       | MLOG_OPT(DISTINCT) | MLOG_OPT(ORDER_BY) | MLOG_OPT(HAVING)
       | MLOG_OPT(FILTER) | MLOG_OPT(EXPLAIN) | MLOG_OPT(CURSOR)
       | MLOG_OPT(SINCE_CURSOR)),
      mlog_command_query },
    { "multilog/flows",
      "[EXPR] [--pcap-filter FILTER] [--since TIME] [--until TIME] "
      "[--last DURATION] [--top N] "
      "[--by bytes|packets] [--filter NAME] [--explain[=plan]] "
      "[--cursor first|TOKEN]",
      "the greatest flows",
      0, 1,
      (OPTS_ALL | MLOG_OPTS_RANGE | OPTS_GROUPS | MLOG_OPT(FILTER)
       | MLOG_OPT(EXPLAIN) | MLOG_OPT(CURSOR)),
      mlog_command_flows },
    { "multilog/conversations",
      "[EXPR] [--since TIME] [--until TIME] [--last DURATION] [--top N] "
      "[--by bytes|packets|duration] [--unanswered] [--whole]",
      "the greatest conversations, both directions in one",
      0, 1,
      (OPTS_ALL | MLOG_OPTS_RANGE | OPTS_GROUPS | MLOG_OPT(UNANSWERED)
       | MLOG_OPT(WHOLE)),
      mlog_command_conversations },
    { "multilog/join",
      "LEFT-EXPR RIGHT-EXPR --on KEY,... [--since TIME] [--until TIME] "
      "[--last DURATION] [--top N] [--by KEY] "
      "[--kind inner|left|outer|anti] [--aggregate l.FUNC(FIELD),...] "
      "[--compute FORMULA,...] [--having CONDITION] [--bucket DURATION], "
      "or --within DURATION [--fields l.FIELD,...]",
      "groups, or pairs, of records that agree in some fields",
      2, 2,
      (OPTS_ALL | MLOG_OPTS_RANGE | OPTS_GROUPS | MLOG_OPT(ON)
       | MLOG_OPT(KIND) | MLOG_OPT(AGGREGATE) | MLOG_OPT(COMPUTE)
       | MLOG_OPT(BUCKET)
       | MLOG_OPT(HAVING) | MLOG_OPT(WITHIN) | MLOG_OPT(FIELDS)),
      mlog_command_join },
    { "multilog/filter-add", "NAME EXPR [--persist]", "add a filter",
      2, 2, OPTS_ALL | MLOG_OPT(PERSIST), mlog_command_filter_add },
    { "multilog/filter-del", "NAME", "delete a filter",
      1, 1, OPTS_ALL, mlog_command_filter_del },
    { "multilog/filter-list", "", "the filters and what they have matched",
      0, 0, OPTS_ALL, mlog_command_filter_list },
    { "multilog/aggregate-add",
      "NAME FILTER FUNC[(FIELD)] [window=DURATION] [group-by=FIELD,...] "
      "[--persist]",
      "add an aggregate",
      3, 8, OPTS_ALL | MLOG_OPT(PERSIST), mlog_command_aggregate_add },
    { "multilog/aggregate-del", "NAME", "delete an aggregate",
      1, 1, OPTS_ALL, mlog_command_aggregate_del },
    { "multilog/aggregate-list", "", "the aggregates",
      0, 0, OPTS_ALL, mlog_command_aggregate_list },
    { "multilog/aggregate-show", "NAME [--top N]",
      "the present value of an aggregate",
      1, 1, OPTS_ALL | MLOG_OPT(TOP), mlog_command_aggregate_show },
    { "multilog/trigger-add",
      "NAME 'AGGREGATE OP VALUE' [period=DURATION] [for=DURATION] "
      "[clear=VALUE] [--persist]",
      "add a trigger",
      2, 8, OPTS_ALL | MLOG_OPT(PERSIST), mlog_command_trigger_add },
    { "multilog/trigger-del", "NAME", "delete a trigger",
      1, 1, OPTS_ALL, mlog_command_trigger_del },
    { "multilog/trigger-list", "", "the triggers and their state",
      0, 0, OPTS_ALL, mlog_command_trigger_list },
    { "multilog/alerts", "[--since-seq N] [--last DURATION] [--limit N]",
      "what triggers have raised and cleared",
      0, 0,
      (OPTS_ALL | MLOG_OPT(SINCE_SEQ) | MLOG_OPT(LAST) | MLOG_OPT(LIMIT)),
      mlog_command_alerts },
    { "multilog/preset-add", "PRESET [as=PREFIX] [PARAMETER=VALUE]...",
      "add the filters, aggregates and triggers of a preset",
      1, 8, OPTS_ALL, mlog_command_preset_add },
    { "multilog/preset-del", "PREFIX", "delete all that a preset has added",
      1, 1, OPTS_ALL, mlog_command_preset_del },
    { "multilog/preset-list", "", "the presets, and which are installed",
      0, 0, OPTS_ALL, mlog_command_preset_list },
    { "multilog/preset-show", "PRESET [as=PREFIX] [PARAMETER=VALUE]...",
      "a preset's parameters, and what it would add",
      1, 8, OPTS_ALL, mlog_command_preset_show },
    { "multilog/archive",
      "[show | verify [SEQ] | flush | drop SEQ | drop-before TIME]",
      "the archived segments",
      0, 2, OPTS_ALL | MLOG_OPT(TIMEOUT), mlog_command_archive },
    { "multilog/index-list", "", "how each field is found without a scan",
      0, 0, OPTS_ALL, mlog_command_index_list },
    { "multilog/query-list", "", "the queries that wait or are executed",
      0, 0, OPTS_ALL, mlog_command_query_list },
    { "multilog/query-cancel", "ID|all", "cancel a query, or all",
      1, 1, OPTS_ALL, mlog_command_query_cancel },
    { "multilog/aggregators", "", "the connections to aggregators",
      0, 0, OPTS_ALL, mlog_command_aggregators },
    { "multilog/ovsdb", "", "the database that configures this switch",
      0, 0, OPTS_ALL, mlog_command_ovsdb },
    { "multilog/set", "[KEY VALUE]", "show or change a setting",
      0, 2, OPTS_ALL, mlog_command_set },
};

const struct mlog_command *
mlog_command_get(size_t i)
{
    return i < ARRAY_SIZE(commands) ? &commands[i] : NULL;
}

static const struct mlog_command *
find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (!strcmp(name, commands[i].name)) {
            return &commands[i];
        }
    }
    return NULL;
}

bool
mlog_command_exists(const char *name)
{
    return find_command(name) != NULL;
}

bool
mlog_command_is_long(int argc, const char *argv[])
{
    const struct mlog_command *command = find_command(argv[0]);

    return (command && command->options & MLOG_OPT(TIMEOUT)
            && (command->run != mlog_command_archive
                || (argc > 1 && strcmp(argv[1], "show"))));
}

void
mlog_reply_init(struct mlog_reply *reply)
{
    reply->format = MLOG_FORMAT_TABLE;
    reply->error = false;
    ds_init(&reply->body);
}

void
mlog_reply_destroy(struct mlog_reply *reply)
{
    ds_destroy(&reply->body);
}

/* Errors. */

bool
mlog_call_error(struct mlog_call *call, const char *word, const char *at,
                const char *format, ...)
{
    va_list args;

    va_start(args, format);
    mlog_call_take_message(call, word, at, xvasprintf(format, args));
    va_end(args);
    return false;
}

bool
mlog_call_take_message(struct mlog_call *call, const char *word,
                       const char *at, char *message)
{
    if (!mlog_call_failed(call)) {
        mlog_error_set(&call->error, at ? at - word + 1 : 0, "%s", message);
        call->error_word = word;
    }
    free(message);
    return false;
}

bool
mlog_call_take_error(struct mlog_call *call, const char *word,
                     struct mlog_error *error)
{
    if (!mlog_call_failed(call)) {
        call->error = *error;
        call->error_word = word;
        *error = (struct mlog_error) MLOG_ERROR_INITIALIZER;
    }
    mlog_error_clear(error);
    return false;
}

static void
put_json_error(const struct mlog_call *call, const char *command,
               struct ds *out)
{
    ds_put_cstr(out, "{\"error\":{\"message\":");
    mlog_json_put_string(out, call->error.message);
    ds_put_cstr(out, ",\"command\":");
    mlog_json_put_string(out, command);
    if (call->error_word) {
        ds_put_cstr(out, ",\"argument\":");
        mlog_json_put_string(out, call->error_word);
    }
    if (call->error.column) {
        ds_put_format(out, ",\"column\":%d", call->error.column);
    }
    ds_put_cstr(out, "}}\n");
}

static void
put_error(const struct mlog_call *call, const char *command, struct ds *out)
{
    if (call->format == MLOG_FORMAT_JSON) {
        put_json_error(call, command, out);
    } else {
        ds_put_and_free_cstr(out, mlog_error_to_string(&call->error,
                                                       call->error_word));
        ds_put_char(out, '\n');
    }
}

/* Words.
 *
 * Options may stand anywhere, as "--name=value" or "--name value"; after "--"
 * there are none. */

/* If 'word' is an option with a name of 'length' bytes, returns its number,
 * else MLOG_N_OPTIONS. */
static enum mlog_option
find_option(const char *name, size_t length)
{
    for (size_t i = 0; i < MLOG_N_OPTIONS; i++) {
        if (strlen(options[i].name) == length
            && !memcmp(options[i].name, name, length)) {
            return i;
        }
    }
    return MLOG_N_OPTIONS;
}

/* Says in 'message' which options the command has that are like 'name'. */
static void
put_option_hint(const struct mlog_command *command, const char *name,
                struct ds *message)
{
    const char *names[MLOG_N_OPTIONS];
    const char *nearest;
    size_t n = 0;

    for (size_t i = 0; i < MLOG_N_OPTIONS; i++) {
        if (command->options & UINT64_C(1) << i) {
            names[n++] = options[i].name;
        }
    }
    nearest = mlog_nearest_name(name, names, n);
    if (nearest) {
        ds_put_format(message, "; did you mean '--%s'?", nearest);
        return;
    }
    ds_put_format(message, "; %s has ", command->name);
    for (size_t i = 0; i < n; i++) {
        ds_put_format(message, "%s--%s", i ? ", " : "", names[i]);
    }
}

static bool
unknown_option(struct mlog_call *call, const char *word, size_t length)
{
    struct ds message = DS_EMPTY_INITIALIZER;
    char *shown = xmemdup0(word, MIN(length, 2 * MLOG_QUOTED_MAX));
    bool known = (!strncmp(word, "--", 2)
                  && find_option(word + 2, length - 2) < MLOG_N_OPTIONS);

    ds_put_cstr(&message, "unknown option ");
    mlog_put_quoted(&message, shown);
    if (known) {
        ds_put_format(&message, " for %s", call->command->name);
    }
    put_option_hint(call->command, shown + strspn(shown, "-"), &message);
    mlog_call_take_message(call, word, word, ds_steal_cstr(&message));
    free(shown);
    return false;
}

/* Stores option 'option', found in 'word' with the value after '=' or, if
 * that is NULL, in the next word.  Moves '*i' if that is used. */
static bool
store_option(struct mlog_call *call, enum mlog_option option,
             const char *word, const char *value, int argc,
             const char *argv[], int *i)
{
    const char *name = options[option].name;

    if (!options[option].metavar) {
        if (value) {
            return mlog_call_error(call, word, value,
                                   "option '--%s' takes no value", name);
        }
        value = "";
    } else if (!value && options[option].metavar[0] == '?') {
        value = "";
    } else if (!value) {
        if (*i + 1 >= argc) {
            return mlog_call_error(call, word, NULL,
                                   "option '--%s' needs a value: --%s=%s",
                                   name, name, options[option].metavar);
        }
        value = argv[++*i];
    }
    if (call->options[option]) {
        return mlog_call_error(call, word, word,
                               "option '--%s' is given twice", name);
    }
    call->options[option] = value;
    return true;
}

static bool
parse_option(struct mlog_call *call, int argc, const char *argv[], int *i)
{
    const char *word = argv[*i];
    const char *equals = strchr(word, '=');
    enum mlog_option option = MLOG_N_OPTIONS;
    size_t length = equals ? equals - word : strlen(word);

    if (!strncmp(word, "--", 2)) {
        option = find_option(word + 2, length - 2);
    } else if (length == 2) {
        option = (word[1] == 'f' ? MLOG_OPT_FORMAT
                  : word[1] == 'h' ? MLOG_OPT_HELP
                  : MLOG_N_OPTIONS);
    }
    if (option == MLOG_N_OPTIONS
        || !(call->command->options & UINT64_C(1) << option)) {
        return unknown_option(call, word, length);
    }
    return store_option(call, option, word, equals ? equals + 1 : NULL,
                        argc, argv, i);
}

static bool
parse_words(struct mlog_call *call, int argc, const char *argv[])
{
    bool options_end = false;

    for (int i = 1; i < argc; i++) {
        if (!options_end && !strcmp(argv[i], "--")) {
            options_end = true;
        } else if (!options_end && argv[i][0] == '-' && argv[i][1]) {
            if (!parse_option(call, argc, argv, &i)) {
                return false;
            }
        } else {
            call->args[call->n_args++] = argv[i];
        }
    }
    return true;
}

/* Sets the format from the words before they are parsed, so that what is
 * wrong with them is said in the right format. */
static bool
get_format(struct mlog_call *call, int argc, const char *argv[])
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        const char *word = argv[i];
        const char *value = (!strncmp(word, "--format=", 9) ? word + 9
                             : !strncmp(word, "-f=", 3) ? word + 3
                             : strcmp(word, "--format") && strcmp(word, "-f")
                             ? NULL
                             : i + 1 < argc ? argv[++i]
                             : NULL);

        if (value && !mlog_format_from_string(value, &call->format)) {
            struct ds message = DS_EMPTY_INITIALIZER;

            ds_put_cstr(&message, "unknown format ");
            mlog_put_quoted(&message, value);
            ds_put_cstr(&message, "; the formats are table, json and csv");
            return mlog_call_take_message(call, value, value,
                                          ds_steal_cstr(&message));
        }
    }
    return true;
}

static bool
check_size(struct mlog_call *call, int argc, const char *argv[])
{
    size_t size = 0;

    for (int i = 0; i < argc; i++) {
        size += strlen(argv[i]) + 1;
    }
    if (argc > MLOG_COMMAND_MAX_WORDS || size > MLOG_COMMAND_MAX_BYTES) {
        return mlog_call_error(call, NULL, NULL, "command too long: a command "
                               "has at most %d words and %d bytes",
                               MLOG_COMMAND_MAX_WORDS,
                               MLOG_COMMAND_MAX_BYTES);
    }
    return true;
}

static bool
find_call_command(struct mlog_call *call, const char *name)
{
    const char *names[ARRAY_SIZE(commands)];
    struct ds message = DS_EMPTY_INITIALIZER;
    const char *nearest;

    call->command = find_command(name);
    if (call->command) {
        return true;
    }

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        names[i] = commands[i].name;
    }
    nearest = mlog_nearest_name(name, names, ARRAY_SIZE(names));
    ds_put_cstr(&message, "unknown command ");
    mlog_put_quoted(&message, name);
    if (nearest) {
        ds_put_format(&message, "; did you mean '%s'?", nearest);
    }
    return mlog_call_take_message(call, name, NULL, ds_steal_cstr(&message));
}

static bool
check_n_args(struct mlog_call *call)
{
    const struct mlog_command *command = call->command;

    if (call->n_args < command->min_args) {
        return mlog_call_error(call, NULL, NULL, "missing argument; usage: "
                               "%s %s", command->name, command->usage);
    } else if (call->n_args > command->max_args) {
        const char *extra = call->args[command->max_args];
        bool has_expr = strstr(command->usage, "EXPR") != NULL;

        return mlog_call_error(call, extra, extra,
                               "unexpected argument%s; usage: %s%s%s",
                               has_expr ? "; quote an expression that has "
                               "spaces" : "", command->name,
                               *command->usage ? " " : "", command->usage);
    }
    return true;
}

static void
show_help(struct mlog_call *call)
{
    const struct mlog_command *command = call->command;
    struct ds text = DS_EMPTY_INITIALIZER;

    ds_put_format(&text, "%s: %s\nusage: %s %s\n", command->name,
                  command->doc, command->name, command->usage);
    ds_chomp(&text, '\n');
    ds_chomp(&text, ' ');
    ds_put_cstr(&text, "\noptions:\n");
    for (size_t i = 0; i < MLOG_N_OPTIONS; i++) {
        if (command->options & UINT64_C(1) << i) {
            const char *metavar = options[i].metavar;
            bool optional = metavar && *metavar == '?';
            char *option = xasprintf("--%s%s%s%s", options[i].name,
                                     optional ? "[=" : metavar ? "=" : "",
                                     metavar ? metavar + optional : "",
                                     optional ? "]" : "");

            ds_put_format(&text, "  %-28s %s\n", option, options[i].doc);
            free(option);
        }
    }
    mlog_document_put_string(&call->doc, "help", ds_cstr(&text));
    if (call->format != MLOG_FORMAT_JSON) {
        call->doc.format = MLOG_FORMAT_TABLE;
        ds_swap(&call->doc.text, &text);
    }
    ds_destroy(&text);
}

static void
run_call(struct mlog_call *call, int argc, const char *argv[])
{
    if (check_size(call, argc, argv)
        && get_format(call, argc, argv)
        && find_call_command(call, argv[0])
        && parse_words(call, argc, argv)) {
        mlog_document_init(&call->doc, call->format);
        if (mlog_call_has(call, MLOG_OPT_HELP)) {
            show_help(call);
        } else if (check_n_args(call)) {
            call->command->run(call);
        }
    }
}

static void
end_call(struct mlog_call *call, const char *name, struct mlog_reply *reply)
{
    ds_clear(&reply->body);
    reply->error = mlog_call_failed(call);
    reply->format = call->format;
    if (reply->error) {
        put_error(call, name, &reply->body);
    } else {
        mlog_document_render(&call->doc, &reply->body);
    }
    mlog_document_destroy(&call->doc);
    mlog_pcap_filter_unref(call->pcap_filter);
    mlog_error_clear(&call->error);
    free(call);
}

void
mlog_command_run_query(struct multilog *ml, struct mlog_query *query,
                       int argc, const char *argv[],
                       struct mlog_reply *reply)
{
    struct mlog_call *call = xzalloc(sizeof *call);

    call->ml = ml;
    call->query = query;
    call->format = reply->format;
    run_call(call, argc, argv);
    end_call(call, argv[0], reply);
}

void
mlog_command_run(struct multilog *ml, int argc, const char *argv[],
                 struct mlog_reply *reply)
{
    mlog_command_run_query(ml, NULL, argc, argv, reply);
}

void
mlog_command_refuse(int argc, const char *argv[], struct mlog_reply *reply,
                    const char *message)
{
    struct mlog_call *call = xzalloc(sizeof *call);

    call->format = reply->format;
    if (get_format(call, argc, argv)) {
        mlog_call_error(call, NULL, NULL, "%s", message);
    }
    end_call(call, argv[0], reply);
}
