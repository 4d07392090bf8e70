//! What has to be written, as records that wait in a file.

use super::spool::Part;
use mail_model::{
    address::MailAddress,
    source::{
        SourceId,
        card::{self, CARD_FIELDS, Card, CardTexts},
        list::SourceList,
    },
};

/// A change of a person's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PersonStep {
    /// The place among the tenant's entries, for a change; `None` for a new contact.
    pub(super) place: Option<usize>,
    /// The card.
    pub(super) card: Card,
    /// Whether the photo has to be converted.
    pub(super) has_new_photo: bool,
}

impl PersonStep {
    /// As a record.
    pub(super) fn parts(self) -> Vec<Part> {
        let Self { place, card, has_new_photo } = self;
        let mut parts = vec![text(b'i', card.id.as_str()), text(b'm', card.mail.as_str())];
        parts.extend(
            place.map(|place| (b'p', u64::try_from(place).unwrap_or(u64::MAX).to_le_bytes().to_vec())),
        );
        parts.extend(card.aliases.iter().map(|alias| text(b'a', alias.as_str())));
        for (number, field) in (0_u8..).zip(CARD_FIELDS) {
            parts.extend(card.text(field).map(|value| (b'f', [&[number], value.as_bytes()].concat())));
        }
        parts.extend(card.untold.iter().filter_map(|part| Some((b'u', vec![number_of(*part)?]))));
        parts.extend(has_new_photo.then(|| (b'n', Vec::new())));
        parts.extend(card.photo.map(|photo| (b'o', photo)));
        parts
    }

    /// From a record.
    pub(super) fn of_parts(parts: Vec<Part>) -> Option<Self> {
        let (mut place, mut id, mut has_new_photo) = (None, None, false);
        let mut texts = CardTexts::default();
        for (kind, bytes) in parts {
            match kind {
                b'p' => place = usize::try_from(u64::from_le_bytes(bytes.try_into().ok()?)).ok(),
                b'i' => id = SourceId::parse(&string(bytes)?).ok(),
                b'm' => texts.mail = string(bytes)?,
                b'a' => texts.aliases.push(string(bytes)?),
                b'f' => {
                    let (number, value) = bytes.split_first()?;
                    let field = CARD_FIELDS.get(usize::from(*number))?;
                    texts.fields.insert(*field, string(value.to_vec())?);
                }
                b'u' => {
                    let [number] = bytes.try_into().ok()?;
                    texts.untold.insert(part_of(number)?);
                }
                b'n' => has_new_photo = true,
                b'o' => texts.photo = Some(bytes),
                _ => return None,
            }
        }
        let (card, _) = Card::new(id?, texts).ok()?;
        Some(Self { place, card, has_new_photo })
    }
}

/// The number of the photo among the parts that a source may not have told; the fields have those of their order.
const PHOTO: u8 = u8::MAX;

fn number_of(part: card::Part) -> Option<u8> {
    match part {
        card::Part::Photo => Some(PHOTO),
        card::Part::Field(field) => {
            (0_u8..).zip(CARD_FIELDS).find(|(_, one)| *one == field).map(|(number, _)| number)
        }
        // A person without an address has no card.
        card::Part::Mail | card::Part::Aliases => None,
    }
}

fn part_of(number: u8) -> Option<card::Part> {
    match number {
        PHOTO => Some(card::Part::Photo),
        number => CARD_FIELDS.get(usize::from(number)).copied().map(card::Part::Field),
    }
}

/// A group, as a record.
pub(super) fn of_list(list: &SourceList) -> Vec<Part> {
    let head = [text(b'i', list.id.as_str()), text(b'm', list.mail.as_str()), text(b'd', &list.display_name)];
    head.into_iter().chain(list.members.iter().map(|member| text(b'x', member.as_str()))).collect()
}

/// A group from a record.
pub(super) fn to_list(parts: Vec<Part>) -> Option<SourceList> {
    let (mut id, mut mail, mut display_name, mut members) = (None, None, None, Vec::new());
    for (kind, bytes) in parts {
        let value = string(bytes)?;
        match kind {
            b'i' => id = SourceId::parse(&value).ok(),
            b'm' => mail = MailAddress::parse(&value).ok(),
            b'd' => display_name = Some(value),
            b'x' => members.push(MailAddress::parse(&value).ok()?),
            _ => return None,
        }
    }
    Some(SourceList { id: id?, mail: mail?, display_name: display_name?, members })
}

fn text(kind: u8, text: &str) -> Part {
    (kind, text.as_bytes().to_vec())
}

fn string(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_model::user::field::UserField;

    #[test]
    fn a_step_comes_back_as_it_was() {
        let texts = CardTexts {
            mail: "a@x.ru".into(),
            aliases: vec!["b@x.ru".into()],
            fields: [(UserField::City, "Тула".to_owned()), (UserField::WorkPhone, "8, 5".to_owned())].into(),
            photo: Some(vec![0xFF, 0xD8]),
            untold: [card::Part::Photo, card::Part::Field(UserField::Department)].into(),
        };
        let (card, _) = Card::new(SourceId::parse("ad:1").unwrap(), texts).unwrap();
        for (place, has_new_photo) in [(None, true), (Some(7), false)] {
            let step = PersonStep { place, card: card.clone(), has_new_photo };
            assert_eq!(PersonStep::of_parts(step.clone().parts()), Some(step));
        }
    }

    #[test]
    fn a_list_comes_back_as_it_was() {
        let address = |text| MailAddress::parse(text).unwrap();
        let list = SourceList {
            id: SourceId::parse("ad:1").unwrap(),
            mail: address("l@x.ru"),
            display_name: "Все".into(),
            members: vec![address("a@x.ru"), address("b@y.ru")],
        };
        assert_eq!(to_list(of_list(&list)), Some(list));
    }
}
