//! Feeding the projection: one process at a time follows the directory and records every change, whichever client makes
//! it.
//!
//! A persistent search reports changes as they happen. A report is only taken as a sign that an entry has changed,
//! because the server may report two changes of one entry in the wrong order: unless the reported state is already
//! recorded, the feeder reads the entry. The server's position shows whether the projection is in step with the
//! directory. So a feeder that takes over has nothing to do if nothing has changed; otherwise it reads the whole
//! directory once, records the differences, and looks up the recorded entries that it did not meet.

use crate::{
    recording::{Outcome, RecordError, id_of, ids_below, record},
    review::review,
    settings::LiveDuration,
    store::{Condition, Heartbeat, Link, RedisAccess, StoreError, Stored},
};
use directory::{
    Entry, Lookup,
    error::DirectoryError,
    following::{Event, Follower},
    settings::LdapSettings,
};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use ldap_text::dn::Dn;
use mail_model::{contact::record::read_attributes, entry::EntryView, names, tree::Tree};
use std::{
    collections::HashMap,
    convert::Infallible,
    pin::pin,
    time::{Duration, Instant},
};

/// How long the lease lasts without a renewal, and how often it is renewed: after the death of a feeder another process
/// takes over within three seconds.
const LEASE: Duration = Duration::from_millis(2500);
const RENEWAL: Duration = Duration::from_millis(700);
/// How often the other processes request the lease, and how long a feeder pauses after a failure.
const RETRY: Duration = Duration::from_millis(300);
/// How often the feeder records that the projection is in step with the directory.
const HEARTBEAT: Duration = Duration::from_millis(200);
/// How long after its start a feeder checks for changes once more. The server does not announce the moment from which
/// it reports changes, and on a busy server that moment may be late.
const SECOND_LOOK: Duration = Duration::from_secs(1);
/// How often the whole directory is read again, in case a change was missed after all.
const REVIEW: Duration = Duration::from_secs(6 * 3600);
/// How long removals are remembered, so that followers of the feed learn of them.
const MEMORY: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often older removals are forgotten.
const TRIM: Duration = Duration::from_secs(3600);
/// The number of changes that are recorded in one batch.
const TOGETHER: usize = 200;
/// The number of renames to wait for concurrently.
const RENAMES_TOGETHER: usize = 16;

/// Why a feeder has stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    /// The directory does not respond.
    #[error("the directory cannot be followed")]
    Directory(#[from] DirectoryError),
    /// Redis does not respond.
    #[error("the projection cannot be written")]
    Store(#[from] StoreError),
    /// A change could not be recorded.
    #[error("a change cannot be recorded")]
    Record(#[from] RecordError),
    /// The process stops.
    #[error("the process stops")]
    Stopped,
    /// The projection is not the one that this process fed: it was removed, or another process feeds it.
    #[error("the projection was taken away")]
    Overtaken,
    /// All entries of the directory were replaced, or removed: a persistent search does not report an import.
    #[error("the entries of the directory were replaced by an import")]
    Replaced,
}

impl FeedError {
    fn is_hang(&self) -> bool {
        matches!(self, Self::Directory(error) if error.is_hang())
    }

    fn is_corrupt(&self) -> bool {
        match self {
            Self::Store(error) | Self::Record(RecordError::Store(error)) => error.is_corrupt(),
            _ => false,
        }
    }
}

/// Feeds the projection whenever this process holds the lease; never ends.
pub(crate) async fn feed(
    place: &RedisAccess,
    ldap: &LdapSettings,
    tree: &Tree,
    lifetime: &LiveDuration,
) -> Infallible {
    let who = format!("{:016x}", rand::random::<u64>());
    loop {
        let mut link = place.link();
        match link.lease(&who, LEASE).await {
            Ok(true) => {
                let session = session(place, ldap, tree, lifetime, &who);
                let ended = tokio::select! {
                    ended = session => ended,
                    ended = hold(place.link(), &who) => ended,
                };
                let Err(error) = ended;
                if error.is_corrupt() {
                    // A failure is harmless: the next session checks again.
                    let _invalidated = link.invalidate().await;
                }
                let error_shown = &error as &dyn std::error::Error;
                if error.is_hang() {
                    // The log already has this error, and the attempt is repeated continually.
                    tracing::debug!(error = error_shown, "addressbook.feed.ended");
                } else {
                    tracing::warn!(error = error_shown, "addressbook.feed.ended");
                }
                let _given_up = link.give_up_lease(&who).await;
            }
            Ok(false) => {}
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "addressbook.lease.unknown");
            }
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Renews the lease until it is lost.
async fn hold(mut link: Link, who: &str) -> Result<Infallible, FeedError> {
    let mut held_until = Instant::now() + LEASE;
    loop {
        tokio::time::sleep(RENEWAL).await;
        let asked = Instant::now();
        match link.lease(who, LEASE).await {
            Ok(true) => held_until = asked + LEASE,
            Ok(false) => return Err(FeedError::Overtaken),
            Err(error) if Instant::now() > held_until => return Err(error.into()),
            Err(_) => {}
        }
    }
}

async fn session(
    place: &RedisAccess,
    ldap: &LdapSettings,
    tree: &Tree,
    lifetime: &LiveDuration,
    who: &str,
) -> Result<Infallible, FeedError> {
    let began = Instant::now();
    let follower = Follower::open(ldap, tree, read_attributes()).await?;
    let generation = follower.directory().generation().await?.ok_or(FeedError::Replaced)?;
    let mut link = place.link();
    let left = match link.left_by_last(follower.server(), &generation).await {
        Err(error) if error.is_corrupt() => None,
        left => left?,
    };
    if left.is_none() {
        link.begin(follower.server(), &generation).await?;
    }
    let (epoch, cookie) = left.map_or((None, None), |left| (left.epoch, left.cookie));
    if epoch.is_none() {
        link.suspend().await?;
    }
    let position = follower.directory().position().await?;
    let resumed = epoch.is_some() && position.is_some() && cookie == position;
    let position = position.unwrap_or_default();
    let epoch = epoch.unwrap_or_else(rand::random);
    let (cookie, before) = (position.clone(), position);
    let mut feeder = Feeder { place, link, follower, generation, lifetime, who, epoch, cookie, before };
    if !resumed {
        Box::pin(feeder.review()).await?;
    }
    feeder.heartbeat().await?;
    let milliseconds = began.elapsed().as_millis();
    tracing::info!(server = &**feeder.follower.server(), resumed, milliseconds, "addressbook.feed.began");
    Box::pin(feeder.follow()).await
}

struct Feeder<'a> {
    place: &'a RedisAccess,
    link: Link,
    follower: Follower,
    /// Identifies the entries from which the projection was built.
    generation: String,
    lifetime: &'a LiveDuration,
    who: &'a str,
    epoch: u64,
    /// The directory's position as recorded in Redis.
    cookie: String,
    /// The position at the last heartbeat. The cookie is one heartbeat older: all changes up to it have been reported.
    before: String,
}

impl Feeder<'_> {
    /// Reads the whole directory and records the differences, while it also records new changes.
    async fn review(&mut self) -> Result<(), FeedError> {
        let server = self.follower.server().clone();
        let directory = self.follower.directory().clone();
        let mut link = self.place.link();
        let mut review = pin!(review(&directory, &mut link, &server));
        loop {
            tokio::select! {
                reviewed = &mut review => return reviewed,
                event = self.follower.next() => follow(&mut self.link, &mut self.follower, event?).await?,
            }
        }
    }

    async fn follow(&mut self) -> Result<Infallible, FeedError> {
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut reviewed = Instant::now();
        // The position at the start, until the second check.
        let mut at_first = Some(self.cookie.clone());
        let mut trimmed: Option<Instant> = None;
        loop {
            tokio::select! {
                // Every reported change is recorded before the heartbeat.
                biased;
                event = self.follower.next() => follow(&mut self.link, &mut self.follower, event?).await?,
                _ = heartbeat.tick() => {
                    if reviewed.elapsed() > REVIEW {
                        Box::pin(self.review()).await?;
                        reviewed = Instant::now();
                    }
                    let position = self.follower.directory().position().await?.unwrap_or_default();
                    let is_due = reviewed.elapsed() > SECOND_LOOK;
                    if at_first.take_if(|_| is_due).is_some_and(|first| first != position) {
                        Box::pin(self.review()).await?;
                    }
                    self.cookie = std::mem::replace(&mut self.before, position);
                    self.heartbeat().await?;
                    if trimmed.is_none_or(|trimmed| trimmed.elapsed() > TRIM) {
                        self.link.trim(MEMORY).await?;
                        trimmed = Some(Instant::now());
                    }
                }
            }
        }
    }

    async fn heartbeat(&mut self) -> Result<(), FeedError> {
        if self.follower.directory().generation().await?.as_ref() != Some(&self.generation) {
            return Err(FeedError::Replaced);
        }
        let lifetime = self.lifetime.get();
        let heartbeat = Heartbeat { who: self.who, epoch: self.epoch, lifetime, cookie: &self.cookie };
        if self.link.heartbeat(&heartbeat).await? { Ok(()) } else { Err(FeedError::Overtaken) }
    }
}

/// Records a change and the changes that arrived with it.
async fn follow(link: &mut Link, follower: &mut Follower, first: Event) -> Result<(), FeedError> {
    let tree = follower.directory().tree().clone();
    let mut entries = Vec::new();
    let mut renamed = HashMap::new();
    let mut next = Some(first);
    while let Some(event) = next.take() {
        match event {
            Event::Removed(entry) => entries.extend(Stored::removed(&tree, &entry)),
            Event::Changed(entry) => entries.extend(Stored::of_entry(&tree, &entry, Condition::Same)),
            // The name is part of the record, and so are the names of the entries below. If an entry had several names
            // in the meantime, only the last one will appear.
            Event::Renamed(entry) => {
                renamed.extend(id_of(&entry).map(|id| (id, entry)));
            }
        }
        if entries.len() + renamed.len() < TOGETHER {
            next = follower.next().now_or_never().transpose()?;
        }
    }
    // The server may take a second to return an entry under its new name.
    let directory = follower.directory();
    let ids_found =
        stream::iter(renamed).map(async |(id, entry)| ids_after_rename(directory, id, &entry).await);
    let ids: Vec<Vec<_>> = ids_found.buffer_unordered(RENAMES_TOGETHER).try_collect().await?;
    let ids = ids.into_iter().flatten().collect();
    recorded(record(link, follower.directory(), follower.server(), &entries, ids).await?)
}

/// The identifiers of a renamed entry and of the entries below it, once the server returns them under their new names.
async fn ids_after_rename(
    directory: &Lookup,
    id: String,
    entry: &Entry,
) -> Result<Vec<String>, DirectoryError> {
    let mut ids = vec![id];
    if let Some(dn) = entry.dn() {
        directory.await_rename(&dn).await;
        ids.extend(ids_below_renamed(directory, entry, &dn).await?);
    }
    Ok(ids)
}

/// The identifiers of the entries below a renamed entry. An entry with an address has no entries below it.
async fn ids_below_renamed(
    directory: &Lookup,
    entry: &Entry,
    dn: &Dn,
) -> Result<Vec<String>, DirectoryError> {
    match entry.first(&names::MAIL) {
        Some(_) => Ok(Vec::new()),
        None => ids_below(directory, dn).await,
    }
}

/// Requires that everything was recorded in the projection that this process feeds.
pub(crate) fn recorded(outcome: Outcome) -> Result<(), FeedError> {
    match outcome {
        Outcome::Recorded => Ok(()),
        Outcome::NoProjection | Outcome::OtherServer => Err(FeedError::Overtaken),
    }
}
