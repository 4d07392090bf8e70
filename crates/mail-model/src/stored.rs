//! Entries for tests.

use crate::entry::EntryView;
use ldap_text::attribute::AttributeName;

/// An entry with some attributes.
pub(crate) struct Stored(Vec<(AttributeName, Vec<String>)>);

impl Stored {
    /// An entry with some classes, and attributes of one value each.
    pub(crate) fn new(classes: &[&str], pairs: &[(AttributeName, &str)]) -> Self {
        let classes = classes.iter().map(|class| (*class).to_owned()).collect();
        let pairs = pairs.iter().map(|(name, value)| (name.clone(), vec![(*value).to_owned()]));
        Self(pairs.chain([(crate::names::OBJECT_CLASS, classes)]).collect())
    }
}

impl EntryView for Stored {
    fn values(&self, name: &AttributeName) -> &[String] {
        self.0.iter().find(|(n, _)| n == name).map_or(&[], |(_, values)| values)
    }
}
