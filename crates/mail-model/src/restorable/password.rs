//! Passwords in a backup: complete hashes of limited cost. A bind computes the hash as the stored value demands, so
//! values with many rounds would keep the threads of the directory busy.

use crate::user::{
    command::Password,
    hash::{self, Flaw, MostWork, Stored},
};

/// Ten times the rounds of 389-ds 3, bcrypt of a quarter of a second, yescrypt with the default of `crypt_gensalt(3)`:
/// about a second of processor time.
const MOST: MostWork = MostWork { rounds: 1_000_000, bcrypt: 12, yescrypt: 5 };

/// Checks a value of `userPassword`.
pub(super) fn check(text: &str) -> Result<(), String> {
    match hash::read(text.as_bytes()).map_err(|flaw| flaw.to_string())? {
        Stored::Clear(_) => Password::parse(text).map(drop).map_err(|error| error.to_string()),
        Stored::Hash(cost) if cost.is_within(MOST) => Ok(()),
        Stored::Hash(_) => Err(Flaw::TooCostly.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "saHqQTuYnjJN/tmAndT.8mJt.6w";

    #[test]
    fn passwords_and_hashes_of_usual_cost_are_taken() {
        for value in [
            "Correct-Horse-7".to_owned(),
            format!("{{PBKDF2}}1000000$IlfapjA351LuDSwYC0IQ8Q${DIGEST}"),
            format!("{{CRYPT}}$2b$12${}", "a".repeat(53)),
            format!("{{CRYPT}}$6$rounds=1000000$salt${}", "a".repeat(86)),
            format!("{{GOST_YESCRYPT}}$gy$j9T$salt${}", "a".repeat(43)),
        ] {
            assert_eq!(check(&value), Ok(()), "{value}");
        }
    }

    #[test]
    fn hashes_that_cost_a_server_more_are_refused() {
        for value in [
            format!("{{PBKDF2}}1000001$IlfapjA351LuDSwYC0IQ8Q${DIGEST}"),
            format!("{{CRYPT}}$2b$13${}", "a".repeat(53)),
            format!("{{CRYPT-MD5}}$6$rounds=999999999$salt${}", "a".repeat(86)),
            format!("{{CRYPT}}$y$jAT$salt${}", "a".repeat(43)),
        ] {
            assert!(check(&value).is_err_and(|reason| reason.contains("takes too long")), "{value}");
        }
    }

    #[test]
    fn what_is_no_whole_hash_and_no_password_is_refused() {
        for value in ["", "{SSHA512}abc", "{ROT13}grfg", "{PBKDF2-SH"] {
            assert!(check(value).is_err(), "{value}");
        }
    }
}
