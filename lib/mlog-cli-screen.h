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


#ifndef MLOG_CLI_SCREEN_H
#define MLOG_CLI_SCREEN_H 1

/* A terminal, drawn anew again and again
 * ======================================
 *
 * Keys come one by one, and the screen is an alternate one, so that what was
 * there before comes back.  However the process ends, but for SIGKILL, the
 * terminal gets back the settings that it had; so it does while the process is
 * stopped.
 *
 * Thread-safety: none; a process has one. */

#include <stdbool.h>
#include <stddef.h>

struct ds;

enum mlog_cli_key {
    MLOG_KEY_NONE = 0,          /* Nothing was pressed in time. */
    MLOG_KEY_ENTER = '\n',
    MLOG_KEY_ESCAPE = 27,
    MLOG_KEY_BACKSPACE = 127,
    MLOG_KEY_UP = 256,
    MLOG_KEY_DOWN,
    MLOG_KEY_PAGE_UP,
    MLOG_KEY_PAGE_DOWN,
    MLOG_KEY_OTHER,             /* One that has no meaning here. */
    MLOG_KEY_GONE,              /* The terminal is gone. */
};

/* Returns false if standard input or output isn't a terminal. */
bool mlog_cli_screen_open(void);
void mlog_cli_screen_close(void);

/* The size, which changes when the window does. */
void mlog_cli_screen_size(size_t *rows, size_t *columns);

/* Draws 'text', as many lines as there are rows, from the top. */
void mlog_cli_screen_draw(const char *text);

/* Waits for a key, at most 'ms' milliseconds.  Other characters than those
 * above are themselves, bytes of UTF-8 one by one.  Returns early, with
 * MLOG_KEY_NONE, upon a signal or when the screen needs to be drawn. */
int mlog_cli_screen_key(long long int ms);

/* A line that is being edited. */
struct mlog_cli_edit {
    char text[1024];
    size_t n;                   /* Bytes. */
};

/* Applies 'key'.  Returns true if the text has changed. */
bool mlog_cli_edit_key(struct mlog_cli_edit *, int key);

#endif /* mlog-cli-screen.h */
