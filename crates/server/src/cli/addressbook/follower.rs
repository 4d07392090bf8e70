//! One round of following: request a page of changes, print it, save its token.
//!
//! The token is saved after the page is printed and flushed, so a crash repeats at most that page, and applying a page
//! twice is harmless. This module applies no changes and never sleeps.

use super::{
    changes::{Feed, Page, Trouble},
    client::Client,
    state::State,
};
use crate::{backoff::Backoff, cli::print::tell};
use anyhow::{Context, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io::{self, Write},
    time::Duration,
};

/// Printed when the consumer has to delete its copy.
const RESET: &[u8] = b"{\"op\":\"reset\"}\n";

/// The outcome of a round.
#[derive(Debug)]
pub(super) enum Step {
    /// A page was printed; `more` says whether the next one is available.
    Done { more: bool },
    /// The round failed; try again after this time.
    Wait(Duration),
    /// The reader has closed the pipe.
    Closed,
}

/// Whether the output still has a reader.
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
    /// The last problem reported, as long as it lasts.
    complaint: Option<String>,
}

impl Follower {
    pub(super) fn new(client: Client, state: State, since: String, limit: u16) -> Self {
        Self { client, state, since, limit, backoff: Backoff::default(), complaint: None }
    }

    /// Runs one round. `random` is from 0 to 1.
    ///
    /// # Errors
    /// When another round would fail in the same way.
    pub(super) fn step(&mut self, random: f64) -> anyhow::Result<Step> {
        if is_stdout_closed() {
            return Ok(Step::Closed);
        }
        let trouble = match self.client.changes(&self.since, self.limit) {
            Ok(Feed::Page(page)) => return self.take(page),
            Ok(Feed::Gone) if !self.since.is_empty() => return self.start_over(),
            Ok(Feed::Gone) => Trouble::passing("the server answers 410 to a request without a token"),
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
        // A server that promises more changes and sends none must not be polled without a pause.
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

    /// Reports a problem, once.
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

/// Whether the reader of a pipe is gone; otherwise this would only be noticed at the next change.
fn is_stdout_closed() -> bool {
    let stdout = io::stdout();
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now)).is_ok() && polled.iter().any(|fd| fd.revents().contains(PollFlags::ERR))
}
