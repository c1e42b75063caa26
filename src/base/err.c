/* Texts of the error enum. */
#include "base/err.h"

#include <stddef.h>

const char *err_text(int err)
{
    static const char *const texts[] = {
        [0] = "success",
        [-ERR_MALFORMED] = "malformed",
        [-ERR_NEED_MORE] = "more bytes are needed",
        [-ERR_NO_MEMORY] = "out of memory",
        [-ERR_TOO_LARGE] = "too large",
        [-ERR_NOT_FOUND] = "not found",
        [-ERR_EXISTS] = "exists already",
        [-ERR_FULL] = "full",
        [-ERR_IO] = "input/output error",
        [-ERR_UNSUPPORTED] = "not supported",
        [-ERR_TIMEOUT] = "timed out",
        [-ERR_CLOSED] = "closed",
    };
    const int count = (int)(sizeof texts / sizeof texts[0]);
    if (err > 0 || err <= -count)
        return "unknown error";
    return texts[-err];
}
