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
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive-fixture.h"
#include "mlog-archive-ports.h"
#include "mlog-archive.h"
#include "mlog-ports.h"
#include "ovs-thread.h"
#include "svec.h"
#include "util.h"

/* A directory that goes away with the test. */

static char dir[64];

static void
setup(void)
{
    ovs_strlcpy(dir, "/tmp/test-archive.XXXXXX", sizeof dir);
    cr_assert(mkdtemp(dir));
}

static void
teardown(void)
{
    char *command = xasprintf("rm -rf %s", dir);

    cr_assert_eq(system(command), 0);
    free(command);
}

TestSuite(archive, .init = setup, .fini = teardown);

static struct svec
names(void)
{
    struct svec svec = SVEC_EMPTY_INITIALIZER;
    DIR *stream = opendir(dir);
    struct dirent *de;

    while ((de = readdir(stream))) {
        if (de->d_name[0] != '.') {
            svec_add(&svec, de->d_name);
        }
    }
    closedir(stream);
    svec_sort(&svec);
    return svec;
}

static void
expect_names(const char *expected)
{
    struct svec svec = names();
    char *s = svec_join(&svec, " ", "");

    cr_expect_str_eq(s, expected);
    free(s);
    svec_destroy(&svec);
}

static const char *
path_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void
write_file(const char *name, const void *data, size_t n)
{
    FILE *file = fopen(path_of(name), "wb");

    cr_assert_eq(fwrite(data, 1, n, file), n);
    fclose(file);
}

/* File operations that fail on purpose. */

static struct {
    int countdown;              /* Operations until the failure; 0: none. */
    int error;
    bool for_ever;              /* All operations after that fail, too. */
    bool stutter;               /* EINTR and short reads and writes. */
    bool flip;                  /* Reads have a wrong bit. */
    int n_calls;
} faults;

static bool
fails(void)
{
    faults.n_calls++;
    if (faults.stutter && faults.n_calls % 3 == 0) {
        errno = EINTR;
        return true;
    }
    if (faults.countdown && (--faults.countdown == 0
                             || (faults.for_ever && faults.countdown < 0))) {
        errno = faults.error;
        return true;
    }
    return false;
}

static int
test_open(const char *path, int flags, mode_t mode)
{
    return fails() ? -1 : mlog_archive_system_ops.open(path, flags, mode);
}

static ssize_t
test_write(int fd, const void *data, size_t n)
{
    return fails() ? -1 : write(fd, data, faults.stutter ? MIN(n, 100) : n);
}

static ssize_t
test_pread(int fd, void *data, size_t n, off_t offset)
{
    ssize_t got = (fails() ? -1
                   : pread(fd, data, faults.stutter ? MIN(n, 100) : n,
                           offset));

    if (faults.flip && got > 0) {
        ((uint8_t *) data)[got / 2] ^= 4;
    }
    return got;
}

static int
test_fsync(int fd)
{
    return fails() ? -1 : fsync(fd);
}

/* These don't return EINTR. */
static int
test_rename(const char *from, const char *to)
{
    bool stutter = faults.stutter;

    faults.stutter = false;
    int retval = fails() ? -1 : rename(from, to);
    faults.stutter = stutter;
    return retval;
}

static int
test_unlink(const char *path)
{
    bool stutter = faults.stutter;

    faults.stutter = false;
    int retval = fails() ? -1 : unlink(path);
    faults.stutter = stutter;
    return retval;
}

static int
test_size(int fd, uint64_t *size)
{
    return mlog_archive_system_ops.size(fd, size);
}

static const struct mlog_archive_ops test_ops = {
    test_open, close, test_write, test_pread, test_fsync, test_rename,
    test_unlink, test_size
};

static struct mlog_archive *
open_archive(bool read_only)
{
    struct mlog_archive_options options = { &test_ops, 1, read_only };
    struct mlog_archive *archive;
    char *error = mlog_archive_open(dir, &options, &archive);

    cr_assert_null(error, "%s", error);
    return archive;
}

/* A segment of 100 records, of the second that 'seq' counts. */
static struct mlog_archive_segment
numbered_segment(uint64_t seq)
{
    struct mlog_archive_segment segment = random_segment(100, 10);
    struct mlog_row *rows = CONST_CAST(struct mlog_row *, segment.rows);

    segment.seq = seq;
    segment.base_time = BASE_TIME + seq * 1000000000;
    for (int i = 0; i < 100; i++) {
        rows[i].time_port = mlog_row_pack_time_port(i * 1000, P1);
        rows[i].tcp_seq = seq * 100 + i;
    }
    return segment;
}

static int
append(struct mlog_archive *archive, uint64_t seq)
{
    struct mlog_archive_segment segment = numbered_segment(seq);
    int error = mlog_archive_append(archive, &segment);

    free_segment(&segment);
    return error;
}

/* Loads 'file', whose rows must be those of its segment. */
static int
check_file(const struct mlog_archive_file *file)
{
    const struct mlog_archive_info *info = mlog_archive_file_info(file);
    struct mlog_archive_data *data;
    char *message;
    int error = mlog_archive_load(file, &data, &message);

    error = error ? error : mlog_archive_load_rows(data, &message);
    cr_assert_eq(error != 0, message != NULL);
    if (!error) {
        cr_assert_eq(info->n_rows, 100);
        for (int i = 0; i < 100; i++) {
            cr_assert_eq(data->rows[i].tcp_seq, info->seq * 100 + i);
        }
    }
    mlog_archive_data_unref(data);
    free(message);
    return error;
}

/* The archive must have just the segments 'first' to 'last', readable. */
static void
check_archive(const struct mlog_archive *archive, uint64_t first,
              uint64_t last)
{
    struct mlog_archive_list *list = mlog_archive_get_list(archive);
    struct mlog_archive_stats stats;

    cr_assert_eq(list->n, last + 1 - first);
    for (size_t i = 0; i < list->n; i++) {
        cr_assert_eq(mlog_archive_file_info(list->files[i])->seq, first + i);
        cr_assert_eq(check_file(list->files[i]), 0);
        cr_assert_eq(mlog_archive_verify(list->files[i], NULL), 0);
    }
    mlog_archive_get_stats(archive, &stats);
    cr_assert_eq(stats.files, list->n);
    cr_assert_eq(stats.records, list->n * 100);
    mlog_archive_list_unref(list);
}

Test(archive, what_was_appended_is_there_after_reopening)
{
    struct mlog_archive *archive = open_archive(false);
    struct mlog_archive_stats stats;

    cr_expect_eq(mlog_archive_next_seq(archive), 1);
    for (int seq = 1; seq <= 5; seq++) {
        cr_assert_eq(append(archive, seq), 0);
        check_archive(archive, 1, seq);
    }
    mlog_archive_get_stats(archive, &stats);
    cr_expect_eq(stats.appended.files, 5);
    cr_expect_eq(stats.appended.records, 500);
    cr_expect_eq(stats.appended.bytes, stats.bytes);
    cr_expect_eq(stats.oldest, BASE_TIME + UINT64_C(1000000000));
    cr_expect_eq(stats.newest, BASE_TIME + UINT64_C(5000099000));
    mlog_archive_close(archive);

    archive = open_archive(false);
    check_archive(archive, 1, 5);
    cr_expect_eq(mlog_archive_next_seq(archive), 6);
    cr_expect_eq(append(archive, 5), EINVAL, "numbers only grow");
    cr_expect_eq(append(archive, 60), 0);
    mlog_archive_close(archive);
    expect_names("00000000000000000001.mlog 00000000000000000002.mlog "
                 "00000000000000000003.mlog 00000000000000000004.mlog "
                 "00000000000000000005.mlog 00000000000000000060.mlog");
}

Test(archive, there_is_one_writer_and_any_number_of_readers)
{
    struct mlog_archive *writer = open_archive(false), *reader, *other;
    struct mlog_archive_options options = { .ops = NULL };
    char *error;

    cr_assert_eq(append(writer, 1), 0);
    error = mlog_archive_open(dir, &options, &other);
    cr_assert_not_null(error);
    cr_expect(strstr(error, "another process writes"), "%s", error);
    cr_expect_null(other);
    reader = open_archive(true);
    check_archive(reader, 1, 1);
    mlog_archive_close(writer);
    cr_assert_null(mlog_archive_open(dir, &options, &other));
    mlog_archive_close(other);
    mlog_archive_close(reader);
}

/* Failures. */

/* Every operation of an append fails in turn, as on a full or broken disk. */
static void
check_failing_append(int error)
{
    struct mlog_archive *archive = open_archive(false);
    struct mlog_archive_stats stats;
    int n_failures = 0;

    cr_assert_eq(append(archive, 1), 0);
    for (int i = 1;; i++) {
        faults.countdown = i;
        faults.error = error;
        int retval = append(archive, 2);
        if (!retval) {
            break;
        }
        cr_assert_eq(retval, error);
        n_failures++;
        faults.countdown = 0;
        check_archive(archive, 1, 1);
        expect_names("00000000000000000001.mlog");
        cr_expect_eq(append(archive, 3), EBUSY);
        mlog_archive_get_stats(archive, &stats);
        cr_expect_eq(stats.pending_records, 100);
        cr_expect_eq(mlog_archive_give_up(archive), 100);
        mlog_archive_get_stats(archive, &stats);
        cr_expect_eq(stats.pending_records, 0);
        cr_expect_eq(stats.lost_records, n_failures * 100);
        cr_expect_eq(stats.write_errors, n_failures);
    }
    cr_expect_geq(n_failures, 6, "open, write, fsync, rename, open, fsync");
    faults.countdown = 0;
    check_archive(archive, 1, 2);
    mlog_archive_close(archive);
}

Test(archive, a_failed_append_leaves_nothing_behind_enospc)
{
    check_failing_append(ENOSPC);
}

Test(archive, a_failed_append_leaves_nothing_behind_eio)
{
    check_failing_append(EIO);
}

Test(archive, a_failed_append_can_be_retried)
{
    struct mlog_archive *archive = open_archive(false);
    struct mlog_archive_stats stats;

    cr_expect_eq(mlog_archive_retry(archive), 0, "nothing to do");
    faults.countdown = 2;
    faults.error = ENOSPC;
    cr_assert_eq(append(archive, 1), ENOSPC);
    faults.countdown = 3;
    cr_assert_eq(mlog_archive_retry(archive), ENOSPC);
    cr_assert_eq(mlog_archive_retry(archive), 0);
    check_archive(archive, 1, 1);
    mlog_archive_get_stats(archive, &stats);
    cr_expect_eq(stats.write_errors, 2);
    cr_expect_eq(stats.lost_records, 0);
    cr_expect_eq(stats.pending_records, 0);
    mlog_archive_close(archive);
}

Test(archive, interruptions_and_short_writes_are_no_failures)
{
    struct mlog_archive *archive;

    faults.stutter = true;
    archive = open_archive(false);
    for (int seq = 1; seq <= 20; seq++) {
        cr_assert_eq(append(archive, seq), 0);
    }
    check_archive(archive, 1, 20);
    mlog_archive_close(archive);
    archive = open_archive(false);
    check_archive(archive, 1, 20);
    mlog_archive_close(archive);
}

/* A crash after any operation: nothing works any more, not even cleaning up.
 * What was announced is there the next time, whole, and what was not is
 * either there, whole, or not at all. */
Test(archive, after_a_crash_there_is_what_was_announced)
{
    uint64_t announced = 0;

    for (int i = 1; i < 40; i++) {
        struct mlog_archive *archive = open_archive(false);
        struct mlog_archive_stats stats;

        mlog_archive_get_stats(archive, &stats);
        cr_assert(stats.files == announced || stats.files == announced + 1);
        cr_assert_eq(stats.problems, 0);
        announced = stats.files;
        check_archive(archive, 1, announced);

        faults.countdown = i;
        faults.error = EIO;
        faults.for_ever = true;
        while (!append(archive, announced + 1)) {
            announced++;
        }
        faults.countdown = 0;
        mlog_archive_close(archive);
    }
    cr_expect_gt(announced, 50);
}

/* Damage. */

static void
damage(const char *name, off_t offset)
{
    int fd = open(path_of(name), O_RDWR);
    uint8_t byte;

    if (offset < 0) {
        offset += lseek(fd, 0, SEEK_END);
    }
    cr_assert_eq(pread(fd, &byte, 1, offset), 1);
    byte ^= 0x10;
    cr_assert_eq(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

Test(archive, damaged_files_are_set_aside_and_foreign_ones_left_alone)
{
    struct mlog_archive *archive = open_archive(false);
    struct mlog_archive_problem *problems;
    struct mlog_archive_stats stats;
    uint8_t header[AT_HEADER_CRC + 4];
    size_t n;

    for (int seq = 1; seq <= 8; seq++) {
        cr_assert_eq(append(archive, seq), 0);
    }
    mlog_archive_close(archive);
    damage("00000000000000000001.mlog", 30);
    damage("00000000000000000002.mlog", AT_INDEX + 20);
    damage("00000000000000000003.mlog", -1);
    cr_assert_eq(truncate(path_of("00000000000000000004.mlog"), 0), 0);
    cr_assert_eq(truncate(path_of("00000000000000000005.mlog"), 700), 0);
    char *six = xstrdup(path_of("00000000000000000006.mlog"));
    cr_assert_eq(rename(six, path_of("00000000000000000016.mlog")), 0);
    free(six);
    write_file("notes.txt", "x", 1);
    write_file("00000000000000000009.mlog.tmp", "x", 1);

    /* Of a newer version. */
    FILE *file = fopen(path_of("00000000000000000007.mlog"), "r+b");
    cr_assert_eq(fread(header, 1, sizeof header, file), sizeof header);
    header[AT_VERSION]++;
    write32(header + AT_HEADER_CRC, mlog_archive_crc(header, AT_HEADER_CRC));
    rewind(file);
    cr_assert_eq(fwrite(header, 1, sizeof header, file), sizeof header);
    fclose(file);

    /* Something that would let an open() wait. */
    cr_assert_eq(mkfifo(path_of("00000000000000000010.mlog"), 0600), 0);

    struct svec before = names();
    archive = open_archive(true);
    check_archive(archive, 8, 8);
    mlog_archive_close(archive);
    struct svec after = names();
    cr_expect(svec_equal(&before, &after), "read-only means that");

    archive = open_archive(false);
    check_archive(archive, 8, 8);
    expect_names("00000000000000000001.mlog.bad "
                 "00000000000000000002.mlog.bad "
                 "00000000000000000003.mlog.bad "
                 "00000000000000000004.mlog.bad "
                 "00000000000000000005.mlog.bad "
                 "00000000000000000007.mlog "
                 "00000000000000000008.mlog "
                 "00000000000000000010.mlog "
                 "00000000000000000016.mlog.bad "
                 "notes.txt");
    cr_expect_eq(mlog_archive_next_seq(archive), 17,
                 "no number is used again");
    problems = mlog_archive_get_problems(archive, &n);
    cr_assert_eq(n, 9);
    cr_expect_str_eq(problems[0].name, "00000000000000000001.mlog");
    cr_expect(strstr(problems[0].message, "checksum is wrong; renamed to "
                     "00000000000000000001.mlog.bad"), "%s",
              problems[0].message);
    cr_expect(strstr(problems[5].message, "version 2"));
    cr_expect(strstr(problems[7].message, "this is segment 6"));
    cr_expect_str_eq(problems[8].name, "notes.txt");
    mlog_archive_free_problems(problems, n);
    mlog_archive_get_stats(archive, &stats);
    cr_expect_eq(stats.problems, 9);
    mlog_archive_close(archive);
}

Test(archive, damage_that_shows_later_is_found_by_loading_and_verifying)
{
    struct mlog_archive *archive = open_archive(false);
    struct mlog_archive_list *list;
    struct mlog_archive_stats stats;
    char *message;

    cr_assert_eq(append(archive, 1), 0);
    cr_assert_eq(append(archive, 2), 0);
    cr_assert_eq(append(archive, 3), 0);
    damage("00000000000000000002.mlog", -40);
    damage("00000000000000000003.mlog", 50);

    list = mlog_archive_get_list(archive);
    cr_expect_eq(check_file(list->files[0]), 0);
    cr_expect_eq(check_file(list->files[1]), EBADMSG);
    cr_expect_eq(check_file(list->files[2]), 0, "the index is in memory");
    cr_expect_eq(mlog_archive_verify(list->files[0], NULL), 0);
    cr_expect_eq(mlog_archive_verify(list->files[1], NULL), EBADMSG);
    cr_assert_eq(mlog_archive_verify(list->files[2], &message), EBADMSG);
    cr_expect(strstr(message, "header's checksum"), "%s", message);
    mlog_archive_get_stats(archive, &stats);
    cr_expect_eq(stats.read_errors, 3);

    cr_expect_eq(mlog_archive_set_aside(archive, list->files[1], "oops"), 0);
    cr_expect_eq(mlog_archive_set_aside(archive, list->files[2], message), 0);
    check_archive(archive, 1, 1);
    mlog_archive_get_stats(archive, &stats);
    cr_expect_eq(stats.lost_records, 200);
    cr_expect_eq(stats.problems, 2);
    expect_names("00000000000000000001.mlog 00000000000000000002.mlog.bad "
                 "00000000000000000003.mlog.bad");
    mlog_archive_list_unref(list);
    mlog_archive_close(archive);
}

Test(archive, bits_that_flip_while_reading_are_noticed)
{
    struct mlog_archive *archive = open_archive(false);
    struct mlog_archive_list *list;

    cr_assert_eq(append(archive, 1), 0);
    list = mlog_archive_get_list(archive);
    faults.flip = true;
    cr_expect_eq(check_file(list->files[0]), EBADMSG);
    faults.flip = false;
    faults.countdown = 2;
    faults.error = EIO;
    cr_expect_eq(check_file(list->files[0]), EIO);
    cr_expect_eq(check_file(list->files[0]), 0);
    mlog_archive_list_unref(list);

    /* An error that goes away is no reason to rename the file. */
    mlog_archive_close(archive);
    faults.countdown = 2;
    archive = open_archive(false);
    cr_expect_eq(faults.countdown, 0);
    mlog_archive_close(archive);
    archive = open_archive(false);
    check_archive(archive, 1, 1);
    mlog_archive_close(archive);
}

/* Retention. */

static struct mlog_archive *
archive_of(int n)
{
    struct mlog_archive *archive = open_archive(false);

    for (int seq = 1; seq <= n; seq++) {
        cr_assert_eq(append(archive, seq), 0);
    }
    return archive;
}

Test(archive, retention_drops_the_oldest)
{
    struct mlog_archive *archive = archive_of(10);
    struct mlog_archive_dropped dropped = { .files = 0 };
    struct mlog_archive_stats stats;
    uint64_t now = BASE_TIME + UINT64_C(11000000000);
    struct mlog_archive_list *list = mlog_archive_get_list(archive);
    uint64_t bytes = 0;

    cr_expect_eq(mlog_archive_retain(archive, 0, 0, now, &dropped), 0);
    cr_expect_eq(dropped.files, 0);

    /* By age: segment n ends in the second n. */
    cr_expect_eq(mlog_archive_retain(archive, 0, UINT64_C(8000000000), now,
                                     &dropped), 0);
    check_archive(archive, 3, 10);
    cr_expect_eq(dropped.files, 2);
    cr_expect_eq(dropped.records, 200);
    cr_expect_eq(dropped.until, BASE_TIME + UINT64_C(2000099000));

    /* By bytes: room for three. */
    for (int i = 7; i < 10; i++) {
        bytes += mlog_archive_file_info(list->files[i])->file_size;
    }
    cr_expect_eq(mlog_archive_retain(archive, bytes, 0, now, &dropped), 0);
    check_archive(archive, 8, 10);
    cr_expect_eq(dropped.files, 7);
    mlog_archive_get_stats(archive, &stats);
    cr_expect_eq(stats.bytes, bytes);
    cr_expect_eq(stats.dropped.files, 7);
    cr_expect_eq(stats.dropped.records, 700);

    cr_expect_eq(mlog_archive_retain(archive, bytes - 1, 0, now, &dropped),
                 0);
    check_archive(archive, 9, 10);
    cr_expect_eq(mlog_archive_drop_before(
                     archive, BASE_TIME + UINT64_C(9000099000), &dropped), 0);
    check_archive(archive, 9, 10);
    cr_expect_eq(mlog_archive_drop_before(
                     archive, BASE_TIME + UINT64_C(9000099001), &dropped), 0);
    check_archive(archive, 10, 10);
    cr_expect_eq(mlog_archive_drop(archive, 9, &dropped), ENOENT);
    cr_expect_eq(mlog_archive_drop(archive, 10, &dropped), 0);
    cr_expect_eq(dropped.files, 10);
    expect_names("");
    cr_expect_eq(mlog_archive_next_seq(archive), 11);
    mlog_archive_list_unref(list);
    mlog_archive_close(archive);
}

Test(archive, what_cannot_be_removed_stays)
{
    struct mlog_archive *archive = archive_of(3);
    struct mlog_archive_dropped dropped = { .files = 0 };

    faults.countdown = 2;
    faults.error = EROFS;
    cr_expect_eq(mlog_archive_drop_before(archive, UINT64_MAX, &dropped),
                 EROFS);
    cr_expect_eq(dropped.files, 1);
    check_archive(archive, 2, 3);

    /* Somebody else was faster. */
    cr_assert_eq(unlink(path_of("00000000000000000002.mlog")), 0);
    cr_expect_eq(mlog_archive_drop_before(archive, UINT64_MAX, &dropped), 0);
    cr_expect_eq(dropped.files, 3);
    mlog_archive_close(archive);
}

Test(archive, what_is_loaded_outlives_its_file)
{
    struct mlog_archive *archive = archive_of(2);
    struct mlog_archive_list *list = mlog_archive_get_list(archive);
    struct mlog_archive_dropped dropped = { .files = 0 };
    struct mlog_archive_data *data, *other;
    char *message;

    cr_assert_eq(mlog_archive_load(list->files[0], &data, NULL), 0);
    cr_assert_eq(mlog_archive_drop_before(archive, UINT64_MAX, &dropped), 0);
    check_archive(archive, 1, 0);
    cr_expect_eq(mlog_archive_load(list->files[1], &other, &message), ENOENT);
    free(message);
    mlog_archive_list_unref(list);
    mlog_archive_close(archive);

    cr_assert_eq(mlog_archive_load_rows(data, NULL), 0);
    cr_expect_eq(data->rows[99].tcp_seq, 199);
    cr_expect_eq(data->info->seq, 1);
    other = mlog_archive_data_ref(data);
    mlog_archive_data_unref(data);
    cr_expect_eq(other->rows[0].tcp_seq, 100);
    mlog_archive_data_unref(other);
}

/* Readers while the writer appends and drops. */

static struct mlog_archive *shared;
static atomic_bool stop;

static void *
read_all(void *aux OVS_UNUSED)
{
    uint64_t *n = xzalloc(sizeof *n);
    bool stopped = false;

    while (!stopped) {
        struct mlog_archive_list *list = mlog_archive_get_list(shared);
        uint64_t last = 0;

        for (size_t i = 0; i < list->n; i++) {
            int error = check_file(list->files[i]);

            cr_assert(!error || error == ENOENT);
            cr_assert_gt(mlog_archive_file_info(list->files[i])->seq, last);
            last = mlog_archive_file_info(list->files[i])->seq;
            *n += !error;
        }
        mlog_archive_list_unref(list);
        atomic_read(&stop, &stopped);
    }
    return n;
}

Test(archive, readers_see_whole_segments_while_the_writer_works)
{
    struct mlog_archive_dropped dropped = { .files = 0 };
    pthread_t readers[2];

    shared = open_archive(false);
    cr_assert_eq(append(shared, 1), 0);
    for (int i = 0; i < 2; i++) {
        readers[i] = ovs_thread_create("reader", read_all, NULL);
    }
    for (int seq = 2; seq < 300; seq++) {
        cr_assert_eq(append(shared, seq), 0);
        if (seq > 5) {
            cr_assert_eq(mlog_archive_drop(shared, seq - 5, &dropped), 0);
        }
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++) {
        void *n;

        xpthread_join(readers[i], &n);
        cr_expect_gt(*(uint64_t *) n, 0);
        free(n);
    }
    mlog_archive_close(shared);
}

/* Ports. */

/* This process has other identifiers than the segment's. */
Test(archive, ports_of_an_earlier_process_are_found_by_name)
{
    struct mlog_archive_segment segment = random_segment(200, 20);
    struct ofpbuf file = encode_segment(&segment);
    unsigned int dp = mlog_ports_datapath("ovs-netdev");
    struct mlog_archive_port_map *map = xmalloc(sizeof *map);
    struct decoded d;

    /* Port 1 of the datapath, which was p0, has another name by now. */
    mlog_ports_add(dp, 7, "other");
    mlog_ports_add(dp, 1, "p0 again");
    mlog_ports_add(dp, 2, "p1");
    mlog_ports_set_ofp(dp, "p1", "br7", 77);

    cr_assert_null(decode_file(file.data, file.size, &d));
    cr_expect_eq(mlog_archive_map_ports(d.info, map), 0);
    mlog_archive_remap_keys(map, d.keys, d.info->n_flows);
    mlog_archive_remap_rows(map, d.rows, d.info->n_rows);

    for (uint32_t i = 0; i < d.info->n_rows; i++) {
        uint16_t was = mlog_row_out_port(&segment.rows[i]);
        uint16_t is = mlog_row_out_port(&d.rows[i]);

        cr_assert_eq(mlog_row_time(&d.rows[i]),
                     mlog_row_time(&segment.rows[i]));
        if (was < ARRAY_SIZE(archive_ports)) {
            cr_assert_str_eq(mlog_ports_name(is), archive_ports[was].name);
        } else {
            cr_assert_eq(is, MLOG_PORT_NONE);
        }
    }
    cr_expect_eq(mlog_ports_ofp(map->ids[0]), 10);
    cr_expect_str_eq(mlog_ports_bridge(map->ids[0]), "br0");
    cr_expect_eq(mlog_ports_ofp(map->ids[1]), 77, "it is there now");
    cr_expect_not(mlog_ports_is_alive(map->ids[0]));

    /* The datapath's ports of now are what they were. */
    cr_expect_str_eq(mlog_ports_name(mlog_ports_lookup(dp, 1)), "p0 again");
    cr_expect_eq(map->ids[1], mlog_ports_lookup(dp, 2));
    cr_expect(mlog_ports_is_alive(map->ids[1]));
}

Test(archive, ports_are_described_as_they_are_known)
{
    struct mlog_archive_segment segment = random_segment(200, 500);
    struct mlog_archive_port *ports;
    size_t n;

    setup_ports();
    ports = mlog_archive_used_ports(segment.rows, segment.n_rows,
                                    segment.keys, segment.n_flows, &n);
    cr_assert_eq(n, 3, "and none of MLOG_PORT_NONE or of unknown ones");
    for (size_t i = 0; i < n; i++) {
        cr_expect_eq(ports[i].id, i);
        cr_expect_str_eq(ports[i].datapath, "system");
        cr_expect_str_eq(ports[i].name, archive_ports[i].name);
        cr_expect_eq(ports[i].ofp, archive_ports[i].ofp);
        cr_expect_eq(ports[i].odp, i + 1);
    }
    free(ports);
}

/* Files with ever new ports must not use up what the switch itself needs. */
Test(archive, hostile_ports_leave_room_for_real_ones)
{
    size_t n_datapaths = 0, n_ports = 0;
    unsigned int dp;

    for (int i = 0; i < 200; i++) {
        char *name = xasprintf("x%d", i);

        n_datapaths += mlog_ports_add_past(name, 1, "p", NULL, 0)
                       != MLOG_PORT_NONE;
        free(name);
    }
    cr_expect_eq(n_datapaths, MLOG_MAX_DATAPATHS / 2);
    for (int i = 0; i < 70000; i++) {
        n_ports += mlog_ports_add_past("x0", i, "p", NULL, 0)
                   != MLOG_PORT_NONE;
    }
    cr_expect_gt(n_ports, 30000);
    cr_expect_lt(n_ports, 33000);
    dp = mlog_ports_datapath("netdev");
    cr_expect_lt(dp, MLOG_MAX_DATAPATHS);
    mlog_ports_add(dp, 1, "p0");
    cr_expect_str_eq(mlog_ports_name(mlog_ports_lookup(dp, 1)), "p0");
}
