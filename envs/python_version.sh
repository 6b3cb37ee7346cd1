#!/bin/sh
# Checks the Python that make builds environments with, before anything is installed: sh envs/python_version.sh python3
python=${1:?the interpreter}
least=$(sed -n 's/^requires-python = ">=\([0-9.]*\)"$/\1/p' "$(dirname "$0")/../pyproject.toml")
refuse() {
    echo "Error: PYTHON=$python: found $1; expected Python $least or later with venv. $2" >&2
    exit 1
}
command -v "$python" >/dev/null || refuse "no such program" "Name one, for example: make PYTHON=python$least"
version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || refuse "a program that is no Python" "Name one."
"$python" -c "import sys; sys.exit(sys.version_info < ($(echo "$least" | tr . ,)))" ||
    refuse "Python $version" "Install a later one, and name it: make PYTHON=python$least"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    refuse "Python $version without venv" "On Debian and Ubuntu: apt-get install python3-venv"
