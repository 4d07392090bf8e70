//! The feed of changes: pages that a follower applies in order, and tokens that record the follower's progress.
//!
//! The feed lists the entries as they are, each once, in order of their newest changes: an entry that changes again
//! while the follower reads appears later, and only there. So a first walk through all contacts and the following of
//! changes are the same operation, and a follower that has applied all pages has exactly the present contacts.

mod token;

use crate::book::{Book, Changed, Step};
use bytes::Bytes;
use mail_model::{contact::id::ContactId, tenant::TenantId};
use std::sync::{Arc, PoisonError, RwLock};
use token::Token;

/// The feed of one tenant, at least as new as when it was opened.
pub struct Feed {
    book: Arc<RwLock<Book>>,
    tenant: TenantId,
    epoch: u64,
    horizon: u64,
}

/// A page of changes.
pub struct Changes {
    /// The changes, to be applied in order.
    pub changes: Vec<Change>,
    /// The token of the next page.
    pub since: String,
    /// Whether the next page already has changes.
    pub more: bool,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A contact is new or has changed: its JSON.
    Put(Bytes),
    /// A contact is gone, or the view does not show it any more.
    Delete(ContactId),
}

/// The token is truncated, of another tenant, or older than the present feed. The follower has to start over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unusable;

impl Feed {
    /// The feed of a tenant's book. A token with another epoch is invalid; removals up to and including the horizon may
    /// be forgotten.
    #[must_use]
    pub fn new(book: Arc<RwLock<Book>>, tenant: &TenantId, epoch: u64, horizon: u64) -> Self {
        Self { book, tenant: tenant.clone(), epoch, horizon }
    }

    /// Whether the book has users, including blocked ones.
    #[must_use]
    pub fn has_users(&self) -> bool {
        self.book.read().unwrap_or_else(PoisonError::into_inner).has_users()
    }

    /// The changes after a token, or from the beginning without one; at most `limit`.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn changes(&self, since: Option<&str>, limit: usize) -> Result<Changes, Unusable> {
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        // The newest removals may already be forgotten.
        let newest = book.version().max(self.horizon);
        let mut token = match since {
            None | Some("") => Token { epoch: self.epoch, position: 0, began: newest },
            Some(text) => self.read(text, newest)?,
        };
        let found = book.changes(token.position, token.began, limit.max(1));
        let last = found.steps.last().map_or(token.position, |step| step.at);
        token.position = if found.more { last } else { newest };
        let changes = found.steps.into_iter().map(change_of).collect();
        Ok(Changes { changes, since: token.write(&self.tenant), more: found.more })
    }

    fn read(&self, text: &str, newest: u64) -> Result<Token, Unusable> {
        let token = Token::read(text, &self.tenant).ok_or(Unusable)?;
        let removals_seen = token.position.max(token.began);
        let is_usable = token.epoch == self.epoch && removals_seen >= self.horizon && removals_seen <= newest;
        is_usable.then_some(token).ok_or(Unusable)
    }
}

fn change_of(step: Step) -> Change {
    match step.change {
        Changed::Put(json) => Change::Put(json.into()),
        Changed::Delete(id) => Change::Delete(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::sample::{self, id, record, render};
    use mail_model::contact::{Kind, record::Record, view::Visibility};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn contact(number: u32, name: &str) -> Record {
        record(number, Kind::Contact, &format!("c{number}@x.ru"), name)
    }

    fn hidden(number: u32) -> Record {
        Record { visibility: Visibility::NONE, ..contact(number, "hidden") }
    }

    struct Bench {
        book: Arc<RwLock<Book>>,
        feed: Feed,
    }

    impl Bench {
        fn new() -> Self {
            let book = Arc::new(RwLock::new(Book::new(render)));
            let feed = Feed::new(Arc::clone(&book), &TenantId::default_tenant(), 1, 0);
            Self { book, feed }
        }

        fn put(&self, record: &Record, at: u64) {
            self.book.write().unwrap().put(record, at);
        }

        fn remove(&self, number: u32, at: u64) {
            self.book.write().unwrap().remove(id(number), at);
        }

        fn forget(&mut self, up_to: u64) {
            self.book.write().unwrap().forget_removals(up_to);
            self.feed.horizon = up_to;
        }
    }

    /// The state of a follower.
    #[derive(Default)]
    struct Follower {
        contacts: BTreeMap<ContactId, Bytes>,
        since: Option<String>,
    }

    impl Follower {
        fn read(&mut self, feed: &Feed, limit: usize) -> bool {
            let Ok(page) = feed.changes(self.since.as_deref(), limit) else {
                *self = Self::default();
                return true;
            };
            assert!(page.changes.len() <= limit);
            for change in page.changes {
                match change {
                    Change::Put(rendered) => {
                        self.contacts.insert(sample::rendered_id(&rendered), rendered);
                    }
                    Change::Delete(id) => drop(self.contacts.remove(&id)),
                }
            }
            self.since = Some(page.since);
            page.more
        }
    }

    fn names(changes: &Changes) -> Vec<String> {
        let name = |change: &Change| match change {
            Change::Put(rendered) => sample::name(rendered).to_owned(),
            Change::Delete(id) => format!("-{id}").chars().take(9).collect(),
        };
        changes.changes.iter().map(name).collect()
    }

    #[test]
    fn a_first_walk_tells_of_no_old_removal_but_of_those_meanwhile() {
        let bench = Bench::new();
        bench.put(&contact(1, "a"), 1);
        bench.put(&contact(2, "b"), 2);
        bench.put(&contact(3, "c"), 3);
        bench.remove(1, 4);
        bench.put(&hidden(9), 5);
        let first = bench.feed.changes(None, 1).unwrap();
        assert_eq!((names(&first), first.more), (vec!["b".to_owned()], true));
        bench.remove(2, 6);
        bench.put(&hidden(3), 7);
        let second = bench.feed.changes(Some(&first.since), 10).unwrap();
        assert_eq!(
            (names(&second), second.more),
            (vec!["-00000002".to_owned(), "-00000003".to_owned()], false)
        );
        let third = bench.feed.changes(Some(&second.since), 10).unwrap();
        assert_eq!((names(&third), third.more), (vec![], false));
    }

    #[test]
    fn the_feed_of_an_empty_book_goes_on_with_what_comes() {
        let bench = Bench::new();
        let first = bench.feed.changes(Some(""), 10).unwrap();
        assert_eq!((names(&first), first.more), (vec![], false));
        bench.put(&contact(1, "a"), 1);
        assert_eq!(names(&bench.feed.changes(Some(&first.since), 10).unwrap()), ["a"]);
    }

    #[test]
    fn tokens_that_say_nothing_here_are_refused() {
        let mut bench = Bench::new();
        bench.put(&contact(1, "a"), 1);
        let early = bench.feed.changes(None, 10).unwrap().since;
        bench.put(&contact(2, "b"), 2);
        let late = bench.feed.changes(None, 10).unwrap().since;
        let younger = Bench::new();
        younger.put(&contact(1, "a"), 1);
        assert_eq!(younger.feed.changes(Some(&late), 10).err(), Some(Unusable), "of the future");
        assert_eq!(bench.feed.changes(Some("what"), 10).err(), Some(Unusable));
        bench.remove(1, 3);
        bench.forget(2);
        assert_eq!(bench.feed.changes(Some(&early), 10).err(), Some(Unusable), "too old");
        assert_eq!(names(&bench.feed.changes(Some(&late), 10).unwrap()), ["-00000001"]);
        bench.forget(9);
        let beyond = bench.feed.changes(None, 10).unwrap().since;
        assert!(bench.feed.changes(Some(&beyond), 10).is_ok(), "the newest removals are forgotten");
        bench.feed.epoch = 2;
        assert_eq!(bench.feed.changes(Some(&beyond), 10).err(), Some(Unusable), "of before a rebuild");
    }

    #[derive(Clone, Debug)]
    enum Event {
        Put(u32),
        Hide(u32),
        Remove(u32),
        Late(u32, u64),
        Read(usize),
        Forget(u64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (0_u32..12).prop_map(Event::Put),
            1 => (0_u32..12).prop_map(Event::Hide),
            2 => (0_u32..12).prop_map(Event::Remove),
            1 => (0_u32..12, 1_u64..9).prop_map(|(number, ago)| Event::Late(number, ago)),
            4 => (1_usize..5).prop_map(Event::Read),
            1 => (0_u64..20).prop_map(Event::Forget),
        ]
    }

    proptest! {
        #[test]
        fn who_applies_all_pages_has_exactly_the_contacts(events in prop::collection::vec(event(), 0..120)) {
            let (mut bench, mut follower) = (Bench::new(), Follower::default());
            let mut expected: BTreeMap<u32, (u64, Option<Record>)> = BTreeMap::new();
            for (event, at) in events.into_iter().zip(1..) {
                match event {
                    Event::Put(number) => {
                        bench.put(&contact(number, &format!("at {at}")), at);
                        expected.insert(number, (at, Some(contact(number, &format!("at {at}")))));
                    }
                    Event::Hide(number) => {
                        bench.put(&hidden(number), at);
                        expected.insert(number, (at, None));
                    }
                    Event::Remove(number) => {
                        bench.remove(number, at);
                        expected.insert(number, (at, None));
                    }
                    Event::Late(number, ago) => {
                        // A change that a newer one has overtaken has no effect.
                        if let Some((present, _)) = expected.get(&number)
                            && *present > bench.feed.horizon + ago
                        {
                            bench.put(&contact(number, "late"), present - ago);
                            bench.remove(number, present - ago);
                        }
                    }
                    Event::Read(limit) => {
                        follower.read(&bench.feed, limit);
                    }
                    Event::Forget(ago) => {
                        let up_to = bench.feed.horizon.max(bench.book.read().unwrap().version().saturating_sub(ago));
                        bench.forget(up_to);
                    }
                }
            }
            while follower.read(&bench.feed, 3) {}
            let expected: Vec<_> = expected.into_values().filter_map(|(_, record)| Some(sample::contact_bytes(&record?.contact))).collect();
            prop_assert_eq!(follower.contacts.into_values().collect::<Vec<_>>(), expected);
        }
    }
}
