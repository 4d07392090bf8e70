//! Adding one member to a large list; raw, the modify that adds the one value. Both sides add to the same list, in
//! turn, so that it is as long for both: 389-ds rewrites the whole entry each time.

use super::{List, large_list};
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
/// Members that each side adds in a round: so few that a list of 10,000 keeps about its length.
const ADDS: usize = 128;

/// People who are not in the list yet, each used once.
#[derive(Clone)]
struct Newcomers {
    names: Arc<Vec<Name>>,
    next: Arc<AtomicUsize>,
}

impl Newcomers {
    /// All users after the first `members`.
    fn after(members: usize, world: &World) -> Self {
        Self { names: world.names.clone(), next: Arc::new(AtomicUsize::new(members)) }
    }

    fn next(&self) -> Option<&Name> {
        self.names.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

struct AddingMembers {
    ldap: Ldap,
    list: Arc<str>,
    newcomers: Newcomers,
}

impl Client for AddingMembers {
    async fn once(&mut self) -> anyhow::Result<()> {
        let newcomer = self.newcomers.next().context("everybody is in the list")?;
        raw::add_values(&mut self.ldap, &self.list, names::MEMBER.as_str(), &[&newcomer.dn]).await
    }
}

pub(in crate::operations) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    Ok(vec![row(arguments, world, &large_list(world)?, ADDS)?])
}

/// `adds` is the number of members that each side adds in a round, if there are that many other users.
pub(super) fn row(arguments: &Arguments, world: &World, list: &List, adds: usize) -> anyhow::Result<Row> {
    let others = world.names.len() - list.people;
    let adds = adds.min(others / (2 * arguments.rounds as usize)).max(1);
    let until = |clients: usize| Until::Times(adds / clients);
    let (clients, connections) = (arguments.clients().min(adds), CONNECTIONS.min(adds));
    let newcomers = Newcomers::after(list.people, world);
    let ours = || -> anyhow::Result<Measured> {
        load::run(clients, until(clients), async || {
            let (newcomers, mail, token) = (newcomers.clone(), list.mail.clone(), world.token.clone());
            let next = move |bytes: &mut Vec<u8>| {
                let newcomer = newcomers.next().map_or("", |name| name.mail.as_str());
                let form = format!("mail={mail}&alias={newcomer}");
                bytes.extend_from_slice(&request("PUT", PATH, Some(&token), &form));
            };
            Asking::connect(world.pbm.address, next).await
        })
    };
    let raw = || -> anyhow::Result<Measured> {
        load::run(connections, until(connections), async || {
            let (newcomers, list) = (newcomers.clone(), list.dn.as_str().into());
            Ok(AddingMembers { ldap: world.service.bind().await?, list, newcomers })
        })
    };
    let name = format!("add a member, a list of {}", list.people);
    let pair = in_turns(&name, arguments.rounds, world.processes()?, ours, raw)?;
    Ok(Row::of_pair(&name, &pair, world.pbm.peak_memory()?, Target::Ratio(0.8)))
}
