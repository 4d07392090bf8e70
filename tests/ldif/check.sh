#!/usr/bin/env bash
# Reads our LDIF with python-ldap, and its LDIF with ours, over random entries: see README.md.
# Needs python3 with venv, and the build dependencies of python-ldap: gcc, python3-dev, libldap-dev, libsasl2-dev.
# Environment: LDIF_JSON (the program of crates/ldap-text/examples), ENTRIES (10000), SEED (random).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
program=${LDIF_JSON:-${CARGO_TARGET_DIR:-$root/target}/debug/examples/ldif_json}

for needed in python3 gcc "$program"; do
  command -v "$needed" >/dev/null ||
    { echo "$needed is needed (Debian: python3-venv, python3-dev, gcc, libldap-dev, libsasl2-dev)" >&2; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'python-ldap>=3.4.8,<4'
"$work/venv/bin/python" "$here/check.py" "$program" "$work" "${ENTRIES:-10000}" ${SEED:+"$SEED"}
