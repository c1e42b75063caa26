/* ns per message for a typical 600-octet MESSAGE: parse, then Request-URI, top Via, From, To, Call-ID, CSeq,
 * Max-Forwards, Content-Type and Content-Length, in Telex, libre and GNU oSIP. The contenders take turns, and the
 * median of their turns counts, so that a busy machine is unfair to none. Fails when Telex is over its limit or behind
 * another. usage: bench_parse [turns] */
#include "parse_bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/slice.h"

#define LIMIT_NS  700
#define TURNS     41
#define TURNS_MAX 1001
#define MESSAGES  5000 /* of one turn: some milliseconds */

/* A MESSAGE as Linphone sends one. */
static const char typical[] =
    "MESSAGE sip:bob@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK.3~y8nXqQ5;rport\r\n"
    "From: \"Alice\" <sip:alice@example.com>;tag=y7LdKSTtp\r\n"
    "To: <sip:bob@example.com>\r\n"
    "CSeq: 20 MESSAGE\r\n"
    "Call-ID: nuMPwfbAkx9XhvV2@192.0.2.10\r\n"
    "Max-Forwards: 70\r\n"
    "Supported: replaces, outbound, gruu, path\r\n"
    "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"
    "User-Agent: Linphone-Desktop/5.1.0 (workstation) Debian/12 Qt/5.15.8 LinphoneSDK/5.2.0\r\n"
    "Content-Type: text/plain; charset=UTF-8\r\n"
    "Content-Length: 97\r\n"
    "\r\n"
    "Good morning Bob. The delivery of the new phones comes at ten, could you open the side door? Al.\n";

struct row {
    const char *name;
    contender run;
    bool ours;
    double ns[TURNS_MAX];
    double median;
};

static struct row rows[] = {
    {.name = "telex", .run = contender_telex, .ours = true},
    {.name = "telex with message_check", .run = contender_telex_checked, .ours = true},
#ifdef HAVE_LIBRE
    {.name = "libre", .run = contender_libre},
#endif
#ifdef HAVE_OSIP
    {.name = "GNU oSIP", .run = contender_osip},
#endif
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool turn(struct row *row, unsigned number)
{
    struct extract e;
    uint64_t start = now_ns();
    for (unsigned i = 0; i < MESSAGES; i++) {
        if (row->run(typical, sizeof(typical) - 1, &e) != 0)
            return false;
    }
    row->ns[number] = (double)(now_ns() - start) / MESSAGES;
    return true;
}

/* All read the same of the message. */
static bool same_answers(void)
{
    struct extract first = {0}, other;
    for (size_t i = 0; i < ROWS; i++) {
        memset(&other, 0, sizeof(other));
        if (rows[i].run(typical, sizeof(typical) - 1, &other) != 0) {
            fprintf(stderr, "%s does not parse the message\n", rows[i].name);
            return false;
        }
        if (i == 0)
            first = other;
        if (memcmp(&first, &other, sizeof(first)) != 0) {
            fprintf(stderr, "%s reads other values than %s\n", rows[i].name, rows[0].name);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    uint32_t turns = TURNS;
    bool good = true;
    if (argc > 1 && (slice_to_u32(slice_str(argv[1]), TURNS_MAX, &turns) != 0 || turns == 0)) {
        fprintf(stderr, "turns: 1 to %d\n", TURNS_MAX);
        return 2;
    }
    if (!same_answers())
        return 1;
    for (unsigned t = 0; t < turns; t++) {
        for (size_t i = 0; i < ROWS; i++) {
            if (!turn(&rows[i], t))
                return 1;
        }
    }
    printf("parse a MESSAGE of %zu octets and read nine fields, median of %u turns:\n", sizeof(typical) - 1, turns);
    for (size_t i = 0; i < ROWS; i++) {
        qsort(rows[i].ns, turns, sizeof(rows[i].ns[0]), compare);
        rows[i].median = rows[i].ns[turns / 2];
        printf("  %-26s %7.0f ns (best %.0f)\n", rows[i].name, rows[i].median, rows[i].ns[0]);
        good = good && (rows[i].ours || rows[0].median < rows[i].median);
    }
    good = good && rows[0].median <= LIMIT_NS;
    printf("%s: at most %d ns and ahead of the others\n", good ? "good" : "FAILED", LIMIT_NS);
    return good ? 0 : 1;
}
