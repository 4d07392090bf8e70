#!/usr/bin/env python3
"""Random entries through our LDIF writer and python-ldap's reader, and the other way round; all must come out as they went in.

check.py LDIF_JSON WORK [ENTRIES [SEED]]

LDIF_JSON is the program of crates/ldap-text/examples, WORK a folder for files, ENTRIES how many there are (10,000; and
a fifth as many modifications). Names are compared as libldap reads them. Ends with 1 where something differs, and says what.
"""

import base64
import json
import random
import string
import subprocess
import sys

import ldap
import ldap.dn
import ldif

CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"
HARD = " :<#=+,;\\\"\t-" + "\x7f\x1b"
KINDS = {"add": ldap.MOD_ADD, "delete": ldap.MOD_DELETE, "replace": ldap.MOD_REPLACE}


class Samples:
    """Random names and values, far more of what is hard than there is in a directory."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, alphabet, most):
        return "".join(self.random.choices(alphabet, k=self.random.randint(1, most)))

    def value(self):
        pick = self.random
        plain = string.ascii_letters + string.digits + " .,@-()"
        return pick.choice(
            [
                lambda: b"",
                lambda: bytes([pick.randrange(256)]),
                lambda: pick.randbytes(pick.randint(1, 60)),
                lambda: self.text(plain, 60).encode(),
                lambda: self.text(plain, 300).encode(),
                lambda: self.text(CYRILLIC + " ", 200).encode(),
                lambda: self.text(HARD, 10).encode() + self.text(plain, 10).encode() + self.text(HARD, 3).encode(),
                lambda: pick.choice([" ", "  ", ":", "<", ":<", "::", "#", "-"]).encode() + self.text(plain, 80).encode(),
                lambda: self.text(plain, 80).encode() + pick.choice([" ", "  ", "\n", "\r\n", "\0"]).encode(),
                lambda: "\n ".join([self.text(plain, 30), "dn: cn=x", "", "- "]).encode(),
                lambda: ("😀" * pick.randint(1, 60)).encode(),
                # Around the length at which a line is folded.
                lambda: b"a" * pick.randint(60, 80),
                lambda: pick.randbytes(pick.randint(2000, 5000)) if pick.random() < 0.1 else b"x" * pick.randint(2000, 5000),
            ]
        )()

    def values(self, least):
        return list(dict.fromkeys(self.value() for _ in range(self.random.randint(least, 4))))

    def name(self):
        """An attribute's name. None of LDIF's own words starts with an x."""
        options = "".join(f";{self.text(string.ascii_lowercase + '-', 5)}" for _ in range(self.random.choice([0, 0, 0, 1, 2])))
        if self.random.random() < 0.1:
            return "1.3.6.1." + str(self.random.randint(1, 999999)) + options
        return "x" + self.text(string.ascii_letters + string.digits + "-", 40 if self.random.random() < 0.1 else 8) + options

    def dn(self):
        """A name. python-ldap reads none with an empty value."""
        alphabet = self.random.choice([string.ascii_letters + "  ", CYRILLIC + " ", string.ascii_letters + HARD + "\n"])
        rdns = []
        for _ in range(self.random.randint(1, 5)):
            names = self.random.sample(["cn", "uid", "mail", "ou", "2.5.4.3"], self.random.choice([1, 1, 1, 1, 2]))
            rdns.append("+".join(f"{name}={self.escaped(self.text(alphabet, 15))}" for name in names))
        return ",".join(rdns)

    def escaped(self, value):
        """A value of a name, with one of the two escapes of RFC 4514 for what needs one."""

        def one(index, character):
            special = character in '\\",+;<>' or (character in " #" and index == 0) or (character == " " and index == len(value) - 1)
            if not special and character.isprintable():
                return character
            if special and self.random.random() < 0.5:
                return "\\" + character
            return "".join(f"\\{byte:02x}" for byte in character.encode())

        return "".join(one(index, character) for index, character in enumerate(value))

    def entry(self):
        names = {name.lower(): name for name in (self.name() for _ in range(self.random.randint(1, 12)))}
        return self.dn(), {name: self.values(1) for name in names.values()}

    def modification(self):
        steps = []
        for _ in range(self.random.randint(1, 4)):
            kind = self.random.choice(list(KINDS))
            steps.append((kind, self.name(), self.values(1 if kind == "add" else 0)))
        return self.dn(), steps


def encoded(values):
    return [base64.b64encode(value).decode() for value in values]


def decoded(values):
    return [base64.b64decode(value, validate=True) for value in values]


def ours(program, mode, source, target):
    with open(source, "rb") as input, open(target, "wb") as output:
        subprocess.run([program, mode], stdin=input, stdout=output, check=True)


def to_json(path, entries, modifications):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for dn, entry in entries:
            line = {"dn": dn, "entry": {name: encoded(values) for name, values in entry.items()}}
            print(json.dumps(line, ensure_ascii=False), file=file)
        for dn, steps in modifications:
            line = {"dn": dn, "modify": [(kind, name, encoded(values)) for kind, name, values in steps]}
            print(json.dumps(line, ensure_ascii=False), file=file)


def of_json(path):
    entries, modifications = [], []
    with open(path, encoding="utf-8", newline="\n") as file:
        for line in file:
            line = json.loads(line)
            if "entry" in line:
                entries.append((line["dn"], {name: decoded(values) for name, values in line["entry"].items()}))
            else:
                steps = [(kind, name, decoded(values)) for kind, name, values in line["modify"]]
                modifications.append((line["dn"], steps))
    return entries, modifications


def entries_by_python(path, text):
    with open(path, encoding="utf-8", newline="\n") if text else open(path, "rb") as file:
        records = ldif.LDIFRecordList(file)
        records.parse_entry_records()
    return records.all_records


def modifications_by_python(path):
    words = {number: word for word, number in KINDS.items()}
    with open(path, "rb") as file:
        records = ldif.LDIFRecordList(file)
        records.parse_change_records()
    changes = records.all_modify_changes
    return [(dn, [(words[kind], name, values or []) for kind, name, values in steps]) for dn, steps, _ in changes]


def written_by_python(path, entries, modifications, **settings):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = ldif.LDIFWriter(file, **settings)
        for dn, entry in entries:
            writer.unparse(dn, entry)
        for dn, steps in modifications:
            writer.unparse(dn, [(KINDS[kind], name, values) for kind, name, values in steps])


def parts(dn):
    """A name as libldap reads it, less its remarks on how it is spelled."""
    return [[(name, value) for name, value, _ in rdn] for rdn in ldap.dn.str2dn(dn)]


def differences(what, found, expected):
    if len(found) != len(expected):
        yield f"{what}: {len(found)} records instead of {len(expected)}"
    for number, ((found_dn, found_rest), (dn, rest)) in enumerate(zip(found, expected), 1):
        if parts(found_dn) != parts(dn):
            yield f"{what}: record {number}: name {found_dn!r} instead of {dn!r}"
        if found_rest != rest:
            yield f"{what}: record {number}: {found_rest!r} instead of {rest!r}"


def lines_of(path):
    """Complaints about lines: their length, and characters that stand nowhere in LDIF."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            line = line.removesuffix(b"\n")
            if len(line) > 76 or not line.isascii() or b"\r" in line or b"\0" in line:
                yield f"line {number} is {line!r}"


def main():
    program, work = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 10_000
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 32)
    print(f"seed {seed}")
    samples = Samples(seed)
    entries = [samples.entry() for _ in range(count)]
    modifications = [samples.modification() for _ in range(count // 5)]
    json_file, ldif_file = f"{work}/records.json", f"{work}/records.ldif"
    wrong = []

    for mode in ("write", "write-for-people"):
        to_json(json_file, entries, [])
        ours(program, mode, json_file, ldif_file)
        if mode == "write":
            wrong += lines_of(ldif_file)
        wrong += differences(f"{mode}, python-ldap", entries_by_python(ldif_file, text=False), entries)
        wrong += differences(f"{mode}, python-ldap of text", entries_by_python(ldif_file, text=True), entries)
    to_json(json_file, [], modifications)
    ours(program, "write", json_file, ldif_file)
    wrong += differences("modifications, python-ldap", modifications_by_python(ldif_file), modifications)

    for settings in ({}, {"cols": 20}, {"line_sep": "\r\n"}, {"cols": 1000, "base64_attrs": ["x"]}):
        written_by_python(ldif_file, entries, modifications, **settings)
        ours(program, "read", ldif_file, json_file)
        found = of_json(json_file)
        wrong += differences(f"python-ldap {settings}, read by us", found[0], entries)
        wrong += differences(f"python-ldap {settings}, modifications read by us", found[1], modifications)

    for line in wrong[:20]:
        print(line[:1000], file=sys.stderr)
    if wrong:
        sys.exit(f"{len(wrong)} difference(s)")
    values = sum(len(values) for _, entry in entries for values in entry.values())
    print(
        f"{len(entries)} entries with {values} values and {len(modifications)} modifications: "
        f"python-ldap {ldap.__version__} reads what we write, and we read what it writes."
    )


if __name__ == "__main__":
    main()
