/* Whom a request names. P-Preferred-Identity is never read: it is a wish of somebody whom we would have to trust first.
 */
#include "server/auth_identity.h"

#include "base/err.h"
#include "server/us.h"

int auth_identity_of(const struct server_config *c, const struct uri *u, struct auth_identity *ret)
{
    struct auth_identity identity = {0};
    struct buf aor;
    buf_init(&aor, AUTH_AOR_MAX);
    bool is_sip = u->scheme == URI_SIP || u->scheme == URI_SIPS;
    identity.is_ours = is_sip && us_is_host(c, u->host, &identity.domain);
    identity.host = is_sip ? u->host : SLICE_NONE;
    int result = ERR_NONE;
    if (identity.is_ours)
        result = us_aor(c, u, &aor);
    else if (is_sip)
        result = uri_append_aor(&aor, u);
    else
        buf_append(&aor, u->text);
    if (result == ERR_NONE)
        result = slice_to_cstr(buf_ok(&aor) ? buf_slice(&aor) : SLICE_NONE, identity.aor, sizeof identity.aor);
    identity.aor_len = aor.len;
    if (!buf_ok(&aor))
        result = ERR_TOO_LARGE;
    buf_deinit(&aor);
    if (result == ERR_NONE)
        *ret = identity;
    return result;
}

int auth_identity_header(const struct server_config *c, const struct message *m, enum header field,
                         struct auth_identity *ret)
{
    struct addr addr;
    int result = field == HEADER_TO ? message_to(m, &addr) : message_from(m, &addr);
    return result == ERR_NONE ? auth_identity_of(c, &addr.uri, ret) : result;
}

int auth_identity_asserted(const struct server_config *c, const struct message *m, struct auth_identity *ret)
{
    struct message_values values = {0};
    struct addr addr, found;
    bool any = false;
    int err = ERR_NONE;
    while (message_next_addr(m, HEADER_P_ASSERTED_IDENTITY, &values, &addr, &err)) {
        bool is_sip = addr.uri.scheme == URI_SIP || addr.uri.scheme == URI_SIPS;
        if (!any || is_sip)
            found = addr;
        any = true;
        if (is_sip)
            break;
    }
    return any ? auth_identity_of(c, &found.uri, ret) : auth_identity_header(c, m, HEADER_FROM, ret);
}
