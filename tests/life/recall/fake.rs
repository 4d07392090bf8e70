//! A server in the place of Dovecot that does what it is told, for each command of each user.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// What the server does with a command.
pub(crate) enum Deed {
    /// Answers with these rows.
    Rows(&'static str),
    /// Sends these bytes and ends the connection.
    Sends(&'static str),
    /// Waits, then ends the connection.
    Sleeps(Duration),
}

/// A command that has arrived: its name and its user.
pub(crate) type Command = (String, String);

/// The server. It ends with the program.
pub(crate) struct Fake {
    pub(crate) url: String,
    commands: Arc<Mutex<Vec<Command>>>,
}

impl Fake {
    /// Starts it. `deed` is called for each command.
    pub(crate) fn start(deed: impl Fn(&str, &str) -> Deed + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/doveadm/v1", listener.local_addr().unwrap());
        let (commands, deed) = (Arc::new(Mutex::new(Vec::new())), Arc::new(deed));
        let seen = commands.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, deed) = (seen.clone(), deed.clone());
                thread::spawn(move || answer(stream, &seen, deed.as_ref()));
            }
        });
        Self { url, commands }
    }

    /// The commands so far.
    pub(crate) fn commands(&self) -> Vec<Command> {
        self.commands.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, seen: &Mutex<Vec<Command>>, deed: &(impl Fn(&str, &str) -> Deed + ?Sized)) {
    let Some(command) = read(&stream) else { return };
    let (name, parameters) = (command[0][0].as_str().unwrap(), &command[0][1]);
    let user = parameters["user"].as_str().unwrap();
    seen.lock().unwrap().push((name.to_owned(), user.to_owned()));
    let answer = match deed(name, user) {
        Deed::Rows(rows) => {
            let body = format!("[[\"doveadmResponse\",[{rows}],{}]]", command[0][2]);
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        }
        Deed::Sends(bytes) => bytes.to_owned(),
        Deed::Sleeps(time) => {
            thread::sleep(time);
            return;
        }
    };
    // The client may have gone.
    let _ = stream.write_all(answer.as_bytes());
}

/// The payload of a request.
fn read(stream: &TcpStream) -> Option<Value> {
    let (mut reader, mut length) = (BufReader::new(stream), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
