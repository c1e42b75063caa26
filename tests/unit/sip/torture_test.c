/* Every torture file with the outcome that tests/data/torture/outcomes.tsv states, against a guard page; a file that
 * the table does not name fails. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "sip/framer.h"
#include "support/check.h"

#define FOLDER TEST_DATA_DIR "/torture/"

/* What the server allows; the table's 513 and 413 depend on it. */
#define MAX_HEAD 16384
#define MAX_BODY 65536

static const char *datagram_outcome(struct slice in, char *room, size_t room_size)
{
    struct message m;
    struct message_fault fault = {0};
    int err = message_parse(in, &m, &fault);
    if (err == ERR_NONE)
        err = message_check(&m, &fault);
    if (err == ERR_NONE)
        return "accept";
    if (fault.status == 0 || !message_can_answer(&m))
        return "drop";
    assert_in_range(snprintf(room, room_size, "%u", (unsigned)fault.status), 1, room_size - 1);
    return room;
}

/* The first message of a stream, or the first fault. */
static const char *stream_outcome(struct slice in, char *room, size_t room_size)
{
    struct framer f;
    const char *seen = "wait";
    framer_init(&f);
    for (;;) {
        struct message_fault fault = {0};
        size_t len = 0;
        int kind = framer_next(&f, in, MAX_HEAD, MAX_BODY, &len, &fault);
        if (kind == ERR_NEED_MORE)
            return seen;
        if (kind == FRAME_MESSAGE)
            return datagram_outcome(slice_head(in, len), room, room_size);
        if (kind < 0) {
            assert_in_range(snprintf(room, room_size, "%u", (unsigned)fault.status), 1, room_size - 1);
            return room;
        }
        if (kind == FRAME_KEEPALIVE)
            seen = "pong";
        in = slice_skip(in, len);
    }
}

static struct slice table;

static int load(void **state)
{
    (void)state;
    table = guard_file(FOLDER "outcomes.tsv");
    return 0;
}

static int unload(void **state)
{
    (void)state;
    free((void *)(uintptr_t)table.ptr);
    return 0;
}

enum column { FILE_NAME, TRANSPORT, PARSE, WIRE, NOTE, COLUMNS };

/* The next row that is no comment; false at the end. */
static bool next_row(struct slice *rest, struct slice *columns)
{
    while (rest->len > 0) {
        struct slice line = slice_cut(*rest, '\n', rest);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        for (int i = 0; i < COLUMNS; i++) {
            assert_true(slice_is_set(line));
            columns[i] = slice_cut(line, '\t', &line);
        }
        return true;
    }
    return false;
}

static void test_outcomes(void **state)
{
    struct slice rest = table, columns[COLUMNS];
    char path[512], room[16];
    size_t count = 0, failed = 0;
    (void)state;
    assert_true(next_row(&rest, columns)); /* the names of the columns */
    while (next_row(&rest, columns)) {
        struct slice transport = columns[TRANSPORT];
        if (slice_eq(transport, SLICE("ws")))
            continue;
        assert_in_range(snprintf(path, sizeof(path), FOLDER "%.*s", SLICE_ARG(columns[FILE_NAME])), 1,
                        sizeof(path) - 1);
        struct slice data = guard_file(path);
        struct guard guard = guard_copy(data);
        for (int stream = 0; stream <= 1; stream++) {
            if (slice_eq(transport, stream ? SLICE("udp") : SLICE("tcp")))
                continue;
            const char *got = stream ? stream_outcome(guard.in, room, sizeof(room))
                                     : datagram_outcome(guard.in, room, sizeof(room));
            count++;
            if (!slice_eq(slice_str(got), columns[PARSE])) {
                print_error("%.*s over %s: %s, the table says %.*s\n", SLICE_ARG(columns[FILE_NAME]),
                            stream ? "tcp" : "udp", got, SLICE_ARG(columns[PARSE]));
                failed++;
            }
        }
        guard_free(&guard);
        free((void *)(uintptr_t)data.ptr);
    }
    assert_int_equal(failed, 0);
    assert_true(count > 230);
}

/* Every prefix of every file: no octet too far, whatever the outcome. */
static void test_prefixes(void **state)
{
    struct slice rest = table, columns[COLUMNS];
    char path[512], room[16];
    (void)state;
    assert_true(next_row(&rest, columns));
    while (next_row(&rest, columns)) {
        assert_in_range(snprintf(path, sizeof(path), FOLDER "%.*s", SLICE_ARG(columns[FILE_NAME])), 1,
                        sizeof(path) - 1);
        struct slice data = guard_file(path);
        size_t most = data.len < 1500 ? data.len : 1500; /* the rest of the large ones is the same again */
        struct guard guard = guard_copy(data);
        for (size_t len = 0; len <= most; len++) {
            struct slice in = guard_prefix(&guard, data, len);
            (void)datagram_outcome(in, room, sizeof(room));
            (void)stream_outcome(in, room, sizeof(room));
        }
        guard_free(&guard);
        free((void *)(uintptr_t)data.ptr);
    }
}

static bool is_listed(struct slice name)
{
    struct slice rest = table, columns[COLUMNS];
    while (next_row(&rest, columns)) {
        if (slice_eq(columns[FILE_NAME], name))
            return true;
    }
    return false;
}

static void test_all_listed(void **state)
{
    static const char *const folders[] = {"rfc4475", "rfc5118", "cases"};
    static const size_t files[] = {50, 12, 197};
    char path[512];
    (void)state;
    for (size_t i = 0; i < COUNT(folders); i++) {
        size_t found = 0;
        assert_in_range(snprintf(path, sizeof(path), FOLDER "%s", folders[i]), 1, sizeof(path) - 1);
        DIR *dir = opendir(path);
        assert_non_null(dir);
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
            if (entry->d_name[0] == '.' || strcmp(entry->d_name, "cases.tsv") == 0)
                continue;
            assert_in_range(snprintf(path, sizeof(path), "%s/%s", folders[i], entry->d_name), 1, sizeof(path) - 1);
            check_row(is_listed(slice_str(path)), path);
            found++;
        }
        closedir(dir);
        assert_int_equal(found, files[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_all_listed),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
