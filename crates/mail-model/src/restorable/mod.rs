//! The rules for what the administrator of a tenant may restore from a file.
//!
//! A restore runs with the rights of the backup account, so only these rules protect the directory from the file. They
//! list what is allowed, and everything else is refused: the places of each kind of entry, the classes and attributes
//! of each kind, and values that the API itself would write. Whether another entry has an address already is for the
//! server to check.

mod kinds;
mod password;
mod place;
#[cfg(test)]
mod tests;
mod values;

use crate::{names, tenant::Tenant, tree::Tree};
use jiff::Timestamp;
use ldap_text::{
    attribute::AttributeName,
    dn::{Dn, Rdn},
    ldif::{Attribute, Value},
};
pub use place::Belonging;
use std::collections::HashSet;
use values::Context;

/// The rules of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The tree of the installation.
    pub tree: &'a Tree,
    /// The tenant whose administrator restores.
    pub tenant: &'a Tenant,
    /// The domains that other tenants serve, in lower case.
    pub foreign_domains: &'a HashSet<String>,
    /// The time of the restore; no deletion can be later.
    pub now: Timestamp,
}

/// Why the administrator of a tenant may not restore an entry. The messages are about the file only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// The API creates no entry at this place.
    #[error("an entry of a tenant cannot be at this place of the tree")]
    Place,
    /// The name of the entry is not the required value.
    #[error("its name must be one pair, {0}=…, with the value that {0} has in the entry")]
    Name(AttributeName),
    /// A class that the kind does not have.
    #[error("the class {0} is not one of {1}")]
    Class(String, &'static str),
    /// A missing class of the kind.
    #[error("the class {0} is required of {1}")]
    ClassMissing(&'static str, &'static str),
    /// An attribute that the API does not write.
    #[error("{0} of {1} is for super administrators")]
    Attribute(AttributeName, &'static str),
    /// An attribute that the API always writes.
    #[error("{0} is a required value")]
    Required(AttributeName),
    /// Several values where the API writes one.
    #[error("{0} has more than one value")]
    Several(AttributeName),
    /// Bytes that are not text.
    #[error("{0} has a value that is not text")]
    NotText(AttributeName),
    /// A value that the API would refuse.
    #[error("{0} {1}")]
    Value(AttributeName, String),
}

impl Rules<'_> {
    /// The kind of entry at a place; `None` if the API creates none there.
    #[must_use]
    pub fn place_of(&self, dn: &Dn) -> Option<Belonging> {
        place::belonging(self.tree, &self.tenant.id, dn)
    }

    /// Checks an entry, by the attributes that would be written.
    ///
    /// # Errors
    /// The first reason for a refusal.
    pub fn check(&self, dn: &Dn, attributes: &[&Attribute]) -> Result<(), NotAllowed> {
        let kind = self.place_of(dn).ok_or(NotAllowed::Place)?;
        check_name(kind, dn, attributes)?;
        check_classes(kind, attributes)?;
        let known = kind.attributes();
        for attribute in attributes.iter().filter(|attribute| attribute.name != names::OBJECT_CLASS) {
            let known = known.iter().find(|known| known.name == attribute.name);
            let known = known.ok_or_else(|| NotAllowed::Attribute(attribute.name.clone(), kind.noun()))?;
            if known.values.is_single() && attribute.values.len() > 1 {
                return Err(NotAllowed::Several(attribute.name.clone()));
            }
            let context = Context { rules: self, dn };
            let wrong = |reason| NotAllowed::Value(attribute.name.clone(), reason);
            match known.values.check_bytes(&attribute.values) {
                Some(outcome) => outcome,
                None => known.values.check(&texts(attribute)?, &context),
            }
            .map_err(wrong)?;
        }
        let is_there = |name: &AttributeName| attributes.iter().any(|attribute| attribute.name == *name);
        if let Some(missing) = known.iter().find(|known| known.is_required && !is_there(&known.name)) {
            return Err(NotAllowed::Required(missing.name.clone()));
        }
        if kind == Belonging::List { values::check_content(self, attributes) } else { Ok(()) }
    }
}

fn values_of<'a>(attributes: &[&'a Attribute], name: &AttributeName) -> &'a [Value] {
    attributes.iter().find(|attribute| attribute.name == *name).map_or(&[], |attribute| &attribute.values)
}

/// The values of an attribute as texts.
fn texts(attribute: &Attribute) -> Result<Vec<&str>, NotAllowed> {
    let text = |value: &'_ Value| str::from_utf8(value.as_bytes()).is_ok();
    if !attribute.values.iter().all(text) {
        return Err(NotAllowed::NotText(attribute.name.clone()));
    }
    Ok(attribute.values.iter().filter_map(|value| str::from_utf8(value.as_bytes()).ok()).collect())
}

/// Checks that the name of an entry is one pair, with the only value of that attribute. 389-ds adds to the entry all
/// other pairs of the name, and a value that is missing.
fn check_name(kind: Belonging, dn: &Dn, attributes: &[&Attribute]) -> Result<(), NotAllowed> {
    let is_named_by = |naming: &AttributeName| {
        let rdn = dn.rdn()?;
        let [value] = values_of(attributes, naming) else { return None };
        let value = str::from_utf8(value.as_bytes()).ok()?;
        Some(place::is_name(rdn, naming, value))
    };
    let naming = kind.naming();
    if naming.iter().any(|naming| is_named_by(naming) == Some(true)) {
        return Ok(());
    }
    Err(NotAllowed::Name(naming.first().cloned().unwrap_or(names::OU)))
}

/// Checks that an entry has the classes of its kind, and no others.
fn check_classes(kind: Belonging, attributes: &[&Attribute]) -> Result<(), NotAllowed> {
    let classes = values_of(attributes, &names::OBJECT_CLASS);
    let is = |class: &Value, name: &str| class.as_bytes().eq_ignore_ascii_case(name.as_bytes());
    let allowed = kind.classes();
    let foreign =
        |class: &&Value| !allowed.iter().any(|name| is(class, name)) && !is(class, names::MEMBER_CLASS);
    if let Some(class) = classes.iter().find(foreign) {
        let class = String::from_utf8_lossy(class.as_bytes()).chars().take(80).collect();
        return Err(NotAllowed::Class(class, kind.noun()));
    }
    let mut required = allowed.iter().filter(|name| kind.requires_class(name));
    match required.find(|name| !classes.iter().any(|class| is(class, name))) {
        Some(missing) => Err(NotAllowed::ClassMissing(missing, kind.noun())),
        None => Ok(()),
    }
}

/// Whether an RDN is one pair with a value, ignoring letter case.
fn is_pair(rdn: &Rdn, naming: &AttributeName, value: &str) -> bool {
    *rdn == Rdn::new(naming.clone(), value)
}
