//! What requests are answered with.

use address_book::reader::BookReader;
use administration::{
    Administration, backups::ScheduledBackup, health::Health, log_in::LogIns, long_work::LongWorks,
    turns::Restores,
};
use directory::Directory;
use ipnet::IpNet;
use ldap_text::dn::Dn;
use mail_model::deletion::Retention;
use std::{rc::Rc, sync::Arc};
use web::{client::Proxies, idempotency::Digests, provenance::HostName};

/// What all worker threads share. None of it is a session: any replica answers any request.
pub struct Services {
    /// Who somebody is.
    pub log_ins: LogIns,
    /// Subnets that need no token.
    pub allowed_subnets: Vec<IpNet>,
    /// Names by which requests without a token may call this server.
    pub hosts: Vec<HostName>,
    /// Proxies that are believed when they name a client.
    pub proxies: Proxies,
    /// Whether this process speaks HTTPS.
    pub is_tls: bool,
    /// How long what was deleted is kept.
    pub retention: Retention,
    /// Digests of requests that are made with a key.
    pub digests: Digests,
    /// Whether the directory answered lately.
    pub health: Health,
    /// The account that pbm serves as.
    pub service: Dn,
    /// How the latest backup on schedule went.
    pub scheduled_backup: Arc<ScheduledBackup>,
    /// Backups, exports and imports under way.
    pub long_works: LongWorks,
    /// Restores by administrators of tenants.
    pub restores: Restores,
}

/// What a worker thread answers requests with.
pub struct Worker {
    /// What all threads share.
    pub services: Arc<Services>,
    /// The directory, through this thread's connections.
    pub directory: Directory,
    /// What can be done to it.
    pub administration: Administration,
    /// The same, as the account that backs up and restores; `None` where there is none.
    pub backup_directory: Option<Directory>,
    /// Where address books are opened.
    pub books: Rc<BookReader>,
}
