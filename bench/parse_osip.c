/* GNU oSIP in the parse benchmark. It copies every field; numbers stay text and are turned into numbers here. */
#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>
#include <string.h>

#include "parse_bench.h"

static uint32_t number(const char *text)
{
    return text == NULL ? 0 : (uint32_t)osip_atoi(text);
}

static size_t length(const char *text)
{
    return text == NULL ? 0 : strlen(text);
}

int contender_osip(const char *text, size_t len, struct extract *ret)
{
    static char branch_name[] = "branch", tag_name[] = "tag"; /* its API is not const */
    static int started;
    osip_message_t *m = NULL;
    osip_via_t *via = NULL;
    osip_header_t *max_forwards = NULL;
    osip_generic_param_t *branch = NULL, *tag = NULL;
    if (!started) {
        parser_init();
        started = 1;
    }
    if (osip_message_init(&m) != 0)
        return -1;
    int err = osip_message_parse(m, text, len);
    if (err == 0 && (osip_message_get_via(m, 0, &via) < 0 || osip_message_get_max_forwards(m, 0, &max_forwards) < 0))
        err = -1;
    if (err == 0) {
        (void)osip_uri_param_get_byname(&via->via_params, branch_name, &branch);
        (void)osip_uri_param_get_byname(&m->from->gen_params, tag_name, &tag);
        ret->uri_user_len = length(m->req_uri->username);
        ret->uri_host_len = length(m->req_uri->host);
        ret->via_host_len = length(via->host);
        ret->via_port = number(via->port);
        ret->via_branch_len = branch == NULL ? 0 : length(branch->gvalue);
        ret->from_host_len = length(m->from->url->host);
        ret->from_tag_len = tag == NULL ? 0 : length(tag->gvalue);
        ret->to_host_len = length(m->to->url->host);
        ret->call_id_len = length(m->call_id->number) + (m->call_id->host != NULL ? 1 + length(m->call_id->host) : 0);
        ret->cseq = number(m->cseq->number);
        ret->max_forwards = number(max_forwards->hvalue);
        ret->content_length = number(m->content_length->value);
        ret->type_len = length(m->content_type->type) + length(m->content_type->subtype);
    }
    osip_message_free(m);
    return err;
}
