//! What only the process that feeds the projection does: it holds the lease, begins a projection, says that the projection
//! is in step with the directory, and forgets old removals.

use super::{
    BATCH, HEARTBEAT, LAYOUT, LEASE, Link, OPEN, error::StoreError, milliseconds, read_epoch, written_epoch,
};
use redis::Script;
use std::{sync::LazyLock, time::Duration};

static BEGIN: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("begin.lua")));

/// The state that the last feeder left.
pub(crate) struct Left {
    /// The epoch of the projection, if it is complete and has lost nothing.
    pub(crate) epoch: Option<u64>,
    /// The directory's position up to which the feeder had followed.
    pub(crate) cookie: Option<String>,
}

/// Says that the projection is complete and in step with the directory.
pub(crate) struct Heartbeat<'a> {
    /// The holder of the lease.
    pub(crate) who: &'a str,
    /// The epoch of the projection.
    pub(crate) epoch: u64,
    /// How long the projection may be used without another heartbeat.
    pub(crate) lifetime: Duration,
    /// The directory's position up to which the feeder has followed; empty if unknown.
    pub(crate) cookie: &'a str,
}

impl Link {
    /// Takes or renews the lease; returns whether this process holds it now.
    pub(crate) async fn lease(&mut self, who: &str, time: Duration) -> Result<bool, StoreError> {
        let mut call = LEASE.prepare_invoke();
        for name in ["lease", "open", "alive"] {
            call.key(self.keys().key(name));
        }
        call.arg(who).arg(milliseconds(time)).arg(milliseconds(OPEN));
        Ok(self.invoke::<i64>(&call).await? == 1)
    }

    /// Gives the lease up, if this process holds it.
    pub(crate) async fn give_up_lease(&mut self, who: &str) -> Result<(), StoreError> {
        // Renews it for the shortest possible time.
        self.lease(who, Duration::from_millis(1)).await.map(|_| ())
    }

    /// Records that the projection is complete and in step with the directory; returns whether it is still the
    /// projection that this process feeds.
    pub(crate) async fn heartbeat(&mut self, heartbeat: &Heartbeat<'_>) -> Result<bool, StoreError> {
        let home = self.home().await?;
        let mut call = HEARTBEAT.prepare_invoke();
        for name in ["lease", "layout", "epoch", "home", "alive", "cookie", "heartbeats"] {
            call.key(self.keys().key(name));
        }
        call.arg(heartbeat.who).arg(LAYOUT).arg(written_epoch(heartbeat.epoch)).arg(&*home);
        call.arg(milliseconds(heartbeat.lifetime)).arg(heartbeat.cookie);
        Ok(self.invoke::<i64>(&call).await? == 1)
    }

    /// The state that the last feeder left; `None` if it cannot be continued and everything has to be rebuilt.
    pub(crate) async fn left_by_last(
        &mut self,
        server: &str,
        generation: &str,
    ) -> Result<Option<Left>, StoreError> {
        let mut command = redis::cmd("MGET");
        for name in ["layout", "source", "generation", "home", "epoch", "cookie"] {
            command.arg(self.keys().key(name));
        }
        let home = self.home().await?;
        let [layout, source, of_entries, of, epoch, cookie]: [Option<String>; 6] =
            self.query(&command).await?;
        let is_of = |found: &Option<String>, wanted| found.as_deref() == Some(wanted);
        if !is_of(&layout, LAYOUT) || !is_of(&source, server) || !is_of(&of_entries, generation) {
            return Ok(None);
        }
        let epoch = epoch.as_deref().and_then(read_epoch);
        Ok(Some(Left {
            // In another Redis process the last writes may be lost.
            epoch: epoch.filter(|_| of.as_deref() == Some(&*home)),
            cookie: cookie.filter(|cookie| !cookie.is_empty()),
        }))
    }

    /// Removes everything and begins a new projection of a generation of a server's entries.
    pub(crate) async fn begin(&mut self, server: &str, generation: &str) -> Result<(), StoreError> {
        let mut call = BEGIN.prepare_invoke();
        for name in ["layout", "source", "generation", "seq", "origin"] {
            call.key(self.keys().key(name));
        }
        for key in self.keys().all() {
            call.key(key);
        }
        call.arg(LAYOUT).arg(server).arg(generation);
        self.invoke::<redis::Value>(&call).await.map(|_| ())
    }

    /// The entries after a number that are recorded as present, and the last number that was read.
    pub(crate) async fn known(&mut self, after: u64) -> Result<(Option<u64>, Vec<String>), StoreError> {
        let (_, logged) = self.delta(after, BATCH).await?;
        let last = logged.last().map(|entry| entry.at);
        Ok((last, logged.into_iter().filter(|entry| !entry.is_gone()).map(|entry| entry.name).collect()))
    }

    /// Records which sequence number is the newest now, and forgets removals that are older than `memory`, by the clock
    /// of Redis.
    pub(crate) async fn trim(&mut self, memory: Duration) -> Result<(), StoreError> {
        let (now, _): (u64, u64) = self.query(&redis::cmd("TIME")).await?;
        let before = now.saturating_sub(memory.as_secs());
        let (marks, log, records) =
            (self.keys().key("marks"), self.keys().key("log"), self.keys().key("records"));
        let newest: Option<u64> = self.query(redis::cmd("GET").arg(self.keys().key("seq"))).await?;
        let Some(newest) = newest else { return Ok(()) };
        self.query::<i64>(redis::cmd("ZADD").arg(&marks).arg(now).arg(newest)).await?;
        let old: Vec<u64> =
            self.query(redis::cmd("ZRANGEBYSCORE").arg(&marks).arg("-inf").arg(before)).await?;
        let Some(horizon) = old.into_iter().max() else { return Ok(()) };
        // The horizon is set before the removals are deleted, so that no token which misses a removal is accepted.
        let _done: redis::Value =
            self.query(redis::cmd("SET").arg(self.keys().key("horizon")).arg(horizon)).await?;
        let mut after = self.origin().await?;
        loop {
            let (_, logged) = self.delta(after, BATCH).await?;
            let Some(last) = logged.last().map(|entry| entry.at) else { break };
            let gone: Vec<_> = logged
                .into_iter()
                // The newest number must always be in the log.
                .filter(|entry| entry.is_gone() && entry.at <= horizon && entry.at < newest)
                .map(|entry| entry.name)
                .collect();
            if !gone.is_empty() {
                let mut pipeline = redis::pipe();
                pipeline.atomic().cmd("ZREM").arg(&log).arg(&gone).ignore();
                pipeline.cmd("HDEL").arg(&records).arg(&gone).ignore();
                self.pipeline::<()>(&pipeline).await?;
            }
            if last >= horizon {
                break;
            }
            after = last;
        }
        self.query::<i64>(redis::cmd("ZREMRANGEBYSCORE").arg(&marks).arg("-inf").arg(before))
            .await
            .map(|_| ())
    }
}
