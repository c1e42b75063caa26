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

# Only what the compile database knows: a file that is not built cannot be understood.
tidy() {
    python3 - <<'PYTHON' | sort -u | xargs -r -n 4 -P "$jobs" clang-tidy --quiet -p build/debug --extra-arg=-Wno-unknown-warning-option 2>/dev/null
import json, os
for entry in json.load(open("build/debug/compile_commands.json")):
    print(os.path.relpath(entry["file"]))
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
