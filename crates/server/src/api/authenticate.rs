//! `POST /v2/auth` (guide, 2.4.1): log in with login and password, or renew the access token with a refresh
//! token. The guide sends login and password with the refresh token as well; whatever is sent must be right.

use crate::{
    auth::tokens::{TokenError, TokenKind},
    http::{
        answer::{Failure, Reply, TOKEN_EXPIRED},
        call::Call,
    },
};
use actix_web::http::StatusCode;
use mail_model::{
    address::MailAddress,
    field::{FieldError, FieldErrors},
    user::{account::Account, command::Password},
};
use serde::Serialize;
use std::time::Instant;
use utoipa::ToSchema;

/// Longest login that failures are counted by, in characters: no longer one exists.
const MAX_LOGIN: usize = 254;

/// Tokens, and whose they are.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(super) struct Granted<'a> {
    /// For the header `Authorization: Bearer …`.
    access_token: String,
    /// To get another access token with.
    refresh_token: String,
    /// Seconds that the access token counts.
    expire: u32,
    /// The account's tenant.
    #[serde(rename = "tenant-id")]
    tenant: &'a str,
    /// 1 administrator, 2 user, 3 super administrator.
    role: u8,
}

pub(super) async fn authenticate(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let login = call.parameters.take("login")?.filter(|text| !text.is_empty());
    let password = call.parameters.take("password")?.filter(|text| !text.is_empty());
    let refresh_token = call.parameters.take("refresh_token")?.filter(|text| !text.is_empty());
    match refresh_token {
        Some(token) => renew(call, login, password, token).await,
        None => log_in(call, login, password).await,
    }
}

async fn log_in(call: &Call<'_>, login: Option<String>, password: Option<String>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let login = errors.keep("login", login.ok_or(FieldError::Required));
    let password = errors.keep("password", password.ok_or(FieldError::Required));
    errors.none()?;
    let (login, password) = (login.unwrap_or_default(), password.unwrap_or_default());
    let account = check_password(call, &login, &password).await?;
    let refresh_token = issue(call, TokenKind::Refresh, &account)?;
    grant(call, &account, refresh_token)
}

async fn renew(
    call: &Call<'_>,
    login: Option<String>,
    password: Option<String>,
    token: String,
) -> Result<Reply, Failure> {
    let subject = call.services.tokens.read_refresh(&token, call.now).map_err(|error| match error {
        TokenError::Expired => Failure::new(StatusCode::UNAUTHORIZED, TOKEN_EXPIRED),
        TokenError::Invalid => refused(),
    })?;
    let account = call.directory.account_of_id(&subject.id).await?;
    let account = account.filter(|account| subject.is_current(account)).ok_or_else(refused)?;
    if login.is_some_and(|login| MailAddress::parse(&login).as_ref() != Ok(&account.mail)) {
        return Err(refused());
    }
    if let Some(password) = password {
        check_password(call, account.mail.as_str(), &password).await?;
    }
    grant(call, &account, token)
}

/// Finds the account of a login and a password. Unknown logins take the same way as wrong passwords, and
/// both end in one answer.
async fn check_password(call: &Call<'_>, login: &str, password: &str) -> Result<Account, Failure> {
    let counted: String = login.chars().take(MAX_LOGIN).collect();
    let attempt = call.services.attempts.begin(&counted, call.client, Instant::now());
    let attempt = attempt.map_err(|too_many| Failure::too_many(too_many.retry_after))?;
    match find(call, login, password).await {
        Ok(Some(account)) => {
            attempt.succeeded();
            Ok(account)
        }
        Ok(None) => Err(refused()),
        Err(failure) => {
            attempt.undecided();
            Err(failure)
        }
    }
}

async fn find(call: &Call<'_>, login: &str, password: &str) -> Result<Option<Account>, Failure> {
    // A password that nobody can have set is wrong for every login alike.
    let Ok(password) = Password::parse(password) else { return Ok(None) };
    let account = match MailAddress::parse(login) {
        Ok(mail) => call.directory.account_of_login(&mail).await?,
        Err(_) => None,
    };
    let is_right = call.directory.is_password_of(account.as_ref(), &password).await?;
    Ok(account.filter(|_| is_right))
}

fn grant(call: &Call<'_>, account: &Account, refresh_token: String) -> Result<Reply, Failure> {
    tracing::info!(account = account.id, "auth.granted");
    Reply::json(&Granted {
        access_token: issue(call, TokenKind::Access, account)?,
        refresh_token,
        expire: call.services.tokens.access_seconds(),
        tenant: account.tenant.as_str(),
        role: account.role.number(),
    })
}

fn issue(call: &Call<'_>, kind: TokenKind, account: &Account) -> Result<String, Failure> {
    call.services.tokens.issue(kind, account, call.now).map_err(|error| Failure::internal(error.into()))
}

fn refused() -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, "The login or the password is wrong, or the token does not count.")
}
