//! The content of an LDIF record.

use std::fmt;

use super::value::Value;
use super::writer;
use crate::attribute::AttributeName;
use crate::dn::{Dn, Rdn};

/// An attribute and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, with options.
    pub name: AttributeName,
    /// Its values, in the order given.
    pub values: Vec<Value>,
}

impl Attribute {
    /// An attribute with these values.
    pub fn new<V: Into<Value>>(name: AttributeName, values: impl IntoIterator<Item = V>) -> Self {
        Self { name, values: values.into_iter().map(Into::into).collect() }
    }
}

/// An entry of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The DN.
    pub dn: Dn,
    /// Its attributes, each name once.
    pub attributes: Vec<Attribute>,
}

impl Entry {
    /// The values of an attribute; empty if the entry does not have it.
    #[must_use]
    pub fn values(&self, name: &AttributeName) -> &[Value] {
        let named = self.attributes.iter().find(|attribute| attribute.name == *name);
        named.map_or(&[], |attribute| &attribute.values)
    }

    /// Whether the entry has an object class.
    #[must_use]
    pub fn is_of_class(&self, class: &str) -> bool {
        let classes = self.attributes.iter().filter(|a| a.name.as_str().eq_ignore_ascii_case("objectClass"));
        classes.flat_map(|a| &a.values).any(|value| value.as_bytes().eq_ignore_ascii_case(class.as_bytes()))
    }
}

/// The kind of a modification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModifyKind {
    /// Adds the values to the existing ones.
    Add,
    /// Removes the values, or the whole attribute if there are none.
    Delete,
    /// Replaces the existing values; with no values, removes the attribute.
    Replace,
}

/// One step of a modify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modification {
    /// The kind of the step.
    pub kind: ModifyKind,
    /// The attribute and the values.
    pub attribute: Attribute,
}

/// A change of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Creates the entry with these attributes.
    Add(Vec<Attribute>),
    /// Changes its attributes, all or none.
    Modify(Vec<Modification>),
    /// Renames the entry, and may move it.
    Rename {
        /// The new RDN.
        new_rdn: Rdn,
        /// Whether the values of the old RDN are removed from the entry.
        delete_old_rdn: bool,
        /// The new parent, if the entry moves.
        new_superior: Option<Dn>,
    },
    /// Deletes the entry.
    Delete,
}

/// A change, and the entry to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRecord {
    /// The DN of the entry.
    pub dn: Dn,
    /// The change.
    pub change: Change,
}

/// One record of an LDIF text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// An entry.
    Entry(Entry),
    /// A change.
    Change(ChangeRecord),
}

/// The change as LDIF; if it can't be written, a comment that gives the reason.
impl fmt::Display for ChangeRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        match writer::write_change(&mut text, self) {
            Ok(()) => f.write_str(&String::from_utf8_lossy(&text)),
            // An error here would make `to_string` panic.
            Err(error) => writeln!(f, "# (not shown: {error})"),
        }
    }
}
