//! Contact files, parsed strictly by the documents of the formats, as other programs read them.

use base64::{Engine, prelude::BASE64_STANDARD};

/// The rows of a table (RFC 4180).
#[track_caller]
pub(crate) fn csv(text: &str) -> Vec<Vec<String>> {
    // Spreadsheets need the mark.
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut rows, mut row) = (Vec::new(), Vec::new());
    while !rest.is_empty() {
        let (cell, after) = rest.strip_prefix('"').map_or_else(|| bare_cell(rest), quoted_cell);
        row.push(cell);
        if let Some(next) = after.strip_prefix(',') {
            rest = next;
            continue;
        }
        rest = after.strip_prefix("\r\n").unwrap_or_else(|| panic!("no end of a row: {after}"));
        rows.push(std::mem::take(&mut row));
    }
    assert!(row.is_empty(), "the last row has no end");
    rows
}

/// A cell without quotation marks, and the rest.
#[track_caller]
fn bare_cell(text: &str) -> (String, &str) {
    let (cell, rest) = text.split_at(text.find([',', '\r', '\n']).unwrap_or(text.len()));
    assert!(!cell.contains('"'), "a quotation mark in a bare cell: {cell}");
    (cell.to_owned(), rest)
}

/// A cell after its first quotation mark, and the rest.
#[track_caller]
fn quoted_cell(text: &str) -> (String, &str) {
    let (mut cell, mut rest) = (String::new(), text);
    loop {
        let (inside, after) = rest.split_once('"').expect("a cell is closed");
        cell.push_str(inside);
        match after.strip_prefix('"') {
            Some(more) => {
                cell.push('"');
                rest = more;
            }
            None => return (cell, after),
        }
    }
}

/// The entries of a file (RFC 2849): names and values, the DN first.
#[track_caller]
pub(crate) fn ldif(text: &str) -> Vec<Vec<(String, String)>> {
    let text = text.replace("\r\n", "\n").replace("\n ", "");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("version:"));
    let lines = lines.inspect(|line| assert!(line.is_ascii(), "not in base64: {line}"));
    let mut entries: Vec<Vec<(String, String)>> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no line of LDIF: {line}"));
        let value = match value.strip_prefix(':') {
            Some(encoded) => String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).unwrap()).unwrap(),
            None => value.trim_start().to_owned(),
        };
        if name == "dn" {
            entries.push(Vec::new());
        }
        entries.last_mut().expect("an entry begins with its DN").push((name.to_owned(), value));
    }
    entries
}

/// A vCard (RFC 6350).
pub(crate) struct Card {
    pub(crate) lines: Vec<Line>,
}

/// A property of a vCard.
#[derive(Debug)]
pub(crate) struct Line {
    /// In capitals.
    pub(crate) name: String,
    pub(crate) parameters: String,
    /// In its escaped form.
    pub(crate) value: String,
}

impl Line {
    /// The value as a text.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        assert!(!self.parts(';').1 && !self.parts(',').1, "a separator is not escaped: {self:?}");
        unescaped(&self.value)
    }

    /// The value split at separators that are not escaped, and whether there are any.
    fn parts(&self, separator: char) -> (Vec<String>, bool) {
        let mut parts = vec![String::new()];
        let mut characters = self.value.chars();
        while let Some(c) = characters.next() {
            match c {
                '\\' => {
                    parts
                        .last_mut()
                        .unwrap()
                        .extend(['\\', characters.next().expect("an escaped character")]);
                }
                c if c == separator => parts.push(String::new()),
                c => parts.last_mut().unwrap().push(c),
            }
        }
        let several = parts.len() > 1;
        (parts, several)
    }
}

fn unescaped(value: &str) -> String {
    let mut text = String::new();
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(c @ ('\\' | ',' | ';')) => text.push(c),
                other => panic!("no escape: \\{other:?} in {value}"),
            },
            c => text.push(c),
        }
    }
    text
}

impl Card {
    /// The properties with a name.
    pub(crate) fn all(&self, name: &str) -> Vec<&Line> {
        self.lines.iter().filter(|line| line.name == name).collect()
    }

    /// The escaped value of the only property with a name.
    #[track_caller]
    pub(crate) fn one(&self, name: &str) -> &str {
        let lines = self.all(name);
        assert_eq!(lines.len(), 1, "{name}: {lines:?}");
        &lines[0].value
    }

    /// The text of the only property with a name; empty if there is none.
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        let lines = self.all(name);
        assert!(lines.len() <= 1, "{name}: {lines:?}");
        lines.first().map(|line| line.text()).unwrap_or_default()
    }

    /// The components of the only property with a name.
    #[track_caller]
    pub(crate) fn components(&self, name: &str) -> Vec<String> {
        let lines = self.all(name);
        assert_eq!(lines.len(), 1, "{name}: {lines:?}");
        lines[0].parts(';').0.iter().map(|part| unescaped(part)).collect()
    }
}

/// The vCards of a file.
#[track_caller]
pub(crate) fn vcards(text: &str) -> Vec<Card> {
    let unfolded = text.replace("\r\n ", "").replace("\r\n\t", "");
    let mut cards = Vec::new();
    let mut lines: Option<Vec<Line>> = None;
    for line in unfolded.split_terminator("\r\n") {
        match (line, &mut lines) {
            ("BEGIN:VCARD", None) => lines = Some(Vec::new()),
            ("END:VCARD", Some(_)) => cards.push(Card { lines: lines.take().unwrap() }),
            (line, Some(lines)) => lines.push(property(line)),
            (line, None) => panic!("outside of a vCard: {line}"),
        }
    }
    assert!(lines.is_none(), "the last vCard has no end");
    for card in &cards {
        assert_eq!(card.lines[0].name, "VERSION", "the version comes first");
    }
    cards
}

#[track_caller]
fn property(line: &str) -> Line {
    let (head, value) = line.split_once(':').unwrap_or_else(|| panic!("no property: {line}"));
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    Line { name: name.to_uppercase(), parameters: parameters.to_owned(), value: value.to_owned() }
}
