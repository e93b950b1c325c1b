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

/* Capture and the cut
 * ===================
 *
 * Datapath threads write batches into their rings; the digest takes cuts.
 * Modelled after lib/mlog-capture.[ch], lib/mlog-capture-write.c and the
 * functions pass(), fix_cut(), refresh_rings(), oldest_ring(),
 * collect_losses() and commit() of lib/mlog-digest.c, whose names are used
 * here.
 *
 * What is modelled
 * ----------------
 *
 *   Writers   N threads.  Each creates a ring, writes batches, retires the
 *             ring after any of them and creates another (maybe in the memory
 *             of one that was freed), until it has written NB.  A thread that
 *             sleeps, for however long, is one that takes no step.
 *
 *   x86-TSO   A writer's ordinary stores go through a FIFO buffer, whose
 *             oldest ones become visible at any time.  When that is matters
 *             only to loads, so it is decided at each of the digest's loads.
 *             Each shared variable has one writer, so a thread's loads of what
 *             is in its own buffer are loads of its local copy.  Stores that a
 *             writer makes without anything in between that it could notice
 *             enter the buffer in one step, and leave it one by one.
 *
 *             What the digest does in a row, before and after the barrier, is
 *             one step each, too: what a writer stores in between is in its
 *             buffer before, then.  -DFINE makes each load a step.
 *
 *             The digest's only store outside a lock is that of 'head'.  With
 *             -DHEAD_LATE a writer that loads it may miss it.
 *
 *   Streaming stores wait in a line per slot, outside of that order, until a
 *             barrier: the hardware may drain them earlier, or not.  So the
 *             digest must not read a slot that has a store waiting.
 *
 *   Barriers  membarrier(2) interrupts each writer, in any order, wherever it
 *             is, and drains its buffer and lines.  With -DFENCE, the
 *             fallback: the announcement drains the writer's buffer (atomic
 *             read-modify-write), its fence before the tail the lines.  A
 *             lock drains the buffer only; the end of a thread, both.
 *
 *   Time      A counter that advances, or doesn't, before each reading.  It
 *             certainly advances while a lock goes from one thread to another
 *             and during a system call.
 *
 *   Rings     of RB batches, used round and round, so that they are full at
 *             times; a batch is a batch slot and a packet slot.
 *
 * What is abstracted: contents are the batch's number; longer batches, since
 * all slots of a batch become visible with one store of 'tail'; the order of
 * times between batches of one writer, which the counter gives; the limit of
 * PASS_RECORDS_MAX; ticks and nanoseconds (see log.pml).
 *
 * What is checked
 * ---------------
 *
 *   G1  "G1 order": the digest gets the batches of a ring in order.
 *   G2  "G2": at the end of mlog_ring_visible(), returning T, each batch of
 *       the ring with time <= T is below 'end', or is counted as lost.
 *       "G2 ever": no batch reads a time up to a cut after the cut.
 *   G3  "G3 whole": both slots of a batch that is consumed are its own.
 *   G4  "G4": when a ring is freed, and in the end, each of its batches has
 *       been consumed or counted as lost.
 *   G8  "G8": when a pass publishes its cut T, each batch with time <= T, of
 *       whatever ring, has been consumed or counted as lost.
 *
 * The digest makes any number of passes.  To keep the states finite, times are
 * renumbered at the end of each: only their order matters.
 *
 * Options: -DN= writers, -DNB= batches of each, -DRB= batches that a ring has
 * room for, -DSB= stores that a buffer has room for, -DFENCE, -DHEAD_LATE and
 * -DFINE as above; -DMUTANT_... leaves something out that must be there
 * (tests/model/run has the list). */

#ifndef N
#define N 2
#endif
#ifndef NB
#define NB 2
#endif
#ifndef RB
#define RB 1
#endif
#ifndef SB
#define SB 4
#endif

/* An atomic read-modify-write alone doesn't keep RDTSC behind it. */
#ifdef MUTANT_CLOCK_UNORDERED
#define MUTANT_CLOCK_BEFORE_ANNOUNCEMENT
#endif

#define NIDS (N * NB)
#define SLOTS (2 * RB)
#define MAX_TIME 32

#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define MAX(a, b) ((a) > (b) -> (a) : (b))

/* TOGETHER is one step, or several STEPs with -DFINE. */
#ifdef FINE
#define TOGETHER(steps) steps
#define STEP(steps) atomic { steps }
#else
#define TOGETHER(steps) atomic { steps }
#define STEP(steps) steps
#endif

#if N == 1
#define FOR_EACH(step) step(0)
#define FREE_RING (!ring[0].live)
#elif N == 2
#define FOR_EACH(step) step(0); step(1)
#define FREE_RING (!ring[0].live || !ring[1].live)
#else
#define FOR_EACH(step) step(0); step(1); step(2)
#define FREE_RING (!ring[0].live || !ring[1].live || !ring[2].live)
#endif

/* Rings, as they are in memory. */
typedef Ring {
    bool live;                  /* In the capture's list. */
    byte tail;
    byte last_time;
    bit busy;
    byte n_lost;
    byte head;
    bool retired;
    byte slot[SLOTS];           /* Batch number plus 1. */

    byte line[SLOTS];           /* Streaming stores that wait; 0: none. */
    byte owner;                 /* Whose they are. */
}
Ring ring[N];

/* Writers' buffers, and the ring that each writes to. */
mtype = { TAIL, LAST_TIME, BUSY, N_LOST, RETIRED };
chan buffer[N] = [SB] of { mtype, byte };
byte ring_of[N];
byte n_started, n_ended;
bool locked;                    /* The capture's mutex, by the digest. */

byte now = 1;
byte cut;                       /* Published. */
byte batch_time[N];             /* Read by the writer, not yet stored. */
hidden byte number[MAX_TIME];   /* For renumber(). */

/* For the assertions: of each batch that is not done with, what is known. */
mtype = { ANNOUNCED, PUBLISHED, LOST, DONE };
mtype state[NIDS];
byte time_of[NIDS];
byte ring_with[NIDS];
byte position[NIDS];            /* Its end; if lost, its number of these. */

inline read_clock(t)
{
    if
    :: now++
    :: skip
    fi;
    t = now
}

inline apply(w)
{
    if
    :: variable == TAIL -> ring[ring_of[w]].tail = value
    :: variable == LAST_TIME -> ring[ring_of[w]].last_time = value
    :: variable == BUSY -> ring[ring_of[w]].busy = value
    :: variable == N_LOST -> ring[ring_of[w]].n_lost = value
    :: variable == RETIRED -> ring[ring_of[w]].retired = value
    fi
}

inline drain_buffer(w)
{
    do
    :: buffer[w]?variable,value -> apply(w)
    :: empty(buffer[w]) -> break
    od;
    variable = 0;
    value = 0
}

inline drain_lines(r)
{
    value = 0;
    do
    :: value < SLOTS ->
       if
       :: ring[r].line[value] ->
          ring[r].slot[value] = ring[r].line[value];
          ring[r].line[value] = 0
       :: else
       fi;
       value++
    :: else -> break
    od;
    value = 0
}

/* Drains the lines of writer 'w', in whatever rings. */
inline drain_all_lines(w)
{
    ring_nr = 0;
    do
    :: ring_nr < N ->
       if
       :: ring[ring_nr].owner == w -> drain_lines(ring_nr)
       :: else
       fi;
       ring_nr++
    :: else -> break
    od;
    ring_nr = 0
}

/* Writers. */

/* Puts a store into the buffer. */
inline store(what, number_)
{
    if
    :: full(buffer[w]) ->
       buffer[w]?variable,value;
       apply(w);
       variable = 0;
       value = 0
    :: nfull(buffer[w])
    fi;
    buffer[w]!what,number_
}

/* Reads the clock and notes that batch 'id' exists. */
inline read_batch_time()
{
    atomic {
        read_clock(batch_time[w]);
        state[id] = ANNOUNCED;
        time_of[id] = batch_time[w];
        ring_with[id] = r;
        assert(time_of[id] > cut)                       /* G2 ever. */
    }
}

inline announce()
{
#ifdef MUTANT_CLOCK_BEFORE_ANNOUNCEMENT
    read_batch_time();
#endif
#if defined(FENCE) && !defined(MUTANT_NO_ANNOUNCE_FENCE)
    atomic { drain_buffer(w); ring[r].busy = 1 };
#else
    atomic { store(BUSY, 1) };
#endif
#ifndef MUTANT_CLOCK_BEFORE_ANNOUNCEMENT
    read_batch_time()
#endif
}

/* Stores 'last_time' and finds out how much room there is. */
inline look_for_room()
{
    store(LAST_TIME, batch_time[w]);
    batch_time[w] = 0;
    if
    :: tail + 2 > free_until -> free_until = ring[r].head + SLOTS
#ifdef HEAD_LATE
    :: tail + 2 > free_until
#endif
    :: else
    fi
}

inline store_slots()
{
    ring[r].line[(tail + 1) % SLOTS] = id + 1;
    ring[r].line[tail % SLOTS] = id + 1
}

inline publish_tail()
{
    store(TAIL, tail + 2);
    tail = tail + 2;
    state[id] = PUBLISHED;
    position[id] = tail
}

inline count_lost()
{
    n_lost++;
    store(N_LOST, n_lost);
    state[id] = LOST;
    position[id] = n_lost
}

inline conclude()
{
    store(BUSY, 0);
    id++
}

inline write_batch()
{
    announce();
    atomic { look_for_room() };
    if
    :: atomic { tail + 2 > free_until ->
#ifdef MUTANT_LOSS_LATE
                store(BUSY, 0) };
       atomic { count_lost(); id++ }
#else
                count_lost(); conclude() }
#endif
#ifdef MUTANT_TAIL_EARLY
    :: atomic { else -> publish_tail() };
       atomic { store_slots(); conclude() }
#else
    :: atomic { else -> store_slots() };
#ifdef MUTANT_WATERMARK_EARLY
       atomic { read_clock(batch_time[w]); store(LAST_TIME, batch_time[w]);
                batch_time[w] = 0 };
#endif
       atomic {
#if defined(FENCE) && !defined(MUTANT_NO_STORE_FENCE)
           drain_lines(r);
#endif
           publish_tail();
           conclude()
       }
#endif
    fi
}

/* Takes a ring's memory that is free: under the mutex, which drains the
 * thread's buffer. */
inline create_ring()
{
    drain_buffer(w);
    r = 0;
    do
    :: ring[r].live -> r++
    :: else -> break
    od;
    ring_of[w] = r;
    ring[r].owner = w;
    ring[r].live = true;
    free_until = SLOTS;
    n_started = MAX(n_started, w + 1)
}

inline retire()
{
    store(RETIRED, 1);
    tail = 0;
    free_until = 0;
    n_lost = 0
}

proctype writer(byte w)
{
    byte id = w * NB, end_id = (w + 1) * NB;
    byte r, tail, free_until, n_lost, value, ring_nr;
    mtype variable;

    /* Writers are alike: they start in order. */
    n_started == w;
    do
    :: atomic { !locked && FREE_RING -> create_ring() };
       do
       :: write_batch();
          if
          :: id < end_id
          :: break
          fi
       od;
       if
       :: atomic { id < end_id -> retire() }
       :: atomic { else -> retire(); id = 0; end_id = 0; r = 0; n_ended++;
                   break }
       fi
    od
}

/* The digest. */

/* Some of the stores that wait become visible before a load from ring 'r'. */
inline drain_some(r)
{
    if
    :: ring_of[ring[r].owner] == r ->
       do
       :: buffer[ring[r].owner]?variable,value -> apply(ring[r].owner)
       :: break
       od;
       variable = 0;
       value = 0
    :: else
    fi
}

/* Frees ring 'r' if it may, else takes it into the pass. */
inline reap(r)
{
    if
#ifdef MUTANT_REAPED_UNREAD
    :: ring[r].retired ->
#elif defined(MUTANT_REAPED_UNCOUNTED)
    :: ring[r].retired && ring[r].tail == ring[r].head ->
#else
    :: (ring[r].retired && ring[r].tail == ring[r].head
        && ring[r].n_lost == lost_seen[r]) ->
#endif
       do
       :: i < NIDS ->
          assert(state[i] == 0 || state[i] == DONE
                 || ring_with[i] != r);                 /* G4. */
          i++
       :: else -> break
       od;
       i = 0;
       ring[r].live = false;
       ring[r].tail = 0;
       ring[r].last_time = 0;
       ring[r].busy = 0;
       ring[r].n_lost = 0;
       ring[r].head = 0;
       ring[r].retired = false;
       visible[r] = 0;
       lost_seen[r] = 0;
       next[r] = 0;
       newest[r] = 0
    :: else -> listed[r] = true
    fi
}

#define REFRESH(r) \
    listed[r] = false; \
    if \
    :: ring[r].live -> drain_some(r); reap(r) \
    :: else \
    fi

inline refresh_rings()
{
    STEP(FOR_EACH(REFRESH))
}

#define LOAD(r, load) \
    STEP(if \
         :: listed[r] -> drain_some(r); load \
         :: else \
         fi)
#define LOOK_TIME(r) LOAD(r, bound[r] = ring[r].last_time)
#define LOOK_TAIL(r) LOAD(r, end[r] = ring[r].tail)
#ifdef MUTANT_LOOK_REVERSED
#define LOOK(r) TOGETHER(LOOK_TAIL(r); LOOK_TIME(r))
#else
#define LOOK(r) TOGETHER(LOOK_TIME(r); LOOK_TAIL(r))
#endif

/* Interrupts writer 'w'. */
inline interrupt(w)
{
    d_step {
        !(interrupted & (1 << w)) ->
        drain_buffer(w);
        drain_all_lines(w);
        interrupted = interrupted | (1 << w)
    }
}

inline barrier()
{
#if !defined(FENCE) && !defined(MUTANT_NO_BARRIER)
    do
    :: interrupt(0)
#if N > 1
    :: interrupt(1)
#endif
#if N > 2
    :: interrupt(2)
#endif
    :: atomic { interrupted == (1 << N) - 1 -> interrupted = 0; break }
    od;
#endif
    skip
}

#ifdef MUTANT_BUSY_IGNORED
#define IDLE(r) (ring[r].tail == end[r])
#elif defined(MUTANT_TAIL_IGNORED)
#define IDLE(r) (!busy)
#else
#define IDLE(r) (!busy && ring[r].tail == end[r])
#endif

#ifdef MUTANT_WATERMARK_INCLUSIVE
#define BOUND(r) bound[r]
#else
#define BOUND(r) (bound[r] == 0 -> 0 : bound[r] - 1)
#endif

/* The second half of mlog_ring_visible(): lowers 'new_cut' to what ring 'r'
 * can give. */
inline ring_visible(r)
{
#ifdef MUTANT_END_LATE
    end[r] = ring[r].tail;
#endif
    if
    :: !IDLE(r) -> new_cut = MIN(new_cut, BOUND(r))
    :: else
    fi;
    visible[r] = MAX(visible[r], new_cut);
    new_cut = visible[r];
    do
    :: i < NIDS ->
       assert(state[i] == 0 || state[i] == DONE || ring_with[i] != r
              || time_of[i] > visible[r]
              || (state[i] == PUBLISHED && position[i] <= end[r])
              || (state[i] == LOST
                  && position[i] <= ring[r].n_lost));   /* G2. */
       i++
    :: else -> break
    od;
    i = 0;
    busy = 0;
    bound[r] = 0
}

#define VISIBLE(r) \
    TOGETHER(LOAD(r, busy = ring[r].busy); LOAD(r, ring_visible(r)))

/* Sets 'oldest' to the ring with the oldest batch up to 'new_cut', N if there
 * is none, and 'batch' to what its batch slot says. */
inline oldest_ring()
{
    d_step {
        oldest = N;
        t = new_cut;
        do
        :: r < N ->
           if
           :: listed[r] && next[r] != end[r] ->
              i = ring[r].slot[next[r] % SLOTS];
              assert(i != 0 && !ring[r].line[next[r] % SLOTS]);
              i--;
              assert(state[i] == PUBLISHED && ring_with[i] == r);
                                                        /* G3 whole. */
              if
              :: time_of[i] < t || (time_of[i] == t && oldest == N) ->
                 t = time_of[i];
                 oldest = r;
                 batch = i
              :: else
              fi
           :: else
           fi;
           r++
        :: else -> break
        od;
        r = 0;
        i = 0;
        t = 0
    }
}

#define GIVE_BACK(r) \
    atomic { \
        if \
        :: listed[r] -> ring[r].head = next[r] \
        :: else \
        fi \
    }

inline digest_batch()
{
#ifdef MUTANT_HEAD_EARLY
    ring[oldest].head = next[oldest] + 2;
#endif
    d_step {
        i = next[oldest] % SLOTS;
        assert(ring[oldest].slot[i] == batch + 1 && !ring[oldest].line[i]
               && ring[oldest].slot[i + 1] == batch + 1
               && !ring[oldest].line[i + 1]);           /* G3 whole. */
        assert(batch + 1 > newest[oldest]
               && position[batch] == next[oldest] + 2); /* G1 order. */
        newest[oldest] = batch + 1;
        state[batch] = DONE;
        time_of[batch] = 0;
        ring_with[batch] = 0;
        position[batch] = 0;
        batch = 0;
        i = 0;
        next[oldest] = next[oldest] + 2
    }
}

inline ring_lost(r)
{
    lost_seen[r] = ring[r].n_lost;
    end[r] = 0;
    do
    :: i < NIDS ->
       if
       :: (state[i] == LOST && ring_with[i] == r
           && position[i] <= lost_seen[r]) ->
          state[i] = DONE;
          time_of[i] = 0;
          ring_with[i] = 0;
          position[i] = 0
       :: else
       fi;
       i++
    :: else -> break
    od;
    i = 0
}

#define COLLECT_LOSSES(r) LOAD(r, ring_lost(r))

#define USE(t) number[t] = (t > cut)

/* Renumbers times: those up to the cut become 0, those after it count from 1
 * without gaps. */
inline renumber()
{
    assert(now < MAX_TIME);
    do
    :: i <= now -> number[i] = 0; i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < NIDS -> USE(time_of[i]); i++
    :: else -> break
    od;
    do
    :: r < N ->
       USE(ring[r].last_time);
       USE(batch_time[r]);
       USE(visible[r]);
       i = len(buffer[r]);
       do
       :: i > 0 ->
          buffer[r]?variable,t;
          if
          :: variable == LAST_TIME -> USE(t)
          :: else
          fi;
          buffer[r]!variable,t;
          i--
       :: else -> break
       od;
       r++
    :: else -> break
    od;
    USE(now);
    i = 0;
    t = 0;
    do
    :: i <= now ->
       if
       :: number[i] -> t++; number[i] = t
       :: else
       fi;
       i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < NIDS -> time_of[i] = number[time_of[i]]; i++
    :: else -> break
    od;
    r = 0;
    do
    :: r < N ->
       ring[r].last_time = number[ring[r].last_time];
       batch_time[r] = number[batch_time[r]];
       visible[r] = number[visible[r]];
       i = len(buffer[r]);
       do
       :: i > 0 ->
          buffer[r]?variable,t;
          if
          :: variable == LAST_TIME -> t = number[t]
          :: else
          fi;
          buffer[r]!variable,t;
          i--
       :: else -> break
       od;
       r++
    :: else -> break
    od;
    now = number[now];
    cut = 0;
    variable = 0;
    i = 0;
    r = 0;
    t = 0
}

inline publish()
{
    d_step {
        cut = MAX(cut, new_cut);
        do
        :: i < NIDS ->
           assert(state[i] == 0 || state[i] == DONE
                  || time_of[i] > cut);                 /* G8. */
           i++
        :: else -> break
        od;
        i = 0;
        new_cut = 0;
        oldest = 0;
        renumber()
    }
}

inline consume()
{
    do
    :: oldest_ring();
       if
       :: oldest < N -> digest_batch()
       :: else -> break
       fi
    od
}

inline pass()
{
#ifdef MUTANT_BARRIER_FIRST
    barrier();
#endif
#ifndef MUTANT_RING_MISSED
    locked = true;
#endif
    TOGETHER(refresh_rings());
    FOR_EACH(LOOK);
    atomic { read_clock(new_cut) };
    atomic { locked = false; now++ };
#ifndef MUTANT_BARRIER_FIRST
    barrier();
#endif
    FOR_EACH(VISIBLE);
    TOGETHER(consume());
    TOGETHER(FOR_EACH(COLLECT_LOSSES); publish());
    FOR_EACH(GIVE_BACK)
}

#define END(w) drain_buffer(w); drain_all_lines(w)

active proctype digest()
{
    byte end[N], bound[N];      /* See mlog-capture.h. */
    byte visible[N], lost_seen[N];
    byte next[N];
    byte newest[N];             /* Batch consumed last, plus 1. */
    bool listed[N];             /* In the pass. */
    byte r, i, t, value, ring_nr, new_cut, oldest, batch, interrupted;
    bit busy;
    mtype variable;

    atomic {
        run writer(0);
#if N > 1
        run writer(1);
#endif
#if N > 2
        run writer(2);
#endif
        skip
    };
    do
    :: pass()
    :: n_ended == N -> break
    od;

    /* One more pass when all have ended, and all is accounted for. */
    atomic { FOR_EACH(END) };
    pass();
    refresh_rings();
    d_step {
        do
        :: r < N -> assert(!ring[r].live); r++          /* G4. */
        :: else -> break
        od
    }
}
