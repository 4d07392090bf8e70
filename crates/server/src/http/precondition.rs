//! The conditions of requests. The header `If-Match` (RFC 9110 section 13.1.1): which versions of a thing a change may be
//! made to. The header `If-None-Match` (section 13.1.2): which versions the client has already.

use super::answer::Failure;
use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{self, HeaderMap},
    },
};
use mail_model::revision::Precondition;

/// Longest header in bytes: some fifty tags.
const MAX_LENGTH: usize = 4096;

/// Reads the header of a request. Weak tags are read and never match, as the standard wants it for this header.
///
/// # Errors
/// 400 when it is none.
pub fn of_request(request: &HttpRequest) -> Result<Precondition, Failure> {
    let mut tags = Vec::new();
    let mut any = false;
    for value in request.headers().get_all(header::IF_MATCH) {
        let text = value.to_str().ok().filter(|text| text.len() <= MAX_LENGTH).ok_or_else(malformed)?;
        if text.trim() == "*" {
            any = true;
        } else {
            tags.extend(parse(text).ok_or_else(malformed)?);
        }
    }
    match (any, request.headers().contains_key(header::IF_MATCH)) {
        (true, _) => Ok(Precondition::AnyVersion),
        (false, true) => Ok(Precondition::OneOf(tags)),
        (false, false) => Ok(Precondition::None),
    }
}

fn malformed() -> Failure {
    Failure::new(
        StatusCode::BAD_REQUEST,
        "The header If-Match must be * or the ETag of an answer, with its quotation marks; several are separated by commas.",
    )
}

/// The strong tags of a list (`1#entity-tag`).
fn parse(text: &str) -> Option<Vec<String>> {
    let mut strong = Vec::new();
    for tag in EntityTags(text.trim()) {
        let EntityTag { tag, is_weak } = tag?;
        if !is_weak {
            strong.push(tag.to_owned());
        }
    }
    Some(strong)
}

/// A tag of a list.
struct EntityTag<'a> {
    tag: &'a str,
    is_weak: bool,
}

/// The tags of a list, one after the other; `None`, and then no more, where it is no list of tags.
struct EntityTags<'a>(&'a str);

impl<'a> Iterator for EntityTags<'a> {
    type Item = Option<EntityTag<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
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
        let after = after.trim_start();
        self.0 = match after.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
        Some(EntityTag { tag, is_weak: weak.is_some() })
    }
}

/// What the header `If-None-Match` of a request says: which versions of what it reads the client has.
#[derive(Clone, Copy)]
pub struct Known<'a>(&'a HeaderMap);

impl<'a> Known<'a> {
    /// What a request says.
    #[must_use]
    pub fn of_request(request: &'a HttpRequest) -> Self {
        Self(request.headers())
    }

    /// Whether a version is among them; weak tags count as well, as the standard wants it for this header. What is no
    /// list of tags names none: nothing is lost by a whole answer.
    #[must_use]
    pub fn has(self, tag: &str) -> bool {
        let values = self.0.get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
        let is_named = |text: &str| EntityTags(text.trim()).flatten().any(|known| known.tag == tag);
        values.into_iter().any(|text| text.trim() == "*" || is_named(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(values: &[&str]) -> Option<Precondition> {
        let request =
            values.iter().fold(TestRequest::default(), |r, v| r.append_header((header::IF_MATCH, *v)));
        of_request(&request.to_http_request()).ok()
    }

    fn one_of(tags: &[&str]) -> Precondition {
        Precondition::OneOf(tags.iter().map(|tag| (*tag).to_owned()).collect())
    }

    #[test]
    fn the_header_is_a_star_or_a_list_of_tags() {
        assert_eq!(read(&[]), Some(Precondition::None));
        assert_eq!(read(&[" * "]), Some(Precondition::AnyVersion));
        assert_eq!(read(&["\"1-2\""]), Some(one_of(&["1-2"])));
        assert_eq!(read(&["\"1-2\" , W/\"3-4\",\"a,b\"", "\"5-6\""]), Some(one_of(&["1-2", "a,b", "5-6"])));
        // Weak tags alone match nothing, which is not the same as no condition.
        assert_eq!(read(&["W/\"1-2\""]), Some(one_of(&[])));
        assert_eq!(read(&[""]), Some(one_of(&[])));
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for wrong in ["1-2", "\"1-2", "\"1\" \"2\"", "w/\"1\"", "\"1\",x"] {
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
