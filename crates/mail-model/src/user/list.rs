//! Lists of users: what is asked for, the filter that finds it, and the order.

use super::field::UserField;
use crate::names;
use ldap_text::{attribute::AttributeName, filter::Filter};

/// Most words of a search: each costs the server a pass over three indexes.
pub const MAX_SEARCH_WORDS: usize = 8;
/// Longest search text, in characters: a full name and an address.
pub const MAX_SEARCH: usize = 256;
/// Users a page by default.
pub const DEFAULT_LIMIT: usize = 50;
/// Most users a page.
pub const MAX_LIMIT: usize = 1000;

/// What a list is ordered by. Ties go by mail, which is unique, so the order is total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OrderBy {
    /// `mail`
    #[default]
    Mail,
    /// `cn`
    FirstName,
    /// `sn`
    LastName,
}

impl OrderBy {
    /// The values of the parameter `orderby`.
    pub const VALUES: &[&str] = &["mail", "cn", "sn"];

    /// Reads the parameter `orderby`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "mail" => Some(Self::Mail),
            "cn" => Some(Self::FirstName),
            "sn" => Some(Self::LastName),
            _ => None,
        }
    }

    /// The attribute that a scan must read besides the name of the entry, which holds the mail.
    #[must_use]
    pub fn attribute(self) -> Option<AttributeName> {
        match self {
            Self::Mail => None,
            Self::FirstName => Some(UserField::FirstName.attribute()),
            Self::LastName => Some(UserField::LastName.attribute()),
        }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Words that must all be found.
    pub search: SearchWords,
    /// What it is ordered by.
    pub order_by: OrderBy,
    /// Whether the whole order is turned round.
    pub descending: bool,
    /// Number of the page, from 1.
    pub page: usize,
    /// Users a page, 1 to [`MAX_LIMIT`].
    pub limit: usize,
}

impl PageRequest {
    /// How many users come before the page.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.page.saturating_sub(1).saturating_mul(self.limit)
    }
}

/// Words searched for; none finds everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchWords(Vec<String>);

impl SearchWords {
    /// Splits a text at blanks. Every character but a blank is literal.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split_whitespace().take(MAX_SEARCH_WORDS).map(str::to_owned).collect())
    }

    /// A filter that narrows `base` to users in whose mail, first or last name each word occurs.
    #[must_use]
    pub fn narrow(&self, base: Filter) -> Filter {
        let anywhere = |word: &String| {
            Filter::any(
                [names::MAIL, names::CN, names::SN].map(|attribute| Filter::contains(attribute, word)),
            )
        };
        Filter::all(std::iter::once(base).chain(self.0.iter().map(anywhere)))
    }
}

/// Where an entry stands in the order: the attribute without letter case, then the mail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey {
    folded: String,
    mail: String,
}

impl SortKey {
    /// The key of a user, from the attribute that is ordered by (none when that is the mail).
    #[must_use]
    pub fn new(mail: String, value: Option<&str>) -> Self {
        Self { folded: value.map(str::to_lowercase).unwrap_or_default(), mail }
    }

    /// The user's mail.
    #[must_use]
    pub fn mail(&self) -> &str {
        &self.mail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_characters_are_literal() {
        let filter = SearchWords::parse("*)(cn=").narrow(super::super::live_filter());
        let text = filter.to_string();
        assert!(text.contains("(mail=*\\2a\\29\\28cn=*)"), "{text}");
    }

    #[test]
    fn the_order_ignores_case_and_is_total() {
        let key = |mail: &str, cn: &str| SortKey::new(mail.into(), Some(cn));
        assert!(key("b@x.y", "анна") < key("a@x.y", "Борис"));
        assert!(key("a@x.y", "Анна") < key("b@x.y", "анна"));
    }
}
