#!/bin/bash
# `make run`: starts telexd with two accounts, lets one write to the other before the reader's eyes, says how to register a phone, and
# runs until Ctrl-C. ONCE=1: ends after the delivery, with 0 if it was seen. Everything is kept in build/run (docs/decisions/0004).
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

domain=telex.test
first_port=5060
bin=$PWD/build/bin
home=$PWD/build/run
patience_s=20
umask 077
mkdir -p "$home/server"

children=()
finish() {
    trap - EXIT INT TERM
    [ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2>/dev/null || true
    wait
}
trap finish EXIT
trap 'finish; echo; echo "Stopped. Accounts and messages are kept in build/run."; exit 0' INT TERM

fail() {
    echo "make run: $1" >&2
    [ ! -s "${2:-}" ] || { echo "the end of $2:" >&2; tail -n 15 "$2" >&2; }
    exit 1
}

# wait_until WHAT LOG COMMAND...: until COMMAND succeeds; gives up after patience_s, or when the last child that was started has ended.
wait_until() {
    local what=$1 log=$2 deadline=$((SECONDS + patience_s))
    shift 2
    until "$@" >/dev/null 2>&1; do
        kill -0 "${children[-1]}" 2>/dev/null || fail "it ended before $what" "$log"
        [ $SECONDS -lt $deadline ] || fail "waited $patience_s s, and still not: $what" "$log"
        sleep 0.1
    done
}

# Any UDP socket, or a listening TCP socket (state 0A), on this port. Read from the kernel: a bare system has no ss.
port_is_taken() {
    local hex table
    hex=$(printf ':%04X' "$1")
    for table in udp udp6 tcp tcp6; do
        awk -v port="$hex" -v table="$table" '
            substr($2, length($2) - 4) == port && (table ~ /udp/ || $4 == "0A") { found = 1 }
            END { exit !found }' "/proc/net/$table" 2>/dev/null && return
    done
    return 1
}

# --- where to listen: on this machine, and on its network so that a phone can register ---

port=$first_port
while port_is_taken "$port"; do
    [ "$port" -lt $((first_port + 100)) ] || fail "the ports $first_port to $port are all taken"
    echo "Port $port is taken by another program; trying $((port + 1))."
    port=$((port + 1))
done
addresses=(127.0.0.1)
network=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -m 1 -E '^[0-9]+(\.[0-9]+){3}$' || true)
[ -z "$network" ] || addresses+=("$network")
{
    echo "domains: [$domain]"
    echo "listen:"
    for address in "${addresses[@]}"; do
        echo "  - udp:$address:$port"
        echo "  - tcp:$address:$port"
    done
} >"$home/telexd.yaml"

# --- the server ---

"$bin/telexd" --config "$home/telexd.yaml" --data "$home/server" >"$home/telexd.log" 2>&1 &
children+=($!)
wait_until "telexd answers" "$home/telexd.log" "$bin/telexctl" --data "$home/server" status
echo "telexd runs at ${addresses[*]/%/:$port}, UDP and TCP; its log is build/run/telexd.log"

# --- two accounts. The server keeps no password that could be shown again; the client keeps it in build/run/USER, for its owner's eyes ---

new_password() {
    # Easy to type on a phone: no l, o, 0, 1. 12 of 32 signs: 60 bits.
    head -c 1000 /dev/urandom | LC_ALL=C tr -dc 'a-km-np-z2-9' | cut -c 1-12
}

as() { # as USER COMMAND...: telex with the settings of that account
    local user=$1
    shift
    XDG_CONFIG_HOME=$home/$user "$bin/telex" "$@"
}

declare -A passwords=()
for user in alice bob; do
    mkdir -p "$home/$user"
    if [ ! -s "$home/$user/telex/accounts.json" ]; then
        passwords[$user]=$(new_password)
        "$bin/telexctl" --data "$home/server" user add "sip:$user@$domain" --password-stdin <<<"${passwords[$user]}" >/dev/null ||
            fail "cannot add the account $user (make clean starts anew)" "$home/telexd.log"
        export TELEX_PASSWORD=${passwords[$user]}
    fi
    # Also in later runs: the port may be another one.
    as "$user" register --server "sip:127.0.0.1:$port" "sip:$user@$domain" >/dev/null </dev/null ||
        fail "$user cannot sign in (make clean starts anew)" "$home/telexd.log"
    unset TELEX_PASSWORD
done

# --- the first message ---

inbox=$home/bob/inbox
: >"$inbox"
XDG_CONFIG_HOME=$home/bob "$bin/telex" listen >"$inbox" 2>"$home/bob/listen.log" </dev/null &
children+=($!)
wait_until "bob is registered" "$home/bob/listen.log" grep -q ': registered' "$home/bob/listen.log"

text="Hello Bob! It is $(date +%H:%M:%S), and this came through Telex."
echo
echo "  alice writes:  $text"
answer=$(as alice send bob "$text" 2>&1 </dev/null) || fail "the message was not delivered: $answer" "$home/telexd.log"
wait_until "bob has it" "$home/bob/listen.log" grep -qF "$text" "$inbox"
echo "  alice is told: $answer"
echo "  bob reads:     $(grep -F "$text" "$inbox")"
echo
[ -z "${ONCE:-}" ] || { echo "Delivered. (ONCE is set: stopping.)"; exit 0; }

# --- for the reader's own phone ---

server=${addresses[-1]}:$port
if [ ${#passwords[@]} -gt 0 ]; then
    echo "Register a phone (Linphone, baresip, a desk phone ...). Passwords are shown this once:"
    for user in "${!passwords[@]}"; do
        printf '  user %-6s  password %s  domain and server %s, UDP or TCP\n' "$user" "${passwords[$user]}" "$server"
    done
else
    echo "Phones register as alice or bob at $server, UDP or TCP, with the passwords shown at the first run (make clean starts anew)."
fi
echo "Write to bob and it appears here; write to echo@$domain and it writes back. Stop with Ctrl-C."
echo
tail -n 0 -f "$inbox" &
children+=($!)
wait "${children[0]}" || fail "telexd ended" "$home/telexd.log"
