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


/* ovs-multilogd: the aggregator, which asks many hosts at once. */

#include <config.h>

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "command-line.h"
#include "daemon.h"
#include "fatal-signal.h"
#include "mlog-wire.h"
#include "mlogd-hosts.h"
#include "mlogd.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "stream-ssl.h"
#include "stream.h"
#include "svec.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(multilogd);

struct options {
    const char *name;           /* Of the aggregator. */
    const char *unixctl_path;
    struct svec listen;
};

OVS_NO_RETURN static void
usage(void)
{
    printf("\
%s: asks all hosts that record packets with MultiLog\n\
usage: %s [OPTION]... LISTEN...\n\
where LISTEN is where hosts connect to:\n\
  pssl:[PORT][:ADDRESS]       TLS, by default port %d\n\
  ptcp:[PORT][:ADDRESS]       TCP: without any protection, for experiments\n\
  punix:FILE                  a Unix domain socket\n",
           program_name, program_name, MLOG_WIRE_PORT);
    stream_usage("LISTEN", false, true, false);
    daemon_usage();
    vlog_usage();
    printf("\n\
Other options:\n\
  --name=NAME                 what it calls itself (default: host name)\n\
  --unixctl=SOCKET            override default control socket name\n\
  -h, --help                  display this help message\n\
  -V, --version               display version information\n");
    exit(EXIT_SUCCESS);
}

enum {
    OPT_NAME = UCHAR_MAX + 1,
    OPT_UNIXCTL,
    OPT_PEER_CA_CERT,
    VLOG_OPTION_ENUMS,
    DAEMON_OPTION_ENUMS,
    SSL_OPTION_ENUMS,
};

static const struct option long_options[] = {
    {"name", required_argument, NULL, OPT_NAME},
    {"unixctl", required_argument, NULL, OPT_UNIXCTL},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    DAEMON_LONG_OPTIONS,
    VLOG_LONG_OPTIONS,
    STREAM_SSL_LONG_OPTIONS,
    {"peer-ca-cert", required_argument, NULL, OPT_PEER_CA_CERT},
    {NULL, 0, NULL, 0},
};

static void
parse_option(int c, struct options *options)
{
    switch (c) {
    case OPT_NAME: options->name = optarg; break;
    case OPT_UNIXCTL: options->unixctl_path = optarg; break;
    case 'h': usage();
    case 'V':
        printf("%s (MultiLog for Open vSwitch) %s\n", program_name,
               MLOG_VERSION);
        exit(EXIT_SUCCESS);
    VLOG_OPTION_HANDLERS
    DAEMON_OPTION_HANDLERS
    STREAM_SSL_OPTION_HANDLERS
    case OPT_PEER_CA_CERT: stream_ssl_set_peer_ca_cert_file(optarg); break;
    case '?': exit(EXIT_FAILURE);
    default: OVS_NOT_REACHED();
    }
}

static void
parse_options(int argc, char *argv[], struct options *options)
{
    static char host_name[65];
    char *letters = ovs_cmdl_long_options_to_short_options(long_options);
    int c;

    if (gethostname(host_name, sizeof host_name - 1)) {
        ovs_strlcpy(host_name, "aggregator", sizeof host_name);
    }
    options->name = host_name;
    svec_init(&options->listen);
    while ((c = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        parse_option(c, options);
    }
    for (int i = optind; i < argc; i++) {
        svec_add(&options->listen, argv[i]);
    }
    if (!options->listen.n) {
        ovs_fatal(0, "where to listen is missing (use --help for help)");
    }
    free(letters);
}

static void
unixctl_exit(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[] OVS_UNUSED, void *exiting)
{
    *(bool *) exiting = true;
    unixctl_command_reply(conn, NULL);
}

static void
listen_on(struct mlogd *mlogd, const struct svec *targets)
{
    const char *target;
    size_t i;

    SVEC_FOR_EACH (i, target, targets) {
        int error = mlogd_hosts_listen(mlogd_get_hosts(mlogd), target);

        if (error) {
            ovs_fatal(error, "could not listen on %s", target);
        }
    }
}

int
main(int argc, char *argv[])
{
    struct options options = { .unixctl_path = NULL };
    struct unixctl_server *unixctl;
    struct mlogd *mlogd;
    bool exiting = false;
    int error;

    set_program_name(argv[0]);
    ovs_cmdl_proctitle_init(argc, argv);
    service_start(&argc, &argv);
    parse_options(argc, argv, &options);
    fatal_ignore_sigpipe();
    daemon_become_new_user(false);
    daemonize_start(false);

    error = unixctl_server_create(options.unixctl_path, &unixctl);
    if (error) {
        ovs_fatal(error, "failed to create unixctl server");
    }
    unixctl_command_register("exit", "", 0, 0, unixctl_exit, &exiting);
    mlogd = mlogd_create(options.name);
    listen_on(mlogd, &options.listen);
    daemonize_complete();
    VLOG_INFO("%s (MultiLog for Open vSwitch) %s", program_name,
              MLOG_VERSION);

    while (!exiting) {
        mlogd_run(mlogd);
        unixctl_server_run(unixctl);
        mlogd_wait(mlogd);
        unixctl_server_wait(unixctl);
        if (exiting) {
            poll_immediate_wake();
        }
        poll_block();
    }
    mlogd_destroy(mlogd);
    unixctl_server_destroy(unixctl);
    svec_destroy(&options.listen);
    service_stop();
    return 0;
}
