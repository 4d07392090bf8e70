"""Compares the people that our reader has found with those that another client finds; see README.md.

check.py b24pysdk|fast_bitrix24 URL USER/CODE CERTIFICATE PEOPLE
"""

import json
import os
import ssl
import sys
import time
from urllib.parse import urlparse

client, url, webhook, certificate, people_file = sys.argv[1:]
os.environ["REQUESTS_CA_BUNDLE"] = certificate

EMPLOYEES = {"ACTIVE": True, "USER_TYPE": "employee"}
FIELDS = {
    "FirstName": "NAME",
    "LastName": "LAST_NAME",
    "MiddleName": "SECOND_NAME",
    "Title": "WORK_POSITION",
    "City": "WORK_CITY",
    "MobilePhone": "PERSONAL_MOBILE",
    "WorkPhone": "WORK_PHONE",
}


def by_b24pysdk():
    """The people, read in two ways, and the departments."""
    from b24pysdk import BitrixWebhook, Client
    from b24pysdk.errors import BitrixAPIInvalidCredentials

    domain = urlparse(url).netloc
    portal = Client(BitrixWebhook(domain=domain, webhook_token=webhook))
    fast = list(portal.user.get(filter=EMPLOYEES).as_list_fast().result)
    slow = list(portal.user.get(filter=EMPLOYEES).as_list().result)
    assert_same("as_list and as_list_fast", {row["ID"]: row for row in slow}, {row["ID"]: row for row in fast})
    departments = list(portal.department.get().as_list().result)
    assert portal.scope().result == ["user", "department"], portal.scope().result
    assert str(portal.profile().result["ID"]) == "1", portal.profile().result
    assert "EMAIL" in portal.user.fields().result
    assert portal.user.search(filter={"FIND": "иванов"}).result, "nobody is found by name"
    wrong = Client(BitrixWebhook(domain=domain, webhook_token="1/wrong"))
    try:
        wrong.user.get().result
        raise SystemExit("a wrong code is accepted")
    except BitrixAPIInvalidCredentials:
        pass
    return fast, departments


def by_fast_bitrix24():
    """The people and the departments, read in parallel batches."""
    import asyncio

    import aiohttp
    from fast_bitrix24 import BitrixAsync

    async def read():
        trust = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=certificate))
        async with aiohttp.ClientSession(connector=trust, raise_for_status=True) as session:
            portal = BitrixAsync(f"{url}/rest/{webhook}/", verbose=False, client=session)
            people = await portal.get_all("user.get", {"FILTER": EMPLOYEES})
            departments = await portal.get_all("department.get")
            some = await portal.get_by_ID("user.get", ["1", "2", "4"])
            assert len(some) == 3, some
            return people, departments

    return asyncio.run(read())


def assert_same(what, ours, theirs):
    different = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
    for key in sorted(different)[:5]:
        print(f"  {key}: {ours.get(key)} is not {theirs.get(key)}", file=sys.stderr)
    if different:
        raise SystemExit(f"{what}: {len(different)} differ")


def card(row, departments):
    """The fields of a card, as our reader makes them of a person."""
    fields = {field: row[name] for field, name in FIELDS.items() if row.get(name)}
    if "WorkPhone" in fields:
        fields["WorkPhone"] = fields["WorkPhone"].replace(" доб. ", ", ")
    ids = row.get("UF_DEPARTMENT") or []
    names = [departments[str(number)] for number in ids]
    if names:
        fields["Department"] = ", ".join(names)
    return {"mail": row["EMAIL"], "fields": fields}


start = time.monotonic()
rows, department_rows = by_b24pysdk() if client == "b24pysdk" else by_fast_bitrix24()
seconds = time.monotonic() - start
departments = {row["ID"]: row["NAME"] for row in department_rows}
assert len(departments) == 120, len(departments)

ours, kept = {}, set()
with open(people_file, encoding="utf-8") as lines:
    for line in map(json.loads, lines):
        if "id" in line:
            ours[line["id"].removeprefix("bitrix24:")] = {"mail": line["mail"], "fields": line["fields"]}
        elif line.get("keeps"):
            kept.add(line["keeps"].removeprefix("bitrix24:"))

theirs = {row["ID"]: row for row in rows}
assert len(theirs) == len(rows), "somebody twice"
assert_same("people", dict.fromkeys(ours.keys() | kept, True), dict.fromkeys(theirs, True))
unusable = [row for number, row in theirs.items() if number in kept]
assert all(not row["EMAIL"] or not row["EMAIL"].isascii() for row in unusable), unusable
assert_same("cards", ours, {number: card(row, departments) for number, row in theirs.items() if number not in kept})
print(f"{client}: {len(theirs)} people in {seconds:.0f} s, {len(ours)} cards and {len(kept)} without a usable address, as ours")
