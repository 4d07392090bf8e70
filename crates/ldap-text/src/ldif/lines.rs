//! Lines of LDIF: line ends, folding and comments (RFC 2849, notes 2 to 5), with a limit on length.

use std::io::{self, BufRead};

use memchr::memchr;

use super::error::LdifReason;

/// The longest line read, unfolded, in bytes: a value of 12 MiB, a third more in base64. 389 Directory
/// Server refuses requests over 2 MiB as it is installed, so only a changed server has longer ones.
pub const MAX_LINE_LENGTH: usize = 16 * 1024 * 1024;

/// The fewest bytes of the pieces that the longest line is folded into. Where a line was folded is kept, and so takes no
/// more memory than its text.
const SHORTEST_PIECE: usize = 8;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads lines and joins folded ones; knows where in the input each byte of the line stood.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    /// The line last read, unfolded.
    text: Vec<u8>,
    /// Where in it each line of the input but the first starts.
    folds: Vec<usize>,
    /// How many lines of the input have been read.
    read: u64,
    /// Where the line started.
    number: u64,
    /// The longest line read.
    longest: usize,
}

impl<R: BufRead> Lines<R> {
    /// The lines of an input, each of at most so many bytes.
    pub(super) fn new(input: R, longest: usize) -> Self {
        Self { input, text: Vec::new(), folds: Vec::new(), read: 0, number: 0, longest }
    }

    /// The line last read, unfolded and without its end.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The number of the line last read, counted from 1; of its first one, if it is folded.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The line and the column of the input that a byte of the line has, both counted from 1.
    pub(super) fn position(&self, at: usize) -> (u64, usize) {
        let folds = self.folds.partition_point(|fold| *fold <= at);
        let column = match folds.checked_sub(1).and_then(|last| self.folds.get(last)) {
            // The blank that marks a folded line has a column, too.
            Some(fold) => at - fold + 2,
            None => at + 1,
        };
        (self.number + folds as u64, column)
    }

    /// Reads the next line that isn't a comment; `false` at the end of the input.
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
                // A blank line ends a record, so what follows it continues nothing.
                None => return Ok(true),
                Some(b' ' | b'\t') => return Err(LdifReason::NothingToContinue),
                Some(_) => {}
            }
            // The RFC folds by blanks; some programs do by tabs, which begin no line either.
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

    /// Appends one line of the input without its end; `false` when there is none.
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
            // Room for a carriage return, so that only a line that is too long fills it.
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

    /// Whether nothing follows the line.
    pub(super) fn is_over(&mut self) -> bool {
        matches!(self.peek(), Ok(None))
    }

    fn peek(&mut self) -> Result<Option<u8>, LdifReason> {
        Ok(filled(&mut self.input)?.first().copied())
    }
}

/// What the input has ready; empty at its end.
fn filled(input: &mut impl BufRead) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // What is filled is given again as it is; only so does the borrow end in the loop.
    input.fill_buf()
}
