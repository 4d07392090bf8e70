//! Reads the answers of the doveadm HTTP API: `[["doveadmResponse", [row, …], "tag"]]` or
//! `[["error", {"type": "exitCode", "exitCode": 67}, "tag"]]`, both with the HTTP status 200.

use crate::error::{DoveadmError, MAX_ANSWER};
use serde::{
    Deserialize,
    de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor},
};
use std::fmt;

/// Identifies the command in its answer.
pub(crate) const TAG: &str = "pbm";
/// The most rows of an answer. With [`MAX_ANSWER`], an answer takes some 5 MB of memory at most, whatever it contains:
/// the text, and a hundred bytes for each row.
pub(crate) const MAX_ROWS: usize = 10_000;
/// The exit code for a user that Dovecot does not know (`EX_NOUSER`).
const NO_USER: i64 = 67;

/// A row of an answer: the fields that pbm asks for. Dovecot writes every value as a text.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Row {
    /// The header `Message-ID`, empty if there is none.
    #[serde(rename = "hdr.message-id")]
    pub(crate) message_id: Option<String>,
    /// The number of the message in its mailbox.
    pub(crate) uid: Option<String>,
    /// The GUID of the mailbox.
    #[serde(rename = "mailbox-guid")]
    pub(crate) mailbox: Option<String>,
    /// The flags, separated by blanks.
    pub(crate) flags: Option<String>,
}

/// The rows of an answer to a single command. Bytes that are not UTF-8, for example of a header, are replaced.
pub(crate) fn rows(body: Vec<u8>) -> Result<Vec<Row>, DoveadmError> {
    let text = String::from_utf8(body)
        .unwrap_or_else(|wrong| String::from_utf8_lossy(wrong.as_bytes()).into_owned());
    if u64::try_from(text.len()).is_ok_and(|length| length > MAX_ANSWER) {
        return Err(DoveadmError::TooLarge);
    }
    let (Answer { content, tag },) = serde_json::from_str(&text).map_err(|_| DoveadmError::Foreign)?;
    match content {
        _ if tag != TAG => Err(DoveadmError::Foreign),
        Content::Rows(Rows { is_cut: true, .. }) => Err(DoveadmError::TooLarge),
        Content::Rows(Rows { rows, .. }) => Ok(rows),
        Content::Error(refusal) => Err(failure(&refusal)),
    }
}

/// The answer to one command.
struct Answer {
    content: Content,
    tag: String,
}

enum Content {
    Rows(Rows),
    Error(Refusal),
}

/// What Dovecot writes in place of rows.
#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, rename = "exitCode")]
    exit_code: Option<i64>,
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(AnswerParts)
    }
}

struct AnswerParts;

impl<'de> Visitor<'de> for AnswerParts {
    type Value = Answer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a kind, its content and a tag")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Answer, A::Error> {
        let missing = |count: usize| A::Error::invalid_length(count, &self);
        let kind: String = parts.next_element()?.ok_or_else(|| missing(0))?;
        let content = match kind.as_str() {
            "doveadmResponse" => parts.next_element()?.map(Content::Rows),
            "error" => parts.next_element()?.map(Content::Error),
            _ => return Err(A::Error::custom("another kind of answer")),
        };
        let content = content.ok_or_else(|| missing(1))?;
        let tag = parts.next_element()?.ok_or_else(|| missing(2))?;
        Ok(Answer { content, tag })
    }
}

/// The first rows of an answer.
struct Rows {
    rows: Vec<Row>,
    /// Whether there were more.
    is_cut: bool,
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RowList)
    }
}

struct RowList;

impl<'de> Visitor<'de> for RowList {
    type Value = Rows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Rows, A::Error> {
        let mut rows = Vec::new();
        while rows.len() < MAX_ROWS {
            match list.next_element()? {
                Some(row) => rows.push(row),
                None => return Ok(Rows { rows, is_cut: false }),
            }
        }
        let mut is_cut = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            is_cut = true;
        }
        Ok(Rows { rows, is_cut })
    }
}

fn failure(refusal: &Refusal) -> DoveadmError {
    match (refusal.kind.as_str(), refusal.exit_code) {
        ("exitCode", Some(NO_USER)) => DoveadmError::NoUser,
        ("exitCode", Some(code)) => DoveadmError::Exit { code },
        ("unAuthorized", _) => DoveadmError::Refused("it is not in doveadm_allowed_commands"),
        ("unknownMethod", _) => DoveadmError::Refused("it does not have it"),
        ("invalidRequest", _) => DoveadmError::Refused("it does not take the parameters"),
        ("internalError", _) => DoveadmError::Refused("internal error, see the log of Dovecot"),
        _ => DoveadmError::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::{rows as rows_of, *};

    fn words(body: &str) -> String {
        rows(body.as_bytes().to_vec()).unwrap_err().to_string()
    }

    #[test]
    fn rows_are_returned_even_if_a_header_is_not_utf8() {
        assert_eq!(rows(br#"[["doveadmResponse",[],"pbm"]]"#.to_vec()).unwrap(), []);
        let body = b"[[\"doveadmResponse\",[{\"uid\":\"1\",\"hdr.message-id\":\"<\xff@x>\"}],\"pbm\"]]";
        let rows = rows(body.to_vec()).unwrap();
        assert_eq!(rows[0].message_id.as_deref(), Some("<\u{fffd}@x>"));
        assert_eq!((rows[0].uid.as_deref(), &rows[0].flags), (Some("1"), &None));
    }

    #[test]
    fn errors_have_a_meaning() {
        assert!(matches!(
            rows(br#"[["error",{"type":"exitCode", "exitCode":67},"pbm"]]"#.to_vec()),
            Err(DoveadmError::NoUser)
        ));
        assert!(words(r#"[["error",{"type":"exitCode","exitCode":75},"pbm"]]"#).contains("temporary"));
        assert!(words(r#"[["error",{"type":"exitCode","exitCode":1003},"pbm"]]"#).contains("1003"));
        assert!(words(r#"[["error",{"type":"unAuthorized"},"pbm"]]"#).contains("doveadm_allowed_commands"));
    }

    #[test]
    fn anything_else_is_no_answer() {
        for body in [
            "",
            "<html>x</html>",
            "[]",
            "{}",
            r#"[["doveadmResponse",[],"other"]]"#,
            r#"[["doveadmResponse",[],"pbm"],["doveadmResponse",[],"pbm"]]"#,
            r#"[["doveadmResponse",["x"],"pbm"]]"#,
            r#"[["doveadmResponse",[{"#,
            r#"[["error",{"type":"exitCode"},"pbm"]]"#,
            r#"[["error",[],"pbm"]]"#,
            r#"[["something",{},"pbm"]]"#,
        ] {
            assert!(matches!(rows(body.as_bytes().to_vec()), Err(DoveadmError::Foreign)), "{body}");
        }
    }

    #[test]
    fn an_answer_of_too_many_rows_or_bytes_is_refused() {
        let answer = |count: usize, row: &str| {
            let rows = vec![row; count].join(",");
            rows_of(format!("[[\"doveadmResponse\",[{rows}],\"pbm\"]]").into_bytes())
        };
        assert_eq!(answer(MAX_ROWS, "{}").unwrap().len(), MAX_ROWS);
        assert!(matches!(answer(MAX_ROWS + 1, "{}"), Err(DoveadmError::TooLarge)));
        // Each byte that is not UTF-8 becomes three.
        assert!(matches!(rows_of(vec![0xff; 1 << 20]), Err(DoveadmError::TooLarge)));
    }
}
