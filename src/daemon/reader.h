/* Reading values out of a YAML document, with mistakes that name the line and the key's path. Lists and maps are read
 * to their end, so that all mistakes are said at once; what was read is of no use after one. */
#ifndef DAEMON_READER_H
#define DAEMON_READER_H

#include <yaml.h>

#include "base/arena.h"
#include "base/slice.h"

/* Deepest path that is named, e.g. "auth.listeners.udp:127.0.0.1:5060". */
#define CONFIG_PATH_MAX 256
/* Elements of a list or map in the file: more is a mistake. */
#define CONFIG_ELEMENTS_MAX 10000u
/* Mistakes that are said: more are seldom read. */
#define CONFIG_MISTAKES_MAX 20u

struct reader {
    const char *file;
    yaml_document_t document;
    struct arena *arena; /* owns all that is read */
    char *message;       /* the mistakes, one a line, owned; NULL: none */
    unsigned mistakes;
};

/* A node and how to get there. */
struct place {
    yaml_node_t *node;
    char path[CONFIG_PATH_MAX];
};

/* Notes a mistake that has no place. */
void reader_note(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Notes a mistake at that place and returns ERR_MALFORMED. */
int reader_fail(struct reader *r, const struct place *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One key of a map that the schema knows. `into` is the caller's object. */
struct key {
    const char *name;
    int (*read)(struct reader *r, const struct place *at, void *into);
};
/* Reads a map whose keys are all in `keys`; an unknown or repeated one is an error. */
int reader_map(struct reader *r, const struct place *at, const struct key *keys, size_t count, void *into);
/* Calls `read` for each pair of a map with free keys, or each element of a list (key absent). A null value is an empty
 * one. */
int reader_pairs(struct reader *r, const struct place *at,
                 int (*read)(struct reader *r, const struct place *at, struct slice key, void *into), void *into);
int reader_list(struct reader *r, const struct place *at,
                int (*read)(struct reader *r, const struct place *at, size_t index, void *into), void *into);
/* Elements of a list or map; 0 for null. */
size_t reader_count(const struct reader *r, const struct place *at);
/* A scalar as text, living in the arena, with a NUL behind it. */
int reader_text(struct reader *r, const struct place *at, struct slice *ret);
int reader_number(struct reader *r, const struct place *at, uint64_t min, uint64_t max, uint64_t *ret);

#endif
