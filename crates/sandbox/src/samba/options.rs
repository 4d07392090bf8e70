//! Owns the options of a domain controller before its start, and the provisioning of its domain.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use super::{SambaServer, config};
use crate::child::{Running, Server};
use crate::error::{SandboxError, at};
use crate::folder::{Folder, create_private, write_private};
use crate::programs::{Programs, SAMBA, SAMBA_TOOL};

/// The file with the password of the administrator.
pub(super) const PASSWORD: &str = "administrator.password";
/// What the provisioning prints in front of the password that it made.
const PRINTED: &str = "Admin password:";

/// The options of a domain controller; ends in [`start`](Self::start).
#[derive(Debug, Clone)]
#[must_use]
pub struct SambaServerOptions {
    folder: PathBuf,
    pub(super) address: Ipv4Addr,
    pub(super) programs: Programs,
}

impl SambaServerOptions {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            address: Ipv4Addr::new(127, 0, 0, 88),
            programs: Programs::installed(),
        }
    }

    /// The address, for itself alone; by default 127.0.0.88.
    pub fn address(mut self, address: Ipv4Addr) -> Self {
        self.address = address;
        self
    }

    /// Makes the domain, which takes about ten seconds, and returns when the server responds.
    ///
    /// # Errors
    /// When this is not run by root, the folder cannot be used, a program is not installed, or the server does not start.
    pub fn start(self) -> Result<SambaServer, SandboxError> {
        self.programs.find(SAMBA)?;
        let folder = Folder::claim(&self.folder, "Samba domain controller")?;
        folder.wipe("")?;
        for name in ["run", "run/winbindd", "run/ntp", "log", "ncalrpc"] {
            create_private(&folder.path().join(name))?;
        }
        let mut server = SambaServer { running: Running::default(), folder, options: self };
        server.provision()?;
        server.run()?;
        Ok(server)
    }
}

impl SambaServer {
    fn provision(&self) -> Result<(), SandboxError> {
        let (folder, address) = (self.folder.path(), self.options.address);
        let target = format!("--targetdir={}", folder.join("s").display());
        let host = format!("--host-ip={address}");
        let interfaces = format!("--option=interfaces={address}/8");
        let log_option = format!("--option=log file={}", folder.join("log/provisioning").display());
        // Without `--adminpass` it makes a password, which then is on no command line.
        let arguments = [
            "domain",
            "provision",
            "--realm=EXAMPLE.TEST",
            "--domain=EXAMPLE",
            "--server-role=dc",
            "--host-name=dc1",
            "--dns-backend=NONE",
            "--option=bind interfaces only=yes",
            &target,
            &host,
            &interfaces,
            &log_option,
        ];
        let log = folder.join("log/provision");
        Server::spawn(&self.options.programs, SAMBA_TOOL, &arguments, &log)?.finish()?;
        let printed = fs::read_to_string(&log).map_err(at("read", &log))?;
        let password = printed.lines().find_map(|line| line.split_once(PRINTED)).map(|(_, text)| text.trim());
        let password = password.ok_or(SandboxError::NoPassword { log })?;
        write_private(&folder.join(PASSWORD), password.as_bytes())?;
        let file = self.config_file();
        write_private(&file, config::text(folder, address).as_bytes())
    }
}
