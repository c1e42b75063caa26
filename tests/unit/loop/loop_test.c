/* The event loop: descriptors, timers on a clock of the test's own, burials, posts under load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "loop/loop.h"

#define POSTERS 4
#define POSTS   20000

static struct {
    struct clock clock;
    uint64_t now;
} fake;

static uint64_t fake_mono(struct clock *c)
{
    (void)c;
    return fake.now;
}

static struct loop *loop;

static int set_up(void **state)
{
    (void)state;
    fake.clock.mono_ms = fake_mono;
    fake.now = 1000;
    return loop_new(&fake.clock, &loop);
}

static int tear_down(void **state)
{
    (void)state;
    loop_free(loop);
    loop_free(NULL);
    return 0;
}

struct end {
    struct loop_io io;
    struct loop_dead dead;
    struct end *other;
    unsigned calls;
    bool *freed;
};

static void end_free(struct loop_dead *dead)
{
    struct end *e = CONTAINER_OF(dead, struct end, dead);
    *e->freed = true;
    free(e);
}

/* Each end, when called, takes out and buries both: the other's event of the same turn must be skipped. */
static void end_ready(struct loop_io *io, uint32_t events)
{
    struct end *e = CONTAINER_OF(io, struct end, io);
    assert_true(events & EPOLLIN);
    e->calls++;
    loop_io_del(loop, &e->io);
    loop_io_del(loop, &e->other->io);
    loop_bury(loop, &e->dead, end_free);
    loop_bury(loop, &e->other->dead, end_free);
    assert_false(*e->freed);
    assert_int_equal(e->calls + e->other->calls, 1);
}

static void buries_at_the_turns_end(void **state)
{
    bool freed[2] = {false, false};
    struct end *e[2];
    int pipes[2][2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        e[i] = calloc(1, sizeof *e[i]);
        e[i]->freed = &freed[i];
        assert_int_equal(pipe2(pipes[i], O_NONBLOCK), 0);
        assert_int_equal(loop_io_add(loop, &e[i]->io, pipes[i][0], EPOLLIN, end_ready), ERR_NONE);
        assert_int_equal(write(pipes[i][1], "x", 1), 1);
    }
    e[0]->other = e[1];
    e[1]->other = e[0];
    loop_turn(loop, 0);
    assert_true(freed[0] && freed[1]);
    loop_turn(loop, 0);
    for (int i = 0; i < 4; i++)
        close(pipes[i / 2][i % 2]);
}

struct count {
    struct loop_io io;
    struct timer timer;
    struct loop_hook hook;
    unsigned calls;
};

static void count_ready(struct loop_io *io, uint32_t events)
{
    (void)events;
    CONTAINER_OF(io, struct count, io)->calls++;
}

static void descriptors_are_level_triggered(void **state)
{
    struct count c = {0};
    int p[2];
    (void)state;
    loop_io_init(&c.io);
    loop_io_del(loop, &c.io);
    assert_int_equal(loop_io_add(loop, &c.io, 9999, EPOLLIN, count_ready), ERR_IO);
    assert_int_equal(c.io.fd, -1);
    assert_int_equal(pipe2(p, O_NONBLOCK), 0);
    assert_int_equal(loop_io_add(loop, &c.io, p[0], EPOLLIN, count_ready), ERR_NONE);
    loop_turn(loop, 0);
    assert_int_equal(c.calls, 0);
    assert_int_equal(write(p[1], "x", 1), 1);
    loop_turn(loop, 0);
    loop_turn(loop, 0);
    assert_int_equal(c.calls, 2);
    assert_int_equal(loop_io_set(loop, &c.io, 0), ERR_NONE);
    loop_turn(loop, 0);
    assert_int_equal(c.calls, 2);
    assert_int_equal(loop_io_set(loop, &c.io, EPOLLIN), ERR_NONE);
    loop_turn(loop, -1);
    assert_int_equal(c.calls, 3);
    loop_io_del(loop, &c.io);
    loop_turn(loop, 0);
    assert_int_equal(c.calls, 3);
    close(p[0]);
    close(p[1]);
}

static void count_fire(struct timer *t)
{
    CONTAINER_OF(t, struct count, timer)->calls++;
}

static void timers_follow_the_clock(void **state)
{
    struct count c = {0};
    (void)state;
    timer_init(&c.timer, count_fire);
    timer_wheel_set_in(loop_wheel(loop), &c.timer, 50);
    fake.now += 49;
    loop_turn(loop, 0);
    assert_int_equal(c.calls, 0);
    assert_true(loop_now_ms(loop) == fake.now);
    fake.now += 1;
    loop_turn(loop, -1); /* due: must not sleep */
    assert_int_equal(c.calls, 1);
}

static void hook_call(struct loop_hook *hook)
{
    struct count *c = CONTAINER_OF(hook, struct count, hook);
    if (++c->calls == 3)
        loop_hook_remove(loop, hook);
}

static void hooks_run_each_turn(void **state)
{
    struct count c = {0};
    (void)state;
    loop_hook_remove(loop, &c.hook);
    loop_hook_add(loop, &c.hook, hook_call);
    for (int i = 0; i < 5; i++)
        loop_turn(loop, 0);
    assert_int_equal(c.calls, 3);
}

struct note {
    struct loop_post post;
    unsigned poster, number;
};

static unsigned next_number[POSTERS], done;

static void note_call(struct loop_post *post)
{
    struct note *n = CONTAINER_OF(post, struct note, post);
    assert_int_equal(n->number, next_number[n->poster]);
    next_number[n->poster]++;
    free(n);
    if (++done == POSTERS * POSTS)
        loop_stop(loop);
}

static void *poster_main(void *context)
{
    for (unsigned i = 0; i < POSTS; i++) {
        struct note *n = malloc(sizeof *n);
        *n = (struct note){.poster = (unsigned)(uintptr_t)context, .number = i};
        loop_post(loop, &n->post, note_call);
    }
    return NULL;
}

static void posts_keep_their_order_under_load(void **state)
{
    pthread_t threads[POSTERS];
    (void)state;
    for (uintptr_t i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, poster_main, (void *)i), 0);
    loop_run(loop);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(next_number[i], POSTS);
    }
}

static struct note self;
static unsigned self_calls;

static void self_call(struct loop_post *post)
{
    if (++self_calls < 3)
        loop_post(loop, post, self_call);
}

static void a_post_to_itself_waits_for_the_next_turn(void **state)
{
    (void)state;
    self_calls = 0;
    loop_post(loop, &self.post, self_call);
    assert_int_equal(self_calls, 0);
    for (unsigned i = 1; i <= 3; i++) {
        loop_turn(loop, -1);
        assert_int_equal(self_calls, i);
    }
    loop_turn(loop, 0);
    assert_int_equal(self_calls, 3);
}

static void stop_before_run_returns(void **state)
{
    (void)state;
    loop_stop(loop);
    loop_run(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(buries_at_the_turns_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(descriptors_are_level_triggered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(timers_follow_the_clock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hooks_run_each_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(posts_keep_their_order_under_load, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_post_to_itself_waits_for_the_next_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stop_before_run_returns, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
