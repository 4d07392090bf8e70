//! The names of fields in requests and answers (guide, tables 1 and 2, and sections 3.12 and 3.13).

use mail_model::{
    field::{Field, ListField},
    resource::field::ResourceField,
    user::field::UserField,
};

/// The address of a user, list or resource.
pub(crate) const MAIL: &str = "mail";
/// The password of a user.
pub(crate) const PASSWORD: &str = "userPassword";

/// The name of a field of a user.
pub(crate) const fn of_user(field: UserField) -> &'static str {
    match field {
        UserField::FirstName => "cn",
        UserField::LastName => "sn",
        UserField::DisplayName => "displayName",
        UserField::Role => "employeeNumber",
        UserField::Visibility => "employeeType",
        UserField::Status => "inetUserStatus",
        UserField::MiddleName => "initials",
        UserField::Department => "ou",
        UserField::Title => "title",
        UserField::Aliases => "alias",
        UserField::Description => "description",
        UserField::HomePhone => "homePhone",
        UserField::WorkPhone => "telephoneNumber",
        UserField::MobilePhone => "mobile",
        UserField::City => "l",
        UserField::Telegram => "telegram",
        UserField::Skype => "skype",
        UserField::Quota => "quota",
        UserField::Language => "lang",
    }
}

/// The name of a field of a resource.
pub(crate) const fn of_resource(field: ResourceField) -> &'static str {
    match field {
        ResourceField::DisplayName => "displayName",
        ResourceField::Description => "description",
        ResourceField::City => "l",
        ResourceField::Visibility => "employeeType",
    }
}

/// The name of a field of a mailing list.
pub(crate) const fn of_list(field: ListField) -> &'static str {
    match field {
        ListField::Mail => MAIL,
        ListField::NewMail => "newmail",
        ListField::DisplayName => "displayName",
        ListField::Added => "alias",
        ListField::Removed => "remove",
        ListField::Members => "members",
        ListField::Conditions => "filter",
    }
}

/// The name of a field of a command.
pub(crate) const fn of(field: Field) -> &'static str {
    match field {
        Field::User(field) => of_user(field),
        Field::UserMail | Field::ResourceMail => MAIL,
        Field::UserPassword => PASSWORD,
        Field::List(field) => of_list(field),
        Field::Resource(field) => of_resource(field),
        Field::Domain => "domain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_fields_of_users_have_one_name() {
        let mut names: Vec<_> = UserField::ALL.into_iter().map(of_user).chain([MAIL, PASSWORD]).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }
}
