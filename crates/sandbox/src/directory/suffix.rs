//! Owns the name of the tree in a server, and the entry at its top.
//!
//! Refuses names that would need escaping in `dse.ldif`, and classes other than the three usual ones.

use crate::error::SandboxError;

/// A suffix such as `dc=example,dc=com`.
#[derive(Debug, Clone)]
pub(crate) struct Suffix {
    name: String,
    attribute: &'static str,
    class: &'static str,
    value: String,
}

impl Suffix {
    pub(crate) fn parse(name: &str) -> Result<Self, SandboxError> {
        let unusable = || SandboxError::UnusableSuffix { suffix: name.to_owned() };
        let (attribute, value) =
            name.split(',').next().and_then(|rdn| rdn.split_once('=')).ok_or_else(unusable)?;
        let (attribute, class) = match attribute.to_ascii_lowercase().as_str() {
            "dc" => ("dc", "domain"),
            "o" => ("o", "organization"),
            "ou" => ("ou", "organizationalUnit"),
            _ => return Err(unusable()),
        };
        let is_plain = |c: char| c.is_ascii_graphic() && !"\"\\<>;#%+|".contains(c);
        let is_rdn = |rdn: &str| {
            rdn.split_once('=').is_some_and(|(name, value)| !name.is_empty() && !value.is_empty())
        };
        if !name.chars().all(|c| c == ' ' || is_plain(c)) || !name.split(',').all(is_rdn) {
            return Err(unusable());
        }
        Ok(Self { name: name.to_owned(), attribute, class, value: value.trim().to_owned() })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }

    /// The object class, naming attribute and its value for the top entry.
    pub(crate) fn entry(&self) -> (&'static str, &'static str, &str) {
        (self.class, self.attribute, &self.value)
    }

    pub(crate) fn is_same_as(&self, other: &str) -> bool {
        let normal = |name: &str| name.replace(' ', "").to_ascii_lowercase();
        normal(&self.name) == normal(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_follows_the_naming_attribute() {
        assert_eq!(Suffix::parse("dc=example,dc=com").unwrap().entry(), ("domain", "dc", "example"));
        assert_eq!(Suffix::parse("O=Example Works").unwrap().entry(), ("organization", "o", "Example Works"));
    }

    #[test]
    fn other_names_are_refused() {
        for name in
            ["", "example.com", "cn=x", "dc=a\ndn: x", "dc=\"a\"", "dc=é", "dc=", "dc=a,", "dc=a\\2cb"]
        {
            assert!(Suffix::parse(name).is_err(), "{name:?}");
        }
    }
}
