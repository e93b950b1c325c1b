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
 * Rings, segments and the commit are in memory that outlives the process.  A
 * pass takes records from the rings without giving slots back, appends rows to
 * the open segment beyond the committed number, and commits: it fills the
 * commit slot that is not in use, then stores the commit's number, which is
 * the single step that counts.  Only then it stores 'head' of each ring, which
 * gives the slots back to the writers, and uses memory of expired segments
 * again.  A process that starts takes the last commit, forgets rows and
 * segments beyond it, and digests the rings from the committed heads up to
 * their tails, before new writers use them.
 *
 * What is modelled
 * ----------------
 *
 *   Writers   one per ring, of RING slots, each record a slot: fills the slot,
 *             then stores the tail.  If the ring is full, the record is lost.
 *
 *   Digest    passes of any length, segments of SEG_ROWS rows of which at most
 *             2 are kept, the commit in steps of one field each.
 *
 *   Crashes   up to NCRASH, at any step of anybody, those of the recovery
 *             included.  All of a thread's stores up to that step survive, and
 *             none after it: the interrupt that ends a thread drains its
 *             buffers, and memory outlives it.  (That is kill -9, not a power
 *             failure.)
 *
 * What is abstracted: times, and the order in which rings are merged; flows,
 * which a segment has with it; what is computed from rows.  Positions in
 * rings go on counting when a ring is taken over.
 *
 * What is checked
 * ---------------
 *
 *   G12  "G12": when recovery has committed, each record whose tail was
 *        stored before the crash is in the log exactly once, or has expired,
 *        and no other record is.  So, too, at rest.
 *   G13  "G13": records of a ring are in the log in order.
 *
 * Options: -DR= rings, -DNB= records of each, -DRING= slots, -DSEG_ROWS=,
 * -DNCRASH=; -DMUTANT_... leaves something out that must be there
 * (tests/model/run has the list). */

#ifndef R
#define R 2
#endif
#ifndef NB
#define NB 2
#endif
#ifndef RING
#define RING 1
#endif
#ifndef SEG_ROWS
#define SEG_ROWS 1
#endif
#ifndef NCRASH
#define NCRASH 2
#endif

#define NIDS (R * NB)
#define MIN_SEGMENTS 2
#define NCELLS (2 * MIN_SEGMENTS + 1)
#define NONE 255

#if R == 1
#define FOR_EACH(step) step(0)
#else
#define FOR_EACH(step) step(0); step(1)
#endif

/* Memory that survives. */
typedef Ring {
    byte head;
    byte tail;
    byte slot[RING];            /* Record number plus 1. */
}
Ring ring[R];

typedef Cell {
    byte seq;                   /* 0: was never used. */
    byte row[SEG_ROWS];
}
Cell cell[NCELLS];

typedef Commit {
    byte open_seq;              /* 0: no segment yet. */
    byte oldest_seq;
    byte n_rows;                /* Of the open segment. */
    byte head[R];
}
Commit commit[2];
byte commit_nr;                 /* Number modulo 2. */

/* The rest is gone after a crash. */
bool crashed;
byte n_crashes;
bool recovered;
byte n_alive;
byte n_written;                 /* Writers that are through. */

/* For the assertions. */
bool published[NIDS];
bool expired[NIDS];             /* By a segment that a commit left out. */
byte next_id[R];                /* Writers' next records. */

proctype writer(byte w)
{
    byte tail;

    {
        recovered;
        tail = ring[w].tail;
        do
        :: next_id[w] < NB ->
           if
           :: ring[w].tail - ring[w].head < RING ->
              ring[w].slot[tail % RING] = w * NB + next_id[w] + 1;
              d_step {
                  tail++;
                  ring[w].tail = tail;
                  published[w * NB + next_id[w]] = true;
                  next_id[w]++
              }
           :: ring[w].tail - ring[w].head == RING -> next_id[w]++
           fi
        :: next_id[w] == NB -> break
        od;
        atomic { tail = 0; n_written++ };
        false
    } unless {
        crashed
    };
    atomic { n_alive-- }
}

/* The digest. */

/* Takes a free cell, the first or the last, for a new open segment.  The cells that the last commit
 * has, and those that the digest has, are not free. */
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
        open_seq++;
        n_rows = 0;
        c = 0
    };
    cell[open].seq = open_seq;
    if
    :: open_seq - oldest_seq >= MIN_SEGMENTS ->
       oldest_seq++;
#ifdef MUTANT_RECYCLE_EARLY
       reclaim()
#endif
    :: else
    fi
}

/* What is in a free cell doesn't matter. */
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

inline digest_record(r)
{
    if
    :: open_seq == 0 || n_rows == SEG_ROWS -> open_segment()
    :: else
    fi;
    d_step {
        cell[open].row[n_rows] = ring[r].slot[head[r] % RING];
        head[r] = head[r] + 1;
        n_rows++
    };
#ifdef MUTANT_HEAD_AT_ONCE
    ring[r].head = head[r];
#endif
    skip
}

/* Digests what is in ring 'r', or a part of it. */
#define DIGEST(r) \
    do \
    :: head[r] < ring[r].tail -> digest_record(r) \
    :: !recovering || head[r] >= ring[r].tail -> break \
    od

#if R == 1
#define WORK (head[0] < ring[0].tail)
#else
#define WORK (head[0] < ring[0].tail || head[1] < ring[1].tail)
#endif

#define GIVE_BACK(r) ring[r].head = head[r]

#define CLEAR_HEAD(r) commit[commit_nr].head[r] = 0
#define COMMIT_HEAD(r) commit[nr].head[r] = head[r]

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

inline store_number(nr)
{
    d_step {
        if
        :: commit_nr != nr ->
           /* What is in the slot that isn't in use any more doesn't matter. */
           commit[commit_nr].open_seq = 0;
           commit[commit_nr].n_rows = 0;
           commit[commit_nr].oldest_seq = 0;
           FOR_EACH(CLEAR_HEAD)
        :: else
        fi;
        commit_nr = nr;
        note_expired()
    }
}


inline commit_pass()
{
#ifdef MUTANT_ONE_SLOT
    nr = commit_nr;
#else
    nr = 1 - commit_nr;
#endif
#ifdef MUTANT_NUMBER_FIRST
    store_number(nr);
#endif
    commit[nr].open_seq = open_seq;
    commit[nr].n_rows = n_rows;
    commit[nr].oldest_seq = oldest_seq;
    FOR_EACH(COMMIT_HEAD);
#ifndef MUTANT_NUMBER_FIRST
    store_number(nr);
#endif
    nr = 0
}

inline pass()
{
    FOR_EACH(DIGEST);
#ifdef MUTANT_HEAD_FIRST
    FOR_EACH(GIVE_BACK);
    commit_pass();
#else
    commit_pass();
    FOR_EACH(GIVE_BACK);
#endif
    reclaim()
}

#ifdef MUTANT_REPLAY_FROM_HEAD
#define TAKE_HEAD(r) head[r] = ring[r].head
#else
#define TAKE_HEAD(r) head[r] = commit[commit_nr].head[r]
#endif
#define RESET(r) ring[r].head = 0; ring[r].tail = 0; head[r] = 0

/* Finds out what the last commit says is there. */
inline load()
{
    open_seq = commit[commit_nr].open_seq;
    oldest_seq = commit[commit_nr].oldest_seq;
    n_rows = commit[commit_nr].n_rows;
    FOR_EACH(TAKE_HEAD);
#if !defined(MUTANT_NO_DISCARD) && !defined(MUTANT_STALE_SEGMENT)
    /* Segments that were begun after the commit must not turn up again. */
    do
    :: c < NCELLS ->
       cell[c].seq = (cell[c].seq > open_seq -> 0 : cell[c].seq);
       c++
    :: else -> break
    od;
#endif
#ifdef MUTANT_NO_DISCARD
    /* Segments that were begun after the commit stay. */
    do
    :: c < NCELLS ->
       if
       :: cell[c].seq > open_seq ->
          open_seq = cell[c].seq;
          n_rows = SEG_ROWS
       :: else
       fi;
       c++
    :: else -> break
    od;
#endif
    c = 0;
    d_step {
        do
        :: c < NCELLS ->
           used[c] = (cell[c].seq >= oldest_seq && cell[c].seq <= open_seq
                      && cell[c].seq != 0);
           if
           :: cell[c].seq == open_seq && open_seq != 0 -> open = c
           :: else
           fi;
           c++
        :: else -> break
        od;
        c = 0
    };
#ifdef MUTANT_NO_TRUNCATE
    /* Rows that were appended after the commit stay. */
    do
    :: open != NONE && n_rows < SEG_ROWS ->
       if
       :: cell[open].row[n_rows] != 0 -> n_rows++
       :: else -> break
       fi
    :: else -> break
    od;
#endif
    i = 0
}

/* How often the log has record 'i': 'count'. */
inline count_rows()
{
    count = 0;
    c = 0;
    do
    :: c < NCELLS ->
       j = 0;
       do
       :: j < SEG_ROWS ->
          count = count + (used[c] && cell[c].row[j] == i + 1
                           && (c != open || j < n_rows));
          j++
       :: else -> break
       od;
       c++
    :: else -> break
    od;
    c = 0;
    j = 0
}

/* In order: no row comes after one with a greater number of its ring. */
inline check_order()
{
    nr = oldest_seq;
    do
    :: nr <= open_seq && open_seq != 0 ->
       c = 0;
       do
       :: c < NCELLS ->
          if
          :: used[c] && cell[c].seq == nr -> break
          :: else -> c++
          fi
       :: else -> break
       od;
       assert(c < NCELLS);                              /* G12. */
       j = 0;
       do
       :: j < SEG_ROWS && (c != open || j < n_rows) ->
          assert(cell[c].row[j] != 0);                  /* G12. */
          i = (cell[c].row[j] - 1) / NB;
          assert(cell[c].row[j] > newest[i]);           /* G13. */
          newest[i] = cell[c].row[j];
          j++
       :: else -> break
       od;
       nr++
    :: else -> break
    od;
    newest[0] = 0;
#if R > 1
    newest[1] = 0;
#endif
    nr = 0;
    c = 0;
    j = 0;
    i = 0
}

inline check()
{
    atomic {
        check_order();
        do
        :: i < NIDS ->
           count_rows();
           assert(count == (published[i] && !expired[i]));      /* G12. */
           i++
        :: else -> break
        od;
        i = 0;
        count = 0
    }
}

proctype digest()
{
    byte open = NONE, open_seq, oldest_seq, n_rows;
    byte head[R], newest[R];
    bool used[NCELLS];
    bool recovering = true;
    byte c, i, j, nr, count;

    {
        load();
#ifdef MUTANT_RING_RESET
        FOR_EACH(RESET);
#endif
        pass();
        check();
#ifdef MUTANT_RING_RESET_LATER
        FOR_EACH(RESET);
#endif
        atomic { recovering = false; recovered = true };
        do
        :: WORK -> pass()
        :: n_written == R -> break
        od;
        recovering = true;
        pass();
        check();
        atomic { recovering = false; n_written++ };
        false
    } unless {
        crashed
    };
    atomic { n_alive-- }
}

inline start()
{
    atomic {
        recovered = false;
        n_written = 0;
        n_alive = R + 1;
        run digest();
        run writer(0);
#if R > 1
        run writer(1);
#endif
        skip
    }
}

init
{
    atomic { commit[0].oldest_seq = 1; commit[1].oldest_seq = 1; start() };
    do
    :: n_crashes < NCRASH ->
       atomic { crashed = true; n_crashes++ };
       n_alive == 0;
       atomic { crashed = false; start() }
    :: atomic { n_written == R + 1 -> break }
    od;
    /* All is written and checked. */
    atomic { crashed = true };
    n_alive == 0
}
