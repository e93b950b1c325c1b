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
#include "mlog-preset.h"

#include <string.h>

#include "mlog-aggregate.h"
#include "mlog-alert.h"
#include "mlog-expr.h"
#include "mlog-stream.h"
#include "mlog-time.h"
#include "mlog-trigger.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz_"

/* Parameters. */

/* Appends half of 'value', a number. */
static void
put_half(const char *value, struct ds *s)
{
    double number = 0;

    free(mlog_number_parse(value, &number));
    mlog_number_format(number / 2, s);
}

void
mlog_preset_format_default(const struct mlog_preset *preset, size_t i,
                           struct ds *s)
{
    const struct mlog_preset_param *param = &preset->params[i];

    if (param->value) {
        ds_put_cstr(s, param->value);
    } else {
        ds_put_format(s, "half of %s", preset->params[i - 1].name);
    }
}

/* Makes 'text' the value of a parameter, in canonical form if it is an
 * expression.  Sets 'error', with a column of 'text', and returns false if it
 * can't. */
static bool
set_value(const struct mlog_preset_param *param, const char *text,
          char **value, struct mlog_error *error)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    char *message = NULL;
    uint64_t ns;
    double number;

    switch (param->kind) {
    case MLOG_PRESET_NUMBER:
        message = mlog_number_parse(text, &number);
        break;
    case MLOG_PRESET_DURATION:
        message = mlog_duration_parse(text, &ns);
        break;
    case MLOG_PRESET_EXPR: {
        struct mlog_expr *expr = mlog_expr_parse(text, error);

        if (!expr) {
            return false;
        }
        mlog_expr_format(expr, &s);
        mlog_expr_unref(expr);
        *value = ds_steal_cstr(&s);
        return true;
    }
    }
    if (message) {
        mlog_error_set(error, 1, "%s: %s", param->name, message);
        free(message);
        return false;
    }
    *value = xstrdup(text);
    return true;
}

static void
set_defaults(struct mlog_preset_instance *instance)
{
    const struct mlog_preset *preset = instance->preset;

    for (size_t i = 0; preset->params[i].name; i++) {
        if (instance->given[i]) {
            continue;
        } else if (preset->params[i].value) {
            instance->values[i] = xstrdup(preset->params[i].value);
        } else {
            struct ds s = DS_EMPTY_INITIALIZER;

            put_half(instance->values[i - 1], &s);
            instance->values[i] = ds_steal_cstr(&s);
        }
    }
}

static void
set_unknown_param(const struct mlog_preset *preset, const char *name,
                  struct mlog_error *error)
{
    const char *names[MLOG_PRESET_MAX_PARAMS + 1] = { "as" };
    size_t n = 1 + mlog_preset_n_params(preset);
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 1; i < n; i++) {
        names[i] = preset->params[i - 1].name;
    }

    const char *nearest = mlog_nearest_name(name, names, n);
    mlog_put_quoted(&s, name);
    ds_put_format(&s, " is not a parameter of %s; ", preset->name);
    if (nearest) {
        ds_put_format(&s, "did you mean %s=...?", nearest);
    } else {
        ds_put_cstr(&s, "there are");
        for (size_t i = 0; i < n; i++) {
            ds_put_format(&s, " %s", names[i]);
        }
    }
    mlog_error_set(error, 1, "%s", ds_cstr(&s));
    ds_destroy(&s);
}

/* Takes "as=PREFIX" or "PARAM=VALUE". */
static bool
take_word(struct mlog_preset_instance *instance, const char *word,
          struct mlog_error *error)
{
    const struct mlog_preset *preset = instance->preset;
    const char *equals = strchr(word, '=');
    size_t n = mlog_preset_n_params(preset), i = 0;

    if (!equals) {
        mlog_error_set(error, 1, "expected as=PREFIX or PARAMETER=VALUE");
        return false;
    }

    char *name = xmemdup0(word, equals - word);
    bool is_prefix = !strcmp(name, "as");
    while (!is_prefix && i < n && strcmp(preset->params[i].name, name)) {
        i++;
    }
    if (i >= n) {
        set_unknown_param(preset, name, error);
    } else if (is_prefix ? instance->prefix != NULL : instance->given[i]) {
        mlog_error_set(error, 1, "'%s' is given twice", name);
    } else if (is_prefix) {
        instance->prefix = xstrdup(equals + 1);
    } else {
        instance->given[i] = set_value(&preset->params[i], equals + 1,
                                       &instance->values[i], error);
        if (error->column) {
            error->column += equals + 1 - word;
        }
    }
    free(name);
    return !error->message;
}

/* Instances. */

static size_t
find_param(const struct mlog_preset *preset, const char *name, size_t length)
{
    size_t i = 0;

    while (strlen(preset->params[i].name) != length
           || memcmp(preset->params[i].name, name, length)) {
        i++;
    }
    return i;
}

static void
put_param(const struct mlog_preset_instance *instance, size_t i, struct ds *s)
{
    const char *value = instance->values[i];

    if (instance->preset->params[i].kind != MLOG_PRESET_EXPR) {
        ds_put_cstr(s, value);
    } else if (*value) {
        ds_put_format(s, " && (%s)", value);
    }
}

static char *
expand(const struct mlog_preset_instance *instance, const char *template)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (const char *p = template; *p; ) {
        size_t length = strcspn(p, "@$");

        ds_put_buffer(&s, p, length);
        p += length;
        if (*p == '@') {
            ds_put_cstr(&s, instance->prefix);
            p++;
        } else if (*p == '$') {
            length = strspn(p + 1, NAME_CHARS);
            put_param(instance, find_param(instance->preset, p + 1, length),
                      &s);
            p += 1 + length;
        }
    }
    return ds_steal_cstr(&s);
}

static void
make_members(struct mlog_preset_instance *instance)
{
    const struct mlog_preset *preset = instance->preset;

    for (size_t i = 0; preset->members[i].words[0]; i++) {
        const struct mlog_preset_template *template = &preset->members[i];
        struct mlog_preset_member *member = &instance->members[i];

        member->kind = template->kind;
        while (template->words[member->argc]) {
            member->argv[member->argc] = expand(
                instance, template->words[member->argc]);
            member->argc++;
        }
        instance->n_members++;
    }
}

static const struct mlog_preset *
find_preset(const char *name, struct mlog_error *error)
{
    const struct mlog_preset *preset = mlog_preset_find(name);
    const char *names[64];
    struct ds s = DS_EMPTY_INITIALIZER;
    size_t n = 0;

    if (preset) {
        return preset;
    }
    while (n < ARRAY_SIZE(names) && mlog_preset_get(n)) {
        names[n] = mlog_preset_get(n)->name;
        n++;
    }

    const char *nearest = mlog_nearest_name(name, names, n);
    ds_put_cstr(&s, "there is no preset ");
    mlog_put_quoted(&s, name);
    if (nearest) {
        ds_put_format(&s, "; did you mean '%s'?", nearest);
    } else {
        ds_put_cstr(&s, "; multilog/preset-list lists them");
    }
    mlog_error_set(error, 1, "%s", ds_cstr(&s));
    ds_destroy(&s);
    return NULL;
}

struct mlog_preset_instance *
mlog_preset_instantiate(const char *const argv[], size_t argc,
                        struct mlog_error *error, const char **where)
{
    *where = NULL;
    if (!argc) {
        mlog_error_set(error, 0, "expected PRESET [as=PREFIX] "
                       "[PARAMETER=VALUE]...");
        return NULL;
    }
    *where = argv[0];

    const struct mlog_preset *preset = find_preset(argv[0], error);
    if (!preset) {
        return NULL;
    }

    struct mlog_preset_instance *instance = xzalloc(sizeof *instance);
    instance->preset = preset;
    for (size_t i = 1; i < argc; i++) {
        *where = argv[i];
        if (!take_word(instance, argv[i], error)) {
            mlog_preset_instance_destroy(instance);
            return NULL;
        }
    }
    *where = NULL;
    if (!instance->prefix) {
        instance->prefix = xstrdup(preset->name);
    }
    set_defaults(instance);
    make_members(instance);
    return instance;
}

void
mlog_preset_instance_destroy(struct mlog_preset_instance *instance)
{
    if (instance) {
        free(instance->prefix);
        for (size_t i = 0; i < MLOG_PRESET_MAX_PARAMS; i++) {
            free(instance->values[i]);
        }
        for (size_t i = 0; i < instance->n_members; i++) {
            for (size_t j = 0; j < instance->members[i].argc; j++) {
                free(instance->members[i].argv[j]);
            }
        }
        free(instance);
    }
}

void
mlog_preset_instance_format_params(const struct mlog_preset_instance *instance,
                                   struct ds *s)
{
    const char *separator = "";

    for (size_t i = 0; i < MLOG_PRESET_MAX_PARAMS; i++) {
        if (instance->given[i]) {
            ds_put_format(s, "%s%s=%s", separator,
                          instance->preset->params[i].name,
                          instance->values[i]);
            separator = " ";
        }
    }
}

/* Installed instances. */

struct mlog_presets {
    struct mlog_preset_instance **instances;
    size_t n, allocated;
};

struct mlog_presets *
mlog_presets_create(void)
{
    return xzalloc(sizeof(struct mlog_presets));
}

void
mlog_presets_destroy(struct mlog_presets *presets)
{
    if (presets) {
        for (size_t i = 0; i < presets->n; i++) {
            mlog_preset_instance_destroy(presets->instances[i]);
        }
        free(presets->instances);
        free(presets);
    }
}

static bool
add_member(struct mlog_stream *stream, const struct mlog_preset_member *member,
           struct mlog_error *error)
{
    const char *const *argv
        = (const char *const *) member->argv;
    const char *where;

    switch (member->kind) {
    case MLOG_KIND_FILTER:
        return mlog_stream_add_filter(stream, argv, member->argc, error,
                                      &where);
    case MLOG_KIND_AGGREGATE:
        return mlog_stream_add_aggregate(stream, argv, member->argc, error,
                                         &where);
    case MLOG_KIND_TRIGGER:
        return mlog_stream_add_trigger(stream, argv, member->argc, error,
                                       &where);
    case MLOG_N_KINDS:
        break;
    }
    OVS_NOT_REACHED();
}

static bool
del_member(struct mlog_stream *stream, const struct mlog_preset_member *member,
           struct mlog_error *error)
{
    const char *name = member->argv[0];

    switch (member->kind) {
    case MLOG_KIND_FILTER:
        return mlog_stream_del_filter(stream, name, error);
    case MLOG_KIND_AGGREGATE:
        return mlog_stream_del_aggregate(stream, name, error);
    case MLOG_KIND_TRIGGER:
        return mlog_stream_del_trigger(stream, name, error);
    case MLOG_N_KINDS:
        break;
    }
    OVS_NOT_REACHED();
}

/* Deletes the first 'n' members, last one first; nothing else may be based on
 * them. */
static void
del_members(struct mlog_stream *stream,
            const struct mlog_preset_instance *instance, size_t n)
{
    while (n-- > 0) {
        struct mlog_error error = MLOG_ERROR_INITIALIZER;

        del_member(stream, &instance->members[n], &error);
        mlog_error_clear(&error);
    }
}

/* Adds all members, or sets 'error' and adds none. */
static bool
add_members(struct mlog_stream *stream,
            const struct mlog_preset_instance *instance,
            struct mlog_error *error)
{
    for (size_t i = 0; i < instance->n_members; i++) {
        const struct mlog_preset_member *member = &instance->members[i];
        struct mlog_error e = MLOG_ERROR_INITIALIZER;

        if (!add_member(stream, member, &e)) {
            mlog_error_set(error, 0, "%s '%s' of the preset: %s",
                           mlog_kind_to_string(member->kind),
                           member->argv[0], e.message);
            mlog_error_clear(&e);
            del_members(stream, instance, i);
            return false;
        }
    }
    return true;
}

static size_t
find_instance(const struct mlog_presets *presets, const char *prefix)
{
    size_t i = 0;

    while (i < presets->n && strcmp(presets->instances[i]->prefix, prefix)) {
        i++;
    }
    return i;
}

const struct mlog_preset_instance *
mlog_presets_add(struct mlog_presets *presets, struct mlog_stream *stream,
                 const char *const argv[], size_t argc,
                 struct mlog_error *error, const char **where)
{
    struct mlog_preset_instance *instance
        = mlog_preset_instantiate(argv, argc, error, where);

    if (!instance) {
        return NULL;
    }
    if (find_instance(presets, instance->prefix) < presets->n) {
        mlog_error_set(error, 0, "there is a preset '%s' already; delete it "
                       "first, or choose another prefix with as=PREFIX",
                       instance->prefix);
    }
    if (error->message || !add_members(stream, instance, error)) {
        mlog_preset_instance_destroy(instance);
        return NULL;
    }
    if (presets->n >= presets->allocated) {
        presets->instances = x2nrealloc(presets->instances,
                                        &presets->allocated,
                                        sizeof *presets->instances);
    }
    presets->instances[presets->n++] = instance;
    return instance;
}

/* Deleting. */

static bool
has_member(const struct mlog_preset_instance *instance,
           enum mlog_kind kind, const char *name)
{
    for (size_t i = 0; i < instance->n_members; i++) {
        if (instance->members[i].kind == kind
            && !strcmp(instance->members[i].argv[0], name)) {
            return true;
        }
    }
    return false;
}

/* Sets 'error' if 'name', of another owner, is based on 'on'. */
static void
check_user(const struct mlog_preset_instance *instance,
           enum mlog_kind kind, const char *name,
           enum mlog_kind on_kind, const char *on,
           struct mlog_error *error)
{
    if (!error->message && has_member(instance, on_kind, on)
        && !has_member(instance, kind, name)) {
        mlog_error_set(error, 0, "%s '%s', which doesn't belong to the "
                       "preset, uses its %s '%s'; delete that first",
                       mlog_kind_to_string(kind), name,
                       mlog_kind_to_string(on_kind), on);
    }
}

static bool
check_users(const struct mlog_preset_instance *instance,
            struct mlog_stream *stream, struct mlog_error *error)
{
    struct mlog_aggregate_info *aggregates;
    struct mlog_trigger_info *triggers;
    size_t n;

    n = mlog_stream_get_aggregates(stream, &aggregates);
    for (size_t i = 0; i < n; i++) {
        check_user(instance, MLOG_KIND_AGGREGATE, aggregates[i].def->name,
                   MLOG_KIND_FILTER, aggregates[i].def->filter, error);
    }
    free(aggregates);

    n = mlog_stream_get_triggers(stream, &triggers);
    for (size_t i = 0; i < n; i++) {
        check_user(instance, MLOG_KIND_TRIGGER, triggers[i].def->name,
                   MLOG_KIND_AGGREGATE, triggers[i].def->aggregate, error);
    }
    free(triggers);
    return !error->message;
}

static void
set_not_installed(const struct mlog_presets *presets, const char *prefix,
                  struct mlog_error *error)
{
    const char **names = xmalloc((presets->n + 1) * sizeof *names);
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < presets->n; i++) {
        names[i] = presets->instances[i]->prefix;
    }

    const char *nearest = mlog_nearest_name(prefix, names, presets->n);
    ds_put_cstr(&s, "no preset ");
    mlog_put_quoted(&s, prefix);
    ds_put_cstr(&s, " is installed");
    if (nearest) {
        ds_put_format(&s, "; did you mean '%s'?", nearest);
    } else if (presets->n) {
        ds_put_cstr(&s, "; multilog/preset-list lists them");
    }
    mlog_error_set(error, 1, "%s", ds_cstr(&s));
    ds_destroy(&s);
    free(names);
}

bool
mlog_presets_del(struct mlog_presets *presets, struct mlog_stream *stream,
                 const char *prefix, struct mlog_error *error)
{
    size_t i = find_instance(presets, prefix);

    if (i >= presets->n) {
        set_not_installed(presets, prefix, error);
        return false;
    }

    struct mlog_preset_instance *instance = presets->instances[i];
    if (!check_users(instance, stream, error)) {
        return false;
    }
    del_members(stream, instance, instance->n_members);
    mlog_preset_instance_destroy(instance);
    presets->n--;
    memmove(&presets->instances[i], &presets->instances[i + 1],
            (presets->n - i) * sizeof *presets->instances);
    return true;
}

/* Asking. */

const char *
mlog_presets_owner(const struct mlog_presets *presets,
                   enum mlog_kind kind, const char *name)
{
    for (size_t i = 0; i < presets->n; i++) {
        if (has_member(presets->instances[i], kind, name)) {
            return presets->instances[i]->prefix;
        }
    }
    return NULL;
}

const struct mlog_preset_instance *
mlog_presets_get(const struct mlog_presets *presets, size_t i)
{
    return i < presets->n ? presets->instances[i] : NULL;
}
