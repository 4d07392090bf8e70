//! Tokens: a follower's position in the feed, as an opaque text.
//!
//! A token is 40 octets in base64url (RFC 4648 section 5): the epoch, the two positions, and a digest that detects
//! truncated or altered tokens and tokens of another tenant. A token is not a secret and protects none: a forged
//! token gives access to the same contacts.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mail_model::tenant::TenantId;
use sha2::{Digest, Sha256};

/// The prefix of the digested octets: another token format would have another prefix.
const FORM: &[u8] = b"change feed 1\0";
const NUMBER: usize = 8;
const NUMBERS: usize = 3 * NUMBER;
const DIGEST: usize = 16;

/// The position of a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// The feed that it follows: a rebuilt feed has another epoch.
    pub(super) epoch: u64,
    /// The follower has seen all changes up to this number.
    pub(super) position: u64,
    /// The newest change when the follower began: it has never seen the entries that were removed up to then.
    pub(super) began: u64,
}

impl Token {
    /// The text of the token for a tenant.
    pub(super) fn write(self, tenant: &TenantId) -> String {
        let mut octets = Vec::with_capacity(NUMBERS + DIGEST);
        for number in [self.epoch, self.position, self.began] {
            octets.extend(number.to_be_bytes());
        }
        octets.extend(digest(&octets, tenant));
        URL_SAFE_NO_PAD.encode(octets)
    }

    /// Parses a token that was written for a tenant.
    pub(super) fn read(text: &str, tenant: &TenantId) -> Option<Self> {
        let octets = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (numbers, told) = octets.split_at_checked(NUMBERS)?;
        if digest(numbers, tenant) != told {
            return None;
        }
        let (epoch, rest) = number(numbers)?;
        let (position, rest) = number(rest)?;
        let (began, _) = number(rest)?;
        Some(Self { epoch, position, began })
    }
}

fn number(octets: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = octets.split_first_chunk::<NUMBER>()?;
    Some((u64::from_be_bytes(*number), rest))
}

fn digest(numbers: &[u8], tenant: &TenantId) -> Vec<u8> {
    let digest =
        Sha256::new().chain_update(FORM).chain_update(numbers).chain_update(tenant.as_str()).finalize();
    digest.into_iter().take(DIGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Token = Token { epoch: 7, position: u64::MAX, began: 0 };

    fn tenant(text: &str) -> TenantId {
        TenantId::parse(text).unwrap()
    }

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let text = TOKEN.write(&tenant("acme"));
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{text}");
        assert_eq!(Token::read(&text, &tenant("acme")), Some(TOKEN));
    }

    #[test]
    fn a_token_of_another_tenant_says_nothing() {
        assert_eq!(Token::read(&TOKEN.write(&tenant("acme")), &tenant("acme2")), None);
    }

    #[test]
    fn a_token_that_was_cut_or_altered_says_nothing() {
        let text = TOKEN.write(&tenant("acme"));
        for place in 0..text.len() {
            assert_eq!(Token::read(&text[..place], &tenant("acme")), None, "cut at {place}");
            for other in ["A", "B", "_", "=", "я", "", "AA"] {
                let altered = format!("{}{other}{}", &text[..place], &text[place + 1..]);
                if altered != text {
                    assert_eq!(Token::read(&altered, &tenant("acme")), None, "{altered}");
                }
            }
        }
        assert_eq!(Token::read(&format!("{text}A"), &tenant("acme")), None);
        assert_eq!(Token::read("42", &tenant("acme")), None);
    }
}
