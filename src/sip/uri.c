/* SIP, SIPS and TEL URIs: the parser. RFC 3261 §25.1:
 *   SIP-URI  = "sip:" [ userinfo ] hostport uri-parameters [ headers ]
 *   userinfo = user [ ":" password ] "@"
 *   user     = 1*( unreserved / escaped / user-unreserved )
 *   password = *( unreserved / escaped / "&" / "=" / "+" / "$" / "," )
 *   uri-parameter = pname [ "=" pvalue ], both 1*paramchar
 *   headers  = "?" hname "=" hvalue *( "&" hname "=" hvalue )
 * Any other scheme: absoluteURI, its octets checked and no more. Comparison is in uri_eq.c, canonical text in
 * uri_aor.c. */
#include "sip/uri.h"

#include "base/err.h"
#include "sip/host.h"
#include "sip/lex.h"

/* *( ";" pname [ "=" pvalue ] ): behind it, or NULL with the fault. */
static const char *skip_params(const char *p, const char *end, const char **ret_fault)
{
    while (p < end && *p == ';') {
        const char *name = p + 1;
        *ret_fault = name;
        p = lex_span_escaped(name, end, LEX_PARAM);
        if (p == name)
            return NULL;
        if (p < end && *p == '=') {
            const char *value = p + 1;
            *ret_fault = value;
            p = lex_span_escaped(value, end, LEX_PARAM);
            if (p == value)
                return NULL;
        }
    }
    return p;
}

/* "?" header *( "&" header ): behind it, or NULL with the fault. */
static const char *skip_headers(const char *p, const char *end, const char **ret_fault)
{
    do {
        const char *name = p + 1;
        p = lex_span_escaped(name, end, LEX_HEADER);
        *ret_fault = p;
        if (p == name || p == end || *p != '=')
            return NULL;
        p = lex_span_escaped(p + 1, end, LEX_HEADER);
    } while (p < end && *p == '&');
    return p;
}

/* [ user [ ":" password ] "@" ]: behind the "@", or `p` when there is none. */
static const char *skip_userinfo(const char *p, const char *end, struct uri *uri)
{
    const char *user_end = lex_span_escaped(p, end, LEX_USER);
    if (user_end == p || user_end == end)
        return p;
    if (*user_end == '@') {
        uri->user = slice_range(p, user_end);
        return user_end + 1;
    }
    if (*user_end != ':')
        return p;
    const char *password_end = lex_span_escaped(user_end + 1, end, LEX_PASSWORD);
    if (password_end == end || *password_end != '@')
        return p;
    uri->user = slice_range(p, user_end);
    uri->password = slice_range(user_end + 1, password_end);
    return password_end + 1;
}

static const char *parse_sip(const char *p, const char *end, struct uri *uri, const char **ret_fault)
{
    p = skip_userinfo(p, end, uri);
    const char *host_end = host_skip(p, end, ret_fault);
    if (host_end == NULL)
        return NULL;
    uri->host = slice_range(p, host_end);
    p = host_end;
    if (p < end && *p == ':') {
        *ret_fault = p + 1;
        p = host_skip_port(p + 1, end, &uri->port);
        if (p == NULL)
            return NULL;
    }
    if (p < end && *p == ';') {
        const char *params = p;
        p = skip_params(p, end, ret_fault);
        if (p == NULL)
            return NULL;
        uri->params = slice_range(params, p);
    }
    if (p < end && *p == '?') {
        const char *headers = p;
        p = skip_headers(p, end, ret_fault);
        if (p == NULL)
            return NULL;
        uri->headers = slice_range(headers + 1, p);
    }
    return p;
}

/* telephone-uri = "tel:" ( "+" 1*phonedigit / 1*phonedigit-hex ) *par (RFC 3966 §3). A local number without its
 * phone-context is read as well: dial plans write it. */
static const char *parse_tel(const char *p, const char *end, struct uri *uri, const char **ret_fault)
{
    const char *number = p;
    p = lex_span(p, end, LEX_PHONE);
    *ret_fault = p;
    if (p == number || memchr(number + 1, '+', (size_t)(p - number) - 1) != NULL)
        return NULL;
    uri->user = slice_range(number, p);
    if (p < end && *p == ';') {
        const char *params = p;
        p = skip_params(p, end, ret_fault);
        if (p == NULL)
            return NULL;
        uri->params = slice_range(params, p);
    }
    return p;
}

static const char *parse_other(const char *p, const char *end, struct uri *uri, const char **ret_fault)
{
    const char *rest = p;
    p = lex_span_escaped(p, end, LEX_URIC);
    *ret_fault = p;
    if (p == rest)
        return NULL;
    uri->user = slice_range(rest, p);
    return p;
}

typedef const char *(*scheme_parser)(const char *p, const char *end, struct uri *uri, const char **ret_fault);

static const struct {
    struct slice name;
    scheme_parser parse;
} schemes[] = {
    [URI_SIP] = {SLICE_INIT("sip"), parse_sip},
    [URI_SIPS] = {SLICE_INIT("sips"), parse_sip},
    [URI_TEL] = {SLICE_INIT("tel"), parse_tel},
    [URI_OTHER] = {SLICE_INIT(""), parse_other},
};

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), then ":" */
static const char *parse_scheme(const char *p, const char *end, enum uri_scheme *ret)
{
    const char *start = p;
    if (end - p > 4 && memcmp(p, "sip:", 4) == 0) { /* nearly always */
        *ret = URI_SIP;
        return p + 4;
    }
    if (p == end || !lex_is(*p, LEX_ALPHA))
        return NULL;
    while (p < end && (lex_is(*p, LEX_ALNUM) || *p == '+' || *p == '-' || *p == '.'))
        p++;
    if (p == end || *p != ':')
        return NULL;
    struct slice name = slice_range(start, p);
    *ret = URI_OTHER;
    for (enum uri_scheme s = URI_SIP; s < URI_OTHER; s++) {
        if (lex_eq_lower(name, schemes[s].name))
            *ret = s;
    }
    return p + 1;
}

int uri_parse(struct slice in, struct uri *ret, size_t *ret_fault)
{
    struct uri uri = {.text = in};
    const char *end = slice_end(in), *fault = in.ptr;
    const char *p = parse_scheme(in.ptr, end, &uri.scheme);
    if (p != NULL)
        p = schemes[uri.scheme].parse(p, end, &uri, &fault);
    if (p != NULL && p == end) {
        *ret = uri;
        return ERR_NONE;
    }
    *ret_fault = (size_t)((p != NULL ? p : fault) - in.ptr);
    return ERR_MALFORMED;
}

bool uri_param(const struct uri *u, struct slice name, struct slice *ret_value)
{
    const char *p = u->params.ptr, *end = slice_end(u->params);
    while (p < end) {
        const char *start = p + 1;
        p = lex_span_escaped(start, end, LEX_PARAM);
        struct slice found = slice_range(start, p), value = SLICE_NONE;
        if (p < end && *p == '=') {
            start = p + 1;
            p = lex_span_escaped(start, end, LEX_PARAM);
            value = slice_range(start, p);
        }
        if (slice_eq_nocase(found, name)) {
            *ret_value = value;
            return true;
        }
        if (p < end && *p != ';')
            return false;
    }
    return false;
}
