//! Adding or removing one member of a large list; raw, the modify that adds or removes the one value. Both sides change the
//! same list, in turn, so that it is as long for both: 389-ds rewrites the whole entry each time.

use super::{List, PATH};
use crate::{
    arguments::Arguments,
    http::{Asking, request},
    load::{self, Client, Measured, Until, in_turns},
    people::Name,
    raw,
    report::{Row, Target},
    world::{CONNECTIONS, World},
};
use anyhow::Context;
use ldap3::Ldap;
use mail_model::names;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What is done with a member.
#[derive(Clone, Copy)]
pub(super) enum Change {
    Add,
    Remove,
}

impl Change {
    const fn verb(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
        }
    }

    /// The parameter of the request that names the member.
    const fn parameter(self) -> &'static str {
        match self {
            Self::Add => "alias",
            Self::Remove => "remove",
        }
    }

    /// The people whom it concerns: the first one, and how many there are.
    fn people(self, list: &List, world: &World) -> (usize, usize) {
        match self {
            Self::Add => (list.people, world.names.len() - list.people),
            Self::Remove => (0, list.people),
        }
    }
}

/// People of whom each is added or removed once.
#[derive(Clone)]
struct People {
    names: Arc<Vec<Name>>,
    next: Arc<AtomicUsize>,
}

impl People {
    fn next(&self) -> Option<&Name> {
        self.names.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

struct ChangingMembers {
    change: Change,
    ldap: Ldap,
    list: Arc<str>,
    people: People,
}

impl Client for ChangingMembers {
    async fn once(&mut self) -> anyhow::Result<()> {
        let Name { dn, .. } = self.people.next().context("nobody is left")?;
        let (ldap, member) = (&mut self.ldap, names::MEMBER);
        match self.change {
            Change::Add => raw::add_values(ldap, &self.list, member.as_str(), &[dn]).await,
            Change::Remove => raw::remove_value(ldap, &self.list, member.as_str(), dn).await,
        }
    }
}

/// `changes` is the number of members that each side adds or removes in a round, if there are that many people.
pub(super) fn row(
    change: Change,
    arguments: &Arguments,
    world: &World,
    list: &List,
    changes: usize,
) -> anyhow::Result<Row> {
    let (first, count) = change.people(list, world);
    let changes = changes.min(count / (2 * arguments.rounds as usize)).max(1);
    let until = |clients: usize| Until::Times(changes / clients);
    let (clients, connections) = (arguments.clients().min(changes), CONNECTIONS.min(changes));
    let people = People { names: world.names.clone(), next: Arc::new(AtomicUsize::new(first)) };
    let ours = || -> anyhow::Result<Measured> {
        load::run(clients, until(clients), async || {
            let (people, mail, token) = (people.clone(), list.mail.clone(), world.token.clone());
            let next = move |bytes: &mut Vec<u8>| {
                let person = people.next().map_or("", |name| name.mail.as_str());
                let form = format!("mail={mail}&{}={person}", change.parameter());
                bytes.extend_from_slice(&request("PUT", PATH, Some(&token), &form));
            };
            Asking::connect(world.pbm.address, next).await
        })
    };
    let raw = || -> anyhow::Result<Measured> {
        load::run(connections, until(connections), async || {
            let (people, list) = (people.clone(), list.dn.as_str().into());
            Ok(ChangingMembers { change, ldap: world.service.bind().await?, list, people })
        })
    };
    let name = format!("{} a member, a list of {}", change.verb(), list.people);
    let pair = in_turns(&name, arguments.rounds, world.processes()?, ours, raw)?;
    Ok(Row::of_pair(&name, &pair, world.pbm.peak_memory()?, Target::Ratio(0.8)))
}
