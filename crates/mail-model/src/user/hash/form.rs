//! The formats of hashes: what each scheme of 389-ds writes and accepts, in all its versions
//! (`ldap/servers/plugins/pwdstorage` and `src/plugins/pwdchan` of its source).

use super::{Cost, crypt};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};

/// Octets of the digests.
const MD5: usize = 16;
const SHA1: usize = 20;
const SHA256: usize = 32;
const SHA384: usize = 48;
const SHA512: usize = 64;
/// Octets of a salt after a digest: old versions of `OpenLDAP` write 4, 389-ds writes 8, none more than 64.
const SALT: std::ops::RangeInclusive<usize> = 4..=64;
/// Octets of a salt of PBKDF2: at least 8 (RFC 8018 section 4.1). passlib writes 16, 389-ds 24.
const PBKDF2_SALT: std::ops::RangeInclusive<usize> = 8..=64;
/// The fewest rounds of PBKDF2 (RFC 8018 section 4.2).
const FEWEST_ROUNDS: u32 = 1000;
/// Octets of the older PBKDF2 format: rounds, salt and digest.
const OLD_PBKDF2: usize = 4 + 64 + 256;
/// Hexadecimal digits of `NS-MTA-MD5`: digest and salt.
const MTA: usize = 32 + 32;

/// Base64 with padding, or without it as in passlib; unused bits are ignored.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The cost to check a hash of a scheme; `None` if the hash is not complete.
pub(super) fn cost(scheme: &str, hash: &str) -> Option<Cost> {
    match scheme {
        "CLEAR" => is_whole(!hash.is_empty() && !hash.contains('\0')),
        "MD5" => is_whole(decoded(hash)?.len() == MD5),
        "SMD5" => salted(hash, MD5),
        "SHA" => plain(hash, SHA1),
        "SHA256" => plain(hash, SHA256),
        "SHA384" => plain(hash, SHA384),
        "SHA512" => plain(hash, SHA512),
        "SSHA" => salted(hash, SHA1),
        "SSHA256" => salted(hash, SHA256),
        "SSHA384" => salted(hash, SHA384),
        "SSHA512" => salted(hash, SHA512),
        "NS-MTA-MD5" => is_whole(hash.len() == MTA && hash.bytes().all(|byte| byte.is_ascii_hexdigit())),
        "PBKDF2" | "PBKDF2-SHA1" => pbkdf2(hash, SHA1),
        "PBKDF2-SHA256" => pbkdf2(hash, SHA256),
        "PBKDF2-SHA512" => pbkdf2(hash, SHA512),
        "PBKDF2_SHA256" => old_pbkdf2(hash),
        "CRYPT" | "CRYPT-MD5" | "CRYPT-SHA256" | "CRYPT-SHA512" | "GOST_YESCRYPT" => crypt::cost(hash),
        _ => None,
    }
}

fn is_whole(is_whole: bool) -> Option<Cost> {
    is_whole.then_some(Cost::Fixed)
}

/// Base64 with padding, which reveals a truncation in three of four places.
fn decoded(hash: &str) -> Option<Vec<u8>> {
    // Old versions of 389-ds wrote a line break at the end, and the server still ignores it.
    BASE64_STANDARD.decode(hash.strip_suffix('\n').unwrap_or(hash)).ok()
}

/// A digest, with or without a salt after it: 389-ds treats the schemes with and without a salt alike.
fn plain(hash: &str, digest: usize) -> Option<Cost> {
    let salt = decoded(hash)?.len().checked_sub(digest)?;
    is_whole(salt == 0 || SALT.contains(&salt))
}

/// A digest, and its salt.
fn salted(hash: &str, digest: usize) -> Option<Cost> {
    is_whole(SALT.contains(&decoded(hash)?.len().checked_sub(digest)?))
}

/// `rounds$salt$digest` in base64, in which passlib and `OpenLDAP` write a dot instead of the plus sign.
fn pbkdf2(hash: &str, digest: usize) -> Option<Cost> {
    let mut parts = hash.split('$');
    let (rounds, salt, found) = (parts.next()?, parts.next()?, parts.next()?);
    let octets = |text: &str| LENIENT.decode(text.replace('.', "+")).ok().map(|octets| octets.len());
    let is_whole = parts.next().is_none() && PBKDF2_SALT.contains(&octets(salt)?) && octets(found)? == digest;
    cost_of(number(rounds).filter(|_| is_whole)?)
}

/// Base64 of the rounds in four octets, the salt, and the digest.
fn old_pbkdf2(hash: &str) -> Option<Cost> {
    let octets = decoded(hash).filter(|octets| octets.len() == OLD_PBKDF2)?;
    cost_of(u32::from_be_bytes(*octets.first_chunk()?))
}

fn cost_of(rounds: u32) -> Option<Cost> {
    (rounds >= FEWEST_ROUNDS).then_some(Cost::Rounds(rounds))
}

/// A number of digits only; one that is too large becomes the largest.
pub(super) fn number(digits: &str) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u32::MAX))
}
