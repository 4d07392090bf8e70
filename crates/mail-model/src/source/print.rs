//! Comparing cards with entries in little memory: a number for each part. A run compares a hundred thousand people, of
//! whom a few have changed.

use super::card::{CARD_FIELDS, Card, Part};
use crate::{address::MailAddress, entry::EntryView, names, user::field::UserField};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

/// What an entry of this directory stands for, which decides what of a card is written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A contact from outside, which is the card.
    Contact,
    /// A user of the tenant. Only fields that the card has a value for are written, never addresses.
    User,
}

/// A number for each part of a card; zero for a part without a value. Two prints of one process can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    mail: u64,
    aliases: u64,
    fields: [u64; CARD_FIELDS.len()],
    photo: u64,
}

impl Print {
    /// The print of a card, as it would be written to an entry.
    fn of_card(card: &Card, target: Target) -> Self {
        let fields = written_fields(card, target);
        let aliases: Vec<_> = card.aliases.iter().map(MailAddress::as_str).collect();
        Self {
            mail: number(card.mail.as_str()),
            aliases: of_some(&aliases),
            fields: CARD_FIELDS.map(|field| fields.get(&field).map_or(0, |text| number(text.as_str()))),
            photo: card.photo.as_deref().map_or(0, |photo| number(photo_digest(photo).as_str())),
        }
    }

    /// The print of an entry with an address.
    #[must_use]
    pub fn of_entry(mail: &str, entry: &impl EntryView) -> Self {
        let mut aliases: Vec<_> =
            entry.values(&names::MAIL_ALTERNATE_ADDRESS).iter().map(|alias| alias.to_lowercase()).collect();
        aliases.retain(|alias| alias != mail);
        aliases.sort_unstable();
        let of_first = |name: &_| entry.first(name).map_or(0, number);
        Self {
            mail: number(mail),
            aliases: of_some(&aliases.iter().map(String::as_str).collect::<Vec<_>>()),
            fields: CARD_FIELDS.map(|field| of_first(&field.attribute())),
            photo: of_first(&names::SOURCE_PHOTO),
        }
    }

    /// The parts of the entry with this print that have to be written so that it is as the card. What the source could
    /// not tell stays as it is.
    #[must_use]
    pub fn stale_parts(&self, card: &Card, target: Target) -> Vec<Part> {
        let mut parts = self.differences(&Self::of_card(card, target), target);
        parts.retain(|part| !card.untold.contains(part));
        parts
    }

    fn differences(&self, card: &Self, target: Target) -> Vec<Part> {
        let is_contact = target == Target::Contact;
        let differs = |own: u64, new: u64| own != new && (is_contact || new != 0);
        let mut parts = Vec::new();
        parts.extend((is_contact && self.mail != card.mail).then_some(Part::Mail));
        parts.extend((is_contact && self.aliases != card.aliases).then_some(Part::Aliases));
        for ((field, own), new) in CARD_FIELDS.into_iter().zip(self.fields).zip(card.fields) {
            parts.extend(differs(own, new).then_some(Part::Field(field)));
        }
        parts.extend(differs(self.photo, card.photo).then_some(Part::Photo));
        parts
    }
}

/// The fields that are written to an entry. A contact needs a name: the displayed name, or the address, stands in for a
/// missing one. Users' fields are stricter than those of contacts.
#[must_use]
pub fn written_fields(card: &Card, target: Target) -> BTreeMap<UserField, String> {
    let mut fields: BTreeMap<_, _> = CARD_FIELDS
        .into_iter()
        .filter_map(|field| Some((field, card.text(field)?.to_owned())))
        .filter(|(field, text)| target == Target::Contact || fits_user(*field, text))
        .collect();
    if target == Target::Contact {
        let shown = crate::contact::shown_name(
            card.text(UserField::FirstName),
            card.text(UserField::LastName),
            card.mail.as_str(),
        );
        let shown = fields.get(&UserField::DisplayName).cloned().unwrap_or(shown);
        for field in [UserField::FirstName, UserField::LastName] {
            fields.entry(field).or_insert_with(|| shown.clone());
        }
        fields.entry(UserField::DisplayName).or_insert(shown);
    }
    fields
}

/// The fields of a card that users cannot have, and why: their names may not mix alphabets, for example.
pub fn unfit_for_users(card: &Card) -> impl Iterator<Item = (UserField, String)> {
    CARD_FIELDS.into_iter().filter_map(|field| {
        let text = card.text(field).filter(|text| !fits_user(field, text))?;
        let why = field.parse(text).err().map(|error| error.to_string());
        Some((field, why.unwrap_or_else(|| "has characters that a user's field cannot have".to_owned())))
    })
}

fn fits_user(field: UserField, text: &str) -> bool {
    field.parse(text).is_ok_and(|value| value.first() == Some(text))
}

/// What an entry keeps of the image that its photo was made from, so that the same image is not converted again.
#[must_use]
pub fn photo_digest(image: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(32);
    for byte in Sha256::digest(image).iter().take(16) {
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

fn of_some(texts: &[&str]) -> u64 {
    if texts.is_empty() { 0 } else { number(texts) }
}

/// Never zero.
fn number<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish() | 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        source::{SourceId, SourceKind, card::CardTexts},
        stored::Stored,
    };

    fn card(fields: &[(UserField, &str)], photo: Option<&[u8]>) -> Card {
        let texts = CardTexts {
            mail: "a@x.ru".into(),
            fields: fields.iter().map(|(field, text)| (*field, (*text).to_owned())).collect(),
            photo: photo.map(<[u8]>::to_vec),
            ..CardTexts::default()
        };
        Card::new(SourceId::new(SourceKind::Bitrix24, "1").unwrap(), texts).unwrap().0
    }

    #[test]
    fn an_entry_that_is_as_its_card_needs_no_write() {
        let card = card(&[(UserField::FirstName, "Анна"), (UserField::Title, "Boss")], Some(b"image"));
        let digest = photo_digest(b"image");
        let entry = Stored::new(
            &["person"],
            &[
                (names::CN, "Анна"),
                (names::SN, "Анна"),
                (names::DISPLAY_NAME, "Анна"),
                (names::TITLE, "Boss"),
                (names::SOURCE_PHOTO, &digest),
            ],
        );
        let stored = Print::of_entry("a@x.ru", &entry);
        assert_eq!(stored.stale_parts(&card, Target::Contact), []);
        let other = Print::of_entry("b@x.ru", &entry);
        assert_eq!(other.stale_parts(&card, Target::Contact), [Part::Mail]);
    }

    #[test]
    fn a_user_keeps_what_the_card_has_no_value_for() {
        let entry = Stored::new(&["person"], &[(names::CN, "Анна"), (names::SN, "Б"), (names::L, "Тула")]);
        let stored = Print::of_entry("a@x.ru", &entry);
        let card = card(&[(UserField::FirstName, "Анна"), (UserField::Title, "Boss")], None);
        assert_eq!(stored.stale_parts(&card, Target::User), [Part::Field(UserField::Title)]);
        assert!(stored.stale_parts(&card, Target::Contact).contains(&Part::Field(UserField::City)));
    }

    #[test]
    fn what_the_source_could_not_tell_stays() {
        let stored = [(names::OU, "Склад"), (names::L, "Тула"), (names::SOURCE_PHOTO, "0123")];
        let stored = Print::of_entry("a@x.ru", &Stored::new(&["person"], &stored));
        let (department, city) = (Part::Field(UserField::Department), Part::Field(UserField::City));
        let mut card = card(&[(UserField::FirstName, "Анна")], None);
        let parts = stored.stale_parts(&card, Target::Contact);
        assert!([department, city, Part::Photo].iter().all(|part| parts.contains(part)), "{parts:?}");
        card.untold = [department, Part::Photo].into();
        let parts = stored.stale_parts(&card, Target::Contact);
        assert!(parts.contains(&city) && !parts.contains(&department) && !parts.contains(&Part::Photo));
    }

    #[test]
    fn a_name_in_two_alphabets_is_for_contacts_only() {
        let card = card(&[(UserField::LastName, "Pетров")], None);
        assert_eq!(written_fields(&card, Target::User), BTreeMap::new());
        assert_eq!(written_fields(&card, Target::Contact)[&UserField::LastName], "Pетров");
    }
}
