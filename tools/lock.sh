#!/usr/bin/env bash
# Pins the dependency groups of pyproject.toml, with hashes, in requirements/*.txt.
# Pins already there are kept; `tools/lock.sh --upgrade` or `--upgrade-package NAME` moves them.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v uv >/dev/null; then
    echo "Relocking needs uv; install it with: python3 -m pip install uv" >&2
    exit 1
fi

lock() {
    local group=$1
    shift
    echo "requirements/$group.txt"
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
        --group "$group" --output-file "requirements/$group.txt" "$@" >/dev/null
}

# dev holds all the others; they take its versions, so that what is tested is what is installed.
lock dev "$@"
for group in app core core-test; do
    lock "$group" --constraint requirements/dev.txt
done

if grep -nE '://|^-|(^|[^-])--(index|extra|find)|/(home|root|opt|tmp|usr)/' requirements/*.txt; then
    echo "These lines name an address or a folder of this machine; a lock must work on any." >&2
    exit 1
fi
