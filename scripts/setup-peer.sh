#!/usr/bin/env bash
# Makes the Python environment of the benchmarks' peer in the folder given; does nothing where it is there.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$root"

folder=${1:?usage: scripts/setup-peer.sh FOLDER}
wanted=tests/peer/requirements.txt
if cmp --silent "$wanted" "$folder/requirements.txt"; then exit 0; fi

command -v python3 >/dev/null || fail "the benchmarks' peer needs Python 3.11 or later" \
    "Run: sudo apt-get install --no-install-recommends python3 python3-venv"
python3 -c 'import tomllib' 2>/dev/null || fail "the benchmarks' peer needs Python 3.11 or later; this is $(python3 --version)"
rm -rf "$folder"
python3 -m venv "$folder" || fail "Python can't make a virtual environment" \
    "Run: sudo apt-get install --no-install-recommends python3-venv"
"$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
cp "$wanted" "$folder/requirements.txt"
