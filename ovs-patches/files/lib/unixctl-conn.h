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

#ifndef UNIXCTL_CONN_H
#define UNIXCTL_CONN_H 1

/* More on the connections of lib/unixctl.c, and on the format of replies,
 * which a client sets with the command "set-options --format json".
 *
 * Thread-safety: all of this is for the main thread. */

#include <stddef.h>

struct json;
struct stream;
struct unixctl_conn;

/* From here to unixctl_command_reply_json(): as in newer releases, to be
 * dropped there. */
enum unixctl_output_fmt {
    UNIXCTL_OUTPUT_FMT_TEXT = 1 << 0,
    UNIXCTL_OUTPUT_FMT_JSON = 1 << 1,
};

enum unixctl_output_fmt
unixctl_command_get_output_format(struct unixctl_conn *);

/* Replies with 'body', which it takes over: to a client that wants JSON with
 * any, to others with a string. */
void unixctl_command_reply_json(struct unixctl_conn *, struct json *body);

/* The file descriptor of a connection, which stays open as long as a command
 * has no reply; -1 if there is none. */
int unixctl_conn_get_fd(const struct unixctl_conn *);
int stream_get_fd(const struct stream *);

/* Bytes of replies that clients have not read yet, as of the last
 * unixctl_server_run(). */
size_t unixctl_get_backlog(void);

#endif /* unixctl-conn.h */
