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

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "multilog.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/vlog.h"
#include "svec.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(multilog_cache);

/* The file "ovsdb" in the store's directory: what the database wanted last, so
 * that a process that starts while the database is away goes on with that.
 *
 *     [["filter", "web", "tcp && tp_dst == 80"], ...]
 *
 * It is replaced as a whole, after it was written. */

/* Returns the file's name, to be freed, or NULL if nothing is kept. */
static char *
get_name(const struct multilog *ml)
{
    const char *dir = mlog_store_dir(ml->store);

    return dir ? xasprintf("%s/ovsdb", dir) : NULL;
}

static void
add_words(enum mlog_kind kind, const struct svec *words, void *array_)
{
    struct json *array = array_;
    struct json *line = json_array_create_1(
        json_string_create(mlog_kind_to_string(kind)));

    for (size_t i = 0; i < words->n; i++) {
        json_array_add(line, json_string_create(words->names[i]));
    }
    json_array_add(array, line);
}

/* Returns 0 or an errno value. */
static int
write_file(const char *name, const char *text)
{
    char *tmp = xasprintf("%s.new", name);
    FILE *file = fopen(tmp, "w");
    int error = file ? 0 : errno;

    if (file) {
        fputs(text, file);
        error = ferror(file) ? EIO : 0;
        if (fclose(file) && !error) {
            error = errno;
        }
        if (!error && rename(tmp, name)) {
            error = errno;
        }
        if (error) {
            unlink(tmp);
        }
    }
    free(tmp);
    return error;
}

void
ovsdb_cache_save(const struct multilog *ml)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
    char *name = get_name(ml);

    if (name) {
        struct json *array = json_array_create_empty();

        mlog_config_visit(ml->config, add_words, array);
        char *text = json_to_string(array, 0);
        int error = write_file(name, text);
        if (error) {
            VLOG_WARN_RL(&rl, "%s: %s; a process that starts while the "
                         "database is away will not have its configuration",
                         name, ovs_strerror(error));
        }
        free(text);
        json_destroy(array);
        free(name);
    }
}

void
ovsdb_cache_remove(const struct multilog *ml)
{
    char *name = get_name(ml);

    if (name) {
        unlink(name);
        free(name);
    }
}

static bool
kind_from_string(const char *s, enum mlog_kind *kind)
{
    for (size_t i = 0; i < MLOG_N_KINDS; i++) {
        if (!strcmp(s, mlog_kind_to_string(i))) {
            *kind = i;
            return true;
        }
    }
    return false;
}

/* Wants what 'line' says.  Returns false if it makes no sense. */
static bool
want_line(struct mlog_config *config, const struct json *line)
{
    const char *words[16];
    enum mlog_kind kind;
    size_t n = line->type == JSON_ARRAY ? json_array(line)->n : 0;

    if (n < 3 || n > ARRAY_SIZE(words)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct json *word = json_array(line)->elems[i];

        if (word->type != JSON_STRING) {
            return false;
        }
        words[i] = json_string(word);
    }
    if (!kind_from_string(words[0], &kind)
        || (kind == MLOG_KIND_AGGREGATE && n < 4)) {
        return false;
    }
    mlog_config_want(config, kind, words + 1, n - 1);
    return true;
}

void
ovsdb_cache_load(const struct multilog *ml)
{
    char *name = get_name(ml);
    struct json *json;
    size_t n_bad = 0;

    if (!name || access(name, R_OK)) {
        free(name);
        return;
    }

    json = json_from_file(name);
    mlog_config_begin(ml->config);
    if (json->type == JSON_ARRAY) {
        for (size_t i = 0; i < json_array(json)->n; i++) {
            n_bad += !want_line(ml->config, json_array(json)->elems[i]);
        }
    } else {
        n_bad++;
    }
    mlog_config_end(ml->config);
    if (n_bad) {
        VLOG_WARN("%s: is damaged; waiting for the database", name);
    }
    json_destroy(json);
    free(name);
}
