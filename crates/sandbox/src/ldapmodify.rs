//! Owns changes to a directory by LDIF, through the program `ldapmodify`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::child::last_lines;
use crate::error::{SandboxError, at};
use crate::programs::{LDAPMODIFY, Programs};

/// Whom a change is made by, and where.
pub(crate) struct Account<'a> {
    pub(crate) url: &'a str,
    pub(crate) login: &'a str,
    /// The file that holds only the password.
    pub(crate) password: &'a Path,
}

/// Applies LDIF change records.
pub(crate) fn apply(programs: &Programs, account: &Account<'_>, ldif: &str) -> Result<(), SandboxError> {
    let path = programs.find(LDAPMODIFY)?;
    let mut child = Command::new(&path)
        .args(["-x", "-H", account.url, "-D", account.login, "-y"])
        .arg(account.password)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(at("run", &path))?;
    if let Some(mut input) = child.stdin.take() {
        // The program ends before it has read everything if it cannot connect; its words say why.
        let _ = input.write_all(ldif.as_bytes());
    }
    let output = child.wait_with_output().map_err(at("run", &path))?;
    if output.status.success() {
        return Ok(());
    }
    let lines = last_lines(String::from_utf8_lossy(&output.stderr).lines());
    Err(SandboxError::ChangeRefused { lines })
}
