#!/usr/bin/env bash
# Reads the vCards of an export with two independent parsers, and compares them with the JSON of the same contacts: see
# README.md.
# Without PBM_URL it starts a `pbm` of its own, filled with names that are difficult to encode. Needs python3 with venv,
# curl, and for a pbm of its own ldap-utils.
# Environment: PBM_URL, PBM_TOKEN and PBM_TENANT (an existing installation; without a token from an allowed subnet), or
# PBM (the program) and VCARD_CHECK_PORT (18127).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")

pbm=${PBM:-${CARGO_TARGET_DIR:-$root/target}/debug/pbm}
port=${VCARD_CHECK_PORT:-18127}
url=${PBM_URL:-}
tenant=${PBM_TENANT:-default}
token=${PBM_TOKEN:-}

needed=(python3 curl)
[ -n "$url" ] || needed+=("$pbm" ldapmodify)
for program in "${needed[@]}"; do
  command -v "$program" >/dev/null || { echo "$program is needed (Debian: python3-venv, curl, ldap-utils)" >&2; exit 1; }
done

work=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap stop EXIT

request() {
  curl --silent --show-error --fail-with-body ${token:+--header "Authorization: Bearer $token"} "$@"
}

change() {
  request --output "$work/answer" "$@" || { cat "$work/answer" >&2; exit 1; }
}

start() {
  "$pbm" dev --data "$work/data" --listen "127.0.0.1:$port" --domain acme.example --demo 200 >"$work/dev.log" 2>&1 &
  server=$!
  for _ in $(seq 300); do
    grep -q '^pbm runs at' "$work/dev.log" && curl --silent --fail --output /dev/null "$url/health/ready" && return
    kill -0 "$server" 2>/dev/null || break
    sleep 0.2
  done
  echo "pbm does not start:" >&2
  tail -n 20 "$work/dev.log" >&2
  exit 1
}

# Names that are difficult to encode. The API allows no line break in a name, so those are set by ldapmodify.
fill() {
  local users=$url/v2/users/$tenant user=mail=hard@acme.example,ou=$tenant,ou=People,dc=acme,dc=example
  local hard='Белых; Анна, \ "мл." 🎉'
  for name in hard long; do
    change -X PUT "$users/$name@acme.example" -d employeeNumber=2 -d userPassword=Correct-Horse-7 \
      --data-urlencode "cn=$hard" --data-urlencode "sn=О'Нил;,\\\\" --data-urlencode "displayName=$hard" \
      --data-urlencode "ou=Отдел; сбыт, продажи" --data-urlencode "title=инженер \\n \\; \\," \
      --data-urlencode "telephoneNumber=+7 (495) 000-00-00, 000-00-01" --data-urlencode "mobile=+7 900 000-00-02" --data-urlencode "l=Москва; ЮЗАО" \
      --data-urlencode "description=$(printf 'одна, строка\nдругая; строка\n\nтретья\\\tстрока')"
  done
  change -X PATCH "$users/long@acme.example" \
    --data-urlencode "description=$(printf 'строка; 🎉, \n%.0s' $(seq 100))"
  change -X PUT "$url/v2/resourcegroups/$tenant/Rooms"
  change -X PUT "$url/v2/resources/$tenant/Rooms/room@acme.example" \
    --data-urlencode 'displayName=Комната; большая, вторая'
  change -X POST "$url/v2/maillists" -d "tenant-id=$tenant" -d mail=list@acme.example -d alias=hard@acme.example \
    --data-urlencode 'displayName=Все; кто, здесь'
  encoded() { printf '%s:: %s\n' "$1" "$(printf "$2" | base64 --wrap=0)"; }
  {
    printf 'dn: %s\nchangetype: modify\nreplace: displayName\n' "$user"
    encoded displayName 'Белых,\r\nАнна;\nвторая\rтретья\tчетвёртая\001'
    printf -- '-\nreplace: sn\n'
    encoded sn 'Белых\nЧёрных'
  } | ldapmodify -x -H "$(sed -n 's/^directory *\([^ ]*\) .*/\1/p' "$work/dev.log")" -D 'cn=Directory Manager' \
    -y <(printf %s "$(cat "$(sed -n "s/.*Directory Manager's password in \(.*\))$/\1/p" "$work/dev.log")")") >/dev/null
}

if [ -z "$url" ]; then
  url=http://127.0.0.1:$port
  start
  token=$(curl --silent --show-error --fail "$url/v2/auth" -d login=admin@acme.example \
    --data-urlencode "password=$(cat "$work/data/admin-password")" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
  fill
fi

for format in vcard json; do
  request --output "$work/contacts.$format" "$url/v2/addressbook/$tenant/export?format=$format&view=all"
done
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'vobject>=0.9.9,<1' 'icalendar>=7.3,<8'
"$work/venv/bin/python" "$here/check.py" "$work/contacts.vcard" "$work/contacts.json"
