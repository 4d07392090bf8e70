//! Applies one row, as the API would: executes the command and reads the outcome.

use super::{
    Import, Mode,
    passwords::{self, Compared},
    report::Outcome,
    rows::Row,
    run::Work,
    same::leave_out_same,
    trial::Trial,
};
use crate::names::MAIL;
use crate::{answer::Failure, requests::users::form};
use directory::{
    changing::{AddressTaken, WriteError},
    error::DirectoryError,
    tenants::TenantAtHand,
};
use mail_model::{
    address::MailAddress,
    field::{Field, FieldError, FieldErrors},
    user::{
        LiveUser,
        command::{NewUser, UserPatch},
        plan,
    },
};
use std::{error::Error, sync::Arc};
use web::{answer::Message, form::Parameters};

/// The outcome of a row.
pub(super) struct Done {
    pub(super) outcome: Outcome,
    /// The identifier of the changed entry.
    pub(super) changed: Option<String>,
}

impl Done {
    /// An outcome without a change that other processes must be notified of.
    pub(super) fn nothing_but(outcome: Outcome) -> Self {
        Self { outcome, changed: None }
    }
}

/// The context that a row is applied in.
struct RowContext<'a> {
    work: &'a Work,
    import: &'a Import,
    trial: &'a Trial,
    /// The tenant, read recently.
    tenant: Arc<TenantAtHand>,
}

/// The kind of entry, for messages of failures.
const USER: &str = "user";

/// Why a row was not applied, or why its outcome is unknown.
pub(super) struct Refusal {
    pub(super) message: Message,
    /// Whether the directory is out of reach, so that the next row would fail as well.
    pub(super) out_of_reach: bool,
    /// The cause, for the log.
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

/// Applies a row.
pub(super) async fn apply(work: &Work, row: Row) -> Result<Done, Refusal> {
    if !row.is_user {
        return Ok(Done::nothing_but(Outcome::Skipped));
    }
    let mut parameters = row.content?;
    let tenant = work.tenant().await.map_err(|error| failed(work, "tenant", error))?;
    let context = &RowContext { work, import: &work.import, trial: &work.trial, tenant };
    let mail = row.mail.filter(|mail| !mail.is_empty());
    let mail = mail.ok_or_else(|| wrong_mail(&FieldError::Required))?;
    if context.import.mode == Mode::Create {
        return create(context, &mail, &mut parameters).await;
    }
    let mut errors = FieldErrors::default();
    let address = errors.address(Field::UserMail, &mail);
    let Some(address) = address else { return Err(Failure::from(errors).into()) };
    let user = context.import.importer.directory().user(&context.tenant.id, &address).await;
    match user.map_err(|error| failed(context.work, USER, error.into()))? {
        Some(user) => {
            if row.is_exported {
                leave_out_same(&user.user, &mut parameters);
            }
            update(context, &address, &user, &mut parameters).await
        }
        None if context.trial.has_user(address.as_str()) => {
            try_update(context, &address, &mut parameters).await
        }
        None => create(context, &mail, &mut parameters).await,
    }
}

async fn create(context: &RowContext<'_>, mail: &str, parameters: &mut Parameters) -> Result<Done, Refusal> {
    let new = form::new_user(mail, parameters, &context.tenant, context.import.default_language)?;
    write_new(context, &new).await.map_err(|error| failed(context.work, USER, error))?;
    Ok(Done::nothing_but(Outcome::Created))
}

async fn write_new(context: &RowContext<'_>, new: &NewUser) -> Result<(), WriteError> {
    if context.import.dry_run {
        context.import.importer.allow_creation(new)?;
        return try_taking(context, &new.addresses(), None).await;
    }
    context.import.importer.create(&context.tenant, new).await
}

async fn update(
    context: &RowContext<'_>,
    mail: &MailAddress,
    user: &LiveUser,
    parameters: &mut Parameters,
) -> Result<Done, Refusal> {
    let patch = form::user_patch(mail, parameters, &context.tenant)?;
    let importer = &context.import.importer;
    let allowed = importer.allow_change(&patch).and_then(|()| importer.allow_touch(user));
    allowed.map_err(|error| failed(context.work, USER, error))?;
    let compared = passwords::without_same_password(context.import, mail, patch).await;
    let Compared { patch, guess } = compared.map_err(|error| failed(context.work, USER, error.into()))?;
    if plan::patch(context.import.importer.directory().tree(), user, &patch, (context.import.now)())
        .is_empty()
    {
        return Ok(Done::nothing_but(Outcome::Unchanged));
    }
    // If this fails, the guess counts as a failed log-in.
    let changed =
        write_patch(context, mail, &patch).await.map_err(|error| failed(context.work, USER, error))?;
    if let Some(guess) = guess {
        guess.undecided();
    }
    Ok(Done { outcome: Outcome::Updated, changed })
}

async fn write_patch(
    context: &RowContext<'_>,
    mail: &MailAddress,
    patch: &UserPatch,
) -> Result<Option<String>, WriteError> {
    if context.import.dry_run {
        try_taking(context, &patch.addresses(), Some(mail)).await?;
        return Ok(None);
    }
    context.import.importer.change(&context.tenant, mail, patch, (context.import.now)()).await.map(Some)
}

/// A dry run of a row that changes a user whom an earlier row would have created.
async fn try_update(
    context: &RowContext<'_>,
    mail: &MailAddress,
    parameters: &mut Parameters,
) -> Result<Done, Refusal> {
    let patch = form::user_patch(mail, parameters, &context.tenant)?;
    let tried = async {
        context.import.importer.allow_change(&patch)?;
        try_taking(context, &patch.addresses(), Some(mail)).await
    };
    tried.await.map_err(|error| failed(context.work, USER, error))?;
    Ok(Done::nothing_but(Outcome::Updated))
}

/// Checks the addresses as a write would, for a new user or for the user `own`.
async fn try_taking(
    context: &RowContext<'_>,
    addresses: &[String],
    own: Option<&MailAddress>,
) -> Result<(), WriteError> {
    if let Some(address) = context.trial.find(addresses, own.map(MailAddress::as_str)) {
        let taken = AddressTaken { address: address.clone(), owner_deleted_since: None };
        return Err(WriteError::Taken(taken));
    }
    let tenant = &context.tenant.id;
    let own_entry = own.map(|mail| context.import.importer.directory().tree().user(tenant, mail));
    let taken =
        context.import.importer.directory().taken_address(tenant, addresses, own_entry.as_ref()).await?;
    if let Some(taken) = taken {
        return Err(WriteError::Taken(taken));
    }
    // The first address of a new user is the user's own.
    let owner = own.map(MailAddress::as_str).or(addresses.first().map(String::as_str));
    context.trial.take(addresses, owner.unwrap_or_default());
    Ok(())
}

fn wrong_mail(reason: &FieldError) -> Refusal {
    Message::of_parameter(MAIL, &format!("{MAIL} {reason}")).into()
}

/// The failure that the API would answer with.
fn failed(work: &Work, what: &str, error: WriteError) -> Refusal {
    let out_of_reach = matches!(
        error,
        WriteError::Directory(DirectoryError::Unreachable(_) | DirectoryError::OutcomeUnknown(_))
    );
    Refusal { out_of_reach, ..Failure::of_write(what, error, work.import.retention).into() }
}
