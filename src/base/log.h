/* One event a line, with its ids as key=value fields (or one JSON object a line). Text from peers goes through the
 * escape here; never a body, never a credential. A sink may be set by tests. Safe from every thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/slice.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_field {
    const char *key;
    struct slice value; /* escaped when written */
};

#define LOG_FIELD(k, s) ((struct log_field){(k), (s)})

/* Writes to standard error unless a sink is set. Set before threads start. */
void log_configure(enum log_level max_level, enum log_format format);
void log_set_sink(void (*sink)(void *context, struct slice line), void *context);
bool log_enabled(enum log_level level);
/* `event` is a stable lower-case name with dashes ("auth-failed"); it and the fields' keys are what scripts match on.
 */
void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t count);
#define LOG(level, event, ...)                                                                                         \
    do {                                                                                                               \
        if (log_enabled(level)) {                                                                                      \
            const struct log_field log_fields_[] = {__VA_ARGS__};                                                      \
            log_event((level), (event), log_fields_, sizeof log_fields_ / sizeof log_fields_[0]);                      \
        }                                                                                                              \
    } while (0)

#endif
