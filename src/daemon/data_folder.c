/* One rule for telexd and telexctl, so that they meet. */
#include "daemon/data_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void data_folder_default(char *out, size_t out_size)
{
    const char *home = getenv("HOME"), *share = getenv("XDG_DATA_HOME");
    if (geteuid() == 0)
        (void)snprintf(out, out_size, "/var/lib/telex");
    else if (share && *share)
        (void)snprintf(out, out_size, "%s/telex", share);
    else
        (void)snprintf(out, out_size, "%s/.local/share/telex", home ? home : ".");
}
