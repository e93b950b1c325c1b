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
 * lib/mlog-flow-table.[ch], and the functions pass(), append(), publish(),
 * wait_for_cut() and mlog_digest_lock() of lib/mlog-digest.c, whose names are
 * used here.
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
 *             oldest expires; its cell is used again when the digest finds it
 *             without pins.  A pass is no longer than a segment.
 *
 *   Flow table  A flow has a reference from each segment with rows of it, and
 *             gives its index up with the last.  An index is used again for
 *             any flow.
 *
 *   Stream    A filter that the first flow matches, and an alert when it has
 *             counted ALERT records.
 *
 *   Readers   NR of them, each at any time: waits for a cut, takes a
 *             snapshot, segment by segment, and later reads any one row of it;
 *             or locks the digest out and reads the stream, too.
 *
 * What is abstracted: the digest's stores become visible in its program's
 * order (release stores and locks, on x86 any store), so there are no buffers;
 * a lost release is a store in the wrong order.  The hash index of the flow
 * table is the digest's alone, hence a search.  Gaps.  Rows' other fields.
 *
 * What is checked
 * ---------------
 *
 *   G6   "G6": a snapshot has exactly the records with time <= its cut, those
 *        that expired included, and no record that comes later has such a
 *        time.  If a reader waited, what was captured before is among them.
 *   G7   "G7": each row of a snapshot is what was appended, in the order in
 *        which it was, in a segment that is not recycled meanwhile.
 *   G8   "G8": the flow that a row of a snapshot names is its own, as long as
 *        the snapshot is held, and counts at least the packets seen.
 *   G9   "G9": the list of flows of a segment has the flow of each row.
 *   G10  "G10": filters' counters and alerts, read while the digest is locked
 *        out, are those of the records that a snapshot taken then has.
 *   G11  "G11": at rest nothing is pinned, no expired segment is left, and
 *        each flow has as many references as there are segments with rows of
 *        it.
 *
 * Options: -DNREC= records, -DNR= readers, -DSEG_ROWS=, -DPASS_ROWS=,
 * -DNO_REST to leave G11 out; -DMUTANT_... leaves something out that must be
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
#define NCELLS (MIN_SEGMENTS * (NR + 1) + 1)
#define NONE 255

#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define MAX(a, b) ((a) > (b) -> (a) : (b))

/* Cells of memory for segments. */
mtype = { FREE, LISTED, EXPIRED };
typedef Row {
    byte record;
    byte key;                   /* The flow that the record is of. */
    byte index;                 /* Where that flow is. */
    byte time;
}
typedef Cell {
    mtype state;
    byte seq;
    byte n_rows;
    byte n_flows;
    Row row[SEG_ROWS];
    byte flows[SEG_ROWS];
    byte n_pins;
}
Cell cell[NCELLS];

/* The flow table. */
typedef Flow {
    byte key;                   /* NONE: free. */
    byte refs;
    byte last_segment;
    byte packets;
}
Flow flow[NFLOWS];

/* The stream. */
byte n_matched;
bool alert;

/* Under the log's mutex, which readers hold for more than one step. */
bool log_locked;
byte published_time;
byte oldest_seq = 1, newest_seq;
byte n_expired;

/* Of passes as a whole: in records. */
byte limit;                     /* End of the one that goes on. */
byte published;
bool pass_locked;
byte n_ended;                   /* Readers. */

/* For the assertions: what is published, as counted by the model. */
byte n_flows_seen;
byte n_appended, n_appended_matched;
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
               flow[index].key = key;
               flow[index].refs = 0;
               flow[index].last_segment = 0;
               flow[index].packets = 0
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
       flow[i_].last_segment = 0
    :: else
    fi
}

/* Gives back the references to flows of cell 'c'. */
inline unref_flows()
{
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
    cell[c].state = EXPIRED;
    n_expired = n_expired + cell[c].n_rows;
    oldest_seq++;
#ifdef MUTANT_UNREF_EARLY
    unref_flows();
#endif
    c = 0
}

#ifdef MUTANT_PIN_IGNORED
#define PINNED(c) false
#else
#define PINNED(c) (cell[c].n_pins != 0)
#endif

/* Frees what expired and isn't pinned. */
inline reclaim()
{
    d_step {
        !log_locked ->
        do
        :: c < NCELLS ->
           if
           :: cell[c].state == EXPIRED && !PINNED(c) ->
#ifndef MUTANT_UNREF_EARLY
              unref_flows();
#endif
              cell[c].state = FREE
           :: else
           fi;
           c++
        :: else -> break
        od;
        c = 0
    }
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

/* Seals the open segment and opens another, in a cell that is free. */
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
        :: flow[index].last_segment != newest_seq ->
#ifdef MUTANT_REF_ONCE
           flow[index].refs = 1;
#else
           flow[index].refs++;
#endif
#ifdef MUTANT_POSTING_MISSING
           if
           :: flow[index].last_segment == 0 ->
              cell[open].flows[n_flows] = index;
              n_flows++
           :: else
           fi;
#else
           cell[open].flows[n_flows] = index;
           n_flows++;
#endif
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
#ifndef MUTANT_TIME_TIES
    time = MAX(time, published_time + 1);
#endif
    assert(time > published_time)                       /* G6. */
}

inline append()
{
    find_or_insert();
    append_row();
    d_step {
        advance_time();
        cell[open].row[n_rows - 1].record = record;
        cell[open].row[n_rows - 1].key = key;
        cell[open].row[n_rows - 1].index = index;
        cell[open].row[n_rows - 1].time = time;
        flow[index].packets++;
        n_matched = n_matched + (key == 0);
        n_appended++;
        n_appended_matched = n_appended_matched + (key == 0);
        index = 0;
        key = 0;
        record++
    }
}

/* Evaluates the trigger. */
inline tick()
{
    alert = (n_matched >= ALERT)
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
#ifdef MUTANT_PUBLISH_EARLY
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
    reclaim();
    pass_locked = false;
    published = record
}

active proctype digest()
{
    byte open = NONE, n_rows, n_flows;  /* Of the open segment. */
    byte record, time, key, index, c, i;

    atomic {
        do
        :: c < NCELLS -> cell[c].state = FREE; c++
        :: else -> break
        od;
        do
        :: i < NFLOWS -> flow[i].key = NONE; i++
        :: else -> break
        od;
        c = 0;
        i = 0;
        run reader();
#if NR > 1
        run reader()
#endif
    };
    do
    :: atomic { !pass_locked && record < NREC -> pass_locked = true;
                choose_limit() };
       pass()
    :: record == NREC && n_ended == NR -> break
    od;

    /* At rest. */
    reclaim();
#ifndef NO_REST
    atomic {
        do
        :: c < NCELLS ->
           assert(cell[c].state != EXPIRED && cell[c].n_pins == 0);
                                                        /* G11. */
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
           assert(flow[i].refs == 0);                   /* G11. */
           i++
        :: else -> break
        od
    }
#endif
}

/* Readers. */

/* Adds the number of rows of cell 'c' with a time up to 'cut'. */
inline rows_until()
{
    n[k] = cell[c].n_rows;
#ifndef MUTANT_NO_ROWS_UNTIL
    if
    :: n[k] > 0 ->
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
           cells[k] = c;
           rows_until();
           n_listed[k] = cell[c].n_flows;
           total = total + n[k];
           k++;
           seq++;
           c = 0
       }
    :: atomic { seq > newest_seq -> n_segments = k; k = 0; seq = 0;
                log_locked = false; break }
    od;
    atomic {
        assert(total == visible);                       /* G6. */
        assert(total >= want);                          /* G6. */
        want = 0;
        cut = 0;
        visible = 0
    }
}

/* Chooses a row of the snapshot: row 'j' of segment 'k'. */
inline choose_row()
{
    atomic {
        next = expired;
        do
        :: k < n_segments && j + 1 < n[k] -> j++; next++
        :: k + 1 < n_segments && n[k + 1] > 0 && j + 1 >= n[k] ->
           next = next + (n[k] > 0);
           j = 0;
           k++
        :: k < n_segments && n[k] > 0 -> break
        od;
        expired = 0
    }
}

inline read_row()
{
    d_step {
        c = cells[k];
        assert(cell[c].state != FREE);                  /* G7. */
        assert(cell[c].row[j].record == next);          /* G7. */
        index = cell[c].row[j].index;
        assert(flow[index].key == cell[c].row[j].key);  /* G8. */
        i = 0;
        do
        :: i < n_listed[k] ->
           if
           :: cell[c].flows[i] == index -> break
           :: else -> i++
           fi
        :: else -> break
        od;
        assert(i < n_listed[k]);                        /* G9. */

        /* How many of the snapshot's rows are of that flow? */
        next = 0;
        j = 0;
        k = 0;
        do
        :: k < n_segments ->
           do
           :: j < n[k] ->
              next = next + (cell[cells[k]].row[j].index == index);
              j++
           :: else -> break
           od;
           j = 0;
           k++
        :: else -> break
        od;
        assert(flow[index].packets >= next);            /* G8. */
        i = 0;
        c = 0;
        index = 0;
        next = 0;
        k = 0
    }
}

inline release()
{
    d_step {
        !log_locked ->
        do
        :: k < n_segments ->
           cell[cells[k]].n_pins--;
           cells[k] = 0;
           n[k] = 0;
           n_listed[k] = 0;
           k++
        :: else -> break
        od;
        k = 0;
        n_segments = 0;
        total = 0;
        expired = 0
    }
}

/* The stream has counted what the snapshot has. */
inline check_stream()
{
    atomic {
        assert(n_matched == visible_matched);           /* G10. */
        assert(alert == (visible_matched >= ALERT))     /* G10. */
    }
}

proctype reader()
{
    byte cut, expired, total, want, visible, visible_matched;
    byte cells[MIN_SEGMENTS], n[MIN_SEGMENTS], n_listed[MIN_SEGMENTS];
    byte n_segments, seq, k, c, i, j, next, index;

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
    :: atomic { !pass_locked -> pass_locked = true };
       take();
       check_stream();
       pass_locked = false
#ifdef MUTANT_STREAM_UNLOCKED
    :: take(); check_stream()
#endif
    fi;
    visible_matched = 0;
    if
    :: total > expired -> choose_row(); read_row()
    :: else
    fi;
    atomic { release(); n_ended++ }
}
