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


#ifndef MLOGD_H
#define MLOGD_H 1

/* The aggregator, put together: its hosts and its commands.
 *
 * The commands "net/..." are registered with unixctl, so there is one
 * aggregator per process.
 *
 * Thread-safety: none; for the main loop. */

struct mlogd;
struct mlogd_hosts;

struct mlogd *mlogd_create(const char *name);
void mlogd_destroy(struct mlogd *);

void mlogd_run(struct mlogd *);
void mlogd_wait(struct mlogd *);

struct mlogd_hosts *mlogd_get_hosts(struct mlogd *);

#endif /* mlogd.h */
