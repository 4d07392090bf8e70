#!/usr/bin/env bash
# Creates the secrets of docker-compose.yml in var/docker: random values, each only if the file does not exist yet.
#
# Only the owner can access the folder. The files in it are readable by all, because Docker mounts them into containers with
# their modes, and other users read them there.
set -euo pipefail
cd "$(dirname "$0")/../.."
umask 077
mkdir -p var/docker var/dev
chmod 0700 var/docker

# Prints $1 random bytes in hexadecimal digits.
random() {
  od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'
}

# Writes standard input into var/docker/$1, whole or not at all.
secret() {
  cat >"var/docker/.$1"
  chmod 0444 "var/docker/.$1"
  mv "var/docker/.$1" "var/docker/$1"
  echo "made var/docker/$1"
}

for name in manager-password ldap-password backup-password redis-password token-key; do
  [[ -e var/docker/$name ]] || random 32 | secret "$name"
done

# The administrator's password is also stored where `make run` stores it, so that the commands of README.md work unchanged.
admin=var/dev/admin-password
if [[ ! -e var/docker/admin-password ]]; then
  if [[ -e $admin ]]; then tr -d '\n' <"$admin"; else random 12; fi | secret admin-password
fi
[[ -e $admin ]] || cat var/docker/admin-password >"$admin"
[[ $(<"$admin") == "$(<var/docker/admin-password)" ]] ||
  echo "$admin is that of another installation; with Docker the password is in var/docker/admin-password" >&2
