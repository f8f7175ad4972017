#!/bin/sh
# script: runs a script that is given as text or as a file, with any interpreter.
#
# The text is written to a private file beside the other files of this run and handed to the interpreter, so it is
# never on a command line and the script keeps its own standard input. The exit code is the script's own.
# The script sees the variables of the step, but not this tool's own parameters.
#
# Fails with 2 when a parameter makes no sense, with 127 when the interpreter is not there.
set -eu

say() { printf '%s\n' "script: $*" >&2; }

# A private folder: mkdir is atomic and fails when the name exists, so nobody can prepare the name for us.
make_work_folder() {
    base=${TMPDIR:-/tmp}
    number=0
    while [ "$number" -lt 100 ]; do
        work=$base/.autoexec-script.$$.$number
        if mkdir -m 700 "$work" 2>/dev/null; then
            return 0
        fi
        number=$((number + 1))
    done
    work=
    say "cannot make a folder in $base"
    exit 1
}

work=
# shellcheck disable=SC2317 # called by the trap
clean() {
    if [ -n "$work" ]; then
        rm -rf "$work"
    fi
}

text_given=no
if [ -n "${script+given}" ] || [ -n "${AUTOEXEC_FILE_script:-}" ]; then
    text_given=yes
fi
if [ "$text_given" = yes ] && [ -n "${file:-}" ]; then
    say "give either script or file, not both"
    exit 2
fi
if [ "$text_given" = no ] && [ -z "${file:-}" ]; then
    say "nothing to run: give script (text) or file"
    exit 2
fi

# Split the interpreter at blanks only: no patterns, no quotes, nothing is evaluated.
set -f
# shellcheck disable=SC2086 # splitting is what is wanted here
set -- ${interpreter:-sh}
set +f
if [ "$#" -eq 0 ]; then
    say "interpreter is empty"
    exit 2
fi
if ! command -v "$1" >/dev/null 2>&1; then
    say "there is no interpreter \`$1\` on this machine"
    exit 127
fi

trap clean EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -n "${file:-}" ]; then
    program=$file
    if [ ! -r "$program" ]; then
        say "cannot read the script file"
        exit 2
    fi
elif [ -n "${AUTOEXEC_FILE_script:-}" ]; then
    program=$AUTOEXEC_FILE_script
else
    make_work_folder
    program=$work/script
    (umask 077 && printf '%s\n' "$script" >"$program") || {
        say "cannot write the script to $work"
        exit 1
    }
fi

if [ -n "${directory:-}" ]; then
    # A folder name that begins with a dash is not an option.
    case $directory in
        /*) ;;
        *) directory=./$directory ;;
    esac
    CDPATH='' cd "$directory" 2>/dev/null || {
        say "cannot enter the folder $directory"
        exit 1
    }
fi

set -- "$@" "$program"
unset script file interpreter directory AUTOEXEC_FILE_script text_given number base program

code=0
"$@" || code=$?
exit "$code"
