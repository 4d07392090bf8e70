//! Owns requests to the HTTP API of doveadm, for tests.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::SandboxError;

pub(super) const PATH: &str = "/doveadm/v1";
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn ask(port: u16, password: &SecretString, payload: &str) -> Result<String, SandboxError> {
    let answer = exchange(port, password, payload).unwrap_or_else(|error| error.to_string());
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(SandboxError::Doveadm { answer: answer.lines().next().unwrap_or_default().to_owned() }),
    }
}

/// Dovecot closes the connection after its answer.
fn exchange(port: u16, password: &SecretString, payload: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let login = STANDARD.encode(format!("doveadm:{}", password.expose_secret()));
    let request = format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {login}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{payload}",
        payload.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
