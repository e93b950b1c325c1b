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

#include <ctype.h>
#include <stdio.h>

#include "mlog-cli-client.h"
#include "mlog-fields.h"
#include "openvswitch/json.h"
#include "util.h"

/* The verb "completion".
 *
 * The script of the shell asks this program, which asks the switch: what there
 * is to complete is known nowhere else. */

static const char script[] = "\
# shellcheck shell=bash disable=SC2207\n\
# Completion of ovs-multilog's words for bash.\n\
_ovs_multilog() {\n\
    local IFS=$'\\n' words\n\
    words=$(ovs-multilog completion words \"$COMP_CWORD\" \\\n\
                \"${COMP_WORDS[@]}\" 2>/dev/null)\n\
    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n\
    [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *[=,] ]] ||\n\
        compopt -o nospace\n\
}\n\
complete -o bashdefault -o default -F _ovs_multilog ovs-multilog\n";

struct completion {
    struct mlog_cli *cli;
    struct svec words;          /* After the program's name. */
    size_t current;             /* The word that is completed. */
    struct svec found;
};

static void
add_strings(struct completion *c, const char *const strings[])
{
    for (size_t i = 0; strings[i]; i++) {
        svec_add(&c->found, strings[i]);
    }
}

static void
add_verbs(struct completion *c)
{
    const struct mlog_cli_verb *verb;

    for (size_t i = 0; (verb = mlog_cli_verb_get(i)); i++) {
        svec_add(&c->found, verb->name);
    }
}

static void
add_own_options(struct completion *c)
{
    static const char *const options[] = {
        "--target=", "--format=", "--no-names", "--utc", "--color", "--help",
        NULL
    };

    add_strings(c, options);
}

/* Column "name" of what "multilog/COMMAND" lists. */
static void
add_names(struct completion *c, const char *command, const char *column)
{
    struct mlog_cli_answer *answer;
    char *message;

    if (mlog_cli_try_command(c->cli, command, NULL, &answer, &message)) {
        free(message);
        return;
    }
    for (size_t i = 0; i < mlog_cli_answer_n_rows(answer); i++) {
        const char *name = mlog_json_string(mlog_cli_answer_row(answer, i),
                                            column);

        if (name) {
            svec_add(&c->found, name);
        }
    }
    mlog_cli_answer_destroy(answer);
}

/* The fields; those of a list go on after its last comma. */
static void
add_fields(struct completion *c, const char *before)
{
    const struct mlog_field *field;

    MLOG_FIELD_FOR_EACH (field) {
        svec_add_nocopy(&c->found, xasprintf("%s%s", before, field->name));
    }
}

/* Names that an expression begins with. */
static void
add_expression(struct completion *c)
{
    add_names(c, "multilog/fields", "name");
}

/* Returns the command whose options and names are meant, or NULL. */
static char *
get_command(const struct completion *c)
{
    const char *verb = c->words.n > 1 ? c->words.names[0] : "";
    const struct mlog_cli_verb *v = mlog_cli_verb_find(verb);
    bool query = (!strcmp(verb, "top") || !strcmp(verb, "follow")
                  || !strcmp(verb, "export"));

    if (mlog_cli_is_noun(verb)) {
        return (c->words.n > 2 && c->current > 1
                ? xasprintf("multilog/%s-%s", verb, c->words.names[1])
                : NULL);
    }
    return (query ? xstrdup("multilog/query")
            : v && v->command ? xasprintf("multilog/%s", v->command)
            : NULL);
}

/* Lines such as "  --since=TIME   only ..." of the switch's help. */
static void
add_options(struct completion *c)
{
    char *command = get_command(c);
    struct mlog_cli_answer *answer;
    char *message;
    const char *p;

    add_own_options(c);
    if (!command) {
        return;
    }
    if (!mlog_cli_try_command(c->cli, command, "--help", &answer, &message)) {
        p = mlog_json_string(answer->root, "help");
        while (p && (p = strstr(p, "\n  --"))) {
            size_t n;

            p += 3;
            n = strspn(p, "abcdefghijklmnopqrstuvwxyz-");
            svec_add_nocopy(&c->found, xasprintf("%.*s%s", (int) n, p,
                                                 p[n] == '=' ? "=" : ""));
        }
        mlog_cli_answer_destroy(answer);
    } else {
        free(message);
    }
    free(command);
}

/* Values of an option, "before" being what is in front of them. */
static void
add_values(struct completion *c, const char *option, const char *value)
{
    const char *comma = strrchr(value, ',');
    char *before = xmemdup0(value, comma ? comma + 1 - value : 0);
    static const char *const formats[] = { "table", "json", "jsonl", "csv",
                                           NULL };
    static const char *const colors[] = { "auto", "always", "never", NULL };
    static const char *const keys[] = { "count", "bytes", "packets", NULL };

    if (!strcmp(option, "--fields") || !strcmp(option, "--group-by")
        || !strcmp(option, "--distinct") || !strcmp(option, "--order-by")
        || !strcmp(option, "--on")) {
        add_fields(c, before);
    } else if (!strcmp(option, "--format") || !strcmp(option, "-f")) {
        add_strings(c, formats);
    } else if (!strcmp(option, "--color")) {
        add_strings(c, colors);
    } else if (!strcmp(option, "--by")) {
        add_strings(c, keys);
    } else if (!strcmp(option, "--filter")) {
        add_names(c, "multilog/filter-list", "name");
    }
    free(before);
}

/* Subcommands of a noun, from the switch. */
static void
add_subcommands(struct completion *c, const char *noun)
{
    struct svec commands;
    size_t n = strlen(noun);

    if (!mlog_cli_get_commands(c->cli, &commands)) {
        for (size_t i = 0; i < commands.n; i++) {
            if (!strncmp(commands.names[i], noun, n)
                && commands.names[i][n] == '-') {
                svec_add(&c->found, commands.names[i] + n + 1);
            }
        }
        svec_add(&c->found, "show");
    }
    svec_destroy(&commands);
}

/* The words after "NOUN SUB". */
static void
add_noun_words(struct completion *c, const char *noun, const char *sub)
{
    size_t i = c->current;

    if (strcmp(sub, "add") && i == 2) {
        char *command = xasprintf("multilog/%s-list", noun);

        add_names(c, command, "name");
        free(command);
    } else if (!strcmp(sub, "add") && !strcmp(noun, "filter") && i == 3) {
        add_expression(c);
    } else if (!strcmp(sub, "add") && !strcmp(noun, "aggregate")) {
        static const char *const functions[] = {
            "count", "rate", "sum(", "min(", "max(", "avg(", NULL
        };
        static const char *const options[] = { "window=", "group-by=", NULL };

        if (i == 3) {
            add_names(c, "multilog/filter-list", "name");
        } else {
            add_strings(c, i == 4 ? functions : options);
        }
    } else if (!strcmp(sub, "add") && !strcmp(noun, "trigger")) {
        static const char *const options[] = { "period=", "for=", "clear=",
                                               NULL };

        if (i == 3) {
            add_names(c, "multilog/aggregate-list", "name");
        } else {
            add_strings(c, options);
        }
    }
}

/* Words that stand for themselves. */
static void
add_plain(struct completion *c)
{
    static const char *const archive[] = { "show", "verify", "flush", "drop",
                                           "drop-before", NULL };
    static const char *const rules[] = { "show", "export", "import", NULL };
    static const char *const queries[] = { "list", "cancel", NULL };
    static const char *const shells[] = { "bash", NULL };
    const char *verb = c->words.names[0];

    if (mlog_cli_is_noun(verb)) {
        if (c->current == 1) {
            add_subcommands(c, verb);
        } else {
            add_noun_words(c, verb, c->words.names[1]);
        }
    } else if (!strcmp(verb, "watch") || !strcmp(verb, "help")) {
        add_verbs(c);
    } else if (!strcmp(verb, "archive") && c->current == 1) {
        add_strings(c, archive);
    } else if (!strcmp(verb, "rules") && c->current == 1) {
        add_strings(c, rules);
    } else if (!strcmp(verb, "queries") && c->current == 1) {
        add_strings(c, queries);
    } else if (!strcmp(verb, "completion")) {
        add_strings(c, shells);
    } else if (!strcmp(verb, "set") && c->current == 1) {
        add_names(c, "multilog/set", "key");
    } else if (!strcmp(verb, "fields")
               || !strcmp(verb, "query") || !strcmp(verb, "flows")
               || !strcmp(verb, "conversations") || !strcmp(verb, "top")
               || !strcmp(verb, "follow")
               || (!strcmp(verb, "export") && c->current > 1)) {
        add_expression(c);
    }
}

/* Leaves out the program's options before the verb, so that the verb is the
 * first word, but takes note of the target. */
static void
drop_leading_options(struct completion *c)
{
    while (c->current && c->words.n && c->words.names[0][0] == '-') {
        const char *word = c->words.names[0];
        bool has_value = !strcmp(word, "-t") || !strcmp(word, "--target")
                         || !strcmp(word, "-f") || !strcmp(word, "--format");

        if (!strncmp(word, "--target=", 9)) {
            c->cli->target = xstrdup(word + 9);
        } else if (has_value && c->words.n > 1 && strstr(word, "t")
                   && word[1] != 'f') {
            c->cli->target = xstrdup(c->words.names[1]);
        }
        mlog_cli_remove_word(&c->words, 0);
        c->current--;
        if (has_value && c->current && c->words.n) {
            mlog_cli_remove_word(&c->words, 0);
            c->current--;
        }
    }
}

/* Bash takes "=" for a word of its own: "--format", "=", "c".  What it then
 * asks for is the last one alone. */
static void
complete(struct completion *c)
{
    const char *word = c->words.names[c->current];
    const char *before = c->current ? c->words.names[c->current - 1] : "";

    if (!strcmp(word, "=") && before[0] == '-') {
        add_values(c, before, "");
    } else if (!strcmp(before, "=") && c->current > 1) {
        add_values(c, c->words.names[c->current - 2], word);
    } else if (word[0] == '-' && strchr(word, '=')) {
        char *option = xmemdup0(word, strcspn(word, "="));

        add_values(c, option, strchr(word, '=') + 1);
        free(option);
    } else if (!c->current) {
        add_verbs(c);
        add_own_options(c);
    } else if (word[0] == '-') {
        add_options(c);
    } else {
        add_values(c, before, word);
        if (!c->found.n) {
            add_plain(c);
        }
    }
}

static void
print_found(struct completion *c)
{
    svec_sort_unique(&c->found);
    for (size_t i = 0; i < c->found.n; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        mlog_cli_put_clean(&s, c->found.names[i]);
        printf("%s\n", ds_cstr(&s));
        ds_destroy(&s);
    }
}

/* "words N PROGRAM WORD...": what word N, counting the program's name as 0,
 * could be. */
static int
complete_words(struct mlog_cli *cli, struct svec *words)
{
    struct completion c = { .cli = cli, .words = SVEC_EMPTY_INITIALIZER,
                            .found = SVEC_EMPTY_INITIALIZER };
    int current;

    if (words->n < 3 || !str_to_int(words->names[1], 10, &current)
        || current < 1 || current > words->n - 2) {
        return MLOG_CLI_USAGE;
    }
    for (size_t i = 3; i < words->n; i++) {
        svec_add(&c.words, words->names[i]);
    }
    c.current = current - 1;
    if (c.current >= c.words.n) {
        svec_add(&c.words, "");
    }
    drop_leading_options(&c);
    complete(&c);
    print_found(&c);
    svec_destroy(&c.words);
    svec_destroy(&c.found);
    return MLOG_CLI_OK;
}

int
mlog_cli_completion(struct mlog_cli *cli, struct svec *words)
{
    if (words->n && !strcmp(words->names[0], "words")) {
        return complete_words(cli, words);
    } else if (words->n != 1 || strcmp(words->names[0], "bash")) {
        return mlog_cli_fail(cli, MLOG_CLI_USAGE, xasprintf(
            "usage: %s completion bash", program_name));
    }
    fputs(script, stdout);
    return MLOG_CLI_OK;
}
