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

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "command-line.h"
#include "fatal-signal.h"
#include "mlog-cli.h"
#include "openvswitch/vlog.h"
#include "svec.h"
#include "util.h"

/* Asks a switch's MultiLog.  What is done is in lib/mlog-cli*.c; this is about
 * the options that come before the verb. */

static void OVS_NO_RETURN OVS_PRINTF_FORMAT(1, 2)
usage_error(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs(" (see --help)\n", stderr);
    exit(MLOG_CLI_USAGE);
}

static void
parse_options(int argc, char *argv[], struct mlog_cli *cli)
{
    enum { OPT_COLOR = UCHAR_MAX + 1, OPT_UTC, VLOG_OPTION_ENUMS };
    static const struct option long_options[] = {
        { "target", required_argument, NULL, 't' },
        { "format", required_argument, NULL, 'f' },
        { "no-names", no_argument, NULL, 'n' },
        { "utc", no_argument, NULL, OPT_UTC },
        { "color", optional_argument, NULL, OPT_COLOR },
        { "help", no_argument, NULL, 'h' },
        { "option", no_argument, NULL, 'o' },
        { "version", no_argument, NULL, 'V' },
        VLOG_LONG_OPTIONS,
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "+t:f:nhoVv::", long_options,
                            NULL)) != -1) {
        switch (c) {
        case 't':
            cli->target = optarg;
            break;
        case 'f':
            cli->format_given = true;
            if (!mlog_cli_format_from_string(optarg, &cli->format)) {
                usage_error("unknown format '%s'; the formats are "
                            MLOG_CLI_FORMATS, optarg);
            }
            break;
        case 'n':
            cli->style.names = false;
            break;
        case OPT_UTC:
            cli->style.utc = true;
            break;
        case OPT_COLOR:
            if (!mlog_cli_set_color(cli, optarg ? optarg : "always")) {
                usage_error("--color: needs auto, always or never");
            }
            break;
        case 'h':
            mlog_cli_print_help();
            exit(MLOG_CLI_OK);
        case 'o':
            ovs_cmdl_print_options(long_options);
            exit(MLOG_CLI_OK);
        case 'V':
            printf("ovs-multilog (MultiLog for Open vSwitch) %s\n",
                   MLOG_VERSION);
            exit(MLOG_CLI_OK);
        VLOG_OPTION_HANDLERS
        default:
            fprintf(stderr, "%s: see --help\n", program_name);
            exit(MLOG_CLI_USAGE);
        }
    }
}

int
main(int argc, char *argv[])
{
    struct mlog_cli cli;
    struct svec words = SVEC_EMPTY_INITIALIZER;
    int status;

    set_program_name(argv[0]);
    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    mlog_cli_init(&cli);
    parse_options(argc, argv, &cli);
    if (optind >= argc) {
        usage_error("what shall be done?");
    }
    for (int i = optind; i < argc; i++) {
        svec_add(&words, argv[i]);
    }
    status = mlog_cli_run(&cli, &words);
    svec_destroy(&words);
    mlog_cli_destroy(&cli);
    if (fflush(stdout) && !status) {
        status = MLOG_CLI_ERROR;
    }
    return status;
}
