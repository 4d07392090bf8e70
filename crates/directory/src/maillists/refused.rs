//! Why the members of a mailing list are refused.

use std::fmt;

/// The most addresses in a message.
const MAX_NAMED: usize = 10;

/// Why a list cannot have these members.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MembersRefused {
    /// Addresses of the tenant that no entry has.
    #[error("names addresses that do not exist in the tenant: {0}")]
    Unknown(FirstAddresses),
    /// Addresses of another tenant.
    #[error("names addresses of another tenant; members are entries of the tenant or outside addresses: {0}")]
    OfOtherTenant(FirstAddresses),
    /// The list would contain itself: the addresses of the lists in between.
    #[error("would make a list its own member: {}", .0.join(" → "))]
    Cycle(Vec<String>),
    /// The list is dynamic, so its members are those who meet its conditions.
    #[error(
        "cannot be given for a dynamic list: change its filter, or set members to make it an ordinary list"
    )]
    Dynamic,
}

/// The first addresses of many, and the number of the others.
#[derive(Debug, PartialEq, Eq)]
pub struct FirstAddresses {
    first: Vec<String>,
    more: usize,
}

impl FirstAddresses {
    /// `None` if there are no addresses.
    pub(super) fn of<'a>(addresses: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut addresses = addresses.map(str::to_owned);
        let first: Vec<_> = addresses.by_ref().take(MAX_NAMED).collect();
        (!first.is_empty()).then(|| Self { first, more: addresses.count() })
    }
}

impl fmt::Display for FirstAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join(", "))?;
        if self.more > 0 {
            write!(f, " and {} more", self.more)?;
        }
        Ok(())
    }
}
