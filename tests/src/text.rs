//! Text encodings for requests.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// RFC 3986, section 2.3: the characters that need no encoding.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text encoded for a path segment, a query and a form.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A form body.
pub fn form<K: AsRef<str>, V: AsRef<str>>(pairs: &[(K, V)]) -> String {
    let pair = |(name, value): &(K, V)| format!("{}={}", encoded(name.as_ref()), encoded(value.as_ref()));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}
