/* The defaults of every limit; the reasons stand in limits.h. */
#include "server/limits.h"

void server_limits_default(struct server_limits *limits)
{
    *limits = (struct server_limits){
        .mailbox_messages = 20000,
        .mailbox_bytes = 256u * 1024 * 1024,
        .copy_messages = 20000,
        .bindings_per_account = 10,
        .message_bytes = 64000,
        .message_life_s = 30u * 24 * 3600,
        .message_life_max_s = 90u * 24 * 3600,
        .register_min_s = 10,
        .register_default_s = 3600,
        .register_max_s = 7200,
        .device_days = 30,
        .sender_per_minute = 600,
        .sender_burst = 200,
        .source_per_second = 200,
        .source_burst = 2000,
        .deciding_max = 20000,
        .duplicates_max = 200000,
    };
}
