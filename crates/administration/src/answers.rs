//! The answers to requests that clients may repeat. Each request has a key, which is claimed before the request is
//! processed and holds the answer afterwards.

use crate::administration::Administration;
use directory::{answers::Known, error::DirectoryError};
use jiff::Timestamp;
use mail_model::answer::{Answer, Claim};

impl Administration {
    /// Claims the key of a request. Both are given as digests.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn claim_answer(
        &self,
        key: &str,
        request: &str,
        now: Timestamp,
    ) -> Result<Known, DirectoryError> {
        self.directory.claim_key(key, request, now).await
    }

    /// Stores the answer to a request whose key was claimed. Without an answer the key is released, so that the request
    /// can be repeated.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn end_claim(&self, claim: &Claim, answer: Option<&Answer>) -> Result<(), DirectoryError> {
        match answer {
            Some(answer) => self.directory.keep_answer(claim, answer).await,
            None => self.directory.forget_claim(claim).await,
        }
    }
}
