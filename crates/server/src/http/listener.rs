//! The listeners: accept connections, speak TLS where asked, and hand them to the application on the worker
//! threads. It is what `HttpServer` of actix-web does, with [`CheckedHeads`] between the socket and the library.

use super::request_head::CheckedHeads;
use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_server::{Server, ServerBuilder};
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{
    App,
    dev::{AppConfig, ServiceRequest, ServiceResponse},
};
use rustls::ServerConfig;
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, sync::Notify};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::either::Either;

/// How long an idle connection of a client is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long the head of a request, or a TLS handshake, may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that may wait to be accepted, as in actix-web.
const BACKLOG: u32 = 1024;

/// A client's stream.
type Stream = CheckedHeads<Either<TcpStream, TlsStream<TcpStream>>>;

/// Listeners that are bound, before the server runs.
pub(super) struct Listeners {
    builder: ServerBuilder,
    tls: Option<TlsAcceptor>,
    /// Where clients can reach them.
    pub(super) addresses: Vec<SocketAddr>,
    /// Tells idle connections to close.
    closing: Arc<Notify>,
}

/// A running server.
pub(super) struct RunningServer {
    server: Server,
    closing: Arc<Notify>,
}

impl Listeners {
    /// No listeners yet.
    pub(super) fn new(workers: usize, shutdown_timeout: Duration, tls: Option<ServerConfig>) -> Self {
        let builder = Server::build()
            .workers(workers)
            .backlog(BACKLOG)
            .disable_signals()
            .shutdown_timeout(shutdown_timeout.as_secs());
        let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        Self { builder, tls, addresses: Vec::new(), closing: Arc::new(Notify::new()) }
    }

    /// Whether TLS is spoken.
    pub(super) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Binds an address for an application.
    pub(super) fn bind<F, T>(mut self, address: SocketAddr, app: F) -> io::Result<Self>
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
        let local = listener.local_addr()?;
        let (tls, closing) = (self.tls.clone(), self.closing.clone());
        self.builder = self.builder.listen(local.to_string(), listener, move || {
            let (tls, closing) = (tls.clone(), closing.clone());
            let http = HttpService::<Stream, _, _>::build()
                .graceful_shutdown_signal(move || {
                    let closing = closing.clone();
                    async move { closing.notified().await }
                })
                .keep_alive(KEEP_ALIVE)
                .client_request_timeout(HEAD_TIMEOUT)
                .local_addr(local)
                .finish(map_config(app(), |()| AppConfig::default()));
            fn_service(move |tcp: TcpStream| accept(tcp, tls.clone())).and_then(http)
        })?;
        self.addresses.push(local);
        Ok(self)
    }

    /// Starts the workers.
    pub(super) fn run(self) -> RunningServer {
        RunningServer { server: self.builder.run(), closing: self.closing }
    }
}

async fn accept(
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
) -> Result<(Stream, Protocol, Option<SocketAddr>), DispatchError> {
    let peer = tcp.peer_addr().ok();
    tcp.set_nodelay(true).map_err(DispatchError::Io)?;
    let stream = match tls {
        None => Either::Left(tcp),
        Some(tls) => {
            let accepted = tokio::time::timeout(HEAD_TIMEOUT, tls.accept(tcp)).await;
            let accepted = accepted.map_err(|_| DispatchError::SlowRequestTimeout)?;
            Either::Right(accepted.map_err(DispatchError::Io)?)
        }
    };
    Ok((CheckedHeads::new(stream), Protocol::Http1, peer))
}

impl RunningServer {
    /// Runs until `stop` is ready; requests in flight then finish.
    pub(super) async fn run_until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
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
