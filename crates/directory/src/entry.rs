//! Entries as they come from the server: read straight from the decoded message, without the panics
//! and maps of the library's own form (one is made per request, and 20,000 per scan).

use lber::structure::{PL, StructureTag};
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    ldif::{self, Attribute, Value},
};
use ldap3::ResultEntry;
use mail_model::entry::EntryView;

/// An entry that was found.
#[derive(Clone, Debug)]
pub struct Entry {
    dn: String,
    attributes: Vec<(String, Vec<String>)>,
}

impl Entry {
    /// Reads a `SearchResultEntry` (RFC 4511 section 4.5.2); `None` where it is malformed. Values that
    /// are not UTF-8 are passed over: none that we ask for may hold such.
    pub(crate) fn decode(result: ResultEntry) -> Option<Self> {
        let mut parts = constructed(result.0)?.into_iter();
        let dn = text(parts.next()?)?;
        let mut attributes = Vec::new();
        for attribute in constructed(parts.next()?)? {
            let mut parts = constructed(attribute)?.into_iter();
            let name = text(parts.next()?)?;
            let values = constructed(parts.next()?)?.into_iter().filter_map(text).collect();
            attributes.push((name, values));
        }
        Some(Self { dn, attributes })
    }

    /// The same with all values, whatever bytes they are.
    pub(crate) fn decode_whole(result: ResultEntry) -> Option<ldif::Entry> {
        let mut parts = constructed(result.0)?.into_iter();
        let dn = Dn::parse(&text(parts.next()?)?).ok()?;
        let mut attributes = Vec::new();
        for attribute in constructed(parts.next()?)? {
            let mut parts = constructed(attribute)?.into_iter();
            let name = AttributeName::parse(&text(parts.next()?)?).ok()?;
            let values = constructed(parts.next()?)?.into_iter().filter_map(bytes);
            attributes.push(Attribute { name, values: values.map(Value::Plain).collect() });
        }
        Some(ldif::Entry { dn, attributes })
    }

    /// Its name as the server spells it.
    #[must_use]
    pub fn dn_text(&self) -> &str {
        &self.dn
    }

    /// Its attributes, as the server spells and orders them.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.attributes.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// Its name; `None` where the server's spelling cannot be read.
    #[must_use]
    pub fn dn(&self) -> Option<Dn> {
        Dn::parse(&self.dn).ok()
    }
}

impl EntryView for Entry {
    fn values(&self, name: &AttributeName) -> &[String] {
        let named = |(attribute, _): &&(String, Vec<String>)| attribute.eq_ignore_ascii_case(name.as_str());
        self.attributes.iter().find(named).map_or(&[], |(_, values)| values)
    }
}

fn constructed(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn bytes(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}

fn text(tag: StructureTag) -> Option<String> {
    String::from_utf8(bytes(tag)?).ok()
}
