//! Reading LDIF, one record at a time.
//!
//! The reader holds one record at a time, never the whole text. If a name or a value can't be read, only its record is
//! lost, and the reader continues with the next one. After any other error it stops: the start of the next record
//! would then be a guess, and a wrong guess could apply half of a change.

mod changes;

use std::io::BufRead;

use super::error::{Flaw, LdifError, LdifReason};
use super::field::{self, Field};
use super::gathering::Gathering;
use super::lines::{Lines, MAX_LINE_LENGTH};
use super::names::Names;
use super::record::{Attribute, Change, ChangeRecord, Entry, Record};
use super::shown;
use super::value::Value;
use crate::attribute::AttributeName;
use crate::dn::{Dn, DnError};

/// The largest record that is read, in bytes: a group of 300,000 members with DNs of 128 bytes. Each line counts 40
/// bytes more than its text and each attribute 256, which is about the memory that they take, so that many short lines
/// can't take much more memory than this.
pub const MAX_RECORD_SIZE: usize = 64 * 1024 * 1024;
/// A value in its vector, and the smallest allocation.
const LINE_COST: usize = size_of::<Value>() + 16;
/// The attribute, room for its first values, and its entry in the index, with a copy of the name.
const ATTRIBUTE_COST: usize = 256;

/// Reads records of LDIF from an input. See the [module](super) for the forms that it refuses.
///
/// Values come as [`Value::Plain`]; [`is_secret`](super::is_secret) tells which of them must not be shown.
#[derive(Debug)]
pub struct LdifReader<R> {
    lines: Lines<R>,
    names: Names,
    /// The line at which the current record starts.
    start: u64,
    /// The size of the current record so far.
    size: usize,
    /// The number of attributes of the last record: the next one is probably of the same kind.
    count: usize,
    started: bool,
    place: Place,
    /// The DN of a record that can't be read, if the DN can.
    spoilt_name: Option<Dn>,
    /// Whether no input follows the last record.
    is_unended: bool,
    /// The largest record that is read.
    largest: usize,
}

/// The state of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before a record.
    Between,
    /// Within a record, before one of its lines.
    Inside,
    /// Within a record that can't be read.
    Spoilt,
    /// At the end, or after an error that ends the reading.
    Over,
}

/// The content of a record.
enum Content {
    Entry(Vec<Attribute>),
    Change(Change),
}

enum Line {
    Field(Field),
    /// The `-` between modifications.
    Dash,
    /// A blank line or the end of the input.
    End,
}

impl<R: BufRead> LdifReader<R> {
    /// Creates a reader of an input.
    pub fn new(input: R) -> Self {
        Self::with_limit(input, MAX_RECORD_SIZE)
    }

    /// Creates a reader that accepts records of at most `largest` bytes, counted as in [`MAX_RECORD_SIZE`], and no
    /// longer line.
    pub fn with_limit(input: R, largest: usize) -> Self {
        let (lines, names) = (Lines::new(input, largest.min(MAX_LINE_LENGTH)), Names::default());
        Self {
            lines,
            names,
            start: 0,
            size: 0,
            count: 0,
            started: false,
            place: Place::Between,
            spoilt_name: None,
            is_unended: false,
            largest,
        }
    }

    /// The size of the record that was read last, about as many bytes as it takes in memory.
    pub fn record_size(&self) -> usize {
        self.size
    }

    /// The line, counted from 1, at which the last record starts, readable or not.
    pub fn record_line(&self) -> u64 {
        self.start
    }

    /// Whether, after an error, the reader continues with the next record.
    pub fn goes_on(&self) -> bool {
        self.place == Place::Spoilt
    }

    /// Whether no input follows the last record, readable or not, not even the empty line that ends it. If the input
    /// was truncated, this record may be incomplete.
    pub fn is_unended(&self) -> bool {
        self.is_unended
    }

    /// The DN of the record that could not be read, if the DN can.
    pub fn take_spoilt_name(&mut self) -> Option<Dn> {
        self.spoilt_name.take()
    }

    fn record(&mut self) -> Result<Option<Record>, Flaw> {
        self.place = Place::Between;
        let Some(mut name) = self.first_field()? else { return Ok(None) };
        if !self.started && is(&name.name, "version") {
            if name.value != b"1" {
                return Err(LdifReason::Version.at(name.at));
            }
            self.started = true;
            match self.first_field()? {
                Some(field) => name = field,
                None => return Ok(None),
            }
        }
        self.started = true;
        if !is(&name.name, "dn") {
            return Err(LdifReason::Expected("a record starts with its name: `dn:`").into());
        }
        let dn = name.parsed(Dn::parse)?;
        match self.content() {
            Ok(Content::Entry(attributes)) => Ok(Some(Record::Entry(Entry { dn, attributes }))),
            Ok(Content::Change(change)) => Ok(Some(Record::Change(ChangeRecord { dn, change }))),
            Err(flaw) => {
                self.spoilt_name = Some(dn);
                Err(flaw)
            }
        }
    }

    /// The content after the DN.
    fn content(&mut self) -> Result<Content, Flaw> {
        match self.line()? {
            Line::Field(field) if is(&field.name, "changetype") => self.change(&field).map(Content::Change),
            line => self.attributes(line).map(Content::Entry),
        }
    }

    /// Skips the rest of a record that can't be read.
    fn skip_rest(&mut self) -> Result<(), Flaw> {
        while self.lines.next()? && !self.lines.text().is_empty() {
            let line = self.lines.text();
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            // The name itself is not needed. But if the next line can't be read, it matters whether the last one was a
            // password.
            let _name = self.names.get(name);
        }
        Ok(())
    }

    /// Values to the end of the record.
    fn attributes(&mut self, first: Line) -> Result<Vec<Attribute>, Flaw> {
        let mut attributes = Gathering::with_room(self.count);
        let mut line = first;
        loop {
            let (name, value) = match line {
                Line::End => break,
                Line::Dash => return Err(LdifReason::Expected("an attribute and its value").into()),
                Line::Field(field) => (field.name, Value::Plain(field.value)),
            };
            if let Some(values) = attributes.values_mut(&name) {
                values.push(value);
            } else {
                refuse_reserved(&name)?;
                self.take(ATTRIBUTE_COST)?;
                attributes.push(name, value);
            }
            line = self.line()?;
        }
        let attributes = attributes.into_attributes();
        self.count = attributes.len();
        Ok(attributes)
    }

    /// The first line of a record; `None` at the end of the input.
    fn first_field(&mut self) -> Result<Option<Field>, Flaw> {
        while self.lines.next()? {
            self.start = self.lines.number();
            self.size = 0;
            if self.lines.text().is_empty() {
                continue;
            }
            self.take(self.lines.text().len())?;
            let word = self.lines.text().split(|byte| *byte == b':').next();
            if word.is_some_and(|word| word.eq_ignore_ascii_case(b"dn")) {
                self.place = Place::Inside;
            }
            let field = field::parse(self.lines.text(), &mut self.names)?;
            // References of ldapsearch to other servers: a block of these is not a record.
            let is_reference = is(&field.name, "ref");
            if !is_reference && !is(&field.name, "search") {
                return Ok(Some(field));
            }
            // The result of the search, which ldapsearch prints after the entries.
            while self.lines.next()? && !self.lines.text().is_empty() {
                if is_reference && !self.lines.text().to_ascii_lowercase().starts_with(b"ref:") {
                    return Err(LdifReason::Expected("a record starts with its name: `dn:`").into());
                }
                // A search that exceeded a limit has returned only some of the entries.
                let result = self.lines.text().strip_prefix(b"result: ");
                if result.is_some_and(|result| result != b"0" && !result.starts_with(b"0 ")) {
                    return Err(LdifReason::SearchFailed.into());
                }
            }
        }
        Ok(None)
    }

    fn line(&mut self) -> Result<Line, Flaw> {
        if !self.lines.next()? {
            self.is_unended = true;
            return Ok(Line::End);
        }
        if self.lines.text().is_empty() {
            return Ok(Line::End);
        }
        self.take(self.lines.text().len() + LINE_COST)?;
        if self.lines.text() == b"-" {
            return Ok(Line::Dash);
        }
        let field = field::parse(self.lines.text(), &mut self.names)?;
        if is(&field.name, "control") { Err(LdifReason::Control.into()) } else { Ok(Line::Field(field)) }
    }

    fn take(&mut self, bytes: usize) -> Result<(), Flaw> {
        self.size += bytes;
        if self.size > self.largest { Err(LdifReason::RecordTooLong(self.largest).into()) } else { Ok(()) }
    }

    fn error(&self, flaw: Flaw) -> LdifError {
        let (line, column) = self.lines.position(flaw.at);
        let text = self.lines.text().get(flaw.at..).filter(|text| !text.is_empty() && !self.is_secret());
        LdifError { line, column, text: text.map(shown::excerpt), reason: flaw.reason }
    }

    /// Whether the current line belongs to a password, or follows one: a line that can't be read may be the rest of
    /// it.
    fn is_secret(&self) -> bool {
        let line = self.lines.text();
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        shown::may_be_secret(&String::from_utf8_lossy(name))
            || self.names.last().is_some_and(|name| shown::may_be_secret(name.as_str()))
    }
}

impl<R: BufRead> Iterator for LdifReader<R> {
    type Item = Result<Record, LdifError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = match self.place {
            Place::Over => return None,
            Place::Spoilt => self.skip_rest(),
            Place::Between | Place::Inside => Ok(()),
        };
        self.spoilt_name = None;
        self.is_unended = false;
        let record = rest.and_then(|()| self.record());
        self.place = match &record {
            Ok(Some(_)) => Place::Between,
            Err(flaw) if self.place == Place::Inside && flaw.reason.is_of_one_record() => Place::Spoilt,
            Ok(None) | Err(_) => Place::Over,
        };
        if record.is_err() {
            self.is_unended = self.lines.is_over();
        }
        record.map_err(|flaw| self.error(flaw)).transpose()
    }
}

impl Field {
    /// The value, parsed as a DN.
    fn parsed<T>(&self, parse: impl FnOnce(&str) -> Result<T, DnError>) -> Result<T, Flaw> {
        let text = str::from_utf8(&self.value).map_err(|_| LdifReason::NotText.at(self.at))?;
        parse(text).map_err(|error| {
            let offset = if self.plain { error.at() } else { 0 };
            LdifReason::from(error).at(self.at + offset)
        })
    }
}

fn is(name: &AttributeName, word: &str) -> bool {
    name.as_str().eq_ignore_ascii_case(word)
}

/// Refuses keywords in the place of attribute names.
fn refuse_reserved(name: &AttributeName) -> Result<(), LdifReason> {
    if is(name, "dn") {
        return Err(LdifReason::Expected("a blank line before the next record"));
    }
    if is(name, "changetype") {
        return Err(LdifReason::Expected("`changetype:` right after `dn:`"));
    }
    Ok(())
}
