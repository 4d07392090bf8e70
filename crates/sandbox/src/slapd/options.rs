//! Owns the options of an `OpenLDAP` server before its start, and its configuration file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;

use super::SlapdServer;
use crate::certificates::certificates;
use crate::child::{Running, Server};
use crate::error::SandboxError;
use crate::folder::{Folder, create_private, write_private};
use crate::port;
use crate::programs::{Programs, SLAPADD, SLAPD};

/// The file with the password of the account that may do everything.
pub(super) const PASSWORD: &str = "admin.password";
/// The schema files of Debian's package, in their order.
const SCHEMA: [&str; 3] = ["core", "cosine", "inetorgperson"];

/// The options of an `OpenLDAP` server; ends in [`start`](Self::start).
#[derive(Debug, Clone)]
#[must_use]
pub struct SlapdServerOptions {
    folder: PathBuf,
    suffix: String,
    ldif: String,
    settings: String,
    tls: bool,
    pub(super) programs: Programs,
}

impl SlapdServerOptions {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            suffix: "dc=example,dc=test".to_owned(),
            ldif: String::new(),
            settings: String::new(),
            tls: false,
            programs: Programs::installed(),
        }
    }

    /// The suffix; by default `dc=example,dc=test`.
    pub fn suffix(mut self, suffix: &str) -> Self {
        suffix.clone_into(&mut self.suffix);
        self
    }

    /// The entries at the start, that of the suffix included, as LDIF.
    pub fn ldif(mut self, ldif: &str) -> Self {
        ldif.clone_into(&mut self.ldif);
        self
    }

    /// Further lines for the database in the configuration file, such as `sizelimit 10`.
    pub fn settings(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.settings);
        self
    }

    /// Whether the server has TLS: by `StartTLS`, and on a second port. Its certificate is for 127.0.0.1 and localhost.
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Looks for the programs in this folder only, instead of in `PATH` and the system folders.
    pub fn programs_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.programs = Programs::only_in(folder.as_ref());
        self
    }

    /// Returns when the server responds.
    ///
    /// # Errors
    /// When the folder cannot be used, a program is not installed, the LDIF is refused, or the server does not start.
    pub fn start(self) -> Result<SlapdServer, SandboxError> {
        self.programs.find(SLAPD)?;
        let folder = Folder::claim(&self.folder, "OpenLDAP server")?;
        folder.wipe("")?;
        if self.tls {
            write_certificates(&folder)?;
        }
        create_private(&folder.path().join("data"))?;
        write_private(&config_file(&folder), self.config(&folder)?.as_bytes())?;
        self.load(&folder)?;
        let mut server =
            SlapdServer { running: Running::default(), folder, port: 0, tls_port: None, options: self };
        port::on_a_free_port(None, |port| {
            server.port = port;
            server.tls_port = server.options.tls.then(|| port::free(Some(port))).transpose()?;
            server.run()
        })?;
        Ok(server)
    }

    /// Loads the first entries.
    fn load(&self, folder: &Folder) -> Result<(), SandboxError> {
        if self.ldif.is_empty() {
            return Ok(());
        }
        let file = folder.path().join("first.ldif");
        write_private(&file, self.ldif.as_bytes())?;
        let (config, file) = (config_file(folder).display().to_string(), file.display().to_string());
        let log = folder.path().join("log/slapadd");
        Server::spawn(&self.programs, SLAPADD, &["-q", "-f", &config, "-l", &file], &log)?.finish()
    }

    pub(super) fn root_dn(&self) -> String {
        format!("cn=admin,{}", self.suffix)
    }

    fn config(&self, folder: &Folder) -> Result<String, SandboxError> {
        let password = folder.password(PASSWORD)?;
        let mut config = String::new();
        for schema in SCHEMA {
            // Writing to a String cannot fail.
            let _ = writeln!(config, "include /etc/ldap/schema/{schema}.schema");
        }
        config.push_str("modulepath /usr/lib/ldap\nmoduleload back_mdb\n");
        if self.tls {
            let tls = tls_folder(folder);
            let tls = tls.display();
            let _ = writeln!(
                config,
                "TLSCACertificateFile {tls}/ca.pem\nTLSCertificateFile {tls}/server.pem\nTLSCertificateKeyFile {tls}/server.key"
            );
        }
        let _ = writeln!(
            config,
            "pidfile {path}/pid\ndatabase mdb\nmaxsize 1073741824\nsuffix \"{suffix}\"\nrootdn \"{root}\"\nrootpw {password}\n\
             directory {path}/data\nindex objectClass eq\n{settings}",
            path = folder.path().display(),
            suffix = self.suffix,
            root = self.root_dn(),
            password = password.expose_secret(),
            settings = self.settings,
        );
        Ok(config)
    }
}

pub(super) fn config_file(folder: &Folder) -> PathBuf {
    folder.path().join("slapd.conf")
}

pub(super) fn tls_folder(folder: &Folder) -> PathBuf {
    folder.path().join("tls")
}

fn write_certificates(folder: &Folder) -> Result<(), SandboxError> {
    let tls = tls_folder(folder);
    create_private(&tls)?;
    let pems = certificates("slapd")?;
    for (name, pem) in [("ca.pem", pems.ca), ("server.pem", pems.server), ("server.key", pems.key)] {
        write_private(&tls.join(name), pem.as_bytes())?;
    }
    Ok(())
}
