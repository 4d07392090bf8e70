//! Contacts as files: vCard, CSV, LDIF.
//!
//! A [`Writer`] appends to a buffer and keeps nothing that it has written, so a book of any size is sent in pieces.
//! Every text can be written: characters that a format cannot express, such as control characters, become blanks (see
//! each format). This module does not sort, select or send.

pub mod csv;
mod ldif;
mod vcard;

#[cfg(test)]
mod tests;

use mail_model::{contact::Contact, photo::Photo};

/// A format of contact files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// vCard 4.0 (RFC 6350), for mail clients and phones.
    Vcard,
    /// A table with a header (RFC 4180), for spreadsheets.
    Csv,
    /// Entries (RFC 2849), for directories and mail clients.
    Ldif,
}

impl Format {
    /// Its media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Vcard => "text/vcard; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ldif => "text/plain; charset=utf-8",
        }
    }

    /// The extension of file names, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Vcard => "vcf",
            Self::Csv => "csv",
            Self::Ldif => "ldif",
        }
    }
}

/// Data that is written with a contact but is not part of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Besides<'a> {
    /// The addresses in a list, if they are included; written to vCard and LDIF.
    pub members: &'a [String],
    /// The photo of a user; written to vCard.
    pub photo: Option<&'a Photo>,
}

/// Writes contacts one after the other: [`begin`](Self::begin), then each [`contact`](Self::contact).
#[derive(Debug)]
pub struct Writer(Kind);

#[derive(Debug)]
enum Kind {
    Vcard(vcard::Cards),
    Csv,
    Ldif,
}

impl Writer {
    /// A writer at the beginning of a file.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self(match format {
            Format::Vcard => Kind::Vcard(vcard::Cards::default()),
            Format::Csv => Kind::Csv,
            Format::Ldif => Kind::Ldif,
        })
    }

    /// Appends the text before the first contact.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        match &self.0 {
            Kind::Vcard(_) => {}
            Kind::Csv => csv::begin(out),
            Kind::Ldif => ldif::begin(out),
        }
    }

    /// Appends a contact, with the additional data that the format supports.
    pub fn contact(&mut self, out: &mut Vec<u8>, contact: &Contact, besides: Besides<'_>) {
        match &mut self.0 {
            Kind::Vcard(cards) => cards.card(out, contact, besides),
            Kind::Csv => csv::row(out, contact),
            Kind::Ldif => ldif::entry(out, contact, besides.members),
        }
    }
}
