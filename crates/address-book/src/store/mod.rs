//! The projection in Redis: its keys and the few operations on them. Each operation is one command or one script, so no
//! process ever sees half of one.
//!
//! | key | holds |
//! |---|---|
//! | `layout` | the number of this layout; without it the other keys do not count |
//! | `source` | the URL of the directory server that feeds the projection |
//! | `generation` | identifies the entries of that server; an import generates it again |
//! | `epoch` | a random number, set when the projection becomes complete |
//! | `home` | the identity of the Redis process in which it became complete |
//! | `alive` | present while the projection is in step with the directory, and for its lifetime after that |
//! | `open` | present while Redis takes writes, and for [`OPEN`] after that; every process renews it |
//! | `origin` | the first sequence number of the projection: larger than any of an earlier projection |
//! | `seq` | the newest sequence number |
//! | `records` | for each entry: the sequence number of its last change, tenant, attributes; without these it is gone |
//! | `log` | entries by the sequence number of their last change |
//! | `cookie` | the position up to which the directory has been followed |
//! | `heartbeats` | how often the projection was found in step |
//! | `marks` | sequence numbers by the time at which they were the newest |
//! | `horizon` | the sequence number up to which removals may be forgotten |
//! | `lease` | the process that feeds |

mod error;
mod feeding;
mod keys;
mod link;
mod recorded;
mod text;

pub(crate) use error::StoreError;
pub(crate) use feeding::Heartbeat;
pub(crate) use keys::Keys;
pub(crate) use link::{Link, RedisAccess};
pub(crate) use text::{Condition, Corrupt, Logged, Stored};

use redis::{Cmd, FromRedisValue, RedisResult, Script};
use std::{sync::LazyLock, time::Duration};

/// The number of this layout and of the interpretation of records. When it changes, the projection is rebuilt.
const LAYOUT: &str = "4";

/// How long the projection is used after Redis has taken its last write. A process that cannot record its write waits
/// just as long before it answers.
pub(crate) const OPEN: Duration = Duration::from_secs(2);

/// The number of entries per script call: Redis is blocked for some hundred microseconds.
pub(crate) const BATCH: usize = 200;

static APPLY: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("lost.lua"), include_str!("apply.lua"))));
static DELTA: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("lost.lua"), include_str!("delta.lua"))));
static LEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lease.lua")));
static HEARTBEAT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("heartbeat.lua")));

/// The state of the projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The epoch of the projection.
    pub(crate) epoch: u64,
    /// The first sequence number of the projection.
    pub(crate) origin: u64,
    /// The newest sequence number.
    pub(crate) newest: u64,
    /// Removals up to this number may be forgotten.
    pub(crate) horizon: u64,
    /// How often the projection was found in step with the directory.
    pub(crate) heartbeats: u64,
}

/// The outcome of recording entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// All entries are recorded except those whose condition did not hold.
    But(Vec<String>),
    /// There is no projection to record them in.
    NoProjection,
    /// The projection is fed from another server.
    OtherServer,
}

impl RedisAccess {
    /// Tries the necessary operations: the identity of Redis, and a script that writes a key which no process uses.
    ///
    /// # Errors
    /// The error of Redis.
    pub(crate) async fn check(&self) -> RedisResult<()> {
        let (mut connection, _) = self.open().await?;
        let key = self.link().keys().key("check");
        let mut call = LEASE.key(key);
        for name in ["open", "alive"] {
            call.key(self.link().keys().key(name));
        }
        call.arg("check")
            .arg(1)
            .arg(milliseconds(OPEN))
            .invoke_async::<i64>(&mut connection)
            .await
            .map(|_| ())
    }
}

impl Link {
    /// The state of the projection; `None` if it is incomplete, not in step with the directory or of another Redis
    /// process, or if Redis takes no writes.
    pub(crate) async fn standing(&mut self) -> Result<Option<Standing>, StoreError> {
        type Values = [Option<String>; 9];
        let command = self.standing_command();
        let home = self.home().await?;
        let [layout, of, alive, open, epoch, origin, newest, horizon, heartbeats]: Values =
            self.query(&command).await?;
        let is_current = alive.is_some() && open.is_some();
        if layout.as_deref() != Some(LAYOUT) || of.as_deref() != Some(&*home) || !is_current {
            return Ok(None);
        }
        let Some(epoch) = epoch.as_deref().and_then(read_epoch) else { return Ok(None) };
        let number = |text: Option<String>| text.map_or(Ok(0), |text| text.parse().map_err(|_| Corrupt));
        Ok(Some(Standing {
            epoch,
            // Both keys exist from the start. If they counted from 0 again, changes would stay hidden.
            origin: number(Some(origin.ok_or(Corrupt)?))?,
            newest: number(Some(newest.ok_or(Corrupt)?))?,
            horizon: number(horizon)?,
            heartbeats: number(heartbeats)?,
        }))
    }

    /// Whether other processes may answer from the projection, or from that of another Redis, although it lacks this
    /// process's writes. They may not if no process listens at the address of Redis, or if Redis has taken no writes
    /// for [`OPEN`].
    pub(crate) async fn may_be_answered_from(&mut self) -> bool {
        match self.open_and_home().await {
            Ok([open, of]) => {
                open.is_some() || of.is_some_and(|of| self.home_at_hand().is_none_or(|home| *of != *home))
            }
            Err(_) => !self.was_refused(),
        }
    }

    async fn open_and_home(&mut self) -> Result<[Option<String>; 2], StoreError> {
        let mut command = redis::cmd("MGET");
        command.arg(self.keys().key("open")).arg(self.keys().key("home"));
        self.query(&command).await
    }

    /// Records entries. States that this process has recorded of late are not sent again.
    pub(crate) async fn apply(&mut self, server: &str, entries: &[Stored]) -> Result<Applied, StoreError> {
        let mut refused = Vec::new();
        for batch in entries.chunks(BATCH) {
            let home = self.home().await?;
            let batch: Vec<_> = batch.iter().filter(|entry| !self.recorded().has(&home, entry)).collect();
            if batch.is_empty() {
                continue;
            }
            let mut call = APPLY.prepare_invoke();
            for name in ["layout", "source", "home", "seq", "origin", "records", "log"] {
                call.key(self.keys().key(name));
            }
            call.arg(LAYOUT).arg(server).arg(&*home);
            for entry in &batch {
                call.arg(&entry.id).arg(entry.condition.to_string()).arg(&entry.tenant).arg(&entry.body);
            }
            let mut answer = self.invoke::<Vec<String>>(&call).await?.into_iter();
            match answer.next().as_deref() {
                Some("-1") => return Ok(Applied::NoProjection),
                Some("-2") => return Ok(Applied::OtherServer),
                Some("-3") => return Err(StoreError::OtherHome),
                newest => {
                    self.saw(newest.and_then(|number| number.parse().ok()).ok_or(Corrupt)?);
                    let answer: Vec<_> = answer.collect();
                    for entry in batch.iter().filter(|entry| !answer.contains(&entry.id)) {
                        self.recorded().note(&home, entry);
                    }
                    refused.extend(answer);
                }
            }
        }
        Ok(Applied::But(refused))
    }

    /// The newest sequence number: the condition for entries that are read after this call, see [`Condition::Since`].
    pub(crate) async fn newest(&mut self) -> Result<u64, StoreError> {
        self.number("seq").await
    }

    /// The first sequence number of the projection.
    pub(crate) async fn origin(&mut self) -> Result<u64, StoreError> {
        self.number("origin").await
    }

    /// The URL of the directory server that the projection is fed from; empty if there is no projection.
    pub(crate) async fn source(&mut self) -> Result<String, StoreError> {
        let mut command = redis::cmd("GET");
        command.arg(self.keys().key("source"));
        Ok(self.query::<Option<String>>(&command).await?.unwrap_or_default())
    }

    async fn number(&mut self, name: &str) -> Result<u64, StoreError> {
        let mut command = redis::cmd("GET");
        command.arg(self.keys().key(name));
        let number: Option<String> = self.query(&command).await?;
        Ok(number.and_then(|number| number.parse().ok()).ok_or(Corrupt)?)
    }

    /// The changes after a sequence number, at most `limit` entries, and the newest number. If the projection has lost
    /// data, the result is an error for which [`StoreError::is_corrupt`] is true.
    pub(crate) async fn delta(&mut self, after: u64, limit: usize) -> Result<(u64, Vec<Logged>), StoreError> {
        let mut call = DELTA.prepare_invoke();
        for name in ["seq", "origin", "records", "log"] {
            call.key(self.keys().key(name));
        }
        call.arg(after).arg(limit);
        let (newest, answer): (String, Vec<(String, String, String)>) = self.invoke(&call).await?;
        if newest.is_empty() {
            return Err(StoreError::BegunAnew);
        }
        let newest = newest.parse().map_err(|_| Corrupt)?;
        let logged = answer.into_iter().map(|(name, at, record)| Logged::read(name, &at, record));
        Ok((newest, logged.collect::<Result<_, _>>()?))
    }

    /// Takes the projection out of service until the next heartbeat.
    pub(crate) async fn suspend(&mut self) -> Result<(), StoreError> {
        let mut command = redis::cmd("DEL");
        for name in ["epoch", "alive", "home"] {
            command.arg(self.keys().key(name));
        }
        self.query::<i64>(&command).await.map(|_| ())
    }

    /// Has the feeder rebuild the projection, which holds unreadable data.
    pub(crate) async fn invalidate(&mut self) -> Result<(), StoreError> {
        let mut command = redis::cmd("DEL");
        command.arg(self.keys().key("layout"));
        self.query::<i64>(&command).await.map(|_| ())
    }

    pub(super) async fn invoke<T: FromRedisValue>(
        &mut self,
        call: &redis::ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection().await?;
        let outcome = call.invoke_async(&mut connection).await;
        self.judged(outcome)
    }

    pub(super) async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection().await?;
        let outcome = command.query_async(&mut connection).await;
        self.judged(outcome)
    }

    pub(super) async fn pipeline<T: FromRedisValue>(
        &mut self,
        pipeline: &redis::Pipeline,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection().await?;
        let outcome = pipeline.query_async(&mut connection).await;
        self.judged(outcome)
    }
}

fn written_epoch(epoch: u64) -> String {
    format!("{epoch:016x}")
}

/// Parses an epoch in exactly the form that is written: nothing shorter or longer.
fn read_epoch(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok().filter(|epoch| written_epoch(*epoch) == text)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap_text::attribute::AttributeName;
    use mail_model::contact::record::read_attributes;

    #[test]
    fn an_epoch_is_what_we_write_as_one() {
        for epoch in [0, 1, u64::MAX] {
            assert_eq!(read_epoch(&written_epoch(epoch)), Some(epoch));
        }
        for text in ["", "0", "-1", "9223372036854775807", "00000000000000AB", "+000000000000001"] {
            assert_eq!(read_epoch(text), None, "{text}");
        }
    }

    /// The attributes in records of the present layout.
    const HELD: [&str; 28] = [
        "cn",
        "sn",
        "displayName",
        "employeeNumber",
        "employeeType",
        "inetUserStatus",
        "initials",
        "ou",
        "title",
        "mailAlternateAddress",
        "description",
        "homePhone",
        "telephoneNumber",
        "mobile",
        "l",
        "telegram",
        "skype",
        "mailQuota",
        "preferredLanguage",
        "objectClass",
        "nsUniqueId",
        "nsAccountLock",
        "pbmDeletedSince",
        "pbmPurging",
        "pbmRevision",
        "entryusn",
        "modifyTimestamp",
        "mail",
    ];

    #[test]
    fn the_layout_has_another_number_where_records_hold_other_attributes() {
        let read: Vec<_> = read_attributes().iter().map(AttributeName::as_str).collect();
        // Otherwise records of the same layout without a new attribute would be served until they change.
        assert_eq!(
            (LAYOUT, read.as_slice()),
            ("4", &HELD[..]),
            "increase LAYOUT by one and update this list"
        );
    }
}
