//! NDJSON: a flat JSON object a line. A line that is not such an object is an error of that row only. As in tables,
//! what an export of the address book contains besides fields is ignored.

use super::{
    MAX_RECORD,
    columns::{self, KIND},
    place::Place,
    rows::{Found, Step},
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use visible_text::is_blank;
use web::{
    answer::Message,
    form::{FormError, Parameters},
};

/// Reads objects from text, in pieces.
pub(super) struct NdjsonRows {
    place: Place,
    /// The line so far, up to the limit.
    line: String,
    too_long: bool,
}

impl NdjsonRows {
    pub(super) fn new() -> Self {
        Self { place: Place::START, line: String::new(), too_long: false }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Reads text up to the end of a line.
    pub(super) fn push(&mut self, text: &str) -> Step {
        let (piece, ended) = match text.split_once('\n') {
            Some((piece, _)) => (piece, true),
            None => (text, false),
        };
        let used = piece.len() + usize::from(ended);
        self.add(piece);
        let number = self.place.line;
        text.bytes().take(used).for_each(|byte| self.place.pass(byte));
        Step { used, found: if ended { self.take_row(number) } else { None } }
    }

    /// Ends the text, and the last line if it has no line break.
    pub(super) fn finish(&mut self) -> Option<Found> {
        self.take_row(self.place.line)
    }

    fn add(&mut self, piece: &str) {
        // The CR of a CRLF does not count.
        self.too_long |= self.line.len() + piece.trim_end_matches('\r').len() > MAX_RECORD;
        if self.too_long {
            self.line.clear();
        } else {
            self.line.push_str(piece);
        }
    }

    fn take_row(&mut self, number: usize) -> Option<Found> {
        let line = std::mem::take(&mut self.line);
        let mut content = if std::mem::take(&mut self.too_long) {
            Err(Message::Text(format!("the line is too long: at most {MAX_RECORD} bytes")))
        } else if is_blank(&line) {
            return None;
        } else {
            object(&line)
        };
        let size = line.len();
        let (is_exported, is_user) = content.as_mut().map_or((false, true), take_exported);
        Some(Found { line: number, size, is_exported, is_user, content: content.and_then(parameters) })
    }
}

fn object(line: &str) -> Result<Map<String, Value>, Message> {
    serde_json::from_str(line).map_err(|error| Message::Text(no_object(line, &error)))
}

/// Removes the keys of an address book export that are not fields; returns whether there are any, and whether the
/// contact is a user.
fn take_exported(object: &mut Map<String, Value>) -> (bool, bool) {
    let is_user = object.get(KIND).and_then(Value::as_str).is_none_or(columns::is_user);
    let before = object.len();
    object.retain(|name, _| !columns::is_exported_only(name));
    (object.len() < before, is_user)
}

fn parameters(object: Map<String, Value>) -> Result<Parameters, Message> {
    let unknown = object.keys().filter_map(|name| Some((columns::shown(name), columns::unknown(name)?)));
    let unknown: BTreeMap<_, _> = unknown.take(columns::SHOWN_NAMES).collect();
    if !unknown.is_empty() {
        return Err(Message::ByParameter(unknown));
    }
    Parameters::of_object(object).map_err(|error| match error {
        FormError::Json => Message::Text(
            "the line must be a flat JSON object: texts, numbers, true, false, null, or lists of texts"
                .into(),
        ),
        error => error.into(),
    })
}

/// The message about a line that is not valid JSON, with the column in characters.
fn no_object(line: &str, error: &serde_json::Error) -> String {
    let words = error.to_string();
    let reason = words.rsplit_once(" at line ").map_or(words.as_str(), |(reason, _)| reason);
    // serde_json counts bytes, from 1.
    let column = line.bytes().take(error.column()).filter(|byte| byte & 0b1100_0000 != 0b1000_0000).count();
    format!("column {}: this is not a JSON object: {reason}", column.max(1))
}
