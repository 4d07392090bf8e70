//! Pages of lists in answers: one shape for all lists.

use address_book::book::{Found, Items};
use directory::lists::Page;
use mail_model::list::PageRequest;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A page of a list, its entries under the list's own name.
pub(super) struct Listed<T> {
    name: &'static str,
    page: Page<T>,
    number: usize,
    limit: usize,
}

impl<T> Listed<T> {
    /// The requested page.
    pub(super) fn new(name: &'static str, page: Page<T>, request: &PageRequest) -> Self {
        Self { name, page, number: request.page, limit: request.limit }
    }
}

impl<T: Serialize> Serialize for Listed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry(self.name, &self.page.items)?;
        map.serialize_entry("count", &self.page.count)?;
        map.serialize_entry("page", &self.number)?;
        map.serialize_entry("pages", &self.page.count.div_ceil(self.limit))?;
        map.serialize_entry("per_page", &self.limit)?;
        map.end()
    }
}

/// A page whose entries are JSON already.
pub(super) fn write_page(name: &str, found: &Found, number: usize, limit: usize) -> Vec<u8> {
    let pages = found.count.div_ceil(limit);
    let before = format!(r#"{{"{name}":["#);
    let after = format!(r#"],"count":{},"page":{number},"pages":{pages},"per_page":{limit}}}"#, found.count);
    let length = found.items.size() + found.items.len();
    let mut json = Vec::with_capacity(before.len() + length + after.len());
    json.extend_from_slice(before.as_bytes());
    write_items(&mut json, &found.items);
    json.extend_from_slice(after.as_bytes());
    json
}

/// The entries of a JSON array.
pub(super) fn write_items(json: &mut Vec<u8>, items: &Items) {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            json.push(b',');
        }
        json.extend_from_slice(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_are_json_already_make_the_same_page() {
        for (items, count) in [(vec![], 0), (vec!["a"], 1), (vec!["a", "б"], 103)] {
            let request = PageRequest { page: 2, ..PageRequest::default() };
            let found =
                Found { items: items.iter().map(|item| serde_json::to_vec(item).unwrap()).collect(), count };
            let page = Listed::new("things", Page { items, count }, &request);
            assert_eq!(write_page("things", &found, 2, request.limit), serde_json::to_vec(&page).unwrap());
        }
    }
}
