# What the supervisor and the worker have in common.
# Writes bytes as they are. mksh has no printf of its own, and a secret must not become an argument of another program.
put() { printf %s "$1"; }
case ${KSH_VERSION-} in *MIRBSD*) put() { print -rn -- "$1"; } ;; esac
# Why can nothing be written? The shells say "I/O error", so a program tries it. Fails and tells when there is a reason.
why_not() {
{ head -c 65536 /dev/zero | cat >"$ax_D/probe"; } 2>&1
ax_x=$?
rm -f "$ax_D/probe"
return "$ax_x"
}
# Is the process $1 with start time $2 (0: unknown) alive? A zombie is not.
alive() {
if [ -r /proc/self/stat ]; then
{ read -r ax_l <"/proc/$1/stat"; } 2>/dev/null || return 1
set -- "$1" "$2" ${ax_l##*") "}
case $3 in Z|X|x) return 1 ;; esac
[ "$2" = 0 ] || [ "$2" = "${22}" ]
else
kill -0 "$1" 2>/dev/null
fi
}
