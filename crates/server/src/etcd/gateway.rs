//! The JSON of etcd's gateway: keys and values are in Base64, and 64-bit numbers are texts.

use super::error::EtcdError;
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::json;

/// The most keys of one range. The guide has some eighty keys altogether.
pub(super) const MAX_KEYS: usize = 1000;

/// A request for the keys with a prefix, at a revision or at the latest one.
pub(super) fn range(prefix: &str, revision: Option<i64>) -> String {
    let mut request =
        json!({ "key": encoded(prefix), "range_end": encoded_end(prefix), "limit": MAX_KEYS.to_string() });
    if let (Some(revision), Some(request)) = (revision, request.as_object_mut()) {
        request.insert("revision".to_owned(), revision.to_string().into());
    }
    request.to_string()
}

/// Requests to watch prefixes, for one stream.
pub(super) fn watch(prefixes: &[String], from: i64) -> String {
    let create = |prefix: &String| {
        let range = json!({
            "key": encoded(prefix), "range_end": encoded_end(prefix), "start_revision": from.to_string(),
        });
        json!({ "create_request": range }).to_string()
    };
    prefixes.iter().map(create).collect::<Vec<_>>().join("\n")
}

/// A request for a token.
pub(super) fn authenticate(name: &str, password: &str) -> String {
    json!({ "name": name, "password": password }).to_string()
}

fn encoded(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// The key after all keys with a prefix.
fn encoded_end(prefix: &str) -> String {
    let mut bytes = prefix.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last += 1;
    }
    BASE64_STANDARD.encode(bytes)
}

#[derive(Deserialize)]
struct Header {
    #[serde(deserialize_with = "number")]
    revision: i64,
}

#[derive(Deserialize)]
struct KeyValue {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct RangeAnswer {
    header: Header,
    #[serde(default)]
    kvs: Vec<KeyValue>,
    #[serde(default)]
    more: bool,
}

/// The keys of a range; a value is `None` if it is not UTF-8.
pub(super) struct Range {
    pub(super) revision: i64,
    pub(super) values: Vec<(String, Option<SecretString>)>,
    pub(super) has_more: bool,
}

/// Reads the answer to [`range`].
pub(super) fn read_range(body: &[u8]) -> Result<Range, EtcdError> {
    let answer: RangeAnswer = parse(body)?;
    let decoded = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| EtcdError::Malformed(None));
    let pair = |pair: &KeyValue| {
        let value = String::from_utf8(decoded(&pair.value)?).ok().map(SecretString::from);
        // pbm knows no key that is not text.
        Ok(String::from_utf8(decoded(&pair.key)?).ok().map(|key| (key, value)))
    };
    let values: Result<Vec<_>, EtcdError> = answer.kvs.iter().filter_map(|kv| pair(kv).transpose()).collect();
    Ok(Range { revision: answer.header.revision, values: values?, has_more: answer.more })
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: String,
}

/// Reads the answer to [`authenticate`].
pub(super) fn read_token(body: &[u8]) -> Result<SecretString, EtcdError> {
    parse::<TokenAnswer>(body).map(|answer| answer.token.into())
}

#[derive(Deserialize)]
struct ErrorAnswer {
    message: String,
}

/// The error in an answer with another status than 200.
pub(super) fn read_error(body: &[u8]) -> EtcdError {
    match parse::<ErrorAnswer>(body) {
        Ok(answer) => EtcdError::of_message(&answer.message),
        Err(error) => error,
    }
}

#[derive(Deserialize)]
struct WatchLine {
    result: Option<WatchResult>,
    error: Option<ErrorAnswer>,
}

#[derive(Deserialize)]
struct WatchResult {
    #[serde(default)]
    created: bool,
    #[serde(default)]
    canceled: bool,
    #[serde(default)]
    cancel_reason: String,
    #[serde(default)]
    compact_revision: Option<String>,
    #[serde(default)]
    events: Vec<serde::de::IgnoredAny>,
}

/// What a line of a watch tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The watch of one range has begun.
    Confirmed,
    /// The watch goes on.
    Nothing,
    /// A key has changed.
    Change,
}

/// Reads a line of a watch.
pub(super) fn read_watch_line(line: &[u8]) -> Result<Told, EtcdError> {
    let line: WatchLine = parse(line)?;
    if let Some(error) = line.error {
        return Err(EtcdError::of_message(&error.message));
    }
    let result = line.result.ok_or(EtcdError::Malformed(None))?;
    match result {
        WatchResult { canceled: true, compact_revision: Some(_), .. } => Err(EtcdError::Compacted),
        WatchResult { canceled: true, cancel_reason, .. } => Err(EtcdError::of_message(&cancel_reason)),
        WatchResult { events, .. } if !events.is_empty() => Ok(Told::Change),
        WatchResult { created: true, .. } => Ok(Told::Confirmed),
        WatchResult { .. } => Ok(Told::Nothing),
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, EtcdError> {
    if body.trim_ascii_start().starts_with(b"{") {
        serde_json::from_slice(body).map_err(|error| EtcdError::Malformed(Some(error)))
    } else {
        Err(EtcdError::of_other_text(body))
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_range_ends_after_its_prefix() {
        let request: serde_json::Value = serde_json::from_str(&range("pbm/", Some(7))).unwrap();
        assert_eq!(
            request,
            json!({ "key": "cGJtLw==", "range_end": "cGJtMA==", "limit": "1000", "revision": "7" })
        );
    }

    #[test]
    fn answers_are_read() {
        let body = br#"{"header":{"cluster_id":"1","revision":"3"},"kvs":[{"key":"cGJtL2E=","mod_revision":"2","value":"Yg=="},{"key":"cGJtL2I="},{"key":"cGJtL2M=","value":"/w=="}],"count":"3"}"#;
        let range = read_range(body).unwrap();
        let values: Vec<_> = range
            .values
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_ref().map(ExposeSecret::expose_secret)))
            .collect();
        assert_eq!(values, [("pbm/a", Some("b")), ("pbm/b", Some("")), ("pbm/c", None)]);
        assert!(range.revision == 3 && !range.has_more);
        assert_eq!(read_token(br#"{"token":"a.1"}"#).unwrap().expose_secret(), "a.1");
        assert!(matches!(read_range(b"<html>"), Err(EtcdError::NotJson { .. })));
        assert!(matches!(read_range(br#"{"header":"secret"}"#), Err(EtcdError::Malformed(Some(_)))));
    }

    #[test]
    fn lines_of_a_watch_are_read() {
        let told = |line: &str| read_watch_line(line.as_bytes());
        let begun = r#"{"result":{"header":{"revision":"3"},"created":true}}"#;
        assert_eq!(told(begun).unwrap(), Told::Confirmed);
        assert_eq!(told(r#"{"result":{"header":{"revision":"3"}}}"#).unwrap(), Told::Nothing);
        let event = r#"{"result":{"header":{"revision":"4"},"events":[{"kv":{"key":"cGJtL2E="}}]}}"#;
        assert_eq!(told(event).unwrap(), Told::Change);
        let compacted = r#"{"result":{"header":{},"canceled":true,"compact_revision":"5"}}"#;
        assert!(matches!(told(compacted), Err(EtcdError::Compacted)));
        let refused = r#"{"result":{"watch_id":"-1","created":true,"canceled":true,"cancel_reason":"rpc error: code = Unauthenticated desc = etcdserver: invalid auth token"}}"#;
        assert!(matches!(told(refused), Err(EtcdError::Token)));
        let lost = r#"{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}}"#;
        assert!(matches!(told(lost), Err(EtcdError::Refused { .. })));
    }
}
