#!/usr/bin/env bash
# Reads a stand-in of Bitrix24 with two independent clients and with our reader, and compares them: see README.md.
# Needs python3 with venv.
# Environment: BITRIX24_CHECK_EXAMPLES (the folder of the programs), BITRIX24_CHECK_PORT (18224) and
# BITRIX24_CHECK_PEOPLE (10000).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")

examples=${BITRIX24_CHECK_EXAMPLES:-${CARGO_TARGET_DIR:-$root/target}/debug/examples}
port=${BITRIX24_CHECK_PORT:-18224}
people=${BITRIX24_CHECK_PEOPLE:-10000}

for program in python3 "$examples/bitrix24_portal" "$examples/bitrix24_json"; do
  command -v "$program" >/dev/null || { echo "$program is needed: see make bitrix24-check" >&2; exit 1; }
done

work=$(mktemp -d)
portal=
stop() {
  [ -z "$portal" ] || kill "$portal" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap stop EXIT

# A portal of its own for each client, because each has a full bucket of requests then.
start() {
  [ -z "$portal" ] || { kill "$portal"; wait "$portal" || true; }
  "$examples/bitrix24_portal" "$port" "$people" "$work/portal.pem" >"$work/portal" 2>"$work/portal.log" &
  portal=$!
  for _ in $(seq 100); do
    [ -s "$work/portal" ] && break
    kill -0 "$portal" 2>/dev/null || { cat "$work/portal.log" >&2; exit 1; }
    sleep 0.1
  done
  read -r url user code <"$work/portal"
}

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'b24pysdk==1.3.2' 'fast-bitrix24==1.8.14'
check() {
  "$work/venv/bin/python" "$here/check.py" "$@"
}

start
echo "our reader"
time "$examples/bitrix24_json" "$url" "$user" "$work/portal.pem" <<<"$code" >"$work/people.ndjson"
for client in b24pysdk fast_bitrix24; do
  start
  check "$client" "$url" "$user/$code" "$work/portal.pem" "$work/people.ndjson"
done
