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
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "mlog-cli-rules.h"
#include "openvswitch/json.h"
#include "util.h"

/* The verb "rules". */

#define MAX_FILE (16u << 20)

/* In the order in which they can be added. */
enum { PRESET, FILTER, AGGREGATE, TRIGGER };
static const char *const kinds[] = {
    [PRESET] = "preset",
    [FILTER] = "filter",
    [AGGREGATE] = "aggregate",
    [TRIGGER] = "trigger",
};

/* The switch's rules. */
struct state {
    /* NULL of what it doesn't have. */
    struct mlog_cli_answer *answers[ARRAY_SIZE(kinds)];
    struct mlog_cli_rules rules;
};

static void
add_option(struct svec *words, const char *name, const struct json *row,
           const char *member)
{
    const struct json *value = mlog_json_get(row, member);

    if (value && value->type == JSON_STRING) {
        svec_add_nocopy(words, xasprintf("%s=%s", name, value->string));
    } else if (value && (value->type == JSON_INTEGER
                         || value->type == JSON_REAL)) {
        char *text = json_to_string(value, 0);

        svec_add_nocopy(words, xasprintf("%s=%s", name, text));
        free(text);
    }
}

static void
add_word(struct svec *words, const struct json *row, const char *member)
{
    const char *value = mlog_json_string(row, member);

    svec_add(words, value ? value : "");
}

/* A rule that belongs to something else, such as a row of a database or a
 * preset, isn't the user's to save. */
static bool
is_owned(const struct json *row)
{
    const char *owner = mlog_json_string(row, "owner");

    return ((owner && strcmp(owner, "local") && strcmp(owner, "command"))
            || mlog_json_string(row, "preset"));
}

/* "NAME=VALUE NAME=VALUE", in which values may have spaces. */
static void
add_parameters(struct svec *words, const char *text)
{
    while (*text) {
        const char *end = text;

        for (;;) {
            size_t n;

            end += strcspn(end, " ");
            if (!*end) {
                break;
            }
            n = strspn(end + 1, "abcdefghijklmnopqrstuvwxyz_-");
            if (n && end[1 + n] == '=' && end[2 + n] != '=') {
                break;
            }
            end++;
        }
        svec_add_nocopy(words, xmemdup0(text, end - text));
        text = end + (*end == ' ');
    }
}

/* Presets that aren't installed are no rules. */
static void
add_preset(struct mlog_cli_rules *rules, const struct json *row)
{
    const char *prefix = mlog_json_string(row, "installed");
    const char *parameters = mlog_json_string(row, "parameters");
    struct svec words = SVEC_EMPTY_INITIALIZER;

    if (!prefix || is_owned(row)) {
        return;
    }
    svec_add(&words, "preset");
    add_word(&words, row, "name");
    if (strcmp(prefix, words.names[1])) {
        svec_add_nocopy(&words, xasprintf("as=%s", prefix));
    }
    if (parameters) {
        add_parameters(&words, parameters);
    }
    mlog_cli_rules_add(rules, &words, 0);
}

static void
add_rule(struct mlog_cli_rules *rules, const char *kind,
         const struct json *row)
{
    struct svec words = SVEC_EMPTY_INITIALIZER;

    svec_add(&words, kind);
    add_word(&words, row, "name");
    if (!strcmp(kind, "filter")) {
        add_word(&words, row, "expression");
    } else if (!strcmp(kind, "aggregate")) {
        add_word(&words, row, "filter");
        add_word(&words, row, "function");
        add_option(&words, "window", row, "window");
        add_option(&words, "group-by", row, "group_by");
    } else {
        add_word(&words, row, "condition");
        add_option(&words, "period", row, "period");
        add_option(&words, "for", row, "for");
        add_option(&words, "clear", row, "clear");
    }
    mlog_cli_rules_add(rules, &words, 0);
}

static void
state_destroy(struct state *state)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        mlog_cli_answer_destroy(state->answers[i]);
    }
    mlog_cli_rules_destroy(&state->rules);
}

static int
get_state(struct mlog_cli *cli, struct state *state)
{
    char *message;

    *state = (struct state) { .rules = MLOG_CLI_RULES_INITIALIZER };
    if (mlog_cli_try_command(cli, "multilog/preset-list", NULL,
                             &state->answers[PRESET], &message)) {
        free(message);
    }
    for (size_t i = 0; (state->answers[PRESET]
                        && i < mlog_cli_answer_n_rows(
                            state->answers[PRESET])); i++) {
        add_preset(&state->rules,
                   mlog_cli_answer_row(state->answers[PRESET], i));
    }
    for (size_t i = FILTER; i < ARRAY_SIZE(kinds); i++) {
        char *command = xasprintf("multilog/%s-list", kinds[i]);
        int status = mlog_cli_ask_command(cli, command, NULL,
                                          &state->answers[i]);

        free(command);
        if (status) {
            state_destroy(state);
            return status;
        }
        for (size_t j = 0; j < mlog_cli_answer_n_rows(state->answers[i]);
             j++) {
            const struct json *row = mlog_cli_answer_row(state->answers[i],
                                                         j);
            if (!is_owned(row)) {
                add_rule(&state->rules, kinds[i], row);
            }
        }
    }
    return MLOG_CLI_OK;
}

/* Show: a tree. */

/* Returns the aggregate of a condition such as "hits > 100", to be freed. */
static char *
condition_aggregate(const char *condition)
{
    return xmemdup0(condition, strcspn(condition, " <>=!"));
}

static void
put_heading(struct ds *s, const struct mlog_cli_style *style, size_t indent,
            const char *kind, const char *name)
{
    ds_put_char_multiple(s, ' ', indent);
    mlog_cli_put_color(s, style, MLOG_CLI_DIM);
    ds_put_format(s, "%s ", kind);
    mlog_cli_put_color(s, style, MLOG_CLI_PLAIN);
    mlog_cli_put_color(s, style, MLOG_CLI_BOLD);
    mlog_cli_put_clean(s, name ? name : "?");
    mlog_cli_put_color(s, style, MLOG_CLI_PLAIN);
    ds_put_cstr(s, ": ");
}

static void
put_member(struct ds *s, const struct mlog_cli_style *style,
           const char *before, const struct json *row, const char *member,
           const char *after)
{
    const struct json *value = mlog_json_get(row, member);

    if (value && value->type != JSON_NULL) {
        ds_put_cstr(s, before);
        mlog_cli_put_value(member, value, style, s);
        ds_put_cstr(s, after);
    }
}

static void
put_owner(struct ds *s, const struct json *row)
{
    if (is_owned(row)) {
        const char *owner = mlog_json_string(row, "preset");

        ds_put_cstr(s, owner ? ", of preset " : ", of ");
        mlog_cli_put_clean(s, owner ? owner
                           : mlog_json_string(row, "owner"));
    }
    ds_put_char(s, '\n');
}

static void
put_trigger(struct ds *s, const struct mlog_cli_style *style,
            const struct json *row)
{
    bool raised = mlog_json_number(row, "raised", 0) > 0;

    put_heading(s, style, 4, "trigger", mlog_json_string(row, "name"));
    put_member(s, style, "", row, "condition", "");
    put_member(s, style, " for ", row, "for", "");
    put_member(s, style, ", clear at ", row, "clear", "");
    mlog_cli_put_color(s, style, raised ? MLOG_CLI_RED : MLOG_CLI_PLAIN);
    put_member(s, style, " (", row, "raised", " raised now, ");
    put_member(s, style, "", row, "raises", " ever)");
    mlog_cli_put_color(s, style, MLOG_CLI_PLAIN);
    put_owner(s, row);
}

static void
put_triggers(struct ds *s, const struct mlog_cli_style *style,
             const struct state *state, const char *aggregate)
{
    const struct mlog_cli_answer *triggers = state->answers[TRIGGER];

    for (size_t i = 0; i < mlog_cli_answer_n_rows(triggers); i++) {
        const struct json *row = mlog_cli_answer_row(triggers, i);
        const char *condition = mlog_json_string(row, "condition");
        char *name = condition_aggregate(condition ? condition : "");

        if (!strcmp(name, aggregate)) {
            put_trigger(s, style, row);
        }
        free(name);
    }
}

static void
put_aggregates(struct ds *s, const struct mlog_cli_style *style,
               const struct state *state, const char *filter)
{
    const struct mlog_cli_answer *aggregates = state->answers[AGGREGATE];

    for (size_t i = 0; i < mlog_cli_answer_n_rows(aggregates); i++) {
        const struct json *row = mlog_cli_answer_row(aggregates, i);
        const char *name = mlog_json_string(row, "name");
        const char *of = mlog_json_string(row, "filter");

        if (!name || !of || strcmp(of, filter)) {
            continue;
        }
        put_heading(s, style, 2, "aggregate", name);
        put_member(s, style, "", row, "function", "");
        put_member(s, style, " over ", row, "window", "");
        put_member(s, style, " by ", row, "group_by", "");
        put_member(s, style, " (", row, "groups", " groups)");
        put_owner(s, row);
        put_triggers(s, style, state, name);
    }
}

static int
show(struct mlog_cli *cli, const struct state *state)
{
    const struct mlog_cli_style *style = &cli->style;
    const struct mlog_cli_answer *filters = state->answers[FILTER];
    size_t n = mlog_cli_answer_n_rows(filters);
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < n; i++) {
        const struct json *row = mlog_cli_answer_row(filters, i);
        const char *name = mlog_json_string(row, "name");

        put_heading(&s, style, 0, "filter", name);
        put_member(&s, style, "", row, "expression", "");
        put_member(&s, style, " (", row, "packets", " packets, ");
        put_member(&s, style, "", row, "bytes", ")");
        put_owner(&s, row);
        put_aggregates(&s, style, state, name ? name : "");
    }
    for (size_t i = 0; i < state->rules.n; i++) {
        if (!strcmp(state->rules.rules[i].words.names[0], "preset")) {
            mlog_cli_rule_format(&state->rules.rules[i], &s);
        }
    }
    if (!n && !s.length) {
        ds_put_cstr(&s, "no rules\n");
    }
    mlog_cli_write(&s);
    ds_destroy(&s);
    return MLOG_CLI_OK;
}

/* Programs get the answers as they are, together. */
static int
show_json(const struct state *state)
{
    struct json *root = json_object_create();
    struct ds s = DS_EMPTY_INITIALIZER;
    char *text;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char *name = xasprintf("%ss", kinds[i]);
        const struct json *rows = (state->answers[i]
                                   ? state->answers[i]->rows : NULL);

        json_object_put(root, name, rows ? json_clone(rows)
                        : json_array_create_empty());
        free(name);
    }
    text = json_to_string(root, JSSF_SORT);
    mlog_cli_put_clean_json(&s, text);
    ds_put_char(&s, '\n');
    mlog_cli_write(&s);
    ds_destroy(&s);
    free(text);
    json_destroy(root);
    return MLOG_CLI_OK;
}

/* Export. */

static int
export(struct mlog_cli *cli, const struct state *state, const char *path)
{
    FILE *file = path && strcmp(path, "-") ? fopen(path, "w") : stdout;
    char host[256] = "";
    struct ds s = DS_EMPTY_INITIALIZER;
    bool ok;

    if (!file) {
        return mlog_cli_fail(cli, MLOG_CLI_ERROR, xasprintf(
            "%s: %s", path, ovs_strerror(errno)));
    }
    gethostname(host, sizeof host - 1);
    ds_put_cstr(&s, "# MultiLog rules of ");
    mlog_cli_put_clean(&s, host);
    ds_put_format(&s, "; \"%s rules import\" reads them.\n", program_name);
    for (size_t i = 0; i < state->rules.n; i++) {
        mlog_cli_rule_format(&state->rules.rules[i], &s);
    }
    ok = fwrite(s.string, 1, s.length, file) == s.length;
    ok &= file == stdout ? !fflush(file) : !fclose(file);
    ds_destroy(&s);
    return (ok ? MLOG_CLI_OK
            : mlog_cli_fail(cli, MLOG_CLI_ERROR, xasprintf(
                "%s: %s", path ? path : "standard output",
                ovs_strerror(errno))));
}

/* Import. */

static char *
read_file(const char *path, char **text)
{
    FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
    struct ds s = DS_EMPTY_INITIALIZER;
    char buf[4096];
    size_t n;

    *text = NULL;
    if (!file) {
        return xasprintf("%s: %s", path, ovs_strerror(errno));
    }
    while ((n = fread(buf, 1, sizeof buf, file)) && s.length < MAX_FILE) {
        ds_put_buffer(&s, buf, n);
    }
    if (ferror(file) || s.length >= MAX_FILE
        || strlen(ds_cstr(&s)) != s.length) {
        char *message = xasprintf("%s: %s", path, ferror(file)
                                  ? ovs_strerror(errno)
                                  : "this is no file of rules");

        ds_destroy(&s);
        if (file != stdin) {
            fclose(file);
        }
        return message;
    }
    if (file != stdin) {
        fclose(file);
    }
    *text = ds_steal_cstr(&s);
    return NULL;
}

/* Adds or deletes a rule. */
static int
change(struct mlog_cli *cli, const struct mlog_cli_rule *rule, bool add,
       char **message)
{
    struct mlog_cli_answer *answer;
    struct svec words = SVEC_EMPTY_INITIALIZER;
    int status;

    svec_add_nocopy(&words, xasprintf("multilog/%s-%s", rule->words.names[0],
                                      add ? "add" : "del"));
    svec_add(&words, "--");
    for (size_t i = 1; add && i < rule->words.n; i++) {
        svec_add(&words, rule->words.names[i]);
    }
    if (!add) {
        svec_add(&words, mlog_cli_rule_name(rule));
    }
    status = mlog_cli_try(cli, &words, &answer, message);
    svec_destroy(&words);
    mlog_cli_answer_destroy(answer);
    return status;
}

/* What has to be done, in an order that is possible: what is used by something
 * else is deleted after that, and added before. */
struct plan {
    const struct mlog_cli_rule **del, **add;
    size_t n_del, n_add, n_same;
};

/* A rule has to go if it isn't in the file, is different there, or depends on
 * one that has to go. */
static bool
has_to_go(const struct mlog_cli_rules *have, const struct mlog_cli_rules *want,
          const struct mlog_cli_rule *rule)
{
    const struct svec *words = &rule->words;
    struct mlog_cli_rule *other = mlog_cli_rules_find(
        want, words->names[0], mlog_cli_rule_name(rule));
    const struct mlog_cli_rule *base = NULL;

    if (!other || !mlog_cli_rule_equal(rule, other)) {
        return true;
    }
    if (!strcmp(words->names[0], "aggregate")) {
        base = mlog_cli_rules_find(have, "filter", words->names[2]);
    } else if (!strcmp(words->names[0], "trigger")) {
        char *name = condition_aggregate(words->names[2]);

        base = mlog_cli_rules_find(have, "aggregate", name);
        free(name);
    }
    return base && has_to_go(have, want, base);
}

/* True if the switch has this rule and keeps it. */
static bool
is_kept(const struct mlog_cli_rules *have, const struct mlog_cli_rules *want,
        const struct mlog_cli_rule *rule, bool replace)
{
    const struct mlog_cli_rule *other = mlog_cli_rules_find(
        have, rule->words.names[0], mlog_cli_rule_name(rule));

    return (other && mlog_cli_rule_equal(rule, other)
            && !(replace && has_to_go(have, want, other)));
}

static void
plan_deletion(struct plan *plan, const struct mlog_cli_rules *have,
              const struct mlog_cli_rules *want, const char *kind)
{
    for (size_t i = 0; i < have->n; i++) {
        if (!strcmp(have->rules[i].words.names[0], kind)
            && has_to_go(have, want, &have->rules[i])) {
            plan->del[plan->n_del++] = &have->rules[i];
        }
    }
}

static void
plan_addition(struct plan *plan, const struct mlog_cli_rules *have,
              const struct mlog_cli_rules *want, const char *kind,
              bool replace)
{
    for (size_t i = 0; i < want->n; i++) {
        const struct mlog_cli_rule *rule = &want->rules[i];

        if (strcmp(rule->words.names[0], kind)) {
            continue;
        } else if (is_kept(have, want, rule, replace)) {
            plan->n_same++;
        } else {
            plan->add[plan->n_add++] = rule;
        }
    }
}

static void
make_plan(struct plan *plan, const struct mlog_cli_rules *have,
          const struct mlog_cli_rules *want, bool replace)
{
    *plan = (struct plan) {
        .del = xcalloc(have->n + 1, sizeof *plan->del),
        .add = xcalloc(want->n + 1, sizeof *plan->add),
    };
    for (size_t k = ARRAY_SIZE(kinds); replace && k > 0; k--) {
        plan_deletion(plan, have, want, kinds[k - 1]);
    }
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        plan_addition(plan, have, want, kinds[k], replace);
    }
}

static void
put_plan(const struct plan *plan, struct ds *s)
{
    for (size_t i = 0; i < plan->n_del; i++) {
        ds_put_format(s, "- ");
        mlog_cli_rule_format(plan->del[i], s);
    }
    for (size_t i = 0; i < plan->n_add; i++) {
        ds_put_format(s, "+ ");
        mlog_cli_rule_format(plan->add[i], s);
    }
}

/* Takes back the last steps of the plan, the first 'n_del' and 'n_add' of
 * which were done. */
static bool
undo(struct mlog_cli *cli, const struct plan *plan, size_t n_del,
     size_t n_add)
{
    bool ok = true;
    char *message;

    while (n_add-- > 0) {
        ok &= !change(cli, plan->add[n_add], false, &message);
        free(message);
    }
    while (n_del-- > 0) {
        ok &= !change(cli, plan->del[n_del], true, &message);
        free(message);
    }
    return ok;
}

static int
carry_out(struct mlog_cli *cli, const struct plan *plan, const char *path)
{
    size_t n_del = 0, n_add = 0;
    const struct mlog_cli_rule *rule = NULL;
    char *message = NULL;
    int status = MLOG_CLI_OK;
    bool undone;

    for (; n_del < plan->n_del && !status; n_del += !status) {
        rule = plan->del[n_del];
        status = change(cli, rule, false, &message);
    }
    for (; n_add < plan->n_add && !status; n_add += !status) {
        rule = plan->add[n_add];
        status = change(cli, rule, true, &message);
    }
    if (!status) {
        return MLOG_CLI_OK;
    }
    undone = undo(cli, plan, n_del, n_add);

    char *text = xasprintf("%s: %s %s (line %"PRIuSIZE"): %s\n%s", path,
                           rule->words.names[0], mlog_cli_rule_name(rule),
                           rule->line, message, undone
                           ? "Nothing has been changed."
                           : "What had been changed before could not all be "
                           "taken back; see \"rules\".");
    free(message);
    return mlog_cli_fail(cli, status, text);
}

static int
import(struct mlog_cli *cli, const struct state *state, const char *path,
       bool replace, bool dry_run)
{
    struct mlog_cli_rules want = MLOG_CLI_RULES_INITIALIZER;
    struct plan plan;
    char *text;
    char *message = read_file(path, &text);
    int status = MLOG_CLI_OK;

    if (message) {
        return mlog_cli_fail(cli, MLOG_CLI_ERROR, message);
    }
    message = mlog_cli_rules_parse(text, &want);
    free(text);
    if (message) {
        char *where = xasprintf("%s: %s", path, message);

        free(message);
        return mlog_cli_fail(cli, MLOG_CLI_USAGE, where);
    }
    make_plan(&plan, &state->rules, &want, replace);
    if (dry_run) {
        struct ds s = DS_EMPTY_INITIALIZER;

        put_plan(&plan, &s);
        mlog_cli_write(&s);
        ds_destroy(&s);
    } else {
        status = carry_out(cli, &plan, path);
    }
    if (!status) {
        fprintf(stderr, "%s: %"PRIuSIZE" rules %sadded, %"PRIuSIZE" deleted, "
                "%"PRIuSIZE" there already\n", program_name, plan.n_add,
                dry_run ? "would be " : "", plan.n_del, plan.n_same);
    }
    free(plan.del);
    free(plan.add);
    mlog_cli_rules_destroy(&want);
    return status;
}

int
mlog_cli_rules(struct mlog_cli *cli, struct svec *words)
{
    bool replace = mlog_cli_take_flag(words, "--replace");
    bool dry_run = mlog_cli_take_flag(words, "--dry-run");
    const char *sub = words->n ? words->names[0] : "show";
    struct state state;
    int status;

    if ((strcmp(sub, "show") && strcmp(sub, "export") && strcmp(sub, "import"))
        || (!strcmp(sub, "import") ? words->n != 2
            : !strcmp(sub, "export") ? words->n > 2
            : words->n > 1)) {
        return mlog_cli_fail(cli, MLOG_CLI_USAGE, xasprintf(
            "usage: %s rules [show] | export [FILE] | import FILE "
            "[--replace] [--dry-run]", program_name));
    }
    status = get_state(cli, &state);
    if (status) {
        return status;
    }
    if (!strcmp(sub, "export")) {
        status = export(cli, &state, words->n > 1 ? words->names[1] : NULL);
    } else if (!strcmp(sub, "import")) {
        status = import(cli, &state, words->names[1], replace, dry_run);
    } else if (cli->format == MLOG_CLI_TABLE) {
        status = show(cli, &state);
    } else {
        status = show_json(&state);
    }
    state_destroy(&state);
    return status;
}
