/* telex_sim: runs the server core with three phones under seeds and holds each run against the contract.
 *   telex_sim --seeds 3000 [--from 1]     that many seeds
 *   telex_sim --seed 17                   one, with its story */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "phone.h"
#include "world.h"

/* Virtual time: half a minute to sign in, four minutes of trouble, then quiet; backoff is at most 5 minutes. */
#define SETTLE_MS  30000u
#define TROUBLE_MS 240000u
#define QUIET_MS   1200000u
#define STEP_MS    3000u

static uint64_t below(struct world *w, uint64_t bound)
{
    return random_below(&w->random.base, bound);
}

static void make_trouble(struct world *w)
{
    w->air.loss_percent = below(w, 2) ? (unsigned)below(w, 30) : 0;
    w->air.repeat_percent = (unsigned)below(w, 20);
    w->air.delay_max_ms = 1 + (unsigned)below(w, 400);
    w->checker.may_repeat = w->air.loss_percent > 0;
}

/* One step of trouble: somebody writes, goes, comes back; the server dies. */
static void step(struct world *w, bool may_kill)
{
    struct phone *p = w->phones[below(w, WORLD_PHONES)];
    switch (below(w, 8)) {
    case 0:
        w->checker.may_repeat = true;
        phone_set_away(p, true);
        break;
    case 1:
        phone_set_away(p, false);
        break;
    case 2:
        if (may_kill && w->is_up) {
            w->checker.may_repeat = true;
            world_kill(w);
        } else if (!w->is_up) {
            world_start(w);
        }
        break;
    default:
        phone_send(p, (unsigned)below(w, 2));
        break;
    }
}

static void end_trouble(struct world *w)
{
    w->air.loss_percent = w->air.repeat_percent = 0;
    if (!w->is_up)
        world_start(w);
    for (unsigned i = 0; i < WORLD_PHONES; i++)
        phone_set_away(w->phones[i], false);
}

static uint64_t count_queued(struct world *w)
{
    uint64_t queued = 0;
    for (unsigned i = 0; i < WORLD_WORKERS; i++) {
        struct server_counters c;
        server_counters(w->workers[i].server, &c);
        queued += c.queued;
    }
    return queued;
}

static bool is_quiet(struct world *w)
{
    for (unsigned i = 0; i < WORLD_PHONES; i++)
        if (!phone_is_quiet(w->phones[i]))
            return false;
    return count_queued(w) == 0;
}

static bool run_seed(uint64_t seed, bool tells_story)
{
    struct world *w = world_new(seed, tells_story);
    for (unsigned i = 0; i < WORLD_PHONES; i++)
        phone_register(w->phones[i]);
    world_run(w, SETTLE_MS);
    make_trouble(w);
    bool may_kill = below(w, 3) == 0;
    while (w->now_ms < SETTLE_MS + TROUBLE_MS) {
        world_run(w, w->now_ms + 1 + below(w, 2 * STEP_MS));
        step(w, may_kill);
    }
    end_trouble(w);
    uint64_t deadline = w->now_ms + QUIET_MS;
    do
        world_run(w, w->now_ms + STEP_MS);
    while (!is_quiet(w) && w->now_ms < deadline);
    world_run(w, w->now_ms + SETTLE_MS);
    checker_finish(&w->checker);
    if (!w->checker.failed && count_queued(w)) {
        w->checker.failed = true;
        (void)snprintf(w->checker.why, sizeof w->checker.why, "a queue did not drain");
    }
    bool passed = !w->checker.failed;
    if (!passed)
        printf("seed %llu: %s\n  run it alone: telex_sim --seed %llu\n", (unsigned long long)seed, w->checker.why,
               (unsigned long long)seed);
    world_free(w);
    return passed;
}

static uint64_t number(const char *text)
{
    uint64_t n;
    if (slice_to_u64(slice_str(text), UINT32_MAX, &n) != ERR_NONE) {
        (void)fprintf(stderr, "telex_sim: '%s' is not a number\n", text);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seeds", required_argument, NULL, 'n'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"seed", required_argument, NULL, 's'},
                                            {0}};
    uint64_t seeds = 1000, from = 1;
    bool story = false;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == '?')
            return 2;
        if (o == 'n')
            seeds = number(optarg);
        else
            from = number(optarg);
        if (o == 's') {
            seeds = 1;
            story = true;
        }
    }
    unsigned failed = 0;
    for (uint64_t seed = from; seed < from + seeds && failed < 5; seed++)
        failed += !run_seed(seed, story);
    printf("simulation: %llu seeds, %u failed\n", (unsigned long long)seeds, failed);
    return failed ? 1 : 0;
}
