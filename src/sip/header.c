/* Header field names. RFC 3261 §7.3.3 (compact forms), §20, and the RFCs of the extensions. */
#include "sip/header.h"

#include "sip/lex.h"

enum { LIST = 1, SINGLE = 2 };

static const struct {
    struct slice name;
    uint8_t flags;
} table[HEADER_COUNT] = {
    [HEADER_VIA] = {SLICE_INIT("Via"), LIST},
    [HEADER_FROM] = {SLICE_INIT("From"), SINGLE},
    [HEADER_TO] = {SLICE_INIT("To"), SINGLE},
    [HEADER_CALL_ID] = {SLICE_INIT("Call-ID"), SINGLE},
    [HEADER_CSEQ] = {SLICE_INIT("CSeq"), SINGLE},
    [HEADER_MAX_FORWARDS] = {SLICE_INIT("Max-Forwards"), SINGLE},
    [HEADER_CONTACT] = {SLICE_INIT("Contact"), LIST},
    [HEADER_CONTENT_LENGTH] = {SLICE_INIT("Content-Length"), SINGLE},
    [HEADER_CONTENT_TYPE] = {SLICE_INIT("Content-Type"), SINGLE},
    [HEADER_CONTENT_ENCODING] = {SLICE_INIT("Content-Encoding"), LIST},
    [HEADER_CONTENT_DISPOSITION] = {SLICE_INIT("Content-Disposition"), SINGLE},
    [HEADER_CONTENT_LANGUAGE] = {SLICE_INIT("Content-Language"), LIST},
    [HEADER_ROUTE] = {SLICE_INIT("Route"), LIST},
    [HEADER_RECORD_ROUTE] = {SLICE_INIT("Record-Route"), LIST},
    [HEADER_PATH] = {SLICE_INIT("Path"), LIST},
    [HEADER_SERVICE_ROUTE] = {SLICE_INIT("Service-Route"), LIST},
    [HEADER_MAX_BREADTH] = {SLICE_INIT("Max-Breadth"), SINGLE},
    [HEADER_ACCEPT] = {SLICE_INIT("Accept"), LIST},
    [HEADER_ACCEPT_ENCODING] = {SLICE_INIT("Accept-Encoding"), LIST},
    [HEADER_ACCEPT_LANGUAGE] = {SLICE_INIT("Accept-Language"), LIST},
    [HEADER_ALLOW] = {SLICE_INIT("Allow"), LIST},
    [HEADER_ALLOW_EVENTS] = {SLICE_INIT("Allow-Events"), LIST},
    [HEADER_SUPPORTED] = {SLICE_INIT("Supported"), LIST},
    [HEADER_REQUIRE] = {SLICE_INIT("Require"), LIST},
    [HEADER_PROXY_REQUIRE] = {SLICE_INIT("Proxy-Require"), LIST},
    [HEADER_UNSUPPORTED] = {SLICE_INIT("Unsupported"), LIST},
    [HEADER_EXPIRES] = {SLICE_INIT("Expires"), SINGLE},
    [HEADER_MIN_EXPIRES] = {SLICE_INIT("Min-Expires"), SINGLE},
    [HEADER_DATE] = {SLICE_INIT("Date"), SINGLE},
    /* Credentials and challenges hold commas but are no comma lists (§7.3.1). */
    [HEADER_AUTHORIZATION] = {SLICE_INIT("Authorization"), 0},
    [HEADER_PROXY_AUTHORIZATION] = {SLICE_INIT("Proxy-Authorization"), 0},
    [HEADER_WWW_AUTHENTICATE] = {SLICE_INIT("WWW-Authenticate"), 0},
    [HEADER_PROXY_AUTHENTICATE] = {SLICE_INIT("Proxy-Authenticate"), 0},
    [HEADER_AUTHENTICATION_INFO] = {SLICE_INIT("Authentication-Info"), 0},
    [HEADER_EVENT] = {SLICE_INIT("Event"), SINGLE},
    [HEADER_SUBSCRIPTION_STATE] = {SLICE_INIT("Subscription-State"), SINGLE},
    [HEADER_P_ASSERTED_IDENTITY] = {SLICE_INIT("P-Asserted-Identity"), LIST},
    [HEADER_P_PREFERRED_IDENTITY] = {SLICE_INIT("P-Preferred-Identity"), LIST},
    [HEADER_RETRY_AFTER] = {SLICE_INIT("Retry-After"), SINGLE},
    [HEADER_REASON] = {SLICE_INIT("Reason"), LIST},
    [HEADER_WARNING] = {SLICE_INIT("Warning"), LIST},
    /* Several Subjects are what some gateways send; nothing depends on which is read (cases/h-replaces-dup-subject). */
    [HEADER_SUBJECT] = {SLICE_INIT("Subject"), 0},
    [HEADER_PRIORITY] = {SLICE_INIT("Priority"), SINGLE},
    [HEADER_REPLY_TO] = {SLICE_INIT("Reply-To"), SINGLE},
    [HEADER_IN_REPLY_TO] = {SLICE_INIT("In-Reply-To"), LIST},
    [HEADER_USER_AGENT] = {SLICE_INIT("User-Agent"), SINGLE},
    [HEADER_SERVER] = {SLICE_INIT("Server"), SINGLE},
    [HEADER_ORGANIZATION] = {SLICE_INIT("Organization"), SINGLE},
    [HEADER_TIMESTAMP] = {SLICE_INIT("Timestamp"), SINGLE},
    [HEADER_RSEQ] = {SLICE_INIT("RSeq"), SINGLE},
    [HEADER_RACK] = {SLICE_INIT("RAck"), SINGLE},
    [HEADER_REFER_TO] = {SLICE_INIT("Refer-To"), SINGLE},
    [HEADER_SIP_ETAG] = {SLICE_INIT("SIP-ETag"), SINGLE},
    [HEADER_SIP_IF_MATCH] = {SLICE_INIT("SIP-If-Match"), SINGLE},
    [HEADER_X_TELEX_ID] = {SLICE_INIT("X-Telex-ID"), SINGLE},
};

#define NAME_MAX_LEN 20

/* Fields by the length of their name, the frequent ones first; each row ends with HEADER_OTHER. */
#define ROW (uint8_t[])
static const uint8_t *const by_length[NAME_MAX_LEN + 1] = {
    [2] = ROW{HEADER_TO, 0},
    [3] = ROW{HEADER_VIA, 0},
    [4] = ROW{HEADER_FROM, HEADER_CSEQ, HEADER_DATE, HEADER_PATH, HEADER_RSEQ, HEADER_RACK, 0},
    [5] = ROW{HEADER_ALLOW, HEADER_ROUTE, HEADER_EVENT, 0},
    [6] = ROW{HEADER_ACCEPT, HEADER_SERVER, HEADER_REASON, 0},
    [7] = ROW{HEADER_CALL_ID, HEADER_CONTACT, HEADER_EXPIRES, HEADER_REQUIRE, HEADER_SUBJECT, HEADER_WARNING, 0},
    [8] = ROW{HEADER_PRIORITY, HEADER_REPLY_TO, HEADER_REFER_TO, HEADER_SIP_ETAG, 0},
    [9] = ROW{HEADER_SUPPORTED, HEADER_TIMESTAMP, 0},
    [10] = ROW{HEADER_USER_AGENT, HEADER_X_TELEX_ID, 0},
    [11] = ROW{HEADER_MAX_BREADTH, HEADER_MIN_EXPIRES, HEADER_RETRY_AFTER, HEADER_IN_REPLY_TO, HEADER_UNSUPPORTED, 0},
    [12] = ROW{HEADER_MAX_FORWARDS, HEADER_CONTENT_TYPE, HEADER_RECORD_ROUTE, HEADER_ALLOW_EVENTS, HEADER_ORGANIZATION,
               HEADER_SIP_IF_MATCH, 0},
    [13] = ROW{HEADER_AUTHORIZATION, HEADER_SERVICE_ROUTE, HEADER_PROXY_REQUIRE, 0},
    [14] = ROW{HEADER_CONTENT_LENGTH, 0},
    [15] = ROW{HEADER_ACCEPT_LANGUAGE, HEADER_ACCEPT_ENCODING, 0},
    [16] = ROW{HEADER_CONTENT_ENCODING, HEADER_CONTENT_LANGUAGE, HEADER_WWW_AUTHENTICATE, 0},
    [18] = ROW{HEADER_PROXY_AUTHENTICATE, HEADER_SUBSCRIPTION_STATE, 0},
    [19] = ROW{HEADER_PROXY_AUTHORIZATION, HEADER_P_ASSERTED_IDENTITY, HEADER_CONTENT_DISPOSITION,
               HEADER_AUTHENTICATION_INFO, 0},
    [20] = ROW{HEADER_P_PREFERRED_IDENTITY, 0},
};

static const uint8_t by_letter[26] = {
    ['v' - 'a'] = HEADER_VIA,          ['f' - 'a'] = HEADER_FROM,
    ['t' - 'a'] = HEADER_TO,           ['i' - 'a'] = HEADER_CALL_ID,
    ['m' - 'a'] = HEADER_CONTACT,      ['l' - 'a'] = HEADER_CONTENT_LENGTH,
    ['c' - 'a'] = HEADER_CONTENT_TYPE, ['e' - 'a'] = HEADER_CONTENT_ENCODING,
    ['u' - 'a'] = HEADER_ALLOW_EVENTS, ['k' - 'a'] = HEADER_SUPPORTED,
    ['o' - 'a'] = HEADER_EVENT,        ['s' - 'a'] = HEADER_SUBJECT,
    ['r' - 'a'] = HEADER_REFER_TO,
};

static bool same_name(struct slice name, struct slice known)
{
    /* Nearly every sender writes the names as the RFC does. */
    return memcmp(name.ptr, known.ptr, known.len) == 0 || slice_eq_nocase(name, known);
}

enum header header_from_name(struct slice name)
{
    if (name.len == 1 && lex_is(name.ptr[0], LEX_ALPHA))
        return (enum header)by_letter[lex_lower(name.ptr[0]) - 'a'];
    if (name.len > NAME_MAX_LEN || by_length[name.len] == NULL)
        return HEADER_OTHER;
    for (const uint8_t *row = by_length[name.len]; *row != HEADER_OTHER; row++) {
        struct slice known = table[*row].name;
        if ((name.ptr[0] | 0x20) == (known.ptr[0] | 0x20) && same_name(name, known))
            return (enum header) * row;
    }
    return HEADER_OTHER;
}

struct slice header_name(enum header h)
{
    return (unsigned)h < HEADER_COUNT ? table[h].name : SLICE_NONE;
}

bool header_is_list(enum header h)
{
    return (unsigned)h < HEADER_COUNT && (table[h].flags & LIST) != 0;
}

bool header_is_single(enum header h)
{
    return (unsigned)h < HEADER_COUNT && (table[h].flags & SINGLE) != 0;
}
