/* A configuration from a text, through a file as in life. */
#ifndef SUPPORT_CONFIG_FILE_H
#define SUPPORT_CONFIG_FILE_H

#include "daemon/config.h"

/* As config_load. The message names the file as "FILE". The caller frees it. */
int config_file_load(const char *yaml, const char *data, struct config **ret, char **ret_message);

#endif
