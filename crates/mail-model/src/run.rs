//! Synchronizations with a source: what is kept of each in the directory, which all replicas share.
//!
//! A run has an entry with its report. Another entry, named after the tenant, the source and the subject, is the lock: it
//! says which run is under way, and until when its process counts as alive.

use crate::{
    changes::{add_values, attribute, delete_value, modify},
    deletion, names,
    tenant::TenantId,
    tree::Tree,
};
use jiff::Timestamp;
use ldap_text::{
    dn::Dn,
    ldif::{Change, ChangeRecord},
};
use std::{fmt, time::Duration};

/// Entries that were refused and are told in a report; of others only the number is kept.
pub const MOST_REFUSED: usize = 100;
/// Longest text of a report's line, in characters.
const LONGEST: usize = 300;
/// A run whose process has not said that it lives for so long is over.
pub const LEASE: Duration = Duration::from_secs(60);

/// Where entries come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Active Directory or another directory.
    Directory,
    /// Bitrix24.
    Bitrix24,
}

/// What is synchronized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// People.
    People,
    /// Groups.
    Groups,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 2] = [Self::Directory, Self::Bitrix24];

    /// Its name in reports, answers and the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Directory => "ad",
            Self::Bitrix24 => "bitrix24",
        }
    }
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 2] = [Self::People, Self::Groups];

    /// Its name in reports and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Groups => "groups",
        }
    }
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It reads or writes.
    Running,
    /// It has ended.
    Done,
    /// It has ended without having done all that it should.
    Failed,
}

impl State {
    const ALL: [Self; 3] = [Self::Running, Self::Done, Self::Failed];

    /// Its name in reports and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// How many entries a run has read, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries of the source.
    pub read: u64,
    /// Entries that were added.
    pub added: u64,
    /// Entries that were changed.
    pub updated: u64,
    /// Entries that were as they should be.
    pub unchanged: u64,
    /// Entries that were removed.
    pub removed: u64,
    /// Entries, or parts of one, that were left out.
    pub refused: u64,
}

/// An entry, or a part of one, that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which one.
    pub what: String,
    /// Why.
    pub why: String,
}

/// The report of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The identifier of the run.
    pub id: String,
    /// The tenant.
    pub tenant: TenantId,
    /// The source.
    pub source: Source,
    /// What is synchronized.
    pub subject: Subject,
    /// Where it is.
    pub state: State,
    /// When it began.
    pub began: Timestamp,
    /// When its process last said that it lives, or when it ended.
    pub seen: Timestamp,
    /// Whether all of the source was read.
    pub is_whole: bool,
    /// From where a quick run can continue.
    pub position: Option<String>,
    /// The counts.
    pub counts: Counts,
    /// The first entries that were left out.
    pub refused: Vec<Refused>,
    /// Why it failed, or what else should be known.
    pub message: Option<String>,
}

impl Report {
    /// The report of a run that begins.
    #[must_use]
    pub const fn begun(
        id: String,
        tenant: TenantId,
        source: Source,
        subject: Subject,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            tenant,
            source,
            subject,
            state: State::Running,
            began: now,
            seen: now,
            is_whole: false,
            position: None,
            counts: Counts { read: 0, added: 0, updated: 0, unchanged: 0, removed: 0, refused: 0 },
            refused: Vec::new(),
            message: None,
        }
    }

    /// Records something that was left out.
    pub fn refuse(&mut self, refused: Refused) {
        self.counts.refused += 1;
        if self.refused.len() < MOST_REFUSED {
            self.refused.push(refused);
        }
    }

    /// Whether the run has ended and done all that it should.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == State::Done && self.message.is_none()
    }

    /// Whether the process of a run that is under way has been silent for too long.
    #[must_use]
    pub fn is_abandoned(&self, now: Timestamp) -> bool {
        self.state == State::Running && is_over(self.seen, now)
    }

    /// Reads the text that [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        let number = |key| value(key).and_then(|text| text.parse().ok()).unwrap_or(0);
        let refused = text.lines().filter_map(|line| {
            let (what, why) = line.strip_prefix("left out: ")?.split_once('\t')?;
            Some(Refused { what: what.to_owned(), why: why.to_owned() })
        });
        Some(Self {
            id: value("run")?.to_owned(),
            tenant: TenantId::parse(value("tenant")?).ok()?,
            source: Source::ALL.into_iter().find(|source| Some(source.name()) == value("source"))?,
            subject: Subject::ALL.into_iter().find(|subject| Some(subject.name()) == value("subject"))?,
            state: State::ALL.into_iter().find(|state| Some(state.name()) == value("state"))?,
            began: value("began")?.parse().ok()?,
            seen: value("seen")?.parse().ok()?,
            is_whole: value("whole") == Some("true"),
            position: value("position").map(str::to_owned),
            counts: Counts {
                read: number("read"),
                added: number("added"),
                updated: number("updated"),
                unchanged: number("unchanged"),
                removed: number("removed"),
                refused: number("refused"),
            },
            refused: refused.collect(),
            message: value("message").map(str::to_owned),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { read, added, updated, unchanged, removed, refused } = self.counts;
        writeln!(f, "run: {}\ntenant: {}", self.id, self.tenant)?;
        writeln!(f, "source: {}\nsubject: {}", self.source.name(), self.subject.name())?;
        writeln!(f, "state: {}\nbegan: {}\nseen: {}", self.state.name(), self.began, self.seen)?;
        writeln!(f, "whole: {}\nread: {read}\nadded: {added}\nupdated: {updated}", self.is_whole)?;
        writeln!(f, "unchanged: {unchanged}\nremoved: {removed}\nrefused: {refused}")?;
        if let Some(position) = &self.position {
            writeln!(f, "position: {}", one_line(position))?;
        }
        if let Some(message) = &self.message {
            writeln!(f, "message: {}", one_line(message))?;
        }
        for Refused { what, why } in &self.refused {
            writeln!(f, "left out: {}\t{}", one_line(what), one_line(why))?;
        }
        Ok(())
    }
}

impl Refused {
    /// Cuts the texts, since other systems decide what is in them.
    #[must_use]
    pub fn new(what: &str, why: &str) -> Self {
        Self { what: one_line(what), why: one_line(why) }
    }
}

/// A text of a report: other systems decide what is in it.
fn one_line(text: &str) -> String {
    text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn is_over(seen: Timestamp, now: Timestamp) -> bool {
    let lease = jiff::SignedDuration::try_from(LEASE).unwrap_or(jiff::SignedDuration::ZERO);
    // A clock that was ahead must not keep a lock for ever.
    now.duration_since(seen).abs() > lease
}

/// The lock of a tenant, a source and a subject, as it stands in its entry: the run, and when its process last said that
/// it lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The run that has the lock.
    pub run: String,
    /// When its process last said that it lives.
    pub seen: Timestamp,
}

impl Lock {
    /// Reads the value of the entry.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (run, seen) = text.split_once(' ')?;
        Some(Self { run: run.to_owned(), seen: seen.parse().ok()? })
    }

    /// Whether the process that has it has been silent for too long.
    #[must_use]
    pub fn is_abandoned(&self, now: Timestamp) -> bool {
        is_over(self.seen, now)
    }

    /// Takes the lock; fails if it is taken.
    #[must_use]
    pub fn creation(&self, dn: Dn) -> ChangeRecord {
        entry(dn, self.to_string().as_str())
    }

    /// Replaces the exact value of a lock, the own one or one that was abandoned.
    #[must_use]
    pub fn replacement(&self, dn: Dn, before: &Self) -> ChangeRecord {
        let (old, new) = (before.to_string(), self.to_string());
        let modifications = vec![
            delete_value(names::RUN_REPORT, &old),
            add_values(names::RUN_REPORT, vec![new.as_str().into()]),
        ];
        modify(dn, modifications)
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.run, self.seen)
    }
}

/// The entry of a lock.
#[must_use]
pub fn lock_dn(tree: &Tree, tenant: &TenantId, source: Source, subject: Subject) -> Dn {
    let name = format!("lock {} {} {tenant}", source.name(), subject.name());
    tree.runs().child(names::UID, &name)
}

/// The entry of a run.
#[must_use]
pub fn run_dn(tree: &Tree, id: &str) -> Dn {
    tree.runs().child(names::UID, id)
}

/// Creates the entry of a run.
#[must_use]
pub fn creation(tree: &Tree, report: &Report) -> ChangeRecord {
    entry(run_dn(tree, &report.id), &report.to_string())
}

/// Writes the present report of a run.
#[must_use]
pub fn progress(tree: &Tree, report: &Report) -> ChangeRecord {
    let text = report.to_string();
    modify(
        run_dn(tree, &report.id),
        vec![crate::changes::replace(names::RUN_REPORT, vec![text.as_str().into()])],
    )
}

/// Removes the entry of a lock or a run.
#[must_use]
pub fn removal(dn: Dn) -> ChangeRecord {
    deletion::removal(dn)
}

fn entry(dn: Dn, text: &str) -> ChangeRecord {
    let name = dn.rdn().and_then(|rdn| rdn.value_of(&names::UID)).unwrap_or_default().to_owned();
    let attributes = vec![
        attribute(names::OBJECT_CLASS, names::RUN_CLASSES),
        attribute(names::UID, &[&name]),
        attribute(names::RUN_REPORT, &[text]),
    ];
    ChangeRecord { dn, change: Change::Add(attributes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let tenant = TenantId::parse("acme").unwrap();
        let began = "2026-01-02T03:04:05Z".parse().unwrap();
        Report::begun("r1".to_owned(), tenant, Source::Directory, Subject::People, began)
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let mut report = report();
        report.refuse(Refused::new("иван@пример", "is no address"));
        report.counts.added = 7;
        report.position = Some("dc1 17".to_owned());
        report.message = Some("130 contacts".to_owned());
        report.state = State::Done;
        assert_eq!(Report::parse(&report.to_string()), Some(report));
        assert_eq!(Report::parse("run: x"), None);
    }

    #[test]
    fn texts_of_others_add_no_lines() {
        let mut report = report();
        report.refuse(Refused::new("a\nstate: failed", "b\tc\r\nremoved: 9"));
        report.refuse(Refused::new(&"x".repeat(1 << 20), ""));
        assert_eq!(report.refused[1].what.len(), LONGEST);
        let read = Report::parse(&report.to_string()).unwrap();
        assert_eq!((read.state, read.counts.removed), (State::Running, 0));
        assert_eq!(read.refused, report.refused);
    }

    #[test]
    fn a_lock_is_abandoned_after_its_lease() {
        let seen: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let lock = Lock { run: "r1".to_owned(), seen };
        assert_eq!(Lock::parse(&lock.to_string()).as_ref(), Some(&lock));
        let after = |seconds| seen.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        assert!(!lock.is_abandoned(after(59)) && lock.is_abandoned(after(61)));
    }
}
