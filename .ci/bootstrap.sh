#!/bin/sh
# Makes an environment from uv.lock, from nothing if need be: bootstrap.sh [--print] FOLDER [PYTHON_VERSION]
# --print: shows the commands and runs none.
set -eu

uv_version=0.13.9

print=
if [ "${1:-}" = --print ]; then
    print=yes
    shift
fi
folder=$1
wanted=${2:-}

cd "$(dirname "$0")/.."

run() {
    if [ -n "$print" ]; then printf '%s\n' "$*"; else "$@"; fi
}

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# By running it: a shim may stand on PATH for it. Before 0.5, uv knew no dependency groups.
is_uv() {
    case $("$1" --version 2>/dev/null || true) in
    "uv 0."[0-4].*) return 1 ;;
    "uv "*) return 0 ;;
    *) return 1 ;;
    esac
}

install_uv() {
    python=$(.ci/find-python.sh any) ||
        fail "no uv found, nor a Python (3.8 or newer, with venv or pip) to install it with;" \
            "install Python 3.12 or uv, then run make again"
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        run "$python" -m venv --clear .bootstrap &&
            run .bootstrap/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
    else
        run "$python" -m pip install --quiet --disable-pip-version-check --target .bootstrap "uv==$uv_version"
    fi
}

# uv does not read pip's settings; whoever made them meant every download.
if [ -n "${PIP_CERT:-}" ]; then export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"; fi
if [ -n "${PIP_DEFAULT_TIMEOUT:-}" ]; then export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-$PIP_DEFAULT_TIMEOUT}"; fi

# An environment that is active belongs to something else, and uv warns of it.
unset VIRTUAL_ENV

printf 'Setting up %s (once, and again when the lock file changes) ...\n' "$folder" >&2

uv=uv
if ! is_uv uv; then
    uv=.bootstrap/bin/uv
    is_uv "$uv" || install_uv || fail "uv could not be installed; see above, then run make again"
fi

python=$(.ci/find-python.sh "$wanted") || {
    python=${wanted:-3.12}
    run env UV_PYTHON_INSTALL_BIN=0 "$uv" python install "$python" ||
        fail "no Python ${wanted:-3.12+} found on PATH or in pyenv, nor could uv download one;" \
            "install Python ${wanted:-3.12 or newer}, then run make again"
}

run env "UV_PROJECT_ENVIRONMENT=$folder" "$uv" sync --frozen --quiet --python "$python" ||
    fail "$folder could not be set up; see above, then run make again"
