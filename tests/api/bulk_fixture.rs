//! A user that tables change, sent over HTTP, and the responses.

use encoding_rs::Encoding;
use harness::{Answer, Tenant, User, World};
use serde_json::{Value, json};

pub(crate) const CSV: &str = "text/csv";

/// A tenant with a user that tables change.
pub(crate) struct Fixture<'w> {
    pub(crate) tenant: Tenant<'w>,
    pub(crate) user: User<'w>,
}

impl<'w> Fixture<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let tenant = world.tenant();
        let user = tenant.user("jose").create();
        Self { tenant, user }
    }

    pub(crate) fn send(&self, kind: &str, query: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send_with(&[("Content-Type", kind)], query, body)
    }

    pub(crate) fn send_with(&self, headers: &[(&str, &str)], query: &str, body: impl AsRef<[u8]>) -> Answer {
        let client =
            headers.iter().fold(self.tenant.admin().clone(), |client, (n, v)| client.with_header(n, v));
        let path = format!("{}/bulk?{query}", self.tenant.users());
        client.try_send("POST", &path, body.as_ref()).unwrap()
    }

    /// A table that changes names of the user.
    pub(crate) fn table(&self, cn: &str, sn: &str) -> String {
        format!("mail;cn;sn\r\n{};{cn};{sn}\r\n", self.user.mail)
    }

    /// The user's first and last name, which are then reset so that the next table changes them again.
    #[track_caller]
    pub(crate) fn take_names(&self) -> [String; 2] {
        let shown = self.tenant.admin().get(&self.user).expect(200).json();
        self.tenant.admin().patch(&self.user, "cn=before&sn=before").expect_success();
        ["cn", "sn"].map(|field| shown[field].as_str().unwrap().to_owned())
    }

    /// The message about the only row of an invalid table.
    #[track_caller]
    pub(crate) fn refused(&self, table: impl AsRef<[u8]>) -> Value {
        let lines = lines(&self.send(CSV, "mode=upsert", table));
        assert_eq!((lines.len(), &lines[0]["result"]), (2, &json!("error")), "{lines:?}");
        lines[0]["message"].clone()
    }
}

#[track_caller]
pub(crate) fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
pub(crate) fn end(answer: &Answer) -> Value {
    lines(answer).pop().unwrap()
}

#[track_caller]
pub(crate) fn assert_summary(answer: &Answer, expected: &[(&str, usize)]) {
    let names = ["rows", "created", "updated", "unchanged", "skipped", "errors"];
    let of = |name: &str| expected.iter().find(|(known, _)| *known == name).map_or(0, |(_, number)| *number);
    let expected: Value = names
        .iter()
        .map(|name| ((*name).to_owned(), json!(of(name))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(end(answer)["summary"], expected, "{}", answer.text());
}

pub(crate) fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

pub(crate) fn in_encoding(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    let (bytes, _, lossy) = encoding.encode(text);
    assert!(!lossy, "{text} in {}", encoding.name());
    bytes.into_owned()
}
