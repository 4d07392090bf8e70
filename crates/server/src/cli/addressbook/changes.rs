//! Interprets the API's responses for a follower. Does not use the network.

use super::state::MAX_TOKEN;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// The maximum length of a server message that is repeated, in characters.
const MAX_MESSAGE: usize = 300;

/// A response of any status.
pub(super) struct Reply {
    pub(super) status: u16,
    /// The header `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// The content of a response from the feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Feed {
    /// Changes.
    Page(Page),
    /// The token is no longer valid: start over.
    Gone,
}

/// Part of the changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The changes as the API sends them, one per line.
    pub(super) lines: Vec<u8>,
    /// The token for the next page.
    pub(super) since: String,
    /// Whether more changes are available.
    pub(super) more: bool,
}

/// Why there is no usable response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The problem may be temporary.
    Passing {
        reason: String,
        /// The delay that the server asks for.
        retry_after: Option<Duration>,
    },
    /// A new token may help.
    Unauthorized(String),
    /// The problem is permanent.
    Lasting(String),
}

impl Trouble {
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self::Passing { reason: reason.into(), retry_after: None }
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    changes: Vec<&'a RawValue>,
    since: String,
    more: bool,
}

/// Parses a response of `/changes`.
pub(super) fn read_feed(reply: &Reply) -> Result<Feed, Trouble> {
    match reply.status {
        200 => read_page(&reply.body).map(Feed::Page),
        410 => Ok(Feed::Gone),
        _ => Err(trouble(reply)),
    }
}

fn read_page(body: &[u8]) -> Result<Page, Trouble> {
    let broken = |what: &str| Trouble::passing(format!("the answer is broken: {what}"));
    let page: Answer<'_> = serde_json::from_slice(body).map_err(|error| broken(&error.to_string()))?;
    let is_token =
        (1..=MAX_TOKEN).contains(&page.since.len()) && page.since.bytes().all(|b| b.is_ascii_graphic());
    if !is_token {
        return Err(broken("its token is not valid"));
    }
    let mut lines = Vec::with_capacity(body.len());
    for change in page.changes {
        if !change.get().starts_with('{') {
            return Err(broken("a change is not an object"));
        }
        // JSON may have line breaks between tokens, but not inside strings.
        lines
            .extend(change.get().bytes().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
        lines.push(b'\n');
    }
    Ok(Page { lines, since: page.since, more: page.more })
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

/// Parses a response of `/v2/auth`.
pub(super) fn read_token(reply: &Reply) -> Result<SecretString, Trouble> {
    let trouble = match reply.status {
        // An error message of serde could repeat the token.
        200 => match serde_json::from_slice::<Granted>(&reply.body) {
            Ok(granted) => return Ok(granted.access_token.into()),
            Err(_) => Trouble::passing("the answer to the log-in is broken"),
        },
        _ => trouble(reply),
    };
    Err(match trouble {
        Trouble::Unauthorized(reason) | Trouble::Lasting(reason) => {
            Trouble::Lasting(format!("the log-in was refused: {reason}"))
        }
        passing @ Trouble::Passing { .. } => passing,
    })
}

fn trouble(reply: &Reply) -> Trouble {
    let Reply { status, retry_after, body } = reply;
    let reason = format!("the server answers {status}{}", message(body));
    match status {
        401 => Trouble::Unauthorized(reason),
        408 | 425 | 429 | 500.. => Trouble::Passing { reason, retry_after: *retry_after },
        300..=399 => Trouble::Lasting(format!("{reason}, a redirect: is --url right?")),
        200..=299 => Trouble::passing(reason),
        _ => Trouble::Lasting(reason),
    }
}

#[derive(Deserialize)]
struct Complaint {
    message: serde_json::Value,
}

/// The message in a response, safe for one line of a terminal; empty if there is none.
fn message(body: &[u8]) -> String {
    let Ok(Complaint { message }) = serde_json::from_slice(body) else { return String::new() };
    let text = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE).collect();
    format!(": {text}")
}

/// Parses the header `Retry-After` in seconds. The form with a date does not occur here.
pub(super) fn retry_after(header: &str) -> Option<Duration> {
    header.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { status, retry_after: Some(Duration::from_secs(3)), body: body.into() }
    }

    #[test]
    fn changes_are_lines_as_the_api_gives_them() {
        let body = "{\"changes\": [{\"op\": \"put\",  \"contact\":{\"z\":1,\"a\":\"\\u0418\\n\u{2028}\",\"n\":1.00}},\n\
                    {\"op\":\"delete\",\r\n \"id\":\"x\"}], \"since\": \"t-1\", \"more\": true, \"new\": []}";
        let Ok(Feed::Page(page)) = read_feed(&reply(200, body)) else { panic!("no page") };
        assert_eq!(
            String::from_utf8(page.lines).unwrap(),
            "{\"op\": \"put\",  \"contact\":{\"z\":1,\"a\":\"\\u0418\\n\u{2028}\",\"n\":1.00}}\n{\"op\":\"delete\",   \"id\":\"x\"}\n"
        );
        assert_eq!((page.since.as_str(), page.more), ("t-1", true));
    }

    #[test]
    fn broken_answers_pass() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"changes":[],"since":"","more":false}"#,
            r#"{"changes":[],"since":"a b","more":false}"#,
            r#"{"changes":[],"since":"a\n","more":false}"#,
            r#"{"changes":[],"since":null,"more":false}"#,
            r#"{"changes":[1],"since":"a","more":false}"#,
            r#"{"changes":[{"op":"put"}],"since":"a","more":false"#,
            "{\"changes\":[],\"since\":\"a\",\"more\":false}\0",
        ] {
            let read = read_feed(&reply(200, body));
            assert!(matches!(read, Err(Trouble::Passing { retry_after: None, .. })), "{body}: {read:?}");
        }
        assert!(matches!(read_feed(&reply(204, "")), Err(Trouble::Passing { .. })));
    }

    #[test]
    fn statuses_mean_what_the_api_says() {
        assert_eq!(read_feed(&reply(410, "")), Ok(Feed::Gone));
        for status in [408, 429, 500, 502, 503, 599] {
            let read = read_feed(&reply(status, r#"{"message":"later"}"#));
            let reason = format!("the server answers {status}: later");
            let retry_after = Some(Duration::from_secs(3));
            assert_eq!(read, Err(Trouble::Passing { reason, retry_after }));
        }
        for status in [301, 400, 403, 404, 405] {
            assert!(matches!(read_feed(&reply(status, "")), Err(Trouble::Lasting(_))), "{status}");
        }
        let unauthorized = Trouble::Unauthorized("the server answers 401".to_owned());
        assert_eq!(read_feed(&reply(401, "no JSON")), Err(unauthorized));
        let reason = r#"the server answers 400: {"limit":"is\nno number"}"#.to_owned();
        assert_eq!(
            read_feed(&reply(400, r#"{"message":{"limit":"is\nno number"}}"#)),
            Err(Trouble::Lasting(reason))
        );
    }

    #[test]
    fn a_log_in_is_granted_refused_or_not_answered() {
        let granted = read_token(&reply(200, r#"{"access_token":"secret","role":3}"#)).unwrap();
        assert_eq!(granted.expose_secret(), "secret");
        let refused = read_token(&reply(401, r#"{"message":"wrong"}"#)).unwrap_err();
        let reason = "the log-in was refused: the server answers 401: wrong".to_owned();
        assert_eq!(refused, Trouble::Lasting(reason));
        assert!(matches!(read_token(&reply(400, "")), Err(Trouble::Lasting(_))));
        assert!(matches!(read_token(&reply(429, "")), Err(Trouble::Passing { retry_after: Some(_), .. })));
        let broken = read_token(&reply(200, r#"{"access_token":{"a":"secret"}}"#)).unwrap_err();
        assert!(!format!("{broken:?}").contains("secret"));
    }

    #[test]
    fn messages_do_not_drive_the_terminal() {
        let said = message("{\"message\":\"\\u001b[31m\\n\u{85}x\"}".as_bytes());
        assert_eq!(said, ":  [31m  x");
        assert_eq!(
            message(format!("{{\"message\":\"{}\"}}", "я".repeat(1000)).as_bytes()).chars().count(),
            302
        );
    }

    #[test]
    fn retry_after_is_in_seconds() {
        assert_eq!(retry_after(" 5 "), Some(Duration::from_secs(5)));
        assert_eq!(retry_after("-1"), None);
        assert_eq!(retry_after("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }
}
