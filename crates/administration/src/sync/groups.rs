//! Runs for groups, which become mailing lists.
//!
//! Lists that are lacking are made first, without members, so that a list can be the member of another whichever comes
//! first.

use super::{
    compare::leavers,
    people::{allowed_leavers, next, tell_removals},
    run::{Plan, PlanLine, PlannedOp, Run, SyncError, reason},
    spool::{Spool, Spooled},
    step,
};
use directory::{Lookup, changing::WriteError, sources::OwnEntries, tenants::TenantAtHand};
use mail_model::{
    address::MailAddress,
    contact::Kind,
    revision::Precondition,
    source::{SourceId, list::SourceList},
};
use sources::{Ending, Passed, Read, SourceError};
use std::collections::HashSet;
use tokio::{
    join,
    sync::mpsc::{self, Receiver},
};

/// Groups of the source that wait to be compared.
const WAITING: usize = 16;

/// Compares the groups of the source with the tenant's lists, and writes what differs.
pub(super) async fn synchronize(run: &mut Run<'_>, mut plan: Plan<'_>) -> Result<(), SyncError> {
    let mut spool = Spool::new()?;
    let (ending, kept) = read(run, &mut spool, &mut plan).await?;
    run.report.is_whole = ending.is_whole;
    let mut lists = spool.read()?;
    let mut own = run.directory.own_entries(&run.request.tenant).await?;
    let mut taken: HashSet<usize> = kept.iter().flat_map(|id| own.with_id(id).to_vec()).collect();
    let new = create_lacking(run, &own, &mut lists, &mut plan).await?;
    if !new.is_empty() && !run.is_dry() {
        own = run.directory.own_entries(&run.request.tenant).await?;
        taken = kept.iter().flat_map(|id| own.with_id(id).to_vec()).collect();
    }
    lists.rewind()?;
    update(run, &own, &mut lists, &new, &mut taken, &mut plan).await?;
    let (gone, of) = leavers(&own, &taken, Kind::List, run.reader.kinds());
    let gone = allowed_leavers(run, gone, of, "mailing lists", &mut plan);
    if run.is_dry() {
        tell_removals(run, &own, &gone, &mut plan);
        return Ok(());
    }
    remove(run, &own, &gone, &mut plan).await
}

/// Reads all groups into a file. The second result are the identifiers of groups that could not be used now.
async fn read(
    run: &mut Run<'_>,
    spool: &mut Spool,
    plan: &mut Plan<'_>,
) -> Result<(Ending, Vec<SourceId>), SyncError> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let reader = run.reader.clone();
    let (ending, kept) = join!(reader.groups(sender), take(run, spool, plan, receiver));
    let kept = kept?;
    Ok((ending?, kept))
}

async fn take(
    run: &mut Run<'_>,
    spool: &mut Spool,
    plan: &mut Plan<'_>,
    mut receiver: Receiver<Read>,
) -> Result<Vec<SourceId>, SyncError> {
    let mut kept = Vec::new();
    while let Some(read) = next(run, &mut receiver).await? {
        match read {
            Read::List(list) => {
                run.report.counts.read += 1;
                spool.push(&step::of_list(&list))?;
            }
            Read::Passed(Passed { what, why, keeps }) => {
                kept.extend(keeps);
                if !run.refuse(what, why, plan) {
                    return Err(SourceError::Ended.into());
                }
            }
            Read::Person(_) => {}
        }
    }
    Ok(kept)
}

fn next_list(lists: &mut Spooled) -> Result<Option<SourceList>, SyncError> {
    let Some(parts) = lists.next()? else { return Ok(None) };
    let list = step::to_list(parts);
    Ok(Some(list.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::InvalidData))?))
}

/// The tenant, read again if it was read too long ago.
async fn tenant(run: &Run<'_>, at_hand: Option<TenantAtHand>) -> Result<TenantAtHand, SyncError> {
    match at_hand.filter(TenantAtHand::is_fresh) {
        Some(tenant) => Ok(tenant),
        None => run.directory.tenant(&run.request.tenant).await?.ok_or(SyncError::NoTenant),
    }
}

/// Makes the lists that are lacking. Returns the identifiers of their groups.
async fn create_lacking(
    run: &mut Run<'_>,
    own: &OwnEntries,
    lists: &mut Spooled,
    plan: &mut Plan<'_>,
) -> Result<HashSet<SourceId>, SyncError> {
    let (mut new, mut at_hand, mut addresses) = (HashSet::new(), None, HashSet::new());
    while let Some(list) = next_list(lists)? {
        run.live().await?;
        let is_known = own.with_id(&list.id).iter().any(|place| is_list(own, *place));
        if is_known {
            continue;
        }
        let tenant = tenant(run, at_hand.take()).await?;
        let refused = if !tenant.serves(list.mail.domain()) {
            Some("its address is in no domain of the tenant")
        } else if own.with_address(list.mail.as_str()).is_some() || !addresses.insert(list.mail.clone()) {
            Some("its address belongs to another entry of the tenant, or to another group")
        } else {
            None
        };
        if let Some(why) = refused {
            run.refuse(list.mail.to_string(), why.to_owned(), plan);
        } else if run.is_dry() {
            run.report.counts.added += 1;
            plan(line(PlannedOp::Add, &list));
            new.insert(list.id);
        } else {
            match run.directory.create_source_list(&tenant, &list, Vec::new()).await {
                Ok(()) => {
                    run.report.counts.added += 1;
                    new.insert(list.id);
                }
                Err(error) => drop(run.refuse(list.mail.to_string(), reason(error)?, plan)),
            }
        }
        at_hand = Some(tenant);
    }
    Ok(new)
}

/// Gives each list the members that it should have.
async fn update(
    run: &mut Run<'_>,
    own: &OwnEntries,
    lists: &mut Spooled,
    new: &HashSet<SourceId>,
    taken: &mut HashSet<usize>,
    plan: &mut Plan<'_>,
) -> Result<(), SyncError> {
    let mut at_hand = None;
    while let Some(list) = next_list(lists)? {
        run.live().await?;
        let Some(place) = own.with_id(&list.id).iter().copied().find(|place| is_list(own, *place)) else {
            continue;
        };
        taken.insert(place);
        let mail = own.get(place).and_then(|entry| MailAddress::parse(&entry.mail).ok());
        let Some(mail) = mail else { continue };
        let tenant = tenant(run, at_hand.take()).await?;
        let is_new = new.contains(&list.id);
        match update_one(run, own, &tenant, &mail, &list).await {
            Ok(None) => run.report.counts.unchanged += u64::from(!is_new),
            Ok(Some(left)) => {
                run.report.counts.updated += u64::from(!is_new);
                if run.is_dry() {
                    plan(line(PlannedOp::Update, &list));
                }
                tell_left(run, &list, left, plan);
            }
            Err(error) => drop(run.refuse(list.mail.to_string(), reason(error)?, plan)),
        }
        at_hand = Some(tenant);
    }
    Ok(())
}

/// Makes a list as its group is. `None` if it is so already; otherwise the number of members that it cannot have.
async fn update_one(
    run: &Run<'_>,
    own: &OwnEntries,
    tenant: &TenantAtHand,
    mail: &MailAddress,
    list: &SourceList,
) -> Result<Option<usize>, WriteError> {
    let (members, left) = Lookup::possible_members(tenant, own, list);
    let is_same = run.directory.list_is(tenant, own, mail, &list.display_name, &members).await?;
    if is_same && *mail == list.mail {
        return Ok(None);
    }
    if !run.is_dry() {
        run.directory.update_source_list(tenant, mail, list, members).await?;
    }
    Ok(Some(left))
}

fn tell_left(run: &mut Run<'_>, list: &SourceList, left: usize, plan: &mut Plan<'_>) {
    if left > 0 {
        let why = format!("{left} of its members are nobody's here: synchronize people first");
        run.refuse(list.mail.to_string(), why, plan);
    }
}

async fn remove(
    run: &mut Run<'_>,
    own: &OwnEntries,
    gone: &[usize],
    plan: &mut Plan<'_>,
) -> Result<(), SyncError> {
    for entry in gone.iter().filter_map(|place| own.get(*place)) {
        run.live().await?;
        let Ok(mail) = MailAddress::parse(&entry.mail) else { continue };
        let tenant = &run.request.tenant;
        match run.directory.delete_mail_list(tenant, &mail, &Precondition::None).await {
            Ok(()) | Err(WriteError::NotFound) => run.report.counts.removed += 1,
            Err(error) => drop(run.refuse(mail.to_string(), reason(error)?, plan)),
        }
    }
    Ok(())
}

fn is_list(own: &OwnEntries, place: usize) -> bool {
    own.get(place).is_some_and(|entry| entry.kind == Kind::List)
}

fn line(op: PlannedOp, list: &SourceList) -> PlanLine {
    PlanLine { op, mail: list.mail.to_string(), source: Some(list.id.to_string()), about: Vec::new() }
}
