# Ends one execution with everything it started, and makes sure. After base.sh.
# $3: outer, or inner when run as the user who was become; $4: grace in tenths of a second; outer: $5: sudo:USER,
# su:USER or -, $6: 1 when a password is the first line of stdin; inner: $5 and $6: the worker's pid and start time;
# $7: this program; $8: the text that evaluates it.
ax_mode=$3 ax_grace=$4 ax_user=$5 ax_asked=$6 ax_self=$7 ax_eval=$8
nap() { sleep "$1" 2>/dev/null || sleep 1; }
answer() { say "a $*"; exit 0; }
# Sets V to the live processes of the execution: those of the worker's session and group, those that carry its mark in
# their environment wherever they went, and the children of all these. Zombies are dead. An inner one counts its own.
scan() {
ax_T=" " ax_V=" " ax_L=
for ax_f in $(grep -lszxF "AUTOEXEC_MARK=:$ax_key:" /proc/[0-9]*/environ 2>/dev/null); do
ax_f=${ax_f#/proc/}
ax_T="$ax_T${ax_f%/environ} "
done
for ax_f in /proc/[0-9]*/stat; do
{ read -r ax_l <"$ax_f"; } 2>/dev/null || continue
ax_q=${ax_f#/proc/}
ax_q=${ax_q%/stat}
set -- 1 2 ${ax_l##*") "}
case $3 in Z|X|x) continue ;; esac
if [ "$ax_mode" = inner ] && [ "$ax_u" -gt 0 ]; then [ -O "/proc/$ax_q" ] || continue; fi
if [ "$6" = "$ax_sid" ] || [ "$5" = "$ax_sid" ]; then ax_V="$ax_V$ax_q "; continue; fi
case $ax_T in *" $ax_q "*) ax_V="$ax_V$ax_q "; continue ;; esac
ax_L="$ax_L $ax_q:$4"
done
ax_more=1
while [ -n "$ax_more" ]; do
ax_more=
for ax_f in $ax_L; do
case $ax_V in
*" ${ax_f#*:} "*) case $ax_V in *" ${ax_f%:*} "*) ;; *) ax_V="$ax_V${ax_f%:*} " ax_more=1 ;; esac ;;
esac
done
done
# We may run inside the execution ourselves; we are not part of it.
case $ax_V in *" $$ "*) ax_V=${ax_V%%" $$ "*}" "${ax_V#*" $$ "} ;; esac
[ "$ax_V" = " " ] && ax_V=
set -- $ax_V
[ "$#" -gt 0 ]
}
left() { for ax_q in $ax_V; do alive "$ax_q" 0 && return 0; done; return 1; }
# Politely, once for each process; a stopped one must go on to hear it.
ask() {
for ax_q in $ax_V; do
case $ax_K in *" $ax_q "*) continue ;; esac
ax_K="$ax_K$ax_q "
kill -TERM "$ax_q" 2>/dev/null
kill -CONT "$ax_q" 2>/dev/null
done
}
# Succeeds when nothing is left.
finish() {
ax_K=" " ax_i=0
while [ "$ax_i" -lt "$ax_grace" ]; do
scan || return 0
ask
while left && [ "$ax_i" -lt "$ax_grace" ]; do nap 0.1; ax_i=$((ax_i+1)); done
left && break
done
ax_i=0
while scan; do
[ "$ax_i" -lt 50 ] || return 1
for ax_q in $ax_V; do kill -KILL "$ax_q" 2>/dev/null; done
ax_i=$((ax_i+1))
left && nap 0.1
done
return 0
}
# The group's number is not to be trusted when another process has the worker's pid by now.
group() {
ax_sid=$ax_pid
if { read -r ax_l <"/proc/$ax_pid/stat"; } 2>/dev/null; then
set -- 1 2 ${ax_l##*") "}
[ "${22}" = "$ax_began" ] || ax_sid=none
fi
return 0
}
if [ "$ax_mode" = inner ]; then
ax_pid=$5 ax_began=$6
group
finish && answer "killed"
answer "unconfirmed" $ax_V
fi
if [ "$ax_asked" = 1 ]; then IFS= read -r ax_password; fi
# A key that the host does not know may be on its way: its fence is taken, so that it never begins.
if find_base; then :; else
ax_t=$(make_base; echo "+$ax_B")
case $ax_t in +*) ax_B=${ax_t#+} ;; *) answer "unknown" ;; esac
mkdir "$ax_B/$ax_key" 2>/dev/null
fi
ax_D=$ax_B/$ax_key
[ -d "$ax_D" ] || answer "unknown"
look
if [ -z "$ax_kind" ]; then
set -C
if { echo "v killed before it began" >"$ax_D/run"; } 2>/dev/null; then answer "closed"; fi
set +C
ax_i=0
while [ -z "$ax_kind" ] && [ "$ax_i" -lt 50 ]; do nap 0.1; ax_i=$((ax_i+1)); look; done
fi
[ "$ax_kind" = w ] || answer "gone"
[ -z "$ax_code" ] || answer "gone"
boot_id
[ "$ax_boot" = "$ax_boot0" ] || answer "gone"
[ -r /proc/self/stat ] || answer "unconfirmed no /proc on this host"
group
if scan || [ -n "$ax_as" ]; then :; else answer "gone"; fi
# The mark comes first: whoever sees the end must also see that it was not by itself.
true >"$ax_D/killed"
look
if [ -n "$ax_code" ]; then rm -f "$ax_D/killed"; answer "gone"; fi
# As the user who was become; its answer counts, because we cannot look into the processes of others.
ax_e=
as_other() {
set -- -u "${ax_user#*:}" -- sh -c "$ax_eval" ax "$ax_base" "$ax_key" inner "$ax_grace" "$ax_pid" "$ax_began" "$ax_self" "$ax_eval"
case $ax_user$ax_asked in
sudo:*1) { put "$ax_password"; echo; } | sudo -k -S -p "" "$@" ;;
sudo:*) sudo -n "$@" </dev/null ;;
su:*) shift 5; su -s /bin/sh -c "$ax_eval" "${ax_user#su:}" "$@" </dev/null ;;
*) [ -z "$ax_as" ] || [ "$ax_u" = 0 ] || echo "a unconfirmed" ;;
esac
}
ax_r=$(as_other 2>&1)
case $ax_r in *"a killed"*|"") ;; *) ax_e="unconfirmed what runs as another user: ${ax_r#*"a unconfirmed"}" ;; esac
if finish; then :; else ax_e="unconfirmed $ax_V$ax_e"; fi
for ax_f in /dev/shm/autoexec-"$ax_key"-*; do
if [ -O "$ax_f" ]; then rm -rf "$ax_f"; fi
done
set -f
answer ${ax_e:-killed}
