//! The columns of a table and the keys of an object: the known names, and the errors of a header.

use super::{Mode, place::Stop};
use crate::names::{MAIL, PASSWORD, of_user};
use address_book::export::csv;
use mail_model::{contact::Kind, user::field::UserField};
use std::collections::HashSet;
use visible_text::spelling::did_you_mean;
use visible_text::{Visible, is_blank, trimmed};

/// The most columns of a table: four times the number of known names.
const MAX_COLUMNS: usize = 100;
/// The most unknown names of an object that a message repeats.
pub(super) const SHOWN_NAMES: usize = 20;
/// The most characters of an unknown name that a message repeats; no known name is longer.
const SHOWN_NAME: usize = 64;
/// The column of an address book export with the kind of the contact.
pub(super) const KIND: &str = "kind";

/// The content of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// A field of users; an export may have it too.
    Field { name: &'static str, may_be_guarded: bool },
    /// The kind of a contact.
    Kind,
    /// Another column of an export, which an import ignores.
    Exported,
}

impl Column {
    fn of_name(name: &str) -> Option<Self> {
        let field = known().find(|known| *known == name);
        match field {
            Some(name) => Some(Self::Field { name, may_be_guarded: csv::has_column(name) }),
            None if name == KIND => Some(Self::Kind),
            None => csv::has_column(name).then_some(Self::Exported),
        }
    }

    fn is_field(self, wanted: &str) -> bool {
        matches!(self, Self::Field { name, .. } if name == wanted)
    }
}

/// Whether a name is a column of exports and not a field.
pub(super) fn is_exported_only(name: &str) -> bool {
    matches!(Column::of_name(name), Some(Column::Kind | Column::Exported))
}

/// Whether the kind of an exported contact is user.
pub(super) fn is_user(kind: &str) -> bool {
    is_blank(kind) || trimmed(kind) == Kind::User.name()
}

/// All names that a row can have.
fn known() -> impl Iterator<Item = &'static str> {
    [MAIL, PASSWORD].into_iter().chain(UserField::ALL.into_iter().map(of_user))
}

/// Whether a row must have a value for this name.
fn is_required(name: &str, mode: Mode) -> bool {
    let required = || UserField::ALL.into_iter().filter(|field| field.is_required()).map(of_user);
    name == MAIL || (mode == Mode::Create && (name == PASSWORD || required().any(|field| field == name)))
}

/// The error of a name that is neither a field nor a column of an export; `None` for a known name.
pub(super) fn unknown(name: &str) -> Option<String> {
    if Column::of_name(name).is_some() {
        return None;
    }
    Some(format!("{} is not a field{}", shown(name), did_you_mean(known(), name)))
}

/// An unknown name, shortened for a message.
pub(super) fn shown(name: &str) -> String {
    let cut: String = name.chars().take(SHOWN_NAME).collect();
    Visible(&cut).to_string()
}

/// The columns of a header, or all its errors. Columns without a name at the end are ignored.
pub(super) fn of_header(names: &[String], line: usize, mode: Mode) -> Result<Vec<Column>, Vec<Stop>> {
    let mut stops = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    let mut seen = HashSet::new();
    let width = names.iter().rposition(|name| !is_blank(name)).map_or(0, |last| last + 1);
    if width > MAX_COLUMNS {
        let message = format!("the table has {width} columns: at most {MAX_COLUMNS}");
        return Err(vec![Stop::of_header(line, message)]);
    }
    for (name, number) in names.iter().take(width).map(|name| trimmed(name)).zip(1..) {
        let mut wrong = |reason: String| {
            stops.push(Stop::of_header(line, format!("column {number} of the table{reason}")));
        };
        if is_blank(name) {
            wrong(" has no name".to_owned());
        } else if let Some(reason) = unknown(name) {
            wrong(format!(": {reason}"));
        } else if !seen.insert(name) {
            wrong(format!(": {name} is named twice"));
        }
        columns.extend(Column::of_name(name));
    }
    let is_there = |name: &str| columns.iter().any(|column| column.is_field(name));
    let missing = known().filter(|name| is_required(name, mode) && !is_there(name));
    stops.extend(missing.map(|name| Stop::of_header(line, format!("the column {name} is missing"))));
    if stops.is_empty() { Ok(columns) } else { Err(stops) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str, mode: Mode) -> Result<Vec<&'static str>, Vec<String>> {
        let names: Vec<String> = text.split(';').map(str::to_owned).collect();
        let name = |column: &Column| match column {
            Column::Field { name, .. } => *name,
            Column::Kind => KIND,
            Column::Exported => "-",
        };
        of_header(&names, 1, mode)
            .map(|columns| columns.iter().map(name).collect())
            .map_err(|stops| stops.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn names_may_stand_between_blanks_and_in_any_order() {
        assert_eq!(header(" cn ;mail", Mode::Upsert), Ok(vec!["cn", "mail"]));
        assert_eq!(header("\u{feff}cn\u{a0};\u{200b}mail", Mode::Upsert), Ok(vec!["cn", "mail"]));
        assert_eq!(header("mail;cn;; ;\u{a0}", Mode::Upsert), Ok(vec!["mail", "cn"]));
        assert_eq!(
            header("group;mail;kind;id;alias", Mode::Upsert),
            Ok(vec!["-", "mail", "kind", "-", "alias"])
        );
        assert!(header("sn;cn;employeeNumber;userPassword;mail;alias", Mode::Create).is_ok());
    }

    #[test]
    fn a_header_of_thousands_of_columns_is_one_mistake() {
        let columns = |number| header(&vec!["x"; number].join(";"), Mode::Upsert).unwrap_err().len();
        assert_eq!((columns(50_000), columns(MAX_COLUMNS + 1)), (1, 1));
        assert!(columns(MAX_COLUMNS) > MAX_COLUMNS);
    }

    #[test]
    fn everything_that_is_wrong_with_a_header_is_said_at_once() {
        let mistakes = header("cn;tilte;cn;;userpassword;x;ma\u{200b}il;", Mode::Create).unwrap_err();
        let expected = [
            "line 1: column 2 of the table: tilte is not a field; did you mean title?",
            "line 1: column 3 of the table: cn is named twice",
            "line 1: column 4 of the table has no name",
            "line 1: column 5 of the table: userpassword is not a field; did you mean userPassword?",
            "line 1: column 6 of the table: x is not a field",
            r"line 1: column 7 of the table: ma\u{200b}il is not a field; did you mean mail?",
            "line 1: the column mail is missing",
            "line 1: the column userPassword is missing",
            "line 1: the column sn is missing",
            "line 1: the column employeeNumber is missing",
        ];
        assert_eq!(mistakes, expected);
    }
}
