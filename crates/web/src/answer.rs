//! The answers to requests. A [`Failure`] keeps the message for the client and the cause for the log apart; it has no
//! `Display`, so neither can appear in the other's place.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use futures_util::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, LocalBoxStream},
};
use serde::Serialize;
use std::{collections::BTreeMap, error::Error, time::Duration};

/// The media type of JSON.
pub const JSON: &str = "application/json";
const JSON_HEADER: HeaderValue = HeaderValue::from_static(JSON);
/// The media type of JSON lines.
pub const NDJSON: &str = "application/x-ndjson";

/// The answer to a request that succeeded.
pub struct Reply {
    status: StatusCode,
    body: ReplyBody,
    headers: Vec<(HeaderName, HeaderValue)>,
}

enum ReplyBody {
    /// Empty: the client has the content already.
    None,
    /// JSON.
    Json(Vec<u8>),
    /// JSON of an answer that was given before.
    Kept(String),
    /// Bytes of a given media type.
    Bytes(&'static str, Bytes),
    /// Bytes of a given media type, sent while they are produced.
    Stream(&'static str, LocalBoxStream<'static, Result<Bytes, Cut>>),
    /// A file that is embedded in the program.
    File(StaticFile),
}

/// Why an answer ends early, for the log only. The client sees a connection that is closed too soon.
pub type Cut = Box<dyn Error + Send + Sync>;

/// A file that is embedded in the program.
pub struct StaticFile {
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// Additional headers.
    pub headers: &'static [(HeaderName, &'static str)],
}

/// An answer that can be stored and given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Its status.
    pub status: u16,
    /// Its body, which is JSON.
    pub body: String,
}

impl Reply {
    fn of(body: ReplyBody) -> Self {
        Self { status: StatusCode::OK, body, headers: Vec::new() }
    }

    /// Serializes a value as JSON.
    ///
    /// # Errors
    /// A [`Failure`] if the value cannot be serialized; no type here has a reason to fail.
    pub fn json(value: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_vec(value).map_err(|error| Failure::internal(error.into()))?;
        Ok(Self::of(ReplyBody::Json(body)))
    }

    /// JSON that is already serialized.
    #[must_use]
    pub fn written_json(json: impl Into<Vec<u8>>) -> Self {
        Self::of(ReplyBody::Json(json.into()))
    }

    /// Bytes of a given media type.
    #[must_use]
    pub fn bytes(content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self::of(ReplyBody::Bytes(content_type, bytes.into()))
    }

    /// Bytes of a given media type, sent while they are produced.
    #[must_use]
    pub fn stream(
        content_type: &'static str,
        parts: impl Stream<Item = Result<Bytes, Cut>> + 'static,
    ) -> Self {
        Self::of(ReplyBody::Stream(content_type, parts.boxed_local()))
    }

    /// JSON lines.
    #[must_use]
    pub fn lines(lines: impl Stream<Item = Bytes> + 'static) -> Self {
        Self::stream(NDJSON, lines.map(Ok))
    }

    /// A file that is embedded in the program.
    #[must_use]
    pub fn file(file: StaticFile) -> Self {
        Self::of(ReplyBody::File(file))
    }

    /// An answer that was given before.
    #[must_use]
    pub fn kept(answer: KeptAnswer) -> Self {
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
        Self { status, ..Self::of(ReplyBody::Kept(answer.body)) }
    }

    /// 304: the client has the current version.
    #[must_use]
    pub fn not_modified() -> Self {
        Self { status: StatusCode::NOT_MODIFIED, ..Self::of(ReplyBody::None) }
    }

    /// Adds the header `ETag`; `tag` is the text between the quotation marks.
    #[must_use]
    pub fn with_tag(self, tag: &str) -> Self {
        match HeaderValue::try_from(format!("\"{tag}\"")) {
            Ok(value) => self.with_header(header::ETAG, value),
            // This never fails: tags are letters, digits and hyphens.
            Err(_) => self,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Removes a streamed body, which nobody would read in the answer to `HEAD`.
    #[must_use]
    pub fn for_head(mut self) -> Self {
        if let ReplyBody::Stream(_, parts) = &mut self.body {
            *parts = stream::empty().boxed_local();
        }
        self
    }

    /// The answer in a form that can be stored.
    #[must_use]
    pub fn to_keep(&self) -> Option<KeptAnswer> {
        match &self.body {
            ReplyBody::Json(body) => {
                let body = String::from_utf8(body.clone()).ok()?;
                Some(KeptAnswer { status: StatusCode::OK.as_u16(), body })
            }
            _ => None,
        }
    }

    /// Converts it to an HTTP response.
    #[must_use]
    pub fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for header in self.headers {
            response.insert_header(header);
        }
        match self.body {
            ReplyBody::None => response.finish(),
            ReplyBody::Json(body) => response.content_type(JSON_HEADER).body(body),
            ReplyBody::Kept(body) => response.content_type(JSON_HEADER).body(body),
            ReplyBody::Bytes(media_type, bytes) => response.content_type(media_type).body(bytes),
            ReplyBody::Stream(media_type, parts) => {
                response.content_type(media_type).streaming(parts.map_err(|cut| cut as Box<dyn Error>))
            }
            ReplyBody::File(file) => {
                for header in file.headers {
                    response.insert_header(header.clone());
                }
                response.content_type(file.content_type).body(file.bytes)
            }
        }
    }
}

/// The message of a failure for the client. The surface decides how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A sentence.
    Text(String),
    /// The reason for each invalid parameter.
    ByParameter(BTreeMap<String, String>),
}

impl Message {
    /// A message about one parameter.
    #[must_use]
    pub fn of_parameter(name: &str, reason: &str) -> Self {
        Self::ByParameter(BTreeMap::from([(name.to_owned(), reason.to_owned())]))
    }

    /// All reasons, in words.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        let (text, by_parameter) = match self {
            Self::Text(text) => (Some(text), None),
            Self::ByParameter(reasons) => (None, Some(reasons)),
        };
        text.into_iter().chain(by_parameter.into_iter().flat_map(BTreeMap::values)).map(String::as_str)
    }
}

/// The answer to a request that failed.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    message: Message,
    retry_after: Option<Duration>,
    allow: Option<String>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure whose message may be shown to anybody.
    #[must_use]
    pub fn new(status: StatusCode, message: &str) -> Self {
        Self::of(status, Message::Text(message.to_owned()))
    }

    /// A failure with a structured message.
    #[must_use]
    pub fn of(status: StatusCode, message: Message) -> Self {
        Self { status, message, retry_after: None, allow: None, cause: None }
    }

    /// 500; the cause is for the log only.
    #[must_use]
    pub fn internal(cause: Box<dyn Error + Send + Sync>) -> Self {
        let message = "The request failed inside the server. Its log has the reason under the X-Request-Id of this answer.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message).with_cause(cause)
    }

    /// Adds the header `Allow`: the methods that the path supports.
    #[must_use]
    pub fn with_allow(self, methods: String) -> Self {
        Self { allow: Some(methods), ..self }
    }

    /// Adds the header `Retry-After`.
    #[must_use]
    pub fn with_retry_after(self, after: Duration) -> Self {
        Self { retry_after: Some(after), ..self }
    }

    /// Adds a cause, which is for the log only.
    #[must_use]
    pub fn with_cause(self, cause: Box<dyn Error + Send + Sync>) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The message for the client.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The message for the client, for an answer that reports many failures.
    #[must_use]
    pub fn into_message(self) -> Message {
        self.message
    }

    /// Takes out the cause for the log, if there is one.
    pub fn take_cause(&mut self) -> Option<Box<dyn Error + Send + Sync>> {
        self.cause.take()
    }

    /// Converts it to an HTTP response, in the format of a surface. `challenge` is the authentication challenge (RFC
    /// 9110 section 11.6.1).
    #[must_use]
    pub fn into_response(
        self,
        body: Vec<u8>,
        content_type: HeaderValue,
        challenge: HeaderValue,
    ) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(allowed) = self.allow {
            response.insert_header((header::ALLOW, allowed));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        response.content_type(content_type).body(body)
    }
}
