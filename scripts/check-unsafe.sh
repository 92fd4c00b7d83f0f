#!/usr/bin/env bash
# Checks that the keyword `unsafe` stands in no Rust file but the modules that are named here, and that no
# crate's lints let it in. The guests of the tests are not asked: they are there to misbehave, inside their sandbox.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$root"

# SQLite's authorizer is a C callback, which nothing safe can install; and code that was compiled before is taken on trust.
allowed=(./host/database/src/sqlite/authorizer.rs ./host/runtime/src/code_cache.rs)
named=()
for module in "${allowed[@]}"; do
    named+=(! -path "$module")
done

# Whole words, so neither `unsafe_code` nor `AssertSqlSafe`; what stands behind // is a comment.
found=$(find . \( -name target -o -path ./tests/guests \) -prune -o -name '*.rs' "${named[@]}" -print0 |
    xargs -0 grep --line-number --with-filename --perl-regexp '^(?!\s*//).*\bunsafe\b' || true)
if [ -n "$found" ]; then
    say "$found"
    fail "\`unsafe\` stands outside of ${allowed[*]}" "Write it without, or move it there."
fi

# Generated bindings hold unsafe code, so a guest's crate may say `deny`, which its module of bindings lifts.
find . -name target -prune -o -name Cargo.toml ! -path ./Cargo.toml -print | while read -r crate; do
    grep --quiet --line-regexp --extended-regexp 'unsafe_code = "(deny|forbid)"' "$crate" ||
        sed -n '/^\[lints\]$/,/^\[[^l]/p' "$crate" | grep --quiet --line-regexp 'workspace = true' ||
        fail "$crate lets unsafe code in" "Add to it: [lints] with workspace = true"
done
