//! One row, done: a command as the API makes it, and what the directory says to it.

use super::{Mode, report::Outcome, rows::Row, run::Import};
use crate::{
    api::users::form,
    http::{
        answer::{FORBIDDEN, Failure, Message},
        form::Parameters,
    },
};
use directory::{
    error::DirectoryError,
    users::{AddressTaken, UserError},
};
use mail_model::{
    address::MailAddress,
    user::{
        LiveUser, User,
        command::{MAIL_PARAMETER, NewUser, UserPatch},
        plan,
        role::Role,
    },
};

/// What was done with a row.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    /// The identifier of the entry that was changed.
    pub(super) changed: Option<String>,
}

impl Done {
    fn nothing_but(outcome: Outcome) -> Self {
        Self { outcome, changed: None }
    }
}

/// Why nothing was done with a row, or it is not known what.
pub(super) struct Refusal {
    pub(super) message: Message,
    /// Whether the directory is out of reach: the next row will do no better.
    pub(super) out_of_reach: bool,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { message: failure.into_message(), out_of_reach: false }
    }
}

/// Does a row.
pub(super) async fn apply(import: &Import, row: Row) -> Result<Done, Refusal> {
    let mut parameters = row.content.map_err(|message| Refusal { message, out_of_reach: false })?;
    let mail = row.mail.filter(|mail| !mail.is_empty());
    let mail = mail.ok_or_else(|| wrong_mail(&"is a required value"))?;
    if import.mode == Mode::Create {
        return create(import, &mail, &mut parameters).await;
    }
    let address = MailAddress::parse(&mail).map_err(|error| wrong_mail(&error))?;
    let user = import.directory.user(&import.tenant.id, &address).await;
    match user.map_err(|error| failed(import, error.into()))? {
        Some(user) => update(import, &address, &user, &mut parameters).await,
        None => create(import, &mail, &mut parameters).await,
    }
}

async fn create(import: &Import, mail: &str, parameters: &mut Parameters) -> Result<Done, Refusal> {
    let new = form::new_user(mail, parameters, &import.tenant)?;
    if new.is_super() && !import.may_make_super {
        return Err(forbidden());
    }
    write_new(import, &new).await.map_err(|error| failed(import, error))?;
    Ok(Done::nothing_but(Outcome::Created))
}

async fn write_new(import: &Import, new: &NewUser) -> Result<(), UserError> {
    let tenant = &import.tenant.id;
    if import.dry_run {
        return free(import.directory.address_taken(tenant, &new.addresses(), None).await?);
    }
    import.directory.create_user(tenant, new).await
}

async fn update(
    import: &Import,
    mail: &MailAddress,
    user: &LiveUser,
    parameters: &mut Parameters,
) -> Result<Done, Refusal> {
    let patch = form::user_patch(mail, parameters, &import.tenant)?;
    if !import.may_make_super && (patch.makes_super() || is_super(&user.user)) {
        return Err(forbidden());
    }
    let patch = without_same_password(import, mail, patch).await;
    let patch = patch.map_err(|error| failed(import, error.into()))?;
    if plan::patch(import.directory.tree(), user, &patch, (import.now)()).is_empty() {
        return Ok(Done::nothing_but(Outcome::Unchanged));
    }
    let changed = write_patch(import, mail, &patch).await.map_err(|error| failed(import, error))?;
    Ok(Done { outcome: Outcome::Updated, changed })
}

/// Leaves a password out that the user has already: written again it would end the user's tokens, and a policy that
/// remembers passwords would refuse it. The password of a blocked user cannot be tried, so it is written.
async fn without_same_password(
    import: &Import,
    mail: &MailAddress,
    patch: UserPatch,
) -> Result<UserPatch, DirectoryError> {
    let Some(password) = patch.password() else { return Ok(patch) };
    let Some(account) = import.directory.account_of_login(mail).await? else { return Ok(patch) };
    let is_same = import.directory.is_password_of(Some(&account), password).await?;
    Ok(if is_same { patch.without_password() } else { patch })
}

async fn write_patch(
    import: &Import,
    mail: &MailAddress,
    patch: &UserPatch,
) -> Result<Option<String>, UserError> {
    let (directory, tenant) = (&import.directory, &import.tenant.id);
    if import.dry_run {
        free(directory.address_taken(tenant, &patch.addresses(), Some(mail)).await?)?;
        return Ok(None);
    }
    let may_touch = |user: &User| import.may_make_super || !is_super(user);
    directory.patch_user(tenant, mail, patch, (import.now)(), may_touch).await.map(Some)
}

fn free(taken: Option<AddressTaken>) -> Result<(), UserError> {
    taken.map_or(Ok(()), |taken| Err(UserError::Taken(taken)))
}

fn is_super(user: &User) -> bool {
    user.role() == Role::SuperAdministrator
}

fn wrong_mail(reason: &impl std::fmt::Display) -> Refusal {
    let message = Message::of_parameter(MAIL_PARAMETER, &format!("{MAIL_PARAMETER} {reason}"));
    Refusal { message, out_of_reach: false }
}

fn forbidden() -> Refusal {
    Refusal { message: Message::Text(FORBIDDEN.to_owned()), out_of_reach: false }
}

/// What the API would answer; its cause goes to the log.
fn failed(import: &Import, error: UserError) -> Refusal {
    let out_of_reach = matches!(
        error,
        UserError::Directory(DirectoryError::Unreachable(_) | DirectoryError::OutcomeUnknown(_))
    );
    let mut failure = Failure::of_user(error, import.retention);
    if let Some(cause) = failure.take_cause() {
        let cause = cause.as_ref() as &(dyn std::error::Error + 'static);
        tracing::error!(error = cause, "bulk.row.failed");
    }
    Refusal { message: failure.into_message(), out_of_reach }
}
