//! Reasons to refuse an entry of a file whatever the directory contains. They are found before anything is written, so
//! a dry run reports them too.

use super::{
    refusal::Refusal,
    rules::{Rules, texts},
};
use crate::subschema::Subschema;
use ldap_text::ldif::{Attribute, Entry, Value};
use mail_model::{
    names,
    user::hash::{self, Stored},
};

impl Rules {
    /// Why an entry is refused, whatever the directory contains.
    pub(super) fn refusal(&self, entry: &Entry) -> Option<Refusal> {
        let known = self.overreach(entry).or_else(|| self.unknown(entry));
        known.or_else(|| bad_password(entry)).or_else(|| self.misfit(entry))
    }

    /// Whether an attribute of an entry is written when the entry is.
    fn is_written(&self, attribute: &Attribute) -> bool {
        attribute.name != names::MEMBER_OF && !self.is_made_by_server(&attribute.name)
    }

    /// Why an administrator of a tenant may not restore an entry. Attributes that are never written don't matter.
    fn overreach(&self, entry: &Entry) -> Option<Refusal> {
        let limits = self.limits.as_ref()?;
        let written: Vec<_> = entry.attributes.iter().filter(|a| self.is_written(a)).collect();
        let reason = limits.rules(self).check(&entry.dn, &written).err()?;
        Some(Refusal::Forbidden(reason.to_string()))
    }

    fn unknown(&self, entry: &Entry) -> Option<Refusal> {
        let classes = entry.values(&names::OBJECT_CLASS);
        if let Some(class) = texts(classes).find(|class| !self.schema.knows_class(class)) {
            return Some(Refusal::UnknownClass(class.to_owned()));
        }
        let unknown = |attribute: &&Attribute| {
            self.is_written(attribute) && self.schema.attribute(&attribute.name).is_none()
        };
        let first = entry.attributes.iter().find(unknown)?;
        let is_extensible = Subschema::is_extensible(texts(classes));
        (!is_extensible).then(|| Refusal::UnknownAttribute(first.name.clone()))
    }

    /// The first value that the server would refuse because of the syntax of its attribute.
    fn misfit(&self, entry: &Entry) -> Option<Refusal> {
        entry.attributes.iter().filter(|a| self.is_written(a)).find_map(|attribute| {
            let kind = self.schema.attribute(&attribute.name);
            let syntax = kind.map(|kind| kind.syntax).unwrap_or_default();
            let flaw = attribute.values.iter().find_map(|value| syntax.flaw(value.as_bytes()))?;
            Some(Refusal::Value(format!("{} {flaw}", attribute.name)))
        })
    }
}

/// A password that the server would store as a hash although it is not a complete one, or the reverse.
fn bad_password(entry: &Entry) -> Option<Refusal> {
    let flaw = |value: &Value| hash::read(value.as_bytes()).err();
    entry.values(&names::USER_PASSWORD).iter().find_map(flaw).map(Refusal::Password)
}

/// Whether passwords are in clear text.
pub(super) fn is_clear(passwords: &Attribute) -> bool {
    passwords.values.iter().all(|password| matches!(hash::read(password.as_bytes()), Ok(Stored::Clear(_))))
}
