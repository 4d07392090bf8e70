//! vCard 4.0 (RFC 6350).
//!
//! Covers the fields of a contact: `UID`, `KIND`, `FN`, `N`, `ORG`, `TITLE`, `CATEGORIES` (the group of a resource),
//! `EMAIL`, `TEL`, `ADR` (the city), `IMPP` (Skype), `X-TELEGRAM`, `NOTE`, `PHOTO` of users (a `data:` URI), and
//! `MEMBER` of lists. Lines are folded at 75 octets, never inside a character. Commas, semicolons, backslashes and line
//! breaks are escaped in every text.
//!
//! vCard has one kind of line break and no control character except the tab. So CR, LF, CRLF and the line ends of
//! Unicode all become `\n`, because some readers also split at the latter; other control characters become blanks.

use super::Besides;
use base64::{Engine, prelude::BASE64_STANDARD};
use mail_model::contact::{Contact, Kind};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt::Write as _;

/// The octets in a line without its line break (RFC 6350, section 3.2).
const WIDTH: usize = 75;

/// The characters that need no escape in an address in a URI (RFC 6068, section 2) and in any part of a URI.
const KEPT_IN_URI: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@').remove(b'+');

/// Writes cards. It reuses the memory of one line.
#[derive(Debug, Default)]
pub(super) struct Cards {
    line: String,
}

impl Cards {
    pub(super) fn card(&mut self, out: &mut Vec<u8>, contact: &Contact, besides: Besides<'_>) {
        out.extend_from_slice(b"BEGIN:VCARD\r\nVERSION:4.0\r\n");
        // Writing to a String does not fail.
        let _written = write!(self.start("UID:urn:uuid:"), "{}", contact.id);
        self.end(out);
        self.start(kind(contact.kind));
        self.end(out);
        self.names(out, contact);
        self.work(out, contact);
        self.ways_to_reach(out, contact);
        self.text(out, "NOTE:", contact.description.as_ref());
        if let Some(photo) = besides.photo {
            // A URI (section 6.2.4): its comma and semicolon are not escaped.
            BASE64_STANDARD.encode_string(photo.bytes(), self.start("PHOTO:data:image/jpeg;base64,"));
            self.end(out);
        }
        if contact.kind == Kind::List {
            for mail in besides.members {
                self.uri(out, "MEMBER:mailto:", Some(mail));
            }
        }
        out.extend_from_slice(b"END:VCARD\r\n");
    }

    fn names(&mut self, out: &mut Vec<u8>, contact: &Contact) {
        self.text(out, "FN:", Some(&contact.display_name));
        let parts = [&contact.sn, &contact.cn, &contact.initials];
        if parts.iter().any(|part| part.is_some()) {
            let line = self.start("N:");
            for part in parts {
                push_text(line, part.as_deref().unwrap_or_default());
                line.push(';');
            }
            // There are no prefixes and suffixes.
            line.push(';');
            self.end(out);
        }
    }

    fn work(&mut self, out: &mut Vec<u8>, contact: &Contact) {
        // The name of the organisation is unknown; only the department is known.
        self.text(out, "ORG:;", contact.ou.as_ref());
        self.text(out, "TITLE:", contact.title.as_ref());
        self.text(out, "CATEGORIES:", contact.group.as_ref());
    }

    fn ways_to_reach(&mut self, out: &mut Vec<u8>, contact: &Contact) {
        self.text(out, "EMAIL;PREF=1:", Some(&contact.mail));
        for alias in &contact.alias {
            self.text(out, "EMAIL:", Some(alias));
        }
        self.text(out, "TEL;VALUE=text;TYPE=work:", contact.telephone_number.as_ref());
        self.text(out, "TEL;VALUE=text;TYPE=home:", contact.home_phone.as_ref());
        self.text(out, "TEL;VALUE=text;TYPE=cell:", contact.mobile.as_ref());
        if let Some(city) = &contact.l {
            let line = self.start("ADR;TYPE=work:;;;");
            push_text(line, city);
            line.push_str(";;;");
            self.end(out);
        }
        self.uri(out, "IMPP:skype:", contact.skype.as_ref());
        self.text(out, "X-TELEGRAM:", contact.telegram.as_ref());
    }

    fn text(&mut self, out: &mut Vec<u8>, start: &str, text: Option<&String>) {
        if let Some(text) = text {
            push_text(self.start(start), text);
            self.end(out);
        }
    }

    fn uri(&mut self, out: &mut Vec<u8>, start: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.start(start).extend(utf8_percent_encode(text, KEPT_IN_URI));
            self.end(out);
        }
    }

    fn start(&mut self, start: &str) -> &mut String {
        self.line.clear();
        self.line.push_str(start);
        &mut self.line
    }

    fn end(&self, out: &mut Vec<u8>) {
        let mut rest = self.line.as_str();
        let mut width = WIDTH;
        while rest.len() > width {
            let (line, after) = rest.split_at(boundary(rest, width));
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n ");
            rest = after;
            // The leading blank counts.
            width = WIDTH - 1;
        }
        out.extend_from_slice(rest.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::User | Kind::Contact => "KIND:individual",
        Kind::List => "KIND:group",
        Kind::Resource => "KIND:location",
    }
}

/// The last offset up to `width` that does not split a character; characters have at most four octets.
fn boundary(text: &str, width: usize) -> usize {
    (0..=width).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(width)
}

fn push_text(line: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(is_special) {
        let (plain, special) = rest.split_at(at);
        line.push_str(plain);
        let mut characters = special.chars();
        match characters.next() {
            Some(c @ (',' | ';' | '\\')) => line.extend(['\\', c]),
            Some('\r') => {
                line.push_str("\\n");
                if let Some(after) = characters.as_str().strip_prefix('\n') {
                    characters = after.chars();
                }
            }
            Some('\n' | '\u{85}' | '\u{2028}' | '\u{2029}') => line.push_str("\\n"),
            _ => line.push(' '),
        }
        rest = characters.as_str();
    }
    line.push_str(rest);
}

fn is_special(c: char) -> bool {
    matches!(c, ',' | ';' | '\\' | '\u{2028}' | '\u{2029}') || (c.is_control() && c != '\t')
}
