"""Every rule of lint.py, failing on a sample that breaks it and silent on one that keeps it."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lint  # noqa: E402


def findings(path, text):
    return lint.check(lint.Source(path, text))


def function(name, lines, head="static int"):
    """A function of exactly `lines` lines, signature and braces included."""
    return f"{head} {name}(void)\n{{\n" + "    x = 1;\n" * (lines - 3) + "}\n"


BROKEN = [
    ("strcpy", "src/sip/via.c", "static void f(void)\n{\n    strcpy(a, b);\n}\n", "via.c:3: strcpy is forbidden"),
    ("a call over two lines", "src/sip/via.c", "static void f(void)\n{\n    n = atoi\n        (a);\n    strtok (a, b);\n}\n", ":5: strtok"),
    ("forbidden in a test too", "tests/unit/sip/via_test.c", "int main(void)\n{\n    sprintf(a, b);\n}\n", "sprintf"),
    ("after a string", "src/base/x.c", 'static void f(void)\n{\n    g("a\\"b"); gets(a);\n}\n', "gets"),
    ("after a comment", "src/base/x.c", "/* fine */ static int x = 0;\nstatic void f(void)\n{\n    /* a */ strcat(a, b);\n}\n", ":4: strcat"),
    ("below uses above", "src/base/x.c", '#include "sip/via.h"\n', "src/base may not use src/sip"),
    ("sip uses txn", "src/sip/x.h", '#include "txn/endpoint.h"\n', "src/sip may not use src/txn"),
    ("store uses sip", "src/store/x.c", '#include "sip/via.h"\n', "src/store may not use src/sip"),
    ("server uses net", "src/server/x.c", '#include "net/udp.h"\n', "src/server may not use src/net"),
    ("net uses another header of sip", "src/net/x.c", '#include "sip/message.h"\n', "src/net may not use src/sip"),
    ("the daemon uses the user agent", "src/daemon/x.c", '#include "ua/agent.h"\n', "src/daemon may not use src/ua"),
    ("loop uses txn", "src/loop/x.c", '  #  include  "txn/link.h" // why\n', "src/loop may not use src/txn"),
    ("private header", "src/server/x.c", '#include "store/store_private.h"\n', "private to src/store"),
    ("driver behind the store", "src/server/x.c", '#include "store/sqlite/batch.h"\n', "store/store.h only"),
    ("no room named", "src/sip/x.c", '#include "via.h"\n', 'write "sip/via.h"'),
    ("upwards path", "src/sip/x.c", '#include "../base/buf.h"\n', "headers are named from src/"),
    ("public header in the server", "src/server/x.c", "#include <telex/telex.h>\n", "src/server may not use src/telex"),
    ("public header uses a room", "include/telex/telex.h", '#include "base/slice.h"\n', "stands alone"),
    ("socket in a decision", "src/txn/x.c", "#include <sys/socket.h>\n", "no <sys/socket.h>"),
    ("thread in a decision", "src/server/x.h", "#include <pthread.h>\n", "no <pthread.h>"),
    ("clock in a decision", "src/server/x.c", "static long f(void)\n{\n    return time(NULL);\n}\n", "time comes in"),
    ("print in a decision", "src/ua/x.c", 'static void f(void)\n{\n    printf("x");\n}\n', "printf comes in"),
    ("long function", "src/sip/x.c", function("f", 71), "f has 71 lines"),
    ("long test function", "tests/unit/sip/x_test.c", function("f", 121), "f has 121 lines"),
    ("long file", "src/sip/x.h", "\n" * 501, "501 lines"),
    ("long test file", "tests/unit/sip/x_test.c", "\n" * 501, "501 lines"),
    ("foreign export", "src/sip/via.c", function("parse_via", 4, "int"), "parse_via is exported by via.c"),
    ("foreign export over two lines", "src/sip/via.c", "struct slice *get(int a,\n                 int b)\n{\n}\n", ":1: get is exported"),
    ("prefix without border", "src/sip/via.c", function("viable", 4, "int"), "viable is exported"),
    ("foreign variable", "src/sip/via.c", "const int limits[] = {1};\n", "limits is exported"),
    ("foreign pointer", "src/sip/via.c", "char *last;\n", "last is exported"),
    ("second word of the file", "src/sip/message_check.c", function("check_message", 4, "int"), "check_message is exported"),
    ("room without the file", "src/server/limits.c", function("server_other", 4, "int"), "server_other is exported"),
    ("many of another thing", "src/server/nonce.c", function("nodes_new", 4, "int"), "nodes_new is exported"),
    ("thread in a decision, C11", "src/sip/x.c", "static void f(void)\n{\n    thrd_create(&a, g, b);\n}\n", "thrd_create comes in"),
    ("main outside cmd", "src/sip/via.c", function("main", 4, "int"), "main is exported"),
    ("exception of another file", "src/base/hash.c", function("transport_name", 4, "int"), "transport_name is exported"),
]

CLEAN = [
    ("name in a comment", "src/sip/x.c", "/* strcpy(a) is\n * sprintf(b) */\n// gets(c)\n"),
    ("name in a string", "src/sip/x.c", 'static const char *s = "strcpy(a) \\" gets(b) //";\n'),
    ("longer name", "src/sip/x.c", "static void f(void)\n{\n    my_strcpy(a);\n    slice_atoi(b);\n}\n"),
    ("member of that name", "src/txn/x.c", "static void f(void)\n{\n    link->send(a);\n    clock.time(b);\n}\n"),
    ("name without a call", "src/base/x.c", "static int system = 1;\n"),
    ("own room", "src/sip/x.c", '#include "sip/via.h"\n#include "sip/sip_private.h"\n'),
    ("room above", "src/net/x.c", '#include "base/buf.h"\n#include "loop/loop.h"\n'),
    ("open headers", "src/net/x.c", '#include "txn/link.h"\n#include "sip/framer.h"\n'),
    ("cmd uses all", "src/cmd/x.c", '#include "ua/agent.h"\n#include "daemon/daemon.h"\n#include <telex/telex.h>\n'),
    ("daemon chooses a driver", "src/daemon/x.c", '#include "store/sqlite/thread.h"\n'),
    ("include in a comment", "src/base/x.c", '/* #include "sip/via.h" */\n// #include "sip/via.h"\n'),
    ("system headers", "src/sip/x.c", "#include <string.h>\n#include <zlib.h>\n"),
    ("socket where it belongs", "src/net/x.c", "#include <sys/socket.h>\n"),
    ("public headers", "include/telex/a.h", '#include <stddef.h>\n#include "telex/b.h"\n'),
    ("function of a screen", "src/sip/x.c", function("f", 70)),
    ("table in a test", "tests/unit/sip/x_test.c", function("f", 120)),
    ("file of 500", "src/sip/x.h", "\n" * 500),
    ("own exports", "src/sip/via.c", function("via_parse", 4, "int") + "const int via_limit = 3;\n" + function("via", 4, "int")),
    ("part of a larger thing", "src/sip/message_check.c", function("message_can_answer", 4, "bool")),
    ("what holds many", "src/server/nonce.c", function("nonces_new", 4, "int")),
    ("done once", "src/sip/x.c", "#include <threads.h>\nstatic once_flag f = ONCE_FLAG_INIT;\n"),
    ("room and file", "src/server/limits.c", function("server_limits_default", 4, "void")),
    ("public exports", "src/ua/agent.c", function("telex_send", 4, "int")),
    ("static over two lines", "src/sip/via.c", "static int\nf(void)\n{\n}\n"),
    ("file-scope odds", "src/sip/via.c", "struct a;\nenum b { C };\ntypedef int d;\nextern int e;\nint via_f(int);\nstatic int g;\n"),
    ("main in cmd", "src/cmd/telexd.c", function("main", 4, "int")),
    ("listed exception", "src/base/flow.c", function("transport_name", 4, "int")),
    ("export in a test", "tests/unit/sip/via_test.c", function("helper", 4, "int")),
]


@pytest.mark.parametrize("path, text, expected", [pytest.param(*case[1:], id=case[0]) for case in BROKEN])
def test_rule_fails_on(path, text, expected):
    assert any(expected in finding for finding in findings(path, text)), findings(path, text)


@pytest.mark.parametrize("path, text", [pytest.param(*case[1:], id=case[0]) for case in CLEAN])
def test_rules_are_silent_on(path, text):
    assert findings(path, text) == []


def test_only_the_broken_line_is_named():
    assert findings("src/sip/x.c", '#include "base/buf.h"\n\n#include "net/udp.h"\n') == [
        'src/sip/x.c:3: src/sip may not use src/net ("net/udp.h")'
    ]


@pytest.mark.parametrize("room, text, extra", [
    ("base", "telex_room(base\n  SOURCES a.c\n  USES sip\n  LIBS x)\n", ["sip"]),
    ("server", "telex_room(server SOURCES a.c USES store base net loop)\n", ["loop", "net"]),
    ("daemon", "telex_room(daemon SOURCES a.c USES ua)\n", ["ua"]),
    ("net", "# USES server\ntelex_room(net SOURCES a.c USES loop base sip txn LIBS Threads::Threads)\n", []),
    ("base", "telex_room(base SOURCES a.c LIBS OpenSSL::Crypto)\n", []),
    ("cmd", "add_executable(telex telex.c)\n", []),
])
def test_room_links_only_what_it_may(room, text, extra):
    assert lint.check_links(f"src/{room}/CMakeLists.txt", text) == [
        f"src/{room}/CMakeLists.txt:1: src/{room} may not link {name}" for name in extra
    ]


@pytest.mark.parametrize("text, stands", [
    ("#include <stddef.h>\nsize_t f(void);\n", True),
    ("size_t f(void);\n", False),
    ("#include <stddef.h>\nenum twice { A };\n", False),
    ("#ifndef X_H\n#define X_H\nenum once { A };\n#endif\n", True),
])
def test_header_stands_alone(tmp_path, text, stands):
    header = tmp_path / "x.h"
    header.write_text(text)
    assert (lint.check_stands_alone(header) == []) == stands


def test_every_rule_is_shown_failing():
    """A rule without a sample in BROKEN would be a rule nobody has seen working."""
    for rule in lint.RULES:
        assert any(list(rule(lint.Source(path, text))) for _, path, text, _ in BROKEN), rule.__name__
