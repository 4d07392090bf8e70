//! Runs for groups, which become mailing lists.
//!
//! Lists that are lacking are made first, without members, so that a list can be the member of another whichever comes
//! first.

use super::{
    compare::leavers,
    people::{allowed_leavers, next, tell_removals},
    run::{Plan, PlanLine, PlannedOp, Run, SyncError, reason},
    spool::{Spool, Spooled, corrupt},
    step,
};
use directory::{
    Lookup,
    changing::WriteError,
    sources::{ListDifference, OwnEntries},
    tenants::TenantAtHand,
};
use mail_model::{
    address::MailAddress,
    contact::Kind,
    names, naming,
    revision::Precondition,
    source::{SourceId, list::SourceList},
    tenant::Tenant,
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
    let (directory, request) = (run.directory, run.request);
    let mut own = run.alive_during(directory.own_entries(&request.tenant)).await??;
    let Lacking { new, refused } = create_lacking(run, &own, &mut lists, &mut plan).await?;
    if !new.is_empty() && !run.is_dry() {
        own = run.alive_during(directory.own_entries(&request.tenant)).await??;
    }
    // What has the address of a group that was left out may be what was made of it.
    let by_address = refused.iter().filter_map(|mail| own.with_address(mail.as_str()));
    let mut taken: HashSet<usize> =
        kept.iter().flat_map(|id| own.with_id(id).to_vec()).chain(by_address).collect();
    lists.rewind()?;
    update(run, &own, &mut lists, &new, &mut taken, &mut plan).await?;
    let (gone, of) = leavers(&own, &taken, Kind::List, run.reader.kinds());
    let gone =
        if ending.is_whole { allowed_leavers(run, gone, of, "mailing lists", &mut plan) } else { Vec::new() };
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
                if !run.refuse(&what, &why, plan) {
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
    Ok(Some(list.ok_or_else(corrupt)?))
}

/// The tenant, read again if it was read too long ago.
async fn tenant(run: &Run<'_>, at_hand: Option<TenantAtHand>) -> Result<TenantAtHand, SyncError> {
    match at_hand.filter(TenantAtHand::is_fresh) {
        Some(tenant) => Ok(tenant),
        None => run.directory.tenant(&run.request.tenant).await?.ok_or(SyncError::NoTenant),
    }
}

/// What became of the groups that have no list.
#[derive(Default)]
struct Lacking {
    /// The identifiers of those that have one now.
    new: HashSet<SourceId>,
    /// The addresses of those that were left out.
    refused: Vec<MailAddress>,
}

/// Makes the lists that are lacking.
async fn create_lacking(
    run: &mut Run<'_>,
    own: &OwnEntries,
    lists: &mut Spooled,
    plan: &mut Plan<'_>,
) -> Result<Lacking, SyncError> {
    let (mut lacking, mut at_hand, mut addresses) = (Lacking::default(), None, HashSet::new());
    while let Some(list) = next_list(lists)? {
        run.live().await?;
        let is_known = own.with_id(&list.id).iter().any(|place| is_list(own, *place));
        if is_known {
            continue;
        }
        let tenant = tenant(run, at_hand.take()).await?;
        let refused = if let Some(why) = unusable(&tenant, &list.mail) {
            Some(why)
        } else if own.with_address(list.mail.as_str()).is_some() || !addresses.insert(list.mail.clone()) {
            Some("its address belongs to another entry of the tenant, or to another group")
        } else {
            None
        };
        if let Some(why) = refused {
            run.refuse(list.mail.as_str(), why, plan);
            lacking.refused.push(list.mail);
        } else if run.is_dry() {
            run.report.counts.added += 1;
            plan(line(PlannedOp::Add, &list));
            lacking.new.insert(list.id);
        } else {
            match run.directory.create_source_list(&tenant, &list, Vec::new()).await {
                Ok(()) => {
                    run.report.counts.added += 1;
                    lacking.new.insert(list.id);
                }
                Err(error) => {
                    run.refuse(list.mail.as_str(), &reason(error)?, plan);
                    lacking.refused.push(list.mail);
                }
            }
        }
        at_hand = Some(tenant);
    }
    Ok(lacking)
}

/// Why the list of a group cannot have an address.
fn unusable(tenant: &Tenant, mail: &MailAddress) -> Option<&'static str> {
    if naming::fits(&names::MAIL, mail.as_str()) {
        (!tenant.serves(mail.domain())).then_some("its address is in no domain of the tenant")
    } else {
        Some("its address is too long for the name of an entry")
    }
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
    let (mut at_hand, mut updated) = (None, HashSet::new());
    let this_tenant = tenant(run, None).await?;
    let foreign = run.directory.domains_of_others(&this_tenant).await?;
    while let Some(list) = next_list(lists)? {
        run.live().await?;
        let Some(place) = own.with_id(&list.id).iter().copied().find(|place| is_list(own, *place)) else {
            continue;
        };
        taken.insert(place);
        if !updated.insert(place) {
            run.refuse(list.mail.as_str(), "another group has the same identifier", plan);
            continue;
        }
        let mail = own.get(place).and_then(|entry| MailAddress::parse(&entry.mail).ok());
        let Some(mail) = mail else { continue };
        let tenant = tenant(run, at_hand.take()).await?;
        if let Some(why) = unusable(&tenant, &list.mail) {
            run.refuse(list.mail.as_str(), &format!("{why}; the list {mail} was left as it is"), plan);
            at_hand = Some(tenant);
            continue;
        }
        let is_new = new.contains(&list.id);
        let (members, left) = Lookup::possible_members(&tenant, &foreign, own, &list);
        match update_one(run, own, &tenant, &mail, &list, members).await? {
            Ok(Updated::Same) => run.report.counts.unchanged += u64::from(!is_new),
            Ok(Updated::TooManyLeave(leaving)) => {
                let why = format!(
                    "{leaving} members are not in the group any more, which is more than sync.removal_limit allows; the \
                     list was left as it is. If that is right, run it again with force=1 (pbm sync: --force)."
                );
                run.report.message = Some(why.clone());
                run.refuse(list.mail.as_str(), &why, plan);
            }
            Ok(Updated::Done(about)) => {
                run.report.counts.updated += u64::from(!is_new);
                if run.is_dry() {
                    plan(PlanLine { about, ..line(PlannedOp::Update, &list) });
                }
                tell_left(run, &list, left, plan);
            }
            Err(error) => drop(run.refuse(list.mail.as_str(), &reason(error)?, plan)),
        }
        at_hand = Some(tenant);
    }
    Ok(())
}

/// What became of a list.
enum Updated {
    /// It is as its group is already.
    Same,
    /// It would lose more members than is allowed.
    TooManyLeave(usize),
    /// It is as its group is now, or would be; these attributes differed.
    Done(Vec<String>),
}

/// Makes a list as its group is.
async fn update_one(
    run: &mut Run<'_>,
    own: &OwnEntries,
    tenant: &TenantAtHand,
    mail: &MailAddress,
    list: &SourceList,
    members: Vec<MailAddress>,
) -> Result<Result<Updated, WriteError>, SyncError> {
    let directory = run.directory;
    let difference = directory.list_difference(tenant, own, mail, &list.display_name, &members);
    let ListDifference { name, members: differ, leaving, of } = match run.alive_during(difference).await? {
        Ok(difference) => difference,
        Err(error) => return Ok(Err(error)),
    };
    let attributes = [
        (*mail != list.mail).then_some(names::MAIL),
        name.then_some(names::DISPLAY_NAME),
        differ.then_some(names::MEMBER),
    ];
    let about: Vec<_> = attributes.into_iter().flatten().map(|name| name.to_string()).collect();
    if about.is_empty() {
        return Ok(Ok(Updated::Same));
    }
    if !run.request.force && !run.settings.may_remove(leaving, of) {
        return Ok(Ok(Updated::TooManyLeave(leaving)));
    }
    if run.is_dry() {
        return Ok(Ok(Updated::Done(about)));
    }
    let update = Box::pin(directory.update_source_list(tenant, mail, list, members));
    Ok(run.alive_during(update).await?.map(|()| Updated::Done(about)))
}

fn tell_left(run: &mut Run<'_>, list: &SourceList, left: usize, plan: &mut Plan<'_>) {
    if left > 0 {
        let why = format!("{left} of its members have no entry here: synchronize people first");
        run.refuse(list.mail.as_str(), &why, plan);
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
            Err(error) => drop(run.refuse(mail.as_str(), &reason(error)?, plan)),
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
