/* Who we are at which server, and the agent for it. */
#include "cmd/telex_session.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "sip/digest.h"
#include "sip/uri.h"

/* --- the password: never an argument --- */

static bool keep_first_line(const char *text, char *out, size_t size)
{
    size_t len = strcspn(text, "\r\n");
    if (len == 0 || len >= size)
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static bool read_password_file(const char *path, char *out, size_t size)
{
    char line[512] = "";
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    bool ok = fgets(line, sizeof line, f) && keep_first_line(line, out, size);
    fclose(f);
    OPENSSL_cleanse(line, sizeof line);
    return ok;
}

static bool prompt(const char *uri, char *out, size_t size)
{
    char line[512] = "";
    struct termios before, silent;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0 || tcgetattr(fd, &before) < 0) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    dprintf(fd, "Password of %s: ", uri);
    tcsetattr(fd, TCSAFLUSH, &silent);
    ssize_t n = read(fd, line, sizeof line - 1);
    tcsetattr(fd, TCSAFLUSH, &before);
    dprintf(fd, "\n");
    close(fd);
    bool ok = n > 0 && keep_first_line(line, out, size);
    OPENSSL_cleanse(line, sizeof line);
    return ok;
}

/* Called when the server asks for the first time. */
static bool find_password(struct telex_session *s)
{
    const char *environment = getenv("TELEX_PASSWORD");
    if (s->has_password || s->asked)
        return s->has_password;
    s->asked = true;
    s->has_password = (environment && keep_first_line(environment, s->password, sizeof s->password)) ||
                      (s->account.password[0] &&
                       keep_first_line(s->account.password, s->password, sizeof s->password)) ||
                      prompt(s->account.uri, s->password, sizeof s->password);
    if (!s->has_password)
        fprintf(stderr,
                "telex %s: the server asks for the password of %s: expected --password-file, TELEX_PASSWORD, or an "
                "account stored by telex register\n",
                s->command, s->account.uri);
    return s->has_password;
}

static int on_ha1(void *context, const char *user, const char *realm, enum telex_hash hash, char *ret_ha1)
{
    static const enum digest_algorithm algorithms[] = {
        [TELEX_MD5] = DIGEST_MD5, [TELEX_SHA256] = DIGEST_SHA256, [TELEX_SHA512_256] = DIGEST_SHA512_256};
    struct telex_session *s = context;
    struct digest_hash made;
    if (!find_password(s) ||
        digest_ha1(algorithms[hash], slice_str(user), slice_str(realm), slice_str(s->password), &made) != 0)
        return -1;
    return slice_to_cstr(slice_make(made.hex, made.len), ret_ha1, TELEX_HA1_SIZE);
}

/* --- names --- */

static bool with_scheme(const char *text, char *out, size_t size)
{
    bool has = strncasecmp(text, "sip:", 4) == 0 || strncasecmp(text, "tel:", 4) == 0;
    const char *at = strchr(text, '@');
    if (!has && at && memchr(text, ':', (size_t)(at - text)))
        return false; /* another scheme, such as sips: */
    int len = snprintf(out, size, "%s%s", has ? "" : "sip:", text);
    return len > 0 && (size_t)len < size;
}

bool telex_session_uri(const struct telex_session *s, const char *text, char *out, size_t size)
{
    struct uri uri;
    size_t fault;
    bool is_bare = !strchr(text, '@') && !strchr(text, ':');
    int len = is_bare ? snprintf(out, size, "sip:%s@%s", text, s->domain) : with_scheme(text, out, size) ? 1 : -1;
    return text[0] && len > 0 && (size_t)len < size && uri_parse(slice_str(out), &uri, &fault) == 0 &&
           (uri.scheme == URI_SIP || uri.scheme == URI_TEL);
}

static int find_account(struct telex_session *s, const struct telex_options *o)
{
    char wanted[sizeof s->account.uri];
    struct uri uri;
    size_t fault;
    if (!o->from) {
        if (telex_account_find(NULL, &s->account))
            snprintf(wanted, sizeof wanted, "%s", s->account.uri);
        else
            return telex_options_wrong(s->command, "expected --from sip:USER@DOMAIN: there is no default account yet "
                                                   "(telex register stores one)");
    } else if (!with_scheme(o->from, wanted, sizeof wanted)) {
        return telex_options_wrong(s->command, "expected an account like sip:alice@example.com, not \"%s\"", o->from);
    }
    if (uri_parse(slice_str(wanted), &uri, &fault) != 0 || uri.scheme != URI_SIP || !uri.user.len || uri.port ||
        uri.params.len || slice_to_cstr(uri.host, s->domain, sizeof s->domain) != 0)
        return telex_options_wrong(s->command, "expected an account like sip:alice@example.com, not \"%s\"", wanted);
    telex_account_find(wanted, &s->account);
    memcpy(s->account.uri, wanted, sizeof wanted);
    return TELEX_EXIT_OK;
}

/* Options win over what is stored. */
static int find_server(struct telex_session *s, const struct telex_options *o, uint16_t *ret_port)
{
    char text[sizeof s->account.server + 8];
    struct uri uri;
    struct slice transport;
    size_t fault;
    if (o->server)
        snprintf(s->account.server, sizeof s->account.server, "%s", o->server);
    if (!with_scheme(s->account.server[0] ? s->account.server : s->domain, text, sizeof text) ||
        uri_parse(slice_str(text), &uri, &fault) != 0 || uri.scheme != URI_SIP || slice_is_set(uri.user))
        return telex_options_wrong(s->command, "expected a server like sip:192.0.2.1:5060, not \"%s\"", text);
    if (o->transport) {
        snprintf(s->account.transport, sizeof s->account.transport, "%s", o->transport);
    } else if (uri_param(&uri, SLICE("transport"), &transport)) {
        if (slice_eq_nocase(transport, SLICE("tcp")))
            snprintf(s->account.transport, sizeof s->account.transport, "tcp");
        else if (slice_eq_nocase(transport, SLICE("udp")))
            snprintf(s->account.transport, sizeof s->account.transport, "udp");
        else
            return telex_options_wrong(s->command, "expected transport=udp or tcp in \"%s\"", text);
    }
    struct slice host = uri.host;
    if (host.len > 2 && host.ptr[0] == '[')
        host = slice_make(host.ptr + 1, host.len - 2);
    *ret_port = uri.port ? uri.port : 5060;
    return slice_to_cstr(host, s->server_host, sizeof s->server_host) == 0 ? TELEX_EXIT_OK : TELEX_EXIT_USAGE;
}

/* --- the agent --- */

static int on_send(void *context, enum telex_transport transport, const void *bytes, size_t len)
{
    return telex_host_send(&((struct telex_session *)context)->host, transport, bytes, len);
}

static void on_connect(void *context, enum telex_transport transport)
{
    telex_host_connect(&((struct telex_session *)context)->host, transport);
}

static void on_hang_up(void *context, enum telex_transport transport)
{
    telex_host_hang_up(&((struct telex_session *)context)->host, transport);
}

static int make_agent(struct telex_session *s, const struct telex_session_wants *wants,
                      const struct telex_ua_callbacks *hears)
{
    s->callbacks = *hears;
    s->callbacks.send = on_send;
    s->callbacks.connect = on_connect;
    s->callbacks.hang_up = on_hang_up;
    s->callbacks.ha1 = on_ha1;
    const struct telex_ua_config config = {
        .aor = s->account.uri,
        .instance_id = wants->instance && s->account.instance[0] ? s->account.instance : NULL,
        .user_agent = "telex/" TELEX_VERSION,
        .transport = strcmp(s->account.transport, "tcp") == 0 ? TELEX_TCP : TELEX_UDP,
        .attempts_max = wants->attempts_max,
        .callbacks = &s->callbacks,
        .context = s};
    int err = telex_ua_new(&config, telex_host_now_ms(), &s->ua);
    if (err)
        fprintf(stderr, "telex %s: %s: %s\n", s->command, s->account.uri, telex_error_text(err));
    s->host.ua = s->ua;
    return err == 0 ? TELEX_EXIT_OK : TELEX_EXIT_TROUBLE;
}

int telex_session_open(struct telex_session *s, const char *command, const struct telex_options *options,
                       const struct telex_session_wants *wants, const struct telex_ua_callbacks *hears, void *context)
{
    uint16_t port = 0;
    *s = (struct telex_session){.command = command, .context = context};
    int code = find_account(s, options);
    if (code == TELEX_EXIT_OK)
        code = find_server(s, options, &port);
    if (code != TELEX_EXIT_OK)
        return code;
    if (options->password_file) {
        s->has_password = read_password_file(options->password_file, s->password, sizeof s->password);
        if (!s->has_password)
            return telex_options_wrong(command,
                                       "--password-file %s: expected a readable file whose first line is the "
                                       "password",
                                       options->password_file);
    }
    if (wants->instance)
        telex_account_need_instance(&s->account);
    telex_host_init(&s->host, s->server_host, port);
    code = make_agent(s, wants, hears);
    if (code != TELEX_EXIT_OK)
        telex_host_deinit(&s->host);
    return code;
}

void telex_session_close(struct telex_session *s)
{
    telex_ua_free(s->ua);
    telex_host_deinit(&s->host);
    OPENSSL_cleanse(s->password, sizeof s->password);
    OPENSSL_cleanse(s->account.password, sizeof s->account.password);
}

int telex_session_left_ms(uint64_t deadline_ms)
{
    uint64_t now = telex_host_now_ms();
    return now >= deadline_ms ? 0 : deadline_ms - now > 60000 ? 60000 : (int)(deadline_ms - now);
}

static void note_sign_off(void *context, const struct telex_registration *r)
{
    (void)r;
    ((struct telex_session *)context)->signed_off = true;
}

void telex_session_sign_off(struct telex_session *s)
{
    uint64_t deadline = telex_host_now_ms() + 2000;
    s->callbacks.registration = note_sign_off;
    telex_ua_register(s->ua, 0);
    for (int left; !s->signed_off && (left = telex_session_left_ms(deadline)) > 0;)
        telex_host_turn(&s->host, NULL, 0, left);
}
