/* The schema reader over libyaml's document: see reader.h. */
#include "daemon/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

static void note(struct reader *r, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void note(struct reader *r, const char *format, va_list args)
{
    char *text, *all;
    if (r->mistakes++ >= CONFIG_MISTAKES_MAX || vasprintf(&text, format, args) < 0)
        return;
    if (r->message && asprintf(&all, "%s\n%s", r->message, text) < 0) {
        free(text);
        return;
    }
    if (r->message) {
        free(r->message);
        free(text);
        r->message = all;
    } else {
        r->message = text;
    }
}

void reader_note(struct reader *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note(r, format, args);
    va_end(args);
}

int reader_fail(struct reader *r, const struct place *at, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    reader_note(r, "%s:%zu: %s%s%s", r->file, at->node->start_mark.line + 1, at->path, at->path[0] ? ": " : "", text);
    return ERR_MALFORMED;
}

static struct place below(const struct place *at, yaml_node_t *node, const char *separator, struct slice name)
{
    struct place p = {.node = node};
    (void)snprintf(p.path, sizeof p.path, "%s%s%.*s", at->path, at->path[0] ? separator : "", SLICE_ARG(name));
    return p;
}

static struct slice scalar(const yaml_node_t *n)
{
    return slice_make((const char *)n->data.scalar.value, n->data.scalar.length);
}

static bool is_null(const yaml_node_t *n)
{
    if (n->type != YAML_SCALAR_NODE || n->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    return !n->data.scalar.length || slice_eq(scalar(n), SLICE("~")) || slice_eq(scalar(n), SLICE("null"));
}

size_t reader_count(const struct reader *r, const struct place *at)
{
    const yaml_node_t *n = at->node;
    (void)r;
    if (n->type == YAML_SEQUENCE_NODE)
        return (size_t)(n->data.sequence.items.top - n->data.sequence.items.start);
    if (n->type == YAML_MAPPING_NODE)
        return (size_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start);
    return 0;
}

int reader_pairs(struct reader *r, const struct place *at,
                 int (*read)(struct reader *r, const struct place *at, struct slice key, void *into), void *into)
{
    if (is_null(at->node))
        return ERR_NONE;
    if (at->node->type != YAML_MAPPING_NODE)
        return reader_fail(r, at, "expected a map (key: value)");
    if (reader_count(r, at) > CONFIG_ELEMENTS_MAX)
        return reader_fail(r, at, "more than %u entries", CONFIG_ELEMENTS_MAX);
    int result = ERR_NONE;
    for (yaml_node_pair_t *p = at->node->data.mapping.pairs.start; p < at->node->data.mapping.pairs.top; p++) {
        yaml_node_t *key = yaml_document_get_node(&r->document, p->key);
        yaml_node_t *value = yaml_document_get_node(&r->document, p->value);
        struct place here = below(at, key, ".", key->type == YAML_SCALAR_NODE ? scalar(key) : SLICE("?"));
        int err;
        if (key->type != YAML_SCALAR_NODE) {
            err = reader_fail(r, &here, "a key must be a plain word");
        } else {
            here.node = value;
            err = read(r, &here, scalar(key), into);
        }
        if (err != ERR_NONE)
            result = err;
        if (err != ERR_NONE && err != ERR_MALFORMED)
            break;
    }
    return result;
}

struct known_keys {
    const struct key *keys;
    size_t count;
    void *into;
    uint64_t seen;
};

static int read_known(struct reader *r, const struct place *at, struct slice name, void *into)
{
    struct known_keys *k = into;
    for (size_t i = 0; i < k->count; i++) {
        if (!slice_eq(name, slice_str(k->keys[i].name)))
            continue;
        if (k->seen & (UINT64_C(1) << i))
            return reader_fail(r, at, "stands twice");
        k->seen |= UINT64_C(1) << i;
        return k->keys[i].read(r, at, k->into);
    }
    char known[256] = "";
    for (size_t i = 0, len = 0; i < k->count && len < sizeof known; i++)
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", i ? ", " : "", k->keys[i].name);
    return reader_fail(r, at, "unknown key; there are %s", known);
}

int reader_map(struct reader *r, const struct place *at, const struct key *keys, size_t count, void *into)
{
    struct known_keys k = {.keys = keys, .count = count, .into = into};
    return reader_pairs(r, at, read_known, &k);
}

int reader_list(struct reader *r, const struct place *at,
                int (*read)(struct reader *r, const struct place *at, size_t index, void *into), void *into)
{
    if (is_null(at->node))
        return ERR_NONE;
    if (at->node->type != YAML_SEQUENCE_NODE)
        return reader_fail(r, at, "expected a list ([a, b] or lines with -)");
    size_t count = reader_count(r, at);
    if (count > CONFIG_ELEMENTS_MAX)
        return reader_fail(r, at, "more than %u entries", CONFIG_ELEMENTS_MAX);
    int result = ERR_NONE;
    for (size_t i = 0; i < count; i++) {
        char index[32];
        (void)snprintf(index, sizeof index, "[%zu]", i);
        yaml_node_t *node = yaml_document_get_node(&r->document, at->node->data.sequence.items.start[i]);
        struct place here = below(at, node, "", slice_str(index));
        int err = read(r, &here, i, into);
        if (err != ERR_NONE)
            result = err;
        if (err != ERR_NONE && err != ERR_MALFORMED)
            break;
    }
    return result;
}

int reader_text(struct reader *r, const struct place *at, struct slice *ret)
{
    if (at->node->type != YAML_SCALAR_NODE)
        return reader_fail(r, at, "expected a word or a text");
    struct slice s = scalar(at->node);
    char *copy = arena_alloc(r->arena, s.len + 1);
    if (!copy)
        return ERR_NO_MEMORY;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    *ret = slice_make(copy, s.len);
    return ERR_NONE;
}

int reader_number(struct reader *r, const struct place *at, uint64_t min, uint64_t max, uint64_t *ret)
{
    uint64_t n;
    if (at->node->type != YAML_SCALAR_NODE || slice_to_u64(scalar(at->node), UINT64_MAX, &n) != ERR_NONE)
        return reader_fail(r, at, "expected a whole number");
    if (n < min || n > max)
        return reader_fail(r, at, "%llu is out of range (%llu to %llu)", (unsigned long long)n, (unsigned long long)min,
                           (unsigned long long)max);
    *ret = n;
    return ERR_NONE;
}
