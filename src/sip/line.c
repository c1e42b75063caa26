/* One header line. RFC 3261 §25.1:
 *   message-header = header-name HCOLON header-value CRLF
 *   header-name    = token
 *   HCOLON         = *( SP / HTAB ) ":" SWS
 *   header-value   = *( TEXT-UTF8char / UTF8-CONT / LWS ) */
#include "sip/line.h"

#include "sip/lex.h"

/* The CRLF that ends the line, or NULL. *ret_odd: octets in it need a closer look. */
static const char *find_end(const char *p, const char *end, bool folds, bool *ret_odd)
{
    bool odd = false;
    for (;;) {
        p = lex_find_special(p, end);
        if (end - p < 2)
            return NULL;
        if (p[0] == '\r' && p[1] == '\n') {
            if (!folds || end - p == 2 || !lex_is_wsp(p[2])) {
                *ret_odd = odd;
                return p;
            }
            p += 3;
        } else {
            odd = odd || *p != '\t';
            p++;
        }
    }
}

static struct slice trim(const char *p, const char *end)
{
    p = lex_skip_sws(p, end);
    while (end > p && (lex_is_wsp(end[-1]) || end[-1] == '\r' || end[-1] == '\n'))
        end--;
    return slice_range(p, end);
}

const char *line_read(const char *p, const char *end, struct line *ret)
{
    bool odd;
    const char *stop, *name_end = lex_span(p, end, LEX_TOKEN), *colon = name_end;
    while (colon < end && lex_is_wsp(*colon))
        colon++;
    /* What was looked at so far is of the name and needs no second look, unless it is no name at all. */
    bool named = name_end > p && colon < end && *colon == ':';
    stop = find_end(named ? colon + 1 : p, end, true, &odd);
    if (stop == NULL)
        return NULL;
    ret->text = slice_range(p, stop);
    ret->illegal = odd ? lex_find_illegal(p, stop) : NULL;
    ret->name = SLICE_NONE;
    if (named) {
        ret->name = slice_range(p, name_end);
        ret->value = trim(colon + 1, stop);
        ret->id = header_from_name(ret->name);
    }
    return stop + 2;
}

const char *line_read_first(const char *p, const char *end, struct line *ret)
{
    bool odd;
    const char *stop = find_end(p, end, false, &odd);
    if (stop == NULL)
        return NULL;
    ret->text = slice_range(p, stop);
    ret->illegal = odd ? lex_find_illegal(p, stop) : NULL;
    ret->name = SLICE_NONE;
    return stop + 2;
}
