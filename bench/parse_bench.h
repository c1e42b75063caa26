/* What every contender of the parse benchmark gives back: the same nine things of one MESSAGE. */
#ifndef PARSE_BENCH_H
#define PARSE_BENCH_H

#include <stddef.h>
#include <stdint.h>

struct extract {
    size_t uri_user_len, uri_host_len;
    size_t via_host_len, via_branch_len;
    size_t from_host_len, from_tag_len;
    size_t to_host_len;
    size_t call_id_len;
    size_t type_len;
    uint32_t via_port, cseq, max_forwards, content_length;
};

/* Parses the message and reads the nine things; 0 on success. */
typedef int (*contender)(const char *text, size_t len, struct extract *ret);

int contender_telex(const char *text, size_t len, struct extract *ret);
int contender_telex_checked(const char *text, size_t len, struct extract *ret);
int contender_libre(const char *text, size_t len, struct extract *ret);
int contender_osip(const char *text, size_t len, struct extract *ret);

#endif
