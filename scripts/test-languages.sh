#!/usr/bin/env bash
# Builds the examples and guests of the languages other than Rust, and runs what can't be a test of the workspace: each SDK's own
# tests and each example's, natively, and the database's conformance suite through a guest in each language. A language whose
# toolchain is not there is skipped, which is said at the end; with POOLHOUSE_ALL_LANGUAGES it is a failure.
#
# usage: scripts/test-languages.sh build|run TARGET
#   TARGET   the folder that cargo builds into
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

what=${1:?usage: scripts/test-languages.sh build|run TARGET}
target=$(cd "${2:?usage: scripts/test-languages.sh build|run TARGET}" && pwd)
cd "$root"

skipped=()

# Builds folders into one, installing what is missing; answers 1 where a toolchain is not to be had.
built() {
    local log output=$1
    shift
    log=$(mktemp)
    if "$target/release/host" build --install --output "$output" "$@" 2>&1 | tee "$log" >&2; then
        rm "$log"
        return
    fi
    local reason
    reason=$(grep -E "can't be built without|could not be installed" "$log" | tail -n1 || true)
    rm "$log"
    # Whatever else goes wrong is no reason to go on.
    if [ -z "$reason" ] || [ -n "${POOLHOUSE_ALL_LANGUAGES:-}" ]; then fail "$* can't be built" "Its tests can't be run."; fi
    skipped+=("SKIPPED: ${reason#host: }")
    return 1
}

natively_python() {
    # Where the SDK is a package of that name, as in a plugin's own folder.
    local packages=$target/languages/python
    mkdir -p "$packages"
    ln -sfn "$root/sdk/python" "$packages/poolhouse"
    export PYTHONPATH=$packages PYTHONDONTWRITEBYTECODE=1
    python3 -m unittest discover --quiet -t "$packages" -s "$packages/poolhouse/tests"
    local example
    for example in examples/python/*/; do (cd "$example" && python3 -m unittest --quiet); done
}

natively_javascript() {
    node --test sdk/javascript/tests/*.test.js
    local example
    for example in examples/{typescript,javascript}/*/; do (cd "$example" && npm test --silent); done
}

natively_c() {
    local test program=$target/languages/native-test
    for test in sdk/c/tests/*_test.c examples/c/*/plugin_test.c; do
        cc -std=gnu11 -Wall -Wextra -Isdk/c -I"$(dirname "$test")/bindings" -I"$(dirname "$test")" "$test" sdk/c/ph_*.c -lm -o "$program"
        "$program"
    done
    rm "$program"
}

for language in python javascript c; do
    # Both run on one engine and one SDK.
    case $language in
    javascript) of_one_sdk=(typescript javascript) guest=conformance-typescript ;;
    *) of_one_sdk=("$language") guest=conformance-$language ;;
    esac
    # The examples are called the same in each language.
    for one in "${of_one_sdk[@]}"; do
        examples=("examples/$one"/*/)
        built "$target/languages/examples/$one" "${examples[@]%/}" || continue 2
    done
    built "$target/languages" "tests/guests/$guest" || continue
    if [ "$what" = build ]; then continue; fi
    say "The SDK's own tests and the examples', natively: $language"
    "natively_$language"
    say "The conformance suite through $guest:"
    exceptions=()
    # SpiderMonkey gives back what a call has read when the call ends, and not before; and its bindings leave out a U+FEFF at the
    # beginning of a text that the plugin is called with. The SDK's manual and the README say so.
    if [ "$language" = javascript ]; then
        exceptions=(--skip million::a_million_rows_take_no_more_memory_than_a_few --skip round_trips::texts_come_back)
    fi
    POOLHOUSE_CONFORMANCE_GUEST=$target/languages/$guest.wasm \
        cargo test --release --workspace --test conformance -- "${exceptions[@]}"
done
for line in "${skipped[@]}"; do say "$line"; done
