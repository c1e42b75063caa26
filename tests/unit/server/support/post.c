#include "post.h"

#include <stdio.h>
#include <string.h>

#include "sip/build.h"

struct flow post_flow(const struct lab *lab, const struct post_phone *p)
{
    const char *source = p->source ? p->source : p->address ? p->address : PHONE_A;
    struct flow f = lab_flow(lab, p->worker, p->transport, source);
    if (p->transport != TRANSPORT_UDP) {
        f.slot = 100 + f.remote.ip[15] + p->connection;
        f.slot += f.remote.ip[3];
        f.generation = 1 + p->connection;
    }
    return f;
}

void post_register(struct lab *lab, const struct post_phone *p)
{
    char contact[512], call_id[128], instance[128] = "";
    const char *user = p->user ? p->user : "bob";
    const char *address = p->address ? p->address : PHONE_A;
    struct flow flow = post_flow(lab, p);
    if (p->instance)
        (void)snprintf(instance, sizeof instance, ";+sip.instance=\"<urn:uuid:%s>\"", p->instance);
    (void)snprintf(contact, sizeof contact, "Contact: <sip:%s@%s%s>%s\r\n", user, p->contact ? p->contact : address,
                   p->transport == TRANSPORT_TCP ? ";transport=tcp" : "", instance);
    (void)snprintf(call_id, sizeof call_id, "reg-%s", address);
    const struct lab_register r = {
        .user = user, .call_id = p->call_id ? p->call_id : call_id, .contacts = contact, .extra = p->extra};
    assert_int_equal(lab_authenticated(lab, &flow, lab_register_text(&r), user, "secret"), 200);
    lab_clear(lab);
}

static const char *next_branch(void)
{
    static char names[64][32];
    static unsigned count;
    char *name = names[count % 64];
    (void)snprintf(name, sizeof names[0], "z9hG4bKpost%u", count++);
    return name;
}

static const char * or (const char *s, const char *otherwise)
{
    return s ? s : otherwise;
}

const char *post_text(const struct post_message *m)
{
    static char text[LAB_TEXT_MAX * 2];
    char call_id[64], type[256] = "";
    const char *branch = or (m->branch, next_branch()), *body = or (m->body, "hello");
    (void)snprintf(call_id, sizeof call_id, "id-%s", branch);
    if (!m->type || m->type[0])
        (void)snprintf(type, sizeof type, "Content-Type: %s\r\n", or (m->type, "text/plain"));
    int len = snprintf(text, sizeof text,
                       "MESSAGE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s\r\nMax-Forwards: %s\r\n"
                       "From: <%s>;tag=%s\r\nTo: <%s>\r\nCall-ID: %s\r\nCSeq: %u MESSAGE\r\n%s%s"
                       "Content-Length: %zu\r\n\r\n%s",
                       or (m->uri, or (m->to, BOB)), or (m->source, LAB_TRUSTED), branch, or (m->max_forwards, "70"),
                       or (m->from, ALICE), or (m->tag, "t"), or (m->to, BOB), or (m->call_id, call_id),
                       m->cseq ? m->cseq : 1, or (m->extra, ""), type, strlen(body), body);
    assert_true(len > 0 && (size_t)len < sizeof text);
    return text;
}

const char *post_send(struct lab *lab, const struct post_message *m)
{
    struct post_message copy = *m;
    struct flow flow = lab_flow(lab, m->worker, TRANSPORT_UDP, or (m->source, LAB_TRUSTED));
    copy.branch = or (m->branch, next_branch());
    lab_receive(lab, &flow, post_text(&copy));
    return copy.branch;
}

static int status_of(const struct lab_sent *s)
{
    uint32_t status;
    if (strncmp(s->text, "SIP/2.0 ", 8) != 0 || slice_to_u32(slice_make(s->text + 8, 3), 999, &status) != ERR_NONE)
        return 0;
    return (int)status;
}

const struct lab_sent *post_response(const struct lab *lab, const char *branch, int from, int to)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "branch=%s", branch);
    for (size_t i = lab->sent_count; i > 0; i--) {
        const struct lab_sent *s = &lab->sent[i - 1];
        const char *at = strstr(s->text, wanted);
        bool is_whole = at && strchr(";\r", at[strlen(wanted)]);
        if (is_whole && status_of(s) >= from && status_of(s) <= to)
            return s;
    }
    return NULL;
}

int post_status(const struct lab *lab, const char *branch)
{
    const struct lab_sent *s = post_response(lab, branch, 200, 699);
    return s ? status_of(s) : 0;
}

static bool is_first(const struct lab *lab, size_t index)
{
    for (size_t k = 0; k < index; k++)
        if (strcmp(lab->sent[k].text, lab->sent[index].text) == 0)
            return false;
    return true;
}

const struct lab_sent *post_request(const struct lab *lab, const char *address, size_t n)
{
    for (size_t i = 0; i < lab->sent_count; i++) {
        const struct lab_sent *s = &lab->sent[i];
        if (strncmp(s->text, "MESSAGE ", 8) == 0 && strcmp(s->to, address) == 0 && is_first(lab, i) && n-- == 0)
            return s;
    }
    return NULL;
}

size_t post_count(const struct lab *lab, const char *address)
{
    size_t count = 0;
    while (post_request(lab, address, count))
        count++;
    return count;
}

void post_answer_at(struct lab *lab, const struct lab_sent *request, int status, const char *extra, unsigned worker)
{
    struct message m;
    struct message_fault fault;
    struct buf b;
    assert_non_null(request);
    assert_int_equal(message_parse(slice_make(request->text, request->len), &m, &fault), ERR_NONE);
    buf_init(&b, LAB_TEXT_MAX);
    build_response(&b, &m, (uint16_t)status, SLICE_NONE, SLICE("device"), SLICE_NONE);
    if (extra)
        buf_append_str(&b, extra);
    build_end(&b, SLICE(""));
    buf_append_char(&b, '\0');
    assert_true(buf_ok(&b));
    struct flow flow = request->is_flow ? request->flow : lab_flow(lab, worker, request->transport, request->to);
    flow.worker = (uint8_t)worker;
    lab_receive(lab, &flow, b.ptr);
    buf_deinit(&b);
}

void post_answer(struct lab *lab, const struct lab_sent *request, int status)
{
    assert_non_null(request);
    post_answer_at(lab, request, status, NULL, request->worker);
}

void post_noise(struct lab *lab, const struct post_phone *p)
{
    static unsigned count;
    char text[512];
    struct flow flow = post_flow(lab, p);
    int len = snprintf(text, sizeof text,
                       "OPTIONS sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;rport;branch=z9hG4bKnoise%u\r\n"
                       "Max-Forwards: 70\r\nFrom: <sip:x@example.com>;tag=1\r\nTo: <sip:example.com>\r\n"
                       "Call-ID: noise\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
                       count++);
    assert_true(len > 0);
    lab_receive(lab, &flow, text);
}

const char *post_body(const struct lab_sent *request)
{
    assert_non_null(request);
    const char *end = strstr(request->text, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

size_t post_waiting(struct lab *lab)
{
    return store_memory_waiting(lab->store);
}

void post_unregister(struct lab *lab, const struct post_phone *p)
{
    struct post_phone gone = *p;
    gone.extra = "Expires: 0\r\n";
    post_register(lab, &gone);
}

uint32_t post_stored(struct lab *lab)
{
    return lab_account(lab, BOB)->entry_count;
}

struct device *post_device(struct lab *lab, const char *instance)
{
    struct account *a = lab_account(lab, BOB);
    char key[64];
    (void)snprintf(key, sizeof key, "urn:uuid:%s", instance);
    for (size_t i = 1; i < STORE_DEVICES_MAX; i++)
        if (a->devices[i] && slice_find_slice(a->devices[i]->key, slice_str(key)) >= 0)
            return a->devices[i];
    fail_msg("no device %s", instance);
    return NULL;
}
