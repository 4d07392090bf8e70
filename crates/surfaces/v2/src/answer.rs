//! Failures of the API, with the guide's texts where it has some, and the answers that several endpoints give.

use crate::{
    errors::ParameterErrors,
    message::FailureBody,
    names::{self, PASSWORD},
};
use actix_web::http::{Method, StatusCode};
use administration::{
    long_work::{TooMuch, Whose},
    policy::Forbidden,
    turns::{self, NotNow},
};
use directory::{
    changing::{AddressTaken, NameTaken, WriteError},
    error::{DirectoryError, Unreachable},
};
use mail_model::{
    deletion::Retention,
    field::{FieldError, FieldErrors},
};
use serde::Serialize;
use std::{error::Error, time::Duration};
use web::{
    answer::{KeptAnswer, Message, Reply},
    form::FormError,
    routes::NoEndpoint,
};

/// The guide's text for a refusal (section 6), on one line.
pub const FORBIDDEN: &str = "You don't have the permission to access the requested resource. It is either read-protected or not readable by the server.";
/// The guide's text for an expired token (section 6).
pub const TOKEN_EXPIRED: &str = "TOKEN EXPIRED";
/// How long a client should wait before the next attempt when the directory is unreachable.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The guide's answer to every write.
const SUCCESS: &str = r#"{"success": true}"#;

/// The guide's answer to every write.
#[must_use]
pub fn success() -> Reply {
    Reply::written_json(SUCCESS)
}

/// A value as JSON.
///
/// # Errors
/// A [`Failure`] if the value cannot be written as JSON, which no type here allows.
pub fn as_json(value: &impl Serialize) -> Result<Reply, Failure> {
    Ok(Reply::json(value)?)
}

/// The answer to a request that fails.
#[derive(Debug)]
pub struct Failure(web::answer::Failure);

impl Failure {
    /// A failure whose message the client may read.
    #[must_use]
    pub fn new(status: StatusCode, message: &str) -> Self {
        Self(web::answer::Failure::new(status, message))
    }

    fn wrong(message: Message) -> Self {
        Self(web::answer::Failure::of(StatusCode::BAD_REQUEST, message))
    }

    /// 400 about one parameter.
    #[must_use]
    pub fn parameter(name: &str, reason: &str) -> Self {
        Self::wrong(Message::of_parameter(name, reason))
    }

    /// 400 about a parameter that is missing.
    #[must_use]
    pub fn missing(name: &str) -> Self {
        Self::parameter(name, &format!("{name} {}", FieldError::Required))
    }

    /// 401: the token is missing or not valid.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "A valid access token is required: get one with POST /v2/auth.")
    }

    /// 403.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, FORBIDDEN)
    }

    /// 404, for an entry of the kind `what`.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, &format!("There is no such {what}."))
    }

    /// 405, for a path that has other methods.
    #[must_use]
    pub fn method_not_allowed(allowed: &[Method]) -> Self {
        let allowed = allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let failure = Self::new(StatusCode::METHOD_NOT_ALLOWED, &format!("This path takes {allowed}."));
        Self(failure.0.with_allow(allowed))
    }

    /// 409, for an address.
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
        let message = "Too many failed log-ins. Try again later.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, message).with_retry_after(retry_after)
    }

    /// 500, with a cause that only the log gets.
    #[must_use]
    pub fn internal(cause: Box<dyn Error + Send + Sync>) -> Self {
        Self(web::answer::Failure::internal(cause))
    }

    /// 503, for the feed of changes, which needs Redis.
    #[must_use]
    pub fn no_feed() -> Self {
        let message = "The feed of changes is not available now: Redis is not used, out of reach, or being filled. Try again later, with the same since token.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry()
    }

    /// 410, for a token of the feed of changes that is unknown or has expired.
    #[must_use]
    pub fn no_such_place() -> Self {
        let message = "The since token is unknown or has expired: start over without since.";
        Self::new(StatusCode::GONE, message)
    }

    /// With the header `Retry-After`.
    #[must_use]
    pub fn with_retry(self) -> Self {
        self.with_retry_after(RETRY_AFTER)
    }

    /// With the header `Retry-After` for this duration.
    #[must_use]
    pub fn with_retry_after(self, after: Duration) -> Self {
        Self(self.0.with_retry_after(after))
    }

    /// With a cause that only the log gets.
    #[must_use]
    pub fn with_cause(self, cause: Box<dyn Error + Send + Sync>) -> Self {
        Self(self.0.with_cause(cause))
    }

    fn unavailable(message: &str, cause: DirectoryError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry().with_cause(cause.into())
    }

    /// The failure of a change of an entry of the kind `what`.
    #[must_use]
    pub fn of_write(what: &str, error: WriteError, retention: Retention) -> Self {
        match error {
            WriteError::NotFound => Self::not_found(what),
            WriteError::Forbidden => Self::forbidden(),
            WriteError::Taken(taken) => Self::taken(&taken, retention),
            WriteError::NameTaken(taken) => Self::name_taken(&taken, retention),
            WriteError::Conflict(reason) => Self::new(StatusCode::CONFLICT, &reason),
            WriteError::Members(field, refused) => {
                let name = names::of_list(field);
                Self::parameter(name, &format!("{name} {refused}"))
            }
            WriteError::PreconditionFailed => Self::new(
                StatusCode::PRECONDITION_FAILED,
                &format!("The {what} has changed since you read it. Read it again."),
            ),
            WriteError::PasswordRefused(refusal) => {
                Self::parameter(PASSWORD, &format!("{PASSWORD} {refusal}"))
            }
            WriteError::Directory(error) => error.into(),
        }
    }

    /// The answer to store for the idempotency key. Only a conflict is stored, because it answers the request; after
    /// another failure the client sends the request again.
    #[must_use]
    pub fn to_keep(&self) -> Option<KeptAnswer> {
        if self.0.status() != StatusCode::CONFLICT {
            return None;
        }
        let body = String::from_utf8(FailureBody::new(self.0.message()).json()).ok()?;
        Some(KeptAnswer { status: self.0.status().as_u16(), body })
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// Takes the cause for the log, if there is one.
    pub fn take_cause(&mut self) -> Option<Box<dyn Error + Send + Sync>> {
        self.0.take_cause()
    }

    /// The message for the client, for an answer that contains many failures.
    #[must_use]
    pub fn into_message(self) -> Message {
        self.0.into_message()
    }
}

impl From<Failure> for web::answer::Failure {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

impl From<web::answer::Failure> for Failure {
    fn from(failure: web::answer::Failure) -> Self {
        Self(failure)
    }
}

impl From<TooMuch> for Failure {
    fn from(error: TooMuch) -> Self {
        let status = match error.whose {
            Whose::Everybodys => StatusCode::SERVICE_UNAVAILABLE,
            Whose::TheTenants | Whose::TheAccounts => StatusCode::TOO_MANY_REQUESTS,
        };
        Self::new(status, &format!("{error}. Try again later.")).with_retry()
    }
}

impl From<Forbidden> for Failure {
    fn from(_: Forbidden) -> Self {
        Self::forbidden()
    }
}

impl From<NotNow> for Failure {
    fn from(error: NotNow) -> Self {
        let status = match error {
            NotNow::Another => StatusCode::TOO_MANY_REQUESTS,
            NotNow::Others => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, &error.to_string()).with_retry_after(turns::RETRY)
    }
}

impl From<NoEndpoint> for Failure {
    fn from(reason: NoEndpoint) -> Self {
        match reason {
            NoEndpoint::UnknownPath => Self::not_found("path"),
            NoEndpoint::OtherMethods(allowed) => Self::method_not_allowed(&allowed),
        }
    }
}

impl From<DirectoryError> for Failure {
    fn from(error: DirectoryError) -> Self {
        match error {
            // Logged when the directory began to hang, not for each request.
            DirectoryError::Unreachable(Unreachable::Hangs) => {
                let message = "The directory hangs; nothing was changed. Try again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry()
            }
            DirectoryError::Crowded { .. } => Self::unavailable(
                "Too many concurrent changes in this folder; nothing was changed. Try again.",
                error,
            ),
            // Waiting alone does not help, but the operator may repair the account.
            DirectoryError::Unreachable(ref cause) if cause.is_of_account() => {
                let message = "The directory does not let this server in; nothing was changed. Tell the server's administrator.";
                Self::unavailable(message, error)
            }
            // Logged when it was found, not for each request.
            DirectoryError::Unreachable(Unreachable::Incomplete) => {
                let message =
                    "A restore of the directory is not finished; nothing was changed. Try again later.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry()
            }
            DirectoryError::Unreachable(_) => {
                Self::unavailable("The directory is out of reach; nothing was changed. Try again.", error)
            }
            DirectoryError::OutcomeUnknown(_) => Self::unavailable(
                "The connection to the directory broke during the change: the change may or may not have been made. Read the entry before you try again.",
                error,
            ),
            DirectoryError::InvalidValue(_) => {
                let message = "The directory refuses one of the values.";
                Self::new(StatusCode::BAD_REQUEST, message).with_cause(error.into())
            }
            // The change lost the race for the entry too often.
            DirectoryError::Stale => {
                Self::unavailable("This entry is changed too often by others. Try again.", error)
            }
            DirectoryError::NotFound
            | DirectoryError::Exists
            | DirectoryError::NotUnique
            | DirectoryError::PasswordRefused(_)
            | DirectoryError::Unreadable { .. }
            | DirectoryError::Refused { .. }
            | DirectoryError::Malformed(_) => Self::internal(error.into()),
        }
    }
}

impl From<ParameterErrors> for Failure {
    fn from(errors: ParameterErrors) -> Self {
        let reasons = errors.into_reasons().map(|(name, reason)| (name.to_owned(), reason));
        Self::wrong(Message::ByParameter(reasons.collect()))
    }
}

impl From<FieldErrors> for Failure {
    fn from(errors: FieldErrors) -> Self {
        ParameterErrors::from(errors).into()
    }
}

impl From<FormError> for Failure {
    fn from(error: FormError) -> Self {
        Self::wrong(error.into())
    }
}
