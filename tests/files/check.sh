#!/usr/bin/env bash
# Reads files that other programs have written, and compares them with the expected values: see README.md. Each part is
# a script in parts/, which gets a folder of its own and prints its results to stdout. Runs the named parts, or all of
# them.
# Environment: PBM (the program).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
export PBM=${PBM:-${CARGO_TARGET_DIR:-$root/target}/debug/pbm}

[ -x "$PBM" ] || { echo "$PBM is needed: cargo build -p server" >&2; exit 1; }
parts=("$@")
[ $# -gt 0 ] || parts=("$here"/parts/*.sh)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for part in "${parts[@]}"; do
  name=$(basename "$part" .sh)
  echo "== $name"
  mkdir "$work/$name"
  WORK=$work/$name bash "$here/parts/$name.sh"
done
