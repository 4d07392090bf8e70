//! Requests that are made with a key: what comes of claiming it, and what is kept.

use super::answer::Failure;
use actix_web::http::StatusCode;
use directory::{Directory, answers::Known, error::DirectoryError};
use jiff::Timestamp;
use mail_model::answer::{Answer, Claim};
use web::{
    answer::{KeptAnswer, Reply},
    idempotency::Keyed,
};

/// Claims the key of a request; an answer that was given before comes back as it was.
///
/// # Errors
/// 409 while the first request is under way, 422 when the key was another request's.
pub async fn claim(keyed: &Keyed, directory: &Directory, now: Timestamp) -> Result<Begun, Failure> {
    match directory.claim_key(&keyed.key, &keyed.request, now).await? {
        Known::New(claim) => Ok(Begun::New(claim)),
        Known::Answered(Answer { status, body }) => {
            Ok(Begun::Answered(Reply::kept(KeptAnswer { status, body })))
        }
        Known::UnderWay => Err(Failure::new(
            StatusCode::CONFLICT,
            "A request with this Idempotency-Key is under way. Ask again for its answer.",
        )
        .with_retry()),
        Known::OtherRequest => Err(Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "This Idempotency-Key was used for another request. Each request needs a key of its own.",
        )),
    }
}

/// What came of claiming a key.
pub enum Begun {
    /// The request is to be done.
    New(Claim),
    /// It was done before.
    Answered(Reply),
}

/// Keeps the outcome of a request whose key was claimed, where it is an answer; else its repeat is to be done anew.
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
