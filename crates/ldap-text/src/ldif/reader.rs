//! Reading LDIF, one record at a time.
//!
//! The reader holds one record, never the text. After an error it yields nothing more: where the next record
//! starts is then a guess, and a guess could apply half a change.

use std::collections::HashMap;
use std::io::BufRead;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::{LdifError, LdifReason};
use super::lines::Lines;
use super::record::{Attribute, Change, ChangeRecord, Entry, Modification, ModifyKind, Record};
use super::value::Value;
use crate::attribute::{AttributeName, AttributeNameError};
use crate::dn::{Dn, Rdn};

/// The largest record read, in bytes: a group of 300,000 members with names of 128 bytes. Each line counts
/// 40 bytes more than its text and each attribute 256, about what holding them takes, so that many short lines can't grow into much more memory than this.
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
    line: Vec<u8>,
    /// What the current record has taken so far.
    size: usize,
    started: bool,
    finished: bool,
}

enum Line {
    Field(AttributeName, Vec<u8>),
    /// The `-` between modifications.
    Dash,
    /// A blank line or the end of the input.
    End,
}

impl<R: BufRead> LdifReader<R> {
    /// A reader of this input.
    pub fn new(input: R) -> Self {
        Self { lines: Lines::new(input), line: Vec::new(), size: 0, started: false, finished: false }
    }

    fn record(&mut self) -> Result<Option<Record>, LdifReason> {
        self.size = 0;
        let Some((mut name, mut value)) = self.first_field()? else { return Ok(None) };
        if !self.started && is(&name, "version") {
            if value != b"1" {
                return Err(LdifReason::Version);
            }
            self.started = true;
            match self.first_field()? {
                Some(field) => (name, value) = field,
                None => return Ok(None),
            }
        }
        self.started = true;
        if !is(&name, "dn") {
            return Err(LdifReason::Expected("a record starts with its name: `dn:`"));
        }
        let dn = Dn::parse(&text(value)?)?;
        Ok(Some(match self.line()? {
            Line::Field(name, value) if is(&name, "changetype") => {
                Record::Change(ChangeRecord { dn, change: self.change(&text(value)?)? })
            }
            line => Record::Entry(Entry { dn, attributes: self.attributes(line)? }),
        }))
    }

    fn change(&mut self, kind: &str) -> Result<Change, LdifReason> {
        match kind.to_ascii_lowercase().as_str() {
            "add" => {
                let first = self.line()?;
                self.attributes(first).map(Change::Add)
            }
            "modify" => self.modifications().map(Change::Modify),
            "modrdn" | "moddn" => self.rename(),
            "delete" => self.end().map(|()| Change::Delete),
            _ => Err(LdifReason::ChangeType),
        }
    }

    /// Values to the end of the record, gathered by name. Lines of one attribute needn't stand together.
    fn attributes(&mut self, first: Line) -> Result<Vec<Attribute>, LdifReason> {
        let mut attributes: Vec<Attribute> = Vec::new();
        let mut places: HashMap<AttributeName, usize> = HashMap::new();
        let mut line = first;
        loop {
            let (name, value) = match line {
                Line::End => return Ok(attributes),
                Line::Dash => return Err(LdifReason::Expected("an attribute and its value")),
                Line::Field(name, value) => (name, Value::Plain(value)),
            };
            refuse_reserved(&name)?;
            let place = match attributes.last() {
                Some(last) if last.name == name => Some(attributes.len() - 1),
                _ => places.get(&name).copied(),
            };
            if let Some(attribute) = place.and_then(|place| attributes.get_mut(place)) {
                attribute.values.push(value);
            } else {
                self.count(ATTRIBUTE_COST)?;
                places.insert(name.clone(), attributes.len());
                attributes.push(Attribute { name, values: vec![value] });
            }
            line = self.line()?;
        }
    }

    fn modifications(&mut self) -> Result<Vec<Modification>, LdifReason> {
        let mut modifications = Vec::new();
        loop {
            let (word, name) = match self.line()? {
                Line::End => return Ok(modifications),
                Line::Field(word, name) => (word, name),
                Line::Dash => return Err(LdifReason::Expected("`add:`, `delete:` or `replace:`")),
            };
            let kind = match word.as_str().to_ascii_lowercase().as_str() {
                "add" => ModifyKind::Add,
                "delete" => ModifyKind::Delete,
                "replace" => ModifyKind::Replace,
                _ => return Err(LdifReason::Expected("`add:`, `delete:` or `replace:`")),
            };
            self.count(ATTRIBUTE_COST)?;
            let name = AttributeName::parse(&text(name)?)?;
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
    fn values(&mut self, expected: &AttributeName) -> Result<(Vec<Value>, bool), LdifReason> {
        let mut values = Vec::new();
        loop {
            match self.line()? {
                Line::End => return Ok((values, true)),
                Line::Dash => return Ok((values, false)),
                Line::Field(name, value) if name == *expected => values.push(Value::Plain(value)),
                Line::Field(..) => {
                    return Err(LdifReason::Expected("a value of the attribute named above, or `-`"));
                }
            }
        }
    }

    fn rename(&mut self) -> Result<Change, LdifReason> {
        let new_rdn = match self.line()? {
            Line::Field(name, value) if is(&name, "newrdn") => Rdn::parse(&text(value)?)?,
            _ => return Err(LdifReason::Expected("`newrdn:`")),
        };
        let delete_old_rdn = match self.line()? {
            Line::Field(name, value) if is(&name, "deleteoldrdn") && value == b"0" => false,
            Line::Field(name, value) if is(&name, "deleteoldrdn") && value == b"1" => true,
            _ => return Err(LdifReason::Expected("`deleteoldrdn:` with 0 or 1")),
        };
        let new_superior = match self.line()? {
            Line::End => None,
            Line::Field(name, value) if is(&name, "newsuperior") => {
                let parent = Dn::parse(&text(value)?)?;
                self.end()?;
                Some(parent)
            }
            _ => return Err(LdifReason::Expected("`newsuperior:` or a blank line")),
        };
        Ok(Change::Rename { new_rdn, delete_old_rdn, new_superior })
    }

    fn end(&mut self) -> Result<(), LdifReason> {
        match self.line()? {
            Line::End => Ok(()),
            _ => Err(LdifReason::Expected("a blank line")),
        }
    }

    /// The first line of a record; `None` at the end of the input.
    fn first_field(&mut self) -> Result<Option<(AttributeName, Vec<u8>)>, LdifReason> {
        while self.lines.next(&mut self.line)? {
            if !self.line.is_empty() {
                self.count(self.line.len())?;
                return field(&self.line).map(Some);
            }
        }
        Ok(None)
    }

    fn line(&mut self) -> Result<Line, LdifReason> {
        if !self.lines.next(&mut self.line)? || self.line.is_empty() {
            return Ok(Line::End);
        }
        self.count(self.line.len() + LINE_COST)?;
        if self.line == b"-" {
            return Ok(Line::Dash);
        }
        let (name, value) = field(&self.line)?;
        if is(&name, "control") { Err(LdifReason::Control) } else { Ok(Line::Field(name, value)) }
    }

    fn count(&mut self, bytes: usize) -> Result<(), LdifReason> {
        self.size += bytes;
        if self.size > MAX_RECORD_SIZE { Err(LdifReason::RecordTooLong) } else { Ok(()) }
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
        record.map_err(|reason| LdifError { line: self.lines.number, reason }).transpose()
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

fn text(value: Vec<u8>) -> Result<String, LdifReason> {
    String::from_utf8(value).map_err(|_| LdifReason::NotText)
}

/// Takes a line apart at its first colon.
fn field(line: &[u8]) -> Result<(AttributeName, Vec<u8>), LdifReason> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(LdifReason::NoColon)?;
    let (name, value) = line.split_at(colon);
    let name = AttributeName::parse(str::from_utf8(name).map_err(|_| AttributeNameError)?)?;
    let value = match value {
        [b':', b'<', ..] => return Err(LdifReason::Url),
        [b':', b':', base64 @ ..] => STANDARD.decode(base64.trim_ascii()).map_err(|_| LdifReason::Base64)?,
        [b':', plain @ ..] if !plain.iter().any(|byte| matches!(byte, 0 | b'\r')) => {
            let start = plain.iter().take_while(|byte| **byte == b' ').count();
            plain.get(start..).unwrap_or_default().to_vec()
        }
        _ => return Err(LdifReason::Character),
    };
    Ok((name, value))
}
