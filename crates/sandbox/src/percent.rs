//! Owns percent-encoding (RFC 3986) for the two parts of a URL with free text: a path and a password.

use std::fmt::Write as _;

/// Encodes every character except the unreserved ones.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn all_but_unreserved_characters_are_encoded() {
        assert_eq!(encoded("/run/ab-1._~ é"), "%2Frun%2Fab-1._~%20%C3%A9");
    }
}
