# The worker: stages the files of one execution, records that it begins, runs it and records how it ended.
# It is its own session. AXP is the program (functions and values made by the payload), AXD the directory of the
# execution, AXB the base, AXI the file with raw bytes or nothing, AXU the umask and AXL the locale of the login.
ax_n=${IFS#??}
# A caught signal is the default again in the script, an ignored one would stay ignored there.
trap : HUP INT QUIT TERM USR1 USR2
ax_D=$AXD ax_B=$AXB ax_I=$AXI ax_S= ax_V= ax_F=$AXD ax_O=$AXD
clean() { [ -n "$ax_I" ] && rm -f "$ax_I"; [ -n "$ax_V" ] && rm -rf "$ax_V"; return 0; }
# Records that this will never run, and why; whoever watches tells it.
void() {
set -f
set -- $*
set -C
echo "v $*" >"$ax_D/run"
clean
exit 75
}
# Bytes $1.. of length $2 of the raw part.
cut() { tail -c "+$(($1+1))" "$ax_I" | head -c "$2"; }
# Makes S, the directory for secret files: in memory when the host has /dev/shm; removed at the end. Its name $1 is not
# to be guessed and cannot be listed, because V, the directory above, lets nobody read it. $2: mode of both.
vault() {
[ -n "$ax_S" ] && return 0
ax_V=/dev/shm/autoexec-$AUTOEXEC_KEY-$$
if [ -d /dev/shm ] && [ -w /dev/shm ] && mkdir -m "$2" "$ax_V" 2>/dev/null; then :; else
ax_V=$ax_F/secrets
mkdir -m "$2" "$ax_V" || return 1
fi
ax_S=$ax_V/$1
mkdir -m "$2" "$ax_S"
}
ax_become= ax_user= ax_password= ax_dir= ax_int= ax_stdin= ax_share= ax_hide= ax_pipes= ax_boot= ax_inner=
eval "$AXP"
unset AXP AXW
# Another user passes through our directories without reading them. The script's place shows on its command line, so
# what others must not find (the output, secrets) has a place of its own.
if [ -n "$ax_share" ]; then
ax_F=$ax_D/$ax_share ax_O=$ax_D/$ax_hide
chmod 711 "$ax_B" "$ax_D" 2>/dev/null && mkdir -m 711 "$ax_F" "$ax_O" 2>/dev/null || void "write cannot make the directories for $ax_user in $ax_D"
fi
open() {
true >"$ax_D/out" && true >"$ax_D/err" || return 1
if [ -n "$ax_pipes" ]; then rm -f "$ax_O/out.pipe" "$ax_O/err.pipe"; mkfifo "$ax_O/out.pipe" "$ax_O/err.pipe" || return 1; fi
[ -n "$ax_share" ] || return 0
chmod 666 "$ax_O/output" || return 1
if [ -n "$ax_pipes" ]; then chmod 622 "$ax_O/out.pipe" "$ax_O/err.pipe"; fi
}
all() { stage && true >"$ax_O/output" && open; }
# A script that opens /dev/stderr again would cut our file to nothing, so it gets pipes. The reader outlives a polite kill.
keep() { trap "" HUP INT QUIT TERM; exec cat "$ax_O/$1.pipe" >>"$ax_D/$1"; }
awake() {
{ read -r ax_l <"/proc/$1/stat"; } 2>/dev/null || return 1
set -- 1 2 ${ax_l##*") "}
case $3 in R|D) return 0 ;; esac
return 1
}
all 2>/dev/null || { ax_e=$(all 2>&1; why_not 2>&1); void "write $ax_e"; }
if [ -n "$ax_I" ]; then rm -f "$ax_I"; ax_I=; fi
# The commands with which the inner shell is reached; it reads its program, and a password goes, on stdin only.
plain_sudo() { sudo -n -u "$ax_user" -- sh -c "$ax_boot"; }
asked_sudo() { sudo -k -S -p "" -u "$ax_user" -- sh -c "$ax_boot"; }
# Fails with 97 when the inner shell was reached: it had nothing to read.
enter() {
case $ax_become in
sudo) command -v sudo >/dev/null 2>&1 || void "become sudo is not installed"
ax_e=$(plain_sudo 2>&1 </dev/null)
[ $? = 97 ] && { ax_how=plain; return 0; }
[ -n "$ax_password" ] || void "become $ax_e"
ax_e=$( { put "$ax_password"; echo; } | asked_sudo 2>&1)
[ $? = 97 ] || void "become $ax_e"
ax_how=asked ;;
su) ax_e=$(su -s /bin/sh -c "$ax_boot" "$ax_user" 2>&1 </dev/null)
[ $? = 97 ] || void "become su to $ax_user without a terminal works for root only: use sudo. $ax_e" ;;
esac
}
feed() { put "$ax_F$ax_n$ax_S$ax_n$ax_O$ax_n$ax_B$ax_n$ax_inner$ax_n"; if [ -n "$ax_stdin" ]; then cat "$ax_stdin"; fi; }
# What the script must not see of us goes, what the login had comes back.
shed() {
umask "$AXU"
case $AXL in set*) LC_ALL=${AXL#set} ;; *) unset LC_ALL ;; esac
unset AXD AXB AXI AXU AXL
}
go() {
shed
case $ax_become$ax_how in
sudoplain) feed | plain_sudo ;;
sudoasked) { put "$ax_password"; echo; feed; } | asked_sudo ;;
su*) feed | su -s /bin/sh -c "$ax_boot" "$ax_user" ;;
*) if [ -n "$ax_stdin" ]; then run <"$ax_stdin"; else run; fi ;;
esac
}
ax_how=
if [ -n "$ax_become" ]; then
enter
else
if [ -n "$ax_dir" ]; then cd "$ax_dir" 2>/dev/null || void "workdir $ax_dir cannot be entered"; fi
if [ -n "$ax_int" ]; then command -v "$ax_int" >/dev/null 2>&1 || void "interpreter $ax_int is not found"; fi
fi
ax_began=0
if { read -r ax_l <"/proc/$$/stat"; } 2>/dev/null; then
set -- 1 2 ${ax_l##*") "}
ax_began=${22}
fi
ax_boot0=0
{ read -r ax_boot0 </proc/sys/kernel/random/boot_id; } 2>/dev/null || ax_boot0=0
# The record is made once: whoever creates it first decides, we or one who saw that nobody was about to begin.
set -C
echo "w $$ $ax_began $ax_boot0 $ax_user" >"$ax_D/run" || { clean; exit 75; }
set +C
if [ -n "$ax_pipes" ]; then
keep out & ax_p1=$! ax_x=
keep err & ax_p2=$! ax_x=
(go) </dev/null >"$ax_O/out.pipe" 2>"$ax_O/err.pipe"
ax_code=$?
# What the script left running may hold the pipes: its output is still kept, but the end does not wait for it.
ax_x=0
while { alive "$ax_p1" 0 || alive "$ax_p2" 0; } && [ "$ax_x" -lt 100 ]; do
ax_x=$((ax_x+1))
[ "$ax_x" -gt 10 ] && { sleep 0.02 2>/dev/null || sleep 1; }
done
# A reader that sleeps has nothing to read; one that runs on a busy host, or waits for the disk, is still given 30 s.
while { awake "$ax_p1" || awake "$ax_p2"; } && [ "$ax_x" -lt 1600 ]; do
ax_x=$((ax_x+1))
sleep 0.02 2>/dev/null || sleep 1
done
else
(go) </dev/null >>"$ax_D/out" 2>>"$ax_D/err"
ax_code=$?
fi
[ -n "$ax_V" ] && rm -rf "$ax_V"
[ "$ax_O" = "$ax_D" ] || mv "$ax_O/output" "$ax_D/output"
echo "x $ax_code" >>"$ax_D/run"
