//! The listeners: accept connections, speak TLS where asked, and hand them to the application on the worker
//! threads. It is what `HttpServer` of actix-web does, with [`CheckedHeads`] between the socket and the library.

use super::{
    admission::{Admission, ConnectionBounds, Slot},
    checked_heads::{CheckedHeads, Transport},
    pace::{Patience, SEND_BUFFER},
};
use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_server::{Server, ServerBuilder};
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{
    App,
    dev::{AppConfig, ServiceRequest, ServiceResponse},
};
use ipnet::IpNet;
use rustix::net::sockopt::set_socket_send_buffer_size;
use rustls::ServerConfig;
use std::{
    io::{self, Write},
    net::{Shutdown, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, sync::Notify};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::either::Either;

/// Connections that may wait to be accepted, as in actix-web.
const BACKLOG: u32 = 1024;

/// A client's stream.
type Stream = CheckedHeads<Either<TcpStream, TlsStream<TcpStream>>>;

/// How a server listens.
pub struct ListenerSettings {
    /// Threads that answer.
    pub workers: usize,
    /// How many connections there may be.
    pub connections: ConnectionBounds,
    /// Subnets of proxies that are believed: each of their addresses speaks for many clients.
    pub trusted_proxies: Vec<IpNet>,
    /// How long clients may keep them waiting.
    pub patience: Patience,
    /// How long requests in flight may take to finish when the server is stopped.
    pub shutdown_timeout: Duration,
    /// With it HTTPS is spoken, without it HTTP.
    pub tls: Option<ServerConfig>,
}

/// Listeners that are bound, before the server runs.
pub struct Listeners {
    builder: ServerBuilder,
    /// How each connection begins.
    entrance: Entrance,
    /// Where clients can reach them.
    addresses: Vec<SocketAddr>,
    /// Tells idle connections to close.
    closing: Arc<Notify>,
}

/// What happens to a connection before its first request.
#[derive(Clone)]
struct Entrance {
    admission: Admission,
    tls: Option<TlsAcceptor>,
    patience: Patience,
}

/// A running server.
pub struct RunningServer {
    server: Server,
    closing: Arc<Notify>,
}

impl Listeners {
    /// No listeners yet.
    #[must_use]
    pub fn new(settings: ListenerSettings) -> Self {
        let ListenerSettings { workers, connections, trusted_proxies, patience, shutdown_timeout, tls } =
            settings;
        let builder = Server::build()
            .workers(workers)
            .backlog(BACKLOG)
            // Never reached: connections that are too many are refused, and not left to wait with all others behind them.
            .max_concurrent_connections(usize::MAX - 1)
            .disable_signals()
            .shutdown_timeout(shutdown_timeout.as_secs());
        let entrance = Entrance {
            admission: Admission::new(connections, trusted_proxies),
            tls: tls.map(|config| TlsAcceptor::from(Arc::new(config))),
            patience,
        };
        Self { builder, entrance, addresses: Vec::new(), closing: Arc::new(Notify::new()) }
    }

    /// The URLs that clients can reach them at, without a path.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        let scheme = if self.entrance.tls.is_some() { "https" } else { "http" };
        self.addresses.iter().map(|address| format!("{scheme}://{address}")).collect()
    }

    /// Binds an address for an application.
    ///
    /// # Errors
    /// Why the system does not let it listen there.
    pub fn bind<F, T>(mut self, address: SocketAddr, app: F) -> io::Result<Self>
    where
        F: Fn() -> App<T> + Send + Clone + 'static,
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse,
                Error = actix_web::Error,
                InitError = (),
            > + 'static,
    {
        let listener = TcpListener::bind(address)?;
        // Connections inherit it.
        set_socket_send_buffer_size(&listener, SEND_BUFFER)?;
        let local = listener.local_addr()?;
        let (entrance, closing) = (self.entrance.clone(), self.closing.clone());
        self.builder = self.builder.listen(local.to_string(), listener, move || {
            let (entrance, closing) = (entrance.clone(), closing.clone());
            let http = HttpService::<Stream, _, _>::build()
                .graceful_shutdown_signal(move || {
                    let closing = closing.clone();
                    async move { closing.notified().await }
                })
                .keep_alive(entrance.patience.idle)
                // The stream has a better one.
                .client_request_timeout(Duration::ZERO)
                .on_connect_ext(|stream, extensions| {
                    extensions.insert(stream.connection());
                })
                .local_addr(local)
                .finish(map_config(app(), |()| AppConfig::default()));
            fn_service(move |tcp: TcpStream| entrance.clone().accept(tcp)).and_then(http)
        })?;
        self.addresses.push(local);
        Ok(self)
    }

    /// Starts the workers.
    #[must_use]
    pub fn run(self) -> RunningServer {
        RunningServer { server: self.builder.run(), closing: self.closing }
    }
}

impl Entrance {
    async fn accept(self, tcp: TcpStream) -> Result<(Stream, Protocol, Option<SocketAddr>), DispatchError> {
        let peer = tcp.peer_addr().map_err(DispatchError::Io)?;
        let Some(slot) = self.admission.admit(peer.ip()) else {
            if self.tls.is_none() {
                refuse(tcp);
            }
            return Err(DispatchError::Io(io::ErrorKind::ConnectionRefused.into()));
        };
        let stream = self.open(tcp, slot).await?;
        Ok((stream, Protocol::Http1, Some(peer)))
    }

    async fn open(self, tcp: TcpStream, slot: Slot) -> Result<Stream, DispatchError> {
        tcp.set_nodelay(true).map_err(DispatchError::Io)?;
        let stream = match self.tls {
            None => Either::Left(tcp),
            Some(tls) => {
                let accepted = tokio::time::timeout(self.patience.head, tls.accept(tcp)).await;
                let accepted = accepted.map_err(|_| DispatchError::SlowRequestTimeout)?;
                Either::Right(accepted.map_err(DispatchError::Io)?)
            }
        };
        Ok(CheckedHeads::new(stream, self.patience, Some(slot)))
    }
}

/// The answer to a connection that is one too many.
const TOO_MANY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 72\r\n\
    retry-after: 1\r\nconnection: close\r\n\r\n\
    {\"message\":\"There are too many connections from here. Try again later.\"}";

/// Tells a client that its connection is one too many. Nobody waits until it has heard it.
fn refuse(tcp: TcpStream) {
    if let Ok(mut tcp) = tcp.into_std() {
        // The buffer of a new socket has room for it; a client who has gone away misses nothing.
        let _told = tcp.write(TOO_MANY.as_bytes());
        let _closed = tcp.shutdown(Shutdown::Write);
    }
}

impl Transport for Either<TcpStream, TlsStream<TcpStream>> {
    fn forget_unsent(&self) {
        let tcp = match self {
            Self::Left(tcp) => tcp,
            Self::Right(tls) => tls.get_ref().0,
        };
        // It fails on a socket that is closed, and then there is nothing to forget.
        let _set = tcp.set_zero_linger();
    }
}

impl RunningServer {
    /// Runs until `stop` is ready; requests in flight then finish.
    ///
    /// # Errors
    /// What ended the server before that.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let handle = self.server.handle();
        let mut server = std::pin::pin!(self.server);
        tokio::select! {
            ended = &mut server => ended,
            () = stop => {
                self.closing.notify_waiters();
                // The server itself works off the command to stop.
                let ((), ended) = tokio::join!(handle.stop(true), server);
                ended
            }
        }
    }
}
