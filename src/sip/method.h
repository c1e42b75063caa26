/* SIP methods (RFC 3261 §7.1 and extensions). Names are case-sensitive. */
#ifndef SIP_METHOD_H
#define SIP_METHOD_H

#include "base/slice.h"

enum method {
    METHOD_OTHER, /* a token that we don't know: the message keeps its name */
    METHOD_MESSAGE,
    METHOD_REGISTER,
    METHOD_OPTIONS,
    METHOD_INVITE,
    METHOD_ACK,
    METHOD_CANCEL,
    METHOD_BYE,
    METHOD_PRACK,
    METHOD_UPDATE,
    METHOD_INFO,
    METHOD_REFER,
    METHOD_SUBSCRIBE,
    METHOD_NOTIFY,
    METHOD_PUBLISH,
    METHOD_COUNT
};

enum method method_from_name(struct slice name);
/* Static text; absent for METHOD_OTHER. */
struct slice method_name(enum method m);

#endif
