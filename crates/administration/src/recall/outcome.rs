//! What became of a request.

use super::request::MAX_BOXES;
use crate::policy::Forbidden;
use directory::error::DirectoryError;
use mail_model::address::MailAddress;

/// What became of the message in the box behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecallResult {
    /// It is removed.
    Recalled,
    /// It was read, and stays.
    Read,
    /// It is not there.
    NotFound,
    /// There is no such box here, or none that the caller may reach.
    NoUser,
    /// It is not known to be removed.
    Failed,
}

impl RecallResult {
    /// All results.
    pub const ALL: [Self; 5] = [Self::Recalled, Self::Read, Self::NotFound, Self::NoUser, Self::Failed];

    /// Its name in answers and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recalled => "recalled",
            Self::Read => "read",
            Self::NotFound => "not-found",
            Self::NoUser => "no-user",
            Self::Failed => "failed",
        }
    }
}

/// The report about one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxReport {
    /// The address, as it was requested, or as a list has it.
    pub mail: String,
    /// The address that names the box, if it is another one.
    pub of: Option<MailAddress>,
    /// The result.
    pub result: RecallResult,
    /// The number of removed copies.
    pub removed: usize,
    /// Why, if the result does not say everything.
    pub reason: Option<String>,
    /// Whether an earlier report is about the same box: a user may be named by several addresses.
    pub is_repeat: bool,
}

/// The number of boxes, and of addresses without a box, that have a result.
#[must_use]
pub fn count_of(reports: &[BoxReport], result: RecallResult) -> usize {
    reports.iter().filter(|report| report.result == result && !report.is_repeat).count()
}

/// Why a recall did not begin.
#[derive(Debug, thiserror::Error)]
pub enum RecallError {
    /// The caller may not recall messages.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No mail server is configured.
    #[error("no mail server is configured")]
    NotSetUp,
    /// More addresses than allowed, lists opened.
    #[error(
        "names more than {MAX_BOXES} boxes, the members of opened lists among them: send several requests"
    )]
    TooMany,
    /// The directory does not answer.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}
