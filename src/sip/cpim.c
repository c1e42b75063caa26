/* message/cpim: reading. RFC 3862 §2 to §3:
 *   Message-headers CRLF MIME-headers CRLF body; a header = [ prefix "." ] name ":" SP value CRLF
 * No folding, names with case. From, DateTime and the IMDN identity may stand once: two could be believed by two
 * readers (cases/c-hdr-crlf-raw). Writing is in cpim_build.c. */
#include "sip/cpim.h"

#include "base/err.h"

#define IMDN_NAMESPACE "<urn:ietf:params:imdn>"

/* Header lines at most. Linphone sends ten; cases/c-hdr-2000 sends 2000. */
#define CPIM_HEADERS_MAX 128

struct cpim_line {
    struct slice name, value;
};

/* Name octets: no white space, no control. */
static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if ((unsigned char)name.ptr[i] <= ' ' || name.ptr[i] == 0x7F)
            return false;
    }
    return name.len > 0;
}

/* The line at `p`. Behind its CRLF; NULL when it is no header. An empty line has an absent name. */
static const char *read_line(const char *p, const char *end, struct cpim_line *ret)
{
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    if (stop == NULL || stop == p || stop[-1] != '\r')
        return NULL;
    struct slice line = slice_range(p, stop - 1);
    *ret = (struct cpim_line){0};
    if (line.len == 0)
        return stop + 1;
    struct slice value;
    ret->name = slice_cut(line, ':', &value);
    if (!is_name(ret->name) || !slice_is_set(value) || memchr(line.ptr, '\r', line.len) != NULL ||
        memchr(line.ptr, '\0', line.len) != NULL)
        return NULL;
    ret->value = slice_trim(value);
    return stop + 1;
}

/* NS: [ prefix SP ] "<" URI ">" (§4.5): true when it names IMDN, with its prefix. */
static bool is_imdn_namespace(struct slice value, struct slice *ret_prefix)
{
    ptrdiff_t open = slice_find(value, '<');
    if (open < 0 || !slice_eq_nocase(slice_skip(value, (size_t)open), SLICE(IMDN_NAMESPACE)))
        return false;
    *ret_prefix = slice_trim(slice_head(value, (size_t)open));
    return true;
}

/* Whether `name` is `local` under the prefix; an empty prefix is the default name space. */
static bool is_imdn_name(struct slice name, struct slice prefix, struct slice local)
{
    if (!slice_is_set(prefix))
        return false;
    if (prefix.len == 0)
        return slice_eq(name, local);
    return name.len == prefix.len + 1 + local.len && slice_starts_with(name, prefix) && name.ptr[prefix.len] == '.' &&
           slice_eq(slice_skip(name, prefix.len + 1), local);
}

static bool set_once(struct slice *field, struct slice value)
{
    if (slice_is_set(*field))
        return false;
    *field = value;
    return true;
}

/* RFC 3862 §3.2 lets To stand several times. A message to one account that names others besides is not read by us: it
 * stays opaque, and the answer of the outer message stands (cases/c-hdr-crlf-raw). */
static bool take_message_header(struct cpim *c, const struct cpim_line *line, struct slice *prefix)
{
    if (slice_eq(line->name, SLICE("NS"))) {
        is_imdn_namespace(line->value, prefix);
        return true;
    }
    if (slice_eq(line->name, SLICE("From")))
        return set_once(&c->from, line->value);
    if (slice_eq(line->name, SLICE("To")))
        return set_once(&c->to, line->value);
    if (slice_eq(line->name, SLICE("DateTime")))
        return set_once(&c->date_time, line->value);
    if (is_imdn_name(line->name, *prefix, SLICE("Message-ID")))
        return set_once(&c->message_id, line->value);
    if (is_imdn_name(line->name, *prefix, SLICE("Disposition-Notification")))
        return set_once(&c->disposition, line->value);
    return true;
}

/* MIME headers compare without case (RFC 2045). */
static bool take_mime_header(struct cpim *c, const struct cpim_line *line)
{
    if (slice_eq_nocase(line->name, SLICE("Content-Type")))
        return set_once(&c->content_type, line->value);
    if (slice_eq_nocase(line->name, SLICE("Content-Encoding")))
        return set_once(&c->content_encoding, line->value);
    return true;
}

int cpim_parse(struct slice in, struct cpim *ret, size_t *ret_fault)
{
    struct cpim c = {0};
    struct cpim_line line;
    struct slice prefix = SLICE_NONE;
    const char *p = in.ptr, *end = slice_end(in);
    int blocks = 0;
    for (int count = 0; blocks < 2; count++) {
        const char *next = p < end && count < CPIM_HEADERS_MAX ? read_line(p, end, &line) : NULL;
        bool good = next != NULL;
        if (good && !slice_is_set(line.name))
            blocks++;
        else if (good)
            good = blocks == 0 ? take_message_header(&c, &line, &prefix) : take_mime_header(&c, &line);
        if (!good) {
            *ret_fault = (size_t)(p - in.ptr);
            return ERR_MALFORMED;
        }
        p = next;
    }
    c.body = slice_range(p, end);
    *ret = c;
    return ERR_NONE;
}
