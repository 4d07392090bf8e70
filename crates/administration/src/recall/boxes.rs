//! The boxes behind the addresses of a recall.

use super::{
    outcome::RecallError,
    request::{Addressed, MAX_BOXES, Recall},
};
use directory::{Lookup, error::DirectoryError, users::recipients::Recipient};
use mail_model::{address::MailAddress, maillist::MailList, tenant::TenantId};
use std::collections::{HashMap, HashSet};

/// An address, and the user who has it.
pub(super) struct Wanted {
    pub(super) mail: String,
    pub(super) user: Option<Recipient>,
    pub(super) is_list: bool,
}

/// Finds the users behind the addresses, within a tenant if one is given. Each address comes once, and the members of an
/// opened list in the place of the list.
pub(super) async fn find(
    lookup: &Lookup,
    within: Option<&TenantId>,
    recall: &Recall,
) -> Result<Vec<Wanted>, RecallError> {
    let addressed = distinct(recall.addressed.iter().cloned())?;
    let users = lookup.recipients(within, &mails(&addressed, |_| true)).await?;
    let unknown = mails(&addressed, |mail| !users.contains_key(mail));
    let lists = lookup.mail_lists_of(within, &unknown).await?;
    let lists: HashMap<_, _> = lists.into_iter().map(|list| (list.mail.to_string(), list)).collect();
    if recall.expand && !lists.is_empty() {
        let addressed = distinct(opened(lookup, addressed, &lists).await?)?;
        let unknown = mails(&addressed, |mail| !users.contains_key(mail));
        let members = lookup.recipients(within, &unknown).await?;
        return Ok(wanted(
            addressed,
            |mail| users.get(mail).or_else(|| members.get(mail)).cloned(),
            |_| false,
        ));
    }
    Ok(wanted(addressed, |mail| users.get(mail).cloned(), |mail| lists.contains_key(mail)))
}

/// The addresses, with the members of each list in its place.
async fn opened(
    lookup: &Lookup,
    addressed: Vec<Addressed>,
    lists: &HashMap<String, MailList>,
) -> Result<Vec<Addressed>, DirectoryError> {
    let mut all = Vec::new();
    for address in addressed {
        match lists.get(address.key()) {
            Some(list) => all.extend(lookup.expanded(list).await?.iter().map(|mail| Addressed::parse(mail))),
            None => all.push(address),
        }
    }
    Ok(all)
}

/// Each address once.
fn distinct(addressed: impl IntoIterator<Item = Addressed>) -> Result<Vec<Addressed>, RecallError> {
    let mut seen = HashSet::new();
    let distinct: Vec<_> =
        addressed.into_iter().filter(|address| seen.insert(address.key().to_owned())).collect();
    if distinct.len() > MAX_BOXES { Err(RecallError::TooMany(distinct.len())) } else { Ok(distinct) }
}

fn mails(addressed: &[Addressed], is_wanted: impl Fn(&str) -> bool) -> Vec<MailAddress> {
    let mails = addressed.iter().filter_map(|address| address.mail.clone());
    mails.filter(|mail| is_wanted(mail.as_str())).collect()
}

fn wanted(
    addressed: Vec<Addressed>,
    user: impl Fn(&str) -> Option<Recipient>,
    is_list: impl Fn(&str) -> bool,
) -> Vec<Wanted> {
    let wanted = |address: Addressed| {
        let (user, is_list) = (user(address.key()), is_list(address.key()));
        Wanted { mail: address.text, user, is_list }
    };
    addressed.into_iter().map(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_counts_once_in_any_spelling() {
        let texts = ["Ivan@a.test", "ivan@A.test", "nobody", "nobody", "anna@a.test"];
        let distinct = distinct(texts.map(Addressed::parse)).unwrap();
        let texts: Vec<_> = distinct.iter().map(|address| address.text.as_str()).collect();
        assert_eq!(texts, ["Ivan@a.test", "nobody", "anna@a.test"]);
    }

    #[test]
    fn a_thousand_addresses_are_allowed() {
        let addresses =
            |count: usize| (0..count).map(|number| Addressed::parse(&format!("u{number}@a.test")));
        assert!(distinct(addresses(MAX_BOXES)).is_ok());
        assert!(matches!(distinct(addresses(MAX_BOXES + 1)), Err(RecallError::TooMany(1001))));
    }
}
