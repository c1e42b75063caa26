/* A conversation with telexd over DIR/telexd.sock: see daemon/control.h for the lines. */
#ifndef TELEXCTL_CLIENT_H
#define TELEXCTL_CLIENT_H

#include <jansson.h>

struct client;

/* Exit codes of telexctl. */
enum telexctl_exit {
    TELEXCTL_EXIT_OK = 0,
    TELEXCTL_EXIT_REFUSED = 1,    /* telexd said no, or something at this end failed */
    TELEXCTL_EXIT_USAGE = 2,      /* wrong arguments */
    TELEXCTL_EXIT_NOT_RUNNING = 3 /* no telexd at that data folder */
};

/* Says on standard error why not. */
enum telexctl_exit telexctl_client_open(const char *data, struct client **ret);
void telexctl_client_close(struct client *c);
/* Sends `request` (taken) and reads the whole answer. Items go to `item`, borrowed; the last line is *ret_answer, owned
 * by the caller. A refusal is said on standard error. */
enum telexctl_exit telexctl_client_ask(struct client *c, json_t *request, void (*item)(void *context, json_t *item),
                                       void *context, json_t **ret_answer);

#endif
