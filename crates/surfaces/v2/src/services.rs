//! The state that requests are handled with.

use address_book::reader::BookReader;
use administration::{
    Administration, backups::ScheduledBackup, health::Health, log_in::LogIns, long_work::LongWorks,
    sync::Syncs, turns::Restores,
};
use ipnet::IpNet;
use mail_model::deletion::Retention;
use std::{rc::Rc, sync::Arc};
use web::{client::Proxies, idempotency::Digests, provenance::HostName};

/// The state that all worker threads share. It holds no sessions: any replica answers any request.
pub struct Services {
    /// Logs callers in and finds the caller of a token.
    pub log_ins: LogIns,
    /// Subnets whose requests need no token.
    pub allowed_subnets: Vec<IpNet>,
    /// Host names under which requests without a token may address this server.
    pub hosts: Vec<HostName>,
    /// Proxies whose headers name the client.
    pub proxies: Proxies,
    /// Whether this process speaks HTTPS.
    pub is_tls: bool,
    /// How long deleted entries are kept.
    pub retention: Retention,
    /// Computes the digests of requests with an idempotency key.
    pub digests: Digests,
    /// Whether the directory answered recently.
    pub health: Health,
    /// The outcome of the latest scheduled backup.
    pub scheduled_backup: Arc<ScheduledBackup>,
    /// Running backups, exports and imports.
    pub long_works: LongWorks,
    /// Running restores by administrators of tenants.
    pub restores: Restores,
    /// Begins synchronizations.
    pub syncs: Syncs,
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
