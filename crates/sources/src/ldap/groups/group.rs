//! A group, as its entry says.

use super::{
    keys::{Key, Keys},
    range::Range,
};
use crate::{
    Passed,
    ldap::{entry::Entry, identity, names, person::Addresses, shown::shown},
};
use ldap_text::AttributeName;
use mail_model::{
    address::MailAddress,
    source::{SourceId, list::SourceList},
};

/// The attributes that are read of a group, besides those of its identifier.
pub(super) const ATTRIBUTES: [AttributeName; 8] = [
    names::OBJECT_CLASS,
    names::CN,
    names::DISPLAY_NAME,
    names::MAIL,
    names::PROXY_ADDRESSES,
    names::MEMBER,
    names::UNIQUE_MEMBER,
    names::OBJECT_SID,
];

/// A group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) dn: String,
    pub(super) key: Key,
    /// What it is as a list; `None` for a group that is none, and is replaced by its members.
    pub(super) list: Option<List>,
    /// Its members, as far as they were read.
    pub(super) members: Vec<Key>,
    /// From where the rest of the members is to be asked for.
    pub(super) rest_from: Option<u32>,
    /// The last part of its SID.
    pub(super) relative_id: Option<u32>,
}

/// A group as a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List {
    pub(super) id: SourceId,
    pub(super) mail: MailAddress,
    display_name: String,
}

impl List {
    /// The list with its members.
    pub(super) fn with_members(&self, members: Vec<MailAddress>) -> SourceList {
        let Self { id, mail, display_name } = self.clone();
        SourceList { id, mail, display_name, members }
    }
}

impl Group {
    /// The group of an entry, and why it is not a list although the filter wants it.
    pub(super) fn of(entry: &Entry, is_wanted: bool, keys: &Keys) -> (Self, Option<Passed>) {
        let list = is_wanted.then(|| list(entry)).transpose();
        let (list, passed) = list.map_or_else(|passed| (None, Some(passed)), |list| (list, None));
        let (members, rest_from) = members(entry, keys);
        let group = Self {
            dn: entry.dn().to_owned(),
            key: keys.of(entry.dn()),
            list,
            members,
            rest_from,
            relative_id: identity::relative_id(entry),
        };
        (group, passed)
    }

    /// What it is called in reports.
    pub(super) fn shown(&self) -> String {
        self.list.as_ref().map_or_else(|| shown(&self.dn), |list| list.mail.to_string())
    }
}

fn list(entry: &Entry) -> Result<List, Passed> {
    let passed = |why: String, keeps| Passed { what: shown(entry.dn()), why, keeps };
    let Some(id) = identity::id(entry) else {
        let why =
            "the group has no objectGUID, ipaUniqueID, entryUUID or nsUniqueId that the account may read";
        return Err(passed(why.to_owned(), None));
    };
    let Some(text) = Addresses::of(entry).main else {
        return Err(passed("the group has no address".to_owned(), Some(id)));
    };
    let name = entry.text(&names::DISPLAY_NAME).or_else(|| entry.text(&names::CN)).unwrap_or(text);
    match MailAddress::parse(text) {
        Ok(mail) => Ok(List { id, mail, display_name: shown(name) }),
        Err(error) => Err(passed(format!("the address of the group, {:?}, {error}", shown(text)), Some(id))),
    }
}

/// The members that an entry names, and from where the rest is to be asked for.
fn members(entry: &Entry, keys: &Keys) -> (Vec<Key>, Option<u32>) {
    let mut members: Vec<_> = dns(entry.texts(&names::MEMBER)).map(|dn| keys.of(dn)).collect();
    members.extend(dns(entry.texts(&names::UNIQUE_MEMBER)).map(|name| keys.of_name_and_uid(name)));
    match piece(entry, keys) {
        Some((range, piece)) => {
            members.extend(piece);
            (members, range.next)
        }
        None => (members, None),
    }
}

/// The piece of the members in an entry that has not all of them.
pub(super) fn piece(entry: &Entry, keys: &Keys) -> Option<(Range, Vec<Key>)> {
    let mut attributes = entry.attributes();
    let (range, values) =
        attributes.find_map(|(name, values)| Some((Range::of(name, &names::MEMBER)?, values)))?;
    let texts = values.iter().filter_map(|value| std::str::from_utf8(value).ok());
    Some((range, dns(texts).map(|dn| keys.of(dn)).collect()))
}

/// The texts that name something. A group of some classes must have a member, for which the empty DN stands in.
fn dns<'a>(texts: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    texts.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(attributes: &[(&str, &[&str])], is_wanted: bool) -> (Group, Option<Passed>) {
        Group::of(&Entry::new("cn=g,dc=x", attributes), is_wanted, &Keys::default())
    }

    #[test]
    fn a_group_with_an_address_is_a_list() {
        let attributes: [(&str, &[&str]); 4] = [
            ("entryUUID", &["7-1"]),
            ("mail", &["G@x.ru"]),
            ("cn", &["Group"]),
            ("member", &["cn=a,dc=x", "", "cn=b,dc=x"]),
        ];
        let (wanted, passed) = group(&attributes, true);
        let list = wanted.list.as_ref().unwrap();
        assert_eq!(
            (list.id.as_str(), list.mail.as_str(), list.display_name.as_str()),
            ("ldap:7-1", "g@x.ru", "Group")
        );
        assert_eq!(
            (wanted.members.len(), wanted.rest_from, passed, wanted.shown()),
            (2, None, None, "g@x.ru".into())
        );
        assert!(group(&attributes, false).0.list.is_none());
    }

    #[test]
    fn a_group_that_cannot_be_a_list_keeps_what_was_made_of_it() {
        for (mail, word) in [("", "no address"), ("nothing", "\"nothing\"")] {
            let (group, passed) = group(&[("entryUUID", &["7-1"]), ("mail", &[mail])], true);
            let passed = passed.unwrap();
            assert!(
                group.list.is_none() && passed.why.contains(word) && passed.keeps.is_some(),
                "{passed:?}"
            );
        }
        let (_, passed) = group(&[("mail", &["g@x.ru"])], true);
        assert_eq!(passed.unwrap().keeps, None);
    }

    #[test]
    fn a_large_group_comes_in_pieces() {
        let (group, _) = group(&[("member", &[]), ("member;range=0-1", &["cn=a", "cn=b"])], true);
        assert_eq!((group.members.len(), group.rest_from), (2, Some(2)));
    }

    #[test]
    fn unique_members_are_members() {
        let (group, _) = group(&[("uniqueMember", &["cn=a#'01'B", "cn=b"])], false);
        assert_eq!(group.members.len(), 2);
    }
}
