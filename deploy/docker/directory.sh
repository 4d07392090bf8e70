#!/bin/bash
# Runs 389-ds in the foreground, or checks its health. The first run creates the instance, with a back end on LMDB.
#
# `pbm init` never has to ask for a restart: the plug-in USN, which takes effect only at a start, is turned on here before
# the server is used, and all other plug-ins take effect at once (nsslapd-dynamic-plugins).
set -euo pipefail

readonly instance=pbm
readonly data=/data
readonly made=$data/made
readonly making=$data/making
# Files of one run: the lock, the socket, and for a moment the password.
readonly run_folder=/tmp/dirsrv
readonly port=3389
readonly manager="cn=Directory Manager"
readonly password_file=${MANAGER_PASSWORD_FILE:-/run/secrets/manager-password}
readonly suffix=${DIRECTORY_SUFFIX:-dc=example,dc=com}
# LMDB's file grows up to this many bytes; it takes no space in advance.
readonly database_size=${DIRECTORY_MAX_BYTES:-17179869184}
# Memory for the entry cache. With LMDB dscreate sets only half a megabyte.
readonly entry_cache=${DIRECTORY_CACHE_BYTES:-268435456}

# Prints the password without the line break that may end the file: the LDAP tools would take it for a part of the password.
password() {
  printf %s "$(<"$password_file")"
}

# Runs one of the LDAP tools, bound as the manager.
as_manager() {
  local tool=$1
  shift
  "$tool" -x -H "ldap://127.0.0.1:$port" -D "$manager" -y <(password) "$@"
}

# Input for dscreate. It contains the password, so it is written to a tmpfs only.
description() {
  local password
  password=$(password)
  cat <<END
[general]
full_machine_name = localhost
strict_host_checking = False
selinux = False
systemd = False

[slapd]
instance_name = $instance
user = dirsrv
group = dirsrv
root_dn = $manager
root_password = ${password//%/%%}
port = $port
self_sign_cert = False
db_lib = mdb
db_dir = $data/db
db_home_dir = $data/db
backup_dir = $data/bak
ldif_dir = $data/ldif
log_dir = $data/logs
inst_dir = $data
local_state_dir = $data
run_dir = $run_folder
lock_dir = $run_folder/lock
ldapi = $run_folder/ldapi

[backend-userRoot]
suffix = $suffix
END
}

# Settings that take effect at the next start.
settings() {
  cat <<END
dn: cn=config
changetype: modify
replace: nsslapd-threadnumber
nsslapd-threadnumber: 32
-
replace: nsslapd-dynamic-plugins
nsslapd-dynamic-plugins: on

dn: cn=USN,cn=plugins,cn=config
changetype: modify
replace: nsslapd-pluginEnabled
nsslapd-pluginEnabled: on

dn: cn=mdb,cn=config,cn=ldbm database,cn=plugins,cn=config
changetype: modify
replace: nsslapd-mdb-max-size
nsslapd-mdb-max-size: $database_size
-
replace: nsslapd-mdb-max-readers
nsslapd-mdb-max-readers: 512

dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config
changetype: modify
replace: nsslapd-cachememsize
nsslapd-cachememsize: $entry_cache
-
replace: nsslapd-dncachememsize
nsslapd-dncachememsize: 33554432
END
}

# Creates the instance. An interrupted creation is started over; a volume with other files is left alone.
make() {
  if [[ ! -e $making && -n $(ls -A "$data") ]]; then
    echo "$data holds something that was not made here; nothing was changed. Give the service an empty volume." >&2
    exit 1
  fi
  echo "making the instance for $suffix"
  touch "$making"
  find "$data" -mindepth 1 ! -path "$making" -delete
  mkdir -m 0700 "$data/config"
  description >"$run_folder/description.inf"
  dscreate from-file "$run_folder/description.inf"
  rm "$run_folder/description.inf"
  settings | as_manager ldapmodify
  dsctl "$instance" stop
  touch "$made"
  rm "$making"
}

run() {
  umask 077
  # The server does not start while a file in this folder names the process id of any live process.
  rm -rf "$run_folder"
  mkdir -p "$run_folder/lock"
  [[ -e $made ]] || make
  # 266354688 is the server's default level; giving it here makes the log also go to stderr.
  exec ns-slapd -D "/etc/dirsrv/slapd-$instance" -i "$run_folder/slapd-$instance.pid" -d 266354688
}

# Binds as the manager, and checks that the back end is served. The server that answers while the instance is being created is
# about to be stopped, so it does not count.
health() {
  local found
  [[ -e $made ]] || { echo "the instance is being made" >&2; exit 1; }
  found=$(as_manager ldapsearch -LLL -o nettimeout=5 -o ldif-wrap=no -l 5 -b "" -s base namingContexts)
  grep --quiet --ignore-case --fixed-strings --line-regexp "namingContexts: $suffix" <<<"$found" || { echo "the back end for $suffix is not there" >&2; exit 1; }
}

case ${1:-run} in
run | health) "${1:-run}" ;;
*)
  echo "usage: directory run|health" >&2
  exit 2
  ;;
esac
