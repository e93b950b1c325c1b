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
#include "mlog-cli-rules.h"

#include <ctype.h>
#include <string.h>

#include "mlog-cli-text.h"
#include "mlog-time.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

void
mlog_cli_rules_destroy(struct mlog_cli_rules *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        svec_destroy(&rules->rules[i].words);
    }
    free(rules->rules);
    *rules = (struct mlog_cli_rules) MLOG_CLI_RULES_INITIALIZER;
}

void
mlog_cli_rules_add(struct mlog_cli_rules *rules, struct svec *words,
                   size_t line)
{
    if (rules->n >= rules->allocated) {
        rules->rules = x2nrealloc(rules->rules, &rules->allocated,
                                  sizeof *rules->rules);
    }
    rules->rules[rules->n].words = *words;
    rules->rules[rules->n++].line = line;
    svec_init(words);
}

static const char *
words_name(const struct svec *words)
{
    if (!strcmp(words->names[0], "preset")) {
        for (size_t i = 2; i < words->n; i++) {
            if (!strncmp(words->names[i], "as=", 3)) {
                return words->names[i] + 3;
            }
        }
    }
    return words->names[1];
}

const char *
mlog_cli_rule_name(const struct mlog_cli_rule *rule)
{
    return words_name(&rule->words);
}

struct mlog_cli_rule *
mlog_cli_rules_find(const struct mlog_cli_rules *rules, const char *kind,
                    const char *name)
{
    for (size_t i = 0; i < rules->n; i++) {
        if (!strcmp(rules->rules[i].words.names[0], kind)
            && !strcmp(mlog_cli_rule_name(&rules->rules[i]), name)) {
            return &rules->rules[i];
        }
    }
    return NULL;
}

/* How many words come before the options. */
static size_t
n_fixed(const struct svec *words)
{
    size_t n = (!strcmp(words->names[0], "aggregate") ? 4
                : !strcmp(words->names[0], "preset") ? 2
                : 3);

    return MIN(n, words->n);
}

/* Appends a number or duration in one way of the several in which it can be
 * written, anything else as it is. */
static void
put_value(const char *text, struct ds *s)
{
    static const char units[] = "kMG";
    const char *unit;
    uint64_t ns;
    char *end;
    char *error = mlog_duration_parse(text, &ns);
    double number = strtod(text, &end);

    unit = *end ? strchr(units, *end) : NULL;
    if (!error) {
        mlog_duration_format(ns, s);
    } else if (end != text && (!*end || (unit && !end[1]))) {
        for (size_t i = 0; unit && i <= unit - units; i++) {
            number *= 1000;
        }
        ds_put_format(s, "%.17g", number);
    } else {
        ds_put_cstr(s, text);
    }
    free(error);
}

/* "hits>1k" is "hits > 1000". */
static char *
normal_condition(const char *condition)
{
    size_t name = strcspn(condition, " \t<>=!");
    const char *op = condition + name + strspn(condition + name, " \t");
    size_t op_length = strspn(op, "<>=!");
    const char *value = op + op_length;
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_buffer(&s, condition, name);
    ds_put_buffer(&s, op, op_length);
    put_value(value + strspn(value, " \t"), &s);
    return ds_steal_cstr(&s);
}

static bool
same_word(const char *kind, size_t i, const char *a, const char *b)
{
    char *normal_a, *normal_b;
    bool same;

    if (i < 2 || strcmp(kind, "trigger")) {
        return !strcmp(a, b);
    }
    normal_a = normal_condition(a);
    normal_b = normal_condition(b);
    same = !strcmp(normal_a, normal_b);
    free(normal_a);
    free(normal_b);
    return same;
}

/* The options in normal form, without those that say what is so by default. */
static void
get_options(const struct svec *words, struct svec *options)
{
    svec_init(options);
    for (size_t i = n_fixed(words); i < words->n; i++) {
        const char *word = words->names[i];
        size_t name = strcspn(word, "=");
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_buffer(&s, word, name);
        if (word[name]) {
            ds_put_char(&s, '=');
            put_value(word + name + 1, &s);
        }
        if (strcmp(ds_cstr(&s), "window=1s")
            && strcmp(ds_cstr(&s), "period=1ms")
            && strncmp(ds_cstr(&s), "as=", 3)) {
            svec_add(options, ds_cstr(&s));
        }
        ds_destroy(&s);
    }
    svec_sort(options);
}

bool
mlog_cli_rule_equal(const struct mlog_cli_rule *a,
                    const struct mlog_cli_rule *b)
{
    struct svec options_a, options_b;
    bool equal = (n_fixed(&a->words) == n_fixed(&b->words)
                  && !strcmp(mlog_cli_rule_name(a), mlog_cli_rule_name(b)));

    for (size_t i = 0; equal && i < n_fixed(&a->words); i++) {
        equal = same_word(a->words.names[0], i, a->words.names[i],
                          b->words.names[i]);
    }
    get_options(&a->words, &options_a);
    get_options(&b->words, &options_b);
    equal = equal && svec_equal(&options_a, &options_b);
    svec_destroy(&options_a);
    svec_destroy(&options_b);
    return equal;
}

/* Lines. */

char *
mlog_cli_split_line(const char *line, struct svec *words)
{
    const char *p = line;

    svec_init(words);
    for (;;) {
        struct ds word = DS_EMPTY_INITIALIZER;
        char quote = 0;

        p += strspn(p, " \t\r");
        if (!*p || *p == '#') {
            return NULL;
        }
        for (; *p && (quote || !strchr(" \t\r", *p)); p++) {
            if (quote ? *p == quote : *p == '\'' || *p == '"') {
                quote = quote ? 0 : *p;
            } else if (*p == '\\' && quote != '\'' && p[1]) {
                ds_put_char(&word, *++p);
            } else {
                ds_put_char(&word, *p);
            }
        }
        svec_add(words, ds_cstr(&word));
        ds_destroy(&word);
        if (quote) {
            svec_destroy(words);
            svec_init(words);
            return xasprintf("a closing %c is missing", quote);
        }
    }
}

static char *
check_words(const struct svec *words, const struct mlog_cli_rules *rules)
{
    const char *kind = words->names[0];
    bool aggregate = !strcmp(kind, "aggregate");
    bool preset = !strcmp(kind, "preset");

    if (strcmp(kind, "filter") && !aggregate && strcmp(kind, "trigger")
        && !preset) {
        struct ds clean = DS_EMPTY_INITIALIZER;
        char *message;

        mlog_cli_put_clean(&clean, kind);
        message = xasprintf("a rule begins with filter, aggregate, trigger "
                            "or preset, not with \"%s\"", ds_cstr(&clean));
        ds_destroy(&clean);
        return message;
    } else if (words->n < (aggregate ? 4 : preset ? 2 : 3)) {
        return xasprintf("words are missing: %s", aggregate
                         ? "aggregate NAME FILTER FUNC [OPTION]..."
                         : preset ? "preset PRESET [OPTION]..."
                         : !strcmp(kind, "filter") ? "filter NAME EXPR"
                         : "trigger NAME CONDITION [OPTION]...");
    } else if (!strcmp(kind, "filter") && words->n > 3) {
        return xstrdup("too many words; quote an expression that has spaces");
    } else if (mlog_cli_rules_find(rules, kind, words_name(words))) {
        return xasprintf("%s %s is there twice", kind, words_name(words));
    }
    return NULL;
}

char *
mlog_cli_rules_parse(const char *text, struct mlog_cli_rules *rules)
{
    char *copy = xstrdup(text), *rest = copy, *line;
    char *message = NULL;
    size_t number = 0;

    *rules = (struct mlog_cli_rules) MLOG_CLI_RULES_INITIALIZER;
    while (!message && (line = strsep(&rest, "\n"))) {
        struct svec words;

        number++;
        message = mlog_cli_split_line(line, &words);
        if (!message && words.n) {
            message = check_words(&words, rules);
        }
        if (message) {
            char *where = xasprintf("line %"PRIuSIZE": %s", number, message);

            free(message);
            message = where;
        } else if (words.n) {
            mlog_cli_rules_add(rules, &words, number);
        }
        svec_destroy(&words);
    }
    free(copy);
    if (message) {
        mlog_cli_rules_destroy(rules);
    }
    return message;
}

static bool
is_bare(const char *word)
{
    return *word && word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:,=+@%")] == '\0';
}

void
mlog_cli_rule_format(const struct mlog_cli_rule *rule, struct ds *s)
{
    for (size_t i = 0; i < rule->words.n; i++) {
        const char *word = rule->words.names[i];

        ds_put_cstr(s, i ? " " : "");
        if (is_bare(word)) {
            ds_put_cstr(s, word);
            continue;
        }
        ds_put_char(s, '\'');
        for (; *word; word++) {
            if (*word == '\'') {
                ds_put_cstr(s, "'\\''");
            } else {
                ds_put_char(s, *word);
            }
        }
        ds_put_char(s, '\'');
    }
    ds_put_char(s, '\n');
}
