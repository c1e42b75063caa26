/* The turn of the loop and its descriptors. */
#include "loop/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

/* Descriptors handled in one turn: enough to batch well, few enough that timers are not kept waiting. */
#define LOOP_EVENTS_PER_TURN 256

struct loop {
    int epoll;
    struct clock *clock;
    struct timer_wheel wheel;
    struct list hooks;
    struct loop_dead *dead;
    struct loop_io wake; /* eventfd: posts are waiting, or stop was asked for */
    _Atomic(struct loop_post *) posts;
    atomic_bool stop;
    struct epoll_event events[LOOP_EVENTS_PER_TURN];
};

/* Takes all posts at once; the stack holds the newest first. */
static void call_posts(struct loop *l)
{
    struct loop_post *newest = atomic_exchange_explicit(&l->posts, NULL, memory_order_acquire);
    struct loop_post *oldest = NULL;
    while (newest) {
        struct loop_post *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct loop_post *next = oldest->next;
        oldest->call(oldest);
        oldest = next;
    }
}

static void woken(struct loop_io *io, uint32_t events)
{
    struct loop *l = CONTAINER_OF(io, struct loop, wake);
    uint64_t count;
    (void)events;
    /* Read before the posts are taken: one that comes after is woken for again. */
    if (read(io->fd, &count, sizeof count) < 0 && errno != EAGAIN)
        LOG(LOG_ERROR, "loop-wake-failed", LOG_FIELD("error", slice_str(strerror(errno))));
    call_posts(l);
}

static void wake(struct loop *l)
{
    static const uint64_t one = 1;
    /* Fails only when 2^64-2 wake-ups are pending: then it is awake already. */
    ssize_t n = write(l->wake.fd, &one, sizeof one);
    (void)n;
}

int loop_new(struct clock *clock, struct loop **ret)
{
    struct loop *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NO_MEMORY;
    l->clock = clock;
    list_init(&l->hooks);
    timer_wheel_init(&l->wheel, clock_mono_ms(clock));
    loop_io_init(&l->wake);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (l->epoll < 0 || fd < 0 || loop_io_add(l, &l->wake, fd, EPOLLIN, woken) != ERR_NONE) {
        if (l->epoll >= 0)
            close(l->epoll);
        if (fd >= 0)
            close(fd);
        free(l);
        return ERR_IO;
    }
    *ret = l;
    return ERR_NONE;
}

static void reap(struct loop *l)
{
    while (l->dead) {
        struct loop_dead *dead = l->dead;
        l->dead = dead->next;
        dead->free(dead);
    }
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    reap(l);
    close(l->wake.fd);
    close(l->epoll);
    free(l);
}

struct timer_wheel *loop_wheel(struct loop *l)
{
    return &l->wheel;
}

uint64_t loop_now_ms(const struct loop *l)
{
    return l->wheel.now_ms;
}

struct clock *loop_clock(const struct loop *l)
{
    return l->clock;
}

static int wait_ms(const struct loop *l, int max_wait_ms)
{
    uint64_t next = timer_wheel_next(&l->wheel), now = clock_mono_ms(l->clock);
    if (next == UINT64_MAX)
        return max_wait_ms;
    uint64_t wait = next > now ? next - now : 0;
    if (max_wait_ms >= 0 && wait > (uint64_t)max_wait_ms)
        return max_wait_ms;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

void loop_turn(struct loop *l, int max_wait_ms)
{
    int count = epoll_wait(l->epoll, l->events, LOOP_EVENTS_PER_TURN, wait_ms(l, max_wait_ms));
    if (count < 0 && errno != EINTR)
        LOG(LOG_ERROR, "loop-wait-failed", LOG_FIELD("error", slice_str(strerror(errno))));
    /* Timers first: what the callbacks below set counts from the time after the sleep. */
    timer_wheel_advance(&l->wheel, clock_mono_ms(l->clock));
    for (int i = 0; i < count; i++) {
        struct loop_io *io = l->events[i].data.ptr;
        if (io->fd >= 0) /* an earlier callback may have taken it out */
            io->ready(io, l->events[i].events);
    }
    LIST_EACH (n, &l->hooks) {
        struct loop_hook *hook = CONTAINER_OF(n, struct loop_hook, node);
        hook->call(hook);
    }
    reap(l);
}

void loop_run(struct loop *l)
{
    do {
        loop_turn(l, -1);
    } while (!atomic_load(&l->stop));
    atomic_store(&l->stop, false);
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stop, true);
    wake(l);
}

int loop_io_add(struct loop *l, struct loop_io *io, int fd, uint32_t events,
                void (*ready)(struct loop_io *io, uint32_t events))
{
    struct epoll_event event = {.events = events, .data.ptr = io};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return ERR_IO;
    *io = (struct loop_io){fd, events, ready};
    return ERR_NONE;
}

int loop_io_set(struct loop *l, struct loop_io *io, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = io};
    if (events == io->events)
        return ERR_NONE;
    if (epoll_ctl(l->epoll, EPOLL_CTL_MOD, io->fd, &event) != 0)
        return ERR_IO;
    io->events = events;
    return ERR_NONE;
}

void loop_io_del(struct loop *l, struct loop_io *io)
{
    if (io->fd >= 0)
        (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, io->fd, NULL);
    io->fd = -1;
}

void loop_hook_add(struct loop *l, struct loop_hook *hook, void (*call)(struct loop_hook *hook))
{
    hook->call = call;
    list_push_back(&l->hooks, &hook->node);
}

void loop_hook_remove(struct loop *l, struct loop_hook *hook)
{
    (void)l;
    list_remove(&hook->node);
}

void loop_bury(struct loop *l, struct loop_dead *dead, void (*free)(struct loop_dead *dead))
{
    dead->free = free;
    dead->next = l->dead;
    l->dead = dead;
}

void loop_post(struct loop *l, struct loop_post *post, void (*call)(struct loop_post *post))
{
    struct loop_post *head = atomic_load_explicit(&l->posts, memory_order_relaxed);
    post->call = call;
    do {
        post->next = head;
    } while (
        !atomic_compare_exchange_weak_explicit(&l->posts, &head, post, memory_order_release, memory_order_relaxed));
    /* Whoever finds it empty wakes the loop; the others' posts lie there when it comes. */
    if (!head)
        wake(l);
}
