/* Telex in the parse benchmark: once as the bench asks, once with every check that the server makes first. */
#include "parse_bench.h"
#include "sip/content_type.h"
#include "sip/message.h"

static int extract(const struct message *m, struct extract *ret)
{
    struct uri uri;
    struct via via;
    struct addr from, to;
    struct content_type type;
    struct slice method, value = message_value(m, HEADER_CONTENT_TYPE);
    size_t fault;
    if (message_uri(m, &uri) != 0 || message_top_via(m, &via) != 0 || message_from(m, &from) != 0 ||
        message_to(m, &to) != 0 || message_cseq(m, &ret->cseq, &method) != 0 ||
        message_number(m, HEADER_MAX_FORWARDS, 255, &ret->max_forwards) != 0 ||
        message_number(m, HEADER_CONTENT_LENGTH, INT32_MAX, &ret->content_length) != 0 ||
        content_type_parse(value, &type, &fault) < 0)
        return -1;
    ret->uri_user_len = uri.user.len;
    ret->uri_host_len = uri.host.len;
    ret->via_host_len = via.host.len;
    ret->via_port = via.port;
    ret->via_branch_len = via.branch.len;
    ret->from_host_len = from.uri.host.len;
    ret->from_tag_len = addr_tag(&from).len;
    ret->to_host_len = to.uri.host.len;
    ret->call_id_len = message_value(m, HEADER_CALL_ID).len;
    ret->type_len = type.type.len + type.subtype.len;
    return 0;
}

int contender_telex(const char *text, size_t len, struct extract *ret)
{
    struct message m;
    struct message_fault fault;
    return message_parse(slice_make(text, len), &m, &fault) != 0 ? -1 : extract(&m, ret);
}

int contender_telex_checked(const char *text, size_t len, struct extract *ret)
{
    struct message m;
    struct message_fault fault;
    if (message_parse(slice_make(text, len), &m, &fault) != 0 || message_check(&m, &fault) != 0)
        return -1;
    return extract(&m, ret);
}
