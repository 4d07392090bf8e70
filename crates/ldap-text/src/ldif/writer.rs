//! Writing LDIF.
//!
//! A value that RFC 2849 lets stand is written as it is, any other in base64. Control characters go in base64
//! even where the RFC allows them: a dry run is read in a terminal, and a value must not drive it.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::record::{Attribute, Change, ChangeRecord, Entry, Modification, ModifyKind};
use super::value::Value;
use crate::dn::Dn;

/// Columns in a line; RFC 2849 asks to fold what is longer.
const WIDTH: usize = 76;

/// Characters of a value shown in a comment: about three lines of a terminal. Comments are cut, not folded,
/// for a reader that drops comments before it unfolds would take the rest of one for data.
const COMMENT_LENGTH: usize = 240;

/// Words with a meaning of their own at a place where an attribute's name may stand.
const RESERVED: [&str; 3] = ["dn", "changetype", "control"];

/// Writes an entry and the blank line after it. Secret values are left out, and a comment says so.
///
/// # Errors
///
/// What the output fails with; `InvalidInput` when an attribute's name is one of LDIF's own words.
pub fn write_entry(out: &mut (impl Write + ?Sized), entry: &Entry) -> io::Result<()> {
    check_names(&entry.attributes)?;
    write_dn(out, "dn", &entry.dn)?;
    write_attributes(out, &entry.attributes)?;
    out.write_all(b"\n")
}

/// Writes a change and the blank line after it. Secret values are left out, and a comment says so.
///
/// A modification with a secret becomes a comment as a whole: without its values, `replace` and `delete`
/// would mean removing the attribute.
///
/// # Errors
///
/// What the output fails with; `InvalidInput` when an attribute's name is one of LDIF's own words.
pub fn write_change(out: &mut (impl Write + ?Sized), record: &ChangeRecord) -> io::Result<()> {
    match &record.change {
        Change::Add(attributes) => check_names(attributes)?,
        Change::Modify(modifications) => check_names(modifications.iter().map(|step| &step.attribute))?,
        Change::Rename { .. } | Change::Delete => {}
    }
    write_dn(out, "dn", &record.dn)?;
    match &record.change {
        Change::Add(attributes) => {
            out.write_all(b"changetype: add\n")?;
            write_attributes(out, attributes)?;
        }
        Change::Modify(modifications) => {
            out.write_all(b"changetype: modify\n")?;
            modifications.iter().try_for_each(|modification| write_modification(out, modification))?;
        }
        Change::Rename { new_rdn, delete_old_rdn, new_superior } => {
            out.write_all(b"changetype: modrdn\n")?;
            write_line(out, "newrdn", new_rdn.to_string().as_bytes())?;
            writeln!(out, "deleteoldrdn: {}", u8::from(*delete_old_rdn))?;
            new_superior.iter().try_for_each(|parent| write_dn(out, "newsuperior", parent))?;
        }
        Change::Delete => out.write_all(b"changetype: delete\n")?,
    }
    out.write_all(b"\n")
}

/// No schema has such attributes. In the middle of a record they could start another one in some reader.
fn check_names<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> io::Result<()> {
    let reserved = |name: &str| RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name));
    if attributes.into_iter().any(|attribute| reserved(attribute.name.as_str())) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "an attribute can't be named `dn`, `changetype` or `control` in LDIF",
        ));
    }
    Ok(())
}

fn write_attributes(out: &mut (impl Write + ?Sized), attributes: &[Attribute]) -> io::Result<()> {
    attributes.iter().try_for_each(|attribute| write_values(out, attribute))
}

fn write_values(out: &mut (impl Write + ?Sized), attribute: &Attribute) -> io::Result<()> {
    let name = attribute.name.as_str();
    for value in &attribute.values {
        match value {
            Value::Plain(bytes) => write_line(out, name, bytes)?,
            Value::Secret(_) => write_redacted(out, name)?,
        }
    }
    Ok(())
}

fn write_redacted(out: &mut (impl Write + ?Sized), name: &str) -> io::Result<()> {
    writeln!(out, "# {name}: (secret, not shown)")
}

fn write_modification(out: &mut (impl Write + ?Sized), modification: &Modification) -> io::Result<()> {
    let name = modification.attribute.name.as_str();
    let kind = match modification.kind {
        ModifyKind::Add => "add",
        ModifyKind::Delete => "delete",
        ModifyKind::Replace => "replace",
    };
    if modification.attribute.values.iter().any(Value::is_secret) {
        writeln!(out, "# {kind}: {name}")?;
        modification.attribute.values.iter().try_for_each(|_| write_redacted(out, name))?;
        return out.write_all(b"# -\n");
    }
    write_line(out, kind, name.as_bytes())?;
    write_values(out, &modification.attribute)?;
    out.write_all(b"-\n")
}

fn write_dn(out: &mut (impl Write + ?Sized), name: &str, dn: &Dn) -> io::Result<()> {
    write_line(out, name, dn.to_string().as_bytes())
}

/// Writes a name and a value in as many lines as it takes. The name is ASCII by its type.
fn write_line(out: &mut (impl Write + ?Sized), name: &str, value: &[u8]) -> io::Result<()> {
    if value.is_empty() {
        return write_folded(out, format!("{name}:").as_bytes());
    }
    if is_safe(value) {
        return write_folded(out, &[name.as_bytes(), b": ", value].concat());
    }
    if let Some(text) = readable(value) {
        write_comment(out, name, text)?;
    }
    write_folded(out, format!("{name}:: {}", STANDARD.encode(value)).as_bytes())
}

fn write_folded(out: &mut (impl Write + ?Sized), line: &[u8]) -> io::Result<()> {
    let (first, rest) = line.split_at(line.len().min(WIDTH));
    out.write_all(first)?;
    for part in rest.chunks(WIDTH - 1) {
        out.write_all(b"\n ")?;
        out.write_all(part)?;
    }
    out.write_all(b"\n")
}

fn write_comment(out: &mut (impl Write + ?Sized), name: &str, text: &str) -> io::Result<()> {
    match text.char_indices().nth(COMMENT_LENGTH) {
        Some((end, _)) => writeln!(out, "# {name}: {}…", text.get(..end).unwrap_or_default()),
        None => writeln!(out, "# {name}: {text}"),
    }
}

/// SAFE-STRING of the RFC, less control characters, and with no blank at the end.
fn is_safe(value: &[u8]) -> bool {
    let starts_well = !matches!(value, [b' ' | b':' | b'<', ..]);
    starts_well && !value.ends_with(b" ") && value.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The value as text for a comment, if it is in base64 for its letters' sake, and shows as it is: no
/// control characters, no line ends of Unicode, nothing that turns the direction of writing.
fn readable(value: &[u8]) -> Option<&str> {
    let text = str::from_utf8(value).ok()?;
    let misleading = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    (!text.is_ascii() && !text.contains(misleading)).then_some(text)
}
