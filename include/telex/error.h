/* What a call of libtelex returns: 0 or one of these, all negative. Outcomes that come over the network are not errors
 * of a call; they arrive in the callbacks of telex/ua.h. */
#ifndef TELEX_ERROR_H
#define TELEX_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

enum telex_error {
    TELEX_OK = 0,
    TELEX_ERR_ARGUMENT = -1,  /* a URI, address, header value or number that cannot be meant */
    TELEX_ERR_NO_MEMORY = -2, /* malloc failed; nothing was changed */
    TELEX_ERR_FULL = -3,      /* a bounded queue has no room now; try again after some outcomes */
    TELEX_ERR_TOO_LARGE = -4, /* over a size limit of this library */
    TELEX_ERR_NOT_FOUND = -5  /* no such handle, or it was answered already */
};

/* A short English text for an error of this enum; a static string, never NULL. */
const char *telex_error_text(int error);

#ifdef __cplusplus
}
#endif

#endif
