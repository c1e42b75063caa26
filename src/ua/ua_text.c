/* Header lines and small rules that REGISTER and MESSAGE share. */
#include "ua/ua_private.h"

void ua_text_short_token(struct telex_ua *ua, char *out, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[UA_TOKEN_LEN / 2];
    random_fill(&ua->random.base, bytes, sizeof bytes);
    for (size_t i = 0; i < len; i++)
        out[i] = digits[i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4];
    out[len] = '\0';
}

void ua_text_token(struct telex_ua *ua, char out[UA_TOKEN_LEN + 1])
{
    ua_text_short_token(ua, out, UA_TOKEN_LEN);
}

void ua_text_from(struct telex_ua *ua, struct buf *out, const char *tag)
{
    buf_append_str(out, "From: ");
    if (ua->config.display_name) {
        buf_append_char(out, '"');
        for (const char *p = ua->config.display_name; *p; p++) {
            if (*p == '"' || *p == '\\') /* quoted-pair, RFC 3261 §25.1 */
                buf_append_char(out, '\\');
            buf_append_char(out, *p);
        }
        buf_append_str(out, "\" ");
    }
    buf_printf(out, "<%s>;tag=%s\r\n", ua->config.aor, tag);
}

void ua_text_user_agent(struct telex_ua *ua, struct buf *out)
{
    build_header(out, HEADER_USER_AGENT, slice_str(ua->config.user_agent));
}

bool ua_text_is_clean(const char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    }
    return true;
}

const char *ua_text_cut(struct slice s, char *out, size_t size)
{
    struct slice head = slice_head(s, size - 1);
    if (head.len)
        memcpy(out, head.ptr, head.len);
    out[head.len] = '\0';
    return out;
}

uint32_t ua_text_retry_after(const struct message *response)
{
    uint32_t seconds = 0;
    int err = message_number(response, HEADER_RETRY_AFTER, UINT32_MAX, &seconds);
    return err == ERR_NONE ? seconds : 0;
}

bool ua_text_is_passing(uint16_t status)
{
    return status == 408 || status == 500 || (status >= 502 && status <= 504);
}

uint64_t ua_text_backoff_ms(struct telex_ua *ua, unsigned failures, uint32_t retry_after_s)
{
    uint64_t base = UA_BACKOFF_FIRST_MS;
    for (unsigned i = 0; i < failures && base < UA_BACKOFF_MAX_MS; i++)
        base *= 2;
    if (base > UA_BACKOFF_MAX_MS)
        base = UA_BACKOFF_MAX_MS;
    uint64_t ms = base - random_below(&ua->random.base, base / 2);
    uint64_t asked = (uint64_t)retry_after_s * 1000;
    if (asked > UA_BACKOFF_MAX_MS) /* a hostile or confused server must not silence us for years */
        asked = UA_BACKOFF_MAX_MS;
    return ms > asked ? ms : asked;
}
