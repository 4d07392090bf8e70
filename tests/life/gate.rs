//! A TCP proxy in front of a directory: it can stop forwarding, like a server that hangs, or delay the data of one
//! connection.

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

/// A proxy; it ends when this is dropped.
pub(crate) struct Gate {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_shut: AtomicBool,
    is_over: AtomicBool,
    held: Mutex<Option<(Vec<u8>, Duration)>>,
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
                pump(&client, &server, &shared, true);
                pump(&server, &client, &shared, false);
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
        *self.state.held.lock().unwrap() = Some((needle.as_bytes().to_vec(), time));
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
    /// The delay of a request; each delay is used once.
    fn hold_of(&self, bytes: &[u8]) -> Option<Duration> {
        let mut held = self.held.lock().unwrap();
        let is_meant =
            |(needle, _): &mut (Vec<u8>, _)| bytes.windows(needle.len()).any(|part| part == needle);
        held.take_if(is_meant).map(|(_, time)| time)
    }
}

fn pump(from: &TcpStream, to: &TcpStream, state: &Arc<State>, is_request: bool) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let state = state.clone();
    spawn(move || {
        let mut bytes = [0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if is_request && let Some(time) = state.hold_of(&bytes[..count]) {
                sleep(time);
            }
            while state.is_shut.load(Ordering::Relaxed) && !state.is_over.load(Ordering::Relaxed) {
                sleep(STEP);
            }
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        // Closes only this direction: the other side may still send data.
        let _ = to.shutdown(Shutdown::Write);
        let _ = from.shutdown(Shutdown::Read);
    });
}
