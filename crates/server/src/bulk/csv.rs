//! CSV (RFC 4180), as `csv-core` reads it. Beyond the RFC: `;` separates cells as well as `,`, whichever the header
//! has; LF ends a line as well as CRLF; rows without a value are skipped. Refused: quotation marks that are not
//! closed, and text after a closing one.

use super::{
    MAX_RECORD, Mode, columns,
    marks::Marks,
    place::{Place, Stop},
    rows::{Found, Step},
};
use crate::http::{form::Parameters, message::Message};
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// How many cells there is room for at first; every name there is, once.
const FIRST_CELLS: usize = 32;

/// Rows of a table from its text, as it comes.
pub(super) struct CsvRows {
    mode: Mode,
    /// There once the separator is known.
    reader: Option<Reader>,
    marks: Marks,
    columns: Option<Vec<&'static str>>,
    /// The text of the row's cells, and its used part.
    text: Vec<u8>,
    text_used: usize,
    /// The ends of the row's cells in it, and their number.
    ends: Vec<usize>,
    ends_used: usize,
}

impl CsvRows {
    pub(super) fn new(mode: Mode) -> Self {
        Self {
            mode,
            reader: None,
            marks: Marks::new(),
            columns: None,
            text: Vec::new(),
            text_used: 0,
            ends: vec![0; FIRST_CELLS],
            ends_used: 0,
        }
    }

    pub(super) fn place(&self) -> Place {
        self.marks.place
    }

    /// Reads text up to the end of a row. `last` says that no more text will come.
    pub(super) fn push(&mut self, text: &str, last: bool) -> Result<Step, Vec<Stop>> {
        if self.reader.is_none() {
            let Some(separator) = separator(text, last) else { return Ok(Step::MORE) };
            self.marks.set_separator(separator);
            self.reader = Some(ReaderBuilder::new().delimiter(separator).build());
        }
        let (ended, used) = self.read(text.as_bytes());
        self.marks.follow(text.as_bytes().get(..used).unwrap_or_default()).map_err(|stop| vec![stop])?;
        let found = if ended { self.take_row()? } else { None };
        Ok(Step { used, found })
    }

    /// Ends the text, and the last row where no line break did.
    pub(super) fn finish(&mut self) -> Result<Option<Found>, Vec<Stop>> {
        self.marks.finish().map_err(|stop| vec![stop])?;
        let (ended, _) = self.read(&[]);
        let found = if ended { self.take_row()? } else { None };
        if self.columns.is_none() {
            let message = "the file is empty: its first line must name the columns, as in mail;cn;sn";
            return Err(vec![Stop::new(1, None, message)]);
        }
        Ok(found)
    }

    /// Reads bytes; returns whether a row has ended and how many were read.
    fn read(&mut self, bytes: &[u8]) -> (bool, usize) {
        let Some(reader) = &mut self.reader else { return (false, 0) };
        // No cell is longer than what it is read from.
        if self.text.len() < self.text_used + bytes.len() {
            self.text.resize(self.text_used + bytes.len(), 0);
        }
        if self.ends.len() == self.ends_used {
            self.ends.resize(self.ends_used * 2, 0);
        }
        let room = self.text.get_mut(self.text_used..).unwrap_or_default();
        let ends = self.ends.get_mut(self.ends_used..).unwrap_or_default();
        let (result, read, written, cells) = reader.read_record(bytes, room, ends);
        self.text_used += written;
        self.ends_used += cells;
        (result == ReadRecordResult::Record, read)
    }

    fn take_row(&mut self) -> Result<Option<Found>, Vec<Stop>> {
        let mut start = 0;
        let cell = |end: &usize| {
            let bytes = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            String::from_utf8_lossy(bytes).into_owned()
        };
        let cells: Vec<String> = self.ends.iter().take(self.ends_used).map(cell).collect();
        (self.text_used, self.ends_used) = (0, 0);
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(None);
        }
        let line = self.marks.row_line;
        let Some(columns) = &self.columns else {
            self.columns = Some(columns::of_header(&cells, line, self.mode)?);
            return Ok(None);
        };
        let content = match self.marks.stray {
            Some(place) => Err(stray(line, place)),
            None => parameters(columns, cells),
        };
        Ok(Some(Found { line, size: self.marks.row_size, content }))
    }
}

/// The row that begins in a line has text in a place where none can be.
fn stray(row_line: usize, Place { line, column }: Place) -> Message {
    let line = if line == row_line { String::new() } else { format!("line {line}, ") };
    Message::Text(format!(
        "{line}column {column}: text stands after a closing quotation mark; a mark within a cell is written twice"
    ))
}

/// The parameters of a row. An empty cell is not given.
fn parameters(columns: &[&'static str], cells: Vec<String>) -> Result<Parameters, Message> {
    let (expected, there) = (columns.len(), cells.len());
    if expected != there {
        let message = format!("the row has {there} cell(s), and the header names {expected} column(s)");
        return Err(Message::Text(message));
    }
    let given = columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
    Ok(Parameters::of_pairs(given.map(|(name, cell)| ((*name).to_owned(), cell)))?)
}

/// What separates the cells, as the header has it; nothing while more of it is needed.
fn separator(text: &str, last: bool) -> Option<u8> {
    let (mut quoted, mut begun) = (false, false);
    for byte in text.bytes() {
        match byte {
            b';' | b',' if !quoted => return Some(byte),
            // A table of one column.
            b'\r' | b'\n' if begun && !quoted => return Some(b';'),
            b'"' => (quoted, begun) = (!quoted, true),
            byte => begun |= !byte.is_ascii_whitespace(),
        }
    }
    (last || text.len() > MAX_RECORD).then_some(b';')
}
