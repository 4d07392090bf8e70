//! The photo of a person, which the portal names by a URL.
//!
//! It is fetched from the portal's own host alone: a person can set the URL of their photo, and requests to other hosts
//! would let them reach what only this machine can reach. In the cloud many photos are on other hosts; these are left
//! out without a report.
//!
//! A photo that fails in any way is reported, and the run goes on: a URL that one person has set must not stop the
//! synchronization of the others. Since the card then says that its photo is not known, the photo of the entry stays.

use super::{
    answer::Row,
    client::{NoReply, Reply},
    portal::Portal,
};
use crate::SourceError;
use mail_model::source::card::MAX_SOURCE_PHOTO;
use std::time::Duration;
use url::Url;

/// The field with the URL.
const FIELD: &str = "PERSONAL_PHOTO";
/// Longest URL of a photo, in bytes: many servers refuse longer ones.
const MAX_URL: usize = 2_048;
/// How long one photo may take. With [`MAX_FAILURES`], a portal that answers none of them delays a run by 100 seconds.
const LIMIT: Duration = Duration::from_secs(10);
/// After so many photos in a row without an HTTP answer, the others of the run are not asked for.
const MAX_FAILURES: u32 = 10;

/// Reads the photos of a run.
#[derive(Debug, Default)]
pub(super) struct Photos {
    /// How many of the latest photos failed, without one in between that the portal answered.
    failures: u32,
}

/// What became of a photo.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Photo {
    /// The person has none that the portal's own host serves.
    None,
    /// The image.
    Image(Vec<u8>),
    /// It is not known, for a reason.
    Untold(String),
    /// It was not asked for, because too many others have failed.
    Skipped,
}

impl Photos {
    /// Reads the photo of a person.
    ///
    /// # Errors
    /// [`SourceError::Ended`].
    pub(super) fn read(&mut self, portal: &mut Portal<'_>, row: &Row) -> Result<Photo, SourceError> {
        let Some(url) = row.text(FIELD).and_then(|text| portal.address().file(text)) else {
            return Ok(Photo::None);
        };
        if self.failures >= MAX_FAILURES {
            return Ok(Photo::Skipped);
        }
        Ok(match self.fetch(portal, &url)? {
            Ok(image) => Photo::Image(image),
            Err(reason) => Photo::Untold(format!("the photo was left out: {reason}")),
        })
    }

    /// Whether the photo that was read last is the one after which no other is asked for.
    pub(super) fn have_just_ended(&self) -> bool {
        self.failures == MAX_FAILURES
    }

    fn fetch(&mut self, portal: &mut Portal<'_>, url: &Url) -> Result<Result<Vec<u8>, String>, SourceError> {
        if url.as_str().len() > MAX_URL {
            return Ok(Err(format!("its URL is longer than {MAX_URL} bytes")));
        }
        let reply = portal.get(url, MAX_SOURCE_PHOTO as u64, LIMIT)?;
        // A portal that refuses a photo at once costs no time.
        self.failures = if reply.as_ref().is_err_and(|none| none.is_passing) { self.failures + 1 } else { 0 };
        Ok(match reply {
            Ok(Reply { status: 200, body, .. }) => Ok(body),
            Ok(reply) => Err(format!("the portal answered {}", reply.status)),
            Err(NoReply { reason, .. }) => Err(reason),
        })
    }
}

/// Why the photos of the rest of a run are not asked for.
pub(super) fn ended() -> String {
    format!(
        "{MAX_FAILURES} in a row have failed, so no other is asked for in this run, and those of the entries stay: look \
         why the portal does not serve them, or set `photos` to false"
    )
}
