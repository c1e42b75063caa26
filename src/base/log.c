/* Builds each event's line in a buffer of its own and writes it with one call, so lines of threads never mix. */
#include "base/log.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

/* A value longer than this is cut: one hostile header must not fill the disk. */
#define LOG_VALUE_MAX 512
#define LOG_LINE_MAX  32768 /* ten values at their longest with every octet escaped */

static _Atomic(int) max_level = LOG_INFO;
static _Atomic(int) line_format = LOG_TEXT;
static void (*line_sink)(void *context, struct slice line);
static void *sink_context;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_configure(enum log_level level, enum log_format format)
{
    atomic_store(&max_level, (int)level);
    atomic_store(&line_format, (int)format);
}

void log_set_sink(void (*sink)(void *context, struct slice line), void *context)
{
    line_sink = sink;
    sink_context = context;
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

/* Length of the well-formed UTF-8 sequence at the start of `s` (RFC 3629 §4), or 0. */
static size_t utf8_len(struct slice s)
{
    unsigned char c = (unsigned char)s.ptr[0];
    size_t len = c < 0x80                 ? 1
                 : c >= 0xC2 && c <= 0xDF ? 2
                 : c >= 0xE0 && c <= 0xEF ? 3
                 : c >= 0xF0 && c <= 0xF4 ? 4
                                          : 0;
    if (len == 0 || len > s.len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if (((unsigned char)s.ptr[i] & 0xC0) != 0x80)
            return 0;
    unsigned char d = len > 1 ? (unsigned char)s.ptr[1] : 0;
    bool overlong = (c == 0xE0 && d < 0xA0) || (c == 0xF0 && d < 0x90);
    bool beyond = (c == 0xED && d > 0x9F) || (c == 0xF4 && d > 0x8F);
    return overlong || beyond ? 0 : len;
}

/* C1 controls (U+0080..U+009F) and the characters that turn text around (U+200E, U+200F, U+202A..U+202E, U+2066..
 * U+2069, U+061C) can forge a line on a terminal (defects.md, injection sinks). */
static bool is_unsafe(struct slice c)
{
    const unsigned char *p = (const unsigned char *)c.ptr;
    if (c.len == 1)
        return p[0] < 0x20 || p[0] == 0x7F;
    if (c.len == 2)
        return (p[0] == 0xC2 && p[1] < 0xA0) || (p[0] == 0xD8 && p[1] == 0x9C);
    if (c.len == 3 && p[0] == 0xE2 && p[1] == 0x80)
        return p[2] == 0x8E || p[2] == 0x8F || (p[2] >= 0xA8 && p[2] <= 0xAE);
    if (c.len == 3 && p[0] == 0xE2 && p[1] == 0x81)
        return p[2] >= 0xA6 && p[2] <= 0xA9;
    return false;
}

/* Both formats share one escape: quote and backslash by a backslash; what cannot be shown as \u00XX per octet, which
 * is valid JSON and plain to read. */
static void append_quoted(struct buf *b, struct slice value)
{
    bool cut = value.len > LOG_VALUE_MAX;
    value = slice_head(value, LOG_VALUE_MAX);
    buf_append_char(b, '"');
    while (value.len) {
        size_t len = utf8_len(value);
        struct slice c = slice_head(value, len ? len : 1);
        if (len == 0 || is_unsafe(c)) {
            for (size_t i = 0; i < c.len; i++) {
                buf_append(b, SLICE("\\u00"));
                buf_append_hex(b, c.ptr + i, 1);
            }
        } else {
            if (c.ptr[0] == '"' || c.ptr[0] == '\\')
                buf_append_char(b, '\\');
            buf_append(b, c);
        }
        value = slice_skip(value, c.len);
    }
    if (cut)
        buf_append(b, SLICE("..."));
    buf_append_char(b, '"');
}

static bool needs_quotes(struct slice s)
{
    if (s.len == 0 || s.len > LOG_VALUE_MAX)
        return true;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7F || s.ptr[i] == '"' || s.ptr[i] == '\\' || s.ptr[i] == '=')
            return true;
    return false;
}

static void append_time(struct buf *b)
{
    struct timespec now;
    struct tm utc;
    char text[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    buf_append(b, slice_make(text, len));
    buf_printf(b, ".%03ldZ", now.tv_nsec / 1000000);
}

static void build_text(struct buf *b, enum log_level level, const char *event, const struct log_field *fields,
                       size_t count)
{
    append_time(b);
    buf_printf(b, " %s %s", level_names[level], event);
    for (size_t i = 0; i < count; i++) {
        if (!slice_is_set(fields[i].value))
            continue;
        buf_printf(b, " %s=", fields[i].key);
        if (needs_quotes(fields[i].value))
            append_quoted(b, fields[i].value);
        else
            buf_append(b, fields[i].value);
    }
}

static void build_json(struct buf *b, enum log_level level, const char *event, const struct log_field *fields,
                       size_t count)
{
    buf_append_str(b, "{\"time\":\"");
    append_time(b);
    buf_printf(b, "\",\"level\":\"%s\",\"event\":\"%s\"", level_names[level], event);
    for (size_t i = 0; i < count; i++) {
        if (!slice_is_set(fields[i].value))
            continue;
        buf_printf(b, ",\"%s\":", fields[i].key);
        append_quoted(b, fields[i].value);
    }
    buf_append_char(b, '}');
}

static void write_line(struct slice line)
{
    if (line_sink) {
        line_sink(sink_context, line);
        return;
    }
    /* A log that cannot be written must not stop the service; there is nobody to tell. */
    while (line.len) {
        ssize_t n = write(STDERR_FILENO, line.ptr, line.len);
        if (n <= 0)
            return;
        line = slice_skip(line, (size_t)n);
    }
}

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    bool json = atomic_load_explicit(&line_format, memory_order_relaxed) == LOG_JSON;
    struct buf b;
    if (!log_enabled(level))
        return;
    buf_init(&b, LOG_LINE_MAX);
    (json ? build_json : build_text)(&b, level, event, fields, count);
    buf_append_char(&b, '\n');
    if (!buf_ok(&b)) {
        /* Too much for one line: the event's name alone still says what happened. */
        buf_reset(&b);
        (json ? build_json : build_text)(&b, level, event, NULL, 0);
        buf_append_char(&b, '\n');
    }
    write_line(buf_slice(&b));
    buf_deinit(&b);
}
