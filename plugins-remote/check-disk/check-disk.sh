#!/bin/sh
# check-disk: fails when a file system is fuller than allowed.
#
# Asks `df -P -k` for each path. `max_used` is a percentage, `min_free` a size such as 500M or 2G (powers of 1024).
# Without either, 90 percent is the limit.
#
# Outputs: ok, worst (the path with the highest percentage), worst_used_percent, disks (a list with path, mount, filesystem, size, free in
# bytes, used_percent). They are published also when the check fails. Exit 1: a limit is exceeded or a path is not there; 2: bad parameter.
set -eu
LC_ALL=C
export LC_ALL

say() { printf '%s\n' "check-disk: $*" >&2; }
bad() { say "$@"; exit 2; }

# --- json
# json_string VALUE: prints the value as a JSON string. A byte that is not UTF-8 becomes U+FFFD.
json_string() {
    printf '%s.' "$1" | LC_ALL=C awk '
        BEGIN { for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i }
        { text = text (NR > 1 ? "\n" : "") $0 }
        END {
            n = length(text) - 1
            out = "\""
            for (i = 1; i <= n; i++) {
                c = substr(text, i, 1)
                o = code[c]
                if (c == "\"" || c == "\\") { out = out "\\" c; continue }
                if (o < 32 || o == 127) { out = out sprintf("\\u%04x", o); continue }
                if (o < 128) { out = out c; continue }
                more = (o < 194 || o > 244) ? 0 : (o < 224) ? 1 : (o < 240) ? 2 : 3
                low = (o == 224) ? 160 : (o == 240) ? 144 : 128
                high = (o == 237) ? 159 : (o == 244) ? 143 : 191
                good = (more > 0 && i + more <= n)
                for (k = 1; good && k <= more; k++) {
                    d = code[substr(text, i + k, 1)]
                    if (d < low || d > high) good = 0
                    low = 128
                    high = 191
                }
                if (good) { out = out substr(text, i, more + 1); i += more } else out = out "\\ufffd"
            }
            printf "%s\"", out
        }'
}
# --- end of json

# parse_limits: sets `limit_used` (percent, empty for none) and `limit_free` (bytes, empty for none).
parse_limits() {
    limit_used=${max_used:-}
    case $limit_used in
        *[!0-9]* | ????*) bad "max_used must be a percentage from 0 to 100" ;;
    esac
    if [ -n "$limit_used" ] && [ "$limit_used" -gt 100 ]; then
        bad "max_used must be a percentage from 0 to 100"
    fi
    limit_free=
    if [ -n "${min_free:-}" ]; then
        number=${min_free%%[!0-9]*}
        unit=${min_free#"$number"}
        case $number in
            '' | ?????????????*) bad "min_free must be a size such as 500M or 2G" ;;
        esac
        case $unit in
            '' | B) bytes=1 ;;
            K | KB | KiB) bytes=1024 ;;
            M | MB | MiB) bytes=1048576 ;;
            G | GB | GiB) bytes=1073741824 ;;
            T | TB | TiB) bytes=1099511627776 ;;
            *) bad "min_free must be a size such as 500M or 2G" ;;
        esac
        # awk, because some shells count in 32 bits.
        limit_free=$(awk -v n="$number" -v b="$bytes" 'BEGIN { printf "%.0f", n * b }')
    fi
    if [ -z "$limit_used" ] && [ -z "$limit_free" ]; then limit_used=90; fi
}

# read_disk PATH: sets filesystem, size, free (KiB), percent and mount. Names may hold blanks, so the columns
# are found from the percentage.
read_disk() {
    row=$(df -P -k "$1" 2>/dev/null | awk 'NR == 2 {
        for (i = 5; i <= NF; i++) {
            if ($i ~ /^[0-9]+%$/ && $(i - 1) ~ /^-?[0-9]+$/ && $(i - 2) ~ /^[0-9]+$/ && $(i - 3) ~ /^[0-9]+$/) {
                p = $i; sub(/%/, "", p)
                fs = $1; for (k = 2; k < i - 3; k++) fs = fs " " $k
                m = $(i + 1); for (k = i + 2; k <= NF; k++) m = m " " $k
                printf "%s\n%s\n%s\n%s\n%s\n", $(i - 3), ($(i - 1) < 0 ? 0 : $(i - 1)), p, fs, m
                exit
            }
        }
    }')
    if [ -z "$row" ]; then return 1; fi
    {
        read -r size
        read -r free
        read -r percent
        read -r filesystem
        read -r mount
    } <<ROW
$row
ROW
}

# bytes KIB: in bytes, without the 32-bit limit of some shells.
bytes_of() { awk -v n="$1" 'BEGIN { printf "%.0f", n * 1024 }'; }

# check_one PATH: measures one path and adds it to the outputs.
check_one() {
    case $1 in
        /*) ;;
        *) bad "paths must be absolute" ;;
    esac
    if [ ! -e "$1" ]; then
        say "$1 does not exist"
        ok=false
        return 0
    fi
    if ! read_disk "$1"; then
        say "$1: df gives no numbers for it"
        ok=false
        return 0
    fi
    disks="$disks${disks:+,}{\"path\":$(json_string "$1"),\"mount\":$(json_string "$mount"),\"filesystem\":$(json_string "$filesystem"),\"size\":$(bytes_of "$size"),\"free\":$(bytes_of "$free"),\"used_percent\":$percent}"
    if [ "$percent" -gt "$worst_percent" ]; then
        worst_percent=$percent
        worst=$1
    fi
    verdict=ok
    if [ -n "$limit_used" ] && [ "$percent" -gt "$limit_used" ]; then
        verdict="over $limit_used% used"
    fi
    if [ -n "$limit_free" ] && awk -v a="$free" -v b="$limit_free" 'BEGIN { exit !(a * 1024 < b + 0) }'; then
        verdict="less than $min_free free"
    fi
    printf '%s: %s%% used, %s KiB free on %s: %s\n' "$1" "$percent" "$free" "$mount" "$verdict"
    if [ "$verdict" != ok ]; then
        say "$1: $verdict"
        ok=false
    fi
}

parse_limits
ok=true
disks=
worst=
worst_percent=-1
any=no

# Paths are separated by colons or new lines, and nothing else is special.
rest=${paths:-/}
newline='
'
while [ -n "$rest" ]; do
    path=${rest%%[:"$newline"]*}
    case $rest in
        *[:"$newline"]*) rest=${rest#*[:"$newline"]} ;;
        *) rest= ;;
    esac
    if [ -n "$path" ]; then
        any=yes
        check_one "$path"
    fi
done
if [ "$any" = no ]; then bad "paths is empty"; fi

if [ -n "${AUTOEXEC_OUTPUT:-}" ]; then
    if [ -n "$worst" ]; then worst_json=$(json_string "$worst"); else worst_json=null; fi
    if [ "$worst_percent" -lt 0 ]; then worst_percent=null; fi
    printf '{"ok":%s,"worst":%s,"worst_used_percent":%s,"disks":[%s]}\n' \
        "$ok" "$worst_json" "$worst_percent" "$disks" >"$AUTOEXEC_OUTPUT"
fi
if [ "$ok" = false ]; then exit 1; fi
