#!/usr/bin/env bash
# Builds guest crates as WebAssembly components and puts each into a folder as PACKAGE.wasm, if it has changed; of a
# package with examples, each example as EXAMPLE.wasm instead.
#
# usage: scripts/build-guests.sh FOLDER PACKAGE...
#
# The standard library for wasm32-wasip2 comes by one of two routes. Without POOLHOUSE_WASM_ROUTE the first is tried,
# and the second where the first can't be had:
#   rustup   rustup's own build of it, downloaded once
#   debian   Debian's compiler and library sources, installed once; the linkers are those of the rustup toolchain
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

target=wasm32-wasip2
debian_packages=(rustc-web cargo-web rust-web-src wasi-libc)

if [ $# -lt 2 ]; then
    say "usage: scripts/build-guests.sh FOLDER PACKAGE..."
    exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
packages=("$@")
cd "$root"

"$root/scripts/setup.sh"

# A folder of its own, so that guests and the host never wait for each other's lock.
built=${CARGO_TARGET_DIR:-$root/target}/guests
arguments=(build --profile guest --target "$target" --target-dir "$built" --lib --examples)
for package in "${packages[@]}"; do arguments+=(--package "$package"); done

sysroot=$(rustc --print sysroot)

has_rustup_target() { compgen -G "$sysroot/lib/rustlib/$target/lib/libstd-*" >/dev/null; }

get_rustup_target() {
    has_rustup_target && return
    command -v rustup >/dev/null || return 1
    say "Fetching the standard library for $target …"
    RUST_BACKTRACE=0 timeout 180 rustup target add "$target" >&2 && has_rustup_target
}

build_by_rustup() { cargo "${arguments[@]}"; }

has_debian_packages() {
    command -v dpkg-query >/dev/null || return 1
    local package
    for package in "${debian_packages[@]}"; do
        # One by one: of several, the query's answer would say nothing of each.
        # shellcheck disable=SC2016
        [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || return 1
    done
}

get_debian_packages() {
    has_debian_packages && return
    apt_install "${debian_packages[@]}" && has_debian_packages
}

linkers=$sysroot/lib/rustlib/$(rustc --version --verbose | sed -n 's/^host: //p')/bin

has_linkers() { [ -x "$linkers/wasm-component-ld" ] && [ -x "$linkers/gcc-ld/wasm-ld" ]; }

# The standard library is built from its sources, which only a nightly compiler or one told so does; its C library is
# the system's instead of a copy inside the toolchain. RUSTFLAGS would take the place of the flags here.
build_by_debian() {
    env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u RUSTUP_TOOLCHAIN -u RUSTC_WRAPPER \
        RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 PATH="$linkers:$linkers/gcc-ld:$PATH" \
        CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS="-L native=/usr/lib/wasm32-wasi -C link-self-contained=no -C target-feature=-crt-static" \
        /usr/bin/cargo "${arguments[@]}" -Zbuild-std=std,panic_abort
}

case ${POOLHOUSE_WASM_ROUTE:-any} in
    rustup)
        get_rustup_target || fail "the standard library for $target is missing" "Run: rustup target add $target"
        route=rustup
        ;;
    debian)
        has_linkers || fail "no WebAssembly linkers in $linkers" "Install Rust with rustup, https://rustup.rs."
        get_debian_packages || fail "Debian's compiler for WebAssembly is missing" \
            "Run: sudo apt-get install --no-install-recommends ${debian_packages[*]}"
        route=debian
        ;;
    any)
        # A library that is there costs nothing; installing packages comes after the download has failed.
        if get_rustup_target; then
            route=rustup
        elif has_linkers && get_debian_packages; then
            say "rustup has no $target; building with Debian's compiler instead."
            route=debian
        else
            fail "the standard library for $target is missing, and plugins can't be built without" \
                "Run: rustup target add $target" \
                "Where rustup can't download, on Debian and Ubuntu run:" \
                "  sudo apt-get install --no-install-recommends ${debian_packages[*]}"
        fi
        ;;
    *) fail "POOLHOUSE_WASM_ROUTE is '$POOLHOUSE_WASM_ROUTE'; it must be rustup or debian" ;;
esac

"build_by_$route"

# The custom section `version` of a component, as `wasm-tools metadata add --version` writes it: `host status` shows it.
version_section() {
    local version length
    version=$(cargo pkgid --offline --package "$1" 2>/dev/null) || return 0
    version=${version##*[#@]}
    length=$((8 + ${#version}))
    if ((length < 128)); then printf "\\x00\\x$(printf %x "$length")\\x07version%s" "$version"; fi
}

# Puts a component into place under that name, with its package's version.
put() {
    local component=$built/$target/guest/$1 name=$2
    # Moved into place whole: a running host may be watching the folder, and looks at no hidden file.
    local new=$folder/.$name.wasm.new
    cp "$component" "$new"
    version_section "$3" >>"$new"
    if cmp --silent "$new" "$folder/$name.wasm"; then
        rm "$new"
    else
        mv "$new" "$folder/$name.wasm"
        say "Built $folder/$name.wasm"
    fi
}

for package in "${packages[@]}"; do
    examples=()
    for example in "$root"/*/"$package"/examples/*.rs "$root"/*/*/"$package"/examples/*.rs; do
        if [ -e "$example" ]; then examples+=("$(basename "$example" .rs)"); fi
    done
    if [ ${#examples[@]} -gt 0 ]; then
        for example in "${examples[@]}"; do put "examples/${example//-/_}.wasm" "$example" "$package"; done
    else
        put "${package//-/_}.wasm" "$package" "$package"
    fi
done
