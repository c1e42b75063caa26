/* Guard pages and files for tests. */
#include "support/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard guard_copy(struct slice s)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct guard g = {.size = (s.len / page + 1) * page};
    g.pages = mmap(NULL, g.size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g.pages == MAP_FAILED || mprotect(g.pages + g.size, page, PROT_NONE) != 0)
        abort();
    g.in = guard_prefix(&g, s, s.len);
    return g;
}

struct slice guard_prefix(struct guard *g, struct slice s, size_t len)
{
    char *at = g->pages + g->size - len;
    if (len > 0)
        memcpy(at, s.ptr, len);
    return slice_make(at, len);
}

void guard_free(struct guard *g)
{
    if (munmap(g->pages, g->size + (size_t)sysconf(_SC_PAGESIZE)) != 0)
        abort();
}

struct slice guard_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        abort();
    }
    char *data = NULL;
    size_t len = 0, cap = 0;
    for (;;) {
        if (len == cap) {
            cap = cap == 0 ? 65536 : cap * 2;
            data = realloc(data, cap);
            if (data == NULL)
                abort();
        }
        size_t n = fread(data + len, 1, cap - len, f);
        if (n == 0)
            break;
        len += n;
    }
    (void)fclose(f);
    return slice_make(data, len);
}
