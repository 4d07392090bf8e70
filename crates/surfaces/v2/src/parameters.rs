//! Parameters that many requests share.

use crate::{answer::Failure, endpoint::TENANT_PARAMETER, errors::ParameterErrors, orders::Orders};
use mail_model::{
    field::FieldError,
    list::{
        DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, MAX_SEARCH, MAX_SEARCH_WORDS, OrderBy, PageRequest, SearchWords,
    },
};
use web::form::Parameters;

/// Takes `tenant-id`, which is known but not used: the path names the tenant.
pub(super) fn ignore_tenant(parameters: &mut Parameters) {
    let _in_the_path = parameters.take_list(TENANT_PARAMETER);
}

/// Takes a parameter with a single value.
pub(super) fn once(
    parameters: &mut Parameters,
    name: &'static str,
    errors: &mut ParameterErrors,
) -> Option<String> {
    parameters.take(name).unwrap_or_else(|_| {
        errors.add(name, &"is given more than once");
        None
    })
}

/// A switch: 1 is on, 0 or nothing off.
pub(super) fn switch(parameters: &mut Parameters, name: &'static str, errors: &mut ParameterErrors) -> bool {
    number(parameters, name, 0, 1, 0, errors) == 1
}

/// The page of a list. The guide's defaults: the first page, ascending by the name of the entries.
pub(super) fn page(
    parameters: &mut Parameters,
    orders: &Orders,
    errors: &mut ParameterErrors,
) -> PageRequest {
    let page = number(parameters, "page", 1, MAX_PAGE, 1, errors);
    let limit = number(parameters, "limit", 1, MAX_LIMIT, DEFAULT_LIMIT, errors);
    let sort = number(parameters, "sort", 0, 1, 0, errors);
    let order_by = match once(parameters, "orderby", errors).filter(|text| !text.is_empty()) {
        None => OrderBy::default(),
        Some(text) => orders.parse(&text).unwrap_or_else(|| {
            errors.add("orderby", &format!("must be one of {}", orders.words().join(", ")));
            OrderBy::default()
        }),
    };
    PageRequest { search: search(parameters, errors), order_by, descending: sort == 1, page, limit }
}

/// The page of a list without further parameters.
pub(super) fn page_alone(parameters: &mut Parameters, orders: &Orders) -> Result<PageRequest, Failure> {
    let mut errors = ParameterErrors::default();
    let page = page(parameters, orders, &mut errors);
    errors.none()?;
    Ok(page)
}

fn search(parameters: &mut Parameters, errors: &mut ParameterErrors) -> SearchWords {
    SearchWords::parse(&search_text(parameters, errors))
}

/// The parameter `search`.
pub(super) fn search_text(parameters: &mut Parameters, errors: &mut ParameterErrors) -> String {
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

/// A whole number from `least` to `most`, or its default.
pub(super) fn number(
    parameters: &mut Parameters,
    name: &'static str,
    least: usize,
    most: usize,
    default: usize,
    errors: &mut ParameterErrors,
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
