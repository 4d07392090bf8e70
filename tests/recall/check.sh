#!/usr/bin/env bash
# Recalls messages from a real Dovecot, and looks at the boxes with imapclient: see README.md.
# Starts a `pbm dev` and a Dovecot of its own. Needs python3 with venv, curl, dovecot-core, dovecot-imapd.
# Environment: PBM (the program), DOVECOT (the example of the crate sandbox) and RECALL_CHECK_PORT (18128, and the next one).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")

target=${CARGO_TARGET_DIR:-$root/target}/debug
pbm=${PBM:-$target/pbm}
dovecot=${DOVECOT:-$target/examples/dovecot}
port=${RECALL_CHECK_PORT:-18128}
url=http://127.0.0.1:$port
admin=admin@acme.example
user=ivan.recall@acme.example
password=Correct-Horse-7

for program in python3 curl "$pbm" "$dovecot"; do
  command -v "$program" >/dev/null || { echo "$program is needed (Debian: python3-venv, curl)" >&2; exit 1; }
done

work=$(mktemp -d)
servers=()
stop() {
  [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
  exec 3>&- || true
  wait
  rm -rf "$work"
}
trap stop EXIT

# Dovecot ends with the input that this script holds open.
mkfifo "$work/input"
"$dovecot" "$work/dovecot" "$password" "$admin" "$user" <"$work/input" >"$work/dovecot.out" 2>"$work/dovecot.log" &
exec 3>"$work/input"
for _ in $(seq 100); do
  [ "$(wc -l <"$work/dovecot.out")" -ge 3 ] && break
  sleep 0.1
done
{ read -r imap; read -r doveadm; read -r secret; } <"$work/dovecot.out" || { cat "$work/dovecot.log" >&2; exit 1; }

# Waits until a process answers at a URL: wait_for PID URL LOG.
wait_for() {
  for _ in $(seq 300); do
    curl --silent --fail --output /dev/null "$2/health/ready" && return
    kill -0 "$1" 2>/dev/null || break
    sleep 0.2
  done
  echo "pbm does not start:" >&2
  tail -n 20 "$3" >&2
  exit 1
}

# `pbm dev` has no mail server; a second process on its directory has one.
"$pbm" dev --data "$work/data" --listen "127.0.0.1:$((port + 1))" --domain acme.example --demo 5 >"$work/dev.log" 2>&1 3>&- &
servers+=($!)
wait_for "$!" "http://127.0.0.1:$((port + 1))" "$work/dev.log"
PBM_HTTP__LISTEN=127.0.0.1:$port PBM_DOVEADM__URL=$doveadm PBM_DOVEADM__PASSWORD_FILE=$secret \
  "$pbm" serve --config "$work/data/pbm.toml" >"$work/serve.log" 2>&1 3>&- &
servers+=($!)
wait_for "$!" "$url" "$work/serve.log"

token=$(curl --silent --show-error --fail "$url/v2/auth" -d login="$admin" \
  --data-urlencode "password=$(cat "$work/data/admin-password")" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
curl --silent --show-error --fail-with-body -X PUT "$url/v2/users/default/$user" --header "Authorization: Bearer $token" \
  -d employeeNumber=2 -d userPassword="$password" -d cn=Ivan -d sn=Recall >/dev/null

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'imapclient>=4.1,<5'
"$work/venv/bin/python" "$here/check.py" "$url" "$imap" "$password" "$token" "$admin" "$user"
