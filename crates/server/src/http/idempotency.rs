//! The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that makes something and is
//! repeated with its key is answered with the first answer. Who sends the key is part of it, so nobody learns
//! another one's answers.

use super::answer::{Failure, Reply};
use crate::auth::Actor;
use actix_web::{
    HttpRequest,
    http::{StatusCode, header::HeaderName},
};
use directory::{Directory, answers::Known, error::DirectoryError};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use mail_model::answer::Claim;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::fmt::Write as _;

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key in characters.
pub const MAX_KEY: usize = 255;

/// Makes digests of keys and requests. They are keyed: a request may hold a password, and whoever reads the directory
/// must not be able to guess it.
#[derive(Clone)]
pub struct Digests(Hmac<Sha256>);

impl Digests {
    /// With the installation's secret, which all replicas share.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
    pub fn new(secret: &SecretString) -> Self {
        let mac = Hmac::new_from_slice(secret.expose_secret().as_bytes());
        Self(mac.expect("any length will do"))
    }

    /// A digest of some parts, in hexadecimal digits; parts that are cut otherwise give another one.
    fn of(&self, parts: &[&[u8]]) -> String {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
            let _a_string_takes_all = write!(text, "{byte:02x}");
            text
        })
    }
}

/// A request with a key, as digests.
pub struct Keyed {
    key: String,
    request: String,
}

impl Keyed {
    /// The key of a request; `None` where it has none.
    ///
    /// # Errors
    /// 400 when it is no key.
    pub fn of_request(
        digests: &Digests,
        actor: &Actor,
        request: &HttpRequest,
        body: &[u8],
    ) -> Result<Option<Self>, Failure> {
        let mut values = request.headers().get_all(HEADER);
        let Some(value) = values.next() else { return Ok(None) };
        let is_key = |key: &&str| {
            (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
        };
        let key = value.to_str().ok().filter(is_key).filter(|_| values.next().is_none());
        let key = key.ok_or_else(|| {
            let message =
                format!("The header Idempotency-Key must be one text of 1 to {MAX_KEY} ASCII characters.");
            Failure::new(StatusCode::BAD_REQUEST, &message)
        })?;
        let parts = [request.method().as_str(), request.uri().path(), request.query_string()];
        let [method, path, query] = parts.map(str::as_bytes);
        Ok(Some(Self {
            key: digests.of(&[b"key", actor.log_id().as_bytes(), key.as_bytes()]),
            request: digests.of(&[b"request", method, path, query, body]),
        }))
    }

    /// Claims the key; an answer that was given before comes back as it was.
    ///
    /// # Errors
    /// 409 while the first request is under way, 422 when the key was another request's.
    pub async fn claim(&self, directory: &Directory, now: Timestamp) -> Result<Begun, Failure> {
        match directory.claim_key(&self.key, &self.request, now).await? {
            Known::New(claim) => Ok(Begun::New(claim)),
            Known::Answered(answer) => Ok(Begun::Answered(Reply::kept(answer))),
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
        Some(answer) => directory.keep_answer(claim, &answer).await,
        None => directory.forget_claim(claim).await,
    };
    if let Err(error) = kept {
        tracing::warn!(error = &error as &dyn std::error::Error, "http.answer_not_kept");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_depend_on_the_secret_and_on_where_the_parts_are_cut() {
        let digests = Digests::new(&SecretString::from("secret"));
        let one = digests.of(&[b"ab", b"c"]);
        assert_eq!(one.len(), 64);
        assert_eq!(one, digests.of(&[b"ab", b"c"]));
        assert_ne!(one, digests.of(&[b"a", b"bc"]));
        assert_ne!(one, Digests::new(&SecretString::from("other")).of(&[b"ab", b"c"]));
    }
}
