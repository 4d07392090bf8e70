//! Requests with an idempotency key: claiming the key, and storing the answer.

use super::answer::Failure;
use actix_web::http::StatusCode;
use administration::Administration;
use directory::answers::Known;
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
pub async fn claim(keyed: &Keyed, administration: &Administration, now: Timestamp) -> Result<Begun, Failure> {
    match administration.claim_answer(&keyed.key, &keyed.request, now).await? {
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
pub async fn keep(administration: &Administration, claim: &Claim, outcome: &Result<Reply, Failure>) {
    let answer = match outcome {
        Ok(reply) => reply.to_keep(),
        Err(failure) => failure.to_keep(),
    };
    let answer = answer.map(|KeptAnswer { status, body }| Answer { status, body });
    if let Err(error) = administration.end_claim(claim, answer.as_ref()).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "http.answer_not_kept");
    }
}
