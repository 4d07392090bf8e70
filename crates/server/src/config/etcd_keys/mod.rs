//! The keys of etcd that mean something to pbm, as settings: those of the guide (`pbm/auth/allowed_subnets` is
//! `auth.allowed_subnets`), and every other setting below `pbm/settings/`. Pure functions: nothing here talks to etcd.
//!
//! Keys may begin with a slash. An empty value counts as none. A value that cannot be converted becomes a mistake only
//! if neither the file nor the environment sets the same setting.

mod assembled;
mod folders;
pub(super) mod forms;
pub mod lines;
mod own;
mod table;

use super::source::value::{Origin, Raw, Value};
use crate::etcd::snapshot::Snapshot;
use secrecy::ExposeSecret;
use std::collections::{BTreeMap, BTreeSet};
use table::{ROWS, reason_against};

/// The ranges of keys that are read, without a leading slash. An account in etcd needs to read no others.
pub const PREFIXES: [&str; 9] = [
    "pbm/",
    "psn/cab/",
    "psn/common/",
    "psn/ldap/",
    "psn/web/defaults/",
    "services/ad/",
    "services/bitrix24/",
    "services/doveadm/",
    "services/redis/",
];

/// A key of etcd without effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnusedKey {
    /// The key.
    pub key: String,
    /// Why it has none.
    pub reason: String,
}

impl UnusedKey {
    /// The keys of an origin, all for the same reason.
    pub(crate) fn all_of(origin: &Origin, reason: &str) -> Vec<Self> {
        let keys = if let Origin::Etcd(keys) = origin { keys.as_slice() } else { &[] };
        keys.iter().map(|key| Self { key: key.clone(), reason: reason.to_owned() }).collect()
    }
}

/// The settings that etcd gives.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) values: BTreeMap<String, Value>,
    pub(crate) unused: Vec<UnusedKey>,
}

impl Reading {
    /// Adds a setting, unless an earlier key gave it.
    fn add(&mut self, setting: impl Into<String>, found: &[Found], raw: Result<Raw, String>) {
        let origin = Origin::Etcd(found.iter().map(|found| found.key.clone()).collect());
        let setting = setting.into();
        if let Some(Value { origin: winner, .. }) = self.values.get(&setting) {
            let reason = format!("{setting} is set by {winner}");
            self.unused.extend(UnusedKey::all_of(&origin, &reason));
        } else {
            self.values.insert(setting, Value { raw: raw.unwrap_or_else(Raw::Wrong), origin });
        }
    }

    fn refuse(&mut self, found: &Found, reason: impl Into<String>) {
        self.unused.push(UnusedKey { key: found.key.clone(), reason: reason.into() });
    }
}

/// A key that is present and has a value.
struct Found {
    /// The key as it is stored.
    key: String,
    /// The value; an error if it is not text.
    text: Result<String, String>,
}

impl Found {
    /// Converts the value.
    fn read<T>(&self, convert: impl FnOnce(&str) -> Result<T, String>) -> Result<T, String> {
        convert(self.text.as_deref().map_err(Clone::clone)?)
    }
}

/// The keys of a snapshot that nobody has read yet, by their names without a leading slash.
struct Keys<'a> {
    snapshot: &'a Snapshot,
    left: BTreeMap<&'a str, &'a str>,
}

impl<'a> Keys<'a> {
    /// All keys, and those that are there twice.
    fn of(snapshot: &'a Snapshot) -> (Self, Vec<UnusedKey>) {
        let (mut left, mut unused) = (BTreeMap::new(), Vec::new());
        // A leading slash sorts first, so the key without it replaces the one with it.
        for key in snapshot.values.keys() {
            let name = key.trim_start_matches('/');
            if let Some(other) = left.insert(name, key.as_str()) {
                let reason = format!("{key} is set, too, and takes precedence");
                unused.push(UnusedKey { key: str::to_owned(other), reason });
            }
        }
        (Self { snapshot, left }, unused)
    }

    /// A key, if it is there and not empty.
    fn take(&mut self, name: &str) -> Option<Found> {
        let stored = self.left.remove(name)?;
        let text = match self.snapshot.values.get(stored)? {
            Some(value) => Ok(value.expose_secret().to_owned()),
            None => Err("is not text in UTF-8".to_owned()),
        };
        let is_empty = text.as_ref().is_ok_and(|text| text.trim().is_empty());
        (!is_empty).then(|| Found { key: stored.to_owned(), text })
    }

    /// The names of the remaining keys with a prefix.
    fn names_in(&self, prefix: &str) -> BTreeSet<&'a str> {
        self.left.keys().copied().filter(|name| name.starts_with(prefix)).collect()
    }
}

/// The settings that keys of the guide give.
#[cfg(test)]
pub(crate) fn settings() -> impl Iterator<Item = &'static str> {
    let folders = folders::FOLDERS.into_iter().map(|(_, setting)| setting);
    ROWS.iter().map(|row| row.setting).chain(folders)
}

/// The key that gives a setting: one of the guide, or else the setting's own; `None` if none can.
pub(crate) fn key_for(setting: &str) -> Option<String> {
    let assembled =
        [("ldap.urls", "psn/ldap/host"), ("redis.url", "services/redis/host"), ("tree.root", folders::ROOT)];
    let folders = folders::FOLDERS.into_iter().map(|(key, setting)| (setting, key));
    let rows = ROWS.iter().map(|row| (row.setting, row.key));
    let mut keys = assembled.into_iter().chain(folders).chain(rows);
    let of_guide = keys.find(|(given, _)| *given == setting).map(|(_, key)| key.to_owned());
    of_guide.or_else(|| (!own::is_of_machine(setting)).then(|| own::key_of(setting)))
}

/// Converts what etcd holds. `root` is the root DN that the file or the environment gives.
pub(crate) fn read(snapshot: &Snapshot, root: Option<&str>) -> Reading {
    let (mut keys, unused) = Keys::of(snapshot);
    let mut reading = Reading { unused, ..Reading::default() };
    // A setting under its own name is more exact than a key of the guide.
    own::read(&mut keys, &mut reading);
    assembled::directory(&mut keys, &mut reading);
    folders::read(&mut keys, &mut reading, root);
    assembled::redis(&mut keys, &mut reading);
    for row in ROWS {
        if let Some(found) = keys.take(row.key) {
            let raw = found.read(|text| row.form.read(text));
            reading.add(row.setting, &[found], raw);
        }
    }
    for name in keys.names_in("") {
        if let Some(found) = keys.take(name) {
            reading.refuse(&found, reason_against(name));
        }
    }
    reading
}

#[cfg(test)]
mod tests;
