//! Jobs. The purge, on a schedule: it takes no input, reads the state anew each time, and may be killed or run in several
//! replicas at once (see [`directory::purge`]). And what brings the address book up to date, on a thread of its own,
//! since it may have a hundred thousand entries to go through.

use crate::{backup, config::Config};
use address_book::reader::AddressBook;
use administration::{backups::ScheduledBackup, clock};
use directory::{
    Directory,
    product::plugins::IdlePlugins,
    purge::PurgeReport,
    settings::{LdapSettings, OnHang},
};
use std::{io, sync::Arc, thread, time::Duration};
use tokio::{runtime, sync::oneshot};

/// Between two looks at the plug-ins: they change with a restart of the server or by hand.
const PLUGINS_INTERVAL: Duration = Duration::from_secs(10);

/// Runs the purge now and then again and again, and after it the search for outside members that have become the tenant's own; never
/// ends.
pub async fn purge_on_schedule(config: &Config) {
    let ldap = LdapSettings { on_hang: OnHang::Wait, ..for_a_job(config) };
    let directory = Directory::new(Arc::new(ldap), config.tree.clone());
    loop {
        match Box::pin(directory.purge(config.retention, clock::now(), || {})).await {
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
        tokio::time::sleep(jittered(config.purge_interval)).await;
    }
}

/// Backs everything up on schedule, where there is one; never ends.
pub async fn back_up_on_schedule(config: &Config, note: &ScheduledBackup) {
    let (Some(schedule), Some(ldap)) = (&config.backup.schedule, config.ldap_for_backups()) else {
        return std::future::pending().await;
    };
    let ldap = LdapSettings { connections: 2, password_connections: 1, ..ldap };
    let directory = Directory::new(Arc::new(ldap), config.tree.clone());
    backup::schedule::run(&directory, schedule, note).await;
}

/// Logs which plug-ins of the directory do not run, when that begins and when it ends; never ends itself.
pub async fn watch_plugins(config: &Config) {
    let ldap = LdapSettings { connections: 1, password_connections: 1, ..config.ldap.clone() };
    let directory = Directory::new(Arc::new(ldap), config.tree.clone());
    let mut known = IdlePlugins::default();
    loop {
        // What is not told, because the account may not see it or the server does not answer, is no news.
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

/// The thread that brings an address book up to date; it ends when this is dropped.
pub struct Follower {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Begins to bring an address book up to date.
///
/// # Errors
/// What the system says to one thread more.
pub fn follow(config: &Config, book: AddressBook) -> io::Result<Follower> {
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
    Ok(Follower { stop: Some(stop), thread: Some(thread) })
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("addressbook.follower_panicked");
        }
    }
}

/// A job needs a connection to scan, and some to write: half of them.
fn for_a_job(config: &Config) -> LdapSettings {
    LdapSettings { connections: 4, password_connections: 1, ..config.ldap.clone() }
}

/// Up to a tenth longer, so that replicas do not keep step.
fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(1.0 + rand::random::<f64>() / 10.0)
}
