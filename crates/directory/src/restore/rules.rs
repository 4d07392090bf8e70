//! What counts of an entry: what a file and a directory are compared by, and what is written.

use super::{Existing, refusal::Refusal};
use crate::{
    backup::{
        is_super,
        key::{Digest, Key, Numbers},
    },
    subschema::Subschema,
};
use jiff::Timestamp;
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    generalized_time,
    ldif::{Attribute, Entry, Modification, ModifyKind, Value},
};
use mail_model::{contact::Kind, names, tenant::Tenant, tree::Tree};
use percent_encoding::percent_decode_str;
use std::collections::HashSet;

/// Schemes of hashes that 389-ds knows, in lower case (`cn=Password Storage Schemes,cn=plugins,cn=config` of 2.3).
#[rustfmt::skip]
const SCHEMES: [&str; 22] = [
    "clear", "crypt", "crypt-md5", "crypt-sha256", "crypt-sha512", "gost_yescrypt", "md5", "ns-mta-md5",
    "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512", "pbkdf2_sha256", "sha", "sha256", "sha384",
    "sha512", "smd5", "ssha", "ssha256", "ssha384", "ssha512",
];

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

/// What an administrator of a tenant may restore.
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

    /// An entry with each attribute under its own name: the schema has several for some.
    pub(super) fn with_own_names(&self, mut entry: Entry) -> Entry {
        if entry.attributes.iter().all(|attribute| self.schema.own_name(&attribute.name).is_none()) {
            return entry;
        }
        for attribute in std::mem::take(&mut entry.attributes) {
            let name = self.schema.own_name(&attribute.name).unwrap_or(attribute.name);
            match entry.attributes.iter_mut().find(|known| known.name == name) {
                Some(known) => known.values.extend(attribute.values),
                None => entry.attributes.push(Attribute { name, values: attribute.values }),
            }
        }
        entry
    }

    /// Whether an attribute is one that people set, as far as the file speaks of it, and that may be written.
    fn counts(&self, key: Key, name: &AttributeName) -> bool {
        let is_own = *name == names::USER_PASSWORD && self.own_accounts.contains(&key);
        let is_for_operators = self.limits.is_some() && is_for_operators(name);
        // Tokens that were revoked since stay so.
        let is_kept_by_others = *name == names::MEMBER_OF || *name == names::TOKENS_VALID_FROM;
        !is_own
            && !is_for_operators
            && !is_kept_by_others
            && !self.is_made_by_server(name)
            && !self.unsaid.contains(name)
    }

    fn is_made_by_server(&self, name: &AttributeName) -> bool {
        self.schema.attribute(name).is_some_and(|kind| kind.is_operational)
            && !names::KEPT_OPERATIONAL.contains(name)
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
            for value in &attribute.values {
                if attribute.name != names::ACI || !is_our_rule(value) {
                    self.numbers.take(&mut digest, &attribute.name, value.as_bytes());
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
        for attribute in wanted.attributes.iter().filter(|attribute| self.counts(key, &attribute.name)) {
            modifications.extend(self.change_of(attribute, wanted, stored, existing));
        }
        let lacks = |name: &AttributeName| wanted.values(name).is_empty() && self.counts(key, name);
        for surplus in stored.attributes.iter().filter(|attribute| lacks(&attribute.name)) {
            let kept = rules_of_ours(surplus);
            if kept.len() < surplus.values.len() {
                modifications.push(replace(&surplus.name, kept));
            }
        }
        modifications.extend(self.lock_of(wanted, stored));
        if modifications.iter().any(|change| ends_tokens(&change.attribute.name))
            && wanted.is_of_class(names::USER_CLASS)
        {
            let now = generalized_time::print(self.now);
            modifications.push(replace(&names::TOKENS_VALID_FROM, vec![now.into()]));
        }
        modifications
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
            let is_same = are_same(&values, &others);
            values.extend(before.iter().filter(|value| is_our_rule(value)).cloned());
            is_same
        } else if attribute.name == names::USER_PASSWORD && existing == Existing::Keep && is_clear(attribute)
        {
            // Whether it is the one that the server has hashed can't be seen.
            true
        } else {
            are_same(&values, before)
        };
        (!is_same).then(|| replace(&attribute.name, values))
    }

    /// The lock that goes with a user's state, where the file says nothing of locks.
    fn lock_of(&self, wanted: &Entry, stored: &Entry) -> Option<Modification> {
        if !self.unsaid.contains(&names::NS_ACCOUNT_LOCK) || !wanted.is_of_class(names::USER_CLASS) {
            return None;
        }
        let is_true = |value: &Value| value.as_bytes().eq_ignore_ascii_case(b"true");
        let is_stored = stored.values(&names::NS_ACCOUNT_LOCK).iter().any(is_true);
        match (is_locked(wanted), is_stored) {
            (true, false) => Some(replace(&names::NS_ACCOUNT_LOCK, vec!["true".into()])),
            (false, true) => Some(replace(&names::NS_ACCOUNT_LOCK, Vec::new())),
            _ => None,
        }
    }

    /// An entry as it is added: without what the server makes itself.
    pub(super) fn to_add(&self, mut entry: Entry) -> Entry {
        entry.attributes.retain(|a| a.name != names::MEMBER_OF && !self.is_made_by_server(&a.name));
        // Whoever wrote the file did not ask for locks: what was blocked or deleted must not come back to life.
        if self.unsaid.contains(&names::NS_ACCOUNT_LOCK)
            && entry.is_of_class(names::USER_CLASS)
            && is_locked(&entry)
        {
            entry.attributes.push(Attribute::new(names::NS_ACCOUNT_LOCK, ["true"]));
        }
        entry
    }

    /// What an entry is refused for, whatever is in the directory.
    pub(super) fn refusal(&self, entry: &Entry) -> Option<Refusal> {
        self.unknown(entry)
            .or_else(|| bad_password(entry))
            .or_else(|| self.limits.as_ref()?.overreach(entry, &self.tree).map(Refusal::Forbidden))
    }

    fn unknown(&self, entry: &Entry) -> Option<Refusal> {
        let classes = entry.values(&names::OBJECT_CLASS);
        if let Some(class) = texts(classes).find(|class| !self.schema.knows_class(class)) {
            return Some(Refusal::UnknownClass(class.to_owned()));
        }
        let unknown = |attribute: &&Attribute| self.schema.attribute(&attribute.name).is_none();
        let first = entry.attributes.iter().find(unknown)?;
        let is_extensible = Subschema::is_extensible(texts(classes));
        (!is_extensible).then(|| Refusal::UnknownAttribute(first.name.clone()))
    }
}

impl Limits {
    /// Why an administrator of a tenant may not restore an entry: it gives more rights than one has.
    fn overreach(&self, entry: &Entry, tree: &Tree) -> Option<String> {
        if let Some(attribute) = entry.attributes.iter().find(|a| is_for_operators(&a.name)) {
            return Some(format!("{} is for super administrators", attribute.name));
        }
        if is_super(tree, entry) {
            return Some("super administrators are for super administrators".to_owned());
        }
        let place = tree.place_of(&entry.dn).map(|place| place.kind);
        let needed = match place {
            Some(Kind::User) => Some(names::USER_CLASS),
            Some(Kind::List) => Some(names::MAIL_LIST_CLASS),
            Some(Kind::Resource) => Some(names::RESOURCE_CLASS),
            Some(Kind::Contact) => None,
            None => Some("organizationalUnit"),
        };
        if let Some(class) = needed.filter(|class| !entry.is_of_class(class)) {
            return Some(format!("what stands at this place is of the class {class}"));
        }
        let foreign = |class: &&str| !is_usual_class(class);
        if let Some(class) = texts(entry.values(&names::OBJECT_CLASS)).find(foreign) {
            return Some(format!("the class {class} is for super administrators"));
        }
        self.foreign_address(entry, place).or_else(|| self.foreign_member(entry, tree))
    }

    fn foreign_address(&self, entry: &Entry, place: Option<Kind>) -> Option<String> {
        let addresses = [names::MAIL, names::MAIL_ALTERNATE_ADDRESS];
        let mut addresses = addresses.iter().flat_map(|name| texts(entry.values(name)));
        let is_foreign = |address: &&str| {
            let domain = address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
            match domain {
                None => true,
                // Contacts come from outside, but not from other tenants.
                Some(domain) if place == Some(Kind::Contact) => self.foreign_domains.contains(&domain),
                Some(domain) => !self.tenant.serves(&domain),
            }
        };
        let foreign = addresses.find(is_foreign)?;
        Some(format!("{foreign} is in no domain of the tenant"))
    }

    fn foreign_member(&self, entry: &Entry, tree: &Tree) -> Option<String> {
        let is_ours = |dn: &Dn| tree.is_of_tenant(dn, &self.tenant.id);
        let named = |text: &str| Dn::parse(text).is_ok_and(|dn| is_ours(&dn));
        if !texts(entry.values(&names::MEMBER)).all(named) {
            return Some("a member is of another tenant".to_owned());
        }
        let searched = |url: &str| {
            let base = url.strip_prefix("ldap:///").and_then(|rest| rest.split('?').next());
            base.and_then(|base| percent_decode_str(base).decode_utf8().ok()).is_some_and(|base| named(&base))
        };
        if !texts(entry.values(&names::MEMBER_URL)).all(searched) {
            return Some("its conditions reach beyond the tenant".to_owned());
        }
        None
    }
}

/// Attributes that only those may write who may do everything; with options, since no rule looks at those.
fn is_for_operators(name: &AttributeName) -> bool {
    let is_kept = names::KEPT_OPERATIONAL.contains(name) && *name != names::NS_ACCOUNT_LOCK;
    is_kept || name.as_str().contains(';')
}

/// Classes of what belongs to a tenant.
fn is_usual_class(class: &str) -> bool {
    let all = [
        names::USER_CLASSES,
        names::MAIL_LIST_CLASSES,
        names::RESOURCE_GROUP_CLASSES,
        names::RESOURCE_CLASSES,
        names::UNIT_CLASSES,
        &[names::MEMBER_CLASS],
    ];
    all.iter().flat_map(|classes| classes.iter()).any(|usual| usual.eq_ignore_ascii_case(class))
}

/// Whether a change of an attribute ends the tokens that a user has.
fn ends_tokens(name: &AttributeName) -> bool {
    [names::USER_PASSWORD, names::INET_USER_STATUS, names::DELETED_SINCE].contains(name)
}

/// Values that are text.
fn texts(values: &[Value]) -> impl Iterator<Item = &str> {
    values.iter().filter_map(|value| str::from_utf8(value.as_bytes()).ok())
}

/// Whether two lists have the same values, in whatever order.
fn are_same(one: &[Value], other: &[Value]) -> bool {
    let sorted = |values: &[Value]| {
        let mut values: Vec<_> = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        values.sort_unstable();
        values.dedup();
        values
    };
    one == other || sorted(one) == sorted(other)
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
    let is_secret = *name == names::USER_PASSWORD;
    let values = if is_secret { values.into_iter().map(secret).collect() } else { values };
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

/// A password that the server would not know for a hash, though it is one.
fn bad_password(entry: &Entry) -> Option<Refusal> {
    let is_known = |scheme: &str| SCHEMES.contains(&&*scheme.to_ascii_lowercase());
    let scheme = |value| scheme_of(value).filter(|scheme| !is_known(scheme));
    let unknown = entry.values(&names::USER_PASSWORD).iter().find_map(scheme);
    unknown.map(|scheme| Refusal::PasswordScheme(format!("{{{scheme}}}")))
}

/// Whether passwords are no hashes.
fn is_clear(passwords: &Attribute) -> bool {
    passwords.values.iter().all(|password| scheme_of(password).is_none())
}

/// The scheme that a password begins with (RFC 2307 section 5.3).
fn scheme_of(password: &Value) -> Option<&str> {
    let inside = str::from_utf8(password.as_bytes()).ok()?.strip_prefix('{')?;
    inside.split_once('}').map(|(scheme, _)| scheme)
}
