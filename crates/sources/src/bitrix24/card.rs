//! The card of a person: the fields of the portal that the mapping names.

use super::{answer::Row, departments::Departments};
use crate::mapping::Mapping;
use mail_model::{
    field::MAX_TEXT,
    source::card::{CardTexts, Part},
    user::field::UserField,
};

/// The field that holds identifiers of departments.
pub(super) const DEPARTMENTS: &str = "UF_DEPARTMENT";
/// The field that holds the name of a department as a text.
const DEPARTMENT_TEXT: &str = "WORK_DEPARTMENT";

/// Which fields become a card.
pub(super) struct Template<'a> {
    /// The mapping.
    pub(super) mapping: &'a Mapping,
    /// The field that is added to the last name.
    pub(super) surname_field: Option<&'a str>,
    /// The names of departments.
    pub(super) departments: Departments,
}

impl Template<'_> {
    /// The texts of a person's card, whose address may be empty.
    pub(super) fn texts(&self, row: &Row) -> CardTexts {
        let mapped = self.mapping.iter();
        let mut texts = CardTexts {
            mail: row.text("EMAIL").unwrap_or_default().to_owned(),
            fields: mapped.filter_map(|(field, name)| Some((field, self.text(row, name)?))).collect(),
            ..CardTexts::default()
        };
        texts.untold =
            self.untold(row).filter(|field| !texts.fields.contains_key(field)).map(Part::Field).collect();
        if let Some(addition) = self.surname_field.and_then(|field| row.text(field)) {
            add_to_surname(&mut texts, addition);
        }
        texts
    }

    /// The fields that would be departments, if the portal told their names.
    fn untold(&self, row: &Row) -> impl Iterator<Item = UserField> {
        let is_untold = !self.departments.are_known() && row.texts(DEPARTMENTS).next().is_some();
        self.mapping.iter().filter(move |(_, name)| is_untold && *name == DEPARTMENTS).map(|(field, _)| field)
    }

    fn text(&self, row: &Row, field: &str) -> Option<String> {
        if field == DEPARTMENTS {
            let names = self.departments.names(row.texts(field));
            return names.or_else(|| row.text(DEPARTMENT_TEXT).map(str::to_owned));
        }
        let values: Vec<_> = row.texts(field).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

/// Adds a text to the last name in parentheses, unless the name becomes too long by it.
fn add_to_surname(texts: &mut CardTexts, addition: &str) {
    let surname = texts.fields.get(&UserField::LastName).map_or("", String::as_str);
    let longer = format!("{surname} ({addition})").trim_start().to_owned();
    if longer.chars().count() <= MAX_TEXT {
        texts.fields.insert(UserField::LastName, longer);
    }
}

/// How a person is called in a report, for an administrator who looks for them in the portal.
pub(super) fn called(row: &Row, id: u64) -> String {
    const LONGEST: usize = 100;
    let names = ["LAST_NAME", "NAME"].into_iter().filter_map(|field| row.text(field));
    let name: String = names.collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect();
    if name.is_empty() { format!("the person {id}") } else { format!("{name} ({id})") }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{answer::tests::row, departments::tests::departments},
        *,
    };
    use crate::mapping::BITRIX24;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn texts(surname_field: Option<&str>, person: &serde_json::Value) -> CardTexts {
        let mapping = Mapping::new(BITRIX24, &BTreeMap::new());
        Template { mapping: &mapping, surname_field, departments: departments() }.texts(&row(person))
    }

    #[test]
    fn the_fields_of_the_mapping_become_a_card() {
        let texts = texts(
            None,
            &json!({
                "ID": "17", "ACTIVE": true, "EMAIL": "anna@example.com", "NAME": "Анна", "LAST_NAME": "Белых",
                "SECOND_NAME": null, "WORK_POSITION": "инженер", "UF_DEPARTMENT": [5, 1], "WORK_PHONE": "",
                "PERSONAL_MOBILE": "+7 900 000-00-02", "PERSONAL_PHONE": false, "WORK_CITY": "Тверь",
            }),
        );
        let expected = [
            (UserField::FirstName, "Анна"),
            (UserField::LastName, "Белых"),
            (UserField::Department, "Отдел кадров, Завод"),
            (UserField::Title, "инженер"),
            (UserField::MobilePhone, "+7 900 000-00-02"),
            (UserField::City, "Тверь"),
        ];
        assert_eq!(texts.mail, "anna@example.com");
        assert_eq!(texts.fields, expected.map(|(field, text)| (field, text.to_owned())).into());
    }

    #[test]
    fn a_department_without_a_known_name_is_taken_from_the_text() {
        let texts = texts(None, &json!({"UF_DEPARTMENT": [99], "WORK_DEPARTMENT": "Склад"}));
        assert_eq!(texts.fields[&UserField::Department], "Склад");
    }

    #[test]
    fn a_department_that_could_not_be_asked_for_is_untold() {
        let mapping = Mapping::new(BITRIX24, &BTreeMap::new());
        let template =
            Template { mapping: &mapping, surname_field: None, departments: Departments::unread() };
        let untold = |person| template.texts(&row(&person)).untold;
        assert_eq!(untold(json!({"UF_DEPARTMENT": [5]})), [Part::Field(UserField::Department)].into());
        assert!(untold(json!({"UF_DEPARTMENT": [5], "WORK_DEPARTMENT": "Склад"})).is_empty());
        assert!(untold(json!({"UF_DEPARTMENT": []})).is_empty());
    }

    #[test]
    fn namesakes_are_told_apart_by_a_field() {
        let surname = |person| texts(Some("PERSONAL_ICQ"), &person).fields.remove(&UserField::LastName);
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(surname(json!({"LAST_NAME": "Иванов", "PERSONAL_ICQ": "12345"})), is("Иванов (12345)"));
        assert_eq!(surname(json!({"LAST_NAME": "Иванов", "PERSONAL_ICQ": ""})), is("Иванов"));
        assert_eq!(surname(json!({"PERSONAL_ICQ": "12345"})), is("(12345)"));
        assert_eq!(surname(json!({"LAST_NAME": "Иванов", "PERSONAL_ICQ": "1".repeat(300)})), is("Иванов"));
    }

    #[test]
    fn people_are_called_by_name_and_number() {
        assert_eq!(called(&row(&json!({"NAME": "Анна", "LAST_NAME": "Белых"})), 17), "Белых Анна (17)");
        assert_eq!(called(&row(&json!({"NAME": ""})), 17), "the person 17");
    }
}
