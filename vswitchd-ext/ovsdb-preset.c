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

#include "ovsdb-private.h"

#include "mlog-expr.h"
#include "mlog-preset.h"
#include "multilog.h"
#include "openvswitch/shash.h"
#include "ovsdb-idl.h"
#include "smap.h"
#include "svec.h"
#include "util.h"
#include "vswitchd-ext/multilog-idl.h"

/* Rows of the table Preset: each wants what a preset consists of, as if that
 * had rows of its own. */

struct preset {
    struct svec members;        /* "filter NAME" and so on. */
    char *error;                /* What is wrong with the row, or NULL. */
    bool seen;
};

/* By name. */
static struct shash presets = SHASH_INITIALIZER(&presets);

static void
preset_destroy(struct preset *preset)
{
    svec_destroy(&preset->members);
    free(preset->error);
    free(preset);
}

/* Returns the instance that 'row' describes, or NULL and stores what is wrong
 * in '*message'. */
static struct mlog_preset_instance *
instantiate(const struct mlogrec_preset *row, char **message)
{
    const struct smap_node **nodes = smap_sort(&row->parameters);
    struct mlog_error error = MLOG_ERROR_INITIALIZER;
    struct svec words = SVEC_EMPTY_INITIALIZER;
    struct mlog_preset_instance *instance;
    const char *where;

    svec_add(&words, row->kind);
    svec_add_nocopy(&words, xasprintf("as=%s", row->name));
    for (size_t i = 0; i < smap_count(&row->parameters); i++) {
        svec_add_nocopy(&words, xasprintf("%s=%s", nodes[i]->key,
                                          nodes[i]->value));
    }
    instance = mlog_preset_instantiate((const char *const *) words.names,
                                       words.n, &error, &where);
    if (!instance) {
        *message = xasprintf("%s: %s", (where == words.names[0] ? "kind"
                                        : where == words.names[1] ? "name"
                                        : "parameters"), error.message);
    }
    mlog_error_clear(&error);
    svec_destroy(&words);
    free(nodes);
    return instance;
}

/* Returns NULL, or an error if one of the names has a row. */
static char *
check_names(const struct mlog_config *config,
            const struct mlog_preset_instance *instance)
{
    for (size_t i = 0; i < instance->n_members; i++) {
        const struct mlog_preset_member *m = &instance->members[i];

        if (mlog_config_is_wanted(config, m->kind, m->argv[0])) {
            return xasprintf("name: %s '%s' of the preset has a row of its "
                             "own, or is of another preset",
                             mlog_kind_to_string(m->kind), m->argv[0]);
        }
    }
    return NULL;
}

static void
want_instance(struct mlog_config *config, struct preset *preset,
              const struct mlog_preset_instance *instance)
{
    svec_clear(&preset->members);
    for (size_t i = 0; i < instance->n_members; i++) {
        const struct mlog_preset_member *m = &instance->members[i];

        mlog_config_want(config, m->kind, (const char *const *) m->argv,
                         m->argc);
        svec_add_nocopy(&preset->members,
                        xasprintf("%s %s", mlog_kind_to_string(m->kind),
                                  m->argv[0]));
    }
}

/* Divides a member into its kind and its name. */
static const char *
split_member(const char *member, enum mlog_kind *kind)
{
    const char *space = strchr(member, ' ');

    for (*kind = 0; *kind < MLOG_N_KINDS - 1; (*kind)++) {
        const char *name = mlog_kind_to_string(*kind);

        if (strlen(name) == space - member
            && !memcmp(member, name, space - member)) {
            break;
        }
    }
    return space + 1;
}

/* What the row said when it was right stays. */
static void
keep_members(struct mlog_config *config, const struct preset *preset)
{
    const char *member;
    size_t i;

    SVEC_FOR_EACH (i, member, &preset->members) {
        enum mlog_kind kind;
        const char *name = split_member(member, &kind);

        if (!mlog_config_is_wanted(config, kind, name)) {
            mlog_config_want_wrong(config, kind, name, preset->error);
        }
    }
}

static void
want_preset(struct mlog_config *config, const struct mlogrec_preset *row)
{
    struct preset *preset = shash_find_data(&presets, row->name);
    struct mlog_preset_instance *instance;

    if (!preset) {
        preset = xzalloc(sizeof *preset);
        shash_add_once(&presets, row->name, preset);
    }
    preset->seen = true;
    free(preset->error);
    preset->error = NULL;
    instance = instantiate(row, &preset->error);
    if (instance) {
        preset->error = check_names(config, instance);
    }
    if (!preset->error) {
        want_instance(config, preset, instance);
    } else {
        keep_members(config, preset);
    }
    mlog_preset_instance_destroy(instance);
}

void
ovsdb_preset_want(struct ovsdb_idl *idl, struct multilog *ml)
{
    const struct mlogrec_preset *row;
    struct shash_node *node;

    if (!mlogrec_server_has_preset_table(idl)) {
        SHASH_FOR_EACH (node, &presets) {
            keep_members(ml->config, node->data);
        }
        return;
    }
    SHASH_FOR_EACH (node, &presets) {
        ((struct preset *) node->data)->seen = false;
    }
    MLOGREC_PRESET_FOR_EACH (row, idl) {
        want_preset(ml->config, row);
    }
    SHASH_FOR_EACH_SAFE (node, &presets) {
        struct preset *preset = node->data;

        if (!preset->seen) {
            shash_delete(&presets, node);
            preset_destroy(preset);
        }
    }
}

void
ovsdb_preset_release(void)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &presets) {
        preset_destroy(node->data);
        shash_delete(&presets, node);
    }
}

/* Results. */

/* Returns a row's status, and stores NULL or an error to be freed. */
static const char *
get_result(const struct mlog_config *config, const struct preset *preset,
           char **error)
{
    const char *member;
    size_t i;

    *error = NULL;
    if (preset->error) {
        *error = xstrdup(preset->error);
        return "error";
    }
    SVEC_FOR_EACH (i, member, &preset->members) {
        enum mlog_kind kind;
        const char *name = split_member(member, &kind);
        const char *why;

        if (mlog_config_get(config, kind, name, &why) != MLOG_CONFIG_ACTIVE) {
            *error = xasprintf("%s: %s", member, why ? why : "not in force");
            return "error";
        }
    }
    return "active";
}

static bool
has_members(const struct mlogrec_preset *row, const struct preset *preset)
{
    size_t i;

    for (i = 0; i < row->n_objects && i < preset->members.n; i++) {
        if (!svec_contains(&preset->members, row->objects[i])) {
            return false;
        }
    }
    return row->n_objects == preset->members.n;
}

void
ovsdb_preset_put_results(struct ovsdb_idl *idl, struct multilog *ml,
                         size_t *n)
{
    const struct mlogrec_preset *row;

    MLOGREC_PRESET_FOR_EACH (row, idl) {
        struct preset *preset = shash_find_data(&presets, row->name);
        const char *status;
        char *error;

        if (!preset || *n >= OVSDB_MAX_ROWS) {
            continue;
        }
        svec_sort(&preset->members);
        status = get_result(ml->config, preset, &error);
        if (!nullable_string_is_equal(row->status, status)
            || !nullable_string_is_equal(row->error, error)
            || !has_members(row, preset)) {
            PUT(idl, preset, row, status, status);
            PUT(idl, preset, row, error, error);
            PUT(idl, preset, row, objects,
                (const char **) preset->members.names, preset->members.n);
            (*n)++;
        }
        free(error);
    }
}
