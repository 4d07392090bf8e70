"""Has 389-ds and OpenLDAP write LDIF, has pbm read it, and compares with what was meant.

ldif.py PBM FOLDER PORT
"""

import base64
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

PBM, FOLDER, PORT = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
SAMPLES = Path("/usr/share/dirsrv/data")
ROOT = "dc=example,dc=com"
FAILURES = []


def run(*command, code=0, text=None):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, input=text, timeout=300)
    if code is not None and done.returncode != code:
        sys.exit(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def check(what, is_right, told=""):
    print(f"{'ok' if is_right else 'NOT READ AS MEANT'}: {what}")
    if not is_right:
        FAILURES.append(what)
        print(told[-3000:])


class Dev:
    """A private 389-ds, prepared by pbm and served."""

    def __init__(self, name):
        self.data = FOLDER / name
        self.config = self.data / "pbm.toml"
        self.start()

    def start(self):
        with open(FOLDER / "dev.log", "w") as log:
            command = [PBM, "dev", "--data", self.data, "--listen", f"127.0.0.1:{PORT}", "--domain", "example.com", "--demo", "0"]
            self.process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        for _ in range(600):
            log = (FOLDER / "dev.log").read_text()
            if re.search("^pbm runs at", log, re.M):
                return
            if self.process.poll() is not None:
                sys.exit(f"pbm does not start:\n{log[-2000:]}")
            time.sleep(0.2)
        sys.exit("pbm does not start")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def url(self):
        return re.search(r'"(ldap://[^"]+)"', self.config.read_text()).group(1)

    def as_manager(self, program, *more, text=None):
        password = self.data / "389-ds" / "manager.password"
        return run(program, "-x", "-H", self.url(), "-D", "cn=Directory Manager", "-y", password, *more, text=text)

    def server(self, *arguments):
        """A command of 389-ds, while it does not run; 8 says that it has passed over an entry."""
        folder = next(path.parent for path in (self.data / "389-ds").glob("*/dse.ldif"))
        done = run("ns-slapd", arguments[0], "-D", folder, "-n", "userRoot", *arguments[1:], code=None)
        if done.returncode not in (0, 8):
            sys.exit(f"ns-slapd {arguments}: {done.returncode}\n{done.stdout}{done.stderr}")

    def pbm(self, command, file, *more):
        return run(PBM, command, file, "--config", self.config, *more, code=None)


def records(path):
    """The records of LDIF, unfolded."""
    text = re.sub(r"\n ", "", path.read_text("utf-8"))
    blocks = re.split(r"\n\s*\n", text)
    without = lambda block: "\n".join(line for line in block.split("\n") if line and not line.startswith("#"))
    return [block for block in map(without, blocks) if block.startswith("dn:")]


def changes(told):
    """The changes that `pbm diff` tells, but for entries that only the directory has."""
    blocks = re.sub(r"\n ", "", told).split("\n\n")
    return [block for block in blocks if "changetype:" in block and "changetype: delete" not in block]


def samples(a, b):
    """Loads each sample by 389-ds itself into one server, and by pbm into another, which must be the same then."""
    for name in ["Example", "Example-roles", "Example-views"]:
        sample, native = FOLDER / f"{name}.ldif", FOLDER / f"{name}-native.ldif"
        # A password in clear is hashed in another way each time.
        sample.write_text(re.sub(r"(?im)^userpassword:.*\n", "", (SAMPLES / f"{name}.ldif").read_text("utf-8")), "utf-8")
        a.server("ldif2db", "-i", SAMPLES / f"{name}.ldif")
        a.server("db2ldif", "-a", native)
        count = len(records(sample))
        restored = b.pbm("restore", sample, "--existing", "update")
        check(f"{name}.ldif of 389-ds: {count} entries restored", " 0 refused" in restored.stderr, restored.stderr)
        lines = re.sub(r"(?im)^userpassword::? .*\n", "", re.sub(r"\n ", "", native.read_text("utf-8")))
        native.write_text(lines, "utf-8")
        compared = b.pbm("diff", native)
        differences = changes(compared.stdout)
        check(f"{name}.ldif of 389-ds: as 389-ds has read it", not differences and "that can't be restored" in compared.stderr,
              "\n\n".join(differences) + compared.stderr)
        b.pbm("restore", FOLDER / "bare.ldif", "--existing", "update", "--mirror", "--yes")
    # Of other roots: read, and like themselves in UTF-16.
    for name in ["Ace", "European"]:
        sample, wide = SAMPLES / f"{name}.ldif", FOLDER / f"{name}-wide.ldif"
        wide.write_bytes(sample.read_text("utf-8").encode("utf-16"))
        compared = run(PBM, "diff", sample, wide, code=None)
        count = len(records(sample))
        check(f"{name}.ldif of 389-ds: {count} entries", compared.stderr.startswith(f"{count} the same, 0 different"), compared.stderr)


def replica(b):
    """What db2ldif writes of a replica is what pbm reads over LDAP."""
    escaped = ROOT.replace("=", r"\3D").replace(",", r"\2C")
    b.as_manager("ldapmodify", text=f"""dn: cn=replica,cn={escaped},cn=mapping tree,cn=config
changetype: add
objectClass: nsDS5Replica
nsDS5ReplicaRoot: {ROOT}
nsDS5ReplicaId: 7
nsDS5ReplicaType: 3
nsDS5Flags: 1
nsDS5ReplicaBindDN: cn=replication manager,cn=config

dn: cn=a,ou=CAB,{ROOT}
changetype: add
objectClass: inetOrgPerson
sn: x
title: one
title: two
description: gone
userPassword: Correct-Horse-7

dn: cn=a,ou=CAB,{ROOT}
changetype: modify
delete: title
title: one
-
delete: description
-
add: cn;lang-ru
cn;lang-ru:: {base64.b64encode('Анна'.encode()).decode()}
-
replace: userPassword
userPassword: Correct-Horse-8

dn: cn=gone,ou=CAB,{ROOT}
changetype: add
objectClass: person
sn: x

dn: cn=gone,ou=CAB,{ROOT}
changetype: delete

dn: cn=a,ou=CAB,{ROOT}
changetype: modrdn
newrdn: cn=b
deleteoldrdn: 1
""")
    saved, written = FOLDER / "saved.ldif", FOLDER / "replica.ldif"
    run(PBM, "backup", "--config", b.config, "--output", saved)
    b.stop()
    b.server("db2ldif", "-r", "-a", written)
    b.start()
    text = written.read_text("utf-8")
    check("db2ldif -r has written what replication needs", all(part in text for part in [";vucsn-", ";deleted", "nsTombstone"]))
    for one, other in [(saved, written), (written, saved)]:
        compared = run(PBM, "diff", one, other, code=None)
        check(f"db2ldif -r: {one.name} is {other.name}", compared.returncode == 0, compared.stdout + compared.stderr)
    tried = b.pbm("restore", written, "--dry-run")
    check("db2ldif -r: every entry is the same", "0 would be added, 0 would be updated" in tried.stderr
          and " 0 different, 0 refused" in tried.stderr, tried.stdout + tried.stderr)


MEANT = f"""dn: {ROOT}
objectClass: domain
dc: example

dn: ou=people,{ROOT}
objectClass: organizationalUnit
ou: people

dn: cn=plain,ou=people,{ROOT}
objectClass: inetOrgPerson
cn: plain
sn: x
userPassword: {{SSHA}}MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNA==
description: {'a long line ' * 30}.

dn: cn="a,b;c=d+e",ou=people,{ROOT}
objectClass: inetOrgPerson
cn: a,b;c=d+e
sn: Щукин
title: два слова
jpegPhoto:: {base64.b64encode(bytes(range(256)) * 5).decode()}
cn;lang-ru: Анна

dn: cn=unnamed,ou=people,{ROOT}
objectClass: inetOrgPerson
sn: x
description:: {base64.b64encode(b'blanks behind  ').decode()}

"""
REFERRAL = f"""dn: ou=elsewhere,{ROOT}
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:9/ou=x,dc=y

"""


def openldap(b):
    """What slapd's own programs write is what slapd was given."""
    folder = FOLDER / "slapd"
    (folder / "db").mkdir(parents=True)
    includes = "".join(f"include /etc/ldap/schema/{name}.schema\n" for name in ["core", "cosine", "inetorgperson"])
    config = folder / "slapd.conf"
    config.write_text(f"""{includes}modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
database mdb
suffix "{ROOT}"
directory {folder}/db
rootdn "cn=admin,{ROOT}"
rootpw secret
""")
    meant, whole = FOLDER / "meant.ldif", FOLDER / "whole.ldif"
    meant.write_text(MEANT, "utf-8")
    whole.write_text(MEANT + REFERRAL, "utf-8")
    run("slapadd", "-f", config, "-l", whole)
    catted = FOLDER / "slapcat.ldif"
    run("slapcat", "-f", config, "-l", catted)
    url = f"ldap://127.0.0.1:{PORT + 1}"
    slapd = subprocess.Popen(["slapd", "-f", config, "-h", url, "-d", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bound = ["-x", "-H", url, "-D", f"cn=admin,{ROOT}", "-w", "secret", "-b", ROOT]
    try:
        for _ in range(100):
            if run("ldapsearch", "-x", "-H", url, "-b", "", "-s", "base", code=None).returncode == 0:
                break
            time.sleep(0.1)
        # A search that meets a reference ends with success, and tells it.
        files = {catted: whole}
        for name, more, other in [("search", [], meant), ("bare", ["-LLL"], meant), ("managed", ["-M"], whole),
                                  ("unfolded", ["-LLL", "-o", "ldif-wrap=no"], meant)]:
            file = FOLDER / f"ldapsearch-{name}.ldif"
            file.write_text(run("ldapsearch", *bound, *more, "(objectClass=*)", "*", "+").stdout, "utf-8")
            files[file] = other
    finally:
        slapd.terminate()
        slapd.wait(60)
    check("ldapsearch tells of references", "\nref: " in (FOLDER / "ldapsearch-search.ldif").read_text("utf-8"))
    check("slapcat writes what slapd makes", "entryCSN" in catted.read_text("utf-8"))
    for file, other in files.items():
        compared = run(PBM, "diff", file, other, code=None)
        check(f"{file.name}: as slapd was given it", compared.returncode == 0, compared.stdout + compared.stderr)
        wide = FOLDER / "utf-16.ldif"
        wide.write_bytes(file.read_text("utf-8").replace("\n", "\r\n").encode("utf-16"))
        compared = run(PBM, "diff", wide, other, code=None)
        check(f"{file.name}: in UTF-16, as PowerShell keeps it", compared.returncode == 0, compared.stdout + compared.stderr)
    restored = b.pbm("restore", catted, "--existing", "update")
    check("slapcat.ldif is restored", " 0 refused" in restored.stderr, restored.stderr)
    again = b.pbm("restore", catted, "--dry-run", "--existing", "update")
    check("slapcat.ldif is the same then", "0 would be added, 0 would be updated" in again.stderr, again.stdout + again.stderr)


def main():
    b = Dev("b")
    run(PBM, "backup", "--config", b.config, "--output", FOLDER / "bare.ldif")
    b.stop()
    a = Dev("a")
    a.stop()
    b.start()
    try:
        samples(a, b)
        openldap(b)
        replica(b)
    finally:
        b.stop()
    print(f"{len(FAILURES)} not read as meant")
    sys.exit(bool(FAILURES))


main()
