# Runs (start) or watches (attach) one execution and streams it. After base.sh.
# $3: mode; $4 $5: offsets of stdout and stderr; $6: age in seconds of the first try of this key, 0 for a first try;
# $7: bytes of each stream that are sent at most; $8: the worker program; $9: the text that evaluates it.
ax_mode=$3 ax_oo=$4 ax_eo=$5 ax_since=$6 ax_cap=$7 ax_W=$8 ax_eval=$9
ax_w= ax_st= ax_tk= ax_ticks=0 ax_quiet=0 ax_od=0 ax_ed=0
# Reads the payload: a header, the program line by line (kept in memory), then raw bytes that go to a file.
take() {
read -r ax_v ax_lines ax_bytes || exit 0
ax_p= ax_i=0
while [ "$ax_i" -lt "$ax_lines" ]; do
IFS= read -r ax_l || refuse "cut"
ax_p=$ax_p$ax_l$ax_n
ax_i=$((ax_i+1))
done
ax_I=
[ "$ax_bytes" -gt 0 ] || return 0
ax_I=$ax_B/.in-$ax_key.$$
ax_e=$( { cat >"$ax_I"; } 2>&1 ) || { rm -f "$ax_I"; refuse "write $ax_e"; }
set -- $(wc -c <"$ax_I")
[ "$1" = "$ax_bytes" ] || { rm -f "$ax_I"; refuse "cut"; }
}
# The worker has its own session, so nothing that ends us ends it. Its program is in its environment, not on its command line.
launch() {
ax_s=
command -v setsid >/dev/null 2>&1 && ax_s=setsid
(
exec </dev/null >/dev/null 2>&1
AXW=$ax_W AXP=$ax_p AXD=$ax_D AXB=$ax_B AXI=$ax_I AXU=$ax_um AUTOEXEC_KEY=$ax_key AUTOEXEC_MARK=:$ax_key:
export AXW AXP AXD AXB AXI AXU AXL AUTOEXEC_KEY AUTOEXEC_MARK
exec $ax_s sh -c "$ax_eval" "autoexec:$ax_key"
) &
# In csh an exclamation mark is left alone when a space follows.
ax_w=$! ax_p=
}
nap() { sleep "$1" 2>/dev/null || sleep 1; }
# Wakes us often in the beginning, then once a second. Ends when we are gone.
tick() {
case ${KSH_VERSION-} in *93*) return 0 ;; esac
[ -n "$ax_tk" ] && kill "$ax_tk" 2>/dev/null
ax_ticks=0
(
# Not as redirections of the whole: some shells would keep copies, and the channel would stay open when we are killed.
exec </dev/null >/dev/null 2>&1
# Our start time, so that a process that gets our number later is not woken.
ax_a=0
if { read -r ax_l <"/proc/$$/stat"; } 2>/dev/null; then set -- 1 2 ${ax_l##*") "}; ax_a=${22}; fi
for ax_s in 0.05 0.1 0.1 0.1 0.1 0.1 0.2 0.2 0.2 0.2 0.2 0.2 0.5 0.5 0.5 0.5; do
nap $ax_s; alive $$ "$ax_a" && kill -USR1 $$ || exit 0
done
while nap 1; do alive $$ "$ax_a" && kill -USR1 $$ || exit 0; done
) &
ax_tk=$! ax_x=
}
# Sends bytes $3..$4 of file $2 as one frame of kind $1.
send() {
ax_c=$(($4-$3))
say "$1 $3 $ax_c"
if [ "$3" = 0 ]; then head -c "$ax_c" "$2"; else tail -c "+$(($3+1))" "$2" | head -c "$ax_c"; fi
ax_quiet=0
}
# One stream: kind, file, offset, size, dropped so far. Sets o and d.
stream() {
ax_o=$3 ax_d=$5 ax_z=$4
if [ "$ax_z" -gt "$ax_cap" ]; then
ax_d=$((ax_d+ax_z-ax_cap))
say "d $1 $ax_d"
dd if=/dev/null of="$2" bs="$ax_cap" seek=1 count=0 2>/dev/null
ax_z=$ax_cap
fi
if [ "$ax_z" -lt "$ax_o" ]; then say "t $1 $ax_o $ax_z"; ax_o=$ax_z; fi
[ "$ax_z" -gt "$ax_o" ] || return 0
send "$1" "$2" "$ax_o" "$ax_z"
ax_o=$ax_z
}
pump() {
if [ -s "$ax_D/out" ] || [ -s "$ax_D/err" ] || [ "$ax_oo" -gt 0 ] || [ "$ax_eo" -gt 0 ]; then :; else return 0; fi
set -- $(wc -c "$ax_D/out" "$ax_D/err" 2>/dev/null)
[ "$#" -ge 4 ] || return 0
ax_z2=$3
stream o "$ax_D/out" "$ax_oo" "$1" "$ax_od"
ax_oo=$ax_o ax_od=$ax_d
stream e "$ax_D/err" "$ax_eo" "$ax_z2" "$ax_ed"
ax_eo=$ax_o ax_ed=$ax_d
}
result() {
[ -s "$ax_D/output" ] || return 0
set -- $(wc -c <"$ax_D/output")
ax_c=$1
[ "$ax_c" -le 1048576 ] || ax_c=1048576
say "j $ax_c $1"
head -c "$ax_c" "$ax_D/output"
}
bye() { [ -n "$ax_tk" ] && kill "$ax_tk" 2>/dev/null; exit 0; }
# Says once that it runs.
tell() { [ -n "$ax_st" ] && return 0; ax_st=1; say "$ax_state $ax_pid"; }
ended() {
tell
pump
if [ -e "$ax_D/killed" ]; then say "k ${ax_code:-}"; bye; fi
if [ -n "$ax_code" ]; then result; say "x $ax_code"; else say "l $1"; fi
bye
}
# The worker did not begin: a full disk, most often.
stillborn() {
# A folder that somebody removed says nothing about what ran in it.
if [ -d "$ax_D" ]; then :; else say "l the folder of the attempt was removed"; exit 0; fi
ax_e=$(why_not) || refuse "write $ax_e"
refuse "worker could not start"
}
# Nobody has begun and nobody is about to: close the door, so that "never started" stays true.
shut() {
grep -lszxF "AUTOEXEC_MARK=:$ax_key:" /proc/[0-9]*/environ >/dev/null 2>&1 && return 0
set -C
echo "v lost before it began" 2>/dev/null >"$ax_D/run"
set +C
}
step() {
look
case $ax_kind in
v) refuse "$ax_why" ;;
w) [ -n "$ax_code" ] && ended
ax_gone=
if [ "$ax_gonechild" = 1 ] || [ $((ax_ticks%4)) = 0 ]; then
boot_id
if [ "$ax_boot" = "$ax_boot0" ]; then alive "$ax_pid" "$ax_began" || ax_gone=1; else ax_gone=1; fi
if [ "$ax_gone" = 1 ]; then look; ended "the worker is gone"; fi
fi
tell
pump ;;
*) if [ "$ax_gonechild" = 1 ]; then look; [ -n "$ax_kind" ] || stillborn; fi ;;
esac
ax_quiet=$((ax_quiet+1)) ax_ticks=$((ax_ticks+1))
return 0
}
if [ "$ax_mode" = start ]; then
make_base
ax_D=$ax_B/$ax_key
if [ -d "$ax_D" ]; then
ax_mode=attach
else
if [ "$ax_since" -gt 0 ] && { read -r ax_up ax_x </proc/uptime; } 2>/dev/null && [ "${ax_up%%.*}" -lt "$ax_since" ]; then say "l the host was restarted since the first try"; exit 0; fi
take
if ax_e=$(mkdir "$ax_D" 2>&1); then
trap : USR1
launch
tick
else
[ -n "$ax_I" ] && rm -f "$ax_I"
[ -d "$ax_D" ] || refuse "mkdir $ax_e"
ax_mode=attach ax_p=
fi
fi
else
find_base || { say "u"; exit 0; }
ax_D=$ax_B/$ax_key
fi
ax_gonechild=0
if [ -n "$ax_w" ]; then
ax_state="s started"
# Only the wait may be woken. ksh93 is not woken at all: with trapped signals it loses what commands print, or aborts.
rest() { trap : USR1; wait "$ax_w"; trap "" USR1; }
case ${KSH_VERSION-} in *93*) rest() { if [ "$ax_quiet" -gt 20 ]; then nap 1; else nap 0.1; fi; } ;; esac
trap "" USR1
while :; do
rest
if alive "$ax_w" 0; then ax_gonechild=0; else ax_gonechild=1; fi
ax_q=$ax_quiet
step
if [ "$ax_quiet" -le "$ax_q" ] && [ "$ax_ticks" -gt 12 ]; then tick; fi
if [ $((ax_quiet%15)) = 14 ]; then say h; fi
done
else
ax_state="s attached"
ax_waited=0
while :; do
step
if [ -z "$ax_kind" ]; then ax_waited=$((ax_waited+1)); [ $((ax_waited%25)) = 0 ] && shut; fi
if [ "$ax_quiet" -gt 20 ]; then nap 1; else nap 0.2; fi
if [ $((ax_quiet%15)) = 14 ]; then say h; fi
done
fi
