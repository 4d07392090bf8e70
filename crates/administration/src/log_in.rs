//! Authentication: by login and password, by a refresh token, or by the access token of a request. All failures get
//! the same answer, so that a caller can't tell them apart.

use crate::{
    accounts::Accounts,
    attempts::{Attempts, TooMany},
    caller::Actor,
    tokens::{Lifetimes, TokenError, TokenKind, Tokens},
};
use directory::{Lookup, error::DirectoryError};
use jiff::Timestamp;
use mail_model::{
    address::MailAddress,
    user::{account::Account, command::Password},
};
use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// Authenticates callers. Shared by all threads.
pub struct LogIns {
    /// Tokens.
    pub tokens: Tokens,
    /// Recently used accounts.
    pub accounts: Accounts,
    /// Failed log-ins.
    pub attempts: Arc<Attempts>,
}

/// Why authentication failed.
#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// The login, the password or the token is wrong; the answer does not say which of them.
    #[error("the login or the password is wrong, or the token is not valid")]
    Refused,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// Too many log-ins have failed.
    #[error("too many log-ins have failed")]
    TooMany {
        /// The time until the next try.
        retry_after: Duration,
    },
    /// The directory failed.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// No token could be made; the library has no reason to fail.
    #[error("no token can be issued")]
    Token(#[from] jsonwebtoken::errors::Error),
}

impl From<TooMany> for LogInError {
    fn from(TooMany { retry_after }: TooMany) -> Self {
        Self::TooMany { retry_after }
    }
}

impl From<TokenError> for LogInError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Expired => Self::Expired,
            TokenError::Invalid => Self::Refused,
        }
    }
}

/// A caller who has logged in.
pub struct LoggedIn {
    /// The account.
    pub account: Account,
    /// The token for requests.
    pub access_token: String,
    /// The token that renews the access token.
    pub refresh_token: String,
}

/// The data of a log-in, as received.
pub struct LogIn<'a> {
    /// The login that was sent.
    pub login: Option<&'a str>,
    /// The password that was sent.
    pub password: Option<&'a str>,
    /// The client's address, if it is known.
    pub address: Option<IpAddr>,
    /// The time of the log-in.
    pub now: Timestamp,
    /// How long the issued tokens are valid.
    pub lifetimes: Lifetimes,
}

impl LogIns {
    /// Logs in by login and password.
    ///
    /// # Errors
    /// [`LogInError`].
    pub async fn log_in(&self, directory: &Lookup, sent: &LogIn<'_>) -> Result<LoggedIn, LogInError> {
        let (login, password) = (sent.login.unwrap_or_default(), sent.password.unwrap_or_default());
        let account = self.check_password(directory, login, password, sent.address).await?;
        let refresh_token = self.tokens.issue(TokenKind::Refresh, &account, sent.lifetimes, sent.now)?;
        self.granted(account, refresh_token, sent)
    }

    /// Issues a new access token for a refresh token. If the request also has a login or a password, they must be
    /// right.
    ///
    /// # Errors
    /// [`LogInError`].
    pub async fn renew(
        &self,
        directory: &Lookup,
        refresh_token: String,
        sent: &LogIn<'_>,
    ) -> Result<LoggedIn, LogInError> {
        let subject = self.tokens.read_refresh(&refresh_token, sent.now)?;
        let account = directory.account_of_id(&subject.id).await?;
        let account = account.filter(|account| subject.is_current(account)).ok_or(LogInError::Refused)?;
        if sent.login.is_some_and(|login| MailAddress::parse(login).as_ref() != Ok(&account.mail)) {
            return Err(LogInError::Refused);
        }
        if let Some(password) = sent.password {
            self.check_password(directory, account.mail.as_str(), password, sent.address).await?;
        }
        self.granted(account, refresh_token, sent)
    }

    /// The account of an access token.
    ///
    /// # Errors
    /// [`LogInError`].
    pub async fn of_token(
        &self,
        directory: &Lookup,
        token: &str,
        now: Timestamp,
    ) -> Result<Actor, LogInError> {
        let subject = self.tokens.read_access(token, now)?;
        let account = self.accounts.of_token(directory, &subject).await?;
        account.map(Actor::Account).ok_or(LogInError::Refused)
    }

    /// Whether a caller who was authenticated a while ago would still be accepted.
    ///
    /// # Errors
    /// [`DirectoryError`] if the directory can't be read.
    pub async fn still_stands(&self, directory: &Lookup, actor: &Actor) -> Result<bool, DirectoryError> {
        match actor {
            Actor::Account(account) => self.accounts.still_is(directory, account).await,
            Actor::TrustedSubnet | Actor::Operator => Ok(true),
        }
    }

    fn granted(
        &self,
        account: Account,
        refresh_token: String,
        sent: &LogIn<'_>,
    ) -> Result<LoggedIn, LogInError> {
        tracing::info!(account = account.id, "auth.granted");
        let access_token = self.tokens.issue(TokenKind::Access, &account, sent.lifetimes, sent.now)?;
        Ok(LoggedIn { account, access_token, refresh_token })
    }

    /// Finds the account of a login and a password. Unknown logins and wrong passwords take the same path and get the
    /// same answer.
    async fn check_password(
        &self,
        directory: &Lookup,
        login: &str,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<Account, LogInError> {
        let login = MailAddress::parse(login).ok();
        let attempt = self.attempts.begin(login.as_ref(), address, Instant::now())?;
        match find(directory, login.as_ref(), password).await {
            Ok(Some(account)) => {
                attempt.succeeded();
                Ok(account)
            }
            Ok(None) => Err(LogInError::Refused),
            Err(error) => {
                attempt.undecided();
                Err(error.into())
            }
        }
    }
}

async fn find(
    directory: &Lookup,
    login: Option<&MailAddress>,
    password: &str,
) -> Result<Option<Account>, DirectoryError> {
    // No user can have this password, so it is wrong for every login.
    let Ok(password) = Password::parse(password) else { return Ok(None) };
    let account = match login {
        Some(mail) => directory.account_of_login(mail).await?,
        None => None,
    };
    let is_right = directory.is_password_of(account.as_ref(), &password).await?;
    Ok(account.filter(|_| is_right))
}
