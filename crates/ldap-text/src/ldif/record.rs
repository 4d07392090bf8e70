//! What a record of LDIF says.

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

/// An entry as it stands in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub dn: Dn,
    /// Its attributes, each name once.
    pub attributes: Vec<Attribute>,
}

impl Entry {
    /// The values of an attribute; none where it has not got it.
    #[must_use]
    pub fn values(&self, name: &AttributeName) -> &[Value] {
        let named = self.attributes.iter().find(|attribute| attribute.name == *name);
        named.map_or(&[], |attribute| &attribute.values)
    }

    /// Whether it is of an object class.
    #[must_use]
    pub fn is_of_class(&self, class: &str) -> bool {
        let classes = self.attributes.iter().filter(|a| a.name.as_str().eq_ignore_ascii_case("objectClass"));
        classes.flat_map(|a| &a.values).any(|value| value.as_bytes().eq_ignore_ascii_case(class.as_bytes()))
    }
}

/// What a modification does with the attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModifyKind {
    /// Adds the values to those there are.
    Add,
    /// Removes the values, or the whole attribute when none are named.
    Delete,
    /// Puts the values in place of those there are; with none, removes the attribute.
    Replace,
}

/// One step of a modify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modification {
    /// What to do.
    pub kind: ModifyKind,
    /// With which attribute and values.
    pub attribute: Attribute,
}

/// What happens to one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It comes into being with these attributes.
    Add(Vec<Attribute>),
    /// Its attributes change, all or none.
    Modify(Vec<Modification>),
    /// It gets another name, and may move.
    Rename {
        /// The new first part of its name.
        new_rdn: Rdn,
        /// Whether the old name's values leave the entry.
        delete_old_rdn: bool,
        /// The new parent, if it moves.
        new_superior: Option<Dn>,
    },
    /// It goes.
    Delete,
}

/// A change and the entry it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRecord {
    /// The entry's name.
    pub dn: Dn,
    /// What happens to it.
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

/// The change as LDIF; what can't be written as such is a comment that says why.
impl fmt::Display for ChangeRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        match writer::write_change(&mut text, self) {
            Ok(()) => f.write_str(&String::from_utf8_lossy(&text)),
            // Failing here would make `to_string` panic.
            Err(error) => writeln!(f, "# (not shown: {error})"),
        }
    }
}
