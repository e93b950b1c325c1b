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
#include "mlog-archive-private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "svec.h"
#include "util.h"

/* Origins, files, lists. */

static struct mlog_archive_origin *
origin_create(const struct mlog_archive_ops *ops)
{
    struct mlog_archive_origin *origin = xmalloc(sizeof *origin);

    ovs_refcount_init(&origin->ref_cnt);
    origin->ops = ops ? ops : &mlog_archive_system_ops;
    atomic_init(&origin->read_errors, 0);
    return origin;
}

static void
origin_unref(struct mlog_archive_origin *origin)
{
    if (ovs_refcount_unref(&origin->ref_cnt) == 1) {
        free(origin);
    }
}

struct mlog_archive_file *
mlog_archive_file_create(struct mlog_archive_origin *origin, char *path,
                         struct mlog_archive_info *info)
{
    struct mlog_archive_file *file = xmalloc(sizeof *file);
    const char *slash = strrchr(path, '/');

    ovs_refcount_init(&file->ref_cnt);
    ovs_refcount_ref(&origin->ref_cnt);
    file->origin = origin;
    file->path = path;
    file->name = slash ? slash + 1 : path;
    file->info = info;
    return file;
}

struct mlog_archive_file *
mlog_archive_file_ref(const struct mlog_archive_file *file_)
{
    struct mlog_archive_file *file = CONST_CAST(struct mlog_archive_file *,
                                                file_);

    ovs_refcount_ref(&file->ref_cnt);
    return file;
}

void
mlog_archive_file_unref(struct mlog_archive_file *file)
{
    if (file && ovs_refcount_unref(&file->ref_cnt) == 1) {
        mlog_archive_info_destroy(file->info);
        origin_unref(file->origin);
        free(file->path);
        free(file);
    }
}

const struct mlog_archive_info *
mlog_archive_file_info(const struct mlog_archive_file *file)
{
    return file->info;
}

const char *
mlog_archive_file_name(const struct mlog_archive_file *file)
{
    return file->name;
}

struct mlog_archive_list *
mlog_archive_list_create(size_t n)
{
    struct mlog_archive_list *list;

    list = xmalloc(sizeof *list + n * sizeof *list->files);
    ovs_refcount_init(&list->ref_cnt);
    list->n = n;
    return list;
}

void
mlog_archive_list_unref(struct mlog_archive_list *list)
{
    if (list && ovs_refcount_unref(&list->ref_cnt) == 1) {
        for (size_t i = 0; i < list->n; i++) {
            mlog_archive_file_unref(list->files[i]);
        }
        free(list);
    }
}

struct mlog_archive_list *
mlog_archive_get_list(const struct mlog_archive *archive)
{
    struct mlog_archive_list *list;

    ovs_mutex_lock(&archive->mutex);
    list = archive->list;
    ovs_refcount_ref(&list->ref_cnt);
    ovs_mutex_unlock(&archive->mutex);
    return list;
}

static void
count_list(const struct mlog_archive_list *list,
           struct mlog_archive_stats *stats)
{
    stats->files = list->n;
    stats->records = stats->bytes = stats->oldest = stats->newest = 0;
    for (size_t i = 0; i < list->n; i++) {
        const struct mlog_archive_info *info = list->files[i]->info;

        stats->records += info->n_rows;
        stats->bytes += info->file_size;
        if (info->n_rows) {
            stats->oldest = stats->oldest ? stats->oldest : info->min_time;
            stats->newest = MAX(stats->newest, info->max_time);
        }
    }
}

void
mlog_archive_set_list(struct mlog_archive *archive,
                      struct mlog_archive_list *list)
{
    struct mlog_archive_list *old;
    struct mlog_archive_stats stats;

    count_list(list, &stats);
    ovs_mutex_lock(&archive->mutex);
    old = archive->list;
    archive->list = list;
    archive->stats.files = stats.files;
    archive->stats.records = stats.records;
    archive->stats.bytes = stats.bytes;
    archive->stats.oldest = stats.oldest;
    archive->stats.newest = stats.newest;
    if (list->n) {
        archive->last_seq = MAX(archive->last_seq,
                                list->files[list->n - 1]->info->seq);
    }
    ovs_mutex_unlock(&archive->mutex);
    mlog_archive_list_unref(old);
}

/* Problems. */

void
mlog_archive_add_problem(struct mlog_archive *archive, const char *name,
                         const char *message)
{
    ovs_mutex_lock(&archive->mutex);
    archive->stats.problems++;
    if (archive->n_problems < MLOG_ARCHIVE_MAX_PROBLEMS) {
        if (archive->n_problems >= archive->allocated_problems) {
            archive->problems = x2nrealloc(archive->problems,
                                           &archive->allocated_problems,
                                           sizeof *archive->problems);
        }
        archive->problems[archive->n_problems++]
            = (struct mlog_archive_problem) { xstrdup(name),
                                              xstrdup(message) };
    }
    ovs_mutex_unlock(&archive->mutex);
}

struct mlog_archive_problem *
mlog_archive_get_problems(const struct mlog_archive *archive, size_t *n)
{
    struct mlog_archive_problem *problems;

    ovs_mutex_lock(&archive->mutex);
    *n = archive->n_problems;
    problems = xcalloc(*n, sizeof *problems);
    for (size_t i = 0; i < *n; i++) {
        problems[i].name = xstrdup(archive->problems[i].name);
        problems[i].message = xstrdup(archive->problems[i].message);
    }
    ovs_mutex_unlock(&archive->mutex);
    return problems;
}

void
mlog_archive_free_problems(struct mlog_archive_problem *problems, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(problems[i].name);
        free(problems[i].message);
    }
    free(problems);
}

/* Reading files. */

/* Turns 'error', from reading, into what callers are told. */
static int
read_error(int error, char **message)
{
    if (error == ENODATA) {
        *message = xstrdup("the file is shorter than it was");
        return EBADMSG;
    }
    *message = xstrdup(ovs_strerror(error));
    return error;
}

static int
damaged(char *error, char **message)
{
    *message = error;
    return error ? EBADMSG : 0;
}

/* Reads the index of the open file 'fd'. */
static int
read_info(const struct mlog_archive_ops *ops, int fd, uint64_t size,
          struct mlog_archive_info **infop, bool *newer, char **message)
{
    uint8_t header[MLOG_ARCHIVE_HEADER_SIZE];
    uint8_t trailer[MLOG_ARCHIVE_TRAILER_SIZE];
    size_t head_size;
    uint8_t *head;
    int error;

    if (size < sizeof header + sizeof trailer) {
        return damaged(xstrdup("the file is too short"), message);
    }
    error = mlog_archive_read(ops, fd, header, sizeof header, 0);
    if (error) {
        return read_error(error, message);
    }
    *newer = mlog_archive_is_newer(header);
    error = damaged(mlog_archive_head_size(header, &head_size), message);
    if (error) {
        return error;
    } else if (head_size > size - sizeof trailer) {
        return damaged(xstrdup("the index is cut off"), message);
    }
    head = xmalloc(head_size);
    error = mlog_archive_read(ops, fd, head, head_size, 0);
    error = error ? error : mlog_archive_read(ops, fd, trailer, sizeof trailer,
                                              size - sizeof trailer);
    if (error) {
        error = read_error(error, message);
    } else {
        error = damaged(mlog_archive_info_parse(head, head_size, trailer, size,
                                                infop), message);
    }
    free(head);
    return error;
}

static int
open_info(const struct mlog_archive_ops *ops, const char *path,
          struct mlog_archive_info **infop, bool *newer, char **message)
{
    uint64_t size;
    int fd = mlog_archive_open_file(ops, path, &size);
    int error;

    *newer = false;
    *infop = NULL;
    if (fd < 0) {
        return read_error(-fd, message);
    }
    error = read_info(ops, fd, size, infop, newer, message);
    ops->close(fd);
    return error;
}

static int
read_bytes(const struct mlog_archive_file *file, uint8_t *bytes)
{
    const struct mlog_archive_ops *ops = file->origin->ops;
    uint64_t size;
    int fd = mlog_archive_open_file(ops, file->path, &size);
    int error;

    if (fd < 0) {
        return -fd;
    }
    error = mlog_archive_read(ops, fd, bytes, file->info->file_size, 0);
    ops->close(fd);
    return error;
}

/* Hands 'local', which may be NULL, over to whoever asked for a message. */
static void
give_message(char *local, char **message)
{
    if (message) {
        *message = local;
    } else {
        free(local);
    }
}

static void
count_read_error(const struct mlog_archive_file *file, int error)
{
    if (error && error != ENOENT) {
        uint64_t old;

        atomic_add_relaxed(&file->origin->read_errors, 1, &old);
    }
}

/* Loading. */

static void
data_free_bytes(struct mlog_archive_data *data)
{
    mlog_archive_coder_destroy(data->coder);
    data->coder = NULL;
    free(data->bytes);
    data->bytes = NULL;
}

struct mlog_archive_data *
mlog_archive_data_ref(const struct mlog_archive_data *data_)
{
    struct mlog_archive_data *data = CONST_CAST(struct mlog_archive_data *,
                                                data_);

    ovs_refcount_ref(&data->ref_cnt);
    return data;
}

void
mlog_archive_data_unref(struct mlog_archive_data *data)
{
    if (data && ovs_refcount_unref(&data->ref_cnt) == 1) {
        data_free_bytes(data);
        mlog_archive_file_unref(data->file);
        free(data->keys);
        free(data->rows);
        free(data);
    }
}

int
mlog_archive_load(const struct mlog_archive_file *file,
                  struct mlog_archive_data **datap, char **message)
{
    const struct mlog_archive_info *info = file->info;
    struct mlog_archive_data *data = xzalloc(sizeof *data);
    char *text = NULL;
    int error;

    ovs_refcount_init(&data->ref_cnt);
    data->file = mlog_archive_file_ref(file);
    data->info = info;
    data->bytes = xmalloc(info->file_size);
    error = read_bytes(file, data->bytes);
    if (error) {
        error = read_error(error, &text);
    } else {
        data->coder = mlog_archive_coder_create(0);
        data->keys = xcalloc(info->n_flows, sizeof *data->keys);
        error = damaged(mlog_archive_decode_keys(data->coder, info,
                                                 data->bytes, data->keys),
                        &text);
    }
    if (error) {
        count_read_error(file, error);
        mlog_archive_data_unref(data);
        data = NULL;
    }
    *datap = data;
    give_message(text, message);
    return error;
}

int
mlog_archive_load_rows(struct mlog_archive_data *data, char **message)
{
    return mlog_archive_load_rows_of(data, MLOG_ALL_COLUMNS, message);
}

int
mlog_archive_load_rows_of(struct mlog_archive_data *data, uint32_t which,
                          char **message)
{
    const struct mlog_archive_info *info = data->info;
    char *text = NULL;
    int error = 0;

    if (!data->rows) {
        struct mlog_row *rows = xcalloc(info->n_rows, sizeof *rows);

        error = damaged(mlog_archive_decode_rows_of(data->coder, info,
                                                    data->bytes, which,
                                                    data->keys, rows),
                        &text);
        if (error) {
            count_read_error(data->file, error);
            free(rows);
        } else {
            data->rows = rows;
            data_free_bytes(data);
        }
    }
    give_message(text, message);
    return error;
}

int
mlog_archive_verify(const struct mlog_archive_file *file, char **message)
{
    struct mlog_archive_data *data = NULL;
    struct mlog_archive_info *info;
    char *text = NULL;
    bool newer;
    int error;

    error = open_info(file->origin->ops, file->path, &info, &newer, &text);
    if (!error && (info->seq != file->info->seq
                   || info->file_size != file->info->file_size)) {
        error = damaged(xstrdup("the file was replaced by another"), &text);
    }
    mlog_archive_info_destroy(info);
    if (error) {
        count_read_error(file, error);
    } else {
        error = mlog_archive_load(file, &data, &text);
    }
    if (!error) {
        error = mlog_archive_load_rows(data, &text);
    }
    mlog_archive_data_unref(data);
    give_message(text, message);
    return error;
}

int
mlog_archive_open_single(const char *path, struct mlog_archive_file **filep,
                         char **message)
{
    struct mlog_archive_info *info;
    char *text = NULL;
    bool newer;
    int error;

    error = open_info(&mlog_archive_system_ops, path, &info, &newer, &text);
    if (error) {
        *filep = NULL;
    } else {
        struct mlog_archive_origin *origin = origin_create(NULL);

        *filep = mlog_archive_file_create(origin, xstrdup(path), info);
        origin_unref(origin);
    }
    give_message(text, message);
    return error;
}

/* Opening a directory. */

/* Returns true if 'name' is the name of a segment followed by 'suffix', and
 * stores its sequence number in '*seq'. */
static bool
parse_name(const char *name, const char *suffix, uint64_t *seq)
{
    size_t n = strspn(name, "0123456789");

    if (n != 20 || strncmp(name + n, MLOG_ARCHIVE_SUFFIX,
                           strlen(MLOG_ARCHIVE_SUFFIX))
        || strcmp(name + n + strlen(MLOG_ARCHIVE_SUFFIX), suffix)) {
        return false;
    }
    errno = 0;
    *seq = strtoull(name, NULL, 10);
    return !errno && *seq <= MLOG_ARCHIVE_MAX_SEQ;
}

/* A damaged file is set aside.  One that cannot be read now, or not by this
 * program, is left where it is. */
static void
reject_file(struct mlog_archive *archive, const char *path, const char *name,
            bool is_damaged, const char *error)
{
    struct ds message = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&message, error);
    if (is_damaged && !archive->read_only) {
        char *bad = xasprintf("%s%s", path, MLOG_ARCHIVE_BAD);

        if (archive->origin->ops->rename(path, bad)) {
            ds_put_format(&message, "; renaming it failed too (%s)",
                          ovs_strerror(errno));
        } else {
            ds_put_format(&message, "; renamed to %s%s", name,
                          MLOG_ARCHIVE_BAD);
        }
        free(bad);
    }
    mlog_archive_add_problem(archive, name, ds_cstr(&message));
    ds_destroy(&message);
}

/* Returns the file, or NULL after reporting what is wrong with it. */
static struct mlog_archive_file *
open_segment(struct mlog_archive *archive, const char *name, uint64_t seq)
{
    char *path = xasprintf("%s/%s", archive->dir, name);
    struct mlog_archive_info *info;
    char *message = NULL;
    bool newer;
    int error;

    error = open_info(archive->origin->ops, path, &info, &newer, &message);
    if (!error && info->seq != seq) {
        error = damaged(xasprintf("this is segment %"PRIu64, info->seq),
                        &message);
    }
    if (!error) {
        return mlog_archive_file_create(archive->origin, path, info);
    }
    reject_file(archive, path, name, error == EBADMSG && !newer, message);
    mlog_archive_info_destroy(info);
    free(message);
    free(path);
    return NULL;
}

/* Leftovers of a crash go, as nobody was told of them. */
static void
remove_leftover(struct mlog_archive *archive, const char *name)
{
    if (!archive->read_only) {
        char *path = xasprintf("%s/%s", archive->dir, name);

        if (archive->origin->ops->unlink(path)) {
            char *message = xasprintf("cannot remove it: %s",
                                      ovs_strerror(errno));

            mlog_archive_add_problem(archive, name, message);
            free(message);
        }
        free(path);
    }
}

/* Ascending names are ascending sequence numbers. */
static char *
read_names(const char *dir, struct svec *names)
{
    DIR *stream = opendir(dir);
    struct dirent *de;
    int error;

    if (!stream) {
        return xasprintf("%s: %s", dir, ovs_strerror(errno));
    }
    for (errno = 0; (de = readdir(stream)); errno = 0) {
        svec_add(names, de->d_name);
    }
    error = errno;
    closedir(stream);
    svec_sort(names);
    return error ? xasprintf("%s: %s", dir, ovs_strerror(error)) : NULL;
}

static char *
scan_dir(struct mlog_archive *archive)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    char *error = read_names(archive->dir, &names);
    struct mlog_archive_list *list = mlog_archive_list_create(names.n);
    uint64_t seq, last_seq = 0;

    list->n = 0;
    for (size_t i = 0; !error && i < names.n; i++) {
        const char *name = names.names[i];

        if (parse_name(name, "", &seq)) {
            struct mlog_archive_file *file = open_segment(archive, name, seq);

            last_seq = MAX(last_seq, seq);
            if (file) {
                list->files[list->n++] = file;
            }
        } else if (parse_name(name, MLOG_ARCHIVE_TMP, &seq)) {
            remove_leftover(archive, name);
        } else if (parse_name(name, MLOG_ARCHIVE_BAD, &seq)) {
            last_seq = MAX(last_seq, seq);
        } else if (name[0] != '.') {
            mlog_archive_add_problem(archive, name,
                                     "this is no file of an archive");
        }
    }
    svec_destroy(&names);
    mlog_archive_set_list(archive, list);
    ovs_mutex_lock(&archive->mutex);
    archive->last_seq = MAX(archive->last_seq, last_seq);
    ovs_mutex_unlock(&archive->mutex);
    return error;
}

/* Makes the directory, and sure that this is the only writer. */
static char *
prepare_dir(struct mlog_archive *archive)
{
    if (archive->read_only) {
        return NULL;
    }
    if (mkdir(archive->dir, 0750) && errno != EEXIST) {
        return xasprintf("%s: cannot make the directory: %s", archive->dir,
                         ovs_strerror(errno));
    }
    archive->lock = open(archive->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (archive->lock < 0) {
        return xasprintf("%s: %s", archive->dir, ovs_strerror(errno));
    } else if (flock(archive->lock, LOCK_EX | LOCK_NB)) {
        return xasprintf("%s: %s", archive->dir,
                         errno == EWOULDBLOCK
                         ? "another process writes to this archive"
                         : ovs_strerror(errno));
    }
    return NULL;
}

char *
mlog_archive_open(const char *dir, const struct mlog_archive_options *options,
                  struct mlog_archive **archivep)
{
    struct mlog_archive *archive = xzalloc(sizeof *archive);
    char *error;

    archive->origin = origin_create(options->ops);
    archive->dir = xstrdup(dir);
    archive->read_only = options->read_only;
    archive->lock = -1;
    archive->coder = mlog_archive_coder_create(
        options->level ? options->level : MLOG_ARCHIVE_LEVEL);
    ofpbuf_init(&archive->pending, 0);
    ovs_mutex_init(&archive->mutex);
    archive->list = mlog_archive_list_create(0);

    error = prepare_dir(archive);
    error = error ? error : scan_dir(archive);
    if (error) {
        mlog_archive_close(archive);
        archive = NULL;
    }
    *archivep = archive;
    return error;
}

void
mlog_archive_close(struct mlog_archive *archive)
{
    if (archive) {
        if (archive->lock >= 0) {
            close(archive->lock);
        }
        mlog_archive_free_problems(archive->problems, archive->n_problems);
        mlog_archive_list_unref(archive->list);
        ovs_mutex_destroy(&archive->mutex);
        mlog_archive_info_destroy(archive->pending_info);
        ofpbuf_uninit(&archive->pending);
        mlog_archive_coder_destroy(archive->coder);
        origin_unref(archive->origin);
        free(archive->dir);
        free(archive);
    }
}

const char *
mlog_archive_dir(const struct mlog_archive *archive)
{
    return archive->dir;
}

uint64_t
mlog_archive_next_seq(const struct mlog_archive *archive)
{
    uint64_t seq;

    ovs_mutex_lock(&archive->mutex);
    seq = archive->last_seq + 1;
    ovs_mutex_unlock(&archive->mutex);
    return seq;
}

void
mlog_archive_get_stats(const struct mlog_archive *archive,
                       struct mlog_archive_stats *stats)
{
    ovs_mutex_lock(&archive->mutex);
    *stats = archive->stats;
    ovs_mutex_unlock(&archive->mutex);
    atomic_read_relaxed(&archive->origin->read_errors, &stats->read_errors);
}
