//! Runs for people.

use super::{
    apply,
    compare::{Comparison, Verdict},
    run::{Plan, PlanLine, PlannedOp, Run, SyncError},
    spool::{Spool, corrupt},
    step::PersonStep,
};
use directory::sources::OwnEntries;
use mail_model::{
    address::MailAddress,
    contact::Kind,
    source::{
        card::{Card, Part},
        print::unfit_for_users,
    },
};
use sources::{Ending, Passed, Read, SourceError};
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};
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
    let mut work = Work {
        own: &own,
        comparison: Comparison::with(&own, foreign, kinds),
        steps: Spool::new()?,
        put_off: Spool::new()?,
        mains: Mains::default(),
    };
    let ending = read(run, &mut work, &mut plan).await?;
    let Work { mut comparison, mut steps, put_off, mains, .. } = work;
    let mut put_off = put_off.read()?;
    while let Some(parts) = put_off.next()? {
        let card = PersonStep::of_parts(parts).ok_or_else(corrupt)?.card;
        let verdict = comparison.judge_last(&card);
        if !take(run, &mut steps, &own, verdict, card, &mut plan)? {
            return Err(SourceError::Ended.into());
        }
    }
    run.report.is_whole = ending.is_whole;
    let mut leavers = leavers(run, &comparison, &ending, &mut plan);
    leavers.extend(comparison.foreign_contacts());
    if run.is_dry() {
        tell_yielding(run, &own, comparison.yielding(), &mut plan);
        tell_removals(run, &own, &leavers, &mut plan);
        return Ok(());
    }
    // Leavers are removed first, because another person may have one of their addresses by now.
    apply::remove(run, &own, &leavers, &mut plan).await?;
    apply::take_further_addresses(run, &own, comparison.yielding()).await?;
    apply::write(run, &own, steps.read()?, &mains, &mut plan).await?;
    run.report.position = ending.position.filter(|_| !run.is_incomplete);
    Ok(())
}

/// What becomes of the people of a source.
struct Work<'a> {
    own: &'a OwnEntries,
    comparison: Comparison<'a>,
    /// What differs.
    steps: Spool,
    /// The people about whom the decision is put off.
    put_off: Spool,
    /// The addresses of all people.
    mains: Mains,
}

/// The addresses of all people of a source, each as a number: nobody else has one of them as a further address.
#[derive(Default)]
pub(super) struct Mains(HashSet<u64>);

impl Mains {
    fn add(&mut self, mail: &MailAddress) {
        self.0.insert(Self::number(mail));
    }

    /// Whether this is the address of somebody.
    pub(super) fn contain(&self, mail: &MailAddress) -> bool {
        self.0.contains(&Self::number(mail))
    }

    fn number(mail: &MailAddress) -> u64 {
        let mut hasher = DefaultHasher::new();
        mail.as_str().hash(&mut hasher);
        hasher.finish()
    }
}

async fn read(run: &mut Run<'_>, work: &mut Work<'_>, plan: &mut Plan<'_>) -> Result<Ending, SyncError> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let (reader, sweep) = (run.reader.clone(), run.sweep().await?);
    let reading = reader.people(&sweep, sender);
    let (ending, compared) = join!(reading, compare_all(run, work, plan, receiver));
    compared?;
    Ok(ending?)
}

async fn compare_all(
    run: &mut Run<'_>,
    work: &mut Work<'_>,
    plan: &mut Plan<'_>,
    mut receiver: Receiver<Read>,
) -> Result<(), SyncError> {
    while let Some(read) = next(run, &mut receiver).await? {
        let goes_on = match read {
            Read::Person(card) => {
                run.report.counts.read += 1;
                compare(run, work, plan, *card)?
            }
            Read::Passed(Passed { what, why, keeps }) => {
                if let Some(id) = &keeps {
                    work.comparison.keep(id);
                }
                run.refuse(&what, &why, plan)
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
    work: &mut Work<'_>,
    plan: &mut Plan<'_>,
    mut card: Card,
) -> Result<bool, SyncError> {
    work.mains.add(&card.mail);
    for alias in work.comparison.without_foreign_aliases(&mut card) {
        run.refuse(card.mail.as_str(), &further_address(&alias), plan);
    }
    let Some(verdict) = work.comparison.judge(&card) else {
        work.put_off.push(&PersonStep { place: None, card, has_new_photo: false }.parts())?;
        return Ok(true);
    };
    take(run, &mut work.steps, work.own, verdict, card, plan)
}

/// Does what was decided about a person: notes it, tells it, or keeps it for later. `false` ends the run.
fn take(
    run: &mut Run<'_>,
    spool: &mut Spool,
    own: &OwnEntries,
    verdict: Verdict,
    card: Card,
    plan: &mut Plan<'_>,
) -> Result<bool, SyncError> {
    if let Verdict::Unchanged(place) | Verdict::Stale(place, _) = &verdict {
        let is_user = own.get(*place).is_some_and(|entry| entry.kind == Kind::User);
        for (field, why) in is_user.then(|| unfit_for_users(&card)).into_iter().flatten() {
            run.refuse(card.mail.as_str(), &format!("{} was left out: it {why}", field.attribute()), plan);
        }
    }
    match verdict {
        Verdict::Unchanged(_) => {
            run.report.counts.unchanged += 1;
            Ok(true)
        }
        Verdict::Refused(reason) => {
            run.is_incomplete = true;
            Ok(run.refuse(card.mail.as_str(), reason, plan))
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

/// Why a further address is left out.
pub(super) fn further_address(alias: &MailAddress) -> String {
    format!(
        "the further address {alias} was left out: another entry has it, or its domain is another tenant's"
    )
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
         nothing was removed. If that is right, run it again with force=1 (pbm sync: --force).",
        leavers.len(),
        run.settings.removal_limit
    );
    run.report.message = Some(why.clone());
    run.refuse("removals", &why, plan);
    Vec::new()
}

/// Tells which contacts would lose a further address to a person who has it as the address.
fn tell_yielding(
    run: &mut Run<'_>,
    own: &OwnEntries,
    yielding: &[(usize, MailAddress)],
    plan: &mut Plan<'_>,
) {
    for (place, address) in yielding {
        let what = own.get(*place).map(|entry| entry.mail.to_string()).unwrap_or_default();
        if !run.refuse(&what, &further_address(address), plan) {
            return;
        }
    }
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
