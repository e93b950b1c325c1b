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

#ifndef OVSDB_SYNC_H
#define OVSDB_SYNC_H 1

/* The client of the database MultiLog: what it says is brought in force, and
 * it is told of the status and of alerts.  See vswitchd-ext/multilog.xml.
 *
 * Thread-safety: for the main thread.  A thread of its own does the work. */

struct multilog;

/* Starts the thread and sets the multilog's 'database'.  Which database it is
 * is kept with the records ("multilog/set ovsdb"); if nothing is kept, the
 * environment variable MULTILOG_DB says, by default "auto". */
void ovsdb_sync_init(struct multilog *);
void ovsdb_sync_exit(void);

#endif /* ovsdb-sync.h */
