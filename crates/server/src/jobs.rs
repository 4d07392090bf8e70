//! Background jobs. The scheduled purge takes no input, reads the state from the directory each time, and may be killed
//! or run in several replicas at once (see [`directory::purge`]). The job that keeps the address book up to date has a
//! thread of its own, because it may have to process a hundred thousand entries.

use crate::{backup, config::Config, live::PurgeSchedule};
use address_book::reader::AddressBook;
use administration::{
    backups::ScheduledBackup,
    clock,
    policy::Reach,
    sync::{self, SyncError, SyncRequest, Syncs},
};
use directory::{
    Directory,
    product::plugins::IdlePlugins,
    purge::PurgeReport,
    settings::{LdapSettings, OnHang},
};
use mail_model::{
    run::{Report, Source, Subject},
    tenant::TenantId,
};
use std::{
    io,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    runtime,
    sync::{oneshot, watch},
};

/// The interval between checks of the plug-ins: they change with a restart of the server or manually.
const PLUGINS_INTERVAL: Duration = Duration::from_secs(10);

/// Runs the purge now and then periodically, followed by the search for outside members that have become the tenant's
/// own; never ends.
pub async fn purge_on_schedule(config: &Config, mut schedule: watch::Receiver<PurgeSchedule>) {
    let ldap = LdapSettings { on_hang: OnHang::Wait, ..for_a_job(config) };
    let directory = Directory::new(Arc::new(ldap), config.tree.clone());
    loop {
        let PurgeSchedule { retention, .. } = *schedule.borrow_and_update();
        match Box::pin(directory.purge(retention, clock::now(), || {})).await {
            Ok(report) if report.users > 0 || report.tenants > 0 || report.failed > 0 => {
                let PurgeReport { users, tenants, overtaken, failed, .. } = report;
                tracing::info!(users, tenants, overtaken, failed, "purge.done");
            }
            Ok(_) => tracing::debug!("purge.nothing_due"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "purge.failed"),
        }
        if let Err(error) = Box::pin(directory.reconcile_all_outside_members()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "maillists.outside_members_left");
        }
        pause(&mut schedule).await;
    }
}

/// Waits for the time of the next purge. A new schedule counts from the last purge on.
async fn pause(schedule: &mut watch::Receiver<PurgeSchedule>) {
    let began = Instant::now();
    loop {
        let interval = jittered(schedule.borrow_and_update().interval);
        tokio::select! {
            () = tokio::time::sleep(interval.saturating_sub(began.elapsed())) => return,
            Ok(()) = schedule.changed() => {}
        }
    }
}

/// Makes backups on schedule, if there is one; never ends.
pub async fn back_up_on_schedule(config: &Config, note: &ScheduledBackup) {
    let (Some(schedule), Some(ldap)) = (&config.backup.schedule, config.ldap_for_backups()) else {
        return std::future::pending().await;
    };
    let ldap = LdapSettings { connections: 2, password_connections: 1, ..ldap };
    let directory = Directory::new(Arc::new(ldap), config.tree.clone());
    backup::schedule::run(&directory, schedule, note).await;
}

/// Logs which plug-ins of the directory do not run, at the beginning and at the end of that condition; never ends.
pub async fn watch_plugins(config: &Config) {
    let ldap = LdapSettings { connections: 1, password_connections: 1, ..config.ldap.clone() };
    let directory = Directory::new(Arc::new(ldap), config.tree.clone());
    let mut known = IdlePlugins::default();
    loop {
        // If the account may not read the state or the server does not respond, nothing is known to have changed.
        if let Ok(Some(idle)) = directory.idle_plugins().await
            && idle != known
        {
            if idle.is_empty() {
                tracing::warn!("directory.plugins.run");
            } else {
                let (waiting, off) = (idle.waiting.join(", "), idle.off.join(", "));
                tracing::error!(waiting, off, advice = %idle, "directory.plugins.idle");
            }
            known = idle;
        }
        tokio::time::sleep(jittered(PLUGINS_INTERVAL)).await;
    }
}

/// Synchronizes the configured tenants on schedule, if there is one; never ends.
pub async fn synchronize_on_schedule(config: &Config, syncs: &Syncs) {
    let Some(every) = config.sync.every else { return std::future::pending().await };
    let directory = Directory::new(Arc::new(for_a_job(config)), config.tree.clone());
    loop {
        let mut is_well = true;
        for request in scheduled(&syncs.settings().tenants) {
            let (source, subject) = (request.source.name(), request.subject.name());
            let is_set_up = syncs.settings().reader(request.source, &request.tenant).is_some();
            // The members of groups are people.
            if !is_set_up || (request.subject == Subject::Groups && !is_well) {
                continue;
            }
            let synchronized = Box::pin(synchronize_if_due(&directory, syncs, request, every)).await;
            is_well =
                synchronized.as_ref().is_ok_and(|report| report.as_ref().is_some_and(Report::is_complete));
            if let Err(error) = synchronized {
                tracing::warn!(source, subject, error = &error as &dyn std::error::Error, "sync.not_begun");
            }
        }
        tokio::time::sleep(jittered(every)).await;
    }
}

/// Synchronizes, unless any process has begun such a run within the interval: each replica has the same schedule. The
/// result is the latest report.
async fn synchronize_if_due(
    directory: &Directory,
    syncs: &Syncs,
    request: SyncRequest,
    every: Duration,
) -> Result<Option<Report>, SyncError> {
    let runs = sync::latest(directory, Some(&request.tenant)).await?;
    let last = runs.iter().find(|run| (run.source, run.subject) == (request.source, request.subject));
    if let Some(run) = last.filter(|run| clock::now().duration_since(run.began).unsigned_abs() < every) {
        return Ok(Some(run.clone()));
    }
    let begun = syncs.begin(directory, request, Reach::Everything).await?;
    Ok(Syncs::end_of(directory, &begun.id).await?)
}

/// The runs of a schedule: groups follow the people of the same source.
fn scheduled(tenants: &[TenantId]) -> impl Iterator<Item = SyncRequest> {
    let kinds = [
        (Source::Bitrix24, Subject::People),
        (Source::Directory, Subject::People),
        (Source::Directory, Subject::Groups),
    ];
    tenants.iter().flat_map(move |tenant| {
        kinds.map(|(source, subject)| SyncRequest {
            tenant: tenant.clone(),
            source,
            subject,
            force: false,
            may_be_quick: true,
        })
    })
}

/// The thread that keeps an address book up to date; it ends when this value is dropped.
pub struct FollowerThread {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Starts the thread that keeps an address book up to date.
///
/// # Errors
/// The system's error when the thread cannot be started.
pub fn follow(config: &Config, book: AddressBook) -> io::Result<FollowerThread> {
    let (ldap, (stop, stopped)) = (for_a_job(config), oneshot::channel());
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = thread::Builder::new().name("address-book".to_owned()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                never = book.run(&ldap) => match never {},
                _ = stopped => {}
            }
        });
    })?;
    Ok(FollowerThread { stop: Some(stop), thread: Some(thread) })
}

impl Drop for FollowerThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("addressbook.follower_panicked");
        }
    }
}

/// A job needs one connection to scan and some to write: half of them.
pub(crate) fn for_a_job(config: &Config) -> LdapSettings {
    LdapSettings { connections: 4, password_connections: 1, ..config.ldap.clone() }
}

/// Adds up to a tenth of the interval, so that replicas do not stay synchronized.
fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(1.0 + rand::random::<f64>() / 10.0)
}
