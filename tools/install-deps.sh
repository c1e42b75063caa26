#!/bin/bash
# Installs what is missing of the package groups named (see packages.txt); does nothing, and needs no root, when all is there.
# usage: tools/install-deps.sh GROUP...      (build test bench lint cover)
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")

if [ $# -eq 0 ]; then
    echo "usage: tools/install-deps.sh GROUP...   groups: $(sed -n 's/^\[\([a-z]*\)\].*/\1/p' "$here/packages.txt" | xargs)" >&2
    exit 2
fi

wanted=$(for group in "$@"; do
    awk -v group="$group" '
        { sub(/#.*/, ""); sub(/[ \t]+$/, "") }
        /^\[/ { inside = ($0 == "[" group "]"); found = found || inside; next }
        inside && NF { print }
        END { if (!found) { print "tools/install-deps.sh: no group " group " in packages.txt" > "/dev/stderr"; exit 2 } }
    ' "$here/packages.txt"
done | sort -u)

if ! command -v dpkg-query apt-get >/dev/null; then
    echo "Not a Debian system: make sure by hand that you have what these packages hold:" $wanted
    exit 0
fi

installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null | sed -n 's/^ii *//p' | sort -u)
missing=$(comm -23 <(echo "$wanted") <(echo "$installed"))
[ -n "$missing" ] || exit 0

echo "Missing here:" $missing
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Installing them needs root, and there is no sudo here. As root, run:" >&2
        echo "  apt-get update && apt-get install --no-install-recommends" $missing >&2
        exit 1
    fi
    echo "Installing them needs root: sudo may ask for your password, for apt-get update and apt-get install only."
    as_root=(sudo)
fi

# Packages of servers (Kamailio) start them when installed; here they are only wanted as programs for tests. 101: not allowed to start.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
fi

log=$(mktemp)
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "$@" </dev/null >"$log" 2>&1 || {
        cat "$log" >&2
        echo "tools/install-deps.sh: apt-get $1 failed; what it said is above" >&2
        exit 1
    }
}
echo "Installing $(wc -w <<<"$missing") packages and what they depend on ..."
apt update
apt install -y --no-install-recommends $missing
rm -f "$log"

# Nor shall they start at the next boot. Only what this very run installed is switched off.
if grep -qx kamailio <<<"$missing" && [ -d /run/systemd/system ]; then
    "${as_root[@]}" systemctl disable --quiet kamailio
fi
