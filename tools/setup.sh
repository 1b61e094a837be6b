#!/usr/bin/env bash
# Makes an environment from a lock, with the system packages it needs; does nothing where nothing has changed.
#   tools/setup.sh FOLDER LOCK      for example: tools/setup.sh .venv requirements/dev.txt
# Or sees to what building and emulating the meter's firmware needs:
#   tools/setup.sh --firmware           installs it
#   tools/setup.sh --firmware-missing   says what is missing, in one line; nothing where nothing is
# System packages are installed when run as root; otherwise the line that installs them is printed and it stops.
set -euo pipefail
cd "$(dirname "$0")/.."

# Debian's names. Where a newer release renamed one (libglib2.0-0t64), the new package provides the old name.
readonly qt_packages=(
    # to draw at all, also without a screen
    libgl1 libegl1 libxkbcommon0 libglib2.0-0 libfreetype6 libfontconfig1 libdbus-1-3 fonts-dejavu-core
    # to open a window
    libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxkbcommon-x11-0 libxcb-xkb1 libxcb-shape0
)
readonly firmware_packages=(
    make gcc-avr avr-libc binutils-avr arduino-core-avr
    # to run it without an Arduino, and its tests
    g++ simavr libsimavr-dev libelf-dev doctest-dev
)

fail() {
    printf 'setup: %s\n' "$1" >&2
    [[ $# -eq 1 ]] || printf '    %s\n' "${@:2}" >&2
    exit 1
}

# The first Python that is new enough: one that can make environments, else one whose Debian package to do so
# is not installed yet.
find_python() {
    local name without_venv=""
    for name in python3 python3.{14,13,12,11} /usr/bin/python3; do
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if "$name" -c 'import venv, ensurepip' 2>/dev/null; then
            echo "$name"
            return
        fi
        : "${without_venv:=$name}"
    done
    echo "$without_venv"
}

python_packages() {
    local python
    python=$(find_python)
    if [[ -z $python ]]; then
        command -v python3 >/dev/null || echo python3 python3-venv
    elif ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    fi
}

# Those of the arguments that are not installed, neither by name nor provided by another package.
missing_packages() {
    local installed package
    # shellcheck disable=SC2016 # dpkg-query's own fields
    installed=$(dpkg-query --show --showformat='${db:Status-Status} ${Package}, ${Provides}\n' |
        sed -n 's/^installed //p' | tr ',' '\n' | sed 's/^ *//; s/ .*//')
    for package in "$@"; do
        grep -Fxq -- "$package" <<<"$installed" || echo "$package"
    done
}

is_debian() {
    command -v dpkg-query >/dev/null
}

# Installs the packages that are named, where there are any.
get_packages() {
    [[ $# -gt 0 ]] || return 0
    if [[ $(id -u) -ne 0 ]]; then
        fail "system packages are missing; run this line, then the same command again:" \
            "sudo apt-get update && sudo apt-get install --yes --no-install-recommends $*"
    fi
    echo "setup: installing $*"
    apt-get update --quiet --quiet
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends "$@"
}

install_system_packages() {
    if ! is_debian; then
        echo "setup: this is not a Debian or Ubuntu; what Qt needs of the system is listed in tools/setup.sh" >&2
        return
    fi
    local wanted missing
    read -ra wanted <<<"$(python_packages)"
    # The environment without Qt needs nothing but Python.
    if grep -q '^pyside6' "$lock"; then
        wanted+=("${qt_packages[@]}")
    fi
    mapfile -t missing < <(missing_packages "${wanted[@]}")
    get_packages "${missing[@]}"
}

install_firmware_packages() {
    is_debian || fail "this is not a Debian or Ubuntu; what building and emulating the firmware needs is listed" \
        "in tools/setup.sh: install these packages' programs and headers, and run make -C firmware"
    local missing
    mapfile -t missing < <(missing_packages "${firmware_packages[@]}")
    get_packages "${missing[@]}"
}

say_what_firmware_misses() {
    local missing
    if ! is_debian; then
        echo "this is not a Debian or Ubuntu, whose packages the meter's firmware is built with"
        return
    fi
    mapfile -t missing < <(missing_packages "${firmware_packages[@]}")
    [[ ${#missing[@]} -eq 0 ]] || echo "packages of the system are missing: ${missing[*]}"
}

make_environment() {
    local stamp wanted python
    stamp=$venv/lock.sha256
    wanted=$(sha256sum <"$lock")
    if [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && "$venv/bin/python" -c '' 2>/dev/null; then
        return
    fi
    python=$(find_python)
    [[ -n $python ]] || fail "no Python 3.11 or newer was found; install one so that python3 is at least 3.11" \
        "(on Ubuntu 22.04: apt-get install python3.11 python3.11-venv)"
    echo "setup: making $venv from $lock with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check \
        --only-binary :all: --require-hashes --requirement "$lock"
    # Last, so that an interrupted set-up is begun again.
    echo "$wanted" >"$stamp"
}

case $1 in
--firmware) install_firmware_packages ;;
--firmware-missing) say_what_firmware_misses ;;
*)
    readonly venv=$1 lock=$2
    install_system_packages
    make_environment
    ;;
esac
