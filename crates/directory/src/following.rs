//! Following the directory. A persistent search (draft-ietf-ldapext-psearch-03) reports every change that
//! anybody makes, and counters of the server show whether anything has changed since the last time it was
//! followed.

use crate::{
    Directory, Lookup, Scope,
    connection::Connection,
    entry::Entry,
    error::{DirectoryError, Operation, Unreachable, broken, check},
    settings::LdapSettings,
};
use lber::{
    structure::{PL, StructureTag},
    universal::Types,
    write,
};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};
use ldap3::{
    LdapError, SearchStream,
    controls::{Control, RawControl},
};
use mail_model::{entry::EntryView, names, tree::Tree};
use std::{
    fmt::Write as _,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

const PERSISTENT_SEARCH: &str = "2.16.840.1.113730.3.4.3";
const CHANGE_NOTIFICATION: &str = "2.16.840.1.113730.3.4.7";

/// The kinds of change, as both controls number them.
const DELETE: u8 = 2;
const RENAME: u8 = 8;
const ALL_CHANGES: u8 = 15;

/// The counters of change operations that a server has received since its start.
const OPERATIONS: &[AttributeName] = &[
    AttributeName::from_static("addentryops"),
    AttributeName::from_static("removeentryops"),
    AttributeName::from_static("modifyentryops"),
    AttributeName::from_static("modifyrdnops"),
];
/// The time at which the server was started.
const START: &[AttributeName] = &[AttributeName::from_static("starttime")];
/// The count of changes of each backend (plug-in USN).
const COUNT: &[AttributeName] = &[AttributeName::from_static("lastusn")];

/// How long a server is given to begin a persistent search; it does not report the beginning.
const TIME_TO_BEGIN: Duration = Duration::from_millis(200);

/// Connections of a follower besides the one with the persistent search: two for the scans of a review, two for the
/// small searches of the review, and two for those that follow a change during it. A review does not go on meanwhile, so
/// its connections are not free.
const CONNECTIONS: usize = 6;

/// A change that any program made.
#[derive(Clone, Debug)]
pub enum Event {
    /// An entry was added or changed; this is its state right after the change.
    Changed(Entry),
    /// An entry was renamed.
    Renamed(Entry),
    /// An entry was removed; this is its state before the removal.
    Removed(Entry),
}

/// Follows one server.
pub struct Follower {
    stream: SearchStream<'static, String, Vec<String>>,
    server: Arc<str>,
    directory: Directory,
}

impl Follower {
    /// Follows the first server that answers, from now on: [`Self::next`] reports every later change.
    ///
    /// # Errors
    /// [`DirectoryError`] if no server answers.
    pub async fn open(
        settings: &LdapSettings,
        tree: &Tree,
        attributes: &[AttributeName],
    ) -> Result<Self, DirectoryError> {
        let connection = Connection::open(settings, &settings.credentials, &AtomicUsize::new(0)).await?;
        let server = connection.server().clone();
        let mut ldap = connection.give_up();
        let attributes: Vec<String> = attributes.iter().map(ToString::to_string).collect();
        let (base, filter) = (tree.root().to_string(), Filter::present(names::OBJECT_CLASS).to_string());
        let search = ldap.with_controls(vec![persistent_search()]);
        let stream = search.streaming_search(&base, Scope::Subtree.into(), &filter, attributes).await;
        let stream = stream.map_err(|error| broken(Operation::Read, error))?;
        // All other searches must go to the same server: another one may be behind.
        let settings = LdapSettings { connections: CONNECTIONS, ..settings.only(&server) };
        let directory = Directory::new(Arc::new(settings), tree.clone());
        // The server does not report that the search has begun; it begins within a millisecond or two.
        tokio::time::sleep(TIME_TO_BEGIN).await;
        Ok(Self { stream, server, directory })
    }

    /// The URL of the server that is followed.
    #[must_use]
    pub fn server(&self) -> &Arc<str> {
        &self.server
    }

    /// The directory, using that server alone.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Waits for the next change. If the future is dropped, no change is lost.
    ///
    /// # Errors
    /// [`DirectoryError`] if the server ends the search; changes are missed from then on.
    pub async fn next(&mut self) -> Result<Event, DirectoryError> {
        loop {
            let next = self.stream.next().await.map_err(|error| broken(Operation::Read, error))?;
            let Some(result) = next else {
                check(self.stream.finish().await)?;
                return Err(Unreachable::Connection(LdapError::EndOfStream).into());
            };
            let kind = result.1.iter().find_map(kind_of).unwrap_or_default();
            let Some(entry) = Entry::decode(result) else { continue };
            match kind {
                DELETE => return Ok(Event::Removed(entry)),
                RENAME => return Ok(Event::Renamed(entry)),
                _ => return Ok(Event::Changed(entry)),
            }
        }
    }
}

impl Lookup {
    /// Identifies the entries that the server has: it differs after an import has replaced all of them. It is the
    /// identifier of the folder of users, which an import generates again. `None` if there is no such folder.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn generation(&self) -> Result<Option<String>, DirectoryError> {
        let everything = Filter::present(names::OBJECT_CLASS);
        let people =
            self.find(self.tree().people(), Scope::Base, &everything, &[names::NS_UNIQUE_ID]).await?;
        Ok(people.and_then(|people| people.first(&names::NS_UNIQUE_ID).map(str::to_owned)))
    }

    /// How far a server is with its changes: a text that differs if anything has changed since, including
    /// removals. `None` if the server does not show its counters.
    ///
    /// The server's count of changes alone is not enough: 389-ds subtracts one for many of the changes that it
    /// refuses, so the count can return to an earlier value. The counters of received operations only grow.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn position(&self) -> Result<Option<String>, DirectoryError> {
        let everything = Filter::present(names::OBJECT_CLASS);
        let (cn, monitor) = (names::CN, "monitor");
        let snmp = Dn::empty().child(cn.clone(), monitor).child(cn.clone(), "snmp");
        let operations = self.find_with_server(&snmp, Scope::Base, &everything, OPERATIONS).await?;
        let start =
            self.find_with_server(&Dn::empty().child(cn, monitor), Scope::Base, &everything, START).await?;
        let changes = self.find_with_server(&Dn::empty(), Scope::Base, &everything, COUNT).await?;
        let parts = [&operations, &start, &changes];
        // If a server has just gone away, the answers may come from different servers.
        if parts.iter().any(|(server, entry)| *server != operations.0 || entry.is_none()) {
            return Ok(None);
        }
        let mut numbers: Vec<_> =
            parts.iter().flat_map(|(_, entry)| entry.iter().flat_map(Entry::attributes)).collect();
        numbers.sort_unstable();
        if numbers.len() < OPERATIONS.len() + START.len() + COUNT.len() {
            return Ok(None);
        }
        let mut text = operations.0.to_string();
        for (name, values) in numbers {
            // Writing to a `String` never fails.
            let _written = write!(text, " {name}={}", values.join(","));
        }
        Ok(Some(text))
    }
}

/// `PersistentSearch ::= SEQUENCE { changeTypes INTEGER, changesOnly BOOLEAN, returnECs BOOLEAN }`: all kinds
/// of change, only changes from now on, and each with its kind.
fn persistent_search() -> RawControl {
    let part = |id: Types, byte| StructureTag {
        class: lber::common::TagClass::Universal,
        id: id as u64,
        payload: PL::P(vec![byte]),
    };
    let parts =
        vec![part(Types::Integer, ALL_CHANGES), part(Types::Boolean, 0xff), part(Types::Boolean, 0xff)];
    let value = StructureTag {
        class: lber::common::TagClass::Universal,
        id: Types::Sequence as u64,
        payload: PL::C(parts),
    };
    let mut bytes = bytes::BytesMut::new();
    // Writing to memory never fails.
    let _written = write::encode_into(&mut bytes, value);
    RawControl { ctype: PERSISTENT_SEARCH.to_owned(), crit: true, val: Some(bytes.to_vec()) }
}

/// `EntryChangeNotification ::= SEQUENCE { changeType ENUMERATED, … }`
fn kind_of(control: &Control) -> Option<u8> {
    if control.1.ctype != CHANGE_NOTIFICATION {
        return None;
    }
    let (_, tag) = lber::parse::parse_tag(control.1.val.as_deref()?).ok()?;
    let PL::C(parts) = tag.payload else { return None };
    match &parts.first()?.payload {
        PL::P(bytes) => bytes.last().copied(),
        PL::C(_) => None,
    }
}
