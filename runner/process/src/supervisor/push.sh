# Keeps a file under its digest. After base.sh. $3: SHA-256 in hex, $4: size, $5: mode. The bytes come on stdin when
# the answer is "need"; the file appears whole and checked, or not at all.
ax_sum=$3 ax_size=$4 ax_mode=$5
make_base
ax_F=$ax_B/files/$ax_sum
if [ -f "$ax_F" ]; then
set -- $(wc -c <"$ax_F")
# Its age begins anew, so that it is not removed while it is in use.
if [ "$1" = "$ax_size" ]; then touch "$ax_F" 2>/dev/null; say "a same"; exit 0; fi
fi
[ -d "$ax_B/files" ] || mkdir -m 711 "$ax_B/files" 2>/dev/null
ax_I=$ax_B/files/.in-$ax_sum.$$
fail() { rm -f "$ax_I"; say "a failed $*"; exit 0; }
say "a need"
ax_e=$( { cat >"$ax_I"; } 2>&1 ) || fail "write $ax_e"
set -- $(wc -c <"$ax_I")
[ "$1" = "$ax_size" ] || fail "cut"
ax_e=unverified
if command -v sha256sum >/dev/null 2>&1; then set -- $(sha256sum <"$ax_I"); ax_e=$1
elif command -v shasum >/dev/null 2>&1; then set -- $(shasum -a 256 <"$ax_I"); ax_e=$1
fi
case $ax_e in
unverified) ax_e=size ;;
"$ax_sum") ax_e=digest ;;
*) fail "digest is $ax_e" ;;
esac
ax_x=$(chmod "$ax_mode" "$ax_I" 2>&1 && mv -f "$ax_I" "$ax_F" 2>&1) || fail "write $ax_x"
say "a stored $ax_e"
