//! Lists of entries: what can be asked of each kind of list, what a search finds in it, and its order.

use crate::{
    entry::EntryView,
    folding::{fold, fold_in_own_letters},
};
use ldap_text::attribute::AttributeName;

/// Most words of a search: each costs a pass over the texts of an entry.
pub const MAX_SEARCH_WORDS: usize = 8;
/// Longest search text, in characters: a full name and an address.
pub const MAX_SEARCH: usize = 256;
/// Entries a page by default.
pub const DEFAULT_LIMIT: usize = 50;
/// Highest number of a page: more entries than that no directory holds, even one a page.
pub const MAX_PAGE: usize = 1_000_000_000;
/// Most entries a page.
pub const MAX_LIMIT: usize = 1000;

/// A kind of list: how its entries are named, searched and ordered.
#[derive(Debug)]
pub struct Listing {
    /// The attribute that names its entries; it settles ties, so every order is total.
    pub naming: AttributeName,
    /// The attributes that a search looks into.
    pub searched: &'static [AttributeName],
    /// The attributes that it can be ordered by besides the naming one, which is the default.
    pub orders: &'static [AttributeName],
}

impl Listing {
    /// The order by an attribute; `None` if the list has no such order.
    #[must_use]
    pub fn order_by(&self, attribute: &AttributeName) -> Option<OrderBy> {
        if *attribute == self.naming {
            return Some(OrderBy::default());
        }
        self.orders.contains(attribute).then(|| OrderBy(Some(attribute.clone())))
    }

    /// Whether each word of a search occurs in some value that is searched.
    ///
    /// The server is not asked for this: it knows neither the forms of a letter (ё and е, composed or not) nor the
    /// letters that an A-label stands for. All sort keys of a list are read for each page anyway.
    #[must_use]
    pub fn has_words(&self, entry: &impl EntryView, words: &SearchWords) -> bool {
        let values = self.searched.iter().flat_map(|attribute| entry.values(attribute));
        words.is_empty() || words.are_found_in(&values.map(String::as_str).collect::<Vec<_>>())
    }
}

/// What a list is ordered by; by default the value that names its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderBy(Option<AttributeName>);

impl OrderBy {
    /// The attribute that a scan must read besides the names of the entries.
    #[must_use]
    pub fn attribute(&self) -> Option<&AttributeName> {
        self.0.as_ref()
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
    /// Entries a page, 1 to [`MAX_LIMIT`].
    pub limit: usize,
}

impl PageRequest {
    /// How many entries come before the page.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.page.saturating_sub(1).saturating_mul(self.limit)
    }
}

impl PageRequest {
    /// Cuts the page from all entries of a list that is small enough to be held in memory.
    #[must_use]
    pub fn cut<T>(&self, mut entries: Vec<T>, key: impl Fn(&T) -> SortKey) -> Vec<T> {
        entries.sort_by_cached_key(&key);
        if self.descending {
            entries.reverse();
        }
        entries.into_iter().skip(self.offset()).take(self.limit).collect()
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        let (search, order_by) = (SearchWords::default(), OrderBy::default());
        Self { search, order_by, descending: false, page: 1, limit: DEFAULT_LIMIT }
    }
}

/// Words searched for, folded; none finds everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchWords(Vec<String>);

impl SearchWords {
    /// Splits a text at blanks. Every character but a blank is literal.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(fold(text).split_whitespace().take(MAX_SEARCH_WORDS).map(str::to_owned).collect())
    }

    /// The words, folded.
    pub fn folded(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether each word occurs in one of some texts, as both are folded; an address with A-labels is searched in its own
    /// letters too.
    #[must_use]
    pub fn are_found_in(&self, texts: &[&str]) -> bool {
        let forms = |text: &&str| [Some(fold(text)), fold_in_own_letters(text)];
        let texts: Vec<_> = texts.iter().flat_map(forms).flatten().collect();
        self.folded().all(|word| texts.iter().any(|text| text.contains(word)))
    }
}

/// Where an entry stands in the order: what is ordered by, folded, then the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey {
    folded: String,
    name: String,
}

impl SortKey {
    /// The key of an entry, from the attribute that is ordered by (none when that is the name; empty where the entry has
    /// none).
    #[must_use]
    pub fn new(name: String, value: Option<&str>) -> Self {
        Self { folded: fold(value.unwrap_or(&name)), name }
    }

    /// The value that names the entry, in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{names, user::LISTING};

    #[test]
    fn the_order_ignores_case_and_is_total() {
        let key = |name: &str, cn: &str| SortKey::new(name.into(), Some(cn));
        assert!(key("b@x.y", "анна") < key("a@x.y", "Борис"));
        assert!(key("a@x.y", "Анна") < key("b@x.y", "анна"));
        let in_order = ["Дина", "Ежова", "Ёлкин", "Е\u{308}лкина", "Жук", "Яна"];
        assert!(in_order.is_sorted_by_key(|name| key("a@x.y", name)));
        assert!(key("a@x.y", "Ёлкин") < key("b@x.y", "елкин"));
        assert!(SortKey::new("ёлка".into(), None) < SortKey::new("жук".into(), None));
        assert!(key("b@x.y", "") < SortKey::new("a@x.y".into(), None));
    }

    #[test]
    fn a_page_is_cut_from_entries_in_memory() {
        let key = |mail: &&str| SortKey::new((*mail).to_owned(), None);
        let request = |descending, page| PageRequest { descending, page, limit: 2, ..PageRequest::default() };
        assert_eq!(request(false, 1).cut(vec!["c", "a", "b"], key), ["a", "b"]);
        assert_eq!(request(true, 2).cut(vec!["c", "a", "b"], key), ["a"]);
        assert!(request(false, 3).cut(vec!["c", "a", "b"], key).is_empty());
    }

    #[test]
    fn words_are_found_in_any_letter_case_and_each_must_be() {
        let words = SearchWords::parse("ВСЕ example");
        assert!(words.are_found_in(&["all@EXAMPLE.com", "Для всех"]));
        assert!(!words.are_found_in(&["all@example.com", "Никто"]));
        assert!(SearchWords::default().are_found_in(&[]));
    }

    #[test]
    fn words_are_found_in_every_form_of_their_letters() {
        for (word, text) in [
            ("семен", "Семён"),
            ("СЕМЁН", "семе\u{308}н"),
            ("сергеи\u{306}", "Сергей"),
            ("Сергей", "Сергеи\u{306}"),
            ("José", "jose\u{301}"),
            ("пример", "ivan@xn--e1afmkfd.xn--p1ai"),
            ("ivan@ПРИМЕР.р", "ivan@xn--e1afmkfd.xn--p1ai"),
            ("xn--e1af", "ivan@xn--e1afmkfd.xn--p1ai"),
            ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ] {
            assert!(SearchWords::parse(word).are_found_in(&[text]), "{word} in {text}");
        }
        assert!(!SearchWords::parse("примус").are_found_in(&["ivan@xn--e1afmkfd.xn--p1ai"]));
    }

    #[test]
    fn a_list_is_ordered_by_its_own_attributes_only() {
        assert_eq!(LISTING.order_by(&names::MAIL), Some(OrderBy::default()));
        let by_last_name = LISTING.order_by(&names::SN).unwrap();
        assert_eq!(by_last_name.attribute(), Some(&names::SN));
        assert_eq!(LISTING.order_by(&names::TITLE), None);
    }
}
