#!/bin/sh
# copy: makes a file on the target have the given content, mode and owner.
#
# The new content is written to a private folder beside the destination and renamed over it, so readers see the old
# file or the new one, never a part. A file that is already right is left alone and `changed` is false. A symbolic
# link at the destination is followed. Without `mode` an existing file keeps its mode and owner; a new one gets 0644.
#
# Outputs: changed, path, size, backup. Fails with 2 when a parameter makes no sense, with 1 when a file operation fails;
# the destination is then as it was.
set -eu

say() { printf '%s\n' "copy: $*" >&2; }
bad() { say "$@"; exit 2; }
fail() { say "$@"; exit 1; }

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

# octal_mode FILE: the permission bits as four octal digits, from `ls`, because `stat` differs between systems.
octal_mode() {
    # shellcheck disable=SC2012 # one known file, and only the first columns are read
    LC_ALL=C ls -ldn "$1" | awk 'NR == 1 {
        special = 0
        for (t = 0; t < 3; t++) {
            r = substr($1, 2 + 3 * t, 1); w = substr($1, 3 + 3 * t, 1); x = substr($1, 4 + 3 * t, 1)
            digit[t] = (r == "r" ? 4 : 0) + (w == "w" ? 2 : 0) + ((x == "x" || x == "s" || x == "t") ? 1 : 0)
            if (x ~ /[sStT]/) special += (t == 0) ? 4 : (t == 1) ? 2 : 1
        }
        printf "%d%d%d%d", special, digit[0], digit[1], digit[2]
    }'
}

# owner_of FILE, group_of FILE: name and number, so that either form can be compared.
owner_of() { { LC_ALL=C ls -ld "$1"; LC_ALL=C ls -ldn "$1"; } | awk '{ printf "%s:", $3 }'; }
group_of() { { LC_ALL=C ls -ld "$1"; LC_ALL=C ls -ldn "$1"; } | awk '{ printf "%s:", $4 }'; }

# has_owner FILE, has_group FILE: is the wanted owner or group already there?
has_owner() { case :$(owner_of "$1") in *":$owner:"*) return 0 ;; *) return 1 ;; esac; }
has_group() { case :$(group_of "$1") in *":$group:"*) return 0 ;; *) return 1 ;; esac; }

work=
clean() {
    if [ -n "$work" ]; then
        rm -rf "$work"
    fi
}
trap clean EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# make_work_folder FOLDER: mkdir is atomic and fails when the name exists, so nobody can prepare the name for us.
make_work_folder() {
    number=0
    while [ "$number" -lt 100 ]; do
        work=$1/.autoexec-copy.$$.$number
        if mkdir -m 700 "$work" 2>/dev/null; then
            return 0
        fi
        number=$((number + 1))
    done
    work=
    fail "cannot write in the folder $1"
}

# check_parameters: everything that can be refused before the first change.
check_parameters() {
    case ${dest:-} in
        /*) ;;
        *) bad "dest must be an absolute path" ;;
    esac
    case $dest in
        */) bad "dest must name a file, not a folder" ;;
    esac
    case ${mode:-0644} in
        [0-7][0-7][0-7] | [0-7][0-7][0-7][0-7]) ;;
        *) bad "mode must be three or four octal digits, such as 0644" ;;
    esac
    for name in "${owner:-root}" "${group:-root}"; do
        case $name in
            -* | *[!A-Za-z0-9_.@\\-]*) bad "owner and group must be user and group names or numbers" ;;
        esac
    done
    given=0
    if [ -n "${src:-}" ]; then given=$((given + 1)); fi
    if [ -n "${content+given}" ] || [ -n "${AUTOEXEC_FILE_content:-}" ]; then given=$((given + 1)); fi
    if [ "$given" -ne 1 ]; then bad "give either content or src"; fi
    if [ -n "${src:-}" ] && [ ! -r "$src" ]; then bad "cannot read the file given as src"; fi
}

# follow_links: a link at dest stays a link; the file that it names is written.
follow_links() {
    hops=0
    while [ -L "$dest" ]; do
        hops=$((hops + 1))
        if [ "$hops" -gt 16 ]; then fail "$dest: too many symbolic links"; fi
        next=$(readlink "$dest" && printf .) || fail "$dest: cannot read the symbolic link"
        next=${next%??}
        case $next in
            /*) dest=$next ;;
            *) dest=${dest%/*}/$next ;;
        esac
    done
    if [ -d "$dest" ]; then bad "$dest is a folder; dest must name a file"; fi
    if [ -e "$dest" ] && [ ! -f "$dest" ]; then bad "$dest is not a regular file"; fi
}

# find_source: sets `source`, the file that holds the wanted content.
find_source() {
    if [ -n "${src:-}" ]; then
        source=$src
    elif [ -n "${AUTOEXEC_FILE_content:-}" ]; then
        source=$AUTOEXEC_FILE_content
    else
        source=$work/content
        (umask 077 && printf '%s' "$content" >"$source") || fail "$folder: cannot write (is the disk full?)"
    fi
}

# set_owner FILE, set_mode FILE: the owner first, because changing the owner clears the set-user-id bits.
set_owner() {
    if [ -n "${owner:-}" ] && ! has_owner "$1"; then
        chown "$owner" "$1" 2>/dev/null || fail "cannot give $dest to the user $owner"
        changed=true
    fi
    if [ -n "${group:-}" ] && ! has_group "$1"; then
        chgrp "$group" "$1" 2>/dev/null || fail "cannot give $dest to the group $group"
        changed=true
    fi
}
set_mode() {
    if [ "$(octal_mode "$1")" != "$2" ]; then
        chmod "$2" "$1" || fail "cannot set the mode of $dest"
        changed=true
    fi
}

# keep_backup: a copy beside the file, with the time in its name; an older backup is never overwritten.
keep_backup() {
    stamp=$(date -u +%Y%m%dT%H%M%SZ)
    backup_path=$dest.$stamp.bak
    number=1
    while [ -e "$backup_path" ]; do
        backup_path=$dest.$stamp.$number.bak
        number=$((number + 1))
    done
    if ! cp -p "$dest" "$work/backup" || ! mv "$work/backup" "$backup_path"; then
        fail "cannot keep a backup of $dest"
    fi
}

# replace: writes the new file beside the old one, then renames it.
replace() {
    new=$work/new
    if ! (umask 077 && cat <"$source" >"$new") || ! cmp -s "$source" "$new"; then
        fail "$folder: cannot write the new file (is the disk full?)"
    fi
    if [ -e "$dest" ]; then
        mode_wanted=${mode_wanted:-$(octal_mode "$dest")}
        # Keep the old owner where we may; the wanted owner, if any, is set after it.
        # shellcheck disable=SC2012 # one known file, and only the numbers are read
        ids=$(LC_ALL=C ls -ldn "$dest" | awk 'NR == 1 { print $3 ":" $4 }')
        chown "$ids" "$new" 2>/dev/null || :
        if [ "${backup:-false}" = true ]; then keep_backup; fi
    fi
    set_owner "$new"
    set_mode "$new" "${mode_wanted:-0644}"
    mv -f "$new" "$dest" || fail "cannot replace $dest"
    changed=true
}

check_parameters
follow_links
folder=${dest%/*}
folder=${folder:-/}
if [ ! -d "$folder" ]; then
    if [ "${parents:-false}" = true ]; then
        mkdir -p "$folder" || fail "cannot make the folder $folder"
    else
        fail "the folder $folder does not exist (parents: true makes it)"
    fi
fi

mode_wanted=
if [ -n "${mode:-}" ]; then
    case $mode in
        ????) mode_wanted=$mode ;;
        *) mode_wanted=0$mode ;;
    esac
fi
changed=false
backup_path=
make_work_folder "$folder"
find_source
if [ -f "$dest" ] && cmp -s "$source" "$dest"; then
    set_owner "$dest"
    if [ -n "$mode_wanted" ]; then set_mode "$dest" "$mode_wanted"; fi
else
    replace
fi

size=$(wc -c <"$dest" | tr -d ' ')
if [ "$changed" = true ]; then
    printf '%s\n' "$dest: changed, $size bytes"
else
    printf '%s\n' "$dest: already right, $size bytes"
fi
if [ -n "${AUTOEXEC_OUTPUT:-}" ]; then
    if [ -n "$backup_path" ]; then backup_json=$(json_string "$backup_path"); else backup_json=null; fi
    printf '{"changed":%s,"path":%s,"size":%s,"backup":%s}\n' \
        "$changed" "$(json_string "$dest")" "$size" "$backup_json" >"$AUTOEXEC_OUTPUT"
fi
