//! What can be wrong with LDIF.

use std::{error, fmt, io};

use super::{MAX_LINE_LENGTH, MAX_RECORD_SIZE};
use crate::attribute::AttributeNameError;
use crate::dn::DnError;

/// Why LDIF can't be read, and where.
#[derive(Debug)]
pub struct LdifError {
    /// The line at which it was seen, counted from 1; the first one, if it is folded.
    pub line: u64,
    /// What is wrong.
    pub reason: LdifReason,
}

impl fmt::Display for LdifError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl error::Error for LdifError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.reason.source()
    }
}

/// What is wrong with a line of LDIF. Never repeats a value.
#[derive(Debug, thiserror::Error)]
pub enum LdifReason {
    /// The input failed.
    #[error("the input can't be read")]
    Io(#[from] io::Error),
    /// Over [`MAX_LINE_LENGTH`].
    #[error("a line has at most {MAX_LINE_LENGTH} bytes, unfolded")]
    LineTooLong,
    /// Over [`MAX_RECORD_SIZE`].
    #[error("a record has at most {MAX_RECORD_SIZE} bytes")]
    RecordTooLong,
    /// A folded line with no line before it.
    #[error("the line starts with a blank, and there is no line it could continue")]
    NothingToContinue,
    /// A NUL or a lone carriage return.
    #[error("a value with a NUL or a carriage return must be in base64")]
    Character,
    /// No colon in the line.
    #[error("`name: value` expected")]
    NoColon,
    /// What stands before the colon isn't an attribute name.
    #[error("no valid attribute name before the colon")]
    Name(#[from] AttributeNameError),
    /// A value from a URL.
    #[error("values from a URL (`:<`) aren't read; put the value itself here, in base64")]
    Url,
    /// A value that should be in base64 and isn't.
    #[error("the value isn't base64")]
    Base64,
    /// A name or a word that isn't UTF-8.
    #[error("the value must be text in UTF-8")]
    NotText,
    /// A DN or RDN that isn't one.
    #[error("the value isn't a distinguished name")]
    Dn(#[from] DnError),
    /// A version other than 1.
    #[error("only version 1 of LDIF is known")]
    Version,
    /// A `control` line.
    #[error("controls aren't supported")]
    Control,
    /// Another kind of change than the five of the RFC.
    #[error("changetype is one of add, delete, modify, modrdn, moddn")]
    ChangeType,
    /// Something else stands where this was expected.
    #[error("{0} expected")]
    Expected(&'static str),
}
