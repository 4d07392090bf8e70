//! The application: binds its addresses, then runs until it is told to stop. Tests take the same way.

use crate::{
    api::{Health, ScheduledBackup},
    auth::{accounts::Accounts, attempts::Attempts, tokens::Tokens},
    config::{Config, HttpConfig, TlsFiles},
    http::{dispatch::dispatch, idempotency::Digests, listener::Listeners},
};
use actix_web::{
    App, HttpRequest,
    web::{self, Data, Payload},
};
use address_book::desk::{AddressBook, Desk, SettingsError};
use directory::{Directory, settings::LdapSettings};
use ipnet::IpNet;
use ldap_text::dn::Dn;
use mail_model::deletion::Retention;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{net::SocketAddr, rc::Rc, sync::Arc};

/// Connections of a worker thread for backups and restores: others want to be answered meanwhile.
const KEEPERS_CONNECTIONS: usize = 8;

/// What all worker threads share. None of it is a session: any replica answers any request.
pub struct Services {
    /// Tokens.
    pub tokens: Tokens,
    /// Accounts that asked lately.
    pub accounts: Accounts,
    /// Failed log-ins.
    pub attempts: Attempts,
    /// Subnets that need no token.
    pub allowed_subnets: Vec<IpNet>,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
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
}

/// What a worker thread answers requests with.
pub struct Worker {
    /// What all threads share.
    pub services: Arc<Services>,
    /// The directory, through this thread's connections.
    pub directory: Directory,
    /// The same, as the account that backs up and restores; `None` where there is none.
    pub keeper: Option<Directory>,
    /// Where address books are opened.
    pub desk: Rc<Desk>,
}

/// Why an application cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address book can't be set up.
    #[error(transparent)]
    AddressBook(#[from] SettingsError),
    /// A file of the TLS listener cannot be read.
    #[error("cannot read {file} (PEM)")]
    TlsFile {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not make a TLS listener.
    #[error("the certificate and key of the listener are of no use")]
    Tls(#[source] rustls::Error),
}

/// An application whose addresses are bound.
pub struct Application {
    listeners: Listeners,
    address_book: AddressBook,
    scheduled_backup: Arc<ScheduledBackup>,
}

impl Application {
    /// Binds the addresses.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn build(config: &Config) -> Result<Self, StartError> {
        let services = Arc::new(services(config));
        let scheduled_backup = services.scheduled_backup.clone();
        let ldap = Arc::new(share_of_worker(&config.ldap, config.http.workers));
        let tree = config.tree.clone();
        let address_book = AddressBook::new(&config.address_book, tree.clone())?;
        let books = address_book.clone();
        let keeper = config.ldap_for_backups();
        let keeper = keeper.map(|ldap| Arc::new(LdapSettings { connections: KEEPERS_CONNECTIONS, ..ldap }));
        let worker = move || Worker {
            services: services.clone(),
            keeper: keeper.as_ref().map(|ldap| witnessed(Directory::new(ldap.clone(), tree.clone()), &books)),
            directory: witnessed(Directory::new(ldap.clone(), tree.clone()), &books),
            desk: Rc::new(books.desk()),
        };
        let app = move || app(worker());
        let tls = config.http.tls.as_ref().map(tls_config).transpose()?;
        let mut listeners = Listeners::new(config.http.workers, config.http.shutdown_timeout, tls);
        for address in &config.http.listen {
            let bound = listeners.bind(*address, app.clone());
            listeners = bound.map_err(|source| StartError::Bind { address: *address, source })?;
        }
        Ok(Self { listeners, address_book, scheduled_backup })
    }

    /// The address book that its requests are answered from. Somebody has to bring it up to date.
    #[must_use]
    pub fn address_book(&self) -> &AddressBook {
        &self.address_book
    }

    /// Where it is told how backups on schedule go.
    #[must_use]
    pub fn scheduled_backup(&self) -> &Arc<ScheduledBackup> {
        &self.scheduled_backup
    }

    /// The URLs that it answers at.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        let scheme = if self.listeners.is_tls() { "https" } else { "http" };
        self.listeners.addresses.iter().map(|address| format!("{scheme}://{address}")).collect()
    }

    /// Answers requests until `stop` is ready; requests in flight then finish.
    ///
    /// # Errors
    /// What ended the server before that.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        self.listeners.run().run_until(stop).await
    }
}

fn services(config: &Config) -> Services {
    let auth = &config.auth;
    Services {
        tokens: Tokens::new(&auth.token_key, auth.access_token_seconds, auth.refresh_token_seconds),
        accounts: Accounts::default(),
        attempts: Attempts::new(auth.failed_logins),
        allowed_subnets: auth.allowed_subnets.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        retention: config.retention,
        digests: Digests::new(&auth.token_key),
        health: Health::default(),
        service: config.ldap.credentials.dn.clone(),
        scheduled_backup: Arc::default(),
    }
}

/// The connections of one worker: each has a pool of its own, so that no request waits on another thread.
fn share_of_worker(ldap: &LdapSettings, workers: usize) -> LdapSettings {
    LdapSettings {
        // Some requests search and write at once.
        connections: ldap.connections.div_ceil(workers).max(2),
        password_connections: ldap.password_connections.div_ceil(workers),
        ..ldap.clone()
    }
}

/// What is written is told to the address book at once.
fn witnessed(directory: Directory, book: &AddressBook) -> Directory {
    match book.witness() {
        Some(witness) => directory.witnessed_by(witness),
        None => directory,
    }
}

fn app(
    worker: Worker,
) -> App<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let handler = |worker: Data<Worker>, request: HttpRequest, payload: Payload| async move {
        dispatch(&worker, request, payload).await
    };
    // Every request takes the same way; the table of endpoints is matched there, on the raw path.
    App::new().app_data(Data::new(worker)).default_service(web::to(handler))
}

fn tls_config(files: &TlsFiles) -> Result<ServerConfig, StartError> {
    let failed = |path: &std::path::Path| {
        let file = path.display().to_string();
        move |source| StartError::TlsFile { file: file.clone(), source }
    };
    let unreadable = failed(&files.certificate);
    let chain = CertificateDer::pem_file_iter(&files.certificate).map_err(&unreadable)?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(&unreadable)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(failed(&files.key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(StartError::Tls)
}

impl HttpConfig {
    /// Whether the files of a TLS listener can be used.
    ///
    /// # Errors
    /// [`StartError`] when they cannot.
    pub fn check_tls(&self) -> Result<(), StartError> {
        self.tls.as_ref().map(tls_config).transpose().map(|_| ())
    }
}
