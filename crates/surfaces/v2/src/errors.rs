//! The errors of a request's parameters.

use crate::names;
use mail_model::field::{FieldError, FieldErrors, ListField};
use std::{collections::BTreeMap, fmt::Display};

/// The errors of a request, one reason a parameter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ParameterErrors(BTreeMap<&'static str, String>);

impl ParameterErrors {
    /// Records the error of a parameter. The first reason for a parameter is kept.
    pub(crate) fn add(&mut self, name: &'static str, reason: &impl Display) {
        self.0.entry(name).or_insert_with(|| format!("{name} {reason}"));
    }

    /// Returns the value of a result, or records its error.
    pub(crate) fn keep<T, E: Display>(&mut self, name: &'static str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(name, &error)).ok()
    }

    /// Returns the command that was built from the parameters.
    ///
    /// # Errors
    /// The errors so far, and those of the command.
    pub(crate) fn and<T>(mut self, command: Result<T, FieldErrors>) -> Result<T, Self> {
        match command {
            Ok(command) => self.none().map(|()| command),
            Err(errors) => {
                self.absorb(&errors);
                Err(self)
            }
        }
    }

    fn absorb(&mut self, errors: &FieldErrors) {
        for (field, error) in errors.iter() {
            self.add(names::of(field), &reason(error));
        }
    }

    /// Whether there is no error.
    ///
    /// # Errors
    /// The errors, if there are any.
    pub(crate) fn none(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The errors by parameter, each a sentence.
    pub(crate) fn into_reasons(self) -> impl Iterator<Item = (&'static str, String)> {
        self.0.into_iter()
    }
}

/// An error of a field. The message names other fields by their parameters.
fn reason(error: &FieldError) -> String {
    let [added, removed, members] =
        [ListField::Added, ListField::Removed, ListField::Members].map(names::of_list);
    match error {
        FieldError::ConditionsBesideMembers => {
            format!("cannot be given with {added}: a list has members or a filter")
        }
        FieldError::ConditionsBesideChanges => {
            format!("makes a dynamic list and cannot be given with {added}, {removed} or {members}")
        }
        FieldError::WholeListBesideChanges => {
            format!("is the whole list and cannot be given with {added} or {removed}")
        }
        FieldError::AddedAndRemoved(address) => format!("names {address}, which {added} adds"),
        _ => error.to_string(),
    }
}

impl From<FieldErrors> for ParameterErrors {
    fn from(errors: FieldErrors) -> Self {
        let mut all = Self::default();
        all.absorb(&errors);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_model::field::Field;

    #[test]
    fn errors_of_a_command_have_the_names_of_parameters_and_the_first_reason_stays() {
        let mut errors = ParameterErrors::default();
        errors.add("newmail", &"is given more than once");
        let mut wrong = FieldErrors::default();
        wrong.add(Field::List(ListField::NewMail), FieldError::Required);
        wrong.add(Field::List(ListField::Members), FieldError::WholeListBesideChanges);
        let reasons: Vec<_> = errors.and::<()>(Err(wrong)).unwrap_err().into_reasons().collect();
        let whole = "members is the whole list and cannot be given with alias or remove";
        let expected = [("members", whole), ("newmail", "newmail is given more than once")];
        assert_eq!(reasons, expected.map(|(name, reason)| (name, reason.to_owned())));
    }

    #[test]
    fn a_command_is_returned_only_if_nothing_is_wrong() {
        assert_eq!(ParameterErrors::default().and(Ok(1)), Ok(1));
        let mut errors = ParameterErrors::default();
        errors.add("page", &"is wrong");
        assert!(errors.and(Ok(1)).is_err());
    }
}
