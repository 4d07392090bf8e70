//! Lists of entries: the search and the order of each kind of list.

use crate::{
    entry::EntryView,
    folding::{fold, fold_in_own_letters},
};
use ldap_text::attribute::AttributeName;

/// The most words of a search: each word is searched in all texts of an entry.
pub const MAX_SEARCH_WORDS: usize = 8;
/// The longest search text, in characters: a full name and an address.
pub const MAX_SEARCH: usize = 256;
/// The default number of entries per page.
pub const DEFAULT_LIMIT: usize = 50;
/// The highest page number: no directory has more entries, even with one entry per page.
pub const MAX_PAGE: usize = 1_000_000_000;
/// The most entries per page.
pub const MAX_LIMIT: usize = 1000;

/// A kind of list: the name, the search and the order of its entries.
#[derive(Debug)]
pub struct Listing {
    /// The attribute that names the entries; it breaks ties, so every order is total.
    pub naming: AttributeName,
    /// The attributes that are searched.
    pub searched: &'static [AttributeName],
    /// The attributes of the orders, besides the naming attribute, which is the default.
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

    /// Whether each word of a search occurs in some searched value.
    ///
    /// This is not left to the server, which knows neither the forms of a letter (ё and е, composed or not) nor the
    /// letters that an A-label stands for. Each page reads all sort keys of a list anyway.
    #[must_use]
    pub fn has_words(&self, entry: &impl EntryView, words: &SearchWords) -> bool {
        let values = self.searched.iter().flat_map(|attribute| entry.values(attribute));
        words.is_empty() || words.are_found_in(&values.map(String::as_str).collect::<Vec<_>>())
    }
}

/// The order of a list; by default that of the naming attribute.
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
    /// The order.
    pub order_by: OrderBy,
    /// Whether the order is reversed.
    pub descending: bool,
    /// The number of the page, from 1.
    pub page: usize,
    /// Entries per page, 1 to [`MAX_LIMIT`].
    pub limit: usize,
}

impl PageRequest {
    /// The number of entries before the page.
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

/// The words of a search, folded; no words match every entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchWords(Vec<String>);

impl SearchWords {
    /// Splits a text at blanks. All other characters are literal.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(fold(text).split_whitespace().take(MAX_SEARCH_WORDS).map(str::to_owned).collect())
    }

    /// The words, folded.
    pub fn folded(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there are no words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether each word occurs in one of the texts, both folded; an address with A-labels is searched in its own
    /// script too.
    #[must_use]
    pub fn are_found_in(&self, texts: &[&str]) -> bool {
        let forms = |text: &&str| [Some(fold(text)), fold_in_own_letters(text)];
        let texts: Vec<_> = texts.iter().flat_map(forms).flatten().collect();
        self.folded().all(|word| texts.iter().any(|text| text.contains(word)))
    }
}

/// The sort key of an entry: the folded value of the order, then the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey {
    folded: String,
    name: String,
}

impl SortKey {
    /// The key of an entry, from its value of the order's attribute: `None` if the order is by name, empty if the entry
    /// has no value.
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
