//! Answers to requests that were made with an idempotency key. They are kept in the directory, which all
//! replicas share and which also keeps the entry that the request created.
//!
//! A key is claimed by adding an entry that is named after it: of several equal requests exactly one succeeds.
//! Its answer is written into that entry. A claim without an answer belongs to a request in progress or to a
//! process that died. After two minutes the next equal request takes the claim over, by a modify on the exact
//! claim that it read.

use crate::{Directory, Entry, Scope, batches::Applied, error::DirectoryError};
use jiff::{SignedDuration, Timestamp};
use ldap_text::{attribute::AttributeName, filter::Filter, generalized_time};
use mail_model::{
    answer::{self, Answer, Claim},
    deletion,
    entry::EntryView,
    names,
};

/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How long a request may take before another one takes its key over. No request can take that long: the
/// directory's time limits and a few retries add up to less.
const ABANDONED: SignedDuration = SignedDuration::from_mins(2);

const READ_ATTRIBUTES: &[AttributeName] =
    &[names::REQUEST_DIGEST, names::ANSWER_STATUS, names::ANSWER_BODY, names::ANSWER_BEGAN];

/// What is known about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// The key is new: the request may be processed now, and [`Directory::keep_answer`] or
    /// [`Directory::forget_claim`] must follow.
    New(Claim),
    /// The same request has been answered.
    Answered(Answer),
    /// The same request is in progress.
    UnderWay,
    /// The key was used for another request.
    OtherRequest,
}

impl Directory {
    /// Claims a key for a request. Both are given as digests.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn claim_key(&self, key: &str, request: &str, now: Timestamp) -> Result<Known, DirectoryError> {
        let claim = Claim::new(self.tree(), key, request, now);
        match self.apply(&claim.creation()).await {
            Ok(()) => return Ok(Known::New(claim)),
            Err(DirectoryError::Exists) => {}
            Err(error) => return Err(error),
        }
        let Some(entry) = self.find(claim.dn(), Scope::Base, &anything(), READ_ATTRIBUTES).await? else {
            // Released a moment ago: its request was not processed.
            return Ok(Known::UnderWay);
        };
        let began = entry.first(&names::ANSWER_BEGAN).unwrap_or_default();
        let age =
            generalized_time::parse(began).map_or(SignedDuration::MAX, |began| now.duration_since(began));
        let answer = answer_of(&entry);
        let is_same = entry.first(&names::REQUEST_DIGEST) == Some(request);
        let is_over = age > KEPT || (answer.is_none() && is_same && age > ABANDONED);
        match answer {
            _ if is_over => match self.apply(&claim.takeover(began)).await {
                Ok(()) => Ok(Known::New(claim)),
                Err(DirectoryError::Stale | DirectoryError::NotFound) => Ok(Known::UnderWay),
                Err(error) => Err(error),
            },
            _ if !is_same => Ok(Known::OtherRequest),
            Some(answer) => Ok(Known::Answered(answer)),
            None => Ok(Known::UnderWay),
        }
    }

    /// Stores the answer to a request whose key was claimed.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn keep_answer(&self, claim: &Claim, answer: &Answer) -> Result<(), DirectoryError> {
        self.apply(&claim.answered(answer)).await
    }

    /// Releases a key: its request was not processed.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn forget_claim(&self, claim: &Claim) -> Result<(), DirectoryError> {
        self.remove(&claim.removal()).await
    }

    /// Removes answers whose retention is over; an answer whose removal fails is left for the next run.
    pub(crate) async fn purge_answers(&self, now: Timestamp) -> Result<Applied, DirectoryError> {
        let before = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        let filter = answer::begun_by(before);
        let folder = self.tree().answers();
        let removal = |dn, _: &Entry| Some(deletion::removal(dn));
        self.change_all_found(&folder, Scope::Subtree, &filter, &[names::NO_ATTRIBUTES], removal).await
    }
}

fn answer_of(entry: &Entry) -> Option<Answer> {
    let status = entry.first(&names::ANSWER_STATUS)?.parse().ok()?;
    Some(Answer { status, body: entry.first(&names::ANSWER_BODY)?.to_owned() })
}

fn anything() -> Filter {
    Filter::present(names::OBJECT_CLASS)
}
