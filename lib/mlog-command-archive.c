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

#include <errno.h>
#include <inttypes.h>

#include "mlog-archiver.h"
#include "mlog-clock.h"
#include "mlog-time.h"
#include "multilog.h"
#include "openvswitch/json.h"
#include "util.h"

/* How records are kept: multilog/archive and multilog/index-list. */

#define DEFAULT_FLUSH_NS UINT64_C(30000000000)

/* The archive, one row per file. */

static void
put_time(struct mlog_table *table, uint64_t ns)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    mlog_time_format(ns, &text);
    mlog_table_put_string(table, ds_cstr(&text));
    ds_destroy(&text);
}

static void
put_file(struct mlog_table *table, const struct mlog_archive_file *file)
{
    const struct mlog_archive_info *info = mlog_archive_file_info(file);

    mlog_table_put_u64(table, info->seq);
    put_time(table, info->min_time);
    put_time(table, info->max_time);
    mlog_table_put_u64(table, info->n_rows);
    mlog_table_put_u64(table, info->n_flows);
    mlog_table_put_u64(table, info->file_size);
}

static struct mlog_table *
files_table(struct mlog_call *call)
{
    struct mlog_table *table = mlog_document_table(&call->doc, "files");

    mlog_table_add_column(table, "seq", true);
    mlog_table_add_column(table, "from", false);
    mlog_table_add_column(table, "to", false);
    mlog_table_add_column(table, "records", true);
    mlog_table_add_column(table, "flows", true);
    mlog_table_add_column(table, "bytes", true);
    return table;
}

static void
put_summary(struct mlog_call *call, const struct mlog_archiver_status *status)
{
    const struct mlog_archive_stats *stats = &status->stats;
    struct mlog_document *doc = &call->doc;

    mlog_document_put_u64(doc, "n_files", stats->files);
    mlog_document_put_u64(doc, "records", stats->records);
    mlog_document_put_u64(doc, "bytes", stats->bytes);
    mlog_document_put_u64(doc, "lost", stats->lost_records);
    mlog_document_put_u64(doc, "write_errors", stats->write_errors);
    mlog_document_put_u64(doc, "read_errors", stats->read_errors);
    if (status->error) {
        mlog_document_note(doc, "segments cannot be archived now (%s); this "
                           "is tried again until they expire",
                           ovs_strerror(status->error));
    }
    for (size_t i = 0; i < status->n_problems; i++) {
        mlog_document_note(doc, "%s: %s", status->problems[i].name,
                           status->problems[i].message);
    }
    mlog_document_summary(doc, "%"PRIu64" files, %"PRIu64" records, %"PRIu64
                          " bytes (%.1f per record) in %s", stats->files,
                          stats->records, stats->bytes,
                          stats->records ? (double) stats->bytes
                                           / stats->records : 0.0,
                          status->dir);
}

static void
show(struct mlog_call *call, const struct mlog_archiver_status *status,
     const struct mlog_archive_list *list)
{
    struct mlog_table *table = files_table(call);

    for (size_t i = 0; i < list->n; i++) {
        put_file(table, list->files[i]);
    }
    put_summary(call, status);
}

/* Reads whole files, so it takes its time. */
static void
verify(struct mlog_call *call, const struct mlog_archive_list *list,
       const uint64_t *seq)
{
    struct mlog_table *table = mlog_document_table(&call->doc, "files");
    size_t n_bad = 0, n = 0;

    mlog_table_add_column(table, "seq", true);
    mlog_table_add_column(table, "records", true);
    mlog_table_add_column(table, "result", false);
    for (size_t i = 0; i < list->n; i++) {
        const struct mlog_archive_info *info
            = mlog_archive_file_info(list->files[i]);
        char *message = NULL;

        if (seq && info->seq != *seq) {
            continue;
        }
        int error = mlog_archive_verify(list->files[i], &message);
        mlog_table_put_u64(table, info->seq);
        mlog_table_put_u64(table, info->n_rows);
        mlog_table_put_string(table, !error ? "ok" : message ? message
                              : ovs_strerror(error));
        n_bad += error != 0;
        n++;
        free(message);
    }
    mlog_document_put_u64(&call->doc, "verified", n);
    mlog_document_put_u64(&call->doc, "damaged", n_bad);
    mlog_document_summary(&call->doc, "%"PRIuSIZE" files verified, %"PRIuSIZE
                          " damaged", n, n_bad);
}

static void
flush(struct mlog_call *call)
{
    uint64_t timeout = DEFAULT_FLUSH_NS;

    if (!mlog_call_get_duration(call, MLOG_OPT_TIMEOUT, &timeout)) {
        return;
    }
    mlog_digest_lock(call->ml->digest);
    mlog_header_log_close_segment(call->ml->log);
    mlog_digest_unlock(call->ml->digest);
    mlog_digest_drain(call->ml->digest);

    int error = mlog_archiver_flush(call->ml->archiver, timeout / 1000000);
    if (error) {
        mlog_call_error(call, NULL, NULL, "not everything could be archived "
                        "(%s)", ovs_strerror(error));
    }
}

static void
report_dropped(struct mlog_call *call, int error,
               const struct mlog_archive_dropped *dropped)
{
    if (error == ENOENT) {
        mlog_call_error(call, call->args[1], call->args[1],
                        "there is no such file; see multilog/archive show");
    } else if (error) {
        mlog_call_error(call, NULL, NULL, "a file could not be removed (%s)",
                        ovs_strerror(error));
    } else {
        mlog_document_put_u64(&call->doc, "files", dropped->files);
        mlog_document_put_u64(&call->doc, "records", dropped->records);
        mlog_document_put_u64(&call->doc, "bytes", dropped->bytes);
        mlog_document_summary(&call->doc, "%"PRIu64" files with %"PRIu64
                              " records, %"PRIu64" bytes, dropped",
                              dropped->files, dropped->records,
                              dropped->bytes);
    }
}

static void
drop(struct mlog_call *call, uint64_t seq)
{
    struct mlog_archive_dropped dropped = { 0 };
    int error = mlog_archiver_drop(call->ml->archiver, seq, &dropped);

    report_dropped(call, error, &dropped);
}

static void
drop_before(struct mlog_call *call, const char *text)
{
    struct mlog_archive_dropped dropped = { 0 };
    uint64_t time;
    char *message = mlog_time_parse_relative(text, mlog_clock_system(), &time);

    if (message) {
        mlog_call_take_message(call, text, text, message);
        return;
    }
    report_dropped(call, mlog_archiver_drop_before(call->ml->archiver, time,
                                                   &dropped), &dropped);
}

/* Checks that there is a second word if, and only if, there has to be one. */
static bool
check_args(struct mlog_call *call, const char *name, size_t min, size_t max)
{
    size_t n = call->n_args ? call->n_args - 1 : 0;

    if (n < min) {
        return mlog_call_error(call, NULL, NULL, "%s needs an argument: %s",
                               name, call->command->usage);
    } else if (n > max) {
        return mlog_call_error(call, call->args[1], call->args[1],
                               "%s takes no argument", name);
    }
    return true;
}

static void
run(struct mlog_call *call, const char *what,
    const struct mlog_archiver_status *status,
    const struct mlog_archive_list *list)
{
    const char *arg = call->n_args > 1 ? call->args[1] : NULL;
    uint64_t seq = 0;

    if (!strcmp(what, "show") && check_args(call, what, 0, 0)) {
        show(call, status, list);
    } else if (!strcmp(what, "verify") && check_args(call, what, 0, 1)) {
        if (!arg || mlog_call_parse_u64(call, arg, "SEQ", 0, INT64_MAX,
                                        &seq)) {
            verify(call, list, arg ? &seq : NULL);
        }
    } else if (!strcmp(what, "flush") && check_args(call, what, 0, 0)) {
        flush(call);
    } else if (!strcmp(what, "drop") && check_args(call, what, 1, 1)) {
        if (mlog_call_parse_u64(call, arg, "SEQ", 0, INT64_MAX, &seq)) {
            drop(call, seq);
        }
    } else if (!strcmp(what, "drop-before") && check_args(call, what, 1, 1)) {
        drop_before(call, arg);
    } else if (!mlog_call_failed(call)) {
        mlog_call_error(call, what, what, "must be show, verify, flush, drop "
                        "or drop-before");
    }
}

void
mlog_command_archive(struct mlog_call *call)
{
    struct mlog_archive_list *list
        = mlog_archiver_get_list(call->ml->archiver);
    struct mlog_archiver_status status;

    if (!list) {
        mlog_call_error(call, NULL, NULL, "there is no archive; make one "
                        "with: multilog/set archive-dir DIRECTORY");
        return;
    }
    mlog_archiver_get_status(call->ml->archiver, &status);
    run(call, call->n_args ? call->args[0] : "show", &status, list);
    mlog_archiver_status_destroy(&status);
    mlog_archive_list_unref(list);
}

/* Indexes. */

const char *
mlog_field_index(const struct mlog_field *field)
{
    return (field->id == MLOG_F_TIME ? "bisection"
            : field->scope == MLOG_SCOPE_FLOW ? "flow table and postings"
            : mlog_scan_has_zones(field->id) ? "zone maps"
            : "none");
}

void
mlog_command_index_list(struct mlog_call *call)
{
    struct mlog_table *table = mlog_document_table(&call->doc, "indexes");
    struct mlog_header_log_stats stats;
    const struct mlog_field *field;

    mlog_table_add_column(table, "field", false);
    mlog_table_add_column(table, "index", false);
    MLOG_FIELD_FOR_EACH (field) {
        mlog_table_put_string(table, field->name);
        mlog_table_put_string(table, mlog_field_index(field));
    }
    mlog_header_log_get_stats(call->ml->log, &stats);
    mlog_document_put_u64(&call->doc, "segments", stats.n_segments);
    mlog_document_put_u64(&call->doc, "sealed", stats.n_sealed);
    mlog_document_put_u64(&call->doc, "flows",
                          mlog_flow_table_count(call->ml->flows));
    mlog_document_summary(&call->doc, "%"PRIuSIZE" of %"PRIuSIZE" segments "
                          "have postings and zone maps; %"PRIuSIZE" flows",
                          stats.n_sealed, stats.n_segments,
                          mlog_flow_table_count(call->ml->flows));
}
