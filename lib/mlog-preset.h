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


#ifndef MLOG_PRESET_H
#define MLOG_PRESET_H 1

/* Presets
 * =======
 *
 * Filters, aggregates and triggers that belong together and solve a problem
 * that others have, too, with parameters that have defaults.
 *
 * The catalogue is constant.  An instance of a preset is what it consists of,
 * with given parameters, as the words that the functions of mlog-stream.h
 * take.  Their names begin with a prefix, so that there may be several
 * instances.
 *
 * struct mlog_presets knows which instances were installed in a stream, and
 * installs and deletes them, each as a whole.
 *
 * Thread-safety
 * =============
 *
 * The catalogue and instances: none needed.  struct mlog_presets: none; as for
 * the stream, the caller holds mlog_digest_lock() (mlog-digest.h). */

#include <stdbool.h>
#include <stddef.h>

#include "mlog-stream.h"

struct ds;
struct mlog_error;

/* The catalogue. */

enum mlog_preset_param_kind {
    MLOG_PRESET_NUMBER,         /* "100", "2.5k" */
    MLOG_PRESET_DURATION,       /* "10s" */
    MLOG_PRESET_EXPR,           /* An expression; "" for all records. */
};

/* "number", "duration", "expression". */
const char *mlog_preset_param_kind_to_string(enum mlog_preset_param_kind);

struct mlog_preset_param {
    const char *name;
    enum mlog_preset_param_kind kind;
    const char *value;          /* Default; NULL: half of the parameter before
                                 * it. */
    const char *doc;
};

#define MLOG_PRESET_MAX_PARAMS 6
#define MLOG_PRESET_MAX_MEMBERS 8
#define MLOG_PRESET_MAX_WORDS 6

/* 'words' are templates: '@' stands for the prefix, '$name' for a parameter,
 * and '$match' for " && (EXPR)", or nothing if the parameter is "". */
struct mlog_preset_template {
    enum mlog_kind kind;
    const char *words[MLOG_PRESET_MAX_WORDS + 1];       /* NULL at the end. */
};

struct mlog_preset {
    const char *name;           /* Also the prefix, unless one is given. */
    const char *summary;        /* A line. */
    const char *doc;            /* What it sees, and what it doesn't. */
    struct mlog_preset_param params[MLOG_PRESET_MAX_PARAMS + 1];
    struct mlog_preset_template members[MLOG_PRESET_MAX_MEMBERS + 1];
};

/* The preset number 'i', or NULL if there are not so many. */
const struct mlog_preset *mlog_preset_get(size_t i);
const struct mlog_preset *mlog_preset_find(const char *name);

size_t mlog_preset_n_params(const struct mlog_preset *);
size_t mlog_preset_n_members(const struct mlog_preset *);

/* The default of parameter 'i', in words. */
void mlog_preset_format_default(const struct mlog_preset *, size_t i,
                                struct ds *);

/* Instances. */

struct mlog_preset_member {
    enum mlog_kind kind;
    char *argv[MLOG_PRESET_MAX_WORDS];  /* argv[0] is its name. */
    size_t argc;
};

struct mlog_preset_instance {
    const struct mlog_preset *preset;
    char *prefix;
    char *values[MLOG_PRESET_MAX_PARAMS];       /* Of parameters. */
    bool given[MLOG_PRESET_MAX_PARAMS]; /* Not the default. */
    struct mlog_preset_member members[MLOG_PRESET_MAX_MEMBERS];
    size_t n_members;           /* In the order in which to add them. */
};

/* 'argv' is { PRESET, [as=PREFIX], [PARAM=VALUE]... }.  Returns the instance,
 * or NULL after setting 'error' (which must be initialised) and '*where', the
 * argument that the error's column refers to, or NULL. */
struct mlog_preset_instance *
mlog_preset_instantiate(const char *const argv[], size_t argc,
                        struct mlog_error *error, const char **where);
void mlog_preset_instance_destroy(struct mlog_preset_instance *);

/* Appends "threshold=100 window=5s": the parameters that were given. */
void mlog_preset_instance_format_params(const struct mlog_preset_instance *,
                                        struct ds *);

/* Installed instances. */

struct mlog_presets *mlog_presets_create(void);
void mlog_presets_destroy(struct mlog_presets *);

/* Adds all that the instance consists of, and returns the instance, or adds
 * nothing and returns NULL; 'argv', 'error' and 'where' as above. */
const struct mlog_preset_instance *
mlog_presets_add(struct mlog_presets *, struct mlog_stream *,
                 const char *const argv[], size_t argc,
                 struct mlog_error *error, const char **where);

/* Deletes all that the instance with that prefix consists of, or nothing: if
 * something else is based on it. */
bool mlog_presets_del(struct mlog_presets *, struct mlog_stream *,
                      const char *prefix, struct mlog_error *error);

/* The prefix of the instance that 'name' belongs to, or NULL. */
const char *mlog_presets_owner(const struct mlog_presets *,
                               enum mlog_kind, const char *name);

/* The instance number 'i', in order of installation, or NULL. */
const struct mlog_preset_instance *
mlog_presets_get(const struct mlog_presets *, size_t i);

#endif /* mlog-preset.h */
