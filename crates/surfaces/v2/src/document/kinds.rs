//! Schemas of values in requests and answers. Limits and choices come from the code that checks them. Other programs
//! may have written entries of the directory, so the schemas of answers contain no limits.

use mail_model::{
    address::{MAX_ADDRESS, MAX_DOMAIN},
    field::{Kind, MAX_ALIASES, MAX_DESCRIPTION, MAX_PHONE, MAX_TEXT},
    resource::group::MAX_GROUP_NAME,
    tenant::MAX_TENANT_ID,
    user::{command::MAX_PASSWORD, quota::MAX_QUOTA_MB},
};
use serde_json::Value;
use utoipa::openapi::{
    RefOr, Schema,
    schema::{ArrayBuilder, ObjectBuilder, SchemaFormat, SchemaType, Type},
};

/// A schema, or a reference to one.
pub(crate) type Shape = RefOr<Schema>;

/// Text without control characters; may be empty.
const LINE: &str = r"^[^\x00-\x1F\x7F-\x9F]*$";
/// Text without control characters except line breaks and tabs; may be empty.
const LINES: &str = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]*$";
/// A phone number, or nothing. Invisible characters around it are removed.
const PHONE: &str = r"^[\u00A0\u00AD\u061C\u1680\u180E\u2000-\u200F\u2028-\u202F\u205F-\u206F\u3000\uFEFF]*([0-9 +().,/:-]*[0-9][0-9 +().,/:-]*)?[\u00A0\u00AD\u061C\u1680\u180E\u2000-\u200F\u2028-\u202F\u205F-\u206F\u3000\uFEFF]*$";
/// A name without blanks or other invisible characters at its ends.
const GROUP_NAME: &str = r"^[^\s\x00-\x1F\x7F-\x9F\u00AD\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF]([^\x00-\x1F\x7F-\x9F]*[^\s\x00-\x1F\x7F-\x9F\u00AD\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF])?$";
const TENANT_ID: &str = "^[A-Za-z0-9][A-Za-z0-9._-]*$";

pub(crate) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

pub(crate) fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}

fn of_format(name: &str) -> ObjectBuilder {
    text().format(Some(SchemaFormat::Custom(name.to_owned())))
}

/// The schema of a field in a request. A field that can be cleared accepts an empty value.
pub(crate) fn of_request(kind: Kind, can_be_cleared: bool) -> Shape {
    let least = (!can_be_cleared).then_some(1);
    let line = |pattern, most| text().pattern(Some(pattern)).min_length(least).max_length(Some(most)).into();
    match kind {
        Kind::Line | Kind::Name => line(LINE, MAX_TEXT),
        Kind::Lines => line(LINES, MAX_DESCRIPTION),
        Kind::Phone => line(PHONE, MAX_PHONE),
        Kind::Number(allowed) => {
            let numbers = allowed.iter().filter_map(|number| number.parse::<u64>().ok());
            integer().enum_values(Some(numbers.map(Value::from))).into()
        }
        Kind::Choice(allowed) => choice(allowed, None),
        Kind::Megabytes => {
            let of = if can_be_cleared { or_null(Type::Integer) } else { Type::Integer.into() };
            integer().schema_type(of).minimum(Some(0_u64)).maximum(Some(MAX_QUOTA_MB)).into()
        }
        Kind::Addresses => list(address_of_request(), Some(MAX_ALIASES)),
    }
}

/// The schema of a field in an answer.
pub(crate) fn of_answer(kind: Kind) -> Shape {
    match kind {
        Kind::Line | Kind::Name | Kind::Lines | Kind::Phone | Kind::Choice(_) => text().into(),
        Kind::Number(_) | Kind::Megabytes => integer().minimum(Some(0_u64)).into(),
        Kind::Addresses => ArrayBuilder::new().items(text()).into(),
    }
}

/// A schema with a description.
pub(crate) fn described(mut shape: Shape, about: &str) -> Shape {
    match &mut shape {
        RefOr::T(Schema::Object(object)) => object.description = Some(about.to_owned()),
        RefOr::T(Schema::Array(array)) => array.description = Some(about.to_owned()),
        _ => {}
    }
    shape
}

fn or_null(of: Type) -> SchemaType {
    SchemaType::from_iter([of, Type::Null])
}

/// One of some strings.
pub(crate) fn choice(allowed: &[&str], default: Option<&str>) -> Shape {
    let values = allowed.iter().map(|word| Value::from(*word));
    text().enum_values(Some(values)).default(default.map(Value::from)).into()
}

/// A switch, 0 or 1.
pub(crate) fn switch() -> Shape {
    integer().enum_values(Some([0, 1])).default(Some(0.into())).into()
}

/// A whole number in a range.
pub(crate) fn number(least: usize, most: usize, default: usize) -> Shape {
    integer().minimum(Some(least)).maximum(Some(most)).default(Some(default.into())).into()
}

/// Several values of one kind.
pub(crate) fn list(of: impl Into<Shape>, most: Option<usize>) -> Shape {
    ArrayBuilder::new().items(of.into()).max_items(most).into()
}

/// An address. Its domain may be written in its own script; no JSON schema format has such a domain with an ASCII local
/// part.
pub(crate) fn address_of_request() -> Shape {
    of_format("email").max_length(Some(MAX_ADDRESS)).into()
}

/// An address as it is stored.
pub(crate) fn address_of_answer() -> Shape {
    of_format("email").into()
}

/// A domain, in any script.
pub(crate) fn domain() -> Shape {
    of_format("idn-hostname").max_length(Some(MAX_DOMAIN)).into()
}

/// An identifier.
pub(crate) fn uuid(about: &str) -> Shape {
    of_format("uuid").description(Some(about)).into()
}

/// A time.
pub(crate) fn moment(about: &str) -> Shape {
    of_format("date-time").description(Some(about)).into()
}

/// A password to set or to log in with. Its limit is in bytes; a schema can limit characters only.
pub(crate) fn password() -> Shape {
    of_format("password").pattern(Some(LINE)).min_length(Some(1)).max_length(Some(MAX_PASSWORD)).into()
}

/// A tenant's id.
pub(crate) fn tenant_id() -> Shape {
    text().pattern(Some(TENANT_ID)).max_length(Some(MAX_TENANT_ID)).into()
}

/// A resource group's name.
pub(crate) fn group_name() -> Shape {
    text().pattern(Some(GROUP_NAME)).max_length(Some(MAX_GROUP_NAME)).into()
}

/// A line of text of limited length.
pub(crate) fn line(most: usize) -> Shape {
    text().pattern(Some(LINE)).max_length(Some(most)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_model::resource::group::GroupName;
    use proptest::prelude::*;
    use regex::Regex;
    use visible_text::is_blank;

    fn fits(pattern: &str, text: &str) -> bool {
        Regex::new(pattern).unwrap().is_match(text)
    }

    proptest! {
        #[test]
        fn patterns_say_what_the_code_takes(text in "[\u{a0}\u{200b}]?[a-c0-9 +()./:я\\-\n\t\x01\u{85}]{1,12}[\u{feff}\u{3000}]?") {
            let is_blank = is_blank(&text);
            prop_assert_eq!(fits(LINE, &text) && !is_blank, Kind::Line.parse(&text).is_ok());
            prop_assert_eq!(fits(LINES, &text) && !is_blank, Kind::Lines.parse(&text).is_ok());
            prop_assert_eq!(fits(PHONE, &text), Kind::Phone.parse(&text).is_ok());
            let has_odd_blanks = text.contains("  ");
            prop_assert_eq!(fits(GROUP_NAME, &text) && !has_odd_blanks, GroupName::parse(&text).is_ok());
        }

        #[test]
        fn the_pattern_of_tenants_says_what_the_code_takes(text in "[a-bA-B0-1._ /я\n-]{0,5}") {
            prop_assert_eq!(fits(TENANT_ID, &text), mail_model::tenant::TenantId::parse(&text).is_ok());
        }
    }
}
