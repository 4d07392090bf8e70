//! One running `pbm serve`.

use crate::{client::Client, process, programs};
use rustix::process::Signal;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// How long an orderly stop may take.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A process of `pbm serve`; it is stopped when this value is dropped.
pub struct Serve {
    child: Child,
    /// Its output before it was ready.
    pub greeting: String,
    urls: Vec<String>,
    log: PathBuf,
    _stdout: BufReader<ChildStdout>,
}

/// Starts `pbm serve` and waits for its ready line.
#[track_caller]
pub fn start_serve(config: &Path, environment: &[(&str, &str)]) -> Serve {
    let arguments = ["serve", "--config", config.to_str().unwrap()];
    let log = config.with_extension(format!("{}.log", unique()));
    Serve::start(&arguments, environment, log)
}

/// Starts a process whose files cannot grow beyond a number of bytes, as on a full disk.
#[track_caller]
pub fn start_serve_with_small_files(config: &Path, environment: &[(&str, &str)], bytes: u32) -> Serve {
    let arguments = ["serve", "--config", config.to_str().unwrap()];
    let log = config.with_extension(format!("{}.log", unique()));
    let blocks = (bytes / 512).to_string();
    // A write beyond the limit fails with an error instead of a signal.
    let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &blocks];
    Serve::start_by(&limited, &arguments, environment, log)
}

fn unique() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

impl Serve {
    /// Starts a serving command of `pbm`, with its log in a file.
    #[track_caller]
    pub fn start(arguments: &[&str], environment: &[(&str, &str)], log: PathBuf) -> Self {
        Self::start_by(&[], arguments, environment, log)
    }

    /// Starts it through another program, which becomes `pbm`.
    #[track_caller]
    fn start_by(by: &[&str], arguments: &[&str], environment: &[(&str, &str)], log: PathBuf) -> Self {
        // Ends with the tests, even if they are killed.
        let mut child = Command::new(programs::program("setpriv"))
            .args(["--pdeathsig", "TERM", "--"])
            .args(by)
            .arg(programs::pbm())
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        let urls = loop {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let _ = child.wait();
                panic!("pbm {arguments:?} ended: {}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            if let Some(urls) = line.strip_prefix("ready ") {
                break urls.split_whitespace().map(str::to_owned).collect();
            }
            greeting.push_str(&line);
        };
        Self { child, greeting, urls, log, _stdout: stdout }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.urls[0]
    }

    /// The host and port of its URL.
    pub fn address(&self) -> SocketAddr {
        self.url().rsplit('/').next().unwrap().parse().unwrap()
    }

    /// A client without a token.
    pub fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        process::signal(self.child.id(), signal);
    }

    /// Waits for its end; `None` if it does not end in time.
    pub fn wait(&mut self, limit: Duration) -> Option<i32> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status.code().unwrap_or(-1));
            }
            if since.elapsed() >= limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The number of log lines shown when a trial fails.
const SHOWN: usize = 10;

impl Drop for Serve {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let troubles: Vec<_> =
                log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
            for line in &troubles[troubles.len().saturating_sub(SHOWN)..] {
                eprintln!("  pbm logged: {line}");
            }
        }
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        self.signal(Signal::TERM);
        if self.wait(STOP_LIMIT).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
