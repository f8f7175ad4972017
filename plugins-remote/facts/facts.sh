#!/bin/sh
# facts: what kind of machine this is, as outputs for later steps.
#
# Reads /proc, /etc and a few standard commands and changes nothing. A fact that cannot be known here is null (or an
# empty list): a missing command is never a failure. Sizes are in bytes, times in seconds.
#
# Outputs: hostname, os, kernel, arch, cpus, memory, disks, addresses, init, package_manager, boot_id, uptime, user.
set -eu
LC_ALL=C
export LC_ALL

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

have() { command -v "$1" >/dev/null 2>&1; }

# text VALUE: a JSON string, or null when there is none.
text() { if [ -n "${1:-}" ]; then json_string "$1"; else printf null; fi; }
# number VALUE: the digits, or null when it is not a plain number.
number() { case ${1:-} in '' | *[!0-9]*) printf null ;; *) printf '%s' "$1" ;; esac; }

# os_release KEY: one value of /etc/os-release, read as data: the file is never executed.
os_release() {
    for release in /etc/os-release /usr/lib/os-release; do
        if [ -r "$release" ]; then
            sed -n "s/^$1=//p" "$release" | sed -n '1{s/^"\(.*\)"$/\1/;s/^'\''\(.*\)'\''$/\1/;p;}'
            return 0
        fi
    done
}

os_json() {
    id=$(os_release ID)
    family=$(os_release ID_LIKE)
    release_name=$(os_release NAME)
    version=$(os_release VERSION_ID)
    pretty=$(os_release PRETTY_NAME)
    if [ -z "$id" ]; then
        # macOS and the BSDs have no os-release everywhere.
        id=$(uname -s | tr '[:upper:]' '[:lower:]')
        release_name=$(uname -s)
        if have sw_vers; then version=$(sw_vers -productVersion 2>/dev/null) || version=; fi
    fi
    printf '{"id":%s,"family":%s,"name":%s,"version":%s,"pretty":%s}' "$(text "$id")" "$(text "$family")" \
        "$(text "$release_name")" "$(text "$version")" "$(text "$pretty")"
}

count_cpus() {
    value=$(getconf _NPROCESSORS_ONLN 2>/dev/null) || value=
    if [ -z "$value" ] && [ -r /proc/cpuinfo ]; then
        value=$(awk '/^processor[ \t]*:/ { n++ } END { print n + 0 }' /proc/cpuinfo)
    fi
    if [ -z "$value" ] && have sysctl; then value=$(sysctl -n hw.ncpu 2>/dev/null) || value=; fi
    printf '%s' "$value"
}

memory_json() {
    if [ -r /proc/meminfo ]; then
        awk '
            $1 == "MemTotal:" { total = $2 } $1 == "MemAvailable:" { available = $2; known = 1 }
            $1 == "MemFree:" { free = $2 } $1 == "SwapTotal:" { swap = $2 }
            END {
                printf "{\"total\":%.0f,\"available\":%.0f,\"swap\":%.0f}", total * 1024,
                    (known ? available : free) * 1024, swap * 1024
            }' /proc/meminfo
    else
        total=$(sysctl -n hw.memsize 2>/dev/null) || total=$(sysctl -n hw.physmem 2>/dev/null) || total=
        printf '{"total":%s,"available":null,"swap":null}' "$(number "$total")"
    fi
}

# disks_json: what `df` lists, without the file systems that live in memory or in other files.
disks_json() {
    first=yes
    printf '['
    # -l: only local ones, because a dead network mount would hang here. Not every df has it.
    { df -P -k -l 2>/dev/null || df -P -k 2>/dev/null || :; } | awk 'NR > 1 {
        for (i = 5; i <= NF; i++) {
            if ($i ~ /^[0-9]+%$/ && $(i - 1) ~ /^-?[0-9]+$/ && $(i - 2) ~ /^[0-9]+$/ && $(i - 3) ~ /^[0-9]+$/) {
                fs = $1; for (k = 2; k < i - 3; k++) fs = fs " " $k
                m = $(i + 1); for (k = i + 2; k <= NF; k++) m = m " " $k
                if (fs ~ /^(tmpfs|devtmpfs|udev|none|shm|proc|sysfs|devfs|map|cgroup|squashfs)/) break
                if ($(i - 3) == 0) break
                printf "%.0f %.0f %s\n%s\n", $(i - 3) * 1024, ($(i - 1) < 0 ? 0 : $(i - 1)) * 1024, fs, m
                break
            }
        }
    }' | while read -r size free filesystem && IFS= read -r mount; do
        if [ "$first" = no ]; then printf ','; fi
        first=no
        printf '{"mount":%s,"filesystem":%s,"size":%s,"free":%s}' "$(json_string "$mount")" \
            "$(json_string "$filesystem")" "$size" "$free"
    done
    printf ']'
}

# addresses_json: the machine's addresses without loopback, from `ip`, else from `ifconfig`.
addresses_json() {
    if have ip && ip -o addr show >/dev/null 2>&1; then
        ip -o addr show 2>/dev/null | awk '$3 == "inet" || $3 == "inet6" {
            a = $4; sub(/\/.*/, "", a); i = $2; sub(/@.*/, "", i); sub(/:$/, "", i); print i, a }'
    elif have ifconfig; then
        ifconfig -a 2>/dev/null | awk '
            /^[^ \t]/ { i = $1; sub(/:$/, "", i) }
            $1 == "inet" || $1 == "inet6" {
                a = $2
                if (a == "addr:") a = $3
                sub(/^addr:/, "", a); sub(/[\/%].*/, "", a)
                print i, a
            }'
    fi | awk '
        $1 ~ /^[A-Za-z0-9_.:-]+$/ && $2 ~ /^[0-9A-Fa-f.:]+$/ && $2 !~ /^127\./ && $2 != "::1" {
            family = ($2 ~ /:/) ? "inet6" : "inet"
            printf "%s{\"interface\":\"%s\",\"address\":\"%s\",\"family\":\"%s\"}", (n++ ? "," : ""), $1, $2, family
        }' | { printf '['; cat; printf ']'; }
}

init_name() {
    if [ -d /run/systemd/system ]; then
        printf systemd
    elif [ -d /run/openrc ]; then
        printf openrc
    elif [ -r /proc/1/comm ]; then
        head -n 1 /proc/1/comm
    elif [ "$(uname -s)" = Darwin ]; then
        printf launchd
    fi
}

package_manager() {
    for candidate in apt-get dnf yum zypper apk pacman xbps-install emerge opkg pkg brew; do
        if have "$candidate"; then
            case $candidate in
                apt-get) printf apt ;;
                xbps-install) printf xbps ;;
                *) printf '%s' "$candidate" ;;
            esac
            return 0
        fi
    done
}

boot_id() {
    if [ -r /proc/sys/kernel/random/boot_id ]; then
        head -n 1 /proc/sys/kernel/random/boot_id
    elif have sysctl; then
        # The moment of the start tells one start from the next just as well.
        sysctl -n kern.boottime 2>/dev/null || :
    fi
}

host=$(hostname 2>/dev/null || uname -n)
if [ -r /proc/uptime ]; then uptime=$(sed 's/[. ].*//' /proc/uptime); else uptime=; fi

facts=$(
    printf '{"hostname":%s,' "$(text "$host")"
    printf '"os":%s,' "$(os_json)"
    printf '"kernel":{"name":%s,"release":%s},' "$(text "$(uname -s)")" "$(text "$(uname -r)")"
    printf '"arch":%s,' "$(text "$(uname -m)")"
    printf '"cpus":%s,' "$(number "$(count_cpus)")"
    printf '"memory":%s,' "$(memory_json)"
    printf '"disks":%s,' "$(disks_json)"
    printf '"addresses":%s,' "$(addresses_json)"
    printf '"init":%s,' "$(text "$(init_name)")"
    printf '"package_manager":%s,' "$(text "$(package_manager)")"
    printf '"boot_id":%s,' "$(text "$(boot_id)")"
    printf '"uptime":%s,' "$(number "$uptime")"
    printf '"user":%s}' "$(text "$(id -un 2>/dev/null || id -u)")"
)

printf '%s\n' "$facts"
if [ -n "${AUTOEXEC_OUTPUT:-}" ]; then
    printf '%s\n' "$facts" >"$AUTOEXEC_OUTPUT"
fi
