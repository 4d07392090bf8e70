//! A follower that keeps a copy of an address book through its feed of changes, during any failure of the servers: the
//! same loop that another system would implement.

use crate::{
    answer::{Answer, assert_error},
    book::{Book, Contacts, id_of, json_list},
    client::Client,
};
use serde_json::Value;
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// How long a feed may be unavailable, even if everything is rebuilt.
const PATIENCE: Duration = Duration::from_secs(20);

/// Follows one address book.
#[derive(Clone, Debug)]
pub struct Follower {
    book: Book,
    limit: usize,
    /// Its position in the feed; empty at the beginning.
    pub since: String,
    /// Its copy.
    pub contacts: Contacts,
    /// How often it had to start over.
    pub restarts: usize,
    /// How many changes it has applied.
    pub changes: usize,
}

/// The outcome of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It applied some changes, and there are more.
    More,
    /// It applied all available changes.
    End,
    /// It has to start over.
    StartOver,
    /// The feed is unavailable at present.
    NotNow(String),
}

impl Follower {
    pub(crate) fn new(book: &Book, limit: usize) -> Self {
        let contacts = Contacts::new();
        Self { book: book.clone(), limit, since: String::new(), contacts, restarts: 0, changes: 0 }
    }

    /// Continues at another server.
    pub fn at(&mut self, client: &Client) {
        self.book.client = self.book.client.at(client);
    }

    /// Sends one request, and applies the response: changes, a demand to start over, or the absence of a feed.
    #[track_caller]
    pub fn step(&mut self) -> Step {
        let answer = self.ask();
        match answer {
            Err(error) => Step::NotNow(error.to_string()),
            Ok(answer) => match answer.status {
                200 => self.apply(&answer.json()),
                410 => {
                    assert_error(&answer, 410);
                    self.forget();
                    Step::StartOver
                }
                _ => {
                    // The tenant may be unavailable as well.
                    assert!([404, 503].contains(&answer.status), "{answer:?}");
                    Step::NotNow(answer.text())
                }
            },
        }
    }

    fn ask(&self) -> std::io::Result<Answer> {
        let since = crate::text::encoded(&self.since);
        let path = format!("{}/changes?since={since}&limit={}", self.book.path, self.limit);
        self.book.client.try_send("GET", &path, b"")
    }

    #[track_caller]
    fn apply(&mut self, page: &Value) -> Step {
        let changes = json_list(page, "changes");
        assert!(changes.len() <= self.limit, "{} changes, {} were asked for", changes.len(), self.limit);
        for change in &changes {
            match change["op"].as_str() {
                Some("put") => {
                    let contact = &change["contact"];
                    self.contacts.insert(id_of(contact), contact.clone());
                }
                Some("delete") => drop(self.contacts.remove(&id_of(change))),
                _ => panic!("no change: {change}"),
            }
        }
        self.changes += changes.len();
        let since = page["since"].as_str().unwrap_or_else(|| panic!("no token: {page}"));
        assert!(!since.is_empty(), "an empty token would start over");
        let more = page["more"].as_bool().unwrap_or_else(|| panic!("no `more`: {page}"));
        assert!(!more || since != self.since, "there is more, but no way to it: {page}");
        since.clone_into(&mut self.since);
        if more { Step::More } else { Step::End }
    }

    fn forget(&mut self) {
        assert!(!self.since.is_empty(), "there is nothing to start over");
        self.since.clear();
        self.contacts.clear();
        self.restarts += 1;
    }

    /// Continues until there are no more changes, in spite of failures.
    #[track_caller]
    pub fn catch_up(&mut self) -> &Contacts {
        let since = Instant::now();
        loop {
            let step = self.step();
            match &step {
                Step::End => return &self.contacts,
                Step::More => continue,
                Step::StartOver | Step::NotNow(_) => sleep(Duration::from_millis(20)),
            }
            assert!(since.elapsed() < PATIENCE, "the feed does not come back: {step:?}");
        }
    }
}
