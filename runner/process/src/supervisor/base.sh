# Shared beginning of every supervisor command. $1: base directory, or - for the usual places; $2: key, or -.
# The text travels inside single quotes to an unknown login shell, so it holds no single quote, backslash,
# exclamation mark or newline (a test checks the result), and double quotes only.
ax_n=${IFS#??}
ax_base=$1 ax_key=$2 ax_u= ax_um=
AXL=${LC_ALL+set$LC_ALL}
LC_ALL=C
export LC_ALL
# Three pieces, so that a wrapper which prints the command does not print the mark.
ax_m=autoexec-frames
echo "$ax_m-1:"
say() { echo "$*" || exit 74; }
# Tells why nothing was done, and ends. Newlines become spaces: a frame is one line.
refuse() { set -f; set -- $*; say "r $*"; exit 0; }
# The effective user and the umask, without a process.
if [ -r /proc/self/status ]; then
while read -r ax_a ax_b ax_c ax_d; do
case $ax_a in Umask:) ax_um=$ax_b ;; Uid:) ax_u=${ax_c%%[a-z ]*}; break ;; esac
done </proc/self/status
fi
[ -n "$ax_u" ] || ax_u=$(id -u)
[ -n "$ax_um" ] || ax_um=$(umask)
umask 077
# Sets B. A directory that already knows the key wins, so that a fence is found even when its disk has become read-only.
places() { if [ "$ax_base" = - ]; then set -- "${AUTOEXEC_DIR:-/var/tmp}" /var/tmp /tmp; else set -- "$ax_base"; fi; ax_places=$*; }
find_base() {
places
for ax_t in $ax_places; do
ax_B=$ax_t/autoexec-$ax_u
[ -d "$ax_B/$ax_key" ] && own && return 0
done
return 1
}
own() { [ -d "$ax_B" ] && [ -O "$ax_B" ] && { [ -L "$ax_B" ] && return 1; return 0; }; }
make_base() {
find_base && return 0
ax_why="no directory"
for ax_t in $ax_places; do
ax_B=$ax_t/autoexec-$ax_u
own && [ -w "$ax_B" ] && return 0
# Another command may have made it in between, so it is looked at once more.
if [ -e "$ax_B" ] || [ -L "$ax_B" ]; then own && [ -w "$ax_B" ] && return 0; ax_why="base $ax_B is not ours or not writable"; continue; fi
[ -d "$ax_t" ] || { ax_why="base $ax_t does not exist"; continue; }
[ -w "$ax_t" ] || { ax_why="base $ax_t is not writable"; continue; }
ax_e=$(mkdir "$ax_B" 2>&1) && return 0
own && [ -w "$ax_B" ] && return 0
ax_why="base $ax_e"
done
refuse "$ax_why"
}
boot_id() { ax_boot=0; { read -r ax_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null || ax_boot=0; }
# Reads the record of $D: kind is empty (not begun), w (begun: pid, began, boot, the user who was become) or v (never: why); code is set when it ended.
look() {
ax_kind= ax_pid= ax_began= ax_boot0= ax_as= ax_code=
[ -s "$ax_D/run" ] || return 0
{
read -r ax_kind ax_pid ax_began ax_boot0 ax_as || ax_kind=
if [ "$ax_kind" = v ]; then ax_why="$ax_pid $ax_began $ax_boot0 $ax_as"; fi
read -r ax_x ax_code || ax_code=
} 2>/dev/null <"$ax_D/run"
}
