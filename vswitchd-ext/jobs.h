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

#ifndef JOBS_H
#define JOBS_H 1

/* The commands of ovs-appctl, executed by workers (mlog-jobs.h), so that
 * ovs-vswitchd's main loop never waits for one.  A command's reply goes out
 * from jobs_run(), which also notices that a client has gone.
 *
 * Thread-safety: all of this is for the main thread. */

struct multilog;
struct unixctl_conn;

void jobs_init(struct multilog *);

/* Has a worker execute the command 'argv[0]' and reply to 'conn', in the
 * format that the client has set with "set-options". */
void jobs_submit(struct unixctl_conn *conn, int argc, const char *argv[]);

void jobs_run(void);
void jobs_wait(void);

/* Cancels what is running or waiting, replies to each, ends the workers. */
void jobs_exit(void);

#endif /* jobs.h */
