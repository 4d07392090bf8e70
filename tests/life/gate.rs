//! A TCP proxy in front of a directory: it can stop forwarding, like a server that hangs, delay the data of one
//! connection, or break a connection.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{sleep, spawn},
    time::Duration,
};

/// The interval between checks whether data may pass.
const STEP: Duration = Duration::from_millis(10);

/// What happens to a connection when a request contains certain bytes.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// The request arrives late.
    Late(Duration),
    /// The connection breaks before the request has arrived.
    BrokenBefore,
    /// The connection breaks when the request is answered: it was processed, and nobody learns of it.
    BrokenAfter,
}

/// A proxy; it ends when this is dropped.
pub(crate) struct Gate {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_shut: AtomicBool,
    is_over: AtomicBool,
    faults: Mutex<Vec<(Vec<u8>, Fault)>>,
}

impl Gate {
    /// A proxy that forwards to a server `ldap://HOST:PORT`.
    pub(crate) fn before(url: &str) -> Self {
        let server: SocketAddr = url.rsplit('/').next().unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(State::default()));
        let shared = state.clone();
        spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.is_over.load(Ordering::Relaxed) {
                    break;
                }
                let Ok(server) = TcpStream::connect(server) else { continue };
                let is_cut = Arc::new(AtomicBool::new(false));
                pump_requests([&client, &server], shared.clone(), is_cut.clone());
                pump_answers([&server, &client], shared.clone(), is_cut);
            }
        });
        Self { address, state }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// Accepts connections and data, but forwards nothing until it is opened.
    pub(crate) fn shut(&self) {
        self.state.is_shut.store(true, Ordering::Relaxed);
    }

    /// Forwards everything again.
    pub(crate) fn open(&self) {
        self.state.is_shut.store(false, Ordering::Relaxed);
    }

    /// Delays the next request that contains these bytes, and nothing else.
    pub(crate) fn hold(&self, needle: &str, time: Duration) {
        self.fail(needle, Fault::Late(time));
    }

    /// Lets a fault happen to the next request that contains these bytes.
    pub(crate) fn fail(&self, needle: &str, fault: Fault) {
        self.state.faults.lock().unwrap().push((needle.as_bytes().to_vec(), fault));
    }

    /// The number of faults that have not happened yet.
    pub(crate) fn faults_left(&self) -> usize {
        self.state.faults.lock().unwrap().len()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    /// The fault of a request; each happens once.
    fn fault_of(&self, bytes: &[u8]) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let is_meant = |(needle, _): &(Vec<u8>, _)| bytes.windows(needle.len()).any(|part| part == needle);
        let found = faults.iter().position(is_meant)?;
        Some(faults.remove(found).1)
    }

    fn wait_until_open(&self) {
        while self.is_shut.load(Ordering::Relaxed) && !self.is_over.load(Ordering::Relaxed) {
            sleep(STEP);
        }
    }
}

/// Bytes of a request that are searched together with the next ones, so that none is missed between two reads.
const TAIL: usize = 128;

fn pump_requests(ways: [&TcpStream; 2], state: Arc<State>, is_cut: Arc<AtomicBool>) {
    let [mut from, mut to] = ways.map(|stream| stream.try_clone().unwrap());
    spawn(move || {
        let (mut bytes, mut seen) = ([0; 16 << 10], Vec::new());
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            seen.drain(..seen.len().saturating_sub(TAIL));
            seen.extend_from_slice(&bytes[..count]);
            match state.fault_of(&seen) {
                Some(Fault::Late(time)) => sleep(time),
                Some(Fault::BrokenBefore) => return close([&from, &to]),
                Some(Fault::BrokenAfter) => is_cut.store(true, Ordering::Relaxed),
                None => {}
            }
            state.wait_until_open();
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        close_one_way(&from, &to);
    });
}

fn pump_answers(ways: [&TcpStream; 2], state: Arc<State>, is_cut: Arc<AtomicBool>) {
    let [mut from, mut to] = ways.map(|stream| stream.try_clone().unwrap());
    spawn(move || {
        let mut bytes = [0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if is_cut.load(Ordering::Relaxed) {
                return close([&from, &to]);
            }
            state.wait_until_open();
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        close_one_way(&from, &to);
    });
}

/// Closes one direction: the other side may still send data.
fn close_one_way(from: &TcpStream, to: &TcpStream) {
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

fn close(both: [&TcpStream; 2]) {
    for stream in both {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
