//! The preconditions of requests. The header `If-Match` (RFC 9110 section 13.1.1) names the versions to which a change
//! may be made. The header `If-None-Match` (section 13.1.2) names the versions that the client has already.

use crate::answer::Failure;
use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{self, HeaderMap},
    },
};

/// The content of the header `If-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// The header is missing.
    Absent,
    /// `*`: the resource must exist, in any version.
    Any,
    /// The version must have one of these tags.
    OneOf(Vec<String>),
}

/// The longest header, in bytes: some fifty tags.
const MAX_LENGTH: usize = 4096;

/// Reads the header `If-Match` of a request. Weak tags never match, as RFC 9110 requires for this header.
///
/// # Errors
/// 400 if the header is not valid; 412 if all its tags are weak.
pub fn if_match(request: &HttpRequest) -> Result<IfMatch, Failure> {
    let (mut strong, mut is_any, mut is_list) = (Vec::new(), false, false);
    for value in request.headers().get_all(header::IF_MATCH) {
        let text = value.to_str().ok().filter(|text| text.len() <= MAX_LENGTH).ok_or_else(malformed)?;
        if text.trim() == "*" {
            is_any = true;
            continue;
        }
        for tag in EntityTags(text) {
            let EntityTag { tag, is_weak } = tag.ok_or_else(malformed)?;
            is_list = true;
            strong.extend((!is_weak).then(|| tag.to_owned()));
        }
    }
    if is_any {
        Ok(IfMatch::Any)
    } else if !strong.is_empty() {
        Ok(IfMatch::OneOf(strong))
    } else if is_list {
        Err(weak())
    } else if request.headers().contains_key(header::IF_MATCH) {
        Err(malformed())
    } else {
        Ok(IfMatch::Absent)
    }
}

fn malformed() -> Failure {
    Failure::new(
        StatusCode::BAD_REQUEST,
        "The header If-Match must be * or the ETag of an answer, with its quotation marks; several are separated by commas.",
    )
}

fn weak() -> Failure {
    Failure::new(
        StatusCode::PRECONDITION_FAILED,
        "The header If-Match has only weak tags (W/), and a weak tag matches no version. This server sends strong ones; a proxy \
         that compresses answers makes them weak. Send the tag without W/, or read without compression.",
    )
}

/// An entity tag.
struct EntityTag<'a> {
    tag: &'a str,
    is_weak: bool,
}

/// The tags of a list (RFC 9110 section 5.6.1: elements may be empty), in order. If the text is not a list of tags,
/// the last item is `None`.
struct EntityTags<'a>(&'a str);

impl<'a> Iterator for EntityTags<'a> {
    type Item = Option<EntityTag<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0 = self.0.trim_matches([',', ' ', '\t']);
        if self.0.is_empty() {
            return None;
        }
        let tag = self.take();
        if tag.is_none() {
            self.0 = "";
        }
        Some(tag)
    }
}

impl<'a> EntityTags<'a> {
    fn take(&mut self) -> Option<EntityTag<'a>> {
        let weak = self.0.strip_prefix("W/");
        let (tag, after) = weak.unwrap_or(self.0).strip_prefix('"')?.split_once('"')?;
        self.0 = after.trim_start();
        if !self.0.is_empty() && !self.0.starts_with(',') {
            return None;
        }
        Some(EntityTag { tag, is_weak: weak.is_some() })
    }
}

/// The content of the header `If-None-Match`: the versions that the client has.
#[derive(Clone, Copy)]
pub struct Known<'a>(&'a HeaderMap);

impl<'a> Known<'a> {
    /// Reads the header of a request.
    #[must_use]
    pub fn of_request(request: &'a HttpRequest) -> Self {
        Self(request.headers())
    }

    /// Whether a version is among them. Weak tags match too, as RFC 9110 requires for this header. An invalid header
    /// matches nothing: then the client gets the full answer, which does no harm.
    #[must_use]
    pub fn has(self, tag: &str) -> bool {
        let values = self.0.get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
        let is_named = |text: &str| EntityTags(text).flatten().any(|known| known.tag == tag);
        values.into_iter().any(|text| text.trim() == "*" || is_named(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(values: &[&str]) -> Option<IfMatch> {
        let request =
            values.iter().fold(TestRequest::default(), |r, v| r.append_header((header::IF_MATCH, *v)));
        if_match(&request.to_http_request()).ok()
    }

    fn one_of(tags: &[&str]) -> IfMatch {
        IfMatch::OneOf(tags.iter().map(|tag| (*tag).to_owned()).collect())
    }

    #[test]
    fn the_header_is_a_star_or_a_list_of_tags() {
        assert_eq!(read(&[]), Some(IfMatch::Absent));
        assert_eq!(read(&[" * "]), Some(IfMatch::Any));
        assert_eq!(read(&["\"1-2\""]), Some(one_of(&["1-2"])));
        assert_eq!(read(&["\"1-2\" , W/\"3-4\",\"a,b\"", "\"5-6\""]), Some(one_of(&["1-2", "a,b", "5-6"])));
        assert_eq!(read(&[", ,\"1-2\",, W/\"3-4\" ,", ""]), Some(one_of(&["1-2"])));
    }

    #[test]
    fn weak_tags_alone_are_explained() {
        for weak in ["W/\"1-2\"", "W/\"1-2\", ,W/\"3\""] {
            let request = TestRequest::default().append_header((header::IF_MATCH, weak)).to_http_request();
            let failure = if_match(&request).unwrap_err();
            assert_eq!(failure.status(), StatusCode::PRECONDITION_FAILED);
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for wrong in
            ["", " ", ",", " , ,", "1-2", "\"1-2", "\"1\" \"2\"", "w/\"1\"", "\"1\",x", "*, \"1\"", "\"1\",*"]
        {
            assert_eq!(read(&[wrong]), None, "{wrong}");
        }
        assert_eq!(read(&[&format!("\"{}\"", "x".repeat(5000))]), None);
    }

    #[test]
    fn what_the_client_has_is_named_by_weak_and_strong_tags_or_a_star() {
        let has = |values: &[&str]| {
            let request = values
                .iter()
                .fold(TestRequest::default(), |r, v| r.append_header((header::IF_NONE_MATCH, *v)));
            Known::of_request(&request.to_http_request()).has("1-2")
        };
        for yes in [&["\"1-2\""][..], &["W/\"1-2\""], &["\"3\" , \"1-2\""], &["\"3\"", "\"1-2\""], &[" * "]] {
            assert!(has(yes), "{yes:?}");
        }
        for no in
            [&[][..], &[""], &["1-2"], &["\"1-2"], &["\"1-3\""], &["w/\"1-2\""], &["\"3\" \"1-2\""], &["**"]]
        {
            assert!(!has(no), "{no:?}");
        }
    }
}
