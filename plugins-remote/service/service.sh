#!/bin/sh
# service: starts, stops, restarts, reloads, enables or disables a service, or says how it is.
#
# The manager is found in this order: systemd when it runs this machine, OpenRC, the `service` command, then a script
# in /etc/init.d or an rc.d folder. `start`, `stop`, `enable` and `disable` look first and change nothing when
# the service is already so. After start, stop and restart the state is read again: a service that did not come up is a failure.
#
# Outputs: changed, state (running, stopped, unknown), enabled (true, false, null), manager.
# Fails with 2 when a parameter makes no sense, with 1 when the service is unknown or does not reach the wanted state.
set -eu
LC_ALL=C
export LC_ALL

say() { printf '%s\n' "service: $*" >&2; }
bad() { say "$@"; exit 2; }
fail() { say "$@"; publish; exit 1; }

name=${name:-}
action=${action:-}
changed=false
state=unknown
enabled=null
used=

publish() {
    if [ -n "${AUTOEXEC_OUTPUT:-}" ]; then
        printf '{"changed":%s,"state":"%s","enabled":%s,"manager":"%s"}\n' \
            "$changed" "$state" "$enabled" "$used" >"$AUTOEXEC_OUTPUT"
    fi
}

have() { command -v "$1" >/dev/null 2>&1; }

# init_script: sets `init` to the service's own script, if there is one.
init_script() {
    for candidate in "/etc/init.d/$name" "/etc/rc.d/init.d/$name" "/etc/rc.d/$name" \
        "/usr/local/etc/rc.d/$name"; do
        if [ -x "$candidate" ]; then
            init=$candidate
            return 0
        fi
    done
    return 1
}

find_manager() {
    case ${manager:-auto} in
        systemd | openrc | service | rc) used=$manager ;;
        auto)
            if have systemctl && [ -d /run/systemd/system ]; then
                used=systemd
            elif have rc-service; then
                used=openrc
            elif have service; then
                used=service
            elif init_script; then
                used=rc
            else
                bad "no service manager that this tool knows (systemd, OpenRC, service, rc scripts)"
            fi
            ;;
        *) bad "manager must be auto, systemd, openrc, service or rc" ;;
    esac
    if [ "$used" = rc ] && ! init_script; then
        fail "there is no start script for $name"
    fi
}

# act VERB: asks the manager to do it. What the manager says goes to our own output.
act() {
    case $used in
        systemd) systemctl "$1" -- "$name" ;;
        openrc) rc-service "$name" "$1" ;;
        service) service "$name" "$1" ;;
        rc) "$init" "$1" ;;
    esac </dev/null
}

# check_known: a service that the manager has never heard of is told apart from one that is stopped.
check_known() {
    case $used in
        systemd)
            load=$(systemctl show --property=LoadState -- "$name" 2>/dev/null | sed -n 's/^LoadState=//p')
            case $load in
                not-found) fail "systemd knows no service $name" ;;
                masked) case $action in start | restart | enable) fail "$name is masked in systemd" ;; esac ;;
            esac
            ;;
        openrc)
            rc-service --exists "$name" >/dev/null 2>&1 || fail "OpenRC knows no service $name"
            ;;
        service)
            # The exit code for an unknown name is that of a dead service, so only the words tell them apart.
            said=$(service "$name" status 2>&1 </dev/null) || :
            case $said in
                *"unrecognized service"* | *"could not be found"* | *"does not exist"*)
                    fail "there is no service $name"
                    ;;
            esac
            ;;
        rc) ;;
    esac
}

# read_state: sets `state`. The codes are those of the LSB: 0 runs, 1 to 3 does not, 4 nobody knows.
read_state() {
    code=0
    case $used in
        systemd)
            word=$(systemctl is-active -- "$name" 2>/dev/null) || :
            case $word in
                active | reloading | activating) state=running ;;
                inactive | failed | deactivating) state=stopped ;;
                *) state=unknown ;;
            esac
            return 0
            ;;
        openrc) rc-service "$name" status >/dev/null 2>&1 </dev/null || code=$? ;;
        service) service "$name" status >/dev/null 2>&1 </dev/null || code=$? ;;
        rc) "$init" status >/dev/null 2>&1 </dev/null || code=$? ;;
    esac
    case $code in
        0) state=running ;;
        1 | 2 | 3) state=stopped ;;
        *) state=unknown ;;
    esac
}

# linked_at_boot: System V style, a start link in one of the usual run levels.
linked_at_boot() {
    for link in /etc/rc[2345].d/S[0-9][0-9]"$name" /etc/rc.d/rc[2345].d/S[0-9][0-9]"$name"; do
        if [ -e "$link" ]; then
            return 0
        fi
    done
    return 1
}

# read_enabled: sets `enabled`; null where it cannot be known.
read_enabled() {
    enabled=null
    case $used in
        systemd)
            word=$(systemctl is-enabled -- "$name" 2>/dev/null) || :
            case $word in
                enabled | enabled-runtime | alias) enabled=true ;;
                disabled | masked | masked-runtime) enabled=false ;;
            esac
            ;;
        openrc)
            if have rc-update; then
                if rc-update show 2>/dev/null | awk -v n="$name" '$1 == n { f = 1 } END { exit !f }'; then
                    enabled=true
                else
                    enabled=false
                fi
            fi
            ;;
        service | rc)
            if have update-rc.d || have chkconfig; then
                if linked_at_boot; then enabled=true; else enabled=false; fi
            fi
            ;;
    esac
}

# boot VERB: enable or disable at boot.
boot() {
    case $used in
        systemd) systemctl "$1" -- "$name" ;;
        openrc)
            case $1 in
                enable) rc-update add "$name" default ;;
                disable) rc-update del "$name" ;;
            esac
            ;;
        service | rc)
            if have update-rc.d; then
                case $1 in
                    enable) update-rc.d "$name" defaults && update-rc.d "$name" enable ;;
                    disable) update-rc.d "$name" disable ;;
                esac
            elif have chkconfig; then
                case $1 in
                    enable) chkconfig "$name" on ;;
                    disable) chkconfig "$name" off ;;
                esac
            else
                fail "this machine has no command to $1 a service at boot (update-rc.d, chkconfig)"
            fi
            ;;
    esac </dev/null
}

# reach VERB STATE: does it, then looks whether the state was reached.
reach() {
    acted=0
    act "$1" || acted=$?
    read_state
    if [ "$acted" -ne 0 ]; then
        fail "$1 of $name failed with code $acted; it is $state now"
    fi
    changed=true
    if [ "$state" != "$2" ] && [ "$state" != unknown ]; then
        fail "$1 of $name was accepted, but it is $state now"
    fi
}

case $name in
    '') bad "name is missing" ;;
    [!A-Za-z0-9_]* | *[!A-Za-z0-9_.@:\\-]*) bad "name must be letters, digits and _ . @ : \\ -" ;;
esac
case $action in
    start | stop | restart | reload | status | enable | disable) ;;
    *) bad "action must be start, stop, restart, reload, status, enable or disable" ;;
esac

init=
find_manager
check_known
read_state

case $action in
    status) ;;
    start) if [ "$state" != running ]; then reach start running; fi ;;
    stop) if [ "$state" != stopped ]; then reach stop stopped; fi ;;
    restart) reach restart running ;;
    reload)
        if [ "$state" = stopped ]; then fail "$name is stopped; there is nothing to reload"; fi
        reach reload running
        ;;
    enable | disable)
        read_enabled
        if [ "$action" = enable ]; then wanted=true; else wanted=false; fi
        if [ "$enabled" != "$wanted" ]; then
            boot "$action" || fail "cannot $action $name"
            changed=true
        fi
        ;;
esac
read_enabled
publish
printf '%s\n' "$name: $state, changed: $changed, enabled: $enabled ($used)"
