/* Where the data is when nobody says. */
#ifndef DAEMON_DATA_FOLDER_H
#define DAEMON_DATA_FOLDER_H

#include <stddef.h>

/* /var/lib/telex for root, else $XDG_DATA_HOME/telex or ~/.local/share/telex. */
void data_folder_default(char *out, size_t out_size);

#endif
