//! The boxes behind the addresses of a recall.

use super::{
    outcome::RecallError,
    request::{Addressed, MAX_BOXES, Recall},
};
use crate::policy::Reach;
use directory::{Lookup, error::DirectoryError, users::recipients::Recipient};
use mail_model::{address::MailAddress, maillist::MailList, tenant::TenantId};
use std::collections::{HashMap, HashSet};

/// An address, and the user who has it.
pub(super) struct Wanted {
    pub(super) mail: String,
    pub(super) user: Option<Recipient>,
    pub(super) origin: Origin,
}

/// What an address without a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// One that the request names, and that is no mailing list.
    Request,
    /// A mailing list that was not to be opened.
    List,
    /// A member of a mailing list.
    Member,
}

/// Whose boxes a caller reaches.
pub(super) struct Boxes<'a> {
    pub(super) lookup: &'a Lookup,
    /// The tenant; `None` for all tenants.
    pub(super) within: Option<&'a TenantId>,
    pub(super) reach: Reach,
}

impl Boxes<'_> {
    /// Finds the users behind the addresses. Each address comes once, and the members of an opened list in the place of
    /// the list. A user whom the caller does not reach is like one that does not exist.
    pub(super) async fn find(&self, recall: &Recall) -> Result<Vec<Wanted>, RecallError> {
        let addressed = Distinct::of(recall.addressed.iter().cloned())?;
        let users = self.users(&mails(&addressed, |_| true)).await?;
        let unknown = mails(&addressed, |mail| !users.contains_key(mail));
        let lists = self.lookup.mail_lists_of(self.within, &unknown).await?;
        let lists: HashMap<_, _> = lists.into_iter().map(|list| (list.mail.to_string(), list)).collect();
        let user = |mail: &str| users.get(mail).cloned();
        if !recall.expand || lists.is_empty() {
            let origin = |mail: &str| if lists.contains_key(mail) { Origin::List } else { Origin::Request };
            return Ok(wanted(addressed, user, origin));
        }
        let named: HashSet<_> = addressed.iter().map(|address| address.key().to_owned()).collect();
        let opened = self.opened(addressed, &lists).await?;
        let members = self.users(&mails(&opened, |mail| !named.contains(mail))).await?;
        let origin = |mail: &str| if named.contains(mail) { Origin::Request } else { Origin::Member };
        Ok(wanted(opened, |mail| user(mail).or_else(|| members.get(mail).cloned()), origin))
    }

    async fn users(&self, mails: &[MailAddress]) -> Result<HashMap<String, Recipient>, DirectoryError> {
        let mut users = self.lookup.recipients(self.within, mails).await?;
        users.retain(|_, user| self.reach.has_role(user.role));
        Ok(users)
    }

    /// The addresses, with the members of each list in its place. No further list is opened once there are too many.
    async fn opened(
        &self,
        addressed: Vec<Addressed>,
        lists: &HashMap<String, MailList>,
    ) -> Result<Vec<Addressed>, RecallError> {
        let mut all = Distinct::default();
        for address in addressed {
            let Some(list) = lists.get(address.key()) else {
                all.add(address)?;
                continue;
            };
            let members = self.lookup.expanded_up_to(list, MAX_BOXES).await?.ok_or(RecallError::TooMany)?;
            members.iter().try_for_each(|mail| all.add(Addressed::parse(mail)))?;
        }
        Ok(all.addressed)
    }
}

/// Each address once.
#[derive(Default)]
struct Distinct {
    seen: HashSet<String>,
    addressed: Vec<Addressed>,
}

impl Distinct {
    fn of(addressed: impl IntoIterator<Item = Addressed>) -> Result<Vec<Addressed>, RecallError> {
        let mut distinct = Self::default();
        addressed.into_iter().try_for_each(|address| distinct.add(address))?;
        Ok(distinct.addressed)
    }

    fn add(&mut self, address: Addressed) -> Result<(), RecallError> {
        if self.seen.insert(address.key().to_owned()) {
            self.addressed.push(address);
        }
        if self.addressed.len() > MAX_BOXES { Err(RecallError::TooMany) } else { Ok(()) }
    }
}

fn mails(addressed: &[Addressed], is_wanted: impl Fn(&str) -> bool) -> Vec<MailAddress> {
    let mails = addressed.iter().filter_map(|address| address.mail.clone());
    mails.filter(|mail| is_wanted(mail.as_str())).collect()
}

fn wanted(
    addressed: Vec<Addressed>,
    user: impl Fn(&str) -> Option<Recipient>,
    origin: impl Fn(&str) -> Origin,
) -> Vec<Wanted> {
    let wanted = |address: Addressed| {
        let (user, origin) = (user(address.key()), origin(address.key()));
        Wanted { mail: address.text, user, origin }
    };
    addressed.into_iter().map(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_counts_once_in_any_spelling() {
        let texts = ["Ivan@a.test", "ivan@A.test", "nobody", "nobody", "anna@a.test"];
        let distinct = Distinct::of(texts.map(Addressed::parse)).unwrap();
        let texts: Vec<_> = distinct.iter().map(|address| address.text.as_str()).collect();
        assert_eq!(texts, ["Ivan@a.test", "nobody", "anna@a.test"]);
    }

    #[test]
    fn a_thousand_addresses_are_allowed() {
        let addresses =
            |count: usize| (0..count).map(|number| Addressed::parse(&format!("u{number}@a.test")));
        assert!(Distinct::of(addresses(MAX_BOXES)).is_ok());
        // Ends at the first one too many.
        assert!(matches!(Distinct::of(addresses(usize::MAX)), Err(RecallError::TooMany)));
    }
}
