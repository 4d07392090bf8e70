//! What can be wrong with LDIF.

use std::{error, fmt, io};

use crate::attribute::AttributeNameError;
use crate::dn::DnError;

/// Why LDIF can't be read, and where.
#[derive(Debug)]
pub struct LdifError {
    /// The line of the input at which it was seen, counted from 1; of a folded line the very part.
    pub line: u64,
    /// The byte in that line, counted from 1.
    pub column: usize,
    /// What stands there: the start of it, what doesn't show escaped. `None` where there is nothing, or
    /// where it is or may be of a password. Otherwise it is what the file has, personal data included: for
    /// whoever gave the file, not for a log.
    pub text: Option<String>,
    /// What is wrong.
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

/// What is wrong with a line of LDIF. Never repeats a value.
#[derive(Debug, thiserror::Error)]
pub enum LdifReason {
    /// The input failed.
    #[error("the input can't be read")]
    Io(#[from] io::Error),
    /// Over the limit of the reader.
    #[error("a line has at most {0} bytes, unfolded, and is folded into no pieces of less than 8")]
    LineTooLong(usize),
    /// Over the limit of the reader.
    #[error("a record has at most {0} bytes")]
    RecordTooLong(usize),
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
    /// A plain value that isn't UTF-8.
    #[error("a value that isn't text in UTF-8 must be in base64")]
    NotUtf8,
    /// A name or a word, in base64, that isn't UTF-8.
    #[error("the value must be text in UTF-8")]
    NotText,
    /// A DN or RDN that isn't one.
    #[error("the value isn't a distinguished name")]
    Dn(#[from] DnError),
    /// The end of what ldapsearch prints, of a search that did not come to its end.
    #[error("the search that printed this did not come to its end, so entries are missing")]
    SearchFailed,
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

impl LdifReason {
    /// Whether just one name or value can't be read: where its record ends is certain.
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

/// What is wrong, and at which byte of the unfolded line.
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

/// A line that is wrong as a whole.
impl From<LdifReason> for Flaw {
    fn from(reason: LdifReason) -> Self {
        reason.at(0)
    }
}
