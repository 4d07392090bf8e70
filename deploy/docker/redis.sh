#!/bin/bash
# Runs Redis in the foreground, or checks its health. The password comes from a file and is on no command line:
# Redis reads its configuration from standard input.
set -euo pipefail

password=$(<"${REDIS_PASSWORD_FILE:-/run/secrets/redis-password}")

case ${1:-run} in
run)
  # Redis holds only a copy of data in the directory, so nothing is saved. When it is full it refuses writes;
  # with an eviction policy pbm would rebuild the copy again and again.
  exec redis-server - <<END
bind * -::*
port 6379
dir /
save ""
appendonly no
maxmemory ${REDIS_MAXMEMORY:-512mb}
maxmemory-policy noeviction
requirepass $password
END
  ;;
health)
  answer=$(REDISCLI_AUTH=$password redis-cli -h 127.0.0.1 -p 6379 PING)
  [[ $answer == PONG ]] || { echo "Redis answers: $answer" >&2; exit 1; }
  ;;
*)
  echo "usage: redis run|health" >&2
  exit 2
  ;;
esac
