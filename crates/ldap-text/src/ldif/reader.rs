//! Reading LDIF, one record at a time.
//!
//! The reader holds one record, never the text. After an error it yields nothing more: where the next record
//! starts is then a guess, and a guess could apply half a change.

use std::io::BufRead;

use super::error::{Flaw, LdifError, LdifReason};
use super::field::{self, Field};
use super::gathering::Gathering;
use super::lines::Lines;
use super::names::Names;
use super::record::{Attribute, Change, ChangeRecord, Entry, Modification, ModifyKind, Record};
use super::shown;
use super::value::Value;
use crate::attribute::AttributeName;
use crate::dn::{Dn, DnError, Rdn};

/// The largest record read, in bytes: a group of 300,000 members with names of 128 bytes. Each line counts
/// 40 bytes more than its text and each attribute 256, about what holding them takes, so that many short
/// lines can't grow into much more memory than this.
pub const MAX_RECORD_SIZE: usize = 64 * 1024 * 1024;
/// A value in its vector, and the smallest allocation.
const LINE_COST: usize = size_of::<Value>() + 16;
/// The attribute, room for its first values, and its place in the index, with the name a second time.
const ATTRIBUTE_COST: usize = 256;

/// Reads records of LDIF from an input. See the [module](super) for what it refuses.
///
/// Values come as [`Value::Plain`]; which attributes are secret is for the caller to know.
#[derive(Debug)]
pub struct LdifReader<R> {
    lines: Lines<R>,
    names: Names,
    /// The line at which the current record starts.
    start: u64,
    /// What the current record has taken so far.
    size: usize,
    /// How many attributes the last record had: the next one is likely to be of the same kind.
    count: usize,
    started: bool,
    finished: bool,
}

enum Line {
    Field(Field),
    /// The `-` between modifications.
    Dash,
    /// A blank line or the end of the input.
    End,
}

impl<R: BufRead> LdifReader<R> {
    /// A reader of this input.
    pub fn new(input: R) -> Self {
        let (lines, names) = (Lines::new(input), Names::default());
        Self { lines, names, start: 0, size: 0, count: 0, started: false, finished: false }
    }

    /// The line, counted from 1, at which the record starts that was read last, or that could not be read.
    pub fn record_line(&self) -> u64 {
        self.start
    }

    fn record(&mut self) -> Result<Option<Record>, Flaw> {
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
        Ok(Some(match self.line()? {
            Line::Field(field) if is(&field.name, "changetype") => {
                Record::Change(ChangeRecord { dn, change: self.change(&field)? })
            }
            line => Record::Entry(Entry { dn, attributes: self.attributes(line)? }),
        }))
    }

    fn change(&mut self, kind: &Field) -> Result<Change, Flaw> {
        match kind.value.to_ascii_lowercase().as_slice() {
            b"add" => {
                let first = self.line()?;
                self.attributes(first).map(Change::Add)
            }
            b"modify" => self.modifications().map(Change::Modify),
            b"modrdn" | b"moddn" => self.rename(),
            b"delete" => self.end().map(|()| Change::Delete),
            _ => Err(LdifReason::ChangeType.at(kind.at)),
        }
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

    fn modifications(&mut self) -> Result<Vec<Modification>, Flaw> {
        const EXPECTED: LdifReason = LdifReason::Expected("`add:`, `delete:` or `replace:`");
        let mut modifications = Vec::new();
        loop {
            let field = match self.line()? {
                Line::End => return Ok(modifications),
                Line::Field(field) => field,
                Line::Dash => return Err(EXPECTED.into()),
            };
            let kind = match field.name.as_str().to_ascii_lowercase().as_str() {
                "add" => ModifyKind::Add,
                "delete" => ModifyKind::Delete,
                "replace" => ModifyKind::Replace,
                _ => return Err(EXPECTED.into()),
            };
            self.take(ATTRIBUTE_COST)?;
            let name = self.names.get(&field.value).map_err(|error| LdifReason::from(error).at(field.at))?;
            refuse_reserved(&name)?;
            let (values, ended) = self.values(&name)?;
            modifications.push(Modification { kind, attribute: Attribute { name, values } });
            // The dash after the last one is often forgotten.
            if ended {
                return Ok(modifications);
            }
        }
    }

    /// The values of one modification, and whether the record ended with it.
    fn values(&mut self, expected: &AttributeName) -> Result<(Vec<Value>, bool), Flaw> {
        let mut values = Vec::new();
        loop {
            match self.line()? {
                Line::End => return Ok((values, true)),
                Line::Dash => return Ok((values, false)),
                Line::Field(field) if field.name == *expected => values.push(Value::Plain(field.value)),
                Line::Field(_) => {
                    return Err(LdifReason::Expected("a value of the attribute named above, or `-`").into());
                }
            }
        }
    }

    fn rename(&mut self) -> Result<Change, Flaw> {
        let new_rdn = match self.line()? {
            Line::Field(field) if is(&field.name, "newrdn") => field.parsed(Rdn::parse)?,
            _ => return Err(LdifReason::Expected("`newrdn:`").into()),
        };
        let delete_old_rdn = match self.line()? {
            Line::Field(field) if is(&field.name, "deleteoldrdn") && field.value == b"0" => false,
            Line::Field(field) if is(&field.name, "deleteoldrdn") && field.value == b"1" => true,
            _ => return Err(LdifReason::Expected("`deleteoldrdn:` with 0 or 1").into()),
        };
        let new_superior = match self.line()? {
            Line::End => None,
            Line::Field(field) if is(&field.name, "newsuperior") => {
                let parent = field.parsed(Dn::parse)?;
                self.end()?;
                Some(parent)
            }
            _ => return Err(LdifReason::Expected("`newsuperior:` or a blank line").into()),
        };
        Ok(Change::Rename { new_rdn, delete_old_rdn, new_superior })
    }

    fn end(&mut self) -> Result<(), Flaw> {
        match self.line()? {
            Line::End => Ok(()),
            _ => Err(LdifReason::Expected("a blank line").into()),
        }
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
            let field = field::parse(self.lines.text(), &mut self.names)?;
            if !is(&field.name, "search") {
                return Ok(Some(field));
            }
            // What ldapsearch says after the entries: how the search ended.
            while self.lines.next()? && !self.lines.text().is_empty() {
                // One that met a limit has told only a part.
                let result = self.lines.text().strip_prefix(b"result: ");
                if result.is_some_and(|result| result != b"0" && !result.starts_with(b"0 ")) {
                    return Err(LdifReason::SearchFailed.into());
                }
            }
        }
        Ok(None)
    }

    fn line(&mut self) -> Result<Line, Flaw> {
        if !self.lines.next()? || self.lines.text().is_empty() {
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
        if self.size > MAX_RECORD_SIZE { Err(LdifReason::RecordTooLong.into()) } else { Ok(()) }
    }

    fn error(&self, flaw: Flaw) -> LdifError {
        let (line, column) = self.lines.position(flaw.at);
        let text = self.lines.text().get(flaw.at..).filter(|text| !text.is_empty() && !self.is_secret());
        LdifError { line, column, text: text.map(shown::excerpt), reason: flaw.reason }
    }

    /// Whether the current line is of a password, or follows one: a line that can't be read may be the rest
    /// of it.
    fn is_secret(&self) -> bool {
        let line = self.lines.text();
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        shown::is_secret(&String::from_utf8_lossy(name))
            || self.names.last().is_some_and(|name| shown::is_secret(name.as_str()))
    }
}

impl<R: BufRead> Iterator for LdifReader<R> {
    type Item = Result<Record, LdifError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let record = self.record();
        self.finished = !matches!(record, Ok(Some(_)));
        record.map_err(|flaw| self.error(flaw)).transpose()
    }
}

impl Field {
    /// The value as a name.
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

/// Words that are no attributes where attributes stand.
fn refuse_reserved(name: &AttributeName) -> Result<(), LdifReason> {
    if is(name, "dn") {
        return Err(LdifReason::Expected("a blank line before the next record"));
    }
    if is(name, "changetype") {
        return Err(LdifReason::Expected("`changetype:` right after `dn:`"));
    }
    Ok(())
}
