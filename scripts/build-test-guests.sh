#!/usr/bin/env bash
# Builds every guest crate in tests/guests into target/test-guests; does nothing where there is none.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$root"

packages=()
for manifest in tests/guests/*/Cargo.toml; do
    [ -e "$manifest" ] || continue
    packages+=("$(sed -n 's/^name = "\(.*\)"$/\1/p' "$manifest" | head -n1)")
done

if [ ${#packages[@]} -gt 0 ]; then
    scripts/build-guests.sh "${CARGO_TARGET_DIR:-target}/test-guests" "${packages[@]}"
fi
