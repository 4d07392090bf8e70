//! Hashes of passwords as servers store them: a scheme in braces, and what it makes of a password (RFC 2307 section 5.3).
//!
//! 389-ds does not check a hash that it stores, and compares it as far as it goes: one that was cut behind the salt fits
//! every password. So a hash is stored only when it is whole, by the form that its scheme has (`form`).

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

/// Schemes of other servers, above all `OpenLDAP`. 389-ds would store such a hash as if it were a password.
#[rustfmt::skip]
const OF_OTHERS: [&str; 10] = [
    "AES", "APR1", "ARGON2", "BCRYPT", "CLEARTEXT", "DES", "KERBEROS", "LANMAN", "SASL", "UNIX",
];

/// The work of checking a password against a hash: a bind does what the stored value asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// The same for every hash of the scheme.
    Fixed,
    /// Rounds of PBKDF2 or of SHA-2 in `crypt`.
    Rounds(u32),
    /// Rounds of bcrypt, as a power of two.
    Bcrypt(u32),
    /// Costs of yescrypt, counted as by `crypt_gensalt(3)`: 1 to 11.
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

/// Why a value of `userPassword` must not be stored. The texts follow the name of the attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The server would take the hash for a password.
    #[error(
        "is hashed by {{{0}}}, which 389 Directory Server does not know: it would take the hash for the password"
    )]
    UnknownScheme(String),
    /// It is not what the scheme makes.
    #[error("is not a whole hash of {{{0}}}: it was truncated or altered")]
    NotWhole(&'static str),
    /// It asks for too much work.
    #[error("is a hash that takes too long to check")]
    TooCostly,
    /// A scheme without its end: the rest of a hash that was cut.
    #[error("begins like a hash, with a brace and a letter, and has no closing brace: it was truncated")]
    Unclosed,
    /// The server knows hashes by their text.
    #[error("begins like a hash, with a brace, and is not text")]
    NotText,
}

/// Finds out what a value of `userPassword` is.
///
/// # Errors
/// [`Flaw`]: a hash that is not whole, or that no server should check.
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

/// The scheme that a value begins with, and the rest.
fn split(value: &str) -> Option<(&str, &str)> {
    value.strip_prefix('{')?.split_once('}')
}

/// The scheme that a text begins with, where some server has it: the text is a hash then.
pub(super) fn known_scheme(text: &str) -> Option<&'static str> {
    let (scheme, _) = split(text)?;
    OF_389_DS.into_iter().chain(OF_OTHERS).find(|known| known.eq_ignore_ascii_case(scheme))
}

/// The most work of each kind.
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
    /// What any hash may cost: 389-ds makes none of more rounds of PBKDF2, and the others take no longer: some seconds.
    const MOST: MostWork = MostWork { rounds: 10_000_000, bcrypt: 16, yescrypt: 11 };

    /// Whether it is no more than that.
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
