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


#ifndef MLOG_SEALER_H
#define MLOG_SEALER_H 1

/* A thread that seals the header log's full segments, in the background.
 *
 * Thread-safety: for one thread at a time. */

struct mlog_header_log;

struct mlog_sealer *mlog_sealer_create(struct mlog_header_log *);
void mlog_sealer_destroy(struct mlog_sealer *);

#endif /* mlog-sealer.h */
