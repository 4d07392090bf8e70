//! Messages that pbm itself writes: plain text in UTF-8 (RFC 5322, RFC 2045 to 2047).

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{Timestamp, fmt::rfc2822};
use std::fmt::Write;

/// Characters of a line of base64 (RFC 2045 section 6.8).
const LINE: usize = 76;
/// Bytes of text in an encoded word: 39 of them are 52 characters of base64, and with `Subject: =?UTF-8?B?` and `?=`
/// fewer than the 76 that a line may have (RFC 2047 section 2).
const WORD: usize = 39;

/// A message from a user to the same user.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The address of the user.
    pub address: &'a str,
    /// A text that no other message has, for its Message-ID.
    pub unique: &'a str,
    /// The time.
    pub at: Timestamp,
    /// The subject.
    pub subject: &'a str,
    /// The text.
    pub text: &'a str,
}

impl Report<'_> {
    /// The message. Texts are encoded, so they cannot add a header; control characters are dropped from the address and
    /// the unique text, which are ASCII by their types.
    #[must_use]
    pub fn to_message(&self) -> String {
        let plain = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
        let address = plain(self.address);
        let domain = address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let date = rfc2822::to_string(&self.at.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default();
        format!(
            "Date: {date}\r\nFrom: <{address}>\r\nTo: <{address}>\r\nMessage-ID: <{}@{domain}>\r\nSubject: {}\r\n\
             Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}",
            plain(self.unique),
            encoded_words(self.subject),
            body(self.text)
        )
    }
}

/// A text as encoded words, one on each line.
fn encoded_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for character in text.chars() {
        if words.last().is_some_and(|word| word.len() + character.len_utf8() > WORD) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    let words = words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

fn body(text: &str) -> String {
    let encoded = STANDARD.encode(text);
    let mut lines = String::new();
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(LINE.min(rest.len()));
        // Writing to a String cannot fail.
        let _ = write!(lines, "{line}\r\n");
        rest = after;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_leave_their_place() {
        let subject = "Отзыв\r\nBcc: все@x.test и ещё много слов, больше чем на одну строку";
        let text = "строка\r\n\r\n.\r\n".repeat(20);
        let address = "ivan@a.test\r\nBcc: x@y.test";
        let report = Report { address, unique: "1\n2", at: Timestamp::UNIX_EPOCH, subject, text: &text };
        let message = report.to_message();
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        assert!(message.is_ascii() && !head.contains("\nBcc"));
        assert!(message.lines().all(|line| line.len() <= 76), "{message}");
        assert!(head.contains("Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"), "{head}");
        assert!(head.contains("\r\nMessage-ID: <12@y.test>\r\n"), "{head}");
        let decoded = STANDARD.decode(body.replace("\r\n", "")).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), text);
    }

    #[test]
    fn a_long_subject_is_divided_between_characters() {
        let subject = "ж".repeat(50);
        let words = encoded_words(&subject);
        let parts = words.split("\r\n ").map(|word| {
            let inner = word.strip_prefix("=?UTF-8?B?").unwrap().strip_suffix("?=").unwrap();
            String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap()
        });
        assert_eq!(parts.collect::<String>(), subject);
    }
}
