//! The section `[http]`: addresses, workers, proxies, limits on connections.

use super::{source::Source, subnet};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use web::{
    client::{ForwardedHeader, Proxies},
    provenance::HostName,
    tls::TlsFiles,
    transport::{ConnectionBounds, Patience},
};

/// The default maximum of worker threads. They share the connections to the directory. With fewer than eight
/// connections a thread's long tasks block each other, and four threads serve more reads than 389-ds answers.
const MAX_DEFAULT_WORKERS: usize = 4;

/// The HTTP settings.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Addresses to listen on.
    pub listen: Vec<SocketAddr>,
    /// Certificate and key (PEM) for HTTPS; without them HTTP is spoken.
    pub tls: Option<TlsFiles>,
    /// Worker threads.
    pub workers: usize,
    /// Proxies that may name the client of a request.
    pub proxies: Proxies,
    /// Host names that requests without a token may use.
    pub hosts: Vec<HostName>,
    /// The limits on connections.
    pub connections: ConnectionBounds,
    /// The timeouts of slow clients.
    pub patience: Patience,
    /// How long requests in flight may take to finish on shutdown.
    pub shutdown_timeout: Duration,
}

pub(super) fn http(source: &mut Source) -> HttpConfig {
    let address = |text: &str| {
        text.parse().map_err(|_| "must be an address and port such as 127.0.0.1:8080".to_owned())
    };
    let listen = source.list("http.listen", address);
    source.default_is("http.listen", "127.0.0.1:8080");
    let certificate = source.text("http.tls_certificate").map(PathBuf::from);
    let key = source.text("http.tls_key").map(PathBuf::from);
    if certificate.is_some() != key.is_some() {
        let missing = if key.is_some() { "http.tls_certificate" } else { "http.tls_key" };
        source.mistake(missing, "is missing: HTTPS needs a certificate and a key");
    }
    let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    HttpConfig {
        listen: listen.unwrap_or_else(|| vec![SocketAddr::from(([127, 0, 0, 1], 8080))]),
        tls: certificate.zip(key).map(|(certificate, key)| TlsFiles { certificate, key }),
        workers: source.number("http.workers", processors.min(MAX_DEFAULT_WORKERS), &(1..=256)),
        proxies: Proxies {
            trusted: source.list("http.trusted_proxies", subnet).unwrap_or_default(),
            header: header(source),
        },
        hosts: source.list("http.hosts", host_name).unwrap_or_default(),
        connections: connections(source),
        patience: patience(source),
        shutdown_timeout: source.duration("http.shutdown_timeout", 30_000),
    }
}

fn header(source: &mut Source) -> ForwardedHeader {
    let header = source.parsed("http.forwarded_header", forwarded_header).unwrap_or_default();
    source.default_is("http.forwarded_header", ForwardedHeader::default().name());
    header
}

fn forwarded_header(text: &str) -> Result<ForwardedHeader, String> {
    match text {
        "x-forwarded-for" => Ok(ForwardedHeader::XForwardedFor),
        "forwarded" => Ok(ForwardedHeader::Forwarded),
        _ => Err("must be x-forwarded-for or forwarded".to_owned()),
    }
}

fn host_name(text: &str) -> Result<HostName, String> {
    HostName::parse(text).ok_or_else(|| {
        "must be a host name such as pbm.example.com, without scheme and port (other scripts as xn--…)"
            .to_owned()
    })
}

fn connections(source: &mut Source) -> ConnectionBounds {
    let ConnectionBounds { total, per_address } = ConnectionBounds::default();
    let total = source.number("http.connections", total, &(16..=1_000_000));
    ConnectionBounds {
        total,
        per_address: source.number("http.connections_per_address", per_address, &(1..=1_000_000)).min(total),
    }
}

fn patience(source: &mut Source) -> Patience {
    let Patience { head, idle, stall } = Patience::default();
    Patience {
        head: source.seconds("http.head_timeout", head),
        idle: source.seconds("http.idle_timeout", idle),
        stall: source.seconds("http.stall_timeout", stall),
    }
}
