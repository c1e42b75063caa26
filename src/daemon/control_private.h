/* What a command of the control socket works with. Each command is one function that is given a call, and answers it
 * once, at once or later, on the main thread. */
#ifndef DAEMON_CONTROL_PRIVATE_H
#define DAEMON_CONTROL_PRIVATE_H

#include <jansson.h>

#include "base/buf.h"
#include "daemon/control.h"

struct control_session;

struct control_call {
    struct list_node node; /* in its control */
    struct control *control;
    struct daemon *daemon;
    struct control_session *session; /* NULL: nobody waits for the answer any more */
    json_t *request;
};

struct control_command {
    const char *name;
    void (*run)(struct control_call *call);
};

/* By name; NULL: no such command. */
const struct control_command *control_table_find(const char *name);

/* True while no request may begin more work: the daemon stops. */
bool control_is_stopping(const struct control_call *call);
/* One line of a list. Takes `item`; NULL (no memory for it) fails the answer. */
void control_item(struct control_call *call, json_t *item);
/* The last line, and the end of the call. `fields`: NULL or an object, taken. */
void control_ok(struct control_call *call, json_t *fields);
void control_refuse(struct control_call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A text of the request; absent when it is not there or no text. */
struct slice control_text(const struct control_call *call, const char *key);
uint64_t control_number(const struct control_call *call, const char *key);
/* JSON texts are UTF-8: other octets become U+FFFD. */
json_t *control_json_text(struct slice s);

#endif
