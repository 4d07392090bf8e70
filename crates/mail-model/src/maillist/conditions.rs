//! Conditions of a dynamic list: fields of a user that must have certain values, all of them.

use crate::{
    entry::EntryView,
    field::FieldErrors,
    names,
    user::{self, User, field::UserField},
};
use ldap_text::{dn::Dn, filter::Filter};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The parameter that holds conditions.
pub const FILTER_PARAMETER: &str = "filter";
/// Most conditions of a list: one for each field that is offered.
pub const MAX_CONDITIONS: usize = FIELDS.len();

/// The fields that a condition may be about. Each has an index (`schema/indexes.ldif`).
pub const FIELDS: &[UserField] =
    &[UserField::Department, UserField::Title, UserField::City, UserField::Language, UserField::Role];

/// What is not allowed to stand plainly in an LDAP URL (RFC 4516 section 2.1).
const NOT_IN_URL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`');

/// Conditions that must all hold; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions(Vec<(UserField, String)>);

impl Conditions {
    /// Reads texts of the form `field=value`.
    ///
    /// # Errors
    /// What is wrong with the first that is wrong, under the parameter `filter`.
    pub fn parse(texts: &[String]) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut conditions = Vec::new();
        for text in texts {
            match parse_one(text) {
                Ok(condition) if conditions.iter().any(|other| are_same(other, &condition)) => {}
                Ok(condition) => conditions.push(condition),
                Err(reason) => errors.add(FILTER_PARAMETER, &reason),
            }
        }
        if texts.is_empty() {
            errors.add(FILTER_PARAMETER, &"has no condition: expected field=value");
        }
        if conditions.len() > MAX_CONDITIONS {
            errors.add(FILTER_PARAMETER, &format!("has too many conditions: at most {MAX_CONDITIONS}"));
        }
        errors.none()?;
        Ok(Self(conditions))
    }

    /// Reads them from a list's entry; `None` where the list is not dynamic.
    #[must_use]
    pub fn of_entry(entry: &impl EntryView) -> Option<Self> {
        let read = |text: &String| parse_one(text).ok();
        let mut conditions: Vec<_> = entry.values(&names::LIST_FILTER).iter().filter_map(read).collect();
        conditions.sort_unstable();
        (!conditions.is_empty()).then_some(Self(conditions))
    }

    /// The conditions as texts, in the order of the fields.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let text = |(field, value): &(UserField, String)| format!("{}={value}", field.api_name());
        self.0.iter().map(text).collect()
    }

    /// The filter that finds the members among a tenant's users.
    #[must_use]
    pub fn filter(&self) -> Filter {
        let equal = |(field, value): &(UserField, String)| Filter::equal(field.attribute(), value.as_str());
        Filter::all(std::iter::once(user::live_filter()).chain(self.0.iter().map(equal)))
    }

    /// The same search for other readers (RFC 4516), below a tenant's folder of users.
    #[must_use]
    pub fn url(&self, users: &Dn) -> String {
        let (base, filter) = (users.to_string(), self.filter().to_string());
        let [base, filter] = [&base, &filter].map(|text| utf8_percent_encode(text, NOT_IN_URL).to_string());
        format!("ldap:///{base}?mail?sub?{filter}")
    }

    /// Whether a user meets them, by the rule of the directory: letter case and runs of blanks do not count.
    #[must_use]
    pub fn are_met_by(&self, user: &User) -> bool {
        self.0.iter().all(|(field, value)| user.values(*field).iter().any(|has| folded(has) == folded(value)))
    }
}

/// Whether two conditions say the same to the directory.
fn are_same((field, value): &(UserField, String), (other_field, other): &(UserField, String)) -> bool {
    field == other_field && folded(value) == folded(other)
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn parse_one(text: &str) -> Result<(UserField, String), String> {
    let offered = || FIELDS.iter().map(|field| field.api_name()).collect::<Vec<_>>().join(", ");
    let (name, value) = text.split_once('=').ok_or_else(|| {
        format!("has a condition that is none: expected field=value, with a field of {}", offered())
    })?;
    let field = FIELDS.iter().copied().find(|field| field.api_name() == name.trim());
    let field = field.ok_or_else(|| format!("has a condition about another field than {}", offered()))?;
    if value.is_empty() {
        return Err(format!("has a condition without a value for {}", field.api_name()));
    }
    let value = field.kind().parse(value).map_err(|error| format!("has a wrong value: {name} {error}"))?;
    Ok((field, value.first().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<Conditions, FieldErrors> {
        Conditions::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn conditions_become_a_filter_that_takes_their_values_literally() {
        let conditions = parse(&["ou=Sales, R&D (*)", "l=Москва", "ou=sales,  r&d (*)"]).unwrap();
        assert_eq!(conditions.texts(), ["ou=Sales, R&D (*)", "l=Москва"]);
        let filter = conditions.filter().to_string();
        assert!(filter.contains("(ou=Sales, R&D \\28\\2a\\29)(l=Москва)"), "{filter}");
        let url = conditions.url(&Dn::parse("ou=t,ou=People,dc=x").unwrap());
        assert!(url.is_ascii() && url.starts_with("ldap:///ou=t,ou=People,dc=x?mail?sub?(&"), "{url}");
    }

    #[test]
    fn a_condition_that_makes_no_sense_says_what_is_offered() {
        for wrong in ["sn=x", "userPassword=x", "ou", "=x", "objectClass=*"] {
            let errors = parse(&[wrong]).unwrap_err();
            let reason = &errors.by_parameter()[FILTER_PARAMETER];
            assert!(reason.contains("ou, title, l, lang, employeeNumber"), "{wrong}: {reason}");
        }
        for wrong in [&["ou="][..], &["ou=a\0b"], &["lang=de-DE"], &["employeeNumber=9"], &[]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
        let many: Vec<_> = (0..=MAX_CONDITIONS).map(|n| format!("ou={n}")).collect();
        assert!(Conditions::parse(&many).is_err());
    }
}
