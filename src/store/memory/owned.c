/* Copies of the records of store.h that own their texts. */
#include "store/memory/owned.h"

#include <stdlib.h>

/* Replaces a borrowed slice by a copy; absent stays absent. False without memory: then it is absent. */
static bool own(struct slice *s)
{
    if (!slice_is_set(*s))
        return true;
    char *copy = malloc(s->len ? s->len : 1);
    if (copy)
        memcpy(copy, s->ptr, s->len);
    *s = copy ? slice_make(copy, s->len) : SLICE_NONE;
    return copy != NULL;
}

static void disown(struct slice s)
{
    free((void *)(uintptr_t)s.ptr);
}

/* Owns all of `list`; on failure none of them, and all are absent. */
static bool own_all(struct slice *const *list, size_t count)
{
    size_t owned = 0;
    while (owned < count && own(list[owned]))
        owned++;
    if (owned == count)
        return true;
    for (size_t i = 0; i < owned; i++)
        disown(*list[i]);
    for (size_t i = 0; i < count; i++)
        *list[i] = SLICE_NONE;
    return false;
}

bool owned_account_take(struct store_account *a)
{
    struct slice *const all[] = {&a->aor, &a->name, &a->extra};
    return own_all(all, sizeof all / sizeof all[0]);
}

void owned_account_free(const struct store_account *a)
{
    disown(a->aor);
    disown(a->name);
    disown(a->extra);
}

bool owned_device_take(struct store_device *d)
{
    struct slice *const all[] = {&d->key, &d->features};
    return own_all(all, sizeof all / sizeof all[0]);
}

void owned_device_free(const struct store_device *d)
{
    disown(d->key);
    disown(d->features);
}

bool owned_binding_take(struct store_binding *b)
{
    struct slice *const all[] = {&b->contact, &b->params, &b->path, &b->call_id, &b->user_agent, &b->allow};
    return own_all(all, sizeof all / sizeof all[0]);
}

void owned_binding_free(const struct store_binding *b)
{
    disown(b->contact);
    disown(b->params);
    disown(b->path);
    disown(b->call_id);
    disown(b->user_agent);
    disown(b->allow);
}

bool owned_entry_take(struct store_entry *e)
{
    struct slice *const all[] = {&e->sender, &e->headers, &e->body};
    return own_all(all, sizeof all / sizeof all[0]);
}

void owned_entry_free(const struct store_entry *e)
{
    disown(e->sender);
    disown(e->headers);
    disown(e->body);
}
