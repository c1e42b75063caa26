#!/usr/bin/python3
"""The rules of this house that no compiler knows: who may include whom, what may not be called, what a file may export, and sizes.

usage: tools/lint.py [FILE...]      (without arguments: every C file of the tree)
Each rule is a function from a Source to its findings; tools/lint_test.py shows each of them failing.
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

FUNCTION_LINES = 70  # a screen
TEST_FUNCTION_LINES = 120  # a test may hold its table of cases
FILE_LINES = 500

# Unbounded, silent about errors, or a second way to do what base/slice.h, base/buf.h and base/random.h do.
FORBIDDEN_CALLS = set("""
    strcpy strncpy stpcpy strcat strncat sprintf vsprintf gets scanf sscanf vsscanf fscanf strtok strtok_r
    atoi atol atoll atof strtol strtoul strtoll strtoull strtod strtof alloca
    gethostbyname gethostbyaddr inet_ntoa inet_addr tmpnam mktemp tempnam rand srand random srandom drand48
    system popen setjmp longjmp asctime ctime gmtime localtime
""".split())

# Who may use whom (ARCHITECTURE.md, the rooms). `telex` is include/telex, the library's public headers.
ROOMS = {
    "base": "",
    "sip": "base",
    "txn": "base sip",
    "dialog": "base sip txn",
    "ua": "base sip txn dialog telex",
    "store": "base",
    "server": "base sip txn dialog store",
    "loop": "base",
    "net": "base loop",
    "daemon": "base sip txn dialog store server loop net",
    "http": "base sip txn dialog store server loop net daemon",
    "cmd": "base sip txn dialog ua store server loop net daemon http telex",
}
ROOMS = {room: set(uses.split()) | {room} for room, uses in ROOMS.items()}

# Single headers that a room may use of a room otherwise closed to it: docs/decisions/0002.
OPEN_HEADERS = {"net": {"txn/link.h", "sip/framer.h"}}

# The drivers behind store.h, known to whoever chooses one.
DRIVER_HEADER = re.compile(r"store/\w+/")
DRIVER_USERS = {"store", "daemon"}

# Decisions without I/O: time, randomness, sending and storing come in through interfaces.
PURE_ROOMS = {"sip", "txn", "dialog", "ua", "server"}
IMPURE_HEADERS = re.compile(
    r"(sys/(socket|epoll|eventfd|time|timerfd|un|random|stat|file|mman)|netinet/.*|arpa/inet|netdb|poll|pthread|unistd|fcntl|signal"
    r"|openssl/rand|sqlite3)\.h")
IMPURE_CALLS = set("""
    time clock_gettime gettimeofday getrandom getentropy RAND_bytes RAND_priv_bytes
    printf fprintf puts fputs perror fopen open read write socket send sendto sendmsg recv recvfrom getenv thrd_create mtx_lock cnd_wait sleep usleep nanosleep
""".split())

# What a file exports beside its own names (see own_prefixes), each with its reason.
EXPORTS = {
    "src/base/address.c": ("network_",),  # a range of addresses
    "src/base/flow.c": ("transport_",),  # the enum that a flow begins with
}


@dataclasses.dataclass
class Source:
    path: str  # relative to the root
    text: str

    def __post_init__(self):
        self.code = without_comments_and_strings(self.text)
        self.lines = self.code.split("\n")
        parts = pathlib.PurePosixPath(self.path).parts
        self.room = parts[1] if parts[0] == "src" and len(parts) > 2 else None
        self.is_test = parts[0] == "tests"
        self.is_public_header = parts[0] == "include"
        self.stem = pathlib.PurePosixPath(self.path).stem


def without_comments_and_strings(text):
    """Blanks comments, strings and character constants, keeps every newline, and keeps the names in #include lines."""
    def blank(match):
        found = match.group(0)
        if found.lstrip().startswith("#"):
            return found
        return re.sub(r"[^\n]", " ", found)
    return re.sub(r'^[ \t]*#[ \t]*include[^\n]*?(?=/[/*]|\n|\Z)|/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  blank, text, flags=re.S | re.M)


def calls(source, names):
    for number, line in enumerate(source.lines, 1):
        if line.lstrip().startswith("#include"):
            continue
        for match in re.finditer(r"(\.|->)?\s*\b([A-Za-z_]\w*)\s*\(", line):
            if match.group(2) in names and not match.group(1):
                yield number, match.group(2)


def includes(source):
    for number, line in enumerate(source.lines, 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield number, match.group(2), match.group(1) == '"'


def check_forbidden_calls(source):
    for number, name in calls(source, FORBIDDEN_CALLS):
        yield number, f"{name} is forbidden"


def check_pure(source):
    if source.room not in PURE_ROOMS:
        return
    for number, name in calls(source, IMPURE_CALLS):
        yield number, f"src/{source.room} decides without I/O: {name} comes in through an interface"
    for number, header, quoted in includes(source):
        if not quoted and IMPURE_HEADERS.fullmatch(header):
            yield number, f"src/{source.room} decides without I/O: no <{header}>"


def check_includes(source):
    for number, header, quoted in includes(source):
        room = header.split("/")[0]
        if source.is_public_header:
            if room in ROOMS or (quoted and room != "telex"):
                yield number, f'a public header stands alone: no "{header}"'
        elif source.room and (quoted or room == "telex"):
            yield from ((number, fault) for fault in include_faults(source.room, header))


def include_faults(room, header):
    target = header.split("/")[0]
    if "/" not in header or (target not in ROOMS and target != "telex"):
        yield f'write "{room}/{header}": headers are named from src/'
    elif header.endswith("_private.h") and target != room:
        yield f'"{header}" is private to src/{target}'
    elif target not in ROOMS[room] and header not in OPEN_HEADERS.get(room, ()):
        yield f'src/{room} may not use src/{target} ("{header}")'
    elif DRIVER_HEADER.match(header) and room not in DRIVER_USERS:
        yield f'src/{room} knows the store through store/store.h only ("{header}")'


def functions(source):
    """Yields (name, is static, first line, last line) of every function defined; the formatter puts its braces in column one."""
    for start, line in enumerate(source.lines):
        if line != "{":
            continue
        first = start
        while first > 0 and source.lines[first - 1].strip() and not re.match(r"[}#]|.*;\s*$", source.lines[first - 1]):
            first -= 1
        signature = " ".join(source.lines[first:start])
        signature = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", signature)
        name = re.search(r"([A-Za-z_]\w*)\s*\(", signature)
        end = next((n for n in range(start, len(source.lines)) if source.lines[n].startswith("}")), len(source.lines) - 1)
        if name:
            yield name.group(1), re.search(r"\bstatic\b", signature) is not None, first + 1, end + 1


def check_sizes(source):
    total = source.text.count("\n")
    if total > FILE_LINES:
        yield 1, f"{total} lines: a file tells one story in at most {FILE_LINES}"
    limit = TEST_FUNCTION_LINES if source.is_test else FUNCTION_LINES
    for name, _, first, last in functions(source):
        if last - first + 1 > limit:
            yield first, f"{name} has {last - first + 1} lines, more than {limit}"


def exported_objects(source):
    """Yields (name, line) of every variable with external linkage that is defined at file scope."""
    for number, line in enumerate(source.lines, 1):
        if re.match(r"(static|extern|typedef|return|goto)\b|[#}\s]", line) or "(" in line.split("=")[0]:
            continue
        match = re.match(r"[A-Za-z_][\w\s*]*[\s*]([A-Za-z_]\w*)\s*(\[[^\]]*\]\s*)*(=|;)", line)
        if match and not re.match(r"(struct|enum|union)\s+\w+\s*;", line):
            yield match.group(1), number


def own_prefixes(source):
    """uri_aor.c exports uri_aor_* and, as a part of uri, uri_*; nonce.c also nonces_*, what holds many; limits.c of the server also
    server_limits_*; all of them telex_*."""
    words = source.stem.split("_")
    parts = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
    return (*(part + "_" for part in parts), f"{source.stem}s_", f"{source.room}_{source.stem}_", "telex_", *EXPORTS.get(source.path, ()))


def check_exports(source):
    if not source.room or not source.path.endswith(".c"):
        return
    found = [(name, first) for name, static, first, _ in functions(source) if not static]
    for name, number in [*found, *exported_objects(source)]:
        if not name.startswith(own_prefixes(source)) and name != source.stem and not (name == "main" and source.room == "cmd"):
            yield number, f"{name} is exported by {source.stem}.c, which exports {source.stem}_* only"


RULES = [check_forbidden_calls, check_pure, check_includes, check_sizes, check_exports]


def check(source):
    """All findings of one file as lines "path:line: what"."""
    return [f"{source.path}:{number}: {what}" for rule in RULES for number, what in rule(source)]


def check_links(path, text):
    """The same table for src/<room>/CMakeLists.txt: a room links only what it may use. Returns findings."""
    room = pathlib.PurePosixPath(path).parts[1]
    used = re.search(r"telex_room\([^)]*?\bUSES\s+([^)]*?)(?:\bLIBS\b|\))", re.sub(r"#.*", "", text))
    extra = sorted(set(used.group(1).split()) - ROOMS[room] - {h.split("/")[0] for h in OPEN_HEADERS.get(room, ())}) if used else []
    return [f"{path}:1: src/{room} may not link {name}" for name in extra]


def check_stands_alone(path, include_folders=("src", "include")):
    """A header compiles alone, and twice. Returns findings."""
    program = f'#include "{ROOT / path}"\n' * 2
    compiler = [os.environ.get("CC", "cc"), "-std=gnu17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
                '-DTELEX_VERSION="0"', *(f"-I{ROOT / folder}" for folder in include_folders), "-x", "c", "-"]
    run = subprocess.run(compiler, input=program, text=True, capture_output=True, check=False)
    if run.returncode == 0:
        return []
    fault = next((line for line in run.stderr.splitlines() if "error:" in line), run.stderr.strip())
    return [f"{path}:1: does not compile alone: {fault}"]


def tree():
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.c", "*.h"], cwd=ROOT, text=True,
                             capture_output=True, check=True)
    return sorted(path for path in listing.stdout.splitlines() if (ROOT / path).exists())


def main(arguments):
    paths = [str(pathlib.Path(a).resolve().relative_to(ROOT)) for a in arguments] or tree()
    findings = [finding for path in paths for finding in check(Source(path, (ROOT / path).read_text(encoding="utf-8")))]
    for path in sorted(ROOT.glob("src/*/CMakeLists.txt")):
        findings += check_links(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    headers = [path for path in paths if path.endswith(".h") and path.startswith(("src/", "include/"))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(check_stands_alone, headers):
            findings += found
    print("\n".join(findings) if findings else f"{len(paths)} files keep the rules")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
