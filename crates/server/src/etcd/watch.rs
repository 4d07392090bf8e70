//! Waiting for the first change that a watch reports.

use super::{
    error::EtcdError,
    gateway::{self, Told},
};
use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

/// The largest line, in bytes: one transaction may change all keys.
const MAX_LINE: u64 = super::client::MAX_BODY;
/// How long etcd may take to confirm the watch of every range. A change of a range that is not watched would go
/// unnoticed, so this is part of the two seconds after which a change is in force.
const CONFIRMED: Duration = Duration::from_secs(1);
/// The lines that may be read ahead.
const AHEAD: usize = 64;

/// What a watch has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Something has changed, or may have: the revision has been compacted.
    Change,
    /// Nothing has changed within the time.
    Nothing,
    /// Only so many ranges are watched, so a change may go unnoticed: read everything again.
    Incomplete {
        /// The ranges that etcd has confirmed.
        confirmed: usize,
        /// The ranges that were to be watched.
        asked: usize,
    },
}

/// Reads the lines of a watch until one reports a change, but no longer than a time. Every range that was asked for
/// must be confirmed soon.
///
/// The lines are read on a thread, since the client cannot end a read early. The thread ends with the next line, and at
/// the latest with the timeout of the body.
pub(super) fn first_change(
    body: impl Read + Send + 'static,
    asked: usize,
    longest: Duration,
) -> Result<Watched, EtcdError> {
    let began = Instant::now();
    let lines = lines_of(body)?;
    let (mut confirmed, mut denied) = (0, 0);
    loop {
        let limit = if confirmed < asked { CONFIRMED.min(longest) } else { longest };
        let line = match lines.recv_timeout(limit.saturating_sub(began.elapsed())) {
            Ok(Ok(line)) => line,
            Ok(Err(error)) if is_timeout(&error) => return Ok(Watched::Nothing),
            Ok(Err(error)) => return Err(EtcdError::Interrupted(error)),
            Err(RecvTimeoutError::Timeout) if confirmed < asked => {
                return Ok(Watched::Incomplete { confirmed, asked });
            }
            Err(RecvTimeoutError::Timeout) => return Ok(Watched::Nothing),
            Err(RecvTimeoutError::Disconnected) => return Err(EtcdError::Interrupted(ended_early())),
        };
        match gateway::read_watch_line(&line) {
            Ok(Told::Nothing) => {}
            Ok(Told::Confirmed) => confirmed += 1,
            Ok(Told::Change) | Err(EtcdError::Compacted) => return Ok(Watched::Change),
            Err(EtcdError::Denied(_)) if denied + 1 < asked => {
                denied += 1;
                confirmed += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A line, or why there is none.
type Line = io::Result<Vec<u8>>;

/// Starts the thread that reads lines until there are no more, or nobody receives them.
fn lines_of(body: impl Read + Send + 'static) -> Result<Receiver<Line>, EtcdError> {
    let (sender, receiver) = sync_channel(AHEAD);
    let read = move || {
        let mut lines = BufReader::new(body);
        loop {
            let line = next(&mut lines);
            let is_last = line.is_err();
            if sender.send(line).is_err() || is_last {
                break;
            }
        }
    };
    let started = thread::Builder::new().name("etcd-watch".to_owned()).spawn(read);
    started.map(|_| receiver).map_err(EtcdError::Interrupted)
}

fn next(lines: &mut impl BufRead) -> Line {
    let mut line = Vec::new();
    lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.last() == Some(&b'\n') { Ok(line) } else { Err(ended_early()) }
}

fn ended_early() -> io::Error {
    ErrorKind::UnexpectedEof.into()
}

fn is_timeout(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    error.kind() == ErrorKind::TimedOut || matches!(inner, Some(ureq::Error::Timeout(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etcd::{
        client::Client,
        settings::{Endpoint, EtcdSettings},
    };
    use std::{
        io::Write,
        net::{TcpListener, TcpStream},
    };

    const CREATED: &str = r#"{"result":{"header":{"revision":"3"},"created":true}}"#;
    const DENIED: &str = r#"{"result":{"watch_id":"-1","created":true,"canceled":true,"cancel_reason":"rpc error: code = PermissionDenied desc = etcdserver: permission denied"}}"#;
    const EVENT: &str = r#"{"result":{"header":{"revision":"4"},"events":[{"kv":{"key":"cGJtL2E="}}]}}"#;
    /// The ranges of the tests: each prefix with and without a slash.
    const ASKED: usize = 4;

    /// A gateway that answers one watch with some lines and then is silent; returns the result of the watch, how long
    /// it took, and the head of the request.
    fn watch(lines: &[&str], longest: Duration) -> (Result<Watched, EtcdError>, Duration, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let body = lines.iter().flat_map(|line| [*line, "\n"]).collect::<String>();
        let gateway = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let head = head(&mut stream);
            stream.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{body}").as_bytes()).unwrap();
            (stream, head)
        });
        let settings = EtcdSettings {
            endpoints: vec![endpoint],
            ca_file: None,
            client: None,
            login: None,
            timeout: Duration::from_secs(3),
            start_timeout: Duration::ZERO,
        };
        let began = Instant::now();
        let found = Client::new(&settings, &["pbm/", "psn/"]).unwrap().watch(3, longest);
        let took = began.elapsed();
        let (_stream, head) = gateway.join().unwrap();
        (found, took, head)
    }

    fn head(stream: &mut TcpStream) -> String {
        let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
        lines.by_ref().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n").to_lowercase()
    }

    #[test]
    fn ranges_that_are_not_confirmed_end_the_watch_soon() {
        for lines in [&[][..], &[CREATED], &[CREATED, DENIED, CREATED]] {
            let (found, took, _) = watch(lines, Duration::from_secs(15));
            let expected = Watched::Incomplete { confirmed: lines.len(), asked: ASKED };
            assert_eq!(found.unwrap(), expected);
            assert!(took < Duration::from_secs(3), "{took:?}");
        }
    }

    #[test]
    fn a_watch_of_all_ranges_lasts_until_a_change_or_its_end() {
        let longest = Duration::from_millis(1500);
        let (found, took, _) = watch(&[CREATED, DENIED, CREATED, DENIED], longest);
        assert_eq!(found.unwrap(), Watched::Nothing);
        assert!(took >= longest, "{took:?}");
        let (found, ..) = watch(&[CREATED, DENIED, CREATED, CREATED, EVENT], longest);
        assert_eq!(found.unwrap(), Watched::Change);
        let (found, ..) = watch(&[CREATED, EVENT], longest);
        assert_eq!(found.unwrap(), Watched::Change);
        let (found, ..) = watch(&[DENIED; ASKED], longest);
        assert!(matches!(found, Err(EtcdError::Denied(_))));
    }

    #[test]
    fn a_watch_asks_for_a_connection_of_its_own() {
        let (.., head) = watch(&[EVENT], Duration::from_secs(5));
        assert!(head.contains("connection: close"), "{head}");
    }
}
