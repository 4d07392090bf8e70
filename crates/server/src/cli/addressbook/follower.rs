//! One round of following: ask for a page of changes, print it, keep its token.
//!
//! The token is kept after the page is printed and flushed, so what a crash repeats is that page at most, and applying it
//! twice does no harm. Nothing is applied here, and nobody waits here.

use super::{
    backoff::Backoff,
    changes::{Feed, Page, Trouble},
    client::Client,
    state::State,
};
use crate::cli::print::tell;
use anyhow::{Context, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io::{self, Write},
    time::Duration,
};

/// What is printed when the consumer has to forget its copy.
const RESET: &[u8] = b"{\"op\":\"reset\"}\n";

/// What a round came to.
#[derive(Debug)]
pub(super) enum Step {
    /// A page is printed, and there may be more at once.
    Done { more: bool },
    /// Nothing came; to be tried again after this time.
    Wait(Duration),
    /// Nobody reads any more.
    Closed,
}

/// Whether somebody reads what is printed.
#[derive(PartialEq, Eq)]
enum Output {
    Open,
    Closed,
}

pub(super) struct Follower {
    client: Client,
    state: State,
    since: String,
    limit: u16,
    backoff: Backoff,
    /// What was complained about last, while it lasts.
    complaint: Option<String>,
}

impl Follower {
    pub(super) fn new(client: Client, state: State, since: String, limit: u16) -> Self {
        Self { client, state, since, limit, backoff: Backoff::default(), complaint: None }
    }

    /// Does one round. `random` from 0 to 1.
    ///
    /// # Errors
    /// When another round would come to the same.
    pub(super) fn step(&mut self, random: f64) -> anyhow::Result<Step> {
        if is_stdout_closed() {
            return Ok(Step::Closed);
        }
        let trouble = match self.client.changes(&self.since, self.limit) {
            Ok(Feed::Page(page)) => return self.take(page),
            Ok(Feed::Gone) if !self.since.is_empty() => return self.start_over(),
            Ok(Feed::Gone) => Trouble::passing("the server answers 410 to the beginning"),
            Err(trouble) => trouble,
        };
        match trouble {
            Trouble::Passing { reason, retry_after } => {
                self.complain(reason);
                Ok(Step::Wait(self.backoff.wait(retry_after, random)))
            }
            Trouble::Unauthorized(reason) | Trouble::Lasting(reason) => bail!(reason),
        }
    }

    fn take(&mut self, page: Page) -> anyhow::Result<Step> {
        let Page { lines, since, more } = page;
        self.backoff.reset();
        if self.complaint.take().is_some() {
            tell!("pbm: the server answers again");
        }
        // A server that promises more and gives nothing is not to be asked without a pause.
        let more = more && (!lines.is_empty() || since != self.since);
        self.print(&lines, since, more)
    }

    fn start_over(&mut self) -> anyhow::Result<Step> {
        self.print(RESET, String::new(), true)
    }

    fn print(&mut self, lines: &[u8], since: String, more: bool) -> anyhow::Result<Step> {
        if !lines.is_empty() && print(lines).context("cannot write to standard output")? == Output::Closed {
            return Ok(Step::Closed);
        }
        if since != self.since {
            self.state.write(&since)?;
            self.since = since;
        }
        Ok(Step::Done { more })
    }

    /// Says what is wrong, once.
    fn complain(&mut self, reason: String) {
        if self.complaint.as_ref() != Some(&reason) {
            tell!("pbm: {}; trying again", reason.trim_end_matches('.'));
            self.complaint = Some(reason);
        }
    }
}

fn print(lines: &[u8]) -> io::Result<Output> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(lines).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Output::Closed),
        printed => printed.map(|()| Output::Open),
    }
}

/// Whether the reader of a pipe is gone; that would otherwise be noticed at the next change only.
fn is_stdout_closed() -> bool {
    let stdout = io::stdout();
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now)).is_ok() && polled.iter().any(|fd| fd.revents().contains(PollFlags::ERR))
}
