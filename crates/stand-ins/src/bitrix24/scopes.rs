//! What the rights of a webhook let it see.

use super::company::Person;
use serde_json::Value;

/// The fields that `user_brief` shows, of those that people here have.
const BRIEF: [&str; 16] = [
    "ID",
    "XML_ID",
    "ACTIVE",
    "NAME",
    "LAST_NAME",
    "SECOND_NAME",
    "IS_ONLINE",
    "PERSONAL_PHOTO",
    "TIMESTAMP_X",
    "PERSONAL_GENDER",
    "PERSONAL_CITY",
    "WORK_POSITION",
    "WORK_CITY",
    "UF_DEPARTMENT",
    "UF_PHONE_INNER",
    "USER_TYPE",
];
/// The fields that `user_basic` does not show.
const NOT_BASIC: [&str; 3] = ["PERSONAL_ICQ", "PERSONAL_WWW", "LAST_LOGIN"];

/// The rights of a webhook, such as `user` and `department`.
#[derive(Clone, Debug)]
pub(super) struct Scopes(pub(super) Vec<String>);

impl Scopes {
    pub(super) fn has(&self, scope: &str) -> bool {
        self.0.iter().any(|own| own == scope)
    }

    /// Whether people can be read at all.
    pub(super) fn has_people(&self) -> bool {
        ["user", "user_basic", "user_brief"].into_iter().any(|scope| self.has(scope))
    }

    /// A person as this webhook sees them.
    pub(super) fn seen(&self, person: &Person) -> Value {
        let is_seen = |field: &str| {
            self.has("user")
                || (self.has("user_basic") && !NOT_BASIC.contains(&field))
                || (self.has("user_brief") && BRIEF.contains(&field))
        };
        let fields = person.iter().filter(|(field, _)| is_seen(field));
        Value::Object(fields.map(|(field, value)| (field.clone(), value.clone())).collect())
    }
}
