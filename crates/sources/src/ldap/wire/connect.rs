//! Connections to servers: TCP, `StartTLS` (RFC 4511 section 4.14), TLS.

use super::{
    fault::{Fault, NotLdap},
    frame,
    message::{Message, Operation},
    relay::check_notice,
};
use crate::ldap::{
    settings::{Encryption, LdapSourceSettings},
    shown::shown,
};
use rustls::{ClientConfig, pki_types::ServerName};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// Most addresses of a host that are tried. A domain of Active Directory has one for each of its controllers.
const MAX_ADDRESSES: usize = 8;
/// The request for TLS: message 1, an extended request (application 23) with the name 1.3.6.1.4.1.1466.20037.
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// The number of the request for TLS.
const START_TLS_ID: u32 = 1;

/// A connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects, and encrypts if there are authorities to trust.
///
/// # Errors
/// [`Fault`].
pub(super) async fn connect(
    settings: &LdapSourceSettings,
    trust: Option<Arc<ClientConfig>>,
) -> Result<Box<dyn Stream>, Fault> {
    let LdapSourceSettings { host, port, encryption, timeout, .. } = settings;
    let mut stream = tcp(host, *port, *timeout).await?;
    let Some(trust) = trust else { return Ok(Box::new(stream)) };
    let encrypted = async {
        if *encryption == Encryption::StartTls {
            start_tls(&mut stream).await?;
        }
        let name = ServerName::try_from(host.clone()).map_err(|_| Fault::NoServerName)?;
        Ok(TlsConnector::from(trust).connect(name, stream).await?)
    };
    Ok(Box::new(within(*timeout, encrypted).await?))
}

/// Connects to the first address that answers.
async fn tcp(host: &str, port: u16, limit: Duration) -> Result<TcpStream, Fault> {
    let addresses = within(limit, async { Ok(lookup_host((host, port)).await?) }).await?;
    let mut fault = Fault::NoAddress;
    for address in addresses.take(MAX_ADDRESSES) {
        match within(limit, async { Ok(opened(TcpStream::connect(address).await?)?) }).await {
            Ok(stream) => return Ok(stream),
            Err(other) => fault = other,
        }
    }
    Err(fault)
}

/// Requests are short, and each waits for its answer.
fn opened(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn within<T>(limit: Duration, step: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    timeout(limit, step).await.unwrap_or(Err(Fault::Late(limit)))
}

/// Asks for TLS. Nothing beyond the answer is read, so nothing that was sent without encryption is taken for encrypted.
async fn start_tls(stream: &mut TcpStream) -> Result<(), Fault> {
    stream.write_all(START_TLS).await?;
    let bytes = frame::read(stream).await?;
    let message = Message::parse(&bytes)?;
    check_notice(&message)?;
    if message.id != START_TLS_ID || message.operation != Operation::ExtendedResponse {
        return Err(NotLdap("it answers a request of another kind").into());
    }
    match message.result() {
        (0, _) => Ok(()),
        (code, text) => Err(Fault::NoStartTls { text: shown(&text), code }),
    }
}
