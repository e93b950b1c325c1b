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

#include "mlog-state.h"

#include "mlog-clock.h"
#include "openvswitch/thread.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "util.h"
#include "uuid.h"

VLOG_DEFINE_THIS_MODULE(mlog_state);

#define MAGIC UINT64_C(0x31474f4c49544c4d)      /* "MLTILOG1" */

/* Of all files of a store: a change of any of their layouts changes it. */
#define FORMAT_VERSION 1

/* Written once, when the file is made, 'magic' last. */
struct mlog_state_header {
    atomic_uint64_t magic;
    uint32_t version;
    uint32_t size;              /* Of struct state_file: catches what was
                                 * forgotten to be told by FORMAT_VERSION. */
    uint64_t clock;             /* mlog_clock_use_tsc. */
    char boot_id[MLOG_BOOT_ID_SIZE];
    char life[UUID_LEN + 1];
};

struct state_file {
    struct mlog_state_header header;
    atomic_uint64_t set;                /* Release N, pairs with acquire O. */
    struct mlog_settings settings[2];
    atomic_uint64_t committed;          /* Release J, pairs with acquire K. */
    struct mlog_commit commits[2];
};

struct mlog_state {
    struct mlog_store *store;
    struct mlog_mapping mapping;
    struct state_file *file;
    struct ovs_mutex mutex;     /* Of settings. */
};

const char *
mlog_loss_to_string(enum mlog_loss loss)
{
    switch (loss) {
    case MLOG_LOSS_RING:
        return "ring_full";
    case MLOG_LOSS_MEMORY:
        return "memory";
    case MLOG_LOSS_DISCARD:
        return "discarded";
    case MLOG_LOSS_ARCHIVE:
        return "archive";
    case MLOG_LOSS_RECOVERY:
        return "recovery";
    case MLOG_LOSS_OUTAGE:
        return "outage";
    case MLOG_N_LOSSES:
        break;
    }
    return "unknown";
}

/* Returns NULL if 'file', of 'size' bytes, may be used, else why not. */
static const char *
check_file(struct state_file *file, size_t size)
{
    char boot_id[MLOG_BOOT_ID_SIZE];
    uint64_t magic = 0;

    if (size >= sizeof file->header) {
        atomic_read_explicit(&file->header.magic, &magic,
                             memory_order_acquire);
    }
    if (magic != MAGIC) {
        return "it is not a file of the MultiLog";
    } else if (file->header.version != FORMAT_VERSION
               || file->header.size != sizeof *file) {
        return "it has the format of another version";
    } else if (size < sizeof *file) {
        return "it is too short";
    }

    mlog_store_boot_id(boot_id);
    if (memcmp(boot_id, file->header.boot_id, sizeof boot_id)
        || file->header.clock != mlog_clock_use_tsc) {
        return "it is from before the system was started";
    }

    const struct mlog_commit *last;
    uint64_t committed;
    atomic_read_explicit(&file->committed, &committed, memory_order_acquire);
    last = &file->commits[committed % 2];
    return (committed && (last->n_gaps > MLOG_MAX_GAPS
                          || last->n_rings > MLOG_MAX_RINGS
                          || !memchr(file->header.life, '\0',
                                     sizeof file->header.life))
            ? "its content makes no sense" : NULL);
}

static void
create_file(struct mlog_state *state)
{
    int error = mlog_store_create(state->store, "state",
                                  sizeof *state->file, false,
                                  &state->mapping);

    if (error) {
        VLOG_FATAL("no memory for the state of the MultiLog (%s)",
                   ovs_strerror(error));
    }

    struct state_file *file = state->mapping.data;
    file->header.version = FORMAT_VERSION;
    file->header.size = sizeof *file;
    file->header.clock = mlog_clock_use_tsc;
    mlog_store_boot_id(file->header.boot_id);

    struct uuid life;
    uuid_generate(&life);
    snprintf(file->header.life, sizeof file->header.life, UUID_FMT,
             UUID_ARGS(&life));
    atomic_init(&file->set, 0);
    atomic_init(&file->committed, 0);
    atomic_store_explicit(&file->header.magic, MAGIC, memory_order_release);
    state->file = file;
}

struct mlog_state *
mlog_state_open(struct mlog_store *store)
{
    struct mlog_state *state = xzalloc(sizeof *state);
    int error = mlog_store_load(store, "state", &state->mapping);

    state->store = store;
    ovs_mutex_init(&state->mutex);
    if (!error) {
        const char *why = check_file(state->mapping.data,
                                     state->mapping.size);

        state->file = state->mapping.data;
        if (why) {
            mlog_state_reset(state, why);
        }
    } else {
        /* What else there may be is of no use without it. */
        mlog_store_set_aside(store);
        create_file(state);
    }
    return state;
}

void
mlog_state_close(struct mlog_state *state)
{
    if (state) {
        mlog_store_unmap(&state->mapping);
        ovs_mutex_destroy(&state->mutex);
        free(state);
    }
}

void
mlog_state_reset(struct mlog_state *state, const char *why)
{
    const char *dir = mlog_store_dir(state->store);

    VLOG_WARN("what was recorded in %s cannot be used, because %s; it was "
              "moved to %s/bad, where it may be deleted",
              dir ? dir : "memory", why, dir ? dir : "");
    mlog_store_unmap(&state->mapping);
    mlog_store_set_aside(state->store);
    create_file(state);
}

const char *
mlog_state_life(const struct mlog_state *state)
{
    return state->file->header.life;
}

struct mlog_settings *
mlog_state_begin_settings(struct mlog_state *state)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    struct state_file *file = state->file;
    uint64_t set;

    /* Acquire O. */
    ovs_mutex_lock(&state->mutex);
    atomic_read_explicit(&file->set, &set, memory_order_acquire);
    file->settings[(set + 1) % 2] = file->settings[set % 2];
    return &file->settings[(set + 1) % 2];
}

void
mlog_state_end_settings(struct mlog_state *state)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    uint64_t set;

    /* Release N: the settings are complete before they are the latest. */
    atomic_read_relaxed(&state->file->set, &set);
    atomic_store_explicit(&state->file->set, set + 1, memory_order_release);
    ovs_mutex_unlock(&state->mutex);
}

struct mlog_settings
mlog_state_get_settings(struct mlog_state *state)
    OVS_NO_THREAD_SAFETY_ANALYSIS
{
    struct mlog_settings settings = *mlog_state_begin_settings(state);

    ovs_mutex_unlock(&state->mutex);
    settings.archive_dir[sizeof settings.archive_dir - 1] = '\0';
    settings.ovsdb[sizeof settings.ovsdb - 1] = '\0';
    return settings;
}

const struct mlog_commit *
mlog_state_last(const struct mlog_state *state)
{
    uint64_t committed;

    /* Acquire K. */
    atomic_read_explicit(&state->file->committed, &committed,
                         memory_order_acquire);
    return committed ? &state->file->commits[committed % 2] : NULL;
}

struct mlog_store *
mlog_state_store(const struct mlog_state *state)
{
    return state->store;
}

struct mlog_commit *
mlog_state_begin(struct mlog_state *state)
{
    uint64_t committed;

    atomic_read_relaxed(&state->file->committed, &committed);
    return &state->file->commits[(committed + 1) % 2];
}

void
mlog_state_commit(struct mlog_state *state)
{
    uint64_t committed;

    /* Release J: the commit is complete before it is the latest. */
    atomic_read_relaxed(&state->file->committed, &committed);
    atomic_store_explicit(&state->file->committed, committed + 1,
                          memory_order_release);
}
