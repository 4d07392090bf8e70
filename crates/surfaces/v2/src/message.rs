//! The body of a failure, as the client reads it.

use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use web::answer::Message;

/// The body of every failure.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub struct FailureBody<'a> {
    /// The error.
    message: MessageBody<'a>,
}

/// The error as a sentence, or one sentence a parameter.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Message)]
pub enum MessageBody<'a> {
    /// A sentence.
    Text(&'a str),
    /// A sentence for each parameter that is wrong.
    ByParameter(&'a BTreeMap<String, String>),
}

impl<'a> MessageBody<'a> {
    /// Converts a message.
    #[must_use]
    pub fn new(message: &'a Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(text),
            Message::ByParameter(reasons) => Self::ByParameter(reasons),
        }
    }
}

impl<'a> FailureBody<'a> {
    /// The body with this message.
    #[must_use]
    pub fn new(message: &'a Message) -> Self {
        Self { message: MessageBody::new(message) }
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        // Serializing a map of strings cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
