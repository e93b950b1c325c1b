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

#ifndef OBSERVER_H
#define OBSERVER_H 1

/* The datapath observer: what the patched datapath calls, and what feeds the
 * capture rings.  The only code of ours that runs on datapath threads is here
 * and in lib/mlog-capture-write.c.
 *
 * Thread-safety: observer_init(), observer_set_capture() and observer_exit()
 * are for one thread at a time.  The others may be called from any thread. */

#include <stdbool.h>
#include <stdint.h>

struct multilog;

/* Registers the observer, with capture off.  Must be called before the first
 * datapath exists. */
void observer_init(struct multilog *);
void observer_exit(void);

/* Records from now on, or not.  Turning capture off waits until no datapath
 * thread records any more, so it is not for the main thread; the caller is
 * quiescent afterwards (ovs-rcu.h). */
void observer_set_capture(bool on);

/* Returns a number that changes when a datapath's ports change. */
unsigned int observer_ports_seq(void);

/* True if a datapath thread polls on that core, and a number that changes when
 * another core does. */
bool observer_is_pmd_core(unsigned int core_id);
unsigned int observer_cores_seq(void);

#endif /* observer.h */
