//! Jobs: the purge, on a schedule. It takes no input, reads the state anew each time, and may be killed or run
//! in several replicas at once (see [`directory::purge`]).

use crate::{clock, config::Config};
use directory::{Directory, purge::PurgeReport};
use std::{sync::Arc, time::Duration};

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

/// A job needs a connection to scan, and some to write: half of them.
fn for_a_job(config: &Config) -> directory::settings::LdapSettings {
    directory::settings::LdapSettings { connections: 4, password_connections: 1, ..config.ldap.clone() }
}

/// Up to a tenth longer, so that replicas do not keep step.
fn jittered(interval: Duration) -> Duration {
    interval.mul_f64(1.0 + rand::random::<f64>() / 10.0)
}
