//! Declarations of parameters, and those that several endpoints take.

use super::kinds::{Shape, address_of_request, choice, line, number, switch, tenant_id, text};
use crate::orders::Orders;
use mail_model::list::{DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, MAX_SEARCH, MAX_SEARCH_WORDS};

/// A parameter of an endpoint.
pub struct Declared {
    pub(crate) name: &'static str,
    pub(super) about: String,
    pub(super) is_required: bool,
    pub(super) shape: Shape,
}

impl Declared {
    /// An optional parameter.
    pub(crate) fn optional(name: &'static str, about: impl Into<String>, shape: impl Into<Shape>) -> Self {
        Self { name, about: about.into(), is_required: false, shape: shape.into() }
    }

    /// A required parameter.
    pub(crate) fn required(name: &'static str, about: impl Into<String>, shape: impl Into<Shape>) -> Self {
        Self { is_required: true, ..Self::optional(name, about, shape) }
    }

    /// The same parameter, required or not.
    pub(crate) fn needed(self, is_required: bool) -> Self {
        Self { is_required, ..self }
    }

    /// The parameter as a property of a structure: its name, its schema and its description.
    pub(crate) fn into_property(self) -> (&'static str, Shape, String) {
        (self.name, self.shape, self.about)
    }
}

/// Appends parameters to a list.
pub(crate) trait And {
    fn and(self, more: impl IntoIterator<Item = Declared>) -> Self;
}

impl And for Vec<Declared> {
    fn and(mut self, more: impl IntoIterator<Item = Declared>) -> Self {
        self.extend(more);
        self
    }
}

/// The parameters of a page of a list.
pub(crate) fn page(orders: &Orders, searched: &str) -> Vec<Declared> {
    page_of(&orders.words(), searched)
}

/// The parameters of a page of a list with these orders.
pub(crate) fn page_of(orders: &[&str], searched: &str) -> Vec<Declared> {
    let words = format!(
        "At most {MAX_SEARCH_WORDS} words that must all occur in {searched}, in any letter case; every character is \
         literal."
    );
    vec![
        Declared::optional("search", words, line(MAX_SEARCH)),
        Declared::optional("page", "Number of the page.", number(1, MAX_PAGE, 1)),
        Declared::optional("limit", "Entries per page.", number(1, MAX_LIMIT, DEFAULT_LIMIT)),
        Declared::optional(
            "orderby",
            "The field that the list is ordered by, ignoring letter case.",
            choice(orders, orders.first().copied()),
        ),
        Declared::optional("sort", "0 ascending, 1 descending.", switch()),
    ]
}

/// Selects the deleted entries.
pub(crate) fn deleted(what: &str) -> [Declared; 1] {
    [Declared::optional("deleted", format!("1: the deleted {what} instead."), switch())]
}

/// The tenant, repeated, if the path names it.
pub(crate) fn in_path() -> Declared {
    Declared::optional("tenant-id", "Ignored: the path names the tenant.", text())
}

/// A new address.
pub(crate) fn new_address(name: &'static str, about: &str) -> Declared {
    Declared::optional(name, about, address_of_request())
}

/// The tenant, if it may be left out.
pub(crate) fn optional_tenant() -> Declared {
    Declared::optional("tenant-id", "The tenant; without it, everything.", tenant_id())
}

/// The tenant.
pub(crate) fn tenant_parameter() -> Declared {
    Declared::required("tenant-id", "The tenant.", tenant_id())
}

/// Switches to a dry run.
pub(crate) fn dry_run() -> Declared {
    Declared::optional(
        "dry-run",
        "1: nothing is written; the answer reports the changes that would be made.",
        switch(),
    )
}
