//! What the client reads of a failure.

use crate::http::form::FormError;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The body of every failure.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub struct FailureBody<'a> {
    /// What is wrong.
    message: &'a Message,
}

impl<'a> FailureBody<'a> {
    /// Says what is wrong.
    #[must_use]
    pub fn new(message: &'a Message) -> Self {
        Self { message }
    }
}

/// What the client reads of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Message {
    /// A sentence.
    Text(String),
    /// What is wrong with each parameter.
    ByParameter(BTreeMap<String, String>),
}

impl Message {
    /// About one parameter.
    #[must_use]
    pub fn of_parameter(name: &str, reason: &str) -> Self {
        Self::ByParameter(BTreeMap::from([(name.to_owned(), reason.to_owned())]))
    }

    /// Each thing that is wrong, in words.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        let (text, by_parameter) = match self {
            Self::Text(text) => (Some(text), None),
            Self::ByParameter(reasons) => (None, Some(reasons)),
        };
        text.into_iter().chain(by_parameter.into_iter().flat_map(BTreeMap::values)).map(String::as_str)
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
