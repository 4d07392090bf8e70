//! Conditions of a dynamic list: fields of a user and their required values. A member meets all conditions.

use crate::{
    entry::EntryView,
    field::FieldError,
    names,
    tested::tested,
    user::{self, User, field::UserField},
};
use ldap_text::{dn::Dn, filter::Filter};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use unicode_normalization::UnicodeNormalization as _;

/// The most conditions of a list: one for each allowed field.
pub const MAX_CONDITIONS: usize = FIELDS.len();

/// The fields of conditions, and their names in the directory's conditions. The first three have an index
/// (`schema/indexes.ldif`); the others are tested.
pub const FIELDS: &[(UserField, &str)] = &[
    (UserField::Department, "ou"),
    (UserField::Title, "title"),
    (UserField::City, "l"),
    (UserField::Language, "lang"),
    (UserField::Role, "employeeNumber"),
];

/// Characters that must be escaped in an LDAP URL (RFC 4516 section 2.1).
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

/// The error of a condition, or of all conditions of a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// There is no condition.
    #[error("has no condition: expected field=value")]
    None,
    /// There are more than [`MAX_CONDITIONS`].
    #[error("has too many conditions: at most {MAX_CONDITIONS}")]
    TooMany,
    /// Not of the form `field=value`.
    #[error("has an invalid condition: expected field=value, with a field of {}", offered())]
    Shape,
    /// A field that cannot be used in conditions.
    #[error("has a condition about another field than {}", offered())]
    OtherField,
    /// No value after the `=`.
    #[error("has a condition without a value for {0}")]
    NoValue(&'static str),
    /// A value that the field cannot have.
    #[error("has a wrong value: {name} {reason}")]
    Value {
        /// The name of the field.
        name: &'static str,
        /// The error of the value.
        reason: Box<FieldError>,
    },
}

/// One or more conditions that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions(Vec<(UserField, String)>);

impl Conditions {
    /// Parses texts of the form `field=value`.
    ///
    /// # Errors
    /// [`ConditionError`] of the first invalid condition.
    pub fn parse(texts: &[String]) -> Result<Self, ConditionError> {
        let mut conditions = Vec::new();
        for text in texts {
            let condition = parse_one(text)?;
            if !conditions.iter().any(|other| are_same(other, &condition)) {
                conditions.push(condition);
            }
            // Checked here because each condition is compared with all before it.
            if conditions.len() > MAX_CONDITIONS {
                return Err(ConditionError::TooMany);
            }
        }
        if conditions.is_empty() { Err(ConditionError::None) } else { Ok(Self(conditions)) }
    }

    /// Reads the conditions of a list's entry; `None` if the list is not dynamic.
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
        let text = |(field, value): &Condition| format!("{}={value}", name_of(*field));
        self.0.iter().map(text).collect()
    }

    /// The filter that finds the members among a tenant's users.
    #[must_use]
    pub fn filter(&self) -> Filter {
        Filter::all(std::iter::once(user::live_filter()).chain(self.0.iter().map(condition)))
    }

    /// The same search as an LDAP URL (RFC 4516), for other programs, below the folder of a tenant's users.
    #[must_use]
    pub fn url(&self, users: &Dn) -> String {
        url_of(users, &self.filter())
    }

    /// Whether a URL is the search of these conditions, in any order, because the directory keeps none. It may be
    /// spelled as pbm writes it now, or as it did before decision 18.
    #[must_use]
    pub fn is_url(&self, users: &Dn, url: &str) -> bool {
        let of_class = Filter::equal(names::OBJECT_CLASS, names::USER_CLASS);
        let live_before = Filter::all([of_class, Filter::not(Filter::present(names::DELETED_SINCE))]);
        let before = |(field, value): &Condition| Filter::equal(field.attribute(), value.as_str());
        self.is_spelled(users, url, &user::live_filter(), condition)
            || self.is_spelled(users, url, &live_before, before)
    }

    fn is_spelled(&self, users: &Dn, url: &str, live: &Filter, part: impl Fn(&Condition) -> Filter) -> bool {
        let parts: Vec<_> = self.0.iter().map(part).collect();
        let whole = Filter::all(std::iter::once(live.clone()).chain(parts.iter().cloned()));
        let mut left: Vec<_> = parts.iter().map(|part| in_url(&part.to_string())).collect();
        // The parts before the first and after the last condition do not depend on the order.
        let own = url_of(users, &whole);
        let Some((start, end)) = own.split_once(&left.concat()) else { return false };
        let Some(mut rest) = url.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)) else {
            return false;
        };
        while let Some(place) = left.iter().position(|part| rest.starts_with(part.as_str())) {
            let part = left.swap_remove(place);
            rest = rest.strip_prefix(part.as_str()).unwrap_or_default();
        }
        left.is_empty() && rest.is_empty()
    }

    /// Whether a user meets the conditions by the directory's matching rules, which ignore letter case and the number
    /// of blanks.
    #[must_use]
    pub fn are_met_by(&self, user: &User) -> bool {
        let is_one_of = |forms: &[String], has: &String| forms.contains(&folded(has));
        self.0.iter().all(|(field, value)| {
            let forms: Vec<_> = forms(value).map(|form| folded(&form)).collect();
            user.values(*field).iter().any(|has| is_one_of(&forms, has))
        })
    }
}

/// A condition: a field and its required value.
type Condition = (UserField, String);

/// The filter of one condition. Roles and languages are not looked up in an index, because nearly all users share a few
/// values.
fn condition((field, value): &Condition) -> Filter {
    let mut forms: Vec<_> = forms(value).map(|form| Filter::equal(field.attribute(), form)).collect();
    let filter = if forms.len() == 1 { forms.remove(0) } else { Filter::Or(forms) };
    if matches!(field, UserField::Role | UserField::Language) { tested(filter) } else { filter }
}

fn url_of(users: &Dn, filter: &Filter) -> String {
    format!("ldap:///{}?mail?sub?{}", in_url(&users.to_string()), in_url(&filter.to_string()))
}

fn in_url(text: &str) -> String {
    utf8_percent_encode(text, NOT_IN_URL).to_string()
}

/// A value, which is composed (NFC), and its decomposed form if that differs. pbm writes composed values; other
/// programs and older versions of pbm wrote both, and 389-ds compares octets.
fn forms(value: &str) -> impl Iterator<Item = String> {
    let decomposed = Some(value.nfd().collect::<String>()).filter(|decomposed| decomposed != value);
    std::iter::once(value.to_owned()).chain(decomposed)
}

/// Whether two conditions are equal for the directory.
fn are_same((field, value): &(UserField, String), (other_field, other): &(UserField, String)) -> bool {
    field == other_field && folded(value) == folded(other)
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The names of the allowed fields, for messages.
fn offered() -> String {
    FIELDS.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

fn name_of(field: UserField) -> &'static str {
    FIELDS.iter().find(|(offered, _)| *offered == field).map_or("", |(_, name)| name)
}

fn parse_one(text: &str) -> Result<Condition, ConditionError> {
    let (name, value) = text.split_once('=').ok_or(ConditionError::Shape)?;
    let (field, name) =
        *FIELDS.iter().find(|(_, offered)| *offered == name.trim()).ok_or(ConditionError::OtherField)?;
    if value.is_empty() {
        return Err(ConditionError::NoValue(name));
    }
    let value = field
        .kind()
        .parse(value)
        .map_err(|reason| ConditionError::Value { name, reason: Box::new(reason) })?;
    Ok((field, value.first().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{address::MailAddress, tenant::TenantId};
    use ldap_text::attribute::AttributeName;

    /// An entry of a department.
    struct Stored(Vec<String>);

    impl EntryView for Stored {
        fn values(&self, name: &AttributeName) -> &[String] {
            if *name == UserField::Department.attribute() { &self.0 } else { &[] }
        }
    }

    fn parse(texts: &[&str]) -> Result<Conditions, ConditionError> {
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
    fn the_url_of_conditions_is_known_in_any_order_and_no_other_is() {
        let users = Dn::parse("ou=t,ou=People,dc=x").unwrap();
        let (one, two) = (parse(&["ou=A (b)", "l=Город"]).unwrap(), parse(&["l=Город", "ou=A (b)"]).unwrap());
        assert_ne!(one.url(&users), two.url(&users));
        for conditions in [&one, &two] {
            assert!(
                conditions.is_url(&users, &one.url(&users)) && conditions.is_url(&users, &two.url(&users))
            );
        }
        let before = "ldap:///ou=t,ou=People,dc=x?mail?sub?(&(&(objectClass=pbmUser)(!(pbmDeletedSince=*)))(l=%D0%93%D0%BE%D1%80%D0%BE%D0%B4)(ou=A%20%5C28b%5C29))";
        assert!(one.is_url(&users, before), "{before} {}", one.url(&users));
        for conditions in [&["employeeNumber=1", "ou=A"][..], &["ou=Отдел кассий", "lang=ru-RU"]] {
            let conditions = parse(conditions).unwrap();
            assert!(conditions.is_url(&users, &conditions.url(&users)));
        }
        let other = parse(&["ou=A (b)", "l=Другой"]).unwrap();
        let url = one.url(&users);
        for wrong in [
            other.url(&users),
            parse(&["ou=A (b)"]).unwrap().url(&users),
            one.url(&Dn::parse("ou=t2,ou=People,dc=x").unwrap()),
            url.replace("?mail?", "?*?"),
            url.replace("ldap:///", "ldap://elsewhere/"),
            format!("{url}x"),
            url.replacen("(&", "(|", 1),
            String::new(),
        ] {
            assert!(!one.is_url(&users, &wrong), "{wrong}");
        }
    }

    #[test]
    fn a_condition_is_met_in_both_forms_of_its_letters() {
        let user = |department: &str| {
            let mail = MailAddress::parse("a@x.ru").unwrap();
            let entry = Stored(vec![department.to_owned()]);
            User::from_entry(mail, TenantId::default_tenant(), &entry)
        };
        for condition in ["ou=Отдел кассии\u{306}", "ou=отдел КАССИЙ"] {
            let conditions = parse(&[condition]).unwrap();
            let filter = conditions.filter().to_string().to_lowercase();
            assert!(filter.contains("(|(ou=отдел кассий)(ou=отдел кассии\u{306}))"), "{filter}");
            for met in ["Отдел кассий", "отдел  кассии\u{306}"] {
                assert!(conditions.are_met_by(&user(met)), "{condition} {met}");
            }
            assert!(!conditions.are_met_by(&user("Отдел кассии")), "{condition}");
        }
    }

    #[test]
    fn a_condition_that_makes_no_sense_says_what_is_offered() {
        for wrong in ["sn=x", "userPassword=x", "ou", "=x", "objectClass=*"] {
            let reason = parse(&[wrong]).unwrap_err().to_string();
            assert!(reason.contains("ou, title, l, lang, employeeNumber"), "{wrong}: {reason}");
        }
        for wrong in [&["ou="][..], &["ou=a\0b"], &["lang=de-DE"], &["employeeNumber=9"], &[]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
        let many: Vec<_> = (0..=MAX_CONDITIONS).map(|n| format!("ou={n}")).collect();
        assert!(Conditions::parse(&many).is_err());
    }
}
