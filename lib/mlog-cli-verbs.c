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

#include <stdio.h>
#include <string.h>

#include "mlog-cli-client.h"
#include "mlog-fields.h"
#include "openvswitch/json.h"
#include "util.h"

/* The verbs, and how words become commands of the switch. */

#define RANGE "[--since TIME] [--until TIME] [--last DURATION]"

static const struct mlog_cli_verb verbs[] = {
    { "show", "show", mlog_cli_show, false, "",
      "state: records held and lost, memory, cost",
      "Shows whether packets are recorded, how many records there are and of\n"
      "which time, how many were lost, and what all of it costs.\n" },
    { "fields", "fields", NULL, false, "[NAME]",
      "the fields that expressions know",
      "Lists what can be asked of a record, or explains one field.\n" },
    { "query", "query", NULL, true, "[EXPR] " RANGE " [OPTION]...",
      "find records, count or group them",
      "Shows the newest records that match EXPR, the oldest of them first,\n"
      "or counts them (--count), or groups them (--group-by).\n"
      "\n"
      "  ovs-multilog query 'tcp && nw_dst == 10.0.0.0/24' --last 10s\n"
      "  ovs-multilog query drop --since 5m --group-by drop_reason\n" },
    { "flows", "flows", NULL, true, "[EXPR] " RANGE " [OPTION]...",
      "the greatest flows",
      "Shows which flows had the most bytes or packets.\n"
      "\n"
      "  ovs-multilog flows 'in_port == p1' --last 1m --top 10\n" },
    { "conversations", "conversations", NULL, false,
      "[EXPR] " RANGE " [OPTION]...",
      "flows with both directions in one",
      "Shows who talked with whom, and how much each said.\n" },
    { "join", "join", NULL, false, "[OPTION]...",
      "records of two queries that belong together",
      "Finds pairs: records of one query and of another that agree in some\n"
      "fields.\n" },
    { "top", NULL, mlog_cli_top, false,
      "[EXPR] [--by bytes|packets] [--group-by FIELD,...] [--interval "
      "SECONDS] [-b] [-n N]",
      "who is using the network now, as top(1)",
      "Shows the greatest flows, or groups, of the last interval, again and\n"
      "again.  Keys: b and p sort by bytes and packets, f edits the filter,\n"
      "g the fields to group by, + and - change the interval, space pauses,\n"
      "n switches between names and numbers, h helps, q ends.\n"
      "\n"
      "  -b, --batch         write to standard output, one screen after the "
      "other\n"
      "  -n, --iterations=N  end after N screens\n"
      "  --by=KEY            bytes (default) or packets\n"
      "  --group-by=FIELDS   groups instead of flows\n"
      "  --interval=SECONDS  default: 1\n"
      "  --rows=N            in batch mode: so many rows (default: 20)\n" },
    { "watch", NULL, mlog_cli_watch, false,
      "[--interval SECONDS] [-b] [-n N] VERB [WORD]...",
      "any other verb, again and again",
      "Repeats another verb and shows its answer on the whole screen.  Keys:\n"
      "space pauses, + and - change the interval, q ends.\n"
      "\n"
      "  ovs-multilog watch query drop --last 10s --group-by drop_reason\n"
      "\n"
      "  -b, --batch         write to standard output, one screen after the "
      "other\n"
      "  -n, --iterations=N  end after N screens\n"
      "  --interval=SECONDS  default: 2\n" },
    { "follow", NULL, mlog_cli_follow, true,
      "[EXPR] [--since TIME] [--fields FIELD,...] [--interval SECONDS]",
      "records as they come, as tail -f",
      "Shows each record that matches EXPR exactly once, in order, as they\n"
      "come; and says where records were lost.  Ends with Ctrl-C.\n"
      "\n"
      "  ovs-multilog follow 'tcp_flags == +rst'\n"
      "  ovs-multilog follow drop --format jsonl | jq .drop_reason\n"
      "\n"
      "  --since=TIME        begin there, not now\n"
      "  --fields=FIELD,...  what to show, or \"all\"\n"
      "  --interval=SECONDS  how often to ask; default: 0.5\n"
      "  --limit=N           end after N records\n" },
    { "alerts", "alerts", NULL, true,
      "[--since-seq N] [--last DURATION] [--limit N] [--follow]",
      "what triggers have raised and cleared",
      "Shows the newest alerts; with --follow, each one as it comes.\n" },
    { "filter", "filter", NULL, false,
      "[list] | add NAME EXPR | del NAME | show NAME",
      "named conditions, counted from now on",
      "A filter counts the packets that match an expression, and feeds\n"
      "aggregates.\n"
      "\n"
      "  ovs-multilog filter add web 'tcp && tp_dst == 80'\n" },
    { "aggregate", "aggregate", NULL, false,
      "[list] | add NAME FILTER FUNC[(FIELD)] [window=DURATION] "
      "[group-by=FIELD,...] | del NAME | show NAME [--top N]",
      "functions of a filter's packets, by window and group",
      "An aggregate computes a function of a filter's packets over a moving\n"
      "window, for each group.\n"
      "\n"
      "  ovs-multilog aggregate add syns syn count window=10s "
      "group-by=nw_src\n" },
    { "trigger", "trigger", NULL, false,
      "[list] | add NAME 'AGGREGATE OP VALUE' [period=DURATION] "
      "[for=DURATION] [clear=VALUE] | del NAME | show NAME",
      "conditions on aggregates, which raise alerts",
      "A trigger raises an alert when an aggregate crosses a value, and\n"
      "clears it afterwards.\n"
      "\n"
      "  ovs-multilog trigger add scan 'syns > 100' for=1s clear=10\n" },
    { "preset", "preset", NULL, false, "[list] | show NAME | SUBCOMMAND ...",
      "ready-made filters, aggregates and triggers",
      "Presets are what many people want to watch.\n" },
    { "rules", NULL, mlog_cli_rules, false,
      "[show] | export [FILE] | import FILE [--replace] [--dry-run]",
      "all of these and how they depend on each other",
      "Shows each filter with the aggregates and triggers that use it; saves\n"
      "all of them as text, and adds what a file has.\n"
      "\n"
      "  --replace   delete what is not in the file, and change what is "
      "different\n"
      "  --dry-run   only say what would be done\n" },
    { "archive", "archive", NULL, false,
      "[show | verify [SEQ] | flush | drop SEQ | drop-before TIME]",
      "segments on disk",
      "Lists or checks the archive's files, or removes some.\n" },
    { "export", NULL, mlog_cli_export, false,
      "FILE [EXPR] " RANGE " [--format pcapng|csv|jsonl] [--force]",
      "write records to a file, for Wireshark and others",
      "Writes the records that match EXPR, oldest first, to FILE: a capture\n"
      "(pcapng: headers as far as they were recorded), CSV or JSON lines.\n"
      "The format is that of FILE's name, unless --format says.  FILE is\n"
      "there when it is complete.  \"-\" is standard output.\n"
      "\n"
      "  ovs-multilog export drops.pcapng drop --last 10m\n"
      "\n"
      "  --force             overwrite FILE\n"
      "  --fields=FIELD,...  of csv and jsonl: what to write; default: all\n"
      "  --limit=N           only the first N\n"
      "  --quiet             no progress bar\n" },
    { "doctor", NULL, mlog_cli_doctor, false, "",
      "check the installation and say what to do",
      "Checks huge pages, clock, memory, losses, archive, versions, "
      "permissions\nand processors.  Exit status: 0 if all is well, 3 if "
      "something wants\nattention, 4 if something does not work.\n" },
    { "queries", "query-list", NULL, false, "[list] | cancel ID",
      "queries that run now",
      "Lists the queries that the switch is working on, or ends one.\n" },
    { "set", "set", NULL, false, "[KEY [VALUE]]",
      "settings",
      "Shows the settings, or changes one.\n" },
    { "completion", NULL, mlog_cli_completion, false, "bash",
      "print the completion script of a shell",
      "  source <(ovs-multilog completion bash)\n" },
};

const struct mlog_cli_verb *
mlog_cli_verb_get(size_t i)
{
    return i < ARRAY_SIZE(verbs) ? &verbs[i] : NULL;
}

const struct mlog_cli_verb *
mlog_cli_verb_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        if (!strcmp(name, verbs[i].name)) {
            return &verbs[i];
        }
    }
    return NULL;
}

bool
mlog_cli_is_noun(const char *name)
{
    return (!strcmp(name, "filter") || !strcmp(name, "aggregate")
            || !strcmp(name, "trigger") || !strcmp(name, "preset"));
}

/* Help. */

void
mlog_cli_print_help(void)
{
    printf("\
%s: ask an Open vSwitch what its packets did\n\
usage: %s [OPTION]... VERB [WORD]...\n\
\n\
Verbs (\"%s VERB --help\" explains one):\n",
           program_name, program_name, program_name);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        printf("  %-14s %s\n", verbs[i].name, verbs[i].summary);
    }
    printf("\n\
Options, which may also follow the verb:\n\
  -t, --target=TARGET    the switch: process ID, pidfile's name, or /SOCKET\n\
  -f, --format=FORMAT    " MLOG_CLI_FORMATS "\n\
  -n, --no-names         numbers of ports, protocols and services, no names\n\
  --utc                  times in UTC instead of the local zone\n\
  --color[=WHEN]         auto (default), always, never; also NO_COLOR\n\
  -h, --help             this, or the verb's help\n\
  -V, --version          the version\n\
  -v, --verbose=[SPEC]   log messages, as of other Open vSwitch programs\n\
All other options go to the switch.\n\
\n\
Times are like 5m (ago), now, or 2026-01-31T12:00:00+01:00.  Expressions are\n\
explained in multilog-expressions(7), fields in multilog-fields(7).\n\
\n\
Exit status: 0 if all went well, 1 if it could not be done, 2 if the words\n\
make no sense, 3 if something is missing in the answer: records were lost.\n");
}

/* Prints the options that the switch says the command has. */
static void
print_options(struct mlog_cli *cli, const char *command)
{
    struct mlog_cli_answer *answer;
    char *message = NULL;
    const char *help;

    if (!cli->client) {
        message = mlog_cli_client_open(cli->target, &cli->client);
    }
    if (!message && !mlog_cli_try_command(cli, command, "--help", &answer,
                                          &message)) {
        help = mlog_json_string(answer->root, "help");
        help = help ? strstr(help, "\noptions:\n") : NULL;
        if (help) {
            char *text = mlog_cli_translate(help);

            fputs(text, stdout);
            free(text);
        }
        mlog_cli_answer_destroy(answer);
    } else {
        printf("\nThe switch, which knows the options, does not tell: %s\n",
               message);
        free(message);
    }
}

void
mlog_cli_verb_help(struct mlog_cli *cli, const struct mlog_cli_verb *verb,
                   const char *sub)
{
    char *command = NULL;

    printf("%s %s: %s\nusage: %s %s %s\n\n%s", program_name, verb->name,
           verb->summary, program_name, verb->name, verb->usage, verb->help);
    if (mlog_cli_is_noun(verb->name)) {
        command = sub ? xasprintf("multilog/%s-%s", verb->name, sub) : NULL;
    } else if (verb->command) {
        command = xasprintf("multilog/%s", verb->command);
    }
    if (command) {
        print_options(cli, command);
        free(command);
    }
}

/* Options of this tool. */

static char *
take_format(struct mlog_cli *cli, const char *value)
{
    cli->format_given = true;
    if (!value || !mlog_cli_format_from_string(value, &cli->format)) {
        struct ds s = DS_EMPTY_INITIALIZER;

        cli->format = MLOG_CLI_TABLE;
        ds_put_cstr(&s, "unknown format ");
        mlog_put_quoted(&s, value ? value : "");
        ds_put_cstr(&s, "; the formats are " MLOG_CLI_FORMATS);
        return ds_steal_cstr(&s);
    }
    return NULL;
}

/* Takes the tool's options out of 'words', so that the rest is the switch's.
 * Returns a message to free, or NULL. */
static char *
take_options(struct mlog_cli *cli, struct svec *words)
{
    bool is_top = !strcmp(words->names[0], "top")
                  || !strcmp(words->names[0], "watch");
    bool is_export = !strcmp(words->names[0], "export");
    char *value = NULL, *message = NULL;

    if (mlog_cli_take_value(words, "--target", &value)
        || mlog_cli_take_value(words, "-t", &value)) {
        if (!value) {
            return xstrdup("--target: needs a value");
        }
        cli->target = value;    /* Needed to the end. */
        value = NULL;
    }
    if (!is_export && (mlog_cli_take_value(words, "--format", &value)
                       || mlog_cli_take_value(words, "-f", &value))) {
        message = take_format(cli, value);
        free(value);
        if (message) {
            return message;
        }
    }
    if (mlog_cli_has_option(words, "--color=auto")
        || mlog_cli_has_option(words, "--color=always")
        || mlog_cli_has_option(words, "--color=never")) {
        mlog_cli_take_value(words, "--color", &value);
        mlog_cli_set_color(cli, value);
        free(value);
    } else if (mlog_cli_take_flag(words, "--color")) {
        mlog_cli_set_color(cli, "always");
    } else if (mlog_cli_has_option(words, "--color")) {
        return xstrdup("--color: needs auto, always or never");
    }
    if ((!is_top && mlog_cli_take_flag(words, "-n"))
        || mlog_cli_take_flag(words, "--no-names")) {
        cli->style.names = false;
    }
    cli->style.utc |= mlog_cli_take_flag(words, "--utc");
    cli->help = (mlog_cli_take_flag(words, "--help")
                 || mlog_cli_take_flag(words, "-h"));
    cli->ranged = (mlog_cli_has_option(words, "--since")
                   || mlog_cli_has_option(words, "--last"));
    return NULL;
}

/* Running a command of the switch. */

static int
run_command(struct mlog_cli *cli, const struct svec *words, bool condense)
{
    struct mlog_cli_answer *answer;
    int status = mlog_cli_ask(cli, words, &answer);

    if (!status) {
        const char *next = mlog_json_string(answer->root, "next");

        status = mlog_cli_print(cli, answer, condense);
        if (next && cli->format == MLOG_CLI_TABLE
            && (mlog_cli_has_option(words, "--cursor")
                || mlog_cli_has_option(words, "--since-cursor"))) {
            struct ds s = DS_EMPTY_INITIALIZER;

            ds_put_cstr(&s, "go on with ");
            mlog_cli_put_clean(&s, next);
            ds_put_char(&s, '\n');
            mlog_cli_write(&s);
            ds_destroy(&s);
        }
        mlog_cli_answer_destroy(answer);
    }
    return status;
}

static void
set_command(struct svec *words, const char *command)
{
    free(words->names[0]);
    words->names[0] = xasprintf("multilog/%s", command);
}

/* "show NAME" of a switch that can only list. */
static int
show_one(struct mlog_cli *cli, const char *noun, const char *name)
{
    char *command = xasprintf("multilog/%s-list", noun);
    struct mlog_cli_answer *answer;
    int status = mlog_cli_ask_command(cli, command, NULL, &answer);
    const char **names;
    size_t n, i;

    free(command);
    if (status) {
        return status;
    }
    n = mlog_cli_answer_n_rows(answer);
    names = xmalloc((n + 1) * sizeof *names);
    for (i = 0; i < n; i++) {
        names[i] = mlog_json_string(mlog_cli_answer_row(answer, i), "name");
        names[i] = names[i] ? names[i] : "";
        if (!strcmp(names[i], name)) {
            break;
        }
    }
    if (i < n) {
        struct ds s = DS_EMPTY_INITIALIZER;

        if (cli->format == MLOG_CLI_TABLE) {
            mlog_cli_put_object(mlog_cli_answer_row(answer, i),
                                &answer->columns, &cli->style, &s);
        } else if (cli->format == MLOG_CLI_CSV) {
            mlog_cli_put_names_csv(&answer->columns, &s);
            mlog_cli_put_row_csv(mlog_cli_answer_row(answer, i),
                                 &answer->columns, &s);
        } else {
            mlog_cli_put_row_json(mlog_cli_answer_row(answer, i),
                                  &answer->columns, &s);
        }
        mlog_cli_write(&s);
        ds_destroy(&s);
    } else {
        const char *nearest = mlog_nearest_name(name, names, n);
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_format(&s, "there is no %s ", noun);
        mlog_put_quoted(&s, name);
        if (nearest) {
            ds_put_format(&s, "; did you mean '%s'?", nearest);
        }
        status = mlog_cli_fail(cli, MLOG_CLI_ERROR, ds_steal_cstr(&s));
    }
    free(names);
    mlog_cli_answer_destroy(answer);
    return status;
}

/* Returns a message that says what 'word' could have been. */
static char *
unknown_word(const char *what, const char *word, const struct svec *names)
{
    const char *nearest = mlog_nearest_name(
        word, (const char *const *) names->names, names->n);
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "unknown %s ", what);
    mlog_put_quoted(&s, word);
    if (nearest) {
        ds_put_format(&s, "; did you mean '%s'?", nearest);
    } else {
        ds_put_cstr(&s, "; what there is:");
        for (size_t i = 0; i < names->n; i++) {
            ds_put_format(&s, "%s %s", i ? "," : "", names->names[i]);
        }
    }
    return ds_steal_cstr(&s);
}

/* filter, aggregate, trigger, preset: "NOUN SUB" is the command NOUN-SUB. */
static int
run_noun(struct mlog_cli *cli, const char *noun, struct svec *words)
{
    const char *sub = words->n > 1 ? words->names[1] : "list";
    struct svec commands, subs = SVEC_EMPTY_INITIALIZER;
    size_t length = strlen(noun);
    int status = mlog_cli_get_commands(cli, &commands);
    bool found = false;

    for (size_t i = 0; i < commands.n; i++) {
        if (!strncmp(commands.names[i], noun, length)
            && commands.names[i][length] == '-') {
            svec_add(&subs, commands.names[i] + length + 1);
        }
    }
    found = svec_contains_unsorted(&subs, sub);
    if (status) {
        /* It has been said. */
    } else if (!subs.n) {
        status = mlog_cli_fail(cli, MLOG_CLI_ERROR, xasprintf(
            "this switch does not know %ss; it is an older one", noun));
    } else if (!found && !strcmp(sub, "show") && words->n == 3) {
        status = show_one(cli, noun, words->names[2]);
    } else if (!found) {
        if (!svec_contains_unsorted(&subs, "show")) {
            svec_add(&subs, "show");
        }
        status = mlog_cli_fail(cli, MLOG_CLI_USAGE,
                               unknown_word("subcommand", sub, &subs));
    } else {
        char *command = xasprintf("%s-%s", noun, sub);

        if (words->n > 1) {
            mlog_cli_remove_word(words, 1);
        }
        set_command(words, command);
        free(command);
        status = run_command(cli, words, false);
    }
    svec_destroy(&subs);
    svec_destroy(&commands);
    return status;
}

static int
run_queries(struct mlog_cli *cli, struct svec *words)
{
    if (words->n > 1 && !strcmp(words->names[1], "cancel")) {
        mlog_cli_remove_word(words, 1);
        set_command(words, "query-cancel");
    } else {
        if (words->n > 1 && !strcmp(words->names[1], "list")) {
            mlog_cli_remove_word(words, 1);
        }
        set_command(words, "query-list");
    }
    return run_command(cli, words, false);
}

/* A verb that this tool doesn't know may be a newer switch's. */
static int
run_unknown(struct mlog_cli *cli, struct svec *words)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    struct mlog_cli_client *client;
    char *error = mlog_cli_client_open(cli->target, &client);
    int status = MLOG_CLI_USAGE;

    free(error);
    if (client) {
        mlog_cli_client_close(client);
        svec_destroy(&names);
        mlog_cli_get_commands(cli, &names);
    }
    if (svec_contains_unsorted(&names, words->names[0])) {
        char *name = xstrdup(words->names[0]);

        if (cli->help) {
            svec_add(words, "--help");
        }
        set_command(words, name);
        free(name);
        status = run_command(cli, words, false);
    } else {
        svec_clear(&names);
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
            svec_add(&names, verbs[i].name);
        }
        mlog_cli_fail(cli, status,
                      unknown_word("verb", words->names[0], &names));
    }
    svec_destroy(&names);
    return status;
}

static int
run_verb(struct mlog_cli *cli, const struct mlog_cli_verb *verb,
         struct svec *words)
{
    bool fields = mlog_cli_has_option(words, "--fields");

    if (verb->run) {
        mlog_cli_remove_word(words, 0);
        return verb->run(cli, words);
    } else if (mlog_cli_is_noun(verb->name)) {
        return run_noun(cli, verb->name, words);
    } else if (!strcmp(verb->name, "queries")) {
        return run_queries(cli, words);
    } else if (!strcmp(verb->name, "alerts")
               && (mlog_cli_take_flag(words, "--follow")
                   || mlog_cli_take_flag(words, "-F"))) {
        mlog_cli_remove_word(words, 0);
        return mlog_cli_follow_alerts(cli, words);
    }
    set_command(words, verb->command);
    return run_command(cli, words, (verb->condense && !fields
                                    && !mlog_cli_has_option(words,
                                                            "--group-by")));
}

int
mlog_cli_run(struct mlog_cli *cli, struct svec *words)
{
    const struct mlog_cli_verb *verb = mlog_cli_verb_find(words->names[0]);
    bool raw = (!strcmp(words->names[0], "completion") && words->n > 1
                && !strcmp(words->names[1], "words"));
    char *message = raw ? NULL : take_options(cli, words);

    if (message) {
        return mlog_cli_fail(cli, MLOG_CLI_USAGE, message);
    }
    if (!strcmp(words->names[0], "help")) {
        verb = words->n > 1 ? mlog_cli_verb_find(words->names[1]) : NULL;
        if (!verb) {
            mlog_cli_print_help();
            return MLOG_CLI_OK;
        }
        mlog_cli_remove_word(words, 0);
        cli->help = true;
    }
    if (!verb) {
        return run_unknown(cli, words);
    } else if (cli->help) {
        mlog_cli_verb_help(cli, verb, words->n > 1 ? words->names[1] : NULL);
        return MLOG_CLI_OK;
    }
    mlog_cli_catch_signals();
    return run_verb(cli, verb, words);
}
