//! The card of a person, from the attributes of an entry.

use super::{entry::Entry, identity, names, settings::Plan, standing};
use ldap_text::AttributeName;
use mail_model::{source::card::CardTexts, user::field::UserField};
use std::collections::BTreeMap;

/// Most further addresses of an entry that are looked at.
const MAX_ADDRESSES: usize = 1000;

/// The attributes that are read of a person.
pub(super) fn attributes(plan: &Plan) -> Vec<AttributeName> {
    let own = [names::MAIL, names::PROXY_ADDRESSES, names::THUMBNAIL_PHOTO, names::JPEG_PHOTO];
    let mapped = plan.mapping.iter().map(|(_, name)| name.clone());
    let mut all: Vec<_> =
        own.into_iter().chain(identity::IDENTIFIERS).chain(standing::DECISIVE).chain(mapped).collect();
    all.sort();
    all.dedup();
    all
}

/// The texts of a card, unchecked.
pub(super) fn texts(entry: &Entry, plan: &Plan) -> CardTexts {
    let Addresses { main, others } = Addresses::of(entry);
    let field = |(field, name): &(UserField, AttributeName)| Some((*field, entry.text(name)?.to_owned()));
    let photo = entry.first(&names::THUMBNAIL_PHOTO).or_else(|| entry.first(&names::JPEG_PHOTO));
    CardTexts {
        mail: main.unwrap_or_default().to_owned(),
        aliases: others.into_iter().map(str::to_owned).collect(),
        fields: plan.mapping.iter().filter_map(field).collect::<BTreeMap<_, _>>(),
        photo: photo.map(<[u8]>::to_vec),
        ..CardTexts::default()
    }
}

/// The addresses of an entry, unchecked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Addresses<'a> {
    /// The first `mail`, else the primary address of Exchange.
    pub(super) main: Option<&'a str>,
    /// All others.
    pub(super) others: Vec<&'a str>,
}

impl<'a> Addresses<'a> {
    /// The addresses of `mail` and of `proxyAddresses`, in which `SMTP:` marks the primary address and `smtp:` the
    /// others. Other schemes are not of mail.
    pub(super) fn of(entry: &'a Entry) -> Self {
        let mails: Vec<_> =
            entry.texts(&names::MAIL).map(str::trim).filter(|text| !text.is_empty()).collect();
        let proxies = entry.texts(&names::PROXY_ADDRESSES).filter_map(proxy).take(MAX_ADDRESSES);
        let (primary, further): (Vec<_>, Vec<_>) = proxies.partition(|(is_primary, _)| *is_primary);
        let mut primary = primary.into_iter().map(|(_, address)| address);
        let main = mails.first().copied().or_else(|| primary.next());
        let further = further.into_iter().map(|(_, address)| address);
        let others = mails.into_iter().skip(1).take(MAX_ADDRESSES).chain(primary).chain(further).collect();
        Self { main, others }
    }
}

/// Whether an address of `proxyAddresses` is the primary one, and the address.
fn proxy(text: &str) -> Option<(bool, &str)> {
    let (scheme, address) = text.trim().split_once(':')?;
    scheme.eq_ignore_ascii_case("smtp").then(|| (scheme == "SMTP", address.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::settings::tests::settings;

    fn plan() -> Plan {
        Plan::new(&settings()).unwrap()
    }

    #[test]
    fn the_addresses_of_exchange_are_taken() {
        let proxies = [
            "x500:/o=x",
            "smtp:second@x.ru",
            "SMTP:first@x.ru",
            "SIP:first@x.ru",
            "nothing",
            "Smtp:third@x.ru",
        ];
        let with_mail =
            Entry::new("", &[("mail", &["main@x.ru", "more@x.ru"]), ("proxyAddresses", &proxies)]);
        let addresses = Addresses::of(&with_mail);
        assert_eq!(addresses.main, Some("main@x.ru"));
        assert_eq!(addresses.others, ["more@x.ru", "first@x.ru", "second@x.ru", "third@x.ru"]);
        let without = Entry::new("", &[("mail", &[" "]), ("proxyAddresses", &proxies)]);
        assert_eq!(Addresses::of(&without).main, Some("first@x.ru"));
        let further = Entry::new("", &[("proxyAddresses", &["smtp:second@x.ru"])]);
        assert_eq!(Addresses::of(&further).main, None);
    }

    #[test]
    fn the_attributes_of_the_mapping_become_fields() {
        let entry = Entry::new("", &[("GivenName", &["", "Анна"]), ("l", &["Тула"]), ("title", &[])])
            .with_bytes("jpegPhoto", b"jpeg")
            .with_bytes("thumbnailPhoto", b"small");
        let texts = texts(&entry, &plan());
        let expected = [(UserField::FirstName, "Анна".to_owned()), (UserField::City, "Тула".to_owned())];
        assert_eq!(texts.fields, expected.into());
        assert_eq!(texts.photo.as_deref(), Some(&b"small"[..]));
        assert_eq!(texts.mail, "");
    }

    #[test]
    fn each_attribute_is_asked_for_once() {
        let names = attributes(&plan());
        let of_mail = names.iter().filter(|name| **name == names::MAIL).count();
        assert_eq!(of_mail, 1);
        assert!(names.contains(&AttributeName::from_static("givenName")));
    }
}
