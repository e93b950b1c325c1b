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

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mlog-clock.h"
#include "mlog-dump.h"
#include "mlog-record-table.h"
#include "mlog-time.h"
#include "util.h"

/* Reads archives offline.  What is done is in lib/mlog-dump.c; this is about
 * words. */

enum { STATUS_OK = 0, STATUS_PROBLEMS = 1, STATUS_USAGE = 2 };

struct output {
    FILE *file;
    const char *name;           /* NULL: standard output. */
};

static void
usage(void)
{
    printf("\
multilog-dump: print the records of MultiLog archives\n\
usage: %s [OPTION]... DIR|FILE...\n\
\n\
Reads all segments of an archive's directory, or single files of it, in the\n\
order given.  The switch need not run; if it does, it isn't disturbed.\n\
\n\
What to print (by default the records, oldest first):\n\
  --count              how many records match\n\
  --list               the files: records, bytes, times, host\n\
  --verify             the files, after reading and checking all of each\n\
\n\
Which records:\n\
  --filter=EXPR        those that match, as in multilog/query (see\n\
                       multilog-expressions(7))\n\
  --since=TIME         not older than this\n\
  --until=TIME         not newer than this; TIME is like\n\
                       2026-01-31T12:00:00, -5m (before now), or seconds\n\
                       since the epoch\n\
  --limit=N            the first N\n\
\n\
How:\n\
  --format=FORMAT      table (default), json, csv, or pcapng: a capture file\n\
                       for Wireshark and tcpdump, headers rebuilt\n\
  --fields=FIELD,...   these fields, or \"all\" (see multilog-fields(7))\n\
  -o, --output=FILE    write to FILE instead of standard output\n\
  -h, --help           show this\n\
  -V, --version        show the version\n\
\n\
Examples:\n\
  %s --list /var/lib/multilog\n\
  %s --filter='tcp && tp_dst == 80' --since=-1h /var/lib/multilog\n\
  %s --format=pcapng -o drops.pcapng --filter=drop /var/lib/multilog\n\
\n\
Exit status: 0 if successful, 1 if something could not be read or written,\n\
2 if the arguments are wrong.\n",
           program_name, program_name, program_name, program_name);
    exit(STATUS_OK);
}

static void OVS_NO_RETURN OVS_PRINTF_FORMAT(1, 2)
usage_error(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs(" (see --help)\n", stderr);
    exit(STATUS_USAGE);
}

/* Values of options. */

static void
parse_format(const char *text, struct mlog_dump_options *options)
{
    options->pcapng = !strcmp(text, "pcapng");
    if (!options->pcapng && !mlog_format_from_string(text, &options->format)) {
        usage_error("--format: needs \"table\", \"json\", \"csv\" or "
                    "\"pcapng\"");
    }
}

static void
parse_filter(const char *text, struct mlog_dump_options *options)
{
    struct mlog_error error = MLOG_ERROR_INITIALIZER;

    options->expr = mlog_expr_parse(text, &error);
    if (!options->expr) {
        char *message = mlog_error_to_string(&error, text);

        fprintf(stderr, "%s: --filter: %s\n", program_name, message);
        exit(STATUS_USAGE);
    }
}

static uint64_t
parse_time(const char *option, const char *text)
{
    uint64_t ns;
    char *error = mlog_time_parse_relative(text, mlog_clock_system(), &ns);

    if (error) {
        usage_error("%s: %s", option, error);
    }
    return ns;
}

static uint64_t
parse_limit(const char *text)
{
    char *end;

    errno = 0;
    uint64_t limit = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno) {
        usage_error("--limit: needs a whole number");
    }
    return limit;
}

static void
parse_fields(const char *text, struct mlog_dump_options *options)
{
    char *copy = xstrdup(text);
    char *rest = copy;
    char *name;

    if (!strcmp(text, "all")) {
        options->n_fields = mlog_record_all_fields(options->fields);
    } else {
        options->n_fields = 0;
        while ((name = strsep(&rest, ","))) {
            const struct mlog_field *field = mlog_field_from_name(name);

            if (!field) {
                usage_error("--fields: %s", mlog_field_unknown_error(name));
            } else if (options->n_fields >= MLOG_N_FIELDS) {
                usage_error("--fields: too many fields");
            }
            options->fields[options->n_fields++] = field;
        }
    }
    free(copy);
}

static void
parse_options(int argc, char *argv[], struct mlog_dump_options *options,
              struct output *output)
{
    enum { FILTER = UCHAR_MAX + 1, SINCE, UNTIL, LIMIT, FORMAT, FIELDS };
    const struct option long_options[] = {
        { "count", no_argument, (int *) &options->what, MLOG_DUMP_COUNT },
        { "list", no_argument, (int *) &options->what, MLOG_DUMP_LIST },
        { "verify", no_argument, (int *) &options->what, MLOG_DUMP_VERIFY },
        { "filter", required_argument, NULL, FILTER },
        { "since", required_argument, NULL, SINCE },
        { "until", required_argument, NULL, UNTIL },
        { "limit", required_argument, NULL, LIMIT },
        { "format", required_argument, NULL, FORMAT },
        { "fields", required_argument, NULL, FIELDS },
        { "output", required_argument, NULL, 'o' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "o:hV", long_options, NULL)) != -1) {
        switch (c) {
        case 0: break;
        case FILTER: parse_filter(optarg, options); break;
        case SINCE: options->since = parse_time("--since", optarg); break;
        case UNTIL: options->until = parse_time("--until", optarg); break;
        case LIMIT: options->limit = parse_limit(optarg); break;
        case FORMAT: parse_format(optarg, options); break;
        case FIELDS: parse_fields(optarg, options); break;
        case 'o': output->name = strcmp(optarg, "-") ? optarg : NULL; break;
        case 'h': usage(); break;
        case 'V':
            printf("multilog-dump (MultiLog for Open vSwitch) %s\n",
                   MLOG_VERSION);
            exit(STATUS_OK);
        default:
            usage_error("wrong option");
        }
    }
    if (optind >= argc) {
        usage_error("no directory or file was given");
    } else if (options->since > options->until) {
        usage_error("--until: is before --since");
    } else if (options->pcapng && options->what != MLOG_DUMP_RECORDS) {
        usage_error("--format=pcapng: is for records only");
    }
}

/* Output. */

static void
open_output(const struct mlog_dump_options *options, struct output *output)
{
    if (output->name) {
        output->file = fopen(output->name, "wb");
        if (!output->file) {
            ovs_fatal(errno, "%s", output->name);
        }
    } else if (options->pcapng && isatty(STDOUT_FILENO)) {
        usage_error("--format=pcapng: is not for a terminal; use -o");
    }
}

static int
write_output(void *output_, const void *data, size_t n)
{
    struct output *output = output_;

    errno = 0;
    return (fwrite(data, 1, n, output->file) == n ? 0
            : errno ? errno : EIO);
}

static int
close_output(struct output *output)
{
    return fclose(output->file) ? errno : 0;
}

static void
print_complaint(void *output OVS_UNUSED, const char *message)
{
    fprintf(stderr, "%s: %s\n", program_name, message);
}

int
main(int argc, char *argv[])
{
    struct output output = { stdout, NULL };
    struct mlog_dump_options options = {
        .until = UINT64_MAX, .limit = UINT64_MAX,
        .application = "multilog-dump " MLOG_VERSION,
        .write = write_output, .complain = print_complaint, .aux = &output,
    };
    struct mlog_dump *dump;
    bool problems;
    int error;

    set_program_name(argv[0]);
    parse_options(argc, argv, &options, &output);
    open_output(&options, &output);
    dump = mlog_dump_create(&options);
    for (int i = optind; i < argc; i++) {
        mlog_dump_add(dump, argv[i]);
    }
    error = mlog_dump_run(dump);
    problems = mlog_dump_n_problems(dump) > 0;
    mlog_dump_destroy(dump);
    mlog_expr_unref(CONST_CAST(struct mlog_expr *, options.expr));

    int close_error = close_output(&output);
    if (error || close_error) {
        fprintf(stderr, "%s: %s: %s\n", program_name,
                output.name ? output.name : "standard output",
                ovs_strerror(error ? error : close_error));
    }
    return error || close_error || problems ? STATUS_PROBLEMS : STATUS_OK;
}
