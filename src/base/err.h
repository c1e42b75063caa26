/* The one error enum of the house: zero is success, errors are negative. A function's contract lists which it returns.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
    ERR_NONE = 0,
    ERR_MALFORMED = -1, /* the input breaks its grammar */
    ERR_NEED_MORE = -2, /* the input is a valid beginning; more bytes are needed */
    ERR_NO_MEMORY = -3, /* the allocator failed */
    ERR_TOO_LARGE = -4, /* a size or count is over its limit */
    ERR_NOT_FOUND = -5,
    ERR_EXISTS = -6,
    ERR_FULL = -7,        /* a bounded table, queue or disk has no room */
    ERR_IO = -8,          /* the operating system or a library refused; the log says which call */
    ERR_UNSUPPORTED = -9, /* understood, and not offered */
    ERR_TIMEOUT = -10,
    ERR_CLOSED = -11, /* the thing addressed is gone */
};

/* Returns a short English text for `err`, a static string. */
const char *err_text(int err);

#endif
