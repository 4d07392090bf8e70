//! The projection in Redis: its keys and the few operations on them. Each operation is one command or one script, so no
//! process ever sees half of one.
//!
//! | key | holds |
//! |---|---|
//! | `layout` | the number of this layout; without it the other keys do not count |
//! | `source` | the URL of the directory server that feeds the projection |
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

mod link;
mod text;

pub(crate) use link::{Link, RedisAccess};
pub(crate) use text::{Condition, Corrupt, Logged, Stored};

use ldap_text::dn::Dn;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, Script};
use std::{sync::LazyLock, time::Duration};

/// The number of this layout and of the interpretation of records. When it changes, the projection is rebuilt.
const LAYOUT: &str = "3";

/// How long the projection is used after Redis has taken its last write. A process that cannot record its write waits
/// just as long before it answers.
pub(crate) const OPEN: Duration = Duration::from_secs(2);

/// The number of entries per script call: Redis is blocked for some hundred microseconds.
pub(crate) const BATCH: usize = 200;

static APPLY: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("lost.lua"), include_str!("apply.lua"))));
static DELTA: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("lost.lua"), include_str!("delta.lua"))));
static BEGIN: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("begin.lua")));
static LEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lease.lua")));
static HEARTBEAT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("heartbeat.lua")));

/// Errors of the projection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Redis does not respond, or refuses a command.
    #[error("Redis does not answer")]
    Redis(#[from] RedisError),
    /// The last attempt failed a moment ago, so none is made now.
    #[error("Redis did not answer a moment ago; the next attempt follows shortly")]
    Resting,
    /// The projection became complete in another Redis process than the one that responds.
    #[error("the projection belongs to another Redis process")]
    OtherHome,
    /// Another projection has replaced the one that a sequence number belongs to.
    #[error("the projection was rebuilt")]
    BegunAnew,
    /// The thread that built the copy has stopped.
    #[error("reading the copy was interrupted")]
    Stopped,
    /// The keys hold data that pbm did not write.
    #[error("Redis holds data that pbm did not write; the projection is rebuilt")]
    Corrupt,
}

impl From<Corrupt> for StoreError {
    fn from(_: Corrupt) -> Self {
        Self::Corrupt
    }
}

impl StoreError {
    /// Whether the data in Redis is at fault, not the connection.
    pub(crate) fn is_corrupt(&self) -> bool {
        match self {
            Self::Corrupt => true,
            Self::Redis(error) => {
                // Our scripts say CORRUPT; Redis reports a value of the wrong type in the middle of a message.
                let signs = ["WRONGTYPE", "CORRUPT", "not an integer", "not a valid float", "arithmetic"];
                matches!(error.kind(), ErrorKind::UnexpectedReturnType | ErrorKind::Parse)
                    || signs.iter().any(|sign| error.to_string().contains(sign))
            }
            Self::Resting | Self::OtherHome | Self::BegunAnew | Self::Stopped => false,
        }
    }
}

/// The key names of one directory.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    before: String,
}

impl Keys {
    /// Keys whose names begin with a prefix and the root, in the form that keeps them on one node of a cluster.
    pub(crate) fn new(prefix: &str, root: &Dn) -> Self {
        let root = root.to_string().to_lowercase().replace(['{', '}'], "_");
        Self { before: format!("{prefix}:{{{root}}}:") }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.before)
    }

    /// The command that reads the values for [`Link::standing`].
    fn standing(&self) -> Cmd {
        let mut command = redis::cmd("MGET");
        for name in ["layout", "home", "alive", "open", "epoch", "origin", "seq", "horizon", "heartbeats"] {
            command.arg(self.key(name));
        }
        command
    }

    /// All keys except the lease and those that are renewed with it.
    fn all(&self) -> Vec<String> {
        let names = [
            "layout",
            "source",
            "epoch",
            "home",
            "alive",
            "origin",
            "seq",
            "records",
            "log",
            "cookie",
            "heartbeats",
            "marks",
            "horizon",
        ];
        names.map(|name| self.key(name)).to_vec()
    }
}

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

    /// Records entries.
    pub(crate) async fn apply(&mut self, server: &str, entries: &[Stored]) -> Result<Applied, StoreError> {
        let mut refused = Vec::new();
        for batch in entries.chunks(BATCH) {
            let home = self.home().await?;
            let mut call = APPLY.prepare_invoke();
            for name in ["layout", "source", "home", "seq", "origin", "records", "log"] {
                call.key(self.keys().key(name));
            }
            call.arg(LAYOUT).arg(server).arg(&*home);
            for entry in batch {
                call.arg(&entry.id).arg(entry.condition.to_string()).arg(&entry.tenant).arg(&entry.body);
            }
            let mut answer = self.invoke::<Vec<String>>(&call).await?.into_iter();
            match answer.next().as_deref() {
                Some("-1") => return Ok(Applied::NoProjection),
                Some("-2") => return Ok(Applied::OtherServer),
                Some("-3") => return Err(StoreError::OtherHome),
                newest => {
                    self.saw(newest.and_then(|number| number.parse().ok()).ok_or(Corrupt)?);
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
    pub(crate) async fn left_by_last(&mut self, server: &str) -> Result<Option<Left>, StoreError> {
        let mut command = redis::cmd("MGET");
        for name in ["layout", "source", "home", "epoch", "cookie"] {
            command.arg(self.keys().key(name));
        }
        let home = self.home().await?;
        let [layout, source, of, epoch, cookie]: [Option<String>; 5] = self.query(&command).await?;
        if layout.as_deref() != Some(LAYOUT) || source.as_deref() != Some(server) {
            return Ok(None);
        }
        let epoch = epoch.as_deref().and_then(read_epoch);
        Ok(Some(Left {
            // In another Redis process the last writes may be lost.
            epoch: epoch.filter(|_| of.as_deref() == Some(&*home)),
            cookie: cookie.filter(|cookie| !cookie.is_empty()),
        }))
    }

    /// Removes everything and begins a new projection.
    pub(crate) async fn begin(&mut self, server: &str) -> Result<(), StoreError> {
        let mut call = BEGIN.prepare_invoke();
        for name in ["layout", "source", "seq", "origin"] {
            call.key(self.keys().key(name));
        }
        for key in self.keys().all() {
            call.key(key);
        }
        call.arg(LAYOUT).arg(server);
        self.invoke::<redis::Value>(&call).await.map(|_| ())
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

    async fn invoke<T: FromRedisValue>(
        &mut self,
        call: &redis::ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection().await?;
        let outcome = call.invoke_async(&mut connection).await;
        self.judged(outcome)
    }

    async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection().await?;
        let outcome = command.query_async(&mut connection).await;
        self.judged(outcome)
    }

    async fn pipeline<T: FromRedisValue>(&mut self, pipeline: &redis::Pipeline) -> Result<T, StoreError> {
        let mut connection = self.connection().await?;
        let outcome = pipeline.query_async(&mut connection).await;
        self.judged(outcome)
    }
}

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

    #[test]
    fn keys_stay_on_one_node_and_apart_from_those_of_other_directories() {
        let keys = |root: &str| Keys::new("pbm", &Dn::parse(root).unwrap()).key("seq");
        assert_eq!(keys("dc=Example,dc=com"), "pbm:{dc=example,dc=com}:seq");
        assert_eq!(keys("o=a{b}c"), "pbm:{o=a_b_c}:seq");
    }

    /// The attributes in records of the present layout.
    const HELD: [&str; 25] = [
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
        "mail",
        "nsUniqueId",
        "nsAccountLock",
        "pbmDeletedSince",
        "pbmPurging",
    ];

    #[test]
    fn the_layout_has_another_number_where_records_hold_other_attributes() {
        let read: Vec<_> = read_attributes().iter().map(AttributeName::as_str).collect();
        // Otherwise records of the same layout without a new attribute would be served until they change.
        assert_eq!(
            (LAYOUT, read.as_slice()),
            ("3", &HELD[..]),
            "increase LAYOUT by one and update this list"
        );
    }
}
