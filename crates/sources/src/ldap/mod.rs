//! Active Directory and other LDAP directories as sources: Samba, `FreeIPA`, ALD Pro, `OpenLDAP`, 389-ds.
//!
//! Every search is read in pages where the server has them, and ends with a success only if the server said that it was
//! complete: a limit, a referral instead of entries, or a connection that ends is an error, never a short answer.
//! References to other servers among the entries are not followed.
//!
//! People are found again by `objectGUID`, else `ipaUniqueID`, `entryUUID` or `nsUniqueId`. People who are disabled,
//! expired or hidden from address books are not in the source for us: they go as leavers do. Groups become lists whose
//! members are people by their addresses, and groups that are lists themselves; other groups within them are replaced by
//! their members.
//!
//! **Quick runs** read what has changed since a number that the domain controller counts (`position`). They do not
//! notice who has left, was disabled or was moved away; a whole run does, so one is needed each day.

mod conflict;
mod connection;
mod entry;
mod filter;
mod groups;
mod identity;
mod limits;
mod names;
mod people;
mod person;
mod position;
mod refusal;
mod root;
mod search;
mod settings;
mod standing;
mod trust;
pub mod wire;

pub use limits::Limits;
pub use settings::{Encryption, LdapSourceSettings};

use crate::{
    Read, SourceError, Sweep,
    read::{Ending, Passed},
    shown,
};
use connection::Session;
use root::Root;
use settings::Plan;
use tokio::sync::mpsc;

/// Connects and logs in.
///
/// # Errors
/// [`SourceError`].
pub(crate) async fn probe(settings: &LdapSourceSettings) -> Result<(), SourceError> {
    Plan::new(settings)?;
    let limits = Limits::of_probe();
    limits.in_time(async { opened(settings, &limits).await.map(drop) }).await
}

/// Reads the people.
///
/// # Errors
/// [`SourceError`]; what was sent is then not all.
pub async fn people(
    settings: &LdapSourceSettings,
    limits: &Limits,
    sweep: &Sweep,
    out: mpsc::Sender<Read>,
) -> Result<Ending, SourceError> {
    let plan = Plan::new(settings)?;
    let read = async {
        let (mut session, root) = opened(settings, limits).await?;
        people::read(&mut session, &root, &plan, sweep, &out).await
    };
    limits.in_time(read).await
}

/// Reads the groups. Without a container of groups nothing is read, which says nothing about who has left.
///
/// # Errors
/// [`SourceError`]; what was sent is then not all.
pub async fn groups(
    settings: &LdapSourceSettings,
    limits: &Limits,
    out: mpsc::Sender<Read>,
) -> Result<Ending, SourceError> {
    let plan = Plan::new(settings)?;
    let Some(base) = &plan.groups_base else {
        let what = "groups".to_owned();
        let why = "none are read, since sync.ad.groups_dn is not set".to_owned();
        let told = out.send(Read::Passed(Passed { what, why, keeps: None })).await;
        told.map_err(|_| SourceError::Ended)?;
        return Ok(Ending { is_whole: false, position: None });
    };
    let read = async {
        let (mut session, root) = opened(settings, limits).await?;
        groups::read(&mut session, &root, &plan, base, &out).await
    };
    limits.in_time(read).await?;
    Ok(Ending { is_whole: true, position: None })
}

async fn opened(settings: &LdapSourceSettings, limits: &Limits) -> Result<(Session, Root), SourceError> {
    let mut session = Session::open(settings, limits).await?;
    let root = Root::read(&mut session).await?;
    Ok((session, root))
}
