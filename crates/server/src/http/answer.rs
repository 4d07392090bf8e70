//! Answers: always JSON. A [`Failure`] keeps apart what the client may read and what the log gets; it has no
//! `Display`, so neither turns up in the other's place.

use crate::http::{
    form::FormError,
    message::{FailureBody, Message},
};
use actix_web::{
    HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use bytes::Bytes;
use directory::{
    changing::{AddressTaken, NameTaken, WriteError},
    error::DirectoryError,
};
use futures_util::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, LocalBoxStream},
};
use mail_model::{
    answer::Answer,
    deletion::Retention,
    field::{FieldError, FieldErrors},
    revision::Version,
    user::command::PASSWORD_PARAMETER,
};
use serde::Serialize;
use std::{error::Error, time::Duration};

/// The guide's text of a refusal (section 6), on one line.
pub const FORBIDDEN: &str = "You don't have the permission to access the requested resource. It is either read-protected or not readable by the server.";
/// The guide's text of an expired token (section 6).
pub const TOKEN_EXPIRED: &str = "TOKEN EXPIRED";
/// How long a client should wait before it tries again when the directory is out of reach.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a request is answered with when it succeeds.
pub struct Reply {
    status: StatusCode,
    body: ReplyBody,
    headers: Vec<(HeaderName, HeaderValue)>,
}

enum ReplyBody {
    /// None: the client has it.
    None,
    /// JSON.
    Json(Vec<u8>),
    /// JSON that was kept of an answer given before.
    Kept(String),
    /// Bytes of a media type.
    Bytes(&'static str, Bytes),
    /// Bytes of a media type, sent while they come about.
    Stream(&'static str, LocalBoxStream<'static, Result<Bytes, Cut>>),
    /// A file that is part of the program.
    File(StaticFile),
}

/// Why an answer ends before its end: for the log alone. What the client sees is a connection that is closed too soon.
pub type Cut = Box<dyn Error + Send + Sync>;

/// A file that is part of the program.
pub struct StaticFile {
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// Headers that go with it.
    pub headers: &'static [(HeaderName, &'static str)],
}

/// The guide's answer to every write.
const SUCCESS: &str = r#"{"success": true}"#;
/// The media type of JSON.
pub const JSON: &str = "application/json";
const JSON_HEADER: HeaderValue = HeaderValue::from_static(JSON);
/// The media type of lines of JSON.
pub const NDJSON: &str = "application/x-ndjson";
/// To be kept by who asked alone, and to be asked about before it is used (RFC 9111 section 5.2.2).
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

impl Reply {
    fn of(body: ReplyBody) -> Self {
        Self { status: StatusCode::OK, body, headers: Vec::new() }
    }

    /// The guide's answer to every write.
    #[must_use]
    pub fn success() -> Self {
        Self::of(ReplyBody::Json(SUCCESS.into()))
    }

    /// A value as JSON.
    ///
    /// # Errors
    /// A [`Failure`] where it cannot be written as JSON; no type here has a reason to.
    pub fn json(value: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_vec(value).map_err(|error| Failure::internal(error.into()))?;
        Ok(Self::of(ReplyBody::Json(body)))
    }

    /// JSON that is written already.
    #[must_use]
    pub fn written_json(json: Vec<u8>) -> Self {
        Self::of(ReplyBody::Json(json))
    }

    /// Bytes of a media type.
    #[must_use]
    pub fn bytes(content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self::of(ReplyBody::Bytes(content_type, bytes.into()))
    }

    /// Bytes of a media type, sent while they come about.
    #[must_use]
    pub fn stream(
        content_type: &'static str,
        parts: impl Stream<Item = Result<Bytes, Cut>> + 'static,
    ) -> Self {
        Self::of(ReplyBody::Stream(content_type, parts.boxed_local()))
    }

    /// Lines of JSON.
    #[must_use]
    pub fn lines(lines: impl Stream<Item = Bytes> + 'static) -> Self {
        Self::stream(NDJSON, lines.map(Ok))
    }

    /// A file that is part of the program.
    #[must_use]
    pub fn file(file: StaticFile) -> Self {
        Self::of(ReplyBody::File(file))
    }

    /// An answer that was given before.
    #[must_use]
    pub fn kept(answer: Answer) -> Self {
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
        Self { status, ..Self::of(ReplyBody::Kept(answer.body)) }
    }

    /// 304: what the client has is what there is.
    #[must_use]
    pub fn not_modified() -> Self {
        Self { status: StatusCode::NOT_MODIFIED, ..Self::of(ReplyBody::None) }
    }

    /// With the header `ETag`.
    #[must_use]
    pub fn with_version(self, version: &Version) -> Self {
        self.with_tag(&version.tag())
    }

    /// With the header `ETag`: what stands between its quotation marks.
    #[must_use]
    pub fn with_tag(self, tag: &str) -> Self {
        match HeaderValue::try_from(format!("\"{tag}\"")) {
            Ok(value) => self.with_header(header::ETAG, value),
            // Tags are letters, digits and hyphens.
            Err(_) => self,
        }
    }

    /// To be kept by the client, and asked about before it is used.
    #[must_use]
    pub fn to_revalidate(self) -> Self {
        self.with_header(header::CACHE_CONTROL, REVALIDATE)
    }

    /// With a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same without parts, which nobody would read of an answer to `HEAD`.
    #[must_use]
    pub fn for_head(mut self) -> Self {
        if let ReplyBody::Stream(_, parts) = &mut self.body {
            *parts = stream::empty().boxed_local();
        }
        self
    }

    /// The answer as it can be given again.
    #[must_use]
    pub fn to_keep(&self) -> Option<Answer> {
        match &self.body {
            ReplyBody::Json(body) => {
                let body = String::from_utf8(body.clone()).ok()?;
                Some(Answer { status: StatusCode::OK.as_u16(), body })
            }
            _ => None,
        }
    }

    /// As an HTTP response.
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

/// What a request is answered with when it fails.
pub struct Failure {
    status: StatusCode,
    message: Message,
    retry_after: Option<Duration>,
    allow: Option<String>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure that is nobody's secret.
    #[must_use]
    pub fn new(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            message: Message::Text(message.to_owned()),
            retry_after: None,
            allow: None,
            cause: None,
        }
    }

    /// 400 about one parameter.
    #[must_use]
    pub fn parameter(name: &str, reason: &str) -> Self {
        let message = Message::of_parameter(name, reason);
        Self { message, ..Self::new(StatusCode::BAD_REQUEST, "") }
    }

    /// 400 about a parameter that is missing.
    #[must_use]
    pub fn missing(name: &str) -> Self {
        Self::parameter(name, &format!("{name} {}", FieldError::Required))
    }

    /// 401: no token, or none that counts.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "A valid access token is required: get one with POST /v2/auth.")
    }

    /// 403.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, FORBIDDEN)
    }

    /// 404 of a thing.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, &format!("There is no such {what}."))
    }

    /// 405 of a path that takes other methods.
    #[must_use]
    pub fn method_not_allowed(allowed: &[Method]) -> Self {
        let allowed = allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let message = format!("This path takes {allowed}.");
        Self { allow: Some(allowed), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, &message) }
    }

    /// 409 of an address.
    #[must_use]
    pub fn taken(taken: &AddressTaken, retention: Retention) -> Self {
        let message = match &taken.owner_deleted_since {
            Some(since) => {
                let until = retention.kept_until(since.time());
                format!("{} belongs to a deleted entry and is kept for it until {until}.", taken.address)
            }
            None => format!("{} is taken.", taken.address),
        };
        Self::new(StatusCode::CONFLICT, &message)
    }

    fn name_taken(taken: &NameTaken, retention: Retention) -> Self {
        let message = match &taken.owner_deleted_since {
            Some(since) => {
                let until = retention.kept_until(since.time());
                format!("{} belongs to a deleted tenant and is kept for it until {until}.", taken.name)
            }
            None => format!("{} is taken.", taken.name),
        };
        Self::new(StatusCode::CONFLICT, &message)
    }

    /// 429.
    #[must_use]
    pub fn too_many(retry_after: Duration) -> Self {
        let failure = Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many failed log-ins. Try again later.");
        Self { retry_after: Some(retry_after), ..failure }
    }

    /// 500, whose reason is for the log alone.
    #[must_use]
    pub fn internal(cause: Box<dyn Error + Send + Sync>) -> Self {
        let message = "The request failed inside the server. Its log has the reason under the X-Request-Id of this answer.";
        Self { cause: Some(cause), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, message) }
    }

    /// 503 of what needs Redis.
    #[must_use]
    pub fn no_feed() -> Self {
        let message = "There is no feed of changes now: Redis is not used, out of reach, or being filled. Try again later, from where you are.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry()
    }

    /// 410 of a place in the feed of changes that there is no more, or never was.
    #[must_use]
    pub fn no_such_place() -> Self {
        let message = "This token of since says nothing here, or nothing any more: start over without since.";
        Self::new(StatusCode::GONE, message)
    }

    /// With the header `Retry-After`.
    #[must_use]
    pub fn with_retry(self) -> Self {
        Self { retry_after: Some(RETRY_AFTER), ..self }
    }

    fn unavailable(message: &str, cause: DirectoryError) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry() }
    }

    /// What a change of a thing failed with.
    #[must_use]
    pub fn of_write(what: &str, error: WriteError, retention: Retention) -> Self {
        match error {
            WriteError::NotFound => Self::not_found(what),
            WriteError::Forbidden => Self::forbidden(),
            WriteError::Taken(taken) => Self::taken(&taken, retention),
            WriteError::NameTaken(taken) => Self::name_taken(&taken, retention),
            WriteError::Conflict(reason) => Self::new(StatusCode::CONFLICT, &reason),
            WriteError::Parameter(name, reason) => Self::parameter(name, &format!("{name} {reason}")),
            WriteError::PreconditionFailed => Self::new(
                StatusCode::PRECONDITION_FAILED,
                &format!("The {what} has changed since you read it. Read it again."),
            ),
            WriteError::PasswordRefused(refusal) => {
                Self::parameter(PASSWORD_PARAMETER, &format!("{PASSWORD_PARAMETER} {refusal}"))
            }
            WriteError::Directory(error) => error.into(),
        }
    }

    /// The answer as it can be given again: of a conflict, which is an answer to the request; other failures are
    /// reasons to send it again.
    #[must_use]
    pub fn to_keep(&self) -> Option<Answer> {
        if self.status != StatusCode::CONFLICT {
            return None;
        }
        let body = serde_json::to_string(&FailureBody::new(&self.message)).ok()?;
        Some(Answer { status: self.status.as_u16(), body })
    }

    /// Takes out what the log gets, where there is something.
    pub fn take_cause(&mut self) -> Option<Box<dyn Error + Send + Sync>> {
        self.cause.take()
    }

    /// What the client reads, for an answer that tells of many failures.
    #[must_use]
    pub fn into_message(self) -> Message {
        self.message
    }

    /// As an HTTP response.
    #[must_use]
    pub fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(allowed) = self.allow {
            response.insert_header((header::ALLOW, allowed));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(FailureBody::new(&self.message))
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Unreachable(_) => {
                Self::unavailable("The directory is out of reach; nothing was changed. Try again.", error)
            }
            DirectoryError::OutcomeUnknown(_) => Self::unavailable(
                "The connection to the directory broke during the change: it may have been made or not. Look before you try again.",
                error,
            ),
            DirectoryError::InvalidValue(_) => Self {
                cause: Some(error.into()),
                ..Self::new(StatusCode::BAD_REQUEST, "The directory does not take one of the values.")
            },
            // Kept losing races for one entry; or an answer that the operation has no use for.
            DirectoryError::Stale => Self::unavailable("Others keep changing this entry. Try again.", error),
            DirectoryError::NotFound
            | DirectoryError::Exists
            | DirectoryError::NotUnique
            | DirectoryError::PasswordRefused(_)
            | DirectoryError::Refused { .. }
            | DirectoryError::Malformed(_) => Self::internal(error.into()),
        }
    }
}

impl From<FieldErrors> for Failure {
    fn from(errors: FieldErrors) -> Self {
        let by_parameter =
            errors.by_parameter().iter().map(|(name, reason)| ((*name).to_owned(), reason.clone()));
        Self {
            message: Message::ByParameter(by_parameter.collect()),
            ..Self::new(StatusCode::BAD_REQUEST, "")
        }
    }
}

impl From<FormError> for Failure {
    fn from(error: FormError) -> Self {
        Self { message: error.into(), ..Self::new(StatusCode::BAD_REQUEST, "") }
    }
}
