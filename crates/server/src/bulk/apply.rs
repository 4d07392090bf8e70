//! One row, done: a command as the API makes it, and what the directory says to it.

use super::{Mode, report::Outcome, rows::Row, run::Work};
use crate::{
    api::users::form,
    http::{
        answer::{Failure, Message},
        form::Parameters,
    },
};
use directory::{
    changing::{AddressTaken, WriteError},
    error::DirectoryError,
};
use mail_model::{
    address::MailAddress,
    revision::Precondition,
    user::{
        LiveUser, User,
        command::{MAIL_PARAMETER, NewUser, UserPatch},
        plan,
        role::Role,
    },
};
use std::error::Error;

/// What was done with a row.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    /// The identifier of the entry that was changed.
    pub(super) changed: Option<String>,
}

impl Done {
    /// Nothing in the directory that others must hear of.
    pub(super) fn nothing_but(outcome: Outcome) -> Self {
        Self { outcome, changed: None }
    }
}

/// Why nothing was done with a row, or it is not known what.
pub(super) struct Refusal {
    pub(super) message: Message,
    /// Whether the directory is out of reach: the next row will do no better.
    pub(super) out_of_reach: bool,
    /// What the log gets.
    pub(super) cause: Option<Box<dyn Error + Send + Sync>>,
}

impl From<Message> for Refusal {
    fn from(message: Message) -> Self {
        Self { message, out_of_reach: false, cause: None }
    }
}

impl From<Failure> for Refusal {
    fn from(mut failure: Failure) -> Self {
        let cause = failure.take_cause();
        Self { message: failure.into_message(), out_of_reach: false, cause }
    }
}

/// Does a row.
pub(super) async fn apply(work: &Work, row: Row) -> Result<Done, Refusal> {
    let mut parameters = row.content?;
    let _lane = work.import.directory.lane().await;
    let mail = row.mail.filter(|mail| !mail.is_empty());
    let mail = mail.ok_or_else(|| wrong_mail(&"is a required value"))?;
    if work.import.mode == Mode::Create {
        return create(work, &mail, &mut parameters).await;
    }
    let address = MailAddress::parse(&mail).map_err(|error| wrong_mail(&error))?;
    let user = work.import.directory.user(&work.import.tenant.id, &address).await;
    match user.map_err(|error| failed(work, error.into()))? {
        Some(user) => update(work, &address, &user, &mut parameters).await,
        None if work.trial.has_user(address.as_str()) => try_update(work, &address, &mut parameters).await,
        None => create(work, &mail, &mut parameters).await,
    }
}

async fn create(work: &Work, mail: &str, parameters: &mut Parameters) -> Result<Done, Refusal> {
    let new = form::new_user(mail, parameters, &work.import.tenant)?;
    if new.is_super() && !work.import.may_make_super {
        return Err(forbidden());
    }
    write_new(work, &new).await.map_err(|error| failed(work, error))?;
    Ok(Done::nothing_but(Outcome::Created))
}

async fn write_new(work: &Work, new: &NewUser) -> Result<(), WriteError> {
    if work.import.dry_run {
        return try_taking(work, &new.addresses(), None).await;
    }
    work.import.directory.create_user(&work.import.tenant.id, new).await
}

async fn update(
    work: &Work,
    mail: &MailAddress,
    user: &LiveUser,
    parameters: &mut Parameters,
) -> Result<Done, Refusal> {
    let patch = form::user_patch(mail, parameters, &work.import.tenant)?;
    if !work.import.may_make_super && (patch.makes_super() || is_super(&user.user)) {
        return Err(forbidden());
    }
    let patch = without_same_password(work, mail, patch).await;
    let patch = patch.map_err(|error| failed(work, error.into()))?;
    if plan::patch(work.import.directory.tree(), user, &patch, (work.import.now)()).is_empty() {
        return Ok(Done::nothing_but(Outcome::Unchanged));
    }
    let changed = write_patch(work, mail, &patch).await.map_err(|error| failed(work, error))?;
    Ok(Done { outcome: Outcome::Updated, changed })
}

/// Leaves a password out that the user has already: written again it would end the user's tokens, and a policy that
/// remembers passwords would refuse it. The password of a blocked user cannot be tried, so it is written.
async fn without_same_password(
    work: &Work,
    mail: &MailAddress,
    patch: UserPatch,
) -> Result<UserPatch, DirectoryError> {
    let Some(password) = patch.password() else { return Ok(patch) };
    let Some(account) = work.import.directory.account_of_login(mail).await? else { return Ok(patch) };
    let is_same = work.import.directory.is_password_of(Some(&account), password).await?;
    Ok(if is_same { patch.without_password() } else { patch })
}

async fn write_patch(
    work: &Work,
    mail: &MailAddress,
    patch: &UserPatch,
) -> Result<Option<String>, WriteError> {
    if work.import.dry_run {
        try_taking(work, &patch.addresses(), Some(mail)).await?;
        return Ok(None);
    }
    let may_touch = |user: &User| work.import.may_make_super || !is_super(user);
    let (tenant, now) = (&work.import.tenant.id, (work.import.now)());
    let anything = Precondition::None;
    work.import.directory.patch_user(tenant, mail, patch, &anything, now, may_touch).await.map(Some)
}

/// A dry run of a row that changes a user whom an earlier row would have made.
async fn try_update(work: &Work, mail: &MailAddress, parameters: &mut Parameters) -> Result<Done, Refusal> {
    let patch = form::user_patch(mail, parameters, &work.import.tenant)?;
    if !work.import.may_make_super && patch.makes_super() {
        return Err(forbidden());
    }
    try_taking(work, &patch.addresses(), Some(mail)).await.map_err(|error| failed(work, error))?;
    Ok(Done::nothing_but(Outcome::Updated))
}

/// What a write would say of addresses for a new user, or for the user `own`.
async fn try_taking(work: &Work, addresses: &[String], own: Option<&MailAddress>) -> Result<(), WriteError> {
    if let Some(address) = work.trial.find(addresses, own.map(MailAddress::as_str)) {
        let taken = AddressTaken { address: address.clone(), owner_deleted_since: None };
        return Err(WriteError::Taken(taken));
    }
    let tenant = &work.import.tenant.id;
    let own_entry = own.map(|mail| work.import.directory.tree().user(tenant, mail));
    let taken = work.import.directory.taken_address(tenant, addresses, own_entry.as_ref()).await?;
    if let Some(taken) = taken {
        return Err(WriteError::Taken(taken));
    }
    // The first of a new user's addresses is its own.
    let owner = own.map(MailAddress::as_str).or(addresses.first().map(String::as_str));
    work.trial.take(addresses, owner.unwrap_or_default());
    Ok(())
}

fn is_super(user: &User) -> bool {
    user.role() == Role::SuperAdministrator
}

fn wrong_mail(reason: &impl std::fmt::Display) -> Refusal {
    Message::of_parameter(MAIL_PARAMETER, &format!("{MAIL_PARAMETER} {reason}")).into()
}

fn forbidden() -> Refusal {
    Failure::forbidden().into()
}

/// What the API would answer.
fn failed(work: &Work, error: WriteError) -> Refusal {
    let out_of_reach = matches!(
        error,
        WriteError::Directory(DirectoryError::Unreachable(_) | DirectoryError::OutcomeUnknown(_))
    );
    Refusal { out_of_reach, ..Failure::of_write("user", error, work.import.retention).into() }
}
