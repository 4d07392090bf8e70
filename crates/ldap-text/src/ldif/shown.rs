//! What may be shown of a text: in comments of the output, and in errors about the input.

use crate::attribute::AttributeName;

/// The number of characters of a line that an error shows.
const EXCERPT_LENGTH: usize = 40;

/// The endings of the names of attributes that hold passwords, password hashes or keys, in lower case. The list covers
/// more than 389 Directory Server has, since files also come from other servers. Settings of password policies
/// (`passwordMinLength`, `pwdPolicySubentry`) have other endings.
const SECRET: [&str; 15] = [
    "password",
    "passwordhash",
    "passwordhistory",
    "passwd",
    "pwd",
    "pwdhistory",
    "rootpw",
    "secret",
    "credential",
    "credentials",
    "privatekey",
    "krbprincipalkey",
    "krbmkey",
    "otpkey",
    "nthash",
];

/// The OIDs by which such attributes may be named: `userPassword` (RFC 4519 section 2.41) and `authPassword` (RFC 3112
/// section 3).
const SECRET_NUMBERS: [&str; 2] = ["2.5.4.35", "1.3.6.1.4.1.4203.1.3.4"];

/// Parts of names by which an unreadable line counts as secret: its name may be truncated or misspelled.
const HINTS: [&str; 7] = ["passw", "pwd", "rootpw", "secret", "credential", "key", "hash"];

/// Whether an attribute holds passwords or other secrets, whatever its options: `userPassword;lang-ru` is a password
/// too.
#[must_use]
pub fn is_secret(name: &AttributeName) -> bool {
    let name = name.as_str().split(';').next().unwrap_or_default().to_ascii_lowercase();
    SECRET.iter().any(|end| name.ends_with(end)) || SECRET_NUMBERS.contains(&name.as_str())
}

/// Whether an unreadable line may be secret, by the text before its colon.
pub(super) fn may_be_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let number = name.split(';').next().unwrap_or_default();
    HINTS.iter().any(|part| name.contains(part)) || SECRET_NUMBERS.contains(&number.trim())
}

/// Whether a character is not displayed as itself: control characters, Unicode line ends, and characters that change
/// the writing direction.
pub(super) fn is_misleading(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The start of a text, for an error; characters that are not displayed as themselves are escaped.
pub(super) fn excerpt(text: &[u8]) -> String {
    let mut shown = String::new();
    let mut left = EXCERPT_LENGTH;
    for chunk in text.utf8_chunks() {
        let characters = chunk.valid().chars().map(|character| {
            if is_misleading(character) { character.escape_default().to_string() } else { character.into() }
        });
        let bytes = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        for part in characters.chain(bytes) {
            if left == 0 {
                shown.push('…');
                return shown;
            }
            left -= 1;
            shown.push_str(&part);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_passwords_is_secret_whatever_its_options_and_its_spelling() {
        let secret = |name| is_secret(&AttributeName::parse(name).unwrap());
        for name in [
            "userPassword",
            "USERPASSWORD;lang-ru",
            "userPassword;vucsn-6b0bc9e8000300070001",
            "2.5.4.35",
            "2.5.4.35;x-a",
            "authPassword",
            "1.3.6.1.4.1.4203.1.3.4",
            "sambaNTPassword",
            "sambaPasswordHistory",
            "pwdHistory;binary",
            "unicodePwd",
            "nsslapd-rootpw",
            "nsDS5ReplicaCredentials",
            "krbPrincipalKey",
            "ipatokenOTPkey",
            "ipaNTHash",
            "radiusSecret",
        ] {
            assert!(secret(name) && may_be_secret(name), "{name}");
        }
        for name in
            ["cn", "passwordMinLength", "pwdPolicySubentry", "2.5.4.3", "pwdMustChange", "userCertificate"]
        {
            assert!(!secret(name), "{name}");
        }
    }
}
