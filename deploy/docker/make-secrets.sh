#!/usr/bin/env bash
# Makes the secrets of docker-compose.yml in var/docker: random ones, each only where there is none yet.
#
# The folder is its owner's alone. The files in it are readable by all, since Docker mounts them into containers as they
# are, where other users read them.
set -euo pipefail
cd "$(dirname "$0")/../.."
umask 077
mkdir -p var/docker var/dev
chmod 0700 var/docker

# $1 bytes in hexadecimal digits.
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

# The administrator's password is also where `make run` has it, so that the lines of README.md work as they are.
admin=var/dev/admin-password
if [[ ! -e var/docker/admin-password ]]; then
  if [[ -e $admin ]]; then tr -d '\n' <"$admin"; else random 12; fi | secret admin-password
fi
[[ -e $admin ]] || cat var/docker/admin-password >"$admin"
[[ $(<"$admin") == "$(<var/docker/admin-password)" ]] ||
  echo "$admin is that of another installation; with Docker the password is in var/docker/admin-password" >&2
