//! A small HTTP/1.1 server: a thread for each connection, bodies with a length, connections that are kept.

use crate::clock;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// The largest head of a request, in bytes.
const MAX_HEAD: usize = 64 << 10;
/// The largest body of a request, in bytes.
const MAX_BODY: usize = 8 << 20;
/// How long a connection may be without a request.
const IDLE: Duration = Duration::from_secs(30);

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) is_json: bool,
    pub(crate) body: Vec<u8>,
    keeps: bool,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
    /// After how many bytes of the body the connection ends.
    pub(crate) ends_after: Option<usize>,
}

impl Response {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type, location: None, body: body.into(), ends_after: None }
    }
}

/// What answers requests; without a response, the connection ends.
pub(crate) type Handler = dyn Fn(Request) -> Option<Response> + Send + Sync;

/// A server, until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    is_ending: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Starts to listen.
    pub(crate) fn start(
        listen: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        handler: Arc<Handler>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let is_ending = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_ending);
        let thread = Some(thread::spawn(move || accept(&listener, tls.as_ref(), &handler, &ends)));
        Ok(Self { address, is_ending, thread })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_ending.store(true, Ordering::SeqCst);
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(thread) = self.thread.take().filter(|_| woken) {
            drop(thread.join());
        }
    }
}

fn accept(
    listener: &TcpListener,
    tls: Option<&Arc<ServerConfig>>,
    handler: &Arc<Handler>,
    is_ending: &AtomicBool,
) {
    for stream in listener.incoming() {
        if is_ending.load(Ordering::SeqCst) {
            return;
        }
        let (tls, handler) = (tls.cloned(), Arc::clone(handler));
        // A connection that breaks is the client's business.
        thread::spawn(move || stream.and_then(|stream| connection(stream, tls, &*handler)));
    }
}

fn connection(stream: TcpStream, tls: Option<Arc<ServerConfig>>, handler: &Handler) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_nodelay(true)?;
    match tls {
        None => serve(stream, handler),
        Some(config) => {
            let session = ServerConnection::new(config).map_err(io::Error::other)?;
            serve(StreamOwned::new(session, stream), handler)
        }
    }
}

fn serve(mut stream: impl Read + Write, handler: &Handler) -> io::Result<()> {
    let mut unread = Vec::new();
    while let Some(request) = read(&mut stream, &mut unread)? {
        let keeps = request.keeps;
        let Some(response) = handler(request) else { return Ok(()) };
        let is_cut = response.ends_after.is_some();
        write(&mut stream, &response)?;
        if is_cut || !keeps {
            return Ok(());
        }
    }
    Ok(())
}

/// The next request; `None` at the end of the connection.
fn read(stream: &mut impl Read, unread: &mut Vec<u8>) -> io::Result<Option<Request>> {
    loop {
        if let Some((mut request, head, length)) = parse(unread)? {
            fill(stream, unread, head + length)?;
            request.body = unread.drain(..head + length).skip(head).collect();
            return Ok(Some(request));
        }
        let mut part = [0; 8 << 10];
        let read = stream.read(&mut part)?;
        if read == 0 || unread.len() > MAX_HEAD {
            return Ok(None);
        }
        unread.extend(part.iter().take(read));
    }
}

fn fill(stream: &mut impl Read, unread: &mut Vec<u8>, whole: usize) -> io::Result<()> {
    let missing = whole.saturating_sub(unread.len());
    stream.by_ref().take(missing as u64).read_to_end(unread)?;
    if unread.len() < whole { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

/// The head of a request if it is complete, with its length and that of the body.
fn parse(bytes: &[u8]) -> io::Result<Option<(Request, usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(bytes).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let value = |name: &str| {
        let header = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.and_then(|header| std::str::from_utf8(header.value).ok()).unwrap_or_default()
    };
    let body = value("content-length").parse().unwrap_or(0);
    if body > MAX_BODY {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let target = head.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        path: path.to_owned(),
        query: query.to_owned(),
        is_json: value("content-type").contains("json"),
        body: Vec::new(),
        keeps: !value("connection").eq_ignore_ascii_case("close"),
    };
    Ok(Some((request, length, body)))
}

fn write(stream: &mut impl Write, response: &Response) -> io::Result<()> {
    let Response { status, content_type, location, body, ends_after } = response;
    let date = clock::http_date(clock::now());
    let location = location.as_ref().map_or(String::new(), |location| format!("Location: {location}\r\n"));
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Status\r\nDate: {date}\r\nContent-Type: {content_type}\r\n{location}Content-Length: {length}\r\n\r\n"
    );
    let sent = body.iter().take(ends_after.unwrap_or(length)).copied();
    let bytes: Vec<u8> = head.into_bytes().into_iter().chain(sent).collect();
    stream.write_all(&bytes)?;
    stream.flush()
}
