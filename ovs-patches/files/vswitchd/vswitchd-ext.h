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


#ifndef VSWITCHD_EXT_H
#define VSWITCHD_EXT_H 1

/* A library that ovs-vswitchd is linked with.  Its main thread makes all
 * calls.  Datapath threads may still be running when vswitchd_ext_exit() is
 * called: see dp_observer_set(). */

void vswitchd_ext_init(void);   /* Before the first bridge exists. */
void vswitchd_ext_run(void);    /* In the main loop, after the bridges. */
void vswitchd_ext_wait(void);
void vswitchd_ext_exit(void);   /* After the last bridge. */

#endif /* vswitchd-ext.h */
