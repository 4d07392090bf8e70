#!/usr/bin/env python3
"""Compares an export as vCard with the export as JSON of the same contacts, as two independent parsers read the former.

check.py CONTACTS.vcf CONTACTS.json

The parsers are vobject (vCard as a whole) and the content lines of icalendar, whose grammar iCalendar and vCard share
(RFC 5545, section 3.1; RFC 6350, section 3.3). Ends with 1 where something differs, and says what.
"""

import json
import re
import sys

import icalendar.parser
import vobject

KINDS = {"user": "individual", "contact": "individual", "list": "group", "resource": "location"}
LINE_ENDS = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def in_vcard(text):
    """What vCard can say of a text: one kind of line break, and no control characters but the tab."""
    return CONTROLS.sub(" ", LINE_ENDS.sub("\n", text))


def expected(contact):
    def some(*keys):
        return [in_vcard(contact[key]) for key in keys if key in contact]

    name = [in_vcard(contact.get(key, "")) for key in ("sn", "cn", "initials")]
    return {
        "KIND": [KINDS[contact["kind"]]],
        "FN": some("displayName"),
        "N": [name] if any(name) else [],
        "ORG": [["", unit] for unit in some("ou")],
        "TITLE": some("title"),
        "CATEGORIES": some("group"),
        "EMAIL": some("mail") + [in_vcard(alias) for alias in contact.get("alias", [])],
        "TEL": some("telephoneNumber", "homePhone", "mobile"),
        "ADR": some("l"),
        "X-TELEGRAM": some("telegram"),
        "NOTE": some("description"),
    }


def of_vobject(text):
    """Cards by identifier, as vobject reads them."""

    def value(line):
        value = line.value
        if line.name == "N":
            return [value.family, value.given, value.additional]
        if line.name == "ADR":
            return value.city
        if line.name == "CATEGORIES":
            return ",".join(value)
        return value

    for card in vobject.readComponents(text):
        assert card.version.value == "4.0", card
        yield card.uid.value, {
            name: [value(line) for line in card.contents.get(name.lower(), [])] for name in expected({"kind": "user"})
        }


def of_icalendar(text):
    """Cards by identifier, made of the lines that icalendar reads."""

    def value(name, raw):
        if name in ("N", "ADR", "ORG"):
            parts = icalendar.parser.split_on_unescaped_semicolon(raw)
            return {"N": parts[:3], "ADR": parts[3:4], "ORG": parts}[name]
        return icalendar.parser.unescape_backslash(raw)

    card = None
    for line in icalendar.parser.Contentlines.from_ical(text):
        if not line:
            continue
        name, _, raw = line.raw_parts()
        if name == "BEGIN":
            assert card is None and raw == "VCARD", line
            card = {name: [] for name in [*expected({"kind": "user"}), "UID", "VERSION"]}
        elif name == "END":
            assert card.pop("VERSION") == ["4.0"], card
            card["ADR"] = [city for cities in card["ADR"] for city in cities]
            yield card.pop("UID")[0], card
            card = None
        elif name in card:
            card[name].append(value(name, raw))
    assert card is None, "the last card has no end"


def folding(data):
    """Complaints about lines: their length in octets, their ends, and characters that are cut."""
    for number, line in enumerate(data.split(b"\r\n"), 1):
        if len(line) > 75:
            yield f"line {number} has {len(line)} octets"
        if b"\n" in line or b"\r" in line:
            yield f"line {number} has a bare line end"
        try:
            line.decode()
        except UnicodeDecodeError:
            yield f"line {number} cuts a character"


def differences(parser, cards, contacts):
    cards = list(cards)
    if len(cards) != len(contacts):
        yield f"{parser}: {len(cards)} cards, {len(contacts)} contacts"
    cards = dict(cards)
    for contact in contacts:
        card = cards.get(f"urn:uuid:{contact['id']}")
        if card is None:
            yield f"{parser}: {contact['id']} is missing"
            continue
        for name, values in expected(contact).items():
            if card[name] != values:
                yield f"{parser}: {contact['id']} {name}: {card[name]!r} instead of {values!r}"


def main():
    vcf, contacts = sys.argv[1:]
    with open(vcf, "rb") as file:
        data = file.read()
    with open(contacts, encoding="utf-8") as file:
        contacts = json.load(file)
    wrong = list(folding(data))
    text = data.decode()
    wrong += differences("vobject", of_vobject(text), contacts)
    wrong += differences("icalendar", of_icalendar(text), contacts)
    for line in wrong[:50]:
        print(line, file=sys.stderr)
    if wrong:
        sys.exit(f"{len(wrong)} difference(s)")
    print(f"{len(contacts)} contact(s): vobject and icalendar read from the vCards what the JSON says.")


if __name__ == "__main__":
    main()
