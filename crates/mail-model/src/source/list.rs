//! The group of a source, which becomes a mailing list.

use super::SourceId;
use crate::address::MailAddress;

/// A group that has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceList {
    /// The identifier of the group in the source.
    pub id: SourceId,
    /// The address.
    pub mail: MailAddress,
    /// The name in address books.
    pub display_name: String,
    /// The addresses of its members: people, and groups that have an address.
    pub members: Vec<MailAddress>,
}
