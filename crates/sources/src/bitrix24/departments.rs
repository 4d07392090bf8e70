//! The names of the departments, which people carry as identifiers.

use super::{
    answer::{Answer, Row},
    portal::Portal,
};
use crate::{Passed, SourceError};
use std::collections::{BTreeMap, BTreeSet};

const METHOD: &str = "department.get";
/// What is reported if the webhook may not call the method.
const WHAT: &str = "the names of the departments";
const NOT_GRANTED: &str = "the webhook has not the right `department`: give it, or map the department to the field \
                           WORK_DEPARTMENT";
const SAME_AGAIN: &str = "the portal answered a further page of departments with those of earlier pages: ask its \
                          support, or map the department to the field WORK_DEPARTMENT";

/// Most departments that are kept.
const MAX_DEPARTMENTS: usize = 100_000;
/// Most pages that are asked for: a page has 50 departments.
const MAX_PAGES: usize = MAX_DEPARTMENTS / 50;
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
        let (mut pages, mut start) = (Pages::default(), Some(0));
        while let Some(from) = start {
            let Ok(answer) = portal.call_if_granted(METHOD, &page(from))? else {
                portal.pass(WHAT, NOT_GRANTED, None)?;
                return Ok(Self(None));
            };
            start = pages.add(from, &answer)?;
        }
        Ok(Self(Some(pages.names)))
    }

    /// Asks for one page, and returns what the webhook lacks for it.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) fn probe(portal: &mut Portal<'_>) -> Result<Option<Passed>, SourceError> {
        let answer = portal.call_if_granted(METHOD, &page(0))?;
        let missing = Passed { what: WHAT.to_owned(), why: NOT_GRANTED.to_owned(), keeps: None };
        Ok(answer.is_err().then_some(missing))
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

/// The departments of the pages so far.
#[derive(Default)]
struct Pages {
    count: usize,
    /// Every identifier, also of departments without a name.
    seen: BTreeSet<u64>,
    names: BTreeMap<u64, String>,
}

impl Pages {
    /// Adds a page, and returns where the next one starts. A page that is not the last must have a department that none
    /// before had; otherwise the run might not end.
    fn add(&mut self, from: u64, answer: &Answer) -> Result<Option<u64>, SourceError> {
        let before = self.seen.len();
        for row in answer.result.iter().flat_map(|rows| &rows.0) {
            self.seen.extend(row.id());
            add(&mut self.names, row);
        }
        self.count += 1;
        let next = answer.next.text().and_then(|next| next.parse().ok()).filter(|next| *next > from);
        if next.is_some() && self.seen.len() == before {
            return Err(SourceError::Refused(SAME_AGAIN.to_owned()));
        }
        if self.seen.len() > MAX_DEPARTMENTS || (next.is_some() && self.count >= MAX_PAGES) {
            return Err(SourceError::Refused(format!(
                "the portal has more than {MAX_DEPARTMENTS} departments, or more than {MAX_PAGES} pages of them: map the \
                 department to the field WORK_DEPARTMENT"
            )));
        }
        Ok(next)
    }
}

/// The parameters of the page that starts at a number.
fn page(from: u64) -> serde_json::Value {
    serde_json::json!({"sort": "ID", "order": "ASC", "START": from, "start": from})
}

fn add(all: &mut BTreeMap<u64, String>, row: &Row) {
    if let (Some(id), Some(name)) = (row.id(), row.text("NAME")) {
        all.insert(id, name.chars().take(MAX_NAME).collect());
    }
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

    fn answer(id: u64, next: u64) -> Answer {
        serde_json::from_value(json!({"result": [{"ID": id, "NAME": "x"}], "next": next})).unwrap()
    }

    #[test]
    fn pages_end_whatever_the_portal_answers() {
        let mut pages = Pages::default();
        assert_eq!(pages.add(0, &answer(7, 1)).unwrap(), Some(1));
        assert!(pages.add(1, &answer(7, 2)).unwrap_err().to_string().contains("earlier pages"));
        assert_eq!(Pages::default().add(5, &answer(7, 5)).unwrap(), None);
        let mut pages = Pages::default();
        let end = (0_u64..).find_map(|from| pages.add(from, &answer(from + 1, from + 1)).err());
        assert!(end.unwrap().to_string().contains("2000 pages"));
        assert_eq!(pages.count, MAX_PAGES);
    }
}
