/* See control_put.h. */
#include "daemon/control_put.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "sip/uri.h"

static int refuse(char *why, size_t why_size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int refuse(char *why, size_t why_size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, why_size, format, args);
    va_end(args);
    return ERR_MALFORMED;
}

static bool is_ours(const struct server_config *c, struct slice domain)
{
    for (size_t i = 0; i < c->domain_count; i++)
        if (slice_eq_nocase(c->domains[i], domain))
            return true;
    return false;
}

static struct slice alias_of(const struct server_config *c, struct slice name)
{
    for (size_t i = 0; i < c->alias_count; i++)
        if (slice_eq_nocase(c->aliases[i].name, name))
            return c->aliases[i].domain;
    return SLICE_NONE;
}

int control_put_aor(const struct daemon *d, struct slice account, struct buf *out, char *why, size_t why_size)
{
    struct buf text;
    struct uri uri;
    size_t fault;
    buf_init(&text, CONTROL_AOR_MAX);
    if (!slice_starts_with_nocase(account, SLICE("sip:")) && !slice_starts_with_nocase(account, SLICE("sips:")))
        buf_append(&text, SLICE("sip:"));
    buf_append(&text, account);
    int err = ERR_MALFORMED;
    if (!buf_ok(&text))
        (void)refuse(why, why_size, "an account has at most %u octets", CONTROL_AOR_MAX);
    else if (uri_parse(buf_slice(&text), &uri, &fault) != ERR_NONE || uri.user.len == 0 || uri.scheme > URI_SIPS)
        (void)refuse(why, why_size, "expected sip:user@domain, not '%.*s'", SLICE_ARG(slice_head(account, 80)));
    else if (uri.port || uri.params.len || uri.headers.len || slice_is_set(uri.password))
        (void)refuse(why, why_size, "an account is sip:user@domain, without password, port or parameters");
    else if (alias_of(&d->config->server, uri.host).len)
        (void)refuse(why, why_size, "%.*s is an alias: name the account in %.*s", SLICE_ARG(uri.host),
                     SLICE_ARG(alias_of(&d->config->server, uri.host)));
    else if (!is_ours(&d->config->server, uri.host))
        (void)refuse(why, why_size, "%.*s is not one of our domains (domains: in the configuration)",
                     SLICE_ARG(slice_head(uri.host, 80)));
    else if ((err = uri_append_aor(out, &uri)) != ERR_NONE || !buf_ok(out))
        err = refuse(why, why_size, "expected sip:user@domain, not '%.*s'", SLICE_ARG(slice_head(account, 80)));
    buf_deinit(&text);
    return err;
}

static bool is_plain_text(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7F)
            return false;
    return true;
}

static int check_digest(struct control_put *p, struct slice list)
{
    while (list.len) {
        enum digest_algorithm algorithm;
        struct slice name = slice_cut(list, ',', &list);
        if (digest_algorithm_parse(name, &algorithm) != ERR_NONE)
            return refuse(p->why, sizeof p->why, "'%.*s' is no algorithm; md5, sha-256 and sha-512-256 are",
                          SLICE_ARG(slice_head(name, 40)));
    }
    return ERR_NONE;
}

static void append_digest(struct buf *out, struct slice list)
{
    if (list.len) {
        buf_append_str(out, "digest=");
        buf_append(out, list);
    }
}

/* A new password alone leaves the name and the settings as they are. */
static void keep_or_set(struct control_put *p, const struct control_wish *wish)
{
    struct account_identity now = {0};
    struct server_shared *shared = &p->daemon->shared;
    p->existed = accounts_find(shared->accounts, buf_slice(&p->aor), &now);
    if (slice_is_set(wish->name))
        buf_append(&p->name, wish->name);
    else if (p->existed)
        accounts_append_name(shared->accounts, buf_slice(&p->aor), &p->name);
    if (slice_is_set(wish->digest)) {
        append_digest(&p->extra, wish->digest);
        return;
    }
    for (unsigned i = 0; i < now.digest_count; i++) {
        buf_append_str(&p->extra, i ? "," : "digest=");
        buf_append(&p->extra, digest_algorithm_name(now.digest[i]));
    }
}

int control_put_init(struct control_put *p, struct daemon *d, const struct control_wish *wish)
{
    *p = (struct control_put){.daemon = d};
    buf_init(&p->aor, CONTROL_AOR_MAX);
    buf_init(&p->name, CONTROL_NAME_MAX);
    buf_init(&p->extra, 128);
    int err = control_put_aor(d, wish->account, &p->aor, p->why, sizeof p->why);
    if (err != ERR_NONE)
        return err;
    if (slice_starts_with(buf_slice(&p->aor), SLICE("sip:echo@")))
        return refuse(p->why, sizeof p->why, "echo@ is telexd's own");
    if (wish->password.len == 0 || wish->password.len > CONTROL_PASSWORD_MAX)
        return refuse(p->why, sizeof p->why, "expected a password of 1 to %u octets", CONTROL_PASSWORD_MAX);
    if (wish->name.len > CONTROL_NAME_MAX || !is_plain_text(wish->name))
        return refuse(p->why, sizeof p->why, "expected a name of at most %u octets in one line", CONTROL_NAME_MAX);
    err = check_digest(p, wish->digest);
    if (err != ERR_NONE)
        return err;
    keep_or_set(p, wish);
    if (accounts_make_credentials(buf_slice(&p->aor), wish->password, &p->request.put.credentials) != ERR_NONE ||
        !buf_ok(&p->name) || !buf_ok(&p->extra))
        return refuse(p->why, sizeof p->why, "its credentials cannot be computed");
    return ERR_NONE;
}

static void on_committed(struct store_request *r)
{
    struct control_put *p = CONTAINER_OF(r, struct control_put, request);
    if (r->result == ERR_NONE)
        r->result = accounts_put(p->daemon->shared.accounts, &r->put);
    if (r->result != ERR_NONE)
        (void)refuse(p->why, sizeof p->why, "%s", r->result == ERR_FULL ? "the disk is full" : err_text(r->result));
    p->done(p);
}

void control_put_submit(struct control_put *p)
{
    struct store_request *r = &p->request;
    r->op = STORE_ACCOUNT_PUT;
    r->worker = workers_count(p->daemon->workers);
    r->done = on_committed;
    r->put.aor = buf_slice(&p->aor);
    r->put.name = buf_slice(&p->name);
    r->put.extra = buf_slice(&p->extra);
    store_submit(p->daemon->shared.store, r);
}

void control_put_deinit(struct control_put *p)
{
    buf_deinit(&p->aor);
    buf_deinit(&p->name);
    buf_deinit(&p->extra);
    explicit_bzero(&p->request.put.credentials, sizeof p->request.put.credentials);
}
