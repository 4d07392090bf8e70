//! The settings that take effect while the process runs. All others wait for a restart.

use crate::{config::Config, telemetry};
use address_book::reader::AddressBook;
use administration::{recall::MailStore, tokens::Lifetimes};
use mail_model::deletion::Retention;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use v2::services::{LiveSettings, Services};

/// The settings that [`Switches::publish`] brings into force, besides those of sources and of the mail server.
pub(crate) const LIVE: [&str; 11] = [
    "address_book.cache.enabled",
    "address_book.cache.lifetime",
    "auth.access_token_seconds",
    "auth.allowed_subnets",
    "auth.refresh_token_seconds",
    "deletion.purge_interval",
    "deletion.retention",
    "http.hosts",
    "log.level",
    "users.default_language",
    "users.photo_limit",
];

/// Whether a setting takes effect while the process runs.
pub(crate) fn is_live(key: &str) -> bool {
    LIVE.contains(&key) || key.starts_with("doveadm.") || (key.starts_with("sync.") && key != "sync.every")
}

/// The live settings that requests use.
pub(crate) fn of_requests(config: &Config) -> LiveSettings {
    LiveSettings {
        allowed_subnets: config.auth.allowed_subnets.clone(),
        hosts: config.http.hosts.clone(),
        lifetimes: Lifetimes {
            access_seconds: config.auth.access_token_seconds,
            refresh_seconds: config.auth.refresh_token_seconds,
        },
        retention: config.retention,
        default_language: config.users.default_language,
        photo_limit: config.users.photo_limit,
    }
}

/// When entries are purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurgeSchedule {
    /// How long deleted entries are kept.
    pub retention: Retention,
    /// The interval between two purges.
    pub interval: Duration,
}

impl PurgeSchedule {
    /// The schedule of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self { retention: config.retention, interval: config.purge_interval }
    }
}

/// Everything that uses live settings.
pub struct Switches {
    /// Requests.
    pub services: Arc<Services>,
    /// The address book.
    pub address_book: AddressBook,
    /// The purge.
    pub purge: watch::Sender<PurgeSchedule>,
}

impl Switches {
    /// Brings the live settings of a configuration into force.
    pub fn publish(&self, config: &Config) {
        self.services.live.set(of_requests(config));
        self.services.log_ins.accounts.set_lifetime(config.address_book.lifetime);
        self.services.syncs.replace_settings(config.sync.settings.clone());
        self.services.mail_store.set(config.doveadm.as_ref().map(MailStore::new));
        self.address_book.set_lifetime(config.address_book.lifetime);
        self.address_book.set_used(config.address_book.is_used);
        self.purge.send_if_modified(|schedule| {
            let new = PurgeSchedule::of(config);
            std::mem::replace(schedule, new) != new
        });
        telemetry::set_level(config.log.level);
    }
}
