//! Following etcd while the process runs: on a thread of its own, since the client blocks.
//!
//! Whatever has changed, everything is read again at one revision and validated as one whole, together with the file
//! and the environment as they were at the start. Then all live settings come into force together, or none does. The
//! thread holds nothing that must be finished, so it ends with the process.

use crate::{
    backoff::Backoff,
    config::{
        Config,
        auth::overlaps,
        loading::{EtcdAtStart, Loaded},
        source::{Effective, Findings, Inputs, Mistake, Settings},
    },
    etcd::{client::Client, error::EtcdError, snapshot::Snapshot, watch::Watched},
    live::{Switches, is_live},
};
use administration::configuration::ConfigurationProblem::{Invalid, Unreachable, WaitingForRestart};
use ipnet::IpNet;
use std::{
    collections::BTreeSet,
    fmt, io,
    thread::{self, sleep},
    time::Duration,
};
use visible_text::Visible;

/// How long a watch lasts. Then everything is read again, so a connection that has died unnoticed delays a change by no
/// more than this.
const WATCH: Duration = Duration::from_secs(15);
/// After a change the keys must have been still for so long: a script that stores several keys is seen as one change.
const SETTLED: Duration = Duration::from_millis(250);
/// But a script that never stops is not waited for: so often the keys are read again.
const SETTLING: usize = 4;

/// Starts the thread. Without etcd there is nothing to follow.
///
/// # Errors
/// The system's error when the thread cannot be started.
pub fn follow(loaded: Loaded, switches: Switches) -> io::Result<()> {
    let Loaded { config, settings, inputs, etcd, unused, warnings } = loaded;
    let Some(EtcdAtStart { client, snapshot }) = etcd else { return Ok(()) };
    report_start(&client, &snapshot, unused.iter().map(|unused| unused.key.as_str()));
    report_incomplete(&warnings);
    let state = &switches.services.configuration;
    state.note(Unreachable, snapshot.is_err());
    let follower = Follower {
        applied: snapshot.as_ref().ok().cloned(),
        proxies: config.http.proxies.trusted,
        at_start: settings.clone(),
        current: settings,
        waiting: Vec::new(),
        warnings,
        inputs,
        switches,
    };
    thread::Builder::new().name("etcd".to_owned()).spawn(move || run(client, follower))?;
    Ok(())
}

fn report_start<'a>(
    client: &Client,
    snapshot: &Result<Snapshot, (String, EtcdError)>,
    unused: impl Iterator<Item = &'a str>,
) {
    if client.settings().endpoints.iter().any(crate::etcd::settings::Endpoint::is_exposed) {
        let advice = "whoever can change these answers on their way is a super administrator: use https://";
        tracing::warn!(advice, "config.etcd.unencrypted");
    }
    match snapshot {
        Ok(snapshot) => {
            let (unused, revision) = (unused.collect::<Vec<_>>().join(" "), snapshot.revision);
            let denied = snapshot.denied.join(", ");
            tracing::info!(revision, keys = snapshot.values.len(), unused, denied, "config.etcd.read");
        }
        Err((endpoint, error)) => {
            let error = error as &dyn std::error::Error;
            let advice = "started with the file and the environment alone";
            tracing::warn!(endpoint, error, advice, "config.etcd.unreachable");
        }
    }
}

/// Reports optional features that stay off, since etcd configures them in part.
fn report_incomplete(warnings: &[Mistake]) {
    if !warnings.is_empty() {
        tracing::warn!(warnings = joined(warnings), "config.incomplete");
    }
}

fn joined(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Reads, applies and watches, for ever.
fn run(mut client: Client, mut follower: Follower) {
    let mut backoff = Backoff::default();
    // What was read at the start may be old by now, so it is read again.
    loop {
        match settled(&mut client, follower.applied.as_ref()) {
            Ok(snapshot) => {
                follower.note_reachable(&client);
                follower.apply(&snapshot);
                match client.watch(snapshot.revision, WATCH) {
                    Ok(watched) => {
                        if let Watched::Incomplete { confirmed, asked } = watched {
                            tracing::debug!(confirmed, asked, "config.etcd.watch.incomplete");
                        }
                        backoff.reset();
                        continue;
                    }
                    Err(error) => {
                        tracing::debug!(error = &error as &dyn std::error::Error, "config.etcd.watch");
                    }
                }
            }
            Err((endpoint, error)) => follower.note_unreachable(&endpoint, &error),
        }
        client.turn();
        sleep(backoff.wait(None, rand::random()));
    }
}

/// Reads everything, and if it has changed, until it no longer changes.
fn settled(client: &mut Client, known: Option<&Snapshot>) -> Result<Snapshot, (String, EtcdError)> {
    let mut last = client.read_from_any()?;
    if known.is_some_and(|known| known.has_same_values(&last)) {
        return Ok(last);
    }
    for _ in 0..SETTLING {
        sleep(SETTLED);
        let next = client.read_from_any()?;
        if next.has_same_values(&last) {
            return Ok(next);
        }
        last = next;
    }
    Ok(last)
}

/// What is in force, and what it came from.
struct Follower {
    inputs: Inputs,
    switches: Switches,
    /// The latest snapshot that was looked at, valid or not.
    applied: Option<Snapshot>,
    /// The settings of the start, which are in force if they are not live.
    at_start: Settings,
    /// The settings of the latest valid snapshot.
    current: Settings,
    /// The settings that wait for a restart.
    waiting: Vec<&'static str>,
    /// What keeps optional features off.
    warnings: Vec<Mistake>,
    /// The proxies that are trusted until the next restart.
    proxies: Vec<IpNet>,
}

impl Follower {
    fn note_reachable(&self, client: &Client) {
        if self.switches.services.configuration.note(Unreachable, false) {
            tracing::info!(endpoint = client.endpoint(), "config.etcd.reachable");
        }
    }

    fn note_unreachable(&self, endpoint: &str, error: &EtcdError) {
        if self.switches.services.configuration.note(Unreachable, true) {
            tracing::warn!(endpoint, error = error as &dyn std::error::Error, "config.etcd.unreachable");
        }
    }

    /// Brings a snapshot into force, as far as that is possible without a restart.
    fn apply(&mut self, snapshot: &Snapshot) {
        if self.applied.as_ref().is_some_and(|applied| applied.has_same_values(snapshot)) {
            return;
        }
        let read = self.read(snapshot);
        self.applied = Some(snapshot.clone());
        let is_invalid = read.is_err();
        let is_news = self.switches.services.configuration.note(Invalid, is_invalid);
        match read {
            Ok((config, findings)) => {
                if is_news {
                    tracing::info!(revision = snapshot.revision, "config.valid");
                }
                self.take(&config, findings, snapshot.revision);
            }
            Err(mistakes) => {
                let mistakes = joined(&mistakes);
                let advice = "the last valid settings stay in force";
                tracing::warn!(mistakes, advice, revision = snapshot.revision, "config.invalid");
            }
        }
    }

    fn read(&self, snapshot: &Snapshot) -> Result<(Config, Findings), Vec<Mistake>> {
        let had_keys = self.applied.as_ref().is_some_and(|applied| !applied.values.is_empty());
        if had_keys && snapshot.values.is_empty() {
            let reason =
                "has lost all keys; without them, defaults such as a shorter retention would come into force";
            return Err(vec![Mistake { place: "etcd".to_owned(), reason: reason.to_owned() }]);
        }
        let read = Config::of(&self.inputs, Some(snapshot));
        let (config, findings) = read.map_err(|findings| findings.mistakes)?;
        // The proxies of the new settings were checked against; those in force until the restart count, too.
        let overlaps: Vec<_> = overlaps(&config.auth.allowed_subnets, &self.proxies).collect();
        if overlaps.is_empty() { Ok((config, findings)) } else { Err(overlaps) }
    }

    fn take(&mut self, config: &Config, findings: Findings, revision: i64) {
        let Findings { settings, warnings, .. } = findings;
        let keys: BTreeSet<_> = settings.keys().chain(self.current.keys()).copied().collect();
        let (live, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| is_live(key));
        let live = live.into_iter().filter_map(|key| Change::of(key, &self.current, &settings));
        let live: Vec<_> = live.collect();
        if !live.is_empty() {
            self.switches.publish(config);
            let names = live.iter().map(|change| change.key).collect::<Vec<_>>().join(" ");
            let changes = live.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            tracing::info!(settings = names, changes, revision, "config.changed");
        }
        let waiting = others.into_iter().filter(|key| Change::of(key, &self.at_start, &settings).is_some());
        self.note_waiting(waiting.collect(), revision);
        if warnings != self.warnings {
            report_incomplete(&warnings);
        }
        self.warnings = warnings;
        self.current = settings;
    }

    fn note_waiting(&mut self, waiting: Vec<&'static str>, revision: i64) {
        self.switches.services.configuration.note(WaitingForRestart, !waiting.is_empty());
        if waiting == self.waiting {
            return;
        }
        if waiting.is_empty() {
            tracing::info!(revision, "config.restart_not_needed");
        } else {
            tracing::warn!(settings = waiting.join(" "), revision, "config.waiting_for_restart");
        }
        self.waiting = waiting;
    }
}

/// A setting that has another value than before.
struct Change<'a> {
    key: &'static str,
    old: Option<&'a Effective>,
    new: Option<&'a Effective>,
}

impl<'a> Change<'a> {
    fn of(key: &'static str, from: &'a Settings, to: &'a Settings) -> Option<Self> {
        let [old, new] = [from, to].map(|settings| settings.get(key).map(|setting| &setting.value));
        (old != new).then_some(Self { key, old, new })
    }
}

/// The values are shortened, and secrets are not shown.
impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, old, new } = self;
        match [old, new].map(|value| value.map_or_else(|| Some(UNSET.to_owned()), readable)) {
            [Some(old), Some(new)] => write!(f, "{key}: {} -> {}", Visible(&old), Visible(&new)),
            _ => write!(f, "{key}: ********"),
        }
    }
}

/// How a value is called that is not set.
const UNSET: &str = "unset";

/// A value in words; `None` for a secret.
fn readable(value: &Effective) -> Option<String> {
    match value {
        Effective::Unset => Some(UNSET.to_owned()),
        Effective::Text(text) => Some(text.clone()),
        Effective::List(texts) => Some(format!("[{}]", texts.join(", "))),
        Effective::Secret(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::{Origin, Setting};

    #[test]
    fn a_change_shows_both_values_unless_they_are_secret() {
        let settings =
            |value: Effective| Settings::from([("log.level", Setting { value, origin: Origin::Default })]);
        let text = |text: &str| settings(Effective::Text(text.to_owned()));
        let written =
            |from: &Settings, to: &Settings| Change::of("log.level", from, to).map(|c| c.to_string());
        assert_eq!(written(&text("info"), &text("info")), None);
        assert_eq!(written(&text("info"), &text("debug")).unwrap(), "log.level: info -> debug");
        assert_eq!(written(&Settings::new(), &text("debug")).unwrap(), "log.level: unset -> debug");
        let list = settings(Effective::List(vec!["a".into(), "b\n".into()]));
        assert_eq!(written(&list, &settings(Effective::Unset)).unwrap(), "log.level: [a, b\\u{a}] -> unset");
        let secret = |text: &str| settings(Effective::Secret(text.into()));
        for (from, to) in [(secret("a"), secret("b")), (text("a"), secret("b")), (secret("a"), text("b"))] {
            assert_eq!(written(&from, &to).unwrap(), "log.level: ********");
        }
        assert!(written(&text("a"), &text(&"x".repeat(9999))).unwrap().chars().count() < 120);
    }
}
