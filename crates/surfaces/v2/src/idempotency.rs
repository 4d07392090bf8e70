//! Requests with an idempotency key: claiming the key, and storing the answer.

use super::answer::Failure;
use actix_web::http::StatusCode;
use directory::{Directory, answers::Known, error::DirectoryError};
use jiff::Timestamp;
use mail_model::answer::{Answer, Claim};
use web::{
    answer::{KeptAnswer, Reply},
    idempotency::Keyed,
};

/// Claims the key of a request, or returns the answer that is stored for it.
///
/// # Errors
/// 409 while the first request is being processed, 422 if the key belongs to another request.
pub async fn claim(keyed: &Keyed, directory: &Directory, now: Timestamp) -> Result<Begun, Failure> {
    match directory.claim_key(&keyed.key, &keyed.request, now).await? {
        Known::New(claim) => Ok(Begun::New(claim)),
        Known::Answered(Answer { status, body }) => {
            Ok(Begun::Answered(Reply::kept(KeptAnswer { status, body })))
        }
        Known::UnderWay => Err(Failure::new(
            StatusCode::CONFLICT,
            "A request with this Idempotency-Key is under way. Repeat it later to get its answer.",
        )
        .with_retry()),
        Known::OtherRequest => Err(Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "This Idempotency-Key was used for another request. Each request needs a key of its own.",
        )),
    }
}

/// The outcome of a claim.
pub enum Begun {
    /// The request has to be handled.
    New(Claim),
    /// The request was handled before; this is its answer.
    Answered(Reply),
}

/// Stores the answer for the key. After a failure that is not an answer the key is released, so that a repeat is
/// handled again.
pub async fn keep(directory: &Directory, claim: &Claim, outcome: &Result<Reply, Failure>) {
    let answer = match outcome {
        Ok(reply) => reply.to_keep(),
        Err(failure) => failure.to_keep(),
    };
    let kept: Result<(), DirectoryError> = match answer {
        Some(KeptAnswer { status, body }) => directory.keep_answer(claim, &Answer { status, body }).await,
        None => directory.forget_claim(claim).await,
    };
    if let Err(error) = kept {
        tracing::warn!(error = &error as &dyn std::error::Error, "http.answer_not_kept");
    }
}
