#!/usr/bin/env bash
# Checks the API's document with public checkers, and then the API's responses against the document, with schemathesis
# on a `pbm` of its own. Needs python3 with venv, npx and curl; installs the checkers in a folder that is kept.
# Environment: PBM (the program), API_CHECK_SECONDS (of schemathesis, 300), API_CHECK_PORT (first of two, 18123).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")

pbm=${PBM:-${CARGO_TARGET_DIR:-$root/target}/debug/pbm}
seconds=${API_CHECK_SECONDS:-300}
port=${API_CHECK_PORT:-18123}
tools=${API_CHECK_TOOLS:-$root/var/api-check}
checks=not_a_server_error,status_code_conformance,content_type_conformance
checks+=,response_headers_conformance,response_schema_conformance

for program in "$pbm" python3 npx curl; do
  command -v "$program" >/dev/null || { echo "$program is needed (Debian: python3-venv, npm, curl)" >&2; exit 1; }
done
pbm=$(realpath "$(command -v "$pbm")")
tools=$(realpath -m "$tools")
[ -x "$tools/bin/schemathesis" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet 'openapi-spec-validator>=0.7' 'schemathesis>=4,<5'

# The checkers write caches and reports into the current folder.
work=$(mktemp -d)
cd "$work"
pids=()
stop() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap stop EXIT

ready() {
  for _ in $(seq 300); do
    curl --silent --fail --output /dev/null "http://127.0.0.1:$1/health/ready" && return
    sleep 0.2
  done
  echo "pbm does not start:" >&2
  tail -n 20 "$work"/*.log >&2
  exit 1
}

# The directory and some people, and a second pbm that needs no token from here.
"$pbm" dev --data "$work/data" --listen "127.0.0.1:$((port + 1))" --demo 20 >"$work/dev.log" 2>&1 &
pids+=($!)
ready $((port + 1))
sed -e "s/:$((port + 1))\"/:$port\"/" -e 's|^\[auth\]|&\nallowed_subnets = ["127.0.0.1/32"]|' "$work/data/pbm.toml" \
  >"$work/check.toml"
"$pbm" serve --config "$work/check.toml" >"$work/serve.log" 2>&1 &
pids+=($!)
ready "$port"

url=http://127.0.0.1:$port
put() { curl --silent --show-error --fail --output /dev/null -X PUT "$url$1" "${@:2}"; }
put /v2/tenants/acme -d domain=acme.example
put /v2/resourcegroups/acme/Rooms
put /v2/resources/acme/Rooms/room@acme.example -d displayName=Room
for name in anna boris; do
  put "/v2/users/acme/$name@acme.example" -d "userPassword=Correct-Horse-7&employeeNumber=2&cn=$name&sn=Tester"
done

curl --silent --fail "$url/openapi.json" | python3 -m json.tool --no-ensure-ascii >"$work/openapi.json"
"$tools/bin/openapi-spec-validator" "$work/openapi.json"
npx --yes @redocly/cli@2 lint --max-problems 50 "$work/openapi.json" 2>&1 | tee "$work/redocly.log"
! grep -q 'You have .* warning' "$work/redocly.log"

# No mail server and no source is set up here, and their requests say so by 503.
for operation in 'POST /v2/actions' 'POST /v2/actions/cabsync' 'POST /v2/actions/cabsync/{tenant}/ad' \
  'POST /v2/actions/groupsync/{tenant}/ad'; do
  printf '[[operations]]\ninclude-name = "%s"\nchecks.not_a_server_error.expected-statuses = ["2xx", "4xx", "503"]\n' \
    "$operation"
done >"$work/schemathesis.toml"

SCHEMATHESIS_HOOKS=hooks PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 "$tools/bin/schemathesis" run "$url/openapi.json" \
  --checks "$checks" --continue-on-failure --max-time "$seconds"
! grep '"level":"ERROR"' "$work/serve.log"
echo "The document is valid, and the API keeps to it."
