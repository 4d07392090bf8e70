//! Owns the text of `redis.conf` and `sentinel.conf`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use crate::tls::TlsFiles;

/// The settings that servers and sentinels share.
pub(super) fn base(port: u16, folder: &Path, tls: Option<&TlsFiles>) -> String {
    let mut config = format!(
        "bind 127.0.0.1\ndir {}\ndaemonize no\nlogfile \"\"\n",
        quoted(&folder.display().to_string())
    );
    // Writing to a String cannot fail.
    let _ = match tls {
        None => writeln!(config, "port {port}"),
        Some(tls) => writeln!(
            config,
            "port 0\ntls-port {port}\ntls-cert-file {}\ntls-key-file {}\ntls-ca-cert-file {}\n\
             tls-auth-clients no\ntls-replication yes",
            quoted(&tls.certificate().display().to_string()),
            quoted(&tls.key().display().to_string()),
            quoted(&tls.ca().display().to_string()),
        ),
    };
    config
}

/// Appends a directive with a password, if there is one.
pub(super) fn add_password(config: &mut String, directive: &str, password: Option<&SecretString>) {
    if let Some(password) = password {
        // Writing to a String cannot fail.
        let _ = writeln!(config, "{directive} {}", quoted(password.expose_secret()));
    }
}

/// The port of the run that wrote this file.
pub(super) fn last_port(config: &Path) -> Option<u16> {
    let config = fs::read_to_string(config).ok()?;
    let mut ports = config.lines().filter_map(|line| {
        line.strip_prefix("port ").or_else(|| line.strip_prefix("tls-port "))?.trim().parse().ok()
    });
    ports.find(|port| *port != 0)
}

/// A word of redis.conf, with every byte escaped that might have a meaning there.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            other => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\x{other:02x}");
            }
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\"\n\\ é"), r#""a\x22\x0a\x5c\x20\xc3\xa9""#);
    }
}
