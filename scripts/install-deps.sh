#!/bin/sh
# Installs the Debian packages that a build or the tests need: scripts/install-deps.sh GROUP...
# Says what it installs; does nothing, and needs no network, when all is there. Runs apt-get as root or
# through sudo. Servers that come with a package are not started: the tests start their own.
set -eu

packages() {
    case $1 in
    build) echo gcc libc6-dev meson ninja-build pkg-config python3 ;;
    # mariadb-server-core has the server without the service that mariadb-server would set up.
    test) echo libcmocka-dev libpq-dev libmariadb-dev libsqlite3-dev zlib1g-dev libzstd-dev libssl-dev git openssl python3-django python3-jsonschema python3-psycopg python3-psycopg2 python3-mysqldb python3-pytest python3-pytest-xdist \
        mariadb-server-core mariadb-client-core postgresql-15 chromium ;;
    fuzz) echo clang libclang-rt-14-dev ;;
    bench) echo python3-django python3-pyflakes pylint haproxy pgbouncer pgbadger percona-toolkit postgresql-15 python3-psycopg2 ;; # to measure beside
    format) echo clang-format ;;
    *)
        echo "install-deps: unknown group '$1' (build, test, fuzz, bench, format)" >&2
        exit 2
        ;;
    esac
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

[ $# -gt 0 ] || { echo "usage: install-deps.sh GROUP..." >&2; exit 2; }
wanted=
for group in "$@"; do
    wanted="$wanted $(packages "$group")"
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "install-deps: this is no Debian; have these installed and say DEPS=skip:$wanted" >&2
    exit 1
fi

missing=
for package in $wanted; do
    is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    echo "install-deps: neither root nor sudo; install these and run again:$missing" >&2
    exit 1
fi

echo "Installing Debian packages:$missing"

# invoke-rc.d asks policy-rc.d before it starts a service. Where there is none, one that says no stands
# in for as long as this runs.
policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d} # the tests put it elsewhere
if [ ! -e "$policy" ]; then
    trap '$as_root rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null
}
apt update
# shellcheck disable=SC2086 # a list of words
apt install --no-install-recommends $missing
