//! Writing LDIF.
//!
//! A value that RFC 2849 lets stand is written as it is, any other in base64. Control characters go in base64
//! even where the RFC allows them: a dry run is read in a terminal, and a value must not drive it.
//!
//! Lines are put together in a buffer, without an allocation for each: a backup writes millions of them.

use std::io::{self, Write};

use super::fold;
use super::record::{Attribute, Change, ChangeRecord, Entry, Modification, ModifyKind};
use super::shown;
use super::value::Value;
use crate::attribute::AttributeName;
use crate::dn::Dn;

/// Characters of a value shown in a comment: about three lines of a terminal. Comments are cut, not folded,
/// for a reader that drops comments before it unfolds would take the rest of one for data.
const COMMENT_LENGTH: usize = 240;

/// So much is put together before it goes to the output, so that an entry of any size takes little memory.
const BUFFER_SIZE: usize = 32 * 1024;

/// Words with a meaning of their own at a place where an attribute's name may stand.
const RESERVED: [&str; 3] = ["dn", "changetype", "control"];

/// Whether the name is one of LDIF's own words, so that no attribute of this name can be written. No schema
/// has such attributes. In the middle of a record they could start another one in some reader.
#[must_use]
pub fn is_reserved(name: &AttributeName) -> bool {
    RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name.as_str()))
}

/// Writes the line that a record starts with: `dn:` and the name.
///
/// For whoever has no [`Entry`], or makes none for speed's sake: this line, then one of [`write_value`] for
/// each value, then a blank line.
pub fn write_name(out: &mut Vec<u8>, dn: &Dn) {
    fold::append_dn(out, "dn", dn);
}

/// Writes one value of an attribute: a line, folded into several if it is long, and in base64 where it must
/// be. It is written whatever it is: an attribute that is a secret must not come here unless the output is
/// to have it. Nor may a name that [`is_reserved`].
pub fn write_value(out: &mut Vec<u8>, name: &AttributeName, value: &[u8]) {
    fold::append_line(out, name.as_str(), value);
}

/// Writes an entry and the blank line after it, for programs. Secret values are left out, and a comment says
/// so.
///
/// # Errors
///
/// What the output fails with; `InvalidInput` when an attribute's name is one of LDIF's own words.
pub fn write_content(out: &mut (impl Write + ?Sized), entry: &Entry) -> io::Result<()> {
    Writer::new(out, Comments::None).entry(entry)
}

/// Writes an entry and the blank line after it, for people: where letters make a value go in base64, a
/// comment shows it. Secret values are left out, and a comment says so.
///
/// # Errors
///
/// What the output fails with; `InvalidInput` when an attribute's name is one of LDIF's own words.
pub fn write_entry(out: &mut (impl Write + ?Sized), entry: &Entry) -> io::Result<()> {
    Writer::new(out, Comments::Readable).entry(entry)
}

/// Writes a change and the blank line after it, for people as [`write_entry`] does. Secret values are left
/// out, and a comment says so.
///
/// A modification with a secret becomes a comment as a whole: without its values, `replace` and `delete`
/// would mean removing the attribute.
///
/// # Errors
///
/// What the output fails with; `InvalidInput` when an attribute's name is one of LDIF's own words.
pub fn write_change(out: &mut (impl Write + ?Sized), record: &ChangeRecord) -> io::Result<()> {
    Writer::new(out, Comments::Readable).change(record)
}

/// What explains a value in base64.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comments {
    None,
    Readable,
}

/// Puts lines together, and passes them on when there are enough.
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

/// The value as text for a comment, if it is in base64 for its letters' sake, and shows as it is: no
/// control characters, no line ends of Unicode, nothing that turns the direction of writing.
fn readable(value: &[u8]) -> Option<&str> {
    if value.is_ascii() {
        return None;
    }
    let text = str::from_utf8(value).ok()?;
    (!text.contains(shown::is_misleading)).then_some(text)
}
