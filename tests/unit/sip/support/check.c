/* Checks on slices. */
#include "support/check.h"

void check_slice_at(struct slice got, const char *want, const char *file, int line)
{
    struct slice expected = slice_str(want);
    if (slice_is_set(got) == slice_is_set(expected) && slice_eq(got, expected))
        return;
    print_error("%s:%d: got \"%.*s\", want \"%s\"\n", file, line, SLICE_ARG(got), want != NULL ? want : "(absent)");
    fail();
}
