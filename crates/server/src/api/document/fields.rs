//! The fields of users and resources in words, and these things as answers show them.

use super::kinds::{Shape, address_of_answer, described, moment, of_answer, text};
use mail_model::{resource::field::ResourceField, user::field::UserField};
use utoipa::openapi::schema::ObjectBuilder;

/// What a field of a user is for.
pub(super) fn about_user(field: UserField) -> &'static str {
    match field {
        UserField::FirstName => "First name.",
        UserField::LastName => "Last name.",
        UserField::DisplayName => "Name in address books.",
        UserField::Role => {
            "Role: 1 administrator, 2 user, 3 super administrator (in the tenant `default` only)."
        }
        UserField::Visibility => {
            "Visibility in the address book: 0 suggestions, 1 and 3 suggestions and colleagues, 2 colleagues. \
             New users get 3."
        }
        UserField::Status => {
            "1 active, 0 blocked, 2 blocked since the agreement was not accepted. New users are active."
        }
        UserField::MiddleName => "Middle name.",
        UserField::Department => "Department.",
        UserField::Title => "Job title.",
        UserField::Aliases => {
            "Other addresses, of domains that the tenant serves; the whole list. Also taken as `a,b`, `[a,b]` or \
             `[\"a\",\"b\"]` in one value; an empty value removes them all."
        }
        UserField::Description => "About the user.",
        UserField::HomePhone => "Private phone number.",
        UserField::WorkPhone => "Phone number at work.",
        UserField::City => "City.",
        UserField::Telegram => "Name in Telegram.",
        UserField::Skype => "Name in Skype.",
        UserField::Quota => {
            "Size of the mailbox in megabytes of 1024 × 1024 bytes. New users get the tenant's."
        }
        UserField::Language => "Language of the user's interface. New users get the tenant's, or en-US.",
    }
}

/// What a field of a resource is for.
pub(super) fn about_resource(field: ResourceField) -> &'static str {
    match field {
        ResourceField::DisplayName => "Name in address books.",
        ResourceField::Description => "About the resource.",
        ResourceField::City => "City.",
        ResourceField::Visibility => {
            "Visibility in the address book: 0 suggestions, 1 suggestions and colleagues, 2 colleagues. New \
             resources get 1."
        }
    }
}

/// A user, as answers show it: what is not set is left out.
pub(super) fn user() -> ObjectBuilder {
    let object = ObjectBuilder::new()
        .description(Some("A user; fields that are not set are left out."))
        .property("mail", address_of_answer())
        .required("mail")
        .property("tenant-id", text())
        .required("tenant-id");
    UserField::ALL.into_iter().fold(object, |object, field| {
        object.property(field.api_name(), described(of_answer(field.kind()), about_user(field)))
    })
}

/// A deleted user.
pub(super) fn deleted_user() -> ObjectBuilder {
    user()
        .description(Some("A deleted user, which can be restored."))
        .property("deleted-since", moment("When it was deleted."))
        .required("deleted-since")
        .property("kept-until", moment("Until when it can be restored and keeps its addresses."))
        .required("kept-until")
}

/// A resource in a list.
pub(super) fn resource() -> ObjectBuilder {
    let object = ObjectBuilder::new()
        .description(Some("A resource; fields that are not set are left out."))
        .property("mail", address_of_answer())
        .required("mail");
    let object = ResourceField::ALL.into_iter().fold(object, |object, field| {
        object.property(field.api_name(), described(of_answer(field.kind()), about_resource(field)))
    });
    object.property("group", group_shape()).required("group")
}

fn group_shape() -> Shape {
    text().description(Some("The group that it stands in.")).into()
}

/// A resource on its own.
pub(super) fn one_resource() -> ObjectBuilder {
    resource().property("tenant-id", text()).required("tenant-id")
}
