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


/* ovs-multilogctl: configures MultiLog through the database MultiLog. */

#include <config.h>

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>

#include "command-line.h"
#include "db-ctl-base.h"
#include "fatal-signal.h"
#include "multilogctl.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "process.h"
#include "stream-ssl.h"
#include "stream.h"
#include "table.h"
#include "timeval.h"
#include "util.h"
#include "vswitchd-ext/multilog-idl.h"

VLOG_DEFINE_THIS_MODULE(multilogctl);

static const char *db;
static bool oneline;
static bool dry_run;
static bool no_wait;
static unsigned int timeout;
static struct table_style table_style = TABLE_STYLE_DEFAULT;
static bool has_format;         /* Whether that is what -f says. */

/* For ctl_exit(): what has to be freed. */
static struct ovsdb_idl *the_idl;
static struct ovsdb_idl_txn *the_txn;

OVS_NO_RETURN static void
ctl_exit(int status)
{
    if (the_txn) {
        ovsdb_idl_txn_abort(the_txn);
        ovsdb_idl_txn_destroy(the_txn);
    }
    ovsdb_idl_destroy(the_idl);
    exit(status);
}

OVS_NO_RETURN static void
usage(void)
{
    printf("\
%s: configures MultiLog through its database\n\
usage: %s [OPTION]... COMMAND [ARGUMENT]... [-- COMMAND [ARGUMENT]...]...\n\
\n\
Commands before and after \"--\" are one transaction: all of them, or none.\n\
A command that changes something waits until that is in force, and says\n\
if it is not.\n\
\n\
General:\n\
  show                             what is configured\n\
  init                             make the row of the settings, if missing\n\
  wait                             wait until all changes are in force\n\
\n\
Filters, aggregates, triggers (multilog-commands(8) explains them):\n\
  [--may-exist] filter-add NAME EXPRESSION\n\
  [--if-exists] filter-del NAME\n\
  filter-list\n\
  [--may-exist] aggregate-add NAME FILTER FUNCTION [window=DURATION]\n\
                              [group-by=FIELD,...]\n\
  [--if-exists] aggregate-del NAME\n\
  aggregate-list\n\
  [--may-exist] trigger-add NAME 'AGGREGATE OP VALUE' [period=DURATION]\n\
                            [for=DURATION] [clear=VALUE]\n\
  [--if-exists] trigger-del NAME\n\
  trigger-list\n\
  [--may-exist] preset-add NAME KIND [PARAMETER=VALUE]...\n\
  [--if-exists] preset-del NAME\n\
  preset-list\n\
  [--limit=N] alerts               the newest alerts\n\
\n\
Settings:\n\
  set-capture on|off|default\n\
  set-memory-budget SIZE|default\n\
  set-archive DIR [max-bytes=SIZE] [max-age=DURATION]\n\
  del-archive\n\
\n\
Connections of the database server:\n\
  get-connection\n\
  [--role=ROLE] [--inactivity-probe=MSECS] set-connection TARGET...\n\
  del-connection\n\
  get-ssl\n\
  [--bootstrap] set-ssl PRIVATE-KEY CERTIFICATE CA-CERT\n\
  del-ssl\n\
\n\
%s\
%s\
\n\
Options:\n\
  --db=DATABASE               connect to DATABASE\n\
                              (default: %s)\n\
  --no-wait                   do not wait until changes are in force\n\
  -t, --timeout=SECS          give up after SECS seconds\n\
  --dry-run                   do not commit changes to database\n\
  --oneline                   print exactly one line of output per command\n",
           program_name, program_name, ctl_get_db_cmd_usage(),
           ctl_list_db_tables_usage(), ctl_default_db());
    table_usage();
    vlog_usage();
    stream_usage("database", true, true, false);
    printf("\
Other options:\n\
  -h, --help                  display this help message\n\
  -V, --version               display version information\n\
\n\
Exit status: 0 if successful, 1 if not, or if what was added is not in force.\n\
");
    exit(EXIT_SUCCESS);
}

enum {
    OPT_DB = UCHAR_MAX + 1,
    OPT_ONELINE,
    OPT_DRY_RUN,
    OPT_NO_WAIT,
    OPT_PEER_CA_CERT,
    OPT_LOCAL,
    VLOG_OPTION_ENUMS,
    TABLE_OPTION_ENUMS,
    SSL_OPTION_ENUMS,
};

static const struct option long_options[] = {
    {"db", required_argument, NULL, OPT_DB},
    {"oneline", no_argument, NULL, OPT_ONELINE},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"no-wait", no_argument, NULL, OPT_NO_WAIT},
    {"timeout", required_argument, NULL, 't'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    VLOG_LONG_OPTIONS,
    TABLE_LONG_OPTIONS,
    STREAM_SSL_LONG_OPTIONS,
    {"peer-ca-cert", required_argument, NULL, OPT_PEER_CA_CERT},
    {NULL, 0, NULL, 0},
};

static void
add_local_option(struct shash *local_options, const char *name)
{
    char *key = xasprintf("--%s", name);

    if (!shash_add_once(local_options, key, nullable_xstrdup(optarg))) {
        ctl_fatal("'%s' option specified multiple times", name);
    }
    free(key);
}

static void
parse_option(int c, const char *name, struct shash *local_options)
{
    has_format |= c == 'f';
    switch (c) {
    case OPT_DB: db = optarg; break;
    case OPT_ONELINE: oneline = true; break;
    case OPT_DRY_RUN: dry_run = true; break;
    case OPT_NO_WAIT: no_wait = true; break;
    case OPT_LOCAL: add_local_option(local_options, name); break;
    case 'h': usage();
    case 'V':
        printf("%s (MultiLog for Open vSwitch) %s\nDB Schema %s\n",
               program_name, MLOG_VERSION, mlogrec_get_db_version());
        exit(EXIT_SUCCESS);
    case 't':
        if (!str_to_uint(optarg, 10, &timeout) || !timeout) {
            ctl_fatal("value %s on -t or --timeout is invalid", optarg);
        }
        break;

    VLOG_OPTION_HANDLERS
    TABLE_OPTION_HANDLERS(&table_style)
    STREAM_SSL_OPTION_HANDLERS

    case OPT_PEER_CA_CERT: stream_ssl_set_peer_ca_cert_file(optarg); break;
    case '?': exit(EXIT_FAILURE);
    default: OVS_NOT_REACHED();
    }
}

/* Options of commands may stand before a command, among the others. */
static void
parse_options(int argc, char *argv[], struct shash *local_options)
{
    char *letters = ovs_cmdl_long_options_to_short_options(long_options);
    char *short_options = xasprintf("+%s", letters);
    size_t n = ARRAY_SIZE(long_options) - 1;
    size_t allocated = ARRAY_SIZE(long_options);
    struct option *options = xmemdup(long_options, sizeof long_options);
    int c, i;

    ctl_add_cmd_options(&options, &n, &allocated, OPT_LOCAL);
    while ((c = getopt_long(argc, argv, short_options, options, &i)) != -1) {
        parse_option(c, c == OPT_LOCAL ? options[i].name : NULL,
                     local_options);
    }
    if (!db) {
        db = ctl_default_db();
    }
    for (i = ARRAY_SIZE(long_options) - 1; options[i].name; i++) {
        free(CONST_CAST(char *, options[i].name));
    }
    free(options);
    free(short_options);
    free(letters);
}

static void
run_prerequisites(struct ctl_command *commands, size_t n)
{
    ovsdb_idl_add_column(the_idl, &mlogrec_multilog_col_cfg);
    ovsdb_idl_add_column(the_idl, &mlogrec_multilog_col_cur_cfg);
    if (!no_wait) {
        multilogctl_pre_errors(the_idl);
    }
    for (size_t i = 0; i < n; i++) {
        if (commands[i].syntax->prerequisites) {
            struct ctl_context ctx;

            ds_init(&commands[i].output);
            commands[i].table = NULL;
            ctl_context_init(&ctx, &commands[i], the_idl, NULL, NULL, NULL);
            commands[i].syntax->prerequisites(&ctx);
            ctl_context_done(&ctx, &commands[i]);
        }
    }
}

static void
print_line(struct ds *output)
{
    ds_chomp(output, '\n');
    for (size_t i = 0; i < output->length; i++) {
        switch (output->string[i]) {
        case '\n': fputs("\\n", stdout); break;
        case '\\': fputs("\\\\", stdout); break;
        default: putchar(output->string[i]);
        }
    }
    putchar('\n');
}

static void
free_output(struct ctl_command *command)
{
    ds_destroy(&command->output);
    table_destroy(command->table);
    free(command->table);
    command->table = NULL;
}

/* The lists of this program are easier to read as tables than as is usual for
 * the generic commands. */
static bool
is_own_list(const struct ctl_command *command)
{
    return (!has_format
            && (!strcmp(command->syntax->name, "alerts")
                || strstr(command->syntax->name, "-list")));
}

static void
print_outputs(struct ctl_command *commands, size_t n)
{
    struct table_style list_style = table_style;

    list_style.format = TF_TABLE;
    for (size_t i = 0; i < n; i++) {
        struct ctl_command *command = &commands[i];

        if (command->table) {
            table_print(command->table,
                        is_own_list(command) ? &list_style : &table_style);
        } else if (oneline) {
            print_line(&command->output);
        } else {
            fputs(ds_cstr(&command->output), stdout);
        }
        free_output(command);
    }
}

/* A row that a command names but none creates is a mistake. */
static void
check_symbols(const struct ovsdb_symbol_table *symtab)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &symtab->sh) {
        const struct ovsdb_symbol *symbol = node->data;

        if (!symbol->created) {
            ctl_fatal("row id \"%s\" is used but never created (for example "
                      "with \"-- --id=%s create ...\")",
                      node->name, node->name);
        }
    }
}

/* Runs the commands in the transaction.  Returns false if they have to be run
 * again when the database has changed. */
static bool
run_commands(struct ctl_command *commands, size_t n,
             struct ovsdb_symbol_table *symtab)
{
    struct ctl_context ctx;

    for (size_t i = 0; i < n; i++) {
        ds_init(&commands[i].output);
        commands[i].table = NULL;
    }
    ctl_context_init(&ctx, NULL, the_idl, the_txn, symtab, NULL);
    for (size_t i = 0; i < n; i++) {
        ctl_context_init_command(&ctx, &commands[i], i == n - 1);
        if (commands[i].syntax->run) {
            commands[i].syntax->run(&ctx);
        }
        if (ctx.error) {
            ctl_fatal("%s", ctx.error);
        }
        ctl_context_done_command(&ctx, &commands[i]);
        if (ctx.try_again) {
            break;
        }
    }
    ctl_context_done(&ctx, NULL);
    return !ctx.try_again;
}

static void
run_postprocess(struct ctl_command *commands, size_t n,
                struct ovsdb_symbol_table *symtab)
{
    for (size_t i = 0; i < n; i++) {
        if (commands[i].syntax->postprocess) {
            struct ctl_context ctx;

            ctl_context_init(&ctx, &commands[i], the_idl, the_txn, symtab,
                             NULL);
            commands[i].syntax->postprocess(&ctx);
            if (ctx.error) {
                ctl_fatal("%s", ctx.error);
            }
            ctl_context_done(&ctx, &commands[i]);
        }
    }
}

/* Has the host tell when the transaction is in force. */
static void
increment_cfg(void)
{
    const struct mlogrec_multilog *root = mlogrec_multilog_first(the_idl);

    if (!root) {
        root = mlogrec_multilog_insert(the_txn);
    }
    ovsdb_idl_txn_increment(the_txn, &root->header_,
                            &mlogrec_multilog_col_cfg, multilogctl_wait);
}

/* Tries the transaction.  Returns true if it was successful; '*cfg' is then
 * what to wait for, or 0. */
static bool
try_transaction(const char *args, struct ctl_command *commands, size_t n,
                int64_t *cfg)
{
    struct ovsdb_symbol_table *symtab = ovsdb_symbol_table_create();
    enum ovsdb_idl_txn_status status = TXN_TRY_AGAIN;
    bool incremented = false;
    char *error = NULL;

    sset_clear(&multilogctl_touched);
    multilogctl_wait = false;
    *cfg = 0;
    if (!no_wait) {
        multilogctl_remember_errors(the_idl);
    }
    the_txn = ovsdb_idl_txn_create(the_idl);
    if (dry_run) {
        ovsdb_idl_txn_set_dry_run(the_txn);
    }
    ovsdb_idl_txn_add_comment(the_txn, "ovs-multilogctl: %s", args);
    if (run_commands(commands, n, symtab)) {
        check_symbols(symtab);
        if (ctl_might_write_to_db(commands, n)
            && (!no_wait || multilogctl_wait)) {
            increment_cfg();
            incremented = true;
        }
        status = ovsdb_idl_txn_commit_block(the_txn);
        if (status == TXN_SUCCESS && incremented && !dry_run) {
            *cfg = ovsdb_idl_txn_get_increment_new_value(the_txn);
        }
        if (status == TXN_SUCCESS || status == TXN_UNCHANGED) {
            run_postprocess(commands, n, symtab);
        }
        error = xstrdup(ovsdb_idl_txn_get_error(the_txn));
    }
    ovsdb_idl_txn_abort(the_txn);
    ovsdb_idl_txn_destroy(the_txn);
    the_txn = NULL;
    ovsdb_symbol_table_destroy(symtab);

    if (status == TXN_TRY_AGAIN) {
        for (size_t i = 0; i < n; i++) {
            free_output(&commands[i]);
        }
    } else if (status != TXN_SUCCESS && status != TXN_UNCHANGED) {
        ctl_fatal("transaction failed: %s", error);
    }
    free(error);
    return status != TXN_TRY_AGAIN;
}

/* Waits until the host has put 'cfg' in force.  Returns true if all that was
 * written is. */
static bool
wait_for_host(int64_t cfg)
{
    ovsdb_idl_enable_reconnect(the_idl);
    for (;;) {
        const struct mlogrec_multilog *root;

        ovsdb_idl_run(the_idl);
        root = mlogrec_multilog_first(the_idl);
        if (root && root->cur_cfg >= cfg) {
            return multilogctl_report_errors(the_idl);
        }
        ovsdb_idl_wait(the_idl);
        poll_block();
    }
}

int
main(int argc, char *argv[])
{
    struct shash local_options = SHASH_INITIALIZER(&local_options);
    struct ctl_command *commands;
    unsigned int seqno;
    int64_t cfg = 0;
    bool ok = true;
    size_t n;

    set_program_name(argv[0]);
    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_WARN);
    vlog_set_levels_from_string_assert("reconnect:warn");
    multilogctl_register_commands(ctl_exit);

    char *args = process_escape_args(argv);
    parse_options(argc, argv, &local_options);
    char *error = ctl_parse_commands(argc - optind, argv + optind,
                                     &local_options, &commands, &n);
    if (error) {
        ctl_fatal("%s", error);
    }
    VLOG(ctl_might_write_to_db(commands, n) ? VLL_INFO : VLL_DBG,
         "Called as %s", args);
    ctl_timeout_setup(timeout);

    the_idl = ovsdb_idl_create(db, &mlogrec_idl_class, false, false);
    run_prerequisites(commands, n);
    seqno = ovsdb_idl_get_seqno(the_idl);
    for (;;) {
        ovsdb_idl_run(the_idl);
        if (!ovsdb_idl_is_alive(the_idl)) {
            int retval = ovsdb_idl_get_last_error(the_idl);

            ctl_fatal("%s: database connection failed (%s)", db,
                      retval ? ovs_retval_to_string(retval)
                      : "no database MultiLog there");
        }
        /* A transaction that has failed is only worth another try when the
         * database has changed. */
        if (seqno != ovsdb_idl_get_seqno(the_idl)) {
            seqno = ovsdb_idl_get_seqno(the_idl);
            if (try_transaction(args, commands, n, &cfg)) {
                break;
            }
        } else {
            ovsdb_idl_wait(the_idl);
            poll_block();
        }
    }
    if (cfg) {
        ok = wait_for_host(cfg);
    }
    print_outputs(commands, n);
    for (size_t i = 0; i < n; i++) {
        shash_destroy_free_data(&commands[i].options);
    }
    free(commands);
    free(args);
    ovsdb_idl_destroy(the_idl);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
