#!/bin/sh
# Says what a machine lacks before an installation fails on it half way.
set -eu
fail() { printf '\n%s\n' "$1" >&2; exit 1; }

command -v python3 >/dev/null || fail "python3 is missing: install Python 3.10 or newer."
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "python3 is $(python3 --version 2>&1), but 3.10 or newer is needed."
if ! command -v uv >/dev/null; then
    python3 -c 'import ensurepip, venv' 2>/dev/null ||
        fail "python3 has no venv module: install it (Debian, Ubuntu: apt install python3-venv), or install uv."
fi
command -v cc >/dev/null ||
    fail "a C compiler is missing, which AWS's training toolkit needs: install gcc (Debian: build-essential) or Xcode's tools."
free_kb=$(df -Pk . | awk 'NR == 2 {print $4}')
[ "$free_kb" -gt 4000000 ] ||
    fail "$((free_kb / 1000)) MB are free in $(pwd), but the environments and the state need 4 GB."
