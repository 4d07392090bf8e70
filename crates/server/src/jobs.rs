//! Jobs. The purge, on a schedule: it takes no input, reads the state anew each time, and may be killed or run in several
//! replicas at once (see [`directory::purge`]). And what brings the address book up to date, on a thread of its own,
//! since it may have a hundred thousand entries to go through.

use crate::{api::ScheduledBackup, backup, clock, config::Config};
use address_book::desk::AddressBook;
use directory::{Directory, purge::PurgeReport};
use std::{io, sync::Arc, thread, time::Duration};
use tokio::{runtime, sync::oneshot};

/// Runs the purge now and then again and again; never ends.
pub async fn purge_on_schedule(config: &Config) {
    let directory = Directory::new(Arc::new(for_a_job(config)), config.tree.clone());
    loop {
        match Box::pin(directory.purge(config.retention, clock::now(), || {})).await {
            Ok(report) if report.users > 0 || report.tenants > 0 => {
                let PurgeReport { users, tenants, overtaken } = report;
                tracing::info!(users, tenants, overtaken, "purge.done");
            }
            Ok(_) => tracing::debug!("purge.nothing_due"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "purge.failed"),
        }
        tokio::time::sleep(jittered(config.purge_interval)).await;
    }
}

/// Backs everything up on schedule, where there is one; never ends.
pub async fn back_up_on_schedule(config: &Config, note: &ScheduledBackup) {
    let (Some(schedule), Some(ldap)) = (&config.backup.schedule, config.ldap_for_backups()) else {
        return std::future::pending().await;
    };
    let ldap = directory::settings::LdapSettings { connections: 2, password_connections: 1, ..ldap };
    let directory = Directory::new(Arc::new(ldap), config.tree.clone());
    backup::schedule::run(&directory, schedule, note).await;
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
fn for_a_job(config: &Config) -> directory::settings::LdapSettings {
    directory::settings::LdapSettings { connections: 4, password_connections: 1, ..config.ldap.clone() }
}

/// Up to a tenth longer, so that replicas do not keep step.
fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(1.0 + rand::random::<f64>() / 10.0)
}
