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
#include "mlog-dump.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "mlog-archive-ports.h"
#include "mlog-archive.h"
#include "mlog-flow-id.h"
#include "mlog-flow-table.h"
#include "mlog-pcapng.h"
#include "mlog-rebuild.h"
#include "mlog-record-table.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* A table is rendered, and begun anew, when it has so many rows or bytes. */
#define CHUNK_ROWS 10000
#define CHUNK_BYTES (1u << 20)

struct mlog_dump {
    struct mlog_dump_options options;
    struct mlog_archive_file **files;
    size_t n_files, allocated_files;
    size_t n_problems;
    int error;                  /* Of 'write'. */

    struct mlog_archive_port_map ports;
    struct mlog_table *table;   /* Rows not written yet, or NULL. */
    bool any_chunk;             /* Some were written. */
    struct mlog_pcapng *pcapng;
    struct ofpbuf capture;      /* Not written yet. */

    uint64_t count, bytes;      /* Of what matches. */
    uint64_t gaps;              /* Records that are missing. */
    bool truncated;
};

struct mlog_dump *
mlog_dump_create(const struct mlog_dump_options *options)
{
    struct mlog_dump *d = xzalloc(sizeof *d);

    d->options = *options;
    if (!d->options.n_fields) {
        d->options.n_fields = mlog_record_default_fields(options->format,
                                                         d->options.fields);
    }
    d->pcapng = mlog_pcapng_create();
    ofpbuf_init(&d->capture, 0);
    return d;
}

void
mlog_dump_destroy(struct mlog_dump *d)
{
    if (d) {
        for (size_t i = 0; i < d->n_files; i++) {
            mlog_archive_file_unref(d->files[i]);
        }
        free(d->files);
        mlog_table_destroy(d->table);
        mlog_pcapng_destroy(d->pcapng);
        ofpbuf_uninit(&d->capture);
        free(d);
    }
}

size_t
mlog_dump_n_problems(const struct mlog_dump *d)
{
    return d->n_problems;
}

static void OVS_PRINTF_FORMAT(2, 3)
complain(struct mlog_dump *d, const char *format, ...)
{
    va_list args;
    char *message;

    va_start(args, format);
    message = xvasprintf(format, args);
    va_end(args);
    d->n_problems++;
    d->options.complain(d->options.aux, message);
    free(message);
}

static void
put_output(struct mlog_dump *d, const void *data, size_t n)
{
    if (!d->error && n) {
        d->error = d->options.write(d->options.aux, data, n);
    }
}

/* Files. */

/* Takes over a reference to 'file'. */
static void
add_file(struct mlog_dump *d, struct mlog_archive_file *file)
{
    if (d->n_files >= d->allocated_files) {
        d->files = x2nrealloc(d->files, &d->allocated_files,
                              sizeof *d->files);
    }
    d->files[d->n_files++] = file;
}

static void
add_dir(struct mlog_dump *d, const char *path)
{
    struct mlog_archive_options options = { .read_only = true };
    struct mlog_archive_problem *problems;
    struct mlog_archive_list *list;
    struct mlog_archive *archive;
    char *error = mlog_archive_open(path, &options, &archive);
    size_t n;

    if (error) {
        complain(d, "%s", error);
        free(error);
        return;
    }
    list = mlog_archive_get_list(archive);
    for (size_t i = 0; i < list->n; i++) {
        add_file(d, mlog_archive_file_ref(list->files[i]));
    }
    problems = mlog_archive_get_problems(archive, &n);
    for (size_t i = 0; i < n; i++) {
        complain(d, "%s/%s: %s", path, problems[i].name, problems[i].message);
    }
    mlog_archive_free_problems(problems, n);
    mlog_archive_list_unref(list);
    mlog_archive_close(archive);
}

void
mlog_dump_add(struct mlog_dump *d, const char *path)
{
    struct mlog_archive_file *file;
    struct stat s;
    char *message;

    if (!stat(path, &s) && S_ISDIR(s.st_mode)) {
        add_dir(d, path);
    } else if (mlog_archive_open_single(path, &file, &message)) {
        complain(d, "%s: %s", path, message);
        free(message);
    } else {
        add_file(d, file);
    }
}

/* Output of records. */

static void
create_table(struct mlog_dump *d)
{
    d->table = mlog_table_create(d->options.format);
    mlog_record_add_columns(d->table, d->options.fields, d->options.n_fields);
    mlog_table_hide_empty(d->table);
}

/* A table in chunks: of JSON one array, of CSV one heading; tables for people
 * have a heading each, since their columns differ in width. */
static void
write_chunk(struct mlog_dump *d)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    const char *start, *end;

    mlog_table_render(d->table, false, &s);
    start = s.string;
    end = start + s.length;
    switch (d->options.format) {
    case MLOG_FORMAT_JSON:
        start++;
        end--;
        put_output(d, d->any_chunk ? "," : "{\"rows\":[",
                   d->any_chunk ? 1 : 9);
        break;
    case MLOG_FORMAT_CSV:
        start = d->any_chunk ? strchr(start, '\n') + 1 : start;
        break;
    case MLOG_FORMAT_TABLE:
        put_output(d, "\n", d->any_chunk);
        break;
    }
    put_output(d, start, end - start);
    ds_destroy(&s);
    d->any_chunk = true;
    mlog_table_destroy(d->table);
    create_table(d);
}

static void
write_capture(struct mlog_dump *d)
{
    put_output(d, d->capture.data, d->capture.size);
    ofpbuf_clear(&d->capture);
}

static void
put_record(struct mlog_dump *d, const struct mlog_record *record,
           size_t tcp_options)
{
    if (d->options.pcapng) {
        mlog_pcapng_put_record(d->pcapng, record, tcp_options, &d->capture);
        if (d->capture.size >= CHUNK_BYTES) {
            write_capture(d);
        }
    } else {
        mlog_record_put(d->table, record, d->options.fields,
                        d->options.n_fields);
        if (mlog_table_n_rows(d->table) >= CHUNK_ROWS) {
            write_chunk(d);
        }
    }
}

/* Reading of records. */

/* A file's segment, as far as it may be of interest. */
struct segment {
    struct mlog_archive_data *data;
    uint64_t *flow_ids;
    uint8_t *verdicts;          /* enum mlog_tri, by flow. */
    uint8_t *tcp_options;       /* By flow, or NULL. */
};

/* Evaluates the expression on each flow.  Returns true if any may match. */
static bool
judge_flows(struct mlog_dump *d, struct segment *s)
{
    const struct mlog_archive_info *info = s->data->info;
    bool any = false;

    s->flow_ids = xcalloc(info->n_flows, sizeof *s->flow_ids);
    s->verdicts = xcalloc(info->n_flows, sizeof *s->verdicts);
    for (uint32_t i = 0; i < info->n_flows; i++) {
        struct mlog_record record = { .key = &s->data->keys[i] };

        s->flow_ids[i] = record.flow_id = mlog_flow_id(record.key);
        s->verdicts[i] = (d->options.expr
                          ? mlog_expr_eval_flow(d->options.expr, &record)
                          : MLOG_TRUE);
        any |= s->verdicts[i] != MLOG_FALSE;
    }
    return any;
}

static bool
matches(const struct mlog_dump *d, const struct segment *s,
        const struct mlog_record *record)
{
    switch (s->verdicts[record->row->flow]) {
    case MLOG_FALSE:
        return false;
    case MLOG_TRUE:
        return true;
    default:
        return mlog_expr_eval(d->options.expr, record);
    }
}

static void
take_record(struct mlog_dump *d, const struct segment *s,
            const struct mlog_record *record)
{
    if (d->options.what == MLOG_DUMP_RECORDS) {
        if (d->count >= d->options.limit) {
            d->truncated = true;
            return;
        }
        put_record(d, record,
                   s->tcp_options ? s->tcp_options[record->row->flow] : 0);
    }
    d->count++;
    d->bytes += mlog_row_pkt_len(record->row);
}

static void
dump_rows(struct mlog_dump *d, const struct segment *s)
{
    const struct mlog_archive_info *info = s->data->info;

    for (uint32_t i = 0; i < info->n_rows && !d->truncated; i++) {
        const struct mlog_row *row = &s->data->rows[i];
        struct mlog_record record = {
            .key = &s->data->keys[row->flow],
            .row = row,
            .flow_id = s->flow_ids[row->flow],
            .time = info->base_time + mlog_row_time(row),
        };

        if (record.time >= d->options.since && record.time <= d->options.until
            && matches(d, s, &record)) {
            take_record(d, s, &record);
        }
        if (d->error) {
            return;
        }
    }
}

/* Returns an errno, after setting '*message'. */
static int
dump_segment(struct mlog_dump *d, const struct mlog_archive_file *file,
             struct segment *s, char **message)
{
    const struct mlog_archive_info *info = mlog_archive_file_info(file);
    int error = mlog_archive_load(file, &s->data, message);

    if (error) {
        return error;
    }
    mlog_archive_map_ports(info, &d->ports);
    mlog_archive_remap_keys(&d->ports, s->data->keys, info->n_flows);
    if (!judge_flows(d, s)) {
        return 0;
    }
    error = mlog_archive_load_rows(s->data, message);
    if (error) {
        return error;
    }
    mlog_archive_remap_rows(&d->ports, s->data->rows, info->n_rows);
    if (d->options.pcapng) {
        s->tcp_options = mlog_rebuild_tcp_options(
            s->data->rows, info->n_rows, s->data->keys, info->n_flows);
    }
    dump_rows(d, s);
    return 0;
}

static void
count_gaps(struct mlog_dump *d, const struct mlog_archive_info *info)
{
    for (size_t i = 0; i < info->n_gaps; i++) {
        if (info->gaps[i].to >= d->options.since
            && info->gaps[i].from <= d->options.until) {
            d->gaps += info->gaps[i].count;
        }
    }
}

static void
dump_file(struct mlog_dump *d, const struct mlog_archive_file *file)
{
    const struct mlog_archive_info *info = mlog_archive_file_info(file);
    struct segment s = { .data = NULL };
    char *message;

    count_gaps(d, info);
    if (!info->n_rows || info->max_time < d->options.since
        || info->min_time > d->options.until) {
        return;
    }
    if (dump_segment(d, file, &s, &message)) {
        complain(d, "%s: %s", mlog_archive_file_name(file), message);
        free(message);
    }
    mlog_archive_data_unref(s.data);
    free(s.flow_ids);
    free(s.verdicts);
    free(s.tcp_options);
}

/* Documents. */

static void
write_document(struct mlog_dump *d, const struct mlog_document *doc,
               bool continues_object)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    mlog_document_render(doc, &s);
    if (continues_object) {
        put_output(d, "],", 2);
        put_output(d, s.string + 1, s.length - 1);
    } else {
        put_output(d, s.string, s.length);
    }
    ds_destroy(&s);
}

static void
put_end(struct mlog_dump *d, struct mlog_document *doc)
{
    mlog_document_put_u64(doc, "count", d->count);
    mlog_document_put_u64(doc, "bytes", d->bytes);
    mlog_document_put_u64(doc, "gaps", d->gaps);
    if (d->options.what == MLOG_DUMP_RECORDS) {
        mlog_document_put_bool(doc, "truncated", d->truncated);
    }
    mlog_document_put_u64(doc, "problems", d->n_problems);
    mlog_document_summary(doc, "%"PRIu64" records, %"PRIu64" bytes", d->count,
                          d->bytes);
    if (d->truncated) {
        mlog_document_note(doc, "there are more records; see --limit");
    }
    if (d->gaps) {
        mlog_document_note(doc, "up to %"PRIu64" records of this range were "
                           "lost", d->gaps);
    }
    if (d->n_problems) {
        mlog_document_note(doc, "%"PRIuSIZE" files or directories could not "
                           "be read", d->n_problems);
    }
}

static void
dump_records(struct mlog_dump *d)
{
    bool records = d->options.what == MLOG_DUMP_RECORDS;
    struct mlog_document doc;

    create_table(d);
    for (size_t i = 0; i < d->n_files && !d->error && !d->truncated; i++) {
        dump_file(d, d->files[i]);
    }
    if (records && (mlog_table_n_rows(d->table)
                    || (!d->any_chunk
                        && d->options.format != MLOG_FORMAT_TABLE))) {
        write_chunk(d);
    }
    mlog_document_init(&doc, d->options.format);
    put_end(d, &doc);
    if (!records && d->options.format == MLOG_FORMAT_CSV) {
        struct mlog_table *table = mlog_document_table(&doc, "totals");

        mlog_table_add_column(table, "count", true);
        mlog_table_add_column(table, "bytes", true);
        mlog_table_put_u64(table, d->count);
        mlog_table_put_u64(table, d->bytes);
    }
    write_document(d, &doc,
                   records && d->options.format == MLOG_FORMAT_JSON);
    mlog_document_destroy(&doc);
}

static void
dump_capture(struct mlog_dump *d)
{
    const char *host = NULL;

    if (d->n_files) {
        host = mlog_archive_file_info(d->files[0])->host;
    }
    mlog_pcapng_put_start(d->pcapng, d->options.application, host,
                          &d->capture);
    for (size_t i = 0; i < d->n_files && !d->error && !d->truncated; i++) {
        dump_file(d, d->files[i]);
    }
    write_capture(d);
    if (d->gaps) {
        struct ds s = DS_EMPTY_INITIALIZER;

        ds_put_format(&s, "note: up to %"PRIu64" records of this range were "
                      "lost", d->gaps);
        d->options.complain(d->options.aux, ds_cstr(&s));
        ds_destroy(&s);
    }
}

static void
put_file_row(struct mlog_table *table, const struct mlog_archive_file *file)
{
    const struct mlog_archive_info *info = mlog_archive_file_info(file);
    uint64_t lost = 0;

    for (size_t i = 0; i < info->n_gaps; i++) {
        lost += info->gaps[i].count;
    }
    mlog_table_put_string(table, mlog_archive_file_name(file));
    mlog_table_put_u64(table, info->seq);
    mlog_table_put_u64(table, info->n_rows);
    mlog_table_put_u64(table, info->n_flows);
    mlog_table_put_u64(table, info->file_size);
    if (info->n_rows) {
        mlog_table_put_real(table, info->file_size * 100 / info->n_rows
                                   / 100.0);
    } else {
        mlog_table_put_absent(table);
    }
    mlog_table_put_time(table, info->min_time);
    mlog_table_put_time(table, info->max_time);
    mlog_table_put_u64(table, lost);
    mlog_table_put_string(table, info->host[0] ? info->host : NULL);
    mlog_table_put_string(table, info->boot[0] ? info->boot : NULL);
}

static void
put_verdict(struct mlog_dump *d, struct mlog_table *table,
            const struct mlog_archive_file *file)
{
    char *message;

    if (mlog_archive_verify(file, &message)) {
        complain(d, "%s: %s", mlog_archive_file_name(file), message);
        mlog_table_put_string(table, message);
        free(message);
    } else {
        mlog_table_put_string(table, "ok");
    }
}

static bool
is_in_range(const struct mlog_dump *d, const struct mlog_archive_file *file)
{
    const struct mlog_archive_info *info = mlog_archive_file_info(file);

    return (!info->n_rows || (info->max_time >= d->options.since
                              && info->min_time <= d->options.until));
}

static void
dump_files(struct mlog_dump *d)
{
    static const struct { const char *name; bool right; } columns[] = {
        { "file", false }, { "seq", true }, { "records", true },
        { "flows", true }, { "bytes", true }, { "bytes_per_record", true },
        { "oldest", false }, { "newest", false }, { "lost", true },
        { "host", false }, { "boot", false },
    };
    bool verify = d->options.what == MLOG_DUMP_VERIFY;
    struct mlog_document doc;
    struct mlog_table *table;
    uint64_t n = 0;

    mlog_document_init(&doc, d->options.format);
    table = mlog_document_table(&doc, "files");
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        mlog_table_add_column(table, columns[i].name, columns[i].right);
    }
    if (verify) {
        mlog_table_add_column(table, "state", false);
    }
    mlog_table_hide_empty(table);
    for (size_t i = 0; i < d->n_files; i++) {
        if (is_in_range(d, d->files[i])) {
            put_file_row(table, d->files[i]);
            if (verify) {
                put_verdict(d, table, d->files[i]);
            }
            n++;
            d->count += mlog_archive_file_info(d->files[i])->n_rows;
            d->bytes += mlog_archive_file_info(d->files[i])->file_size;
        }
    }
    mlog_document_put_u64(&doc, "n_files", n);
    mlog_document_put_u64(&doc, "records", d->count);
    mlog_document_put_u64(&doc, "bytes", d->bytes);
    mlog_document_put_u64(&doc, "problems", d->n_problems);
    mlog_document_summary(&doc, "%"PRIu64" files, %"PRIu64" records, %"PRIu64
                          " bytes, %"PRIuSIZE" problems", n, d->count,
                          d->bytes, d->n_problems);
    write_document(d, &doc, false);
    mlog_document_destroy(&doc);
}

int
mlog_dump_run(struct mlog_dump *d)
{
    if (d->options.what == MLOG_DUMP_LIST
        || d->options.what == MLOG_DUMP_VERIFY) {
        dump_files(d);
    } else if (d->options.pcapng && d->options.what == MLOG_DUMP_RECORDS) {
        dump_capture(d);
    } else {
        dump_records(d);
    }
    return d->error;
}
