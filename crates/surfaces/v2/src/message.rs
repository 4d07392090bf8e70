//! What the client reads of a failure.

use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use web::answer::Message;

/// The body of every failure.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub struct FailureBody<'a> {
    /// What is wrong.
    message: MessageBody<'a>,
}

/// What the client reads of a failure.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Message)]
pub enum MessageBody<'a> {
    /// A sentence.
    Text(&'a str),
    /// What is wrong with each parameter.
    ByParameter(&'a BTreeMap<String, String>),
}

impl<'a> MessageBody<'a> {
    /// What a message says.
    #[must_use]
    pub fn new(message: &'a Message) -> Self {
        match message {
            Message::Text(text) => Self::Text(text),
            Message::ByParameter(reasons) => Self::ByParameter(reasons),
        }
    }
}

impl<'a> FailureBody<'a> {
    /// Says what is wrong.
    #[must_use]
    pub fn new(message: &'a Message) -> Self {
        Self { message: MessageBody::new(message) }
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Vec<u8> {
        // Texts in a map can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
