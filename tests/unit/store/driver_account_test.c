/* What every driver must do with accounts, devices and bindings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "support/both.h"

/* --- accounts --- */

static void account_is_inserted_then_updated_by_aor(void **state)
{
    struct harness *h = *state;
    struct store_request r = {.op = STORE_ACCOUNT_PUT,
                              .put = {.aor = SLICE("sip:alice@example.com"), .name = SLICE("Alice \"A\"")}};
    memcpy(r.put.credentials.md5[0], "0123456789abcdef0123456789abcdef", 33);
    memcpy(r.put.credentials.sha512_256[1], "ff", 3);
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    int64_t id = r.put.id;
    assert_int_equal(id, 1);
    assert_int_equal(harness_account(h, "sip:bob@example.com"), 2);
    r.put.id = 0;
    r.put.name = SLICE("Al");
    r.put.extra = SLICE("digest=md5");
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    assert_int_equal(r.put.id, id);
    both_expect(h, "account 1 aor=sip:alice@example.com name=Al extra=digest=md5"
                   " ha1=0123456789abcdef0123456789abcdef,, ha1=,,ff\n"
                   "account 2 aor=sip:bob@example.com name= extra= ha1=,, ha1=,,\n");
}

static void account_takes_all_with_it_and_its_id_is_not_given_again(void **state)
{
    struct harness *h = *state;
    int64_t alice = harness_account(h, "sip:alice@example.com"), bob = harness_account(h, "sip:bob@example.com");
    harness_device(h, bob, 1, 0);
    uint64_t seq = harness_append_now(h, bob, "gone");
    assert_int_equal(
        harness_mark(h, bob, (struct store_mark){.seq = seq, .device = 1, .state = STORE_FAILED, .status = 488}),
        ERR_NONE);
    uint64_t kept = harness_append_now(h, alice, "kept");
    struct store_request r = {.op = STORE_ACCOUNT_DELETE, .account = bob};
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    assert_int_equal(harness_do(h, &r), ERR_NOT_FOUND);
    both_expect(h, "account 1 aor=sip:alice@example.com name= extra= ha1=,, ha1=,,\n"
                   "entry 1 seq=2 kind=1 answer=202 accepted=1000 expires=9000 sender=sip:bob@example.com size=16"
                   " key=01020300000000000000000000000000\n");
    assert_int_equal(kept, 2);
    assert_int_equal(harness_account(h, "sip:bob@example.com"), 3);
}

static void nothing_is_done_for_an_unknown_account(void **state)
{
    struct harness *h = *state;
    struct store_device d = {.number = 1};
    struct store_mark m = {.seq = 1, .device = 0, .state = STORE_DELIVERED, .advance = true};
    struct store_request cases[] = {
        {.op = STORE_ACCOUNT_DELETE},
        {.op = STORE_REGISTER, .reg = {.devices = &d, .device_count = 1}},
        harness_append(0, "x", &m, 1),
        {.op = STORE_MARK, .mark = {.marks = &m, .mark_count = 1}},
        {.op = STORE_READ, .read = {.seqs = {1}, .count = 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cases[i].account = 4711;
        assert_int_equal(harness_do(h, &cases[i]), ERR_NOT_FOUND);
    }
    both_expect(h, "");
}

/* --- registrations --- */

static struct store_binding make_binding(uint8_t device, const char *contact, const char *call_id)
{
    struct store_binding b = {
        .device = device,
        .contact = slice_str(contact),
        .params = SLICE(";expires=60"),
        .path = SLICE("<sip:p1;lr>, <sip:p2;lr>"),
        .call_id = slice_str(call_id),
        .user_agent = SLICE("Phone/1"),
        .cseq = 4000000000u,
        .q = 500,
        .registered_ms = 100,
        .expires_ms = 60100,
        .flow = {.transport = TRANSPORT_TCP, .worker = 1, .listener = 3, .slot = 9, .generation = 2},
        .behind_nat = true,
    };
    assert_int_equal(address_parse(SLICE("192.0.2.1:5060"), &b.flow.local), ERR_NONE);
    assert_int_equal(address_parse(SLICE("[2001:db8::7]:40000"), &b.flow.remote), ERR_NONE);
    return b;
}

static void registration_is_kept_whole(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    struct store_device devices[] = {
        {.number = 2, .key = SLICE("sip:a@x\ncall"), .features = SLICE("{}"), .position = 5, .seen_ms = 77},
        {.number = 1, .has_instance = true, .key = SLICE("<urn:uuid:7>")},
    };
    struct store_binding bindings[] = {make_binding(1, "sip:b@192.0.2.9", "c2"),
                                       make_binding(1, "sip:a@192.0.2.9", "c1"),
                                       make_binding(2, "sip:b@192.0.2.9", "c1")};
    devices[0].key = SLICE("sip:a@x call");
    bindings[2].allow = SLICE("MESSAGE");
    bindings[2].flow = (struct flow){.transport = TRANSPORT_UDP};
    struct store_request r = {.op = STORE_REGISTER,
                              .account = a,
                              .reg = {.devices = devices, .device_count = 2, .bindings = bindings, .binding_count = 3}};
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    both_expect(h,
                "account 1 aor=sip:alice@example.com name= extra= ha1=,, ha1=,,\n"
                "device 1/1 position=0 instance=1 seen=0 key=<urn:uuid:7> features=\n"
                "device 1/2 position=5 instance=0 seen=77 key=sip:a@x call features={}\n"
                "binding 1/1 contact=sip:a@192.0.2.9 params=;expires=60 path=<sip:p1;lr>, <sip:p2;lr> call_id=c1"
                " agent=Phone/1 allow=(absent) cseq=4000000000 q=500 registered=100 expires=60100 nat=1 transport=TCP"
                " local=192.0.2.1:5060 remote=[2001:db8::7]:40000 slot=0 listener=0\n"
                "binding 1/2 contact=sip:b@192.0.2.9 params=;expires=60 path=<sip:p1;lr>, <sip:p2;lr> call_id=c1"
                " agent=Phone/1 allow=MESSAGE cseq=4000000000 q=500 registered=100 expires=60100 nat=1 transport=UDP"
                " local= remote= slot=0 listener=0\n"
                "binding 1/1 contact=sip:b@192.0.2.9 params=;expires=60 path=<sip:p1;lr>, <sip:p2;lr> call_id=c2"
                " agent=Phone/1 allow=(absent) cseq=4000000000 q=500 registered=100 expires=60100 nat=1 transport=TCP"
                " local=192.0.2.1:5060 remote=[2001:db8::7]:40000 slot=0 listener=0\n");
}

static void registration_updates_removes_and_forgets(void **state)
{
    struct harness *h = *state;
    int64_t a = harness_account(h, "sip:alice@example.com");
    struct store_device devices[] = {{.number = 1, .key = SLICE("one"), .position = 8}, {.number = 2}};
    struct store_binding bindings[] = {make_binding(1, "sip:a@x", "c1"), make_binding(2, "sip:a@x", "c2"),
                                       make_binding(2, "sip:a@y", "c2")};
    struct store_request r = {.op = STORE_REGISTER,
                              .account = a,
                              .reg = {.devices = devices, .device_count = 2, .bindings = bindings, .binding_count = 3}};
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    /* A position never goes back, the rest is as told last. Removal needs contact and Call-ID both. */
    struct store_device again = {.number = 1, .key = SLICE("uno"), .position = 3, .seen_ms = 5};
    struct store_binding removed[] = {{.contact = SLICE("sip:a@x"), .call_id = SLICE("c2")},
                                      {.contact = SLICE("sip:a@x"), .call_id = SLICE("c3")}};
    struct store_binding refreshed = make_binding(1, "sip:a@x", "c1");
    refreshed.cseq = 7;
    r.reg.devices = &again, r.reg.device_count = 1;
    r.reg.removed = removed, r.reg.removed_count = 2;
    r.reg.bindings = &refreshed, r.reg.binding_count = 1;
    assert_int_equal(harness_do(h, &r), ERR_NONE);
    both_expect_only(h, "device",
                     "device 1/1 position=8 instance=0 seen=5 key=uno features=\n"
                     "device 1/2 position=0 instance=0 seen=0 key= features=\n");
    assert_int_equal(
        harness_mark(h, a, (struct store_mark){.seq = 4, .device = 2, .state = STORE_DELIVERED, .status = 200}),
        ERR_NONE);
    /* Number 2 is forgotten and given to another device at once. */
    uint8_t forgotten[] = {2, 31};
    struct store_device other = {.number = 2, .key = SLICE("other"), .position = 1};
    struct store_request f = {
        .op = STORE_REGISTER,
        .account = a,
        .reg = {.devices = &other, .device_count = 1, .forgotten = forgotten, .forgotten_count = 2}};
    assert_int_equal(harness_do(h, &f), ERR_NONE);
    both_expect_only(h, "device",
                     "device 1/1 position=8 instance=0 seen=5 key=uno features=\n"
                     "device 1/2 position=1 instance=0 seen=0 key=other features=\n");
    both_expect_only(h, "exception", "");
    both_expect_only(h, "binding",
                     "binding 1/1 contact=sip:a@x params=;expires=60 path=<sip:p1;lr>, <sip:p2;lr> call_id=c1"
                     " agent=Phone/1 allow=(absent) cseq=7 q=500 registered=100 expires=60100 nat=1 transport=TCP"
                     " local=192.0.2.1:5060 remote=[2001:db8::7]:40000 slot=0 listener=0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(account_is_inserted_then_updated_by_aor),  BOTH(account_takes_all_with_it_and_its_id_is_not_given_again),
        BOTH(nothing_is_done_for_an_unknown_account),   BOTH(registration_is_kept_whole),
        BOTH(registration_updates_removes_and_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
