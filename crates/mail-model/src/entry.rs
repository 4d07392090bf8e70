//! Read access to an entry by attribute name, independent of how the entry was read.

use ldap_text::attribute::AttributeName;

/// The attributes of one entry.
pub trait EntryView {
    /// All values of an attribute, in the server's order; empty where it has none.
    fn values(&self, name: &AttributeName) -> &[String];

    /// The first value of an attribute.
    fn first(&self, name: &AttributeName) -> Option<&str> {
        self.values(name).first().map(String::as_str)
    }
}
