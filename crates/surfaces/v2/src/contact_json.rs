//! Contacts as answers show them: a field without a value is left out.

use mail_model::contact::{Contact, Kind, id::ContactId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// A contact as JSON.
pub(crate) fn write(contact: &Contact) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::with_capacity(256);
    ContactFields::serialize(contact, &mut serde_json::Serializer::new(&mut json))?;
    Ok(json)
}

/// Reads what [`write`] wrote.
pub(crate) fn read(json: &[u8]) -> serde_json::Result<Contact> {
    ContactFields::deserialize(&mut serde_json::Deserializer::from_slice(json))
}

/// The fields of a [`Contact`] and their names.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Contact")]
struct ContactFields {
    #[serde(with = "id")]
    id: ContactId,
    #[serde(with = "kind")]
    kind: Kind,
    mail: String,
    #[serde(rename = "displayName")]
    display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    initials: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ou: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    alias: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "homePhone", skip_serializing_if = "Option::is_none")]
    home_phone: Option<String>,
    #[serde(rename = "telephoneNumber", skip_serializing_if = "Option::is_none")]
    telephone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    l: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    telegram: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

mod id {
    use super::{ContactId, Cow, Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;

    pub(super) fn serialize<S: Serializer>(id: &ContactId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ContactId, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        ContactId::parse(&text).ok_or_else(|| D::Error::custom("not a UUID"))
    }
}

mod kind {
    use super::{Cow, Deserialize, Deserializer, Kind, Serializer};
    use serde::de::Error as _;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) fn serialize<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Kind::parse(&text).ok_or_else(|| D::Error::custom("not a kind of contact"))
    }
}

/// Contacts that tests write down.
#[cfg(test)]
pub(crate) mod sample {
    use super::{Contact, ContactId, Kind};

    /// A contact that has every field.
    pub(crate) fn with_all_fields() -> Contact {
        let one = || Some("x\u{2028}\"".to_owned());
        Contact {
            id: ContactId::parse("0f69e8d2-e82c-11f1-bfa1-87935ae20175").unwrap(),
            kind: Kind::User,
            mail: "a@x.ru".into(),
            display_name: "A".into(),
            cn: one(),
            sn: one(),
            initials: one(),
            ou: one(),
            title: one(),
            alias: vec!["b@x.ru".into()],
            description: one(),
            home_phone: one(),
            telephone_number: one(),
            mobile: one(),
            l: one(),
            telegram: one(),
            skype: one(),
            group: one(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Contact, Kind, read, sample, write};

    #[test]
    fn a_contact_reads_back_the_same() {
        let full = sample::with_all_fields();
        let (cn, alias) = (None, Vec::new());
        let partial = Contact { cn, alias, kind: Kind::List, ..full.clone() };
        for contact in [full, partial] {
            assert_eq!(read(&write(&contact).unwrap()).unwrap(), contact);
        }
        assert!(read(br#"{"id":"1","kind":"user","mail":"a@x.ru","displayName":"A"}"#).is_err());
    }

    #[test]
    fn a_field_without_a_value_is_left_out() {
        let least = br#"{"id":"0f69e8d2-e82c-11f1-bfa1-87935ae20175","kind":"user","mail":"a@x.ru","displayName":"A"}"#;
        let contact = read(least).unwrap();
        assert_eq!(String::from_utf8(write(&contact).unwrap()).unwrap().as_bytes(), least);
    }
}
