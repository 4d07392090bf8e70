//! Lines of LDIF: line ends, folding and comments (RFC 2849, note 2 and 3), with a limit on length.

use std::io::{self, BufRead, Read as _};

use super::error::LdifReason;

/// The longest line read, unfolded, in bytes: a value of 12 MiB, a third more in base64. 389 Directory
/// Server refuses requests over 2 MiB as it is installed, so only a changed server has longer ones.
pub const MAX_LINE_LENGTH: usize = 16 * 1024 * 1024;

/// Reads lines and joins folded ones; knows the number of the line.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    /// How many lines of the input have been read.
    read: u64,
    /// Where the line last returned started.
    pub(super) number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, read: 0, number: 0 }
    }

    /// Puts the next line that isn't a comment into `line`; `false` at the end of the input.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, LdifReason> {
        loop {
            line.clear();
            self.number = self.read + 1;
            if !self.append(line)? {
                return Ok(false);
            }
            // A blank line ends a record, so what follows it continues nothing.
            if line.is_empty() {
                return Ok(true);
            }
            if line.starts_with(b" ") {
                return Err(LdifReason::NothingToContinue);
            }
            while self.starts_with_blank()? {
                self.input.consume(1);
                self.append(line)?;
            }
            if line.first() != Some(&b'#') {
                return Ok(true);
            }
        }
    }

    /// Appends one line of the input without its end; `false` when there is none.
    fn append(&mut self, line: &mut Vec<u8>) -> Result<bool, LdifReason> {
        let before = line.len();
        // Room for the line's end, so that only a line that is too long fills it.
        let room = (MAX_LINE_LENGTH + 2).saturating_sub(before);
        let count = self.input.by_ref().take(room as u64).read_until(b'\n', line)?;
        let ended = line.ends_with(b"\n");
        line.truncate(line.len() - usize::from(ended));
        if line.len() > before && line.ends_with(b"\r") {
            line.pop();
        }
        self.read += u64::from(count > 0);
        if line.len() > MAX_LINE_LENGTH { Err(LdifReason::LineTooLong) } else { Ok(count > 0) }
    }

    fn starts_with_blank(&mut self) -> Result<bool, LdifReason> {
        loop {
            match self.input.fill_buf() {
                Ok(buffer) => return Ok(buffer.first() == Some(&b' ')),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
