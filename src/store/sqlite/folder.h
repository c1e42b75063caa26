/* The data folder: made for its owner alone, and held by one telexd at a time. */
#ifndef STORE_SQLITE_FOLDER_H
#define STORE_SQLITE_FOLDER_H

struct folder;

/* Makes DIR (0700) if it is missing, takes the lock on DIR/telexd.lock and makes DIR/telex.db (0600) if it is missing.
 * ERR_EXISTS: another process holds the lock. ERR_NOT_FOUND: the folder around it is missing. ERR_IO, ERR_NO_MEMORY. */
int folder_open(const char *dir, struct folder **ret_folder);
const char *folder_path(const struct folder *f);     /* DIR */
const char *folder_database(const struct folder *f); /* DIR/telex.db */
/* Gives the lock back. NULL is legal. */
void folder_close(struct folder *f);

#endif
