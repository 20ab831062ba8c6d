#!/bin/sh
# Prints the path of a Python interpreter, or fails without a word: find-python.sh [3.13 | any]
# Without an argument: one that runs this project. 3.13: one of that version. any: one that can install uv.
set -eu

wanted=${1:-}

# shellcheck disable=SC2016 # Python reads this, not the shell
fits='
import sys

wanted, version = sys.argv[1], sys.version_info

def installs():
    try:
        import ensurepip, venv
    except ImportError:
        import pip

if wanted == "any":
    installs()
    sys.exit(version < (3, 8))
if sys.implementation.name != "cpython" or "t" in sys.abiflags or version[3] != "final":
    sys.exit(1)
sys.exit(wanted != "%d.%d" % version[:2] if wanted else version < (3, 12))
'

on_path() (
    set -f
    IFS=:
    for folder in $PATH; do
        if [ -x "$folder/$1" ]; then printf '%s\n' "$folder/$1"; fi
    done
)

# The oldest supported version first: what runs on it runs on the others.
candidates() {
    for name in python3.12 python3.13 python3.14 python3 python; do on_path "$name"; done
    for python in "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.*/bin/python; do
        if [ -x "$python" ]; then printf '%s\n' "$python"; fi
    done
}

# By running it: a pyenv shim stands on PATH for versions that are not active, where all it does is fail.
found=$(candidates | while IFS= read -r python; do
    if "$python" -c "$fits" "$wanted" </dev/null >/dev/null 2>&1; then
        printf '%s\n' "$python"
        break
    fi
done)
[ -n "$found" ] && printf '%s\n' "$found"
