//! The path of a request, parsed before decoding. Each segment is decoded separately (RFC 3986 section 2.4), so a
//! `%2F` is part of a name. In the last segment everything from the first raw `&` on is parameters, as in the guide
//! (`/v2/resources/<t>/<g>/<mail>&displayName=…`); a `%26` is a literal ampersand.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Most paths have at most this many segments.
const USUAL_SEGMENTS: usize = 5;

/// A segment that is not UTF-8 after decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path is not UTF-8 after percent-decoding")]
pub struct PathError;

/// The parts of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath<'a> {
    /// The decoded segments.
    pub segments: Vec<Cow<'a, str>>,
    /// The text after the first `&` of the last segment, still encoded; empty if there is none.
    pub parameters: &'a str,
}

/// Parses a raw path.
///
/// # Errors
/// [`PathError`] if a segment is not UTF-8.
pub fn parse(raw: &str) -> Result<RequestPath<'_>, PathError> {
    let last = raw.rfind('/').map_or(0, |slash| slash + 1);
    let end = raw.get(last..).and_then(|segment| segment.find('&')).map_or(raw.len(), |at| last + at);
    let (path, parameters) = (raw.get(..end).unwrap_or(raw), raw.get(end + 1..).unwrap_or_default());
    let mut segments = Vec::with_capacity(USUAL_SEGMENTS);
    for segment in path.split('/').skip(1) {
        segments.push(percent_decode_str(segment).decode_utf8().map_err(|_| PathError)?);
    }
    Ok(RequestPath { segments, parameters })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_slash_or_ampersand_is_part_of_a_name() {
        let path = parse("/v2/users/a%2Fb/c%26d&e=%2F&f").unwrap();
        assert_eq!(path.segments, ["v2", "users", "a/b", "c&d"]);
        assert_eq!(path.parameters, "e=%2F&f");
    }

    #[test]
    fn an_ampersand_counts_in_the_last_segment_only() {
        let path = parse("/v2/a&b/c").unwrap();
        assert_eq!(path.segments, ["v2", "a&b", "c"]);
        assert_eq!(path.parameters, "");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(parse("/v2/%FF"), Err(PathError));
    }
}
