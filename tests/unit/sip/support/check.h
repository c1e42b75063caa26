/* What every test of this room includes: cmocka, and checks on slices. */
#ifndef SUPPORT_CHECK_H
#define SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "support/guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* `want` NULL: absent. */
#define check_slice(got, want) check_slice_at(got, want, __FILE__, __LINE__)
void check_slice_at(struct slice got, const char *want, const char *file, int line);
/* Says which row of a table failed. */
#define check_row(good, text)                                                                                          \
    do {                                                                                                               \
        if (!(good))                                                                                                   \
            fail_msg("%s:%d: %s: %s", __FILE__, __LINE__, #good, text);                                                \
    } while (0)

#endif
