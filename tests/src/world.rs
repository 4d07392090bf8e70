//! The world that the trials of one program share: one installation with one `pbm serve`, and further processes,
//! started by the first trial that needs them.

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

/// An address that needs no token, in the allowed subnet of the installations.
pub const ALLOWED_ADDRESS: &str = "192.0.2.7";

/// One installation with a serving process.
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

    /// The serving process.
    pub fn serve(&self) -> &Serve {
        &self.serve
    }

    /// Another process on the same directory, whose access tokens live for a second.
    pub fn short_lived(&self) -> &Serve {
        self.short_lived.get_or_init(|| {
            let change = [("auth.access_token_seconds", "1")];
            start_serve(&self.installation.config("short-lived.toml", &change), &[])
        })
    }

    /// Another process on the same directory with HTTPS, and the CA file of its certificate.
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

    /// An unused client address, so that failed log-ins of other trials do not count for it.
    pub fn fresh_address(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("10.{}.{}.{}", number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff)
    }

    /// A unique name that is not part of another one.
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

    /// Direct access to the directory, without `pbm`.
    pub fn probe(&self) -> Probe {
        self.installation.probe()
    }

    /// The expected address book of a tenant, derived from the directory.
    #[track_caller]
    pub fn expected_book(&self, tenant: &str) -> ExpectedBook {
        self.probe().expected_book(tenant)
    }

    /// Stops everything and returns the leftovers.
    pub fn stop(self) -> Vec<String> {
        let Self { short_lived, https, serve, installation, .. } = self;
        drop((short_lived, https, serve));
        installation.stop()
    }
}
