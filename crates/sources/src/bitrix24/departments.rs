//! The names of the departments, which people carry as identifiers.

use super::{answer::Row, portal::Portal};
use crate::{Passed, Read, SourceError};
use std::collections::BTreeMap;

/// Most departments that are kept.
const MAX_DEPARTMENTS: usize = 100_000;
/// Longest name of a department that is kept, in characters: the longest that a card can have.
const MAX_NAME: usize = 256;

/// The names of departments, by their identifiers; `None` if they could not be read.
#[derive(Debug)]
pub(super) struct Departments(Option<BTreeMap<u64, String>>);

impl Departments {
    /// No names, because nothing needs them.
    pub(super) const fn unread() -> Self {
        Self(None)
    }

    /// Reads all departments. Without the right to do so there are none, which is reported.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) fn read(portal: &mut Portal<'_>) -> Result<Self, SourceError> {
        let mut all = BTreeMap::new();
        let mut start = Some(0);
        while let Some(from) = start {
            let page = serde_json::json!({"sort": "ID", "order": "ASC", "START": from, "start": from});
            let Ok(answer) = portal.call_if_granted("department.get", &page)? else {
                return not_granted(portal);
            };
            answer.result.unwrap_or_default().0.iter().for_each(|row| add(&mut all, row));
            let next = answer.next.text().and_then(|next| next.parse().ok());
            start = next.filter(|next| *next > from);
            if all.len() > MAX_DEPARTMENTS {
                return Err(SourceError::Refused(format!(
                    "the portal has more than {MAX_DEPARTMENTS} departments"
                )));
            }
        }
        Ok(Self(Some(all)))
    }

    /// Whether the portal has told them.
    pub(super) const fn are_known(&self) -> bool {
        self.0.is_some()
    }

    /// The names of the departments of a person, in the order of the portal; `None` if no name is known.
    pub(super) fn names<'a>(&'a self, ids: impl Iterator<Item = &'a str>) -> Option<String> {
        let names: Vec<_> =
            ids.filter_map(|id| self.0.as_ref()?.get(&id.parse().ok()?)).map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

fn add(all: &mut BTreeMap<u64, String>, row: &Row) {
    if let (Some(id), Some(name)) = (row.id(), row.text("NAME")) {
        all.insert(id, name.chars().take(MAX_NAME).collect());
    }
}

fn not_granted(portal: &Portal<'_>) -> Result<Departments, SourceError> {
    portal.send(Read::Passed(Passed {
        what: "the names of the departments".to_owned(),
        why: "the webhook has not the right `department`: give it, or map the department to the field WORK_DEPARTMENT"
            .to_owned(),
        keeps: None,
    }))?;
    Ok(Departments(None))
}

#[cfg(test)]
pub(super) mod tests {
    use super::{super::answer::tests::row, *};
    use serde_json::json;

    pub(crate) fn departments() -> Departments {
        let mut all = BTreeMap::new();
        for (id, name) in [(1, "Завод"), (5, "Отдел кадров")] {
            add(&mut all, &row(&json!({"ID": id, "NAME": name, "PARENT": "1"})));
        }
        Departments(Some(all))
    }

    #[test]
    fn departments_are_named_in_the_order_of_the_person() {
        let departments = departments();
        assert_eq!(
            departments.names(["5", "7", "x", "1"].into_iter()).as_deref(),
            Some("Отдел кадров, Завод")
        );
        assert_eq!(departments.names(["7"].into_iter()), None);
    }

    #[test]
    fn a_department_without_a_name_is_none() {
        let mut all = BTreeMap::new();
        add(&mut all, &row(&json!({"ID": "1", "NAME": null})));
        add(&mut all, &row(&json!({"NAME": "x"})));
        assert!(all.is_empty());
    }
}
