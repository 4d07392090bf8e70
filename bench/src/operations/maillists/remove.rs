//! Removing one member from a large list; raw, the modify that removes the one value. Both sides remove from the same
//! list, in turn.

use super::List;
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

const PATH: &str = "/v2/maillists?tenant-id=default";

/// The members of the list, each used once.
#[derive(Clone)]
struct Leavers {
    names: Arc<Vec<Name>>,
    next: Arc<AtomicUsize>,
}

impl Leavers {
    fn next(&self) -> Option<&Name> {
        self.names.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

struct RemovingMembers {
    ldap: Ldap,
    list: Arc<str>,
    leavers: Leavers,
}

impl Client for RemovingMembers {
    async fn once(&mut self) -> anyhow::Result<()> {
        let leaver = self.leavers.next().context("nobody is left in the list")?;
        raw::remove_value(&mut self.ldap, &self.list, names::MEMBER.as_str(), &leaver.dn).await
    }
}

/// `removals` is the number of members that each side removes in a round.
pub(super) fn row(arguments: &Arguments, world: &World, list: &List, removals: usize) -> anyhow::Result<Row> {
    let until = |clients: usize| Until::Times(removals / clients);
    let (clients, connections) = (arguments.clients().min(removals), CONNECTIONS.min(removals));
    let leavers = Leavers { names: world.names.clone(), next: Arc::default() };
    let ours = || -> anyhow::Result<Measured> {
        load::run(clients, until(clients), async || {
            let (leavers, mail, token) = (leavers.clone(), list.mail.clone(), world.token.clone());
            let next = move |bytes: &mut Vec<u8>| {
                let leaver = leavers.next().map_or("", |name| name.mail.as_str());
                let form = format!("mail={mail}&remove={leaver}");
                bytes.extend_from_slice(&request("PUT", PATH, Some(&token), &form));
            };
            Asking::connect(world.pbm.address, next).await
        })
    };
    let raw = || -> anyhow::Result<Measured> {
        load::run(connections, until(connections), async || {
            let (leavers, list) = (leavers.clone(), list.dn.as_str().into());
            Ok(RemovingMembers { ldap: world.service.bind().await?, list, leavers })
        })
    };
    let name = format!("remove a member, a list of {}", list.people);
    let pair = in_turns(&name, arguments.rounds, world.processes()?, ours, raw)?;
    Ok(Row::of_pair(&name, &pair, world.pbm.peak_memory()?, Target::Ratio(0.8)))
}
