/* Header field names: the ones we know, their full and compact forms. RFC 3261 §7.3.3, §20. */
#ifndef SIP_HEADER_H
#define SIP_HEADER_H

#include "base/slice.h"

enum header {
    HEADER_OTHER, /* unknown: kept byte for byte */
    HEADER_VIA,
    HEADER_FROM,
    HEADER_TO,
    HEADER_CALL_ID,
    HEADER_CSEQ,
    HEADER_MAX_FORWARDS,
    HEADER_CONTACT,
    HEADER_CONTENT_LENGTH,
    HEADER_CONTENT_TYPE,
    HEADER_CONTENT_ENCODING,
    HEADER_CONTENT_DISPOSITION,
    HEADER_CONTENT_LANGUAGE,
    HEADER_ROUTE,
    HEADER_RECORD_ROUTE,
    HEADER_PATH,
    HEADER_SERVICE_ROUTE,
    HEADER_MAX_BREADTH,
    HEADER_ACCEPT,
    HEADER_ACCEPT_ENCODING,
    HEADER_ACCEPT_LANGUAGE,
    HEADER_ALLOW,
    HEADER_ALLOW_EVENTS,
    HEADER_SUPPORTED,
    HEADER_REQUIRE,
    HEADER_PROXY_REQUIRE,
    HEADER_UNSUPPORTED,
    HEADER_EXPIRES,
    HEADER_MIN_EXPIRES,
    HEADER_DATE,
    HEADER_AUTHORIZATION,
    HEADER_PROXY_AUTHORIZATION,
    HEADER_WWW_AUTHENTICATE,
    HEADER_PROXY_AUTHENTICATE,
    HEADER_AUTHENTICATION_INFO,
    HEADER_EVENT,
    HEADER_SUBSCRIPTION_STATE,
    HEADER_P_ASSERTED_IDENTITY,
    HEADER_P_PREFERRED_IDENTITY,
    HEADER_RETRY_AFTER,
    HEADER_REASON,
    HEADER_WARNING,
    HEADER_SUBJECT,
    HEADER_PRIORITY,
    HEADER_REPLY_TO,
    HEADER_IN_REPLY_TO,
    HEADER_USER_AGENT,
    HEADER_SERVER,
    HEADER_ORGANIZATION,
    HEADER_TIMESTAMP,
    HEADER_RSEQ,
    HEADER_RACK,
    HEADER_REFER_TO,
    HEADER_SIP_ETAG,
    HEADER_SIP_IF_MATCH,
    HEADER_X_TELEX_ID, /* our own identity of a plain-text message (contract C5) */
    HEADER_COUNT
};

/* Without case; compact forms included. */
enum header header_from_name(struct slice name);
/* Canonical full name; absent for HEADER_OTHER. */
struct slice header_name(enum header h);
/* Fields whose value is a comma list (§7.3.1: may stand in several lines). */
bool header_is_list(enum header h);
/* Fields that may stand once at most (§20): a second line is an error. */
bool header_is_single(enum header h);

#endif
