//! Hashes of `crypt(5)`. The hash itself names its method, whatever its scheme is: 389-ds passes all of them to
//! `crypt(3)`, and compares as much as is stored.

use super::{Cost, form::number};

/// The most characters of a salt of SHA-2; `crypt(3)` truncates a longer one, and then the hash matches no password.
const LONGEST_SALT: usize = 16;
/// The rounds of SHA-2 in a hash that does not state them.
const USUAL_ROUNDS: u32 = 5000;
/// The most characters of a salt of yescrypt: 64 octets.
const LONGEST_YESCRYPT_SALT: usize = 86;
/// The parameters of yescrypt that `crypt_gensalt(3)` writes, from cost 1 on.
const YESCRYPT: [&str; 11] = ["j75", "j85", "j7T", "j8T", "j9T", "jAT", "jBT", "jCT", "jDT", "jET", "jFT"];

/// The cost to check a hash of DES, MD5, SHA-2, bcrypt or yescrypt; `None` if it is not complete, or of another method.
pub(super) fn cost(hash: &str) -> Option<Cost> {
    let Some(method) = hash.strip_prefix('$') else {
        return is_of(hash, 13).then_some(Cost::Fixed);
    };
    let (method, rest) = method.split_once('$')?;
    match method {
        "1" => salted(rest, 8, 22).then_some(Cost::Fixed),
        "5" => sha2(rest, 43),
        "6" => sha2(rest, 86),
        "2a" | "2b" | "2y" => bcrypt(rest),
        "y" | "gy" => yescrypt(rest),
        _ => None,
    }
}

fn sha2(rest: &str, digest: usize) -> Option<Cost> {
    let (rounds, rest) = match rest.strip_prefix("rounds=") {
        Some(rest) => rest.split_once('$').and_then(|(rounds, rest)| Some((number(rounds)?, rest)))?,
        None => (USUAL_ROUNDS, rest),
    };
    salted(rest, LONGEST_SALT, digest).then_some(Cost::Rounds(rounds))
}

/// Two digits, then salt and digest in one.
fn bcrypt(rest: &str) -> Option<Cost> {
    let (cost, rest) = rest.split_once('$')?;
    let cost = number(cost).filter(|number| cost.len() == 2 && *number >= 4)?;
    is_of(rest, 22 + 31).then_some(Cost::Bcrypt(cost))
}

fn yescrypt(rest: &str) -> Option<Cost> {
    let (parameters, rest) = rest.split_once('$')?;
    let place = YESCRYPT.iter().position(|known| *known == parameters)?;
    let cost = u32::try_from(place + 1).ok()?;
    salted(rest, LONGEST_YESCRYPT_SALT, 43).then_some(Cost::Yescrypt(cost))
}

/// Whether a text is a salt and a digest of this number of characters.
fn salted(text: &str, longest: usize, digest: usize) -> bool {
    text.split_once('$').is_some_and(|(salt, found)| {
        (1..=longest).contains(&salt.len()) && is_of(salt, salt.len()) && is_of(found, digest)
    })
}

/// Whether a text has this number of characters, all of the alphabet of `crypt(5)`.
fn is_of(text: &str, length: usize) -> bool {
    text.len() == length
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'))
}
