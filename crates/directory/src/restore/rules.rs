//! What counts of an entry: what a file and a directory are compared by, and what is written.

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

/// How the names of access rules begin that `pbm init` makes.
const OUR_ACL: &str = "acl \"pbm: ";

/// The rules of one restore.
pub(super) struct Rules {
    pub(super) tree: Tree,
    pub(super) schema: Subschema,
    pub(super) numbers: Numbers,
    /// The accounts that pbm itself binds as: their passwords belong to the installation, and stay.
    own_accounts: HashSet<Key>,
    /// Attributes that the whole file says nothing of, because whoever wrote it could not read them or did not ask:
    /// they are left alone.
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

    /// Attributes that many a file lacks altogether.
    pub(super) fn often_unsaid() -> impl Iterator<Item = AttributeName> {
        names::KEPT_OPERATIONAL.iter().cloned().chain([names::USER_PASSWORD])
    }

    /// Whether pbm itself binds as it.
    pub(super) fn is_own_account(&self, dn: &Dn) -> bool {
        self.own_accounts.contains(&self.numbers.of(dn))
    }

    /// Whether an attribute is one that people set, as far as the file speaks of it, and that may be written.
    fn counts(&self, key: Key, name: &AttributeName) -> bool {
        let is_password = names::is_password(name);
        let is_own = is_password && self.own_accounts.contains(&key);
        // Tokens that were revoked since stay so.
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

    /// Whether the values of an attribute are names of entries.
    fn is_name(&self, name: &AttributeName) -> bool {
        self.schema.attribute(name).is_some_and(|kind| kind.syntax == Syntax::Name)
    }

    /// Whether two lists have the same values of an attribute, in whatever order.
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

    /// Stands for all that counts of an entry.
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

    /// What makes a stored entry what the file says.
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

    /// The new mark of tokens that goes with a change which ends them. It is neither in the file nor in the directory, and another
    /// one each time, so it is written and never shown.
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
            // The server has given it to members, and takes it away itself.
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
            // Whether it is the one that the server has hashed can't be seen.
            true
        } else {
            if attribute.name == names::DELETED_SINCE && self.limits.is_some() {
                values = self.not_before(before, values);
            }
            self.are_same(&attribute.name, &values, before)
        };
        (!is_same).then(|| replace(&attribute.name, values))
    }

    /// The time of a deletion, and none before the one that is stored, or before now where none is: whoever restores may delete, as
    /// by the API, and not shorten the time until the purge.
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

    /// Whether whoever restores may write an attribute of an entry. What others have written there stays: it is not taken
    /// away because a file lacks it.
    fn may_write(&self, entry: &Entry, name: &AttributeName) -> bool {
        let Some(limits) = &self.limits else { return true };
        let is_lock = *name == names::NS_ACCOUNT_LOCK;
        let kind = limits.rules(self).place_of(&entry.dn);
        // Locks follow from the state; see `lock_of`.
        !is_lock && kind.is_some_and(|kind| kind.has(name))
    }

    /// The lock that goes with a user's state, where the file says nothing of locks. Where the administrator of a tenant
    /// restores it goes with the state in any case: nobody who is deleted or blocked can log in.
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

    /// An entry as it is added: without what the server makes itself.
    pub(super) fn to_add(&self, mut entry: Entry) -> Entry {
        entry.attributes.retain(|a| a.name != names::MEMBER_OF && !self.is_made_by_server(&a.name));
        // Whoever wrote the file did not ask for locks: what was blocked or deleted must not come back to life.
        if (self.unsaid.contains(&names::NS_ACCOUNT_LOCK) || self.limits.is_some())
            && entry.is_of_class(names::USER_CLASS)
            && is_locked(&entry)
        {
            entry.attributes.retain(|attribute| attribute.name != names::NS_ACCOUNT_LOCK);
            entry.attributes.push(Attribute::new(names::NS_ACCOUNT_LOCK, ["true"]));
        }
        entry
    }

    /// Whether an entry that is a member of a group may be a group itself: of a tenant those are its mailing lists.
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

/// Whether a change of an attribute ends the tokens that a user has.
fn ends_tokens(name: &AttributeName) -> bool {
    [names::USER_PASSWORD, names::INET_USER_STATUS, names::DELETED_SINCE].contains(name)
}

/// Values that are text.
pub(super) fn texts(values: &[Value]) -> impl Iterator<Item = &str> {
    values.iter().filter_map(|value| str::from_utf8(value.as_bytes()).ok())
}

/// A value as it is compared: a name of an entry however it is spelled, any other byte by byte.
fn compared(value: &Value, is_name: bool) -> Cow<'_, [u8]> {
    let text = str::from_utf8(value.as_bytes()).ok().filter(|_| is_name);
    let dn = text.and_then(|text| Dn::parse(text).ok());
    dn.map_or(Cow::Borrowed(value.as_bytes()), |dn| Cow::Owned(dn.to_string().to_lowercase().into_bytes()))
}

/// Whether it is an access rule that `pbm init` makes, which it also keeps up to date.
fn is_our_rule(rule: &Value) -> bool {
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

/// Attributes as they may be shown: passwords are secret.
pub(super) fn with_secrets(entry: Entry) -> Vec<Attribute> {
    let attributes = entry.attributes.into_iter();
    attributes.map(|attribute| replace(&attribute.name, attribute.values).attribute).collect()
}

/// Whether the entry of a user says that nobody can log in as it.
fn is_locked(entry: &Entry) -> bool {
    let is_blocked = entry.values(&names::INET_USER_STATUS).iter().any(|status| status.as_bytes() != b"1");
    is_blocked || !entry.values(&names::DELETED_SINCE).is_empty()
}

/// Whether an entry has the lock that 389-ds refuses binds by.
fn has_lock(entry: &Entry) -> bool {
    let is_true = |value: &Value| value.as_bytes().eq_ignore_ascii_case(b"true");
    entry.values(&names::NS_ACCOUNT_LOCK).iter().any(is_true)
}
