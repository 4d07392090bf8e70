//! CSV (RFC 4180) as `csv-core` reads it and spreadsheets write it. The separator of cells is the one of `;`, `,`, tab,
//! `|` and `:` that the header has, or blanks, or the one that a first line `sep=;` names. LF and CR end a line as well
//! as CRLF. Cells at the end of a row may be missing; cells beyond the header must be empty; rows without a value are
//! skipped. Refused: quotation marks that are not closed, text after a closing one, and values beyond the header.
//!
//! An export of the address book puts an apostrophe before values that a spreadsheet would take for a formula. These
//! apostrophes are removed in the columns that the export has.

use super::{
    MAX_RECORD, Mode,
    columns::{self, Column},
    marks::Marks,
    place::{Place, Stop},
    rows::{Found, Step},
};
use address_book::export::csv::unguarded;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use visible_text::{Visible, is_blank};
use web::{answer::Message, form::Parameters};

/// The initial capacity for cells: every known name once.
const FIRST_CELLS: usize = 32;
/// The separators. Blanks separate the cells of a header that has none of these.
const SEPARATORS: [u8; 5] = *b";,\t|:";
/// The prefix of a first line that names the separator, for Excel.
const SEPARATOR_LINE: &str = "sep=";

/// Reads the rows of a table from its text, in pieces.
pub(super) struct CsvRows {
    mode: Mode,
    /// Set once the separator is known.
    reader: Option<Reader>,
    marks: Marks,
    columns: Option<Vec<Column>>,
    /// The text of the row's cells, and the length of its used part.
    text: Vec<u8>,
    text_used: usize,
    /// The end of each cell of the row in that text, and their number.
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

    /// Whether the header has been read.
    pub(super) fn is_past_header(&self) -> bool {
        self.columns.is_some()
    }

    /// Reads text up to the end of a row. `last` means that no more text follows.
    pub(super) fn push(&mut self, text: &str, last: bool) -> Result<Step, Vec<Stop>> {
        let mut used = 0;
        if self.reader.is_none() {
            let Some(beginning) = Beginning::of(text, last)? else { return Ok(Step::MORE) };
            self.marks.set_separator(beginning.separator);
            self.reader = Some(ReaderBuilder::new().delimiter(beginning.separator).build());
            used = beginning.length;
            self.follow(text.get(..used).unwrap_or_default())?;
        }
        let text = text.get(used..).unwrap_or_default();
        let (ended, read) = self.read(text.as_bytes());
        self.follow(text.get(..read).unwrap_or_default())?;
        let found = if ended { self.take_row()? } else { None };
        Ok(Step { used: used + read, found })
    }

    fn follow(&mut self, text: &str) -> Result<(), Vec<Stop>> {
        self.marks.follow(text.as_bytes()).map_err(|stop| vec![stop])
    }

    /// Ends the text, and the last row if it has no line break.
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
        // A cell is at most as long as the bytes that it is read from.
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
        if cells.iter().all(|cell| is_blank(cell)) {
            return Ok(None);
        }
        let line = self.marks.row_line;
        let Some(columns) = &self.columns else {
            self.columns = Some(columns::of_header(&cells, line, self.mode)?);
            return Ok(None);
        };
        let kind = columns.iter().zip(&cells).find(|(column, _)| **column == Column::Kind);
        let is_user = kind.is_none_or(|(_, kind)| columns::is_user(kind));
        let is_exported = columns.iter().any(|column| !matches!(column, Column::Field { .. }));
        let content = match self.marks.stray {
            Some(place) => Err(stray(line, place)),
            None => parameters(columns, cells),
        };
        Ok(Some(Found { line, size: self.marks.row_size, is_exported, is_user, content }))
    }
}

/// The error of a row with text after a closing quotation mark.
fn stray(row_line: usize, Place { line, column }: Place) -> Message {
    let line = if line == row_line { String::new() } else { format!("line {line}, ") };
    Message::Text(format!(
        "{line}column {column}: text stands after a closing quotation mark; a mark within a cell is written twice"
    ))
}

/// The parameters of a row. Empty and missing cells are left out.
fn parameters(columns: &[Column], mut cells: Vec<String>) -> Result<Parameters, Message> {
    let width = columns.len();
    let surplus = cells.iter().enumerate().skip(width).find(|(_, cell)| !is_blank(cell));
    if let Some((at, cell)) = surplus {
        let (number, cell) = (at + 1, Visible(cell));
        let message = format!("cell {number} has a value, {cell}, but the header names {width} column(s)");
        return Err(Message::Text(message));
    }
    cells.truncate(width);
    let given = columns.iter().zip(cells).filter_map(|(column, cell)| match column {
        Column::Field { .. } if cell.is_empty() => None,
        Column::Field { name, may_be_guarded: true } => Some(((*name).to_owned(), unguarded(&cell))),
        Column::Field { name, .. } => Some(((*name).to_owned(), cell)),
        Column::Kind | Column::Exported => None,
    });
    Ok(Parameters::of_pairs(given)?)
}

/// The beginning of a table.
struct Beginning {
    separator: u8,
    /// The length of the line that names the separator, without its line break; 0 if a header names it.
    length: usize,
}

impl Beginning {
    /// `None` while more text is needed.
    fn of(text: &str, last: bool) -> Result<Option<Self>, Vec<Stop>> {
        let end = text.find(['\r', '\n']);
        let line = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
        let plain = line.trim_matches('"');
        let begins = plain.len() >= SEPARATOR_LINE.len() && plain.is_char_boundary(SEPARATOR_LINE.len());
        let (begin, named) = if begins { plain.split_at(SEPARATOR_LINE.len()) } else { (plain, "") };
        if !begin.eq_ignore_ascii_case(SEPARATOR_LINE) {
            let may_become_one = !begins && end.is_none() && !last && text.len() <= SEPARATOR_LINE.len();
            let separator = if may_become_one { None } else { separator(text, last) };
            return Ok(separator.map(|separator| Self { separator, length: 0 }));
        }
        if end.is_none() && !last && line.len() <= MAX_RECORD {
            return Ok(None);
        }
        // A spreadsheet that read this line as a row has added separators to it.
        let mut characters = named.chars();
        let separator =
            characters.next().and_then(|c| u8::try_from(c).ok()).filter(|c| SEPARATORS.contains(c));
        let separator =
            separator.filter(|separator| characters.all(|c| c == char::from(*separator) || c == '"'));
        separator.map(|separator| Some(Self { separator, length: line.len() })).ok_or_else(|| {
            let message = "the first line names a separator other than ; , | : and tab";
            vec![Stop::new(1, None, message)]
        })
    }
}

/// The separator of the cells, by the header; `None` while more of the header is needed.
fn separator(text: &str, last: bool) -> Option<u8> {
    let (mut quoted, mut begun) = (false, false);
    // Blanks within the header, which count only if it has no separator.
    let (mut after_blank, mut has_blanks) = (false, false);
    let otherwise = |has_blanks| if has_blanks { b' ' } else { b';' };
    for byte in text.bytes() {
        match byte {
            _ if quoted && byte != b'"' => {}
            byte if SEPARATORS.contains(&byte) => return Some(byte),
            b'\r' | b'\n' if begun => return Some(otherwise(has_blanks)),
            b' ' => after_blank = begun,
            byte if byte.is_ascii_whitespace() => {}
            byte => {
                has_blanks |= after_blank;
                (quoted, begun) = (quoted ^ (byte == b'"'), true);
            }
        }
    }
    (last || text.len() > MAX_RECORD).then_some(otherwise(has_blanks))
}
