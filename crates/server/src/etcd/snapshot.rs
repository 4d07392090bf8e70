//! What etcd held at one moment.

use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;

/// The keys that pbm reads, and their values, all of one revision.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The revision of etcd.
    pub revision: i64,
    /// The values; `None` for one that is not UTF-8. Any of them may be a secret.
    pub values: BTreeMap<String, Option<SecretString>>,
    /// The prefixes that the account may not read, in words; they count as empty.
    pub denied: Vec<String>,
}

impl Snapshot {
    /// Whether another snapshot has the same keys and values, at whatever revision.
    #[must_use]
    pub fn has_same_values(&self, other: &Self) -> bool {
        let texts = |snapshot: &Self| {
            let text =
                |value: &Option<SecretString>| value.as_ref().map(|text| text.expose_secret().to_owned());
            snapshot.values.iter().map(|(key, value)| (key.clone(), text(value))).collect::<Vec<_>>()
        };
        texts(self) == texts(other)
    }
}
