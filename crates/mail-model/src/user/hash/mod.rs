//! Hashes of passwords as servers store them: a scheme in braces, and the value of that scheme (RFC 2307 section 5.3).
//!
//! 389-ds stores a hash without checking it, and compares only as much as is stored: a hash that is truncated after the
//! salt matches every password. So a hash is stored only if it is complete, by the format of its scheme (`form`).

mod crypt;
mod form;
#[cfg(test)]
mod tests;

/// Schemes that 389-ds knows (`cn=Password Storage Schemes,cn=plugins,cn=config` of 2.3).
#[rustfmt::skip]
const OF_389_DS: [&str; 22] = [
    "CLEAR", "CRYPT", "CRYPT-MD5", "CRYPT-SHA256", "CRYPT-SHA512", "GOST_YESCRYPT", "MD5", "NS-MTA-MD5",
    "PBKDF2", "PBKDF2-SHA1", "PBKDF2-SHA256", "PBKDF2-SHA512", "PBKDF2_SHA256", "SHA", "SHA256", "SHA384",
    "SHA512", "SMD5", "SSHA", "SSHA256", "SSHA384", "SSHA512",
];

/// Schemes of other servers, mainly `OpenLDAP`. 389-ds would store such a hash as if it were a password.
#[rustfmt::skip]
const OF_OTHERS: [&str; 10] = [
    "AES", "APR1", "ARGON2", "BCRYPT", "CLEARTEXT", "DES", "KERBEROS", "LANMAN", "SASL", "UNIX",
];

/// The work to check a password against a hash; a bind does the work that the stored value demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// The same work for all hashes of the scheme.
    Fixed,
    /// Rounds of PBKDF2 or of SHA-2 in `crypt`.
    Rounds(u32),
    /// Rounds of bcrypt, as a power of two.
    Bcrypt(u32),
    /// The cost of yescrypt, as for `crypt_gensalt(3)`: 1 to 11.
    Yescrypt(u32),
}

/// A value of `userPassword`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored<'a> {
    /// A password, which the server hashes.
    Clear(&'a [u8]),
    /// A hash, which the server stores as it is.
    Hash(Cost),
}

/// Why a value of `userPassword` must not be stored. The messages follow the name of the attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The server would treat the hash as a password.
    #[error(
        "is hashed by {{{0}}}, which 389 Directory Server does not know: it would take the hash for the password"
    )]
    UnknownScheme(String),
    /// The value does not have the format of the scheme.
    #[error("is not a whole hash of {{{0}}}: it was truncated or altered")]
    NotWhole(&'static str),
    /// The hash demands too much work.
    #[error("is a hash that takes too long to check")]
    TooCostly,
    /// A scheme without a closing brace: a truncated hash.
    #[error("begins like a hash, with a brace and a letter, and has no closing brace: it was truncated")]
    Unclosed,
    /// The value is not text, and schemes are.
    #[error("begins like a hash, with a brace, and is not text")]
    NotText,
}

/// Determines the kind of a value of `userPassword`.
///
/// # Errors
/// [`Flaw`] for a hash that is not complete, or that no server should check.
pub fn read(value: &[u8]) -> Result<Stored<'_>, Flaw> {
    if !value.starts_with(b"{") {
        return Ok(Stored::Clear(value));
    }
    let text = str::from_utf8(value).map_err(|_| Flaw::NotText)?;
    let Some((name, hash)) = split(text) else {
        let is_scheme = value.get(1).is_some_and(u8::is_ascii_alphabetic);
        return if is_scheme { Err(Flaw::Unclosed) } else { Ok(Stored::Clear(value)) };
    };
    let scheme = OF_389_DS.into_iter().find(|known| known.eq_ignore_ascii_case(name));
    let scheme = scheme.ok_or_else(|| Flaw::UnknownScheme(name.to_owned()))?;
    let cost = form::cost(scheme, hash).ok_or(Flaw::NotWhole(scheme))?;
    if cost.is_within(Cost::MOST) { Ok(Stored::Hash(cost)) } else { Err(Flaw::TooCostly) }
}

/// The scheme at the beginning of a value, and the rest.
fn split(value: &str) -> Option<(&str, &str)> {
    value.strip_prefix('{')?.split_once('}')
}

/// The scheme at the beginning of a text, if a server has it: then the text is a hash.
pub(super) fn known_scheme(text: &str) -> Option<&'static str> {
    let (scheme, _) = split(text)?;
    OF_389_DS.into_iter().chain(OF_OTHERS).find(|known| known.eq_ignore_ascii_case(scheme))
}

/// The limits of the work, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MostWork {
    /// Rounds.
    pub rounds: u32,
    /// Rounds of bcrypt, as a power of two.
    pub bcrypt: u32,
    /// Cost of yescrypt.
    pub yescrypt: u32,
}

impl Cost {
    /// The limit for all hashes: 389-ds makes none with more rounds of PBKDF2, and the other kinds take no longer, some
    /// seconds.
    const MOST: MostWork = MostWork { rounds: 10_000_000, bcrypt: 16, yescrypt: 11 };

    /// Whether the cost is within limits.
    #[must_use]
    pub fn is_within(self, most: MostWork) -> bool {
        match self {
            Self::Fixed => true,
            Self::Rounds(rounds) => rounds <= most.rounds,
            Self::Bcrypt(cost) => cost <= most.bcrypt,
            Self::Yescrypt(cost) => cost <= most.yescrypt,
        }
    }
}
