//! One installation: a private 389-ds, prepared by `pbm init`, and configurations of `pbm` for it.

use crate::{
    eye::Eye,
    process::{Finished, alive, run_program},
    programs,
};
use sandbox::DirectoryServer;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The mail domain of the tenant `default`.
pub(crate) const DOMAIN: &str = "example.com";
/// Of the first super administrator.
pub(crate) const ADMIN_PASSWORD: &str = "Super-Secret-1";
const PLUGINS: &[&str] = &["USN", "MemberOf Plugin", "referential integrity postoperation"];

/// What can be chosen about an installation.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Setup {
    /// Leaves the plug-ins off that `pbm init` needs a restart for.
    pub bare: bool,
    /// Offers ldaps and `StartTLS`.
    pub tls: bool,
    /// Does not run `pbm init`.
    pub unprepared: bool,
    /// Has every write reach the disk, so that a kill loses nothing.
    pub durable: bool,
}

/// A directory with everything in one folder, gone when this is dropped.
pub struct Installation {
    /// The directory server.
    pub directory: DirectoryServer,
    folder: TempDir,
}

impl Installation {
    /// Starts and prepares a directory.
    pub fn start(setup: Setup) -> Self {
        let folder = tempfile::Builder::new().prefix("pbm-tests-").tempdir().unwrap();
        let options = DirectoryServer::in_folder(folder.path().join("389-ds")).durable(setup.durable);
        let plugins = if setup.bare { &[] } else { PLUGINS };
        let directory = options.plugins(plugins).tls(setup.tls).database_cache(16 << 20).start();
        let directory = directory.unwrap_or_else(|error| panic!("389-ds does not start: {error}"));
        let installation = Self { directory, folder };
        installation.config("pbm.toml", &[]);
        if !setup.unprepared {
            installation.init(&[]).expect_success();
        }
        installation
    }

    /// The folder with everything in it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in that folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a configuration: the usual one, with other values (in TOML) for some keys.
    pub fn config(&self, name: &str, changes: &[(&str, &str)]) -> PathBuf {
        let urls = format!("[\"{}\"]", self.directory.url());
        let root = format!("{:?}", self.directory.suffix());
        let mut settings = vec![
            ("http.listen", "[\"127.0.0.1:0\"]"),
            ("http.trusted_proxies", "[\"127.0.0.1\"]"),
            ("ldap.urls", &urls),
            ("ldap.bind_password", "\"service-password\""),
            ("tree.root", &root),
            ("auth.token_key", "\"0123456789abcdef0123456789abcdef\""),
            ("auth.allowed_subnets", "[\"192.0.2.0/24\"]"),
        ];
        settings.retain(|(key, _)| changes.iter().all(|(changed, _)| changed != key));
        settings.extend(changes);
        let lines: Vec<_> = settings.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let file = self.file(name);
        std::fs::write(&file, lines.join("\n")).unwrap();
        file
    }

    /// The usual configuration.
    pub fn usual_config(&self) -> PathBuf {
        self.file("pbm.toml")
    }

    /// Runs `pbm init` with the usual configuration.
    pub fn init(&self, more: &[&str]) -> Finished {
        let config = self.usual_config();
        let password_file = self.directory.manager_password_file();
        let arguments = ["init", "--config", config.to_str().unwrap(), "--domain", DOMAIN];
        let manager = ["--manager-password-file", password_file.to_str().unwrap()];
        let arguments = arguments.iter().chain(&manager).chain(more);
        run_program(programs::pbm(), arguments, &[("PBM_ADMIN_PASSWORD", ADMIN_PASSWORD)], "")
    }

    /// Runs a command of `pbm` with a configuration.
    pub fn pbm(&self, config: &Path, arguments: &[&str]) -> Finished {
        let config = ["--config", config.to_str().unwrap()];
        run_program(programs::pbm(), arguments.iter().chain(&config), &[], "")
    }

    /// Makes a tenant.
    pub fn create_tenant(&self, id: &str, domain: &str) {
        let arguments = ["tenant", "create", id, "--domain", domain];
        self.pbm(&self.usual_config(), &arguments).expect_success();
    }

    /// Looks into the directory past `pbm`.
    pub fn eye(&self) -> Eye {
        Eye::new(&self.directory)
    }

    /// Ends everything and tells what is left of it.
    pub fn stop(self) -> Vec<String> {
        let folder = self.folder().to_path_buf();
        drop(self);
        let mut left = alive(&folder);
        if folder.exists() {
            left.push(folder.display().to_string());
        }
        left
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        // Its data go with the folder, so it need not end in order.
        self.directory.kill();
    }
}
