//! Parameters to commands about users. Past this file no raw text of a request exists.

use crate::{
    answer::Failure,
    document::{And, Declared, about_user, kinds},
    parameters::{ignore_tenant, once},
};
use mail_model::{
    address::MailAddress,
    field::{FieldErrors, FieldValue},
    tenant::Tenant,
    user::{
        command::{
            FieldValues, MAIL_PARAMETER, NewUser, PASSWORD_PARAMETER, Password, UserPatch, parse_aliases,
        },
        field::UserField,
    },
};
use web::form::Parameters;

/// The parameters that a creation and a change have in common.
pub(super) fn parameters(is_creation: bool) -> Vec<Declared> {
    let about = "The password, of at most 512 bytes; the password policy of the directory may ask for more.";
    let password = Declared::optional(PASSWORD_PARAMETER, about, kinds::password()).needed(is_creation);
    let fields = UserField::ALL.into_iter().map(move |field| {
        let shape = kinds::of_request(field.kind(), !field.is_required());
        Declared::optional(field.api_name(), about_user(field), shape)
            .needed(is_creation && field.is_required())
    });
    vec![password].and(fields)
}

/// A user to be made. The path has its address and tenant, and wins over the body.
pub(crate) fn new_user(mail: &str, parameters: &mut Parameters, tenant: &Tenant) -> Result<NewUser, Failure> {
    let mut errors = FieldErrors::default();
    ignore_tenant(parameters);
    let mail = errors.address(MAIL_PARAMETER, mail);
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
    let new_mail = new_mail.and_then(|text| errors.address(MAIL_PARAMETER, &text));
    let password = password(parameters, &mut errors);
    let fields = fields(parameters, &mut errors);
    Ok(UserPatch::new(mail, new_mail, password, fields, tenant, errors)?)
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
