//! Converts parameters to commands about users. Behind this file no raw text of a request exists.

use crate::{
    answer::Failure,
    document::{And, Declared, about_user, kinds},
    errors::ParameterErrors,
    names::{MAIL, PASSWORD, of_user},
    parameters::{ignore_tenant, once},
};
use mail_model::{
    address::MailAddress,
    field::{Field, FieldErrors, FieldValue},
    tenant::Tenant,
    user::{
        command::{FieldValues, NewUser, Password, UserPatch, parse_aliases},
        field::UserField,
        language::Language,
    },
};
use web::form::Parameters;

/// The parameters that a creation and a change share.
pub(super) fn parameters(is_creation: bool) -> Vec<Declared> {
    let about = "The password, of at most 512 bytes; the password policy of the directory may demand more.";
    let password = Declared::optional(PASSWORD, about, kinds::password()).needed(is_creation);
    let fields = UserField::ALL.into_iter().map(move |field| {
        let shape = kinds::of_request(field.kind(), !field.is_required());
        Declared::optional(of_user(field), about_user(field), shape)
            .needed(is_creation && field.is_required())
    });
    vec![password].and(fields)
}

/// A user to create. The path has the address and the tenant, and overrides the body. `language` is for users whose
/// tenant has none.
pub(crate) fn new_user(
    mail: &str,
    parameters: &mut Parameters,
    tenant: &Tenant,
    language: Language,
) -> Result<NewUser, Failure> {
    let Given { password, mut fields, errors, mut wrong } = given(parameters);
    let mail = wrong.address(Field::UserMail, mail);
    let language = tenant.default_language.unwrap_or(language);
    if let Ok(value) = UserField::Language.parse(language.as_str()) {
        fields.entry(UserField::Language).or_insert(value);
    }
    Ok(errors.and(NewUser::new(mail, password, fields, tenant, wrong))?)
}

/// Changes to a user; `mail` is its new address.
pub(crate) fn user_patch(
    mail: &MailAddress,
    parameters: &mut Parameters,
    tenant: &Tenant,
) -> Result<UserPatch, Failure> {
    let Given { password, fields, mut errors, mut wrong } = given(parameters);
    let new_mail = once(parameters, MAIL, &mut errors);
    let new_mail = new_mail.and_then(|text| wrong.address(Field::UserMail, &text));
    Ok(errors.and(UserPatch::new(mail, new_mail, password, fields, tenant, wrong))?)
}

/// The decoded parameters that a creation and a change share.
struct Given {
    password: Option<Password>,
    fields: FieldValues,
    /// The errors of the parameters.
    errors: ParameterErrors,
    /// The errors of the fields.
    wrong: FieldErrors,
}

fn given(parameters: &mut Parameters) -> Given {
    ignore_tenant(parameters);
    let (mut errors, mut wrong) = (ParameterErrors::default(), FieldErrors::default());
    let password = once(parameters, PASSWORD, &mut errors)
        .and_then(|text| wrong.keep(Field::UserPassword, Password::parse(&text)));
    let mut read = |field: UserField| -> Option<(UserField, FieldValue)> {
        let name = of_user(field);
        let value = if field.is_list() {
            parse_aliases(&parameters.take_list(name)?)
        } else {
            field.parse(&once(parameters, name, &mut errors)?)
        };
        Some((field, wrong.keep(Field::User(field), value)?))
    };
    let fields = UserField::ALL.into_iter().filter_map(&mut read).collect();
    Given { password, fields, errors, wrong }
}
