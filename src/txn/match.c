/* Keys of server transactions. Branch, sent-by and method are what RFC 3261 §17.2.3 asks for. Call-ID and CSeq number
 * are taken as well: a true retransmission has the same, and a client that reuses a branch (weak generators, one branch
 * for the request and its repeat with credentials) would otherwise lose a message to another one's answer. */
#include "txn/match.h"

static uint64_t mix_text(const struct hash_key *key, uint64_t hash, struct slice text)
{
    return hash_mix(hash, hash_slice(key, text));
}

static uint64_t method_hash(const struct hash_key *key, const struct message *m, enum method method)
{
    return method == METHOD_OTHER ? hash_slice(key, m->method_name) : (uint64_t)method;
}

static struct slice tag_of(int (*get)(const struct message *, struct addr *), const struct message *m)
{
    struct addr a;
    return get(m, &a) == 0 ? addr_tag(&a) : SLICE_NONE;
}

/* RFC 3261 §17.2.3, second list: Request-URI, To tag, From tag, Call-ID, CSeq and top Via are all equal. */
static struct match match_rfc2543(const struct hash_key *key, const struct message *m, struct slice via_text,
                                  uint64_t method, uint64_t call)
{
    uint64_t rest = hash_slice(key, via_text);
    rest = mix_text(key, rest, m->uri_text);
    rest = mix_text(key, rest, tag_of(message_to, m));
    rest = mix_text(key, rest, tag_of(message_from, m));
    return (struct match){.hash = hash_mix(call, method), .identity = rest};
}

struct match match_make(const struct hash_key *key, const struct message *m, const struct via *via,
                        struct slice via_text, enum method method)
{
    uint32_t cseq = 0;
    struct slice cseq_method;
    (void)message_cseq(m, &cseq, &cseq_method); /* stays 0 in a malformed request */
    uint64_t call = hash_mix(hash_slice(key, message_value(m, HEADER_CALL_ID)), cseq);
    uint64_t of_method = method_hash(key, m, method);
    if (!via || !via_has_magic_branch(via))
        return match_rfc2543(key, m, via_text, of_method, call);
    uint64_t hash = hash_slice(key, via->branch);
    hash = hash_mix(hash, hash_slice_nocase(key, via->host));
    hash = hash_mix(hash, of_method ^ (uint64_t)via->port << 48);
    return (struct match){.hash = hash, .identity = call};
}
