//! Owns the files of one directory server: their paths, the first set-up, and the cleanup after a kill.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha512};

use super::dse::Dse;
use super::suffix::Suffix;
use super::{Backend, DATABASE, MANAGER_DN};
use crate::child::last_lines;
use crate::error::{SandboxError, at};
use crate::folder::{Folder, create_private, remove, write_private};
use crate::{random, stray};

pub(super) const PASSWORD_FILE: &str = "manager.password";
const TEMPLATES: &str = "/usr/share/dirsrv/data";
const SUBFOLDERS: [&str; 7] = ["db", "bak", "ldif", "log", "run", "lock", "tmp"];
/// The kernel's limit for the path of a unix socket, without the closing zero byte.
const SOCKET_PATH_LIMIT: usize = 107;
const EMPTY_USER_SCHEMA: &str =
    "dn: cn=schema\nobjectclass: top\nobjectclass: ldapSubentry\nobjectclass: subschema\ncn: schema\n";

/// A folder with the files of a directory server in it.
#[derive(Debug)]
pub(super) struct Instance {
    folder: Folder,
    /// The name of the config folder: `slapd-` and random digits. It names a semaphore in `/dev/shm`, so it must be
    /// unique on a machine.
    name: String,
}

impl Instance {
    /// Opens the folder exclusively. No server runs in it afterwards.
    pub(super) fn open(path: &Path) -> Result<Self, SandboxError> {
        let folder = Folder::claim(path, "directory server")?;
        stray::stop_directory_servers(folder.path())?;
        let name = match folder.ready() {
            Some(name) => name,
            None => format!("slapd-{}", random::hex::<4>()?),
        };
        Ok(Self { folder, name })
    }

    pub(super) fn is_set_up(&self) -> bool {
        self.folder.ready().is_some()
    }

    pub(super) fn mark_set_up(&self) -> Result<(), SandboxError> {
        self.folder.mark_ready(&self.name)
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn password(&self) -> Result<SecretString, SandboxError> {
        self.folder.password(PASSWORD_FILE)
    }

    pub(super) fn config(&self) -> PathBuf {
        self.folder().join(&self.name)
    }

    pub(super) fn dse_file(&self) -> PathBuf {
        self.config().join("dse.ldif")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder().join("log/console")
    }

    pub(super) fn pid_file(&self) -> PathBuf {
        self.folder().join("run/pid")
    }

    /// The last warnings and errors in the server's own log, and that log.
    pub(super) fn problems(&self) -> (PathBuf, String) {
        let log = self.folder().join("log/errors");
        // Without the log there are no problems to report.
        let text = fs::read_to_string(&log).unwrap_or_default();
        let is_problem = |line: &&str| line.contains(" - WARN - ") || line.contains(" - ERR - ");
        let lines = last_lines(text.lines().filter(is_problem));
        (log, lines)
    }

    /// The path in the folder, or under `/tmp` if the folder's own path is too long for a socket.
    pub(super) fn socket(&self) -> PathBuf {
        let path = self.folder().join("run/ldapi");
        if path.as_os_str().len() <= SOCKET_PATH_LIMIT { path } else { self.short_folder().join("ldapi") }
    }

    fn short_folder(&self) -> PathBuf {
        Path::new("/tmp").join(&self.name)
    }

    /// Creates the files of a new server. The files of an unfinished set-up are deleted.
    pub(super) fn set_up(
        &self,
        suffix: &Suffix,
        backend: Backend,
        password: &SecretString,
        user: &str,
    ) -> Result<(), SandboxError> {
        for old in config_folders(self.folder())? {
            remove_shared(&old)?;
        }
        self.folder.wipe(PASSWORD_FILE)?;
        for name in SUBFOLDERS {
            create_private(&self.folder().join(name))?;
        }
        // The server requires this folder for its own schema; it reads the stock schema from /usr/share.
        let schema = self.config().join("schema");
        create_private(&schema)?;
        write_private(&schema.join("99user.ldif"), EMPTY_USER_SCHEMA.as_bytes())?;
        // Only its own user can read the package's file, which serves only language-specific sort orders.
        write_private(&self.config().join("slapd-collations.conf"), b"")?;
        self.first_dse(suffix, backend, password, user)?.write()
    }

    fn first_dse(
        &self,
        suffix: &Suffix,
        backend: Backend,
        password: &SecretString,
        user: &str,
    ) -> Result<Dse, SandboxError> {
        let text = template("template-dse.ldif")? + "\n\n" + &template("template-suffix-db.ldif")?;
        let path = |name: &str| self.folder().join(name).display().to_string();
        let text = [
            ("%schema_dir%", path(&format!("{}/schema", self.name))),
            ("%lock_dir%", path("lock")),
            ("%tmp_dir%", path("tmp")),
            ("%cert_dir%", path(&self.name)),
            ("%config_dir%", path(&self.name)),
            ("%ldif_dir%", path("ldif")),
            ("%bak_dir%", path("bak")),
            ("%run_dir%", path("run")),
            ("%inst_dir%", path("")),
            ("%log_dir%", path("log")),
            ("%db_dir%", path("db")),
            ("%db_home_dir%", path("db")),
            ("%db_lib%", backend.name().into()),
            ("%fqdn%", "localhost".into()),
            ("%ds_port%", "0".into()),
            ("%ds_user%", user.to_owned()),
            ("%rootdn%", MANAGER_DN.into()),
            ("%ds_passwd%", hashed(password)?),
            ("%ldapi_enabled%", "on".into()),
            ("%ldapi%", self.socket().display().to_string()),
            ("%ldapi_autobind%", "on".into()),
            ("%ds_bename%", DATABASE.into()),
            ("%ds_suffix%", suffix.as_str().to_owned()),
        ]
        .iter()
        .fold(text, |text, (token, value)| text.replace(token, value));
        Ok(Dse::parse(&self.dse_file(), &text))
    }

    /// Copies the extra schema files to the folder from which the server loads them, with names that keep their order.
    pub(super) fn copy_schema(&self, files: &[PathBuf]) -> Result<(), SandboxError> {
        for (index, file) in files.iter().enumerate() {
            let text = fs::read(file).map_err(at("read", file))?;
            write_private(&self.config().join(format!("schema/98sandbox{index:02}.ldif")), &text)?;
        }
        Ok(())
    }

    /// Prepares the folder for a start: removes files that name an earlier process.
    pub(super) fn clear_for_start(&self) -> Result<(), SandboxError> {
        self.clear()?;
        // The server refuses to start while lock/server names a live pid, even of another program.
        for name in ["lock", "run"] {
            let path = self.folder().join(name);
            remove(&path)?;
            create_private(&path)?;
        }
        let socket = self.socket();
        if let Some(folder) = socket.parent() {
            create_private(folder)?;
            require_own(folder)?;
        }
        Ok(())
    }

    /// Removes the server's files outside its folder. The server must not run.
    pub(super) fn clear(&self) -> Result<(), SandboxError> {
        remove_shared(&self.name)
    }
}

fn remove_shared(name: &str) -> Result<(), SandboxError> {
    remove(&Path::new("/dev/shm").join(format!("sem.{name}.stats")))?;
    remove(&Path::new("/tmp").join(name))
}

fn config_folders(folder: &Path) -> Result<Vec<String>, SandboxError> {
    let entries = fs::read_dir(folder).map_err(at("list", folder))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter(|name| name.starts_with("slapd-")).collect())
}

/// Every user may write to `/tmp`: a folder that another user created there first is not used.
fn require_own(folder: &Path) -> Result<(), SandboxError> {
    let found = fs::symlink_metadata(folder).map_err(at("read", folder))?;
    if found.is_dir() && found.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(at("use", folder)(std::io::ErrorKind::PermissionDenied.into()))
}

fn template(name: &str) -> Result<String, SandboxError> {
    let path = Path::new(TEMPLATES).join(name);
    fs::read_to_string(&path).map_err(|_| SandboxError::MissingFile { path, package: "389-ds-base" })
}

/// Salted SHA-512, as the server's own `pwdhash` would write it, without the password in a command line.
fn hashed(password: &SecretString) -> Result<String, SandboxError> {
    let salt = random::bytes::<8>()?;
    let digest = Sha512::new().chain_update(password.expose_secret()).chain_update(salt).finalize();
    Ok(format!("{{SSHA512}}{}", STANDARD.encode([digest.as_slice(), &salt].concat())))
}
