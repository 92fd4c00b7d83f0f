# Sourced by the other scripts: messages, root rights, and cargo on the PATH. Runs nothing by itself.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $1"
    shift
    for line in "$@"; do say "  $line"; done
    exit 1
}

# Runs a command as root, or answers 1 where that would need a password.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

# Installs Debian packages. The package lists are only brought up to date where the install fails without.
apt_install() {
    command -v apt-get >/dev/null || return 1
    as_root true || return 1
    local install=(env DEBIAN_FRONTEND=noninteractive timeout 900
        apt-get install --yes --quiet --no-install-recommends "$@")
    say "Installing $* …"
    as_root "${install[@]}" >&2 && return
    as_root timeout 300 apt-get update --quiet >&2 && as_root "${install[@]}" >&2
}

# What a rustup installation puts on the PATH of a login shell. Its cargo goes before a distribution's.
cargo_bin=${CARGO_HOME:-$HOME/.cargo}/bin
case ":$PATH:" in
    *":$cargo_bin:"*) ;;
    *) if [ -x "$cargo_bin/cargo" ]; then export PATH="$cargo_bin:$PATH"; fi ;;
esac
