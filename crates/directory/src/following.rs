//! Following the directory: a search that persists (draft-ietf-ldapext-psearch-03) tells of every change that anybody
//! makes, and the server's own numbers tell whether anything has changed since somebody followed it last.

use crate::{
    Directory, Scope,
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
use mail_model::{names, tree::Tree};
use std::{
    fmt::Write as _,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

const PERSISTENT_SEARCH: &str = "2.16.840.1.113730.3.4.3";
const CHANGE_NOTIFICATION: &str = "2.16.840.1.113730.3.4.7";

/// The kinds of change as both controls number them.
const DELETE: u8 = 2;
const RENAME: u8 = 8;
const ALL_CHANGES: u8 = 15;

/// The numbers of changes that a server was asked for since its start.
const OPERATIONS: &[AttributeName] = &[
    AttributeName::from_static("addentryops"),
    AttributeName::from_static("removeentryops"),
    AttributeName::from_static("modifyentryops"),
    AttributeName::from_static("modifyrdnops"),
];
/// When it was started.
const START: &[AttributeName] = &[AttributeName::from_static("starttime")];
/// The count of changes of each backend (plug-in USN).
const COUNT: &[AttributeName] = &[AttributeName::from_static("lastusn")];

/// How long a server is given to begin with a persistent search, of which it says nothing.
const TIME_TO_BEGIN: Duration = Duration::from_millis(200);

/// Connections of a follower beside the one that it follows with: a scan, and small searches meanwhile.
const CONNECTIONS: usize = 3;

/// A change that somebody made.
#[derive(Clone, Debug)]
pub enum Event {
    /// An entry is new or has changed: as it was just then.
    Changed(Entry),
    /// An entry has another name.
    Renamed(Entry),
    /// An entry is there no longer: as it was before.
    Removed(Entry),
}

/// Follows one server.
pub struct Follower {
    stream: SearchStream<'static, String, Vec<String>>,
    server: Arc<str>,
    directory: Directory,
}

impl Follower {
    /// Follows the first server that answers, from now on: every change from here is told of by [`Self::next`].
    ///
    /// # Errors
    /// [`DirectoryError`] when none answers.
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
        // Whatever else is asked has to be asked of the same server: another one may be behind.
        let settings = LdapSettings { connections: CONNECTIONS, ..settings.only(&server) };
        let directory = Directory::new(Arc::new(settings), tree.clone());
        // The server does not say when it has begun; it does so within a millisecond or two.
        tokio::time::sleep(TIME_TO_BEGIN).await;
        Ok(Self { stream, server, directory })
    }

    /// The URL of the server that is followed.
    #[must_use]
    pub fn server(&self) -> &Arc<str> {
        &self.server
    }

    /// The directory, at that server alone.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The next change, once there is one. Dropped half way, it loses nothing.
    ///
    /// # Errors
    /// [`DirectoryError`] when the server ends it; changes are then missed.
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

impl Directory {
    /// How far a server is with its changes: a text that differs when anything has changed since, be it an entry that was
    /// removed. `None` where the server does not tell.
    ///
    /// Its count of changes alone would not do: 389-ds takes one off for many a change that it refuses, so the count can
    /// come back to what it was. The numbers of operations that it was asked for only grow.
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
        // Each may be of another server, where one has just gone away.
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
            // A String takes whatever is written to it.
            let _written = write!(text, " {name}={}", values.join(","));
        }
        Ok(Some(text))
    }
}

/// `PersistentSearch ::= SEQUENCE { changeTypes INTEGER, changesOnly BOOLEAN, returnECs BOOLEAN }`: all kinds of
/// change, those from now on only, and each with its kind.
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
    // Writing to memory does not fail.
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
