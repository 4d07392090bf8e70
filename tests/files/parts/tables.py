"""Has LibreOffice save tables, imports each, and compares the users with what stands in the spreadsheet.

tables.py URL TOKEN FOLDER
"""

import json
import subprocess
import sys
import unicodedata
import urllib.error
import urllib.request
from pathlib import Path
from xml.sax.saxutils import escape

URL, TOKEN, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])
DOMAIN = "acme.example"
FIELDS = ["mail", "cn", "sn", "title", "telephoneNumber", "description"]

# What LibreOffice calls an encoding (rtl/textenc.h), what Python and the Encoding Standard do (none: not in it), whether
# pbm finds it out by itself, and names that it can write.
RUSSIAN = [("Пётр", "Щукин"), ("Анна-Мария", "Белых"), ("Юлия", "Эрнст")]
WESTERN = [("José", "Peña"), ("François", "Lefèvre"), ("Jürgen", "Weiß")]
POLISH = [("Łukasz", "Żółty"), ("Jiří", "Dvořák")]
EVERY = RUSSIAN + WESTERN + POLISH + [("明", "李"), ("Γιώργος", "Ωνάσης")]
ENCODINGS = [
    (76, "utf-8", "utf-8", True, EVERY),
    (65535, "utf-16", "utf-16", True, EVERY),
    (34, "cp1251", "windows-1251", True, RUSSIAN),
    (1, "cp1252", "windows-1252", True, WESTERN),
    (12, "latin-1", "iso-8859-1", True, WESTERN),
    (22, "iso8859-15", "iso-8859-15", True, WESTERN),
    (30, "cp866", "cp866", True, RUSSIAN),
    (74, "koi8-r", "koi8-r", True, RUSSIAN),
    (88, "koi8-u", "koi8-u", True, [("Ірина", "Шевченко"), ("Їжак", "Ґалаґан")]),
    (44, "mac-cyrillic", "x-mac-cyrillic", True, RUSSIAN * 3),
    (2, "mac-roman", "macintosh", True, WESTERN),
    (11, "ascii", "us-ascii", True, [("Ann", "Lee")]),
    (33, "cp1250", "windows-1250", False, POLISH),
    (13, "iso8859-2", "iso-8859-2", False, POLISH),
    (14, "iso8859-3", "iso-8859-3", False, [("Ċensu", "Ħal")]),
    (15, "iso8859-4", "iso-8859-4", False, [("Jānis", "Ķēniņš")]),
    (16, "iso8859-5", "iso-8859-5", False, RUSSIAN),
    (17, "iso8859-6", "iso-8859-6", False, [("محمد", "علي")]),
    (18, "iso8859-7", "iso-8859-7", False, [("Γιώργος", "Ωνάσης")]),
    (19, "iso8859-8", "iso-8859-8", False, [("דוד", "כהן")]),
    (20, "iso8859-9", "iso-8859-9", False, [("Şükrü", "İpekçi")]),
    (77, "iso8859-10", "iso-8859-10", False, [("Jānis", "Ķēniņš")]),
    (78, "iso8859-13", "iso-8859-13", False, [("Jānis", "Ķēniņš")]),
    (21, "iso8859-14", "iso-8859-14", False, [("Ŵyn", "Ŷnys")]),
    (32, "cp874", "windows-874", False, [("สมชาย", "ใจดี")]),
    (35, "cp1253", "windows-1253", False, [("Γιώργος", "Ωνάσης")]),
    (36, "cp1254", "windows-1254", False, [("Şükrü", "İpekçi")]),
    (37, "cp1255", "windows-1255", False, [("דוד", "כהן")]),
    (38, "cp1256", "windows-1256", False, [("محمد", "علي")]),
    (39, "cp1257", "windows-1257", False, [("Jānis", "Ķēniņš")]),
    (40, "cp1258", "windows-1258", False, [("Đức", "Lê")]),
    (64, "shift_jis", "shift_jis", False, [("太郎", "山田")]),
    (69, "euc_jp", "euc-jp", False, [("太郎", "山田")]),
    (72, "iso2022_jp", "iso-2022-jp", False, [("太郎", "山田")]),
    (67, "gbk", "gbk", False, [("明", "李")]),
    (85, "gb18030", "gb18030", False, [("明", "李")]),
    (68, "big5", "big5", False, [("明", "李")]),
    (79, "euc_kr", "euc-kr", False, [("민준", "김")]),
    # Code pages of DOS, which have no name in the Encoding Standard: refused, and nothing is stored.
    (3, "cp437", None, False, [("José", "Peña")]),
    (4, "cp850", None, False, [("José", "Peña")]),
    (25, "cp852", None, False, POLISH),
]
SEPARATORS = {";": 59, ",": 44, "tab": 9, "|": 124, ":": 58, "blank": 32}


def request(method, path, body=None, kind="application/x-ndjson"):
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind}
    made = urllib.request.Request(f"{URL}{path}", data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(made) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def people(names, mark):
    """The rows of a table: what a spreadsheet has to quote is in them."""
    row = lambda n, cn, sn: {
        "mail": f"u{n}@{DOMAIN}", "cn": cn, "sn": sn, "title": f'{mark}; "x", y: z|',
        "telephoneNumber": "+7 (495) 000-00-00", "description": f"one\ntwo {n}" if n % 2 else "",
    }
    return [row(n, cn, sn) for n, (cn, sn) in enumerate(names)]


def spreadsheet(path, rows):
    """Writes a flat OpenDocument sheet: all cells are texts; the first row names the fields."""
    def cell(text):
        lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in text.split("\n"))
        return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'
    table = [FIELDS] + [[row[field] for field in FIELDS] for row in rows]
    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in table)
    urn = "urn:oasis:names:tc:opendocument:xmlns"
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?><office:document xmlns:office="{urn}:office:1.0"'
        f' xmlns:table="{urn}:table:1.0" xmlns:text="{urn}:text:1.0" office:version="1.2"'
        ' office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body><office:spreadsheet>'
        f'<table:table table:name="t">{body}</table:table>'
        "</office:spreadsheet></office:body></office:document>", "utf-8")


def saved(name, rows, number, separator, all_quoted):
    """The bytes of the rows as LibreOffice saves them."""
    source, target = FOLDER / f"{name}.fods", FOLDER / f"{name}.csv"
    spreadsheet(source, rows)
    options = f"csv:Text - txt - csv (StarCalc):{separator},34,{number},1,,0,{str(all_quoted).lower()},true"
    command = ["soffice", f"-env:UserInstallation=file://{FOLDER}/profile", "--headless", "--convert-to", options,
               "--outdir", str(FOLDER), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if not target.exists():
        sys.exit(f"LibreOffice has not saved {name}: {done.stdout}{done.stderr}")
    return target.read_bytes()


def imported(content, charset):
    kind = "text/csv" + (f"; charset={charset}" if charset else "")
    status, answer = request("POST", "/v2/users/default/bulk?mode=upsert", content, kind)
    return status, [json.loads(line) for line in answer.splitlines()]


def users():
    status, answer = request("GET", "/v2/users/default?limit=1000&search=u")
    assert status == 200, answer
    return {user["mail"]: user for user in json.loads(answer)["users"]}


def difference(rows):
    """Where the users are not as in the spreadsheet; nothing where they are."""
    there = users()
    composed = lambda text: unicodedata.normalize("NFC", text)
    for row in rows:
        for field, meant in row.items():
            found = there[row["mail"]].get(field, "")
            if meant and composed(found) != composed(meant):
                return f"{row['mail']}: {field} is {found!r}, and {meant!r} was meant"
    return None


def check(name, rows, content, charset, expected):
    """Imports a table under a charset or none; returns what is wrong."""
    status, lines = imported(content, charset)
    end = lines[-1] if lines else {}
    if status != 200 or end["summary"]["updated"] != len(rows):
        return f"{name}: {status} {lines}"
    if expected and end["encoding"] not in expected:
        return f"{name}: read as {end['encoding']}"
    wrong = difference(rows)
    return wrong and f"{name}: {wrong}"


def refused(name, content):
    """A table that can't be read stores nothing."""
    before = users()
    status, lines = imported(content, None)
    if users() != before:
        return f"{name}: it was read as something: {lines[-1]}"
    return None


def main():
    most = max(len(names) for *_, names in ENCODINGS)
    made = [json.dumps({"mail": f"u{n}@{DOMAIN}", "userPassword": "Correct-Horse-7", "employeeNumber": 2, "cn": "x", "sn": "x"})
            for n in range(most)]
    status, answer = request("POST", "/v2/users/default/bulk", "\n".join(made).encode())
    assert status == 200 and json.loads(answer.splitlines()[-1])["summary"]["created"] == most, answer
    failures, count = [], 0
    for number, python, charset, is_found, names in ENCODINGS:
        separators = SEPARATORS if is_found else {";": 59}
        for turn, (separator, code) in enumerate(separators.items()):
            count += 1
            name = f"{charset or python}-{turn}"
            rows = people(names, name)
            content = saved(name, rows, number, code, turn % 2 == 1)
            # That LibreOffice has written what was meant, and in that encoding.
            if names[0][1] not in content.decode(python):
                failures.append(f"{name}: LibreOffice has not written {python}")
                continue
            if charset is None:
                failures.append(refused(name, content))
                continue
            if is_found:
                expected = {"utf-16": ["utf-16le", "utf-16be"], "us-ascii": ["utf-8"], "iso-8859-1": ["windows-1252"],
                            "iso-8859-15": ["windows-1252"]}.get(charset, [charset])
                failures.append(check(f"{name}, {separator}, found out", rows, content, None, expected))
            for row in rows:
                row["title"] += "!"
            again = saved(name, rows, number, code, turn % 2 == 0)
            failures.append(check(f"{name}, {separator}, as said", rows, again, charset, None))
    failures = [failure for failure in failures if failure]
    for failure in failures:
        print(failure)
    print(f"{count} tables of LibreOffice in {len(ENCODINGS)} encodings: {len(failures)} not read as meant")
    sys.exit(bool(failures))


main()
