//! The state that requests are handled with.

use address_book::reader::BookReader;
use administration::{
    Administration, backups::ScheduledBackup, configuration::ConfigurationState, health::Health,
    log_in::LogIns, long_work::LongWorks, recall::MailStoreInUse, sync::Syncs, tokens::Lifetimes,
    turns::Restores,
};
use ipnet::IpNet;
use mail_model::{deletion::Retention, user::language::Language};
use std::{
    rc::Rc,
    sync::{Arc, PoisonError, RwLock},
};
use web::{client::Proxies, idempotency::Digests, provenance::HostName};

/// The settings that may change while the process runs. They change together, and each request uses one set of them.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// Subnets whose requests need no token.
    pub allowed_subnets: Vec<IpNet>,
    /// Host names under which requests without a token may address this server.
    pub hosts: Vec<HostName>,
    /// How long tokens are valid.
    pub lifetimes: Lifetimes,
    /// How long deleted entries are kept.
    pub retention: Retention,
    /// The language of new users whose tenant has none.
    pub default_language: Language,
    /// The largest photo that may be uploaded, in bytes.
    pub photo_limit: usize,
}

/// The present live settings.
#[derive(Debug)]
pub struct Live(RwLock<Arc<LiveSettings>>);

impl Live {
    /// Begins with some settings.
    #[must_use]
    pub fn new(settings: LiveSettings) -> Self {
        Self(RwLock::new(Arc::new(settings)))
    }

    /// The settings at this moment.
    #[must_use]
    pub fn get(&self) -> Arc<LiveSettings> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the settings, for all requests that begin from now on.
    pub fn set(&self, settings: LiveSettings) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }
}

/// The state that all worker threads share. It holds no sessions: any replica answers any request.
pub struct Services {
    /// Logs callers in and finds the caller of a token.
    pub log_ins: LogIns,
    /// The settings that may change while the process runs.
    pub live: Live,
    /// Proxies whose headers name the client.
    pub proxies: Proxies,
    /// Whether this process speaks HTTPS.
    pub is_tls: bool,
    /// Computes the digests of requests with an idempotency key.
    pub digests: Digests,
    /// Whether the directory answered recently.
    pub health: Health,
    /// The outcome of the latest scheduled backup.
    pub scheduled_backup: Arc<ScheduledBackup>,
    /// The problems with the configuration.
    pub configuration: ConfigurationState,
    /// Running backups, exports and imports.
    pub long_works: LongWorks,
    /// Running restores by administrators of tenants.
    pub restores: Restores,
    /// Begins synchronizations.
    pub syncs: Syncs,
    /// The mail server behind.
    pub mail_store: MailStoreInUse,
}

/// The state of a worker thread.
pub struct Worker {
    /// The state that all threads share.
    pub services: Arc<Services>,
    /// The use cases, through this thread's connections to the directory.
    pub administration: Administration,
    /// Opens address books.
    pub books: Rc<BookReader>,
}
