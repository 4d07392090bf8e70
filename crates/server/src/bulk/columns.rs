//! The columns of a table and the keys of an object: which there are, and what is wrong with a header.

use super::{Mode, place::Stop};
use crate::spelling::did_you_mean;
use mail_model::user::{
    command::{MAIL_PARAMETER, PASSWORD_PARAMETER},
    field::UserField,
};

/// How much of an unknown name is repeated in a message; no known one is longer.
const SHOWN_NAME: usize = 64;

/// Every name that a row can have.
fn known() -> impl Iterator<Item = &'static str> {
    [MAIL_PARAMETER, PASSWORD_PARAMETER]
        .into_iter()
        .chain(UserField::ALL.into_iter().map(UserField::api_name))
}

/// Whether a row must have a value of that name.
fn is_required(name: &str, mode: Mode) -> bool {
    let required = || UserField::ALL.into_iter().filter(|field| field.is_required()).map(UserField::api_name);
    name == MAIL_PARAMETER
        || (mode == Mode::Create && (name == PASSWORD_PARAMETER || required().any(|field| field == name)))
}

/// Why a name is none of a field; nothing where it is one.
pub(super) fn unknown(name: &str) -> Option<String> {
    if known().any(|known| known == name) {
        return None;
    }
    Some(format!("is no field{}", did_you_mean(known(), name)))
}

/// An unknown name as messages repeat it.
pub(super) fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(SHOWN_NAME).collect()
}

/// The columns that a header names, or all that is wrong with it.
pub(super) fn of_header(names: &[String], line: usize, mode: Mode) -> Result<Vec<&'static str>, Vec<Stop>> {
    let mut stops = Vec::new();
    let mut columns: Vec<&'static str> = Vec::new();
    for (name, number) in names.iter().map(|name| name.trim()).zip(1..) {
        let mut wrong = |reason: String| stops.push(Stop::new(line, Some(number), reason));
        if name.is_empty() {
            wrong(format!("column {number} of the table has no name"));
        } else if let Some(reason) = unknown(name) {
            wrong(format!("column {number} of the table: {} {reason}", shown(name)));
        } else if columns.contains(&name) {
            wrong(format!("column {number} of the table: {name} is there twice"));
        }
        columns.push(known().find(|known| *known == name).unwrap_or_default());
    }
    let missing = known().filter(|name| is_required(name, mode) && !columns.contains(name));
    stops.extend(missing.map(|name| Stop::new(line, None, format!("the column {name} is missing"))));
    if stops.is_empty() { Ok(columns) } else { Err(stops) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str, mode: Mode) -> Result<Vec<&'static str>, Vec<String>> {
        let names: Vec<String> = text.split(';').map(str::to_owned).collect();
        of_header(&names, 1, mode)
            .map_err(|stops| stops.iter().map(|s| format!("{:?} {}", s.column, s.message)).collect())
    }

    #[test]
    fn names_may_stand_between_blanks_and_in_any_order() {
        assert_eq!(header(" cn ;mail", Mode::Upsert), Ok(vec!["cn", "mail"]));
        assert!(header("sn;cn;employeeNumber;userPassword;mail;alias", Mode::Create).is_ok());
    }

    #[test]
    fn everything_that_is_wrong_with_a_header_is_said_at_once() {
        let mistakes = header("cn;tilte;cn;;userpassword;x", Mode::Create).unwrap_err();
        let expected = [
            "Some(2) column 2 of the table: tilte is no field; did you mean title?",
            "Some(3) column 3 of the table: cn is there twice",
            "Some(4) column 4 of the table has no name",
            "Some(5) column 5 of the table: userpassword is no field; did you mean userPassword?",
            "Some(6) column 6 of the table: x is no field",
            "None the column mail is missing",
            "None the column userPassword is missing",
            "None the column sn is missing",
            "None the column employeeNumber is missing",
        ];
        assert_eq!(mistakes, expected);
    }
}
