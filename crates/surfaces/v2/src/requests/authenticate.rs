//! `POST /v2/auth` (guide, 2.4.1): log in with login and password, or renew the access token with a refresh token. In
//! the guide, login and password are sent with the refresh token as well; all values that are sent must be right.

use crate::{
    answer::{Failure, TOKEN_EXPIRED, as_json},
    call::Call,
    document::{Answer, Declared, kinds},
    endpoint::{Access, Document, Endpoint, Particulars, Verb},
    errors::ParameterErrors,
};
use actix_web::http::StatusCode;
use administration::log_in::{LogIn, LogInError, LoggedIn};
use mail_model::field::FieldError;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use web::answer::Reply;

/// Tokens and the account that they are for.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(super) struct Granted<'a> {
    /// For the header `Authorization: Bearer …`.
    access_token: String,
    /// For renewing the access token.
    refresh_token: String,
    /// Validity of the access token, in seconds.
    expire: u32,
    /// The account's tenant.
    #[serde(rename = "tenant-id")]
    tenant: &'a str,
    /// 1 administrator, 2 user, 3 super administrator.
    role: u8,
}

pub(super) const AUTHENTICATE: Endpoint = Endpoint {
    name: "authenticate",
    method: Verb::Post,
    path: "/v2/auth",
    access: Access::Open,
    handler: |call| Box::pin(authenticate(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Log in, or renew a token",
        about: "Log in with `login` and `password`, or renew the access token with `refresh_token`. Login and \
                password may be sent with a refresh token, and must be right then.",
        parameters: || {
            vec![
                Declared::optional("login", "The address; required without a refresh token.", kinds::text()),
                Declared::optional(
                    "password",
                    "The password; required without a refresh token.",
                    kinds::password(),
                ),
                Declared::optional(
                    "refresh_token",
                    "A refresh token, for a new access token.",
                    kinds::text(),
                ),
            ]
        },
        example: Some(|| json!({"login": "admin@example.com", "password": "Correct-Horse-7"})),
        answer: Answer::of::<Granted<'_>>,
        fails_with: &[401, 429, 500, 503],
        ..Document::BASE
    },
};

async fn authenticate(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let login = call.parameters.take("login")?.filter(|text| !text.is_empty());
    let password = call.parameters.take("password")?.filter(|text| !text.is_empty());
    let refresh_token = call.parameters.take("refresh_token")?.filter(|text| !text.is_empty());
    let (login, password) = (login.as_deref(), password.as_deref());
    let sent = LogIn {
        login,
        password,
        address: call.client.address(),
        now: call.now,
        lifetimes: call.live.lifetimes,
    };
    match refresh_token {
        Some(token) => granted(call, call.services.log_ins.renew(call.directory, token, &sent).await),
        None => log_in(call, &sent).await,
    }
}

async fn log_in(call: &Call<'_>, sent: &LogIn<'_>) -> Result<Reply, Failure> {
    let mut errors = ParameterErrors::default();
    errors.keep("login", sent.login.ok_or(FieldError::Required));
    errors.keep("password", sent.password.ok_or(FieldError::Required));
    errors.none()?;
    granted(call, call.services.log_ins.log_in(call.directory, sent).await)
}

fn granted(call: &Call<'_>, outcome: Result<LoggedIn, LogInError>) -> Result<Reply, Failure> {
    let LoggedIn { account, access_token, refresh_token } = outcome.map_err(refused)?;
    as_json(&Granted {
        access_token,
        refresh_token,
        expire: call.live.lifetimes.access_seconds,
        tenant: account.tenant.as_str(),
        role: account.role.number(),
    })
}

fn refused(error: LogInError) -> Failure {
    match error {
        LogInError::Refused => Failure::new(
            StatusCode::UNAUTHORIZED,
            "The login or the password is wrong, or the refresh token is not valid.",
        ),
        LogInError::Expired => Failure::new(StatusCode::UNAUTHORIZED, TOKEN_EXPIRED),
        LogInError::TooMany { retry_after } => Failure::too_many(retry_after),
        LogInError::Directory(error) => error.into(),
        LogInError::Token(error) => Failure::internal(error.into()),
    }
}
