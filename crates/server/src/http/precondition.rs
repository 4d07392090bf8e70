//! The header `If-Match` (RFC 9110 section 13.1.1): which versions of a thing a change may be made to.

use super::answer::Failure;
use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
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
    let mut tags = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let strong = rest.strip_prefix("W/");
        let (tag, after) = strong.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        if strong.is_none() {
            tags.push(tag.to_owned());
        }
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    Some(tags)
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
}
