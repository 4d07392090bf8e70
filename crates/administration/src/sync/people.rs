//! Runs for people.

use super::{
    apply,
    compare::{Comparison, Verdict},
    run::{Plan, PlanLine, PlannedOp, Run, SyncError},
    spool::Spool,
    step::PersonStep,
};
use directory::sources::OwnEntries;
use mail_model::source::{card::Card, print::Part};
use sources::{Ending, Passed, Read, SourceError};
use tokio::{
    join,
    sync::mpsc::{self, Receiver},
};

/// Entries of the source that wait to be compared.
const WAITING: usize = 256;

/// Compares the people of the source with the tenant's entries, and writes what differs.
pub(super) async fn synchronize(run: &mut Run<'_>, mut plan: Plan<'_>) -> Result<(), SyncError> {
    let directory = run.directory;
    let tenant = directory.tenant(&run.request.tenant).await?.ok_or(SyncError::NoTenant)?;
    let own = run.alive_during(directory.own_entries(&tenant.id)).await??;
    let foreign = directory.domains_of_others(&tenant).await?;
    let kinds = run.reader.kinds();
    let (mut comparison, mut spool) = (Comparison::with(&own, foreign, kinds), Spool::new()?);
    let ending = read(run, &mut comparison, &mut spool, &mut plan).await?;
    run.report.is_whole = ending.is_whole;
    let leavers = leavers(run, &comparison, &ending, &mut plan);
    if run.is_dry() {
        tell_removals(run, &own, &leavers, &mut plan);
        return Ok(());
    }
    // Leavers are removed first, because another person may have one of their addresses by now.
    apply::remove(run, &own, &leavers, &mut plan).await?;
    apply::write(run, &own, spool.read()?, &mut plan).await?;
    run.report.position = ending.position.filter(|_| !run.is_incomplete);
    Ok(())
}

async fn read(
    run: &mut Run<'_>,
    comparison: &mut Comparison<'_>,
    spool: &mut Spool,
    plan: &mut Plan<'_>,
) -> Result<Ending, SyncError> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let (reader, sweep) = (run.reader.clone(), run.sweep().await?);
    let reading = reader.people(&sweep, sender);
    let (ending, compared) = join!(reading, compare_all(run, comparison, spool, plan, receiver));
    compared?;
    Ok(ending?)
}

async fn compare_all(
    run: &mut Run<'_>,
    comparison: &mut Comparison<'_>,
    spool: &mut Spool,
    plan: &mut Plan<'_>,
    mut receiver: Receiver<Read>,
) -> Result<(), SyncError> {
    while let Some(read) = next(run, &mut receiver).await? {
        let goes_on = match read {
            Read::Person(card) => {
                run.report.counts.read += 1;
                compare(run, comparison, spool, plan, *card)?
            }
            Read::Passed(Passed { what, why, keeps }) => {
                if let Some(id) = &keeps {
                    comparison.keep(id);
                }
                run.refuse(what, why, plan)
            }
            Read::List(_) => true,
        };
        if !goes_on {
            return Err(SourceError::Ended.into());
        }
    }
    Ok(())
}

/// The next entry of the source. The run says that it lives while it waits.
pub(super) async fn next(
    run: &mut Run<'_>,
    receiver: &mut Receiver<Read>,
) -> Result<Option<Read>, SyncError> {
    run.alive_during(receiver.recv()).await
}

fn compare(
    run: &mut Run<'_>,
    comparison: &mut Comparison<'_>,
    spool: &mut Spool,
    plan: &mut Plan<'_>,
    card: Card,
) -> Result<bool, SyncError> {
    match comparison.judge(&card) {
        Verdict::Unchanged(_) => {
            run.report.counts.unchanged += 1;
            Ok(true)
        }
        Verdict::Refused(reason) => {
            run.is_incomplete = true;
            Ok(run.refuse(card.mail.to_string(), reason.to_owned(), plan))
        }
        Verdict::New if run.is_dry() => {
            run.report.counts.added += 1;
            Ok(plan(line(PlannedOp::Add, &card, Vec::new())))
        }
        Verdict::Stale(_, parts) if run.is_dry() => {
            run.report.counts.updated += 1;
            Ok(plan(line(PlannedOp::Update, &card, names(&parts))))
        }
        Verdict::New => {
            let has_new_photo = card.photo.is_some();
            spool.push(&PersonStep { place: None, card, has_new_photo }.parts())?;
            Ok(true)
        }
        Verdict::Stale(place, parts) => {
            let has_new_photo = parts.contains(&Part::Photo) && card.photo.is_some();
            spool.push(&PersonStep { place: Some(place), card, has_new_photo }.parts())?;
            Ok(true)
        }
    }
}

fn line(op: PlannedOp, card: &Card, about: Vec<String>) -> PlanLine {
    PlanLine { op, mail: card.mail.to_string(), source: Some(card.id.to_string()), about }
}

/// The names of the attributes that change. Without one, only the mark of the source is set.
fn names(parts: &[Part]) -> Vec<String> {
    parts.iter().map(|part| part.attribute().as_str().to_owned()).collect()
}

/// The contacts to remove: those that earlier runs have made and that are not in the source any more, if all of it was
/// read, and if they are not too many.
fn leavers(
    run: &mut Run<'_>,
    comparison: &Comparison<'_>,
    ending: &Ending,
    plan: &mut Plan<'_>,
) -> Vec<usize> {
    if !ending.is_whole {
        return Vec::new();
    }
    let (leavers, of) = comparison.leavers();
    allowed_leavers(run, leavers, of, "contacts", plan)
}

/// The entries to remove, or none if they are too many.
pub(super) fn allowed_leavers(
    run: &mut Run<'_>,
    leavers: Vec<usize>,
    of: usize,
    what: &str,
    plan: &mut Plan<'_>,
) -> Vec<usize> {
    let is_empty = run.report.counts.read == 0 && !leavers.is_empty();
    if run.request.force || (run.settings.may_remove(leavers.len(), of) && !is_empty) {
        return leavers;
    }
    let why = format!(
        "{} of {of} {what} are not in the source any more, which is more than sync.removal_limit ({} %) allows; \
         nothing was removed. If that is right, run it again with force=1.",
        leavers.len(),
        run.settings.removal_limit
    );
    run.report.message = Some(why.clone());
    run.refuse("removals".to_owned(), why, plan);
    Vec::new()
}

pub(super) fn tell_removals(run: &mut Run<'_>, own: &OwnEntries, leavers: &[usize], plan: &mut Plan<'_>) {
    for entry in leavers.iter().filter_map(|place| own.get(*place)) {
        run.report.counts.removed += 1;
        let source = entry.ids.first().map(ToString::to_string);
        let line =
            PlanLine { op: PlannedOp::Remove, mail: entry.mail.to_string(), source, about: Vec::new() };
        if !plan(line) {
            return;
        }
    }
}
