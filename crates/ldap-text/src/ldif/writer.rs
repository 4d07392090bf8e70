//! Writes LDIF.
//!
//! A value is written plainly if RFC 2849 allows it, and in base64 otherwise. Control characters are written in base64
//! even if the RFC allows them: people read a dry run in a terminal, and a value must not control the terminal.
//!
//! Lines are assembled in a buffer, without an allocation for each: a backup writes millions of them.

use std::io::{self, Write};

use super::fold;
use super::record::{Attribute, Change, ChangeRecord, Entry, Modification, ModifyKind};
use super::shown;
use super::value::Value;
use crate::attribute::AttributeName;
use crate::dn::Dn;

/// The number of characters of a value in a comment: about three lines of a terminal. Comments are truncated, not
/// folded, since a reader that drops comments before it unfolds would take the rest of a folded one for data.
const COMMENT_LENGTH: usize = 240;

/// The size of the buffer before it is written to the output, so that an entry of any size takes little memory.
const BUFFER_SIZE: usize = 32 * 1024;

/// Keywords of LDIF in a place where an attribute's name may be.
const RESERVED: [&str; 3] = ["dn", "changetype", "control"];

/// Whether the name is a keyword of LDIF, so that no attribute of this name can be written. No schema has such
/// attributes. In the middle of a record, some readers would take it for the start of another record.
#[must_use]
pub fn is_reserved(name: &AttributeName) -> bool {
    RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name.as_str()))
}

/// Writes the first line of a record: `dn:` and the DN.
///
/// For callers without an [`Entry`], or that avoid creating one for speed: call this, then [`write_value`] for each
/// value, then write an empty line.
pub fn write_name(out: &mut Vec<u8>, dn: &Dn) {
    fold::append_dn(out, "dn", dn);
}

/// Writes one value of an attribute: a line, folded if it is long, and in base64 if necessary. It writes secrets too,
/// so pass them only if the output is meant to contain them. A name for which [`is_reserved`] holds must not be
/// passed.
pub fn write_value(out: &mut Vec<u8>, name: &AttributeName, value: &[u8]) {
    fold::append_line(out, name.as_str(), value);
}

/// Writes an entry and the empty line after it, for programs. Leaves secret values out, and says so in a comment.
///
/// # Errors
///
/// The error of the output; `InvalidInput` if an attribute's name is a keyword of LDIF.
pub fn write_content(out: &mut (impl Write + ?Sized), entry: &Entry) -> io::Result<()> {
    Writer::new(out, Comments::None).entry(entry)
}

/// Writes an entry and the empty line after it, for people: if a value is in base64 because of its letters, a comment
/// shows it. Leaves secret values out, and says so in a comment.
///
/// # Errors
///
/// The error of the output; `InvalidInput` if an attribute's name is a keyword of LDIF.
pub fn write_entry(out: &mut (impl Write + ?Sized), entry: &Entry) -> io::Result<()> {
    Writer::new(out, Comments::Readable).entry(entry)
}

/// Writes a change and the empty line after it, for people, like [`write_entry`]. Leaves secret values out, and says
/// so in a comment.
///
/// A modification with a secret becomes a comment as a whole: without their values, `replace` and `delete` would
/// remove the attribute.
///
/// # Errors
///
/// The error of the output; `InvalidInput` if an attribute's name is a keyword of LDIF.
pub fn write_change(out: &mut (impl Write + ?Sized), record: &ChangeRecord) -> io::Result<()> {
    Writer::new(out, Comments::Readable).change(record)
}

/// Which comments explain values in base64.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comments {
    None,
    Readable,
}

/// Assembles lines, and writes them to the output when the buffer is full.
struct Writer<'a, W: ?Sized> {
    out: &'a mut W,
    text: Vec<u8>,
    comments: Comments,
}

impl<'a, W: Write + ?Sized> Writer<'a, W> {
    fn new(out: &'a mut W, comments: Comments) -> Self {
        Self { out, text: Vec::new(), comments }
    }

    fn entry(mut self, entry: &Entry) -> io::Result<()> {
        check_names(&entry.attributes)?;
        self.dn("dn", &entry.dn);
        self.attributes(&entry.attributes)?;
        self.end()
    }

    fn change(mut self, record: &ChangeRecord) -> io::Result<()> {
        match &record.change {
            Change::Add(attributes) => check_names(attributes)?,
            Change::Modify(modifications) => check_names(modifications.iter().map(|step| &step.attribute))?,
            Change::Rename { .. } | Change::Delete => {}
        }
        self.dn("dn", &record.dn);
        match &record.change {
            Change::Add(attributes) => {
                self.line("changetype", b"add");
                self.attributes(attributes)?;
            }
            Change::Modify(modifications) => {
                self.line("changetype", b"modify");
                modifications.iter().try_for_each(|modification| self.modification(modification))?;
            }
            Change::Rename { new_rdn, delete_old_rdn, new_superior } => {
                self.line("changetype", b"modrdn");
                self.line("newrdn", new_rdn.to_string().as_bytes());
                self.line("deleteoldrdn", if *delete_old_rdn { b"1" } else { b"0" });
                if let Some(parent) = new_superior {
                    self.dn("newsuperior", parent);
                }
            }
            Change::Delete => self.line("changetype", b"delete"),
        }
        self.end()
    }

    fn attributes(&mut self, attributes: &[Attribute]) -> io::Result<()> {
        attributes.iter().try_for_each(|attribute| self.values(attribute))
    }

    fn values(&mut self, attribute: &Attribute) -> io::Result<()> {
        let name = attribute.name.as_str();
        for value in &attribute.values {
            match value {
                Value::Plain(bytes) => self.line(name, bytes),
                Value::Secret(_) => self.redacted(name),
            }
            if self.text.len() >= BUFFER_SIZE {
                self.out.write_all(&self.text)?;
                self.text.clear();
            }
        }
        Ok(())
    }

    fn modification(&mut self, modification: &Modification) -> io::Result<()> {
        let name = modification.attribute.name.as_str();
        let kind = match modification.kind {
            ModifyKind::Add => "add",
            ModifyKind::Delete => "delete",
            ModifyKind::Replace => "replace",
        };
        if modification.attribute.values.iter().any(Value::is_secret) {
            self.append(&["# ", kind, ": ", name, "\n"]);
            for _ in &modification.attribute.values {
                self.redacted(name);
            }
            self.append(&["# -\n"]);
            return Ok(());
        }
        self.line(kind, name.as_bytes());
        self.values(&modification.attribute)?;
        self.append(&["-\n"]);
        Ok(())
    }

    fn line(&mut self, name: &str, value: &[u8]) {
        if self.comments == Comments::Readable
            && let Some(text) = readable(value)
        {
            let shown = text.char_indices().nth(COMMENT_LENGTH).and_then(|(end, _)| text.get(..end));
            let dots = if shown.is_some() { "…" } else { "" };
            self.append(&["# ", name, ": ", shown.unwrap_or(text), dots, "\n"]);
        }
        fold::append_line(&mut self.text, name, value);
    }

    fn dn(&mut self, word: &str, dn: &Dn) {
        match self.comments {
            Comments::None => fold::append_dn(&mut self.text, word, dn),
            Comments::Readable => self.line(word, dn.to_string().as_bytes()),
        }
    }

    fn redacted(&mut self, name: &str) {
        self.append(&["# ", name, ": (secret, not shown)\n"]);
    }

    fn append(&mut self, parts: &[&str]) {
        for part in parts {
            self.text.extend_from_slice(part.as_bytes());
        }
    }

    fn end(mut self) -> io::Result<()> {
        self.append(&["\n"]);
        self.out.write_all(&self.text)
    }
}

fn check_names<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> io::Result<()> {
    if attributes.into_iter().any(|attribute| is_reserved(&attribute.name)) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "an attribute can't be named `dn`, `changetype` or `control` in LDIF",
        ));
    }
    Ok(())
}

/// The value as text for a comment, if it is in base64 because of its letters and every character is displayed as
/// itself: no control characters, no Unicode line ends, no changes of the writing direction.
fn readable(value: &[u8]) -> Option<&str> {
    if value.is_ascii() {
        return None;
    }
    let text = str::from_utf8(value).ok()?;
    (!text.contains(shown::is_misleading)).then_some(text)
}
