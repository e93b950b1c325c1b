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

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mlog-ports.h"
#include "mlog-store.h"
#include "multilog.h"
#include "ovs-rcu.h"
#include "svec.h"
#include "util.h"

static char dir[] = "/tmp/test-store.XXXXXX";
static char *store_dir;

static void
setup(void)
{
    cr_assert_not_null(mkdtemp(dir));
    store_dir = xasprintf("%s/a/b", dir);
}

static void
teardown(void)
{
    char *command = xasprintf("rm -rf '%s'", dir);

    ignore(system(command));
    free(command);
}

TestSuite(store, .init = setup, .fini = teardown);
TestSuite(recovery, .init = setup, .fini = teardown);

static char *
path_of(const char *name)
{
    return xasprintf("%s/%s", store_dir, name);
}

/* The store. */

Test(store, what_is_stored_is_found_again)
{
    struct mlog_store *store = mlog_store_open(store_dir);
    struct mlog_mapping m;

    cr_assert_not(mlog_store_is_volatile(store));
    cr_assert_eq(mlog_store_load(store, "x", &m), ENOENT);
    cr_assert_eq(mlog_store_create(store, "x", 10000, false, &m), 0);
    cr_assert_geq(m.size, 10000);
    for (size_t i = 0; i < m.size; i++) {
        cr_assert_eq(((char *) m.data)[i], 0);
    }
    memset(m.data, 7, 10000);
    mlog_store_unmap(&m);
    mlog_store_rename(store, "x", "y");
    mlog_store_close(store);

    store = mlog_store_open(store_dir);
    cr_assert_eq(mlog_store_load(store, "x", &m), ENOENT);
    cr_assert_eq(mlog_store_load(store, "y", &m), 0);
    cr_expect_eq(((char *) m.data)[9999], 7);
    mlog_store_unmap(&m);
    mlog_store_remove(store, "y");
    cr_assert_eq(mlog_store_load(store, "y", &m), ENOENT);
    mlog_store_close(store);
}

Test(store, a_volatile_one_gives_memory_and_finds_nothing)
{
    struct mlog_store *store = mlog_store_open(NULL);
    struct mlog_mapping m;

    cr_expect(mlog_store_is_volatile(store));
    cr_expect_null(mlog_store_problem(store));
    cr_assert_eq(mlog_store_create(store, "x", 10000, false, &m), 0);
    memset(m.data, 7, 10000);
    mlog_store_unmap(&m);
    cr_expect_eq(mlog_store_load(store, "x", &m), ENOENT);
    mlog_store_close(store);
}

Test(store, a_directory_that_cannot_be_used_makes_it_volatile)
{
    char *file = xasprintf("%s/file", dir);
    struct mlog_store *store;

    close(open(file, O_CREAT | O_WRONLY, 0600));
    store = mlog_store_open(file);
    cr_expect(mlog_store_is_volatile(store));
    cr_expect_not_null(strstr(mlog_store_problem(store), "not a directory"));
    mlog_store_close(store);
    free(file);

    /* A link to somebody's directory is none. */
    char *link = xasprintf("%s/link", dir);
    cr_assert_eq(symlink("/tmp", link), 0);
    store = mlog_store_open(link);
    cr_expect(mlog_store_is_volatile(store));
    mlog_store_close(store);
    free(link);
}

Test(store, a_directory_has_one_user_at_a_time)
{
    struct mlog_store *a = mlog_store_open(store_dir);
    struct mlog_store *b = mlog_store_open(store_dir);

    cr_expect_not(mlog_store_is_volatile(a));
    cr_expect(mlog_store_is_volatile(b));
    cr_expect_not_null(strstr(mlog_store_problem(b), "another process"));
    mlog_store_close(b);
    mlog_store_close(a);
    a = mlog_store_open(store_dir);
    cr_expect_not(mlog_store_is_volatile(a));
    mlog_store_close(a);
}

/* The MultiLog in it. */

static struct mlog_ring *ring;

static struct multilog *
start(void)
{
    struct multilog *ml = multilog_create(store_dir, MULTILOG_DEFAULT_BUDGET,
                                          1u << 14);

    ring = mlog_capture_create_ring(&ml->capture, "test",
                                    mlog_ports_datapath("test"), 0);
    return ml;
}

static void
put(struct multilog *ml, uint32_t n)
{
    static uint32_t seq;

    for (uint32_t i = 0; i < n; i++) {
        uint8_t p[54] = { [12] = 8, [14] = 0x45, [17] = 40, [23] = 6,
                          [29] = seq % 7, [46] = 0x50 };
        struct mlog_capture_packet packet = { p, sizeof p, 1, 34 };
        ovs_be32 be = htonl(++seq);

        memcpy(p + 38, &be, sizeof be);
        mlog_capture_batch(ring, &packet, 1, 2, 0);
        if (i % 4096 == 4095) {
            mlog_digest_drain(ml->digest);
        }
    }
    mlog_digest_drain(ml->digest);
}

static struct multilog_status
status_of(struct multilog *ml)
{
    struct multilog_status status;

    multilog_get_status(ml, &status);
    multilog_status_destroy(&status);
    cr_expect_eq(status.n_captured,
                 status.n_pending + status.log.n_rows + status.log.n_archived
                 + status.log.n_expired + status.n_lost);
    return status;
}

/* Ends the segment that is open, seals it and waits. */
static void
seal(struct multilog *ml)
{
    mlog_digest_lock(ml->digest);
    mlog_header_log_close_segment(ml->log);
    mlog_digest_unlock(ml->digest);
    mlog_digest_drain(ml->digest);
    cr_assert_eq(mlog_archiver_flush(ml->archiver, 10000), 0);
}

static void
empty_directory(void)
{
    char *command = xasprintf("rm -rf '%s'", store_dir);

    ignore(system(command));
    free(command);
}

static void
damage(const char *name, off_t offset)
{
    char *path = path_of(name);
    int fd = open(path, O_RDWR);
    uint8_t byte;

    cr_assert_geq(fd, 0, "%s", path);
    cr_assert_eq(pread(fd, &byte, 1, offset), 1);
    byte ^= 0x40;
    cr_assert_eq(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
    free(path);
}

/* An orderly end loses nothing, and another budget and size of rings don't
 * matter. */
Test(recovery, all_is_there_after_an_orderly_end)
{
    struct multilog *ml = start();

    put(ml, 1000);
    seal(ml);
    put(ml, 500);
    multilog_destroy(ml);

    ml = multilog_create(store_dir, 100 << 20, 1u << 12);
    struct multilog_status status = status_of(ml);
    cr_expect(status.recovery.recovered);
    cr_expect_eq(status.log.n_rows, 1500);
    cr_expect_eq(status.log.n_sealed_rows, 1000);
    cr_expect_eq(status.n_flows, 7);
    cr_expect_eq(status.n_lost, 0);
    multilog_destroy(ml);
}

/* A segment that is damaged, wherever, or gone is left out and its records are
 * counted; the others are there. */
Test(recovery, a_damaged_segment_is_lost_and_counted)
{
    static const off_t offsets[] = { 0, 20, 64, 64 + 8, 64 + 400, 3000 };

    for (size_t i = 0; i <= ARRAY_SIZE(offsets); i++) {
        struct multilog *ml = start();
        uint64_t held;

        put(ml, 1000);
        seal(ml);
        put(ml, 500);
        held = status_of(ml).log.n_rows;

        multilog_destroy(ml);

        struct mlog_store *store = mlog_store_open(store_dir);
        struct svec names = SVEC_EMPTY_INITIALIZER;
        const char *victim = NULL, *name;
        size_t j;
        mlog_store_list(store, &names);
        svec_sort(&names);
        SVEC_FOR_EACH (j, name, &names) {
            if (strstr(name, ".sealed")) {
                victim = name;
            }
        }
        cr_assert_not_null(victim);
        if (i < ARRAY_SIZE(offsets)) {
            damage(victim, offsets[i]);
        } else {
            mlog_store_remove(store, victim);
        }
        mlog_store_close(store);
        svec_destroy(&names);

        ml = start();
        struct multilog_status status = status_of(ml);
        cr_expect_eq(status.log.n_rows + status.recovery.n_lost, held,
                     "%"PRIuSIZE, i);
        cr_expect_eq(status.recovery.n_lost, 1000, "%"PRIuSIZE, i);
        put(ml, 10);
        cr_expect_eq(status_of(ml).log.n_rows, held - 1000 + 10);
        multilog_destroy(ml);
        empty_directory();
    }
}

/* A damaged state, or a foreign one, is set aside as a whole. */
Test(recovery, a_damaged_state_is_set_aside)
{
    struct multilog *ml = start();
    char *bad = path_of("bad/state");

    put(ml, 100);
    multilog_destroy(ml);
    damage("state", 8);
    ml = start();
    cr_expect_eq(status_of(ml).log.n_rows, 0);
    cr_expect_eq(access(bad, F_OK), 0);
    put(ml, 5);
    multilog_destroy(ml);

    ml = start();
    cr_expect_eq(status_of(ml).log.n_rows, 5);
    multilog_destroy(ml);
    free(bad);
}

/* Where there is no more memory, records are lost and counted, for that
 * reason; when there is, it goes on. */
Test(recovery, without_space_records_are_lost_and_counted)
{
    struct rlimit limit, unlimited;
    struct multilog *ml = start();

    signal(SIGXFSZ, SIG_IGN);
    put(ml, 100);
    getrlimit(RLIMIT_FSIZE, &unlimited);
    limit = unlimited;
    limit.rlim_cur = 1 << 20;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    put(ml, MLOG_SEGMENT_ROWS + 1000);

    struct multilog_status status = status_of(ml);
    cr_expect_gt(status.log.n_lost[MLOG_LOSS_MEMORY], 0);
    cr_expect_eq(status.n_lost, status.log.n_lost[MLOG_LOSS_MEMORY]
                                + status.log.n_lost[MLOG_LOSS_RING]);
    cr_expect_gt(status.n_gaps, 0);

    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    uint64_t before = status.log.n_appended;
    put(ml, 77);
    status = status_of(ml);
    cr_expect_eq(status.log.n_appended, before + 77);
    multilog_destroy(ml);

    ml = start();
    cr_expect_eq(status_of(ml).log.n_appended, before + 77);
    multilog_destroy(ml);
}

/* The archive's disk is full: capture and queries go on, and what expires
 * before it could be archived is counted as lost to it. */
Test(recovery, a_full_archive_disk_costs_what_expires)
{
    struct multilog *ml = start();
    char *archive = xasprintf("%s/archive", dir);
    struct rlimit limit, unlimited;

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_null(mlog_archiver_set_dir(ml->archiver, archive));
    getrlimit(RLIMIT_FSIZE, &unlimited);
    put(ml, 20000);
    seal(ml);
    limit = unlimited;
    limit.rlim_cur = 4096;

    put(ml, 20000);
    mlog_digest_lock(ml->digest);
    mlog_header_log_close_segment(ml->log);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    mlog_digest_unlock(ml->digest);
    mlog_digest_drain(ml->digest);
    usleep(200000);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &unlimited), 0);

    struct mlog_archiver_status a;
    mlog_archiver_get_status(ml->archiver, &a);
    cr_expect_eq(a.stats.records, 20000);
    mlog_archiver_status_destroy(&a);
    cr_expect_eq(status_of(ml).log.n_rows, 40000);

    /* There is room again: nothing was lost. */
    for (int i = 0; i < 500; i++) {
        mlog_archiver_get_status(ml->archiver, &a);
        mlog_archiver_status_destroy(&a);
        if (a.stats.records == 40000) {
            break;
        }
        usleep(10000);
    }
    cr_expect_eq(a.stats.records, 40000);
    cr_expect_eq(status_of(ml).n_lost, 0);
    multilog_destroy(ml);
    free(archive);
}
