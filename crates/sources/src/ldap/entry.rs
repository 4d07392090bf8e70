//! Entries as they come from the server, whose values are bytes that nobody has checked.

use lber::structure::{PL, StructureTag};
use ldap_text::AttributeName;
use ldap3::ResultEntry;

/// An entry that was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    dn: String,
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// Reads a `SearchResultEntry` (RFC 4511 section 4.5.2); `None` if it is malformed.
    pub(super) fn decode(result: ResultEntry) -> Option<Self> {
        let mut parts = constructed(result.0)?.into_iter();
        let dn = String::from_utf8_lossy(&bytes(parts.next()?)?).into_owned();
        let listed = constructed(parts.next()?)?;
        let attributes = listed.into_iter().map(attribute).collect::<Option<_>>()?;
        Some(Self { dn, attributes })
    }

    #[cfg(test)]
    pub(super) fn new(dn: &str, attributes: &[(&str, &[&str])]) -> Self {
        let values = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        let attributes = attributes.iter().map(|(name, texts)| ((*name).to_owned(), values(texts)));
        Self { dn: dn.to_owned(), attributes: attributes.collect() }
    }

    #[cfg(test)]
    pub(super) fn with_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.attributes.push((name.to_owned(), vec![value.to_vec()]));
        self
    }

    /// The DN as the server spells it.
    pub(super) fn dn(&self) -> &str {
        &self.dn
    }

    /// All attributes, as the server spells them.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &[Vec<u8>])> {
        self.attributes.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The values of an attribute.
    pub(super) fn values(&self, name: &AttributeName) -> &[Vec<u8>] {
        self.attributes()
            .find(|(own, _)| own.eq_ignore_ascii_case(name.as_str()))
            .map_or(&[], |(_, values)| values)
    }

    /// The first value, if it is not empty.
    pub(super) fn first(&self, name: &AttributeName) -> Option<&[u8]> {
        self.values(name).first().map(Vec::as_slice).filter(|value| !value.is_empty())
    }

    /// The values that are text.
    pub(super) fn texts<'a>(&'a self, name: &AttributeName) -> impl Iterator<Item = &'a str> + use<'a> {
        self.values(name).iter().filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// The first value that says something.
    pub(super) fn text(&self, name: &AttributeName) -> Option<&str> {
        self.texts(name).map(str::trim).find(|text| !text.is_empty())
    }

    /// A value that is a number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &AttributeName) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    /// Whether the value is `TRUE` (RFC 4517 section 3.3.3), in any case.
    pub(super) fn is_true(&self, name: &AttributeName) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("TRUE"))
    }

    /// Whether one of the values is this one, in any case.
    pub(super) fn has(&self, name: &AttributeName, value: &str) -> bool {
        self.texts(name).any(|text| text.eq_ignore_ascii_case(value))
    }
}

fn attribute(tag: StructureTag) -> Option<(String, Vec<Vec<u8>>)> {
    let mut parts = constructed(tag)?.into_iter();
    let name = String::from_utf8(bytes(parts.next()?)?).ok()?;
    let values = constructed(parts.next()?)?.into_iter().map(bytes).collect::<Option<_>>()?;
    Some((name, values))
}

pub(super) fn constructed(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

pub(super) fn bytes(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_name_in_any_case() {
        let entry = Entry::new("cn=a", &[("Mail", &[" ", "a@x.ru"]), ("locked", &["True"])]);
        let name = AttributeName::from_static;
        assert_eq!(entry.text(&name("mail")), Some("a@x.ru"));
        assert!(entry.has(&name("MAIL"), "A@X.ru") && entry.is_true(&name("locked")));
        assert_eq!(entry.number::<i64>(&name("mail")), None);
    }
}
