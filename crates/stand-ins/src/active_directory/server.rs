//! The connections, each in a thread.

use super::{
    session::{After, Session},
    state::State,
};
use bytes::BytesMut;
use ldap3_proto::{LdapCodec, proto::LdapMsg};
use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio_util::codec::{Decoder as _, Encoder as _};

/// How often a connection looks whether the server was stopped.
const LOOK: Duration = Duration::from_millis(100);
/// Answers are written in pieces of about this size, in bytes.
const PIECE: usize = 64 * 1024;

/// Accepts connections until it is stopped.
pub(crate) fn listen(
    socket: TcpListener,
    state: Arc<Mutex<State>>,
    stopped: Arc<AtomicBool>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for stream in socket.incoming().flatten() {
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            let (state, stopped) = (state.clone(), stopped.clone());
            state.lock().unwrap_or_else(PoisonError::into_inner).connections += 1;
            // A client that goes away ends its connection with an error.
            thread::spawn(move || drop(Connection { stream, state, stopped }.serve()));
        }
    })
}

/// Stops accepting, and lets the connections end.
pub(crate) fn stop(port: u16, stopped: &AtomicBool) {
    stopped.store(true, Ordering::Relaxed);
    // Wakes the thread that accepts.
    drop(TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
}

struct Connection {
    stream: TcpStream,
    state: Arc<Mutex<State>>,
    stopped: Arc<AtomicBool>,
}

impl Connection {
    fn serve(mut self) -> io::Result<()> {
        self.stream.set_read_timeout(Some(LOOK))?;
        self.stream.set_nodelay(true)?;
        let (mut codec, mut session, mut input) = (LdapCodec::default(), Session::default(), BytesMut::new());
        loop {
            if let Some(message) = codec.decode(&mut input).map_err(io::Error::other)? {
                if self.answer(&mut codec, &mut session, &message)? == After::Close {
                    return Ok(());
                }
            } else if !self.read(&mut input)? {
                return Ok(());
            }
        }
    }

    /// Reads more; `false` after the end.
    fn read(&mut self, input: &mut BytesMut) -> io::Result<bool> {
        let mut buffer = [0; 8192];
        while !self.stopped.load(Ordering::Relaxed) {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(length) => {
                    input.extend_from_slice(&buffer[..length]);
                    return Ok(true);
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                }
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn answer(
        &mut self,
        codec: &mut LdapCodec,
        session: &mut Session,
        message: &LdapMsg,
    ) -> io::Result<After> {
        let answer = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            session.answer(&mut state, message)
        };
        let after = answer.after;
        let mut output = BytesMut::new();
        for message in answer.messages(message.msgid) {
            codec.encode(message, &mut output).map_err(io::Error::other)?;
            if output.len() > PIECE {
                self.stream.write_all(&output)?;
                output.clear();
            }
        }
        self.stream.write_all(&output)?;
        while after == After::Silence && !self.stopped.load(Ordering::Relaxed) {
            thread::sleep(LOOK);
        }
        Ok(after)
    }
}
