#!/usr/bin/env bash
# Runs the database's conformance suite through a guest in each language but Rust, whose own is one of the workspace's
# tests. A language whose toolchain is not there is skipped, which is said at the end; with POOLHOUSE_ALL_LANGUAGES it is a failure.
#
# usage: scripts/test-conformance.sh TARGET
#   TARGET   the folder that cargo builds into
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

target=$(cd "${1:?usage: scripts/test-conformance.sh TARGET}" && pwd)
cd "$root"

guests=$target/conformance-guests
log=$(mktemp)
trap 'rm -f "$log"' EXIT
skipped=()
for folder in tests/guests/conformance-*/; do
    folder=${folder%/}
    guest=${folder##*/}
    if ! "$target/release/host" build --output "$guests" "$folder" 2>&1 | tee "$log" >&2; then
        # Whatever else goes wrong is no reason to go on.
        if [ -z "${POOLHOUSE_ALL_LANGUAGES:-}" ] && grep -qE "can't be built without|could not be installed" "$log"; then
            skipped+=("SKIPPED $guest: $(tail -n1 "$log")")
            continue
        fi
        fail "$guest was not built" "Its suite can't be run."
    fi
    say "The conformance suite through $guest:"
    POOLHOUSE_CONFORMANCE_GUEST=$guests/$guest.wasm cargo test --release --workspace --test conformance
done
if [ ${#skipped[@]} -gt 0 ]; then say "${skipped[@]}"; fi
