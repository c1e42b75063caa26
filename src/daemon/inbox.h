/* Completed store requests on their way to the thread that submitted them. */
#ifndef DAEMON_INBOX_H
#define DAEMON_INBOX_H

#include <pthread.h>

#include "base/list.h"
#include "loop/loop.h"

struct inbox {
    struct loop *loop; /* borrowed */
    pthread_mutex_t lock;
    struct list completed;
    bool posted; /* a post is on its way to the loop */
    struct loop_post post;
};

void inbox_init(struct inbox *inbox, struct loop *loop);
/* No thread puts anything any more; what was put was taken. */
void inbox_deinit(struct inbox *inbox);
/* From any thread: takes the list's nodes; their `done` is called on the loop's thread. */
void inbox_put(struct inbox *inbox, struct list *completed);

#endif
