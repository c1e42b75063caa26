/* SIP methods. RFC 3261 §7.1, §25.1: Method = INVITEm / ACKm / ... / token, case-sensitive. */
#include "sip/method.h"

static const struct slice names[METHOD_COUNT] = {
    [METHOD_MESSAGE] = SLICE_INIT("MESSAGE"), [METHOD_REGISTER] = SLICE_INIT("REGISTER"),
    [METHOD_OPTIONS] = SLICE_INIT("OPTIONS"), [METHOD_INVITE] = SLICE_INIT("INVITE"),
    [METHOD_ACK] = SLICE_INIT("ACK"),         [METHOD_CANCEL] = SLICE_INIT("CANCEL"),
    [METHOD_BYE] = SLICE_INIT("BYE"),         [METHOD_PRACK] = SLICE_INIT("PRACK"),
    [METHOD_UPDATE] = SLICE_INIT("UPDATE"),   [METHOD_INFO] = SLICE_INIT("INFO"),
    [METHOD_REFER] = SLICE_INIT("REFER"),     [METHOD_SUBSCRIBE] = SLICE_INIT("SUBSCRIBE"),
    [METHOD_NOTIFY] = SLICE_INIT("NOTIFY"),   [METHOD_PUBLISH] = SLICE_INIT("PUBLISH"),
};

enum method method_from_name(struct slice name)
{
    for (unsigned m = METHOD_OTHER + 1; m < METHOD_COUNT; m++) {
        if (slice_eq(name, names[m]))
            return (enum method)m;
    }
    return METHOD_OTHER;
}

struct slice method_name(enum method m)
{
    return (unsigned)m < METHOD_COUNT ? names[m] : SLICE_NONE;
}
