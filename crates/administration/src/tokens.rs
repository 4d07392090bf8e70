//! Tokens: JWTs (RFC 7519) signed with HS256. Access and refresh tokens are of different kinds, and neither is
//! accepted in place of the other. The server stores nothing about them: a token carries the entry's identifier and
//! the value of [`Account::tokens_valid_from`] at log-in, and is valid while the entry has the same value. Comparing
//! the values for equality, not as times, is safe even if the clocks of replicas differ, or a log-in with the old
//! password ends after the password was changed.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use mail_model::user::account::Account;
use moka::sync::Cache;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// The shortest signing key in octets: the output of SHA-256 (RFC 7518 section 3.2).
pub const MIN_KEY: usize = 32;
/// The longest token that is accepted, in octets; tokens of pbm have about 300.
const MAX_TOKEN: usize = 2048;
/// The largest number of cached verifications: about 700 bytes each.
const MOST_VERIFIED: u64 = 10_000;
const VERIFIED_IDLE: Duration = Duration::from_secs(300);
const ISSUER: &str = "pbm";

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Authenticates requests.
    Access,
    /// Renews an access token.
    Refresh,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    kind: TokenKind,
    sub: String,
    iat: i64,
    exp: i64,
    /// The account's `tokens_valid_from` at log-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mark: Option<String>,
}

/// Why a token is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// It was not issued by pbm, or is of the wrong kind.
    #[error("the token is not valid")]
    Invalid,
}

/// The content of a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The identifier of the account's entry.
    pub id: String,
    mark: Option<String>,
    expires: i64,
}

impl Subject {
    /// Whether the account's tokens from that log-in are still valid.
    #[must_use]
    pub fn is_current(&self, account: &Account) -> bool {
        self.id == account.id && self.mark == account.tokens_valid_from
    }

    fn unless_expired(self: Arc<Self>, now: Timestamp) -> Result<Arc<Self>, TokenError> {
        if self.expires <= now.as_second() { Err(TokenError::Expired) } else { Ok(self) }
    }
}

/// How long tokens are valid, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Of an access token.
    pub access_seconds: u32,
    /// Of a refresh token.
    pub refresh_seconds: u32,
}

/// Issues and verifies tokens.
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    /// Access tokens whose signature was verified lately. The result never changes, and the verification is the most
    /// expensive part of authentication.
    verified: Cache<String, Arc<Subject>>,
}

impl Tokens {
    /// Creates it with a signing key.
    #[must_use]
    pub fn new(key: &SecretString) -> Self {
        let bytes = key.expose_secret().as_bytes();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "exp", "sub"]);
        // Checked below, against the time that is passed in.
        validation.validate_exp = false;
        validation.validate_aud = false;
        Self {
            signing: EncodingKey::from_secret(bytes),
            verifying: DecodingKey::from_secret(bytes),
            validation,
            verified: Cache::builder().max_capacity(MOST_VERIFIED).time_to_idle(VERIFIED_IDLE).build(),
        }
    }

    /// Issues a token.
    ///
    /// # Errors
    /// The library's error; it has no reason to fail.
    pub fn issue(
        &self,
        kind: TokenKind,
        account: &Account,
        lifetimes: Lifetimes,
        now: Timestamp,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let seconds = match kind {
            TokenKind::Access => lifetimes.access_seconds,
            TokenKind::Refresh => lifetimes.refresh_seconds,
        };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            kind,
            sub: account.id.clone(),
            iat: now.as_second(),
            exp: now.as_second().saturating_add(i64::from(seconds)),
            mark: account.tokens_valid_from.clone(),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
    }

    /// Verifies an access token.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read_access(&self, token: &str, now: Timestamp) -> Result<Arc<Subject>, TokenError> {
        if let Some(known) = self.verified.get(token) {
            return known.unless_expired(now);
        }
        let subject = self.verify(TokenKind::Access, token)?;
        let subject = Arc::new(subject).unless_expired(now)?;
        self.verified.insert(token.to_owned(), subject.clone());
        Ok(subject)
    }

    /// Verifies a refresh token.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn read_refresh(&self, token: &str, now: Timestamp) -> Result<Arc<Subject>, TokenError> {
        Arc::new(self.verify(TokenKind::Refresh, token)?).unless_expired(now)
    }

    fn verify(&self, kind: TokenKind, token: &str) -> Result<Subject, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Invalid);
        }
        let claims = decode::<Claims>(token, &self.verifying, &self.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        if claims.kind != kind {
            return Err(TokenError::Invalid);
        }
        Ok(Subject { id: claims.sub, mark: claims.mark, expires: claims.exp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_model::{address::MailAddress, tenant::TenantId, user::role::Role};

    const LIFETIMES: Lifetimes = Lifetimes { access_seconds: 3600, refresh_seconds: 360_000 };

    fn account() -> Account {
        Account {
            id: "1234".into(),
            mail: MailAddress::parse("a@example.com").unwrap(),
            tenant: TenantId::default_tenant(),
            role: Role::User,
            tokens_valid_from: None,
        }
    }

    fn tokens() -> Tokens {
        Tokens::new(&"0123456789abcdef0123456789abcdef".into())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_counts_until_its_last_second() {
        let token = tokens().issue(TokenKind::Access, &account(), LIFETIMES, at(1000)).unwrap();
        let tokens = tokens();
        // Twice: the second time it comes from the cache.
        assert!((0..2).all(|_| tokens.read_access(&token, at(1000 + 3599)).is_ok()));
        assert_eq!(tokens.read_access(&token, at(1000 + 3600)), Err(TokenError::Expired));
    }

    #[test]
    fn a_refresh_token_is_no_access_token_and_the_other_way_round() {
        let token = |kind| tokens().issue(kind, &account(), LIFETIMES, at(0)).unwrap();
        assert_eq!(tokens().read_refresh(&token(TokenKind::Access), at(1)), Err(TokenError::Invalid));
        assert_eq!(tokens().read_access(&token(TokenKind::Refresh), at(1)), Err(TokenError::Invalid));
    }

    #[test]
    fn a_cut_foreign_or_unsigned_token_does_not_count() {
        let token = tokens().issue(TokenKind::Access, &account(), LIFETIMES, at(0)).unwrap();
        let foreign = Tokens::new(&"another key of at least 32 octets".into());
        assert_eq!(foreign.read_access(&token, at(1)), Err(TokenError::Invalid));
        let cut = &token[..token.len() - 1];
        let body = token.split('.').nth(1).unwrap();
        // {"alg":"none","typ":"JWT"}
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.");
        for wrong in [cut, &unsigned, "", "a.b.c", &"a".repeat(5000)] {
            assert_eq!(tokens().read_access(wrong, at(1)), Err(TokenError::Invalid), "{wrong}");
        }
    }

    #[test]
    fn tokens_of_before_a_revocation_are_not_current() {
        let token = tokens().issue(TokenKind::Access, &account(), LIFETIMES, at(0)).unwrap();
        let subject = tokens().read_access(&token, at(1)).unwrap();
        assert!(subject.is_current(&account()));
        let revoked = Account { tokens_valid_from: Some("20260101000000Z".into()), ..account() };
        assert!(!subject.is_current(&revoked));
    }
}
