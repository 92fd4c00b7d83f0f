#!/usr/bin/env bash
# Makes sure that PostgreSQL's programs are there, for the tests that start a server of their own. No server is
# started here, and none is left running.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

has_initdb() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

has_initdb && exit

# Debian's package would make a cluster and start it; while this file is there it does not.
no_cluster=/etc/postgresql-common/createcluster.d/poolhouse-tests.conf
if as_root true; then
    trap 'as_root rm -f "$no_cluster"' EXIT
    as_root mkdir -p "$(dirname "$no_cluster")"
    echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
fi

if ! apt_install postgresql || ! has_initdb; then
    fail "PostgreSQL's initdb was not found; tests run against a server of their own" \
        "On Debian and Ubuntu run: sudo apt-get install --no-install-recommends postgresql" \
        "Elsewhere install PostgreSQL and put initdb on the PATH."
fi
