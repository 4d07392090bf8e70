//! The LDAP Data Interchange Format (RFC 2849): entries and changes as text.
//!
//! Covers entries, the four kinds of change, folded lines, comments, base64, and both line ends. It also
//! reads values in raw UTF-8, which people write by hand and the RFC doesn't allow, a byte order mark before
//! the first line, lines folded by tabs, blanks behind plain values, which are no part of them, and files of `ldapsearch`,
//! with its references to other servers, which are passed over, and with what it says after the entries. Refuses `:<` (a value
//! from a URL: input never makes us open a file), `control:` lines, versions other than 1, plain values that
//! aren't UTF-8, and lines and records over a limit. What is written is ASCII except for comments, which are
//! there for people.
//!
//! An entry is written for people by [`write_entry`], for programs by [`write_content`], and line by line,
//! for speed, by [`write_name`] and [`write_value`]. Secret values aren't written, except by the last: LDIF
//! here is what an operator reads, not how a password travels.

mod error;
mod field;
mod fold;
mod gathering;
mod lines;
mod names;
mod reader;
mod record;
mod shown;
mod value;
mod writer;

pub use error::{LdifError, LdifReason};
pub use lines::MAX_LINE_LENGTH;
pub use reader::{LdifReader, MAX_RECORD_SIZE};
pub use record::{Attribute, Change, ChangeRecord, Entry, Modification, ModifyKind, Record};
pub use shown::is_secret;
pub use value::Value;
pub use writer::{is_reserved, write_change, write_content, write_entry, write_name, write_value};

#[cfg(test)]
mod tests;
