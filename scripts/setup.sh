#!/usr/bin/env bash
# Checks what every build needs, and says what to do where something is missing. Installs nothing.
#
# usage: scripts/setup.sh [lints]
#   lints   also what `make check` needs: rustfmt and clippy
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

for tool in cargo rustc; do
    command -v "$tool" >/dev/null ||
        fail "$tool was not found" "Install Rust with rustup, https://rustup.rs, and run this again."
done

required=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
# In the root, for a toolchain may be chosen by directory.
installed=$(cd "$root" && rustc --version | cut -d' ' -f2)
if [ "$(printf '%s\n' "$required" "$installed" | sort --version-sort | head -n1)" != "$required" ]; then
    fail "Rust $required or newer is needed, and this is $installed" "Run: rustup update stable"
fi

command -v cc >/dev/null ||
    fail "no C compiler was found; SQLite is compiled with one" \
        "On Debian and Ubuntu run: sudo apt-get install build-essential"

if [ "${1:-}" = lints ]; then
    cd "$root"
    cargo fmt --version >/dev/null 2>&1 || fail "rustfmt is missing" "Run: rustup component add rustfmt"
    cargo clippy --version >/dev/null 2>&1 || fail "clippy is missing" "Run: rustup component add clippy"
fi
