//! A table with a header (RFC 4180): commas, CRLF, quotation marks where they are needed.
//!
//! It is meant for spreadsheets, and so
//!
//! - it begins with U+FEFF: without that mark Excel takes UTF-8 for the system's code page and spoils every Russian name;
//! - **no cell starts a formula**: before a first `=`, `+`, `-`, `@` (or its full-width twin), tab or line break an
//!   apostrophe is put, which makes the cell a text. The same is done after every comma, semicolon, tab and line break in a
//!   cell: a Russian Excel splits at semicolons when such a file is opened by a double click, and what stands after one
//!   would start a cell. Blanks and apostrophes in between change nothing. Whoever takes one apostrophe from
//!   before each such character has the text as it was.
//!
//! Control characters become blanks, but for tabs and line breaks. Further addresses stand in one cell, with commas between.

use mail_model::contact::Contact;
use std::borrow::Cow;

type Column = (&'static str, fn(&Contact) -> Option<Cow<'_, str>>);

/// Columns, those that people look for first.
const COLUMNS: [Column; 18] = [
    ("mail", |contact| Some(contact.mail.as_str().into())),
    ("displayName", |contact| Some(contact.display_name.as_str().into())),
    ("sn", |contact| borrowed(contact.sn.as_ref())),
    ("cn", |contact| borrowed(contact.cn.as_ref())),
    ("initials", |contact| borrowed(contact.initials.as_ref())),
    ("ou", |contact| borrowed(contact.ou.as_ref())),
    ("title", |contact| borrowed(contact.title.as_ref())),
    ("telephoneNumber", |contact| borrowed(contact.telephone_number.as_ref())),
    ("homePhone", |contact| borrowed(contact.home_phone.as_ref())),
    ("l", |contact| borrowed(contact.l.as_ref())),
    ("telegram", |contact| borrowed(contact.telegram.as_ref())),
    ("skype", |contact| borrowed(contact.skype.as_ref())),
    ("alias", |contact| Some(contact.alias.join(",").into())),
    ("description", |contact| borrowed(contact.description.as_ref())),
    ("kind", |contact| Some(contact.kind.name().into())),
    ("group", |contact| borrowed(contact.group.as_ref())),
    ("id", |contact| Some(contact.id.to_string().into())),
    // New columns come last: somebody may read the old ones by their places.
    ("mobile", |contact| borrowed(contact.mobile.as_ref())),
];

fn borrowed(text: Option<&String>) -> Option<Cow<'_, str>> {
    text.map(|text| text.as_str().into())
}

pub(super) fn begin(out: &mut Vec<u8>) {
    out.extend_from_slice("\u{feff}".as_bytes());
    record(out, COLUMNS.iter().map(|(name, _)| name.as_bytes()));
}

pub(super) fn row(out: &mut Vec<u8>, contact: &Contact) {
    let cells = COLUMNS.map(|(_, text)| text(contact).map(|text| guarded(&text)).unwrap_or_default());
    record(out, cells.iter().map(String::as_bytes));
}

/// A row fits in the buffer nearly always; a larger one costs a second copy.
const BUFFER: usize = 1024;

fn record<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = &'a [u8]>) {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).buffer_capacity(BUFFER).from_writer(out);
    // A Vec takes whatever is written to it.
    let _written = writer.write_record(cells).and_then(|()| writer.flush().map_err(Into::into));
}

/// Where in a cell a character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RowState {
    CellStart,
    AfterSeparator,
    Inside,
}

impl RowState {
    /// Whether a spreadsheet takes the rest for a formula that begins with this character here.
    fn is_dangerous(self, c: char) -> bool {
        match c {
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' => self != Self::Inside,
            '\t' | '\r' | '\n' => self == Self::CellStart,
            _ => false,
        }
    }

    fn after(self, c: char) -> Self {
        match c {
            ',' | ';' | '\t' | '\r' | '\n' => Self::AfterSeparator,
            '\'' | '"' => self,
            _ if c.is_whitespace() || c.is_control() => self,
            _ => Self::Inside,
        }
    }
}

/// A text that starts no formula wherever a spreadsheet may begin a cell.
fn guarded(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    let mut place = RowState::CellStart;
    for c in text.chars() {
        if place.is_dangerous(c) {
            cell.push('\'');
        }
        place = place.after(c);
        cell.push(written(c));
    }
    cell
}

/// A character as it is written.
fn written(c: char) -> char {
    if c.is_control() && !matches!(c, '\t' | '\r' | '\n') { ' ' } else { c }
}

/// Whether a table of contacts has a column.
#[must_use]
pub fn has_column(name: &str) -> bool {
    COLUMNS.iter().any(|(column, _)| *column == name)
}

/// The text of a cell as an export writes it, without the apostrophes that were put in. A cell that was written by
/// somebody else loses them where an export would have put them.
#[must_use]
pub fn unguarded(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    let mut place = RowState::CellStart;
    for c in cell.chars() {
        if place.is_dangerous(c) && text.ends_with('\'') {
            text.pop();
        }
        place = place.after(c);
        text.push(c);
    }
    text
}

/// What is had back of a text that was exported: itself, but for control characters.
#[must_use]
pub fn had_back(text: &str) -> String {
    text.chars().map(written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_become_texts() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+7 495 000-00-00", "'+7 495 000-00-00"),
            ("-", "'-"),
            ("@ivan", "'@ivan"),
            ("＝1", "'＝1"),
            (" \u{a0}=1", " \u{a0}'=1"),
            ("\t=1", "'\t'=1"),
            ("\r\n=1", "'\r\n'=1"),
            ("\0=1", " '=1"),
            ("a;=1", "a;'=1"),
            ("a, +7;\"=x", "a, '+7;\"'=x"),
            ("a\n=1", "a\n'=1"),
            ("'=1", "''=1"),
            ("d'Artagnan-2 = 2 @ 3", "d'Artagnan-2 = 2 @ 3"),
            ("'Ромашка'", "'Ромашка'"),
            ("Анна-Мария", "Анна-Мария"),
            ("", ""),
        ] {
            assert_eq!(guarded(text), cell, "{text:?}");
            assert_eq!(unguarded(cell), text.replace('\0', " "), "{cell:?}");
        }
    }

    #[test]
    fn what_is_not_guarded_stays_as_it_is() {
        for cell in ["+7 495", "=1", "'Ромашка'", "d'Artagnan", "a;-1", "''", "O'Neil-'x'"] {
            assert_eq!(unguarded(cell), cell);
        }
    }

    proptest! {
        #[test]
        fn the_text_can_be_had_back(text in r#"[-=+@'" ,;а\t\r\n＝\PC]{0,12}"#) {
            let cell = guarded(&text);
            let kept = text.replace(|c: char| c.is_control() && !"\t\r\n".contains(c), " ");
            prop_assert_eq!(unguarded(&cell), kept.clone());
            prop_assert_eq!(had_back(&text), kept);
        }

        #[test]
        fn no_separator_is_followed_by_a_formula(text in r#"[-=+@'" ,;а\t\r\n＝]{0,12}"#) {
            let cell = guarded(&text);
            for part in cell.split([',', ';', '\t', '\r', '\n']) {
                let part = part.trim_matches(|c: char| c.is_whitespace() || c == '"');
                prop_assert!(!part.starts_with(['=', '+', '-', '@', '＝']), "{:?}", cell);
            }
            prop_assert!(!cell.starts_with(['\t', '\r', '\n']), "{:?}", cell);
        }
    }
}
