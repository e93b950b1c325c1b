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

#include "vswitchd-ext.h"

#include "dirs.h"
#include "jobs.h"
#include "mlog-command.h"
#include "mlog-ports.h"
#include "multilog.h"
#include "observer.h"
#include "ofproto/ofproto-provider.h"
#include "ofproto/ofproto.h"
#include "openvswitch/vlog.h"
#include "ovsdb-sync.h"
#include "sset.h"
#include "unixctl.h"
#include "uplink.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(multilog_ext);

static struct multilog *multilog;
static unsigned int ports_seq;

/* Tells the port table the OpenFlow numbers of 'ofproto''s ports in datapath
 * 'dp'. */
static void
refresh_ports_of_bridge(struct ofproto *ofproto, unsigned int dp)
{
    struct ofproto_port_dump dump;
    struct ofproto_port port;

    OFPROTO_PORT_FOR_EACH (&port, &dump, ofproto) {
        mlog_ports_set_ofp(dp, port.name, ofproto->name,
                           ofp_to_u16(port.ofp_port));
    }
}

/* All the bridges with datapath type 'type' share the datapath that is called
 * "ovs-" and 'type'. */
static void
refresh_ports_of_type(const char *type)
{
    struct sset names = SSET_INITIALIZER(&names);
    char *dp_name = xasprintf("ovs-%s", type);
    unsigned int dp = mlog_ports_datapath(dp_name);
    const char *name;

    ofproto_enumerate_names(type, &names);
    SSET_FOR_EACH (name, &names) {
        struct ofproto *ofproto = ofproto_lookup(name);

        if (ofproto) {
            refresh_ports_of_bridge(ofproto, dp);
        }
    }
    sset_destroy(&names);
    free(dp_name);
}

/* The kernel's datapath, of type "system", isn't observed. */
static void
refresh_ports(void)
{
    struct sset types = SSET_INITIALIZER(&types);
    const char *type;

    ofproto_enumerate_types(&types);
    SSET_FOR_EACH (type, &types) {
        if (strcmp(type, "system")) {
            refresh_ports_of_type(type);
        }
    }
    sset_destroy(&types);
}

static void
unixctl_multilog(struct unixctl_conn *conn, int argc, const char *argv[],
                 void *aux OVS_UNUSED)
{
    jobs_submit(conn, argc, argv);
}

static void
register_commands(void)
{
    const struct mlog_command *command;

    for (size_t i = 0; (command = mlog_command_get(i)); i++) {
        unixctl_command_register(command->name, command->usage,
                                 0, INT_MAX, unixctl_multilog, NULL);
    }
}

/* Returns, for the caller to free, the directory in which records survive, or
 * NULL if they are not to.  The environment variable MULTILOG_DIR names it;
 * "none" is for none.  By default it is a directory of shared memory, one for
 * each directory in which daemons of Open vSwitch run. */
static char *
store_directory(void)
{
    const char *dir = getenv("MULTILOG_DIR");

    if (dir && *dir) {
        return strcmp(dir, "none") ? abs_file_name(NULL, dir) : NULL;
    }

    char *name = xstrdup(ovs_rundir());
    for (char *p = name; *p; p++) {
        *p = *p == '/' ? '-' : *p;
    }

    char *path = xasprintf("/dev/shm/multilog%s", name);
    free(name);
    return path;
}

void
vswitchd_ext_init(void)
{
    char *dir = store_directory();

    multilog = multilog_create(dir, MULTILOG_DEFAULT_BUDGET,
                               MULTILOG_DEFAULT_RING_SLOTS);
    free(dir);
    multilog->set_capture = observer_set_capture;
    observer_init(multilog);
    ovsdb_sync_init(multilog);
    jobs_init(multilog);
    uplink_init(multilog);
    register_commands();
    multilog_set_capture(multilog, true);
}

void
vswitchd_ext_run(void)
{
    unsigned int seq = observer_ports_seq();

    if (seq != ports_seq) {
        ports_seq = seq;
        refresh_ports();
    }
    jobs_run();
}

void
vswitchd_ext_wait(void)
{
    jobs_wait();
}

void
vswitchd_ext_exit(void)
{
    observer_exit();
    uplink_exit();
    jobs_exit();
    ovsdb_sync_exit();
    multilog_destroy(multilog);
    multilog = NULL;
}
