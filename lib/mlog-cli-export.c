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
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fatal-signal.h"
#include "hash.h"
#include "mlog-cli-client.h"
#include "mlog-cli-pager.h"
#include "mlog-cli-record.h"
#include "mlog-fields.h"
#include "mlog-pcapng.h"
#include "mlog-rebuild.h"
#include "openvswitch/hmap.h"
#include "openvswitch/json.h"
#include "openvswitch/ofpbuf.h"
#include "timeval.h"
#include "util.h"

/* The verb "export". */

#define PAGE 10000
#define MAX_FLOWS 200000        /* Whose TCP options are remembered. */

enum export_format { EXPORT_PCAPNG, EXPORT_CSV, EXPORT_JSONL };

struct export {
    struct mlog_cli *cli;
    enum export_format format;
    const char *path;           /* NULL: standard output. */
    char *temporary;            /* The file that is being written. */
    bool force;
    FILE *file;
    struct svec columns;        /* Of CSV and JSON lines. */
    uint64_t n;                 /* Records so far. */
    uint64_t total;             /* Records wanted. */
    bool missing;               /* Something that was asked for. */

    /* pcapng. */
    struct mlog_pcapng *pcapng;
    struct ofpbuf buffer;
    struct hmap flows;          /* struct flow: TCP options. */

    /* Progress. */
    bool progress;
    long long int started, shown;
};

/* The file.
 *
 * It is written under another name, so that FILE is either what it was or
 * complete. */

static char *
file_error(const struct export *x, const char *name)
{
    return xasprintf("%s: %s", name ? name
                     : x->path ? x->path
                     : "standard output", ovs_strerror(errno));
}

static char *
open_file(struct export *x)
{
    struct stat s;
    int fd;

    if (!x->path) {
        x->file = stdout;
        return (x->format == EXPORT_PCAPNG && isatty(STDOUT_FILENO)
                ? xstrdup("a capture is not for a terminal; name a file, or "
                          "use a pipe") : NULL);
    }
    if (!lstat(x->path, &s)) {
        if (S_ISDIR(s.st_mode)) {
            errno = EISDIR;
            return file_error(x, NULL);
        } else if (!x->force) {
            return xasprintf("%s: it exists already; --force overwrites it",
                             x->path);
        }
    }
    x->temporary = xasprintf("%s.%ld.tmp", x->path, (long int) getpid());
    fd = open(x->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return file_error(x, x->temporary);
    }
    fatal_signal_add_file_to_unlink(x->temporary);
    x->file = fdopen(fd, "wb");
    return x->file ? NULL : file_error(x, x->temporary);
}

/* Makes the file's new name last. */
static void
sync_dir(const char *path)
{
    char *dir = dir_name(path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(dir);
}

static char *
close_file(struct export *x)
{
    bool ok;

    if (!x->path) {
        return fflush(x->file) ? file_error(x, NULL) : NULL;
    }
    ok = !fflush(x->file) && !fsync(fileno(x->file));
    if (fclose(x->file) || !ok) {
        x->file = NULL;
        return file_error(x, x->temporary);
    }
    x->file = NULL;

    /* link(2) never overwrites, but not all file systems have it. */
    ok = (x->force || (link(x->temporary, x->path)
                       && (errno == EPERM || errno == EOPNOTSUPP
                           || errno == ENOSYS))
          ? !rename(x->temporary, x->path)
          : !access(x->path, F_OK) && !unlink(x->temporary));
    if (!ok) {
        return file_error(x, NULL);
    }
    fatal_signal_remove_file_to_unlink(x->temporary);
    free(x->temporary);
    x->temporary = NULL;
    sync_dir(x->path);
    return NULL;
}

static void
abandon_file(struct export *x)
{
    if (x->file && x->path) {
        fclose(x->file);
    }
    if (x->temporary) {
        fatal_signal_unlink_file_now(x->temporary);
        free(x->temporary);
    }
}

/* Progress, on a terminal. */

static void
show_progress(struct export *x, bool last)
{
    long long int now = time_msec();
    double done = x->total ? MIN(1, (double) x->n / x->total) : 1;
    struct ds s = DS_EMPTY_INITIALIZER;
    int bar = 30;

    if (!x->progress || (!last && now < x->shown + 100)) {
        return;
    }
    x->shown = now;
    ds_put_cstr(&s, "\r[");
    ds_put_char_multiple(&s, '#', bar * done);
    ds_put_char_multiple(&s, ' ', bar - (int) (bar * done));
    ds_put_format(&s, "] %3.0f%%  ", 100 * done);
    mlog_cli_put_count(&s, x->n);
    ds_put_cstr(&s, " of ");
    mlog_cli_put_count(&s, x->total);
    ds_put_cstr(&s, " records");
    if (!last && done > 0.01) {
        ds_put_cstr(&s, ", ");
        mlog_cli_put_duration(&s, ((now - x->started) * (1 / done - 1)) * 1e6);
        ds_put_cstr(&s, " left");
    }
    ds_put_cstr(&s, last ? "\033[K\n" : "\033[K");
    fputs(ds_cstr(&s), stderr);
    ds_destroy(&s);
}

/* Captures. */

/* A flow that has been seen to have TCP options has them ever after. */
struct flow {
    struct hmap_node node;
    uint64_t id;
    uint8_t tcp_options;
};

static struct flow *
find_flow(struct export *x, uint64_t id)
{
    struct flow *flow;

    HMAP_FOR_EACH_WITH_HASH (flow, node, hash_uint64(id), &x->flows) {
        if (flow->id == id) {
            return flow;
        }
    }
    return NULL;
}

static void
forget_flows(struct export *x)
{
    struct flow *flow;

    HMAP_FOR_EACH_POP (flow, node, &x->flows) {
        free(flow);
    }
}

static uint8_t
remember_options(struct export *x, uint64_t id, uint8_t tcp_options)
{
    struct flow *flow = find_flow(x, id);

    if (!flow && tcp_options) {
        if (hmap_count(&x->flows) >= MAX_FLOWS) {
            forget_flows(x);
        }
        flow = xmalloc(sizeof *flow);
        flow->id = id;
        flow->tcp_options = tcp_options;
        hmap_insert(&x->flows, &flow->node, hash_uint64(id));
    }
    return flow ? flow->tcp_options : 0;
}

/* A page's records, and its flows. */
struct batch {
    struct mlog_flow_key *keys; /* By flow. */
    uint64_t *ids;              /* By flow. */
    size_t n_flows;
    struct mlog_row *rows;
    uint64_t *times;
    size_t n;
};

/* Returns the number of the flow with 'key' within the batch. */
static uint32_t
add_flow(struct batch *batch, struct hmap *index,
         const struct mlog_flow_key *key, uint64_t id)
{
    struct index_node { struct hmap_node node; uint32_t flow; } *n;
    uint32_t hash = hash_uint64(id);

    HMAP_FOR_EACH_WITH_HASH (n, node, hash, index) {
        if (!memcmp(&batch->keys[n->flow], key, sizeof *key)) {
            return n->flow;
        }
    }
    n = xmalloc(sizeof *n);
    n->flow = batch->n_flows;
    hmap_insert(index, &n->node, hash);
    batch->keys[n->flow] = *key;
    batch->ids[n->flow] = id;
    return batch->n_flows++;
}

static bool
read_batch(struct batch *batch, const struct mlog_cli_page *page)
{
    struct hmap index = HMAP_INITIALIZER(&index);
    struct hmap_node *node, *next;
    bool ok = true;

    *batch = (struct batch) {
        .keys = xcalloc(page->n, sizeof *batch->keys),
        .ids = xcalloc(page->n, sizeof *batch->ids),
        .rows = xcalloc(page->n, sizeof *batch->rows),
        .times = xcalloc(page->n, sizeof *batch->times),
    };
    for (uint64_t i = 0; i < page->n; i++) {
        struct mlog_flow_key key;
        uint64_t id;

        if (mlog_cli_record_from_json(mlog_cli_answer_row(page->answer, i),
                                      &key, &batch->rows[batch->n], &id,
                                      &batch->times[batch->n])) {
            batch->rows[batch->n++].flow = add_flow(batch, &index, &key, id);
        } else {
            ok = false;
        }
    }
    for (node = hmap_first(&index); node; node = next) {
        next = hmap_next(&index, node);
        free(node);
    }
    hmap_destroy(&index);
    return ok;
}

static bool
put_capture(struct export *x, const struct mlog_cli_page *page)
{
    struct batch batch;
    uint8_t *options;

    if (!read_batch(&batch, page)) {
        mlog_cli_error(x->cli, "note: some records have values that this "
                       "version does not know; they are left out");
        x->missing = true;
    }
    options = mlog_rebuild_tcp_options(batch.rows, batch.n, batch.keys,
                                       batch.n_flows);
    for (size_t i = 0; i < batch.n_flows; i++) {
        options[i] = remember_options(x, batch.ids[i], options[i]);
    }
    for (size_t i = 0; i < batch.n; i++) {
        struct mlog_record record = {
            .key = &batch.keys[batch.rows[i].flow],
            .row = &batch.rows[i],
            .time = batch.times[i],
        };

        mlog_pcapng_put_record(x->pcapng, &record,
                               options[batch.rows[i].flow], &x->buffer);
    }
    free(options);
    free(batch.keys);
    free(batch.ids);
    free(batch.rows);
    free(batch.times);

    bool ok = fwrite(x->buffer.data, 1, x->buffer.size, x->file)
              == x->buffer.size;
    ofpbuf_clear(&x->buffer);
    return ok;
}

/* Text. */

static bool
put_text(struct export *x, const struct mlog_cli_page *page)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    bool ok = true;

    for (uint64_t i = 0; i < page->n && ok; i++) {
        const struct json *row = mlog_cli_answer_row(page->answer, i);

        if (x->format == EXPORT_CSV) {
            mlog_cli_put_row_csv(row, &x->columns, &s);
        } else {
            mlog_cli_put_row_json(row, &x->columns, &s);
        }
        if (s.length > 65536 || i + 1 == page->n) {
            ok = fwrite(s.string, 1, s.length, x->file) == s.length;
            ds_clear(&s);
        }
    }
    ds_destroy(&s);
    return ok;
}

static bool
put_start(struct export *x)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    bool ok = true;

    if (x->format == EXPORT_PCAPNG) {
        char host[256] = "";

        gethostname(host, sizeof host - 1);
        x->pcapng = mlog_pcapng_create();
        mlog_pcapng_put_start(x->pcapng, "ovs-multilog " MLOG_VERSION, host,
                              &x->buffer);
        ok = fwrite(x->buffer.data, 1, x->buffer.size, x->file)
             == x->buffer.size;
        ofpbuf_clear(&x->buffer);
    } else if (x->format == EXPORT_CSV) {
        mlog_cli_put_names_csv(&x->columns, &s);
        ok = fwrite(s.string, 1, s.length, x->file) == s.length;
        ds_destroy(&s);
    }
    return ok;
}

/* Pages. */

static int
export_pages(struct export *x, struct mlog_cli_pager *pager)
{
    bool last = false;

    if (!put_start(x)) {
        return mlog_cli_fail(x->cli, MLOG_CLI_ERROR, file_error(x, NULL));
    }
    while (!last && x->n < x->total) {
        struct mlog_cli_page page;
        char *message;
        int status = mlog_cli_pager_next(pager, &page, &message);
        bool ok;

        if (status || mlog_cli_interrupted()) {
            mlog_cli_page_destroy(&page);
            return (status ? mlog_cli_fail(x->cli, status, message)
                    : MLOG_CLI_INTERRUPTED);
        }
        last = page.last;
        page.n = MIN(page.n, x->total - x->n);
        if (page.answer) {
            x->missing |= mlog_cli_answer_is_incomplete(page.answer,
                                                        x->cli->ranged);
        }
        ok = !page.n || (x->format == EXPORT_PCAPNG ? put_capture(x, &page)
                         : put_text(x, &page));
        x->n += page.n;
        mlog_cli_page_destroy(&page);
        if (!ok) {
            return mlog_cli_fail(x->cli, MLOG_CLI_ERROR,
                                 file_error(x, x->temporary));
        }
        show_progress(x, false);
    }
    show_progress(x, true);
    return MLOG_CLI_OK;
}

static int
export(struct export *x, struct mlog_cli_pager *pager)
{
    char *message = open_file(x);
    int status;

    if (message) {
        abandon_file(x);
        return mlog_cli_fail(x->cli, MLOG_CLI_ERROR, message);
    }
    x->started = time_msec();
    status = export_pages(x, pager);
    if (!status) {
        message = close_file(x);
        if (message) {
            status = mlog_cli_fail(x->cli, MLOG_CLI_ERROR, message);
        }
    }
    abandon_file(x);
    if (!status && x->path) {
        fprintf(stderr, "%s: %"PRIu64" records written to %s\n", program_name,
                x->n, x->path);
    }
    if (!status && x->missing) {
        mlog_cli_error(x->cli, "note: records of this time were lost or have "
                       "expired; see \"%s doctor\"", program_name);
        status = MLOG_CLI_INCOMPLETE;
    }
    return status;
}

/* Words. */

static bool
has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n >= m && !strcasecmp(s + n - m, suffix);
}

static char *
take_format(struct export *x, struct svec *words)
{
    const char *path = x->path ? x->path : "-";
    char *format = NULL;
    char *message = NULL;

    if (mlog_cli_take_value(words, "--format", &format)
        || mlog_cli_take_value(words, "-f", &format)) {
        format = format ? format : xstrdup("");
    } else {
        format = xstrdup(has_suffix(path, ".csv") ? "csv"
                         : has_suffix(path, ".jsonl")
                           || has_suffix(path, ".json")
                           || has_suffix(path, ".ndjson") ? "jsonl"
                         : has_suffix(path, ".pcapng")
                           || has_suffix(path, ".pcap") ? "pcapng"
                         : "?");
    }
    if (!strcmp(format, "pcapng")) {
        x->format = EXPORT_PCAPNG;
    } else if (!strcmp(format, "csv")) {
        x->format = EXPORT_CSV;
    } else if (!strcmp(format, "jsonl") || !strcmp(format, "json")) {
        x->format = EXPORT_JSONL;
    } else if (!strcmp(format, "?")) {
        message = xasprintf("%s: a name that ends in .pcapng, .csv or .jsonl "
                            "says the format; or give --format", path);
    } else {
        message = xstrdup("--format: the formats of exports are pcapng, csv "
                          "and jsonl");
    }
    free(format);
    return message;
}

static char *
take_limit(struct export *x, struct svec *words)
{
    char *value;
    long long int n;
    bool ok;

    x->total = UINT64_MAX;
    if (!mlog_cli_take_value(words, "--limit", &value)) {
        return NULL;
    }
    ok = value && str_to_llong(value, 10, &n) && n > 0;
    free(value);
    if (ok) {
        x->total = n;
    }
    return (ok ? NULL
            : xstrdup("--limit: needs a whole number from 1 on"));
}

/* Sets the columns, and the option that asks for them. */
static void
take_fields(struct export *x, struct svec *words)
{
    char *fields = NULL, *option;

    svec_init(&x->columns);
    if (!mlog_cli_take_value(words, "--fields", &fields) || !fields) {
        fields = xstrdup(x->format == EXPORT_PCAPNG ? MLOG_CLI_RECORD_FIELDS
                         : "all");
    }
    if (x->format == EXPORT_PCAPNG) {
        free(fields);
        fields = xstrdup(MLOG_CLI_RECORD_FIELDS);
    } else if (!strcmp(fields, "all")) {
        const struct mlog_field *field;

        MLOG_FIELD_FOR_EACH (field) {
            svec_add(&x->columns, field->name);
        }
    } else {
        char *list = xstrdup(fields), *rest = list, *name;

        while ((name = strsep(&rest, ","))) {
            const struct mlog_field *field = mlog_field_from_name(name);

            svec_add(&x->columns, field ? field->name : name);
        }
        free(list);
    }
    option = xasprintf("--fields=%s", fields);
    mlog_cli_insert_word(words, 0, option);
    free(option);
    free(fields);
}

int
mlog_cli_export(struct mlog_cli *cli, struct svec *words)
{
    struct export x = { .cli = cli, .flows = HMAP_INITIALIZER(&x.flows) };
    struct mlog_cli_pager pager;
    char *path = NULL, *message;
    bool quiet;
    int status;

    x.force = mlog_cli_take_flag(words, "--force");
    quiet = mlog_cli_take_flag(words, "--quiet");
    x.progress = isatty(STDERR_FILENO) && !quiet;
    if (words->n && (words->names[0][0] != '-'
                     || !strcmp(words->names[0], "-"))) {
        path = xstrdup(words->names[0]);
        mlog_cli_remove_word(words, 0);
    } else {
        return mlog_cli_fail(cli, MLOG_CLI_USAGE, xasprintf(
            "the file's name comes first: %s export FILE [EXPR] [OPTION]...",
            program_name));
    }
    x.path = strcmp(path, "-") ? path : NULL;
    message = take_format(&x, words);
    message = message ? message : take_limit(&x, words);
    if (message) {
        free(path);
        return mlog_cli_fail(cli, MLOG_CLI_USAGE, message);
    }
    take_fields(&x, words);
    ofpbuf_init(&x.buffer, 65536);
    status = mlog_cli_pager_init(&pager, cli, words, false, false, PAGE);
    if (!status) {
        x.total = MIN(x.total, pager.count);
        status = export(&x, &pager);
    }
    mlog_cli_pager_destroy(&pager);
    mlog_pcapng_destroy(x.pcapng);
    ofpbuf_uninit(&x.buffer);
    forget_flows(&x);
    hmap_destroy(&x.flows);
    svec_destroy(&x.columns);
    free(path);
    return status;
}
