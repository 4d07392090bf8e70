//! Reads the answers of the doveadm HTTP API: `[["doveadmResponse", [row, …], "tag"]]` or
//! `[["error", {"type": "exitCode", "exitCode": 67}, "tag"]]`, both with the HTTP status 200.

use crate::error::DoveadmError;
use serde_json::{Map, Value};

/// Identifies the command in its answer.
pub(crate) const TAG: &str = "pbm";

/// A row of an answer.
pub(crate) type Row = Map<String, Value>;

/// The exit code for a user that Dovecot does not know (`EX_NOUSER`).
const NO_USER: i64 = 67;

/// The rows of an answer to a single command. Bytes that are not UTF-8, for example of a header, are replaced.
pub(crate) fn rows(body: &[u8]) -> Result<Vec<Row>, DoveadmError> {
    let text = String::from_utf8_lossy(body);
    let answer: Value = serde_json::from_str(&text).map_err(|_| DoveadmError::Foreign)?;
    let Some([kind, content]) = only_answer(&answer) else { return Err(DoveadmError::Foreign) };
    match (kind.as_str(), content) {
        (Some("doveadmResponse"), Value::Array(rows)) => {
            rows.iter().map(|row| row.as_object().cloned().ok_or(DoveadmError::Foreign)).collect()
        }
        (Some("error"), Value::Object(error)) => Err(failure(error)),
        _ => Err(DoveadmError::Foreign),
    }
}

/// The kind and the content of the answer, if it is the only one and has our tag.
fn only_answer(answer: &Value) -> Option<[&Value; 2]> {
    let [only] = answer.as_array()?.as_slice() else { return None };
    let [kind, content, tag] = only.as_array()?.as_slice() else { return None };
    (tag == TAG).then_some([kind, content])
}

fn failure(error: &Row) -> DoveadmError {
    match error.get("type").and_then(Value::as_str) {
        Some("exitCode") => match error.get("exitCode").and_then(Value::as_i64) {
            Some(NO_USER) => DoveadmError::NoUser,
            Some(code) => DoveadmError::Exit { code },
            None => DoveadmError::Foreign,
        },
        Some("unAuthorized") => DoveadmError::Refused("it is not in doveadm_allowed_commands"),
        Some("unknownMethod") => DoveadmError::Refused("it does not have it"),
        Some("invalidRequest") => DoveadmError::Refused("it does not take the parameters"),
        Some("internalError") => DoveadmError::Refused("internal error, see the log of Dovecot"),
        _ => DoveadmError::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(body: &str) -> String {
        rows(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn rows_are_returned_even_if_a_header_is_not_utf8() {
        assert_eq!(rows(br#"[["doveadmResponse",[],"pbm"]]"#).unwrap(), []);
        let rows = rows(b"[[\"doveadmResponse\",[{\"uid\":\"1\",\"hdr.message-id\":\"<\xff@x>\"}],\"pbm\"]]")
            .unwrap();
        assert_eq!(rows[0]["hdr.message-id"], "<\u{fffd}@x>");
    }

    #[test]
    fn errors_have_a_meaning() {
        assert!(matches!(
            rows(br#"[["error",{"type":"exitCode", "exitCode":67},"pbm"]]"#),
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
            assert!(matches!(rows(body.as_bytes()), Err(DoveadmError::Foreign)), "{body}");
        }
    }
}
