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

/* The header log and what belongs to it
 * =====================================
 *
 * The digest appends what a pass has taken from the rings, and publishes;
 * readers take snapshots and read.  Modelled after lib/mlog-header-log.[ch],
 * lib/mlog-snapshot.c, lib/mlog-flow-table.[ch], and the functions pass(),
 * append(), lock_at_cut() and mlog_digest_lock() of lib/mlog-digest.c, whose
 * names are used here.
 *
 * What is modelled
 * ----------------
 *
 *   Records   each of any of 3 flows.  That a pass gets exactly those up to
 *             its cut is what capture.pml shows, so here it is given: a pass
 *             takes the next ones, 1 to PASS_ROWS of them.
 *
 *   Time      in nanoseconds, coarser than ticks: a record that comes after a
 *             cut may have the same time as the cut.  Otherwise records of a
 *             pass have one time.
 *
 *   Segments  of SEG_ROWS rows, in cells of memory.  At most 2 are kept; the
 *             oldest expires and is a zombie until the digest finds it without
 *             pins, or has taken it away from its readers, which it may after
 *             any time.  Then its cell is used again.  A pass is no longer
 *             than a segment.
 *
 *   Sealing   (with -DSEAL, then without the stream) a thread copies full
 *             segments that are committed to another cell, which takes their
 *             place.
 *
 *   Flow table  A flow has a reference from each segment with rows of it, and
 *             gives its index up with the last.  An index is used again for
 *             any flow.  A row has the number of its flow in its segment's
 *             list.
 *
 *   Stream    A filter that the first flow matches, and an alert when it has
 *             counted ALERT records.
 *
 *   Readers   NR of them, each at any time: waits for a cut, takes a
 *             snapshot, segment by segment, and later reads any one row of it,
 *             unless the segment was taken away; or locks the digest out and
 *             reads the stream, too.
 *
 * What is abstracted: the digest's stores become visible in its program's
 * order (release stores and locks, on x86 any store), so there are no buffers;
 * a lost release is a store in the wrong order.  Where order between a store
 * and a load matters, in enter() and revoke(), the code says seq_cst; a mutant
 * lacks it.  The hash index of the flow table is the digest's alone, hence a
 * search.  A reader makes the pass itself that it waits for.  What sealing
 * does to rows (G7), gaps, and rows' other fields.  Commits: see commit.pml.
 *
 * What is checked
 * ---------------
 *
 *   G5   "G5": a snapshot has exactly the records with time <= its cut, those
 *        that expired included, and no record that comes later has such a
 *        time.  If a reader waited, what was captured before is among them.
 *   G6   "G6": each row of a snapshot is what was appended, in the order in
 *        which it was, and the flow that it names is its own, while a reader
 *        has entered the segment.
 *   G10  "G10": the flow that a row names counts at least the packets that the
 *        snapshot has of it.
 *   G11  "G11": the list of flows of a segment has the flow of each row.
 *   G12  "G12": filters' counters and alerts, read while the digest is locked
 *        out, are those of the records that a snapshot taken then has.
 *   G13  "G13": at rest nothing is pinned, no zombie is left, and each flow
 *        has as many references as there are segments with rows of it.
 *
 * Options: -DNREC= records, -DNR= readers, -DSEG_ROWS=, -DPASS_ROWS=, -DSEAL,
 * -DNO_REST to leave G13 out; -DMUTANT_... leaves something out that must be
 * there (tests/model/run has the list). */

#ifndef NREC
#define NREC 6
#endif
#ifndef NR
#define NR 1
#endif
#ifndef SEG_ROWS
#define SEG_ROWS 2
#endif
#ifndef PASS_ROWS
#define PASS_ROWS SEG_ROWS
#endif

#define ALERT 2
#define NFLOWS 3
#define MIN_SEGMENTS 2
#ifndef SEAL
#define STREAM
#endif
#ifdef SEAL
#define NCELLS (2 * MIN_SEGMENTS * (NR + 1) + 1)
#else
#define NCELLS (MIN_SEGMENTS * (NR + 1) + 1)
#endif
#define NONE 255

#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define MAX(a, b) ((a) > (b) -> (a) : (b))

/* Cells of memory for segments. */
mtype = { FREE, LISTED, ZOMBIE, GOING };
typedef Row {
    byte record;
    byte key;                   /* The flow that the record is of. */
    byte place;                 /* Of that flow in 'flows'. */
    byte time;
}
typedef Cell {
    mtype state;
    byte seq;
    byte n_rows;
    byte n_flows;
    Row row[SEG_ROWS];
    byte flows[SEG_ROWS];       /* Indexes in the flow table. */
    byte n_pins;
    bool expired;
    bool revoked;
#ifdef SEAL
    bool sealed;
    byte successor;             /* Cell plus 1; 0: none. */
#endif
}
Cell cell[NCELLS];

/* The flow table. */
typedef Flow {
    byte key;                   /* NONE: free. */
    byte refs;
    byte last_segment;
    byte place;
    byte packets;
}
Flow flow[NFLOWS];

/* The stream. */
byte n_matched;
bool alert;

/* Snapshots. */
typedef Snapshot {
    byte n_segments;
    byte cells[MIN_SEGMENTS];
    bit n_readers[MIN_SEGMENTS];
    bool revoked[MIN_SEGMENTS];
}
Snapshot snapshot[NR];

/* Under the log's mutex, where that is held for more than one step. */
bool log_locked;
byte published_time;
byte oldest_seq = 1, newest_seq;
byte committed_open;
byte n_expired;

/* Of passes as a whole: in records. */
byte limit;                     /* End of the one that goes on. */
byte published;
bool pass_locked;
byte n_ended;                   /* Readers and the sealer. */

/* For the assertions: what is published, as counted by the model. */
byte n_flows_seen;
byte n_appended_matched;
byte n_visible, n_visible_matched;      /* At 'published_time'. */

/* The digest. */

/* Looks the flow of the next record up, or makes it: 'index'. */
inline find_or_insert()
{
    atomic {
        if
        :: key = 0
        :: n_flows_seen > 0 -> key = 1
        :: n_flows_seen > 1 -> key = 2
        fi;
        d_step {
            n_flows_seen = MAX(n_flows_seen, key + 1);
            index = 0;
            do
            :: index == NFLOWS -> break
            :: index < NFLOWS ->
               if
               :: flow[index].key == key -> break
               :: else -> index++
               fi
            od;
            if
            :: index == NFLOWS ->
               index = 0;
               do
               :: flow[index].key != NONE -> index++
               :: else -> break
               od;
               flow[index].key = key
            :: else
            fi
        }
    }
}

inline unref(i_)
{
    flow[i_].refs--;
    if
    :: flow[i_].refs == 0 ->
       flow[i_].key = NONE;
       flow[i_].packets = 0;
       flow[i_].last_segment = 0;
       flow[i_].place = 0
    :: else
    fi
}

/* Gives back the references to flows of cell 'c'. */
inline unref_flows()
{
    i = 0;
    do
    :: i < cell[c].n_flows -> unref(cell[c].flows[i]); i++
    :: else -> break
    od;
    i = 0
}

/* Needs the mutex. */
inline expire_oldest()
{
    c = 0;
    do
    :: cell[c].state != LISTED || cell[c].seq != oldest_seq -> c++
    :: else -> break
    od;
    cell[c].state = ZOMBIE;
    cell[c].expired = true;
    n_expired = n_expired + cell[c].n_rows;
    oldest_seq++;
#ifdef MUTANT_FLOW_REUSED_EARLY
    unref_flows();
#endif
    c = 0
}

#ifdef SEAL
#define SUCCESSOR(c) cell[c].successor
#define OVERDUE(c) \
    (cell[c].expired \
     || (cell[c].successor && cell[cell[c].successor - 1].expired))
#else
#define SUCCESSOR(c) 0
#define OVERDUE(c) cell[c].expired
#endif

#define HAS(s) \
    (s % MIN_SEGMENTS < snapshot[s / MIN_SEGMENTS].n_segments \
     && snapshot[s / MIN_SEGMENTS].cells[s % MIN_SEGMENTS] == c)
#define EACH_PIN(action) \
    s = 0; \
    do \
    :: (s < NR * MIN_SEGMENTS && HAS(s)) -> action; s++ \
    :: (s < NR * MIN_SEGMENTS && !HAS(s)) -> s++ \
    :: s == NR * MIN_SEGMENTS -> break \
    od; \
    s = 0

#define SET_REVOKED \
    if \
    :: !snapshot[s / MIN_SEGMENTS].revoked[s % MIN_SEGMENTS] -> \
       snapshot[s / MIN_SEGMENTS].revoked[s % MIN_SEGMENTS] = true; \
       cell[c].n_pins-- \
    :: else \
    fi

#ifdef MUTANT_REVOKED_WHILE_READ
#define LOOK_FOR_READERS skip
#else
#define LOOK_FOR_READERS \
    free = free && !snapshot[s / MIN_SEGMENTS].n_readers[s % MIN_SEGMENTS]
#endif

/* Takes cell 'c' away from its readers; 'free' says whether that is done. */
inline revoke()
{
    free = true;
#ifdef MUTANT_REVOKED_UNORDERED
    atomic { EACH_PIN(LOOK_FOR_READERS) };
    atomic { cell[c].revoked = true; EACH_PIN(SET_REVOKED) };
#else
    atomic { cell[c].revoked = true; EACH_PIN(SET_REVOKED) };
    atomic { EACH_PIN(LOOK_FOR_READERS) };
#endif
    free = free && cell[c].n_pins == 0
}

#ifdef MUTANT_PINS_IGNORED
#define PINNED(c) false
#else
#define PINNED(c) (cell[c].n_pins || cell[c].revoked)
#endif

/* Goes on to the next zombie that is pinned.  Marks those that nobody has any
 * more. */
inline scan()
{
    do
    :: (c < NCELLS && !(cell[c].state == ZOMBIE && PINNED(c))) ->
       cell[c].state = (cell[c].state == ZOMBIE -> GOING : cell[c].state);
       c++
    :: else -> break
    od
}

inline clear()
{
    cell[c].state = FREE;
    cell[c].seq = 0;
    cell[c].n_rows = 0;
    cell[c].n_flows = 0;
    cell[c].expired = false;
    cell[c].revoked = false;
    i = 0;
    do
    :: i < SEG_ROWS ->
       cell[c].row[i].record = NONE;
       cell[c].row[i].key = 0;
       cell[c].row[i].place = 0;
       cell[c].row[i].time = 0;
       cell[c].flows[i] = 0;
       i++
    :: else -> break
    od;
    i = 0
}

inline release()
{
    do
    :: c < NCELLS ->
       if
       :: cell[c].state == GOING ->
#ifdef SEAL
          if
          :: cell[c].successor ->
#ifndef MUTANT_SUCCESSOR_UNPINNED
             cell[cell[c].successor - 1].n_pins--;
#endif
             cell[c].successor = 0
          :: else -> unref_flows()
          fi;
          cell[c].sealed = false;
#elif !defined(MUTANT_FLOW_REUSED_EARLY)
          unref_flows();
#endif
          clear()
       :: else
       fi;
       c++
    :: else -> break
    od;
    c = 0
}

/* A pinned zombie may stay, or is taken away because it is overdue. */
inline reclaim()
{
    atomic { !log_locked -> log_locked = true; scan() };
    do
    :: atomic { c < NCELLS && !cell[c].revoked -> c++; scan() }
    :: c < NCELLS && OVERDUE(c) ->
       revoke();
       atomic { cell[c].state = (free -> GOING : ZOMBIE); free = false;
                c++; scan() }
    :: atomic { c == NCELLS -> c = 0; log_locked = false; release(); break }
    od
}

inline publish_counts()
{
    if
    :: open != NONE ->
       cell[open].n_flows = n_flows;
       cell[open].n_rows = n_rows
    :: else
    fi
}

/* Opens a segment in a cell that is free; the open one is full with that. */
inline open_segment()
{
    publish_counts();
    d_step {
        !log_locked ->
        do
        :: cell[c].state != FREE -> c++
        :: else -> break
        od;
        open = c;
        c = 0;
        newest_seq++;
        cell[open].seq = newest_seq;
        cell[open].n_rows = 0;
        cell[open].n_flows = 0;
        cell[open].state = LISTED;
        n_rows = 0;
        n_flows = 0;
        if
        :: newest_seq - oldest_seq >= MIN_SEGMENTS -> expire_oldest()
        :: else
        fi
    };
#ifdef MUTANT_RECLAIM_EARLY
    reclaim();
#endif
    skip
}

/* Makes place for one more row, of the flow with 'index'. */
inline append_row()
{
    if
    :: open == NONE || n_rows == SEG_ROWS -> open_segment()
    :: else
    fi;
    d_step {
        if
#ifdef MUTANT_FLOW_NOT_LISTED
        :: flow[index].last_segment == 0 ->
#else
        :: flow[index].last_segment != newest_seq ->
#endif
#ifdef MUTANT_REF_ONCE
           flow[index].refs = 1;
#else
           flow[index].refs++;
#endif
           flow[index].place = n_flows;
           cell[open].flows[n_flows] = index;
           n_flows++;
           flow[index].last_segment = newest_seq
        :: else
        fi;
        n_rows++;
#ifdef MUTANT_COUNT_EARLY
        cell[open].n_flows = n_flows;
        cell[open].n_rows = n_rows
#endif
    }
}

/* The time of the next row.  If it came with the time of the cut, it gets the
 * next. */
inline advance_time()
{
#ifndef MUTANT_TIME_OF_THE_CUT
    time = MAX(time, published_time + 1);
#endif
    assert(time > published_time)                       /* G5. */
}

inline append()
{
    find_or_insert();
    append_row();
    d_step {
        advance_time();
        cell[open].row[n_rows - 1].record = record;
        cell[open].row[n_rows - 1].key = key;
        cell[open].row[n_rows - 1].place = flow[index].place;
        cell[open].row[n_rows - 1].time = time;
        flow[index].packets++;
#ifdef STREAM
        n_matched = n_matched + (key == 0);
        n_appended_matched = n_appended_matched + (key == 0);
#endif
        index = 0;
        key = 0;
        record++
    }
}

/* Evaluates the trigger. */
inline tick()
{
#ifdef STREAM
    alert = (n_matched >= ALERT)
#else
    skip
#endif
}

inline publish_time()
{
    atomic {
        !log_locked ->
        published_time = time;
        n_visible = limit;
        n_visible_matched = n_appended_matched
    }
}

inline choose_limit()
{
    if
    :: limit < NREC -> limit = limit + 1
#if PASS_ROWS > 1
    :: limit + 1 < NREC -> limit = limit + 2
#endif
#if PASS_ROWS > 2
    :: limit + 2 < NREC -> limit = limit + 3
#endif
    fi
}

inline pass()
{
#ifdef MUTANT_CUT_EARLY
    atomic { time++; publish_time() };
#endif
#ifdef MUTANT_TICK_EARLY
    tick();
#endif
    do
    :: record < limit -> append()
    :: else -> break
    od;
#ifndef MUTANT_TICK_EARLY
    tick();
#endif
#ifdef MUTANT_COUNTS_LATE
    publish_time();
    publish_counts();
#else
    publish_counts();
    publish_time();
#endif
    atomic { !log_locked -> committed_open = newest_seq };
    reclaim();
    pass_locked = false;
    published = record
}

active proctype digest()
{
    byte open = NONE, n_rows, n_flows;  /* Of the open segment. */
    byte record, time, key, index, c, i, s;
    bool free;

    atomic {
        do
        :: c < NCELLS -> clear(); c++
        :: else -> break
        od;
        do
        :: i < NFLOWS -> flow[i].key = NONE; i++
        :: else -> break
        od;
        c = 0;
        i = 0;
        run reader(0);
#if NR > 1
        run reader(1);
#endif
#ifdef SEAL
        run sealer()
#else
        n_ended++
#endif
    };
    do
    :: atomic { !pass_locked && record < NREC -> pass_locked = true;
                choose_limit() };
       pass()
    :: record == NREC && n_ended == NR + 1 -> break
    od;

    /* At rest.  A zombie may have waited for another. */
    reclaim();
    reclaim();
#ifndef NO_REST
    atomic {
        do
        :: c < NCELLS ->
           assert((cell[c].state == FREE || cell[c].state == LISTED)
                  && cell[c].n_pins == 0);              /* G13. */
           do
           :: cell[c].state == LISTED && i < cell[c].n_flows ->
              flow[cell[c].flows[i]].refs--;
              i++
           :: else -> break
           od;
           i = 0;
           c++
        :: else -> break
        od;
        do
        :: i < NFLOWS ->
           assert(flow[i].refs == 0);                   /* G13. */
           i++
        :: else -> break
        od
    }
#endif
}

/* Sealing. */

#ifdef SEAL

#ifdef MUTANT_SEALED_UNCOMMITTED
#define MAY_BE_SEALED(seq) (seq < newest_seq)
#else
#define MAY_BE_SEALED(seq) (seq < committed_open)
#endif

/* The oldest full segment, pinned: 'raw'. */
inline next_full()
{
    d_step {
        !log_locked ->
        seq = oldest_seq;
        do
        :: MAY_BE_SEALED(seq) && raw == NONE ->
           c = 0;
           do
           :: cell[c].state != LISTED || cell[c].seq != seq -> c++
           :: else -> break
           od;
           raw = (cell[c].sealed -> NONE : c);
           seq++
        :: else -> break
        od;
        c = 0;
        seq = 0;
        if
        :: raw != NONE -> cell[raw].n_pins++
        :: else
        fi
    }
}

/* Makes a sealed segment of 'raw' and puts it into its place, if that is still
 * in the list. */
inline seal()
{
    d_step {
        !log_locked ->
        assert(cell[raw].state != FREE);                /* G6. */
        cell[raw].n_pins--;
        if
        :: cell[raw].state == LISTED ->
           do
           :: cell[c].state != FREE -> c++
           :: else -> break
           od;
           cell[c].seq = cell[raw].seq;
           cell[c].sealed = true;
           cell[c].n_rows = cell[raw].n_rows;
           cell[c].n_flows = cell[raw].n_flows;
           do
           :: i < SEG_ROWS ->
              cell[c].flows[i] = cell[raw].flows[i];
              cell[c].row[i].record = cell[raw].row[i].record;
              cell[c].row[i].key = cell[raw].row[i].key;
              cell[c].row[i].place = cell[raw].row[i].place;
              cell[c].row[i].time = cell[raw].row[i].time;
              i++
           :: else -> break
           od;
           i = 0;
           cell[c].state = LISTED;
#ifndef MUTANT_SUCCESSOR_UNPINNED
           cell[c].n_pins = 1;
#endif
           cell[raw].successor = c + 1;
           cell[raw].state = ZOMBIE
        :: else
        fi;
        c = 0;
        raw = NONE
    }
}

proctype sealer()
{
    byte raw = NONE, seq, c, i;

    do
    :: next_full();
       if
       :: raw != NONE -> seal()
       :: else
       fi
    :: n_ended++; break
    od
}
#endif

/* Readers. */

#ifdef SEAL
#define SEALED(c) cell[c].sealed
#else
#define SEALED(c) false
#endif

/* The number of rows of cell 'c' with a time up to 'cut'. */
inline rows_until()
{
    n[k] = cell[c].n_rows;
#ifndef MUTANT_SNAPSHOT_PAST_CUT
    if
    :: n[k] > 0 && !SEALED(c) ->
       if
       :: cell[c].row[n[k] - 1].time <= cut
       :: else ->
          do
          :: n[k] == 0 -> break
          :: n[k] > 0 ->
             if
             :: cell[c].row[n[k] - 1].time > cut -> n[k]--
             :: else -> break
             fi
          od
       fi
    :: else
    fi
#endif
}

/* mlog_snapshot_take(): the digest goes on publishing counts meanwhile. */
inline take()
{
    d_step {
        !log_locked ->
        log_locked = true;
        cut = published_time;
        expired = n_expired;
        visible = n_visible;
        visible_matched = n_visible_matched;
        total = expired;
        seq = oldest_seq
    };
    do
    :: d_step {
           seq <= newest_seq ->
           c = 0;
           do
           :: cell[c].state != LISTED || cell[c].seq != seq -> c++
           :: else -> break
           od;
           cell[c].n_pins++;
           snapshot[r].cells[k] = c;
           rows_until();
           n_listed[k] = cell[c].n_flows;
           total = total + n[k];
           k++;
           seq++;
           c = 0
       }
    :: atomic { seq > newest_seq -> snapshot[r].n_segments = k; k = 0; seq = 0;
                log_locked = false; break }
    od;
    atomic {
        assert(total == visible);                       /* G5. */
        assert(total >= want);                          /* G5. */
        want = 0;
        cut = 0;
        visible = 0
    }
}

/* Chooses a row of the snapshot: row 'j' of segment 'k'. */
inline choose_row()
{
    atomic {
        record = expired;
        do
        :: k < snapshot[r].n_segments && j + 1 < n[k] -> j++; record++
        :: (k + 1 < snapshot[r].n_segments && n[k + 1] > 0
            && j + 1 >= n[k]) ->
           record = record + (n[k] > 0);
           j = 0;
           k++
        :: k < snapshot[r].n_segments && n[k] > 0 -> break
        od;
        expired = 0
    }
}

/* Reads row 'j' of segment 'k', which should be that of 'record'. */
inline read_row()
{
    d_step {
        c = snapshot[r].cells[k];
        assert(cell[c].state != FREE
               && cell[c].row[j].record == record);     /* G6. */
        i = cell[c].row[j].place;
        assert(i < n_listed[k]);                        /* G11. */
        i = cell[c].flows[i];
        assert(flow[i].key != NONE);                    /* G6. */
        if
        :: flow[i].key != cell[c].row[j].key ->
           /* Another flow's: is the own one in the list? */
           record = 0;
           do
           :: record < n_listed[k] ->
              if
              :: flow[cell[c].flows[record]].key == cell[c].row[j].key -> break
              :: else -> record++
              fi
           :: else -> break
           od;
#ifdef MUTANT_FLOW_NOT_LISTED
           assert(record < n_listed[k]);                /* G11. */
#endif
           assert(false)                                /* G6. */
        :: else
        fi;

        /* How many of the segment's rows are of that flow? */
        record = 0;
        j = 0;
        do
        :: j < n[k] ->
           record = record + (cell[c].flows[cell[c].row[j].place] == i);
           j++
        :: else -> break
        od;
        assert(flow[i].packets >= record);              /* G10. */
        i = 0;
        c = 0
    }
}

/* mlog_snapshot_enter() and mlog_snapshot_leave(). */
inline read_unless_revoked()
{
#ifdef MUTANT_REVOKED_UNORDERED
    revoked = snapshot[r].revoked[k];
    snapshot[r].n_readers[k] = 1;
#else
    snapshot[r].n_readers[k] = 1;
    revoked = snapshot[r].revoked[k];
#endif
#ifdef MUTANT_REVOKED_ENTERED
    revoked = false;
#endif
    if
    :: !revoked -> read_row()
    :: else
    fi;
    atomic {
        snapshot[r].n_readers[k] = 0;
        revoked = false;
        k = 0;
        j = 0;
        record = 0
    }
}

inline release_snapshot()
{
    d_step {
        !log_locked ->
        do
        :: k < snapshot[r].n_segments ->
           c = snapshot[r].cells[k];
           if
           :: !snapshot[r].revoked[k] -> cell[c].n_pins--
           :: else
           fi;
           snapshot[r].cells[k] = 0;
           snapshot[r].revoked[k] = false;
           n[k] = 0;
           n_listed[k] = 0;
           k++
        :: else -> break
        od;
        snapshot[r].n_segments = 0;
        k = 0;
        c = 0;
        total = 0;
        expired = 0
    }
}

/* The stream has counted what the snapshot has. */
inline check_stream()
{
    atomic {
        assert(n_matched == visible_matched);           /* G12. */
        assert(alert == (visible_matched >= ALERT))     /* G12. */
    }
}

proctype reader(byte r)
{
    byte cut, expired, total, want, visible, visible_matched;
    byte n[MIN_SEGMENTS], n_listed[MIN_SEGMENTS];
    byte seq, k, c, i, j, record;
    bool revoked;

    /* Something is captured after what the present pass takes.  Wait for it;
     * or a second has passed. */
    if
    :: want = MIN(limit + 1, NREC);
#ifndef MUTANT_NO_WAIT
       published >= want
#endif
    :: skip
    fi;
    if
    :: take()
#ifdef STREAM
    :: atomic { !pass_locked -> pass_locked = true };
       take();
       check_stream();
       pass_locked = false
#endif
#ifdef MUTANT_STREAM_UNLOCKED
    :: take(); check_stream()
#endif
    fi;
    visible_matched = 0;
    if
    :: total > expired -> choose_row(); read_unless_revoked()
    :: else
    fi;
    atomic { release_snapshot(); n_ended++ }
}
