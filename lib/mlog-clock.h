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

#ifndef MLOG_CLOCK_H
#define MLOG_CLOCK_H 1

/* Time
 * ====
 *
 * Records are stamped with *ticks*: the processor's time-stamp counter where
 * that is invariant (constant rate, same on every core), else nanoseconds of
 * CLOCK_MONOTONIC, which costs more.  'struct mlog_clock' maps ticks to
 * nanoseconds since the epoch, UTC.  The map is continuous and increasing; it
 * follows the system's clock, a step of which is made up for by running at
 * most 1/16 faster or slower.
 *
 * Thread-safety
 * =============
 *
 * mlog_clock_now() may be called from any thread.  A 'struct mlog_clock' is
 * its owner's. */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* How often the digest wakes up and triggers are evaluated: 1 ms. */
#define MLOG_TICK_NS UINT64_C(1000000)

extern bool mlog_clock_use_tsc;     /* Constant after mlog_clock_init(). */

/* Finds out what to count ticks with.  Call it once, before other threads use
 * mlog_clock_now().  Logs if the TSC cannot be used. */
void mlog_clock_init(void);

/* Returns the current time in ticks.  Ticks that one thread reads after it
 * has seen what another thread wrote after reading ticks are no smaller. */
static inline uint64_t
mlog_clock_now(void)
{
#if defined(__x86_64__)
    if (mlog_clock_use_tsc) {
        return __builtin_ia32_rdtsc();
    }
#endif
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

/* Makes mlog_clock_now() after it wait for what is before it in the program:
 * reading the TSC is no access to memory, so no fence of memory orders it. */
static inline void
mlog_clock_order(void)
{
#if defined(__x86_64__)
    __builtin_ia32_lfence();
#endif
}

struct mlog_clock {
    uint64_t ticks;             /* These ticks... */
    uint64_t ns;                /* ...are this time. */
    uint64_t rate;              /* Nanoseconds per tick, times 2**32. */
    uint64_t true_rate;         /* The same, as measured. */
    uint64_t start_ticks;       /* When measuring began, in ticks... */
    uint64_t start_mono;        /* ...and of CLOCK_MONOTONIC. */
};

/* Measures the rate of ticks; takes about 10 ms.  'earlier', if not NULL, is a
 * clock of an earlier process since the same start of the system: the longer
 * ago measuring began, the better. */
void mlog_clock_calibrate(struct mlog_clock *,
                          const struct mlog_clock *earlier);

/* Lets 'clock' follow the system's clock.  Call it about once per second. */
void mlog_clock_adjust(struct mlog_clock *);

/* Returns the time of 'ticks', which must not be (much) before the last
 * mlog_clock_adjust(): up to 2**63 ns. */
static inline uint64_t
mlog_clock_to_ns(const struct mlog_clock *clock, uint64_t ticks)
{
    __int128 delta = (int64_t) (ticks - clock->ticks);

    return clock->ns + (int64_t) (delta * clock->rate >> 32);
}

/* Returns the time now, in nanoseconds since the epoch, from the system. */
uint64_t mlog_clock_system(void);

#endif /* mlog-clock.h */
