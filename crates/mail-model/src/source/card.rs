//! The card of a person of a source: what an address book shows of them.

use super::SourceId;
use crate::{
    address::{AddressError, MailAddress},
    field::{FieldValue, Kind, MAX_ALIASES},
    names, naming,
    user::field::UserField,
};
use ldap_text::attribute::AttributeName;
use std::collections::{BTreeMap, BTreeSet};

/// The largest image that is accepted as the photo of a card, in bytes. Active Directory allows 100 KB.
pub const MAX_SOURCE_PHOTO: usize = 4 << 20;

/// The fields of a card, in the order in which a print has them.
pub const CARD_FIELDS: [UserField; 11] = [
    UserField::FirstName,
    UserField::LastName,
    UserField::DisplayName,
    UserField::MiddleName,
    UserField::Department,
    UserField::Title,
    UserField::Description,
    UserField::HomePhone,
    UserField::WorkPhone,
    UserField::MobilePhone,
    UserField::City,
];

/// A part of a card, or of the entry that is made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The address.
    Mail,
    /// The further addresses.
    Aliases,
    /// A field.
    Field(UserField),
    /// The photo.
    Photo,
}

impl Part {
    /// The attribute that holds it.
    #[must_use]
    pub fn attribute(self) -> AttributeName {
        match self {
            Self::Mail => names::MAIL,
            Self::Aliases => names::MAIL_ALTERNATE_ADDRESS,
            Self::Field(field) => field.attribute(),
            Self::Photo => names::JPEG_PHOTO,
        }
    }
}

/// A card of a source, whose texts are not checked yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardTexts {
    /// The address.
    pub mail: String,
    /// Further addresses.
    pub aliases: Vec<String>,
    /// The fields that the source has a value for.
    pub fields: BTreeMap<UserField, String>,
    /// An image of any format.
    pub photo: Option<Vec<u8>>,
    /// The parts that the source could not tell, although it may have them.
    pub untold: BTreeSet<Part>,
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The identifier of the person in the source.
    pub id: SourceId,
    /// The address.
    pub mail: MailAddress,
    /// Further addresses, sorted and without repeats.
    pub aliases: Vec<MailAddress>,
    /// The fields.
    pub fields: BTreeMap<UserField, FieldValue>,
    /// An image of any format, as the source has it.
    pub photo: Option<Vec<u8>>,
    /// The parts that the source could not tell, although it may have them: those of an entry stay as they are.
    pub untold: BTreeSet<Part>,
}

/// A part of a card that is not usable, and was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// A field.
    Field(UserField, String),
    /// A further address.
    Alias(String),
    /// The photo, because it is too large.
    Photo,
}

/// Why a person has no card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCard {
    /// The address is not one that mail can be sent to.
    #[error("the address {0:?} {1}")]
    Address(String, AddressError),
}

impl Card {
    /// Checks the texts of a card. A part that is not usable is left out, because a person with one odd value should
    /// still be found in the address book.
    ///
    /// # Errors
    /// [`NoCard`] if it has no usable address.
    pub fn new(id: SourceId, texts: CardTexts) -> Result<(Self, Vec<Unusable>), NoCard> {
        let mail =
            MailAddress::parse(&texts.mail).map_err(|error| NoCard::Address(texts.mail.clone(), error))?;
        if !naming::fits(&names::MAIL, mail.as_str()) {
            return Err(NoCard::Address(texts.mail, AddressError::LongName));
        }
        let mut unusable = Vec::new();
        let aliases = aliases(&texts.aliases, &mail, &mut unusable);
        let mut fields = BTreeMap::new();
        for (field, text) in texts.fields {
            match value(field, &text) {
                Some(Ok(value)) => drop(fields.insert(field, value)),
                Some(Err(reason)) => unusable.push(Unusable::Field(field, reason)),
                None => {}
            }
        }
        let photo = texts.photo.filter(|photo| !photo.is_empty());
        if photo.as_ref().is_some_and(|photo| photo.len() > MAX_SOURCE_PHOTO) {
            unusable.push(Unusable::Photo);
        }
        let photo = photo.filter(|photo| photo.len() <= MAX_SOURCE_PHOTO);
        Ok((Self { id, mail, aliases, fields, photo, untold: texts.untold }, unusable))
    }

    /// Its address and further addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &MailAddress> {
        std::iter::once(&self.mail).chain(&self.aliases)
    }

    /// A field, if it has a value.
    #[must_use]
    pub fn text(&self, field: UserField) -> Option<&str> {
        self.fields.get(&field).and_then(FieldValue::first)
    }
}

fn aliases(texts: &[String], mail: &MailAddress, unusable: &mut Vec<Unusable>) -> Vec<MailAddress> {
    let mut aliases = BTreeSet::new();
    for text in texts {
        match MailAddress::parse(text) {
            Ok(alias) if alias == *mail => {}
            Ok(alias) if aliases.len() < MAX_ALIASES => drop(aliases.insert(alias)),
            _ => unusable.push(Unusable::Alias(text.clone())),
        }
    }
    aliases.into_iter().collect()
}

/// The value of a field; `None` if the text says nothing.
fn value(field: UserField, text: &str) -> Option<Result<FieldValue, String>> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let parsed = match field.kind() {
        Kind::Phone => Kind::Phone.parse(&phone(text)),
        // In a directory, names of services and rooms may mix alphabets.
        Kind::Name | Kind::Line => Kind::Line.parse(&one_line(text)),
        kind => kind.parse(text),
    };
    Some(parsed.map_err(|error| error.to_string()))
}

/// Line breaks within a text of one line become spaces.
fn one_line(text: &str) -> String {
    text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The number without the marks of an extension that a `telephoneNumber` cannot have: "доб. 12" becomes ", 12".
fn phone(text: &str) -> String {
    let lower = one_line(text).to_lowercase();
    let mut number = lower.replace('\u{a0}', " ").replace(['–', '—', '‑'], "-");
    for mark in ["доб.", "доб", "внутр.", "внутр", "вн.", "вн", "ext.", "ext", "x"] {
        number = number.replace(mark, ", ");
    }
    let words: Vec<_> = number.split_whitespace().collect();
    words.join(" ").replace(" ,", ",").replace("тел.: ", "").replace("тел. ", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceKind;

    fn card(texts: CardTexts) -> (Card, Vec<Unusable>) {
        Card::new(SourceId::new(SourceKind::Bitrix24, "7").unwrap(), texts).unwrap()
    }

    #[test]
    fn what_is_not_usable_is_left_out_and_told() {
        let fields = [
            (UserField::FirstName, " Анна\nМария "),
            (UserField::WorkPhone, "+7 (495) 123-45-67 доб. 12"),
            (UserField::HomePhone, "спросить у секретаря"),
            (UserField::City, "   "),
        ];
        let (card, unusable) = card(CardTexts {
            mail: "Anna@Example.COM".into(),
            aliases: vec![
                "b@example.com".into(),
                "anna@example.com".into(),
                "x".into(),
                "a@example.com".into(),
            ],
            fields: fields.map(|(field, text)| (field, text.to_owned())).into(),
            photo: Some(Vec::new()),
            ..CardTexts::default()
        });
        assert_eq!(card.mail.as_str(), "anna@example.com");
        assert_eq!(
            card.aliases.iter().map(MailAddress::as_str).collect::<Vec<_>>(),
            ["a@example.com", "b@example.com"]
        );
        assert_eq!(card.text(UserField::FirstName), Some("Анна Мария"));
        assert_eq!(card.text(UserField::WorkPhone), Some("+7 (495) 123-45-67, 12"));
        assert_eq!((card.text(UserField::City), card.photo.as_ref()), (None, None));
        assert!(matches!(&unusable[..], [Unusable::Alias(_), Unusable::Field(UserField::HomePhone, _)]));
    }

    #[test]
    fn without_an_address_there_is_no_card() {
        let id = SourceId::new(SourceKind::Bitrix24, "7").unwrap();
        assert!(Card::new(id, CardTexts { mail: "анна@пример.рф".into(), ..CardTexts::default() }).is_err());
    }
}
