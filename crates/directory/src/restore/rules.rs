//! The rules for entries: what counts in a comparison of a file with a directory, and what is written.

use super::{Existing, objections::is_clear};
use crate::{
    backup::key::{Digest, Key, Numbers},
    product::syntax::Syntax,
    subschema::Subschema,
};
use jiff::Timestamp;
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    generalized_time,
    ldif::{Attribute, Entry, Modification, ModifyKind, Value, is_secret},
};
use mail_model::{
    names,
    restorable::{self, Belonging},
    tenant::Tenant,
    tree::Tree,
};
use std::{borrow::Cow, collections::HashSet};

/// The beginning of the names of access rules that `pbm init` creates.
const OUR_ACL: &str = "acl \"pbm: ";

/// The rules of one restore.
pub(super) struct Rules {
    pub(super) tree: Tree,
    pub(super) schema: Subschema,
    pub(super) numbers: Numbers,
    /// The accounts that pbm itself binds as: their passwords belong to the installation and are not restored.
    own_accounts: HashSet<Key>,
    /// Attributes that the whole file does not contain, because the program that wrote it could not read them or did
    /// not request them. They are left alone.
    pub(super) unsaid: HashSet<AttributeName>,
    /// What an administrator of a tenant may restore; `None` for those who may restore everything.
    pub(super) limits: Option<Limits>,
    pub(super) now: Timestamp,
}

/// The tenant whose administrator restores.
pub(super) struct Limits {
    pub(super) tenant: Tenant,
    /// The domains of other tenants, in lower case.
    pub(super) foreign_domains: HashSet<String>,
}

impl Rules {
    pub(super) fn new(tree: Tree, schema: Subschema, accounts: &[Dn], now: Timestamp) -> Self {
        let numbers = Numbers::default();
        let accounts =
            accounts.iter().chain([&tree.decoy(), &tree.backup_account()]).map(|dn| numbers.of(dn)).collect();
        Self { tree, schema, numbers, own_accounts: accounts, unsaid: HashSet::new(), limits: None, now }
    }

    /// Attributes that many files do not contain at all.
    pub(super) fn often_unsaid() -> impl Iterator<Item = AttributeName> {
        names::KEPT_OPERATIONAL.iter().cloned().chain([names::USER_PASSWORD])
    }

    /// Whether pbm itself binds as this account.
    pub(super) fn is_own_account(&self, dn: &Dn) -> bool {
        self.own_accounts.contains(&self.numbers.of(dn))
    }

    /// Whether an attribute counts: people can set it, the file covers it, and it may be written.
    fn counts(&self, key: Key, name: &AttributeName) -> bool {
        let is_password = names::is_password(name);
        let is_own = is_password && self.own_accounts.contains(&key);
        // Tokens that were revoked after the backup stay revoked.
        let is_kept_by_others = *name == names::MEMBER_OF || *name == names::TOKENS_VALID_FROM;
        let is_unsaid =
            self.unsaid.contains(name) || (is_password && self.unsaid.contains(&names::USER_PASSWORD));
        !is_own && !is_kept_by_others && !self.is_made_by_server(name) && !is_unsaid
    }

    pub(super) fn is_made_by_server(&self, name: &AttributeName) -> bool {
        let is_operational = self.schema.attribute(name).is_some_and(|kind| kind.is_operational)
            && !names::KEPT_OPERATIONAL.contains(name);
        is_operational || self.schema.is_of_others(name)
    }

    /// Whether the values of an attribute are DNs.
    pub(super) fn is_name(&self, name: &AttributeName) -> bool {
        self.schema.attribute(name).is_some_and(|kind| kind.syntax == Syntax::Name)
    }

    /// Whether two lists have the same values of an attribute, in any order.
    fn are_same(&self, name: &AttributeName, one: &[Value], other: &[Value]) -> bool {
        let is_name = self.is_name(name);
        let sorted = |values: &[Value]| {
            let mut values: Vec<_> =
                values.iter().map(|value| compared(value, is_name).into_owned()).collect();
            values.sort_unstable();
            values.dedup();
            values
        };
        one == other || sorted(one) == sorted(other)
    }

    /// The classes of an entry as they are compared.
    fn classes(&self, entry: &Entry) -> impl Iterator<Item = String> {
        let classes = self.schema.with_those_above(texts(entry.values(&names::OBJECT_CLASS)));
        classes.into_iter().filter(|class| !class.eq_ignore_ascii_case(names::MEMBER_CLASS))
    }

    /// The digest of everything that counts in an entry.
    pub(super) fn digest(&self, key: Key, entry: &Entry) -> Digest {
        let mut digest = Digest::default();
        for attribute in entry.attributes.iter().filter(|attribute| self.counts(key, &attribute.name)) {
            if attribute.name == names::OBJECT_CLASS {
                continue;
            }
            let is_name = self.is_name(&attribute.name);
            for value in &attribute.values {
                if attribute.name != names::ACI || !is_our_rule(value) {
                    self.numbers.take(&mut digest, &attribute.name, &compared(value, is_name));
                }
            }
        }
        for class in self.classes(entry) {
            self.numbers.take(&mut digest, &names::OBJECT_CLASS, class.as_bytes());
        }
        digest
    }

    /// The changes that bring a stored entry to the state in the file.
    pub(super) fn difference(
        &self,
        key: Key,
        wanted: &Entry,
        stored: &Entry,
        existing: Existing,
    ) -> Vec<Modification> {
        let mut modifications = Vec::new();
        let writes = |name: &AttributeName| self.counts(key, name) && self.may_write(wanted, name);
        for attribute in wanted.attributes.iter().filter(|attribute| writes(&attribute.name)) {
            modifications.extend(self.change_of(attribute, wanted, stored, existing));
        }
        let lacks = |name: &AttributeName| wanted.values(name).is_empty() && writes(name);
        for surplus in stored.attributes.iter().filter(|attribute| lacks(&attribute.name)) {
            let kept = rules_of_ours(surplus);
            if kept.len() < surplus.values.len() {
                modifications.push(replace(&surplus.name, kept));
            }
        }
        modifications.extend(self.lock_of(wanted, stored));
        modifications
    }

    /// The new time from which tokens are valid, if the changes must end the user's tokens. The value is neither in
    /// the file nor in the directory and differs each time, so it is written and never shown.
    pub(super) fn end_of_tokens(&self, wanted: &Entry, changes: &[Modification]) -> Option<Modification> {
        let ends = changes.iter().any(|change| ends_tokens(&change.attribute.name));
        let mark = || replace(&names::TOKENS_VALID_FROM, vec![generalized_time::print(self.now).into()]);
        (ends && wanted.is_of_class(names::USER_CLASS)).then(mark)
    }

    fn change_of(
        &self,
        attribute: &Attribute,
        wanted: &Entry,
        stored: &Entry,
        existing: Existing,
    ) -> Option<Modification> {
        let mut values = attribute.values.clone();
        let before = stored.values(&attribute.name);
        let is_same = if attribute.name == names::OBJECT_CLASS {
            // The server has added this class to members, and removes it itself.
            if stored.is_of_class(names::MEMBER_CLASS) && !wanted.is_of_class(names::MEMBER_CLASS) {
                values.push(names::MEMBER_CLASS.into());
            }
            self.classes(wanted).eq(self.classes(stored))
        } else if attribute.name == names::ACI {
            values.retain(|value| !is_our_rule(value));
            let others: Vec<Value> = before.iter().filter(|value| !is_our_rule(value)).cloned().collect();
            let is_same = self.are_same(&attribute.name, &values, &others);
            values.extend(before.iter().filter(|value| is_our_rule(value)).cloned());
            is_same
        } else if attribute.name == names::USER_PASSWORD && existing == Existing::Keep && is_clear(attribute)
        {
            // A comparison of a clear-text password with the stored hash is not possible.
            true
        } else {
            if attribute.name == names::DELETED_SINCE && self.limits.is_some() {
                values = self.not_before(before, values);
            }
            self.are_same(&attribute.name, &values, before)
        };
        (!is_same).then(|| replace(&attribute.name, values))
    }

    /// The time of a deletion, but not before the stored one, or not before now if none is stored: an administrator
    /// who restores may delete, as with the API, but not shorten the time until the purge.
    fn not_before(&self, stored: &[Value], wanted: Vec<Value>) -> Vec<Value> {
        let time = |values: &[Value]| {
            let text = std::str::from_utf8(values.first()?.as_bytes()).ok()?;
            generalized_time::parse(text).ok()
        };
        let earliest = time(stored).unwrap_or(self.now);
        if time(&wanted).is_some_and(|time| time < earliest) {
            vec![generalized_time::print(earliest).into()]
        } else {
            wanted
        }
    }

    /// Whether the caller may write an attribute of an entry. Other attributes keep their values, even if the file
    /// does not contain them.
    fn may_write(&self, entry: &Entry, name: &AttributeName) -> bool {
        let Some(limits) = &self.limits else { return true };
        let is_lock = *name == names::NS_ACCOUNT_LOCK;
        let kind = limits.rules(self).place_of(&entry.dn);
        // Locks follow from the state; see `lock_of`.
        !is_lock && kind.is_some_and(|kind| kind.has(name))
    }

    /// The lock that follows from a user's state, if the file says nothing about locks. If the administrator of a
    /// tenant restores, the lock always follows from the state, so that a deleted or blocked user can never log in.
    fn lock_of(&self, wanted: &Entry, stored: &Entry) -> Option<Modification> {
        let is_unsaid = self.unsaid.contains(&names::NS_ACCOUNT_LOCK);
        if !(is_unsaid || self.limits.is_some()) || !wanted.is_of_class(names::USER_CLASS) {
            return None;
        }
        let is_wanted = is_locked(wanted) || (!is_unsaid && has_lock(wanted));
        match (is_wanted, has_lock(stored)) {
            (true, false) => Some(replace(&names::NS_ACCOUNT_LOCK, vec!["true".into()])),
            (false, true) => Some(replace(&names::NS_ACCOUNT_LOCK, Vec::new())),
            _ => None,
        }
    }

    /// An entry as it is added: without the attributes that the server generates.
    pub(super) fn to_add(&self, mut entry: Entry) -> Entry {
        entry.attributes.retain(|a| a.name != names::MEMBER_OF && !self.is_made_by_server(&a.name));
        // The program that wrote the file did not request locks: users that were blocked or deleted must not be able
        // to log in.
        if (self.unsaid.contains(&names::NS_ACCOUNT_LOCK) || self.limits.is_some())
            && entry.is_of_class(names::USER_CLASS)
            && is_locked(&entry)
        {
            entry.attributes.retain(|attribute| attribute.name != names::NS_ACCOUNT_LOCK);
            entry.attributes.push(Attribute::new(names::NS_ACCOUNT_LOCK, ["true"]));
        }
        entry
    }

    /// Whether a member of a group may be a group itself; within a tenant only mailing lists may.
    pub(super) fn may_be_group(&self, dn: &Dn) -> bool {
        let kind = |limits: &Limits| limits.rules(self).place_of(dn);
        self.limits.as_ref().is_none_or(|limits| kind(limits) == Some(Belonging::List))
    }
}

impl Limits {
    pub(super) fn rules<'a>(&'a self, rules: &'a Rules) -> restorable::Rules<'a> {
        let (tree, now) = (&rules.tree, rules.now);
        restorable::Rules { tree, tenant: &self.tenant, foreign_domains: &self.foreign_domains, now }
    }
}

/// Whether a change of an attribute must end the user's tokens.
fn ends_tokens(name: &AttributeName) -> bool {
    [names::USER_PASSWORD, names::INET_USER_STATUS, names::DELETED_SINCE].contains(name)
}

/// The values that are text.
pub(super) fn texts(values: &[Value]) -> impl Iterator<Item = &str> {
    values.iter().filter_map(|value| str::from_utf8(value.as_bytes()).ok())
}

/// A value as it is compared: a DN without regard to its spelling, anything else byte by byte.
pub(super) fn compared(value: &Value, is_name: bool) -> Cow<'_, [u8]> {
    let text = str::from_utf8(value.as_bytes()).ok().filter(|_| is_name);
    let dn = text.and_then(|text| Dn::parse(text).ok());
    dn.map_or(Cow::Borrowed(value.as_bytes()), |dn| Cow::Owned(dn.to_string().to_lowercase().into_bytes()))
}

/// Whether this is an access rule that `pbm init` creates and keeps up to date.
pub(super) fn is_our_rule(rule: &Value) -> bool {
    str::from_utf8(rule.as_bytes()).is_ok_and(|rule| rule.contains(OUR_ACL))
}

fn rules_of_ours(attribute: &Attribute) -> Vec<Value> {
    let is_kept = |value: &&Value| attribute.name == names::ACI && is_our_rule(value);
    attribute.values.iter().filter(is_kept).cloned().collect()
}

fn replace(name: &AttributeName, values: Vec<Value>) -> Modification {
    let secret = |value: Value| match value {
        Value::Plain(bytes) => Value::Secret(bytes.into()),
        secret @ Value::Secret(_) => secret,
    };
    let values = if is_secret(name) { values.into_iter().map(secret).collect() } else { values };
    Modification { kind: ModifyKind::Replace, attribute: Attribute { name: name.clone(), values } }
}

/// Attributes as they may be shown, with passwords marked as secret.
pub(super) fn with_secrets(entry: Entry) -> Vec<Attribute> {
    let attributes = entry.attributes.into_iter();
    attributes.map(|attribute| replace(&attribute.name, attribute.values).attribute).collect()
}

/// Whether the state of a user forbids to log in.
fn is_locked(entry: &Entry) -> bool {
    let is_blocked = entry.values(&names::INET_USER_STATUS).iter().any(|status| status.as_bytes() != b"1");
    is_blocked || !entry.values(&names::DELETED_SINCE).is_empty()
}

/// Whether an entry has the lock because of which 389-ds refuses binds.
fn has_lock(entry: &Entry) -> bool {
    let is_true = |value: &Value| value.as_bytes().eq_ignore_ascii_case(b"true");
    entry.values(&names::NS_ACCOUNT_LOCK).iter().any(is_true)
}
