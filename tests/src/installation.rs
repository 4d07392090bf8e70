//! One installation: a private 389-ds, prepared by `pbm init`, a private Redis, and configurations of `pbm` for both.

use crate::{
    probe::Probe,
    process::{Finished, alive, run_program},
    programs,
    redis_probe::{REDIS_PASSWORD, RedisProbe},
};
use sandbox::{Backend, DirectoryServer, RedisServer};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The mail domain of the tenant `default`.
pub const DOMAIN: &str = "example.com";
/// The password of the first super administrator.
pub(crate) const ADMIN_PASSWORD: &str = "Super-Secret-1";
/// Plug-ins that 389-ds loads only at its start; `pbm init` enables the others.
const PLUGINS: &[&str] = &["USN"];

/// The options of an installation.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Setup {
    /// Leaves the plug-ins disabled for which `pbm init` needs a restart.
    pub bare: bool,
    /// Offers ldaps and `StartTLS`.
    pub tls: bool,
    /// Does not run `pbm init`.
    pub unprepared: bool,
    /// Makes every write reach the disk, so that a kill loses nothing.
    pub durable: bool,
    /// Has no Redis, so that every answer comes from the directory.
    pub without_redis: bool,
    /// The back end of the directory; by default that of `PBM_BACKEND`.
    pub backend: Option<Backend>,
}

/// A directory and a Redis in one folder, deleted when this value is dropped.
pub struct Installation {
    /// The directory server.
    pub directory: DirectoryServer,
    redis: Option<RedisServer>,
    folder: TempDir,
}

impl Installation {
    /// Starts and prepares everything.
    pub fn start(setup: Setup) -> Self {
        let folder = tempfile::Builder::new().prefix("pbm-tests-").tempdir().unwrap();
        let options = DirectoryServer::in_folder(folder.path().join("389-ds"))
            .durable(setup.durable)
            .backend(setup.backend.unwrap_or_else(backend));
        let plugins = if setup.bare { &[] } else { PLUGINS };
        let directory = options.plugins(plugins).tls(setup.tls).database_cache(16 << 20).start();
        let directory = directory.unwrap_or_else(|error| panic!("389-ds does not start: {error}"));
        let redis = (!setup.without_redis).then(|| start_redis(&folder.path().join("redis")));
        let installation = Self { directory, redis, folder };
        installation.config("pbm.toml", &[]);
        if !setup.unprepared {
            installation.init(&[]).expect_success();
        }
        installation
    }

    /// The Redis server; panics if the installation has none.
    #[track_caller]
    pub fn redis(&self) -> &RedisServer {
        self.redis.as_ref().expect("this installation has a Redis")
    }

    /// The Redis server, to stop and start it.
    #[track_caller]
    pub fn redis_mut(&mut self) -> &mut RedisServer {
        self.redis.as_mut().expect("this installation has a Redis")
    }

    /// Whether it has a Redis.
    pub fn has_redis(&self) -> bool {
        self.redis.is_some()
    }

    /// Direct access to Redis, without `pbm`.
    #[track_caller]
    pub fn redis_probe(&self) -> RedisProbe<'_> {
        RedisProbe::new(self.redis())
    }

    /// The folder with all files.
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
            ("backup.bind_password", "\"backup-password\""),
            ("tree.root", &root),
            ("auth.token_key", "\"0123456789abcdef0123456789abcdef\""),
            ("auth.allowed_subnets", "[\"192.0.2.0/24\"]"),
        ];
        let password_file = format!("\"{}\"", self.redis_password_file().display());
        let redis = self.redis.as_ref().map(|server| [format!("{:?}", server.url()), password_file]);
        if let Some([url, password_file]) = &redis {
            settings.extend([("redis.url", url.as_str()), ("redis.password_file", password_file)]);
        }
        settings.retain(|(key, _)| changes.iter().all(|(changed, _)| changed != key));
        settings.extend(changes);
        let lines: Vec<_> = settings.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let file = self.file(name);
        std::fs::write(&file, lines.join("\n")).unwrap();
        file
    }

    /// A file with the password of Redis.
    pub fn redis_password_file(&self) -> PathBuf {
        let file = self.file("redis-password");
        std::fs::write(&file, REDIS_PASSWORD).unwrap();
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

    /// A self-signed certificate for 127.0.0.1, and its key.
    pub fn make_certificate(&self) -> (PathBuf, PathBuf) {
        let (certificate, key) = (self.file("https.pem"), self.file("https.key"));
        let (c, k) = (certificate.to_str().unwrap(), key.to_str().unwrap());
        #[rustfmt::skip]
        let arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=pbm", "-addext", "subjectAltName=IP:127.0.0.1", "-out", c, "-keyout", k,
        ];
        run_program(&programs::program("openssl"), arguments, &[], "").expect_success();
        (certificate, key)
    }

    /// Creates a tenant.
    pub fn create_tenant(&self, id: &str, domain: &str) {
        let arguments = ["tenant", "create", id, "--domain", domain];
        self.pbm(&self.usual_config(), &arguments).expect_success();
    }

    /// Loads entries by the import task of 389-ds, which is many times faster than adding them. The existing entries stay.
    #[track_caller]
    pub fn import(&self, ldif: &str) {
        let file = self.directory.folder().join("import.ldif");
        self.probe().run_task("export", &file);
        let before = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, format!("{before}\n{ldif}")).unwrap();
        self.probe().run_task("import", &file);
    }

    /// Direct access to the directory, without `pbm`.
    pub fn probe(&self) -> Probe {
        Probe::new(&self.directory)
    }

    /// Stops everything and returns the leftovers.
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
        // Their data is deleted with the folder, so an orderly stop is not necessary.
        self.directory.kill();
        if let Some(redis) = &mut self.redis {
            redis.kill();
        }
    }
}

/// The database library of `PBM_BACKEND`; unset or empty means the default of the sandbox.
fn backend() -> Backend {
    match std::env::var("PBM_BACKEND") {
        Ok(name) if !name.is_empty() => {
            name.parse().unwrap_or_else(|error| panic!("PBM_BACKEND={name}: {error}"))
        }
        _ => Backend::default(),
    }
}

fn start_redis(folder: &Path) -> RedisServer {
    let options = RedisServer::in_folder(folder).password(REDIS_PASSWORD.into());
    options.start().unwrap_or_else(|error| panic!("Redis does not start: {error}"))
}
