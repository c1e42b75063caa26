/* The configuration file: YAML through a schema, checked, and turned into what the server core and the net need. One
 * object is one immutable snapshot; a reload makes another. */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include "base/arena.h"
#include "net/net.h"
#include "server/config.h"

/* Listeners and this machine's addresses at their ports: this many are "us". */
#define CONFIG_US_MAX 1024u

struct config {
    struct server_config server;    /* listeners' ports are 0 where the kernel picks, until config_set_bound */
    struct net_listener *listeners; /* same order as server.listeners */
    size_t listener_count;          /* server.listener_count may be greater: this machine's addresses follow */
    struct network *exempt;         /* trusted and relays: free of the net's caps per source */
    size_t exempt_count;
    const char *data;     /* folder */
    bool data_is_builtin; /* nobody named it */
    const char *file;     /* where it was read from; NULL: built in */
    struct arena arena;   /* owns all of it */
};

/* Reads `file`, or the built-in default when NULL. `data` (NULL: the file's) overrides the data folder. On failure
 * returns ERR_MALFORMED, ERR_IO or ERR_NO_MEMORY and leaves a message that names the line and the key's path
 * ("telex.yaml:7: listen[2]: port 99999 is out of range") in *ret_message, which the caller frees; several mistakes
 * stand in a line each. */
int config_load(const char *file, const char *data, struct config **ret, char **ret_message);
void config_free(struct config *c);
/* Writes the whole configuration with defaults as YAML to `out` (--print-config). */
void config_print(const struct config *c, struct buf *out);
/* "udp:127.0.0.1:5060" */
void config_print_listener(const struct config *c, size_t i, struct buf *out);
/* The address that listener `i` is really bound to; also adds this machine's addresses for one bound to any, so that
 * they count as us. */
int config_set_bound(struct config *c, size_t i, const struct address *bound);
/* For a reload: `c` gets the addresses that `running` is bound to. When it asks for other listeners, it gets all that
 * `running` says of them, and *ret_differs is true. ERR_NO_MEMORY, ERR_IO. */
int config_keep_listeners(struct config *c, const struct config *running, bool *ret_differs);

#endif
