#!/usr/bin/env bash
# Tables that LibreOffice saves, in every encoding and with every separator that it offers.
# Needs libreoffice-calc-nogui, python3, curl. Environment: PBM, WORK, and FILES_CHECK_PORT (18129).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${FILES_CHECK_PORT:-18129}
url=http://127.0.0.1:$port

for program in soffice python3 curl; do
  command -v "$program" >/dev/null ||
    { echo "$program is needed (Debian: libreoffice-calc-nogui, python3, curl)" >&2; exit 1; }
done

server=
stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  wait
}
trap stop EXIT

"$PBM" dev --data "$WORK/data" --listen "127.0.0.1:$port" --domain acme.example --demo 1 >"$WORK/dev.log" 2>&1 &
server=$!
for _ in $(seq 600); do
  grep -q '^pbm runs at' "$WORK/dev.log" && curl --silent --fail --output /dev/null "$url/health/ready" && break
  kill -0 "$server" 2>/dev/null || { echo "pbm does not start:" >&2; tail -n 20 "$WORK/dev.log" >&2; exit 1; }
  sleep 0.2
done
token=$(curl --silent --show-error --fail "$url/v2/auth" -d login=admin@acme.example \
  --data-urlencode "password=$(cat "$WORK/data/admin-password")" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
python3 "$here/tables.py" "$url" "$token" "$WORK" || { tail -n 5 "$WORK/dev.log" >&2; exit 1; }
