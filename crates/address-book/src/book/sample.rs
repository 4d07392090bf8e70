//! Records for tests.

use super::Rendered;
use ldap_text::attribute::AttributeName;
use mail_model::{
    address::MailAddress,
    contact::{Contact, Kind, id::ContactId, record::Record, view::Visibility},
    entry::EntryView,
    names,
    tenant::TenantId,
    user::User,
};

/// An entry with some attributes.
struct Stored(Vec<(AttributeName, Vec<String>)>);

impl EntryView for Stored {
    fn values(&self, name: &AttributeName) -> &[String] {
        self.0.iter().find(|(n, _)| n == name).map_or(&[], |(_, values)| values)
    }
}

/// The rendered form of a contact and of a user's row in tests.
pub(crate) fn render(record: &Record) -> Rendered {
    Rendered {
        contact: serde_json::to_vec(&record.contact).unwrap(),
        user: record.user.as_ref().map(|user| serde_json::to_vec(&row(user)).unwrap()),
    }
}

/// A user's row.
pub(crate) fn row(user: &User) -> serde_json::Value {
    let fields = user.fields().map(|(field, values)| (format!("{field:?}"), values.into()));
    let mail = ("mail".to_owned(), user.mail().as_str().into());
    serde_json::Value::Object([mail].into_iter().chain(fields).collect())
}

/// An identifier made from a number.
pub(crate) fn id(number: u32) -> ContactId {
    ContactId::from_unique_id(&format!("{number:08x}-00000000-00000000-00000000")).unwrap()
}

/// A contact with a display name and an address, shown in every view.
pub(crate) fn record(number: u32, kind: Kind, mail: &str, display_name: &str) -> Record {
    let contact = Contact {
        id: id(number),
        kind,
        mail: mail.into(),
        display_name: display_name.into(),
        cn: None,
        sn: None,
        initials: None,
        ou: None,
        title: None,
        alias: Vec::new(),
        description: None,
        home_phone: None,
        telephone_number: None,
        mobile: None,
        l: None,
        telegram: None,
        skype: None,
        group: None,
    };
    Record { tenant: TenantId::default_tenant(), contact, visibility: Visibility::BOTH, user: None }
}

/// A user with a first and a last name, shown in every view.
pub(crate) fn user(number: u32, mail: &str, cn: &str, sn: &str) -> Record {
    let mut record = record(number, Kind::User, mail, &format!("{cn} {sn}"));
    (record.contact.cn, record.contact.sn) = (Some(cn.into()), Some(sn.into()));
    with_row(&mut record, &[cn.into()], &[sn.into()]);
    record
}

/// Adds a row in the list of users to a record.
pub(crate) fn with_row(record: &mut Record, cn: &[String], sn: &[String]) {
    let entry = Stored(vec![(names::CN, cn.to_vec()), (names::SN, sn.to_vec())]);
    let mail = MailAddress::parse(&record.contact.mail).unwrap();
    record.user = Some(User::from_entry(mail, record.tenant.clone(), &entry));
}
