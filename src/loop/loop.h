/* One thread's event loop: descriptors (epoll, level-triggered), timers, posts from other threads. A turn is: wait,
 * timers, descriptors and posts, hooks, burials. Everything but loop_post and loop_stop belongs to the one thread that
 * runs the loop. No callback comes before the call that registered it returned. */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdatomic.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/timer_wheel.h"

struct loop;

/* Borrows `clock` for its life. Returns ERR_NONE, ERR_NO_MEMORY or ERR_IO. */
int loop_new(struct clock *clock, struct loop **ret);
/* Buries what waits to be buried; forgets descriptors, hooks and timers; posts that were not called are dropped, so who
 * posts owned memory runs loop_turn until it is quiet before. */
void loop_free(struct loop *l);
/* The wheel; its now_ms is the time at which this turn began. */
struct timer_wheel *loop_wheel(struct loop *l);
uint64_t loop_now_ms(const struct loop *l);
struct clock *loop_clock(const struct loop *l);

/* Runs turns until loop_stop; a stop that came before makes it return after one turn. */
void loop_run(struct loop *l);
/* One turn that waits at most `max_wait_ms` (negative: until something happens). */
void loop_turn(struct loop *l, int max_wait_ms);
/* From any thread, and from a signal handler. */
void loop_stop(struct loop *l);

/* --- descriptors --- */

/* Lives inside the caller's record; that record is freed by loop_bury only, since later events of this turn may still
 * name it. The loop never closes the descriptor. */
struct loop_io {
    int fd; /* -1: not added */
    uint32_t events;
    void (*ready)(struct loop_io *io, uint32_t events);
};

static inline void loop_io_init(struct loop_io *io)
{
    *io = (struct loop_io){.fd = -1};
}
/* `events`: EPOLLIN, EPOLLOUT ...; EPOLLERR and EPOLLHUP always come. Returns ERR_NONE or ERR_IO. */
int loop_io_add(struct loop *l, struct loop_io *io, int fd, uint32_t events,
                void (*ready)(struct loop_io *io, uint32_t events));
/* Changes what is waited for. Returns ERR_NONE or ERR_IO. */
int loop_io_set(struct loop *l, struct loop_io *io, uint32_t events);
/* No callback comes afterwards. Legal when not added. Call it before the descriptor is closed. */
void loop_io_del(struct loop *l, struct loop_io *io);

/* --- the end of the turn --- */

/* Called once a turn after all callbacks, before the loop sleeps: to flush what was batched. */
struct loop_hook {
    struct list_node node;
    void (*call)(struct loop_hook *hook);
};

void loop_hook_add(struct loop *l, struct loop_hook *hook, void (*call)(struct loop_hook *hook));
/* Legal when not added, and inside any callback but another hook's. */
void loop_hook_remove(struct loop *l, struct loop_hook *hook);

/* Never free the one who is calling: take it out of sight, and bury it. `free` is called once at the turn's end. */
struct loop_dead {
    struct loop_dead *next;
    void (*free)(struct loop_dead *dead);
};

void loop_bury(struct loop *l, struct loop_dead *dead, void (*free)(struct loop_dead *dead));

/* --- between threads --- */

/* Lives inside the message that is handed over; `call` runs on the loop's thread and owns it from then on. */
struct loop_post {
    struct loop_post *next;
    void (*call)(struct loop_post *post);
};

/* From any thread, also the loop's own. Posts of one thread are called in the order they were posted; many posts in
 * one turn cost one wake-up. Never fails, allocates nothing. */
void loop_post(struct loop *l, struct loop_post *post, void (*call)(struct loop_post *post));

#endif
