/* Letters: what of a request is passed on and stored, and how it is recognised again. contract.md, wire rules and C5.
 */
#include "server/letter.h"

#include <stdlib.h>

#include "base/err.h"
#include "sip/build.h"
#include "sip/content_type.h"
#include "sip/cpim.h"
#include "sip/date.h"

/* All fields of one message; a datagram cannot bring more, a stream's head is bounded by the framer. */
#define LETTER_FIELDS_MAX 65536u

static bool credentials_are_ours(const struct server *s, const struct header_line *h)
{
    struct digest_credentials c;
    if (digest_parse_credentials(h->value, &c) != ERR_NONE)
        return true; /* unreadable ones help nobody behind us */
    return us_is_host(s->config, c.realm, NULL);
}

/* Fields that each hop writes anew, or that must not leave this server. */
static bool is_passed_on(const struct server *s, const struct header_line *h)
{
    switch (h->id) {
    case HEADER_VIA:
    case HEADER_ROUTE:
    case HEADER_MAX_FORWARDS:
    case HEADER_MAX_BREADTH:
    case HEADER_CONTENT_LENGTH:
    case HEADER_P_ASSERTED_IDENTITY: /* RFC 3325 §5: ours to say, and only to those we trust */
        return false;
    case HEADER_AUTHORIZATION:
    case HEADER_PROXY_AUTHORIZATION:
        return !credentials_are_ours(s, h);
    default:
        return true;
    }
}

static void append_passed_on(const struct server *s, const struct message *m, struct buf *out)
{
    for (unsigned i = 0; i < m->header_count; i++)
        if (is_passed_on(s, &m->headers[i]))
            build_line(out, &m->headers[i]);
    if (!message_header(m, HEADER_DATE)) {
        buf_append_str(out, "Date: ");
        date_append(out, clock_wall_ms(s->clock) / 1000);
        buf_append_str(out, "\r\n");
    }
}

static struct packet *tail_of(struct slice headers, struct slice body, size_t *ret_body_at)
{
    struct buf length;
    buf_init(&length, 64);
    buf_append_str(&length, "Content-Length: ");
    buf_append_u64(&length, body.len);
    buf_append_str(&length, "\r\n\r\n");
    struct packet *p = buf_ok(&length) ? packet_new(headers.len + length.len + body.len) : NULL;
    if (p) {
        memcpy(p->data, headers.ptr, headers.len);
        memcpy(p->data + headers.len, length.ptr, length.len);
        *ret_body_at = headers.len + length.len;
        if (body.len)
            memcpy(p->data + *ret_body_at, body.ptr, body.len);
    }
    buf_deinit(&length);
    return p;
}

struct packet *letter_tail(struct slice headers, struct slice body)
{
    size_t body_at;
    return tail_of(headers, body, &body_at);
}

uint32_t letter_stored_cseq(struct slice headers)
{
    struct slice rest = headers;
    uint32_t number;
    while (rest.len) {
        ptrdiff_t end = slice_find_slice(rest, SLICE("\r\n"));
        struct slice line = end < 0 ? rest : slice_head(rest, (size_t)end);
        struct slice name = slice_cut(line, ':', &line);
        bool goes_on = name.len && (name.ptr[0] == ' ' || name.ptr[0] == '\t'); /* a folded line */
        if (!goes_on && header_from_name(slice_trim(name)) == HEADER_CSEQ && slice_is_set(line)) {
            struct slice digits = slice_trim(slice_range(line.ptr, slice_end(rest))); /* the value may be folded */
            size_t n = 0;
            while (n < digits.len && digits.ptr[n] >= '0' && digits.ptr[n] <= '9')
                n++;
            return slice_to_u32(slice_head(digits, n), UINT32_MAX, &number) == ERR_NONE ? number : 0;
        }
        rest = end < 0 ? slice_skip(rest, rest.len) : slice_skip(rest, (size_t)end + 2);
    }
    return 0;
}

static void append_vias(struct buf *out, const struct incoming *in)
{
    struct message_values state = {0};
    struct via via;
    struct slice text;
    int err = ERR_NONE;
    bool top = true;
    while (message_next_via(in->message, &state, &via, &text, &err)) {
        buf_append_str(out, "Via: ");
        if (top)
            via_append_received(out, &via, text, &in->flow->remote);
        else
            buf_append(out, text);
        buf_append_str(out, "\r\n");
        top = false;
    }
    if (err != ERR_NONE)
        out->failed = true;
}

/* The sender's own name for the message: our X-Telex-ID, or imdn.Message-ID of a CPIM body (C5). */
static struct slice own_identity(const struct message *m)
{
    struct slice id = message_value(m, HEADER_X_TELEX_ID);
    if (id.len)
        return id;
    struct content_type type;
    struct cpim cpim;
    size_t fault;
    if (content_type_parse(message_value(m, HEADER_CONTENT_TYPE), &type, &fault) >= 0 &&
        content_type_is(&type, SLICE("message"), SLICE("cpim")) &&
        !slice_is_set(message_value(m, HEADER_CONTENT_ENCODING)) && cpim_parse(m->body, &cpim, &fault) == ERR_NONE)
        return cpim.message_id;
    return SLICE_NONE;
}

static void append_part(struct buf *out, struct slice part)
{
    buf_append_u64(out, part.len); /* so that no two lists of parts look the same */
    buf_append_char(out, ':');
    buf_append(out, part);
}

/* C5: (sender, recipient, own identity), else (sender, Call-ID, From tag, CSeq, Request-URI). Two keyed hashes make 128
 * bits that nobody outside can aim at; the key lasts, because the result is stored. False without memory: a key of
 * some of the parts would take a new message for an old one. */
static bool make_duplicate_key(const struct server *s, const struct message *m, const struct letter_facts *f,
                               uint8_t ret[16])
{
    struct buf text;
    buf_init(&text, LETTER_FIELDS_MAX + 4 * AUTH_AOR_MAX);
    struct slice id = own_identity(m);
    append_part(&text, f->sender);
    if (id.len) {
        append_part(&text, f->recipient);
        append_part(&text, id);
    } else {
        struct addr from = {0};
        (void)message_from(m, &from); /* message_check saw that it parses */
        append_part(&text, message_value(m, HEADER_CALL_ID));
        append_part(&text, addr_tag(&from));
        append_part(&text, message_value(m, HEADER_CSEQ));
        append_part(&text, m->uri_text);
    }
    for (unsigned half = 0; half < 2; half++) {
        struct hash_key key;
        memcpy(&key, s->shared->duplicate_secret + half * sizeof key, sizeof key);
        uint64_t hash = hash_slice(&key, buf_slice(&text));
        memcpy(ret + half * sizeof hash, &hash, sizeof hash);
    }
    bool ok = buf_ok(&text);
    buf_deinit(&text);
    return ok;
}

/* Bare, or wrapped in CPIM. */
static bool is_composing(const struct message *m)
{
    struct content_type type;
    struct cpim cpim;
    size_t fault;
    if (content_type_parse(message_value(m, HEADER_CONTENT_TYPE), &type, &fault) < 0)
        return false;
    if (content_type_is(&type, SLICE("message"), SLICE("cpim")) &&
        (cpim_parse(m->body, &cpim, &fault) != ERR_NONE || content_type_parse(cpim.content_type, &type, &fault) < 0))
        return false;
    return content_type_is(&type, SLICE("application"), SLICE("im-iscomposing+xml"));
}

static bool is_live_only(const struct message *m)
{
    struct addr to;
    uint32_t expires;
    if (message_number(m, HEADER_EXPIRES, UINT32_MAX, &expires) == ERR_NONE && expires == 0)
        return true;
    if (message_to(m, &to) == ERR_NONE && addr_tag(&to).len)
        return true;
    return is_composing(m);
}

static uint32_t life_of(const struct server *s, const struct message *m)
{
    const struct server_limits *limits = &s->config->limits;
    uint32_t expires;
    if (message_number(m, HEADER_EXPIRES, UINT32_MAX, &expires) != ERR_NONE)
        return limits->message_life_s;
    return expires < limits->message_life_max_s ? expires : limits->message_life_max_s;
}

uint64_t letter_loop_hash(const struct server *s, const struct message *m)
{
    struct hash_key key;
    struct addr from = {0};
    memcpy(&key, s->shared->duplicate_secret,
           sizeof key); /* lasting and ours alone: two servers never meet their own */
    (void)message_from(m, &from);
    uint64_t hash = hash_slice(&key, m->uri_text);
    hash = hash_mix(hash, hash_slice(&key, message_value(m, HEADER_ROUTE)));
    hash = hash_mix(hash, hash_slice(&key, message_value(m, HEADER_CALL_ID)));
    hash = hash_mix(hash, hash_slice(&key, addr_tag(&from)));
    hash = hash_mix(hash, hash_slice(&key, message_value(m, HEADER_CSEQ)));
    return hash ? hash : 1;
}

static struct slice keep(char **at, struct slice s)
{
    struct slice kept = slice_make(*at, s.len);
    if (s.len)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return kept;
}

static struct letter *letter_alloc(struct slice sender, struct slice recipient, struct slice uri, struct slice vias,
                                   struct slice routes)
{
    struct letter *l = calloc(1, sizeof *l + sender.len + recipient.len + uri.len + vias.len + routes.len);
    if (!l)
        return NULL;
    char *at = l->texts;
    l->sender = keep(&at, sender);
    l->recipient = keep(&at, recipient);
    l->uri = keep(&at, uri);
    l->vias = keep(&at, vias);
    l->routes = keep(&at, routes);
    return l;
}

static bool set_tail(struct letter *l, const struct buf *headers, struct slice body)
{
    size_t body_at;
    if (!buf_ok(headers))
        return false;
    l->tail = tail_of(buf_slice(headers), body, &body_at);
    if (!l->tail)
        return false;
    l->headers_len = (uint32_t)headers->len;
    l->body_at = (uint32_t)body_at;
    return true;
}

static bool fill_from_request(struct server *s, struct letter *l, const struct message *m, const struct letter_facts *f)
{
    uint32_t number;
    struct slice method;
    l->account = f->account;
    l->max_forwards = LIMIT_MAX_FORWARDS;
    l->max_breadth = LIMIT_MAX_BREADTH;
    if (message_number(m, HEADER_MAX_FORWARDS, 255, &number) == ERR_NONE && number > 0)
        l->max_forwards = (uint8_t)(number - 1);
    if (message_number(m, HEADER_MAX_BREADTH, UINT32_MAX, &number) == ERR_NONE && number < LIMIT_MAX_BREADTH)
        l->max_breadth = (uint8_t)number;
    if (message_cseq(m, &number, &method) == ERR_NONE)
        l->cseq = number;
    l->live_only = is_live_only(m);
    l->life_s = life_of(s, m);
    l->loop_hash = letter_loop_hash(s, m);
    return make_duplicate_key(s, m, f, l->duplicate_key);
}

struct letter *letter_new(struct server *s, const struct incoming *in, const struct letter_facts *facts)
{
    const struct message *m = in->message;
    struct letter *l = NULL;
    struct buf vias, headers;
    buf_init(&vias, LETTER_FIELDS_MAX);
    buf_init(&headers, LETTER_FIELDS_MAX);
    append_vias(&vias, in);
    append_passed_on(s, m, &headers);
    if (buf_ok(&vias))
        l = letter_alloc(facts->sender, facts->recipient, m->uri_text, buf_slice(&vias), facts->routes);
    if (l && !(set_tail(l, &headers, m->body) && fill_from_request(s, l, m, facts))) {
        letter_free(l);
        l = NULL;
    }
    buf_deinit(&vias);
    buf_deinit(&headers);
    return l;
}

static void append_own_fields(struct server *s, struct buf *out, const struct letter_own *own)
{
    uint8_t tag[8], call_id[16];
    random_fill(s->random, tag, sizeof tag);
    random_fill(s->random, call_id, sizeof call_id);
    buf_append_str(out, "From: <");
    buf_append(out, own->from);
    buf_append_str(out, ">;tag=");
    buf_append_hex(out, tag, sizeof tag);
    buf_append_str(out, "\r\nTo: <");
    buf_append(out, own->to);
    buf_append_str(out, ">\r\nCall-ID: ");
    buf_append_hex(out, call_id, sizeof call_id);
    buf_append_str(out, "\r\nCSeq: 1 MESSAGE\r\nDate: ");
    date_append(out, clock_wall_ms(s->clock) / 1000);
    buf_append_str(out, "\r\n");
    if (own->content_type.len)
        build_header(out, HEADER_CONTENT_TYPE, own->content_type);
}

struct letter *letter_new_own(struct server *s, const struct letter_own *own)
{
    struct buf headers;
    buf_init(&headers, LETTER_FIELDS_MAX);
    append_own_fields(s, &headers, own);
    struct letter *l = letter_alloc(own->from, own->to, own->to, SLICE(""), SLICE(""));
    if (l && !set_tail(l, &headers, own->body)) {
        letter_free(l);
        l = NULL;
    }
    if (l) {
        l->account = own->account;
        l->cseq = 1;
        l->max_forwards = LIMIT_MAX_FORWARDS;
        l->max_breadth = LIMIT_MAX_BREADTH;
        l->life_s = s->config->limits.message_life_s;
        random_fill(s->random, l->duplicate_key, sizeof l->duplicate_key);
    }
    buf_deinit(&headers);
    return l;
}

void letter_free(struct letter *l)
{
    if (!l)
        return;
    packet_unref(&l->tail);
    free(l);
}
