#!/bin/sh
# check-port: is something listening on a port of this machine?
#
# Asks `ss`, then `netstat`, then the kernel's own tables in /proc/net, whichever is there and answers.
# Looks at the machine's own sockets: nothing is connected to, so it works behind any firewall and disturbs no service.
#
# Outputs: listening, addresses (where the source names them), source. Fails with 1 when the port is not as wanted,
# with 2 when a parameter makes no sense or nothing here can list sockets.
set -eu
LC_ALL=C
export LC_ALL

say() { printf '%s\n' "check-port: $*" >&2; }
bad() { say "$@"; exit 2; }

have() { command -v "$1" >/dev/null 2>&1; }

case ${port:-} in
    '' | *[!0-9]* | 0* | ??????*) bad "port must be a number from 1 to 65535" ;;
esac
if [ "$port" -gt 65535 ]; then bad "port must be a number from 1 to 65535"; fi
case ${proto:-tcp} in
    tcp | udp) proto=${proto:-tcp} ;;
    *) bad "proto must be tcp or udp" ;;
esac
case ${state:-open} in
    open | closed) state=${state:-open} ;;
    *) bad "state must be open or closed" ;;
esac

# from_ss: the local address is the fourth column behind the state, or the third where there is no state column.
from_ss() {
    if [ "$proto" = tcp ]; then set -- -ltn; else set -- -lun; fi
    table=$(ss "$@" 2>/dev/null) || return 1
    case $table in
        *Local*) ;;
        *) return 1 ;;
    esac
    found=$(printf '%s\n' "$table" | awk -v port="$port" 'NR > 1 {
        for (i = 1; i <= NF; i++) if ($i ~ /:[0-9]+$/) {
            n = $i; sub(/.*:/, "", n)
            if (n == port) { a = $i; sub(/:[0-9]+$/, "", a); print a }
            break
        }
    }')
    source=ss
}

# from_netstat: the local address is the first word that ends in :PORT or .PORT (BSD); only listening rows count.
from_netstat() {
    table=$(netstat -an 2>/dev/null) || return 1
    case $table in
        *tcp* | *udp*) ;;
        *) return 1 ;;
    esac
    found=$(printf '%s\n' "$table" | awk -v port="$port" -v proto="$proto" '
        index($1, proto) == 1 && (proto == "udp" || $0 ~ /LISTEN/) {
            n = $4; sub(/.*[:.]/, "", n)
            if (n == port) { a = $4; sub(/[:.][0-9]+$/, "", a); print a }
        }')
    source=netstat
}

# from_proc: rows of /proc/net/tcp and tcp6; state 0A is listening, for udp 07 is a bound socket.
from_proc() {
    if [ ! -r "/proc/net/$proto" ]; then return 1; fi
    hex=$(printf '%04X' "$port")
    if [ "$proto" = tcp ]; then wanted=0A; else wanted=07; fi
    tables=/proc/net/$proto
    set -- "$tables"
    if [ -r "${tables}6" ]; then set -- "$tables" "${tables}6"; fi
    # The addresses there are in the byte order of the machine; say only that it listens.
    found=$(cat "$@" | awk -v hex="$hex" -v wanted="$wanted" '
        $4 == wanted { n = $2; sub(/.*:/, "", n); if (toupper(n) == hex) { print "?"; exit } }')
    source=proc
}

found=
source=
{ have ss && from_ss; } || { have netstat && from_netstat; } || from_proc ||
    bad "neither ss nor netstat nor /proc/net can list the sockets of this machine"

listening=false
addresses=
if [ -n "$found" ]; then
    listening=true
    # Addresses hold digits, letters, and . : % * [ ] only, so they need no escapes; anything else is dropped.
    addresses=$(printf '%s\n' "$found" | awk '$0 != "?" && /^[A-Za-z0-9.:%*\[\]_-]+$/ && !seen[$0]++ {
        printf "%s\"%s\"", (n++ ? "," : ""), $0 }')
fi

if [ -n "${AUTOEXEC_OUTPUT:-}" ]; then
    printf '{"listening":%s,"addresses":[%s],"source":"%s"}\n' "$listening" "$addresses" "$source" \
        >"$AUTOEXEC_OUTPUT"
fi
if [ "$listening" = true ]; then now=open; else now=closed; fi
if [ "$now" = "$state" ]; then
    printf '%s\n' "$proto port $port is $now"
else
    say "$proto port $port is $now, wanted $state (asked $source)"
    exit 1
fi
