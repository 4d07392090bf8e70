//! The LDAP Data Interchange Format (RFC 2849): entries and changes as text.
//!
//! Covers entries, the four kinds of change, folded lines, comments, base64, and both line ends. It also reads forms
//! that the RFC does not allow: values in raw UTF-8, which people write by hand, a byte order mark before the first
//! line, lines folded with tabs, spaces after plain values, which are dropped, and the output of `ldapsearch`, with
//! its references to other servers, which are skipped, and the result after the entries. Refuses `:<` (a value from a
//! URL: input never makes the program open a file), `control:` lines, versions other than 1, plain values that are not
//! UTF-8, and lines and records over a limit. The output is ASCII except for comments, which are for people.
//!
//! [`write_entry`] writes an entry for people, [`write_content`] for programs; [`write_name`] and [`write_value`]
//! write it line by line, for speed. Secret values are not written, except by [`write_value`]: LDIF is for an operator
//! to read, not for transferring passwords.

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
