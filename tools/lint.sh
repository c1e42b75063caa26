#!/bin/bash
# All checks of `make lint`, each to its end, so that one run shows everything; exit status 0 only if all are silent.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

jobs=$(nproc)
failed=()

check() {
    local title=$1 begun=$SECONDS
    shift
    "$@" || failed+=("$title")
    echo "-- $title: $((SECONDS - begun)) s"
}

sources() {
    git ls-files -z --cached --others --exclude-standard "$@"
}

formatting() {
    # shellcheck disable=SC2016  # expanded by the inner shell
    sources '*.c' '*.h' | xargs -0 -r -n 1 -P "$jobs" sh -c \
        '[ ! -e "$0" ] || clang-format --dry-run -Werror "$0" 2>/dev/null || { echo "$0: not formatted (make fmt)"; exit 1; }'
}

# Each file once: one that several programs compile has as many entries in the compile database, and clang-tidy would read it as often.
tidy() {
    mkdir -p build/lint
    python3 - <<'PYTHON' | xargs -r -P "$jobs" -n 1 clang-tidy --quiet -p build/lint --extra-arg=-Wno-unknown-warning-option 2>/dev/null
import json, os
entries = {entry["file"]: entry for entry in json.load(open("build/debug/compile_commands.json"))}
json.dump(list(entries.values()), open("build/lint/compile_commands.json", "w"))
print(*sorted(map(os.path.relpath, entries)), sep="\n")
PYTHON
}

cpp_check() {
    mkdir -p build/cppcheck
    cppcheck --quiet -j "$jobs" --cppcheck-build-dir=build/cppcheck --error-exitcode=1 --inline-suppr --std=c11 --library=posix \
        --enable=warning,performance,portability --suppressions-list=tools/cppcheck.txt -D_GNU_SOURCE -DTELEX_VERSION='""' \
        -I src -I include src
}

check "rules" tools/lint.py
check "formatting" formatting
check "cppcheck" cpp_check
if cmake --preset debug >build/debug-configure.log 2>&1; then
    check "clang-tidy" tidy
else
    cat build/debug-configure.log
    failed+=("clang-tidy (cannot configure)")
fi

if [ ${#failed[@]} -gt 0 ]; then
    printf 'lint: failed:'
    printf ' %s;' "${failed[@]}"
    echo
    exit 1
fi
echo "lint: all silent"
