//! Owns the commands to a Redis server or sentinel, through the program `redis-cli`.

use std::process::{Command, Stdio};

use secrecy::{ExposeSecret as _, SecretString};

use crate::error::{SandboxError, at};
use crate::programs::{Programs, REDIS_CLI};
use crate::tls::TlsFiles;

/// Sends a command to a port of 127.0.0.1, and returns the answer as `redis-cli` prints it to a pipe: only the values,
/// one per line.
pub(super) fn ask(
    programs: &Programs,
    port: u16,
    password: Option<&SecretString>,
    tls: Option<&TlsFiles>,
    words: &[&str],
) -> Result<String, SandboxError> {
    let path = programs.find(REDIS_CLI)?;
    let mut command = Command::new(&path);
    command.args(["-e", "--no-auth-warning", "-h", "127.0.0.1", "-p", &port.to_string()]);
    if let Some(tls) = tls {
        command.arg("--tls").arg("--cacert").arg(tls.ca());
    }
    command.env_remove("REDISCLI_AUTH");
    if let Some(password) = password {
        command.env("REDISCLI_AUTH", password.expose_secret());
    }
    let output = command.args(words).stdin(Stdio::null()).output().map_err(at("run", &path))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(SandboxError::RedisCommand {
        command: words.first().copied().unwrap_or_default().to_owned(),
        answer: format!("{} {}", text(&output.stdout), text(&output.stderr)).trim().to_owned(),
    })
}
