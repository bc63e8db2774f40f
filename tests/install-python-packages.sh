#!/bin/sh
# install-python-packages.sh VENV LOCK... : makes the virtual environment and installs the locks into it.
set -eu

python=${PYTHON:-python3}
venv=$1
shift

fail() {
    echo "error: $*" >&2
    exit 1
}

if ! "$venv/bin/python" -c '' 2>/dev/null; then
    command -v "$python" >/dev/null || fail "'$python' was not found. Install Python 3.11 or later, or say make PYTHON=/path/to/python3"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or later is needed; '$python' is $("$python" -V 2>&1). Say make PYTHON=python3.11"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "'$python' has no venv module. On Debian: apt-get install python3-venv"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

for lock in "$@"; do
    set -- "$@" -r "$lock"
    shift
done

# Wheels first: nothing is built where every package has one. Bytecode is compiled when first needed.
"$venv/bin/python" -m pip install --quiet --no-compile --require-hashes --only-binary :all: "$@" ||
    "$venv/bin/python" -m pip install --quiet --no-compile --require-hashes "$@"

# hatchling is in the lock, so the editable installation downloads nothing.
"$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
