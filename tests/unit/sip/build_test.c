/* Building messages and answers; parse, build, parse gives the same model. */
#include "sip/build.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/check.h"

static void test_request(void **state)
{
    struct buf out;
    struct message m;
    struct message_fault fault;
    (void)state;
    buf_init(&out, 1000);
    build_request_line(&out, SLICE("MESSAGE"), SLICE("sip:b@h"));
    build_header(&out, HEADER_VIA, SLICE("SIP/2.0/UDP h;branch=z9hG4bK1"));
    build_header_number(&out, HEADER_MAX_FORWARDS, 70);
    build_other(&out, SLICE("X-Odd"), SLICE("folded\r\n value\t\xd0\x90"));
    build_end(&out, SLICE("a\0b"));
    assert_true(buf_ok(&out));
    assert_true(slice_eq(buf_slice(&out), SLICE("MESSAGE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
                                                "Max-Forwards: 70\r\nX-Odd: folded\r\n value\t\xd0\x90\r\n"
                                                "Content-Length: 3\r\n\r\na\0b")));
    assert_int_equal(message_parse(buf_slice(&out), &m, &fault), ERR_NONE);
    buf_deinit(&out);
}

static void test_injection(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } values[] = {{"a\r\nX: y", 7}, {"a\nX: y", 6}, {"a\rX", 3}, {"a\0b", 3}, {"a\r\n", 3}, {"a\r", 2}, {"\n", 1}};
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        struct slice value = slice_make(values[i].text, values[i].len);
        for (int where = 0; where < 6; where++) {
            struct buf out;
            buf_init(&out, 1000);
            if (where == 0)
                build_header(&out, HEADER_SUBJECT, value);
            else if (where == 1)
                build_other(&out, value, SLICE("x"));
            else if (where == 2)
                build_request_line(&out, SLICE("MESSAGE"), value);
            else if (where == 3)
                build_request_line(&out, value, SLICE("sip:h"));
            else if (where == 4)
                build_status_line(&out, 400, value);
            else
                build_other(&out, SLICE("X"), value);
            check_row(!buf_ok(&out), values[i].text);
            buf_deinit(&out);
        }
    }
}

static void test_overflow(void **state)
{
    (void)state;
    for (size_t max = 0; max < 60; max++) {
        struct buf out;
        buf_init(&out, max);
        build_status_line(&out, 202, SLICE_NONE);
        build_end(&out, SLICE("body"));
        assert_false(buf_ok(&out) && out.len > max);
        assert_true(buf_ok(&out) == (max >= 47));
        buf_deinit(&out);
    }
}

static void test_reasons(void **state)
{
    (void)state;
    check_slice(build_reason(202), "Accepted");
    check_slice(build_reason(299), "OK");
    check_slice(build_reason(499), "Bad Request");
    for (unsigned status = 0; status < 1000; status++)
        assert_true(build_reason((uint16_t)status).len > 0);
}

#define HEAD                                                                                                           \
    "MESSAGE sip:b@h SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1;rport, SIP/2.0/TCP b\r\nTimestamp: 54\r\n"            \
    "Via: SIP/2.0/UDP c\r\n"

static const struct {
    const char *request, *to_tag, *top;
    uint16_t status;
    const char *want;
} responses[] = {
    {HEAD "f: <sip:a@h>;tag=1\r\nto : <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n\r\n", "9",
     "SIP/2.0/UDP a;branch=z9hG4bK1;received=1.2.3.4;rport=5", 202,
     "SIP/2.0 202 Accepted\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1;received=1.2.3.4;rport=5, SIP/2.0/TCP b\r\n"
     "Via: SIP/2.0/UDP c\r\nto : <sip:b@h>;tag=9\r\nf: <sip:a@h>;tag=1\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n"},
    {HEAD "From: sip:a@h\r\nTo: sip:b@h;x\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n\r\n", "9", NULL, 100,
     "SIP/2.0 100 Trying\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1;rport, SIP/2.0/TCP b\r\nVia: SIP/2.0/UDP c\r\n"
     "To: sip:b@h;x;tag=9\r\nFrom: sip:a@h\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nTimestamp: 54\r\n"},
    {HEAD "From: sip:a@h\r\nTo: sip:b@h;tag=7\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n\r\n", "9", NULL, 404,
     "SIP/2.0 404 Not Found\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1;rport, SIP/2.0/TCP b\r\nVia: SIP/2.0/UDP c\r\n"
     "To: sip:b@h;tag=7\r\nFrom: sip:a@h\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n"},
    /* what is missing or cannot be read */
    {"MESSAGE sip:b@h SIP/2.0\r\nVia: ;;\r\nTo: \"x <sip:b@h>\r\n\r\n", "9", "replaced", 400,
     "SIP/2.0 400 Bad Request\r\nVia: ;;\r\nTo: \"x <sip:b@h>\r\n"},
};

static void test_response(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(responses); i++) {
        struct buf out;
        struct message m;
        struct message_fault fault;
        buf_init(&out, 2000);
        assert_int_equal(message_parse(slice_str(responses[i].request), &m, &fault), ERR_NONE);
        build_response(&out, &m, responses[i].status, SLICE_NONE, slice_str(responses[i].to_tag),
                       slice_str(responses[i].top));
        check_slice(buf_slice(&out), responses[i].want);
        build_end(&out, SLICE(""));
        assert_true(buf_ok(&out));
        buf_deinit(&out);
    }
}

static void rebuild(struct buf *out, const struct message *m)
{
    if (message_is_request(m))
        build_request_line(out, m->method_name, m->uri_text);
    else
        build_status_line(out, m->status, m->reason);
    for (unsigned i = 0; i < m->header_count; i++) {
        const struct header_line *h = &m->headers[i];
        if (h->id == HEADER_CONTENT_LENGTH)
            continue;
        /* build_header refuses a NUL, which intmeth has as a quoted-pair. */
        if (h->id == HEADER_OTHER || i % 2 == 0 || memchr(h->value.ptr, '\0', h->value.len) != NULL)
            build_line(out, h);
        else
            build_header(out, (enum header)h->id, h->value);
    }
    build_end(out, m->body);
}

static bool same_model(const struct message *a, const struct message *b)
{
    unsigned i = 0, j = 0;
    if (a->method != b->method || a->status != b->status || !slice_eq(a->method_name, b->method_name) ||
        !slice_eq(a->uri_text, b->uri_text) || !slice_eq(a->reason, b->reason) || !slice_eq(a->body, b->body))
        return false;
    for (;; i++, j++) {
        while (i < a->header_count && a->headers[i].id == HEADER_CONTENT_LENGTH)
            i++;
        while (j < b->header_count && b->headers[j].id == HEADER_CONTENT_LENGTH)
            j++;
        if (i == a->header_count || j == b->header_count)
            return i == a->header_count && j == b->header_count;
        if (a->headers[i].id != b->headers[j].id || !slice_eq(a->headers[i].value, b->headers[j].value))
            return false;
    }
}

/* Every good message of the torture folders. */
static size_t round_trip(const char *folder)
{
    char path[512];
    size_t count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct message m, again;
        struct message_fault fault;
        struct buf out;
        if (entry->d_name[0] == '.')
            continue;
        assert_in_range(snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name), 1, sizeof(path) - 1);
        struct slice text = guard_file(path);
        if (message_parse(text, &m, &fault) == ERR_NONE && message_check(&m, &fault) == ERR_NONE) {
            buf_init(&out, text.len + 1000);
            rebuild(&out, &m);
            check_row(buf_ok(&out), path);
            check_row(message_parse(buf_slice(&out), &again, &fault) == ERR_NONE, path);
            check_row(same_model(&m, &again), path);
            check_row(message_check(&again, &fault) == ERR_NONE, path);
            buf_deinit(&out);
            count++;
        }
        free((void *)(uintptr_t)text.ptr);
    }
    closedir(dir);
    return count;
}

static void test_round_trip(void **state)
{
    (void)state;
    assert_in_range(round_trip(TEST_DATA_DIR "/torture/rfc4475"), 20, 50);
    assert_in_range(round_trip(TEST_DATA_DIR "/torture/rfc5118"), 8, 12);
    assert_in_range(round_trip(TEST_DATA_DIR "/torture/cases"), 80, 197);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request), cmocka_unit_test(test_injection), cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_reasons), cmocka_unit_test(test_response),  cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
