/* See control_import.h. All lines of one request are with the store at once, so that it commits them in large groups.
 */
#include "daemon/control_import.h"

#include <stdlib.h>

#include "base/err.h"
#include "daemon/control_put.h"

/* What telexctl sends at a time, and a reserve: an account on its way takes 2 kB. */
#define LINES_MAX 10000u

struct import_line {
    struct control_put put;
    struct import *import;
    uint64_t number;
};

struct import {
    struct control_call *call;
    size_t pending, count;
    json_int_t added, changed, failed;
    struct import_line lines[];
};

static void answer(struct import *m)
{
    control_ok(m->call, json_pack("{s:I,s:I,s:I}", "added", m->added, "changed", m->changed, "failed", m->failed));
    for (size_t i = 0; i < m->count; i++)
        control_put_deinit(&m->lines[i].put);
    free(m);
}

static void refuse(struct import *m, uint64_t number, const char *why)
{
    m->failed++;
    control_item(m->call,
                 json_pack("{s:I,s:o}", "line", (json_int_t)number, "error", control_json_text(slice_str(why))));
}

static void on_put(struct control_put *p)
{
    struct import_line *l = CONTAINER_OF(p, struct import_line, put);
    struct import *m = l->import;
    if (p->request.result != ERR_NONE)
        refuse(m, l->number, p->why);
    else if (p->existed)
        m->changed++;
    else
        m->added++;
    if (--m->pending == 0)
        answer(m);
}

static void take_line(struct import *m, struct slice text, uint64_t number)
{
    struct slice rest, account = slice_cut(text, ',', &rest);
    struct slice name, password = slice_cut(rest, ',', &name);
    if (slice_trim(text).len == 0 || text.ptr[0] == '#')
        return;
    if (!slice_is_set(rest)) {
        refuse(m, number, "expected uri,password or uri,password,name");
        return;
    }
    struct import_line *l = &m->lines[m->count++];
    const struct control_wish wish = {.account = slice_trim(account), .password = password, .name = name};
    l->import = m;
    l->number = number;
    if (control_put_init(&l->put, m->call->daemon, &wish) != ERR_NONE) {
        refuse(m, number, l->put.why);
        return;
    }
    l->put.done = on_put;
    m->pending++;
    control_put_submit(&l->put);
}

void control_import(struct control_call *call)
{
    const json_t *lines = json_object_get(call->request, "lines");
    uint64_t first = control_number(call, "first");
    size_t count = json_array_size(lines);
    if (!json_is_array(lines) || count > LINES_MAX) {
        control_refuse(call, "expected lines, a list of at most %u texts", LINES_MAX);
        return;
    }
    struct import *m = calloc(1, sizeof *m + count * sizeof m->lines[0]);
    if (!m) {
        control_refuse(call, "out of memory");
        return;
    }
    m->call = call;
    m->pending = 1; /* this function's own, until all lines were begun */
    for (size_t i = 0; i < count; i++) {
        const json_t *line = json_array_get(lines, i);
        take_line(m, slice_make(json_string_value(line), json_string_length(line)), first + i);
    }
    if (--m->pending == 0)
        answer(m);
}
