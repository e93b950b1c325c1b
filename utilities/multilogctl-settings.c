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

#include "multilogctl-private.h"

#include "db-ctl-base.h"
#include "mlog-command-call.h"
#include "mlog-time.h"
#include "multilogctl.h"
#include "ovsdb-idl.h"
#include "smap.h"
#include "stream.h"
#include "svec.h"
#include "util.h"
#include "vswitchd-ext/multilog-idl.h"

/* What commands share. */

const struct mlogrec_multilog *
multilogctl_get_root(struct ctl_context *ctx)
{
    const struct mlogrec_multilog *root = mlogrec_multilog_first(ctx->idl);

    return root ? root : mlogrec_multilog_insert(ctx->txn);
}

bool
multilogctl_has_option(const struct ctl_context *ctx, const char *option)
{
    return shash_find(&ctx->options, option) != NULL;
}

bool
multilogctl_parse_pairs(struct ctl_context *ctx, int first, struct smap *pairs)
{
    smap_init(pairs);
    for (int i = first; i < ctx->argc; i++) {
        const char *word = ctx->argv[i];
        const char *equals = strchr(word, '=');

        if (!equals || equals == word) {
            ctl_error(ctx, "\"%s\" is not of the form KEY=VALUE", word);
        } else {
            char *key = xmemdup0(word, equals - word);

            if (!smap_add_once(pairs, key, equals + 1)) {
                ctl_error(ctx, "\"%s\" is given twice", key);
            }
            free(key);
        }
        if (ctx->error) {
            smap_destroy(pairs);
            return false;
        }
    }
    return true;
}

/* Settings. */

void
multilogctl_pre_root(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &mlogrec_multilog_col_capture);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_multilog_col_memory_budget);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_multilog_col_digest_threads);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_multilog_col_digest_cpus);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_multilog_col_archive);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_archive_col_directory);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_archive_col_max_bytes);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_archive_col_max_age);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_archive_col_error);
}

static void
cmd_init(struct ctl_context *ctx)
{
    multilogctl_get_root(ctx);
}

static void
cmd_set_capture(struct ctl_context *ctx)
{
    const char *value = ctx->argv[1];
    bool on = !strcmp(value, "on");

    if (!strcmp(value, "default")) {
        mlogrec_multilog_set_capture(multilogctl_get_root(ctx), NULL, 0);
    } else if (on || !strcmp(value, "off")) {
        mlogrec_multilog_set_capture(multilogctl_get_root(ctx), &on, 1);
    } else {
        ctl_error(ctx, "\"%s\" is not \"on\", \"off\" or \"default\"", value);
    }
}

/* Parses 'text' into bytes, as an integer of the database, or sets the
 * error. */
static int64_t
parse_bytes(struct ctl_context *ctx, const char *text)
{
    uint64_t bytes = 0;
    char *error = mlog_parse_size(text, &bytes);

    if (!error && bytes > INT64_MAX) {
        error = xstrdup("too much");
    }
    if (error) {
        ctl_error(ctx, "\"%s\": %s", text, error);
        free(error);
        return 0;
    }
    return bytes;
}

static void
cmd_set_memory_budget(struct ctl_context *ctx)
{
    if (!strcmp(ctx->argv[1], "default")) {
        mlogrec_multilog_set_memory_budget(multilogctl_get_root(ctx), NULL, 0);
    } else {
        int64_t bytes = parse_bytes(ctx, ctx->argv[1]);

        if (!ctx->error) {
            mlogrec_multilog_set_memory_budget(multilogctl_get_root(ctx), &bytes, 1);
        }
    }
}

/* Parses 'text' into seconds, at least one, or sets the error. */
static int64_t
parse_seconds(struct ctl_context *ctx, const char *name, const char *text)
{
    uint64_t ns = 0;
    char *error = mlog_duration_parse(text, &ns);

    if (!error && (!ns || ns % MLOG_NS_PER_S)) {
        error = xstrdup("must be a whole number of seconds");
    }
    if (error) {
        ctl_error(ctx, "%s: %s", name, error);
        free(error);
    }
    return ns / MLOG_NS_PER_S;
}

static void
cmd_set_archive(struct ctl_context *ctx)
{
    const struct mlogrec_multilog *root = multilogctl_get_root(ctx);
    struct mlogrec_archive *archive;
    struct smap options;
    const char *max_bytes, *max_age;
    int64_t bytes = 0, age = 0;

    if (ctx->argv[1][0] != '/') {
        ctl_error(ctx, "\"%s\" is not a directory's whole path",
                  ctx->argv[1]);
        return;
    }
    if (!multilogctl_parse_pairs(ctx, 2, &options)) {
        return;
    }
    max_bytes = smap_get(&options, "max-bytes");
    max_age = smap_get(&options, "max-age");
    if (smap_count(&options) != !!max_bytes + !!max_age) {
        ctl_error(ctx, "the options are max-bytes=SIZE and "
                  "max-age=DURATION");
    }
    if (max_bytes) {
        bytes = parse_bytes(ctx, max_bytes);
    }
    if (max_age) {
        age = parse_seconds(ctx, "max-age", max_age);
    }
    smap_destroy(&options);
    if (!ctx->error) {
        archive = mlogrec_archive_insert(ctx->txn);
        mlogrec_archive_set_directory(archive, ctx->argv[1]);
        mlogrec_archive_set_max_bytes(archive, &bytes, bytes != 0);
        mlogrec_archive_set_max_age(archive, &age, age != 0);
        mlogrec_multilog_set_archive(root, archive);
    }
}

static void
cmd_del_archive(struct ctl_context *ctx)
{
    mlogrec_multilog_set_archive(multilogctl_get_root(ctx), NULL);
}

static void
cmd_wait(struct ctl_context *ctx OVS_UNUSED)
{
    multilogctl_wait = true;
}

/* Connections of the database server. */

void
multilogctl_pre_connection(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &mlogrec_multilog_col_connections);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_connection_col_target);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_connection_col_role);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_connection_col_inactivity_probe);
}

void
multilogctl_get_connection(struct ctl_context *ctx)
{
    const struct mlogrec_connection *row;
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    const char *line;
    size_t i;

    MLOGREC_CONNECTION_FOR_EACH (row, ctx->idl) {
        svec_add_nocopy(&lines, (row->role[0]
                                 ? xasprintf("%s role=%s", row->target,
                                             row->role)
                                 : xstrdup(row->target)));
    }
    svec_sort_unique(&lines);
    SVEC_FOR_EACH (i, line, &lines) {
        ds_put_format(&ctx->output, "%s\n", line);
    }
    svec_destroy(&lines);
}

static void
cmd_del_connection(struct ctl_context *ctx)
{
    mlogrec_multilog_set_connections(multilogctl_get_root(ctx), NULL, 0);
}

static void
cmd_set_connection(struct ctl_context *ctx)
{
    const char *role = shash_find_data(&ctx->options, "--role");
    const char *probe = shash_find_data(&ctx->options, "--inactivity-probe");
    struct mlogrec_connection **rows = xcalloc(ctx->argc, sizeof *rows);
    unsigned int ms = 0;

    if (probe && !str_to_uint(probe, 10, &ms)) {
        ctl_error(ctx, "--inactivity-probe: \"%s\" is not a number of "
                  "milliseconds", probe);
    }
    for (int i = 1; i < ctx->argc && !ctx->error; i++) {
        const char *target = ctx->argv[i];
        int64_t value = ms;

        if (stream_verify_name(target) && pstream_verify_name(target)) {
            ctl_error(ctx, "\"%s\" is not of the form [p]ssl:..., [p]tcp:... "
                      "or [p]unix:...", target);
            break;
        }
        rows[i - 1] = mlogrec_connection_insert(ctx->txn);
        mlogrec_connection_set_target(rows[i - 1], target);
        if (role) {
            mlogrec_connection_set_role(rows[i - 1], role);
        }
        if (probe) {
            mlogrec_connection_set_inactivity_probe(rows[i - 1], &value, 1);
        }
    }
    if (!ctx->error) {
        mlogrec_multilog_set_connections(multilogctl_get_root(ctx), rows, ctx->argc - 1);
    }
    free(rows);
}

static void
pre_ssl(struct ctl_context *ctx)
{
    ovsdb_idl_add_column(ctx->idl, &mlogrec_multilog_col_ssl);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_ssl_col_private_key);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_ssl_col_certificate);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_ssl_col_ca_cert);
    ovsdb_idl_add_column(ctx->idl, &mlogrec_ssl_col_bootstrap_ca_cert);
}

static void
cmd_get_ssl(struct ctl_context *ctx)
{
    const struct mlogrec_ssl *ssl = mlogrec_ssl_first(ctx->idl);

    if (ssl) {
        ds_put_format(&ctx->output, "Private key: %s\nCertificate: %s\n"
                      "CA certificate: %s\nBootstrap: %s\n", ssl->private_key,
                      ssl->certificate, ssl->ca_cert,
                      ssl->bootstrap_ca_cert ? "true" : "false");
    }
}

static void
cmd_del_ssl(struct ctl_context *ctx)
{
    mlogrec_multilog_set_ssl(multilogctl_get_root(ctx), NULL);
}

static void
cmd_set_ssl(struct ctl_context *ctx)
{
    const struct mlogrec_ssl *old = mlogrec_ssl_first(ctx->idl);
    struct mlogrec_ssl *ssl;

    if (old) {
        mlogrec_ssl_delete(old);
    }
    ssl = mlogrec_ssl_insert(ctx->txn);
    mlogrec_ssl_set_private_key(ssl, ctx->argv[1]);
    mlogrec_ssl_set_certificate(ssl, ctx->argv[2]);
    mlogrec_ssl_set_ca_cert(ssl, ctx->argv[3]);
    mlogrec_ssl_set_bootstrap_ca_cert(ssl, multilogctl_has_option(ctx, "--bootstrap"));
    mlogrec_multilog_set_ssl(multilogctl_get_root(ctx), ssl);
}

const struct ctl_command_syntax multilogctl_settings_commands[] = {
    {"init", 0, 0, "", multilogctl_pre_root, cmd_init, NULL, "", RW},
    {"wait", 0, 0, "", NULL, cmd_wait, NULL, "", RW},

    {"set-capture", 1, 1, "on|off|default", multilogctl_pre_root, cmd_set_capture, NULL,
     "", RW},
    {"set-memory-budget", 1, 1, "SIZE|default", multilogctl_pre_root,
     cmd_set_memory_budget, NULL, "", RW},
    {"set-archive", 1, 3, "DIR [max-bytes=SIZE] [max-age=DURATION]", multilogctl_pre_root,
     cmd_set_archive, NULL, "", RW},
    {"del-archive", 0, 0, "", multilogctl_pre_root, cmd_del_archive, NULL, "", RW},

    {"get-connection", 0, 0, "", multilogctl_pre_connection, multilogctl_get_connection, NULL, "",
     RO},
    {"del-connection", 0, 0, "", multilogctl_pre_connection, cmd_del_connection, NULL, "",
     RW},
    {"set-connection", 1, INT_MAX, "TARGET...", multilogctl_pre_connection,
     cmd_set_connection, NULL, "--role=,--inactivity-probe=", RW},
    {"get-ssl", 0, 0, "", pre_ssl, cmd_get_ssl, NULL, "", RO},
    {"del-ssl", 0, 0, "", pre_ssl, cmd_del_ssl, NULL, "", RW},
    {"set-ssl", 3, 3, "PRIVATE-KEY CERTIFICATE CA-CERT", pre_ssl, cmd_set_ssl,
     NULL, "--bootstrap", RW},

    {NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, RO},
};
