//! Owns the search for the required programs, and knows the Debian package of each.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::SandboxError;

#[derive(Clone, Copy)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    package: &'static str,
}

pub(crate) const NS_SLAPD: Program = Program { name: "ns-slapd", package: "389-ds-base" };
pub(crate) const REDIS_SERVER: Program = Program { name: "redis-server", package: "redis-server" };
pub(crate) const REDIS_CLI: Program = Program { name: "redis-cli", package: "redis-tools" };
pub(crate) const SLAPD: Program = Program { name: "slapd", package: "slapd" };
pub(crate) const SLAPADD: Program = Program { name: "slapadd", package: "slapd" };
pub(crate) const LDAPMODIFY: Program = Program { name: "ldapmodify", package: "ldap-utils" };
pub(crate) const SAMBA: Program = Program { name: "samba", package: "samba-ad-dc" };
pub(crate) const SAMBA_TOOL: Program = Program { name: "samba-tool", package: "samba" };
pub(crate) const ETCD: Program = Program { name: "etcd", package: "etcd-server" };
pub(crate) const ETCDCTL: Program = Program { name: "etcdctl", package: "etcd-client" };
pub(crate) const DOVECOT: Program = Program { name: "dovecot", package: "dovecot-core" };
pub(crate) const SETPRIV: Program = Program { name: "setpriv", package: "util-linux" };
pub(crate) const OPENSSL: Program = Program { name: "openssl", package: "openssl" };
pub(crate) const CERTUTIL: Program = Program { name: "certutil", package: "libnss3-tools" };
pub(crate) const PK12UTIL: Program = Program { name: "pk12util", package: "libnss3-tools" };
pub(crate) const ID: Program = Program { name: "id", package: "coreutils" };

/// A program that another one starts, at the place of its Debian package.
pub(crate) struct Part {
    pub(crate) path: &'static str,
    pub(crate) package: &'static str,
}

pub(crate) const IMAP: Part = Part { path: "/usr/lib/dovecot/imap", package: "dovecot-imapd" };

/// The folders to search for programs.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    folders: Vec<PathBuf>,
}

impl Programs {
    /// `PATH`, then the folders of system programs, which are not in an ordinary user's `PATH` on Debian.
    pub(crate) fn installed() -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&path)
            .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
            .collect();
        Self { folders }
    }

    pub(crate) fn only_in(folder: &Path) -> Self {
        Self { folders: vec![folder.to_path_buf()] }
    }

    pub(crate) fn find(&self, program: Program) -> Result<PathBuf, SandboxError> {
        self.folders
            .iter()
            .map(|folder| folder.join(program.name))
            .find(|path| path.is_file())
            .ok_or(SandboxError::MissingProgram { program: program.name, package: program.package })
    }
}
