# Sends a file. After base.sh. $3: the largest size in bytes that is wanted. The path comes on stdin as a quoted word.
IFS= read -r ax_l || exit 0
eval "ax_f=$ax_l"
fail() { say "a failed $*"; exit 0; }
[ -e "$ax_f" ] || fail "no such file"
[ -f "$ax_f" ] || fail "not a regular file"
[ -r "$ax_f" ] || fail "not readable"
ax_c=$(wc -c <"$ax_f") || fail "not readable"
ax_c=$((ax_c+0))
[ "$ax_c" -le "$3" ] || fail "larger than $3 bytes: $ax_c"
ax_m=$(stat -c %a "$ax_f" 2>/dev/null) || ax_m=0
ax_e=-
if command -v sha256sum >/dev/null 2>&1; then set -- $(sha256sum <"$ax_f"); ax_e=$1; fi
say "a file $ax_c $ax_m $ax_e"
say "o 0 $ax_c"
head -c "$ax_c" "$ax_f"
say "a done"
