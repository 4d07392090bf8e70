//! One line of LDIF, unfolded: a name and a value.

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};
use memchr::{memchr, memchr2};

use super::error::{Flaw, LdifReason};
use super::names::Names;
use crate::attribute::AttributeName;

/// A name and its value.
pub(super) struct Field {
    pub(super) name: AttributeName,
    pub(super) value: Vec<u8>,
    /// The byte position of the value in the line, as it is written there.
    pub(super) at: usize,
    /// Whether the value is written plainly, not in base64.
    pub(super) plain: bool,
}

/// Splits a line at its first colon.
pub(super) fn parse(line: &[u8], names: &mut Names) -> Result<Field, Flaw> {
    let (name, rest) =
        memchr(b':', line).and_then(|colon| line.split_at_checked(colon)).ok_or(LdifReason::NoColon)?;
    let name = names.get(name).map_err(LdifReason::from)?;
    let at = |value: &[u8]| line.len() - value.len();
    match rest {
        [_, b'<', url @ ..] => Err(LdifReason::Url.at(at(url) - 1)),
        [_, b':', value @ ..] => {
            let value = value.trim_ascii_start();
            let at = at(value);
            Ok(Field { name, value: decoded(value.trim_ascii_end(), at)?, at, plain: false })
        }
        [_, value @ ..] => {
            let blanks = value.iter().take_while(|byte| **byte == b' ').count();
            let value = value.get(blanks..).unwrap_or_default();
            let at = at(value);
            let value = without_blanks_behind(value);
            check_plain(value, at)?;
            Ok(Field { name, value: value.to_vec(), at, plain: true })
        }
        [] => Err(LdifReason::NoColon.into()),
    }
}

/// A plain value without the trailing spaces that editors and columns leave: by the RFC (note 8) a value that ends
/// with spaces must be in base64. In a DN, a space after a backslash is escaped and stays.
fn without_blanks_behind(value: &[u8]) -> &[u8] {
    let blanks = value.iter().rev().take_while(|byte| **byte == b' ').count();
    let end = value.len() - blanks;
    let is_escaped = blanks > 0 && value.get(..end).is_some_and(|kept| kept.ends_with(b"\\"));
    value.get(..end + usize::from(is_escaped)).unwrap_or(value)
}

fn decoded(base64: &[u8], at: usize) -> Result<Vec<u8>, Flaw> {
    STANDARD.decode(base64).map_err(|error| {
        let offset = match error {
            DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol(offset, _) => offset,
            DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => 0,
        };
        LdifReason::Base64.at(at + offset)
    })
}

fn check_plain(value: &[u8], at: usize) -> Result<(), Flaw> {
    if let Some(offset) = memchr2(0, b'\r', value) {
        return Err(LdifReason::Character.at(at + offset));
    }
    match str::from_utf8(value) {
        Ok(_) => Ok(()),
        Err(error) => Err(LdifReason::NotUtf8.at(at + error.valid_up_to())),
    }
}
