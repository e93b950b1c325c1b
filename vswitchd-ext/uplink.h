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


#ifndef UPLINK_H
#define UPLINK_H 1

/* The connections of this switch to aggregators: the agent (mlog-agent.h),
 * with workers of its own for what aggregators ask.
 *
 * For the main thread. */

struct multilog;

/* Sets 'agent' of the MultiLog, and unsets it. */
void uplink_init(struct multilog *);
void uplink_exit(void);

#endif /* uplink.h */
