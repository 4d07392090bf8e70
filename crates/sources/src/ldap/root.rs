//! What a server says about itself (RFC 4512 section 5.1).

use super::{connection::Session, entry::Entry, names, search};
use crate::SourceError;
use ldap_text::generalized_time;
use uuid::Uuid;

/// The capability of Active Directory (MS-ADTS 3.1.1.3.4.3.1).
const ACTIVE_DIRECTORY: &str = "1.2.840.113556.1.4.800";

/// What a server says about itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Root {
    /// Whether it is Active Directory, or Samba as such.
    pub(super) is_active_directory: bool,
    /// Whether it returns results in pages.
    pub(super) has_pages: bool,
    /// Which domain controller it is, and how far its count of changes has come.
    pub(super) count: Option<Count>,
    /// Its time, in seconds since 1970.
    pub(super) time: Option<i64>,
}

/// The count of changes of a domain controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// The name of the server.
    pub(super) server: String,
    /// The identifier of its database, in hexadecimal digits. It changes when the database is restored from a backup.
    pub(super) invocation: String,
    /// The number of the last change.
    pub(super) highest: u64,
}

impl Root {
    /// Reads it.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) async fn read(session: &mut Session) -> Result<Self, SourceError> {
        let attributes = [
            names::SUPPORTED_CAPABILITIES,
            names::SUPPORTED_CONTROL,
            names::HIGHEST_COMMITTED_USN,
            names::DS_SERVICE_NAME,
            names::DNS_HOST_NAME,
            names::CURRENT_TIME,
        ];
        let entry = search::one(session, "", search::texts(&attributes)).await?;
        let mut root = Self::of(&entry);
        if root.is_active_directory
            && let Some(service) = entry.text(&names::DS_SERVICE_NAME)
        {
            root.count = count(session, &entry, service).await;
        }
        Ok(root)
    }

    fn of(entry: &Entry) -> Self {
        let seconds = |text| Some(generalized_time::parse(text).ok()?.as_second());
        Self {
            is_active_directory: entry.has(&names::SUPPORTED_CAPABILITIES, ACTIVE_DIRECTORY),
            has_pages: entry.has(&names::SUPPORTED_CONTROL, search::PAGED_RESULTS),
            count: None,
            time: entry.text(&names::CURRENT_TIME).and_then(seconds),
        }
    }
}

/// The count; `None` if the account may not read it, which leaves whole runs.
async fn count(session: &mut Session, root: &Entry, service: &str) -> Option<Count> {
    let highest = root.number(&names::HIGHEST_COMMITTED_USN)?;
    let server = root.text(&names::DNS_HOST_NAME)?.to_ascii_lowercase();
    let settings = search::one(session, service, search::texts([&names::INVOCATION_ID])).await.ok()?;
    let invocation = settings.first(&names::INVOCATION_ID)?;
    let invocation = Uuid::from_slice(invocation).ok()?.simple().to_string();
    Some(Count { server, invocation, highest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_directory_is_told_by_its_capability() {
        let ad = Entry::new(
            "",
            &[
                ("supportedCapabilities", &["1.2.840.113556.1.4.1670", ACTIVE_DIRECTORY]),
                ("supportedControl", &[search::PAGED_RESULTS]),
                ("currentTime", &["20261130155000.0Z"]),
            ],
        );
        let root = Root::of(&ad);
        assert!(root.is_active_directory && root.has_pages);
        assert_eq!(root.time, Some(1_796_053_800));
        let other = Root::of(&Entry::new("", &[("supportedControl", &["1.2.3"])]));
        assert!(!other.is_active_directory && !other.has_pages && other.time.is_none());
    }
}
