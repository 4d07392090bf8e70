//! What the parameters of all requests have in common.

use super::endpoint::TENANT_PARAMETER;
use mail_model::{
    field::{FieldError, FieldErrors},
    list::{
        DEFAULT_LIMIT, Listing, MAX_LIMIT, MAX_PAGE, MAX_SEARCH, MAX_SEARCH_WORDS, OrderBy, PageRequest,
        SearchWords,
    },
};
use web::form::Parameters;

/// `tenant-id` is known, and what the path says.
pub(super) fn ignore_tenant(parameters: &mut Parameters) {
    let _in_the_path = parameters.take_list(TENANT_PARAMETER);
}

/// Takes a parameter that has one value.
pub(super) fn once(
    parameters: &mut Parameters,
    name: &'static str,
    errors: &mut FieldErrors,
) -> Option<String> {
    parameters.take(name).unwrap_or_else(|_| {
        errors.add(name, &"is given more than once");
        None
    })
}

/// A switch: 1 is on, 0 or nothing off.
pub(super) fn switch(parameters: &mut Parameters, name: &'static str, errors: &mut FieldErrors) -> bool {
    number(parameters, name, 0, 1, 0, errors) == 1
}

/// A page of a list, with the guide's defaults: the first, by the naming value, ascending.
pub(super) fn page(parameters: &mut Parameters, listing: &Listing, errors: &mut FieldErrors) -> PageRequest {
    let page = number(parameters, "page", 1, MAX_PAGE, 1, errors);
    let limit = number(parameters, "limit", 1, MAX_LIMIT, DEFAULT_LIMIT, errors);
    let sort = number(parameters, "sort", 0, 1, 0, errors);
    let order_by = match once(parameters, "orderby", errors).filter(|text| !text.is_empty()) {
        None => OrderBy::default(),
        Some(text) => listing.order(&text).unwrap_or_else(|| {
            errors.add("orderby", &FieldError::Choice(listing.orders));
            OrderBy::default()
        }),
    };
    PageRequest { search: search(parameters, errors), order_by, descending: sort == 1, page, limit }
}

fn search(parameters: &mut Parameters, errors: &mut FieldErrors) -> SearchWords {
    SearchWords::parse(&search_text(parameters, errors))
}

/// The parameter `search`.
pub(super) fn search_text(parameters: &mut Parameters, errors: &mut FieldErrors) -> String {
    let text = once(parameters, "search", errors).unwrap_or_default();
    if text.chars().any(char::is_control) {
        errors.add("search", &FieldError::Control);
    } else if text.chars().count() > MAX_SEARCH {
        errors.add("search", &FieldError::TooLong(MAX_SEARCH));
    } else if text.split_whitespace().count() > MAX_SEARCH_WORDS {
        errors.add("search", &format!("has too many words: at most {MAX_SEARCH_WORDS}"));
    }
    text
}

/// A whole number between two, or its default.
pub(super) fn number(
    parameters: &mut Parameters,
    name: &'static str,
    least: usize,
    most: usize,
    default: usize,
    errors: &mut FieldErrors,
) -> usize {
    let Some(text) = once(parameters, name, errors).filter(|text| !text.is_empty()) else { return default };
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => number,
        _ => {
            errors.add(name, &format!("must be a whole number from {least} to {most}"));
            default
        }
    }
}
