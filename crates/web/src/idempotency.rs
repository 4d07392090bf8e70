//! The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): if a request that creates something is
//! repeated with the same key, it gets the first answer. The caller is part of the key, so nobody can obtain the
//! answers of others.

use crate::answer::Failure;
use actix_web::{
    HttpRequest,
    http::{StatusCode, header::HeaderName},
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::fmt::Write as _;

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in characters.
pub const MAX_KEY: usize = 255;

/// Computes digests of keys and requests. They are keyed: a request may contain a password, and a reader of the
/// directory must not be able to guess it.
#[derive(Clone)]
pub struct Digests(Hmac<Sha256>);

impl Digests {
    /// Creates it with the installation's secret, which all replicas share.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104)")]
    pub fn new(secret: &SecretString) -> Self {
        let mac = Hmac::new_from_slice(secret.expose_secret().as_bytes());
        Self(mac.expect("any length will do"))
    }

    /// A digest of some parts, in hexadecimal digits. It depends on where one part ends and the next begins.
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

/// A request with an idempotency key, as digests.
pub struct Keyed {
    /// The digest of the key and the caller.
    pub key: String,
    /// The digest of the request.
    pub request: String,
}

impl Keyed {
    /// The key of a caller's request; `None` if it has no key.
    ///
    /// # Errors
    /// 400 if the key is not valid.
    pub fn of_request(
        digests: &Digests,
        who: &str,
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
            key: digests.of(&[b"key", who.as_bytes(), key.as_bytes()]),
            request: digests.of(&[b"request", method, path, query, body]),
        }))
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
