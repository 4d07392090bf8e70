//! The orders of lists: the values of the parameter `orderby`.

use ldap_text::attribute::AttributeName;
use mail_model::{
    list::{Listing, OrderBy},
    maillist, names,
    resource::{self, group},
    tenant, user,
};

/// The orders of a list.
pub(crate) struct Orders {
    listing: &'static Listing,
    /// The values of `orderby` and the attribute of each value; the first is the default.
    words: &'static [(&'static str, AttributeName)],
}

pub(crate) static TENANTS: Orders = Orders { listing: &tenant::LISTING, words: &[("tenant-id", names::OU)] };
pub(crate) static USERS: Orders =
    Orders { listing: &user::LISTING, words: &[("mail", names::MAIL), ("cn", names::CN), ("sn", names::SN)] };
pub(crate) static MAIL_LISTS: Orders = Orders {
    listing: &maillist::LISTING,
    words: &[("mail", names::MAIL), ("displayName", names::DISPLAY_NAME)],
};
pub(crate) static RESOURCES: Orders = Orders {
    listing: &resource::LISTING,
    words: &[("mail", names::MAIL), ("displayName", names::DISPLAY_NAME)],
};
pub(crate) static RESOURCE_GROUPS: Orders =
    Orders { listing: &group::LISTING, words: &[("name", names::OU)] };

impl Orders {
    /// The values of `orderby`; the first is the default.
    pub(crate) fn words(&self) -> Vec<&'static str> {
        self.words.iter().map(|(word, _)| *word).collect()
    }

    /// Reads a value of `orderby`.
    pub(crate) fn parse(&self, text: &str) -> Option<OrderBy> {
        let (_, attribute) = self.words.iter().find(|(word, _)| *word == text)?;
        self.listing.order_by(attribute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_an_order_of_its_list_and_the_first_is_the_default() {
        for orders in [&TENANTS, &USERS, &MAIL_LISTS, &RESOURCES, &RESOURCE_GROUPS] {
            let words = orders.words();
            assert_eq!(words.len(), orders.listing.orders.len() + 1, "{words:?}");
            assert!(words.iter().all(|word| orders.parse(word).is_some()), "{words:?}");
            assert_eq!(orders.parse(words[0]), Some(OrderBy::default()));
            assert_eq!(orders.parse("uid"), None);
        }
    }
}
