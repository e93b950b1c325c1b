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

#include "jobs.h"
#include "mlog-command.h"
#include "mlog-ports.h"
#include "multilog.h"
#include "observer.h"
#include "ofproto/ofproto-provider.h"
#include "ofproto/ofproto.h"
#include "openvswitch/vlog.h"
#include "sset.h"
#include "unixctl.h"

VLOG_DEFINE_THIS_MODULE(multilog_ext);

static struct multilog *multilog;
static unsigned int ports_seq;

/* Tells the port table the OpenFlow numbers of 'ofproto''s ports. */
static void
refresh_ports_of(struct ofproto *ofproto)
{
    unsigned int dp = mlog_ports_datapath("ovs-netdev");
    struct ofproto_port_dump dump;
    struct ofproto_port port;

    OFPROTO_PORT_FOR_EACH (&port, &dump, ofproto) {
        mlog_ports_set_ofp(dp, port.name, ofproto->name,
                           ofp_to_u16(port.ofp_port));
    }
}

/* All the bridges with datapath_type=netdev share the datapath
 * "ovs-netdev". */
static void
refresh_ports(void)
{
    struct sset names = SSET_INITIALIZER(&names);
    const char *name;

    ofproto_enumerate_names("netdev", &names);
    SSET_FOR_EACH (name, &names) {
        struct ofproto *ofproto = ofproto_lookup(name);

        if (ofproto) {
            refresh_ports_of(ofproto);
        }
    }
    sset_destroy(&names);
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

void
vswitchd_ext_init(void)
{
    multilog = multilog_create(MULTILOG_DEFAULT_BUDGET,
                               MULTILOG_DEFAULT_RING_SLOTS);
    multilog->set_capture = observer_set_capture;
    observer_init(multilog);
    jobs_init(multilog);
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
    jobs_exit();
    multilog_destroy(multilog);
    multilog = NULL;
}
