//! Entries as they come from the server. They are read straight from the decoded message, without the panics
//! and the maps of the library's own type (one is created per request, and 20,000 per scan).

use crate::error::DirectoryError;
use lber::structure::{PL, StructureTag};
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    ldif::{self, Attribute, Value},
};
use ldap3::ResultEntry;
use mail_model::{conflicts, entry::EntryView, names, photo::Photo};

/// An entry that was found.
#[derive(Clone, Debug)]
pub struct Entry {
    dn: String,
    attributes: Vec<(String, Vec<String>)>,
    /// Values of `jpegPhoto`, the only requested attribute that is not text.
    photos: Vec<Vec<u8>>,
}

impl Entry {
    /// Reads a `SearchResultEntry` (RFC 4511 section 4.5.2); `None` if it is malformed. Values that are not
    /// UTF-8 are skipped, except photos: no other attribute that pbm reads may hold such values.
    pub(crate) fn decode(result: ResultEntry) -> Option<Self> {
        let mut parts = constructed(result.0)?.into_iter();
        let dn = text(parts.next()?)?;
        let (mut attributes, mut photos) = (Vec::new(), Vec::new());
        for attribute in constructed(parts.next()?)? {
            let mut parts = constructed(attribute)?.into_iter();
            let name = text(parts.next()?)?;
            let values = constructed(parts.next()?)?.into_iter();
            if name.eq_ignore_ascii_case(names::JPEG_PHOTO.as_str()) {
                photos.extend(values.filter_map(bytes));
            } else {
                attributes.push((name, values.filter_map(text).collect()));
            }
        }
        Some(Self { dn, attributes, photos })
    }

    /// Like [`Self::decode`], with all values, including those that are not text.
    ///
    /// # Errors
    /// [`DirectoryError::Unreadable`], which names the entry and the part that can't be read.
    pub(crate) fn decode_whole(result: ResultEntry) -> Result<ldif::Entry, DirectoryError> {
        let mut parts = constructed(result.0).unwrap_or_default().into_iter();
        let name = parts.next().and_then(bytes).unwrap_or_default();
        let name = String::from_utf8_lossy(&name).into_owned();
        let unreadable = |reason: String| DirectoryError::Unreadable { dn: name.clone(), reason };
        let dn = Dn::parse(&name).map_err(|error| unreadable(error.to_string()))?;
        let malformed = || unreadable("it is malformed".to_owned());
        let listed = parts.next().and_then(constructed).ok_or_else(malformed)?;
        let mut attributes = Vec::with_capacity(listed.len());
        for attribute in listed {
            let mut parts = constructed(attribute).ok_or_else(malformed)?.into_iter();
            let name = parts.next().and_then(bytes).ok_or_else(malformed)?;
            let name = String::from_utf8_lossy(&name);
            let name = AttributeName::parse(&name).map_err(|error| {
                unreadable(format!("it has an attribute {name:?}, and {error}; rename or remove that"))
            })?;
            let values =
                parts.next().and_then(constructed).ok_or_else(malformed)?.into_iter().filter_map(bytes);
            attributes.push(Attribute { name, values: values.map(Value::Plain).collect() });
        }
        Ok(ldif::Entry { dn, attributes })
    }

    /// The DN as the server spells it.
    #[must_use]
    pub fn dn_text(&self) -> &str {
        &self.dn
    }

    /// Whether this is a replication conflict entry.
    pub(crate) fn is_conflict(&self) -> bool {
        conflicts::is_name_set_aside(&self.dn)
    }

    /// All attributes, as the server spells and orders them.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.attributes.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The values of the photo, unchecked; empty if they were not requested.
    pub(crate) fn photos(&self) -> &[Vec<u8>] {
        &self.photos
    }

    /// The photo; if there are several, the first.
    pub(crate) fn photo(&self) -> Option<Photo> {
        Photo::found(self.photos.first()?)
    }

    /// The DN; `None` if the server's spelling cannot be parsed.
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
