//! Follows the text of a CSV table byte by byte, in step with `csv-core`, for positions that `csv-core` does not
//! report: where a row begins, how long it is, and where its quotation marks are.

use super::{
    MAX_RECORD,
    place::{Place, Stop},
};

/// The context at the end of the text read so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between rows.
    Outside,
    /// At the beginning of a cell.
    CellStart,
    /// In a cell without quotation marks, or after them.
    Plain,
    /// Between quotation marks.
    Quoted,
    /// After a quotation mark that ends the cell, or is the first of a doubled one.
    Closing,
}

/// The positions. Those of a row stay until the next row begins.
pub(super) struct Marks {
    separator: u8,
    state: State,
    /// The position of the next byte.
    pub(super) place: Place,
    /// The line in which the row begins.
    pub(super) row_line: usize,
    /// Bytes of the row so far.
    pub(super) row_size: usize,
    /// The position of the last opening quotation mark.
    opened: Place,
    /// The first text of the row after a closing quotation mark.
    pub(super) stray: Option<Place>,
    /// Whether the last byte was a CR, which ends a line with or without an LF.
    after_cr: bool,
}

impl Marks {
    pub(super) fn new() -> Self {
        Self {
            separator: b';',
            state: State::Outside,
            place: Place::START,
            row_line: 1,
            row_size: 0,
            opened: Place::START,
            stray: None,
            after_cr: false,
        }
    }

    pub(super) fn set_separator(&mut self, separator: u8) {
        self.separator = separator;
    }

    /// Follows some text.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        for &byte in bytes {
            self.step(byte);
            self.pass(byte);
            if self.row_size > MAX_RECORD {
                return Err(self.too_long());
            }
        }
        Ok(())
    }

    fn pass(&mut self, byte: u8) {
        if byte == b'\r' {
            self.place.pass(b'\n');
        } else if byte != b'\n' || !self.after_cr {
            self.place.pass(byte);
        }
        self.after_cr = byte == b'\r';
    }

    fn step(&mut self, byte: u8) {
        let ends_line = matches!(byte, b'\r' | b'\n');
        if self.state == State::Outside {
            if ends_line {
                return;
            }
            (self.row_line, self.row_size, self.stray) = (self.place.line, 0, None);
            self.state = State::CellStart;
        }
        self.state = match (self.state, byte) {
            (State::CellStart, b'"') => {
                self.opened = self.place;
                State::Quoted
            }
            (State::Quoted, b'"') => State::Closing,
            (State::Quoted, _) | (State::Closing, b'"') => State::Quoted,
            _ if ends_line => {
                self.state = State::Outside;
                return;
            }
            (_, byte) if byte == self.separator => State::CellStart,
            (State::Closing, _) => {
                self.stray = self.stray.or(Some(self.place));
                State::Plain
            }
            _ => State::Plain,
        };
        self.row_size += 1;
    }

    /// An error if the text ends within quotation marks.
    pub(super) fn finish(&self) -> Result<(), Stop> {
        if self.state == State::Quoted {
            return Err(self.opened.stop("the quotation mark that opens here is not closed"));
        }
        Ok(())
    }

    fn too_long(&self) -> Stop {
        let hint = if self.state == State::Quoted {
            let Place { line, column } = self.opened;
            format!("; is the quotation mark in line {line}, column {column} not closed?")
        } else {
            "; is there a quotation mark that is not closed?".to_owned()
        };
        let message = format!("the row that begins here is too long: at most {MAX_RECORD} bytes{hint}");
        Stop::new(self.row_line, Some(1), message)
    }
}
