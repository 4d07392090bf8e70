//! Descriptions of the fields of users, resources and contacts, and the schemas of these in answers.

use super::kinds::{Shape, address_of_answer, choice, described, list, moment, of_answer, text, uuid};
use crate::names;
use mail_model::{contact, resource::field::ResourceField, user::field::UserField};
use utoipa::openapi::schema::ObjectBuilder;

/// The description of a field of a user.
pub(crate) fn about_user(field: UserField) -> &'static str {
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
            "1 active, 0 blocked, 2 blocked because the agreement was not accepted. New users are active."
        }
        UserField::MiddleName => "Middle name.",
        UserField::Department => "Department.",
        UserField::Title => "Job title.",
        UserField::Aliases => {
            "Other addresses, in domains of the tenant; the whole list. Also accepted as `a,b`, `[a,b]` or \
             `[\"a\",\"b\"]` in one value; an empty value removes them all."
        }
        UserField::Description => "About the user.",
        UserField::HomePhone => "Private phone number.",
        UserField::WorkPhone => "Phone number at work.",
        UserField::MobilePhone => "Mobile phone number.",
        UserField::City => "City.",
        UserField::Telegram => "Name in Telegram.",
        UserField::Skype => "Name in Skype.",
        UserField::Quota => {
            "Size of the mailbox in megabytes of 1024 × 1024 bytes. The default is the tenant's."
        }
        UserField::Language => "Language of the user's interface. The default is the tenant's, or en-US.",
    }
}

/// The description of a field of a resource.
pub(crate) fn about_resource(field: ResourceField) -> &'static str {
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

/// A user in answers. Fields without a value are left out.
pub(super) fn user() -> ObjectBuilder {
    let object = ObjectBuilder::new()
        .description(Some("A user; fields without a value are left out."))
        .property("mail", address_of_answer())
        .required("mail")
        .property("tenant-id", text())
        .required("tenant-id");
    UserField::ALL.into_iter().fold(object, |object, field| {
        object.property(names::of_user(field), described(of_answer(field.kind()), about_user(field)))
    })
}

/// A deleted user.
pub(super) fn deleted_user() -> ObjectBuilder {
    user()
        .description(Some("A deleted user, which can be undeleted."))
        .property("deleted-since", moment("When it was deleted."))
        .required("deleted-since")
        .property("kept-until", moment("Until then it can be undeleted and keeps its addresses."))
        .required("kept-until")
}

/// A resource in a list.
pub(super) fn resource() -> ObjectBuilder {
    let object = ObjectBuilder::new()
        .description(Some("A resource; fields without a value are left out."))
        .property("mail", address_of_answer())
        .required("mail");
    let object = ResourceField::ALL.into_iter().fold(object, |object, field| {
        object.property(names::of_resource(field), described(of_answer(field.kind()), about_resource(field)))
    });
    object.property("group", group_shape()).required("group")
}

fn group_shape() -> Shape {
    text().description(Some("The group of the resource.")).into()
}

/// A single resource.
pub(super) fn one_resource() -> ObjectBuilder {
    resource().property("tenant-id", text()).required("tenant-id")
}

/// A contact.
pub(super) fn contact() -> ObjectBuilder {
    const ABOUT: &[(&str, &str)] = &[
        ("displayName", "The displayed name."),
        ("cn", "First name."),
        ("sn", "Last name."),
        ("initials", "Middle name."),
        ("ou", "Department."),
        ("title", "Job title."),
        ("description", "A description."),
        ("homePhone", "Private phone number."),
        ("telephoneNumber", "Phone number at work."),
        ("mobile", "Mobile phone number."),
        ("l", "City."),
        ("telegram", "Name in Telegram."),
        ("skype", "Name in Skype."),
        ("group", "The group of a resource."),
    ];
    let kinds: Vec<_> = contact::Kind::ALL.iter().map(|kind| kind.name()).collect();
    let alias = list(text(), None);
    let object = ObjectBuilder::new()
        .description(Some(
            "A user, mailing list, resource or outside contact with an address; fields without a value are left out.",
        ))
        .property("id", uuid("The identifier, which stays the same when the address changes."))
        .property("kind", choice(&kinds, None))
        .property("mail", address_of_answer())
        .property("alias", described(alias, "Other addresses."));
    let object = ABOUT
        .iter()
        .fold(object, |object, (name, about)| object.property(*name, text().description(Some(*about))));
    ["id", "kind", "mail", "displayName"].into_iter().fold(object, ObjectBuilder::required)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact_json;

    #[test]
    fn the_contact_of_the_document_has_the_fields_of_contacts() {
        let of_code = contact_json::write(&contact_json::sample::with_all_fields()).unwrap();
        let names =
            |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let of_code = names(&serde_json::from_slice(&of_code).unwrap());
        let of_document = serde_json::to_value(contact().build()).unwrap();
        let mut of_document = names(&of_document["properties"]);
        of_document.sort_unstable();
        assert_eq!(of_document, of_code);
    }
}
