//! Owns the question as which user Dovecot runs. It refuses to deliver mail as root, so a sandbox of root runs as
//! `nobody`, with the capability to enter folders that only root may enter.

use std::io::ErrorKind;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use rustix::process::getuid;

use crate::error::{SandboxError, at};
use crate::folder::create_private;
use crate::programs::{ID, Programs};

const NOBODY: &str = "nobody";
const CAPABILITIES: &str = "+dac_override,+dac_read_search";

/// The user that Dovecot runs as.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) user: String,
    pub(super) group: String,
    /// The numbers of another user than the current one.
    other: Option<(u32, u32)>,
}

impl Identity {
    pub(super) fn of_current_user(programs: &Programs) -> Result<Self, SandboxError> {
        if !getuid().is_root() {
            return Ok(Self { user: id(programs, &["-un"])?, group: id(programs, &["-gn"])?, other: None });
        }
        let other = Some((number(programs, "-u")?, number(programs, "-g")?));
        Ok(Self { user: NOBODY.to_owned(), group: id(programs, &["-gn", NOBODY])?, other })
    }

    /// The options of `setpriv` to become the user.
    pub(super) fn privileges(&self) -> Vec<String> {
        let Some((user, group)) = self.other else { return Vec::new() };
        vec![
            format!("--reuid={user}"),
            format!("--regid={group}"),
            "--clear-groups".to_owned(),
            // Otherwise access(2), which Dovecot asks whether it may write, ignores the capabilities.
            "--securebits=+no_setuid_fixup".to_owned(),
            format!("--inh-caps={CAPABILITIES}"),
            format!("--ambient-caps={CAPABILITIES}"),
        ]
    }

    /// Creates a folder that belongs to the user.
    pub(super) fn own(&self, folder: &Path) -> Result<(), SandboxError> {
        create_private(folder)?;
        let Some((user, group)) = self.other else { return Ok(()) };
        chown(folder, Some(user), Some(group)).map_err(at("give away", folder))
    }
}

/// The number of `nobody`, or of its group.
fn number(programs: &Programs, option: &str) -> Result<u32, SandboxError> {
    let text = id(programs, &[option, NOBODY])?;
    text.parse().map_err(|_| at("read the answer of", Path::new(ID.name))(ErrorKind::InvalidData.into()))
}

fn id(programs: &Programs, arguments: &[&str]) -> Result<String, SandboxError> {
    let path = programs.find(ID)?;
    let output = Command::new(&path).args(arguments).output().map_err(at("run", &path))?;
    let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !name.is_empty() {
        return Ok(name);
    }
    Err(at("tell a user's name with", &path)(ErrorKind::NotFound.into()))
}
