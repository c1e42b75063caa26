#!/bin/bash
# Tries the README's two commands in a Debian 12 that has nothing but make: bootstraps one into a folder with this machine's own
# apt sources, puts a fresh clone of HEAD there and runs each COMMAND in it, as root, without a terminal. Needs root, mmdebstrap and git.
# usage: tools/clean-room.sh [--dir FOLDER] [COMMAND...]      default: "make run ONCE=1" "make test"
#   --dir FOLDER  where the root goes; it is kept, and used again as it is by the next run. Without: a temporary folder, removed.
set -euo pipefail

top=$(readlink -f "$(dirname "$(readlink -f "$0")")/..")
suite=bookworm
root=
while [ $# -gt 0 ]; do
    case $1 in
    --dir) root=$(readlink -m "${2:?--dir FOLDER}"); shift 2 ;;
    -h | --help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
    -*) echo "tools/clean-room.sh: no option $1; see --help" >&2; exit 2 ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || set -- "make run ONCE=1" "make test"

if [ "$(id -u)" -ne 0 ]; then
    echo "tools/clean-room.sh: needs root, to install packages into a folder and to mount /proc and /dev there" >&2
    exit 1
fi
for program in mmdebstrap git unshare; do
    command -v "$program" >/dev/null || { echo "tools/clean-room.sh: needs $program" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
root=${root:-$work/root}

if [ ! -e "$root/etc/debian_version" ]; then
    # From where this machine itself installs, through the same proxy.
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
        grep " $suite" | sort -u >"$work/sources.list"
    [ -s "$work/sources.list" ] || { echo "tools/clean-room.sh: apt on this machine has no source of Debian $suite" >&2; exit 1; }
    apt-config dump | grep -E '^Acquire::(http|https)::Proxy' >"$work/proxy.conf" || true
    include=make
    grep -q 'https://' "$work/sources.list" && include+=,ca-certificates
    echo "== a bare Debian 12 in $root"
    mmdebstrap --quiet --variant=minbase --include="$include" --aptopt="$work/proxy.conf" "$suite" "$root" "$work/sources.list"
fi

clone=$root/srv/telex
rm -rf "$clone"
git clone --quiet --no-hardlinks "file://$top" "$clone"
[ -z "$(git -C "$top" status --porcelain)" ] || echo "(what is not committed is not in the clone)"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"

# A namespace of its own: mounts and leftover processes end with the command.
inside() {
    unshare --mount --pid --fork --kill-child --propagation private bash -euc '
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        mount -t tmpfs tmpfs "$1/run"
        exec chroot "$1" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 CI=true \
            bash -c "cd /srv/telex && $2" </dev/null
    ' inside "$root" "$1"
}

failed=0
for command; do
    echo "== $command"
    begun=$SECONDS
    status=0
    inside "$command" || status=$?
    echo "-- $command: exit status $status after $((SECONDS - begun)) s"
    [ "$status" -eq 0 ] || failed=1
done
exit "$failed"
