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

#include "mlog-command-call.h"

#include "mlog-config.h"
#include "mlog-preset.h"
#include "multilog.h"
#include "openvswitch/json.h"
#include "util.h"

/* "filter syns", and so on. */
static struct json *
members_to_json(const struct mlog_preset_instance *instance)
{
    struct json *members = json_array_create_empty();

    for (size_t i = 0; i < instance->n_members; i++) {
        const struct mlog_preset_member *m = &instance->members[i];

        json_array_add(members, json_string_create_nocopy(
            xasprintf("%s %s", mlog_kind_to_string(m->kind),
                      m->argv[0])));
    }
    return members;
}

void
mlog_command_preset_add(struct mlog_call *call)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where = NULL;
    uint64_t cut = mlog_digest_lock(call->ml->digest);
    const struct mlog_preset_instance *instance
        = mlog_presets_add(call->ml->presets, call->ml->stream, call->args,
                           call->n_args, &error, &where);

    if (instance) {
        mlog_document_put_string(&call->doc, "added", instance->prefix);
        mlog_document_put_string(&call->doc, "preset", call->args[0]);
        mlog_document_put_json(&call->doc, "members",
                               members_to_json(instance));
        mlog_document_put_time(&call->doc, "cut", cut);
        mlog_document_summary(&call->doc, "preset %s added",
                              instance->prefix);
    }
    mlog_digest_unlock(call->ml->digest);
    if (error.message) {
        mlog_call_take_error(call, where, &error);
    }
}

/* Returns false and sets 'error' if a part of the preset has become the
 * database's, by a row that says the same. */
static bool
check_not_owned(struct mlog_call *call, struct mlog_error *error)
{
    const struct mlog_preset_instance *instance;

    for (size_t i = 0;
         (instance = mlog_presets_get(call->ml->presets, i)) != NULL; i++) {
        for (size_t j = 0; j < instance->n_members; j++) {
            const struct mlog_preset_member *m = &instance->members[j];

            if (!strcmp(instance->prefix, call->args[0])
                && mlog_config_owns(call->ml->config, m->kind, m->argv[0])) {
                mlog_error_set(error, 0, "its %s '%s' is configured in the "
                               "database; delete its row there",
                               mlog_kind_to_string(m->kind), m->argv[0]);
                return false;
            }
        }
    }
    return true;
}

void
mlog_command_preset_del(struct mlog_call *call)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    uint64_t cut = mlog_digest_lock(call->ml->digest);
    bool ok = (check_not_owned(call, &error)
               && mlog_presets_del(call->ml->presets, call->ml->stream,
                                   call->args[0], &error));

    mlog_digest_unlock(call->ml->digest);
    mlog_call_local_changed(call);
    if (ok) {
        mlog_document_put_string(&call->doc, "deleted", call->args[0]);
        mlog_document_put_time(&call->doc, "cut", cut);
        mlog_document_summary(&call->doc, "preset %s deleted", call->args[0]);
    } else {
        mlog_call_take_error(call, call->args[0], &error);
    }
}

/* The catalogue, and what is installed: a line for each instance of a preset,
 * or for the preset if there is none. */

static void
put_preset(struct mlog_table *table, const struct mlog_preset *preset,
           const struct mlog_preset_instance *instance)
{
    struct ds params = DS_EMPTY_INITIALIZER;

    mlog_table_put_string(table, preset->name);
    mlog_table_put_string(table, preset->summary);
    if (instance) {
        mlog_preset_instance_format_params(instance, &params);
    }
    mlog_table_put_string(table, instance ? instance->prefix : NULL);
    mlog_table_put_string(table, params.length ? ds_cstr(&params) : NULL);
    ds_destroy(&params);
}

void
mlog_command_preset_list(struct mlog_call *call)
{
    struct mlog_table *table = mlog_document_table(&call->doc, "presets");
    const struct mlog_preset_instance *instance;
    const struct mlog_preset *preset;
    size_t n_presets = 0, n_installed = 0;

    mlog_table_add_column(table, "name", false);
    mlog_table_add_column(table, "summary", false);
    mlog_table_add_column(table, "installed", false);
    mlog_table_add_column(table, "parameters", false);
    mlog_table_hide_empty(table);
    uint64_t cut = mlog_digest_lock(call->ml->digest);
    for (size_t i = 0; (preset = mlog_preset_get(i)) != NULL; i++) {
        size_t before = n_installed;

        for (size_t j = 0;
             (instance = mlog_presets_get(call->ml->presets, j)) != NULL;
             j++) {
            if (instance->preset == preset) {
                put_preset(table, preset, instance);
                n_installed++;
            }
        }
        if (n_installed == before) {
            put_preset(table, preset, NULL);
        }
        n_presets++;
    }
    mlog_digest_unlock(call->ml->digest);
    mlog_document_put_u64(&call->doc, "count", n_presets);
    mlog_document_put_u64(&call->doc, "n_installed", n_installed);
    mlog_document_put_time(&call->doc, "cut", cut);
    mlog_document_summary(&call->doc, "%"PRIuSIZE" presets; %"PRIuSIZE
                          " installed", n_presets, n_installed);
}

/* One preset. */

static void
put_params(struct mlog_call *call, const struct mlog_preset *preset)
{
    struct mlog_table *table = mlog_document_table(&call->doc, "parameters");

    mlog_table_add_column(table, "name", false);
    mlog_table_add_column(table, "kind", false);
    mlog_table_add_column(table, "default", false);
    mlog_table_add_column(table, "description", false);
    for (size_t i = 0; preset->params[i].name; i++) {
        const struct mlog_preset_param *param = &preset->params[i];
        struct ds value = DS_EMPTY_INITIALIZER;

        mlog_preset_format_default(preset, i, &value);
        mlog_table_put_string(table, param->name);
        mlog_table_put_string(table,
                              mlog_preset_param_kind_to_string(param->kind));
        mlog_table_put_string(table, ds_cstr(&value));
        mlog_table_put_string(table, param->doc);
        ds_destroy(&value);
    }
}

/* Appends 'word' as a shell takes it. */
static void
put_word(struct ds *s, const char *word)
{
    bool plain = *word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789_.,=-")];

    ds_put_format(s, plain ? " %s" : " '%s'", word);
}

/* The commands that would do the same. */
static void
put_members(struct mlog_call *call,
            const struct mlog_preset_instance *instance)
{
    struct json *members = json_array_create_empty();

    for (size_t i = 0; i < instance->n_members; i++) {
        const struct mlog_preset_member *m = &instance->members[i];
        const char *kind = mlog_kind_to_string(m->kind);
        struct json *member = json_object_create();
        struct json *words = json_array_create_empty();
        struct ds s = DS_EMPTY_INITIALIZER;

        for (size_t j = 0; j < m->argc; j++) {
            put_word(&s, m->argv[j]);
            json_array_add(words, json_string_create(m->argv[j]));
        }
        mlog_document_note(&call->doc, "multilog/%s-add%s", kind,
                           ds_cstr(&s));
        json_object_put_string(member, "kind", kind);
        json_object_put(member, "words", words);
        json_array_add(members, member);
        ds_destroy(&s);
    }
    mlog_document_put_json(&call->doc, "members", members);
}

static void
put_doc(struct mlog_call *call, const struct mlog_preset *preset)
{
    struct ds doc = DS_EMPTY_INITIALIZER;

    for (const char *p = preset->doc; *p; p++) {
        if (*p == '@') {
            ds_put_cstr(&doc, preset->name);
        } else {
            ds_put_char(&doc, *p);
        }
    }
    mlog_document_put_string(&call->doc, "name", preset->name);
    mlog_document_put_string(&call->doc, "summary", preset->summary);
    mlog_document_put_string(&call->doc, "description", ds_cstr(&doc));
    mlog_document_summary(&call->doc, "%s: %s.  %s", preset->name,
                          preset->summary, ds_cstr(&doc));
    ds_destroy(&doc);
}

void
mlog_command_preset_show(struct mlog_call *call)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    const char *where;
    struct mlog_preset_instance *instance
        = mlog_preset_instantiate(call->args, call->n_args, &error, &where);

    if (!instance) {
        mlog_call_take_error(call, where, &error);
        return;
    }
    put_doc(call, instance->preset);
    put_params(call, instance->preset);
    put_members(call, instance);
    mlog_preset_instance_destroy(instance);
}
