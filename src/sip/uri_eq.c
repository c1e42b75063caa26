/* When two URIs are the same. RFC 3261 §19.1.4; TEL: RFC 3966 §4. Not transitive, as the RFC says. */
#include "sip/host.h"
#include "sip/lex.h"
#include "sip/uri.h"

/* Parameters or headers compared at most: the comparison is quadratic, and peers write the lists. More never match,
 * because two contacts that are not surely the same are kept apart. */
#define URI_EQ_LIST_MAX 64

/* One octet of URI text. "Characters other than those in the reserved set are equivalent to their escapes": so an
 * escaped reserved octet differs from the bare one, and is marked. */
static unsigned next_unit(const char **p, const char *end, bool fold)
{
    char c = **p;
    if (!lex_is_escape(*p, end)) {
        (*p)++;
        return (unsigned char)(fold ? lex_lower(c) : c);
    }
    c = (char)(lex_hex_value((*p)[1]) << 4 | lex_hex_value((*p)[2]));
    *p += 3;
    if (c != '\0' && strchr(";/?:@&=+$,", c) != NULL)
        return 0x100U | (unsigned char)c;
    return (unsigned char)(fold ? lex_lower(c) : c);
}

static bool text_eq(struct slice a, struct slice b, bool fold)
{
    const char *p = a.ptr, *p_end = slice_end(a), *q = b.ptr, *q_end = slice_end(b);
    if (slice_is_set(a) != slice_is_set(b))
        return false;
    while (p < p_end && q < q_end) {
        if (next_unit(&p, p_end, fold) != next_unit(&q, q_end, fold))
            return false;
    }
    return p == p_end && q == q_end;
}

struct pair {
    struct slice name, value;
};

/* Splits "name=value" items at `separator`. Returns their number, or -1 when there are too many. */
static int split(struct slice list, char separator, struct pair *ret)
{
    int count = 0;
    while (list.len > 0) {
        struct slice item = slice_cut(list, separator, &list);
        if (item.len == 0)
            continue; /* before the first ";" */
        if (count == URI_EQ_LIST_MAX)
            return -1;
        ret[count].name = slice_cut(item, '=', &ret[count].value);
        count++;
    }
    return count;
}

static const struct pair *find(const struct pair *list, int count, struct slice name)
{
    for (int i = 0; i < count; i++) {
        if (text_eq(list[i].name, name, true))
            return &list[i];
    }
    return NULL;
}

/* Parameters that must stand in both URIs or in none. */
static bool must_match(struct slice name)
{
    static const struct slice names[] = {SLICE_INIT("user"), SLICE_INIT("ttl"), SLICE_INIT("method"),
                                         SLICE_INIT("maddr"),
                                         /* "The same is true for the transport-parameter", and the examples say so */
                                         SLICE_INIT("transport")};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (text_eq(name, names[i], true))
            return true;
    }
    return false;
}

/* Every item of `a` is in `b` with the same value; items alone in `a` are allowed when `strict` is false and the rules
 * let them be ignored. */
static bool covered(const struct pair *a, int a_count, const struct pair *b, int b_count, bool strict)
{
    for (int i = 0; i < a_count; i++) {
        const struct pair *other = find(b, b_count, a[i].name);
        if (other == NULL) {
            if (strict || must_match(a[i].name))
                return false;
        } else if (!text_eq(a[i].value, other->value, true)) {
            return false;
        }
    }
    return true;
}

static bool list_eq(struct slice a, struct slice b, char separator, bool strict)
{
    struct pair x[URI_EQ_LIST_MAX], y[URI_EQ_LIST_MAX];
    int x_count = split(a, separator, x), y_count = split(b, separator, y);
    if (x_count < 0 || y_count < 0 || (strict && x_count != y_count))
        return false;
    return covered(x, x_count, y, y_count, strict) && covered(y, y_count, x, x_count, strict);
}

/* Numbers without their visual separators, without case. */
static bool phone_eq(struct slice a, struct slice b)
{
    size_t i = 0, j = 0;
    for (;;) {
        while (i < a.len && strchr("-.()", a.ptr[i]) != NULL)
            i++;
        while (j < b.len && strchr("-.()", b.ptr[j]) != NULL)
            j++;
        if (i == a.len || j == b.len)
            return i == a.len && j == b.len;
        if (lex_lower(a.ptr[i++]) != lex_lower(b.ptr[j++]))
            return false;
    }
}

bool uri_eq(const struct uri *a, const struct uri *b)
{
    if (a->scheme != b->scheme)
        return false;
    /* Surely the same, also where the rules have no answer: a parameter given twice, or too many of them. */
    if (slice_eq(a->text, b->text))
        return true;
    if (a->scheme == URI_TEL)
        return phone_eq(a->user, b->user) && list_eq(a->params, b->params, ';', true);
    if (a->scheme == URI_OTHER)
        return slice_eq(a->user, b->user) && slice_eq_nocase(slice_head(a->text, a->text.len - a->user.len),
                                                             slice_head(b->text, b->text.len - b->user.len));
    return text_eq(a->user, b->user, false) && text_eq(a->password, b->password, false) && host_eq(a->host, b->host) &&
           a->port == b->port && list_eq(a->params, b->params, ';', false) &&
           list_eq(a->headers, b->headers, '&', true);
}
