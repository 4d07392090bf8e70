//! The photo of a person, which the portal names by a URL.
//!
//! It is fetched from the portal's own host alone: a person can set the URL of their photo, and requests to other hosts
//! would let them reach what only this machine can reach. In the cloud many photos are on other hosts; these are left
//! out without a report.

use super::{answer::Row, portal::Portal};
use crate::SourceError;
use mail_model::source::card::MAX_SOURCE_PHOTO;

/// The field with the URL.
const FIELD: &str = "PERSONAL_PHOTO";

/// The photo of a person; the inner result says why the portal does not give it.
///
/// # Errors
/// [`SourceError`] if the connection fails, because a photo must not vanish with a connection.
pub(super) fn read(
    portal: &mut Portal<'_>,
    row: &Row,
) -> Result<Result<Option<Vec<u8>>, String>, SourceError> {
    let Some(url) = row.text(FIELD).and_then(|text| portal.address().file(text)) else {
        return Ok(Ok(None));
    };
    let photo = portal.get(&url, MAX_SOURCE_PHOTO as u64)?;
    Ok(photo.map(Some).map_err(|reason| format!("the photo was left out: {reason}")))
}
