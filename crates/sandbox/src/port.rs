//! Owns the choice of loopback ports.
//!
//! Ports are taken from below the kernel's range for outgoing connections. A port inside that range can be lost while a
//! server is down for a moment: a client that keeps reconnecting to it may get the same number as its own source port,
//! and then even connects to itself.

use std::net::{Ipv4Addr, TcpListener};
use std::{fs, io};

use crate::error::SandboxError;
use crate::random;

const LOWEST: u16 = 15_000;
const TRIES: usize = 64;
/// How often a start may lose its port to another process.
const PORT_TRIES: usize = 5;

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port on which no process listens at this moment; a server that uses it may still lose it to another process.
pub(crate) fn free(except: Option<u16>) -> Result<u16, SandboxError> {
    let width = outgoing_from().saturating_sub(LOWEST);
    for _ in 0..TRIES {
        let Some(offset) = u16::from_le_bytes(random::bytes()?).checked_rem(width) else { break };
        let port = LOWEST + offset;
        if Some(port) != except && is_free(port) {
            return Ok(port);
        }
    }
    any().map_err(|source| SandboxError::Io {
        doing: "find a free port on",
        path: "127.0.0.1".into(),
        source,
    })
}

/// Runs a function with the last port if it is free, otherwise with other ports until one is not lost to another
/// process.
pub(crate) fn on_a_free_port<T>(
    mut last: Option<u16>,
    mut run: impl FnMut(u16) -> Result<T, SandboxError>,
) -> Result<T, SandboxError> {
    let mut tries = 1;
    loop {
        let port = match last.take().filter(|port| is_free(*port)) {
            Some(port) => port,
            None => free(None)?,
        };
        match run(port) {
            Err(SandboxError::DidNotStart { lines, .. })
                if tries < PORT_TRIES && lines.contains("in use") =>
            {
                tries += 1;
            }
            other => return other,
        }
    }
}

fn any() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The start of the kernel's range for outgoing connections; 32768 is its default.
fn outgoing_from() -> u16 {
    fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or(32_768)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_with_a_listener_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }

    #[test]
    fn the_excepted_port_is_never_given() {
        let first = free(None).unwrap();
        assert_ne!(free(Some(first)).unwrap(), first);
    }
}
