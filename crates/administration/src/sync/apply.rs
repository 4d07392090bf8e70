//! Writes what differs.

use super::{
    people::{Mains, further_address},
    run::{Plan, Run, SyncError, reason},
    spool::{Spooled, corrupt},
    step::PersonStep,
};
use crate::{policy::Reach, users::PROGRAM};
use directory::{
    Directory,
    changing::WriteError,
    sources::{OwnEntries, OwnEntry},
};
use futures_util::{StreamExt, stream};
use ldap_text::dn::Dn;
use mail_model::{
    address::MailAddress, contact::Kind, photo::Photo, source::plan::Picture, tenant::TenantId,
    user::LiveUser,
};
use photos::{Refused, Unconverted};

/// Changes between two checks of the lock.
const BATCH: usize = 64;

/// What became of a step.
struct Written {
    mail: String,
    is_new: bool,
    outcome: Result<(), WriteError>,
    /// Why the photo was left out.
    photo: Option<String>,
}

/// Writes the steps.
pub(super) async fn write(
    run: &mut Run<'_>,
    own: &OwnEntries,
    mut steps: Spooled,
    mains: &Mains,
    plan: &mut Plan<'_>,
) -> Result<(), SyncError> {
    loop {
        let mut batch = batch(&mut steps)?;
        if batch.is_empty() {
            return Ok(());
        }
        for card in batch.iter_mut().map(|step| &mut step.card) {
            for alias in card.aliases.extract_if(.., |alias| mains.contain(alias)) {
                run.refuse(card.mail.as_str(), &further_address(&alias), plan);
            }
        }
        let (directory, request, reach) = (run.directory, run.request, run.reach);
        let tenant = &request.tenant;
        let writes = batch.into_iter().map(|step| write_one(directory, own, tenant, reach, step));
        let written = stream::iter(writes).buffer_unordered(directory.permits()).collect::<Vec<_>>();
        for one in run.alive_during(written).await? {
            record(run, one, plan)?;
        }
    }
}

fn batch(steps: &mut Spooled) -> Result<Vec<PersonStep>, SyncError> {
    let mut batch = Vec::with_capacity(BATCH);
    while batch.len() < BATCH {
        let Some(parts) = steps.next()? else { break };
        let step = PersonStep::of_parts(parts);
        batch.push(step.ok_or_else(corrupt)?);
    }
    Ok(batch)
}

fn record(run: &mut Run<'_>, written: Written, plan: &mut Plan<'_>) -> Result<(), SyncError> {
    let Written { mail, is_new, outcome, photo } = written;
    match outcome {
        Ok(()) if is_new => run.report.counts.added += 1,
        Ok(()) => run.report.counts.updated += 1,
        Err(error) => {
            run.is_incomplete = true;
            run.refuse(&mail, &reason(error)?, plan);
        }
    }
    if let Some(why) = photo {
        run.refuse(&mail, &why, plan);
    }
    Ok(())
}

async fn write_one(
    directory: &Directory,
    own: &OwnEntries,
    tenant: &TenantId,
    reach: Reach,
    step: PersonStep,
) -> Written {
    let (converted, refused) = converted(&step).await;
    let picture = match (&converted, &refused) {
        (Some(photo), _) => Picture::Made(photo),
        (None, Some(Unmade::Unusable(_))) => Picture::Unusable,
        (None, _) => Picture::Unknown,
    };
    let entry = step.place.and_then(|place| own.get(place));
    let outcome = match entry {
        None => directory.create_contact(tenant, &step.card, picture).await,
        Some(entry) => change(directory, tenant, reach, entry, &step, picture).await,
    };
    let photo = refused.map(|unmade| format!("the photo was left out: {unmade}"));
    Written { mail: step.card.mail.to_string(), is_new: entry.is_none(), outcome, photo }
}

async fn change(
    directory: &Directory,
    tenant: &TenantId,
    reach: Reach,
    entry: &OwnEntry,
    step: &PersonStep,
    picture: Picture<'_>,
) -> Result<(), WriteError> {
    let dn = entry.name().ok_or(WriteError::NotFound)?;
    if entry.kind != Kind::User {
        return directory.update_contact(tenant, &dn, &step.card, picture).await;
    }
    let mail = MailAddress::parse(&entry.mail).map_err(|_| WriteError::NotFound)?;
    let may_touch = |user: &LiveUser| reach.has(&user.user);
    directory.update_card(tenant, &mail, &step.card, picture, may_touch).await
}

/// Why no photo was made of an image.
#[derive(Debug, thiserror::Error)]
enum Unmade {
    /// The image is no photo.
    #[error("{0}")]
    Unusable(Refused),
    /// It may become one with the next run.
    #[error("the server was too busy to convert it; the next run tries again")]
    Later,
}

/// The photo of a step that has a new one, or why there is none.
async fn converted(step: &PersonStep) -> (Option<Photo>, Option<Unmade>) {
    let Some(image) = step.card.photo.as_deref().filter(|_| step.has_new_photo) else { return (None, None) };
    match photos::convert_apart(PROGRAM, image).await {
        Ok(photo) => (Some(photo), None),
        Err(Unconverted::Refused(Refused::TooCostly) | Unconverted::Process(_)) => {
            (None, Some(Unmade::Later))
        }
        Err(Unconverted::Refused(refused)) => (None, Some(Unmade::Unusable(refused))),
    }
}

/// Takes further addresses from contacts, because a person has them as the address.
pub(super) async fn take_further_addresses(
    run: &mut Run<'_>,
    own: &OwnEntries,
    yielding: &[(usize, MailAddress)],
) -> Result<(), SyncError> {
    for (place, address) in yielding {
        let Some(dn) = own.get(*place).and_then(OwnEntry::name) else { continue };
        let taken = run.directory.take_further_address(dn, address);
        run.alive_during(taken).await??;
    }
    Ok(())
}

/// Removes contacts.
pub(super) async fn remove(
    run: &mut Run<'_>,
    own: &OwnEntries,
    leavers: &[usize],
    plan: &mut Plan<'_>,
) -> Result<(), SyncError> {
    for batch in leavers.chunks(BATCH) {
        let directory = run.directory;
        let entries = batch.iter().filter_map(|place| own.get(*place));
        let removals = entries.map(|entry| async move { (entry, remove_one(directory, entry.name()).await) });
        let removed = stream::iter(removals).buffer_unordered(directory.permits()).collect::<Vec<_>>();
        for (entry, outcome) in run.alive_during(removed).await? {
            match outcome {
                Ok(()) => run.report.counts.removed += 1,
                Err(error) => drop(run.refuse(&entry.mail, &reason(error)?, plan)),
            }
        }
    }
    Ok(())
}

async fn remove_one(directory: &Directory, dn: Option<Dn>) -> Result<(), WriteError> {
    Ok(directory.remove_contact(dn.ok_or(WriteError::NotFound)?).await?)
}
