#!/bin/sh
# Installs the servers that the tests start, and promtool, which Debian has in the package of its server: from Debian's
# packages, as root, where apt-get is. Elsewhere it does nothing.
set -eu

if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then exit 0; fi

missing=
for package in redis-server postgresql prometheus; do
    case $(dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null || true) in
    *" installed") ;;
    *) missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then exit 0; fi

# shellcheck disable=SC2086 # each word is a package
install() {
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends $missing </dev/null
}

printf 'Installing%s ...\n' "$missing" >&2
# The lists of packages may be missing, or name versions that are gone.
said=$(install 2>&1 || { apt-get update --quiet && install; } 2>&1) || {
    printf '%s\nerror:%s could not be installed, which the tests need; see above\n' "$said" "$missing" >&2
    exit 1
}
