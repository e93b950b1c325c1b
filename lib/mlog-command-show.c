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

#include <inttypes.h>

#include "mlog-stream.h"
#include "mlog-time.h"
#include "multilog.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"

/* multilog/show.
 *
 * It waits for a cut, so that what was captured before is logged. */

struct status {
    struct multilog_status ml;
    struct mlog_stream_stats stream;
};

static void
get_status(struct multilog *ml, struct status *status)
{
    mlog_digest_lock(ml->digest);
    mlog_stream_get_stats(ml->stream, &status->stream);
    mlog_digest_unlock(ml->digest);
    multilog_get_status(ml, &status->ml);
}

static void
put_time_member(struct json *object, const char *name, uint64_t ns)
{
    if (ns) {
        struct ds time = DS_EMPTY_INITIALIZER;

        mlog_time_format(ns, &time);
        json_object_put_string(object, name, ds_cstr(&time));
        ds_destroy(&time);
    }
}

static void
put_number_member(struct json *object, const char *name, uint64_t number)
{
    json_object_put(object, name, json_integer_create(number));
}

static double
ns_per_record(const struct mlog_digest_stats *digest)
{
    return (digest->n_records
            ? (double) digest->cpu_ns / digest->n_records : 0);
}

static double
cpu_percent(const struct multilog_status *status)
{
    uint64_t up = status->now - MIN(status->started, status->now);

    return up ? 100.0 * status->digest.cpu_ns / up : 0;
}

static struct json *
memory_to_json(const struct multilog_status *status)
{
    struct json *memory = json_object_create();

    put_number_member(memory, "budget", status->budget);
    put_number_member(memory, "rings", status->ring_memory);
    put_number_member(memory, "header_log", status->log.memory);
    put_number_member(memory, "flow_table", status->flow_memory);
    return memory;
}

static struct json *
records_to_json(const struct multilog_status *status)
{
    const struct mlog_header_log_stats *log = &status->log;
    struct json *records = json_object_create();

    put_number_member(records, "captured", status->n_captured);
    put_number_member(records, "pending", status->n_pending);
    put_number_member(records, "held", log->n_rows);
    put_number_member(records, "archived", log->n_archived);
    put_number_member(records, "expired", log->n_expired);
    put_number_member(records, "lost", status->n_lost);
    put_number_member(records, "logged", log->n_appended);
    put_number_member(records, "flows", status->n_flows);
    put_number_member(records, "segments", log->n_segments);
    put_time_member(records, "oldest", log->oldest);
    put_time_member(records, "newest", log->newest);
    put_time_member(records, "expired_until", log->expired_until);
    return records;
}

static struct json *
losses_to_json(const struct multilog_status *status)
{
    struct json *losses = json_object_create();

    for (size_t i = 0; i < MLOG_N_LOSSES; i++) {
        if (i != MLOG_LOSS_OUTAGE) {
            put_number_member(losses, mlog_loss_to_string(i),
                              status->log.n_lost[i]);
        }
    }
    return losses;
}

static struct json *
gaps_to_json(const struct multilog_status *status)
{
    struct json *gaps = json_array_create_empty();

    for (size_t i = 0; i < status->n_gaps; i++) {
        const struct mlog_gap *gap = &status->gaps[i];
        struct json *object = json_object_create();

        json_object_put_string(object, "reason",
                               mlog_loss_to_string(gap->reason));
        put_time_member(object, "from", gap->from);
        put_time_member(object, "to", gap->to);
        if (gap->reason != MLOG_LOSS_OUTAGE) {
            put_number_member(object, "records", gap->count);
        }
        json_array_add(gaps, object);
    }
    return gaps;
}

static struct json *
segments_to_json(const struct mlog_header_log_stats *log)
{
    struct json *segments = json_object_create();

    put_number_member(segments, "held", log->n_segments);
    put_number_member(segments, "sealed", log->n_sealed);
    put_number_member(segments, "sealed_records", log->n_sealed_rows);
    put_number_member(segments, "sealed_bytes", log->sealed_memory);
    put_number_member(segments, "expired_but_pinned", log->n_pinned);
    put_number_member(segments, "taken_from_readers", log->n_revoked);
    return segments;
}

static struct json *
store_to_json(const struct multilog_status *status)
{
    const struct multilog_recovery *r = &status->recovery;
    struct json *store = json_object_create();

    json_object_put(store, "volatile", json_boolean_create(!status->dir));
    if (status->dir) {
        json_object_put_string(store, "directory", status->dir);
    }
    if (status->problem) {
        json_object_put_string(store, "problem", status->problem);
    }
    if (r->recovered) {
        struct json *recovery = json_object_create();

        put_number_member(recovery, "records", r->n_records);
        put_number_member(recovery, "from_rings", r->from_rings);
        put_number_member(recovery, "lost", r->n_lost);
        put_number_member(recovery, "damaged_rings", r->n_damaged_rings);
        put_time_member(recovery, "outage_from", r->outage_from);
        put_time_member(recovery, "outage_to", r->outage_to);
        put_number_member(recovery, "took_ns", r->took);
        json_object_put(store, "recovery", recovery);
    }
    return store;
}

static struct json *
digest_to_json(const struct multilog_status *status)
{
    const struct mlog_digest_stats *stats = &status->digest;
    struct json *digest = json_object_create();

    put_number_member(digest, "records", stats->n_records);
    put_number_member(digest, "passes", stats->n_passes);
    put_number_member(digest, "cpu_ns", stats->cpu_ns);
    json_object_put(digest, "cpu_percent",
                    json_real_create(cpu_percent(status)));
    json_object_put(digest, "ns_per_record",
                    json_real_create(ns_per_record(stats)));
    put_number_member(digest, "longest_pass_ns", stats->longest_pass_ns);
    put_number_member(digest, "late_ticks", stats->n_late_ticks);
    json_object_put(digest, "threads", mlog_digest_threads_to_json(stats));
    return digest;
}

static struct json *
stream_to_json(const struct mlog_stream_stats *stats)
{
    struct json *stream = json_object_create();

    put_number_member(stream, "filters", stats->n_filters);
    put_number_member(stream, "aggregates", stats->n_aggregates);
    put_number_member(stream, "triggers", stats->n_triggers);
    put_number_member(stream, "classes", stats->n_classes);
    put_number_member(stream, "groups", stats->n_groups);
    put_number_member(stream, "incidents", stats->n_incidents);
    put_number_member(stream, "last_seq", stats->last_seq);
    put_number_member(stream, "memory", stats->memory);
    return stream;
}

static struct json *
rings_to_json(const struct multilog_status *status)
{
    struct json *rings = json_array_create_empty();

    for (size_t i = 0; i < status->n_rings; i++) {
        const struct mlog_ring_stats *stats = &status->rings[i];
        struct json *ring = json_object_create();

        json_object_put_string(ring, "name", stats->name);
        put_number_member(ring, "captured", stats->n_captured);
        put_number_member(ring, "lost", stats->n_lost);
        put_number_member(ring, "slots", stats->n_slots);
        put_number_member(ring, "used_slots", stats->used_slots);
        json_object_put(ring, "huge_pages", json_boolean_create(stats->huge));
        json_array_add(rings, ring);
    }
    return rings;
}

/* Adds a row for each number, string and boolean below 'json', with the path
 * to it, such as "rings.0.lost". */
static void
flatten_json(const struct json *json, const char *path,
             struct mlog_table *table)
{
    if (json->type == JSON_OBJECT) {
        const struct shash_node **nodes = shash_sort(json_object(json));
        size_t n = shash_count(json_object(json));

        for (size_t i = 0; i < n; i++) {
            char *sub = xasprintf("%s%s%s", path, *path ? "." : "",
                                  nodes[i]->name);

            flatten_json(nodes[i]->data, sub, table);
            free(sub);
        }
        free(nodes);
    } else if (json->type == JSON_ARRAY) {
        for (size_t i = 0; i < json->array.n; i++) {
            char *sub = xasprintf("%s.%"PRIuSIZE, path, i);

            flatten_json(json->array.elems[i], sub, table);
            free(sub);
        }
    } else {
        mlog_table_put_string(table, path);
        mlog_table_put_json(table, json);
    }
}

static void
put_line(struct ds *text, const char *name)
{
    ds_put_format(text, "%-10s  ", name);
}

static void
put_span(struct ds *text, const struct mlog_header_log_stats *log)
{
    if (log->oldest) {
        put_line(text, "");
        mlog_time_format(log->oldest, text);
        ds_put_cstr(text, " to ");
        mlog_time_format(log->newest, text);
        ds_put_format(text, " (%.3f s)\n",
                      (log->newest - log->oldest) / 1e9);
    }
}

static void
show_losses(const struct multilog_status *status, struct ds *text)
{
    const char *separator = " (";

    put_line(text, "gaps");
    ds_put_format(text, "%"PRIu64" records lost of %"PRIu64, status->n_lost,
                  status->n_captured);
    for (size_t i = 0; i < MLOG_N_LOSSES; i++) {
        if (status->log.n_lost[i]) {
            ds_put_format(text, "%s%s %"PRIu64, separator,
                          mlog_loss_to_string(i), status->log.n_lost[i]);
            separator = ", ";
        }
    }
    ds_put_cstr(text, status->n_lost ? ")\n" : "\n");
}

static void
show_store(const struct multilog_status *status, struct ds *text)
{
    const struct multilog_recovery *r = &status->recovery;

    put_line(text, "store");
    ds_put_format(text, "%s\n", status->dir ? status->dir
                  : status->problem ? status->problem
                  : "none: records end with the process");
    if (r->recovered) {
        put_line(text, "");
        ds_put_format(text, "%"PRIu64" records recovered, %"PRIu64" lost, "
                      "after an outage of %.3f s until ", r->n_records,
                      r->n_lost, (r->outage_to - r->outage_from) / 1e9);
        mlog_time_format(r->outage_to, text);
        ds_put_char(text, '\n');
    }
}

static void
show_memory(const struct multilog_status *status, struct ds *text)
{
    uint64_t used = (status->ring_memory + status->log.memory
                     + status->flow_memory);

    put_line(text, "memory");
    mlog_put_size(text, used);
    ds_put_cstr(text, " of ");
    mlog_put_size(text, status->budget);
    ds_put_cstr(text, " (header log ");
    mlog_put_size(text, status->log.memory);
    ds_put_cstr(text, ", flow table ");
    mlog_put_size(text, status->flow_memory);
    ds_put_cstr(text, ", rings ");
    mlog_put_size(text, status->ring_memory);
    ds_put_cstr(text, ")\n");
}

static void
show_stream(const struct mlog_stream_stats *stats, struct ds *text)
{
    put_line(text, "stream");
    ds_put_format(text, "%"PRIuSIZE" filters, %"PRIuSIZE" aggregates (%"
                  PRIuSIZE" groups), %"PRIuSIZE" triggers, %"PRIu64" alerts, ",
                  stats->n_filters, stats->n_aggregates, stats->n_groups,
                  stats->n_triggers, stats->last_seq);
    mlog_put_size(text, stats->memory);
    ds_put_char(text, '\n');
}

static void
show_rings(const struct multilog_status *status, struct ds *text)
{
    struct mlog_table *table = mlog_table_create(MLOG_FORMAT_TABLE);

    mlog_table_add_column(table, "ring", false);
    mlog_table_add_column(table, "captured", true);
    mlog_table_add_column(table, "lost", true);
    mlog_table_add_column(table, "slots", true);
    mlog_table_add_column(table, "used", true);
    mlog_table_add_column(table, "pages", false);
    for (size_t i = 0; i < status->n_rings; i++) {
        const struct mlog_ring_stats *stats = &status->rings[i];

        mlog_table_put_string(table, stats->name);
        mlog_table_put_u64(table, stats->n_captured);
        mlog_table_put_u64(table, stats->n_lost);
        mlog_table_put_u64(table, stats->n_slots);
        mlog_table_put_u64(table, stats->used_slots);
        mlog_table_put_string(table, stats->huge ? "huge" : "normal");
    }
    if (status->n_rings) {
        ds_put_char(text, '\n');
        mlog_table_render(table, false, text);
    }
    mlog_table_destroy(table);
}

static void
show_text(const struct multilog_status *status,
          const struct mlog_stream_stats *stream, struct ds *text)
{
    const struct mlog_header_log_stats *log = &status->log;

    put_line(text, "capture");
    ds_put_format(text, "%s, clock: %s\n", status->capturing ? "on" : "off",
                  status->tsc ? "TSC" : "monotonic");
    put_line(text, "records");
    ds_put_format(text, "%"PRIu64" held, %"PRIu64" flows, %"PRIu64
                  " expired\n", log->n_rows, (uint64_t) status->n_flows,
                  log->n_expired);
    put_span(text, log);
    show_losses(status, text);
    show_store(status, text);
    show_memory(status, text);
    put_line(text, "digest");
    ds_put_format(text, "%.1f%% of a processor, %.0f ns per record, "
                  "longest pass %.3f ms, %"PRIu64" late ticks\n",
                  cpu_percent(status), ns_per_record(&status->digest),
                  status->digest.longest_pass_ns / 1e6,
                  status->digest.n_late_ticks);
    if (status->digest.n_threads > 1) {
        put_line(text, "");
        mlog_digest_threads_format(&status->digest, text);
        ds_put_char(text, '\n');
    }
    show_stream(stream, text);
    show_rings(status, text);
}

static struct json *
status_to_json(const struct multilog_status *status,
               const struct mlog_stream_stats *stream)
{
    struct json *root = json_object_create();

    json_object_put_string(root, "version", MLOG_VERSION);
    json_object_put(root, "capturing",
                    json_boolean_create(status->capturing));
    json_object_put_string(root, "clock", status->tsc ? "tsc" : "monotonic");
    put_time_member(root, "started", status->started);
    put_time_member(root, "now", status->now);
    json_object_put(root, "records", records_to_json(status));
    json_object_put(root, "losses", losses_to_json(status));
    json_object_put(root, "gaps", gaps_to_json(status));
    json_object_put(root, "segments", segments_to_json(&status->log));
    json_object_put(root, "store", store_to_json(status));
    json_object_put(root, "memory", memory_to_json(status));
    json_object_put(root, "digest", digest_to_json(status));
    json_object_put(root, "stream", stream_to_json(stream));
    json_object_put(root, "rings", rings_to_json(status));
    return root;
}

static void
show_data(struct mlog_document *doc, const struct json *root)
{
    if (doc->format == MLOG_FORMAT_JSON) {
        const struct shash_node **nodes = shash_sort(json_object(root));
        size_t n = shash_count(json_object(root));

        for (size_t i = 0; i < n; i++) {
            mlog_document_put_json(doc, nodes[i]->name,
                                   json_clone(nodes[i]->data));
        }
        free(nodes);
    } else {
        struct mlog_table *table = mlog_document_table(doc, "status");

        mlog_table_add_column(table, "name", false);
        mlog_table_add_column(table, "value", false);
        flatten_json(root, "", table);
    }
}

void
mlog_command_show(struct mlog_call *call)
{
    struct status status;

    get_status(call->ml, &status);
    if (call->format == MLOG_FORMAT_TABLE) {
        show_text(&status.ml, &status.stream, &call->doc.text);
    } else {
        struct json *root = status_to_json(&status.ml, &status.stream);

        show_data(&call->doc, root);
        json_destroy(root);
    }
    multilog_status_destroy(&status.ml);
}

/* multilog/fields. */

/* Appends 'rst' without its ``quotes``. */
static void
put_plain_doc(struct mlog_table *table, const char *rst)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    for (; *rst; rst++) {
        if (rst[0] == '`' && rst[1] == '`') {
            rst++;
        } else {
            ds_put_char(&text, *rst);
        }
    }
    mlog_table_put_string(table, ds_cstr(&text));
    ds_destroy(&text);
}

static void
put_aliases(struct mlog_table *table, const struct mlog_field *field)
{
    struct ds aliases = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; field->aliases[i]; i++) {
        ds_put_format(&aliases, "%s%s", i ? "," : "", field->aliases[i]);
    }
    mlog_table_put_string(table, aliases.length ? ds_cstr(&aliases) : NULL);
    ds_destroy(&aliases);
}

static void
put_field(struct mlog_table *table, const struct mlog_field *field)
{
    mlog_table_put_string(table, field->name);
    put_aliases(table, field);
    mlog_table_put_string(table, mlog_field_type_to_string(field->type));
    mlog_table_put_string(table,
                          field->scope == MLOG_SCOPE_FLOW ? "flow" : "row");
    mlog_table_put_string(table, field->group);
    mlog_table_put_string(table, field->prereq);
    put_plain_doc(table, field->doc);
}

static void
put_predicate(struct mlog_table *table, const struct mlog_predicate *p)
{
    mlog_table_put_string(table, p->name);
    mlog_table_put_absent(table);
    mlog_table_put_string(table, "predicate");
    mlog_table_put_string(table,
                          p->scope == MLOG_SCOPE_FLOW ? "flow" : "row");
    mlog_table_put_absent(table);
    mlog_table_put_absent(table);
    put_plain_doc(table, p->doc);
}

static struct mlog_table *
fields_table(struct mlog_call *call)
{
    static const char *const columns[] = {
        "name", "aliases", "type", "scope", "group", "packets", "description"
    };
    struct mlog_table *table = mlog_document_table(&call->doc, "fields");

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        mlog_table_add_column(table, columns[i], false);
    }
    mlog_table_hide_empty(table);
    return table;
}

static void
show_all_fields(struct mlog_call *call)
{
    struct mlog_table *table = fields_table(call);
    const struct mlog_field *field;

    MLOG_FIELD_FOR_EACH (field) {
        put_field(table, field);
    }
    for (size_t i = 0; i < mlog_predicate_count(); i++) {
        put_predicate(table, mlog_predicate_get(i));
    }
}

void
mlog_command_fields(struct mlog_call *call)
{
    if (!call->n_args) {
        show_all_fields(call);
        return;
    }

    const char *name = call->args[0];
    const struct mlog_field *field = mlog_field_from_name(name);
    const struct mlog_predicate *p = mlog_predicate_from_name(name);
    if (field) {
        put_field(fields_table(call), field);
    } else if (p) {
        put_predicate(fields_table(call), p);
    } else {
        mlog_call_take_message(call, name, name,
                               mlog_field_unknown_error(name));
    }
}

/* multilog/set. */

static bool
set_budget(struct mlog_call *call, const char *value)
{
    uint64_t bytes;
    char *message = mlog_parse_size(value, &bytes);

    if (message) {
        return mlog_call_take_message(call, value, value, message);
    }
    if (!multilog_set_budget(call->ml, bytes)) {
        struct ds text = DS_EMPTY_INITIALIZER;

        ds_put_cstr(&text, "memory-budget: at least ");
        mlog_put_size(&text, MULTILOG_MIN_BUDGET);
        ds_put_cstr(&text, " are needed besides the capture rings, which "
                    "take ");
        mlog_put_size(&text, mlog_capture_memory(&call->ml->capture));
        return mlog_call_take_message(call, value, value,
                                      ds_steal_cstr(&text));
    }
    return true;
}

/* Parses 'value' of setting 'key' as a switch. */
static bool
parse_on_off(struct mlog_call *call, const char *key, const char *value,
             bool *on)
{
    *on = !strcmp(value, "on") || !strcmp(value, "true");
    return (*on || !strcmp(value, "off") || !strcmp(value, "false")
            || mlog_call_error(call, value, value,
                               "%s: needs \"on\" or \"off\"", key));
}

static bool
set_digest(struct mlog_call *call, const char *value)
{
    bool on;

    if (!parse_on_off(call, "digest", value, &on)) {
        return false;
    }
    mlog_digest_set_discard(call->ml->digest, !on);
    return true;
}

static bool
set_capture(struct mlog_call *call, const char *value)
{
    bool on;

    if (!parse_on_off(call, "capture", value, &on)) {
        return false;
    }
    return (multilog_set_capture(call->ml, on)
            || mlog_call_error(call, NULL, NULL, "capture: there is no "
                               "datapath here to capture from"));
}

static bool
set_archive_dir(struct mlog_call *call, const char *value)
{
    char *message = mlog_archiver_set_dir(
        call->ml->archiver, strcmp(value, "none") ? value : NULL);

    if (message) {
        mlog_call_error(call, value, value, "archive-dir: %s", message);
        free(message);
        return false;
    }
    return true;
}

/* "none" is no limit. */
static bool
set_archive_max(struct mlog_call *call, const char *value,
                char *(*parse)(const char *, uint64_t *), bool is_age)
{
    struct mlog_archiver_status status;
    uint64_t max = 0;

    if (strcmp(value, "none")) {
        char *message = parse(value, &max);

        if (message) {
            return mlog_call_take_message(call, value, value, message);
        }
    }
    mlog_archiver_get_status(call->ml->archiver, &status);
    mlog_archiver_set_retention(call->ml->archiver,
                                is_age ? status.max_bytes : max,
                                is_age ? max : status.max_age);
    mlog_archiver_status_destroy(&status);
    return true;
}

static bool
set_archive_max_bytes(struct mlog_call *call, const char *value)
{
    return set_archive_max(call, value, mlog_parse_size, false);
}

static bool
set_archive_max_age(struct mlog_call *call, const char *value)
{
    return set_archive_max(call, value, mlog_duration_parse, true);
}

static void
put_archive_dir(struct mlog_call *call, struct mlog_table *table)
{
    struct mlog_archiver_status status;

    mlog_archiver_get_status(call->ml->archiver, &status);
    mlog_table_put_string(table, status.dir ? status.dir : "none");
    mlog_archiver_status_destroy(&status);
}

static void
put_archive_max_bytes(struct mlog_call *call, struct mlog_table *table)
{
    struct mlog_archiver_status status;

    mlog_archiver_get_status(call->ml->archiver, &status);
    if (status.max_bytes) {
        mlog_table_put_u64(table, status.max_bytes);
    } else {
        mlog_table_put_string(table, "none");
    }
    mlog_archiver_status_destroy(&status);
}

static void
put_archive_max_age(struct mlog_call *call, struct mlog_table *table)
{
    struct mlog_archiver_status status;
    struct ds text = DS_EMPTY_INITIALIZER;

    mlog_archiver_get_status(call->ml->archiver, &status);
    if (status.max_age) {
        mlog_duration_format(status.max_age, &text);
    } else {
        ds_put_cstr(&text, "none");
    }
    mlog_table_put_string(table, ds_cstr(&text));
    ds_destroy(&text);
    mlog_archiver_status_destroy(&status);
}

static void
put_budget(struct mlog_call *call, struct mlog_table *table)
{
    uint64_t budget;

    atomic_read_relaxed(&call->ml->budget, &budget);
    mlog_table_put_u64(table, budget);
}

static void
put_capture(struct mlog_call *call, struct mlog_table *table)
{
    bool on;

    atomic_read_relaxed(&call->ml->capturing, &on);
    mlog_table_put_string(table, on ? "on" : "off");
}

static void
put_digest(struct mlog_call *call, struct mlog_table *table)
{
    mlog_table_put_string(
        table, mlog_digest_is_discarding(call->ml->digest) ? "off" : "on");
}

static bool
set_query_timeout(struct mlog_call *call, const char *value)
{
    return mlog_command_set_limit(call, MLOG_LIMIT_TIMEOUT, value);
}

static bool
set_query_max_rows(struct mlog_call *call, const char *value)
{
    return mlog_command_set_limit(call, MLOG_LIMIT_ROWS, value);
}

static bool
set_query_max_memory(struct mlog_call *call, const char *value)
{
    return mlog_command_set_limit(call, MLOG_LIMIT_MEMORY, value);
}

static bool
set_query_workers(struct mlog_call *call, const char *value)
{
    uint64_t n;

    if (!mlog_call_parse_u64(call, value, "query-workers", 1,
                             MLOG_MAX_WORKERS, &n)) {
        return false;
    }
    mlog_registry_set_workers(call->ml->registry, n);
    return true;
}

static void
put_query_timeout(struct mlog_call *call, struct mlog_table *table)
{
    mlog_command_put_limit(call, MLOG_LIMIT_TIMEOUT, table);
}

static void
put_query_max_rows(struct mlog_call *call, struct mlog_table *table)
{
    mlog_command_put_limit(call, MLOG_LIMIT_ROWS, table);
}

static void
put_query_max_memory(struct mlog_call *call, struct mlog_table *table)
{
    mlog_command_put_limit(call, MLOG_LIMIT_MEMORY, table);
}

static void
put_query_workers(struct mlog_call *call, struct mlog_table *table)
{
    mlog_table_put_u64(table, mlog_registry_get_workers(call->ml->registry));
}

static const struct {
    const char *key;
    const char *doc;
    bool (*set)(struct mlog_call *, const char *value);
    void (*put)(struct mlog_call *, struct mlog_table *);
} settings[] = {
    { "aggregators", "where aggregators are that may ask this host, as "
      "ssl:ADDRESS:PORT,..., or none", mlog_call_set_aggregators,
      mlog_call_put_aggregators },
    { "archive-dir", "directory to which full segments are archived, or none",
      set_archive_dir, put_archive_dir },
    { "archive-max-age", "how long archived records are kept: 12h, or none",
      set_archive_max_age, put_archive_max_age },
    { "archive-max-bytes", "how much the archive may take: 100G, or none",
      set_archive_max_bytes, put_archive_max_bytes },
    { "capture", "whether packets are recorded: on or off",
      set_capture, put_capture },
    { "digest", "off: records are thrown away and count as lost, to measure "
      "what capture costs alone", set_digest, put_digest },
    { "digest-cpus", "processors for the digest's threads: 2-3, 0xc, or none "
      "for any", mlog_set_digest_cpus, mlog_put_digest_cpus },
    { "digest-threads", "threads that digest records, from 1 to 16",
      mlog_set_digest_threads, mlog_put_digest_threads },
    { "host", "name of this host for aggregators, or none for the system's",
      mlog_call_set_host, mlog_call_put_host },
    { "memory-budget", "bytes for everything that is kept: 512M, 4G",
      set_budget, put_budget },
    { "query-max-memory", "bytes that the result of a query may take, by "
      "default and at most: 512M/1G", set_query_max_memory,
      put_query_max_memory },
    { "query-max-rows", "records that a query may look at, by default and at "
      "most: 1000000/none", set_query_max_rows, put_query_max_rows },
    { "query-timeout", "how long a query may take, by default and at most: "
      "30s/10m", set_query_timeout, put_query_timeout },
    { "query-workers", "how many queries are executed at a time",
      set_query_workers, put_query_workers },
    { "ovsdb", "the database that configures this switch: auto, off, or where "
      "it is, as unix:FILE", mlog_call_set_ovsdb, mlog_call_put_ovsdb },
};

static void
put_setting(struct mlog_call *call, struct mlog_table *table, size_t i)
{
    mlog_table_put_string(table, settings[i].key);
    settings[i].put(call, table);
    mlog_table_put_string(table, settings[i].doc);
}

static struct mlog_table *
settings_table(struct mlog_call *call)
{
    struct mlog_table *table = mlog_document_table(&call->doc, "settings");

    mlog_table_add_column(table, "key", false);
    mlog_table_add_column(table, "value", false);
    mlog_table_add_column(table, "description", false);
    return table;
}

/* Returns the index of the setting, or sets the error. */
static size_t
find_setting(struct mlog_call *call, const char *key)
{
    const char *names[ARRAY_SIZE(settings)];
    struct ds message = DS_EMPTY_INITIALIZER;
    const char *nearest;

    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        names[i] = settings[i].key;
        if (!strcmp(key, names[i])) {
            return i;
        }
    }

    ds_put_cstr(&message, "unknown setting ");
    mlog_put_quoted(&message, key);
    nearest = mlog_nearest_name(key, names, ARRAY_SIZE(names));
    if (nearest) {
        ds_put_format(&message, "; did you mean '%s'?", nearest);
    } else {
        ds_put_cstr(&message, "; the settings are ");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            ds_put_format(&message, "%s%s", i ? ", " : "", names[i]);
        }
    }
    mlog_call_take_message(call, key, key, ds_steal_cstr(&message));
    return ARRAY_SIZE(settings);
}

void
mlog_command_set(struct mlog_call *call)
{
    if (!call->n_args) {
        struct mlog_table *table = settings_table(call);

        for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
            put_setting(call, table, i);
        }
        return;
    }

    size_t i = find_setting(call, call->args[0]);
    if (mlog_call_failed(call)) {
        return;
    } else if (call->n_args < 2) {
        put_setting(call, settings_table(call), i);
    } else if (mlog_config_owns_setting(call->ml->config, settings[i].key)) {
        mlog_call_error(call, call->args[0], NULL, "%s is set in the "
                        "database; change it there", settings[i].key);
    } else if (settings[i].set(call, call->args[1])) {
        put_setting(call, settings_table(call), i);
    }
}
