#!/usr/bin/env python3
"""Recalls messages by the API, and looks at the boxes with imapclient.

check.py API IMAP_PORT PASSWORD TOKEN ADMIN USER

Ends with 1 where a box is not as the answer says, and tells it.
"""

import email
import email.policy
import json
import sys
import urllib.parse
import urllib.request

import imapclient

api, port, password, token, admin, user = sys.argv[1:]
mistakes = 0


def box(address):
    client = imapclient.IMAPClient("127.0.0.1", port=int(port), ssl=False)
    client.login(address, password)
    client.select_folder("INBOX")
    return client


def deliver(address, identifier):
    message = f"Message-ID: {identifier}\r\nSubject: test\r\n\r\nThe text.\r\n"
    with box(address) as client:
        client.append("INBOX", message.encode())


def identifiers(address):
    with box(address) as client:
        found = client.fetch(client.search(), ["ENVELOPE"])
        return sorted(row[b"ENVELOPE"].message_id.decode() for row in found.values())


def read(address, identifier):
    with box(address) as client:
        uids = client.search(["HEADER", "Message-ID", identifier])
        client.fetch(uids, ["BODY[]"])


def recall(identifier, **more):
    query = urllib.parse.urlencode({"cmd": "expunge", "messageid": identifier, "emails": user, "notify": 0, **more})
    request = urllib.request.Request(f"{api}/v2/actions?{query}", method="POST")
    request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def expect(what, found, expected):
    global mistakes
    if found != expected:
        mistakes += 1
        print(f"{what}: {found!r}, expected {expected!r}", file=sys.stderr)


def result(identifier, **more):
    return recall(identifier, **more)["results"][0]["result"]


for identifier in ["<1@x>", "<11@x>", "<read@x>", "<kept@x>"]:
    deliver(user, identifier)
expect("an unread message", result("<1@x>"), "recalled")
expect("the box without it", identifiers(user), ["<11@x>", "<kept@x>", "<read@x>"])
expect("a missing message", result("<1@x>"), "not-found")
read(user, "<read@x>")
expect("a read message", result("<read@x>"), "read")
expect("the box with it", identifiers(user), ["<11@x>", "<kept@x>", "<read@x>"])
expect("a read message with force", result("<read@x>", force=1), "recalled")
expect("the box without both", identifiers(user), ["<11@x>", "<kept@x>"])

# A mail program that is connected sees the message go.
with box(user) as reader:
    count = len(reader.search())
    expect("an unread message in an open box", result("11@x"), "recalled")
    reader.noop()
    expect("the open box", len(reader.search()), count - 1)

expect("an unknown address", recall("<kept@x>", emails="nobody@acme.example")["counts"]["no-user"], 1)
expect("the box at the end", identifiers(user), ["<kept@x>"])

expect("the report", recall("<kept@x>", notify=1)["notified"], True)
with box(admin) as client:
    rows = client.fetch(client.search(), ["BODY.PEEK[]"]).values()
    reports = [email.message_from_bytes(row[b"BODY[]"], policy=email.policy.default) for row in rows]
expect("reports", len(reports), 1)
for report in reports:
    expect("the subject", report["Subject"], "Recall of a message: the result")
    expect("the sender", report["From"].addresses[0].addr_spec, admin)
    expect("the text", f"{user}: recalled" in report.get_content(), True)
    expect("defects", report.defects, [])

print("recall-check: " + (f"{mistakes} mistakes" if mistakes else "every box is as the answers say"))
sys.exit(1 if mistakes else 0)
