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


#ifndef MLOG_CLI_CLIENT_H
#define MLOG_CLI_CLIENT_H 1

/* Talking to a switch
 * ===================
 *
 * A switch is found by its control socket, RUNDIR/ovs-vswitchd.PID.ctl:
 *
 *   no target         the only one of RUNDIR that answers; if there are
 *                     several, an error that lists them
 *   /PATH             that socket
 *   PID               RUNDIR/ovs-vswitchd.PID.ctl
 *   NAME              as ovs-appctl: the process of RUNDIR/NAME.pid
 *
 * Thread-safety: none.  There is one client per process, as signals are. */

#include <stdbool.h>
#include <sys/types.h>

#include "openvswitch/compiler.h"

struct mlog_cli_client;
struct svec;

/* Connects.  Returns NULL and the client, or a message to free. */
char *mlog_cli_client_open(const char *target, struct mlog_cli_client **)
    OVS_WARN_UNUSED_RESULT;
void mlog_cli_client_close(struct mlog_cli_client *);

const char *mlog_cli_client_socket(const struct mlog_cli_client *);

/* The switch's process, or 0 if the socket doesn't say. */
pid_t mlog_cli_client_pid(const struct mlog_cli_client *);

/* False after the switch has gone away, or the connection failed. */
bool mlog_cli_client_is_connected(const struct mlog_cli_client *);

/* Sends command 'words' and waits for the reply; connects again if the switch
 * had closed the connection since.  Returns 0, an errno, or EINTR if
 * mlog_cli_interrupted() has become true: the query has been told to end,
 * then.  If 0, sets either '*result' or '*error', to be freed. */
int mlog_cli_client_ask(struct mlog_cli_client *, const struct svec *words,
                        char **result, char **error);

/* From now on, SIGINT, SIGTERM and SIGHUP make mlog_cli_interrupted() true
 * instead of ending the process; SIGHUP does not if it is ignored. */
void mlog_cli_catch_signals(void);
bool mlog_cli_interrupted(void);
void mlog_cli_forget_interrupt(void);

/* Waits for 'ms' milliseconds, a signal, input on 'fd' (if not -1), or the
 * reader of standard output to go away, which sets '*gone'. */
void mlog_cli_sleep(long long int ms, int fd, bool *gone);

#endif /* mlog-cli-client.h */
