//! The errors of LDIF.

use std::{error, fmt, io};

use crate::attribute::AttributeNameError;
use crate::dn::DnError;

/// Why LDIF can't be read, and where.
#[derive(Debug)]
pub struct LdifError {
    /// The line of the input that has the error, counted from 1; it may be a continuation line.
    pub line: u64,
    /// The byte in that line, counted from 1.
    pub column: usize,
    /// The text at that position: its beginning, with unprintable characters escaped. `None` if there is no text, or
    /// if it belongs, or may belong, to a password. Otherwise it is text of the file, including personal data: it is
    /// meant for the owner of the file, not for a log.
    pub text: Option<String>,
    /// The error.
    pub reason: LdifReason,
}

impl fmt::Display for LdifError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.reason)?;
        self.text.iter().try_for_each(|text| write!(f, ": `{text}`"))
    }
}

impl error::Error for LdifError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.reason.source()
    }
}

/// The error in a line of LDIF. Never repeats a value.
#[derive(Debug, thiserror::Error)]
pub enum LdifReason {
    /// The input failed.
    #[error("the input can't be read")]
    Io(#[from] io::Error),
    /// The line exceeds the limit of the reader.
    #[error("a line has at most {0} bytes, unfolded, and is folded into no pieces of less than 8")]
    LineTooLong(usize),
    /// The record exceeds the limit of the reader.
    #[error("a record has at most {0} bytes")]
    RecordTooLong(usize),
    /// A continuation line without a line before it.
    #[error("the line starts with a blank, and there is no line it could continue")]
    NothingToContinue,
    /// A NUL or a lone carriage return.
    #[error("a value with a NUL or a carriage return must be in base64")]
    Character,
    /// No colon in the line.
    #[error("`name: value` expected")]
    NoColon,
    /// The text before the colon is not an attribute name.
    #[error("no valid attribute name before the colon")]
    Name(#[from] AttributeNameError),
    /// A value from a URL.
    #[error("values from a URL (`:<`) aren't read; put the value itself here, in base64")]
    Url,
    /// A value that should be in base64 and is not.
    #[error("the value isn't base64")]
    Base64,
    /// A plain value that is not UTF-8.
    #[error("a value that isn't text in UTF-8 must be in base64")]
    NotUtf8,
    /// A DN or a keyword, in base64, that is not UTF-8.
    #[error("the value must be text in UTF-8")]
    NotText,
    /// An invalid DN or RDN.
    #[error("the value isn't a distinguished name")]
    Dn(#[from] DnError),
    /// The result line of ldapsearch, for a search that was incomplete.
    #[error("the search that printed this was not completed, so entries are missing")]
    SearchFailed,
    /// A version other than 1.
    #[error("only version 1 of LDIF is supported")]
    Version,
    /// A `control` line.
    #[error("controls aren't supported")]
    Control,
    /// A change type other than the five of the RFC.
    #[error("changetype is one of add, delete, modify, modrdn, moddn")]
    ChangeType,
    /// Other text than the expected one.
    #[error("{0} expected")]
    Expected(&'static str),
}

impl LdifReason {
    /// Whether only one name or value is unreadable, so that the end of its record is certain.
    pub(super) fn is_of_one_record(&self) -> bool {
        matches!(
            self,
            Self::Character
                | Self::Name(_)
                | Self::Url
                | Self::Base64
                | Self::NotUtf8
                | Self::NotText
                | Self::Dn(_)
        )
    }
}

/// An error, and its byte position in the unfolded line.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) at: usize,
    pub(super) reason: LdifReason,
}

impl LdifReason {
    pub(super) fn at(self, at: usize) -> Flaw {
        Flaw { at, reason: self }
    }
}

/// An error of the whole line.
impl From<LdifReason> for Flaw {
    fn from(reason: LdifReason) -> Self {
        reason.at(0)
    }
}
