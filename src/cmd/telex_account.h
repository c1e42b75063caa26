/* The accounts of the person at this terminal: ~/.config/telex/accounts.json (or under XDG_CONFIG_HOME), mode 0600. */
#ifndef TELEX_ACCOUNT_H
#define TELEX_ACCOUNT_H

#include <jansson.h>
#include <stdbool.h>

struct telex_account {
    char uri[512];
    char server[512];   /* "": the domain */
    char transport[8];  /* "", "udp" or "tcp" */
    char password[512]; /* "": not stored */
    char instance[64];  /* "urn:uuid:..."; "": none yet */
};

/* Reads the account of `uri`, or the default one when `uri` is NULL. False: there is none; *ret is then empty. */
bool telex_account_find(const char *uri, struct telex_account *ret);
/* Stores it, in the place of one with the same uri; the first one, or any with `make_default`, becomes the default.
 * False with a message on standard error. */
bool telex_account_store(const struct telex_account *account, bool make_default);
/* Gives the account its lasting +sip.instance (RFC 5626 §4.1) and stores it where there was none. Where nothing can be
 * stored the instance stays empty: a new one each time would make a new device each time. */
void telex_account_need_instance(struct telex_account *account);
/* False: there is none. */
bool telex_account_remove(const char *uri);
/* All of them: {"default": uri, "accounts": {uri: {...}}}. The caller owns it; never NULL but without memory. */
json_t *telex_account_all(void);

#endif
