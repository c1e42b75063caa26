/* What a REGISTER asks, checked: RFC 3261 §10.3 steps 6-7 as far as they concern the request alone. */
#ifndef SERVER_REGISTER_REQUEST_H
#define SERVER_REGISTER_REQUEST_H

#include "base/arena.h"
#include "server/config.h"
#include "sip/message.h"

/* Contacts in one REGISTER: one and a half times what an account may have. */
#define REGISTER_CONTACTS_MAX 16u
/* Bounds of the texts that are kept. The longest Contacts seen carry push tokens of about 1 000 octets. */
#define REGISTER_CONTACT_MAX    2048u
#define REGISTER_INSTANCE_MAX   256u
#define REGISTER_CALL_ID_MAX    256u
#define REGISTER_USER_AGENT_MAX 256u /* the rest is cut */
#define REGISTER_ALLOW_MAX      512u

struct register_contact {
    struct uri uri;
    struct slice params;   /* header parameters on one line, from the first ";", or absent */
    struct slice instance; /* +sip.instance without quotes; absent: none */
    struct slice reg_id;   /* absent: none */
    struct slice methods;  /* methods= without quotes; absent: none */
    uint32_t expires_s;    /* cut to the maximum; 0: remove it */
    uint16_t q;
    bool behind_nat;
};

/* Slices borrow from the message or the arena. */
struct register_request {
    struct register_contact contacts[REGISTER_CONTACTS_MAX];
    size_t contact_count; /* 0 without is_star: a query */
    bool is_star;
    bool supports_path;
    bool is_direct; /* one Via: the flow is the phone's own */
    struct slice call_id, user_agent;
    struct slice allow; /* Allow joined; absent: unknown */
    struct slice path;  /* Path joined, of a peer that is believed in it; else absent */
    uint32_t cseq;
    struct flow flow;
};

/* How to refuse it. */
struct register_fault {
    uint16_t status;
    const char *reason; /* static; NULL: the default phrase */
};

/* ERR_NONE, ERR_MALFORMED with *ret_fault, ERR_NO_MEMORY. `path_is_believed`: it came from a relay or trusted peer. */
int register_request_parse(const struct server_config *c, const struct message *m, const struct flow *flow,
                           bool path_is_believed, struct arena *arena, struct register_request *ret,
                           struct register_fault *ret_fault);

#endif
