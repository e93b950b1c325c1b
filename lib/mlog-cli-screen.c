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


#include <config.h>
#include "mlog-cli-screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "mlog-cli-client.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#define ENTER "\033[?1049h\033[?25l\033[H\033[2J"
#define LEAVE "\033[?25h\033[?1049l"

static struct termios saved;
static volatile sig_atomic_t is_open;
static volatile sig_atomic_t dirty;     /* Resized, or back from a stop. */

static void
put(const char *text, size_t n)
{
    while (n) {
        ssize_t written = write(STDOUT_FILENO, text, n);

        if (written < 0 && errno != EINTR) {
            return;
        } else if (written > 0) {
            text += written;
            n -= written;
        }
    }
}

/* Both are safe in a signal handler. */
static void
enter(void)
{
    struct termios raw = saved;

    raw.c_lflag &= ~(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    put(ENTER, strlen(ENTER));
}

static void
leave(void)
{
    put(LEAVE, strlen(LEAVE));
    tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
}

static void
leave_at_exit(void)
{
    if (is_open) {
        is_open = false;
        leave();
    }
}

/* Signals that end the process at once. */
static void
handle_fatal(int sig)
{
    leave_at_exit();
    signal(sig, SIG_DFL);
    raise(sig);
}

static void
handle_stop(int sig OVS_UNUSED)
{
    int save_errno = errno;

    leave();
    raise(SIGSTOP);
    enter();
    dirty = true;
    errno = save_errno;
}

static void
handle_resize(int sig OVS_UNUSED)
{
    dirty = true;
}

static void
catch_signals(void)
{
    static const int fatal[] = { SIGQUIT, SIGILL, SIGABRT, SIGFPE, SIGSEGV,
                                 SIGBUS, SIGALRM, SIGPIPE };
    struct sigaction action = { .sa_handler = handle_fatal };

    for (size_t i = 0; i < ARRAY_SIZE(fatal); i++) {
        sigaction(fatal[i], &action, NULL);
    }
    action.sa_handler = handle_stop;
    sigaction(SIGTSTP, &action, NULL);
    action.sa_handler = handle_resize;
    sigaction(SIGWINCH, &action, NULL);
}

bool
mlog_cli_screen_open(void)
{
    static bool registered;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)
        || tcgetattr(STDIN_FILENO, &saved)) {
        return false;
    }
    if (!registered) {
        registered = true;
        atexit(leave_at_exit);
    }
    mlog_cli_catch_signals();
    catch_signals();
    is_open = true;
    enter();
    return true;
}

void
mlog_cli_screen_close(void)
{
    leave_at_exit();
}

void
mlog_cli_screen_size(size_t *rows, size_t *columns)
{
    struct winsize size;
    bool ok = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);

    *rows = ok && size.ws_row ? size.ws_row : 24;
    *columns = ok && size.ws_col ? size.ws_col : 80;
}

void
mlog_cli_screen_draw(const char *text)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    size_t rows, columns;

    dirty = false;
    mlog_cli_screen_size(&rows, &columns);
    ds_put_cstr(&s, "\033[H");
    for (size_t row = 0; row < rows && *text; row++) {
        size_t n = strcspn(text, "\n");

        ds_put_cstr(&s, row ? "\r\n" : "");
        ds_put_buffer(&s, text, n);
        ds_put_cstr(&s, "\033[K");
        text += n + (text[n] == '\n');
    }
    ds_put_cstr(&s, "\033[J");
    put(s.string, s.length);
    ds_destroy(&s);
}

/* Keys. */

static bool
wait_for_input(long long int ms)
{
    bool gone;

    mlog_cli_sleep(ms, STDIN_FILENO, &gone);

    struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
    return poll(&fd, 1, 0) > 0;
}

static int
read_byte(void)
{
    unsigned char c;
    ssize_t n = read(STDIN_FILENO, &c, 1);

    return n == 1 ? c : n < 0 && errno == EINTR ? MLOG_KEY_NONE
           : MLOG_KEY_GONE;
}

/* The rest of what a key sends after ESC. */
static int
read_sequence(void)
{
    struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
    int c = 0, number = 0;

    if (poll(&fd, 1, 25) <= 0) {
        return MLOG_KEY_ESCAPE;
    }
    c = read_byte();
    if (c != '[' && c != 'O') {
        return MLOG_KEY_OTHER;
    }
    while (poll(&fd, 1, 25) > 0) {
        c = read_byte();
        if (c >= '0' && c <= '9') {
            number = c - '0';
        } else if (c >= 0x40 && c <= 0x7e) {
            break;
        }
    }
    return (c == 'A' ? MLOG_KEY_UP
            : c == 'B' ? MLOG_KEY_DOWN
            : c == '~' && number == 5 ? MLOG_KEY_PAGE_UP
            : c == '~' && number == 6 ? MLOG_KEY_PAGE_DOWN
            : MLOG_KEY_OTHER);
}

int
mlog_cli_screen_key(long long int ms)
{
    int c;

    if (dirty || !wait_for_input(ms)) {
        return MLOG_KEY_NONE;
    }
    c = read_byte();
    return (c == MLOG_KEY_ESCAPE ? read_sequence()
            : c == '\r' ? MLOG_KEY_ENTER
            : c == '\b' ? MLOG_KEY_BACKSPACE
            : c == 4 ? MLOG_KEY_GONE    /* Ctrl-D. */
            : c);
}

bool
mlog_cli_edit_key(struct mlog_cli_edit *edit, int key)
{
    if (key == MLOG_KEY_BACKSPACE && edit->n) {
        /* The whole character. */
        do {
            edit->n--;
        } while (edit->n
                 && ((unsigned char) edit->text[edit->n] & 0xc0) == 0x80);
    } else if (key == ('U' & 0x1f)) {
        edit->n = 0;
    } else if (key >= ' ' && key < 256 && key != MLOG_KEY_BACKSPACE
               && edit->n + 1 < sizeof edit->text) {
        edit->text[edit->n++] = key;
    } else {
        return false;
    }
    edit->text[edit->n] = '\0';
    return true;
}
