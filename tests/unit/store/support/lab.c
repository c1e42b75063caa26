#include "support/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "support/fault_vfs.h"
#include "support/snapshot.h"

unsigned long lab_blocks, lab_blocks_free;

static int lab_statvfs(const char *path, struct statvfs *out)
{
    (void)path;
    *out = (struct statvfs){.f_frsize = 1024, .f_blocks = lab_blocks, .f_bavail = lab_blocks_free};
    return 0;
}

static uint64_t mono(struct clock *c)
{
    return CONTAINER_OF(c, struct lab, clock)->mono_ms;
}
static int64_t wall(struct clock *c)
{
    return CONTAINER_OF(c, struct lab, clock)->wall_ms;
}

void lab_init(struct lab *l)
{
    *l = (struct lab){.clock = {mono, wall}, .mono_ms = 5000, .wall_ms = 1700000000000};
    (void)snprintf(l->dir, sizeof l->dir, "/tmp/telex-store-test-XXXXXX");
    assert_non_null(mkdtemp(l->dir));
    (void)snprintf(l->path, sizeof l->path, "%s/telex.db", l->dir);
    l->options = (struct batch_options){
        .folder = l->dir, .path = l->path, .vfs = FAULT_VFS_NAME, .clock = &l->clock, .statvfs = lab_statvfs};
    lab_blocks = lab_blocks_free = 100ul << 20;
    fault_vfs_reset();
}

void lab_open(struct lab *l)
{
    assert_int_equal(batch_open(&l->options, &l->batch), ERR_NONE);
}

void lab_restart(struct lab *l)
{
    batch_close(l->batch);
    lab_open(l);
}

void lab_deinit(struct lab *l)
{
    char path[128];
    batch_close(l->batch);
    (void)unlink(l->path);
    (void)snprintf(path, sizeof path, "%s-wal", l->path);
    (void)unlink(path);
    assert_int_equal(rmdir(l->dir), 0);
}

void lab_apply(struct lab *l, struct store_request *requests, size_t count)
{
    struct list all;
    list_init(&all);
    for (size_t i = 0; i < count; i++)
        list_push_back(&all, &requests[i].node);
    batch_apply(l->batch, &all);
    size_t left = 0;
    while (list_pop_front(&all))
        left++;
    assert_int_equal(left, count);
}

int lab_do(struct lab *l, struct store_request *r)
{
    lab_apply(l, r, 1);
    return r->result;
}

void lab_pass(struct lab *l, uint64_t ms)
{
    l->mono_ms += ms;
    l->wall_ms += (int64_t)ms;
}

void lab_maintain(struct lab *l, bool is_idle)
{
    int rounds = 0;
    while (batch_maintain(l->batch, is_idle) == 0)
        assert_true(++rounds < 10000);
}

int64_t lab_account(struct lab *l, const char *aor)
{
    struct store_request r = {.op = STORE_ACCOUNT_PUT, .put = {.aor = slice_str(aor)}};
    assert_int_equal(lab_do(l, &r), ERR_NONE);
    return r.put.id;
}

char *lab_snapshot(struct lab *l)
{
    struct buf b;
    buf_init(&b, 64 << 20);
    assert_int_equal(batch_load(l->batch, &snapshot_loader, &b), ERR_NONE);
    buf_append_char(&b, '\0');
    assert_true(buf_ok(&b));
    size_t len;
    return buf_take(&b, &len);
}

size_t lab_count(struct lab *l, const char *word)
{
    char *all = lab_snapshot(l);
    size_t count = 0;
    for (char *line = all; *line; line = strchr(line, '\n') + 1)
        count += strncmp(line, word, strlen(word)) == 0;
    free(all);
    return count;
}
