//! Parameters to commands. Past this file no raw text of a request exists.

use crate::http::{answer::Failure, form::Parameters};
use mail_model::{
    address::{AddressError, MailAddress},
    tenant::Tenant,
    user::{
        command::{
            FieldErrors, FieldValues, MAIL_PARAMETER, NewUser, PASSWORD_PARAMETER, Password, UserPatch,
            parse_aliases,
        },
        field::{FieldError, FieldValue, UserField},
        list::{DEFAULT_LIMIT, MAX_LIMIT, MAX_SEARCH, MAX_SEARCH_WORDS, OrderBy, PageRequest, SearchWords},
    },
};

/// What a list is asked for.
pub(super) struct List {
    /// The page.
    pub(super) request: PageRequest,
    /// Whether the deleted users are asked for.
    pub(super) deleted: bool,
}

/// A user to be made. The path has its address and tenant, and wins over the body.
pub(crate) fn new_user(mail: &str, parameters: &mut Parameters, tenant: &Tenant) -> Result<NewUser, Failure> {
    let mut errors = FieldErrors::default();
    ignore_tenant(parameters);
    let mail = errors.keep_address(MAIL_PARAMETER, MailAddress::parse(mail));
    let password = password(parameters, &mut errors);
    let fields = fields(parameters, &mut errors);
    Ok(NewUser::new(mail, password, fields, tenant, errors)?)
}

/// Changes to a user; `mail` is its new address.
pub(crate) fn user_patch(
    mail: &MailAddress,
    parameters: &mut Parameters,
    tenant: &Tenant,
) -> Result<UserPatch, Failure> {
    let mut errors = FieldErrors::default();
    ignore_tenant(parameters);
    let new_mail = once(parameters, MAIL_PARAMETER, &mut errors);
    let new_mail = new_mail.and_then(|text| errors.keep_address(MAIL_PARAMETER, MailAddress::parse(&text)));
    let password = password(parameters, &mut errors);
    let fields = fields(parameters, &mut errors);
    Ok(UserPatch::new(mail, new_mail, password, fields, tenant, errors)?)
}

/// `tenant-id` is known, and what the path says.
fn ignore_tenant(parameters: &mut Parameters) {
    let _in_the_path = parameters.take_list("tenant-id");
}

fn once(parameters: &mut Parameters, name: &'static str, errors: &mut FieldErrors) -> Option<String> {
    parameters.take(name).unwrap_or_else(|_| {
        errors.add(name, &"is given more than once");
        None
    })
}

fn password(parameters: &mut Parameters, errors: &mut FieldErrors) -> Option<Password> {
    let text = once(parameters, PASSWORD_PARAMETER, errors)?;
    errors.keep(PASSWORD_PARAMETER, Password::parse(&text))
}

fn fields(parameters: &mut Parameters, errors: &mut FieldErrors) -> FieldValues {
    let mut read = |field: UserField| -> Option<(UserField, FieldValue)> {
        let name = field.api_name();
        let value = if field.is_list() {
            parse_aliases(&parameters.take_list(name)?)
        } else {
            field.parse(&once(parameters, name, errors)?)
        };
        Some((field, errors.keep(name, value)?))
    };
    UserField::ALL.into_iter().filter_map(&mut read).collect()
}

/// A page of a list, with the guide's defaults: the first, by mail, ascending.
pub(super) fn list(parameters: &mut Parameters) -> Result<List, Failure> {
    let mut errors = FieldErrors::default();
    let page = number(parameters, "page", 1, usize::MAX / MAX_LIMIT, 1, &mut errors);
    let limit = number(parameters, "limit", 1, MAX_LIMIT, DEFAULT_LIMIT, &mut errors);
    let sort = number(parameters, "sort", 0, 1, 0, &mut errors);
    let deleted = number(parameters, "deleted", 0, 1, 0, &mut errors);
    let order_by = match once(parameters, "orderby", &mut errors).filter(|text| !text.is_empty()) {
        None => OrderBy::default(),
        Some(text) => OrderBy::parse(&text).unwrap_or_else(|| {
            errors.add("orderby", &FieldError::Choice(OrderBy::VALUES));
            OrderBy::default()
        }),
    };
    let search = search(parameters, &mut errors);
    errors.none()?;
    Ok(List {
        request: PageRequest { search, order_by, descending: sort == 1, page, limit },
        deleted: deleted == 1,
    })
}

fn search(parameters: &mut Parameters, errors: &mut FieldErrors) -> SearchWords {
    let text = once(parameters, "search", errors).unwrap_or_default();
    if text.chars().any(char::is_control) {
        errors.add("search", &FieldError::Control);
    } else if text.chars().count() > MAX_SEARCH {
        errors.add("search", &FieldError::TooLong(MAX_SEARCH));
    } else if text.split_whitespace().count() > MAX_SEARCH_WORDS {
        errors.add("search", &format!("has too many words: at most {MAX_SEARCH_WORDS}"));
    }
    SearchWords::parse(&text)
}

fn number(
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

/// Keeps an address, or notes why it is none.
trait KeepAddress {
    fn keep_address(
        &mut self,
        name: &'static str,
        address: Result<MailAddress, AddressError>,
    ) -> Option<MailAddress>;
}

impl KeepAddress for FieldErrors {
    fn keep_address(
        &mut self,
        name: &'static str,
        address: Result<MailAddress, AddressError>,
    ) -> Option<MailAddress> {
        address.map_err(|error| self.add(name, &error)).ok()
    }
}
