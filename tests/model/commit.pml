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


/* What survives kill -9
 * =====================
 *
 * Rings, segments and the state are in files that outlive the process.  A pass
 * takes records from the rings without giving slots back, appends rows to the
 * open segment beyond the committed number, and commits: it fills the commit
 * that is not the latest, then stores its number, which is the single step
 * that counts.  Only then it stores 'head' of each ring, which gives the slots
 * back to the writers, and frees expired segments.  A process that starts
 * takes the latest commit, forgets rows and segments beyond it, and digests
 * the rings of the earlier process from the committed heads up to their tails.
 * Modelled after lib/mlog-state.[ch], mlog_capture_create_ring(),
 * mlog_capture_recover() and mlog_ring_reap() of lib/mlog-capture.c,
 * mlog_header_log_recover() of lib/mlog-header-log.c, mlog_segment_tidy__() of
 * lib/mlog-segment.c, and commit() of lib/mlog-digest.c.
 *
 * What is modelled
 * ----------------
 *
 *   Rings     in the PLACES places that there are for them, with an identifier
 *             that is stored last when one is made; 0: no ring.  Writers of
 *             each process make their own; those of earlier processes are
 *             freed when they are consumed.
 *
 *   Writers   NW of them, each with a ring of RING slots, each record a slot:
 *             fills the slot, then stores the tail.  If the ring is full, the
 *             record is lost.  Sooner or later they retire their ring and end.
 *
 *   Digest    passes of any length, older rings first; segments of SEG_ROWS
 *             rows of which at most 2 are kept; the commit in steps of one
 *             field each.  Files of segments are cells here, any of which may
 *             become the next segment's when it is free.
 *
 *   Crashes   up to NCRASH, at any step of anybody, those of the recovery
 *             included.  All of a thread's stores up to that step survive, and
 *             none after it: the interrupt that ends a thread drains its
 *             buffers, and memory outlives it.  (That is kill -9, not a power
 *             failure.)
 *
 * What is abstracted: times, flows, which a segment has with it, counters of
 * losses, what is computed from rows, sealing and archiving, and files that
 * are damaged.
 *
 * What is checked
 * ---------------
 *
 *   G9   "G9": when what an earlier process has left is digested, each record
 *        whose tail it had stored is in the log exactly once, or has expired,
 *        and no other record is; those of a writer are in order.  So, too, at
 *        rest.
 *
 * Options: -DNW= writers, -DNB= records of each, -DRING= slots, -DSEG_ROWS=,
 * -DNCRASH=; -DMUTANT_... leaves something out that must be there
 * (tests/model/run has the list). */

#ifndef NW
#define NW 1
#endif
#ifndef NB
#define NB 3
#endif
#ifndef RING
#define RING 2
#endif
#ifndef SEG_ROWS
#define SEG_ROWS 2
#endif
#ifndef NCRASH
#define NCRASH 2
#endif

#define NIDS (NW * NB)
#define PLACES (2 * NW)
#define MIN_SEGMENTS 2
#define NCELLS (2 * MIN_SEGMENTS + 1)
#define NONE 255

#define MAX(a, b) ((a) > (b) -> (a) : (b))

#if PLACES == 2
#define FOR_EACH(step) step(0); step(1)
#define FOR_ANY(p) (p(0) || p(1))
#else
#define FOR_EACH(step) step(0); step(1); step(2); step(3)
#define FOR_ANY(p) (p(0) || p(1) || p(2) || p(3))
#endif

#define IS_FREE(p) ring[p].id == 0
#define FREE_PLACE FOR_ANY(IS_FREE)

/* Files. */
typedef Ring {
    byte id;
    byte head;
    byte tail;
    byte slot[RING];            /* Record number plus 1. */
}
Ring ring[PLACES];

typedef Cell {
    byte seq;                   /* 0: no segment. */
    byte row[SEG_ROWS];
}
Cell cell[NCELLS];

typedef Commit {
    byte open_seq;
    byte oldest_seq;
    byte n_rows;                /* Of the open segment; 0: it isn't there. */
    byte id[PLACES];
    byte head[PLACES];
}
Commit commit[2];
bit committed;                  /* Number modulo 2. */

/* The rest is gone after a crash. */
bool crashed;
byte n_crashes;
bool ready;                     /* Rings are recovered. */
bool locked;                    /* The capture's mutex. */
bool retired[PLACES];
byte last_id;
byte n_alive;
byte n_written;                 /* Writers that are through; the digest. */

/* For the assertions. */
bool published[NIDS];
bool expired[NIDS];             /* By a segment that a commit left out. */
byte next_id[NW];               /* Writers' next records. */

/* Writers. */

/* mlog_capture_create_ring(). */
inline create_ring()
{
    atomic { ready && !locked && FREE_PLACE -> locked = true };
    d_step {
        do
        :: ring[p].id != 0 -> p++
        :: else -> break
        od;
        retired[p] = false;
        last_id++
    };
#ifdef MUTANT_RING_ID_FIRST
    ring[p].id = last_id;
    ring[p].tail = 0;
    ring[p].head = 0;
#else
    ring[p].tail = 0;
    ring[p].head = 0;
    ring[p].id = last_id;
#endif
    locked = false
}

proctype writer(byte w)
{
    byte tail, p;

    {
        if
        :: next_id[w] < NB ->
           create_ring();
           do
           :: next_id[w] < NB ->
              if
              :: tail - ring[p].head < RING ->
                 ring[p].slot[tail % RING] = w * NB + next_id[w] + 1;
                 d_step {
                     tail++;
                     ring[p].tail = tail;
                     published[w * NB + next_id[w]] = true;
                     next_id[w]++
                 }
              :: tail - ring[p].head == RING -> next_id[w]++
              fi
           :: break
           od;
           retired[p] = true
        :: next_id[w] == NB
        fi;
        atomic { tail = 0; p = 0; n_written++ };
        false
    } unless {
        crashed
    };
    atomic { n_alive-- }
}

/* The digest. */

/* What is in a cell that is free doesn't matter. */
inline clear_cell()
{
    cell[c].seq = 0;
    i = 0;
    do
    :: i < SEG_ROWS -> cell[c].row[i] = 0; i++
    :: else -> break
    od;
    i = 0
}

/* Frees the cells of segments that have expired. */
inline reclaim()
{
    atomic {
        c = 0;
        do
        :: c < NCELLS ->
           if
           :: cell[c].seq < oldest_seq -> used[c] = false; clear_cell()
           :: else
           fi;
           c++
        :: else -> break
        od;
        c = 0
    }
}

/* Takes a cell, the first or the last that is free, for a new segment.  Those
 * that the latest commit has, and those that the digest has, are not free. */
inline open_segment()
{
    atomic {
        if
        :: c = 0;
           do
           :: used[c] -> c++
           :: !used[c] -> break
           od
        :: c = NCELLS - 1;
           do
           :: used[c] -> c--
           :: !used[c] -> break
           od
        fi;
        open = c;
        used[open] = true;
        n_rows = 0;
        c = 0
    };
    cell[open].seq = next_seq;
    next_seq++;
    if
    :: next_seq - oldest_seq > MIN_SEGMENTS ->
       oldest_seq++;
#ifdef MUTANT_SEGMENTS_BEFORE_COMMIT
       reclaim()
#endif
    :: else
    fi
}

#define OLDER(p, q) (q == NONE || ring[p].id < ring[q].id)
#define NEXT_RING(p) \
    if \
    :: listed[p] && next[p] < end[p] && OLDER(p, place) -> place = p \
    :: else \
    fi

/* Sets 'place' to the oldest ring that has something, or NONE. */
inline next_ring()
{
    d_step {
        place = NONE;
        FOR_EACH(NEXT_RING)
    }
}

inline digest_record()
{
    if
    :: open == NONE || n_rows == SEG_ROWS -> open_segment()
    :: else
    fi;
    d_step {
        cell[open].row[n_rows] = ring[place].slot[next[place] % RING];
        next[place] = next[place] + 1;
        n_rows++
    };
#ifdef MUTANT_HEAD_AT_ONCE
    ring[place].head = next[place];
#endif
    skip
}

/* Segments that the commit leaves out are gone. */
inline note_expired()
{
    do
    :: c < NCELLS ->
       do
       :: i < SEG_ROWS ->
          if
          :: (cell[c].seq != 0 && cell[c].seq < oldest_seq
              && cell[c].row[i] != 0) ->
             expired[cell[c].row[i] - 1] = true
          :: else
          fi;
          i++
       :: else -> break
       od;
       i = 0;
       c++
    :: else -> break
    od;
    c = 0
}

#define CLEAR(p) commit[committed].id[p] = 0; commit[committed].head[p] = 0
#define COMMIT_RING(p) \
    d_step { \
        commit[nr].id[p] = (listed[p] -> ring[p].id : 0); \
        commit[nr].head[p] = (listed[p] -> next[p] : 0) \
    }
#define GIVE_BACK(p) ring[p].head = (listed[p] -> next[p] : ring[p].head)

/* The number of the commit is stored.  What is in the other one doesn't matter
 * any more. */
inline store_number()
{
    d_step {
        if
        :: committed != nr ->
           commit[committed].open_seq = 0;
           commit[committed].n_rows = 0;
           commit[committed].oldest_seq = 0;
           FOR_EACH(CLEAR)
        :: else
        fi;
        committed = nr;
        note_expired()
    }
}

inline commit_pass()
{
#ifdef MUTANT_ONE_COMMIT
    nr = committed;
#else
    nr = 1 - committed;
#endif
#ifdef MUTANT_COMMIT_UNFINISHED
    store_number();
#endif
    commit[nr].open_seq = (open == NONE -> next_seq : next_seq - 1);
    commit[nr].n_rows = n_rows;
    commit[nr].oldest_seq = oldest_seq;
    FOR_EACH(COMMIT_RING);
#ifndef MUTANT_COMMIT_UNFINISHED
    store_number();
#endif
    nr = 0
}

/* Something to consume, or a ring to be freed. */
#define HAS_WORK(p) \
    (ring[p].id != 0 \
     && (ring[p].tail > next[p] || (retired[p] && ring[p].tail == next[p])))
#define WORK FOR_ANY(HAS_WORK)

/* Frees rings that are retired and consumed, lists the others, and looks. */
#define REFRESH(p) \
    if \
    :: ring[p].id != 0 && retired[p] && ring[p].tail == ring[p].head -> \
       ring[p].id = 0; \
       listed[p] = false; \
       next[p] = 0; \
       end[p] = 0 \
    :: else -> \
       next[p] = (listed[p] -> next[p] : 0); \
       listed[p] = (ring[p].id != 0); \
       end[p] = (listed[p] -> ring[p].tail : 0) \
    fi

inline pass()
{
    atomic { !locked -> FOR_EACH(REFRESH) };
    do
    :: next_ring();
       if
       :: place != NONE -> digest_record()
       :: place == NONE || !recovering -> break
       fi
    od;
    place = NONE;
#ifdef MUTANT_HEAD_BEFORE_COMMIT
    FOR_EACH(GIVE_BACK);
    commit_pass();
#else
    commit_pass();
    FOR_EACH(GIVE_BACK);
#endif
    reclaim()
}

/* Recovery. */

#ifdef MUTANT_REPLAY_FROM_HEAD
#define COMMITTED_HEAD(p) ring[p].head
#else
#define COMMITTED_HEAD(p) \
    (commit[committed].id[p] == ring[p].id -> commit[committed].head[p] : 0)
#endif

#ifdef MUTANT_RING_ID_REUSED
#define LAST_ID(p) ring[p].id
#else
#define LAST_ID(p) MAX(ring[p].id, commit[committed].id[p])
#endif

#ifdef MUTANT_RING_NOT_REPLAYED
#define END(p) next[p]
#else
#define END(p) ring[p].tail
#endif

/* A ring of the earlier process. */
#define RECOVER_RING(p) \
    d_step { \
        last_id = MAX(last_id, LAST_ID(p)); \
        if \
        :: ring[p].id != 0 -> \
           next[p] = COMMITTED_HEAD(p); \
           ring[p].head = next[p]; \
           ring[p].tail = END(p); \
           retired[p] = true; \
           listed[p] = true \
        :: else \
        fi \
    }

/* mlog_segment_tidy__(): segments beyond the commit must not turn up again. */
inline tidy()
{
    do
    :: d_step {
           c < NCELLS ->
           if
           :: (cell[c].seq < oldest_seq || cell[c].seq > open_seq
               || (cell[c].seq == open_seq && n_rows == 0)) -> clear_cell()
           :: else
           fi;
           c++
       }
    :: atomic { c == NCELLS -> c = 0; break }
    od
}

/* Takes up what the latest commit says is there. */
inline recover()
{
    FOR_EACH(RECOVER_RING);
    atomic {
        open_seq = commit[committed].open_seq;
        oldest_seq = commit[committed].oldest_seq;
        n_rows = commit[committed].n_rows
    };
#ifndef MUTANT_SEGMENTS_LEFT
    tidy();
#endif
#ifdef MUTANT_ROWS_AFTER_COMMIT
    /* Rows that were appended after the commit stay. */
    atomic {
        do
        :: c < NCELLS ->
           if
           :: cell[c].seq == open_seq && n_rows != 0 ->
              do
              :: n_rows < SEG_ROWS ->
                 if
                 :: cell[c].row[n_rows] != 0 -> n_rows++
                 :: else -> break
                 fi
              :: else -> break
              od
           :: else
           fi;
           c++
        :: else -> break
        od;
        c = 0
    };
#endif
    atomic {
        next_seq = open_seq + (n_rows > 0);
        do
        :: c < NCELLS ->
           used[c] = (cell[c].seq >= oldest_seq && cell[c].seq < next_seq);
           open = (n_rows > 0 && cell[c].seq == open_seq -> c : open);
           c++
        :: else -> break
        od;
        c = 0;
        open_seq = 0
    }
}

/* How often the log has record 'i': 'count'. */
inline count_rows()
{
    count = 0;
    do
    :: c < NCELLS ->
       do
       :: j < SEG_ROWS ->
          count = count + (used[c] && cell[c].row[j] == i + 1
                           && (c != open || j < n_rows));
          j++
       :: else -> break
       od;
       j = 0;
       c++
    :: else -> break
    od;
    c = 0
}

/* In order: no row comes after one with a greater number of its writer. */
inline check_order()
{
    nr = oldest_seq;
    do
    :: nr < next_seq ->
       c = 0;
       do
       :: c < NCELLS ->
          if
          :: used[c] && cell[c].seq == nr -> break
          :: else -> c++
          fi
       :: else -> break
       od;
       assert(c < NCELLS);                              /* G9. */
       j = 0;
       do
       :: j < SEG_ROWS && (c != open || j < n_rows) ->
          assert(cell[c].row[j] != 0);                  /* G9. */
          i = (cell[c].row[j] - 1) / NB;
          assert(cell[c].row[j] > newest[i]);           /* G9. */
          newest[i] = cell[c].row[j];
          j++
       :: else -> break
       od;
       nr++
    :: else -> break
    od;
    newest[0] = 0;
#if NW > 1
    newest[1] = 0;
#endif
    nr = 0;
    c = 0;
    j = 0;
    i = 0
}

/* Records that are 'old' must be there. */
inline check()
{
    d_step {
        check_order();
        do
        :: i < NIDS ->
           count_rows();
           assert(count == (published[i] && !expired[i])
                  || (count == 0 && !old[i]));          /* G9. */
           i++
        :: else -> break
        od;
        i = 0;
        count = 0
    }
}

/* Remembers what was published before. */
inline remember()
{
    d_step {
        do
        :: i < NIDS -> old[i] = published[i]; i++
        :: else -> break
        od;
        i = 0
    }
}

inline forget()
{
    d_step {
        do
        :: i < NIDS -> old[i] = false; i++
        :: else -> break
        od;
        i = 0
    }
}

proctype digest()
{
    byte open = NONE, open_seq, next_seq, oldest_seq, n_rows;
    byte next[PLACES], end[PLACES];
    bool listed[PLACES];
    bool used[NCELLS];
    byte newest[NW];
    bool old[NIDS];
    bool recovering = true;
    byte place = NONE, c, i, j, nr, count;

    {
        remember();
        recover();
        ready = true;
        pass();
        atomic { check(); forget(); recovering = false };
        do
        :: WORK -> pass()
        :: n_written == NW -> break
        od;
        recovering = true;
        pass();
        atomic { remember(); check(); forget(); n_written++ };
        false
    } unless {
        crashed
    };
    atomic { n_alive-- }
}

inline start()
{
    atomic {
        ready = false;
        locked = false;
        last_id = 0;
        n_written = 0;
        n_alive = NW + 1;
        run digest();
        run writer(0);
#if NW > 1
        run writer(1);
#endif
        skip
    }
}

init
{
    atomic { commit[0].open_seq = 1; commit[0].oldest_seq = 1; start() };
    do
    :: n_crashes < NCRASH ->
       atomic { crashed = true; n_crashes++ };
       n_alive == 0;
       atomic { crashed = false; start() }
    :: atomic { n_written == NW + 1 -> break }
    od;
    /* All is written and checked. */
    crashed = true;
    n_alive == 0
}
