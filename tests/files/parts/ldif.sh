#!/usr/bin/env bash
# LDIF that 389-ds and OpenLDAP write, and the sample directories that 389-ds comes with.
# Needs 389-ds-base, slapd, ldap-utils, python3. Environment: PBM, WORK, FILES_CHECK_PORT (18129) and the next port, for slapd.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
port=${FILES_CHECK_PORT:-18129}
PATH=$PATH:/usr/sbin:/sbin

for program in ns-slapd slapd slapadd slapcat ldapsearch ldapmodify python3; do
  command -v "$program" >/dev/null ||
    { echo "$program is needed (Debian: 389-ds-base, slapd, ldap-utils, python3)" >&2; exit 1; }
done
exec python3 "$here/ldif.py" "$PBM" "$WORK" "$port"
