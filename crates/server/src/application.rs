//! The application: binds its addresses, then runs until it is stopped. Tests use the same path.

use crate::{config::Config, jobs, live, open_files};
use address_book::reader::{AddressBook, SettingsError};
use administration::{
    Administration,
    accounts::Accounts,
    attempts::Attempts,
    changes::Observers,
    configuration::ConfigurationState,
    health::Health,
    log_in::LogIns,
    long_work::LongWorks,
    recall::{MailStore, MailStoreInUse},
    sync::Syncs,
    tokens::Tokens,
    turns::Restores,
};
use directory::{Directory, settings::LdapSettings};
use std::{net::SocketAddr, rc::Rc, sync::Arc};
use v2::{
    json::render,
    services::{Live, Services, Worker},
};
use web::{
    idempotency::Digests,
    surface::{self, Surfaces},
    tls::{TlsError, TlsFiles},
    transport::{ConnectionBounds, ListenerSettings, Listeners},
};

/// Connections per worker thread for backups and restores: other requests need connections at the same time.
const BACKUP_CONNECTIONS: usize = 8;

/// Why an application cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The process cannot listen on an address.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address book cannot be set up.
    #[error(transparent)]
    AddressBook(#[from] SettingsError),
    /// The certificate and the key are not usable for TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// An application whose addresses are bound.
pub struct Application {
    listeners: Listeners,
    address_book: AddressBook,
    services: Arc<Services>,
}

impl Application {
    /// Binds the addresses.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn build(config: &Config) -> Result<Self, StartError> {
        let tree = config.tree.clone();
        let address_book = AddressBook::new(&config.address_book, tree.clone(), render)?;
        let syncs = syncs(config, &address_book);
        let services = Arc::new(services(config, syncs));
        let ldap = Arc::new(share_of_worker(&config.ldap, config.http.workers));
        let books = address_book.clone();
        let backup_directory = config.ldap_for_backups();
        let backup_directory =
            backup_directory.map(|ldap| Arc::new(LdapSettings { connections: BACKUP_CONNECTIONS, ..ldap }));
        let shared = services.clone();
        let mail_store = services.mail_store.clone();
        let worker = move || {
            let directory = observed(Directory::new(ldap.clone(), tree.clone()), &books);
            let reader = Rc::new(books.reader());
            let observers = Observers::new(vec![reader.clone(), Rc::new(shared.log_ins.accounts.clone())]);
            let backup_directory = backup_directory
                .as_ref()
                .map(|ldap| observed(Directory::new(ldap.clone(), tree.clone()), &books));
            Worker {
                services: shared.clone(),
                administration: Administration::new(directory, backup_directory, observers)
                    .with_mail_store(mail_store.clone()),
                books: reader,
            }
        };
        let app = move || surface::app(Surfaces::new(Box::new(worker())));
        let mut listeners = Listeners::new(listener_settings(config)?);
        for address in &config.http.listen {
            let bound = listeners.bind(*address, app.clone());
            listeners = bound.map_err(|source| StartError::Bind { address: *address, source })?;
        }
        Ok(Self { listeners, address_book, services })
    }

    /// The address book that answers the requests. The caller has to keep it up to date.
    #[must_use]
    pub fn address_book(&self) -> &AddressBook {
        &self.address_book
    }

    /// The state that all requests share.
    #[must_use]
    pub fn services(&self) -> &Arc<Services> {
        &self.services
    }

    /// The URLs at which the application listens.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.listeners.urls()
    }

    /// Answers requests until `stop` completes; requests in flight then finish.
    ///
    /// # Errors
    /// The error that ended the server early.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        self.listeners.run().run_until(stop).await
    }
}

fn services(config: &Config, syncs: Syncs) -> Services {
    let auth = &config.auth;
    Services {
        log_ins: LogIns {
            tokens: Tokens::new(&auth.token_key),
            accounts: Accounts::new(config.address_book.lifetime),
            attempts: Arc::new(Attempts::new(auth.failed_logins)),
        },
        live: Live::new(live::of_requests(config)),
        proxies: config.http.proxies.clone(),
        is_tls: config.http.tls.is_some(),
        digests: Digests::new(&auth.token_key),
        health: Health::default(),
        scheduled_backup: Arc::default(),
        configuration: ConfigurationState::default(),
        long_works: LongWorks::default(),
        restores: Restores::default(),
        syncs,
        mail_store: MailStoreInUse::of(config.doveadm.as_ref().map(MailStore::new)),
    }
}

/// Begins synchronizations, each of which has connections of its own.
fn syncs(config: &Config, book: &AddressBook) -> Syncs {
    let ldap = Arc::new(jobs::for_a_job(config));
    let (tree, book) = (config.tree.clone(), book.clone());
    let open = move || observed(Directory::new(ldap.clone(), tree.clone()), &book);
    Syncs::new(config.sync.settings.clone(), open)
}

fn listener_settings(config: &Config) -> Result<ListenerSettings, TlsError> {
    let http = &config.http;
    Ok(ListenerSettings {
        workers: http.workers,
        connections: bounds(config),
        trusted_proxies: http.proxies.trusted.clone(),
        patience: http.patience,
        shutdown_timeout: http.shutdown_timeout,
        tls: http.tls.as_ref().map(TlsFiles::read).transpose()?,
    })
}

/// The number of client connections that the process has file descriptors for, besides those for the directory.
fn bounds(config: &Config) -> ConnectionBounds {
    let LdapSettings { connections, password_connections, .. } = config.ldap;
    let to_the_directory = connections + password_connections + config.http.workers * BACKUP_CONNECTIONS;
    let ConnectionBounds { total, per_address } = config.http.connections;
    let total = open_files::connections(total, open_files::raise(), to_the_directory);
    ConnectionBounds { total, per_address: per_address.min(total) }
}

/// The connections of one worker: each has its own pool, so that no request waits for another thread.
fn share_of_worker(ldap: &LdapSettings, workers: usize) -> LdapSettings {
    LdapSettings {
        // Some requests search and write concurrently.
        connections: ldap.connections.div_ceil(workers).max(2),
        password_connections: ldap.password_connections.div_ceil(workers),
        ..ldap.clone()
    }
}

/// Reports every write to the address book at once.
fn observed(directory: Directory, book: &AddressBook) -> Directory {
    match book.observer() {
        Some(observer) => directory.observed_by(observer),
        None => directory,
    }
}
