//! Lines of LDIF: line ends, folding and comments (RFC 2849, notes 2 to 5), with a limit on length.

use std::io::{self, BufRead};

use memchr::memchr;

use super::error::LdifReason;

/// The longest line that is read, unfolded, in bytes: a value of 12 MiB, a third more in base64. By default 389
/// Directory Server refuses requests over 2 MiB, so only a reconfigured server has longer values.
pub const MAX_LINE_LENGTH: usize = 16 * 1024 * 1024;

/// The shortest average length of the pieces of the longest folded line, in bytes. The positions of the folds are
/// kept, and with this limit they take no more memory than the text.
const SHORTEST_PIECE: usize = 8;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads lines and joins folded ones; knows the position in the input of each byte of a line.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    /// The line last read, unfolded.
    text: Vec<u8>,
    /// The start in it of each line of the input except the first.
    folds: Vec<usize>,
    /// The number of input lines that have been read.
    read: u64,
    /// The number of the input line at which the line started.
    number: u64,
    /// The longest line read.
    longest: usize,
}

impl<R: BufRead> Lines<R> {
    /// The lines of an input, each of at most `longest` bytes.
    pub(super) fn new(input: R, longest: usize) -> Self {
        Self { input, text: Vec::new(), folds: Vec::new(), read: 0, number: 0, longest }
    }

    /// The line last read, unfolded and without its line end.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The number of the line last read, counted from 1; if it is folded, the number of its first line.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The line and the column in the input of a byte of the line, both counted from 1.
    pub(super) fn position(&self, at: usize) -> (u64, usize) {
        let folds = self.folds.partition_point(|fold| *fold <= at);
        let column = match folds.checked_sub(1).and_then(|last| self.folds.get(last)) {
            // The space that marks a continuation line is a column, too.
            Some(fold) => at - fold + 2,
            None => at + 1,
        };
        (self.number + folds as u64, column)
    }

    /// Reads the next line that is not a comment; `false` at the end of the input.
    pub(super) fn next(&mut self) -> Result<bool, LdifReason> {
        loop {
            self.text.clear();
            self.folds.clear();
            self.number = self.read + 1;
            if !self.append()? {
                return Ok(false);
            }
            if self.number == 1 && self.text.starts_with(BYTE_ORDER_MARK) {
                self.text.drain(..BYTE_ORDER_MARK.len());
            }
            match self.text.first() {
                // An empty line ends a record, so the next line can't continue it.
                None => return Ok(true),
                Some(b' ' | b'\t') => return Err(LdifReason::NothingToContinue),
                Some(_) => {}
            }
            // The RFC folds with spaces; some programs use tabs, which can't begin any other line.
            while matches!(self.peek()?, Some(b' ' | b'\t')) {
                self.input.consume(1);
                if self.folds.len() == self.longest / SHORTEST_PIECE {
                    return Err(LdifReason::LineTooLong(self.longest));
                }
                self.folds.push(self.text.len());
                self.append()?;
            }
            if self.text.first() != Some(&b'#') {
                return Ok(true);
            }
        }
    }

    /// Appends one line of the input without its line end; `false` if there is none.
    fn append(&mut self) -> Result<bool, LdifReason> {
        let before = self.text.len();
        let mut found = false;
        loop {
            let buffer = filled(&mut self.input)?;
            if buffer.is_empty() {
                break;
            }
            found = true;
            let end = memchr(b'\n', buffer);
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            // One byte more for a carriage return, so that only a line that is too long fills the buffer.
            if part.len() > (self.longest + 1).saturating_sub(self.text.len()) {
                self.read += 1;
                return Err(LdifReason::LineTooLong(self.longest));
            }
            self.text.extend_from_slice(part);
            let taken = part.len() + usize::from(end.is_some());
            self.input.consume(taken);
            if end.is_some() {
                break;
            }
        }
        if self.text.len() > before && self.text.last() == Some(&b'\r') {
            self.text.pop();
        }
        self.read += u64::from(found);
        if self.text.len() > self.longest { Err(LdifReason::LineTooLong(self.longest)) } else { Ok(found) }
    }

    /// Whether no input follows the line.
    pub(super) fn is_over(&mut self) -> bool {
        matches!(self.peek(), Ok(None))
    }

    fn peek(&mut self) -> Result<Option<u8>, LdifReason> {
        Ok(filled(&mut self.input)?.first().copied())
    }
}

/// The buffered input; empty at the end of the input.
fn filled(input: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // The second call returns the same buffer; it is needed for the borrow to end in the loop.
    input.fill_buf()
}
