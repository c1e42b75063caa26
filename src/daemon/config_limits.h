/* The section `limits` of the configuration. */
#ifndef DAEMON_CONFIG_LIMITS_H
#define DAEMON_CONFIG_LIMITS_H

#include "base/buf.h"
#include "daemon/reader.h"
#include "server/limits.h"

/* `into` is the struct config. */
int config_limits_read(struct reader *r, const struct place *at, void *into);
void config_limits_print(const struct server_limits *from, struct buf *out);

#endif
