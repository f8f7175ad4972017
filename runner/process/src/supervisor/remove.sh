# Removes what ended executions left. After base.sh. $3: minutes of age, or - when keys follow; then the keys.
# A running one is kept. Removing one opens its fence again.
ax_age=$3 ax_gone=0 ax_kept=0
shift 3
# Removes $D unless it runs.
drop() {
look
if [ "$ax_kind" = w ] && [ -z "$ax_code" ]; then
boot_id
if [ "$ax_boot" = "$ax_boot0" ] && alive "$ax_pid" "$ax_began"; then ax_kept=$((ax_kept+1)); return 0; fi
fi
if [ -z "$ax_kind" ] && grep -lszxF "AUTOEXEC_MARK=:$ax_key:" /proc/[0-9]*/environ >/dev/null 2>&1; then ax_kept=$((ax_kept+1)); return 0; fi
for ax_f in /dev/shm/autoexec-"$ax_key"-*; do
if [ -O "$ax_f" ]; then rm -rf "$ax_f"; fi
done
rm -rf "$ax_D"
if [ -d "$ax_D" ]; then ax_kept=$((ax_kept+1)); else ax_gone=$((ax_gone+1)); fi
}
if [ "$ax_age" = - ]; then
for ax_key in "$@"; do
if find_base; then ax_D=$ax_B/$ax_key; drop; fi
done
else
places
for ax_t in $ax_places; do
ax_B=$ax_t/autoexec-$ax_u
own || continue
for ax_D in $(find "$ax_B" -mindepth 1 -maxdepth 1 -type d -mmin "+$ax_age" 2>/dev/null); do
ax_key=${ax_D##*/}
[ "$ax_key" = files ] || drop
done
# What was being received when the connection was cut, and tools that nobody has asked for.
find "$ax_B" -mindepth 1 -maxdepth 1 -type f -name ".in-*" -mmin "+$ax_age" -exec rm -f {} + 2>/dev/null
if [ -d "$ax_B/files" ]; then find "$ax_B/files" -type f -mmin "+$ax_age" -exec rm -f {} + 2>/dev/null; fi
done
fi
say "a removed $ax_gone kept $ax_kept"
