//! The changes that a synchronization writes.

use super::{
    SourceId, SourceKind,
    card::{Card, Part},
    print::{Target, photo_digest, written_fields},
};
use crate::{
    address::MailAddress,
    changes::{attribute, delete_value, guarded, modify, plain, rename, replace},
    entry::EntryView,
    names,
    photo::Photo,
    tenant::TenantId,
    tree::Tree,
    user::LiveUser,
};
use ldap_text::{
    dn::Dn,
    ldif::{Attribute, Change, ChangeRecord, Modification, Value},
};

/// The photo that is made of a card's image.
#[derive(Clone, Copy, Debug)]
pub enum Picture<'a> {
    /// None was made now: the photo stays as it is.
    Unknown,
    /// The image is no photo: the photo stays, and the image is not tried again.
    Unusable,
    /// A photo.
    Made(&'a Photo),
}

/// The identifiers that an entry carries.
pub fn source_ids(entry: &impl EntryView) -> impl Iterator<Item = SourceId> {
    entry.values(&names::SOURCE).iter().filter_map(|text| SourceId::parse(text).ok())
}

/// The entry of a contact from a source.
#[must_use]
pub fn contact_dn(tree: &Tree, tenant: &TenantId, mail: &MailAddress) -> Dn {
    tree.contacts_of(tenant).child(names::MAIL, mail.as_str())
}

/// Creates a contact.
#[must_use]
pub fn contact_creation(tree: &Tree, tenant: &TenantId, card: &Card, picture: Picture<'_>) -> ChangeRecord {
    let aliases: Vec<_> = card.aliases.iter().map(MailAddress::as_str).collect();
    let mut attributes = vec![
        attribute(names::OBJECT_CLASS, names::CONTACT_CLASSES),
        attribute(names::MAIL, &[card.mail.as_str()]),
        attribute(names::SOURCE, &[card.id.as_str()]),
    ];
    attributes.extend((!aliases.is_empty()).then(|| attribute(names::MAIL_ALTERNATE_ADDRESS, &aliases)));
    for (field, text) in written_fields(card, Target::Contact) {
        attributes.push(attribute(field.attribute(), &[&text]));
    }
    attributes.extend(photo_attributes(card, picture));
    ChangeRecord { dn: contact_dn(tree, tenant, &card.mail), change: Change::Add(attributes) }
}

/// Changes the parts of a contact that differ from its card. A new address takes three operations, as for users (see
/// [`crate::user::plan`]).
#[must_use]
pub fn contact_update(
    tree: &Tree,
    tenant: &TenantId,
    dn: &Dn,
    card: &Card,
    ids: &[SourceId],
    parts: &[Part],
    picture: Picture<'_>,
) -> Vec<ChangeRecord> {
    let mut modifications = field_changes(card, parts, Target::Contact);
    modifications.extend(photo_changes(card, parts, picture));
    modifications.extend(mark(card, ids));
    let mut aliases: Vec<_> = card.aliases.iter().map(ToString::to_string).collect();
    let new = contact_dn(tree, tenant, &card.mail);
    if new == *dn || !parts.contains(&Part::Mail) {
        modifications.extend(
            parts.contains(&Part::Aliases).then(|| replace(names::MAIL_ALTERNATE_ADDRESS, plain(&aliases))),
        );
        return if modifications.is_empty() { Vec::new() } else { vec![modify(dn.clone(), modifications)] };
    }
    aliases.push(card.mail.to_string());
    modifications.push(replace(names::MAIL_ALTERNATE_ADDRESS, plain(&aliases)));
    let mut changes = vec![modify(dn.clone(), modifications)];
    changes.extend(renaming(dn, card));
    changes
}

/// Renames a contact whose new address is reserved as an alias, and drops the alias.
fn renaming(dn: &Dn, card: &Card) -> Vec<ChangeRecord> {
    let Some((folder, old)) = dn.parent().zip(dn.rdn().and_then(|rdn| rdn.value_of(&names::MAIL))) else {
        return Vec::new();
    };
    let (change, old_name) = rename(&folder, names::MAIL, old, card.mail.as_str());
    let mut last = vec![delete_value(names::MAIL_ALTERNATE_ADDRESS, card.mail.as_str())];
    last.extend(old_name);
    vec![change, modify(folder.child(names::MAIL, card.mail.as_str()), last)]
}

/// Takes a further address from a contact.
#[must_use]
pub fn further_address_removal(dn: Dn, address: &MailAddress) -> ChangeRecord {
    modify(dn, vec![delete_value(names::MAIL_ALTERNATE_ADDRESS, address.as_str())])
}

/// Removes a contact.
#[must_use]
pub fn contact_removal(dn: Dn) -> ChangeRecord {
    ChangeRecord { dn, change: Change::Delete }
}

/// Updates the card of a user: the parts that differ, and the identifier of the source. Neither addresses nor the role,
/// the status, the password or the quota are ever touched.
#[must_use]
pub fn user_update(
    tree: &Tree,
    current: &LiveUser,
    card: &Card,
    ids: &[SourceId],
    parts: &[Part],
    picture: Picture<'_>,
) -> Option<ChangeRecord> {
    let mut modifications = field_changes(card, parts, Target::User);
    modifications.extend(photo_changes(card, parts, picture));
    modifications.extend(mark(card, ids));
    let dn = tree.user(current.user.tenant(), current.user.mail());
    (!modifications.is_empty()).then(|| guarded(dn, &current.version.revision, modifications))
}

/// Sets the identifier of the source, if an entry with some identifiers lacks it.
fn mark(card: &Card, ids: &[SourceId]) -> Option<Modification> {
    (!ids.contains(&card.id)).then(|| replace(names::SOURCE, marks(ids, &card.id)))
}

/// The identifiers after one of a kind was set: an entry has one of each kind at most.
fn marks(ids: &[SourceId], new: &SourceId) -> Vec<Value> {
    let kind: SourceKind = new.kind();
    let others = ids.iter().filter(|id| id.kind() != kind).map(SourceId::as_str);
    others.chain([new.as_str()]).map(Value::from).collect()
}

fn field_changes(card: &Card, parts: &[Part], target: Target) -> Vec<Modification> {
    let fields = written_fields(card, target);
    let change = |part: &Part| match part {
        Part::Field(field) => {
            let value = fields.get(field).map(|text| Value::from(text.as_str()));
            Some(replace(field.attribute(), value.into_iter().collect()))
        }
        Part::Mail | Part::Aliases | Part::Photo => None,
    };
    parts.iter().filter_map(change).collect()
}

fn photo_changes(card: &Card, parts: &[Part], picture: Picture<'_>) -> Vec<Modification> {
    if !parts.contains(&Part::Photo) {
        return Vec::new();
    }
    let digest = |image: &[u8]| replace(names::SOURCE_PHOTO, vec![photo_digest(image).as_str().into()]);
    match (card.photo.as_deref(), picture) {
        (None, _) => vec![replace(names::JPEG_PHOTO, Vec::new()), replace(names::SOURCE_PHOTO, Vec::new())],
        (Some(_), Picture::Unknown) => Vec::new(),
        (Some(image), Picture::Unusable) => vec![digest(image)],
        (Some(image), Picture::Made(photo)) => {
            vec![replace(names::JPEG_PHOTO, vec![Value::Plain(photo.bytes().to_vec())]), digest(image)]
        }
    }
}

/// The photo of a new contact, and the digest of the image that it was made from. The digest is kept even if the image is
/// no photo, so that it is not tried again with every run.
fn photo_attributes(card: &Card, picture: Picture<'_>) -> Vec<Attribute> {
    let digest = card.photo.as_deref().map(|image| attribute(names::SOURCE_PHOTO, &[&photo_digest(image)]));
    let made = |photo: &Photo| Attribute {
        name: names::JPEG_PHOTO,
        values: vec![Value::Plain(photo.bytes().to_vec())],
    };
    match picture {
        Picture::Unknown => Vec::new(),
        Picture::Unusable => digest.into_iter().collect(),
        Picture::Made(photo) => digest.into_iter().chain([made(photo)]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source::card::CardTexts, stored::Stored, user::field::UserField};

    fn tree() -> Tree {
        Tree::new(Dn::parse("dc=x").unwrap())
    }

    fn tenant() -> TenantId {
        TenantId::parse("acme").unwrap()
    }

    fn card(mail: &str) -> Card {
        let texts = CardTexts {
            mail: mail.into(),
            aliases: vec!["second@y.ru".into()],
            fields: [(UserField::LastName, "Petrov".to_owned())].into(),
            ..CardTexts::default()
        };
        Card::new(SourceId::parse("ad:1-2").unwrap(), texts).unwrap().0
    }

    #[test]
    fn a_contact_has_its_mark_and_a_name() {
        let text = contact_creation(&tree(), &tenant(), &card("p@y.ru"), Picture::Unknown).to_string();
        for part in [
            "dn: mail=p@y.ru,ou=acme,ou=CAB,dc=x\n",
            "pbmSource: ad:1-2\n",
            "cn: Petrov\n",
            "sn: Petrov\n",
            "mailAlternateAddress: second@y.ru\n",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn a_new_address_is_reserved_before_the_rename() {
        let dn = contact_dn(&tree(), &tenant(), &MailAddress::parse("old@y.ru").unwrap());
        let known = [card("new@y.ru").id];
        let changes = contact_update(
            &tree(),
            &tenant(),
            &dn,
            &card("new@y.ru"),
            &known,
            &[Part::Mail],
            Picture::Unknown,
        );
        let text: Vec<_> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(text.len(), 3);
        assert!(
            text[0].contains("mailAlternateAddress: second@y.ru\nmailAlternateAddress: new@y.ru\n"),
            "{}",
            text[0]
        );
        assert!(text[1].contains("newrdn: mail=new@y.ru\n"), "{}", text[1]);
        assert!(
            text[2].contains("delete: mailAlternateAddress\nmailAlternateAddress: new@y.ru\n"),
            "{}",
            text[2]
        );
        assert_eq!(
            contact_update(&tree(), &tenant(), &dn, &card("old@y.ru"), &known, &[], Picture::Unknown),
            []
        );
    }

    #[test]
    fn an_image_that_is_no_photo_removes_none() {
        let (with_image, dn) = (
            Card { photo: Some(b"no image".to_vec()), ..card("p@y.ru") },
            contact_dn(&tree(), &tenant(), &MailAddress::parse("p@y.ru").unwrap()),
        );
        let known = [with_image.id.clone()];
        let parts = [Part::Photo];
        let text = contact_update(&tree(), &tenant(), &dn, &with_image, &known, &parts, Picture::Unusable)[0]
            .to_string();
        assert!(text.contains("pbmSourcePhoto: ") && !text.contains("jpegPhoto"), "{text}");
        let text = contact_update(&tree(), &tenant(), &dn, &card("p@y.ru"), &known, &parts, Picture::Unknown)
            [0]
        .to_string();
        assert!(text.contains("replace: jpegPhoto\n-"), "{text}");
    }

    #[test]
    fn a_users_marks_of_other_kinds_stay() {
        let entry =
            Stored::new(&[names::USER_CLASS], &[(names::REVISION, "4"), (names::SOURCE, "bitrix24:7")]);
        let mail = MailAddress::parse("p@y.ru").unwrap();
        let current = LiveUser::from_entry(mail, tenant(), &entry).unwrap();
        let ids: Vec<_> = source_ids(&entry).collect();
        let parts = [Part::Field(UserField::LastName)];
        let text = user_update(&tree(), &current, &card("p@y.ru"), &ids, &parts, Picture::Unknown)
            .unwrap()
            .to_string();
        for part in ["pbmRevision: 5\n", "sn: Petrov\n", "pbmSource: bitrix24:7\npbmSource: ad:1-2\n"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let known = [ids, vec![card("p@y.ru").id]].concat();
        assert_eq!(user_update(&tree(), &current, &card("p@y.ru"), &known, &[], Picture::Unknown), None);
    }
}
