//! Records for tests.

use super::Rendered;
use ldap_text::attribute::AttributeName;
use mail_model::{
    address::MailAddress,
    contact::{Contact, Kind, id::ContactId, record::Record, view::Visibility},
    entry::EntryView,
    names,
    tenant::TenantId,
    user::LiveUser,
};

/// An entry with some attributes.
struct Stored(Vec<(AttributeName, Vec<String>)>);

impl EntryView for Stored {
    fn values(&self, name: &AttributeName) -> &[String] {
        self.0.iter().find(|(n, _)| n == name).map_or(&[], |(_, values)| values)
    }
}

/// The rendered form of a contact and of a user in tests: a line with the name, then everything else.
pub(crate) fn render(record: &Record) -> Rendered {
    Rendered { contact: contact_bytes(&record.contact), user: record.user.as_ref().map(user_bytes) }
}

/// A contact as [`render`] renders it.
pub(crate) fn contact_bytes(contact: &Contact) -> Vec<u8> {
    format!("{}\n{}\n{contact:?}", contact.display_name, contact.id).into_bytes()
}

/// A user as [`render`] renders it.
pub(crate) fn user_bytes(live: &LiveUser) -> Vec<u8> {
    format!("{}\n{:?}", live.user.mail(), live.user).into_bytes()
}

/// The name in a rendered form: the shown name of a contact, the address of a user.
pub(crate) fn name(rendered: &[u8]) -> &str {
    line(rendered, 0)
}

/// The identifier in the rendered form of a contact.
pub(crate) fn rendered_id(rendered: &[u8]) -> ContactId {
    ContactId::parse(line(rendered, 1)).unwrap()
}

fn line(rendered: &[u8], number: usize) -> &str {
    std::str::from_utf8(rendered).unwrap().split('\n').nth(number).unwrap_or_default()
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
    let id = record.contact.id.unique_id();
    let entry = Stored(vec![
        (names::OBJECT_CLASS, vec![names::USER_CLASS.to_owned()]),
        (names::CN, cn.to_vec()),
        (names::SN, sn.to_vec()),
        (names::REVISION, vec![id.clone()]),
        (names::NS_UNIQUE_ID, vec![id]),
    ]);
    let mail = MailAddress::parse(&record.contact.mail).unwrap();
    record.user = LiveUser::from_entry(mail, record.tenant.clone(), &entry);
}
