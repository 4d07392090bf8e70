//! Parameters of a request: from the end of the path, the query string, a form body with any method, or a flat JSON
//! object. Decoding is strict: text that is not UTF-8, a value that is too long, too many parameters or a repeated one
//! is an error that names it. Parameters in the body take precedence over the query, and empty pairs (`&page=1`) are
//! skipped.

use crate::answer::Message;
use percent_encoding::percent_decode;
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};
use visible_text::{Visible, is_blank};

/// The largest number of parameters of a request. The documented request with the most parameters has about 20, and a
/// mailing list may be given 5,000 members, each as a parameter or as an element of a JSON list.
pub const MAX_PARAMETERS: usize = 5100;
/// The largest number of different parameter names: five times as many as any documented request has.
pub const MAX_NAMES: usize = 100;
/// The longest name of a parameter, in bytes.
pub const MAX_NAME: usize = 64;
/// The longest value of a parameter, in bytes: 100 aliases of 254 bytes after percent-decoding, and as much again.
pub const MAX_VALUE: usize = 64 * 1024;

/// An error in the parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Too many.
    #[error(
        "there are too many parameters: at most {MAX_PARAMETERS}, of at most {MAX_NAMES} different names"
    )]
    TooMany,
    /// A name that is too long, or not UTF-8.
    #[error("the name of a parameter is not UTF-8, or longer than {MAX_NAME} bytes")]
    Name,
    /// A value that is too long.
    #[error("{} is too long: at most {MAX_VALUE} bytes", Visible(.0))]
    TooLong(String),
    /// A value that is not UTF-8.
    #[error("{} is not UTF-8 after percent-decoding", Visible(.0))]
    NotUtf8(String),
    /// A single-valued parameter with several values.
    #[error("{0} is given more than once")]
    Repeated(String),
    /// The body is not a flat JSON object.
    #[error("the body must be a flat JSON object: texts, numbers, true, false, null, or lists of texts")]
    Json,
}

impl FormError {
    /// The parameter that the error is about, if it is about one.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::TooLong(name) | Self::NotUtf8(name) | Self::Repeated(name) => Some(name),
            Self::TooMany | Self::Name | Self::Json => None,
        }
    }
}

impl From<FormError> for Message {
    fn from(error: FormError) -> Self {
        match error.parameter() {
            Some(name) => Self::of_parameter(name, &error.to_string()),
            None => Self::Text(error.to_string()),
        }
    }
}

/// The parameters of a request. Those that a handler does not take are ignored, and the answer names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    given: BTreeMap<String, Vec<String>>,
    /// The number of values, including those that were taken.
    count: usize,
    /// The names that handlers have requested, in debug builds: a test checks that the API's document has them.
    asked: BTreeSet<&'static str>,
}

/// The body of a request, by its content type.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// `application/x-www-form-urlencoded`
    Form(&'a [u8]),
    /// `application/json`
    Json(&'a [u8]),
}

impl Parameters {
    /// Decodes the parameters of a request.
    ///
    /// # Errors
    /// [`FormError`] names the invalid parameter.
    pub fn decode(path_tail: &str, query: &str, body: Body<'_>) -> Result<Self, FormError> {
        let mut parameters = Self::default();
        for pair in pairs(path_tail.as_bytes()).chain(pairs(query.as_bytes())) {
            let (name, value) = decode_pair(pair)?;
            parameters.add(name, value)?;
        }
        let mut from_body = Self::default();
        match body {
            Body::Form(bytes) => {
                for pair in pairs(bytes) {
                    let (name, value) = decode_pair(pair)?;
                    from_body.add(name, value)?;
                }
            }
            Body::Json(bytes) => from_body.add_json(bytes)?,
        }
        parameters.given.extend(from_body.given);
        parameters.count += from_body.count;
        Ok(parameters)
    }

    /// The parameters from the names and values of a table row.
    ///
    /// # Errors
    /// [`FormError`] names the invalid parameter.
    pub fn of_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, FormError> {
        let mut parameters = Self::default();
        for (name, value) in pairs {
            parameters.add(name, value)?;
        }
        Ok(parameters)
    }

    /// The parameters from a flat JSON object.
    ///
    /// # Errors
    /// [`FormError`] names the invalid parameter.
    pub fn of_object(object: serde_json::Map<String, serde_json::Value>) -> Result<Self, FormError> {
        let mut parameters = Self::default();
        parameters.add_object(object)?;
        Ok(parameters)
    }

    fn add(&mut self, name: String, value: String) -> Result<(), FormError> {
        if self.count >= MAX_PARAMETERS {
            return Err(FormError::TooMany);
        }
        if name.len() > MAX_NAME {
            return Err(FormError::Name);
        }
        if value.len() > MAX_VALUE {
            return Err(FormError::TooLong(name));
        }
        self.count += 1;
        let is_full = self.given.len() >= MAX_NAMES;
        match self.given.entry(name) {
            Entry::Occupied(values) => values.into_mut().push(value),
            Entry::Vacant(_) if is_full => return Err(FormError::TooMany),
            Entry::Vacant(place) => {
                place.insert(vec![value]);
            }
        }
        Ok(())
    }

    /// Adds the parameters of a JSON text, which may begin with a byte order mark (RFC 8259 section 8.1).
    fn add_json(&mut self, bytes: &[u8]) -> Result<(), FormError> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        self.add_object(serde_json::from_slice(bytes).map_err(|_| FormError::Json)?)
    }

    fn add_object(&mut self, object: serde_json::Map<String, serde_json::Value>) -> Result<(), FormError> {
        use serde_json::Value;
        let scalar = |value: Value| match value {
            Value::Null => Some(String::new()),
            Value::Bool(value) => Some(u8::from(value).to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) => Some(text),
            Value::Array(_) | Value::Object(_) => None,
        };
        for (name, value) in object {
            match value {
                Value::Array(values) if values.is_empty() => self.add(name, String::new())?,
                Value::Array(values) => {
                    for value in values {
                        self.add(name.clone(), scalar(value).ok_or(FormError::Json)?)?;
                    }
                }
                value => self.add(name, scalar(value).ok_or(FormError::Json)?)?,
            }
        }
        Ok(())
    }

    /// Takes a single-valued parameter.
    ///
    /// # Errors
    /// [`FormError::Repeated`] if it has several values.
    pub fn take(&mut self, name: &'static str) -> Result<Option<String>, FormError> {
        let mut values = self.remove(name).unwrap_or_default();
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(FormError::Repeated(name.to_owned())),
        }
    }

    /// The first value of a parameter, without taking it.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        self.given.get(name)?.first().map(String::as_str)
    }

    /// Takes all values of a parameter unchanged, for values that may contain commas.
    pub fn take_all(&mut self, name: &'static str) -> Option<Vec<String>> {
        self.remove(name)
    }

    /// Takes a list parameter, in any of the forms that the guide's command lines send: `a,b`, `["a","b"]`, `[a,b]`,
    /// `\["a","\b"\]`, or the parameter repeated. Spaces around values and empty values are dropped, so an empty list
    /// in `Some` means that the list is to be emptied.
    pub fn take_list(&mut self, name: &'static str) -> Option<Vec<String>> {
        self.remove(name).map(|texts| texts.iter().flat_map(|text| list_values(text)).collect())
    }

    /// Removes a parameter if a condition holds for its values.
    pub fn remove_if(&mut self, name: &str, is_to_go: impl FnOnce(&[String]) -> bool) {
        if self.given.get(name).is_some_and(|values| is_to_go(values)) {
            self.given.remove(name);
        }
    }

    fn remove(&mut self, name: &'static str) -> Option<Vec<String>> {
        if cfg!(debug_assertions) {
            self.asked.insert(name);
        }
        self.given.remove(name)
    }

    /// The names that handlers have requested so far, present or not; empty in release builds.
    pub fn asked(&self) -> impl Iterator<Item = &'static str> {
        self.asked.iter().copied()
    }

    /// The names of parameters that were not taken, for the header `X-Ignored-Parameters`.
    #[must_use]
    pub fn into_ignored(self) -> Vec<String> {
        self.given.into_keys().collect()
    }
}

fn pairs(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty())
}

/// Decodes `name=value` (WHATWG URL, `application/x-www-form-urlencoded`); invalid UTF-8 is an error.
fn decode_pair(pair: &[u8]) -> Result<(String, String), FormError> {
    let equals = pair.iter().position(|byte| *byte == b'=');
    let (name, value) = match equals.and_then(|at| pair.split_at_checked(at)) {
        Some((name, value)) => (name, value.get(1..).unwrap_or_default()),
        None => (pair, &b""[..]),
    };
    let name = decode(name).ok_or(FormError::Name)?;
    match decode(value) {
        Some(value) => Ok((name, value)),
        None if name.len() > MAX_NAME => Err(FormError::Name),
        None => Err(FormError::NotUtf8(name)),
    }
}

fn decode(bytes: &[u8]) -> Option<String> {
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return String::from_utf8(bytes.to_vec()).ok();
    }
    let spaced: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(percent_decode(&spaced).collect()).ok()
}

/// The values of a list in text form. Backslashes, quotes and brackets come from shells and from the guide's incorrect
/// escaping; no address contains one.
fn list_values(text: &str) -> Vec<String> {
    let plain: String = text.chars().filter(|c| *c != '\\').collect();
    let trimmed = plain.trim();
    let inner = trimmed.strip_prefix('[').map_or(trimmed, |rest| rest.strip_suffix(']').unwrap_or(rest));
    inner
        .split(',')
        .map(|value| value.trim_matches(|c: char| c == '"' || c == '\'' || c.is_whitespace()).to_owned())
        .filter(|value| !is_blank(value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn form(text: &str) -> Result<Parameters, FormError> {
        Parameters::decode("", "", Body::Form(text.as_bytes()))
    }

    #[test]
    fn empty_pairs_are_skipped_and_plus_is_a_blank() {
        let mut parameters = form("&page=1&&orderby=mail&cn=%D0%98%D0%B2%D0%B0%D0%BD+%2B&").unwrap();
        assert_eq!(parameters.take("page"), Ok(Some("1".into())));
        assert_eq!(parameters.take("cn"), Ok(Some("Иван +".into())));
        assert_eq!(parameters.into_ignored(), ["orderby"]);
    }

    #[test]
    fn the_body_wins_over_the_query() {
        let mut parameters = Parameters::decode("l=a", "cn=query&sn=q", Body::Form(b"cn=body")).unwrap();
        assert_eq!(parameters.take("cn"), Ok(Some("body".into())));
        assert_eq!(parameters.take("sn"), Ok(Some("q".into())));
        assert_eq!(parameters.take("l"), Ok(Some("a".into())));
    }

    #[test]
    fn every_form_of_a_list_that_the_guide_can_produce_reads_the_same() {
        let lists = [
            "alias=a@x.ru,b@x.ru",
            "alias=[\"a@x.ru\",\"b@x.ru\"]",
            "alias=[a@x.ru,b@x.ru]",
            "alias=\\[\"a@x.ru\",\"b@x.ru\"\\]",
            "alias=\\[\"a@x.ru\",\"\\b@x.ru\"\\]",
            "alias=\\[\"a@x.ru\",\"\\ \"b@x.ru\"\\]",
            "alias=\\[a@x.ru,\\b@x.ru\\]",
            "alias=a@x.ru&alias=b@x.ru",
            "alias=%5B%22a@x.ru%22%2C+%22b@x.ru%22%5D",
            " {\"alias\":[\"a@x.ru\",\"b@x.ru\"]}",
        ];
        for text in lists {
            let body =
                if text.contains('{') { Body::Json(text.as_bytes()) } else { Body::Form(text.as_bytes()) };
            let mut parameters = Parameters::decode("", "", body).unwrap();
            assert_eq!(parameters.take_list("alias"), Some(vec!["a@x.ru".into(), "b@x.ru".into()]), "{text}");
        }
    }

    #[test]
    fn an_empty_list_differs_from_none() {
        assert_eq!(form("alias=").unwrap().take_list("alias"), Some(vec![]));
        assert_eq!(form("alias=[]").unwrap().take_list("alias"), Some(vec![]));
        assert_eq!(form("").unwrap().take_list("alias"), None);
    }

    #[test]
    fn json_values_become_the_texts_that_a_form_would_have() {
        let json =
            br#"{"quota":1024,"cn":"\u0418\u0432\u0430\u043d","title":null,"deleted":true,"alias":[]}"#;
        let mut parameters = Parameters::decode("", "", Body::Json(json)).unwrap();
        assert_eq!(parameters.take("quota"), Ok(Some("1024".into())));
        assert_eq!(parameters.take("cn"), Ok(Some("Иван".into())));
        assert_eq!(parameters.take("title"), Ok(Some(String::new())));
        assert_eq!(parameters.take("deleted"), Ok(Some("1".into())));
        assert_eq!(parameters.take_list("alias"), Some(vec![]));
    }

    #[test]
    fn a_json_text_may_begin_with_a_byte_order_mark() {
        let mut parameters =
            Parameters::decode("", "", Body::Json("\u{feff}{\"cn\":\"a\"}".as_bytes())).unwrap();
        assert_eq!(parameters.take("cn"), Ok(Some("a".into())));
        assert_eq!(
            Parameters::decode("", "", Body::Json("\u{feff}\u{feff}{}".as_bytes())),
            Err(FormError::Json)
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(form("cn=%FF"), Err(FormError::NotUtf8("cn".into())));
        assert_eq!(form("%FF=1"), Err(FormError::Name));
        assert_eq!(form(&format!("cn={}", "a".repeat(100_000))), Err(FormError::TooLong("cn".into())));
        assert_eq!(form(&"a=1&".repeat(10_000)), Err(FormError::TooMany));
        assert_eq!(form("cn=a&cn=b").unwrap().take("cn"), Err(FormError::Repeated("cn".into())));
        for json in ["", "[]", "{\"a\":{}}", "{\"a\":[[]]}", "{", "1"] {
            assert_eq!(
                Parameters::decode("", "", Body::Json(json.as_bytes())),
                Err(FormError::Json),
                "{json}"
            );
        }
    }

    #[test]
    fn names_are_as_few_as_documented_requests_have() {
        let many = |count: usize| (0..count).map(|n| format!("n{n}=1&")).collect::<Vec<_>>().concat();
        assert_eq!(form(&many(MAX_NAMES)).unwrap().into_ignored().len(), MAX_NAMES);
        assert_eq!(form(&many(MAX_NAMES + 1)), Err(FormError::TooMany));
        // A name may be repeated.
        let repeated = "member=1&".repeat(MAX_PARAMETERS);
        assert_eq!(form(&repeated).unwrap().take_all("member").unwrap().len(), MAX_PARAMETERS);
        assert_eq!(form(&format!("{repeated}member=1")), Err(FormError::TooMany));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in ".{0,50}", bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Parameters::decode(&tail, "", Body::Form(&bytes));
            let _ = Parameters::decode("", "", Body::Json(&bytes));
        }
    }
}
