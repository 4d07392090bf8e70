//! The formats of contact files, and their names in requests. Three of them are those of the address book; JSON is the
//! form of this API.

use crate::contact_json;
use address_book::export::{self, Besides};
use mail_model::contact::Contact;
use web::answer::JSON;

/// A format of contact files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileFormat {
    Vcard,
    Csv,
    Ldif,
    /// One array with an object per line.
    Json,
}

impl FileFormat {
    /// The names of all formats, the default first.
    pub(super) const NAMES: &[&str] = &["vcard", "csv", "ldif", "json"];

    /// Parses the name of a format.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "vcard" => Some(Self::Vcard),
            "csv" => Some(Self::Csv),
            "ldif" => Some(Self::Ldif),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn of_address_book(self) -> Option<export::Format> {
        match self {
            Self::Vcard => Some(export::Format::Vcard),
            Self::Csv => Some(export::Format::Csv),
            Self::Ldif => Some(export::Format::Ldif),
            Self::Json => None,
        }
    }

    /// The media type.
    pub(super) fn content_type(self) -> &'static str {
        self.of_address_book().map_or(JSON, export::Format::content_type)
    }

    /// The extension of file names, without the dot.
    pub(super) fn extension(self) -> &'static str {
        self.of_address_book().map_or("json", export::Format::extension)
    }
}

/// Writes a contact file piece by piece: [`begin`](Self::begin), each [`contact`](Self::contact), [`end`](Self::end).
pub(super) enum Writer {
    AddressBook(export::Writer),
    Json { is_empty: bool },
}

impl Writer {
    pub(super) fn new(format: FileFormat) -> Self {
        match format.of_address_book() {
            Some(format) => Self::AddressBook(export::Writer::new(format)),
            None => Self::Json { is_empty: true },
        }
    }

    /// Appends the text before the first contact.
    pub(super) fn begin(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::AddressBook(writer) => writer.begin(out),
            Self::Json { .. } => out.push(b'['),
        }
    }

    /// Appends a contact, with the additional data that the format supports.
    ///
    /// # Errors
    /// The contact cannot be written as JSON; no contact has a reason to.
    pub(super) fn contact(
        &mut self,
        out: &mut Vec<u8>,
        contact: &Contact,
        besides: Besides<'_>,
    ) -> serde_json::Result<()> {
        match self {
            Self::AddressBook(writer) => writer.contact(out, contact, besides),
            Self::Json { is_empty } => {
                out.extend_from_slice(if *is_empty { b"\n" } else { b",\n" });
                *is_empty = false;
                out.append(&mut contact_json::write(contact)?);
            }
        }
        Ok(())
    }

    /// Appends the text after the last contact.
    pub(super) fn end(&self, out: &mut Vec<u8>) {
        match self {
            Self::AddressBook(_) => {}
            Self::Json { is_empty: true } => out.extend_from_slice(b"]\n"),
            Self::Json { is_empty: false } => out.extend_from_slice(b"\n]\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn array(contacts: &[Contact]) -> String {
        let (mut writer, mut out) = (Writer::new(FileFormat::Json), Vec::new());
        writer.begin(&mut out);
        for contact in contacts {
            writer.contact(&mut out, contact, Besides::default()).unwrap();
        }
        writer.end(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_is_one_array_with_an_object_per_line() {
        assert_eq!(array(&[]), "[]\n");
        let contact = contact_json::sample::with_all_fields();
        let text = array(&[contact.clone(), contact]);
        assert_eq!(text.lines().count(), 4);
        let read: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!((read.len(), &read[0]["mail"]), (2, &"a@x.ru".into()));
    }

    #[test]
    fn every_name_of_a_format_can_be_parsed() {
        assert!(FileFormat::NAMES.iter().all(|name| FileFormat::parse(name).is_some()));
        assert_eq!(FileFormat::parse(FileFormat::NAMES[0]), Some(FileFormat::Vcard));
        assert_eq!(FileFormat::parse("vCard"), None);
    }
}
