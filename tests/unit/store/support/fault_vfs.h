/* A VFS around SQLite's default one that counts and fails what tests ask for. One for the whole process. */
#ifndef TESTS_STORE_FAULT_VFS_H
#define TESTS_STORE_FAULT_VFS_H

#include <stdatomic.h>
#include <stdbool.h>

#define FAULT_VFS_NAME "telex-fault"

struct fault_vfs {
    atomic_int log_syncs;   /* how often the write-ahead log was synced */
    atomic_int fail_syncs;  /* that many syncs of any file fail from now on */
    atomic_int skip_syncs;  /* but so many succeed before */
    atomic_int full_writes; /* that many writes find the disk full */
    atomic_int fail_opens;
};
extern struct fault_vfs fault_vfs;

/* Registers it once and clears all faults and counts. */
void fault_vfs_reset(void);

#endif
