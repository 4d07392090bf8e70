//! The cached record of an entry with an address, for answers without a request to the directory: the contact, if a
//! view shows it, and the row among the users of the tenant.

use super::{Contact, Kind, id::ContactId, view::Visibility};
use crate::{
    address::MailAddress,
    conflicts::is_set_aside,
    deletion::{is_hidden, is_of_class},
    entry::EntryView,
    names,
    tenant::TenantId,
    tree::Tree,
    user::{self, LiveUser},
};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};
use std::sync::LazyLock;

/// The cached record of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The tenant.
    pub tenant: TenantId,
    /// The contact, as the views show it.
    pub contact: Contact,
    /// The views that show the contact; in no view, the entry is not a contact.
    pub visibility: Visibility,
    /// The user, for the list of users, which contains blocked users too, and for reading this one; `None` if the entry
    /// is not a user.
    pub user: Option<LiveUser>,
}

impl Record {
    /// Reads an entry with [`read_attributes`]. `None` if there is nothing to cache: the entry has no address, is at
    /// another place of the tree, is deleted, is being removed, or is a conflict entry of replication.
    #[must_use]
    pub fn from_entry(tree: &Tree, dn: &Dn, entry: &impl EntryView) -> Option<Self> {
        if is_hidden(entry) || is_set_aside(dn) {
            return None;
        }
        let id = ContactId::from_unique_id(entry.first(&names::NS_UNIQUE_ID)?)?;
        let place = tree.place_of(dn)?;
        let has_class = |class| is_of_class(entry, class);
        let is_it = match place.kind {
            Kind::User => has_class(names::USER_CLASS),
            Kind::List => has_class(names::MAIL_LIST_CLASS),
            Kind::Resource => has_class(names::RESOURCE_CLASS),
            Kind::Contact => true,
        };
        let mail = place.mail.or_else(|| entry.first(&names::MAIL)).filter(|_| is_it)?.to_lowercase();
        let contact = Contact::from_entry(id, place.kind, &mail, place.group, entry);
        let user = match place.kind {
            Kind::User => {
                Some(LiveUser::from_entry(MailAddress::parse(&mail).ok()?, place.tenant.clone(), entry)?)
            }
            _ => None,
        };
        let is_blocked = user.as_ref().is_some_and(|live| !live.user.is_active());
        let visibility = if is_blocked { Visibility::NONE } else { Visibility::of_entry(place.kind, entry) };
        Some(Self { tenant: place.tenant, contact, visibility, user })
    }

    /// Whether some view shows the entry.
    #[must_use]
    pub const fn is_contact(&self) -> bool {
        self.visibility.colleagues || self.visibility.suggestions
    }
}

/// Attributes that a record is read from.
#[must_use]
pub fn read_attributes() -> &'static [AttributeName] {
    static ATTRIBUTES: LazyLock<Vec<AttributeName>> = LazyLock::new(|| {
        let mut attributes = user::read_attributes();
        attributes.push(names::MAIL);
        attributes
    });
    &ATTRIBUTES
}

/// The entries of a folder, including those without an address, which are not cached. The filter does not ask for an
/// address, because 389-ds would look it up, and read an index list of the whole directory.
#[must_use]
pub fn anything() -> Filter {
    Filter::present(names::OBJECT_CLASS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::Stored;

    const ID: (AttributeName, &str) = (names::NS_UNIQUE_ID, "0f69e8d2-e82c11f1-bfa18793-5ae20175");

    fn record(dn: &str, classes: &[&str], pairs: &[(AttributeName, &str)]) -> Option<Record> {
        let tree = Tree::new(Dn::parse("dc=x").unwrap());
        let pairs: Vec<_> = [ID].into_iter().chain(pairs.iter().cloned()).collect();
        Record::from_entry(&tree, &Dn::parse(dn).unwrap(), &Stored::new(classes, &pairs))
    }

    const USER: &str = "mail=a@x.ru,ou=t,ou=People,dc=x";

    #[test]
    fn a_user_is_a_contact_by_its_names() {
        let record = record(USER, &["pbmUser"], &[(names::CN, "Анна"), (names::SN, "Белых")]).unwrap();
        assert_eq!(record.contact.display_name, "Анна Белых");
        assert_eq!(record.contact.kind, Kind::User);
        assert!(record.is_contact() && record.user.is_some());
        assert_eq!(record.contact.id.to_string(), "0f69e8d2-e82c-11f1-bfa1-87935ae20175");
        assert_eq!((record.contact.mail.as_str(), record.contact.ou), ("a@x.ru", None));
    }

    #[test]
    fn blocked_users_are_no_contacts_but_stay_users() {
        for pair in
            [(names::INET_USER_STATUS, "0"), (names::INET_USER_STATUS, "2"), (names::NS_ACCOUNT_LOCK, "TRUE")]
        {
            let record = record(USER, &["pbmUser"], std::slice::from_ref(&pair)).unwrap();
            assert!(
                !record.is_contact() && record.user.is_some_and(|live| !live.user.is_active()),
                "{pair:?}"
            );
        }
    }

    #[test]
    fn what_is_deleted_or_elsewhere_is_not_remembered() {
        assert_eq!(record(USER, &["pbmUser"], &[(names::DELETED_SINCE, "20260101000000Z")]), None);
        assert_eq!(record(USER, &["pbmUser"], &[(names::PURGING, "TRUE")]), None);
        assert_eq!(record(USER, &["person"], &[]), None);
        let conflict = format!("nsuniqueid={}+{USER}", ID.1);
        assert_eq!(record(&conflict, &["pbmUser"], &[]), None);
        assert_eq!(record("mail=a@x.ru,ou=System,dc=x", &["pbmUser"], &[]), None);
        assert_eq!(record("mail=a@x.ru,ou=People,dc=x", &["pbmUser"], &[]), None);
        assert_eq!(record("mail=a@x.ru,ou=deep,ou=t,ou=People,dc=x", &["pbmUser"], &[]), None);
    }

    #[test]
    fn lists_resources_and_outside_contacts_are_contacts_without_a_row() {
        let list =
            record("mail=l@x.ru,ou=t,ou=Groups,dc=x", &["pbmMailList"], &[(names::DISPLAY_NAME, "Все")]);
        let list = list.unwrap();
        assert_eq!(
            (list.contact.kind, list.contact.display_name.as_str(), list.user),
            (Kind::List, "Все", None)
        );
        let room = record("mail=r@x.ru,ou=Залы,ou=t,ou=Resources,dc=x", &["pbmResource"], &[]).unwrap();
        assert_eq!((room.contact.kind, room.contact.group.as_deref()), (Kind::Resource, Some("Залы")));
        assert_eq!(room.contact.display_name, "r@x.ru");
        let outside = record(
            "cn=Partner,ou=b,ou=t,ou=CAB,dc=x",
            &["person"],
            &[(names::MAIL, "P@y.com"), (names::CN, "Partner")],
        );
        let outside = outside.unwrap();
        assert_eq!((outside.contact.kind, outside.contact.mail.as_str()), (Kind::Contact, "p@y.com"));
        assert_eq!(outside.tenant.as_str(), "t");
        assert_eq!(record("cn=Partner,ou=t,ou=CAB,dc=x", &["person"], &[(names::CN, "Partner")]), None);
    }
}
