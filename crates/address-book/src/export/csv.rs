//! A table with a header (RFC 4180): commas, CRLF, quotation marks if necessary.
//!
//! The table is meant for spreadsheets:
//!
//! - It begins with U+FEFF. Without this mark Excel reads UTF-8 as the system's code page and garbles every Russian
//!   name.
//! - **No cell starts a formula**: an apostrophe is inserted before a leading `=`, `+`, `-`, `@` (or its full-width
//!   twin), tab or line break, which makes the cell a text. The same applies after every comma, semicolon, tab and line
//!   break in a cell: a Russian Excel splits at semicolons when such a file is opened by a double click, and the text
//!   after one would start a cell. Blanks and apostrophes in between change nothing. To recover the original text,
//!   remove one apostrophe before each such character.
//!
//! Control characters except tabs and line breaks become blanks. Further addresses share one cell, separated by commas.

use mail_model::contact::Contact;
use std::borrow::Cow;

type Column = (&'static str, fn(&Contact) -> Option<Cow<'_, str>>);

/// The columns, most wanted first.
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
    // New columns come last, because readers may address the others by position.
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

/// Nearly every row fits into the buffer; a larger one costs a second copy.
const BUFFER: usize = 1024;

fn record<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = &'a [u8]>) {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).buffer_capacity(BUFFER).from_writer(out);
    // Writing to a Vec does not fail.
    let _written = writer.write_record(cells).and_then(|()| writer.flush().map_err(Into::into));
}

/// The position of a character within a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RowState {
    CellStart,
    AfterSeparator,
    Inside,
}

impl RowState {
    /// Whether a spreadsheet reads a formula if this character is in this position.
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

/// The text with apostrophes, so that it starts no formula wherever a spreadsheet may begin a cell.
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

/// The written form of a character.
fn written(c: char) -> char {
    if c.is_control() && !matches!(c, '\t' | '\r' | '\n') { ' ' } else { c }
}

/// Whether the exported table has a column.
#[must_use]
pub fn has_column(name: &str) -> bool {
    COLUMNS.iter().any(|(column, _)| *column == name)
}

/// The text of a cell without the apostrophes that an export inserts. In a cell from another program, apostrophes at
/// the same positions are removed too.
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

/// The text after an export and an import: unchanged except for control characters.
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
