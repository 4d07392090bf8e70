//! A server's response, and the rules for every error.

use serde_json::Value;

/// A response over HTTP.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, with its chunks joined.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// One field of every item on a page of a list.
    #[track_caller]
    pub fn column(&self, list: &str, field: &str) -> Vec<String> {
        let page = self.clone().expect(200).json();
        let rows = page[list].as_array().unwrap_or_else(|| panic!("no {list}: {page}")).iter();
        rows.map(|row| row[field].as_str().unwrap_or_else(|| panic!("no {field}: {row}")).to_owned())
            .collect()
    }

    /// The quoted version of the object that was read.
    #[track_caller]
    pub fn etag(&self) -> String {
        let tag = self.header("etag").unwrap_or_else(|| panic!("no ETag: {self:?}"));
        assert!(tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        tag.to_owned()
    }

    /// The message of an error.
    #[track_caller]
    pub fn message(&self) -> Value {
        self.json()["message"].clone()
    }

    /// Requires a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        if status >= 400 {
            assert_error(&self, status);
        }
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Requires the guide's answer to a write.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        let answer = self.expect(200);
        assert_eq!(answer.json(), serde_json::json!({"success": true}));
        answer
    }

    /// Requires an error about exactly these parameters, each with a reason that begins with its name.
    #[track_caller]
    pub fn expect_wrong(self, parameters: &[&str]) -> Self {
        let answer = self.expect(400);
        let message = answer.message();
        let by_parameter = message.as_object().unwrap_or_else(|| panic!("not by parameter: {message}"));
        let mut expected = parameters.to_vec();
        expected.sort_unstable();
        assert_eq!(by_parameter.keys().map(String::as_str).collect::<Vec<_>>(), expected, "{message}");
        for (name, reason) in by_parameter {
            assert!(reason.as_str().is_some_and(|reason| reason.starts_with(name.as_str())), "{message}");
        }
        answer
    }
}

/// Words that are internal to the server.
const INSIDE: [&str; 8] =
    ["ldap", "dc=example", "ou=people", "objectclass", "panicked", "src/", "backtrace", "nsaccountlock"];

/// The rules for every error: JSON with a `message`, and no internals of the server.
#[track_caller]
pub fn assert_error(answer: &Answer, status: u16) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    let is_json = |kind: &str| kind.split(';').next().is_some_and(|kind| kind == "application/json");
    assert!(answer.header("content-type").is_some_and(is_json), "{answer:?}");
    let message = answer.message();
    assert!(message.is_string() || message.is_object(), "{text}");
    assert!(answer.header("x-request-id").is_some(), "{answer:?}");
    let lower = text.to_lowercase();
    assert!(!INSIDE.iter().any(|word| lower.contains(word)), "{text}");
    if status == 429 || status == 503 {
        assert!(answer.header("retry-after").is_some_and(|wait| wait.parse::<u32>().is_ok()), "{answer:?}");
    }
}
