//! The world that the trials of one program share: one installation with one `pbm serve`, and others of its
//! kind, started by the first trial that asks for them.

use crate::{
    client::Client,
    expected_book::ExpectedBook,
    installation::{ADMIN_PASSWORD, DOMAIN, Installation, Setup},
    probe::Probe,
    serve::{Serve, start_serve},
    tenant::Tenant,
};
use std::{
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// An address that needs no token, in the subnet that the installations' configurations allow.
pub const ALLOWED_ADDRESS: &str = "192.0.2.7";

/// One installation, served.
pub struct World {
    // Dropped in this order.
    short_lived: OnceLock<Serve>,
    https: OnceLock<(Serve, PathBuf)>,
    serve: Serve,
    root: Client,
    installation: Installation,
    next: AtomicU32,
}

impl World {
    /// Starts everything.
    pub fn start() -> Self {
        Self::of(Installation::start(Setup::default()))
    }

    /// Serves an installation.
    pub fn of(installation: Installation) -> Self {
        let serve = start_serve(&installation.usual_config(), &[]);
        let answer = serve.client().log_in(&Self::root_login(), ADMIN_PASSWORD).expect(200);
        let root = serve.client().with_token(answer.json()["access_token"].as_str().unwrap());
        let next = AtomicU32::new(1);
        Self { short_lived: OnceLock::new(), https: OnceLock::new(), serve, root, installation, next }
    }

    /// The login of the first super administrator.
    pub fn root_login() -> String {
        format!("admin@{DOMAIN}")
    }

    /// Its password.
    pub fn root_password() -> &'static str {
        ADMIN_PASSWORD
    }

    /// The installation.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Whether it has a Redis, and so a feed of changes.
    pub fn has_redis(&self) -> bool {
        self.installation.has_redis()
    }

    /// The process that serves.
    pub fn serve(&self) -> &Serve {
        &self.serve
    }

    /// Another process over the same directory, whose access tokens live for a second.
    pub fn short_lived(&self) -> &Serve {
        self.short_lived.get_or_init(|| {
            let change = [("auth.access_token_seconds", "1")];
            start_serve(&self.installation.config("short-lived.toml", &change), &[])
        })
    }

    /// Another process over the same directory that speaks HTTPS, and the CA file for its certificate.
    pub fn https(&self) -> (&Serve, &PathBuf) {
        let (serve, ca) = self.https.get_or_init(|| {
            let (certificate, key) = self.installation.make_certificate();
            let [c, k] = [&certificate, &key].map(|file| format!("\"{}\"", file.display()));
            let changes = [("http.tls_certificate", c.as_str()), ("http.tls_key", &k)];
            (start_serve(&self.installation.config("https.toml", &changes), &[]), certificate)
        });
        (serve, ca)
    }

    /// A client without a token.
    pub fn nobody(&self) -> Client {
        self.serve.client()
    }

    /// The first super administrator.
    pub fn root(&self) -> &Client {
        &self.root
    }

    /// A client at an address that needs no token.
    pub fn trusted(&self) -> Client {
        self.nobody().behind(ALLOWED_ADDRESS)
    }

    /// An address that nobody else asks from, so that failed log-ins of other trials do not count for it.
    pub fn fresh_address(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("10.{}.{}.{}", number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff)
    }

    /// A name that nobody else has, and that is no part of another one.
    pub fn fresh_name(&self) -> String {
        format!("n{}x", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// A new tenant with one administrator.
    pub fn tenant(&self) -> Tenant<'_> {
        Tenant::create(self, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The tenant `default`.
    pub fn default_tenant(&self) -> Tenant<'_> {
        Tenant::default_of(self)
    }

    /// Looks into the directory past `pbm`.
    pub fn probe(&self) -> Probe {
        self.installation.probe()
    }

    /// What the address book of a tenant must show, by what the directory holds.
    #[track_caller]
    pub fn expected_book(&self, tenant: &str) -> ExpectedBook {
        self.probe().expected_book(tenant)
    }

    /// Ends everything and tells what is left of it.
    pub fn stop(self) -> Vec<String> {
        let Self { short_lived, https, serve, installation, .. } = self;
        drop((short_lived, https, serve));
        installation.stop()
    }
}
