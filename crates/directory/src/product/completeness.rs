//! Whether a server has all of its entries. `pbm restore --replace-all` empties the back end first, so a restore that is
//! interrupted leaves a server without entries, or with some of them.
//!
//! The folder of users is imported with a mark, which is removed by the last step of the restore. So the server lacks
//! entries if the folder has the mark or does not exist. The service account may read the folder and its `description`.

use crate::{Lookup, Scope, error::DirectoryError};
use ldap_text::{
    filter::Filter,
    ldif::{Attribute, Change, ChangeRecord, Modification, ModifyKind},
};
use mail_model::{names, tree::Tree};
use std::fmt;

/// A value of `description` of the folder of users, while a restore is not finished.
pub(crate) const MARK: &str = "pbm: restore --replace-all is not finished";

/// Result codes of a search (RFC 4511 appendix A.2).
const SUCCESS: u32 = 0;
const NO_SUCH_OBJECT: u32 = 32;

/// What the log and the commands advise.
pub(crate) const ADVICE: &str =
    "run pbm restore FILE --replace-all again, with the same file; see OPERATIONS.md, Replacing everything";

/// Whether a server has all of its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// No restore is unfinished.
    Complete,
    /// A restore by `--replace-all` was not finished.
    Unfinished,
    /// The folder of users does not exist: nothing was set up, or a restore was not finished.
    Empty,
}

impl Completeness {
    /// The meaning of a search for the marked folder: `None` if there is no folder, otherwise the number of entries
    /// found.
    pub(crate) const fn of_search(found: Option<usize>) -> Self {
        match found {
            None => Self::Empty,
            Some(0) => Self::Complete,
            Some(_) => Self::Unfinished,
        }
    }

    /// The meaning of the result code and the number of entries of such a search; `None` if the server could not search.
    pub(crate) const fn of_answer(code: u32, found: usize) -> Option<Self> {
        match code {
            SUCCESS => Some(Self::of_search(Some(found))),
            NO_SUCH_OBJECT => Some(Self::of_search(None)),
            _ => None,
        }
    }

    /// Whether no restore is unfinished.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        matches!(self, Self::Complete)
    }
}

impl fmt::Display for Completeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => f.write_str("no restore is unfinished"),
            Self::Unfinished => write!(f, "the last restore by --replace-all was not finished: {ADVICE}"),
            Self::Empty => write!(
                f,
                "the folder of users does not exist: run pbm init if the server is new; if a restore by --replace-all \
                 was interrupted, {ADVICE}"
            ),
        }
    }
}

/// Finds the folder of users if it has the mark.
pub(crate) fn is_marked() -> Filter {
    Filter::equal(names::DESCRIPTION, MARK)
}

/// Removes the mark.
pub(crate) fn removal_of_mark(tree: &Tree) -> ChangeRecord {
    let attribute = Attribute::new(names::DESCRIPTION, [MARK]);
    let change = Change::Modify(vec![Modification { kind: ModifyKind::Delete, attribute }]);
    ChangeRecord { dn: tree.people().clone(), change }
}

impl Lookup {
    /// Whether the server has all of its entries, as far as the bound account can tell.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn completeness(&self) -> Result<Completeness, DirectoryError> {
        let no_attributes = [names::NO_ATTRIBUTES];
        let found = self.look(self.tree().people(), Scope::Base, &is_marked(), &no_attributes, 1).await?;
        Ok(Completeness::of_search(found.map(|found| found.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_the_mark_is_complete() {
        assert!(Completeness::of_search(Some(0)).is_complete());
        assert_eq!(Completeness::of_search(Some(1)), Completeness::Unfinished);
        assert_eq!(Completeness::of_search(None), Completeness::Empty);
        assert_eq!(Completeness::of_answer(32, 0), Some(Completeness::Empty));
        assert_eq!(Completeness::of_answer(1, 0), None, "a back end that is being imported");
    }
}
