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


#ifndef MLOG_STORE_H
#define MLOG_STORE_H 1

/* Memory that survives
 * ====================
 *
 * What the MultiLog holds lies in mapped files of one directory, so that it
 * outlives the process, however that ends: the next process that opens the
 * directory finds everything that was stored to memory.  It does not outlive
 * the system: files are never written back on purpose.  The directory may be
 * on tmpfs, on hugetlbfs or on a disk.
 *
 * A store without a directory is volatile: the same calls give anonymous
 * memory, and there is nothing to be found in it.  So the code that uses a
 * store doesn't distinguish the two.
 *
 * Memory of a file is reserved when the file is made, or creation fails with
 * ENOSPC: later stores to it don't fail for lack of space.
 *
 * Thread-safety
 * =============
 *
 * mlog_store_open() and mlog_store_close() are for one thread; the other
 * functions may be called from any thread, but for one name from one thread
 * at a time. */

#include <stdbool.h>
#include <stddef.h>

struct mlog_store;
struct svec;

/* Memory of a store, page-aligned. */
struct mlog_mapping {
    void *data;                 /* NULL if there is none. */
    size_t size;
    bool huge;                  /* In pages of hugetlbfs. */
};

/* Opens the directory 'dir', making it if it isn't there; NULL gives a
 * volatile store.
 *
 * Never fails: if the directory cannot be used, or another process uses it,
 * the store is volatile and mlog_store_problem() says why. */
struct mlog_store *mlog_store_open(const char *dir);
void mlog_store_close(struct mlog_store *);

bool mlog_store_is_volatile(const struct mlog_store *);
const char *mlog_store_dir(const struct mlog_store *);  /* NULL: volatile. */
const char *mlog_store_problem(const struct mlog_store *);  /* Or NULL. */

/* Makes file 'name', of 'size' bytes (rounded up to pages), all zero,
 * replacing one that is there.  With 'huge' it goes to a hugetlbfs if the
 * system has one mounted with enough free pages, else beside the others.
 * Returns 0 or a positive errno value. */
int mlog_store_create(struct mlog_store *, const char *name, size_t size,
                      bool huge, struct mlog_mapping *);

/* Maps file 'name' as a whole.  Returns 0, ENOENT, or another positive errno
 * value. */
int mlog_store_load(struct mlog_store *, const char *name,
                    struct mlog_mapping *);

void mlog_store_unmap(struct mlog_mapping *);

/* These do nothing if there is no such file. */
void mlog_store_rename(struct mlog_store *, const char *from, const char *to);
void mlog_store_remove(struct mlog_store *, const char *name);

/* Adds the names of all files to 'names'. */
void mlog_store_list(struct mlog_store *, struct svec *names);

/* Moves all files out of the way, into the subdirectory "bad", for a person to
 * look at; what was there is deleted.  Nothing may be mapped. */
void mlog_store_set_aside(struct mlog_store *);

/* Appends the identifier of the running system, which changes with each boot,
 * to 'id'. */
#define MLOG_BOOT_ID_SIZE 40
void mlog_store_boot_id(char id[MLOG_BOOT_ID_SIZE]);

#endif /* mlog-store.h */
