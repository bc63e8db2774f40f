#!/bin/sh
# Installs from Debian what the tests drive for real: a browser, node with npm, and Apache httpd with an OpenID
# Connect module (without the package that would start it as a service). Does nothing when all are there.
set -eu

missing=
command -v chromium >/dev/null || missing="$missing chromium"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
[ -x /usr/sbin/apache2 ] || missing="$missing apache2-bin"
[ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || missing="$missing libapache2-mod-auth-openidc"
[ -z "$missing" ] && exit 0

fail() {
    echo "error: the tests need Debian's packages:$missing." >&2
    echo "       $*" >&2
    exit 1
}

command -v apt-get >/dev/null || fail "There is no apt-get here: install their equivalents, then run make test again."
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "Run this script as root, or install sudo."
    as_root=sudo
fi

echo "installing$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "apt-get could not install them; its last words are above."
fi
