/* The driver for the simulator and tests. The content lies in content.c; here are the queue, the faults and the
 * posting. */
#include "store/memory/store_memory.h"

#include <stdlib.h>

#include "base/err.h"
#include "store/memory/content.h"

struct secret {
    struct secret *next;
    uint8_t value[STORE_SECRET_LEN];
    size_t name_len;
    char name[];
};

struct fault {
    size_t left;
    int result;
};

struct memory {
    struct store store;
    struct store_poster poster;
    struct random *random;
    struct content *content;
    struct secret *secrets;
    struct list queue;
    size_t waiting;
    bool is_full;
    struct fault appends, all;
};

static struct memory *memory_of(struct store *s)
{
    return CONTAINER_OF(s, struct memory, store);
}

static bool strikes(struct fault *f, int *ret_result)
{
    if (f->left == 0)
        return false;
    f->left--;
    *ret_result = f->result;
    return true;
}

static int apply(struct memory *m, struct store_request *r)
{
    int result;
    if (atomic_load(&r->withdrawn))
        return ERR_CLOSED;
    if (strikes(&m->all, &result))
        return result;
    if (r->op == STORE_APPEND && m->is_full)
        return ERR_FULL;
    if (r->op == STORE_APPEND && strikes(&m->appends, &result))
        return result;
    return content_apply(m->content, r);
}

size_t store_memory_run(struct store *s)
{
    struct memory *m = memory_of(s);
    struct list queue, mine;
    list_init(&queue);
    list_splice(&queue, &m->queue);
    size_t count = m->waiting;
    m->waiting = 0;
    LIST_EACH (n, &queue) {
        struct store_request *r = CONTAINER_OF(n, struct store_request, node);
        r->result = apply(m, r);
    }
    while (!list_is_empty(&queue)) {
        list_init(&mine);
        unsigned worker = CONTAINER_OF(list_first(&queue), struct store_request, node)->worker;
        LIST_EACH (n, &queue) {
            if (CONTAINER_OF(n, struct store_request, node)->worker != worker)
                continue;
            list_remove(n);
            list_push_back(&mine, n);
        }
        m->poster.post(m->poster.context, worker, &mine);
    }
    return count;
}

size_t store_memory_waiting(struct store *s)
{
    return memory_of(s)->waiting;
}

void store_memory_drop(struct store *s)
{
    struct memory *m = memory_of(s);
    while (list_pop_front(&m->queue))
        ;
    m->waiting = 0;
}

void store_memory_set_full(struct store *s, bool is_full)
{
    memory_of(s)->is_full = is_full;
}

void store_memory_fail_appends(struct store *s, size_t count, int result)
{
    memory_of(s)->appends = (struct fault){count, result};
}

void store_memory_fail_all(struct store *s, size_t count, int result)
{
    memory_of(s)->all = (struct fault){count, result};
}

/* --- struct store_ops --- */

static void memory_submit(struct store *s, struct store_request *r)
{
    struct memory *m = memory_of(s);
    list_push_back(&m->queue, &r->node);
    m->waiting++;
}

static void memory_withdraw(struct store *s, struct store_request *r)
{
    (void)s;
    atomic_store(&r->withdrawn, true);
}

static int memory_load(struct store *s, const struct store_loader *loader, void *context)
{
    content_load(memory_of(s)->content, loader, context);
    return ERR_NONE;
}

static int memory_secret(struct store *s, struct slice name, uint8_t out[STORE_SECRET_LEN])
{
    struct memory *m = memory_of(s);
    struct secret *secret = m->secrets;
    while (secret && !slice_eq(slice_make(secret->name, secret->name_len), name))
        secret = secret->next;
    if (!secret) {
        secret = malloc(sizeof *secret + name.len);
        if (!secret)
            return ERR_NO_MEMORY;
        random_fill(m->random, secret->value, sizeof secret->value);
        secret->name_len = name.len;
        memcpy(secret->name, name.ptr, name.len);
        secret->next = m->secrets;
        m->secrets = secret;
    }
    memcpy(out, secret->value, sizeof secret->value);
    return ERR_NONE;
}

static bool memory_is_full(struct store *s)
{
    return memory_of(s)->is_full;
}

static void memory_close(struct store *s)
{
    struct memory *m = memory_of(s);
    (void)store_memory_run(s);
    while (m->secrets) {
        struct secret *next = m->secrets->next;
        free(m->secrets);
        m->secrets = next;
    }
    content_free(m->content);
    free(m);
}

static const struct store_ops ops = {
    .submit = memory_submit,
    .withdraw = memory_withdraw,
    .load = memory_load,
    .secret = memory_secret,
    .is_full = memory_is_full,
    .close = memory_close,
};

int store_memory_open(const struct store_poster *poster, struct random *random, struct store **ret_store)
{
    struct memory *m = calloc(1, sizeof *m);
    struct content *content = content_new();
    if (!m || !content) {
        free(m);
        content_free(content);
        return ERR_NO_MEMORY;
    }
    m->store.ops = &ops;
    m->poster = *poster;
    m->random = random;
    m->content = content;
    list_init(&m->queue);
    *ret_store = &m->store;
    return ERR_NONE;
}
