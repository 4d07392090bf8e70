//! Parameters of requests for contacts.

use super::{
    DEFAULT_CHANGES, DEFAULT_SUGGESTIONS, EXPORT_VIEWS, KIND, MAX_SUGGESTIONS, ORDERS, files::FileFormat,
};
use crate::errors::ParameterErrors;
use crate::parameters::{number, once, search_text, switch};
use address_book::book::{ContactOrder, ContactsRequest};
use mail_model::{
    contact::{Kind, view::View},
    field::FieldError,
    list::{DEFAULT_LIMIT, MAX_LIMIT, MAX_PAGE, MAX_SEARCH},
};
use web::form::Parameters;

/// A page of contacts.
pub(super) struct ContactsPage {
    pub(super) contacts: ContactsRequest,
    /// The number of the page.
    pub(super) page: usize,
}

pub(super) fn contacts(parameters: &mut Parameters, errors: &mut ParameterErrors) -> ContactsPage {
    let page = number(parameters, "page", 1, MAX_PAGE, 1, errors);
    let limit = number(parameters, "limit", 1, MAX_LIMIT, DEFAULT_LIMIT, errors);
    let contacts = ContactsRequest {
        view: view(parameters, View::NAMES, errors),
        kinds: kinds(parameters, errors),
        search: search_text(parameters, errors),
        order: order(parameters, errors),
        descending: switch(parameters, "sort", errors),
        offset: (page - 1).saturating_mul(limit),
        limit,
    };
    ContactsPage { contacts, page }
}

/// A text that is being typed.
pub(super) struct Suggestions {
    pub(super) text: String,
    pub(super) limit: usize,
}

pub(super) fn suggestions(parameters: &mut Parameters, errors: &mut ParameterErrors) -> Suggestions {
    let text = once(parameters, "q", errors);
    if text.is_none() {
        errors.add("q", &FieldError::Required);
    }
    let text = text.unwrap_or_default();
    if text.chars().count() > MAX_SEARCH {
        errors.add("q", &FieldError::TooLong(MAX_SEARCH));
    }
    let limit = number(parameters, "limit", 1, MAX_SUGGESTIONS, DEFAULT_SUGGESTIONS, errors);
    Suggestions { text, limit }
}

/// A position in the feed of changes, and the number of changes to return.
pub(super) struct ChangesAfter {
    pub(super) since: Option<String>,
    pub(super) limit: usize,
}

pub(super) fn changes_after(parameters: &mut Parameters, errors: &mut ParameterErrors) -> ChangesAfter {
    let since = once(parameters, "since", errors).filter(|token| !token.is_empty());
    ChangesAfter { since, limit: number(parameters, "limit", 1, MAX_LIMIT, DEFAULT_CHANGES, errors) }
}

/// An export of contacts.
pub(super) struct ExportRequest {
    pub(super) format: FileFormat,
    pub(super) view: View,
    pub(super) kinds: Vec<Kind>,
}

pub(super) fn export(parameters: &mut Parameters, errors: &mut ParameterErrors) -> ExportRequest {
    let format = choice(parameters, "format", FileFormat::NAMES, FileFormat::parse, errors);
    ExportRequest {
        format: format.unwrap_or(FileFormat::Vcard),
        view: view(parameters, EXPORT_VIEWS, errors),
        kinds: kinds(parameters, errors),
    }
}

/// The parameter `view`; the first value is the default.
fn view(parameters: &mut Parameters, names: &'static [&'static str], errors: &mut ParameterErrors) -> View {
    let default = names.first().copied().and_then(View::parse).unwrap_or(View::All);
    choice(parameters, "view", names, View::parse, errors).unwrap_or(default)
}

fn order(parameters: &mut Parameters, errors: &mut ParameterErrors) -> ContactOrder {
    let parse = |text: &str| match text {
        "displayName" => Some(ContactOrder::DisplayName),
        "mail" => Some(ContactOrder::Mail),
        "sn" => Some(ContactOrder::LastName),
        _ => None,
    };
    choice(parameters, "orderby", ORDERS, parse, errors).unwrap_or_default()
}

/// The parameter `kind`: one or several kinds, sorted and without repeats; all kinds are the same as none.
fn kinds(parameters: &mut Parameters, errors: &mut ParameterErrors) -> Vec<Kind> {
    const NAMES: &[&str] = &["user", "contact", "list", "resource"];
    let texts = parameters.take_list(KIND).unwrap_or_default();
    let mut kinds: Vec<_> = texts.iter().filter_map(|text| Kind::parse(text)).collect();
    if texts.iter().any(|text| Kind::parse(text).is_none()) {
        errors.add(KIND, &FieldError::Choice(NAMES));
    }
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() == Kind::ALL.len() {
        kinds.clear();
    }
    kinds
}

/// A parameter with one of some values; `None` if it is absent or has another value.
fn choice<T>(
    parameters: &mut Parameters,
    name: &'static str,
    names: &'static [&'static str],
    parse: impl FnOnce(&str) -> Option<T>,
    errors: &mut ParameterErrors,
) -> Option<T> {
    let text = once(parameters, name, errors).filter(|text| !text.is_empty())?;
    let parsed = parse(&text);
    if parsed.is_none() {
        errors.add(name, &FieldError::Choice(names));
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;
    use web::form::Body;

    fn given(query: &str) -> (Parameters, ParameterErrors) {
        (Parameters::decode("", query, Body::Form(b"")).unwrap(), ParameterErrors::default())
    }

    #[test]
    fn a_page_has_its_defaults() {
        let (mut parameters, mut errors) = given("page=&kind=&view=");
        let ContactsPage { contacts, page } = contacts(&mut parameters, &mut errors);
        assert!(errors.none().is_ok());
        assert_eq!((page, contacts.offset, contacts.limit), (1, 0, 50));
        assert_eq!((contacts.view, contacts.order), (View::Colleagues, ContactOrder::DisplayName));
        assert!(contacts.kinds.is_empty() && contacts.search.is_empty() && !contacts.descending);
    }

    #[test]
    fn kinds_come_as_a_list_or_repeated_and_all_are_the_same_as_none() {
        let read = |query| {
            let (mut parameters, mut errors) = given(query);
            let kinds = kinds(&mut parameters, &mut errors);
            errors.none().is_ok().then_some(kinds)
        };
        let both = Some(vec![Kind::User, Kind::List]);
        assert_eq!(read("kind=list,user"), both);
        assert_eq!(read("kind=user&kind=list&kind=user"), both);
        assert_eq!(read("kind=user,contact,list,resource"), Some(vec![]));
        assert_eq!(read("kind=user,room"), None);
        assert_eq!(read("kind=User"), None);
    }

    #[test]
    fn what_is_wrong_is_named_at_once() {
        let (mut parameters, mut errors) =
            given("limit=0&page=-1&orderby=uid&view=x&sort=2&kind=x&search=a%00");
        let _page = contacts(&mut parameters, &mut errors);
        let names: Vec<_> = errors.into_reasons().map(|(name, _)| name).collect();
        assert_eq!(names, ["kind", "limit", "orderby", "page", "search", "sort", "view"]);
    }

    #[test]
    fn what_is_typed_is_required_and_may_be_empty() {
        let read = |query: &str| {
            let (mut parameters, mut errors) = given(query);
            let suggestions = suggestions(&mut parameters, &mut errors);
            errors.none().is_ok().then_some(suggestions.text)
        };
        assert_eq!(read(""), None);
        assert_eq!(read("q="), Some(String::new()));
        assert_eq!(read(&format!("q={}", "%D0%B9".repeat(256))).map(|text| text.len()), Some(512));
        assert_eq!(read(&format!("q={}", "a".repeat(257))), None);
        assert_eq!(read("q=a&limit=101"), None);
    }

    #[test]
    fn a_file_has_everybody_unless_asked_for_less() {
        let (mut parameters, mut errors) = given("format=csv");
        let request = export(&mut parameters, &mut errors);
        assert_eq!((request.format, request.view), (FileFormat::Csv, View::All));
        assert!(EXPORT_VIEWS.iter().all(|name| View::parse(name).is_some()));
    }
}
