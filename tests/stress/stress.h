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

#ifndef TESTS_STRESS_STRESS_H
#define TESTS_STRESS_STRESS_H 1

/* What the stress programs share: random numbers, and signal handlers that
 * stop a thread wherever it is. */

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mlog-clock.h"
#include "openvswitch/compiler.h"
#include "util.h"

/* Random numbers, xorshift64: each thread has its own. */
struct rng {
    uint64_t state;
};

static inline uint32_t
rng_next(struct rng *rng, uint32_t range)
{
    rng->state ^= rng->state << 13;
    rng->state ^= rng->state >> 7;
    rng->state ^= rng->state << 17;
    return (rng->state >> 16) % range;
}

static inline void
rng_seed(struct rng *rng, uint64_t a, uint64_t b)
{
    rng->state = ((a + 1) * UINT64_C(0x9e3779b97f4a7c15)
                  ^ (b + 1) * UINT64_C(0xbf58476d1ce4e5b9)) | 1;
    for (int i = 0; i < 8; i++) {
        rng_next(rng, 2);
    }
}

static inline bool
one_in(struct rng *rng, uint32_t n)
{
    return !rng_next(rng, n);
}

/* Returns the current time in ticks, read after all that comes before in the
 * program. */
static inline uint64_t
stamp(void)
{
    mlog_clock_order();
    return mlog_clock_now();
}

static inline void
spin(uint32_t ticks)
{
    uint64_t start = mlog_clock_now();

    while (mlog_clock_now() - start < ticks) {
        continue;
    }
}

static inline void
nap(uint32_t ns)
{
    struct timespec ts = { .tv_nsec = ns };

    nanosleep(&ts, NULL);
}

/* Mostly some microseconds, or until others have run. */
static inline void
delay(struct rng *rng)
{
    switch (rng_next(rng, 8)) {
    case 0:
        nap(rng_next(rng, 100000));
        break;
    case 1:
    case 2:
        sched_yield();
        break;
    default:
        spin(rng_next(rng, 20000));
    }
}

static inline void
handle_delay(int signo OVS_UNUSED)
{
    static __thread struct rng rng;
    int saved_errno = errno;

    if (!rng.state) {
        rng_seed(&rng, mlog_clock_now(), 0);
    }
    delay(&rng);
    errno = saved_errno;
}

static inline void
handle_end(int signo)
{
    const char *text = (signo == SIGALRM ? "FAIL: it doesn't end\n"
                        : signo == SIGABRT ? "FAIL: aborted\n"
                        : "FAIL: crashed\n");

    ignore(write(STDOUT_FILENO, text, strlen(text)));
    _exit(1);
}

/* SIGUSR1 and SIGUSR2 delay whichever thread gets them.  After a crash, or
 * when an alarm(2) rings, the last line says so and begins with "FAIL", as the
 * one of any other failure. */
static inline void
handle_signals(void)
{
    static const int ends[] = { SIGALRM, SIGSEGV, SIGBUS, SIGABRT };
    struct sigaction action = { .sa_handler = handle_end };

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        sigaction(ends[i], &action, NULL);
    }
    action.sa_handler = handle_delay;
    action.sa_flags = SA_RESTART;
    sigaddset(&action.sa_mask, SIGUSR1);
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
}

/* Parses a command line's number, from 1 to 'max'. */
static inline unsigned int
parse_number(const char *arg, unsigned int max)
{
    char *end;
    unsigned long x = strtoul(arg, &end, 10);

    if (!*arg || *end || !x || x > max) {
        fprintf(stderr, "%s: %s: not a number from 1 to %u\n", program_name,
                arg, max);
        exit(2);
    }
    return x;
}

#endif /* tests/stress/stress.h */
