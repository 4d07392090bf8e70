//! Lists as answers show them: one shape for all.

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
    /// The page that was asked for.
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
