//! The entries that are being restored at the moment.
//!
//! A future that nobody polls keeps what it holds: its connection, and its share of the room for entries that are read
//! ahead. So whatever else is awaited meanwhile is awaited with [`UnderWay::during`].

use super::{RestoreError, tally::Ended};
use crate::backup::key::Key;
use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{
    collections::{HashSet, VecDeque},
    pin::pin,
};

pub(super) struct UnderWay<F> {
    tasks: FuturesUnordered<F>,
    /// The entries whose end has not been returned by [`Self::next`].
    keys: HashSet<Key>,
    /// Entries that ended while something else was awaited.
    ended: VecDeque<Result<Ended, RestoreError>>,
}

impl<F: Future<Output = Result<Ended, RestoreError>>> UnderWay<F> {
    pub(super) fn new() -> Self {
        Self { tasks: FuturesUnordered::new(), keys: HashSet::new(), ended: VecDeque::new() }
    }

    /// Begins an entry.
    pub(super) fn begin(&mut self, key: Key, task: F) {
        self.keys.insert(key);
        self.tasks.push(task);
    }

    /// Whether another entry has to wait: for a place among `most`, for its parent, or for the report of one that has
    /// ended.
    pub(super) fn must_wait(&self, most: usize, parent: Option<Key>) -> bool {
        !self.ended.is_empty()
            || self.tasks.len() >= most
            || parent.is_some_and(|parent| self.keys.contains(&parent))
    }

    /// Awaits something else while the entries go on.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                Some(ended) = self.tasks.next(), if !self.tasks.is_empty() => self.ended.push_back(ended),
            }
        }
    }

    /// The next entry that ends; `None` if there is none.
    pub(super) async fn next(&mut self) -> Option<Result<Ended, RestoreError>> {
        let ended = match self.ended.pop_front() {
            Some(ended) => ended,
            None => self.tasks.next().await?,
        };
        if let Ok(ended) = &ended {
            self.keys.remove(&ended.key);
        }
        Some(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::key::Numbers;
    use ldap_text::dn::Dn;
    use tokio::sync::{Semaphore, oneshot};

    #[tokio::test]
    async fn an_entry_goes_on_while_something_else_waits_for_what_it_holds() {
        let room = Semaphore::new(1);
        let held = room.acquire().await.unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let task = async {
            ended.await.unwrap();
            drop(held);
            Err(RestoreError::Stopped)
        };
        let mut under_way = UnderWay::new();
        under_way.begin(Numbers::default().of(&Dn::empty()), task);
        end.send(()).unwrap();
        let _room = under_way.during(room.acquire()).await.unwrap();
        assert!(under_way.must_wait(2, None));
        assert!(matches!(under_way.next().await, Some(Err(RestoreError::Stopped))));
        assert!(under_way.next().await.is_none() && !under_way.must_wait(1, None));
    }
}
